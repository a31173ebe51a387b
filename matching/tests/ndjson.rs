//! A trace's file: what it looks like, that it plays like a directory, and what becomes of damaged ones.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use crate::support::copy::{comes_back, converted, plain, text};
use crate::support::session::record;
use crate::support::*;
use super8_cassette::{
    CassetteError, Directory, Entry, ErrorKind, Key, Metadata, Method, Order, Recorder, Spans, Store, Trace, open,
    recover,
};
use super8_matching::Player;

/// A trace that somebody wrote or damaged.
fn damaged(directory: &Path, text: &str) -> Result<Arc<Player>, CassetteError> {
    fs::create_dir_all(directory).unwrap();
    fs::write(directory.join("x.ndjson"), text).unwrap();
    play_trace(directory)
}

fn problem(result: Result<Arc<Player>, CassetteError>) -> String {
    result.map(|_| ()).unwrap_err().to_string()
}

#[test]
fn a_session_to_the_letter() {
    let parent = tempfile::tempdir().unwrap();
    record(&tracer(parent.path()));
    assert_eq!(names(parent.path()), ["x.ndjson"]);
    let lines: Vec<String> = text(parent.path()).lines().map(str::to_owned).collect();
    let head = r#"{"version":"4.1","traceId":"x","type":"#;
    assert!(lines.iter().all(|line| line.starts_with(head)), "{lines:#?}");
    let line = |number: usize| lines[number - 1].strip_prefix(head).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        line(1),
        format!(
            r#""metadata","protocol":"odbc","identifier":"metadata.yml","responsePayload":{{"schema_version":4,"recorded_with":"super8 {version}","order":"global"}}}}"#
        )
    );
    assert_eq!(
        line(2),
        r#""outbound","protocol":"odbc","identifier":"connect a","requestPayload":{"method":"connect","connection_id":"a","dsn":"shop"},"responsePayload":{"info_file":"a_info.yml"}}"#
    );
    assert_eq!(
        line(3),
        r#""metadata","protocol":"odbc","identifier":"a_info.yml","requestPayload":{"function":"SQLGetInfo","info":17},"responsePayload":{"result":"SQLite"}}"#
    );
    assert_eq!(
        line(6),
        r#""metadata","protocol":"odbc","identifier":"a_1_columns.yml","responsePayload":[{"name":"id","type":12},{"name":"name","type":12}]}"#
    );
    assert_eq!(
        line(9),
        r#""outbound","protocol":"odbc","identifier":"a_1_fetch_many.csv","responsePayload":{"rows":[["1","Ann"],["2","Bob"]]}}"#
    );
    assert_eq!(
        line(10),
        r#""outbound","protocol":"odbc","identifier":"fetch_many a/1","requestPayload":{"method":"fetch_many","connection_id":"a","statement_id":1,"n":2},"responsePayload":{"rows_file":"a_1_fetch_many.csv","c_types":["CHAR","CHAR"]}}"#
    );
    assert_eq!(
        lines.last().unwrap().strip_prefix(head).unwrap(),
        r#""metadata","protocol":"odbc","identifier":"complete","responsePayload":{"complete":true}}"#
    );
}

#[test]
fn nothing_is_created_before_it_is_needed() {
    let parent = tempfile::tempdir().unwrap();
    for recorder in [tracer(&parent.path().join("traces")), recorder(&parent.path().join("x"))] {
        let connection = recorder.connection();
        recorder.publish().unwrap();
        recorder.disconnect(connection).unwrap();
        drop(recorder);
        assert_eq!(names(parent.path()), [""; 0]);
    }
}

#[test]
fn recording_again_changes_no_byte() {
    let parent = tempfile::tempdir().unwrap();
    record(&tracer(parent.path()));
    let first = text(parent.path());
    record(&tracer(parent.path()));
    assert_eq!(text(parent.path()), first);
}

#[test]
fn plays_like_the_directory() {
    let parent = tempfile::tempdir().unwrap();
    record(&tracer(&parent.path().join("traces")));
    record(&recorder(&parent.path().join("x")));
    for player in [play_trace(&parent.path().join("traces")).unwrap(), player(&parent.path().join("x"))] {
        for _ in 0..2 {
            player.connect(&connect(A, "shop")).unwrap();
        }
        player.command(&run(A, 1, "SELECT id,\n  name\nFROM t")).unwrap();
        let columns = player.columns(A, 1).unwrap().unwrap();
        assert_eq!(columns.as_list().map(<[_]>::len), Some(2));
        let super8_matching::Fetched::Rows(mut first) = player.fetch(A, 1).unwrap() else { panic!() };
        assert_eq!(rows(&mut first), [["1", "Ann"], ["2", "Bob"]]);
        player.command(&run(B, 1, "SELECT id, name FROM u WHERE id = ?").with(Key::Params, vec![7])).unwrap();
        assert_eq!(fetch_all(&player, B, 1), [["7", "Null"]]);
        assert_eq!(fetch_all(&player, A, 1), [["3", "\\Cid"], ["4", ""]]);
        let fact = player.info(B, &[(Key::Info, 17.into())]).unwrap().unwrap();
        assert_eq!(fact.get(Key::Result).and_then(|text| text.as_text()), Some("SQLite"));
        let mismatch = player.command(&run(A, 2, "SELECT 2")).unwrap_err();
        assert!(mismatch.report.contains("SELECT 1 WHERE"), "{}", mismatch.report);
    }
}

#[test]
fn long_results_go_out_in_records_of_bounded_size() {
    let parent = tempfile::tempdir().unwrap();
    let recorder = tracer(parent.path());
    let connection = connected(&recorder, "shop");
    recorder.command(&run(connection, 1, "SELECT wide")).unwrap();
    let (rows, wide) = (recorder.run(connection, 1, true), "w\n\"".repeat(3_000));
    for number in 0..60 {
        row(&rows, &[&number.to_string(), &wide]);
    }
    assert!(text_of_staged(parent.path()).lines().count() > 4, "rows are on disk while they are fetched");
    // not the whole result after all: the part gets another name
    rows.lock().end(false).unwrap();
    result(&recorder, connection, 1, &[&["1"], &["2"]]);
    let huge = "h".repeat(10_000_000);
    recorder.command(&run(connection, 2, "SELECT huge")).unwrap();
    result(&recorder, connection, 2, &[&[&huge], &["2"]]);
    recorder.disconnect(connection).unwrap();
    let text = text(parent.path());
    let long = text.lines().filter(|line| line.len() > 100_000).count();
    assert_eq!(long, 1, "only the line with the huge value");
    assert!(text.contains(r#""requestPayload":{"renamed":"a_1_fetch_all.csv"}"#));
    let player = play_trace(parent.path()).unwrap();
    player.connect(&connect(A, "shop")).unwrap();
    player.command(&run(A, 1, "SELECT wide")).unwrap();
    let super8_matching::Fetched::Rows(mut run_of_rows) = player.fetch(A, 1).unwrap() else { panic!() };
    let found = crate::support::rows(&mut run_of_rows);
    assert!(found.len() == 60 && found.iter().enumerate().all(|(at, row)| row == &[at.to_string(), wide.clone()]));
    assert_eq!(fetch_all(&player, A, 1), [["1"], ["2"]]);
    player.command(&run(A, 2, "SELECT huge")).unwrap();
    assert_eq!(fetch_all(&player, A, 2)[0][0].len(), huge.len());
    assert_eq!(player.unplayed().unwrap(), []);
    assert_eq!(comes_back(parent.path()), [""; 0]);
}

fn text_of_staged(directory: &Path) -> String {
    fs::read_to_string(directory.join(".x.ndjson.super8-recording")).unwrap()
}

#[test]
fn grows_in_place_after_it_was_published() {
    let parent = tempfile::tempdir().unwrap();
    let recorder = tracer(parent.path());
    let first = connected(&recorder, "shop");
    recorder.disconnect(first).unwrap();
    let before = text(parent.path());
    assert!(play_trace(parent.path()).is_ok());
    let second = connected(&recorder, "shop");
    assert!(text(parent.path()).starts_with(&before), "nothing is written over");
    assert!(problem(play_trace(parent.path())).contains("the recording is incomplete"));
    // another recorder has to wait
    let other = tracer(parent.path());
    let why = other.command(&connect(A, "shop")).unwrap_err().to_string();
    assert!(why.contains("is recording this cassette"), "{why}");
    recorder.disconnect(second).unwrap();
    assert!(text(parent.path()).starts_with(&before));
    let player = play_trace(parent.path()).unwrap();
    player.connect(&connect(A, "shop")).unwrap();
    player.connect(&connect(A, "shop")).unwrap();
    assert_eq!(player.unplayed().unwrap(), []);
    assert_eq!(text(parent.path()).matches(r#"{"complete":true}"#).count(), 2);
    assert_eq!(comes_back(parent.path()), [""; 0]);
    fs::remove_file(parent.path().join("x.ndjson")).unwrap();
    let third = recorder.connection();
    let why = recorder.command(&connect(third, "shop")).unwrap_err().to_string();
    assert!(why.contains("removed or replaced"), "{why}");
}

#[test]
fn a_run_that_dies_leaves_the_trace_before_it_and_a_readable_rest() {
    let parent = tempfile::tempdir().unwrap();
    record(&tracer(parent.path()));
    let before = text(parent.path());
    let second = tracer(parent.path());
    let connection = connected(&second, "shop");
    second.command(&run(connection, 1, "SELECT 2")).unwrap();
    drop(second);
    assert_eq!(text(parent.path()), before);
    assert_eq!(text_of_staged(parent.path()).lines().count(), 3);
    // the next one replaces what is left
    record(&tracer(parent.path()));
    assert_eq!(names(parent.path()), ["x.ndjson"]);
    assert_eq!(text(parent.path()), before);
}

#[test]
fn what_is_whole_can_be_recovered() {
    let parent = tempfile::tempdir().unwrap();
    let staged = parent.path().join(".x.ndjson.super8-recording");
    assert_eq!(recover(parent.path()).unwrap(), None);
    for ending in ["{\"version\":\"4.1\",\"tra", "\0\"version\":\"4.1\"}\n\0\0", "\0\0"] {
        let recorder = tracer(parent.path());
        let connection = connected(&recorder, "shop");
        recorder.command(&run(connection, 1, "SELECT 2")).unwrap();
        let busy = recover(parent.path()).unwrap_err().to_string();
        assert!(busy.contains("is recording this cassette"), "{busy}");
        drop(recorder);
        let whole = text_of_staged(parent.path());
        fs::write(&staged, format!("{whole}{ending}")).unwrap();
        let recovered = recover(parent.path()).unwrap().unwrap();
        assert_eq!((recovered.entries, &recovered.cassette), (2, &parent.path().join("x.ndjson")));
        assert_eq!(recovered.torn > 0, ending != "\0\0");
        assert!(text(parent.path()).starts_with(&whole) && text(parent.path()).ends_with("\"recovered\":true}}\n"));
        let player = play_trace(parent.path()).unwrap();
        assert!(player.metadata().recovered);
        player.connect(&connect(A, "shop")).unwrap();
        player.command(&run(A, 1, "SELECT 2")).unwrap();
        assert_eq!(recover(&parent.path().join("x.ndjson")).unwrap(), None, "it is whole now");
        assert_eq!(comes_back(parent.path()), [""; 0]);
    }
    let directory = parent.path().join("directory");
    converted(&*open(parent.path()).unwrap(), &directory);
    assert!(files(&directory)["metadata.yml"].contains("recovered: true"));
    record(&tracer(parent.path()));
    let before = text(parent.path());
    record(&tracer(parent.path()));
    assert_eq!(text(parent.path()), before);
}

#[test]
fn a_torn_last_line_is_reported_and_the_rest_is_there() {
    let parent = tempfile::tempdir().unwrap();
    record(&tracer(parent.path()));
    let whole = text(parent.path());
    let count = |text: &str| text.lines().filter(|line| line.contains(r#""connection_id":"#)).count();
    for cut in [whole.len() - 5, whole.len() - 300, whole.len() / 2] {
        // in the middle of a line
        let cut = if whole[..cut].ends_with('}') || whole[..cut].ends_with('\n') { cut - 9 } else { cut };
        for ending in ["", "\0\0\0\0"] {
            let torn = format!("{}{ending}", &whole[..cut]);
            assert!(problem(damaged(parent.path(), &torn)).contains("incomplete"));
            let trace = Trace::read(parent.path(), &trace_id()).unwrap();
            let mut found = 0;
            let error = trace.scan(&mut |_, _| {
                found += 1;
                Ok(())
            });
            let error = error.unwrap_err();
            let complete = &whole[..whole[..cut].rfind('\n').unwrap()];
            assert_eq!((error.kind(), error.line()), (ErrorKind::Torn, Some(complete.lines().count() as u64 + 1)));
            assert_eq!(found, count(complete));
        }
    }
    // a line that only lacks its line break is whole
    assert!(damaged(parent.path(), whole.trim_end()).is_ok());
}

#[test]
fn damage_is_named_with_its_line() {
    let parent = tempfile::tempdir().unwrap();
    record(&tracer(parent.path()));
    let whole = text(parent.path());
    for (from, to, expected) in [
        (r#""method":"run""#, r#""method":"ran""#, "x.ndjson:5: requestPayload.method: `ran` is not a method"),
        (r#""identifier":"metadata.yml""#, r#""identifier":"meta""#, "x.ndjson:1: not a cassette of super8"),
        (r#""schema_version":4"#, r#""schema_version":5"#, "upgrade super8"),
        ("{", "", "x.ndjson:1:9: not a record: invalid type: string \"version\", expected a record"),
    ] {
        let error = problem(damaged(parent.path(), &whole.replacen(from, to, 1)));
        assert!(error.contains(expected), "{error}");
    }
    let error = problem(damaged(parent.path(), &format!("{whole}{whole}")));
    assert!(error.contains("a second header"), "{error}");
    let error = problem(damaged(parent.path(), ""));
    assert!(error.contains("the file is empty"), "{error}");
    // a name that leads out of the cassette
    let hostile = whole.replace("a_1_fetch_many.csv", "../../etc/passwd");
    let player = damaged(parent.path(), &hostile).unwrap();
    player.connect(&connect(A, "shop")).unwrap();
    player.connect(&connect(A, "shop")).unwrap();
    player.command(&run(A, 1, "SELECT id,\n  name\nFROM t")).unwrap();
    let why = player.fetch(A, 1).map(|_| ()).unwrap_err().report;
    assert!(why.contains("not the name of a file"), "{why}");
    // records of another protocol are passed over, and never recorded over
    let foreign = r#"{"version":"4.1","traceId":"x","spanId":"1","timestamp":"t","type":"inbound","protocol":"http","identifier":"GET /"}"#;
    let (first, rest) = whole.split_once('\n').unwrap();
    let mixed = format!("{first}\n{foreign}\n{rest}");
    assert!(damaged(parent.path(), &mixed).is_ok());
    let error = Trace::record(parent.path(), &trace_id(), Metadata::now(None, None), &Spans::default());
    let error = error.map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("x.ndjson:2: has other records") && error.contains("nothing was touched"), "{error}");
}

#[test]
fn says_why_there_is_no_trace() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("traces");
    assert!(problem(play_trace(&directory)).contains("there is no cassette here; record it first"));
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("y.ndjson"), "").unwrap();
    let why = problem(play_trace(&directory));
    assert!(why.contains("1 other traces (y, ...): set SUPER8_TRACE_ID"), "{why}");
    record(&recorder(&parent.path().join("directory")));
    let options = |path: &Path| Trace::record(path, &trace_id(), Metadata::now(None, None), &Spans::default());
    let why = options(&parent.path().join("directory")).map(|_| ()).unwrap_err().to_string();
    assert!(why.contains("holds a cassette in the format yaml"), "{why}");
    assert!(Directory::record(&directory, Metadata::now(None, None), plain()).is_err());
}

#[test]
fn a_record_is_whole_as_soon_as_it_is_written() {
    let parent = tempfile::tempdir().unwrap();
    let recorder = tracer(parent.path());
    let connection = recorder.connection();
    recorder.command(&Entry::new(Method::Connect, connection, None).with(Key::Dsn, "shop")).unwrap();
    let growing = parent.path().join(".x.ndjson.super8-recording");
    for id in 1..100 {
        let before = fs::read(&growing).unwrap();
        recorder.command(&run(connection, id, "SELECT 1")).unwrap();
        let after = fs::read(&growing).unwrap();
        let record = after.strip_prefix(&*before).unwrap();
        assert!(record.starts_with(b"{") && record.ends_with(b"}\n"), "{}", String::from_utf8_lossy(record));
        assert_eq!(record.iter().filter(|byte| **byte == b'\n').count(), 1);
    }
}

#[test]
fn real_spans_are_asked_for() {
    let parent = tempfile::tempdir().unwrap();
    let spans = Spans { real: true, parent: Some("00f067aa0ba902b7".to_owned()) };
    let trace = Trace::record(parent.path(), &trace_id(), Metadata::now(None, None), &spans).unwrap();
    let recorder = Recorder::with_store(Box::new(trace), Order::Global, 1);
    record(&recorder);
    let text = text(parent.path());
    for key in [r#""spanId":""#, r#""parentSpanId":"00f067aa0ba902b7""#, r#""spanName":""#, r#""timestamp":"2"#] {
        assert_eq!(text.lines().filter(|line| line.contains(key)).count(), text.lines().count(), "{key}");
    }
    let notes = comes_back(parent.path());
    let count = text.lines().count();
    assert_eq!(notes, [format!("{count} records have span ids and times, which are left out")]);
}
