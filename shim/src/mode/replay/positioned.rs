//! SQLSetPos and SQLBulkOperations at replay: what is asked and sent is compared, what the driver changed is written.

use super::rows::recorded_type;
use super::statement::{State, Statement};
use crate::args::{Binding, Place};
use crate::call::Call;
use crate::convert::CType;
use crate::diagnostics::{Outcome, rc};
use crate::mode::operation::{Positioned, Rowset};
use crate::mode::outcome::outcome;
use crate::mode::parameters::{AtExecution, Parameters};
use super8_cassette::Entry;

/// An operation that is played once its data has come.
pub(super) struct Pending {
    asked: Positioned,
    pub(super) data: AtExecution,
}

impl State {
    /// The rowset an operation is about.
    fn rowset(&self) -> Rowset {
        Rowset { size: self.rowset, fetched: self.fetched, extended: self.extended }
    }
}

impl Statement {
    pub(super) fn positioned(&self, call: &Call<'_>) -> Outcome {
        let mut state = self.state.lock();
        state.application.refresh();
        let rowset = state.rowset();
        let asked =
            Positioned::of(call, &state.application, rowset, &|column, binding| c_type(&state, column, binding));
        let mut asked = match asked {
            Ok(asked) => asked,
            Err(refusal) => return refusal,
        };
        // Some drivers never ask for the data and go on without it.
        let at_once = |state: &State| {
            let entry = Entry { fields: asked.asked(), ..Entry::new(asked.method, self.connection.id(), state.id) };
            self.connection.player().expects(&entry)
        };
        if asked.waiting.is_empty() || at_once(&state) {
            return self.done(&mut state, &asked);
        }
        let waiting = std::mem::take(&mut asked.waiting);
        let data = AtExecution::new(Parameters::of_rows(asked.values.take().unwrap_or_default(), waiting));
        state.positioned = Some(Pending { asked, data });
        Outcome::of(rc::NEED_DATA)
    }

    /// SQLParamData for an operation that waits for data; `None` if none does.
    pub(super) fn positioned_data(&self, token: Place) -> Option<Outcome> {
        let mut state = self.state.lock();
        let data = &mut state.positioned.as_mut()?.data;
        data.finish_value();
        if let Some(next) = data.ask_next() {
            return Some(match self.token(&next) {
                Ok(next) => {
                    token.set_pointer(next);
                    Outcome::of(rc::NEED_DATA)
                }
                Err(failure) => failure,
            });
        }
        let Pending { mut asked, data } = state.positioned.take()?;
        asked.values = Some(data.into_parameters().sets);
        Some(self.done(&mut state, &asked))
    }

    fn done(&self, state: &mut State, asked: &Positioned) -> Outcome {
        let Some(id) = state.id else { return Outcome::error("24000", "there is no rowset") };
        let on_row = state.on_row;
        match self.command(state, id, asked.method, asked.asked()) {
            Ok(recorded) => {
                let told = outcome(|key| recorded.get(key));
                asked.replay(&state.application, state.rowset(), |key| recorded.get(key));
                // What SQLGetData reads from here on was recorded apart from the rows.
                state.on_row = on_row || (rc::succeeded(told.rc) && state.fetched > 0);
                told
            }
            Err(failure) => failure,
        }
    }
}

/// The C type of a bound column; SQL_C_DEFAULT is what it was when the rows were recorded.
fn c_type(state: &State, column: u16, binding: &Binding) -> CType {
    match CType(binding.c_type) {
        CType::DEFAULT => recorded_type(state, usize::from(column).saturating_sub(state.application.first_column())),
        other => other,
    }
}
