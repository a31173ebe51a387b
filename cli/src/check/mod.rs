//! Checks a cassette: [`check`] reads everything in it and returns what is wrong, with file and line.

mod secrets;
#[cfg(test)]
mod tests;

use crate::cassette::{self, with_entries};
use crate::output;
use csv::ByteRecord;
use indicatif::ProgressBar;
use serde::Serialize;
use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use super8_cassette::{
    CassetteError, Cell, ConnectionId, Entry, EntryRef, ErrorKind, Format, Key, Member, Metadata, Method, Store, Value,
    Volatile, VolatileRules, by_hand, cell, check, directory, ndjson, staging_directory, store::info_file, whole_entry,
};
use super8_matching::{PlayedRun, columns};
use super8_shim::convert::{self, CType};

/// The size in bytes from which a cassette is reported as a burden for a repository.
const LARGE: u64 = 1 << 20;
/// The size in bytes from which an entry, a row or a document is reported, because nobody reads one that long.
const LONG: u64 = 1 << 18;

/// The kind of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Something cannot be read or played.
    Unreadable,
    /// A member that an entry names is not there.
    Missing,
    /// A file or a record that no entry names.
    Orphan,
    /// A member is there twice.
    Duplicate,
    /// Something looks like a secret.
    Secret,
    /// `volatile` has an item that means nothing, or names nothing.
    Volatile,
    /// Larger than is good for a repository.
    Large,
    /// Something was wrong, and was corrected.
    Fixed,
}

impl Kind {
    /// Returns the name of the kind in the output.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Unreadable => "unreadable",
            Kind::Missing => "missing",
            Kind::Orphan => "orphan",
            Kind::Duplicate => "duplicate",
            Kind::Secret => "secret",
            Kind::Volatile => "volatile",
            Kind::Large => "large",
            Kind::Fixed => "fixed",
        }
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Finding {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: Option<u64>,
    /// Its kind.
    pub kind: Kind,
    /// What is wrong, and what to do about it.
    pub message: String,
}

/// Checks a cassette, or all traces if the path is a directory of traces.
pub fn check(path: &Path) -> Vec<Finding> {
    if path.is_dir() && Format::of(path) == Some(Format::Ndjson) {
        let traces = ndjson::traces(path).into_iter().map(|id| path.join(id.file_name()));
        return traces.flat_map(|trace| one(&trace)).collect();
    }
    one(path)
}

/// Checks a place where there is only a recording that did not end.
pub fn unfinished(path: &Path) -> Vec<Finding> {
    let mut findings = Findings { path, found: Vec::new(), seen: HashSet::new() };
    findings.recording(path);
    findings.found
}

fn one(path: &Path) -> Vec<Finding> {
    let mut findings = Findings { path, found: Vec::new(), seen: HashSet::new() };
    if by_hand::is_by_hand(path)
        && let Ok(problems) = by_hand::problems(path)
        && !problems.is_empty()
    {
        problems.iter().for_each(|problem| findings.unreadable(problem));
        return findings.found;
    }
    match super8_cassette::open(path).and_then(|store| Ok((store.metadata()?, store))) {
        Err(error) => {
            findings.unreadable(&error);
            findings.found
        }
        Ok((metadata, store)) => {
            findings.state(path, &metadata);
            let store = &*store;
            let members = store.members().inspect_err(|error| findings.unreadable(error)).unwrap_or_default();
            let members: HashMap<&str, &Member> = members.iter().map(|member| (member.name.as_str(), member)).collect();
            let named = HashSet::new();
            let unbound = HashMap::new();
            // the rules were checked when `metadata.yml` was read
            let rules = VolatileRules::new(&metadata.volatile).unwrap_or_default();
            let texts = HashMap::new();
            let bar = output::bar_of_bytes("checking", cassette::bytes(path));
            let mut check = Check { store, members, named, rules, texts, unbound, findings, bar };
            check.entries();
            check.bar.finish_and_clear();
            check.unnamed();
            check.size();
            let mut findings = check.findings;
            // anything else that is unreadable has been found by now
            if findings.found.is_empty()
                && let Err(error) = store.contents()
            {
                findings.unreadable(&error);
            }
            findings.found
        }
    }
}

/// Corrects the number of rows (`n`) in entries whose rows files have another number, because somebody added or removed
/// rows. Returns what it changed.
///
/// # Errors
/// The cassette cannot be read or written.
pub fn fix(path: &Path) -> Result<Vec<Finding>, CassetteError> {
    let mut fixed = Vec::new();
    if path.is_file() || Format::of(path) != Some(Format::Yaml) || by_hand::is_by_hand(path) {
        return Ok(fixed);
    }
    let store = super8_cassette::open(path)?;
    let log = path.join(directory::COMMANDS);
    let read = |error: io::Error| CassetteError::io(&log, "read", &error);
    let mut places = Vec::new();
    store.scan(&mut |place, head| {
        places.extend(head.method.is_rows().then_some(place));
        Ok(())
    })?;
    let text = std::fs::read_to_string(&log).map_err(read)?;
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    for place in places {
        let entry = store.entry(place)?;
        let (Some(said), Some(Value::Text(member))) =
            (entry.get(Key::N).and_then(Value::as_int), entry.get(Key::RowsFile))
        else {
            continue;
        };
        let Ok(mut rows) = store.rows(member) else { continue };
        let (mut row, mut there) = (csv::ByteRecord::new(), 0);
        while rows.next(&mut row)? {
            there += 1;
        }
        let number = store.line_of(place, Key::N.name());
        let Some(line) = lines.get_mut(number as usize - 1).filter(|_| there != said) else { continue };
        // the text after the last colon is the value of `n`, unless the whole entry is on one line
        let (key, value) = line.rsplit_once(':').unwrap_or_default();
        if !key.trim_matches([' ', '-', '"', '\'']).eq("n") {
            continue;
        }
        *line = format!("{key}:{}", value.replacen(&said.to_string(), &there.to_string(), 1));
        let message = format!("n was {said}, and {member} has {there} rows: it is {there} now");
        fixed.push(Finding { file: log.clone(), line: Some(number.into()), kind: Kind::Fixed, message });
    }
    if !fixed.is_empty() {
        std::fs::write(&log, lines.concat()).map_err(|error| CassetteError::io(&log, "write", &error))?;
    }
    Ok(fixed)
}

/// The least length of a marked value that is searched for elsewhere. Shorter ones appear in many places with another
/// meaning.
const TELLING: usize = 3;
/// The length from which replay binds texts and numbers.
const BOUND: usize = 6;

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Int(number) => Some(number.to_string()),
        _ => None,
    }
}

fn scalars(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::List(items) => items.iter().for_each(|item| scalars(item, out)),
        Value::Map(pairs) => pairs.iter().for_each(|(_, item)| scalars(item, out)),
        other => out.extend(scalar(other)),
    }
}

/// The findings so far in the cassette at `path`.
struct Findings<'p> {
    path: &'p Path,
    found: Vec<Finding>,
    seen: HashSet<Finding>,
}

impl Findings<'_> {
    fn add(&mut self, file: &Path, line: Option<u64>, kind: Kind, message: impl ToString) {
        let finding = Finding { file: file.to_owned(), line, kind, message: message.to_string() };
        // The same problem of a file comes up again with each of its members.
        if self.seen.insert(finding.clone()) {
            self.found.push(finding);
        }
    }

    fn unreadable(&mut self, error: &CassetteError) {
        // with the path as the user gave it
        let root = std::path::absolute(self.path).unwrap_or_default();
        let file = match error.file().strip_prefix(&root) {
            Ok(rest) if rest.as_os_str().is_empty() => self.path.to_owned(),
            Ok(rest) => self.path.join(rest),
            Err(_) => error.file().to_owned(),
        };
        let kind = match error.kind() {
            ErrorKind::Io(io::ErrorKind::NotFound) => Kind::Missing,
            _ => Kind::Unreadable,
        };
        self.add(&file, error.line(), kind, error.message());
    }

    fn state(&mut self, path: &Path, metadata: &Metadata) {
        if !metadata.complete {
            let message = "the recording did not end cleanly: record again, or `super8 recover`";
            self.add(path, None, Kind::Unreadable, message);
        }
        self.recording(path);
    }

    fn recording(&mut self, path: &Path) {
        let staged = staging_directory(path);
        if staged.exists() {
            let message = "a recording that did not end, or is under way: `super8 recover` it, or remove it";
            self.add(&staged, None, Kind::Orphan, message);
        }
    }
}

struct Check<'p> {
    store: &'p dyn Store,
    members: HashMap<&'p str, &'p Member>,
    /// The members that entries named so far.
    named: HashSet<String>,
    rules: VolatileRules,
    /// The text of each statement so far, if rules ask for it.
    texts: HashMap<(ConnectionId, Option<u32>), String>,
    /// Volatile values that replay does not bind, with the item or rule that names them and the line.
    unbound: HashMap<String, (String, u64)>,
    findings: Findings<'p>,
    bar: ProgressBar,
}

impl Check<'_> {
    fn entries(&mut self) {
        let store = self.store;
        with_entries(store, |entries| {
            for next in entries {
                match next {
                    Ok((place, _)) => self.entry_at(place),
                    Err(error) => self.findings.unreadable(&error),
                }
            }
        });
    }

    fn entry_at(&mut self, place: EntryRef) {
        self.bar.inc(place.len.into());
        let (file, line) = self.store.locate(place);
        self.long(&file, Some(line.into()), u64::from(place.len), "an entry");
        match self.store.checked_entry(place) {
            Ok(entry) => self.entry(place, entry),
            Err(error) => self.findings.unreadable(&error),
        }
    }

    /// Checks the info file of a connection, once: other connections may name the same one.
    fn answers(&mut self, name: &str) {
        let Some(member) = self.members.get(name).copied().filter(|_| self.named.insert(name.to_owned())) else {
            return;
        };
        let Some(connection) = name.strip_suffix("_info.yml").and_then(|id| id.parse().ok()) else { return };
        match self.store.info(connection) {
            Ok(answers) => {
                for (number, answer) in answers.iter().enumerate() {
                    let line = member.lines.get(number).map(|line| u64::from(*line));
                    answer.iter().for_each(|(_, value)| self.secrets(value, &member.file, line));
                }
            }
            Err(error) => self.findings.unreadable(&error),
        }
    }

    fn entry(&mut self, place: EntryRef, entry: Entry) {
        let (file, line) = self.store.locate(place);
        let line = line.into();
        let named_by_rules = self.named_by_rules(&entry);
        if named_by_rules.is_empty() && entry.get(Key::Volatile).is_none() {
            self.again(&entry, &file, line);
        }
        for number in named_by_rules {
            self.note_unbound(&entry, number, &format!("the rule `position: {number}`"), line);
        }
        for (key, value) in &entry.fields {
            self.secrets(value, &file, Some(line));
            match (key, value) {
                (Key::ColumnsFile, Value::Text(name)) => self.member(name, Check::document, line),
                (Key::RowsFile | Key::ParamsFile, Value::Text(name)) => self.member(name, Check::rows, line),
                (Key::InfoFile, Value::Text(name)) => self.answers(name),
                (Key::Volatile, items) => self.volatile(&entry, items, &file, line),
                _ => {}
            }
        }
        // connects of earlier versions name no info file
        if entry.method == Method::Connect && entry.get(Key::InfoFile).is_none() {
            self.answers(&format!("{}_info.yml", entry.connection));
        }
        if let Err(error) = played(self.store, place, entry) {
            self.findings.unreadable(&error);
        }
    }

    /// Handles a member that an entry names. Calls `look` when the member is named for the first time. Whether replay can
    /// read the member is checked together with the entry.
    fn member(&mut self, name: &str, look: fn(&mut Self, &Member), line: u64) {
        let first = self.named.insert(name.to_owned());
        let Some(member) = self.members.get(name).copied().filter(|_| first) else { return };
        // All records of one name come before the entry that names them. Records after it belong to another recording.
        if let Some(late) = member.lines.iter().find(|at| u64::from(**at) > line) {
            let message = format!("{name} a second time: the entry on line {line} had all of it; record again");
            self.findings.add(&member.file, Some(u64::from(*late)), Kind::Duplicate, message);
        }
        look(self, member);
    }

    fn document(&mut self, member: &Member) {
        self.long(&member.file, member.lines.first().map(|line| u64::from(*line)), member.bytes, "a document");
        if let Ok(document) = self.store.document(&member.name) {
            self.secrets(&document, &member.file, member.lines.first().map(|line| u64::from(*line)));
        }
    }

    fn rows(&mut self, member: &Member) {
        let Ok(mut rows) = self.store.rows(&member.name) else { return };
        let (mut row, mut scratch) = (csv::ByteRecord::new(), Vec::new());
        while rows.next(&mut row).unwrap_or(false) {
            let line = Some(rows.line());
            self.bar.inc((row.as_slice().len() + row.len()) as u64);
            self.long(&member.file, line, row.as_slice().len() as u64, "a row");
            for (column, field) in (1..).zip(row.iter()) {
                if let Some(begin) = secrets::beginning(&String::from_utf8_lossy(field)) {
                    let message = format!("field {column} begins like a secret ({begin}...)");
                    self.findings.add(&member.file, line, Kind::Secret, message);
                }
                if !self.unbound.is_empty()
                    && let Ok(Cell::Text(text) | Cell::Plain(text)) = cell::decode(field, &mut scratch)
                {
                    self.found_again(&String::from_utf8_lossy(text), &member.file, rows.line());
                }
            }
        }
    }

    fn volatile(&mut self, entry: &Entry, items: &Value, file: &Path, line: u64) {
        for item in items.as_list().unwrap_or(std::slice::from_ref(items)) {
            let wrong = match item.as_text().map(|text| (text, Volatile::parse(text))) {
                None | Some((_, None)) => {
                    Some("is not an item: see docs/cassette-format.md, volatile values".to_owned())
                }
                Some((_, Some(Volatile::Sql(part)))) => {
                    let sql = entry.get(Key::Sql).and_then(Value::as_text).unwrap_or_default();
                    (!sql.contains(part)).then(|| "does not occur in the statement".to_owned())
                }
                Some((_, Some(Volatile::Parameter(number)))) => {
                    let width = entry.get(Key::Params).and_then(Value::as_list).map_or(usize::MAX, |params| {
                        params.first().and_then(Value::as_list).map_or(params.len(), <[Value]>::len)
                    });
                    self.note_unbound(entry, number, &format!("{:?}", format!("params {number}")), line);
                    (number > width).then(|| format!("there are only {width} parameters"))
                }
                Some(_) => None,
            };
            if let Some(wrong) = wrong {
                self.findings.add(file, Some(line), Kind::Volatile, format!("{item:?}: {wrong}"));
            }
        }
    }

    /// Returns the numbers of the parameters that rules with a `position` name.
    fn named_by_rules(&mut self, entry: &Entry) -> Vec<usize> {
        if self.rules.is_empty() {
            return Vec::new();
        }
        let statement = (entry.connection, entry.statement);
        if let Some(sql) = entry.get(Key::Sql).and_then(Value::as_text) {
            self.texts.insert(statement, sql.to_owned());
        }
        let marks = self.texts.get(&statement).map(|sql| self.rules.marks(sql)).unwrap_or_default();
        let number = |mark: &String| match Volatile::parse(mark) {
            Some(Volatile::Parameter(number)) => Some(number),
            _ => None,
        };
        marks.iter().filter_map(number).collect()
    }

    /// Remembers a volatile value that is too short to be bound. `named` is what names it.
    fn note_unbound(&mut self, entry: &Entry, number: usize, named: &str, line: u64) {
        let value = entry.get(Key::Params).and_then(Value::as_list).and_then(|params| params.get(number - 1));
        if let Some(text) = value.and_then(scalar)
            && (TELLING..BOUND).contains(&text.len())
        {
            self.unbound.entry(text).or_insert((named.to_owned(), line));
        }
    }

    /// Reports an entry that is not marked itself and has a volatile value which replay does not bind.
    fn again(&mut self, entry: &Entry, file: &Path, line: u64) {
        if self.unbound.is_empty() {
            return;
        }
        let mut texts = Vec::new();
        for key in [Key::Params, Key::Result, Key::Rows] {
            entry.get(key).into_iter().for_each(|value| scalars(value, &mut texts));
        }
        texts.iter().for_each(|text| self.found_again(text, file, line));
    }

    /// Reports a text if it is a volatile value that replay does not bind.
    fn found_again(&mut self, text: &str, file: &Path, line: u64) {
        if let Some((named, first)) = self.unbound.get(text) {
            let message = format!(
                "{text} is the value that {named} marks on line {first}, and it is too short to be bound: replay has the recorded value here"
            );
            self.findings.add(file, Some(line), Kind::Volatile, message);
        }
    }

    fn secrets(&mut self, value: &Value, file: &Path, line: Option<u64>) {
        match value {
            Value::Text(text) => {
                if let Some(what) = secrets::before(text).or_else(|| secrets::beginning(text).map(str::to_owned)) {
                    let message = format!("looks like a secret ({what}...); remove it, and what it opens");
                    self.findings.add(file, line, Kind::Secret, message);
                }
            }
            Value::List(items) => items.iter().for_each(|item| self.secrets(item, file, line)),
            Value::Map(pairs) => pairs.iter().for_each(|(_, item)| self.secrets(item, file, line)),
            _ => {}
        }
    }

    /// Reports members that no entry names, and info files of connections that do not exist.
    fn unnamed(&mut self) {
        let mut members: Vec<&Member> = self.members.values().copied().collect();
        members.sort_by(|one, other| one.name.cmp(&other.name));
        for member in members {
            if !self.named.contains(&member.name) {
                let line = member.lines.first().map(|line| u64::from(*line));
                let message = match line {
                    None => {
                        "named like a file of a cassette, and no entry of commands.yml names it; remove or rename it"
                            .to_owned()
                    }
                    Some(_) => format!("no entry names {}; remove its records", member.name),
                };
                self.findings.add(&member.file, line, Kind::Orphan, message);
            }
        }
    }

    fn long(&mut self, file: &Path, line: Option<u64>, bytes: u64, what: &str) {
        if bytes > LONG {
            let message = format!("{what} of {bytes} bytes: nobody reviews more than 256 KiB in one piece; read less");
            self.findings.add(file, line, Kind::Large, message);
        }
    }

    fn size(&mut self) {
        let path = self.store.name();
        let bytes = cassette::bytes(path);
        if bytes > LARGE {
            let message = format!("{bytes} bytes: more than 1 MiB is a burden for a repository; read fewer rows");
            self.findings.add(path, None, Kind::Large, message);
        }
    }
}

/// Reads an entry as replay does: its members, the number of rows, and each cell by its C type.
fn played(store: &dyn Store, place: EntryRef, entry: Entry) -> Result<(), CassetteError> {
    check::check_cells(&entry, convert::fits_named).map_err(|wrong| store.refuse_entry(place, wrong))?;
    if let Some(Value::Text(name)) = entry.get(Key::InfoFile) {
        return info_file(store, place, name).map(drop);
    }
    if entry.get(Key::ColumnsFile).is_some() {
        return columns(store, place, &entry).map(drop);
    }
    if entry.get(Key::ParamsFile).is_some() {
        return whole_entry(store, place).map(drop);
    }
    let row = |key| matches!(entry.get(key), Some(Value::List(_)));
    let has_rows = row(Key::Result) || row(Key::Rows) || entry.get(Key::RowsFile).is_some();
    // a fetch_scroll without rows failed, or came to the end
    let expects = matches!(entry.method, Method::FetchAll | Method::FetchMany);
    if !entry.method.is_rows() || !(has_rows || expects) {
        return Ok(());
    }
    let (mut run, mut scratch) = (PlayedRun::of(store, place, entry)?, Vec::new());
    while let Some(width) = run.next()?.map(ByteRecord::len) {
        for column in 0..width {
            let cell = run.cell(column, &mut scratch).map_err(|error| run.refuse(column, &error))?;
            let Some(c_type) = run.c_type(column).and_then(CType::from_name) else { continue };
            convert::fits(&cell, c_type).map_err(|problem| run.refuse(column, &problem))?;
        }
    }
    Ok(())
}
