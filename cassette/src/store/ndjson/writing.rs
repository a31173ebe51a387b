//! The file of a recording. It is only appended to: nothing that was written is ever overwritten.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::line::{Kind, Line};
use super::lines::Lines;
use super::record::{RecordWriter, VERSION};
use crate::store::directory::is_cassette;
use crate::store::log::{Append, WriteAppend};
use crate::store::recording::{Layout, publish_error, write_error};
use crate::store::recover;
use crate::store::staging::{Lock, beside, occupied, tell_replaced};
use crate::{CassetteError, ErrorKind, Metadata, files};

/// A trace being recorded.
pub(super) struct Writing {
    pub(super) writer: RecordWriter,
}

impl Layout for Writing {
    fn log(&self, root: &Path) -> PathBuf {
        root.to_owned()
    }

    fn journal(&self, _root: &Path, target: &Path) -> PathBuf {
        journal(target)
    }

    fn check_target(&self, target: &Path) -> Result<(), CassetteError> {
        check_target(target)
    }

    fn make(&self, staging: &Path) -> io::Result<()> {
        File::create_new(staging).map(drop)
    }

    fn empty(&self, staging: &Path, target: &Path) -> Result<(), CassetteError> {
        let journal = journal(target);
        if fs::metadata(staging).map_err(|error| CassetteError::io(staging, "look at", &error))?.len() > 0 {
            if foreign_line(staging)?.is_some() {
                return Err(occupied(staging));
            }
            tell_replaced(target);
            let emptied = OpenOptions::new().write(true).truncate(true).open(staging);
            emptied.map_err(|error| CassetteError::io(staging, "empty", &error))?;
        }
        recover::remove(&journal).map_err(|error| CassetteError::io(&journal, "remove", &error))
    }

    fn previous(&mut self, target: &Path) -> Result<Option<Lock>, CassetteError> {
        Lock::if_there(target, target)
    }

    /// Appends with one `write` per record, so that a reader of the growing file sees only whole lines.
    fn create_log(&mut self, root: &Path) -> io::Result<Box<dyn Append>> {
        let file = OpenOptions::new().read(true).write(true).open(root)?;
        Ok(Box::new(WriteAppend::new(file)))
    }

    fn begin(&mut self, root: &Path, log: &mut dyn Append, metadata: &Metadata) -> Result<(), CassetteError> {
        let mut header = Vec::with_capacity(512);
        self.writer.header(&metadata.to_value(), &mut header);
        log.append(&header).map_err(|error| write_error(root, &error))
    }

    fn complete(
        &mut self,
        root: &Path,
        _replaces: Option<&Path>,
        log: &mut dyn Append,
        metadata: &Metadata,
    ) -> Result<(), CassetteError> {
        let mut record = Vec::with_capacity(256);
        self.writer.complete(metadata.recovered, &mut record);
        log.append(&record).and_then(|()| log.finish()).map_err(|error| write_error(root, &error))
    }

    /// Does nothing, because after the next append the mark of completeness is no longer at the end of the file.
    fn resume(&mut self, _root: &Path, _metadata: &Metadata) -> Result<(), CassetteError> {
        Ok(())
    }

    fn publish(&self, staging: &Path, target: &Path) -> Result<(), CassetteError> {
        publish(staging, target)
    }

    fn kept(&self, target: &Path, keep: &Path) -> PathBuf {
        keep.join(target.file_name().unwrap_or_default())
    }

    fn remove(&self, staging: &Path) -> io::Result<()> {
        fs::remove_file(staging)
    }

    fn close(&mut self) {}
}

/// Puts a recording in place of a trace.
pub(super) fn publish(staging: &Path, target: &Path) -> Result<(), CassetteError> {
    check_target(target)?;
    fs::create_dir_all(target.parent().unwrap_or(Path::new("/")))
        .and_then(|()| fs::rename(staging, target))
        .map_err(|error| publish_error(staging, target, &error))
}

/// Returns where the journal of a trace's rows stands.
pub(super) fn journal(target: &Path) -> PathBuf {
    beside(target, "super8-rows")
}

/// Refuses a target that is neither free nor a trace of ours only, because publishing would replace it.
pub(super) fn check_target(target: &Path) -> Result<(), CassetteError> {
    let directory = target.parent().unwrap_or(Path::new("/"));
    match fs::metadata(directory) {
        Ok(there) if !there.is_dir() => {
            return Err(CassetteError::new(directory, "is a file, and traces are kept in a directory")
                .advice("name another directory"));
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
            .advice("name another directory; nothing was touched")),
    }
}

/// Returns the first line of a file that is no record of ours. A line cut short at the end comes from a recording that died.
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

/// Says whether a file has only the beginning of a trace of ours, because its process died or its disk was full in the header.
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
