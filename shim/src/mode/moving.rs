//! Connections that outlive their cassette. The cassette's name can change while a connection is open, when another
//! test runs or another cassette is inserted. Then the connection goes on in the new cassette with its next command, if
//! it is idle: no transaction and no result is open. It begins there with its connect and with what the application has
//! set, so that the cassette can be replayed by a new connection or by one that comes from yet another cassette.
//!
//! Calls and their outcomes tell whether a connection is idle. They are the same while recording and at replay.

use super::connection_cassette::ConnectionCassette;
use crate::args::Out;
use crate::call::{CLOSE, Call};
use crate::cassettes::{Origin, warn_at_end};
use crate::diagnostics::{Outcome, rc};
use crate::table::Function;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use super8_cassette::{Entry, Key, Value};

/// SQL_ATTR_AUTOCOMMIT.
const AUTOCOMMIT: i32 = 102;

/// What a connection needs to know to go on in another cassette.
#[derive(Default)]
pub(super) struct Moves {
    /// How often the connection moved to another cassette.
    times: AtomicU32,
    /// How many statements have a result or wait for data.
    busy: AtomicU32,
    /// Whether the application ends transactions itself (autocommit is off).
    manual: AtomicBool,
    /// Whether something was done in a transaction that has not ended.
    in_transaction: AtomicBool,
    /// Whether the warning that the connection cannot move was given.
    said: AtomicBool,
    /// The attributes that the application has set, as commands: the last value of each, in the order in which they
    /// were first set.
    set: Mutex<Vec<Entry>>,
}

/// How a statement is used.
pub(super) struct Use {
    busy: AtomicBool,
    /// How often its connection had moved when the statement was last used.
    moves: AtomicU32,
}

impl Moves {
    /// Returns the use of a new statement.
    pub(super) fn statement(&self) -> Use {
        Use { busy: AtomicBool::new(false), moves: AtomicU32::new(self.times()) }
    }

    /// Returns how often the connection has moved.
    #[inline]
    fn times(&self) -> u32 {
        self.times.load(Ordering::Relaxed)
    }

    /// Notes that the connection goes on elsewhere.
    pub(super) fn moved(&self) {
        self.times.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns what the application has set on a connection that was made with this connect, the last value of each
    /// attribute. Autocommit that is on again, as ODBC begins, is left out, so that a cassette does not depend on what
    /// came before it; unless the connect itself asked for autocommit.
    pub(super) fn set(&self, connect: &Entry) -> Vec<Entry> {
        let asked = connect.get(Key::Attributes).is_some_and(|attributes| attributes.get("autocommit").is_some());
        let counts = |set: &&Entry| {
            let is_autocommit = set.get(Key::Attribute).and_then(Value::as_text) == Some("autocommit");
            asked || !(is_autocommit && set.get(Key::Value).and_then(Value::as_int) == Some(1))
        };
        self.set.lock().iter().filter(counts).cloned().collect()
    }

    /// Notes an attribute that reaches the database.
    pub(super) fn sets(&self, command: &Entry) {
        let mut set = self.set.lock();
        let attribute = command.get(Key::Attribute);
        match set.iter_mut().find(|known| known.get(Key::Attribute) == attribute) {
            Some(known) => known.clone_from(command),
            None => set.push(command.clone()),
        }
    }

    /// Notes an attribute that was set to a number, before or after the connection was made.
    pub(super) fn sets_number(&self, attribute: i32, value: usize) {
        if attribute == AUTOCOMMIT {
            self.manual.store(value == 0, Ordering::Relaxed);
            // Switching autocommit on ends a transaction.
            self.transaction_ends();
        }
    }

    /// Notes that a transaction has ended.
    pub(super) fn transaction_ends(&self) {
        self.in_transaction.store(false, Ordering::Relaxed);
    }

    /// Returns the origin of the cassette in which the connection is to go on with the current command, if it has to
    /// and is idle. `statement` is the one that the command comes from, if any; its own result does not count.
    pub(super) fn next<C>(&self, home: &ConnectionCassette<C>, statement: Option<&Use>) -> Option<Origin> {
        if !home.may_have_changed() {
            return None;
        }
        let origin = home.origin();
        let next = origin.lock().elsewhere()?;
        let own = statement.is_some_and(|statement| statement.busy.load(Ordering::Relaxed));
        let others = self.busy.load(Ordering::Relaxed).saturating_sub(u32::from(own));
        if others == 0 && !self.in_transaction.load(Ordering::Relaxed) {
            return Some(next);
        }
        home.ask_again();
        if !self.said.swap(true, Ordering::Relaxed) {
            let origin = origin.lock();
            let text = format!(
                "super8: a connection that was opened for {} is used by {} in the middle of a transaction or of a result: what it \
                 does stays in the cassette of the former; end the transaction and close the result between the two",
                origin.shown(),
                next.shown()
            );
            warn_at_end(origin.log(), text);
        }
        None
    }

    /// Notes the outcome of a statement's call.
    #[inline]
    pub(super) fn done(&self, used: &Use, function: Function, call: &Call<'_>, outcome: &Outcome) {
        let succeeded = rc::succeeded(outcome.rc);
        let waits = matches!(outcome.rc, rc::NEED_DATA | rc::STILL_EXECUTING | rc::PARAM_DATA_AVAILABLE);
        let busy = match call {
            Call::Run { .. } | Call::Execute | Call::Catalog { .. } | Call::ParamData { .. } => {
                if self.manual.load(Ordering::Relaxed) {
                    self.in_transaction.store(true, Ordering::Relaxed);
                }
                succeeded || waits
            }
            Call::MoreResults => succeeded || waits,
            Call::Fetch | Call::FetchScroll { .. } | Call::ExtendedFetch { .. } if outcome.rc == rc::NO_DATA => false,
            Call::CloseCursor | Call::FreeStmt { option: CLOSE } => false,
            Call::Ask(question) if function == Function::SQLNumResultCols && succeeded => {
                match question.outputs.first() {
                    // The statement has no result.
                    Some((_, Out::Number(columns))) if columns.value() == 0 => false,
                    _ => return,
                }
            }
            _ => return,
        };
        self.is_busy(used, busy);
    }

    /// Notes whether a statement has a result or waits for data.
    fn is_busy(&self, used: &Use, busy: bool) {
        if used.busy.swap(busy, Ordering::Relaxed) != busy {
            match busy {
                true => self.busy.fetch_add(1, Ordering::Relaxed),
                false => self.busy.fetch_sub(1, Ordering::Relaxed),
            };
        }
    }

    /// Notes that a statement goes on where its connection is.
    pub(super) fn followed(&self, used: &Use) {
        self.is_busy(used, false);
        used.moves.store(self.times(), Ordering::Relaxed);
    }

    /// Notes that a statement was freed.
    pub(super) fn freed(&self, used: &Use) {
        self.is_busy(used, false);
    }
}

/// Returns whether a statement's call begins something in the database.
pub(super) fn gives_command(call: &Call<'_>) -> bool {
    matches!(call, Call::Run { .. } | Call::Prepare { .. } | Call::Execute | Call::Catalog { .. })
}

/// Returns whether a call only ends what a statement has from another cassette, or from the parent of a forked child.
pub(super) fn lets_go(call: &Call<'_>, is_forked: bool) -> bool {
    const DROP: u16 = 1;
    match call {
        Call::FreeStmt { option: CLOSE | DROP } | Call::Cancel => true,
        Call::CloseCursor => !is_forked,
        _ => false,
    }
}

impl Use {
    /// Returns whether the statement is in the connection's current cassette.
    #[inline]
    pub(super) fn is_at(&self, moves: &Moves) -> bool {
        self.moves.load(Ordering::Relaxed) == moves.times()
    }
}
