//! The C interface for test frameworks, from Python's ctypes and Ruby's Fiddle: a cassette for each test of one process.

use super8_tests::cassette_files::names;
use super8_tests::driver::Driver;
use super8_tests::format::{Format, in_both_formats};
use super8_tests::outcome::Outcome;
use super8_tests::products::{self, Library};
use super8_tests::program::Program;
use super8_tests::ways::{Stage, Way};

/// Runs `program` in `mode`, with the driver or without; the environment says nothing of cassettes.
fn run(stage: &Stage, way: Way, program: fn(&str) -> Program, script: &str, mode: &str) -> Outcome {
    run_by(stage.driver.shim(), stage, way, program, script, mode)
}

/// The same, calling the functions of this library.
fn run_by(
    library: Library,
    stage: &Stage,
    way: Way,
    program: fn(&str) -> Program,
    script: &str,
    mode: &str,
) -> Outcome {
    let library = library.path().display().to_string();
    let program = program(script).with_argument(mode).with_argument(library);
    let outcome = stage.run(way, &program);
    program.check(mode, &outcome);
    outcome
}

fn stage(format: Format, subject: &str, driver: Driver) -> Stage {
    let mut stage = Stage::new(subject, driver).in_format(format);
    stage.environment = vec![("SUPER8_MODE", String::new()), ("SUPER8_CASSETTE", String::new())];
    stage
}

#[test]
fn from_python() {
    in_both_formats(|format| {
        for driver in [Driver::Sqlite, Driver::PostgresUnicode] {
            let stage = stage(format, "ctypes", driver);
            let recorded = run(&stage, Way::Off, Program::python, "inserted.py", "record");
            let cassettes = stage.scratch.join("work/cassettes");
            for name in ["one", "two", "inner", "left", "right"] {
                assert!(names(&cassettes.join(name)).contains(&format.log(name)), "no cassette {name}");
            }
            let named = super8_cassette::open(&cassettes.join("test_a.py/test_b"));
            let test = named.and_then(|cassette| cassette.metadata()).map(|metadata| metadata.test);
            assert_eq!(test.unwrap_or_else(|error| panic!("{error}")).as_deref(), Some("test_a.py::test_b"));
            let replayed = run(&stage, Way::Replay, Program::python, "inserted.py", "replay");
            let told = replayed.text();
            assert!(told.starts_with(recorded.text().trim_end_matches("done: everything was asked\n")), "{told}");
            for line in [
                "left True",
                "unplayed True",
                "swallowed True",
                "mismatch True",
                "not replayed True",
                "no cassette True",
            ] {
                assert!(told.lines().any(|told| told == line), "`{line}` is missing:\n{told}");
            }
            assert!(told.contains("from the beginning [2, 22]"), "{told}");
            assert!(told.contains("by the other library [2, 22, 0, 0]"), "{told}");
        }
    });
}

#[test]
fn from_ruby() {
    in_both_formats(|format| {
        let stage = stage(format, "fiddle", Driver::Sqlite);
        let recorded = run(&stage, Way::Off, Program::ruby, "inserted.rb", "record");
        let replayed = run(&stage, Way::Replay, Program::ruby, "inserted.rb", "replay");
        let told = replayed.text();
        assert!(told.starts_with(recorded.text().trim_end_matches("done: everything was asked\n")), "{told}");
        for line in ["left: true", "unplayed: true", "swallowed", "mismatch: true", "again: [\"2\"]"] {
            assert!(told.lines().any(|told| told == line), "`{line}` is missing:\n{told}");
        }
    });
}

/// The functions of libsuper8.so are for connections through libsuper8a.so, too, and the reverse.
#[test]
fn of_the_library_for_the_other_kind_of_driver() {
    in_both_formats(|format| {
        for (driver, other) in [(Driver::Sqlite, Library::Unicode), (Driver::PostgresUnicode, Library::Ansi)] {
            let stage = stage(format, "other_library", driver);
            let recorded = run_by(other, &stage, Way::Off, Program::python, "inserted.py", "record");
            let cassettes = stage.scratch.join("work/cassettes");
            for name in ["one", "two", "inner", "left", "right"] {
                assert!(names(&cassettes.join(name)).contains(&format.log(name)), "no cassette {name}");
            }
            let replayed = run_by(other, &stage, Way::Replay, Program::python, "inserted.py", "replay").text();
            let told = recorded.text();
            assert!(replayed.starts_with(told.trim_end_matches("done: everything was asked\n")), "{replayed}");
            assert!(replayed.lines().any(|told| told == "mismatch True"), "{replayed}");
        }
    });
}

/// A test that fails replaces nothing, one that uses no database is told, and all are recorded again by a word outside of them.
#[test]
fn discarded() {
    in_both_formats(|format| {
        for driver in [Driver::Sqlite, Driver::PostgresUnicode, Driver::MariaDb] {
            let stage = stage(format, "discarded", driver);
            let recorded = run(&stage, Way::Off, Program::python, "discarded.py", "record").text();
            for line in [
                "kept [True, False]",
                "set aside [False, True]",
                "after 4",
                "nothing there [True, True, False]",
                "in its place True",
                "set aside no more True",
                "not a person's own ['note.txt']",
                "not recorded [-1, True]",
                "nothing connected [0, 3, True]",
                "replaced [False, True]",
                "misspelt True",
            ] {
                assert!(recorded.lines().any(|told| told == line), "`{line}` is missing:\n{recorded}");
            }
            let replayed = run(&stage, Way::Replay, Program::python, "discarded.py", "replay").text();
            assert!(replayed.contains("replaced [False, True]") && replayed.contains("again 5"), "{replayed}");
        }
    });
}

/// A connection goes on in the cassette that is inserted next, and says so where it cannot.
#[test]
fn outlived() {
    in_both_formats(|format| {
        for driver in [Driver::Sqlite, Driver::PostgresUnicode, Driver::MariaDb] {
            let stage = stage(format, "outlived", driver);
            let recorded = run(&stage, Way::Off, Program::python, "outlived.py", "record");
            let told = recorded.errors();
            let where_it_stays = "cassettes/third is used by ";
            assert!(told.contains(where_it_stays) && told.contains("cassettes/not_reached in the middle of"), "{told}");
            assert_eq!(told.matches("in the middle of").count(), 1, "{told}");
            let cassettes = stage.scratch.join("work/cassettes");
            for name in ["first", "second", "inner", "third", "fourth", "fifth", "of_ada", "of_bob"] {
                assert!(names(&cassettes.join(name)).contains(&format.log(name)), "no cassette {name}");
            }
            assert!(!cassettes.join("not_reached").exists());
            let log = super8_tests::cassette_files::commands(&cassettes.join("seventh"));
            let catalog = if driver == Driver::MariaDb { "information_schema" } else { "" };
            for part in ["continued: true", "attribute: autocommit", "attribute: txn_isolation", catalog] {
                assert!(log.contains(part), "{part}: {log}");
            }
            let replayed = run(&stage, Way::Replay, Program::python, "outlived.py", "replay");
            assert_eq!(replayed.text(), recorded.text());
        }
    });
}

/// The page shows the very code that runs above, and all of the header.
#[test]
fn the_page_shows_what_is_tested() {
    let read = |name: &str| std::fs::read_to_string(products::repository().join(name)).unwrap_or_default();
    let page = read("docs/c-interface.md");
    for (language, file) in
        [("python", "tests/programs/python/super8_cassettes.py"), ("ruby", "tests/programs/ruby/super8_cassettes.rb")]
    {
        let block = format!("```{language}\n{}```\n", read(file));
        assert!(page.contains(&block), "docs/c-interface.md does not have {file} as it is");
    }
}
