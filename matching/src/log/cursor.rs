//! A cursor: a sequence of entries that are played in order, and how far it is played. `order: global` has one cursor
//! for the cassette, `order: connection` one for each connection.
//!
//! Rows are the exception to the order. Runs of several statements may be open at once, and the log has each where it
//! ended. So the rows entries between two other commands may be played in any order, except those of the same statement.

use std::ops::Range;
use std::sync::Arc;

use crate::log::index::Index;
use crate::log::rows::{Progress, is_end};
use crate::values::bindings::Bindings;
use super8_cassette::inline::{InlineRow, LastTypes};
use super8_cassette::schema::Class;
use super8_cassette::store::Store;
use super8_cassette::{CassetteError, ConnectionId, Entry, Method};

/// A recorded entry that comes next and is what was asked. Its statement has its number among those that are played in order.
pub(crate) enum Candidate {
    /// A command other than one that reads rows.
    Command { entry: Entry, place: usize },
    /// Rows, a failed fetch or the end of data. `end` is the entry for the end of data that goes with the rows.
    Rows { entry: Entry, position: u32, end: Option<u32>, rowless: bool },
    /// One row, of an entry that says nothing else. `end` as for other rows.
    Row { row: InlineRow, statement: u32, position: u32, end: Option<u32> },
    /// The statement is at the end of its data and stays there.
    AtEnd,
    /// Nothing was recorded, and that makes no difference.
    Skippable,
}

impl Candidate {
    /// Returns the recorded entry, if there is one and it was built.
    pub(crate) fn into_entry(self) -> Option<Entry> {
        match self {
            Candidate::Command { entry, .. } | Candidate::Rows { entry, .. } => Some(entry),
            Candidate::Row { .. } | Candidate::AtEnd | Candidate::Skippable => None,
        }
    }

    /// Returns the number of the recorded statement.
    pub(crate) fn statement(&self) -> Option<u32> {
        match self {
            Candidate::Command { entry, .. } | Candidate::Rows { entry, .. } => entry.statement,
            Candidate::Row { statement, .. } => Some(*statement),
            Candidate::AtEnd | Candidate::Skippable => None,
        }
    }
}

/// A candidate that was taken. Rows come with their progress.
pub(crate) type Taken = (Candidate, Option<Arc<Progress>>);

/// Rows that were handed out.
#[derive(Clone, Debug)]
struct Handed {
    position: u32,
    /// The entry for the end of data that goes with them.
    end: Option<u32>,
    progress: Arc<Progress>,
}

/// A sequence of entries and how far it is played.
#[derive(Clone, Debug)]
pub(crate) struct Cursor {
    /// The connection's places; `None` for all entries of the log.
    range: Option<Range<usize>>,
    /// Everything before this place is played.
    at: usize,
    /// Rows that were handed out, from that place on.
    handed: Vec<Handed>,
    /// Commands from that place on that were played before their turn: connects, and what other threads of a connection did.
    early: Vec<u32>,
    /// The recorded thread that the asking thread goes on with, and those that other threads go on with.
    pub(crate) threads: (Option<u16>, Vec<u16>),
    /// What recorded values stand for here, if that differs from the player's bindings.
    pub(crate) bindings: Option<Arc<Bindings>>,
    pub(crate) last_types: LastTypes,
}

/// What comes next in a cursor.
#[derive(Debug)]
pub(crate) enum Next {
    /// A command other than one that reads rows, and its place in the cursor.
    Command { position: u32, place: usize },
    /// Rows that must be read before any command. `returned` is how many were read, if they were handed out.
    Rows { position: u32, returned: Option<u64> },
    /// Nothing.
    End,
}

/// The rows of a statement that come next.
#[derive(Debug)]
pub(crate) enum NextRows {
    /// The rows entry, and its place in the cursor.
    Entry { position: u32, place: usize },
    /// There are none before this command, or before the end of the cursor.
    None { barrier: Option<u32> },
}

impl Cursor {
    /// Makes a cursor of the whole log.
    pub(crate) fn whole() -> Cursor {
        Cursor {
            range: None,
            at: 0,
            handed: Vec::new(),
            early: Vec::new(),
            threads: (None, Vec::new()),
            bindings: None,
            last_types: LastTypes::default(),
        }
    }

    /// Makes a cursor of one connection.
    pub(crate) fn connection(index: &Index, connection: ConnectionId) -> Cursor {
        Cursor { range: Some(index.connection_range(connection)), ..Cursor::whole() }
    }

    /// Makes a cursor of one connection that has passed this many of its commands.
    pub(crate) fn advanced(index: &Index, connection: ConnectionId, commands: usize) -> Cursor {
        let mut cursor = Cursor::connection(index, connection);
        for _ in 0..commands {
            while let Some(position) = index.position(cursor.range.as_ref(), cursor.at) {
                cursor.at += 1;
                if index.is_command(position) {
                    break;
                }
            }
        }
        cursor
    }

    /// Makes a cursor of one connection at a place.
    pub(crate) fn at_place(index: &Index, connection: ConnectionId, place: usize) -> Cursor {
        Cursor { at: place, ..Cursor::connection(index, connection) }
    }

    /// Returns the place of the cursor.
    pub(crate) fn place(&self) -> usize {
        self.at
    }

    /// Makes a cursor of one connection out of that of the whole log, as far as that one is played.
    pub(crate) fn of_connection(&self, index: &Index, connection: ConnectionId) -> Cursor {
        let at = index.places_before(connection, self.at);
        Cursor {
            range: Some(index.connection_range(connection)),
            at,
            handed: self.handed.clone(),
            early: self.early.clone(),
            threads: self.threads.clone(),
            bindings: self.bindings.clone(),
            last_types: self.last_types.clone(),
        }
    }

    /// Makes the same cursor in another log that is the same so far. `place` maps the position of a command here to
    /// that in the other log.
    pub(crate) fn moved(
        &self,
        from: &Index,
        to: &Index,
        connection: Option<ConnectionId>,
        place: &dyn Fn(u32) -> u32,
    ) -> Cursor {
        // at its end a cursor stands behind all of its commands, where the other log may go on
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

    /// Says whether all rows that were handed out are read to their end.
    pub(crate) fn rows_are_read(&self) -> bool {
        self.handed.iter().all(|handed| handed.progress.done())
    }

    /// Returns how many entries are not passed yet.
    pub(crate) fn left(&self, index: &Index) -> usize {
        let all = self.range.as_ref().map_or(index.len() as usize, Range::len);
        all.saturating_sub(self.at)
    }

    /// Iterates over the positions that are not passed yet.
    pub(crate) fn rest<'i>(&self, index: &'i Index) -> impl Iterator<Item = u32> + use<'i> {
        let (range, at) = (self.range.clone(), self.at);
        (at..).map_while(move |place| index.position(range.as_ref(), place))
    }

    /// Says whether a position is played.
    pub(crate) fn passed(&self, index: &Index, position: u32) -> bool {
        index.position(self.range.as_ref(), self.at).is_none_or(|at| position < at) || self.finished(position)
    }

    /// Says whether this is the cursor of the whole log.
    pub(crate) fn is_whole(&self) -> bool {
        self.range.is_none()
    }

    /// Says whether no command was played before its turn.
    pub(crate) fn is_in_order(&self) -> bool {
        self.early.is_empty()
    }

    /// Does the same as [`Cursor::next`] for one thread of a connection, regardless of what the other threads have next.
    pub(crate) fn next_of(
        &mut self,
        index: &Index,
        store: &dyn Store,
        thread: Option<u16>,
    ) -> Result<Next, CassetteError> {
        let Some(thread) = thread else { return self.next(index, store) };
        for place in self.at.. {
            let Some(position) = index.position(self.range.as_ref(), place) else { break };
            let slot = index.slot(position);
            if !index.is_due(position) || slot.thread != thread || self.finished(position) {
                continue;
            }
            if !slot.method.is_rows() {
                return Ok(Next::Command { position, place });
            }
            let handed = self.handed.iter().find(|handed| handed.position == position);
            if handed.is_some() || slot.method != Method::Fetch || !is_end(&store.checked_entry(slot.place())?) {
                return Ok(Next::Rows { position, returned: handed.map(|handed| handed.progress.returned()) });
            }
        }
        Ok(Next::End)
    }

    /// Returns what must be played next. Skips rows that are read and ends of data, which a program need not ask for.
    pub(crate) fn next(&mut self, index: &Index, store: &dyn Store) -> Result<Next, CassetteError> {
        loop {
            let Some(position) = index.position(self.range.as_ref(), self.at) else { return Ok(Next::End) };
            let slot = index.slot(position);
            if index.is_due(position) && !self.finished(position) {
                if !slot.method.is_rows() {
                    return Ok(Next::Command { position, place: self.at });
                }
                let handed = self.handed.iter().find(|handed| handed.position == position);
                if handed.is_some() || slot.method != Method::Fetch || !is_end(&store.checked_entry(slot.place())?) {
                    return Ok(Next::Rows { position, returned: handed.map(|handed| handed.progress.returned()) });
                }
            }
            self.pass(index);
        }
    }

    /// Notes that the command at a place is played. Everything before it then counts as played.
    pub(crate) fn played(&mut self, index: &Index, place: usize) {
        let position = index.position(self.range.as_ref(), place).unwrap_or(u32::MAX);
        self.at = place + 1;
        self.early.retain(|early| *early > position);
        // keep what another thread of the connection is still reading
        self.handed.retain(|handed| handed.end.unwrap_or(handed.position) > position);
    }

    /// Finds a command of this method on the connection that may be played now but need not be, and its place.
    pub(crate) fn skippable(&self, index: &Index, connection: ConnectionId, method: Method) -> Option<(u32, usize)> {
        let places = (self.at..).map_while(|place| Some((self.position(index, place)?, place)));
        let mut before = places.take_while(|(position, _)| !index.is_due(*position) || self.finished(*position));
        before.find(|(position, _)| {
            let slot = index.slot(*position);
            slot.method == method && slot.connection() == connection && index.is_command(*position)
        })
    }

    /// Returns the position at a place of the cursor.
    pub(crate) fn position(&self, index: &Index, place: usize) -> Option<u32> {
        index.position(self.range.as_ref(), place)
    }

    /// Returns the place of a position that is not passed yet.
    pub(crate) fn place_of(&self, index: &Index, position: u32) -> Option<usize> {
        (self.at..)
            .map_while(|place| Some((place, self.position(index, place)?)))
            .find(|(_, at)| *at == position)
            .map(|(place, _)| place)
    }

    /// Returns the position where the cursor stands, and its place.
    pub(crate) fn next_place(&self, index: &Index) -> Option<(u32, usize)> {
        Some((self.position(index, self.at)?, self.at))
    }

    /// Says whether the command at this place is played before its turn, because something else comes next.
    pub(crate) fn is_early(&mut self, index: &Index, store: &dyn Store, place: usize) -> Result<bool, CassetteError> {
        let next = self.next(index, store)?;
        Ok(!matches!(next, Next::Command { place: next, .. } if next == place))
    }

    /// Notes that a command is played before its turn.
    pub(crate) fn played_early(&mut self, position: u32) {
        self.early.push(position);
    }

    /// Returns the rows of a statement that come next. With `thread`, skips what other threads of the connection have next.
    pub(crate) fn next_rows(
        &mut self,
        index: &Index,
        (connection, statement): (ConnectionId, u32),
        thread: Option<u16>,
    ) -> NextRows {
        while let Some(position) = index.position(self.range.as_ref(), self.at) {
            if index.is_due(position) && !self.finished(position) {
                break;
            }
            self.pass(index);
        }
        for place in self.at.. {
            let Some(position) = index.position(self.range.as_ref(), place) else { break };
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

    /// Returns the end of data that is recorded after the rows at a place, before any other command.
    pub(crate) fn end_after(
        &self,
        index: &Index,
        store: &dyn Store,
        place: usize,
        thread: Option<u16>,
    ) -> Result<Option<u32>, CassetteError> {
        let Some(position) = index.position(self.range.as_ref(), place) else { return Ok(None) };
        let of = index.slot(position);
        for place in place + 1.. {
            let Some(position) = index.position(self.range.as_ref(), place) else { break };
            let slot = index.slot(position);
            let others = thread.is_some_and(|thread| slot.thread != thread);
            if !index.is_due(position) || others {
                continue;
            }
            if !slot.method.is_rows() {
                break;
            }
            if slot.connection() == of.connection() && slot.statement() == of.statement() {
                let ends = slot.method == Method::Fetch && is_end(&store.checked_entry(slot.place())?);
                return Ok(ends.then_some(position));
            }
        }
        Ok(None)
    }

    /// Returns the rows of the statement that were handed out and not read to their end, and how many were read.
    pub(crate) fn half_read(&self, index: &Index, connection: ConnectionId, statement: u32) -> Option<(u32, u64)> {
        let half = self.handed.iter().find(|handed| {
            let slot = index.slot(handed.position);
            !handed.progress.done() && (slot.connection(), slot.statement()) == (connection, Some(statement))
        })?;
        Some((half.position, half.progress.returned()))
    }

    /// Notes that rows are handed out to their statement.
    pub(crate) fn hand_out(&mut self, position: u32, end: Option<u32>, progress: Arc<Progress>) {
        self.handed.push(Handed { position, end, progress });
    }

    /// Notes that another part's statement holds these rows and reads them.
    pub(crate) fn share(&mut self, position: u32, progress: &Arc<Progress>) {
        let handed = self.handed.iter_mut().filter(|handed| handed.position == position);
        handed.for_each(|handed| handed.progress = Arc::clone(progress));
    }

    /// Returns the first of these positions that is not played. All before it are.
    pub(crate) fn bound(&self, index: &Index, positions: &[u32]) -> u32 {
        let Some(at) = index.position(self.range.as_ref(), self.at) else { return u32::MAX };
        let from = positions.partition_point(|position| *position < at);
        let open = |position: &&u32| index.is_due(**position) && !self.finished(**position);
        positions[from..].iter().find(open).copied().unwrap_or(u32::MAX)
    }

    /// Says whether the statement was at the end of its data, according to its last command before `barrier`.
    pub(crate) fn was_at_end(
        index: &Index,
        store: &dyn Store,
        positions: &[u32],
        barrier: Option<u32>,
    ) -> Result<bool, CassetteError> {
        let before = barrier.map_or(positions, |barrier| &positions[..positions.partition_point(|at| *at < barrier)]);
        let last = before.iter().rev().map(|at| index.slot(*at)).find(|slot| slot.method.class() == Class::Command);
        match last {
            Some(slot) if slot.method == Method::FetchAll => Ok(true),
            Some(slot) if slot.method == Method::Fetch => {
                let entry: Entry = store.checked_entry(slot.place())?;
                Ok(is_end(&entry))
            }
            _ => Ok(false),
        }
    }

    /// Returns how many rows of a handed-out entry were read.
    pub(crate) fn returned(&self, position: u32) -> Option<u64> {
        self.handed.iter().find(|handed| handed.position == position).map(|handed| handed.progress.returned())
    }

    /// Passes one entry.
    fn pass(&mut self, index: &Index) {
        if let Some(position) = index.position(self.range.as_ref(), self.at) {
            self.early.retain(|early| *early > position);
        }
        self.at += 1;
        if self.handed.len() > 16 {
            // what the cursor has passed is played and never looked up again
            let at = index.position(self.range.as_ref(), self.at).unwrap_or(u32::MAX);
            self.handed.retain(|handed| !handed.progress.done() || handed.end.unwrap_or(handed.position) >= at);
        }
    }

    /// Whether rows are in the hands of their statement, or the end that goes with them.
    pub(crate) fn is_handed(&self, position: u32) -> bool {
        self.handed.iter().any(|handed| handed.position == position || handed.end == Some(position))
    }

    #[inline(always)]
    fn finished(&self, position: u32) -> bool {
        self.handed
            .iter()
            .any(|handed| (handed.position == position || handed.end == Some(position)) && handed.progress.done())
            || self.early.contains(&position)
    }
}

fn index_of(index: &Index, cursor: &Cursor) -> Option<u32> {
    index.position(cursor.range.as_ref(), cursor.at)
}
