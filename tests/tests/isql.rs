//! isql: an ANSI application of ODBC 2, as Debian ships it.

use super8_tests::driver::Driver;
use super8_tests::program::Program;
use super8_tests::ways::four_ways;

/// A session with non-ASCII text, empty results and errors; isql goes on after an error.
fn session(driver: Driver) {
    four_ways(&Program::isql("session.sql", &[], "Łukasz"), driver);
}

#[test]
fn session_on_sqlite() {
    session(Driver::Sqlite);
}

#[test]
fn session_on_postgres() {
    session(Driver::PostgresUnicode);
}

#[test]
fn session_on_postgres_ansi() {
    session(Driver::PostgresAnsi);
}

#[test]
fn session_on_mariadb() {
    session(Driver::MariaDb);
}

/// iusql is the same program as a Unicode application.
#[test]
fn session_of_iusql() {
    for driver in [Driver::Sqlite, Driver::PostgresUnicode, Driver::PostgresAnsi, Driver::MariaDb] {
        four_ways(&Program::iusql("session.sql", &[], "| how many"), driver);
    }
}

#[test]
fn delimited_output_with_column_names() {
    for driver in [Driver::Sqlite, Driver::MariaDb] {
        four_ways(&Program::isql("session.sql", &["-c", "-d|"], "Łukasz"), driver);
    }
}

#[test]
fn tables_and_columns_as_html() {
    four_ways(&Program::isql("help.sql", &["-w", "-m9"], "left"), Driver::Sqlite);
    // MariaDB lists the tables of all databases, which other tests make and drop meanwhile
    four_ways(&Program::isql("columns.sql", &["-w", "-m9"], "left"), Driver::MariaDb);
}
