//! Writes cassette values as YAML, in one form for each value, so that the same session gives the same bytes.
//!
//! Maps and lists of maps go over lines, indented by two. Lists of scalars stay on one line, `[1, "x", null]`, and so
//! do their small typed members, `{c_type: DATE, value: "2001-01-01"}`. Text of several lines is a literal block.

use super::scalar::{literal_header, push_int, push_text};
use crate::value::float_text;
use crate::{ConnectionId, Entry, Fields, Key, Value};

/// The longest key that is written `key: value`. YAML allows 1,024 characters, including quotes and escapes.
const LONGEST_SIMPLE_KEY: usize = 160;

/// Appends one item of the log: `- method: run`, and the other keys on lines of their own.
pub fn emit_entry(entry: &Entry, out: &mut Vec<u8>) {
    out.extend_from_slice(b"- method: ");
    // the name of every method is a plain word
    out.extend_from_slice(entry.method.name().as_bytes());
    out.extend_from_slice(b"\n  connection_id: ");
    push_connection(entry.connection, out);
    if let Some(statement) = entry.statement {
        out.extend_from_slice(b"\n  statement_id: ");
        push_int(i128::from(statement), out);
    }
    out.push(b'\n');
    emit_fields(&entry.fields, out);
}

/// Appends the fields of an item of the log, behind its leading keys.
pub(super) fn emit_fields(fields: &Fields, out: &mut Vec<u8>) {
    for (key, value) in fields {
        push_indent(2, out);
        push_field(*key, value, 2, out);
    }
}

/// Appends an answer about a connection as an item of its info file.
pub fn emit_answer(answer: &Fields, out: &mut Vec<u8>) {
    if answer.is_empty() {
        out.extend_from_slice(b"- {}\n");
    }
    for (number, (key, value)) in answer.iter().enumerate() {
        out.extend_from_slice(if number == 0 { b"- " } else { b"  " });
        push_field(*key, value, 2, out);
    }
}

fn push_field(key: Key, value: &Value, indent: usize, out: &mut Vec<u8>) {
    match key {
        // YAML 1.1 reads this one as `false`
        Key::N => out.extend_from_slice(b"\"n\""),
        plain => out.extend_from_slice(plain.name().as_bytes()),
    }
    push_value(value, indent, out);
}

fn push_connection(connection: ConnectionId, out: &mut Vec<u8>) {
    match u8::try_from(connection.0) {
        // `y` and `n` are no plain words
        Ok(letter @ 0..26) if !matches!(b'a' + letter, b'y' | b'n') => out.push(b'a' + letter),
        _ => push_text(&connection.to_string(), out),
    }
}

/// Appends any map as one item of a list, as info files have them.
pub fn emit_item(map: &Value, out: &mut Vec<u8>) {
    out.extend_from_slice(b"- ");
    push_element(map, 2, out);
}

/// Appends a whole small file: a map, or a list with each element on lines of its own.
pub fn emit_document(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::List(items) if !items.is_empty() => items.iter().for_each(|item| emit_item(item, out)),
        Value::Map(pairs) if !pairs.is_empty() => push_map(pairs, 0, out),
        scalar => {
            push_flow(scalar, out);
            out.push(b'\n');
        }
    }
}

fn push_indent(indent: usize, out: &mut Vec<u8>) {
    out.resize(out.len() + indent, b' ');
}

/// Appends the pairs of a map: the first where `out` stands, each further one on a line of its own at `indent`.
fn push_map(pairs: &[(String, Value)], indent: usize, out: &mut Vec<u8>) {
    for (number, (key, value)) in pairs.iter().enumerate() {
        if number > 0 {
            push_indent(indent, out);
        }
        push_pair(key, value, indent, out);
    }
}

/// Appends the elements of a list: the first where `out` stands, each further one on a line of its own at `indent`.
fn push_list(items: &[Value], indent: usize, out: &mut Vec<u8>) {
    for (number, item) in items.iter().enumerate() {
        if number > 0 {
            push_indent(indent, out);
        }
        out.extend_from_slice(b"- ");
        push_element(item, indent + 2, out);
    }
}

/// Appends `key: value`, where the key stands at `indent`.
fn push_pair(key: &str, value: &Value, indent: usize, out: &mut Vec<u8>) {
    if key.len() > LONGEST_SIMPLE_KEY {
        out.extend_from_slice(b"? ");
        push_text(key, out);
        out.push(b'\n');
        push_indent(indent, out);
    } else {
        push_text(key, out);
    }
    push_value(value, indent, out);
}

/// Appends `: value` behind a key that stands at `indent`.
fn push_value(value: &Value, indent: usize, out: &mut Vec<u8>) {
    out.push(b':');
    match value {
        Value::List(items) if !fits_a_line(value) => {
            out.push(b'\n');
            push_indent(indent + 2, out);
            push_list(items, indent + 2, out);
        }
        Value::Map(pairs) if !pairs.is_empty() => {
            out.push(b'\n');
            push_indent(indent + 2, out);
            push_map(pairs, indent + 2, out);
        }
        short => {
            out.push(b' ');
            push_short(short, indent + 2, out);
        }
    }
}

/// Appends a list's element after `- `, at the column `indent`.
fn push_element(item: &Value, indent: usize, out: &mut Vec<u8>) {
    match item {
        Value::List(items) if !fits_a_line(item) => push_list(items, indent, out),
        Value::Map(pairs) if !pairs.is_empty() => push_map(pairs, indent, out),
        short => push_short(short, indent, out),
    }
}

/// Appends a value that stays on its line, or a literal block whose lines stand at `indent`.
fn push_short(value: &Value, indent: usize, out: &mut Vec<u8>) {
    if let Value::Text(text) = value
        && let Some(header) = literal_header(text)
    {
        out.extend_from_slice(header.as_bytes());
        out.push(b'\n');
        for line in text.split_inclusive('\n') {
            if line != "\n" {
                push_indent(indent, out);
            }
            out.extend_from_slice(line.as_bytes());
        }
        if !text.ends_with('\n') {
            out.push(b'\n');
        }
        return;
    }
    push_flow(value, out);
    out.push(b'\n');
}

/// Says whether a list is written on one line, because it has only scalars, empty lists and maps, and maps of at most
/// two short scalars.
fn fits_a_line(list: &Value) -> bool {
    let small = |value: &Value| match value {
        Value::List(items) => items.is_empty(),
        Value::Map(pairs) => pairs.is_empty(),
        _ => true,
    };
    let fits = |value: &Value| match value {
        Value::Map(pairs) if pairs.len() <= 2 => {
            pairs.iter().all(|(key, value)| key.len() <= LONGEST_SIMPLE_KEY && small(value))
        }
        other => small(other),
    };
    matches!(list, Value::List(items) if items.iter().all(fits))
}

fn push_flow(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(flag) => out.extend_from_slice(if *flag { b"true" } else { b"false" }),
        Value::Int(number) => push_int(*number, out),
        Value::Float(number) => out.extend_from_slice(float_text(*number).as_bytes()),
        Value::Text(text) => push_text(text, out),
        Value::List(items) => {
            out.push(b'[');
            for (number, item) in items.iter().enumerate() {
                if number > 0 {
                    out.extend_from_slice(b", ");
                }
                push_flow(item, out);
            }
            out.push(b']');
        }
        Value::Map(pairs) => {
            out.push(b'{');
            for (number, (key, value)) in pairs.iter().enumerate() {
                if number > 0 {
                    out.extend_from_slice(b", ");
                }
                push_text(key, out);
                out.extend_from_slice(b": ");
                push_flow(value, out);
            }
            out.push(b'}');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ConnectionId, Method};

    fn map(pairs: &[(&str, Value)]) -> Value {
        Value::Map(pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
    }

    #[test]
    fn an_entry_reads_well() {
        let date = map(&[("c_type", "TYPE_DATE".into()), ("value", "2001-01-01".into())]);
        let diagnostic =
            map(&[("sqlstate", "42S02".into()), ("native", 1.into()), ("message", "no such table: t".into())]);
        let entry = Entry::new(Method::Run, ConnectionId(24), Some(12))
            .with(Key::Sql, "SELECT *\n  FROM t\n WHERE a = ?")
            .with(Key::Params, vec![Value::from(1), Value::from("yes"), Value::Null, Value::Float(1.5), date])
            .with(Key::Attributes, map(&[("CURSOR_TYPE", 3.into())]))
            .with(Key::Rows, vec![Value::from(vec![1, 2]), Value::from(vec!["a", "b c"])])
            .with(Key::Diagnostics, vec![diagnostic.clone(), diagnostic]);
        let mut out = Vec::new();
        emit_entry(&entry, &mut out);
        let expected = r#"- method: run
  connection_id: "y"
  statement_id: 12
  sql: |-
    SELECT *
      FROM t
     WHERE a = ?
  params: [1, "yes", null, 1.5, {c_type: TYPE_DATE, value: "2001-01-01"}]
  attributes:
    CURSOR_TYPE: 3
  rows:
    - [1, 2]
    - [a, "b c"]
  diagnostics:
    - sqlstate: "42S02"
      native: 1
      message: "no such table: t"
    - sqlstate: "42S02"
      native: 1
      message: "no such table: t"
"#;
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn keys_are_written_as_text_is() {
        for key in Key::ALL {
            let (mut written, mut text) = (Vec::new(), Vec::new());
            push_field(*key, &Value::Null, 2, &mut written);
            push_pair(key.name(), &Value::Null, 2, &mut text);
            assert_eq!(written, text);
        }
    }

    #[test]
    fn methods_are_written_as_text_is() {
        for method in Method::ALL {
            let mut text = Vec::new();
            push_text(method.name(), &mut text);
            assert_eq!(text, method.name().as_bytes());
        }
    }

    #[test]
    fn documents() {
        let write = |value: &Value| {
            let mut out = Vec::new();
            emit_document(value, &mut out);
            String::from_utf8(out).unwrap()
        };
        let columns = Value::from(vec![map(&[("name", "ID".into()), ("type", 4.into())]), map(&[])]);
        assert_eq!(write(&columns), "- name: ID\n  type: 4\n- {}\n");
        assert_eq!(write(&map(&[("a", map(&[("b", Value::List(vec![]))]))])), "a:\n  b: []\n");
        assert_eq!(write(&map(&[])), "{}\n");
        assert_eq!(write(&Value::List(vec![])), "[]\n");
        let long = "k".repeat(161);
        assert_eq!(write(&map(&[(&long, "a\nb\n".into())])), format!("? {long}\n: |\n  a\n  b\n"));
    }
}
