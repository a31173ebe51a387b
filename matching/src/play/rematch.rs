//! Corrects the guess which recorded connection a live one is.
//!
//! A live connection that asks for something else than its session has next may have another session: one that begins with
//! everything played so far and goes on with what is asked. If another live connection has that session, that one must find
//! a different one for itself, perhaps the one that becomes free. This is a path of moves, as in any matching of two sets.

use std::sync::Arc;

use crate::compare::mismatch::Scene;
use crate::log::cursor::Cursor;
use crate::play::history::Past;
use crate::play::log_player::LogPlayer;
use crate::sessions::matcher::Session;
use crate::sessions::state::State;
use crate::values::bindings::{Bindings, Contradiction, User};
use super8_cassette::metadata::Order;
use super8_cassette::{CassetteError, ConnectionId, Entry};

impl LogPlayer {
    /// Gives a live connection another session that goes on with what is asked. With `only`, the session must be on
    /// that recorded connection. Returns false if there is none.
    pub(crate) fn rematch(
        &self,
        state: &mut State,
        live: ConnectionId,
        asked: &Entry,
        only: Option<ConnectionId>,
    ) -> Result<bool, CassetteError> {
        self.moving(state, |player, state| player.rematched(state, live, asked, only))
    }

    /// Runs `moves`, which may move live connections to other sessions, and renames bound values to those of the new sessions.
    pub(crate) fn moving(
        &self,
        state: &mut State,
        moves: impl FnOnce(&LogPlayer, &mut State) -> Result<bool, CassetteError>,
    ) -> Result<bool, CassetteError> {
        let (bound, struck) = (self.comparison.bindings.are_any(), self.faults.have_struck());
        if !bound && !struck {
            return moves(self, state);
        }
        let before = state.sessions.held();
        let done = moves(self, state)?;
        let is_of = |(live, was): (ConnectionId, Session)| {
            let is = state.sessions.live(live).map(|live| live.session).filter(|is| *is != was)?;
            Some((live, was, is))
        };
        let moved: Vec<_> = before.iter().copied().filter(|_| done).filter_map(is_of).collect();
        if struck {
            self.faults_follow(state, &moved)?;
        }
        if bound && !moved.is_empty() {
            self.settle(state, &before)?;
        }
        Ok(done)
    }

    /// After live connections went to other sessions: renames bound values to those of the new sessions. A connection that has used one
    /// of them has to go along, or the value keeps its meaning, and that is a mismatch.
    fn settle(&self, state: &mut State, before: &[(ConnectionId, Session)]) -> Result<(), CassetteError> {
        for _ in 0..=before.len() {
            let mut moved = Vec::new();
            for (live, was) in before.iter().copied() {
                let Some(is) = state.sessions.live(live).map(|live| live.session).filter(|is| *is != was) else {
                    continue;
                };
                let past = self.past_with_rows(state, live, is).unwrap_or_else(|| Past::first(0));
                // binds the recorded values of `is` to those of `was`
                moved.extend(self.as_another(was, is, &past)?.map(|bindings| (live, bindings)));
            }
            let Some(contradiction) = self.comparison.bindings.contradictions(&moved).into_iter().next() else {
                self.comparison.bindings.rename(&moved);
                return Ok(());
            };
            let goes_along = match contradiction.user {
                User::Live(user) if moved.iter().all(|(live, _)| *live != user) => {
                    self.goes_along(state, user, &contradiction, &moved)?
                }
                _ => false,
            };
            if !goes_along {
                state.contradiction.get_or_insert(contradiction.text);
                return Ok(());
            }
        }
        Ok(())
    }

    /// Gives a live connection that has used a value a session where it has the new meaning.
    fn goes_along(
        &self,
        state: &mut State,
        live: ConnectionId,
        contradiction: &Contradiction,
        moved: &[(ConnectionId, Bindings)],
    ) -> Result<bool, CassetteError> {
        let Some(own) = state.sessions.live(live).map(|live| live.session) else { return Ok(false) };
        let Some(past) = self.past_with_rows(state, live, own) else { return Ok(false) };
        for choice in state.sessions.choices(live) {
            let is_moved = |holder: ConnectionId| moved.iter().any(|(live, _)| *live == holder);
            if choice.holder.is_some_and(is_moved) || !self.reached(state, choice.session, &past) {
                continue;
            }
            let Some(bindings) = self.as_another(own, choice.session, &past)? else { continue };
            if !bindings.agree_with(contradiction) {
                continue;
            }
            let is_free = match choice.holder {
                None => true,
                Some(holder) => self.rehome(state, holder, own, &mut vec![choice.session])?,
            };
            if is_free {
                self.move_to(state, live, choice.session, past.played);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Says whether a live connection cannot have a session because of a value that was used by one whose session is certain.
    pub(crate) fn is_read_otherwise(&self, state: &State, live: ConnectionId, moved: Bindings) -> bool {
        let found = self.comparison.bindings.contradictions(&[(live, moved)]);
        let found = found.into_iter().find(|found| match found.user {
            User::Live(user) => state.sessions.live(user).is_none(),
            User::Process => true,
        });
        if let Some(found) = &found {
            state.refused.lock().get_or_insert_with(|| found.text.clone());
        }
        found.is_some()
    }

    fn rematched(
        &self,
        state: &mut State,
        live: ConnectionId,
        asked: &Entry,
        only: Option<ConnectionId>,
    ) -> Result<bool, CassetteError> {
        let Some(left) = state.sessions.live(live).map(|live| live.session) else { return Ok(false) };
        let Some(past) = self.past(state, live, left) else { return Ok(false) };
        for choice in state.sessions.choices(live) {
            if only.is_some_and(|only| only != choice.session.connection)
                || !self.reached(state, choice.session, &past)
                || !self.goes_on_with(state, live, (left, choice.session), &past, asked)?
            {
                continue;
            }
            let vacated = match choice.holder {
                None => true,
                Some(holder) => self.rehome(state, holder, left, &mut vec![choice.session])?,
            };
            if vacated {
                self.move_to(state, live, choice.session, past.played);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Finds another session for a live connection: the one that becomes vacant, a free one, or that of another live connection.
    pub(crate) fn rehome(
        &self,
        state: &mut State,
        live: ConnectionId,
        vacant: Session,
        seen: &mut Vec<Session>,
    ) -> Result<bool, CassetteError> {
        let Some(session) = state.sessions.live(live).map(|live| live.session) else { return Ok(false) };
        let Some(past) = self.past_with_rows(state, live, session) else { return Ok(false) };
        if state.sessions.may_be(live, vacant)
            && self.reached(state, vacant, &past)
            && !self.is_done_twice(vacant, &past)
            && self.same_history(session, vacant, &past)?
        {
            self.move_to(state, live, vacant, past.played);
            return Ok(true);
        }
        for choice in state.sessions.choices(live) {
            if seen.contains(&choice.session)
                || choice.session == vacant
                || !self.reached(state, choice.session, &past)
                || !self.same_history(session, choice.session, &past)?
            {
                continue;
            }
            seen.push(choice.session);
            let found = match choice.holder {
                None => true,
                Some(holder) => self.rehome(state, holder, vacant, seen)?,
            };
            if found {
                self.move_to(state, live, choice.session, past.played);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Says whether a live connection could have played what it has on the second session as on the first, and that one goes on with what
    /// is asked.
    pub(crate) fn goes_on_with(
        &self,
        state: &State,
        live: ConnectionId,
        (left, session): (Session, Session),
        past: &Past,
        asked: &Entry,
    ) -> Result<bool, CassetteError> {
        let Some(live) = state.sessions.live(live) else { return Ok(false) };
        if self.faults.have_struck() && !self.comparison.bindings.are_any() {
            return match self.goes_on_after_fault(state, asked, session, past.played) {
                Ok(goes_on) => Ok(goes_on && self.same_history(left, session, past)?),
                Err(Scene::Unreadable(error)) => Err(error),
                Err(_) => Ok(false),
            };
        }
        let mut cursor = Cursor::advanced(&self.index, session.connection, session.begin + past.played);
        let recorded = live.recorded_under(session, asked.statement);
        if !self.comparison.bindings.are_any() {
            return Ok(self.candidate(&mut cursor, asked, recorded).is_ok() && self.same_history(left, session, past)?);
        }
        let Some(moved) = self.as_another(left, session, past)? else { return Ok(false) };
        cursor.bindings = Some(Arc::new(self.comparison.bindings.renamed(&moved)));
        Ok(self.candidate(&mut cursor, asked, recorded).is_ok()
            && !self.is_read_otherwise(state, asked.connection, moved))
    }

    /// Says whether a session is as far as a connection that would take it over. Under `order: global` the whole log says how far
    /// each is: a connection can be neither one whose connect is still to come nor one of which more or less is played, because
    /// nobody would be left to play the rest. After a fault commands are played again, and only the connect counts.
    fn reached(&self, state: &mut State, session: Session, past: &Past) -> bool {
        if self.order != Order::Global {
            return true;
        }
        let connect = state.sessions.connects.of(session.connection);
        let passed = |position: u32| self.index.is_skippable(position) || state.whole.passed(&self.index, position);
        // an additional connection has no connect in the log
        connect.is_none_or(|connect| passed(connect.position))
            && (self.faults.have_struck() || self.played(state, session) == Some(past.played))
    }

    pub(crate) fn move_to(&self, state: &mut State, live: ConnectionId, session: Session, played: usize) {
        let was = state.sessions.live(live).map(|live| live.session);
        // the one that has its session now may have gone there before
        let is_own = |was: &Session| state.sessions.holder(was.connection) == Some(live);
        let was = was.filter(|was| self.order == Order::Connection && is_own(was));
        let reading = was.and_then(|was| {
            let cursor = state.cursor(self.order, &self.index, was.connection);
            (!cursor.rows_are_read()).then(|| self.reading_on(cursor, was, session))
        });
        let left = state.sessions.moves(live, session);
        if self.order == Order::Connection {
            if let Some(left) = left {
                // a session from the beginning of a connection is free again together with its connect
                let played = if left.begin == 1 { 0 } else { left.begin };
                let cursor = Cursor::advanced(&self.index, left.connection, played);
                state.lane_mut(&self.index, left.connection).cursor = cursor;
            }
            let advanced = || Cursor::advanced(&self.index, session.connection, session.begin + played);
            let cursor = reading.unwrap_or_else(advanced);
            state.lane_mut(&self.index, session.connection).cursor = cursor;
        }
    }

    /// A cursor at the same place of another session that is the same so far; rows that are being read are read on.
    fn reading_on(&self, cursor: &Cursor, was: Session, is: Session) -> Cursor {
        let theirs: Vec<u32> = self.index.commands_of(is.connection).skip(is.begin).collect();
        let mine: Vec<u32> = self.index.commands_of(was.connection).skip(was.begin).collect();
        cursor.moved(&self.index, &self.index, Some(is.connection), &|position| {
            let number = mine.partition_point(|command| *command < position);
            theirs.get(number).copied().unwrap_or(u32::MAX)
        })
    }
}
