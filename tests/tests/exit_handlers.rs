//! Programs that work with the database after `main` has ended.

use std::process::Command;
use super8_tests::c_compiler;
use super8_tests::desk::Desk;
use super8_tests::driver::Driver;
use super8_tests::format::in_both_formats;
use super8_tests::outcome::Outcome;
use super8_tests::program::{DONE, Program};
use super8_tests::ways::four_ways;

#[test]
fn the_database_is_used_after_main() {
    for driver in [Driver::Sqlite, Driver::PostgresUnicode, Driver::PostgresAnsi, Driver::MariaDb] {
        for when in ["atexit", "destructor", "begun"] {
            four_ways(&Program::c("exit_handlers.c").with_argument(when), driver);
        }
    }
}

/// Runs `exit_handlers.c` under `super8` with these words.
fn wrapped(desk: &Desk, words: &[&str], when: &str) -> Outcome {
    c_compiler::compiled_library("library_with_destructor.c", "library_with_destructor.so");
    let program = c_compiler::compiled("exit_handlers.c").display().to_string();
    let arguments = ["--", &program, "DSN=shop", "sqlite", "", "shop", "", "", "", when];
    desk.run(&[words, &arguments].concat())
}

#[test]
fn a_correct_run_is_one_whenever_the_program_cleans_up() {
    for when in ["atexit", "destructor", "begun", "two", "library"] {
        in_both_formats(|format| {
            let desk = Desk::new("exit_handlers").in_format(format);
            let recorded = wrapped(&desk, &["record", "--allow-leaks", "tape"], when);
            // the second of two connections stays open, and that which such a library closes is open when super8 ends
            let open = |outcome: &Outcome| outcome.errors().contains("left open: 1 connection\n");
            let said = |outcome: &Outcome| {
                if matches!(when, "two" | "library") { open(outcome) } else { outcome.errors().is_empty() }
            };
            assert!(recorded.status == "exit status: 0" && said(&recorded), "{when}: {}", recorded.errors());
            assert!(recorded.text().contains(DONE), "{when}: {}", recorded.text());
            assert_eq!(desk.run(&["check", "tape"]).text(), "1 checked, nothing found\n", "{when}");
            desk.clear();
            let replayed = wrapped(&desk, &["replay", "--allow-leaks", "tape"], when);
            assert!(replayed.status == "exit status: 0" && said(&replayed), "{when}: {}", replayed.errors());
            assert_eq!(replayed.text(), recorded.text(), "{when}");
        });
    }
}

/// A thread writes until the process is gone: the cassette is complete all the same.
#[test]
fn a_thread_that_goes_on_leaves_a_complete_cassette() {
    in_both_formats(|format| {
        let desk = Desk::new("exit_thread").in_format(format);
        for _ in 0..5 {
            desk.stock();
            let recorded = wrapped(&desk, &["record", "--allow-leaks", "tape"], "thread");
            assert_eq!(recorded.status, "exit status: 0", "{}", recorded.errors());
            let checked = desk.run(&["check", "tape"]);
            assert_eq!(checked.text(), "1 checked, nothing found\n");
        }
    });
}

#[test]
fn the_c_interface_may_be_used_in_an_exit_handler() {
    for driver in [Driver::Sqlite, Driver::PostgresUnicode] {
        let mut command = Command::new(c_compiler::compiled("interface_at_exit.c"));
        let outcome = Outcome::of(command.arg(driver.shim().path()), b"");
        assert_eq!(outcome.status, "exit status: 0", "{}", outcome.errors());
        let text = outcome.text();
        for part in ["at exit, version ", "/usr: not a cassette", "unplayed -> -1", "eject -> 0"] {
            assert!(text.contains(part), "{part} is missing:\n{text}");
        }
        assert!(text.contains("/etc: not a cassette"), "{text}");
    }
}
