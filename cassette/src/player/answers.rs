//! Finding recorded answers: for a statement its questions are hashed once, so that an answer is found without reading
//! the log through for every question.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::index::Index;
use crate::connect::REPLY;
use crate::entry::Class;
use crate::storage::Cassette;
use crate::{CassetteError, ConnectionId, Entry, Method, Value};

/// Statements whose questions are kept hashed.
const KEPT: usize = 16;

type Owner = (ConnectionId, Option<u32>);

/// The questions of the statements that were asked about last; the latest at the end.
#[derive(Debug, Default)]
pub(super) struct Answers(Vec<(Owner, Vec<Question>)>);

#[derive(Debug)]
struct Question {
    position: u32,
    method: Method,
    /// One per field that was asked.
    fields: Box<[u64]>,
}

impl Answers {
    /// The latest answer before `bound` whose question has these fields, else the first after it.
    pub(super) fn find(
        &mut self,
        index: &Index,
        storage: &dyn Cassette,
        owner: Owner,
        bound: u32,
        method: Method,
        key: &[(&str, Value)],
    ) -> Result<Option<Entry>, CassetteError> {
        let questions = self.questions(index, storage, owner)?;
        if questions.is_empty() {
            // the usual case of what is asked at every call
            return Ok(None);
        }
        // a null asks for an answer without that field as well
        let named = key.iter().filter(|(_, value)| *value != Value::Null);
        let sums: Vec<u64> = named.map(|(name, value)| sum(name, value)).collect();
        let before = questions.partition_point(|question| question.position < bound);
        let asks =
            |question: &&Question| question.method == method && sums.iter().all(|sum| question.fields.contains(sum));
        let (earlier, later) = questions.split_at(before);
        for question in earlier.iter().rev().filter(asks).chain(later.iter().filter(asks)) {
            let entry = storage.checked_entry(index.slot(question.position).place())?;
            if key.iter().all(|(name, value)| entry.get(name).unwrap_or(&Value::Null) == value) {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    /// What the log tells of the connection itself before `bound`: the positions of the answers whose question has these
    /// fields, in their order.
    pub(super) fn told(
        &mut self,
        index: &Index,
        storage: &dyn Cassette,
        connection: ConnectionId,
        bound: u32,
        key: &[(&str, Value)],
    ) -> Result<Vec<(u32, Entry)>, CassetteError> {
        let questions = self.questions(index, storage, (connection, None))?;
        let mut told = Vec::new();
        for question in questions.iter().take_while(|question| question.position < bound) {
            let entry = storage.checked_entry(index.slot(question.position).place())?;
            if key.iter().all(|(name, value)| entry.get(name).unwrap_or(&Value::Null) == value) {
                told.push((question.position, entry));
            }
        }
        Ok(told)
    }

    /// The statement, or every statement of the connection, is gone.
    pub(super) fn forget(&mut self, connection: ConnectionId, statement: Option<u32>) {
        self.0.retain(|((of, its), _)| *of != connection || (statement.is_some() && *its != statement));
    }

    fn questions(&mut self, index: &Index, storage: &dyn Cassette, owner: Owner) -> Result<&[Question], CassetteError> {
        match self.0.iter().position(|(of, _)| *of == owner) {
            Some(at) => self.0[at..].rotate_left(1),
            None => {
                let mut questions = Vec::new();
                for position in index.statement(owner.0, owner.1) {
                    let slot = index.slot(*position);
                    if slot.method.class() == Class::Answer && slot.method != Method::Columns {
                        let entry = storage.checked_entry(slot.place())?;
                        let asked = entry.fields.iter().filter(|(key, _)| !REPLY.contains(&key.as_str()));
                        let fields = asked.map(|(key, value)| sum(key, value)).collect();
                        questions.push(Question { position: *position, method: slot.method, fields });
                    }
                }
                if self.0.len() == KEPT {
                    self.0.remove(0);
                }
                self.0.push((owner, questions));
            }
        }
        Ok(self.0.last().map_or(&[], |(_, questions)| questions))
    }
}

fn sum(key: &str, value: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    value.sum(&mut hasher);
    hasher.finish()
}
