//! What a connect says about itself: whose facts it shares, whether it succeeded, whether a replayed one agrees with it.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::{Entry, Value};

/// Tells connects apart that may get different replies: data source or driver, and the connection string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Identity(u64);

/// The identity of a connect entry.
pub(crate) fn identity(entry: &Entry) -> Identity {
    let mut hasher = DefaultHasher::new();
    for key in ["dsn", "driver", "connection_string"] {
        entry.get(key).map(|value| format!("{value:?}")).hash(&mut hasher);
    }
    Identity(hasher.finish())
}

/// Whether a recorded entry reports success, with or without information.
pub(crate) fn succeeded(entry: &Entry) -> bool {
    match entry.get("return") {
        None | Some(Value::Null) => true,
        Some(Value::Int(code)) => matches!(code, 0 | 1),
        Some(Value::Text(name)) => matches!(name.as_str(), "SQL_SUCCESS" | "SQL_SUCCESS_WITH_INFO"),
        Some(_) => false,
    }
}

/// The keys of an entry that were replied, not asked: what matching leaves out and replay hands out.
pub const REPLY: &[&str] = &[
    "result",
    "output",
    "return",
    "diagnostics",
    "completed",
    "params_processed",
    "param_status",
    "columns_file",
    "rows_file",
    "rows",
    "written",
    "rows_fetched",
    "row_status",
    "extended_status",
    "c_types",
    "bookmarks",
    "outcomes",
    "calls",
];

/// A sum of a question's key, cheap enough for calls that are made for every statement.
pub(crate) fn sum_of_key(key: &[(&str, Value)]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for (name, value) in key {
        name.hash(&mut hasher);
        value.sum(&mut hasher);
    }
    hasher.finish()
}

/// What was asked, of an answer that is a map.
pub(crate) fn question(answer: &Value) -> Value {
    match answer {
        Value::Map(pairs) => Value::Map(pairs.iter().filter(|(key, _)| !REPLY.contains(&&**key)).cloned().collect()),
        other => other.clone(),
    }
}
