//! A replayed statement: what it is asked to do is compared with the recording, what it is asked is answered from it.

use super::connection::Connection;
use super::descriptor::Known;
use super::mismatch;
use super::reading::Reading;
use crate::args::{Place, TextIn};
use crate::call::{Call, Deed, local_calls};
use crate::convert::CType;
use crate::descriptor::Content;
use crate::diagnostics::{Outcome, rc};
use crate::mode::application::{Application, attribute};
use crate::mode::at_execution::AtExecution;
use crate::mode::fetching::Fetching;
use crate::mode::markers;
use crate::mode::outputs::{Outputs, joined};
use crate::mode::record::{Parameters, at_once_key, local_key, need_data_key, not_yet, put_data_key};
use crate::mode::scrolling::Scrolling;
use crate::mode::words::{input_value, outcome};
use crate::mode::{DescriptorRole, StatementMode, probe};
use crate::table::Function;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use super8_cassette::{Entry, Method, PlayedRun, Value};

/// A statement being replayed.
pub struct Statement {
    pub(super) connection: Arc<Connection>,
    pub(super) state: Mutex<State>,
    /// It is the driver manager's own, to probe the connection with.
    probes: AtomicBool,
}

/// An execution that is played once its data has come.
struct Waiting {
    method: Method,
    fields: Vec<(String, Value)>,
    data: AtExecution,
    /// How often SQLParamData asked for more.
    steps: u32,
}

/// What is known of the statement between two calls.
#[derive(Default)]
pub(super) struct State {
    pub(super) application: Application,
    /// The id of the statement text at hand.
    pub(super) id: Option<u32>,
    pub(super) markers: usize,
    /// How many pieces of data at execution were sent with the statement text at hand.
    puts: u32,
    /// How many of its executions had parameters with data at execution.
    executions: u32,
    /// An execution that waits for data.
    waiting: Option<Waiting>,
    /// An operation on rows that waits for data.
    pub(super) positioned: Option<super::positioned::Pending>,
    /// Output parameters that the last execution left alone.
    sent: Outputs,
    /// Whether there may be a result to close.
    open: bool,
    /// The run rows come from.
    pub(super) run: Option<PlayedRun>,
    /// Whether a row is at hand for SQLGetData.
    pub(super) on_row: bool,
    /// Rows that the last fetch asked for, and those it got.
    pub(super) rowset: usize,
    pub(super) fetched: usize,
    pub(super) reading: Reading,
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
        Statement { connection, state: Mutex::default(), probes: AtomicBool::new(false) }
    }

    fn sql(&self, sql: &TextIn<'_>) -> Value {
        Value::Text(self.connection.secrecy.sql(&sql.read().unwrap_or_default()))
    }

    /// Plays a command of this statement.
    pub(super) fn command(
        &self,
        state: &mut State,
        id: u32,
        method: Method,
        fields: Vec<(String, Value)>,
    ) -> Result<Entry, Outcome> {
        state.run = None;
        state.on_row = false;
        state.reading.forget();
        let asked = Entry { method, connection: self.connection.id(), statement: Some(id), fields };
        self.connection.player().command(&asked).map_err(mismatch)
    }

    /// Another text for this handle: another statement id, as when it was recorded.
    fn new_text(&self, state: &mut State) -> u32 {
        let id = self.connection.next_statement();
        (state.id, state.puts, state.executions) = (Some(id), 0, 0);
        id
    }

    fn execution(
        &self,
        state: &mut State,
        id: u32,
        method: Method,
        fields: Vec<(String, Value)>,
        parameters: Parameters,
    ) -> Outcome {
        let asks = match parameters.waiting.is_empty() {
            true => false,
            false => match self.asks_for_data(state) {
                Ok(asks) => asks,
                Err(failure) => return failure,
            },
        };
        if asks {
            let mut data = AtExecution::new(parameters);
            let told = self.asked_for_data(state, 0, &mut data);
            state.waiting = Some(Waiting { method, fields, data, steps: 0 });
            return told;
        }
        self.executed(state, id, method, fields, parameters)
    }

    /// SQL_NEED_DATA, with the counter of processed sets as it stood then.
    fn asked_for_data(&self, state: &State, step: u32, data: &mut AtExecution) -> Outcome {
        let key = need_data_key(self.connection.id(), state.id, state.executions, step);
        match self.connection.informed(&key) {
            Ok(fact) => {
                data.parameters().replay_outcome(fact.as_ref().and_then(|fact| fact.get("result")), None);
                Outcome::of(rc::NEED_DATA)
            }
            Err(failure) => failure,
        }
    }

    /// Whether the recorded execution asked for the data that was to come; one that failed at once did not.
    fn asks_for_data(&self, state: &mut State) -> Result<bool, Outcome> {
        state.executions += 1;
        let key = at_once_key(self.connection.id(), state.id, state.executions);
        Ok(self.connection.informed(&key)?.is_none())
    }

    /// SQLParamData: asks for the next value, or plays the command once all have come.
    fn param_data(&self, token: Place) -> Outcome {
        if let Some(outcome) = self.positioned_data(token) {
            return outcome;
        }
        let mut state = self.state.lock();
        let (Some(id), Some(Waiting { data, .. })) = (state.id, &mut state.waiting) else {
            return Outcome::error("HY010", "no execution is waiting for data");
        };
        data.finish_value();
        let next = data.ask_next();
        let Some(Waiting { method, fields, mut data, steps }) = state.waiting.take() else {
            return Outcome::of(rc::ERROR);
        };
        if let Some(next) = next {
            token.set_pointer(next);
            let told = self.asked_for_data(&state, steps + 1, &mut data);
            state.waiting = Some(Waiting { method, fields, data, steps: steps + 1 });
            return told;
        }
        self.executed(&mut state, id, method, fields, data.into_parameters())
    }

    fn put_data(&self, data: Place, length: isize) -> Outcome {
        let mut state = self.state.lock();
        state.puts += 1;
        let key = put_data_key(self.connection.id(), state.id, state.puts);
        let told = match self.connection.informed(&key) {
            Ok(Some(answer)) => outcome(|key| answer.get(key)),
            Ok(None) => Outcome::SUCCESS,
            Err(failure) => failure,
        };
        if !rc::succeeded(told.rc) {
            (state.waiting, state.positioned) = (None, None);
            return told;
        }
        let State { waiting, positioned, .. } = &mut *state;
        let waiting = waiting.as_mut().map(|waiting| &mut waiting.data);
        let waiting = waiting.or(positioned.as_mut().map(|waiting| &mut waiting.data));
        match waiting.is_some_and(|waiting| waiting.put(data, length)) {
            true => told,
            false => Outcome::error("HY010", "no value is being asked for, or its length makes no sense"),
        }
    }

    fn executed(
        &self,
        state: &mut State,
        id: u32,
        method: Method,
        mut fields: Vec<(String, Value)>,
        mut parameters: Parameters,
    ) -> Outcome {
        parameters.describe(&mut fields, &state.application);
        match self.command(state, id, method, fields) {
            Ok(recorded) => {
                parameters.replay_outcome(recorded.get("params_processed"), recorded.get("param_status"));
                let told = outcome(|key| recorded.get(key));
                state.open = rc::succeeded(told.rc);
                let added = parameters.outputs.write(recorded.get("result"), recorded.get("c_types"));
                state.sent = parameters.outputs;
                joined(told, added)
            }
            Err(failure) => failure,
        }
    }

    fn run(&self, sql: &TextIn<'_>) -> Outcome {
        let mut state = self.state.lock();
        state.application.refresh();
        let parameters = Parameters::of_text(&state.application, &sql.read().unwrap_or_default());
        let id = self.new_text(&mut state);
        self.execution(&mut state, id, Method::Run, vec![("sql".to_owned(), self.sql(sql))], parameters)
    }

    fn prepare(&self, sql: &TextIn<'_>) -> Outcome {
        let mut state = self.state.lock();
        state.markers = markers::count(&sql.read().unwrap_or_default());
        let id = self.new_text(&mut state);
        match self.command(&mut state, id, Method::Prepare, vec![("sql".to_owned(), self.sql(sql))]) {
            Ok(recorded) => outcome(|key| recorded.get(key)),
            Err(failure) => failure,
        }
    }

    fn execute(&self) -> Outcome {
        let mut state = self.state.lock();
        let Some(id) = state.id else { return Outcome::error("HY010", "the statement was not prepared") };
        state.application.refresh();
        let parameters = Parameters::of(&state.application, state.markers);
        self.execution(&mut state, id, Method::Execute, Vec::new(), parameters)
    }

    fn catalog(&self, function: Function, call: &Call<'_>) -> Outcome {
        let Call::Catalog { arguments } = call else { return not_yet(function.name()) };
        let arguments = arguments
            .iter()
            .map(|(name, value)| ((*name).to_owned(), input_value(value, &self.connection.secrecy)))
            .collect();
        let fields = vec![
            ("function".to_owned(), Value::from(function.name())),
            ("arguments".to_owned(), Value::Map(arguments)),
        ];
        let mut state = self.state.lock();
        let id = self.new_text(&mut state);
        self.execution(&mut state, id, Method::Catalog, fields, Parameters::none())
    }

    fn more_results(&self) -> Outcome {
        let mut state = self.state.lock();
        let Some(id) = state.id else { return Outcome::of(rc::NO_DATA) };
        match self.command(&mut state, id, Method::MoreResults, Vec::new()) {
            Ok(recorded) => {
                let told = outcome(|key| recorded.get(key));
                let another = recorded.get("result") == Some(&Value::Bool(true));
                state.open |= another;
                let added = state.sent.write(recorded.get("output"), recorded.get("c_types"));
                let told = joined(told, added);
                match told.rc {
                    rc::SUCCESS if !another => Outcome { rc: rc::NO_DATA, ..told },
                    _ => told,
                }
            }
            Err(failure) => failure,
        }
    }

    fn close(&self) -> Outcome {
        let mut state = self.state.lock();
        state.run = None;
        state.on_row = false;
        state.reading.forget();
        if let (Some(id), true) = (state.id, std::mem::take(&mut state.open)) {
            self.connection.player().housekeeping(&Entry::new(Method::Close, self.connection.id(), Some(id)));
        }
        Outcome::SUCCESS
    }

    fn local(&self, function: Function, call: &Call<'_>) -> Outcome {
        let told = self.connection.local(function, local_key(call));
        if rc::succeeded(told.rc) {
            let mut state = self.state.lock();
            if matches!(call, Call::BindParameter { .. } | Call::FreeStmt { .. }) {
                state.sent = Outputs::default();
            }
            state.application.apply(call);
        }
        told
    }
}

impl Statement {
    fn serve_call(&self, function: Function, call: &Call<'_>) -> Outcome {
        const CLOSE: u16 = odbc_sys::FreeStmtOption::Close as u16;
        if self.connection.probe.begins(call, &self.probes) {
            return probe::passed(function, call);
        }
        if let Call::Run { sql } | Call::Prepare { sql } = call
            && let Err(refused) = self.connection.first_text(sql)
        {
            return refused;
        }
        match call {
            Call::Run { sql } => self.run(sql),
            Call::Prepare { sql } => self.prepare(sql),
            Call::Execute => self.execute(),
            Call::Catalog { .. } => self.catalog(function, call),
            Call::MoreResults => self.more_results(),
            Call::Fetch | Call::FetchScroll { .. } | Call::ExtendedFetch { .. } => {
                let next = {
                    let mut state = self.state.lock();
                    state.application.refresh();
                    Fetching::of(call, &state.application)
                };
                if let Some(next) = next {
                    return self.fetch(function, next);
                }
                let scrolling = Scrolling::of(call, &self.state.lock().application);
                scrolling.map_or_else(|| not_yet(function.name()), |scrolling| self.scroll(scrolling))
            }
            Call::GetData { column, binding } => self.get_data(*column, binding),
            Call::CloseCursor | Call::FreeStmt { option: CLOSE } => self.close(),
            Call::ParamData { token } => self.param_data(*token),
            Call::PutData { data, length } => self.put_data(*data, *length),
            Call::Cancel => {
                let mut state = self.state.lock();
                (state.waiting, state.positioned) = (None, None);
                Outcome::SUCCESS
            }
            Call::SetStmtAttr { attribute: attribute::ASYNC_ENABLE, value } if !value.is_null() => {
                not_yet("asynchronous execution")
            }
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
    fn serve(&self, function: Function, call: &Call<'_>, _: &dyn Deed) -> Outcome {
        self.connection.secrecy.restored(self.serve_call(function, call))
    }

    fn serve_descriptor(&self, role: DescriptorRole, function: Function, call: &Call<'_>, _: &dyn Deed) -> Outcome {
        self.state.lock().application.refresh();
        let known = |record, field| {
            let state = self.state.lock();
            Known {
                address: state.application.descriptor_address(role, record, field),
                number: state.application.descriptor_number(role, record, field),
            }
        };
        let apply = |unbinds| self.state.lock().application.apply_to_descriptor(role, call, unbinds);
        let told = self.connection.on_descriptor(i64::from(role.attribute()), function, call, known, apply);
        self.connection.secrecy.restored(told)
    }

    fn is_programs(&self) {
        self.connection.probe.passes();
    }

    fn content(&self, role: DescriptorRole) -> Content {
        let mut state = self.state.lock();
        state.application.refresh();
        state.application.content(role)
    }

    fn dropped(&self) {
        self.connection.statement_freed();
        let mut state = self.state.lock();
        state.run = None;
        if let Some(id) = state.id.take() {
            self.connection.player().housekeeping(&Entry::new(Method::Drop, self.connection.id(), Some(id)));
        }
    }
}
