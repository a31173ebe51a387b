//! Scalars in the one form on which YAML 1.1 and 1.2 readers agree: which text stands bare, and how any other is quoted.

use std::ops::ControlFlow;

use memchr::{memchr, memchr_iter};

use crate::scan;

/// Says whether a text may stand without quotes: it is an ASCII letter followed by letters, digits, `_`, `-` and `.`,
/// and is no word that some reader takes for a boolean, a null or a number.
pub fn is_plain_word(text: &str) -> bool {
    const TAKEN: [&str; 12] = ["y", "n", "no", "on", "yes", "off", "nan", "inf", "true", "null", "false", "infinity"];
    let Some(first) = text.as_bytes().first().filter(|first| first.is_ascii_alphabetic()) else { return false };
    let maybe_taken = text.len() <= 8 && matches!(first | 0x20, b'y' | b'n' | b'o' | b't' | b'f' | b'i');
    text.bytes().all(|byte| IN_PLAIN_WORDS[usize::from(byte)])
        && (!maybe_taken || !TAKEN.iter().any(|word| word.eq_ignore_ascii_case(text)))
}

/// The bytes of which plain words are made.
const IN_PLAIN_WORDS: [bool; 256] = {
    let mut bytes = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        bytes[byte] = (byte as u8).is_ascii_alphanumeric() || matches!(byte as u8, b'_' | b'-' | b'.');
        byte += 1;
    }
    bytes
};

/// Returns the text of these bytes, if every character may stand in a YAML file as it is, including line feeds and tabs.
///
/// These may not: other control characters, the line breaks of YAML 1.1 that are none in 1.2 (U+0085, U+2028, U+2029),
/// the byte order mark, and U+FFFE and U+FFFF, which YAML does not allow.
pub(super) fn printable(bytes: &[u8]) -> Option<&str> {
    let (words, rest) = bytes.as_chunks::<8>();
    let (mut special, mut foreign) = (0, 0);
    let mut look = |word: u64| {
        special |= scan::control_or(word, []) & !scan::equal(word, b'\n') & !scan::equal(word, b'\t');
        foreign |= scan::foreign(word);
    };
    words.iter().for_each(|word| look(u64::from_le_bytes(*word)));
    let mut last = [b' '; 8];
    last[..rest.len()].copy_from_slice(rest);
    look(u64::from_le_bytes(last));
    if special != 0 {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?;
    (foreign == 0 || text.chars().all(|character| !is_unprintable(character))).then_some(text)
}

/// Says whether every character of a text may stand in a YAML file as it is.
fn is_printable(text: &str) -> bool {
    printable(text.as_bytes()).is_some()
}

/// Says whether a character beyond ASCII must be escaped.
fn is_unprintable(character: char) -> bool {
    matches!(character, '\u{80}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// Appends a text on one line: bare if it is a plain word, and otherwise in double quotes.
pub(super) fn push_text(text: &str, out: &mut Vec<u8>) {
    if is_plain_word(text) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.reserve(text.len() + 2);
    out.push(b'"');
    let mut done = 0;
    let _ = scan::each_marked(text.as_bytes(), marks, |at| {
        let letter = match text.as_bytes()[at] {
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            letter @ (b'"' | b'\\') => letter,
            _ => {
                if let Some(character) = awkward(text, at) {
                    out.extend_from_slice(&text.as_bytes()[done..at]);
                    push_numbered(character, out);
                    done = at + character.len_utf8();
                }
                return ControlFlow::Continue(());
            }
        };
        out.extend_from_slice(&text.as_bytes()[done..at]);
        out.extend_from_slice(&[b'\\', letter]);
        done = at + 1;
        ControlFlow::Continue(())
    });
    out.extend_from_slice(&text.as_bytes()[done..]);
    out.push(b'"');
}

/// Marks the bytes of a word that may begin a character which double quotes cannot hold as it is.
fn marks(word: u64) -> u64 {
    let marks = scan::control_or(word, [b'"', b'\\']);
    match scan::foreign(word) {
        0 => marks,
        // the first bytes of U+0080 to U+009F, of U+2028 and U+2029, and of U+FEFF, U+FFFE and U+FFFF
        _ => marks | scan::equal(word, 0xc2) | scan::equal(word, 0xe2) | scan::equal(word, 0xef),
    }
}

/// Returns the character that begins at `at`, if it must be written by its number.
fn awkward(text: &str, at: usize) -> Option<char> {
    let character = text.get(at..)?.chars().next()?;
    (character.is_ascii_control() || is_unprintable(character)).then_some(character)
}

fn push_numbered(character: char, out: &mut Vec<u8>) {
    let escape = match character as u32 {
        number @ ..=0xff => format!("\\x{number:02X}"),
        number => format!("\\u{number:04X}"),
    };
    out.extend_from_slice(escape.as_bytes());
}

/// Returns the header of a literal block that holds a text exactly. `None` if no block does: for a single line, for blanks
/// at the end of a line (editors strip them), for nothing but line feeds, or for a character that cannot stand as it is.
pub(super) fn literal_header(text: &str) -> Option<&'static str> {
    let bytes = text.as_bytes();
    let blank = |at: usize| matches!(bytes[at], b' ' | b'\t');
    memchr(b'\n', bytes)?;
    let first = bytes.iter().position(|&byte| byte != b'\n')?;
    if !is_printable(text) || memchr_iter(b'\n', bytes).any(|at| at > 0 && blank(at - 1)) || blank(bytes.len() - 1) {
        return None;
    }
    // The indentation of a block is that of its first line with text, unless the header states it.
    Some(match (blank(first), bytes) {
        (false, [.., b'\n', b'\n']) => "|+",
        (false, [.., b'\n']) => "|",
        (false, _) => "|-",
        (true, [.., b'\n', b'\n']) => "|2+",
        (true, [.., b'\n']) => "|2",
        (true, _) => "|2-",
    })
}

/// Appends an integer in decimal.
pub(super) fn push_int(number: i128, out: &mut Vec<u8>) {
    let mut buffer = itoa::Buffer::new();
    let text = match i64::try_from(number) {
        Ok(small) => buffer.format(small),
        Err(_) => buffer.format(number),
    };
    out.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> String {
        let mut out = Vec::new();
        push_text(text, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn plain_words_stand_bare_and_nothing_else() {
        for word in ["a", "fetch_all", "a_1_columns.yml", "HY000", "SLONG", "x-1", "no1", "yess", "infinities"] {
            assert_eq!(text(word), word);
        }
        for other in [
            "",
            "y",
            "No",
            "ON",
            "yes",
            "oFF",
            "true",
            "False",
            "NULL",
            "~",
            "nan",
            ".nan",
            ".inf",
            "Inf",
            "<<",
            "=",
            "1",
            "1e3",
            "0x1F",
            "017",
            "0o17",
            "1_000",
            "12:30:45",
            "2001-01-01",
            "42S02",
            "-",
            "a b",
            " a",
            "a:",
            "é",
            "#a",
            "[a]",
            "{a",
            "a,b",
            "*a",
            "&a",
            "!a",
            "|",
            ">",
            "%a",
            "@a",
            "`a",
            "'a'",
            "?",
            "---",
            "...",
            "_a",
        ] {
            assert_eq!(text(other), format!("\"{other}\""));
        }
    }

    #[test]
    fn escapes_are_those_both_versions_know() {
        let awkward = "\"\\\n\r\t\0\x1b\x7f\u{85}\u{a0}\u{2028}\u{feff}\u{ffff}é😀/";
        assert_eq!(text(awkward), "\"\\\"\\\\\\n\\r\\t\\x00\\x1B\\x7F\\x85\u{a0}\\u2028\\uFEFF\\uFFFFé😀/\"");
    }

    #[test]
    fn literal_blocks_only_where_they_are_exact() {
        let cases = [
            ("a\nb", Some("|-")),
            ("a\nb\n", Some("|")),
            ("a\n\n", Some("|+")),
            ("  a\nb", Some("|2-")),
            ("\n\n\ta\n", Some("|2")),
            ("\n  a\n\n", Some("|2+")),
            ("\na", Some("|-")),
            ("a\n\tb", Some("|-")),
            ("a", None),
            ("\n\n", None),
            ("a \nb", None),
            ("a\nb\t", None),
            ("a\n  \nb", None),
            ("a\r\nb", None),
            ("a\nb\u{85}", None),
            ("a\nb\u{feff}", None),
            ("a\n\x1b", None),
        ];
        for (text, header) in cases {
            assert_eq!(literal_header(text), header, "{text:?}");
        }
    }
}
