//! A decoded cell that is kept while its value is read in pieces: a large one is decoded once, not once a piece.

use super::{Cell, CellError, CutCell, decode};

/// Memory kept for the next cell; a larger one gives its memory back.
const MEMORY: usize = 64 * 1024;

/// What was made of the last field, until it is forgotten.
#[derive(Debug, Default)]
pub struct Kept {
    form: Option<Form>,
    bytes: Vec<u8>,
}

/// What the field is, and where its bytes are.
#[derive(Clone, Copy, Debug)]
enum Form {
    Unread,
    Null,
    /// The field itself.
    Plain,
    /// `bytes`, as text.
    Text,
    /// `bytes`.
    Bytes,
    /// The field from a place on, cut off.
    CutPlain(i64, usize),
    /// `bytes`, as text, cut off.
    CutText(i64),
    /// `bytes`, cut off.
    CutBytes(i64),
}

impl Kept {
    /// Another field comes next.
    pub fn forget(&mut self) {
        if self.form.take().is_some() {
            self.bytes.clear();
            self.bytes.shrink_to(MEMORY);
        }
    }

    /// What [`decode`] gives for this field, which is the one of the last time unless that was forgotten.
    ///
    /// # Errors
    /// As [`decode`].
    pub fn decode<'a>(&'a mut self, field: &'a [u8]) -> Result<Cell<'a>, CellError> {
        let form = match self.form {
            Some(form) => form,
            None => *self.form.insert(form(field, &mut self.bytes)?),
        };
        let bytes = self.bytes.as_slice();
        let cut = |total, cell| Cell::Cut { total, cell };
        Ok(match form {
            Form::Unread => Cell::Unread,
            Form::Null => Cell::Null,
            Form::Plain => Cell::Text(field),
            Form::Text => Cell::Text(bytes),
            Form::Bytes => Cell::Bytes(bytes),
            Form::CutPlain(total, begin) => cut(total, CutCell::Text(field.get(begin..).unwrap_or_default())),
            Form::CutText(total) => cut(total, CutCell::Text(bytes)),
            Form::CutBytes(total) => cut(total, CutCell::Bytes(bytes)),
        })
    }
}

fn form(field: &[u8], bytes: &mut Vec<u8>) -> Result<Form, CellError> {
    Ok(match decode(field, bytes)? {
        Cell::Unread => Form::Unread,
        Cell::Null => Form::Null,
        Cell::Text(_) | Cell::Plain(_) if field.first() == Some(&b'\\') => Form::Text,
        Cell::Text(_) | Cell::Plain(_) => Form::Plain,
        Cell::Bytes(_) => Form::Bytes,
        Cell::Cut { total, cell: CutCell::Bytes(_) } => Form::CutBytes(total),
        // behind `\>TOTAL:` stands either the text itself or `\e`
        Cell::Cut { total, cell: CutCell::Text(text) } => {
            let begin = field.len() - text.len().min(field.len());
            match field.get(begin..) == Some(text) && begin > 0 && field[begin - 1] == b':' {
                true => Form::CutPlain(total, begin),
                false => Form::CutText(total),
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_cell_again_and_again() {
        let fields: &[&[u8]] = &[
            b"",
            b"text",
            br"\N",
            br"\-",
            br"\x68690a",
            br"\x",
            br"\eline\n",
            br"\e\\N",
            br"\e",
            br"\>5:",
            br"\>50:text",
            br"\>50:a:b",
            br"\>-4:\ea\n",
            br"\>3:\e:",
            br"\>3:\e\\x3a",
            br"\>9:\x00ff",
            br"\>9:\x",
        ];
        let mut kept = Kept::default();
        for field in fields {
            let mut scratch = Vec::new();
            let expected = decode(field, &mut scratch);
            assert_eq!(kept.decode(field), expected, "{}", field.escape_ascii());
            assert_eq!(kept.decode(field), expected, "{}", field.escape_ascii());
            kept.forget();
        }
        assert!(kept.decode(br"\q").is_err());
        assert_eq!(kept.decode(b"after an error"), Ok(Cell::Text(b"after an error")));
    }
}
