//! A parameter of a cassette, as a value that can be sent to a driver, and as a driver takes it: a buffer for each marker,
//! with the values of all sets one after the other.

use super8_cassette::{Cell, Value, cell};
use super8_shim::convert::CType;

/// A parameter's value, its C type and its SQL type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    pub(crate) c_type: i16,
    pub(crate) sql_type: i16,
    pub(crate) size: usize,
    pub(crate) digits: i16,
    /// `None` for NULL.
    pub(crate) bytes: Option<Vec<u8>>,
}

const VARCHAR: i16 = 12;
const WVARCHAR: i16 = -9;
const VARBINARY: i16 = -3;
const BIGINT: i16 = -5;
const DOUBLE: i16 = 8;
const DECIMAL: i16 = 3;

impl Parameter {
    /// Converts a recorded parameter. With `wide`, text is sent as UTF-16.
    ///
    /// # Errors
    /// The value cannot be sent: it was recorded as a digest, or there is none. The text says which.
    pub fn of(value: &Value, wide: bool) -> Result<Parameter, String> {
        match value {
            Value::Null => {
                Ok(Parameter { c_type: CType::CHAR.code(), sql_type: VARCHAR, size: 1, digits: 0, bytes: None })
            }
            Value::Int(number) => Ok(match i64::try_from(*number) {
                Ok(number) => Parameter::fixed(CType::SBIGINT, BIGINT, 19, number.to_ne_bytes()),
                Err(_) => Parameter::text(&number.to_string(), DECIMAL, false),
            }),
            Value::Float(number) => Ok(Parameter::fixed(CType::DOUBLE, DOUBLE, 15, number.to_ne_bytes())),
            Value::Text(text) => Parameter::of_field(text, wide),
            Value::Map(pairs) => match &pairs[..] {
                [(name, Value::Text(text))] => Parameter::typed(name, text, wide),
                [(name, Value::Int(number))] => Parameter::typed(name, &number.to_string(), wide),
                pairs if pairs.iter().any(|(name, _)| name == "sha256") => {
                    Err("a parameter was too long to be recorded whole".to_owned())
                }
                [(name, _)] => Err(format!("a parameter has no value to send: {name}")),
                _ => Err("a parameter is not one value".to_owned()),
            },
            Value::Bool(_) | Value::List(_) => Err("a parameter is not one value".to_owned()),
        }
    }

    /// Converts a text, which may have a tag such as `\x`.
    fn of_field(text: &str, wide: bool) -> Result<Parameter, String> {
        let mut scratch = Vec::new();
        match cell::decode(text.as_bytes(), &mut scratch) {
            Ok(Cell::Text(text) | Cell::Plain(text)) => {
                Ok(Parameter::text(&String::from_utf8_lossy(text), if wide { WVARCHAR } else { VARCHAR }, wide))
            }
            Ok(Cell::Bytes(bytes)) => Ok(Parameter::binary(bytes)),
            Ok(Cell::Null | Cell::Unread | Cell::Cut { .. }) => Err("a parameter has no value to send".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Converts a value of a C type that YAML does not have, from its text form.
    fn typed(name: &str, text: &str, wide: bool) -> Result<Parameter, String> {
        let Some(c_type) = CType::from_name(name) else {
            return Err(format!("a parameter has no value to send: {name}"));
        };
        let sql_type = match c_type {
            CType::CHAR | CType::WCHAR | CType::BINARY => return Parameter::of_field(text, wide),
            CType::DATE | CType::TYPE_DATE => 91,
            CType::TIME | CType::TYPE_TIME => 92,
            CType::TIMESTAMP | CType::TYPE_TIMESTAMP => 93,
            CType::NUMERIC => DECIMAL,
            CType::GUID => -11,
            CType::BIT => -7,
            CType(code @ 101..=113) => code,
            other if other.is_integer() => BIGINT,
            other if other.is_float() => DOUBLE,
            _ => return Err(format!("a parameter has the driver's own type {name}")),
        };
        Ok(Parameter::text(text, sql_type, false))
    }

    fn fixed(c_type: CType, sql_type: i16, size: usize, bytes: [u8; 8]) -> Parameter {
        Parameter { c_type: c_type.code(), sql_type, size, digits: 0, bytes: Some(bytes.to_vec()) }
    }

    fn text(text: &str, sql_type: i16, wide: bool) -> Parameter {
        let digits = text.rsplit_once('.').map_or(0, |(_, fraction)| fraction.len().min(30) as i16);
        let (c_type, bytes): (CType, Vec<u8>) = match wide {
            true => (CType::WCHAR, text.encode_utf16().flat_map(u16::to_ne_bytes).collect()),
            false => (CType::CHAR, text.as_bytes().to_vec()),
        };
        let digits = if matches!(sql_type, VARCHAR | WVARCHAR) { 0 } else { digits };
        Parameter { c_type: c_type.code(), sql_type, size: text.chars().count().max(1), digits, bytes: Some(bytes) }
    }

    fn binary(bytes: &[u8]) -> Parameter {
        let (c_type, size) = (CType::BINARY.code(), bytes.len().max(1));
        Parameter { c_type, sql_type: VARBINARY, size, digits: 0, bytes: Some(bytes.to_vec()) }
    }
}

/// The buffer that is bound to one marker.
pub(crate) struct Bound {
    pub(crate) c_type: i16,
    pub(crate) sql_type: i16,
    pub(crate) size: usize,
    pub(crate) digits: i16,
    /// The values, `stride` bytes each.
    pub(crate) bytes: Vec<u8>,
    pub(crate) stride: usize,
    pub(crate) lengths: Vec<isize>,
}

impl Bound {
    /// Makes a buffer for each marker of these sets.
    ///
    /// # Errors
    /// The sets have different lengths, or a marker has values of several C types, which no application can bind.
    pub(crate) fn columns(sets: &[Vec<Parameter>]) -> Result<Vec<Bound>, &'static str> {
        let width = sets.first().map_or(0, Vec::len);
        if sets.iter().any(|set| set.len() != width) {
            return Err("the sets of parameters are not equally long");
        }
        (0..width).map(|at| Bound::column(sets, at)).collect()
    }

    fn column(sets: &[Vec<Parameter>], at: usize) -> Result<Bound, &'static str> {
        let values = || sets.iter().map(|set| &set[at]);
        // NULL has no type of its own.
        let typed = || values().filter(|value| value.bytes.is_some());
        let Some(model) = typed().next().or_else(|| values().next()) else {
            return Err("there is no set of parameters");
        };
        if typed().any(|value| value.c_type != model.c_type) {
            return Err("a parameter has values of several types");
        }
        let length = |value: &Parameter| value.bytes.as_ref().map_or(0, Vec::len);
        let stride = values().map(length).max().unwrap_or(0).max(1);
        let mut bytes = vec![0; stride * sets.len()];
        for (value, place) in values().zip(bytes.chunks_exact_mut(stride)) {
            if let Some(content) = &value.bytes {
                place[..content.len()].copy_from_slice(content);
            }
        }
        let length = |value: &Parameter| value.bytes.as_ref().map_or(odbc_sys::NULL_DATA, |bytes| bytes.len() as isize);
        Ok(Bound {
            c_type: model.c_type,
            sql_type: model.sql_type,
            size: values().map(|value| value.size).max().unwrap_or(1),
            digits: values().map(|value| value.digits).max().unwrap_or(0),
            bytes,
            stride,
            lengths: values().map(length).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use super8_cassette::Value;

    #[test]
    fn what_a_cassette_has_can_be_sent_again_or_says_why_not() {
        let sent = |value: Value| Parameter::of(&value, false);
        let map = |name: &str, value: Value| Value::Map(vec![(name.to_owned(), value)]);
        assert_eq!(sent(Value::Int(-7)).unwrap().bytes.unwrap(), (-7i64).to_ne_bytes());
        assert_eq!(sent(Value::Null).unwrap().bytes, None);
        let stamp = sent(map("TYPE_TIMESTAMP", "2026-01-01 10:00:00.125".into())).unwrap();
        assert_eq!((stamp.sql_type, stamp.digits), (93, 3));
        assert_eq!(sent(map("BINARY", "\\x00ff".into())).unwrap().bytes.unwrap(), [0, 255]);
        assert_eq!(sent("\\ea\\nb".into()).unwrap().bytes.unwrap(), b"a\nb");
        assert_eq!(Parameter::of(&"é".into(), true).unwrap().bytes.unwrap(), 0xE9u16.to_ne_bytes());
        let digest = Value::Map(vec![("sha256".to_owned(), "00".into()), ("bytes".to_owned(), Value::Int(5000))]);
        for refused in [digest, map("DEFAULT_PARAM", Value::Null), Value::List(Vec::new())] {
            assert!(sent(refused.clone()).is_err(), "{refused:?}");
        }
    }

    fn sets(values: &[Value]) -> Vec<Vec<Parameter>> {
        values.iter().map(|value| vec![Parameter::of(value, false).unwrap()]).collect()
    }

    #[test]
    fn values_stand_one_after_the_other() {
        let bound = Bound::columns(&sets(&["one".into(), Value::Null, "three".into()])).unwrap().remove(0);
        assert_eq!((bound.stride, bound.size, &bound.lengths[..]), (5, 5, &[3, odbc_sys::NULL_DATA, 5][..]));
        assert_eq!(bound.bytes, b"one\0\0\0\0\0\0\0three");
        let bound = Bound::columns(&sets(&[Value::Null, Value::Int(2)])).unwrap().remove(0);
        assert_eq!((bound.stride, &bound.lengths[..]), (8, &[odbc_sys::NULL_DATA, 8][..]));
        assert!(Bound::columns(&sets(&["one".into(), Value::Int(2)])).is_err());
        assert!(Bound::columns(&[Vec::new(), sets(&["one".into()]).remove(0)]).is_err());
        assert!(Bound::columns(&[]).unwrap().is_empty());
    }
}
