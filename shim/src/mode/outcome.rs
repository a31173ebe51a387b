//! Return codes, diagnostic records, questions and replies as cassette values, without the secrets that must not reach
//! the cassette.

use crate::args::{In, Out, Reply};
use crate::call::Question;
use crate::config::redact::MARK;
use crate::config::secrets::Secrets;
use crate::diagnostics::{Diagnostic, Origin, Outcome, rc};
use crate::table::Function;
use super8_cassette::check::Wrong;
use super8_cassette::words::{self, return_value};
use super8_cassette::{Detail, Fields, Key, Method, Value};

/// Returns the return code that a cassette value stands for; no value means SQL_SUCCESS.
pub fn return_code(value: Option<&Value>) -> i16 {
    words::return_code(value).unwrap_or(rc::ERROR)
}

/// Adds `return` and `diagnostics` if there is something to say.
pub fn push_outcome(fields: &mut Fields, outcome: &Outcome, secrecy: &Secrecy) {
    if outcome.rc != rc::SUCCESS {
        fields.add(Key::Return, return_value(outcome.rc));
    }
    if !outcome.diagnostics.is_empty() {
        let records = outcome.diagnostics.iter().map(|record| diagnostic_value(record, secrecy));
        fields.add(Key::Diagnostics, Value::List(records.collect()));
    }
}

/// Adds the same as pairs of a map, for what happened on a row or in a call beside it.
pub fn push_outcome_pairs(pairs: &mut Vec<(String, Value)>, outcome: &Outcome, secrecy: &Secrecy) {
    let mut fields = Fields::new();
    push_outcome(&mut fields, outcome, secrecy);
    pairs.extend(fields.into_iter().map(|(key, value)| (key.to_string(), value)));
}

fn diagnostic_value(record: &Diagnostic, secrecy: &Secrecy) -> Value {
    let mut pairs = vec![
        Detail::Sqlstate.with(record.sqlstate.as_str()),
        Detail::Native.with(record.native),
        Detail::Message.with(secrecy.message(&record.message)),
    ];
    pairs.extend(record.row.map(|row| Detail::Row.with(row)));
    pairs.extend(record.column.map(|column| Detail::Column.with(column)));
    pairs.extend(record.in_pieces.then(|| Detail::InPieces.with(true)));
    pairs.extend(record.silent_without_room.then(|| Detail::SilentWithoutRoom.with(true)));
    for (detail, said) in Origin::DETAILS.iter().zip(&record.origin.fields) {
        pairs.extend(said.as_ref().map(|said| {
            let value = match said {
                Ok(text) => Value::Text(secrecy.message(text)),
                Err(code) => Value::Map(vec![Detail::Return.with(return_value(*code))]),
            };
            detail.with(value)
        }));
    }
    Value::Map(pairs)
}

/// Returns the outcome that a recorded map (an entry's fields, an info item) tells of.
pub fn recorded_outcome<'a>(get: impl Fn(Key) -> Option<&'a Value>) -> Outcome {
    let records = get(Key::Diagnostics).and_then(Value::as_list).unwrap_or_default();
    Outcome { rc: return_code(get(Key::Return)), diagnostics: records.iter().map(diagnostic).collect() }
}

fn diagnostic(value: &Value) -> Diagnostic {
    let text = |detail| value.detail(detail).and_then(Value::as_text).unwrap_or_default().to_owned();
    let number = |detail| value.detail(detail).and_then(Value::as_int);
    Diagnostic {
        sqlstate: text(Detail::Sqlstate),
        native: number(Detail::Native).unwrap_or(0) as i32,
        message: text(Detail::Message),
        row: number(Detail::Row),
        column: number(Detail::Column).map(|column| column as i32),
        in_pieces: value.detail(Detail::InPieces) == Some(&Value::Bool(true)),
        silent_without_room: value.detail(Detail::SilentWithoutRoom) == Some(&Value::Bool(true)),
        origin: Origin {
            fields: Origin::DETAILS.map(|detail| match value.detail(detail)? {
                Value::Text(text) => Some(Ok(text.clone())),
                other => Some(Err(return_code(other.detail(Detail::Return)))),
            }),
        },
    }
}

/// Returns the cassette's method for a question about a statement.
pub fn method(function: Function) -> Method {
    match function {
        Function::SQLRowCount => Method::RowCount,
        Function::SQLNumParams => Method::NumParams,
        Function::SQLDescribeParam => Method::DescribeParam,
        Function::SQLNativeSql => Method::NativeSql,
        Function::SQLGetCursorName => Method::CursorName,
        _ => Method::Answer,
    }
}

/// Returns the key of a question: the function, unless the method names it, and its inputs.
pub fn key(function: Function, question: &Question<'_>) -> Fields {
    let mut key = Fields::new();
    if matches!(method(function), Method::Answer) {
        key.add(Key::Function, function.name());
    }
    key.extend(question.inputs.iter().map(|(name, input)| (*name, input_value(input))));
    key
}

/// Returns an input as the cassette has it.
pub fn input_value(input: &In<'_>) -> Value {
    match input {
        In::Int(number) => Value::from(*number),
        In::Text(text) => text.read().map_or(Value::Null, Value::Text),
    }
}

/// Returns the fields of what a catalog function was asked.
pub fn catalog_fields(function: Function, arguments: &[(&'static str, In<'_>)]) -> Fields {
    let arguments = arguments.iter().map(|(name, value)| ((*name).to_owned(), input_value(value)));
    Fields::from([(Key::Function, Value::from(function.name())), (Key::Arguments, Value::Map(arguments.collect()))])
}

/// Returns the replies as a `result` value: the value of a single output, or a map of those outputs that were written.
pub fn result_value(question: &Question<'_>, replies: &[Reply], secrecy: &Secrecy) -> Value {
    let written = question.outputs.iter().zip(replies).filter(|(_, reply)| **reply != Reply::Unwritten);
    let mut pairs: Vec<(String, Value)> =
        written.map(|((name, out), reply)| ((*name).to_owned(), reply_value(out, reply, secrecy))).collect();
    match (question.outputs.len(), pairs.len()) {
        (1, 1) => pairs.remove(0).1,
        (_, 0) => Value::Null,
        _ => Value::Map(pairs),
    }
}

/// Returns one reply as the cassette has it.
pub fn reply_value(out: &Out, reply: &Reply, secrecy: &Secrecy) -> Value {
    match reply {
        Reply::Unwritten => Value::Null,
        Reply::Number(number) => Value::from(*number),
        Reply::Width { value, bytes } => {
            Value::Map(vec![Detail::Value.with(*value), Detail::Bytes.with(u16::from(*bytes))])
        }
        Reply::Sized { number, bytes, length } => {
            let mut pairs = Vec::from_iter(number.map(|number| Detail::Value.with(number)));
            pairs.extend(bytes.map(|bytes| Detail::Bytes.with(u16::from(bytes))));
            pairs.push(Detail::Length.with(*length));
            Value::Map(pairs)
        }
        Reply::Text { text, length, unterminated, .. } => {
            let text = text.as_deref().map(|text| secrecy.message(text));
            // Measure the text with the user's name as replay puts it in, in characters of the width that is asked for.
            let shown = |text: &str| out.length_of(&secrecy.restore(text).unwrap_or_else(|| text.to_owned()));
            let natural = text.as_deref().map(shown);
            let left_out = leaves_length_out(out, reply);
            match (text, *length) {
                (Some(text), length)
                    if !unterminated && !left_out && length.is_none_or(|length| natural == Some(length)) =>
                {
                    Value::Text(text)
                }
                (text, length) => {
                    let mut pairs = Vec::from_iter(text.map(|text| Detail::Text.with(text)));
                    pairs.extend(length.map(|length| Detail::Length.with(length)));
                    pairs.extend(left_out.then(|| Detail::Length.with(Value::Null)));
                    pairs.extend(unterminated.then(|| Detail::Terminated.with(false)));
                    Value::Map(pairs)
                }
            }
        }
    }
}

/// Returns whether the driver wrote a text but not its length, although the application gave a place for the length.
pub fn leaves_length_out(out: &Out, reply: &Reply) -> bool {
    matches!((out, reply), (Out::Text(out), Reply::Text { text: Some(_), length: None, .. }) if out.has_length())
}

/// Returns the room that a question gives for its text, for the key of a reply that depends on it: `buffer`, its size
/// in bytes or `none`; `length: none` if the application gave no place for the length; and `wide` for wide characters.
/// Empty for a question without a text.
pub fn room(question: &Question<'_>) -> Fields {
    let text = question.outputs.iter().find_map(|(_, out)| match out {
        Out::Text(text) => Some((out.capacity(), text.has_length(), text.is_wide())),
        _ => None,
    });
    let Some((capacity, has_length, wide)) = text else { return Fields::new() };
    let mut room = Fields::from([(Key::Buffer, capacity.map_or_else(|| Value::from("none"), Value::from))]);
    room.extend((!has_length).then(|| (Key::Length, Value::from("none"))));
    room.extend(wide.then_some((Key::Wide, Value::Bool(true))));
    room
}

/// Returns whether the replies say all there is to know: no text was cut off, and nothing was left out for lack of a
/// place.
pub fn is_whole(function: Function, question: &Question<'_>, replies: &[Reply]) -> bool {
    // SQLColAttribute answers in the one output that fits the field.
    let answers = match (function, &question.outputs[..]) {
        (Function::SQLColAttribute | Function::SQLColAttributes, [(_, Out::Text(_)), _]) => 0..1,
        (Function::SQLColAttribute | Function::SQLColAttributes, [_, _]) => 1..2,
        (_, all) => 0..all.len(),
    };
    // A columns file takes the fields that SQLDescribeCol was asked for one by one.
    let partly = function == Function::SQLDescribeCol;
    answers.into_iter().all(|at| match (&question.outputs[at].1, &replies[at]) {
        (out, _) if out.is_null() => partly,
        (Out::Text(_), Reply::Text { text: Some(_), cut, .. }) => !cut,
        (Out::Text(_), _) => false,
        _ => true,
    })
}

/// Returns whether replay can make this incomplete reply from the whole one by itself: without a buffer there is
/// nothing to cut.
pub fn follows(question: &Question<'_>, replies: &[Reply], whole: &[Reply]) -> bool {
    question.outputs.iter().zip(replies.iter().zip(whole)).all(|((_, out), (reply, whole))| match (out, reply) {
        (out, _) if out.is_null() => true,
        (Out::Text(_), Reply::Text { text: None, length, .. }) if out.capacity().is_none() => match whole {
            Reply::Text { text: Some(text), .. } => *length == Some(out.length_of(text)),
            _ => false,
        },
        (Out::Text(_), Reply::Text { cut: true, .. }) => false,
        _ => reply == whole,
    })
}

/// Returns what a recorded result says for each output of a question.
fn replies<'q>(question: &'q Question<'_>, result: &'q Value) -> impl Iterator<Item = (&'q Out, &'q Value)> {
    question.outputs.iter().filter_map(move |(name, out)| {
        let value = match (question.outputs.len(), result) {
            (1, Value::Map(_))
                if [Detail::Text, Detail::Length, Detail::Bytes]
                    .iter()
                    .any(|detail| result.detail(*detail).is_some()) =>
            {
                Some(result)
            }
            (1, Value::Map(_)) => result.get(name),
            (1, value) => Some(value),
            (_, value) => value.get(name),
        };
        Some((out, value?))
    })
}

/// Checks that recorded replies are of the kind that a question asks for.
///
/// # Errors
/// There is text in place of a number, or a number in place of text.
pub fn fits(question: &Question<'_>, result: &Value) -> Result<(), Wrong> {
    let is_text = |value: &Value| match value {
        Value::Map(_) => {
            value.detail(Detail::Text).is_some() || matches!(value.detail(Detail::Value), Some(Value::Text(_)))
        }
        value => matches!(value, Value::Text(_)),
    };
    let is_number = |value: &Value| match value {
        Value::Map(_) => {
            value.detail(Detail::Value).is_some() || matches!(value.detail(Detail::Text), Some(Value::Int(_)))
        }
        value => matches!(value, Value::Int(_)),
    };
    for (out, value) in replies(question, result) {
        match out {
            Out::Number(_) | Out::Sized(_) if is_text(value) => {
                return Err(Wrong::new("result", "is text, and the program asks for a number"));
            }
            Out::Text(_) if is_number(value) => {
                return Err(Wrong::new("result", "is a number, and the program asks for text"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Writes recorded replies to a question's outputs. Returns whether a text was cut that the recording has whole.
pub fn write_result(question: &Question<'_>, result: &Value) -> bool {
    replies(question, result).fold(false, |cut, (out, value)| write_reply(out, value) | cut)
}

/// Returns how many bytes of a number the recorded driver wrote, if that is not what ODBC says.
fn width(value: &Value) -> Option<u8> {
    match value.detail(Detail::Bytes).and_then(Value::as_int) {
        Some(bytes @ (1 | 2 | 4 | 8)) => Some(bytes as u8),
        _ => None,
    }
}

/// Writes one recorded reply. Returns whether a text was cut that the recording has whole.
pub fn write_reply(out: &Out, value: &Value) -> bool {
    match (out, value) {
        (Out::Number(number), Value::Int(value)) => {
            number.write(*value as i64);
            false
        }
        (Out::Sized(sized), Value::Int(value)) => {
            sized.write(*value as i64);
            false
        }
        (Out::Number(number), Value::Map(_)) if width(value).is_some() => {
            let written = value.detail(Detail::Value).and_then(Value::as_int).unwrap_or_default();
            width(value).into_iter().for_each(|bytes| number.write_bytes(written, bytes));
            false
        }
        (Out::Sized(sized), Value::Map(_)) => {
            let number = |key| value.get(key).and_then(Value::as_int);
            sized.write_with(number("value"), width(value), number("length"));
            false
        }
        (Out::Text(text), Value::Text(words)) => text.write(words, None),
        (Out::Text(text), Value::Map(_)) => {
            let text = if value.detail(Detail::Length) == Some(&Value::Null) { &text.without_length() } else { text };
            let length = value.detail(Detail::Length).and_then(Value::as_int);
            match value.detail(Detail::Text).and_then(Value::as_text) {
                Some(words) if value.detail(Detail::Terminated) != Some(&Value::Bool(false)) => {
                    return text.write(words, length);
                }
                Some(words) => text.write_unterminated(words),
                None => {}
            }
            if let Some(length) = length {
                text.write_length(length);
            }
            false
        }
        _ => false,
    }
}

/// Stands for the user's name. Replay gets the name from the program or its data source.
const USER: &str = "<given UID>";

/// The secrets of one connection.
#[derive(Clone, Default)]
pub struct Secrecy {
    secrets: Secrets,
    user: Option<String>,
}

impl Secrecy {
    /// Returns the secrecy for these secrets; `user` is the user that the program names, or else its data source.
    pub fn new(secrets: Secrets, user: Option<String>) -> Self {
        Secrecy { secrets, user }
    }

    /// Returns what is hidden in everything that the process records: see [`Secrets::values`].
    pub fn values(&self) -> &[String] {
        self.secrets.values()
    }

    /// Returns a message or reply without secrets and without the user's name.
    pub fn message(&self, text: &str) -> String {
        match &self.user {
            Some(user) if user == text => USER.to_owned(),
            Some(user) => self.secrets.scrub_message(text, user, USER).into_owned(),
            None => self.secrets.scrub_text(text).into_owned(),
        }
    }

    /// Returns a recorded outcome with the user's name back in its messages.
    #[inline]
    pub fn restored(&self, outcome: Outcome) -> Outcome {
        if outcome.diagnostics.is_empty() { outcome } else { self.with_user(outcome) }
    }

    #[cold]
    fn with_user(&self, mut outcome: Outcome) -> Outcome {
        for record in &mut outcome.diagnostics {
            if let Some(message) = self.restore(&record.message) {
                record.message = message;
            }
        }
        outcome
    }

    /// Returns a recorded answer with the user's name back in it.
    pub fn restored_fields(&self, answer: Fields) -> Fields {
        answer.into_iter().map(|(key, value)| (key, self.restored_value(value))).collect()
    }

    fn restored_value(&self, value: Value) -> Value {
        match value {
            Value::Text(text) => Value::Text(self.restore(&text).unwrap_or(text)),
            Value::Map(pairs) => {
                Value::Map(pairs.into_iter().map(|(key, value)| (key, self.restored_value(value))).collect())
            }
            other => other,
        }
    }

    fn restore(&self, text: &str) -> Option<String> {
        let user = self.user.as_deref().unwrap_or(MARK);
        text.contains(USER).then(|| text.replace(USER, user))
    }
}
