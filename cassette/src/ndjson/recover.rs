//! Making a cassette of a trace that was not published: one that is complete as it is, one that did not end cleanly up to its
//! last whole record.

use std::fs::{self, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::catalogue::Catalogue;
use super::record::Author;
use super::spans::Stamp;
use super::{Trace, TraceId, catalogue, traces, writing};
use crate::directory::{DirectoryLock, Recovered, nothing_whole, refuse};
use crate::{Cassette, CassetteError, ErrorKind};

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
    let mut entries = 0;
    let (catalogue, torn) = Catalogue::walk(&root, &mut |_, _| {
        entries += 1;
        Ok(())
    })?;
    if staged && entries == 0 {
        fs::remove_file(&root).map_err(failed("remove"))?;
        return Err(nothing_whole(target));
    }
    if whole {
        publish(&root, target)?;
        let (torn, dropped) = (0, Vec::new());
        return Ok(Some(Recovered { cassette: target.to_owned(), whole, entries, torn, dropped }));
    }
    let length = fs::metadata(&root).map_err(failed("look at"))?.len();
    let torn = if torn.is_some() { length.saturating_sub(catalogue.end + 1) } else { 0 };
    let author = Author { trace: id.as_str().to_owned(), stamp: Stamp::default() };
    let mut mark = vec![b'\n'];
    author.complete(true, &mut mark);
    file.set_len(catalogue.end).map_err(failed("cut"))?;
    file.seek(SeekFrom::Start(catalogue.end)).map_err(failed("write"))?;
    file.write_all(&mark).map_err(failed("write"))?;
    if staged {
        publish(&root, target)?;
    }
    Ok(Some(Recovered { cassette: target.to_owned(), whole, entries, torn, dropped: Vec::new() }))
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
