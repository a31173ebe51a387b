//! Publishes a finished recording: checks what it replaces, and exchanges the two, so that there is a whole cassette at
//! every moment.

use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::os::unix::fs::symlink;
use std::path::Path;

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::names::{self, FileOwners};
use crate::store::recording::publish_error;
use crate::store::staging::{notice, occupied, tell_replaced};
use crate::yaml::{self, Items};
use crate::{CassetteError, files, metadata};

/// Says whether a directory holds a cassette, whole or begun.
pub(crate) fn is_cassette(directory: &Path) -> bool {
    directory.join(names::METADATA).is_file() || is_log(&directory.join(names::COMMANDS))
}

/// Says whether a directory holds a cassette written by hand: it says so, or it has neither `metadata.yml` nor an info
/// file, while every recording has both.
pub fn is_by_hand(directory: &Path) -> bool {
    match files::read(&directory.join(names::METADATA)) {
        Ok(text) => yaml::read_document(&text, directory)
            .is_ok_and(|said| said.get("made").is_some_and(|made| made.as_text() == Some(metadata::BY_HAND))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let log = files::read(&directory.join(names::COMMANDS)).unwrap_or_default();
            // Ruby's YAML begins with dashes
            let is_gems = log.starts_with(b"---") || directory.join(names::GEM_CONNECTION).exists();
            !log.trim_ascii().is_empty() && !is_gems && is_cassette(directory) && !names::has_info_files(directory)
        }
        Err(_) => false,
    }
}

/// Says whether a file is a log, of super8 or of its gem, rather than another tool's file of the same name. A log of
/// ours may be empty, break off, or begin with the zero of an entry that was never finished.
fn is_log(path: &Path) -> bool {
    const BEGIN: &[u8] = b"- method:";
    let Ok(mut file) = files::open(path) else { return false };
    let mut start = Vec::new();
    let read = file.by_ref().take(BEGIN.len() as u64).read_to_end(&mut start).and_then(|_| file.rewind());
    if read.is_err() || start.is_empty() || start[0] == 0 || BEGIN.starts_with(&start) {
        return read.is_ok();
    }
    // a person may have edited it
    let (mut items, mut bytes) = (Items::new(file, path), Vec::new());
    let first = items.next(&mut bytes).ok().flatten();
    first.is_some_and(|item| yaml::has_key(&bytes, path, item.line, "method"))
}

/// Says whether a staging directory holds a recording, rather than a replaced cassette or the rest of one.
pub(super) fn is_recording(staging: &Path) -> bool {
    let has = |name: &str| staging.join(name).is_file();
    has(names::METADATA) && has(names::COMMANDS) && !has(names::REPLACED)
}

/// Refuses a target that is neither free nor a cassette, because publishing would replace it.
pub(super) fn check_target(target: &Path) -> Result<(), CassetteError> {
    let list = |error: io::Error| CassetteError::io(target, "list", &error);
    match fs::read_dir(target) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            Err(CassetteError::new(target, "is a file, and a cassette is a directory")
                .advice("give the cassette another name"))
        }
        Err(error) => Err(list(error)),
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(Err(error)) => Err(list(error)),
            Some(Ok(_)) if is_by_hand(target) => {
                Err(CassetteError::new(target, "is written by hand, and is not recorded over")
                    .advice("record under another name, or remove this directory first"))
            }
            Some(Ok(_)) if is_cassette(target) && !is_foreign(target) => Ok(()),
            Some(Ok(_)) => Err(CassetteError::new(target, "is a directory with other things in it, not a cassette")
                .advice("give the cassette a directory of its own; nothing was touched")),
        },
    }
}

/// Says whether its `metadata.yml` is clearly another tool's. An empty or damaged one may be left over from ours.
fn is_foreign(target: &Path) -> bool {
    let path = target.join(names::METADATA);
    let read = files::read(&path).ok().and_then(|text| yaml::read_document(&text, &path).ok());
    read.is_some_and(|document| document.get("schema_version").is_none() && document.get("made").is_none())
}

/// Removes what a dead process left in the staging directory.
pub(super) fn empty(path: &Path, target: &Path) -> Result<(), CassetteError> {
    let list = |error: io::Error| CassetteError::io(path, "list", &error);
    let mut entries: Vec<_> = fs::read_dir(path).map_err(list)?.collect::<Result<_, _>>().map_err(list)?;
    if entries.is_empty() {
        return Ok(());
    }
    if !is_cassette(path) {
        return Err(occupied(path));
    }
    if is_recording(path) {
        tell_replaced(target);
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

/// Renames `staging` to `target`. An existing cassette there is exchanged with it and then removed. The user's own
/// files in it are carried over.
pub(super) fn publish(staging: &Path, target: &Path) -> Result<(), CassetteError> {
    check_target(target)?;
    let failed = |error: io::Error| publish_error(staging, target, &error);
    if !is_cassette(target) {
        // a directory may be renamed to an absent or an empty one
        return fs::rename(staging, target).map_err(failed);
    }
    carry(target, staging).map_err(failed)?;
    File::create(target.join(names::REPLACED)).map_err(failed)?;
    match renameat_with(CWD, staging, CWD, target, RenameFlags::EXCHANGE) {
        Ok(()) => retire(staging, target),
        Err(Errno::NOSYS | Errno::INVAL | Errno::NOTSUP) => {
            let previous = names::previous(target);
            fs::rename(target, &previous).inspect_err(|_| unmark(target)).map_err(failed)?;
            if let Err(error) = fs::rename(staging, target) {
                unmark(&previous);
                let _ = fs::rename(&previous, target);
                return Err(failed(error));
            }
            retire(&previous, target);
        }
        Err(error) => {
            unmark(target);
            return Err(failed(error.into()));
        }
    }
    Ok(())
}

/// Brings back the previous cassette if a process died before the exchange, or between the two renames on a file system
/// that cannot exchange. The caller holds the lock of the staging directory.
pub(super) fn restore(target: &Path) -> Result<(), CassetteError> {
    let previous = names::previous(target);
    unmark(target);
    unmark(&previous);
    if !is_cassette(&previous) {
        return Ok(());
    }
    if is_cassette(target) {
        retire(&previous, target);
        return Ok(());
    }
    fs::rename(&previous, target).map_err(|error| CassetteError::io(&previous, "bring back", &error))
}

/// Removes the mark from a cassette that was not replaced. A cassette is valid with the mark too.
fn unmark(cassette: &Path) {
    let _ = fs::remove_file(cassette.join(names::REPLACED));
}

/// Removes what is left of a replaced cassette in the staging directory, after a process died while removing it. The
/// caller has locked that directory.
pub(super) fn clear(staging: &Path, target: &Path) {
    if staging.join(names::REPLACED).is_file() && is_cassette(target) {
        retire(staging, target);
    }
}

/// Gives the new cassette the user's own files of the old one.
fn carry(old: &Path, new: &Path) -> io::Result<()> {
    // a file of one of the new cassette's connections must not come from the old one, whatever the old log says
    let own = FileOwners::by_logs(old, &[old, new])?;
    for entry in fs::read_dir(old)? {
        let entry = entry?;
        if !own.has(&entry.file_name()) && entry.file_name() != names::REPLACED {
            give(&entry.path(), &new.join(entry.file_name()))?;
        }
    }
    Ok(())
}

fn give(from: &Path, to: &Path) -> io::Result<()> {
    let kind = fs::symlink_metadata(from)?.file_type();
    if kind.is_dir() {
        match fs::create_dir(to) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            give(&entry.path(), &to.join(entry.file_name()))?;
        }
        return Ok(());
    }
    match fs::hard_link(from, to) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(_) if kind.is_symlink() => symlink(fs::read_link(from)?, to),
        Err(_) => fs::copy(from, to).map(|_| ()),
    }
}

/// Removes a recording, but not a person's own files in its directory, and no cassette that is written by hand.
pub(in crate::store) fn remove_recording(cassette: &Path) -> Result<(), CassetteError> {
    if !is_cassette(cassette) || is_foreign(cassette) || is_by_hand(cassette) {
        return Ok(());
    }
    let remove = || -> io::Result<()> {
        let own = FileOwners::by_logs(cassette, &[cassette])?;
        let names = fs::read_dir(cassette)?.map(|entry| entry.map(|entry| entry.file_name()));
        let mut names: Vec<_> = names.collect::<Result<_, _>>()?;
        names.retain(|name| own.has(name));
        names.sort_by_key(|name| names::removal(name));
        names.iter().try_for_each(|name| fs::remove_file(cassette.join(name)))
    };
    remove().map_err(|error| CassetteError::io(cassette, "remove", &error))?;
    // a directory that is not empty stays
    let _ = fs::remove_dir(cassette);
    Ok(())
}

/// Removes a replaced cassette: its own files, and whatever the new one has too.
fn retire(old: &Path, new: &Path) {
    let remove = || -> io::Result<()> {
        let own = FileOwners::by_logs(old, &[old, new])?;
        let mut names: Vec<_> =
            fs::read_dir(old)?.map(|entry| entry.map(|entry| entry.file_name())).collect::<Result<_, _>>()?;
        names.sort_by_key(|name| names::removal(name));
        for name in names {
            let path = old.join(&name);
            if own.has(&name) || name == names::REPLACED {
                fs::remove_file(&path)?;
            } else if fs::symlink_metadata(new.join(&name)).is_ok() {
                if fs::symlink_metadata(&path)?.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) }?;
            }
        }
        fs::remove_dir(old)
    };
    if let Err(error) = remove() {
        notice(&format!("{} is published; the previous cassette stays in {}: {error}", new.display(), old.display()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::staging::{claim, staging};
    fn cassette(path: &Path, log: &str) {
        fs::create_dir(path).unwrap();
        fs::write(path.join("metadata.yml"), "schema_version: 4\n").unwrap();
        fs::write(path.join("commands.yml"), log).unwrap();
    }

    #[test]
    fn exchanges_and_carries_over() {
        let parent = tempfile::tempdir().unwrap();
        let (staging, target) = (parent.path().join(".x.super8-recording"), parent.path().join("x"));
        cassette(&target, "- method: connect\n  connection_id: a\n");
        fs::write(target.join("a_1_fetch_all.csv"), "stale").unwrap();
        fs::write(target.join("README.md"), "mine").unwrap();
        fs::create_dir(target.join("notes")).unwrap();
        fs::write(target.join("notes").join("one"), "1").unwrap();
        symlink("README.md", target.join("link")).unwrap();
        cassette(&staging, "new");
        publish(&staging, &target).unwrap();
        let read = |name: &str| fs::read_to_string(target.join(name)).unwrap();
        assert_eq!(
            (read("commands.yml"), read("README.md"), read("notes/one")),
            ("new".into(), "mine".into(), "1".into())
        );
        assert_eq!(fs::read_link(target.join("link")).unwrap(), Path::new("README.md"));
        assert!(!target.join("a_1_fetch_all.csv").exists() && !staging.exists());
    }

    #[test]
    fn never_replaces_what_is_not_a_cassette() {
        let parent = tempfile::tempdir().unwrap();
        let (staging, target) = (parent.path().join("s"), parent.path().join("x"));
        cassette(&staging, "new");
        fs::create_dir(&target).unwrap();
        fs::write(target.join("precious"), "data").unwrap();
        let error = publish(&staging, &target).unwrap_err().to_string();
        assert!(error.contains("not a cassette") && error.contains("nothing was touched"), "{error}");
        assert!(target.join("precious").exists() && staging.join("commands.yml").exists());
    }

    #[test]
    fn brings_back_what_a_crash_left_between_two_renames() {
        let parent = tempfile::tempdir().unwrap();
        let target = parent.path().join("x");
        cassette(&names::previous(&target), "old");
        restore(&target).unwrap();
        assert_eq!(fs::read_to_string(target.join("commands.yml")).unwrap(), "old");
        cassette(&names::previous(&target), "older");
        restore(&target).unwrap();
        assert_eq!(fs::read_to_string(target.join("commands.yml")).unwrap(), "old");
        assert!(!names::previous(&target).exists());
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
    fn what_a_dead_process_left_is_removed() {
        let parent = tempfile::tempdir().unwrap();
        let target = parent.path().join("deep").join("x");
        let make = |path: &Path| fs::create_dir(path);
        let (path, lock) = claim(&target, make).unwrap();
        let refused = claim(&target, make).unwrap_err().to_string();
        assert!(refused.contains("is recording this cassette"), "{refused}");
        fs::write(path.join("commands.yml"), "- method: connect\n").unwrap();
        drop(lock);
        let (again, _lock) = claim(&target, make).unwrap();
        empty(&again, &target).unwrap();
        assert_eq!(fs::read_dir(&again).unwrap().count(), 0);
    }

    #[test]
    fn never_empties_what_is_not_a_recording() {
        let parent = tempfile::tempdir().unwrap();
        let target = parent.path().join("x");
        let path = staging(&target);
        fs::create_dir(&path).unwrap();
        fs::write(path.join("thesis.txt"), "years of work").unwrap();
        let refused = empty(&path, &target).unwrap_err().to_string();
        assert!(refused.contains("is not one"), "{refused}");
        assert!(path.join("thesis.txt").exists());
    }

    #[test]
    fn another_tools_metadata_makes_no_cassette() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join(names::METADATA);
        for (text, foreign) in
            [("name: shop\nversion: 1\n", true), ("- 1\n", true), ("", false), ("schema_version: 3\n", false)]
        {
            fs::write(&path, text).unwrap();
            assert_eq!(check_target(parent.path()).is_err(), foreign, "{text:?}");
        }
    }
}
