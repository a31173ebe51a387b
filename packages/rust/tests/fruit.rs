//! Tests with a cassette each. Environment variables make them do something else than was recorded.

use odbc_api::{ConnectionOptions, Cursor, Environment, IntoParameter};
use std::sync::LazyLock;
use super8_test::{Cassette, cassette, use_cassette};

static ENVIRONMENT: LazyLock<Environment> = LazyLock::new(|| Environment::new().expect("an environment"));

fn asks(name: &str) -> bool {
    std::env::var("OTHERWISE").is_ok_and(|names| names.contains(name))
}

fn price(sql: &str, name: &str) -> Result<Option<i32>, odbc_api::Error> {
    let connection = ENVIRONMENT.connect_with_connection_string("DSN=shop", ConnectionOptions::default())?;
    let Some(mut rows) = connection.execute(sql, &name.into_parameter(), None)? else { return Ok(None) };
    let Some(mut row) = rows.next_row()? else { return Ok(None) };
    let mut price = odbc_api::Nullable::<i32>::null();
    row.get_data(1, &mut price)?;
    Ok(price.into_opt())
}

const PRICE: &str = "select 4 where ? = 'pear'";

#[test]
fn pears() {
    use_cassette(cassette!(), || {
        let sql = if asks("pears") { "select 5 where ? = 'pear'" } else { PRICE };
        assert_eq!(price(sql, "pear").expect("a price"), Some(4));
    });
}

#[test]
fn plums() -> Result<(), odbc_api::Error> {
    use_cassette(cassette!(), || {
        assert_eq!(price(PRICE, "plum")?, None);
        if !asks("left out") {
            price(PRICE, "apple")?;
        }
        Ok(())
    })
}

#[test]
fn no_database() {
    use_cassette(cassette!(), || ());
}

#[test]
fn an_error_is_swallowed() {
    use_cassette(Cassette::new("cassettes/by_name").setting("Order", "connection"), || {
        let _ = price(if asks("swallowed") { "select 7, ?" } else { "select 6, ?" }, "pear");
    });
}

#[test]
fn may_fail() -> Result<(), odbc_api::Error> {
    use_cassette("cassettes/fails", || {
        let sql = if asks("fail") { "select 8 from no_such_table where ? = 1" } else { "select 9 where ? = 'pear'" };
        price(sql, "pear").map(|price| assert_eq!(price, Some(9)))
    })
}

mod nested {
    use super::*;

    #[test]
    fn one_in_another() {
        use_cassette(cassette!(), || {
            price(PRICE, "outer").expect("a price");
            use_cassette("cassettes/inner", || drop(price(PRICE, "inner").expect("a price")));
        });
    }
}
