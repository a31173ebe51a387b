//! Replay: every call is answered from the cassette; the real driver is never loaded.

mod connection;
mod defaults;
mod questions;
mod reading;
mod rows;
mod statement;

pub use connection::Connection;

use crate::diagnostics::{Diagnostic, Outcome, rc};
use crate::report::say;
use std::path::Path;
use super8_cassette::{CassetteError, Mismatch, Player};

/// A program that asks for something else than was recorded: the headline for the application, the report for people.
fn mismatch(mismatch: Mismatch) -> Outcome {
    if !mismatch.repeated {
        say(format_args!("{}", mismatch.report));
    }
    let record = Diagnostic { message: mismatch.headline, ..Diagnostic::new("HY000", "") };
    Outcome { rc: rc::ERROR, diagnostics: vec![record] }
}

/// A cassette that cannot be read here.
fn unreadable(error: CassetteError) -> Outcome {
    Outcome::error("HY000", format!("replay: {error}"))
}

/// Something the recording does not say.
fn not_recorded(what: &str) -> Outcome {
    Outcome::error(
        "HY000",
        format!("replay: {what} was not asked when the cassette was recorded, so there is no answer; record again"),
    )
}

/// At process exit: commands that were recorded and never played, unless a mismatch was reported before.
pub fn report_unplayed(directory: &Path, player: &Player) {
    const SHOWN: usize = 10;
    if player.failed() {
        return;
    }
    let unplayed = match player.unplayed() {
        Ok(unplayed) if unplayed.is_empty() => return,
        Ok(unplayed) => unplayed,
        Err(error) => return say(format_args!("super8: replay: {error}")),
    };
    let count = unplayed.len();
    let plural = if count == 1 { "command was" } else { "commands were" };
    let mut text = format!("super8: replay: {count} recorded {plural} never played in {}:", directory.display());
    for entry in unplayed.iter().take(SHOWN) {
        text.push_str(&format!("\n  commands.yml:{} {}", entry.line, entry.summary));
    }
    if count > SHOWN {
        text.push_str(&format!("\n  and {} more", count - SHOWN));
    }
    say(format_args!("{text}"));
}
