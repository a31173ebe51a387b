//! Makes a mismatch out of the place where it happened: looks for what was asked elsewhere in the log, decides the
//! kind, and writes the headline and the report.

use crate::compare::alike::{Alike, alike};
use crate::compare::alike::{Nearest, nearest};
use crate::compare::mismatch::{HEADLINE, Mismatch, MismatchKind, Scene};
use crate::log::rows;
use crate::play::log_player::LogPlayer;
use crate::sessions::state::State;
use super8_cassette::metadata::Order;
use super8_cassette::schema::Class;
use super8_cassette::summary::summary;
use super8_cassette::text::{cut, one_line};
use super8_cassette::{CassetteError, Entry, Key, Method, Value, sets};

/// Everything from which the headline and the report are made.
pub(crate) struct Case<'p> {
    pub(crate) player: &'p LogPlayer,
    pub(crate) kind: MismatchKind,
    pub(crate) asked: &'p Entry,
    /// The entry that comes next, and its position.
    pub(crate) expected: Option<(u32, Entry)>,
    /// If rows had to be read first: how many were read, and how many there are.
    pub(crate) rows: Option<(Option<u64>, Option<u64>)>,
    pub(crate) nearest: Option<Nearest>,
    /// The most similar recorded command, if none is equal.
    pub(crate) alike: Option<Alike>,
    /// Whether `order: connection` would have passed. `None` if that is the order, or if it cannot be told.
    pub(crate) by_connection: Option<bool>,
    /// Whether `order: any` would have passed and no stricter order.
    pub(crate) by_any: bool,
}

impl LogPlayer {
    /// Makes the mismatch of a scene.
    pub(crate) fn explain(&self, state: &mut State, asked: &Entry, scene: Scene) -> Mismatch {
        let refused = state.refused.get_mut().take();
        match (&scene, &refused) {
            (Scene::Reread(text), _) => return self.reread(state, asked, text),
            (Scene::Unreadable(_), _) | (_, None) => {}
            (_, Some(text)) => return self.reread(state, asked, text),
        }
        let by_connection = match self.order {
            Order::Global => self.has_a_turn(state, asked).map(Some),
            Order::Connection | Order::Any => Ok(None),
        };
        let by_any = match (&by_connection, &scene) {
            (Ok(None | Some(false)), Scene::Command { .. } | Scene::Exhausted) => self.any_would_play(state, asked),
            _ => Ok(false),
        };
        let here = match (self.order, &scene) {
            (Order::Any, Scene::Command { position } | Scene::Rows { position, .. }) => {
                Some(self.index.slot(*position))
            }
            _ => None,
        };
        // show what may be played on any connection as asked where it is expected
        let (connection, statement) = match here.filter(|slot| slot.method.is_rows() || slot.method == asked.method) {
            Some(slot) => (slot.connection(), slot.statement()),
            None => state.recorded(asked.connection, asked.statement),
        };
        // in a cassette written by hand a statement has no number before it is played
        let statement = match &scene {
            Scene::Command { position } if self.is_by_hand() && asked.method != Method::Connect => {
                let slot = self.index.slot(*position);
                slot.statement().filter(|_| slot.method == asked.method)
            }
            _ => statement,
        };
        // use the cassette's own ids
        let (connection, statement) = self.index.ids(connection, statement);
        let asked = &Entry { connection, statement, ..asked.clone() };
        let case = by_connection.and_then(|by_connection| self.case(asked, scene, (by_connection, by_any?)));
        let (kind, command, headline, report) = match case {
            Ok(case) => {
                let number = |(position, _): &(u32, Entry)| self.index.ordinal(*position);
                (case.kind, case.expected.as_ref().map(number), case.headline(), case.report())
            }
            Err(error) => {
                let report = format!("[super8] replay: the cassette cannot be read\n{error}\n");
                (MismatchKind::Unreadable, None, unreadable(&error, &self.report), report)
            }
        };
        let cassette = self.store.name().to_owned();
        Mismatch { kind, cassette, command, headline, report, repeated: false, fault: None }
    }

    /// Makes the mismatch for a value that was used and turns out to mean something else.
    fn reread(&self, state: &State, asked: &Entry, text: &str) -> Mismatch {
        let (connection, statement) = state.recorded(asked.connection, asked.statement);
        let (connection, statement) = self.index.ids(connection, statement);
        let asked = summary(&Entry { connection, statement, ..asked.clone() }, 120);
        let tail = format!("; see {}", cut(&one_line(&self.report), 80));
        let headline = cut(&one_line(&format!("[super8] replay: {text}")), HEADLINE - tail.len()) + &tail;
        let report = format!(
            "[super8] replay mismatch: {}\n{text}\n\ncassette: {}\nasked: {asked}\n\nwhat to do:\n- super8 took a connection for \
             another recorded one that begins alike, and took what it sent for the value of that one. Let connections that do different \
             work differ in what they connect with, or in their first command, and record again\n",
            MismatchKind::Differs.name(),
            self.store.name().display()
        );
        let cassette = self.store.name().to_owned();
        Mismatch {
            kind: MismatchKind::Differs,
            cassette,
            command: None,
            headline,
            report,
            repeated: false,
            fault: None,
        }
    }

    fn case<'p>(
        &'p self,
        asked: &'p Entry,
        scene: Scene,
        (by_connection, by_any): (Option<bool>, bool),
    ) -> Result<Case<'p>, CassetteError> {
        let (position, rows) = match &scene {
            Scene::Unreadable(error) => return Err(error.clone()),
            // faults are no mismatch
            Scene::Exhausted | Scene::NoUnit { .. } | Scene::Reread(_) | Scene::Fault(_) | Scene::Refused { .. } => {
                (None, None)
            }
            Scene::Command { position } => (Some(*position), None),
            Scene::Rows { position, returned } => (Some(*position), Some(*returned)),
        };
        let expected = match position {
            Some(position) => {
                let entry = sets::entry(&*self.store, self.index.slot(position).place())?;
                Some((position, self.comparison.marked(&self.index, &*self.store, position, entry)?))
            }
            None => None,
        };
        let rows = match (rows, &expected) {
            (Some(returned), Some((_, entry))) => Some((returned, self.count_rows(entry)?)),
            _ => None,
        };
        let from = position.unwrap_or(self.index.len());
        let nearest = nearest(&self.index, &*self.store, asked, from, &self.comparison)?;
        let alike = match nearest {
            None if !asked.method.is_rows() => alike(&self.index, &*self.store, asked, from)?,
            _ => None,
        };
        let ahead = nearest.as_ref().is_some_and(|nearest| nearest.position >= from);
        let same_kind = expected.as_ref().is_some_and(|(_, entry)| {
            entry.method == asked.method || (entry.method.is_rows() && asked.method.is_rows())
        });
        let kind = match &expected {
            None if let Scene::NoUnit { left } = &scene => match &nearest {
                None => MismatchKind::NotRecorded,
                Some(nearest) if left.contains(&self.index.slot(nearest.position).place().line) => {
                    MismatchKind::OutOfOrder
                }
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
        Ok(Case { player: self, kind, asked, expected, rows, nearest, alike, by_connection, by_any })
    }

    /// Returns the number of rows of an entry, counted in its rows file if the entry does not say it.
    fn count_rows(&self, entry: &Entry) -> Result<Option<u64>, CassetteError> {
        if let Some(count) = rows::count(entry) {
            return Ok(Some(count));
        }
        let Some(part) = entry.get(Key::RowsFile).and_then(Value::as_text) else { return Ok(None) };
        let (mut rows, mut row, mut count) = (self.store.rows(part)?, csv::ByteRecord::new(), 0);
        while rows.next(&mut row)? {
            count += 1;
        }
        Ok(Some(count))
    }

    /// Returns the name of the order.
    pub(crate) fn order_name(&self) -> &'static str {
        if self.index.is_of_units() { Order::Any.name() } else { self.order.name() }
    }

    /// Returns the number of recorded commands.
    pub(crate) fn total(&self) -> usize {
        self.index.total()
    }

    /// Returns the positions of up to three commands before and after a position.
    pub(crate) fn neighbours(&self, position: u32) -> (Vec<u32>, Vec<u32>) {
        let command = |position: &u32| self.index.slot(*position).method.class() == Class::Command;
        let mut before: Vec<u32> = (0..position).rev().filter(command).take(3).collect();
        before.reverse();
        (before, (position.saturating_add(1)..self.index.len()).filter(command).take(3).collect())
    }
}

/// Returns the headline for a cassette that cannot be read.
fn unreadable(error: &CassetteError, report: &str) -> String {
    let tail = format!("; see {}", cut(report, 80));
    cut(&one_line(&format!("[super8] replay: {error}")), HEADLINE - tail.len()) + &tail
}
