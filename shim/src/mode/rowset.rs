//! What a fetch asks for and what it fills: the rows of a rowset, their counter and their states.
//!
//! ODBC reference: SQLFetchScroll ("Positioning the Cursor", "Rows Fetched Buffer"), SQLExtendedFetch and "Bookmark Types".

use crate::args::{Binding, Place, Watched, WatchedNumber};
use crate::call::Call;
use crate::convert::{CType, bound};
use crate::diagnostics::rc;
use crate::mode::application::{Application, attribute};
use super8_cassette::{Fields, Key, Value};

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
    /// `orientation`, and as it applies `offset`, `bookmark` and `rowset`.
    pub asked: Fields,
    /// How many rows at most, and where their number and states go.
    pub fetching: Fetching,
}

impl Scrolling {
    /// The scroll a call asks for; `None` for a fetch of the next rows and for anything else.
    pub fn of(call: &Call<'_>, application: &Application) -> Option<Scrolling> {
        let (orientation, offset, fetching, mark) = match *call {
            Call::FetchScroll { orientation, offset } => {
                (orientation, offset, Fetching::by_attributes(application), bookmark_pointed_to(application))
            }
            // The bookmark of SQLExtendedFetch is its offset.
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
        // Nothing reads the offset of the others.
        if !(FIRST..=PRIOR).contains(&orientation) {
            asked.push((Key::Offset, Value::from(offset)));
        }
        if fetching.size > 1 {
            asked.push((Key::Rowset, Value::from(fetching.size)));
        }
        Some(Scrolling { asked, fetching })
    }
}

/// What SQL_ATTR_FETCH_BOOKMARK_PTR points to: as many bytes as the bookmarks had that the statement gave out.
fn bookmark_pointed_to(application: &Application) -> Option<Value> {
    let place: Place = application.address(attribute::FETCH_BOOKMARK_PTR);
    match bound::chunk(CType::BINARY, place, application.bookmark_size() as isize) {
        bound::Chunk::Bytes(bytes) if !bytes.is_empty() => {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            Some(Value::Text(format!("\\x{hex}")))
        }
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

    /// Whether the bound buffers have the row. If not, a driver may have written to some of them nevertheless.
    pub fn has_cells(status: u16) -> bool {
        !matches!(status, DELETED | NOROW | ERROR)
    }
}

/// What a driver does with a counter or a state: what ODBC says, leaving it alone, or another number.
pub type RowCounter = Option<Option<i64>>;

/// What a driver does with the counter and the states of a fetch that finds rows.
pub type RowCounters = [RowCounter; 2];

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

/// What a driver counted, which is unsigned, but no more than the application has room for: a larger number would send it behind its
/// arrays when it is replayed.
pub fn within(count: i64, room: usize) -> i64 {
    let room = room as i64;
    if (0..=room).contains(&count) { count } else { room }
}

/// Counter and states during a fetch: ODBC has the driver write them in every fetch.
pub struct WatchedCounters {
    rows: WatchedNumber,
    first: WatchedNumber,
    others: Vec<WatchedNumber>,
}

impl WatchedCounters {
    /// What the driver wrote; what it left alone gets its old value back.
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

/// What the driver wrote. A place it left alone, or that the application did not give, is `None`.
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

    /// Writes counter and states of a scroll: the usual ones for this outcome and so many rows, unless the recording has
    /// others.
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
    /// The state of a row, from 0.
    pub fn state(&self, row: usize) -> Option<u16> {
        match row.checked_sub(1) {
            None => self.first,
            Some(other) => self.others.get(other).copied().flatten(),
        }
    }

    /// The number of rows that the driver wrote.
    pub fn counted(&self, fetching: &Fetching) -> Option<i64> {
        self.rows.map(|rows| within(rows, fetching.size))
    }

    /// How many rows a successful fetch wrote: as many as the driver counted, else as its row states say.
    pub fn count(&self, fetching: &Fetching) -> usize {
        // no rows are read for a number that cannot be theirs
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

/// SQL_UB_VARIABLE.
const VARIABLE: usize = 2;

/// The C type of a bookmark in this buffer, once the driver has written its length.
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

/// Bytes of a bookmark, from its field in a row.
pub fn bookmark_size(field: &[u8], c_type: CType) -> Option<usize> {
    c_type.fixed_size().or_else(|| Some(field.strip_prefix(b"\\x")?.len() / 2))
}

/// The C type a recorded bookmark is served as: a number is the number it was, whatever the header calls it.
pub fn bookmark_served_as(asked: CType, recorded: CType) -> CType {
    match asked {
        CType::DEFAULT => recorded,
        asked if asked.is_integer() && recorded.is_integer() => recorded,
        asked => asked,
    }
}
