//! Cassettes of the super8 gem, which recorded ruby-odbc: read in their three versions, and made into cassettes of today.
//!
//! | version | what tells it |
//! | --- | --- |
//! | 1 | `connection.yml`; statements are `stmt_0`, `stmt_1`, ...; rows in `rows_0.csv` |
//! | 2 | `connect` is a command, and every command has a `connection_id`; rows in `a_1_fetch_all.csv` |
//! | 3 | the same with `metadata.yml` |
//!
//! The gem recorded what Ruby methods were called and returned. What the calls of ODBC behind them said is derived from that
//! as ruby-odbc makes them, or left unknown; docs/cassette-format.md says which. What was derived is in the notes.

mod column;
mod csv;
mod item;
mod log;
mod notes;
mod statements;
mod typed;
mod write;

use std::fs;
use std::io::{ErrorKind, Read};
use std::path::Path;

use crate::directory::names::{COMMANDS, METADATA};
use crate::metadata::{MIGRATED_FROM, SCHEMA_VERSION, newer};
use crate::player::report::shell;
use crate::{Cassette, CassetteError, Metadata, Recorder, Value, yaml};

/// The file in which version 1 keeps its connection.
const CONNECTION: &str = "connection.yml";

/// A cassette of the gem.
#[derive(Debug)]
pub struct GemCassette {
    /// The version of its schema: 1, 2 or 3.
    pub schema: i64,
    /// The metadata of the cassette that is made of it.
    pub metadata: Metadata,
    log: log::Log,
}

/// What was left of a cassette's meaning to be derived.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Migrated {
    /// Commands of the gem's.
    pub commands: usize,
    /// What the gem did not record, and what is answered in its place: a line each, for people.
    pub notes: Vec<String>,
}

impl GemCassette {
    /// Reads the cassette in a directory.
    ///
    /// # Errors
    /// No cassette of the gem's; something that cannot be read, with file and line.
    pub fn read(directory: &Path) -> Result<GemCassette, CassetteError> {
        let said = metadata(directory)?;
        let schema = match schema(directory, said.as_ref())? {
            Some(schema @ 1..=3) => schema,
            Some(SCHEMA_VERSION) => {
                return Err(CassetteError::new(directory, "is up to date: there is nothing to bring up"));
            }
            Some(schema) if schema > SCHEMA_VERSION => return Err(newer(schema, &directory.join(METADATA))),
            Some(schema) => {
                let problem = format!("the super8 gem has no schema {schema}: its cassettes have 1 to 3");
                return Err(CassetteError::new(&directory.join(METADATA), problem).at_path("schema_version"));
            }
            None => {
                return Err(CassetteError::new(directory, "is no cassette of the super8 gem: commands.yml is missing")
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
        Ok(GemCassette { schema, metadata, log: log::Log::read(directory, schema)? })
    }

    /// Makes a cassette of it: `to` was made with [`GemCassette::metadata`].
    ///
    /// # Errors
    /// Something that cannot be brought up, with file and line; a target that cannot be written.
    pub fn write(&self, to: Box<dyn Cassette>) -> Result<Migrated, CassetteError> {
        let statements = statements::Statements::of(&self.log)?;
        let recorder = Recorder::with_storage(to, self.metadata.order, 1);
        write::Writing::new(&recorder, &self.log, &statements).write()
    }
}

/// What to do with a cassette of an earlier schema: the command to type.
pub(crate) fn advice(directory: &Path) -> String {
    format!("bring it up with `super8 migrate --apply {}`", shell(&directory.to_string_lossy()))
}

/// Whether a directory without `metadata.yml` holds a cassette of the gem's: Ruby's YAML begins with `---`, and super8's does not.
pub(crate) fn wrote(directory: &Path) -> bool {
    let mut start = [0; 3];
    let log = fs::File::open(directory.join(COMMANDS)).and_then(|mut log| log.read_exact(&mut start));
    directory.join(CONNECTION).is_file() || (log.is_ok() && start == *b"---")
}

/// The version that the files show; `None` if there is no log.
fn schema(directory: &Path, metadata: Option<&Value>) -> Result<Option<i64>, CassetteError> {
    match metadata.map(|metadata| metadata.get("schema_version").and_then(Value::as_int)) {
        Some(None) => {
            let problem = "is not a number";
            Err(CassetteError::new(&directory.join(METADATA), problem).at_path("schema_version"))
        }
        _ if !directory.join(COMMANDS).is_file() => Ok(None),
        Some(schema) => Ok(schema),
        None => Ok(Some(if directory.join(CONNECTION).is_file() { 1 } else { 2 })),
    }
}

/// `metadata.yml`, if there is one.
fn metadata(directory: &Path) -> Result<Option<Value>, CassetteError> {
    let path = directory.join(METADATA);
    match fs::read(&path) {
        Ok(bytes) => yaml::read_document(&bytes, &path).map(Some),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(CassetteError::io(&path, "read", &error)),
    }
}
