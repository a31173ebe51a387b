//! Lists what was recorded and the program did not ask for.

use crate::log::cursor::Cursor;
use crate::log::index::Index;
use crate::log::rows::is_end;
use super8_cassette::store::Store;
use super8_cassette::summary::summary;
use super8_cassette::{CassetteError, ConnectionId, Method};

/// A recorded command that was never played, or rows that were not all read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unplayed {
    /// Its number among the commands, from 1.
    pub number: usize,
    /// Its line in the log, from 1.
    pub line: u32,
    /// Its method.
    pub method: Method,
    /// Its connection.
    pub connection: ConnectionId,
    /// Its statement.
    pub statement: Option<u32>,
    /// One line for people, of at most 120 bytes.
    pub summary: String,
}

/// Describes the command at a position.
pub(crate) fn at(index: &Index, store: &dyn Store, position: u32) -> Result<Unplayed, CassetteError> {
    let slot = index.slot(position);
    let entry = store.checked_entry(slot.place())?;
    let (number, line, summary) = (index.ordinal(position), slot.place().line, summary(&entry, 120));
    let (connection, statement) = (entry.connection, entry.statement);
    Ok(Unplayed { number, line, method: slot.method, connection, statement, summary })
}

/// Lists the unplayed commands of a cursor.
pub(crate) fn of_cursor(index: &Index, store: &dyn Store, cursor: &Cursor) -> Result<Vec<Unplayed>, CassetteError> {
    let mut unplayed: Vec<Unplayed> = Vec::new();
    let mut before: Option<(u32, usize)> = None;
    for position in cursor.rest(index) {
        let slot = index.slot(position);
        if !index.is_due(position) || cursor.passed(index, position) {
            continue;
        }
        let entry = store.checked_entry(slot.place())?;
        if is_end(&entry) {
            continue;
        }
        // count on from the one before, so that all of it costs one walk over the index
        let number = before.map_or_else(|| index.ordinal(position), |(from, n)| n + index.commands(from, position));
        before = Some((position, number));
        let summary = match cursor.returned(position) {
            Some(read) => format!("{}: only {read} rows were read", summary(&entry, 90)),
            None => summary(&entry, 120),
        };
        let (method, connection, statement) = (slot.method, entry.connection, entry.statement);
        unplayed.push(Unplayed { number, line: slot.place().line, method, connection, statement, summary });
    }
    Ok(unplayed)
}
