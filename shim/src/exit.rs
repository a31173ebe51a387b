//! What the C library calls: one function when the process ends, behind a guard (a panic must not cross into C), and
//! one in every forked child.
#![allow(unsafe_code)]

use std::panic::catch_unwind;
use std::sync::{Once, OnceLock};

static AT_EXIT: OnceLock<fn()> = OnceLock::new();

/// Runs what was registered. The library's `.fini_array` entry calls it: see [`at_end`](crate::at_end). The dynamic
/// linker calls that entry after all functions that were registered with `atexit` and all destructors of static C++
/// objects, so a program may still use its connections in these. A function that super8 itself registered with `atexit`
/// would run before those that the program registered before it loaded the driver.
pub fn run() {
    if let Some(function) = AT_EXIT.get() {
        // The hook has reported a panic already, and the process is ending.
        let _ = catch_unwind(function);
    }
}

unsafe extern "C" fn in_child() {
    super8_cassette::process::remember();
}

/// Registers `function` to run when the process exits normally. Only the first one counts.
pub fn register(function: fn()) {
    let _ = AT_EXIT.set(function);
}

/// Stores the process id, and updates it in every forked child.
pub fn watch_forks() {
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| {
        // SAFETY: a static function of a library that is never unloaded (linked with -z nodelete).
        unsafe {
            if libc::pthread_atfork(None, None, Some(in_child)) == 0 {
                super8_cassette::process::remember();
            }
        }
    });
}
