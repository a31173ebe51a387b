//! Redaction of what a program sends: by name and position, and of what it sends back as it read it.

use std::path::Path;
use std::sync::Arc;

use crate::support::*;
use super8_cassette::{Entry, Key, Method, Recorder, Redaction, Secrets, Value, open};
use super8_matching::{Mismatch, Player};

const RULES: &str = "\
columns:
  - {name: ssn}
  - {name: note, pattern: '[a-z]+@[a-z.]+'}
parameters:
  - {position: 1, sql: 'WHERE ssn'}
  - {position: 2, sql: '^\\{call'}
key: for tests
";
const SECRETS: [&str; 4] = ["123-45-6789", "ada@example.org", "987-65-4321", "777"];

fn rules(directory: &Path) -> Arc<Redaction> {
    let file = directory.join("super8.yml");
    std::fs::write(&file, RULES).unwrap();
    Arc::new(Redaction::read(&file, &|_| None).unwrap())
}

fn update(ssn: Value, note: &str) -> Entry {
    let set = Value::List(vec![Value::Int(7), ssn, note.into()]);
    let unbound = Value::Map(vec![("UNBOUND".to_owned(), Value::Null)]);
    let other = Value::List(vec![unbound, Value::Null, "nothing".into()]);
    let entry = Entry::new(Method::SetPos, A, Some(1)).with(Key::Operation, "update").with(Key::Row, 0);
    entry.with(Key::Values, Value::List(vec![set, other]))
}

fn search(ssn: &str) -> Entry {
    run(A, 2, "SELECT id FROM person WHERE ssn = ?").with(Key::Params, vec![Value::from(ssn)])
}

fn call(number: i64) -> Entry {
    run(A, 3, "{call pay(?, ?)}").with(Key::Params, vec![Value::from(1), Value::from(number)])
}

fn record(recorder: &Arc<Recorder>, rules: Arc<Redaction>) {
    recorder.redact(rules);
    let a = connected(recorder, "shop");
    recorder.command(&run(a, 1, "SELECT id, ssn, note FROM person")).unwrap();
    recorder.names(a, 1, ["id", "SSN", "Note"].map(str::to_owned).into());
    result(recorder, a, 1, &[&["7", "123-45-6789", "mail ada@example.org"]]);
    recorder.command(&search("123-45-6789")).unwrap();
    recorder.command(&update("987-65-4321".into(), "mail ada@example.org now")).unwrap();
    let mut refreshed = Entry::new(Method::SetPos, A, Some(1)).with(Key::Operation, "refresh").with(Key::Row, 1);
    refreshed = refreshed.with(Key::Rows, vec![Value::List(vec![7.into(), "987-65-4321".into()])]);
    recorder.command(&refreshed.with(Key::CTypes, vec!["SLONG", "CHAR"])).unwrap();
    let written = Value::List(vec!["\\-".into(), Value::Int(777)]);
    recorder
        .command(&call(777).with(Key::Result, written).with(Key::CTypes, vec![Value::Null, "SLONG".into()]))
        .unwrap();
    recorder.disconnect(a).unwrap();
}

/// Plays up to the search; gives the row as the program reads it.
fn begun(player: &Player, rules: Arc<Redaction>) -> Vec<String> {
    player.redact(rules);
    player.connect(&connect(A, "shop")).unwrap();
    player.command(&run(A, 1, "SELECT id, ssn, note FROM person")).unwrap();
    fetch_all(player, A, 1).remove(0)
}

fn refresh() -> Entry {
    Entry::new(Method::SetPos, A, Some(1)).with(Key::Operation, "refresh").with(Key::Row, 1)
}

/// Both formats, each with a session of its own.
fn each(deed: impl Fn(&dyn Fn() -> Arc<Player>, &Path, Arc<Redaction>)) {
    let parent = tempfile::tempdir().unwrap();
    let rules = rules(parent.path());
    let (directory, traces) = (parent.path().join("x"), parent.path().join("traces"));
    record(&recorder(&directory), Arc::clone(&rules));
    deed(&|| player(&directory), &directory, Arc::clone(&rules));
    record(&tracer(&traces), Arc::clone(&rules));
    deed(&|| play_trace(&traces).unwrap(), &traces, rules);
}

#[test]
fn no_byte_of_a_secret_is_in_any_file() {
    each(|_, directory, _| {
        for file in std::fs::read_dir(directory).unwrap() {
            let path = file.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            for secret in SECRETS {
                let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!found, "{secret} is in {}:\n{}", path.display(), String::from_utf8_lossy(&bytes));
            }
        }
    });
}

#[test]
fn the_same_values_pass() {
    each(|player, _, rules| {
        let player = player();
        begun(&player, rules);
        player.command(&search("123-45-6789")).unwrap();
        player.command(&update("987-65-4321".into(), "mail ada@example.org now")).unwrap();
        let refreshed = player.command(&refresh()).unwrap();
        let cell = |row: &Value| row.as_list().and_then(|cells| cells[1].as_text().map(str::len));
        assert_eq!(refreshed.get(Key::Rows).and_then(Value::as_list).and_then(|rows| cell(&rows[0])), Some(11));
        let called = player.command(&call(777)).unwrap();
        let written = called.get(Key::Result).and_then(Value::as_list).map(|cells| cells[1].clone());
        assert!(matches!(written, Some(Value::Int(number)) if number != 777), "{written:?}");
    });
}

#[test]
fn what_was_read_redacted_is_sent_back_as_it_was_read() {
    // the value that is sent is the one that was read: so is its stand-in
    let parent = tempfile::tempdir().unwrap();
    let rules = rules(parent.path());
    let recorder = recorder(&parent.path().join("x"));
    let same = |ssn: &str, note: &str| update(ssn.into(), note);
    recorder.redact(Arc::clone(&rules));
    let a = connected(&recorder, "shop");
    recorder.command(&run(a, 1, "SELECT id, ssn, note FROM person")).unwrap();
    recorder.names(a, 1, ["id", "ssn", "note"].map(str::to_owned).into());
    result(&recorder, a, 1, &[&["7", "123-45-6789", "mail ada@example.org"]]);
    recorder.command(&search("123-45-6789")).unwrap();
    recorder.command(&same("123-45-6789", "mail ada@example.org")).unwrap();
    recorder.disconnect(a).unwrap();
    for (ssn, note, passes) in
        [(None, None, true), (Some("00000000000"), None, false), (None, Some("mail 0000"), false)]
    {
        let player = player(&parent.path().join("x"));
        let read = begun(&player, Arc::clone(&rules));
        assert_ne!(read[1], "123-45-6789");
        player.command(&search(&read[1])).unwrap();
        let sent = same(ssn.unwrap_or(&read[1]), note.unwrap_or(&read[2]));
        assert_eq!(player.command(&sent).is_ok(), passes, "{sent:?}");
    }
}

#[test]
fn another_value_fails_and_is_not_told() {
    each(|player, _, rules| {
        let told = |deed: &dyn Fn(&Player) -> Result<Entry, Mismatch>| {
            let player = player();
            begun(&player, Arc::clone(&rules));
            deed(&player).unwrap_err().report
        };
        let report = told(&|player| player.command(&search("123-45-0000")));
        assert!(report.contains("parameter 1 differs") && !report.contains("123-45-0000"), "{report}");
        let report = told(&|player| {
            player.command(&search("123-45-6789"))?;
            player.command(&update("987-65-0000".into(), "mail ada@example.org now"))
        });
        assert!(report.contains("differs") && !report.contains("987-65-0000"), "{report}");
        let report = told(&|player| {
            player.command(&search("123-45-6789"))?;
            player.command(&update(Value::Int(987), "mail ada@example.org now"))
        });
        assert!(report.contains("integer>"), "another kind is another value: {report}");
    });
}

#[test]
fn secrets_are_hidden_in_the_rows_of_both_formats() {
    const SECRET: &str = "pa\"ss\\word, 1";
    let parent = tempfile::tempdir().unwrap();
    for name in ["x", "x.ndjson"] {
        let secrets = Arc::new(Secrets::default());
        assert!(secrets.learn(SECRET));
        let recorder = if name == "x" { recorder(&parent.path().join(name)) } else { tracer(parent.path()) };
        recorder.hide(secrets);
        let a = connected(&recorder, "shop");
        recorder.command(&run(a, 1, "SELECT note FROM person")).unwrap();
        let secret = format!("it is {SECRET}.");
        let with_line_break = format!("it is\n{SECRET}.");
        result(&recorder, a, 1, &[&[&secret, "\"quoted\", \\ and more"], &["nothing", &with_line_break]]);
        // a file of its own, in which it stands with escapes and nowhere without
        recorder.command(&run(a, 2, "SELECT note FROM person")).unwrap();
        result(&recorder, a, 2, &[&[&with_line_break, "one"], &["nothing", "two"]]);
        recorder.disconnect(a).unwrap();
        let store = open(&parent.path().join(name)).unwrap();
        let cells = |part: &str| {
            let (mut rows, mut row, mut cells) = (store.rows(part).unwrap(), csv::ByteRecord::new(), Vec::new());
            while rows.next(&mut row).unwrap() {
                cells.extend(row.iter().map(|field| String::from_utf8(field.to_vec()).unwrap()));
            }
            cells
        };
        let expected = ["it is ***.", "\"quoted\", \\ and more", "nothing", "\\eit is\\n***."];
        assert_eq!(cells("a_1_fetch_all.csv"), expected, "{name}");
        assert_eq!(cells("a_2_fetch_all.csv"), ["\\eit is\\n***.", "one", "nothing", "two"], "{name}");
    }
}
