//! Writes the timeline as JSON: one object with the metadata and a list of entries, each written as it is read.

use super::timeline::{Shown, Step, Timeline};
use crate::exit::Failure;
use serde_json::{Map, Value as Json, json};
use std::io::Write;
use super8_cassette::{Metadata, Value};

/// Writes the object.
///
/// # Errors
/// The cassette cannot be read, or standard output cannot be written.
pub fn write(out: &mut dyn Write, name: &str, metadata: &Metadata, timeline: &Timeline<'_>) -> Result<(), Failure> {
    let head = json!({ "cassette": name, "metadata": json(&metadata.to_value()) });
    let head = head.to_string();
    // Without the closing brace, because the entries follow.
    write!(out, "{},\"entries\":[", &head[..head.len() - 1])?;
    let mut comma = "";
    timeline.steps(&mut |step| {
        write!(out, "{comma}\n{}", entry(step))?;
        comma = ",";
        Ok(())
    })?;
    Ok(writeln!(out, "\n]}}")?)
}

fn entry(step: &Step) -> Json {
    let mut map = Map::new();
    map.insert("line".into(), step.line.into());
    map.insert("number".into(), step.number.into());
    map.insert("method".into(), step.entry.method.name().into());
    map.insert("connection_id".into(), step.entry.connection.to_string().into());
    map.insert("statement_id".into(), step.entry.statement.into());
    for (key, value) in &step.entry.fields {
        map.insert(key.to_string(), json(value));
    }
    if let Some(rows) = &step.rows {
        let cell = |cell: &Shown| match cell {
            Shown::Null => Json::Null,
            Shown::Unread => json!({ "read": false }),
            Shown::Value(text) => text.as_str().into(),
            Shown::Cut(text, total) => json!({ "text": text, "total": total }),
        };
        let first: Vec<Vec<Json>> = rows.first.iter().map(|row| row.iter().map(cell).collect()).collect();
        map.insert("row_count".into(), rows.count.into());
        map.insert("columns".into(), json!(rows.columns));
        map.insert("first_rows".into(), json!(first));
    }
    Json::Object(map)
}

/// Converts a cassette's value. A number that JSON readers would round becomes text.
pub fn json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(flag) => (*flag).into(),
        Value::Int(number) => match (i64::try_from(*number), u64::try_from(*number)) {
            (Ok(number), _) => number.into(),
            (_, Ok(number)) => number.into(),
            _ => number.to_string().into(),
        },
        Value::Float(number) => {
            serde_json::Number::from_f64(*number).map_or_else(|| number.to_string().into(), Json::Number)
        }
        Value::Text(text) => text.as_str().into(),
        Value::List(items) => items.iter().map(json).collect(),
        Value::Map(pairs) => Json::Object(pairs.iter().map(|(key, value)| (key.clone(), json(value))).collect()),
    }
}
