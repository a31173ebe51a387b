//! A recorded statement: texts and executions as commands, questions as answers, the application's side as a model.

use super::column_metadata::Learned;
use super::connection::Connection;
use super::execution::Pending;
use super::known_types::KnownTypes;
use super::lent::Lent;
use super::nulls::NullCell;
use super::polled::After;
use super::questions::Known;
use super::reading::Reading;
use super::{perform, unwritable};
use crate::args::{Binding, Place, TextIn};
use crate::call::{Call, DriverCall, local_calls};
use crate::convert::CType;
use crate::descriptor::Content;
use crate::diagnostics::{Outcome, rc};
use crate::mode::application::{Application, attribute};
use crate::mode::descriptors::sets_row_counter;
use crate::mode::keys::{local_call, local_key};
use crate::mode::moving::{Use, gives_command, lets_go};
use crate::mode::outcome::push_outcome;
use crate::mode::outputs::{self, Outputs, Streams};
use crate::mode::polling::Polls;
use crate::mode::rowset::{Fetching, Scrolling, extended_states};
use crate::mode::{DescriptorRole, StatementMode, not_yet};
use crate::table::Function;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use super8_cassette::{CassetteError, Entry, Fields, Key, Method, PendingColumns, Run, Value, process};

/// A statement being recorded.
pub struct Statement {
    pub(super) connection: Arc<Connection>,
    pub(super) state: Mutex<State>,
    /// How often the statement text at hand was closed or cancelled.
    pub(super) endings: AtomicU32,
    /// How often the statement was executed, closed or otherwise commanded.
    pub(super) commands: AtomicU32,
    /// What is known of the columns of its result.
    pub(super) learned: Arc<Learned>,
    /// It is the driver manager's own, to probe the connection with.
    probes: AtomicBool,
    /// Whether its calls may say SQL_STILL_EXECUTING: once that was switched on, calls are counted for good.
    pub(super) asynchronous: AtomicBool,
    /// The process in which it is recorded.
    process: AtomicU32,
    /// What it does, where its connection may go on in another cassette.
    used: Use,
}

/// What is known of the statement between two calls. Never locked during a call to the driver.
#[derive(Default)]
pub(super) struct State {
    pub(super) application: Application,
    /// The id of the statement text at hand.
    pub(super) id: Option<u32>,
    /// The command that prepared the text.
    pub(super) prepared: Option<Fields>,
    /// The parameter markers of the prepared text.
    pub(super) markers: usize,
    /// How many pieces of data at execution were sent with the statement text at hand.
    pub(super) puts: u32,
    /// How many of its executions had parameters with data at execution.
    pub(super) executions: u32,
    /// Output parameters that the last execution left alone: the driver may write to them until the last result is read.
    pub(super) sent: Option<Outputs>,
    /// An execution that waits for data.
    pub(super) waiting: Option<Pending>,
    /// An operation on rows that waits for data.
    pub(super) positioned: Option<super::positioned::Pending>,
    /// Whether there may be a result to fetch from and to close.
    pub(super) open: bool,
    /// What was answered about this statement text.
    pub(super) known: Known,
    pub(super) run: Option<Run>,
    pub(super) told: KnownTypes,
    /// The next row is the result's first.
    pub(super) first: bool,
    /// The end of the result was reached (and recorded).
    pub(super) ended: bool,
    /// The run at hand is the rowset of a scroll.
    pub(super) scrolled: bool,
    /// Rows that the last fetch asked for, and those it got.
    pub(super) rowset: usize,
    pub(super) fetched: usize,
    /// Where SQLExtendedFetch put the row states, if that was the last fetch.
    pub(super) extended: Place,
    pub(super) reading: Reading,
    /// The C types of columns that are bound as SQL_C_DEFAULT, as the result at hand makes them.
    pub(super) defaults: Vec<(u16, CType)>,
    /// How many columns the result at hand has, once that was asked, and as it is noted of the statement text.
    pub(super) columns: Option<u16>,
    pub(super) beyond: Option<u16>,
    pub(super) scratch: Vec<u8>,
    /// Length variables that the driver is lent while it fetches.
    pub(super) lent: Lent,
    /// NULLs of the last fetch whose buffers tell something new.
    pub(super) nulls: Vec<NullCell>,
    /// Output parameters that are read in pieces.
    pub(super) streams: Streams,
    /// How often calls were polled, and which one is still executing.
    pub(super) polls: Polls,
    /// What has to be done once the call that is still executing is done.
    pub(super) after: Option<After>,
    /// The driver counts rows in a counter that super8 lent it: the application has set none.
    pub(super) counter_is_lent: bool,
}

impl Statement {
    /// A fresh statement on `connection`.
    pub fn new(connection: Arc<Connection>) -> Self {
        let (state, learned, endings) = (Mutex::default(), Arc::default(), AtomicU32::default());
        let (asynchronous, probes) = (AtomicBool::new(false), AtomicBool::new(false));
        let (commands, process) = (AtomicU32::default(), AtomicU32::new(process::id()));
        let used = connection.moves.statement();
        Statement { connection, state, learned, endings, commands, asynchronous, probes, process, used }
    }

    #[inline]
    fn is_here(&self) -> bool {
        self.process.load(Ordering::Relaxed) == process::id() && self.used.is_at(&self.connection.moves)
    }

    /// What is done before a call: a command may have its connection go on in another cassette, and the statement goes on where that
    /// is, in its own process.
    fn arrive(&self, call: &Call<'_>) -> Result<(), Outcome> {
        if gives_command(call) && self.connection.is_here() {
            let settle = || self.settle(&mut self.state.lock(), false);
            self.connection.follow(Some(&self.used), settle)?;
        }
        if self.is_here() { Ok(()) } else { self.enter() }
    }

    /// In a forked child: goes on in the child's part, in which nothing is known of the statement yet. Rows that were read are in
    /// the parent's. The same where the connection went on in another cassette: what was prepared is prepared there.
    #[cold]
    fn enter(&self) -> Result<(), Outcome> {
        self.connection.enter()?;
        if !self.used.is_at(&self.connection.moves) {
            return self.goes_on();
        }
        let mut state = self.state.lock();
        (state.run, state.ended, state.beyond) = (None, false, None);
        state.known.clear();
        state.id = state.id.map(|id| self.connection.inherited(id));
        if let Some(id) = state.id {
            self.learned.begin(self.connection.id(), id);
        }
        self.process.store(process::id(), Ordering::Relaxed);
        Ok(())
    }

    fn goes_on(&self) -> Result<(), Outcome> {
        let prepared = {
            let mut state = self.state.lock();
            (state.run, state.beyond, state.id) = (None, None, None);
            state.known.clear();
            self.reset_result(&mut state);
            self.learned.clear();
            state.prepared.clone()
        };
        self.connection.moves.followed(&self.used);
        self.process.store(process::id(), Ordering::Relaxed);
        let Some(fields) = prepared else { return Ok(()) };
        let id = self.new_text(&mut self.state.lock()).map_err(unwritable)?;
        let told = self.written_already(id, Method::Prepare, fields.clone(), Outcome::SUCCESS);
        self.state.lock().prepared = Some(fields);
        if told == Outcome::SUCCESS { Ok(()) } else { Err(told) }
    }

    /// Ends what the previous text or execution left open and writes what was learned of its columns.
    pub(super) fn settle(&self, state: &mut State, ended: bool) -> Result<(), CassetteError> {
        self.finish_row(state)?;
        if let Some(run) = state.run.take() {
            run.lock().end(ended)?;
        }
        self.write_columns()
    }

    /// Writes what was learned of the columns since the last time.
    pub(super) fn write_columns(&self) -> Result<(), CassetteError> {
        match self.learned.take() {
            Some((id, columns)) => self.connection.recorder().columns(self.connection.id(), id, &columns),
            None => Ok(()),
        }
    }

    /// Another text for this handle: another statement id, nothing known.
    pub(super) fn new_text(&self, state: &mut State) -> Result<u32, CassetteError> {
        self.settle(state, false)?;
        let id = self.connection.next_statement();
        (state.id, state.puts, state.executions, state.prepared) = (Some(id), 0, 0, None);
        self.endings.store(0, Ordering::Relaxed);
        self.learned.begin(self.connection.id(), id);
        state.known.clear();
        state.polls.another_text();
        state.beyond = None;
        self.reset_result(state);
        Ok(id)
    }

    pub(super) fn reset_result(&self, state: &mut State) {
        (state.first, state.ended, state.open) = (true, false, false);
        state.defaults.clear();
        state.columns = None;
        state.application.limit_columns(None);
        (state.scrolled, state.rowset, state.fetched) = (false, 1, 0);
        state.reading.forget();
    }

    /// Appends a command of this statement.
    pub(super) fn command(&self, id: u32, method: Method, mut fields: Fields, outcome: Outcome) -> Outcome {
        push_outcome(&mut fields, &outcome, &self.connection.secrecy);
        if method == Method::Prepare && rc::succeeded(outcome.rc) {
            self.state.lock().prepared = Some(fields.clone());
        }
        self.written_already(id, method, fields, outcome)
    }

    /// The same for fields that say already what came of it.
    pub(super) fn written_already(&self, id: u32, method: Method, fields: Fields, outcome: Outcome) -> Outcome {
        let entry = Entry { method, connection: self.connection.id(), statement: Some(id), fields };
        self.connection.usual.commanded();
        self.counts();
        self.connection.asks(&entry);
        self.connection.recorder().command(&entry).map_or_else(unwritable, |()| outcome)
    }

    /// Another command of the statement, a fetch, or its end: answers may be others from now on.
    fn counts(&self) {
        // Two threads that use one statement at once need no exact count.
        self.commands.store(self.commands.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }

    /// Notes that something was closed, where there is something.
    pub(super) fn note(&self, id: u32, method: Method) -> Result<(), CassetteError> {
        if method == Method::Close {
            self.counts();
        }
        self.connection
            .recorder()
            .note(&Entry::new(method, self.connection.id(), Some(id)).with(Key::Result, Value::Null))
    }

    pub(super) fn sql(&self, sql: &TextIn<'_>) -> Value {
        Value::Text(sql.read().unwrap_or_default())
    }

    fn more_results(&self, driver_call: &dyn DriverCall) -> Outcome {
        let id = {
            let mut state = self.state.lock();
            let prepared = self.settle(&mut state, false).and_then(|()| match state.id {
                Some(id) => self.connection.recorder().prepare(self.connection.id(), Some(id), 0),
                None => Ok(()),
            });
            if let Err(error) = prepared {
                return unwritable(error);
            }
            state.id
        };
        let watch = self.state.lock().sent.as_ref().map(Outputs::watch);
        self.then(driver_call, move |statement, outcome, _| statement.another_result(id, watch, outcome))
    }

    fn another_result(&self, id: Option<u32>, watch: Option<outputs::Watch>, outcome: Outcome) -> Outcome {
        let Some(id) = id else { return outcome };
        let another = rc::succeeded(outcome.rc);
        {
            let mut state = self.state.lock();
            if another {
                self.learned.clear();
                self.reset_result(&mut state);
                state.open = true;
            }
            state.streams.set_available(outcome.rc == rc::PARAM_DATA_AVAILABLE);
        }
        let result = if another { Value::Bool(true) } else { Value::Null };
        let mut fields = Fields::from([(Key::Result, result)]);
        if let (Some(outputs), Some(watch)) = (&mut self.state.lock().sent, watch) {
            fields.extend(outputs.harvest(watch, Key::Output));
        }
        // SQL_NO_DATA is what null says already.
        let told = Outcome {
            rc: if outcome.rc == rc::NO_DATA { rc::SUCCESS } else { outcome.rc },
            diagnostics: outcome.diagnostics.clone(),
        };
        push_outcome(&mut fields, &told, &self.connection.secrecy);
        self.written_already(id, Method::MoreResults, fields, outcome)
    }

    /// A call on the application's own side: recorded only where the driver disagrees.
    pub(super) fn local(&self, function: Function, call: &Call<'_>, driver_call: &dyn DriverCall) -> Outcome {
        let outcome = perform(driver_call);
        if rc::succeeded(outcome.rc) {
            self.take_in(call);
            if let Call::BindColumn { column, binding } = call
                && let Err(error) = self.note_binding(*column, binding, driver_call)
            {
                return unwritable(error);
            }
        }
        self.connection.note_local(local_call(function, None, call), || local_key(function, None, call), outcome)
    }

    /// Takes in a call on the application's side that succeeded.
    pub(super) fn take_in(&self, call: &Call<'_>) {
        let mut state = self.state.lock();
        if matches!(call, Call::BindParameter { .. } | Call::FreeStmt { .. }) {
            state.sent = None;
        }
        state.counter_is_lent &= !sets_row_counter(None, call);
        state.application.apply(call);
        if matches!(call, Call::SetStmtAttr { attribute: attribute::ASYNC_ENABLE, value } if !value.is_null()) {
            self.asynchronous.store(true, Ordering::Relaxed);
        }
    }

    /// What becomes of a call once the cassette cannot be written: what ends something is done and not recorded; what is the
    /// application's own side goes on; nothing else reaches the driver.
    fn after_failure(&self, call: &Call<'_>, driver_call: &dyn DriverCall) -> Option<Outcome> {
        const CLOSE: u16 = odbc_sys::FreeStmtOption::Close as u16;
        let error = self.connection.recorder().check().err()?;
        match call {
            Call::CloseCursor | Call::FreeStmt { option: CLOSE } | Call::Cancel => Some(perform(driver_call)),
            local_calls!() => None,
            _ => Some(unwritable(error)),
        }
    }

    pub(super) fn serve_call(&self, function: Function, call: &Call<'_>, driver_call: &dyn DriverCall) -> Outcome {
        const CLOSE: u16 = odbc_sys::FreeStmtOption::Close as u16;
        if let Call::Run { sql } | Call::Prepare { sql } = call
            && self.connection.recorder().check().is_ok()
            && let Err(refused) = self.connection.first_text(sql, || self.settle(&mut self.state.lock(), false))
        {
            return refused;
        }
        if let Some(outcome) = self.after_failure(call, driver_call) {
            return outcome;
        }
        match call {
            Call::Run { sql } => self.run(sql, driver_call),
            Call::Prepare { sql } => self.prepare(sql, driver_call),
            Call::Execute => self.execute_prepared(driver_call),
            Call::Catalog { arguments } => self.catalog(function, arguments, driver_call),
            Call::MoreResults => self.more_results(driver_call),
            Call::Fetch | Call::FetchScroll { .. } | Call::ExtendedFetch { .. } => {
                self.counts();
                let (next, scrolling, rebound) = {
                    let mut state = self.state.lock();
                    let state = &mut *state;
                    state.application.refresh();
                    state.extended = extended_states(call);
                    let (next, scrolling) = match Fetching::of(call, &state.application) {
                        Some(next) => (Some(next), None),
                        None => (None, Scrolling::of(call, &state.application)),
                    };
                    let size =
                        next.or(scrolling.as_ref().map(|scrolling| scrolling.fetching)).map_or(1, |next| next.size);
                    (next, scrolling, state.lent.prepare(&mut state.application, size, |_, _| false))
                };
                match (next, scrolling) {
                    (Some(next), _) => self.fetch(function, next, rebound, driver_call),
                    (None, Some(scrolling)) => self.scroll(function, scrolling, rebound, driver_call),
                    (None, None) => not_yet(function.name()),
                }
            }
            Call::GetData { column, binding } => self.read_cell(*column, binding, driver_call),
            Call::CloseCursor | Call::FreeStmt { option: CLOSE } => self.close(function, driver_call),
            Call::Cancel => self.cancel(function, driver_call),
            local_calls!() => self.local(function, call, driver_call),
            Call::Ask(question) => self.question(function, question, driver_call),
            Call::ParamData { token } => self.param_data(*token, driver_call),
            Call::PutData { data, length } => self.put_data(*data, *length, driver_call),
            Call::SetPos { .. } | Call::BulkOperations { .. } => self.positioned(call, driver_call),
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
    fn serve(&self, function: Function, call: &Call<'_>, driver_call: &dyn DriverCall) -> Outcome {
        // What only lets go of something from another cassette, or from the parent of a child, records nothing.
        let is_forked = self.process.load(Ordering::Relaxed) != process::id();
        if !self.is_here() && lets_go(call, is_forked) {
            return perform(driver_call);
        }
        if self.connection.probe.begins(call, &self.probes) {
            return perform(driver_call);
        }
        if let Err(failure) = self.arrive(call) {
            return failure;
        }
        let outcome = match self.is_asynchronous() {
            true => self.polled(function, call, driver_call),
            false => self.serve_call(function, call, driver_call),
        };
        self.connection.moves.done(&self.used, function, call, &outcome);
        outcome
    }

    fn get_data(&self, column: u16, binding: &Binding, driver_call: &dyn DriverCall) -> Outcome {
        match self.is_here() && !self.is_asynchronous() {
            true => self.read_cell(column, binding, driver_call),
            false => self.serve(Function::SQLGetData, &Call::GetData { column, binding: *binding }, driver_call),
        }
    }

    fn serve_descriptor(
        &self,
        role: DescriptorRole,
        function: Function,
        call: &Call<'_>,
        driver_call: &dyn DriverCall,
    ) -> Outcome {
        if !self.is_here()
            && let Err(failure) = self.enter()
        {
            return failure;
        }
        let before = {
            let mut state = self.state.lock();
            state.application.refresh();
            match state.application.content(role) {
                Content::Application(content) => Some(content),
                _ => None,
            }
        };
        let name = i64::from(role.attribute());
        let set = |record, field| self.state.lock().application.descriptor_set(role, record, field);
        let told =
            self.connection.on_descriptor(name, function, call, driver_call, (before.as_ref(), &set), |unbinds| {
                let mut state = self.state.lock();
                state.counter_is_lent &= !sets_row_counter(Some(role), call);
                state.application.apply_to_descriptor(role, call, unbinds);
            });
        if let Call::Ask(question) = call
            && rc::succeeded(told.rc)
        {
            let state = self.state.lock();
            question.answer_address(|record, field| state.application.descriptor_address(role, record, field));
        }
        told
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
        if !self.is_here() {
            return;
        }
        let mut state = self.state.lock();
        let settled = self.settle(&mut state, false);
        let noted = state.id.take().map_or(Ok(()), |id| self.note(id, Method::Drop));
        if let Err(error) = settled.and(noted) {
            crate::cassettes::unwritable(&error, true);
        }
    }
}
