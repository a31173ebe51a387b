//! Closing a cursor and cancelling, at replay.

use super::statement::Statement;
use crate::diagnostics::{Outcome, rc};
use crate::mode::keys::{ending_key, function_key};
use crate::mode::outcome::outcome;
use crate::table::Function;
use std::sync::atomic::Ordering;
use super8_cassette::{Entry, Method};

impl Statement {
    /// What came of a close or cancel: success, unless something else was recorded.
    fn ended(&self, id: Option<u32>, function: Function) -> Outcome {
        let call = self.endings.fetch_add(1, Ordering::Relaxed) + 1;
        let Some(id) = id else { return self.connection.local(function, || function_key(function)) };
        if !self.connection.player().has(Method::Answer) {
            return Outcome::SUCCESS;
        }
        match self.noted(id, &ending_key(function, call)) {
            Ok(Some(entry)) => outcome(|key| entry.get(key)),
            Ok(None) => Outcome::SUCCESS,
            Err(failure) => failure,
        }
    }

    pub(super) fn close(&self, function: Function) -> Outcome {
        let id = self.state.lock().id;
        let told = self.ended(id, function);
        if !rc::succeeded(told.rc) {
            return told;
        }
        let mut state = self.state.lock();
        state.streams.set_available(false);
        state.run = None;
        state.on_row = false;
        state.reading.forget();
        if let (Some(id), true) = (state.id, std::mem::take(&mut state.open)) {
            self.connection.player().housekeeping(&Entry::new(Method::Close, self.connection.id(), Some(id)));
        }
        told
    }

    /// SQLCancel: what waits for data is given up, if no other thread is at it.
    pub(super) fn cancel(&self, function: Function) -> Outcome {
        let id = self.state.try_lock().and_then(|mut state| {
            (state.waiting, state.positioned) = (None, None);
            state.streams.set_available(false);
            state.id
        });
        self.ended(id, function)
    }
}
