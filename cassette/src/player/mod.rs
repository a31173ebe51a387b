//! Playing a cassette: hands out what was recorded, in the recorded order, to a program that asks for the same again.

mod answers;
mod changes;
mod claims;
mod columns;
mod compare;
mod facts;
mod headline;
mod index;
mod lane;
mod mismatch;
mod nearest;
mod report;
mod rows;
mod scroll;
pub mod summary;
mod unplayed;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;

pub use mismatch::{Mismatch, MismatchKind};
pub use rows::PlayedRun;
pub use scroll::Scrolled;
pub use unplayed::Unplayed;

use crate::directory::Directory;
use crate::metadata::{Metadata, Order};
use crate::sets;
use crate::storage::Cassette;
use crate::{CassetteError, ConnectionId, Entry, Method, Value};
use answers::Answers;
use changes::Changes;
use claims::Claims;
use columns::Columns;
use facts::Facts;
use index::Index;
use lane::{Lane, Next, NextRows};
use mismatch::Scene;
use rows::Progress;

/// What is to be played, and how.
#[derive(Clone, Debug)]
pub struct PlayOptions {
    /// The cassette's directory.
    pub directory: PathBuf,
    /// The order, if it is not to be the one in `metadata.yml`.
    pub order: Option<Order>,
    /// Where the caller puts the report of a mismatch, for the headline: a file's name. `None`: stderr.
    pub report: Option<String>,
}

/// A cassette being played: one per cassette and process, shared by all connections and threads.
///
/// The first mismatch is sticky: later commands fail with it.
pub struct Player {
    storage: Box<dyn Cassette>,
    metadata: Metadata,
    order: Order,
    report: String,
    index: Index,
    state: Mutex<State>,
}

/// What changes while the cassette is played.
struct State {
    /// The lane of the whole log, under `order: global`.
    whole: Lane,
    /// The lanes of the connections, under `order: connection`.
    lanes: HashMap<ConnectionId, Lane>,
    claims: Claims,
    sticky: Option<Mismatch>,
    answers: Answers,
    columns: Columns,
    facts: Facts,
    changes: Changes,
}

impl State {
    fn lane(&mut self, order: Order, index: &Index, connection: ConnectionId) -> &mut Lane {
        match order {
            Order::Global => &mut self.whole,
            Order::Connection => self.lanes.entry(connection).or_insert_with(|| Lane::connection(index, connection)),
        }
    }
}

/// What a fetch finds.
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
    /// No cassette, not a cassette, an incomplete recording, another schema, an unreadable entry: each with its own text.
    pub fn open(options: PlayOptions) -> Result<Arc<Player>, CassetteError> {
        let storage = Directory::read(&options.directory)?;
        Player::with_storage(Box::new(storage), options.order, options.report)
    }

    /// Opens a cassette in any storage; the rest as in [`PlayOptions`].
    ///
    /// # Errors
    /// As for [`Player::open`].
    pub fn with_storage(
        storage: Box<dyn Cassette>,
        order: Option<Order>,
        report: Option<String>,
    ) -> Result<Arc<Player>, CassetteError> {
        let metadata = storage.metadata()?;
        if !metadata.complete {
            return Err(CassetteError::new(storage.name(), "the recording is incomplete: it did not end cleanly")
                .advice("record again; metadata.yml says complete: false"));
        }
        let index = Index::build(&*storage)?;
        let state = State {
            whole: Lane::whole(),
            lanes: HashMap::new(),
            claims: Claims::default(),
            sticky: None,
            answers: Answers::default(),
            columns: Columns::default(),
            facts: Facts::default(),
            changes: Changes::default(),
        };
        let (order, report) = (order.unwrap_or(metadata.order), report.unwrap_or_else(|| "stderr".to_owned()));
        Ok(Arc::new(Player { storage, metadata, order, report, index, state: Mutex::new(state) }))
    }

    /// What `metadata.yml` says.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The order in which the cassette is played.
    pub fn order(&self) -> Order {
        self.order
    }

    /// Plays a connect. The asked entry's connection id is not looked at; the recorded one holds from now on.
    ///
    /// # Errors
    /// The first mismatch of this cassette.
    pub fn connect(&self, asked: &Entry) -> Result<Entry, Mismatch> {
        self.play(asked, |state| match self.order {
            Order::Global => self.advance(&mut state.whole, asked),
            Order::Connection => {
                let claimed = state.claims.claim(&self.index, &*self.storage, asked)?;
                let Some((position, entry)) = claimed else {
                    return Err(Scene::unclaimed(state.claims.next(&self.index)));
                };
                let lane = state.lane(self.order, &self.index, entry.connection);
                match lane.next(&self.index, &*self.storage)? {
                    Next::Command { position: next, place } if next == position => {
                        lane.played(place);
                        Ok(entry)
                    }
                    // another entry of this connection stands before its connect
                    next => Err(Scene::of(next)),
                }
            }
        })
    }

    /// Plays a command other than a connect or a fetch: the next one of its order, if it is the same.
    ///
    /// # Errors
    /// The first mismatch of this cassette.
    pub fn command(&self, asked: &Entry) -> Result<Entry, Mismatch> {
        self.play(asked, |state| self.advance(state.lane(self.order, &self.index, asked.connection), asked))
    }

    /// Plays a fetch: the next run of rows of the statement.
    ///
    /// At the end of data every further fetch finds the end again; it need not be asked for.
    ///
    /// # Errors
    /// The first mismatch of this cassette.
    pub fn fetch(&self, connection: ConnectionId, statement: u32) -> Result<Fetched, Mismatch> {
        let asked = Entry::new(Method::Fetch, connection, Some(statement));
        let (place, entry, ended, progress) = {
            let found = self.play(&asked, |state| {
                let lane = state.lane(self.order, &self.index, connection);
                self.next_rows(lane, connection, statement)
            })?;
            match found {
                None => return Ok(Fetched::End),
                Some(found) => found,
            }
        };
        if rows::is_end(&entry) {
            return Ok(Fetched::End);
        }
        if rows::is_failure(&entry) {
            return Ok(Fetched::Failed(entry));
        }
        // a file is opened without the player's lock
        let run = PlayedRun::open(&*self.storage, place, entry, ended, progress);
        run.map(Fetched::Rows).map_err(|error| self.stuck(&mut self.state.lock(), &asked, error.into()))
    }

    /// The answer to a question of this method with these fields, at the statement's position: the latest recorded before
    /// the statement's next command, else the next one after it. `None` if it was never asked.
    ///
    /// # Errors
    /// An unreadable entry.
    pub fn answer(
        &self,
        connection: ConnectionId,
        statement: Option<u32>,
        method: Method,
        key: &[(&str, Value)],
    ) -> Result<Option<Entry>, CassetteError> {
        let state = &mut *self.state.lock();
        let positions = self.index.statement(connection, statement);
        let bound = state.lane(self.order, &self.index, connection).bound(&self.index, positions);
        state.answers.find(&self.index, &*self.storage, (connection, statement), bound, method, key)
    }

    /// What was recorded of the columns of the statement's current result: a list of maps. `None` if nothing was.
    ///
    /// # Errors
    /// An unreadable entry or columns file.
    pub fn columns(&self, connection: ConnectionId, statement: u32) -> Result<Option<Arc<Value>>, CassetteError> {
        let state = &mut *self.state.lock();
        let positions = self.index.statement(connection, Some(statement));
        let bound = state.lane(self.order, &self.index, connection).bound(&self.index, positions);
        state.columns.find(&self.index, &*self.storage, positions, bound)
    }

    /// A fact about a connection: the recorded answer whose fields include these. The one that the log has last before
    /// the connection's next command holds, else the one of the info file. If that has several, each time the next, and
    /// the last one from then on. What the connection's own file does not have it shares with the first connection of the
    /// same connect identity.
    ///
    /// # Errors
    /// An unreadable entry or info file.
    pub fn info(&self, connection: ConnectionId, key: &[(&str, Value)]) -> Result<Option<Value>, CassetteError> {
        let state = &mut *self.state.lock();
        let (index, storage) = (&self.index, &*self.storage);
        let bound = state.lane(self.order, index, connection).bound(index, index.connection(connection));
        let changed = state.changes.find(&mut state.answers, (index, storage), connection, bound, key)?;
        match changed {
            Some(entry) => Ok(Some(Value::Map(entry.fields))),
            None => state.facts.find(index, storage, connection, key),
        }
    }

    /// Takes note of a statement that is closed, freed or cancelled, or of a connection that ends. The order of these is
    /// never checked: languages that collect garbage free handles when they like. What is kept for the statement goes.
    pub fn housekeeping(&self, entry: &Entry) {
        if matches!(entry.method, Method::Drop | Method::Disconnect) {
            self.state.lock().answers.forget(entry.connection, entry.statement);
        }
    }

    /// The connection is closed.
    pub fn disconnect(&self, connection: ConnectionId) {
        let mut state = self.state.lock();
        state.answers.forget(connection, None);
        state.facts.forget(connection);
        state.changes.forget(connection);
    }

    /// Whether there was a mismatch: what was not played after it says nothing more.
    pub fn failed(&self) -> bool {
        self.state.lock().sticky.is_some()
    }

    /// The commands that were never played, and the rows that were never read, in recorded order.
    ///
    /// # Errors
    /// An unreadable entry.
    pub fn unplayed(&self) -> Result<Vec<Unplayed>, CassetteError> {
        let state = &mut *self.state.lock();
        match self.order {
            Order::Global => unplayed::of_lane(&self.index, &*self.storage, &state.whole),
            Order::Connection => {
                let mut all = Vec::new();
                for connection in self.index.connections() {
                    let lane = state.lane(self.order, &self.index, connection);
                    all.append(&mut unplayed::of_lane(&self.index, &*self.storage, lane)?);
                }
                all.sort_by_key(|unplayed: &Unplayed| unplayed.line);
                Ok(all)
            }
        }
    }

    /// The next command of a lane, if it is what is asked.
    fn advance(&self, lane: &mut Lane, asked: &Entry) -> Result<Entry, Scene> {
        let next = lane.next(&self.index, &*self.storage)?;
        let Next::Command { position, place } = next else { return Err(Scene::of(next)) };
        let slot = self.index.slot(position);
        let connect = asked.method == Method::Connect;
        let same_place = connect || (slot.connection(), slot.statement()) == (asked.connection, asked.statement);
        if slot.method != asked.method || !same_place {
            return Err(Scene::of(next));
        }
        let entry = sets::entry(&*self.storage, slot.place())?;
        if compare::difference(&entry, asked).is_some() {
            return Err(Scene::of(next));
        }
        lane.played(place);
        Ok(entry)
    }

    /// The next rows of a statement; `None` at the end of its data.
    #[allow(clippy::type_complexity)] // where, what, whether the end follows, how far it is read: used once
    fn next_rows(
        &self,
        lane: &mut Lane,
        connection: ConnectionId,
        statement: u32,
    ) -> Result<Option<(crate::storage::Place, Entry, bool, Arc<Progress>)>, Scene> {
        let (index, storage) = (&self.index, &*self.storage);
        match lane.next_rows(index, connection, statement) {
            // a scroll is asked for, it does not come with the next rows
            NextRows::Entry { position, .. } if index.slot(position).method == Method::FetchScroll => {
                self.end_or(Some(position), connection, statement)
            }
            NextRows::Entry { position, place } => {
                let entry = storage.entry(index.slot(position).place())?;
                let rowless = rows::is_end(&entry) || rows::is_failure(&entry);
                let (end, progress) = if rowless {
                    (None, Progress::over())
                } else {
                    (lane.end_after(index, storage, place)?, Arc::default())
                };
                lane.hand_out(position, end, Arc::clone(&progress));
                Ok(Some((index.slot(position).place(), entry, end.is_some(), progress)))
            }
            NextRows::None { barrier } => self.end_or(barrier, connection, statement),
        }
    }

    /// The end of the statement's data, if that was reached before the command at `barrier`.
    fn end_or<T>(&self, barrier: Option<u32>, connection: ConnectionId, statement: u32) -> Result<Option<T>, Scene> {
        let positions = self.index.statement(connection, Some(statement));
        if Lane::was_at_end(&self.index, &*self.storage, positions, barrier)? {
            return Ok(None);
        }
        Err(barrier.map_or(Scene::Exhausted, |position| Scene::Command { position }))
    }

    /// Does a deed that may end in a mismatch, unless one was before.
    fn play<T>(&self, asked: &Entry, deed: impl FnOnce(&mut State) -> Result<T, Scene>) -> Result<T, Mismatch> {
        let state = &mut *self.state.lock();
        if let Some(first) = &state.sticky {
            return Err(Mismatch { repeated: true, ..first.clone() });
        }
        deed(state).map_err(|scene| self.stuck(state, asked, scene))
    }

    /// Makes the mismatch of a scene, and keeps it.
    fn stuck(&self, state: &mut State, asked: &Entry, scene: Scene) -> Mismatch {
        let mismatch = self.explain(state, asked, scene);
        state.sticky.get_or_insert(mismatch).clone()
    }
}
