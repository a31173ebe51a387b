//! The threads that give commands on a connection, numbered in the order in which they come: replay goes by these numbers.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::ConnectionId;

/// So many connections are remembered with their first thread.
const REMEMBERED: usize = 8;

/// The threads of every connection of a recording.
#[derive(Default)]
pub(super) struct Threads {
    /// By connection, the number of each thread that has given a command.
    numbers: Mutex<HashMap<ConnectionId, HashMap<u32, u32>>>,
    /// Connections, each with its first thread: where nobody else uses a connection, a command needs neither lock nor map.
    first: [AtomicU64; REMEMBERED],
}

impl Threads {
    /// The number of this thread on a connection, from 2; `None` for the thread that used the connection first.
    #[inline]
    pub(super) fn number(&self, connection: ConnectionId) -> Option<u32> {
        let thread = crate::process::thread();
        let (place, pair) = self.remembered(connection, thread);
        if place.load(Ordering::Relaxed) == pair { None } else { self.look_up(connection, thread) }
    }

    #[cold]
    fn look_up(&self, connection: ConnectionId, thread: u32) -> Option<u32> {
        let mut numbers = self.numbers.lock();
        let threads = numbers.entry(connection).or_default();
        let next = threads.len() as u32 + 1;
        let number = *threads.entry(thread).or_insert(next);
        if number == 1 {
            let (place, pair) = self.remembered(connection, thread);
            place.store(pair, Ordering::Relaxed);
        }
        (number > 1).then_some(number)
    }

    /// Where a connection is remembered, and how, if this is its first thread. Threads count from 1, so that no pair is 0.
    fn remembered(&self, connection: ConnectionId, thread: u32) -> (&AtomicU64, u64) {
        let place = &self.first[connection.0 as usize % REMEMBERED];
        (place, u64::from(connection.0) << 32 | u64::from(thread))
    }

    /// The connection is closed. Its number is not given again.
    pub(super) fn forget(&self, connection: ConnectionId) {
        self.numbers.lock().remove(&connection);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_another_thread(threads: &Threads, connection: u32) -> Option<u32> {
        std::thread::scope(|scope| scope.spawn(|| threads.number(ConnectionId(connection))).join().unwrap())
    }

    #[test]
    fn threads_are_numbered_on_each_connection_as_they_come() {
        let threads = Threads::default();
        // the last one takes the place in which the first was remembered
        for connection in [0, 1, REMEMBERED as u32] {
            assert_eq!(threads.number(ConnectionId(connection)), None);
        }
        assert_eq!((in_another_thread(&threads, 0), in_another_thread(&threads, 0)), (Some(2), Some(3)));
        assert_eq!(in_another_thread(&threads, 2), None, "the first on a connection");
        assert_eq!(threads.number(ConnectionId(2)), Some(2));
        assert_eq!((threads.number(ConnectionId(0)), threads.number(ConnectionId(2))), (None, Some(2)));
    }

    #[test]
    fn thousands_of_short_threads_take_no_longer_each() {
        let threads = Threads::default();
        let connection = ConnectionId(0);
        for thread in 1..=100_000 {
            let (number, again) = (threads.look_up(connection, thread), threads.look_up(connection, thread));
            assert_eq!((number, again), ((thread > 1).then_some(thread), number));
        }
    }
}
