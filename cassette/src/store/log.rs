//! The file of a log. Writing: how room is set aside and bytes are appended (one `write` for each entry, unless the
//! caller brings another way). Reading: in windows, because the log may be larger than memory.

use std::fs::File;
use std::io;
use std::ops::Deref;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use once_cell::sync::OnceCell;
use parking_lot::Mutex;
use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};

use super::interface::EntryRef;
use crate::{CassetteError, files};

/// How much is set aside at a time beyond what is asked for.
const STEP: u64 = 64 * 1024;

/// How much room is set aside for an entry whose size is unknown until the driver has answered, because it includes
/// output parameters and diagnostics. What the application sends is counted separately.
pub(crate) const ENTRY_ROOM: usize = 64 * 1024;

/// The end of a log that grows.
///
/// What was appended must survive the death of the process (not of the machine) once `append` has returned.
pub trait Append: Send {
    /// Sets room aside, so that this many bytes can be appended whatever happens to the disk. Returns true if it had to
    /// ask the disk, and false if an earlier call had set enough aside.
    ///
    /// # Errors
    /// An error of the operating system, or a limit of the process.
    fn reserve(&mut self, bytes: usize) -> io::Result<bool>;

    /// Adds bytes at the end.
    ///
    /// # Errors
    /// An error of the operating system. The log may then end in the middle of an entry, and nothing more is appended.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Makes the file end exactly where its content ends. More may be appended later. Room that no reader sees stays
    /// set aside, because giving it back and setting it aside again costs as much as a hundred writes.
    ///
    /// # Errors
    /// An error of the operating system.
    fn finish(&mut self) -> io::Result<()>;

    /// Finishes, and gives back what was set aside.
    ///
    /// # Errors
    /// An error of the operating system.
    fn give_back(&mut self) -> io::Result<()> {
        self.finish()
    }
}

/// Makes the [`Append`] of a new, empty file, which is open for reading and writing.
pub type MakeAppend = Arc<dyn Fn(File) -> io::Result<Box<dyn Append>> + Send + Sync>;

/// Appends with one `write` system call each. Readers never see the room that is set aside, except on a file system
/// that cannot set any aside: there they see zeros at the end.
#[derive(Debug)]
pub struct WriteAppend {
    file: File,
    /// The number of bytes appended.
    end: u64,
    room: Room,
}

/// Room that was set aside behind the content of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// Where it ends.
    pub end: u64,
    /// Whether readers see it, as zeros, because the file system can set room aside in no other way.
    pub is_seen: bool,
}

impl WriteAppend {
    /// Makes an appender for an empty file.
    pub fn new(file: File) -> Self {
        WriteAppend { file, end: 0, room: Room::default() }
    }
}

impl Append for WriteAppend {
    fn reserve(&mut self, bytes: usize) -> io::Result<bool> {
        let wanted = self.end + bytes as u64;
        if wanted <= self.room.end {
            return Ok(false);
        }
        self.room = allocate_ahead(&self.file, self.end, wanted)?;
        Ok(true)
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let end = self.end + bytes.len() as u64;
        if end > self.room.end {
            within_limit(end)?;
        }
        self.file.write_all_at(bytes, self.end)?;
        self.end = end;
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        if self.room.is_seen { self.give_back() } else { Ok(()) }
    }

    fn give_back(&mut self) -> io::Result<()> {
        if self.room == Room::default() {
            return Ok(());
        }
        self.room = Room::default();
        self.file.set_len(self.end)
    }
}

/// Sets room aside up to `wanted`, and some more if the disk has it. The file becomes longer only where the file system
/// cannot avoid that.
///
/// # Errors
/// As for [`allocate`].
pub fn allocate_ahead(file: &File, start: u64, wanted: u64) -> io::Result<Room> {
    let up_to = |end: u64| allocate(file, start, end - start, false).map(|is_seen| Room { end, is_seen });
    up_to(wanted + STEP).or_else(|_| up_to(wanted))
}

/// Sets blocks of the disk aside for a part of a file. With `grow` the file gets that long; without, it keeps its
/// length if the file system can do that. Returns true if the file is that long now.
///
/// # Errors
/// The disk is full, or the process may not write such a long file (without this check it would get the signal SIGXFSZ).
pub fn allocate(file: &File, start: u64, length: u64, grow: bool) -> io::Result<bool> {
    within_limit(start + length)?;
    let flags = if grow { FallocateFlags::empty() } else { FallocateFlags::KEEP_SIZE };
    loop {
        match fallocate(file, flags, start, length) {
            Err(Errno::INTR) => {}
            // This file system sets nothing aside: only what was written is certain to be there.
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => {
                return write_zeros(file, start, length).map(|()| true);
            }
            allocated => return allocated.map(|()| grow).map_err(io::Error::from),
        }
    }
}

fn write_zeros(file: &File, start: u64, length: u64) -> io::Result<()> {
    let zeros = [0; 16 * 1024];
    let mut at = start;
    while at < start + length {
        let count = zeros.len().min((start + length - at) as usize);
        file.write_all_at(&zeros[..count], at)?;
        at += count as u64;
    }
    Ok(())
}

/// Refuses a file of more bytes than the process may write. Writing them would end the process with SIGXFSZ.
///
/// # Errors
/// The file would be longer than RLIMIT_FSIZE allows.
pub fn within_limit(end: u64) -> io::Result<()> {
    match getrlimit(Resource::Fsize).current {
        Some(limit) if end > limit => {
            let text = format!("this process may not write files of more than {limit} bytes (ulimit -f)");
            Err(io::Error::new(io::ErrorKind::FileTooLarge, text))
        }
        _ => Ok(()),
    }
}

/// Appends a block to a file that has `end` bytes, all of it or nothing.
pub(super) fn append_block(file: &File, end: u64, block: &[u8]) -> io::Result<()> {
    within_limit(end + block.len() as u64)?;
    file.write_all_at(block, end).inspect_err(|_| {
        // the disk is full: remove what was written of the block
        let _ = file.set_len(end);
    })
}

/// How many bytes of the log a window holds.
const WINDOW: usize = 64 * 1024;
/// How many bytes before the requested entry are read too, because answers are looked up a little behind the commands.
const BEHIND: u64 = 8 * 1024;

/// How many windows a log has at most. Threads with different windows neither wait for each other nor move each other's window.
const WINDOWS: usize = 8;

/// Reads the entries of a log.
pub(super) struct LogReader {
    log: Arc<Path>,
    file: OnceCell<File>,
    windows: [Mutex<Arc<Block>>; WINDOWS],
}

/// What a window holds.
struct Block {
    log: Arc<Path>,
    start: u64,
    bytes: Vec<u8>,
}

/// The bytes of an entry. They stay valid when others move the window.
pub(super) struct EntryBytes {
    block: Arc<Block>,
    from: usize,
    len: usize,
}

impl EntryBytes {
    /// Returns the log that has them.
    pub(super) fn log(&self) -> &Path {
        &self.block.log
    }
}

impl Deref for EntryBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.block.bytes[self.from..self.from + self.len]
    }
}

impl LogReader {
    /// Makes a reader of the log at this path.
    pub(super) fn of(log: PathBuf) -> LogReader {
        let log: Arc<Path> = log.into();
        let nothing = Arc::new(Block { log: Arc::clone(&log), start: 0, bytes: Vec::new() });
        LogReader { log, file: OnceCell::new(), windows: std::array::from_fn(|_| Mutex::new(Arc::clone(&nothing))) }
    }

    /// Reads the bytes at a place.
    pub(super) fn read(&self, place: EntryRef) -> Result<EntryBytes, CassetteError> {
        let (offset, len) = (place.offset, place.len as usize);
        let mut window = self.windows[crate::process::thread() as usize % WINDOWS].lock();
        let held = window.start..window.start + window.bytes.len() as u64;
        if offset < held.start || offset + len as u64 > held.end {
            self.fill(&mut window, place)?;
        }
        let block = Arc::clone(&window);
        let from = (offset - block.start) as usize;
        if from + len > block.bytes.len() {
            return Err(
                CassetteError::torn(&self.log, "the log became shorter while it was read").at_line(place.line.into())
            );
        }
        Ok(EntryBytes { block, from, len })
    }

    fn fill(&self, window: &mut Arc<Block>, place: EntryRef) -> Result<(), CassetteError> {
        let failed = |error: io::Error| CassetteError::io(&self.log, "read", &error).at_line(place.line.into());
        let file = self.file.get_or_try_init(|| files::open(&self.log)).map_err(failed)?;
        let start = place.offset.saturating_sub(BEHIND);
        let lead = (place.offset - start) as usize;
        // reuse the memory if nobody holds an entry of it
        let mut bytes = Arc::get_mut(window).map_or_else(Vec::new, |block| std::mem::take(&mut block.bytes));
        bytes.resize(WINDOW.max(lead + place.len as usize), 0);
        let mut filled = 0;
        while filled < bytes.len() {
            match file.read_at(&mut bytes[filled..], start + filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
            }
        }
        bytes.truncate(filled);
        // do not keep the memory of an entry of several megabytes
        bytes.shrink_to(2 * WINDOW);
        match Arc::get_mut(window) {
            Some(own) => (own.start, own.bytes) = (start, bytes),
            None => *window = Arc::new(Block { log: Arc::clone(&self.log), start, bytes }),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_not_seen_and_given_back() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let file = File::options().read(true).write(true).create_new(true).open(&path).unwrap();
        let blocks = || std::os::unix::fs::MetadataExt::blocks(&path.metadata().unwrap());
        let mut log = WriteAppend::new(file);
        assert!(log.reserve(1000).unwrap() && !log.reserve(STEP as usize).unwrap());
        log.append(b"one").unwrap();
        log.append(b"two").unwrap();
        let read = || std::fs::read(&path).unwrap();
        assert_eq!(read(), b"onetwo", "this file system sets room aside");
        log.finish().unwrap();
        log.append(b"three").unwrap();
        assert_eq!(read(), b"onetwothree");
        assert!(!log.reserve(1).unwrap(), "room stays set aside");
        let reserved = blocks();
        log.give_back().unwrap();
        assert!(blocks() < reserved && log.reserve(1).unwrap());
        assert_eq!(read(), b"onetwothree");
    }

    #[test]
    fn what_is_written_in_advance_is_cut_off() {
        let file = tempfile::tempfile().unwrap();
        write_zeros(&file, 0, 40_000).unwrap();
        let mut log = WriteAppend { file, end: 0, room: Room { end: 40_000, is_seen: true } };
        log.append(b"one").unwrap();
        log.finish().unwrap();
        assert_eq!(log.file.metadata().unwrap().len(), 3);
    }
}
