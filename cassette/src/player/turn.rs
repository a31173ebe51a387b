//! Waiting for one's turn, under `order: global` and among threads that share a connection: of several threads one may come
//! too early. It waits, for a bounded time, until the others have played what comes before, or until somebody had the first
//! mismatch.
//!
//! Nobody waits in vain if that can be seen: in a process with a single thread, or when every connection waits and there is
//! none left to open. If every connection waits and there is, it may be opened before its turn: of several threads with
//! the same connect arguments, the one whose command is next may come late.

use std::time::{Duration, Instant};

use parking_lot::MutexGuard;

use super::cursor::Cursor;
use super::log_player::LogPlayer;
use super::mismatch::Scene;
use super::state::{Call, State, Turn};
use crate::metadata::Order;
use crate::{CassetteError, ConnectionId, Entry, Method, sets};

/// How long at most until the next look. Rows are read without the player's lock, so the last one of a run wakes nobody.
const LOOK: Duration = Duration::from_millis(2);

impl LogPlayer {
    /// Waits a while if the turn of what is asked may come. False if it does not, or did not come in time.
    pub(super) fn wait(
        &self,
        turn: &mut Turn,
        state: &mut MutexGuard<'_, State>,
        asked: &Entry,
        scene: &Scene,
    ) -> Result<bool, CassetteError> {
        if self.wait.is_zero() || matches!(scene, Scene::Unreadable(_)) {
            return Ok(false);
        }
        let until = match turn.until {
            Some(until) => until,
            None => {
                let may_come = !crate::process::has_one_thread()
                    && match self.order {
                        Order::Global => self.has_a_turn(state, asked)? || self.stands_later(state, asked)?,
                        Order::Connection | Order::Any => self.stands_later(state, asked)?,
                    };
                if !may_come {
                    return Ok(false);
                }
                *turn.until.insert(Instant::now() + self.wait)
            }
        };
        let left = until.saturating_duration_since(Instant::now());
        let connects = asked.method == Method::Connect;
        let waiting = &mut state.waiting;
        waiting.tries += 1;
        let (played, last) = (waiting.played, waiting.tries);
        let since = turn.since.filter(|(then, _)| *then == played);
        let (_, first) = *turn.since.insert(since.unwrap_or((played, last)));
        let thread = crate::process::thread();
        let call = Call { of: (!connects).then_some(asked.connection), thread, first, last };
        waiting.calls.push(call);
        let all_wait = self.all_wait(state);
        state.waiting.early = connects && all_wait && self.has_a_turn(state, asked)?;
        let another = state.sessions.free().next().is_some() || state.sessions.has_rests();
        let waits = !left.is_zero() && (!all_wait || another);
        if waits && !state.waiting.early {
            self.played.wait_for(state, left.min(LOOK));
        }
        state.waiting.calls.retain(|other| *other != call);
        Ok(waits)
    }

    /// Something was played: whose turn it is now goes on.
    pub(super) fn next_turn(&self, state: &mut State) {
        state.waiting.played += 1;
        if !state.waiting.calls.is_empty() {
            self.played.notify_all();
        }
    }

    /// Whether every open connection waits for its turn, and has tried since all of them wait: rows may have come to their
    /// end before.
    fn all_wait(&self, state: &State) -> bool {
        let calls = &state.waiting.calls;
        let all = calls.iter().map(|call| call.first).max().unwrap_or(0);
        let waits = |open| {
            let mut waiting: Vec<u32> =
                calls.iter().filter(|call| call.of == Some(open) && call.last > all).map(|call| call.thread).collect();
            waiting.sort_unstable();
            waiting.dedup();
            // where several threads use a connection, each of them
            let recorded = state.recorded(open, None).0;
            waiting.len() >= self.index.threads(recorded).map_or(1, <[u16]>::len)
        };
        let mut open = state.sessions.open().peekable();
        open.peek().is_some() && open.all(waits)
    }

    /// Whether what is asked is next for its connection, or for one that it may be: `order: connection` would take it.
    pub(super) fn has_a_turn(&self, state: &mut State, asked: &Entry) -> Result<bool, CassetteError> {
        if asked.method == Method::Connect {
            let groups = state.sessions.connects.agreeing(asked);
            return Ok(state.sessions.free().any(|connect| groups.contains(&connect.group)));
        }
        let Some(live) = state.sessions.live(asked.connection) else { return Ok(false) };
        let (session, idle, recorded) = (live.session, live.idle, live.recorded(asked.statement));
        let mut cursor = self.own_cursor(state, session.connection);
        if self.candidate(&mut cursor, asked, recorded).is_ok() {
            return Ok(true);
        }
        if idle && self.is_played(state, session.connection)? {
            return Ok(self.next_leg(state, asked).is_some());
        }
        let Some(played) = self.played(state, session) else { return Ok(false) };
        for choice in state.sessions.choices(asked.connection) {
            if self.goes_on_with(state, asked.connection, (session, choice.session), played, asked)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether what is asked stands further on among what several threads did on a connection. Of threads that begin alike, one may
    /// have taken what another one is still to ask for: it goes on when that one has come.
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
                && self.comparison.difference(&sets::entry(&*self.storage, slot.place())?, asked).is_none()
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The cursor of a recorded connection alone, as far as it is played.
    pub(super) fn own_cursor(&self, state: &mut State, connection: ConnectionId) -> Cursor {
        match self.order {
            Order::Global => state.whole.of_connection(&self.index, connection),
            Order::Connection | Order::Any => state.cursor(self.order, &self.index, connection).clone(),
        }
    }
}
