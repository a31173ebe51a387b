//! A cassette recorded under one driver manager replays under another: Debian's unixODBC 2.3.11 and 2.3.14, which asks
//! other questions, and keeps connections in a pool by another rule.

use super8_tests::compare::assert_same;
use super8_tests::driver::Driver;
use super8_tests::program::Program;
use super8_tests::ways::{Stage, Way};

/// What a replay prints is what the same program prints bare, whichever manager's program recorded.
fn across(driver: Driver, recording: &Program, replaying: &Program) {
    let mut stage = Stage::new("managers", driver);
    // kept in a pool, where a program asks for one
    stage.section = vec![("CPTimeout", "60".into())];
    let bare = stage.run(Way::Bare, replaying);
    replaying.check("bare", &bare);
    stage.in_both_formats(|stage| {
        recording.check("record", &stage.run(Way::Record, recording));
        let replayed = stage.run(Way::Replay, replaying);
        let what = format!("recorded by {}, replayed by {}", recording.name(), replaying.name());
        assert_same(&what, ("bare", &bare), ("replayed", &replayed));
    });
}

#[test]
fn the_newer_manager_in_all_four_ways() {
    for driver in [Driver::Sqlite, Driver::PostgresUnicode] {
        Stage::new("newer", driver).four_ways(&Program::newer_manager());
        Stage::new("newer", driver).four_ways(&Program::newer_manager().with_argument("pooled"));
    }
}

#[test]
fn recorded_under_the_older() {
    for driver in [Driver::Sqlite, Driver::PostgresUnicode, Driver::MariaDb] {
        across(driver, &Program::odbc_api(), &Program::newer_manager());
    }
}

#[test]
fn recorded_under_the_newer() {
    for driver in [Driver::Sqlite, Driver::PostgresUnicode, Driver::MariaDb] {
        across(driver, &Program::newer_manager(), &Program::odbc_api());
    }
}

/// From 2.3.12 on a program may ask for a pool, and so decides how often the driver is connected to.
#[test]
fn recorded_under_the_older_without_a_pool_replayed_under_the_newer_with_one() {
    for driver in [Driver::Sqlite, Driver::PostgresUnicode, Driver::MariaDb] {
        across(driver, &Program::odbc_api(), &Program::newer_manager().with_argument("pooled"));
    }
}

#[test]
fn recorded_under_the_newer_with_a_pool_replayed_under_the_older_without_one() {
    for driver in [Driver::Sqlite, Driver::PostgresUnicode, Driver::MariaDb] {
        across(driver, &Program::newer_manager().with_argument("pooled"), &Program::odbc_api());
    }
}
