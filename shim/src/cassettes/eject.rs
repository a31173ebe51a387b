//! Ends cassettes while the process goes on: publishes a recording, and asks a replay what it did not play. A cassette ends
//! when it is ejected. One that is named after the running test also ends when another test, or another attempt at the
//! same one, is running.

use super::ending;
use super::registry::{Cassettes, EJECTED, PLAYERS, RECORDERS};
use crate::config::running_test::is_torn_down;
use crate::config::settings::TestRun;
use crate::config::variables::variable;
use crate::verdict;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use super8_cassette::{CassetteError, Metadata};

/// What became of a cassette that was ejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ejected {
    /// There is nothing to report: it was published, played to its end, or never opened.
    Passed,
    /// Recorded commands were not played; how many, and a list for people.
    Unplayed(usize, String),
    /// The program asked for something else than was recorded; the report.
    Mismatch(String),
    /// The recording could not be written.
    Failed(String),
}

/// Ejects the cassette in `directory`, or all traces in it, so that a connect that names it again begins anew.
/// Connections that are still open keep their recorder or player. Of several traces, returns the first trouble.
pub fn eject(directory: &Path) -> Ejected {
    let mut paths = stand_in(directory, &RECORDERS);
    paths.append(&mut stand_in(directory, &PLAYERS));
    paths.sort();
    paths.dedup();
    let ejected = paths.iter().map(|path| eject_one(path));
    ejected.reduce(|first, next| if first == Ejected::Passed { next } else { first }).unwrap_or(Ejected::Passed)
}

/// Returns the open cassettes in a directory: the directory itself, or traces.
fn stand_in<T>(directory: &Path, open: &Cassettes<T>) -> Vec<PathBuf> {
    let is_trace =
        |path: &Path| path.parent() == Some(directory) && path.extension().is_some_and(|end| end == "ndjson");
    open.get().lock().keys().filter(|path| *path == directory || is_trace(path)).cloned().collect()
}

/// Ejects the cassette in `directory`, or all traces in it, after a test that failed. Does not report what was not
/// played. What was recorded goes to the directory that is returned, and the previous cassette stays.
///
/// # Errors
/// The recording is in the cassette's place already, or it cannot be moved.
pub fn discard(directory: &Path) -> Result<PathBuf, CassetteError> {
    let keep = super8_cassette::failed_directory(directory);
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
        if !open.cassette.is_discarded() {
            // An earlier attempt at the test, or an earlier run, failed. If it cannot be removed, it only takes room.
            let _ = super8_cassette::remove_failed(cassette);
        }
        ending::not_kept(cassette, &open, &ending::later);
        let mut ejected = EJECTED.get().lock();
        ejected.retain(|(_, recorder)| recorder.strong_count() > 0);
        ejected.push((cassette.to_owned(), Arc::downgrade(&open.cassette)));
    }
    let player = PLAYERS.get().lock().remove(cassette);
    let Some(open) = player else { return Ejected::Passed };
    if let Some(report) = open.report {
        return Ejected::Mismatch(report);
    }
    let part = if open.meant { ending::part_played(cassette, &open.cassette) } else { cassette.to_owned() };
    match ending::unplayed(&part, &open.cassette) {
        None => {
            verdict::finished(cassette, std::slice::from_ref(&part));
            Ejected::Passed
        }
        Some(unplayed) => {
            // If nobody connected to the cassette through this library, the caller knows whether another library played
            // it.
            if open.meant {
                let _ = verdict::unplayed(&part, &unplayed);
            }
            Ejected::Unplayed(unplayed.len(), ending::notice(&part, &unplayed, usize::MAX))
        }
    }
}

/// Ejects a cassette that nobody uses any more, while the process goes on. Trouble with it is reported at the end,
/// because a test runner may show what is written now with another test, or not at all.
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

/// Returns how many recorded commands of the open cassettes in a directory are not played yet; `None` if none is
/// replayed there.
///
/// # Errors
/// An entry cannot be read.
pub fn unplayed(directory: &Path) -> Option<Result<usize, CassetteError>> {
    let paths = stand_in(directory, &PLAYERS);
    let players: Vec<_> = {
        let open = PLAYERS.get().lock();
        paths.iter().filter_map(|path| open.get(path)).map(|open| Arc::clone(&open.cassette)).collect()
    };
    let count = || players.iter().map(|player| player.unplayed().map(|unplayed| unplayed.len())).sum();
    (!players.is_empty()).then(count)
}

/// Returns whether a cassette of this test is no longer used once `other` is running. Set-up that several tests share
/// is used until it is torn down, and it may begin in the middle of a test.
fn is_over(test: &TestRun, other: &TestRun) -> bool {
    test.id != other.id && if test.is_shared { is_torn_down(&test.id, &variable) } else { !other.is_shared }
}

/// Ends what is open of this cassette if it belongs to an earlier attempt at the test, because this attempt starts from
/// nothing. What the earlier attempt recorded is removed.
pub(super) fn begin_attempt(cassette: &Path, test: Option<&TestRun>) {
    let is_earlier = |of: &Option<TestRun>| {
        let (Some(earlier), Some(test)) = (of, test) else { return false };
        earlier.id == test.id && earlier.attempt < test.attempt
    };
    let recorder = {
        let mut recorders = RECORDERS.get().lock();
        let earlier = recorders.get(cassette).is_some_and(|open| is_earlier(&open.test));
        if earlier { recorders.remove(cassette) } else { None }
    };
    if let Some(open) = recorder {
        // What the failed attempt could not write is of no use any more.
        let _ = open.cassette.discard(None);
    }
    let is_replayed = PLAYERS.get().lock().get(cassette).is_some_and(|open| is_earlier(&open.test));
    if is_replayed {
        retire(cassette);
    }
}

/// Ends the cassettes of tests that are over and have no open connection, before one of another test is opened. This
/// keeps few files open in a process that runs thousands of tests.
pub(super) fn end_others(test: Option<&TestRun>) {
    let Some(test) = test else { return };
    let is_done = |of: &Option<TestRun>| of.as_ref().is_some_and(|of| is_over(of, test));
    let mut over: Vec<_> = {
        let recorders = RECORDERS.get().lock();
        let over = recorders.iter().filter(|(_, open)| is_done(&open.test) && open.cassette.is_idle());
        over.map(|(path, _)| path.clone()).collect()
    };
    {
        let players = PLAYERS.get().lock();
        let done = players.iter().filter(|(_, open)| is_done(&open.test) && open.cassette.is_idle());
        over.extend(done.map(|(path, _)| path.clone()));
    }
    over.iter().for_each(|path| retire(path));
}

/// Refuses the cassette of another test. Names are made so that no two tests share one, but somebody may have copied a
/// cassette, or two runners may name two tests alike.
pub(super) fn check(cassette: &Path, metadata: &Metadata, test: Option<&TestRun>) -> Result<(), String> {
    let (Some(test), Some(recorded)) = (test, &metadata.test) else { return Ok(()) };
    if test.id == *recorded {
        return Ok(());
    }
    Err(format!(
        "{} is the cassette of the test {recorded}, and this is {}: remove it if that test is gone, or name the cassettes of the \
         two in different directories",
        cassette.display(),
        test.id
    ))
}
