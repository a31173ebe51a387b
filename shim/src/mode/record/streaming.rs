//! Streamed output parameters while recording: each SQLParamData is a command, and what SQLGetData read then is noted as
//! what belongs to no row.

use super::statement::Statement;
use super::unwritable;
use crate::args::{Binding, Place};
use crate::call::DriverCall;
use crate::diagnostics::{Outcome, rc};
use crate::mode::application::attribute;
use super8_cassette::{Fields, Key, Method, Value};

impl Statement {
    /// SQLParamData where values are to be read: the one at hand is complete, the driver hands out the next.
    pub(super) fn next_stream(&self, token: Place, driver_call: &dyn DriverCall) -> Outcome {
        let settled = {
            let mut state = self.state.lock();
            state.application.refresh();
            self.settle(&mut state, false).map(|()| state.application.address(attribute::PARAMS_PROCESSED_PTR))
        };
        let counter = match settled {
            Ok(counter) => counter,
            Err(error) => return unwritable(error),
        };
        let before = counter.ulen_at(0);
        self.then(driver_call, move |statement, outcome, _| {
            let counted = counter.ulen_at(0).filter(|counted| Some(*counted) != before);
            statement.handed_out(token, counted, outcome)
        })
    }

    /// SQLParamData handed out the token of a parameter to be read, or found none. `counted` is what it wrote to the counter
    /// of processed sets.
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

    /// SQLGetData on a parameter that decides the C type: its buffer with that. `None` where rows are read.
    pub(super) fn of_stream(&self, binding: &Binding) -> Option<Binding> {
        self.state.lock().streams.resolved(binding)
    }
}
