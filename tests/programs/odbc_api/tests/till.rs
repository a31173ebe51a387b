//! A till's tests, on odbc-api, which the end-to-end tests run under cargo nextest. CONNECTION is the connection
//! string, and WORK the directory in which they work.
//!
//! CHANGED, LEFT_OUT and EXTRA each make one test do something else: another value, a statement less, one more.

use odbc_api::parameter::VarCharArray;
use odbc_api::{
    Connection, ConnectionOptions, Cursor, IntoParameter, ParameterCollectionRef, buffers::TextRowSet, environment,
};

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

mod receipts {
    //! Each test works in a transaction that is rolled back.
    use super::*;

    /// A connection in a transaction, with a table of its own.
    struct Receipts(Connection<'static>, &'static str);

    impl Receipts {
        fn new(table: &'static str) -> Result<Receipts> {
            let connection = connect()?;
            connection.set_autocommit(false)?;
            rows(&connection, &format!("create table {table} (number integer, total integer)"), ())?;
            Ok(Receipts(connection, table))
        }

        fn total(&self) -> Result<Vec<String>> {
            rows(&self.0, &format!("select sum(total) from {}", self.1), ())
        }
    }

    impl Drop for Receipts {
        fn drop(&mut self) {
            let _ = self.0.rollback();
        }
    }

    #[test]
    fn are_summed() -> Result {
        let receipts = Receipts::new("receipts")?;
        let mut insert = receipts.0.prepare("insert into receipts values (?, ?)")?;
        for number in 1..=3 {
            insert.execute((&number, &(number * 10)))?;
        }
        drop(insert);
        assert_eq!(receipts.total()?, ["60"]);
        Ok(())
    }

    #[test]
    fn are_gone_after_a_rollback() -> Result {
        let receipts = Receipts::new("returns")?;
        receipts.0.commit()?;
        rows(&receipts.0, "insert into returns values (1, 7)", ())?;
        receipts.0.rollback()?;
        assert_eq!(rows(&receipts.0, "select number from returns", ())?, [""; 0]);
        rows(&receipts.0, "drop table returns", ())?;
        receipts.0.commit()?;
        Ok(())
    }
}

#[test]
fn rows_come_in_blocks() -> Result {
    let connection = connect()?;
    let sql = (0..25).map(|number| format!("select {number}")).collect::<Vec<_>>().join(" union all ") + " order by 1";
    let Some(cursor) = connection.execute(&sql, (), None)? else { return Err("no result".into()) };
    let mut block = TextRowSet::from_max_str_lens(10, [20])?;
    let (mut cursor, mut all) = (cursor.bind_buffer(&mut block)?, Vec::new());
    while let Some(block) = cursor.fetch()? {
        all.push(block.num_rows());
    }
    assert_eq!(all, [10, 10, 5]);
    Ok(())
}

#[test]
#[should_panic(expected = "ODBC emitted an error")]
fn a_failure_that_is_expected() {
    let failure = connect().and_then(|connection| Ok(rows(&connection, "select nothing from nowhere", ())?));
    if let Err(error) = failure {
        panic!("{error}");
    }
}

#[test]
fn a_text_of_a_fixed_size() -> Result {
    let text = VarCharArray::<32>::new(b"a pear");
    assert_eq!(rows(&connect()?, "select ?", &text)?, ["a pear"]);
    Ok(())
}

#[test]
fn no_database_is_needed() {
    assert_eq!("Emma".len(), 4);
}
