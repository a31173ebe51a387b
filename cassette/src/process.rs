//! Which process this is, cheaply: asked several times for every command that is recorded.

use std::sync::atomic::{AtomicU32, Ordering};

/// The process id, once somebody promised to say when it changes; 0 until then.
static KNOWN: AtomicU32 = AtomicU32::new(0);

/// Keeps the process id from now on. The caller promises to call this again in every forked child (`pthread_atfork`);
/// without that promise the system is asked each time.
pub fn remember() {
    KNOWN.store(std::process::id(), Ordering::Relaxed);
}

/// The id of this process.
pub(crate) fn id() -> u32 {
    match KNOWN.load(Ordering::Relaxed) {
        0 => std::process::id(),
        known => known,
    }
}
