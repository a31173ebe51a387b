//! A fetch that says where to go: SQLFetchScroll and SQLExtendedFetch with another orientation than SQL_FETCH_NEXT.
//!
//! Where it goes is the command's input. ODBC reference: SQLFetchScroll, "Positioning the Cursor".

use super::fetching::Fetching;
use crate::args::Place;
use crate::call::Call;
use crate::convert::{CType, bound};
use crate::mode::application::{Application, attribute};
use super8_cassette::{Fields, Key, Value};

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
