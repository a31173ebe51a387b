//! Environment, connection, statement and descriptor handles: what each token stands for.

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

/// How many connections, statements and descriptors the application allocated and did not free. What only the driver
/// manager's pool keeps, and a statement's own descriptors, do not count. Never waits: it is asked at process exit.
pub fn alive() -> (usize, usize, usize) {
    let rests = |state: &ConnectionState| state.pooled.is_some() && state.statements.is_empty();
    let in_use = |connection: &&Connection| connection.state.try_lock().is_some_and(|state| !rests(&state));
    let of_connection = |owner: &Option<DescriptorOwner>| matches!(owner, Some(DescriptorOwner::Connection(_)));
    let allocated = |descriptor: &&Descriptor| descriptor.owner.try_lock().is_some_and(|owner| of_connection(&owner));
    (
        CONNECTIONS.alive().filter(in_use).count(),
        STATEMENTS.alive().count(),
        DESCRIPTORS.alive().filter(allocated).count(),
    )
}

/// What every handle below the environment has: the real driver's handle, and its own diagnostic area.
#[derive(Default)]
pub struct HandleCore {
    real: AtomicPtr<c_void>,
    driver: AtomicU32,
    /// Whether calls go through a mode (record, replay) instead of straight to the driver.
    intercepted: AtomicBool,
    /// Whether the driver's records are read through SQLError.
    by_error: AtomicBool,
    /// What a driver counts the rows of a rowset in, where the application gave it no counter. Slots are never freed, so a driver
    /// that keeps the address may write to it at any time.
    pub row_counter: AtomicUsize,
    /// The shim's own diagnostic records of this handle.
    pub diagnostics: Diagnostics,
}

impl HandleCore {
    /// The real driver and its handle; `None` before connect and in replay.
    #[inline]
    pub fn real(&self) -> Option<(&'static Driver, *mut c_void)> {
        let real = self.real.load(Ordering::Acquire);
        let driver = Driver::by_key(self.driver.load(Ordering::Relaxed))?;
        (!real.is_null()).then_some((driver, real))
    }

    /// Whether there is a driver behind the handle, if perhaps without a handle of its own.
    pub fn has_driver(&self) -> bool {
        self.driver.load(Ordering::Relaxed) != 0
    }

    /// Gives the handle its real counterpart, or takes it away.
    pub fn set_real(&self, real: Option<(&'static Driver, *mut c_void)>) {
        self.driver.store(real.map_or(0, |(driver, _)| driver.key()), Ordering::Relaxed);
        self.real.store(real.map_or(std::ptr::null_mut(), |(_, handle)| handle), Ordering::Release);
    }

    /// Whether the handle is recorded or replayed.
    #[inline]
    pub fn intercepted(&self) -> bool {
        self.intercepted.load(Ordering::Acquire)
    }

    /// Says whether the handle is recorded or replayed.
    pub fn set_moded(&self, intercepted: bool) {
        self.intercepted.store(intercepted, Ordering::Release);
    }

    /// Whether the driver's diagnostic records are to be read through SQLError: where the driver says that it does not
    /// support SQLGetDiagRec, and at a connect that failed, driver managers do.
    pub fn reads_by_error(&self) -> bool {
        self.by_error.load(Ordering::Relaxed)
    }

    /// Says how the driver's diagnostic records are to be read.
    pub fn set_reads_by_error(&self, by_error: bool) {
        self.by_error.store(by_error, Ordering::Relaxed);
    }

    fn reset(&self) {
        self.set_real(None);
        self.set_moded(false);
        self.set_reads_by_error(false);
        self.diagnostics.clear();
    }
}

/// An environment: attributes kept until a driver is known, and one real environment per driver.
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
    /// Attributes the application set, in order.
    pub attributes: Vec<(i32, usize)>,
    /// The real environments.
    pub real: Vec<(&'static Driver, RealHandle)>,
    /// How the driver answered questions about the environment, for the recording: function, attribute, value set,
    /// return code, value read; and how often it was so.
    pub notes: Vec<(EnvironmentNote, u32)>,
    /// The connections allocated in it.
    pub connections: HashSet<Token>,
    /// The kind of drivers it is for: a driver manager allocates one in each of super8's libraries.
    pub kind: Kind,
}

/// One call about an environment attribute: function, attribute, value set, return code, value read.
pub type EnvironmentNote = (&'static str, i32, Option<usize>, i16, Option<i64>);

impl EnvironmentState {
    /// Takes note of a call. One that goes as it did the last time is only counted.
    pub fn note(&mut self, note: EnvironmentNote) {
        let (function, attribute, value, ..) = note;
        let same = |known: &EnvironmentNote| (known.0, known.1, known.2) == (function, attribute, value);
        match self.notes.iter_mut().rev().find(|(known, _)| same(known)) {
            Some((known, times)) if *known == note => *times = times.saturating_add(1),
            _ => self.notes.push((note, 1)),
        }
    }
}

/// A handle of a real driver: a number to us.
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
    /// Its environment.
    pub environment: Option<Token>,
    /// Whether it is connected.
    pub connected: bool,
    /// What chose its cassette, where the driver manager may keep it in a pool when the application lets go of it.
    pub pooled: Option<Selection>,
    /// Attributes set before connecting, to be applied to whichever driver it will be.
    pub pending: Vec<PendingAttribute>,
    /// The steps of SQLBrowseConnect so far, while one is under way.
    pub browsing: Option<Browsing>,
    /// The statements allocated on it.
    pub statements: HashSet<Token>,
    /// The descriptors the application allocated on it.
    pub descriptors: HashSet<Token>,
}

impl ConnectionState {
    /// Whether it rests in the driver manager's pool, as far as can be seen, and a connect would lead elsewhere by now.
    pub fn is_stale(&self) -> bool {
        self.connected && self.statements.is_empty() && self.pooled.as_ref().is_some_and(|chosen| !chosen.holds())
    }
}

/// A connection attribute set before the driver was known.
#[derive(Clone)]
pub struct PendingAttribute {
    /// Which.
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

/// A statement.
#[derive(Default)]
pub struct Statement {
    /// The real statement.
    pub core: HandleCore,
    connection: AtomicUsize,
    /// Its side of the recording or replay.
    pub mode: Mutex<Option<Arc<dyn StatementMode>>>,
    /// The tokens of its four implicit descriptors, made when first asked for.
    pub descriptors: Mutex<[Option<Token>; 4]>,
    /// The application's descriptors that are attached instead of its own, by their role.
    pub attached: Mutex<[Option<Token>; 2]>,
}

impl Statement {
    /// The connection it was allocated on.
    pub fn connection(&self) -> Token {
        Token(self.connection.load(Ordering::Relaxed))
    }

    /// Says on which connection it was allocated.
    pub fn set_connection(&self, connection: Token) {
        self.connection.store(connection.0, Ordering::Relaxed);
    }
}

/// A descriptor: one of a statement's four, or one the application allocated on a connection.
#[derive(Default)]
pub struct Descriptor {
    /// The real descriptor.
    pub core: HandleCore,
    /// Whose it is.
    pub owner: Mutex<Option<DescriptorOwner>>,
    /// The side of the recording or replay of one that the application allocated.
    pub mode: Mutex<Option<Arc<dyn DescriptorMode>>>,
}

/// Whose a descriptor is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum DescriptorOwner {
    /// A statement's, in this role.
    Statement(Token, DescriptorRole),
    /// Allocated by the application on a connection.
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

/// A connection that is being made in steps.
#[derive(Default)]
pub struct Browsing {
    /// The request strings that were accepted, as one.
    accepted: Vec<u8>,
    refused: Vec<Vec<u8>>,
}

impl Browsing {
    /// The request strings that the driver refused.
    pub fn refused(&self) -> &[Vec<u8>] {
        &self.refused
    }

    /// What the steps are after this one.
    #[must_use]
    pub fn after(mut self, string: &[u8], accepted: bool) -> Browsing {
        match accepted {
            true => self.accepted = self.joined(string),
            false => self.refused.push(string.to_vec()),
        }
        self
    }

    /// The accepted request strings and this one, as one.
    pub fn joined(&self, string: &[u8]) -> Vec<u8> {
        let separator: &[u8] = if self.accepted.is_empty() || self.accepted.ends_with(b";") { b"" } else { b";" };
        [&self.accepted, separator, string].concat()
    }
}
