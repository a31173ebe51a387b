//! Record: every call goes to the real driver; what was asked and what came of it goes to the cassette.

mod asked;
mod connection;
mod cuts;
mod descriptor;
mod done;
mod ending;
mod execution;
mod learned;
mod local_key;
mod parameters;
mod polled;
mod positioned;
mod questions;
mod reading;
mod rows;
mod scroll;
mod secrecy;
mod statement;
mod streaming;
mod told;
mod usual;

pub use connection::{Connect, Connection, attribute_value, reaches_database};
pub(in crate::mode) use connection::{allocate_key, attribute_key, disconnect_key};
pub(in crate::mode) use descriptor::keeps_buffer_key;
pub(in crate::mode) use ending::ending_key;
pub(in crate::mode) use execution::{at_once_key, need_data_key, put_data_key, token_key};
pub(in crate::mode) use local_key::{LocalKey, address_key, function_key, local_key};
pub use parameters::{Parameters, Watch};
pub(in crate::mode) use rows::{columns_key, place_key};
pub use secrecy::Secrecy;

use crate::call::Deed;
use crate::diagnostics::{Outcome, rc};
use crate::entry_missing;
use crate::table::Function;
use super8_cassette::CassetteError;

/// Does the deed and reads what the driver has to say about it.
fn perform(function: Function, deed: &dyn Deed) -> Outcome {
    performed(function, deed.perform(), deed)
}

/// What came of a deed that was just done: its return code, and what the driver has to say about it.
fn performed(function: Function, code: Option<i16>, deed: &dyn Deed) -> Outcome {
    match code {
        None => entry_missing(function),
        Some(rc @ (rc::SUCCESS | rc::INVALID_HANDLE)) => Outcome::of(rc),
        Some(rc) => Outcome { rc, diagnostics: deed.diagnostics() },
    }
}

/// A cassette that cannot be written fails the call at hand: it must never be silently incomplete.
fn unwritable(error: CassetteError) -> Outcome {
    crate::deck::unwritable(&error, false);
    Outcome::error("HY000", format!("record: the cassette cannot be written: {error}"))
}

/// What cannot be recorded yet fails while recording, before anything reaches the database.
pub(in crate::mode) fn not_yet(what: &str) -> Outcome {
    Outcome::error("HYC00", format!("{what} cannot be recorded or replayed yet; use SUPER8_MODE=off for this program"))
}
