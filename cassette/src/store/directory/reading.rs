//! Reads a directory: the log in windows, documents whole, rows as streams. Also finds which files a person has edited:
//! those that are not, byte for byte, what super8 writes for their content.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use super::names::{self, FileOwners};
use super::publish::is_cassette;
use crate::entry::Head;
use crate::metadata::migrate;
use crate::row::write_fields;
use crate::store::interface::{Contents, EntryRef, Member, RowsSource, info_member};
use crate::store::staging::{staged_in, staging, unfinished};
use crate::text::is_file_name;
use crate::yaml::{self, Items};
use crate::{CassetteError, ConnectionId, Fields, Metadata, RowsReader, Value, check, files};

/// Walks over the entries of the log.
pub(super) fn scan(
    root: &Path,
    visit: &mut dyn FnMut(EntryRef, Head) -> Result<(), CassetteError>,
) -> Result<(), CassetteError> {
    let log = root.join(names::COMMANDS);
    let file = files::open(&log).map_err(|error| CassetteError::io(&log, "open", &error))?;
    let mut items = Items::new(UntilNul::new(file), &log);
    while let Some((item, bytes)) = items.lend()? {
        let head = yaml::parse_head(bytes, &log, item.line)?;
        visit(EntryRef { offset: item.offset, len: item.len, line: item.line }, head)?;
    }
    Ok(())
}

/// Reads the metadata. Each way in which there may be no cassette has an error of its own.
pub(super) fn metadata(root: &Path, name: &Path) -> Result<Metadata, CassetteError> {
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
    // a trace is staged inside the directory rather than beside it
    if let Some(target) = staged_in(root) {
        return CassetteError::new(name, "there is no cassette here").advice(unfinished(&target, name));
    }
    if root.exists() && !empty(root) {
        return CassetteError::new(name, "not a cassette: it has neither metadata.yml nor a commands.yml of super8's")
            .advice("correct the cassette's name");
    }
    let staging = staging(root);
    let advice = if is_cassette(&staging) {
        unfinished(&staging, name)
    } else {
        "record it first, or correct its name".to_owned()
    };
    CassetteError::new(name, "there is no cassette here").advice(advice)
}

/// Says whether a directory without `metadata.yml` holds a cassette of the super8 gem. Ruby's YAML begins with `---`,
/// and ours does not.
fn is_gems(directory: &Path) -> bool {
    let mut start = [0; 3];
    let log = files::open(&directory.join(names::COMMANDS)).and_then(|mut log| log.read_exact(&mut start));
    directory.join(names::GEM_CONNECTION).is_file() || (log.is_ok() && start == *b"---")
}

/// Returns the path of a member, provided that its name cannot lead out of the cassette.
///
/// # Errors
/// The name is a path or has characters that a member's name cannot have.
pub fn member_path(root: &Path, member: &str) -> Result<PathBuf, CassetteError> {
    if is_file_name(member) {
        return Ok(root.join(member));
    }
    let shown: String = member.chars().take(80).flat_map(char::escape_default).collect();
    Err(CassetteError::new(root, format!("`{shown}` is not the name of a file in this cassette"))
        .advice("name a file of this directory, without any path; a cassette that does otherwise is not to be trusted"))
}

pub(super) fn document(root: &Path, name: &str) -> Result<Value, CassetteError> {
    let path = member_path(root, name)?;
    let bytes = files::read(&path).map_err(|error| CassetteError::io(&path, "read", &error))?;
    yaml::read_document(&bytes, &path)
}

pub(super) fn info(root: &Path, connection: ConnectionId) -> Result<Vec<Fields>, CassetteError> {
    let path = root.join(info_member(connection));
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

/// Returns the line of a key in the n-th item of a file, from 0; `None` if the file is no list of such items.
pub(super) fn line_in(path: &Path, item: usize, key: &str) -> Option<u32> {
    let (mut items, mut bytes) = (Items::new(files::open(path).ok()?, path), Vec::new());
    for _ in 0..item {
        items.next(&mut bytes).ok()??;
    }
    let found = items.next(&mut bytes).ok()??;
    Some(yaml::line_of(&bytes, found.line, key))
}

/// Opens a rows file.
pub(super) fn rows(root: &Path, name: &str) -> Result<RowsOfFile, CassetteError> {
    let path = member_path(root, name)?;
    let file = files::open(&path).map_err(|error| CassetteError::io(&path, "open", &error))?;
    Ok(RowsOfFile(RowsReader::new(file, &path)))
}

/// Returns every file that is named like a member. All others are the user's own: a README, notes.
pub(super) fn members(root: &Path, name: &Path) -> Result<Vec<Member>, CassetteError> {
    let failed = |error: io::Error| CassetteError::io(name, "list", &error);
    let mut members = Vec::new();
    for entry in fs::read_dir(root).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if names::connection_of(&entry.file_name()).is_some() {
            let member = entry.file_name().to_string_lossy().into_owned();
            let bytes = entry.metadata().map_err(failed)?.len();
            members.push(Member { file: name.join(&member), name: member, lines: Vec::new(), bytes });
        }
    }
    members.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(members)
}

/// The rows of a CSV file.
pub(super) struct RowsOfFile(RowsReader<File>);

impl RowsSource for RowsOfFile {
    fn next(&mut self, row: &mut csv::ByteRecord) -> Result<bool, CassetteError> {
        self.0.next(row)
    }

    fn is_utf8(&self) -> bool {
        self.0.is_utf8()
    }

    fn file(&self) -> &Path {
        self.0.file()
    }

    fn line(&self) -> u64 {
        self.0.line()
    }
}

/// A log up to the zeros at its end. A process leaves zeros there if it dies while it appends to a preallocated area.
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

/// Returns the files beside the log, with a note on each that super8 would write with other bytes.
pub(super) fn contents(root: &Path) -> Result<Contents, CassetteError> {
    let list = |error: io::Error| CassetteError::io(root, "list", &error);
    let own = FileOwners::of(root).map_err(list)?;
    let (mut contents, mut others, mut edited) = (Contents::default(), Vec::new(), Vec::new());
    for entry in fs::read_dir(root).map_err(list)? {
        let entry = entry.map_err(list)?;
        let file_name = entry.file_name();
        let Some(name) = file_name.to_str().filter(|_| own.has(&file_name)) else {
            others.push(file_name.to_string_lossy().into_owned());
            continue;
        };
        let path = entry.path();
        let unchanged = match (name, name.strip_suffix("_info.yml").and_then(|letters| letters.parse().ok())) {
            (names::METADATA, _) => is_own_metadata(&path),
            (names::COMMANDS, _) => is_own_log(&path),
            (names::SEQUENCE | names::ROWS_JOURNAL, _) => continue,
            (_, Some(connection)) => {
                contents.infos.push(connection);
                is_own_info(&path)
            }
            _ if name.ends_with(".csv") => {
                contents.rows.push(name.to_owned());
                is_own_rows(&path)
            }
            _ => {
                contents.documents.push(name.to_owned());
                is_own_document(&path)
            }
        }?;
        if !unchanged {
            edited.push(name.to_owned());
        }
    }
    contents.documents.sort_unstable();
    contents.rows.sort_unstable();
    contents.infos.sort_unstable_by_key(|connection: &ConnectionId| connection.0);
    for (mut names, what) in [
        (edited, "was edited by hand: its content is kept, its comments and its form are not"),
        (others, "is not the cassette's: it stays where it is"),
    ] {
        names.sort_unstable();
        contents.notes.extend(names.into_iter().map(|name| format!("{name} {what}")));
    }
    Ok(contents)
}

fn open(path: &Path) -> Result<File, CassetteError> {
    files::open(path).map_err(|error| CassetteError::io(path, "open", &error))
}

fn is_own_metadata(path: &Path) -> Result<bool, CassetteError> {
    let bytes = files::read(path).map_err(|error| CassetteError::io(path, "read", &error))?;
    let metadata = Metadata::from_value(&yaml::read_document(&bytes, path)?, path)?;
    let mut own = Vec::new();
    yaml::emit_document(&metadata.to_value(), &mut own);
    Ok(own == bytes)
}

fn is_own_document(path: &Path) -> Result<bool, CassetteError> {
    let bytes = files::read(path).map_err(|error| CassetteError::io(path, "read", &error))?;
    let mut own = Vec::new();
    yaml::emit_document(&yaml::read_document(&bytes, path)?, &mut own);
    Ok(own == bytes)
}

fn is_own_log(path: &Path) -> Result<bool, CassetteError> {
    items(path, |bytes, line, own| {
        yaml::emit_entry(&yaml::parse_entry(bytes, path, line)?, own);
        Ok(())
    })
}

fn is_own_info(path: &Path) -> Result<bool, CassetteError> {
    items(path, |bytes, line, own| {
        yaml::emit_answer(&yaml::parse_answer(bytes, path, line)?, own);
        Ok(())
    })
}

/// Says whether the items of a list are exactly what `emit` makes of them, with nothing between them.
fn items(
    path: &Path,
    emit: impl Fn(&[u8], u32, &mut Vec<u8>) -> Result<(), CassetteError>,
) -> Result<bool, CassetteError> {
    let (mut items, mut bytes, mut own) = (Items::new(open(path)?, path), Vec::new(), Vec::new());
    let mut expected = 0;
    while let Some(item) = items.next(&mut bytes)? {
        own.clear();
        emit(&bytes, item.line, &mut own)?;
        if item.offset != expected || own != bytes {
            return Ok(false);
        }
        expected += own.len() as u64;
    }
    let length = open(path)?.metadata().map_err(|error| CassetteError::io(path, "look at", &error))?.len();
    Ok(length == expected)
}

fn is_own_rows(path: &Path) -> Result<bool, CassetteError> {
    let mut rows = RowsReader::new(open(path)?, path);
    let (mut there, mut row) = (BufReader::new(open(path)?), csv::ByteRecord::new());
    let (mut own, mut bytes) = (Vec::new(), Vec::new());
    let failed = |error: io::Error| CassetteError::io(path, "read", &error);
    while rows.next(&mut row)? {
        own.clear();
        write_fields(row.iter(), &mut own);
        bytes.resize(own.len(), 0);
        match there.read_exact(&mut bytes) {
            Ok(()) if bytes == own => {}
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => return Err(failed(error)),
            _ => return Ok(false),
        }
    }
    Ok(there.read(&mut [0]).map_err(failed)? == 0)
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
        assert_eq!(why(), "cassettes/x: there is no cassette here; record it first, or correct its name");
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
        let staging = staging(&parent.path().join("y"));
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
