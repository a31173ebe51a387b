//! A Rust application on odbc-api: blocks of rows and arrays of parameters through the Unicode functions.

use super8_tests::driver::Driver;
use super8_tests::program::Program;
use super8_tests::ways::four_ways;

#[test]
fn on_sqlite() {
    four_ways(&Program::odbc_api(), Driver::Sqlite);
}

#[test]
fn on_postgres() {
    four_ways(&Program::odbc_api(), Driver::PostgresUnicode);
}

#[test]
fn on_mariadb() {
    four_ways(&Program::odbc_api(), Driver::MariaDb);
}
