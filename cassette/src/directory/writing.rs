//! The side of a directory that grows: staged first, published by rename, then appended to in place.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::lock::DirectoryLock;
use super::names;
use super::previous::{Counter, Previous};
use super::publish;
use super::staging::Staging;
use crate::append::{Append, MakeAppend, append_block, within_limit};
use crate::metadata::Metadata;
use crate::rows_journal::RowsJournal;
use crate::storage::{OpenRun, RowsPart};
use crate::{CassetteError, ConnectionId, Fields, Value, yaml};

/// How far a recording is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing is on disk.
    Idle,
    /// It grows in its staging directory.
    Staged,
    /// It stands under its name.
    Published,
    /// It was given up: what is appended goes nowhere.
    Discarded,
}

/// A recording's files.
pub(crate) struct Writing {
    target: PathBuf,
    metadata: Metadata,
    make_append: MakeAppend,
    phase: Phase,
    /// The metadata say that it is complete. Appending makes it incomplete until the next time.
    complete: bool,
    /// Where the files are now.
    root: Arc<PathBuf>,
    log: Option<Box<dyn Append>>,
    metadata_file: Option<File>,
    /// Bytes in it.
    metadata_length: usize,
    /// The info file written last stays open: answers come in bursts.
    info: Option<(ConnectionId, File, u64, PathBuf)>,
    /// What is known of rows whose entry is not written yet; it stands where the files are.
    journal: Option<RowsJournal>,
    lock: Option<DirectoryLock>,
    previous: Previous,
    counter: Arc<Counter>,
}

impl Writing {
    pub(crate) fn new(target: PathBuf, metadata: Metadata, make_append: MakeAppend) -> Self {
        Writing {
            root: Arc::new(names::staging(&target)),
            target,
            metadata,
            make_append,
            phase: Phase::Idle,
            complete: false,
            log: None,
            metadata_file: None,
            metadata_length: 0,
            info: None,
            journal: None,
            lock: None,
            previous: Previous::default(),
            counter: Arc::default(),
        }
    }

    /// Where the files are now.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Sets room aside for so many bytes of the log. Where the disk is asked for it, so is whether the files still have their
    /// names.
    pub(crate) fn reserve(&mut self, bytes: usize) -> Result<(), CassetteError> {
        let Some(log) = &mut self.log else { return Ok(()) };
        let asked = log.reserve(bytes).map_err(|error| write_error(&self.root.join(names::COMMANDS), &error))?;
        if asked && !self.is_there() { Err(self.lost()) } else { Ok(()) }
    }

    /// Brings the cassette into being, or looks whether the files still have their names.
    pub(crate) fn ensure(&mut self) -> Result<(), CassetteError> {
        match self.phase {
            Phase::Idle => self.begin(),
            Phase::Discarded => Ok(()),
            _ if !self.is_there() => Err(self.lost()),
            _ => Ok(()),
        }
    }

    fn is_there(&self) -> bool {
        self.lock.as_ref().is_some_and(|lock| lock.is_at(&self.root).unwrap_or(false))
    }

    pub(crate) fn append(&mut self, encoded: &[u8]) -> Result<(), CassetteError> {
        if !self.ready()? {
            return Ok(());
        }
        let Some(log) = &mut self.log else { return Err(self.lost()) };
        log.append(encoded).map_err(|error| write_error(&self.root.join(names::COMMANDS), &error))?;
        self.counter.add(0, encoded.len() as u64);
        Ok(())
    }

    pub(crate) fn append_info(&mut self, connection: ConnectionId, answer: &Fields) -> Result<(), CassetteError> {
        if !self.ready()? {
            return Ok(());
        }
        if self.info.as_ref().is_none_or(|(open, ..)| *open != connection) {
            let path = self.root.join(names::info(connection));
            let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
            let file = file.map_err(|error| self.create_error(&path, &error))?;
            let len = file.metadata().map_err(|error| CassetteError::io(&path, "look at", &error))?.len();
            self.counter.add(u64::from(len == 0), 0);
            self.info = Some((connection, file, len, path));
        }
        let mut item = Vec::with_capacity(256);
        yaml::emit_answer(answer, &mut item);
        let Some((_, file, end, path)) = &mut self.info else { return Err(self.lost()) };
        append_block(file, *end, &item).map_err(|error| write_error(path, &error))?;
        *end += item.len() as u64;
        self.counter.add(0, item.len() as u64);
        Ok(())
    }

    pub(crate) fn put(&mut self, part: &str, document: &Value) -> Result<(), CassetteError> {
        if !self.ready()? {
            return Ok(());
        }
        let path = self.root.join(part);
        let mut bytes = Vec::with_capacity(1024);
        yaml::emit_document(document, &mut bytes);
        let file = create(&path).map_err(|error| self.create_error(&path, &error))?;
        append_block(&file, 0, &bytes).map_err(|error| write_error(&path, &error))?;
        self.counter.add(1, bytes.len() as u64);
        Ok(())
    }

    pub(crate) fn rows_part(&mut self, part: &str) -> Result<RowsFile, CassetteError> {
        let kept = self.ready()?;
        let (root, counter) = (Arc::clone(&self.root), Arc::clone(&self.counter));
        Ok(RowsFile { path: root.join(part), root, kept, file: None, end: 0, counter })
    }

    pub(crate) fn note_rows(&mut self, open: &OpenRun<'_>) -> Result<(), CassetteError> {
        if !self.ready()? {
            return Ok(());
        }
        let journal = self.journal.get_or_insert_with(|| RowsJournal::at(self.root.join(names::ROWS_JOURNAL)));
        journal.append(open).map_err(|error| write_error(journal.path(), &error))
    }

    pub(crate) fn flush(&mut self) -> Result<(), CassetteError> {
        match &mut self.log {
            None => Ok(()),
            Some(log) => log.finish().map_err(|error| write_error(&self.root.join(names::COMMANDS), &error)),
        }
    }

    /// Marks the recording as complete, where it is.
    pub(crate) fn complete(&mut self) -> Result<(), CassetteError> {
        if matches!(self.phase, Phase::Idle | Phase::Discarded) || self.complete {
            return Ok(());
        }
        self.flush()?;
        self.info = None;
        if let Some(mut journal) = self.journal.take() {
            journal.remove().map_err(|error| CassetteError::io(journal.path(), "remove", &error))?;
        }
        let totals = self.counter.totals();
        let complete = Metadata { complete: true, ..self.metadata.clone() };
        if self.phase == Phase::Staged {
            self.previous.read(&self.target, totals);
        }
        let text = self.previous.same(&self.root, totals, &complete).unwrap_or_else(|| text_of(&complete));
        self.write_metadata(&text)?;
        self.complete = true;
        Ok(())
    }

    /// Marks the recording as complete and puts it under its name.
    pub(crate) fn publish(&mut self) -> Result<(), CassetteError> {
        self.complete()?;
        if self.phase == Phase::Staged {
            if !self.is_there() {
                return Err(self.lost());
            }
            if let Err(error) = publish::publish(&self.root, &self.target) {
                // what stays behind in the staging directory is not the cassette
                let _ = self.write_metadata(&text_of(&self.metadata));
                self.complete = false;
                return Err(error);
            }
            self.previous.lock = None;
            self.root = Arc::new(self.target.clone());
            self.phase = Phase::Published;
        }
        Ok(())
    }

    /// Gives the recording up: what is staged goes to the directory `keep`, or away.
    pub(crate) fn discard(&mut self, keep: Option<&Path>) -> Result<(), CassetteError> {
        let given_up = match (self.phase, keep) {
            (Phase::Staged, Some(keep)) => self.complete().and_then(|()| publish::publish(&self.root, keep)),
            (Phase::Staged, None) => {
                std::fs::remove_dir_all(&*self.root).map_err(|error| CassetteError::io(&self.root, "remove", &error))
            }
            (Phase::Published, Some(_)) => self.complete().and(Err(in_place(&self.target))),
            _ => Ok(()),
        };
        (self.log, self.metadata_file, self.info, self.journal) = (None, None, None, None);
        // somebody else may record the cassette from now on
        (self.lock, self.previous) = (None, Previous::default());
        self.phase = Phase::Discarded;
        given_up
    }

    /// Brings the cassette into the state in which something can be appended; false if it was given up.
    fn ready(&mut self) -> Result<bool, CassetteError> {
        match self.phase {
            Phase::Idle => self.begin()?,
            Phase::Discarded => return Ok(false),
            _ if self.complete => self.resume()?,
            _ => {}
        }
        Ok(true)
    }

    fn begin(&mut self) -> Result<(), CassetteError> {
        super::previous::check_target(&self.target)?;
        let staging = Staging::claim(&self.target)?;
        self.previous = Previous::look(&self.target).inspect_err(|_| {
            let _ = std::fs::remove_dir(&staging.path);
        })?;
        let path = staging.path.join(names::METADATA);
        self.metadata_file = Some(create(&path).map_err(|error| CassetteError::io(&path, "create", &error))?);
        self.write_metadata(&text_of(&self.metadata))?;
        let path = staging.path.join(names::COMMANDS);
        let log = create(&path).and_then(|file| (self.make_append)(file));
        let log = log.map_err(|error| CassetteError::io(&path, "create", &error))?;
        self.log = Some(log);
        self.counter.add(1, 0);
        self.root = Arc::new(staging.path);
        self.lock = Some(staging.lock);
        self.phase = Phase::Staged;
        Ok(())
    }

    fn resume(&mut self) -> Result<(), CassetteError> {
        if !self.is_there() {
            return Err(self.lost());
        }
        self.write_metadata(&text_of(&self.metadata))?;
        self.complete = false;
        Ok(())
    }

    fn write_metadata(&mut self, text: &[u8]) -> Result<(), CassetteError> {
        let Some(file) = &self.metadata_file else { return Err(self.lost()) };
        let written =
            within_limit(text.len() as u64).and_then(|()| file.write_all_at(text, 0)).and_then(|()| {
                match self.metadata_length > text.len() {
                    true => file.set_len(text.len() as u64),
                    false => Ok(()),
                }
            });
        written.map_err(|error| write_error(&self.root.join(names::METADATA), &error))?;
        self.metadata_length = text.len();
        Ok(())
    }

    fn create_error(&self, path: &Path, error: &io::Error) -> CassetteError {
        match error.kind() {
            io::ErrorKind::NotFound => self.lost(),
            _ => CassetteError::io(path, "create", error).advice(NOT_COMPLETE),
        }
    }

    fn lost(&self) -> CassetteError {
        let root = self.root.display();
        let problem =
            format!("{root} was removed or replaced while this process recorded there; the recording is lost");
        CassetteError::new(&self.target, problem).advice("leave it alone until the process has ended, and record again")
    }
}

fn text_of(metadata: &Metadata) -> Vec<u8> {
    let mut text = Vec::with_capacity(256);
    yaml::emit_document(&metadata.to_value(), &mut text);
    text
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).open(path)
}

/// The error of a recording that cannot be given up any more.
pub(crate) fn in_place(target: &Path) -> CassetteError {
    CassetteError::new(target, "the recording is in its place already, and the cassette before it is gone")
        .advice("insert the cassette with super8_insert, or record under `super8 record`")
}

const NOT_COMPLETE: &str = "the recording is not complete: make room or correct the permissions, then record again";

/// The error of a recording that cannot grow.
pub(crate) fn write_error(path: &Path, error: &io::Error) -> CassetteError {
    CassetteError::io(path, "write", error).advice(NOT_COMPLETE)
}

/// A CSV file that grows.
pub(crate) struct RowsFile {
    root: Arc<PathBuf>,
    path: PathBuf,
    /// The recording was not given up.
    kept: bool,
    file: Option<File>,
    /// Bytes in it.
    end: u64,
    counter: Arc<Counter>,
}

impl RowsPart for RowsFile {
    fn append(&mut self, block: &[u8]) -> Result<(), CassetteError> {
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
        append_block(file, self.end, block).map_err(|error| write_error(&self.path, &error))?;
        self.end += block.len() as u64;
        self.counter.add(0, block.len() as u64);
        Ok(())
    }

    fn rename(&mut self, part: &str) -> Result<(), CassetteError> {
        let to = self.root.join(part);
        if self.file.is_some() {
            let renamed = std::fs::rename(&self.path, &to);
            renamed.map_err(|error| CassetteError::io(&self.path, &format!("rename to {part}"), &error))?;
        }
        self.path = to;
        Ok(())
    }
}
