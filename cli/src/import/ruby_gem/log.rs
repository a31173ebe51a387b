//! Reads the gem's `commands.yml` in any of its three versions into one list of commands with their rows.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use super8_cassette::directory::{COMMANDS, GEM_CONNECTION, member_path};
use super8_cassette::yaml::{Items, parse_tagged, read_document};
use super8_cassette::{CassetteError, ConnectionId, Method, Value};

use super::column::Column;
use super::rows;
use super::rows::{Fetched, bytes, field};

/// The gem's recording.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) commands: Vec<Command>,
    /// What has no place in a cassette of today, and what was assumed.
    pub(super) notes: Notes,
}

/// A command, on its connection and the connection's n-th statement.
#[derive(Debug)]
pub(super) struct Command {
    /// Its place in `commands.yml`; line 1 for the connection of version 1.
    pub(super) file: PathBuf,
    pub(super) line: u32,
    pub(super) connection: ConnectionId,
    /// From 1; 0 for a connect.
    pub(super) statement: u32,
    pub(super) action: Action,
}

/// What the command did.
#[derive(Debug)]
pub(super) enum Action {
    Connect {
        dsn: String,
        described: Vec<(String, Value)>,
    },
    Run {
        sql: String,
        params: Vec<Value>,
    },
    Columns(Vec<Column>),
    Rows(Fetched),
    /// `close`, `cancel`, `drop`.
    Housekeeping(Method),
}

impl Command {
    /// Makes an error at this command.
    pub(super) fn error(&self, problem: impl Into<String>) -> CassetteError {
        CassetteError::new(&self.file, problem).at_line(self.line.into())
    }
}

impl Log {
    /// Reads `commands.yml`, `connection.yml` and the files of rows.
    ///
    /// # Errors
    /// Something cannot be read. The error has file and line.
    pub(super) fn read(directory: &Path, schema: i64) -> Result<Log, CassetteError> {
        let file = directory.join(COMMANDS);
        let log = Log { commands: Vec::new(), notes: Notes::default() };
        let mut reading = Reading {
            directory,
            file: file.clone(),
            log,
            connections: 0,
            known: HashMap::new(),
            single: None,
            named: HashSet::new(),
        };
        if schema == 1 {
            reading.connection_file(&directory.join(GEM_CONNECTION))?;
        }
        let opened = fs::File::open(&file).map_err(|error| CassetteError::io(&file, "open", &error))?;
        let (mut items, mut bytes) = (Items::new(opened, &file), Vec::new());
        while let Some(item) = items.next(&mut bytes)? {
            let value = parse_tagged(&bytes, &file, item.line)?;
            reading.item(Item { value, file: &file, line: item.line })?;
        }
        Ok(reading.log)
    }
}

/// How many statements a note names before it only counts the rest.
const NAMED: usize = 3;

/// Notes in the order in which they first came up.
#[derive(Clone, Debug, Default)]
pub(super) struct Notes(Vec<(String, Vec<(ConnectionId, u32)>)>);

impl Notes {
    /// Adds a note, optionally about a statement; statement 0 is the connection itself.
    pub(super) fn add(&mut self, on: Option<(ConnectionId, u32)>, text: impl Into<String>) {
        let text = text.into();
        let at = self.0.iter().position(|(known, _)| *known == text).unwrap_or_else(|| {
            self.0.push((text, Vec::new()));
            self.0.len() - 1
        });
        if let Some(on) = on.filter(|on| !self.0[at].1.contains(on)) {
            self.0[at].1.push(on);
        }
    }

    /// Returns a line for each note: `a/1, a/3: ...`.
    pub(super) fn lines(&self) -> Vec<String> {
        let line = |(text, on): &(String, Vec<(ConnectionId, u32)>)| {
            let place = |(connection, statement): &(ConnectionId, u32)| match statement {
                0 => connection.to_string(),
                statement => format!("{connection}/{statement}"),
            };
            let mut places: Vec<String> = on.iter().take(NAMED).map(place).collect();
            if on.len() > NAMED {
                places.push(format!("and {} more", on.len() - NAMED));
            }
            if places.is_empty() {
                text.clone()
            } else {
                format!("{}: {text}", places.join(", ").replace(", and", " and"))
            }
        };
        self.0.iter().map(line).collect()
    }
}

/// The state of reading.
struct Reading<'d> {
    directory: &'d Path,
    file: PathBuf,
    log: Log,
    connections: u32,
    /// The connections by the gem's ids, with their statements by the gem's ids.
    known: HashMap<String, (ConnectionId, HashMap<String, u32>)>,
    /// The connect of version 1, which is repeated if the numbers of statements begin anew.
    single: Option<Action>,
    /// The files of rows that were named so far.
    named: HashSet<String>,
}

/// The id under which version 1's connection is known.
const SINGLE: &str = "";

impl Reading<'_> {
    fn connection_file(&mut self, path: &Path) -> Result<(), CassetteError> {
        let bytes = fs::read(path).map_err(|error| CassetteError::io(path, "read", &error))?;
        let item = Item { value: read_document(&bytes, path)?, file: path, line: 1 };
        let dsn = item.text("dsn")?.to_owned();
        let described = self.described(&item.value, &["dsn"]);
        self.connect(SINGLE, Action::Connect { dsn: dsn.clone(), described: described.clone() }, path, 1);
        self.single = Some(Action::Connect { dsn, described });
        Ok(())
    }

    /// Returns what a connect says of the connection, and notes other keys; `known` are keys that were read already.
    fn described(&mut self, of: &Value, known: &[&str]) -> Vec<(String, Value)> {
        let Value::Map(pairs) = of else { return Vec::new() };
        let (described, other): (Vec<_>, Vec<_>) = pairs
            .iter()
            .filter(|(key, value)| !known.contains(&key.as_str()) && *value != Value::Null)
            .cloned()
            .partition(|(key, value)| {
                matches!(key.as_str(), "server" | "database" | "user_hash" | "schema") && value.as_text().is_some()
            });
        for (key, _) in other {
            self.log.notes.add(None, format!("`{key}` of a connect is not kept: a cassette has no place for it"));
        }
        described
    }

    fn connect(&mut self, id: &str, action: Action, file: &Path, line: u32) {
        let connection = ConnectionId(self.connections);
        self.connections += 1;
        self.known.insert(id.to_owned(), (connection, HashMap::new()));
        self.log.commands.push(Command { file: file.to_owned(), line, connection, statement: 0, action });
    }

    fn item(&mut self, item: Item<'_>) -> Result<(), CassetteError> {
        let method = item.text("method")?;
        let id = if self.single.is_some() { SINGLE } else { item.text("connection_id")? }.to_owned();
        if method == "connect" && self.single.is_none() {
            if self.known.contains_key(&id) {
                return Err(item.error("connection_id", format!("`{id}` is connected twice")));
            }
            let mut described = self.described(&item.value, &["method", "connection_id", "dsn", "result"]);
            if let Some(result) = item.value.get("result") {
                described.extend(self.described(result, &[]));
            }
            let action = Action::Connect { dsn: item.text("dsn")?.to_owned(), described };
            self.connect(&id, action, item.file, item.line);
            return Ok(());
        }
        let action = match method {
            "run" => Action::Run { sql: item.text("sql")?.to_owned(), params: item.params()? },
            "columns" => Action::Columns(item.columns()?),
            "fetch_all" | "fetch_many" | "fetch" | "fetch_hash" | "each_hash" => {
                Action::Rows(self.fetched(method, &item)?)
            }
            "close" => Action::Housekeeping(Method::Close),
            "cancel" => Action::Housekeeping(Method::Cancel),
            "drop" => Action::Housekeeping(Method::Drop),
            other => {
                let error = item.error("method", format!("`{other}` is not a method that the super8 gem records"));
                return Err(error.advice("record again with super8 itself"));
            }
        };
        let (connection, statement) = self.statement(&id, &item, matches!(action, Action::Run { .. }))?;
        self.log.commands.push(Command { file: self.file.clone(), line: item.line, connection, statement, action });
        Ok(())
    }

    /// Returns the connection and the statement's number that an item is about. A `run` (`begins`) makes a new
    /// statement.
    fn statement(&mut self, id: &str, item: &Item<'_>, begins: bool) -> Result<(ConnectionId, u32), CassetteError> {
        let named = match item.value.get("statement_id") {
            Some(Value::Text(name)) => name.clone(),
            Some(Value::Int(number)) => number.to_string(),
            _ => return Err(item.error("statement_id", "is neither a number nor a name")),
        };
        let again = self.known.get(id).is_some_and(|(_, statements)| begins && statements.contains_key(&named));
        if let (true, Some(Action::Connect { dsn, described })) = (again, &self.single) {
            // in version 1 each connection numbers its own statements, and only the last data source was written
            let action = Action::Connect { dsn: dsn.clone(), described: described.clone() };
            self.connect(id, action, item.file, item.line);
            let connection = ConnectionId(self.connections - 1);
            self.log.notes.add(
                Some((connection, 0)),
                "statements begin anew, so the program connected again: to the same data source, as far as is recorded",
            );
        } else if again {
            return Err(item.error("statement_id", format!("statement {named} is run twice")));
        }
        let Some((connection, statements)) = self.known.get_mut(id) else {
            return Err(item.error("connection_id", format!("`{id}` was never connected")));
        };
        if begins {
            let number = statements.len() as u32 + 1;
            statements.insert(named, number);
            return Ok((*connection, number));
        }
        match statements.get(&named) {
            Some(number) => Ok((*connection, *number)),
            None => Err(item.error("statement_id", format!("statement {named} was never run"))),
        }
    }

    fn fetched(&mut self, method: &str, item: &Item<'_>) -> Result<Fetched, CassetteError> {
        match method {
            "fetch" | "fetch_hash" => match item.value.get("result") {
                None | Some(Value::Null) => Ok(Fetched { ended: true, ..Fetched::default() }),
                Some(row) => item.rows(std::slice::from_ref(row), "result"),
            },
            "each_hash" => {
                let (bytes, path) = self.file_of_rows(item)?;
                let rows = read_document(&bytes, &path)?;
                let file = Item { value: Value::Null, file: &path, line: 1 };
                let rows = rows.as_list().ok_or_else(|| file.error("", "is not a list of rows"))?;
                Ok(Fetched { ended: true, ..file.rows(rows, "")? })
            }
            _ => {
                let n = item.value.get("n").and_then(Value::as_int);
                let rows = match item.value.get("rows_file") {
                    None | Some(Value::Null) => Vec::new(),
                    Some(_) => {
                        let (bytes, path) = self.file_of_rows(item)?;
                        rows::read(&bytes, &path)?
                    }
                };
                // ruby-odbc fetches until it has `n` rows, or there are no more
                let ended = method == "fetch_all" || n.is_some_and(|n| (rows.len() as i64) < n);
                Ok(Fetched { rows, names: None, ended })
            }
        }
    }

    fn file_of_rows(&mut self, item: &Item<'_>) -> Result<(Vec<u8>, PathBuf), CassetteError> {
        let name = item.text("rows_file")?;
        if !self.named.insert(name.to_owned()) {
            let problem =
                format!("{name} has the rows of an earlier command, too: the gem wrote the later ones over them");
            return Err(item.error("rows_file", problem));
        }
        let path = member_path(self.directory, name)?;
        let bytes = fs::read(&path).map_err(|error| CassetteError::io(&path, "read", &error))?;
        Ok((bytes, path))
    }
}

/// An item, with its place for errors.
pub(super) struct Item<'f> {
    pub(super) value: Value,
    pub(super) file: &'f Path,
    pub(super) line: u32,
}

impl Item<'_> {
    /// Makes an error at a key of the item.
    pub(super) fn error(&self, key: &str, problem: impl Into<String>) -> CassetteError {
        CassetteError::new(self.file, problem)
            .at_line(self.line.into())
            .at_path(key)
            .advice("correct it, or record again")
    }

    /// Returns a text that has to be there.
    pub(super) fn text(&self, key: &str) -> Result<&str, CassetteError> {
        match self.value.get(key) {
            Some(Value::Text(text)) => Ok(text),
            None => Err(self.error("", format!("the key `{key}` is missing"))),
            Some(_) => Err(self.error(key, "is not text")),
        }
    }

    /// Returns the values of a `run`, as ruby-odbc binds them.
    pub(super) fn params(&self) -> Result<Vec<Value>, CassetteError> {
        let params = match self.value.get("params") {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(params) => params.as_list().ok_or_else(|| self.error("params", "is not a list"))?,
        };
        let of = |(at, param): (usize, &Value)| match param {
            Value::Null | Value::Int(_) | Value::Float(_) | Value::Text(_) => Ok(param.clone()),
            Value::Map(_) => match bytes(param).map(String::from_utf8) {
                Some(Ok(text)) => Ok(Value::Text(text)),
                _ => Err(self.error(&format!("params[{at}]"), "is a Ruby object, of which the gem kept no value")),
            },
            Value::Bool(_) | Value::List(_) => {
                Err(self.error(&format!("params[{at}]"), "is not a value that ruby-odbc can bind"))
            }
        };
        params.iter().enumerate().map(of).collect()
    }

    /// Reads the columns of a result from a list, or a hash by their names.
    pub(super) fn columns(&self) -> Result<Vec<Column>, CassetteError> {
        let wrong = |problem: String| self.error("result", problem);
        match self.value.get("result") {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::List(columns)) => {
                columns.iter().map(|column| Column::of(column, None).map_err(wrong)).collect()
            }
            Some(Value::Map(columns)) => {
                columns.iter().map(|(name, column)| Column::of(column, Some(name)).map_err(wrong)).collect()
            }
            Some(_) => Err(self.error("result", "is neither a list nor a hash of columns")),
        }
    }

    /// Reads rows in YAML, as lists of cells or as hashes.
    pub(super) fn rows(&self, rows: &[Value], key: &str) -> Result<Fetched, CassetteError> {
        let mut fetched = Fetched::default();
        for row in rows {
            let cells: Vec<&Value> = match row {
                Value::List(cells) => cells.iter().collect(),
                Value::Map(pairs) => {
                    fetched.names.get_or_insert_with(|| pairs.iter().map(|(name, _)| name.clone()).collect());
                    pairs.iter().map(|(_, cell)| cell).collect()
                }
                _ => return Err(self.error(key, "is not a row: neither a list nor a hash")),
            };
            let field = |cell: &&Value| field(cell).ok_or_else(|| self.error(key, "has a cell that is not a value"));
            fetched.rows.push(cells.iter().map(field).collect::<Result<_, _>>()?);
        }
        Ok(fetched)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_said_once() {
        let mut notes = Notes::default();
        notes.add(None, "one");
        (1..=2000).for_each(|statement| notes.add(Some((ConnectionId(0), statement)), "two"));
        notes.add(Some((ConnectionId(1), 0)), "three");
        assert_eq!(notes.lines(), ["one", "a/1, a/2, a/3 and 1997 more: two", "b: three"]);
    }
}
