//! A connection that outlives its cassette. Where the cassette's name changes while a connection is open (another test runs, another
//! cassette is inserted), the connection goes on in the new one with its next command, if it is idle: no transaction is open, and no
//! result. It begins there with its connect and what the application has set, so that the cassette can be replayed by a connection
//! that is new, or that comes from yet another cassette.
//!
//! Whether a connection is idle is told by its calls and their outcomes, which are the same while recording and at replay.

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
    /// How often it did.
    times: AtomicU32,
    /// Statements that have a result, or wait for data.
    busy: AtomicU32,
    /// The application ends transactions itself.
    manual: AtomicBool,
    /// Something was done in a transaction that has not ended.
    in_transaction: AtomicBool,
    /// It was said that it cannot.
    said: AtomicBool,
    /// The attributes that the application has set, as commands: the last of each, in the order of the first.
    set: Mutex<Vec<Entry>>,
}

/// What a statement does.
pub(super) struct Use {
    busy: AtomicBool,
    /// How often its connection had moved when it was used last.
    moves: AtomicU32,
}

impl Moves {
    /// A new statement's use.
    pub(super) fn statement(&self) -> Use {
        Use { busy: AtomicBool::new(false), moves: AtomicU32::new(self.times()) }
    }

    /// How often the connection has moved.
    #[inline]
    fn times(&self) -> u32 {
        self.times.load(Ordering::Relaxed)
    }

    /// The connection goes on elsewhere.
    pub(super) fn moved(&self) {
        self.times.fetch_add(1, Ordering::Relaxed);
    }

    /// What the application has set on a connection that was made like this: the last of each attribute. Where it went back to
    /// how ODBC begins (autocommit on), there is nothing to set, so that a cassette does not depend on what came before it.
    pub(super) fn set(&self, connect: &Entry) -> Vec<Entry> {
        let asked = connect.get(Key::Attributes).is_some_and(|attributes| attributes.get("autocommit").is_some());
        let counts = |set: &&Entry| {
            let is_autocommit = set.get(Key::Attribute).and_then(Value::as_text) == Some("autocommit");
            asked || !(is_autocommit && set.get(Key::Value).and_then(Value::as_int) == Some(1))
        };
        self.set.lock().iter().filter(counts).cloned().collect()
    }

    /// The application has set an attribute that reaches the database.
    pub(super) fn sets(&self, command: &Entry) {
        let mut set = self.set.lock();
        let attribute = command.get(Key::Attribute);
        match set.iter_mut().find(|known| known.get(Key::Attribute) == attribute) {
            Some(known) => known.clone_from(command),
            None => set.push(command.clone()),
        }
    }

    /// The application has set an attribute to a number, before or after the connection was made.
    pub(super) fn sets_number(&self, attribute: i32, value: usize) {
        if attribute == AUTOCOMMIT {
            self.manual.store(value == 0, Ordering::Relaxed);
            // switching it on ends a transaction
            self.transaction_ends();
        }
    }

    /// A transaction has ended.
    pub(super) fn transaction_ends(&self) {
        self.in_transaction.store(false, Ordering::Relaxed);
    }

    /// The origin of the cassette that the connection is to go on in with the command at hand, of this statement if it is one's.
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

    /// Takes note of what came of a statement's call.
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
                    // a statement without a result
                    Some((_, Out::Number(columns))) if columns.value() == 0 => false,
                    _ => return,
                }
            }
            _ => return,
        };
        self.is_busy(used, busy);
    }

    /// Whether a statement has a result, or waits for data.
    fn is_busy(&self, used: &Use, busy: bool) {
        if used.busy.swap(busy, Ordering::Relaxed) != busy {
            match busy {
                true => self.busy.fetch_add(1, Ordering::Relaxed),
                false => self.busy.fetch_sub(1, Ordering::Relaxed),
            };
        }
    }

    /// A statement goes on where the connection is.
    pub(super) fn followed(&self, used: &Use) {
        self.is_busy(used, false);
        used.moves.store(self.times(), Ordering::Relaxed);
    }

    /// A statement was freed.
    pub(super) fn freed(&self, used: &Use) {
        self.is_busy(used, false);
    }
}

/// Whether a call of a statement is the first of something that is done in the database.
pub(super) fn gives_command(call: &Call<'_>) -> bool {
    matches!(call, Call::Run { .. } | Call::Prepare { .. } | Call::Execute | Call::Catalog { .. })
}

/// Whether a call only ends what a statement has from another cassette, or from the parent of a forked child.
pub(super) fn lets_go(call: &Call<'_>, is_forked: bool) -> bool {
    const DROP: u16 = 1;
    match call {
        Call::FreeStmt { option: CLOSE | DROP } | Call::Cancel => true,
        Call::CloseCursor => !is_forked,
        _ => false,
    }
}

impl Use {
    /// Whether the statement is in the cassette that its connection is in.
    #[inline]
    pub(super) fn is_at(&self, moves: &Moves) -> bool {
        self.moves.load(Ordering::Relaxed) == moves.times()
    }
}
