//! Turns a parameter of a cassette into a value that can be sent to a driver.

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

#[cfg(test)]
mod tests {
    use super::*;

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
}
