//! The verdict: what became of this process's cassettes, for a program that watches over it (`super8 replay`).
//!
//! `SUPER8_VERDICT` names a file. Every event is one JSON object on a line of its own, appended with one `write` when
//! it happens, so that it stays whatever happens to the process, and many processes can share the file.
//!
//! The watching program may hand down the open file as well, and say in `SUPER8_VERDICT_FD` which descriptor that is.
//! It serves a process that cannot open the path, because it has become another user or has another root directory. The
//! path serves a process that has closed its descriptors. A process that has neither writes to standard error.
//!
//! Under `super8 run` the same events are noted in its directory as well. Nobody waits for them: `super8 unused` and
//! the page of a folder read them when the run has ended.
#![allow(unsafe_code)]

use crate::config::settings::Setting;
use crate::config::variables::VERDICT_FD;
use crate::run::session;
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::mem::ManuallyDrop;
use std::os::fd::FromRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use super8_cassette::within_limit;
use super8_matching::FaultNews;

/// The file in the directory of `super8 run`.
pub const NOTED: &str = "noted";

/// The file as the last connect found it. A program may empty its environment before it ends.
static KNOWN: Mutex<Option<Channel>> = Mutex::new(None);
/// The process that said that it opened a cassette. A forked child has not said so.
static SPEAKER: AtomicU32 = AtomicU32::new(0);

/// The ways to the file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Channel {
    path: PathBuf,
    inherited: Option<Inherited>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Inherited {
    number: i32,
    device: u64,
    inode: u64,
}

/// Whether an event reached somebody who reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Delivery {
    /// Nobody watches this process.
    Unwatched,
    /// The event was written.
    Written,
    /// Somebody waits for the event and cannot be reached.
    Failed,
}

/// Sets where the events of this process go from now on.
pub fn goes_to(file: Option<&Path>) {
    if let Some(file) = file {
        let path = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        // A thread that holds the lock sets the same, or it held the lock when this process was forked.
        if let Some(mut known) = KNOWN.try_lock() {
            *known = Some(Channel { path, inherited: inherited() });
        }
    }
}

fn channel() -> Option<Channel> {
    // At exit another thread may hold the lock, or may have held it when this process was forked.
    let known = KNOWN.try_lock().and_then(|channel| channel.clone());
    known.or_else(|| {
        let path = std::env::var_os(Setting::Verdict.row().variable).filter(|path| !path.is_empty())?;
        Some(Channel { path: PathBuf::from(path), inherited: inherited() })
    })
}

fn inherited() -> Option<Inherited> {
    Inherited::parse(std::env::var(VERDICT_FD).ok()?.as_str())
}

impl Inherited {
    fn parse(text: &str) -> Option<Inherited> {
        let mut numbers = text.splitn(3, ':');
        let number = numbers.next()?.parse().ok().filter(|number| *number > 2)?;
        Some(Inherited { number, device: numbers.next()?.parse().ok()?, inode: numbers.next()?.parse().ok()? })
    }

    fn write(self, line: &[u8]) -> io::Result<()> {
        // SAFETY: the descriptor is borrowed for this call: it is never closed here, and a number that is not open is
        // an error of each call on it.
        let mut file = ManuallyDrop::new(unsafe { File::from_raw_fd(self.number) });
        let metadata = file.metadata()?;
        if (metadata.dev(), metadata.ino()) != (self.device, self.inode) {
            return Err(io::ErrorKind::NotFound.into());
        }
        within_limit(metadata.len() + line.len() as u64)?;
        file.write_all(line)
    }
}

impl Channel {
    fn write(&self, line: &[u8]) -> io::Result<()> {
        if self.inherited.is_some_and(|inherited| inherited.write(line).is_ok()) {
            return Ok(());
        }
        let mut file = OpenOptions::new().create(true).append(true).open(&self.path)?;
        within_limit(file.metadata()?.len() + line.len() as u64)?;
        file.write_all(line)
    }
}

/// Notes that a cassette was opened, to be recorded or replayed, at this attempt of its test.
pub fn opened(mode: &str, cassette: &Path, format: &str, attempt: u32) -> Delivery {
    SPEAKER.store(std::process::id(), Ordering::Relaxed);
    let mut event = json!({ "mode": mode, "cassette": text(cassette), "format": format });
    if let (true, Value::Object(event)) = (attempt > 1, &mut event) {
        event.insert("attempt".to_owned(), attempt.into());
    }
    say("opened", event)
}

/// Notes that a program asked for something else than was recorded, or that there is nothing to replay.
pub fn mismatch(cassette: &Path, headline: &str, report: &str, command: Option<usize>) -> Delivery {
    let mut event = json!({ "cassette": text(cassette), "headline": headline, "report": report });
    if let (Some(command), Value::Object(event)) = (command, &mut event) {
        event.insert("command".to_owned(), command.into());
    }
    say("mismatch", event)
}

/// Notes what happened with a command that is to fail once.
pub fn fault(cassette: &Path, news: &FaultNews) -> Delivery {
    let FaultNews { what, command, fault, text: said } = news;
    let event = json!({
        "cassette": text(cassette), "what": what.name(), "command": command, "fault": fault, "text": said,
    });
    say("fault", event)
}

/// Notes recorded commands that were never played, each as file, line and summary.
pub fn unplayed(cassette: &Path, commands: &[String]) -> Delivery {
    say("unplayed", json!({ "cassette": text(cassette), "count": commands.len(), "commands": commands }))
}

/// Notes that every command was played, of a replayed cassette or of each of these parts, one of which this process
/// plays. If the process ends without a further word, nothing was left. An empty list of parts takes back what was said
/// before.
pub fn finished(cassette: &Path, parts: &[PathBuf]) {
    let _ = say("finished", json!({ "cassette": text(cassette), "parts": texts(parts) }));
}

/// Notes that a replayed cassette has these parts, each of which one process plays.
pub fn parts(cassette: &Path, parts: &[PathBuf]) {
    let _ = say("parts", json!({ "cassette": text(cassette), "parts": texts(parts) }));
}

/// Notes that the process has played this part of a cassette.
pub fn took(cassette: &Path, part: &Path) {
    let _ = say("took", json!({ "cassette": text(cassette), "part": text(part) }));
}

/// Notes that, while others are recorded again, one of their connections is used for this cassette as well, or the
/// other way round.
pub fn shares(cassette: &Path) {
    let _ = say("shares", json!({ "cassette": text(cassette) }));
}

/// Notes that a cassette could not be written.
pub fn unwritable(cassette: &Path, error: &str) {
    let _ = say("unwritable", json!({ "cassette": text(cassette), "error": error }));
}

/// Notes that a recording has taken its cassette's place, complete so far.
pub fn published(cassette: &Path) {
    let _ = say("published", json!({ "cassette": text(cassette) }));
}

/// A function that counts the connections, statements and descriptors that the application allocated and did not free.
type CountHandles = fn() -> (usize, usize, usize);

static COUNT: OnceLock<CountHandles> = OnceLock::new();

/// Makes `count` count them when the process ends.
pub fn counts_handles(count: CountHandles) {
    let _ = COUNT.set(count);
}

/// Notes that the process ends in an orderly way. Handles that the application allocated and never freed are reported
/// first.
pub fn closed() {
    // A forked child does not speak for its parent.
    if (channel().is_none() && session().is_none()) || SPEAKER.load(Ordering::Relaxed) != std::process::id() {
        return;
    }
    let (connections, statements, descriptors) = COUNT.get().map_or((0, 0, 0), |count| count());
    if channel().is_some() && connections + statements + descriptors > 0 {
        let counts = json!({ "connections": connections, "statements": statements, "descriptors": descriptors });
        let _ = say("leaked", counts);
    }
    let _ = say("closed", json!({}));
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn texts(paths: &[PathBuf]) -> Vec<String> {
    paths.iter().map(|path| text(path)).collect()
}

/// Appends an event. If nobody can be reached, that is said on standard error, once.
fn say(event: &str, more: Value) -> Delivery {
    static SILENT: AtomicBool = AtomicBool::new(false);
    let (channel, session) = (channel(), session());
    if channel.is_none() && session.is_none() {
        return Delivery::Unwatched;
    }
    let mut line = json!({ "event": event, "pid": std::process::id() });
    if let (Value::Object(line), Value::Object(more)) = (&mut line, more) {
        line.extend(more);
    }
    let line = format!("{line}\n");
    if let Some(session) = session {
        // If that is not possible, less is known of the last run.
        let _ = Channel { path: session.join(NOTED), inherited: None }.write(line.as_bytes());
    }
    let Some(channel) = channel else { return Delivery::Unwatched };
    match channel.write(line.as_bytes()) {
        Ok(()) => Delivery::Written,
        Err(error) => {
            if !SILENT.swap(true, Ordering::Relaxed) {
                let _ = io::stderr().write_all(
                    format!(
                        "[super8] process {} cannot write to {}, which SUPER8_VERDICT names: {error}; its verdict is missing\n",
                        std::process::id(),
                        channel.path.display(),
                    )
                    .as_bytes(),
                );
            }
            Delivery::Failed
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;

    #[test]
    fn the_descriptor_serves_where_the_path_does_not_and_the_path_where_the_descriptor_is_another_file() {
        let directory = tempfile::tempdir().unwrap();
        let (path, other) = (directory.path().join("verdict"), directory.path().join("other"));
        let file = OpenOptions::new().create(true).append(true).open(&path).unwrap();
        let metadata = file.metadata().unwrap();
        let described = format!("{}:{}:{}", file.as_raw_fd(), metadata.dev(), metadata.ino());
        let inherited = Inherited::parse(&described);
        let gone = directory.path().join("none/verdict");
        Channel { path: gone.clone(), inherited }.write(b"by descriptor\n").unwrap();
        let foreign = File::create(&other).unwrap();
        let inherited = inherited.map(|known| Inherited { number: foreign.as_raw_fd(), ..known });
        Channel { path: path.clone(), inherited }.write(b"by path\n").unwrap();
        assert!(Channel { path: gone, inherited }.write(b"nowhere\n").is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "by descriptor\nby path\n");
        assert_eq!(std::fs::read_to_string(&other).unwrap(), "");
        for wrong in ["", "1:2:3", "7", "7:x:1", "-1:2:3"] {
            assert_eq!(Inherited::parse(wrong), None, "{wrong}");
        }
    }
}
