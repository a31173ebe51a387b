//! An entry in words: what was asked, and what came of it.

use super::timeline::{Rows, Shown, Step};
use super8_cassette::summary::{one_line, show};
use super8_cassette::{Entry, Method, REPLY, Value};

/// Bytes of one value.
const VALUE: usize = 400;

/// What was asked, on one line.
pub fn asked(entry: &Entry) -> String {
    match asked_apart(entry) {
        (text, None) => text,
        (text, Some(parameters)) if text.is_empty() => parameters,
        (text, Some(parameters)) => format!("{text}  {parameters}"),
    }
}

/// The same with the parameters by themselves.
pub fn asked_apart(entry: &Entry) -> (String, Option<String>) {
    let parameters = match entry.method {
        Method::Run | Method::Prepare | Method::Execute => parameters(entry),
        _ => None,
    };
    (asked_for(entry), parameters)
}

fn asked_for(entry: &Entry) -> String {
    let text = |key: &str| entry.get(key).and_then(Value::as_text);
    let shown = |key: &str| entry.get(key).map(|value| show(value, VALUE));
    match entry.method {
        Method::Connect => one_line(text("dsn").or_else(|| text("driver")).unwrap_or_default()),
        Method::Run | Method::Prepare => one_line(text("sql").unwrap_or_default()),
        Method::Execute => String::new(),
        Method::Catalog => match shown("arguments") {
            Some(arguments) => format!("{} {arguments}", one_line(text("function").unwrap_or_default())),
            None => one_line(text("function").unwrap_or_default()),
        },
        Method::SetConnectAttr => {
            format!("{} = {}", one_line(text("attribute").unwrap_or_default()), shown("value").unwrap_or_default())
        }
        Method::Columns | Method::FetchAll | Method::FetchMany => String::new(),
        Method::Answer => one_line(text("function").unwrap_or_default()),
        _ => {
            let inputs = entry.fields.iter().filter(|(key, _)| !is_outcome(key));
            inputs
                .map(|(key, value)| format!("{} {}", one_line(key), show(value, VALUE)))
                .collect::<Vec<_>>()
                .join(", ")
        }
    }
}

fn parameters(entry: &Entry) -> Option<String> {
    let file = entry.get("params_file").and_then(Value::as_text).map(one_line);
    entry.get("params").map(|params| show(params, VALUE)).or(file)
}

/// Keys that say what came of a command, or how its rows were read.
pub fn is_outcome(key: &str) -> bool {
    REPLY.contains(&key)
}

/// What came of it, in a few words: nothing where there is nothing to say.
pub fn outcome(step: &Step) -> String {
    let Step { entry, rows, .. } = step;
    if let Some(trouble) = trouble(entry) {
        return trouble;
    }
    match (entry.method, rows) {
        (Method::Fetch, Some(rows)) => rows.first.first().map(|row| row_words(row)).unwrap_or_default(),
        (Method::Fetch | Method::FetchScroll, None) => "no more rows".to_owned(),
        (Method::FetchAll, Some(rows)) => format!("all {}", counted(rows)),
        (_, Some(rows)) => counted(rows),
        (Method::MoreResults, None) => match entry.get("result") {
            Some(Value::Bool(true)) => "another result".to_owned(),
            _ => "no more results".to_owned(),
        },
        (Method::Connect, None) => match entry.get("result").and_then(|result| result.get("database")) {
            Some(database) => format!("database {}", one_line(database.as_text().unwrap_or_default())),
            None => String::new(),
        },
        (Method::Columns, None) => one_line(entry.get("columns_file").and_then(Value::as_text).unwrap_or_default()),
        (method, None) if method.class() != super8_cassette::entry::Class::Housekeeping => match entry.get("result") {
            None | Some(Value::Null) => String::new(),
            Some(result) => show(result, VALUE),
        },
        _ => String::new(),
    }
}

fn counted(rows: &Rows) -> String {
    if rows.count == 1 { "1 row".to_owned() } else { format!("{} rows", rows.count) }
}

/// The return code and the first diagnostic, if it was not a success.
pub fn trouble(entry: &Entry) -> Option<String> {
    let code = entry.get("return").and_then(Value::as_text)?;
    let first = entry.get("diagnostics").and_then(Value::as_list).and_then(<[Value]>::first);
    let text = |key: &str| first.and_then(|first| first.get(key)).and_then(Value::as_text).unwrap_or_default();
    Some(one_line(&format!("{code} {} {}", text("sqlstate"), text("message"))))
}

/// Whether it failed, as opposed to a success with information or no data.
pub fn failed(entry: &Entry) -> bool {
    matches!(entry.get("return").and_then(Value::as_text), Some("SQL_ERROR" | "SQL_INVALID_HANDLE"))
}

/// A row on one line.
pub fn row_words(row: &[Shown]) -> String {
    let word = |cell: &Shown| match cell {
        Shown::Null => "NULL".to_owned(),
        Shown::Unread => "-".to_owned(),
        Shown::Value(text) => super8_cassette::summary::cut(&one_line(text), VALUE),
        Shown::Cut(text, total) => format!("{}...(of {total})", super8_cassette::summary::cut(&one_line(text), VALUE)),
    };
    row.iter().map(word).collect::<Vec<_>>().join(" | ")
}
