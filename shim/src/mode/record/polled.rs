//! A recorded statement whose calls may say SQL_STILL_EXECUTING: what was looked at before the first call is kept until
//! the last one, and only then it is recorded what came of it.

use super::statement::Statement;
use super::{perform, unwritable};
use crate::call::{Call, DriverCall, local_calls};
use crate::diagnostics::{Outcome, rc};
use crate::mode::keys::{local_call, local_key};
use crate::mode::polling::{is_aside, meanwhile_key, polls_key};
use crate::table::Function;
use std::sync::atomic::Ordering;
use super8_cassette::{Key, Method};

/// What recording does with the outcome of a call.
pub(super) type After = Box<dyn FnOnce(&Statement, Outcome, &dyn DriverCall) -> Outcome + Send>;

impl Statement {
    /// Whether calls may say SQL_STILL_EXECUTING.
    pub(super) fn is_asynchronous(&self) -> bool {
        self.asynchronous.load(Ordering::Relaxed) || self.connection.is_asynchronous()
    }

    /// Does the driver call and then `after`; where the driver is still executing, once it is done.
    pub(super) fn then(
        &self,
        driver_call: &dyn DriverCall,
        after: impl FnOnce(&Statement, Outcome, &dyn DriverCall) -> Outcome + Send + 'static,
    ) -> Outcome {
        let outcome = perform(driver_call);
        if outcome.rc == rc::STILL_EXECUTING {
            self.state.lock().after = Some(Box::new(after));
            return outcome;
        }
        after(self, outcome, driver_call)
    }

    /// Serves a call that may say SQL_STILL_EXECUTING, or that is made while another one does.
    pub(super) fn polled(&self, function: Function, call: &Call<'_>, driver_call: &dyn DriverCall) -> Outcome {
        if is_aside(function, call) {
            return self.serve_call(function, call, driver_call);
        }
        let (executing, after) = {
            let mut state = self.state.lock();
            match state.polls.executing() {
                Some(executing) if executing != function => (Some(executing), None),
                executing => (executing, state.after.take()),
            }
        };
        match (executing, after) {
            (Some(executing), _) if executing != function => self.meanwhile(function, executing, call, driver_call),
            (Some(_), Some(after)) => {
                let outcome = perform(driver_call);
                if outcome.rc == rc::STILL_EXECUTING {
                    self.state.lock().after = Some(after);
                    return self.counted(function, outcome);
                }
                let outcome = after(self, outcome, driver_call);
                self.counted(function, outcome)
            }
            _ => {
                let outcome = self.serve_call(function, call, driver_call);
                self.counted(function, outcome)
            }
        }
    }

    /// Takes note of a poll, or of how many there were.
    fn counted(&self, function: Function, outcome: Outcome) -> Outcome {
        let mut state = self.state.lock();
        if outcome.rc == rc::STILL_EXECUTING {
            state.polls.again(function);
            return outcome;
        }
        let (call, polls) = state.polls.done(function);
        let mut fact = polls_key(self.connection.id(), state.id, function, call);
        drop(state);
        if polls == 0 {
            return outcome;
        }
        fact.push((Key::Result, polls.into()));
        let noted = self.connection.recorder().info(self.connection.id(), fact);
        noted.map_or_else(unwritable, |()| outcome)
    }

    /// Another call than the one that is still executing: cancelling, or one that drivers refuse.
    fn meanwhile(
        &self,
        function: Function,
        executing: Function,
        call: &Call<'_>,
        driver_call: &dyn DriverCall,
    ) -> Outcome {
        const CLOSE: u16 = odbc_sys::FreeStmtOption::Close as u16;
        let outcome = perform(driver_call);
        let id = self.state.lock().id;
        match call {
            Call::Cancel => {
                if let Err(error) = id.map_or(Ok(()), |id| self.note(id, Method::Cancel)) {
                    return unwritable(error);
                }
            }
            Call::CloseCursor | Call::FreeStmt { option: CLOSE } if rc::succeeded(outcome.rc) => {
                self.endings.fetch_add(1, Ordering::Relaxed);
                let mut state = self.state.lock();
                state.after = None;
                state.polls.give_up();
            }
            local_calls!() if rc::succeeded(outcome.rc) => {
                self.take_in(call);
                if outcome.rc == rc::SUCCESS {
                    let short = local_call(function, None, call);
                    return self.connection.note_local(short, || local_key(function, None, call), outcome);
                }
            }
            _ if !matches!(outcome.rc, rc::ERROR | rc::INVALID_HANDLE) => {
                // Whatever came of the other call is not known any more.
                let (function, executing) = (function.name(), executing.name());
                let text = format!("record: the driver did {function} while {executing} was still executing");
                return Outcome::error("HY000", format!("{text}; use SUPER8_MODE=off for this program"));
            }
            _ => {}
        }
        match outcome.rc {
            rc::SUCCESS => outcome,
            _ => self.connection.inform(meanwhile_key(self.connection.id(), id, function, executing), None, outcome),
        }
    }
}
