//! Converts a cassette's value to JSON and back, without loss and with its keys in order.
//!
//! JSON has no infinity, no NaN, and no integers beyond 64 bits that every reader takes. Those are written as a map of
//! one key: `{"$float": ".nan"}` or `{"$int": "170141183460469231731687303715884105727"}`. A key of the cassette itself
//! that begins with `$` gets a second `$`.

use std::fmt;
use std::ops::ControlFlow;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::value::float_text;
use crate::{Key, Value, scan};

const FLOAT: &str = "$float";
const INT: &str = "$int";

/// Appends a value.
pub(super) fn push(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(flag) => out.extend_from_slice(if *flag { b"true" } else { b"false" }),
        Value::Int(number) => match (i64::try_from(*number), u64::try_from(*number)) {
            (Ok(number), _) => out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes()),
            (_, Ok(number)) => out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes()),
            _ => push_tagged(INT, &number.to_string(), out),
        },
        // writing to a vector cannot fail, and a finite number can be written
        Value::Float(number) if number.is_finite() => _ = serde_json::to_writer(&mut *out, number),
        Value::Float(number) => push_tagged(FLOAT, &float_text(*number), out),
        Value::Text(text) => push_text(text, out),
        Value::List(items) => {
            out.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                push(item, out);
            }
            out.push(b']');
        }
        Value::Map(pairs) => {
            out.push(b'{');
            push_pairs(pairs, out);
            out.push(b'}');
        }
    }
}

/// Appends pairs with commas between them, and one before the first if the map has pairs already.
pub(super) fn push_pairs(pairs: &[(String, Value)], out: &mut Vec<u8>) {
    for (key, value) in pairs {
        if out.last() != Some(&b'{') {
            out.push(b',');
        }
        push_key(key, out);
        out.push(b':');
        push(value, out);
    }
}

/// Appends the fields of an entry, whose keys need no escapes.
pub(super) fn push_fields(fields: &[(Key, Value)], out: &mut Vec<u8>) {
    for (key, value) in fields {
        if out.last() != Some(&b'{') {
            out.push(b',');
        }
        out.push(b'"');
        out.extend_from_slice(key.name().as_bytes());
        out.extend_from_slice(b"\":");
        push(value, out);
    }
}

fn push_key(key: &str, out: &mut Vec<u8>) {
    if key.starts_with('$') { push_text(&format!("${key}"), out) } else { push_text(key, out) }
}

fn push_tagged(tag: &str, text: &str, out: &mut Vec<u8>) {
    out.push(b'{');
    push_text(tag, out);
    out.push(b':');
    push_text(text, out);
    out.push(b'}');
}

/// Appends a text in quotes.
pub(super) fn push_text(text: &str, out: &mut Vec<u8>) {
    push_utf8(text.as_bytes(), out);
}

/// Appends bytes that are UTF-8 as a string.
#[inline]
pub(super) fn push_utf8(text: &[u8], out: &mut Vec<u8>) {
    push_string(text, false, out);
}

/// Appends the inside of a quoted CSV field as a string; two quotes stand for one. Returns how many such pairs there are.
pub(super) fn push_unquoted(text: &[u8], out: &mut Vec<u8>) -> usize {
    push_string(text, true, out)
}

fn push_string(text: &[u8], doubled: bool, out: &mut Vec<u8>) -> usize {
    let marks = |word| scan::control_or(word, [b'"', b'\\']);
    let (mut done, mut quotes) = (0, 0);
    out.reserve(text.len() + 2);
    out.push(b'"');
    let _ = scan::each_marked(text, marks, |at| {
        let byte = text[at];
        // the second of two quotes was handled with the first, and DEL needs no escape
        if at < done || byte == 0x7f {
            return ControlFlow::Continue(());
        }
        out.extend_from_slice(&text[done..at]);
        done = at + 1;
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            control => out.extend_from_slice(format!("\\u{control:04x}").as_bytes()),
        }
        if doubled && byte == b'"' {
            (done, quotes) = (done + 1, quotes + 1);
        }
        ControlFlow::Continue(())
    });
    out.extend_from_slice(&text[done..]);
    out.push(b'"');
    quotes
}

/// A value that was read.
pub(super) struct Read(pub(super) Value);

impl<'de> Deserialize<'de> for Read {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(ReadVisitor).map(Read)
    }
}

struct ReadVisitor;

impl<'de> Visitor<'de> for ReadVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Int(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Int(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Float(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Read(item)) = list.next_element()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut pairs: Vec<(String, Value)> = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            let Read(value) = map.next_value()?;
            if pairs.iter().any(|(known, _)| *known == key) {
                return Err(de::Error::custom(format_args!("the key `{key}` appears twice in a map")));
            }
            pairs.push((key, value));
        }
        if let [(key, Value::Text(text))] = &pairs[..]
            && (key == FLOAT || key == INT)
        {
            return number(key, text)
                .ok_or_else(|| de::Error::custom(format_args!("`{text}` is not a value of {key}")));
        }
        for (key, _) in &mut pairs {
            if key.starts_with('$') {
                key.strip_prefix("$$").ok_or_else(|| de::Error::custom(format_args!("`{key}` is an unknown tag")))?;
                key.remove(0);
            }
        }
        Ok(Value::Map(pairs))
    }
}

fn number(tag: &str, text: &str) -> Option<Value> {
    match (tag, text) {
        (FLOAT, ".nan") => Some(Value::Float(f64::NAN)),
        (FLOAT, ".inf") => Some(Value::Float(f64::INFINITY)),
        (FLOAT, "-.inf") => Some(Value::Float(f64::NEG_INFINITY)),
        (INT, digits) => digits.parse().ok().map(Value::Int),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn write(value: &Value) -> String {
        let mut out = Vec::new();
        push(value, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn text_is_escaped_as_others_do() {
        for text in [
            "",
            "a",
            "say \"x\"\\",
            "\\",
            "a\tb\n\u{1}",
            "ä\u{7f}😀\"",
            "C:\\temp",
            "12345678\"",
            "\"12345678",
            "eight ä\u{7f}",
            "\u{0}\u{8}\u{b}\u{c}\r\u{1f} and more",
        ] {
            let mut out = Vec::new();
            push_text(text, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string(text).unwrap());
        }
    }

    fn read(text: &str) -> Result<Value, String> {
        serde_json::from_str::<Read>(text).map(|Read(value)| value).map_err(|error| error.to_string())
    }

    fn map(key: &str, value: Value) -> Value {
        Value::Map(vec![(key.to_owned(), value)])
    }

    #[test]
    fn what_json_cannot_say_is_tagged() {
        assert_eq!(write(&Value::Float(f64::NAN)), r#"{"$float":".nan"}"#);
        assert_eq!(write(&Value::Float(f64::NEG_INFINITY)), r#"{"$float":"-.inf"}"#);
        assert_eq!(write(&Value::Int(u64::MAX.into())), "18446744073709551615");
        assert_eq!(write(&Value::Int(i128::MAX)), format!(r#"{{"$int":"{}"}}"#, i128::MAX));
        assert_eq!(write(&map("$int", "1".into())), r#"{"$$int":"1"}"#);
        assert_eq!(write(&Value::Float(1.0)), "1.0");
        assert_eq!(read("1"), Ok(Value::Int(1)));
        for wrong in [r#"{"$int":"x"}"#, r#"{"$float":"1"}"#, r#"{"$x":1}"#, r#"{"a":1,"a":2}"#, "1e999"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert!(read(&"[".repeat(100_000)).is_err());
    }

    fn values() -> impl Strategy<Value = Value> {
        let scalar = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i128>().prop_map(Value::Int),
            any::<i64>().prop_map(|number| Value::Int(number.into())),
            any::<u64>().prop_map(|bits| Value::Float(f64::from_bits(bits))),
            "\\PC*|[\\x00-\\x1f\"\\\\$]{0,8}".prop_map(Value::Text),
        ];
        scalar.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::List),
                prop::collection::btree_map("\\$?\\$?[a-z]{0,3}|\\$int|\\$float", inner, 0..6)
                    .prop_map(|pairs| Value::Map(pairs.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_value_comes_back(value in values()) {
            let text = write(&value);
            prop_assert!(!text.contains('\n'));
            prop_assert_eq!(read(&text), Ok(value));
        }
    }
}
