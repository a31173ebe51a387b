//! Plays a cassette: hands out what was recorded, in the recorded order, to a program that asks for the same again.
//!
//! Nothing here knows ODBC, opens a file or reads a setting: entries and rows come from a [`Store`] of the crate
//! `super8-cassette`, and what is asked comes as an [`Entry`].
//!
//! The driver calls only [`Player`]. It passes each request to the part that can serve it: the player of the log
//! (`log_player`), the player of an answer with rows (`result_answers`), or the units of `order: any` (`any_order`).
#![forbid(unsafe_code)]

mod compare;
mod log;
mod play;
mod report;
mod sessions;
mod values;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use compare::comparison::field as difference_in;
pub use compare::mismatch::{Difference, Mismatch, MismatchKind};
pub use log::columns::read as columns;
pub use log::rows::PlayedRun;
pub use play::log_player::{Fetched, PlayOptions, Started};
pub use play::result_answers::FIRST_RESULT_ANSWER;
pub use play::scroll::Scrolled;
pub use report::find_volatile::{VolatileValues, find_volatile, rule_text};
pub use sessions::fault_places::{FaultEvent, FaultNews, FaultPlace, TellFault, takes_faults};
pub use sessions::unplayed::Unplayed;

use compare::mismatch::Scene;
use log::connection_info::Peers;
use play::any_order::{AnyOrder, Elsewhere, Playing};
use play::log_player::LogPlayer;
use play::parts::UnitsOfParts;
use play::result_answers::{OWN, OtherAnswer, Serving};
use super8_cassette::check::Wrong;
use super8_cassette::metadata::{Metadata, Order};
use super8_cassette::process::Processes;
use super8_cassette::redaction::{Redaction, Secrets};
use super8_cassette::store::Store;
use super8_cassette::{CassetteError, ConnectionId, Entry, Fields, Key, Method, Value};

/// A cassette being played: one per cassette and process, shared by all connections and threads.
///
/// The first mismatch is sticky: all later commands fail with it.
pub struct Player {
    log: LogPlayer,
    serving: Serving,
    /// The units, under `order: any` only.
    any: Option<UnitsOfParts>,
}

impl Player {
    /// Opens a cassette and indexes its entries.
    ///
    /// Some driver managers ask questions while they connect and crash when an answer fails. So this reads everything
    /// they may ask about; once it has succeeded, those answers cannot fail.
    ///
    /// # Errors
    /// The recording is incomplete, its schema is another one, or an entry or info file is unreadable. Each case has its own
    /// text.
    pub fn open(store: Box<dyn Store>, options: PlayOptions) -> Result<Arc<Player>, CassetteError> {
        Player::of(LogPlayer::open(vec![store], None, options)?)
    }

    /// Opens a cassette of several processes, of which this process plays one part.
    ///
    /// # Errors
    /// As for [`Player::open`], and when there is no part at all.
    pub fn with_parts(
        parts: Vec<Box<dyn Store>>,
        processes: Arc<dyn Processes>,
        options: PlayOptions,
    ) -> Result<Arc<Player>, CassetteError> {
        Player::of(LogPlayer::open(parts, Some(processes), options)?)
    }

    fn of(log: LogPlayer) -> Result<Arc<Player>, CassetteError> {
        let any = if log.order == Order::Any { Some(UnitsOfParts::read(&log)?) } else { None };
        Ok(Arc::new(Player { log, serving: Serving::default(), any }))
    }

    /// Makes the player apply the redaction rules of the cassette to everything that is asked.
    pub fn redact(&self, rules: Arc<Redaction>) {
        for units in self.units() {
            units.player.redactor.follow(Arc::clone(&rules));
        }
        self.log.redactor.follow(rules);
    }

    /// Makes the player hide these secrets in everything that is asked, as they were hidden when the cassette was recorded.
    pub fn hide(&self, secrets: Arc<Secrets>) {
        for units in self.units() {
            units.player.redactor.hide(Arc::clone(&secrets));
        }
        self.log.redactor.hide(secrets);
    }

    /// Returns what `metadata.yml` says.
    pub fn metadata(&self) -> &Metadata {
        &self.log.metadata
    }

    /// Returns the order in which the cassette is played.
    pub fn order(&self) -> Order {
        self.log.order
    }

    /// Returns the path of the cassette's directory or of the trace's file.
    pub fn name(&self) -> &Path {
        self.log.store.name()
    }

    /// Says whether a person wrote the cassette. Statements of such a cassette have ids from [`FIRST_RESULT_ANSWER`] on.
    pub fn is_by_hand(&self) -> bool {
        self.log.is_by_hand()
    }

    /// Says whether no connection is open.
    pub fn is_idle(&self) -> bool {
        self.log.state.read().sessions.open().next().is_none()
    }

    /// Says whether there was a mismatch. What is unplayed after one means nothing.
    pub fn failed(&self) -> bool {
        let state = self.log.state.read();
        state.sticky.is_some() || self.log.went_astray(&state)
    }

    /// Lists the commands that can fail once, in recorded order.
    ///
    /// # Errors
    /// An entry is unreadable.
    pub fn places_to_fail(&self) -> Result<Vec<FaultPlace>, CassetteError> {
        sessions::fault_places::list(&self.log.index, &*self.log.store)
    }

    /// Says whether a fault has cut this connection and the recorded driver reports a dead connection when it is asked.
    pub fn reports_dead(&self, connection: ConnectionId) -> bool {
        self.log.reports_dead(connection)
    }

    /// Applies the fault that strikes before the next row of a run, if there is one.
    ///
    /// # Errors
    /// The fault, as the program is told of it.
    #[inline]
    pub fn strike_row(&self, connection: ConnectionId, statement: u32, run: &mut PlayedRun) -> Result<(), Mismatch> {
        let Some((position, row)) = run.fails_now() else { return Ok(()) };
        let asked = Entry::new(Method::Fetch, connection, Some(statement));
        self.log.strike_row(&asked, position, row).map_or(Ok(()), Err)
    }

    /// Checks that the connection is not lost, because the rows that a statement already has cannot be read on after that.
    ///
    /// # Errors
    /// The connection is lost.
    pub fn check_connection(&self, connection: ConnectionId, statement: u32) -> Result<(), Mismatch> {
        let asked = Entry::new(Method::Fetch, connection, Some(statement));
        if let Some(lost) = self.log.on_lost(&asked) {
            return lost.map(drop);
        }
        self.log.fetches(&asked);
        Ok(())
    }

    /// Says whether the log has any entry of this method. If not, questions of this method need not be asked.
    pub fn has(&self, method: Method) -> bool {
        self.log.index.has(method)
    }

    /// Says whether the cassette has any result that is served out of order and begins with this method.
    pub fn has_result_answers(&self, method: Method) -> bool {
        play::result_answers::begins_with(&self.log, method)
    }

    /// Says whether the cassette has a result for this request that is served out of order. Parameters are not
    /// compared. A statement that is served such a result gets an id from [`FIRST_RESULT_ANSWER`] on.
    pub fn has_result_answer(&self, asked: &Entry) -> bool {
        play::result_answers::find(&self.log, asked, None, &[Key::Attributes, Key::Params]).is_some()
    }

    /// Returns the units of all parts, or nothing under another order than `order: any`.
    fn units(&self) -> &[AnyOrder] {
        self.any.as_ref().map_or(&[], UnitsOfParts::all)
    }

    /// Returns the units, if the order is `order: any` and the statement is not one that is served an answer with rows.
    fn any_of(&self, statement: Option<u32>) -> Option<&UnitsOfParts> {
        self.any.as_ref().filter(|_| statement.is_none_or(|statement| statement < FIRST_RESULT_ANSWER))
    }

    /// Makes players of the other recordings of the question that a statement is served; none for any other statement.
    fn others(&self, connection: ConnectionId, statement: Option<u32>) -> Vec<OtherAnswer> {
        match statement {
            Some(statement) if statement >= FIRST_RESULT_ANSWER => {
                self.serving.others(&self.log, connection, statement)
            }
            _ => Vec::new(),
        }
    }

    /// Returns the player that plays this statement, if that is not the player of the log, and the statement's
    /// connection and id there.
    fn elsewhere(&self, connection: ConnectionId, statement: Option<u32>) -> Option<Elsewhere<'_>> {
        if let Some(player) = self.serving.player(connection, statement) {
            return Some((Playing::Own(player), OWN.0, OWN.1));
        }
        self.any.as_ref()?.current(&self.log).place(connection, statement?)
    }

    /// Plays a connect. The returned entry has the id of the live connection, which all later calls must use. It may
    /// stay undecided for a while which recorded connection that is.
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

    /// Says whether the cassette has a connect like this at all.
    pub fn knows_connect(&self, asked: &Entry) -> bool {
        !self.log.state.read().sessions.connects.agreeing(asked).is_empty()
    }

    /// Returns the recorded connection that a live one is taken for at present.
    pub fn recorded(&self, connection: ConnectionId) -> ConnectionId {
        self.log.state.read().recorded(connection, None).0
    }

    /// Plays a command other than a connect or a fetch: the next one in its order, if what is asked is the same.
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

    /// Plays a fetch: hands out the next run of rows of the statement.
    ///
    /// Once the data has ended, every further fetch finds the end again, so callers need not fetch again.
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
            Some((player, own, number)) => {
                let others = self.others(connection, Some(statement));
                let before = if others.is_empty() { 0 } else { player.rows_before(own, number) };
                let fetched = self.log.adopt(player.fetch(own, number))?;
                Ok(match fetched {
                    Fetched::Rows(run) if !others.is_empty() && !run.bookmarks() => {
                        let readings = others.iter().filter_map(play::result_answers::reading).collect();
                        Fetched::Rows(run.filled_by(before, readings))
                    }
                    fetched => fetched,
                })
            }
            None => self.log.fetch(connection, statement),
        }
    }

    /// Tells the player that a run of rows is read to its end, so that a thread whose turn comes then need not wait longer.
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

    /// Says whether this command is the next one. Plays nothing.
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

    /// Finds the answer to a question of this method at the statement's position.
    ///
    /// An answer in force comes first: the latest before the statement's next command, or before the place where it was
    /// closed, for the first key of `in_force` that has one. Otherwise it is the first answer that comes later, for the
    /// first key of `later` that has one. `None` if the question was never asked.
    ///
    /// # Errors
    /// An entry is unreadable.
    pub fn answer(
        &self,
        connection: ConnectionId,
        statement: Option<u32>,
        method: Method,
        in_force: &[Fields],
        later: &[Fields],
    ) -> Result<Option<Entry>, CassetteError> {
        let found = match self.elsewhere(connection, statement) {
            Some((player, connection, statement)) => {
                player.answer(connection, Some(statement), method, in_force, later)
            }
            None => self.log.answer(connection, statement, method, in_force, later),
        }?;
        if found.is_some() {
            return Ok(found);
        }
        for (other, _) in self.others(connection, statement) {
            let found = other.answer(OWN.0, Some(OWN.1), method, in_force, later)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Returns what was recorded about the columns of the statement's current result, as a list of maps. `None` if nothing was.
    ///
    /// # Errors
    /// An entry or columns file is unreadable.
    pub fn columns(&self, connection: ConnectionId, statement: u32) -> Result<Option<Arc<Value>>, CassetteError> {
        let own = match self.elsewhere(connection, Some(statement)) {
            Some((player, connection, statement)) => player.columns(connection, statement),
            None => self.log.columns(connection, statement),
        };
        self.others(connection, Some(statement)).iter().try_fold(own?, |known, (other, _)| {
            Ok(match (other.columns(OWN.0, OWN.1)?, known) {
                (Some(more), Some(known)) => Some(Arc::new(log::columns::merge(&more, &known))),
                (more, known) => known.or(more),
            })
        })
    }

    /// Finds what was recorded of reading a column by itself rather than with its row, between the statement's last
    /// played command and its next one. `on_row` says that the cursor is on a row and not behind the last one.
    ///
    /// # Errors
    /// An entry is unreadable.
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

    /// Finds a fact about a connection: the recorded answer whose fields include `key`.
    ///
    /// The last one that the log has before the connection's next command wins, then the one of the info file. If the info
    /// file has several, each call gets the next, and the last one from then on. What the connection's own file lacks comes
    /// from connections with the same connect identity. A `connection_id` and `statement_id` in the key are live ones.
    ///
    /// # Errors
    /// An entry or info file is unreadable.
    pub fn info(&self, connection: ConnectionId, key: &[(Key, Value)]) -> Result<Option<Fields>, CassetteError> {
        self.connection_answer(connection, key, Peers::All)
    }

    /// Says whether anything is recorded about connections for this function. For most calls that stay on the
    /// application's side nothing is, and those need not wait for the player.
    pub fn has_answers_of(&self, function: &str) -> bool {
        self.log.has_answers_of(function)
    }

    /// Finds the recorded outcome of a call whose usual outcome is not recorded. `None` means the usual outcome.
    ///
    /// # Errors
    /// As for [`Player::info`].
    pub fn outcome(&self, connection: ConnectionId, key: &[(Key, Value)]) -> Result<Option<Fields>, CassetteError> {
        let function = key.iter().find(|(name, _)| *name == Key::Function).and_then(|(_, function)| function.as_text());
        if function.is_some_and(|function| !self.has_answers_of(function)) {
            return Ok(None);
        }
        self.connection_answer(connection, key, Peers::First)
    }

    fn connection_answer(
        &self,
        connection: ConnectionId,
        key: &[(Key, Value)],
        relatives: Peers,
    ) -> Result<Option<Fields>, CassetteError> {
        self.log.connection_answer(connection, key, relatives, |statement| {
            let (player, connection, statement) = self.elsewhere(connection, statement)?;
            Some(player.ids(connection, Some(statement)))
        })
    }

    /// Finds a fact that was recorded about the environment before any connection existed. The first connection's file has it.
    ///
    /// # Errors
    /// An info file is unreadable.
    pub fn environment(&self, key: &[(Key, Value)]) -> Result<Option<Fields>, CassetteError> {
        self.log.environment(key)
    }

    /// Notes that a connection has no open statement and that someone asked whether it is still good, or told it to
    /// forget all that was set. A driver manager does this when it takes the connection from its pool. From now on it
    /// may stand for another recorded connection.
    pub fn idle(&self, connection: ConnectionId) {
        if let Some(live) = self.log.state.read().sessions.live(connection) {
            live.set_idle(true);
        }
    }

    /// Forgets what is kept for a live statement, which goes on with another text or is freed.
    pub fn forget_statement(&self, connection: ConnectionId, statement: u32) {
        if statement >= FIRST_RESULT_ANSWER {
            self.serving.forget(connection, statement);
        } else {
            self.units().iter().for_each(|units| units.forget(connection, statement));
            self.log.forget_statement(connection, statement);
        }
    }

    /// Takes note that a statement is closed, freed or cancelled, or that a connection ends, and drops what is kept for
    /// it. The order of these calls is never checked, because garbage-collected languages free handles when they like.
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

    /// Returns the mismatch if other processes have read a value otherwise than this one has used it. The connection is about
    /// to be closed, and a command, which finds that out itself, may not follow.
    pub fn contradicted(&self, connection: ConnectionId) -> Option<Mismatch> {
        self.log.hear(&Entry::new(Method::Disconnect, connection, None))
    }

    /// Closes a connection.
    pub fn disconnect(&self, connection: ConnectionId) {
        self.serving.disconnect(connection);
        self.units().iter().for_each(|units| units.disconnected(connection));
        self.log.disconnect(connection);
    }

    /// Reports that a part of the cassette is damaged. Every later command fails with this, as after any first mismatch.
    pub fn damaged(&self, connection: ConnectionId, statement: Option<u32>, error: CassetteError) -> Mismatch {
        self.log.damaged(connection, statement, error)
    }

    /// Reports that the last entry of this method which the statement was given says something that cannot be played.
    /// Every later command fails with this.
    pub fn refuse(&self, connection: ConnectionId, statement: Option<u32>, method: Method, wrong: Wrong) -> Mismatch {
        match self.elsewhere(connection, statement) {
            Some((player, connection, statement)) => {
                self.log.adopt_mismatch(player.refuse(connection, Some(statement), method, wrong))
            }
            None => self.log.refuse(connection, statement, method, wrong),
        }
    }

    /// Does the same as [`Player::refuse`] for an answer about a statement or a connection.
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

    /// Lists the commands that were never played and the rows that were never read, in recorded order.
    ///
    /// # Errors
    /// An entry is unreadable.
    pub fn unplayed(&self) -> Result<Vec<Unplayed>, CassetteError> {
        let state = &mut *self.log.state.write();
        match &self.any {
            Some(any) => any.current(&self.log).unplayed(&self.log, state),
            None => self.log.left_unplayed(state),
        }
    }

    /// Returns the cassette, or those of its parts that this process may be playing, if every command of it is played.
    /// Returns `None` if that has not changed since the last call. An empty list takes back an earlier result, because
    /// the process has gone on with a longer part. Costs little before the end is near.
    pub fn finished(&self) -> Option<Vec<PathBuf>> {
        match &self.any {
            // with units, the last command of the cassette is one of theirs
            Some(any) => {
                self.log.finished_if(any.are_near_the_end(), |state, part| any.is_all_played(&self.log, state, part))
            }
            None => self.log.finished(),
        }
    }

    /// Returns the names of the parts. The cassette of a single process has none.
    pub fn parts(&self) -> Vec<PathBuf> {
        self.log.parts()
    }

    /// Decides for good, at the end of the process, which part it played. If several parts are still possible, it takes one that
    /// is completely played and that no other process has taken, if there is one. `None` for the cassette of a single process.
    ///
    /// # Errors
    /// An entry is unreadable.
    pub fn decide_part(&self) -> Result<Option<&dyn Store>, CassetteError> {
        self.log.decide_part(|state| match &self.any {
            Some(any) => Ok(!any.current(&self.log).unplayed(&self.log, state)?.is_empty()),
            None => Ok(!self.log.left_unplayed(state)?.is_empty()),
        })
    }
}

/// Waits as long as the entry's `delay` says.
fn delay(entry: &Entry) {
    if let Some(delay) =
        entry.get(Key::Delay).and_then(Value::as_text).and_then(|text| super8_cassette::faults::delay(text).ok())
    {
        std::thread::sleep(delay);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use super8_cassette::{Directory, MakeAppend, WriteAppend, open_directory};

    #[test]
    fn a_handle_with_one_text_after_the_other_keeps_nothing_of_those_before() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("x");
        let append: MakeAppend = Arc::new(|file| Ok(Box::new(WriteAppend::new(file))));
        let store = Directory::record(&path, Metadata::now(None, None), append).unwrap();
        let connect = Entry::new(Method::Connect, ConnectionId(0), None).with(Key::Dsn, "shop");
        let run = |statement| Entry::new(Method::Run, ConnectionId(0), Some(statement)).with(Key::Sql, "SELECT 1");
        let mut log = Vec::new();
        store.encode(&connect, &mut log);
        (1..=20).for_each(|statement| store.encode(&run(statement), &mut log));
        store.append(&log).unwrap();
        store.publish().unwrap();

        let player = Player::open(open_directory(&path).unwrap(), PlayOptions::default()).unwrap();
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
