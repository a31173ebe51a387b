//! Record: every call goes to the real driver; what was asked and what came of it goes to the cassette.

mod asked;
mod connection;
mod cuts;
mod descriptor;
mod done;
mod ending;
mod execution;
mod learned;
mod lent;
mod nulls;
mod polled;
mod positioned;
mod questions;
mod reading;
mod rows;
mod scroll;
mod statement;
mod streaming;
mod told;
mod usual;

pub use connection::{Connect, Connection};

use crate::call::Deed;
use crate::diagnostics::{Outcome, rc};
use crate::entry::answered;
use super8_cassette::CassetteError;

/// Does the deed and reads what the driver has to say about it.
fn perform(deed: &dyn Deed) -> Outcome {
    performed(deed.perform(), deed)
}

/// What came of a deed that was just done: its return code, and what the driver has to say about it.
fn performed(code: Option<i16>, deed: &dyn Deed) -> Outcome {
    match answered(code) {
        Err(outcome) => outcome,
        Ok(rc @ (rc::SUCCESS | rc::INVALID_HANDLE)) => Outcome::of(rc),
        Ok(rc) => Outcome { rc, diagnostics: deed.diagnostics() },
    }
}

/// A cassette that cannot be written fails the call at hand: it must never be silently incomplete.
pub fn unwritable(error: CassetteError) -> Outcome {
    crate::deck::unwritable(&error, false);
    Outcome::error("HY000", format!("record: the cassette cannot be written: {error}"))
}
