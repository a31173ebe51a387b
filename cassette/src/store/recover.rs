//! Makes a cassette of an unpublished recording: of a complete one as it is, of one that did not end cleanly up to its
//! last whole entry.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::interface::{EntryRef, Store};
use super::rows_journal::{self, UnfinishedRows};
use super::staging::Lock;
use crate::CassetteError;

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

    /// Returns how many entries it has, and the parts they name.
    fn entries(&mut self) -> Result<(usize, HashSet<String>), CassetteError>;

    /// Returns how many whole rows there are of a fetch that had not ended, and how many bytes of a broken-off row it cut off.
    fn rows(&mut self, unfinished: &UnfinishedRows) -> Result<(u64, u64), CassetteError>;

    /// Removes the parts that are not in `used`, and returns their names.
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
    for unfinished in rows_journal::read(&journal)? {
        // an earlier recovery may have been killed after it wrote the entry
        if used.contains(&unfinished.part) || used.contains(unfinished.final_part()) {
            continue;
        }
        let (rows, torn) = recording.rows(&unfinished)?;
        recovered.torn += torn;
        if rows > 0 {
            recovered.rows += rows;
            used.extend([unfinished.part.clone(), unfinished.final_part().to_owned()]);
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
    rows_journal::remove(&journal).map_err(|error| CassetteError::io(&journal, "remove", &error))?;
    recording.complete()?;
    if staged {
        recording.publish(target)?;
    }
    Ok(Some(recovered))
}

/// Returns the parts that entries name.
pub(super) fn parts_named_by(store: &dyn Store, entries: &[EntryRef]) -> Result<HashSet<String>, CassetteError> {
    let mut used = HashSet::new();
    for place in entries {
        let entry = store.entry(*place)?;
        used.extend(entry.files().map(|(_, part)| part.to_owned()));
    }
    Ok(used)
}
