//! Recovers a recording in a directory that did not end cleanly: finds its last whole entry, answer and row, and what no entry names.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::names::{self, FileOwners};
use super::publish::{self, is_cassette, is_recording};
use super::reading::member_path;
use super::store::{Directory, resolve};
use super::writing::text_of;
use crate::store::interface::{EntryRef, Store};
use crate::store::recover::UnfinishedRows;
use crate::store::recover::{Recovered, Unfinished, parts_named_by, recover as recover_recording};
use crate::store::staging::{Lock, staging};
use crate::yaml::{self, Items};
use crate::{CassetteError, Metadata};

/// Makes a cassette of the unpublished recording of `path`, if there is one.
pub(crate) fn recover(path: &Path) -> Result<Option<Recovered>, CassetteError> {
    let target = resolve(path)?;
    let staged = staging(&target);
    let root = if is_recording(&staged) { staged.clone() } else { target.clone() };
    if !is_cassette(&root) {
        return Ok(None);
    }
    if root == target && staged.is_dir() {
        let _lock = Lock::of(&staged, &target)?;
        publish::clear(&staged, &target);
    }
    let metadata = Directory::read(&root)?.metadata()?;
    recover_recording(Files { root, metadata }, path, &target)
}

/// Returns the directory of the unpublished recording of `path`.
pub(crate) fn unpublished(path: &Path) -> Option<PathBuf> {
    let staged = staging(&resolve(path).ok()?);
    is_recording(&staged).then_some(staged)
}

/// The files of a recording.
struct Files {
    root: PathBuf,
    metadata: Metadata,
}

impl Unfinished for Files {
    fn root(&self) -> &Path {
        &self.root
    }

    fn is_complete(&self) -> bool {
        self.metadata.complete
    }

    fn journal(&self) -> PathBuf {
        self.root.join(names::ROWS_JOURNAL)
    }

    fn cut(&mut self) -> Result<u64, CassetteError> {
        Ok(cut_log(&self.root)? + cut_answers(&self.root)?)
    }

    fn entries(&mut self) -> Result<(usize, HashSet<String>), CassetteError> {
        let store = Directory::read(&self.root)?;
        let mut entries: Vec<EntryRef> = Vec::new();
        store.scan(&mut |place, _| {
            entries.push(place);
            Ok(())
        })?;
        Ok((entries.len(), parts_named_by(&store, &entries)?))
    }

    fn rows(&mut self, unfinished: &UnfinishedRows) -> Result<(u64, u64), CassetteError> {
        let (grown, path) =
            (member_path(&self.root, &unfinished.member)?, member_path(&self.root, unfinished.final_member())?);
        // an earlier recovery may have been killed before it wrote the entry
        if grown.exists() {
            fs::rename(&grown, &path).map_err(|error| CassetteError::io(&grown, "rename", &error))?;
        }
        if path.exists() { cut_rows(&path) } else { Ok((0, 0)) }
    }

    fn drop_unused(&mut self, used: &HashSet<String>) -> Result<Vec<String>, CassetteError> {
        drop_unused(&self.root, used)
    }

    fn append(&mut self, unfinished: Vec<(UnfinishedRows, u64)>) -> Result<(), CassetteError> {
        let (log, mut entries) = (self.root.join(names::COMMANDS), Vec::new());
        for (unfinished, rows) in unfinished {
            yaml::emit_entry(&unfinished.entry(rows), &mut entries);
        }
        let appended = OpenOptions::new().append(true).open(&log).and_then(|mut file| file.write_all(&entries));
        appended.map_err(|error| CassetteError::io(&log, "write", &error))
    }

    fn complete(&mut self) -> Result<(), CassetteError> {
        write_metadata(&self.root, &Metadata { complete: true, recovered: true, ..self.metadata.clone() })
    }

    fn publish(&self, target: &Path) -> Result<(), CassetteError> {
        publish::publish(&self.root, target)
    }

    fn remove(&self) -> Result<(), CassetteError> {
        fs::remove_dir_all(&self.root).map_err(|error| CassetteError::io(&self.root, "remove", &error))
    }
}

/// Cuts the log off behind its last whole entry. Returns the number of bytes of text that were cut.
fn cut_log(root: &Path) -> Result<u64, CassetteError> {
    let path = root.join(names::COMMANDS);
    cut(&path, |bytes, line| yaml::parse_entry(bytes, &path, line).map(|_| ()))
}

/// Cuts each info file off behind its last whole answer.
fn cut_answers(root: &Path) -> Result<u64, CassetteError> {
    let (mut torn, own) = (0, owned(root)?);
    for name in list(root)?.iter().filter(|name| name.ends_with("_info.yml") && own.has(name.as_ref())) {
        let path = root.join(name);
        torn += cut(&path, |bytes, line| yaml::parse_answer(bytes, &path, line).map(|_| ()))?;
    }
    Ok(torn)
}

/// Cuts a file of items off behind the last readable item. Only the last item may be unreadable.
fn cut(path: &Path, read: impl Fn(&[u8], u32) -> Result<(), CassetteError>) -> Result<u64, CassetteError> {
    let doing = |what: &'static str| move |error: io::Error| CassetteError::io(path, what, &error);
    let file = OpenOptions::new().read(true).write(true).open(path).map_err(doing("open"))?;
    let end = end_of_text(&file).map_err(doing("read"))?;
    let mut items = Items::new((&file).take(end), path);
    let (mut bytes, mut kept, mut broken) = (Vec::new(), 0, None);
    // Without its zeros the file ends in an item, whole or not. Anything that is no item was not left by a recording.
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

/// Returns the length of a file up to its first zero. The first byte of an entry is written last, so a zero begins an
/// entry that was never finished, and text behind it is the rest of that entry.
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

/// Cuts a rows file off behind its last whole row. Returns how many rows are left, and how many bytes were cut.
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
        // each row is one line
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

/// Removes the members that no entry names.
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

fn owned(root: &Path) -> Result<FileOwners, CassetteError> {
    FileOwners::of(root).map_err(|error| CassetteError::io(root, "list", &error))
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
    let text = text_of(metadata);
    // Write over the old text instead of emptying the file first: on a full disk it could not be filled again.
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
    let written = file.and_then(|file| {
        file.write_all_at(&text, 0)?;
        file.set_len(text.len() as u64)
    });
    written.map_err(|error| CassetteError::io(&path, "write", &error))
}
