//! What a statement knows in either mode: what the application bound and set, ids and counts, the current result, and
//! what waits for data or is still executing.

use crate::args::Place;
use crate::call::Call;
use crate::descriptor::{Content, DescriptorRole};
use crate::diagnostics::Outcome;
use crate::mode::application::{Application, attribute};
use crate::mode::connection::{Connection, Interception};
use crate::mode::moving::{Use, gives_command};
use crate::mode::operation::{Rowset, WaitingOperation};
use crate::mode::outputs::{Outputs, Streams};
use crate::mode::parameters::WaitingExecution;
use crate::mode::polling::Polls;
use crate::mode::reading::Reading;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use super8_cassette::{Fields, process};

/// A statement that is recorded or replayed.
pub struct Statement<I: Interception> {
    pub(super) connection: Arc<Connection<I>>,
    pub(super) state: Mutex<State<I>>,
    /// How often the current statement text was closed or cancelled.
    pub(super) endings: AtomicU32,
    /// Whether it is the driver manager's own statement, which probes the connection.
    pub(super) probes: AtomicBool,
    /// Whether calls may return SQL_STILL_EXECUTING. Once that was switched on, calls are counted for good.
    asynchronous: AtomicBool,
    /// The process that intercepts the statement.
    process: AtomicU32,
    /// How the statement is used; its connection asks for this before it goes on in another cassette.
    pub(super) used: Use,
    /// What only this mode knows, outside the lock.
    pub(super) own: I::OfStatement,
}

/// What is known of a statement between two calls. Never locked during a call to the driver.
#[derive(Default)]
pub(super) struct State<I: Interception> {
    pub(super) application: Application,
    /// The id of the current statement text.
    pub(super) id: Option<u32>,
    /// The fields of the command that prepared the text.
    pub(super) prepared: Option<Fields>,
    /// The number of parameter markers in the prepared text.
    pub(super) markers: usize,
    /// How many pieces of data at execution were sent with the current statement text.
    pub(super) puts: u32,
    /// How many of the text's executions had parameters with data at execution.
    pub(super) executions: u32,
    /// An execution that waits for data.
    pub(super) waiting: Option<WaitingExecution>,
    /// A positioned operation that waits for data.
    pub(super) positioned: Option<WaitingOperation>,
    /// Output parameters that the last execution left alone. The driver may write to them until the last result is
    /// read.
    pub(super) sent: Outputs,
    /// Output parameters that are read in pieces.
    pub(super) streams: Streams,
    /// How often calls were polled, and which one is still executing.
    pub(super) polls: Polls,
    /// Whether there may be a result to fetch from and to close.
    pub(super) open: bool,
    /// The run of the cassette that is being written or read, if any.
    pub(super) run: I::Run,
    /// How many rows the last fetch asked for, and how many it got.
    pub(super) rowset: usize,
    pub(super) fetched: usize,
    /// Where SQLExtendedFetch put the row states, if that was the last fetch.
    pub(super) extended: Place,
    /// The number of the current result's columns, once it was looked up; `Some(None)` if it is not known.
    pub(super) columns: Option<Option<u16>>,
    pub(super) reading: I::Reading,
    pub(super) scratch: Vec<u8>,
    /// What only this mode knows.
    pub(super) own: I::OfState,
}

impl<I: Interception> Statement<I> {
    /// Returns a new statement on `connection`.
    pub(super) fn new(connection: Arc<Connection<I>>) -> Self {
        let used = connection.moves.statement();
        Statement {
            connection,
            state: Mutex::default(),
            endings: AtomicU32::default(),
            probes: AtomicBool::new(false),
            asynchronous: AtomicBool::new(false),
            process: AtomicU32::new(process::id()),
            used,
            own: I::OfStatement::default(),
        }
    }

    /// Returns whether the statement is in this process and in the connection's current cassette.
    #[inline]
    pub(super) fn is_here(&self) -> bool {
        !self.is_forked() && self.is_in_cassette()
    }

    /// Returns whether the statement comes from the process that this one was forked from.
    #[inline]
    pub(super) fn is_forked(&self) -> bool {
        self.process.load(Ordering::Relaxed) != process::id()
    }

    /// Returns whether the statement is in the connection's current cassette.
    pub(super) fn is_in_cassette(&self) -> bool {
        self.used.is_at(&self.connection.moves)
    }

    /// Marks the statement as one of this process.
    pub(super) fn stays(&self) {
        self.process.store(process::id(), Ordering::Relaxed);
    }

    /// Prepares for a call. A command may make its connection go on in another cassette (`follow`), and then the
    /// statement goes on there, in its own process (`enter`).
    pub(super) fn arrive(
        &self,
        call: &Call<'_>,
        follow: impl FnOnce() -> Result<(), Outcome>,
        enter: impl FnOnce() -> Result<(), Outcome>,
    ) -> Result<(), Outcome> {
        if gives_command(call) && self.connection.is_here() {
            follow()?;
        }
        if self.is_here() { Ok(()) } else { enter() }
    }

    /// Returns whether calls may return SQL_STILL_EXECUTING.
    pub(super) fn is_asynchronous(&self) -> bool {
        self.asynchronous.load(Ordering::Relaxed) || self.connection.is_asynchronous()
    }

    /// Applies a call on the application's side that succeeded.
    pub(super) fn take_in(&self, state: &mut State<I>, call: &Call<'_>) {
        if matches!(call, Call::BindParameter { .. } | Call::FreeStmt { .. }) {
            state.sent = Outputs::default();
        }
        state.application.apply(call);
        if matches!(call, Call::SetStmtAttr { attribute: attribute::ASYNC_ENABLE, value } if !value.is_null()) {
            self.asynchronous.store(true, Ordering::Relaxed);
        }
    }

    /// Begins another text with this id.
    pub(super) fn begin_text(&self, state: &mut State<I>, id: u32) {
        (state.id, state.puts, state.executions, state.prepared) = (Some(id), 0, 0, None);
        state.polls.another_text();
        self.endings.store(0, Ordering::Relaxed);
    }

    /// Returns what one of the statement's four descriptors holds.
    pub(super) fn descriptor_content(&self, role: DescriptorRole) -> Content {
        let mut state = self.state.lock();
        state.application.refresh();
        state.application.content(role)
    }
}

impl<I: Interception> State<I> {
    /// Begins another text, execution or result: nothing is known of it, and nothing was fetched from it.
    pub(super) fn begin_result(&mut self) {
        (self.open, self.columns) = (false, None);
        (self.rowset, self.fetched) = (1, 0);
        self.application.limit_columns(None);
        self.reading.forget();
    }

    /// Returns the rowset that a positioned operation works on.
    pub(super) fn rowset(&self) -> Rowset {
        Rowset { size: self.rowset, fetched: self.fetched, extended: self.extended }
    }
}
