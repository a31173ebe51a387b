//! The command log as a growing memory map: what is appended survives the process as a write does, but costs only a
//! copy. The first commands after a connect are written, into room that was set aside, because a connection that does
//! hardly anything is not worth a map.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use super8_cassette::{Append, MakeAppend, Room};

/// How many times something is written before a window is opened. Reserving, mapping and giving back cost about as much
/// as ten writes.
const WRITES: u32 = 6;
/// The log grows by this much, doubling up to `LARGEST`, because the window counts as memory of the process.
const SMALLEST: usize = 64 * 1024;
const LARGEST: usize = 256 * 1024;

/// Makes command logs that are appended to through a memory map.
pub fn in_memory_map() -> MakeAppend {
    Arc::new(|file| {
        Ok(Box::new(MappedAppend {
            file,
            start: 0,
            used: 0,
            window: None,
            writes: 0,
            room: Room::default(),
            step: SMALLEST,
        }))
    })
}

struct MappedAppend {
    file: File,
    /// Where the window begins in the file.
    start: usize,
    /// How many bytes of the window are used.
    used: usize,
    window: Option<Window>,
    /// How often something was written since the log was opened or finished.
    writes: u32,
    /// The room that was set aside without a window.
    room: Room,
    step: usize,
}

/// A writable part of the file in memory.
struct Window {
    address: *mut u8,
    length: usize,
}

// SAFETY: the window belongs to its appender alone, which is used by one thread at a time.
unsafe impl Send for Window {}

impl Drop for Window {
    fn drop(&mut self) {
        // SAFETY: mapped by `Window::of` with this length.
        unsafe { libc::munmap(self.address.cast(), self.length) };
    }
}

impl Window {
    fn of(file: &File, start: usize, length: usize) -> io::Result<Window> {
        // Blocks are reserved now, so that a full disk is an error here and not a signal at the first touch of the
        // page.
        super8_cassette::allocate(file, start as u64, length as u64, true)?;
        // SAFETY: a plain system call on an open file.
        unsafe {
            let address = libc::mmap(
                std::ptr::null_mut(),
                length,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                file.as_raw_fd(),
                start as i64,
            );
            if address == libc::MAP_FAILED {
                return Err(io::Error::last_os_error());
            }
            Ok(Window { address: address.cast(), length })
        }
    }
}

impl MappedAppend {
    /// Makes sure that the window has room for `count` more bytes. Returns true if a window had to be opened.
    fn make_room(&mut self, count: usize) -> io::Result<bool> {
        if self.window.as_ref().is_some_and(|window| window.length - self.used >= count) {
            return Ok(false);
        }
        let end = self.start + self.used;
        self.window = None;
        // SAFETY: a plain query.
        let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096);
        let start = end / page * page;
        let length = (end - start + count + self.step).div_ceil(page) * page;
        self.window = Some(Window::of(&self.file, start, length)?);
        // The file ends with the window, so what was set aside behind it goes away when the file is cut.
        self.room = Room::default();
        (self.start, self.used) = (start, end - start);
        self.step = (self.step * 2).min(LARGEST);
        Ok(true)
    }
}

impl Append for MappedAppend {
    fn reserve(&mut self, bytes: usize) -> io::Result<bool> {
        if self.window.is_some() {
            return self.make_room(bytes);
        }
        let end = self.start + self.used;
        if (end + bytes) as u64 <= self.room.end {
            return Ok(false);
        }
        self.room = super8_cassette::allocate_ahead(&self.file, end as u64, (end + bytes) as u64)?;
        Ok(true)
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.window.is_none() && self.writes < WRITES {
            self.writes += 1;
            self.reserve(bytes.len())?;
            self.file.write_all_at(bytes, (self.start + self.used) as u64)?;
            self.used += bytes.len();
            return Ok(());
        }
        self.make_room(bytes.len())?;
        if let Some(window) = &self.window {
            // The first byte comes last: a process that is killed in between leaves a zero, which ends the log, and no
            // entry that looks whole.
            if let Some((first, rest)) = bytes.split_first() {
                // SAFETY: `make_room` left at least `bytes.len()` bytes in the window after `used`.
                unsafe {
                    let place = window.address.add(self.used);
                    std::ptr::copy_nonoverlapping(rest.as_ptr(), place.add(1), rest.len());
                    std::sync::atomic::fence(std::sync::atomic::Ordering::Release);
                    place.write_volatile(*first);
                }
            }
            self.used += bytes.len();
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.writes = 0;
        if self.window.is_some() || self.room.is_seen { self.give_back() } else { Ok(()) }
    }

    fn give_back(&mut self) -> io::Result<()> {
        if self.window.take().is_none() && self.room == Room::default() {
            return Ok(());
        }
        self.room = Room::default();
        self.file.set_len((self.start + self.used) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn what_is_appended_is_in_the_file_and_nothing_else_after_finish() {
        let directory = crate::config::locations::tests::directory("append");
        let path = directory.join("log");
        let file = File::options().read(true).write(true).create(true).truncate(true).open(&path).unwrap();
        let mut append = in_memory_map()(file).unwrap();
        let mut expected = Vec::new();
        for round in 0..3000u32 {
            let bytes = vec![(round % 251) as u8 + 1; (round as usize * 37) % 4000];
            append.append(&bytes).unwrap();
            expected.extend(bytes);
            if round % 1000 == 999 || round < 5 {
                append.finish().unwrap();
                assert_eq!(std::fs::read(&path).unwrap(), expected, "finished at {round}");
            }
        }
        let mut found = Vec::new();
        File::open(&path).unwrap().read_to_end(&mut found).unwrap();
        assert_eq!(found, expected);
    }

    #[test]
    fn room_is_set_aside_once_for_many_short_connections() {
        let directory = crate::config::locations::tests::directory("append-room");
        let path = directory.join("log");
        let file = File::options().read(true).write(true).create(true).truncate(true).open(&path).unwrap();
        let blocks = || std::os::unix::fs::MetadataExt::blocks(&path.metadata().unwrap());
        let mut append = in_memory_map()(file).unwrap();
        for round in 0..20 {
            assert_eq!(append.reserve(100).unwrap(), round == 0);
            append.append(&[b'x'; 100]).unwrap();
            append.finish().unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), vec![b'x'; 100 * (round + 1)]);
        }
        let reserved = blocks();
        append.give_back().unwrap();
        assert!(blocks() < reserved, "{reserved} blocks");
        assert_eq!(std::fs::read(&path).unwrap().len(), 2000);
    }
}
