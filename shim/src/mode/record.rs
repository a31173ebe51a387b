//! The recording mode: what it knows of connections and statements, how it calls the driver, and how it writes to the
//! cassette.

use crate::args::Watched;
use crate::call::DriverCall;
use crate::convert::CType;
use crate::diagnostics::{Diagnostic, Outcome, answered, rc};
use crate::mode::cells::{BoundCells, KnownNulls, KnownTypes, NullCell};
use crate::mode::columns::{ColumnMetadata, LastAnswers};
use crate::mode::connection::{Connection, Interception};
use crate::mode::connection_cassette::CassetteRef;
use crate::mode::keys::{CallKey, LocalOutcomes};
use crate::mode::lengths::LentVariables;
use crate::mode::outcome::push_outcome;
use crate::mode::reading::RecordedReading;
use crate::mode::statement::{State, Statement};
use crate::table::Function;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use super8_cassette::{CassetteError, Entry, Fields, Key, Method, PendingColumns, Recorder, Run, Value};

/// Record: every call goes to the real driver, and the question and its outcome go to the cassette.
#[derive(Default)]
pub struct Recorded;

impl Interception for Recorded {
    type Cassette = Recorder;
    type OfConnection = RecordedConnection;
    type OfStatement = RecordedStatement;
    type OfState = RecordedState;
    type Run = Option<Run>;
    type Reading = RecordedReading;
}

/// What recording knows of a connection.
#[derive(Default)]
pub struct RecordedConnection {
    /// Statements that ask for answers with rows. Replay does not count them when it numbers statements.
    pub(super) result_answers: Mutex<Vec<u32>>,
    /// The same, of the process that this one was forked from.
    pub(super) parents_result_answers: Mutex<Vec<u32>>,
    /// Whether the connection has ended in its cassettes.
    pub(super) closed: AtomicBool,
    /// Counts of calls on the application's side that had their usual outcome.
    pub(super) local_outcomes: LocalOutcomes,
    /// Whether the driver ever did anything unusual with a row counter or row states.
    pub(super) odd_counters: AtomicBool,
    /// How many bytes the driver writes of a number that answers a question, by function, object and field.
    pub(super) widths: Mutex<HashMap<(Function, i64, i64), Option<u8>>>,
    /// The C types for which it is known what the driver leaves in the buffer of a NULL.
    pub(super) nulls: KnownNulls,
    /// Whether it writes zeros to all of them, once its library was asked for.
    pub(super) zeroes_nulls: OnceLock<bool>,
    /// Whether it is known what the driver does when a column is bound.
    pub(super) binds: AtomicBool,
    /// The driver's own warning for SQLGetData's pieces, once it was seen.
    pub(super) truncation: Mutex<Option<Vec<Diagnostic>>>,
}

/// What recording knows of a statement outside its lock.
#[derive(Default)]
pub struct RecordedStatement {
    /// How many commands the statement had: executions, fetches, closes and the like.
    pub(super) commands: AtomicU32,
    /// What is known of the columns of the statement's result.
    pub(super) metadata: Arc<ColumnMetadata>,
}

/// What recording knows of a statement between two calls.
#[derive(Default)]
pub struct RecordedState {
    /// The answers that were recorded about this statement text.
    pub(super) answers: LastAnswers,
    pub(super) known_types: KnownTypes,
    /// Whether the next row is the result's first.
    pub(super) first: bool,
    /// Whether the end of the result was reached and recorded.
    pub(super) ended: bool,
    /// Whether the current run is the rowset of a scroll.
    pub(super) scrolled: bool,
    /// The C types that SQL_C_DEFAULT stands for in the current result, by column.
    pub(super) defaults: Vec<(u16, CType)>,
    /// The columns that a fetch fills.
    pub(super) bound: BoundCells,
    /// The number of the result's columns, as it was last noted for the statement text.
    pub(super) beyond: Option<u16>,
    /// The length variables that the driver is lent while it fetches.
    pub(super) lent: LentVariables,
    /// NULLs of the last fetch in C types for which it is not known yet what the driver leaves in the buffer.
    pub(super) nulls: Vec<NullCell>,
    /// What to do once the call that is still executing is done.
    pub(super) after: Option<Box<dyn After>>,
    /// Whether the driver counts rows in a counter that super8 lent it, because the application has set none.
    pub(super) counter_is_lent: bool,
}

/// What recording does with the outcome of a call that is still executing, or when that call is given up.
pub(super) trait After: Send {
    fn done(
        self: Box<Self>,
        statement: &Statement<Recorded>,
        outcome: Outcome,
        driver_call: &dyn DriverCall,
    ) -> Outcome;
    fn give_up(self: Box<Self>);
}

impl<W, F> After for (W, F)
where
    W: Watched + Send,
    F: FnOnce(&Statement<Recorded>, W, Outcome, &dyn DriverCall) -> Outcome + Send,
{
    fn done(
        self: Box<Self>,
        statement: &Statement<Recorded>,
        outcome: Outcome,
        driver_call: &dyn DriverCall,
    ) -> Outcome {
        let (watched, after) = *self;
        after(statement, watched, outcome, driver_call)
    }

    fn give_up(self: Box<Self>) {
        self.0.give_up();
    }
}

/// Makes the driver call and reads its diagnostics.
pub(super) fn perform(driver_call: &dyn DriverCall) -> Outcome {
    performed(driver_call.invoke(), driver_call)
}

/// Returns the outcome of a driver call that was just made: its return code and the driver's diagnostics.
pub(super) fn performed(code: Option<i16>, driver_call: &dyn DriverCall) -> Outcome {
    match answered(code) {
        Err(outcome) => outcome,
        Ok(rc @ (rc::SUCCESS | rc::INVALID_HANDLE)) => Outcome::of(rc),
        Ok(rc) => Outcome { rc, diagnostics: driver_call.diagnostics() },
    }
}

/// Fails the current call because the cassette cannot be written: a cassette must never be silently incomplete.
pub fn unwritable(error: CassetteError) -> Outcome {
    crate::cassettes::unwritable(&error, false);
    Outcome::error("HY000", format!("record: the cassette cannot be written: {error}"))
}

impl Connection<Recorded> {
    /// Returns the recorder of the connection's current cassette.
    pub(super) fn recorder(&self) -> CassetteRef<'_, Recorder> {
        self.cassettes.cassette()
    }

    /// Notes a statement whose command asks for an answer with rows.
    pub(super) fn asks(&self, entry: &Entry) {
        if let Some(statement) = entry.statement
            && self.recorder().is_result_answer(entry)
        {
            self.own.result_answers.lock().push(statement);
        }
    }

    /// Returns a statement number for an answer with rows that the process knows already.
    pub(super) fn next_result_answer(&self) -> u32 {
        let statement = self.next_statement();
        self.own.result_answers.lock().push(statement);
        statement
    }

    /// Forgets what is known of the driver, because the connection goes on in a cassette that does not have it yet.
    pub(super) fn stands_alone(&self) {
        self.own.local_outcomes.forget();
        self.own.odd_counters.store(false, Ordering::Relaxed);
        if let Some(mut truncation) = self.own.truncation.try_lock() {
            *truncation = None;
        }
    }

    /// Returns the number that one of the parent's statements has in a forked child.
    pub(super) fn inherited(&self, statement: u32) -> u32 {
        let before = |answers: &[u32]| answers.iter().filter(|answer| **answer < statement).count() as u32;
        statement - self.own.parents_result_answers.try_lock().map_or(0, |answers| before(&answers))
    }

    /// Notes the outcome of a call on the application's side. Only what differs from plain success is written.
    pub(super) fn note_local(&self, call: CallKey, key: impl FnOnce() -> Fields, outcome: Outcome) -> Outcome {
        let said = (outcome.rc != rc::SUCCESS).then(|| {
            let mut said = Fields::new();
            push_outcome(&mut said, &outcome, &self.secrecy);
            said
        });
        self.note_outcome(call, key, said).map_or_else(unwritable, |()| outcome)
    }

    /// Stores an answer that belongs to the connection: its key, result and outcome.
    pub(super) fn keep_info(&self, mut fields: Fields, result: Option<Value>, outcome: Outcome) -> Outcome {
        fields.extend(result.map(|result| (Key::Result, result)));
        push_outcome(&mut fields, &outcome, &self.secrecy);
        self.recorder().info(self.id(), fields).map_or_else(unwritable, |()| outcome)
    }

    /// Drops what was kept of a descriptor of the application's that was freed.
    pub(super) fn forget_descriptor(&self, descriptor: i64) {
        self.own.local_outcomes.forget_descriptor(descriptor);
        self.own.widths.lock().retain(|(_, of, _), _| *of != descriptor);
        self.recorder().forget_outcomes(self.id(), Key::Descriptor, &Value::from(descriptor));
    }

    /// Notes the outcome of a call, by its short and its full key. `said` is `None` if the call went as usual, else
    /// what is to be written.
    #[inline]
    pub(super) fn note_outcome(
        &self,
        call: CallKey,
        key: impl FnOnce() -> Fields,
        said: Option<Fields>,
    ) -> Result<(), CassetteError> {
        if said.is_none() && !self.recorder().has_outcomes() {
            self.own.local_outcomes.went(call);
            return Ok(());
        }
        self.recorder().outcome(self.id(), &key(), said, self.own.local_outcomes.times(&call))
    }
}

impl Statement<Recorded> {
    /// In a forked child, goes on in the child's part, in which nothing is known of the statement yet; the rows that
    /// were read are in the parent's. Where the connection went on in another cassette, prepares there what was
    /// prepared before.
    #[cold]
    pub(super) fn enter(&self) -> Result<(), Outcome> {
        self.connection.enter()?;
        if !self.is_in_cassette() {
            return self.goes_on();
        }
        let mut state = self.state.lock();
        (state.run, state.own.ended, state.own.beyond) = (None, false, None);
        state.own.bound.forget();
        state.own.answers.clear();
        state.id = state.id.map(|id| self.connection.inherited(id));
        if let Some(id) = state.id {
            self.own.metadata.begin(self.connection.id(), id);
        }
        self.stays();
        Ok(())
    }

    fn goes_on(&self) -> Result<(), Outcome> {
        let prepared = {
            let mut state = self.state.lock();
            (state.run, state.own.beyond, state.id) = (None, None, None);
            state.own.answers.clear();
            self.reset_result(&mut state);
            self.own.metadata.clear();
            state.prepared.clone()
        };
        self.connection.moves.followed(&self.used);
        self.stays();
        let Some(fields) = prepared else { return Ok(()) };
        let id = self.new_text(&mut self.state.lock()).map_err(unwritable)?;
        let written = self.written_already(id, Method::Prepare, fields.clone(), Outcome::SUCCESS);
        self.state.lock().prepared = Some(fields);
        if written == Outcome::SUCCESS { Ok(()) } else { Err(written) }
    }

    /// Ends what the previous text or execution left open, and writes what was learned of its columns.
    pub(super) fn finish_result(&self, state: &mut State<Recorded>, ended: bool) -> Result<(), CassetteError> {
        self.finish_row(state)?;
        if let Some(run) = state.run.take() {
            run.lock().end(ended)?;
        }
        self.write_columns()
    }

    /// Writes what was learned of the columns since the last time.
    pub(super) fn write_columns(&self) -> Result<(), CassetteError> {
        match self.own.metadata.take() {
            Some((id, columns)) => self.connection.recorder().columns(self.connection.id(), id, &columns),
            None => Ok(()),
        }
    }

    /// Begins another text for this handle: it gets another statement id, and nothing is known of it.
    pub(super) fn new_text(&self, state: &mut State<Recorded>) -> Result<u32, CassetteError> {
        self.finish_result(state, false)?;
        let id = self.connection.next_statement();
        self.begin_text(state, id);
        self.own.metadata.begin(self.connection.id(), id);
        state.own.answers.clear();
        state.own.beyond = None;
        self.reset_result(state);
        Ok(id)
    }

    pub(super) fn reset_result(&self, state: &mut State<Recorded>) {
        state.begin_result();
        (state.own.first, state.own.ended, state.own.scrolled) = (true, false, false);
        state.own.defaults.clear();
        state.own.bound.forget();
    }

    /// Appends a command of this statement.
    pub(super) fn command(&self, id: u32, method: Method, mut fields: Fields, outcome: Outcome) -> Outcome {
        push_outcome(&mut fields, &outcome, &self.connection.secrecy);
        if method == Method::Prepare && rc::succeeded(outcome.rc) {
            self.state.lock().prepared = Some(fields.clone());
        }
        self.written_already(id, method, fields, outcome)
    }

    /// Appends a command whose fields already include the outcome.
    pub(super) fn written_already(&self, id: u32, method: Method, fields: Fields, outcome: Outcome) -> Outcome {
        let entry = Entry { method, connection: self.connection.id(), statement: Some(id), fields };
        self.connection.own.local_outcomes.commanded();
        self.counts();
        self.connection.asks(&entry);
        self.connection.recorder().command(&entry).map_or_else(unwritable, |()| outcome)
    }

    /// Counts a command of the statement, a fetch, or its end: answers may differ from now on.
    pub(super) fn counts(&self) {
        // Two threads that use one statement at once do not need an exact count.
        self.own.commands.store(self.own.commands.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }

    /// Notes that something was closed or otherwise ended.
    pub(super) fn note(&self, id: u32, method: Method) -> Result<(), CassetteError> {
        if method == Method::Close {
            self.counts();
        }
        self.connection
            .recorder()
            .note(&Entry::new(method, self.connection.id(), Some(id)).with(Key::Result, Value::Null))
    }

    /// Makes the driver call and then runs `after`. If the driver is still executing, `after` runs once the call is
    /// done.
    pub(super) fn then<W: Watched + Send + 'static>(
        &self,
        driver_call: &dyn DriverCall,
        watched: W,
        after: impl FnOnce(&Statement<Recorded>, W, Outcome, &dyn DriverCall) -> Outcome + Send + 'static,
    ) -> Outcome {
        let outcome = perform(driver_call);
        if outcome.rc == rc::STILL_EXECUTING {
            self.state.lock().own.after = Some(Box::new((watched, after)));
            return outcome;
        }
        after(self, watched, outcome, driver_call)
    }
}
