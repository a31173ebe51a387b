//! One fetch of the next rows: how many at most, and where their number and states go.

use crate::args::Place;
use crate::call::Call;
use crate::mode::application::{Application, attribute};
use crate::mode::rowset::row_state;

/// SQL_FETCH_NEXT.
const NEXT: i16 = odbc_sys::FetchOrientation::Next as i16;

/// What a fetch function asks for.
#[derive(Clone, Copy)]
pub struct Fetching {
    /// Rows at most.
    pub size: usize,
    /// Where the number of rows goes.
    pub rows: Place,
    /// Where the row states go.
    pub status: Place,
}

impl Fetching {
    /// SQLFetch, SQLFetchScroll(SQL_FETCH_NEXT) and SQLExtendedFetch(SQL_FETCH_NEXT); `None` for anything else.
    pub fn of(call: &Call<'_>, application: &Application) -> Option<Fetching> {
        match call {
            Call::Fetch | Call::FetchScroll { orientation: NEXT, .. } => Some(Fetching::by_attributes(application)),
            Call::ExtendedFetch { orientation, rows, status, .. } if *orientation == NEXT as u16 => {
                Some(Fetching { size: application.rowset_size(), rows: *rows, status: *status })
            }
            _ => None,
        }
    }

    /// The rowset of SQLFetch and SQLFetchScroll.
    pub fn by_attributes(application: &Application) -> Fetching {
        Fetching {
            size: application.row_array_size(),
            rows: application.address(attribute::ROWS_FETCHED_PTR),
            status: application.address(attribute::ROW_STATUS_PTR),
        }
    }
}

/// Where SQLExtendedFetch puts the row states; a later SQLSetPos may put them there as well.
pub fn extended_states(call: &Call<'_>) -> Place {
    match call {
        Call::ExtendedFetch { status, .. } => *status,
        _ => Place::NULL,
    }
}

/// The row counter and the first row state at the end of data, where there is a place for them: what is said of a driver
/// that does not write this number, but leaves the place alone or writes another one.
pub const AT_END: [(&str, i64); 2] = [("rows_fetched_at_end", 0), ("row_status_at_end", 3)];

/// The same with rows: of a driver that does not count them, or leaves their states alone.
pub const WITH_ROWS: [&str; 2] = ["rows_fetched_with_rows", "row_status_with_rows"];

/// The two places before a fetch, marked to see what the driver writes.
pub struct Watch {
    rows: Option<usize>,
    status: Option<u16>,
}

/// What stands in a counter or a status before a call: no driver writes it.
pub(super) const UNWRITTEN_ROWS: usize = 0xA5C3_5A96_B1D2_6E87;
pub(super) const UNWRITTEN_STATUS: u16 = 0xA5C3;

impl Fetching {
    /// Marks the places.
    pub fn watch(&self) -> Watch {
        let watch = Watch { rows: self.rows.ulen_at(0), status: self.status.u16_at(0) };
        self.rows.set_ulen(UNWRITTEN_ROWS);
        self.status.set_u16_at(0, UNWRITTEN_STATUS);
        watch
    }

    /// How many rows there are in a rowset of so many: what the driver counted, else as its row states have it.
    pub fn count(&self, counted: Option<i64>, size: usize) -> usize {
        let there = |row: &usize| self.status.u16_at(*row) != Some(row_state::NOROW);
        let by_states = || (0..size).take_while(there).count();
        counted.and_then(|rows| usize::try_from(rows).ok()).map_or_else(by_states, |rows| rows.min(size))
    }

    /// What the driver wrote, in the order of [`AT_END`]: nothing where there is no place, `Some(None)` where it left the
    /// place alone, which then holds its old value again.
    pub fn written(&self, watch: Watch) -> [Option<Option<i64>>; 2] {
        let rows = watch.rows.map(|old| match self.rows.ulen_at(0) {
            Some(UNWRITTEN_ROWS) => {
                self.rows.set_ulen(old);
                None
            }
            written => written.map(|rows| rows as i64),
        });
        let status = watch.status.map(|old| match self.status.u16_at(0) {
            Some(UNWRITTEN_STATUS) => {
                self.status.set_u16_at(0, old);
                None
            }
            written => written.map(i64::from),
        });
        [rows, status]
    }
}
