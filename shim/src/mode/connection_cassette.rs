//! Where the commands of a connection are kept: in the cassette that it began in, and from the first statement with a
//! text on in the trace that the text names, unless something else named a cassette.
//!
//! What came before that statement stays where it is. The trace repeats the commands on the connection itself, the
//! connect first, so that it is a whole cassette.
//!
//! A forked child that uses one of its parent's connections goes on with it in a part of its own, which holds what
//! follows the fork. The part begins with the connect again, marked `continued: true`. A connection that is open while
//! the cassette's name changes goes on in the new cassette, see [`super::moving`].

use crate::args::TextIn;
use crate::cassettes::Origin;
use crate::inserted;
use crate::per_process::PerProcess;
use parking_lot::{Mutex, RwLock};
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use super8_cassette::{ConnectionId, Entry, Key, Method, Traceparent, Value};

/// The key that marks a connect which continues a connection.
pub(super) const CONTINUED: Key = Key::Continued;

/// The recorder or player of a connection, and the connection's id in it.
type Cassette<C> = (Arc<C>, ConnectionId);

/// How the connection came to its current cassette.
pub(super) type Carried = Mutex<Origin>;

/// The cassettes of a connection.
pub(super) struct ConnectionCassette<C> {
    first: Place<C>,
    /// The cassettes in forked children.
    places: PerProcess<Place<C>>,
    origin: Carried,
    /// How the connection came to its first cassette.
    first_origin: Origin,
    /// Whether the cassette's name may change by itself, and whether it does when a cassette is inserted.
    changes: AtomicBool,
    follows_inserted: bool,
    /// How often cassettes had been inserted at the last check.
    inserted: AtomicU32,
    /// The connect.
    connect: Entry,
    /// Whether the trace is still undecided. Checked before the lock is taken; false from the first text on.
    open: AtomicBool,
    /// The commands on the connection itself, kept while it is undecided in which trace they belong.
    prelude: Mutex<Option<Vec<Entry>>>,
    /// The trace that the first text named.
    trace: OnceLock<Traceparent>,
}

/// Where the connection is in one process.
struct Place<C> {
    begun: Cassette<C>,
    moved: OnceLock<Cassette<C>>,
    /// Whether the connection went on in a cassette of another name.
    went_on: AtomicBool,
    elsewhere: RwLock<Option<Cassette<C>>>,
}

impl<C> Place<C> {
    fn of(begun: Cassette<C>) -> Self {
        Place { begun, moved: OnceLock::new(), went_on: AtomicBool::new(false), elsewhere: RwLock::new(None) }
    }

    fn elsewhere(&self) -> Option<Cassette<C>> {
        if self.went_on.load(Ordering::Acquire) { self.elsewhere.read().clone() } else { None }
    }
}

/// The recorder or player of a connection, borrowed, or shared where the connection went on elsewhere and may go on
/// again meanwhile.
pub(super) enum CassetteRef<'a, C> {
    Here(&'a Arc<C>),
    Elsewhere(Arc<C>),
}

impl<C> Deref for CassetteRef<'_, C> {
    type Target = Arc<C>;

    #[inline]
    fn deref(&self) -> &Arc<C> {
        match self {
            CassetteRef::Here(cassette) => cassette,
            CassetteRef::Elsewhere(cassette) => cassette,
        }
    }
}

impl<C> ConnectionCassette<C> {
    /// Returns the cassettes of a connection that begins in `cassette` with this connect.
    pub(super) fn new(cassette: Arc<C>, id: ConnectionId, origin: Origin, connect: Entry) -> Self {
        let open = origin.is_open();
        ConnectionCassette {
            first: Place::of((cassette, id)),
            places: PerProcess::new(),
            prelude: Mutex::new(open.then(|| vec![connect.clone()])),
            open: AtomicBool::new(open),
            trace: OnceLock::new(),
            changes: AtomicBool::new(origin.changes_by_itself()),
            follows_inserted: origin.follows_inserted(),
            inserted: AtomicU32::new(inserted::changes()),
            origin: Mutex::new(origin.clone()),
            first_origin: origin,
            connect,
        }
    }

    /// Returns the connect as the application asked for it.
    pub(super) fn connect(&self) -> &Entry {
        &self.connect
    }

    /// Returns how the connection came to its cassette.
    pub(super) fn origin(&self) -> &Carried {
        &self.origin
    }

    /// Returns whether the cassette's name may have changed since this was last asked.
    #[inline]
    pub(super) fn may_have_changed(&self) -> bool {
        if self.follows_inserted {
            let changes = inserted::changes();
            if self.inserted.load(Ordering::Relaxed) != changes {
                self.inserted.store(changes, Ordering::Relaxed);
                return true;
            }
        }
        self.changes.load(Ordering::Relaxed)
    }

    /// Makes the next command ask again, because the connection could not go on elsewhere now.
    pub(super) fn ask_again(&self) {
        self.inserted.store(inserted::changes().wrapping_sub(1), Ordering::Relaxed);
    }

    /// Goes on in a cassette of another name, which begins with these commands on the connection itself.
    pub(super) fn goes_on(&self, cassette: Cassette<C>, origin: Origin, prelude: Vec<Entry>) {
        let open = origin.is_open();
        *self.prelude.lock() = open.then_some(prelude);
        self.open.store(open, Ordering::Release);
        self.changes.store(origin.changes_by_itself(), Ordering::Relaxed);
        *self.origin.lock() = origin;
        let place = self.place();
        *place.elsewhere.write() = Some(cassette);
        place.went_on.store(true, Ordering::Release);
    }

    /// In a forked child, goes on in the cassette that `go` opens with this connect. `go` gets the id that the
    /// connection has in the parent's cassette.
    ///
    /// # Errors
    /// `go` fails. The next call tries again.
    pub(super) fn go_on<E>(
        &self,
        go: impl FnOnce(&Origin, Option<&Traceparent>, &Entry, ConnectionId) -> Result<Cassette<C>, E>,
    ) -> Result<(), E> {
        let made = |parents: Option<&Place<C>>| {
            let parents = parents.unwrap_or(&self.first);
            // A thread of the parent may have held these locks at the fork, and then nobody releases them.
            let elsewhere = parents.elsewhere.try_read().and_then(|elsewhere| elsewhere.as_ref().map(|(_, id)| *id));
            let id = elsewhere.unwrap_or_else(|| parents.moved.get().unwrap_or(&parents.begun).1);
            let origin = self.origin.try_lock().map_or_else(|| self.first_origin.clone(), |origin| origin.clone());
            let again = self.connect.fields.iter().filter(|(key, _)| *key != CONTINUED).cloned();
            let fields = again.chain([(CONTINUED, Value::Bool(true))]).collect();
            let connect = Entry { method: Method::Connect, connection: ConnectionId(0), statement: None, fields };
            let begun = go(&origin, self.trace.get(), &connect, id)?;
            if let Some(Some(prelude)) = self.prelude.try_lock().as_deref_mut() {
                *prelude = vec![connect];
            }
            Ok(Place::of(begun))
        };
        self.places.get_or_try_init(made).map(|_| ())
    }

    fn place(&self) -> &Place<C> {
        self.places.latest().unwrap_or(&self.first)
    }

    /// Returns the recorder or player.
    pub(super) fn cassette(&self) -> CassetteRef<'_, C> {
        let place = self.place();
        match place.elsewhere() {
            Some((cassette, _)) => CassetteRef::Elsewhere(cassette),
            None => CassetteRef::Here(&place.moved.get().unwrap_or(&place.begun).0),
        }
    }

    /// Returns the connection's id in it.
    pub(super) fn id(&self) -> ConnectionId {
        let place = self.place();
        place.elsewhere().map_or_else(|| place.moved.get().unwrap_or(&place.begun).1, |(_, id)| id)
    }

    /// Returns the cassettes that the connection is in with its id in each, the current one first.
    pub(super) fn all(&self) -> Vec<Cassette<C>> {
        let place = self.place();
        match place.elsewhere() {
            // It was closed in the earlier ones.
            Some(elsewhere) => vec![elsewhere],
            None => place.moved.get().into_iter().chain(std::iter::once(&place.begun)).cloned().collect(),
        }
    }

    /// Keeps a command on the connection itself while its trace is undecided.
    pub(super) fn keep(&self, entry: &Entry) {
        if self.open.load(Ordering::Acquire)
            && let Some(prelude) = &mut *self.prelude.lock()
        {
            prelude.push(entry.clone());
        }
    }

    /// Decides the trace by the first text. `go` opens the trace that the text names and repeats the commands there.
    ///
    /// # Errors
    /// `go` fails. The trace stays undecided.
    pub(super) fn first_text<E>(
        &self,
        text: &TextIn<'_>,
        go: impl FnOnce(&Origin, &Traceparent, &[Entry]) -> Result<Cassette<C>, E>,
    ) -> Result<(), E> {
        if !self.open.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut open = self.prelude.lock();
        let Some(prelude) = &*open else { return Ok(()) };
        if let Some(parent) = text.read().and_then(|sql| Traceparent::of_sql(&sql)) {
            let origin = self.origin.lock().clone();
            let moved = go(&origin, &parent, prelude)?;
            let place = self.place();
            match place.elsewhere() {
                Some(_) => *place.elsewhere.write() = Some(moved),
                None => _ = place.moved.set(moved),
            }
            let _ = self.trace.set(parent);
        }
        *open = None;
        self.open.store(false, Ordering::Release);
        Ok(())
    }
}
