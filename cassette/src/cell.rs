//! A cell as text: what one field of a rows file says, and what it stands for.
//!
//! A field is the cell's text unless it begins with a backslash tag: `\N` NULL, `\-` not read, `\x68690a` bytes,
//! `\eline one\nline two` escaped text, `\>5000:text` cut off by the application's buffer with the full length.
//! In escaped text `\n \r \t \\` mean what they mean in C, `\x1b` is an ASCII control character and `\u{2028}` any
//! other character by its number. Escaped are: control characters (C0, DEL, C1), U+2028, U+2029, and a byte order
//! mark or a backslash at the beginning.

mod escape;
mod kept;
pub(crate) mod look;

use std::fmt;

use memchr::memchr;

pub use kept::Kept;

use escape::{decode_escaped, encode_escaped, needs_escapes};
use look::{Look, look};

/// One cell as the application received it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell<'a> {
    /// The application never asked for this cell.
    Unread,
    /// NULL.
    Null,
    /// Text. What is not valid UTF-8 is written as bytes and comes back as [`Cell::Bytes`].
    Text(&'a [u8]),
    /// Text of letters, digits and `+-.:`, with blanks only between them, by the caller's promise: numbers, dates, GUIDs.
    /// It needs no quotes in CSV. Comes back as [`Cell::Text`].
    Plain(&'a [u8]),
    /// Bytes of no particular encoding.
    Bytes(&'a [u8]),
    /// A value cut off by the application's buffer.
    Cut {
        /// The length the driver reported, in bytes; negative as the driver gave it (SQL_NO_TOTAL is -4).
        total: i64,
        /// The part the application received.
        cell: CutCell<'a>,
    },
}

/// The part of a cut value that the application received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CutCell<'a> {
    /// Text; what is not valid UTF-8 comes back as bytes.
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
const NULL: &[u8] = b"\\N";
const HEX: &[u8; 16] = b"0123456789abcdef";
/// What each byte is worth as a hex digit; 255 if it is none.
const HEX_VALUES: [u8; 256] = {
    let mut values = [255; 256];
    let mut value = 0;
    while value < 16 {
        values[HEX[value] as usize] = value as u8;
        values[HEX[value].to_ascii_uppercase() as usize] = value as u8;
        value += 1;
    }
    values
};

/// Appends the field of a cell; true if CSV must put it in quotes.
pub(crate) fn encode(cell: Cell<'_>, out: &mut Vec<u8>) -> bool {
    match cell {
        Cell::Unread => out.extend_from_slice(UNREAD),
        Cell::Null => out.extend_from_slice(NULL),
        Cell::Plain(text) => out.extend_from_slice(text),
        Cell::Text(text) => return encode_text(text, out),
        Cell::Bytes(bytes) => encode_bytes(bytes, out),
        Cell::Cut { total, cell } => {
            out.extend_from_slice(format!("\\>{total}:").as_bytes());
            match cell {
                CutCell::Text(text) => return encode_text(text, out),
                CutCell::Bytes(bytes) => encode_bytes(bytes, out),
            }
        }
    }
    false
}

fn encode_text(text: &[u8], out: &mut Vec<u8>) -> bool {
    let look = look(text);
    let fragile = look::is_fragile(text);
    let quotes = look.quotes || fragile;
    if look.special || text.first() == Some(&b'\\') {
        return encode_special(text, look, quotes, out);
    }
    out.extend_from_slice(text);
    quotes
}

/// A text that holds a byte which is not printable ASCII, or begins as a tag does.
#[inline(never)]
fn encode_special(text: &[u8], look: Look, quotes: bool, out: &mut Vec<u8>) -> bool {
    if look.foreign && std::str::from_utf8(text).is_err() {
        encode_bytes(text, out);
        return false;
    }
    // of ASCII, what is special is a control character
    if !look.foreign || needs_escapes(text) {
        encode_escaped(text, out);
    } else {
        out.extend_from_slice(text);
    }
    quotes
}

fn push_hex(byte: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
}

/// Appends `\x` and the bytes in hex.
pub(crate) fn encode_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"\\x");
    let begin = out.len();
    out.resize(begin + 2 * bytes.len(), 0);
    for (pair, &byte) in out[begin..].as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
        *pair = [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]];
    }
}

/// Reads a field (with CSV's quotes already undone).
///
/// `scratch` is overwritten only by a field that is not its own text. An unknown tag, a bad escape, hex that is not
/// hex and text that is not UTF-8 are refused.
pub fn decode<'a>(field: &'a [u8], scratch: &'a mut Vec<u8>) -> Result<Cell<'a>, CellError> {
    let Some((b'\\', tagged)) = field.split_first() else {
        return check_utf8(field).map(Cell::Text);
    };
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
                text => CutCell::Text(check_utf8(text)?),
            };
            Ok(Cell::Cut { total, cell })
        }
        _ => Err(unknown_tag(field)),
    }
}

/// Whether a field begins as a cell can; the rest of it is [`decode`]'s to judge.
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

fn check_utf8(text: &[u8]) -> Result<&[u8], CellError> {
    if text.is_ascii() {
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

fn hex_digit(digit: u8) -> Option<u8> {
    let value = HEX_VALUES[usize::from(digit)];
    (value < 16).then_some(value)
}

fn decode_bytes<'a>(hex: &[u8], scratch: &'a mut Vec<u8>) -> Result<&'a [u8], CellError> {
    let (pairs, rest) = hex.as_chunks::<2>();
    scratch.clear();
    scratch.reserve(pairs.len());
    for pair in pairs {
        match (hex_digit(pair[0]), hex_digit(pair[1])) {
            (Some(high), Some(low)) => scratch.push(high << 4 | low),
            _ => return Err(CellError(format!("`{}` is not a hex byte", String::from_utf8_lossy(pair)))),
        }
    }
    if !rest.is_empty() {
        return Err(CellError("an odd number of hex digits".to_owned()));
    }
    Ok(scratch)
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
}
