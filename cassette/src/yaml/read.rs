//! Reads items and small files: our own form fast, any other YAML through the general reader.

use std::path::Path;

use super::{canonical, fallback};
use crate::entry::Head;
use crate::error::CassetteError;
use crate::inline::{InlineRow, LastTypes};
use crate::{ConnectionId, Entry, Fields, Key, Method, Value, check};

/// Reads a whole small file (`metadata.yml`, a column file): any YAML document.
///
/// Errors name the file, the line and the place in the document.
pub fn read_document(bytes: &[u8], file: &Path) -> Result<Value, CassetteError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.trim_ascii().is_empty() {
        return Err(CassetteError::torn(file, "the file is empty").advice("record again"));
    }
    canonical::document(bytes).map_or_else(|| fallback::read(bytes, file, 1), Ok)
}

/// Reads a file of rules (`super8.yml`). A file with only comments is an empty map.
///
/// # Errors
/// As for [`read_document`].
pub fn read_rules(bytes: &[u8], file: &Path) -> Result<Value, CassetteError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let says_something = |line: &[u8]| {
        let line = line.trim_ascii();
        !line.is_empty() && !line.starts_with(b"#") && line != b"---"
    };
    match bytes.split(|byte| *byte == b'\n').any(says_something) {
        true => read_document(bytes, file),
        false => Ok(Value::Map(Vec::new())),
    }
}

/// Reads one item of the log, as [`Items`](crate::yaml::Items) cut it out, from line `first_line` on.
///
/// Errors name the file, the line and the place in the item.
pub fn parse_entry(bytes: &[u8], file: &Path, first_line: u32) -> Result<Entry, CassetteError> {
    if let Some(entry) = canonical::entry(bytes) {
        return Ok(entry);
    }
    let item = Place { bytes, file, first_line };
    match read_item(item)? {
        Value::Map(pairs) => entry(pairs, item),
        _ => Err(item.error("", "not a map").advice("an item begins `- method: ...`")),
    }
}

/// Reads what an item of the log says beyond these fields, if it begins with them in our own form.
pub(crate) fn parse_reply(bytes: &[u8], asked: &Fields) -> Option<Fields> {
    canonical::reply(bytes, asked)
}

/// Reads the row of an item of the log that says nothing else, if it is in our own form.
pub(crate) fn parse_row(bytes: &[u8], last: &mut LastTypes) -> Option<InlineRow> {
    canonical::row(bytes, last)
}

/// Reads the leading keys of an item of the log. In our own form, nothing else of it is read.
pub fn parse_head(bytes: &[u8], file: &Path, first_line: u32) -> Result<Head, CassetteError> {
    if let Some((head, _)) = canonical::head(bytes) {
        return Ok(head);
    }
    let entry = parse_entry(bytes, file, first_line)?;
    let thread = entry.thread();
    Ok(Head { method: entry.method, connection: entry.connection, statement: entry.statement, thread })
}

/// Reads one answer about a connection, as info files have them, from line `first_line` on.
pub fn parse_answer(bytes: &[u8], file: &Path, first_line: u32) -> Result<Fields, CassetteError> {
    let item = Place { bytes, file, first_line };
    match parse_item(item)? {
        Value::Map(pairs) => item.keyed(Method::Answer, pairs, false),
        _ => Err(item.error("", "not a map").advice("an item begins `- function: ...`")),
    }
}

/// Says whether an item of a list is a map with this key.
pub fn has_key(bytes: &[u8], file: &Path, first_line: u32, key: &str) -> bool {
    parse_item(Place { bytes, file, first_line }).is_ok_and(|item| item.get(key).is_some())
}

fn parse_item(item: Place<'_>) -> Result<Value, CassetteError> {
    canonical::item(item.bytes).map_or_else(|| read_item(item), Ok)
}

fn read_item(item: Place<'_>) -> Result<Value, CassetteError> {
    one_item(item, fallback::read(item.bytes, item.file, item.first_line)?)
}

fn one_item(item: Place<'_>, value: Value) -> Result<Value, CassetteError> {
    match value {
        Value::List(mut items) if items.len() == 1 => Ok(items.swap_remove(0)),
        _ => Err(item.error("", "not one list item")),
    }
}

/// Reads one item of a list that another program wrote, with its tags. A tagged value becomes a map of the tag to the value.
pub fn parse_tagged(bytes: &[u8], file: &Path, first_line: u32) -> Result<Value, CassetteError> {
    let item = Place { bytes, file, first_line };
    one_item(item, fallback::read_with(bytes, file, first_line, fallback::Tags::Named)?)
}

fn entry(pairs: Vec<(String, Value)>, item: Place<'_>) -> Result<Entry, CassetteError> {
    let Written { method, connection, statement, fields } = written(pairs, item, false)?;
    let connection = connection.ok_or_else(|| item.error("", "the key `connection_id` is missing"))?;
    Ok(Entry { method, connection, statement, fields })
}

/// An entry as a person may write it: ids may be missing.
pub(crate) struct Written {
    pub(crate) method: Method,
    pub(crate) connection: Option<ConnectionId>,
    pub(crate) statement: Option<u32>,
    pub(crate) fields: Fields,
}

fn written(pairs: Vec<(String, Value)>, item: Place<'_>, by_hand: bool) -> Result<Written, CassetteError> {
    let (mut method, mut connection, mut statement, mut fields) = (None, None, None, Vec::new());
    for (key, value) in pairs {
        match (key.as_str(), value) {
            ("method", Value::Text(name)) => {
                let known = Method::from_name(&name);
                let unknown = || {
                    let error = item.error("method", format!("`{name}` is not a method"));
                    error.advice("correct the name, or use a super8 that knows it")
                };
                method = Some(known.ok_or_else(unknown)?);
            }
            ("connection_id", Value::Text(letters)) => {
                connection = Some(letters.parse().map_err(|error: String| item.error("connection_id", error))?);
            }
            ("statement_id", Value::Int(number)) => {
                let small = u32::try_from(number).ok().filter(|&number| number > 0);
                statement =
                    Some(small.ok_or_else(|| item.error("statement_id", format!("{number} is not a statement")))?);
            }
            ("statement_id", Value::Null) => {}
            ("method" | "connection_id", _) => return Err(item.error(&key, "not text").advice("put it in quotes")),
            ("statement_id", _) => return Err(item.error(&key, "not a whole number")),
            (_, value) => fields.push((key, value)),
        }
    }
    let method = method.ok_or_else(|| item.error("", "the key `method` is missing"))?;
    let fields = item.keyed(method, fields, by_hand)?;
    Ok(Written { method, connection, statement, fields })
}

/// Reads an item of a cassette written by hand: an entry, or the entries of a group.
pub(crate) fn parse_by_hand(bytes: &[u8], file: &Path, first_line: u32) -> Result<ByHand, CassetteError> {
    let item = Place { bytes, file, first_line };
    let Value::Map(mut pairs) = parse_item(item)? else {
        return Err(item.error("", "not a map").advice("an item begins `- method: ...`"));
    };
    match &mut pairs[..] {
        [(key, Value::List(entries))] if key == Key::Unordered.name() => Ok(ByHand::Group(std::mem::take(entries))),
        _ => written(pairs, item, true).map(ByHand::Entry),
    }
}

/// Reads an entry of a group in a cassette written by hand.
pub(crate) fn read_by_hand(value: Value, bytes: &[u8], file: &Path, first_line: u32) -> Result<Written, CassetteError> {
    let item = Place { bytes, file, first_line };
    match value {
        Value::Map(pairs) => written(pairs, item, true),
        _ => Err(item.error("", "not a map").advice("an entry begins `- method: ...`")),
    }
}

/// An item of a cassette written by hand.
pub(crate) enum ByHand {
    /// An entry.
    Entry(Written),
    /// Entries that are played in any order.
    Group(Vec<Value>),
}

/// The place of an item, for errors in it.
#[derive(Clone, Copy)]
struct Place<'a> {
    bytes: &'a [u8],
    file: &'a Path,
    first_line: u32,
}

impl Place<'_> {
    /// Makes an error at the line of one of the item's own keys, or at its first line.
    fn error(&self, key: &str, problem: impl Into<String>) -> CassetteError {
        let line = line_of(self.bytes, self.first_line, key);
        CassetteError::new(self.file, problem).at_line(line.into()).at_path(key)
    }

    /// Converts the item's pairs to fields by their keys.
    fn keyed(&self, method: Method, pairs: Vec<(String, Value)>, by_hand: bool) -> Result<Fields, CassetteError> {
        check::keyed(method, pairs, by_hand).map_err(|wrong| {
            let line = line_of(self.bytes, self.first_line, &wrong.key);
            wrong.error(self.file, line)
        })
    }
}

/// Returns the line of one of an item's own keys, or its first line.
pub(crate) fn line_of(item: &[u8], first_line: u32, key: &str) -> u32 {
    let text = String::from_utf8_lossy(item);
    let is_here = |line: &str| {
        let words = line.trim_start_matches(['-', ' ', '"', '\'']);
        !key.is_empty()
            && words.strip_prefix(key).is_some_and(|rest| rest.trim_start_matches(['"', '\'']).starts_with(':'))
    };
    first_line + text.lines().position(is_here).unwrap_or(0) as u32
}

/// Returns the line of an element, from 0, of the list or map under one of an item's own keys; the key's line if it cannot be told.
pub(crate) fn line_of_element(item: &[u8], first_line: u32, key: &str, element: usize) -> u32 {
    let own = line_of(item, first_line, key);
    let text = String::from_utf8_lossy(item);
    let mut lines = (own..).zip(text.lines().skip((own - first_line) as usize));
    let Some((_, head)) = lines.next() else { return own };
    let Some((_, rest)) = head.split_once(':') else { return own };
    let rest = rest.split(" #").next().unwrap_or_default().trim();
    if rest.is_empty() {
        let mut indent = None;
        let begins = |(_, line): &(u32, &str)| {
            let trimmed = line.trim_start();
            let depth = line.len() - trimmed.len();
            !trimmed.is_empty() && !trimmed.starts_with('#') && depth == *indent.get_or_insert(depth)
        };
        return lines.filter(begins).nth(element).map_or(own, |(line, _)| line);
    }
    // in brackets, an element begins behind the first bracket, or behind a comma that is inside that bracket and no other
    let (mut depth, mut quote, mut found, mut begun) = (0, None, 0, false);
    let start = head.len() - head.split_once(':').map_or(0, |(_, rest)| rest.len());
    let first = (own, head.get(start..).unwrap_or_default());
    for (line, text) in std::iter::once(first).chain(lines) {
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            if let Some(open) = quote {
                match character {
                    '\\' if open == '"' => _ = characters.next(),
                    character if character == open => quote = None,
                    _ => {}
                }
                continue;
            }
            if depth == 1 && !begun && !character.is_whitespace() && !matches!(character, ',' | ']' | '}' | '#') {
                begun = true;
                if found == element {
                    return line;
                }
                found += 1;
            }
            match character {
                '#' => break,
                '"' | '\'' => quote = Some(character),
                '[' | '{' => depth += 1,
                ']' | '}' => depth -= 1,
                ',' if depth == 1 => begun = false,
                _ => {}
            }
        }
    }
    own
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_row() {
        let flow = b"- method: run\n  rows: [[fig, 0.4],\n         ['a, [b', 1], # c\n    [\n  kiwi, 2]]\n";
        let block =
            b"- method: run\n  rows:\n\n    # fruit\n    - [fig, 0.4]\n    - - apple\n      - 1\n    - [kiwi, 2]\n";
        let map = b"- method: run\n  columns:\n    name: VARCHAR\n    price: DUBLE\n";
        let lines = |item: &[u8], key| [0, 1, 2].map(|at| line_of_element(item, 7, key, at));
        assert_eq!(lines(flow, "rows"), [8, 9, 10]);
        assert_eq!(lines(block, "rows"), [11, 12, 14]);
        assert_eq!(lines(map, "columns"), [9, 10, 8], "there is no third one");
        assert_eq!(lines(b"- {method: run, rows: [[1], [2]]}\n", "rows"), [7, 7, 7]);
    }

    const FILE: &str = "commands.yml";

    fn entry_at_7(text: &str) -> Result<Entry, String> {
        parse_entry(text.as_bytes(), Path::new(FILE), 7).map_err(|error| error.to_string())
    }

    #[test]
    fn an_edited_entry_is_the_same_entry() {
        let expected = Entry::new(Method::Run, ConnectionId(24), Some(3))
            .with(Key::Sql, "SELECT 1")
            .with(Key::Params, Vec::<Value>::new());
        for text in [
            "- method: run\n  connection_id: \"y\"\n  statement_id: 3\n  sql: \"SELECT 1\"\n  params: []\n",
            "- method: run\n  connection_id: y\n  sql: SELECT 1 # one\n  params: []\n  statement_id: 3\n\n# next\n",
            "-   'method': run\n    connection_id: y\n    statement_id: 3\n    sql: 'SELECT 1'\n    params: [ ]",
            "- {method: run, connection_id: y, statement_id: 3, sql: SELECT 1, params: []}\n",
            "-\n  method: run\r\n  connection_id: y\r\n  statement_id: 3\r\n  sql: >-\r\n    SELECT\r\n    1\r\n  params: []\r\n",
            "  - method: run\n    connection_id: y\n    statement_id: 3\n    sql: |-\n      SELECT 1\n    params: []\n",
        ] {
            assert_eq!(entry_at_7(text), Ok(expected.clone()), "{text}");
            let head = parse_head(text.as_bytes(), Path::new(FILE), 7).unwrap();
            assert_eq!((head.method, head.connection, head.statement), (Method::Run, ConnectionId(24), Some(3)));
        }
        let bare = entry_at_7("- method: commit\n  connection_id: a\n  statement_id: null\n").unwrap();
        assert_eq!(bare, Entry::new(Method::Commit, ConnectionId(0), None));
    }

    #[test]
    fn errors_name_file_line_and_key() {
        for (text, expected) in [
            ("- sql: x\n  method: runn\n", "commands.yml:8: method: `runn` is not a method"),
            ("- method: run\n  connection_id: 1\n", "commands.yml:8: connection_id: not text"),
            ("- method: run\n  connection_id: A\n", "commands.yml:8: connection_id: `A` is not a connection id"),
            ("- method: run\n  connection_id: a\n  statement_id: 0\n", "commands.yml:9: statement_id: 0 is no"),
            ("- method: run\n  connection_id: a\n  statement_id: x\n", "commands.yml:9: statement_id: not a whole"),
            ("- method: run\n", "commands.yml:7: the key `connection_id` is missing"),
            ("- run\n", "commands.yml:7: not a map"),
            ("- method: run\n  connection_id: a\n  method: run\n", "commands.yml:"),
        ] {
            let error = entry_at_7(text).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
        assert!(
            parse_answer(b"- 1\n", Path::new(FILE), 7)
                .unwrap_err()
                .to_string()
                .starts_with("commands.yml:7: not a map")
        );
    }

    #[test]
    fn small_files() {
        let read = |text: &str| read_document(text.as_bytes(), Path::new("metadata.yml"));
        let expected = Value::Map(vec![("schema_version".to_owned(), 4.into())]);
        for text in [
            "schema_version: 4\n",
            "\u{feff}schema_version: 4\n",
            "# x\r\nschema_version:   4\r\n",
            "{schema_version: 4}",
        ] {
            assert_eq!(read(text), Ok(expected.clone()), "{text}");
        }
        assert!(read("").unwrap_err().to_string().contains("empty"));
        assert_eq!(read("a: 1\nb: [\n").unwrap_err().line(), Some(3));
        assert!(read("a: 1\n---\nb: 1\n").is_err());
    }
}
