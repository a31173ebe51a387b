//! What changes while a cassette is played.
//!
//! A step that goes as recorded needs only its own connection's part: it locks the state for reading and changes the
//! connection's lane. Anything that may concern several connections locks the state for writing: which recorded
//! connection a live one is, the order across connections, the first mismatch.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use rustc_hash::FxHashMap;

use crate::compare::mismatch::Mismatch;
use crate::log::answers::Answers;
use crate::log::connection_info::ConnectionInfo;
use crate::log::cursor::Cursor;
use crate::log::index::Index;
use crate::sessions::fault_places::AfterFault;
use crate::sessions::matcher::SessionMatcher;
use crate::sessions::sources::PartChoice;
use super8_cassette::ConnectionId;
use super8_cassette::metadata::Order;

/// What changes while the cassette is played.
pub(crate) struct State {
    /// The cursor of the whole log, used under `order: global`.
    pub(crate) whole: Cursor,
    /// What is played of each recorded connection.
    lanes: BTreeMap<ConnectionId, Mutex<Lane>>,
    pub(crate) sessions: SessionMatcher,
    /// Which part this process plays, for a cassette of several processes.
    pub(crate) choosing: Option<PartChoice>,
    /// The calls that wait for their turn.
    pub(crate) waiting: Waiting,
    pub(crate) sticky: Option<Mismatch>,
    pub(crate) connection_info: ConnectionInfo,
    /// The parts that were last reported as completely played.
    pub(crate) finished: Vec<usize>,
    pub(crate) after: AfterFault,
    /// What somebody was told of a value that turns out to mean something else.
    pub(crate) contradiction: Option<String>,
    /// Why a live connection cannot be another recorded one that has what is asked.
    pub(crate) refused: Mutex<Option<String>>,
}

/// What is played of one recorded connection. Each lane has its own lock, so that connections play without waiting for each other.
pub(crate) struct Lane {
    /// How far the connection is played, under the orders that leave connections independent.
    pub(crate) cursor: Cursor,
    pub(crate) answers: Answers,
    /// How often each statement was closed since its last command.
    pub(crate) closes: FxHashMap<u32, u32>,
}

impl Lane {
    fn new(cursor: Cursor) -> Lane {
        Lane { cursor, answers: Answers::default(), closes: FxHashMap::default() }
    }

    /// Forgets a statement, or with `None` the whole connection.
    pub(crate) fn forget(&mut self, statement: Option<u32>) {
        self.answers.forget(statement);
        match statement {
            Some(statement) => _ = self.closes.remove(&statement),
            None => self.closes = FxHashMap::default(),
        }
    }
}

impl State {
    pub(crate) fn new(sessions: SessionMatcher, choosing: Option<PartChoice>) -> State {
        State {
            whole: Cursor::whole(),
            lanes: BTreeMap::new(),
            sessions,
            choosing,
            waiting: Waiting::default(),
            sticky: None,
            connection_info: ConnectionInfo::default(),
            finished: Vec::new(),
            after: AfterFault::default(),
            contradiction: None,
            refused: Mutex::default(),
        }
    }

    pub(crate) fn cursor(&mut self, order: Order, index: &Index, connection: ConnectionId) -> &mut Cursor {
        match order {
            Order::Global => &mut self.whole,
            Order::Connection | Order::Any => &mut self.lane_mut(index, connection).cursor,
        }
    }

    /// Returns the lane of a recorded connection, if one exists already.
    pub(crate) fn lane(&self, connection: ConnectionId) -> Option<&Mutex<Lane>> {
        self.lanes.get(&connection)
    }

    /// Returns the lane of a recorded connection, creating it if needed.
    pub(crate) fn lane_mut(&mut self, index: &Index, connection: ConnectionId) -> &mut Lane {
        let begin = || Mutex::new(Lane::new(Cursor::connection(index, connection)));
        self.lanes.entry(connection).or_insert_with(begin).get_mut()
    }

    /// Takes the lane of a recorded connection out. The caller puts it back with [`State::put_lane`].
    pub(crate) fn take_lane(&mut self, index: &Index, connection: ConnectionId) -> Lane {
        let known = self.lanes.remove(&connection).map(Mutex::into_inner);
        known.unwrap_or_else(|| Lane::new(Cursor::connection(index, connection)))
    }

    pub(crate) fn put_lane(&mut self, connection: ConnectionId, lane: Lane) {
        self.lanes.insert(connection, Mutex::new(lane));
    }

    /// Iterates over all lanes.
    pub(crate) fn lanes_mut(&mut self) -> impl Iterator<Item = (ConnectionId, &mut Lane)> {
        self.lanes.iter_mut().map(|(connection, lane)| (*connection, lane.get_mut()))
    }

    /// Forgets a recorded connection that is closed. Under the orders that have a cursor for each connection, keeps how
    /// far it was played.
    pub(crate) fn forget(&mut self, order: Order, connection: ConnectionId) {
        match (order, self.lanes.get_mut(&connection)) {
            (Order::Global, _) => _ = self.lanes.remove(&connection),
            (Order::Connection | Order::Any, Some(lane)) => lane.get_mut().forget(None),
            (Order::Connection | Order::Any, None) => {}
        }
    }

    /// Returns the recorded connection and statement behind live ones.
    #[inline(always)]
    pub(crate) fn recorded(&self, live: ConnectionId, statement: Option<u32>) -> (ConnectionId, Option<u32>) {
        self.sessions.live(live).map_or((live, statement), |live| live.recorded(statement))
    }
}

/// The waiting of one call.
#[derive(Default)]
pub(crate) struct Turn {
    pub(crate) until: Option<Instant>,
    /// Until when it leaves what comes next to the thread or connection that did it when it was recorded.
    pub(crate) left: Option<Instant>,
    /// How much was played when this call last tried, and the number of its first try since then.
    pub(crate) since: Option<(u64, u64)>,
    /// Whether there are other threads that may play what comes before.
    pub(crate) has_others: bool,
    /// Whether it was left to another one, and none came for it.
    pub(crate) takes_over: bool,
}

/// All calls that wait.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    pub(crate) calls: Vec<Call>,
    /// Counts, while any call waits, the commands played, the runs of rows handed out and the runs read to their end.
    pub(crate) played: AtomicU64,
    /// How many tries failed.
    pub(crate) tries: u64,
    /// Whether the next connect goes ahead without waiting for its turn.
    pub(crate) early: bool,
    /// Whether the next command goes to the thread and connection that ask, whichever did it when it was recorded.
    pub(crate) takes_over: bool,
}

/// A call that waits.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// `None` for a connect.
    pub(crate) of: Option<ConnectionId>,
    pub(crate) thread: u32,
    /// The number of its first try since something was played.
    pub(crate) first: u64,
    /// The number of its last try.
    pub(crate) last: u64,
    pub(crate) bell: Arc<Bell>,
}

/// Wakes a call that waits.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    has_rung: Mutex<bool>,
    rings: Condvar,
}

impl Bell {
    pub(crate) fn ring(&self) {
        *self.has_rung.lock() = true;
        self.rings.notify_one();
    }

    /// Waits until the bell rings or has rung, but no longer than `longest`.
    pub(crate) fn wait(&self, longest: Duration) {
        let mut has_rung = self.has_rung.lock();
        if !*has_rung {
            self.rings.wait_for(&mut has_rung, longest);
        }
    }
}

impl Waiting {
    /// Notes that something was played, so that waiting calls look again.
    pub(crate) fn note(&self) {
        self.played.fetch_add(1, Ordering::Relaxed);
    }
}
