//! Waiting for a turn, under `order: global` and among threads that share a connection. One of several threads may come too
//! early. It waits for a bounded time, until the others have played what comes before or until somebody has the first mismatch.
//!
//! A call does not wait if waiting is visibly in vain: in a process with a single thread, or when every connection
//! waits and none is left to open. If every connection waits and one is left to open, it may be opened before its turn:
//! of several threads with the same connect arguments, the one whose command is next may come late.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use parking_lot::RwLockWriteGuard;

use crate::compare::mismatch::Scene;
use crate::log::cursor::{Cursor, Next};
use crate::play::log_player::LogPlayer;
use crate::sessions::state::{Bell, Call, State, Turn};
use super8_cassette::metadata::Order;
use super8_cassette::{CassetteError, ConnectionId, Entry, Method, sets};

/// How long a call leaves what comes next to another thread or connection that did it when it was recorded, at most.
const FOR_ANOTHER: Duration = Duration::from_millis(200);
/// How long a call sleeps before it looks again, at most: what it waits for may come in another way than the recorded one.
const LOOK: Duration = Duration::from_millis(2);

impl LogPlayer {
    /// Waits a while if the turn of what is asked may still come. Returns false if it cannot come, or did not come in time.
    pub(crate) fn wait(
        &self,
        turn: &mut Turn,
        state: &mut RwLockWriteGuard<'_, State>,
        asked: &Entry,
        scene: &Scene,
    ) -> Result<bool, CassetteError> {
        if self.wait.is_zero() || matches!(scene, Scene::Unreadable(_)) {
            return Ok(false);
        }
        let until = match turn.until {
            Some(until) => until,
            None => {
                let may_come = match self.order {
                    Order::Global => self.has_a_turn(state, asked)? || self.stands_later(state, asked)?,
                    Order::Connection | Order::Any => self.stands_later(state, asked)?,
                };
                if !may_come {
                    return Ok(false);
                }
                *turn.until.insert(Instant::now() + self.wait)
            }
        };
        let is_left = self.order == Order::Global && self.is_left(state, asked, scene)?;
        let left = is_left.then(|| *turn.left.get_or_insert_with(|| Instant::now() + FOR_ANOTHER));
        let until = left.map_or(until, |left| left.min(until));
        let left = until.saturating_duration_since(Instant::now());
        let connects = asked.method == Method::Connect;
        let waiting = &mut state.waiting;
        waiting.tries += 1;
        let (played, last) = (waiting.played.load(Ordering::Relaxed), waiting.tries);
        let since = turn.since.filter(|(then, _)| *then == played);
        if since.is_some() && !turn.has_others {
            // nothing was played while it waited
            turn.has_others = !super8_cassette::platform::has_one_thread();
            if !turn.has_others {
                return Ok(false);
            }
        }
        let (_, first) = *turn.since.insert(since.unwrap_or((played, last)));
        let thread = super8_cassette::process::thread();
        let bell = Arc::<Bell>::default();
        let of = (!connects).then_some(asked.connection);
        waiting.calls.push(Call { of, thread, first, last, bell: Arc::clone(&bell) });
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let all_wait = self.all_wait(state);
        state.waiting.early = connects && all_wait && self.has_a_turn(state, asked)?;
        let another = state.sessions.free().next().is_some() || state.sessions.has_remainders();
        let waits = !left.is_zero() && (!all_wait || another);
        if waits && !state.waiting.early {
            RwLockWriteGuard::unlocked(state, || bell.wait(left.min(LOOK)));
        }
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        state.waiting.calls.retain(|other| !Arc::ptr_eq(&other.bell, &bell));
        Ok(waits)
    }

    /// Says whether what is asked comes next but is left to another thread of the connection, or to another connection.
    pub(crate) fn is_left(&self, state: &State, asked: &Entry, scene: &Scene) -> Result<bool, CassetteError> {
        let Scene::Command { position } = scene else { return Ok(false) };
        let slot = self.index.slot(*position);
        let is_own = state.recorded(asked.connection, None).0 == slot.connection();
        if asked.method == Method::Connect
            || slot.method != asked.method
            || (is_own && self.index.threads(slot.connection()).is_none())
        {
            return Ok(false);
        }
        Ok(self.comparison.difference(&sets::entry(&*self.store, slot.place())?, asked).is_none())
    }

    /// Wakes the calls whose turn may have come, after something was played.
    pub(crate) fn next_turn(&self, state: &mut State) {
        if state.waiting.calls.is_empty() {
            return;
        }
        state.waiting.note();
        let next = if state.sticky.is_some() { None } else { self.whose_turn(state) };
        let calls = state.waiting.calls.iter().filter(|call| next.is_none_or(|next| call.of == next));
        calls.for_each(|call| call.bell.ring());
    }

    /// Does the same after a step that needed only its own lane.
    pub(crate) fn next_turn_beside(&self, state: &State) {
        if !state.waiting.calls.is_empty() {
            state.waiting.note();
            state.waiting.calls.iter().for_each(|call| call.bell.ring());
        }
    }

    /// Wakes waiting calls when a run of rows is read to its end.
    pub(crate) fn rows_are_read(&self) {
        if self.waiting.load(Ordering::SeqCst) > 0 {
            self.next_turn(&mut self.state.write());
        }
    }

    /// Returns the live connection whose command comes next, or `Some(None)` before a connect. `None` if that cannot be told.
    fn whose_turn(&self, state: &mut State) -> Option<Option<ConnectionId>> {
        if self.order != Order::Global {
            return None;
        }
        let next = state.whole.next(&self.index, &*self.store).ok()?;
        let (Next::Command { position, .. } | Next::Rows { position, .. }) = next else { return None };
        let slot = self.index.slot(position);
        match slot.method {
            Method::Connect => Some(None),
            _ => state.sessions.holder(slot.connection()).map(Some),
        }
    }

    /// Says whether every open connection waits for its turn and has tried again since all of them wait. Before that,
    /// rows may have been read to their end unnoticed.
    fn all_wait(&self, state: &State) -> bool {
        let calls = &state.waiting.calls;
        let all = calls.iter().map(|call| call.first).max().unwrap_or(0);
        let waits = |open| {
            let mut waiting: Vec<u32> =
                calls.iter().filter(|call| call.of == Some(open) && call.last > all).map(|call| call.thread).collect();
            waiting.sort_unstable();
            waiting.dedup();
            // of a connection that several threads use, each thread must wait
            let recorded = state.recorded(open, None).0;
            waiting.len() >= self.index.threads(recorded).map_or(1, <[u16]>::len)
        };
        let mut open = state.sessions.open().peekable();
        open.peek().is_some() && open.all(waits)
    }

    /// Says whether what is asked comes next on its connection, or on one that it may be, so that `order: connection` would play it.
    pub(crate) fn has_a_turn(&self, state: &mut State, asked: &Entry) -> Result<bool, CassetteError> {
        if asked.method == Method::Connect {
            let groups = state.sessions.connects.agreeing(asked);
            return Ok(state.sessions.free().any(|connect| groups.contains(&connect.group)));
        }
        let Some(live) = state.sessions.live(asked.connection) else { return Ok(false) };
        let (session, idle, recorded) = (live.session, live.is_idle(), live.recorded(asked.statement));
        let mut cursor = self.own_cursor(state, session.connection);
        if self.candidate(&mut cursor, asked, recorded).is_ok() {
            return Ok(true);
        }
        if idle && self.is_played(state, session.connection)? {
            return Ok(self.next_leg(state, asked).is_some());
        }
        let Some(past) = self.past(state, asked.connection, session) else { return Ok(false) };
        for choice in state.sessions.choices(asked.connection) {
            if self.goes_on_with(state, asked.connection, (session, choice.session), &past, asked)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Says whether what is asked comes later among the commands that several threads did on a connection. If threads
    /// begin alike, one may have taken what another is still to ask for. It can go on when that other thread has come.
    fn stands_later(&self, state: &mut State, asked: &Entry) -> Result<bool, CassetteError> {
        let Some(live) = state.sessions.live(asked.connection) else { return Ok(false) };
        let (connection, _) = live.recorded(None);
        if self.index.threads(connection).is_none() || asked.method.is_rows() {
            return Ok(false);
        }
        let cursor = self.own_cursor(state, connection);
        for position in cursor.rest(&self.index) {
            let slot = self.index.slot(position);
            if slot.method == asked.method
                && !cursor.passed(&self.index, position)
                && self.comparison.difference(&sets::entry(&*self.store, slot.place())?, asked).is_none()
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns the cursor of a recorded connection alone, as far as it is played.
    pub(crate) fn own_cursor(&self, state: &mut State, connection: ConnectionId) -> Cursor {
        match self.order {
            Order::Global => state.whole.of_connection(&self.index, connection),
            Order::Connection | Order::Any => state.cursor(self.order, &self.index, connection).clone(),
        }
    }
}
