//! Texts and executions at replay: run, prepare, execute and the catalog functions, with data that comes at execution.

use super::statement::{State, Statement};
use crate::args::{In, Place, TextIn};
use crate::diagnostics::{Outcome, rc};
use crate::mode::keys::{at_once_key, need_data_key, put_data_key, token_key};
use crate::mode::outcome::{catalog_fields, outcome};
use crate::mode::outputs::{Streams, joined};
use crate::mode::parameters::{self, AtExecution, Parameters, count_markers};
use crate::table::Function;
use super8_cassette::{Entry, Fields, Key, Method, Value, check};

/// An execution that is played once its data has come.
pub(super) struct Waiting {
    method: Method,
    fields: Fields,
    pub(super) data: AtExecution,
    /// How often SQLParamData asked for more.
    steps: u32,
}

impl Statement {
    pub(super) fn sql(&self, sql: &TextIn<'_>) -> Value {
        Value::Text(sql.read().unwrap_or_default())
    }

    /// Another text for this handle: another statement id, as when it was recorded.
    pub(super) fn new_text(&self, state: &mut State, method: Method, fields: &Fields) -> u32 {
        if let Some(id) = state.given.take() {
            return id;
        }
        let player = self.connection.player();
        if let Some(before) = state.id {
            player.forget_statement(self.connection.id(), before);
        }
        // an answer with rows has no place among the statements
        let asked = || Entry { fields: fields.clone(), ..Entry::new(method, self.connection.id(), None) };
        let id = match player.has_result_answers(method) && player.has_result_answer(&asked()) {
            true => self.connection.next_result_answer(),
            false => self.connection.next_statement(),
        };
        state.polls.another_text();
        (state.id, state.puts, state.executions, state.prepared) = (Some(id), 0, 0, None);
        self.endings.store(0, std::sync::atomic::Ordering::Relaxed);
        id
    }

    fn execution(
        &self,
        state: &mut State,
        id: u32,
        method: Method,
        fields: Fields,
        mut parameters: Parameters,
    ) -> Outcome {
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

    /// Whether the recorded execution asked for the data that was to come; one that failed at once did not.
    fn asks_for_data(&self, state: &mut State) -> Result<bool, Outcome> {
        state.executions += 1;
        let key = at_once_key(self.connection.id(), state.id, state.executions);
        Ok(self.connection.informed(&key)?.is_none())
    }

    /// What SQLParamData hands out: the place of the set, or what was bound, as the recorded driver did.
    pub(super) fn token(&self, waiting: &parameters::Waiting) -> Result<Place, Outcome> {
        if waiting.token == waiting.bound {
            return Ok(waiting.token);
        }
        let said = self.connection.unusual(&token_key())?;
        Ok(match said.as_ref().and_then(|said| said.get(Key::Result)) {
            Some(_) => waiting.bound,
            None => waiting.token,
        })
    }

    /// SQLParamData: asks for the next value, or plays the command once all have come.
    pub(super) fn param_data(&self, token: Place) -> Outcome {
        if let Some(outcome) = self.positioned_data(token) {
            return outcome;
        }
        let mut state = self.state.lock();
        if state.streams.available() {
            return self.next_stream(&mut state, token);
        }
        let (Some(id), Some(Waiting { data, .. })) = (state.id, &mut state.waiting) else {
            return Outcome::error("HY010", "no execution is waiting for data");
        };
        data.finish_value();
        let Some(Waiting { method, fields, mut data, steps }) = state.waiting.take() else {
            return Outcome::of(rc::ERROR);
        };
        // Some drivers ask for the data of one set only.
        let complete = data.is_waiting() && { self.expects(&state, id, method, &fields, data.parameters()) };
        if let Some(next) = data.ask_next().filter(|_| !complete) {
            match self.token(&next) {
                Ok(next) => token.set_pointer(next),
                Err(failure) => return failure,
            }
            let told = self.asked_for_data(&state, steps + 1, &mut data);
            state.waiting = Some(Waiting { method, fields, data, steps: steps + 1 });
            return told;
        }
        match self.executed(&mut state, id, method, fields, data.into_parameters()) {
            // The same call hands out the first parameter to be read.
            Outcome { rc: rc::PARAM_DATA_AVAILABLE, .. } => self.next_stream(&mut state, token),
            told => told,
        }
    }

    pub(super) fn put_data(&self, data: Place, length: isize) -> Outcome {
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

    /// Whether the cassette goes on with this execution.
    fn expects(&self, state: &State, id: u32, method: Method, fields: &Fields, parameters: &mut Parameters) -> bool {
        let mut entry = Entry { fields: fields.clone(), ..Entry::new(method, self.connection.id(), Some(id)) };
        let sets = parameters.sets.clone();
        parameters.describe(&mut entry.fields, &state.application);
        parameters.sets = sets;
        self.connection.player().expects(&entry)
    }

    fn executed(
        &self,
        state: &mut State,
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
                let told = outcome(|key| recorded.get(key));
                let available = told.rc == rc::PARAM_DATA_AVAILABLE;
                state.open = rc::succeeded(told.rc) || available;
                state.streams.set_available(available);
                let added = parameters.outputs.write(recorded.get(Key::Result), recorded.get(Key::CTypes));
                state.sent = parameters.outputs;
                joined(told, added)
            }
            Err(failure) => failure,
        }
    }

    pub(super) fn run(&self, sql: &TextIn<'_>) -> Outcome {
        let mut state = self.state.lock();
        state.application.refresh();
        let parameters = Parameters::of_text(&state.application, || sql.read().unwrap_or_default());
        let fields = Fields::from([(Key::Sql, self.sql(sql))]);
        let id = self.new_text(&mut state, Method::Run, &fields);
        self.execution(&mut state, id, Method::Run, fields, parameters)
    }

    pub(super) fn prepare(&self, sql: &TextIn<'_>) -> Outcome {
        let mut state = self.state.lock();
        state.markers = count_markers(&sql.read().unwrap_or_default());
        let fields = Fields::from([(Key::Sql, self.sql(sql))]);
        let id = self.new_text(&mut state, Method::Prepare, &fields);
        match self.command(&mut state, id, Method::Prepare, fields.clone()) {
            Ok(recorded) => {
                let told = outcome(|key| recorded.get(key));
                state.prepared = rc::succeeded(told.rc).then_some(fields);
                told
            }
            Err(failure) => failure,
        }
    }

    pub(super) fn execute(&self) -> Outcome {
        let mut state = self.state.lock();
        let Some(id) = state.id else { return Outcome::error("HY010", "the statement was not prepared") };
        state.application.refresh();
        let parameters = Parameters::of(&state.application, state.markers);
        self.execution(&mut state, id, Method::Execute, Fields::new(), parameters)
    }

    pub(super) fn catalog(&self, function: Function, arguments: &[(&'static str, In<'_>)]) -> Outcome {
        let fields = catalog_fields(function, arguments);
        let mut state = self.state.lock();
        let id = self.new_text(&mut state, Method::Catalog, &fields);
        self.execution(&mut state, id, Method::Catalog, fields, Parameters::none())
    }
}
