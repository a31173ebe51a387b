//! Texts and executions: run, prepare, execute and the catalog functions, with data that comes at execution.

use super::parameters::{Parameters, Watch};
use super::statement::Statement;
use super::{not_yet, perform, unwritable};
use crate::args::{Place, TextIn};
use crate::call::{Call, Deed};
use crate::diagnostics::{Outcome, rc};
use crate::mode::at_execution::AtExecution;
use crate::mode::markers;
use crate::mode::words::input_value;
use crate::table::Function;
use super8_cassette::{CassetteError, ConnectionId, Method, Value};

/// An execution whose command is complete once its data has come.
pub(super) struct Pending {
    method: Method,
    id: u32,
    fields: Vec<(String, Value)>,
    data: AtExecution,
    watch: Watch,
}

/// What identifies an SQLPutData that did not simply succeed: the statement's n-th.
pub(in crate::mode) fn put_data_key(
    connection: ConnectionId,
    statement: Option<u32>,
    call: u32,
) -> Vec<(String, Value)> {
    vec![
        ("function".to_owned(), Value::from("SQLPutData")),
        ("connection_id".to_owned(), Value::Text(connection.to_string())),
        ("statement_id".to_owned(), statement.into()),
        ("call".to_owned(), Value::from(call)),
    ]
}

/// What identifies an execution that asked for none of its data at execution: the statement's n-th.
pub(in crate::mode) fn at_once_key(
    connection: ConnectionId,
    statement: Option<u32>,
    execution: u32,
) -> Vec<(String, Value)> {
    vec![
        ("about".to_owned(), Value::from("data_not_asked_for")),
        ("connection_id".to_owned(), Value::Text(connection.to_string())),
        ("statement_id".to_owned(), statement.into()),
        ("execution".to_owned(), Value::from(execution)),
    ]
}

impl Statement {
    /// Does what executes a text or a prepared one and records it, at once or when its data has come.
    fn execute(
        &self,
        function: Function,
        method: Method,
        id: u32,
        fields: Vec<(String, Value)>,
        parameters: Parameters,
        deed: &dyn Deed,
    ) -> Outcome {
        let watch = parameters.watch();
        let outcome = perform(function, deed);
        if outcome.rc == rc::NEED_DATA {
            let mut state = self.state.lock();
            state.executions += 1;
            state.waiting = Some(Pending { method, id, fields, data: AtExecution::new(parameters), watch });
            return outcome;
        }
        if !parameters.waiting.is_empty()
            && let Err(error) = self.asked_for_nothing(id)
        {
            return unwritable(error);
        }
        self.executed(method, id, fields, parameters, watch, outcome)
    }

    /// Data was to come at execution, and the driver ended the execution without it.
    fn asked_for_nothing(&self, id: u32) -> Result<(), CassetteError> {
        let execution = {
            let mut state = self.state.lock();
            state.executions += 1;
            state.executions
        };
        let fact = at_once_key(self.connection.id(), Some(id), execution);
        self.connection.recorder().info(self.connection.id(), Value::Map(fact))
    }

    fn executed(
        &self,
        method: Method,
        id: u32,
        mut fields: Vec<(String, Value)>,
        parameters: Parameters,
        watch: Watch,
        outcome: Outcome,
    ) -> Outcome {
        {
            let mut state = self.state.lock();
            parameters.describe(&mut fields, &state.application);
            state.open = rc::succeeded(outcome.rc) && method != Method::Prepare;
        }
        fields.extend(parameters.outcome(watch));
        if rc::succeeded(outcome.rc) && parameters.came_back() {
            return self.command(id, method, fields, not_yet("a value that came back in a parameter"));
        }
        self.state.lock().sent = parameters.may_come_back().then_some(parameters);
        self.command(id, method, fields, outcome)
    }

    /// SQLParamData: the value at hand is complete, and the driver asks for the next or executes.
    pub(super) fn param_data(&self, function: Function, token: Place, deed: &dyn Deed) -> Outcome {
        let outcome = perform(function, deed);
        if let Some(outcome) = self.positioned_data(&outcome, token) {
            return outcome;
        }
        let mut state = self.state.lock();
        let Some(pending) = &mut state.waiting else { return outcome };
        pending.data.finish_value();
        if outcome.rc == rc::NEED_DATA {
            pending.data.asked_for(token.pointer_at());
            return outcome;
        }
        let Some(Pending { method, id, fields, data, watch }) = state.waiting.take() else { return outcome };
        drop(state);
        self.executed(method, id, fields, data.into_parameters(), watch, outcome)
    }

    pub(super) fn put_data(&self, function: Function, data: Place, length: isize, deed: &dyn Deed) -> Outcome {
        let outcome = perform(function, deed);
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

    pub(super) fn run(&self, function: Function, sql: &TextIn<'_>, deed: &dyn Deed) -> Outcome {
        let parameters = {
            let mut state = self.state.lock();
            state.application.refresh();
            Parameters::of_text(&state.application, &sql.read().unwrap_or_default())
        };
        self.text(function, Method::Run, vec![("sql".to_owned(), self.sql(sql))], parameters, deed)
    }

    pub(super) fn prepare(&self, function: Function, sql: &TextIn<'_>, deed: &dyn Deed) -> Outcome {
        self.state.lock().markers = markers::count(&sql.read().unwrap_or_default());
        let fields = vec![("sql".to_owned(), self.sql(sql))];
        let id = self.new_text(&mut self.state.lock());
        match id {
            Ok(id) => {
                let outcome = perform(function, deed);
                self.command(id, Method::Prepare, fields, outcome)
            }
            Err(error) => unwritable(error),
        }
    }

    /// A text that is executed at once: another statement id.
    fn text(
        &self,
        function: Function,
        method: Method,
        fields: Vec<(String, Value)>,
        parameters: Result<Parameters, Outcome>,
        deed: &dyn Deed,
    ) -> Outcome {
        let parameters = match parameters {
            Ok(parameters) => parameters,
            Err(refusal) => return refusal,
        };
        let id = self.new_text(&mut self.state.lock());
        match id {
            Ok(id) => self.execute(function, method, id, fields, parameters, deed),
            Err(error) => unwritable(error),
        }
    }

    pub(super) fn execute_prepared(&self, function: Function, deed: &dyn Deed) -> Outcome {
        let (id, parameters) = {
            let mut state = self.state.lock();
            let Some(id) = state.id else { return perform(function, deed) };
            state.application.refresh();
            let parameters = match Parameters::of(&state.application, state.markers) {
                Ok(parameters) => parameters,
                Err(refusal) => return refusal,
            };
            if let Err(error) = self.settle(&mut state, false) {
                return unwritable(error);
            }
            self.reset_result(&mut state);
            (id, parameters)
        };
        self.execute(function, Method::Execute, id, Vec::new(), parameters, deed)
    }

    pub(super) fn catalog(&self, function: Function, call: &Call<'_>, deed: &dyn Deed) -> Outcome {
        let Call::Catalog { arguments } = call else { return not_yet(function.name()) };
        let arguments = arguments
            .iter()
            .map(|(name, value)| ((*name).to_owned(), input_value(value, &self.connection.secrecy)))
            .collect();
        let fields = vec![
            ("function".to_owned(), Value::from(function.name())),
            ("arguments".to_owned(), Value::Map(arguments)),
        ];
        self.text(function, Method::Catalog, fields, Ok(Parameters::none()), deed)
    }
}
