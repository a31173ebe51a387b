//! What the C library calls: one function at process exit, behind a guard (a panic must not cross into C), and one in
//! every forked child.
#![allow(unsafe_code)]

use std::panic::catch_unwind;
use std::sync::OnceLock;

static AT_EXIT: OnceLock<fn()> = OnceLock::new();

extern "C" fn run() {
    if let Some(function) = AT_EXIT.get() {
        // A panic was reported by the hook already; the process is ending.
        let _ = catch_unwind(function);
    }
}

unsafe extern "C" fn in_child() {
    super8_cassette::process::remember();
}

/// Registers `function` to run when the process exits normally; the first one counts.
pub fn register(function: fn()) {
    if AT_EXIT.set(function).is_ok() {
        // SAFETY: static functions of a library that is never unloaded (linked with -z nodelete).
        unsafe {
            libc::atexit(run);
            if libc::pthread_atfork(None, None, Some(in_child)) == 0 {
                super8_cassette::process::remember();
            }
        }
    }
}
