//! Taking a cassette out while the process goes on: a recording is published, a replay asked what it did not play.

use super::ending;
use super::registry::{Cassettes, EJECTED, PLAYERS, RECORDERS};
use crate::verdict;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use super8_cassette::CassetteError;

/// What became of a cassette that was taken out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ejected {
    /// Nothing is to be said: published, played to its end, or never opened.
    Well,
    /// Recorded commands were not played; how many, and a list for people.
    Unplayed(usize, String),
    /// The program asked for something else than was recorded; the report.
    Mismatch(String),
    /// The recording could not be written.
    Failed(String),
}

/// Takes the cassette in `directory` out of the registry, or all traces that stand in it: a connect that names it again begins
/// anew. Connections that are still open keep what they have. Of several traces the first trouble is told.
pub fn eject(directory: &Path) -> Ejected {
    let mut paths = stand_in(directory, &RECORDERS);
    paths.append(&mut stand_in(directory, &PLAYERS));
    paths.sort();
    paths.dedup();
    let ejected = paths.iter().map(|path| eject_one(path));
    ejected.reduce(|first, next| if first == Ejected::Well { next } else { first }).unwrap_or(Ejected::Well)
}

/// The open cassettes in a directory: itself, or traces.
fn stand_in<T>(directory: &Path, open: &Cassettes<T>) -> Vec<PathBuf> {
    let is_trace =
        |path: &Path| path.parent() == Some(directory) && path.extension().is_some_and(|end| end == "ndjson");
    open.get().lock().keys().filter(|path| *path == directory || is_trace(path)).cloned().collect()
}

/// Takes the cassette in `directory` out, or all traces that stand in it, and says nothing of what was not played: the test has failed.
/// What was recorded goes to the directory that is given back, and the cassette before it stays.
///
/// # Errors
/// The recording stands in the cassette's place already, or cannot be moved.
pub fn discard(directory: &Path) -> Result<PathBuf, CassetteError> {
    let mut keep = directory.file_name().unwrap_or_default().to_owned();
    keep.push(".failed");
    let keep = directory.with_file_name(keep);
    let mut failed = None;
    for cassette in stand_in(directory, &RECORDERS) {
        let Some(open) = RECORDERS.get().lock().remove(&cassette) else { continue };
        failed = open.cassette.discard(Some(&keep)).err().or(failed);
    }
    let replayed = stand_in(directory, &PLAYERS);
    PLAYERS.get().lock().retain(|cassette, _| !replayed.contains(cassette));
    failed.map_or(Ok(keep), Err)
}

fn eject_one(cassette: &Path) -> Ejected {
    let recorder = RECORDERS.get().lock().remove(cassette);
    if let Some(open) = recorder {
        if let Err(error) = if open.inserted { open.cassette.release() } else { open.cassette.publish() } {
            verdict::unwritable(cassette, &error.to_string());
            return Ejected::Failed(format!("record: the cassette was not published: {error}"));
        }
        ending::published(cassette, &open.cassette);
        super::parts::remove_stale(cassette);
        ending::not_kept(cassette, &open, &ending::later);
        let mut ejected = EJECTED.get().lock();
        ejected.retain(|(_, recorder)| recorder.strong_count() > 0);
        ejected.push((cassette.to_owned(), Arc::downgrade(&open.cassette)));
    }
    let player = PLAYERS.get().lock().remove(cassette);
    let Some(open) = player else { return Ejected::Well };
    if let Some(report) = open.report {
        return Ejected::Mismatch(report);
    }
    let part = if open.meant { ending::settle(cassette, &open.cassette) } else { cassette.to_owned() };
    match ending::unplayed(&part, &open.cassette) {
        None => {
            verdict::finished(cassette, std::slice::from_ref(&part));
            Ejected::Well
        }
        Some(unplayed) => {
            // of one that nobody connected to through this library, the caller knows whether another one played it
            if open.meant {
                let _ = verdict::unplayed(&part, &unplayed);
            }
            Ejected::Unplayed(unplayed.len(), ending::notice(&part, &unplayed, usize::MAX))
        }
    }
}

/// Takes a cassette out that nobody uses any more, while the process goes on. What is wrong with it is told at the end: a test runner
/// may show what is said now with another test, or not at all.
pub(super) fn retire(cassette: &Path) {
    let recorder = RECORDERS.get().lock().remove(cassette);
    if let Some(open) = recorder {
        let published = open.cassette.publish();
        ending::recorded(cassette, &open, published, &ending::later);
    }
    let player = PLAYERS.get().lock().remove(cassette);
    if let Some(open) = player.filter(|open| open.meant) {
        ending::replayed(cassette, &open, &ending::later);
    }
}

/// How many recorded commands of the open cassettes in a directory were not played so far; `None` if none is replayed there.
///
/// # Errors
/// An unreadable entry.
pub fn unplayed(directory: &Path) -> Option<Result<usize, CassetteError>> {
    let paths = stand_in(directory, &PLAYERS);
    let players: Vec<_> = {
        let open = PLAYERS.get().lock();
        paths.iter().filter_map(|path| open.get(path)).map(|open| Arc::clone(&open.cassette)).collect()
    };
    let count = || players.iter().map(|player| player.unplayed().map(|unplayed| unplayed.len())).sum();
    (!players.is_empty()).then(count)
}
