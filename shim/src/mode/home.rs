//! Where the commands of a connection are kept: in the cassette it began in, and from then on in the trace that the first
//! statement with a text names, where nothing else named one.
//!
//! What came before that statement stays where it is. The trace gets the commands on the connection itself again, the
//! connect first, so that it is a whole cassette.

use crate::args::TextIn;
use crate::deck::Elsewhere;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use super8_cassette::{ConnectionId, Entry, Traceparent};

/// The recorder or player of a connection, with the connection's id in it.
pub(super) struct Home<C> {
    first: (Arc<C>, ConnectionId),
    moved: OnceLock<(Arc<C>, ConnectionId)>,
    /// Looked at before the lock is taken: after the first text nothing is open any more.
    open: AtomicBool,
    question: Mutex<Option<Question>>,
}

/// As long as it is open in which trace the connection belongs.
struct Question {
    elsewhere: Elsewhere,
    /// The commands on the connection itself so far.
    prelude: Vec<Entry>,
}

impl<C> Home<C> {
    /// The cassette a connection begins in; `elsewhere` if its first text may name another.
    pub(super) fn new(cassette: Arc<C>, id: ConnectionId, elsewhere: Option<Elsewhere>) -> Self {
        let open = AtomicBool::new(elsewhere.is_some());
        let question = elsewhere.map(|elsewhere| Question { elsewhere, prelude: Vec::new() });
        Home { first: (cassette, id), moved: OnceLock::new(), open, question: Mutex::new(question) }
    }

    /// The recorder or player.
    pub(super) fn cassette(&self) -> &Arc<C> {
        &self.moved.get().unwrap_or(&self.first).0
    }

    /// The connection's id in it.
    pub(super) fn id(&self) -> ConnectionId {
        self.moved.get().unwrap_or(&self.first).1
    }

    /// The cassettes the connection was in, with its id in each; the one it is in first.
    pub(super) fn all(&self) -> impl Iterator<Item = &(Arc<C>, ConnectionId)> {
        self.moved.get().into_iter().chain(std::iter::once(&self.first))
    }

    /// Keeps a command on the connection itself, as long as the question is open.
    pub(super) fn keep(&self, entry: &Entry) {
        if self.open.load(Ordering::Acquire)
            && let Some(question) = &mut *self.question.lock()
        {
            question.prelude.push(entry.clone());
        }
    }

    /// Answers the question with the first text. `go` opens the trace that it names and does the commands there.
    ///
    /// # Errors
    /// What `go` says; the question stays open.
    pub(super) fn first_text<E>(
        &self,
        text: &TextIn<'_>,
        go: impl FnOnce(&Elsewhere, &Traceparent, &[Entry]) -> Result<(Arc<C>, ConnectionId), E>,
    ) -> Result<(), E> {
        if !self.open.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut open = self.question.lock();
        let Some(question) = &*open else { return Ok(()) };
        if let Some(parent) = text.read().and_then(|sql| Traceparent::of_sql(&sql)) {
            let moved = go(&question.elsewhere, &parent, &question.prelude)?;
            let _ = self.moved.set(moved);
        }
        *open = None;
        self.open.store(false, Ordering::Release);
        Ok(())
    }
}
