//! The verdict file: what became of this process's cassettes, for a program that watches over it (`super8 replay`).
//!
//! `SUPER8_VERDICT` names it. Every event is one JSON object on a line of its own, appended with one `write` at the moment
//! it happens, so that it stays whatever becomes of the process, and many processes may share the file.

use crate::config::settings::Setting;
use crate::handles;
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The file, as the last connect found it: a program may empty its environment before it ends.
static FILE: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Says where the events of this process go from now on.
pub fn goes_to(file: Option<&Path>) {
    if let Some(file) = file {
        *FILE.lock() = Some(std::path::absolute(file).unwrap_or_else(|_| file.to_owned()));
    }
}

/// Whether somebody reads the verdict: reports are then theirs to print.
pub fn is_watched() -> bool {
    file().is_some()
}

fn file() -> Option<PathBuf> {
    // At exit another thread may hold the lock, or have held it when this process was forked.
    let known = FILE.try_lock().and_then(|file| file.clone());
    let variable = || std::env::var_os(Setting::Verdict.row().variable).filter(|path| !path.is_empty());
    known.or_else(|| variable().map(PathBuf::from))
}

/// A cassette was opened, to be recorded or replayed.
pub fn opened(mode: &str, cassette: &Path, format: &str) {
    note("opened", json!({ "mode": mode, "cassette": text(cassette), "format": format }));
}

/// A program asked for something else than was recorded, or there is nothing to replay.
pub fn mismatch(cassette: &Path, headline: &str, report: &str, command: Option<usize>) {
    let mut event = json!({ "cassette": text(cassette), "headline": headline, "report": report });
    if let (Some(command), Value::Object(event)) = (command, &mut event) {
        event.insert("command".to_owned(), command.into());
    }
    note("mismatch", event);
}

/// Recorded commands were never played; each as file, line and summary.
pub fn unplayed(cassette: &Path, commands: &[String]) {
    note("unplayed", json!({ "cassette": text(cassette), "count": commands.len(), "commands": commands }));
}

/// A cassette could not be written.
pub fn unwritable(cassette: &Path, error: &str) {
    note("unwritable", json!({ "cassette": text(cassette), "error": error }));
}

/// A recording stands under its name, complete so far.
pub fn published(cassette: &Path) {
    note("published", json!({ "cassette": text(cassette) }));
}

/// The process ends in an orderly way. Handles that the application allocated and never freed are reported first.
pub fn closed() {
    if !is_watched() {
        return;
    }
    let (connections, statements, descriptors) = handles::alive();
    if connections + statements + descriptors > 0 {
        let counts = json!({ "connections": connections, "statements": statements, "descriptors": descriptors });
        note("leaked", counts);
    }
    note("closed", json!({}));
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// Appends an event. One that cannot be written is lost: there is no better place to say so.
fn note(event: &str, more: Value) {
    let Some(path) = file() else { return };
    let mut line = json!({ "event": event, "pid": std::process::id() });
    if let (Value::Object(line), Value::Object(more)) = (&mut line, more) {
        line.extend(more);
    }
    if let Ok(mut file) = OpenOptions::new().create(true).append(true).open(path) {
        let _ = file.write_all(format!("{line}\n").as_bytes());
    }
}
