//! Finds out which attempt at a test is running. pytest's plugins repeat a failed test in the same process and set the
//! same variable to the same values again, without a number.
//!
//! What tells the attempts apart is that the variable is set again. To see that, super8 puts its own copy in the place
//! of the text in the environment each time it looks. As long as the copy is there, nobody has set the variable since.
//! The copy says the same, so nobody else sees a difference.
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
    /// How many attempts there were at each test.
    attempts: HashMap<String, u32>,
    /// The test that was running at the last look, and its phase.
    last: Option<(String, Phase)>,
}

/// Returns the number of the attempt at the running test, from 1. Must not be called for any other test, because the
/// last test that was asked for counts as the running one.
pub(super) fn attempt(test: &RunningTest) -> u32 {
    let phase = match test.attempt {
        Attempt::Number(number) => return number,
        Attempt::Phase(phase) => phase,
    };
    let seen = SEEN.get_or_init(|parents| {
        // A lock that a thread of the parent holds is never released here.
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
            // The phases of one attempt follow each other.
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

/// Returns whether the variable was set since the last call.
fn was_set_again() -> bool {
    /// Where super8's copy of the value is.
    static OURS: AtomicPtr<c_char> = AtomicPtr::new(ptr::null_mut());
    // SAFETY: a C string that stays valid, as a variable's name does.
    let value = unsafe { libc::getenv(VARIABLE.as_ptr()) };
    if value.is_null() || value == OURS.load(Ordering::Relaxed) {
        return false;
    }
    // SAFETY: the environment's text, which ends with a NUL.
    let text = unsafe { CStr::from_ptr(value) }.to_bytes();
    let Ok(copy) = CString::new([VARIABLE.to_bytes(), b"=", text].concat()) else { return true };
    // The copy belongs to the environment from now on and is never freed: somebody may still read it after it was
    // replaced.
    let copy = copy.into_raw();
    // SAFETY: a C string of the form that putenv takes, which stays.
    if unsafe { libc::putenv(copy) } == 0 {
        // SAFETY: inside the copy, which is longer than the name and the equals sign.
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
            // Repeated, and only its call looked at.
            ("b", Call, true, 2),
            ("b", Teardown, true, 2),
            ("b", Setup, true, 3),
            // Repeated at the end of the run.
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
