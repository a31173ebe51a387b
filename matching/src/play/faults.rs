//! Commands that fail once: where a fault strikes, and what is played after it.
//!
//! A fault strikes where a command is taken (`candidate`). Every command passes there before it counts as played, so a
//! program that tries again still gets the recorded command. After a fault the program may do what was recorded in
//! another order: it repeats a transaction from its begin, sets up a new connection, or leaves out what depends on the
//! failed command. So what it asks is looked for among everything recorded on the connection: first what comes next,
//! then the latest that was played before, then what comes later. What is not found there fails, but is no mismatch.
//!
//! With faults, connections are independent of each other (`order: connection`).

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use crate::compare::mismatch::Armed;
use crate::compare::mismatch::{Mismatch, MismatchKind, Scene};
use crate::compare::transactions::{Boundary, Transactions, as_attribute, chains};
use crate::log::cursor::{Candidate, Cursor, Taken};
use crate::play::fault_profiles;
use crate::play::log_player::LogPlayer;
use crate::sessions::fault_places::{Done, FailedTransaction, FaultEvent, FaultNews, boundary_at, sql_at, writes_at};
use crate::sessions::matcher::Session;
use crate::sessions::state::State;
use super8_cassette::faults::{FaultKind, token};
use super8_cassette::summary::summary;
use super8_cassette::text::{cut, one_line};
use super8_cassette::{CassetteError, ConnectionId, Detail, Entry, Fields, Key, Method, Value, sets, words};

/// How many events of a kind are reported, because a program may try again forever.
const TOLD: u32 = 20;

/// Says whether a command that does not come next is looked for only later in the log, and not among what was played.
fn only_later(method: Method) -> bool {
    !matches!(method, Method::Run | Method::Prepare | Method::Execute | Method::Catalog | Method::SetConnectAttr)
}

impl LogPlayer {
    /// Lets a fault strike before a command is taken.
    pub(crate) fn strike(&self, position: u32, entry: &Entry, rowless: bool) -> Result<(), Scene> {
        match self.faults.at(position, entry, rowless) {
            Some(armed) => Err(Scene::Fault(Box::new(armed))),
            None if self.faults.have_struck() && self.faults.is_done(&self.index, &*self.store, position) => {
                Err(Scene::Command { position })
            }
            None => Ok(()),
        }
    }

    /// Returns what the program is told where a fault struck, or where nothing is recorded after one. `None` for a mismatch.
    pub(crate) fn after_fault(&self, state: &mut State, asked: &Entry, scene: &Scene) -> Option<Mismatch> {
        match scene {
            Scene::Fault(armed) => Some(self.struck(state, asked, (**armed).clone())),
            Scene::Refused { sqlstate, problem } => Some(self.refused(sqlstate, problem)),
            Scene::Unreadable(_) | Scene::Reread(_) => None,
            _ if self.faults.have_struck() => {
                let text = one_line(&cut(&summary(asked, 200), 200));
                self.tell(state, FaultEvent::Astray, None, text.clone());
                let fault = state.after.fault.as_ref().map(|fault| fault.text.clone()).unwrap_or_default();
                let headline = format!(
                    "[super8] replay: after the fault {fault} the program went where nothing is recorded: {text}"
                );
                Some(self.failing(MismatchKind::Astray, headline, None))
            }
            _ => None,
        }
    }

    fn failing(&self, kind: MismatchKind, headline: String, fault: Option<Fields>) -> Mismatch {
        let (cassette, report) = (self.store.name().to_owned(), String::new());
        Mismatch { kind, cassette, command: None, headline, report, repeated: true, fault }
    }

    fn refused(&self, sqlstate: &str, problem: &str) -> Mismatch {
        let record = [Detail::Sqlstate.with(sqlstate), Detail::Native.with(0), Detail::Message.with(problem)];
        let record = Value::Map(record.into());
        let fields = [(Key::Return, words::return_value(words::ERROR)), (Key::Diagnostics, Value::List(vec![record]))];
        self.failing(MismatchKind::Fault, problem.to_owned(), Some(fields.into()))
    }

    fn tell(&self, state: &mut State, what: FaultEvent, position: Option<u32>, text: String) {
        let told = state.after.told.entry(what).or_default();
        *told += 1;
        if let (true, Some(tell)) = (*told <= TOLD, self.faults.tell) {
            let fault = state.after.fault.as_ref().map(|fault| fault.text.clone()).unwrap_or_default();
            let command = position.map(|position| self.index.ordinal(position));
            tell(self.store.name(), &FaultNews { what, command, fault, text });
        }
    }

    /// Records that a fault has struck at a command. Returns what the program is told.
    fn struck(&self, state: &mut State, asked: &Entry, armed: Armed) -> Mismatch {
        let Armed { position, kind, text, .. } = &armed;
        let (position, slot) = (*position, self.index.slot(*position));
        let library = self.library(slot.connection());
        let told = fault_profiles::told(library.as_deref(), kind, slot.method, false, &token(text));
        self.faults.struck.store(true, Ordering::Relaxed);
        // what cannot be read is told when it is asked for
        state.after.are_all_behind = false;
        state.after.alike = self.alike_places(state, asked, position).unwrap_or_else(|_| BTreeSet::from([position]));
        let statement = asked.statement.map(|statement| (asked.connection, statement));
        let session = state.sessions.live(asked.connection).map(|live| live.session);
        let session = session.filter(|_| slot.method != Method::Connect);
        state.after.session = session;
        let several = self.are_several(state, slot.connection());
        if slot.method != Method::Connect {
            state.after.struck.insert(asked.connection);
        }
        match kind {
            FaultKind::RowsEndEarly => state.after.ended.extend(statement),
            _ if !slot.method.is_rows() => state.after.failed.extend(statement),
            _ => {}
        }
        let transaction = self.transaction_until(position);
        // a prepare that failed has to be repeated; one before it has done nothing that could be undone
        let is_prepare = |at: u32| self.index.slot(at).method == Method::Prepare;
        let its_writes = transaction
            .iter()
            .copied()
            .filter(|at| (*at == position || !is_prepare(*at)) && writes_at(&self.index, &*self.store, *at));
        let rolls_back = self.boundary_at(position) == Some(Boundary::Rollback);
        let undone: BTreeSet<u32> = match kind.ends_transaction() != rolls_back {
            true => its_writes.collect(),
            false => its_writes.filter(|at| *at == position).collect(),
        };
        if slot.method != Method::Connect {
            // what an earlier fault in the same transaction undid must still be repeated too
            let failed = state.after.failed_on(asked.connection);
            failed.rolls_back |= rolls_back;
            // after a failed rollback the work that it was to undo is still there, and must not be committed
            if !rolls_back {
                failed.transaction.extend(&undone);
            }
            failed.undone.extend(undone);
        }
        let before = transaction.first().copied().unwrap_or(position);
        let done = Done { live: Some(asked.connection), connection: slot.connection(), before };
        self.faults.note_done(done);
        if let (true, Some(session)) = (kind.loses_connection(), session) {
            state.after.lost.insert(asked.connection, told.reports_dead);
            if !several {
                state.after.to_resume.push((asked.connection, session));
            }
            self.faults.lost.store(true, Ordering::Relaxed);
        }
        if *kind == FaultKind::CommitUnknown {
            // The transaction may have been committed: the program goes on behind it and does not get it again.
            self.faults.note_done(Done { before: position + 1, ..done });
            state.after.transactions.retain(|failed| !failed.live.contains(&asked.connection));
            let cursor = state.cursor(self.order, &self.index, slot.connection());
            if let Some(place) = cursor.place_of(&self.index, position) {
                cursor.played(&self.index, place);
            }
        }
        if several && kind.loses_connection() && session.is_some() {
            self.give_up(state, asked.connection);
        }
        let shown = self.store.checked_entry(slot.place()).map_or_else(|_| String::new(), |entry| summary(&entry, 120));
        let headline = format!("the command fails, as the fault {text} says: {shown}");
        let fields = match kind {
            FaultKind::RowsEndEarly => Fields::from([(Key::Return, words::return_value(words::NO_DATA))]),
            _ => told.fields,
        };
        state.after.fault = Some(armed);
        self.tell(state, FaultEvent::Struck, Some(position), shown);
        self.failing(MismatchKind::Fault, headline, Some(fields))
    }

    /// Returns the library of a recorded connection's driver, if it is known.
    fn library(&self, connection: ConnectionId) -> Option<String> {
        let connects = self.index.connects().iter().map(|position| self.index.slot(*position));
        let connect = connects.into_iter().find(|slot| slot.connection() == connection);
        let own = connect.and_then(|slot| {
            let entry = self.store.checked_entry(slot.place()).ok()?;
            entry.get(Key::Library).and_then(Value::as_text).map(str::to_owned)
        });
        own.or_else(|| self.metadata.driver.as_ref().map(|driver| driver.library.clone()))
    }

    /// Returns the commands of the transaction that a command belongs to, up to and including it, in order. In autocommit that is only
    /// the command.
    fn transaction_until(&self, position: u32) -> Vec<u32> {
        let connection = self.index.slot(position).connection();
        let entry = |at: u32| self.store.checked_entry(self.index.slot(at).place()).ok();
        let (mut transactions, mut is_begun) = (Transactions::default(), false);
        let mut open = Vec::new();
        for at in self.index.commands_of(connection).take_while(|at| *at < position) {
            match self.index.slot(at).method {
                Method::Connect => transactions = entry(at).as_ref().map(Transactions::of_connect).unwrap_or_default(),
                Method::SetConnectAttr => _ = entry(at).map(|entry| transactions.set(&entry)),
                _ => {}
            }
            if let Some(boundary) = self.boundary_at(at) {
                let sql = sql_at(&self.index, &*self.store, at).unwrap_or_default();
                as_attribute(connection, &sql).inspect(|set| transactions.set(set));
                is_begun = boundary == Boundary::Begin || chains(&sql);
                open.clear();
            } else if is_begun || transactions.are_manual() {
                open.push(at);
            }
        }
        open.push(position);
        open
    }

    /// Returns how a recorded command begins or ends a transaction.
    fn boundary_at(&self, position: u32) -> Option<Boundary> {
        boundary_at(&self.index, &*self.store, position)
    }

    /// Lets a fault strike at a row of a run, which is read without the player's lock.
    pub(crate) fn strike_row(&self, asked: &Entry, position: u32, row: u64) -> Option<Mismatch> {
        let armed = self.faults.take_at(position, row)?;
        let state = &mut *self.state.write();
        let goes_on = armed.kind != FaultKind::RowsEndEarly;
        let struck = self.struck(state, asked, armed);
        state.after.at_row = asked.statement.filter(|_| goes_on).map(|statement| (asked.connection, statement));
        Some(struck)
    }

    /// Returns the outcome of a command on a lost connection; `None` if the connection is not lost.
    pub(crate) fn on_lost(&self, asked: &Entry) -> Option<Result<Entry, Mismatch>> {
        if !self.faults.lost.load(Ordering::Relaxed) {
            return None;
        }
        let state = &mut *self.state.write();
        state.after.lost.get(&asked.connection)?;
        if asked.method == Method::Rollback {
            return Some(Ok(Entry::new(asked.method, asked.connection, None)));
        }
        let fault = state.after.fault.as_ref()?;
        let library = self.library(state.recorded(asked.connection, None).0);
        let (token, library) = (token(&fault.text), library.as_deref());
        let fields = fault_profiles::told(library, &FaultKind::LostConnection, asked.method, true, &token).fields;
        self.tell(state, FaultEvent::UsedLost, None, summary(asked, 120));
        Some(Err(self.failing(MismatchKind::Fault, "the connection is lost".to_owned(), Some(fields))))
    }

    /// Notes that a statement fetches, which repeats the fetch if a fault struck at its row.
    pub(crate) fn fetches(&self, asked: &Entry) {
        if !self.faults.have_struck() {
            return;
        }
        let state = &mut *self.state.write();
        let statement = asked.statement.map(|statement| (asked.connection, statement));
        if statement.is_some() && state.after.at_row == statement {
            state.after.at_row = None;
            let position = state.after.fault.as_ref().map(|fault| fault.position);
            self.tell(state, FaultEvent::Repeated, position, summary(asked, 120));
        }
    }

    /// Says whether a live connection is lost and the driver reports that when it is asked.
    pub(crate) fn reports_dead(&self, connection: ConnectionId) -> bool {
        self.faults.lost.load(Ordering::Relaxed) && self.state.write().after.lost.get(&connection) == Some(&true)
    }

    /// Says whether the rows of a live statement ended early.
    pub(crate) fn ended_early(&self, connection: ConnectionId, statement: u32) -> bool {
        self.faults.have_struck() && self.state.write().after.ended.contains(&(connection, statement))
    }

    /// Says whether the program went where nothing is recorded.
    pub(crate) fn went_astray(&self, state: &State) -> bool {
        self.faults.have_struck() && state.after.told.contains_key(&FaultEvent::Astray)
    }

    /// Plays a connect after a fault: it goes on with a connection that was lost or given up.
    pub(crate) fn resume(&self, state: &mut State, asked: &Entry) -> Result<Option<Entry>, Scene> {
        let groups = state.sessions.connects.agreeing(asked);
        let of = |session: &Session| state.sessions.connects.of(session.connection).copied();
        let fits = |(_, session): &(ConnectionId, Session)| of(session).is_some_and(|of| groups.contains(&of.group));
        let Some(at) = state.after.to_resume.iter().position(fits) else { return Ok(None) };
        let Some(connect) = of(&state.after.to_resume[at].1) else { return Ok(None) };
        let entry = self.store.checked_entry(self.index.slot(connect.position).place())?;
        let (before, session) = state.after.to_resume.remove(at);
        let live = state.sessions.opened(groups, Session::fresh(session.connection));
        for failed in state.after.transactions.iter_mut().filter(|failed| failed.live.contains(&before)) {
            failed.undone.clear();
            failed.live.insert(live);
        }
        Ok(Some(Entry { connection: live, ..entry }))
    }

    /// Notes that the program closes a connection after a fault. The next connect can go on with what is left of it.
    pub(crate) fn closed_after_fault(&self, state: &mut State, live: ConnectionId) {
        let Some(session) = state.sessions.live(live).map(|live| live.session) else {
            state.after.lost.remove(&live);
            return;
        };
        if self.are_several(state, session.connection) {
            match self.ends_with(state, live) {
                Ok(Some((_, false))) => {
                    self.give_up(state, live);
                }
                // one that left commands out may turn out to be another one
                _ if state.after.seen.contains_key(&live) => state.sessions.keep_ended(live),
                _ => state.sessions.forget(live),
            }
            return;
        }
        let complete = self.is_played(state, session.connection).unwrap_or(true);
        if !complete && state.after.lost.remove(&live).is_none() {
            state.after.to_resume.push((live, session));
        }
        state.sessions.forget(live);
    }

    /// Plays a step after a fault. First tries what comes next, whatever number its statement has.
    pub(crate) fn step_after_fault(&self, state: &mut State, asked: &Entry) -> Result<Taken, Scene> {
        let taken = match self.take_next(state, asked)? {
            Some(taken) => taken,
            None if !asked.method.is_rows() && self.is_another(state, asked)? => match self.take_next(state, asked)? {
                Some(taken) => taken,
                None => return Err(Scene::Exhausted),
            },
            None => match self.step_in_order(state, asked) {
                Ok(taken) => taken,
                Err(scene @ (Scene::Fault(_) | Scene::Unreadable(_))) => return Err(scene),
                Err(scene) => self.step_aside(state, asked)?.ok_or(scene)?,
            },
        };
        self.note_after_fault(state, asked, &taken.0);
        Ok(taken)
    }

    /// Takes the next command of the connection, if that is what is asked.
    fn take_next(&self, state: &mut State, asked: &Entry) -> Result<Option<Taken>, Scene> {
        let Some(live) = state.sessions.live(asked.connection) else { return Ok(None) };
        let connection = live.session.connection;
        let cursor = state.cursor(self.order, &self.index, connection);
        let next = cursor.next_place(&self.index).map(|(_, place)| place);
        let due = next.and_then(|place| {
            let mut places = (place..).map_while(|place| Some((place, cursor.position(&self.index, place)?)));
            places.find(|(_, position)| self.index.is_due(*position) && !cursor.passed(&self.index, *position))
        });
        let Some((place, position)) = due else { return Ok(None) };
        let is_done = self.faults.is_done(&self.index, &*self.store, position);
        match !is_done && !asked.method.is_rows() && self.is_asked(state, asked, position)? {
            true => self.take_at(state, asked, connection, place).map(Some),
            false => Ok(None),
        }
    }

    /// Whether a live connection turns out to have another session, of several that are alike: one that goes on with what is asked.
    fn is_another(&self, state: &mut State, asked: &Entry) -> Result<bool, Scene> {
        let Some(session) = state.sessions.live(asked.connection).map(|live| live.session) else { return Ok(false) };
        let several = session.begin == 1 && self.faults_of_several(state, asked.connection);
        Ok(several
            && (self.rematch(state, asked.connection, asked, None)? || self.takes_over(state, asked, session)?))
    }

    /// Says whether the command at a position is what is asked. A text may be on another statement.
    pub(crate) fn is_asked(&self, state: &State, asked: &Entry, position: u32) -> Result<bool, CassetteError> {
        let slot = self.index.slot(position);
        let same_method = slot.method == asked.method || slot.method.is_rows() && asked.method == Method::Fetch;
        let is_text = asked.method.gives_new_text();
        let statement = state.sessions.live(asked.connection).and_then(|live| live.recorded(asked.statement).1);
        if !same_method || !is_text && slot.statement() != statement {
            return Ok(false);
        }
        let is_rows = slot.method.is_rows();
        Ok(is_rows || self.comparison.difference(&sets::entry(&*self.store, slot.place())?, asked).is_none())
    }

    /// Goes on at a place of a recorded connection, whose command is what is asked.
    fn take_at(
        &self,
        state: &mut State,
        asked: &Entry,
        connection: ConnectionId,
        place: usize,
    ) -> Result<Taken, Scene> {
        let cursor = state.cursor(self.order, &self.index, connection);
        let here = cursor.place();
        if place > here {
            self.done_follows(state, asked.connection, connection, place)?;
        }
        if place != here {
            self.note_jump(state, asked.connection, (connection, here), place)?;
            state.lane_mut(&self.index, connection).cursor = Cursor::at_place(&self.index, connection, place);
            state.forget(self.order, connection);
        }
        let reached = state.after.reached.entry(connection).or_default();
        *reached = (*reached).max(here);
        let position = state.cursor(self.order, &self.index, connection).position(&self.index, place);
        let statement = position.and_then(|position| self.index.slot(position).statement());
        let Some(live) = state.sessions.live_mut(asked.connection) else { return Err(Scene::Exhausted) };
        if let (Some(asked), Some(recorded)) = (asked.statement, statement) {
            live.is(asked, recorded);
        }
        let recorded = live.recorded(asked.statement);
        let cursor = state.cursor(self.order, &self.index, connection);
        let candidate = self.candidate(cursor, asked, recorded)?;
        let progress = self.take(&candidate, cursor, asked)?;
        Ok(self.taken(state, asked, candidate, progress))
    }

    /// Plays what is asked after a fault and does not come next: earlier on the connection, then later, then on a
    /// connection that nobody has.
    fn step_aside(&self, state: &mut State, asked: &Entry) -> Result<Option<Taken>, Scene> {
        let Some(live) = state.sessions.live(asked.connection) else { return Ok(None) };
        let session = live.session;
        let sql = asked.get(Key::Sql).and_then(Value::as_text);
        if Boundary::of(asked, sql) == Some(Boundary::Rollback) {
            // a program may always roll back, by SQLEndTran or by executing a text directly
            let here = state.cursor(self.order, &self.index, session.connection).place();
            let is_recorded =
                asked.method == Method::Run && self.find_place(state, asked, session.connection, here, here)?.is_some();
            if !is_recorded {
                let entry = Entry::new(asked.method, asked.connection, asked.statement);
                return Ok(Some((Candidate::Command { entry, place: usize::MAX }, None)));
            }
        }
        let statement = asked.statement.map(|statement| (asked.connection, statement));
        if only_later(asked.method) && statement.is_some_and(|of| state.after.failed.contains(&of)) {
            let problem = "[super8] the statement's last command failed: there is no result";
            return Err(Scene::Refused { sqlstate: "24000", problem });
        }
        let here = state.cursor(self.order, &self.index, session.connection).place();
        let reached = state.after.reached.get(&session.connection).map_or(here, |reached| here.max(*reached));
        if let Some(place) = self.find_place(state, asked, session.connection, here, reached)? {
            if place > here
                && let Some((its, place)) = self.takes_up(state, asked)?
            {
                return self.take_at(state, asked, its.connection, place).map(Some);
            }
            return self.take_at(state, asked, session.connection, place).map(Some);
        }
        if only_later(asked.method) {
            return Ok(None);
        }
        if self.faults_of_several(state, asked.connection) {
            let its = self.step_as_another(state, asked)?;
            return its.map(|(its, place)| self.take_at(state, asked, its.connection, place)).transpose();
        }
        let choices = state.sessions.choices(asked.connection).into_iter();
        let free = choices.filter(|choice| choice.holder.is_none()).map(|choice| choice.session);
        let others: Vec<Session> = free.chain(state.after.session).filter(|other| *other != session).collect();
        for other in others {
            let reached = state.cursor(self.order, &self.index, other.connection).place();
            if let Some(place) = self.find_place(state, asked, other.connection, 0, reached)? {
                state.sessions.moves(asked.connection, other);
                return self.take_at(state, asked, other.connection, place).map(Some);
            }
        }
        Ok(None)
    }

    /// Finds the place of what is asked among a connection's commands: the latest one that was played, else the first
    /// one that was not.
    fn find_place(
        &self,
        state: &State,
        asked: &Entry,
        connection: ConnectionId,
        here: usize,
        reached: usize,
    ) -> Result<Option<usize>, CassetteError> {
        let positions = self.index.connection(connection);
        let earlier = (0..positions.len().min(reached + 1)).rev().filter(|_| !only_later(asked.method));
        let later = if only_later(asked.method) { here } else { reached + 1 };
        for place in earlier.chain(later..positions.len()) {
            let position = positions[place];
            if !self.index.is_command(position) || !self.is_asked(state, asked, position)? {
                continue;
            }
            if !self.faults.is_done(&self.index, &*self.store, position) {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    /// Notes that a recorded connection is opened after a fault.
    pub(crate) fn note_connect(&self, state: &mut State, connection: ConnectionId, asked: &Entry) {
        let position = state.sessions.connects.of(connection).map(|connect| connect.position);
        if position.is_some_and(|position| self.is_repeated(state, None, position)) {
            self.tell(state, FaultEvent::Repeated, position, summary(asked, 120));
        }
    }

    /// Notes what was played after a fault.
    fn note_after_fault(&self, state: &mut State, asked: &Entry, taken: &Candidate) {
        let Some(live) = state.sessions.live(asked.connection) else { return };
        let connection = live.session.connection;
        let statement = asked.statement.map(|statement| (asked.connection, statement));
        let position = match taken {
            Candidate::Rows { position, .. } | Candidate::Row { position, .. } => Some(*position),
            Candidate::Command { place, .. } => {
                state.cursor(self.order, &self.index, connection).position(&self.index, *place)
            }
            Candidate::AtEnd | Candidate::Skippable => None,
        };
        if !asked.method.is_rows() {
            statement.inspect(|of| _ = (state.after.failed.remove(of), state.after.ended.remove(of)));
        }
        if let Some(position) = position {
            self.note_seen(state, asked.connection, position);
        }
        if position.is_some_and(|position| self.is_repeated(state, Some(asked.connection), position)) {
            self.tell(state, FaultEvent::Repeated, position, summary(asked, 120));
        }
        // only commits on the connection that failed count, or on one that goes on with its work: of several, one that leaves out or does
        // again what was recorded
        let goes_on =
            state.after.seen.contains_key(&asked.connection) || !self.faults_of_several(state, asked.connection);
        let after = &mut state.after;
        let is_its = |failed: &FailedTransaction| {
            failed.live.contains(&asked.connection)
                || goes_on && position.is_some_and(|at| failed.transaction.contains(&at))
        };
        let Some(at) = after.transactions.iter().position(is_its) else { return };
        let failed = &mut after.transactions[at];
        failed.live.insert(asked.connection);
        let own = asked.get(Key::Sql).and_then(Value::as_text).map(str::to_owned);
        let sql = own.or_else(|| position.and_then(|at| sql_at(&self.index, &*self.store, at)));
        let boundary = Boundary::of(asked, sql.as_deref());
        if boundary == Some(Boundary::Rollback) {
            failed.undone.clear();
        } else if boundary == Some(Boundary::Commit) {
            let failed = after.transactions.remove(at);
            if !failed.undone.is_empty() {
                let left: Vec<String> = failed.undone.iter().map(|at| self.index.ordinal(*at).to_string()).collect();
                let what = if failed.rolls_back { "rolled back" } else { "repeated" };
                let text = format!("not {what} before this commit: command {}", left.join(", "));
                self.tell(state, FaultEvent::PartialCommit, position, text);
            }
        } else if let Some(position) = position.filter(|position| failed.transaction.contains(position)) {
            if failed.undone.is_empty() {
                failed.undone.clone_from(&failed.transaction);
            }
            failed.undone.remove(&position);
        }
    }
}
