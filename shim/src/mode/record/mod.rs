//! Record: every call goes to the real driver; what was asked and what came of it goes to the cassette.

use crate::call::DriverCall;
use crate::diagnostics::{Outcome, rc};
use crate::entry::answered;
use super8_cassette::CassetteError;

mod asked;
mod column_metadata;
mod column_set;
mod connection;
mod descriptor;
mod ending;
mod execution;
mod known_types;
mod lent;
mod local_outcomes;
mod nulls;
mod polled;
mod positioned;
mod questions;
mod reading;
mod rows;
mod scroll;
mod statement;
mod streaming;
mod truncations;

pub use connection::{Connect, Connection};

/// Does the driver call and reads what the driver has to say about it.
fn perform(driver_call: &dyn DriverCall) -> Outcome {
    performed(driver_call.invoke(), driver_call)
}

/// What came of a driver call that was just done: its return code, and what the driver has to say about it.
fn performed(code: Option<i16>, driver_call: &dyn DriverCall) -> Outcome {
    match answered(code) {
        Err(outcome) => outcome,
        Ok(rc @ (rc::SUCCESS | rc::INVALID_HANDLE)) => Outcome::of(rc),
        Ok(rc) => Outcome { rc, diagnostics: driver_call.diagnostics() },
    }
}

/// A cassette that cannot be written fails the call at hand: it must never be silently incomplete.
pub fn unwritable(error: CassetteError) -> Outcome {
    crate::cassettes::unwritable(&error, false);
    Outcome::error("HY000", format!("record: the cassette cannot be written: {error}"))
}
