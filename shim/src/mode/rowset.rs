//! A rowset as a whole: the counter of fetched rows and the row states, as a driver writes them and as replay does.

use super::application::Application;
use super::fetching::Fetching;
use crate::args::{Binding, Place};
use crate::diagnostics::rc;
use super8_cassette::{Fields, Key, Value};

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

/// The arrays that an application bound for the rows of a rowset, or for its sets of parameters, as replay writes to them.
///
/// Whatever a cassette says, no row is written for which the application gave no room: every write to a row goes through here. A
/// cassette that says more is refused before ([`within`](super8_cassette::check::within)).
#[derive(Clone, Copy)]
pub struct Arrays {
    rows: usize,
}

impl Arrays {
    /// Arrays for this many rows.
    pub fn of(rows: usize) -> Arrays {
        Arrays { rows }
    }

    /// Whether the application has room for a row, counted from 0.
    pub fn has(self, row: usize) -> bool {
        row < self.rows
    }

    /// A column's buffers for a row; `None` outside the rowset.
    #[inline]
    pub fn buffers(
        self,
        application: &Application,
        binding: Binding,
        row: usize,
        element: Option<usize>,
    ) -> Option<Binding> {
        self.has(row).then(|| application.at_row(binding, row, element))
    }

    /// Writes the state of a row.
    #[inline]
    pub fn set_state(self, states: Place, row: usize, state: u16) {
        if self.has(row) {
            states.set_u16_at(row, state);
        }
    }

    /// Writes how many rows there are: programs go through their arrays by this number.
    #[inline]
    pub fn set_count(self, counter: Place, count: usize) {
        counter.set_ulen(count.min(self.rows));
    }
}

/// Counter and states before a fetch, marked to see what the driver writes: ODBC has it write them in every fetch.
pub struct Marked {
    rows: i64,
    first: i64,
    others: Vec<i64>,
}

/// What the driver wrote. A place it left alone, or that the application did not give, is `None`.
pub struct Written {
    /// The number of rows.
    pub rows: Option<i64>,
    first: Option<u16>,
    others: Vec<Option<u16>>,
}

impl Fetching {
    fn states(&self) -> usize {
        if self.status.is_null() { 0 } else { self.size }
    }

    /// Marks the counter and all states.
    #[inline(always)] // once for each row
    pub fn mark(&self) -> Marked {
        Marked {
            rows: self.rows.long().arm(),
            first: self.status.short_at(0).arm(),
            others: (1..self.states()).map(|row| self.status.short_at(row).arm()).collect(),
        }
    }

    /// What the driver wrote; what it left alone gets its old value back.
    #[inline(always)] // once for each row
    pub fn harvest(&self, marked: Marked) -> Written {
        let state = |row, old| self.status.short_at(row).settle(old).map(|written| written.value as u16);
        Written {
            rows: self.rows.long().settle(marked.rows).map(|written| written.value),
            first: state(0, marked.first),
            others: marked.others.into_iter().enumerate().map(|(at, old)| state(at + 1, old)).collect(),
        }
    }

    /// Writes counter and states of a scroll: the usual ones for this outcome and so many rows, unless the recording has
    /// others.
    pub fn replay(&self, code: i16, count: usize, rows: Option<&Value>, status: Option<&Value>) {
        let arrays = Arrays::of(self.size);
        let rows = match rows {
            Some(told) => told.as_int().map(|rows| rows as usize),
            None => usual_rows(code, count),
        };
        rows.into_iter().for_each(|rows| arrays.set_count(self.rows, rows));
        let told = status.and_then(Value::as_list);
        for row in 0..self.size {
            let state = match told {
                Some(told) => told.get(row).and_then(Value::as_int).map(|state| state as u16),
                None => usual_state(code, count, row),
            };
            state.into_iter().for_each(|state| arrays.set_state(self.status, row, state));
        }
    }
}

impl Written {
    /// The state of a row, from 0.
    pub fn state(&self, row: usize) -> Option<u16> {
        match row.checked_sub(1) {
            None => self.first,
            Some(other) => self.others.get(other).copied().flatten(),
        }
    }

    /// How many rows a successful fetch wrote: as many as the driver counted, else as its row states say.
    pub fn count(&self, fetching: &Fetching) -> usize {
        let counted = self.rows.and_then(|rows| usize::try_from(rows).ok()).map(|rows| rows.min(fetching.size));
        let by_states = || match fetching.states() {
            0 => fetching.size,
            states => (0..states).take_while(|row| self.state(*row) != Some(row_state::NOROW)).count(),
        };
        if fetching.size == 1 { 1 } else { counted.unwrap_or_else(by_states) }
    }

    /// `row_status`, if the driver wrote any state, as it is said of a fetch that failed.
    pub fn states(&self, fetching: &Fetching) -> Option<Value> {
        let states: Vec<Option<u16>> = (0..fetching.states()).map(|row| self.state(row)).collect();
        states.iter().any(Option::is_some).then(|| Value::List(states.into_iter().map(Value::from).collect()))
    }

    /// `rows_fetched` and `row_status`, as far as they are not the usual ones for this outcome. The counter is looked at if
    /// it is the application's.
    pub fn unusual(&self, fetching: &Fetching, code: i16, count: usize, counter: bool) -> Fields {
        let mut fields = Fields::new();
        if counter && self.rows != usual_rows(code, count).map(|rows| rows as i64) {
            fields.push((Key::RowsFetched, self.rows.into()));
        }
        let mut rows = 0..fetching.states();
        if !rows.all(|row| self.state(row) == usual_state(code, count, row)) {
            let states = (0..fetching.states()).map(|row| Value::from(self.state(row))).collect();
            fields.push((Key::RowStatus, Value::List(states)));
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
