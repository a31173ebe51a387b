//! One record, one line: Softprobe's record model with `protocol: "odbc"`.
//!
//! What a record is follows from its `type` and `identifier`; its content stands in the two payloads. What was asked is
//! `requestPayload`, what came of it `responsePayload`: the fields of an entry are cut in two before the first reply, so
//! that they come back in the order they had.

use std::borrow::Cow;
use std::path::Path;

use serde::de::IgnoredAny;
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::json::{Pairs, Read, Written, written_key};
use super::spans::Stamp;
use super::{COMPLETE, HEADER, VERSION};
use crate::connect::REPLY;
use crate::directory::info_part;
use crate::yaml::Head;
use crate::{CassetteError, ConnectionId, Entry, Method, Value};

/// `type` of commands and rows.
const OUTBOUND: &str = "outbound";
/// `type` of answers, documents, the header and the mark of completeness.
const METADATA: &str = "metadata";
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
fn status_code(code: Option<&Value>) -> Option<i64> {
    match code? {
        Value::Text(name) => RETURN_CODES.iter().find(|(known, _)| known == name).map(|(_, code)| *code),
        Value::Int(code) => i64::try_from(*code).ok(),
        _ => None,
    }
}

/// A line that was read, its payloads not yet.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a record")]
pub(super) struct Line<'l> {
    #[serde(borrow)]
    version: Cow<'l, str>,
    #[serde(borrow)]
    r#type: Cow<'l, str>,
    #[serde(borrow)]
    protocol: Cow<'l, str>,
    #[serde(borrow)]
    pub(super) identifier: Cow<'l, str>,
    #[serde(borrow)]
    request_payload: Option<&'l RawValue>,
    #[serde(borrow)]
    response_payload: Option<&'l RawValue>,
    status_code: Option<i64>,
    span_id: Option<IgnoredAny>,
    timestamp: Option<IgnoredAny>,
    #[serde(skip)]
    at: At<'l>,
}

/// Where a line stands, for errors in it.
#[derive(Clone, Copy)]
struct At<'l> {
    bytes: &'l [u8],
    file: &'l Path,
    line: u32,
}

impl Default for At<'_> {
    fn default() -> Self {
        At { bytes: &[], file: Path::new(""), line: 0 }
    }
}

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A record of another protocol, or what an application received: none of ours.
    Foreign,
    /// The header.
    Header,
    /// Everything before it is whole.
    Complete,
    /// An entry of the log.
    Entry,
    /// An answer about a connection.
    Info(ConnectionId),
    /// A small document.
    Document,
    /// Rows of a part.
    Rows,
    /// A rows part gets another name.
    Renamed,
}

#[derive(Deserialize)]
struct HeadOfPayload<'l> {
    #[serde(borrow)]
    method: Option<Cow<'l, str>>,
    #[serde(borrow)]
    connection_id: Option<Cow<'l, str>>,
    statement_id: Option<u32>,
}

impl<'l> Line<'l> {
    /// Reads the line without looking into its payloads.
    pub(super) fn read(bytes: &'l [u8], file: &'l Path, line: u32) -> Result<Line<'l>, CassetteError> {
        let at = At { bytes, file, line };
        let mut read: Line<'l> = serde_json::from_slice(bytes).map_err(|error| at.json(&error, 0, ""))?;
        read.at = at;
        Ok(read)
    }

    /// What the record is.
    pub(super) fn kind(&self) -> Result<Kind, CassetteError> {
        if self.protocol != ODBC {
            return Ok(Kind::Foreign);
        }
        if self.version != VERSION {
            let problem = format!("the record has version {}, this super8 reads {VERSION}", self.version);
            return Err(self.at.error(problem).advice("use a super8 that knows it"));
        }
        match (&*self.r#type, &*self.identifier) {
            ("inbound", _) => Ok(Kind::Foreign),
            (METADATA, HEADER) => Ok(Kind::Header),
            (METADATA, COMPLETE) => Ok(Kind::Complete),
            (METADATA, part) => Ok(part
                .strip_suffix("_info.yml")
                .and_then(|letters| letters.parse().ok())
                .map_or(Kind::Document, Kind::Info)),
            (OUTBOUND, _) => match self.request_payload {
                None => Ok(Kind::Rows),
                Some(_) if self.identifier.contains(' ') => Ok(Kind::Entry),
                Some(_) => Ok(Kind::Renamed),
            },
            (other, _) => Err(self.at.error(format!("`{other}` is not a type")).at_path("type")),
        }
    }

    /// Whether it has a span id or a time.
    pub(super) fn is_stamped(&self) -> bool {
        self.span_id.is_some() || self.timestamp.is_some()
    }

    /// The entry's leading keys.
    pub(super) fn head(&self) -> Result<Head, CassetteError> {
        let raw = self.request_payload.ok_or_else(|| self.at.error("there is no request").at_path("requestPayload"))?;
        let head: HeadOfPayload<'_> = serde_json::from_str(raw.get())
            .map_err(|error| self.at.json(&error, self.offset(raw), "requestPayload"))?;
        let wrong = |key: &str, problem: String| self.at.error(problem).at_path(format!("requestPayload.{key}"));
        let missing = |key: &str| wrong(key, "is missing".to_owned());
        let name = head.method.ok_or_else(|| missing("method"))?;
        let method = Method::from_name(&name).ok_or_else(|| {
            wrong("method", format!("`{name}` is not a method"))
                .advice("correct the name, or use a super8 that knows it")
        })?;
        let letters = head.connection_id.ok_or_else(|| missing("connection_id"))?;
        let connection = letters.parse().map_err(|error: String| wrong("connection_id", error))?;
        if head.statement_id == Some(0) {
            return Err(wrong("statement_id", "0 is no statement".to_owned()));
        }
        Ok(Head { method, connection, statement: head.statement_id })
    }

    /// The whole entry.
    pub(super) fn entry(&self) -> Result<Entry, CassetteError> {
        let Head { method, connection, statement } = self.head()?;
        let mut fields = self.pairs(self.request_payload, "requestPayload")?;
        fields.retain(|(key, _)| !matches!(key.as_str(), "method" | "connection_id" | "statement_id"));
        fields.append(&mut self.pairs(self.response_payload, "responsePayload")?);
        self.agree(&fields)?;
        Ok(Entry { method, connection, statement, fields })
    }

    /// The whole answer about a connection.
    pub(super) fn answer(&self) -> Result<Value, CassetteError> {
        let mut pairs = self.pairs(self.request_payload, "requestPayload")?;
        pairs.append(&mut self.pairs(self.response_payload, "responsePayload")?);
        self.agree(&pairs)?;
        Ok(Value::Map(pairs))
    }

    /// The document.
    pub(super) fn document(&self) -> Result<Value, CassetteError> {
        self.response().and_then(|raw| self.value(raw, "responsePayload"))
    }

    /// The metadata; whether they are complete is not in it.
    pub(super) fn header(&self) -> Result<Vec<(String, Value)>, CassetteError> {
        self.pairs(self.response_payload, "responsePayload")
    }

    /// The name a rows part had before.
    pub(super) fn renamed(&self) -> Result<String, CassetteError> {
        let pairs = self.pairs(self.request_payload, "requestPayload")?;
        match &pairs[..] {
            [(key, Value::Text(from))] if key == "renamed" => Ok(from.clone()),
            _ => Err(self.at.error(format!("`{}` is neither a command nor the name of rows", self.identifier))),
        }
    }

    /// What was replied, as it stands in the line, and the bytes before it.
    pub(super) fn response(&self) -> Result<&'l RawValue, CassetteError> {
        self.response_payload.ok_or_else(|| self.at.error("there is no reply").at_path("responsePayload"))
    }

    /// An error of `serde_json` in a payload.
    pub(super) fn malformed(&self, raw: &RawValue, error: &serde_json::Error, path: &str) -> CassetteError {
        self.at.json(error, self.offset(raw), path)
    }

    /// `statusCode` is for other readers; two that say different things are not for us to choose from.
    fn agree(&self, fields: &[(String, Value)]) -> Result<(), CassetteError> {
        let said = fields.iter().find(|(key, _)| key == "return").map(|(_, code)| code);
        match (self.status_code, said.map_or(Some(0), |code| status_code(Some(code)))) {
            (Some(one), Some(other)) if one != other => {
                let problem = format!("statusCode says {one}, and `return` of the responsePayload says {other}");
                Err(self.at.error(problem).advice("correct the one that is wrong"))
            }
            _ => Ok(()),
        }
    }

    fn pairs(&self, raw: Option<&'l RawValue>, path: &str) -> Result<Vec<(String, Value)>, CassetteError> {
        match raw.map(|raw| self.value(raw, path)).transpose()? {
            None => Ok(Vec::new()),
            Some(Value::Map(pairs)) => Ok(pairs),
            Some(_) => Err(self.at.error("not a map").at_path(path)),
        }
    }

    fn value(&self, raw: &'l RawValue, path: &str) -> Result<Value, CassetteError> {
        let read = serde_json::from_str::<Read>(raw.get());
        read.map(|Read(value)| value).map_err(|error| self.malformed(raw, &error, path))
    }

    /// Bytes of the line before a payload.
    fn offset(&self, raw: &RawValue) -> usize {
        (raw.get().as_ptr() as usize).saturating_sub(self.at.bytes.as_ptr() as usize)
    }
}

impl At<'_> {
    fn error(&self, problem: impl Into<String>) -> CassetteError {
        CassetteError::new(self.file, problem).at_line(self.line.into())
    }

    fn json(&self, error: &serde_json::Error, offset: usize, path: &str) -> CassetteError {
        // the library ends its message with a place that is right only for a whole file
        let text = error.to_string();
        let problem = text.rsplit_once(" at line ").map_or(text.as_str(), |(problem, _)| problem);
        let column = (offset + error.column()) as u64;
        self.error(format!("not a record: {problem}")).at_column(column.max(1)).at_path(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn author() -> Author {
        Author { trace: "shop".to_owned(), stamp: Stamp::none() }
    }

    fn line(entry: &Entry) -> String {
        let mut out = Vec::new();
        author().entry(entry, &mut out);
        String::from_utf8(out).unwrap()
    }

    fn back(text: &str) -> Result<Entry, String> {
        let read = Line::read(text.as_bytes(), Path::new("shop.ndjson"), 7);
        read.and_then(|line| line.entry()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_command_has_the_model_of_the_records() {
        let diagnostic = Value::Map(vec![("sqlstate".into(), "42S02".into()), ("message".into(), "no table".into())]);
        let entry = Entry::new(Method::Run, ConnectionId(0), Some(1))
            .with("sql", "SELECT\n1")
            .with("params", vec![Value::from(1), Value::Null])
            .with("return", "SQL_ERROR")
            .with("diagnostics", vec![diagnostic]);
        assert_eq!(
            line(&entry),
            concat!(
                r#"{"version":"4.1","traceId":"shop","type":"outbound","protocol":"odbc","identifier":"run a/1","#,
                r#""requestPayload":{"method":"run","connection_id":"a","statement_id":1,"sql":"SELECT\n1","#,
                r#""params":[1,null]},"responsePayload":{"return":"SQL_ERROR","#,
                r#""diagnostics":[{"sqlstate":"42S02","message":"no table"}]},"#,
                r#""statusCode":-1,"error":{"message":"no table"}}"#,
                "\n"
            )
        );
        assert_eq!(back(&line(&entry)), Ok(entry));
    }

    #[test]
    fn fields_keep_their_order_whatever_it_is() {
        for keys in [vec!["sql", "result", "params", "return"], vec!["result", "sql"], vec![], vec!["$x", "n"]] {
            let mut entry = Entry::new(Method::FetchMany, ConnectionId(1), None);
            keys.iter().for_each(|key| entry = entry.clone().with(key, 1));
            assert_eq!(back(&line(&entry)), Ok(entry));
        }
    }

    #[test]
    fn errors_name_line_column_and_place() {
        let good = line(&Entry::new(Method::Run, ConnectionId(0), Some(1)).with("sql", "x").with("result", 1));
        for (from, to, expected) in [
            (r#""run","#, r#""runn","#, "shop.ndjson:7: requestPayload.method: `runn` is not a method"),
            (
                r#""connection_id":"a""#,
                r#""connection_id":"A""#,
                "requestPayload.connection_id: `A` is not a connection",
            ),
            (r#""statement_id":1"#, r#""statement_id":0"#, "requestPayload.statement_id: 0 is no statement"),
            (r#""4.1""#, r#""5.0""#, "the record has version 5.0"),
            (r#""result":1"#, r#""result":1,"result":2"#, "shop.ndjson:7:215: responsePayload: not a record: the key"),
            (r#"{"version""#, r#"{version"#, "shop.ndjson:7:2: not a record"),
            ("\n", r#","statusCode":5}"#, "shop.ndjson:7:"),
        ] {
            let text = good.replacen(from, to, 1);
            let read = Line::read(text.as_bytes(), Path::new("shop.ndjson"), 7);
            let error = read.and_then(|line| line.kind().and_then(|_| line.entry())).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        let two = good.replacen("}}\n", "},\"statusCode\":-1}\n", 1);
        assert!(back(&two).unwrap_err().contains("statusCode says -1, and `return`"), "{two}");
    }
}
