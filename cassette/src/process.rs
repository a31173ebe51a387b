//! Which process this is, cheaply: asked several times for every command that is recorded. And which thread.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};

/// The process id, once somebody promised to say when it changes; 0 until then.
static KNOWN: AtomicU32 = AtomicU32::new(0);

/// Keeps the process id from now on. The caller promises to call this again in every forked child (`pthread_atfork`);
/// without that promise the system is asked each time.
pub fn remember() {
    KNOWN.store(std::process::id(), Ordering::Relaxed);
}

/// The number of this thread among those that have asked for it, from 1.
pub(crate) fn thread() -> u32 {
    static LAST: AtomicU32 = AtomicU32::new(0);
    // without a destructor: it is asked at process exit as well
    thread_local!(static NUMBER: Cell<u32> = const { Cell::new(0) });
    NUMBER.with(|number| {
        if number.get() == 0 {
            number.set(LAST.fetch_add(1, Ordering::Relaxed) + 1);
        }
        number.get()
    })
}

/// The id of this process.
#[inline]
pub fn id() -> u32 {
    match KNOWN.load(Ordering::Relaxed) {
        0 => asked(),
        known => known,
    }
}

#[cold]
fn asked() -> u32 {
    std::process::id()
}
