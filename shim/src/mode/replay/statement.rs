//! A replayed statement: what it is asked to do is compared with the recording, what it is asked is answered from it.

use super::connection::Connection;
use super::counters::Habits;
use super::descriptor::Known;
use super::execution::Waiting;
use super::mismatch;
use super::reading::Reading;
use super::rows::Nulls;
use crate::args::{Binding, Place};
use crate::call::{Call, DriverCall, local_calls};
use crate::convert::CType;
use crate::descriptor::Content;
use crate::diagnostics::{Outcome, rc};
use crate::mode::application::{Application, attribute};
use crate::mode::keys::{length_at_binding_key, local_key};
use crate::mode::moving::{Use, gives_command, lets_go};
use crate::mode::outcome::outcome;
use crate::mode::outputs::{Outputs, Streams, joined};
use crate::mode::polling::Polls;
use crate::mode::rowset::{Fetching, Scrolling, extended_states};
use crate::mode::{DescriptorRole, StatementMode, not_yet, probe};
use crate::table::{Class, Function};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use super8_cassette::{CassetteError, Entry, Fields, Key, Method, PlayedRun, Value, check, process};

/// A statement being replayed.
pub struct Statement {
    pub(super) connection: Arc<Connection>,
    pub(super) state: Mutex<State>,
    /// It is the driver manager's own, to probe the connection with.
    probes: AtomicBool,
    /// How often the statement text at hand was closed or cancelled.
    pub(super) endings: AtomicU32,
    /// Whether its calls may say SQL_STILL_EXECUTING: once that was switched on, calls are counted for good.
    pub(super) asynchronous: AtomicBool,
    /// A function that programs loop on has said that the replay failed.
    gave_up: AtomicBool,
    /// The process in which it is replayed.
    process: AtomicU32,
    /// What it does, where its connection may go on in another cassette.
    used: Use,
}

/// What is known of the statement between two calls.
#[derive(Default)]
pub(super) struct State {
    pub(super) application: Application,
    /// The id of the statement text at hand.
    pub(super) id: Option<u32>,
    /// The command that prepared the text.
    pub(super) prepared: Option<Fields>,
    pub(super) markers: usize,
    /// How many pieces of data at execution were sent with the statement text at hand.
    pub(super) puts: u32,
    /// How many of its executions had parameters with data at execution.
    pub(super) executions: u32,
    /// An execution that waits for data.
    pub(super) waiting: Option<Waiting>,
    /// An operation on rows that waits for data.
    pub(super) positioned: Option<super::positioned::Pending>,
    /// Output parameters that the last execution left alone.
    pub(super) sent: Outputs,
    /// Whether there may be a result to close.
    pub(super) open: bool,
    /// Output parameters that are read in pieces.
    pub(super) streams: Streams,
    /// The calls that are and were polled.
    pub(super) polls: Polls,
    /// The id that the text of a call which is still executing has already.
    pub(super) given: Option<u32>,
    /// The run rows come from.
    pub(super) run: Option<PlayedRun>,
    /// It is that of a process from which this one was forked: only the row at hand is this one's.
    pub(super) run_is_parents: bool,
    /// Whether a row is at hand for SQLGetData.
    pub(super) on_row: bool,
    /// What the recorded driver does with the row counter and states of the result at hand, once that was looked up.
    pub(super) habits: Option<Habits>,
    pub(super) nulls: Nulls,
    /// Rows that the last fetch asked for, and those it got.
    pub(super) rowset: usize,
    pub(super) fetched: usize,
    /// Where SQLExtendedFetch put the row states, if that was the last fetch.
    pub(super) extended: Place,
    pub(super) reading: Reading,
    /// How many columns the result at hand was recorded to have, once that was looked up.
    pub(super) columns: Option<Option<u16>>,
    /// The recorded C types of the run at hand, resolved.
    pub(super) types: Vec<CType>,
    pub(super) scratch: Vec<u8>,
}

impl State {
    /// Whether SQLGetData reads the row handed out last, and not one that the cursor was moved to inside a rowset.
    pub(super) fn reads_row(&self) -> bool {
        self.on_row && self.rowset <= 1
    }
}

impl Statement {
    /// A fresh statement on `connection`.
    pub fn new(connection: Arc<Connection>) -> Self {
        let [asynchronous, probes, gave_up] = [(); 3].map(|()| AtomicBool::new(false));
        let (endings, process) = (AtomicU32::default(), AtomicU32::new(process::id()));
        let used = connection.moves.statement();
        Statement { connection, state: Mutex::default(), endings, asynchronous, probes, gave_up, process, used }
    }

    #[inline]
    fn is_here(&self) -> bool {
        self.process.load(Ordering::Relaxed) == process::id() && self.used.is_at(&self.connection.moves)
    }

    /// What is done before a call: a command may have its connection go on in another cassette, and the statement goes on where that
    /// is, in its own process.
    fn arrive(&self, call: &Call<'_>) -> Result<(), Outcome> {
        if gives_command(call) && self.connection.is_here() {
            self.connection.follow(Some(&self.used))?;
        }
        if self.is_here() { Ok(()) } else { self.enter() }
    }

    /// The connection went on in another cassette: what was prepared is prepared there.
    fn goes_on(&self) -> Result<(), Outcome> {
        let mut state = self.state.lock();
        (state.run, state.run_is_parents, state.on_row, state.open) = (None, false, false, false);
        (state.id, state.columns, state.habits) = (None, None, None);
        state.nulls.forget();
        state.reading.forget();
        self.connection.moves.followed(&self.used);
        self.process.store(process::id(), Ordering::Relaxed);
        let Some(fields) = state.prepared.clone() else { return Ok(()) };
        let id = self.new_text(&mut state, Method::Prepare, &fields);
        self.command(&mut state, id, Method::Prepare, fields).map(drop)
    }

    /// In a forked child: goes on in the child's part. The row at hand stays, what comes after it is in the part.
    #[cold]
    fn enter(&self) -> Result<(), Outcome> {
        self.connection.enter()?;
        if !self.used.is_at(&self.connection.moves) {
            return self.goes_on();
        }
        let mut state = self.state.lock();
        state.run_is_parents = state.run.is_some();
        (state.columns, state.habits) = (None, None);
        self.process.store(process::id(), Ordering::Relaxed);
        Ok(())
    }

    /// Plays a command of this statement.
    pub(super) fn command(&self, state: &mut State, id: u32, method: Method, fields: Fields) -> Result<Entry, Outcome> {
        (state.run, state.run_is_parents) = (None, false);
        state.on_row = false;
        state.columns = None;
        state.habits = None;
        state.nulls.forget();
        state.reading.forget();
        let asked = Entry { method, connection: self.connection.id(), statement: Some(id), fields };
        self.connection.player().command(&asked).map_err(mismatch)
    }

    /// What an entry that the statement was given says of the program's arrays has to fit them.
    ///
    /// # Errors
    /// More rows, more states or a larger count than the program asked for.
    pub(super) fn within(&self, id: u32, room: usize, entry: &Entry) -> Result<(), Outcome> {
        check::within(room, |key| entry.get(key)).map_err(|wrong| {
            mismatch(self.connection.player().refuse(self.connection.id(), Some(id), entry.method, wrong))
        })
    }

    /// As [`Connection::damaged`].
    pub(super) fn damaged(&self, error: CassetteError) -> Outcome {
        self.connection.damaged(None, error)
    }

    /// What was noted of this statement under a key, beside its commands.
    pub(super) fn noted(&self, id: u32, key: &[(Key, Value)]) -> Result<Option<Entry>, Outcome> {
        let keys = [Fields::from(key.to_vec())];
        let found = self.connection.player().answer(self.connection.id(), Some(id), Method::Answer, &keys, &keys);
        found.map_err(|error| self.damaged(error))
    }

    fn more_results(&self) -> Outcome {
        let mut state = self.state.lock();
        let Some(id) = state.id else { return Outcome::of(rc::NO_DATA) };
        match self.command(&mut state, id, Method::MoreResults, Fields::new()) {
            Ok(recorded) => {
                let told = outcome(|key| recorded.get(key));
                let another = recorded.get(Key::Result) == Some(&Value::Bool(true));
                let available = told.rc == rc::PARAM_DATA_AVAILABLE;
                state.open |= another || available;
                state.streams.set_available(available);
                let added = state.sent.write(recorded.get(Key::Output), recorded.get(Key::CTypes));
                let told = joined(told, added);
                match told.rc {
                    rc::SUCCESS if !another => Outcome { rc: rc::NO_DATA, ..told },
                    _ => told,
                }
            }
            Err(failure) => failure,
        }
    }

    pub(super) fn local(&self, function: Function, call: &Call<'_>) -> Outcome {
        let told = self.connection.local(function, || local_key(function, None, call));
        if rc::succeeded(told.rc) {
            if let Call::BindColumn { binding, .. } = call
                && !binding.target.is_null()
                && self.connection.player().tells_of(function.name())
            {
                match self.connection.unusual(&length_at_binding_key()) {
                    Ok(Some(said)) => {
                        let length = said.get(Key::Result).and_then(Value::as_int);
                        length.into_iter().for_each(|length| binding.length.set_len(length as isize));
                    }
                    Ok(None) => {}
                    Err(failure) => return failure,
                }
            }
            let mut state = self.state.lock();
            if matches!(call, Call::BindParameter { .. } | Call::FreeStmt { .. }) {
                state.sent = Outputs::default();
            }
            state.application.apply(call);
            if matches!(call, Call::SetStmtAttr { attribute: attribute::ASYNC_ENABLE, value } if !value.is_null()) {
                self.asynchronous.store(true, Ordering::Relaxed);
            }
        }
        told
    }

    /// A replay that failed says so once on a statement to calls that programs loop on, and then that there is nothing more: isql and
    /// others loop until they are told that.
    #[cold]
    fn ends(&self, function: Function, told: Outcome) -> Outcome {
        use Function::{SQLExtendedFetch, SQLFetch, SQLFetchScroll, SQLGetData, SQLMoreResults, SQLParamData};
        let loops = matches!(
            function,
            SQLFetch | SQLFetchScroll | SQLExtendedFetch | SQLMoreResults | SQLGetData | SQLParamData
        );
        match loops && self.connection.player().failed() && self.gave_up.swap(true, Ordering::Relaxed) {
            true => Outcome::of(rc::NO_DATA),
            false => told,
        }
    }

    fn serve_call(&self, function: Function, call: &Call<'_>) -> Outcome {
        const CLOSE: u16 = odbc_sys::FreeStmtOption::Close as u16;
        if let Call::Run { sql } | Call::Prepare { sql } = call
            && let Err(refused) = self.connection.first_text(sql)
        {
            return refused;
        }
        match call {
            Call::Run { sql } => self.run(sql),
            Call::Prepare { sql } => self.prepare(sql),
            Call::Execute => self.execute(),
            Call::Catalog { arguments } => self.catalog(function, arguments),
            Call::MoreResults => self.more_results(),
            Call::Fetch | Call::FetchScroll { .. } | Call::ExtendedFetch { .. } => {
                let next = {
                    let mut state = self.state.lock();
                    state.application.refresh();
                    state.extended = extended_states(call);
                    Fetching::of(call, &state.application)
                };
                if let Some(next) = next {
                    return self.fetch(function, next);
                }
                let scrolling = Scrolling::of(call, &self.state.lock().application);
                let told = scrolling.map_or_else(|| not_yet(function.name()), |scrolling| self.scroll(scrolling));
                self.connection.may_be_finished();
                told
            }
            Call::GetData { column, binding } => self.read_cell(*column, binding),
            Call::CloseCursor | Call::FreeStmt { option: CLOSE } => self.close(function),
            Call::ParamData { token } => self.param_data(*token),
            Call::PutData { data, length } => self.put_data(*data, *length),
            Call::Cancel => self.cancel(function),
            local_calls!() => self.local(function, call),
            Call::Ask(question) => self.question(function, question),
            Call::SetPos { .. } | Call::BulkOperations { .. } => self.positioned(call),
            Call::SetDescField { .. }
            | Call::SetDescRec { .. }
            | Call::CopyDescriptor { .. }
            | Call::FreeDescriptor
            | Call::Allocate { .. }
            | Call::SetConnectAttr { .. }
            | Call::EndTran { .. }
            | Call::Disconnect
            | Call::Functions { .. } => not_yet(function.name()),
        }
    }
}

impl StatementMode for Statement {
    fn serve(&self, function: Function, call: &Call<'_>, _: &dyn DriverCall) -> Outcome {
        // What only lets go of something from another cassette, or from the parent of a child, plays nothing.
        let is_forked = self.process.load(Ordering::Relaxed) != process::id();
        if !self.is_here() && lets_go(call, is_forked) {
            return Outcome::SUCCESS;
        }
        if self.connection.probe.begins(call, &self.probes) {
            return probe::passed(function, call);
        }
        if let Err(failure) = self.arrive(call) {
            return failure;
        }
        let polled = match self.is_asynchronous() {
            true => self.still_executing(function, call),
            false => None,
        };
        let told = polled.unwrap_or_else(|| self.serve_call(function, call));
        self.connection.moves.done(&self.used, function, call, &told);
        // a fetch knows whether its row was the last one
        let fetches = matches!(call, Call::Fetch | Call::FetchScroll { .. } | Call::ExtendedFetch { .. });
        if function.row().class == Class::Command && !fetches {
            self.connection.may_be_finished();
        }
        let told = if told.rc == rc::ERROR { self.ends(function, told) } else { told };
        self.connection.secrecy.restored(told)
    }

    fn get_data(&self, column: u16, binding: &Binding, driver_call: &dyn DriverCall) -> Outcome {
        if !self.is_here()
            && let Err(failure) = self.enter()
        {
            return failure;
        }
        if self.is_asynchronous() {
            return self.serve(Function::SQLGetData, &Call::GetData { column, binding: *binding }, driver_call);
        }
        let told = self.read_cell(column, binding);
        let told = if told.rc == rc::ERROR { self.ends(Function::SQLGetData, told) } else { told };
        self.connection.secrecy.restored(told)
    }

    fn serve_descriptor(
        &self,
        role: DescriptorRole,
        function: Function,
        call: &Call<'_>,
        _: &dyn DriverCall,
    ) -> Outcome {
        if !self.is_here()
            && let Err(failure) = self.enter()
        {
            return failure;
        }
        self.state.lock().application.refresh();
        let known = |record, field| {
            let state = self.state.lock();
            Known {
                address: state.application.descriptor_address(role, record, field),
                number: state.application.descriptor_number(role, record, field),
                set: state.application.descriptor_set(role, record, field),
            }
        };
        let apply = |unbinds| self.state.lock().application.apply_to_descriptor(role, call, unbinds);
        let told = self.connection.on_descriptor(i64::from(role.attribute()), function, call, known, apply);
        self.connection.secrecy.restored(told)
    }

    fn is_applications(&self) {
        self.connection.probe.passes();
    }

    fn content(&self, role: DescriptorRole) -> Content {
        let mut state = self.state.lock();
        state.application.refresh();
        state.application.content(role)
    }

    fn dropped(&self) {
        self.connection.moves.freed(&self.used);
        self.connection.statement_freed();
        if !self.is_here() {
            return;
        }
        let mut state = self.state.lock();
        state.run = None;
        if let Some(id) = state.id.take() {
            self.connection.player().housekeeping(&Entry::new(Method::Drop, self.connection.id(), Some(id)));
        }
        self.connection.may_be_finished();
    }
}
