//! Recordings that do not end well: killed, left by `_exit`, left without a disconnect.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use super8_tests::cassette_files::{files, names};
use super8_tests::compare::assert_same;
use super8_tests::driver::Driver;
use super8_tests::format::Format;
use super8_tests::outcome::Outcome;
use super8_tests::products;
use super8_tests::program::Program;
use super8_tests::trap::Trap;
use super8_tests::ways::{Stage, Way};

const KILLED: &str = "signal: 9 (SIGKILL)";

#[test]
fn kill_9_leaves_the_previous_cassette_as_it_was() {
    Stage::new("killed", Driver::Sqlite).in_both_formats(killed_beside_a_cassette);
}

fn killed_beside_a_cassette(stage: &Stage) {
    let whole = Program::c("steps.c").with_argument("same");
    let recorded = stage.run(Way::Record, &whole);
    whole.check("record", &recorded);
    let before = files(&stage.cassette());

    kill_in_the_middle(stage);
    let published = |(path, _): &(PathBuf, Vec<u8>)| !path.display().to_string().ends_with("super8-recording");
    let after: Vec<_> = files(&stage.cassette()).into_iter().filter(published).collect();
    assert!(after == before, "a recording that was killed changed the cassette it would replace");
    assert_same("after the kill", ("recorded", &recorded), ("replayed", &stage.run(Way::Replay, &whole)));

    // The killed recording is in nobody's way; that it is dropped may be said.
    let again = stage.run(Way::Record, &whole);
    whole.check("recorded after the kill", &again);
    assert_eq!(again.text(), recorded.text());
    assert_same("replayed after that", ("first", &recorded), ("replayed", &stage.run(Way::Replay, &whole)));
}

#[test]
fn a_first_recording_that_was_killed_is_not_replayed_as_a_whole_one() {
    Stage::new("killed_first", Driver::Sqlite).in_both_formats(killed_alone);
}

fn killed_alone(stage: &Stage) {
    kill_in_the_middle(stage);
    let replayed = stage.run(Way::Replay, &Program::c("steps.c").with_argument("same"));
    assert!(!replayed.succeeded(), "half a recording was replayed:\n{}", replayed.text());
    assert!(replayed.text().contains("[super8]"), "who refused?\n{}", replayed.text());
    let staged = staged_files(stage.scratch.path());
    let left = if stage.format.get() == Format::Yaml { "commands.yml" } else { ".ndjson.super8-recording" };
    assert!(staged.iter().any(|name| name.ends_with(left)), "nothing to recover in {staged:?}");
}

/// A driver manager's exit, or a program's, calls no driver: the cassette must be there all the same.
#[test]
fn leaving_without_a_disconnect_publishes_the_cassette() {
    Stage::new("left", Driver::Sqlite).in_both_formats(|stage| {
        let program = Program::c("steps.c").with_argument("leave");
        let recorded = stage.run(Way::Record, &program);
        let there = names(&stage.cassette());
        assert!(there.iter().any(|name| name == "commands.yml" || name.ends_with(".ndjson")), "{there:?}");
        assert_same("left open", ("recorded", &recorded), ("replayed", &stage.run(Way::Replay, &program)));
    });
}

/// Killed, or gone by _exit, at row 30,000 of a result: all of them are recovered but those that had not filled a block of 64 KiB,
/// and replayed.
fn rows_are_recovered(program: &Program, driver: Driver, block: u32, ends: &str) {
    let stage = Stage::new(&format!("killed_{}", program.name()), driver);
    stage.in_both_formats(|stage| {
        let recorded = stage.run(Way::Record, program);
        assert_eq!(recorded.status, ends, "{}", recorded.text());

        let cassette = stage.cassette().display().to_string();
        let super8 = |words: &[&str]| {
            let mut command = Command::new(products::super8());
            command.args(words).arg(&cassette);
            Outcome::of(&command, b"")
        };
        let recovered = super8(&["recover"]);
        let count = |text: &str, before: &str| -> u32 {
            let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no `{before}` in {text}"));
            rest.split_whitespace().next().and_then(|count| count.parse().ok()).unwrap_or_else(|| panic!("{text}"))
        };
        let kept = count(&recovered.text(), "are kept\n  ");
        let lost: usize = (kept + 1..30_000).map(|row| format!("{row},row {row}\n").len()).sum();
        assert!(kept < 30_000 && lost < 64 * 1024, "{kept} rows are kept: {lost} bytes are lost");
        assert!(recovered.succeeded() && !recovered.text().contains("removed"), "{}", recovered.text());
        assert_eq!(super8(&["check"]).text(), "1 checked, nothing found\n");

        let replayed = stage.run(Way::Replay, program);
        assert!(
            replayed.errors().contains("- the recording broke off, and lacks the last rows"),
            "{}",
            replayed.errors()
        );
        let replayed = replayed.text();
        assert_eq!(count(&replayed, "rows: "), kept - kept % block, "whole blocks: {replayed}");
        assert!(replayed.contains("no more rows of") && !replayed.contains(" is ("), "{replayed}");
    });
}

#[test]
fn rows_that_a_killed_program_fetched_are_recovered() {
    for driver in [Driver::Sqlite, Driver::PostgresUnicode] {
        for (how, block) in [("bound", 1), ("block", 100), ("get_data", 1)] {
            rows_are_recovered(&Program::c("killed.c").with_argument(how), driver, block, KILLED);
            let leaves = Program::c("killed.c").with_argument(format!("{how} leaves"));
            rows_are_recovered(&leaves, driver, block, "exit status: 0");
        }
    }
}

#[test]
fn rows_that_a_killed_python_program_fetched_are_recovered() {
    for driver in [Driver::Sqlite, Driver::PostgresUnicode] {
        rows_are_recovered(&Program::python("killed.py"), driver, 1, KILLED);
    }
}

fn kill_in_the_middle(stage: &Stage) {
    stage.database.fresh();
    let waiting = Program::c("steps.c").with_argument("wait");
    let mut command = stage.command(Way::Record, &waiting, &Trap::new());
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap_or_else(|error| panic!("{error}"));
    let output = child.stdout.take().unwrap_or_else(|| panic!("no pipe"));
    let ready = BufReader::new(output).lines().map_while(Result::ok).any(|line| line == "ready to be killed");
    let _ = child.kill(); // SIGKILL
    let _ = child.wait();
    assert!(ready, "the program never came to the middle");
}

fn staged_files(directory: &Path) -> Vec<String> {
    files(directory).into_iter().map(|(path, _)| path.display().to_string()).collect()
}
