//! What a driver makes of a rowset as a whole: the counter of fetched rows and the row states.

use super::fetching::{Fetching, UNWRITTEN_ROWS, UNWRITTEN_STATUS};
use crate::diagnostics::rc;
use super8_cassette::Value;

/// Row states (SQL_ROW_...).
#[allow(missing_docs)]
pub mod row_state {
    pub const SUCCESS: u16 = 0;
    pub const DELETED: u16 = 1;
    pub const NOROW: u16 = 3;
    pub const ERROR: u16 = 5;
    pub const SUCCESS_WITH_INFO: u16 = 6;

    /// Whether the bound buffers have the row. If not, a driver may have written to some of them nevertheless.
    pub fn has_cells(status: u16) -> bool {
        !matches!(status, DELETED | NOROW | ERROR)
    }
}

/// Counter and states before a scroll, marked to see what the driver writes.
pub struct Marked {
    rows: Option<usize>,
    status: Vec<u16>,
}

/// What the driver wrote. A place it left alone, or that the application did not give, is `None`.
pub struct Written {
    /// The number of rows.
    pub rows: Option<usize>,
    /// The state of each row; empty where there is no place for them.
    pub status: Vec<Option<u16>>,
}

impl Fetching {
    /// Marks the counter and all states.
    pub fn mark(&self) -> Marked {
        let status: Vec<u16> = (0..self.size).map_while(|row| self.status.u16_at(row)).collect();
        (0..status.len()).for_each(|row| self.status.set_u16_at(row, UNWRITTEN_STATUS));
        let rows = self.rows.ulen_at(0);
        self.rows.set_ulen(UNWRITTEN_ROWS);
        Marked { rows, status }
    }

    /// What the driver wrote; what it left alone gets its old value back.
    pub fn harvest(&self, marked: Marked) -> Written {
        let rows = self.rows.ulen_at(0).filter(|rows| *rows != UNWRITTEN_ROWS);
        if let (None, Some(old)) = (rows, marked.rows) {
            self.rows.set_ulen(old);
        }
        let state = |(row, old): (usize, &u16)| match self.status.u16_at(row) {
            Some(UNWRITTEN_STATUS) | None => {
                self.status.set_u16_at(row, *old);
                None
            }
            written => written,
        };
        Written { rows, status: marked.status.iter().enumerate().map(state).collect() }
    }

    /// Writes counter and states of a scroll: the usual ones for this outcome and so many rows, unless the recording has
    /// others.
    pub fn replay(&self, code: i16, count: usize, rows: Option<&Value>, status: Option<&Value>) {
        match rows {
            Some(told) => told.as_int().into_iter().for_each(|rows| self.rows.set_ulen(rows as usize)),
            None => usual_rows(code, count).into_iter().for_each(|rows| self.rows.set_ulen(rows)),
        }
        let told = status.and_then(Value::as_list);
        for row in 0..self.size {
            let state = match told {
                Some(told) => told.get(row).and_then(Value::as_int).map(|state| state as u16),
                None => usual_state(code, count, row),
            };
            state.into_iter().for_each(|state| self.status.set_u16_at(row, state));
        }
    }
}

impl Written {
    /// How many rows there are in a rowset of at most `size`.
    pub fn count(&self, size: usize) -> usize {
        let by_states = || match &self.status[..] {
            [] => size,
            states => states.iter().take_while(|state| **state != Some(row_state::NOROW)).count(),
        };
        if size == 1 { 1 } else { self.rows.map_or_else(by_states, |rows| rows.min(size)) }
    }

    /// `rows_fetched` and `row_status`, as far as they are not the usual ones for this outcome. The counter is looked at if
    /// it is the application's.
    pub fn unusual(&self, code: i16, count: usize, counter: bool) -> Vec<(String, Value)> {
        let mut fields = Vec::new();
        if counter && self.rows != usual_rows(code, count) {
            fields.push(("rows_fetched".to_owned(), self.rows.into()));
        }
        let usual = |(row, state): (usize, &Option<u16>)| *state == usual_state(code, count, row);
        if !self.status.iter().enumerate().all(usual) {
            let states = self.status.iter().map(|state| Value::from(*state)).collect();
            fields.push(("row_status".to_owned(), Value::List(states)));
        }
        fields
    }
}

/// What ODBC lets one expect in the counter (SQLFetchScroll, "Rows Fetched Buffer").
fn usual_rows(code: i16, count: usize) -> Option<usize> {
    match code {
        rc::SUCCESS | rc::SUCCESS_WITH_INFO => Some(count),
        rc::NO_DATA => Some(0),
        _ => None,
    }
}

/// What ODBC lets one expect in the row status array.
fn usual_state(code: i16, count: usize, row: usize) -> Option<u16> {
    match code {
        rc::SUCCESS | rc::SUCCESS_WITH_INFO if row < count => Some(row_state::SUCCESS),
        rc::SUCCESS | rc::SUCCESS_WITH_INFO | rc::NO_DATA => Some(row_state::NOROW),
        _ => None,
    }
}
