//! `order: any`: connections with the same connect arguments are interchangeable, and units are played in any order, each once.
//!
//! A unit is played by a player of its own kind, in which it is a connection. Here it is decided when a connection of the program
//! begins a unit, which one, and what belongs to it.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::connects::Group;
use super::cursor::Cursor;
use super::mismatch::Scene;
use super::parts::Source;
use super::result_answers::OWN;
use super::sessions::Session;
use super::units::{Context, First, Transactions, Units, text_of};
use super::unplayed::Unplayed;
use super::{Mismatch, Player, State};
use crate::{CassetteError, ConnectionId, Entry, Method};

/// The units of a cassette, and which connections of the program are in which.
pub(super) struct AnyOrder {
    units: Units,
    /// Plays them.
    pub(super) player: Player,
    lives: Mutex<HashMap<ConnectionId, Live>>,
}

/// A connection of the program.
#[derive(Default)]
struct Live {
    /// The recorded connects that it agrees with.
    groups: Vec<Group>,
    transactions: Transactions,
    context: Context,
    /// The unit of its transaction, and how many statements that has.
    open: Option<Open>,
    statements: HashMap<u32, Statement>,
}

#[derive(Clone, Copy)]
struct Open {
    unit: ConnectionId,
    statements: u32,
}

/// A statement of the program's.
struct Statement {
    /// Its text: what was asked with run, prepare or catalog.
    asked: Entry,
    /// The unit in which it was executed last, and its number there.
    place: Option<(ConnectionId, u32)>,
    /// What is known of it before that.
    prepared: Option<Arc<Player>>,
}

/// Who plays what is asked of a statement.
pub(super) type Elsewhere<'p> = (Playing<'p>, ConnectionId, u32);

/// A player of the cassette's, or one of its own.
pub(super) enum Playing<'p> {
    Units(&'p Player),
    Own(Arc<Player>),
}

impl std::ops::Deref for Playing<'_> {
    type Target = Player;

    fn deref(&self) -> &Player {
        match self {
            Playing::Units(player) => player,
            Playing::Own(player) => player,
        }
    }
}

impl AnyOrder {
    /// Reads the units of a player's cassette.
    pub(super) fn read(player: &Player) -> Result<AnyOrder, CassetteError> {
        let source = player.storage.0.current();
        let state = player.state.lock();
        let (units, index, connects) =
            Units::read(&source.index, &*source.storage, &state.sessions.connects, player.comments)?;
        let own = player.of_source(Source::of_statement(source, Arc::new(index)));
        own.state.lock().sessions.connects = connects;
        Ok(AnyOrder { units, player: own, lives: Mutex::default() })
    }

    /// A connection of the program is made.
    pub(super) fn connected(&self, id: ConnectionId, asked: &Entry, groups: Vec<Group>) {
        let live = Live { groups, transactions: Transactions::of_connect(asked), ..Live::default() };
        self.lives.lock().insert(id, live);
    }

    /// A connection of the program ends.
    pub(super) fn disconnected(&self, id: ConnectionId) {
        let Some(live) = self.lives.lock().remove(&id) else { return };
        let mut units: Vec<ConnectionId> = live.statements.values().filter_map(|of| Some(of.place?.0)).collect();
        units.extend(live.open.map(|open| open.unit));
        units.sort_unstable();
        units.dedup();
        units.into_iter().for_each(|unit| self.player.leave(unit));
    }

    /// A statement goes on with another text, or is freed.
    pub(super) fn forget(&self, connection: ConnectionId, statement: u32) {
        let mut lives = self.lives.lock();
        let Some(live) = lives.get_mut(&connection) else { return };
        let left = live.statements.remove(&statement).and_then(|of| of.place);
        self.leave(live, left);
    }

    /// A statement leaves a unit. If nothing else is in it, that is over.
    fn leave(&self, live: &Live, left: Option<(ConnectionId, u32)>) {
        let Some((unit, _)) = left else { return };
        let in_it = |of: &Statement| of.place.is_some_and(|(place, _)| place == unit);
        if live.open.is_none_or(|open| open.unit != unit) && !live.statements.values().any(in_it) {
            self.player.leave(unit);
        }
    }

    /// Who plays what is asked of a statement now.
    pub(super) fn place(&self, connection: ConnectionId, statement: u32) -> Option<Elsewhere<'_>> {
        let lives = self.lives.lock();
        let of = lives.get(&connection)?.statements.get(&statement)?;
        match (of.place, &of.prepared) {
            (Some((unit, number)), _) => Some((Playing::Units(&self.player), unit, number)),
            (None, Some(prepared)) => Some((Playing::Own(Arc::clone(prepared)), OWN.0, OWN.1)),
            (None, None) => None,
        }
    }
}

impl Player {
    /// A command under `order: any`.
    pub(super) fn command_of_any(&self, any: &AnyOrder, asked: &Entry) -> Result<Entry, Mismatch> {
        if let Some(first) = &self.state.lock().sticky {
            return Err(Mismatch { repeated: true, ..first.clone() });
        }
        let played = match (asked.method, asked.statement) {
            (Method::SetConnectAttr | Method::Commit | Method::Rollback, _) => self.connection_command(any, asked),
            (Method::Prepare, Some(statement)) => self.prepare(any, asked, statement),
            (Method::Run | Method::Catalog | Method::Execute, Some(statement)) => self.execute(any, asked, statement),
            (_, Some(statement)) => match any.place(asked.connection, statement) {
                Some((player, connection, number)) => {
                    self.of_serving(player.command(&Entry { connection, statement: Some(number), ..asked.clone() }))
                }
                None => Err(self.out_of(asked, Scene::Exhausted)),
            },
            (_, None) => Err(self.out_of(asked, Scene::Exhausted)),
        };
        played.map(|entry| Entry { connection: asked.connection, statement: asked.statement, ..entry })
    }

    /// What ends a transaction, or is set on a connection.
    fn connection_command(&self, any: &AnyOrder, asked: &Entry) -> Result<Entry, Mismatch> {
        let mut lives = any.lives.lock();
        let Some(live) = lives.get_mut(&asked.connection) else { return Err(self.out_of(asked, Scene::Exhausted)) };
        let redacted = self.redactor.entry(asked);
        let plain = redacted.as_ref().unwrap_or(asked);
        let entry = match live.open {
            Some(open) => self.of_serving(any.player.command(&Entry { connection: open.unit, ..asked.clone() }))?,
            None => match any.units.apart(&live.groups, plain) {
                Some(entry) => entry.clone(),
                None => return Err(self.out_of(asked, Scene::Exhausted)),
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
                any.leave(live, Some((open.unit, 0)));
            }
        }
        Ok(entry)
    }

    /// A prepare has no effect, so it is answered as often as it is asked.
    fn prepare(&self, any: &AnyOrder, asked: &Entry, statement: u32) -> Result<Entry, Mismatch> {
        let mut lives = any.lives.lock();
        let Some(live) = lives.get_mut(&asked.connection) else { return Err(self.out_of(asked, Scene::Exhausted)) };
        let redacted = self.redactor.entry(asked);
        let plain = redacted.as_ref().unwrap_or(asked);
        let source = self.storage.0.current();
        let known = any.units.prepared(&source.index, &*source.storage, &live.groups, plain);
        let known = known.map_err(|error| self.out_of(asked, error.into()))?;
        let Some((index, connection, recorded)) = known else { return Err(self.out_of(asked, Scene::Exhausted)) };
        let player = self.of_source(Source::of_statement(source, index));
        player.state.lock().sessions.open_at(OWN.0, connection, recorded - OWN.1);
        let entry = player.command(&Entry { connection: OWN.0, statement: Some(OWN.1), ..plain.clone() });
        let entry = self.of_serving(entry)?;
        let now = Statement { asked: asked.clone(), place: None, prepared: Some(Arc::new(player)) };
        let left = live.statements.insert(statement, now).and_then(|of| of.place);
        any.leave(live, left);
        Ok(entry)
    }

    /// An execution is in the transaction that is open, or begins a unit.
    fn execute(&self, any: &AnyOrder, asked: &Entry, statement: u32) -> Result<Entry, Mismatch> {
        let mut lives = any.lives.lock();
        let Some(live) = lives.get_mut(&asked.connection) else { return Err(self.out_of(asked, Scene::Exhausted)) };
        if asked.method != Method::Execute {
            let now = Statement { asked: asked.clone(), place: None, prepared: None };
            let left = live.statements.insert(statement, now).and_then(|of| of.place);
            any.leave(live, left);
        }
        let Some(of) = live.statements.get(&statement) else { return Err(self.out_of(asked, Scene::Exhausted)) };
        let (text, prepare, left) = (of.asked.clone(), of.prepared.is_some().then(|| of.asked.clone()), of.place);
        let sql = text_of(&text, true);
        let open = match live.open {
            Some(open) => open,
            None => Open { unit: self.begin(any, live, asked, prepare.as_ref())?, statements: 0 },
        };
        // a statement has a number in the unit once it is executed there
        let known = left.filter(|(unit, _)| *unit == open.unit).map(|(_, number)| number);
        let number = known.unwrap_or(open.statements + 1);
        let at = |entry: &Entry| Entry { connection: open.unit, statement: Some(number), ..entry.clone() };
        if let Some(prepare) = prepare.filter(|_| known.is_none()) {
            self.of_serving(any.player.command(&at(&prepare)))?;
        }
        let entry = self.of_serving(any.player.command(&at(asked)))?;
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
        if entry.succeeded() && Transactions::end_with(asked, &sql) {
            live.open = None;
        }
        if left.is_some_and(|(unit, _)| unit != open.unit) {
            any.leave(live, left);
        }
        Ok(entry)
    }

    /// Begins a unit: one that nobody has, which begins with what is asked. The connection that it is in the units' player.
    fn begin(
        &self,
        any: &AnyOrder,
        live: &Live,
        asked: &Entry,
        prepare: Option<&Entry>,
    ) -> Result<ConnectionId, Mismatch> {
        let redacted = (self.redactor.entry(asked), prepare.and_then(|prepare| self.redactor.entry(prepare)));
        let first = First {
            groups: &live.groups,
            context: &live.context,
            execution: redacted.0.as_ref().unwrap_or(asked),
            prepare: redacted.1.as_ref().or(prepare),
        };
        let source = self.storage.0.current();
        let log = (&*source.index, &*source.storage);
        let mut state = any.player.state.lock();
        match any.units.find(log, &state.sessions, &first) {
            Ok(Some((unit, groups))) => {
                let index = &any.player.index;
                state.cursors.insert(unit, Cursor::advanced(index, unit, 1));
                Ok(state.sessions.opened(groups, Session::fresh(unit)))
            }
            Ok(None) => {
                let nearest = any.units.nearest(log, &state.sessions, &first);
                drop(state);
                Err(self.out_of(
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
                Err(self.out_of(asked, error.into()))
            }
        }
    }

    /// Whether a command would be played.
    pub(super) fn expects_of_any(&self, any: &AnyOrder, asked: &Entry) -> bool {
        let Some(statement) = asked.statement else { return false };
        let place = any.place(asked.connection, statement);
        if !matches!(asked.method, Method::Run | Method::Catalog | Method::Execute) {
            return place.is_some_and(|(player, connection, number)| {
                player.expects(&Entry { connection, statement: Some(number), ..asked.clone() })
            });
        }
        let lives = any.lives.lock();
        let Some(live) = lives.get(&asked.connection) else { return false };
        if let Some(open) = live.open {
            let of = live.statements.get(&statement);
            let number = of.and_then(|of| of.place).filter(|(unit, _)| *unit == open.unit).map(|(_, number)| number);
            let number = number.unwrap_or(open.statements + 1);
            return any.player.expects(&Entry { connection: open.unit, statement: Some(number), ..asked.clone() });
        }
        let redacted = self.redactor.entry(asked);
        let prepare = live.statements.get(&statement).filter(|of| of.prepared.is_some()).map(|of| &of.asked);
        let first = First {
            groups: &live.groups,
            context: &live.context,
            execution: redacted.as_ref().unwrap_or(asked),
            prepare: prepare.filter(|_| asked.method == Method::Execute),
        };
        let source = self.storage.0.current();
        let state = any.player.state.lock();
        let found = any.units.find((&source.index, &*source.storage), &state.sessions, &first);
        found.is_ok_and(|found| found.is_some())
    }

    /// The first mismatch, or that of this scene.
    fn out_of(&self, asked: &Entry, scene: Scene) -> Mismatch {
        self.stuck(&mut self.state.lock(), asked, scene)
    }

    /// A unit is over.
    fn leave(&self, unit: ConnectionId) {
        let state = &mut *self.state.lock();
        let Some(session) = state.sessions.live(unit).map(|live| live.session) else { return };
        // what cannot be read is told when it is asked for
        let complete = self.is_played(state, session.connection).unwrap_or(false);
        let played = self.played(state, session);
        state.sessions.ended(unit, complete, played, false);
        if complete {
            state.answers.forget(session.connection, None);
            state.closes.retain(|(of, _), _| *of != session.connection);
        }
    }

    /// The units that were not played, or not to their end.
    pub(super) fn unplayed_units(&self, any: &AnyOrder, state: &mut State) -> Result<Vec<Unplayed>, CassetteError> {
        let mut left = any.player.unplayed()?;
        // that a connection was made, or a statement prepared, has no effect
        left.retain(|unplayed| !matches!(unplayed.method, Method::Connect | Method::Prepare));
        let failed: Vec<u32> = state.sessions.free().filter(|of| !of.succeeded).map(|of| of.position).collect();
        for position in failed {
            left.push(super::unplayed::at(&self.index, &*self.storage, position)?);
        }
        left.sort_by_key(|unplayed| unplayed.line);
        Ok(left)
    }
}
