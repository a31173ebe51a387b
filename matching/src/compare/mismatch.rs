//! What is reported when a program asks for something else than was recorded: a kind, a headline, a report, and where it happened.

use std::path::PathBuf;

use crate::log::cursor::Next;
use super8_cassette::faults::FaultKind;
use super8_cassette::{CassetteError, Fields, Value};

/// A fault with the position of its command, and its row.
#[derive(Clone, Debug)]
pub(crate) struct Armed {
    pub(crate) position: u32,
    pub(crate) row: u64,
    pub(crate) kind: FaultKind,
    pub(crate) text: String,
}

/// The longest headline, in bytes. Several bindings cut a message at 510 bytes, and one drops a longer one.
pub(crate) const HEADLINE: usize = 500;

/// How what is asked departs from what was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MismatchKind {
    /// The kind of call is right, its content is not.
    Differs,
    /// The call is recorded, but something else comes next.
    OutOfOrder,
    /// Recorded rows were not read before the next command.
    FewerRows,
    /// More rows are asked for than were read during recording.
    MoreRows,
    /// Everything recorded is played.
    Exhausted,
    /// Nothing like it is recorded here.
    NotRecorded,
    /// The cassette cannot be read at this place.
    Unreadable,
    /// The command fails because of a fault.
    Fault,
    /// Nothing is recorded for what the program does after a fault.
    Astray,
}

impl MismatchKind {
    /// Returns the kind in words.
    pub const fn name(self) -> &'static str {
        match self {
            MismatchKind::Differs => "differs",
            MismatchKind::OutOfOrder => "out of order",
            MismatchKind::FewerRows => "reads fewer rows",
            MismatchKind::MoreRows => "reads more rows",
            MismatchKind::Exhausted => "exhausted",
            MismatchKind::NotRecorded => "not recorded",
            MismatchKind::Unreadable => "unreadable",
            MismatchKind::Fault => "fault",
            MismatchKind::Astray => "went where nothing is recorded",
        }
    }
}

/// An error: the program asked for something else than was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// How the two differ.
    pub kind: MismatchKind,
    /// The cassette, by the name with which it was opened.
    pub cassette: PathBuf,
    /// The number, from 1, of the expected command. `None` if none was expected or it cannot be read.
    pub command: Option<usize>,
    /// One line of at most 500 bytes, for a diagnostic record.
    pub headline: String,
    /// The full report, on many lines.
    pub report: String,
    /// Whether this is the first mismatch again, whose report was given before.
    pub repeated: bool,
    /// What the program is told instead of the headline: `return` and `diagnostics`.
    pub fault: Option<Fields>,
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.headline)
    }
}

impl std::error::Error for Mismatch {}

/// The first difference of two entries.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Which field, in words: `sql`, `parameter 3`, `attributes.max_rows`.
    pub place: String,
    /// `None` if the recorded entry has nothing there.
    pub recorded: Option<Value>,
    /// `None` if what is asked has nothing there.
    pub asked: Option<Value>,
}

/// Where a mismatch happened.
#[derive(Debug)]
pub(crate) enum Scene {
    /// This command comes next, and it is not what was asked.
    Command { position: u32 },
    /// These rows must be read first; `returned` of them were.
    Rows { position: u32, returned: Option<u64> },
    /// Nothing is left.
    Exhausted,
    /// Under `order: any`, no unit that is left begins like this. `left` has the lines of the commands of the units that are left.
    NoUnit { left: Vec<u32> },
    /// The cassette cannot be read.
    Unreadable(CassetteError),
    /// A value that was used turns out to mean something else.
    Reread(String),
    /// A fault strikes.
    Fault(Box<Armed>),
    /// A call after a fault that no driver allows.
    Refused { sqlstate: &'static str, problem: &'static str },
}

impl Scene {
    pub(crate) fn of(next: Next) -> Scene {
        match next {
            Next::Command { position, .. } => Scene::Command { position },
            Next::Rows { position, returned } => Scene::Rows { position, returned },
            Next::End => Scene::Exhausted,
        }
    }
}

impl From<CassetteError> for Scene {
    fn from(error: CassetteError) -> Self {
        Scene::Unreadable(error)
    }
}
