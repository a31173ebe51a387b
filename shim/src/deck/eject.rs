//! Taking a cassette out while the process goes on: a recording is published, a replay asked what it did not play.

use super::{PLAYERS, RECORDERS, ending};
use crate::verdict;
use parking_lot::Mutex;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use super8_cassette::{CassetteError, Player, Recorder};

/// Recorders that were ejected while a connection was open: what it still does is published at exit.
static EJECTED: Mutex<Vec<(PathBuf, Weak<Recorder>)>> = Mutex::new(Vec::new());

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

/// Takes the cassette in `directory` out of the deck: a connect that names it again begins anew. Connections that are
/// still open keep what they have.
pub fn eject(directory: &Path) -> Ejected {
    let recorder = RECORDERS.lock().remove(directory);
    if let Some(open) = recorder {
        if let Err(error) = open.reel.publish() {
            verdict::unwritable(directory, &error.to_string());
            return Ejected::Failed(format!("record: the cassette was not published: {error}"));
        }
        verdict::published(directory);
        EJECTED.lock().push((directory.to_owned(), Arc::downgrade(&open.reel)));
    }
    let player = PLAYERS.lock().remove(directory);
    let Some(open) = player else { return Ejected::Well };
    if let Some(report) = open.report {
        return Ejected::Mismatch(report);
    }
    match ending::unplayed(directory, &open.reel) {
        None => Ejected::Well,
        Some(unplayed) => {
            verdict::unplayed(directory, &unplayed);
            Ejected::Unplayed(unplayed.len(), ending::notice(directory, &unplayed, usize::MAX))
        }
    }
}

/// How many recorded commands of an open cassette were not played so far; `None` if none is replayed there.
///
/// # Errors
/// An unreadable entry.
pub fn unplayed(directory: &Path) -> Option<Result<usize, CassetteError>> {
    let player = PLAYERS.lock().get(directory).map(|open| Arc::clone(&open.reel));
    player.map(|player| player.unplayed().map(|unplayed| unplayed.len()))
}

/// Whether a recorder is still the deck's.
pub fn has_recorder(recorder: &Arc<Recorder>) -> bool {
    RECORDERS.lock().values().any(|open| Arc::ptr_eq(&open.reel, recorder))
}

/// Whether a player is still the deck's.
pub fn has_player(player: &Arc<Player>) -> bool {
    PLAYERS.lock().values().any(|open| Arc::ptr_eq(&open.reel, player))
}

/// The ejected recorders that connections still use.
pub(super) fn still_used() -> Vec<(PathBuf, Arc<Recorder>)> {
    let Some(ejected) = EJECTED.try_lock() else { return Vec::new() };
    ejected.iter().filter_map(|(directory, recorder)| Some((directory.clone(), recorder.upgrade()?))).collect()
}
