//! What identifies a call on the application's side in a cassette.

use crate::call::Call;
use super8_cassette::Value;

/// The statement attributes whose values are addresses of this process.
fn is_address(attribute: i32) -> bool {
    matches!(crate::args::shape::statement(attribute), crate::args::shape::Shape::Address)
}

/// What identifies a local call whose outcome was not SQL_SUCCESS.
pub(in crate::mode) fn local_key(call: &Call<'_>) -> Vec<(String, Value)> {
    let pairs: Vec<(&str, Value)> = match call {
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
    };
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
