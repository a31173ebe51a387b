//! Making a cassette of a recording that was not published: one that is complete as it is, one that did not end cleanly up to
//! its last whole entry.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::lock::DirectoryLock;
use super::own::Own;
use super::reading::part;
use super::staging::{is_cassette, is_recording, refuse};
use super::{Directory, names, publish, resolve};
use crate::metadata::Metadata;
use crate::rows_journal;
use crate::storage::{Cassette, Place};
use crate::yaml::{self, Items};
use crate::{CassetteError, Key, Value};

/// What was made of a recording that was not published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// The cassette.
    pub cassette: PathBuf,
    /// The recording was complete: it was put in its place and nothing else.
    pub whole: bool,
    /// Entries that were kept.
    pub entries: usize,
    /// Rows of fetches that the process was ended in: the last entries have them.
    pub rows: u64,
    /// Bytes of an entry, an answer or a row that breaks off; they were removed.
    pub torn: u64,
    /// Files whose entry was not written any more, and which no entry can be made for; they were removed.
    pub dropped: Vec<String>,
}

/// Puts a recording that was not published under its name, in the place of what stood there. Of one that was interrupted it
/// makes a cassette first: `metadata.yml` says `complete: true` and `recovered: true` then. `None` if there is no such
/// recording.
///
/// # Errors
/// The recording is still under way; it has no whole entry (it is removed then, and what stood there stays); a part of it that
/// is not its end cannot be read; what the operating system says.
pub fn recover(path: &Path) -> Result<Option<Recovered>, CassetteError> {
    if let Some(trace) = crate::ndjson::trace_at(path)? {
        return crate::ndjson::recover(&trace);
    }
    let target = resolve(path)?;
    let staged = names::staging(&target);
    let root = if is_recording(&staged) { staged.clone() } else { target.clone() };
    if !is_cassette(&root) {
        return Ok(None);
    }
    if root == target && staged.is_dir() {
        let _lock = lock(&staged, &target)?;
        publish::clear(&staged, &target);
    }
    let metadata = Directory::read(&root)?.metadata()?;
    if metadata.complete && root == target {
        return Ok(None);
    }
    let _lock = lock(&root, &target)?;
    if metadata.complete {
        let (entries, _) = parts(&root)?;
        publish::publish(&root, &target)?;
        let (whole, rows, torn, dropped) = (true, 0, 0, Vec::new());
        return Ok(Some(Recovered { cassette: path.to_owned(), whole, entries, rows, torn, dropped }));
    }
    let mut torn = cut_log(&root)?;
    torn += cut_answers(&root)?;
    let (_, used) = parts(&root)?;
    let unfinished = finish_rows(&root, &used)?;
    let (entries, used) = parts(&root)?;
    if entries == 0 && root != target {
        fs::remove_dir_all(&root).map_err(|error| CassetteError::io(&root, "remove", &error))?;
        return Err(nothing_whole(path));
    }
    let dropped = drop_unused(&root, &used)?;
    let journal = root.join(names::ROWS_JOURNAL);
    rows_journal::remove(&journal).map_err(|error| CassetteError::io(&journal, "remove", &error))?;
    write_metadata(&root, &Metadata { complete: true, recovered: true, ..metadata })?;
    if root != target {
        publish::publish(&root, &target)?;
    }
    let (rows, torn) = (unfinished.rows, torn + unfinished.torn);
    Ok(Some(Recovered { cassette: path.to_owned(), whole: false, entries, rows, torn, dropped }))
}

/// Where the recording of a cassette is that was not published, if it has an entry that could be kept.
pub fn unpublished(path: &Path) -> Option<PathBuf> {
    fn has_entry(cassette: &dyn Cassette) -> bool {
        let mut found = false;
        // one is enough: the error ends the walk
        let _ = cassette.scan(&mut |_, _| {
            found = true;
            Err(CassetteError::new(cassette.name(), "enough"))
        });
        found
    }
    if let Some((staged, trace)) = crate::ndjson::unpublished(path) {
        return has_entry(&trace).then_some(staged);
    }
    let staged = names::staging(&resolve(path).ok()?);
    (is_recording(&staged) && has_entry(&Directory::read(&staged).ok()?)).then_some(staged)
}

/// The error for a recording that broke off too early, once it is removed.
pub(crate) fn nothing_whole(cassette: &Path) -> CassetteError {
    let problem = "the recording broke off before its first entry: there was nothing to keep, and its rest is removed";
    CassetteError::new(cassette, problem).advice("record again")
}

fn lock(root: &Path, target: &Path) -> Result<DirectoryLock, CassetteError> {
    let lock = DirectoryLock::take(root).map_err(|error| CassetteError::io(root, "lock", &error))?;
    lock.map_err(|busy| refuse(target, busy))
}

/// Cuts the log off behind its last whole entry. Gives the bytes of text that were cut.
fn cut_log(root: &Path) -> Result<u64, CassetteError> {
    let path = root.join(names::COMMANDS);
    cut(&path, |bytes, line| yaml::parse_entry(bytes, &path, line).map(|_| ()))
}

/// The same for each file of answers.
fn cut_answers(root: &Path) -> Result<u64, CassetteError> {
    let (mut torn, own) = (0, owned(root)?);
    for name in list(root)?.iter().filter(|name| name.ends_with("_info.yml") && own.has(name.as_ref())) {
        let path = root.join(name);
        torn += cut(&path, |bytes, line| yaml::parse_answer(bytes, &path, line).map(|_| ()))?;
    }
    Ok(torn)
}

/// Cuts a file of items off behind the last that can be read. Only the last may be unreadable.
fn cut(path: &Path, read: impl Fn(&[u8], u32) -> Result<(), CassetteError>) -> Result<u64, CassetteError> {
    let doing = |what: &'static str| move |error: io::Error| CassetteError::io(path, what, &error);
    let file = OpenOptions::new().read(true).write(true).open(path).map_err(doing("open"))?;
    let end = end_of_text(&file).map_err(doing("read"))?;
    let mut items = Items::new((&file).take(end), path);
    let (mut bytes, mut kept, mut broken) = (Vec::new(), 0, None);
    // without its zeros the file ends in an item, whole or not: what is no item is not what a recording leaves
    while let Some(item) = items.next(&mut bytes)? {
        if let Some(error) = broken {
            return Err(error);
        }
        match read(&bytes, item.line) {
            Ok(()) => kept = item.offset + u64::from(item.len),
            Err(error) => broken = Some(error),
        }
    }
    file.set_len(kept).map_err(doing("cut"))?;
    Ok(end.saturating_sub(kept))
}

/// The length of a file without the zeros at its end. An entry's first byte is written last: text behind a zero is the
/// rest of one that was never finished, and the zero its beginning.
fn end_of_text(file: &File) -> io::Result<u64> {
    let mut reader = io::BufReader::with_capacity(64 * 1024, file);
    let mut end = 0;
    loop {
        let block = io::BufRead::fill_buf(&mut reader)?;
        if block.is_empty() {
            break;
        }
        if let Some(zero) = memchr::memchr(0, block) {
            end += zero as u64;
            break;
        }
        let count = block.len();
        end += count as u64;
        io::BufRead::consume(&mut reader, count);
    }
    io::Seek::rewind(&mut &*file)?;
    Ok(end)
}

/// What became of the rows whose fetches had not ended.
#[derive(Default)]
struct Unfinished {
    rows: u64,
    torn: u64,
}

/// Appends the entries of rows whose fetches had not ended, by what the journal says of them.
fn finish_rows(root: &Path, used: &HashSet<String>) -> Result<Unfinished, CassetteError> {
    let (mut done, mut entries) = (Unfinished::default(), Vec::new());
    for unfinished in rows_journal::read(&root.join(names::ROWS_JOURNAL))? {
        if used.contains(&unfinished.part) || used.contains(unfinished.final_part()) {
            continue;
        }
        let (grown, path) = (part(root, &unfinished.part)?, part(root, unfinished.final_part())?);
        // an earlier recovery may have been ended before it wrote the entry
        if grown.exists() {
            fs::rename(&grown, &path).map_err(|error| CassetteError::io(&grown, "rename", &error))?;
        }
        if !path.exists() {
            continue;
        }
        let (rows, torn) = cut_rows(&path)?;
        done.torn += torn;
        if rows > 0 {
            done.rows += rows;
            yaml::emit_entry(&unfinished.entry(rows), &mut entries);
        }
    }
    let log = root.join(names::COMMANDS);
    let appended = OpenOptions::new().append(true).open(&log).and_then(|mut file| file.write_all(&entries));
    appended.map_err(|error| CassetteError::io(&log, "write", &error))?;
    Ok(done)
}

/// Cuts a file of rows off behind its last whole row. Gives the rows that are left, and the bytes that were cut.
fn cut_rows(path: &Path) -> Result<(u64, u64), CassetteError> {
    let doing = |what: &'static str| move |error: io::Error| CassetteError::io(path, what, &error);
    let mut file = OpenOptions::new().read(true).write(true).open(path).map_err(doing("open"))?;
    let (mut rows, mut read, mut kept, mut block) = (0, 0, 0, vec![0; 64 * 1024]);
    loop {
        let count = match file.read(&mut block) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            count => count.map_err(doing("read"))?,
        };
        if count == 0 {
            break;
        }
        // a row is one line
        for end in memchr::memchr_iter(b'\n', &block[..count]) {
            (rows, kept) = (rows + 1, read + end as u64 + 1);
        }
        read += count as u64;
    }
    if kept < read {
        file.set_len(kept).map_err(doing("cut"))?;
    }
    Ok((rows, read - kept))
}

/// How many entries there are, and the parts they name.
fn parts(root: &Path) -> Result<(usize, HashSet<String>), CassetteError> {
    let cassette = Directory::read(root)?;
    let mut places = Vec::new();
    cassette.scan(&mut |place, _| {
        places.push(place);
        Ok(())
    })?;
    Ok((places.len(), parts_named_by(&cassette, &places)?))
}

/// The parts that entries name.
pub(crate) fn parts_named_by(cassette: &dyn Cassette, places: &[Place]) -> Result<HashSet<String>, CassetteError> {
    let mut used = HashSet::new();
    for place in places {
        let entry = cassette.entry(*place)?;
        let named = [Key::ColumnsFile, Key::RowsFile, Key::ParamsFile].into_iter().filter_map(|key| entry.get(key));
        used.extend(named.filter_map(Value::as_text).map(str::to_owned));
    }
    Ok(used)
}

/// Removes the parts that no entry names.
fn drop_unused(root: &Path, used: &HashSet<String>) -> Result<Vec<String>, CassetteError> {
    let own = owned(root)?;
    let is_part = |name: &String| {
        let fixed = [names::METADATA, names::COMMANDS, names::ROWS_JOURNAL].contains(&name.as_str())
            || name.ends_with("_info.yml");
        own.has(name.as_ref()) && !fixed
    };
    let mut dropped: Vec<String> =
        list(root)?.into_iter().filter(|name| is_part(name) && !used.contains(name)).collect();
    dropped.sort();
    for name in &dropped {
        let path = root.join(name);
        fs::remove_file(&path).map_err(|error| CassetteError::io(&path, "remove", &error))?;
    }
    Ok(dropped)
}

fn owned(root: &Path) -> Result<Own, CassetteError> {
    Own::of(root).map_err(|error| CassetteError::io(root, "list", &error))
}

fn list(root: &Path) -> Result<Vec<String>, CassetteError> {
    let failed = |error: io::Error| CassetteError::io(root, "list", &error);
    let mut names = Vec::new();
    for entry in fs::read_dir(root).map_err(failed)? {
        names.push(entry.map_err(failed)?.file_name().to_string_lossy().into_owned());
    }
    Ok(names)
}

fn write_metadata(root: &Path, metadata: &Metadata) -> Result<(), CassetteError> {
    let path = root.join(names::METADATA);
    let mut text = Vec::new();
    yaml::emit_document(&metadata.to_value(), &mut text);
    // over the old text, not instead of it: on a full disk an emptied file could not be filled again
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
    let written = file.and_then(|file| {
        file.write_all_at(&text, 0)?;
        file.set_len(text.len() as u64)
    });
    written.map_err(|error| CassetteError::io(&path, "write", &error))
}
