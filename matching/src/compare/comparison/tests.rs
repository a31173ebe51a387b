//! What counts as a difference.

mod volatile;

use super::*;
use super8_cassette::ConnectionId;

fn run(params: impl Into<Value>) -> Entry {
    Entry::new(Method::Run, ConnectionId(0), Some(1)).with(Key::Sql, "SELECT 1").with(Key::Params, params)
}

fn list(items: impl IntoIterator<Item = Value>) -> Value {
    Value::List(items.into_iter().collect())
}

fn place_of(recorded: &Entry, asked: &Entry) -> String {
    difference(recorded, asked).map_or_else(String::new, |difference| difference.place)
}

#[test]
fn empty_and_absent_are_the_same() {
    let bare = Entry::new(Method::Run, ConnectionId(0), Some(1)).with(Key::Sql, "SELECT 1");
    assert_eq!(difference(&bare, &run(list([]))), None);
    assert_eq!(difference(&run(list([])), &bare), None);
    assert_eq!(place_of(&bare, &run(list([Value::Int(1)]))), "parameter 1");
    assert_eq!(place_of(&run(list([Value::Int(1)])), &bare), "parameter 1");
}

#[test]
fn values_are_equal_only_in_kind_and_content() {
    let one = |value: Value| run(list([value]));
    assert_eq!(difference(&one(Value::Int(1)), &one(Value::Int(1))), None);
    for other in [Value::Float(1.0), Value::from("1"), Value::Bool(true), Value::Null, Value::Int(2)] {
        assert_eq!(place_of(&one(Value::Int(1)), &one(other.clone())), "parameter 1", "{other:?}");
    }
    assert_eq!(difference(&one(Value::Float(f64::NAN)), &one(Value::Float(f64::NAN))), None);
}

#[test]
fn names_row_and_parameter() {
    let rows = |last: i64| run(list([list([1.into(), 2.into()]), list([3.into(), last.into()])]));
    assert_eq!(place_of(&rows(4), &rows(5)), "parameter 2 of row 2");
    let with = |value: i64| run(list([])).with(Key::Attributes, Value::Map(vec![("max_rows".into(), value.into())]));
    assert_eq!(place_of(&with(1), &with(2)), "attributes.max_rows");
    let given = difference(&run(list([])), &with(2)).unwrap();
    assert_eq!((given.place.as_str(), given.recorded), ("attributes", None));
}

#[test]
fn a_digest_stands_for_its_value() {
    let digest = |of: &[u8], c_type: Option<&str>| {
        let sum = super8_cassette::text::hex(&Sha256::digest(of));
        let c_type = c_type.map(|name| ("c_type".to_owned(), Value::from(name)));
        let pairs = [("sha256".to_owned(), sum.into()), ("bytes".to_owned(), Value::from(of.len()))];
        run(list([Value::Map(c_type.into_iter().chain(pairs).collect())]))
    };
    let bytes = |text: &str, c_type: &str| {
        let pairs = [("c_type", c_type), ("value", text)].map(|(key, text)| (key.to_owned(), Value::from(text)));
        run(list([Value::Map(pairs.to_vec())]))
    };
    assert_eq!(difference(&digest(b"long", None), &run(list(["long".into()]))), None);
    assert!(difference(&digest(b"long", None), &run(list(["lung".into()]))).is_some());
    assert_eq!(difference(&digest(&[1, 255], Some("BINARY")), &bytes("01ff", "BINARY")), None);
    assert!(difference(&digest(&[1, 255], Some("BINARY")), &bytes("01ff", "VARBINARY")).is_some());
    assert!(difference(&digest(&[1, 255], Some("BINARY")), &bytes("01fe", "BINARY")).is_some());
}

#[test]
fn connects_have_to_agree_in_their_source() {
    let connect = |dsn: &str| Entry::new(Method::Connect, ConnectionId(0), None).with(Key::Dsn, dsn);
    assert_eq!(place_of(&connect("shop"), &connect("store")), "dsn");
    let asked = connect("shop").with(Key::Verify, "strict").with(Key::ConnectionString, "DSN=shop");
    assert_eq!(place_of(&connect("shop"), &asked), "");
}
