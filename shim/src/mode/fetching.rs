//! One fetch of the next rows: how many at most, and where their number and states go.

use crate::args::Place;
use crate::call::Call;
use crate::mode::application::{Application, attribute};

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
