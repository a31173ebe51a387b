//! What the report of a mismatch advises is followed here, and has to work.

use std::path::Path;

use crate::support::*;
use super8_cassette::{Entry, Key, Method, Value};
use super8_matching::{Mismatch, Player};

fn map(pairs: &[(&str, Value)]) -> Value {
    Value::Map(pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
}

fn list(items: impl IntoIterator<Item = Value>) -> Value {
    Value::List(items.into_iter().collect())
}

/// Records these commands, after a connect.
fn record(directory: &Path, commands: &[Entry]) {
    let recorder = recorder(directory);
    let a = connected(&recorder, "shop");
    commands.iter().for_each(|command| recorder.command(command).unwrap());
    recorder.disconnect(a).unwrap();
}

fn opened(directory: &Path) -> std::sync::Arc<Player> {
    let player = player(directory);
    player.connect(&connect(A, "shop")).unwrap();
    player
}

fn refused(directory: &Path, asked: &Entry) -> Mismatch {
    opened(directory).command(asked).map(|_| ()).unwrap_err()
}

/// The proposed list of a report, and the line of the log where its entry begins.
fn proposed(report: &str) -> (String, usize) {
    let (place, list) = report.split_once("the recorded entry, ").expect(report).1.split_once('\n').unwrap();
    let line = place.rsplit(':').next().unwrap().parse().unwrap();
    (list.lines().next().unwrap().trim().to_owned(), line)
}

/// Records one command, asks for another, does as the report says, and asks again.
#[track_caller]
fn follow(recorded: &Entry, asked: &Entry, expected: &str) {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    record(&directory, std::slice::from_ref(recorded));
    let told = refused(&directory, asked);
    let (list, line) = proposed(&told.report);
    assert_eq!(list, expected, "{}", told.report);
    let log = directory.join("commands.yml");
    let text = std::fs::read_to_string(&log).unwrap();
    let has_a_list = recorded.get(Key::Volatile).is_some();
    assert!(told.report.contains(if has_a_list { "replace the list of" } else { "add to" }), "{}", told.report);
    let mut lines: Vec<String> = text.lines().filter(|line| !line.contains("volatile:")).map(str::to_owned).collect();
    lines.insert(line, format!("  {list}"));
    std::fs::write(&log, lines.join("\n") + "\n").unwrap();
    opened(&directory).command(asked).unwrap_or_else(|told| panic!("{}\n{}", lines.join("\n"), told.report));
    opened(&directory).command(recorded).unwrap_or_else(|told| panic!("as recorded: {}", told.report));
}

#[test]
fn every_value_that_changed_is_named_in_one_list() {
    let sent = |number: i64, day: &str| {
        let day = map(&[("TYPE_DATE", day.into())]);
        run(A, 1, "SELECT ?, ?, ?").with(Key::Params, list([number.into(), "same".into(), day]))
    };
    follow(&sent(1, "2026-11-21"), &sent(2, "2026-11-21"), r#"volatile: ["params 1"]"#);
    follow(&sent(1, "2026-11-21"), &sent(2, "2026-11-22"), r#"volatile: ["params 1", "params 3"]"#);
    let some = sent(1, "2026-11-21").with(Key::Volatile, vec!["params 3"]);
    follow(&some, &sent(2, "2026-11-22"), r#"volatile: ["params 3", "params 1"]"#);
    let text = |sql: &str, number: i64| run(A, 1, sql).with(Key::Params, vec![number]);
    follow(
        &text("SELECT * FROM tmp_81 WHERE day > '2026-11-21' AND who = 'Bo \"B\" Ek' AND n = ?", 1),
        &text("SELECT * FROM tmp_9 WHERE day > '2026-11-22' AND who = 'Al' AND n = ?", 2),
        r#"volatile: ["sql tmp_81", "sql 2026-11-21", "sql Bo \"B\" Ek", "params 1"]"#,
    );
}

/// With data at execution the value that came stands among the parameters as any other; a long one as its digest.
#[test]
fn a_long_value_is_named_as_any_other() {
    let sent = |letter: &str| {
        run(A, 1, "INSERT INTO t VALUES (?, ?)").with(Key::Params, list([1.into(), letter.repeat(9000).into()]))
    };
    follow(&sent("a"), &sent("b"), r#"volatile: ["params 2"]"#);
    let bytes =
        |hex: &str| run(A, 1, "INSERT INTO t VALUES (?)").with(Key::Params, list([map(&[("BINARY", hex.into())])]));
    follow(&bytes("\\x01"), &bytes("\\x0203"), r#"volatile: ["params 1"]"#);
}

#[test]
fn an_array_names_its_columns() {
    let day = |number: usize| map(&[("TYPE_DATE", Value::from(format!("2026-01-{number:02}")))]);
    for size in [2, 20] {
        let sets = |shift: i64, days: usize, ignored: bool| {
            let mut sets: Vec<Value> = (0..size)
                .map(|set: usize| list([(set as i64 + shift).into(), "x".into(), day(set % 5 + days)]))
                .collect();
            if ignored {
                sets[1] = map(&[("PARAM_IGNORE", Value::Null)]);
            }
            run(A, 1, "INSERT INTO t VALUES (?, ?, ?)").with(Key::Params, Value::List(sets))
        };
        for ignored in [false, true] {
            follow(&sets(0, 1, ignored), &sets(0, 2, ignored), r#"volatile: ["params 3"]"#);
            follow(&sets(0, 1, ignored), &sets(100, 2, ignored), r#"volatile: ["params 1", "params 3"]"#);
        }
    }
}

#[test]
fn other_inputs_are_named_by_their_names() {
    let catalog = |schema: &str, table: &str| {
        let arguments = map(&[("schema", schema.into()), ("table", table.into()), ("type", "TABLE".into())]);
        Entry::new(Method::Catalog, A, Some(1)).with(Key::Function, "SQLTables").with(Key::Arguments, arguments)
    };
    follow(&catalog("s1", "tmp_1"), &catalog("s1", "tmp_2"), r#"volatile: ["arguments table"]"#);
    follow(&catalog("s1", "tmp_1"), &catalog("s2", "tmp_2"), r#"volatile: ["arguments schema", "arguments table"]"#);
    let limited = |rows: i64| run(A, 1, "SELECT 1").with(Key::Attributes, map(&[("max_rows", rows.into())]));
    follow(&limited(5), &limited(6), r#"volatile: ["attributes max_rows"]"#);
    let set = |value: &str| {
        let entry = Entry::new(Method::SetConnectAttr, A, None).with(Key::Attribute, "current_catalog");
        entry.with(Key::Value, value)
    };
    follow(&set("run_1"), &set("run_2"), r#"volatile: ["value"]"#);
}

#[test]
fn a_connect_names_its_keywords() {
    let connect = |database: &str, schema: &str| {
        let string = format!("DSN=shop;Database={database};Initial Catalog={schema}");
        connect(A, "shop").with(Key::ConnectionString, string)
    };
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    let recorder = recorder(&directory);
    recorder.command(&connect("run1", "s1")).unwrap();
    recorder.publish().unwrap();
    let told = player(&directory).connect(&connect("run2", "s2")).map(|_| ()).unwrap_err();
    let (list, line) = proposed(&told.report);
    assert_eq!(list, r#"volatile: ["keyword INITIAL CATALOG", "keyword DATABASE"]"#);
    let log = directory.join("commands.yml");
    let mut lines: Vec<String> = std::fs::read_to_string(&log).unwrap().lines().map(str::to_owned).collect();
    lines.insert(line, format!("  {list}"));
    std::fs::write(&log, lines.join("\n") + "\n").unwrap();
    player(&directory).connect(&connect("run2", "s2")).unwrap();
}

/// What no list can mend is not proposed.
#[test]
fn nothing_is_proposed_that_would_not_help() {
    let sent = |params: Value| run(A, 1, "SELECT price FROM fruit WHERE n = ?").with(Key::Params, params);
    let sql = |sql: &str| run(A, 1, sql);
    for (recorded, asked) in [
        (sent(list([1.into()])), sent(list(["1".into()]))),
        (sent(list([1.into()])), sent(list([Value::Null]))),
        (sent(list([1.into()])), sent(list([2.into(), 3.into()]))),
        (sent(list([list([1.into()])])), sent(list([list([2.into()]), list([3.into()])]))),
        (sql("SELECT n FROM t WHERE n > 5"), sql("SELECT n FROM t WHERE n >= 6")),
        (sql("SELECT price FROM fruit"), sql("SELECT name FROM fruit")),
        (sql("SELECT n FROM t WHERE n = 5"), sql("SELECT n FROM t WHERE n = -5")),
    ] {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("x");
        record(&directory, &[recorded]);
        let report = refused(&directory, &asked).report;
        assert!(report.contains("mismatch: differs") && !report.contains("volatile:"), "{report}");
    }
}

#[test]
fn calls_in_another_order_have_no_volatile_value() {
    let sent = |number: i64| run(A, 1, "SELECT price FROM fruit WHERE n = ?").with(Key::Params, vec![number]);
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    record(&directory, &[sent(1), sent(2), sent(3)]);
    let swapped = refused(&directory, &sent(2)).report;
    // One that was played before is asked again.
    let player = opened(&directory);
    player.command(&sent(1)).unwrap();
    let repeated = player.command(&sent(1)).map(|_| ()).unwrap_err().report;
    for (report, number) in [(swapped, 3), (repeated, 2)] {
        let says = format!("- command {number} (a/1) is equal to what was asked: the order differs, not a value\n");
        assert!(report.contains(&says) && report.contains("works in another order, record again\n"), "{report}");
        assert!(!report.contains("volatile"), "{report}");
    }
}
