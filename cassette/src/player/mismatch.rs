//! What went wrong when a program asked for something else than was recorded: its kind, a headline, a report, and where it happened.

use std::path::PathBuf;

use super::cursor::Next;
use crate::faults::Armed;
use crate::{CassetteError, Fields, Value};

/// Several bindings cut a message at 510 bytes, and one drops it.
pub(super) const HEADLINE: usize = 500;

/// How what is asked departs from what was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MismatchKind {
    /// The right kind of call, with other content.
    Differs,
    /// It is recorded, but something else is next.
    OutOfOrder,
    /// Recorded rows were not read before the next command.
    FewerRows,
    /// Rows are asked for that were not read when it was recorded.
    MoreRows,
    /// Everything recorded is played.
    Exhausted,
    /// Nothing like it is recorded here.
    NotRecorded,
    /// The cassette could not be read at this place.
    Unreadable,
    /// It fails as a fault says.
    Fault,
    /// Nothing is recorded for what the program does after a fault.
    Astray,
}

impl MismatchKind {
    /// In words.
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

/// A program asked for something else than was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// How.
    pub kind: MismatchKind,
    /// The cassette, by the name it was opened with.
    pub cassette: PathBuf,
    /// The number, from 1, of the command that was expected; `None` if none was, or it cannot be read.
    pub command: Option<usize>,
    /// One line of at most 500 bytes, for a diagnostic record.
    pub headline: String,
    /// Everything there is to say, on many lines.
    pub report: String,
    /// It is the first mismatch once more; its report was given before.
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
    /// `None` if there is nothing.
    pub recorded: Option<Value>,
    /// `None` if there is nothing.
    pub asked: Option<Value>,
}

/// Where a mismatch happened.
#[derive(Debug)]
pub(super) enum Scene {
    /// This command is next, and it is not what was asked.
    Command { position: u32 },
    /// Rows are to be read first; so many were.
    Rows { position: u32, returned: Option<u64> },
    /// Nothing is left.
    Exhausted,
    /// Under `order: any`, no unit that is left begins so. The lines of the commands of those that are left.
    NoUnit { left: Vec<u32> },
    /// The cassette cannot be read.
    Unreadable(CassetteError),
    /// A fault strikes.
    Fault(Box<Armed>),
    /// After a fault, a call that no driver allows.
    Refused { sqlstate: &'static str, problem: &'static str },
}

impl Scene {
    pub(super) fn of(next: Next) -> Scene {
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
