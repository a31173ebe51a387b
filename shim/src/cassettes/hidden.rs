//! What is hidden in cassettes: values that the rules name, and values that the process knows to be secret. The rules
//! are in the file that `SUPER8_CONFIG` names, else in `super8.yml` in the working directory, if that exists.

use super::ending::warn_at_end;
use super::registry::{RECORDERS, still_used};
use crate::config::settings::Settings;
use once_cell::sync::Lazy;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Once};
use super8_cassette::{Recorder, Redaction, SHORTEST_SECRET, Secrets};

/// The file that is read if none is named.
const USUAL: &str = "super8.yml";

/// Returns the rules; `None` if there is no file.
///
/// # Errors
/// The file cannot be read or understood.
pub(super) fn rules(settings: &Settings) -> Result<Option<Arc<Redaction>>, String> {
    let file = match &settings.config {
        Some(file) => file.as_path(),
        None if Path::new(USUAL).is_file() => Path::new(USUAL),
        None => return Ok(None),
    };
    let rules = Redaction::read(file, &|name| std::env::var(name).ok());
    rules.map(|rules| Some(Arc::new(rules))).map_err(|error| error.to_string())
}

/// Returns the rules for a cassette that was redacted with the rules of this fingerprint.
///
/// # Errors
/// There are no rules, or others.
pub(super) fn rules_like(settings: &Settings, recorded: &str) -> Result<Arc<Redaction>, String> {
    match rules(settings)? {
        Some(rules) if rules.fingerprint() == recorded => Ok(rules),
        found => Err(format!(
            "the cassette was redacted by rules and a key that are {}: set SUPER8_CONFIG to the file it was recorded with, \
             or record it again",
            if found.is_some() { "not these" } else { "not here" }
        )),
    }
}

static SECRETS: Lazy<Arc<Secrets>> = Lazy::new(Arc::default);

/// Returns what the process knows to be secret. A secret that one connection makes known is hidden in the cassettes of
/// all.
pub fn secrets() -> &'static Arc<Secrets> {
    &SECRETS
}

/// Looks for passwords that a connection has just made known in what every cassette of the process has recorded so far. A recording in
/// which one stands fails from then on, and says so itself.
pub fn look_for_secrets() {
    static LOOKED_FOR: AtomicUsize = AtomicUsize::new(0);
    let known = secrets().count();
    if LOOKED_FOR.swap(known, Ordering::Relaxed) == known {
        return;
    }
    // The map is not locked during the search.
    let open: Vec<Arc<Recorder>> = RECORDERS.get().lock().values().map(|open| Arc::clone(&open.cassette)).collect();
    for recorder in open.into_iter().chain(still_used().into_iter().map(|(_, recorder)| recorder)) {
        let _ = recorder.look_for_secrets();
    }
}

/// Warns, once, that a password is not hidden among data.
pub fn warn_of_short_password(log: Option<&Path>) {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        let text = format!(
            "super8: record: a password has less than {SHORTEST_SECRET} characters: it is hidden in connection strings, but \
             not among the data, where it may stand by chance; choose a longer one for recording"
        );
        warn_at_end(log, text);
    });
}
