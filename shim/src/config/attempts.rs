//! Which attempt at a test is running. pytest's plugins repeat a failed test in the same process and set the same variable to the same
//! values again, without a number.
//!
//! What tells the attempts apart is that the variable is set anew. To see that, a copy of ours takes the place of the text in the
//! environment each time it is looked at: as long as it is there, nobody has set the variable since. It says the same, so nobody
//! else sees a difference.
#![allow(unsafe_code)]

use super::running_test::{Attempt, Phase, RunningTest};
use crate::per_process::PerProcess;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::ffi::{CStr, CString, c_char};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

const VARIABLE: &CStr = c"PYTEST_CURRENT_TEST";

static SEEN: PerProcess<Mutex<Seen>> = PerProcess::new();

/// The tests that this process has run, as far as they used a cassette.
#[derive(Clone, Debug, Default)]
struct Seen {
    /// The attempts at each.
    attempts: HashMap<String, u32>,
    /// The test that was running when it was looked last, and its phase.
    last: Option<(String, Phase)>,
}

/// The number of the attempt at the test that is running, from 1. To be asked of no other test: what is asked last is what runs.
pub(super) fn attempt(test: &RunningTest) -> u32 {
    let phase = match test.attempt {
        Attempt::Number(number) => return number,
        Attempt::Phase(phase) => phase,
    };
    let seen = SEEN.get_or_init(|parents| {
        // a lock that a thread of the parent holds is never let go of here
        let before = parents.and_then(|seen| seen.try_lock().map(|seen| seen.clone()));
        Mutex::new(before.unwrap_or_default())
    });
    let mut seen = seen.lock();
    let was_set = was_set_again();
    seen.look(&test.id, phase, was_set)
}

impl Seen {
    fn look(&mut self, id: &str, phase: Phase, was_set: bool) -> u32 {
        let goes_on = match &self.last {
            // the phases of one attempt come one after the other
            Some((last, before)) => last == id && (!was_set || *before < phase),
            None => false,
        };
        let attempt = self.attempts.entry(id.to_owned()).or_default();
        if !goes_on {
            *attempt += 1;
        }
        self.last = Some((id.to_owned(), phase));
        *attempt
    }
}

/// Whether the variable was set since this was asked last.
fn was_set_again() -> bool {
    /// Where our copy of the value is.
    static OURS: AtomicPtr<c_char> = AtomicPtr::new(ptr::null_mut());
    // SAFETY: a C string that stays, as names of variables have it.
    let value = unsafe { libc::getenv(VARIABLE.as_ptr()) };
    if value.is_null() || value == OURS.load(Ordering::Relaxed) {
        return false;
    }
    // SAFETY: the environment's text, which ends with a NUL.
    let text = unsafe { CStr::from_ptr(value) }.to_bytes();
    let Ok(copy) = CString::new([VARIABLE.to_bytes(), b"=", text].concat()) else { return true };
    // It belongs to the environment from now on, and is never freed: somebody may still read it when it has been replaced.
    let copy = copy.into_raw();
    // SAFETY: a C string of the form that putenv takes, which stays.
    if unsafe { libc::putenv(copy) } == 0 {
        // SAFETY: inside of the copy, which is longer than the name and the equals sign.
        OURS.store(unsafe { copy.add(VARIABLE.to_bytes().len() + 1) }, Ordering::Relaxed);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_goes_on_through_its_phases_and_the_next_one_begins_with_any() {
        use Phase::{Call, Setup, Teardown};
        let mut seen = Seen::default();
        let looks = [
            ("a", Setup, true, 1),
            ("a", Setup, false, 1),
            ("a", Call, true, 1),
            ("a", Teardown, true, 1),
            ("b", Call, true, 1),
            ("b", Call, false, 1),
            // repeated, and only its call looked at
            ("b", Call, true, 2),
            ("b", Teardown, true, 2),
            ("b", Setup, true, 3),
            // repeated at the end of the run
            ("a", Call, true, 2),
        ];
        for (id, phase, was_set, expected) in looks {
            assert_eq!(seen.look(id, phase, was_set), expected, "{id} {phase:?}");
        }
    }

    #[test]
    fn a_variable_that_is_set_to_the_same_value_was_set() {
        let set = || {
            // SAFETY: C strings that stay; no other test of this binary uses the variable.
            assert_eq!(unsafe { libc::setenv(VARIABLE.as_ptr(), c"t.py::t (call)".as_ptr(), 1) }, 0);
        };
        assert!(!was_set_again());
        set();
        assert!(was_set_again() && !was_set_again() && !was_set_again());
        set();
        assert!(was_set_again() && !was_set_again());
        assert_eq!(std::env::var("PYTEST_CURRENT_TEST").as_deref(), Ok("t.py::t (call)"));
    }
}
