//! A recorded cell as a typed value, for conversion to another C type.

use odbc_sys::{Date, Guid, Time, Timestamp};
use super8_cassette::Cell;

use super::cell_text;
use super::conversion::Failure;
use super::ctype::{CType, Kind};
use super::datetime;
use super::decimal::Numeric;
use super::fixed::{self, Fixed};
use super::interval::Interval;

/// What was recorded. A struct may hold fields that are no valid date or time; the conversions check that.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source<'a> {
    /// Character data. If `valid`, the bytes are UTF-8. Otherwise they are what the driver wrote, in an unknown
    /// encoding, or UTF-16 with lone surrogates if `wide`.
    Text {
        bytes: &'a [u8],
        valid: bool,
        wide: bool,
    },
    Binary(&'a [u8]),
    Integer(i128),
    Numeric(Numeric),
    Float(f32),
    Double(f64),
    Bit(u8),
    Date(Date),
    Time(Time),
    Timestamp(Timestamp),
    Interval(Interval),
    Guid(Guid),
    /// A struct that does not hold together, or a type of the driver's own.
    Opaque,
}

impl<'a> Source<'a> {
    /// Returns the value of a cell recorded as this C type: from `fixed` if the type has a fixed size, else from
    /// `bytes`, which are text if `text` says so.
    pub(super) fn of(recorded: CType, bytes: &'a [u8], text: bool, fixed: Option<&Fixed>) -> Source<'a> {
        let kind = recorded.kind();
        let value = fixed.map_or(&[][..], Fixed::as_bytes);
        let source = match kind {
            Kind::Char | Kind::WChar => Some(Source::Text { bytes, valid: text, wide: kind == Kind::WChar }),
            Kind::Binary => Some(Source::Binary(bytes)),
            Kind::Bit => value.first().copied().map(Source::Bit),
            Kind::Integer { signed, .. } => fixed::integer(value, signed).map(Source::Integer),
            Kind::Float => value.try_into().ok().map(|bytes| Source::Float(f32::from_ne_bytes(bytes))),
            Kind::Double => value.try_into().ok().map(|bytes| Source::Double(f64::from_ne_bytes(bytes))),
            Kind::Numeric => Numeric::from_bytes(value).map(Source::Numeric),
            Kind::Guid => fixed::guid(value).map(Source::Guid),
            Kind::Date => datetime::date(value).map(Source::Date),
            Kind::Time => datetime::time(value).map(Source::Time),
            Kind::Timestamp => datetime::timestamp(value).map(Source::Timestamp),
            Kind::Interval(qualifier) => Interval::from_bytes(qualifier, value).map(Source::Interval),
            Kind::Other => None,
        };
        source.unwrap_or(Source::Opaque)
    }
}

/// Returns the bytes of a recorded value of fixed size: converted from its text, or as they are.
pub(super) fn fixed_value(recorded: CType, bytes: &[u8], text: bool) -> Result<Fixed, Failure> {
    let size = recorded.fixed_size().unwrap_or(0);
    match text {
        true => cell_text::from_text(recorded.kind(), bytes).ok_or_else(|| {
            let shown = bytes[..bytes.len().min(40)].escape_ascii();
            Failure::bad_cell(&format!("`{shown}` is not a valid {}", recorded.name()))
        }),
        false if bytes.len() == size => Ok(Fixed::new(bytes)),
        false if bytes.is_empty() => Err(Failure::not_recorded(0, Some(size as i64))),
        false => Err(Failure::bad_cell(&format!("{} bytes are not a valid {}", bytes.len(), recorded.name()))),
    }
}

/// Checks a cell by the name of its C type. A type that only a driver knows accepts anything.
///
/// # Errors
/// As [`fits`].
pub fn fits_named(cell: &Cell<'_>, c_type: &str) -> Result<(), String> {
    CType::from_name(c_type).map_or(Ok(()), |c_type| fits(cell, c_type))
}

/// Checks whether a cell can be a value of the C type that it was recorded as.
///
/// # Errors
/// Says what is wrong with the cell.
pub fn fits(cell: &Cell<'_>, recorded: CType) -> Result<(), String> {
    let (bytes, text) = match *cell {
        Cell::Text(text) | Cell::Plain(text) => (text, true),
        Cell::Bytes(bytes) => (bytes, false),
        Cell::Unread | Cell::Null | Cell::Cut { .. } => return Ok(()),
    };
    if recorded.is_variable() || (bytes.is_empty() && !text) {
        return Ok(());
    }
    fixed_value(recorded, bytes, text).map(drop).map_err(|failure| failure.what())
}
