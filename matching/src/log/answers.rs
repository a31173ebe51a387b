//! Finds recorded answers. The questions of a statement are hashed once, so that an answer is found without reading the
//! log for every question.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::log::index::Index;
use super8_cassette::schema::Class;
use super8_cassette::store::Store;
use super8_cassette::{CassetteError, ConnectionId, Entry, Key, Method, Value};

/// How many statements have their questions kept as hashes.
const KEPT: usize = 16;

type Owner = (ConnectionId, Option<u32>);

/// What was asked about the statements of a connection, and about the connection itself beside its info file.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    /// The questions of the statements that were asked about most recently, the latest at the end.
    statements: Vec<(Option<u32>, Vec<Question>)>,
    /// How often a question was asked since the last command, by statement and the position of the first answer given since then.
    asked: HashMap<(Option<u32>, u32), i64>,
}

#[derive(Debug)]
struct Question {
    position: u32,
    method: Method,
    /// The hash of each field that was asked.
    fields: Box<[u64]>,
}

impl Question {
    fn asks(&self, method: Method, sums: &[u64]) -> bool {
        self.method == method && sums.iter().all(|sum| self.fields.contains(sum))
    }
}

/// Returns the hashes of the fields that a key names. Leaves out nulls, which ask for an answer without that field.
fn sums(key: &[(Key, Value)]) -> Vec<u64> {
    key.iter().filter(|(_, value)| *value != Value::Null).map(|(name, value)| sum(*name, value)).collect()
}

/// Says whether an entry is the answer to this key.
fn answers(entry: &Entry, key: &[(Key, Value)]) -> bool {
    key.iter().all(|(name, value)| entry.get(*name).unwrap_or(&Value::Null) == value)
}

/// Where a statement or a connection stands in the log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    /// Everything before this position is played.
    pub(crate) bound: u32,
    /// The last position that was played, rows excepted. Answers may have changed since then.
    pub(crate) since: u32,
}

impl Answers {
    /// Returns the answer in force to the question with these fields: the latest before the bound. An answer that
    /// changed without a command, because the application set something of its own, says after how many questions since
    /// the last command it changed.
    pub(crate) fn current(
        &mut self,
        (index, store): (&Index, &dyn Store),
        owner: Owner,
        standing: Standing,
        method: Method,
        key: &[(Key, Value)],
    ) -> Result<Option<Entry>, CassetteError> {
        let Standing { bound, since } = standing;
        let questions = self.questions(index, store, owner)?;
        if questions.is_empty() {
            // the usual case, for questions that are asked at every call
            return Ok(None);
        }
        let sums = sums(key);
        let mut recent = Vec::new();
        let mut before = None;
        let played = questions.partition_point(|question| question.position < bound);
        for question in questions[..played].iter().rev().filter(|question| question.asks(method, &sums)) {
            let entry = store.checked_entry(index.slot(question.position).place())?;
            if !answers(&entry, key) {
                continue;
            }
            if question.position < since {
                before = Some(entry);
                break;
            }
            recent.push((question.position, entry));
        }
        let Some((first, _)) = recent.last() else { return Ok(before) };
        let asked = self.asked.entry((owner.1, *first)).or_default();
        let after = |entry: &Entry| entry.get(Key::After).and_then(Value::as_int).unwrap_or_default();
        let reached = recent.into_iter().find(|(_, entry)| after(entry) <= *asked);
        *asked += 1;
        Ok(reached.map(|(_, entry)| entry).or(before))
    }

    /// Returns the first answer after the bound.
    pub(crate) fn later(
        &mut self,
        (index, store): (&Index, &dyn Store),
        owner: Owner,
        bound: u32,
        method: Method,
        key: &[(Key, Value)],
    ) -> Result<Option<Entry>, CassetteError> {
        let questions = self.questions(index, store, owner)?;
        let sums = sums(key);
        let from = questions.partition_point(|question| question.position < bound);
        for question in questions[from..].iter().filter(|question| question.asks(method, &sums)) {
            let entry = store.checked_entry(index.slot(question.position).place())?;
            if answers(&entry, key) {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    /// Forgets a statement, or with `None` every statement of the connection.
    pub(crate) fn forget(&mut self, statement: Option<u32>) {
        let others = |its: Option<u32>| statement.is_some() && its != statement;
        self.statements.retain(|(its, _)| others(*its));
        self.asked.retain(|(its, _), _| others(*its));
    }

    fn questions(&mut self, index: &Index, store: &dyn Store, owner: Owner) -> Result<&[Question], CassetteError> {
        match self.statements.iter().position(|(its, _)| *its == owner.1) {
            Some(at) => self.statements[at..].rotate_left(1),
            None => {
                let mut questions = Vec::new();
                for position in index.statement(owner.0, owner.1) {
                    let slot = index.slot(*position);
                    if slot.method.class() == Class::Answer && slot.method != Method::Columns {
                        let entry = store.checked_entry(slot.place())?;
                        let asked = entry.fields.iter().filter(|(key, _)| !key.is_reply());
                        let fields = asked.map(|(key, value)| sum(*key, value)).collect();
                        questions.push(Question { position: *position, method: slot.method, fields });
                    }
                }
                if self.statements.len() == KEPT {
                    self.statements.remove(0);
                }
                self.statements.push((owner.1, questions));
            }
        }
        Ok(self.statements.last().map_or(&[], |(_, questions)| questions))
    }
}

fn sum(key: Key, value: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    value.sum(&mut hasher);
    hasher.finish()
}
