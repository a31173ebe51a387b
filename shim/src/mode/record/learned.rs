//! What a statement has learned of its columns, where the recorder finds it too: a program may end without another word
//! about the statement.

use crate::args::Reply;
use crate::call::Question;
use crate::mode::columns::Columns;
use crate::table::Function;
use parking_lot::Mutex;
use std::sync::{Arc, Weak};
use super8_cassette::{ConnectionId, Gathered, Recorder, Value};

/// The columns of a statement's result.
pub(super) struct Learned {
    connection: ConnectionId,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    id: Option<u32>,
    columns: Columns,
    /// Whether the recorder knows this place.
    known: bool,
}

impl Learned {
    /// Nothing, on a connection.
    pub(super) fn new(connection: ConnectionId) -> Arc<Learned> {
        Arc::new(Learned { connection, inner: Mutex::default() })
    }

    /// Another statement text.
    pub(super) fn begin(&self, id: u32) {
        let mut inner = self.inner.lock();
        inner.id = Some(id);
        inner.columns.clear();
    }

    /// Another result.
    pub(super) fn clear(&self) {
        self.inner.lock().columns.clear();
    }

    /// Takes in a plain reply, as [`Columns::learn`].
    pub(super) fn learn(
        self: &Arc<Self>,
        recorder: &Recorder,
        function: Function,
        question: &Question<'_>,
        replies: &[Reply],
    ) -> bool {
        let (learned, known) = {
            let mut inner = self.inner.lock();
            (inner.columns.learn(function, question, replies), std::mem::replace(&mut inner.known, true))
        };
        if !known {
            let place: Weak<Learned> = Arc::downgrade(self);
            recorder.gathering(place);
        }
        learned
    }
}

impl Gathered for Learned {
    fn connection(&self) -> ConnectionId {
        self.connection
    }

    fn take(&self) -> Option<(u32, Value)> {
        // At exit another thread may have ended while it held the lock.
        let mut inner = self.inner.try_lock()?;
        Some((inner.id?, inner.columns.news()?))
    }
}
