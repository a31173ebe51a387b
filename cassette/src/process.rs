//! Says which process and which thread this is, cheaply, because every recorded command asks several times. Also declares what the
//! processes of a run know of each other.

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
pub fn thread() -> u32 {
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

/// What the processes of a run, each of which plays a part of the cassette, know of each other.
pub trait Processes: std::fmt::Debug + Send + Sync {
    /// Says whether this process may enter the group of parts of this name, which has `room` for that many, and counts
    /// it if so.
    fn take(&self, group: &str, room: usize) -> bool;

    /// Tells all processes of the run a line.
    fn tell(&self, line: &str);

    /// Returns the lines that any of them has told beyond the first `known` bytes, and how many bytes are known then.
    fn told(&self, known: u64) -> (Vec<String>, u64);
}
