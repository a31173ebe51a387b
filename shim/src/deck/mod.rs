//! The deck: the one place that opens cassettes, one recorder or player per directory and process.
//!
//! Driver managers unload and reload drivers and pool connections, so nothing here depends on a closing call: what
//! is still open when the process ends is published (or reported as unplayed) then.

mod once;

use crate::config::settings::{CommandOrder, Mode, Settings};
use crate::driver::{Kind, Library};
use crate::report::say;
use once_cell::sync::Lazy;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Once};
use super8_cassette::{CassetteError, DriverFacts, Metadata, Order, PlayOptions, Player, RecordOptions, Recorder};

static RECORDERS: Lazy<Mutex<HashMap<PathBuf, Arc<Recorder>>>> = Lazy::new(Mutex::default);
static PLAYERS: Lazy<Mutex<HashMap<PathBuf, Arc<Player>>>> = Lazy::new(Mutex::default);

/// What is done on a connection: the mode, after `once` has looked at the cassette.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Calls are forwarded.
    Forward,
    /// Calls are forwarded and recorded.
    Record,
    /// Calls are answered from the cassette.
    Replay,
}

/// Why there is no cassette for a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeckError(String);

impl fmt::Display for DeckError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl DeckError {
    fn new(verb: &str, error: impl fmt::Display) -> DeckError {
        DeckError(format!("{verb}: {error}"))
    }
}

/// What these settings lead to.
///
/// # Errors
/// `once` and a cassette that is neither absent nor complete, or absent where nothing may be recorded.
pub fn action(settings: &Settings) -> Result<Action, DeckError> {
    match settings.mode {
        Mode::Off => Ok(Action::Forward),
        Mode::Record => Ok(Action::Record),
        Mode::Replay => Ok(Action::Replay),
        Mode::Once => {
            let directory = absolute(settings);
            // What this process began with, it goes on with: its own recording is complete after each disconnect.
            if RECORDERS.lock().contains_key(&directory) {
                return Ok(Action::Record);
            }
            if PLAYERS.lock().contains_key(&directory) {
                return Ok(Action::Replay);
            }
            let shown = settings.cassette.as_deref().unwrap_or(&directory);
            let chosen = once::choose(&directory, shown, &|name| std::env::var_os(name));
            chosen.map_err(|error| DeckError::new("once", error))
        }
    }
}

/// The directory by a name that does not depend on the working directory of the moment.
fn absolute(settings: &Settings) -> PathBuf {
    let path = settings.cassette.clone().unwrap_or_default();
    std::path::absolute(&path).unwrap_or(path)
}

fn order(settings: &Settings) -> Option<Order> {
    settings.order.map(|order| match order {
        CommandOrder::Global => Order::Global,
        CommandOrder::Connection => Order::Connection,
    })
}

/// The recorder of the cassette these settings name.
///
/// # Errors
/// The directory is not a cassette, is being recorded by another process, or cannot be written.
pub fn recorder(settings: &Settings, library: &Library) -> Result<Arc<Recorder>, DeckError> {
    at_exit();
    let directory = absolute(settings);
    let mut recorders = RECORDERS.lock();
    if let Some(recorder) = recorders.get(&directory) {
        return Ok(Arc::clone(recorder));
    }
    let facts = DriverFacts {
        library: file_name(library.path()),
        kind: if library.kind() == Kind::Unicode { "unicode" } else { "ansi" }.to_owned(),
    };
    let manager = crate::driver::process::facts().manager.as_deref().map(file_name);
    let recorder = Recorder::open(RecordOptions {
        directory: directory.clone(),
        order: order(settings).unwrap_or_default(),
        inline_rows: settings.inline_rows,
        metadata: Metadata::now(Some(facts), manager),
        append: Some(crate::append::in_memory_map()),
    });
    let recorder = recorder.map_err(|error| DeckError::new("record", error))?;
    recorders.insert(directory, Arc::clone(&recorder));
    Ok(recorder)
}

/// The player of the cassette these settings name.
///
/// # Errors
/// There is no such cassette, or it is incomplete, newer than this version or unreadable.
pub fn player(settings: &Settings) -> Result<Arc<Player>, DeckError> {
    at_exit();
    let directory = absolute(settings);
    let mut players = PLAYERS.lock();
    if let Some(player) = players.get(&directory) {
        return Ok(Arc::clone(player));
    }
    let player = Player::open(PlayOptions {
        directory: directory.clone(),
        order: order(settings),
        report: settings.log.as_ref().map(|log| log.display().to_string()),
    });
    let player = player.map_err(|error: CassetteError| DeckError::new("replay", error))?;
    players.insert(directory, Arc::clone(&player));
    Ok(player)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// At process exit: publish recordings, report what was never played.
fn at_exit() {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| crate::exit::register(finish));
}

fn finish() {
    // An application that exits in the middle of a call leaves a lock behind; then there is nothing safe to do.
    if let Some(recorders) = RECORDERS.try_lock() {
        for recorder in recorders.values() {
            if let Err(error) = recorder.publish() {
                say(format_args!("super8: record: the cassette was not published: {error}"));
            }
        }
    }
    if let Some(players) = PLAYERS.try_lock() {
        for (directory, player) in players.iter() {
            crate::mode::replay::report_unplayed(directory, player);
        }
    }
}
