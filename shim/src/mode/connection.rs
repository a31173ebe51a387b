//! What a connection knows in either mode: its cassette, the numbers it gives out, and the attributes that the
//! application set.

use crate::args::Binding;
use crate::call::{Call, DriverCall};
use crate::cassettes::Origin;
use crate::descriptor::{Content, DescriptorRole, SharedDescriptor};
use crate::diagnostics::Outcome;
use crate::mode::connection_cassette::ConnectionCassette;
use crate::mode::moving::Moves;
use crate::mode::outcome::Secrecy;
use crate::mode::polling::{ASYNC_ENABLE, ASYNC_FUNCTIONS, Polls};
use crate::mode::probe::Probe;
use crate::mode::reading::Reading;
use crate::table::Function;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use super8_cassette::{ConnectionId, Entry, Traceparent, process};

/// SQL_ATTR_ANSI_APP: a driver manager sets it to 0 before it connects a Unicode program.
pub const ANSI_APP: i32 = 115;

/// A connection that is recorded or replayed.
pub trait ConnectionMode: Send + Sync {
    /// Serves a call on the connection.
    fn serve(&self, function: Function, call: &Call<'_>, driver_call: &dyn DriverCall) -> Outcome;

    /// Creates a new statement on the connection.
    fn statement(self: Arc<Self>) -> Arc<dyn StatementMode>;

    /// Creates a descriptor that the application allocated on the connection.
    fn descriptor(self: Arc<Self>) -> Arc<dyn DescriptorMode>;

    /// Ends the connection: SQLDisconnect succeeded, or the handle is gone.
    fn disconnected(&self);
}

/// A statement that is recorded or replayed.
pub trait StatementMode: Send + Sync {
    /// Serves a call on the statement.
    fn serve(&self, function: Function, call: &Call<'_>, driver_call: &dyn DriverCall) -> Outcome;

    /// Serves SQLGetData, which is called for every cell.
    fn get_data(&self, column: u16, binding: &Binding, driver_call: &dyn DriverCall) -> Outcome;

    /// Serves a call on one of the statement's four descriptors.
    fn serve_descriptor(
        &self,
        role: DescriptorRole,
        function: Function,
        call: &Call<'_>,
        driver_call: &dyn DriverCall,
    ) -> Outcome;

    /// Notes that somebody asked for one of the statement's descriptors. A driver manager does that for every statement
    /// that a program allocates, but not for statements of its own.
    fn is_applications(&self);

    /// Returns what one of the statement's four descriptors holds now.
    fn content(&self, role: DescriptorRole) -> Content;

    /// Notes that the statement was freed.
    fn dropped(&self);
}

/// A descriptor of the application's that is recorded or replayed.
pub trait DescriptorMode: Send + Sync {
    /// Serves a call on the descriptor.
    fn serve(&self, function: Function, call: &Call<'_>, driver_call: &dyn DriverCall) -> Outcome;

    /// Returns the content that the statements it is attached to share.
    fn shared(&self) -> Arc<SharedDescriptor>;
}

/// Fails a call that cannot be recorded yet, before anything reaches the database.
pub(super) fn not_yet(what: &str) -> Outcome {
    Outcome::error("HYC00", format!("{what} cannot be recorded or replayed yet; use SUPER8_MODE=off for this program"))
}

/// One of the two modes that intercept calls, as the set of types that differ between them.
pub trait Interception: Default + Send + Sync + 'static {
    /// What writes or plays a cassette: the recorder or the player.
    type Cassette: Send + Sync;
    /// What a connection knows only in this mode.
    type OfConnection: Default + Send + Sync;
    /// What a statement knows only in this mode, outside its lock.
    type OfStatement: Default + Send + Sync;
    /// What a statement knows only in this mode between two calls.
    type OfState: Default + Send;
    /// The run of the cassette that is being written or read, if any.
    type Run: Default + Send;
    /// How far the application has read the current row with SQLGetData.
    type Reading: Reading;
}

/// A connection that is recorded or replayed.
pub struct Connection<I: Interception> {
    pub(super) cassettes: ConnectionCassette<I::Cassette>,
    /// The process that intercepts the connection.
    process: AtomicU32,
    pub(super) secrecy: Secrecy,
    pub(super) probe: Probe,
    pub(super) statements: AtomicU32,
    descriptors: AtomicU32,
    /// How often the application tried to disconnect.
    attempts: AtomicU32,
    /// The attributes that the application set.
    attributes: Mutex<HashMap<i32, i64>>,
    /// Whether SQL_ATTR_ASYNC_ENABLE was ever switched on for all statements.
    asynchronous: AtomicBool,
    /// Whether SQL_ATTR_ASYNC_DBC_FUNCTIONS_ENABLE ever was: then calls on the connection itself are counted from then
    /// on.
    polled: AtomicBool,
    /// How often calls on the connection itself were polled.
    pub(super) polls: Mutex<Polls>,
    /// What the connection needs to go on in another cassette.
    pub(super) moves: Moves,
    /// What only this mode knows.
    pub(super) own: I::OfConnection,
}

impl<I: Interception> Connection<I> {
    /// Returns the connection with this id, which begins in a cassette with this connect.
    pub(super) fn new(
        (cassette, id): (Arc<I::Cassette>, ConnectionId),
        origin: Origin,
        connect: Entry,
        secrecy: Secrecy,
        probe: Probe,
    ) -> Self {
        Connection {
            cassettes: ConnectionCassette::new(cassette, id, origin, connect),
            process: AtomicU32::new(process::id()),
            secrecy,
            probe,
            statements: AtomicU32::new(0),
            descriptors: AtomicU32::new(0),
            attempts: AtomicU32::new(0),
            attributes: Mutex::default(),
            asynchronous: AtomicBool::new(false),
            polled: AtomicBool::new(false),
            polls: Mutex::default(),
            moves: Moves::default(),
            own: I::OfConnection::default(),
        }
    }

    /// Returns whether the connection is intercepted in this process. A forked child has its parent's connections.
    pub(super) fn is_here(&self) -> bool {
        self.process.load(Ordering::Relaxed) == process::id()
    }

    /// In a forked child, goes on in the cassette that `go` opens for the child.
    ///
    /// # Errors
    /// `go` fails. The next call tries again.
    pub(super) fn go_on_in_child<E>(
        &self,
        go: impl FnOnce(&Origin, Option<&Traceparent>, &Entry, ConnectionId) -> Result<(Arc<I::Cassette>, ConnectionId), E>,
        then: impl FnOnce(),
    ) -> Result<(), E> {
        if self.is_here() {
            return Ok(());
        }
        self.cassettes.go_on(go)?;
        then();
        self.process.store(process::id(), Ordering::Relaxed);
        Ok(())
    }

    /// Returns the connection's id in its current cassette.
    pub(super) fn id(&self) -> ConnectionId {
        self.cassettes.id()
    }

    /// Returns the id of the connection's next statement.
    pub(super) fn next_statement(&self) -> u32 {
        self.statements.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Returns the number of the next descriptor that the application allocates on the connection.
    pub(super) fn next_descriptor(&self) -> u32 {
        self.descriptors.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Returns how often the application tried to disconnect before, and counts this attempt.
    pub(super) fn next_attempt(&self) -> u32 {
        self.attempts.fetch_add(1, Ordering::Relaxed)
    }

    /// Notes an attribute that was set, before or after the connection was made.
    pub fn set_before(&self, attribute: i32, value: usize) {
        self.attributes.lock().insert(attribute, value as i64);
        self.moves.sets_number(attribute, value);
        match attribute {
            ASYNC_ENABLE if value != 0 => self.asynchronous.store(true, Ordering::Relaxed),
            ASYNC_FUNCTIONS if value != 0 => self.polled.store(true, Ordering::Relaxed),
            _ => {}
        }
    }

    /// Returns an attribute as the application set it.
    pub(super) fn attribute(&self, attribute: i64) -> Option<i64> {
        self.attributes.lock().get(&(attribute as i32)).copied()
    }

    /// Returns whether calls of the connection's statements may return SQL_STILL_EXECUTING.
    pub(super) fn is_asynchronous(&self) -> bool {
        self.asynchronous.load(Ordering::Relaxed)
    }

    /// Returns whether calls on the connection itself may return SQL_STILL_EXECUTING.
    pub(super) fn is_polled(&self) -> bool {
        self.polled.load(Ordering::Relaxed)
    }
}
