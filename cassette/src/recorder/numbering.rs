//! Numbers the members of each statement, and the threads of each connection in the order in which they give commands. Replay
//! goes by these numbers. The names of members are `{connection}_{statement}_{kind}`, with a suffix from the second on.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::ConnectionId;

/// What a member holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Columns,
    FetchAll,
    FetchMany,
    FetchScroll,
    Execute,
}

impl Kind {
    const fn ending(self) -> (&'static str, &'static str) {
        match self {
            Kind::Columns => ("columns", "yml"),
            Kind::FetchAll => ("fetch_all", "csv"),
            Kind::FetchMany => ("fetch_many", "csv"),
            Kind::FetchScroll => ("fetch_scroll", "csv"),
            Kind::Execute => ("execute", "csv"),
        }
    }
}

/// The names that a run's rows may end up with. They are made only when a file is needed, which for most runs is never.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowsNames {
    connection: ConnectionId,
    statement: u32,
    /// The number of the run, counted over the recording in the order in which runs are opened.
    run: u64,
    all: u32,
    many: u32,
    scroll: u32,
}

impl RowsNames {
    /// Returns the number of the run.
    pub(super) fn run(&self) -> u64 {
        self.run
    }

    /// Returns the name of the run as a member of this kind.
    pub(super) fn name(&self, kind: Kind) -> String {
        let used = match kind {
            Kind::FetchAll => self.all,
            Kind::FetchScroll => self.scroll,
            _ => self.many,
        };
        name(self.connection, self.statement, kind, used)
    }
}

fn name(connection: ConnectionId, statement: u32, kind: Kind, used: u32) -> String {
    let (name, ending) = kind.ending();
    match used {
        0 => format!("{connection}_{statement}_{name}.{ending}"),
        used => format!("{connection}_{statement}_{name}_{}.{ending}", used + 1),
    }
}

/// How many members of each kind the statements have.
#[derive(Debug, Default)]
pub(super) struct FileNames {
    used: HashMap<(ConnectionId, u32), [u32; 5]>,
    runs: u64,
}

impl FileNames {
    /// Returns the name that the next member of this kind gets.
    pub(super) fn next(&self, connection: ConnectionId, statement: u32, kind: Kind) -> String {
        name(connection, statement, kind, self.count(connection, statement, kind))
    }

    /// Returns the names that the next run of rows may get.
    pub(super) fn rows(&mut self, connection: ConnectionId, statement: u32) -> RowsNames {
        self.runs += 1;
        let count = |kind| self.count(connection, statement, kind);
        let (all, many, scroll) = (count(Kind::FetchAll), count(Kind::FetchMany), count(Kind::FetchScroll));
        RowsNames { connection, statement, run: self.runs, all, many, scroll }
    }

    fn count(&self, connection: ConnectionId, statement: u32, kind: Kind) -> u32 {
        self.used.get(&(connection, statement)).map_or(0, |used| used[kind as usize])
    }

    /// Marks the next member's name as taken.
    pub(super) fn used(&mut self, connection: ConnectionId, statement: u32, kind: Kind) {
        self.used.entry((connection, statement)).or_default()[kind as usize] += 1;
    }

    /// Forgets the statement, or every statement of the connection. It will have no more members, because ids are never used again.
    pub(super) fn forget(&mut self, connection: ConnectionId, statement: Option<u32>) {
        match statement {
            Some(statement) => drop(self.used.remove(&(connection, statement))),
            None => self.used.retain(|(of, _), _| *of != connection),
        }
    }
}

/// How many connections are remembered with their first thread.
const REMEMBERED: usize = 8;

/// The threads of every connection of a recording.
#[derive(Default)]
pub(super) struct Threads {
    /// By connection, the number of each thread that has given a command.
    numbers: Mutex<HashMap<ConnectionId, HashMap<u32, u32>>>,
    /// Remembers connections with their first thread. Where no other thread uses the connection, a command then needs
    /// neither lock nor map.
    first: [AtomicU64; REMEMBERED],
}

impl Threads {
    /// Returns the number of this thread on a connection, from 2; `None` for the thread that used the connection first.
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

    /// Returns where a connection is remembered, and the value there if this is its first thread. Threads count from 1,
    /// so no value is 0.
    fn remembered(&self, connection: ConnectionId, thread: u32) -> (&AtomicU64, u64) {
        let place = &self.first[connection.0 as usize % REMEMBERED];
        (place, u64::from(connection.0) << 32 | u64::from(thread))
    }

    /// Forgets a connection that is closed. Its number is not used again.
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
        // the last one takes the place where the first was remembered
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
