//! `super8 diff`: two cassettes compared by what they mean, not by how they are written.
//!
//! Commands are brought side by side by what was asked. Then what came of them is compared, with the content of the files they
//! name. Ids mean nothing: one query more moves the numbers of all behind it.

use crate::exit::{Exit, Failure, Outcome};
use crate::folder::{Cassettes, Member};
use crate::{cassette, output};
use clap::Args;
use serde::Serialize;
use similar::{Algorithm, DiffOp, capture_diff_slices};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Write;
use std::path::{Path, PathBuf};
use super8_cassette::player::{Difference, difference_in};
use super8_cassette::schema::Class;
use super8_cassette::summary::{show, summary};
use super8_cassette::{CassetteError, ConnectionId, Entry, EntryRef, Key, Method, Store, Value, with_parts_or_alone};

/// `super8 diff A B`
#[derive(Args)]
#[command(after_help = "\
Compares commands with their inputs, what came of them, rows and columns. Not compared: how the YAML is written, when and with \
what it was recorded, ids of connections and statements, names of files, closing and freeing.

Two folders are compared cassette by cassette, by their names in the folders.

Exit code 1: they differ.

Examples:
  super8 diff cassettes/orders /tmp/orders-of-today
  super8 diff tapes /tmp/tapes-of-today")]
pub struct Diff {
    /// The cassette that was, or a folder of cassettes
    old: PathBuf,
    /// The cassette that is, or a folder of cassettes
    new: PathBuf,
    /// Write JSON
    #[arg(long)]
    json: bool,
}

impl Diff {
    /// Compares them.
    pub fn run(self) -> Outcome {
        let (old, new) = (Cassettes::find(&self.old)?, Cassettes::find(&self.new)?);
        match (old.folder, new.folder) {
            (true, true) => return self.folders(&old.members, &new.members),
            (false, false) => {}
            (of_old, _) => {
                let (folder, cassette) = if of_old { (&self.old, &self.new) } else { (&self.new, &self.old) };
                let (folder, cassette) = (folder.display(), cassette.display());
                return Err(Failure::new(format_args!(
                    "{folder} is a folder of cassettes and {cassette} is not: compare two folders, or two cassettes"
                )));
            }
        }
        let changes = diff_with_parts(&self.old, &self.new)?;
        let exit = if changes.is_empty() { Exit::Done } else { Exit::Found };
        if self.json {
            output::json(&changes)?;
            return Ok(exit);
        }
        let mut out = output::text();
        write(&mut out, &changes)?;
        match changes.len() {
            0 => writeln!(out, "the same commands, rows and columns")?,
            count => writeln!(out, "{count} differ (lines of the first and the second commands.yml)")?,
        }
        output::finish(out)?;
        Ok(exit)
    }

    /// Compares the cassettes of two folders, by their names in them. One that cannot be read does not keep the others from it.
    fn folders(&self, old: &[Member], new: &[Member]) -> Outcome {
        let by_name = |members: &[Member]| -> BTreeMap<PathBuf, PathBuf> {
            members.iter().map(|member| (member.name.clone(), member.path.clone())).collect()
        };
        let (old, new) = (by_name(old), by_name(new));
        let names: BTreeSet<&PathBuf> = old.keys().chain(new.keys()).collect();
        let found = |name: &PathBuf| match (old.get(name), new.get(name)) {
            (Some(old), Some(new)) => match diff_with_parts(old, new) {
                Ok(changes) => Found::Changes { changes },
                Err(failure) => Found::Error { error: failure.to_string() },
            },
            (old, _) => Found::OnlyIn { only_in: if old.is_some() { "old" } else { "new" } },
        };
        let all: Vec<OfCassette> =
            names.iter().map(|name| OfCassette { cassette: name.display().to_string(), found: found(name) }).collect();
        let differing: Vec<&OfCassette> = all.iter().filter(|one| !one.found.is_same()).collect();
        let errors: Vec<&String> = all.iter().filter_map(|one| one.found.error()).collect();
        if self.json {
            output::json(&differing)?;
        } else {
            let mut out = output::text();
            for OfCassette { cassette, found } in &all {
                match found {
                    Found::OnlyIn { only_in: "old" } => writeln!(out, "- {cassette}: only in {}", self.old.display())?,
                    Found::OnlyIn { .. } => writeln!(out, "+ {cassette}: only in {}", self.new.display())?,
                    Found::Error { .. } => writeln!(out, "{cassette}: not compared")?,
                    Found::Changes { changes } if changes.is_empty() => writeln!(out, "{cassette}: the same")?,
                    Found::Changes { changes } => {
                        writeln!(out, "{cassette}: {} differ", changes.len())?;
                        write(&mut out, changes)?;
                    }
                }
            }
            writeln!(out, "{} cassettes compared, {} differ", all.len(), differing.len() - errors.len())?;
            output::finish(out)?;
            errors.iter().for_each(|error| Failure::new(error).say());
        }
        Ok(match (errors.is_empty(), differing.is_empty()) {
            (false, _) => Exit::Failed,
            (true, false) => Exit::Found,
            (true, true) => Exit::Done,
        })
    }
}

/// Writes what differs in one cassette.
fn write(out: &mut impl Write, changes: &[Change]) -> std::io::Result<()> {
    let mut last = &None;
    for Change { part, sign, old_line, new_line, command, details } in changes {
        if let (Some(part), true) = (part, part != last) {
            writeln!(out, "{part}:")?;
        }
        last = part;
        let line = |line: &Option<u32>| line.map_or_else(|| "-".to_owned(), |line| line.to_string());
        writeln!(out, "{sign} {:>6} {:>6}  {command}", line(old_line), line(new_line))?;
        for detail in details {
            writeln!(out, "                   {detail}")?;
        }
    }
    Ok(())
}

/// What was found of one cassette of two folders.
#[derive(Serialize)]
struct OfCassette {
    cassette: String,
    #[serde(flatten)]
    found: Found,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Found {
    /// What differs; nothing if it is the same.
    Changes { changes: Vec<Change> },
    /// It is in one of the folders only, `old` or `new`.
    OnlyIn { only_in: &'static str },
    /// It cannot be read.
    Error { error: String },
}

impl Found {
    fn is_same(&self) -> bool {
        matches!(self, Found::Changes { changes } if changes.is_empty())
    }

    fn error(&self) -> Option<&String> {
        if let Found::Error { error } = self { Some(error) } else { None }
    }
}

/// Rows that are shown of one result, and as many differences of its columns.
const SHOWN: usize = 5;

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Change {
    /// The part in which it is; none of the cassette itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<String>,
    /// `-`: only in the first, `+`: only in the second, `~`: asked in both, with another reply.
    sign: char,
    /// The line in the first log.
    old_line: Option<u32>,
    /// The line in the second log.
    new_line: Option<u32>,
    /// The command in a few words.
    command: String,
    /// What differs in the reply.
    details: Vec<String>,
}

/// An entry with all it names.
struct Item {
    line: u32,
    /// Where and what was asked.
    asked: String,
    command: String,
    reply: Vec<(Key, Value)>,
    columns: Vec<Value>,
    rows: Vec<String>,
}

/// What differs between two cassettes and their parts of the same names.
///
/// # Errors
/// A cassette cannot be read.
fn diff_with_parts(old: &Path, new: &Path) -> Result<Vec<Change>, Failure> {
    let by_name = |cassette: &Path| -> BTreeMap<Option<String>, PathBuf> {
        let all = with_parts_or_alone(cassette).into_iter();
        let name = |part: &Path| part.file_name().map(|name| name.to_string_lossy().into_owned());
        all.map(|part| (name(&part).filter(|_| part != cassette), part)).collect()
    };
    let (old, new) = (by_name(old), by_name(new));
    let names: BTreeSet<&Option<String>> = old.keys().chain(new.keys()).collect();
    let mut changes = Vec::new();
    for name in names {
        let found = diff(old.get(name).map(PathBuf::as_path), new.get(name).map(PathBuf::as_path))?;
        changes.extend(found.into_iter().map(|change| Change { part: name.clone(), ..change }));
    }
    Ok(changes)
}

/// What differs between two cassettes; nothing is in one that is not there.
fn diff(old: Option<&Path>, new: Option<&Path>) -> Result<Vec<Change>, Failure> {
    let read = |cassette: Option<&Path>| cassette.map(items).transpose().map(Option::unwrap_or_default);
    let (old, new) = (read(old)?, read(new)?);
    let asked = |items: &[Item]| items.iter().map(|item| item.asked.clone()).collect::<Vec<_>>();
    let mut changes = Vec::new();
    for operation in capture_diff_slices(Algorithm::Patience, &asked(&old), &asked(&new)) {
        if let DiffOp::Equal { old_index, new_index, len } = operation {
            let pairs = old[old_index..].iter().zip(&new[new_index..]).take(len);
            changes.extend(pairs.filter_map(|(old, new)| changed(old, new)));
            continue;
        }
        let alone = |sign: char, item: &Item| Change {
            part: None,
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
    let of = |item: &Item, key: Key| item.reply.iter().find(|(name, _)| *name == key).map(|(_, value)| value.clone());
    let mut keys: Vec<Key> = old.reply.iter().map(|(key, _)| *key).collect();
    keys.extend(new.reply.iter().map(|(key, _)| *key).filter(|key| of(old, *key).is_none()));
    for key in keys {
        if let Some(Difference { place, recorded, asked }) =
            difference_in(key.name(), of(old, key).as_ref(), of(new, key).as_ref())
        {
            details.push(format!("{place}: was {}, is {}", shown(recorded.as_ref(), 200), shown(asked.as_ref(), 200)));
        }
    }
    columns(&old.columns, &new.columns, &mut details);
    rows(&old.rows, &new.rows, &mut details);
    let (old_line, new_line) = (Some(old.line), Some(new.line));
    let change =
        || Change { part: None, sign: '~', old_line, new_line, command: new.command.clone(), details: details.clone() };
    (!details.is_empty()).then(change)
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

fn rows(old: &[String], new: &[String], details: &mut Vec<String>) {
    if old.len() != new.len() {
        details.push(format!("rows: were {}, are {}", old.len(), new.len()));
    }
    let mut found = Vec::new();
    for operation in capture_diff_slices(Algorithm::Patience, old, new) {
        if matches!(operation, DiffOp::Equal { .. }) {
            continue;
        }
        for (sign, range, all) in [('-', operation.old_range(), old), ('+', operation.new_range(), new)] {
            for at in range {
                found.push(format!("row {} {sign} {}", at + 1, all[at].replace(BETWEEN, " | ")));
            }
        }
    }
    push_first(found, details);
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

fn items(path: &Path) -> Result<Vec<Item>, Failure> {
    let opened = cassette::open(path)?;
    let storage = &*opened.storage;
    let mut places = Vec::new();
    storage.scan(&mut |place, head| {
        if head.method.class() != Class::Housekeeping {
            places.push(place);
        }
        Ok(())
    })?;
    let mut names = Names::default();
    places.into_iter().map(|place| Ok(item(storage, place, storage.entry(place)?, &mut names)?)).collect()
}

/// What connections and statements are known by, whatever their ids.
#[derive(Default)]
struct Names {
    connections: HashMap<ConnectionId, String>,
    /// How many connections were made with the same words.
    alike: HashMap<String, usize>,
    statements: HashMap<(ConnectionId, Option<u32>), String>,
}

impl Names {
    /// Where an entry happened: on which of the connections to what, on the statement of which text.
    fn of(&mut self, entry: &Entry) -> String {
        let words =
            |keys: &[Key]| keys.iter().filter_map(|key| entry.get(*key)?.as_text()).collect::<Vec<_>>().join(" ");
        if entry.method == Method::Connect {
            let to = words(&[Key::Dsn, Key::Driver, Key::ConnectionString]);
            let number = self.alike.entry(to.clone()).or_default();
            *number += 1;
            self.connections.insert(entry.connection, format!("{to} {number}"));
        }
        let (place, text) = ((entry.connection, entry.statement), words(&[Key::Sql, Key::Function]));
        if !text.is_empty() {
            self.statements.insert(place, text);
        }
        let name = |name: Option<&String>| name.cloned().unwrap_or_default();
        format!("{} {:?}", name(self.connections.get(&entry.connection)), name(self.statements.get(&place)))
    }
}

fn item(storage: &dyn Store, at: EntryRef, mut entry: Entry, names: &mut Names) -> Result<Item, CassetteError> {
    let command = summary(&entry, 100);
    let place = match entry.statement {
        Some(statement) => format!("{}/{statement}", entry.connection),
        None => entry.connection.to_string(),
    };
    let name = names.of(&entry);
    let mut rows = fetched(storage, at, &entry)?;
    if rows.is_some() {
        // however they are kept
        entry.fields.retain(|(key, _)| ![Key::Result, Key::Rows, Key::RowsFile].contains(key));
    }
    let (mut inputs, mut reply, mut columns) = (Vec::new(), Vec::new(), Vec::new());
    for (key, value) in std::mem::take(&mut entry.fields) {
        match (key, value) {
            (Key::RowsFile, Value::Text(part)) => rows = Some(content(storage, &part)?),
            (Key::ColumnsFile, Value::Text(part)) => {
                columns = storage.document(&part)?.as_list().unwrap_or_default().to_vec();
            }
            (Key::ParamsFile, Value::Text(part)) => inputs.push((key, Value::from(content(storage, &part)?))),
            // the count of rows is theirs
            (Key::N, _) => {}
            (_, value) if key.is_reply() => reply.push((key, value)),
            (_, value) => inputs.push((key, value)),
        }
    }
    // maps may be written in any order
    inputs.sort_by_key(|(key, _)| *key);
    let asked = format!("{} {name} {inputs:?}", entry.method.name());
    let (line, command, rows) = (at.line, format!("{place} {command}"), rows.unwrap_or_default());
    Ok(Item { line, asked, command, reply, columns, rows })
}

/// The rows of a fetch, if that is what it is.
fn fetched(storage: &dyn Store, place: EntryRef, entry: &Entry) -> Result<Option<Vec<String>>, CassetteError> {
    if !matches!(entry.method, Method::Fetch | Method::FetchAll | Method::FetchMany) {
        return Ok(None);
    }
    let Some(mut run) = cassette::rows(storage, place, entry.clone())? else { return Ok(None) };
    let mut rows = Vec::new();
    while let Some(row) = run.next()? {
        rows.push(joined(row));
    }
    Ok(Some(rows))
}

fn content(storage: &dyn Store, part: &str) -> Result<Vec<String>, CassetteError> {
    let (mut rows, mut row, mut all) = (storage.rows(part)?, csv::ByteRecord::new(), Vec::new());
    while rows.next(&mut row)? {
        all.push(joined(&row));
    }
    Ok(all)
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
