//! The side of a trace's file that grows: staged beside its place, published by rename, then appended to in place.
//! Nothing that was written is ever written over.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::VERSION;
use super::line::{Kind, Line};
use super::lines::Lines;
use super::record::RecordWriter;
use crate::append::{Append, WriteAppend};
use crate::directory::{DirectoryLock as Lock, in_place, is_cassette, notice, refuse, write_error};
use crate::recorder::ROOM;
use crate::rows_journal::{self, RowsJournal};
use crate::storage::OpenRun;
use crate::{CassetteError, ErrorKind, Metadata, files};

/// How far a recording is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing is on disk.
    Idle,
    /// It grows in its staging file.
    Staged,
    /// It stands under its name.
    Published,
    /// It was given up: what is appended goes nowhere.
    Discarded,
}

/// A trace being recorded.
pub(super) struct Writing {
    target: PathBuf,
    metadata: Metadata,
    writer: RecordWriter,
    phase: Phase,
    /// It ends in the mark of completeness. What is appended takes that from it until the next one.
    complete: bool,
    /// One `write` for each record: whoever reads the file while it grows sees whole lines and nothing else.
    log: Option<WriteAppend>,
    /// What is known of rows whose entry is not written yet.
    journal: Option<RowsJournal>,
    lock: Option<Lock>,
    /// Nobody else may replace the trace before this one while we prepare to.
    previous: Option<Lock>,
}

impl Writing {
    pub(super) fn new(target: PathBuf, metadata: Metadata, writer: RecordWriter) -> Self {
        let (log, journal, lock, previous) = (None, None, None, None);
        Writing { target, metadata, writer, phase: Phase::Idle, complete: false, log, journal, lock, previous }
    }

    /// Where the file is now.
    pub(super) fn path(&self) -> PathBuf {
        match self.phase {
            Phase::Published => self.target.clone(),
            _ => staging(&self.target),
        }
    }

    /// Sets room aside for so many bytes of records. Where the disk is asked for it, so is whether the file still has its name.
    pub(super) fn reserve(&mut self, bytes: usize) -> Result<(), CassetteError> {
        let path = self.path();
        let Some(log) = &mut self.log else { return Ok(()) };
        let asked = log.reserve(bytes).map_err(|error| write_error(&path, &error))?;
        if asked && !self.is_there() { Err(self.lost()) } else { Ok(()) }
    }

    /// Brings the cassette into being, or looks whether the files still have their names.
    pub(super) fn ensure(&mut self) -> Result<(), CassetteError> {
        match self.phase {
            Phase::Idle => self.begin(),
            Phase::Discarded => Ok(()),
            _ if !self.is_there() => Err(self.lost()),
            _ => Ok(()),
        }
    }

    fn is_there(&self) -> bool {
        self.lock.as_ref().is_some_and(|lock| lock.is_at(&self.path()).unwrap_or(false))
    }

    /// Appends rows, which leave the room that is set aside for entries as it is.
    pub(super) fn append_rows(&mut self, records: &[u8]) -> Result<(), CassetteError> {
        self.reserve(records.len() + ROOM)?;
        self.append(records)
    }

    /// Appends whole records.
    pub(super) fn append(&mut self, records: &[u8]) -> Result<(), CassetteError> {
        if self.ready()? { self.write(records) } else { Ok(()) }
    }

    /// Gives the recording up: what is staged goes to the directory `keep`, or away.
    pub(super) fn discard(&mut self, keep: Option<&Path>) -> Result<(), CassetteError> {
        let staged = staging(&self.target);
        let given_up = match (self.phase, keep) {
            (Phase::Staged, Some(keep)) => self.complete().and_then(|()| {
                let target = keep.join(self.target.file_name().unwrap_or_default());
                check_target(&target)?;
                fs::create_dir_all(keep)
                    .and_then(|()| fs::rename(&staged, &target))
                    .map_err(|error| CassetteError::io(&target, "put the recording in place", &error))
            }),
            (Phase::Staged, None) => {
                fs::remove_file(&staged).map_err(|error| CassetteError::io(&staged, "remove", &error))
            }
            (Phase::Published, Some(_)) => self.complete().and(Err(in_place(&self.target))),
            _ => Ok(()),
        };
        // somebody else may record the trace from now on
        (self.log, self.journal, self.lock, self.previous) = (None, None, None, None);
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

    pub(super) fn note_rows(&mut self, open: &OpenRun<'_>) -> Result<(), CassetteError> {
        if !self.ready()? {
            return Ok(());
        }
        let journal = self.journal.get_or_insert_with(|| RowsJournal::at(rows_journal(&self.target)));
        journal.append(open).map_err(|error| write_error(journal.path(), &error))
    }

    pub(super) fn flush(&mut self) -> Result<(), CassetteError> {
        let path = self.path();
        self.log.as_mut().map_or(Ok(()), |log| log.finish()).map_err(|error| write_error(&path, &error))
    }

    /// Marks the recording as complete, where it is.
    pub(super) fn complete(&mut self) -> Result<(), CassetteError> {
        if matches!(self.phase, Phase::Idle | Phase::Discarded) || self.complete {
            return Ok(());
        }
        let mut record = Vec::with_capacity(256);
        self.writer.complete(self.metadata.recovered, &mut record);
        self.write(&record)?;
        self.flush()?;
        if let Some(mut journal) = self.journal.take() {
            journal.remove().map_err(|error| CassetteError::io(journal.path(), "remove", &error))?;
        }
        self.complete = true;
        Ok(())
    }

    /// Marks the recording as complete and puts it under its name.
    pub(super) fn publish(&mut self) -> Result<(), CassetteError> {
        self.complete()?;
        if self.phase == Phase::Staged {
            if !self.is_there() {
                return Err(self.lost());
            }
            check_target(&self.target)?;
            let staged = staging(&self.target);
            fs::rename(&staged, &self.target).map_err(|error| {
                CassetteError::io(&self.target, "put the recording in place", &error)
                    .advice(format!("the recording is kept in {}", staged.display()))
            })?;
            self.previous = None;
            self.phase = Phase::Published;
        }
        Ok(())
    }

    fn begin(&mut self) -> Result<(), CassetteError> {
        check_target(&self.target)?;
        if let Some(directory) = self.target.parent() {
            fs::create_dir_all(directory).map_err(|error| CassetteError::io(directory, "create", &error))?;
        }
        let (file, lock) = claim(&self.target)?;
        let journal = rows_journal(&self.target);
        rows_journal::remove(&journal).map_err(|error| CassetteError::io(&journal, "remove", &error))?;
        let path = staging(&self.target);
        self.previous = previous(&self.target).inspect_err(|_| _ = fs::remove_file(&path))?;
        let log = WriteAppend::new(file);
        (self.log, self.lock, self.phase) = (Some(log), Some(lock), Phase::Staged);
        let mut header = Vec::with_capacity(512);
        self.writer.header(&self.metadata.to_value(), &mut header);
        self.write(&header)
    }

    fn resume(&mut self) -> Result<(), CassetteError> {
        if !self.is_there() {
            return Err(self.lost());
        }
        self.complete = false;
        Ok(())
    }

    fn write(&mut self, records: &[u8]) -> Result<(), CassetteError> {
        let path = self.path();
        let Some(log) = &mut self.log else { return Err(self.lost()) };
        log.append(records).map_err(|error| write_error(&path, &error))
    }

    fn lost(&self) -> CassetteError {
        let path = self.path();
        let problem = format!(
            "{} was removed or replaced while this process recorded there; the recording is lost",
            path.display()
        );
        CassetteError::new(&self.target, problem).advice("leave it alone until the process has ended, and record again")
    }
}

/// Where the recording of a trace is staged: beside it, hidden, with a name that says what it is.
pub(crate) fn staging(target: &Path) -> PathBuf {
    beside(target, "super8-recording")
}

/// Where the journal of a trace's rows stands, see [`rows_journal`](crate::rows_journal).
pub(super) fn rows_journal(target: &Path) -> PathBuf {
    beside(target, "super8-rows")
}

fn beside(target: &Path, ending: &str) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}.{ending}"))
}

/// Where a trace stands whose recording is staged here.
pub(super) fn target_of(staged: &Path) -> Option<PathBuf> {
    let name = staged.file_name()?.to_str()?.strip_prefix('.')?.strip_suffix(".super8-recording")?;
    super::TraceId::of_file(name).map(|_| staged.with_file_name(name))
}

/// Makes the staging file: new, empty and locked.
fn claim(target: &Path) -> Result<(File, Lock), CassetteError> {
    let path = staging(target);
    loop {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(|error| CassetteError::io(&path, "create", &error))?;
        let lock = match Lock::take(&path) {
            Ok(Ok(lock)) => lock,
            Ok(Err(busy)) => return Err(refuse(target, busy)),
            // published by its owner in the meantime
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(CassetteError::io(&path, "lock", &error)),
        };
        let failed = |error: io::Error| CassetteError::io(&path, "look at", &error);
        if !same(&file, &path).map_err(failed)? {
            continue;
        }
        if file.metadata().map_err(failed)?.len() > 0 {
            if foreign_line(&path)?.is_some() {
                return Err(CassetteError::new(&path, "stands where a recording is staged, but is not one")
                    .advice("move it away, then record again"));
            }
            notice(&format!("an unfinished recording of {} by a process that ended is replaced", target.display()));
            file.set_len(0).map_err(|error| CassetteError::io(&path, "empty", &error))?;
        }
        return Ok((file, lock));
    }
}

fn same(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let (ours, there) = (file.metadata()?, fs::metadata(path)?);
    Ok((ours.dev(), ours.ino()) == (there.dev(), there.ino()))
}

/// Locks the trace that will be replaced, if there is one.
fn previous(target: &Path) -> Result<Option<Lock>, CassetteError> {
    match Lock::take(target) {
        Ok(Ok(lock)) => Ok(Some(lock)),
        Ok(Err(busy)) => Err(refuse(target, busy)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(CassetteError::io(target, "lock", &error)),
    }
}

/// Refuses a target that is neither free nor a trace of ours alone: it would be replaced.
pub(super) fn check_target(target: &Path) -> Result<(), CassetteError> {
    let directory = target.parent().unwrap_or(Path::new("/"));
    match fs::metadata(directory) {
        Ok(there) if !there.is_dir() => {
            return Err(CassetteError::new(directory, "is a file, and traces stand in a directory")
                .advice("name another place in SUPER8_CASSETTE"));
        }
        Ok(_) if is_cassette(directory) => {
            return Err(CassetteError::new(directory, "holds a cassette in the format yaml")
                .advice("name another directory, or unset SUPER8_FORMAT to record that one again"));
        }
        _ => {}
    }
    match foreign_line(target)? {
        None => Ok(()),
        Some(line) => Err(CassetteError::new(target, "has other records than super8's, which would be lost")
            .at_line(line.into())
            .advice("name another directory in SUPER8_CASSETTE; nothing was touched")),
    }
}

/// The first line of a file that is no record of ours. A line cut short at the end is what a recording leaves that died.
fn foreign_line(path: &Path) -> Result<Option<u32>, CassetteError> {
    let file = match files::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(|error| CassetteError::io(path, "open", &error))?,
    };
    if file.metadata().map_err(|error| CassetteError::io(path, "look at", &error))?.is_dir() {
        return Err(CassetteError::new(path, "is a directory, and a trace is a file").advice("move it away"));
    }
    first_foreign(file, path)
}

/// Whether a file has no more than the beginning of a trace of ours: its process died, or its disk was full, in the header.
pub(super) fn is_begun(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = files::open(path).and_then(|file| file.take(512).read_to_end(&mut start));
    let begin = format!("{{\"version\":\"{VERSION}\",\"traceId\":\"");
    // the first byte is written last
    let start = start.strip_prefix(b"\0").map_or(start.clone(), |rest| [b"{", rest].concat());
    let same = start.iter().take_while(|byte| **byte != 0).zip(begin.bytes()).all(|(byte, own)| *byte == own);
    let foreign = |text: &str| text.contains("\"protocol\":\"") && !text.contains("\"protocol\":\"odbc\"");
    read.is_ok() && same && !foreign(&String::from_utf8_lossy(&start))
}

fn first_foreign(reader: impl Read, path: &Path) -> Result<Option<u32>, CassetteError> {
    let (mut lines, mut first) = (Lines::new(reader, path), true);
    loop {
        let cut = match lines.next() {
            Ok(Some(cut)) => cut,
            Ok(None) => return Ok(None),
            // a record of ours in the middle of which its process died
            Err(error) if error.kind() == ErrorKind::Torn && (!first || is_begun(path)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let place = cut.place;
        let kind = Line::read(cut.bytes, path, place.line).ok().and_then(|line| line.kind().ok());
        let ours = match kind {
            Some(Kind::Foreign) => false,
            Some(Kind::Header) => first,
            Some(_) => !first,
            None => !cut.ended && (!first || is_begun(path)),
        };
        if !ours {
            return Ok(Some(place.line));
        }
        first = false;
    }
}
