//! A cursor: entries that have to be played in their order, and how far it is played. `order: global` has one cursor for the
//! cassette, `order: connection` one for each connection.
//!
//! Rows are the exception to the order: runs of several statements may be open at once, and each is in the log where it
//! ended. So the rows entries between two other commands may be played in any order, except those of the same statement.

use std::ops::Range;
use std::sync::Arc;

use super::bindings::Bindings;
use super::index::Index;
use super::rows::{Progress, is_end};
use crate::schema::Class;
use crate::store::Store;
use crate::{CassetteError, ConnectionId, Entry, Method};

/// A recorded entry that is next and what was asked. Its statement has its number among those that are played in order.
pub(super) enum Candidate {
    /// A command that is not about rows.
    Command { entry: Entry, place: usize },
    /// Rows, a failed fetch or the end of data; `end` is the entry with the end that goes with the rows.
    Rows { entry: Entry, position: u32, end: Option<u32>, rowless: bool },
    /// The statement is at the end of its data, and stays there.
    AtEnd,
    /// Nothing was recorded, and that makes no difference.
    Needless,
}

impl Candidate {
    /// The recorded entry, if there is one.
    pub(super) fn into_entry(self) -> Option<Entry> {
        match self {
            Candidate::Command { entry, .. } | Candidate::Rows { entry, .. } => Some(entry),
            Candidate::AtEnd | Candidate::Needless => None,
        }
    }

    /// The number of the recorded statement.
    pub(super) fn statement(&self) -> Option<u32> {
        match self {
            Candidate::Command { entry, .. } | Candidate::Rows { entry, .. } => entry.statement,
            Candidate::AtEnd | Candidate::Needless => None,
        }
    }
}

/// What was asked for, taken; rows come with their progress.
pub(super) type Taken = (Candidate, Option<Arc<Progress>>);

/// Rows that were handed out.
#[derive(Clone, Debug)]
struct Handed {
    position: u32,
    /// The entry with the end of data that goes with it.
    end: Option<u32>,
    progress: Arc<Progress>,
}

/// A sequence of entries and how far it is played.
#[derive(Clone, Debug)]
pub(crate) struct Cursor {
    /// `None`: all entries of the log.
    part: Option<Range<usize>>,
    /// Everything before this place of the cursor is played.
    at: usize,
    /// Rows handed out from there on.
    handed: Vec<Handed>,
    /// Commands from there on that were played before their turn: connects, and what other threads of a connection did.
    early: Vec<u32>,
    /// The recorded thread that the asking one goes on with, and those that others go on with.
    pub(super) threads: (Option<u16>, Vec<u16>),
    /// What recorded values stand for here, if not what they stand for elsewhere.
    pub(super) bindings: Option<Arc<Bindings>>,
}

/// What a cursor has next.
#[derive(Debug)]
pub(crate) enum Next {
    /// A command that is not about rows, and its place in the cursor.
    Command { position: u32, place: usize },
    /// Rows that have to be read before any command; how many were read already, if they were handed out.
    Rows { position: u32, returned: Option<u64> },
    /// Nothing.
    End,
}

/// The rows of a statement that are next.
#[derive(Debug)]
pub(crate) enum NextRows {
    /// The entry, and its place in the cursor.
    Entry { position: u32, place: usize },
    /// None before this command, or before the end of the cursor.
    None { barrier: Option<u32> },
}

impl Cursor {
    /// The cursor of the whole log.
    pub(crate) fn whole() -> Cursor {
        Cursor { part: None, at: 0, handed: Vec::new(), early: Vec::new(), threads: (None, Vec::new()), bindings: None }
    }

    /// The cursor of one connection.
    pub(crate) fn connection(index: &Index, connection: ConnectionId) -> Cursor {
        Cursor { part: Some(index.connection_range(connection)), ..Cursor::whole() }
    }

    /// The cursor of one connection after so many of its commands.
    pub(crate) fn advanced(index: &Index, connection: ConnectionId, commands: usize) -> Cursor {
        let mut cursor = Cursor::connection(index, connection);
        for _ in 0..commands {
            while let Some(position) = index.position(cursor.part.as_ref(), cursor.at) {
                cursor.at += 1;
                if index.is_command(position) {
                    break;
                }
            }
        }
        cursor
    }

    /// The cursor of one connection at a place.
    pub(crate) fn at_place(index: &Index, connection: ConnectionId, place: usize) -> Cursor {
        Cursor { at: place, ..Cursor::connection(index, connection) }
    }

    /// The place where it is.
    pub(crate) fn place(&self) -> usize {
        self.at
    }

    /// The part of the whole log's cursor that belongs to a connection.
    pub(crate) fn of_connection(&self, index: &Index, connection: ConnectionId) -> Cursor {
        let at = index.places_before(connection, self.at);
        Cursor {
            part: Some(index.connection_range(connection)),
            at,
            handed: self.handed.clone(),
            early: self.early.clone(),
            threads: self.threads.clone(),
            bindings: self.bindings.clone(),
        }
    }

    /// The same in another log that is the same so far; `place` gives the position there of a command here.
    pub(crate) fn moved(
        &self,
        from: &Index,
        to: &Index,
        connection: Option<ConnectionId>,
        place: &dyn Fn(u32) -> u32,
    ) -> Cursor {
        // a cursor at its end stands behind all of its commands, where the other log may go on
        let at = place(index_of(from, self).unwrap_or(u32::MAX));
        let mut cursor = connection.map_or_else(Cursor::whole, |connection| Cursor::connection(to, connection));
        while index_of(to, &cursor).is_some_and(|position| position < at) {
            cursor.at += 1;
        }
        let handed = |handed: &Handed| Handed {
            position: place(handed.position),
            end: handed.end.map(place),
            progress: Arc::clone(&handed.progress),
        };
        let early = self.early.iter().map(|position| place(*position)).collect();
        Cursor { handed: self.handed.iter().map(handed).collect(), early, ..cursor }
    }

    /// Whether no rows are in somebody's hands.
    pub(crate) fn settled(&self) -> bool {
        self.handed.iter().all(|handed| handed.progress.done())
    }

    /// How many entries are not yet passed.
    pub(crate) fn left(&self, index: &Index) -> usize {
        let all = self.part.as_ref().map_or(index.len() as usize, Range::len);
        all.saturating_sub(self.at)
    }

    /// The positions not yet passed.
    pub(crate) fn rest<'i>(&self, index: &'i Index) -> impl Iterator<Item = u32> + use<'i> {
        let (part, at) = (self.part.clone(), self.at);
        (at..).map_while(move |place| index.position(part.as_ref(), place))
    }

    /// Whether a position is played.
    pub(crate) fn passed(&self, index: &Index, position: u32) -> bool {
        index.position(self.part.as_ref(), self.at).is_none_or(|at| position < at) || self.finished(position)
    }

    /// Whether this is the cursor of the whole log.
    pub(crate) fn is_whole(&self) -> bool {
        self.part.is_none()
    }

    /// Whether everything before the cursor's place is played, and nothing behind it.
    pub(crate) fn is_in_order(&self) -> bool {
        self.early.is_empty()
    }

    /// The same as [`Cursor::next`] for one thread of a connection: what the others have next does not stand in its way.
    pub(crate) fn next_of(
        &mut self,
        index: &Index,
        storage: &dyn Store,
        thread: Option<u16>,
    ) -> Result<Next, CassetteError> {
        let Some(thread) = thread else { return self.next(index, storage) };
        for place in self.at.. {
            let Some(position) = index.position(self.part.as_ref(), place) else { break };
            let slot = index.slot(position);
            if !index.is_due(position) || slot.thread != thread || self.finished(position) {
                continue;
            }
            if !slot.method.is_rows() {
                return Ok(Next::Command { position, place });
            }
            let handed = self.handed.iter().find(|handed| handed.position == position);
            if handed.is_some() || slot.method != Method::Fetch || !is_end(&storage.checked_entry(slot.place())?) {
                return Ok(Next::Rows { position, returned: handed.map(|handed| handed.progress.returned()) });
            }
        }
        Ok(Next::End)
    }

    /// What has to be played next, over rows that are read and ends that need not be asked for.
    pub(crate) fn next(&mut self, index: &Index, storage: &dyn Store) -> Result<Next, CassetteError> {
        loop {
            let Some(position) = index.position(self.part.as_ref(), self.at) else { return Ok(Next::End) };
            let slot = index.slot(position);
            if index.is_due(position) && !self.finished(position) {
                if !slot.method.is_rows() {
                    return Ok(Next::Command { position, place: self.at });
                }
                let handed = self.handed.iter().find(|handed| handed.position == position);
                if handed.is_some() || slot.method != Method::Fetch || !is_end(&storage.checked_entry(slot.place())?) {
                    return Ok(Next::Rows { position, returned: handed.map(|handed| handed.progress.returned()) });
                }
            }
            self.pass(index);
        }
    }

    /// The command at a place of the cursor is played, and so is everything before it.
    pub(crate) fn played(&mut self, index: &Index, place: usize) {
        let position = index.position(self.part.as_ref(), place).unwrap_or(u32::MAX);
        self.at = place + 1;
        self.early.retain(|early| *early > position);
        // what another thread of the connection reads meanwhile
        self.handed.retain(|handed| handed.end.unwrap_or(handed.position) > position);
    }

    /// The place of a command of the connection that may be played now, and need not be.
    pub(crate) fn needless(&self, index: &Index, connection: ConnectionId, method: Method) -> Option<(u32, usize)> {
        let places = (self.at..).map_while(|place| Some((self.position(index, place)?, place)));
        let mut before = places.take_while(|(position, _)| !index.is_due(*position) || self.finished(*position));
        before.find(|(position, _)| {
            let slot = index.slot(*position);
            slot.method == method && slot.connection() == connection && index.is_command(*position)
        })
    }

    /// The position at a place of the cursor.
    pub(crate) fn position(&self, index: &Index, place: usize) -> Option<u32> {
        index.position(self.part.as_ref(), place)
    }

    /// The place in the cursor of a position behind it.
    pub(crate) fn place_of(&self, index: &Index, position: u32) -> Option<usize> {
        (self.at..)
            .map_while(|place| Some((place, self.position(index, place)?)))
            .find(|(_, at)| *at == position)
            .map(|(place, _)| place)
    }

    /// Where the cursor is: a position and its place.
    pub(crate) fn next_place(&self, index: &Index) -> Option<(u32, usize)> {
        Some((self.position(index, self.at)?, self.at))
    }

    /// Whether what comes next is not the command at this place: it is played before its turn.
    pub(crate) fn is_early(&mut self, index: &Index, storage: &dyn Store, place: usize) -> Result<bool, CassetteError> {
        let next = self.next(index, storage)?;
        Ok(!matches!(next, Next::Command { place: next, .. } if next == place))
    }

    /// A command is played before its turn.
    pub(crate) fn played_early(&mut self, position: u32) {
        self.early.push(position);
    }

    /// The rows of a statement that are next; for one thread of a connection, whatever the others have next.
    pub(crate) fn next_rows(
        &mut self,
        index: &Index,
        (connection, statement): (ConnectionId, u32),
        thread: Option<u16>,
    ) -> NextRows {
        while let Some(position) = index.position(self.part.as_ref(), self.at) {
            if index.is_due(position) && !self.finished(position) {
                break;
            }
            self.pass(index);
        }
        for place in self.at.. {
            let Some(position) = index.position(self.part.as_ref(), place) else { break };
            let slot = index.slot(position);
            let others = thread.is_some_and(|thread| slot.thread != thread);
            if !index.is_due(position) || others || self.early.contains(&position) {
                continue;
            }
            if !slot.method.is_rows() {
                return NextRows::None { barrier: Some(position) };
            }
            if slot.connection() == connection && slot.statement() == Some(statement) && !self.is_handed(position) {
                return NextRows::Entry { position, place };
            }
        }
        NextRows::None { barrier: None }
    }

    /// The end of data that is recorded after the rows at a place of the cursor, before any other command.
    pub(crate) fn end_after(
        &self,
        index: &Index,
        storage: &dyn Store,
        place: usize,
        thread: Option<u16>,
    ) -> Result<Option<u32>, CassetteError> {
        let Some(position) = index.position(self.part.as_ref(), place) else { return Ok(None) };
        let of = index.slot(position);
        for place in place + 1.. {
            let Some(position) = index.position(self.part.as_ref(), place) else { break };
            let slot = index.slot(position);
            let others = thread.is_some_and(|thread| slot.thread != thread);
            if !index.is_due(position) || others {
                continue;
            }
            if !slot.method.is_rows() {
                break;
            }
            if slot.connection() == of.connection() && slot.statement() == of.statement() {
                let ends = slot.method == Method::Fetch && is_end(&storage.checked_entry(slot.place())?);
                return Ok(ends.then_some(position));
            }
        }
        Ok(None)
    }

    /// Rows of the statement that were handed out and not read to their end, and how many were read.
    pub(crate) fn half_read(&self, index: &Index, connection: ConnectionId, statement: u32) -> Option<(u32, u64)> {
        let half = self.handed.iter().find(|handed| {
            let slot = index.slot(handed.position);
            !handed.progress.done() && (slot.connection(), slot.statement()) == (connection, Some(statement))
        })?;
        Some((half.position, half.progress.returned()))
    }

    /// Rows are in the hands of their statement.
    pub(crate) fn hand_out(&mut self, position: u32, end: Option<u32>, progress: Arc<Progress>) {
        self.handed.push(Handed { position, end, progress });
    }

    /// Rows are in the hands of another part's statement, which reads them.
    pub(crate) fn share(&mut self, position: u32, progress: &Arc<Progress>) {
        let handed = self.handed.iter_mut().filter(|handed| handed.position == position);
        handed.for_each(|handed| handed.progress = Arc::clone(progress));
    }

    /// The first position of these that is not played; all before it are.
    pub(crate) fn bound(&self, index: &Index, positions: &[u32]) -> u32 {
        let Some(at) = index.position(self.part.as_ref(), self.at) else { return u32::MAX };
        let from = positions.partition_point(|position| *position < at);
        let open = |position: &&u32| index.is_due(**position) && !self.finished(**position);
        positions[from..].iter().find(open).copied().unwrap_or(u32::MAX)
    }

    /// Whether the statement was at the end of its data: its last command before `barrier` says so.
    pub(crate) fn was_at_end(
        index: &Index,
        storage: &dyn Store,
        positions: &[u32],
        barrier: Option<u32>,
    ) -> Result<bool, CassetteError> {
        let before = barrier.map_or(positions, |barrier| &positions[..positions.partition_point(|at| *at < barrier)]);
        let last = before.iter().rev().map(|at| index.slot(*at)).find(|slot| slot.method.class() == Class::Command);
        match last {
            Some(slot) if slot.method == Method::FetchAll => Ok(true),
            Some(slot) if slot.method == Method::Fetch => {
                let entry: Entry = storage.checked_entry(slot.place())?;
                Ok(is_end(&entry))
            }
            _ => Ok(false),
        }
    }

    /// How many rows of the handed-out entry were read.
    pub(crate) fn returned(&self, position: u32) -> Option<u64> {
        self.handed.iter().find(|handed| handed.position == position).map(|handed| handed.progress.returned())
    }

    /// Goes over one entry.
    fn pass(&mut self, index: &Index) {
        if let Some(position) = index.position(self.part.as_ref(), self.at) {
            self.early.retain(|early| *early > position);
        }
        self.at += 1;
        if self.handed.len() > 16 {
            // what lies behind is played, and nobody looks it up any more
            let at = index.position(self.part.as_ref(), self.at).unwrap_or(u32::MAX);
            self.handed.retain(|handed| !handed.progress.done() || handed.end.unwrap_or(handed.position) >= at);
        }
    }

    fn is_handed(&self, position: u32) -> bool {
        self.handed.iter().any(|handed| handed.position == position || handed.end == Some(position))
    }

    fn finished(&self, position: u32) -> bool {
        self.handed
            .iter()
            .any(|handed| (handed.position == position || handed.end == Some(position)) && handed.progress.done())
            || self.early.contains(&position)
    }
}

fn index_of(index: &Index, cursor: &Cursor) -> Option<u32> {
    index.position(cursor.part.as_ref(), cursor.at)
}
