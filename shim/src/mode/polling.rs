//! Asynchronous execution by polling: a call returns SQL_STILL_EXECUTING and is made again until it is done.
//!
//! That answer is no result. The command is recorded once, when it is done; how often it was polled is recorded beside
//! the commands, and replay returns SQL_STILL_EXECUTING as often. ODBC reference: "Asynchronous Execution (Polling
//! Method)".

use crate::call::{Call, local_calls};
use crate::table::Function;
use super8_cassette::{ConnectionId, Fields, Key, Value};

/// SQL_ATTR_ASYNC_ENABLE of a connection: applies to all its statements.
pub const ASYNC_ENABLE: i32 = odbc_sys::ConnectionAttribute::ASYNC_ENABLE.0;
/// SQL_ATTR_ASYNC_DBC_FUNCTIONS_ENABLE: applies to the functions on the connection itself.
pub const ASYNC_FUNCTIONS: i32 = 117;

/// How many calls of a connection, or of a statement's current text, were completed, by function; and the call that is
/// still executing.
#[derive(Default)]
pub struct Polls {
    done: Vec<(Function, u32)>,
    /// While recording, how often it returned SQL_STILL_EXECUTING; at replay, how often it still will.
    executing: Option<(Function, u32)>,
}

impl Polls {
    /// Returns the function that is still executing.
    pub fn executing(&self) -> Option<Function> {
        self.executing.map(|(function, _)| function)
    }

    /// Counts calls anew, because there is another text.
    pub fn another_text(&mut self) {
        self.done.clear();
    }

    /// Counts another SQL_STILL_EXECUTING of the call.
    pub fn again(&mut self, function: Function) {
        self.executing = Some((function, self.executing.map_or(0, |(_, polls)| polls) + 1));
    }

    /// Ends the call. Returns its number among those of the function, and how often it was polled.
    pub fn done(&mut self, function: Function) -> (u32, u32) {
        let polls = self.executing.take().map_or(0, |(_, polls)| polls);
        (self.count(function), polls)
    }

    /// Gives up the call that is still executing: nobody will ask for its outcome.
    pub fn give_up(&mut self) {
        if let Some((function, _)) = self.executing.take() {
            self.count(function);
        }
    }

    /// Returns the number of the function's next call.
    pub fn next(&self, function: Function) -> u32 {
        self.done.iter().find(|(known, _)| *known == function).map_or(0, |(_, calls)| *calls) + 1
    }

    /// Begins a call that will return SQL_STILL_EXECUTING this many times.
    pub fn begin(&mut self, function: Function, polls: u32) {
        self.executing = Some((function, polls));
    }

    /// Returns whether the call that was begun has to return SQL_STILL_EXECUTING now. If not, it is done.
    pub fn poll(&mut self) -> bool {
        match &mut self.executing {
            Some((_, left @ 1..)) => {
                *left -= 1;
                true
            }
            Some((function, _)) => {
                let function = *function;
                self.executing = None;
                self.count(function);
                false
            }
            None => false,
        }
    }

    fn count(&mut self, function: Function) -> u32 {
        let number = self.next(function);
        match self.done.iter_mut().find(|(known, _)| *known == function) {
            Some((_, calls)) => *calls = number,
            None => self.done.push((function, number)),
        }
        number
    }
}

/// Returns whether a call may run asynchronously.
pub fn may_poll(call: &Call<'_>) -> bool {
    !matches!(call, local_calls!() | Call::Cancel | Call::CloseCursor)
}

/// Returns whether a call is served whatever is executing: it asks for an address, or about the execution itself.
pub fn is_aside(function: Function, call: &Call<'_>) -> bool {
    function == Function::SQLGetDiagField || matches!(call, Call::Ask(question) if question.is_address())
}

/// Returns the key for how often a call was polled: the function's n-th of the statement, or of the connection itself.
pub fn polls_key(connection: ConnectionId, statement: Option<u32>, function: Function, call: u32) -> Fields {
    about(
        "still_executing",
        connection,
        statement,
        Fields::from([(Key::Function, function.name().into()), (Key::Call, call.into())]),
    )
}

/// Returns the key for the outcome of a call that was made while another one was still executing.
pub fn meanwhile_key(
    connection: ConnectionId,
    statement: Option<u32>,
    function: Function,
    executing: Function,
) -> Fields {
    let functions = Fields::from([(Key::Function, function.name().into()), (Key::Executing, executing.name().into())]);
    about("meanwhile", connection, statement, functions)
}

fn about(what: &str, connection: ConnectionId, statement: Option<u32>, more: Fields) -> Fields {
    let mut key = Fields::from([
        (Key::About, Value::from(what)),
        (Key::ConnectionId, Value::Text(connection.to_string())),
        (Key::StatementId, statement.into()),
    ]);
    key.extend(more);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_recorded_is_replayed() {
        let (fetch, execute) = (Function::SQLFetch, Function::SQLExecute);
        let mut recorded = Polls::default();
        recorded.again(execute);
        recorded.again(execute);
        assert_eq!(recorded.executing(), Some(execute));
        assert_eq!(recorded.done(execute), (1, 2));
        assert_eq!(recorded.done(fetch), (1, 0));
        recorded.again(fetch);
        assert_eq!(recorded.done(fetch), (2, 1));
        assert_eq!(recorded.executing(), None);

        let mut replayed = Polls::default();
        assert_eq!(replayed.next(fetch), 1);
        replayed.begin(fetch, 0);
        assert!(!replayed.poll() && replayed.executing().is_none());
        assert_eq!(replayed.next(fetch), 2);
        replayed.begin(fetch, 2);
        assert!(replayed.poll() && replayed.poll() && !replayed.poll() && !replayed.poll());
        assert_eq!((replayed.next(fetch), replayed.next(execute)), (3, 1));
        replayed.another_text();
        assert_eq!(replayed.next(fetch), 1);
    }
}
