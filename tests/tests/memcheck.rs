//! The C programs under valgrind's memcheck, recorded and replayed: no error and no leak is super8's own.
//!
//! `SUPER8_TEST_MEMCHECK=all` runs all of them over SQLite, PostgreSQL, MariaDB and the test driver, which takes an hour;
//! `SUPER8_TEST_MEMCHECK=params.c,mariadb` those that are named, over the databases that are named. Each run is told when it ends,
//! with its faults.

use std::io::Write as _;
use super8_tests::driver::Driver;
use super8_tests::products;
use super8_tests::program::{DONE, Program};
use super8_tests::valgrind::faults;
use super8_tests::ways::{Stage, Way};

/// Those that go through most of super8's reading and writing of application memory.
const CHOSEN: [&str; 8] = [
    "bound_lengths.c",
    "get_data.c",
    "params.c",
    "param_arrays.c",
    "at_execution.c",
    "descriptors.c",
    "number_widths.c",
    "small_buffers.c",
];

/// What programs are told that do one thing of several, or need to be told how much.
const ARGUMENTS: [(&str, &str); 13] = [
    ("both_widths.c", "wide"),
    ("exit_handlers.c", "atexit"),
    ("guarded_output.c", "0"),
    ("many_connections.c", "8l4i4t,1"),
    ("missing_functions.c", "driver_connect,3"),
    ("nulls.c", "3,170"),
    ("own_password.c", "1"),
    ("rooms.c", "0,3,7,20,100"),
    ("sessions.c", "0"),
    ("set_and_asked.c", "42"),
    ("shared_connection.c", "3"),
    ("steps.c", "same"),
    ("threads.c", "same"),
];

/// What is not run over a driver: SQLite's leaves out the terminator of a text that has just room, and whether one is there can only
/// be seen where it would be.
const LEFT_OUT: [(&str, Driver); 1] = [("both_widths.c", Driver::Sqlite)];

/// Where all of them run.
const DRIVERS: [Driver; 4] = [Driver::Sqlite, Driver::PostgresUnicode, Driver::MariaDb, Driver::Test];

fn program(source: &'static str) -> Program {
    let argument = ARGUMENTS.iter().find(|(program, _)| *program == source);
    argument.into_iter().fold(Program::c(source), |program, (_, argument)| program.with_argument(*argument))
}

/// Whether a program says at its end that everything was asked.
fn works(source: &std::path::Path) -> bool {
    std::fs::read_to_string(source).is_ok_and(|text| text.contains("done();") || text.contains(DONE))
}

fn every_program() -> Vec<&'static str> {
    let directory = products::repository().join("tests/programs/c");
    let files = std::fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let names = files.flatten().map(|file| file.file_name().to_string_lossy().into_owned());
    let mut programs: Vec<&'static str> = names
        // what a forked child does is put into parts by `super8`, the command; growth.c does everything ten thousand times
        .filter(|name| name.ends_with(".c") && !["forked.c", "growth.c"].contains(&name.as_str()))
        .filter(|name| works(&directory.join(name)))
        .map(|name| &*Box::leak(name.into_boxed_str()))
        .collect();
    programs.sort_unstable();
    programs
}

/// Records and replays a program under memcheck; what super8 did wrong.
fn check(source: &'static str, driver: Driver) -> Vec<String> {
    let stage = Stage::new(&format!("memcheck-{}", source.trim_end_matches(".c")), driver);
    let bare = stage.run(Way::Bare, &program(source));
    // A program for databases goes on where the test driver refuses what it needs.
    let refused = driver.is_ours() && bare.text().contains("create table") && bare.text().contains("no such directive");
    if refused || !(bare.succeeded() && bare.text().contains(DONE)) {
        // It needs the test driver, or arguments of its own test.
        say(&format!("{source} does no work over {}: not run under memcheck", driver.library()));
        assert!(driver.is_ours() || !CHOSEN.contains(&source), "{source} is chosen");
        return Vec::new();
    }
    let run = |way: Way, name: &str| {
        let report = stage.scratch.join(format!("{name}.xml"));
        let outcome = stage.run(way, &program(source).under_memcheck(report.clone()));
        (outcome, faults(&report))
    };
    let (recorded, mut found) = run(Way::Record, "record");
    let what = format!("{source} over {} under memcheck", driver.library());
    if !recorded.text().contains(DONE) {
        found.push(format!("it did not end when it was recorded:\n{}", recorded.text()));
        return found.into_iter().map(|fault| format!("{what}: {fault}")).collect();
    }
    let (replayed, further) = run(Way::Replay, "replay");
    found.extend(further);
    if !replayed.text().contains(DONE) {
        found.push(format!("it did not end when it was replayed:\n{}", replayed.text()));
    }
    found.into_iter().map(|fault| format!("{what}: {fault}")).collect()
}

/// Says something at once: what a test prints is held back until it ends.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// The runs that `SUPER8_TEST_MEMCHECK` names.
///
/// # Panics
/// A word that is neither a program nor a database.
fn named(words: &str) -> Vec<(&'static str, Driver)> {
    let every = every_program();
    let words: Vec<&str> = words.split(',').filter(|word| *word != "all").collect();
    let programs: Vec<&'static str> = every.iter().copied().filter(|program| words.contains(program)).collect();
    let drivers: Vec<Driver> = DRIVERS.into_iter().filter(|driver| words.contains(&driver.label())).collect();
    assert_eq!(programs.len() + drivers.len(), words.len(), "programs and databases are: {every:?} {DRIVERS:?}");
    let programs = if programs.is_empty() { every } else { programs };
    let drivers = if drivers.is_empty() { DRIVERS.to_vec() } else { drivers };
    let runs = drivers.into_iter().flat_map(|driver| programs.iter().map(move |source| (*source, driver)));
    runs.filter(|run| !LEFT_OUT.contains(run)).collect()
}

#[test]
fn no_error_and_no_leak() {
    let runs: Vec<(&str, Driver)> = match std::env::var("SUPER8_TEST_MEMCHECK") {
        Ok(words) => named(&words),
        Err(_) => {
            let database = [Driver::PostgresUnicode, Driver::MariaDb].map(|driver| ("bound_lengths.c", driver));
            CHOSEN.map(|source| (source, Driver::Sqlite)).into_iter().chain(database).collect()
        }
    };
    let checked = |(source, driver): (&'static str, Driver)| {
        let found = check(source, driver);
        say(&format!("{source} over {}: {} faults", driver.library(), found.len()));
        found.iter().for_each(|fault| say(fault));
        found
    };
    let found: Vec<String> = runs.into_iter().flat_map(checked).collect();
    assert!(found.is_empty(), "{} faults of super8's:\n{}", found.len(), found.join("\n"));
}
