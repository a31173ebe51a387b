//! One process records a cassette at a time: an advisory lock on the directory itself, which leaves no file behind and
//! follows the directory when it is renamed.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

/// A locked directory; the lock ends with this value or with the process.
#[derive(Debug)]
pub(crate) struct DirectoryLock(File);

/// Somebody else holds the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Busy {
    /// The process, where the system tells.
    pub(crate) process: Option<u32>,
}

impl DirectoryLock {
    /// Locks the directory at `path` without waiting. File systems that know no locks count as locked.
    pub(crate) fn take(path: &Path) -> io::Result<Result<DirectoryLock, Busy>> {
        loop {
            let directory = File::open(path)?;
            match flock(&directory, FlockOperation::NonBlockingLockExclusive) {
                Err(Errno::WOULDBLOCK) => return Ok(Err(Busy { process: holder(&directory) })),
                Err(Errno::INTR) => continue,
                // some network file systems have no such lock: better to record unprotected than not at all
                Ok(()) | Err(_) => {}
            }
            let lock = DirectoryLock(directory);
            if lock.is_at(path)? {
                return Ok(Ok(lock));
            }
        }
    }

    /// Whether the locked directory still is the one at `path`.
    pub(crate) fn is_at(&self, path: &Path) -> io::Result<bool> {
        let (ours, there) = (self.0.metadata()?, fs::metadata(path)?);
        Ok(ours.ino() == there.ino() && ours.dev() == there.dev())
    }
}

/// The process that holds the lock of a file, from the kernel's list.
fn holder(file: &File) -> Option<u32> {
    let inode = file.metadata().ok()?.ino().to_string();
    let locks = fs::read_to_string("/proc/locks").ok()?;
    // `1: FLOCK  ADVISORY  WRITE 1234 fe:00:131073 0 EOF`
    locks.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, "FLOCK", _, "WRITE", process, place, ..] = words[..] else { return None };
        (place.rsplit(':').next() == Some(inode.as_str())).then(|| process.parse().ok()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_and_says_who() {
        let directory = tempfile::tempdir().unwrap();
        let first = DirectoryLock::take(directory.path()).unwrap().unwrap();
        let busy = DirectoryLock::take(directory.path()).unwrap().unwrap_err();
        assert_eq!(busy.process, Some(std::process::id()));
        drop(first);
        assert!(DirectoryLock::take(directory.path()).unwrap().is_ok());
    }

    #[test]
    fn follows_the_directory() {
        let parent = tempfile::tempdir().unwrap();
        let (old, new) = (parent.path().join("old"), parent.path().join("new"));
        fs::create_dir(&old).unwrap();
        let lock = DirectoryLock::take(&old).unwrap().unwrap();
        fs::rename(&old, &new).unwrap();
        assert!(lock.is_at(&new).unwrap());
        assert!(DirectoryLock::take(&new).unwrap().is_err());
        fs::create_dir(&old).unwrap();
        assert!(!lock.is_at(&old).unwrap());
    }
}
