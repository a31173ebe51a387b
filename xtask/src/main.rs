//! The project's chores, one per word: `cargo xtask test` and the others. Each does its own set-up on a bare Debian.

mod bench;
mod demo;
mod docs;
mod narration;
mod process;
mod setup;
mod suites;
mod test;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask WORD

  test    install what is missing, check format and lints, run every test
  suites  run psqlodbc's, pyodbc's and DBD::ODBC's own tests four ways (--help tells more)
  demo    record a Python program on SQLite, take driver and database away, replay it
  bench   measure super8 against the bare driver (words after it go to the bench)
  docs    write docs/functions.md anew from the table of functions (--check: only compare)
  setup   install the Debian packages and the Python environment the others need
";

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let word = words.next().unwrap_or_default();
    let rest: Vec<String> = words.collect();
    let done = match word.as_str() {
        "test" => test::test(&rest),
        "demo" => demo::demo(),
        "bench" => bench::bench(&rest),
        "docs" => docs::docs(&rest),
        "suites" => suites::suites(&rest),
        "setup" => setup::setup(),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("\ncargo xtask {word}: {reason}");
            ExitCode::FAILURE
        }
    }
}
