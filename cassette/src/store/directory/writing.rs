//! The files of a recording. If the recording comes out equal to the cassette that it replaces, `metadata.yml` is kept,
//! so that recording again changes no byte.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

use super::names::{self, FileOwners};
use super::publish;
use crate::store::interface::{RowBlock, RowsWriter, info_member};
use crate::store::log::{Append, MakeAppend, append_block, within_limit};
use crate::store::recording::{Layout, NOT_COMPLETE, Recording, write_error};
use crate::store::staging::Lock;
use crate::{CassetteError, ConnectionId, Fields, Metadata, Value, files, yaml};

/// The files of a recording.
pub(super) struct Writing {
    make_append: MakeAppend,
    metadata_file: Option<File>,
    /// The number of bytes in it.
    metadata_length: usize,
    /// The info file that was written last. It stays open, because answers come in bursts.
    info: Option<(ConnectionId, File, u64, PathBuf)>,
    previous: Option<Previous>,
    counter: Arc<Counter>,
}

impl Writing {
    pub(super) fn new(make_append: MakeAppend) -> Self {
        let (metadata_file, metadata_length, info, previous, counter) = Default::default();
        Writing { make_append, metadata_file, metadata_length, info, previous, counter }
    }

    fn write_metadata(&mut self, root: &Path, text: &[u8]) -> Result<(), CassetteError> {
        let path = root.join(names::METADATA);
        let file = match &mut self.metadata_file {
            Some(file) => file,
            none => none.insert(create(&path).map_err(|error| CassetteError::io(&path, "create", &error))?),
        };
        let written =
            within_limit(text.len() as u64).and_then(|()| file.write_all_at(text, 0)).and_then(|()| {
                match self.metadata_length > text.len() {
                    true => file.set_len(text.len() as u64),
                    false => Ok(()),
                }
            });
        written.map_err(|error| write_error(&path, &error))?;
        self.metadata_length = text.len();
        Ok(())
    }
}

impl Layout for Writing {
    fn log(&self, root: &Path) -> PathBuf {
        root.join(names::COMMANDS)
    }

    fn journal(&self, root: &Path, _target: &Path) -> PathBuf {
        root.join(names::ROWS_JOURNAL)
    }

    fn check_target(&self, target: &Path) -> Result<(), CassetteError> {
        publish::check_target(target)
    }

    fn make(&self, staging: &Path) -> io::Result<()> {
        fs::create_dir(staging)
    }

    fn empty(&self, staging: &Path, target: &Path) -> Result<(), CassetteError> {
        publish::empty(staging, target)
    }

    fn previous(&mut self, target: &Path) -> Result<Option<Lock>, CassetteError> {
        publish::restore(target)?;
        publish::check_target(target)?;
        if !publish::is_cassette(target) {
            return Ok(None);
        }
        let lock = Lock::of(target, target)?;
        self.previous = remember(target);
        Ok(Some(lock))
    }

    fn create_log(&mut self, root: &Path) -> io::Result<Box<dyn Append>> {
        self.counter.add(1, 0);
        create(&root.join(names::COMMANDS)).and_then(|file| (self.make_append)(file))
    }

    fn appended(&self, bytes: usize) {
        self.counter.add(0, bytes as u64);
    }

    fn begin(&mut self, root: &Path, _log: &mut dyn Append, metadata: &Metadata) -> Result<(), CassetteError> {
        self.write_metadata(root, &text_of(metadata))
    }

    fn complete(
        &mut self,
        root: &Path,
        replaces: Option<&Path>,
        log: &mut dyn Append,
        metadata: &Metadata,
    ) -> Result<(), CassetteError> {
        log.finish().map_err(|error| write_error(&self.log(root), &error))?;
        self.info = None;
        let (complete, totals) = (Metadata { complete: true, ..metadata.clone() }, self.counter.totals());
        self.previous.take_if(|previous| !previous.may_be_equal(totals));
        if let (Some(previous), Some(target)) = (&mut self.previous, replaces)
            && previous.digest.is_none()
        {
            // read it once, before it goes; an unreadable one counts as different
            previous.digest = digest(target).ok();
        }
        let same = self.previous.as_ref().and_then(|previous| previous.same(root, totals, &complete));
        self.write_metadata(root, &same.unwrap_or_else(|| text_of(&complete)))
    }

    fn resume(&mut self, root: &Path, metadata: &Metadata) -> Result<(), CassetteError> {
        self.write_metadata(root, &text_of(metadata))
    }

    fn publish(&self, staging: &Path, target: &Path) -> Result<(), CassetteError> {
        publish::publish(staging, target)
    }

    fn kept(&self, _target: &Path, keep: &Path) -> PathBuf {
        keep.to_owned()
    }

    fn remove(&self, staging: &Path) -> io::Result<()> {
        fs::remove_dir_all(staging)
    }

    fn close(&mut self) {
        (self.metadata_file, self.info, self.previous) = (None, None, None);
    }
}

impl Recording<Writing> {
    pub(super) fn begin_info(&mut self, connection: ConnectionId) -> Result<(), CassetteError> {
        if !self.ready()? {
            return Ok(());
        }
        if self.layout.info.as_ref().is_none_or(|(open, ..)| *open != connection) {
            let path = self.root().join(info_member(connection));
            let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
            let file = file.map_err(|error| self.create_error(&path, &error))?;
            let len = file.metadata().map_err(|error| CassetteError::io(&path, "look at", &error))?.len();
            self.layout.counter.add(u64::from(len == 0), 0);
            self.layout.info = Some((connection, file, len, path));
        }
        Ok(())
    }

    pub(super) fn append_info(&mut self, connection: ConnectionId, answer: &Fields) -> Result<(), CassetteError> {
        self.begin_info(connection)?;
        let mut item = Vec::with_capacity(256);
        yaml::emit_answer(answer, &mut item);
        let Some((_, file, end, path)) = &mut self.layout.info else { return Ok(()) };
        append_block(file, *end, &item).map_err(|error| write_error(path, &error))?;
        *end += item.len() as u64;
        self.layout.counter.add(0, item.len() as u64);
        Ok(())
    }

    pub(super) fn put(&mut self, member: &str, document: &Value) -> Result<(), CassetteError> {
        if !self.ready()? {
            return Ok(());
        }
        let path = self.root().join(member);
        let mut bytes = Vec::with_capacity(1024);
        yaml::emit_document(document, &mut bytes);
        let file = create(&path).map_err(|error| self.create_error(&path, &error))?;
        append_block(&file, 0, &bytes).map_err(|error| write_error(&path, &error))?;
        self.layout.counter.add(1, bytes.len() as u64);
        Ok(())
    }

    pub(super) fn rows_writer(&mut self, member: &str) -> Result<RowsFile, CassetteError> {
        let kept = self.ready()?;
        let (root, counter) = (Arc::clone(self.root()), Arc::clone(&self.layout.counter));
        Ok(RowsFile { path: root.join(member), root, kept, file: None, end: 0, counter })
    }

    fn create_error(&self, path: &Path, error: &io::Error) -> CassetteError {
        match error.kind() {
            io::ErrorKind::NotFound => self.lost(),
            _ => CassetteError::io(path, "create", error).advice(NOT_COMPLETE),
        }
    }
}

pub(super) fn text_of(metadata: &Metadata) -> Vec<u8> {
    let mut text = Vec::with_capacity(256);
    yaml::emit_document(&metadata.to_value(), &mut text);
    text
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).open(path)
}

/// A CSV file that grows.
pub(super) struct RowsFile {
    root: Arc<PathBuf>,
    path: PathBuf,
    /// Whether the recording goes on, rather than having been given up.
    kept: bool,
    file: Option<File>,
    /// The number of bytes in it.
    end: u64,
    counter: Arc<Counter>,
}

impl RowsWriter for RowsFile {
    fn append(&mut self, block: &RowBlock) -> Result<(), CassetteError> {
        if !self.kept {
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                self.counter.add(1, 0);
                let file = create(&self.path);
                none.insert(file.map_err(|error| CassetteError::io(&self.path, "create", &error).advice(NOT_COMPLETE))?)
            }
        };
        append_block(file, self.end, block.bytes()).map_err(|error| write_error(&self.path, &error))?;
        self.end += block.bytes().len() as u64;
        self.counter.add(0, block.bytes().len() as u64);
        Ok(())
    }

    fn rename(&mut self, member: &str) -> Result<(), CassetteError> {
        let to = self.root.join(member);
        if self.file.is_some() {
            let renamed = std::fs::rename(&self.path, &to);
            renamed.map_err(|error| CassetteError::io(&self.path, &format!("rename to {member}"), &error))?;
        }
        self.path = to;
        Ok(())
    }
}

/// Number and size of a cassette's files, without `metadata.yml`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Totals {
    files: u64,
    bytes: u64,
}

/// The same, counted by the writers of a recording.
#[derive(Debug, Default)]
struct Counter {
    files: AtomicU64,
    bytes: AtomicU64,
}

impl Counter {
    fn add(&self, files: u64, bytes: u64) {
        self.files.fetch_add(files, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn totals(&self) -> Totals {
        Totals { files: self.files.load(Ordering::Relaxed), bytes: self.bytes.load(Ordering::Relaxed) }
    }
}

/// What is remembered of the complete cassette that a recording replaces, to tell whether the two are equal.
#[derive(Debug)]
struct Previous {
    text: Vec<u8>,
    metadata: Metadata,
    totals: Totals,
    digest: Option<[u8; 32]>,
}

impl Previous {
    /// Returns the previous `metadata.yml` if the recording in `root` equals the previous cassette in everything but the time.
    fn same(&self, root: &Path, totals: Totals, metadata: &Metadata) -> Option<Vec<u8>> {
        let timeless = |metadata: &Metadata| Metadata { recorded_on: String::new(), ..metadata.clone() };
        if self.totals != totals || timeless(&self.metadata) != timeless(metadata) {
            return None;
        }
        (digest(root).ok()? == self.digest?).then(|| self.text.clone())
    }

    /// Says whether a recording of this size may still become equal, given that it only grows.
    fn may_be_equal(&self, totals: Totals) -> bool {
        self.totals.files >= totals.files && self.totals.bytes >= totals.bytes
    }
}

fn remember(target: &Path) -> Option<Previous> {
    let path = target.join(names::METADATA);
    let text = files::read(&path).ok()?;
    let metadata = Metadata::from_value(&yaml::read_document(&text, &path).ok()?, &path).ok()?;
    let (mut totals, own) = (Totals::default(), FileOwners::of(target).ok()?);
    for entry in fs::read_dir(target).ok()? {
        let entry = entry.ok()?;
        if own.has(&entry.file_name()) && entry.file_name() != names::METADATA {
            totals.files += 1;
            totals.bytes += entry.metadata().ok()?.len();
        }
    }
    metadata.complete.then_some(Previous { text, metadata, totals, digest: None })
}

/// Returns a digest of the names and contents of a cassette's files, without `metadata.yml` and the user's own files.
fn digest(root: &Path) -> io::Result<[u8; 32]> {
    let (mut files, own) = (Vec::new(), FileOwners::of(root)?);
    for entry in fs::read_dir(root)? {
        let name = entry?.file_name();
        if own.has(&name) && name != names::METADATA {
            files.push(name);
        }
    }
    files.sort();
    let (mut sum, mut block) = (Sha256::new(), vec![0; 64 * 1024]);
    for name in files {
        let mut file = files::open(&root.join(&name))?;
        sum.update(name.as_encoded_bytes());
        sum.update([0]);
        sum.update(file.metadata()?.len().to_le_bytes());
        loop {
            match file.read(&mut block) {
                Ok(0) => break,
                Ok(count) => sum.update(&block[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(sum.finalize().into())
}
