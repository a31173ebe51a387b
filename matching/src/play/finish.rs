//! Finds out whether everything is played. This is reported at the last command and not when the process ends, because
//! a process may be killed or end without running its exit handlers.

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use crate::log::cursor::Cursor;
use crate::log::rows::is_end;
use crate::play::log_player::LogPlayer;
use crate::sessions::sources::Source;
use crate::sessions::state::State;
use super8_cassette::metadata::Order;
use super8_cassette::{CassetteError, Entry, Method};

/// How many entries before the end of a cursor to begin to check whether anything is left to play.
const NEAR: usize = 64;

impl LogPlayer {
    /// Notes after a command whether it may have been the last one.
    pub(crate) fn look_for_the_end(&self, state: &mut State, asked: &Entry) {
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
    pub(crate) fn look_at_the_rest(&self, state: &State, left: usize) {
        let undecided = state.choosing.as_ref().is_some_and(|choosing| choosing.is_open());
        let all_open = || self.order == Order::Global || state.sessions.free().next().is_none();
        let near = undecided || !state.finished.is_empty() || left <= NEAR && all_open();
        if near != self.is_near_end() {
            self.near_end.store(near, Ordering::Relaxed);
        }
    }

    /// Says whether the last command may have been played.
    pub(crate) fn is_near_end(&self) -> bool {
        self.near_end.load(Ordering::Relaxed)
    }

    /// Returns the parts that are completely played: see [`crate::Player::finished`].
    pub(crate) fn finished(&self) -> Option<Vec<PathBuf>> {
        self.finished_if(self.is_near_end(), |state, part| self.is_all_played(state, part))
    }

    /// Does the same, with other tests of whether the end may be near and whether nothing of a part is left.
    pub(crate) fn finished_if(
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
