//! SQLSetPos and SQLBulkOperations while recording: what was asked and sent, and what the driver changed.

use super::statement::{State, Statement};
use super::{perform, unwritable};
use crate::args::{Binding, Place};
use crate::call::{Call, DriverCall};
use crate::convert::CType;
use crate::diagnostics::{Outcome, rc};
use crate::mode::operation::{Positioned, Rowset, Seen, Types};
use crate::mode::parameters::{AtExecution, Parameters};

/// An operation that waits for data.
pub(super) struct Pending {
    id: u32,
    asked: Positioned,
    pub(super) data: AtExecution,
    before: Seen,
}

impl State {
    /// The rowset an operation is about.
    fn rowset(&self) -> Rowset {
        Rowset { size: self.rowset, fetched: self.fetched, extended: self.extended }
    }
}

impl Statement {
    pub(super) fn positioned(&self, call: &Call<'_>, driver_call: &dyn DriverCall) -> Outcome {
        let (id, asked, before, rebound) = {
            self.state.lock().application.refresh();
            let mut state = match self.resolved(driver_call) {
                Ok(state) => state,
                Err(error) => return unwritable(error),
            };
            let Some(id) = state.id else {
                drop(state);
                return perform(driver_call);
            };
            if let Err(error) = self.settle(&mut state, false) {
                return unwritable(error);
            }
            // The rows that come next are in no run with those before.
            (state.first, state.ended, state.scrolled) = (false, false, false);
            let rowset = state.rowset();
            let state = &mut *state;
            let types = types(&state.defaults);
            let asked = match Positioned::of(call, &state.application, rowset, &types) {
                Ok(asked) => asked,
                Err(refusal) => return refusal,
            };
            let before = asked.look(&state.application, rowset, &types);
            let rebound = asked.touches().and_then(|rows| {
                state.lent.prepare(&mut state.application, rows, |row, column| asked.sends(row, column))
            });
            (id, asked, before, rebound)
        };
        let lends = rebound.is_some();
        if let Err(refused) = self.lend_lengths(rebound.as_deref(), driver_call) {
            return refused;
        }
        let inputs = asked.values.iter().flatten().map(super8_cassette::Value::bytes).sum();
        if let Err(error) = self.connection.recorder().prepare(self.connection.id(), Some(id), inputs) {
            return unwritable(error);
        }
        self.then(driver_call, move |statement, outcome, _| {
            if lends {
                statement.take_lengths();
            }
            if outcome.rc == rc::NEED_DATA {
                let mut asked = asked;
                let waiting = std::mem::take(&mut asked.waiting);
                let data = AtExecution::new(Parameters::of_rows(asked.values.take().unwrap_or_default(), waiting));
                statement.state.lock().positioned = Some(Pending { id, asked, data, before });
                return outcome;
            }
            statement.done(id, &asked, before, outcome)
        })
    }

    /// SQLParamData for an operation that waits for data.
    pub(super) fn positioned_data(&self, mut pending: Pending, outcome: Outcome, token: Place) -> Outcome {
        pending.data.finish_value();
        if outcome.rc == rc::NEED_DATA {
            if let Err(error) = self.note_token(pending.data.asked_for(token.pointer_at())) {
                return unwritable(error);
            }
            self.state.lock().positioned = Some(pending);
            return outcome;
        }
        let Pending { id, mut asked, data, before } = pending;
        asked.values = Some(data.into_parameters().sets);
        self.done(id, &asked, before, outcome)
    }

    fn done(&self, id: u32, asked: &Positioned, before: Seen, outcome: Outcome) -> Outcome {
        let mut fields = asked.asked();
        {
            let mut state = self.state.lock();
            let state = &mut *state;
            let types = types(&state.defaults);
            let succeeded = rc::succeeded(outcome.rc);
            let length = |row, column| state.lent.said(row, column).map(|(length, _)| length);
            let rowset = (state.rowset(), &types as Types<'_>);
            fields.extend(asked.changes(&state.application, rowset, before, succeeded, length));
        }
        self.command(id, asked.method, fields, outcome)
    }
}

/// The C types of bound columns: behind SQL_C_DEFAULT stand those of `defaults`.
pub(super) fn types(defaults: &[(u16, CType)]) -> impl Fn(u16, &Binding) -> CType + '_ {
    |column, binding| match CType(binding.c_type) {
        CType::DEFAULT => defaults.iter().find(|(of, _)| *of == column).map_or(CType::CHAR, |(_, c_type)| *c_type),
        other => other,
    }
}
