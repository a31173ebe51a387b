//! A row inside the log: `result: [1, "two", null]`.

use std::sync::Arc;

use csv::ByteRecord;

use crate::cell;
use crate::row::Row;
use crate::value::{Value, float_text};

/// The row of a fetch that says nothing else, read without building the entry.
pub struct InlineRow {
    /// The fields of its cells, all UTF-8.
    pub fields: ByteRecord,
    /// The C types in which the application took the columns.
    pub c_types: Arc<[String]>,
}

/// The C types of the entry that was read last. The next one mostly has the same.
#[derive(Clone, Debug, Default)]
pub struct LastTypes {
    written: Vec<u8>,
    names: Arc<[String]>,
}

impl LastTypes {
    /// Returns the C types that are written so: the last ones, or else those that `read` returns.
    pub(crate) fn names(
        &mut self,
        written: &[u8],
        read: impl FnOnce(&[u8]) -> Option<Arc<[String]>>,
    ) -> Option<Arc<[String]>> {
        if self.written != written {
            self.names = read(written)?;
            self.written = written.to_vec();
        }
        Some(Arc::clone(&self.names))
    }
}

/// Why a value is not a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InlineError {
    /// The column, from 0; `None` if the value is no list at all.
    pub column: Option<usize>,
    /// What is wrong.
    pub problem: String,
}

impl std::fmt::Display for InlineError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.column {
            Some(column) => write!(f, "[{column}]: {}", self.problem),
            None => f.write_str(&self.problem),
        }
    }
}

impl std::error::Error for InlineError {}

/// Converts a row to a list: null for NULL, a number if the C type is numeric and the text is exactly how the number is
/// written, and otherwise the same text as in a rows file, backslash tags included.
pub fn inline<S: AsRef<str>>(row: &Row, c_types: &[S]) -> Value {
    let value = |column: usize| {
        let field = row.field(column);
        if *field == *b"\\N" {
            return Value::Null;
        }
        let Ok(text) = std::str::from_utf8(&field) else {
            let mut hex = Vec::new();
            cell::encode_bytes(&field, &mut hex);
            return Value::Text(String::from_utf8_lossy(&hex).into_owned());
        };
        let c_type = c_types.get(column).map_or("", AsRef::as_ref);
        number(text, c_type).unwrap_or_else(|| Value::from(text))
    };
    Value::List((0..row.width()).map(value).collect())
}

/// Returns the number that a text is, if writing the number gives the same text again.
fn number(text: &str, c_type: &str) -> Option<Value> {
    const INTEGERS: [&str; 13] = [
        "BIT", "STINYINT", "UTINYINT", "TINYINT", "SSHORT", "USHORT", "SHORT", "SLONG", "ULONG", "LONG", "SBIGINT",
        "UBIGINT", "BOOKMARK",
    ];
    let is_float = matches!(c_type, "FLOAT" | "DOUBLE");
    if !is_float && !INTEGERS.contains(&c_type) {
        return None;
    }
    match text.parse::<i128>() {
        Ok(number) if itoa::Buffer::new().format(number) == text => Some(Value::Int(number)),
        _ if is_float => {
            let number: f64 = text.parse().ok().filter(|number: &f64| number.is_finite())?;
            (float_text(number) == text).then_some(Value::Float(number))
        }
        _ => None,
    }
}

/// Puts the cells of such a list into `row`, replacing its content.
pub fn from_inline(value: &Value, row: &mut Row) -> Result<(), InlineError> {
    row.clear();
    fields(value, &mut |field| row.push_field(field))
}

/// Calls `take` with the fields of such a list in column order, each ready for [`decode`](cell::decode).
pub fn fields(value: &Value, take: &mut dyn FnMut(&[u8])) -> Result<(), InlineError> {
    let not_a_list = || InlineError { column: None, problem: "a row is a list of cells".to_owned() };
    let (mut decoded, mut encoded) = (Vec::new(), Vec::new());
    for (column, item) in value.as_list().ok_or_else(not_a_list)?.iter().enumerate() {
        let refuse = |problem: String| InlineError { column: Some(column), problem };
        match item {
            Value::Null => take(b"\\N"),
            Value::Int(number) => take(itoa::Buffer::new().format(*number).as_bytes()),
            Value::Float(number) if number.is_finite() => take(float_text(*number).as_bytes()),
            Value::Text(text) if !text.starts_with('\\') => take(text.as_bytes()),
            Value::Text(text) => {
                let cell = cell::decode(text.as_bytes(), &mut decoded).map_err(|error| refuse(error.to_string()))?;
                encoded.clear();
                cell::encode(cell, &mut encoded);
                take(&encoded);
            }
            _ => return Err(refuse("a cell is null, a number or text: put anything else in quotes".to_owned())),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::Cell;

    #[test]
    fn numbers_stand_bare_only_where_they_are_numbers() {
        let mut row = Row::new();
        let cells: [(&str, &str); 10] = [
            ("SLONG", "42"),
            ("CHAR", "42"),
            ("SLONG", "007"),
            ("UBIGINT", "18446744073709551615"),
            ("DOUBLE", "1.5"),
            ("DOUBLE", "1.50"),
            ("DOUBLE", "1.0e+16"),
            ("DOUBLE", "3"),
            ("DOUBLE", "NaN"),
            ("NUMERIC", "12.50"),
        ];
        for (column, (_, text)) in cells.iter().enumerate() {
            row.set(column, Cell::Plain(text.as_bytes()));
        }
        row.set(11, Cell::Null);
        row.set(12, Cell::Bytes(b"\0"));
        let list = inline(&row, &cells.map(|(c_type, _)| c_type));
        let expected = Value::List(vec![
            Value::Int(42),
            "42".into(),
            "007".into(),
            Value::Int(18446744073709551615),
            Value::Float(1.5),
            "1.50".into(),
            Value::Float(1e16),
            Value::Int(3),
            "NaN".into(),
            "12.50".into(),
            "\\-".into(),
            Value::Null,
            "\\x00".into(),
        ]);
        assert_eq!(list, expected);
        let mut back = Row::new();
        from_inline(&list, &mut back).unwrap();
        assert!(row.fields().eq(back.fields()));
    }

    #[test]
    fn what_is_no_row_is_refused_with_its_column() {
        let problem = |value: Value| from_inline(&value, &mut Row::new()).unwrap_err();
        assert_eq!(problem(Value::Null).column, None);
        assert_eq!(problem(vec![Value::Null, Value::Bool(true)].into()).column, Some(1));
        assert_eq!(problem(vec!["a", "\\q"].into()).to_string().split('`').nth(1), Some("\\q"));
        assert_eq!(problem(vec![Value::Float(f64::NAN)].into()).column, Some(0));
    }
}
