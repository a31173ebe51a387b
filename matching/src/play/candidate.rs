//! Finds what a cursor has for a request. It is first only looked at, and taken when it is certain whose it is.

use std::borrow::Cow;
use std::sync::Arc;

use crate::compare::comparison::Comparison;
use crate::compare::mismatch::Scene;
use crate::log::cursor::{Candidate, Cursor, Next, NextRows};
use crate::log::rows::{self, Progress};
use crate::play::log_player::LogPlayer;
use super8_cassette::store::EntryRef;
use super8_cassette::{CassetteError, ConnectionId, Entry, Key, Method, sets};

impl LogPlayer {
    /// Reads a command's entry and says whether it is known to be what is asked. If it is, the entry may lack its inputs.
    fn read(&self, asked: &Entry, place: EntryRef) -> Result<(Entry, bool), CassetteError> {
        let is_plain = matches!(asked.method, Method::Run | Method::Prepare | Method::Execute)
            && !self.is_by_hand()
            && !self.faults.are_any()
            && self.comparison.bindings.are_idle()
            && asked.fields.iter().all(|(key, value)| key.is_input() && sets::stays_in_log(*key, value));
        let says_more = |entry: &Entry| {
            let special = |key: Key| key.is_input() || matches!(key, Key::Volatile | Key::Match);
            entry.fields.iter().any(|(key, _)| special(*key))
        };
        if is_plain
            && let Some(entry) = self.store.reply(place, asked)
            && !says_more(&entry)
        {
            return Ok((entry, true));
        }
        Ok((sets::entry(&*self.store, place)?, false))
    }

    /// Notes in the cursor that its candidate is played. Returns the progress of rows.
    pub(crate) fn take(
        &self,
        candidate: &Candidate,
        cursor: &mut Cursor,
        asked: &Entry,
    ) -> Result<Option<Arc<Progress>>, Scene> {
        match candidate {
            Candidate::Command { place, entry } => {
                let position = cursor.position(&self.index, *place).unwrap_or(u32::MAX);
                self.strike(position, entry, false)?;
                self.comparison.bind(entry, asked, || self.place(position));
                let threads = self.is_by_hand()
                    || !cursor.is_whole() && self.index.threads(self.index.slot(position).connection()).is_some();
                match threads && cursor.is_early(&self.index, &*self.store, *place)? {
                    true => cursor.played_early(position),
                    false => cursor.played(&self.index, *place),
                }
                Ok(None)
            }
            Candidate::Rows { entry, position, end, rowless } => {
                self.strike(*position, entry, *rowless)?;
                let progress = if *rowless { Progress::over() } else { Arc::default() };
                cursor.hand_out(*position, *end, Arc::clone(&progress));
                Ok(Some(progress))
            }
            Candidate::Row { position, end, .. } => {
                let progress = Arc::default();
                cursor.hand_out(*position, *end, Arc::clone(&progress));
                Ok(Some(progress))
            }
            Candidate::AtEnd | Candidate::Skippable => Ok(None),
        }
    }

    /// Finds what the cursor has for `asked` on this recorded connection and statement. Each thread of a connection
    /// that several threads used has an order of its own, except in the cursor of the whole log.
    pub(crate) fn candidate(
        &self,
        cursor: &mut Cursor,
        asked: &Entry,
        recorded: (ConnectionId, Option<u32>),
    ) -> Result<Candidate, Scene> {
        let (connection, statement) = recorded;
        let Some(threads) = self.index.threads(connection) else {
            return self.candidate_of(cursor, asked, recorded, None);
        };
        if cursor.is_whole() {
            let candidate = self.candidate_of(cursor, asked, recorded, None)?;
            return match cursor.threads.0.take() {
                // what comes next was another thread's, and this thread is to do the same later
                Some(own) if self.is_for_another(&candidate, own) => {
                    let mut part = cursor.of_connection(&self.index, connection);
                    match self.candidate_of(&mut part, asked, recorded, Some(own)) {
                        Ok(_) => self.offer_nothing(cursor),
                        Err(_) => Ok(candidate),
                    }
                }
                _ => Ok(candidate),
            };
        }
        let own = statement.filter(|_| !asked.method.gives_new_text());
        let own = own.and_then(|statement| self.index.thread(connection, statement));
        if own.is_some() {
            return self.candidate_of(cursor, asked, recorded, own);
        }
        let (own, others) = std::mem::take(&mut cursor.threads);
        let rank = |thread: u16| if own == Some(thread) { 0 } else { 1 + u8::from(others.contains(&thread)) };
        // a thread first goes on with what it began; then come recorded threads that nobody goes on with, in recorded order
        let candidates = threads.iter().filter_map(|thread| {
            let candidate = self.candidate_of(cursor, asked, recorded, Some(*thread)).ok()?;
            let place = if let Candidate::Command { place, .. } = candidate { place } else { 0 };
            Some(((rank(*thread), place), candidate))
        });
        match candidates.min_by_key(|(rank, _)| *rank) {
            Some((_, candidate)) => Ok(candidate),
            None => self.candidate_of(cursor, asked, recorded, None),
        }
    }

    /// Says whether a text was recorded on another thread of the connection.
    fn is_for_another(&self, candidate: &Candidate, own: u16) -> bool {
        match candidate {
            Candidate::Command { entry, .. } if entry.method.gives_new_text() => {
                entry.statement.and_then(|statement| self.index.thread(entry.connection, statement)) != Some(own)
            }
            _ => false,
        }
    }

    fn offer_nothing(&self, cursor: &mut Cursor) -> Result<Candidate, Scene> {
        Err(Scene::of(cursor.next(&self.index, &*self.store)?))
    }

    /// Does the same for one thread, or for all threads in their recorded order.
    fn candidate_of(
        &self,
        cursor: &mut Cursor,
        asked: &Entry,
        (connection, statement): (ConnectionId, Option<u32>),
        thread: Option<u16>,
    ) -> Result<Candidate, Scene> {
        match statement {
            Some(statement) if asked.method == Method::FetchScroll => {
                self.offer_scroll(cursor, asked, (connection, statement), thread)
            }
            Some(statement) if asked.method.is_rows() => self.offer_rows(cursor, (connection, statement), thread),
            _ => self.offer_command(cursor, asked, (connection, statement), thread),
        }
    }

    fn comparison_of(&self, cursor: &Cursor) -> Cow<'_, Comparison> {
        match &cursor.bindings {
            None => Cow::Borrowed(&self.comparison),
            Some(bindings) => Cow::Owned(Comparison { bindings: Arc::clone(bindings), ..self.comparison.clone() }),
        }
    }

    fn offer_command(
        &self,
        cursor: &mut Cursor,
        asked: &Entry,
        (connection, statement): (ConnectionId, Option<u32>),
        thread: Option<u16>,
    ) -> Result<Candidate, Scene> {
        let ends = asked.method.ends_transaction();
        let skippable = if ends { cursor.skippable(&self.index, connection, asked.method) } else { None };
        let next = match skippable {
            Some((position, place)) => Next::Command { position, place },
            None => cursor.next_of(&self.index, &*self.store, thread)?,
        };
        let Next::Command { position, place } = next else { return Err(Scene::of(next)) };
        if self.is_by_hand() {
            return self.offer_step(cursor, asked, (connection, statement), (position, place));
        }
        let slot = self.index.slot(position);
        let numbered = !asked.method.gives_new_text() || self.index.threads(connection).is_none();
        let same_place = asked.method == Method::Connect
            || slot.connection() == connection && (!numbered || slot.statement() == statement);
        if slot.method != asked.method || !same_place {
            return Err(Scene::of(next));
        }
        let (mut entry, agrees) = match cursor.bindings {
            Some(_) => (sets::entry(&*self.store, slot.place())?, false),
            None => self.read(asked, slot.place())?,
        };
        if !agrees {
            let comparison = &*self.comparison_of(cursor);
            entry = comparison.marked(&self.index, &*self.store, position, entry)?;
            if comparison.difference(&entry, asked).is_some() {
                return Err(Scene::of(next));
            }
        }
        self.check_cells(position, &entry)?;
        let entry = Entry { statement: slot.statement(), ..entry };
        Ok(Candidate::Command { entry, place })
    }

    fn offer_rows(
        &self,
        cursor: &mut Cursor,
        (connection, statement): (ConnectionId, u32),
        thread: Option<u16>,
    ) -> Result<Candidate, Scene> {
        let (index, store) = (&self.index, &*self.store);
        match cursor.next_rows(index, (connection, statement), thread) {
            // a scroll has to be asked for; it does not come with the next rows
            NextRows::Entry { position, .. } if index.slot(position).method == Method::FetchScroll => {
                self.end_or(Some(position), connection, statement)
            }
            NextRows::Entry { position, place } => {
                // where a fault may strike or values are bound, the entry is needed
                let is_plain = !self.faults.are_any() && !self.comparison.bindings.are_any();
                if is_plain
                    && index.slot(position).method == Method::Fetch
                    && let Some(row) = store.inline_row(index.slot(position).place(), &mut cursor.last_types)
                {
                    let end = cursor.end_after(index, store, place, thread)?;
                    return Ok(Candidate::Row { row, statement, position, end });
                }
                let entry = store.checked_entry(index.slot(position).place())?;
                self.check_cells(position, &entry)?;
                let rowless = rows::is_end(&entry) || rows::is_failure(&entry);
                let end = if rowless { None } else { cursor.end_after(index, store, place, thread)? };
                let entry = Entry { statement: Some(statement), ..entry };
                Ok(Candidate::Rows { entry, position, end, rowless })
            }
            NextRows::None { barrier } => self.end_or(barrier, connection, statement),
        }
    }

    /// Offers the end of the statement's data, if it was reached before the command at `barrier`.
    fn end_or(&self, barrier: Option<u32>, connection: ConnectionId, statement: u32) -> Result<Candidate, Scene> {
        let positions = self.index.statement(connection, Some(statement));
        match Cursor::was_at_end(&self.index, &*self.store, positions, barrier)? {
            true => Ok(Candidate::AtEnd),
            false => Err(barrier.map_or(Scene::Exhausted, |position| Scene::Command { position })),
        }
    }

    /// Offers the next rows entry of the statement, if it is a scroll to the same place.
    fn offer_scroll(
        &self,
        cursor: &mut Cursor,
        asked: &Entry,
        (connection, statement): (ConnectionId, u32),
        thread: Option<u16>,
    ) -> Result<Candidate, Scene> {
        let (index, store) = (&self.index, &*self.store);
        if let Some((position, returned)) = cursor.half_read(index, connection, statement) {
            return Err(Scene::Rows { position, returned: Some(returned) });
        }
        let position = match cursor.next_rows(index, (connection, statement), thread) {
            NextRows::Entry { position, .. } => position,
            NextRows::None { barrier } => {
                return Err(barrier.map_or(Scene::Exhausted, |position| Scene::Command { position }));
            }
        };
        let slot = index.slot(position);
        let entry = store.checked_entry(slot.place())?;
        let comparison = &*self.comparison_of(cursor);
        if slot.method != Method::FetchScroll || comparison.difference(&entry, asked).is_some() {
            return Err(Scene::Command { position });
        }
        self.check_cells(position, &entry)?;
        let rowless = rows::count(&entry) == Some(0);
        let entry = Entry { statement: Some(statement), ..entry };
        Ok(Candidate::Rows { entry, position, end: None, rowless })
    }
}
