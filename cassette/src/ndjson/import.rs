//! Records that Softprobe wrote of PostgreSQL queries, made into a cassette that an ODBC program can replay.
//!
//! A record has the SQL text, perhaps the values, and the rows as objects. What ODBC needs beyond that is filled in as
//! psqlodbc would say it for the type that JSON shows, and what cannot be known is named in the notes.

use std::fs::File;
use std::path::Path;

use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::json::Read;
use super::lines::Lines;
use super::softprobe::{Kind, Reply, SoftprobeRecord, numbered};
use crate::convert::Conversion;
use crate::row::{Row, write_row};
use crate::storage::Cassette;
use crate::{CassetteError, Cell, ConnectionId, Entry, Method, Value};

/// The one connection: the records do not say on which a query ran.
const CONNECTION: ConnectionId = ConnectionId(0);
/// Results of more rows than this stand in a part of their own.
const INLINE_ROWS: usize = 1;

/// What programs will connect to, which the records do not say.
#[derive(Clone, Debug)]
pub struct Source {
    /// The data source's name.
    pub dsn: String,
    /// The user, if programs give one.
    pub user: Option<String>,
}

/// Whether the first record of a file is one of Softprobe's own rather than super8's header.
///
/// # Errors
/// What the operating system says; a first line that is no record.
pub fn is_softprobe(path: &Path) -> Result<bool, CassetteError> {
    let file = File::open(path).map_err(|error| CassetteError::io(path, "open", &error))?;
    let mut lines = Lines::new(file, path);
    let Some(cut) = lines.next()? else { return Ok(false) };
    let record: SoftprobeRecord<'_> = read(cut.bytes, path, cut.place.line)?;
    Ok(record.protocol != super::record::ODBC)
}

/// Makes a cassette of the PostgreSQL records in a file.
///
/// # Errors
/// A record that cannot be read, with its line; none of PostgreSQL; a target that cannot be written.
pub fn import(path: &Path, source: &Source, to: &dyn Cassette) -> Result<Conversion, CassetteError> {
    let file = File::open(path).map_err(|error| CassetteError::io(path, "open", &error))?;
    let mut import = Import { to, statements: 0, done: Conversion::default(), foreign: 0, traces: Vec::new() };
    let mut connect = Entry::new(Method::Connect, CONNECTION, None).with("dsn", source.dsn.as_str());
    let facts = source.user.as_ref().map(|user| ("user_hash".to_owned(), Value::Text(user_hash(user))));
    connect.fields.push(("result".to_owned(), Value::Map(facts.into_iter().collect())));
    let mut lines = Lines::new(file, path);
    while let Some(cut) = lines.next()? {
        let record: SoftprobeRecord<'_> = match read(cut.bytes, path, cut.place.line) {
            Ok(record) => record,
            Err(_) if !cut.ended => {
                let note = format!("line {} breaks off and is left out", cut.place.line);
                import.done.notes.push(note);
                break;
            }
            Err(error) => return Err(error),
        };
        if record.protocol != "postgres" || record.r#type != "outbound" {
            import.foreign += 1;
            continue;
        }
        if import.statements == 0 {
            import.entry(&connect)?;
        }
        let trace = record.trace_id.clone().into_owned();
        if !import.traces.contains(&trace) {
            import.traces.push(trace);
        }
        import.query(&record, path, cut.place.line)?;
    }
    if import.statements == 0 {
        return Err(CassetteError::new(path, "has no outbound record of the protocol postgres")
            .advice("other protocols cannot be replayed through ODBC"));
    }
    import.entry(&Entry::new(Method::Disconnect, CONNECTION, None).with("result", Value::Null))?;
    import.say_what_is_missing(source);
    to.publish()?;
    Ok(import.done)
}

fn read<'l>(bytes: &'l [u8], path: &Path, line: u32) -> Result<SoftprobeRecord<'l>, CassetteError> {
    serde_json::from_slice(bytes).map_err(|error| {
        let problem = format!("not a record: {error}");
        CassetteError::new(path, problem).at_line(line.into())
    })
}

/// The user as a cassette has it: SHA-256 in lower-case hex.
fn user_hash(user: &str) -> String {
    Sha256::digest(user.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

struct Import<'c> {
    to: &'c dyn Cassette,
    statements: u32,
    done: Conversion,
    /// Records of other protocols.
    foreign: u64,
    traces: Vec<String>,
}

impl Import<'_> {
    fn entry(&mut self, entry: &Entry) -> Result<(), CassetteError> {
        let mut encoded = Vec::with_capacity(256);
        self.to.encode(entry, &mut encoded);
        self.done.entries += 1;
        self.to.append(&encoded)
    }

    fn note(&mut self, line: u32, text: &str) {
        self.done.notes.push(format!("line {line}: {text}"));
    }

    fn query(&mut self, record: &SoftprobeRecord<'_>, path: &Path, line: u32) -> Result<(), CassetteError> {
        self.statements += 1;
        let id = self.statements;
        let entry = |method: Method| Entry::new(method, CONNECTION, Some(id));
        let wrong = |error: serde_json::Error, key: &str| {
            CassetteError::new(path, error.to_string()).at_line(line.into()).at_path(key)
        };
        let value = |raw: &RawValue, key: &str| {
            serde_json::from_str::<Read>(raw.get()).map(|Read(value)| value).map_err(|error| wrong(error, key))
        };
        let request = record.request_payload.map(|raw| value(raw, "requestPayload")).transpose()?;
        let (sql, values) = record.asked(request.as_ref());
        let (sql, values) = match values {
            Some(values) => match numbered(&sql, values) {
                Some((sql, params)) => (sql, params),
                None => {
                    self.note(line, "the values do not fit the markers $1, $2, ... of the SQL, which is kept as it is");
                    (sql, Vec::new())
                }
            },
            None => (sql, Vec::new()),
        };
        let mut run = entry(Method::Run).with("sql", sql);
        if !values.is_empty() {
            run = run.with("params", Value::List(values));
        }
        if let Some(message) = record.error.as_ref().map(|error| error.message.as_ref()) {
            self.note(line, "the SQLSTATE of the error is not recorded: HY000 stands in its place");
            let diagnostic = [("sqlstate", "HY000".into()), ("native", Value::Int(1)), ("message", message.into())];
            let diagnostic = Value::Map(diagnostic.map(|(key, value)| (key.to_owned(), value)).into());
            run = run.with("return", "SQL_ERROR").with("diagnostics", Value::List(vec![diagnostic]));
            self.entry(&run)?;
            return self.entry(&entry(Method::Drop).with("result", Value::Null));
        }
        self.entry(&run)?;
        let reply: Reply = match record.response_payload {
            None => Reply::default(),
            Some(raw) => serde_json::from_str(raw.get()).map_err(|error| wrong(error, "responsePayload"))?,
        };
        let count = reply.row_count.unwrap_or(reply.rows.len() as i64);
        self.entry(&entry(Method::RowCount).with("result", count))?;
        if reply.rows.is_empty() {
            if reply.returns_rows() {
                self.note(line, "no rows, so the names of the columns are not recorded: asking for them is refused");
                self.entry(&entry(Method::Fetch).with("result", Value::Null))?;
            } else {
                self.document(id, Value::List(Vec::new()), &entry(Method::Columns))?;
            }
        } else {
            self.rows(id, &reply, line)?;
        }
        self.entry(&entry(Method::Drop).with("result", Value::Null))
    }

    fn document(&mut self, id: u32, columns: Value, entry: &Entry) -> Result<(), CassetteError> {
        let part = format!("{CONNECTION}_{id}_columns.yml");
        self.to.put(&part, &columns)?;
        self.done.parts += 1;
        self.entry(&entry.clone().with("columns_file", part))
    }

    fn rows(&mut self, id: u32, reply: &Reply, line: u32) -> Result<(), CassetteError> {
        let entry = |method: Method| Entry::new(method, CONNECTION, Some(id));
        let columns = reply.columns();
        for column in &columns {
            if let Some(doubt) = column.doubt {
                self.note(line, &format!("column {}: {doubt}", column.name));
            }
        }
        let described = columns.iter().map(super::softprobe::Column::described).collect();
        self.document(id, Value::List(described), &entry(Method::Columns))?;
        let c_types = vec!["CHAR"; columns.len()];
        let (mut block, mut row, mut texts) = (Vec::new(), Row::new(), Vec::new());
        for pairs in &reply.rows {
            row.clear();
            for (number, column) in columns.iter().enumerate() {
                match pairs.iter().find(|(name, _)| *name == column.name).map(|(_, value)| value) {
                    None | Some(Value::Null) => row.set(number, Cell::Null),
                    Some(value) => {
                        texts.clear();
                        Kind::text(value, &mut texts);
                        row.set(number, Cell::Text(&texts));
                    }
                }
            }
            if reply.rows.len() > INLINE_ROWS {
                write_row(&row, &mut block);
            }
        }
        if reply.rows.len() > INLINE_ROWS {
            let part = format!("{CONNECTION}_{id}_fetch_all.csv");
            self.to.rows_part(&part)?.append(&block)?;
            self.done.parts += 1;
            return self.entry(&entry(Method::FetchAll).with("rows_file", part).with("c_types", c_types));
        }
        let inline = crate::inline::inline(&row, &c_types);
        self.entry(&entry(Method::Fetch).with("result", inline).with("c_types", c_types))?;
        self.entry(&entry(Method::Fetch).with("result", Value::Null))
    }

    /// What no record says, once for all.
    fn say_what_is_missing(&mut self, source: &Source) {
        let dsn = &source.dsn;
        let user = source.user.as_ref().map_or_else(|| " without a user".to_owned(), |user| format!(" as {user}"));
        if self.foreign > 0 {
            let note = format!("left out are {} records that are not PostgreSQL queries", self.foreign);
            self.done.notes.push(note);
        }
        if self.traces.len() > 1 {
            let note = format!("the records belong to {} traces; they follow one another here", self.traces.len());
            self.done.notes.push(note);
        }
        self.done.notes.push(format!(
            "the records do not say which data source, on how many connections, or in which transactions: all queries are \
             on one connection to {dsn}{user}, each run directly; what SQLGetInfo and SQLGetTypeInfo would say is not recorded"
        ));
    }
}
