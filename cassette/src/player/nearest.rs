//! Finds where else the log has what was asked.

use super::compare::Comparison;
use super::index::Index;
use crate::store::Store;
use crate::{CassetteError, Entry, Method};

/// How many positions to look at before and after the place of a mismatch.
pub(super) const WINDOW: u32 = 2_000;
/// How many entries to read for it.
pub(super) const READ: usize = 1_000;

/// A recorded entry that is what was asked, except perhaps for the statement or connection.
#[derive(Debug)]
pub(super) struct Nearest {
    pub(super) position: u32,
    pub(super) entry: Entry,
}

/// Finds the nearest such entry: first after the place of the mismatch, and first on the same statement.
pub(super) fn nearest(
    index: &Index,
    storage: &dyn Store,
    asked: &Entry,
    from: u32,
    comparison: &Comparison,
) -> Result<Option<Nearest>, CassetteError> {
    let after = from..from.saturating_add(WINDOW).min(index.len());
    let before = (from.saturating_sub(WINDOW)..from.min(index.len())).rev();
    let (mut found, mut read): (Option<Nearest>, usize) = (None, 0);
    for position in after.chain(before) {
        let slot = index.slot(position);
        let same_place = index.ids(slot.connection(), slot.statement()) == (asked.connection, asked.statement);
        if asked.method.is_rows() && asked.method != Method::FetchScroll {
            // only the statement says which rows are asked for, and earlier rows were read
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
        let marked = comparison.marked(index, storage, position, entry.clone())?;
        if comparison.difference(&marked, asked).is_none() {
            found = Some(Nearest { position, entry });
            if same_place || asked.method == Method::Connect {
                break;
            }
        }
    }
    Ok(found)
}
