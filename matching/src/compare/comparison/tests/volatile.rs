//! What the items of `volatile` loosen.

use super8_cassette::volatile::*;
use super8_cassette::{ConnectionId, Entry, Key, Method, Value};

use crate::compare::comparison::difference;

fn list(items: &[&str]) -> Value {
    Value::List(items.iter().map(|item| Value::from(*item)).collect())
}

fn run(sql: &str, params: Vec<Value>) -> Entry {
    Entry::new(Method::Run, ConnectionId(0), Some(1)).with(Key::Sql, sql).with(Key::Params, Value::List(params))
}

#[test]
fn a_parameter_of_its_type_and_nothing_else() {
    let recorded = run("s", vec![1.into(), "monday".into()]).with(Key::Volatile, list(&["params 2"]));
    assert_eq!(difference(&recorded, &run("s", vec![1.into(), "friday".into()])), None);
    let place = |asked: &Entry| difference(&recorded, asked).map(|difference| difference.place);
    assert_eq!(place(&run("s", vec![2.into(), "friday".into()])).as_deref(), Some("parameter 1"));
    assert_eq!(place(&run("s", vec![1.into(), 5.into()])).as_deref(), Some("parameter 2"));
    assert_eq!(place(&run("s", vec![1.into()])).as_deref(), Some("parameter 2"));
    let day = |text: &str| Value::Map(vec![("TYPE_DATE".to_owned(), text.into())]);
    let sets = |last: &str| Value::List(vec![1.into(), day(last)]);
    let recorded = run("s", vec![sets("2026-01-01"), sets("2026-01-02")]).with(Key::Volatile, list(&["params 2"]));
    assert_eq!(difference(&recorded, &run("s", vec![sets("2027-01-01"), sets("2027-01-02")])), None);
    assert!(difference(&recorded, &run("s", vec![sets("2027-01-01")])).is_some(), "another number of sets");
}

#[test]
fn a_null_stands_for_any_value() {
    let recorded = run("s", vec![Value::Null, Value::Null]).with(Key::Volatile, list(&["params 1"]));
    for value in [1.into(), "friday".into(), Value::Null] {
        assert_eq!(difference(&recorded, &run("s", vec![value, Value::Null])), None);
    }
    assert!(difference(&recorded, &run("s", vec![Value::Null, 1.into()])).is_some(), "the other is not named");
    assert!(difference(&recorded, &run("s", vec![Value::Null])).is_some(), "another number of values");
}

#[test]
fn a_part_of_a_statement() {
    let recorded = run("select * from tmp_81 where day > '2026-11-21' and n = 5", vec![]);
    let recorded = recorded.with(Key::Volatile, list(&["sql tmp_81", "sql 2026-11-21"]));
    let same = |sql: &str| difference(&recorded, &run(sql, vec![])).is_none();
    assert!(same("select * from tmp_20177 where day > '2027-01-02' and n = 5"));
    assert!(same("select * from tmp_81 where day > '2026-11-21' and n = 5"));
    assert!(!same("select * from tmp_81 where day > '2026-11-21' and n = 6"));
    assert!(!same("select * from a, b where day > '2026-11-21' and n = 5"), "blanks are no part of it");
    assert!(!same("select * from tmp_81 where day > 'today' and n = 5"), "letters are not digits");
    assert!(!same("select * from  where day > '2026-11-21' and n = 5"), "nothing is no value");
}

#[test]
fn what_stands_in_the_place_of_each_part() {
    let found = |is| replaced("from tmp_81 join tmp_81 on day = '2026-11-21'", is, &["2026-11-21", "tmp_81"]);
    let parts = [("tmp_81", "tmp_7"), ("tmp_81", "tmp_9"), ("2026-11-21", "2027-01-02")];
    assert_eq!(found("from tmp_7 join tmp_9 on day = '2027-01-02'"), Some(parts.to_vec()));
    assert_eq!(found("from tmp_7 join tmp_9"), None);
    assert_eq!(replaced("select 1", "select 1", &["tmp_81"]), Some(Vec::new()));
}

#[test]
fn a_single_item_needs_no_list() {
    let recorded = run("s", vec![1.into()]).with(Key::Volatile, "params 1");
    assert_eq!(difference(&recorded, &run("s", vec![2.into()])), None);
}

#[test]
fn other_inputs() {
    let catalog = |table: &str, schema: &str| {
        let arguments = [("schema", schema), ("table", table)].map(|(key, text)| (key.to_owned(), text.into()));
        Entry::new(Method::Catalog, ConnectionId(0), Some(1)).with(Key::Arguments, Value::Map(arguments.to_vec()))
    };
    let recorded = catalog("tmp1", "s").with(Key::Volatile, list(&["arguments table"]));
    assert_eq!(difference(&recorded, &catalog("tmp2", "s")), None);
    assert!(difference(&recorded, &catalog("tmp2", "t")).is_some());
    let connect = |file: &str| {
        let string = format!("DSN=d;Database={file};Timeout=1");
        Entry::new(Method::Connect, ConnectionId(0), None).with(Key::Dsn, "d").with(Key::ConnectionString, string)
    };
    let recorded = connect("/tmp/x1").with(Key::Volatile, list(&["keyword Database"]));
    assert_eq!(difference(&recorded, &connect("/tmp/x2")), None);
    assert!(difference(&connect("/tmp/x1"), &connect("/tmp/x2")).is_some());
}

#[test]
fn items_are_understood_or_not() {
    assert_eq!(Volatile::parse("params 3"), Some(Volatile::Parameter(3)));
    for wrong in ["params", "params 0", "params x", "param 1", "sql ", "", "rows 1"] {
        assert_eq!(Volatile::parse(wrong), None, "{wrong}");
    }
}
