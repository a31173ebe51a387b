//! The lanes of a timeline: a place for each connection from its first entry to its last, used again afterwards.

use std::collections::HashMap;
use super8_cassette::ConnectionId;

/// What a lane shows beside one entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// No connection.
    Empty,
    /// A connection that has nothing to do with the entry.
    Through(ConnectionId),
    /// The entry's connection.
    Here {
        /// The connection.
        connection: ConnectionId,
        /// This is its first entry.
        first: bool,
        /// This is its last entry.
        last: bool,
    },
}

/// Hands out the places.
#[derive(Debug)]
pub struct Lanes {
    /// Entries of each connection that are still to come.
    left: HashMap<ConnectionId, u64>,
    places: Vec<Option<ConnectionId>>,
}

impl Lanes {
    /// For connections with so many entries each.
    pub fn new(entries: HashMap<ConnectionId, u64>) -> Lanes {
        Lanes { left: entries, places: Vec::new() }
    }

    /// The marks beside the next entry, which belongs to this connection.
    pub fn next(&mut self, connection: ConnectionId) -> Vec<Mark> {
        let left = self.left.entry(connection).or_insert(1);
        *left = left.saturating_sub(1);
        let last = *left == 0;
        let known = self.places.iter().position(|place| *place == Some(connection));
        let at = known.or_else(|| self.places.iter().position(Option::is_none)).unwrap_or_else(|| {
            self.places.push(None);
            self.places.len() - 1
        });
        self.places[at] = Some(connection);
        let mark = |(place, there): (usize, &Option<ConnectionId>)| match there {
            None => Mark::Empty,
            Some(connection) if place == at => Mark::Here { connection: *connection, first: known.is_none(), last },
            Some(other) => Mark::Through(*other),
        };
        let marks = self.places.iter().enumerate().map(mark).collect();
        if last {
            self.places[at] = None;
        }
        marks
    }

    /// How many lanes there are side by side, at most, for these connections in this order.
    pub fn width(order: impl Iterator<Item = ConnectionId>, entries: HashMap<ConnectionId, u64>) -> usize {
        let mut lanes = Lanes::new(entries);
        order.for_each(|connection| _ = lanes.next(connection));
        lanes.places.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_is_used_again_when_its_connection_is_gone() {
        let [a, b, c] = [0, 1, 2].map(ConnectionId);
        let order = [a, b, a, c, b];
        let counts: HashMap<_, _> = [(a, 2), (b, 2), (c, 1)].into();
        assert_eq!(Lanes::width(order.into_iter(), counts.clone()), 2);
        let mut lanes = Lanes::new(counts);
        let here = |connection, first, last| Mark::Here { connection, first, last };
        assert_eq!(lanes.next(a), [here(a, true, false)]);
        assert_eq!(lanes.next(b), [Mark::Through(a), here(b, true, false)]);
        assert_eq!(lanes.next(a), [here(a, false, true), Mark::Through(b)]);
        assert_eq!(lanes.next(c), [here(c, true, true), Mark::Through(b)]);
        assert_eq!(lanes.next(b), [Mark::Empty, here(b, false, true)]);
    }
}
