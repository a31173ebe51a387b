//! What goes through the recorder, its files to the letter, and the same through the player.

use crate::support::session::{columns, fact, record};
use crate::support::*;
use super8_cassette::{Entry, Fields, Key, Method, Recorder, Value};
use super8_matching::Fetched;

const COMMANDS: &str = r#"- method: connect
  connection_id: a
  dsn: shop
  info_file: a_info.yml
- method: connect
  connection_id: b
  dsn: shop
  info_file: a_info.yml
- method: run
  connection_id: a
  statement_id: 1
  sql: |-
    SELECT id,
      name
    FROM t
- method: columns
  connection_id: a
  statement_id: 1
  columns_file: a_1_columns.yml
- method: row_count
  connection_id: a
  statement_id: 1
  result: -1
- method: fetch_many
  connection_id: a
  statement_id: 1
  "n": 2
  rows_file: a_1_fetch_many.csv
  c_types: [CHAR, CHAR]
- method: run
  connection_id: b
  statement_id: 1
  sql: "SELECT id, name FROM u WHERE id = ?"
  params: [7]
- method: columns
  connection_id: b
  statement_id: 1
  columns_file: a_1_columns.yml
- method: fetch
  connection_id: b
  statement_id: 1
  result: [7, null]
  c_types: [SLONG, CHAR]
  outcomes: [{row: 1, return: SQL_SUCCESS_WITH_INFO}]
- method: fetch
  connection_id: b
  statement_id: 1
  result: null
- method: fetch_many
  connection_id: a
  statement_id: 1
  "n": 2
  rows_file: a_1_fetch_many_2.csv
  c_types: [CHAR, CHAR]
- method: fetch
  connection_id: a
  statement_id: 1
  result: null
- method: drop
  connection_id: a
  statement_id: 1
  result: null
- method: run
  connection_id: a
  statement_id: 2
  sql: "SELECT 1 WHERE 1 = 0"
- method: fetch
  connection_id: a
  statement_id: 2
  result: null
- method: run
  connection_id: a
  statement_id: 3
  sql: "SELECT x FROM v"
- method: fetch_all
  connection_id: a
  statement_id: 3
  "n": 2
  rows_file: a_3_fetch_all.csv
  c_types: [CHAR]
- method: more_results
  connection_id: a
  statement_id: 3
  result: true
- method: fetch_all
  connection_id: a
  statement_id: 3
  "n": 2
  rows_file: a_3_fetch_all_2.csv
  c_types: [CHAR]
- method: fetch
  connection_id: a
  statement_id: 3
  result: null
  return: SQL_ERROR
- method: disconnect
  connection_id: a
  result: null
- method: disconnect
  connection_id: b
  result: null
"#;

#[test]
fn files_to_the_letter() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    record(&recorder(&directory));
    let files = files(&directory);
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "a_1_columns.yml",
            "a_1_fetch_many.csv",
            "a_1_fetch_many_2.csv",
            "a_3_fetch_all.csv",
            "a_3_fetch_all_2.csv",
            "a_info.yml",
            "commands.yml",
            "metadata.yml"
        ]
    );
    assert_eq!(files["commands.yml"], COMMANDS);
    assert_eq!(files["a_1_fetch_many.csv"], "1,Ann\n2,Bob\n");
    assert_eq!(files["a_1_fetch_many_2.csv"], "3,\\e\\\\Cid\n4,\n");
    assert_eq!(files["a_3_fetch_all.csv"], "x\ny\n");
    assert_eq!(files["a_3_fetch_all_2.csv"], "z\n\"\u{e4} \"\" ,\"\n");
    assert_eq!(files["a_info.yml"], "- function: SQLGetInfo\n  info: 17\n  result: SQLite\n");
    assert!(files["metadata.yml"].contains("complete: true\norder: global\n"), "{}", files["metadata.yml"]);
    assert_eq!(crate::support::names(parent.path()), ["x"], "nothing is left beside it");
}

#[test]
fn plays_what_was_recorded() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    record(&recorder(&directory));
    let player = player(&directory);
    let a = player.connect(&connect(B, "shop")).unwrap().connection;
    let b = player.connect(&connect(A, "shop")).unwrap().connection;
    assert_eq!((a, b), (A, B));
    let info = |connection, id: i32| player.info(connection, &[(Key::Info, id.into())]).unwrap();
    assert_eq!(info(a, 17), Some(fact(17, "SQLite")));
    assert_eq!(info(b, 17), Some(fact(17, "SQLite")), "shared by the identity");
    assert_eq!(info(b, 18), None);

    assert_eq!(player.columns(a, 1).unwrap().as_deref(), Some(&columns(&["id", "name"])), "before the run already");
    player.command(&run(a, 1, "SELECT id,\n  name\nFROM t")).unwrap();
    let counted = player.answer(a, Some(1), Method::RowCount, &[Fields::new()], &[Fields::new()]).unwrap().unwrap();
    assert_eq!(counted.get(Key::Result), Some(&Value::Int(-1)));
    assert_eq!(player.answer(a, Some(1), Method::NumParams, &[Fields::new()], &[Fields::new()]).unwrap(), None);
    let Fetched::Rows(mut first) = player.fetch(a, 1).unwrap() else { panic!("no rows") };
    assert_eq!(rows(&mut first), [["1", "Ann"], ["2", "Bob"]]);
    assert!(first.exhausted() && !first.ended());
    player.command(&run(b, 1, "SELECT id, name FROM u WHERE id = ?").with(Key::Params, vec![7])).unwrap();
    assert_eq!(player.columns(b, 1).unwrap().as_deref(), Some(&columns(&["id", "name"])));
    // the runs may be read in another order than they ended in
    assert_eq!(fetch_all(&player, a, 1), [["3", "\\Cid"], ["4", ""]]);
    let Fetched::Rows(mut other) = player.fetch(b, 1).unwrap() else { panic!("no rows") };
    assert_eq!(other.c_types(), ["SLONG", "CHAR"]);
    assert_eq!(
        other.next().unwrap().map(|row| row.iter().map(<[u8]>::to_vec).collect()),
        Some(vec![b"7".to_vec(), b"\\N".to_vec()])
    );
    assert_eq!(other.outcome().and_then(|outcome| outcome.get("return")), Some(&"SQL_SUCCESS_WITH_INFO".into()));
    assert!(other.ended() && other.next().unwrap().is_none());
    assert!(matches!(player.fetch(b, 1).unwrap(), Fetched::End), "and again");
    player.housekeeping(&drop_of(a, 1));

    player.command(&run(a, 2, "SELECT 1 WHERE 1 = 0")).unwrap();
    // the end of data need not be asked for
    player.command(&run(a, 3, "SELECT x FROM v")).unwrap();
    assert!(matches!(player.fetch(a, 2).unwrap(), Fetched::End), "but it may be, later");
    assert_eq!(fetch_all(&player, a, 3), [["x"], ["y"]]);
    assert!(matches!(player.fetch(a, 3).unwrap(), Fetched::End));
    let unplayed: Vec<_> = player.unplayed().unwrap().iter().map(|it| (it.number, it.method, it.line)).collect();
    let line = |item: &str| COMMANDS[..COMMANDS.rfind(item).unwrap()].lines().count() as u32 + 1;
    let methods = [(14, Method::MoreResults), (15, Method::FetchAll), (16, Method::Fetch)];
    let left = methods.map(|(number, method)| (number, method, line(&format!("- method: {}\n", method.name()))));
    assert_eq!(unplayed, left);
    let more = player.command(&Entry::new(Method::MoreResults, a, Some(3))).unwrap();
    assert_eq!(more.get(Key::Result), Some(&Value::Bool(true)));
    assert_eq!(fetch_all(&player, a, 3), [["z"], ["\u{e4} \" ,"]]);
    let Fetched::Failed(failed) = player.fetch(a, 3).unwrap() else { panic!("it failed") };
    assert_eq!(failed.get(Key::Return), Some(&"SQL_ERROR".into()));
    assert_eq!(player.unplayed().unwrap(), []);
    player.disconnect(a);
    player.disconnect(b);
}

#[test]
fn small_results_stand_in_the_log_if_wanted() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    let recorder = Recorder::open(super8_cassette::RecordOptions { inline_rows: 2, ..options(&directory) }).unwrap();
    let a = connected(&recorder, "shop");
    let wide = "w".repeat(70_000);
    let results: [&[&[&str]]; 4] = [&[&["1"], &["2"]], &[&["1"], &["2"], &["3"]], &[&[&wide], &["2"]], &[&[&wide]]];
    for (statement, rows) in (1..).zip(results) {
        recorder.command(&run(a, statement, "SELECT 1")).unwrap();
        result(&recorder, a, statement, rows);
    }
    recorder.disconnect(a).unwrap();
    let files = files(&directory);
    assert!(
        files["commands.yml"].contains("\n  rows:\n    - [\"1\"]\n    - [\"2\"]\n"),
        "{}",
        &files["commands.yml"][..500]
    );
    assert_eq!(
        crate::support::names(&directory),
        ["a_2_fetch_all.csv", "a_3_fetch_all.csv", "a_info.yml", "commands.yml", "metadata.yml"]
    );
    let player = player(&directory);
    player.connect(&connect(A, "shop")).unwrap();
    for (statement, rows) in (1..).zip(results) {
        player.command(&run(a, statement, "SELECT 1")).unwrap();
        assert_eq!(fetch_all(&player, a, statement), rows, "statement {statement}");
    }
}
