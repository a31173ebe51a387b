//! What the tokens of environments, connections, statements and descriptors stand for.

mod slab;

pub use slab::{Entity, Slab, Token};

use crate::descriptor::DescriptorRole;
use crate::diagnostics::Diagnostics;
use crate::driver::Kind;
use crate::mode::{ConnectionMode, DescriptorMode, StatementMode};
use crate::pooling::Selection;
use crate::real::Driver;
use parking_lot::Mutex;
use std::collections::HashSet;
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicUsize, Ordering};

/// Every live environment.
pub static ENVIRONMENTS: Slab<Environment> = Slab::new();
/// Every live connection.
pub static CONNECTIONS: Slab<Connection> = Slab::new();
/// Every live statement.
pub static STATEMENTS: Slab<Statement> = Slab::new();
/// Every live descriptor.
pub static DESCRIPTORS: Slab<Descriptor> = Slab::new();

/// Returns how many connections, statements and descriptors the application allocated and did not free. Connections
/// that only the driver manager's pool keeps, and a statement's own descriptors, do not count. It never waits, because
/// it is called at process exit.
pub fn alive() -> (usize, usize, usize) {
    let is_idle = |state: &ConnectionState| state.pooled.is_some() && state.statements.is_empty();
    let in_use = |connection: &&Connection| connection.state.try_lock().is_some_and(|state| !is_idle(&state));
    let of_connection = |owner: &Option<DescriptorOwner>| matches!(owner, Some(DescriptorOwner::Connection(_)));
    let allocated = |descriptor: &&Descriptor| descriptor.owner.try_lock().is_some_and(|owner| of_connection(&owner));
    (
        CONNECTIONS.alive().filter(in_use).count(),
        STATEMENTS.alive().count(),
        DESCRIPTORS.alive().filter(allocated).count(),
    )
}

/// What every handle below the environment has: the real driver's handle and a diagnostic area of its own.
#[derive(Default)]
pub struct HandleCore {
    real: AtomicPtr<c_void>,
    driver: AtomicU32,
    /// Whether calls go through a mode (record, replay) instead of straight to the driver.
    intercepted: AtomicBool,
    /// Whether the driver's records are read through SQLError.
    by_error: AtomicBool,
    /// The counter in which a driver counts the rows of a rowset if the application gave it none. Slots are never
    /// freed, so a driver that keeps the address may write to it at any time.
    pub row_counter: AtomicUsize,
    /// The shim's own diagnostic records of this handle.
    pub diagnostics: Diagnostics,
}

impl HandleCore {
    /// Returns the real driver and its handle; `None` before connect and at replay.
    #[inline]
    pub fn real(&self) -> Option<(&'static Driver, *mut c_void)> {
        let real = self.real.load(Ordering::Acquire);
        let driver = Driver::by_key(self.driver.load(Ordering::Relaxed))?;
        (!real.is_null()).then_some((driver, real))
    }

    /// Returns whether there is a driver behind the handle, even if it gave no handle of its own.
    pub fn has_driver(&self) -> bool {
        self.driver.load(Ordering::Relaxed) != 0
    }

    /// Sets the handle's real counterpart, or takes it away.
    pub fn set_real(&self, real: Option<(&'static Driver, *mut c_void)>) {
        self.driver.store(real.map_or(0, |(driver, _)| driver.key()), Ordering::Relaxed);
        self.real.store(real.map_or(std::ptr::null_mut(), |(_, handle)| handle), Ordering::Release);
    }

    /// Returns whether the handle is recorded or replayed.
    #[inline]
    pub fn intercepted(&self) -> bool {
        self.intercepted.load(Ordering::Acquire)
    }

    /// Sets whether the handle is recorded or replayed.
    pub fn set_intercepted(&self, intercepted: bool) {
        self.intercepted.store(intercepted, Ordering::Release);
    }

    /// Returns whether the driver's diagnostic records are to be read through SQLError. Driver managers do so where the
    /// driver says that it does not support SQLGetDiagRec, and after a connect that failed.
    pub fn reads_by_error(&self) -> bool {
        self.by_error.load(Ordering::Relaxed)
    }

    /// Sets how the driver's diagnostic records are to be read.
    pub fn set_reads_by_error(&self, by_error: bool) {
        self.by_error.store(by_error, Ordering::Relaxed);
    }

    fn reset(&self) {
        self.set_real(None);
        self.set_intercepted(false);
        self.set_reads_by_error(false);
        self.diagnostics.clear();
    }
}

/// An environment: the attributes, kept until a driver is known, and one real environment for each driver.
#[derive(Default)]
pub struct Environment {
    /// The shim's own diagnostic records.
    pub diagnostics: Diagnostics,
    /// Everything else.
    pub state: Mutex<EnvironmentState>,
}

/// What an environment remembers.
#[derive(Default)]
pub struct EnvironmentState {
    /// The attributes that the application set, in order.
    pub attributes: Vec<(i32, usize)>,
    /// The real environments.
    pub real: Vec<(&'static Driver, RealHandle)>,
    /// How the driver answered calls about environment attributes, for the recording, and how often it did so.
    pub notes: Vec<(EnvironmentNote, u32)>,
    /// The connections allocated in it.
    pub connections: HashSet<Token>,
    /// The kind of drivers it is for. A driver manager allocates one environment in each of super8's libraries.
    pub kind: Kind,
}

/// One call about an environment attribute: function, attribute, value set, return code, value read.
pub type EnvironmentNote = (&'static str, i32, Option<usize>, i16, Option<i64>);

impl EnvironmentState {
    /// Notes a call. One that went as it did the last time is only counted.
    pub fn note(&mut self, note: EnvironmentNote) {
        let (function, attribute, value, ..) = note;
        let same = |known: &EnvironmentNote| (known.0, known.1, known.2) == (function, attribute, value);
        match self.notes.iter_mut().rev().find(|(known, _)| same(known)) {
            Some((known, times)) if *known == note => *times = times.saturating_add(1),
            _ => self.notes.push((note, 1)),
        }
    }
}

/// A handle of a real driver. For super8 it is only a number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RealHandle(pub usize);

/// A connection.
#[derive(Default)]
pub struct Connection {
    /// The real connection.
    pub core: HandleCore,
    /// Everything else.
    pub state: Mutex<ConnectionState>,
    /// The recording or replay this connection belongs to, while connected.
    pub mode: Mutex<Option<Arc<dyn ConnectionMode>>>,
}

/// What a connection remembers.
#[derive(Default)]
pub struct ConnectionState {
    /// The environment that it was allocated in.
    pub environment: Option<Token>,
    /// Whether it is connected.
    pub connected: bool,
    /// What chose its cassette, if the driver manager may keep the connection in a pool when the application lets go of
    /// it.
    pub pooled: Option<Selection>,
    /// Attributes that were set before connecting, to be applied to whichever driver it will be.
    pub pending: Vec<PendingAttribute>,
    /// The steps of SQLBrowseConnect so far, while it is under way.
    pub browsing: Option<Browsing>,
    /// The statements allocated on it.
    pub statements: HashSet<Token>,
    /// The descriptors that the application allocated on it.
    pub descriptors: HashSet<Token>,
}

impl ConnectionState {
    /// Returns whether the connection seems to rest in the driver manager's pool while a connect would by now lead to
    /// another cassette.
    pub fn is_stale(&self) -> bool {
        self.connected && self.statements.is_empty() && self.pooled.as_ref().is_some_and(|chosen| !chosen.holds())
    }
}

/// A connection attribute set before the driver was known.
#[derive(Clone)]
pub struct PendingAttribute {
    /// The attribute's number.
    pub attribute: i32,
    /// Its value: a number or address, or a text with its terminator.
    pub value: PendingValue,
    /// The length argument.
    pub length: i32,
    /// Whether it came through the Unicode function.
    pub wide: bool,
}

/// The value of a pending attribute.
#[derive(Clone)]
pub enum PendingValue {
    /// A number, or an address the application keeps valid.
    Word(usize),
    /// A copied text, UTF-16 if it came through the Unicode function.
    Text(Vec<u16>),
    /// A copied ANSI text.
    Bytes(Vec<u8>),
}

/// A statement handle.
#[derive(Default)]
pub struct Statement {
    /// The real statement.
    pub core: HandleCore,
    connection: AtomicUsize,
    /// The statement's side of the recording or replay.
    pub mode: Mutex<Option<Arc<dyn StatementMode>>>,
    /// The tokens of its four implicit descriptors, made when they are first asked for.
    pub descriptors: Mutex<[Option<Token>; 4]>,
    /// The application's descriptors that are attached in place of its own, by role.
    pub attached: Mutex<[Option<Token>; 2]>,
}

impl Statement {
    /// Returns the connection that the statement was allocated on.
    pub fn connection(&self) -> Token {
        Token(self.connection.load(Ordering::Relaxed))
    }

    /// Sets the connection that the statement was allocated on.
    pub fn set_connection(&self, connection: Token) {
        self.connection.store(connection.0, Ordering::Relaxed);
    }
}

/// A descriptor: one of a statement's four, or one that the application allocated on a connection.
#[derive(Default)]
pub struct Descriptor {
    /// The real descriptor.
    pub core: HandleCore,
    /// What it belongs to.
    pub owner: Mutex<Option<DescriptorOwner>>,
    /// Its side of the recording or replay, if the application allocated it.
    pub mode: Mutex<Option<Arc<dyn DescriptorMode>>>,
}

/// What a descriptor belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum DescriptorOwner {
    /// A statement, in this role.
    Statement(Token, DescriptorRole),
    /// A connection, on which the application allocated it.
    Connection(Token),
}

impl Entity for Environment {
    const KIND: usize = 0;

    fn reset(&self) {
        self.diagnostics.clear();
        *self.state.lock() = EnvironmentState::default();
    }
}

impl Entity for Connection {
    const KIND: usize = 1;

    fn reset(&self) {
        self.core.reset();
        *self.state.lock() = ConnectionState::default();
        *self.mode.lock() = None;
    }
}

impl Entity for Statement {
    const KIND: usize = 2;

    fn reset(&self) {
        self.core.reset();
        self.set_connection(Token::NULL);
        *self.mode.lock() = None;
        *self.descriptors.lock() = [None; 4];
        *self.attached.lock() = [None; 2];
    }
}

impl Entity for Descriptor {
    const KIND: usize = 3;

    fn reset(&self) {
        self.core.reset();
        *self.owner.lock() = None;
        *self.mode.lock() = None;
    }
}

/// A connection that is being made in steps, with SQLBrowseConnect.
#[derive(Default)]
pub struct Browsing {
    /// The accepted request strings, joined into one.
    accepted: Vec<u8>,
    refused: Vec<Vec<u8>>,
}

impl Browsing {
    /// Returns the request strings that the driver refused.
    pub fn refused(&self) -> &[Vec<u8>] {
        &self.refused
    }

    /// Returns the steps after this one.
    #[must_use]
    pub fn after(mut self, string: &[u8], accepted: bool) -> Browsing {
        match accepted {
            true => self.accepted = self.joined(string),
            false => self.refused.push(string.to_vec()),
        }
        self
    }

    /// Returns the accepted request strings and this one, joined into one.
    pub fn joined(&self, string: &[u8]) -> Vec<u8> {
        let separator: &[u8] = if self.accepted.is_empty() || self.accepted.ends_with(b";") { b"" } else { b";" };
        [&self.accepted, separator, string].concat()
    }
}
