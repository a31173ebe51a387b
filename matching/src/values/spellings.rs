//! How one value may be written: an exact list of spellings for each kind of value.
//!
//! - a GUID in lower and in upper case, with and without hyphens;
//! - a timestamp with a blank or `T`, and a time, with 0 to 9 digits of its fraction;
//! - a whole number by its digits, and as a floating-point number where that is exact;
//! - any other text as it is, in lower and in upper case.

use std::ops::Range;

use super8_cassette::cell::{self, Cell};
use super8_cassette::text::from_hex;
use super8_cassette::volatile_rules::Kind;

/// The shortest number, or text of no kind, that is bound. A shorter one could stand for something else anywhere.
pub(crate) const SHORTEST: usize = 6;

/// How certain it is that a spelling stands for a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    /// A part of the value is cut off.
    Cut,
    /// It has all of the value.
    Whole,
    /// It is what the program wrote.
    Written,
}

/// Returns the kind of a whole text; a GUID may be in braces.
pub(crate) fn kind_of(text: &str) -> Option<Kind> {
    let bare = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
    let (range, kind) = next_token(bare, 0)?;
    (range == (0..bare.len()) && (bare.len() == text.len() || kind == Kind::Uuid)).then_some(kind)
}

pub(crate) fn unbraced(text: &str, kind: Option<Kind>) -> &str {
    match kind {
        Some(Kind::Uuid) => text.trim_start_matches('{').trim_end_matches('}'),
        _ => text,
    }
}

/// Finds the first value of a kind at or behind a place. It must not be a part of a longer word.
pub(crate) fn next_token(text: &str, from: usize) -> Option<(Range<usize>, Kind)> {
    let bytes = text.as_bytes();
    let is_word =
        |at: usize| bytes.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte >= 0x80);
    let mut at = from;
    while at < bytes.len() {
        let after_x = at > 0 && bytes[at - 1].eq_ignore_ascii_case(&b'x');
        let after_point = at > 1 && bytes[at - 1] == b'.' && bytes[at - 2].is_ascii_digit();
        if bytes[at].is_ascii_hexdigit() && (at == 0 || !is_word(at - 1) || after_x) && !after_point {
            let found = token_at(&bytes[at..]).filter(|(length, kind)| {
                let end = at + length;
                let zone = *kind == Kind::Timestamp && bytes.get(end) == Some(&b'Z') && !is_word(end + 1);
                (!is_word(end) || zone) && (!after_x || (*length, *kind) == (32, Kind::Uuid))
            });
            if let Some((length, kind)) = found {
                return Some((at..at + length, kind));
            }
        }
        at += 1;
    }
    None
}

/// Returns the length of the value that a text begins with, and its kind.
fn token_at(bytes: &[u8]) -> Option<(usize, Kind)> {
    let shaped = |bytes: &[u8], shape: &str| {
        bytes.len() >= shape.len()
            && shape.bytes().zip(bytes).all(|(shape, byte)| match shape {
                b'h' => byte.is_ascii_hexdigit(),
                b'd' => byte.is_ascii_digit(),
                other => other == *byte,
            })
    };
    let fraction = |bytes: &[u8]| match bytes {
        [b'.', digits @ ..] => match digits.iter().take_while(|byte| byte.is_ascii_digit()).count() {
            count @ 1..=9 => count + 1,
            _ => 0,
        },
        _ => 0,
    };
    if shaped(bytes, "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh") {
        return Some((36, Kind::Uuid));
    }
    if bytes.len() >= 32 && bytes[..32].iter().all(u8::is_ascii_hexdigit) {
        return Some((32, Kind::Uuid));
    }
    if shaped(bytes, "dddd-dd-dd") {
        let time = bytes.get(11..).filter(|time| matches!(bytes[10], b' ' | b'T') && shaped(time, "dd:dd:dd"));
        return Some(match time {
            Some(time) => (19 + fraction(&time[8..]), Kind::Timestamp),
            None => (10, Kind::Date),
        });
    }
    if shaped(bytes, "dd:dd:dd") {
        return Some((8 + fraction(&bytes[8..]), Kind::Time));
    }
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let is_whole = !matches!(bytes[digits..], [b'.', b'0'..=b'9', ..]);
    (digits >= SHORTEST && is_whole).then_some((digits, Kind::Number))
}

/// Says whether a text of 32 hexadecimal digits lacks the version and variant of a GUID.
pub(crate) fn may_be_digest(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 32
        && !(matches!(bytes[12], b'1'..=b'8') && matches!(bytes[16], b'8' | b'9' | b'a' | b'b' | b'A' | b'B'))
}

/// Returns a text that is the same for all spellings of a value.
pub(crate) fn canonical(kind: Option<Kind>, text: &str) -> String {
    match kind {
        Some(Kind::Uuid) => uuid_bytes(text).and_then(|bytes| uuid_text(&bytes)).unwrap_or_else(|| text.to_owned()),
        Some(Kind::Timestamp | Kind::Time) => {
            let text = text.replace('T', " ");
            match text.contains('.') {
                true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
                false => text,
            }
        }
        Some(Kind::Date | Kind::Number) => text.to_owned(),
        None => format!("={text}"),
    }
}

/// Says whether two times differ only in zeros at the end of their fractions.
pub(crate) fn same_but_for_zeros(kind: Option<Kind>, one: &str, other: &str) -> bool {
    matches!(kind, Some(Kind::Timestamp | Kind::Time))
        && one.contains('T') == other.contains('T')
        && kind_of(one) == kind
        && kind_of(other) == kind
        && canonical(kind, one) == canonical(kind, other)
}

/// Returns every spelling in which a recorded value is found, each with the live value in the same spelling.
pub(crate) fn spellings(kind: Option<Kind>, recorded: &str, live: &str) -> Vec<(String, String, Rank)> {
    let mut all = vec![(recorded.to_owned(), live.to_owned(), Rank::Written)];
    let (was, is) = (canonical(kind, recorded), canonical(kind, live));
    match kind {
        Some(Kind::Uuid) => {
            let plain = |text: &str| text.replace('-', "");
            for (was, is) in [(was.clone(), is.clone()), (plain(&was), plain(&is))] {
                all.push((was.to_uppercase(), is.to_uppercase(), Rank::Whole));
                all.push((was, is, Rank::Whole));
            }
        }
        Some(Kind::Timestamp | Kind::Time) => {
            let split = |text: &str| match text.split_once('.') {
                Some((head, fraction)) => (head.to_owned(), format!("{fraction:0<9}")),
                None => (text.to_owned(), "0".repeat(9)),
            };
            let bare = is.clone();
            let ((was, old), (is, new)) = (split(&was), split(&is));
            let significant = old.trim_end_matches('0').len();
            for digits in 0..=9 {
                let spelled = |head: &str, fraction: &str| match digits {
                    0 => head.to_owned(),
                    _ => format!("{head}.{}", &fraction[..digits]),
                };
                let rank = if digits < significant { Rank::Cut } else { Rank::Whole };
                // The shortest fraction that has all of the value may come without trailing zeros, and then so does the live one.
                let live = match digits == significant {
                    true if recorded.len() == spelled(&was, &old).len() => live.replace('T', " "),
                    true => bare.clone(),
                    false => spelled(&is, &new),
                };
                let (was, is) = (spelled(&was, &old), live);
                if kind == Some(Kind::Timestamp) {
                    all.push((was.replace(' ', "T"), is.replace(' ', "T"), rank));
                }
                all.push((was, is, rank));
            }
        }
        Some(Kind::Date) => {}
        // floating-point spelling, where that is exact
        Some(Kind::Number) => {
            if is_exact(&was) && is_exact(&is) {
                all.push((format!("{was}.0"), format!("{is}.0"), Rank::Whole));
            }
        }
        None => {
            if is_exact(recorded) && is_exact(live) {
                all.push((format!("{recorded}.0"), format!("{live}.0"), Rank::Whole));
            }
            all.push((recorded.to_lowercase(), live.to_lowercase(), Rank::Cut));
            all.push((recorded.to_uppercase(), live.to_uppercase(), Rank::Cut));
        }
    }
    // if two ways lead to the same spelling, keep the more certain one
    all.sort_by(|(was, _, rank), (other, _, than)| was.cmp(other).then(than.cmp(rank)));
    all.dedup_by(|(was, ..), (before, ..)| was == before);
    all
}

/// Says whether a text is a whole number that a floating-point number can hold exactly.
fn is_exact(text: &str) -> bool {
    text.parse::<i64>().is_ok_and(|number| number.unsigned_abs() < 1 << f64::MANTISSA_DIGITS)
}

pub(crate) fn uuid_bytes(text: &str) -> Option<[u8; 16]> {
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    bytes_of(&format!("\\x{digits}"))?.try_into().ok()
}

pub(crate) fn uuid_text(bytes: &[u8]) -> Option<String> {
    let bytes: [u8; 16] = bytes.try_into().ok()?;
    let hex = field_of(&bytes);
    let hex = hex.strip_prefix("\\x")?;
    Some([&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-"))
}

/// Returns a GUID's bytes in Microsoft's layout: the first three groups have their last byte first.
pub(crate) fn mixed_endian(mut bytes: [u8; 16]) -> [u8; 16] {
    bytes[..4].reverse();
    bytes[4..6].reverse();
    bytes[6..8].reverse();
    bytes
}

/// Returns the bytes of a field in hex notation; `None` for another field.
pub(crate) fn bytes_of(field: &str) -> Option<Vec<u8>> {
    from_hex(field.strip_prefix("\\x")?.as_bytes())
}

pub(crate) fn field_of(bytes: &[u8]) -> String {
    let mut out = Vec::new();
    cell::encode(Cell::Bytes(bytes), &mut out);
    String::from_utf8_lossy(&out).into_owned()
}
