//! Closing a cursor and cancelling, while recording: where they happened, and what the driver had to say if it did not
//! simply agree.

use super::statement::Statement;
use super::{perform, unwritable};
use crate::call::DriverCall;
use crate::diagnostics::{Outcome, rc};
use crate::mode::keys::{CallKey, ending_key, function_key};
use crate::mode::outcome::push_outcome;
use crate::table::Function;
use std::sync::atomic::Ordering;
use super8_cassette::{Entry, Method};

impl Statement {
    pub(super) fn close(&self, function: Function, driver_call: &dyn DriverCall) -> Outcome {
        let outcome = perform(driver_call);
        let mut state = self.state.lock();
        let settled = self.settle(&mut state, false);
        let noted = match (state.id, state.open) {
            (Some(id), true) if rc::succeeded(outcome.rc) => {
                state.open = false;
                self.note(id, Method::Close)
            }
            _ => Ok(()),
        };
        state.streams.end();
        state.reading.forget();
        let id = state.id;
        drop(state);
        match settled.and(noted) {
            Ok(()) => self.ended(id, function, outcome),
            Err(error) => unwritable(error),
        }
    }

    /// SQLCancel, perhaps from another thread while a call on the statement is under way.
    pub(super) fn cancel(&self, function: Function, driver_call: &dyn DriverCall) -> Outcome {
        let id = self.state.try_lock().and_then(|mut state| {
            (state.waiting, state.positioned) = (None, None);
            state.streams.end();
            state.id
        });
        let outcome = perform(driver_call);
        match id.map_or(Ok(()), |id| self.note(id, Method::Cancel)) {
            Ok(()) => self.ended(id, function, outcome),
            Err(error) => unwritable(error),
        }
    }

    /// Notes a close or cancel that did not simply succeed.
    fn ended(&self, id: Option<u32>, function: Function, outcome: Outcome) -> Outcome {
        let call = self.endings.fetch_add(1, Ordering::Relaxed) + 1;
        match id {
            Some(id) if outcome.rc != rc::SUCCESS => {
                let mut fields = ending_key(function, call);
                push_outcome(&mut fields, &outcome, &self.connection.secrecy);
                let entry =
                    Entry { method: Method::Answer, connection: self.connection.id(), statement: Some(id), fields };
                self.connection.recorder().note(&entry).map_or_else(unwritable, |()| outcome)
            }
            Some(_) => outcome,
            None => self.connection.note_local(CallKey::of([function as u64]), || function_key(function), outcome),
        }
    }
}
