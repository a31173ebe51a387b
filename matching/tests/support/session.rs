//! One session with a little of everything, for tests that look at it in several forms.

use super::*;
use super8_cassette::{Fields, Key};

pub fn map(pairs: &[(&str, Value)]) -> Value {
    Value::Map(pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
}

pub fn columns(names: &[&str]) -> Value {
    let column = |name: &&str| map(&[("name", Value::from(*name)), ("type", Value::from(12))]);
    Value::List(names.iter().map(column).collect())
}

pub fn fact(id: i32, result: &str) -> Fields {
    Fields::from([(Key::Function, "SQLGetInfo".into()), (Key::Info, id.into()), (Key::Result, result.into())])
}

pub fn record(recorder: &std::sync::Arc<Recorder>) {
    let a = connected(recorder, "shop");
    recorder.info(a, fact(17, "SQLite")).unwrap();
    let b = connected(recorder, "shop");
    recorder.info(b, fact(17, "SQLite")).unwrap();
    recorder.command(&run(a, 1, "SELECT id,\n  name\nFROM t")).unwrap();
    recorder.columns(a, 1, &columns(&["id", "name"])).unwrap();
    // two runs at the same time
    let first = recorder.run(a, 1, true);
    row(&first, &["1", "Ann"]);
    let counted = Entry::new(Method::RowCount, a, Some(1)).with(Key::Result, -1);
    recorder.note(&counted).unwrap();
    row(&first, &["2", "Bob"]);
    recorder.command(&run(b, 1, "SELECT id, name FROM u WHERE id = ?").with(Key::Params, vec![7])).unwrap();
    assert!(!first.lock().is_open(), "a command ended it");
    recorder.columns(b, 1, &columns(&["id", "name"])).unwrap();
    let second = recorder.run(a, 1, false);
    let other = recorder.run(b, 1, true);
    row(&second, &["3", "\\Cid"]);
    {
        let mut guard = other.lock();
        guard.begin_row().unwrap();
        guard.c_type(0, "SLONG");
        guard.row().set(0, Cell::Plain(b"7"));
        guard.c_type(1, "CHAR");
        guard.row().set(1, Cell::Null);
        guard.outcome(map(&[("return", "SQL_SUCCESS_WITH_INFO".into())]));
        guard.end(true).unwrap();
    }
    row(&second, &["4", ""]);
    second.lock().end(true).unwrap();
    recorder.note(&drop_of(a, 1)).unwrap();
    recorder.command(&run(a, 2, "SELECT 1 WHERE 1 = 0")).unwrap();
    recorder.run(a, 2, true).lock().end(true).unwrap();
    recorder.command(&run(a, 3, "SELECT x FROM v")).unwrap();
    result(recorder, a, 3, &[&["x"], &["y"]]);
    recorder.command(&Entry::new(Method::MoreResults, a, Some(3)).with(Key::Result, true)).unwrap();
    result(recorder, a, 3, &[&["z"], &["\u{e4} \" ,"]]);
    let failed = Entry::new(Method::Fetch, a, Some(3)).with(Key::Result, Value::Null).with(Key::Return, "SQL_ERROR");
    recorder.command(&failed).unwrap();
    for connection in [a, b] {
        recorder.note(&Entry::new(Method::Disconnect, connection, None).with(Key::Result, Value::Null)).unwrap();
        recorder.disconnect(connection).unwrap();
    }
}
