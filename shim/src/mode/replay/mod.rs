//! Replay: every call is answered from the cassette; the real driver is never loaded.

use crate::diagnostics::{Diagnostic, Outcome, rc};
use crate::report::say_verdict;
use crate::{cassettes, verdict};
use super8_cassette::Mismatch;

mod connection;
mod counters;
mod defaults;
mod descriptor;
mod ending;
mod execution;
mod polled;
mod positioned;
mod questions;
mod reading;
mod rows;
mod scroll;
mod statement;
mod streaming;

pub use connection::Connection;

/// A program that asks for something else than was recorded: the headline for the application, the report for people.
fn mismatch(mismatch: Mismatch) -> Outcome {
    if !mismatch.repeated {
        let Mismatch { cassette, headline, report, command, .. } = &mismatch;
        let delivery = verdict::mismatch(cassette, headline, report, *command);
        say_verdict(cassettes::mismatched(cassette, report).as_deref(), format_args!("{report}"), delivery);
    }
    let record = Diagnostic { message: mismatch.headline, ..Diagnostic::new("HY000", "") };
    Outcome { rc: rc::ERROR, diagnostics: vec![record] }
}

/// Something the recording does not say.
fn not_recorded(what: &str) -> Outcome {
    Outcome::error(
        "HY000",
        format!("replay: {what} was not asked when the cassette was recorded, so there is no answer; record again"),
    )
}
