//! Says cheaply which process and which thread this is. It is asked several times for every recorded command.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};

/// The process id, once somebody has promised to report its changes; 0 until then.
static KNOWN: AtomicU32 = AtomicU32::new(0);

/// Keeps the process id from now on. The caller promises to call this again in every forked child (`pthread_atfork`).
/// Without that promise the system is asked each time.
pub fn remember() {
    KNOWN.store(std::process::id(), Ordering::Relaxed);
}

/// Returns the number of this thread among those that have asked for it, from 1.
pub(crate) fn thread() -> u32 {
    static LAST: AtomicU32 = AtomicU32::new(0);
    // without a destructor, because it is also asked at process exit
    thread_local!(static NUMBER: Cell<u32> = const { Cell::new(0) });
    NUMBER.with(|number| {
        if number.get() == 0 {
            number.set(LAST.fetch_add(1, Ordering::Relaxed) + 1);
        }
        number.get()
    })
}

/// Returns the id of this process.
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
