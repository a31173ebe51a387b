//! `super8 record 'tapes/%t' -- pytest`, with pyodbc and a project that knows nothing of super8: recorded once with the database,
//! replayed without it in every way people run tests.

use super8_tests::driver::Driver;
use super8_tests::outcome::Outcome;
use super8_tests::program::Program;
use super8_tests::ways::Stage;

const TESTS: [&str; 11] = [
    "tests/test_books.py::test_a_book_is_sold[5]",
    "tests/test_books.py::test_a_book_is_sold[7]",
    "tests/test_books.py::test_a_book_is_sold[11]",
    "tests/test_books.py::test_prices",
    "tests/test_books.py::test_types",
    "tests/test_books.py::test_the_server_is_known",
    "tests/test_engine.py::test_one_connection_for_all[0]",
    "tests/test_engine.py::test_one_connection_for_all[1]",
    "tests/test_engine.py::test_one_connection_for_all[2]",
    "tests/test_engine.py::test_one_connection_for_all[3]",
    "tests/test_engine.py::test_a_transaction",
];

/// An order of the tests that only the seed decides.
fn shuffled(seed: u64) -> Vec<&'static str> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut tests = TESTS.to_vec();
    for at in (1..tests.len()).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        tests.swap(at, (state % (at as u64 + 1)) as usize);
    }
    tests
}

fn run(stage: &Stage, verb: &str, arguments: &[&str]) -> Outcome {
    stage.wrapped(verb, &Program::pytest("books", arguments))
}

#[track_caller]
fn passes(stage: &Stage, verb: &str, arguments: &[&str], count: usize) {
    let outcome = run(stage, verb, arguments);
    let told = String::from_utf8_lossy(&outcome.all()).into_owned();
    assert!(outcome.succeeded() && outcome.text().contains(&format!("{count} passed")), "{arguments:?}\n{told}");
}

fn in_every_way(driver: Driver, orders: u64) {
    let mut stage = Stage::new("books", driver);
    let tapes = stage.scratch.join("tapes").join("%t");
    stage = stage.with_cassette(tapes);
    passes(&stage, "record", &[], TESTS.len());
    passes(&stage, "replay", &[], TESTS.len());
    for test in TESTS {
        passes(&stage, "replay", &[test], 1);
    }
    let reversed: Vec<&str> = TESTS.into_iter().rev().collect();
    passes(&stage, "replay", &reversed, TESTS.len());
    for seed in 0..orders {
        passes(&stage, "replay", &shuffled(seed), TESTS.len());
    }
    for workers in ["-n2", "-n4"] {
        passes(&stage, "replay", &[workers], TESTS.len());
    }
    for change in ["CHANGED", "LEFT_OUT", "EXTRA"] {
        stage.environment.push((change, "yes".into()));
        for arguments in [&[][..], &reversed, &["-n2"]] {
            let outcome = run(&stage, "replay", arguments);
            assert!(!outcome.succeeded(), "{change} {arguments:?}: {}", outcome.text());
        }
        stage.environment.pop();
    }
}

#[test]
fn on_sqlite() {
    in_every_way(Driver::Sqlite, 20);
}

#[test]
fn on_postgres() {
    in_every_way(Driver::PostgresUnicode, 5);
}

#[test]
fn on_mariadb() {
    in_every_way(Driver::MariaDb, 5);
}
