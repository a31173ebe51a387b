//! Correcting the guess which recorded connection a live one is.
//!
//! A live connection that asks for something else than its leg has next may have another leg: one that begins with all
//! that was played so far and goes on with what is asked. If a live connection has that one, it has to find another for
//! itself, perhaps the one that becomes free: a path of moves, as for any matching of two sets.

use super::claims::Leg;
use super::lane::Lane;
use super::{Player, State};
use crate::metadata::Order;
use crate::{CassetteError, ConnectionId, Entry};

impl Player {
    /// Gives a live connection another leg that goes on with what is asked; `only` on this recorded connection. False if
    /// there is none.
    pub(super) fn exchange(
        &self,
        state: &mut State,
        live: ConnectionId,
        asked: &Entry,
        only: Option<ConnectionId>,
    ) -> Result<bool, CassetteError> {
        let Some(left) = state.claims.live(live).map(|live| live.leg) else { return Ok(false) };
        let Some(played) = self.played(state, left) else { return Ok(false) };
        for choice in state.claims.choices(live) {
            if only.is_some_and(|only| only != choice.leg.connection)
                || !self.reached(state, choice.leg)
                || !self.goes_on_with(state, live, choice.leg, played, asked)
                || !self.same_history(left, choice.leg, played)?
            {
                continue;
            }
            let vacated = match choice.holder {
                None => true,
                Some(holder) => self.rehome(state, holder, left, &mut vec![choice.leg])?,
            };
            if vacated {
                self.move_to(state, live, choice.leg, played);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Finds another leg for a live connection: the one that becomes vacant, one that is free, or somebody else's.
    fn rehome(
        &self,
        state: &mut State,
        live: ConnectionId,
        vacant: Leg,
        seen: &mut Vec<Leg>,
    ) -> Result<bool, CassetteError> {
        let Some(leg) = state.claims.live(live).map(|live| live.leg) else { return Ok(false) };
        let Some(played) = self.played(state, leg) else { return Ok(false) };
        if state.claims.may_be(live, vacant) && self.same_history(leg, vacant, played)? {
            self.move_to(state, live, vacant, played);
            return Ok(true);
        }
        for choice in state.claims.choices(live) {
            if seen.contains(&choice.leg)
                || choice.leg == vacant
                || !self.reached(state, choice.leg)
                || !self.same_history(leg, choice.leg, played)?
            {
                continue;
            }
            seen.push(choice.leg);
            let found = match choice.holder {
                None => true,
                Some(holder) => self.rehome(state, holder, vacant, seen)?,
            };
            if found {
                self.move_to(state, live, choice.leg, played);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a leg, after so many of its commands, goes on with what is asked.
    pub(super) fn goes_on_with(
        &self,
        state: &State,
        live: ConnectionId,
        leg: Leg,
        played: usize,
        asked: &Entry,
    ) -> bool {
        let Some(live) = state.claims.live(live) else { return false };
        let mut lane = Lane::advanced(&self.index, leg.connection, leg.begin + played);
        self.offer(&mut lane, asked, live.recorded_under(leg, asked.statement)).is_ok()
    }

    /// Under `order: global`, a connection cannot be one whose connect is still to come.
    fn reached(&self, state: &State, leg: Leg) -> bool {
        let connect = state.claims.connects.of(leg.connection);
        match self.order {
            Order::Global => connect.is_some_and(|connect| state.whole.passed(&self.index, connect.position)),
            Order::Connection => true,
        }
    }

    pub(super) fn move_to(&self, state: &mut State, live: ConnectionId, leg: Leg, played: usize) {
        let left = state.claims.moves(live, leg);
        if self.order == Order::Connection {
            match left {
                Some(left) if left.begin == 1 => _ = state.lanes.remove(&left.connection),
                Some(left) => {
                    let lane = Lane::advanced(&self.index, left.connection, left.begin);
                    state.lanes.insert(left.connection, lane);
                }
                None => {}
            }
            let lane = Lane::advanced(&self.index, leg.connection, leg.begin + played);
            state.lanes.insert(leg.connection, lane);
        }
    }
}
