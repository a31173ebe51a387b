//! A cell as text: what one field of a rows file says, and what it stands for.
//!
//! A field is the cell's text unless it begins with a backslash tag: `\N` NULL, `\-` not read, `\x68690a` bytes,
//! `\eline one\nline two` escaped text, `\>5000:text` cut off by the application's buffer with the full length. In
//! escaped text `\n \r \t \\` mean what they mean in C, `\x1b` is an ASCII control character and `\u{2028}` any other
//! character by its number. Escaped are: control characters (C0, DEL, C1), U+2028, U+2029, and a byte order mark or a
//! backslash at the beginning.

use std::fmt;
use std::ops::ControlFlow;

use memchr::{memchr, memchr2};

use crate::scan::{self, Scan};
use crate::text;

/// One cell as the application received it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell<'a> {
    /// The application never asked for this cell.
    Unread,
    /// NULL.
    Null,
    /// Text. Text that is not valid UTF-8 is written as bytes and comes back as [`Cell::Bytes`].
    Text(&'a [u8]),
    /// Text of which the caller promises that it has only letters, digits and `+-.:`, with blanks only between them:
    /// numbers, dates, GUIDs. It needs no quotes in CSV. Comes back as [`Cell::Text`].
    Plain(&'a [u8]),
    /// Bytes of no particular encoding.
    Bytes(&'a [u8]),
    /// A value cut off by the application's buffer.
    Cut {
        /// The length that the driver reported, in bytes. A negative one is kept as the driver gave it (SQL_NO_TOTAL is -4).
        total: i64,
        /// The part that the application received.
        cell: CutCell<'a>,
    },
}

/// The part of a cut value that the application received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CutCell<'a> {
    /// Text. Text that is not valid UTF-8 comes back as bytes.
    Text(&'a [u8]),
    /// Bytes of no particular encoding.
    Bytes(&'a [u8]),
}

/// Why a field is not a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellError(String);

impl fmt::Display for CellError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CellError {}

/// The field of a cell that was not read.
pub const UNREAD: &[u8] = b"\\-";
pub(crate) const NULL: &[u8] = b"\\N";

/// Appends the text of a cell.
pub fn encode(cell: Cell<'_>, out: &mut Vec<u8>) {
    encode_as(cell, false, out);
}

/// Appends the field of a cell as it stands in a rows file. Returns true if it is in quotes.
#[inline]
pub(crate) fn encode_field(cell: Cell<'_>, out: &mut Vec<u8>) -> bool {
    match cell {
        Cell::Plain(text) => out.extend_from_slice(text),
        Cell::Text(text) => return encode_text(text, true, out),
        other => return encode_as(other, true, out),
    }
    false
}

fn encode_as(cell: Cell<'_>, csv: bool, out: &mut Vec<u8>) -> bool {
    match cell {
        Cell::Unread => out.extend_from_slice(UNREAD),
        Cell::Null => out.extend_from_slice(NULL),
        Cell::Plain(text) => out.extend_from_slice(text),
        Cell::Text(text) => return encode_text(text, csv, out),
        Cell::Bytes(bytes) => encode_bytes(bytes, out),
        Cell::Cut { total, cell } => {
            let begin = out.len();
            out.extend_from_slice(format!("\\>{total}:").as_bytes());
            match cell {
                CutCell::Text(text) => {
                    encode_text(text, false, out);
                    if csv && needs_quotes(text) {
                        let field = out.split_off(begin);
                        push_quoted(&field, out);
                        return true;
                    }
                }
                CutCell::Bytes(bytes) => encode_bytes(bytes, out),
            }
        }
    }
    false
}

/// Appends a text. With `csv` it is for a rows file, and put in quotes if needed. Returns true if it is in quotes.
fn encode_text(text: &[u8], csv: bool, out: &mut Vec<u8>) -> bool {
    let scan = scan::scan(text);
    let quotes = csv && (scan.quotes || scan::is_fragile(text));
    if quotes || scan.special || text.first() == Some(&b'\\') {
        return encode_special(text, scan, quotes, out);
    }
    out.extend_from_slice(text);
    false
}

/// Appends a text that needs quotes, has a byte that is not printable ASCII, or begins like a tag.
#[inline(never)]
fn encode_special(text: &[u8], scan: Scan, quotes: bool, out: &mut Vec<u8>) -> bool {
    if scan.foreign && std::str::from_utf8(text).is_err() {
        encode_bytes(text, out);
        return false;
    }
    // in ASCII text the only special bytes are control characters
    let escapes = match scan.foreign {
        true => needs_escapes(text),
        false => scan.special || text.first() == Some(&b'\\'),
    };
    match (escapes, quotes) {
        (true, false) => encode_escaped(text, false, out),
        (true, true) => {
            out.push(b'"');
            encode_escaped(text, true, out);
            out.push(b'"');
        }
        (false, true) => push_quoted(text, out),
        (false, false) => out.extend_from_slice(text),
    }
    quotes
}

/// Says whether CSV must put a text in quotes. Does not look for line breaks, which a cell cannot have.
fn needs_quotes(text: &[u8]) -> bool {
    scan::is_fragile(text) || memchr2(b',', b'"', text).is_some()
}

/// Appends a field in CSV quotes.
pub(crate) fn push_quoted(mut field: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    while let Some(at) = memchr(b'"', field) {
        out.extend_from_slice(&field[..=at]);
        out.push(b'"');
        field = &field[at + 1..];
    }
    out.extend_from_slice(field);
    out.push(b'"');
}

/// Appends `\x` and the bytes in hex.
pub(crate) fn encode_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"\\x");
    text::push_hex(bytes, out);
}

/// Decodes a field whose CSV quotes are already undone.
///
/// Overwrites `scratch` only for a field that is not its own text. Refuses an unknown tag, a bad escape, hex that is
/// not hex, and text that is not UTF-8.
pub fn decode<'a>(field: &'a [u8], scratch: &'a mut Vec<u8>) -> Result<Cell<'a>, CellError> {
    if !field.starts_with(b"\\x") {
        check_utf8(field)?;
    }
    decode_utf8(field, scratch)
}

/// Decodes a field that is known to be UTF-8, as [`decode`] does. Of any other field it may return text that is not UTF-8.
pub fn decode_utf8<'a>(field: &'a [u8], scratch: &'a mut Vec<u8>) -> Result<Cell<'a>, CellError> {
    let Some((b'\\', tagged)) = field.split_first() else { return Ok(Cell::Text(field)) };
    match tagged.split_first() {
        Some((b'N', [])) => Ok(Cell::Null),
        Some((b'-', [])) => Ok(Cell::Unread),
        Some((b'x', hex)) => decode_bytes(hex, scratch).map(Cell::Bytes),
        Some((b'e', escaped)) => decode_escaped(escaped, scratch).map(Cell::Text),
        Some((b'>', rest)) => {
            let (total, part) = split_total(rest)
                .ok_or_else(|| CellError("a cut value is written `\\>TOTAL:` and the part that was read".to_owned()))?;
            let cell = match part {
                [b'\\', b'x', hex @ ..] => CutCell::Bytes(decode_bytes(hex, scratch)?),
                [b'\\', b'e', escaped @ ..] => CutCell::Text(decode_escaped(escaped, scratch)?),
                [b'\\', ..] => return Err(unknown_tag(part)),
                text => CutCell::Text(text),
            };
            Ok(Cell::Cut { total, cell })
        }
        _ => Err(unknown_tag(field)),
    }
}

/// Checks that a field begins as a cell can. [`decode`] checks the rest of it.
pub(crate) fn check_tag(field: &[u8]) -> Result<(), CellError> {
    match field {
        [b'\\', b'N' | b'-'] | [b'\\', b'x' | b'e' | b'>', ..] => Ok(()),
        [b'\\', ..] => Err(unknown_tag(field)),
        _ => Ok(()),
    }
}

fn unknown_tag(field: &[u8]) -> CellError {
    let start = String::from_utf8_lossy(&field[..field.len().min(12)]);
    CellError(format!(
        "`{start}` begins with an unknown tag: after a backslash stands N, -, x, e or >, and text that itself begins \
         with a backslash is written \\e\\\\..."
    ))
}

pub(crate) fn check_utf8(text: &[u8]) -> Result<&[u8], CellError> {
    if simdutf8::basic::from_utf8(text).is_ok() {
        return Ok(text);
    }
    match std::str::from_utf8(text) {
        Ok(_) => Ok(text),
        Err(error) => Err(CellError(format!(
            "byte {} of the cell is not UTF-8: save the file as UTF-8, or write the bytes as \\x and hex",
            error.valid_up_to() + 1
        ))),
    }
}

fn split_total(rest: &[u8]) -> Option<(i64, &[u8])> {
    let colon = memchr(b':', &rest[..rest.len().min(21)])?;
    let digits = std::str::from_utf8(&rest[..colon]).ok()?;
    let total: i64 = digits.parse().ok()?;
    (!digits.starts_with('+')).then_some((total, &rest[colon + 1..]))
}

fn decode_bytes<'a>(hex: &[u8], scratch: &'a mut Vec<u8>) -> Result<&'a [u8], CellError> {
    let (pairs, rest) = hex.as_chunks::<2>();
    scratch.clear();
    scratch.reserve(pairs.len());
    for pair in pairs {
        match text::hex_byte(*pair) {
            Some(byte) => scratch.push(byte),
            None => return Err(CellError(format!("`{}` is not a hex byte", String::from_utf8_lossy(pair)))),
        }
    }
    if !rest.is_empty() {
        return Err(CellError("an odd number of hex digits".to_owned()));
    }
    Ok(scratch)
}

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Marks the bytes of a word that may begin a character which escaped text cannot hold, and quotes.
#[inline]
fn awkward(word: u64) -> u64 {
    let marks = scan::control_or(word, [b'"', b'\\']);
    match scan::foreign(word) {
        0 => marks,
        _ => marks | scan::equal(word, 0xc2) | scan::equal(word, 0xe2),
    }
}

/// Returns the length in bytes of the character that begins at `at`, if escaped text cannot hold it.
fn escaped_length(text: &[u8], at: usize) -> Option<usize> {
    match text.get(at..)? {
        [b'\\' | 0..0x20 | 0x7f, ..] => Some(1),
        [0xc2, 0x80..0xa0, ..] => Some(2),
        [0xe2, 0x80, 0xa8 | 0xa9, ..] => Some(3),
        _ => None,
    }
}

/// Says whether a text of valid UTF-8 needs the tag of escaped text. A backslash inside the text does not.
fn needs_escapes(text: &[u8]) -> bool {
    let alone = |at: usize| match text[at] {
        b'\\' if at > 0 => ControlFlow::Continue(()),
        _ if escaped_length(text, at).is_none() => ControlFlow::Continue(()),
        _ => ControlFlow::Break(()),
    };
    scan::each_marked(text, awkward, alone).is_break() || text.starts_with(BYTE_ORDER_MARK)
}

/// Escapes a text, without the tag that says so.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = Vec::new();
    encode_escaped(text.as_bytes(), false, &mut out);
    String::from_utf8_lossy(&out[2..]).into_owned()
}

/// Appends `\e` and the escaped form of valid UTF-8. With `quotes` it doubles quotes, because the text will stand in quotes.
fn encode_escaped(text: &[u8], quotes: bool, out: &mut Vec<u8>) {
    out.reserve(2 * text.len() + 2);
    out.extend_from_slice(b"\\e");
    let mut done = 0;
    if text.starts_with(BYTE_ORDER_MARK) {
        out.extend_from_slice(b"\\u{feff}");
        done = BYTE_ORDER_MARK.len();
    }
    let _ = scan::each_marked(text, awkward, |at| {
        let byte = text[at];
        let (sign, letter) = match byte {
            b'"' if quotes => (b'"', b'"'),
            b'\n' => (b'\\', b'n'),
            b'\r' => (b'\\', b'r'),
            b'\t' => (b'\\', b't'),
            b'\\' => (b'\\', b'\\'),
            _ => {
                if let Some(length) = escaped_length(text, at) {
                    out.extend_from_slice(&text[done..at]);
                    push_escape(&text[at..at + length], out);
                    done = at + length;
                }
                return ControlFlow::Continue(());
            }
        };
        out.extend_from_slice(&text[done..at]);
        out.extend_from_slice(&[sign, letter]);
        done = at + 1;
        ControlFlow::Continue(())
    });
    out.extend_from_slice(&text[done..]);
}

/// Appends a character by its number.
#[cold]
fn push_escape(character: &[u8], out: &mut Vec<u8>) {
    match character {
        [byte] => {
            out.extend_from_slice(b"\\x");
            text::push_hex(&[*byte], out);
        }
        // U+0080 to U+009F, U+2028 and U+2029
        [_, byte] => out.extend_from_slice(format!("\\u{{{byte:x}}}").as_bytes()),
        rest => out.extend_from_slice(if rest.ends_with(&[0xa8]) { b"\\u{2028}" } else { b"\\u{2029}" }),
    }
}

/// Decodes what stands after `\e`, into `scratch`.
fn decode_escaped<'a>(escaped: &[u8], scratch: &'a mut Vec<u8>) -> Result<&'a [u8], CellError> {
    scratch.clear();
    let mut rest = escaped;
    while let Some(at) = memchr(b'\\', rest) {
        scratch.extend_from_slice(&rest[..at]);
        rest = match &rest[at + 1..] {
            [b'n', rest @ ..] => push(scratch, '\n', rest),
            [b'r', rest @ ..] => push(scratch, '\r', rest),
            [b't', rest @ ..] => push(scratch, '\t', rest),
            [b'\\', rest @ ..] => push(scratch, '\\', rest),
            [b'x', high, low, rest @ ..] => match text::hex_byte([*high, *low]) {
                Some(byte) if byte.is_ascii() => push(scratch, char::from(byte), rest),
                _ => return Err(bad_escape(&escaped[escaped.len() - rest.len() - 4..])),
            },
            [b'u', b'{', number @ ..] => {
                let end = memchr(b'}', &number[..number.len().min(7)]);
                let digits = end.and_then(|end| std::str::from_utf8(&number[..end]).ok());
                let code = digits.filter(|digits| !digits.starts_with('+'));
                let code = code.and_then(|digits| u32::from_str_radix(digits, 16).ok());
                match (code.and_then(char::from_u32), end) {
                    (Some(character), Some(end)) => push(scratch, character, &number[end + 1..]),
                    _ => return Err(bad_escape(&rest[at..])),
                }
            }
            _ => return Err(bad_escape(&rest[at..])),
        };
    }
    scratch.extend_from_slice(rest);
    Ok(scratch)
}

fn push<'r>(scratch: &mut Vec<u8>, character: char, rest: &'r [u8]) -> &'r [u8] {
    scratch.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    rest
}

fn bad_escape(at: &[u8]) -> CellError {
    let start = String::from_utf8_lossy(&at[..at.len().min(10)]);
    CellError(format!(
        "`{start}` begins with an unknown escape: escaped text has \\n, \\r, \\t, \\\\, \\x00 to \\x7f and \\u{{...}}"
    ))
}

/// How much memory is kept for the next cell. A larger cell gives its memory back.
const KEPT_MEMORY: usize = 64 * 1024;

/// A decoded cell that is kept while its value is read in pieces, so that a large one is decoded only once.
#[derive(Debug, Default)]
pub struct DecodedCell {
    form: Option<DecodedForm>,
    bytes: Vec<u8>,
}

/// What the field is, and where its bytes are.
#[derive(Clone, Copy, Debug)]
enum DecodedForm {
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

impl DecodedCell {
    /// Forgets the cell, because another field comes next.
    pub fn forget(&mut self) {
        if self.form.take().is_some() {
            self.bytes.clear();
            self.bytes.shrink_to(KEPT_MEMORY);
        }
    }

    /// Returns what [`decode`] returns for this field. The field must be the same as last time, unless
    /// [`forget`](Self::forget) was called. `utf8` says that it is known to be UTF-8.
    ///
    /// # Errors
    /// As for [`decode`].
    pub fn decode<'a>(&'a mut self, field: &'a [u8], utf8: bool) -> Result<Cell<'a>, CellError> {
        let form = match self.form {
            Some(form) => form,
            None => *self.form.insert(decoded_form(field, utf8, &mut self.bytes)?),
        };
        let bytes = self.bytes.as_slice();
        let cut = |total, cell| Cell::Cut { total, cell };
        Ok(match form {
            DecodedForm::Unread => Cell::Unread,
            DecodedForm::Null => Cell::Null,
            DecodedForm::Plain => Cell::Text(field),
            DecodedForm::Text => Cell::Text(bytes),
            DecodedForm::Bytes => Cell::Bytes(bytes),
            DecodedForm::CutPlain(total, begin) => cut(total, CutCell::Text(field.get(begin..).unwrap_or_default())),
            DecodedForm::CutText(total) => cut(total, CutCell::Text(bytes)),
            DecodedForm::CutBytes(total) => cut(total, CutCell::Bytes(bytes)),
        })
    }
}

fn decoded_form(field: &[u8], utf8: bool, bytes: &mut Vec<u8>) -> Result<DecodedForm, CellError> {
    Ok(match if utf8 { decode_utf8(field, bytes) } else { decode(field, bytes) }? {
        Cell::Unread => DecodedForm::Unread,
        Cell::Null => DecodedForm::Null,
        Cell::Text(_) | Cell::Plain(_) if field.first() == Some(&b'\\') => DecodedForm::Text,
        Cell::Text(_) | Cell::Plain(_) => DecodedForm::Plain,
        Cell::Bytes(_) => DecodedForm::Bytes,
        Cell::Cut { total, cell: CutCell::Bytes(_) } => DecodedForm::CutBytes(total),
        // behind `\>TOTAL:` stands either the text itself or `\e`
        Cell::Cut { total, cell: CutCell::Text(text) } => {
            let begin = field.len() - text.len().min(field.len());
            match field.get(begin..) == Some(text) && begin > 0 && field[begin - 1] == b':' {
                true => DecodedForm::CutPlain(total, begin),
                false => DecodedForm::CutText(total),
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(cell: Cell<'_>) -> String {
        let mut out = Vec::new();
        encode(cell, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_kind_has_its_form() {
        let cut = |total, cell| field(Cell::Cut { total, cell });
        assert_eq!(field(Cell::Unread), r"\-");
        assert_eq!(field(Cell::Null), r"\N");
        assert_eq!(field(Cell::Text(b"")), "");
        assert_eq!(field(Cell::Text("  Ångström, \"1\" ".as_bytes())), "  Ångström, \"1\" ");
        assert_eq!(field(Cell::Text(br"C:\temp")), r"C:\temp");
        assert_eq!(field(Cell::Text(br"\N")), r"\e\\N");
        assert_eq!(field(Cell::Text(b"a\r\n\tb\0\x7f\\")), r"\ea\r\n\tb\x00\x7f\\");
        assert_eq!(field(Cell::Text("\u{85}\u{2028}\u{2029}".as_bytes())), r"\e\u{85}\u{2028}\u{2029}");
        assert_eq!(field(Cell::Text("\u{feff}a\u{feff}".as_bytes())), "\\e\\u{feff}a\u{feff}");
        assert_eq!(field(Cell::Text("a\u{feff}\u{2027}\u{a0}".as_bytes())), "a\u{feff}\u{2027}\u{a0}");
        assert_eq!(field(Cell::Text(b"a\xff")), r"\x61ff");
        assert_eq!(field(Cell::Bytes(b"hello")), r"\x68656c6c6f");
        assert_eq!(field(Cell::Bytes(b"")), r"\x");
        assert_eq!(cut(5000, CutCell::Text(b"text")), r"\>5000:text");
        assert_eq!(cut(-4, CutCell::Text(b"\\a\n")), r"\>-4:\e\\a\n");
        assert_eq!(cut(9, CutCell::Bytes(b"\0")), r"\>9:\x00");
    }

    #[test]
    fn what_a_person_may_write_is_read() {
        let scratch = &mut Vec::new();
        assert_eq!(decode(br"\xFFfe", scratch), Ok(Cell::Bytes(b"\xff\xfe")));
        assert_eq!(decode(br"\e\u{1F600}\u{0}", scratch), Ok(Cell::Text("😀\0".as_bytes())));
        assert_eq!(decode(b"\\eas it is", scratch), Ok(Cell::Text(b"as it is")));
        assert_eq!(decode(b"raw\ttab", scratch), Ok(Cell::Text(b"raw\ttab")));
    }

    #[test]
    fn anything_else_is_refused() {
        let bad: &[&[u8]] = &[
            b"\\",
            b"\\n",
            b"\\Nx",
            b"\\-1",
            b"\\q",
            b"\\x1",
            b"\\xzz",
            b"\\x+1",
            b"\\e\\",
            b"\\e\\q",
            b"\\e\\x80",
            b"\\e\\x1",
            b"\\e\\u{}",
            b"\\e\\u{d800}",
            b"\\e\\u{110000}",
            b"\\e\\u{+41}",
            b"\\e\\u{41",
            b"\\>",
            b"\\>5",
            b"\\>x:a",
            b"\\>+5:a",
            b"\\>5:\\N",
            b"\\>5:\\>5:a",
            b"\\>99999999999999999999:a",
            b"\xff",
            b"\\e\xff",
        ];
        for field in bad {
            assert!(decode(field, &mut Vec::new()).is_err(), "{}", String::from_utf8_lossy(field));
        }
    }

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
        let mut decoded = DecodedCell::default();
        for field in fields {
            let mut scratch = Vec::new();
            let expected = decode(field, &mut scratch);
            assert_eq!(decoded.decode(field, false), expected, "{}", field.escape_ascii());
            assert_eq!(decoded.decode(field, false), expected, "{}", field.escape_ascii());
            decoded.forget();
            if std::str::from_utf8(field).is_ok() {
                assert_eq!(decoded.decode(field, true), expected, "{}", field.escape_ascii());
            }
            decoded.forget();
        }
        assert!(decoded.decode(br"\q", false).is_err());
        assert_eq!(decoded.decode(b"after an error", true), Ok(Cell::Text(b"after an error")));
    }
}
