//! Recordings that a person has edited: ids identify, they do not count.

use crate::support::*;
use std::path::Path;
use super8_cassette::{Entry, Key, Method};

/// A recording of four statements on one connection, with what a person makes of its log.
fn edited(edit: impl Fn(&str) -> String) -> tempfile::TempDir {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    let recorder = recorder(&directory);
    let a = connected(&recorder, "shop");
    for (statement, sql) in [(1, "SELECT 1"), (2, "SELECT 2"), (3, "SELECT 3"), (4, "SELECT 4")] {
        recorder.command(&run(a, statement, sql)).unwrap();
        result(&recorder, a, statement, &[&[sql, "x"], &["y", "z"]]);
    }
    recorder.disconnect(a).unwrap();
    recorder.publish().unwrap();
    let log = directory.join("commands.yml");
    let text = std::fs::read_to_string(&log).unwrap();
    std::fs::write(&log, edit(&text)).unwrap();
    parent
}

/// The items of a log that do not concern a statement.
fn without_statement(log: &str, statement: u32) -> String {
    let items = log.split("- method: ").filter(|item| !item.contains(&format!("statement_id: {statement}\n")));
    items.collect::<Vec<_>>().join("- method: ")
}

/// Plays these statements, and reads their rows.
fn plays(directory: &Path, statements: &[&str]) {
    let player = play(directory, None).unwrap();
    let a = player.connect(&connect(A, "shop")).unwrap().connection;
    for (number, sql) in (1..).zip(statements) {
        player.command(&run(a, number, sql)).unwrap();
        assert_eq!(fetch_all(&player, a, number)[0][0], *sql);
    }
    assert_eq!(player.unplayed().unwrap(), []);
}

#[test]
fn a_statement_is_taken_out() {
    let parent = edited(|log| without_statement(log, 2));
    plays(&parent.path().join("x"), &["SELECT 1", "SELECT 3", "SELECT 4"]);
    let parent = edited(|log| without_statement(&without_statement(log, 1), 3));
    plays(&parent.path().join("x"), &["SELECT 2", "SELECT 4"]);
}

#[test]
fn a_statement_is_put_in_with_an_id_of_its_own() {
    let parent = edited(|log| {
        let own = "- method: run\n  connection_id: a\n  statement_id: 77\n  sql: SELECT 77\n- method: fetch\n  connection_id: a\n  statement_id: 77\n  result: [SELECT 77, x]\n  c_types: [CHAR, CHAR]\n- method: fetch\n  connection_id: a\n  statement_id: 77\n  result: null\n";
        let at = log.find("- method: run\n  connection_id: a\n  statement_id: 3\n").unwrap();
        format!("{}{own}{}", &log[..at], &log[at..])
    });
    let directory = parent.path().join("x");
    plays(&directory, &["SELECT 1", "SELECT 2", "SELECT 77", "SELECT 3", "SELECT 4"]);
    // a report has the ids of the cassette
    let player = play(&directory, None).unwrap();
    let a = player.connect(&connect(A, "shop")).unwrap().connection;
    for (number, sql) in [(1, "SELECT 1"), (2, "SELECT 2")] {
        player.command(&run(a, number, sql)).unwrap();
        fetch_all(&player, a, number);
    }
    let asked = Entry::new(Method::Run, a, Some(3)).with(Key::Sql, "SELECT 78");
    let mismatch = player.command(&asked).unwrap_err();
    assert!(mismatch.report.contains("(a/77)") && mismatch.report.contains("statement_id: 77"), "{}", mismatch.report);
}

#[test]
fn a_connection_is_taken_out() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    let recorder = recorder(&directory);
    for sql in ["SELECT 1", "SELECT 2", "SELECT 3"] {
        let own = connected(&recorder, "shop");
        recorder.command(&run(own, 1, sql)).unwrap();
        recorder.disconnect(own).unwrap();
    }
    recorder.publish().unwrap();
    let log = directory.join("commands.yml");
    let text = std::fs::read_to_string(&log).unwrap();
    let kept = text.split("- method: ").filter(|item| !item.contains("connection_id: a\n"));
    std::fs::write(&log, kept.collect::<Vec<_>>().join("- method: ")).unwrap();
    let player = play(&directory, None).unwrap();
    for sql in ["SELECT 2", "SELECT 3"] {
        let own = player.connect(&connect(A, "shop")).unwrap().connection;
        player.command(&run(own, 1, sql)).unwrap();
        player.disconnect(own);
    }
    assert_eq!(player.unplayed().unwrap(), []);
}
