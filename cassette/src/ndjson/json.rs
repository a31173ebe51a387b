//! A cassette's value as JSON and back, without loss and with its keys in order.
//!
//! JSON has no infinity, no NaN and no integer that every reader takes beyond 64 bits. Those are a map of one key,
//! `{"$float": ".nan"}` or `{"$int": "170141183460469231731687303715884105727"}`; a key of the cassette's own that
//! begins with `$` gets a second one.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::Value;
use crate::yaml::scalar::float_text;

const FLOAT: &str = "$float";
const INT: &str = "$int";

/// A value to be written.
pub(super) struct Written<'v>(pub(super) &'v Value);

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Null => to.serialize_unit(),
            Value::Bool(flag) => to.serialize_bool(*flag),
            Value::Int(number) => match (i64::try_from(*number), u64::try_from(*number)) {
                (Ok(number), _) => to.serialize_i64(number),
                (_, Ok(number)) => to.serialize_u64(number),
                _ => tagged(to, INT, &number.to_string()),
            },
            Value::Float(number) if number.is_finite() => to.serialize_f64(*number),
            Value::Float(number) => tagged(to, FLOAT, &float_text(*number)),
            Value::Text(text) => to.serialize_str(text),
            Value::List(items) => to.collect_seq(items.iter().map(Written)),
            Value::Map(pairs) => Pairs(pairs).serialize(to),
        }
    }
}

/// Pairs to be written as a map.
pub(super) struct Pairs<'v>(pub(super) &'v [(String, Value)]);

impl Serialize for Pairs<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.0.len()))?;
        for (key, value) in self.0 {
            map.serialize_entry(&*written_key(key), &Written(value))?;
        }
        map.end()
    }
}

fn tagged<S: Serializer>(to: S, tag: &str, text: &str) -> Result<S::Ok, S::Error> {
    let mut map = to.serialize_map(Some(1))?;
    map.serialize_entry(tag, text)?;
    map.end()
}

/// A key as it is written.
pub(super) fn written_key(key: &str) -> Cow<'_, str> {
    if key.starts_with('$') { Cow::Owned(format!("${key}")) } else { Cow::Borrowed(key) }
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
                return Err(de::Error::custom(format_args!("the key `{key}` stands twice in a map")));
            }
            pairs.push((key, value));
        }
        if let [(key, Value::Text(text))] = &pairs[..]
            && (key == FLOAT || key == INT)
        {
            return number(key, text).ok_or_else(|| de::Error::custom(format_args!("`{text}` is no value of {key}")));
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
        serde_json::to_string(&Written(value)).unwrap()
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
