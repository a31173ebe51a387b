//! The C programs under valgrind's memcheck, recorded and replayed: no error and no leak is super8's own.
//!
//! `SUPER8_TEST_MEMCHECK=all` runs all of them over SQLite, PostgreSQL and MariaDB, which takes half an hour.

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

/// Whether a program says at its end that everything was asked.
fn works(source: &std::path::Path) -> bool {
    std::fs::read_to_string(source).is_ok_and(|text| text.contains("done();") || text.contains(DONE))
}

fn every_program() -> Vec<&'static str> {
    let directory = products::repository().join("tests/programs/c");
    let files = std::fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let names = files.flatten().map(|file| file.file_name().to_string_lossy().into_owned());
    let mut programs: Vec<&'static str> = names
        // what a forked child does is put into parts by `super8`, the command
        .filter(|name| name.ends_with(".c") && name != "forked.c" && works(&directory.join(name)))
        .map(|name| &*Box::leak(name.into_boxed_str()))
        .collect();
    programs.sort_unstable();
    programs
}

/// Records and replays a program under memcheck; what super8 did wrong.
fn check(source: &'static str, driver: Driver) -> Vec<String> {
    let stage = Stage::new(&format!("memcheck-{}", source.trim_end_matches(".c")), driver);
    let bare = stage.run(Way::Bare, &Program::c(source));
    if !(bare.succeeded() && bare.text().contains(DONE)) {
        // It needs the test driver, or arguments of its own test.
        println!("{source} does no work over {}: not run under memcheck", driver.library());
        assert!(!CHOSEN.contains(&source), "{source} is chosen");
        return Vec::new();
    }
    let run = |way: Way, name: &str| {
        let report = stage.scratch.join(format!("{name}.xml"));
        let outcome = stage.run(way, &Program::c(source).under_memcheck(report.clone()));
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
    if recorded.text() != replayed.text() {
        found.push(format!("record and replay differ\n{}\n{}", recorded.text(), replayed.text()));
    }
    found.into_iter().map(|fault| format!("{what}: {fault}")).collect()
}

#[test]
fn no_error_and_no_leak() {
    let all = std::env::var("SUPER8_TEST_MEMCHECK").is_ok_and(|wanted| wanted == "all");
    let mut runs: Vec<(&str, Driver)> = Vec::new();
    if all {
        for driver in [Driver::Sqlite, Driver::PostgresUnicode, Driver::MariaDb] {
            runs.extend(every_program().into_iter().map(|source| (source, driver)));
        }
    } else {
        runs.extend(CHOSEN.map(|source| (source, Driver::Sqlite)));
        runs.extend([Driver::PostgresUnicode, Driver::MariaDb].map(|driver| ("bound_lengths.c", driver)));
    }
    let found: Vec<String> = runs.into_iter().flat_map(|(source, driver)| check(source, driver)).collect();
    assert!(found.is_empty(), "{} faults of super8's:\n{}", found.len(), found.join("\n"));
}
