//! Says whether a live connection could have been another recorded one so far: what it played must be recorded there
//! too, with the same replies.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use csv::ByteRecord;

use crate::compare::comparison::Comparison;
use crate::play::log_player::LogPlayer;
use crate::sessions::matcher::Session;
use crate::sessions::state::State;
use crate::values::bindings::{Bindings, SameColumn};
use super8_cassette::metadata::Order;
use super8_cassette::schema::Class;
use super8_cassette::{CassetteError, ConnectionId, Entry, Fields, Key, Method, Value, sets};

/// What an answer was asked: its method, its statement counted from the session's first, and its other input fields.
type Question = (Method, Option<u32>, String);
/// What an answer replied: the content of its columns file, and its other reply fields.
type Reply = (Value, Fields);

/// What a live connection has played of its session, by the numbers of the commands.
#[derive(Clone, Debug)]
pub(crate) struct Past {
    /// How many commands its cursor has passed.
    pub(crate) played: usize,
    /// The commands that it played, if it has left any out or gone back, as programs do after a fault.
    seen: Option<BTreeSet<usize>>,
}

impl Past {
    /// Makes the past of a connection that has played the first commands one after the other.
    pub(crate) fn first(played: usize) -> Past {
        Past { played, seen: None }
    }

    /// Says whether the command of a number was played.
    pub(crate) fn has(&self, number: usize) -> bool {
        self.seen.as_ref().map_or(number < self.played, |seen| seen.contains(&number))
    }

    /// Returns the number behind the last command that was played.
    fn end(&self) -> usize {
        self.seen.as_ref().map_or(self.played, |seen| seen.last().map_or(0, |last| last + 1))
    }

    fn count(&self) -> usize {
        self.seen.as_ref().map_or(self.played, BTreeSet::len)
    }
}

impl LogPlayer {
    /// Returns what a live connection has played of its session. `None` as with [`LogPlayer::played`].
    pub(crate) fn past(&self, state: &mut State, live: ConnectionId, session: Session) -> Option<Past> {
        let played = self.played(state, session)?;
        Some(Past { played, seen: state.after.seen.get(&live).cloned() })
    }

    /// The same with the rows that are being read.
    pub(crate) fn past_with_rows(&self, state: &mut State, live: ConnectionId, session: Session) -> Option<Past> {
        let played = self.played_with_rows(state, session)?;
        Some(Past { played, seen: state.after.seen.get(&live).cloned() })
    }

    /// Returns how many commands of the session are played. `None` while its rows are being read, or if its threads are not in order.
    pub(crate) fn played(&self, state: &mut State, session: Session) -> Option<usize> {
        let cursor = state.cursor(self.order, &self.index, session.connection);
        if self.order == Order::Connection && !(cursor.rows_are_read() && cursor.is_in_order()) {
            return None;
        }
        let commands = self.index.commands_of(session.connection).skip(session.begin);
        Some(commands.take_while(|position| cursor.passed(&self.index, *position)).count())
    }

    /// The same with the rows that are being read: a connection that reads may go on with another session that has the same ones.
    pub(crate) fn played_with_rows(&self, state: &mut State, session: Session) -> Option<usize> {
        let cursor = state.cursor(self.order, &self.index, session.connection);
        if self.order != Order::Connection || cursor.rows_are_read() {
            return self.played(state, session);
        }
        let commands = self.index.commands_of(session.connection).skip(session.begin);
        let is_out = |position: &u32| cursor.passed(&self.index, *position) || cursor.is_handed(*position);
        Some(commands.take_while(is_out).count()).filter(|_| cursor.is_in_order())
    }

    /// Says whether the commands that were played have the same text and replies in two sessions, apart from volatile values.
    pub(crate) fn same_history(&self, one: Session, other: Session, past: &Past) -> Result<bool, CassetteError> {
        Ok(self.as_another(one, other, past)?.is_some())
    }

    /// Does the same comparison. If the sessions are the same, returns bindings of the volatile values of `other` to those of `one`.
    pub(crate) fn as_another(
        &self,
        one: Session,
        other: Session,
        past: &Past,
    ) -> Result<Option<Bindings>, CassetteError> {
        let bindings = Arc::new(self.comparison.bindings.within_recording());
        let comparison = Comparison { comments: true, bindings: Arc::clone(&bindings) };
        let positions = |session: Session| {
            let commands = self.index.commands_of(session.connection).skip(session.begin).enumerate().take(past.end());
            commands.filter(|(number, _)| past.has(*number)).map(|(_, position)| position)
        };
        let (mine, theirs) = (positions(one), positions(other));
        for (mine, theirs) in mine.clone().zip(theirs.clone()) {
            if !self.same_command(&comparison, (one, mine), (other, theirs))? {
                return Ok(None);
            }
        }
        let (last, other_last) = (mine.last(), theirs.clone().last());
        if theirs.count() < past.count() {
            return Ok(None);
        }
        let same = match (last, other_last) {
            (Some(last), Some(other_last)) => {
                let mine = self.answers_until(one, last)?;
                let theirs = self.answers_until(other, other_last)?;
                // what a connection left out it was not told
                let its = past.seen.as_ref().map(|_| {
                    let of = |position: u32| self.index.slot(position).statement()?.checked_sub(one.statements);
                    positions(one).filter_map(of).collect::<BTreeSet<u32>>()
                });
                let is_its = |of: Option<u32>| its.as_ref().is_none_or(|its| of.is_some_and(|of| its.contains(&of)));
                mine.iter().filter(|((_, statement, _), _)| is_its(*statement)).all(|(question, replies)| {
                    let theirs = theirs.get(question).map(Vec::as_slice).unwrap_or_default();
                    replies.iter().zip(theirs).all(|(mine, theirs)| mine == theirs)
                })
            }
            _ => true,
        };
        drop(comparison);
        Ok(Arc::into_inner(bindings).filter(|_| same))
    }

    fn same_command(
        &self,
        comparison: &Comparison,
        (one, mine): (Session, u32),
        (other, theirs): (Session, u32),
    ) -> Result<bool, CassetteError> {
        let relative = |session: Session, position: u32| {
            self.index.slot(position).statement().map(|statement| statement.checked_sub(session.statements))
        };
        let (my_slot, their_slot) = (self.index.slot(mine), self.index.slot(theirs));
        if my_slot.method != their_slot.method || relative(one, mine) != relative(other, theirs) {
            return Ok(false);
        }
        let my_entry = sets::entry(&*self.store, my_slot.place())?;
        let their_entry = sets::entry(&*self.store, their_slot.place())?;
        let their_entry = comparison.marked(&self.index, &*self.store, theirs, their_entry)?;
        if comparison.difference(&their_entry, &my_entry).is_some() {
            return Ok(false);
        }
        comparison.bind(&their_entry, &my_entry, String::new);
        let same = comparison.same_columns(&self.index, &*self.store, theirs, &their_entry)?;
        let their_entry = comparison.bindings.with_cells(comparison.bindings.replied(their_entry, None), &same);
        self.same_reply(&my_entry, &their_entry, (&comparison.bindings, &same))
    }

    fn same_reply(&self, one: &Entry, other: &Entry, live: (&Bindings, &[SameColumn])) -> Result<bool, CassetteError> {
        for key in Key::ALL.iter().copied().filter(|key| key.is_reply() && *key != Key::ColumnsFile) {
            let same = match (key, one.get(key), other.get(key)) {
                (Key::RowsFile, Some(Value::Text(one)), Some(Value::Text(other))) => {
                    self.same_rows(one, other, live)?
                }
                (_, one, other) => one == other,
            };
            if !same {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn same_rows(
        &self,
        one: &str,
        other: &str,
        (bindings, same): (&Bindings, &[SameColumn]),
    ) -> Result<bool, CassetteError> {
        let (mut one, mut other) = (self.store.rows(one)?, self.store.rows(other)?);
        let (mut mine, mut theirs) = (ByteRecord::new(), ByteRecord::new());
        loop {
            let more = one.next(&mut mine)?;
            if other.next(&mut theirs)? != more {
                return Ok(false);
            }
            if more && bindings.are_any() {
                bindings.row(&mut theirs, same, None, |_, _, _| {});
            }
            if more && mine != theirs {
                return Ok(false);
            }
            if !more {
                return Ok(true);
            }
        }
    }

    /// Returns the answers of a session up to this position, in order, by question.
    fn answers_until(&self, session: Session, last: u32) -> Result<HashMap<Question, Vec<Reply>>, CassetteError> {
        let mut answers: HashMap<Question, Vec<Reply>> = HashMap::new();
        for position in
            self.index.connection(session.connection).iter().copied().take_while(|position| *position <= last)
        {
            let slot = self.index.slot(position);
            let statement = slot.statement().map(|statement| statement.checked_sub(session.statements));
            let Some(Some(statement)) = statement else { continue };
            if slot.method.class() != Class::Answer {
                continue;
            }
            let entry = self.store.checked_entry(slot.place())?;
            let asked = entry.fields.iter().filter(|(key, _)| !key.is_reply());
            let question = (slot.method, Some(statement), format!("{:?}", asked.collect::<Vec<_>>()));
            answers.entry(question).or_default().push(self.reply(&entry)?);
        }
        Ok(answers)
    }

    fn reply(&self, entry: &Entry) -> Result<Reply, CassetteError> {
        if let Some(Value::Text(part)) = entry.get(Key::ColumnsFile) {
            return Ok((self.store.document(part)?, Fields::new()));
        }
        let replied = entry.fields.iter().filter(|(key, _)| key.is_reply());
        Ok((Value::Null, replied.cloned().collect()))
    }

    /// Says whether nothing of a recorded connection is left to play.
    pub(crate) fn is_played(&self, state: &mut State, connection: ConnectionId) -> Result<bool, CassetteError> {
        let mut cursor = self.own_cursor(state, connection);
        Ok(matches!(cursor.next(&self.index, &*self.store)?, crate::log::cursor::Next::End))
    }
}
