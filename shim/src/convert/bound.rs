//! Converts between cells and an application's buffer, as a call or a binding describes the buffer.
//!
//! Everything here takes a [`Binding`]. It is safe to call because the application promises that a binding's places are
//! valid (docs/safety.md, "application memory").
#![allow(unsafe_code)]

use super::observer::held;
use super::param::LeftOut;
use super::{CType, Length, Pieces, Progress, Target, Written, param};
use crate::args::{Binding, Place};
use super8_cassette::{Cell, Row, Value};

/// Reads what the driver left in a bound buffer into the row, with the length that it [reported](Length::reported).
/// `cut` says that the driver may have cut off the value: then a full buffer holds only a part of it, if the
/// application gave no place for the length. Returns true if the driver filled the buffer with text and wrote no
/// terminator.
#[inline]
pub fn read(
    binding: &Binding,
    c_type: CType,
    length: Length,
    cut: impl FnOnce() -> bool,
    row: &mut Row,
    column: usize,
    scratch: &mut Vec<u8>,
) -> bool {
    let target = binding.target.address().cast();
    // SAFETY: a buffer the application bound or passed for this type.
    if let Some(text) = unsafe { super::read::whole_text(c_type, target, binding.capacity, length) } {
        row.set(column, Cell::Text(text));
        return false;
    }
    read_any(binding, c_type, (length, cut()), row, column, scratch)
}

fn read_any(
    binding: &Binding,
    c_type: CType,
    (length, cut): (Length, bool),
    row: &mut Row,
    column: usize,
    scratch: &mut Vec<u8>,
) -> bool {
    let target = binding.target.address().cast();
    let length = match length {
        // SAFETY: as below.
        Length::Unknown if cut && unsafe { super::read::is_full(c_type, target, binding.capacity) } => Length::NoTotal,
        length => length,
    };
    // SAFETY: a buffer the application bound or passed for this type.
    unsafe { super::read(c_type, target, binding.capacity, length, row, column, scratch) }
    is_unterminated(binding, c_type, length)
}

/// Returns whether the driver filled the buffer with text and wrote no terminator.
pub fn is_unterminated(binding: &Binding, c_type: CType, length: Length) -> bool {
    let room = super::read::room(c_type.kind(), binding.capacity);
    match length {
        Length::Bytes(total) if total > room as isize && !binding.target.is_null() && c_type.is_variable() => {
            let target = binding.target.address().cast();
            // SAFETY: a buffer the application bound or passed for this type, which the driver has filled.
            let received = unsafe { super::read::received(c_type.kind(), target, binding.capacity, length) };
            received.length > room
        }
        _ => false,
    }
}

/// Reads what the driver left in a buffer into the row, with a length that is known already.
#[inline]
pub fn read_as(binding: &Binding, c_type: CType, length: Length, row: &mut Row, column: usize, scratch: &mut Vec<u8>) {
    // SAFETY: a buffer the application passed for this type.
    unsafe { super::read(c_type, binding.target.address().cast(), binding.capacity, length, row, column, scratch) }
}

/// Adds what one SQLGetData call left in the buffer.
pub fn push(pieces: &mut Pieces, binding: &Binding, c_type: CType, length: Length) {
    // SAFETY: the buffer the application passed for this type.
    unsafe { pieces.push(c_type, binding.target.address().cast(), binding.capacity, length) }
}

/// Writes zeros to the buffer of a NULL.
pub fn write_zeros(binding: &Binding, c_type: CType) {
    let Some(size) = c_type.null_size() else { return };
    if c_type.fixed_size().is_some() || binding.capacity >= size as isize {
        binding.target.set_bytes(&[0; 32][..size.min(32)]);
    }
}

/// Writes the length of a value for which there is no buffer.
pub fn write_length(binding: &Binding, length: isize) {
    let indicator = if binding.indicator.is_null() { binding.length } else { binding.indicator };
    if length == odbc_sys::NULL_DATA { indicator } else { binding.length }.set_len(length);
}

/// What an execution sends for a parameter.
pub enum Sent {
    /// The value, as the cassette has it.
    Value(Value),
    /// The value comes with SQLPutData.
    AtExecution,
}

/// Reads a bound input parameter.
pub fn parameter(binding: &Binding, c_type: CType) -> Sent {
    sent(binding, c_type, binding.length.len_at(0))
}

/// Reads a bound column that SQLSetPos or SQLBulkOperations sends. Reads no more than its buffer, because the length
/// may be one that a fetch left there.
pub fn column(binding: &Binding, c_type: CType) -> Sent {
    let most = if c_type.is_variable() { binding.capacity.max(0) } else { isize::MAX };
    sent(binding, c_type, binding.length.len_at(0).map(|length| length.min(most)))
}

fn sent(binding: &Binding, c_type: CType, length: Option<isize>) -> Sent {
    // SAFETY: the application promises the buffer to be valid when the statement is executed.
    let value = unsafe {
        param::value(c_type, binding.target.address().cast(), binding.capacity, length, binding.indicator.len_at(0))
    };
    match value {
        Ok(value) => Sent::Value(scaled(value, binding)),
        Err(param::Refused::DataAtExec) => Sent::AtExecution,
        // What comes of these is for the driver to say.
        Err(param::Refused::NoBuffer) => Sent::Value(Value::Map(vec![("NO_BUFFER".to_owned(), Value::Null)])),
        Err(param::Refused::BadLength(length)) => {
            Sent::Value(Value::Map(vec![("BAD_LENGTH".to_owned(), Value::from(length))]))
        }
    }
}

/// Adds precision and scale to a number whose descriptor says other ones than its structure. Drivers differ in which
/// they use.
fn scaled(mut value: Value, binding: &Binding) -> Value {
    if let (Some((precision, scale)), Value::Map(pairs)) = (binding.numeric, &mut value)
        && let [(name, Value::Text(text))] = &mut pairs[..]
        && *name == CType::NUMERIC.name()
        && held(binding, CType::NUMERIC, Length::reported(binding)).get(..2) != Some(&[precision, scale as u8])
    {
        *text = format!("{text} by ({precision},{scale})");
    }
    value
}

/// Returns what is sent for a SQL_NUMERIC_STRUCT by a driver that uses this precision and scale, which are a parameter's
/// or a column's, instead of those in the structure.
pub fn numeric_of(binding: &Binding, said: (u8, i8, &str)) -> Option<Value> {
    param::numeric_of(held(binding, CType::NUMERIC, Length::Unknown), said)
}

/// What is sent for a structure by a driver that does not read this part of it; none where there is no such part.
pub fn without(left_out: LeftOut, binding: &Binding, c_type: CType) -> Option<Value> {
    left_out.value(c_type, held(binding, c_type, Length::Unknown))
}

/// A piece of a value that SQLPutData sends.
pub enum Chunk<'a> {
    /// Data.
    Bytes(&'a [u8]),
    /// NULL, or the parameter's default.
    Special(Value),
    /// A length that makes no sense.
    Wrong(isize),
}

/// Reads what one SQLPutData call sends (its reference page, "StrLen_or_Ind").
pub fn chunk<'a>(c_type: CType, data: Place, length: isize) -> Chunk<'a> {
    let bytes = |count: usize| {
        // SAFETY: the application's promise to SQLPutData.
        Chunk::Bytes(if data.is_null() {
            &[]
        } else {
            unsafe { std::slice::from_raw_parts(data.address().cast(), count) }
        })
    };
    match (length, c_type.fixed_size()) {
        (odbc_sys::NULL_DATA, _) => Chunk::Special(Value::Null),
        (DEFAULT_PARAM, _) => Chunk::Special(Value::Map(vec![("DEFAULT_PARAM".to_owned(), Value::Null)])),
        (_, Some(size)) => bytes(size),
        (odbc_sys::NTS, None) => {
            let unit = if c_type == CType::WCHAR { 2 } else { 1 };
            // SAFETY: SQL_NTS promises a terminator.
            bytes(if data.is_null() {
                0
            } else {
                unsafe { super::memory::terminated(data.address().cast(), unit, isize::MAX as usize) }
            })
        }
        (length, None) => usize::try_from(length).map_or(Chunk::Wrong(length), bytes),
    }
}

/// SQL_DEFAULT_PARAM.
const DEFAULT_PARAM: isize = -5;

/// Writes a text that was recorded completely as this type, was not read before and has room. Returns false and does
/// nothing for any other.
#[inline(always)] // for every cell
pub fn write_text(text: &[u8], to: CType, binding: &Binding, progress: &mut Progress) -> bool {
    // SAFETY: a buffer the application bound or passed for this type.
    unsafe { super::write_text(text, to, &mut target(binding, true), progress) }
}

/// Writes a cell that was recorded as `recorded` to a buffer of type `to`.
#[inline]
pub fn write(
    cell: &Cell<'_>,
    recorded: CType,
    to: CType,
    binding: &Binding,
    progress: Option<&mut Progress>,
) -> Written {
    // SAFETY: a buffer the application bound or passed for this type.
    unsafe { super::write(cell, recorded, to, target(binding, true), progress) }
}

/// Writes a cell like a driver that writes no terminator to a buffer that is full.
pub fn write_unterminated(
    cell: &Cell<'_>,
    recorded: CType,
    to: CType,
    binding: &Binding,
    progress: Option<&mut Progress>,
) -> Written {
    // SAFETY: a buffer the application bound or passed for this type.
    unsafe { super::write(cell, recorded, to, target(binding, false), progress) }
}

#[inline]
fn target(binding: &Binding, terminates: bool) -> Target {
    Target {
        pointer: binding.target.address().cast(),
        capacity: binding.capacity,
        length: binding.length.address().cast(),
        // If the application gave only a place for the length, SQL_NULL_DATA goes there, as with drivers.
        indicator: if binding.indicator.is_null() { binding.length } else { binding.indicator }.address().cast(),
        numeric: binding.numeric,
        terminates,
    }
}
