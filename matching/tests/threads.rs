//! Many threads: nobody waits for nobody, nothing is lost, and what was recorded is played.

use std::sync::{Arc, Barrier, mpsc};
use std::time::Duration;

use crate::support::*;
use super8_cassette::{
    Cell, ConnectionId, Directory, Key, MakeAppend, Metadata, Order, RecordOptions, Recorder, Run, Store, WriteAppend,
};
use super8_matching::{Fetched, Player};

const THREADS: usize = 8;

/// Fails instead of hanging.
fn within_a_minute(deed: impl FnOnce() + Send + 'static) {
    let (done, wait) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        deed();
        let _ = done.send(());
    });
    match wait.recv_timeout(Duration::from_secs(60)) {
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("the threads wait for each other"),
        _ => thread.join().unwrap(),
    }
}

/// The rows of a statement: enough for more than one block now and then.
fn cells(thread: usize, statement: u32, number: u32) -> [String; 2] {
    [format!("{thread}.{statement}.{number}"), "x".repeat(if statement.is_multiple_of(7) { 2_000 } else { 3 })]
}

fn count(thread: usize, statement: u32) -> u32 {
    (thread as u32 * 7 + statement * 13) % 50
}

fn query(connection: ConnectionId, statement: u32) -> super8_cassette::Entry {
    run(connection, statement, &format!("SELECT {statement}"))
}

const STATEMENTS: u32 = 40;

/// Records a row; a run that a command of another thread ended is continued by another.
fn put(recorder: &Arc<Recorder>, open: &mut Run, (connection, statement): (ConnectionId, u32), cells: &[String]) {
    loop {
        {
            let mut guard = open.lock();
            if guard.is_open() {
                guard.begin_row().unwrap();
                for (column, text) in cells.iter().enumerate() {
                    guard.row().set(column, Cell::Text(text.as_bytes()));
                }
                return;
            }
        }
        *open = recorder.run(connection, statement, false);
    }
}

/// Statements with results of 0 to 49 rows.
fn record(recorder: &Arc<Recorder>, connection: ConnectionId, thread: usize) {
    for statement in 1..=STATEMENTS {
        recorder.command(&query(connection, statement)).unwrap();
        let mut open = recorder.run(connection, statement, true);
        for number in 0..count(thread, statement) {
            put(recorder, &mut open, (connection, statement), &cells(thread, statement, number));
        }
        open.lock().end(true).unwrap();
        recorder.note(&drop_of(connection, statement)).unwrap();
    }
}

fn check(player: &Player, connection: ConnectionId, thread: usize) {
    for statement in 1..=STATEMENTS {
        let played = player.command(&query(connection, statement));
        played.unwrap_or_else(|mismatch| panic!("{}", mismatch.report));
        let rows = fetch_all(player, connection, statement);
        let recorded: Vec<_> = (0..count(thread, statement)).map(|number| cells(thread, statement, number)).collect();
        assert_eq!(rows, recorded, "thread {thread}, statement {statement}");
        assert!(matches!(player.fetch(connection, statement).unwrap(), Fetched::End));
    }
}

fn on_all_threads(deed: impl Fn(usize) + Send + Sync + 'static) {
    let (deed, start) = (Arc::new(deed), Arc::new(Barrier::new(THREADS)));
    let threads: Vec<_> = (0..THREADS)
        .map(|thread| {
            let (deed, start) = (Arc::clone(&deed), Arc::clone(&start));
            std::thread::spawn(move || {
                start.wait();
                deed(thread);
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn eight_threads_in_either_order() {
    for order in [Order::Connection, Order::Global] {
        within_a_minute(move || {
            let parent = tempfile::tempdir().unwrap();
            let directory = parent.path().join("x");
            let recorder = Recorder::open(RecordOptions { order, ..options(&directory) }).unwrap();
            let ids: Vec<ConnectionId> = (0..THREADS).map(|thread| connected(&recorder, &thread.to_string())).collect();
            on_all_threads(move |thread| {
                record(&recorder, ids[thread], thread);
                recorder.disconnect(ids[thread]).unwrap();
            });
            let player = play(&directory, Some(Order::Connection)).unwrap();
            on_all_threads(move |thread| {
                let connection = player.connect(&connect(A, &thread.to_string())).unwrap().connection;
                check(&player, connection, thread);
                player.disconnect(connection);
                if thread == 0 {
                    player.housekeeping(&drop_of(connection, 1));
                }
            });
        });
    }
}

#[test]
fn nothing_is_left_unplayed_by_eight_threads() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    let recorder = Recorder::open(RecordOptions { order: Order::Connection, ..options(&directory) }).unwrap();
    let ids: Vec<ConnectionId> = (0..THREADS).map(|thread| connected(&recorder, &thread.to_string())).collect();
    (0..THREADS).for_each(|thread| record(&recorder, ids[thread], thread));
    ids.iter().for_each(|connection| recorder.disconnect(*connection).unwrap());
    let player = player(&directory);
    assert_eq!(player.order(), Order::Connection, "as metadata.yml says");
    for thread in (0..THREADS).rev() {
        let connection = player.connect(&connect(A, &thread.to_string())).unwrap().connection;
        assert_eq!(player.recorded(connection), ids[thread]);
        check(&player, connection, thread);
    }
    assert_eq!(player.unplayed().unwrap(), []);
}

/// Commands that end the runs of others, and ends of those runs, at the same time: no deadlock, no lost row.
#[test]
fn ends_and_commands_meet() {
    within_a_minute(|| {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("x");
        let recorder = recorder(&directory);
        let ids: Vec<ConnectionId> = (0..THREADS).map(|thread| connected(&recorder, &thread.to_string())).collect();
        let (shared, all) = (Arc::clone(&recorder), ids.clone());
        on_all_threads(move |thread| {
            let connection = all[thread];
            for statement in 1..=300 {
                shared.command(&query(connection, statement)).unwrap();
                let open = shared.run(connection, statement, true);
                {
                    let mut guard = open.lock();
                    if guard.is_open() {
                        guard.begin_row().unwrap();
                        guard.row().set(0, Cell::Text(b"1"));
                    }
                }
                open.lock().end(true).unwrap();
                assert!(!open.lock().is_open());
            }
        });
        ids.iter().for_each(|connection| recorder.disconnect(*connection).unwrap());
        let text = std::fs::read_to_string(directory.join("commands.yml")).unwrap();
        let ends = text.matches("  result: null\n").count();
        assert_eq!(ends, THREADS * 300, "each end of data is there once");
    });
}

/// One connection, two threads: each runs its texts, in turn with the other one, and reads a row of each.
fn record_in_turns(recorder: &Arc<Recorder>, connection: ConnectionId) {
    let (to_b, b) = mpsc::channel::<()>();
    let (to_a, a) = mpsc::channel::<()>();
    let turn = |recorder: &Recorder, statement: u32, sql: &str| {
        recorder.command(&run(connection, statement, sql)).unwrap();
    };
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for (number, sql) in [(1, "SELECT 'a1'"), (3, "SELECT 'same'"), (5, "SELECT 'a2'")] {
                turn(recorder, number, sql);
                let mut open = recorder.run(connection, number, true);
                put(recorder, &mut open, (connection, number), &[format!("{number}")]);
                open.lock().end(true).unwrap();
                to_b.send(()).unwrap();
                a.recv().unwrap();
            }
        });
        scope.spawn(move || {
            for (number, sql) in [(2, "SELECT 'b1'"), (4, "SELECT 'b2'"), (6, "SELECT 'same'")] {
                b.recv().unwrap();
                turn(recorder, number, sql);
                let mut open = recorder.run(connection, number, true);
                put(recorder, &mut open, (connection, number), &[format!("{number}")]);
                open.lock().end(true).unwrap();
                to_a.send(()).unwrap();
            }
        });
    });
}

/// What a live connection is told that runs these texts one after the other.
fn told(directory: &std::path::Path, texts: &[&str]) -> Result<Vec<String>, String> {
    let player = play(directory, Some(Order::Connection)).unwrap();
    let connection = player.connect(&connect(A, "1")).unwrap().connection;
    let mut told = Vec::new();
    for (number, sql) in (1..).zip(texts) {
        player.command(&run(connection, number, sql)).map_err(|mismatch| mismatch.report)?;
        told.extend(fetch_all(&player, connection, number).into_iter().map(|row| row[0].clone()));
    }
    assert_eq!(player.unplayed().unwrap(), []);
    Ok(told)
}

#[test]
fn threads_that_share_a_connection_come_in_any_order() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    let recorder = recorder(&directory);
    let connection = connected(&recorder, "1");
    record_in_turns(&recorder, connection);
    recorder.disconnect(connection).unwrap();
    let log = std::fs::read_to_string(directory.join("commands.yml")).unwrap();
    assert_eq!(log.matches("  thread: 2\n").count(), 3, "{log}");
    let [a1, same, a2, b1, b2] = ["SELECT 'a1'", "SELECT 'same'", "SELECT 'a2'", "SELECT 'b1'", "SELECT 'b2'"];
    let told = |texts: &[&str]| told(&directory, texts);
    // as recorded; one thread after the other; the other way round
    assert_eq!(told(&[a1, b1, same, b2, a2, same]).unwrap(), ["1", "2", "3", "4", "5", "6"]);
    assert_eq!(told(&[a1, same, a2, b1, b2, same]).unwrap(), ["1", "3", "5", "2", "4", "6"]);
    assert_eq!(told(&[b1, b2, same, a1, same, a2]).unwrap(), ["2", "4", "6", "1", "3", "5"]);
    // the order of one thread counts
    for changed in [&[a2][..], &[a1, a2], &[b2], &[b1, a1, b2, a2]] {
        let report = told(changed).unwrap_err();
        assert!(report.contains("expected"), "{report}");
    }
}

/// Node.js calls from whichever thread of its pool is free: no thread does what it did when it was recorded.
#[test]
fn any_thread_of_a_connection_may_ask_for_what_comes_next() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    let make: MakeAppend = Arc::new(|file| Ok(Box::new(WriteAppend::new(file))));
    let store = Directory::record(&directory, Metadata::now(None, None), make).unwrap();
    let mut log = Vec::new();
    store.encode(&connect(A, "shop"), &mut log);
    for (statement, (thread, sql)) in (1..).zip([(1, "SELECT 1"), (2, "SELECT 2"), (1, "SELECT 3"), (2, "SELECT 3")]) {
        let mut entry = run(A, statement, sql);
        if thread > 1 {
            entry.fields.insert(0, (Key::Thread, thread.into()));
        }
        store.encode(&entry, &mut log);
    }
    store.append(&log).unwrap();
    store.publish().unwrap();

    within_a_minute(move || {
        let player = player(&directory);
        player.connect(&connect(A, "shop")).unwrap();
        let ask = |statement, sql| player.command(&run(A, statement, sql)).map(drop);
        ask(1, "SELECT 1").unwrap();
        // the other thread has a SELECT 3 of its own later, and asks for the first one's
        std::thread::scope(|scope| {
            let other = scope.spawn(|| ask(2, "SELECT 2").and_then(|()| ask(3, "SELECT 3")));
            other.join().unwrap().unwrap_or_else(|mismatch| panic!("{}", mismatch.report));
        });
        assert!(ask(4, "SELECT 4").is_err(), "and nothing else than comes next");
        drop(parent);
    });
}
