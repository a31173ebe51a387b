//! How the gem and Ruby write values: the keys of an item of the log, binary texts, and the text of a cell by its SQL type.

use std::borrow::Cow;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use super8_cassette::yaml::scalar::float_text;
use super8_cassette::{CassetteError, Value};

use super::columns::Column;
use super::csv::Field;
use super::log::Fetched;

/// The tag under which Ruby writes a text that is not known to be UTF-8.
const BINARY: &str = "!binary";

/// An item, with its place for errors.
pub(super) struct Item<'f> {
    pub(super) value: Value,
    pub(super) file: &'f Path,
    pub(super) line: u32,
}

impl Item<'_> {
    /// An error at a key of the item.
    pub(super) fn error(&self, key: &str, problem: impl Into<String>) -> CassetteError {
        CassetteError::new(self.file, problem)
            .at_line(self.line.into())
            .at_path(key)
            .advice("correct it, or record again")
    }

    /// A text that has to be there.
    pub(super) fn text(&self, key: &str) -> Result<&str, CassetteError> {
        match self.value.get(key) {
            Some(Value::Text(text)) => Ok(text),
            None => Err(self.error("", format!("the key `{key}` is missing"))),
            Some(_) => Err(self.error(key, "is not text")),
        }
    }

    /// The values of a `run`, as ruby-odbc binds them.
    pub(super) fn params(&self) -> Result<Vec<Value>, CassetteError> {
        let params = match self.value.get("params") {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(params) => params.as_list().ok_or_else(|| self.error("params", "is not a list"))?,
        };
        let of = |(at, param): (usize, &Value)| match param {
            Value::Null | Value::Int(_) | Value::Float(_) | Value::Text(_) => Ok(param.clone()),
            Value::Map(_) => match bytes(param).map(String::from_utf8) {
                Some(Ok(text)) => Ok(Value::Text(text)),
                _ => Err(self.error(&format!("params[{at}]"), "is a Ruby object, of which the gem kept no value")),
            },
            Value::Bool(_) | Value::List(_) => {
                Err(self.error(&format!("params[{at}]"), "is nothing that ruby-odbc binds"))
            }
        };
        params.iter().enumerate().map(of).collect()
    }

    /// The columns of a result: a list of them, or a hash by their names.
    pub(super) fn columns(&self) -> Result<Vec<Column>, CassetteError> {
        let wrong = |problem: String| self.error("result", problem);
        match self.value.get("result") {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::List(columns)) => {
                columns.iter().map(|column| Column::of(column, None).map_err(wrong)).collect()
            }
            Some(Value::Map(columns)) => {
                columns.iter().map(|(name, column)| Column::of(column, Some(name)).map_err(wrong)).collect()
            }
            Some(_) => Err(self.error("result", "is neither a list nor a hash of columns")),
        }
    }

    /// Rows that stand in YAML: lists of cells, or hashes.
    pub(super) fn rows(&self, rows: &[Value], key: &str) -> Result<Fetched, CassetteError> {
        let mut fetched = Fetched::default();
        for row in rows {
            let cells: Vec<&Value> = match row {
                Value::List(cells) => cells.iter().collect(),
                Value::Map(pairs) => {
                    fetched.names.get_or_insert_with(|| pairs.iter().map(|(name, _)| name.clone()).collect());
                    pairs.iter().map(|(_, cell)| cell).collect()
                }
                _ => return Err(self.error(key, "is not a row: neither a list nor a hash")),
            };
            let field = |cell: &&Value| field(cell).ok_or_else(|| self.error(key, "has a cell that is no value"));
            fetched.rows.push(cells.iter().map(field).collect::<Result<_, _>>()?);
        }
        Ok(fetched)
    }
}

/// A cell as text, in Ruby's spelling.
fn field(cell: &Value) -> Option<Field> {
    Some(match cell {
        Value::Null => None,
        Value::Text(text) => Some(text.clone().into_bytes()),
        Value::Int(number) => Some(number.to_string().into_bytes()),
        Value::Float(number) => Some(float_text(*number).into_bytes()),
        Value::Map(_) => Some(bytes(cell)?),
        Value::Bool(_) | Value::List(_) => return None,
    })
}

/// The bytes of a text that Ruby wrote as `!binary`.
pub(super) fn bytes(value: &Value) -> Option<Vec<u8>> {
    let text = value.get(BINARY)?.as_text()?;
    let plain: String = text.chars().filter(|character| !character.is_whitespace()).collect();
    STANDARD.decode(plain).ok()
}

/// SQL_VARCHAR, which ruby-odbc reads as text.
pub(super) const VARCHAR: i64 = 12;

/// A cell as ODBC writes it, if the type's value is written so in Ruby; `None` if a value of this type never looks so.
///
/// ruby-odbc gives Ruby's own numbers for these types, and dates and times whose text is ODBC's but for the fraction of a
/// timestamp, which is a number of its own. All else is text.
pub(super) fn cell(sql_type: i64, text: &[u8]) -> Option<Cow<'_, [u8]>> {
    let same = Some(Cow::Borrowed(text));
    let shown = || std::str::from_utf8(text).ok();
    match sql_type {
        // BIT, TINYINT, BIGINT, INTEGER, SMALLINT
        -7..=-5 | 4 | 5 => same
            .filter(|_| shown().is_some_and(|text| text.parse::<i64>().is_ok_and(|number| number.to_string() == text))),
        // FLOAT, REAL, DOUBLE
        6..=8 => same.filter(|_| shown().is_some_and(is_float)),
        // DATE, TIME and TIMESTAMP in either numbering
        9 | 91 => same.filter(|_| looks(text, b"0000-00-00")),
        10 | 92 => same.filter(|_| looks(text, b"00:00:00")),
        11 | 93 => timestamp(text),
        _ => same,
    }
}

fn is_float(text: &str) -> bool {
    // Ruby's exponents have two digits at least
    let short = text.replace("e-0", "e-").replace("e+0", "e+");
    text.parse::<f64>().is_ok_and(|number| number.is_finite() && float_text(number) == short)
}

/// Whether a text has digits where the pattern has them, and else the pattern's characters.
fn looks(text: &[u8], pattern: &[u8]) -> bool {
    let alike = |(byte, pattern): (&u8, &u8)| if *pattern == b'0' { byte.is_ascii_digit() } else { byte == pattern };
    text.len() == pattern.len() && text.iter().zip(pattern).all(alike)
}

/// `2026-11-21 12:30:45 500000000` as `2026-11-21 12:30:45.5`.
fn timestamp(text: &[u8]) -> Option<Cow<'_, [u8]>> {
    let (second, fraction) = text.split_at_checked(19)?;
    let nanoseconds: u32 = std::str::from_utf8(fraction).ok()?.strip_prefix(' ')?.parse().ok()?;
    if !looks(second, b"0000-00-00 00:00:00") || nanoseconds > 999_999_999 {
        return None;
    }
    let mut whole = second.to_vec();
    if nanoseconds > 0 {
        let digits = format!(".{nanoseconds:09}");
        whole.extend_from_slice(digits.trim_end_matches('0').as_bytes());
    }
    Some(Cow::Owned(whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn odbc(sql_type: i64, text: &str) -> Option<String> {
        cell(sql_type, text.as_bytes()).map(|text| String::from_utf8_lossy(&text).into_owned())
    }

    #[test]
    fn what_ruby_prints_is_the_value() {
        for (sql_type, text) in [
            (4, "-7"),
            (-5, "9223372036854775807"),
            (8, "1.5"),
            (8, "-0.0001"),
            (8, "1.0e-05"),
            (7, "1.0e+16"),
            (91, "2026-11-21"),
            (92, "12:30:45"),
            (12, "001"),
            (3, "001.50"),
            (-4, "x"),
            (2, ""),
        ] {
            assert_eq!(odbc(sql_type, text).as_deref(), Some(text), "{sql_type}");
        }
        assert_eq!(odbc(93, "2026-11-21 12:30:45 0").as_deref(), Some("2026-11-21 12:30:45"));
        assert_eq!(odbc(11, "2026-11-21 12:30:45 500000000").as_deref(), Some("2026-11-21 12:30:45.5"));
        assert_eq!(odbc(93, "2026-11-21 12:30:45 1000").as_deref(), Some("2026-11-21 12:30:45.000001"));
    }

    #[test]
    fn what_it_never_prints_is_text() {
        for (sql_type, text) in [
            (4, "001"),
            (4, "+1"),
            (4, ""),
            (5, "1.0"),
            (8, "1"),
            (8, "1.50"),
            (8, "NaN"),
            (91, "21.11.2026"),
            (92, "12:30"),
            (93, "2026-11-21 12:30:45"),
            (93, "2026-11-21 12:30:45 1000000000"),
            (93, "ä"),
        ] {
            assert_eq!(odbc(sql_type, text), None, "{sql_type} {text}");
        }
    }
}
