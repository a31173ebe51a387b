//! Reads what the driver wrote into the application's buffer, as a cell.
//!
//! ODBC reference: SQLGetData and SQLFetch, "Using Length/Indicator Values".
#![allow(unsafe_code)]

use super8_cassette::{Cell, CutCell, Row};

use super::ctype::{CType, Kind};
use super::{cell_text, memory, utf16};
use crate::args::Binding;

/// What the driver said of a value's length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// SQL_NULL_DATA.
    Null,
    /// This many bytes, without terminator, before any of them were cut off. A negative number without a name is kept
    /// as well.
    Bytes(isize),
    /// SQL_NO_TOTAL: more than the buffer holds, but nobody knows how much.
    NoTotal,
    /// The application gave no place for a length, and the call did not say that the value was cut off (01004). If it
    /// did, that is [`Length::NoTotal`].
    Unknown,
}

impl Length {
    /// Returns what a driver reported; `cut` says whether it reported that the value was cut off.
    pub fn of(reported: Option<isize>, cut: bool) -> Length {
        match reported {
            Some(odbc_sys::NULL_DATA) => Length::Null,
            Some(odbc_sys::NO_TOTAL) => Length::NoTotal,
            Some(bytes) => Length::Bytes(bytes),
            None if cut => Length::NoTotal,
            None => Length::Unknown,
        }
    }

    /// Returns what the driver reported for a bound buffer.
    #[inline]
    pub fn reported(binding: &Binding) -> Length {
        if binding.indicator.len_at(0) == Some(odbc_sys::NULL_DATA) {
            return Length::Null;
        }
        Length::of(binding.length.len_at(0), false)
    }

    /// Returns the number that a driver writes for this length; `None` if it wrote none.
    pub fn number(self) -> Option<isize> {
        match self {
            Length::Null => Some(odbc_sys::NULL_DATA),
            Length::Bytes(bytes) => Some(bytes),
            Length::NoTotal => Some(NO_TOTAL),
            Length::Unknown => None,
        }
    }
}

/// SQL_NO_TOTAL.
pub(super) const NO_TOTAL: isize = -4;
/// How many bytes of the buffer a driver leaves unused at most if it does not split a UTF-8 character.
pub(super) const SHORT_OF_CHARACTER: usize = 3;

/// The content of a buffer of a type without fixed size.
pub(super) struct Received<'a> {
    /// All bytes that the driver may have written.
    pub(super) bytes: &'a [u8],
    /// How many of them it wrote.
    pub(super) length: usize,
    /// The length that the driver reported, if it differs from what is there, because the value was cut off.
    pub(super) cut: Option<isize>,
}

/// Returns the size in bytes of a unit and so of the terminator; `None` for a kind without terminator.
pub(super) const fn unit(kind: Kind) -> Option<usize> {
    match kind {
        Kind::Char => Some(1),
        Kind::WChar => Some(2),
        _ => None,
    }
}

/// Returns how many bytes of data a buffer has room for, in whole units and without the terminator.
pub(super) const fn room(kind: Kind, capacity: isize) -> usize {
    let capacity = if capacity < 0 { 0 } else { capacity as usize };
    match unit(kind) {
        Some(unit) => (capacity / unit).saturating_sub(1) * unit,
        None => capacity,
    }
}

/// Reads what the driver left at `target` (not null), unless that is SQL_NULL_DATA.
///
/// # Safety
/// As [`read`].
pub(super) unsafe fn received<'a>(kind: Kind, target: *const u8, capacity: isize, length: Length) -> Received<'a> {
    let room = room(kind, capacity);
    let reported = match length {
        Length::Bytes(bytes) => bytes,
        Length::NoTotal => NO_TOTAL,
        Length::Null | Length::Unknown => {
            let length = match unit(kind) {
                // SAFETY: the driver wrote a terminator within the buffer; none is looked for beyond.
                Some(unit) => unsafe { memory::terminated(target, unit, usize::try_from(capacity).unwrap_or(0)) },
                None => room,
            };
            // SAFETY: within the buffer.
            return Received { bytes: unsafe { memory::bytes(target, length) }, length, cut: None };
        }
    };
    match usize::try_from(reported) {
        Ok(length) if length <= room => {
            let whole = length - length % unit(kind).unwrap_or(1);
            // SAFETY: within the buffer, and the driver says it wrote that many bytes.
            let bytes = unsafe { memory::bytes(target, whole) };
            Received { bytes, length: whole, cut: (whole != length).then_some(reported) }
        }
        // A number without a name says nothing about what is in the buffer.
        Err(_) if reported != NO_TOTAL => {
            // SAFETY: as with a length that is not known.
            let length = unit(kind).map_or(0, |unit| unsafe { memory::terminated(target, unit, room) });
            // SAFETY: within the buffer.
            Received { bytes: unsafe { memory::bytes(target, length) }, length, cut: Some(reported) }
        }
        total => {
            // SAFETY: a value that is longer than the buffer fills it.
            let bytes = unsafe { memory::bytes(target, room) };
            let mut length = unit(kind).map_or(room, |unit| filled(bytes, unit));
            if let Some(unit) = unit(kind).filter(|unit| length == room && capacity >= *unit as isize) {
                // SAFETY: the terminator's place is within the buffer: room leaves it free.
                let terminator = unsafe { memory::bytes(target.wrapping_add(room), unit) };
                let terminated = terminator.iter().all(|byte| *byte == 0);
                if !terminated && total.is_ok() {
                    // The driver has filled the buffer and written no terminator.
                    // SAFETY: all of the buffer.
                    let bytes = unsafe { memory::bytes(target, room + unit) };
                    return Received { bytes, length: bytes.len(), cut: Some(reported) };
                }
                if !terminated {
                    // There is not a length and the buffer is not full, so the first terminator is the end.
                    // SAFETY: within the buffer.
                    length = unsafe { memory::terminated(target, unit, room) };
                }
            }
            Received { bytes, length, cut: Some(reported) }
        }
    }
}

/// Returns whether a value of a type without fixed size fills its buffer. A driver may have left a few bytes free where
/// a character of several bytes had no room.
///
/// # Safety
/// As [`read`].
pub(super) unsafe fn is_full(c_type: CType, target: *const u8, capacity: isize) -> bool {
    if target.is_null() || !c_type.is_variable() {
        return false;
    }
    let (kind, size) = (c_type.kind(), usize::try_from(capacity).unwrap_or(0));
    let Some(unit) = unit(kind) else { return true };
    // SAFETY: the driver wrote a terminator within the buffer; none is looked for beyond.
    let length = unsafe { memory::terminated(target, unit, size) };
    // SAFETY: within the buffer.
    let ascii = || unsafe { memory::bytes(target, length) }.is_ascii();
    let free = room(kind, capacity).saturating_sub(length);
    free == 0 || (free <= SHORT_OF_CHARACTER && !ascii())
}

/// Returns how many bytes of a full buffer belong to the value: all, or a few less if a terminator after whole
/// characters shows that the driver stopped short of a character that had no room.
fn filled(bytes: &[u8], unit: usize) -> usize {
    let short = if unit == 1 { SHORT_OF_CHARACTER } else { unit };
    let begin = bytes.len().saturating_sub(short);
    let terminator = bytes[begin..].chunks_exact(unit).position(|unit| unit.iter().all(|byte| *byte == 0));
    let end = terminator.map(|place| begin + place * unit);
    end.filter(|end| is_text(&bytes[..*end], unit)).unwrap_or(bytes.len())
}

fn is_text(bytes: &[u8], unit: usize) -> bool {
    let mut units = bytes.chunks_exact(2).map(|pair| u16::from_ne_bytes([pair[0], pair[1]]));
    match unit {
        1 => std::str::from_utf8(bytes).is_ok(),
        _ => char::decode_utf16(&mut units).all(|character| character.is_ok()),
    }
}

/// Reads what the driver left in the application's buffer into the row.
///
/// `capacity` is the buffer's length in bytes as the application gave it; types of a fixed size ignore it. `scratch` is
/// any buffer to work in. A length that does not fit a fixed type, and a value for which the application gave no
/// buffer, are kept as a cut cell, so that value and length come back as they were.
///
/// # Safety
/// The driver's call has succeeded and nobody changes the buffer now. `target` is null or points to `capacity` bytes,
/// or to as many as the type's size says.
#[inline]
pub unsafe fn read(
    c_type: CType,
    target: *const u8,
    capacity: isize,
    length: Length,
    row: &mut Row,
    column: usize,
    scratch: &mut Vec<u8>,
) {
    // SAFETY: as this function's.
    unsafe {
        match whole_text(c_type, target, capacity, length) {
            Some(text) => row.set(column, Cell::Text(text)),
            None => read_any(c_type, target, capacity, length, row, column, scratch),
        }
    }
}

/// Handles nearly every cell: a whole text for which there was room.
///
/// # Safety
/// As [`read`].
#[inline]
pub(super) unsafe fn whole_text<'a>(
    c_type: CType,
    target: *const u8,
    capacity: isize,
    length: Length,
) -> Option<&'a [u8]> {
    match length {
        Length::Bytes(bytes) if c_type == CType::CHAR && bytes >= 0 && bytes < capacity && !target.is_null() => {
            // SAFETY: within the buffer, and the driver says it wrote that many bytes.
            Some(unsafe { memory::bytes(target, bytes as usize) })
        }
        _ => None,
    }
}

/// # Safety
/// As [`read`].
unsafe fn read_any(
    c_type: CType,
    target: *const u8,
    capacity: isize,
    length: Length,
    row: &mut Row,
    column: usize,
    scratch: &mut Vec<u8>,
) {
    let kind = c_type.kind();
    if length == Length::Null {
        return row.set(column, Cell::Null);
    }
    if target.is_null() {
        return row.set(column, not_received(c_type, length));
    }
    if let Some(size) = c_type.fixed_size() {
        // SAFETY: the buffer of a type with a fixed size has that size.
        let bytes = unsafe { memory::bytes(target, size) };
        scratch.clear();
        let odd = match length {
            Length::Bytes(reported) if usize::try_from(reported) != Ok(size) => Some(reported as i64),
            Length::NoTotal => Some(NO_TOTAL as i64),
            _ => None,
        };
        let cell = match (cell_text::to_text(kind, bytes, scratch), odd) {
            (true, None) if cell_text::is_plain(kind) => Cell::Plain(scratch),
            (true, None) => Cell::Text(scratch),
            (false, None) => Cell::Bytes(bytes),
            (true, Some(total)) => Cell::Cut { total, cell: CutCell::Text(scratch) },
            (false, Some(total)) => Cell::Cut { total, cell: CutCell::Bytes(bytes) },
        };
        return row.set(column, cell);
    }
    // SAFETY: as this function's.
    let received = unsafe { received(kind, target, capacity, length) };
    set_variable(
        kind,
        &received.bytes[..received.length],
        received.cut.map(|total| total as i64),
        row,
        column,
        scratch,
    );
}

/// Returns the cell of a value for which the application had no buffer.
pub(super) fn not_received(c_type: CType, length: Length) -> Cell<'static> {
    let total = match length {
        Length::Null => return Cell::Null,
        Length::Unknown => return Cell::Unread,
        Length::NoTotal => NO_TOTAL as i64,
        Length::Bytes(0) if c_type.is_variable() => {
            return if unit(c_type.kind()).is_some() { Cell::Text(b"") } else { Cell::Bytes(b"") };
        }
        Length::Bytes(bytes) => bytes as i64,
    };
    Cell::Cut { total, cell: CutCell::Bytes(b"") }
}

/// Sets the cell of a value of a type without fixed size; `total` is its length if it was cut off.
pub(super) fn set_variable(
    kind: Kind,
    bytes: &[u8],
    total: Option<i64>,
    row: &mut Row,
    column: usize,
    scratch: &mut Vec<u8>,
) {
    let text = match kind {
        Kind::Char => Some(bytes),
        Kind::WChar => {
            scratch.clear();
            utf16::to_utf8(bytes, scratch).then_some(scratch.as_slice())
        }
        _ => None,
    };
    let cell = match (text, total) {
        (Some(text), None) => Cell::Text(text),
        (None, None) => Cell::Bytes(bytes),
        (Some(text), Some(total)) => Cell::Cut { total, cell: CutCell::Text(text) },
        (None, Some(total)) => Cell::Cut { total, cell: CutCell::Bytes(bytes) },
    };
    row.set(column, cell);
}
