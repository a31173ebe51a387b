//! Questions about a statement. While recording, answers about the columns go to the columns file and all others beside
//! the commands. Replay gives the recorded answer, what the columns file says, or what is known anyway.

use crate::args::{Out, Reply, shape};
use crate::call::{DriverCall, Question};
use crate::diagnostics::{Outcome, rc};
use crate::mode::answers::{Answer, answer_keys, ask, serve};
use crate::mode::application::set_value;
use crate::mode::columns::{self, asks_columns, other_output};
use crate::mode::keys::{CallKey, address_key};
use crate::mode::outcome::{
    input_value, key, leaves_length_out, method, push_outcome, recorded_outcome, reply_value, result_value,
    write_reply, write_result,
};
use crate::mode::record::{Recorded, unwritable};
use crate::mode::replay::{Replayed, not_recorded};
use crate::mode::statement::{State, Statement};
use crate::table::Function;
use std::sync::atomic::Ordering;
use super8_cassette::{CassetteError, Detail, Entry, Fields, Key, Value};

impl Statement<Recorded> {
    /// Serves a question about the statement.
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
        // The numeric attributes of a statement have the full width, so there is no width to find out.
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
            return self.connection.keep_answers(fields, question, asked, set);
        }
        for answer in asked.answers(question) {
            if let Err(error) = self.keep(&mut state, function, question, answer, set.as_ref()) {
                drop(state);
                return unwritable(error);
            }
        }
        asked.outcome
    }

    /// Records one answer, if it is new.
    fn keep(
        &self,
        state: &mut State<Recorded>,
        function: Function,
        question: &Question<'_>,
        answer: Answer<'_>,
        set: Option<&Value>,
    ) -> Result<(), CassetteError> {
        let Answer { outcome, replies, room, follows } = answer;
        let whole = room.is_empty();
        let has_lengths = question.outputs.iter().zip(replies).all(|((_, out), reply)| !leaves_length_out(out, reply));
        let learned = whole
            && has_lengths
            && *outcome == Outcome::SUCCESS
            && asks_columns(function)
            && self.own.metadata.learn(&self.connection.recorder(), function, question, replies);
        let commands = self.own.commands.load(Ordering::Relaxed);
        if learned && !state.own.answers.columns {
            state.own.answers.answered_by_columns_file(function, question, commands);
            return self.note_other_output(function, question, replies);
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
        let (answers, answer) = (&mut state.own.answers, fields.clone());
        let before = if whole { answers.times_in_columns_file(function, question, commands) } else { 0 };
        let news = answers.answered(asked, &answer, commands, before);
        let (after, changed) = match news {
            Some((_, false)) | None if learned => return self.note_other_output(function, question, replies),
            Some((_, false)) if follows || as_set => return Ok(()),
            Some(news) => news,
            None => return Ok(()),
        };
        if after > 0 {
            fields.push((Key::After, Value::from(after)));
        }
        state.own.answers.columns |= asks_columns(function);
        // A reply that changes while rows are fetched has its place between the rows before and after it.
        match changed {
            true => self.finish_result(state, false)?,
            false => self.write_columns()?,
        }
        let entry = Entry { method: method(function), connection: self.connection.id(), statement: Some(id), fields };
        self.connection.recorder().note(&entry)
    }

    /// Notes what the driver wrote to the output of SQLColAttribute that does not apply.
    fn note_other_output(
        &self,
        function: Function,
        question: &Question<'_>,
        replies: &[Reply],
    ) -> Result<(), CassetteError> {
        let Some((at, out, key)) = other_output(function, question) else { return Ok(()) };
        let written = replies.get(at).filter(|reply| **reply != Reply::Unwritten);
        let said =
            written.map(|reply| Fields::from([(Key::Result, reply_value(out, reply, &self.connection.secrecy))]));
        self.connection.note_outcome(CallKey::of([function as u64, at as u64]), || key, said)
    }
}

impl Statement<Replayed> {
    pub(super) fn question(&self, function: Function, question: &Question<'_>) -> Outcome {
        if question.is_address() {
            let said = match self.connection.player().has_answers_of(function.name()) {
                true => self.connection.local_outcome(&address_key(function, question)),
                false => Ok(None),
            };
            let said = match said {
                Ok(said) => said,
                Err(failure) => return failure,
            };
            let outcome = recorded_outcome(|key| said.as_ref()?.get(key));
            let left_alone = said.is_some_and(|said| said.get(Key::Result) == Some(&Value::Null));
            if rc::succeeded(outcome.rc) && !left_alone {
                let mut state = self.state.lock();
                state.application.refresh();
                state.application.answer_address(question);
            }
            return outcome;
        }
        let (id, set) = {
            let mut state = self.state.lock();
            (state.id, set_value(&mut state.application, function, question))
        };
        let mut fields = key(function, question);
        let Some(id) = id else {
            if fields.get(Key::Function).is_none() {
                fields.insert(0, (Key::Function, function.name().into()));
            }
            return self.connection.answer(fields, question, set).unwrap_or_else(|| self.unasked(function, question));
        };
        let (player, connection) = (self.connection.player(), self.connection.id());
        let (mut keys, older) = answer_keys(&fields, question, set.as_ref());
        let find = |in_force: &[_], later: &[_]| {
            let found = player.answer(connection, Some(id), method(function), in_force, later).transpose()?;
            Some(match found {
                Ok(entry) => serve(question, |key| entry.get(key))
                    .unwrap_or_else(|wrong| self.connection.refuse_answer(Some(id), &entry.fields, wrong)),
                Err(error) => self.damaged(error),
            })
        };
        if let Some(answer) = find(&keys, &[]) {
            return answer;
        }
        if asks_columns(function) {
            match player.columns(connection, id) {
                Ok(found) => {
                    let known = found.as_deref().and_then(Value::as_list).unwrap_or_default();
                    if let Some(result) = columns::answer(known, function, question) {
                        if let Err(failure) = self.write_other_output(function, question) {
                            return failure;
                        }
                        return cut_warning(write_result(question, &result));
                    }
                }
                Err(error) => return self.damaged(error),
            }
        }
        if let Some(set) = set {
            return cut_warning(write_result(question, &set));
        }
        keys.extend(older);
        if let Some(answer) = find(&keys[keys.len() - 1..], &keys) {
            return answer;
        }
        // An answer from before the statement had a text belongs to the connection, under the function's name.
        if fields.get(Key::Function).is_none() {
            fields.insert(0, (Key::Function, function.name().into()));
        }
        self.connection.answer(fields, question, None).unwrap_or_else(|| self.unasked(function, question))
    }

    /// Answers from the columns file what the columns' descriptor is asked, if the cassette was written by hand: no
    /// driver's answers are recorded there.
    pub(super) fn described_by_hand(&self, question: &Question<'_>) -> Option<Outcome> {
        let player = self.connection.player();
        if !player.is_by_hand() || question.is_address() {
            return None;
        }
        let id = self.state.lock().id?;
        let columns = player.columns(self.connection.id(), id).ok()??;
        let number = |key: Key| question.int(key).unwrap_or_default();
        let known = columns.as_list().unwrap_or_default();
        let value = columns::descriptor_field(known, number(Key::Record), number(Key::Field))?;
        Some(cut_warning(write_result(question, &value)))
    }

    /// Writes what the recorded driver wrote to the output of SQLColAttribute that does not apply.
    fn write_other_output(&self, function: Function, question: &Question<'_>) -> Result<(), Outcome> {
        let Some((_, out, key)) = columns::other_output(function, question) else { return Ok(()) };
        if let Some(written) = self.connection.local_outcome(&key)?.as_ref().and_then(|said| said.get(Key::Result)) {
            write_reply(out, written);
        }
        Ok(())
    }

    /// Answers a question that was not asked when the cassette was recorded, with what is known anyway or with an error
    /// that names it.
    pub(super) fn unasked(&self, function: Function, question: &Question<'_>) -> Outcome {
        let state = self.state.lock();
        let known = match function {
            Function::SQLRowCount => Some(Value::Int(-1)),
            Function::SQLNumParams => Some(Value::from(state.markers)),
            Function::SQLGetDiagField
                if !question.int(Key::Field).is_some_and(|field| shape::is_drivers_own(field as i16)) =>
            {
                match question.outputs.first() {
                    Some((_, Out::Text(_))) => Some(Value::from("")),
                    _ => Some(Value::Int(0)),
                }
            }
            Function::SQLGetStmtAttr | Function::SQLGetStmtOption => question.int(Key::Attribute).and_then(|asked| {
                let set = state.application.number(asked as i32).map(Value::from);
                set.or_else(|| default_attribute(asked))
            }),
            Function::SQLColAttribute | Function::SQLColAttributes => state.id.and_then(|id| {
                // An error in the columns file was reported before.
                let found = self.connection.player().columns(self.connection.id(), id).ok()??;
                let column = found.as_list()?.get(usize::try_from(question.int(Key::Column)? - 1).ok()?)?;
                let value = column.get(same_field(question.int(Key::Field)?)?)?.clone();
                let output = if matches!(value, Value::Text(_)) { Detail::Text } else { Detail::Value };
                Some(Value::Map(vec![output.with(value)]))
            }),
            _ => None,
        };
        drop(state);
        match known {
            Some(value) => cut_warning(write_result(question, &value)),
            None => {
                let key: Vec<String> = question
                    .inputs
                    .iter()
                    .map(|(name, input)| format!("{name} {}", shown(input_value(input))))
                    .collect();
                not_recorded(&crate::cassettes::secrets().text(&format!("{}({})", function.name(), key.join(", "))))
            }
        }
    }
}

fn shown(value: Value) -> String {
    match value {
        Value::Int(number) => number.to_string(),
        Value::Text(text) => text,
        _ => "null".to_owned(),
    }
}

fn cut_warning(cut: bool) -> Outcome {
    if cut {
        Outcome::info("01004", "the answer was cut off: the buffer is too small for it")
    } else {
        Outcome::SUCCESS
    }
}

/// Returns a statement attribute's default (the reference page of SQLSetStmtAttr).
fn default_attribute(attribute: i64) -> Option<Value> {
    match attribute {
        // CONCURRENCY, SQL_ROWSET_SIZE, RETRIEVE_DATA, PARAMSET_SIZE, ROW_ARRAY_SIZE
        7 | 9 | 11 | 22 | 27 => Some(Value::Int(1)),
        // CURSOR_SENSITIVITY .. KEYSET_SIZE, SIMULATE_CURSOR, USE_BOOKMARKS, ROW_NUMBER, ENABLE_AUTO_IPD, PARAM_BIND_TYPE, METADATA_ID
        -2..=6 | 8 | 10 | 12 | 14 | 15 | 18 | 10014 => Some(Value::Int(0)),
        _ => None,
    }
}

/// Returns another field that answers this one, because SQLColAttribute and SQLDescribeCol name some things
/// differently.
fn same_field(field: i64) -> Option<&'static str> {
    match field {
        // SQL_COLUMN_NAME, SQL_DESC_LABEL, SQL_DESC_NAME
        1 | 18 | 1011 => Some("name"),
        // SQL_DESC_CONCISE_TYPE
        2 => Some("type"),
        // SQL_COLUMN_NULLABLE, SQL_DESC_NULLABLE
        7 | 1008 => Some("nullable"),
        // SQL_COLUMN_SCALE, SQL_DESC_SCALE
        5 | 1006 => Some("scale"),
        _ => None,
    }
}
