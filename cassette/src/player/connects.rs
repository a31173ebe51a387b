//! The recorded connects, and which of them a live connect agrees with. The thousands of connects of a test suite are
//! often all the same, so connects with identical content form a group and are compared once.

use std::collections::HashMap;

use super::compare::difference;
use super::index::Index;
use crate::store::Store;
use crate::{CassetteError, ConnectionId, Entry, Key, Value};

/// The number of a group of connects with the same content.
pub(super) type Group = u32;

/// The connects of a cassette.
#[derive(Debug, Default)]
pub(super) struct Connects {
    /// All connects in recorded order.
    all: Vec<Connect>,
    /// One entry for each group.
    groups: Vec<Entry>,
    by_connection: HashMap<ConnectionId, u32>,
    /// Whether any completed connection string did not fit its buffer.
    cut: bool,
}

/// Returns the buffer that was given for a completed connection string, if the entry records it to tell replies apart.
fn buffer(entry: &Entry) -> Option<&Value> {
    entry.get(Key::Completed).and_then(|completed| completed.get("buffer"))
}

/// A recorded connect.
#[derive(Clone, Copy, Debug)]
pub(super) struct Connect {
    pub(super) position: u32,
    pub(super) connection: ConnectionId,
    pub(super) group: Group,
    pub(super) succeeded: bool,
}

impl Connects {
    /// Reads the connects of a log.
    pub(super) fn read(index: &Index, storage: &dyn Store) -> Result<Connects, CassetteError> {
        let mut connects = Connects::default();
        let mut known: HashMap<String, Group> = HashMap::new();
        for position in index.connects() {
            let entry = storage.checked_entry(index.slot(*position).place())?;
            let (connection, succeeded) = (entry.connection, entry.succeeded());
            connects.cut |= buffer(&entry).is_some();
            let group = *known.entry(format!("{:?}", entry.fields)).or_insert_with(|| {
                connects.groups.push(entry);
                connects.groups.len() as Group - 1
            });
            connects.by_connection.entry(connection).or_insert(connects.all.len() as u32);
            connects.all.push(Connect { position: *position, connection, group, succeeded });
        }
        Ok(connects)
    }

    /// Makes the connects of units, each with its position and group.
    pub(super) fn of_units(units: Vec<(u32, Group)>) -> Connects {
        let connect = |(number, (position, group)): (usize, (u32, Group))| {
            let connection = ConnectionId(number as u32);
            Connect { position, connection, group, succeeded: true }
        };
        let all: Vec<Connect> = units.into_iter().enumerate().map(connect).collect();
        let by_connection = all.iter().map(|connect| (connect.connection, connect.connection.0)).collect();
        Connects { all, by_connection, ..Connects::default() }
    }

    /// Returns the connects from the n-th on, in recorded order.
    pub(super) fn from(&self, first: usize) -> &[Connect] {
        self.all.get(first..).unwrap_or_default()
    }

    /// Returns the connect that opened a connection.
    pub(super) fn of(&self, connection: ConnectionId) -> Option<&Connect> {
        self.number(connection).and_then(|number| self.all.get(number))
    }

    /// Returns the number of a connection's connect, from 0.
    pub(super) fn number(&self, connection: ConnectionId) -> Option<usize> {
        self.by_connection.get(&connection).map(|number| *number as usize)
    }

    /// Returns the groups that agree with what is asked.
    pub(super) fn agreeing(&self, asked: &Entry) -> Vec<Group> {
        let agrees = |(_, recorded): &(usize, &Entry)| difference(recorded, asked).is_none();
        self.groups.iter().enumerate().filter(agrees).map(|(group, _)| group as Group).collect()
    }

    /// Returns the first of these connects. If connection strings were cut, prefers one that gave the program as much
    /// as it asks for now.
    pub(super) fn best<'c>(&self, mut free: impl Iterator<Item = &'c Connect>, asked: &Entry) -> Option<&'c Connect> {
        let Some(room) = buffer(asked).filter(|_| self.cut) else { return free.next() };
        free.min_by_key(|connect| {
            let recorded = self.groups.get(connect.group as usize);
            let rank = match recorded.and_then(buffer) {
                Some(buffer) if buffer == room => 0,
                None if recorded.is_some_and(|entry| entry.get(Key::Completed).is_some()) => 1,
                _ => 2,
            };
            (rank, connect.position)
        })
    }

    /// Says whether the connects of two groups told the program the same.
    pub(super) fn same_reply(&self, one: Group, other: Group) -> bool {
        // `result` is for people and later questions, and the info file for later questions; the program sees only the rest
        let replies = |group: Group| {
            let entry = self.groups.get(group as usize);
            let replies = Key::ALL.iter().filter(|key| key.is_reply() && !matches!(key, Key::Result | Key::InfoFile));
            replies.map(move |key| entry.and_then(|entry| entry.get(*key)))
        };
        one == other || replies(one).eq(replies(other))
    }
}
