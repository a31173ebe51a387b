//! The keys that identify calls whose outcomes are kept as answers in a cassette, for both modes, and counts of how
//! often local calls went as usual.

use crate::call::{AttributeIn, Call, Question};
use crate::convert::CType;
use crate::convert::param::LeftOut;
use crate::table::Function;
use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::atomic::{AtomicU32, Ordering};
use super8_cassette::{ConnectionId, Fields, Key, Value};

/// Returns whether a statement attribute's value is an address of this process.
fn is_address(attribute: i32) -> bool {
    matches!(crate::args::shape::statement(attribute), crate::args::shape::Shape::Address)
}

/// A short key that tells calls apart while recording: quicker to make and to compare than its [`Fields`], and as
/// exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallKey {
    words: [u64; CallKey::ROOM],
    count: usize,
}

impl CallKey {
    const ROOM: usize = 9;

    /// Returns the key of these words.
    pub fn of<const N: usize>(words: [u64; N]) -> CallKey {
        const { assert!(N <= CallKey::ROOM) };
        words.into_iter().fold(CallKey::default(), CallKey::and)
    }

    /// Returns whether this is the key of a call on this descriptor of the application's.
    pub fn is_on_descriptor(&self, descriptor: i64) -> bool {
        const ON_DESCRIPTORS: [Function; 4] =
            [Function::SQLSetDescField, Function::SQLSetDescRec, Function::SQLCopyDesc, Function::SQLFreeHandle];
        self.words[1] == descriptor as u64 && ON_DESCRIPTORS.iter().any(|function| self.words[0] == *function as u64)
    }

    /// Adds a word to the key. When there is no room left, the words are replaced by their digest.
    fn and(mut self, word: u64) -> CallKey {
        if self.count == CallKey::ROOM {
            let bytes: Vec<u8> = self.words.iter().flat_map(|word| word.to_le_bytes()).collect();
            return CallKey::default().and_text(&bytes).and(word);
        }
        self.words[self.count] = word;
        self.count += 1;
        self
    }

    /// Adds the digest of a text to the key.
    pub fn and_text(self, text: &[u8]) -> CallKey {
        let digest = Sha256::digest(text);
        let word = |bytes: &[u8]| bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
        digest.chunks(8).map(word).fold(self, CallKey::and)
    }
}

impl Hash for CallKey {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.words[..self.count].iter().for_each(|word| hasher.write_u64(*word));
    }
}

/// Returns the key of a call without inputs.
pub fn function_key(function: Function) -> Fields {
    Fields::from([(Key::Function, Value::from(function.name()))])
}

/// Returns the key of a question for an address, which is answered from the application's side unless the driver
/// refuses it.
pub fn address_key(function: Function, question: &Question<'_>) -> Fields {
    let mut key = function_key(function);
    key.extend(question.inputs.iter().filter_map(|(name, _)| Some((*name, question.int(*name)?.into()))));
    key
}

/// Returns the short form of [`address_key`].
pub fn address_call(function: Function, question: &Question<'_>) -> CallKey {
    let inputs = question.inputs.iter().filter_map(|(name, _)| question.int(*name));
    inputs.fold(CallKey::of([function as u64]), |key, input| key.and(input as u64))
}

/// Returns the key of a local call on a statement, or on a descriptor by its name in the cassette.
pub fn local_key(function: Function, descriptor: Option<i64>, call: &Call<'_>) -> Fields {
    let mut key = function_key(function);
    key.extend(descriptor.map(|descriptor| (Key::Descriptor, Value::from(descriptor))));
    inputs(call, |name, input| {
        let value = match input {
            Input::Number(number) => number.into(),
            Input::Null => Value::Null,
            Input::Address => "address".into(),
            Input::Text(text) => text.into(),
        };
        key.push((name, value));
    });
    key
}

/// Returns the short form of [`local_key`].
pub fn local_call(function: Function, descriptor: Option<i64>, call: &Call<'_>) -> CallKey {
    let mut key = CallKey::of([function as u64, descriptor.map_or(0, |descriptor| descriptor as u64)]);
    // Tells which inputs are not numbers, two bits each.
    let mut kinds = 0;
    inputs(call, |_, input| {
        let kind = match input {
            Input::Number(number) => {
                key = key.and(number as u64);
                0
            }
            Input::Null => 1,
            Input::Address => 2,
            Input::Text(text) => {
                key = key.and_text(text.as_bytes());
                3
            }
        };
        kinds = kinds << 2 | kind;
    });
    key.and(kinds)
}

/// Returns the key of a disconnect that did not simply succeed. It belongs to this connection alone.
pub fn disconnect_key(connection: ConnectionId, attempt: u32) -> Fields {
    Fields::from([
        (Key::Function, Value::from("SQLDisconnect")),
        (Key::ConnectionId, Value::Text(connection.to_string())),
        (Key::Attempt, Value::from(attempt + 1)),
    ])
}

/// Returns the key of an allocation.
pub fn allocate_key(kind: i16) -> Fields {
    Fields::from([(Key::Function, Value::from("SQLAllocHandle")), (Key::Kind, Value::from(kind))])
}

/// Returns the key of setting an attribute that does not reach the database.
pub fn attribute_key(attribute: i32, value: Value) -> Fields {
    let function = Function::SQLSetConnectAttr.name();
    Fields::from([
        (Key::Function, Value::from(function)),
        (Key::Attribute, Value::from(attribute)),
        (Key::Value, value),
    ])
}

/// Returns the short form of [`attribute_key`].
pub fn attribute_call(attribute: i32, value: &Value) -> CallKey {
    CallKey::of([Function::SQLSetConnectAttr as u64, attribute as u64]).and_text(format!("{value:?}").as_bytes())
}

/// Returns the cassette name of a connection attribute that reaches the database; such attributes are recorded and
/// verified in order. `None` for all others.
pub fn reaches_database(attribute: i32) -> Option<&'static str> {
    match attribute {
        101 => Some("access_mode"),
        102 => Some("autocommit"),
        108 => Some("txn_isolation"),
        109 => Some("current_catalog"),
        10004 => Some("current_schema"),
        _ => None,
    }
}

/// Returns the value of an attribute as the cassette has it.
pub fn attribute_value(value: &AttributeIn<'_>) -> Value {
    match value {
        AttributeIn::Number(number) => Value::from(*number),
        AttributeIn::Text(text) => text.read().map_or(Value::Null, Value::Text),
        AttributeIn::Address => "address".into(),
    }
}

/// Returns the key of a close or cancel that did not simply succeed: the statement's n-th.
pub fn ending_key(function: Function, call: u32) -> Fields {
    Fields::from([(Key::Function, Value::from(function.name())), (Key::Call, Value::from(call))])
}

/// Returns the key of an SQLPutData that did not simply succeed: the statement's n-th.
pub fn put_data_key(connection: ConnectionId, statement: Option<u32>, call: u32) -> Fields {
    Fields::from([
        (Key::Function, Value::from("SQLPutData")),
        (Key::ConnectionId, Value::Text(connection.to_string())),
        (Key::StatementId, statement.into()),
        (Key::Call, Value::from(call)),
    ])
}

/// Returns the key of an execution that asked for none of its data at execution: the statement's n-th.
pub fn at_once_key(connection: ConnectionId, statement: Option<u32>, execution: u32) -> Fields {
    Fields::from([
        (Key::About, Value::from("data_not_asked_for")),
        (Key::ConnectionId, Value::Text(connection.to_string())),
        (Key::StatementId, statement.into()),
        (Key::Execution, Value::from(execution)),
    ])
}

/// Returns the key of whether SQLParamData hands out tokens as they were bound, for every set of an array.
pub fn token_key() -> Fields {
    Fields::from([(Key::Function, "SQLParamData".into()), (Key::About, "token_as_bound".into())])
}

/// Returns the key of the counter of processed sets as it stood when data was asked for: in the statement's n-th
/// execution with data at execution, after `step` calls of SQLParamData.
pub fn need_data_key(connection: ConnectionId, statement: Option<u32>, execution: u32, step: u32) -> Fields {
    Fields::from([
        (Key::About, Value::from("params_processed")),
        (Key::ConnectionId, Value::Text(connection.to_string())),
        (Key::StatementId, statement.into()),
        (Key::Execution, Value::from(execution)),
        (Key::Step, Value::from(step)),
    ])
}

/// Returns the key of whether a driver leaves a buffer bound where ODBC unbinds it.
pub fn keeps_buffer_key(field: i16) -> Fields {
    Fields::from([
        (Key::Function, "SQLSetDescField".into()),
        (Key::About, "keeps_buffer".into()),
        (Key::Field, field.into()),
    ])
}

/// Returns the key of what a fetching function does with the row counter or the row states.
pub fn row_counter_key(function: Function, name: &'static str) -> Fields {
    Fields::from([(Key::Function, function.name().into()), (Key::About, name.into())])
}

/// Returns the key of the number of a result's columns, noted where buffers are bound beyond them.
pub fn columns_key() -> Fields {
    Fields::from([(Key::About, Value::from("bound_beyond"))])
}

/// Returns the key of whether a driver writes a column's length variable when it is bound.
pub fn length_at_binding_key() -> Fields {
    Fields::from([(Key::Function, Function::SQLBindCol.name().into()), (Key::About, "length_at_binding".into())])
}

/// Returns the key of whether a driver has one setting for SQL_ROWSET_SIZE and SQL_ATTR_ROW_ARRAY_SIZE.
pub fn rowset_size_key() -> Fields {
    Fields::from([
        (Key::Function, Function::SQLSetStmtAttr.name().into()),
        (Key::About, "rowset_size_is_shared".into()),
    ])
}

/// Returns the key of whether a driver writes zeros to the buffer of a NULL of this C type.
pub fn null_key(c_type: CType) -> Fields {
    Fields::from([(Key::About, "null_is_zero".into()), (Key::CType, (*c_type.name()).into())])
}

/// What identifies that a driver does not read this part of a structure.
pub fn left_out_key(part: LeftOut) -> Fields {
    Fields::from([(Key::About, Value::from(part.about()))])
}

/// The arguments of a call, as they identify its outcome.
enum Input {
    Number(i64),
    Null,
    Address,
    Text(String),
}

impl Input {
    fn number(number: Option<u32>) -> Input {
        number.map_or(Input::Null, |number| Input::Number(number.into()))
    }
}

/// Gives `take` the inputs that identify a call, six at most.
#[inline]
fn inputs(call: &Call<'_>, mut take: impl FnMut(Key, Input)) {
    let mut number = |name, number: i64| take(name, Input::Number(number));
    match call {
        Call::SetStmtAttr { attribute, value } => {
            number(Key::Attribute, (*attribute).into());
            let value = match is_address(*attribute) {
                true if value.is_null() => Input::Null,
                true => Input::Address,
                false => Input::Number(value.address() as i64),
            };
            take(Key::Value, value);
        }
        Call::BindColumn { column, binding } => {
            number(Key::Column, (*column).into());
            number(Key::CType, binding.c_type.into());
        }
        Call::BindParameter { number: parameter, parameter: of, binding } => {
            number(Key::Parameter, (*parameter).into());
            number(Key::Io, of.io.into());
            number(Key::CType, binding.c_type.into());
            number(Key::SqlType, of.sql_type.into());
        }
        Call::SetCursorName { name } => take(Key::Name, name.read().map_or(Input::Null, Input::Text)),
        Call::SetScrollOptions { concurrency, keyset, rowset } => {
            number(Key::Concurrency, (*concurrency).into());
            number(Key::Keyset, *keyset as i64);
            number(Key::Rowset, (*rowset).into());
        }
        Call::ParamOptions { rows, .. } => number(Key::Rows, *rows as i64),
        Call::FreeStmt { option } => number(Key::Option, (*option).into()),
        Call::SetDescField { record, field, .. } => {
            number(Key::Record, (*record).into());
            number(Key::Field, (*field).into());
        }
        Call::Attach { role, descriptor } => {
            number(Key::Attribute, role.attribute().into());
            take(Key::Descriptor, Input::number(descriptor.as_ref().map(|descriptor| descriptor.number)));
        }
        Call::CopyDescriptor { source, .. } => number(Key::Source, *source),
        Call::SetDescRec { record, kind, .. } => {
            number(Key::Record, (*record).into());
            number(Key::Type, (*kind).into());
        }
        _ => {}
    }
}

// A recorded connection counts the calls that went as usual and that nobody needs to write down, so that one which goes
// otherwise later is recorded in its place. Such calls come with every statement, so the usual case costs a few words
// and an entry in a map: no allocation, and no lock but the connection's own.

/// A quick hasher for the few words of a key. Collisions do no harm, because the map compares keys.
#[derive(Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64((*byte).into()));
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}

/// When calls went as usual.
#[derive(Default)]
pub(super) struct LocalOutcomes {
    /// How many commands the connection has had.
    commands: AtomicU32,
    calls: Mutex<HashMap<CallKey, Times, BuildHasherDefault<KeyHasher>>>,
}

/// How often a call went as usual since `commands` commands were done.
#[derive(Clone, Copy, Default)]
struct Times {
    commands: u32,
    given: u32,
}

impl LocalOutcomes {
    /// Forgets all calls.
    pub(super) fn forget(&self) {
        if let Some(mut calls) = self.calls.try_lock() {
            calls.clear();
        }
    }

    /// Forgets the calls on a descriptor, whose number is not given again.
    pub(super) fn forget_descriptor(&self, descriptor: i64) {
        self.calls.lock().retain(|call, _| !call.is_on_descriptor(descriptor));
    }

    /// Counts a command of the connection.
    pub(super) fn commanded(&self) {
        self.commands.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a call that went as usual.
    #[inline]
    pub(super) fn went(&self, call: CallKey) {
        let commands = self.commands.load(Ordering::Relaxed);
        let mut calls = self.calls.lock();
        let times = calls.entry(call).or_default();
        *times = match times.commands == commands {
            true => Times { commands, given: times.given + 1 },
            false => Times { commands, given: 1 },
        };
    }

    /// Returns how often the call went as usual since the last command; `None` if it never did.
    pub(super) fn times(&self, call: &CallKey) -> Option<u32> {
        let commands = self.commands.load(Ordering::Relaxed);
        let times = self.calls.lock().get(call).copied()?;
        Some(if times.commands == commands { times.given } else { 0 })
    }
}
