//! Playing a cassette: hands out what was recorded, in the recorded order, to a program that asks for the same again.

mod advice;
mod alike;
mod answers;
mod any_order;
mod candidate;
mod columns;
mod comments;
mod compare;
mod connects;
mod cursor;
mod facts;
mod finish;
mod headline;
mod history;
mod index;
mod informed;
mod mismatch;
mod nearest;
mod parts;
mod playing;
mod prefetch;
mod redacted;
mod rematch;
mod report;
mod result_answers;
mod rows;
mod scope;
mod scroll;
mod sessions;
pub mod summary;
mod turn;
mod units;
mod unplayed;
mod volatile;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use rustc_hash::FxHashMap;

pub use columns::read as columns;
pub(crate) use comments::without as without_comments;
pub use compare::{Difference, field as difference_in};
pub use mismatch::{Mismatch, MismatchKind};
pub use parts::Tickets;
pub use rows::PlayedRun;
pub use scroll::Scrolled;
pub use unplayed::Unplayed;
pub use volatile::Volatile;
pub(crate) use volatile::{parts as volatile_parts, replaced as volatile_replaced};

use crate::check::{Fits, Wrong};
use crate::metadata::{Metadata, Order};
use crate::redaction::{Redaction, Redactor, Secrets};
use crate::schema::Class;
use crate::store::Store;
use crate::store::directory::Directory;
use crate::store::info_part;
use crate::{CassetteError, ConnectionId, Entry, Fields, Method, Value, check, sets};
use answers::{Answers, Standing};
use any_order::{AnyOrder, Elsewhere, Playing};
use candidate::Candidate;
use columns::Columns;
use connects::Connects;
use cursor::Cursor;
use facts::Facts;
use index::Index;
use mismatch::Scene;
use parts::{Choosing, PlayedIndex, PlayedStorage, PlayedTold, Source, Sources};
pub use result_answers::FIRST_RESULT_ANSWER;
use result_answers::{OWN, Serving};
use sessions::SessionMatcher;
use turn::{Turn, Waiting};

/// How a cassette is to be played.
#[derive(Clone, Debug)]
pub struct PlayOptions {
    /// The order, if it is not to be the one in `metadata.yml`.
    pub order: Option<Order>,
    /// Where the caller puts the report of a mismatch, for the headline: a file's name. `None`: stderr.
    pub report: Option<String>,
    /// How long a command may wait for its turn under `order: global` while other threads play.
    pub wait: Duration,
    /// Whether comments in SQL count.
    pub comments: bool,
    /// The command line that runs the program again with these variables, for advice. `None`: nobody knows it.
    pub record_again: Option<fn(&str) -> String>,
    /// Says whether a cell is a value of its C type. `None`: nobody looks.
    pub fits: Option<Fits>,
}

impl Default for PlayOptions {
    /// As the cassette says; reports on stderr, three seconds for a turn.
    fn default() -> Self {
        let wait = Duration::from_secs(3);
        PlayOptions { order: None, report: None, wait, comments: true, record_again: None, fits: None }
    }
}

/// A cassette being played: one per cassette and process, shared by all connections and threads.
///
/// The first mismatch is sticky: later commands fail with it.
pub struct Player {
    storage: PlayedStorage,
    metadata: Metadata,
    order: Order,
    report: String,
    index: PlayedIndex,
    wait: Duration,
    redactor: Redactor,
    comments: bool,
    record_again: Option<fn(&str) -> String>,
    fits: Option<Fits>,
    /// The functions of which anything is recorded about connections.
    told: PlayedTold,
    state: Mutex<State>,
    /// Something was played.
    played: Condvar,
    /// The end may be near: see `finish`.
    near_end: AtomicBool,
    serving: Serving,
    /// What is played under `order: any`.
    any: Option<Box<AnyOrder>>,
}

/// What changes while the cassette is played.
struct State {
    /// The cursor of the whole log, under `order: global`.
    whole: Cursor,
    /// The cursors of the connections, under `order: connection`.
    cursors: BTreeMap<ConnectionId, Cursor>,
    sessions: SessionMatcher,
    /// Which part this process plays, of a cassette of several processes.
    choosing: Option<Choosing>,
    /// Calls that wait for their turn.
    waiting: Waiting,
    sticky: Option<Mismatch>,
    answers: Answers,
    columns: Columns,
    facts: Facts,
    /// How often a statement was closed since its last command.
    closes: FxHashMap<(ConnectionId, Option<u32>), u32>,
    /// The parts of which it was said last that everything is played.
    finished: Vec<usize>,
}

impl State {
    fn new(sessions: SessionMatcher, choosing: Option<Choosing>) -> State {
        State {
            whole: Cursor::whole(),
            cursors: BTreeMap::new(),
            sessions,
            choosing,
            waiting: Waiting::default(),
            sticky: None,
            answers: Answers::default(),
            columns: Columns::default(),
            facts: Facts::default(),
            closes: FxHashMap::default(),
            finished: Vec::new(),
        }
    }

    fn cursor(&mut self, order: Order, index: &Index, connection: ConnectionId) -> &mut Cursor {
        match order {
            Order::Global => &mut self.whole,
            Order::Connection | Order::Any => {
                self.cursors.entry(connection).or_insert_with(|| Cursor::connection(index, connection))
            }
        }
    }

    /// The recorded connection and statement behind live ones.
    fn recorded(&self, live: ConnectionId, statement: Option<u32>) -> (ConnectionId, Option<u32>) {
        self.sessions.live(live).map_or((live, statement), |live| live.recorded(statement))
    }
}

/// What a fetch finds.
#[allow(clippy::large_enum_variant)] // moved once for a run of rows: a box would be an allocation for each
pub enum Fetched {
    /// A run of rows, to be read to its end before the next command.
    Rows(PlayedRun),
    /// The end of data.
    End,
    /// A recorded fetch that failed, with its `return` and `diagnostics`.
    Failed(Entry),
}

impl Player {
    /// Opens a cassette and reads where its entries are.
    ///
    /// # Errors
    /// No cassette, not a cassette, an incomplete recording, another schema, an unreadable entry or info file: each with its
    /// own text. A driver manager asks while it connects, and there are some that crash when an answer fails: whatever they
    /// may ask has been read when this succeeds.
    pub fn open(directory: &Path, options: PlayOptions) -> Result<Arc<Player>, CassetteError> {
        Player::with_storage(Box::new(Directory::read(directory)?), options)
    }

    /// Opens a cassette in any storage.
    ///
    /// # Errors
    /// As for [`Player::open`].
    pub fn with_storage(storage: Box<dyn Store>, options: PlayOptions) -> Result<Arc<Player>, CassetteError> {
        Player::with_sources(vec![storage], None, options)
    }

    /// Opens a cassette of several processes, of which this one takes a part.
    ///
    /// # Errors
    /// As for [`Player::open`]; no part at all.
    pub fn with_parts(
        parts: Vec<Box<dyn Store>>,
        tickets: Arc<dyn Tickets>,
        options: PlayOptions,
    ) -> Result<Arc<Player>, CassetteError> {
        let choosing = Choosing::new(parts.len(), tickets);
        Player::with_sources(parts, Some(choosing), options)
    }

    fn with_sources(
        storages: Vec<Box<dyn Store>>,
        choosing: Option<Choosing>,
        options: PlayOptions,
    ) -> Result<Arc<Player>, CassetteError> {
        let mut first = None;
        for storage in &storages {
            let metadata = storage.metadata()?;
            if !metadata.complete {
                return Err(CassetteError::new(storage.name(), "the recording is incomplete: it did not end cleanly")
                    .advice("record again, or keep what there is with `super8 recover`"));
            }
            first.get_or_insert(metadata);
        }
        let metadata = first.ok_or_else(|| CassetteError::new(Path::new(""), "there is no part to play"))?;
        let sources = Sources::read(storages)?;
        let (storage, index) = (PlayedStorage(Arc::clone(&sources)), PlayedIndex(Arc::clone(&sources)));
        let connects = Connects::read(&index, &*storage)?;
        let state = State::new(SessionMatcher::new(connects), choosing);
        let PlayOptions { order, report, wait, comments, record_again, fits } = options;
        let (order, report) = (order.unwrap_or(metadata.order), report.unwrap_or_else(|| "stderr".to_owned()));
        // which part is a process's own is told by the order inside its connections
        let order = if order == Order::Any && state.choosing.is_some() { Order::Connection } else { order };
        let (redactor, state, played) = (Redactor::default(), Mutex::new(state), Condvar::new());
        let told = PlayedTold(sources);
        let mut player = Player {
            storage,
            metadata,
            order,
            report,
            index,
            wait,
            redactor,
            comments,
            record_again,
            fits,
            told,
            near_end: AtomicBool::new(false),
            state,
            played,
            serving: Serving::default(),
            any: None,
        };
        if player.order == Order::Any {
            player.any = Some(Box::new(AnyOrder::read(&player)?));
        }
        Ok(Arc::new(player))
    }

    /// A player of one source, with the same options, whose connections are independent.
    fn of_source(&self, source: Source) -> Player {
        let sources = Sources::one(source);
        Player {
            storage: PlayedStorage(Arc::clone(&sources)),
            metadata: self.metadata.clone(),
            order: Order::Connection,
            report: self.report.clone(),
            index: PlayedIndex(Arc::clone(&sources)),
            wait: Duration::ZERO,
            redactor: Redactor::default(),
            comments: self.comments,
            record_again: self.record_again,
            fits: self.fits,
            told: PlayedTold(sources),
            state: Mutex::new(State::new(SessionMatcher::default(), None)),
            played: Condvar::new(),
            near_end: AtomicBool::new(false),
            serving: Serving::default(),
            any: None,
        }
    }

    /// Has values of what is asked replaced by the rules with which the cassette was redacted.
    pub fn redact(&self, rules: Arc<Redaction>) {
        if let Some(any) = &self.any {
            any.player.redactor.follow(Arc::clone(&rules));
        }
        self.redactor.follow(rules);
    }

    /// Has these secrets hidden in what is asked, as they were when it was recorded.
    pub fn hide(&self, secrets: Arc<Secrets>) {
        if let Some(any) = &self.any {
            any.player.redactor.hide(Arc::clone(&secrets));
        }
        self.redactor.hide(secrets);
    }

    /// What `metadata.yml` says.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The order in which the cassette is played.
    pub fn order(&self) -> Order {
        self.order
    }

    /// The units that are played in any order, if that is the order and the statement is not one that is served an answer.
    fn any_of(&self, statement: Option<u32>) -> Option<&AnyOrder> {
        self.any.as_deref().filter(|_| statement.is_none_or(|statement| statement < FIRST_RESULT_ANSWER))
    }

    /// Who plays what is asked of a statement, if that is another player: its connection and its statement.
    fn elsewhere(&self, connection: ConnectionId, statement: Option<u32>) -> Option<Elsewhere<'_>> {
        if let Some(player) = self.serving(connection, statement) {
            return Some((Playing::Own(player), OWN.0, OWN.1));
        }
        self.any.as_ref()?.place(connection, statement?)
    }

    /// Plays a connect. The recorded entry has the id of a live connection, which everything after it has to be asked
    /// with; which recorded connection that is may stay open for a while.
    ///
    /// # Errors
    /// The first mismatch of this cassette.
    pub fn connect(&self, asked: &Entry) -> Result<Entry, Mismatch> {
        let connected = self.play(asked, |state| self.step_connect(state, asked))?;
        if let Some(any) = self.any.as_ref().filter(|_| connected.succeeded()) {
            let groups = self.state.lock().sessions.connects.agreeing(asked);
            any.connected(connected.connection, asked, groups);
        }
        Ok(connected)
    }

    /// The recorded connection that a live one is taken for at present.
    pub fn recorded(&self, connection: ConnectionId) -> ConnectionId {
        self.state.lock().recorded(connection, None).0
    }

    /// Plays a command other than a connect or a fetch: the next one of its order, if it is the same.
    ///
    /// # Errors
    /// The first mismatch of this cassette.
    pub fn command(&self, asked: &Entry) -> Result<Entry, Mismatch> {
        if let Some(any) = self.any_of(asked.statement) {
            return self.command_of_any(any, asked);
        }
        let redacted = self.redacted(asked);
        let asked = redacted.as_ref().unwrap_or(asked);
        if let Some((player, asked)) = self.served(asked) {
            return self.of_serving(player.command(&asked));
        }
        let mut ahead = self.ahead(asked);
        let (candidate, _) = self.play(asked, |state| self.step(state, asked, ahead.take()))?;
        Ok(candidate.into_entry().unwrap_or_else(|| Entry::new(asked.method, asked.connection, asked.statement)))
    }

    /// Plays a fetch: the next run of rows of the statement.
    ///
    /// At the end of data every further fetch finds the end again; it need not be asked for.
    ///
    /// # Errors
    /// The first mismatch of this cassette.
    pub fn fetch(&self, connection: ConnectionId, statement: u32) -> Result<Fetched, Mismatch> {
        if let Some((player, connection, statement)) = self.elsewhere(connection, Some(statement)) {
            return self.of_serving(player.fetch(connection, statement));
        }
        let asked = Entry::new(Method::Fetch, connection, Some(statement));
        let mut ahead = self.ahead(&asked);
        let (candidate, progress) = self.play(&asked, |state| self.step(state, &asked, ahead.take()))?;
        let (Candidate::Rows { entry, position, end, .. }, Some(progress)) = (candidate, progress) else {
            return Ok(Fetched::End);
        };
        if rows::is_end(&entry) {
            return Ok(Fetched::End);
        }
        if rows::is_failure(&entry) {
            return Ok(Fetched::Failed(entry));
        }
        // a file is opened without the player's lock
        let place = self.index.slot(position).place();
        let run = PlayedRun::open(&*self.storage, place, entry, end.is_some(), progress);
        run.map(Fetched::Rows).map_err(|error| self.stuck(&mut self.state.lock(), &asked, error.into()))
    }

    /// Whether the log has an entry of this method at all: a question of another one need not be put.
    pub fn has(&self, method: Method) -> bool {
        self.index.has(method)
    }

    /// The answer to a question of this method, at the statement's position: the one in force to the first of the keys
    /// `in_force` that has one, which is the latest before the statement's next command, or before the place where it was closed;
    /// else the first that comes later, to the first of the keys `later` that has one. `None` if none was ever asked.
    ///
    /// # Errors
    /// An unreadable entry.
    pub fn answer(
        &self,
        connection: ConnectionId,
        statement: Option<u32>,
        method: Method,
        in_force: &[Fields],
        later: &[Fields],
    ) -> Result<Option<Entry>, CassetteError> {
        if let Some((player, connection, statement)) = self.elsewhere(connection, statement) {
            return player.answer(connection, Some(statement), method, in_force, later);
        }
        if !self.has(method) {
            return Ok(None);
        }
        let state = &mut *self.state.lock();
        let owner = state.recorded(connection, statement);
        let standing = self.standing(state, owner, self.index.statement(owner.0, owner.1));
        let log = (&*self.index, &*self.storage);
        for key in in_force {
            let found = state.answers.current(log, owner, standing, method, &self.redactor.key(key))?;
            if found.is_some() {
                return Ok(found);
            }
        }
        for key in later {
            let found = state.answers.later(log, owner, standing.bound, method, &self.redactor.key(key))?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Where a statement or a connection, whose entries these are, stands: before its next command, and before its next close
    /// since the last one.
    fn standing(&self, state: &mut State, owner: (ConnectionId, Option<u32>), positions: &[u32]) -> Standing {
        let index = &self.index;
        let bound = state.cursor(self.order, index, owner.0).bound(index, positions);
        let played = &positions[..positions.partition_point(|position| *position < bound)];
        let commands = |position: &u32| {
            let method = index.slot(*position).method;
            // rows stand where they ended, in the statement's own order
            method.class() == Class::Command && (owner.1.is_some() || !method.is_rows())
        };
        let last = played.iter().rposition(commands);
        let since = last.map_or(0, |at| played[at]);
        let Some(statement) = owner.1 else { return Standing { bound, since } };
        let rest = &played[last.map_or(0, |at| at + 1)..];
        let closed = state.closes.get(&(owner.0, Some(statement))).copied().unwrap_or_default() as usize;
        let mut closes = rest.iter().copied().filter(|position| index.slot(*position).method == Method::Close);
        let since = closed.checked_sub(1).and_then(|before| closes.nth(before)).unwrap_or(since);
        Standing { bound: closes.next().unwrap_or(bound), since }
    }

    /// What was recorded of the columns of the statement's current result: a list of maps. `None` if nothing was.
    ///
    /// # Errors
    /// An unreadable entry or columns file.
    pub fn columns(&self, connection: ConnectionId, statement: u32) -> Result<Option<Arc<Value>>, CassetteError> {
        if let Some((player, connection, statement)) = self.elsewhere(connection, Some(statement)) {
            return player.columns(connection, statement);
        }
        let state = &mut *self.state.lock();
        let (connection, statement) = state.recorded(connection, Some(statement));
        let positions = self.index.statement(connection, statement);
        let bound = state.cursor(self.order, &self.index, connection).bound(&self.index, positions);
        state.columns.find(&self.index, &*self.storage, positions, bound)
    }

    /// No statement of the connection is open, and it was asked whether it is still good, or told to forget all that was
    /// set: so does a driver manager that takes it from its pool. It may be another recorded one from now on.
    pub fn idle(&self, connection: ConnectionId) {
        if let Some(live) = self.state.lock().sessions.live_mut(connection) {
            live.idle = true;
        }
    }

    /// Takes note of a statement that is closed, freed or cancelled, or of a connection that ends. The order of these is
    /// never checked: languages that collect garbage free handles when they like. What is kept for the statement goes.
    pub fn housekeeping(&self, entry: &Entry) {
        if !matches!(entry.method, Method::Close | Method::Drop | Method::Disconnect) {
            return;
        }
        if let Some((player, connection, statement)) = self.elsewhere(entry.connection, entry.statement) {
            player.housekeeping(&Entry::new(entry.method, connection, Some(statement)));
            if let (Method::Drop, Some(statement)) = (entry.method, entry.statement) {
                self.forget_statement(entry.connection, statement);
            }
            return;
        }
        let state = &mut *self.state.lock();
        let (connection, statement) = state.recorded(entry.connection, entry.statement);
        if entry.method == Method::Close {
            *state.closes.entry((connection, statement)).or_default() += 1;
            return;
        }
        state.closes.remove(&(connection, statement));
        state.answers.forget(connection, statement);
    }

    /// The connection is closed.
    pub fn disconnect(&self, connection: ConnectionId) {
        self.serving.lock().retain(|(of, _), _| *of != connection);
        if let Some(any) = &self.any {
            any.disconnected(connection);
        }
        let state = &mut *self.state.lock();
        let (recorded, _) = state.recorded(connection, None);
        // what cannot be read is told when it is asked for
        let _ = self.end(state, connection);
        state.answers.forget(recorded, None);
        state.facts.forget(recorded);
        state.closes.retain(|(of, _), _| *of != recorded);
        self.next_turn(state);
    }

    /// A part of the cassette that is damaged: every later command fails with this, as after any first mismatch.
    pub fn damaged(&self, connection: ConnectionId, statement: Option<u32>, error: CassetteError) -> Mismatch {
        let state = &mut *self.state.lock();
        match &state.sticky {
            Some(first) => Mismatch { repeated: true, ..first.clone() },
            None => self.stuck(state, &Entry::new(Method::Answer, connection, statement), error.into()),
        }
    }

    /// The last entry of a method that a statement was given says something that cannot be played: every later command fails with
    /// this.
    pub fn refuse(&self, connection: ConnectionId, statement: Option<u32>, method: Method, wrong: Wrong) -> Mismatch {
        if let Some((player, connection, statement)) = self.elsewhere(connection, statement) {
            let refused = player.refuse(connection, Some(statement), method, wrong);
            return self.state.lock().sticky.get_or_insert(refused).clone();
        }
        let error = {
            let state = &mut *self.state.lock();
            let (connection, statement) = state.recorded(connection, statement);
            let positions = self.index.statement(connection, statement);
            let bound = state.cursor(self.order, &self.index, connection).bound(&self.index, positions);
            let before = &positions[..positions.partition_point(|position| *position < bound)];
            let last = before.iter().rev().find(|position| self.index.slot(**position).method == method);
            match last {
                Some(position) => self.storage.refuse_entry(self.index.slot(*position).place(), wrong),
                None => wrong.error(self.storage.name(), 1),
            }
        };
        self.damaged(connection, statement, error)
    }

    /// The same for an answer about a statement or a connection.
    pub fn refuse_answer(
        &self,
        connection: ConnectionId,
        statement: Option<u32>,
        answer: &Fields,
        wrong: Wrong,
    ) -> Mismatch {
        if let Some((player, connection, statement)) = self.elsewhere(connection, statement) {
            let refused = player.refuse_answer(connection, Some(statement), answer, wrong);
            return self.state.lock().sticky.get_or_insert(refused).clone();
        }
        let in_log = |position: &u32| {
            let entry = self.storage.entry(self.index.slot(*position).place());
            entry.is_ok_and(|entry| entry.fields == *answer)
        };
        let of_statement = statement.map_or(&[][..], |_| {
            let (connection, statement) = self.state.lock().recorded(connection, statement);
            self.index.statement(connection, statement)
        });
        let error = if let Some(position) = of_statement.iter().copied().chain(self.index.told()).find(in_log) {
            self.storage.refuse_entry(self.index.slot(position).place(), wrong)
        } else {
            let in_file = |connection: ConnectionId| {
                let item = self.storage.info(connection).ok()?.iter().position(|known| known == answer)?;
                Some(self.storage.locate_item(&info_part(connection), item, &wrong.key))
            };
            let own = self.recorded(connection);
            let found = in_file(own).or_else(|| self.index.connections().find_map(in_file));
            let (file, line) = found.unwrap_or_else(|| (self.storage.name().to_owned(), 1));
            wrong.error(&file, line)
        };
        self.damaged(connection, statement, error)
    }

    /// Whether the cells of an entry that is to be handed out are values of their C types.
    fn check_cells(&self, position: u32, entry: &Entry) -> Result<(), CassetteError> {
        let Some(fits) = self.fits else { return Ok(()) };
        check::check_cells(entry, fits)
            .map_err(|wrong| self.storage.refuse_entry(self.index.slot(position).place(), wrong))
    }

    /// Whether no connection is open.
    pub fn rests(&self) -> bool {
        self.state.lock().sessions.open().next().is_none()
    }

    /// Whether there was a mismatch: what was not played after it says nothing more.
    pub fn failed(&self) -> bool {
        self.state.lock().sticky.is_some()
    }

    /// The cassette's directory, or the trace's file.
    pub fn name(&self) -> &Path {
        self.storage.name()
    }

    /// The commands that were never played, and the rows that were never read, in recorded order.
    ///
    /// # Errors
    /// An unreadable entry.
    pub fn unplayed(&self) -> Result<Vec<Unplayed>, CassetteError> {
        self.left_unplayed(&mut self.state.lock())
    }

    fn left_unplayed(&self, state: &mut State) -> Result<Vec<Unplayed>, CassetteError> {
        if let Some(any) = &self.any {
            return self.unplayed_units(any, state);
        }
        match self.order {
            Order::Global => unplayed::of_cursor(&self.index, &*self.storage, &state.whole),
            Order::Connection | Order::Any => {
                let mut all = Vec::new();
                for connection in self.index.connections() {
                    let cursor = state.cursor(self.order, &self.index, connection);
                    all.append(&mut unplayed::of_cursor(&self.index, &*self.storage, cursor)?);
                }
                all.sort_by_key(|unplayed: &Unplayed| unplayed.line);
                Ok(all)
            }
        }
    }

    /// Does a step that may end in a mismatch, unless one was before; under `order: global`, perhaps after a while.
    fn play<T>(&self, asked: &Entry, mut step: impl FnMut(&mut State) -> Result<T, Scene>) -> Result<T, Mismatch> {
        let (mut state, mut turn) = (self.state.lock(), Turn::default());
        loop {
            if let Some(first) = &state.sticky {
                return Err(Mismatch { repeated: true, ..first.clone() });
            }
            let chosen = self.choose(&mut state, asked);
            let mut scene = match chosen.and_then(|chosen| Ok((step(&mut state)?, chosen))) {
                Ok((played, chosen)) => {
                    if let Err(error) = self.chosen(&mut state, chosen) {
                        return Err(self.stuck(&mut state, asked, error.into()));
                    }
                    self.next_turn(&mut state);
                    self.look_for_the_end(&mut state, asked);
                    return Ok(played);
                }
                Err(scene) => scene,
            };
            match self.wait(&mut turn, &mut state, asked, &scene) {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => scene = error.into(),
            }
            let mismatch = self.stuck(&mut state, asked, scene);
            self.next_turn(&mut state);
            return Err(mismatch);
        }
    }

    /// Makes the mismatch of a scene, and keeps it.
    fn stuck(&self, state: &mut State, asked: &Entry, scene: Scene) -> Mismatch {
        let mismatch = self.explain(state, asked, scene);
        state.sticky.get_or_insert(mismatch).clone()
    }
}
