//! pyodbc: a Unicode application of ODBC 3 that asks much and frees late.

use super8_tests::driver::Driver;
use super8_tests::program::Program;
use super8_tests::ways::four_ways;

macro_rules! on_every_database {
    ($($module:ident $script:literal,)*) => {$(
        mod $module {
            use super::*;

            #[test]
            fn on_sqlite() {
                four_ways(&Program::python($script), Driver::Sqlite);
            }

            #[test]
            fn on_postgres() {
                four_ways(&Program::python($script), Driver::PostgresUnicode);
            }

            #[test]
            fn on_mariadb() {
                four_ways(&Program::python($script), Driver::MariaDb);
            }
        }
    )*};
}

on_every_database! {
    values "values.py",
    long_values "long_values.py",
    pieces "pieces.py",
    batches "batches.py",
    catalog "catalog.py",
    transactions "transactions.py",
    connections "connections.py",
    no_pooling "no_pooling.py",
}

#[test]
fn values_on_postgres_ansi() {
    four_ways(&Program::python("values.py"), Driver::PostgresAnsi);
}
