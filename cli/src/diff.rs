//! Comparing two cassettes by meaning: commands are brought side by side by what was asked, and then what came of them is
//! compared, with the content of the files they name.

use crate::exit::Failure;
use serde::Serialize;
use similar::{Algorithm, DiffOp, capture_diff_slices};
use std::path::Path;
use super8_cassette::entry::Class;
use super8_cassette::player::summary::{show, summary};
use super8_cassette::{Cassette, CassetteError, Entry, REPLY, Value};

/// Rows that are told of one result.
const TOLD: usize = 5;

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// `-`: only in the first, `+`: only in the second, `~`: asked in both, with another reply.
    pub sign: char,
    /// The line in the first log.
    pub old_line: Option<u32>,
    /// The line in the second log.
    pub new_line: Option<u32>,
    /// The command in a few words.
    pub command: String,
    /// What differs in the reply.
    pub details: Vec<String>,
}

/// An entry with all it names.
struct Item {
    line: u32,
    /// Where and what was asked.
    asked: String,
    command: String,
    reply: Vec<(String, Value)>,
    rows: Option<Vec<String>>,
}

/// What differs between two cassettes.
///
/// # Errors
/// A cassette cannot be read.
pub fn diff(old: &Path, new: &Path) -> Result<Vec<Change>, Failure> {
    let (old, new) = (items(old)?, items(new)?);
    let asked = |items: &[Item]| items.iter().map(|item| item.asked.clone()).collect::<Vec<_>>();
    let mut changes = Vec::new();
    for operation in capture_diff_slices(Algorithm::Patience, &asked(&old), &asked(&new)) {
        if let DiffOp::Equal { old_index, new_index, len } = operation {
            let pairs = old[old_index..].iter().zip(&new[new_index..]).take(len);
            changes.extend(pairs.filter_map(|(old, new)| changed(old, new)));
            continue;
        }
        let alone = |sign: char, item: &Item| Change {
            sign,
            old_line: (sign == '-').then_some(item.line),
            new_line: (sign == '+').then_some(item.line),
            command: item.command.clone(),
            details: Vec::new(),
        };
        changes.extend(old[operation.old_range()].iter().map(|item| alone('-', item)));
        changes.extend(new[operation.new_range()].iter().map(|item| alone('+', item)));
    }
    Ok(changes)
}

fn changed(old: &Item, new: &Item) -> Option<Change> {
    let mut details = Vec::new();
    let keys = old.reply.iter().chain(&new.reply).map(|(key, _)| key);
    let mut seen: Vec<&String> = Vec::new();
    for key in keys {
        if seen.contains(&key) {
            continue;
        }
        seen.push(key);
        let value = |item: &Item| item.reply.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone());
        let (was, is) = (value(old), value(new));
        if was != is {
            let shown = |value: Option<Value>| value.map_or_else(|| "nothing".to_owned(), |value| show(&value, 200));
            details.push(format!("{key}: was {}, is {}", shown(was), shown(is)));
        }
    }
    if old.rows != new.rows {
        let none = Vec::new();
        rows(old.rows.as_ref().unwrap_or(&none), new.rows.as_ref().unwrap_or(&none), &mut details);
    }
    let (old_line, new_line) = (Some(old.line), Some(new.line));
    (!details.is_empty()).then(|| Change { sign: '~', old_line, new_line, command: new.command.clone(), details })
}

/// Between the cells of a row, so that no two rows look alike that are not: a field has no such character.
const BETWEEN: &str = "\u{1f}";

fn rows(old: &[String], new: &[String], details: &mut Vec<String>) {
    if old.len() != new.len() {
        details.push(format!("rows: were {}, are {}", old.len(), new.len()));
    }
    let mut told = 0;
    for operation in capture_diff_slices(Algorithm::Patience, old, new) {
        if matches!(operation, DiffOp::Equal { .. }) {
            continue;
        }
        for (sign, range, all) in [('-', operation.old_range(), old), ('+', operation.new_range(), new)] {
            for at in range {
                told += 1;
                if told <= TOLD {
                    details.push(format!("row {} {sign} {}", at + 1, all[at].replace(BETWEEN, " | ")));
                }
            }
        }
    }
    if told > TOLD {
        details.push(format!("and {} more", told - TOLD));
    }
}

fn items(path: &Path) -> Result<Vec<Item>, Failure> {
    let opened = crate::cassette::open(path)?;
    let storage = &*opened.storage;
    let mut places = Vec::new();
    storage.scan(&mut |place, head| {
        if head.method.class() != Class::Housekeeping {
            places.push(place);
        }
        Ok(())
    })?;
    places.into_iter().map(|place| Ok(item(storage, place.line, storage.entry(place)?)?)).collect()
}

fn item(storage: &dyn Cassette, line: u32, mut entry: Entry) -> Result<Item, CassetteError> {
    let command = summary(&entry, 100);
    let place = match entry.statement {
        Some(statement) => format!("{}/{statement}", entry.connection),
        None => entry.connection.to_string(),
    };
    let mut rows = None;
    let mut inputs = Vec::new();
    let mut reply = Vec::new();
    for (key, value) in std::mem::take(&mut entry.fields) {
        match (key.as_str(), value) {
            ("rows_file", Value::Text(part)) => rows = Some(content(storage, &part)?),
            ("columns_file", Value::Text(part)) => reply.push(("columns".to_owned(), storage.document(&part)?)),
            ("params_file", Value::Text(part)) => inputs.push((key, Value::from(content(storage, &part)?))),
            // the count of rows is theirs
            ("n", _) => {}
            (_, value) if REPLY.contains(&key.as_str()) => reply.push((key, value)),
            (_, value) => inputs.push((key, value)),
        }
    }
    // maps may be written in any order
    inputs.sort_by(|(one, _), (other, _)| one.cmp(other));
    let asked = format!("{} {place} {inputs:?}", entry.method.name());
    Ok(Item { line, asked, command: format!("{place} {command}"), reply, rows })
}

fn content(storage: &dyn Cassette, part: &str) -> Result<Vec<String>, CassetteError> {
    let (mut rows, mut row, mut all) = (storage.rows(part)?, csv::ByteRecord::new(), Vec::new());
    while rows.next(&mut row)? {
        let cells: Vec<_> = row.iter().map(String::from_utf8_lossy).collect();
        all.push(cells.join(BETWEEN));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cassette(log: &str, rows: &str) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        let metadata = "schema_version: 4\nrecorded_on: \"2026-11-21T05:51:00Z\"\ncomplete: true\n";
        let files = [("metadata.yml", metadata), ("commands.yml", log), ("a_1_fetch_all.csv", rows)];
        files.iter().for_each(|(name, text)| std::fs::write(directory.path().join(name), text).unwrap());
        directory
    }

    const LOG: &str = "- method: run\n  connection_id: a\n  statement_id: 1\n  sql: \"SELECT 1\"\n  params: [1]\n\
                       - method: fetch_all\n  connection_id: a\n  statement_id: 1\n  rows_file: a_1_fetch_all.csv\n\
                       - method: drop\n  connection_id: a\n  statement_id: 1\n  result: null\n";

    #[test]
    fn the_same_however_it_is_written() {
        let written = "# by hand\n- method: run\n  connection_id: a\n  statement_id: 1\n  params: [1]\n  sql: SELECT 1\n\
                       - {method: fetch_all, connection_id: a, statement_id: 1, rows_file: a_1_fetch_all.csv}\n";
        let (one, other) = (cassette(LOG, "1,x\n"), cassette(written, "\"1\",x\n"));
        assert_eq!(diff(one.path(), other.path()).unwrap(), []);
    }

    #[test]
    fn rows_and_commands_that_differ() {
        let (one, other) = (cassette(LOG, "1,x\n2,y\n"), cassette(LOG, "1,x\n2,z\n3,y\n"));
        let changes = diff(one.path(), other.path()).unwrap();
        assert_eq!((changes.len(), changes[0].sign, changes[0].new_line), (1, '~', Some(6)));
        assert_eq!(changes[0].details, ["rows: were 2, are 3", "row 2 - 2 | y", "row 2 + 2 | z", "row 3 + 3 | y"]);
        let other = cassette(&LOG.replace("SELECT 1", "SELECT 2"), "1,x\n2,y\n");
        let signs: String = diff(one.path(), other.path()).unwrap().iter().map(|change| change.sign).collect();
        assert_eq!(signs, "-+");
    }
}
