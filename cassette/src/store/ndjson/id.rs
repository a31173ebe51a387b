//! Trace ids: the name of a trace's file, and where an id may come from.

use std::fmt;

use crate::text::{LONGEST_FILE_NAME, is_file_name};

/// The id of a trace. It names a file, so it is restricted to at most 200 letters, digits, `_`, `-` and `.`, and does
/// not begin with a dot.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TraceId(String);

/// Why a text is not a trace id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceIdError(String);

impl fmt::Display for TraceIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TraceIdError {}

impl TraceId {
    /// Makes an id of a text.
    ///
    /// # Errors
    /// The text is empty or too long, or has a character that a trace id cannot have.
    pub fn new(text: &str) -> Result<TraceId, TraceIdError> {
        if is_file_name(text) {
            return Ok(TraceId(text.to_owned()));
        }
        let shown: String = text.chars().take(60).flat_map(char::escape_default).collect();
        Err(TraceIdError(format!(
            "`{shown}` is not a trace id: it names a file, so it has 1 to {LONGEST_FILE_NAME} letters, digits, `_`, `-` and `.`, \
             and does not begin with a dot"
        )))
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the name of the trace's file.
    pub fn file_name(&self) -> String {
        format!("{}.ndjson", self.0)
    }

    /// Returns the id whose file has this name.
    pub fn of_file(name: &str) -> Option<TraceId> {
        TraceId::new(name.strip_suffix(".ndjson")?).ok()
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A W3C `traceparent`: the trace it belongs to, and the calling span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traceparent {
    /// The trace, 32 hexadecimal digits.
    pub trace: TraceId,
    /// The calling span, 16 hexadecimal digits.
    pub parent: String,
}

impl Traceparent {
    /// Parses `00-{trace}-{parent}-{flags}`, as the W3C's Trace Context page describes it: lower-case hexadecimal
    /// digits, neither id all zeros, version `ff` forbidden. Versions later than `00` may have more parts.
    pub fn parse(text: &str) -> Option<Traceparent> {
        let text = text.trim();
        let hex = |part: &str, length: usize| {
            part.len() == length && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let zeros = |part: &str| part.bytes().all(|byte| byte == b'0');
        let mut parts = text.split('-');
        let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let whole = hex(version, 2) && hex(trace, 32) && hex(parent, 16) && hex(flags, 2);
        let ends = parts.next().is_none() || version != "00";
        if !whole || !ends || version == "ff" || zeros(trace) || zeros(parent) {
            return None;
        }
        Some(Traceparent { trace: TraceId(trace.to_owned()), parent: parent.to_owned() })
    }

    /// Finds the `traceparent` in a comment of an SQL text, as sqlcommenter writes it:
    /// `/*key='value',traceparent='00-...'*/`. Looks only at comments, so a quoted text cannot be taken for one.
    pub fn of_sql(sql: &str) -> Option<Traceparent> {
        comments(sql).find_map(|comment| {
            comment.split(',').find_map(|pair| {
                let (key, value) = pair.split_once('=')?;
                let value = value.trim().strip_prefix('\'')?.strip_suffix('\'')?;
                (key.trim() == "traceparent").then(|| Traceparent::parse(value)).flatten()
            })
        })
    }
}

/// Iterates over the insides of the `/* */` comments of an SQL text. Skips quoted texts and `--` comments.
fn comments(sql: &str) -> impl Iterator<Item = &str> {
    let bytes = sql.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() {
            let rest = &sql[at..];
            let ends = |mark: &str| rest.get(2..).and_then(|rest| rest.find(mark)).map(|end| end + 2);
            match &bytes[at..] {
                [quote @ (b'\'' | b'"' | b'`'), quoted @ ..] => {
                    at += memchr::memchr(*quote, quoted).map_or(bytes.len(), |end| end + 2);
                }
                [b'-', b'-', ..] => at += ends("\n").unwrap_or(bytes.len()),
                [b'/', b'*', ..] => {
                    let end = ends("*/");
                    let inside = rest.get(2..end.unwrap_or(rest.len()));
                    at += end.map_or(bytes.len(), |end| end + 2);
                    return inside;
                }
                _ => at += rest.chars().next().map_or(1, char::len_utf8),
            }
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn no_path_is_a_trace_id() {
        assert!(TraceId::new("4bf92f3577b34da6a3ce929d0e0e4736").is_ok() && TraceId::new("shop-1_a.b").is_ok());
        for hostile in ["", ".", "..", "../x", "a/b", "/etc/passwd", "a\\b", ".hidden", "a b", "a\0", "ä", "%p"] {
            let error = TraceId::new(hostile).unwrap_err().to_string();
            assert!(error.contains("is not a trace id"), "{error}");
        }
        assert!(TraceId::new(&"x".repeat(201)).is_err());
        assert_eq!(TraceId::of_file("shop.ndjson").unwrap().file_name(), "shop.ndjson");
        assert!(TraceId::of_file(".shop.ndjson").is_none() && TraceId::of_file("shop.yml").is_none());
    }

    #[test]
    fn traceparents() {
        let parent = Traceparent::parse(PARENT).unwrap();
        assert_eq!(parent.trace.as_str(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(parent.parent, "00f067aa0ba902b7");
        assert!(Traceparent::parse("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what").is_some());
        for wrong in [
            "",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what",
            "00-../../../../etc/passwd0000000000000-00f067aa0ba902b7-01",
        ] {
            assert_eq!(Traceparent::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn traceparents_in_sql() {
        let found = |sql: &str| Traceparent::of_sql(sql).is_some();
        assert!(found(&format!("SELECT 1 /*action='x%20y',traceparent='{PARENT}'*/")));
        assert!(found(&format!("/* traceparent='{PARENT}' */ SELECT 'ä', '/*'")));
        assert!(found(&format!("SELECT '--' -- it's\n/*traceparent='{PARENT}'*/")));
        assert!(!found(&format!("SELECT '/*traceparent=''{PARENT}''*/'")));
        assert!(!found(&format!("SELECT '/*a', traceparent='{PARENT}'")));
        assert!(!found(&format!("-- /*traceparent='{PARENT}'*/")));
        assert!(!found(&format!("SELECT 1 /*traceparent={PARENT}*/")));
        assert!(!found("SELECT 'open") && !found("/*") && !found("/") && !found("--"));
    }
}
