//! Playing a cassette: hands out what was recorded, in the recorded order, to a program that asks for the same again.
//!
//! [`Player`] is what the driver has. It asks the one that has what is asked for: the player of the log (`log_player`), the one
//! that serves an answer with rows (`result_answers`), or the units of `order: any` (`any_order`).

mod advice;
mod alike;
mod answers;
mod any_order;
mod as_written;
mod bindings;
mod by_hand;
mod candidate;
mod columns;
mod comments;
mod compare;
mod connects;
mod cursor;
mod explain;
mod facts;
mod fault_places;
mod fault_profiles;
mod faults;
mod find_volatile;
mod finish;
mod headline;
mod history;
mod index;
mod informed;
mod log_player;
mod mismatch;
mod nearest;
mod parts;
mod playing;
mod rematch;
mod report;
mod result_answers;
mod rows;
mod scope;
mod script;
mod scroll;
mod sessions;
mod sources;
mod spellings;
mod state;
pub mod summary;
mod turn;
mod units;
mod unplayed;
mod volatile;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use columns::read as columns;
pub(crate) use comments::without as without_comments;
pub use compare::field as difference_in;
pub use fault_places::{FaultEvent, FaultNews, FaultPlace, TellFault, takes_faults};
pub use find_volatile::{Found, find_volatile, rule_text};
pub(crate) use index::Index;
pub use log_player::{Fetched, PlayOptions, Started};
pub use mismatch::{Difference, Mismatch, MismatchKind};
pub use result_answers::FIRST_RESULT_ANSWER;
pub use rows::PlayedRun;
pub use scroll::Scrolled;
pub use sources::Tickets;
pub use unplayed::Unplayed;
pub use volatile::Volatile;
pub(crate) use volatile::{parts as volatile_parts, replaced as volatile_replaced};

use crate::check::Wrong;
use crate::metadata::{Metadata, Order};
use crate::redaction::{Redaction, Secrets};
use crate::store::{Store, open_directory};
use crate::{CassetteError, ConnectionId, Entry, Fields, Key, Method, Value};
use any_order::{AnyOrder, Elsewhere, Playing};
use facts::Relatives;
use log_player::LogPlayer;
use mismatch::Scene;
use parts::UnitsOfParts;
use result_answers::{OWN, Serving};

/// A cassette being played: one per cassette and process, shared by all connections and threads.
///
/// The first mismatch is sticky: later commands fail with it.
pub struct Player {
    log: LogPlayer,
    serving: Serving,
    /// What is played under `order: any`.
    any: Option<UnitsOfParts>,
}

impl Player {
    /// Opens a cassette and reads where its entries are.
    ///
    /// # Errors
    /// No cassette, not a cassette, an incomplete recording, another schema, an unreadable entry or info file: each with its
    /// own text. A driver manager asks while it connects, and there are some that crash when an answer fails: whatever they
    /// may ask has been read when this succeeds.
    pub fn open(directory: &Path, options: PlayOptions) -> Result<Arc<Player>, CassetteError> {
        Player::with_storage(open_directory(directory)?, options)
    }

    /// Opens a cassette in any storage.
    ///
    /// # Errors
    /// As for [`Player::open`].
    pub fn with_storage(storage: Box<dyn Store>, options: PlayOptions) -> Result<Arc<Player>, CassetteError> {
        Player::of(LogPlayer::open(vec![storage], None, options)?)
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
        Player::of(LogPlayer::open(parts, Some(tickets), options)?)
    }

    fn of(log: LogPlayer) -> Result<Arc<Player>, CassetteError> {
        let any = if log.order == Order::Any { Some(UnitsOfParts::read(&log)?) } else { None };
        Ok(Arc::new(Player { log, serving: Serving::default(), any }))
    }

    /// Has values of what is asked replaced by the rules with which the cassette was redacted.
    pub fn redact(&self, rules: Arc<Redaction>) {
        for units in self.units() {
            units.player.redactor.follow(Arc::clone(&rules));
        }
        self.log.redactor.follow(rules);
    }

    /// Has these secrets hidden in what is asked, as they were when it was recorded.
    pub fn hide(&self, secrets: Arc<Secrets>) {
        for units in self.units() {
            units.player.redactor.hide(Arc::clone(&secrets));
        }
        self.log.redactor.hide(secrets);
    }

    /// What `metadata.yml` says.
    pub fn metadata(&self) -> &Metadata {
        &self.log.metadata
    }

    /// The order in which the cassette is played.
    pub fn order(&self) -> Order {
        self.log.order
    }

    /// The cassette's directory, or the trace's file.
    pub fn name(&self) -> &Path {
        self.log.storage.name()
    }

    /// Whether a person wrote the cassette. Its statements have ids from [`FIRST_RESULT_ANSWER`] on.
    pub fn is_by_hand(&self) -> bool {
        self.log.is_by_hand()
    }

    /// Whether no connection is open.
    pub fn rests(&self) -> bool {
        self.log.state.read().sessions.open().next().is_none()
    }

    /// Whether there was a mismatch: what was not played after it says nothing more.
    pub fn failed(&self) -> bool {
        let state = self.log.state.read();
        state.sticky.is_some() || self.log.went_astray(&state)
    }

    /// The commands that can fail once, in recorded order.
    ///
    /// # Errors
    /// An unreadable entry.
    pub fn places_to_fail(&self) -> Result<Vec<FaultPlace>, CassetteError> {
        fault_places::list(&self.log.index, &*self.log.storage)
    }

    /// Whether a connection is lost by a fault, and the recorded driver says so when it is asked.
    pub fn reports_dead(&self, connection: ConnectionId) -> bool {
        self.log.reports_dead(connection)
    }

    /// A fault strikes before the next row of a run, if there is one: what the program is told.
    ///
    /// # Errors
    /// The fault.
    #[inline]
    pub fn strike_row(&self, connection: ConnectionId, statement: u32, run: &mut PlayedRun) -> Result<(), Mismatch> {
        let Some((position, row)) = run.fails_now() else { return Ok(()) };
        let asked = Entry::new(Method::Fetch, connection, Some(statement));
        self.log.strike_row(&asked, position, row).map_or(Ok(()), Err)
    }

    /// The rows at hand of a statement cannot be read on, because its connection is lost.
    ///
    /// # Errors
    /// It is.
    pub fn check_connection(&self, connection: ConnectionId, statement: u32) -> Result<(), Mismatch> {
        let asked = Entry::new(Method::Fetch, connection, Some(statement));
        if let Some(lost) = self.log.on_lost(&asked) {
            return lost.map(drop);
        }
        self.log.fetches(&asked);
        Ok(())
    }

    /// Whether the log has an entry of this method at all: a question of another one need not be put.
    pub fn has(&self, method: Method) -> bool {
        self.log.index.has(method)
    }

    /// Whether the cassette has any results that are served out of order and begin with this method.
    pub fn has_result_answers(&self, method: Method) -> bool {
        result_answers::begins_with(&self.log, method)
    }

    /// Whether the cassette has a result for what a live connection asks that is served out of order, whatever the parameters
    /// are. Its statement gets an id from [`FIRST_RESULT_ANSWER`] on.
    pub fn has_result_answer(&self, asked: &Entry) -> bool {
        result_answers::find(&self.log, asked, None, &[Key::Attributes, Key::Params]).is_some()
    }

    /// The units of all parts, if they are played in any order.
    fn units(&self) -> &[AnyOrder] {
        self.any.as_ref().map_or(&[], UnitsOfParts::all)
    }

    /// The units that are played in any order, if that is the order and the statement is not one that is served an answer.
    fn any_of(&self, statement: Option<u32>) -> Option<&UnitsOfParts> {
        self.any.as_ref().filter(|_| statement.is_none_or(|statement| statement < FIRST_RESULT_ANSWER))
    }

    /// Who plays what is asked of a statement, if that is another player: its connection and its statement.
    fn elsewhere(&self, connection: ConnectionId, statement: Option<u32>) -> Option<Elsewhere<'_>> {
        if let Some(player) = self.serving.player(connection, statement) {
            return Some((Playing::Own(player), OWN.0, OWN.1));
        }
        self.any.as_ref()?.current(&self.log).place(connection, statement?)
    }

    /// Plays a connect. The recorded entry has the id of a live connection, which everything after it has to be asked
    /// with; which recorded connection that is may stay open for a while.
    ///
    /// # Errors
    /// The first mismatch of this cassette.
    pub fn connect(&self, asked: &Entry) -> Result<Entry, Mismatch> {
        let connected = self.log.play(asked, |state| self.log.step_connect(state, asked)).inspect(delay)?;
        if connected.succeeded() {
            self.units().iter().for_each(|units| units.connected(connected.connection, asked));
        }
        Ok(connected)
    }

    /// Whether a connect like this was recorded at all.
    pub fn knows_connect(&self, asked: &Entry) -> bool {
        !self.log.state.read().sessions.connects.agreeing(asked).is_empty()
    }

    /// The recorded connection that a live one is taken for at present.
    pub fn recorded(&self, connection: ConnectionId) -> ConnectionId {
        self.log.state.read().recorded(connection, None).0
    }

    /// Plays a command other than a connect or a fetch: the next one of its order, if it is the same.
    ///
    /// # Errors
    /// The first mismatch of this cassette.
    pub fn command(&self, asked: &Entry) -> Result<Entry, Mismatch> {
        if let Some(lost) = self.log.on_lost(asked) {
            return lost;
        }
        self.command_in_time(asked).inspect(delay)
    }

    fn command_in_time(&self, asked: &Entry) -> Result<Entry, Mismatch> {
        if let Some(any) = self.any_of(asked.statement) {
            return any.command(&self.log, asked);
        }
        if self.is_by_hand() {
            return self.serving.command_by_hand(&self.log, asked);
        }
        match self.serving.command(&self.log, asked) {
            Some((player, asked)) => self.log.adopt(player.command(&asked)),
            None => self.log.command(asked),
        }
    }

    /// Plays a fetch: the next run of rows of the statement.
    ///
    /// At the end of data every further fetch finds the end again; it need not be asked for.
    ///
    /// # Errors
    /// The first mismatch of this cassette.
    pub fn fetch(&self, connection: ConnectionId, statement: u32) -> Result<Fetched, Mismatch> {
        self.check_connection(connection, statement)?;
        if self.log.ended_early(connection, statement) {
            return Ok(Fetched::End);
        }
        let asked = || Entry::new(Method::Fetch, connection, Some(statement));
        if let Some(fetched) = self.any_of(Some(statement)).and_then(|any| any.fetch(&self.log, &asked())) {
            return fetched;
        }
        match self.elsewhere(connection, Some(statement)) {
            Some((player, connection, statement)) => self.log.adopt(player.fetch(connection, statement)),
            None => self.log.fetch(connection, statement),
        }
    }

    /// A run of rows is read to its end: a thread whose turn comes then need not wait longer.
    pub fn rows_are_read(&self) {
        self.log.rows_are_read();
    }

    /// Plays a scroll: the next rows entry of the statement, if it is a scroll to the same place.
    ///
    /// # Errors
    /// The first mismatch of this cassette.
    pub fn scroll(&self, asked: &Entry) -> Result<Scrolled, Mismatch> {
        if let Some(lost) = self.log.on_lost(asked) {
            return lost.map(|entry| Scrolled { entry, rows: None });
        }
        if let Some(scrolled) = self.any_of(asked.statement).and_then(|any| any.scroll(&self.log, asked)) {
            return scrolled;
        }
        match (self.elsewhere(asked.connection, asked.statement), &self.any) {
            (Some((player, connection, statement)), _) => {
                let asked = Entry { connection, statement: Some(statement), ..asked.clone() };
                self.log.adopt(player.scroll(&asked))
            }
            (None, Some(any)) => Err(any.current(&self.log).fail(&self.log, asked, Scene::Exhausted)),
            (None, None) => self.log.scroll(asked),
        }
    }

    /// Whether this command is the next one. Plays nothing.
    pub fn expects(&self, asked: &Entry) -> bool {
        if let Some(any) = self.any_of(asked.statement) {
            return any.current(&self.log).expects(&self.log, asked);
        }
        if self.is_by_hand() {
            return self.serving.expects_by_hand(&self.log, asked);
        }
        match self.serving.command(&self.log, asked) {
            Some((player, asked)) => player.expects(&asked),
            None => self.log.expects(asked),
        }
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
        match self.elsewhere(connection, statement) {
            Some((player, connection, statement)) => {
                player.answer(connection, Some(statement), method, in_force, later)
            }
            None => self.log.answer(connection, statement, method, in_force, later),
        }
    }

    /// What was recorded of the columns of the statement's current result: a list of maps. `None` if nothing was.
    ///
    /// # Errors
    /// An unreadable entry or columns file.
    pub fn columns(&self, connection: ConnectionId, statement: u32) -> Result<Option<Arc<Value>>, CassetteError> {
        match self.elsewhere(connection, Some(statement)) {
            Some((player, connection, statement)) => player.columns(connection, statement),
            None => self.log.columns(connection, statement),
        }
    }

    /// What was read of a column by itself, not with its row: between the command the statement is at and its next one.
    /// `on_row` says that the cursor is on a row, and not behind the last one.
    ///
    /// # Errors
    /// An unreadable entry.
    pub fn read_apart(
        &self,
        connection: ConnectionId,
        statement: u32,
        key: &[(Key, Value)],
        on_row: bool,
    ) -> Result<Option<Entry>, CassetteError> {
        match self.elsewhere(connection, Some(statement)) {
            Some((player, connection, statement)) => player.read_apart(connection, statement, key, on_row),
            None => self.log.read_apart(connection, statement, key, on_row),
        }
    }

    /// A fact about a connection: the recorded answer whose fields include these. The one that the log has last before
    /// the connection's next command holds, else the one of the info file. If that has several, each time the next, and
    /// the last one from then on. What the connection's own file does not have it shares with the first connection of the
    /// same connect identity. A `connection_id` and `statement_id` in the key are live ones.
    ///
    /// # Errors
    /// An unreadable entry or info file.
    pub fn info(&self, connection: ConnectionId, key: &[(Key, Value)]) -> Result<Option<Fields>, CassetteError> {
        self.told(connection, key, Relatives::All)
    }

    /// Whether anything is recorded of this function about connections. Of most calls on the application's side nothing is, and
    /// then nobody has to wait for the player.
    pub fn tells_of(&self, function: &str) -> bool {
        self.log.tells_of(function)
    }

    /// What was recorded of a call that usually goes as nobody writes down; `None` for the usual outcome.
    ///
    /// # Errors
    /// As [`Player::info`].
    pub fn outcome(&self, connection: ConnectionId, key: &[(Key, Value)]) -> Result<Option<Fields>, CassetteError> {
        let function = key.iter().find(|(name, _)| *name == Key::Function).and_then(|(_, function)| function.as_text());
        if function.is_some_and(|function| !self.tells_of(function)) {
            return Ok(None);
        }
        self.told(connection, key, Relatives::First)
    }

    fn told(
        &self,
        connection: ConnectionId,
        key: &[(Key, Value)],
        relatives: Relatives,
    ) -> Result<Option<Fields>, CassetteError> {
        self.log.told(connection, key, relatives, |statement| {
            let (player, connection, statement) = self.elsewhere(connection, statement)?;
            Some(player.ids(connection, Some(statement)))
        })
    }

    /// A fact that was recorded of the environment, before any connection: the first connection's file has it.
    ///
    /// # Errors
    /// An unreadable info file.
    pub fn environment(&self, key: &[(Key, Value)]) -> Result<Option<Fields>, CassetteError> {
        self.log.environment(key)
    }

    /// No statement of the connection is open, and it was asked whether it is still good, or told to forget all that was
    /// set: so does a driver manager that takes it from its pool. It may be another recorded one from now on.
    pub fn idle(&self, connection: ConnectionId) {
        if let Some(live) = self.log.state.read().sessions.live(connection) {
            live.rests(true);
        }
    }

    /// A live statement goes on with another text, or is freed.
    pub fn forget_statement(&self, connection: ConnectionId, statement: u32) {
        if statement >= FIRST_RESULT_ANSWER {
            self.serving.forget(connection, statement);
        } else {
            self.units().iter().for_each(|units| units.forget(connection, statement));
            self.log.forget_statement(connection, statement);
        }
    }

    /// Takes note of a statement that is closed, freed or cancelled, or of a connection that ends. The order of these is
    /// never checked: languages that collect garbage free handles when they like. What is kept for the statement goes.
    pub fn housekeeping(&self, entry: &Entry) {
        if !matches!(entry.method, Method::Close | Method::Drop | Method::Disconnect) {
            return;
        }
        let places: Vec<Elsewhere<'_>> = match entry.statement.filter(|_| self.any_of(entry.statement).is_some()) {
            Some(statement) => self.units().iter().filter_map(|of| of.place(entry.connection, statement)).collect(),
            None => self.elsewhere(entry.connection, entry.statement).into_iter().collect(),
        };
        if places.is_empty() {
            return self.log.housekeeping(entry);
        }
        for (player, connection, statement) in places {
            player.housekeeping(&Entry::new(entry.method, connection, Some(statement)));
        }
        if let (Method::Drop, Some(statement)) = (entry.method, entry.statement) {
            self.forget_statement(entry.connection, statement);
        }
    }

    /// The connection is closed.
    pub fn disconnect(&self, connection: ConnectionId) {
        self.serving.disconnect(connection);
        self.units().iter().for_each(|units| units.disconnected(connection));
        self.log.disconnect(connection);
    }

    /// A part of the cassette that is damaged: every later command fails with this, as after any first mismatch.
    pub fn damaged(&self, connection: ConnectionId, statement: Option<u32>, error: CassetteError) -> Mismatch {
        self.log.damaged(connection, statement, error)
    }

    /// The last entry of a method that a statement was given says something that cannot be played: every later command fails with
    /// this.
    pub fn refuse(&self, connection: ConnectionId, statement: Option<u32>, method: Method, wrong: Wrong) -> Mismatch {
        match self.elsewhere(connection, statement) {
            Some((player, connection, statement)) => {
                self.log.adopt_mismatch(player.refuse(connection, Some(statement), method, wrong))
            }
            None => self.log.refuse(connection, statement, method, wrong),
        }
    }

    /// The same for an answer about a statement or a connection.
    pub fn refuse_answer(
        &self,
        connection: ConnectionId,
        statement: Option<u32>,
        answer: &Fields,
        wrong: Wrong,
    ) -> Mismatch {
        match self.elsewhere(connection, statement) {
            Some((player, connection, statement)) => {
                self.log.adopt_mismatch(player.refuse_answer(connection, Some(statement), answer, wrong))
            }
            None => self.log.refuse_answer(connection, statement, answer, wrong),
        }
    }

    /// The commands that were never played, and the rows that were never read, in recorded order.
    ///
    /// # Errors
    /// An unreadable entry.
    pub fn unplayed(&self) -> Result<Vec<Unplayed>, CassetteError> {
        let state = &mut *self.log.state.write();
        match &self.any {
            Some(any) => any.current(&self.log).unplayed(&self.log, state),
            None => self.log.left_unplayed(state),
        }
    }

    /// The cassette, or those of its parts that this process may be playing, if every command of it is played: when that has
    /// changed. An empty list takes back what was said before: the process has gone on with a longer part. Costs little before
    /// the end is near.
    pub fn finished(&self) -> Option<Vec<PathBuf>> {
        match &self.any {
            // the last command of a cassette of units was theirs
            Some(any) => {
                self.log.finished_if(any.are_near_the_end(), |state, part| any.is_all_played(&self.log, state, part))
            }
            None => self.log.finished(),
        }
    }

    /// The names of the parts; none for the cassette of a single process.
    pub fn parts(&self) -> Vec<PathBuf> {
        self.log.parts()
    }

    /// At the end of the process: the part that it was, for good. Of several that are left it is one of which nothing is left
    /// unplayed, if there is such a one that nobody else was. None for the cassette of a single process.
    ///
    /// # Errors
    /// An unreadable entry.
    pub fn settle(&self) -> Result<Option<&dyn Store>, CassetteError> {
        self.log.settle(|state| match &self.any {
            Some(any) => Ok(!any.current(&self.log).unplayed(&self.log, state)?.is_empty()),
            None => Ok(!self.log.left_unplayed(state)?.is_empty()),
        })
    }
}

/// Waits as long as an entry says.
fn delay(entry: &Entry) {
    if let Some(delay) = entry.get(Key::Delay).and_then(Value::as_text).and_then(|text| crate::faults::delay(text).ok())
    {
        std::thread::sleep(delay);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Directory, MakeAppend, WriteAppend};

    #[test]
    fn a_handle_with_one_text_after_the_other_keeps_nothing_of_those_before() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("x");
        let append: MakeAppend = Arc::new(|file| Ok(Box::new(WriteAppend::new(file))));
        let storage = Directory::record(&path, Metadata::now(None, None), append).unwrap();
        let connect = Entry::new(Method::Connect, ConnectionId(0), None).with(Key::Dsn, "shop");
        let run = |statement| Entry::new(Method::Run, ConnectionId(0), Some(statement)).with(Key::Sql, "SELECT 1");
        let mut log = Vec::new();
        storage.encode(&connect, &mut log);
        (1..=20).for_each(|statement| storage.encode(&run(statement), &mut log));
        storage.append(&log).unwrap();
        storage.publish().unwrap();

        let player = Player::open(&path, PlayOptions::default()).unwrap();
        assert_eq!(player.connect(&connect).unwrap().connection, ConnectionId(0));
        let closes = |player: &Player| player.log.in_lane(ConnectionId(0), None, |_, lane, _| lane.closes.len());
        for statement in 1..=20 {
            player.command(&run(statement)).unwrap();
            player.housekeeping(&Entry::new(Method::Close, ConnectionId(0), Some(statement)));
            assert_eq!(closes(&player), 1);
            player.forget_statement(ConnectionId(0), statement);
            assert_eq!(closes(&player), 0);
        }
    }
}
