//! A replayed statement whose calls may say SQL_STILL_EXECUTING: as often as it was recorded, and then what came of it.

use super::statement::Statement;
use crate::call::{Call, local_calls};
use crate::diagnostics::{Outcome, rc};
use crate::mode::outcome::{catalog_fields, outcome};
use crate::mode::polling::{is_aside, may_poll, meanwhile_key};
use crate::table::Function;
use std::sync::atomic::Ordering;
use super8_cassette::{Fields, Key, Method};

impl Statement {
    /// Whether calls may say SQL_STILL_EXECUTING.
    pub(super) fn is_asynchronous(&self) -> bool {
        self.asynchronous.load(Ordering::Relaxed) || self.connection.is_asynchronous()
    }

    /// What to say instead of serving the call: that it, or another one, is still executing.
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
            // It waits for nobody.
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
                state.given = match call {
                    Call::Run { sql } | Call::Prepare { sql } => {
                        let prepares = matches!(call, Call::Prepare { .. });
                        let method = if prepares { Method::Prepare } else { Method::Run };
                        Some(self.new_text(&mut state, method, &Fields::from([(Key::Sql, self.sql(sql))])))
                    }
                    Call::Catalog { arguments } => {
                        Some(self.new_text(&mut state, Method::Catalog, &catalog_fields(function, arguments)))
                    }
                    _ => state.given,
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

    /// Another call than the one that is still executing; cancelling goes its own way.
    fn meanwhile(&self, function: Function, executing: Function, call: &Call<'_>) -> Option<Outcome> {
        const CLOSE: u16 = odbc_sys::FreeStmtOption::Close as u16;
        let id = self.state.lock().id;
        match self.connection.informed(&meanwhile_key(self.connection.id(), id, function, executing)) {
            Ok(Some(answer)) => Some(outcome(|key| answer.get(key))),
            Ok(None) => match call {
                Call::Cancel => Some(Outcome::SUCCESS),
                Call::CloseCursor | Call::FreeStmt { option: CLOSE } => {
                    let mut state = self.state.lock();
                    (state.given, state.run) = (None, None);
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
