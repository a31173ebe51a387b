//! Questions about a statement at replay: the recorded answer, what the columns file says, or what is known anyway.

use super::connection::{answer_keys, serve};
use super::statement::Statement;
use super::{defaults, not_recorded};
use crate::args::Out;
use crate::call::Question;
use crate::diagnostics::{Outcome, rc};
use crate::mode::application::set_value;
use crate::mode::columns::{self, asks_columns};
use crate::mode::keys::address_key;
use crate::mode::outcome::{input_value, key, method, outcome, write_reply, write_result};
use crate::table::Function;
use super8_cassette::{Key, Value};

impl Statement {
    pub(super) fn question(&self, function: Function, question: &Question<'_>) -> Outcome {
        if question.is_address() {
            let said = match self.connection.player().tells_of(function.name()) {
                true => self.connection.unusual(&address_key(function, question)),
                false => Ok(None),
            };
            let said = match said {
                Ok(said) => said,
                Err(failure) => return failure,
            };
            let told = outcome(|key| said.as_ref()?.get(key));
            let left_alone = said.is_some_and(|said| said.get(Key::Result) == Some(&Value::Null));
            if rc::succeeded(told.rc) && !left_alone {
                let mut state = self.state.lock();
                state.application.refresh();
                state.application.answer_address(question);
            }
            return told;
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
                        if let Err(failure) = self.write_beside(function, question) {
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
        // What was asked before the statement had a text belongs to the connection.
        self.connection.answer(fields, question, None).unwrap_or_else(|| self.unasked(function, question))
    }

    /// Writes what the recorded driver wrote to the output of SQLColAttribute that does not apply.
    fn write_beside(&self, function: Function, question: &Question<'_>) -> Result<(), Outcome> {
        let Some((_, out, key)) = columns::beside(function, question) else { return Ok(()) };
        if let Some(written) = self.connection.unusual(&key)?.as_ref().and_then(|said| said.get(Key::Result)) {
            write_reply(out, written);
        }
        Ok(())
    }

    /// A question that was not asked when the cassette was recorded: what is known anyway, or an error that names it.
    pub(super) fn unasked(&self, function: Function, question: &Question<'_>) -> Outcome {
        let state = self.state.lock();
        let known = match function {
            Function::SQLRowCount => Some(Value::Int(-1)),
            Function::SQLNumParams => Some(Value::from(state.markers)),
            Function::SQLGetDiagField => match question.outputs.first() {
                Some((_, Out::Text(_))) => Some(Value::from("")),
                _ => Some(Value::Int(0)),
            },
            Function::SQLGetStmtAttr | Function::SQLGetStmtOption => question.int(Key::Attribute).and_then(|asked| {
                let set = state.application.number(asked as i32).map(Value::from);
                set.or_else(|| defaults::statement(asked))
            }),
            Function::SQLColAttribute | Function::SQLColAttributes => state.id.and_then(|id| {
                // columns that cannot be read were told of before
                let found = self.connection.player().columns(self.connection.id(), id).ok()??;
                let column = found.as_list()?.get(usize::try_from(question.int(Key::Column)? - 1).ok()?)?;
                let value = column.get(defaults::same_field(question.int(Key::Field)?)?)?.clone();
                let output = if matches!(value, Value::Text(_)) { "text" } else { "value" };
                Some(Value::Map(vec![(output.to_owned(), value)]))
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
