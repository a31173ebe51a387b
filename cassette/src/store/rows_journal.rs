//! The journal of a recording: which entries the rows on disk belong to while their fetches still go on.
//!
//! Rows go to disk in blocks, and the entry that names them is appended when the fetching ends. If the process is
//! killed in between, [`recover`](crate::recover) makes that entry from the journal and the rows that are there. The
//! journal is a hidden file beside the log. It has an item for each run of rows, written at the run's first block, and
//! another one whenever there is more to say. A complete recording has no journal.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::interface::OpenRun;
use super::log::append_block;
use crate::yaml::{self, Items};
use crate::{CassetteError, Entry, Fields, Key, Value, files};

/// The journal of a recording under way.
#[derive(Debug)]
pub(super) struct RowsJournal {
    path: PathBuf,
    file: Option<File>,
    /// The number of bytes in it.
    end: u64,
}

impl RowsJournal {
    /// Makes a journal that will stand at this path. Creates nothing before the first item.
    pub(super) fn at(path: PathBuf) -> Self {
        RowsJournal { path, file: None, end: 0 }
    }

    /// Appends what is known of a run.
    pub(super) fn append(&mut self, open: &OpenRun<'_>) -> io::Result<()> {
        let OpenRun { run, part, entry } = open;
        let item = entry.clone().with(Key::Part, *part).with(Key::OpenRun, *run);
        let mut bytes = Vec::with_capacity(256);
        yaml::emit_entry(&item, &mut bytes);
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(OpenOptions::new().write(true).create(true).truncate(true).open(&self.path)?),
        };
        append_block(file, self.end, &bytes)?;
        self.end += bytes.len() as u64;
        Ok(())
    }

    /// Removes the journal, because every run has its entry.
    pub(super) fn remove(&mut self) -> io::Result<()> {
        if self.file.take().is_none() {
            return Ok(());
        }
        self.end = 0;
        remove(&self.path)
    }

    /// Returns the path of the file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// Removes a journal if it exists.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The rows of a fetch in which a process was killed.
pub(super) struct UnfinishedRows {
    run: u64,
    /// The part that has them.
    pub(super) part: String,
    entry: Entry,
}

impl UnfinishedRows {
    /// Returns the name that the part has in its entry.
    pub(super) fn final_part(&self) -> &str {
        self.entry.get(Key::RowsFile).and_then(Value::as_text).unwrap_or(&self.part)
    }

    /// Makes the entry for the rows that are there.
    pub(super) fn entry(mut self, rows: u64) -> Entry {
        let there = |item: &Value| {
            let row = item.get("row").and_then(Value::as_int).and_then(|row| u64::try_from(row).ok());
            row.is_none_or(|row| row <= rows)
        };
        if let Some(at) = self.entry.fields.iter().position(|(key, _)| *key == Key::Outcomes)
            && let (key, Value::List(mut outcomes)) = self.entry.fields.remove(at)
        {
            outcomes.retain(there);
            if !outcomes.is_empty() {
                self.entry.fields.push((key, Value::List(outcomes)));
            }
        }
        self.entry.fields.insert(0, (Key::N, Value::from(rows)));
        self.entry
    }
}

/// Reads what a journal says of each part, in the order in which the runs were opened; nothing if there is no journal.
/// Leaves out an item that breaks off at the end.
///
/// # Errors
/// An error of the operating system.
pub(super) fn read(path: &Path) -> Result<Vec<UnfinishedRows>, CassetteError> {
    let file = match files::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        file => file.map_err(|error| CassetteError::io(path, "open", &error))?,
    };
    let (mut items, mut bytes, mut all) = (Items::new(file, path), Vec::new(), Vec::<UnfinishedRows>::new());
    while let Ok(Some(item)) = items.next(&mut bytes)
        && let Ok(mut entry) = yaml::parse_entry(&bytes, path, item.line)
    {
        let mut take = |key: Key| {
            let at = entry.fields.iter().position(|(known, _)| *known == key)?;
            Some(entry.fields.remove(at).1)
        };
        let (Some(Value::Text(part)), Some(run)) = (take(Key::Part), take(Key::OpenRun)) else { continue };
        let run = run.as_int().and_then(|run| u64::try_from(run).ok()).unwrap_or(u64::MAX);
        match all.iter_mut().find(|known| known.part == part) {
            None => all.push(UnfinishedRows { run, part, entry }),
            // a later item has only new outcomes, and everything else as it is by then
            Some(known) => {
                let earlier = std::mem::take(&mut known.entry.fields);
                known.entry.fields = with_earlier_outcomes(entry.fields, earlier);
            }
        }
    }
    all.sort_by_key(|unfinished| unfinished.run);
    Ok(all)
}

/// Returns the fields of the later item with the outcomes of both.
fn with_earlier_outcomes(mut later: Fields, earlier: Fields) -> Fields {
    let Some((key, Value::List(mut all))) = earlier.into_iter().find(|(key, _)| *key == Key::Outcomes) else {
        return later;
    };
    if let Some(at) = later.iter().position(|(key, _)| *key == Key::Outcomes)
        && let (_, Value::List(new)) = later.remove(at)
    {
        all.extend(new);
    }
    later.push((key, Value::List(all)));
    later
}
