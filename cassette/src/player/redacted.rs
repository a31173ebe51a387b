//! What a program asks, as a redacted cassette has it.

use super::Player;
use crate::{Entry, Key, sets};

impl Player {
    /// What is asked with the rules applied, ready to be compared; `None` if there are no rules.
    pub(super) fn redacted(&self, asked: &Entry) -> Option<Entry> {
        let redacted = self.redactor.entry(asked)?;
        Some(match self.coming(asked) {
            Some(recorded) => self.redactor.settled(&recorded, asked, redacted),
            None => redacted,
        })
    }

    /// The statement's next command, if it is one like this that sends values.
    fn coming(&self, asked: &Entry) -> Option<Entry> {
        asked.get(Key::Params).or_else(|| asked.get(Key::Values))?;
        let state = &mut *self.state.lock();
        let (connection, statement) = state.recorded(asked.connection, asked.statement);
        let positions = self.index.statement(connection, statement);
        let bound = state.cursor(self.order, &self.index, connection).bound(&self.index, positions);
        let mut coming = positions.iter().filter(|position| **position >= bound).map(|at| self.index.slot(*at));
        let next =
            coming.find(|slot| slot.method.class() == crate::schema::Class::Command && !slot.method.is_rows())?;
        // What cannot be read is told when it is played.
        (next.method == asked.method).then(|| sets::entry(&*self.storage, next.place()).ok())?
    }
}
