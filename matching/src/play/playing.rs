//! One step of playing: looks for what a live connection asks in the cursor that it must come from, on the recorded
//! connection that the live one is taken for, or on another one that it turns out to be.

use std::sync::Arc;

use crate::compare::mismatch::Scene;
use crate::log::cursor::{Candidate, Cursor, Next, Taken};
use crate::log::rows::Progress;
use crate::play::history::Past;
use crate::play::log_player::LogPlayer;
use crate::sessions::matcher::Session;
use crate::sessions::matcher::{Connect, Group};
use crate::sessions::state::State;
use super8_cassette::metadata::Order;
use super8_cassette::{CassetteError, ConnectionId, Entry, Method};

impl LogPlayer {
    /// Plays a connect. The returned entry has the live connection's id.
    pub(crate) fn step_connect(&self, state: &mut State, asked: &Entry) -> Result<Entry, Scene> {
        if self.faults.have_struck()
            && let Some(resumed) = self.resume(state, asked)?
        {
            return Ok(resumed);
        }
        let groups = state.sessions.connects.agreeing(asked);
        let early = std::mem::take(&mut state.waiting.early);
        let next = state.whole.next(&self.index, &*self.store);
        let mut due = u32::MAX;
        let free = match self.order {
            // only the next command counts, if it is such a connect
            Order::Global => match next? {
                Next::Command { position, .. } => {
                    due = position;
                    state.sessions.free().find(|connect| connect.position == position)
                }
                Next::Rows { position, .. } => {
                    due = position;
                    None
                }
                Next::End => None,
            },
            Order::Connection | Order::Any => {
                let agrees = |connect: &&Connect| groups.contains(&connect.group);
                state.sessions.connects.best(state.sessions.free().filter(agrees), asked)
            }
        };
        let agrees = |connect: &&Connect| groups.contains(&connect.group);
        let free = free.filter(|connect| agrees(connect)).copied();
        let faulty = free.and_then(|connect| self.faulty_connect(state, connect.position));
        let faulty = faulty.and_then(|at| state.sessions.free().find(|connect| connect.position == at));
        let free = faulty.filter(|connect| agrees(connect) && self.order == Order::Connection).copied().or(free);
        // The connect of a connection that was asked nothing has no turn. If it stands before the next command, it comes first,
        // as it did in the recording. Any other such connect is taken only if there is nothing else.
        let is_spare = |connect: &&Connect| self.index.is_skippable(connect.position);
        let spares = || state.sessions.free().filter(agrees).filter(is_spare);
        let earlier = match self.order {
            Order::Global => {
                let earlier = spares().filter(|connect| connect.position < due);
                state.sessions.connects.best(earlier, asked).copied()
            }
            Order::Connection | Order::Any => None,
        };
        let others = || state.sessions.free().filter(agrees).any(|connect| !is_spare(&connect));
        let free = earlier.or(free).or_else(|| if others() { None } else { spares().next().copied() });
        let (session, entry) = match free {
            Some(connect) if is_spare(&&connect) => {
                let entry = self.store.checked_entry(self.index.slot(connect.position).place())?;
                self.strike(connect.position, &entry, false)?;
                (Session::fresh(connect.connection), entry)
            }
            Some(connect) => {
                let cursor = state.cursor(self.order, &self.index, connect.connection);
                // another entry of this connection may stand before its connect
                let candidate = self.candidate(cursor, asked, (connect.connection, None))?;
                self.take(&candidate, cursor, asked)?;
                let Candidate::Command { entry, .. } = candidate else { return Err(Scene::Exhausted) };
                (Session::fresh(connect.connection), entry)
            }
            None if early => return self.connect_early(state, groups),
            None => {
                let rest = state.sessions.remainders(&groups).next();
                let connect = rest.and_then(|rest| state.sessions.connects.of(rest.connection));
                match (rest, connect) {
                    (Some(rest), Some(connect)) => {
                        (rest, self.store.checked_entry(self.index.slot(connect.position).place())?)
                    }
                    // one connection more than recorded makes no difference while it is asked nothing
                    _ if (state.choosing.is_none() || self.order == Order::Any)
                        && !state.sessions.free().any(|connect| groups.contains(&connect.group)) =>
                    {
                        let Some((live, like)) = state.sessions.opened_in_addition(&groups) else {
                            return Err(self.no_connect(state));
                        };
                        let entry = self.store.checked_entry(self.index.slot(like.position).place())?;
                        return Ok(Entry { connection: live, ..entry });
                    }
                    _ => return Err(self.no_connect(state)),
                }
            }
        };
        if self.faults.have_struck() {
            self.note_connect(state, session.connection, asked);
        }
        let live = state.sessions.opened(groups, session);
        Ok(Entry { connection: live, ..entry })
    }

    /// Plays a connect before its turn: see `turn`.
    fn connect_early(&self, state: &mut State, groups: Vec<Group>) -> Result<Entry, Scene> {
        let free = state.sessions.free().find(|connect| groups.contains(&connect.group)).copied();
        let Some(connect) = free else { return Err(self.no_connect(state)) };
        let entry = self.store.checked_entry(self.index.slot(connect.position).place())?;
        state.whole.played_early(connect.position);
        let live = state.sessions.opened(groups, Session::fresh(connect.connection));
        Ok(Entry { connection: live, ..entry })
    }

    fn no_connect(&self, state: &mut State) -> Scene {
        match self.order {
            Order::Global => match state.whole.next(&self.index, &*self.store) {
                Ok(Next::End) => state
                    .sessions
                    .free()
                    .next()
                    .map_or(Scene::Exhausted, |connect| Scene::Command { position: connect.position }),
                Ok(next) => Scene::of(next),
                Err(error) => error.into(),
            },
            Order::Connection | Order::Any => state
                .sessions
                .free()
                .next()
                .map_or(Scene::Exhausted, |connect| Scene::Command { position: connect.position }),
        }
    }

    /// Plays what is asked if it is what this connection has next, without locking out the other connections. `None`
    /// does not mean a mismatch, only that other connections may matter.
    pub(crate) fn step_beside(&self, asked: &Entry) -> Option<Taken> {
        let may_depend = asked.method == Method::SetConnectAttr || self.faults.are_any() || self.is_by_hand();
        if self.order != Order::Connection || may_depend {
            return None;
        }
        let state = self.state.read();
        if state.sticky.is_some() || state.choosing.is_some() {
            return None;
        }
        let live = state.sessions.live(asked.connection)?;
        let recorded = live.recorded(asked.statement);
        if self.index.threads(recorded.0).is_some() {
            return None;
        }
        let lane = &mut *state.lane(recorded.0)?.lock();
        let candidate = self.candidate(&mut lane.cursor, asked, recorded).ok()?;
        let progress = self.take(&candidate, &mut lane.cursor, asked).ok()?;
        live.uses(asked.statement);
        live.plays(asked.method);
        if let Some(statement) = recorded.1.filter(|_| !asked.method.is_rows()) {
            lane.closes.remove(&statement);
        }
        self.next_turn_beside(&state);
        self.look_at_the_rest(&state, lane.cursor.left(&self.index));
        Some((candidate, progress))
    }

    /// Plays a command or a fetch. The ids in `asked` are those of the live connection.
    pub(crate) fn step(&self, state: &mut State, asked: &Entry) -> Result<Taken, Scene> {
        match self.faults.have_struck() {
            true => self.step_after_fault(state, asked),
            false => {
                self.become_faulty(state, asked)?;
                self.step_in_order(state, asked)
            }
        }
    }

    /// Plays a step as it was recorded, without a fault.
    pub(crate) fn step_in_order(&self, state: &mut State, asked: &Entry) -> Result<Taken, Scene> {
        let takes_over = std::mem::take(&mut state.waiting.takes_over);
        let Some(live) = state.sessions.live(asked.connection) else { return Err(Scene::Exhausted) };
        let (recorded, threads) = (live.recorded(asked.statement), live.threads());
        let cursor = state.cursor(self.order, &self.index, recorded.0);
        cursor.threads = if takes_over { (None, Vec::new()) } else { threads };
        let scene = match self.candidate(cursor, asked, recorded) {
            Ok(candidate) => {
                let progress = self.take(&candidate, cursor, asked)?;
                return Ok(self.taken(state, asked, candidate, progress));
            }
            Err(scene) => scene,
        };
        if let Scene::Unreadable(_) = scene {
            return Err(scene);
        }
        // after a fault, a repeated command is the recorded one
        if !self.faults.have_struck() && self.is_skippable(state, asked)? {
            return Ok(self.taken(state, asked, Candidate::Skippable, None));
        }
        if let Some(found) = self.step_pooled(state, asked)? {
            return Ok(found);
        }
        if let Scene::Command { position } = scene
            && self.is_its_connect(state, asked.connection, position)?
        {
            return self.step_in_order(state, asked);
        }
        let only = match (self.order, &scene) {
            (Order::Connection | Order::Any, _) => None,
            (Order::Global, Scene::Command { position } | Scene::Rows { position, .. }) => {
                Some(self.index.slot(*position).connection())
            }
            (Order::Global, _) => return Err(scene),
        };
        if only == Some(recorded.0)
            || (self.order == Order::Global && !takes_over && self.is_next_of_its_own(state, asked, recorded))
            || !self.rematch(state, asked.connection, asked, only)?
        {
            return Err(scene);
        }
        let Some(live) = state.sessions.live(asked.connection) else { return Err(scene) };
        let recorded = live.recorded(asked.statement);
        let cursor = state.cursor(self.order, &self.index, recorded.0);
        let candidate = self.candidate(cursor, asked, recorded)?;
        let progress = self.take(&candidate, cursor, asked)?;
        Ok(self.taken(state, asked, candidate, progress))
    }

    /// Says whether a connection asks what its own session has next. If another session has the same next, and it is that one's turn,
    /// the connection that has that session will ask for it.
    fn is_next_of_its_own(&self, state: &mut State, asked: &Entry, recorded: (ConnectionId, Option<u32>)) -> bool {
        let mut cursor = self.own_cursor(state, recorded.0);
        self.candidate(&mut cursor, asked, recorded).is_ok()
    }

    /// Says whether a live connection that was taken for a spare, and is now asked something, is in fact the one whose
    /// connect comes next: the program made it before its turn. If so, it takes that connect.
    fn is_its_connect(&self, state: &mut State, live: ConnectionId, position: u32) -> Result<bool, CassetteError> {
        let slot = self.index.slot(position);
        let Some(session) = state.sessions.live(live).map(|live| live.session) else { return Ok(false) };
        if self.order != Order::Global
            || slot.method != Method::Connect
            || !state.sessions.is_spare(&self.index, session)
        {
            return Ok(false);
        }
        let next = Session::fresh(slot.connection());
        let is_free = state.sessions.free().any(|connect| connect.position == position);
        if !is_free || !state.sessions.may_be(live, next) {
            return Ok(false);
        }
        state.sessions.moves(live, next);
        state.whole.played(&self.index, position as usize);
        // replay what was set on it while it was taken for a spare
        for asked in state.sessions.live_mut(live).map(|live| std::mem::take(&mut live.set)).unwrap_or_default() {
            let Ok(candidate) = self.candidate(&mut state.whole, &asked, (next.connection, None)) else { break };
            if self.take(&candidate, &mut state.whole, &asked).is_err() {
                break;
            }
        }
        Ok(true)
    }

    /// Says whether a command may be played though it was not recorded: the end of a transaction in which nothing was
    /// done, or an attribute set on a spare connection.
    fn is_skippable(&self, state: &State, asked: &Entry) -> Result<bool, Scene> {
        let Some(live) = state.sessions.live(asked.connection) else { return Ok(false) };
        // with several parts, everything the process does helps to tell which part it plays
        if self.store.0.all.len() > 1 {
            return Ok(false);
        }
        if live.ends_nothing(asked.method) {
            return Ok(true);
        }
        let session = live.session;
        if asked.method != Method::SetConnectAttr || !state.sessions.is_spare(&self.index, session) {
            return Ok(false);
        }
        // on a recorded spare, compare with what was set there
        let mut other = None;
        for position in self.index.commands_of(session.connection).skip(1) {
            let entry = self.store.checked_entry(self.index.slot(position).place())?;
            if entry.method != asked.method {
                continue;
            }
            let entry = self.comparison.marked(&self.index, &*self.store, position, entry)?;
            if self.comparison.difference(&entry, asked).is_none() {
                return Ok(true);
            }
            other = other.or(Some(position));
        }
        match other {
            Some(position) => Err(Scene::Command { position }),
            None => Ok(self.index.commands_of(session.connection).next().is_none()),
        }
    }

    pub(crate) fn taken(
        &self,
        state: &mut State,
        asked: &Entry,
        candidate: Candidate,
        progress: Option<Arc<Progress>>,
    ) -> Taken {
        let is_set = asked.method == Method::SetConnectAttr
            && state
                .sessions
                .live(asked.connection)
                .is_some_and(|live| state.sessions.is_spare(&self.index, live.session));
        if let Some(live) = state.sessions.live_mut(asked.connection) {
            if is_set {
                live.set.push(asked.clone());
            }
            if let (Some(asked), Some(recorded)) = (asked.statement, candidate.statement())
                && self.index.threads(live.session.connection).is_some()
            {
                live.is(asked, recorded);
                live.goes_on_as(self.index.thread(live.session.connection, recorded).unwrap_or(1));
            }
            live.uses(asked.statement);
            live.plays(asked.method);
            if let (connection, Some(statement)) = live.recorded(asked.statement)
                && !asked.method.is_rows()
            {
                state.lane_mut(&self.index, connection).closes.remove(&statement);
            }
        }
        (candidate, progress)
    }

    /// Plays what a connection from a pool asks after it was handed out again: everything of its recorded connection is
    /// played, and what it asks now comes first on a recorded connection that nobody has opened.
    fn step_pooled(&self, state: &mut State, asked: &Entry) -> Result<Option<Taken>, Scene> {
        let Some(live) = state.sessions.live(asked.connection) else { return Ok(None) };
        let session = live.session;
        if !live.is_idle() || !self.is_played(state, session.connection)? {
            return Ok(None);
        }
        let next = match self.order {
            Order::Connection | Order::Any => self.next_leg(state, asked),
            Order::Global => self.next_leg(state, asked).filter(|session| self.comes_next(state, *session)),
        };
        match next {
            Some(next) => self.go_on(state, asked.connection, next),
            None if self.go_on_in_place_of_another(state, asked)? => {}
            None => return Ok(None),
        }
        let Some(live) = state.sessions.live(asked.connection) else { return Ok(None) };
        let recorded = live.recorded(asked.statement);
        let cursor = state.cursor(self.order, &self.index, recorded.0);
        let candidate = self.candidate(cursor, asked, recorded)?;
        let progress = self.take(&candidate, cursor, asked)?;
        Ok(Some(self.taken(state, asked, candidate, progress)))
    }

    /// Lets a connection from a pool go on with a session. The session's connect, if it has one, counts as played.
    fn go_on(&self, state: &mut State, live: ConnectionId, session: Session) {
        state.sessions.goes_on(live, session);
        match self.order {
            Order::Global => {
                let connect = state.sessions.connects.of(session.connection).map(|connect| connect.position as usize);
                if let (1, Some(connect)) = (session.begin, connect) {
                    state.whole.played(&self.index, connect);
                }
            }
            Order::Connection | Order::Any => {
                let cursor = Cursor::advanced(&self.index, session.connection, session.begin);
                state.lane_mut(&self.index, session.connection).cursor = cursor;
            }
        }
    }

    /// Does the same if a connection that was just opened holds the session that this one goes on with. That other
    /// connection then takes a session that nobody had.
    fn go_on_in_place_of_another(&self, state: &mut State, asked: &Entry) -> Result<bool, Scene> {
        let Some(live) = state.sessions.live(asked.connection) else { return Ok(false) };
        let candidates = |session: Session| {
            let mut cursor = Cursor::advanced(&self.index, session.connection, session.begin);
            self.candidate(&mut cursor, asked, live.recorded_next(session, asked.statement)).is_ok()
        };
        let choices = state.sessions.choices(asked.connection).into_iter();
        let held: Vec<_> = choices
            .filter_map(|choice| Some((choice.session, choice.holder?)))
            .filter(|(session, _)| candidates(*session))
            .collect();
        let next = state.whole.next(&self.index, &*self.store)?;
        for (session, other) in held {
            if self.played(state, session) != Some(0) {
                continue;
            }
            let free = state.sessions.choices(other).into_iter().find(|choice| {
                let connect = state.sessions.connects.of(choice.session.connection).map(|connect| connect.position);
                let in_turn = match (self.order, &next, connect) {
                    (Order::Connection, ..) => true,
                    (_, Next::Command { position, .. }, Some(connect)) if *position == connect => {
                        let mut commands = self.index.commands_of(session.connection).skip(session.begin);
                        commands.next().is_some_and(|first| self.index.none_between(connect, first))
                    }
                    _ => false,
                };
                choice.holder.is_none() && choice.session.begin == 1 && in_turn
            });
            if let Some(free) = free {
                self.go_on(state, asked.connection, free.session);
                self.move_to(state, other, free.session, 0);
                self.move_to(state, asked.connection, session, 0);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Finds a session for a connection from a pool: one that nobody has and that begins with what is asked.
    pub(crate) fn next_leg(&self, state: &State, asked: &Entry) -> Option<Session> {
        let live = state.sessions.live(asked.connection)?;
        let choices = state.sessions.choices(asked.connection).into_iter().filter(|choice| choice.holder.is_none());
        choices.map(|choice| choice.session).find(|session| {
            let mut cursor = Cursor::advanced(&self.index, session.connection, session.begin);
            self.candidate(&mut cursor, asked, live.recorded_next(*session, asked.statement)).is_ok()
        })
    }

    /// Says whether the next command of all connections is the first one of a session, or the connect before it.
    fn comes_next(&self, state: &mut State, session: Session) -> bool {
        let next = state.whole.next(&self.index, &*self.store);
        let Ok(Next::Command { position, .. }) = next else { return false };
        let mut commands = self.index.commands_of(session.connection).skip(session.begin.saturating_sub(1));
        let (connect, first) = (commands.next(), commands.next());
        if session.begin > 1 {
            return first == Some(position);
        }
        // only the connect may come before it
        connect == Some(position) && first.is_some_and(|first| self.index.none_between(position, first))
    }

    /// Notes that the program closes a connection. If it asked less than its recorded connection has, and exactly what
    /// another free one has, then it was that one.
    pub(crate) fn end(&self, state: &mut State, live: ConnectionId) -> Result<(), CassetteError> {
        if self.order == Order::Any {
            // its commands belong to units, so nothing is left for another connection to go on with
            state.sessions.ended(live, true, None, false);
            return Ok(());
        }
        let Some((session, complete)) = self.ends_with(state, live)? else { return Ok(()) };
        let played = self.played(state, session);
        let pooled = !complete && state.connection_info.pooled(self.info_files(), &*self.store, session.connection)?;
        state.sessions.ended(live, complete, played, pooled);
        Ok(())
    }

    /// The session that a connection had, now that it ends, and whether nothing of it is left.
    pub(crate) fn ends_with(
        &self,
        state: &mut State,
        live: ConnectionId,
    ) -> Result<Option<(Session, bool)>, CassetteError> {
        let Some(mut session) = state.sessions.live(live).map(|live| live.session) else { return Ok(None) };
        let mut complete = self.is_played(state, session.connection)?;
        if !complete
            && let Some(past) = self.past(state, live, session)
            && let Some(shorter) = self.shorter(state, live, session, &past)?
        {
            self.moving(state, |player, state| {
                player.move_to(state, live, shorter, past.played);
                Ok(true)
            })?;
            (session, complete) = (shorter, true);
        }
        Ok(Some((session, complete)))
    }

    /// Finds a free session that ends where a live connection ends, and could have been its own.
    fn shorter(
        &self,
        state: &State,
        live: ConnectionId,
        session: Session,
        past: &Past,
    ) -> Result<Option<Session>, CassetteError> {
        if self.order == Order::Global {
            return Ok(None);
        }
        for choice in state.sessions.choices(live).into_iter().filter(|choice| choice.holder.is_none()) {
            let mut cursor =
                Cursor::advanced(&self.index, choice.session.connection, choice.session.begin + past.played);
            if !matches!(cursor.next(&self.index, &*self.store)?, Next::End) {
                continue;
            }
            if let Some(moved) = self.as_another(session, choice.session, past)?
                && self.comparison.bindings.contradictions(&[(live, moved)]).is_empty()
            {
                return Ok(Some(choice.session));
            }
        }
        Ok(None)
    }
}
