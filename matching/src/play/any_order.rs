//! `order: any`: connections with the same connect arguments are interchangeable, and units are played in any order, each once.
//!
//! A single player plays all units; each unit is a connection of it. This file decides when a live connection begins a
//! unit, which unit that is, and what belongs to it.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::compare::mismatch::{Mismatch, Scene};
use crate::compare::transactions::{Transactions, as_attribute};
use crate::log::cursor::{Candidate, Cursor};
use crate::log::rows::Progress;
use crate::play::log_player::LogPlayer;
use crate::play::result_answers::OWN;
use crate::sessions::matcher::{Connects, Group};
use crate::sessions::matcher::{Session, SessionMatcher};
use crate::sessions::sources::{Source, Step};
use crate::sessions::state::State;
use crate::sessions::units::{Context, Drafts, First, Units, text_of};
use crate::sessions::unplayed;
use crate::sessions::unplayed::Unplayed;
use super8_cassette::metadata::Order;
use super8_cassette::schema::Class;
use super8_cassette::{CassetteError, ConnectionId, Entry, Method, sets};

/// Logs with more entries than this are not read for a hint.
const LONG: u32 = 200_000;

/// The units of a cassette or of one part of it, and which unit each live connection is in.
pub(crate) struct AnyOrder {
    part: usize,
    connects: Connects,
    units: Units,
    /// Plays the units.
    pub(crate) player: LogPlayer,
    lives: Mutex<HashMap<ConnectionId, LiveConnection>>,
}

/// A connection of the program.
#[derive(Default)]
struct LiveConnection {
    /// The groups of recorded connects that it agrees with.
    groups: Vec<Group>,
    transactions: Transactions,
    context: Context,
    /// The unit of its open transaction, and how many statements that has so far.
    open: Option<Open>,
    statements: HashMap<u32, Statement>,
}

#[derive(Clone, Copy)]
struct Open {
    unit: ConnectionId,
    statements: u32,
}

/// A statement of the program.
struct Statement {
    /// The run, prepare or catalog that gave it its text.
    asked: Entry,
    /// The unit in which it was executed last, and its number there.
    place: Option<(ConnectionId, u32)>,
    /// What was recorded of the prepared statement before its execution.
    prepared: Option<Arc<LogPlayer>>,
}

/// The player that plays a live statement, and the statement's connection and number there.
pub(crate) type Elsewhere<'p> = (Playing<'p>, ConnectionId, u32);

/// A player that the cassette's units share, or one that a statement has for itself.
pub(crate) enum Playing<'p> {
    Units(&'p LogPlayer),
    Own(Arc<LogPlayer>),
}

impl std::ops::Deref for Playing<'_> {
    type Target = LogPlayer;

    fn deref(&self) -> &LogPlayer {
        match self {
            Playing::Units(player) => player,
            Playing::Own(player) => player,
        }
    }
}

impl AnyOrder {
    /// Reads the units of one part of a player's cassette.
    pub(crate) fn read(player: &LogPlayer, part: usize) -> Result<AnyOrder, CassetteError> {
        let source = player.store.0.source(part);
        let connects = Connects::read(&source.index, &*source.store)?;
        let (units, index, of_units) = Units::read(&source.index, &*source.store, &connects, &player.comparison)?;
        let own = player.of_source(Source::of_statement(source, Arc::new(index)));
        own.state.write().sessions.connects = of_units;
        Ok(AnyOrder { part, connects, units, player: own, lives: Mutex::default() })
    }

    /// Notes that the program has made a connection.
    pub(crate) fn connected(&self, id: ConnectionId, asked: &Entry) {
        let groups = self.connects.agreeing(asked);
        let live =
            LiveConnection { groups, transactions: Transactions::of_connect(asked), ..LiveConnection::default() };
        self.lives.lock().insert(id, live);
    }

    /// Notes that a connection of the program ends.
    pub(crate) fn disconnected(&self, id: ConnectionId) {
        let Some(live) = self.lives.lock().remove(&id) else { return };
        let mut units: Vec<ConnectionId> = live.statements.values().filter_map(|of| Some(of.place?.0)).collect();
        units.extend(live.open.map(|open| open.unit));
        units.sort_unstable();
        units.dedup();
        units.into_iter().for_each(|unit| self.end(unit));
    }

    /// Forgets a statement, which goes on with another text or is freed.
    pub(crate) fn forget(&self, connection: ConnectionId, statement: u32) {
        let mut lives = self.lives.lock();
        let Some(live) = lives.get_mut(&connection) else { return };
        let left = live.statements.remove(&statement).and_then(|of| of.place);
        self.leave(live, left);
    }

    /// Takes a statement out of its unit, and ends the unit if nothing else is in it.
    fn leave(&self, live: &LiveConnection, left: Option<(ConnectionId, u32)>) {
        let Some((unit, _)) = left else { return };
        let in_it = |of: &Statement| of.place.is_some_and(|(place, _)| place == unit);
        if live.open.is_none_or(|open| open.unit != unit) && !live.statements.values().any(in_it) {
            self.end(unit);
        }
    }

    /// Returns the player that plays this statement now.
    pub(crate) fn place(&self, connection: ConnectionId, statement: u32) -> Option<Elsewhere<'_>> {
        let lives = self.lives.lock();
        let of = lives.get(&connection)?.statements.get(&statement)?;
        match (of.place, &of.prepared) {
            (Some((unit, number)), _) => Some((Playing::Units(&self.player), unit, number)),
            (None, Some(prepared)) => Some((Playing::Own(Arc::clone(prepared)), OWN.0, OWN.1)),
            (None, None) => None,
        }
    }
}

impl AnyOrder {
    /// Plays a command under `order: any`.
    pub(crate) fn command(&self, log: &LogPlayer, asked: &Entry) -> Result<Entry, Mismatch> {
        if let Some(first) = &log.state.read().sticky {
            return Err(Mismatch { repeated: true, ..first.clone() });
        }
        let played = match (asked.method, asked.statement) {
            (Method::SetConnectAttr | Method::Commit | Method::Rollback, _) => self.connection_command(log, asked),
            (Method::Prepare, Some(statement)) => self.prepare(log, asked, statement),
            (Method::Run | Method::Catalog | Method::Execute, Some(statement)) => self.execute(log, asked, statement),
            (_, Some(statement)) => match self.place(asked.connection, statement) {
                Some((player, connection, number)) => {
                    log.adopt(player.command(&Entry { connection, statement: Some(number), ..asked.clone() }))
                }
                None => Err(self.fail(log, asked, Scene::Exhausted)),
            },
            (_, None) => Err(self.fail(log, asked, Scene::Exhausted)),
        };
        played.map(|entry| Entry { connection: asked.connection, statement: asked.statement, ..entry })
    }

    /// Plays the end of a transaction, or an attribute that is set on the connection.
    fn connection_command(&self, log: &LogPlayer, asked: &Entry) -> Result<Entry, Mismatch> {
        let mut lives = self.lives.lock();
        let Some(live) = lives.get_mut(&asked.connection) else { return Err(self.fail(log, asked, Scene::Exhausted)) };
        let redacted = log.redactor.entry(asked);
        let plain = redacted.as_ref().unwrap_or(asked);
        let entry = match live.open {
            Some(open) => log.adopt(self.player.command(&Entry { connection: open.unit, ..asked.clone() }))?,
            None => match self.units.apart(&live.groups, plain) {
                Some(entry) => entry.clone(),
                // nothing was done since the last one
                None if asked.method.ends_transaction() => asked.clone(),
                None => return Err(self.fail(log, asked, Scene::Exhausted)),
            },
        };
        if entry.succeeded() {
            if asked.method == Method::SetConnectAttr {
                live.transactions.set(plain);
                live.context.set(plain);
            }
            if Transactions::end_with(plain, "")
                && let Some(open) = live.open.take()
            {
                self.leave(live, Some((open.unit, 0)));
            }
        }
        Ok(entry)
    }

    /// Plays a prepare. It has no effect, so it is answered as often as it is asked.
    fn prepare(&self, log: &LogPlayer, asked: &Entry, statement: u32) -> Result<Entry, Mismatch> {
        let mut lives = self.lives.lock();
        let Some(live) = lives.get_mut(&asked.connection) else { return Err(self.fail(log, asked, Scene::Exhausted)) };
        let redacted = log.redactor.entry(asked);
        let plain = redacted.as_ref().unwrap_or(asked);
        let source = log.store.0.source(self.part);
        let known = self.units.prepared(&source.index, &*source.store, &live.groups, plain);
        let known = known.map_err(|error| self.fail(log, asked, error.into()))?;
        let Some((index, connection, recorded)) = known else { return Err(self.fail(log, asked, Scene::Exhausted)) };
        let player = log.of_source(Source::of_statement(source, index));
        player.state.write().sessions.open_at(OWN.0, connection, recorded - OWN.1);
        let entry = player.command(&Entry { connection: OWN.0, statement: Some(OWN.1), ..plain.clone() });
        let entry = log.adopt(entry)?;
        let now = Statement { asked: asked.clone(), place: None, prepared: Some(Arc::new(player)) };
        let left = live.statements.insert(statement, now).and_then(|of| of.place);
        self.leave(live, left);
        Ok(entry)
    }

    /// Plays an execution: in the open transaction, or as the beginning of a unit.
    fn execute(&self, log: &LogPlayer, asked: &Entry, statement: u32) -> Result<Entry, Mismatch> {
        let mut lives = self.lives.lock();
        let Some(live) = lives.get_mut(&asked.connection) else { return Err(self.fail(log, asked, Scene::Exhausted)) };
        if asked.method != Method::Execute {
            let now = Statement { asked: asked.clone(), place: None, prepared: None };
            let left = live.statements.insert(statement, now).and_then(|of| of.place);
            self.leave(live, left);
        }
        let Some(of) = live.statements.get(&statement) else { return Err(self.fail(log, asked, Scene::Exhausted)) };
        let (sql, left) = (text_of(&of.asked, true), of.place);
        let prepare = of.prepared.is_some().then(|| of.asked.clone());
        let open = match live.open {
            Some(open) => open,
            None => Open { unit: self.begin(log, live, asked, prepare.as_ref())?, statements: 0 },
        };
        // a statement gets its number in a unit when it is first executed there
        let known = left.filter(|(unit, _)| *unit == open.unit).map(|(_, number)| number);
        let number = known.unwrap_or(open.statements + 1);
        let at = |entry: &Entry| Entry { connection: open.unit, statement: Some(number), ..entry.clone() };
        if let Some(prepare) = prepare.filter(|_| known.is_none()) {
            log.adopt(self.player.command(&at(&prepare)))?;
        }
        let entry = log.adopt(self.player.command(&at(asked)))?;
        let open = Open { statements: open.statements.max(number), ..open };
        let begins = live.open.is_none()
            && live.transactions.begin_with(&sql)
            && (live.transactions.are_manual() || entry.succeeded());
        if live.open.is_some() || begins {
            live.open = Some(open);
        }
        if let Some(of) = live.statements.get_mut(&statement) {
            of.place = Some((open.unit, number));
        }
        if entry.succeeded() {
            if let Some(set) = as_attribute(asked.connection, &sql) {
                live.transactions.set(&set);
                live.context.set(&set);
            }
            if Transactions::end_with(asked, &sql) {
                live.open = None;
            }
        }
        if left.is_some_and(|(unit, _)| unit != open.unit) {
            self.leave(live, left);
        }
        Ok(entry)
    }

    /// Begins a unit that nobody has and that begins with what is asked. Returns its connection in the units' player.
    fn begin(
        &self,
        log: &LogPlayer,
        live: &LiveConnection,
        asked: &Entry,
        prepare: Option<&Entry>,
    ) -> Result<ConnectionId, Mismatch> {
        let redacted = (log.redactor.entry(asked), prepare.and_then(|prepare| log.redactor.entry(prepare)));
        let first = First {
            groups: &live.groups,
            context: &live.context,
            execution: redacted.0.as_ref().unwrap_or(asked),
            asked,
            redactor: redacted.0.is_some().then_some(&log.redactor),
            prepare: redacted.1.as_ref().or(prepare),
        };
        let source = log.store.0.source(self.part);
        let read = (&*source.index, &*source.store);
        let mut state = self.player.state.write();
        match self.units.find(read, &state.sessions, &first) {
            Ok(Some((unit, groups))) => {
                let index = &self.player.index;
                state.lane_mut(index, unit).cursor = Cursor::advanced(index, unit, 1);
                Ok(state.sessions.opened(groups, Session::fresh(unit)))
            }
            Ok(None) => {
                let nearest = self.units.nearest(read, &state.sessions, &first);
                drop(state);
                Err(self.fail(
                    log,
                    asked,
                    match nearest {
                        Ok(Some(position)) => Scene::Command { position },
                        Ok(None) => Scene::Exhausted,
                        Err(error) => error.into(),
                    },
                ))
            }
            Err(error) => {
                drop(state);
                Err(self.fail(log, asked, error.into()))
            }
        }
    }

    /// Says whether a command would be played.
    pub(crate) fn expects(&self, log: &LogPlayer, asked: &Entry) -> bool {
        self.offer(log, asked).is_ok_and(|offer| offer.is_some())
    }

    /// Returns what would be served for what is asked, or `None` if it would not be played.
    pub(crate) fn offer(&self, log: &LogPlayer, asked: &Entry) -> Result<Option<Vec<Entry>>, CassetteError> {
        let lives = self.lives.lock();
        let Some(live) = lives.get(&asked.connection) else { return Ok(None) };
        let redacted = log.redactor.entry(asked);
        let plain = redacted.as_ref().unwrap_or(asked);
        let source = log.store.0.source(self.part);
        let read = (&*source.index, &*source.store);
        let in_unit = |unit: ConnectionId, statement| {
            next(&self.player, None, &Entry { connection: unit, statement, ..asked.clone() })
        };
        let of = asked.statement.and_then(|statement| live.statements.get(&statement));
        match (asked.method, live.open) {
            (Method::SetConnectAttr | Method::Commit | Method::Rollback, Some(open)) => in_unit(open.unit, None),
            (Method::SetConnectAttr | Method::Commit | Method::Rollback, None) => {
                Ok(self.units.apart(&live.groups, plain).map(|entry| vec![entry.clone()]))
            }
            (Method::Prepare, _) => match self.units.prepared(read.0, read.1, &live.groups, plain)? {
                Some((index, ..)) => Ok(Some(vec![read.1.checked_entry(index.slot(0).place())?])),
                None => Ok(None),
            },
            (Method::Run | Method::Catalog | Method::Execute, Some(open)) => {
                let known = of.and_then(|of| of.place).filter(|(unit, _)| *unit == open.unit).map(|(_, number)| number);
                let statement = Some(known.unwrap_or(open.statements + 1));
                // a statement that was prepared before is first prepared in the unit
                let prepare =
                    of.filter(|of| known.is_none() && asked.method == Method::Execute && of.prepared.is_some());
                let at = |entry: &Entry| Entry { connection: open.unit, statement, ..entry.clone() };
                next(&self.player, prepare.map(|of| at(&of.asked)).as_ref(), &at(asked))
            }
            (Method::Run | Method::Catalog | Method::Execute, None) => {
                let prepare = of.filter(|of| asked.method == Method::Execute && of.prepared.is_some());
                let prepare = prepare.map(|of| &of.asked);
                let redacted_prepare = prepare.and_then(|prepare| log.redactor.entry(prepare));
                let first = First {
                    groups: &live.groups,
                    context: &live.context,
                    execution: plain,
                    asked,
                    redactor: redacted.is_some().then_some(&log.redactor),
                    prepare: redacted_prepare.as_ref().or(prepare),
                };
                let found = self.units.find(read, &self.player.state.read().sessions, &first)?;
                let Some((unit, _)) = found else { return Ok(None) };
                let units = self.player.store.0.current();
                // the unit's prepare was answered before
                commands(units, Step { of: Some(unit), number: 1 + usize::from(prepare.is_some()) }).map(Some)
            }
            _ => match of.map(|of| (of.place, &of.prepared)) {
                Some((Some((unit, number)), _)) => in_unit(unit, Some(number)),
                Some((None, Some(prepared))) => {
                    next(prepared, None, &Entry { connection: OWN.0, statement: Some(OWN.1), ..asked.clone() })
                }
                _ => Ok(None),
            },
        }
    }

    /// Plays in this part what the current part has just played, so that both stay alike. The rows are read in the current part.
    pub(crate) fn follow(
        &self,
        log: &LogPlayer,
        asked: &Entry,
        progress: Option<&Arc<Progress>>,
    ) -> Result<(), Mismatch> {
        let Some(statement) = asked.statement else { return Ok(()) };
        let Some((player, connection, statement)) = self.place(asked.connection, statement) else { return Ok(()) };
        let asked = Entry { connection, statement: Some(statement), ..asked.clone() };
        let (candidate, _) = log.adopt(player.take_turn(&asked))?;
        if let (Candidate::Rows { position, .. } | Candidate::Row { position, .. }, Some(progress)) =
            (candidate, progress)
        {
            let state = &mut *player.state.write();
            let (connection, _) = state.recorded(connection, None);
            state.cursor(player.order, &player.index, connection).share(position, progress);
        }
        Ok(())
    }

    /// Returns the first mismatch, or makes the one for this scene. `Exhausted` becomes `NoUnit`, because other units may be left.
    pub(crate) fn fail(&self, log: &LogPlayer, asked: &Entry, scene: Scene) -> Mismatch {
        let scene = match scene {
            Scene::Exhausted => {
                let left = self.player.left_unplayed(&mut self.player.state.write()).unwrap_or_default();
                Scene::NoUnit { left: left.iter().map(|unplayed| unplayed.line).collect() }
            }
            scene => scene,
        };
        log.stuck(&mut log.state.write(), asked, scene)
    }

    /// Ends a unit.
    fn end(&self, unit: ConnectionId) {
        let player = &self.player;
        let state = &mut *player.state.write();
        let Some(session) = state.sessions.live(unit).map(|live| live.session) else { return };
        // an unreadable entry is reported when it is asked for
        let complete = player.is_played(state, session.connection).unwrap_or(false);
        let played = player.played(state, session);
        state.sessions.ended(unit, complete, played, false);
        if complete {
            state.forget(player.order, session.connection);
        }
    }

    /// Lists what is left of the units.
    pub(crate) fn units_left(&self) -> Result<Vec<Unplayed>, CassetteError> {
        let mut left = self.player.left_unplayed(&mut self.player.state.write())?;
        // making a connection or preparing a statement has no effect
        left.retain(|unplayed| !matches!(unplayed.method, Method::Connect | Method::Prepare));
        Ok(left)
    }

    /// Lists the units that were not played or not to their end, and the failed connects of the current part.
    pub(crate) fn unplayed(&self, log: &LogPlayer, state: &mut State) -> Result<Vec<Unplayed>, CassetteError> {
        let mut left = self.units_left()?;
        let failed: Vec<u32> = state.sessions.free().filter(|of| !of.succeeded).map(|of| of.position).collect();
        for position in failed {
            left.push(unplayed::at(&log.index, &*log.store, position)?);
        }
        left.sort_by_key(|unplayed| unplayed.line);
        Ok(left)
    }
}

/// Returns the commands that a step serves. Leaves out what was asked after it, because not every execution is asked
/// about equally much.
fn commands(source: &Source, step: Step) -> Result<Vec<Entry>, CassetteError> {
    let mut served = source.served(step)?;
    served.retain(|entry| entry.method.class() == Class::Command);
    Ok(served)
}

/// Returns what a player would serve for the next request of a unit, perhaps after a prepare. `None` if that is not what comes next.
fn next(player: &LogPlayer, prepare: Option<&Entry>, asked: &Entry) -> Result<Option<Vec<Entry>>, CassetteError> {
    // redaction rules go by the text that is prepared
    let redacted = prepare.map(|prepare| player.redacted(prepare).unwrap_or_else(|| prepare.clone()));
    let (prepare, redacted) = (redacted, player.redacted(asked));
    let asked = redacted.as_ref().unwrap_or(asked);
    let state = &mut *player.state.write();
    let recorded = state.recorded(asked.connection, asked.statement);
    let mut cursor = state.cursor(player.order, &player.index, recorded.0).clone();
    if let Some(prepare) = prepare {
        match player.candidate(&mut cursor, &prepare, recorded) {
            Ok(Candidate::Command { place, .. }) => cursor.played(&player.index, place),
            Err(Scene::Unreadable(error)) => return Err(error),
            _ => return Ok(None),
        }
    }
    let position = match player.candidate(&mut cursor, asked, recorded) {
        Ok(Candidate::Command { place, .. }) => cursor.position(&player.index, place),
        Ok(Candidate::Rows { position, .. } | Candidate::Row { position, .. }) => Some(position),
        Ok(Candidate::AtEnd | Candidate::Skippable) => return Ok(Some(Vec::new())),
        Err(Scene::Unreadable(error)) => return Err(error),
        Err(_) => return Ok(None),
    };
    let source = player.store.0.current();
    let before = |position| source.commands(Some(recorded.0)).partition_point(|command| *command < position);
    position.map(|position| commands(source, Step { of: Some(recorded.0), number: before(position) })).transpose()
}

impl LogPlayer {
    /// Says whether `order: any` would play a command that another order refuses: it begins a unit of which nothing is
    /// played, on a connection that is in no transaction. Says no where the order makes no difference, because no other
    /// connection was made with the same connect arguments, and for a log that takes long to read.
    pub(crate) fn any_would_play(&self, state: &mut State, asked: &Entry) -> Result<bool, CassetteError> {
        let begins = matches!(asked.method, Method::Run | Method::Catalog | Method::Prepare | Method::Execute);
        let is_long = self.index.len() > LONG;
        if !begins || is_long || self.order == Order::Any || self.is_by_hand() || self.index.is_of_units() {
            return Ok(false);
        }
        let Some(live) = state.sessions.live(asked.connection) else { return Ok(false) };
        let (Some(groups), (connection, statement)) = (live.groups_of_one(), live.recorded(asked.statement)) else {
            return Ok(false);
        };
        let groups = groups.to_vec();
        let alike = state.sessions.connects.from(0).iter().filter(|connect| groups.contains(&connect.group));
        if alike.take(2).count() < 2 {
            return Ok(false);
        }
        let log = (&*self.index, &*self.store);
        let passed = |position: &u32| {
            let of = self.index.slot(*position).connection();
            state.cursor(self.order, log.0, of).passed(log.0, *position)
        };
        let played: Vec<u32> = (0..self.index.len()).filter(passed).collect();
        let comments = self.comparison.comments;
        let before = Drafts::read(log, &state.sessions.connects, comments, played.iter().copied())?;
        let Some(context) = before.context(connection) else { return Ok(false) };
        let prepare = match asked.method {
            Method::Execute => match statement.and_then(|statement| before.prepare(connection, statement)) {
                Some(position) => Some(sets::entry(log.1, self.index.slot(position).place())?),
                None => return Ok(false),
            },
            _ => None,
        };
        let (units, _, connects) = Units::read(log.0, log.1, &state.sessions.connects, &self.comparison)?;
        let mut sessions = SessionMatcher::new(connects);
        for unit in units.begun(|first| played.binary_search(&first).is_ok()) {
            let id = sessions.opened(Vec::new(), Session::fresh(unit));
            sessions.ended(id, true, None, false);
        }
        let prepare = prepare.as_ref();
        let first = First { groups: &groups, context, execution: asked, asked, redactor: None, prepare };
        if asked.method == Method::Prepare {
            // it is answered as often as it is asked, so what matters is whether an execution of it is left
            let execution = &Entry::new(Method::Execute, asked.connection, asked.statement);
            let first = First { execution, prepare: Some(asked), ..first };
            return Ok(units.prepared(log.0, log.1, &groups, asked)?.is_some()
                && units.nearest(log, &sessions, &first)?.is_some());
        }
        Ok(units.find(log, &sessions, &first)?.is_some())
    }
}
