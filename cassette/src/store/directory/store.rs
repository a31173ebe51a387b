//! A cassette as one flat directory of readable files: the format `yaml`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

use super::writing::Writing;
use super::{names, publish, reading};
use crate::entry::Head;
use crate::inline::{InlineRow, LastTypes};
use crate::row::write_row;
use crate::store::interface::{
    Contents, EntryRef, Growing, Member, RowBlock, RowsSource, RowsWriter, Store, info_member, only_read,
    replace_fields,
};
use crate::store::log::{EntryBytes, LogReader, MakeAppend};
use crate::store::recording::Recording;
#[cfg(doc)]
use crate::store::staging::staging;
use crate::{CassetteError, ConnectionId, Entry, Fields, Metadata, Row, RowsReader, Value, check, yaml};

/// The directory of a cassette.
///
/// What is appended grows in [`staging`] until it is published. A relative path is resolved against the working
/// directory when this value is made.
pub struct Directory {
    name: PathBuf,
    /// The log's path by that name. Every fetch asks for it.
    log: Arc<Path>,
    target: PathBuf,
    /// `None` for a cassette that is only read.
    recording: Option<Mutex<Recording<Writing>>>,
    /// Reads the log. `None` for a recording, because its log grows and nothing of it may be kept.
    reader: Option<LogReader>,
}

impl Directory {
    /// Makes a reader of the cassette at `path`. Whether there is one is found out when it is read.
    ///
    /// # Errors
    /// The path is not that of a directory.
    pub fn read(path: &Path) -> Result<Self, CassetteError> {
        let target = resolve(path)?;
        let reader = Some(LogReader::of(target.join(names::COMMANDS)));
        Ok(Directory { name: path.to_owned(), log: path.join(names::COMMANDS).into(), target, recording: None, reader })
    }

    /// Makes a recording that will be published at `path`. Creates nothing before something is appended.
    ///
    /// # Errors
    /// The path is not that of a directory, or the directory holds something other than a cassette.
    pub fn record(path: &Path, metadata: Metadata, make_append: MakeAppend) -> Result<Self, CassetteError> {
        let target = resolve(path)?;
        publish::check_target(&target)?;
        let recording = Recording::new(Writing::new(make_append), target.clone(), metadata);
        let recording = Some(Mutex::new(recording));
        let (name, log) = (path.to_owned(), path.join(names::COMMANDS).into());
        Ok(Directory { name, log, target, recording, reader: None })
    }

    fn recording(&self) -> Result<MutexGuard<'_, Recording<Writing>>, CassetteError> {
        self.recording.as_ref().map(Mutex::lock).ok_or_else(|| only_read(&self.name))
    }

    /// Reads the bytes of an entry.
    fn bytes(&self, place: EntryRef) -> Result<EntryBytes, CassetteError> {
        match &self.reader {
            Some(reader) => reader.read(place),
            None => LogReader::of(self.root().join(names::COMMANDS)).read(place),
        }
    }

    /// Returns where the files are now.
    fn root(&self) -> PathBuf {
        self.recording.as_ref().map_or_else(|| self.target.clone(), |recording| recording.lock().root().to_path_buf())
    }
}

impl Store for Directory {
    fn name(&self) -> &Path {
        &self.name
    }

    fn encode(&self, entry: &Entry, out: &mut Vec<u8>) {
        yaml::emit_entry(entry, out);
    }

    fn encode_row(&self, row: &Row, block: &mut RowBlock) {
        write_row(row, &mut block.bytes);
        block.size = block.bytes.len();
    }

    fn replace_fields(&self, block: &mut RowBlock, replaced: &dyn Fn(usize, &[u8]) -> Option<String>) {
        let mut rows = RowsReader::new(&block.bytes[..], &self.name);
        *block = replace_fields(self, replaced, |row| rows.next(row).is_ok_and(|more| more));
    }

    fn growing(&self) -> Result<&Mutex<dyn Growing>, CassetteError> {
        self.recording.as_ref().map(|recording| recording as _).ok_or_else(|| only_read(&self.name))
    }

    fn begin_info(&self, connection: ConnectionId) -> Result<(), CassetteError> {
        self.recording()?.begin_info(connection)
    }

    fn append_info(&self, connection: ConnectionId, answer: &Fields) -> Result<(), CassetteError> {
        self.recording()?.append_info(connection, answer)
    }

    fn put(&self, member: &str, document: &Value) -> Result<(), CassetteError> {
        reading::member_path(&self.name, member)?;
        self.recording()?.put(member, document)
    }

    fn rows_writer(&self, member: &str) -> Result<Box<dyn RowsWriter>, CassetteError> {
        reading::member_path(&self.name, member)?;
        Ok(Box::new(self.recording()?.rows_writer(member)?))
    }

    fn metadata(&self) -> Result<Metadata, CassetteError> {
        reading::metadata(&self.root(), &self.name)
    }

    fn scan(&self, visit: &mut dyn FnMut(EntryRef, Head) -> Result<(), CassetteError>) -> Result<(), CassetteError> {
        reading::scan(&self.root(), visit)
    }

    fn entry(&self, place: EntryRef) -> Result<Entry, CassetteError> {
        let bytes = self.bytes(place)?;
        yaml::parse_entry(&bytes, bytes.log(), place.line)
    }

    fn reply(&self, place: EntryRef, asked: &Entry) -> Option<Entry> {
        let fields = yaml::parse_reply(&self.bytes(place).ok()?, &asked.fields)?;
        let entry = Entry { fields, ..*asked };
        check::check(&entry).is_ok().then_some(entry)
    }

    fn inline_row(&self, place: EntryRef, last: &mut LastTypes) -> Option<InlineRow> {
        yaml::parse_row(&self.bytes(place).ok()?, last)
    }

    fn document(&self, member: &str) -> Result<Value, CassetteError> {
        reading::document(&self.root(), member)
    }

    fn info(&self, connection: ConnectionId) -> Result<Vec<Fields>, CassetteError> {
        reading::info(&self.root(), connection)
    }

    fn has_info(&self, connection: ConnectionId) -> bool {
        self.root().join(info_member(connection)).exists()
    }

    fn rows(&self, member: &str) -> Result<Box<dyn RowsSource>, CassetteError> {
        Ok(Box::new(reading::rows(&self.root(), member)?))
    }

    fn contents(&self) -> Result<Contents, CassetteError> {
        reading::contents(&self.root())
    }

    fn members(&self) -> Result<Vec<Member>, CassetteError> {
        reading::members(&self.root(), &self.name)
    }

    fn locate(&self, place: EntryRef) -> (Arc<Path>, u32) {
        (Arc::clone(&self.log), place.line)
    }

    fn locate_item(&self, member: &str, item: usize, key: &str) -> (PathBuf, u32) {
        let path = self.root().join(member);
        let line = reading::line_in(&path, item, key).unwrap_or(1);
        (path, line)
    }

    fn line_of(&self, place: EntryRef, key: &str) -> u32 {
        match self.bytes(place) {
            Ok(bytes) => yaml::line_of(&bytes, place.line, key),
            Err(_) => place.line,
        }
    }
}

/// Returns the absolute path of a cassette. Follows a link to a directory, so that publishing replaces what it points to.
pub(super) fn resolve(path: &Path) -> Result<PathBuf, CassetteError> {
    let advice = "name a directory for the cassette, as in cassettes/orders";
    if let Ok(there) = path.canonicalize() {
        return match there.parent() {
            Some(_) => Ok(there),
            None => Err(CassetteError::new(path, "cannot be a cassette").advice(advice)),
        };
    }
    match std::path::absolute(path) {
        Ok(target) if target.file_name().is_some() => Ok(target.components().collect()),
        Ok(_) => Err(CassetteError::new(path, "does not name a directory").advice(advice)),
        Err(error) => Err(CassetteError::io(path, "find", &error).advice(advice)),
    }
}
