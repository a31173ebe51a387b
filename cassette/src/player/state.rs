//! What changes while a cassette is played, under one lock.

use std::collections::BTreeMap;
use std::time::Instant;

use rustc_hash::FxHashMap;

use super::answers::Answers;
use super::columns::Columns;
use super::cursor::Cursor;
use super::facts::Facts;
use super::fault_places::AfterFault;
use super::index::Index;
use super::mismatch::Mismatch;
use super::sessions::SessionMatcher;
use super::sources::Choosing;
use crate::ConnectionId;
use crate::metadata::Order;

/// What changes while the cassette is played.
pub(super) struct State {
    /// The cursor of the whole log, under `order: global`.
    pub(super) whole: Cursor,
    /// The cursors of the connections, under the other orders.
    pub(super) cursors: BTreeMap<ConnectionId, Cursor>,
    pub(super) sessions: SessionMatcher,
    /// Which part this process plays, of a cassette of several processes.
    pub(super) choosing: Option<Choosing>,
    /// Calls that wait for their turn.
    pub(super) waiting: Waiting,
    pub(super) sticky: Option<Mismatch>,
    pub(super) answers: Answers,
    pub(super) columns: Columns,
    pub(super) facts: Facts,
    /// How often a statement was closed since its last command.
    pub(super) closes: FxHashMap<(ConnectionId, Option<u32>), u32>,
    /// The parts of which it was said last that everything is played.
    pub(super) finished: Vec<usize>,
    pub(super) after: AfterFault,
}

impl State {
    pub(super) fn new(sessions: SessionMatcher, choosing: Option<Choosing>) -> State {
        State {
            whole: Cursor::whole(),
            cursors: BTreeMap::new(),
            sessions,
            choosing,
            waiting: Waiting::default(),
            sticky: None,
            answers: Answers::default(),
            columns: Columns::default(),
            facts: Facts::default(),
            closes: FxHashMap::default(),
            finished: Vec::new(),
            after: AfterFault::default(),
        }
    }

    pub(super) fn cursor(&mut self, order: Order, index: &Index, connection: ConnectionId) -> &mut Cursor {
        match order {
            Order::Global => &mut self.whole,
            Order::Connection | Order::Any => {
                self.cursors.entry(connection).or_insert_with(|| Cursor::connection(index, connection))
            }
        }
    }

    /// The recorded connection and statement behind live ones.
    pub(super) fn recorded(&self, live: ConnectionId, statement: Option<u32>) -> (ConnectionId, Option<u32>) {
        self.sessions.live(live).map_or((live, statement), |live| live.recorded(statement))
    }
}

/// The waiting of one call.
#[derive(Default)]
pub(super) struct Turn {
    pub(super) until: Option<Instant>,
    /// How much was played when this call last tried, and the number of its first try since.
    pub(super) since: Option<(u64, u64)>,
}

/// All calls that wait.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    pub(super) calls: Vec<Call>,
    /// Commands played and rows handed out.
    pub(super) played: u64,
    /// Tries that failed.
    pub(super) tries: u64,
    /// The next connect is not to wait for its turn.
    pub(super) early: bool,
}

/// A call that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Call {
    /// `None`: a connect.
    pub(super) of: Option<ConnectionId>,
    pub(super) thread: u32,
    /// The number of its first try since something was played.
    pub(super) first: u64,
    /// The number of its last try.
    pub(super) last: u64,
}
