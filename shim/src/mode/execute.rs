//! Texts and executions: SQLExecDirect, SQLPrepare, SQLExecute and the catalog functions, with data at execution and
//! the streamed output parameters that SQLParamData hands out.

use crate::args::{Binding, In, Place, TextIn, Watched};
use crate::call::DriverCall;
use crate::convert::param::LeftOut;
use crate::diagnostics::{Outcome, rc};
use crate::mode::application::attribute;
use crate::mode::connection::ANSI_APP;
use crate::mode::keys::{CallKey, at_once_key, left_out_key, need_data_key, put_data_key, token_key};
use crate::mode::operation::WaitingOperation;
use crate::mode::outcome::{catalog_fields, recorded_outcome};
use crate::mode::outputs::{Streams, joined};
use crate::mode::parameters::{AtExecution, Parameters, WaitingExecution, WatchedParameters, count_markers};
use crate::mode::record::{Recorded, perform, unwritable};
use crate::mode::replay::Replayed;
use crate::mode::rowset::Arrays;
use crate::mode::statement::{State, Statement};
use crate::table::Function;
use super8_cassette::{CassetteError, Entry, Fields, Key, Method, Value, check};

/// The execution or operation that waits for data while the driver serves SQLParamData, and the watched counter and
/// states of its sets.
struct Suspended {
    waiting: Option<WaitingExecution>,
    positioned: Option<WaitingOperation>,
    watched: Option<WatchedParameters>,
}

impl Watched for Suspended {
    fn give_up(self) {
        self.positioned.map(|pending| pending.watched).give_up();
        self.watched.give_up();
    }
}

impl Statement<Recorded> {
    pub(super) fn run(&self, sql: &TextIn<'_>, driver_call: &dyn DriverCall) -> Outcome {
        let sql = sql.read().unwrap_or_default();
        let (id, parameters) = {
            let mut state = self.state.lock();
            state.application.refresh();
            let parameters = Parameters::of_text(&state.application, &sql);
            (self.new_text(&mut state), parameters)
        };
        match id {
            Ok(id) => self.execute(Method::Run, id, Fields::from([(Key::Sql, sql.into())]), parameters, driver_call),
            Err(error) => unwritable(error),
        }
    }

    pub(super) fn prepare(&self, sql: &TextIn<'_>, driver_call: &dyn DriverCall) -> Outcome {
        let sql = sql.read().unwrap_or_default();
        let id = {
            let mut state = self.state.lock();
            state.markers = count_markers(&sql);
            self.new_text(&mut state)
        };
        let fields = Fields::from([(Key::Sql, sql.into())]);
        let inputs = fields.iter().map(|(_, value)| value.bytes()).sum();
        let prepared = id.and_then(|id| {
            self.connection.recorder().fits(inputs, || self.asked(Method::Prepare, id, &fields, None))?;
            self.connection.recorder().prepare(self.connection.id(), Some(id), inputs)?;
            Ok(id)
        });
        match prepared {
            Ok(id) => self.then(driver_call, (), move |statement, (), outcome, _| {
                statement.command(id, Method::Prepare, fields, outcome)
            }),
            Err(error) => unwritable(error),
        }
    }

    pub(super) fn execute_prepared(&self, driver_call: &dyn DriverCall) -> Outcome {
        let (id, parameters) = {
            let mut state = self.state.lock();
            let Some(id) = state.id else {
                drop(state);
                return perform(driver_call);
            };
            state.application.refresh();
            let parameters = Parameters::of(&state.application, state.markers);
            if let Err(error) = self.finish_result(&mut state, false) {
                return unwritable(error);
            }
            self.reset_result(&mut state);
            (id, parameters)
        };
        self.execute(Method::Execute, id, Fields::new(), parameters, driver_call)
    }

    pub(super) fn catalog(
        &self,
        function: Function,
        arguments: &[(&'static str, In<'_>)],
        driver_call: &dyn DriverCall,
    ) -> Outcome {
        let fields = catalog_fields(function, arguments);
        let id = self.new_text(&mut self.state.lock());
        match id {
            Ok(id) => self.execute(Method::Catalog, id, fields, Parameters::none(), driver_call),
            Err(error) => unwritable(error),
        }
    }

    /// Executes a text or a prepared statement and records it, either at once or when its data at execution has come.
    fn execute(
        &self,
        method: Method,
        id: u32,
        fields: Fields,
        mut parameters: Parameters,
        driver_call: &dyn DriverCall,
    ) -> Outcome {
        let (recorder, inputs) =
            (self.connection.recorder(), fields.iter().map(|(_, value)| value.bytes()).sum::<usize>());
        let sets = parameters.in_entry();
        let sent = inputs + sets.iter().map(Value::bytes).sum::<usize>();
        let prepared = recorder
            .fits(sent, || self.asked(method, id, &fields, Some(sets)))
            .and_then(|()| recorder.prepare(self.connection.id(), Some(id), inputs + parameters.bytes()))
            .and_then(|()| parameters.leave_out(|part| self.note_left_out(part, driver_call)));
        if let Err(error) = prepared {
            return unwritable(error);
        }
        self.state.lock().streams = Streams::new(std::mem::take(&mut parameters.streamed));
        let watched = parameters.watch();
        self.then(driver_call, watched, move |statement, watched, outcome, _| {
            let written = parameters.written(watched);
            if outcome.rc == rc::NEED_DATA {
                let execution = {
                    let mut state = statement.state.lock();
                    state.executions += 1;
                    state.waiting =
                        Some(WaitingExecution { method, id, fields, data: AtExecution::new(parameters), steps: 0 });
                    state.executions
                };
                return statement.asked_for_data(id, execution, 0, &written).map_or_else(unwritable, |()| outcome);
            }
            if !parameters.waiting.is_empty()
                && let Err(error) = statement.asked_for_nothing(id)
            {
                return unwritable(error);
            }
            statement.executed(method, id, fields, parameters, written, outcome)
        })
    }

    /// Returns the entry of a command as far as it is known before the driver executes it.
    fn asked(&self, method: Method, id: u32, fields: &Fields, sets: Option<&[Value]>) -> Entry {
        let sets = sets.map(|sets| (Key::Params, Value::List(sets.to_vec())));
        Entry {
            fields: fields.iter().cloned().chain(sets).collect(),
            ..Entry::new(method, self.connection.id(), Some(id))
        }
    }

    /// Notes what the driver wrote to the counter of processed sets and to their states before it asked for data.
    fn asked_for_data(&self, id: u32, execution: u32, step: u32, written: &Fields) -> Result<(), CassetteError> {
        let said = |key: Key| written.get(key).cloned();
        let (processed, status) = (said(Key::ParamsProcessed), said(Key::ParamStatus));
        if processed.is_none() && status.is_none() {
            return Ok(());
        }
        let mut fact = need_data_key(self.connection.id(), Some(id), execution, step);
        fact.push((Key::Result, processed.into()));
        fact.extend(status.map(|status| (Key::ParamStatus, status)));
        self.connection.recorder().info(self.connection.id(), fact)
    }

    /// Whether the driver does not read this part of a structure; if so, it is noted.
    pub(super) fn note_left_out(&self, part: LeftOut, driver_call: &dyn DriverCall) -> Result<bool, CassetteError> {
        let left_out = part.by(&driver_call.library());
        if left_out {
            let (call, said) = (CallKey::of([u64::MAX - 3, part as u64]), Fields::from([(Key::Result, true.into())]));
            self.connection.note_outcome(call, || left_out_key(part), Some(said))?;
        }
        Ok(left_out)
    }

    /// Notes that a driver returns the token that was bound, although the set has a token of its own.
    pub(super) fn note_token(&self, as_bound: Option<bool>) -> Result<(), CassetteError> {
        let Some(as_bound) = as_bound else { return Ok(()) };
        let said = as_bound.then(|| Fields::from([(Key::Result, true.into())]));
        self.connection.note_outcome(CallKey::of([Function::SQLParamData as u64]), token_key, said)
    }

    /// Notes that the driver ended an execution without asking for its data at execution.
    fn asked_for_nothing(&self, id: u32) -> Result<(), CassetteError> {
        let execution = {
            let mut state = self.state.lock();
            state.executions += 1;
            state.executions
        };
        let fact = at_once_key(self.connection.id(), Some(id), execution);
        self.connection.recorder().info(self.connection.id(), fact)
    }

    fn executed(
        &self,
        method: Method,
        id: u32,
        mut fields: Fields,
        mut parameters: Parameters,
        written: Fields,
        outcome: Outcome,
    ) -> Outcome {
        {
            let mut state = self.state.lock();
            parameters.describe(&mut fields, &state.application);
            let available = outcome.rc == rc::PARAM_DATA_AVAILABLE;
            state.open = (rc::succeeded(outcome.rc) || available) && method != Method::Prepare;
            state.streams.set_available(available);
            state.sent = parameters.outputs;
        }
        fields.extend(written);
        self.command(id, method, fields, outcome)
    }

    /// Serves SQLParamData: the current value is complete, and the driver asks for the next one or executes.
    pub(super) fn param_data(&self, token: Place, driver_call: &dyn DriverCall) -> Outcome {
        if self.state.lock().streams.available() {
            return self.next_stream(token, driver_call);
        }
        // An SQLCancel that comes during the call must not see these: what the driver does now has to be recorded.
        let (id, mut waiting, positioned) = {
            let mut state = self.state.lock();
            (state.id, state.waiting.take(), state.positioned.take())
        };
        let inputs = waiting.as_mut().map_or(0, |pending| pending.data.parameters().bytes());
        if let Some(id) = id
            && let Err(error) = self.connection.recorder().prepare(self.connection.id(), Some(id), inputs)
        {
            if let Some(pending) = positioned {
                pending.watched.give_up();
            }
            return unwritable(error);
        }
        let watched = waiting.as_ref().map(|pending| pending.data.watch_on());
        let taken = Suspended { waiting, positioned, watched };
        self.then(driver_call, taken, move |statement, taken, outcome, _| statement.data_taken(token, taken, outcome))
    }

    fn data_taken(&self, token: Place, taken: Suspended, outcome: Outcome) -> Outcome {
        let Suspended { waiting, positioned, watched } = taken;
        if let Some(pending) = positioned {
            return self.positioned_data(pending, outcome, token);
        }
        let (Some(mut pending), Some(watched)) = (waiting, watched) else { return outcome };
        pending.data.finish_value();
        let written = pending.data.parameters().written(watched);
        if outcome.rc == rc::NEED_DATA {
            if let Err(error) = self.note_token(pending.data.asked_for(token.pointer_at())) {
                return unwritable(error);
            }
            pending.steps += 1;
            let (id, step) = (pending.id, pending.steps);
            let execution = {
                let mut state = self.state.lock();
                state.waiting = Some(pending);
                state.executions
            };
            return self.asked_for_data(id, execution, step, &written).map_or_else(unwritable, |()| outcome);
        }
        let WaitingExecution { method, id, fields, data, .. } = pending;
        let outcome = self.executed(method, id, fields, data.into_parameters(), written, outcome);
        match outcome.rc {
            // The same call hands out the first streamed parameter.
            rc::PARAM_DATA_AVAILABLE => self.handed_out(token, None, outcome),
            _ => outcome,
        }
    }

    pub(super) fn put_data(&self, data: Place, length: isize, driver_call: &dyn DriverCall) -> Outcome {
        let outcome = perform(driver_call);
        if outcome.rc == rc::STILL_EXECUTING {
            return outcome;
        }
        let key = {
            let mut state = self.state.lock();
            state.puts += 1;
            match (&mut state.positioned, rc::succeeded(outcome.rc)) {
                (Some(pending), true) => drop(pending.data.put(data, length)),
                (pending, false) => {
                    if let Some(pending) = pending.take() {
                        pending.watched.give_up();
                    }
                }
                (None, true) => {}
            }
            match (&mut state.waiting, rc::succeeded(outcome.rc)) {
                (Some(pending), true) => drop(pending.data.put(data, length)),
                // The driver gave up the execution, so there is no command to record.
                (waiting, false) => *waiting = None,
                (None, true) => {}
            }
            put_data_key(self.connection.id(), state.id, state.puts)
        };
        if outcome.rc == rc::SUCCESS {
            return outcome;
        }
        self.connection.keep_info(key, None, outcome)
    }

    /// Serves SQLParamData where streamed parameters are read: the current one is complete, and the driver hands out
    /// the next.
    pub(super) fn next_stream(&self, token: Place, driver_call: &dyn DriverCall) -> Outcome {
        let finished = {
            let mut state = self.state.lock();
            state.application.refresh();
            self.finish_result(&mut state, false).map(|()| state.application.address(attribute::PARAMS_PROCESSED_PTR))
        };
        let counter = match finished {
            Ok(counter) => counter,
            Err(error) => return unwritable(error),
        };
        let counter = counter.long().compare();
        self.then(driver_call, (), move |statement, (), outcome, _| {
            let counted = counter.written().map(|counted| counted.value as usize);
            statement.handed_out(token, counted, outcome)
        })
    }

    /// Records that SQLParamData handed out the token of a streamed parameter, or found none left. `counted` is what
    /// the driver wrote to the counter of processed sets.
    pub(super) fn handed_out(&self, token: Place, counted: Option<usize>, outcome: Outcome) -> Outcome {
        let (id, mut fields) = {
            let mut state = self.state.lock();
            let fields = match outcome.rc {
                rc::PARAM_DATA_AVAILABLE => match state.streams.begin_by_token(token.pointer_at()) {
                    Some((0, number)) => Fields::from([(Key::Parameter, number.into())]),
                    Some((set, number)) => Fields::from([(Key::Set, set.into()), (Key::Parameter, number.into())]),
                    None => Fields::new(),
                },
                _ => {
                    state.streams.set_available(false);
                    Fields::from([(Key::Result, Value::Null)])
                }
            };
            (state.id, fields)
        };
        fields.extend(counted.map(|counted| (Key::ParamsProcessed, counted.into())));
        match id {
            Some(id) => self.command(id, Method::ParamData, fields, outcome),
            None => outcome,
        }
    }

    /// Returns the buffer of an SQLGetData that leaves the C type to the streamed parameter, with that C type filled
    /// in. `None` while rows are read.
    pub(super) fn of_stream(&self, binding: &Binding) -> Option<Binding> {
        self.state.lock().streams.resolved(binding)
    }
}

impl Statement<Replayed> {
    pub(super) fn run(&self, sql: &TextIn<'_>) -> Outcome {
        let mut state = self.state.lock();
        state.application.refresh();
        let sql = sql.read().unwrap_or_default();
        let parameters = Parameters::of_text(&state.application, &sql);
        let fields = Fields::from([(Key::Sql, sql.into())]);
        let id = self.new_text(&mut state, Method::Run, &fields);
        self.execution(&mut state, id, Method::Run, fields, parameters)
    }

    pub(super) fn prepare(&self, sql: &TextIn<'_>) -> Outcome {
        let mut state = self.state.lock();
        let sql = sql.read().unwrap_or_default();
        state.markers = count_markers(&sql);
        let fields = Fields::from([(Key::Sql, sql.into())]);
        let id = self.new_text(&mut state, Method::Prepare, &fields);
        match self.command(&mut state, id, Method::Prepare, fields.clone()) {
            Ok(recorded) => {
                let outcome = recorded_outcome(|key| recorded.get(key));
                state.prepared = rc::succeeded(outcome.rc).then_some(fields);
                outcome
            }
            Err(failure) => failure,
        }
    }

    pub(super) fn execute(&self) -> Outcome {
        let mut state = self.state.lock();
        let Some(id) = state.id else { return Outcome::error("HY010", "the statement was not prepared") };
        state.application.refresh();
        state.begin_result();
        let parameters = Parameters::of(&state.application, state.markers);
        self.execution(&mut state, id, Method::Execute, Fields::new(), parameters)
    }

    pub(super) fn catalog(&self, function: Function, arguments: &[(&'static str, In<'_>)]) -> Outcome {
        let mut fields = catalog_fields(function, arguments);
        if function == Function::SQLGetTypeInfo && self.connection.player().is_by_hand() {
            let is_unicode = self.connection.attribute(ANSI_APP.into()) == Some(0);
            fields.push((Key::Kind, (if is_unicode { "unicode" } else { "ansi" }).into()));
        }
        let mut state = self.state.lock();
        let id = self.new_text(&mut state, Method::Catalog, &fields);
        self.execution(&mut state, id, Method::Catalog, fields, Parameters::none())
    }

    fn execution(
        &self,
        state: &mut State<Replayed>,
        id: u32,
        method: Method,
        fields: Fields,
        mut parameters: Parameters,
    ) -> Outcome {
        let left_out = |part| Ok(self.connection.local_outcome(&left_out_key(part))?.is_some());
        if let Err(failure) = parameters.leave_out(left_out) {
            return failure;
        }
        state.streams = Streams::new(std::mem::take(&mut parameters.streamed));
        let asks = match parameters.waiting.is_empty() {
            true => false,
            false => match self.asks_for_data(state) {
                Ok(asks) => asks,
                Err(failure) => return failure,
            },
        };
        if asks {
            let mut data = AtExecution::new(parameters);
            let outcome = self.asked_for_data(state, 0, &mut data);
            state.waiting = Some(WaitingExecution { method, id, fields, data, steps: 0 });
            return outcome;
        }
        self.executed(state, id, method, fields, parameters)
    }

    /// Returns SQL_NEED_DATA and writes the counter of processed sets as the driver left it at that point.
    fn asked_for_data(&self, state: &State<Replayed>, step: u32, data: &mut AtExecution) -> Outcome {
        let key = need_data_key(self.connection.id(), state.id, state.executions, step);
        match self.connection.recorded_info(&key) {
            Ok(None) => Outcome::of(rc::NEED_DATA),
            Ok(Some(fact)) => {
                let said = |key: Key| fact.get(if key == Key::ParamsProcessed { Key::Result } else { key });
                if let Err(wrong) = check::within(data.parameters().size(), said) {
                    return self.connection.refuse_answer(None, &fact, wrong);
                }
                data.parameters().replay_outcome(fact.get(Key::Result), fact.get(Key::ParamStatus));
                Outcome::of(rc::NEED_DATA)
            }
            Err(failure) => failure,
        }
    }

    /// Returns whether the recorded execution asked for its data at execution. One that failed at once did not.
    fn asks_for_data(&self, state: &mut State<Replayed>) -> Result<bool, Outcome> {
        state.executions += 1;
        let key = at_once_key(self.connection.id(), state.id, state.executions);
        Ok(self.connection.recorded_info(&key)?.is_none())
    }

    fn executed(
        &self,
        state: &mut State<Replayed>,
        id: u32,
        method: Method,
        mut fields: Fields,
        mut parameters: Parameters,
    ) -> Outcome {
        if parameters.has_numerics() && !self.expects(state, id, method, &fields, &mut parameters) {
            let as_sent = parameters.sets.clone();
            parameters.by_parameter();
            if !self.expects(state, id, method, &fields, &mut parameters) {
                parameters.sets = as_sent;
            }
        }
        parameters.describe(&mut fields, &state.application);
        match self.command(state, id, method, fields) {
            Ok(recorded) => {
                if let Err(failure) = self.within(id, parameters.size(), &recorded) {
                    return failure;
                }
                parameters.replay_outcome(recorded.get(Key::ParamsProcessed), recorded.get(Key::ParamStatus));
                let outcome = recorded_outcome(|key| recorded.get(key));
                let available = outcome.rc == rc::PARAM_DATA_AVAILABLE;
                state.open = rc::succeeded(outcome.rc) || available;
                state.streams.set_available(available);
                let added = parameters.outputs.write(recorded.get(Key::Result), recorded.get(Key::CTypes));
                state.sent = parameters.outputs;
                joined(outcome, added)
            }
            Err(failure) => failure,
        }
    }

    /// Returns whether the next recorded command is this execution.
    fn expects(
        &self,
        state: &State<Replayed>,
        id: u32,
        method: Method,
        fields: &Fields,
        parameters: &mut Parameters,
    ) -> bool {
        let mut entry = Entry { fields: fields.clone(), ..Entry::new(method, self.connection.id(), Some(id)) };
        let sets = parameters.sets.clone();
        parameters.describe(&mut entry.fields, &state.application);
        parameters.sets = sets;
        self.connection.player().expects(&entry)
    }

    /// Serves SQLParamData: asks for the next value, or plays the command once all values have come.
    pub(super) fn param_data(&self, token: Place) -> Outcome {
        if let Some(outcome) = self.positioned_data(token) {
            return outcome;
        }
        let mut state = self.state.lock();
        if state.streams.available() {
            return self.next_stream(&mut state, token);
        }
        let Some(WaitingExecution { data, .. }) = &mut state.waiting else {
            return Outcome::error("HY010", "no execution is waiting for data");
        };
        data.finish_value();
        let Some(WaitingExecution { method, id, fields, mut data, steps }) = state.waiting.take() else {
            return Outcome::of(rc::ERROR);
        };
        // Some drivers ask for the data of one set only, so the execution may be complete earlier.
        let complete = data.is_waiting() && { self.expects(&state, id, method, &fields, data.parameters()) };
        if let Some(next) = data.ask_next().filter(|_| !complete) {
            match self.token(&next) {
                Ok(next) => token.set_pointer(next),
                Err(failure) => return failure,
            }
            let outcome = self.asked_for_data(&state, steps + 1, &mut data);
            state.waiting = Some(WaitingExecution { method, id, fields, data, steps: steps + 1 });
            return outcome;
        }
        match self.executed(&mut state, id, method, fields, data.into_parameters()) {
            // The same call hands out the first streamed parameter.
            Outcome { rc: rc::PARAM_DATA_AVAILABLE, .. } => self.next_stream(&mut state, token),
            outcome => outcome,
        }
    }

    pub(super) fn put_data(&self, data: Place, length: isize) -> Outcome {
        let mut state = self.state.lock();
        state.puts += 1;
        let key = put_data_key(self.connection.id(), state.id, state.puts);
        let outcome = match self.connection.recorded_info(&key) {
            Ok(Some(answer)) => recorded_outcome(|key| answer.get(key)),
            Ok(None) => Outcome::SUCCESS,
            Err(failure) => failure,
        };
        if !rc::succeeded(outcome.rc) {
            (state.waiting, state.positioned) = (None, None);
            return outcome;
        }
        let State { waiting, positioned, .. } = &mut *state;
        let waiting = waiting.as_mut().map(|waiting| &mut waiting.data);
        let waiting = waiting.or(positioned.as_mut().map(|waiting| &mut waiting.data));
        match waiting.is_some_and(|waiting| waiting.put(data, length)) {
            true => outcome,
            false => Outcome::error("HY010", "no value is being asked for, or its length makes no sense"),
        }
    }

    /// Serves SQLParamData where streamed parameters are read: hands out the next one, or says that there are no more.
    pub(super) fn next_stream(&self, state: &mut State<Replayed>, token: Place) -> Outcome {
        let Some(id) = state.id else { return Outcome::error("HY010", "nothing was executed") };
        let recorded = match self.command(state, id, Method::ParamData, Fields::new()) {
            Ok(recorded) => recorded,
            Err(failure) => return failure,
        };
        if let Err(failure) = self.within(id, state.application.paramset_size(), &recorded) {
            return failure;
        }
        if let Some(counted) = recorded.get(Key::ParamsProcessed).and_then(Value::as_int) {
            let counter = state.application.address(attribute::PARAMS_PROCESSED_PTR);
            Arrays::of(state.application.paramset_size()).set_count(counter, counted as usize);
        }
        let outcome = recorded_outcome(|key| recorded.get(key));
        if outcome.rc != rc::PARAM_DATA_AVAILABLE {
            state.streams.set_available(false);
            return outcome;
        }
        let number = |key| recorded.get(key).and_then(Value::as_int);
        let parameter = number(Key::Parameter).and_then(|number| u16::try_from(number).ok()).unwrap_or(0);
        if let Some(bound) = state.streams.begin(number(Key::Set).unwrap_or(0) as usize, parameter) {
            token.set_pointer(bound);
        }
        state.rowset = 1;
        outcome
    }
}
