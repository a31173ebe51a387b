//! The directory a recording grows in before it is published: made, locked, and emptied of what a dead process left.

use std::fs;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

use super::lock::{Busy, DirectoryLock};
use super::names;
use crate::yaml::{self, Items};
use crate::{CassetteError, files};

/// A staging directory of our own: empty and locked.
#[derive(Debug)]
pub(crate) struct Staging {
    pub(crate) path: PathBuf,
    pub(crate) lock: DirectoryLock,
}

impl Staging {
    /// Makes the staging directory of `target`.
    pub(crate) fn claim(target: &Path) -> Result<Staging, CassetteError> {
        let path = names::staging(target);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|error| CassetteError::io(parent, "create", &error))?;
        }
        loop {
            match fs::create_dir(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(CassetteError::io(&path, "create", &error)),
            }
            match DirectoryLock::take(&path) {
                Ok(Ok(lock)) => {
                    empty(&path, target)?;
                    return Ok(Staging { path, lock });
                }
                Ok(Err(busy)) => return Err(refuse(target, busy)),
                // published or given up by its owner in the meantime
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(CassetteError::io(&path, "lock", &error)),
            }
        }
    }
}

/// The error for a cassette that somebody else records.
pub(crate) fn refuse(target: &Path, busy: Busy) -> CassetteError {
    let (who, advice) = match busy.process {
        // the other library of a process that has both
        Some(process) if process == std::process::id() => (
            "another recorder of this process".to_owned(),
            "a Unicode driver and an ANSI driver need a cassette each: name it with Super8Cassette in the connection string",
        ),
        Some(process) => (format!("process {process}"), WAIT),
        None => ("another process".to_owned(), WAIT),
    };
    CassetteError::busy(target, format!("{who} is recording this cassette")).advice(advice)
}

const WAIT: &str = "wait until it has ended, run both under one `super8 record`, or put %c into SUPER8_CASSETTE so that each command has its own";

/// Removes what a process that died left in the staging directory.
fn empty(path: &Path, target: &Path) -> Result<(), CassetteError> {
    let list = |error: io::Error| CassetteError::io(path, "list", &error);
    let mut entries: Vec<_> = fs::read_dir(path).map_err(list)?.collect::<Result<_, _>>().map_err(list)?;
    if entries.is_empty() {
        return Ok(());
    }
    if !is_cassette(path) {
        return Err(CassetteError::new(path, "stands where a recording is staged, but is not one")
            .advice("move it away, then record again"));
    }
    if is_recording(path) {
        notice(&format!("an unfinished recording of {} by a process that ended is replaced", target.display()));
    }
    entries.sort_by_key(|entry| names::removal(&entry.file_name()));
    for entry in entries {
        let path = entry.path();
        let result = match entry.file_type() {
            Ok(kind) if kind.is_dir() => fs::remove_dir_all(&path),
            _ => fs::remove_file(&path),
        };
        result.map_err(|error| CassetteError::io(&path, "remove", &error))?;
    }
    Ok(())
}

/// Whether a directory holds a cassette, whole or begun.
pub(crate) fn is_cassette(directory: &Path) -> bool {
    directory.join(names::METADATA).is_file() || is_log(&directory.join(names::COMMANDS))
}

/// Whether a file is a command log, of super8 or of its gem, and not another tool's of the same name. A log of ours may be
/// empty, break off, or begin with the zero of an entry that was never finished.
fn is_log(path: &Path) -> bool {
    const BEGIN: &[u8] = b"- method:";
    let Ok(mut file) = files::open(path) else { return false };
    let mut start = Vec::new();
    let read = file.by_ref().take(BEGIN.len() as u64).read_to_end(&mut start).and_then(|_| file.rewind());
    if read.is_err() || start.is_empty() || start[0] == 0 || BEGIN.starts_with(&start) {
        return read.is_ok();
    }
    // one that a person edited
    let (mut items, mut bytes) = (Items::new(file, path), Vec::new());
    let first = items.next(&mut bytes).ok().flatten();
    first.is_some_and(|item| yaml::has_key(&bytes, path, item.line, "method"))
}

/// Whether a staging directory holds a recording, and not a cassette that was replaced or the rest of one.
pub(crate) fn is_recording(staging: &Path) -> bool {
    let has = |name: &str| staging.join(name).is_file();
    has(names::METADATA) && has(names::COMMANDS) && !has(names::REPLACED)
}

/// One line for the person who runs the program. Nothing can be done about a closed stderr.
pub(crate) fn notice(text: &str) {
    let _ = io::Write::write_all(&mut io::stderr(), format!("[super8] {text}\n").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_made_once_and_replaced_when_its_process_is_gone() {
        let parent = tempfile::tempdir().unwrap();
        let target = parent.path().join("deep").join("x");
        let staging = Staging::claim(&target).unwrap();
        let refused = Staging::claim(&target).unwrap_err().to_string();
        assert!(refused.contains("is recording this cassette"), "{refused}");
        fs::write(staging.path.join("commands.yml"), "- method: connect\n").unwrap();
        drop(staging);
        let again = Staging::claim(&target).unwrap();
        assert_eq!(fs::read_dir(&again.path).unwrap().count(), 0);
    }

    #[test]
    fn another_tools_log_makes_no_cassette() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join(names::COMMANDS);
        for (text, ours) in [
            ("", true),
            ("- meth", true),
            ("- method: connect\n  connection_id: a\n", true),
            ("\0 method: connect\n", true),
            ("---\n- method: run\n  statement_id: stmt_0\n", true),
            ("# reviewed\n\n-   connection_id: a\n    method: connect\n", true),
            ("# nothing yet\n", false),
            ("- name: build\n  run: make\n", false),
            ("build: make\n", false),
            ("- make\n- make test\n", false),
        ] {
            fs::write(&path, text).unwrap();
            assert_eq!(is_cassette(parent.path()), ours, "{text:?}");
        }
    }

    #[test]
    fn never_empties_what_is_not_a_recording() {
        let parent = tempfile::tempdir().unwrap();
        let target = parent.path().join("x");
        let path = names::staging(&target);
        fs::create_dir(&path).unwrap();
        fs::write(path.join("thesis.txt"), "years of work").unwrap();
        let refused = Staging::claim(&target).unwrap_err().to_string();
        assert!(refused.contains("is not one"), "{refused}");
        assert!(path.join("thesis.txt").exists());
    }
}
