//! Streamed output parameters at replay: SQLParamData hands out the recorded parameter's token of now, and SQLGetData
//! reads the recorded value.

use super::statement::{State, Statement};
use crate::args::Place;
use crate::diagnostics::{Outcome, rc};
use crate::mode::application::attribute;
use crate::mode::outcome::outcome;
use crate::mode::rowset::Arrays;
use super8_cassette::{Fields, Key, Method, Value};

impl Statement {
    /// SQLParamData where values are to be read: the next one, or no more.
    pub(super) fn next_stream(&self, state: &mut State, token: Place) -> Outcome {
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
        let told = outcome(|key| recorded.get(key));
        if told.rc != rc::PARAM_DATA_AVAILABLE {
            state.streams.set_available(false);
            return told;
        }
        let number = |key| recorded.get(key).and_then(Value::as_int);
        let parameter = number(Key::Parameter).and_then(|number| u16::try_from(number).ok()).unwrap_or(0);
        if let Some(bound) = state.streams.begin(number(Key::Set).unwrap_or(0) as usize, parameter) {
            token.set_pointer(bound);
        }
        state.rowset = 1;
        told
    }
}
