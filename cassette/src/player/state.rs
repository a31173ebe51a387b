//! What changes while a cassette is played.
//!
//! A step that is as it was recorded needs no more than what is known of its own connection: it reads the state, and changes the
//! connection's lane. Whatever may concern several connections (which recorded connection a live one is, the order of all of them, the
//! first mismatch) has the state for itself.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use rustc_hash::FxHashMap;

use super::answers::Answers;
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
    /// What is played of each recorded connection.
    lanes: BTreeMap<ConnectionId, Mutex<Lane>>,
    pub(super) sessions: SessionMatcher,
    /// Which part this process plays, of a cassette of several processes.
    pub(super) choosing: Option<Choosing>,
    /// Calls that wait for their turn.
    pub(super) waiting: Waiting,
    pub(super) sticky: Option<Mismatch>,
    pub(super) facts: Facts,
    /// The parts of which it was said last that everything is played.
    pub(super) finished: Vec<usize>,
    pub(super) after: AfterFault,
}

/// What is played of one recorded connection. It has a lock of its own, so that connections play beside each other.
pub(super) struct Lane {
    /// How far it is played, under the orders that leave connections independent.
    pub(super) cursor: Cursor,
    pub(super) answers: Answers,
    /// How often a statement was closed since its last command.
    pub(super) closes: FxHashMap<u32, u32>,
}

impl Lane {
    fn new(cursor: Cursor) -> Lane {
        Lane { cursor, answers: Answers::default(), closes: FxHashMap::default() }
    }

    /// A statement, or the whole connection, is gone.
    pub(super) fn forget(&mut self, statement: Option<u32>) {
        self.answers.forget(statement);
        match statement {
            Some(statement) => _ = self.closes.remove(&statement),
            None => self.closes = FxHashMap::default(),
        }
    }
}

impl State {
    pub(super) fn new(sessions: SessionMatcher, choosing: Option<Choosing>) -> State {
        State {
            whole: Cursor::whole(),
            lanes: BTreeMap::new(),
            sessions,
            choosing,
            waiting: Waiting::default(),
            sticky: None,
            facts: Facts::default(),
            finished: Vec::new(),
            after: AfterFault::default(),
        }
    }

    pub(super) fn cursor(&mut self, order: Order, index: &Index, connection: ConnectionId) -> &mut Cursor {
        match order {
            Order::Global => &mut self.whole,
            Order::Connection | Order::Any => &mut self.lane_mut(index, connection).cursor,
        }
    }

    /// The lane of a recorded connection that was played before.
    pub(super) fn lane(&self, connection: ConnectionId) -> Option<&Mutex<Lane>> {
        self.lanes.get(&connection)
    }

    /// The lane of a recorded connection.
    pub(super) fn lane_mut(&mut self, index: &Index, connection: ConnectionId) -> &mut Lane {
        let begin = || Mutex::new(Lane::new(Cursor::connection(index, connection)));
        self.lanes.entry(connection).or_insert_with(begin).get_mut()
    }

    /// The lane of a recorded connection, to be put back.
    pub(super) fn take_lane(&mut self, index: &Index, connection: ConnectionId) -> Lane {
        let known = self.lanes.remove(&connection).map(Mutex::into_inner);
        known.unwrap_or_else(|| Lane::new(Cursor::connection(index, connection)))
    }

    pub(super) fn put_lane(&mut self, connection: ConnectionId, lane: Lane) {
        self.lanes.insert(connection, Mutex::new(lane));
    }

    /// All lanes.
    pub(super) fn lanes_mut(&mut self) -> impl Iterator<Item = (ConnectionId, &mut Lane)> {
        self.lanes.iter_mut().map(|(connection, lane)| (*connection, lane.get_mut()))
    }

    /// A recorded connection is closed: how far it was played is kept, if its cursor says it.
    pub(super) fn forget(&mut self, order: Order, connection: ConnectionId) {
        match (order, self.lanes.get_mut(&connection)) {
            (Order::Global, _) => _ = self.lanes.remove(&connection),
            (Order::Connection | Order::Any, Some(lane)) => lane.get_mut().forget(None),
            (Order::Connection | Order::Any, None) => {}
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
    /// There are other threads that may play what comes before.
    pub(super) has_others: bool,
    /// It was left for another thread of the connection, and none came.
    pub(super) for_anyone: bool,
}

/// All calls that wait.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    pub(super) calls: Vec<Call>,
    /// Commands played, rows handed out and runs of rows read to their end while any call waited.
    pub(super) played: AtomicU64,
    /// Tries that failed.
    pub(super) tries: u64,
    /// The next connect is not to wait for its turn.
    pub(super) early: bool,
    /// The next command is this thread's, whichever thread of its connection did it.
    pub(super) for_anyone: bool,
}

/// A call that waits.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// `None`: a connect.
    pub(super) of: Option<ConnectionId>,
    pub(super) thread: u32,
    /// The number of its first try since something was played.
    pub(super) first: u64,
    /// The number of its last try.
    pub(super) last: u64,
    pub(super) bell: Arc<Bell>,
}

/// Wakes a call that waits.
#[derive(Debug, Default)]
pub(super) struct Bell {
    has_rung: Mutex<bool>,
    rings: Condvar,
}

impl Bell {
    pub(super) fn ring(&self) {
        *self.has_rung.lock() = true;
        self.rings.notify_one();
    }

    /// Waits until it rings, or has rung, and no longer than this.
    pub(super) fn wait(&self, longest: Duration) {
        let mut has_rung = self.has_rung.lock();
        if !*has_rung {
            self.rings.wait_for(&mut has_rung, longest);
        }
    }
}

impl Waiting {
    /// Something was played: what waits is to look again.
    pub(super) fn note(&self) {
        self.played.fetch_add(1, Ordering::Relaxed);
    }
}
