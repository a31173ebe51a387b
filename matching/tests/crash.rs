//! Runs that die, disks that fill, processes that get in each other's way.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::*;
use super8_cassette::{Append, Directory, ErrorKind, Method, RecordOptions, Recorder, Store, staging_directory};

/// The methods in a log.
fn methods(directory: &Path) -> Vec<Method> {
    let mut methods = Vec::new();
    let store = Directory::read(directory).unwrap();
    store
        .scan(&mut |_, head| {
            methods.push(head.method);
            Ok(())
        })
        .unwrap();
    methods
}

#[test]
fn a_run_that_dies_leaves_the_previous_cassette_untouched() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    let first = recorder(&directory);
    let connection = connected(&first, "shop");
    first.command(&run(connection, 1, "SELECT 1")).unwrap();
    first.disconnect(connection).unwrap();
    drop(first);
    let before = files(&directory);

    let second = recorder(&directory);
    let connection = connected(&second, "shop");
    second.command(&run(connection, 1, "SELECT 2")).unwrap();
    let rows = second.run(connection, 1, true);
    let wide = "w".repeat(10_000);
    for _ in 0..30 {
        row(&rows, &[&wide]);
    }
    // the process is gone: nothing is closed, nothing is published
    drop(rows);
    drop(second);
    assert_eq!(files(&directory), before);
    let staging = staging_directory(&directory);
    assert_eq!(methods(&staging), [Method::Connect, Method::Run]);
    assert!(fs::read_to_string(staging.join("metadata.yml")).unwrap().contains("complete: false"));
    let saved = fs::metadata(staging.join("a_1_fetch_all.csv")).unwrap().len();
    assert!(saved >= 30 * 10_000 - 80_000, "all but the last block: {saved}");
    assert!(play(&staging, None).is_err(), "it is not a cassette to be played");

    // the next recording replaces what is left
    let third = recorder(&directory);
    let connection = connected(&third, "shop");
    assert_eq!(methods(&staging), [Method::Connect]);
    third.command(&run(connection, 1, "SELECT 3")).unwrap();
    third.disconnect(connection).unwrap();
    assert_eq!(names(parent.path()), ["x"]);
    assert!(files(&directory)["commands.yml"].contains("SELECT 3"));
}

/// The test is also the process that is killed: it starts itself with this variable.
const CASSETTE_OF_THE_KILLED: &str = "CASSETTE_OF_THE_KILLED";

fn record_until_killed(directory: &Path) {
    let recorder = recorder(directory);
    let connection = connected(&recorder, "shop");
    recorder.command(&run(connection, 1, "SELECT 1")).unwrap();
    fs::write(directory.with_extension("ready"), "").unwrap();
    std::thread::sleep(std::time::Duration::from_secs(60));
}

#[test]
fn a_killed_process_holds_the_cassette_until_it_is_dead() {
    if let Some(directory) = std::env::var_os(CASSETTE_OF_THE_KILLED) {
        return record_until_killed(Path::new(&directory));
    }
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::a_killed_process_holds_the_cassette_until_it_is_dead"])
        .env(CASSETTE_OF_THE_KILLED, &directory)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let started = std::time::Instant::now();
    while !parent.path().join("x.ready").exists() && started.elapsed().as_secs() < 30 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let second = recorder(&directory);
    let why = second.command(&connect(second.connection(), "shop")).unwrap_err().to_string();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(why.contains(&format!("process {} is recording this cassette", child.id())), "{why}");
    assert_eq!(methods(&staging_directory(&directory)), [Method::Connect, Method::Run]);
    let third = recorder(&directory);
    let connection = connected(&third, "shop");
    third.disconnect(connection).unwrap();
    assert_eq!(methods(&directory), [Method::Connect]);
}

#[test]
fn without_a_cassette_the_player_tells_of_the_unfinished_one() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    let dying = recorder(&directory);
    connected(&dying, "shop");
    drop(dying);
    let why = play(&directory, None).map(|_| ()).unwrap_err().to_string();
    assert!(why.contains("there is no cassette") && why.contains(".x.super8-recording"), "{why}");
}

#[test]
fn one_recorder_at_a_time() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    let first = recorder(&directory);
    let connection = connected(&first, "shop");
    let refused = || {
        let second = recorder(&directory);
        let why = second.command(&connect(second.connection(), "shop")).unwrap_err().to_string();
        assert!(
            why.contains("another copy of super8 in this process is recording") && why.contains("of one directory"),
            "{why}"
        );
    };
    refused();
    first.command(&run(connection, 1, "SELECT 1")).unwrap();
    first.disconnect(connection).unwrap();
    // published, and still in the hands of the first
    refused();
    assert_eq!(names(parent.path()), ["x"], "who was refused left nothing");
    let connection = connected(&first, "shop");
    first.disconnect(connection).unwrap();
    drop(first);
    let second = recorder(&directory);
    let connection = connected(&second, "shop");
    second.disconnect(connection).unwrap();
}

/// Appends until the disk is full.
struct Full {
    file: fs::File,
    left: usize,
}

impl Append for Full {
    fn reserve(&mut self, _: usize) -> io::Result<bool> {
        Ok(false)
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let room = bytes.len().min(self.left);
        self.left -= room;
        self.file.write_all(&bytes[..room])?;
        if room == bytes.len() { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_fails_the_call_and_all_after_it() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    let append: super8_cassette::MakeAppend = Arc::new(|file| Ok(Box::new(Full { file, left: 150 })));
    let recorder = Recorder::open(RecordOptions { append: Some(append), ..options(&directory) }).unwrap();
    let connection = connected(&recorder, "shop");
    recorder.command(&run(connection, 1, "SELECT 1")).unwrap();
    let open = recorder.run(connection, 1, true);
    row(&open, &["1"]);
    let first = recorder.command(&run(connection, 2, "SELECT 2")).unwrap_err();
    assert_eq!(first.kind(), ErrorKind::Io(io::ErrorKind::StorageFull));
    assert!(first.to_string().contains("commands.yml"), "{first}");
    assert_eq!(recorder.note(&drop_of(connection, 1)), Err(first.clone()));
    assert_eq!(recorder.run(connection, 3, true).lock().begin_row(), Err(first.clone()));
    assert_eq!(recorder.disconnect(connection), Err(first.clone()));
    assert_eq!(recorder.publish(), Err(first));
    assert!(!directory.exists());
    let metadata = staging_directory(&directory).join("metadata.yml");
    assert!(fs::read_to_string(metadata).unwrap().contains("complete: false"));
}

/// Appends in an area that is larger than what is in it.
struct Ahead {
    file: fs::File,
    end: u64,
    finished: Arc<AtomicUsize>,
}

impl Append for Ahead {
    fn reserve(&mut self, _: usize) -> io::Result<bool> {
        Ok(false)
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.set_len(self.end + 10_000)?;
        std::os::unix::fs::FileExt::write_all_at(&self.file, bytes, self.end)?;
        self.end += bytes.len() as u64;
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.finished.fetch_add(1, Ordering::Relaxed);
        self.file.set_len(self.end)
    }
}

#[test]
fn an_appender_that_works_ahead() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    let finished = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&finished);
    let append: super8_cassette::MakeAppend =
        Arc::new(move |file| Ok(Box::new(Ahead { file, end: 0, finished: Arc::clone(&counter) })));
    let options = RecordOptions { append: Some(append), ..options(&directory) };
    let recorder = Recorder::open(options.clone()).unwrap();
    for sql in ["SELECT 1", "SELECT 2"] {
        let connection = connected(&recorder, "shop");
        recorder.command(&run(connection, 1, sql)).unwrap();
        recorder.disconnect(connection).unwrap();
        assert!(!fs::read(directory.join("commands.yml")).unwrap().contains(&0));
    }
    assert_eq!(finished.load(Ordering::Relaxed), 2);
    drop(recorder);
    // one that died leaves zeros
    let recorder = Recorder::open(options).unwrap();
    connected(&recorder, "shop");
    drop(recorder);
    let staging = staging_directory(&directory);
    assert!(fs::read(staging.join("commands.yml")).unwrap().ends_with(&[0; 9_000]));
    assert_eq!(methods(&staging), [Method::Connect]);
}

#[test]
fn refuses_hostile_names() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    let first = recorder(&directory);
    let connection = connected(&first, "shop");
    first.disconnect(connection).unwrap();
    fs::write(parent.path().join("secret.csv"), "1,2\n").unwrap();
    let log = fs::read_to_string(directory.join("commands.yml")).unwrap();
    for name in ["../secret.csv", "/etc/passwd", "..", "sub/x.csv"] {
        let rows =
            format!("{log}- method: fetch_all\n  connection_id: a\n  statement_id: 1\n  rows_file: \"{name}\"\n");
        let columns = format!("- method: columns\n  connection_id: a\n  statement_id: 1\n  columns_file: \"{name}\"\n");
        fs::write(directory.join("commands.yml"), rows + &columns).unwrap();
        let player = player(&directory);
        player.connect(&connect(A, "shop")).unwrap();
        let why = player.columns(A, 1).unwrap_err().to_string();
        assert!(why.contains("is not the name of a file in this cassette"), "{why}");
        let why = player.fetch(A, 1).map(|_| ()).unwrap_err();
        assert!(why.headline.contains("is not the name of a file in this cassette"), "{}", why.headline);
        assert!(why.headline.contains("commands.yml:8"), "{}", why.headline);
    }
}
