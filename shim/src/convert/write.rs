//! Writes a recorded cell into the application's buffer.
//!
//! The same C type as recorded gives the same bytes. Another one goes through the `matrix`. ODBC reference: SQLGetData
//! and SQLFetch, for lengths, pieces and SQLSTATEs.
#![allow(unsafe_code)]

use super8_cassette::{Cell, CutCell};

use super::conversion::{Content, Converted, Failure, Requested, Written};
use super::ctype::{CType, Kind};
use super::matrix;
use super::source::{self, Source};
use super::target::{self, Whole};
use super::target::{Progress, Target};
use super::utf16;

/// Writes a cell that was recorded as one C type for an application that asks for `to`.
///
/// SQL_C_DEFAULT and SQL_ARD_TYPE have to be resolved before. With `progress` this is one call of SQLGetData for a cell
/// that may come in pieces; without, it is a bound column.
///
/// # Safety
/// Each pointer of the target is null or writable, the buffer over `capacity` bytes, or over the size of `to` if that
/// is fixed; the application does not touch them now.
#[inline]
pub unsafe fn write(
    cell: &Cell<'_>,
    recorded: CType,
    to: CType,
    mut target: Target,
    progress: Option<&mut Progress>,
) -> Written {
    let mut once = Progress::new();
    let progress = progress.unwrap_or(&mut once);
    // SAFETY: as this function's.
    match *cell {
        Cell::Text(text) if recorded == to && unsafe { write_text(text, to, &mut target, progress) } => {
            Written::Success
        }
        _ => unsafe { write_any(cell, recorded, to, target, progress) },
    }
}

/// Writes a text that was recorded completely, was not read before and has room. Nearly every cell is like that, so
/// this is the fast path. Returns false and does nothing for any other cell.
///
/// # Safety
/// As for [`write()`].
#[inline]
pub unsafe fn write_text(text: &[u8], to: CType, target: &mut Target, progress: &mut Progress) -> bool {
    let room = if target.pointer.is_null() || progress.begun() || !target.terminates { -1 } else { target.capacity };
    match to {
        CType::CHAR if room > text.len() as isize => {
            // SAFETY: the text and its terminator have room in the buffer; else as this function's.
            unsafe {
                target.put(0, text);
                target.put(text.len(), &[0]);
                target.put_length(text.len() as isize);
            }
        }
        // No character has more units than bytes.
        CType::WCHAR if room > 2 * text.len() as isize + 1 => {
            // SAFETY: as above.
            let written = utf16::encode(text, &mut progress.wide, unsafe { target.room(2 * text.len()) });
            let Some(length) = written else { return false };
            // SAFETY: as above.
            unsafe {
                target.put(length, &[0, 0]);
                target.put_length(length as isize);
            }
        }
        _ => return false,
    }
    progress.finished = true;
    true
}

/// Writes any cell.
///
/// # Safety
/// As for [`write()`].
unsafe fn write_any(
    cell: &Cell<'_>,
    recorded: CType,
    to: CType,
    mut target: Target,
    progress: &mut Progress,
) -> Written {
    if progress.finished {
        return Written::NoData;
    }
    let value = match *cell {
        Cell::Unread => {
            let message = "replay: the application did not read this column when it was recorded; record again";
            return Failure::new("HY000", message).into();
        }
        Cell::Null => {
            // SAFETY: as this function's.
            if !unsafe { target.put_null() } {
                return Failure::new("22002", "Indicator variable required but not supplied: the value is NULL").into();
            }
            progress.finished = true;
            return Written::Success;
        }
        Cell::Text(bytes) | Cell::Plain(bytes) => Value { bytes, text: true, cut: None },
        Cell::Bytes(bytes) => Value { bytes, text: false, cut: None },
        Cell::Cut { total, cell: CutCell::Text(bytes) } => Value { bytes, text: true, cut: Some(total) },
        Cell::Cut { total, cell: CutCell::Bytes(bytes) } => Value { bytes, text: false, cut: Some(total) },
    };
    let kind = to.kind();
    if to.is_variable() && target.capacity < 0 && !target.pointer.is_null() {
        return Failure::new("HY090", "Invalid string or buffer length: the buffer's length is negative").into();
    }
    let same = if kind == Kind::Other { recorded == to } else { recorded.kind() == kind };
    if same && to.is_variable() {
        let Value { bytes, text, cut } = value;
        let content = if kind == Kind::WChar && text { Content::Widen(bytes) } else { Content::Raw(bytes) };
        // SAFETY: as this function's.
        return unsafe { target::deliver(kind, Whole { content, cut, least: 0 }, &mut target, progress) };
    }
    let written = match (same, to.fixed_size()) {
        // SAFETY: as this function's.
        (true, Some(size)) => unsafe { write_same(value, size, to, &target, progress) },
        // SAFETY: as this function's.
        _ => unsafe { write_other(value, recorded, to, &mut target, progress) },
    };
    written.unwrap_or_else(Written::from)
}

/// What a cell holds.
#[derive(Clone, Copy)]
struct Value<'a> {
    bytes: &'a [u8],
    /// Whether the bytes are text, or else the bytes as they were in memory.
    text: bool,
    /// The reported length, if it differs from the value's.
    cut: Option<i64>,
}

/// Writes a value of fixed size as it was recorded.
///
/// # Safety
/// As for [`write()`].
unsafe fn write_same(
    value: Value<'_>,
    size: usize,
    c_type: CType,
    target: &Target,
    progress: &mut Progress,
) -> Result<Written, Failure> {
    if !target.pointer.is_null() {
        let fixed = source::fixed_value(c_type, value.bytes, value.text)?;
        // SAFETY: the buffer has the size of the type.
        unsafe { target.put(0, fixed.as_bytes()) };
        progress.finished = true;
    }
    // SAFETY: as this function's.
    unsafe { target.put_length(value.cut.map_or(size as isize, |reported| reported as isize)) };
    Ok(Written::Success)
}

/// Writes a value as another C type.
///
/// # Safety
/// As for [`write()`].
unsafe fn write_other(
    value: Value<'_>,
    recorded: CType,
    to: CType,
    target: &mut Target,
    progress: &mut Progress,
) -> Result<Written, Failure> {
    let Value { bytes, text, cut } = value;
    let fixed = recorded.fixed_size().map(|_| source::fixed_value(recorded, bytes, text)).transpose()?;
    // A value of a fixed-size type was recorded completely, whatever length was reported.
    let cut = cut.filter(|_| fixed.is_none());
    if cut.is_some() && !to.is_variable() && recorded.kind() != Kind::Binary {
        return Err(Failure::not_recorded(bytes.len(), cut));
    }
    let wish = Requested { to, numeric: target.numeric, value: fixed, cut };
    let source = Source::of(recorded, bytes, text, fixed.as_ref());
    let converted = matrix::conversion(recorded, to)(&source, &wish)?;
    let whole = match converted {
        Converted::Fixed { value, lost } => {
            // SAFETY: the buffer has the size of `to`, which is that of the value.
            unsafe { target.put(0, value.as_bytes()) };
            // SAFETY: as this function's.
            unsafe { target.put_length(value.as_bytes().len() as isize) };
            progress.finished = true;
            return Ok(if lost { Written::FractionTruncated } else { Written::Success });
        }
        Converted::Recorded { content, cut } => Whole { content, cut, least: 0 },
        Converted::Made { ref bytes, least } if to.kind() == Kind::WChar => {
            Whole { content: Content::Widen(bytes), cut: None, least }
        }
        Converted::Made { ref bytes, least } => Whole { content: Content::Raw(bytes), cut: None, least },
    };
    // SAFETY: as this function's.
    Ok(unsafe { target::deliver(to.kind(), whole, target, progress) })
}
