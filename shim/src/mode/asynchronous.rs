//! Statements whose calls may return SQL_STILL_EXECUTING. While recording, what was watched before the first call is
//! kept until the last one, and the outcome is recorded only then. At replay the calls return SQL_STILL_EXECUTING as
//! often as they did when recorded.

use crate::call::{CLOSE, Call, DriverCall, local_calls};
use crate::diagnostics::{Outcome, rc};
use crate::mode::keys::{local_call, local_key};
use crate::mode::outcome::{catalog_fields, recorded_outcome};
use crate::mode::polling::{is_aside, may_poll, meanwhile_key, polls_key};
use crate::mode::record::{Recorded, perform, unwritable};
use crate::mode::replay::Replayed;
use crate::mode::statement::Statement;
use crate::table::Function;
use super8_cassette::{Fields, Key, Method};

impl Statement<Recorded> {
    /// Serves a call that may return SQL_STILL_EXECUTING, or that is made while another one is executing.
    pub(super) fn polled(&self, function: Function, call: &Call<'_>, driver_call: &dyn DriverCall) -> Outcome {
        if is_aside(function, call) {
            return self.serve_call(function, call, driver_call);
        }
        let (executing, after) = {
            let mut state = self.state.lock();
            match state.polls.executing() {
                Some(executing) if executing != function => (Some(executing), None),
                executing => (executing, state.own.after.take()),
            }
        };
        match (executing, after) {
            (Some(executing), _) if executing != function => self.meanwhile(function, executing, call, driver_call),
            (Some(_), Some(after)) => {
                let outcome = perform(driver_call);
                if outcome.rc == rc::STILL_EXECUTING {
                    self.state.lock().own.after = Some(after);
                    return self.counted(function, outcome);
                }
                let outcome = after.done(self, outcome, driver_call);
                self.counted(function, outcome)
            }
            _ => {
                let outcome = self.serve_call(function, call, driver_call);
                self.counted(function, outcome)
            }
        }
    }

    /// Counts a poll, or records how many there were once the call is done.
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

    /// Serves another call than the one that is still executing: it cancels, or drivers refuse it.
    fn meanwhile(
        &self,
        function: Function,
        executing: Function,
        call: &Call<'_>,
        driver_call: &dyn DriverCall,
    ) -> Outcome {
        let outcome = perform(driver_call);
        let id = self.state.lock().id;
        match call {
            Call::Cancel => {
                if let Err(error) = id.map_or(Ok(()), |id| self.note(id, Method::Cancel)) {
                    return unwritable(error);
                }
            }
            Call::CloseCursor | Call::FreeStmt { option: CLOSE } if rc::succeeded(outcome.rc) => {
                {
                    let mut state = self.state.lock();
                    if let Some(after) = state.own.after.take() {
                        after.give_up();
                    }
                    // The execution that was given up is no command, but it has a number at replay as well.
                    state.open = true;
                }
                let noted = self.counted(executing, Outcome::SUCCESS);
                if noted != Outcome::SUCCESS {
                    return noted;
                }
                let closed = self.closed(function, Outcome::SUCCESS);
                if closed != Outcome::SUCCESS {
                    return closed;
                }
            }
            local_calls!() if rc::succeeded(outcome.rc) => {
                self.take_in_recorded(call);
                if outcome.rc == rc::SUCCESS {
                    let short = local_call(function, None, call);
                    return self.connection.note_local(short, || local_key(function, None, call), outcome);
                }
            }
            _ if !matches!(outcome.rc, rc::ERROR | rc::INVALID_HANDLE) => {
                // The outcome of the call that was executing is lost.
                let (function, executing) = (function.name(), executing.name());
                let text = format!("record: the driver did {function} while {executing} was still executing");
                return Outcome::error("HY000", format!("{text}; use SUPER8_MODE=off for this program"));
            }
            _ => {}
        }
        match outcome.rc {
            rc::SUCCESS => outcome,
            _ => self.connection.keep_info(meanwhile_key(self.connection.id(), id, function, executing), None, outcome),
        }
    }
}

impl Statement<Replayed> {
    /// Returns the outcome that says that this call, or another one, is still executing; `None` if the call is to be
    /// served.
    pub(super) fn still_executing(&self, function: Function, call: &Call<'_>) -> Option<Outcome> {
        if let Call::Run { sql } | Call::Prepare { sql } = call
            && let Err(refused) = self.connection.first_text(sql)
        {
            return Some(refused);
        }
        if is_aside(function, call) {
            return None;
        }
        let mut state = match call {
            // SQLCancel waits for nobody.
            Call::Cancel => self.state.try_lock()?,
            _ => self.state.lock(),
        };
        match state.polls.executing() {
            Some(executing) if executing != function => {
                drop(state);
                return self.meanwhile(function, executing, call);
            }
            Some(_) => {}
            None if !may_poll(call) => return None,
            None => {
                state.own.given = match call {
                    Call::Run { sql } | Call::Prepare { sql } => {
                        let prepares = matches!(call, Call::Prepare { .. });
                        let method = if prepares { Method::Prepare } else { Method::Run };
                        Some(self.new_text(
                            &mut state,
                            method,
                            &Fields::from([(Key::Sql, sql.read().unwrap_or_default().into())]),
                        ))
                    }
                    Call::Catalog { arguments } => {
                        Some(self.new_text(&mut state, Method::Catalog, &catalog_fields(function, arguments)))
                    }
                    _ => state.own.given,
                };
                let call = state.polls.next(function);
                match self.connection.recorded_polls(state.id, function, call) {
                    Ok(times) => state.polls.begin(function, times),
                    Err(failure) => return Some(failure),
                }
            }
        }
        state.polls.poll().then(|| Outcome::of(rc::STILL_EXECUTING))
    }

    /// Answers another call than the one that is still executing; `None` for a close, which is served as usual.
    fn meanwhile(&self, function: Function, executing: Function, call: &Call<'_>) -> Option<Outcome> {
        let id = self.state.lock().id;
        match self.connection.recorded_info(&meanwhile_key(self.connection.id(), id, function, executing)) {
            Ok(Some(answer)) => Some(recorded_outcome(|key| answer.get(key))),
            Ok(None) => match call {
                Call::Cancel => Some(Outcome::SUCCESS),
                Call::CloseCursor | Call::FreeStmt { option: CLOSE } => {
                    let mut state = self.state.lock();
                    (state.own.given, state.run) = (None, None);
                    state.polls.give_up();
                    None
                }
                local_calls!() => Some(self.local(function, call)),
                _ => Some(Outcome::error("HY010", format!("{} is still executing", executing.name()))),
            },
            Err(failure) => Some(failure),
        }
    }
}
