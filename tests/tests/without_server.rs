//! Drivers that no server in Debian answers: they load, are the same with super8 off, and their failing connects are recorded and
//! replayed with all that they say.

use super8_tests::cassette_files::{files, leaks};
use super8_tests::driver::Driver;
use super8_tests::program::Program;
use super8_tests::ways::Stage;

fn fails_the_same(driver: Driver) {
    let mut stage = Stage::new("no_server", driver);
    stage.database.make_unreachable();
    let outcome = stage.four_ways(&Program::c("no_server.c"));
    let text = outcome.text();
    assert!(text.contains("SQLDriverConnect -> ERROR") && text.contains("SQLConnect -> ERROR"), "{text}");
    // The token as text, and as bytes in hexadecimal digits.
    for secret in ["Walrus9kite-17", "token-of-user", "74006f006b0065006e00", "74006F006B0065006E00", "t\0o\0k\0e\0n\0"]
    {
        let found = leaks(&files(&stage.cassette()), secret);
        assert!(found.is_empty(), "{secret} reached the cassette: {found:?}");
    }
}

#[test]
fn sql_server() {
    fails_the_same(Driver::SqlServer);
}

#[test]
fn db2() {
    fails_the_same(Driver::Db2);
}

#[test]
fn freetds() {
    fails_the_same(Driver::FreeTds);
}

#[test]
fn by_pyodbc() {
    for driver in [Driver::SqlServer, Driver::Db2, Driver::FreeTds] {
        let mut stage = Stage::new("no_server", driver);
        stage.database.make_unreachable();
        stage.four_ways(&Program::python("no_server.py"));
    }
}
