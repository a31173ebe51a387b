//! Plays one log: hands out what was recorded, in its order, to those who ask for the same again.
//!
//! The methods are spread over several files by topic: a step of playing (`playing`, `candidate`), waiting for a turn
//! (`turn`), finding which recorded connection a live one is (`rematch`, `history`), which part a process plays (`parts`),
//! scrolls (`scroll`), answers about connections (`connection_answers`), the end (`finish`) and mismatches (`explain`).

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::time::Duration;

use parking_lot::RwLock;

use crate::compare::comparison::Comparison;
use crate::compare::mismatch::{Mismatch, Scene};
use crate::log::answers::Standing;
use crate::log::columns::Columns;
use crate::log::cursor::{Candidate, Cursor, Taken};
use crate::log::rows::{self, PlayedRun};
use crate::sessions::fault_places::{Faults, TellFault, takes_faults};
use crate::sessions::matcher::Connects;
use crate::sessions::matcher::SessionMatcher;
use crate::sessions::sources::{PartChoice, PlayedFunctions, PlayedIndex, PlayedStore, Source, Sources};
use crate::sessions::state::{Lane, State, Turn};
use crate::sessions::unplayed;
use crate::sessions::unplayed::Unplayed;
use crate::values::bindings::Bindings;
use super8_cassette::check::{Fits, Wrong};
use super8_cassette::faults::Fault;
use super8_cassette::metadata::{Metadata, Order};
use super8_cassette::process::Processes;
use super8_cassette::redaction::Redactor;
use super8_cassette::schema::Class;
use super8_cassette::store::{Store, info_member};
use super8_cassette::volatile_rules::VolatileRules;
use super8_cassette::{CassetteError, ConnectionId, Entry, Fields, Key, Method, Value, check, sets};

/// How the user started the program, so that advice can name what to change there.
#[derive(Clone, Copy, Debug)]
pub struct Started {
    /// Returns the command line that records the program again, with these variables set if there are any.
    pub record_again: fn(&str) -> String,
    /// Says how to replay in this order, as the end of a sentence.
    pub set_order: fn(Order) -> String,
}

/// How to play a cassette.
#[derive(Clone, Debug)]
pub struct PlayOptions {
    /// The order, if it is not the one in `metadata.yml`.
    pub order: Option<Order>,
    /// The name of the file where the caller puts the report of a mismatch, for the headline. `None`: stderr.
    pub report: Option<String>,
    /// How long a command may wait for its turn under `order: global` while other threads play.
    pub wait: Duration,
    /// Whether comments in SQL are compared.
    pub comments: bool,
    /// How the user started the program, for advice. `None`: unknown.
    pub started: Option<Started>,
    /// Says whether a cell is a value of its C type. `None`: cells are not checked.
    pub fits: Option<Fits>,
    /// The commands that fail once.
    pub faults: Vec<Fault>,
    /// Who is told what happens with the faults.
    pub tell_fault: Option<TellFault>,
}

impl Default for PlayOptions {
    /// Plays in the order that the cassette says, reports on stderr and waits three seconds for a turn.
    fn default() -> Self {
        let wait = Duration::from_secs(3);
        let (faults, tell_fault) = (Vec::new(), None);
        PlayOptions { order: None, report: None, wait, comments: true, started: None, fits: None, faults, tell_fault }
    }
}

/// A log being played, shared by all connections and threads.
///
/// The first mismatch is sticky: all later commands fail with it.
pub(crate) struct LogPlayer {
    pub(crate) store: PlayedStore,
    pub(crate) metadata: Metadata,
    pub(crate) order: Order,
    pub(crate) report: String,
    pub(crate) index: PlayedIndex,
    pub(crate) wait: Duration,
    pub(crate) redactor: Redactor,
    pub(crate) comparison: Comparison,
    pub(crate) started: Option<Started>,
    pub(crate) fits: Option<Fits>,
    pub(crate) faults: Faults,
    /// The functions for which anything is recorded about connections.
    pub(crate) answered_functions: PlayedFunctions,
    pub(crate) columns: Columns,
    pub(crate) state: RwLock<State>,
    /// How many calls wait for their turn.
    pub(crate) waiting: AtomicU32,
    /// Whether the end may be near: see `finish`.
    pub(crate) near_end: AtomicBool,
}

/// What a fetch finds.
#[allow(clippy::large_enum_variant)] // moved once per run of rows: a box would cost an allocation each time
pub enum Fetched {
    /// A run of rows, to be read to its end before the next command.
    Rows(PlayedRun),
    /// The end of data.
    End,
    /// A recorded fetch that failed, with its `return` and `diagnostics`.
    Failed(Entry),
}

impl LogPlayer {
    /// Opens the stores: one cassette, or the parts of several processes with what these know of each other.
    pub(crate) fn open(
        stores: Vec<Box<dyn Store>>,
        processes: Option<Arc<dyn Processes>>,
        options: PlayOptions,
    ) -> Result<LogPlayer, CassetteError> {
        let choosing = processes.clone().map(|processes| PartChoice::new(stores.len(), processes));
        let mut first = None;
        for store in &stores {
            let metadata = store.metadata()?;
            if !metadata.complete {
                return Err(CassetteError::new(store.name(), "the recording is incomplete: it did not end cleanly")
                    .advice("record again, or keep what there is with `super8 recover`"));
            }
            first.get_or_insert(metadata);
        }
        let metadata = first.ok_or_else(|| CassetteError::new(Path::new(""), "there is no part to play"))?;
        let sources = Sources::read(stores)?;
        let (store, index) = (PlayedStore(Arc::clone(&sources)), PlayedIndex(Arc::clone(&sources)));
        let connects = Connects::read(&index, &*store)?;
        let state = State::new(SessionMatcher::new(connects), choosing);
        let PlayOptions { order, report, wait, comments, started, fits, faults, tell_fault } = options;
        let (order, report) = (order.unwrap_or(metadata.order), report.unwrap_or_else(|| "stderr".to_owned()));
        if order == Order::Any && metadata.made_by_hand {
            let error = CassetteError::new(store.name(), "is written by hand, and the order any is for recordings");
            return Err(error.advice("put the entries that come in any order in a group, `- unordered:`"));
        }
        if !faults.is_empty() {
            takes_faults(store.name(), order, state.choosing.is_some())?;
        }
        // a program that fails in one place does not keep the order across connections
        let own = metadata.made_by_hand && has_faults(&index, &*store)?;
        let order = if faults.is_empty() && !own { order } else { Order::Connection };
        let faults = match faults.is_empty() && !own {
            true => Faults::default(),
            false => Faults::new(&faults, tell_fault, &index, &*store)?,
        };
        // the rules were checked when `metadata.yml` was read
        let rules = VolatileRules::new(&metadata.volatile).unwrap_or_default();
        let mut bindings = Bindings::new(rules, &metadata.recorded_on);
        // where nothing is volatile, no process binds anything that the others have to know
        if let Some(processes) = processes
            && sources.may_be_volatile()?
        {
            bindings.share(processes, store.name());
        }
        if index.connects().len() > 1 {
            bindings.note_uses();
        }
        let bindings = Arc::new(bindings);
        let answered_functions = PlayedFunctions(sources);
        Ok(LogPlayer {
            store,
            metadata,
            order,
            report,
            index,
            wait,
            redactor: Redactor::default(),
            comparison: Comparison { comments, bindings },
            started,
            fits,
            faults,
            answered_functions,
            columns: Columns::default(),
            near_end: AtomicBool::new(false),
            state: RwLock::new(state),
            waiting: AtomicU32::new(0),
        })
    }

    /// Makes a player of one source, with the same options, whose connections are independent of each other.
    pub(crate) fn of_source(&self, source: Source) -> LogPlayer {
        let sources = Sources::one(source);
        LogPlayer {
            store: PlayedStore(Arc::clone(&sources)),
            metadata: self.metadata.clone(),
            order: Order::Connection,
            report: self.report.clone(),
            index: PlayedIndex(Arc::clone(&sources)),
            wait: Duration::ZERO,
            redactor: Redactor::default(),
            comparison: self.comparison.clone(),
            started: self.started,
            fits: self.fits,
            faults: Faults::default(),
            answered_functions: PlayedFunctions(sources),
            columns: Columns::default(),
            state: RwLock::new(State::new(SessionMatcher::default(), None)),
            waiting: AtomicU32::new(0),
            near_end: AtomicBool::new(false),
        }
    }

    /// Passes on what another player returned, and makes a mismatch there the mismatch of this cassette.
    pub(crate) fn adopt<T>(&self, played: Result<T, Mismatch>) -> Result<T, Mismatch> {
        played.map_err(|mismatch| self.adopt_mismatch(mismatch))
    }

    pub(crate) fn adopt_mismatch(&self, mismatch: Mismatch) -> Mismatch {
        self.state.write().sticky.get_or_insert(mismatch).clone()
    }

    /// Returns the recorded connection and statement behind live ones, with the ids that the cassette gives them.
    pub(crate) fn ids(&self, connection: ConnectionId, statement: Option<u32>) -> (ConnectionId, Option<u32>) {
        let (connection, statement) = self.state.read().recorded(connection, statement);
        self.index.ids(connection, statement)
    }

    /// Plays a command other than a connect or a fetch.
    pub(crate) fn command(&self, asked: &Entry) -> Result<Entry, Mismatch> {
        let redacted = self.redacted(asked);
        let asked = redacted.as_ref().unwrap_or(asked);
        let (candidate, _) = self.take_turn(asked)?;
        let nothing = || Entry::new(asked.method, asked.connection, asked.statement);
        Ok(self.comparison.bindings.replied(candidate.into_entry().unwrap_or_else(nothing), Some(asked.connection)))
    }

    /// Applies the redaction rules to what is asked, ready to be compared. `None` if there are no rules.
    pub(crate) fn redacted(&self, asked: &Entry) -> Option<Entry> {
        let redacted = self.redactor.entry(asked)?;
        Some(match self.coming(asked) {
            Some(recorded) => self.redactor.comparable(&recorded, asked, redacted),
            None => redacted,
        })
    }

    /// Returns the statement's next command, if it is of the same method as this one, which sends values.
    fn coming(&self, asked: &Entry) -> Option<Entry> {
        asked.get(Key::Params).or_else(|| asked.get(Key::Values))?;
        self.in_lane(asked.connection, asked.statement, |state, lane, recorded| {
            let positions = self.index.statement(recorded.0, recorded.1);
            let bound = self.cursor_of(state, lane).bound(&self.index, positions);
            let mut coming = positions.iter().filter(|position| **position >= bound).map(|at| self.index.slot(*at));
            let next = coming.find(|slot| slot.method.class() == Class::Command && !slot.method.is_rows())?;
            // An unreadable entry is reported when it is played.
            (next.method == asked.method).then(|| sets::entry(&*self.store, next.place()).ok())?
        })
    }

    /// Returns how many rows the entries of a statement have that are played, if they say so.
    pub(crate) fn rows_before(&self, connection: ConnectionId, statement: u32) -> u64 {
        self.in_lane(connection, Some(statement), |state, lane, recorded| {
            let positions = self.index.statement(recorded.0, recorded.1);
            let bound = self.cursor_of(state, lane).bound(&self.index, positions);
            let played = positions.iter().take_while(|position| **position < bound).map(|at| self.index.slot(*at));
            let entries = played.filter(|slot| slot.method.is_rows()).map(|slot| self.store.entry(slot.place()));
            entries.filter_map(|entry| rows::count(&entry.ok()?)).sum()
        })
    }

    /// Hands out the next run of rows of a statement.
    pub(crate) fn fetch(&self, connection: ConnectionId, statement: u32) -> Result<Fetched, Mismatch> {
        let asked = Entry::new(Method::Fetch, connection, Some(statement));
        let (candidate, progress) = self.take_turn(&asked)?;
        let (entry, position, end, progress) = match (candidate, progress) {
            (Candidate::Rows { entry, position, end, .. }, Some(progress)) => (entry, position, end, progress),
            (Candidate::Row { row, position, end, .. }, Some(progress)) => {
                let place = self.store.locate(self.index.slot(position).place());
                return Ok(Fetched::Rows(PlayedRun::of_row(place, row, end.is_some(), progress)));
            }
            _ => return Ok(Fetched::End),
        };
        if rows::is_end(&entry) {
            return Ok(Fetched::End);
        }
        if rows::is_failure(&entry) {
            return Ok(Fetched::Failed(self.comparison.bindings.replied(entry, Some(connection))));
        }
        // open the file without holding the player's lock
        let place = self.index.slot(position).place();
        let live = self.comparison.live_rows(&self.index, &*self.store, position, (&entry, connection));
        let run = live.and_then(|live| PlayedRun::open_live(&*self.store, place, entry, end.is_some(), progress, live));
        let run = match self.faults.row_of(position) {
            Some(row) => run.map(|run| run.failing_at(position, row)),
            None => run,
        };
        run.map(Fetched::Rows).map_err(|error| self.stuck(&mut self.state.write(), &asked, error.into()))
    }

    /// Finds the answer to a question: see [`crate::Player::answer`].
    pub(crate) fn answer(
        &self,
        connection: ConnectionId,
        statement: Option<u32>,
        method: Method,
        in_force: &[Fields],
        later: &[Fields],
    ) -> Result<Option<Entry>, CassetteError> {
        if !self.index.has(method) {
            return Ok(None);
        }
        // a row count is never a bound value
        let live = |found: Entry| match method {
            Method::RowCount => found,
            _ => self.comparison.bindings.replied(found, Some(connection)),
        };
        self.in_lane(connection, statement, |state, lane, owner| {
            let standing = self.standing(state, lane, owner, self.index.statement(owner.0, owner.1));
            let log = (&*self.index, &*self.store);
            let mut answer = None;
            for key in in_force {
                // Ask for the other keys too: the recorder counted them as well when it decided whether an answer had changed.
                let found = lane.answers.current(log, owner, standing, method, &self.redactor.key(key))?;
                answer = answer.or(found);
            }
            if answer.is_some() {
                return Ok(answer.map(live));
            }
            for key in later {
                let found = lane.answers.later(log, owner, standing.bound, method, &self.redactor.key(key))?;
                if found.is_some() {
                    return Ok(found.map(live));
                }
            }
            Ok(None)
        })
    }

    /// Returns where a statement or connection with these entries stands: after its last command or close that is
    /// played, and before the next one that is not.
    pub(crate) fn standing(
        &self,
        state: &State,
        lane: &Lane,
        owner: (ConnectionId, Option<u32>),
        positions: &[u32],
    ) -> Standing {
        let index = &self.index;
        let bound = self.cursor_of(state, lane).bound(index, positions);
        let played = &positions[..positions.partition_point(|position| *position < bound)];
        let commands = |position: &u32| {
            let method = index.slot(*position).method;
            // a connection's rows entries are written where they ended, so only in a statement's own order do they mark a place
            method.class() == Class::Command && (owner.1.is_some() || !method.is_rows())
        };
        let last = played.iter().rposition(commands);
        let since = last.map_or(0, |at| played[at]);
        let Some(statement) = owner.1 else { return Standing { bound, since } };
        let rest = &played[last.map_or(0, |at| at + 1)..];
        let closed = lane.closes.get(&statement).copied().unwrap_or_default() as usize;
        let mut closes = rest.iter().copied().filter(|position| index.slot(*position).method == Method::Close);
        let since = closed.checked_sub(1).and_then(|before| closes.nth(before)).unwrap_or(since);
        Standing { bound: closes.next().unwrap_or(bound), since }
    }

    /// Returns the columns of a statement's current result.
    pub(crate) fn columns(
        &self,
        connection: ConnectionId,
        statement: u32,
    ) -> Result<Option<Arc<Value>>, CassetteError> {
        let found = self.in_lane(connection, Some(statement), |state, lane, recorded| {
            let positions = self.index.statement(recorded.0, recorded.1);
            let bound = self.cursor_of(state, lane).bound(&self.index, positions);
            self.columns.find(&self.index, &*self.store, positions, bound)
        })?;
        let live = found.as_deref().and_then(|columns| self.comparison.bindings.document(columns, Some(connection)));
        Ok(live.map(Arc::new).or(found))
    }

    /// Forgets how often a statement was closed. Nobody asks for it any more: its handle has another text or is freed.
    pub(crate) fn forget_statement(&self, connection: ConnectionId, statement: u32) {
        self.in_lane(connection, Some(statement), |_, lane, (_, statement)| {
            statement.map(|statement| lane.closes.remove(&statement))
        });
    }

    /// Takes note that a statement is closed or freed, or that a connection ends.
    pub(crate) fn housekeeping(&self, entry: &Entry) {
        self.in_lane(entry.connection, entry.statement, |_, lane, (_, statement)| match (entry.method, statement) {
            (Method::Close, Some(statement)) => *lane.closes.entry(statement).or_default() += 1,
            (Method::Close, None) => {}
            _ => lane.forget(statement),
        });
    }

    /// Closes a connection.
    pub(crate) fn disconnect(&self, connection: ConnectionId) {
        let state = &mut *self.state.write();
        let (recorded, _) = state.recorded(connection, None);
        if self.faults.have_struck() {
            self.closed_after_fault(state, connection);
        } else {
            // an unreadable entry is reported when it is asked for
            let _ = self.end(state, connection);
        }
        state.forget(self.order, recorded);
        state.connection_info.forget(self.info_files(), recorded);
        self.next_turn(state);
    }

    /// Reports a damaged part of the cassette: see [`crate::Player::damaged`].
    pub(crate) fn damaged(&self, connection: ConnectionId, statement: Option<u32>, error: CassetteError) -> Mismatch {
        let state = &mut *self.state.write();
        match &state.sticky {
            Some(first) => Mismatch { repeated: true, ..first.clone() },
            None => self.stuck(state, &Entry::new(Method::Answer, connection, statement), error.into()),
        }
    }

    /// Reports an entry that cannot be played: see [`crate::Player::refuse`].
    pub(crate) fn refuse(
        &self,
        connection: ConnectionId,
        statement: Option<u32>,
        method: Method,
        wrong: Wrong,
    ) -> Mismatch {
        let error = self.in_lane(connection, statement, |state, lane, recorded| {
            let positions = self.index.statement(recorded.0, recorded.1);
            let bound = self.cursor_of(state, lane).bound(&self.index, positions);
            let before = &positions[..positions.partition_point(|position| *position < bound)];
            let last = before.iter().rev().find(|position| self.index.slot(**position).method == method);
            match last {
                Some(position) => self.store.refuse_entry(self.index.slot(*position).place(), wrong),
                None => wrong.error(self.store.name(), 1),
            }
        });
        self.damaged(connection, statement, error)
    }

    /// Reports an answer that cannot be played: see [`crate::Player::refuse_answer`].
    pub(crate) fn refuse_answer(
        &self,
        connection: ConnectionId,
        statement: Option<u32>,
        answer: &Fields,
        wrong: Wrong,
    ) -> Mismatch {
        let in_log = |position: &u32| {
            let entry = self.store.entry(self.index.slot(*position).place());
            entry.is_ok_and(|entry| entry.fields == *answer)
        };
        let of_statement = statement.map_or(&[][..], |_| {
            let (connection, statement) = self.state.read().recorded(connection, statement);
            self.index.statement(connection, statement)
        });
        let error =
            if let Some(position) = of_statement.iter().copied().chain(self.index.connection_answers()).find(in_log) {
                self.store.refuse_entry(self.index.slot(position).place(), wrong)
            } else {
                let in_file = |connection: ConnectionId| {
                    let item = self.store.info(connection).ok()?.iter().position(|known| known == answer)?;
                    Some(self.store.locate_item(&info_member(connection), item, &wrong.key))
                };
                let own = self.info_files().of(self.state.read().recorded(connection, None).0);
                let found = in_file(own).or_else(|| self.index.connections().find_map(in_file));
                let (file, line) = found.unwrap_or_else(|| (self.store.name().to_owned(), 1));
                wrong.error(&file, line)
            };
        self.damaged(connection, statement, error)
    }

    /// Checks that the cells of an entry are values of their C types, before the entry is handed out.
    pub(crate) fn check_cells(&self, position: u32, entry: &Entry) -> Result<(), CassetteError> {
        let Some(fits) = self.fits else { return Ok(()) };
        check::check_cells(entry, fits)
            .map_err(|wrong| self.store.refuse_entry(self.index.slot(position).place(), wrong))
    }

    /// Lists what was not played: see [`crate::Player::unplayed`].
    pub(crate) fn left_unplayed(&self, state: &mut State) -> Result<Vec<Unplayed>, CassetteError> {
        if self.faults.have_struck() {
            return Ok(Vec::new());
        }
        match self.order {
            Order::Global => unplayed::of_cursor(&self.index, &*self.store, &state.whole),
            Order::Connection | Order::Any => {
                let mut all = Vec::new();
                for connection in self.index.connections() {
                    let cursor = state.cursor(self.order, &self.index, connection);
                    all.append(&mut unplayed::of_cursor(&self.index, &*self.store, cursor)?);
                }
                all.sort_by_key(|unplayed: &Unplayed| unplayed.line);
                Ok(all)
            }
        }
    }

    /// Returns the file and line of an entry.
    pub(crate) fn place(&self, position: u32) -> String {
        let (file, line) = self.store.locate(self.index.slot(position).place());
        format!("{}:{line}", file.display())
    }

    /// Runs `what` on the lane of the recorded connection behind a live one, while other connections play. The current
    /// part cannot change meanwhile, so positions stay valid. `what` must not lock the state, which is locked already.
    pub(crate) fn in_lane<T>(
        &self,
        connection: ConnectionId,
        statement: Option<u32>,
        what: impl FnOnce(&State, &mut Lane, (ConnectionId, Option<u32>)) -> T,
    ) -> T {
        let state = self.state.read();
        let recorded = state.recorded(connection, statement);
        if let Some(lane) = state.lane(recorded.0) {
            return what(&state, &mut lane.lock(), recorded);
        }
        drop(state);
        let mut state = self.state.write();
        let recorded = state.recorded(connection, statement);
        let mut lane = state.take_lane(&self.index, recorded.0);
        let done = what(&state, &mut lane, recorded);
        state.put_lane(recorded.0, lane);
        done
    }

    /// Returns the cursor that a lane's entries come from.
    pub(crate) fn cursor_of<'s>(&self, state: &'s State, lane: &'s Lane) -> &'s Cursor {
        match self.order {
            Order::Global => &state.whole,
            Order::Connection | Order::Any => &lane.cursor,
        }
    }

    /// Binds what other processes have bound meanwhile. Returns the mismatch if that contradicts what this process has used.
    pub(crate) fn hear(&self, asked: &Entry) -> Option<Mismatch> {
        let text = self.comparison.bindings.learn()?;
        let state = &mut *self.state.write();
        Some(match &state.sticky {
            Some(first) => Mismatch { repeated: true, ..first.clone() },
            None => self.stuck(state, asked, Scene::Reread(text)),
        })
    }

    /// Plays what is asked on an open connection.
    pub(crate) fn take_turn(&self, asked: &Entry) -> Result<Taken, Mismatch> {
        if let Some(contradicted) = self.hear(asked) {
            return Err(contradicted);
        }
        match self.step_beside(asked) {
            Some(taken) => Ok(taken),
            None => self.play(asked, |state| self.step(state, asked)),
        }
    }

    /// Runs a step that may end in a mismatch, unless there was a mismatch before. Waits for the turn if it may still come.
    pub(crate) fn play<T>(
        &self,
        asked: &Entry,
        mut step: impl FnMut(&mut State) -> Result<T, Scene>,
    ) -> Result<T, Mismatch> {
        let (mut state, mut turn) = (self.state.write(), Turn::default());
        loop {
            if let Some(first) = &state.sticky {
                return Err(Mismatch { repeated: true, ..first.clone() });
            }
            let chosen = self.narrow_parts(&mut state, asked);
            *state.refused.get_mut() = None;
            let taken = chosen.and_then(|chosen| Ok((step(&mut state)?, chosen)));
            if let Some(text) = state.contradiction.take() {
                let mismatch = self.stuck(&mut state, asked, Scene::Reread(text));
                self.next_turn(&mut state);
                return Err(mismatch);
            }
            let mut scene = match taken {
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
            if let Some(told) = self.after_fault(&mut state, asked, &scene) {
                self.next_turn(&mut state);
                return Err(told);
            }
            match self.wait(&mut turn, &mut state, asked, &scene) {
                Ok(true) => continue,
                Ok(false) if self.order == Order::Global && !turn.takes_over => {
                    // the database knows nothing of threads, and a client library may use any of its own
                    turn.takes_over = true;
                    state.waiting.takes_over = self.is_left(&state, asked, &scene).unwrap_or(false);
                    if state.waiting.takes_over {
                        continue;
                    }
                }
                Ok(false) => {}
                Err(error) => scene = error.into(),
            }
            let mismatch = self.stuck(&mut state, asked, scene);
            self.next_turn(&mut state);
            return Err(mismatch);
        }
    }

    /// Makes the mismatch for a scene, and keeps it as the sticky one if it is the first.
    pub(crate) fn stuck(&self, state: &mut State, asked: &Entry, scene: Scene) -> Mismatch {
        let mismatch = self.explain(state, asked, scene);
        state.sticky.get_or_insert(mismatch).clone()
    }
}

/// Says whether any entry of a cassette written by hand has a fault.
fn has_faults(index: &PlayedIndex, store: &dyn Store) -> Result<bool, CassetteError> {
    for position in (0..index.len()).filter(|position| index.is_command(*position)) {
        if store.checked_entry(index.slot(position).place())?.get(Key::Fault).is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}
