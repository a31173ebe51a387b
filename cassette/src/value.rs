//! The value of a field in a cassette: a small tree that both formats (YAML and NDJSON) can write and read without loss.

use std::hash::{DefaultHasher, Hash};

/// A scalar, a list, or a map with its keys in written order.
///
/// Two values are equal if they are written alike: floats are compared by their bits (0.0 is not -0.0, and a NaN equals a NaN).
#[derive(Clone, Debug)]
pub enum Value {
    /// No value: `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer, written in decimal. `i128` holds every ODBC integer, signed or unsigned.
    Int(i128),
    /// A floating-point number, written in the shortest form that reads back to the same bits.
    Float(f64),
    /// Text. It is quoted unless it is a plain word in both YAML 1.1 and 1.2.
    Text(String),
    /// A sequence.
    List(Vec<Value>),
    /// A mapping. Keys keep the order in which they were given.
    Map(Vec<(String, Value)>),
}

impl Value {
    /// Returns about how many bytes it has, counting each scalar that is not text as a number.
    pub fn bytes(&self) -> usize {
        const NUMBER: usize = 24;
        match self {
            Value::Text(text) => text.len() + 2,
            Value::List(list) => list.iter().map(Value::bytes).sum::<usize>() + 2,
            Value::Map(map) => map.iter().map(|(key, value)| key.len() + value.bytes()).sum::<usize>() + 2,
            _ => NUMBER,
        }
    }

    /// Returns the text, if this is text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the integer, if this is one that fits.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Value::Int(number) => i64::try_from(*number).ok(),
            _ => None,
        }
    }

    /// Returns the items, if this is a list.
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// Hashes what the value is written as. This is cheap for numbers and texts.
    pub fn sum(&self, hasher: &mut DefaultHasher) {
        match self {
            Value::Int(number) => number.hash(hasher),
            Value::Text(text) => text.hash(hasher),
            other => format!("{other:?}").hash(hasher),
        }
    }

    /// Returns the value under `key`, if this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Value> {
        match self {
            Value::Map(pairs) => pairs.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Float(a), Value::Float(b)) => a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()),
            (Value::Text(a), Value::Text(b)) => a == b,
            (Value::List(a), Value::List(b)) => a == b,
            (Value::Map(a), Value::Map(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Value {}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Text(text)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Value::Bool(flag)
    }
}

macro_rules! from_integer {
    ($($integer:ty)*) => {$(
        impl From<$integer> for Value {
            fn from(number: $integer) -> Self {
                Value::Int(number as i128)
            }
        }
    )*};
}
from_integer!(i16 u16 i32 u32 i64 u64 usize isize);

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Self {
        Value::List(items.into_iter().map(Into::into).collect())
    }
}

/// Writes a floating-point number in the shortest form that reads back to the same bits and that every YAML reader
/// takes for a float: with a point, and with a sign in the exponent. Of a NaN, only that it is one is kept.
pub fn float_text(number: f64) -> String {
    if number.is_nan() {
        return ".nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let text = format!("{number:?}");
    match text.split_once('e') {
        None => text,
        Some((mantissa, exponent)) => {
            let point = if mantissa.contains('.') { "" } else { ".0" };
            let sign = if exponent.starts_with('-') { "" } else { "+" };
            format!("{mantissa}{point}e{sign}{exponent}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_equal_by_their_bits() {
        assert_eq!(Value::Float(f64::NAN), Value::Float(f64::NAN));
        assert_ne!(Value::Float(0.0), Value::Float(-0.0));
        assert_ne!(Value::Float(1.0), Value::Int(1));
    }

    #[test]
    fn floats_look_like_floats() {
        let cases = [
            (1.0, "1.0"),
            (-0.0, "-0.0"),
            (0.1, "0.1"),
            (1e16, "1.0e+16"),
            (-2.5e300, "-2.5e+300"),
            (5e-324, "5.0e-324"),
            (f64::INFINITY, ".inf"),
            (f64::NEG_INFINITY, "-.inf"),
            (f64::NAN, ".nan"),
        ];
        for (number, expected) in cases {
            assert_eq!(float_text(number), expected);
        }
    }
}
