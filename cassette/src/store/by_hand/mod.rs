//! A cassette written by hand. When it is opened, it is turned into the entries of a recording and the answers of a
//! plain driver, so that readers of a cassette need not know about it.
//!
//! A cassette counts as written by hand if `metadata.yml` says `made: by hand`, or if it has neither `metadata.yml` nor
//! any file that only a recording has.

mod expand;
mod plain;
mod profiles;
mod types;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::entry::Head;
pub use crate::store::directory::is_by_hand;
use crate::store::directory::{COMMANDS, Directory, METADATA};
use crate::store::interface::{Contents, EntryRef, Growing, Member, RowBlock, RowsSource, RowsWriter, Store};
use crate::{CassetteError, ConnectionId, Entry, Fields, Key, Metadata, Method, Order, Row, Value, files, yaml};
use expand::{Expanded, ExpandedEntry};
pub use plain::{ATTRIBUTES, INFO, MISSING, Plain, type_info_page as type_info};
pub use profiles::{DRIVERS, check_driver};
use profiles::{OfType, Profile, TypeInfo, profile, question};

/// Statements of a plain driver's SQLGetTypeInfo have ids from here on.
const FIRST_PLAIN: u32 = 1 << 24;

/// A cassette written by hand, to be read.
pub struct ByHand {
    directory: Directory,
    /// The log, under the name that the user gave.
    log: Arc<Path>,
    text: Vec<u8>,
    /// The entries of the log, followed by those of SQLGetTypeInfo.
    entries: Vec<ExpandedEntry>,
    /// How many of them are the log's.
    written: usize,
    documents: BTreeMap<String, Value>,
    /// The connections that have the answers of a known driver, by the driver's number.
    drivers: BTreeMap<ConnectionId, usize>,
    metadata: Metadata,
}

/// Lists everything that is wrong with a cassette written by hand.
///
/// # Errors
/// It cannot be read at all.
pub fn problems(directory: &Path) -> Result<Vec<CassetteError>, CassetteError> {
    let (_, _, expanded) = read(directory)?;
    Ok(expanded.problems)
}

fn read(directory: &Path) -> Result<(PathBuf, Vec<u8>, Expanded), CassetteError> {
    let log = directory.join(COMMANDS);
    let text = files::read(&log).map_err(|error| CassetteError::io(&log, "read", &error))?;
    let expanded = expand::expand(&text, &log);
    Ok((log, text, expanded))
}

impl ByHand {
    /// Reads the cassette at `path`.
    ///
    /// # Errors
    /// The first thing that is wrong with it, with its line.
    pub fn read(path: &Path) -> Result<ByHand, CassetteError> {
        let directory = Directory::read(path)?;
        let metadata_file = path.join(METADATA);
        let metadata = match metadata_file.exists() {
            true => directory.metadata()?,
            false => Metadata::by_hand(),
        };
        if metadata.order == Order::Any {
            let error = CassetteError::new(&metadata_file, "the order any is for recordings").at_path("order");
            return Err(error.advice("put the entries in a group, `- unordered:`"));
        }
        let (log, text, expanded) = read(path)?;
        let Expanded { entries, documents, drivers, problems } = expanded;
        if let Some(error) = problems.into_iter().next() {
            return Err(error);
        }
        let written = entries.len();
        let mut cassette = ByHand { directory, log: log.into(), text, written, entries, documents, drivers, metadata };
        cassette.add_type_info();
        Ok(cassette)
    }

    /// Returns what a connection's driver answers.
    fn profile(&self, connection: ConnectionId) -> &'static Profile {
        profile(self.drivers.get(&connection).copied())
    }

    /// Adds the statements of SQLGetTypeInfo as each driver of the cassette has them: one for each type, one for all
    /// types, and one for any other type. They belong to the first connection to the driver, and serve the others too.
    fn add_type_info(&mut self) {
        let connects = self.entries.iter().filter(|made| made.entry.method == Method::Connect);
        let mut first: BTreeMap<Option<usize>, ConnectionId> = BTreeMap::new();
        for connection in connects.map(|made| made.entry.connection) {
            first.entry(self.drivers.get(&connection).copied()).or_insert(connection);
        }
        let mut number = FIRST_PLAIN;
        for (driver, connection) in first {
            for (at, type_info) in profile(driver).type_info.iter().enumerate() {
                let member = format!("columns_of_type_info_{}_{at}", driver.map_or(0, |driver| driver + 1));
                for result in &type_info.results {
                    let made = |entry| ExpandedEntry { entry, line: 1, bytes: 0..0 };
                    self.entries.extend(of_type(type_info, result, (connection, number), &member).map(made));
                    number += 1;
                }
                self.documents.insert(member, type_info.columns.clone());
            }
        }
    }

    fn made(&self, place: EntryRef) -> Result<&ExpandedEntry, CassetteError> {
        let found = usize::try_from(place.offset).ok().and_then(|at| self.entries.get(at));
        found.ok_or_else(|| CassetteError::new(&self.log, "there is no such entry"))
    }

    fn visit(
        &self,
        from: usize,
        to: usize,
        visit: &mut dyn FnMut(EntryRef, Head) -> Result<(), CassetteError>,
    ) -> Result<(), CassetteError> {
        self.entries[from..to].iter().enumerate().try_for_each(|(at, ExpandedEntry { entry, line, bytes })| {
            let place = EntryRef { offset: (from + at) as u64, len: bytes.len() as u32, line: *line };
            let Entry { method, connection, statement, .. } = *entry;
            visit(place, Head { method, connection, statement, thread: entry.thread() })
        })
    }
}

/// Returns the entries of a statement of SQLGetTypeInfo.
fn of_type(
    type_info: &TypeInfo,
    result: &OfType,
    (connection, statement): (ConnectionId, u32),
    columns: &str,
) -> impl Iterator<Item = Entry> {
    let entry = |method: Method| Entry::new(method, connection, Some(statement));
    let mut catalog = entry(Method::Catalog).with(Key::Function, "SQLGetTypeInfo");
    if let Some(asked) = result.of {
        catalog.fields.add(Key::Arguments, Value::Map(vec![("type".to_owned(), asked.into())]));
    }
    catalog.fields.extend(type_info.programs.clone().map(|programs| (Key::Kind, programs)));
    catalog.fields.extend(result.outcome.iter().cloned());
    let failed = catalog.failed();
    let mut entries = vec![catalog.with(Key::Match, "exact")];
    if !failed {
        entries.push(entry(Method::Columns).with(Key::ColumnsFile, columns));
        let about = |fields: &Fields| Entry { fields: fields.clone(), ..entry(Method::Answer) };
        entries.extend(type_info.about_columns.iter().map(about));
        let count = result.row_count.as_ref().map(|count| entry(Method::RowCount).with(Key::Result, count.clone()));
        entries.extend(count);
        entries.push(match result.rows.is_empty() {
            true => entry(Method::Fetch).with(Key::Result, Value::Null),
            false => entry(Method::FetchAll)
                .with(Key::Rows, Value::List(result.rows.clone()))
                .with(Key::CTypes, type_info.c_types.clone()),
        });
    }
    entries.into_iter()
}

impl Store for ByHand {
    fn name(&self) -> &Path {
        self.directory.name()
    }

    fn encode(&self, entry: &Entry, out: &mut Vec<u8>) {
        self.directory.encode(entry, out);
    }

    fn encode_row(&self, row: &Row, block: &mut RowBlock) {
        self.directory.encode_row(row, block);
    }

    fn replace_fields(&self, block: &mut RowBlock, replaced: &dyn Fn(usize, &[u8]) -> Option<String>) {
        self.directory.replace_fields(block, replaced);
    }

    fn growing(&self) -> Result<&Mutex<dyn Growing>, CassetteError> {
        self.directory.growing()
    }

    fn has_info(&self, connection: ConnectionId) -> bool {
        self.directory.has_info(connection)
    }

    fn append_info(&self, connection: ConnectionId, answer: &Fields) -> Result<(), CassetteError> {
        self.directory.append_info(connection, answer)
    }

    fn put(&self, member: &str, document: &Value) -> Result<(), CassetteError> {
        self.directory.put(member, document)
    }

    fn rows_writer(&self, member: &str) -> Result<Box<dyn RowsWriter>, CassetteError> {
        self.directory.rows_writer(member)
    }

    fn metadata(&self) -> Result<Metadata, CassetteError> {
        Ok(self.metadata.clone())
    }

    fn scan(&self, visit: &mut dyn FnMut(EntryRef, Head) -> Result<(), CassetteError>) -> Result<(), CassetteError> {
        self.visit(0, self.written, visit)
    }

    fn scan_plain(
        &self,
        visit: &mut dyn FnMut(EntryRef, Head) -> Result<(), CassetteError>,
    ) -> Result<(), CassetteError> {
        self.visit(self.written, self.entries.len(), visit)
    }

    fn entry(&self, place: EntryRef) -> Result<Entry, CassetteError> {
        self.made(place).map(|made| made.entry.clone())
    }

    /// Returns the entry unchecked, because it was checked when the cassette was read.
    fn checked_entry(&self, place: EntryRef) -> Result<Entry, CassetteError> {
        self.entry(place)
    }

    fn document(&self, member: &str) -> Result<Value, CassetteError> {
        match self.documents.get(member) {
            Some(document) => Ok(document.clone()),
            None => self.directory.document(member),
        }
    }

    /// Returns the answers in the connection's info file, followed by those of its driver.
    fn info(&self, connection: ConnectionId) -> Result<Vec<Fields>, CassetteError> {
        let mut answers = self.directory.info(connection)?;
        let given: Vec<Fields> = answers.iter().map(question).collect();
        let of_driver = self.profile(connection).answers.iter();
        answers.extend(of_driver.filter(|answer| !given.contains(&question(answer))).cloned());
        Ok(answers)
    }

    fn rows(&self, member: &str) -> Result<Box<dyn RowsSource>, CassetteError> {
        self.directory.rows(member)
    }

    fn contents(&self) -> Result<Contents, CassetteError> {
        let mut contents = Contents::default();
        for Member { name, .. } in self.directory.members()? {
            match name.strip_suffix("_info.yml").and_then(|letters| letters.parse().ok()) {
                Some(connection) => contents.infos.push(connection),
                None if name.ends_with(".csv") => contents.rows.push(name),
                None => contents.documents.push(name),
            }
        }
        Ok(contents)
    }

    fn members(&self) -> Result<Vec<Member>, CassetteError> {
        self.directory.members()
    }

    fn locate(&self, place: EntryRef) -> (Arc<Path>, u32) {
        (Arc::clone(&self.log), place.line)
    }

    fn line_of(&self, place: EntryRef, key: &str) -> u32 {
        let item = self.made(place).ok().and_then(|made| self.text.get(made.bytes.clone()));
        item.map_or(place.line, |item| yaml::line_of(item, place.line, key))
    }

    fn locate_item(&self, member: &str, item: usize, key: &str) -> (PathBuf, u32) {
        self.directory.locate_item(member, item, key)
    }
}
