//! Interrupted recordings that are made cassettes again.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use crate::support::*;
use super8_cassette::{
    Directory, Fields, Key, MakeAppend, Recorder, Recovered, State, Store, Trace, Value, WriteAppend, recover,
    staging_directory, state,
};
use super8_matching::Fetched;

/// A recording whose process is gone: two statements, the second's rows still being fetched.
fn interrupted(directory: &Path) {
    let recorder = recorder(directory);
    let connection = connected(&recorder, "shop");
    recorder.command(&run(connection, 1, "SELECT 1")).unwrap();
    result(&recorder, connection, 1, &[&["1"], &["2"]]);
    recorder.command(&run(connection, 2, "SELECT 2")).unwrap();
    let rows = recorder.run(connection, 2, true);
    let wide = "w".repeat(10_000);
    for _ in 0..30 {
        row(&rows, &[&wide]);
    }
}

fn plain_append() -> MakeAppend {
    Arc::new(|file| Ok(Box::new(WriteAppend::new(file))))
}

fn append(file: &Path, bytes: &[u8]) {
    OpenOptions::new().append(true).open(file).unwrap().write_all(bytes).unwrap();
}

#[test]
fn what_is_whole_is_kept_and_can_be_played() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    interrupted(&directory);
    let staging = staging_directory(&directory);
    // an entry that was being written, and the space that was set aside
    append(
        &staging.join("commands.yml"),
        b"- method: execute\n  connection_id: a\n  statement_id: 2\n  params: [\"half",
    );
    append(&staging.join("commands.yml"), &[0; 5000]);
    assert!(staging.join("a_2_fetch_all.csv").exists());

    let recovered = recover(&directory).unwrap().unwrap();
    assert_eq!((recovered.entries, recovered.rows, recovered.dropped), (5, 28, Vec::new()));
    assert!(recovered.torn > 60);
    assert_eq!(state(&directory), Ok(State::Complete));
    assert!(!staging.exists());
    let metadata = Directory::read(&directory).unwrap().metadata().unwrap();
    assert!(metadata.complete && metadata.recovered);

    let player = player(&directory);
    player.connect(&connect(A, "shop")).unwrap();
    player.command(&run(A, 1, "SELECT 1")).unwrap();
    assert_eq!(fetch_all(&player, A, 1), [["1"], ["2"]]);
    player.command(&run(A, 2, "SELECT 2")).unwrap();
    let Ok(Fetched::Rows(mut rest)) = player.fetch(A, 2) else { panic!("no rows") };
    assert_eq!(rows(&mut rest), vec![vec!["w".repeat(10_000)]; 28]);
    assert!(!rest.ended(), "nobody knows what came behind the rows");
    assert_eq!(
        names(&directory),
        ["a_1_fetch_all.csv", "a_2_fetch_many.csv", "a_info.yml", "commands.yml", "metadata.yml"]
    );
    assert_eq!(recover(&directory).unwrap(), None, "there is nothing left to do");
}

/// Two statements whose rows are fetched in turn; a row with an outcome and a C type of its own; a column that was first read in
/// a later row; rows beyond 64 KiB that are read after a first part of the result.
fn rows_under_way(recorder: &Arc<Recorder>) {
    let connection = connected(recorder, "shop");
    for statement in [1, 2] {
        recorder.command(&run(connection, statement, &format!("SELECT {statement}"))).unwrap();
    }
    let before = recorder.run(connection, 2, true);
    row(&before, &["x"]);
    row(&before, &["y"]);
    recorder.command(&run(connection, 3, "UPDATE")).unwrap();
    let (second, first) = (recorder.run(connection, 1, true), recorder.run(connection, 2, false));
    let wide = "w".repeat(10_000);
    for number in 1..=30 {
        row(&first, &[&wide]);
        row(&second, &[&wide, "last"][..if number > 9 { 2 } else { 1 }]);
        let mut guard = first.lock();
        if number == 20 || number == 29 {
            guard.outcome(Value::Map(vec![("return".to_owned(), Value::from("SQL_SUCCESS_WITH_INFO"))]));
        }
        if number == 10 {
            guard.c_type(0, "WCHAR");
        }
    }
}

#[test]
fn rows_that_are_on_disk_come_with_all_that_is_said_of_them() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    rows_under_way(&recorder(&directory));
    // a row that was being written
    append(&staging_directory(&directory).join("a_1_fetch_all.csv"), b"half");
    let recovered = recover(&directory).unwrap().unwrap();
    assert_eq!((recovered.entries, recovered.rows, recovered.torn, recovered.dropped), (7, 56, 4, Vec::new()));
    let log = fs::read_to_string(directory.join("commands.yml")).unwrap();
    let (_, added) = log.split_once("sql: UPDATE\n").unwrap();
    let expected = "\
- method: fetch_many
  connection_id: a
  statement_id: 1
  \"n\": 28
  rows_file: a_1_fetch_many.csv
  c_types: [CHAR, CHAR]
- method: fetch_many
  connection_id: a
  statement_id: 2
  \"n\": 28
  rows_file: a_2_fetch_many_2.csv
  c_types: [CHAR]
  outcomes:
    - row: 10
      c_types:
        \"1\": WCHAR
    - row: 20
      return: SQL_SUCCESS_WITH_INFO
";
    assert_eq!(added, expected);

    // the same in the other format
    let traces = parent.path().join("traces");
    rows_under_way(&tracer(&traces));
    let recovered = recover(&traces).unwrap().unwrap();
    assert_eq!((recovered.entries, recovered.rows, recovered.torn, recovered.dropped), (7, 56, 0, Vec::new()));
    assert_eq!(names(&traces), ["x.ndjson"]);
    let trace = Trace::read(&traces, &trace_id()).unwrap();
    let converted = parent.path().join("converted");
    let target = Directory::record(&converted, trace.metadata().unwrap(), plain_append()).unwrap();
    super8_cassette::convert(&trace, &target).unwrap();
    assert_eq!(fs::read_to_string(converted.join("commands.yml")).unwrap(), log);
}

/// A kill between two steps of a recovery: the next one goes on.
#[test]
fn a_recovery_that_was_ended_is_taken_up_again() {
    let parent = tempfile::tempdir().unwrap();
    let (directory, again) = (parent.path().join("x"), parent.path().join("y"));
    rows_under_way(&recorder(&directory));
    rows_under_way(&recorder(&again));
    let staging = staging_directory(&again);
    fs::rename(staging.join("a_1_fetch_all.csv"), staging.join("a_1_fetch_many.csv")).unwrap();
    recover(&directory).unwrap().unwrap();
    recover(&again).unwrap().unwrap();
    let timeless = |mut files: std::collections::BTreeMap<String, String>| {
        files.remove("metadata.yml");
        files
    };
    assert_eq!(timeless(files(&directory)), timeless(files(&again)));
}

/// A recording that goes on after it was published, killed while it fetches.
#[test]
fn rows_of_a_recording_that_went_on() {
    let parent = tempfile::tempdir().unwrap();
    for ndjson in [false, true] {
        let directory = parent.path().join(if ndjson { "traces" } else { "x" });
        let recorder = if ndjson { tracer(&directory) } else { recorder(&directory) };
        let connection = connected(&recorder, "shop");
        recorder.disconnect(connection).unwrap();
        rows_under_way(&recorder);
        drop(recorder);
        let recovered = recover(&directory).unwrap().unwrap();
        assert_eq!((recovered.entries, recovered.rows), (8, 56));
        assert_eq!(recover(&directory), Ok(None));
        assert!(names(&directory).iter().all(|name| !name.starts_with('.')), "{:?}", names(&directory));
    }
}

/// What a part has that no entry can be made for is removed, and its name is said.
#[test]
fn what_is_not_taken_is_named() {
    let parent = tempfile::tempdir().unwrap();
    for ndjson in [false, true] {
        let directory = parent.path().join(if ndjson { "traces" } else { "x" });
        let recorder = if ndjson { tracer(&directory) } else { recorder(&directory) };
        let connection = connected(&recorder, "shop");
        recorder.command(&run(connection, 1, "SELECT 1")).unwrap();
        let scroll = recorder.scroll(connection, 1, Fields::from([(Key::Orientation, Value::from("FIRST"))]));
        let wide = "w".repeat(10_000);
        (0..30).for_each(|_| row(&scroll, &[&wide]));
        drop((scroll, recorder));
        let recovered = recover(&directory).unwrap().unwrap();
        assert_eq!((recovered.entries, recovered.dropped), (2, vec!["a_1_fetch_scroll.csv".to_owned()]));
        assert!(!files(&directory).values().any(|text| text.contains("www")));
    }
}

#[test]
fn an_entry_whose_first_byte_is_missing_never_was() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    interrupted(&directory);
    let log = staging_directory(&directory).join("commands.yml");
    let before = fs::read_to_string(&log).unwrap();
    append(&log, b"\0 method: commit\n  connection_id: a\n");
    append(&log, &[0; 100]);
    recover(&directory).unwrap().unwrap();
    let after = fs::read_to_string(directory.join("commands.yml")).unwrap();
    let added = after.strip_prefix(&before).unwrap();
    assert!(added.starts_with("- method: fetch_many\n") && added.matches("- method").count() == 1, "{added}");
}

#[test]
fn a_recording_under_way_is_left_alone() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    let recorder = recorder(&directory);
    let connection = connected(&recorder, "shop");
    let refused = recover(&directory).unwrap_err().to_string();
    assert!(refused.contains("is recording this cassette"), "{refused}");
    recorder.command(&run(connection, 1, "SELECT 1")).unwrap();
    recorder.disconnect(connection).unwrap();
    assert_eq!(recover(&directory).unwrap(), None);
}

#[test]
fn a_cassette_that_was_resumed_is_completed_in_place() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    let recorder = recorder(&directory);
    let connection = connected(&recorder, "shop");
    recorder.disconnect(connection).unwrap();
    let again = connected(&recorder, "shop");
    recorder.command(&run(again, 1, "SELECT 1")).unwrap();
    drop(recorder);
    assert!(matches!(state(&directory), Ok(State::Incomplete { .. })));
    let Recovered { entries, torn, .. } = recover(&directory).unwrap().unwrap();
    assert_eq!((entries, torn), (3, 0));
    assert_eq!(state(&directory), Ok(State::Complete));
}

#[test]
fn damage_before_the_end_is_an_error_that_says_where() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    interrupted(&directory);
    let log = staging_directory(&directory).join("commands.yml");
    let text = fs::read_to_string(&log).unwrap();
    fs::write(&log, text.replacen("method: run", "method: walk", 1)).unwrap();
    let error = recover(&directory).unwrap_err().to_string();
    assert!(error.contains("commands.yml:") && error.contains("walk"), "{error}");
    assert_eq!(recover(&parent.path().join("nothing")).unwrap(), None);
}

#[test]
fn what_no_recording_leaves_is_not_cut_off() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    interrupted(&directory);
    let log = staging_directory(&directory).join("commands.yml");
    append(&log, b"---\n- method: commit\n  connection_id: a\n");
    let before = fs::read(&log).unwrap();
    let error = recover(&directory).unwrap_err().to_string();
    assert!(error.contains("a second document begins here"), "{error}");
    assert_eq!(fs::read(&log).unwrap(), before);
}

#[test]
fn files_of_the_user_are_left_alone() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    let own = [("my_app_info.yml", "name: shop\n"), ("build_info.yml", "- 1\n- [\n"), ("todo_1_columns.yml", "x")];
    interrupted(&directory);
    for (name, text) in own {
        fs::write(staging_directory(&directory).join(name), text).unwrap();
    }
    recover(&directory).unwrap().unwrap();
    let again = recorder(&directory);
    let connection = connected(&again, "shop");
    again.command(&run(connection, 1, "SELECT 9")).unwrap();
    again.disconnect(connection).unwrap();
    let files = files(&directory);
    assert!(files["commands.yml"].contains("SELECT 9") && !files.contains_key("a_1_fetch_all.csv"));
    for (name, text) in own {
        assert_eq!(files[name], text);
    }
}

#[test]
fn the_cassette_that_was_replaced_is_never_taken_for_the_recording() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    let record = |sql: &str| {
        let recorder = recorder(&directory);
        let connection = connected(&recorder, "shop");
        recorder.command(&run(connection, 1, sql)).unwrap();
        recorder.disconnect(connection).unwrap();
    };
    record("SELECT 1");
    // no file, so that removing the old cassette comes to an end in the middle, as in a process that is killed
    fs::create_dir(directory.join("a_1_fetch_all.csv")).unwrap();
    record("SELECT 2");
    let staging = staging_directory(&directory);
    let left = names(&staging);
    assert!(left.contains(&"commands.yml".to_owned()) && left.contains(&".super8-replaced".to_owned()), "{left:?}");
    assert!(!left.contains(&"metadata.yml".to_owned()), "{left:?}");

    // killed a moment earlier
    fs::copy(directory.join("metadata.yml"), staging.join("metadata.yml")).unwrap();
    fs::remove_dir(staging.join("a_1_fetch_all.csv")).unwrap();
    assert_eq!(recover(&directory), Ok(None));
    assert!(files(&directory)["commands.yml"].contains("SELECT 2"));
    assert_eq!(names(parent.path()), ["x"], "what was left of the old one is gone");

    // killed between the mark and the exchange: the mark is on the one that stands, and the staged one is the new one
    record("SELECT 3");
    let complete = fs::read(directory.join("metadata.yml")).unwrap();
    let dying = recorder(&directory);
    let connection = connected(&dying, "shop");
    dying.command(&run(connection, 1, "SELECT 4")).unwrap();
    drop(dying);
    fs::write(staging.join("metadata.yml"), complete).unwrap();
    fs::write(directory.join(".super8-replaced"), "").unwrap();
    assert!(recover(&directory).unwrap().is_some());
    assert!(files(&directory)["commands.yml"].contains("SELECT 4"));
    assert_eq!((names(parent.path()), names(&directory).len()), (vec!["x".to_owned()], 3));
}

#[test]
fn a_trace_that_was_killed_while_it_went_on() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("traces");
    let trace = tracer(&directory);
    let connection = connected(&trace, "shop");
    trace.disconnect(connection).unwrap();
    let again = connected(&trace, "shop");
    trace.command(&run(again, 1, "SELECT 1")).unwrap();
    drop(trace);
    let file = directory.join("x.ndjson");
    let torn = [fs::read(&file).unwrap(), b"\0\"version\":\"1".to_vec(), vec![0; 100]].concat();
    fs::write(&file, &torn).unwrap();
    assert_eq!(recover(&directory).unwrap().map(|recovered| recovered.cassette), Some(file.clone()));
    assert_eq!(recover(&directory), Ok(None));

    // the same again, in place and staged: it can be recorded anew
    fs::write(&file, &torn).unwrap();
    fs::write(directory.join(".x.ndjson.super8-recording"), &torn).unwrap();
    let trace = tracer(&directory);
    let connection = connected(&trace, "other");
    trace.disconnect(connection).unwrap();
    assert_eq!(names(&directory), ["x.ndjson"]);
    assert!(!fs::read_to_string(&file).unwrap().contains("SELECT 1"));
    assert_eq!(recover(&directory), Ok(None));
}

/// A full disk cuts what is written first: there is nothing to keep, and nothing has to be moved away by hand.
#[test]
fn a_recording_that_broke_off_before_its_first_entry() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("traces");
    let record = || {
        let trace = tracer(&directory);
        let connection = connected(&trace, "shop");
        trace.disconnect(connection).unwrap();
    };
    record();
    let (file, staged) = (directory.join("x.ndjson"), directory.join(".x.ndjson.super8-recording"));
    let whole = fs::read(&file).unwrap();
    let header = whole.iter().position(|byte| *byte == b'\n').unwrap();
    for torn in
        [&b""[..], &whole[..9], &whole[..header], &whole[..=header], b"\0\"version\":\"4.1\",\"traceId\":\"x\"\0\0"]
    {
        fs::write(&staged, torn).unwrap();
        let told = recover(&directory).unwrap_err().to_string();
        assert!(told.contains("broke off before its first entry") && told.contains("record again"), "{told}");
        assert_eq!(fs::read(&file).unwrap(), whole, "the trace before it stays");
        assert_eq!(recover(&directory), Ok(None), "its rest is gone");
        // and without recovering it
        fs::write(&staged, torn).unwrap();
        record();
        assert_eq!((names(&directory), fs::read(&file).unwrap()), (vec!["x.ndjson".to_owned()], whole.clone()));
        // under its own name, as a copy that was cut short
        fs::write(&file, torn).unwrap();
        record();
        assert_eq!(fs::read(&file).unwrap(), whole);
    }
    // the same in the other format
    let (directory, staging) = (parent.path().join("y"), staging_directory(&parent.path().join("y")));
    let first = recorder(&directory);
    let connection = connected(&first, "shop");
    first.disconnect(connection).unwrap();
    drop(first);
    fs::create_dir(&staging).unwrap();
    let metadata = fs::read_to_string(directory.join("metadata.yml")).unwrap();
    fs::write(staging.join("metadata.yml"), metadata.replace("complete: true", "complete: false")).unwrap();
    fs::write(staging.join("commands.yml"), "- method: conn").unwrap();
    let (before, told) = (files(&directory), recover(&directory).unwrap_err().to_string());
    assert!(told.contains("broke off before its first entry") && !staging.exists(), "{told}");
    assert_eq!((files(&directory), recover(&directory)), (before, Ok(None)));
    let directory = parent.path().join("traces");
    for foreign in
        ["years of work", "{\"version\":\"4.1\",\"traceId\":\"x\",\"type\":\"outbound\",\"protocol\":\"http\""]
    {
        fs::write(&staged, foreign).unwrap();
        assert!(recover(&directory).is_err());
        let trace = tracer(&directory);
        let connection = trace.connection();
        let refused = trace.command(&connect(connection, "shop")).unwrap_err().to_string();
        assert!(refused.contains("is not one; move it away"), "{refused}");
        assert_eq!(fs::read_to_string(&staged).unwrap(), foreign);
    }
}
