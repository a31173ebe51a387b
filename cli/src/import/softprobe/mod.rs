//! Turns Softprobe's records of PostgreSQL queries into a cassette that an ODBC program can replay: [`import`].
//!
//! A record has the SQL text, perhaps the values, and the rows as objects. Everything else that ODBC needs is filled in
//! as psqlodbc would report it for the type that JSON shows; the notes name what cannot be known.

mod record;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;

use super8_cassette::convert::Copy;
use super8_cassette::schema::Class;
use super8_cassette::{
    CassetteError, Cell, ConnectionId, Contents, Entry, EntryRef, Fields, Key, Method, Order, Recorder, Store, Value,
};
use super8_shim::config::secrets::user_hash;

use record::{Column, Query, Reply, Row, SoftprobeRecord, numbered};

/// The only connection, because the records do not say on which one a query ran.
const CONNECTION: ConnectionId = ConnectionId(0);

/// What the records do not say about the program that will replay them.
#[derive(Default)]
pub struct Source {
    /// The data source's name.
    pub dsn: String,
    /// The user, if programs give one.
    pub user: Option<String>,
    /// A recording of the program in which it only connects and disconnects. Its questions and answers, the data source
    /// and the user are taken from it.
    pub like: Option<Box<dyn Store>>,
    /// How the program runs statements.
    pub calls: Calls,
}

/// How a program runs statements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// Which statements it prepares. The others it runs with SQLExecDirect.
    pub prepares: Prepares,
    /// Whether it calls SQLMoreResults after each result.
    pub more_results: bool,
}

/// Which statements a program prepares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Prepares {
    /// None.
    #[default]
    Nothing,
    /// Those with parameters.
    Parameters,
    /// All of them.
    Everything,
}

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Queries that can be replayed.
    pub queries: u64,
    /// What the records do not say, and what is answered in its place: one line each, for people.
    pub notes: Vec<String>,
}

/// Whether the first record of a file is one of Softprobe's own rather than super8's header.
///
/// # Errors
/// The file cannot be read, or its first line is no record.
pub fn is_softprobe(path: &Path) -> Result<bool, CassetteError> {
    let mut lines = Lines::open(path)?;
    let Some(line) = lines.next()? else { return Ok(false) };
    Ok(line.record()?.protocol != "odbc")
}

/// Makes a cassette of the PostgreSQL records in a file.
///
/// # Errors
/// A record cannot be read (with its line), there is none of PostgreSQL, the recording of `like` does more than
/// connect, or the target cannot be written.
pub fn import(path: &Path, source: &Source, to: Box<dyn Store>) -> Result<Imported, CassetteError> {
    let likeness = source.like.as_deref().map(Likeness::of).transpose()?;
    let mut lines = Lines::open(path)?;
    let (mut import, mut to) = (None, Some(to));
    let (mut foreign, mut traces, mut torn) = (0_u64, Vec::new(), None);
    while let Some(line) = lines.next()? {
        let record = match line.record() {
            Ok(record) => record,
            Err(_) if !line.ended => {
                torn = Some(format!("line {} breaks off and is left out", line.number));
                break;
            }
            Err(error) => return Err(error),
        };
        if record.protocol != "postgres" || record.r#type != "outbound" {
            foreign += 1;
            continue;
        }
        let trace = record.trace_id.clone().into_owned();
        if !traces.contains(&trace) {
            traces.push(trace);
        }
        // the cassette is begun only with the first query
        if let Some(to) = to.take() {
            import = Some(Import::begin(source, likeness.as_ref(), to)?);
        }
        if let Some(import) = &mut import {
            import.query(&record, path, line.number)?;
        }
    }
    let Some(mut import) = import else {
        return Err(CassetteError::new(path, "has no outbound record of the protocol postgres")
            .advice("other protocols cannot be replayed through ODBC"));
    };
    import.end(likeness.as_ref())?;
    import.done.notes.extend(torn);
    import.say_what_is_missing(source, foreign, traces.len());
    Ok(import.done)
}

/// The lines of a file of records.
struct Lines<'p> {
    file: BufReader<File>,
    path: &'p Path,
    bytes: Vec<u8>,
    number: u64,
}

/// A line that is not blank.
struct Line<'l> {
    bytes: &'l [u8],
    path: &'l Path,
    number: u64,
    /// Whether a line break follows. A line without one may have been cut short.
    ended: bool,
}

impl<'p> Lines<'p> {
    fn open(path: &'p Path) -> Result<Lines<'p>, CassetteError> {
        let file = File::open(path).map_err(|error| CassetteError::io(path, "open", &error))?;
        Ok(Lines { file: BufReader::new(file), path, bytes: Vec::new(), number: 0 })
    }

    /// Returns the next line; `None` at the end of the file.
    fn next(&mut self) -> Result<Option<Line<'_>>, CassetteError> {
        loop {
            self.bytes.clear();
            let read = self.file.read_until(b'\n', &mut self.bytes);
            if read.map_err(|error| CassetteError::io(self.path, "read", &error))? == 0 {
                return Ok(None);
            }
            self.number += 1;
            if !self.bytes.trim_ascii().is_empty() {
                break;
            }
        }
        let ended = self.bytes.ends_with(b"\n");
        Ok(Some(Line { bytes: self.bytes.trim_ascii(), path: self.path, number: self.number, ended }))
    }
}

impl Line<'_> {
    fn record(&self) -> Result<SoftprobeRecord<'_>, CassetteError> {
        serde_json::from_slice(self.bytes).map_err(|error| {
            let problem = format!("not a record: {error}");
            CassetteError::new(self.path, problem).at_line(self.number)
        })
    }
}

struct Import {
    recorder: Arc<Recorder>,
    calls: Calls,
    /// The last statement's id.
    statement: u32,
    done: Imported,
}

impl Import {
    /// Begins the cassette with the connect.
    fn begin(source: &Source, likeness: Option<&Likeness<'_>>, to: Box<dyn Store>) -> Result<Import, CassetteError> {
        if let Some(likeness) = likeness {
            likeness.beginning(&*to)?;
        }
        let recorder = Recorder::with_store(to, Order::Global, 1);
        recorder.connection();
        if likeness.is_none() {
            let facts = source.user.as_ref().map(|user| ("user_hash".to_owned(), Value::Text(user_hash(user))));
            let connect = Entry::new(Method::Connect, CONNECTION, None).with(Key::Dsn, source.dsn.as_str());
            recorder.command(&connect.with(Key::Result, Value::Map(facts.into_iter().collect())))?;
        }
        let statement = likeness.map_or(0, |likeness| likeness.statements);
        Ok(Import { recorder, calls: source.calls, statement, done: Imported::default() })
    }

    /// Ends it with the disconnect.
    fn end(&self, likeness: Option<&Likeness<'_>>) -> Result<(), CassetteError> {
        match likeness {
            Some(likeness) => likeness.ending(&self.recorder)?,
            None => {
                self.recorder.note(&Entry::new(Method::Disconnect, CONNECTION, None).with(Key::Result, Value::Null))?
            }
        }
        self.recorder.disconnect(CONNECTION)
    }

    fn note(&mut self, line: u64, text: &str) {
        self.done.notes.push(format!("line {line}: {text}"));
    }

    fn of_statement(&self, method: Method) -> Entry {
        Entry::new(method, CONNECTION, Some(self.statement))
    }

    fn query(&mut self, record: &SoftprobeRecord<'_>, path: &Path, line: u64) -> Result<(), CassetteError> {
        self.statement += 1;
        self.done.queries += 1;
        let wrong = |error: serde_json::Error, key: &str| {
            CassetteError::new(path, error.to_string()).at_line(line).at_path(key)
        };
        let (sql, values) = record.asked().map_err(|error| wrong(error, "requestPayload"))?;
        let asked = match numbered(&sql, values.as_deref()) {
            Some(asked) => asked,
            None => {
                self.note(line, "the values do not fit the markers $1, $2, ... of the SQL, which is kept as it is");
                Query { sql, ..Query::default() }
            }
        };
        if asked.unknown {
            let count = asked.params.len();
            self.note(line, &format!("the values of its {count} parameters are not recorded: any values match"));
        }
        let outcome = match record.error.as_ref().map(|error| error.message.as_ref()) {
            None => Fields::new(),
            Some(message) => {
                self.note(line, "the SQLSTATE of the error is not recorded: it becomes HY000");
                let diagnostic = [("sqlstate", "HY000".into()), ("native", Value::Int(1)), ("message", message.into())];
                let diagnostic = Value::Map(diagnostic.map(|(key, value)| (key.to_owned(), value)).into());
                Fields::from([(Key::Return, "SQL_ERROR".into()), (Key::Diagnostics, Value::List(vec![diagnostic]))])
            }
        };
        let failed = !outcome.is_empty();
        self.execution(asked, outcome)?;
        if !failed {
            let reply: Reply = match record.response_payload {
                None => Reply::default(),
                Some(raw) => serde_json::from_str(raw.get()).map_err(|error| wrong(error, "responsePayload"))?,
            };
            self.result(&reply, line)?;
        }
        self.recorder.note(&self.of_statement(Method::Drop).with(Key::Result, Value::Null))
    }

    /// Records that the statement is run, or prepared and executed.
    fn execution(&self, asked: Query, outcome: Fields) -> Result<(), CassetteError> {
        let Query { sql, params, unknown } = asked;
        let prepared = match self.calls.prepares {
            Prepares::Nothing => false,
            Prepares::Parameters => !params.is_empty(),
            Prepares::Everything => true,
        };
        let mut entry = if prepared {
            self.recorder.command(&self.of_statement(Method::Prepare).with(Key::Sql, sql))?;
            self.recorder.note(&self.of_statement(Method::NumParams).with(Key::Result, params.len() as i64))?;
            self.of_statement(Method::Execute)
        } else {
            self.of_statement(Method::Run).with(Key::Sql, sql)
        };
        if unknown {
            let every = (1..=params.len()).map(|number| Value::from(format!("params {number}")));
            entry = entry.with(Key::Params, params.clone()).with(Key::Volatile, Value::List(every.collect()));
        } else if !params.is_empty() {
            entry = entry.with(Key::Params, params);
        }
        self.recorder.command(&outcome.into_iter().fold(entry, |entry, (key, value)| entry.with(key, value)))
    }

    fn result(&mut self, reply: &Reply, line: u64) -> Result<(), CassetteError> {
        let count = reply.row_count.unwrap_or(reply.rows.len() as i64);
        self.recorder.note(&self.of_statement(Method::RowCount).with(Key::Result, count))?;
        if reply.rows.is_empty() && !reply.returns_rows() {
            self.recorder.columns(CONNECTION, self.statement, &Value::List(Vec::new()))?;
        } else {
            self.rows(reply, line)?;
        }
        if self.calls.more_results {
            self.recorder.command(&self.of_statement(Method::MoreResults).with(Key::Result, Value::Null))?;
        }
        Ok(())
    }

    fn rows(&mut self, reply: &Reply, line: u64) -> Result<(), CassetteError> {
        let columns = reply.columns();
        if reply.rows.is_empty() {
            self.note(line, "no rows, so the names of the columns are not recorded: asking for them is refused");
        } else {
            for column in &columns {
                if let Some(doubt) = column.doubt {
                    self.note(line, &format!("column {}: {doubt}", column.name));
                }
            }
            let described = columns.iter().map(Column::described).collect();
            self.recorder.columns(CONNECTION, self.statement, &Value::List(described))?;
        }
        let run = self.recorder.run(CONNECTION, self.statement, true);
        let mut run = run.lock();
        for Row(row) in &reply.rows {
            run.begin_row()?;
            for (number, column) in columns.iter().enumerate() {
                run.c_type(number, "CHAR");
                let value = row.iter().find(|(name, _)| *name == column.name).and_then(|(_, value)| value.cell());
                run.row().set(number, value.as_ref().map_or(Cell::Null, |text| Cell::Text(text.as_bytes())));
            }
        }
        run.end(true)
    }

    /// Notes what no record says.
    fn say_what_is_missing(&mut self, source: &Source, foreign: u64, traces: usize) {
        let notes = &mut self.done.notes;
        if foreign > 0 {
            notes.push(format!("{foreign} records are left out: they are not PostgreSQL queries"));
        }
        if traces > 1 {
            notes.push(format!("the records belong to {traces} traces; they follow one another here"));
        }
        let run = match self.calls.prepares {
            Prepares::Nothing => "run directly",
            Prepares::Parameters => "run directly, or prepared if it has parameters",
            Prepares::Everything => "prepared",
        };
        notes.push(format!(
            "the records do not say on how many connections or in which transactions: all queries are on one, each {run}"
        ));
        notes.push(match &source.like {
            Some(like) => format!(
                "data source, user, and what is asked and answered while connecting come from {}",
                like.name().display()
            ),
            None => {
                let user = source.user.as_ref().map_or_else(|| "no user".to_owned(), |user| format!("the user {user}"));
                format!(
                    "the connection is to {} with {user}, as was asked for; what SQLGetInfo and SQLGetTypeInfo would say is \
                     not recorded: --like takes it from a recording of the program that only connects",
                    source.dsn
                )
            }
        });
    }
}

/// A recording of a program that connects and disconnects.
struct Likeness<'c> {
    cassette: &'c dyn Store,
    contents: Contents,
    /// The entries from the connect up to the ending.
    beginning: Vec<EntryRef>,
    /// The entries from the first end of a transaction, or the disconnect, on.
    ending: Vec<EntryRef>,
    /// The last statement's id.
    statements: u32,
}

impl<'c> Likeness<'c> {
    /// Goes through the recording.
    ///
    /// # Errors
    /// The recording is incomplete or cannot be read, has several connections, or runs a statement.
    fn of(cassette: &'c dyn Store) -> Result<Likeness<'c>, CassetteError> {
        let wrong = |place: EntryRef, problem: &str| {
            let (file, line) = cassette.locate(place);
            CassetteError::new(&file, problem)
                .at_line(line.into())
                .advice("record the program when it connects once, disconnects, and does nothing in between")
        };
        if !cassette.metadata()?.complete {
            return Err(CassetteError::new(cassette.name(), "the recording is incomplete: it did not end cleanly")
                .advice("record again"));
        }
        let (mut beginning, mut ending, mut statements) = (Vec::new(), Vec::new(), 0);
        cassette.scan(&mut |place, head| {
            match head.method {
                Method::Run | Method::Prepare => return Err(wrong(place, "a statement is run here")),
                _ if head.connection != CONNECTION => return Err(wrong(place, "a second connection is made here")),
                _ => {}
            }
            let ends = matches!(head.method, Method::Commit | Method::Rollback | Method::Disconnect);
            let part = if ends || !ending.is_empty() { &mut ending } else { &mut beginning };
            part.push(place);
            statements = statements.max(head.statement.unwrap_or(0));
            Ok(())
        })?;
        Ok(Likeness { cassette, contents: cassette.contents()?, beginning, ending, statements })
    }

    /// Copies how the connection begins, with its answers.
    fn beginning(&self, to: &dyn Store) -> Result<(), CassetteError> {
        let mut copy = Copy::of(self.cassette, to, &self.contents);
        copy.answers(CONNECTION)?;
        self.beginning.iter().try_for_each(|place| copy.entry(*place))
    }

    /// Records how the connection ends.
    fn ending(&self, recorder: &Recorder) -> Result<(), CassetteError> {
        for place in &self.ending {
            let entry: Entry = self.cassette.entry(*place)?;
            match entry.method.class() {
                Class::Command => recorder.command(&entry)?,
                _ => recorder.note(&entry)?,
            }
        }
        Ok(())
    }
}
