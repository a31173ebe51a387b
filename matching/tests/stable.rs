//! Recording again gives the same bytes; the user's own files stay; what must not be touched is not.

use std::fs;
use std::path::Path;

use crate::support::*;
use super8_cassette::{DriverFacts, Metadata, RecordOptions, Recorder};

/// A recording at another time than all others.
fn at(directory: &Path, time: &str) -> std::sync::Arc<Recorder> {
    let metadata = Metadata { recorded_on: time.to_owned(), ..Metadata::now(None, None) };
    Recorder::open(RecordOptions { metadata, ..options(directory) }).unwrap()
}

/// `count` connections one after the other, each with a query of its own.
fn record(recorder: &std::sync::Arc<Recorder>, count: u32) {
    for number in 0..count {
        let connection = connected(recorder, "shop");
        recorder.command(&run(connection, 1, &format!("SELECT {number}"))).unwrap();
        result(recorder, connection, 1, &[&["1"], &["2"]]);
        recorder.disconnect(connection).unwrap();
    }
}

#[test]
fn recording_again_changes_no_byte() {
    let parent = tempfile::tempdir().unwrap();
    for count in [1, 2, 20] {
        let directory = parent.path().join(count.to_string());
        record(&at(&directory, "2026-01-01T00:00:00Z"), count);
        let first = files(&directory);
        assert!(first["metadata.yml"].contains("2026-01-01"));
        record(&at(&directory, "2026-02-02T00:00:00Z"), count);
        assert_eq!(files(&directory), first, "{count} connections");
        // and the time is told as soon as anything changes
        record(&at(&directory, "2026-03-03T00:00:00Z"), count + 1);
        assert!(files(&directory)["metadata.yml"].contains("2026-03-03"), "one more than {count}");
        record(&at(&directory, "2026-04-04T00:00:00Z"), count);
        assert!(files(&directory)["metadata.yml"].contains("2026-04-04"), "one less than {count}");
    }
    assert_eq!(names(parent.path()), ["1", "2", "20"]);
}

#[test]
fn the_same_size_is_not_the_same_content() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    let record = |time: &str, sql: &str, facts: Option<DriverFacts>| {
        let metadata = Metadata { recorded_on: time.to_owned(), driver: facts, ..Metadata::now(None, None) };
        let recorder = Recorder::open(RecordOptions { metadata, ..options(&directory) }).unwrap();
        let connection = connected(&recorder, "shop");
        recorder.command(&run(connection, 1, sql)).unwrap();
        recorder.disconnect(connection).unwrap();
        fs::read_to_string(directory.join("metadata.yml")).unwrap()
    };
    assert!(record("2026-01-01T00:00:00Z", "SELECT 1", None).contains("2026-01-01"));
    assert!(record("2026-02-02T00:00:00Z", "SELECT 2", None).contains("2026-02-02"));
    assert!(record("2026-03-03T00:00:00Z", "SELECT 2", None).contains("2026-02-02"), "nothing changed");
    let facts = DriverFacts { library: "libx.so".to_owned(), kind: "ansi".to_owned() };
    assert!(record("2026-04-04T00:00:00Z", "SELECT 2", Some(facts)).contains("2026-04-04"), "another driver");
}

#[test]
fn is_complete_only_while_nothing_is_open() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    let recorder = at(&directory, "2026-01-01T00:00:00Z");
    let complete = || fs::read_to_string(directory.join("metadata.yml")).unwrap().contains("\ncomplete: true\n");
    let a = connected(&recorder, "shop");
    let b = connected(&recorder, "shop");
    recorder.disconnect(a).unwrap();
    assert!(!directory.exists(), "one is still open");
    recorder.disconnect(b).unwrap();
    assert!(complete());
    let c = connected(&recorder, "shop");
    assert_eq!(c.to_string(), "c");
    assert!(!complete());
    let why = play(&directory, None).map(|_| ()).unwrap_err().to_string();
    assert!(why.contains("the recording is incomplete"), "{why}");
    // at exit, or on eject
    recorder.publish().unwrap();
    assert!(complete());
    recorder.command(&run(c, 1, "SELECT 1")).unwrap();
    assert!(!complete());
    recorder.disconnect(c).unwrap();
    assert!(complete());
    recorder.publish().unwrap();
    let player = player(&directory);
    for _ in 0..3 {
        player.connect(&connect(A, "shop")).unwrap();
    }
    player.command(&run(c, 1, "SELECT 1")).unwrap();
    assert_eq!(player.unplayed().unwrap(), []);
}

#[test]
fn the_users_files_are_carried_over_and_stale_ones_go() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    record(&at(&directory, "2026-01-01T00:00:00Z"), 2);
    fs::write(directory.join("README.md"), "what this is").unwrap();
    fs::write(directory.join(".gitattributes"), "*.csv -text\n").unwrap();
    assert!(directory.join("b_1_fetch_all.csv").exists());
    record(&at(&directory, "2026-02-02T00:00:00Z"), 1);
    assert_eq!(
        names(&directory),
        [".gitattributes", "README.md", "a_1_fetch_all.csv", "a_info.yml", "commands.yml", "metadata.yml"]
    );
    assert_eq!(files(&directory)["README.md"], "what this is");
    // the user's files do not make it another recording
    record(&at(&directory, "2026-03-03T00:00:00Z"), 1);
    assert!(files(&directory)["metadata.yml"].contains("2026-02-02"));
}

#[test]
fn refuses_a_directory_that_is_not_a_cassette() {
    let parent = tempfile::tempdir().unwrap();
    fs::write(parent.path().join("thesis.txt"), "years of work").unwrap();
    let why = Recorder::open(options(parent.path())).map(|_| ()).unwrap_err().to_string();
    assert!(why.contains("not a cassette") && why.contains("a directory of its own"), "{why}");
    let file = parent.path().join("thesis.txt");
    assert!(Recorder::open(options(&file)).is_err());
    assert!(Recorder::open(options(Path::new("/"))).is_err());
    // one that became so while it was recorded is not touched either
    let directory = parent.path().join("x");
    let recorder = recorder(&directory);
    let connection = connected(&recorder, "shop");
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("precious"), "data").unwrap();
    let why = recorder.disconnect(connection).unwrap_err().to_string();
    assert!(why.contains("not a cassette"), "{why}");
    assert_eq!(names(&directory), ["precious"]);
    assert!(recorder.command(&run(connection, 1, "SELECT 1")).is_err(), "and it stays failed");
}

#[test]
fn nothing_is_created_before_the_first_entry() {
    let parent = tempfile::tempdir().unwrap();
    let recorder = recorder(&parent.path().join("deep").join("x"));
    let connection = recorder.connection();
    recorder.publish().unwrap();
    recorder.disconnect(connection).unwrap();
    assert_eq!(names(parent.path()), Vec::<String>::new());
}

#[test]
fn a_link_to_a_cassette_stays_a_link() {
    let parent = tempfile::tempdir().unwrap();
    let (real, link) = (parent.path().join("real"), parent.path().join("link"));
    record(&at(&real, "2026-01-01T00:00:00Z"), 1);
    std::os::unix::fs::symlink("real", &link).unwrap();
    record(&at(&link, "2026-02-02T00:00:00Z"), 2);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(files(&real)["metadata.yml"].contains("2026-02-02"));
}

#[test]
fn a_removed_cassette_is_missed() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    let recorder = recorder(&directory);
    record(&recorder, 1);
    fs::remove_dir_all(&directory).unwrap();
    let connection = recorder.connection();
    let why = recorder.command(&connect(connection, "shop")).unwrap_err().to_string();
    assert!(why.contains("removed or replaced"), "{why}");
}

/// Work per close does not grow with what is there: the number of closes is what counts, not its square.
#[test]
fn many_connections_one_after_the_other() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    for time in ["2026-01-01T00:00:00Z", "2026-02-02T00:00:00Z"] {
        let recorder = at(&directory, time);
        for _ in 0..2000 {
            let connection = connected(&recorder, "shop");
            recorder.disconnect(connection).unwrap();
        }
    }
    let text = fs::read_to_string(directory.join("commands.yml")).unwrap();
    assert!(
        text.ends_with("- method: connect\n  connection_id: bxx\n  dsn: shop\n  info_file: a_info.yml\n"),
        "{}",
        &text[text.len() - 80..]
    );
    assert!(files(&directory)["metadata.yml"].contains("2026-01-01"));
}
