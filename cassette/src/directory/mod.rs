//! A cassette as one flat directory of readable files: the format `yaml`.

mod form;
mod lock;
pub(crate) mod names;
mod own;
mod previous;
mod publish;
mod reading;
mod recover;
mod staging;
mod writing;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

pub(crate) use lock::DirectoryLock;
pub(crate) use names::info as info_part;
pub use names::{COMMANDS, GEM_CONNECTION, METADATA, staging as staging_directory};
pub use reading::part;
pub(crate) use reading::unfinished;
pub use recover::{Recovered, recover, unpublished};
pub(crate) use recover::{nothing_whole, parts_named_by};
pub(crate) use staging::{is_cassette, notice, refuse};

use crate::append::MakeAppend;
use crate::entry::Head;
use crate::metadata::Metadata;
use crate::storage::{Cassette, Contents, OpenRun, Part, Place, RowsPart, RowsSource};
use crate::window::Window;
use crate::yaml;
use crate::{CassetteError, ConnectionId, Entry, Fields, Value};
use writing::Writing;
pub(crate) use writing::{in_place, write_error};

/// A cassette's directory.
///
/// What is appended grows in [`staging_directory`] until it is published. A relative path holds for the working directory
/// at the time this value is made.
pub struct Directory {
    name: PathBuf,
    /// The log by that name, which is asked for at every fetch.
    log: PathBuf,
    target: PathBuf,
    /// `None` for a cassette that is only read.
    writing: Option<Mutex<Writing>>,
    window: Mutex<Window>,
}

impl Directory {
    /// The cassette at `path`, to be read. Whether there is one is found out when it is read.
    ///
    /// # Errors
    /// A path that names no directory.
    pub fn read(path: &Path) -> Result<Self, CassetteError> {
        let target = resolve(path)?;
        let window = Mutex::new(Window::of(target.join(names::COMMANDS)));
        Ok(Directory { name: path.to_owned(), log: path.join(names::COMMANDS), target, writing: None, window })
    }

    /// A recording that will be published at `path`. Nothing is created before something is appended.
    ///
    /// # Errors
    /// A path that names no directory, or one with other things in it than a cassette.
    pub fn record(path: &Path, metadata: Metadata, make_append: MakeAppend) -> Result<Self, CassetteError> {
        let target = resolve(path)?;
        previous::check_target(&target)?;
        let writing = Some(Mutex::new(Writing::new(target.clone(), metadata, make_append)));
        let (name, log, window) = (path.to_owned(), path.join(names::COMMANDS), Mutex::default());
        Ok(Directory { name, log, target, writing, window })
    }

    fn write<T>(&self, act: impl FnOnce(&mut Writing) -> Result<T, CassetteError>) -> Result<T, CassetteError> {
        match &self.writing {
            Some(writing) => act(&mut writing.lock()),
            None => Err(CassetteError::new(&self.name, "the cassette was opened to be read, not to be written")
                .advice("open it with Directory::record")),
        }
    }

    /// The bytes of an entry, and the log they stand in.
    fn bytes(&self, place: Place) -> Result<(Vec<u8>, Arc<PathBuf>), CassetteError> {
        match &self.writing {
            None => self.window.lock().read(place),
            Some(_) => Window::of(self.root().join(names::COMMANDS)).read(place),
        }
    }

    /// Where the files are now.
    fn root(&self) -> PathBuf {
        self.writing.as_ref().map_or_else(|| self.target.clone(), |writing| writing.lock().root().to_owned())
    }
}

impl Cassette for Directory {
    fn name(&self) -> &Path {
        &self.name
    }

    fn encode(&self, entry: &Entry, out: &mut Vec<u8>) {
        yaml::emit_entry(entry, out);
    }

    fn begin(&self) -> Result<(), CassetteError> {
        self.write(Writing::ensure)
    }

    fn reserve(&self, bytes: usize) -> Result<(), CassetteError> {
        self.write(|writing| writing.reserve(bytes))
    }

    fn append(&self, encoded: &[u8]) -> Result<(), CassetteError> {
        self.write(|writing| writing.append(encoded))
    }

    fn append_info(&self, connection: ConnectionId, answer: &Fields) -> Result<(), CassetteError> {
        self.write(|writing| writing.append_info(connection, answer))
    }

    fn put(&self, part: &str, document: &Value) -> Result<(), CassetteError> {
        reading::part(&self.name, part)?;
        self.write(|writing| writing.put(part, document))
    }

    fn rows_part(&self, part: &str) -> Result<Box<dyn RowsPart>, CassetteError> {
        reading::part(&self.name, part)?;
        self.write(|writing| Ok(Box::new(writing.rows_part(part)?) as Box<dyn RowsPart>))
    }

    fn note_rows(&self, open: &OpenRun<'_>) -> Result<(), CassetteError> {
        self.write(|writing| writing.note_rows(open))
    }

    fn flush(&self) -> Result<(), CassetteError> {
        self.write(Writing::flush)
    }

    fn complete(&self) -> Result<(), CassetteError> {
        self.write(Writing::complete)
    }

    fn publish(&self) -> Result<(), CassetteError> {
        self.write(Writing::publish)
    }

    fn discard(&self, keep: Option<&Path>) -> Result<(), CassetteError> {
        self.write(|writing| writing.discard(keep))
    }

    fn metadata(&self) -> Result<Metadata, CassetteError> {
        reading::metadata(&self.root(), &self.name)
    }

    fn scan(&self, visit: &mut dyn FnMut(Place, Head) -> Result<(), CassetteError>) -> Result<(), CassetteError> {
        reading::scan(&self.root(), visit)
    }

    fn entry(&self, place: Place) -> Result<Entry, CassetteError> {
        let (bytes, log) = self.bytes(place)?;
        yaml::parse_entry(&bytes, &log, place.line)
    }

    fn document(&self, part: &str) -> Result<Value, CassetteError> {
        reading::document(&self.root(), part)
    }

    fn info(&self, connection: ConnectionId) -> Result<Vec<Fields>, CassetteError> {
        reading::info(&self.root(), connection)
    }

    fn rows(&self, part: &str) -> Result<Box<dyn RowsSource>, CassetteError> {
        Ok(Box::new(reading::rows(&self.root(), part)?))
    }

    fn contents(&self) -> Result<Contents, CassetteError> {
        form::contents(&self.root())
    }

    fn parts(&self) -> Result<Vec<Part>, CassetteError> {
        reading::parts(&self.root(), &self.name)
    }

    fn locate(&self, place: Place) -> (PathBuf, u32) {
        (self.log.clone(), place.line)
    }

    fn locate_item(&self, part: &str, item: usize, key: &str) -> (PathBuf, u32) {
        let path = self.root().join(part);
        let line = reading::line_in(&path, item, key).unwrap_or(1);
        (path, line)
    }

    fn line_of(&self, place: Place, key: &str) -> u32 {
        match self.bytes(place) {
            Ok((bytes, _)) => yaml::line_of(&bytes, place.line, key),
            Err(_) => place.line,
        }
    }
}

/// The absolute path of a cassette; a link to a directory is followed, so that publishing replaces what it points at.
fn resolve(path: &Path) -> Result<PathBuf, CassetteError> {
    let advice = "name a directory in SUPER8_CASSETTE, as in cassettes/orders";
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
