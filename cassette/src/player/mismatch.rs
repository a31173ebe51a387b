//! What went wrong when a program asked for something else than was recorded: its kind, a headline, a report.

use std::path::PathBuf;

use super::alike::{Alike, alike};
use super::cursor::Next;
use super::nearest::{Nearest, nearest};
use super::{Player, State};
use crate::metadata::Order;
use crate::schema::Class;
use crate::{CassetteError, Entry, Key};

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
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.headline)
    }
}

impl std::error::Error for Mismatch {}

/// Where a mismatch happened.
#[derive(Debug)]
pub(super) enum Scene {
    /// This command is next, and it is not what was asked.
    Command { position: u32 },
    /// Rows are to be read first; so many were.
    Rows { position: u32, returned: Option<u64> },
    /// Nothing is left.
    Exhausted,
    /// The cassette cannot be read.
    Unreadable(CassetteError),
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

/// All that headline and report are made from.
pub(super) struct Case<'p> {
    pub(super) player: &'p Player,
    pub(super) kind: MismatchKind,
    pub(super) asked: &'p Entry,
    /// What is next, and where.
    pub(super) expected: Option<(u32, Entry)>,
    /// Rows were to be read first: how many were, how many there are.
    pub(super) rows: Option<(Option<u64>, Option<u64>)>,
    pub(super) nearest: Option<Nearest>,
    /// What is most like it, if nothing is equal.
    pub(super) alike: Option<Alike>,
    /// Whether `order: connection` would have passed; `None` if that is the order, or cannot be said.
    pub(super) by_connection: Option<bool>,
}

impl Player {
    /// Makes the mismatch of a scene.
    pub(super) fn explain(&self, state: &mut State, asked: &Entry, scene: Scene) -> Mismatch {
        let by_connection = match self.order {
            Order::Global => self.has_a_turn(state, asked).map(Some),
            Order::Connection | Order::Any => Ok(None),
        };
        let here = match (&self.any, &scene) {
            (Some(_), Scene::Command { position } | Scene::Rows { position, .. }) => Some(self.index.slot(*position)),
            _ => None,
        };
        // what may be played on any connection is shown where it is expected
        let (connection, statement) = match here.filter(|slot| slot.method.is_rows() || slot.method == asked.method) {
            Some(slot) => (slot.connection(), slot.statement()),
            None => state.recorded(asked.connection, asked.statement),
        };
        // as the cassette numbers it
        let (connection, statement) = self.index.ids(connection, statement);
        let asked = &Entry { connection, statement, ..asked.clone() };
        let case = by_connection.and_then(|by_connection| self.case(asked, scene, by_connection));
        let (kind, command, headline, report) = match case {
            Ok(case) => {
                let number = |(position, _): &(u32, Entry)| self.index.ordinal(*position);
                (case.kind, case.expected.as_ref().map(number), case.headline(), case.report())
            }
            Err(error) => {
                let report = format!("[super8] replay: the cassette cannot be read\n{error}\n");
                (MismatchKind::Unreadable, None, super::headline::unreadable(&error, &self.report), report)
            }
        };
        let cassette = self.storage.name().to_owned();
        Mismatch { kind, cassette, command, headline, report, repeated: false }
    }

    fn case<'p>(
        &'p self,
        asked: &'p Entry,
        scene: Scene,
        by_connection: Option<bool>,
    ) -> Result<Case<'p>, CassetteError> {
        let (position, rows) = match scene {
            Scene::Unreadable(error) => return Err(error),
            Scene::Exhausted => (None, None),
            Scene::Command { position } => (Some(position), None),
            Scene::Rows { position, returned } => (Some(position), Some(returned)),
        };
        let expected = match position {
            Some(position) => Some((position, crate::sets::entry(&*self.storage, self.index.slot(position).place())?)),
            None => None,
        };
        let rows = match (rows, &expected) {
            (Some(returned), Some((_, entry))) => Some((returned, self.count_rows(entry)?)),
            _ => None,
        };
        let from = position.unwrap_or(self.index.len());
        let nearest = nearest(&self.index, &*self.storage, asked, from, self.comments)?;
        let alike = match nearest {
            None if !asked.method.is_rows() => alike(&self.index, &*self.storage, asked, from)?,
            _ => None,
        };
        let ahead = nearest.as_ref().is_some_and(|nearest| nearest.position >= from);
        let same_kind = expected.as_ref().is_some_and(|(_, entry)| {
            entry.method == asked.method || (entry.method.is_rows() && asked.method.is_rows())
        });
        let kind = match &expected {
            // other units may be left
            None if self.any.is_some() => match &nearest {
                None => MismatchKind::NotRecorded,
                Some(nearest) if self.is_left(nearest.position) => MismatchKind::OutOfOrder,
                Some(_) => MismatchKind::Exhausted,
            },
            None => MismatchKind::Exhausted,
            Some(_) if rows.is_some() => MismatchKind::FewerRows,
            Some(_) if ahead => MismatchKind::OutOfOrder,
            Some(_) if asked.method.is_rows() && !same_kind => MismatchKind::MoreRows,
            Some(_) if same_kind => MismatchKind::Differs,
            Some(_) if asked.method.is_rows() || nearest.is_some() => MismatchKind::OutOfOrder,
            Some(_) => MismatchKind::NotRecorded,
        };
        Ok(Case { player: self, kind, asked, expected, rows, nearest, alike, by_connection })
    }

    /// The number of rows of an entry, read from its file if it does not say it.
    fn count_rows(&self, entry: &Entry) -> Result<Option<u64>, CassetteError> {
        if let Some(count) = super::rows::count(entry) {
            return Ok(Some(count));
        }
        let Some(part) = entry.get(Key::RowsFile).and_then(crate::Value::as_text) else { return Ok(None) };
        let (mut rows, mut row, mut count) = (self.storage.rows(part)?, csv::ByteRecord::new(), 0);
        while rows.next(&mut row)? {
            count += 1;
        }
        Ok(Some(count))
    }

    /// Whether a command of a unit is not played.
    fn is_left(&self, position: u32) -> bool {
        let left = self.any.as_ref().and_then(|any| any.player.unplayed().ok()).unwrap_or_default();
        let line = self.index.slot(position).place().line;
        left.iter().any(|unplayed| unplayed.line == line)
    }

    /// The order, as people name it.
    pub(super) fn order_name(&self) -> &'static str {
        if self.index.is_of_units() { Order::Any.name() } else { self.order.name() }
    }

    /// The number of commands recorded.
    pub(super) fn total(&self) -> usize {
        self.index.total()
    }

    /// Positions of up to three commands before or after one.
    pub(super) fn neighbours(&self, position: u32) -> (Vec<u32>, Vec<u32>) {
        let command = |position: &u32| self.index.slot(*position).method.class() == Class::Command;
        let mut before: Vec<u32> = (0..position).rev().filter(command).take(3).collect();
        before.reverse();
        (before, (position.saturating_add(1)..self.index.len()).filter(command).take(3).collect())
    }
}
