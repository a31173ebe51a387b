//! A till's tests, on odbc-api, which the end-to-end tests run under cargo nextest. CONNECTION is the connection
//! string, and WORK the directory in which they work.
//!
//! CHANGED, LEFT_OUT and EXTRA make one test do something else than it did: another value, a statement less, one more.

use odbc_api::{Connection, ConnectionOptions, Cursor, IntoParameter, ParameterCollectionRef, environment};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

fn connect() -> Result<Connection<'static>> {
    // where a database that is a file is made
    std::env::set_current_dir(std::env::var_os("WORK").ok_or("WORK is not set")?)?;
    let string = std::env::var("CONNECTION")?;
    Ok(environment()?.connect_with_connection_string(&string, ConnectionOptions::default())?)
}

/// The first column of what comes, as text.
fn rows(connection: &Connection<'_>, sql: &str, parameters: impl ParameterCollectionRef) -> Result<Vec<String>> {
    let mut all = Vec::new();
    if let Some(mut cursor) = connection.execute(sql, parameters, None)? {
        while let Some(mut row) = cursor.next_row()? {
            let mut text = Vec::new();
            row.get_text(1, &mut text)?;
            all.push(String::from_utf8(text)?);
        }
    }
    Ok(all)
}

fn is_asked(variable: &str) -> bool {
    std::env::var_os(variable).is_some()
}

mod sales {
    use super::*;

    fn sell(price: i32) -> Result {
        let (connection, table) = (connect()?, format!("sales_{price}"));
        rows(&connection, &format!("create table {table} (title varchar(20), price integer)"), ())?;
        let insert = format!("insert into {table} values (?, ?)");
        rows(&connection, &insert, (&"Emma".into_parameter(), &price.into_parameter()))?;
        if !(price == 7 && is_asked("LEFT_OUT")) {
            rows(&connection, &format!("update {table} set price = price + 1"), ())?;
        }
        assert_eq!(rows(&connection, &format!("select title from {table}"), ())?, ["Emma"]);
        rows(&connection, &format!("drop table {table}"), ())?;
        Ok(())
    }

    #[test]
    fn one_for_five() -> Result {
        sell(5)
    }

    #[test]
    fn one_for_seven() -> Result {
        sell(7)
    }

    #[test]
    fn one_for_eleven() -> Result {
        sell(11)
    }
}

#[test]
fn sums() -> Result {
    let changed = i32::from(is_asked("CHANGED"));
    let found = rows(&connect()?, "select 40 + ?", &(2 + changed).into_parameter())?;
    assert_eq!(found, [(42 + changed).to_string()]);
    Ok(())
}

#[test]
fn what_is_wrong_is_an_error() -> Result {
    assert!(connect()?.execute("select nothing from nowhere", (), None).is_err());
    Ok(())
}

#[test]
fn two_connections() -> Result {
    let (one, other) = (connect()?, connect()?);
    let first = rows(&one, "select 1", ())?;
    assert_eq!((first, rows(&other, "select 2", ())?), (vec!["1".to_owned()], vec!["2".to_owned()]));
    if is_asked("EXTRA") {
        rows(&one, "select 3", ())?;
    }
    Ok(())
}
