//! The staging place of a recording: a hidden file or directory beside its target, locked by the process that records it.
//! The recording grows there until it is published.
//!
//! The lock is an advisory one on the directory or file itself. It leaves no file behind and follows a rename.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::CassetteError;

const ENDING: &str = "super8-recording";

/// Returns where a recording of `target` is staged: beside it, hidden, under a name that says what it is.
pub fn staging(target: &Path) -> PathBuf {
    beside(target, ENDING)
}

/// Returns a hidden name beside `target`.
pub(super) fn beside(target: &Path, ending: &str) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}.{ending}"))
}

/// Returns where the recording staged at `path` will be published; `None` if nothing is staged under such a name.
pub(super) fn target_of(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?.strip_prefix('.')?.strip_suffix(ENDING)?.strip_suffix('.')?;
    Some(path.with_file_name(name))
}

/// Returns the target of the only file that is being recorded in a directory; `None` if there is none or more than one.
pub(super) fn staged_in(directory: &Path) -> Option<PathBuf> {
    let files =
        fs::read_dir(directory).ok()?.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    let mut staged = files.filter_map(|entry| target_of(&entry.path()));
    staged.next().filter(|_| staged.next().is_none())
}

/// A locked directory or file. The lock ends with this value or with the process.
#[derive(Debug)]
pub(super) struct Lock(File);

/// Somebody else holds the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Busy {
    /// The process, if the kernel knows it.
    process: Option<u32>,
}

impl Lock {
    /// Locks the file or directory at `path` without waiting. If the file system knows no locks, it counts as locked.
    fn take(path: &Path) -> io::Result<Result<Lock, Busy>> {
        loop {
            let file = File::open(path)?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Err(Errno::WOULDBLOCK) => return Ok(Err(Busy { process: holder(&file) })),
                Err(Errno::INTR) => continue,
                // Some network file systems have no such lock: recording unprotected is better than not at all.
                Ok(()) | Err(_) => {}
            }
            let lock = Lock(file);
            if lock.is_at(path)? {
                return Ok(Ok(lock));
            }
        }
    }

    /// Locks the file or directory at `path`, for the cassette `target`.
    ///
    /// # Errors
    /// Somebody else records it, or an error of the operating system.
    pub(super) fn of(path: &Path, target: &Path) -> Result<Lock, CassetteError> {
        let taken = Lock::take(path).map_err(|error| CassetteError::io(path, "lock", &error))?;
        taken.map_err(|busy| refuse(target, busy))
    }

    /// Locks what is at `path` for the cassette `target`, if there is anything.
    pub(super) fn if_there(path: &Path, target: &Path) -> Result<Option<Lock>, CassetteError> {
        match Lock::of(path, target) {
            Err(error) if error.kind() == crate::ErrorKind::Io(io::ErrorKind::NotFound) => Ok(None),
            lock => lock.map(Some),
        }
    }

    /// Says whether `path` still leads to the file or directory that is locked.
    pub(super) fn is_at(&self, path: &Path) -> io::Result<bool> {
        let (ours, there) = (self.0.metadata()?, fs::metadata(path)?);
        Ok(ours.ino() == there.ino() && ours.dev() == there.dev())
    }
}

/// Returns the process that holds the lock of a file, from the kernel's list.
fn holder(file: &File) -> Option<u32> {
    crate::platform::holder_of_lock(file.metadata().ok()?.ino())
}

/// Creates the staging place of `target` and locks it, or takes over the one that a dead process left.
pub(super) fn claim(target: &Path, make: impl Fn(&Path) -> io::Result<()>) -> Result<(PathBuf, Lock), CassetteError> {
    let path = staging(target);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(|error| CassetteError::io(parent, "create", &error))?;
    }
    loop {
        match make(&path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(CassetteError::io(&path, "create", &error));
            }
            _ => {}
        }
        // its owner may have published or discarded it meanwhile
        if let Some(lock) = Lock::if_there(&path, target)? {
            return Ok((path, lock));
        }
    }
}

/// Makes the error for a cassette that somebody else records.
fn refuse(target: &Path, busy: Busy) -> CassetteError {
    const WAIT: &str = "wait until it has ended, run both under one `super8 record`, or put %c into the cassette's name so that each command has its own";
    let (who, advice) = match busy.process {
        Some(process) if process == std::process::id() => (
            "another copy of super8 in this process".to_owned(),
            "odbcinst.ini has to name libraries of one directory for all drivers",
        ),
        Some(process) => (format!("process {process}"), WAIT),
        None => ("another process".to_owned(), WAIT),
    };
    CassetteError::busy(target, format!("{who} is recording this cassette")).advice(advice)
}

/// Makes the error for a staging place that holds something other than a recording.
pub(super) fn occupied(path: &Path) -> CassetteError {
    CassetteError::new(path, "has the name under which a recording is staged, and is not one")
        .advice("move it away, then record again")
}

/// Tells the user that a recording takes the place of one whose process died.
pub(super) fn tell_replaced(target: &Path) {
    notice(&format!("an unfinished recording of {} by a process that ended is replaced", target.display()));
}

/// Prints one line for the person who runs the program. Nothing can be done about a closed stderr.
pub(super) fn notice(text: &str) {
    let _ = io::Write::write_all(&mut io::stderr(), format!("[super8] {text}\n").as_bytes());
}

/// Returns what to do about a recording at `staged` that did not end and has no cassette `name` beside it.
pub(super) fn unfinished(staged: &Path, name: &Path) -> String {
    let (staged, name) = (staged.display(), name.display());
    format!("an unfinished recording is in {staged}: record again, or keep what there is (super8 recover {name})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_and_says_who() {
        let directory = tempfile::tempdir().unwrap();
        let first = Lock::take(directory.path()).unwrap().unwrap();
        let busy = Lock::take(directory.path()).unwrap().unwrap_err();
        assert_eq!(busy.process, Some(std::process::id()));
        drop(first);
        assert!(Lock::take(directory.path()).unwrap().is_ok());
    }

    #[test]
    fn follows_the_directory() {
        let parent = tempfile::tempdir().unwrap();
        let (old, new) = (parent.path().join("old"), parent.path().join("new"));
        fs::create_dir(&old).unwrap();
        let lock = Lock::take(&old).unwrap().unwrap();
        fs::rename(&old, &new).unwrap();
        assert!(lock.is_at(&new).unwrap());
        assert!(Lock::take(&new).unwrap().is_err());
        fs::create_dir(&old).unwrap();
        assert!(!lock.is_at(&old).unwrap());
    }

    #[test]
    fn stages_beside_the_target() {
        let (target, staged) = (Path::new("/t/cassettes/x"), Path::new("/t/cassettes/.x.super8-recording"));
        assert_eq!(staging(target), staged);
        assert_eq!(target_of(staged).as_deref(), Some(target));
        assert_eq!(target_of(target), None);
    }
}
