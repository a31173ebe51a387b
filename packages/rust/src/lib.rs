//! Cassettes for tests under `cargo test` and `cargo nextest`. What a test asks of a database through ODBC is recorded
//! once, and replayed from then on without driver and database.
//!
//! ```no_run
//! use super8_test::{cassette, use_cassette};
//!
//! # fn price(of: &str) -> Option<i32> { None }
//! #[test]
//! fn price_of_pears() {
//!     use_cassette(cassette!(), || assert_eq!(price("pear"), Some(4)));
//! }
//! ```
//!
//! The tests have to run under `super8 run`, which puts super8 in front of every driver. `.cargo/config.toml` sets that
//! up for every way to start them:
//!
//! ```toml
//! [target.'cfg(unix)']
//! runner = "super8 run --cassettes cassettes --"
//! ```
//!
//! The cassettes of a process are a stack. So tests with cassettes take turns in one process, and a test without one
//! that connects meanwhile would be recorded into theirs: give each test that connects a cassette, or use nextest,
//! which runs each test in a process of its own.
//!
//! [`use_cassette`] panics, as an assertion does, if the cassette was not played as it was recorded.

mod library;

use library::{Failure, Return};
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The variable that overrides the mode of every [`Cassette`]: `SUPER8_TEST_MODE=record cargo test`.
pub const MODE: &str = "SUPER8_TEST_MODE";

/// A cassette for the connections that are made while [`use_cassette`] runs.
#[derive(Clone, Debug)]
#[must_use]
pub struct Cassette {
    directory: PathBuf,
    mode: String,
    options: String,
}

impl Cassette {
    /// Makes a cassette in this directory. A relative path is relative to the working directory, which is the package's
    /// under cargo.
    pub fn new(directory: impl AsRef<Path>) -> Cassette {
        Cassette { directory: directory.as_ref().to_owned(), mode: "once".to_owned(), options: String::new() }
    }

    /// Makes a cassette that is named after the path of a function. [`cassette!`] calls it.
    pub fn of_function(path: &str) -> Cassette {
        let parts = path.split("::").filter(|part| !part.starts_with('{'));
        Cassette::new(parts.fold(PathBuf::from("cassettes"), |directory, part| directory.join(part)))
    }

    /// Sets the mode: `once` (the default), `none` (or `replay`), `record` (or `all`, `rewrite`), or `off`.
    pub fn mode(self, mode: &str) -> Cassette {
        Cassette { mode: mode.to_owned(), ..self }
    }

    /// Adds one of super8's settings, as a keyword of a connection string without the prefix:
    /// `("Order", "connection")`.
    pub fn setting(mut self, name: &str, value: &str) -> Cassette {
        self.options += &format!("Super8{name}={{{}}};", value.replace('}', "}}"));
        self
    }
}

impl<P: AsRef<Path>> From<P> for Cassette {
    fn from(directory: P) -> Cassette {
        Cassette::new(directory)
    }
}

/// Makes a [`Cassette`] that is named after the enclosing function: `cassettes/CRATE/MODULE/FUNCTION`.
#[macro_export]
macro_rules! cassette {
    () => {{
        fn here() {}
        let path = ::std::any::type_name_of_val(&here);
        $crate::Cassette::of_function(path.strip_suffix("::here").unwrap_or(path))
    }};
}

/// The result of a test. A test that failed replaces no cassette.
pub trait Outcome {
    /// Whether the test failed.
    fn failed(&self) -> bool;
}

impl Outcome for () {
    fn failed(&self) -> bool {
        false
    }
}

impl<T, E> Outcome for Result<T, E> {
    fn failed(&self) -> bool {
        self.is_err()
    }
}

/// Runs a test, or a part of one, with a cassette. Connections that it makes are recorded or replayed.
///
/// If the body panics or returns an error, the recording goes to the directory `NAME.failed`, and the earlier cassette
/// stays.
///
/// # Panics
/// Panics with super8's report if the cassette was not played as it was recorded. Also panics if the cassette cannot be
/// inserted or the recording cannot be written.
pub fn use_cassette<R: Outcome>(cassette: impl Into<Cassette>, body: impl FnOnce() -> R) -> R {
    let inserted = Inserted::new(cassette.into()).unwrap_or_else(|error| panic!("{error}"));
    let outcome = body();
    match outcome.failed() {
        true => drop(inserted),
        false => inserted.eject().unwrap_or_else(|error| panic!("{error}")),
    }
    outcome
}

/// The thread that holds this lock may use cassettes, also one inside another. Other threads wait.
static TURN: Mutex<()> = Mutex::new(());

thread_local! {
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// A cassette in use. Dropping it discards it, unless it was ejected.
struct Inserted {
    name: String,
    ejected: bool,
    _turn: Option<MutexGuard<'static, ()>>,
}

impl Inserted {
    fn new(cassette: Cassette) -> Result<Inserted, Failure> {
        let library = library::loaded()?;
        let directory = std::path::absolute(&cassette.directory)
            .map_err(|error| Failure(format!("{}: {error}", cassette.directory.display())))?;
        let name = directory.display().to_string().replace('%', "%%");
        let mode = std::env::var(MODE).unwrap_or(cassette.mode);
        let mode = match mode.as_str() {
            "none" => "replay",
            "all" | "rewrite" => "record",
            mode => mode,
        };
        let turn = (DEPTH.get() == 0).then(|| TURN.lock().unwrap_or_else(PoisonError::into_inner));
        library.insert(&name, mode, &cassette.options)?;
        DEPTH.set(DEPTH.get() + 1);
        Ok(Inserted { name, ejected: false, _turn: turn })
    }

    /// Ejects it. Fails if it was not played as it was recorded, or could not be written.
    fn eject(mut self) -> Result<(), Failure> {
        self.ejected = true;
        match library::loaded()?.eject(&self.name) {
            (Return::Done | Return::Unused, _) => Ok(()),
            (Return::Unplayed | Return::Mismatch | Return::NotReplayed | Return::Error, report) => Err(Failure(report)),
        }
    }
}

impl Drop for Inserted {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
        if self.ejected {
            return;
        }
        if let Err(error) = library::loaded().and_then(|library| library.discard(&self.name)) {
            eprintln!("{error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cassette_has_the_name_of_its_function() {
        let expected = "cassettes/super8_test/tests/a_cassette_has_the_name_of_its_function";
        assert_eq!(cassette!().directory, Path::new(expected));
        let inside = || cassette!().directory;
        assert_eq!(inside(), Path::new(expected));
    }

    #[test]
    fn settings_are_keywords_of_a_connection_string() {
        let cassette = Cassette::new("a").setting("Order", "connection").setting("Log", "a}b");
        assert_eq!(cassette.options, "Super8Order={connection};Super8Log={a}}b};");
    }

    #[test]
    fn without_the_command_it_says_what_to_do() {
        let error = Inserted::new(Cassette::new("a")).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("super8 run --cassettes cassettes --"), "{error}");
    }
}
