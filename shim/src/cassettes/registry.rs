//! The open cassettes of this process.

use crate::config::settings::{Settings, TestRun};
use crate::per_process::PerProcess;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use super8_cassette::{DriverFacts, Recorder};
use super8_matching::Player;

/// The open cassettes of a process, by their directories or files.
pub(super) type Cassettes<T> = PerProcess<Mutex<HashMap<PathBuf, Open<T>>>>;

pub(super) static RECORDERS: Cassettes<Recorder> = PerProcess::new();
pub(super) static PLAYERS: Cassettes<Player> = PerProcess::new();

/// Recorders that were ejected while a connection was open. What the connection still does is published at exit.
pub(super) static EJECTED: PerProcess<Mutex<Vec<EjectedRecorder>>> = PerProcess::new();

/// A cassette and its recorder.
pub(super) type EjectedRecorder = (PathBuf, Weak<Recorder>);

/// An open cassette: its recorder or its player.
pub(super) struct Open<T> {
    pub(super) cassette: Arc<T>,
    /// Where its reports go, if not to standard error.
    pub(super) log: Option<PathBuf>,
    /// The driver that `metadata.yml` names, for a recording.
    pub(super) driver: Option<DriverFacts>,
    /// The report of the first mismatch.
    pub(super) report: Option<String>,
    /// The test that the cassette is named after.
    pub(super) test: Option<TestRun>,
    /// Whether a test framework inserted it. Then the recording takes the cassette's place when it is ejected.
    pub(super) inserted: bool,
    /// Whether somebody connects to it. A question about the environment alone plays nothing and leaves nothing
    /// unplayed.
    pub(super) meant: bool,
}

impl<T> Open<T> {
    pub(super) fn now(cassette: &Arc<T>, settings: &Settings) -> Open<T> {
        Open {
            cassette: Arc::clone(cassette),
            log: settings.log.clone(),
            driver: None,
            report: None,
            test: settings.test().cloned(),
            inserted: false,
            meant: false,
        }
    }
}

/// Returns whether a recorder is still in the registry.
pub fn has_recorder(recorder: &Arc<Recorder>) -> bool {
    RECORDERS.get().lock().values().any(|open| Arc::ptr_eq(&open.cassette, recorder))
}

/// Returns whether a player is still in the registry.
pub fn has_player(player: &Arc<Player>) -> bool {
    PLAYERS.get().lock().values().any(|open| Arc::ptr_eq(&open.cassette, player))
}

/// Returns the ejected recorders that connections still use.
pub(super) fn still_used() -> Vec<(PathBuf, Arc<Recorder>)> {
    let Some(ejected) = EJECTED.get().try_lock() else { return Vec::new() };
    ejected.iter().filter_map(|(directory, recorder)| Some((directory.clone(), recorder.upgrade()?))).collect()
}
