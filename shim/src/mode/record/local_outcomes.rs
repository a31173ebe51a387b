//! Calls that usually go as nobody has to write down, while recording: each connection counts them, so that one which goes
//! otherwise later is recorded in its place.
//!
//! They are made for every statement, so the usual case costs a few words and an entry in a map: no allocation, and no lock but the
//! connection's own.

use super::connection::Connection;
use crate::mode::keys::CallKey;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicU32, Ordering};
use super8_cassette::{CassetteError, Fields, Key, Value};

/// Spreads the few words of a key over a map; what falls together is compared.
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64((*byte).into()));
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}

/// When calls went as usual.
#[derive(Default)]
pub(super) struct LocalOutcomes {
    /// The commands of the connection so far.
    commands: AtomicU32,
    calls: Mutex<HashMap<CallKey, Times, BuildHasherDefault<Spread>>>,
}

/// How often a call went as usual since the last command before it did.
#[derive(Clone, Copy, Default)]
struct Times {
    commands: u32,
    given: u32,
}

impl LocalOutcomes {
    /// Nothing is known of any call.
    pub(super) fn forget(&self) {
        if let Some(mut calls) = self.calls.try_lock() {
            calls.clear();
        }
    }

    /// Nothing is known of the calls on a descriptor any more: its number is not given again.
    fn forget_descriptor(&self, descriptor: i64) {
        self.calls.lock().retain(|call, _| !call.is_on_descriptor(descriptor));
    }

    /// Another command of the connection.
    pub(super) fn commanded(&self) {
        self.commands.fetch_add(1, Ordering::Relaxed);
    }

    /// The call went as usual.
    #[inline]
    fn went(&self, call: CallKey) {
        let commands = self.commands.load(Ordering::Relaxed);
        let mut calls = self.calls.lock();
        let times = calls.entry(call).or_default();
        *times = match times.commands == commands {
            true => Times { commands, given: times.given + 1 },
            false => Times { commands, given: 1 },
        };
    }

    /// How often it did since the last command; `None` if it never did.
    fn times(&self, call: &CallKey) -> Option<u32> {
        let commands = self.commands.load(Ordering::Relaxed);
        let times = self.calls.lock().get(call).copied()?;
        Some(if times.commands == commands { times.given } else { 0 })
    }
}

impl Connection {
    /// A descriptor of the application's was freed: what was kept of it goes.
    pub(super) fn forget_descriptor(&self, descriptor: i64) {
        self.usual.forget_descriptor(descriptor);
        self.widths.lock().retain(|(_, of, _), _| *of != descriptor);
        self.recorder().forget_outcomes(self.id(), Key::Descriptor, &Value::from(descriptor));
    }

    /// Notes what came of a call, by its key in short and in full: `None` if it went as usual, else what is to be written of it.
    #[inline]
    pub(super) fn note_outcome(
        &self,
        call: CallKey,
        key: impl FnOnce() -> Fields,
        said: Option<Fields>,
    ) -> Result<(), CassetteError> {
        if said.is_none() && !self.recorder().has_outcomes() {
            self.usual.went(call);
            return Ok(());
        }
        self.recorder().outcome(self.id(), &key(), said, self.usual.times(&call))
    }
}
