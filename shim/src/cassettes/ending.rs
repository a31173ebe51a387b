//! Ends cassettes, whatever happens to the connections: at process exit, or when one can no longer be written.

use super::location::log_name;
use super::registry::{Open, PLAYERS, RECORDERS, still_used};
use crate::per_process::PerProcess;
use crate::report::{say, say_verdict};
use crate::verdict::{self, Delivery};
use parking_lot::Mutex;
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use super8_cassette::{CassetteError, Recorder, staging_directory};
use super8_matching::Player;

/// Makes process exit publish recordings and report unplayed commands.
pub(super) fn at_exit() {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| crate::exit::register(finish));
    crate::exit::watch_forks();
}

static ENDING: AtomicBool = AtomicBool::new(false);

/// Returns whether the process is ending and its cassettes were published. Other threads may go on until it is gone.
pub(super) fn is_ending() -> bool {
    ENDING.load(Ordering::Relaxed)
}

/// A notice for people, and whether a watching program already has it.
pub(super) struct Notice {
    log: Option<PathBuf>,
    text: String,
    delivery: Delivery,
}

impl Notice {
    fn say(&self) {
        say_verdict(self.log.as_deref(), format_args!("{}", self.text), self.delivery);
    }
}

/// The notices for the end of the process.
static LATER: PerProcess<Mutex<Vec<Notice>>> = PerProcess::new();

/// Keeps a notice for the end of the process.
pub(super) fn later(notice: Notice) {
    LATER.get().lock().push(notice);
}

/// Shows a notice for people at the end of the process. What is written while a test runs belongs to the test runner,
/// which may show it with another test, or not at all.
pub fn warn_at_end(log: Option<&Path>, text: String) {
    at_exit();
    later(Notice { log: log.map(Path::to_owned), text, delivery: Delivery::Unwatched });
}

fn finish() {
    if let Some(later) = LATER.get().try_lock() {
        later.iter().for_each(Notice::say);
    }
    let now = |notice: Notice| notice.say();
    // An application that exits in the middle of a call leaves a lock behind; then nothing safe can be done.
    ENDING.store(true, Ordering::Relaxed);
    if let Some(recorders) = RECORDERS.get().try_lock() {
        for (directory, open) in recorders.iter() {
            // Nobody will eject it any more.
            let released = if open.inserted { open.cassette.release() } else { Ok(()) };
            recorded(directory, open, released.and_then(|()| open.cassette.publish_at_end()), &now);
        }
    }
    for (directory, recorder) in still_used() {
        if recorder.publish_at_end().is_ok() {
            published(&directory, &recorder);
        }
    }
    if let Some(players) = PLAYERS.get().try_lock() {
        for (directory, open) in players.iter().filter(|(_, open)| open.meant) {
            replayed(directory, open, &now);
        }
    }
    verdict::closed();
}

/// Reports how a recording ended.
pub(super) fn recorded(
    directory: &Path,
    open: &Open<Recorder>,
    result: Result<(), CassetteError>,
    tell: &dyn Fn(Notice),
) {
    match result {
        Ok(()) => {
            published(directory, &open.cassette);
            super::parts::remove_stale(directory);
            not_kept(directory, open, tell);
        }
        Err(error) => {
            first_failure(directory, &error);
            let text = format!("super8: record: the cassette was not published: {error}");
            tell(Notice { log: open.log.clone(), text, delivery: Delivery::Unwatched });
        }
    }
}

/// Reports what a replay that has ended did not play.
pub(super) fn replayed(directory: &Path, open: &Open<Player>, tell: &dyn Fn(Notice)) {
    /// The most unplayed commands that are listed.
    const SHOWN: usize = 10;
    let part = part_played(directory, &open.cassette);
    match unplayed(&part, &open.cassette) {
        Some(unplayed) => {
            let delivery = verdict::unplayed(&part, &unplayed);
            let text = notice(&part, &unplayed, SHOWN);
            tell(Notice { log: open.log.clone(), text, delivery });
        }
        // At the end of the process, the verdict's last word says that.
        None if is_ending() || open.cassette.failed() => {}
        None => verdict::finished(directory, std::slice::from_ref(&part)),
    }
}

/// Notes in the verdict that a recording was published, unless somebody else is to do that.
pub fn published(cassette: &Path, recorder: &Recorder) {
    if !recorder.is_held() && !recorder.is_discarded() {
        verdict::published(cassette);
    }
}

/// Returns the part of a cassette that this process played, or the cassette.
pub(super) fn part_played(cassette: &Path, player: &Player) -> PathBuf {
    // Trouble with reading is reported with what was not played.
    let Ok(Some(part)) = player.decide_part() else { return cassette.to_owned() };
    verdict::took(cassette, part.name());
    part.name().to_owned()
}

/// Reports what was set by hand in the previous cassette and has no command in the new recording.
pub(super) fn not_kept(directory: &Path, open: &Open<Recorder>, tell: &dyn Fn(Notice)) {
    let volatile = "named volatile before, but not recorded again, so that nothing is named now";
    let texts = "written by hand into entries that were not recorded again as they were, so that it is gone";
    for (lost, what) in [(open.cassette.lost(), volatile), (open.cassette.lost_texts(), texts)] {
        if !lost.is_empty() {
            let text = format!("super8: record: {}: {what}:\n  {}", directory.display(), lost.join("\n  "));
            tell(Notice { log: open.log.clone(), text, delivery: Delivery::Unwatched });
        }
    }
}

/// Returns what was recorded and never played, one line each; `None` if there is nothing, or if a mismatch was reported
/// before.
pub(super) fn unplayed(directory: &Path, player: &Player) -> Option<Vec<String>> {
    if player.failed() {
        return None;
    }
    match player.unplayed() {
        Ok(unplayed) if unplayed.is_empty() => None,
        Ok(unplayed) => {
            let log = log_name(directory);
            Some(unplayed.iter().map(|entry| format!("{log}:{} {}", entry.line, entry.summary)).collect())
        }
        Err(error) => Some(vec![format!("{}: {error}", directory.display())]),
    }
}

/// Returns the list for people, with at most `shown` lines.
pub(super) fn notice(directory: &Path, unplayed: &[String], shown: usize) -> String {
    let count = unplayed.len();
    let plural = if count == 1 { "command was" } else { "commands were" };
    let mut text = format!("super8: replay: {count} recorded {plural} never played in {}:", directory.display());
    for line in unplayed.iter().take(shown) {
        text.push_str(&format!("\n  {line}"));
    }
    if count > shown {
        text.push_str(&format!("\n  and {} more", count - shown));
    }
    text
}

/// Notes that a recording cannot be written. With `aloud`, people are told as well; it is for places where no call can
/// fail with the error.
pub fn unwritable(error: &CassetteError, aloud: bool) {
    let found = RECORDERS.get().try_lock().and_then(|recorders| {
        let grows = |directory: &Path| error.file().starts_with(staging_directory(directory));
        let of_this = |directory: &Path| error.file().starts_with(directory) || grows(directory);
        let (directory, open) = recorders.iter().find(|(directory, _)| of_this(directory))?;
        Some((directory.clone(), open.log.clone()))
    });
    let (directory, log) = found.unwrap_or_else(|| (error.file().to_owned(), None));
    if first_failure(&directory, error) && aloud {
        say(log.as_deref(), format_args!("super8: record: the cassette cannot be written: {error}"));
    }
}

/// Notes the failure of a recording in the verdict, once. Every later call on it fails the same way.
fn first_failure(directory: &Path, error: &CassetteError) -> bool {
    static FAILED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
    let Some(mut failed) = FAILED.try_lock() else { return false };
    if failed.iter().any(|known| known == directory) {
        return false;
    }
    failed.push(directory.to_owned());
    verdict::unwritable(directory, &error.to_string());
    true
}
