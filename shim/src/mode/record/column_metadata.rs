//! What a statement has learned of its columns, where the recorder finds it too: a program may end without another word
//! about the statement.

use crate::args::Reply;
use crate::call::Question;
use crate::mode::columns::Columns;
use crate::table::Function;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use super8_cassette::{ConnectionId, PendingColumns, Recorder, Value};

/// The columns of a statement's result.
#[derive(Default)]
pub(super) struct Learned {
    inner: Mutex<Inner>,
    /// Something may be to be written: asked at every fetch.
    news: AtomicBool,
}

#[derive(Default)]
struct Inner {
    /// The connection and the statement in their cassette.
    of: Option<(ConnectionId, u32)>,
    columns: Columns,
    /// The address of the recorder that knows this place: a connection may move to another one.
    known: usize,
}

impl Learned {
    /// Another statement text.
    pub(super) fn begin(&self, connection: ConnectionId, id: u32) {
        let mut inner = self.inner.lock();
        inner.of = Some((connection, id));
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
            let address = std::ptr::from_ref(recorder).addr();
            self.news.store(true, Ordering::Relaxed);
            (inner.columns.learn(function, question, replies), std::mem::replace(&mut inner.known, address) == address)
        };
        if !known {
            let place: Weak<Learned> = Arc::downgrade(self);
            recorder.gathering(place);
        }
        learned
    }
}

impl PendingColumns for Learned {
    fn connection(&self) -> ConnectionId {
        self.inner.try_lock().and_then(|inner| Some(inner.of?.0)).unwrap_or(ConnectionId(u32::MAX))
    }

    fn take(&self) -> Option<(u32, Value)> {
        if !self.news.load(Ordering::Relaxed) {
            return None;
        }
        // At exit another thread may have ended while it held the lock.
        let mut inner = self.inner.try_lock()?;
        let (_, id) = inner.of?;
        self.news.store(false, Ordering::Relaxed);
        Some((id, inner.columns.news()?))
    }
}
