//! The redaction rules that hold for a cassette: the file that `SUPER8_CONFIG` names, else `super8.yml` in the working
//! directory, if there is one.

use crate::config::settings::Settings;
use std::path::Path;
use std::sync::Arc;
use super8_cassette::Redaction;

/// The file that is read without being named.
const USUAL: &str = "super8.yml";

/// The rules; none if there is no file.
///
/// # Errors
/// A file that cannot be read, or says what cannot be understood.
pub(super) fn of(settings: &Settings) -> Result<Option<Arc<Redaction>>, String> {
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
pub(super) fn like(settings: &Settings, recorded: &str) -> Result<Arc<Redaction>, String> {
    match of(settings)? {
        Some(rules) if rules.fingerprint() == recorded => Ok(rules),
        found => Err(format!(
            "the cassette was redacted by rules and a key that are {}: set SUPER8_CONFIG to the file it was recorded with, \
             or record it again",
            if found.is_some() { "not these" } else { "not here" }
        )),
    }
}
