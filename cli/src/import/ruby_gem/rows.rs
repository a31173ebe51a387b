//! Reads the rows that the gem recorded: CSV as Ruby's library writes it (fields may span lines, an empty field without
//! quotes is nil, and an empty line is a row with one nil), binary texts, and cells by their SQL type.

use std::borrow::Cow;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use super8_cassette::{CassetteError, Value, float_text};

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

/// A field: `None` is nil.
pub(super) type Field = Option<Vec<u8>>;

/// Rows that came from one call.
#[derive(Debug, Default)]
pub(super) struct Fetched {
    pub(super) rows: Vec<Vec<Field>>,
    /// The keys of rows that came as hashes.
    pub(super) names: Option<Vec<String>>,
    /// Whether the end of the data was reached.
    pub(super) ended: bool,
}

/// Reads a whole file.
///
/// # Errors
/// A quote is not closed, or stands where none may. The error has file and line.
pub(super) fn read(bytes: &[u8], file: &Path) -> Result<Vec<Vec<Field>>, CassetteError> {
    let (mut rest, mut line, mut rows, mut row) = (bytes, 1, Vec::new(), Vec::new());
    while !rest.is_empty() {
        let (field, after) = next_field(rest).ok_or_else(|| {
            CassetteError::new(file, "a quote that is not closed, or that is inside a field without quotes")
                .at_line(line)
                .at_column(row.len() as u64 + 1)
                .advice("correct it, or record again")
        })?;
        line += rest[..rest.len() - after.len()].iter().filter(|byte| **byte == b'\n').count() as u64;
        row.push(field);
        rest = after.strip_prefix(b"\r").unwrap_or(after);
        match rest.first() {
            // after a comma there is always a field, even at the end of the file
            Some(b',') if rest.len() == 1 => {
                row.push(None);
                rest = &rest[1..];
            }
            Some(b',') => {
                rest = &rest[1..];
                continue;
            }
            Some(_) => rest = &rest[1..],
            None => {}
        }
        line += 1;
        rows.push(std::mem::take(&mut row));
    }
    Ok(rows)
}

/// Splits off the first field. What follows it begins with a separator or the end of a line, or is empty.
fn next_field(text: &[u8]) -> Option<(Field, &[u8])> {
    let ends = |rest: &[u8]| matches!(rest, [] | [b',' | b'\n', ..] | [b'\r', b'\n', ..] | [b'\r']);
    let Some(mut quoted) = text.strip_prefix(b"\"") else {
        let end = text.iter().position(|byte| b",\n\"".contains(byte)).unwrap_or(text.len());
        let (field, rest) = text.split_at(end);
        let (field, rest) = match field.split_last() {
            Some((b'\r', field)) if !rest.starts_with(b",") => (field, &text[end - 1..]),
            _ => (field, rest),
        };
        return ends(rest).then(|| ((!field.is_empty()).then(|| field.to_vec()), rest));
    };
    let mut field = Vec::new();
    loop {
        let end = quoted.iter().position(|byte| *byte == b'"')?;
        field.extend_from_slice(&quoted[..end]);
        quoted = &quoted[end + 1..];
        match quoted.strip_prefix(b"\"") {
            Some(rest) => quoted = rest,
            None => return ends(quoted).then_some((Some(field), quoted)),
        }
        field.push(b'"');
    }
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

    fn rows(text: &str) -> Result<String, String> {
        let rows = read(text.as_bytes(), Path::new("rows_0.csv")).map_err(|error| error.to_string())?;
        let field = |field: &Field| {
            field.as_ref().map_or("nil".to_owned(), |text| format!("{:?}", String::from_utf8_lossy(text)))
        };
        let row = |row: &Vec<Field>| format!("[{}]", row.iter().map(field).collect::<Vec<_>>().join(" "));
        Ok(rows.iter().map(row).collect())
    }

    #[test]
    fn what_ruby_writes_is_read_as_ruby_reads_it() {
        for (text, expected) in [
            ("", ""),
            ("001,Alice   \n002,Bob\n", r#"["001" "Alice   "]["002" "Bob"]"#),
            ("1,,\"\"\n", r#"["1" nil ""]"#),
            ("\"a \"\"b\"\", c\",d\r\ne,f", r#"["a \"b\", c" "d"]["e" "f"]"#),
            ("\"two\nlines\",x\n\ny\n", r#"["two\nlines" "x"][nil]["y"]"#),
            ("a,\n,b\n,", r#"["a" nil][nil "b"][nil nil]"#),
        ] {
            assert_eq!(rows(text), Ok(expected.to_owned()), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_csv_is_refused_with_its_line() {
        for text in ["a\n\"b\nc", "a\nb\"c\n", "a\n\"b\"c\n"] {
            let refused = rows(text).unwrap_err();
            assert!(refused.starts_with("rows_0.csv:2:1: a quote"), "{refused}");
        }
        assert!(rows("\"a\nb\",\"c\n\nd\"\nx,\"y").unwrap_err().starts_with("rows_0.csv:5:2: a quote"));
    }
}
