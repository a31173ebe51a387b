//! What is known about a result's columns. Recording gathers it from the application's questions, and replay answers
//! from the columns file. Also the last answers to other questions about a statement.

use crate::args::{Out, Reply};
use crate::call::Question;
use crate::table::Function;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use super8_cassette::words::{COLUMN_FIELDS as FIELDS, DESCRIBED};
use super8_cassette::{ConnectionId, Detail, Fields, Key, PendingColumns, Recorder, Value};

fn field_name(field: i64) -> String {
    let known = FIELDS.iter().find(|(id, _)| i64::from(*id) == field);
    known.map_or_else(|| field.to_string(), |(_, name)| (*name).to_owned())
}

/// Returns whether a function asks about the result's columns.
pub fn asks_columns(function: Function) -> bool {
    matches!(
        function,
        Function::SQLNumResultCols | Function::SQLDescribeCol | Function::SQLColAttribute | Function::SQLColAttributes
    )
}

/// Returns whether a question asks how many columns there are.
fn counts(function: Function, question: &Question<'_>) -> bool {
    function == Function::SQLNumResultCols
        || (function != Function::SQLDescribeCol && matches!(question.int(Key::Field), Some(0 | 1001)))
}

/// What the application has learned about the columns so far.
#[derive(Debug, Default)]
pub struct Columns {
    columns: Vec<Vec<(String, Value)>>,
    news: bool,
}

impl Columns {
    /// Forgets everything, because there is another result.
    pub fn clear(&mut self) {
        self.columns.clear();
        self.news = false;
    }

    /// Takes in a plain reply. Returns false if a columns file cannot hold it (a cut text, a column number out of
    /// range); then it is recorded on its own.
    pub fn learn(&mut self, function: Function, question: &Question<'_>, replies: &[Reply]) -> bool {
        if counts(function, question) {
            // SQL_DESC_COUNT belongs to the result, whatever column it is asked of.
            let Some(Reply::Number(count)) = replies.last() else { return false };
            let Ok(count) = usize::try_from(*count) else { return false };
            if self.columns.len() < count {
                self.columns.resize(count, Vec::new());
                self.news = true;
            }
            return self.columns.len() == count;
        }
        let Some(index) = question.int(Key::Column).and_then(|column| usize::try_from(column - 1).ok()) else {
            return false;
        };
        let Some(named) = named_replies(function, question, replies) else { return false };
        if self.columns.len() <= index {
            self.columns.resize(index + 1, Vec::new());
            // Count the column as news even if the only question was whether it exists.
            self.news = true;
        }
        for (name, value) in named {
            self.set(index, name, value);
        }
        true
    }

    fn set(&mut self, index: usize, name: String, value: Value) {
        let column = &mut self.columns[index];
        match column.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) if *known == value => {}
            Some((_, known)) => {
                *known = value;
                self.news = true;
            }
            None => {
                column.push((name, value));
                column.sort_by_key(|(name, _)| rank(name));
                self.news = true;
            }
        }
    }

    /// Returns the columns as a cassette value, if something was learned since the last time.
    pub fn news(&mut self) -> Option<Value> {
        std::mem::take(&mut self.news).then(|| Value::List(self.columns.iter().cloned().map(Value::Map).collect()))
    }
}

/// Orders SQLDescribeCol's fields first, then the attributes by their numbers, so that the file does not depend on the
/// order of the questions.
fn rank(name: &str) -> (usize, usize, String) {
    match DESCRIBED.iter().position(|known| *known == name) {
        Some(place) => (0, place, String::new()),
        None => match FIELDS.iter().position(|(_, known)| *known == name) {
            Some(place) => (1, place, String::new()),
            None => (2, 0, name.to_owned()),
        },
    }
}

/// Returns the replies under their names in a columns file; `None` if the file cannot hold one of them.
fn named_replies(function: Function, question: &Question<'_>, replies: &[Reply]) -> Option<Vec<(String, Value)>> {
    let mut named = Vec::new();
    for ((name, out), reply) in question.outputs.iter().zip(replies) {
        let value = match reply {
            Reply::Unwritten => continue,
            Reply::Number(number) | Reply::Sized { number: Some(number), bytes: None, .. } => Value::from(*number),
            Reply::Text { text: Some(text), length, cut: false, .. }
                if length.is_none_or(|length| length == out.length_of(text)) =>
            {
                Value::from(text.as_str())
            }
            Reply::Width { .. } | Reply::Sized { .. } | Reply::Text { .. } => return None,
        };
        named.push(((*name).to_owned(), value));
    }
    if function != Function::SQLDescribeCol {
        // A text attribute is its text, and any other is its number. What a driver writes to the other output is not an
        // attribute.
        let field = field_name(question.int(Key::Field)?);
        let text = matches!(question.outputs.first(), Some((_, Out::Text(_))));
        let wanted = if text { Detail::Text } else { Detail::Value };
        let (_, value) = named.into_iter().find(|(name, _)| name == wanted.name())?;
        return Some(vec![(field, value)]);
    }
    Some(named)
}

/// Returns the output of SQLColAttribute that does not apply to the field, with its position and the key of what a
/// driver writes there: the number beside a text, or the length beside a number. Drivers usually write nothing. `None`
/// if the application gave no place for it.
pub fn other_output<'q>(function: Function, question: &'q Question<'_>) -> Option<(usize, &'q Out, Fields)> {
    let (at, about) = match (function, &question.outputs[..]) {
        (Function::SQLColAttribute | Function::SQLColAttributes, [(_, Out::Text(_)), _]) => (1, "number_beside_text"),
        (Function::SQLColAttribute | Function::SQLColAttributes, [_, _]) => (0, "length_beside_number"),
        _ => return None,
    };
    let out = &question.outputs[at].1;
    let key = Fields::from([(Key::Function, Function::SQLColAttribute.name().into()), (Key::About, about.into())]);
    (!out.is_null()).then_some((at, out, key))
}

/// Returns the recorded replies to a question about columns, under the names of the question's outputs; `None` if the
/// recording does not say.
pub fn answer(columns: &[Value], function: Function, question: &Question<'_>) -> Option<Value> {
    if counts(function, question) {
        let count = Value::from(columns.len());
        return Some(match function {
            Function::SQLNumResultCols => count,
            _ => Value::Map(vec![Detail::Value.with(count)]),
        });
    }
    let column = question.int(Key::Column).and_then(|column| columns.get(usize::try_from(column - 1).ok()?));
    if function == Function::SQLDescribeCol {
        let column = column?;
        let asked = question.outputs.iter().filter(|(_, out)| !out.is_null());
        return asked.into_iter().all(|(name, _)| column.get(name).is_some()).then(|| column.clone());
    }
    let value = column?.get(&field_name(question.int(Key::Field)?)).cloned()?;
    let output = if matches!(value, Value::Text(_)) { Detail::Text } else { Detail::Value };
    Some(Value::Map(vec![output.with(value)]))
}

/// Returns a field of the descriptor that describes the columns: their number, or what is known of one. `None` if
/// nothing is.
pub fn descriptor_field(columns: &[Value], record: i64, field: i64) -> Option<Value> {
    match (record, field_name(field).as_str()) {
        (_, "desc_count") => Some(Value::from(columns.len())),
        (record, name) => columns.get(usize::try_from(record - 1).ok()?)?.get(name).cloned(),
    }
}

/// The columns of a statement's result.
#[derive(Default)]
pub(super) struct ColumnMetadata {
    inner: Mutex<Inner>,
    /// Whether there may be something to write. Asked at every fetch.
    news: AtomicBool,
}

#[derive(Default)]
struct Inner {
    /// The connection, and the statement's id, in their cassette.
    of: Option<(ConnectionId, u32)>,
    columns: Columns,
    /// The address of the recorder that knows this place. A connection may move to another recorder.
    known: usize,
}

impl ColumnMetadata {
    /// Begins another statement text.
    pub(super) fn begin(&self, connection: ConnectionId, id: u32) {
        let mut inner = self.inner.lock();
        inner.of = Some((connection, id));
        inner.columns.clear();
    }

    /// Forgets the columns, because there is another result.
    pub(super) fn clear(&self) {
        self.inner.lock().columns.clear();
    }

    /// Takes in a plain reply, as [`Columns::learn`] does.
    pub(super) fn learn(
        self: &Arc<Self>,
        recorder: &Recorder,
        function: Function,
        question: &Question<'_>,
        replies: &[Reply],
    ) -> bool {
        let (learned, known) = {
            let mut inner = self.inner.lock();
            let address = std::ptr::from_ref(recorder).addr();
            self.news.store(true, Ordering::Relaxed);
            (inner.columns.learn(function, question, replies), std::mem::replace(&mut inner.known, address) == address)
        };
        if !known {
            let place: Weak<ColumnMetadata> = Arc::downgrade(self);
            recorder.gathering(place);
        }
        learned
    }
}

impl PendingColumns for ColumnMetadata {
    fn connection(&self) -> ConnectionId {
        self.inner.try_lock().and_then(|inner| Some(inner.of?.0)).unwrap_or(ConnectionId(u32::MAX))
    }

    fn take(&self) -> Option<(u32, Value)> {
        if !self.news.load(Ordering::Relaxed) {
            return None;
        }
        // At exit, another thread may have ended while it held the lock.
        let mut inner = self.inner.try_lock()?;
        let (_, id) = inner.of?;
        self.news.store(false, Ordering::Relaxed);
        Some((id, inner.columns.news()?))
    }
}

/// The answers that were recorded about a statement text.
#[derive(Default)]
pub(super) struct LastAnswers {
    answers: HashMap<String, Last>,
    /// For each column, the questions that its columns file answers.
    in_columns_file: Vec<Vec<InColumnsFile>>,
    /// Whether one of the answers is about the columns. Those are usually in a columns file.
    pub(super) columns: bool,
}

/// A question about a column that its columns file answers.
struct InColumnsFile {
    function: Function,
    field: Option<i64>,
    /// How often it was asked after the statement's first `commands` commands.
    given: u32,
    commands: u32,
}

/// The last answer to a question.
struct Last {
    answer: Fields,
    /// How often it was asked after the statement's first `commands` commands.
    given: u32,
    commands: u32,
}

impl LastAnswers {
    /// Forgets all answers, because there is another text.
    pub(super) fn clear(&mut self) {
        self.answers.clear();
        self.in_columns_file.clear();
        self.columns = false;
    }

    /// Notes a question that the columns file answers, after this many commands.
    pub(super) fn answered_by_columns_file(&mut self, function: Function, question: &Question<'_>, commands: u32) {
        let (column, field) = column_and_field(question);
        if self.in_columns_file.len() <= column {
            self.in_columns_file.resize_with(column + 1, Vec::new);
        }
        let questions = &mut self.in_columns_file[column];
        match questions.iter_mut().find(|question| question.function == function && question.field == field) {
            Some(known) if known.commands == commands => known.given += 1,
            Some(known) => (known.given, known.commands) = (1, commands),
            None => questions.push(InColumnsFile { function, field, given: 1, commands }),
        }
    }

    /// Returns how often the columns file answered a question since this many commands were done.
    pub(super) fn times_in_columns_file(&self, function: Function, question: &Question<'_>, commands: u32) -> u32 {
        let (column, field) = column_and_field(question);
        let same =
            |known: &&InColumnsFile| known.function == function && known.field == field && known.commands == commands;
        self.in_columns_file
            .get(column)
            .and_then(|questions| questions.iter().find(same))
            .map_or(0, |known| known.given)
    }

    /// Notes an answer, after this many commands, to a question that was answered `before` times since then. Returns
    /// `None` if the answer is the same as the last one; else how often the question was asked since the last command,
    /// and whether it had another answer before.
    pub(super) fn answered(
        &mut self,
        question: String,
        answer: &Fields,
        commands: u32,
        before: u32,
    ) -> Option<(u32, bool)> {
        let Some(last) = self.answers.get_mut(&question) else {
            self.answers.insert(question, Last { answer: answer.clone(), given: before + 1, commands });
            return Some((before, false));
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

/// Returns the column that a question is about (0 if there is none) and its field.
fn column_and_field(question: &Question<'_>) -> (usize, Option<i64>) {
    let column = question.int(Key::Column).and_then(|column| usize::try_from(column).ok());
    (column.unwrap_or(0), question.int(Key::Field))
}
