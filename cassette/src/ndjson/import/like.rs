//! What a program asks when it connects, and what the driver answers, taken from a recording in which it does nothing else.

use super::CONNECTION;
use crate::convert::Copy;
use crate::entry::Class;
use crate::storage::{Cassette, Contents, Place};
use crate::{CassetteError, Entry, Method, Recorder};

/// A recording of a program that connects and disconnects.
pub(super) struct Likeness<'c> {
    cassette: &'c dyn Cassette,
    contents: Contents,
    /// From the connect to before the first of the ending.
    beginning: Vec<Place>,
    /// From the first end of a transaction, or the disconnect.
    ending: Vec<Place>,
    /// The last statement's id.
    pub(super) statements: u32,
}

impl<'c> Likeness<'c> {
    /// Looks through the recording.
    ///
    /// # Errors
    /// An incomplete or unreadable recording; one with several connections, or in which a statement is run.
    pub(super) fn of(cassette: &'c dyn Cassette) -> Result<Likeness<'c>, CassetteError> {
        let wrong = |place: Place, problem: &str| {
            let (file, line) = cassette.locate(place);
            CassetteError::new(&file, problem)
                .at_line(line.into())
                .advice("record the program when it connects once, disconnects, and does nothing in between")
        };
        if !cassette.metadata()?.complete {
            return Err(CassetteError::new(cassette.name(), "the recording is incomplete: it did not end cleanly")
                .advice("record again"));
        }
        let (mut beginning, mut ending, mut statements) = (Vec::new(), Vec::new(), 0);
        cassette.scan(&mut |place, head| {
            match head.method {
                Method::Run | Method::Prepare => return Err(wrong(place, "a statement is run here")),
                _ if head.connection != CONNECTION => return Err(wrong(place, "a second connection is made here")),
                _ => {}
            }
            let ends = matches!(head.method, Method::Commit | Method::Rollback | Method::Disconnect);
            let part = if ends || !ending.is_empty() { &mut ending } else { &mut beginning };
            part.push(place);
            statements = statements.max(head.statement.unwrap_or(0));
            Ok(())
        })?;
        Ok(Likeness { cassette, contents: cassette.contents()?, beginning, ending, statements })
    }

    /// Copies how the connection begins, with what it was answered.
    pub(super) fn beginning(&self, to: &dyn Cassette) -> Result<(), CassetteError> {
        let mut copy = Copy::of(self.cassette, to, &self.contents);
        copy.answers(CONNECTION)?;
        self.beginning.iter().try_for_each(|place| copy.at(*place))
    }

    /// Records how the connection ends.
    pub(super) fn ending(&self, recorder: &Recorder) -> Result<(), CassetteError> {
        for place in &self.ending {
            let entry: Entry = self.cassette.entry(*place)?;
            match entry.method.class() {
                Class::Command => recorder.command(&entry)?,
                _ => recorder.note(&entry)?,
            }
        }
        Ok(())
    }
}
