//! Calls that usually go as nobody has to write down, while recording: each connection counts them, so that one which goes
//! otherwise later is recorded in its place.
//!
//! They are made for every statement, so the usual case costs a sum and an entry in a map: no allocation, and no lock but the
//! connection's own.

use super::connection::Connection;
use crate::mode::keys::LocalKey;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicU32, Ordering};
use super8_cassette::{CassetteError, Value};

/// What is already as good as a hash.
#[derive(Default)]
struct Ready(u64);

impl Hasher for Ready {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |sum, byte| sum.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, sum: u64) {
        self.0 = sum;
    }
}

/// When calls went as usual.
#[derive(Default)]
pub(super) struct Usual {
    /// The commands of the connection so far.
    commands: AtomicU32,
    calls: Mutex<HashMap<u64, Times, BuildHasherDefault<Ready>>>,
}

/// How often a call went as usual since the last command before it did.
#[derive(Clone, Copy, Default)]
struct Times {
    commands: u32,
    given: u32,
}

impl Usual {
    /// Another command of the connection.
    pub(super) fn commanded(&self) {
        self.commands.fetch_add(1, Ordering::Relaxed);
    }

    /// The call went as usual.
    #[inline]
    fn went(&self, call: u64) {
        let commands = self.commands.load(Ordering::Relaxed);
        let mut calls = self.calls.lock();
        let times = calls.entry(call).or_default();
        *times = match times.commands == commands {
            true => Times { commands, given: times.given + 1 },
            false => Times { commands, given: 1 },
        };
    }

    /// How often it did since the last command; `None` if it never did.
    fn times(&self, call: u64) -> Option<u32> {
        let commands = self.commands.load(Ordering::Relaxed);
        let times = self.calls.lock().get(&call).copied()?;
        Some(if times.commands == commands { times.given } else { 0 })
    }
}

impl Connection {
    /// Notes what came of a call, by its sum and its key: `None` if it went as usual, else what is to be written of it.
    #[inline]
    pub(super) fn note_outcome(
        &self,
        call: u64,
        key: impl FnOnce() -> LocalKey,
        said: Option<Vec<(String, Value)>>,
    ) -> Result<(), CassetteError> {
        if said.is_none() && !self.recorder().has_outcomes() {
            self.usual.went(call);
            return Ok(());
        }
        self.recorder().outcome(self.id(), &key(), said, self.usual.times(call))
    }
}
