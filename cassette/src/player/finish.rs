//! Finds out whether everything is played, and lists what the program did not ask for.
//!
//! The end is reported at the last command and not when the process ends, because a process may be killed or end without
//! running its exit handlers.

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use super::cursor::Cursor;
use super::index::Index;
use super::log_player::LogPlayer;
use super::rows::is_end;
use super::sources::Source;
use super::state::State;
use super::summary::summary;
use crate::metadata::Order;
use crate::store::Store;
use crate::{CassetteError, ConnectionId, Entry, Method};

/// How many entries before the end of a cursor to begin to check whether anything is left to play.
const NEAR: usize = 64;

impl LogPlayer {
    /// Notes after a command whether it may have been the last one.
    pub(super) fn look_for_the_end(&self, state: &mut State, asked: &Entry) {
        let left = match (self.order, asked.method) {
            // a connection that is asked nothing has nothing left
            (Order::Connection | Order::Any, Method::Connect) => 0,
            _ => {
                let (connection, _) = state.recorded(asked.connection, None);
                state.cursor(self.order, &self.index, connection).left(&self.index)
            }
        };
        self.look_at_the_rest(state, left);
    }

    /// Does the same when the number of entries left in the command's cursor is known.
    pub(super) fn look_at_the_rest(&self, state: &State, left: usize) {
        let undecided = state.choosing.as_ref().is_some_and(|choosing| choosing.is_open());
        let all_open = || self.order == Order::Global || state.sessions.free().next().is_none();
        let near = undecided || !state.finished.is_empty() || left <= NEAR && all_open();
        if near != self.is_near_end() {
            self.near_end.store(near, Ordering::Relaxed);
        }
    }

    /// Says whether the last command may have been played.
    pub(super) fn is_near_end(&self) -> bool {
        self.near_end.load(Ordering::Relaxed)
    }

    /// Returns the parts that are completely played: see [`super::Player::finished`].
    pub(super) fn finished(&self) -> Option<Vec<PathBuf>> {
        self.finished_if(self.is_near_end(), |state, part| self.is_all_played(state, part))
    }

    /// Does the same, with other tests of whether the end may be near and whether nothing of a part is left.
    pub(super) fn finished_if(
        &self,
        is_near_end: bool,
        is_all_played: impl Fn(&mut State, usize) -> Result<bool, CassetteError>,
    ) -> Option<Vec<PathBuf>> {
        if !is_near_end && !self.faults.have_struck() {
            return None;
        }
        let state = &mut *self.state.write();
        if state.sticky.is_some() {
            return None;
        }
        if self.faults.have_struck() {
            // what a program leaves out after a fault is for others to judge
            let said = std::mem::replace(&mut state.finished, vec![0]);
            return said.is_empty().then(|| vec![self.store.0.source(0).name()]);
        }
        let candidates = match &state.choosing {
            None => vec![0],
            Some(choosing) => choosing.candidates()?.to_vec(),
        };
        let played = |part: &usize| is_all_played(state, *part).unwrap_or(false);
        let finished: Vec<usize> = candidates.into_iter().filter(played).collect();
        if finished == state.finished {
            return None;
        }
        let names = finished.iter().map(|part| self.store.0.source(*part).name()).collect();
        state.finished = finished;
        Some(names)
    }

    /// Says whether nothing of a part would be left if it were the current one.
    fn is_all_played(&self, state: &mut State, part: usize) -> Result<bool, CassetteError> {
        let sources = &*self.store.0;
        let (from, to) = (sources.current(), sources.source(part));
        if self.order == Order::Global {
            return nothing_left(to, &from.moved(to, &state.whole, None));
        }
        for connection in to.index.connections() {
            let cursor = match state.lane(connection) {
                Some(lane) => from.moved(to, &lane.lock().cursor, Some(connection)),
                None => Cursor::connection(&to.index, connection),
            };
            if !nothing_left(to, &cursor)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Says whether a cursor has nothing left but ends of data, which need not be asked for.
fn nothing_left(source: &Source, cursor: &Cursor) -> Result<bool, CassetteError> {
    for position in cursor.rest(&source.index) {
        let slot = source.index.slot(position);
        let is_open = source.index.is_due(position) && !cursor.passed(&source.index, position);
        if is_open && !(slot.method == Method::Fetch && is_end(&source.store.checked_entry(slot.place())?)) {
            return Ok(false);
        }
    }
    Ok(true)
}

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
pub(super) fn at(index: &Index, store: &dyn Store, position: u32) -> Result<Unplayed, CassetteError> {
    let slot = index.slot(position);
    let entry = store.checked_entry(slot.place())?;
    let (number, line, summary) = (index.ordinal(position), slot.place().line, summary(&entry, 120));
    let (connection, statement) = (entry.connection, entry.statement);
    Ok(Unplayed { number, line, method: slot.method, connection, statement, summary })
}

/// Lists the unplayed commands of a cursor.
pub(super) fn of_cursor(index: &Index, store: &dyn Store, cursor: &Cursor) -> Result<Vec<Unplayed>, CassetteError> {
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
