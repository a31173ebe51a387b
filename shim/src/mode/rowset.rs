//! What a fetch asks for and what it fills: the rows of a rowset, their counter and their states.
//!
//! ODBC reference: SQLFetchScroll ("Positioning the Cursor", "Rows Fetched Buffer"), SQLExtendedFetch and "Bookmark
//! Types".

use crate::args::{Binding, Place, Watched, WatchedNumber};
use crate::call::Call;
use crate::convert::{CType, bound};
use crate::descriptor::PlaceOfRow;
use crate::diagnostics::rc;
use crate::mode::application::{Application, attribute};
use super8_cassette::text::hex;
use super8_cassette::{Fields, Key, Value};

/// SQL_FETCH_NEXT.
const NEXT: i16 = odbc_sys::FetchOrientation::Next as i16;

/// What a fetch function asks for.
#[derive(Clone, Copy)]
pub struct Fetching {
    /// The most rows to fetch.
    pub size: usize,
    /// Where the number of rows goes.
    pub rows: Place,
    /// Where the row states go.
    pub status: Place,
}

impl Fetching {
    /// Returns what SQLFetch, SQLFetchScroll(SQL_FETCH_NEXT) or SQLExtendedFetch(SQL_FETCH_NEXT) asks for; `None` for
    /// any other call.
    pub fn of(call: &Call<'_>, application: &Application) -> Option<Fetching> {
        match call {
            Call::Fetch | Call::FetchScroll { orientation: NEXT, .. } => Some(Fetching::by_attributes(application)),
            Call::ExtendedFetch { orientation, rows, status, .. } if *orientation == NEXT as u16 => {
                Some(Fetching { size: application.rowset_size(), rows: *rows, status: *status })
            }
            _ => None,
        }
    }

    /// Returns the rowset of SQLFetch and SQLFetchScroll.
    pub fn by_attributes(application: &Application) -> Fetching {
        Fetching {
            size: application.row_array_size(),
            rows: application.address(attribute::ROWS_FETCHED_PTR),
            status: application.address(attribute::ROW_STATUS_PTR),
        }
    }
}

/// Returns where SQLExtendedFetch puts the row states. A later SQLSetPos may put them there as well.
pub fn extended_states(call: &Call<'_>) -> Place {
    match call {
        Call::ExtendedFetch { status, .. } => *status,
        _ => Place::NULL,
    }
}

/// The row counter and the first row state at the end of data, with their usual values. Something is noted for a driver
/// that leaves the place alone or writes another number.
pub const AT_END: [(&str, i64); 2] = [("rows_fetched_at_end", 0), ("row_status_at_end", 3)];

/// The same for a fetch that finds rows: noted for a driver that does not count them or leaves their states alone.
pub const WITH_ROWS: [&str; 2] = ["rows_fetched_with_rows", "row_status_with_rows"];

/// The orientations by their ODBC names, in lower case without `SQL_FETCH_`.
const ORIENTATIONS: &[(i16, &str)] = {
    use odbc_sys::FetchOrientation as F;
    &[
        (F::First as i16, "first"),
        (F::Last as i16, "last"),
        (F::Prior as i16, "prior"),
        (ABSOLUTE, "absolute"),
        (RELATIVE, "relative"),
        (BOOKMARK, "bookmark"),
    ]
};
const FIRST: i16 = odbc_sys::FetchOrientation::First as i16;
const PRIOR: i16 = odbc_sys::FetchOrientation::Prior as i16;
const ABSOLUTE: i16 = odbc_sys::FetchOrientation::Absolute as i16;
const RELATIVE: i16 = odbc_sys::FetchOrientation::Relative as i16;
/// SQL_FETCH_BOOKMARK.
const BOOKMARK: i16 = 8;

/// What a scroll asks for.
pub struct Scrolling {
    /// `orientation`, and `offset`, `bookmark` and `rowset` where they apply.
    pub asked: Fields,
    /// The most rows to fetch, and where their number and states go.
    pub fetching: Fetching,
}

impl Scrolling {
    /// Returns the scroll that a call asks for; `None` for a fetch of the next rows and for any other call.
    pub fn of(call: &Call<'_>, application: &Application) -> Option<Scrolling> {
        let (orientation, offset, fetching, mark) = match *call {
            Call::FetchScroll { orientation, offset } => {
                (orientation, offset, Fetching::by_attributes(application), bookmark_pointed_to(application))
            }
            // SQLExtendedFetch takes its bookmark as the offset.
            Call::ExtendedFetch { orientation, offset, rows, status } => {
                (orientation as i16, offset, Fetching { size: application.rowset_size(), rows, status }, None)
            }
            _ => return None,
        };
        let name = ORIENTATIONS.iter().find(|(known, _)| *known == orientation);
        let mut asked =
            Fields::from([(Key::Orientation, name.map_or(Value::from(orientation), |(_, name)| Value::from(*name)))]);
        if orientation == BOOKMARK {
            asked.extend(mark.map(|mark| (Key::Bookmark, mark)));
        }
        // SQL_FETCH_FIRST, LAST and PRIOR ignore the offset.
        if !(FIRST..=PRIOR).contains(&orientation) {
            asked.push((Key::Offset, Value::from(offset)));
        }
        if fetching.size > 1 {
            asked.push((Key::Rowset, Value::from(fetching.size)));
        }
        Some(Scrolling { asked, fetching })
    }
}

/// Reads what SQL_ATTR_FETCH_BOOKMARK_PTR points to, as many bytes as the statement's bookmarks had.
fn bookmark_pointed_to(application: &Application) -> Option<Value> {
    let place: Place = application.address(attribute::FETCH_BOOKMARK_PTR);
    match bound::chunk(CType::BINARY, place, application.bookmark_size() as isize) {
        bound::Chunk::Bytes(bytes) if !bytes.is_empty() => Some(Value::Text(format!("\\x{}", hex(bytes)))),
        _ => None,
    }
}

/// Row states (SQL_ROW_...).
#[allow(missing_docs)]
pub mod row_state {
    pub const SUCCESS: u16 = 0;
    pub const DELETED: u16 = 1;
    pub const NOROW: u16 = 3;
    pub const ERROR: u16 = 5;
    pub const SUCCESS_WITH_INFO: u16 = 6;

    /// Returns whether the bound buffers have the row. If not, a driver may still have written to some of them.
    pub fn has_cells(status: u16) -> bool {
        !matches!(status, DELETED | NOROW | ERROR)
    }
}

/// What a driver does with a counter or a state: `None` for what ODBC says, `Some(None)` for leaving it alone, or
/// another number.
pub type RowCounter = Option<Option<i64>>;

/// The same for the counter and the states of a fetch that finds rows.
pub type RowCounters = [RowCounter; 2];

/// The arrays that an application bound for the rows of a rowset or for its sets of parameters, as replay writes to
/// them.
///
/// Every write to a row goes through here, so that whatever a cassette says, nothing is written for which the
/// application gave no room. A cassette that says more is refused before that
/// ([`within`](super8_cassette::check::within)).
#[derive(Clone, Copy)]
pub struct Arrays {
    rows: usize,
}

impl Arrays {
    /// Returns arrays for this many rows.
    pub fn of(rows: usize) -> Arrays {
        Arrays { rows }
    }

    /// Returns whether the application has room for a row, counted from 0.
    pub fn has(self, row: usize) -> bool {
        row < self.rows
    }

    /// Returns where the buffers of a row are; `None` outside the rowset.
    #[inline]
    pub fn place(self, application: &Application, row: usize) -> Option<PlaceOfRow> {
        self.has(row).then(|| application.place_of_row(row))
    }

    /// Writes the state of a row, if the application has room for it.
    #[inline]
    pub fn set_state(self, states: Place, row: usize, state: u16) {
        if self.has(row) {
            states.set_u16_at(row, state);
        }
    }

    /// Writes the number of rows, no more than there is room for: programs index their arrays by it.
    #[inline]
    pub fn set_count(self, counter: Place, count: usize) {
        counter.set_ulen(count.min(self.rows));
    }
}

/// Limits a driver's count, which is unsigned, to the rows that the application has room for. A larger number would
/// send the program past the end of its arrays at replay.
pub fn within(count: i64, room: usize) -> i64 {
    let room = room as i64;
    if (0..=room).contains(&count) { count } else { room }
}

/// The counter and the states during a fetch. ODBC has the driver write them in every fetch.
pub struct WatchedCounters {
    rows: WatchedNumber,
    first: WatchedNumber,
    others: Vec<WatchedNumber>,
}

impl WatchedCounters {
    /// Returns what the driver wrote, and restores what it left alone.
    #[inline(always)] // once for each row
    pub fn written(self) -> WrittenCounters {
        let state = |watched: WatchedNumber| watched.written().map(|written| written.value as u16);
        WrittenCounters {
            rows: self.rows.written().map(|written| written.value),
            first: state(self.first),
            others: self.others.into_iter().map(state).collect(),
        }
    }
}

impl Watched for WatchedCounters {
    fn give_up(self) {
        self.written();
    }
}

/// What the driver wrote. `None` for a place that it left alone or that the application did not give.
pub struct WrittenCounters {
    /// The number of rows.
    pub rows: Option<i64>,
    first: Option<u16>,
    others: Vec<Option<u16>>,
}

impl Fetching {
    fn states(&self) -> usize {
        if self.status.is_null() { 0 } else { self.size }
    }

    /// Watches the counter and all states.
    #[inline(always)] // once for each row
    pub fn watch(&self) -> WatchedCounters {
        WatchedCounters {
            rows: self.rows.long().watch(),
            first: self.status.short_at(0).watch(),
            others: (1..self.states()).map(|row| self.status.short_at(row).watch()).collect(),
        }
    }

    /// Writes the counter and states of a scroll: what the recording has, else the usual ones for this outcome and row
    /// count.
    pub fn replay(&self, code: i16, count: usize, rows: Option<&Value>, status: Option<&Value>) {
        let arrays = Arrays::of(self.size);
        let rows = match rows {
            Some(recorded) => recorded.as_int().map(|rows| rows as usize),
            None => usual_rows(code, count),
        };
        rows.into_iter().for_each(|rows| arrays.set_count(self.rows, rows));
        let recorded = status.and_then(Value::as_list);
        for row in 0..self.size {
            let state = match recorded {
                Some(recorded) => recorded.get(row).and_then(Value::as_int).map(|state| state as u16),
                None => usual_state(code, count, row),
            };
            state.into_iter().for_each(|state| arrays.set_state(self.status, row, state));
        }
    }
}

impl WrittenCounters {
    /// Returns the state of a row, counted from 0.
    pub fn state(&self, row: usize) -> Option<u16> {
        match row.checked_sub(1) {
            None => self.first,
            Some(other) => self.others.get(other).copied().flatten(),
        }
    }

    /// Returns the number of rows that the driver wrote.
    pub fn counted(&self, fetching: &Fetching) -> Option<i64> {
        self.rows.map(|rows| within(rows, fetching.size))
    }

    /// Returns how many rows a successful fetch wrote: the driver's count, else what its row states say.
    pub fn count(&self, fetching: &Fetching) -> usize {
        // Never read more rows than the rowset has, whatever the driver counted.
        let counted = self.rows.and_then(|rows| usize::try_from(rows).ok()).map(|rows| rows.min(fetching.size));
        let by_states = || match fetching.states() {
            0 => fetching.size,
            states => (0..states).take_while(|row| self.state(*row) != Some(row_state::NOROW)).count(),
        };
        if fetching.size == 1 { 1 } else { counted.unwrap_or_else(by_states) }
    }

    /// Returns `row_status` for a fetch that failed, if the driver wrote any state.
    pub fn states(&self, fetching: &Fetching) -> Option<Value> {
        let states: Vec<Option<u16>> = (0..fetching.states()).map(|row| self.state(row)).collect();
        states.iter().any(Option::is_some).then(|| Value::List(states.into_iter().map(Value::from).collect()))
    }

    /// Returns `rows_fetched` and `row_status` where they differ from the usual ones for this outcome. The counter is
    /// checked only if it is the application's (`counter`).
    pub fn unusual(&self, fetching: &Fetching, code: i16, count: usize, counter: bool) -> Fields {
        let mut fields = Fields::new();
        let counted = self.counted(fetching);
        if counter && counted != usual_rows(code, count).map(|rows| rows as i64) {
            fields.push((Key::RowsFetched, counted.into()));
        }
        let mut rows = 0..fetching.states();
        if !rows.all(|row| self.state(row) == usual_state(code, count, row)) {
            let states = (0..fetching.states()).map(|row| Value::from(self.state(row))).collect();
            fields.push((Key::RowStatus, Value::List(states)));
        }
        fields
    }
}

/// Returns the count that ODBC leads one to expect (SQLFetchScroll, "Rows Fetched Buffer").
fn usual_rows(code: i16, count: usize) -> Option<usize> {
    match code {
        rc::SUCCESS | rc::SUCCESS_WITH_INFO => Some(count),
        rc::NO_DATA => Some(0),
        _ => None,
    }
}

/// Returns the row state that ODBC leads one to expect.
fn usual_state(code: i16, count: usize, row: usize) -> Option<u16> {
    match code {
        rc::SUCCESS | rc::SUCCESS_WITH_INFO if row < count => Some(row_state::SUCCESS),
        rc::SUCCESS | rc::SUCCESS_WITH_INFO | rc::NO_DATA => Some(row_state::NOROW),
        _ => None,
    }
}

/// SQL_UB_VARIABLE.
const VARIABLE: usize = 2;

/// Returns the C type of the bookmark in this buffer, once the driver has written its length.
pub fn bookmark_type(binding: &Binding, use_bookmarks: usize) -> CType {
    match CType(binding.c_type) {
        CType::DEFAULT if use_bookmarks == VARIABLE => CType::BINARY,
        CType::DEFAULT | CType::UBIGINT => match binding.length.len_at(0) {
            Some(8) => CType::UBIGINT,
            _ => CType::ULONG,
        },
        other => other,
    }
}

/// Returns the size of a bookmark in bytes, from its field in a row.
pub fn bookmark_size(field: &[u8], c_type: CType) -> Option<usize> {
    c_type.fixed_size().or_else(|| Some(field.strip_prefix(b"\\x")?.len() / 2))
}

/// Returns the C type as which a recorded bookmark is served. A number stays the number it was, whatever C type the
/// header names.
pub fn bookmark_served_as(asked: CType, recorded: CType) -> CType {
    match asked {
        CType::DEFAULT => recorded,
        asked if asked.is_integer() && recorded.is_integer() => recorded,
        asked => asked,
    }
}
