//! Reads CSV as Ruby's library writes it: fields may span lines, an empty field without quotes is nil, and an empty
//! line is a row with one nil.

use std::path::Path;

use super8_cassette::CassetteError;

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
        let (field, after) = field(rest).ok_or_else(|| {
            CassetteError::new(file, "a quote that is not closed, or that stands inside a field without quotes")
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
fn field(text: &[u8]) -> Option<(Field, &[u8])> {
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
