//! The directory of one wrapped run, with the driver manager's configuration and the verdict file.
//!
//! The configuration may have passwords and the reports have the program's data, so other users must not read them. But
//! a process of the run may become another user before it connects, and must still read its configuration and write
//! events. So the files are in a directory with a name that nobody can guess, inside a directory that nobody can list:
//! only a process that inherited the name gets in. If the wrapper does not run as root, no process can change its user,
//! and then only the owner may read the files.
//!
//! Processes get the verdict file both as a path and as an open descriptor. A program may close the descriptor (daemons
//! and Python's subprocess do), and a process may be unable to open the path (as another user below a private TMPDIR,
//! or after chroot).

use rustix::fs::{FlockOperation, flock};
use rustix::io::{FdFlags, fcntl_dupfd_cloexec, fcntl_setfd};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use super8_cassette::text::hex;
use super8_shim::config::variables;

/// The beginning of the outer directory's name.
const PREFIX: &str = "super8-run-";
/// The verdict file. Processes that have it open hold its lock, which tells a run that is under way from leftovers.
const VERDICT: &str = "verdict";
/// The file in which the processes of the run note which parts they took.
const PARTS: &str = "parts";
/// The least number for the inherited descriptors, out of the way of programs that choose low numbers themselves.
const LOWEST_DESCRIPTOR: i32 = 200;

/// The directory of a run. Dropping it removes the directory, unless [`RunDirectory::leave`] is called.
#[derive(Debug)]
pub struct RunDirectory {
    outer: PathBuf,
    inner: PathBuf,
    shared: bool,
    verdict: File,
    /// The same open file, under the number that the command inherits.
    inherited: OwnedFd,
    /// The file in which the processes take their parts, under the number that the command inherits.
    parts: OwnedFd,
}

/// Who may read a file in the directory, besides its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// Nobody.
    Nobody,
    /// A process of the run that has become another user.
    TheRun,
}

impl RunDirectory {
    /// Makes the directory below the one for temporary files, and removes directories that killed wrappers left there.
    ///
    /// # Errors
    /// The operating system's error.
    pub fn make() -> io::Result<RunDirectory> {
        let temporary = std::env::temp_dir();
        remove_abandoned(&temporary);
        RunDirectory::make_in(&temporary, rustix::process::geteuid().is_root())
    }

    fn make_in(temporary: &Path, shared: bool) -> io::Result<RunDirectory> {
        let outer = temporary.join(format!("{PREFIX}{}", &random_name()?[..12]));
        let inner = outer.join(random_name()?);
        create(&outer, shared)?;
        create(&inner, shared)?;
        // Locked before it gets its name, because a verdict file without a lock counts as abandoned.
        let fresh = inner.join("verdict.new");
        let mut options = OpenOptions::new();
        let verdict = options.append(true).create_new(true).mode(0o600).open(&fresh)?;
        verdict.set_permissions(fs::Permissions::from_mode(if shared { 0o622 } else { 0o600 }))?;
        flock(&verdict, FlockOperation::NonBlockingLockExclusive)?;
        fs::rename(&fresh, inner.join(VERDICT))?;
        let inherited =
            fcntl_dupfd_cloexec(&verdict, LOWEST_DESCRIPTOR).or_else(|_| fcntl_dupfd_cloexec(&verdict, 3))?;
        fcntl_setfd(&inherited, FdFlags::empty())?;
        // It has no secrets, and every process of the run reads and writes it.
        let parts = OpenOptions::new().read(true).append(true).create_new(true).mode(0o600).open(inner.join(PARTS))?;
        parts.set_permissions(fs::Permissions::from_mode(if shared { 0o666 } else { 0o600 }))?;
        let parts = fcntl_dupfd_cloexec(&parts, LOWEST_DESCRIPTOR).or_else(|_| fcntl_dupfd_cloexec(&parts, 3))?;
        fcntl_setfd(&parts, FdFlags::empty())?;
        Ok(RunDirectory { outer, inner, shared, verdict, inherited, parts })
    }

    /// Returns the directory with the files.
    pub fn path(&self) -> &Path {
        &self.inner
    }

    /// Makes a directory in it.
    ///
    /// # Errors
    /// The operating system's error.
    pub fn add_directory(&self, name: &str) -> io::Result<()> {
        create(&self.inner.join(name), self.shared)
    }

    /// Writes a file.
    ///
    /// # Errors
    /// The operating system's error.
    pub fn write(&self, name: &str, bytes: &[u8], readers: Readers) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(self.inner.join(name))?;
        file.write_all(bytes)?;
        let all = self.shared && readers == Readers::TheRun;
        if all { file.set_permissions(fs::Permissions::from_mode(0o644)) } else { Ok(()) }
    }

    /// Passes the verdict file to a command, and the file in which its processes take their parts.
    pub fn hand_down(&self, command: &mut Command) {
        command.env(variables::RUN, self.inner.join(PARTS)).env(variables::RUN_FD, self.parts.as_raw_fd().to_string());
        command.env(variables::VERDICT, self.inner.join(VERDICT));
        if let Ok(metadata) = self.verdict.metadata() {
            let (number, device, inode) = (self.inherited.as_raw_fd(), metadata.dev(), metadata.ino());
            command.env(variables::VERDICT_FD, format!("{number}:{device}:{inode}"));
        }
    }

    /// Returns the text of the verdict file so far.
    pub fn said(&self) -> Vec<u8> {
        fs::read(self.inner.join(VERDICT)).unwrap_or_default()
    }

    /// Returns what the processes of `super8 run` have noted.
    pub fn noted(&self) -> Vec<u8> {
        fs::read(self.inner.join(super8_shim::verdict::NOTED)).unwrap_or_default()
    }

    /// Removes the directory, unless a process still has it in its environment.
    pub fn end(self) {
        if is_inherited(&self.outer) {
            self.leave();
        }
    }

    /// Keeps the directory for the processes that still use it; the first run after their end removes it.
    pub fn leave(self) {
        std::mem::forget(self);
    }
}

impl Drop for RunDirectory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.outer);
    }
}

/// Makes a directory that other users cannot list, whatever the umask is.
fn create(path: &Path, shared: bool) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(if shared { 0o711 } else { 0o700 }))
}

/// Returns 128 random bits in hex.
fn random_name() -> io::Result<String> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(hex(&bytes))
}

/// Removes the directories of runs whose wrapper was killed and that have no process left.
fn remove_abandoned(temporary: &Path) {
    let Ok(entries) = fs::read_dir(temporary) else { return };
    let own = rustix::process::geteuid().as_raw();
    for entry in entries.flatten().filter(|entry| entry.file_name().as_bytes().starts_with(PREFIX.as_bytes())) {
        let ours = entry.metadata().is_ok_and(|metadata| metadata.is_dir() && metadata.uid() == own);
        if ours && is_abandoned(&entry.path()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Whether no process uses the directory of a run any more.
fn is_abandoned(outer: &Path) -> bool {
    const NEW: Duration = Duration::from_secs(3600);
    let inner = fs::read_dir(outer).ok().and_then(|mut entries| entries.next()?.ok());
    let verdict = inner.and_then(|inner| File::open(inner.path().join(VERDICT)).ok());
    match verdict {
        // without a verdict file: its wrapper is about to make one, or was killed before
        None => fs::metadata(outer)
            .and_then(|metadata| metadata.modified())
            .is_ok_and(|made| made.elapsed().is_ok_and(|age| age > NEW)),
        Some(file) => flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() && !is_inherited(outer),
    }
}

/// Whether a process has the directory in its environment. The lock is not enough: a daemon closes the descriptor and
/// may read its configuration later.
fn is_inherited(outer: &Path) -> bool {
    super8_cassette::platform::is_in_an_environment(outer.as_os_str().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn files_are_the_owners_alone_unless_a_process_may_change_its_user() {
        let temporary = tempfile::tempdir().unwrap();
        for (shared, directory, verdict, file) in [(false, 0o700, 0o600, 0o600), (true, 0o711, 0o622, 0o644)] {
            let run = RunDirectory::make_in(temporary.path(), shared).unwrap();
            run.write("a", b"", Readers::TheRun).unwrap();
            run.write("b", b"", Readers::Nobody).unwrap();
            assert_eq!((mode(&run.outer), mode(&run.inner)), (directory, directory));
            assert_eq!((mode(&run.inner.join(VERDICT)), mode(&run.inner.join("a"))), (verdict, file));
            assert_eq!(mode(&run.inner.join("b")), 0o600);
            assert!(run.inner.file_name().unwrap().len() == 32);
            let outer = run.outer.clone();
            drop(run);
            assert!(!outer.exists());
        }
    }

    #[test]
    fn what_a_killed_wrapper_left_is_removed_and_what_is_used_is_not() {
        let temporary = tempfile::tempdir().unwrap();
        let live = RunDirectory::make_in(temporary.path(), false).unwrap();
        let left = RunDirectory::make_in(temporary.path(), false).unwrap();
        let (outer, inner) = (left.outer.clone(), left.inner.clone());
        // as if the wrapper was killed: the descriptors are closed, the files stay
        let copy = temporary.path().join("copy");
        fs::rename(&outer, &copy).unwrap();
        drop(left);
        fs::rename(&copy, &outer).unwrap();
        let mut daemon = Command::new("sleep").arg("60").env("ODBCSYSINI", &inner).spawn().unwrap();
        // the environment is visible only when the program has started
        while !is_inherited(&outer) {
            std::thread::sleep(Duration::from_millis(5));
        }
        remove_abandoned(temporary.path());
        assert!(outer.exists(), "a process still has it in its environment");
        daemon.kill().unwrap();
        daemon.wait().unwrap();
        fs::create_dir(temporary.path().join("super8-run-just-begun")).unwrap();
        fs::create_dir(temporary.path().join("super8-other")).unwrap();
        remove_abandoned(temporary.path());
        assert!(!outer.exists() && live.outer.exists());
        for name in ["super8-run-just-begun", "super8-other"] {
            assert!(temporary.path().join(name).exists(), "{name}");
        }
    }
}
