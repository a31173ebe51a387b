//! Notes for people: each said once, with the statements it is about.

use crate::ConnectionId;

/// Statements that are named before the rest of them is only counted.
const NAMED: usize = 3;

/// Notes in the order in which they first came up.
#[derive(Clone, Debug, Default)]
pub(super) struct Notes(Vec<(String, Vec<(ConnectionId, u32)>)>);

impl Notes {
    /// Adds a note, perhaps on a statement; statement 0 is the connection itself.
    pub(super) fn add(&mut self, on: Option<(ConnectionId, u32)>, text: impl Into<String>) {
        let text = text.into();
        let at = self.0.iter().position(|(known, _)| *known == text).unwrap_or_else(|| {
            self.0.push((text, Vec::new()));
            self.0.len() - 1
        });
        if let Some(on) = on.filter(|on| !self.0[at].1.contains(on)) {
            self.0[at].1.push(on);
        }
    }

    /// One line each: `a/1, a/3: ...`.
    pub(super) fn lines(&self) -> Vec<String> {
        let line = |(text, on): &(String, Vec<(ConnectionId, u32)>)| {
            let place = |(connection, statement): &(ConnectionId, u32)| match statement {
                0 => connection.to_string(),
                statement => format!("{connection}/{statement}"),
            };
            let mut places: Vec<String> = on.iter().take(NAMED).map(place).collect();
            if on.len() > NAMED {
                places.push(format!("and {} more", on.len() - NAMED));
            }
            if places.is_empty() {
                text.clone()
            } else {
                format!("{}: {text}", places.join(", ").replace(", and", " and"))
            }
        };
        self.0.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_said_once() {
        let mut notes = Notes::default();
        notes.add(None, "one");
        (1..=2000).for_each(|statement| notes.add(Some((ConnectionId(0), statement)), "two"));
        notes.add(Some((ConnectionId(1), 0)), "three");
        assert_eq!(notes.lines(), ["one", "a/1, a/2, a/3 and 1997 more: two", "b: three"]);
    }
}
