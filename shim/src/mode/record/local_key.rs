//! What identifies a call on the application's side in a cassette.

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

/// What identifies a local call on a statement, or on a descriptor by its name in the cassette.
pub(in crate::mode) fn local_key(function: Function, descriptor: Option<i64>, call: &Call<'_>) -> LocalKey {
    let mut key = LocalKey::with_capacity(6);
    key.push(("function", Value::from(function.name())));
    key.extend(descriptor.map(|descriptor| ("descriptor", Value::from(descriptor))));
    key.extend(inputs(call));
    key
}

fn inputs(call: &Call<'_>) -> LocalKey {
    match call {
        Call::SetStmtAttr { attribute, value } if is_address(*attribute) => {
            vec![
                ("attribute", Value::from(*attribute)),
                ("value", if value.is_null() { Value::Null } else { "address".into() }),
            ]
        }
        Call::SetStmtAttr { attribute, value } => {
            vec![("attribute", Value::from(*attribute)), ("value", Value::from(value.address() as isize))]
        }
        Call::BindColumn { column, binding } => {
            vec![("column", Value::from(*column)), ("c_type", Value::from(binding.c_type))]
        }
        Call::BindParameter { number, parameter, binding } => vec![
            ("parameter", Value::from(*number)),
            ("io", Value::from(parameter.io)),
            ("c_type", Value::from(binding.c_type)),
            ("sql_type", Value::from(parameter.sql_type)),
        ],
        Call::SetCursorName { name } => vec![("name", name.read().into())],
        Call::SetScrollOptions { concurrency, keyset, rowset } => {
            vec![
                ("concurrency", Value::from(*concurrency)),
                ("keyset", Value::from(*keyset)),
                ("rowset", Value::from(*rowset)),
            ]
        }
        Call::ParamOptions { rows, .. } => vec![("rows", Value::from(*rows))],
        Call::FreeStmt { option } => vec![("option", Value::from(*option))],
        Call::SetDescField { record, field, .. } => {
            vec![("record", Value::from(*record)), ("field", Value::from(*field))]
        }
        Call::Attach { role, descriptor } => {
            let number = descriptor.as_ref().map(|descriptor| descriptor.number);
            vec![("attribute", Value::from(role.attribute())), ("descriptor", number.into())]
        }
        Call::CopyDescriptor { source, .. } => vec![("source", Value::from(*source))],
        Call::SetDescRec { record, kind, .. } => vec![("record", Value::from(*record)), ("type", Value::from(*kind))],
        _ => Vec::new(),
    }
}
