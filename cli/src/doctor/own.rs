//! super8 itself: its libraries, its settings, the cassette they name.

use super::Chapter;
use crate::binary::{self, Binary};
use crate::exit::Failure;
use crate::libraries::{Libraries, VARIABLE};
use std::path::Path;
use super8_cassette::{Format, State, state};
use super8_shim::config::settings::{Mode, Settings};
use super8_shim::deck::{self, Action};
use super8_shim::driver::Kind;

/// The two libraries.
pub fn libraries(libraries: Result<&Libraries, &Failure>) -> Chapter {
    let mut chapter = Chapter::new(format!("super8 {}", env!("CARGO_PKG_VERSION")));
    let libraries = match libraries {
        Ok(libraries) => libraries,
        Err(failure) => {
            let advice = format!("put libsuper8.so and libsuper8a.so beside the command, or set {VARIABLE}");
            chapter.bad(failure.to_string(), advice);
            return chapter;
        }
    };
    for kind in [Kind::Unicode, Kind::Ansi] {
        let path = libraries.of(kind);
        let shown = path.display();
        match binary::read(&path) {
            Ok(Binary::Super8(found)) if found == kind => chapter.good(format!("{shown}: for {kind} drivers")),
            Ok(Binary::Foreign) => {
                chapter.bad(format!("{shown} is for another processor"), "install the build for this machine");
            }
            Ok(_) => chapter.bad(format!("{shown} is not the {kind} build"), "install super8 again"),
            Err(error) => chapter.bad(format!("{shown}: {error}"), "install super8 again"),
        }
    }
    chapter
}

/// What the environment says.
pub fn settings() -> Chapter {
    let mut chapter = Chapter::new("Settings of this environment");
    let mut given: Vec<(String, String)> = std::env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
        .filter(|(name, _)| name.starts_with("SUPER8_"))
        .collect();
    given.sort();
    for (name, value) in given {
        chapter.note(format!("{name}={value}"));
    }
    let settings = match Settings::from_env() {
        Ok(settings) => settings,
        Err(error) => {
            chapter.bad(error.to_string(), "correct the environment: every connect fails with this message");
            return chapter;
        }
    };
    match settings.mode {
        Mode::Off => {
            chapter.note("mode off: a connect through super8 goes on to the real driver, and nothing is recorded")
        }
        mode => chapter.note(format!("mode {}", format!("{mode:?}").to_lowercase())),
    }
    let Some(cassette) = settings.cassette.as_ref().filter(|_| settings.mode != Mode::Off) else { return chapter };
    let action = if settings.mode == Mode::Record { Action::Record } else { Action::Replay };
    let named = deck::path(&settings, action).unwrap_or_else(|| cassette.clone());
    if !named.exists() && Format::of(cassette) == Some(Format::Ndjson) {
        let (directory, trace) = (cassette.display(), named.file_stem().unwrap_or_default().display());
        chapter
            .note(format!("{directory} has traces, none named {trace}: SUPER8_TRACE_ID or a statement names another"));
        return chapter;
    }
    let cassette = named;
    let shown = cassette.display();
    match (state(&cassette), settings.mode) {
        (Ok(State::Complete), _) => chapter.good(format!("{shown} is a complete cassette")),
        (Ok(State::Absent), Mode::Replay) => {
            chapter.bad(format!("{shown} is not there"), format!("record it: super8 record {shown} -- COMMAND"));
        }
        (Ok(State::Absent), _) => match unwritable(&cassette) {
            None => chapter.note(format!("{shown} is not there yet")),
            Some(why) => {
                chapter.bad(format!("{shown} cannot be recorded: {why}"), "name another directory, or make it writable")
            }
        },
        (Ok(State::Incomplete { directory, .. }), _) => chapter.bad(
            format!("{shown} is incomplete: its recording did not end cleanly ({})", directory.display()),
            format!("record it again, or keep what there is: super8 recover {shown}"),
        ),
        (Err(error), _) => chapter.bad(error.to_string(), "correct SUPER8_CASSETTE"),
    }
    chapter
}

/// Why nothing can be written at a path, if nothing can.
fn unwritable(path: &Path) -> Option<String> {
    let path = std::path::absolute(path).ok()?;
    // What is missing is made.
    let there = path.ancestors().skip(1).find(|ancestor| ancestor.exists())?;
    if !there.is_dir() {
        return Some(format!("{} is no directory", there.display()));
    }
    let refused = rustix::fs::access(there, rustix::fs::Access::WRITE_OK).err()?;
    Some(format!("{}: {refused}", there.display()))
}
