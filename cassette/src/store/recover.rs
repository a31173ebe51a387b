//! Recovers an unpublished recording. A complete one becomes the cassette as it is. One that did not end cleanly becomes a
//! cassette up to its last whole entry.
//!
//! Rows go to disk in blocks, and the entry that names them is appended when the fetching ends. If the process is killed
//! in between, recovery makes that entry from the journal and the rows that are there. The journal is a hidden file beside
//! the log. It has an item for each run of rows, written at the run's first block, and another one whenever there is more to
//! say. A complete recording has no journal.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::interface::{EntryRef, OpenRun, Store};
use super::log::append_block;
use super::staging::Lock;
use crate::yaml::Items;
use crate::{CassetteError, Detail, Entry, Fields, Key, Value, files, yaml};

/// What was made of an unpublished recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// The cassette.
    pub cassette: PathBuf,
    /// Whether the recording was complete, so that it was only put in its place.
    pub whole: bool,
    /// How many entries were kept.
    pub entries: usize,
    /// How many rows there are of fetches in which the process was killed. The last entries have them.
    pub rows: u64,
    /// The number of bytes of an entry, answer or row that broke off. They were removed.
    pub torn: u64,
    /// Parts whose entry was never written and cannot be made. They were removed.
    pub dropped: Vec<String>,
}

/// A recording that was not published, or that went on after it was and did not end cleanly.
pub(super) trait Unfinished {
    /// Returns where it is.
    fn root(&self) -> &Path;

    /// Says whether it is complete.
    fn is_complete(&self) -> bool;

    /// Returns the journal of its rows.
    fn journal(&self) -> PathBuf;

    /// Cuts off what breaks off at its end. Returns how many bytes that were.
    ///
    /// # Errors
    /// Something other than its end cannot be read.
    fn cut(&mut self) -> Result<u64, CassetteError>;

    /// Returns how many entries it has, and the members they name.
    fn entries(&mut self) -> Result<(usize, HashSet<String>), CassetteError>;

    /// Returns how many whole rows there are of a fetch that had not ended, and how many bytes of a broken-off row it cut off.
    fn rows(&mut self, unfinished: &UnfinishedRows) -> Result<(u64, u64), CassetteError>;

    /// Removes the members that are not in `used`, and returns their names.
    fn drop_unused(&mut self, used: &HashSet<String>) -> Result<Vec<String>, CassetteError>;

    /// Appends the entries for the rows of fetches that had not ended. Each comes with its number of rows.
    fn append(&mut self, unfinished: Vec<(UnfinishedRows, u64)>) -> Result<(), CassetteError>;

    /// Marks it as complete and recovered.
    fn complete(&mut self) -> Result<(), CassetteError>;

    /// Puts it under its name.
    fn publish(&self, target: &Path) -> Result<(), CassetteError>;

    /// Removes it.
    fn remove(&self) -> Result<(), CassetteError>;
}

/// Puts a recording under its name `target`, in place of what stands there. `name` is the cassette's name for messages.
pub(super) fn recover(
    mut recording: impl Unfinished,
    name: &Path,
    target: &Path,
) -> Result<Option<Recovered>, CassetteError> {
    let (staged, whole) = (recording.root() != target, recording.is_complete());
    if whole && !staged {
        return Ok(None);
    }
    let _lock = Lock::of(recording.root(), target)?;
    let (rows, torn, dropped) = (0, 0, Vec::new());
    let mut recovered = Recovered { cassette: name.to_owned(), whole, entries: 0, rows, torn, dropped };
    if whole {
        recovered.entries = recording.entries()?.0;
        recording.publish(target)?;
        return Ok(Some(recovered));
    }
    recovered.torn = recording.cut()?;
    let (entries, mut used) = recording.entries()?;
    let (journal, mut finished) = (recording.journal(), Vec::new());
    for unfinished in read(&journal)? {
        // an earlier recovery may have been killed after it wrote the entry
        if used.contains(&unfinished.member) || used.contains(unfinished.final_member()) {
            continue;
        }
        let (rows, torn) = recording.rows(&unfinished)?;
        recovered.torn += torn;
        if rows > 0 {
            recovered.rows += rows;
            used.extend([unfinished.member.clone(), unfinished.final_member().to_owned()]);
            finished.push((unfinished, rows));
        }
    }
    recovered.entries = entries + finished.len();
    if recovered.entries == 0 && staged {
        recording.remove()?;
        let problem =
            "the recording broke off before its first entry: there was nothing to keep, and its rest is removed";
        return Err(CassetteError::new(name, problem).advice("record again"));
    }
    recovered.dropped = recording.drop_unused(&used)?;
    recording.append(finished)?;
    remove(&journal).map_err(|error| CassetteError::io(&journal, "remove", &error))?;
    recording.complete()?;
    if staged {
        recording.publish(target)?;
    }
    Ok(Some(recovered))
}

/// Returns the members that entries name.
pub(super) fn parts_named_by(store: &dyn Store, entries: &[EntryRef]) -> Result<HashSet<String>, CassetteError> {
    let mut used = HashSet::new();
    for place in entries {
        let entry = store.entry(*place)?;
        used.extend(entry.files().map(|(_, member)| member.to_owned()));
    }
    Ok(used)
}

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
        let OpenRun { run, member, entry } = open;
        let item = entry.clone().with(Key::Part, *member).with(Key::OpenRun, *run);
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
    /// The member that has them.
    pub(super) member: String,
    entry: Entry,
}

impl UnfinishedRows {
    /// Returns the name that the member has in its entry.
    pub(super) fn final_member(&self) -> &str {
        self.entry.get(Key::RowsFile).and_then(Value::as_text).unwrap_or(&self.member)
    }

    /// Makes the entry for the rows that are there.
    pub(super) fn entry(mut self, rows: u64) -> Entry {
        let there = |item: &Value| {
            let row = item.detail(Detail::Row).and_then(Value::as_int).and_then(|row| u64::try_from(row).ok());
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

/// Reads what a journal says of each member, in the order in which the runs were opened; nothing if there is no journal.
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
        let (Some(Value::Text(member)), Some(run)) = (take(Key::Part), take(Key::OpenRun)) else { continue };
        let run = run.as_int().and_then(|run| u64::try_from(run).ok()).unwrap_or(u64::MAX);
        match all.iter_mut().find(|known| known.member == member) {
            None => all.push(UnfinishedRows { run, member, entry }),
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
