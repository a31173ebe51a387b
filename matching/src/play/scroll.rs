//! Plays a scroll, a fetch that says where to go. The target is compared, and the outcome is handed out whole.

use crate::compare::mismatch::Mismatch;
use crate::log::cursor::Candidate;
use crate::log::rows::{PlayedRun, is_end};
use crate::play::log_player::LogPlayer;
use super8_cassette::schema::Class;
use super8_cassette::{CassetteError, ConnectionId, Entry, Key, Method, Value};

/// What a scroll found.
pub struct Scrolled {
    /// The recorded entry with its `rows_fetched`, `row_status`, `return` and `diagnostics`.
    pub entry: Entry,
    /// Its rows, which must be read to their end at once; `None` if there are none.
    pub rows: Option<PlayedRun>,
}

impl LogPlayer {
    /// Plays a scroll: the next rows entry of the statement, if it is a scroll to the same place.
    pub(crate) fn scroll(&self, asked: &Entry) -> Result<Scrolled, Mismatch> {
        let (candidate, progress) = self.take_turn(asked)?;
        let (Candidate::Rows { entry, position, rowless: false, .. }, Some(progress)) = (&candidate, progress) else {
            let entry = candidate.into_entry().unwrap_or_else(|| asked.clone());
            return Ok(Scrolled { entry, rows: None });
        };
        let (place, entry) = (self.index.slot(*position).place(), entry.clone());
        // open the file without holding the player's lock
        let live = self.comparison.live_rows(&self.index, &*self.store, *position, (&entry, asked.connection));
        let rows =
            live.and_then(|live| PlayedRun::open_live(&*self.store, place, entry.clone(), false, progress, live));
        let rows = rows.map_err(|error| self.stuck(&mut self.state.write(), asked, error.into()))?;
        Ok(Scrolled { entry, rows: Some(rows) })
    }

    /// Says whether this command is the next one. Plays nothing.
    pub(crate) fn expects(&self, asked: &Entry) -> bool {
        let redacted = self.redacted(asked);
        let asked = redacted.as_ref().unwrap_or(asked);
        let state = &mut *self.state.write();
        let recorded = state.recorded(asked.connection, asked.statement);
        let cursor = state.cursor(self.order, &self.index, recorded.0);
        self.candidate(cursor, asked, recorded).is_ok()
    }

    /// Finds what was recorded of reading a column by itself: see [`crate::Player::read_apart`].
    pub(crate) fn read_apart(
        &self,
        connection: ConnectionId,
        statement: u32,
        key: &[(Key, Value)],
        on_row: bool,
    ) -> Result<Option<Entry>, CassetteError> {
        self.in_lane(connection, Some(statement), |state, lane, recorded| {
            let positions = self.index.statement(recorded.0, recorded.1);
            let bound = self.cursor_of(state, lane).bound(&self.index, positions);
            let before = &positions[..positions.partition_point(|position| *position < bound)];
            let mut found = None;
            for position in before.iter().rev() {
                let slot = self.index.slot(*position);
                let entry = match (slot.method.class(), slot.method) {
                    (Class::Command, Method::Fetch) if on_row => self.store.checked_entry(slot.place())?,
                    (Class::Command, _) => break,
                    (_, Method::GetData) => self.store.checked_entry(slot.place())?,
                    _ => continue,
                };
                if slot.method == Method::Fetch {
                    match is_end(&entry) {
                        true => continue,
                        false => break,
                    }
                }
                if key.iter().all(|(name, value)| entry.get(*name).unwrap_or(&Value::Null) == value) {
                    self.check_cells(*position, &entry)?;
                    // between a row and the end after it, the answers of the row come first
                    match on_row {
                        true => found = Some(self.comparison.bindings.replied(entry, Some(connection))),
                        false => return Ok(Some(self.comparison.bindings.replied(entry, Some(connection)))),
                    }
                }
            }
            Ok(found)
        })
    }
}
