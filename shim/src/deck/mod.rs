//! The deck: the one place that opens cassettes, one recorder or player per directory and process.
//!
//! Driver managers unload and reload drivers and pool connections, so nothing here depends on a closing call: what
//! is still open when the process ends is published (or reported as unplayed) then.

mod eject;
mod ending;
mod once;

pub use eject::{Ejected, eject, has_player, has_recorder, unplayed};
pub use ending::unwritable;

use crate::config::settings::{CommandOrder, Mode, Settings};
use crate::driver::{Kind, Library};
use crate::verdict;
use once_cell::sync::Lazy;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use super8_cassette::{DriverFacts, Metadata, Order, PlayOptions, Player, RecordOptions, Recorder};

static RECORDERS: Lazy<Mutex<HashMap<PathBuf, Open<Recorder>>>> = Lazy::new(Mutex::default);
static PLAYERS: Lazy<Mutex<HashMap<PathBuf, Open<Player>>>> = Lazy::new(Mutex::default);

/// An open cassette.
struct Open<T> {
    reel: Arc<T>,
    /// Where its reports go, if not to standard error.
    log: Option<PathBuf>,
    /// The driver that `metadata.yml` names, of a recording.
    driver: Option<DriverFacts>,
    /// The report of the first mismatch.
    report: Option<String>,
    /// The process that opened it: a forked child has it too, and is not to speak for it.
    process: u32,
}

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
            chosen.map_err(|error| unplayable(&directory, format!("once: {error}")))
        }
    }
}

/// The cassette's directory by a name that does not depend on the working directory of the moment.
pub fn absolute(settings: &Settings) -> PathBuf {
    let path = settings.cassette.clone().unwrap_or_default();
    std::path::absolute(&path).unwrap_or(path)
}

fn order(settings: &Settings) -> Option<Order> {
    settings.order.map(|order| match order {
        CommandOrder::Global => Order::Global,
        CommandOrder::Connection => Order::Connection,
    })
}

/// The recorder of the cassette these settings name, and the driver's facts if it is not the one in `metadata.yml`.
///
/// # Errors
/// The directory is not a cassette, is being recorded by another process, or cannot be written.
pub fn recorder(settings: &Settings, library: &Library) -> Result<(Arc<Recorder>, Option<DriverFacts>), DeckError> {
    ending::at_exit();
    let directory = absolute(settings);
    let facts = DriverFacts {
        library: file_name(library.path()),
        kind: if library.kind() == Kind::Unicode { "unicode" } else { "ansi" }.to_owned(),
    };
    let mut recorders = RECORDERS.lock();
    if let Some(open) = recorders.get(&directory) {
        let other = (open.driver.as_ref() != Some(&facts)).then_some(facts);
        return Ok((Arc::clone(&open.reel), other));
    }
    let manager = crate::driver::process::facts().manager.as_deref().map(file_name);
    let recorder = Recorder::open(RecordOptions {
        directory: directory.clone(),
        order: order(settings).unwrap_or_default(),
        inline_rows: settings.inline_rows,
        metadata: Metadata::now(Some(facts.clone()), manager),
        append: Some(crate::append::in_memory_map()),
    });
    let recorder = recorder.map_err(|error| {
        verdict::unwritable(&directory, &error.to_string());
        DeckError(format!("record: {error}"))
    })?;
    verdict::opened("record", &directory, "yaml");
    recorders.insert(directory, Open { driver: Some(facts), ..Open::now(&recorder, settings) });
    Ok((recorder, None))
}

/// The player of the cassette these settings name.
///
/// # Errors
/// There is no such cassette, or it is incomplete, newer than this version or unreadable.
pub fn player(settings: &Settings) -> Result<Arc<Player>, DeckError> {
    ending::at_exit();
    let directory = absolute(settings);
    let mut players = PLAYERS.lock();
    if let Some(open) = players.get(&directory) {
        return Ok(Arc::clone(&open.reel));
    }
    let usual = PlayOptions::default();
    let options = PlayOptions {
        order: order(settings),
        report: settings.log.as_ref().map(|log| log.display().to_string()),
        wait: settings.wait.unwrap_or(usual.wait),
    };
    let player = Player::open(&directory, options);
    let player = player.map_err(|error| unplayable(&directory, format!("replay: {error}")))?;
    verdict::opened("replay", &directory, "yaml");
    players.insert(directory, Open::now(&player, settings));
    Ok(player)
}

/// A connect that fails because there is nothing to replay is part of the verdict.
fn unplayable(directory: &Path, message: String) -> DeckError {
    verdict::mismatch(directory, &message, &message, None);
    DeckError(message)
}

/// Takes note of a replayed cassette's first mismatch; where its report goes, if not to standard error.
pub fn mismatched(cassette: &Path, report: &str) -> Option<PathBuf> {
    let mut players = PLAYERS.lock();
    let open = players.get_mut(cassette)?;
    open.report = Some(report.to_owned());
    open.log.clone()
}

impl<T> Open<T> {
    fn now(reel: &Arc<T>, settings: &Settings) -> Open<T> {
        Open {
            reel: Arc::clone(reel),
            log: settings.log.clone(),
            driver: None,
            report: None,
            process: std::process::id(),
        }
    }

    fn is_ours(&self) -> bool {
        self.process == std::process::id()
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}
