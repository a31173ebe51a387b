//! Edits ini files of the system. [`IniText`] changes single lines, so that everything else keeps its bytes, comments
//! and order. [`replace`] writes the whole file or nothing, and keeps the old file beside the new one.

use crate::exit::Failure;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use super8_shim::config::ini::trim;

/// The text of an ini file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IniText {
    /// The lines, with their line breaks.
    lines: Vec<Vec<u8>>,
}

impl IniText {
    /// Splits a text into lines.
    pub fn new(text: &[u8]) -> IniText {
        IniText { lines: text.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect() }
    }

    /// Returns the whole text.
    pub fn bytes(&self) -> Vec<u8> {
        self.lines.concat()
    }

    /// Changes the value of a key in a section: of the first key of that name, as the driver manager reads it. Returns
    /// false if the section does not have the key.
    pub fn set(&mut self, section: &[u8], key: &str, value: &[u8]) -> bool {
        let Some(at) = self.find(section, key) else { return false };
        let line = &self.lines[at];
        let head = line.iter().position(|byte| *byte == b'=').map_or(line.len(), |equals| equals + 1);
        let blanks = line[head..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let end = line.len() - trim_end(line);
        self.lines[at] = [&line[..head + blanks], value, &line[line.len() - end..]].concat();
        true
    }

    /// Adds a key after the key `after` of a section. Returns false if the section does not have that one.
    pub fn insert_after(&mut self, section: &[u8], after: &str, key: &str, value: &[u8]) -> bool {
        let Some(at) = self.find(section, after) else { return false };
        let spaced = self.lines[at].windows(2).any(|pair| pair == b" =");
        let end = match &self.lines[at] {
            line if line.ends_with(b"\r\n") => &b"\r\n"[..],
            _ => b"\n",
        };
        if !self.lines[at].ends_with(b"\n") {
            self.lines[at].push(b'\n');
        }
        let equals: &[u8] = if spaced { b" = " } else { b"=" };
        self.lines.insert(at + 1, [key.as_bytes(), equals, value, end].concat());
        true
    }

    /// Removes the first key of that name. Returns false if the section does not have it.
    pub fn remove(&mut self, section: &[u8], key: &str) -> bool {
        let at = self.find(section, key);
        at.map(|at| self.lines.remove(at)).is_some()
    }

    /// Returns the index of a key's line in the first section of that name.
    fn find(&self, section: &[u8], key: &str) -> Option<usize> {
        let mut inside = false;
        let mut seen = false;
        for (at, line) in self.lines.iter().enumerate() {
            let line = trim(line);
            match line.first() {
                None | Some(b'#' | b';') => {}
                Some(b'[') => {
                    let end = line.iter().position(|byte| *byte == b']').unwrap_or(line.len());
                    inside = !seen && trim(&line[1..end]).eq_ignore_ascii_case(section);
                    seen |= inside;
                }
                Some(_) => {
                    let name = line.split(|byte| *byte == b'=').next().unwrap_or_default();
                    if inside && trim(name).eq_ignore_ascii_case(key.as_bytes()) {
                        return Some(at);
                    }
                }
            }
        }
        None
    }
}

/// Returns the length of a line without white space and line break at its end.
fn trim_end(line: &[u8]) -> usize {
    line.iter().rposition(|byte| !matches!(byte, b' ' | b'\t'..=b'\r')).map_or(0, |last| last + 1)
}

/// Makes a temporary directory.
///
/// # Errors
/// The directory cannot be made.
pub fn scratch() -> Result<tempfile::TempDir, Failure> {
    tempfile::tempdir().map_err(|error| Failure::new(format_args!("cannot make a temporary directory: {error}")))
}

/// Replaces `file` by `content`, with the same owner and permissions, and returns the path of a copy of the old file.
/// Follows symbolic links.
///
/// # Errors
/// The system's error, with the file. Then nothing is changed.
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

/// Returns `FILE.before-super8`, with a number if that file exists already.
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

    const TEXT: &str =
        "# mine\n[a]\n; Driver = no\n  driver =  one.so  \r\nX=1\n\n[A]\nDriver=second\n[b]\nDriver=b.so";

    #[test]
    fn only_the_value_changes() {
        let mut text = IniText::new(TEXT.as_bytes());
        assert!(text.set(b"A", "Driver", b"/new.so") && text.set(b"b", "DRIVER", b"/b.so"));
        assert!(!text.set(b"c", "Driver", b"x") && !text.set(b"a", "Driver64", b"x"));
        let expected = TEXT.replace("one.so", "/new.so").replace("Driver=b.so", "Driver=/b.so");
        assert_eq!(String::from_utf8(text.bytes()).unwrap(), expected);
    }

    #[test]
    fn what_is_inserted_can_be_removed() {
        let mut text = IniText::new(TEXT.as_bytes());
        assert!(text.insert_after(b"a", "Driver", "RealDriver", b"one.so"));
        assert!(text.insert_after(b"b", "Driver", "RealDriver", b"b.so"));
        let edited = String::from_utf8(text.bytes()).unwrap();
        assert!(
            edited.contains("one.so  \r\nRealDriver = one.so\r\nX=1") && edited.ends_with("b.so\nRealDriver=b.so\n")
        );
        assert!(text.remove(b"a", "realdriver") && text.remove(b"b", "RealDriver") && !text.remove(b"b", "RealDriver"));
        assert_eq!(String::from_utf8(text.bytes()).unwrap(), format!("{TEXT}\n"));
    }

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
