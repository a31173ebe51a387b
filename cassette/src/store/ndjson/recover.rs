//! Recovers a trace's file that did not end cleanly: finds its last whole record, and what no entry names.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::catalogue::{self, Catalogue};
use super::id::TraceId;
use super::record::{RecordWriter, Stamp};
use super::rows::RowsOfTrace;
use super::trace::{Trace, traces};
use super::writing::{self, is_begun};
use crate::store::interface::{EntryRef, RowsSource, Store};
use crate::store::recover::UnfinishedRows;
use crate::store::recover::{Recovered, Unfinished, parts_named_by, recover as recover_recording};
use crate::store::staging::{staging, target_of};
use crate::{CassetteError, ErrorKind};

/// Returns the trace to recover at a path: a trace's file, or the only unfinished trace in a directory. `None` if there
/// is no trace to recover.
///
/// # Errors
/// The directory has several unfinished traces.
pub(crate) fn trace_at(path: &Path) -> Result<Option<PathBuf>, CassetteError> {
    let of_file = path.file_name().and_then(|name| TraceId::of_file(name.to_str()?));
    if of_file.is_some() && !path.is_dir() {
        return Ok(Some(path.to_owned()));
    }
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let mut unfinished: Vec<PathBuf> = entries.filter_map(|entry| trace_staged_at(&entry.path())).collect();
    // a published trace whose process was killed after it went on
    let resumed = |id: &TraceId| {
        let metadata = Trace::read(path, id).and_then(|trace| trace.metadata());
        metadata.is_ok_and(|metadata| !metadata.complete)
    };
    unfinished.extend(traces(path).into_iter().filter(resumed).map(|id| path.join(id.file_name())));
    unfinished.sort();
    unfinished.dedup();
    match &unfinished[..] {
        [] => Ok(None),
        [one] => Ok(Some(one.clone())),
        [first, ..] => Err(CassetteError::new(path, format!("has {} unfinished traces", unfinished.len()))
            .advice(format!("name one of them, such as {}", first.display()))),
    }
}

/// Returns the trace whose recording is staged at a path.
fn trace_staged_at(path: &Path) -> Option<PathBuf> {
    target_of(path)
        .filter(|target| target.file_name().is_some_and(|name| TraceId::of_file(&name.to_string_lossy()).is_some()))
}

/// Makes a trace of the unpublished recording of `target`, if there is one.
pub(crate) fn recover(target: &Path) -> Result<Option<Recovered>, CassetteError> {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let Some(id) = TraceId::of_file(&name) else { return Ok(None) };
    let staged = staging(target);
    let root = if staged.is_file() { staged } else { target.to_owned() };
    let file = match OpenOptions::new().read(true).write(true).open(&root) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(|error| CassetteError::io(&root, "open", &error))?,
    };
    let for_metadata = file.try_clone().map_err(|error| CassetteError::io(&root, "open", &error))?;
    let complete = match catalogue::metadata(&root, for_metadata) {
        // not even the header is whole
        Err(error) if error.kind() == ErrorKind::Torn && root != target && is_begun(&root) => false,
        metadata => metadata?.complete,
    };
    let journal = writing::journal(target);
    let (catalogue, entries) = Default::default();
    recover_recording(Records { root, id, file, complete, journal, catalogue, entries }, target, target)
}

/// Returns the file of a trace's unpublished recording, with a reader of it.
pub(crate) fn unpublished(path: &Path) -> Option<(PathBuf, Trace)> {
    let trace = trace_at(path).ok()??;
    let id = TraceId::of_file(trace.file_name()?.to_str()?)?;
    let (staged, reader) = Trace::staged(trace.parent()?, &id).ok()?;
    staged.is_file().then_some((staged, reader))
}

/// The file of a recording.
struct Records {
    root: PathBuf,
    id: TraceId,
    file: File,
    complete: bool,
    journal: PathBuf,
    /// What is whole of it.
    catalogue: Catalogue,
    entries: Vec<EntryRef>,
}

impl Records {
    fn failed(&self, doing: &str) -> impl Fn(io::Error) -> CassetteError {
        move |error| CassetteError::io(&self.root, doing, &error)
    }

    /// Walks over the file. Returns whether its end breaks off.
    fn walk(&mut self) -> Result<bool, CassetteError> {
        let mut entries = Vec::new();
        let (catalogue, torn) = Catalogue::walk(&self.root, &mut |place, _| {
            entries.push(place);
            Ok(())
        })?;
        (self.catalogue, self.entries) = (catalogue, entries);
        Ok(torn.is_some())
    }

    fn writer(&self) -> RecordWriter {
        RecordWriter { trace: self.id.as_str().to_owned(), stamp: Stamp::default() }
    }
}

impl Unfinished for Records {
    fn root(&self) -> &Path {
        &self.root
    }

    fn is_complete(&self) -> bool {
        self.complete
    }

    fn journal(&self) -> PathBuf {
        self.journal.clone()
    }

    /// Only counts what will be cut. The file is cut once it is known what stays of the rest.
    fn cut(&mut self) -> Result<u64, CassetteError> {
        if !self.walk()? {
            return Ok(0);
        }
        let length = fs::metadata(&self.root).map_err(self.failed("look at"))?.len();
        Ok(length.saturating_sub(self.catalogue.end + 1))
    }

    fn entries(&mut self) -> Result<(usize, HashSet<String>), CassetteError> {
        if self.entries.is_empty() {
            self.walk()?;
        }
        let used = parts_named_by(&Trace::of_file(&self.root, &self.id)?, &self.entries)?;
        Ok((self.entries.len(), used))
    }

    fn rows(&mut self, unfinished: &UnfinishedRows) -> Result<(u64, u64), CassetteError> {
        let rows = self.catalogue.rows.get(&unfinished.member).map(|places| count(&self.root, places));
        Ok((rows.transpose()?.unwrap_or(0), 0))
    }

    fn drop_unused(&mut self, used: &HashSet<String>) -> Result<Vec<String>, CassetteError> {
        Ok(drop_unused(&mut self.catalogue, used))
    }

    fn append(&mut self, unfinished: Vec<(UnfinishedRows, u64)>) -> Result<(), CassetteError> {
        let (writer, mut records) = (self.writer(), vec![b'\n']);
        for (unfinished, rows) in unfinished {
            if unfinished.member != unfinished.final_member() {
                writer.renamed(&unfinished.member, unfinished.final_member(), &mut records);
            }
            writer.entry(&unfinished.entry(rows), &mut records);
        }
        self.file.set_len(self.catalogue.end).map_err(self.failed("cut"))?;
        let end = SeekFrom::Start(self.catalogue.end);
        let written = (&self.file).seek(end).and_then(|_| (&self.file).write_all(&records));
        written.map_err(self.failed("write"))
    }

    fn complete(&mut self) -> Result<(), CassetteError> {
        let mut record = Vec::new();
        self.writer().complete(true, &mut record);
        (&self.file).write_all(&record).map_err(self.failed("write"))
    }

    fn publish(&self, target: &Path) -> Result<(), CassetteError> {
        writing::publish(&self.root, target)
    }

    fn remove(&self) -> Result<(), CassetteError> {
        fs::remove_file(&self.root).map_err(self.failed("remove"))
    }
}

/// Counts the rows of these records.
fn count(file: &Path, places: &[EntryRef]) -> Result<u64, CassetteError> {
    let (mut rows, mut row, mut count) = (RowsOfTrace::open(file, places.to_vec())?, csv::ByteRecord::new(), 0);
    while rows.next(&mut row)? {
        count += 1;
    }
    Ok(count)
}

/// Leaves out the records at the end of the file that belong to no entry: what was written of a member before its process
/// was killed. Returns the names of the members.
fn drop_unused(catalogue: &mut Catalogue, used: &HashSet<String>) -> Vec<String> {
    let rows = catalogue.rows.iter().flat_map(|(name, places)| places.iter().map(move |place| (name, *place)));
    let documents = catalogue.documents.iter().map(|(name, place)| (name, *place));
    let mut unused: Vec<_> = rows.chain(documents).filter(|(name, _)| !used.contains(*name)).collect();
    unused.sort_by_key(|(_, place)| std::cmp::Reverse(place.offset));
    let mut dropped = Vec::new();
    for (name, place) in unused {
        if place.offset + u64::from(place.len) != catalogue.end {
            break;
        }
        // drop the line break before it too
        catalogue.end = place.offset - 1;
        dropped.push(name.clone());
    }
    dropped.sort();
    dropped.dedup();
    dropped
}
