//! Two cassettes compared by what they mean, not by how they are written.
//!
//! Commands are brought side by side by what was asked. Then what came of them is compared, with the content of the files they
//! name. Ids mean nothing: one query more moves the numbers of all behind it. Both cassettes are walked over side by side, and their
//! rows too: only a window of either is held.

use crate::alignment::{self, Side, align};
use crate::cassette;
use crate::exit::Failure;
use crate::output;
use crate::recent::Recent;
use indicatif::ProgressBar;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use super8_cassette::player::{Difference, difference_in};
use super8_cassette::schema::Class;
use super8_cassette::summary::{show, summary};
use super8_cassette::{
    CassetteError, ConnectionId, Entry, EntryRef, Head, Key, Method, Store, Value, with_parts_or_alone,
};

/// Rows that are shown of one result, and as many differences of its columns.
const SHOWN: usize = 5;

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The part in which it is; none of the cassette itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
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

/// An entry, and what is compared before its reply.
struct Item {
    at: EntryRef,
    entry: Entry,
    /// Where and what was asked.
    asked: String,
    /// The ids of the connection and the statement.
    place: String,
}

impl alignment::Item for Item {
    fn key(&self) -> &str {
        &self.asked
    }

    fn bytes(&self) -> usize {
        // a parsed entry takes some three times its text
        self.asked.len() + 3 * self.at.len as usize + size_of::<Item>()
    }
}

impl Item {
    fn command(&self) -> String {
        format!("{} {}", self.place, summary(&self.entry, 100))
    }
}

/// Hands what differs between two cassettes and their parts of the same names to `found`.
///
/// # Errors
/// A cassette cannot be read; what `found` returns.
pub fn diff_with_parts(
    old: &Path,
    new: &Path,
    found: &mut dyn FnMut(Change) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let by_name = |cassette: &Path| -> BTreeMap<Option<String>, PathBuf> {
        let all = with_parts_or_alone(cassette).into_iter();
        let name = |part: &Path| part.file_name().map(|name| name.to_string_lossy().into_owned());
        all.map(|part| (name(&part).filter(|_| part != cassette), part)).collect()
    };
    let (old, new) = (by_name(old), by_name(new));
    let names: BTreeSet<&Option<String>> = old.keys().chain(new.keys()).collect();
    for name in names {
        diff(old.get(name).map(PathBuf::as_path), new.get(name).map(PathBuf::as_path), &mut |change| {
            found(Change { part: name.clone(), ..change })
        })?;
    }
    Ok(())
}

/// What differs between two cassettes; nothing is in one that is not there.
fn diff(
    old: Option<&Path>,
    new: Option<&Path>,
    found: &mut dyn FnMut(Change) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let bar = output::bar_of_bytes("comparing", old.map_or(0, cassette::bytes) + new.map_or(0, cassette::bytes));
    let bar = output::beside_text(bar);
    let [old, new] = [old, new].map(|path| path.map(cassette::open).transpose());
    let (old, new) = (old?, new?);
    let [old, new] = [&old, &new].map(|opened| opened.as_ref().map(|opened| &*opened.storage));
    let outcome = with_items(old, &bar, |olds| {
        with_items(new, &bar, |news| {
            align(olds, news, &mut |side| {
                let alone = |sign: char, item: &Item| Change {
                    part: None,
                    sign,
                    old_line: (sign == '-').then_some(item.at.line),
                    new_line: (sign == '+').then_some(item.at.line),
                    command: item.command(),
                    details: Vec::new(),
                };
                let change = match (side, old, new) {
                    (Side::Both(was, is), Some(old), Some(new)) => changed((old, &was), (new, &is), &bar)?,
                    (Side::Both(..), ..) => None,
                    (Side::Old(item), ..) => Some(alone('-', &item)),
                    (Side::New(item), ..) => Some(alone('+', &item)),
                };
                change.map_or(Ok(()), &mut *found)
            })
        })
    });
    bar.finish_and_clear();
    outcome
}

/// Gives `read` a source of a cassette's entries, in order; of none if there is no cassette.
fn with_items(
    storage: Option<&dyn Store>,
    bar: &ProgressBar,
    read: impl FnOnce(alignment::Source<'_, Item, Failure>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let Some(storage) = storage else { return read(&mut || Ok(None)) };
    let mut names = Names::of(storage);
    cassette::with_entries(storage, |entries| {
        read(&mut || {
            for next in &mut *entries {
                let (at, head) = next?;
                bar.inc(at.len.into());
                if head.method.class() == Class::Housekeeping {
                    names.forget(head);
                    continue;
                }
                return Ok(Some(item(storage, at, storage.entry(at)?, &mut names)?));
            }
            Ok(None)
        })
    })
}

/// What differs in the replies to what was asked in both.
fn changed(old: (&dyn Store, &Item), new: (&dyn Store, &Item), bar: &ProgressBar) -> Result<Option<Change>, Failure> {
    let mut details = Vec::new();
    let (was, is) = (Reply::of(old)?, Reply::of(new)?);
    let mut keys: Vec<Key> = was.values.iter().map(|(key, _)| *key).collect();
    keys.extend(is.values.iter().map(|(key, _)| *key).filter(|key| was.get(*key).is_none()));
    for key in keys {
        if let Some(Difference { place, recorded, asked }) = difference_in(key.name(), was.get(key), is.get(key)) {
            details.push(format!("{place}: was {}, is {}", shown(recorded.as_ref(), 200), shown(asked.as_ref(), 200)));
        }
    }
    columns(&was.columns, &is.columns, &mut details);
    rows(was.rows, is.rows, bar, &mut details)?;
    let ((_, old), (_, new)) = (old, new);
    let (old_line, new_line) = (Some(old.at.line), Some(new.at.line));
    Ok((!details.is_empty()).then(|| Change {
        part: None,
        sign: '~',
        old_line,
        new_line,
        command: new.command(),
        details,
    }))
}

/// What came of a command.
struct Reply<'i> {
    values: Vec<(Key, &'i Value)>,
    columns: Vec<Value>,
    rows: Rows<'i>,
}

/// Gives the next row, its cells joined; none at the end.
type Rows<'i> = Box<dyn FnMut() -> Result<Option<String>, CassetteError> + 'i>;

impl<'i> Reply<'i> {
    fn get(&self, key: Key) -> Option<&'i Value> {
        self.values.iter().find(|(name, _)| *name == key).map(|(_, value)| *value)
    }

    fn of((storage, item): (&'i dyn Store, &'i Item)) -> Result<Reply<'i>, CassetteError> {
        let fetched = fetched(storage, item)?;
        // however they are kept
        let of_rows = |key: Key| fetched.is_some() && matches!(key, Key::Result | Key::Rows | Key::RowsFile);
        let (mut values, mut columns, mut rows) = (Vec::new(), Vec::new(), None);
        for (key, value) in item.entry.fields.iter().filter(|(key, _)| !of_rows(*key)) {
            match (key, value) {
                (Key::RowsFile, Value::Text(part)) => rows = Some(content(storage, part)?),
                (Key::ColumnsFile, Value::Text(part)) => {
                    columns = storage.document(part)?.as_list().unwrap_or_default().to_vec();
                }
                // the count of rows is theirs
                (Key::N, _) => {}
                (key, value) if key.is_reply() && *key != Key::ParamsFile => values.push((*key, value)),
                _ => {}
            }
        }
        let rows = fetched.or(rows).unwrap_or_else(|| Box::new(|| Ok(None)));
        Ok(Reply { values, columns, rows })
    }
}

fn shown(value: Option<&Value>, max: usize) -> String {
    value.map_or_else(|| "not recorded".to_owned(), |value| show(value, max))
}

/// Between the cells of a row, so that no two rows look alike that are not: a field has no such character.
const BETWEEN: &str = "\u{1f}";

fn columns(old: &[Value], new: &[Value], details: &mut Vec<String>) {
    if old.len() != new.len() {
        details.push(format!("columns: were {}, are {}", old.len(), new.len()));
    }
    let mut found = Vec::new();
    for (at, (was, is)) in old.iter().zip(new).enumerate() {
        let name = is.get("name").or(is.get("label")).and_then(Value::as_text).unwrap_or_default();
        let (Value::Map(before), Value::Map(after)) = (was, is) else { continue };
        let only_after = after.iter().filter(|(key, _)| was.get(key).is_none());
        for key in before.iter().chain(only_after).map(|(key, _)| key) {
            if let Some(Difference { place, recorded, asked }) = difference_in(key, was.get(key), is.get(key)) {
                let (was, is) = (shown(recorded.as_ref(), 60), shown(asked.as_ref(), 60));
                found.push(format!("column {} ({name}): {place}: was {was}, is {is}", at + 1));
            }
        }
    }
    push_first(found, details);
}

/// A row, its cells joined.
struct Row {
    number: u64,
    cells: String,
}

impl alignment::Item for Row {
    fn key(&self) -> &str {
        &self.cells
    }

    fn bytes(&self) -> usize {
        self.cells.len() + size_of::<Row>()
    }
}

fn rows(
    mut old: Rows<'_>,
    mut new: Rows<'_>,
    bar: &ProgressBar,
    details: &mut Vec<String>,
) -> Result<(), CassetteError> {
    let (mut olds, mut news, mut first, mut more) = (0, 0, Vec::new(), 0);
    let next = |rows: &mut Rows<'_>, count: &mut u64| -> Result<Option<Row>, CassetteError> {
        let Some(cells) = rows()? else { return Ok(None) };
        bar.inc(cells.len() as u64 + 1);
        *count += 1;
        Ok(Some(Row { number: *count, cells }))
    };
    align(&mut || next(&mut old, &mut olds), &mut || next(&mut new, &mut news), &mut |side| {
        let (sign, row) = match side {
            Side::Both(..) => return Ok(()),
            Side::Old(row) => ('-', row),
            Side::New(row) => ('+', row),
        };
        match first.len() < SHOWN {
            true => first.push(format!("row {} {sign} {}", row.number, row.cells.replace(BETWEEN, " | "))),
            false => more += 1,
        }
        Ok::<(), CassetteError>(())
    })?;
    if olds != news {
        details.push(format!("rows: were {olds}, are {news}"));
    }
    details.append(&mut first);
    if more > 0 {
        details.push(format!("and {more} more"));
    }
    Ok(())
}

/// Adds the first of what was found.
fn push_first(mut found: Vec<String>, details: &mut Vec<String>) {
    let more = found.len().saturating_sub(SHOWN);
    found.truncate(SHOWN);
    details.append(&mut found);
    if more > 0 {
        details.push(format!("and {more} more"));
    }
}

/// What connections and statements are known by, whatever their ids.
struct Names<'s> {
    storage: &'s dyn Store,
    connections: HashMap<ConnectionId, String>,
    /// How many connections were made with the same words.
    alike: HashMap<String, usize>,
    /// The texts of statements.
    statements: Recent<(ConnectionId, Option<u32>), String>,
}

/// Statements whose texts are held, twice over.
const STATEMENTS: usize = 10_000;

impl<'s> Names<'s> {
    fn of(storage: &'s dyn Store) -> Self {
        let (connections, alike) = (HashMap::new(), HashMap::new());
        Names { storage, connections, alike, statements: Recent::new(STATEMENTS) }
    }

    /// Where an entry happened: on which of the connections to what, on the statement of which text.
    fn place(&mut self, at: EntryRef, entry: &Entry) -> Result<String, CassetteError> {
        if entry.method == Method::Connect {
            let to = words(entry, &[Key::Dsn, Key::Driver, Key::ConnectionString]);
            let number = self.alike.entry(to.clone()).or_default();
            *number += 1;
            self.connections.insert(entry.connection, format!("{to} {number}"));
        }
        let place = (entry.connection, entry.statement);
        // an answer has the name of its own question, and not that of the statement
        let gives_text = entry.statement.is_some() && entry.method.class() == Class::Command;
        let own = if gives_text { words(entry, &TEXTS) } else { String::new() };
        if !own.is_empty() {
            self.statements.insert(place, own);
        } else if self.statements.get(&place).is_none() && self.statements.forgot() && entry.statement.is_some() {
            let text = self.text_before(at, place)?;
            self.statements.insert(place, text);
        }
        let connection = self.connections.get(&entry.connection).map_or("", String::as_str);
        let text = self.statements.get(&place).map_or("", String::as_str);
        Ok(format!("{connection} {text:?}"))
    }

    /// The text that a statement got before an entry, if that was too long ago to be held.
    fn text_before(&self, at: EntryRef, place: (ConnectionId, Option<u32>)) -> Result<String, CassetteError> {
        let mut found = String::new();
        self.storage.scan(&mut |other, head| {
            if other.offset >= at.offset || (head.connection, head.statement) != place {
                return Ok(());
            }
            if head.method == Method::Drop {
                found.clear();
            } else if head.method.class() == Class::Command {
                let own = words(&self.storage.entry(other)?, &TEXTS);
                found = if own.is_empty() { std::mem::take(&mut found) } else { own };
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// A statement or a connection is gone.
    fn forget(&mut self, head: Head) {
        match head.method {
            Method::Disconnect => _ = self.connections.remove(&head.connection),
            Method::Drop => self.statements.remove(&(head.connection, head.statement)),
            _ => {}
        }
    }
}

/// What names a statement.
const TEXTS: [Key; 2] = [Key::Sql, Key::Function];

fn words(entry: &Entry, keys: &[Key]) -> String {
    keys.iter().filter_map(|key| entry.get(*key)?.as_text()).collect::<Vec<_>>().join(" ")
}

fn item(storage: &dyn Store, at: EntryRef, entry: Entry, names: &mut Names<'_>) -> Result<Item, CassetteError> {
    let place = match entry.statement {
        Some(statement) => format!("{}/{statement}", entry.connection),
        None => entry.connection.to_string(),
    };
    let name = names.place(at, &entry)?;
    let mut inputs = Vec::new();
    for (key, value) in &entry.fields {
        match (key, value) {
            (Key::ParamsFile, Value::Text(part)) => inputs.push((*key, digest(storage, part)?)),
            (Key::RowsFile | Key::ColumnsFile | Key::N, _) => {}
            // however they are kept
            (Key::Rows, _) if is_fetch(entry.method) => {}
            (key, value) if !key.is_reply() => inputs.push((*key, format!("{value:?}"))),
            _ => {}
        }
    }
    // maps may be written in any order
    inputs.sort_by_key(|(key, _)| *key);
    let asked = format!("{} {name} {inputs:?}", entry.method.name());
    Ok(Item { at, entry, asked, place })
}

fn is_fetch(method: Method) -> bool {
    matches!(method, Method::Fetch | Method::FetchAll | Method::FetchMany)
}

/// The rows of a fetch, if that is what it is.
fn fetched<'i>(storage: &'i dyn Store, item: &'i Item) -> Result<Option<Rows<'i>>, CassetteError> {
    if !is_fetch(item.entry.method) {
        return Ok(None);
    }
    let Some(mut run) = cassette::rows(storage, item.at, item.entry.clone())? else { return Ok(None) };
    Ok(Some(Box::new(move || Ok(run.next()?.map(joined)))))
}

fn content<'i>(storage: &'i dyn Store, part: &str) -> Result<Rows<'i>, CassetteError> {
    let (mut rows, mut row) = (storage.rows(part)?, csv::ByteRecord::new());
    Ok(Box::new(move || Ok(rows.next(&mut row)?.then(|| joined(&row)))))
}

/// What stands for the parameters in a file: they may be more than can be held.
fn digest(storage: &dyn Store, part: &str) -> Result<String, CassetteError> {
    let (mut rows, mut digest) = (content(storage, part)?, Sha256::new());
    while let Some(row) = rows()? {
        digest.update(row);
        digest.update("\n");
    }
    Ok(format!("{:x}", digest.finalize()))
}

fn joined(row: &csv::ByteRecord) -> String {
    row.iter().map(String::from_utf8_lossy).collect::<Vec<_>>().join(BETWEEN)
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

    fn diff_with_parts(old: &Path, new: &Path) -> Result<Vec<Change>, Failure> {
        let mut changes = Vec::new();
        super::diff_with_parts(old, new, &mut |change| {
            changes.push(change);
            Ok(())
        })?;
        Ok(changes)
    }

    const LOG: &str = "- method: run\n  connection_id: a\n  statement_id: 1\n  sql: \"SELECT 1\"\n  params: [1]\n\
                       - method: fetch_all\n  connection_id: a\n  statement_id: 1\n  rows_file: a_1_fetch_all.csv\n\
                       - method: drop\n  connection_id: a\n  statement_id: 1\n  result: null\n";

    #[test]
    fn the_same_however_it_is_written() {
        let written = "# by hand\n- method: run\n  connection_id: a\n  statement_id: 1\n  params: [1]\n  sql: SELECT 1\n\
                       - {method: fetch_all, connection_id: a, statement_id: 1, rows_file: a_1_fetch_all.csv}\n";
        let (one, other) = (cassette(LOG, "1,x\n"), cassette(written, "\"1\",x\n"));
        assert_eq!(diff_with_parts(one.path(), other.path()).unwrap(), []);
    }

    #[test]
    fn rows_and_commands_that_differ() {
        let (one, other) = (cassette(LOG, "1,x\n2,y\n"), cassette(LOG, "1,x\n2,z\n3,y\n"));
        let changes = diff_with_parts(one.path(), other.path()).unwrap();
        assert_eq!((changes.len(), changes[0].sign, changes[0].new_line), (1, '~', Some(6)));
        assert_eq!(changes[0].details, ["rows: were 2, are 3", "row 2 - 2 | y", "row 2 + 2 | z", "row 3 + 3 | y"]);
        // a query more moves the numbers of those behind it, and nothing else
        let more = "- method: run\n  connection_id: a\n  statement_id: 1\n  sql: \"SELECT 0\"\n".to_owned();
        let moved = more + &LOG.replace("statement_id: 1", "statement_id: 2");
        let changes = diff_with_parts(one.path(), cassette(&moved, "1,x\n2,y\n").path()).unwrap();
        assert_eq!((changes.len(), changes[0].sign, changes[0].command.as_str()), (1, '+', "a/1 run \"SELECT 0\""));
        // and rows are the same wherever they stand
        let inline = LOG.replace("  rows_file: a_1_fetch_all.csv\n", "  rows:\n    - [\"1\", x]\n    - [\"2\", y]\n");
        assert_eq!(diff_with_parts(one.path(), cassette(&inline, "").path()).unwrap(), []);
        let other = cassette(&LOG.replace("SELECT 1", "SELECT 2"), "1,x\n2,y\n");
        let signs: String =
            diff_with_parts(one.path(), other.path()).unwrap().iter().map(|change| change.sign).collect();
        assert_eq!(signs, "--++", "what is fetched of another statement is something else");
    }

    #[test]
    fn an_answer_more_renames_nothing() {
        let ends = "- method: commit\n  connection_id: a\n";
        let answers = "- method: answer\n  connection_id: a\n  function: SQLGetConnectAttr\n  attribute: 109\n  result: shop\n\
                       - method: native_sql\n  connection_id: a\n  sql: \"SELECT 7\"\n  result: \"SELECT 7\"\n";
        let (one, other) =
            (cassette(&format!("{LOG}{ends}"), "1,x\n"), cassette(&format!("{answers}{LOG}{ends}"), "1,x\n"));
        let changes = diff_with_parts(one.path(), other.path()).unwrap();
        let signs: String = changes.iter().map(|change| change.sign).collect();
        assert_eq!(
            (signs.as_str(), changes.iter().all(|change| !change.command.contains("commit"))),
            ("++", true),
            "{changes:?}"
        );
    }

    #[test]
    fn columns_that_differ() {
        let log = LOG.to_owned()
            + "- method: columns\n  connection_id: a\n  statement_id: 1\n  columns_file: a_1_columns.yml\n";
        let with = |columns: &str| {
            let directory = cassette(&log, "1,x\n2,y\n");
            std::fs::write(directory.path().join("a_1_columns.yml"), columns).unwrap();
            directory
        };
        let one = with("- name: id\n  type: 4\n- name: price\n  type: 4\n  scale: 0\n");
        let other = with("- name: id\n  type: 4\n- name: price\n  type: 8\n- name: owner\n");
        let changes = diff_with_parts(one.path(), other.path()).unwrap();
        let told = [
            "columns: were 2, are 3",
            "column 2 (price): type: was 4, is 8",
            "column 2 (price): scale: was 0, is not recorded",
        ];
        assert_eq!((changes.len(), &changes[0].details[..]), (1, &told.map(str::to_owned)[..]));
    }

    #[test]
    fn a_difference_is_named_by_its_place() {
        let failed = |message: &str| {
            LOG.replace("  params: [1]\n", &format!("  params: [1]\n  return: SQL_ERROR\n  diagnostics:\n    - {{sqlstate: HY000, native: 1, message: {message}}}\n"))
        };
        let changes =
            diff_with_parts(cassette(&failed("one"), "1,x\n").path(), cassette(&failed("two"), "1,x\n").path())
                .unwrap();
        assert_eq!(changes[0].details, ["diagnostics[0].message: was \"one\", is \"two\""]);
        let changes = diff_with_parts(cassette(&failed("one"), "1,x\n").path(), cassette(LOG, "1,x\n").path()).unwrap();
        assert_eq!(changes[0].details[0], "return: was \"SQL_ERROR\", is not recorded");
    }
}
