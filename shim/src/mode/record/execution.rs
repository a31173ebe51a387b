//! Texts and executions: run, prepare, execute and the catalog functions, with data that comes at execution.

use super::statement::Statement;
use super::{perform, unwritable};
use crate::args::{In, Place, TextIn};
use crate::call::DriverCall;
use crate::diagnostics::{Outcome, rc};
use crate::mode::keys::{CallKey, at_once_key, need_data_key, put_data_key, token_key};
use crate::mode::outcome::catalog_fields;
use crate::mode::outputs::Streams;
use crate::mode::parameters::{AtExecution, Parameters, Watch, count_markers};
use crate::table::Function;
use super8_cassette::{CassetteError, Fields, Key, Method};

/// An execution whose command is complete once its data has come.
pub(super) struct Pending {
    method: Method,
    id: u32,
    fields: Fields,
    data: AtExecution,
    /// How often SQLParamData asked for more.
    steps: u32,
}

/// What waits for data while SQLParamData runs in the driver, and what was in the counter and states before.
struct Taken {
    waiting: Option<Pending>,
    positioned: Option<super::positioned::Pending>,
    watch: Option<Watch>,
}

impl Statement {
    /// Does what executes a text or a prepared one and records it, at once or when its data has come.
    fn execute(
        &self,
        method: Method,
        id: u32,
        fields: Fields,
        mut parameters: Parameters,
        driver_call: &dyn DriverCall,
    ) -> Outcome {
        let inputs = fields.iter().map(|(_, value)| value.bytes()).sum::<usize>() + parameters.bytes();
        if let Err(error) = self.connection.recorder().prepare(self.connection.id(), Some(id), inputs) {
            return unwritable(error);
        }
        self.state.lock().streams = Streams::new(std::mem::take(&mut parameters.streamed));
        let watch = parameters.watch();
        self.then(driver_call, move |statement, outcome, _| {
            let written = parameters.outcome(watch);
            if outcome.rc == rc::NEED_DATA {
                let execution = {
                    let mut state = statement.state.lock();
                    state.executions += 1;
                    state.waiting = Some(Pending { method, id, fields, data: AtExecution::new(parameters), steps: 0 });
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

    /// Notes what the driver wrote to the counter of processed sets, and to their states, before it asked for data.
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

    /// Notes a driver that hands out the token as it was bound where the set has one of its own.
    pub(super) fn note_token(&self, as_bound: Option<bool>) -> Result<(), CassetteError> {
        let Some(as_bound) = as_bound else { return Ok(()) };
        let said = as_bound.then(|| Fields::from([(Key::Result, true.into())]));
        self.connection.note_outcome(CallKey::of([Function::SQLParamData as u64]), token_key, said)
    }

    /// Data was to come at execution, and the driver ended the execution without it.
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
        }
        fields.extend(written);
        self.state.lock().sent = (!parameters.outputs.is_empty()).then_some(parameters.outputs);
        self.command(id, method, fields, outcome)
    }

    /// SQLParamData: the value at hand is complete, and the driver asks for the next or executes.
    pub(super) fn param_data(&self, token: Place, driver_call: &dyn DriverCall) -> Outcome {
        if self.state.lock().streams.available() {
            return self.next_stream(token, driver_call);
        }
        // Out of the reach of an SQLCancel that comes during the call: what the driver does now is to be recorded.
        let (id, mut waiting, positioned) = {
            let mut state = self.state.lock();
            (state.id, state.waiting.take(), state.positioned.take())
        };
        let inputs = waiting.as_mut().map_or(0, |pending| pending.data.parameters().bytes());
        if let Some(id) = id
            && let Err(error) = self.connection.recorder().prepare(self.connection.id(), Some(id), inputs)
        {
            return unwritable(error);
        }
        let watch = waiting.as_ref().map(|pending| pending.data.watch_on());
        let taken = Taken { waiting, positioned, watch };
        self.then(driver_call, move |statement, outcome, _| statement.data_taken(token, taken, outcome))
    }

    fn data_taken(&self, token: Place, taken: Taken, outcome: Outcome) -> Outcome {
        let Taken { waiting, positioned, watch } = taken;
        if let Some(pending) = positioned {
            return self.positioned_data(pending, outcome, token);
        }
        let (Some(mut pending), Some(watch)) = (waiting, watch) else { return outcome };
        pending.data.finish_value();
        let written = pending.data.parameters().outcome(watch);
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
        let Pending { method, id, fields, data, .. } = pending;
        let outcome = self.executed(method, id, fields, data.into_parameters(), written, outcome);
        match outcome.rc {
            // The same call hands out the first parameter to be read.
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
                (pending, false) => *pending = None,
                (None, true) => {}
            }
            match (&mut state.waiting, rc::succeeded(outcome.rc)) {
                (Some(pending), true) => drop(pending.data.put(data, length)),
                // The driver gave the execution up: there is no command.
                (waiting, false) => *waiting = None,
                (None, true) => {}
            }
            put_data_key(self.connection.id(), state.id, state.puts)
        };
        if outcome.rc == rc::SUCCESS {
            return outcome;
        }
        self.connection.inform(key, None, outcome)
    }

    pub(super) fn run(&self, sql: &TextIn<'_>, driver_call: &dyn DriverCall) -> Outcome {
        let parameters = {
            let mut state = self.state.lock();
            state.application.refresh();
            Parameters::of_text(&state.application, || sql.read().unwrap_or_default())
        };
        self.text(Method::Run, Fields::from([(Key::Sql, self.sql(sql))]), parameters, driver_call)
    }

    pub(super) fn prepare(&self, sql: &TextIn<'_>, driver_call: &dyn DriverCall) -> Outcome {
        self.state.lock().markers = count_markers(&sql.read().unwrap_or_default());
        let fields = Fields::from([(Key::Sql, self.sql(sql))]);
        let inputs = fields.iter().map(|(_, value)| value.bytes()).sum();
        let id = self.new_text(&mut self.state.lock()).and_then(|id| {
            self.connection.recorder().prepare(self.connection.id(), Some(id), inputs)?;
            Ok(id)
        });
        match id {
            Ok(id) => self.then(driver_call, move |statement, outcome, _| {
                statement.command(id, Method::Prepare, fields, outcome)
            }),
            Err(error) => unwritable(error),
        }
    }

    /// A text that is executed at once: another statement id.
    fn text(&self, method: Method, fields: Fields, parameters: Parameters, driver_call: &dyn DriverCall) -> Outcome {
        let id = self.new_text(&mut self.state.lock());
        match id {
            Ok(id) => self.execute(method, id, fields, parameters, driver_call),
            Err(error) => unwritable(error),
        }
    }

    pub(super) fn execute_prepared(&self, driver_call: &dyn DriverCall) -> Outcome {
        let (id, parameters) = {
            let mut state = self.state.lock();
            let Some(id) = state.id else { return perform(driver_call) };
            state.application.refresh();
            let parameters = Parameters::of(&state.application, state.markers);
            if let Err(error) = self.settle(&mut state, false) {
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
        self.text(Method::Catalog, fields, Parameters::none(), driver_call)
    }
}
