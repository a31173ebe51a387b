//! Recordings that do not end well: killed, left by `_exit`, left without a disconnect.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use super8_tests::cassette_files::{files, names};
use super8_tests::compare::assert_same;
use super8_tests::driver::Driver;
use super8_tests::format::Format;
use super8_tests::program::Program;
use super8_tests::trap::Trap;
use super8_tests::ways::{Stage, Way};

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
