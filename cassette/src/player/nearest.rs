//! Where else in the log there is what was asked, and whether the other order would have taken it.

use super::compare::difference;
use super::index::Index;
use super::lane::Lane;
use super::rows::is_end;
use crate::entry::Class;
use crate::storage::Cassette;
use crate::{CassetteError, Entry, Method};

/// Positions looked at before and after the place of a mismatch.
const WINDOW: u32 = 2_000;
/// Entries read for it.
const READ: usize = 1_000;

/// A recorded entry that is what was asked, except perhaps for the statement or connection.
#[derive(Debug)]
pub(super) struct Nearest {
    pub(super) position: u32,
    pub(super) entry: Entry,
}

/// The nearest such entry: after the place of the mismatch first, and on the same statement first.
pub(super) fn nearest(
    index: &Index,
    storage: &dyn Cassette,
    asked: &Entry,
    from: u32,
) -> Result<Option<Nearest>, CassetteError> {
    let after = from..from.saturating_add(WINDOW).min(index.len());
    let before = (from.saturating_sub(WINDOW)..from.min(index.len())).rev();
    let (mut found, mut read): (Option<Nearest>, usize) = (None, 0);
    for position in after.chain(before) {
        let slot = index.slot(position);
        let same_place = (slot.connection(), slot.statement()) == (asked.connection, asked.statement);
        if asked.method.is_rows() && asked.method != Method::FetchScroll {
            // only the statement says which rows are asked for; those behind were read
            if slot.method.is_rows() && same_place && position >= from {
                return Ok(Some(Nearest { position, entry: crate::sets::entry(storage, slot.place())? }));
            }
            continue;
        }
        if slot.method != asked.method || (found.is_some() && !same_place) {
            continue;
        }
        read += 1;
        if read > READ {
            break;
        }
        let entry = crate::sets::entry(storage, slot.place())?;
        if difference(&entry, asked).is_none() {
            found = Some(Nearest { position, entry });
            if same_place || asked.method == Method::Connect {
                break;
            }
        }
    }
    Ok(found)
}

/// Whether the asked command is the next one of its own connection.
pub(super) fn would_pass_by_connection(
    index: &Index,
    storage: &dyn Cassette,
    lane: &Lane,
    asked: &Entry,
) -> Result<bool, CassetteError> {
    let mut read = 0;
    for position in lane.rest(index).take(10 * WINDOW as usize) {
        let slot = index.slot(position);
        let theirs = match asked.method {
            Method::Connect => slot.method == Method::Connect,
            _ => slot.connection() == asked.connection,
        };
        if !theirs || slot.method.class() != Class::Command || lane.passed(index, position) {
            continue;
        }
        if asked.method.is_rows() {
            // rows of other statements may be read meanwhile
            match slot.method.is_rows() {
                true if slot.statement() == asked.statement => return Ok(true),
                true => continue,
                false => return Ok(false),
            }
        }
        let entry = crate::sets::entry(storage, slot.place())?;
        if is_end(&entry) {
            continue;
        }
        let same_place = asked.method == Method::Connect || slot.statement() == asked.statement;
        if slot.method == asked.method && same_place && difference(&entry, asked).is_none() {
            return Ok(true);
        }
        read += 1;
        if asked.method != Method::Connect || read > READ {
            return Ok(false);
        }
    }
    Ok(false)
}
