//! Whether what is asked is what was recorded, key by key, and the first place where it is not.

use sha2::{Digest, Sha256};

use crate::connect::REPLY;
use crate::{Entry, Method, Value};

/// Keys that are asked for even if the asked entry leaves them out.
const INPUTS: &[&str] = &[
    "dsn",
    "driver",
    "sql",
    "params",
    "attributes",
    "function",
    "arguments",
    "attribute",
    "value",
    "orientation",
    "operation",
    "offset",
    "bookmark",
    "row",
    "lock",
    "rowset",
    "ignored",
    "values",
];

/// What is asked for at a connect without being a field of its own: compared where both sides name it.
const CONNECT_FACTS: &[&str] = &["user_hash", "database", "schema"];

/// The first difference of two entries.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Difference {
    /// Which field, in words: `sql`, `parameter 3`, `attributes.max_rows`.
    pub(crate) place: String,
    /// `None` if there is nothing.
    pub(crate) recorded: Option<Value>,
    /// `None` if there is nothing.
    pub(crate) asked: Option<Value>,
}

/// The first input in which the entries differ. Method and ids are not looked at.
pub(crate) fn difference(recorded: &Entry, asked: &Entry) -> Option<Difference> {
    let connect = recorded.method == Method::Connect;
    let beside = |key: &str| connect && (CONNECT_FACTS.contains(&key) || key == "connection_string");
    let own = asked.fields.iter().map(|(key, _)| key.as_str()).filter(|key| !REPLY.contains(key) && !beside(key));
    let left_out = INPUTS.iter().copied().filter(|key| asked.get(key).is_none());
    let fields = own.chain(left_out).find_map(|key| field(key, recorded.get(key), asked.get(key)));
    fields.or_else(|| if connect { connect_difference(recorded, asked) } else { None })
}

fn field(key: &str, recorded: Option<&Value>, asked: Option<&Value>) -> Option<Difference> {
    const NOTHING: Value = Value::List(Vec::new());
    // an empty list or map says the same as none
    let empty = |value: &&Value| match value {
        Value::List(items) => items.is_empty(),
        Value::Map(pairs) => pairs.is_empty(),
        _ => false,
    };
    match (recorded.filter(|value| !empty(value)), asked.filter(|value| !empty(value))) {
        (None, None) => None,
        (Some(recorded), Some(asked)) => value(key, &mut Vec::new(), recorded, asked),
        (recorded, asked) => {
            // a missing list is compared as an empty one, so that the difference names the element
            match (recorded.unwrap_or(&NOTHING), asked.unwrap_or(&NOTHING)) {
                (recorded @ Value::List(_), asked @ Value::List(_)) => value(key, &mut Vec::new(), recorded, asked),
                _ => Some(Difference { place: key.to_owned(), recorded: recorded.cloned(), asked: asked.cloned() }),
            }
        }
    }
}

/// One step into a value.
#[derive(Clone, Debug)]
enum Step {
    Index(usize),
    Key(String),
}

fn value(key: &str, path: &mut Vec<Step>, recorded: &Value, asked: &Value) -> Option<Difference> {
    if recorded == asked || by_digest(recorded, asked) {
        return None;
    }
    let differs = |path: &[Step], recorded: Option<&Value>, asked: Option<&Value>| {
        Some(Difference { place: place(key, path), recorded: recorded.cloned(), asked: asked.cloned() })
    };
    match (recorded, asked) {
        (Value::List(recorded), Value::List(asked)) => (0..recorded.len().max(asked.len())).find_map(|index| {
            path.push(Step::Index(index));
            let found = match (recorded.get(index), asked.get(index)) {
                (Some(recorded), Some(asked)) => value(key, path, recorded, asked),
                (recorded, asked) => differs(path, recorded, asked),
            };
            path.pop();
            found
        }),
        (Value::Map(recorded), Value::Map(asked)) if !is_digest(recorded) => {
            // the order in which keys are written says nothing
            let find = |pairs: &[(String, Value)], name: &str| pairs.iter().position(|(key, _)| key == name);
            let only_asked = asked.iter().filter(|(name, _)| find(recorded, name).is_none());
            recorded.iter().chain(only_asked).find_map(|(name, _)| {
                path.push(Step::Key(name.clone()));
                let at = |pairs: &[(String, Value)]| find(pairs, name).map(|at| pairs[at].1.clone());
                let found = match (at(recorded), at(asked)) {
                    (Some(recorded), Some(asked)) => value(key, path, &recorded, &asked),
                    (recorded, asked) => differs(path, recorded.as_ref(), asked.as_ref()),
                };
                path.pop();
                found
            })
        }
        _ => differs(path, Some(recorded), Some(asked)),
    }
}

/// The place of a difference, in words where people count from one.
fn place(key: &str, path: &[Step]) -> String {
    match (key, path) {
        ("params", [Step::Index(parameter)]) => format!("parameter {}", parameter + 1),
        ("params", [Step::Index(row), Step::Index(parameter)]) => {
            format!("parameter {} of row {}", parameter + 1, row + 1)
        }
        ("params", [Step::Index(parameter), rest @ ..]) => place(&format!("parameter {}", parameter + 1), rest),
        _ => path.iter().fold(key.to_owned(), |place, step| match step {
            Step::Index(index) => format!("{place}[{index}]"),
            Step::Key(name) => format!("{place}.{name}"),
        }),
    }
}

fn is_digest(pairs: &[(String, Value)]) -> bool {
    ["sha256", "bytes"].iter().all(|key| pairs.iter().any(|(name, _)| name == key))
}

/// Whether a recorded `{sha256, bytes}` stands for the value that is asked: a text, or bytes in hex inside a map.
fn by_digest(recorded: &Value, asked: &Value) -> bool {
    let Value::Map(pairs) = recorded else { return false };
    if !is_digest(pairs) {
        return false;
    }
    let stands_for = |bytes: &[u8]| {
        recorded.get("bytes").and_then(Value::as_int) == i64::try_from(bytes.len()).ok()
            && recorded.get("sha256").and_then(Value::as_text).is_some_and(|digest| {
                Sha256::digest(bytes)
                    .iter()
                    .zip(digest.as_bytes().chunks(2))
                    .all(|(byte, pair)| hex(pair) == Some(*byte))
                    && digest.len() == 64
            })
    };
    match asked {
        Value::Text(text) => stands_for(text.as_bytes()),
        Value::Map(given) => {
            // what else is recorded (the C type) has to be there as well
            let others = pairs.iter().filter(|(key, _)| key != "sha256" && key != "bytes");
            others.into_iter().all(|(key, value)| asked.get(key) == Some(value))
                && given.iter().filter_map(|(_, value)| value.as_text()).any(|text| {
                    let digits = text.strip_prefix("\\x").unwrap_or(text).as_bytes();
                    let bytes: Option<Vec<u8>> = digits.chunks(2).map(hex).collect();
                    stands_for(text.as_bytes()) || bytes.is_some_and(|bytes| stands_for(&bytes))
                })
        }
        _ => false,
    }
}

fn hex(pair: &[u8]) -> Option<u8> {
    let digit = |byte: &u8| (*byte as char).to_digit(16);
    match pair {
        [high, low] => u8::try_from(digit(high)? * 16 + digit(low)?).ok(),
        _ => None,
    }
}

/// Differences of a connect that are not fields of their own.
fn connect_difference(recorded: &Entry, asked: &Entry) -> Option<Difference> {
    let result = |entry: &Entry, key: &str| entry.get("result").and_then(|result| result.get(key)).cloned();
    let named = |value: &Value| !matches!(value, Value::Null) && value.as_text() != Some("");
    let facts = CONNECT_FACTS.iter().find_map(|key| {
        let asked = result(asked, key).or_else(|| asked.get(key).cloned()).filter(named)?;
        let recorded = result(recorded, key).or_else(|| recorded.get(key).cloned()).filter(named);
        // a user has to be the same one; a database or schema counts only where both sides name it
        if *key != "user_hash" && recorded.is_none() {
            return None;
        }
        let differs = recorded.as_ref() != Some(&asked);
        differs.then(|| Difference { place: (*key).to_owned(), recorded, asked: Some(asked) })
    });
    facts.or_else(|| {
        let (recorded, asked) = (database(recorded)?, database(asked)?);
        let place = "connection_string: DATABASE".to_owned();
        (recorded != asked).then(|| Difference { place, recorded: Some(recorded.into()), asked: Some(asked.into()) })
    })
}

/// The database an entry's connection string names.
fn database(entry: &Entry) -> Option<String> {
    let text = entry.get("connection_string")?.as_text()?;
    let (mut rest, mut found) = (text, None);
    while let Some((key, after)) = rest.split_once('=') {
        let after = after.trim_start();
        let (value, next) = match after.strip_prefix('{') {
            Some(braced) => braces(braced),
            None => {
                after.split_once(';').map_or((after.trim_end().to_owned(), ""), |(v, n)| (v.trim_end().to_owned(), n))
            }
        };
        if key.trim_start_matches([';', ' ']).trim_end().eq_ignore_ascii_case("database") {
            found = Some(value);
        }
        rest = next;
    }
    found
}

/// A value in braces, in which `}}` stands for one, and what comes after it.
fn braces(text: &str) -> (String, &str) {
    let (mut value, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once('}') {
        value.push_str(before);
        match after.strip_prefix('}') {
            Some(after) => {
                value.push('}');
                rest = after;
            }
            None => return (value, after.split_once(';').map_or("", |(_, next)| next)),
        }
    }
    (value + rest, "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ConnectionId;

    fn run(params: impl Into<Value>) -> Entry {
        Entry::new(Method::Run, ConnectionId(0), Some(1)).with("sql", "SELECT 1").with("params", params)
    }

    fn list(items: impl IntoIterator<Item = Value>) -> Value {
        Value::List(items.into_iter().collect())
    }

    fn place_of(recorded: &Entry, asked: &Entry) -> String {
        difference(recorded, asked).map_or_else(String::new, |difference| difference.place)
    }

    #[test]
    fn empty_and_absent_are_the_same() {
        let bare = Entry::new(Method::Run, ConnectionId(0), Some(1)).with("sql", "SELECT 1");
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
        let with = |value: i64| run(list([])).with("attributes", Value::Map(vec![("max_rows".into(), value.into())]));
        assert_eq!(place_of(&with(1), &with(2)), "attributes.max_rows");
        let given = difference(&run(list([])), &with(2)).unwrap();
        assert_eq!((given.place.as_str(), given.recorded), ("attributes", None));
    }

    #[test]
    fn a_digest_stands_for_its_value() {
        let digest = |of: &[u8], c_type: Option<&str>| {
            let sum = Sha256::digest(of).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
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
    fn connects_agree_where_both_sides_say_so() {
        let connect = |user: Option<&str>, string: &str| {
            let result = user.map(|user| ("user_hash".to_owned(), Value::from(user)));
            let entry = Entry::new(Method::Connect, ConnectionId(0), None).with("dsn", "shop");
            entry.with("connection_string", string).with("result", Value::Map(result.into_iter().collect()))
        };
        assert_eq!(difference(&connect(Some("u"), "HOST=desk"), &connect(None, "HOST=ci;DATABASE=x")), None);
        assert_eq!(place_of(&connect(Some("u"), ""), &connect(Some("v"), "")), "user_hash");
        assert_eq!(place_of(&connect(None, ""), &connect(Some("v"), "")), "user_hash");
        let string = "DSN=shop; Database = {a;b}}c} ;X=1";
        assert_eq!(database(&connect(None, string)).as_deref(), Some("a;b}c"));
        assert_eq!(place_of(&connect(None, "DATABASE=a"), &connect(None, "database=b")), "connection_string: DATABASE");
        let other = Entry::new(Method::Connect, ConnectionId(0), None).with("dsn", "store");
        assert_eq!(place_of(&connect(None, ""), &other), "dsn");
    }
}
