//! Escaped text, `\e...`: what a line of CSV cannot hold, or a reader would not see, as backslash escapes.

use std::ops::ControlFlow;

use memchr::memchr;

use super::{CellError, check_utf8, hex_digit, look, push_hex};

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// For valid UTF-8: every character that escaped text cannot hold, by place and number of bytes, until `found` breaks.
fn each_escaped(text: &[u8], mut found: impl FnMut(usize, usize) -> ControlFlow<()>) -> ControlFlow<()> {
    let (words, rest) = text.as_chunks::<8>();
    for (number, eight) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*eight);
        let mut marks = look::control(word) | look::equal(word, b'\\');
        if look::foreign(word) != 0 {
            marks |= look::equal(word, 0xc2) | look::equal(word, 0xe2);
        }
        while marks != 0 {
            let at = 8 * number + (marks.trailing_zeros() / 8) as usize;
            if let Some(length) = escaped_length(text, at) {
                found(at, length)?;
            }
            marks &= marks - 1;
        }
    }
    for at in text.len() - rest.len()..text.len() {
        if let Some(length) = escaped_length(text, at) {
            found(at, length)?;
        }
    }
    ControlFlow::Continue(())
}

/// How many bytes the character has that begins here, if escaped text cannot hold it.
fn escaped_length(text: &[u8], at: usize) -> Option<usize> {
    match text.get(at..)? {
        [b'\\' | 0..0x20 | 0x7f, ..] => Some(1),
        [0xc2, 0x80..0xa0, ..] => Some(2),
        [0xe2, 0x80, 0xa8 | 0xa9, ..] => Some(3),
        _ => None,
    }
}

/// For valid UTF-8: whether it cannot stand without the tag of escaped text. A backslash inside can.
pub(super) fn needs_escapes(text: &[u8]) -> bool {
    let alone =
        |at: usize| if text[at] == b'\\' && at > 0 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
    each_escaped(text, |at, _| alone(at)).is_break() || text.starts_with(BYTE_ORDER_MARK)
}

/// For valid UTF-8: appends `\e` and the escaped text.
pub(super) fn encode_escaped(text: &[u8], out: &mut Vec<u8>) {
    out.reserve(2 * text.len() + 2);
    out.extend_from_slice(b"\\e");
    let mut done = 0;
    if text.starts_with(BYTE_ORDER_MARK) {
        out.extend_from_slice(b"\\u{feff}");
        done = BYTE_ORDER_MARK.len();
    }
    let _ = each_escaped(text, |at, length| {
        out.extend_from_slice(&text[done..at]);
        match &text[at..at + length] {
            b"\n" => out.extend_from_slice(b"\\n"),
            b"\r" => out.extend_from_slice(b"\\r"),
            b"\t" => out.extend_from_slice(b"\\t"),
            b"\\" => out.extend_from_slice(b"\\\\"),
            [byte] => {
                out.extend_from_slice(b"\\x");
                push_hex(*byte, out);
            }
            // U+0080 to U+009F, U+2028 and U+2029
            [_, byte] => out.extend_from_slice(format!("\\u{{{byte:x}}}").as_bytes()),
            rest => out.extend_from_slice(if rest.ends_with(&[0xa8]) { b"\\u{2028}" } else { b"\\u{2029}" }),
        }
        done = at + length;
        ControlFlow::Continue(())
    });
    out.extend_from_slice(&text[done..]);
}

/// Undoes what stands after `\e`, into `scratch`.
pub(super) fn decode_escaped<'a>(escaped: &[u8], scratch: &'a mut Vec<u8>) -> Result<&'a [u8], CellError> {
    check_utf8(escaped)?;
    scratch.clear();
    let mut rest = escaped;
    while let Some(at) = memchr(b'\\', rest) {
        scratch.extend_from_slice(&rest[..at]);
        rest = match &rest[at + 1..] {
            [b'n', rest @ ..] => push(scratch, '\n', rest),
            [b'r', rest @ ..] => push(scratch, '\r', rest),
            [b't', rest @ ..] => push(scratch, '\t', rest),
            [b'\\', rest @ ..] => push(scratch, '\\', rest),
            [b'x', high, low, rest @ ..] => match (hex_digit(*high), hex_digit(*low)) {
                (Some(high @ 0..8), Some(low)) => push(scratch, char::from(high << 4 | low), rest),
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
