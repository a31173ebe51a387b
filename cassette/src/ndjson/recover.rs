//! Making a cassette of a trace that was not published: one that is complete as it is, one that did not end cleanly up to its
//! last whole record.

use std::collections::HashSet;
use std::fs::{self, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::catalogue::Catalogue;
use super::record::RecordWriter;
use super::rows::RowsOfTrace;
use super::spans::Stamp;
use super::{Trace, TraceId, catalogue, traces, writing};
use crate::directory::{DirectoryLock, Recovered, nothing_whole, parts_named_by, refuse};
use crate::storage::{Place, RowsSource};
use crate::{Cassette, CassetteError, ErrorKind, rows_journal};

/// The trace to be recovered at a path: a trace's file, or a directory with one unfinished trace. `None` if the path is
/// not a matter of traces.
///
/// # Errors
/// A directory with several unfinished traces.
pub(crate) fn trace_at(path: &Path) -> Result<Option<PathBuf>, CassetteError> {
    let of_file = path.file_name().and_then(|name| TraceId::of_file(name.to_str()?));
    if of_file.is_some() && !path.is_dir() {
        return Ok(Some(path.to_owned()));
    }
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let mut unfinished: Vec<PathBuf> = entries.filter_map(|entry| writing::target_of(&entry.path())).collect();
    // one that was published, and whose process was ended while it went on
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

/// The same as [`recover`](crate::recover) for a trace's file.
pub(crate) fn recover(target: &Path) -> Result<Option<Recovered>, CassetteError> {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let Some(id) = TraceId::of_file(&name) else { return Ok(None) };
    let staged = writing::staging(target);
    let root = if staged.is_file() { staged } else { target.to_owned() };
    let failed = |doing: &'static str| {
        let root = &root;
        move |error: io::Error| CassetteError::io(root, doing, &error)
    };
    let mut file = match OpenOptions::new().read(true).write(true).open(&root) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(failed("open"))?,
    };
    let (staged, mut whole) = (root != target, false);
    match catalogue::metadata(&root, file.try_clone().map_err(failed("open"))?) {
        Ok(metadata) if metadata.complete && !staged => return Ok(None),
        // not even the header is whole
        Err(error) if error.kind() == ErrorKind::Torn && staged && writing::is_begun(&root) => {}
        metadata => whole = metadata?.complete,
    }
    let lock = DirectoryLock::take(&root).map_err(failed("lock"))?;
    let _lock = lock.map_err(|busy| refuse(target, busy))?;
    let mut places = Vec::new();
    let (mut catalogue, torn) = Catalogue::walk(&root, &mut |place, _| {
        places.push(place);
        Ok(())
    })?;
    let mut recovered =
        Recovered { cassette: target.to_owned(), whole, entries: places.len(), rows: 0, torn: 0, dropped: Vec::new() };
    if staged && places.is_empty() {
        fs::remove_file(&root).map_err(failed("remove"))?;
        return Err(nothing_whole(target));
    }
    if whole {
        publish(&root, target)?;
        return Ok(Some(recovered));
    }
    if torn.is_some() {
        let length = fs::metadata(&root).map_err(failed("look at"))?.len();
        recovered.torn = length.saturating_sub(catalogue.end + 1);
    }
    let mut used = parts_named_by(&Trace::of_file(&root, &id)?, &places)?;
    let writer = RecordWriter { trace: id.as_str().to_owned(), stamp: Stamp::default() };
    let mut records = vec![b'\n'];
    let journal = writing::rows_journal(target);
    for unfinished in rows_journal::read(&journal)? {
        let rows = catalogue.rows.get(&unfinished.part).filter(|_| !used.contains(&unfinished.part));
        let Some(rows) = rows.map(|places| count(&root, places)).transpose()?.filter(|rows| *rows > 0) else {
            continue;
        };
        used.insert(unfinished.part.clone());
        if unfinished.part != unfinished.final_part() {
            writer.renamed(&unfinished.part, unfinished.final_part(), &mut records);
        }
        writer.entry(&unfinished.entry(rows), &mut records);
        recovered.entries += 1;
        recovered.rows += rows;
    }
    recovered.dropped = drop_unused(&mut catalogue, &used);
    writer.complete(true, &mut records);
    file.set_len(catalogue.end).map_err(failed("cut"))?;
    file.seek(SeekFrom::Start(catalogue.end)).map_err(failed("write"))?;
    file.write_all(&records).map_err(failed("write"))?;
    rows_journal::remove(&journal).map_err(|error| CassetteError::io(&journal, "remove", &error))?;
    if staged {
        publish(&root, target)?;
    }
    Ok(Some(recovered))
}

/// How many rows these records have.
fn count(file: &Path, places: &[Place]) -> Result<u64, CassetteError> {
    let (mut rows, mut row, mut count) = (RowsOfTrace::open(file, places.to_vec())?, csv::ByteRecord::new(), 0);
    while rows.next(&mut row)? {
        count += 1;
    }
    Ok(count)
}

/// Leaves out the records at the end of the file that belong to no entry: what was written of a part before its process was
/// ended. Gives the parts' names.
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
        // the line break before it
        catalogue.end = place.offset - 1;
        dropped.push(name.clone());
    }
    dropped.sort();
    dropped.dedup();
    dropped
}

fn publish(staged: &Path, target: &Path) -> Result<(), CassetteError> {
    writing::check_target(target)?;
    fs::rename(staged, target).map_err(|error| CassetteError::io(staged, "put in place", &error))
}

/// The file of a trace's recording that was not published, with a reader of it.
pub(crate) fn unpublished(path: &Path) -> Option<(PathBuf, Trace)> {
    let trace = trace_at(path).ok()??;
    let id = TraceId::of_file(trace.file_name()?.to_str()?)?;
    let (staged, reader) = Trace::staged(trace.parent()?, &id).ok()?;
    staged.is_file().then_some((staged, reader))
}
