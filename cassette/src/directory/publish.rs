//! Putting a finished recording in the place of the cassette before it, so that there is a whole one at any moment.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::names;
use super::own::Own;
use super::staging::{is_cassette, notice};
use crate::CassetteError;

/// Renames `staging` to `target`. A cassette under that name is exchanged for it and then removed; the user's own files
/// in it are carried over.
pub(crate) fn publish(staging: &Path, target: &Path) -> Result<(), CassetteError> {
    super::previous::check_target(target)?;
    let failed = |error: io::Error| {
        CassetteError::io(target, "put the recording in place", &error)
            .advice(format!("the recording is kept in {}", staging.display()))
    };
    if !is_cassette(target) {
        // absent or empty: a directory may be renamed to either
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

/// Brings back the previous cassette if a process died between the two renames of a file system without exchange, or
/// before the exchange. The caller holds the staging directory.
pub(crate) fn restore(target: &Path) -> Result<(), CassetteError> {
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

/// The cassette was not replaced. It is one with the mark as well.
fn unmark(cassette: &Path) {
    let _ = fs::remove_file(cassette.join(names::REPLACED));
}

/// Removes what a process that died while it removed the replaced cassette left of it in the staging directory. The
/// caller has locked that.
pub(crate) fn clear(staging: &Path, target: &Path) {
    if staging.join(names::REPLACED).is_file() && is_cassette(target) {
        retire(staging, target);
    }
}

/// Gives the new cassette the user's own files of the old one.
fn carry(old: &Path, new: &Path) -> io::Result<()> {
    // a file of a connection of the new one must not come from the old one, whatever that one's log says
    let own = Own::by_logs(old, &[old, new])?;
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

/// Removes a cassette that was replaced: its own files, and what the new one has as well.
fn retire(old: &Path, new: &Path) {
    let remove = || -> io::Result<()> {
        let own = Own::by_logs(old, &[old, new])?;
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
}
