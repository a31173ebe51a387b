//! Turns cassettes of the super8 gem, which recorded ruby-odbc, into cassettes of today. [`GemCassette`] reads all
//! three versions.
//!
//! | version | what tells it |
//! | --- | --- |
//! | 1 | `connection.yml`; statements are `stmt_0`, `stmt_1`, ...; rows in `rows_0.csv` |
//! | 2 | `connect` is a command, and every command has a `connection_id`; rows in `a_1_fetch_all.csv` |
//! | 3 | the same with `metadata.yml` |
//!
//! The gem recorded which Ruby methods were called and what they returned. The ODBC calls and their replies are derived
//! from that, as ruby-odbc makes these calls, or left unknown; docs/cassette-format.md says which. The notes say what
//! was derived.

mod column;
mod log;
mod rows;
mod statements;

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use super8_cassette::directory::{COMMANDS, GEM_CONNECTION, METADATA};
use super8_cassette::metadata::{MIGRATED_FROM, Metadata, SCHEMA_VERSION, newer};
use super8_cassette::{CassetteError, Cell, ConnectionId, Entry, Key, Method, Recorder, Run, Store, Value, yaml};

use log::{Action, Command, Log};
use rows::Fetched;
use statements::Statements;

/// A cassette of the gem.
#[derive(Debug)]
pub struct GemCassette {
    /// The version of its schema: 1, 2 or 3.
    pub schema: i64,
    /// The metadata of the cassette that is made of it.
    pub metadata: Metadata,
    log: Log,
}

/// What the migration of a cassette did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Migrated {
    /// The number of the gem's commands.
    pub commands: usize,
    /// What the gem did not record, and what is answered in its place: a line each, for people.
    pub notes: Vec<String>,
}

impl GemCassette {
    /// Reads the cassette in a directory.
    ///
    /// # Errors
    /// It is no cassette of the gem, or something cannot be read. The error has file and line.
    pub fn read(directory: &Path) -> Result<GemCassette, CassetteError> {
        let said = metadata(directory)?;
        let schema = match schema(directory, said.as_ref())? {
            Some(schema @ 1..=3) => schema,
            Some(SCHEMA_VERSION) => {
                return Err(CassetteError::new(directory, "is up to date: there is nothing to migrate"));
            }
            Some(schema) if schema > SCHEMA_VERSION => return Err(newer(schema, &directory.join(METADATA))),
            Some(schema) => {
                let problem = format!("the super8 gem has no schema {schema}: its cassettes have 1 to 3");
                return Err(CassetteError::new(&directory.join(METADATA), problem).at_path("schema_version"));
            }
            None => {
                return Err(CassetteError::new(
                    directory,
                    "is not a cassette of the super8 gem: commands.yml is missing",
                )
                .advice("name the cassette's own directory"));
            }
        };
        let text =
            |key: &str| said.as_ref().and_then(|said| said.get(key)).and_then(Value::as_text).unwrap_or_default();
        let recorded_with = format!("super8 gem {}", text("recorded_with"));
        let metadata = Metadata {
            recorded_with: recorded_with.trim_end().to_owned(),
            recorded_on: text("recorded_on").to_owned(),
            more: vec![(MIGRATED_FROM.to_owned(), schema.into())],
            ..Metadata::now(None, None)
        };
        Ok(GemCassette { schema, metadata, log: Log::read(directory, schema)? })
    }

    /// Writes it as a cassette of today into `to`, which was created with [`GemCassette::metadata`].
    ///
    /// # Errors
    /// Something cannot be migrated (with file and line), or the target cannot be written.
    pub fn write(&self, to: Box<dyn Store>) -> Result<Migrated, CassetteError> {
        let statements = Statements::of(&self.log)?;
        let recorder = Recorder::with_store(to, self.metadata.order, 1);
        Writing::new(&recorder, &self.log, &statements).write()
    }
}

/// Returns the version that the files show; `None` if there is no log.
fn schema(directory: &Path, metadata: Option<&Value>) -> Result<Option<i64>, CassetteError> {
    match metadata.map(|metadata| metadata.get("schema_version").and_then(Value::as_int)) {
        Some(None) => {
            let problem = "is not a number";
            Err(CassetteError::new(&directory.join(METADATA), problem).at_path("schema_version"))
        }
        _ if !directory.join(COMMANDS).is_file() => Ok(None),
        Some(schema) => Ok(schema),
        None => Ok(Some(if directory.join(GEM_CONNECTION).is_file() { 1 } else { 2 })),
    }
}

/// Reads `metadata.yml`, if there is one.
fn metadata(directory: &Path) -> Result<Option<Value>, CassetteError> {
    let path = directory.join(METADATA);
    match fs::read(&path) {
        Ok(bytes) => yaml::read_document(&bytes, &path).map(Some),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(CassetteError::io(&path, "read", &error)),
    }
}

/// The note on what no cassette of the gem has.
const NEVER_RECORDED: &str = "the gem recorded no errors, no counts of rows and no answers about the driver: every statement \
                              succeeds, SQLRowCount gives -1, and of the driver only what super8 answers for any is known";

/// The state of writing.
struct Writing<'w> {
    recorder: &'w Arc<Recorder>,
    log: &'w Log,
    statements: &'w Statements,
    /// The runs of rows that may still continue, by statement.
    runs: HashMap<(ConnectionId, u32), Run>,
    /// Statements from which something was fetched.
    fetched: HashSet<(ConnectionId, u32)>,
}

impl<'w> Writing<'w> {
    fn new(recorder: &'w Arc<Recorder>, log: &'w Log, statements: &'w Statements) -> Self {
        Writing { recorder, log, statements, runs: HashMap::new(), fetched: HashSet::new() }
    }

    /// Writes everything and publishes the cassette.
    fn write(mut self) -> Result<Migrated, CassetteError> {
        let last: HashMap<ConnectionId, usize> =
            self.log.commands.iter().enumerate().map(|(at, command)| (command.connection, at)).collect();
        for (at, command) in self.log.commands.iter().enumerate() {
            self.command(command)?;
            if last.get(&command.connection) == Some(&at) {
                // the gem connects with a block, and closes the connection at the block's end
                let disconnect = Entry::new(Method::Disconnect, command.connection, None);
                self.recorder.note(&disconnect.with(Key::Result, Value::Null))?;
            }
        }
        for connection in 0..last.len() as u32 {
            self.recorder.disconnect(ConnectionId(connection))?;
        }
        let mut notes = self.statements.notes.clone();
        notes.add(None, NEVER_RECORDED);
        Ok(Migrated { commands: self.log.commands.len(), notes: notes.lines() })
    }

    fn command(&mut self, command: &Command) -> Result<(), CassetteError> {
        let Command { connection, statement, action, .. } = command;
        let entry = |method: Method| Entry::new(method, *connection, Some(*statement));
        match action {
            Action::Connect { dsn, described } => {
                let connect = Entry::new(Method::Connect, self.recorder.connection(), None);
                // ruby-odbc calls the ANSI functions
                let connect = connect.with(Key::Dsn, dsn.as_str()).with(Key::Kind, "ansi");
                self.recorder.command(&connect.with(Key::Result, Value::Map(described.clone())))
            }
            Action::Run { sql, params } => {
                match params.is_empty() {
                    true => self.recorder.command(&entry(Method::Run).with(Key::Sql, sql.as_str()))?,
                    false => {
                        self.recorder.command(&entry(Method::Prepare).with(Key::Sql, sql.as_str()))?;
                        self.recorder.command(&entry(Method::Execute).with(Key::Params, params.clone()))?;
                    }
                }
                let known = self.statements.get(*connection, *statement);
                let columns = known.and_then(|statement| statement.columns.as_ref());
                columns.map_or(Ok(()), |columns| self.recorder.columns(*connection, *statement, columns))
            }
            // already written with the `run`: ruby-odbc asks for types at once
            Action::Columns(_) => Ok(()),
            Action::Rows(fetched) => self.rows(*connection, *statement, fetched),
            Action::Housekeeping(method) => self.recorder.note(&entry(*method).with(Key::Result, Value::Null)),
        }
    }

    fn rows(&mut self, connection: ConnectionId, statement: u32, fetched: &Fetched) -> Result<(), CassetteError> {
        let key = (connection, statement);
        let types =
            self.statements.get(connection, statement).map(|statement| &statement.types[..]).unwrap_or_default();
        if types.is_empty() {
            // ruby-odbc fetches nothing from a result without columns
            return Ok(());
        }
        if !self.runs.get(&key).is_some_and(|run| run.lock().is_open()) {
            let first = self.fetched.insert(key);
            self.runs.insert(key, self.recorder.run(connection, statement, first));
        }
        let Some(run) = self.runs.get(&key) else { return Ok(()) };
        let mut run = run.lock();
        for row in &fetched.rows {
            run.begin_row()?;
            for (at, (field, sql_type)) in row.iter().zip(types).enumerate() {
                let text = field.as_ref().and_then(|field| rows::cell(*sql_type, field));
                run.row().set(at, text.as_deref().map_or(Cell::Null, Cell::Text));
                run.c_type(at, "CHAR");
            }
        }
        if fetched.ended { run.end(true) } else { Ok(()) }
    }
}
