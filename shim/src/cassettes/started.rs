//! How the user started the program: by `super8 replay`, under a test framework's plugin, or directly with variables.
//! Advice names what can be changed there.

use super::hidden::secrets;
use crate::config::command;
use crate::config::redact::redact_assignments;
use crate::config::settings::Settings;
use std::path::Path;
use super8_cassette::{Order, shell};
use super8_matching::Started;

/// The advice for reports of a mismatch.
pub(super) const ADVICE: Started = Started { record_again, set_order };

/// Returns the words of the command that records again, if `super8` or a plugin handed them down.
fn handed_down() -> Option<Vec<String>> {
    let line = std::env::var(command::RECORD_AGAIN).ok().filter(|line| !line.is_empty())?;
    Some(line.split(command::SEPARATOR).map(str::to_owned).collect())
}

/// Returns the command line that the user gave, changed to record: the one that was handed down, else this process's
/// own with these variables. Known secrets are hidden in it.
fn record_again(variables: &str) -> String {
    let (before, words) = match handed_down() {
        Some(words) => (String::new(), words),
        None => {
            let own = command::arguments().into_iter().map(|word| word.to_string_lossy().into_owned());
            (format!("{variables} "), own.collect())
        }
    };
    let hidden = |word: &String| shell(&redact_assignments(&secrets().text(word), &[]));
    before + &words.iter().map(hidden).collect::<Vec<_>>().join(" ")
}

fn set_order(order: Order) -> String {
    let order = order.name();
    match handed_down() {
        Some(words) if is_wrapped(&words) => format!("give `super8 replay` the option --order {order}"),
        _ => format!("set SUPER8_ORDER={order}"),
    }
}

/// Returns whether the words are those of `super8 record`.
fn is_wrapped(words: &[String]) -> bool {
    let program = words.first().map(Path::new).and_then(Path::file_name);
    program.is_some_and(|name| name == "super8") && words.get(1).is_some_and(|verb| verb == "record")
}

/// Returns how to record a cassette that does not exist.
pub(super) fn advice_to_record(settings: &Settings) -> String {
    let name = settings.cassette.as_ref().map(|name| shell(&name.path.to_string_lossy())).unwrap_or_default();
    format!("; to record it: {}", record_again(&format!("SUPER8_MODE=record SUPER8_CASSETTE={name}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wrapper_is_told_from_plugins() {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert!(is_wrapped(&words("/usr/bin/super8 record tapes/x -- ./run")));
        assert!(is_wrapped(&words("super8 record --order any tapes/x -- ./run")));
        for other in ["pytest --super8=record t.py::test", "SUPER8_MODE=record rspec spec/x.rb:3", "super8"] {
            assert!(!is_wrapped(&words(other)), "{other}");
        }
    }
}
