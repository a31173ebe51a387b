//! A cassette that a person wrote. It is turned, when it is opened, into the entries that a recording has, and into the answers of a
//! plain driver, so that whoever reads a cassette need know nothing of it.
//!
//! It is one by `made: by hand` in `metadata.yml`, or by having no `metadata.yml` and no file that a recording has.

mod expand;
mod plain;
mod types;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::entry::Head;
pub use crate::store::directory::is_by_hand;
use crate::store::directory::{COMMANDS, Directory, METADATA};
use crate::store::interface::{Contents, EntryRef, Growing, Part, RowBlock, RowsPart, RowsSource, Store};
use crate::{CassetteError, ConnectionId, Entry, Fields, Key, Metadata, Method, Order, Row, Value, files, yaml};
use expand::{Expanded, Made};
pub use plain::{ATTRIBUTES, INFO, MISSING, Plain, type_info_page as type_info};

/// Statements that a plain driver's SQLGetTypeInfo is have ids from here on.
const FIRST_PLAIN: u32 = 1 << 24;

/// A cassette that a person wrote, to be read.
pub struct ByHand {
    directory: Directory,
    /// The log, by the name that the user gave.
    log: Arc<Path>,
    text: Vec<u8>,
    /// The entries of the log, then those of SQLGetTypeInfo.
    entries: Vec<Made>,
    /// How many are the log's.
    written: usize,
    documents: BTreeMap<String, Value>,
    metadata: Metadata,
}

/// All that is wrong with a cassette that a person wrote.
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
        let Expanded { entries, documents, problems } = expanded;
        if let Some(error) = problems.into_iter().next() {
            return Err(error);
        }
        let mut cassette =
            ByHand { directory, log: log.into(), text, written: entries.len(), entries, documents, metadata };
        cassette.add_type_info();
        Ok(cassette)
    }

    /// Adds the statements of a plain driver's SQLGetTypeInfo: one for each type, one for all of them, and one without rows for what
    /// is no type.
    fn add_type_info(&mut self) {
        const PART: &str = "columns_of_type_info";
        let columns = plain::type_info_columns();
        let all = plain::types();
        let one = all.iter().map(|of| (Some(i64::from(of.code)), vec![*of]));
        let results = std::iter::once((Some(0), all.clone())).chain(one).chain([(None, Vec::new())]);
        let types: Vec<Value> = columns.iter().map(|column| column.sql_type.c_type.into()).collect();
        for (number, (asked, listed)) in (FIRST_PLAIN..).zip(results) {
            let entry = |method: Method| Entry::new(method, ConnectionId(0), Some(number));
            let mut catalog = entry(Method::Catalog).with(Key::Function, "SQLGetTypeInfo");
            if let Some(asked) = asked {
                catalog.fields.add(Key::Arguments, Value::Map(vec![("type".to_owned(), asked.into())]));
            }
            let rows: Vec<Value> = listed.into_iter().map(plain::type_info).collect();
            let rows = match rows.is_empty() {
                true => entry(Method::Fetch).with(Key::Result, Value::Null),
                false => entry(Method::FetchAll).with(Key::Rows, Value::List(rows)).with(Key::CTypes, types.clone()),
            };
            let made = [catalog.with(Key::Match, "exact"), entry(Method::Columns).with(Key::ColumnsFile, PART), rows];
            self.entries.extend(made.map(|entry| Made { entry, line: 1, bytes: 0..0 }));
        }
        let described = columns.iter().map(types::Column::described).collect();
        self.documents.insert(PART.to_owned(), Value::List(described));
    }

    fn made(&self, place: EntryRef) -> Result<&Made, CassetteError> {
        let found = usize::try_from(place.offset).ok().and_then(|at| self.entries.get(at));
        found.ok_or_else(|| CassetteError::new(&self.log, "there is no such entry"))
    }

    fn visit(
        &self,
        from: usize,
        to: usize,
        visit: &mut dyn FnMut(EntryRef, Head) -> Result<(), CassetteError>,
    ) -> Result<(), CassetteError> {
        self.entries[from..to].iter().enumerate().try_for_each(|(at, Made { entry, line, bytes })| {
            let place = EntryRef { offset: (from + at) as u64, len: bytes.len() as u32, line: *line };
            let Entry { method, connection, statement, .. } = *entry;
            visit(place, Head { method, connection, statement, thread: entry.thread() })
        })
    }
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

    fn append_info(&self, connection: ConnectionId, answer: &Fields) -> Result<(), CassetteError> {
        self.directory.append_info(connection, answer)
    }

    fn put(&self, part: &str, document: &Value) -> Result<(), CassetteError> {
        self.directory.put(part, document)
    }

    fn rows_part(&self, part: &str) -> Result<Box<dyn RowsPart>, CassetteError> {
        self.directory.rows_part(part)
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

    /// It was checked when it was read.
    fn checked_entry(&self, place: EntryRef) -> Result<Entry, CassetteError> {
        self.entry(place)
    }

    fn document(&self, part: &str) -> Result<Value, CassetteError> {
        match self.documents.get(part) {
            Some(document) => Ok(document.clone()),
            None => self.directory.document(part),
        }
    }

    /// What the connection's info file says, and then what a plain driver does.
    fn info(&self, connection: ConnectionId) -> Result<Vec<Fields>, CassetteError> {
        let mut answers = self.directory.info(connection)?;
        let names = |answer: &Fields| {
            let named =
                answer.iter().filter(|(key, _)| [Key::Function, Key::Info, Key::Attribute, Key::Id].contains(key));
            named.cloned().collect::<Fields>()
        };
        let told: Vec<Fields> = answers.iter().map(names).collect();
        answers.extend(plain::answers().into_iter().filter(|answer| !told.contains(&names(answer))));
        Ok(answers)
    }

    fn rows(&self, part: &str) -> Result<Box<dyn RowsSource>, CassetteError> {
        self.directory.rows(part)
    }

    fn contents(&self) -> Result<Contents, CassetteError> {
        let mut contents = Contents::default();
        for Part { name, .. } in self.directory.parts()? {
            match name.strip_suffix("_info.yml").and_then(|letters| letters.parse().ok()) {
                Some(connection) => contents.infos.push(connection),
                None if name.ends_with(".csv") => contents.rows.push(name),
                None => contents.documents.push(name),
            }
        }
        Ok(contents)
    }

    fn parts(&self) -> Result<Vec<Part>, CassetteError> {
        self.directory.parts()
    }

    fn locate(&self, place: EntryRef) -> (Arc<Path>, u32) {
        (Arc::clone(&self.log), place.line)
    }

    fn line_of(&self, place: EntryRef, key: &str) -> u32 {
        let item = self.made(place).ok().and_then(|made| self.text.get(made.bytes.clone()));
        item.map_or(place.line, |item| yaml::line_of(item, place.line, key))
    }

    fn locate_item(&self, part: &str, item: usize, key: &str) -> (PathBuf, u32) {
        self.directory.locate_item(part, item, key)
    }
}
