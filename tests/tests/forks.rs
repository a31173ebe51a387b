//! Children forked by a process that is connected: they go on with its connection, or open their own, as they do bare.

use super8_tests::compare::assert_same;
use super8_tests::driver::Driver;
use super8_tests::outcome::Outcome;
use super8_tests::program::Program;
use super8_tests::ways::{Stage, Way};

/// Runs the program bare, and recorded and replayed by `super8`, in both formats.
fn wrapped(program: &Program, driver: Driver) {
    let stage = Stage::new(&format!("forks {}", program.name()), driver);
    let bare = stage.run(Way::Bare, program);
    let what = format!("{} over {}", program.name(), driver.library());
    program.check(&what, &bare);
    stage.in_both_formats(|stage| {
        for verb in ["record", "replay"] {
            let outcome = stage.wrapped(verb, program);
            // super8 says on standard error what it has recovered: children end with _exit
            let told = Outcome { stderr: bare.stderr.clone(), ..outcome.clone() };
            assert_same(&format!("{what}\n{}", outcome.errors()), ("bare", &bare), (verb, &told));
        }
    });
}

#[test]
fn children_of_c_programs() {
    for driver in [Driver::Sqlite, Driver::PostgresUnicode, Driver::PostgresAnsi, Driver::MariaDb] {
        wrapped(&Program::c("forked.c"), driver);
    }
}

#[test]
fn children_of_python_programs() {
    for driver in [Driver::Sqlite, Driver::PostgresUnicode, Driver::MariaDb] {
        wrapped(&Program::python("forked.py"), driver);
    }
}
