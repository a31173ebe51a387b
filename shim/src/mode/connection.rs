//! What a connection knows whichever mode it is in: the cassette it is in, the numbers it gives, the attributes that the
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

/// SQL_ATTR_ANSI_APP: what a driver manager says of the application, 0 before it connects a Unicode program.
pub const ANSI_APP: i32 = 115;

/// A connection that is recorded or replayed.
pub trait ConnectionMode: Send + Sync {
    /// Serves a call on the connection.
    fn serve(&self, function: Function, call: &Call<'_>, driver_call: &dyn DriverCall) -> Outcome;

    /// A new statement on the connection.
    fn statement(self: Arc<Self>) -> Arc<dyn StatementMode>;

    /// A new descriptor that the application allocated on the connection.
    fn descriptor(self: Arc<Self>) -> Arc<dyn DescriptorMode>;

    /// The connection ended (SQLDisconnect succeeded, or the handle is gone).
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

    /// Somebody asked for one of the statement's descriptors, as a driver manager does for every statement that a program
    /// allocates: it is none of the driver manager's own.
    fn is_applications(&self);

    /// What one of the statement's four descriptors holds now.
    fn content(&self, role: DescriptorRole) -> Content;

    /// The statement was freed.
    fn dropped(&self);
}

/// A descriptor of the application's that is recorded or replayed.
pub trait DescriptorMode: Send + Sync {
    /// Serves a call on the descriptor.
    fn serve(&self, function: Function, call: &Call<'_>, driver_call: &dyn DriverCall) -> Outcome;

    /// What the statements it is attached to share.
    fn shared(&self) -> Arc<SharedDescriptor>;
}

/// What cannot be recorded yet fails while recording, before anything reaches the database.
pub(super) fn not_yet(what: &str) -> Outcome {
    Outcome::error("HYC00", format!("{what} cannot be recorded or replayed yet; use SUPER8_MODE=off for this program"))
}

/// One of the two modes that intercept calls, by what is there only in it.
pub trait Interception: Default + Send + Sync + 'static {
    /// What writes or plays a cassette.
    type Cassette: Send + Sync;
    /// What a connection knows.
    type OfConnection: Default + Send + Sync;
    /// What a statement knows that is not behind its lock.
    type OfStatement: Default + Send + Sync;
    /// What a statement knows between two calls.
    type OfState: Default + Send;
    /// The rows at hand in the cassette, if there are any.
    type Run: Default + Send;
    /// How far the application has read the row at hand with SQLGetData.
    type Reading: Reading;
}

/// A connection that is recorded or replayed.
pub struct Connection<I: Interception> {
    pub(super) cassettes: ConnectionCassette<I::Cassette>,
    /// The process that it is intercepted in.
    process: AtomicU32,
    pub(super) secrecy: Secrecy,
    pub(super) probe: Probe,
    pub(super) statements: AtomicU32,
    descriptors: AtomicU32,
    /// How often the application tried to disconnect.
    attempts: AtomicU32,
    /// Attributes as the application set them.
    attributes: Mutex<HashMap<i32, i64>>,
    /// Whether SQL_ATTR_ASYNC_ENABLE was ever switched on for all statements.
    asynchronous: AtomicBool,
    /// Whether SQL_ATTR_ASYNC_DBC_FUNCTIONS_ENABLE ever was: calls on the connection itself are counted from then on.
    polled: AtomicBool,
    /// How often calls on the connection itself were polled.
    pub(super) polls: Mutex<Polls>,
    /// What is needed to go on in another cassette.
    pub(super) moves: Moves,
    /// What only this mode knows.
    pub(super) own: I::OfConnection,
}

impl<I: Interception> Connection<I> {
    /// The connection with this id that begins in a cassette with this connect.
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

    /// Whether it is intercepted in this process: a forked child has its parent's connections.
    pub(super) fn is_here(&self) -> bool {
        self.process.load(Ordering::Relaxed) == process::id()
    }

    /// In a forked child: goes on in the cassette that `go` opens for it.
    ///
    /// # Errors
    /// What `go` says; it is tried again with the next call.
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

    /// The connection's id there.
    pub(super) fn id(&self) -> ConnectionId {
        self.cassettes.id()
    }

    /// The id of the connection's next statement.
    pub(super) fn next_statement(&self) -> u32 {
        self.statements.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The number of the next descriptor that the application allocates on the connection.
    pub(super) fn next_descriptor(&self) -> u32 {
        self.descriptors.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// How often the application tried to disconnect before.
    pub(super) fn next_attempt(&self) -> u32 {
        self.attempts.fetch_add(1, Ordering::Relaxed)
    }

    /// Takes note of an attribute, set before or after the connection was made.
    pub fn set_before(&self, attribute: i32, value: usize) {
        self.attributes.lock().insert(attribute, value as i64);
        self.moves.sets_number(attribute, value);
        match attribute {
            ASYNC_ENABLE if value != 0 => self.asynchronous.store(true, Ordering::Relaxed),
            ASYNC_FUNCTIONS if value != 0 => self.polled.store(true, Ordering::Relaxed),
            _ => {}
        }
    }

    /// An attribute as the application set it.
    pub(super) fn attribute(&self, attribute: i64) -> Option<i64> {
        self.attributes.lock().get(&(attribute as i32)).copied()
    }

    /// Whether the calls of its statements may say SQL_STILL_EXECUTING.
    pub(super) fn is_asynchronous(&self) -> bool {
        self.asynchronous.load(Ordering::Relaxed)
    }

    /// Whether calls on the connection itself may.
    pub(super) fn is_polled(&self) -> bool {
        self.polled.load(Ordering::Relaxed)
    }
}
