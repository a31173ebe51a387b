//! Converts values from the form in which the gem and Ruby write them: binary texts, and cells by their SQL type.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use super8_cassette::Value;
use super8_cassette::float_text;

use super::csv::Field;

/// The tag under which Ruby writes a text that is not known to be UTF-8.
const BINARY: &str = "!binary";

/// Returns a cell as text, in Ruby's spelling; `None` if it is no scalar.
pub(super) fn field(cell: &Value) -> Option<Field> {
    Some(match cell {
        Value::Null => None,
        Value::Text(text) => Some(text.clone().into_bytes()),
        Value::Int(number) => Some(number.to_string().into_bytes()),
        Value::Float(number) => Some(float_text(*number).into_bytes()),
        Value::Map(_) => Some(bytes(cell)?),
        Value::Bool(_) | Value::List(_) => return None,
    })
}

/// Returns the bytes of a text that Ruby wrote as `!binary`.
pub(super) fn bytes(value: &Value) -> Option<Vec<u8>> {
    let text = value.get(BINARY)?.as_text()?;
    let plain: String = text.chars().filter(|character| !character.is_whitespace()).collect();
    STANDARD.decode(plain).ok()
}

/// SQL_VARCHAR, which ruby-odbc reads as text.
pub(super) const VARCHAR: i64 = 12;

/// Returns a cell as ODBC writes it; `None` if Ruby never writes a value of this type like this.
///
/// ruby-odbc gives Ruby's own numbers for these types. Its dates and times have ODBC's text, except that a timestamp's
/// fraction is a separate number. Everything else is text.
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
    // Ruby's exponents have at least two digits
    let short = text.replace("e-0", "e-").replace("e+0", "e+");
    text.parse::<f64>().is_ok_and(|number| number.is_finite() && float_text(number) == short)
}

/// Whether a text has a digit where the pattern has `0`, and the pattern's characters elsewhere.
fn looks(text: &[u8], pattern: &[u8]) -> bool {
    let alike = |(byte, pattern): (&u8, &u8)| if *pattern == b'0' { byte.is_ascii_digit() } else { byte == pattern };
    text.len() == pattern.len() && text.iter().zip(pattern).all(alike)
}

/// Turns `2026-11-21 12:30:45 500000000` into `2026-11-21 12:30:45.5`.
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
