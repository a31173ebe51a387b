//! One record, one line, as it is written: Softprobe's record model with `protocol: "odbc"`.
//!
//! What a record is follows from its `type` and `identifier`; its content stands in the two payloads. What was asked is
//! `requestPayload`, what came of it `responsePayload`: the fields of an entry are cut in two before the first reply, so
//! that they come back in the order they had.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::json::{Pairs, Written, written_key};
use super::spans::Stamp;
use super::{COMPLETE, HEADER, VERSION};
use crate::connect::REPLY;
use crate::directory::info_part;
use crate::{ConnectionId, Entry, Value};

/// `type` of commands and rows.
pub(super) const OUTBOUND: &str = "outbound";
/// `type` of answers, documents, the header and the mark of completeness.
pub(super) const METADATA: &str = "metadata";
/// `protocol` of every record of ours.
pub(super) const ODBC: &str = "odbc";

/// The return codes that have a number in `statusCode`, by their names in `return`.
const RETURN_CODES: &[(&str, i64)] = &[
    ("SQL_SUCCESS", 0),
    ("SQL_SUCCESS_WITH_INFO", 1),
    ("SQL_STILL_EXECUTING", 2),
    ("SQL_NEED_DATA", 99),
    ("SQL_NO_DATA", 100),
    ("SQL_PARAM_DATA_AVAILABLE", 101),
    ("SQL_ERROR", -1),
    ("SQL_INVALID_HANDLE", -2),
];

/// A record as it is written. The order of the fields is the order of the keys.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Record<'r, Q: Serialize, A: Serialize> {
    version: &'static str,
    trace_id: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    span_id: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_span_id: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    span_name: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<&'r str>,
    r#type: &'static str,
    protocol: &'static str,
    identifier: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_payload: Option<Q>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_payload: Option<A>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_code: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Failure<'r>>,
}

/// `error`: the message of the first diagnostic, for readers who do not know ODBC.
#[derive(Serialize)]
struct Failure<'r> {
    message: &'r str,
}

/// The request of an entry: the leading keys, then what was asked.
struct Request<'e> {
    entry: &'e Entry,
    asked: &'e [(String, Value)],
}

impl Serialize for Request<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("method", self.entry.method.name())?;
        map.serialize_entry("connection_id", &self.entry.connection.to_string())?;
        if let Some(statement) = self.entry.statement {
            map.serialize_entry("statement_id", &statement)?;
        }
        for (key, value) in self.asked {
            map.serialize_entry(&*written_key(key), &Written(value))?;
        }
        map.end()
    }
}

/// What makes the records of one trace its own.
#[derive(Clone, Debug)]
pub(super) struct Author {
    pub(super) trace: String,
    pub(super) stamp: Stamp,
}

/// Keys and values in their order.
type Fields = [(String, Value)];
/// No payload.
type Nothing = Option<()>;

impl Author {
    fn push<Q: Serialize, A: Serialize>(
        &self,
        r#type: &'static str,
        identifier: &str,
        (request_payload, response_payload): (Option<Q>, Option<A>),
        (status_code, error): (Option<i64>, Option<&str>),
        out: &mut Vec<u8>,
    ) {
        let span = self.stamp.next(identifier);
        let record = Record {
            version: VERSION,
            trace_id: &self.trace,
            span_id: span.as_ref().map(|span| span.id.as_str()),
            parent_span_id: span.as_ref().and_then(|span| span.parent),
            span_name: span.as_ref().map(|span| span.name),
            timestamp: span.as_ref().map(|span| span.timestamp.as_str()),
            r#type,
            protocol: ODBC,
            identifier,
            request_payload,
            response_payload,
            status_code,
            error: error.map(|message| Failure { message }),
        };
        // a vector takes every byte, and every key is text
        let _ = serde_json::to_writer(&mut *out, &record);
        out.push(b'\n');
    }

    /// The header: `metadata.yml` without `complete`, which is said by a record of its own.
    pub(super) fn header(&self, metadata: &Value, out: &mut Vec<u8>) {
        let Value::Map(pairs) = metadata else { return };
        let of_mark = |key: &str| key == COMPLETE || key == "recovered";
        let pairs: Vec<_> = pairs.iter().filter(|(key, _)| !of_mark(key)).cloned().collect();
        self.push(METADATA, HEADER, (None::<Nothing>, Some(Pairs(&pairs))), (None, None), out);
    }

    /// The mark that everything before it is whole; of an interrupted recording if it was recovered.
    pub(super) fn complete(&self, recovered: bool, out: &mut Vec<u8>) {
        let payload: Vec<_> = [(COMPLETE, true), ("recovered", recovered)]
            .into_iter()
            .filter(|(_, said)| *said)
            .map(|(key, said)| (key.to_owned(), Value::Bool(said)))
            .collect();
        self.push(METADATA, COMPLETE, (None::<Nothing>, Some(Pairs(&payload))), (None, None), out);
    }

    /// A command, an answer of the log or housekeeping.
    pub(super) fn entry(&self, entry: &Entry, out: &mut Vec<u8>) {
        let place = match entry.statement {
            Some(statement) => format!("{} {}/{statement}", entry.method.name(), entry.connection),
            None => format!("{} {}", entry.method.name(), entry.connection),
        };
        let (asked, replied) = cut(&entry.fields);
        let code = status_code(entry.get("return"));
        let message = entry.get("diagnostics").and_then(Value::as_list).and_then(|list| list.first()?.get("message"));
        let error = message.and_then(Value::as_text).filter(|_| code.is_some_and(|code| code < 0));
        let response = (!replied.is_empty()).then_some(Pairs(replied));
        self.push(OUTBOUND, &place, (Some(Request { entry, asked }), response), (code, error), out);
    }

    /// An answer about a connection.
    pub(super) fn info(&self, connection: ConnectionId, answer: &Value, out: &mut Vec<u8>) {
        let identifier = info_part(connection);
        match answer {
            Value::Map(pairs) => {
                let (asked, replied) = cut(pairs);
                let response = (!replied.is_empty()).then_some(Pairs(replied));
                let code = status_code(answer.get("return"));
                self.push(METADATA, &identifier, (Some(Pairs(asked)), response), (code, None), out);
            }
            other => self.push(METADATA, &identifier, (Some(Written(other)), None::<Nothing>), (None, None), out),
        }
    }

    /// A small document.
    pub(super) fn document(&self, part: &str, document: &Value, out: &mut Vec<u8>) {
        self.push(METADATA, part, (None::<Nothing>, Some(Written(document))), (None, None), out);
    }

    /// That a rows part has another name from now on, with all its rows so far.
    pub(super) fn renamed(&self, from: &str, to: &str, out: &mut Vec<u8>) {
        let request = [("renamed".to_owned(), Value::from(from))];
        self.push(OUTBOUND, to, (Some(Pairs(&request)), None::<Nothing>), (None, None), out);
    }

    /// The beginning of a record with rows of a part: what follows are rows, with commas between them.
    pub(super) fn begin_rows(&self, part: &str, out: &mut Vec<u8>) {
        self.push(OUTBOUND, part, (None::<Nothing>, None::<Nothing>), (None, None), out);
        out.truncate(out.len() - "}\n".len());
        out.extend_from_slice(b",\"responsePayload\":{\"rows\":[");
    }

    /// The end of a record with rows.
    pub(super) fn end_rows(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"]}}\n");
    }
}

/// Cuts fields before the first reply.
fn cut(fields: &Fields) -> (&Fields, &Fields) {
    let at = fields.iter().position(|(key, _)| REPLY.contains(&key.as_str())).unwrap_or(fields.len());
    fields.split_at(at)
}

/// The number for `return`; none for what is not a return code ODBC has, and for success that is not written down.
pub(super) fn status_code(code: Option<&Value>) -> Option<i64> {
    match code? {
        Value::Text(name) => RETURN_CODES.iter().find(|(known, _)| known == name).map(|(_, code)| *code),
        Value::Int(code) => i64::try_from(*code).ok(),
        _ => None,
    }
}
