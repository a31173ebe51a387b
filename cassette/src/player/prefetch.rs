//! Reading an entry before the player's lock is taken: under `order: connection` no connection has to wait for what another
//! one asks to be read. Which entry it is follows from what the connection has played; what comes of it is decided under the
//! lock, and if another entry is wanted after all, that one is read there.

use super::Player;
use crate::metadata::Order;
use crate::store::EntryRef;
use crate::{CassetteError, Entry, sets};

/// An entry that was read, and its position.
#[derive(Clone, Debug)]
pub(crate) struct Prefetch {
    position: u32,
    entry: Entry,
}

impl Prefetch {
    /// The entry at a position: this one if it is that, else what is `read`.
    pub(super) fn or(
        ahead: Option<Prefetch>,
        position: u32,
        read: impl FnOnce() -> Result<Entry, CassetteError>,
    ) -> Result<Entry, CassetteError> {
        match ahead {
            Some(ahead) if ahead.position == position => Ok(ahead.entry),
            _ => read(),
        }
    }
}

impl Player {
    /// Reads what a connection has next, if it is of the kind that is asked. What cannot be read is told under the lock.
    pub(super) fn ahead(&self, asked: &Entry) -> Option<Prefetch> {
        if self.order == Order::Global {
            return None;
        }
        let (position, place) = self.likely(asked)?;
        let entry = sets::entry(&*self.storage, place).ok()?;
        Some(Prefetch { position, entry })
    }

    fn likely(&self, asked: &Entry) -> Option<(u32, EntryRef)> {
        let state = &mut *self.state.lock();
        let connection = state.sessions.live(asked.connection)?.session.connection;
        let cursor = state.cursor(self.order, &self.index, connection);
        let position = cursor.rest(&self.index).find(|position| self.index.is_command(*position))?;
        let slot = self.index.slot(position);
        let wanted = slot.method == asked.method || slot.method.is_rows() && asked.method.is_rows();
        wanted.then(|| (position, slot.place()))
    }
}
