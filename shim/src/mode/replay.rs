//! The replay mode: what it knows of connections and statements, how it compares a command, and how it finds a recorded
//! answer.

use crate::args::Place;
use crate::convert::CType;
use crate::diagnostics::{Diagnostic, Outcome, rc};
use crate::mode::cells::ZeroNulls;
use crate::mode::connection::{Connection, Interception};
use crate::mode::connection_cassette::CassetteRef;
use crate::mode::keys::token_key;
use crate::mode::outcome::recorded_outcome;
use crate::mode::parameters::Waiting;
use crate::mode::polling::polls_key;
use crate::mode::reading::{Reading, ReplayedReading};
use crate::mode::rowset::RowCounters;
use crate::mode::statement::{State, Statement};
use crate::report::say_verdict;
use crate::table::Function;
use crate::{cassettes, verdict};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use super8_cassette::check::{self, Wrong};
use super8_cassette::{CassetteError, Entry, Fields, Key, Method, Value};
use super8_matching::FIRST_RESULT_ANSWER;
use super8_matching::{Mismatch, PlayedRun, Player};

/// Replay: every call is answered from the cassette; the real driver is never loaded.
#[derive(Default)]
pub struct Replayed;

impl Interception for Replayed {
    type Cassette = Player;
    type OfConnection = ReplayedConnection;
    type OfStatement = ReplayedStatement;
    type OfState = ReplayedState;
    type Run = Option<PlayedRun>;
    type Reading = ReplayedReading;
}

/// What replay knows of a connection.
#[derive(Default)]
pub struct ReplayedConnection {
    /// How many answers with rows the program asked for.
    result_answers: AtomicU32,
    /// Statement handles that are not freed yet.
    pub(super) handles: AtomicU32,
}

/// What replay knows of a statement outside its lock.
#[derive(Default)]
pub struct ReplayedStatement {
    /// Whether a function that programs call in a loop has reported that the replay failed.
    pub(super) gave_up: AtomicBool,
}

/// What replay knows of a statement between two calls.
#[derive(Default)]
pub struct ReplayedState {
    /// The statement id of a text whose call is still executing.
    pub(super) given: Option<u32>,
    /// Whether the run belongs to the process that this one was forked from. Then only its current row is usable here.
    pub(super) run_is_parents: bool,
    /// Whether there is a current row for SQLGetData.
    pub(super) on_row: bool,
    /// What the recorded driver does with the row counter and row states of the current result, once that was looked
    /// up.
    pub(super) counters: Option<RowCounters>,
    pub(super) nulls: ZeroNulls,
    /// The recorded C types of the current run, resolved.
    pub(super) types: Vec<CType>,
}

/// Reports a program that asks for something else than was recorded: the application gets the headline, people get the
/// report.
pub(super) fn mismatch(mismatch: Mismatch) -> Outcome {
    if let Some(told) = &mismatch.fault {
        return recorded_outcome(|key| told.get(key));
    }
    if !mismatch.repeated {
        let Mismatch { cassette, headline, report, command, .. } = &mismatch;
        let delivery = verdict::mismatch(cassette, headline, report, *command);
        say_verdict(cassettes::mismatched(cassette, report).as_deref(), format_args!("{report}"), delivery);
    }
    let record = Diagnostic { message: mismatch.headline, ..Diagnostic::new("HY000", "") };
    Outcome { rc: rc::ERROR, diagnostics: vec![record] }
}

/// Returns the error for something that the recording does not have.
pub(super) fn not_recorded(what: &str) -> Outcome {
    Outcome::error(
        "HY000",
        format!("replay: {what} was not asked when the cassette was recorded, so there is no answer; record again"),
    )
}

/// Notes in the verdict that everything is played, as soon as it is. The process may be killed, replace itself with
/// another program, or end without its exit handlers.
pub(super) fn finished(player: &Arc<Player>) {
    if let Some(parts) = player.finished() {
        crate::cassettes::finished(player, &parts);
    }
}

impl Connection<Replayed> {
    /// Returns the player of the connection's current cassette.
    pub(super) fn player(&self) -> CassetteRef<'_, Player> {
        self.cassettes.cassette()
    }

    /// Returns the id of the next statement that is served an answer with rows.
    pub(super) fn next_answered_statement(&self) -> u32 {
        self.own.result_answers.fetch_add(1, Ordering::Relaxed) | FIRST_RESULT_ANSWER
    }

    /// Checks whether the whole cassette is played. Called after anything that may be the last of it.
    pub(super) fn may_be_finished(&self) {
        finished(&self.player());
    }

    /// Called after the last row of a run.
    pub(super) fn rows_are_read(&self) {
        let player = self.player();
        player.rows_are_read();
        finished(&player);
    }

    /// Reports a damaged part of the cassette. It is the mismatch from now on, and the report names its file and line.
    pub(super) fn damaged(&self, statement: Option<u32>, error: CassetteError) -> Outcome {
        mismatch(self.player().damaged(self.id(), statement, error))
    }

    /// Returns what was recorded of a call that usually goes as ODBC says; `None` for the usual outcome.
    ///
    /// # Errors
    /// The cassette is damaged.
    pub(super) fn local_outcome(&self, key: &[(Key, Value)]) -> Result<Option<Fields>, Outcome> {
        self.player().outcome(self.id(), key).map_err(|error| self.damaged(None, error))
    }

    /// Returns the connection's recorded answer with this key.
    pub(super) fn recorded_info(&self, key: &[(Key, Value)]) -> Result<Option<Fields>, Outcome> {
        let found = self.player().info(self.id(), key).map_err(|error| self.damaged(None, error))?;
        Ok(found.map(|answer| self.secrecy.restored_fields(answer)))
    }

    /// Returns the outcome of a call on the application's side: success, unless the recorded driver disagreed.
    pub(super) fn local(&self, function: Function, key: impl FnOnce() -> Fields) -> Outcome {
        if !self.player().has_answers_of(function.name()) {
            return Outcome::SUCCESS;
        }
        match self.local_outcome(&key()) {
            Ok(Some(answer)) => recorded_outcome(|key| answer.get(key)),
            Ok(None) => Outcome::SUCCESS,
            Err(failure) => failure,
        }
    }

    /// Refuses a recorded answer, about a statement or the connection, that does not fit the question.
    pub(super) fn refuse_answer(&self, statement: Option<u32>, answer: &Fields, wrong: Wrong) -> Outcome {
        mismatch(self.player().refuse_answer(self.id(), statement, answer, wrong))
    }

    /// Returns how often the function's n-th call was polled.
    pub(super) fn recorded_polls(&self, statement: Option<u32>, function: Function, call: u32) -> Result<u32, Outcome> {
        let fact = self.recorded_info(&polls_key(self.id(), statement, function, call))?;
        let times = fact.as_ref().and_then(|fact| fact.get(Key::Result)).and_then(Value::as_int);
        Ok(times.and_then(|times| u32::try_from(times).ok()).unwrap_or(0))
    }
}

impl Statement<Replayed> {
    /// Goes on in the connection's other cassette, and plays again there what was prepared.
    fn goes_on(&self) -> Result<(), Outcome> {
        let mut state = self.state.lock();
        state.begin_result();
        (state.run, state.own.run_is_parents, state.own.on_row) = (None, false, false);
        (state.id, state.own.counters) = (None, None);
        state.own.nulls.forget();
        self.connection.moves.followed(&self.used);
        self.stays();
        let Some(fields) = state.prepared.clone() else { return Ok(()) };
        let id = self.new_text(&mut state, Method::Prepare, &fields);
        self.command(&mut state, id, Method::Prepare, fields).map(drop)
    }

    /// In a forked child, goes on in the child's part. The current row stays; what comes after it is in the part.
    #[cold]
    pub(super) fn enter(&self) -> Result<(), Outcome> {
        self.connection.enter()?;
        if !self.is_in_cassette() {
            return self.goes_on();
        }
        let mut state = self.state.lock();
        state.own.run_is_parents = state.run.is_some();
        (state.columns, state.own.counters) = (None, None);
        self.stays();
        Ok(())
    }

    /// Plays a command of this statement.
    pub(super) fn command(
        &self,
        state: &mut State<Replayed>,
        id: u32,
        method: Method,
        fields: Fields,
    ) -> Result<Entry, Outcome> {
        (state.run, state.own.run_is_parents) = (None, false);
        state.own.on_row = false;
        state.columns = None;
        state.own.counters = None;
        state.own.nulls.forget();
        state.reading.forget();
        let asked = Entry { method, connection: self.connection.id(), statement: Some(id), fields };
        self.connection.player().command(&asked).map_err(mismatch)
    }

    /// Checks that what an entry says of the program's arrays fits them.
    ///
    /// # Errors
    /// The entry has more rows, more states or a larger count than the program has room for.
    pub(super) fn within(&self, id: u32, room: usize, entry: &Entry) -> Result<(), Outcome> {
        check::within(room, |key| entry.get(key)).map_err(|wrong| {
            mismatch(self.connection.player().refuse(self.connection.id(), Some(id), entry.method, wrong))
        })
    }

    /// Reports damage, as [`Connection::damaged`] does.
    pub(super) fn damaged(&self, error: CassetteError) -> Outcome {
        self.connection.damaged(None, error)
    }

    /// Returns what was noted of this statement under a key, beside its commands.
    pub(super) fn noted(&self, id: u32, key: &[(Key, Value)]) -> Result<Option<Entry>, Outcome> {
        let keys = [Fields::from(key.to_vec())];
        let found = self.connection.player().answer(self.connection.id(), Some(id), Method::Answer, &keys, &keys);
        found.map_err(|error| self.damaged(error))
    }

    /// Begins another text for this handle, under the statement id that it had when it was recorded.
    pub(super) fn new_text(&self, state: &mut State<Replayed>, method: Method, fields: &Fields) -> u32 {
        if let Some(id) = state.own.given.take() {
            return id;
        }
        let player = self.connection.player();
        if let Some(before) = state.id {
            player.forget_statement(self.connection.id(), before);
        }
        // An answer with rows has no number among the statements.
        let asked = || Entry { fields: fields.clone(), ..Entry::new(method, self.connection.id(), None) };
        let id = match player.is_by_hand() || player.has_result_answers(method) && player.has_result_answer(&asked()) {
            true => self.connection.next_answered_statement(),
            false => self.connection.next_statement(),
        };
        self.begin_text(state, id);
        state.begin_result();
        id
    }

    /// Returns the token that SQLParamData hands out: the place of the set, or the one that was bound, as the recorded
    /// driver did.
    pub(super) fn token(&self, waiting: &Waiting) -> Result<Place, Outcome> {
        if waiting.token == waiting.bound {
            return Ok(waiting.token);
        }
        let said = self.connection.local_outcome(&token_key())?;
        Ok(match said.as_ref().and_then(|said| said.get(Key::Result)) {
            Some(_) => waiting.bound,
            None => waiting.token,
        })
    }
}

impl State<Replayed> {
    /// Returns whether SQLGetData reads the row that was handed out last. With several rows the cursor may be on
    /// another one.
    pub(super) fn reads_row(&self) -> bool {
        self.own.on_row && self.rowset <= 1
    }
}
