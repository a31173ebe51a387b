//! One record on one line, as it is read: first what it is, then whichever of its payloads is asked for.
//!
//! The fast path takes lines apart as super8 writes them, by looking for fixed pieces in fixed places. Any other line,
//! even if it differs only in a blank, is read as JSON, which also finds out what is wrong with it.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::path::Path;

use memchr::{memchr, memchr2};
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::json::Read;
use super::record::{COMPLETE, HEADER, METADATA, NULL, ODBC, OUTBOUND, Span, VERSION, status_code};
use crate::entry::Head;
use crate::{CassetteError, ConnectionId, Entry, Fields, Key, Method, Value, check};

const START: &[u8] = br#"{"version":"4.1","traceId":""#;
const KIND: &[u8] = br#"","type":"outbound","protocol":"odbc","identifier":""#;
const ENTRY: &[u8] = br#","requestPayload":{"method":""#;
const CONNECTION: &[u8] = br#","connection_id":""#;
const STATEMENT: &[u8] = br#","statement_id":"#;
const THREAD: &[u8] = br#","thread":"#;
const ROWS: &[u8] = br#","responsePayload":{"rows":["#;
const ROWS_END: &[u8] = b"]}}";

/// A line in super8's own form, recognized from its beginning and end.
pub(super) enum LineKind<'l> {
    /// An entry of the log.
    Entry(Head),
    /// Rows of the member with this name, and where they stand in the line, without the brackets of their list.
    Rows(&'l str, Range<usize>),
}

/// Classifies a line. `None` if it is not in super8's own form, is something rarer, or has span ids and times.
pub(super) fn classify(line: &[u8]) -> Option<LineKind<'_>> {
    let (_, rest) = quoted(line.strip_prefix(START)?)?;
    // `quoted` takes the closing quote, which is the first byte of the next piece
    let (identifier, rest) = quoted(rest.strip_prefix(&KIND[1..])?)?;
    if let Some(rows) = rest.strip_prefix(ROWS) {
        let start = line.len() - rows.len();
        let end = line.len() - rows.strip_suffix(ROWS_END).map(|_| ROWS_END.len())?;
        return Some(LineKind::Rows(identifier, start..end));
    }
    let (method, rest) = quoted(rest.strip_prefix(ENTRY)?)?;
    let (connection, rest) = quoted(rest.strip_prefix(CONNECTION)?)?;
    let (statement, rest) = match rest.strip_prefix(STATEMENT) {
        None => (None, rest),
        Some(rest) => {
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let number: u32 = std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()?;
            (Some(number).filter(|number| *number > 0)?.into(), &rest[digits..])
        }
    };
    let digits = rest
        .strip_prefix(THREAD)
        .map_or(&[][..], |rest| &rest[..rest.iter().take_while(|byte| byte.is_ascii_digit()).count()]);
    let thread = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).unwrap_or(1);
    let whole = matches!(rest, [b',', .., b'}'] | [b'}', .., b'}']) && identifier.contains(' ');
    let method = Method::from_name(method)?;
    let head = Head { method, connection: connection.parse().ok()?, statement, thread };
    whole.then_some(LineKind::Entry(head))
}

/// Splits off text without escapes up to a quote. Returns it and what stands behind the quote.
fn quoted(text: &[u8]) -> Option<(&str, &[u8])> {
    let end = memchr(b'"', text)?;
    let found = std::str::from_utf8(&text[..end]).ok().filter(|found| !found.contains('\\'))?;
    Some((found, &text[end + 1..]))
}

/// Reads one of the rows of a record, `["a",null],...`, as cells ready for [`decode`](crate::cell::decode). Returns how many bytes
/// it took, including the comma behind it. `None` if the row is not in super8's own form; some cells may have been pushed then.
pub(super) fn row(text: &[u8], row: &mut csv::ByteRecord, unescaped: &mut Vec<u8>) -> Option<usize> {
    let mut at = match text {
        [b'[', b']', ..] => 1,
        [b'[', ..] => 1 + cell(&text[1..], row, unescaped)?,
        _ => return None,
    };
    while text.get(at)? == &b',' {
        at += 1;
        at += cell(&text[at..], row, unescaped)?;
    }
    match &text[at..] {
        [b']'] => Some(at + 1),
        [b']', b',', b'[', ..] => Some(at + 2),
        _ => None,
    }
}

/// Reads a cell and returns how many bytes it took.
fn cell(text: &[u8], row: &mut csv::ByteRecord, unescaped: &mut Vec<u8>) -> Option<usize> {
    if text.starts_with(b"null") {
        row.push_field(NULL);
        return Some(4);
    }
    let (b'"', text) = text.split_first()? else { return None };
    let mut at = memchr2(b'"', b'\\', text)?;
    if text[at] == b'"' {
        row.push_field(&text[..at]);
        return Some(at + 2);
    }
    unescaped.clear();
    let mut from = 0;
    loop {
        unescaped.extend_from_slice(&text[from..at]);
        if text[at] == b'"' {
            row.push_field(unescaped);
            return Some(at + 2);
        }
        unescaped.push(match text.get(at + 1)? {
            same @ (b'"' | b'\\' | b'/') => *same,
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            _ => return None,
        });
        from = at + 2;
        at = from + memchr2(b'"', b'\\', &text[from..])?;
    }
}

/// A line that was read, without looking into its payloads.
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

/// Reads the entry of a line that is known to be one. Reads the line once; if anything is wrong with it, [`Line`] finds out what.
pub(super) fn entry(bytes: &[u8], file: &Path, line: u32) -> Result<Entry, CassetteError> {
    match at_once(bytes) {
        Some(entry) => Ok(entry),
        None => Line::read(bytes, file, line)?.entry(),
    }
}

/// The keys of an entry that are not among its fields.
const LEADING: [&str; 3] = ["method", "connection_id", "statement_id"];

fn at_once(bytes: &[u8]) -> Option<Entry> {
    // check UTF-8 once for the line instead of once for each of its texts
    let text = std::str::from_utf8(bytes).ok()?;
    let EntryLine { request_payload: request, response_payload, status_code } = serde_json::from_str(text).ok()?;
    let Request { method, connection, statement, mut fields } = request;
    // a status code must be compared, which the slow path does
    if status_code.is_some() {
        return None;
    }
    if let Some(Response(replied)) = response_payload {
        fields.extend(replied);
    }
    Some(Entry { method, connection, statement, fields })
}

/// The request of an entry whose leading keys come first and in order.
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
    /// A record of another protocol, or of something an application received: not one of ours.
    Foreign,
    /// The header.
    Header,
    /// The mark that everything before it is whole.
    Complete,
    /// An entry of the log.
    Entry,
    /// An answer about a connection.
    Info(ConnectionId),
    /// A small document.
    Document,
    /// Rows of a member.
    Rows,
    /// Gives a rows member another name.
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

    /// Returns what the record is.
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
            (METADATA, member) => Ok(member
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

    /// Returns its span id and time, if it has both.
    pub(super) fn span(&self) -> Option<Span> {
        let parent = self.parent_span_id.as_deref().map(str::to_owned);
        Some(Span { id: self.span_id.as_deref()?.to_owned(), parent, timestamp: self.timestamp.as_deref()?.to_owned() })
    }

    /// Reads the entry's leading keys.
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
            return Err(wrong("statement_id", "0 is not a statement".to_owned()));
        }
        Ok(Head { method, connection, statement: head.statement_id, thread: head.thread.unwrap_or(1) })
    }

    /// Reads the whole entry.
    pub(super) fn entry(&self) -> Result<Entry, CassetteError> {
        let Head { method, connection, statement, .. } = self.head()?;
        let mut fields = self.pairs(self.request_payload, "requestPayload")?;
        fields.retain(|(key, _)| !LEADING.contains(&key.as_str()));
        fields.append(&mut self.pairs(self.response_payload, "responsePayload")?);
        let fields = self.fields(method, fields)?;
        Ok(Entry { method, connection, statement, fields })
    }

    /// Reads the whole answer about a connection.
    pub(super) fn answer(&self) -> Result<Fields, CassetteError> {
        let mut pairs = self.pairs(self.request_payload, "requestPayload")?;
        pairs.append(&mut self.pairs(self.response_payload, "responsePayload")?);
        self.fields(Method::Answer, pairs)
    }

    /// Converts pairs to fields by their names.
    fn fields(&self, method: Method, pairs: Vec<(String, Value)>) -> Result<Fields, CassetteError> {
        let fields = check::keyed(method, pairs, false).map_err(|wrong| wrong.error(self.at.file, self.at.line))?;
        self.agree(&fields)?;
        Ok(fields)
    }

    /// Reads the document.
    pub(super) fn document(&self) -> Result<Value, CassetteError> {
        self.response().and_then(|raw| self.value(raw, "responsePayload"))
    }

    /// Reads the metadata of a header or a mark. A header does not say whether they are complete.
    pub(super) fn header(&self) -> Result<Vec<(String, Value)>, CassetteError> {
        self.pairs(self.response_payload, "responsePayload")
    }

    /// Reads the previous name of a rows member.
    pub(super) fn renamed(&self) -> Result<String, CassetteError> {
        let pairs = self.pairs(self.request_payload, "requestPayload")?;
        match &pairs[..] {
            [(key, Value::Text(from))] if key == "renamed" => Ok(from.clone()),
            _ => Err(self.at.error(format!("`{}` is neither a command nor the name of rows", self.identifier))),
        }
    }

    /// Returns the reply as it stands in the line.
    pub(super) fn response(&self) -> Result<&'l RawValue, CassetteError> {
        self.response_payload.ok_or_else(|| self.at.error("there is no reply").at_path("responsePayload"))
    }

    /// Makes an error out of one of `serde_json` in a payload.
    pub(super) fn malformed(&self, raw: &RawValue, error: &serde_json::Error, path: &str) -> CassetteError {
        self.at.json(error, self.offset(raw), path)
    }

    /// Checks that `statusCode`, which is for other readers, agrees with `return`. If they differ, we cannot choose one.
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

    /// Returns how many bytes of the line stand before a payload.
    fn offset(&self, raw: &RawValue) -> usize {
        (raw.get().as_ptr() as usize).saturating_sub(self.at.bytes.as_ptr() as usize)
    }
}

impl At<'_> {
    fn error(&self, problem: impl Into<String>) -> CassetteError {
        CassetteError::new(self.file, problem).at_line(self.line.into())
    }

    fn json(&self, error: &serde_json::Error, offset: usize, path: &str) -> CassetteError {
        // the message ends with a place that is right only for a whole file
        let text = error.to_string();
        let problem = text.rsplit_once(" at line ").map_or(text.as_str(), |(problem, _)| problem);
        let column = (offset + error.column()) as u64;
        self.error(format!("not a record: {problem}")).at_column(column.max(1)).at_path(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::ndjson::record::{RecordWriter, Stamp};

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
            (r#""statement_id":1"#, r#""statement_id":0"#, "requestPayload.statement_id: 0 is not a statement"),
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

    #[test]
    fn what_is_written_is_recognized() {
        for statement in [None, Some(12)] {
            for more in [false, true] {
                let mut entry = Entry::new(Method::Run, ConnectionId(27), statement);
                if more {
                    entry = entry.with(Key::Sql, "x").with(Key::Result, 1);
                }
                let mut line = Vec::new();
                writer().entry(&entry, &mut line);
                let Some(LineKind::Entry(head)) = classify(line.trim_ascii_end()) else { panic!("not recognized") };
                assert_eq!((head.method, head.connection, head.statement), (Method::Run, ConnectionId(27), statement));
                assert!(classify(&line[..line.len() - 2]).is_none() || more, "cut short");
            }
        }
        let mut line = Vec::new();
        writer().begin_rows("a_1_fetch_all.csv", &mut line);
        line.extend(br#"["a",null],["\"\\","b"]"#);
        writer().end_rows(&mut line);
        let Some(LineKind::Rows(member, rows)) = classify(line.trim_ascii_end()) else { panic!("not recognized") };
        assert_eq!((member, &line[rows]), ("a_1_fetch_all.csv", br#"["a",null],["\"\\","b"]"#.as_slice()));
        for other in [
            r#"{"version":"4.2","traceId":"shop","type":"outbound","protocol":"odbc","identifier":"x","responsePayload":{"rows":[]}}"#,
            r#"{"version":"4.1","traceId":"shop","type":"metadata","protocol":"odbc","identifier":"complete","responsePayload":{}}"#,
            r#"{"version":"4.1","traceId":"shop","type":"outbound","protocol":"odbc","identifier":"x","requestPayload":{"renamed":"y"}}"#,
            r#"{"version":"4.1","traceId":"shop","type":"outbound","protocol":"odbc","identifier":"x","responsePayload":{"rows":[]},"statusCode":1}"#,
        ] {
            assert!(classify(other.as_bytes()).is_none(), "{other}");
        }
    }

    #[test]
    fn rows_of_their_own_form_and_others() {
        let read = |text: &str| {
            let (mut cells, mut scratch) = (csv::ByteRecord::new(), Vec::new());
            let taken = row(text.as_bytes(), &mut cells, &mut scratch)?;
            let cells: Vec<_> = cells.iter().map(|cell| String::from_utf8(cell.to_vec()).unwrap()).collect();
            Some((taken, cells.join("|")))
        };
        let found = |taken: usize, cells: &str| Some((taken, cells.to_owned()));
        assert_eq!(read(r#"["a",null,"","ä"]"#), found(18, "a|\\N||ä"));
        assert_eq!(read(r#"["a"],["b"]"#), found(6, "a"));
        assert_eq!(read(r#"["\\x00","say \"x\"\t\/"]"#), found(25, "\\x00|say \"x\"\t/"));
        assert_eq!(read("[]"), found(2, ""));
        for other in
            ["", "[", "[\"a\"", "[\"a", "[1]", "[ \"a\"]", "[\"a\"] ,[]", "[\"a\"],", "[\"\\u0041\"]", "[\"a\\"]
        {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
