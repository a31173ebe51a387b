//! Property tests of the YAML side, over arbitrary values and a corpus of awkward texts: the general reader reads back
//! what is written, and the canonical reader agrees with it or declines, whatever was done to the text.

use std::path::Path;

use proptest::prelude::*;

use super::scalar::{is_plain_word, push_text};
use super::{Items, canonical, emit_document, emit_entry, emit_item, fallback, parse_answer, parse_entry, parse_head};
use crate::inline::{self, LastTypes};
use crate::{ConnectionId, Entry, ErrorKind, Fields, Key, Method, Value, check};

const FILE: &str = "commands.yml";

/// Texts that some reader takes for something else, or that some form cannot hold.
pub(crate) const AWKWARD: &[&str] = &[
    "",
    " ",
    "  a",
    "a ",
    "\ta",
    "a\t",
    "y",
    "Y",
    "yes",
    "Yes",
    "no",
    "NO",
    "on",
    "off",
    "true",
    "FALSE",
    "null",
    "Null",
    "~",
    "n",
    "N",
    "nan",
    ".nan",
    ".NaN",
    ".inf",
    "-.inf",
    "inf",
    "Infinity",
    "<<",
    "=",
    "0",
    "-0",
    "+1",
    "1_000",
    "017",
    "0o17",
    "0x1F",
    "0b101",
    "1e3",
    "1.",
    ".5",
    "1.5e3",
    "1.5e+3",
    "12:30:45",
    "190:20:30",
    "2001-01-01",
    "2001-12-14t21:59:43.10-05:00",
    "2001-1-1",
    "1,000",
    "42S02",
    "HY000",
    "a_1_columns.yml",
    "fetch_all",
    "-",
    "- a",
    "?",
    "? a",
    ":",
    "a: b",
    "a:",
    ":a",
    "#",
    "a #b",
    "a#b",
    "&a",
    "*a",
    "!a",
    "!!str a",
    "|",
    "> a",
    "%a",
    "@a",
    "`a",
    "[",
    "]",
    "{a: 1}",
    "a, b",
    "'",
    "'a'",
    "\"",
    "\"a\"",
    "\\",
    "\\n",
    "C:\\temp",
    "---",
    "...",
    "--- a",
    "\u{85}",
    "a\u{85}b",
    "\u{2028}",
    "a\u{2029}\nb",
    "\u{feff}",
    "\u{feff}a\nb",
    "a\u{feff}",
    "\0",
    "a\0\nb",
    "\r",
    "a\r\nb\r\n",
    "a\rb",
    "\x1b[0m",
    "\x7f",
    "\u{9b}",
    "\u{a0}",
    "é\u{301}",
    "😀",
    "\u{ffff}",
    "\u{fffe}",
    "\u{1fffe}",
    "\n",
    "\n\n",
    "a\n",
    "a\n\n",
    "\na",
    "\n\na\n\n\n",
    "a\nb",
    "  a\nb",
    "a\n  b\n",
    "\n  a\n",
    "\n\ta\n",
    "a \nb",
    "a\n \nb",
    "a\n\t",
    "a\n\n\nb",
    "- a\n- b\n",
    "# a\n# b",
    "--- \n",
    "---\na",
    "a\n---\nb",
    "a\n...\n",
    "a: 1\nb: 2\n",
    "SELECT *\n  FROM t -- all\n WHERE a = 'x'\n",
    "|\n",
    "\t\n",
    " \n",
    "%YAML 1.2\n---\n",
    "\u{a0}\na",
    "a\nb\u{3000}",
];

fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        proptest::sample::select(AWKWARD).prop_map(str::to_owned),
        proptest::sample::select(vec!["\n", " ", "\t", "a", "\"", "\\", ": ", " #", "- ", "é", "'", ","])
            .prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
        "[a-z_]{1,8}",
    ];
    prop_oneof![
        proptest::sample::select(AWKWARD).prop_map(str::to_owned),
        prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat()),
        "[A-Za-z0-9_.+:-]{0,6}",
        "( {0,3}[a-c]{0,2}\n){1,4}",
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        any::<i128>().prop_map(Value::Int),
        any::<f64>().prop_map(Value::Float),
        text().prop_map(Value::Text),
    ];
    leaf.prop_recursive(5, 40, 5, |inner| {
        prop_oneof![prop::collection::vec(inner.clone(), 0..5).prop_map(Value::List), pairs(inner).prop_map(Value::Map)]
    })
}

fn pairs(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Vec<(String, Value)>> {
    let key = prop_oneof![4 => "[a-z_]{1,8}".boxed(), 1 => text().boxed(), 1 => "[a-z]{150,200}".boxed()];
    prop::collection::btree_map(key, value, 0..5).prop_map(|map| map.into_iter().collect())
}

fn entry() -> impl Strategy<Value = Entry> {
    let leading = (proptest::sample::select(Method::ALL), any::<u32>(), prop::option::of(1..u32::MAX));
    let keys: Vec<Key> =
        Key::ALL.iter().copied().filter(|key| !matches!(key, Key::ConnectionId | Key::StatementId)).collect();
    let fields = prop::collection::vec(value(), 5);
    (leading, proptest::sample::subsequence(keys, 0..5), fields).prop_map(
        |((method, connection, statement), keys, values)| Entry {
            method,
            connection: ConnectionId(connection),
            statement,
            fields: keys.into_iter().zip(values).collect(),
        },
    )
}

fn general(bytes: &[u8]) -> Result<Value, String> {
    fallback::read(bytes, Path::new(FILE), 1).map_err(|error| error.to_string())
}

fn has_long_key(value: &Value) -> bool {
    match value {
        Value::List(items) => items.iter().any(has_long_key),
        Value::Map(pairs) => pairs.iter().any(|(key, value)| key.len() > 160 || has_long_key(value)),
        _ => false,
    }
}

/// Checks that the canonical reader's result for an item, if it has one, equals the general reader's.
fn agrees_or_declines(bytes: &[u8]) {
    let shown = String::from_utf8_lossy(bytes);
    if let Some(value) = canonical::item(bytes) {
        assert_eq!(general(bytes), Ok(Value::List(vec![value])), "{shown}");
    }
    if let Some(entry) = canonical::entry(bytes) {
        let mut pairs = vec![("method".to_owned(), entry.method.name().into())];
        pairs.push(("connection_id".to_owned(), entry.connection.to_string().into()));
        pairs.extend(entry.statement.map(|number| ("statement_id".to_owned(), number.into())));
        pairs.extend(entry.fields.into_iter().map(|(key, value)| (key.to_string(), value)));
        assert_eq!(general(bytes), Ok(Value::List(vec![Value::Map(pairs)])), "{shown}");
    }
    if let Some(value) = canonical::document(bytes) {
        assert_eq!(general(bytes), Ok(value), "{shown}");
    }
    row_agrees_or_declines(bytes);
}

/// Checks that the row of an entry, if it is read at once, is the one that the entry has, and that the entry says nothing else.
fn row_agrees_or_declines(bytes: &[u8]) {
    let Some(row) = canonical::row(bytes, &mut LastTypes::default()) else { return };
    let shown = String::from_utf8_lossy(bytes);
    let entry = parse_entry(bytes, Path::new(FILE), 1).unwrap_or_else(|error| panic!("{error}: {shown}"));
    assert_eq!(check::check(&Entry { method: Method::Fetch, ..entry.clone() }), Ok(()), "{shown}");
    let mut fields = csv::ByteRecord::new();
    inline::fields(entry.get(Key::Result).unwrap(), &mut |field| fields.push_field(field)).unwrap();
    let types = Value::List(row.c_types.iter().map(|name| Value::from(name.as_str())).collect());
    assert_eq!((fields, entry.get(Key::CTypes), entry.fields.len()), (row.fields, Some(&types), 2), "{shown}");
}

/// An entry of a fetch with one row, and whether it is read at once.
fn fetch() -> impl Strategy<Value = (Entry, bool)> {
    let cell = prop_oneof![
        4 => Just(Value::Null),
        4 => (-1_000_000_000_000_000i64..1_000_000_000_000_000).prop_map(Value::from),
        4 => "[a-zA-Z0-9 ,:#\u{e9}\u{1f600}-]{0,12}x".prop_map(Value::Text),
        1 => text().prop_map(Value::Text),
        1 => any::<f64>().prop_map(Value::Float),
        1 => any::<i128>().prop_map(Value::Int),
    ];
    let types = proptest::sample::select(vec!["CHAR", "WCHAR", "SLONG", "TYPE_DATE", "DOUBLE", "CHARR", "null"]);
    prop::collection::vec((cell, types), 1..6).prop_map(|columns| {
        let plain = |(cell, c_type): &(Value, &str)| {
            let cell = match cell {
                Value::Null => true,
                Value::Int(number) => number.unsigned_abs() < 1_000_000_000_000_000,
                Value::Text(text) => text.ends_with('x') && text.bytes().all(|byte| !b"\\\"\n\t".contains(&byte)),
                _ => false,
            };
            cell && !["CHARR", "null"].contains(c_type)
        };
        let at_once = columns.iter().all(plain);
        let (cells, types): (Vec<Value>, Vec<&str>) = columns.into_iter().unzip();
        let types = types.into_iter().map(|name| if name == "null" { Value::Null } else { name.into() });
        let entry = Entry::new(Method::Fetch, ConnectionId(0), Some(1))
            .with(Key::Result, Value::List(cells))
            .with(Key::CTypes, Value::List(types.collect()));
        (entry, at_once)
    })
}

/// Checks that the reply to the first fields of an entry, put behind these fields, equals the whole item, or that it is declined.
fn reply_agrees_or_declines(bytes: &[u8], entry: &Entry) {
    for count in 0..=entry.fields.len() {
        let asked: Fields = entry.fields.iter().take(count).cloned().collect();
        let Some(rest) = canonical::reply(bytes, &asked) else { continue };
        // the caller checks for such keys
        if rest.iter().any(|(key, _)| asked.get(*key).is_some()) {
            continue;
        }
        let whole: Fields = asked.into_iter().chain(rest).collect();
        let shown = String::from_utf8_lossy(bytes);
        assert_eq!(parse_entry(bytes, Path::new(FILE), 1).map(|entry| entry.fields), Ok(whole), "{shown}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn entries_round_trip_through_both_readers(entry in entry()) {
        let mut out = Vec::new();
        emit_entry(&entry, &mut out);
        let shown = String::from_utf8_lossy(&out).into_owned();
        prop_assert_eq!(parse_entry(&out, Path::new(FILE), 1).unwrap(), entry.clone(), "{}", shown);
        let head = parse_head(&out, Path::new(FILE), 1).unwrap();
        prop_assert_eq!((head.method, head.connection, head.statement), (entry.method, entry.connection, entry.statement));
        if !entry.fields.iter().any(|(_, value)| has_long_key(value)) {
            prop_assert!(canonical::entry(&out).is_some(), "not read as our own: {}", shown);
        }
        agrees_or_declines(&out);
        reply_agrees_or_declines(&out, &entry);
        prop_assert!(general(&out).is_ok(), "{}", shown);
        if !entry.fields.iter().any(|(_, value)| has_long_key(value)) {
            prop_assert_eq!(canonical::reply(&out, &entry.fields), Some(Fields::new()), "{}", shown);
        }
    }

    #[test]
    fn a_row_read_at_once_is_that_of_its_entry((entry, at_once) in fetch()) {
        let mut out = Vec::new();
        emit_entry(&entry, &mut out);
        row_agrees_or_declines(&out);
        let found = canonical::row(&out, &mut LastTypes::default()).is_some();
        // a text of the general kind may be plain by chance, and then it is fine to be fast
        prop_assert!(found || !at_once || out.contains(&b'\\'), "{}", String::from_utf8_lossy(&out));
    }

    #[test]
    fn a_changed_row_is_read_alike_or_declined(
        (entry, _) in fetch(),
        at in any::<prop::sample::Index>(),
        piece in proptest::sample::select(&[" ", "\n", "\"", "\\", "-", "0", "01", ",", "]", "[", "null", "~", "# a\n", "\r", "\u{85}", "1_0"][..]),
        removed in 0..2usize,
    ) {
        let mut out = Vec::new();
        emit_entry(&entry, &mut out);
        let mut text = String::from_utf8(out).unwrap();
        let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let at = places[at.index(places.len())];
        if removed > 0 {
            text.remove(at);
        }
        text.insert_str(at, piece);
        row_agrees_or_declines(text.as_bytes());
    }

    #[test]
    fn maps_and_documents_round_trip_through_both_readers(value in value()) {
        let mut out = Vec::new();
        emit_document(&value, &mut out);
        let shown = String::from_utf8_lossy(&out).into_owned();
        prop_assert_eq!(general(&out).unwrap(), value.clone(), "{}", shown);
        if matches!(value, Value::List(_) | Value::Map(_)) && !has_long_key(&value) {
            prop_assert_eq!(canonical::document(&out), Some(value.clone()), "{}", shown);
        }
        if matches!(value, Value::Map(_)) {
            out.clear();
            emit_item(&value, &mut out);
            prop_assert_eq!(general(&out).unwrap(), Value::List(vec![value]));
            agrees_or_declines(&out);
        }
    }

    #[test]
    fn a_changed_text_is_read_alike_or_declined(
        entry in entry(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..3u8, proptest::sample::select(
            &[" ", "\n", "\t", "\"", "\\", ":", "-", "- ", "#", " #", "|", "2", "+", "~", "'", ",", "[", "]", "{", "}", "&a ",
              "*a", "\r", "\u{85}", "e", ".", "0", "\n  ", "\n    ", "yes"][..])), 1..4),
    ) {
        let mut out = Vec::new();
        emit_entry(&entry, &mut out);
        let mut text = String::from_utf8(out).unwrap();
        for (index, kind, piece) in edits {
            let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
            let Some(&at) = places.get(index.index(places.len().max(1))) else { break };
            if kind > 0 {
                text.remove(at);
            }
            if kind < 2 {
                text.insert_str(at, piece);
            }
        }
        agrees_or_declines(text.as_bytes());
        reply_agrees_or_declines(text.as_bytes(), &entry);
    }

    #[test]
    fn a_log_is_cut_into_its_entries_wherever_it_ends(
        entries in prop::collection::vec(entry(), 0..6),
        end in any::<prop::sample::Index>(),
        rest in 0..3usize,
    ) {
        let (mut log, mut ends) = (Vec::new(), Vec::new());
        for entry in &entries {
            emit_entry(entry, &mut log);
            ends.push(log.len());
        }
        log.truncate(end.index(log.len() + 1));
        let at_line_end = log.last().is_none_or(|&byte| byte == b'\n');
        let whole = ends.iter().filter(|&&end| end <= log.len()).count();
        let partial = whole.checked_sub(1).map_or(0, |last| ends[last]) < log.len();
        log.extend(vec![0; rest * 50_000]);
        let (mut items, mut buf) = (Items::new(&log[..], Path::new(FILE)), Vec::new());
        for entry in &entries[..whole] {
            let item = items.next(&mut buf).unwrap().unwrap();
            prop_assert_eq!(&parse_entry(&buf, Path::new(FILE), item.line).unwrap(), entry);
        }
        match items.next(&mut buf) {
            Ok(item) => prop_assert_eq!(item.is_some(), partial && (rest == 0 || at_line_end)),
            Err(error) => prop_assert_eq!((error.kind(), partial), (ErrorKind::Torn, true)),
        }
    }

    #[test]
    fn nonsense_is_an_error_and_no_more(bytes in prop::collection::vec(prop_oneof![
        any::<u8>(), proptest::sample::select(&b"- \n:\"'[]{}|>&*!#?,0a\\"[..]),
    ], 0..60)) {
        let file = Path::new(FILE);
        let (mut items, mut buf) = (Items::new(&bytes[..], file), Vec::new());
        while let Ok(Some(item)) = items.next(&mut buf) {
            let _ = (parse_entry(&buf, file, item.line), parse_answer(&buf, file, item.line));
        }
        if let (Some(read), Ok(known)) = (canonical::document(&bytes), general(&bytes)) {
            prop_assert_eq!(read, known);
        }
        let _ = crate::cell::decode(&bytes, &mut Vec::new());
        let mut rows = crate::RowsReader::new(&bytes[..], file);
        while let Ok(true) = rows.next(&mut csv::ByteRecord::new()) {}
    }

    #[test]
    fn text_is_read_as_text(text in text()) {
        let mut out = Vec::new();
        push_text(&text, &mut out);
        prop_assert_eq!(general(&out).unwrap(), Value::Text(text.clone()));
        prop_assert!(!is_plain_word(&text) || out == text.as_bytes());
    }
}

#[test]
fn the_awkward_corpus_round_trips_in_every_place() {
    let mut entries = Vec::new();
    for text in AWKWARD {
        let entry = Entry::new(Method::Run, ConnectionId(13), Some(1))
            .with(Key::Sql, *text)
            .with(Key::Params, vec![*text, "x"])
            .with(Key::Values, vec![Value::from(*text), Value::from(vec![Value::from(vec![*text])])])
            .with(Key::Arguments, Value::Map(vec![((*text).to_owned(), (*text).into())]));
        let mut out = Vec::new();
        emit_entry(&entry, &mut out);
        assert_eq!(canonical::entry(&out).as_ref(), Some(&entry), "{}", String::from_utf8_lossy(&out));
        agrees_or_declines(&out);
        entries.push(entry);
    }
    assert!(entries.len() > 120);
}
