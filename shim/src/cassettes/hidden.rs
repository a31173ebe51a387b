//! What is hidden in cassettes: by rules, which stand in the file that `SUPER8_CONFIG` names, else in `super8.yml` in the working
//! directory, if there is one; and because the process knows that it is secret.

use super::ending::warn_at_end;
use crate::config::settings::Settings;
use once_cell::sync::Lazy;
use std::path::Path;
use std::sync::{Arc, Once};
use super8_cassette::{Redaction, SHORTEST_SECRET, Secrets};

/// The file that is read without being named.
const USUAL: &str = "super8.yml";

/// The rules; none if there is no file.
///
/// # Errors
/// A file that cannot be read, or says what cannot be understood.
pub(super) fn rules(settings: &Settings) -> Result<Option<Arc<Redaction>>, String> {
    let file = match &settings.config {
        Some(file) => file.as_path(),
        None if Path::new(USUAL).is_file() => Path::new(USUAL),
        None => return Ok(None),
    };
    let rules = Redaction::read(file, &|name| std::env::var(name).ok());
    rules.map(|rules| Some(Arc::new(rules))).map_err(|error| error.to_string())
}

/// The rules for a cassette that was redacted with those of this fingerprint.
///
/// # Errors
/// There are none, or others.
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

/// What the process knows to be secret: what one connection makes known is hidden in the cassettes of all.
pub fn secrets() -> &'static Arc<Secrets> {
    &SECRETS
}

/// Says once that a password stays in the clear where it stands among data.
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
