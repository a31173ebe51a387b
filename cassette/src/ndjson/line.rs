//! One record, one line, as it is read: first what it is, then what was asked for of its payloads.

use std::borrow::Cow;
use std::fmt;
use std::path::Path;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::json::Read;
use super::record::{METADATA, ODBC, OUTBOUND, status_code};
use super::spans::Span;
use super::{COMPLETE, HEADER, VERSION};
use crate::entry::Head;
use crate::{CassetteError, ConnectionId, Entry, Fields, Key, Method, Value, check};

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
    #[serde(borrow)]
    span_id: Option<Cow<'l, str>>,
    #[serde(borrow)]
    parent_span_id: Option<Cow<'l, str>>,
    #[serde(borrow)]
    timestamp: Option<Cow<'l, str>>,
    #[serde(skip)]
    at: At<'l>,
}

/// A line that is known to be an entry, with its payloads.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EntryLine {
    request_payload: Request,
    response_payload: Option<Response>,
    status_code: Option<i64>,
}

/// The entry of a line that is known to be one. The line is read once; if it is not as it should be, [`Line`] finds out why.
pub(super) fn entry(bytes: &[u8], file: &Path, line: u32) -> Result<Entry, CassetteError> {
    match at_once(bytes) {
        Some(entry) => Ok(entry),
        None => Line::read(bytes, file, line)?.entry(),
    }
}

/// The keys of an entry that are not among its fields.
const LEADING: [&str; 3] = ["method", "connection_id", "statement_id"];

fn at_once(bytes: &[u8]) -> Option<Entry> {
    // looked at once for the line, not once for each of its texts
    let text = std::str::from_utf8(bytes).ok()?;
    let EntryLine { request_payload: request, response_payload, status_code } = serde_json::from_str(text).ok()?;
    let Request { method, connection, statement, mut fields } = request;
    // a number is to be compared
    if status_code.is_some() {
        return None;
    }
    if let Some(Response(replied)) = response_payload {
        fields.extend(replied);
    }
    Some(Entry { method, connection, statement, fields })
}

/// The request of an entry whose leading keys come first, in their order.
struct Request {
    method: Method,
    connection: ConnectionId,
    statement: Option<u32>,
    fields: Fields,
}

struct Response(Fields);

impl<'de> Deserialize<'de> for Request {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Request;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the request of an entry")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Request, A::Error> {
                let other = || de::Error::custom("another order of keys");
                if map.next_key()? != Some(Name("method")) {
                    return Err(other());
                }
                let Name(method) = map.next_value()?;
                let method = Method::from_name(method).ok_or_else(other)?;
                if map.next_key()? != Some(Name("connection_id")) {
                    return Err(other());
                }
                let Name(connection) = map.next_value()?;
                let connection = connection.parse().map_err(|_| other())?;
                let mut request = Request { method, connection, statement: None, fields: Fields::new() };
                while let Some(Name(name)) = map.next_key()? {
                    if name == "statement_id" && request.fields.is_empty() && request.statement.is_none() {
                        request.statement = Some(map.next_value().ok().filter(|number| *number > 0).ok_or_else(other)?);
                        continue;
                    }
                    add(&mut request.fields, name, &mut map)?;
                }
                Ok(request)
            }
        }
        from.deserialize_map(Pairs)
    }
}

impl<'de> Deserialize<'de> for Response {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Response;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the response of an entry")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Response, A::Error> {
                let mut fields = Fields::new();
                while let Some(Name(name)) = map.next_key()? {
                    add(&mut fields, name, &mut map)?;
                }
                Ok(Response(fields))
            }
        }
        from.deserialize_map(Pairs)
    }
}

/// Adds a field that is not there yet.
fn add<'de, A: MapAccess<'de>>(fields: &mut Fields, name: &str, map: &mut A) -> Result<(), A::Error> {
    let key = Key::from_name(name).filter(|key| !matches!(key, Key::ConnectionId | Key::StatementId));
    let Some(key) = key.filter(|key| fields.get(*key).is_none()) else {
        return Err(de::Error::custom("a key that is unknown or there already"));
    };
    let Read(value) = map.next_value()?;
    fields.push((key, value));
    Ok(())
}

/// A key or a word, which has no escapes.
#[derive(Deserialize, PartialEq)]
struct Name<'l>(&'l str);

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
    thread: Option<u16>,
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

    /// Its span id and time, if it has both.
    pub(super) fn span(&self) -> Option<Span> {
        let parent = self.parent_span_id.as_deref().map(str::to_owned);
        Some(Span { id: self.span_id.as_deref()?.to_owned(), parent, timestamp: self.timestamp.as_deref()?.to_owned() })
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
        Ok(Head { method, connection, statement: head.statement_id, thread: head.thread.unwrap_or(1) })
    }

    /// The whole entry.
    pub(super) fn entry(&self) -> Result<Entry, CassetteError> {
        let Head { method, connection, statement, .. } = self.head()?;
        let mut fields = self.pairs(self.request_payload, "requestPayload")?;
        fields.retain(|(key, _)| !LEADING.contains(&key.as_str()));
        fields.append(&mut self.pairs(self.response_payload, "responsePayload")?);
        let fields = self.fields(method, fields)?;
        Ok(Entry { method, connection, statement, fields })
    }

    /// The whole answer about a connection.
    pub(super) fn answer(&self) -> Result<Fields, CassetteError> {
        let mut pairs = self.pairs(self.request_payload, "requestPayload")?;
        pairs.append(&mut self.pairs(self.response_payload, "responsePayload")?);
        self.fields(Method::Answer, pairs)
    }

    /// The fields with these names.
    fn fields(&self, method: Method, pairs: Vec<(String, Value)>) -> Result<Fields, CassetteError> {
        let fields = check::keyed(method, pairs).map_err(|wrong| wrong.error(self.at.file, self.at.line))?;
        self.agree(&fields)?;
        Ok(fields)
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
    fn agree(&self, fields: &Fields) -> Result<(), CassetteError> {
        let said = fields.get(Key::Return);
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
    use crate::ndjson::record::RecordWriter;
    use crate::ndjson::spans::Stamp;

    fn writer() -> RecordWriter {
        RecordWriter { trace: "shop".to_owned(), stamp: Stamp::default() }
    }

    fn line(entry: &Entry) -> String {
        let mut out = Vec::new();
        writer().entry(entry, &mut out);
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
            .with(Key::Sql, "SELECT\n1")
            .with(Key::Params, vec![Value::from(1), Value::Null])
            .with(Key::Return, "SQL_ERROR")
            .with(Key::Diagnostics, vec![diagnostic]);
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
        use Key::{Attributes, N, Params, Result, Return, Sql};
        for keys in [vec![Sql, Result, Params, Return], vec![Result, Sql], vec![], vec![Attributes, N]] {
            let mut entry = Entry::new(Method::FetchMany, ConnectionId(1), None);
            keys.iter().for_each(|key| entry = entry.clone().with(*key, 1));
            assert_eq!(back(&line(&entry)), Ok(entry));
        }
    }

    #[test]
    fn errors_name_line_column_and_place() {
        let good = line(&Entry::new(Method::Run, ConnectionId(0), Some(1)).with(Key::Sql, "x").with(Key::Result, 1));
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
