//! Cassettes that a person wrote: what they say, what is wrong with them, and how they are played.

use std::path::Path;
use std::sync::Arc;

use crate::support::*;
use super8_cassette::{CassetteError, ConnectionId, Entry, Fields, Key, Method, State, Value, by_hand, open, state};
use super8_matching::FIRST_RESULT_ANSWER;
use super8_matching::{Fetched, Mismatch, MismatchKind, Player};

const SHOP: &str = include_str!("../../tests/cassettes/empty-shop/commands.yml");

fn written(directory: &Path, log: &str) {
    std::fs::create_dir_all(directory).unwrap();
    std::fs::write(directory.join("commands.yml"), log).unwrap();
}

/// A program on a cassette that says this behind its connect.
struct Desk {
    player: Arc<Player>,
    connection: ConnectionId,
    statements: u32,
    _parent: tempfile::TempDir,
}

impl Desk {
    fn of(log: &str) -> Desk {
        let parent = tempfile::tempdir().unwrap();
        let log = if log.contains("method: connect") { log.to_owned() } else { format!("- method: connect\n{log}") };
        written(&parent.path().join("x"), &log);
        let player = play(&parent.path().join("x"), None).unwrap();
        let connection = player.connect(&connect(A, "shop")).unwrap().connection;
        Desk { player, connection, statements: 0, _parent: parent }
    }

    /// A new text on a new handle.
    fn asks(&mut self, method: Method, sql: &str, params: &[Value]) -> (u32, Result<Entry, Mismatch>) {
        self.statements += 1;
        let statement = FIRST_RESULT_ANSWER + self.statements;
        let mut asked = Entry::new(method, self.connection, Some(statement)).with(Key::Sql, sql);
        if !params.is_empty() {
            asked = asked.with(Key::Params, params.to_vec());
        }
        (statement, self.player.command(&asked))
    }

    fn runs(&mut self, sql: &str, params: &[Value]) -> Result<Entry, Mismatch> {
        self.asks(Method::Run, sql, params).1
    }

    fn executes(&self, statement: u32, params: &[Value]) -> Result<Entry, Mismatch> {
        let asked = Entry::new(Method::Execute, self.connection, Some(statement));
        self.player.command(&asked.with(Key::Params, params.to_vec()))
    }

    fn rows(&self, statement: u32) -> Vec<Vec<String>> {
        fetch_all(&self.player, self.connection, statement)
    }

    fn columns(&self, statement: u32) -> Vec<String> {
        let columns = self.player.columns(self.connection, statement).unwrap().unwrap();
        let name = |column: &Value| column.get("name").and_then(Value::as_text).unwrap_or_default().to_owned();
        columns.as_list().unwrap().iter().map(name).collect()
    }

    fn left(&self) -> Vec<u32> {
        self.player.unplayed().unwrap().iter().map(|unplayed| unplayed.line).collect()
    }
}

fn problem(log: &str) -> String {
    let parent = tempfile::tempdir().unwrap();
    written(&parent.path().join("x"), log);
    let error = open(&parent.path().join("x")).err().map(|error: CassetteError| error.to_string());
    let error = error.unwrap_or_else(|| panic!("nothing is wrong with\n{log}"));
    error.replace(&parent.path().join("x").display().to_string(), "x")
}

#[test]
fn a_log_alone_is_a_cassette() {
    let mut desk = Desk::of(SHOP);
    assert!(desk.player.is_by_hand());
    let (statement, played) = desk.asks(Method::Run, "select name, price from fruit where price < ?", &[5.into()]);
    assert!(played.unwrap().succeeded());
    assert_eq!(desk.columns(statement), ["name", "price"]);
    assert_eq!(desk.rows(statement), [["fig", "0.4"], ["apple", "1.25"], ["kiwi", "Null"]]);
    let (statement, _) = desk.asks(Method::Run, "delete from fruit", &[]);
    let count = desk.player.answer(desk.connection, Some(statement), Method::RowCount, &[Fields::new()], &[]);
    assert_eq!(count.unwrap().unwrap().get(Key::Result), Some(&3.into()));
    assert_eq!(desk.left(), [12]);
    let failed = desk.runs("select nothing", &[]).unwrap();
    assert_eq!((failed.failed(), desk.left()), (true, vec![]));
}

#[test]
fn prepared_or_direct_makes_no_difference_unless_the_cassette_says_it() {
    let mut desk = Desk::of(
        "- {method: run, sql: a, params: [1], rows: [[x]]}\n- {method: run, sql: a, params: [2], rows: [[y]]}\n",
    );
    let (statement, prepared) = desk.asks(Method::Prepare, "a", &[]);
    assert!(prepared.unwrap().succeeded());
    assert_eq!(desk.columns(statement), ["c1"], "known before it is executed");
    assert_eq!(desk.left(), [2, 3], "and not played before that");
    desk.executes(statement, &[1.into()]).unwrap();
    assert_eq!(desk.rows(statement), [["x"]]);
    desk.executes(statement, &[2.into()]).unwrap();
    assert_eq!(desk.rows(statement), [["y"]]);
    assert!(desk.executes(statement, &[3.into()]).is_err());

    let strict = "- {method: prepare, sql: a}\n- {method: execute, params: [1], rows: [[x]]}\n- {method: execute, params: [2]}\n";
    let mut desk = Desk::of(strict);
    let (statement, _) = desk.asks(Method::Prepare, "a", &[]);
    desk.executes(statement, &[1.into()]).unwrap();
    assert_eq!(desk.rows(statement), [["x"]]);
    desk.executes(statement, &[2.into()]).unwrap();
    assert!(desk.left().is_empty());
    assert!(Desk::of(strict).runs("a", &[]).is_err());
}

#[test]
fn what_an_entry_does_not_say_is_not_compared_and_the_order_is() {
    let log = "- {method: run, sql: a}\n- {method: run, sql: b, params: [5, x]}\n";
    let mut desk = Desk::of(log);
    desk.runs("a", &[7.into()]).unwrap();
    desk.runs("b", &["5".into(), "x".into()]).unwrap();
    let swapped = Desk::of(log).runs("b", &[5.into(), "x".into()]).unwrap_err();
    assert!(
        swapped.report.contains("x/commands.yml:2") && swapped.report.contains("out of order"),
        "{}",
        swapped.report
    );
    let mut desk = Desk::of(log);
    desk.runs("a", &[]).unwrap();
    let other = desk.runs("b", &[6.into(), "x".into()]).unwrap_err();
    assert!(other.report.contains("difference: parameter 1 differs: recorded 5, asked 6"), "{}", other.report);
    assert!(other.report.contains("add what was asked") && !other.report.contains("match: exact"), "{}", other.report);
}

#[test]
fn transactions_and_attributes_are_compared_where_the_cassette_has_some() {
    let commit = |desk: &Desk| desk.player.command(&Entry::new(Method::Commit, desk.connection, None));
    let mut desk = Desk::of("- {method: run, sql: a}\n");
    assert!(commit(&desk).unwrap().succeeded());
    desk.runs("a", &[]).unwrap();
    let mut desk = Desk::of("- {method: run, sql: a}\n- method: commit\n");
    desk.runs("a", &[]).unwrap();
    commit(&desk).unwrap();
    assert!(desk.left().is_empty());
    assert!(commit(&desk).is_err());
}

#[test]
fn how_much_of_a_result_is_read_makes_no_difference() {
    let log =
        "- {method: run, sql: a, rows: [[1], [2]]}\n- {method: more_results, rows: [[3]]}\n- {method: run, sql: b}\n";
    let mut desk = Desk::of(log);
    let (statement, _) = desk.asks(Method::Run, "a", &[]);
    let Fetched::Rows(_) = desk.player.fetch(desk.connection, statement).unwrap() else { panic!("no rows") };
    let more = Entry::new(Method::MoreResults, desk.connection, Some(statement));
    assert_eq!(desk.player.command(&more).unwrap().get(Key::Result), Some(&true.into()));
    assert_eq!(desk.rows(statement), [["3"]]);
    for _ in 0..2 {
        assert_eq!(desk.player.command(&more).unwrap().get(Key::Return), Some(&"SQL_NO_DATA".into()));
    }
    desk.runs("b", &[]).unwrap();
    assert!(desk.left().is_empty());
}

#[test]
fn an_entry_is_played_so_often_or_whenever_it_is_asked() {
    let mut desk = Desk::of(
        "- {method: run, sql: ping, times: 0.., rows: [[1]]}\n- {method: run, sql: a, times: 2}\n- {method: run, sql: b, times: 1..}\n",
    );
    for sql in ["ping", "a", "ping", "ping", "a"] {
        desk.runs(sql, &[]).unwrap();
    }
    assert_eq!(desk.left(), [4]);
    for sql in ["b", "b", "ping"] {
        desk.runs(sql, &[]).unwrap();
    }
    assert!(desk.left().is_empty());
    assert!(desk.runs("a", &[]).is_err());
    let (statement, prepared) =
        Desk::of("- {method: run, sql: ping, times: 0.., rows: [[1]]}\n").asks(Method::Prepare, "ping", &[]);
    assert!(prepared.unwrap().succeeded() && statement >= FIRST_RESULT_ANSWER);
}

#[test]
fn a_group_is_played_in_any_order() {
    let log = "- {method: run, sql: a}\n- unordered:\n    - {method: run, sql: b, rows: [[1], [2]]}\n    - method: run\n      sql: c\n    - {method: run, sql: d}\n- {method: run, sql: e}\n";
    let mut desk = Desk::of(log);
    desk.runs("a", &[]).unwrap();
    desk.runs("d", &[]).unwrap();
    assert_eq!(desk.left(), [4, 5, 8]);
    let (statement, _) = desk.asks(Method::Run, "b", &[]);
    assert_eq!(desk.rows(statement), [["1"], ["2"]]);
    desk.runs("c", &[]).unwrap();
    desk.runs("e", &[]).unwrap();
    assert!(desk.left().is_empty());
    let mut desk = Desk::of(log);
    desk.runs("a", &[]).unwrap();
    let early = desk.runs("e", &[]).unwrap_err();
    assert!(early.report.contains("commands.yml:4"), "{}", early.report);
}

#[test]
fn texts_are_compared_as_the_entry_says() {
    let mut desk = Desk::of(
        "- {method: run, sql: 'select  1', match: spaces}\n- {method: run, sql: 'select {id}, {id}', match: pattern}\n",
    );
    desk.runs("select\n1", &[]).unwrap();
    let (statement, _) = desk.asks(Method::Prepare, "select 7, 7", &[]);
    desk.executes(statement, &[]).unwrap();
    assert!(desk.left().is_empty());
}

#[test]
fn ids_that_are_written_are_kept_and_others_are_given() {
    let log = "- method: connect\n  connection_id: c\n- method: run\n  sql: a\n- method: connect\n- {method: run, sql: b}\n- {method: run, connection_id: c, statement_id: 2, sql: d}\n";
    let parent = tempfile::tempdir().unwrap();
    written(&parent.path().join("x"), log);
    let store = open(&parent.path().join("x")).unwrap();
    let mut places = Vec::new();
    store
        .scan(&mut |place, head| {
            if matches!(head.method, Method::Connect | Method::Run) {
                places.push((place.line, head.connection.to_string(), head.statement));
            }
            Ok(())
        })
        .unwrap();
    let expected = [(1, "c", None), (3, "c", Some(1)), (5, "a", None), (6, "a", Some(1)), (7, "c", Some(2))];
    assert_eq!(places, expected.map(|(line, connection, statement)| (line, connection.to_owned(), statement)));
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let entry = |rest: &str| format!("- method: connect\n- method: run\n  sql: a\n{rest}");
    for (log, expected) in [
        (
            "- method: run\n  sql: a\n".to_owned(),
            "x/commands.yml:1: there is no connect before this entry; begin the file with",
        ),
        (
            entry("  colums: {a: INTEGER}\n"),
            "x/commands.yml:4: colums: `colums` is not a known key of run; did you mean `columns`?",
        ),
        (
            entry("  columns: {a: INTEGR}\n"),
            "x/commands.yml:4: columns[0]: INTEGR is not a type: did you mean INTEGER?",
        ),
        (entry("  columns: {a: VARCHAR(x)}\n"), "x/commands.yml:4: columns[0]: `X` is not a length of VARCHAR"),
        (
            entry("  columns:\n    a: INTEGER\n    b: DATE(3)\n"),
            "x/commands.yml:6: columns[1]: DATE has nothing in parentheses",
        ),
        (
            entry("  columns: [{name: a, type: DATE, lenght: 3}]\n"),
            "`lenght` is not a known field of a column: did you mean `length`?",
        ),
        (
            entry("  rows:\n    - [1, x]\n    - [2]\n"),
            "x/commands.yml:6: rows[1]: the row has 1 cell, and the first row has 2 columns",
        ),
        (
            entry("  columns: {a: INTEGER}\n  rows:\n  - [1]\n  - ['2']\n"),
            "x/commands.yml:7: rows[1]: cell 1 (a): \"2\" is not a value of INTEGER",
        ),
        (
            entry("  rows:\n    - [1]\n    - [x]\n"),
            "the values of c1 are of several types; write the type of the column",
        ),
        (entry("  rows: [1]\n"), "x/commands.yml:4: rows[0]: a row is a list of cells"),
        (
            entry("  times: often\n"),
            "x/commands.yml:4: times: is neither a number, such as 3, nor a number and two dots",
        ),
        (entry("  match: loosely\n"), "x/commands.yml:4: match: `loosely` is not a known way to compare a text"),
        (entry("  row_count: many\n"), "x/commands.yml:4: row_count: is not a number of rows"),
        (entry("  return: SQL_ERROR\n  rows: [[1]]\n"), "x/commands.yml:5: rows: what fails has no result"),
        (entry("  return: SQL_EROR\n"), "did you mean `SQL_ERROR`?"),
        (entry("- method: conect\n"), "x/commands.yml:4: method: `conect` is not a method"),
        (
            "- method: connect\n  times: 0..\n".to_owned(),
            "x/commands.yml:2: times: a connect opens one connection each time",
        ),
        (
            entry(
                "- unordered:\n    - method: run\n      sql: b\n    - method: run\n      sql: c\n      rows: [[]]\n      colums: x\n",
            ),
            "x/commands.yml:10: colums",
        ),
        (entry("<<<<<<< ours\n"), "x/commands.yml:4: a merge conflict marker"),
    ] {
        let problem = problem(&log);
        assert!(problem.contains(expected), "{problem}\nexpected {expected}");
    }
    let parent = tempfile::tempdir().unwrap();
    written(parent.path(), &entry("  rows: [[1], []]\n- method: run\n  times: x\n"));
    let all = by_hand::problems(parent.path()).unwrap();
    assert_eq!(all.iter().map(CassetteError::line).collect::<Vec<_>>(), [Some(4), Some(6)]);
}

#[test]
fn line_ends_and_byte_order_marks_of_editors_make_no_difference() {
    let edited = format!("\u{feff}# mine\r\n{}", SHOP.replace('\n', "\r\n"));
    let mut desk = Desk::of(&edited);
    let (statement, _) = desk.asks(Method::Run, "select name, price from fruit where price < ?", &[5.into()]);
    assert_eq!(desk.rows(statement).len(), 3);
}

#[test]
fn nothing_is_recorded_over_it() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("x");
    written(&path, SHOP);
    assert_eq!(state(&path), Ok(State::Complete));
    let refused = super8_cassette::Recorder::open(options(&path)).err().unwrap().to_string();
    assert!(refused.contains("is written by hand, and is not recorded over"), "{refused}");
    // ids and files of a recording do not hide it, if metadata.yml says so
    std::fs::write(path.join("a_info.yml"), "- function: SQLGetInfo\n  info: 17\n  result: Oracle\n").unwrap();
    assert!(!by_hand::is_by_hand(&path), "a recording without its metadata.yml");
    std::fs::write(path.join("metadata.yml"), "made: by hand\norder: connection\n").unwrap();
    assert!(by_hand::is_by_hand(&path) && super8_cassette::Recorder::open(options(&path)).is_err());
    let told = open(&path).unwrap().info(A).unwrap();
    let about = |number: i64| {
        let of = |answer: &&Fields| answer.get(Key::Info) == Some(&number.into());
        told.iter().filter(of).map(|answer| answer.get(Key::Result).cloned()).collect::<Vec<_>>()
    };
    assert_eq!(about(17), [Some("Oracle".into())], "what the cassette says comes before what a plain driver says");
    assert_eq!(about(77), [Some("03.80".into())]);
}

#[test]
fn a_volatile_value_is_what_the_program_sends() {
    const LOG: &str = "- method: run
  sql: insert into orders values (?)
  params: [order-1]
  row_count: 1
  volatile: [params 1]
- method: run
  sql: select id from orders where id = ?
  params: [order-1]
  rows: [[order-1]]
- method: run
  sql: select upper(id) from orders where id = ?
  params: [order-1]
  rows: [[order-1]]
  times: 0..
";
    let mut desk = Desk::of(LOG);
    let live = [Value::from("order-22")];
    desk.runs("insert into orders values (?)", &live).unwrap();
    let (prepared, _) = desk.asks(Method::Prepare, "select id from orders where id = ?", &[]);
    desk.executes(prepared, &live).unwrap();
    assert_eq!(desk.rows(prepared), [["order-22"]]);
    for _ in 0..2 {
        let (served, played) = desk.asks(Method::Run, "select upper(id) from orders where id = ?", &live);
        played.unwrap();
        assert_eq!(desk.rows(served), [["order-22"]]);
    }
    let other = desk.runs("select upper(id) from orders where id = ?", &[Value::from("order-33")]);
    assert_eq!(other.unwrap_err().kind, MismatchKind::Exhausted);
}

#[test]
fn each_connection_has_the_answers_of_its_driver() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("x");
    let connect = |more: &str| format!("- method: connect\n  dsn: shop\n{more}");
    let log =
        [connect("  driver: postgresql\n"), connect(""), connect("  driver: sqlite\n"), connect("  driver: sqlite\n")];
    written(&path, &log.concat());
    let store = open(&path).unwrap();
    let name = |connection: u32| {
        let told = store.info(ConnectionId(connection)).unwrap();
        let is_name = |answer: &&Fields| answer.get(Key::Info) == Some(&17.into());
        told.iter().find(is_name).and_then(|answer| answer.get(Key::Result).cloned())
    };
    assert_eq!([0, 1, 2, 3].map(name), ["PostgreSQL", "super8", "SQLite", "SQLite"].map(|name| Some(name.into())));
    // a driver of odbcinst.ini is compared
    let log = |driver: &str| format!("- method: connect\n  driver: {driver}\n");
    for (driver, compared) in [("SQLite3", Some("SQLite3")), ("\"{sqlite3}\"", Some("sqlite3")), ("sqlite", None)] {
        written(&path, &log(driver));
        let mut entries = Vec::new();
        let store = open(&path).unwrap();
        store.scan(&mut |place, _| store.entry(place).map(|entry| entries.push(entry))).unwrap();
        assert_eq!(entries[0].get(Key::Driver).and_then(Value::as_text), compared, "{driver}");
    }
    let wrong = problem(&log("sqlite3"));
    assert!(wrong.contains("did you mean sqlite?") && wrong.contains("\"{sqlite3}\""), "{wrong}");
    written(&path, &log("sqlite"));
    std::fs::write(path.join("metadata.yml"), "made: by hand\ndriver: sqlite\n").unwrap();
    let wrong = open(&path).err().unwrap().to_string();
    assert!(wrong.contains("write it into the connect of commands.yml: `driver: sqlite`"), "{wrong}");
}
