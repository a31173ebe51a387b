//! What identifies a call on the application's side in a cassette.

use super::usual::sum;
use crate::call::{Call, Question};
use crate::table::Function;
use super8_cassette::Value;

/// The statement attributes whose values are addresses of this process.
fn is_address(attribute: i32) -> bool {
    matches!(crate::args::shape::statement(attribute), crate::args::shape::Shape::Address)
}

/// The key of a call.
pub(in crate::mode) type LocalKey = Vec<(&'static str, Value)>;

/// A key as the fields of an entry.
pub(in crate::mode) fn entry_fields(key: &[(&'static str, Value)]) -> Vec<(String, Value)> {
    key.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

/// What identifies a call of this function that has no inputs.
pub(in crate::mode) fn function_key(function: Function) -> LocalKey {
    vec![("function", Value::from(function.name()))]
}

/// What identifies a question for an address, which is answered from the application's side unless the driver refuses it.
pub(in crate::mode) fn address_key(function: Function, question: &Question<'_>) -> LocalKey {
    let mut key = function_key(function);
    key.extend(question.inputs.iter().filter_map(|(name, _)| Some((*name, question.int(name)?.into()))));
    key
}

/// The sum of the same.
pub(super) fn address_sum(function: Function, question: &Question<'_>) -> u64 {
    let inputs = question.inputs.iter().map(|(name, _)| question.int(name).unwrap_or_default() as u64);
    sum(std::iter::once(function as u64).chain(inputs))
}

/// What identifies a local call on a statement, or on a descriptor by its name in the cassette.
pub(in crate::mode) fn local_key(function: Function, descriptor: Option<i64>, call: &Call<'_>) -> LocalKey {
    let mut key = function_key(function);
    key.extend(descriptor.map(|descriptor| ("descriptor", Value::from(descriptor))));
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

/// The sum of the same.
pub(super) fn local_sum(function: Function, descriptor: Option<i64>, call: &Call<'_>) -> u64 {
    let mut words = [0; 8];
    (words[0], words[1]) = (function as u64, descriptor.map_or(0, |descriptor| descriptor as u64));
    let mut at = 2;
    inputs(call, |_, input| {
        words[at] = match input {
            Input::Number(number) => number as u64,
            Input::Null => 1 << 33,
            Input::Address => 1 << 34,
            Input::Text(text) => sum(text.bytes().map(u64::from)),
        };
        at += 1;
    });
    sum(words)
}

/// What a call was given.
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

/// Six of them at most.
#[inline]
fn inputs(call: &Call<'_>, mut take: impl FnMut(&'static str, Input)) {
    let mut number = |name, number: i64| take(name, Input::Number(number));
    match call {
        Call::SetStmtAttr { attribute, value } => {
            number("attribute", (*attribute).into());
            let value = match is_address(*attribute) {
                true if value.is_null() => Input::Null,
                true => Input::Address,
                false => Input::Number(value.address() as i64),
            };
            take("value", value);
        }
        Call::BindColumn { column, binding } => {
            number("column", (*column).into());
            number("c_type", binding.c_type.into());
        }
        Call::BindParameter { number: parameter, parameter: of, binding } => {
            number("parameter", (*parameter).into());
            number("io", of.io.into());
            number("c_type", binding.c_type.into());
            number("sql_type", of.sql_type.into());
        }
        Call::SetCursorName { name } => take("name", name.read().map_or(Input::Null, Input::Text)),
        Call::SetScrollOptions { concurrency, keyset, rowset } => {
            number("concurrency", (*concurrency).into());
            number("keyset", *keyset as i64);
            number("rowset", (*rowset).into());
        }
        Call::ParamOptions { rows, .. } => number("rows", *rows as i64),
        Call::FreeStmt { option } => number("option", (*option).into()),
        Call::SetDescField { record, field, .. } => {
            number("record", (*record).into());
            number("field", (*field).into());
        }
        Call::Attach { role, descriptor } => {
            number("attribute", role.attribute().into());
            take("descriptor", Input::number(descriptor.as_ref().map(|descriptor| descriptor.number)));
        }
        Call::CopyDescriptor { source, .. } => number("source", *source),
        Call::SetDescRec { record, kind, .. } => {
            number("record", (*record).into());
            number("type", (*kind).into());
        }
        _ => {}
    }
}
