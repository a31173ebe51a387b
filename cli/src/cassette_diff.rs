//! Compares two cassettes by what they mean, not by how they are written. [`diff_with_parts`] is the entry point.
//!
//! Commands are aligned by their inputs. Then their outcomes are compared, with the content of the files that they
//! name. Ids are ignored, because one more query changes the numbers of all that follow. Both cassettes and their rows
//! are read side by side, and only a window of each is held.

use crate::alignment::{self, Side, align};
use crate::cassette;
use crate::exit::Failure;
use crate::lru_map::LruMap;
use crate::output;
use crate::rows_diff::{self, Rows, SHOWN, Shown, Words, contrasted};
use indicatif::ProgressBar;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use super8_cassette::schema::Class;
use super8_cassette::summary::{show, summary};
use super8_cassette::{
    CassetteError, ConnectionId, Entry, EntryRef, Head, Key, Method, Store, Value, with_parts_or_alone,
};
use super8_matching::{Difference, difference_in};

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The part that it is in; `None` for the cassette itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// `-`: only in the first, `+`: only in the second, `~`: in both, with another reply.
    pub sign: char,
    /// The line in the first log.
    pub old_line: Option<u32>,
    /// The line in the second log.
    pub new_line: Option<u32>,
    /// The command in a few words.
    pub command: String,
    /// What differs: the reply, or the inputs if the command was changed.
    pub details: Vec<String>,
}

/// An entry with the texts by which it is aligned.
struct Item {
    at: EntryRef,
    entry: Entry,
    /// The place, the method and the inputs as one text: the key of the alignment.
    asked: String,
    /// The length of the place and the method in `asked`.
    kind: usize,
    /// The column file of the result that its rows belong to, if it is known.
    columns: Option<String>,
    /// The ids of the connection and the statement.
    place: String,
}

impl alignment::Item for Item {
    fn key(&self) -> &str {
        &self.asked
    }

    fn bytes(&self) -> usize {
        // a parsed entry takes about three times the memory of its text
        self.asked.len() + 3 * self.at.len as usize + size_of::<Item>()
    }
}

impl Item {
    fn command(&self) -> String {
        format!("{} {}", self.place, self.summary())
    }

    fn summary(&self) -> String {
        summary(&self.entry, 100)
    }

    /// Whether another item is likely the same command with a changed text or other values.
    fn resembles(&self, other: &Item) -> bool {
        self.asked[..self.kind] == other.asked[..other.kind]
            || self.entry.method == other.entry.method && self.summary() == other.summary()
    }
}

/// Compares two cassettes, and their parts of the same name, and hands each difference to `found`.
///
/// # Errors
/// A cassette cannot be read; or any error that `found` returns.
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

/// Compares two cassettes; one that is `None` counts as empty.
fn diff(
    old: Option<&Path>,
    new: Option<&Path>,
    found: &mut dyn FnMut(Change) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let bar = output::bar_of_bytes("comparing", old.map_or(0, cassette::bytes) + new.map_or(0, cassette::bytes));
    let bar = output::beside_text(bar);
    let [old, new] = [old, new].map(|path| path.map(cassette::open).transpose());
    let (old, new) = (old?, new?);
    let [old, new] = [&old, &new].map(|opened| opened.as_ref().map(|opened| &*opened.store));
    let mut gone = Unmatched::default();
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
                    (Side::Both(was, is), Some(old), Some(new)) => {
                        gone.clear();
                        changed((old, &was), (new, &is), &bar)?
                    }
                    (Side::Both(..), ..) => None,
                    (Side::Old(item), ..) => {
                        let change = alone('-', &item);
                        gone.keep(item);
                        Some(change)
                    }
                    (Side::New(item), old, Some(new)) => {
                        let mut change = alone('+', &item);
                        if let (Some(was), Some(old)) = (gone.take(&item), old) {
                            change.details = asked_otherwise((old, &was), (new, &item), &bar)?;
                        }
                        Some(change)
                    }
                    (Side::New(item), ..) => Some(alone('+', &item)),
                };
                change.map_or(Ok(()), &mut *found)
            })
        })
    });
    bar.finish_and_clear();
    outcome
}

/// Items of the first cassette that the second does not have, since the last item that is in both.
#[derive(Default)]
struct Unmatched {
    items: VecDeque<Item>,
    bytes: usize,
}

impl Unmatched {
    /// The most bytes that are held. Items beyond that are not compared with changed ones.
    const BYTES: usize = 1 << 20;

    fn keep(&mut self, item: Item) {
        let bytes = alignment::Item::bytes(&item);
        if self.bytes + bytes <= Unmatched::BYTES {
            self.bytes += bytes;
            self.items.push_back(item);
        }
    }

    /// Takes the item of the first cassette that this one of the second resembles, if there is one.
    fn take(&mut self, item: &Item) -> Option<Item> {
        let at = self.items.iter().take(100).position(|was| item.resembles(was))?;
        let was = self.items.remove(at)?;
        self.bytes -= alignment::Item::bytes(&was);
        Some(was)
    }

    fn clear(&mut self) {
        *self = Unmatched::default();
    }
}

/// Gives `read` a source of a cassette's entries, in order. Without a cassette the source is empty.
fn with_items(
    store: Option<&dyn Store>,
    bar: &ProgressBar,
    read: impl FnOnce(alignment::Source<'_, Item, Failure>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let Some(store) = store else { return read(&mut || Ok(None)) };
    let mut names = Names::of(store);
    cassette::with_entries(store, |entries| {
        read(&mut || {
            for next in &mut *entries {
                let (at, head) = next?;
                bar.inc(at.len.into());
                if head.method.class() == Class::Housekeeping {
                    names.forget(head);
                    continue;
                }
                return Ok(Some(item(store, at, store.entry(at)?, &mut names)?));
            }
            Ok(None)
        })
    })
}

/// Describes how the inputs of two commands differ: which value of which set, which place in a text.
fn asked_otherwise(
    (old, was): (&dyn Store, &Item),
    (new, is): (&dyn Store, &Item),
    bar: &ProgressBar,
) -> Result<Vec<String>, CassetteError> {
    let mut details = Vec::new();
    let is_params = |key: Key| matches!(key, Key::Params | Key::ParamsFile);
    let compared = |key: &Key| {
        !key.is_reply() && !is_params(*key) && !matches!(key, Key::Rows | Key::RowsFile | Key::ColumnsFile | Key::N)
    };
    let mut keys: Vec<Key> = was.entry.fields.iter().map(|(key, _)| *key).collect();
    keys.extend(is.entry.fields.iter().map(|(key, _)| *key).filter(|key| was.entry.get(*key).is_none()));
    for key in keys.into_iter().filter(compared) {
        details.extend(differing(key.name(), was.entry.get(key), is.entry.get(key)));
    }
    let ((before, were_several), (after, are_several)) = (params(old, &was.entry)?, params(new, &is.entry)?);
    if before.is_some() || after.is_some() {
        let none = || -> Rows<'_> { Box::new(|| Ok(None)) };
        let row = if were_several || are_several { "set" } else { "" };
        let words = Words { row, cell: "parameter", name: &|_| None };
        rows_diff::rows(before.unwrap_or_else(none), after.unwrap_or_else(none), words, bar, &mut details)?;
    }
    Ok(details)
}

/// Returns the parameters of an entry, and whether they are an array.
fn params<'i>(store: &'i dyn Store, entry: &'i Entry) -> Result<(Option<Rows<'i>>, bool), CassetteError> {
    if let Some(member) = entry.get(Key::ParamsFile).and_then(Value::as_text) {
        return Ok((Some(rows_diff::of_file(store, member)?), true));
    }
    let Some(params) = entry.get(Key::Params) else { return Ok((None, false)) };
    let is_array = params.as_list().is_some_and(|sets| sets.iter().any(|set| set.as_list().is_some()));
    Ok((Some(rows_diff::of_params(params)), is_array))
}

/// Describes the first difference of two values of a key, in words.
fn differing(name: &str, was: Option<&Value>, is: Option<&Value>) -> Option<String> {
    let Difference { place, recorded, asked } = difference_in(name, was, is)?;
    Some(match (&recorded, &asked) {
        (Some(Value::Text(was)), Some(Value::Text(is))) => {
            format!("{place}: {}", contrasted(&Shown::Text(was), &Shown::Text(is)))
        }
        (was, is) => format!("{place}: was {}, is {}", shown(was.as_ref(), 200), shown(is.as_ref(), 200)),
    })
}

/// Compares the replies to a command that is in both cassettes.
fn changed(old: (&dyn Store, &Item), new: (&dyn Store, &Item), bar: &ProgressBar) -> Result<Option<Change>, Failure> {
    let mut details = Vec::new();
    let (was, is) = (Reply::of(old)?, Reply::of(new)?);
    let mut keys: Vec<Key> = was.values.iter().map(|(key, _)| *key).collect();
    keys.extend(is.values.iter().map(|(key, _)| *key).filter(|key| was.get(*key).is_none()));
    for key in keys {
        details.extend(differing(key.name(), was.get(key), is.get(key)));
    }
    columns(&was.columns, &is.columns, &mut details);
    let ((of_old, old), (of_new, new)) = (old, new);
    let name = |at: usize| column_name(of_new, new, at).or_else(|| column_name(of_old, old, at));
    let words = Words { row: "row", cell: "column", name: &name };
    rows_diff::rows(was.rows, is.rows, words, bar, &mut details)?;
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

/// Returns the name of a column of the result that an item's rows belong to.
fn column_name(store: &dyn Store, item: &Item, at: usize) -> Option<String> {
    let columns = store.document(item.columns.as_deref()?).ok()?;
    let column = columns.as_list()?.get(at)?;
    column.get("name").or(column.get("label")).and_then(Value::as_text).map(str::to_owned)
}

/// The reply to a command.
struct Reply<'i> {
    values: Vec<(Key, &'i Value)>,
    columns: Vec<Value>,
    rows: Rows<'i>,
}

impl<'i> Reply<'i> {
    fn get(&self, key: Key) -> Option<&'i Value> {
        self.values.iter().find(|(name, _)| *name == key).map(|(_, value)| *value)
    }

    fn of((store, item): (&'i dyn Store, &'i Item)) -> Result<Reply<'i>, CassetteError> {
        let fetched = fetched(store, item)?;
        // rows are compared as rows, whether they are inline or in a file
        let of_rows = |key: Key| fetched.is_some() && matches!(key, Key::Result | Key::Rows | Key::RowsFile);
        let (mut values, mut columns, mut rows) = (Vec::new(), Vec::new(), None);
        for (key, value) in item.entry.fields.iter().filter(|(key, _)| !of_rows(*key)) {
            match (key, value) {
                (Key::RowsFile, Value::Text(member)) => rows = Some(rows_diff::of_file(store, member)?),
                (Key::ColumnsFile, Value::Text(member)) => {
                    columns = store.document(member)?.as_list().unwrap_or_default().to_vec();
                }
                // `n` is compared with the rows
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
            let difference = differing(key, was.get(key), is.get(key));
            found.extend(difference.map(|difference| format!("column {} ({name}): {difference}", at + 1)));
        }
    }
    push_first(found, details);
}

/// Adds the first of the differences that were found, and how many more there are.
fn push_first(mut found: Vec<String>, details: &mut Vec<String>) {
    let more = found.len().saturating_sub(SHOWN);
    found.truncate(SHOWN);
    details.append(&mut found);
    if more > 0 {
        details.push(format!("and {more} more"));
    }
}

/// Gives connections and statements names that do not depend on their ids.
struct Names<'s> {
    store: &'s dyn Store,
    connections: HashMap<ConnectionId, String>,
    /// The number of connections made so far with the same connect arguments.
    alike: HashMap<String, usize>,
    /// The texts of statements.
    statements: LruMap<(ConnectionId, Option<u32>), String>,
    /// The columns files of their results.
    columns: LruMap<(ConnectionId, Option<u32>), String>,
}

/// How many statements' texts are held (up to twice as many).
const STATEMENTS: usize = 10_000;

impl<'s> Names<'s> {
    fn of(store: &'s dyn Store) -> Self {
        let (connections, alike) = (HashMap::new(), HashMap::new());
        let (statements, columns) = (LruMap::with_limit(STATEMENTS), LruMap::with_limit(STATEMENTS));
        Names { store, connections, alike, statements, columns }
    }

    /// Returns where an entry happened, as a text without ids: on which of the connections to what, and on the
    /// statement with which text.
    fn place(&mut self, at: EntryRef, entry: &Entry) -> Result<String, CassetteError> {
        if entry.method == Method::Connect {
            let to = words(entry, &[Key::Dsn, Key::Driver, Key::ConnectionString]);
            let number = self.alike.entry(to.clone()).or_default();
            *number += 1;
            self.connections.insert(entry.connection, format!("{to} {number}"));
        }
        let place = (entry.connection, entry.statement);
        // only commands name their statement; an answer's `function` is that of its own question
        let gives_text = entry.statement.is_some() && entry.method.class() == Class::Command;
        let own = if gives_text { words(entry, &TEXTS) } else { String::new() };
        if let Some(file) = entry.get(Key::ColumnsFile).and_then(Value::as_text) {
            self.columns.insert(place, file.to_owned());
        }
        if !own.is_empty() {
            if self.statements.get(&place) != Some(&own) {
                self.columns.remove(&place);
            }
            self.statements.insert(place, own);
        } else if self.statements.get(&place).is_none() && self.statements.forgot() && entry.statement.is_some() {
            let text = self.text_before(at, place)?;
            self.statements.insert(place, text);
        }
        let connection = self.connections.get(&entry.connection).map_or("", String::as_str);
        let text = self.statements.get(&place).map_or("", String::as_str);
        Ok(format!("{connection} {text:?}"))
    }

    /// Reads the text that a statement got before an entry from the log, for texts that are no longer held.
    fn text_before(&self, at: EntryRef, place: (ConnectionId, Option<u32>)) -> Result<String, CassetteError> {
        let mut found = String::new();
        self.store.scan(&mut |other, head| {
            if other.offset >= at.offset || (head.connection, head.statement) != place {
                return Ok(());
            }
            if head.method == Method::Drop {
                found.clear();
            } else if head.method.class() == Class::Command {
                let own = words(&self.store.entry(other)?, &TEXTS);
                found = if own.is_empty() { std::mem::take(&mut found) } else { own };
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Forgets a statement or a connection that was freed or closed.
    fn forget(&mut self, head: Head) {
        match head.method {
            Method::Disconnect => _ = self.connections.remove(&head.connection),
            Method::Drop => {
                self.statements.remove(&(head.connection, head.statement));
                self.columns.remove(&(head.connection, head.statement));
            }
            _ => {}
        }
    }
}

/// The keys that name a statement.
const TEXTS: [Key; 2] = [Key::Sql, Key::Function];

fn words(entry: &Entry, keys: &[Key]) -> String {
    let words: Vec<&str> = keys.iter().filter_map(|key| entry.get(*key)?.as_text()).collect();
    match &words[..] {
        [word] => Bounded::of(format_args!("{word}")),
        words => Bounded::of(format_args!("{}", words.join(" "))),
    }
}

/// A text that is only compared with others: itself, or its digest if it is long. A statement of 60 MB would be held a dozen times.
#[derive(Default)]
struct Bounded {
    text: String,
    digest: Option<Sha256>,
}

impl Bounded {
    /// The longest text that is held itself.
    const LONGEST: usize = 4096;

    fn of(words: std::fmt::Arguments<'_>) -> String {
        let mut bounded = Bounded::default();
        _ = bounded.write_fmt(words);
        match bounded.digest {
            None => bounded.text,
            Some(digest) => format!("sha256 {:x}", digest.finalize()),
        }
    }
}

impl Write for Bounded {
    fn write_str(&mut self, more: &str) -> std::fmt::Result {
        match &mut self.digest {
            Some(digest) => digest.update(more),
            None if self.text.len() + more.len() <= Bounded::LONGEST => self.text.push_str(more),
            None => self.digest = Some(Sha256::new_with_prefix(&self.text).chain_update(more)),
        }
        Ok(())
    }
}

fn item(store: &dyn Store, at: EntryRef, entry: Entry, names: &mut Names<'_>) -> Result<Item, CassetteError> {
    let place = match entry.statement {
        Some(statement) => format!("{}/{statement}", entry.connection),
        None => entry.connection.to_string(),
    };
    let name = names.place(at, &entry)?;
    let mut inputs = Vec::new();
    for (key, value) in &entry.fields {
        match (key, value) {
            (Key::ParamsFile, Value::Text(member)) => inputs.push((*key, digest(store, member)?)),
            (Key::RowsFile | Key::ColumnsFile | Key::N, _) => {}
            // rows are compared as rows, whether they are inline or in a file
            (Key::Rows, _) if is_fetch(entry.method) => {}
            (key, value) if !key.is_reply() => inputs.push((*key, Bounded::of(format_args!("{value:?}")))),
            _ => {}
        }
    }
    // maps may be written in any order
    inputs.sort_by_key(|(key, _)| *key);
    let mut asked = format!("{} {name}", entry.method.name());
    let kind = asked.len();
    _ = write!(asked, " {inputs:?}");
    let columns = if is_fetch(entry.method) { names.columns.get(&(entry.connection, entry.statement)) } else { None };
    let columns = columns.cloned();
    Ok(Item { at, entry, asked, kind, columns, place })
}

fn is_fetch(method: Method) -> bool {
    matches!(method, Method::Fetch | Method::FetchAll | Method::FetchMany)
}

/// Returns the rows of a fetch; `None` if the entry is no fetch.
fn fetched<'i>(store: &'i dyn Store, item: &'i Item) -> Result<Option<Rows<'i>>, CassetteError> {
    if !is_fetch(item.entry.method) {
        return Ok(None);
    }
    let Some(mut run) = cassette::rows(store, item.at, item.entry.clone())? else { return Ok(None) };
    Ok(Some(Box::new(move || Ok(run.next()?.map(rows_diff::joined)))))
}

/// Returns a digest of the parameters in a file, because they may be too many to hold.
fn digest(store: &dyn Store, member: &str) -> Result<String, CassetteError> {
    let (mut rows, mut digest) = (rows_diff::of_file(store, member)?, Sha256::new());
    while let Some(row) = rows()? {
        digest.update(row);
        digest.update("\n");
    }
    Ok(format!("{:x}", digest.finalize()))
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
        assert_eq!(
            changes[0].details,
            ["rows: were 2, are 3", "row 2, column 2: was \"y\", is \"z\"", "row 3 + 3 | y"]
        );
        // one more query changes the numbers of those behind it, and nothing else
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
    fn long_texts_are_compared_to_their_ends() {
        let with =
            |end: &str| cassette(&LOG.replace("SELECT 1", &format!("SELECT {}{end}", "x".repeat(10_000))), "1,x\n");
        let (one, same, other) = (with("a"), with("a"), with("b"));
        assert_eq!(diff_with_parts(one.path(), same.path()).unwrap(), []);
        let changes = diff_with_parts(one.path(), other.path()).unwrap();
        assert_eq!(changes.iter().map(|change| change.sign).collect::<String>(), "--++");
    }

    #[test]
    fn a_changed_parameter_is_named() {
        let details = |old: &str, new: &str| {
            let [old, new] = [old, new].map(|params| LOG.replace("[1]", params));
            let changes = diff_with_parts(cassette(&old, "1,x\n").path(), cassette(&new, "1,x\n").path()).unwrap();
            let signs: String = changes.iter().map(|change| change.sign).collect();
            assert_eq!(signs, "-+");
            changes[1].details.join("; ")
        };
        assert_eq!(details("[1, x]", "[1, z]"), "parameter 2: was \"x\", is \"z\"");
        assert_eq!(details("[[1, x], [2, y]]", "[[1, x], [3, y]]"), "set 2, parameter 1: was 2, is 3");
        assert_eq!(details("[[1, x], [2, y]]", "[[1, x]]"), "sets: were 2, are 1; set 2 - 2 | y");
        // in files, which have the same names in both logs
        let log = LOG.replace("  params: [1]\n", "  params_file: a_1_run.csv\n  types: [integer, text]\n");
        let with = |sets: &str| {
            let directory = cassette(&log, "1,x\n");
            std::fs::write(directory.path().join("a_1_run.csv"), sets).unwrap();
            directory
        };
        let sets: String = (0..20).map(|set| format!("{set},x\n")).collect();
        let changes = diff_with_parts(with(&sets).path(), with(&sets.replace("7,x\n8,x\n", "7,y\n8,x\n")).path());
        let changes = changes.unwrap();
        assert_eq!(changes.len(), 2, "{changes:?}");
        assert_eq!(changes[1].details, ["set 8, parameter 2: was \"x\", is \"y\""]);
        // a text that is too long to be shown whole
        let long = "SELECT ".to_owned() + &"a, ".repeat(100);
        let [old, new] = ["b", "c"].map(|last| LOG.replace("SELECT 1", &format!("{long}{last}")));
        let changes = diff_with_parts(cassette(&old, "1,x\n").path(), cassette(&new, "1,x\n").path()).unwrap();
        let details: Vec<&str> = changes.iter().flat_map(|change| &change.details).map(String::as_str).collect();
        assert!(details[0].starts_with("sql: at character 308: was ") && details[0].ends_with("a, c\""), "{details:?}");
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
        let details = [
            "columns: were 2, are 3",
            "column 2 (price): type: was 4, is 8",
            "column 2 (price): scale: was 0, is not recorded",
        ];
        assert_eq!((changes.len(), &changes[0].details[..]), (1, &details.map(str::to_owned)[..]));
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
