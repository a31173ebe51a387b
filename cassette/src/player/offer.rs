//! What a lane has for what is asked: looked at first, and taken once it is sure whose it is.

use std::sync::Arc;

use super::ahead::Ahead;
use super::compare::difference_but_comments;
use super::lane::{Lane, Next, NextRows};
use super::mismatch::Scene;
use super::rows::{self, Progress};
use super::{Player, sets};
use crate::{ConnectionId, Entry, Method};

/// A recorded entry that is next and what was asked.
pub(super) enum Offer {
    /// A command that is not about rows.
    Command { entry: Entry, place: usize },
    /// Rows, a failed fetch or the end of data; `end` is the entry with the end that goes with the rows.
    Rows { entry: Entry, position: u32, end: Option<u32>, rowless: bool },
    /// The statement is at the end of its data, and stays there.
    AtEnd,
}

impl Offer {
    /// The recorded entry, if there is one.
    pub(super) fn into_entry(self) -> Option<Entry> {
        match self {
            Offer::Command { entry, .. } | Offer::Rows { entry, .. } => Some(entry),
            Offer::AtEnd => None,
        }
    }

    /// Notes in the lane that it is played. Rows have a progress from then on.
    pub(super) fn take(&self, lane: &mut Lane) -> Option<Arc<Progress>> {
        match self {
            Offer::Command { place, .. } => {
                lane.played(*place);
                None
            }
            Offer::Rows { position, end, rowless, .. } => {
                let progress = if *rowless { Progress::over() } else { Arc::default() };
                lane.hand_out(*position, *end, Arc::clone(&progress));
                Some(progress)
            }
            Offer::AtEnd => None,
        }
    }
}

impl Player {
    /// What the lane has for `asked`, if that is asked on this recorded connection and statement.
    pub(super) fn offer(
        &self,
        lane: &mut Lane,
        asked: &Entry,
        (connection, statement): (ConnectionId, Option<u32>),
    ) -> Result<Offer, Scene> {
        match statement {
            Some(statement) if asked.method == Method::FetchScroll => {
                self.offer_scroll(lane, asked, connection, statement)
            }
            Some(statement) if asked.method.is_rows() => self.offer_rows(lane, connection, statement),
            _ => self.offer_command(lane, asked, connection, statement),
        }
    }

    fn offer_command(
        &self,
        lane: &mut Lane,
        asked: &Entry,
        connection: ConnectionId,
        statement: Option<u32>,
    ) -> Result<Offer, Scene> {
        let next = lane.next(&self.index, &*self.storage)?;
        let Next::Command { position, place } = next else { return Err(Scene::of(next)) };
        let slot = self.index.slot(position);
        let same_place =
            asked.method == Method::Connect || (slot.connection(), slot.statement()) == (connection, statement);
        if slot.method != asked.method || !same_place {
            return Err(Scene::of(next));
        }
        let entry = Ahead::or(lane.ahead.take(), position, || sets::entry(&*self.storage, slot.place()))?;
        if difference_but_comments(&entry, asked, self.comments).is_some() {
            return Err(Scene::of(next));
        }
        self.check_cells(position, &entry)?;
        Ok(Offer::Command { entry, place })
    }

    fn offer_rows(&self, lane: &mut Lane, connection: ConnectionId, statement: u32) -> Result<Offer, Scene> {
        let (index, storage) = (&self.index, &*self.storage);
        match lane.next_rows(index, connection, statement) {
            // a scroll is asked for, it does not come with the next rows
            NextRows::Entry { position, .. } if index.slot(position).method == Method::FetchScroll => {
                self.end_or(Some(position), connection, statement)
            }
            NextRows::Entry { position, place } => {
                let entry =
                    Ahead::or(lane.ahead.take(), position, || storage.checked_entry(index.slot(position).place()))?;
                self.check_cells(position, &entry)?;
                let rowless = rows::is_end(&entry) || rows::is_failure(&entry);
                let end = if rowless { None } else { lane.end_after(index, storage, place)? };
                Ok(Offer::Rows { entry, position, end, rowless })
            }
            NextRows::None { barrier } => self.end_or(barrier, connection, statement),
        }
    }

    /// The end of the statement's data, if that was reached before the command at `barrier`.
    fn end_or(&self, barrier: Option<u32>, connection: ConnectionId, statement: u32) -> Result<Offer, Scene> {
        let positions = self.index.statement(connection, Some(statement));
        match Lane::was_at_end(&self.index, &*self.storage, positions, barrier)? {
            true => Ok(Offer::AtEnd),
            false => Err(barrier.map_or(Scene::Exhausted, |position| Scene::Command { position })),
        }
    }

    /// The next rows entry of the statement, if it is a scroll to the same place.
    fn offer_scroll(
        &self,
        lane: &mut Lane,
        asked: &Entry,
        connection: ConnectionId,
        statement: u32,
    ) -> Result<Offer, Scene> {
        let (index, storage) = (&self.index, &*self.storage);
        if let Some((position, returned)) = lane.half_read(index, connection, statement) {
            return Err(Scene::Rows { position, returned: Some(returned) });
        }
        let position = match lane.next_rows(index, connection, statement) {
            NextRows::Entry { position, .. } => position,
            NextRows::None { barrier } => {
                return Err(barrier.map_or(Scene::Exhausted, |position| Scene::Command { position }));
            }
        };
        let slot = index.slot(position);
        let entry = storage.checked_entry(slot.place())?;
        if slot.method != Method::FetchScroll || difference_but_comments(&entry, asked, self.comments).is_some() {
            return Err(Scene::Command { position });
        }
        self.check_cells(position, &entry)?;
        let rowless = rows::count(&entry) == Some(0);
        Ok(Offer::Rows { entry, position, end: None, rowless })
    }
}
