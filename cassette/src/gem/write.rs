//! The gem's commands as ruby-odbc's calls, handed to a recorder as if they were being made.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::Migrated;
use super::log::{Command, Deed, Fetched, Log};
use super::statements::Statements;
use super::typed;
use crate::{CassetteError, Cell, ConnectionId, Entry, Method, Recorder, Run, Value};

/// What no cassette of the gem says.
const NEVER_RECORDED: &str = "the gem recorded no errors, no counts of rows and no answers about the driver: every statement \
                              succeeds, SQLRowCount gives -1, and of the driver only what super8 answers for any is known";

/// A recording under way.
pub(super) struct Writing<'w> {
    recorder: &'w Arc<Recorder>,
    log: &'w Log,
    statements: &'w Statements,
    /// Rows of statements that may go on.
    runs: HashMap<(ConnectionId, u32), Run>,
    /// Statements of which something was fetched.
    fetched: HashSet<(ConnectionId, u32)>,
}

impl<'w> Writing<'w> {
    pub(super) fn new(recorder: &'w Arc<Recorder>, log: &'w Log, statements: &'w Statements) -> Self {
        Writing { recorder, log, statements, runs: HashMap::new(), fetched: HashSet::new() }
    }

    /// Writes all of it and publishes the cassette.
    pub(super) fn write(mut self) -> Result<Migrated, CassetteError> {
        let last: HashMap<ConnectionId, usize> =
            self.log.commands.iter().enumerate().map(|(at, command)| (command.connection, at)).collect();
        for (at, command) in self.log.commands.iter().enumerate() {
            self.command(command)?;
            if last.get(&command.connection) == Some(&at) {
                // the gem connects with a block, at whose end the connection is closed
                let disconnect = Entry::new(Method::Disconnect, command.connection, None);
                self.recorder.note(&disconnect.with("result", Value::Null))?;
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
        let Command { connection, statement, deed, .. } = command;
        let entry = |method: Method| Entry::new(method, *connection, Some(*statement));
        match deed {
            Deed::Connect { dsn, told } => {
                let connect = Entry::new(Method::Connect, self.recorder.connection(), None);
                // ruby-odbc's `odbc` calls the ANSI functions
                let connect = connect.with("dsn", dsn.as_str()).with("kind", "ansi");
                self.recorder.command(&connect.with("result", Value::Map(told.clone())))
            }
            Deed::Run { sql, params } => {
                match params.is_empty() {
                    true => self.recorder.command(&entry(Method::Run).with("sql", sql.as_str()))?,
                    false => {
                        self.recorder.command(&entry(Method::Prepare).with("sql", sql.as_str()))?;
                        self.recorder.command(&entry(Method::Execute).with("params", params.clone()))?;
                    }
                }
                let known = self.statements.get(*connection, *statement);
                let columns = known.and_then(|statement| statement.columns.as_ref());
                columns.map_or(Ok(()), |columns| self.recorder.columns(*connection, *statement, columns))
            }
            // said when it was run: ruby-odbc asks for types at once
            Deed::Columns(_) => Ok(()),
            Deed::Rows(fetched) => self.rows(*connection, *statement, fetched),
            Deed::Housekeeping(method) => self.recorder.note(&entry(*method).with("result", Value::Null)),
        }
    }

    fn rows(&mut self, connection: ConnectionId, statement: u32, fetched: &Fetched) -> Result<(), CassetteError> {
        let key = (connection, statement);
        let types =
            self.statements.get(connection, statement).map(|statement| &statement.types[..]).unwrap_or_default();
        if types.is_empty() {
            // ruby-odbc fetches nothing from what has no columns
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
                let text = field.as_ref().and_then(|field| typed::cell(*sql_type, field));
                run.row().set(at, text.as_deref().map_or(Cell::Null, Cell::Text));
                run.c_type(at, "CHAR");
            }
        }
        if fetched.ended { run.end(true) } else { Ok(()) }
    }
}
