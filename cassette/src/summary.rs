//! Describes entries and values in a few words for people, on one line and with ASCII dots, for the buffers of drivers
//! and for terminals.

use crate::text::{cut, floor, one_line};
use crate::{Entry, Key, Method, Value};

/// Describes an entry in at most `max` bytes: `run "SELECT 1"`.
pub fn summary(entry: &Entry, max: usize) -> String {
    let name = entry.method.name();
    let room = max.saturating_sub(name.len() + 1);
    let detail = match entry.method {
        Method::Run | Method::Prepare => entry.get(Key::Sql).map_or_else(String::new, |sql| show(sql, room)),
        Method::Execute => parameters(entry, room).unwrap_or_default(),
        Method::Connect => {
            Some(asked(entry, room)).filter(|to| !to.is_empty()).map_or_else(String::new, |to| format!("to {to}"))
        }
        _ => asked(entry, room),
    };
    let detail = if detail.is_empty() { detail } else { format!(" {detail}") };
    cut(&format!("{name}{detail}"), max)
}

/// Describes what an entry asks for, without its method and parameters, in at most `max` bytes: `SELECT 1`, `SQLTables`.
pub fn asked(entry: &Entry, max: usize) -> String {
    let text = |key: Key| entry.get(key).and_then(Value::as_text).map(|text| head_line(text, max)).unwrap_or_default();
    let value = |key: Key| entry.get(key).map(|value| show(value, max));
    let asked = match entry.method {
        Method::Connect if entry.get(Key::Dsn).is_none() => text(Key::Driver),
        Method::Connect => text(Key::Dsn),
        Method::Run | Method::Prepare => text(Key::Sql),
        Method::Catalog => {
            let arguments = value(Key::Arguments).map_or_else(String::new, |arguments| format!(" {arguments}"));
            text(Key::Function) + &arguments
        }
        Method::Answer => text(Key::Function),
        Method::Execute | Method::Columns | Method::FetchAll | Method::FetchMany => String::new(),
        Method::FetchScroll => {
            let to = value(Key::Offset).or_else(|| value(Key::Bookmark));
            let to = text(Key::Orientation) + &to.map_or_else(String::new, |to| format!(" {to}"));
            with_inputs(to, entry, &[Key::Orientation, Key::Offset, Key::Bookmark], max)
        }
        Method::SetPos | Method::BulkOperations => {
            let operation =
                text(Key::Operation) + &value(Key::Row).map_or_else(String::new, |row| format!(" row {row}"));
            with_inputs(operation, entry, &[Key::Operation, Key::Row], max)
        }
        Method::ParamData => value(Key::Parameter).unwrap_or_default(),
        Method::SetConnectAttr => {
            text(Key::Attribute) + &value(Key::Value).map_or_else(String::new, |value| format!(" = {value}"))
        }
        _ => with_inputs(String::new(), entry, &[], max),
    };
    cut(&asked, max)
}

/// Adds to the text so far the inputs of an entry that are not in `shown`.
fn with_inputs(so_far: String, entry: &Entry, shown: &[Key], max: usize) -> String {
    let inputs = entry.fields.iter().filter(|(key, _)| !key.is_reply() && *key != Key::Keep && !shown.contains(key));
    let inputs = inputs.map(|(key, value)| format!("{} {}", key.name(), show(value, max)));
    Some(so_far).filter(|so_far| !so_far.is_empty()).into_iter().chain(inputs).collect::<Vec<_>>().join(", ")
}

/// Describes the parameters of an execution, or names the file that has them, in at most `max` bytes.
pub fn parameters(entry: &Entry, max: usize) -> Option<String> {
    let file = entry.get(Key::ParamsFile).and_then(Value::as_text).map(one_line);
    entry.get(Key::Params).map(|params| show(params, max)).or(file)
}

/// Returns the beginning of a text on one line, no more than can be shown in `max` bytes. A statement may be megabytes long.
fn head_line(text: &str, max: usize) -> String {
    let head = &text[..floor(text, max.saturating_mul(4))];
    let line = one_line(head);
    if head.len() < text.len() { line + "..." } else { line }
}

/// Quotes a text on one line, in at most `max` bytes.
fn quoted(text: &str, max: usize) -> String {
    format!("\"{}\"", cut(&head_line(text, max), max.saturating_sub(2)))
}

/// Describes a value in at most `max` bytes.
pub fn show(value: &Value, max: usize) -> String {
    match value {
        Value::Text(text) => quoted(text, max),
        other => {
            let mut out = String::new();
            write(other, &mut out, max);
            cut(&out, max)
        }
    }
}

/// Writes as much of a value as will be shown.
fn write(value: &Value, out: &mut String, max: usize) {
    if out.len() > max {
        return;
    }
    match value {
        Value::Null => out.push_str("NULL"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Int(number) => out.push_str(&number.to_string()),
        Value::Float(number) => out.push_str(&format!("{number:?}")),
        Value::Text(text) => out.push_str(&quoted(text, max)),
        Value::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                write(item, out, max);
                if out.len() > max {
                    return;
                }
            }
            out.push(']');
        }
        Value::Map(pairs) => {
            out.push('{');
            for (at, (key, item)) in pairs.iter().enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                out.push_str(&format!("{}: ", cut(key, 40)));
                write(item, out, max);
                if out.len() > max {
                    return;
                }
            }
            out.push('}');
        }
    }
}

/// Shows two values side by side, each in at most `max` bytes. Long texts are cut around the first difference. The
/// number returned is that of the first differing character, from 1.
pub fn contrast(recorded: &str, asked: &str, max: usize) -> (usize, String, String) {
    let same = recorded.bytes().zip(asked.bytes()).take_while(|(left, right)| left == right).count();
    let same = floor(recorded, same).min(floor(asked, same));
    let around = |text: &str| {
        let from = floor(text, same.saturating_sub(max / 3));
        let to = floor(text, from + max.saturating_sub(8));
        let (before, after) = (if from > 0 { "..." } else { "" }, if to < text.len() { "..." } else { "" });
        // show line breaks: a difference may consist of one
        let part: String = text[from..to].chars().flat_map(visible).collect();
        let part = &part[..floor(&part, max.saturating_sub(8))];
        format!("\"{before}{part}{after}\"")
    };
    (recorded[..same].chars().count() + 1, around(recorded), around(asked))
}

fn visible(character: char) -> impl Iterator<Item = char> {
    let escape = matches!(character, '\n' | '\r' | '\t') || character.is_control();
    let (escaped, plain) = if escape { (Some(character.escape_default()), None) } else { (None, Some(character)) };
    escaped.into_iter().flatten().chain(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ConnectionId;

    #[test]
    fn tells_entries_in_a_few_words() {
        let entry = |method, key: Key, value: Value| Entry::new(method, ConnectionId(0), Some(1)).with(key, value);
        let sql = Value::from("SELECT *\n  FROM t");
        assert_eq!(summary(&entry(Method::Run, Key::Sql, sql), 100), "run \"SELECT * FROM t\"");
        let params = Value::from(vec![Value::Int(1), Value::Null, Value::from("x"), Value::Float(1.5)]);
        assert_eq!(summary(&entry(Method::Execute, Key::Params, params), 100), "execute [1, NULL, \"x\", 1.5]");
        assert_eq!(summary(&entry(Method::Catalog, Key::Function, "SQLTables".into()), 100), "catalog SQLTables");
        let update = entry(Method::SetPos, Key::Operation, "update".into())
            .with(Key::Row, 2)
            .with(Key::RowStatus, 1)
            .with(Key::Lock, 0);
        assert_eq!(summary(&update, 100), "set_pos update row 2, lock 0");
        assert_eq!(asked(&update, 12), "update ro...");
        let long = summary(&entry(Method::Run, Key::Sql, "x".repeat(1_000_000).into()), 50);
        assert!(long.len() <= 50 && long.starts_with("run \"xxx"), "{long}");
    }

    #[test]
    fn shows_the_difference_of_long_texts() {
        let text = |word: &str| format!("{} {word} {}", "a".repeat(1000), "b".repeat(1000));
        let (at, recorded, asked) = contrast(&text("left"), &text("right"), 60);
        assert_eq!(at, 1002);
        assert!(recorded.len() <= 60 && recorded.contains("left"), "{recorded}");
        assert!(asked.len() <= 60 && asked.contains("right"), "{asked}");
        assert_eq!(contrast("äa", "äb", 60), (2, "\"äa\"".to_owned(), "\"äb\"".to_owned()));
        assert_eq!(contrast("ä", "ö", 60).0, 1, "they share a byte, but no character");
        assert_eq!(contrast("a\nb", "a b", 60).1, "\"a\\nb\"");
    }
}
