//! A part of a log in memory: entries are read one by one, mostly in order, without a system call for each.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::storage::Place;
use crate::{CassetteError, files};

/// Bytes of the log that are held at a time.
const WINDOW: usize = 64 * 1024;
/// Bytes before the entry that was asked for: answers are looked up a little behind the commands.
const BEHIND: u64 = 8 * 1024;

/// A window of one log.
#[derive(Default)]
pub(crate) struct Window {
    log: Arc<PathBuf>,
    file: Option<File>,
    start: u64,
    bytes: Vec<u8>,
}

impl Window {
    /// A window of the log at this path.
    pub(crate) fn of(log: PathBuf) -> Window {
        Window { log: Arc::new(log), ..Window::default() }
    }

    /// The bytes at a place, and the log's path: copies, so that others may use the window while an entry is taken apart.
    pub(crate) fn read(&mut self, place: Place) -> Result<(Vec<u8>, Arc<PathBuf>), CassetteError> {
        let (offset, len) = (place.offset, place.len as usize);
        let held = self.start..self.start + self.bytes.len() as u64;
        if offset < held.start || offset + len as u64 > held.end {
            self.fill(place)?;
        }
        let from = (offset - self.start) as usize;
        let bytes = self.bytes.get(from..from + len).ok_or_else(|| {
            CassetteError::torn(&self.log, "the log became shorter while it was read").at_line(place.line.into())
        })?;
        Ok((bytes.to_vec(), Arc::clone(&self.log)))
    }

    fn fill(&mut self, place: Place) -> Result<(), CassetteError> {
        let failed = |error: io::Error| CassetteError::io(&self.log, "read", &error).at_line(place.line.into());
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(files::open(&self.log).map_err(failed)?),
        };
        self.start = place.offset.saturating_sub(BEHIND);
        let lead = (place.offset - self.start) as usize;
        self.bytes.resize(WINDOW.max(lead + place.len as usize), 0);
        let mut filled = 0;
        while filled < self.bytes.len() {
            match file.read_at(&mut self.bytes[filled..], self.start + filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
            }
        }
        self.bytes.truncate(filled);
        // an entry of several megabytes must not keep its memory
        self.bytes.shrink_to(2 * WINDOW);
        Ok(())
    }
}
