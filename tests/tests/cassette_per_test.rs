//! A suite of tests is recorded once, in one process. Then its tests run alone, in another order, or all: each cassette
//! stands alone, whatever a client library asks only once in a process.

use super8_tests::compare::assert_same;
use super8_tests::driver::Driver;
use super8_tests::format::in_both_formats;
use super8_tests::outcome::Outcome;
use super8_tests::program::Program;
use super8_tests::ways::{Stage, Way};

const TESTS: [&str; 4] = ["counting", "parameters", "types", "information"];

fn suite(tests: &[&str]) -> Program {
    Program::python("suite.py").with_argument(tests.join(","))
}

/// The lines of these tests out of what the whole suite printed.
fn lines(whole: &Outcome, tests: &[&str]) -> Vec<String> {
    let text = whole.text();
    let line = |test: &&str| text.lines().find(|line| line.starts_with(test)).map(str::to_owned);
    tests.iter().map(|test| line(test).unwrap_or_else(|| panic!("{test} printed nothing"))).collect()
}

/// Every order of four tests, and each of them alone.
fn selections() -> Vec<Vec<&'static str>> {
    let mut all: Vec<Vec<&str>> = TESTS.iter().map(|test| vec![*test]).collect();
    for first in 0..4 {
        for second in 0..4 {
            for third in 0..4 {
                let order = [first, second, third, 6_usize.saturating_sub(first + second + third)];
                let distinct = (0..4).all(|number| order.contains(&number));
                all.extend(distinct.then(|| order.iter().map(|number| TESTS[*number]).collect()));
            }
        }
    }
    all
}

fn replays_in_every_selection(driver: Driver) {
    in_both_formats(|format| {
        let stage = Stage::new("suite", driver).in_format(format);
        let bare = stage.run(Way::Bare, &suite(&TESTS));
        suite(&TESTS).check("bare", &bare);
        let recorded = stage.run(Way::Record, &suite(&TESTS));
        assert_same("the suite", ("bare", &bare), ("recorded", &recorded));
        let selections = selections();
        assert_eq!(selections.len(), 4 + 24);
        for tests in selections {
            let replayed = stage.run(Way::Replay, &suite(&tests));
            suite(&tests).check(&format!("{tests:?} replayed"), &replayed);
            let told: Vec<String> = replayed.text().lines().map(str::to_owned).take(tests.len()).collect();
            assert_eq!(told, lines(&bare, &tests), "{tests:?}");
        }
    });
}

#[test]
fn on_sqlite() {
    replays_in_every_selection(Driver::Sqlite);
}

#[test]
fn on_postgres() {
    replays_in_every_selection(Driver::PostgresUnicode);
}

#[test]
fn on_mariadb() {
    replays_in_every_selection(Driver::MariaDb);
}

/// A ping that super8.yml names is served as often as it comes, whatever was recorded; without that it is a mismatch.
#[test]
fn a_pools_pings_are_answers_where_they_are_named() {
    let pings = |count: u32| Program::python("pings.py").with_argument(count.to_string());
    for driver in [Driver::Sqlite, Driver::PostgresUnicode, Driver::MariaDb] {
        in_both_formats(|format| {
            let stage = Stage::new("pings", driver).in_format(format);
            let rules = stage.scratch.join("work").join("super8.yml");
            std::fs::write(&rules, "answers:\n  - sql: '^select 1$'\n  - sql: '^select 1 where'\n").unwrap();
            let recorded = stage.run(Way::Record, &pings(2));
            pings(2).check("recorded", &recorded);
            // the cassette knows by itself which they are
            std::fs::remove_file(&rules).unwrap();
            for count in [2, 0, 1, 5] {
                let replayed = stage.run(Way::Replay, &pings(count));
                assert_same(&format!("{count} pings"), ("recorded", &recorded), ("replayed", &replayed));
            }
            let stage = Stage::new("pings2", driver).in_format(format);
            pings(2).check("recorded without a name", &stage.run(Way::Record, &pings(2)));
            let replayed = stage.run(Way::Replay, &pings(3));
            assert!(!replayed.succeeded() && replayed.errors().contains("replay mismatch"), "{}", replayed.errors());
        });
    }
}
