//! Determines the columns of each statement's result: as the gem recorded them, or as the rows show them.

use std::collections::HashMap;

use super8_cassette::{CassetteError, ConnectionId, Value};

use super::column::Column;
use super::log::{Action, Command, Log, Notes};
use super::rows::Fetched;
use super::rows::{self, VARCHAR};

/// A statement's columns.
#[derive(Debug, Default)]
pub(super) struct Statement {
    /// The columns as a columns file has them; `None` if nobody asked and nothing was fetched.
    pub(super) columns: Option<Value>,
    /// Their types; empty if there is no result.
    pub(super) types: Vec<i64>,
}

/// All statements of a cassette.
#[derive(Debug)]
pub(super) struct Statements {
    known: HashMap<(ConnectionId, u32), Statement>,
    pub(super) notes: Notes,
}

/// What the gem recorded of a statement.
#[derive(Default)]
struct Recorded<'l> {
    columns: Option<&'l [Column]>,
    fetched: Vec<(&'l Command, &'l Fetched)>,
}

impl Statements {
    /// Goes through a log.
    ///
    /// # Errors
    /// Rows do not fit their columns. The error has file and line.
    pub(super) fn of(log: &Log) -> Result<Statements, CassetteError> {
        let mut recorded: HashMap<_, Recorded<'_>> = HashMap::new();
        let mut order = Vec::new();
        for command in &log.commands {
            let key = (command.connection, command.statement);
            let of = recorded.entry(key).or_default();
            match &command.action {
                Action::Run { .. } => order.push(key),
                Action::Columns(columns) => _ = of.columns.get_or_insert(columns),
                Action::Rows(fetched) => of.fetched.push((command, fetched)),
                Action::Connect { .. } | Action::Housekeeping(_) => {}
            }
        }
        let mut statements = Statements { known: HashMap::new(), notes: log.notes.clone() };
        for key in order {
            let statement = statements.statement(key, &recorded[&key])?;
            statements.known.insert(key, statement);
        }
        Ok(statements)
    }

    /// Returns what is known of a statement that was run.
    pub(super) fn get(&self, connection: ConnectionId, statement: u32) -> Option<&Statement> {
        self.known.get(&(connection, statement))
    }

    fn statement(&mut self, key: (ConnectionId, u32), of: &Recorded<'_>) -> Result<Statement, CassetteError> {
        let rows = || of.fetched.iter().flat_map(|(_, fetched)| &fetched.rows);
        let shown: Vec<Column> = match (of.columns, rows().next()) {
            (Some(columns), _) => columns.to_vec(),
            (None, None) if of.fetched.is_empty() => return Ok(Statement::default()),
            (None, None) => {
                self.notes.add(
                    Some(key),
                    "neither columns nor rows are recorded: its result has one column, of which nothing can be asked but its \
                     type (VARCHAR)",
                );
                vec![Column::default()]
            }
            (None, Some(row)) => {
                let names = of.fetched.iter().find_map(|(_, fetched)| fetched.names.as_ref());
                self.notes.add(
                    Some(key),
                    "columns are not recorded: as many as the rows have, all VARCHAR; asking for anything else of them is refused",
                );
                let name = |at: usize| names.and_then(|names| names.get(at)).map(String::as_str);
                (0..row.len()).map(|at| Column::named(name(at))).collect()
            }
        };
        for (command, fetched) in &of.fetched {
            if let Some(row) = fetched.rows.iter().find(|row| row.len() != shown.len()) {
                let problem = format!("a row has {} cells, where there are {} columns", row.len(), shown.len());
                return Err(command.error(problem).advice("correct it, or record again"));
            }
        }
        if of.columns.is_some() {
            let unknown: Vec<&str> = shown.first().map(|column| column.unknown().collect()).unwrap_or_default();
            if !unknown.is_empty() {
                let unknown = unknown.join(", ");
                self.notes.add(Some(key), format!("not recorded of its columns: {unknown}; asking for it is refused"));
            }
        }
        let cells = |at: usize| rows().filter_map(move |row| row[at].as_deref());
        let mut statement = Statement::default();
        let mut described = Vec::new();
        for (at, column) in shown.iter().enumerate() {
            let longest = cells(at).map(<[u8]>::len).max().unwrap_or(0);
            let mut sql_type = column.type_or_text();
            if let Some(odd) = cells(at).find(|cell| rows::cell(sql_type, cell).is_none()) {
                let name = column.name.clone().unwrap_or_else(|| (at + 1).to_string());
                let odd = String::from_utf8_lossy(odd);
                self.notes.add(
                    Some(key),
                    format!(
                        "column {name} has type {sql_type}, but ruby-odbc never gives `{odd}` for it: it is a VARCHAR"
                    ),
                );
                sql_type = VARCHAR;
            }
            if cells(at).any(|cell| cell.contains(&b'?')) {
                self.notes.add(Some(key), "a `?` in its rows may stand for a character that the gem could not write");
            }
            described.push(column.described(sql_type, longest));
            statement.types.push(sql_type);
        }
        statement.columns = Some(Value::List(described));
        Ok(statement)
    }
}
