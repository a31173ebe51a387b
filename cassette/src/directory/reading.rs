//! The side of a directory that is read: the log in windows, documents whole, rows as streams.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::names;
use super::staging::is_cassette;
use crate::entry::Head;
use crate::metadata::{Metadata, migrate};
use crate::storage::{Part, Place, RowsSource, plain};
use crate::yaml::Items;
use crate::{CassetteError, ConnectionId, Fields, RowsReader, Value, check, files, ndjson, yaml};

/// Walks over the log's entries.
pub(crate) fn scan(
    root: &Path,
    visit: &mut dyn FnMut(Place, Head) -> Result<(), CassetteError>,
) -> Result<(), CassetteError> {
    let log = root.join(names::COMMANDS);
    let file = files::open(&log).map_err(|error| CassetteError::io(&log, "open", &error))?;
    let (mut items, mut bytes) = (Items::new(UntilNul::new(file), &log), Vec::new());
    while let Some(item) = items.next(&mut bytes)? {
        let head = yaml::parse_head(&bytes, &log, item.line)?;
        visit(Place { offset: item.offset, len: item.len, line: item.line }, head)?;
    }
    Ok(())
}

/// The metadata; an error of its own for each way in which there may be no cassette.
pub(crate) fn metadata(root: &Path, name: &Path) -> Result<Metadata, CassetteError> {
    let path = root.join(names::METADATA);
    match files::read(&path) {
        Ok(bytes) => Metadata::from_value(&yaml::read_document(&bytes, &path)?, &path),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Err(missing(root, name))
        }
        Err(error) => Err(CassetteError::io(&path, "read", &error)),
    }
}

fn missing(root: &Path, name: &Path) -> CassetteError {
    let empty = |root: &Path| fs::read_dir(root).is_ok_and(|mut entries| entries.next().is_none());
    if is_gems(root) {
        return CassetteError::new(name, "a cassette of the super8 gem, in an old schema").advice(migrate(name));
    }
    if is_cassette(root) {
        return CassetteError::new(name, format!("not a whole cassette: {} is missing", names::METADATA))
            .advice("restore it, or record again");
    }
    if let (true, Ok(Some(trace))) = (root.is_dir(), ndjson::trace_at(root)) {
        return CassetteError::new(name, "there is no cassette here").advice(unfinished(&trace, name));
    }
    if root.exists() && !empty(root) {
        return CassetteError::new(name, "not a cassette: it has neither metadata.yml nor a commands.yml of super8's")
            .advice("correct SUPER8_CASSETTE");
    }
    let staging = names::staging(root);
    let advice = if is_cassette(&staging) {
        unfinished(&staging, name)
    } else {
        "record it first, or correct SUPER8_CASSETTE".to_owned()
    };
    CassetteError::new(name, "there is no cassette here").advice(advice)
}

/// Whether a directory without `metadata.yml` holds a cassette of the super8 gem: Ruby's YAML begins with `---`, and ours does not.
fn is_gems(directory: &Path) -> bool {
    let mut start = [0; 3];
    let log = files::open(&directory.join(names::COMMANDS)).and_then(|mut log| log.read_exact(&mut start));
    directory.join(names::GEM_CONNECTION).is_file() || (log.is_ok() && start == *b"---")
}

/// What to do about a recording of `what` that did not end and has no cassette beside it.
pub(crate) fn unfinished(what: &Path, name: &Path) -> String {
    let (what, name) = (what.display(), name.display());
    format!("an unfinished recording is in {what}: record again, or keep what there is (super8 recover {name})")
}

/// The path of a part, if its name cannot lead out of the cassette.
///
/// # Errors
/// A name that is a path or has other characters than a part's name.
pub fn part(root: &Path, part: &str) -> Result<PathBuf, CassetteError> {
    if plain(part) {
        return Ok(root.join(part));
    }
    let shown: String = part.chars().take(80).flat_map(char::escape_default).collect();
    Err(CassetteError::new(root, format!("`{shown}` is not the name of a file in this cassette"))
        .advice("name a file of this directory, without any path; a cassette that does otherwise is not to be trusted"))
}

pub(crate) fn document(root: &Path, name: &str) -> Result<Value, CassetteError> {
    let path = part(root, name)?;
    let bytes = files::read(&path).map_err(|error| CassetteError::io(&path, "read", &error))?;
    yaml::read_document(&bytes, &path)
}

pub(crate) fn info(root: &Path, connection: ConnectionId) -> Result<Vec<Fields>, CassetteError> {
    let path = root.join(names::info(connection));
    let text = match files::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        text => text.map_err(|error| CassetteError::io(&path, "read", &error))?,
    };
    let (mut items, mut bytes, mut answers) = (Items::new(&text[..], &path), Vec::new(), Vec::new());
    while let Some(item) = items.next(&mut bytes)? {
        let answer = yaml::parse_answer(&bytes, &path, item.line)?;
        check::check_answer(&answer).map_err(|wrong| {
            let line = yaml::line_of(&bytes, item.line, &wrong.key);
            wrong.error(&path, line)
        })?;
        answers.push(answer);
    }
    Ok(answers)
}

/// The line of a key in the n-th item of a file, from 0; none if it is not a list of such items.
pub(crate) fn line_in(path: &Path, item: usize, key: &str) -> Option<u32> {
    let (mut items, mut bytes) = (Items::new(files::open(path).ok()?, path), Vec::new());
    for _ in 0..item {
        items.next(&mut bytes).ok()??;
    }
    let found = items.next(&mut bytes).ok()??;
    Some(yaml::line_of(&bytes, found.line, key))
}

/// Opens a rows file.
pub(crate) fn rows(root: &Path, name: &str) -> Result<RowsOfFile, CassetteError> {
    let path = part(root, name)?;
    let file = files::open(&path).map_err(|error| CassetteError::io(&path, "open", &error))?;
    Ok(RowsOfFile(RowsReader::new(file, &path)))
}

/// Every file that is named like a part. The others are a reader's own: a README, notes.
pub(crate) fn parts(root: &Path, name: &Path) -> Result<Vec<Part>, CassetteError> {
    let failed = |error: io::Error| CassetteError::io(name, "list", &error);
    let mut parts = Vec::new();
    for entry in fs::read_dir(root).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if names::connection_of(&entry.file_name()).is_some() {
            let part = entry.file_name().to_string_lossy().into_owned();
            let bytes = entry.metadata().map_err(failed)?.len();
            parts.push(Part { file: name.join(&part), name: part, lines: Vec::new(), bytes });
        }
    }
    parts.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(parts)
}

/// The rows of a CSV file.
pub(crate) struct RowsOfFile(RowsReader<File>);

impl RowsSource for RowsOfFile {
    fn next(&mut self, row: &mut csv::ByteRecord) -> Result<bool, CassetteError> {
        self.0.next(row)
    }

    fn file(&self) -> &Path {
        self.0.file()
    }

    fn line(&self) -> u64 {
        self.0.line()
    }
}

/// A log up to the zeros at its end, which a process leaves that appended in a preallocated area and died.
struct UntilNul<R> {
    inner: R,
    ended: bool,
}

impl<R: Read> UntilNul<R> {
    fn new(inner: R) -> Self {
        UntilNul { inner, ended: false }
    }
}

impl<R: Read> Read for UntilNul<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = if self.ended { 0 } else { self.inner.read(buffer)? };
        let Some(end) = memchr::memchr(0, &buffer[..count]) else { return Ok(count) };
        self.ended = true;
        let mut zeros = buffer[end..count].iter().all(|byte| *byte == 0);
        let mut rest = vec![0; 16 * 1024];
        while zeros {
            match self.inner.read(&mut rest) {
                Ok(0) => return Ok(end),
                Ok(count) => zeros = rest[..count].iter().all(|byte| *byte == 0),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::new(io::ErrorKind::InvalidData, "there are zero bytes in the middle of the log"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_ends_at_its_zeros() {
        let read = |bytes: &[u8]| {
            let mut text = Vec::new();
            UntilNul::new(bytes).read_to_end(&mut text).map(|_| text).map_err(|error| error.to_string())
        };
        assert_eq!(read(b"- a\n- b\n"), Ok(b"- a\n- b\n".to_vec()));
        assert_eq!(read(b"- a\n\0\0\0"), Ok(b"- a\n".to_vec()));
        assert_eq!(read(&[b"- a\n".as_slice(), &[0; 100_000]].concat()), Ok(b"- a\n".to_vec()));
        assert_eq!(read(b"\0"), Ok(Vec::new()));
        assert!(read(b"- a\n\0\0- b\n").is_err());
    }

    #[test]
    fn says_why_there_is_no_cassette() {
        let parent = tempfile::tempdir().unwrap();
        let root = parent.path().join("x");
        let why = || metadata(&root, Path::new("cassettes/x")).unwrap_err().to_string();
        assert_eq!(why(), "cassettes/x: there is no cassette here; record it first, or correct SUPER8_CASSETTE");
        fs::create_dir(&root).unwrap();
        assert!(why().contains("there is no cassette here"), "{}", why());
        fs::write(root.join("README.md"), "").unwrap();
        assert!(why().contains("not a cassette"), "{}", why());
        fs::write(root.join("commands.yml"), "").unwrap();
        assert!(why().contains("metadata.yml is missing"), "{}", why());
        fs::write(root.join("commands.yml"), "---\n- method: connect\n").unwrap();
        assert!(
            why().contains("of the super8 gem") && why().contains("`super8 migrate --apply cassettes/x`"),
            "{}",
            why()
        );
        let staging = names::staging(&parent.path().join("y"));
        fs::create_dir(&staging).unwrap();
        fs::write(staging.join("commands.yml"), "").unwrap();
        let why = metadata(&parent.path().join("y"), Path::new("y")).unwrap_err().to_string();
        assert!(why.contains("an unfinished recording is in"), "{why}");
    }

    #[test]
    fn parts_cannot_leave_the_cassette() {
        for hostile in ["../x.yml", "/etc/passwd", "a/b.csv", "..", ""] {
            let error = document(Path::new("/c"), hostile).unwrap_err().to_string();
            assert!(error.contains("is not the name of a file in this cassette"), "{error}");
        }
    }
}
