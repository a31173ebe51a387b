//! Functions that the driver lacks: a program gets what the driver manager alone would have made of the call.

use super8_tests::driver::Driver;
use super8_tests::program::Program;
use super8_tests::ways::Stage;

/// Connects in every way a program can, as an application of ODBC 3 and of ODBC 2.
fn in_every_width(driver: Driver) {
    let more = if driver == Driver::AccessAnsi { ",no_wide_attribute" } else { "" };
    let ways = ["connect", "connect_wide", "driver_connect", "driver_connect_wide"];
    for connect in &ways[..if more.is_empty() { 4 } else { 3 }] {
        for version in ["3", "2"] {
            let stage = Stage::new(&format!("{}{version}", connect.replace("connect", "c")), driver);
            stage.four_ways(&Program::c("missing_functions.c").with_argument(format!("{connect},{version}{more}")));
        }
    }
}

/// It connects through Unicode functions, and has SQLTables, SQLGetTypeInfo and most others in ANSI only, ODBC 2's options in
/// place of attributes, and no SQLGetDiagRec.
#[test]
fn of_a_driver_for_access_files() {
    in_every_width(Driver::Access);
}

/// The same driver without Unicode functions: libsuper8a.so stands before it. It does not write the completed connection string, and
/// unixODBC makes wide characters of what it finds in its own buffer, so that way to connect is left out.
#[test]
fn of_an_ansi_driver_for_access_files() {
    in_every_width(Driver::AccessAnsi);
}

#[test]
fn of_a_driver_with_some_unicode_functions() {
    in_every_width(Driver::TestPartly);
}

#[test]
fn of_a_driver_with_unicode_functions_alone() {
    in_every_width(Driver::TestWide);
}

/// None of them has ODBC 2's SQLGetConnectOption and its like in both widths.
#[test]
fn of_odbc2_on_sqlite() {
    in_every_width(Driver::Sqlite);
}

#[test]
fn of_odbc2_on_postgres() {
    in_every_width(Driver::PostgresUnicode);
}

#[test]
fn of_odbc2_on_postgres_ansi() {
    in_every_width(Driver::PostgresAnsi);
}

#[test]
fn of_odbc2_on_mariadb() {
    in_every_width(Driver::MariaDb);
}
