//! Questions about a statement while recording: what concerns the columns goes to the columns file, the rest beside the
//! commands.

use super::asked::{Answer, ask};
use super::statement::{State, Statement};
use super::unwritable;
use crate::args::Reply;
use crate::call::{DriverCall, Question};
use crate::diagnostics::{Outcome, rc};
use crate::mode::application::set_value;
use crate::mode::columns::{asks_columns, beside};
use crate::mode::keys::CallKey;
use crate::mode::outcome::{key, leaves_length_out, method, push_outcome, reply_value, result_value};
use crate::table::Function;
use std::collections::HashMap;
use std::sync::atomic::Ordering;
use super8_cassette::{CassetteError, Entry, Fields, Key, Value};

/// The answers that were written about a statement text.
#[derive(Default)]
pub(super) struct Known {
    answers: HashMap<String, Last>,
    /// Whether one is about the columns: those stand in a columns file as a rule.
    columns: bool,
}

/// The last answer to a question.
struct Last {
    answer: Fields,
    /// How often it was asked since the last of so many commands of the statement.
    given: u32,
    commands: u32,
}

impl Known {
    /// Another text.
    pub(super) fn clear(&mut self) {
        self.answers.clear();
        self.columns = false;
    }

    /// Takes note of an answer after so many commands. `None` if it is the last one; else how often the question was asked since
    /// the last command before, and whether it had another answer.
    fn answered(&mut self, question: String, answer: &Fields, commands: u32) -> Option<(u32, bool)> {
        let Some(last) = self.answers.get_mut(&question) else {
            self.answers.insert(question, Last { answer: answer.clone(), given: 1, commands });
            return Some((0, false));
        };
        let given = if last.commands == commands { last.given } else { 0 };
        (last.given, last.commands) = (given + 1, commands);
        if last.answer == *answer {
            return None;
        }
        last.answer = answer.clone();
        Some((given, true))
    }
}

impl Statement {
    /// A question about the statement.
    pub(super) fn question(
        &self,
        function: Function,
        question: &Question<'_>,
        driver_call: &dyn DriverCall,
    ) -> Outcome {
        if question.is_address() {
            let (outcome, written) = self.connection.note_address(function, question, driver_call);
            if rc::succeeded(outcome.rc) && written {
                // The driver's answer may be an address that super8 lent it.
                let mut state = self.state.lock();
                state.application.refresh();
                state.application.answer_address(question);
            }
            return outcome;
        }
        // The attributes of a statement that are numbers are as wide as numbers get.
        let asked = ask(function, question, driver_call, self.is_asynchronous(), |_, _| None);
        if asked.outcome.rc == rc::STILL_EXECUTING {
            return asked.outcome;
        }
        let mut state = self.state.lock();
        let set = set_value(&mut state.application, function, question);
        if state.id.is_none() {
            drop(state);
            let mut fields = key(function, question);
            if fields.get(Key::Function).is_none() {
                fields.insert(0, (Key::Function, function.name().into()));
            }
            return self.connection.inform_all(fields, question, asked, set);
        }
        for answer in asked.answers(question) {
            if let Err(error) = self.keep(&mut state, function, question, answer, set.as_ref()) {
                drop(state);
                return unwritable(error);
            }
        }
        asked.outcome
    }

    /// Keeps one answer, where it is news.
    fn keep(
        &self,
        state: &mut State,
        function: Function,
        question: &Question<'_>,
        answer: Answer<'_>,
        set: Option<&Value>,
    ) -> Result<(), CassetteError> {
        let Answer { outcome, replies, room, follows } = answer;
        let whole = room.is_empty();
        let told = question.outputs.iter().zip(replies).all(|((_, out), reply)| !leaves_length_out(out, reply));
        let learned = whole
            && told
            && *outcome == Outcome::SUCCESS
            && asks_columns(function)
            && self.learned.learn(&self.connection.recorder(), function, question, replies);
        if learned && !state.known.columns {
            return self.note_beside(function, question, replies);
        }
        let Some(id) = state.id else { return Ok(()) };
        let secrecy = &self.connection.secrecy;
        let mut fields = key(function, question);
        fields.extend(set.map(|set| (Key::Set, set.clone())));
        fields.extend(room);
        let asked = format!("{function:?}{fields:?}");
        let result = result_value(question, replies, secrecy);
        let as_set = set == Some(&result) && *outcome == Outcome::SUCCESS;
        fields.push((Key::Result, result));
        push_outcome(&mut fields, outcome, secrecy);
        let (answer, commands) = (fields.clone(), self.commands.load(Ordering::Relaxed));
        let news = state.known.answered(asked, &answer, commands);
        let (after, changed) = match news {
            Some((_, false)) | None if learned => return self.note_beside(function, question, replies),
            Some((_, false)) if follows || as_set => return Ok(()),
            Some(news) => news,
            None => return Ok(()),
        };
        if after > 0 {
            fields.push((Key::After, Value::from(after)));
        }
        state.known.columns |= asks_columns(function);
        // A reply that changes while rows are fetched belongs between the rows before and after it.
        match changed {
            true => self.settle(state, false)?,
            false => self.write_columns()?,
        }
        let entry = Entry { method: method(function), connection: self.connection.id(), statement: Some(id), fields };
        self.connection.recorder().note(&entry)
    }

    /// Notes what the driver wrote to the output of SQLColAttribute that does not apply.
    fn note_beside(&self, function: Function, question: &Question<'_>, replies: &[Reply]) -> Result<(), CassetteError> {
        let Some((at, out, key)) = beside(function, question) else { return Ok(()) };
        let written = replies.get(at).filter(|reply| **reply != Reply::Unwritten);
        let said =
            written.map(|reply| Fields::from([(Key::Result, reply_value(out, reply, &self.connection.secrecy))]));
        self.connection.note_outcome(CallKey::of([function as u64, at as u64]), || key, said)
    }
}
