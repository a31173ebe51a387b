//! Tests of rules files, and of what they do to entries and rows.

use super::*;
use crate::{Cell, Key};

fn rules(text: &str) -> Result<Redaction, String> {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("super8.yml");
    std::fs::write(&file, text).unwrap();
    let variable = |name: &str| (name == "REDACTION_KEY").then(|| "from the environment".to_owned());
    Redaction::read(&file, &variable).map_err(|error| error.to_string())
}

const RULES: &str = "\
columns:
  - {name: SSN}
  - {position: 1, sql: 'FROM account'}
  - {name: note, pattern: '[a-z]+@[a-z.]+'}
parameters:
  - {position: 2, sql: '^INSERT'}
  - {pattern: '\\d{3}-\\d{2}-\\d{4}'}
patterns:
  - 'tok_[0-9a-z]+'
key: for tests
";

fn row_of(redactor: &Redactor, cells: &[(&str, &[u8])]) -> Vec<String> {
    let mut row = Row::new();
    for (at, (_, text)) in cells.iter().enumerate() {
        row.set(at, Cell::Text(text));
    }
    redactor.rows(ConnectionId(0), 1).row(&mut row, 1, |at| cells[at].0);
    row.fields().map(|field| String::from_utf8_lossy(&field).into_owned()).collect()
}

fn redactor(sql: &str, names: &[&str]) -> Redactor {
    let redactor = Redactor::default();
    redactor.follow(Arc::new(rules(RULES).unwrap()));
    redactor.entry(&Entry::new(Method::Run, ConnectionId(0), Some(1)).with(Key::Sql, sql));
    redactor.names(ConnectionId(0), 1, names.iter().map(|name| (*name).to_owned()).collect());
    redactor
}

#[test]
fn cells_by_name_position_and_pattern_keep_type_and_length() {
    let one = redactor("SELECT x, ssn, note FROM t", &["x", "ssn", "Note"]);
    let cells: [(&str, &[u8]); 3] =
        [("CHAR", b"stays"), ("CHAR", b"123-45-6789"), ("CHAR", b"mail ada@example.org tok_a1")];
    let found = row_of(&one, &cells);
    assert_eq!(found[0], "stays");
    assert!(found[1] != "123-45-6789" && found[1].len() == 11, "{found:?}");
    assert!(found[2].starts_with("mail ") && found[2].len() == 27, "{found:?}");
    assert!(!found[2].contains("ada@") && !found[2].contains("tok_"), "{found:?}");
    assert_eq!(found, row_of(&one, &cells), "the same value gives the same stand-in");

    let two = redactor("SELECT balance FROM account", &["balance"]);
    for (c_type, text) in [("SLONG", "1234"), ("DOUBLE", "12.5"), ("TYPE_DATE", "2026-01-31"), ("BIT", "1")] {
        let found = row_of(&two, &[(c_type, text.as_bytes())]).remove(0);
        match c_type {
            "SLONG" | "BIT" => assert!(found.parse::<i32>().is_ok(), "{found}"),
            "DOUBLE" => assert!(found.parse::<f64>().is_ok() && found != text, "{found}"),
            _ => assert!(found.len() == 10 && found != text, "{found}"),
        }
    }
}

#[test]
fn null_and_unread_cells_stay() {
    let redactor = redactor("SELECT ssn FROM t", &["ssn", "ssn"]);
    let mut row = Row::new();
    row.set(0, Cell::Null);
    row.widen(2);
    redactor.rows(ConnectionId(0), 1).row(&mut row, 1, |_| "CHAR");
    assert!(row.fields().eq([&b"\\N"[..], b"\\-"].map(std::borrow::Cow::Borrowed)));
}

#[test]
fn parameters_sql_and_messages() {
    let redactor = redactor("INSERT INTO t VALUES (?, ?, 'tok_9')", &[]);
    let entry = |second: &str| {
        let params = Value::List(vec!["ssn 123-45-6789".into(), second.into(), Value::Null]);
        let diagnostics = Value::List(vec![Value::Map(vec![("message".to_owned(), "bad tok_77".into())])]);
        let entry =
            Entry::new(Method::Run, ConnectionId(0), Some(1)).with(Key::Sql, "INSERT INTO t VALUES (?, ?, 'tok_9')");
        redactor.entry(&entry.with(Key::Params, params).with(Key::Diagnostics, diagnostics)).unwrap()
    };
    let (one, other) = (entry("secret"), entry("Secret"));
    let text = format!("{one:?}");
    for secret in ["123-45-6789", "secret", "tok_9", "tok_77"] {
        assert!(!text.contains(secret), "{text}");
    }
    assert!(text.contains("ssn <redacted ") && text.contains("Null"), "{text}");
    assert_ne!(one.get(Key::Params), other.get(Key::Params), "another value is another digest");
    assert_eq!(one, entry("secret"));
    assert_eq!(redactor.entry(&Entry::new(Method::Connect, ConnectionId(0), None)), None);
}

#[test]
fn another_key_is_another_digest() {
    let digest = |text: &str| rules(text).unwrap().digest(b"value");
    let file = "columns: [{name: a}]\n";
    assert_ne!(digest(file), digest(&format!("{file}key: other\n")));
    assert_ne!(digest(file), digest(&format!("{file}key_variable: REDACTION_KEY\n")));
    let prints = |text: &str| rules(text).unwrap().fingerprint().to_owned();
    assert_eq!(prints(file), prints(&format!("# a comment\n{file}")));
    assert_ne!(prints(file), prints("columns: [{name: b}]\n"));
}

#[test]
fn a_wrong_file_says_where_and_what() {
    for (text, parts) in [
        ("colums: []", vec!["super8.yml: colums: is not known; there are columns, "]),
        ("columns: {name: x}", vec!["columns: is not a list"]),
        ("columns:\n", vec!["columns: is not a list"]),
        ("volatile: uuid\n", vec!["volatile: is not a list"]),
        ("volatile:\n  -\n", vec!["volatile[0]: "]),
        ("columns: [{nam: x}]", vec!["columns[0].nam: is not known; there are name, position, sql, pattern"]),
        ("parameters: [{name: x}]", vec!["parameters[0].name: parameters have no names"]),
        ("parameters: [{position: 0}]", vec!["parameters[0].position: is not a number from 1"]),
        ("columns: [{sql: x}]", vec!["columns[0]: says neither name nor position"]),
        ("patterns: ['(']", vec!["patterns[0]: is not a regular expression"]),
        ("patterns: ['']", vec!["patterns[0]: is empty"]),
        ("key_variable: NOT_SET", vec!["the environment has no NOT_SET"]),
        ("- a", vec!["is not a map"]),
    ] {
        let message = rules(text).unwrap_err();
        parts.iter().for_each(|part| assert!(message.contains(part), "{text}: {message}"));
    }
    for nothing in ["", "\n", "# mine\n", "---\n  # mine\n"] {
        assert!(rules(nothing).is_ok(), "{nothing:?} has no rules");
    }
    for text in ["volatile:\n", "volatile: # mine\n#  - type: uuid\nanswers:\n", "volatile: []\n"] {
        assert!(rules(text).is_ok_and(|rules| rules.volatile().written().is_empty()), "{text}");
    }
    let missing = Redaction::read(std::path::Path::new("/nonexistent/super8.yml"), &|_| None).unwrap_err().to_string();
    assert!(missing.contains("cannot read") && missing.contains("SUPER8_CONFIG"), "{missing}");
}

#[test]
fn patterns_find_numbers_and_typed_values() {
    let rules = rules("parameters: [{position: 1, pattern: '^\\d{9}$'}]\npatterns: ['^77\\.5$', '1999-']\n").unwrap();
    let typed = |kind: &str, text: &str| Value::Map(vec![(kind.to_owned(), text.into())]);
    let sent = |first: Value| rules.parameters("", &Value::List(vec![first, Value::Float(77.5)]));
    for secret in
        [Value::Int(123_456_789), typed("NUMERIC", "123456789"), typed("TYPE_DATE", "1999-12-31"), "123456789".into()]
    {
        let Value::List(found) = sent(secret.clone()) else { panic!("no list") };
        let marked = |value: &Value| value.as_text().is_some_and(|text| text.starts_with("<redacted "));
        assert!(found.iter().all(marked), "{secret:?}: {found:?}");
    }
    for harmless in [Value::Int(12_345_678), typed("TYPE_DATE", "2000-01-01"), Value::Null] {
        let Value::List(found) = sent(harmless.clone()) else { panic!("no list") };
        assert_eq!(found[0], harmless);
    }
}
