//! Values that a program sends: what stands for them in a cassette, and whether a replayed program sends the same. A
//! program that read a value in redacted form may send back what it read.

use super::replacement::made;
use super::rules::Redaction;
use crate::text::{from_hex, hex};
use crate::value::float_text;
use crate::{Cell, Value, cell};

const BEGIN: &str = "<redacted ";
/// The number of hex digits of a mark: 64 bits of the digest.
const DIGITS: usize = 16;
/// The longest text that is searched for pieces. Longer texts are kept as a digest of their own.
const LONGEST: usize = 4096;

/// The content of a value as a cell would have it, and its kind, if it is not text.
struct Content {
    bytes: Vec<u8>,
    kind: String,
    binary: bool,
}

impl Content {
    /// Returns the content of a value; `None` for NULL and for what stands for a missing value, such as `{UNBOUND: null}`.
    fn of(value: &Value) -> Option<Content> {
        let of_text = |text: &str, kind: &str| {
            let mut scratch = Vec::new();
            let (bytes, binary) = match cell::decode(text.as_bytes(), &mut scratch) {
                Ok(Cell::Text(content) | Cell::Plain(content)) => (content.to_vec(), false),
                Ok(Cell::Bytes(content)) => (content.to_vec(), true),
                _ => (text.as_bytes().to_vec(), false),
            };
            Content { bytes, kind: kind.to_owned(), binary }
        };
        match value {
            Value::Null => None,
            Value::Text(text) => Some(of_text(text, "")),
            Value::Int(number) => Some(of_text(&number.to_string(), "integer")),
            Value::Float(number) => Some(of_text(&float_text(*number), "float")),
            Value::Map(pairs) => match &pairs[..] {
                [(_, Value::Null)] => None,
                [(kind, Value::Text(text))] => Some(of_text(text, kind)),
                [(kind, Value::Int(number))] => Some(of_text(&number.to_string(), kind)),
                _ => Some(Content { bytes: format!("{value:?}").into_bytes(), kind: "long".to_owned(), binary: false }),
            },
            other => {
                Some(Content { bytes: format!("{other:?}").into_bytes(), kind: "other".to_owned(), binary: false })
            }
        }
    }
}

impl Redaction {
    /// Returns the mark of a piece of text.
    pub(super) fn mark(&self, value: &[u8]) -> String {
        format!("{BEGIN}{}>", hex(&self.digest(value)[..DIGITS / 2]))
    }

    /// Returns what stands for a whole value: its mark, with its kind if it is not text. NULL stays NULL.
    pub(super) fn whole(&self, value: &Value) -> Value {
        let Some(content) = Content::of(value) else { return value.clone() };
        let mark = self.mark(&content.bytes);
        Value::Text(match content.kind.as_str() {
            "" => mark,
            kind => format!("{} {kind}>", mark.trim_end_matches('>')),
        })
    }

    /// Returns what to compare with `recorded` if a program asks with `raw`, from which the rules make `redacted`. This is the
    /// recorded value if it stands for the value asked with, or for the original of a value that was read in redacted form.
    pub(super) fn comparable(&self, recorded: &Value, raw: &Value, redacted: &Value) -> Value {
        match (recorded, raw, redacted) {
            _ if recorded == redacted => redacted.clone(),
            (Value::List(recorded), Value::List(raw), Value::List(redacted)) if raw.len() == redacted.len() => {
                let of = |at: usize| match recorded.get(at) {
                    Some(recorded) => self.comparable(recorded, &raw[at], &redacted[at]),
                    None => redacted[at].clone(),
                };
                Value::List((0..raw.len()).map(of).collect())
            }
            (Value::Text(mark), raw, redacted) if mark.contains(BEGIN) => match Content::of(raw) {
                Some(content) if self.read_as(mark, &content) => recorded.clone(),
                // Do not reveal what differs.
                Some(_) if redacted != recorded => self.whole(raw),
                _ => redacted.clone(),
            },
            _ => redacted.clone(),
        }
    }

    /// Says whether a value is the stand-in of the value that `mark` stands for.
    fn read_as(&self, mark: &str, content: &Content) -> bool {
        if !is_whole(mark) {
            let text = std::str::from_utf8(&content.bytes).ok().filter(|text| !content.binary && text.len() <= LONGEST);
            return text.is_some_and(|text| self.in_pieces(mark, text));
        }
        let Some((digits, kind)) = mark[BEGIN.len()..mark.len() - 1].split_at_checked(DIGITS) else { return false };
        if kind.trim() != content.kind {
            return false;
        }
        let Some(known) = from_hex(digits.as_bytes()) else { return false };
        let mut digest = [0; 32];
        digest[..known.len()].copy_from_slice(&known);
        if content.binary {
            let length = content.bytes.len().min(known.len());
            return length > 0 && content.bytes[..length] == known[..length];
        }
        let Ok(text) = std::str::from_utf8(&content.bytes) else { return false };
        let one_of = |types: &[&str]| types.iter().any(|c_type| made(&digest, c_type, &content.bytes) == content.bytes);
        match content.kind.as_str() {
            "" | "CHAR" | "WCHAR" => begins(text, digits) && text.len() >= 4,
            // A bit or a tiny number has too few values to be told from another one.
            "integer" => one_of(&["SSHORT", "SLONG", "SBIGINT"]),
            "float" => one_of(&["FLOAT", "DOUBLE"]),
            "GUID" => begins(&text.replace('-', "").to_lowercase(), digits),
            // All values of the same length have the same stand-in.
            "NUMERIC" => false,
            kind if kind.starts_with("INTERVAL") => false,
            kind => one_of(&[kind]),
        }
    }

    /// Says whether a text equals `marked` with a value or its stand-in in place of each mark.
    fn in_pieces(&self, marked: &str, text: &str) -> bool {
        let Some((before, rest)) = marked.split_once(BEGIN) else { return marked == text };
        let (Some(text), Some((digits, after))) = (text.strip_prefix(before), rest.split_once('>')) else {
            return false;
        };
        let stays = after.split(BEGIN).next().unwrap_or_default();
        let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]).skip(1);
        ends.filter(|end| text[*end..].starts_with(stays)).any(|end| {
            let piece = &text[..end];
            let same =
                (end >= 4 && begins(piece, digits)) || self.mark(piece.as_bytes())[BEGIN.len()..].starts_with(digits);
            same && self.in_pieces(after, &text[end..])
        })
    }
}

/// Says whether the whole text is one mark.
fn is_whole(text: &str) -> bool {
    text.starts_with(BEGIN) && text.find('>') == Some(text.len() - 1)
}

/// Says whether a text is a stand-in that begins with these digits.
fn begins(text: &str, digits: &str) -> bool {
    let known = text.len().min(digits.len());
    known > 0
        && text.as_bytes().get(..known) == digits.as_bytes().get(..known)
        && text.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Redaction {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("super8.yml");
        std::fs::write(&file, "key: for tests\n").unwrap();
        Redaction::read(&file, &|_| None).unwrap()
    }

    #[test]
    fn pieces_are_found_between_what_stays() {
        let rules = rules();
        let marked = "mail <redacted 00112233aabbccdd>, again <redacted 00112233aabbccdd>";
        assert!(rules.in_pieces(marked, "mail 00112233, again 00112233"));
        assert!(rules.in_pieces(marked, "mail 00112233aabbccddffff, again 00112233aabb"));
        assert!(!rules.in_pieces(marked, "mail 00112234, again 00112233"));
        assert!(!rules.in_pieces(marked, "mail 00112233, once 00112233"));
        let of = |value: &str| format!("mail {} and {} now", rules.mark(value.as_bytes()), rules.mark(b"more"));
        assert!(rules.in_pieces(&of("ada"), "mail ada and more now"));
        assert!(!rules.in_pieces(&of("ada"), "mail eva and more now"));
    }

    #[test]
    fn kinds_and_values_are_told_apart() {
        let rules = rules();
        let typed = |kind: &str, text: &str| Value::Map(vec![(kind.to_owned(), text.into())]);
        let values = [
            Value::Int(7),
            Value::Float(7.0),
            "7".into(),
            "7.0".into(),
            typed("TYPE_DATE", "2026-01-31"),
            typed("TYPE_DATE", "2026-01-30"),
            typed("BINARY", "\\x0037"),
            "2026-01-31".into(),
        ];
        for (at, value) in values.iter().enumerate() {
            let recorded = rules.whole(value);
            for (other, asked) in values.iter().enumerate() {
                assert_eq!(rules.comparable(&recorded, asked, asked) == recorded, at == other, "{value:?} {asked:?}");
            }
        }
        let torn: Value = format!("{BEGIN}aé{}>", "b".repeat(13)).into();
        assert_eq!(rules.comparable(&torn, &"x".into(), &"x".into()), rules.whole(&"x".into()), "no mark of ours");
        for nothing in [Value::Null, Value::Map(vec![("UNBOUND".to_owned(), Value::Null)])] {
            assert_eq!(rules.whole(&nothing), nothing);
        }
    }

    #[test]
    fn stand_ins_of_each_type_are_known_again() {
        let rules = rules();
        for (c_type, text, sent) in [
            ("SLONG", "1234", true),
            ("SBIGINT", "1234", true),
            ("DOUBLE", "12.5", true),
            ("CHAR", "123-45-6789", true),
            ("TYPE_DATE", "2026-01-31", true),
            ("TYPE_TIMESTAMP", "2026-01-31 10:00:00", true),
            ("BIT", "1", false),
            ("NUMERIC", "1234.5", false),
            ("INTERVAL_DAY", "12", false),
        ] {
            let read = String::from_utf8(made(&rules.digest(text.as_bytes()), c_type, text.as_bytes())).unwrap();
            let value = |text: &str| match c_type {
                "SLONG" | "SBIGINT" | "BIT" => Value::Int(text.parse().unwrap()),
                "DOUBLE" => Value::Float(text.parse().unwrap()),
                "CHAR" => text.into(),
                c_type => Value::Map(vec![(c_type.to_owned(), text.into())]),
            };
            let recorded = rules.whole(&value(text));
            let settled = rules.comparable(&recorded, &value(&read), &value(&read));
            assert_eq!(settled == recorded, sent, "{c_type} {text} {read}");
        }
    }
}
