//! Replacing a file of the system's: all or nothing, with the old one kept beside it.

use crate::exit::Failure;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Writes `content` in the place of `file`, with its owner and permissions, and gives the path of the copy of what was
/// there before. A link is followed.
///
/// # Errors
/// What the operating system says, with the file. Nothing is changed then.
pub fn replace(file: &Path, content: &[u8]) -> Result<PathBuf, Failure> {
    let cannot = |doing: &str, path: &Path, error: io::Error| {
        let advice = match error.kind() {
            io::ErrorKind::PermissionDenied => "; run it as a user who may, or name a file of your own with --file",
            _ => "",
        };
        Failure::new(format_args!("cannot {doing} {}: {error}{advice}", path.display()))
    };
    let file = file.canonicalize().map_err(|error| cannot("find", file, error))?;
    let directory = file.parent().unwrap_or(Path::new("/"));
    let before = fs::metadata(&file).map_err(|error| cannot("read", &file, error))?;

    let mut new = tempfile::Builder::new()
        .prefix(".super8-")
        .tempfile_in(directory)
        .map_err(|error| cannot("write to", directory, error))?;
    let filled = new
        .write_all(content)
        .and_then(|()| new.as_file().set_permissions(before.permissions()))
        .and_then(|()| keep_owner(new.path(), &before))
        .and_then(|()| new.as_file().sync_all());
    filled.map_err(|error| cannot("write to", directory, error))?;

    let backup = free_name(&file);
    fs::copy(&file, &backup).map_err(|error| cannot("write", &backup, error))?;
    new.persist(&file).map_err(|error| cannot("replace", &file, error.error))?;
    Ok(backup)
}

fn keep_owner(path: &Path, before: &fs::Metadata) -> io::Result<()> {
    let now = fs::metadata(path)?;
    if (now.uid(), now.gid()) == (before.uid(), before.gid()) {
        return Ok(());
    }
    std::os::unix::fs::chown(path, Some(before.uid()), Some(before.gid()))
}

const COPY: &str = ".before-super8";

/// Whether a name is one that [`free_name`] gives.
pub fn is_copy(file: &Path) -> bool {
    file.file_name().is_some_and(|name| name.to_string_lossy().contains(COPY))
}

/// `FILE.before-super8`, with a number if there is one already.
pub fn free_name(file: &Path) -> PathBuf {
    let named = |suffix: &str| {
        let mut name = file.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let numbered = (2..).map(|number| named(&format!("{COPY}.{number}")));
    let mut names = std::iter::once(named(COPY)).chain(numbered);
    names.find(|name| !name.exists()).unwrap_or_else(|| named(COPY))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_old_file_is_kept_and_permissions_and_links_stay() {
        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (directory.path().join("x.ini"), directory.path().join("link.ini"));
        fs::write(&file, "one").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let first = replace(&link, b"two").unwrap();
        let second = replace(&link, b"three").unwrap();
        let read = |path: &Path| fs::read_to_string(path).unwrap();
        assert_eq!((read(&file), read(&first), read(&second)), ("three".into(), "one".into(), "two".into()));
        assert!(link.is_symlink());
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    }

    #[test]
    fn a_missing_file_is_an_error() {
        assert!(replace(Path::new("/nonexistent/x.ini"), b"").is_err());
    }
}
