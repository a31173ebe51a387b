//! Faults where several threads have connections that are alike: whose fault it is, and who repeats what failed.
//!
//! A place is the n-th command of a recorded connection. As long as connections have done the same, which of them is which recorded one
//! is a guess, so that the guess must not decide whether a fault strikes or counts as repeated:
//!
//! - The first connection that comes to such a place, and may be the recorded one, is it from then on.
//! - A connection that is given up is free again from its connect on, for whoever turns out to have it.
//! - A command that all the connections have is repeated when all of them have asked for it.
//! - What a connection leaves out after a fault, or does again, says nothing about which recorded one it is: what it has played does.
//! - What is known of a failed transaction, and of what is done for good, goes where the connections go.

use std::collections::BTreeSet;

use crate::compare::mismatch::Scene;
use crate::log::cursor::Cursor;
use crate::play::history::Past;
use crate::play::log_player::LogPlayer;
use crate::sessions::fault_places::{Done, FailedTransaction};
use crate::sessions::matcher::Session;
use crate::sessions::state::State;
use super8_cassette::metadata::Order;
use super8_cassette::{CassetteError, ConnectionId, Entry, Method};

/// A live connection that went from one session to another.
pub(crate) type Moved = (ConnectionId, Session, Session);

impl LogPlayer {
    /// Before a fault has struck: a live connection that may be the recorded one whose next command is to fail, is it.
    pub(crate) fn become_faulty(&self, state: &mut State, asked: &Entry) -> Result<(), CassetteError> {
        if self.order != Order::Connection || self.store.0.all.len() > 1 {
            return Ok(());
        }
        for position in self.faults.to_come() {
            let of = self.index.slot(position).connection();
            let Some(live) = state.sessions.live(asked.connection) else { return Ok(()) };
            let session = live.session;
            if session.connection == of || !state.sessions.may_be(asked.connection, Session::fresh(of)) {
                continue;
            }
            let Some(played) = self.played(state, session) else { continue };
            let number = self.index.commands_of(of).skip(1).position(|at| at == position);
            if number == Some(played) && self.rematch(state, asked.connection, asked, Some(of))? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The free connect that is to fail, if one is that is like the one which is to be taken.
    pub(crate) fn faulty_connect(&self, state: &State, taken: u32) -> Option<u32> {
        let connects = &state.sessions.connects;
        let group = state.sessions.free().find(|connect| connect.position == taken)?.group;
        let to_come = self.faults.to_come();
        let is_alike = |at: &u32| {
            state.sessions.free().any(|connect| connect.position == *at && connects.same_reply(connect.group, group))
        };
        to_come.into_iter().find(is_alike)
    }

    /// The places that cannot be told from the one at which a fault strikes, this one included. With a single thread, it is the only one:
    /// what comes first is then what came first.
    pub(crate) fn alike_places(
        &self,
        state: &State,
        asked: &Entry,
        position: u32,
    ) -> Result<BTreeSet<u32>, CassetteError> {
        let mut alike = BTreeSet::from([position]);
        if self.order != Order::Connection || super8_cassette::platform::has_one_thread() {
            return Ok(alike);
        }
        let connects = &state.sessions.connects;
        let slot = self.index.slot(position);
        let Some(own) = connects.of(slot.connection()).copied() else { return Ok(alike) };
        let Some(number) = self.index.commands_of(own.connection).position(|at| at == position) else {
            return Ok(alike);
        };
        let agreeing = if slot.method == Method::Connect { connects.agreeing(asked) } else { Vec::new() };
        for connect in connects.from(0).iter().filter(|connect| connect.succeeded && connect.position != own.position) {
            let session = Session::fresh(connect.connection);
            let may_be = match slot.method {
                Method::Connect => agreeing.contains(&connect.group) && connects.same_reply(connect.group, own.group),
                _ => state.sessions.may_be(asked.connection, session),
            };
            let Some(at) = self.index.commands_of(connect.connection).nth(number).filter(|_| may_be) else { continue };
            if self.same_history(Session::fresh(own.connection), session, &Past::first(number))? {
                alike.insert(at);
            }
        }
        Ok(alike)
    }

    /// Whether several connections are open, or still to come, that may be one another's.
    pub(crate) fn are_several(&self, state: &State, connection: ConnectionId) -> bool {
        let connects = &state.sessions.connects;
        let Some(own) = connects.of(connection) else { return false };
        let alike = connects.from(0).iter().filter(|connect| connects.same_reply(connect.group, own.group));
        self.order == Order::Connection && alike.take(2).count() == 2 && !super8_cassette::platform::has_one_thread()
    }

    /// Whether what was played at a position is the repetition of what failed: the connection that failed plays it, or all that cannot be
    /// told from it are behind it.
    pub(crate) fn is_repeated(&self, state: &mut State, live: Option<ConnectionId>, position: u32) -> bool {
        if !state.after.alike.contains(&position) {
            return false;
        }
        if live.is_some_and(|live| state.after.struck.contains(&live)) {
            state.after.are_all_behind = true;
            return true;
        }
        let others: Vec<u32> = state.after.alike.iter().copied().filter(|at| *at != position).collect();
        let are_all_behind = others.into_iter().all(|at| self.is_asked_for(state, at));
        // the others may come there again, which is not the repetition
        are_all_behind && !std::mem::replace(&mut state.after.are_all_behind, true)
    }

    /// Whether somebody has asked for a command that is like the failed one. The connection that failed has not: it asks for its own.
    fn is_asked_for(&self, state: &mut State, at: u32) -> bool {
        let slot = self.index.slot(at);
        if slot.method == Method::Connect {
            return state.sessions.is_taken(slot.connection());
        }
        let holder = state.sessions.holder(slot.connection());
        if holder.is_some_and(|live| state.after.struck.contains(&live)) {
            return false;
        }
        if let Some(seen) = holder.and_then(|live| state.after.seen.get(&live)) {
            let number = self.index.commands_of(slot.connection()).skip(1).position(|command| command == at);
            return number.is_some_and(|number| seen.contains(&number));
        }
        let cursor = state.cursor(self.order, &self.index, slot.connection());
        cursor.passed(&self.index, at) || cursor.is_handed(at)
    }

    /// Before a live connection goes on at another place of its session: what it leaves out there it has not done, and what it has done
    /// stays done when it goes back.
    pub(crate) fn note_jump(
        &self,
        state: &mut State,
        live: ConnectionId,
        (connection, here): (ConnectionId, usize),
        place: usize,
    ) -> Result<(), CassetteError> {
        let cursor = state.cursor(self.order, &self.index, connection);
        let is_left_out = |at: &u32| {
            let is_open = !cursor.passed(&self.index, *at) && !cursor.is_handed(*at);
            self.index.is_command(*at) && self.index.is_due(*at) && is_open
        };
        if place > here && !self.index.connection(connection)[here..place].iter().any(is_left_out) {
            return Ok(());
        }
        let Some(session) = state.sessions.live(live).map(|live| live.session) else { return Ok(()) };
        let played = self.played_with_rows(state, session).unwrap_or(0);
        state.after.seen.entry(live).or_insert_with(|| (0..played).collect());
        // it goes on with the work of one that is gone, although another one may have gone through its session since
        let mut transactions = std::mem::take(&mut state.after.transactions);
        for failed in &mut transactions {
            let was = failed.transaction.first().map(|at| Session::fresh(self.index.slot(*at).connection()));
            if let Some(was) = was
                && failed.live.iter().all(|of| state.sessions.live(*of).is_none())
                && (was == session || self.translate(failed, was, session)?)
            {
                failed.live.insert(live);
            }
        }
        state.after.transactions = transactions;
        Ok(())
    }

    /// After a live connection has played a command: notes it, if it has left out any.
    pub(crate) fn note_seen(&self, state: &mut State, live: ConnectionId, position: u32) {
        let Some(session) = state.sessions.live(live).map(|live| live.session) else { return };
        let Some(seen) = state.after.seen.get_mut(&live) else { return };
        let number = self.index.commands_of(session.connection).skip(session.begin).position(|at| at == position);
        seen.extend(number);
    }

    /// Plays what a live connection asks that its own session does not have: one that it may have as well, with all that it has played so
    /// far, has it later on. If another live connection has that session, it finds another one.
    pub(crate) fn step_as_another(&self, state: &mut State, asked: &Entry) -> Result<Option<(Session, usize)>, Scene> {
        let Some(own) = state.sessions.live(asked.connection).map(|live| live.session) else { return Ok(None) };
        let Some(past) = self.past(state, asked.connection, own) else { return Ok(None) };
        if let Some(found) = self.takes_up_elsewhere(state, asked, (own, &past))? {
            return Ok(Some(found));
        }
        for choice in state.sessions.choices(asked.connection) {
            let its = choice.session;
            if its.begin != 1 || self.is_done_twice(its, &past) || !self.same_history(own, its, &past)? {
                continue;
            }
            let first = self.index.commands_of(its.connection).nth(its.begin + past.played);
            let Some(place) = self.place_from(state, asked, its.connection, first)? else { continue };
            if self.changes_place(state, asked.connection, (own, its), choice.holder, past.played)? {
                return Ok(Some((its, place)));
            }
        }
        Ok(None)
    }

    /// Finds the first place of a recorded connection, from a command on, that has what is asked and is not done for good.
    fn place_from(
        &self,
        state: &State,
        asked: &Entry,
        connection: ConnectionId,
        first: Option<u32>,
    ) -> Result<Option<usize>, CassetteError> {
        let Some(first) = first else { return Ok(None) };
        for (place, at) in self.index.connection(connection).iter().copied().enumerate() {
            if at >= first
                && self.index.is_command(at)
                && self.is_asked(state, asked, at)?
                && !self.faults.is_done(&self.index, &*self.store, at)
            {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    /// The same for a live connection, which may be one in addition to those that were recorded.
    pub(crate) fn faults_of_several(&self, state: &State, live: ConnectionId) -> bool {
        state
            .sessions
            .live(live)
            .is_some_and(|live| self.are_several(state, state.sessions.like(live.session.connection)))
    }

    /// A connection that has nothing of its own to go on with has what one had at which a fault struck: a program may leave that
    /// open, and open another one.
    pub(crate) fn takes_over(&self, state: &mut State, asked: &Entry, session: Session) -> Result<bool, CassetteError> {
        let Some(past) = self.past(state, asked.connection, session) else { return Ok(false) };
        let struck: Vec<ConnectionId> =
            state.after.struck.iter().copied().filter(|of| *of != asked.connection).collect();
        for live in struck {
            let Some(of) = state.sessions.live(live).map(|live| live.session.connection) else { continue };
            let fresh = Session::fresh(of);
            if state.sessions.may_be(asked.connection, fresh)
                && self.goes_on_with(state, asked.connection, (session, fresh), &past, asked)?
            {
                self.give_up(state, live);
                return self.rematch(state, asked.connection, asked, Some(of));
            }
        }
        Ok(false)
    }

    /// A live connection is given up: its session is free again from its connect on.
    pub(crate) fn give_up(&self, state: &mut State, live: ConnectionId) {
        let Some(session) = state.sessions.live(live).map(|live| live.session) else { return };
        // what was not committed is undone, and nobody goes on with it there
        let left = |failed: &&mut FailedTransaction| failed.live.contains(&live);
        state.after.transactions.iter_mut().filter(left).for_each(|failed| failed.undone.clear());
        let place = state.cursor(self.order, &self.index, session.connection).place();
        let reached = state.after.reached.entry(session.connection).or_default();
        *reached = (*reached).max(place);
        state.lane_mut(&self.index, session.connection).cursor = Cursor::connection(&self.index, session.connection);
        if let Some(done) = self.faults.done().filter(|done| done.live == Some(live)) {
            self.faults.note_done(Done { live: None, ..done });
        }
        state.sessions.give_up(live);
    }

    /// After live connections went to other sessions: what is known of failed transactions goes with them.
    pub(crate) fn faults_follow(&self, state: &mut State, moved: &[Moved]) -> Result<(), CassetteError> {
        let mut transactions = std::mem::take(&mut state.after.transactions);
        for failed in &mut transactions {
            let its: Vec<&Moved> = moved.iter().filter(|(live, ..)| failed.live.contains(live)).collect();
            for (live, was, is) in its {
                let is_its = state.after.struck.contains(live) || state.after.seen.contains_key(live);
                if is_its && self.translate(failed, *was, *is)? {
                    continue;
                }
                failed.live.remove(live);
                failed.undone.clear();
            }
        }
        for failed in &mut transactions {
            let others: Vec<&Moved> = moved.iter().filter(|(live, ..)| !failed.live.contains(live)).collect();
            for (live, _, is) in others {
                // of several, one that did all as it was recorded goes on with its own work
                if self.faults_of_several(state, *live) && !state.after.seen.contains_key(live) {
                    continue;
                }
                let cursor = state.cursor(self.order, &self.index, is.connection);
                let of = |at: &&u32| self.index.slot(**at).connection() == is.connection;
                let again: BTreeSet<u32> = failed.transaction.iter().filter(of).copied().collect();
                let again: Vec<u32> = again.into_iter().filter(|at| cursor.passed(&self.index, *at)).collect();
                if !again.is_empty() {
                    failed.live.insert(*live);
                    failed.undone.clone_from(&failed.transaction);
                    again.iter().for_each(|at| _ = failed.undone.remove(at));
                }
            }
        }
        state.after.transactions = transactions;
        self.done_moves(state, moved)
    }

    /// After live connections went to other sessions: what is done for good is done on the session of the one that did it. If nobody goes
    /// on with that, and another one that did the same has the session now, it is done on the session which that one left.
    fn done_moves(&self, state: &mut State, moved: &[Moved]) -> Result<(), CassetteError> {
        let Some(done) = self.faults.done() else { return Ok(()) };
        let from = Session::fresh(done.connection);
        let mut to = from;
        match done.live {
            Some(live) => {
                let its = moved.iter().find(|(of, was, _)| *of == live && was.connection == from.connection);
                to = its.map_or(from, |(.., is)| *is);
            }
            None => {
                for _ in moved {
                    let Some((live, was, is)) = moved.iter().find(|(.., is)| is.connection == to.connection) else {
                        break;
                    };
                    let past = self.past_with_rows(state, *live, *is).unwrap_or_else(|| Past::first(usize::MAX));
                    if !self.is_done_twice(from, &past) {
                        break;
                    }
                    to = *was;
                }
            }
        }
        let number = self.index.commands_of(from.connection).take_while(|at| *at < done.before).count();
        let last = self.done_by_lost().map_or(0, |(_, number, _)| number);
        if to.connection != from.connection && self.same_history(from, to, &Past::first(last))? {
            let before = self.index.commands_of(to.connection).nth(number).unwrap_or(u32::MAX);
            self.faults.note_done(Done { connection: to.connection, before, ..done });
        }
        Ok(())
    }

    /// Whether a live connection cannot have a session, because it did itself what a lost one did there.
    pub(crate) fn is_done_twice(&self, session: Session, past: &Past) -> bool {
        self.done_by_lost().is_some_and(|(done, ..)| {
            let its = self.index.commands_of(session.connection).skip(1).enumerate();
            let its = its.filter(|(number, _)| past.has(*number));
            let is_done = |(_, at): (usize, u32)| self.faults.is_done(&self.index, &*self.store, at);
            done.connection == session.connection && its.into_iter().any(is_done)
        })
    }

    /// The last command that is done for good by a live connection which is lost, with its number on its recorded connection. `None` if
    /// somebody goes on with that work, or there is nothing.
    fn done_by_lost(&self) -> Option<(Done, usize, u32)> {
        let done = self.faults.done().filter(|done| done.live.is_none())?;
        let its = self.index.commands_of(done.connection).skip(1).take_while(|at| *at < done.before);
        let is_done = |(_, at): &(usize, u32)| self.faults.is_done(&self.index, &*self.store, *at);
        let (number, last) = its.enumerate().filter(is_done).last()?;
        Some((done, number + 1, last))
    }

    /// Before a live connection goes on at a later place of its session: if it goes on where another one was lost, it has the session of
    /// that one, whose beginning nobody does again. Returns the place there.
    pub(crate) fn takes_up(&self, state: &mut State, asked: &Entry) -> Result<Option<(Session, usize)>, Scene> {
        let Some(own) = state.sessions.live(asked.connection).map(|live| live.session) else { return Ok(None) };
        let Some((done, number, last)) = self.done_by_lost() else { return self.takes_failed(state, asked, own) };
        let its = Session::fresh(done.connection);
        if own.begin != 1 || own.connection == done.connection || !state.sessions.may_be(asked.connection, its) {
            return Ok(None);
        }
        let mut asked_at = None;
        for (place, at) in self.index.connection(done.connection).iter().copied().enumerate() {
            if at > last && self.index.is_command(at) && self.is_asked(state, asked, at)? {
                asked_at = Some(place);
                break;
            }
        }
        let (Some(place), Some(past)) = (asked_at, self.past(state, asked.connection, own)) else { return Ok(None) };
        if !self.same_history(own, its, &past)? {
            return Ok(None);
        }
        let moves = |player: &LogPlayer, state: &mut State| {
            let is_free = match state.sessions.holder(done.connection) {
                Some(holder) => player.rehome(state, holder, own, &mut vec![its])?,
                None => !state.sessions.is_taken(done.connection),
            };
            if is_free {
                player.move_to(state, asked.connection, its, number);
                player.faults.note_done(Done { live: Some(asked.connection), ..done });
            }
            Ok(is_free)
        };
        Ok(self.moving(state, moves)?.then_some((its, place)))
    }

    /// The same on another session: the lost one may as well have been that one, which alone has what is asked.
    fn takes_up_elsewhere(
        &self,
        state: &mut State,
        asked: &Entry,
        (own, past): (Session, &Past),
    ) -> Result<Option<(Session, usize)>, Scene> {
        let Some((done, number, _)) = self.done_by_lost() else { return Ok(None) };
        let was = Session::fresh(done.connection);
        let before = self.index.commands_of(done.connection).take_while(|at| *at < done.before).count();
        for choice in state.sessions.choices(asked.connection) {
            let its = choice.session;
            let first = self.index.commands_of(its.connection).nth(its.begin + number);
            if own.begin != 1
                || its.begin != 1
                || its == was
                || !self.same_history(was, its, &Past::first(number))?
                || !self.same_history(own, its, past)?
            {
                continue;
            }
            let Some(place) = self.place_from(state, asked, its.connection, first)? else { continue };
            let before = self.index.commands_of(its.connection).nth(before).unwrap_or(u32::MAX);
            self.faults.note_done(Done { live: Some(asked.connection), connection: its.connection, before });
            if self.changes_place(state, asked.connection, (own, its), choice.holder, number)? {
                return Ok(Some((its, place)));
            }
            self.faults.note_done(done);
        }
        Ok(None)
    }

    /// The same where nothing was done for good: it has the session in which the fault struck, if nobody has it any more.
    fn takes_failed(&self, state: &mut State, asked: &Entry, own: Session) -> Result<Option<(Session, usize)>, Scene> {
        let Some(failed) = state.after.fault.as_ref().map(|fault| fault.position) else { return Ok(None) };
        let its = Session::fresh(self.index.slot(failed).connection());
        let holder = state.sessions.holder(its.connection);
        if own.begin != 1
            || own.connection == its.connection
            || holder.is_some_and(|holder| state.after.struck.contains(&holder))
            || !state.sessions.may_be(asked.connection, its)
        {
            return Ok(None);
        }
        let Some(past) = self.past(state, asked.connection, own) else { return Ok(None) };
        let first = self.index.commands_of(its.connection).nth(its.begin + past.played);
        let Some(place) = self.place_from(state, asked, its.connection, first)? else { return Ok(None) };
        if !self.same_history(own, its, &past)? {
            return Ok(None);
        }
        Ok(self.changes_place(state, asked.connection, (own, its), holder, past.played)?.then_some((its, place)))
    }

    /// Gives a live connection the session of another one, or one that is free, if the other one finds one for itself.
    fn changes_place(
        &self,
        state: &mut State,
        live: ConnectionId,
        (own, its): (Session, Session),
        holder: Option<ConnectionId>,
        played: usize,
    ) -> Result<bool, CassetteError> {
        self.moving(state, |player, state| {
            let is_free = match holder {
                None => !state.sessions.is_past(its.connection),
                Some(holder) => player.rehome(state, holder, own, &mut vec![its])?,
            };
            if is_free {
                player.move_to(state, live, its, played);
            }
            Ok(is_free)
        })
    }

    /// A live connection goes on at a later place, in place of one that is lost: what that one did for good stands for what this one
    /// leaves out. The session of the other one is whole again, for whoever has it.
    pub(crate) fn done_follows(
        &self,
        state: &mut State,
        live: ConnectionId,
        connection: ConnectionId,
        place: usize,
    ) -> Result<(), CassetteError> {
        let Some((done, number, _)) = self.done_by_lost() else { return Ok(()) };
        let (was, is) = (Session::fresh(done.connection), Session::fresh(connection));
        let cursor = state.cursor(self.order, &self.index, connection);
        let leaves_out = |last: u32| {
            !cursor.passed(&self.index, last)
                && self.index.connection(connection).get(place).is_some_and(|at| *at > last)
        };
        let last = self.index.commands_of(connection).nth(number);
        if let Some(last) = last.filter(|last| leaves_out(*last))
            && (was == is || self.same_history(was, is, &Past::first(number))?)
        {
            self.faults.note_done(Done { live: Some(live), connection, before: last + 1 });
        }
        Ok(())
    }

    /// Puts a failed transaction on another connection that did the same. False if that did something else.
    fn translate(&self, failed: &mut FailedTransaction, was: Session, is: Session) -> Result<bool, CassetteError> {
        let on_it = |at: &u32| self.index.slot(*at).connection() == was.connection;
        let all: BTreeSet<u32> = failed.transaction.union(&failed.undone).copied().filter(on_it).collect();
        let Some(last) = all.last() else { return Ok(true) };
        let number = self.index.commands_of(was.connection).skip(1).position(|at| at == *last);
        let number = number.map_or(0, |number| number + 1);
        if !self.same_history(Session::fresh(was.connection), Session::fresh(is.connection), &Past::first(number))? {
            return Ok(false);
        }
        let there = |at: &u32| self.same_place(was, is, *at).unwrap_or(*at);
        failed.transaction = failed.transaction.iter().map(there).collect();
        failed.undone = failed.undone.iter().map(there).collect();
        Ok(true)
    }

    /// The command of another connection that has the same number.
    fn same_place(&self, was: Session, is: Session, position: u32) -> Option<u32> {
        let number = self.index.commands_of(was.connection).position(|at| at == position)?;
        self.index.commands_of(is.connection).nth(number)
    }

    /// Whether what comes next on a session, after so many of its commands, is what is asked of a live connection after a fault: its
    /// statements may have other numbers.
    pub(crate) fn goes_on_after_fault(
        &self,
        state: &State,
        asked: &Entry,
        session: Session,
        played: usize,
    ) -> Result<bool, Scene> {
        let mut coming = self.index.commands_of(session.connection).skip(session.begin + played);
        let Some(next) = coming.find(|position| self.index.is_due(*position)) else { return Ok(false) };
        Ok(!self.faults.is_done(&self.index, &*self.store, next) && self.is_asked(state, asked, next)?)
    }
}
