//! What the kernel tells about processes in files. Linux has them below `/proc`. On a system without such files nothing
//! is known, and callers go on without it.
//!
//! Everything that differs between systems is here and in `shim/src/platform.rs`; everything else is POSIX.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

const PROCESSES: &str = "/proc";

/// Says whether no other thread of this process exists. False if the system does not tell.
pub fn has_one_thread() -> bool {
    // one entry for each thread
    fs::read_dir("/proc/self/task").is_ok_and(|tasks| tasks.take(2).count() == 1)
}

/// Says whether a thread of this process is alive, given the kernel's id. False if the system does not tell.
pub fn is_thread(task: i32) -> bool {
    Path::new(&format!("/proc/self/task/{task}")).exists()
}

/// Returns the words of this process's command line; none if the system does not tell.
pub fn command_line() -> Vec<OsString> {
    words_in("/proc/self/cmdline")
}

/// The words of another process's command line; none where the system does not say. A program that writes a title over its words leaves
/// empty ones behind it.
pub fn command_line_of(process: u32) -> Vec<OsString> {
    let mut words = words_in(&format!("{PROCESSES}/{process}/cmdline"));
    let length = words.iter().rposition(|word| !word.is_empty()).map_or(0, |last| last + 1);
    words.truncate(length);
    words
}

/// Returns the executable of another process.
pub fn executable_of(process: u32) -> Option<PathBuf> {
    fs::read_link(format!("{PROCESSES}/{process}/exe")).ok()
}

/// Returns when a process was started, in clock ticks since the machine started; 0 if it is gone or the system does not tell.
pub fn started(process: u32) -> u64 {
    let line = fs::read_to_string(format!("{PROCESSES}/{process}/stat")).unwrap_or_default();
    // the name of the program may have blanks and parentheses
    let fields = line.rsplit_once(')').map_or("", |(_, rest)| rest);
    fields.split_ascii_whitespace().nth(19).and_then(|started| started.parse().ok()).unwrap_or(0)
}

fn words_in(file: &str) -> Vec<OsString> {
    let line = fs::read(file).unwrap_or_default();
    let mut words: Vec<OsString> =
        line.split(|byte| *byte == 0).map(|word| OsString::from_vec(word.to_vec())).collect();
    words.pop();
    words
}

/// Returns a path that opens what a descriptor of this process has open.
pub fn of_descriptor(number: u32) -> PathBuf {
    format!("/proc/self/fd/{number}").into()
}

/// Returns the process that has the exclusive lock (flock) on the file with this inode, from the kernel's list.
pub(crate) fn holder_of_lock(inode: u64) -> Option<u32> {
    holder_in(&fs::read_to_string("/proc/locks").ok()?, inode)
}

fn holder_in(locks: &str, inode: u64) -> Option<u32> {
    let inode = inode.to_string();
    // `1: FLOCK  ADVISORY  WRITE 1234 fe:00:131073 0 EOF`
    locks.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, "FLOCK", _, "WRITE", process, place, ..] = words[..] else { return None };
        (place.rsplit(':').next() == Some(inode.as_str())).then(|| process.parse().ok()).flatten()
    })
}

/// A running process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// Its id.
    pub pid: u32,
    /// The id of its parent.
    pub parent: u32,
    /// The name of its command, in at most 15 bytes.
    pub name: String,
}

/// Iterates over every running process; none if the system does not tell.
pub fn running() -> impl Iterator<Item = Running> {
    directories().filter_map(|(pid, directory)| {
        let stat = fs::read(directory.join("stat")).ok()?;
        Running::of(pid, &String::from_utf8_lossy(&stat))
    })
}

impl Running {
    /// Parses its `stat`: `12 (the name) S 1 ...`, where the name may have anything in it.
    fn of(pid: u32, stat: &str) -> Option<Running> {
        let (before, after) = stat.rsplit_once(')')?;
        let name = before.split_once('(')?.1.to_owned();
        let mut fields = after.split_whitespace();
        let is_running = fields.next()? != "Z";
        let parent = fields.next()?.parse().ok()?;
        is_running.then_some(Running { pid, parent, name })
    }
}

/// Says whether any process that this one may look at has these bytes in its environment.
pub fn is_in_an_environment(bytes: &[u8]) -> bool {
    let has = |(_, directory): (u32, PathBuf)| {
        let environment = fs::read(directory.join("environ")).unwrap_or_default();
        environment.windows(bytes.len()).any(|part| part == bytes)
    };
    directories().any(has)
}

/// Iterates over the directory of each process.
fn directories() -> impl Iterator<Item = (u32, PathBuf)> {
    let entries = fs::read_dir(PROCESSES).into_iter().flatten().flatten();
    entries.filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_among_those_that_run() {
        let own = running().find(|one| one.pid == std::process::id()).unwrap();
        assert!(own.parent > 0 && !own.name.is_empty());
        assert!(command_line()[0].to_string_lossy().contains("super8"), "{:?}", command_line());
        assert!(!is_thread(i32::MAX) && is_thread(std::process::id().try_into().unwrap()));
        assert!(std::process::Command::new("true").status().unwrap().success());
    }

    #[test]
    fn a_name_may_have_anything_in_it() {
        let of = |stat: &str| Running::of(12, stat);
        let name = "a) S (b".to_owned();
        assert_eq!(of("12 (a) S (b) R 7 12 12"), Some(Running { pid: 12, parent: 7, name }));
        assert_eq!(of("12 (dead) Z 7 12"), None);
        assert_eq!(of("nonsense"), None);
    }

    #[test]
    fn an_open_file_is_found_by_its_number_and_its_lock_by_its_inode() {
        use std::os::fd::AsRawFd;
        use std::os::unix::fs::MetadataExt;

        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("locked");
        let file = fs::File::create(&path).unwrap();
        fs::write(&path, "text").unwrap();
        assert_eq!(fs::read_to_string(of_descriptor(file.as_raw_fd().try_into().unwrap())).unwrap(), "text");
        let inode = file.metadata().unwrap().ino();
        let list = format!(
            "1: POSIX  ADVISORY  WRITE 7 fe:00:{inode} 0 EOF\n2: FLOCK  ADVISORY  WRITE 1234 fe:00:{inode} 0 EOF\n"
        );
        assert_eq!(holder_in(&list, inode), Some(1234));
        assert_eq!(holder_in(&list, inode + 1), None);
    }
}
