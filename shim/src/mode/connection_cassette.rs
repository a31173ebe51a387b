//! Where the commands of a connection are kept: in the cassette it began in, and from then on in the trace that the first
//! statement with a text names, where nothing else named one.
//!
//! What came before that statement stays where it is. The trace gets the commands on the connection itself again, the
//! connect first, so that it is a whole cassette.
//!
//! A forked child that uses a connection of its parent's goes on with it in a part of its own, as what follows the fork: the part
//! begins with the connect once more, `continued: true`.

use crate::args::TextIn;
use crate::cassettes::Origin;
use crate::per_process::PerProcess;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use super8_cassette::{ConnectionId, Entry, Key, Method, Traceparent, Value};

/// The key of a connect that goes on with a connection.
const CONTINUED: Key = Key::Continued;

/// The recorder or player of a connection, with the connection's id in it.
type Cassette<C> = (Arc<C>, ConnectionId);

/// The cassettes of a connection.
pub(super) struct ConnectionCassette<C> {
    first: Place<C>,
    /// Those of forked children.
    places: PerProcess<Place<C>>,
    origin: Origin,
    /// The connect.
    connect: Entry,
    /// Looked at before the lock is taken: after the first text nothing is open any more.
    open: AtomicBool,
    /// The commands on the connection itself, as long as it is open in which trace it belongs.
    prelude: Mutex<Option<Vec<Entry>>>,
    /// The trace that the first text named.
    trace: OnceLock<Traceparent>,
}

/// Where it is in one process.
struct Place<C> {
    begun: Cassette<C>,
    moved: OnceLock<Cassette<C>>,
}

impl<C> Place<C> {
    fn of(begun: Cassette<C>) -> Self {
        Place { begun, moved: OnceLock::new() }
    }
}

impl<C> ConnectionCassette<C> {
    /// The cassette that a connection begins in with this connect.
    pub(super) fn new(cassette: Arc<C>, id: ConnectionId, origin: Origin, connect: Entry) -> Self {
        let open = origin.is_open();
        ConnectionCassette {
            first: Place::of((cassette, id)),
            places: PerProcess::new(),
            prelude: Mutex::new(open.then(|| vec![connect.clone()])),
            open: AtomicBool::new(open),
            trace: OnceLock::new(),
            origin,
            connect,
        }
    }

    /// In a forked child: goes on in a cassette that `go` opens with this connect. The id is the one it has in the parent's.
    ///
    /// # Errors
    /// What `go` says; it is tried again with the next call.
    pub(super) fn go_on<E>(
        &self,
        go: impl FnOnce(&Origin, Option<&Traceparent>, &Entry, ConnectionId) -> Result<Cassette<C>, E>,
    ) -> Result<(), E> {
        let made = |parents: Option<&Place<C>>| {
            let parents = parents.unwrap_or(&self.first);
            let id = parents.moved.get().unwrap_or(&parents.begun).1;
            let again = self.connect.fields.iter().filter(|(key, _)| *key != CONTINUED).cloned();
            let fields = again.chain([(CONTINUED, Value::Bool(true))]).collect();
            let connect = Entry { method: Method::Connect, connection: ConnectionId(0), statement: None, fields };
            let begun = go(&self.origin, self.trace.get(), &connect, id)?;
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

    /// The recorder or player.
    pub(super) fn cassette(&self) -> &Arc<C> {
        let place = self.place();
        &place.moved.get().unwrap_or(&place.begun).0
    }

    /// The connection's id in it.
    pub(super) fn id(&self) -> ConnectionId {
        let place = self.place();
        place.moved.get().unwrap_or(&place.begun).1
    }

    /// The cassettes the connection was in, with its id in each; the one it is in first.
    pub(super) fn all(&self) -> impl Iterator<Item = &Cassette<C>> {
        let place = self.place();
        place.moved.get().into_iter().chain(std::iter::once(&place.begun))
    }

    /// Keeps a command on the connection itself, as long as it is open in which trace it belongs.
    pub(super) fn keep(&self, entry: &Entry) {
        if self.open.load(Ordering::Acquire)
            && let Some(prelude) = &mut *self.prelude.lock()
        {
            prelude.push(entry.clone());
        }
    }

    /// Answers that with the first text. `go` opens the trace that it names and does the commands there.
    ///
    /// # Errors
    /// What `go` says; it stays open.
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
            let moved = go(&self.origin, &parent, prelude)?;
            let _ = self.place().moved.set(moved);
            let _ = self.trace.set(parent);
        }
        *open = None;
        self.open.store(false, Ordering::Release);
        Ok(())
    }
}
