//! One record on one line, as it is written: Softprobe's record model with `protocol: "odbc"`.
//!
//! The `type` and `identifier` of a record say what it is; its content is in two payloads. `requestPayload` has what
//! was asked, `responsePayload` what came of it. The fields of an entry are split before the first reply, so that they
//! come back in the same order.
//!
//! Records may have span ids and times. These differ from run to run, so they are left out unless asked for.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use super::json;
use crate::metadata::utc;
use crate::store::interface::info_member;
use crate::words;
use crate::{ConnectionId, Detail, Entry, Fields, Key, Value};

/// The version of the records.
pub(super) const VERSION: &str = "4.1";
/// The identifier of the header, which has the content of `metadata.yml`.
pub(super) const HEADER: &str = "metadata.yml";
/// NULL as it stands in a rows file.
pub(super) const NULL: &[u8] = b"\\N";
/// The identifier of the record that says that everything before it is whole.
pub(super) const COMPLETE: &str = "complete";
/// The `type` of commands and rows.
pub(super) const OUTBOUND: &str = "outbound";
/// The `type` of answers, documents, the header and the mark of completeness.
pub(super) const METADATA: &str = "metadata";
/// The `protocol` of all our records.
pub(super) const ODBC: &str = "odbc";

/// Some of an entry's fields.
type FieldSlice = [(Key, Value)];

/// A payload of a record.
enum Payload<'p> {
    /// There is none.
    Nothing,
    /// A map.
    Pairs(&'p [(String, Value)]),
    /// Any value.
    Value(&'p Value),
    /// The request of an entry: the leading keys, then what was asked.
    Entry(&'p Entry, &'p FieldSlice),
    /// Fields of an entry or an answer.
    Fields(&'p FieldSlice),
}

impl Payload<'_> {
    fn push(&self, key: &[u8], out: &mut Vec<u8>) {
        if matches!(self, Payload::Nothing) {
            return;
        }
        out.extend_from_slice(key);
        match self {
            Payload::Nothing => {}
            Payload::Value(value) => json::push(value, out),
            Payload::Pairs(pairs) => {
                out.push(b'{');
                json::push_pairs(pairs, out);
                out.push(b'}');
            }
            Payload::Entry(entry, asked) => {
                out.extend_from_slice(b"{\"method\":\"");
                out.extend_from_slice(entry.method.name().as_bytes());
                // writing to a vector cannot fail
                let _ = write!(out, "\",\"connection_id\":\"{}\"", entry.connection);
                if let Some(statement) = entry.statement {
                    let _ = write!(out, ",\"statement_id\":{statement}");
                }
                json::push_fields(asked, out);
                out.push(b'}');
            }
            Payload::Fields(fields) => {
                out.push(b'{');
                json::push_fields(fields, out);
                out.push(b'}');
            }
        }
    }
}

/// Writes the records of one trace.
#[derive(Clone, Debug)]
pub(super) struct RecordWriter {
    pub(super) trace: String,
    pub(super) stamp: Stamp,
}

impl RecordWriter {
    /// Appends a record. Its keys have the order of the model.
    fn push(
        &self,
        r#type: &str,
        identifier: &str,
        (request, response): (Payload<'_>, Payload<'_>),
        (status_code, error): (Option<i64>, Option<&str>),
        out: &mut Vec<u8>,
    ) {
        // writing to a vector cannot fail
        let _ = write!(out, "{{\"version\":\"{VERSION}\",\"traceId\":\"{}\"", self.trace);
        if let Some(Span { id, parent, timestamp }) = self.stamp.next() {
            // an entry's span is named after its method, another record's after its identifier
            let name = identifier.split(' ').next().unwrap_or_default().to_owned();
            for (key, text) in [
                ("spanId", Some(id)),
                ("parentSpanId", parent),
                ("spanName", Some(name)),
                ("timestamp", Some(timestamp)),
            ] {
                if let Some(text) = text {
                    let _ = write!(out, ",\"{key}\":");
                    json::push_text(&text, out);
                }
            }
        }
        let _ = write!(out, ",\"type\":\"{}\",\"protocol\":\"{ODBC}\",\"identifier\":\"{identifier}\"", r#type);
        request.push(b",\"requestPayload\":", out);
        response.push(b",\"responsePayload\":", out);
        if let Some(code) = status_code {
            let _ = write!(out, ",\"statusCode\":{code}");
        }
        if let Some(message) = error {
            out.extend_from_slice(b",\"error\":{\"message\":");
            json::push_text(message, out);
            out.push(b'}');
        }
        out.extend_from_slice(b"}\n");
    }

    /// Writes the header: `metadata.yml` without `complete`, which has a record of its own.
    pub(super) fn header(&self, metadata: &Value, out: &mut Vec<u8>) {
        let Value::Map(pairs) = metadata else { return };
        let of_mark = |key: &str| key == COMPLETE || key == "recovered";
        let pairs: Vec<_> = pairs.iter().filter(|(key, _)| !of_mark(key)).cloned().collect();
        self.push(METADATA, HEADER, (Payload::Nothing, Payload::Pairs(&pairs)), (None, None), out);
    }

    /// Writes the mark that everything before it is whole. `recovered` says that the recording was interrupted and recovered.
    pub(super) fn complete(&self, recovered: bool, out: &mut Vec<u8>) {
        let payload: Vec<_> = [(COMPLETE, true), ("recovered", recovered)]
            .into_iter()
            .filter(|(_, said)| *said)
            .map(|(key, said)| (key.to_owned(), Value::Bool(said)))
            .collect();
        self.push(METADATA, COMPLETE, (Payload::Nothing, Payload::Pairs(&payload)), (None, None), out);
    }

    /// Writes a command, an answer of the log or housekeeping.
    pub(super) fn entry(&self, entry: &Entry, out: &mut Vec<u8>) {
        let place = match entry.statement {
            Some(statement) => format!("{} {}/{statement}", entry.method.name(), entry.connection),
            None => format!("{} {}", entry.method.name(), entry.connection),
        };
        let (asked, replied) = cut(&entry.fields);
        let code = status_code(entry.get(Key::Return));
        let message =
            entry.get(Key::Diagnostics).and_then(Value::as_list).and_then(|list| list.first()?.detail(Detail::Message));
        let error = message.and_then(Value::as_text).filter(|_| code.is_some_and(|code| code < 0));
        self.push(OUTBOUND, &place, (Payload::Entry(entry, asked), reply(replied)), (code, error), out);
    }

    /// Writes an answer about a connection.
    pub(super) fn info(&self, connection: ConnectionId, answer: &Fields, out: &mut Vec<u8>) {
        let (asked, replied) = cut(answer);
        let code = status_code(answer.get(Key::Return));
        self.push(METADATA, &info_member(connection), (Payload::Fields(asked), reply(replied)), (code, None), out);
    }

    /// Writes a small document.
    pub(super) fn document(&self, member: &str, document: &Value, out: &mut Vec<u8>) {
        self.push(METADATA, member, (Payload::Nothing, Payload::Value(document)), (None, None), out);
    }

    /// Writes that a rows member has another name from now on, including all its rows so far.
    pub(super) fn renamed(&self, from: &str, to: &str, out: &mut Vec<u8>) {
        let request = [("renamed".to_owned(), Value::from(from))];
        self.push(OUTBOUND, to, (Payload::Pairs(&request), Payload::Nothing), (None, None), out);
    }

    /// Writes the beginning of a record with rows of a member. The caller appends rows with commas between them.
    pub(super) fn begin_rows(&self, member: &str, out: &mut Vec<u8>) {
        self.push(OUTBOUND, member, (Payload::Nothing, Payload::Nothing), (None, None), out);
        out.truncate(out.len() - "}\n".len());
        out.extend_from_slice(b",\"responsePayload\":{\"rows\":[");
    }

    /// Writes the end of a record with rows.
    pub(super) fn end_rows(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"]}}\n");
    }
}

/// Returns the payload for a reply, if there is any.
fn reply(fields: &FieldSlice) -> Payload<'_> {
    if fields.is_empty() { Payload::Nothing } else { Payload::Fields(fields) }
}

/// Splits fields before the first reply.
fn cut(fields: &FieldSlice) -> (&FieldSlice, &FieldSlice) {
    let at = fields.iter().position(|(key, _)| key.is_reply()).unwrap_or(fields.len());
    fields.split_at(at)
}

/// Returns the number of a `return`. `None` if it is not a return code, and for success, which is not written.
pub(super) fn status_code(code: Option<&Value>) -> Option<i64> {
    words::return_code(Some(code?)).map(i64::from)
}

/// Whether records get a span id and a time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spans {
    /// Gives each record a random id of its own and the time at which it is written.
    pub real: bool,
    /// The calling span, 16 hexadecimal digits, from a `traceparent`. Real spans name it as their parent.
    pub parent: Option<String>,
}

/// Gives each record its span.
#[derive(Clone, Debug, Default)]
pub(super) enum Stamp {
    /// Records have none.
    #[default]
    None,
    /// Each record has a new one.
    Real(Source),
    /// Each record has this one.
    Same(Span),
}

#[derive(Clone, Debug)]
pub(super) struct Source {
    parent: Option<String>,
    random: RandomState,
}

/// The span of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// 16 hexadecimal digits.
    pub(super) id: String,
    /// The id of the calling span, in the same form.
    pub(super) parent: Option<String>,
    /// When the record was written: `2026-11-21T05:51:00.123Z`.
    pub(super) timestamp: String,
}

impl Stamp {
    pub(super) fn new(spans: &Spans) -> Stamp {
        if spans.real {
            Stamp::Real(Source { parent: spans.parent.clone(), random: RandomState::new() })
        } else {
            Stamp::None
        }
    }

    /// Returns the span of a record that is written now.
    pub(super) fn next(&self) -> Option<Span> {
        let source = match self {
            Stamp::None => return None,
            Stamp::Same(span) => return Some(span.clone()),
            Stamp::Real(source) => source,
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let seconds = utc(now.as_secs());
        let timestamp = format!("{}.{:03}Z", seconds.trim_end_matches('Z'), now.subsec_millis());
        Some(Span { id: source.id(), parent: source.parent.clone(), timestamp })
    }
}

impl Source {
    /// Returns an id that no other span has: a keyed hash of a number that is used once in this process.
    fn id(&self) -> String {
        use std::sync::atomic::{AtomicU64, Ordering};
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let mut hasher = self.random.build_hasher();
        hasher.write_u64(NEXT.fetch_add(1, Ordering::Relaxed));
        // all zeros is not a valid span id
        format!("{:016x}", hasher.finish().max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_spans_are_all_different_and_others_are_none() {
        assert!(Stamp::new(&Spans::default()).next().is_none());
        let stamp = Stamp::new(&Spans { real: true, parent: Some("00f067aa0ba902b7".to_owned()) });
        let mut ids = std::collections::HashSet::new();
        for _ in 0..1000 {
            let span = stamp.next().unwrap();
            assert_eq!(span.parent.as_deref(), Some("00f067aa0ba902b7"));
            assert!(span.timestamp.len() == 24 && span.timestamp.ends_with('Z'), "{}", span.timestamp);
            assert!(span.id.len() == 16 && ids.insert(span.id));
        }
    }
}
