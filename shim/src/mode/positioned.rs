//! SQLSetPos and SQLBulkOperations. What the program asks for and sends is recorded or compared. What the driver
//! changed is recorded, or written again at replay.

use crate::args::{Binding, Place, Watched};
use crate::call::{Call, DriverCall};
use crate::convert::CType;
use crate::diagnostics::{Outcome, rc};
use crate::mode::bindings::bound_types;
use crate::mode::fetch::recorded_type;
use crate::mode::keys::left_out_key;
use crate::mode::operation::{Positioned, Types, WaitingOperation, WatchedOperation};
use crate::mode::outcome::recorded_outcome;
use crate::mode::record::{Recorded, perform, unwritable};
use crate::mode::replay::Replayed;
use crate::mode::statement::{State, Statement};
use super8_cassette::Entry;

impl Statement<Recorded> {
    pub(super) fn positioned(&self, call: &Call<'_>, driver_call: &dyn DriverCall) -> Outcome {
        let (id, mut asked, watched, rebound) = {
            self.state.lock().application.refresh();
            let mut state = match self.resolved(driver_call) {
                Ok(state) => state,
                Err(error) => return unwritable(error),
            };
            let Some(id) = state.id else {
                drop(state);
                return perform(driver_call);
            };
            if let Err(error) = self.finish_result(&mut state, false) {
                return unwritable(error);
            }
            // The rows that come next belong to no run together with the rows before.
            (state.own.first, state.own.ended, state.own.scrolled) = (false, false, false);
            let rowset = state.rowset();
            let state = &mut *state;
            let types = bound_types(&state.own.defaults);
            let asked = match Positioned::of(call, &state.application, rowset, &types) {
                Ok(asked) => asked,
                Err(refusal) => return refusal,
            };
            let watched = asked.watch(&state.application, rowset, &types);
            let rebound = asked.touches().and_then(|rows| {
                state.own.lent.prepare(&mut state.application, rows, |row, column| asked.sends(row, column))
            });
            (id, asked, watched, rebound)
        };
        let lends = rebound.is_some();
        if let Err(refused) = self.lend_lengths(rebound.as_deref(), driver_call) {
            watched.give_up();
            return refused;
        }
        let inputs = asked.values.iter().flatten().map(super8_cassette::Value::bytes).sum();
        let (recorder, connection) = (self.connection.recorder(), self.connection.id());
        let entry = || Entry { fields: asked.asked(), ..Entry::new(asked.method, connection, Some(id)) };
        let prepared = recorder.fits(inputs, entry).and_then(|()| recorder.prepare(connection, Some(id), inputs));
        if let Err(error) = prepared.and_then(|()| asked.leave_out(|part| self.note_left_out(part, driver_call))) {
            watched.give_up();
            return unwritable(error);
        }
        self.then(driver_call, watched, move |statement, watched, outcome, _| {
            if lends {
                statement.take_lengths();
            }
            if outcome.rc == rc::NEED_DATA {
                let data = asked.take_values();
                statement.state.lock().positioned = Some(WaitingOperation { id, asked, data, watched });
                return outcome;
            }
            statement.done(id, asked, watched, outcome)
        })
    }

    /// Serves SQLParamData for an operation that waits for data.
    pub(super) fn positioned_data(&self, mut pending: WaitingOperation, outcome: Outcome, token: Place) -> Outcome {
        pending.data.finish_value();
        if outcome.rc == rc::NEED_DATA {
            if let Err(error) = self.note_token(pending.data.asked_for(token.pointer_at())) {
                return unwritable(error);
            }
            self.state.lock().positioned = Some(pending);
            return outcome;
        }
        let WaitingOperation { id, mut asked, data, watched } = pending;
        asked.put_back(data);
        self.done(id, asked, watched, outcome)
    }

    fn done(&self, id: u32, mut asked: Positioned, watched: WatchedOperation, outcome: Outcome) -> Outcome {
        let changes = {
            let mut state = self.state.lock();
            let state = &mut *state;
            let types = bound_types(&state.own.defaults);
            let succeeded = rc::succeeded(outcome.rc);
            let length = |row, column| state.own.lent.said(row, column).map(|(length, _)| length);
            let rowset = (state.rowset(), &types as Types<'_>);
            asked.changes(&state.application, rowset, watched, succeeded, length)
        };
        let mut fields = asked.asked();
        fields.extend(changes);
        self.command(id, asked.method, fields, outcome)
    }
}

impl Statement<Replayed> {
    pub(super) fn positioned(&self, call: &Call<'_>) -> Outcome {
        let mut state = self.state.lock();
        state.application.refresh();
        let rowset = state.rowset();
        let asked =
            Positioned::of(call, &state.application, rowset, &|column, binding| bound_type(&state, column, binding));
        let mut asked = match asked {
            Ok(asked) => asked,
            Err(refusal) => return refusal,
        };
        let left_out = |part| Ok(self.connection.local_outcome(&left_out_key(part))?.is_some());
        if let Err(failure) = asked.leave_out(left_out) {
            return failure;
        }
        // Some drivers never ask for the data and go on without it.
        if asked.waiting.is_empty() || self.expects_operation(&state, &asked) {
            return self.done(&mut state, asked);
        }
        let Some(id) = state.id else { return Outcome::error("24000", "there is no rowset") };
        let data = asked.take_values();
        state.positioned = Some(WaitingOperation { id, asked, data, watched: WatchedOperation::default() });
        Outcome::of(rc::NEED_DATA)
    }

    /// Serves SQLParamData for an operation that waits for data; `None` if none does.
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
        let WaitingOperation { mut asked, data, .. } = state.positioned.take()?;
        asked.put_back(data);
        Some(self.done(&mut state, asked))
    }

    /// Returns whether the next recorded command is this operation.
    fn expects_operation(&self, state: &State<Replayed>, asked: &Positioned) -> bool {
        let entry = Entry { fields: asked.asked(), ..Entry::new(asked.method, self.connection.id(), state.id) };
        self.connection.player().expects(&entry)
    }

    fn done(&self, state: &mut State<Replayed>, mut asked: Positioned) -> Outcome {
        let Some(id) = state.id else { return Outcome::error("24000", "there is no rowset") };
        if asked.structures.has_numerics() && !self.expects_operation(state, &asked) {
            let as_sent = asked.values.clone();
            asked.values.as_mut().into_iter().for_each(|sets| asked.structures.by_descriptor(sets));
            if !self.expects_operation(state, &asked) {
                asked.values = as_sent;
            }
        }
        let on_row = state.own.on_row;
        match self.command(state, id, asked.method, asked.asked()) {
            Ok(recorded) => {
                let outcome = recorded_outcome(|key| recorded.get(key));
                asked.replay(&state.application, state.rowset(), |key| recorded.get(key));
                // What SQLGetData reads from here on was recorded apart from the rows.
                state.own.on_row = on_row || (rc::succeeded(outcome.rc) && state.fetched > 0);
                outcome
            }
            Err(failure) => failure,
        }
    }
}

/// Returns the C type of a bound column. SQL_C_DEFAULT is the type that it was when the rows were recorded.
fn bound_type(state: &State<Replayed>, column: u16, binding: &Binding) -> CType {
    match CType(binding.c_type) {
        CType::DEFAULT => recorded_type(state, usize::from(column).saturating_sub(state.application.first_column())),
        other => other,
    }
}
