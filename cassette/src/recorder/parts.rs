//! Names of a recording's parts: `{connection}_{statement}_{kind}`, with a suffix from the second on.

use std::collections::HashMap;

use crate::ConnectionId;

/// What a part holds.
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

/// The names rows may end up with, made when a file is needed: most runs need none.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowsNames {
    connection: ConnectionId,
    statement: u32,
    /// Counts the runs of a recording in the order in which they are opened.
    run: u64,
    all: u32,
    many: u32,
    scroll: u32,
}

impl RowsNames {
    /// The number of the run.
    pub(super) fn run(&self) -> u64 {
        self.run
    }

    /// The name of the run as a part of this kind.
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

/// How many parts of each kind the statements have.
#[derive(Debug, Default)]
pub(super) struct Parts {
    used: HashMap<(ConnectionId, u32), [u32; 5]>,
    runs: u64,
}

impl Parts {
    /// The name the next part of this kind gets.
    pub(super) fn next(&self, connection: ConnectionId, statement: u32, kind: Kind) -> String {
        name(connection, statement, kind, self.count(connection, statement, kind))
    }

    /// The names the next run of rows may get.
    pub(super) fn rows(&mut self, connection: ConnectionId, statement: u32) -> RowsNames {
        self.runs += 1;
        let count = |kind| self.count(connection, statement, kind);
        let (all, many, scroll) = (count(Kind::FetchAll), count(Kind::FetchMany), count(Kind::FetchScroll));
        RowsNames { connection, statement, run: self.runs, all, many, scroll }
    }

    fn count(&self, connection: ConnectionId, statement: u32, kind: Kind) -> u32 {
        self.used.get(&(connection, statement)).map_or(0, |used| used[kind as usize])
    }

    /// The next part's name is taken.
    pub(super) fn used(&mut self, connection: ConnectionId, statement: u32, kind: Kind) {
        self.used.entry((connection, statement)).or_default()[kind as usize] += 1;
    }

    /// The statement, or every statement of the connection, will have no more parts: ids are never given again.
    pub(super) fn forget(&mut self, connection: ConnectionId, statement: Option<u32>) {
        match statement {
            Some(statement) => drop(self.used.remove(&(connection, statement))),
            None => self.used.retain(|(of, _), _| *of != connection),
        }
    }
}
