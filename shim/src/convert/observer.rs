//! Finds out what a driver wrote to an application's buffers, by looking at them before a call and after it.
//!
//! **What is read**: a byte of an application's memory is read only if ODBC lets the driver read it at that call (a
//! value that is sent, as far as its length goes), or if the driver has just written it. Two places may have no memory
//! behind them before the call: the buffer of an output that is not sent, and the odd byte of a buffer for wide
//! characters. The kernel reads those, because it finds out whether there is memory.
//!
//! **What is marked**: only numbers that the function has to write, see
//! [`NumberOut::watch`](crate::args::NumberOut::watch). A buffer is compared instead, because some drivers read what
//! they should only write to.
#![allow(unsafe_code)]

use super::{CType, Length};
use crate::args::{Binding, Place, WatchedNumber};
use crate::diagnostics::rc;

/// Whose length the length variable of an output parameter holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LengthOf {
    /// The parameter's own: no other parameter has the variable.
    This,
    /// The parameter's own, because it is the last of those that share the variable.
    Last,
    /// That of a later parameter.
    Others,
}

impl LengthOf {
    /// Returns what is known of the value's length.
    fn reported(self, binding: &Binding, c_type: CType) -> Length {
        match self {
            LengthOf::Others if c_type.is_variable() && super::read::unit(c_type.kind()).is_none() => {
                Length::reported(binding)
            }
            LengthOf::Others => Length::Unknown,
            _ => Length::reported(binding),
        }
    }
}

/// Returns how many bytes of a parameter's buffer hold a value at most, and the size in bytes of a terminator that may
/// end it earlier. That is no more than the length says, whatever the capacity is said to be.
fn extent(binding: &Binding, c_type: CType, length: Length) -> (usize, Option<usize>) {
    let capacity = usize::try_from(binding.capacity).unwrap_or(0);
    match (length, c_type.fixed_size()) {
        (Length::Null, _) => (0, None),
        // Data at execution has a number in place of its address.
        (Length::Bytes(length), _) if length < 0 && length != odbc_sys::NTS => (0, None),
        (_, Some(size)) => (size, None),
        (Length::Bytes(length), None) if length >= 0 => ((length as usize).min(capacity), None),
        (_, None) => (capacity, super::read::unit(c_type.kind())),
    }
}

/// Returns the value of a parameter that is sent.
pub(super) fn held(binding: &Binding, c_type: CType, length: Length) -> &'static [u8] {
    let pointer = binding.target.address().cast();
    let (most, unit) = extent(binding, c_type, length);
    // SAFETY: the application promises the buffer of a parameter to be valid as far as its value goes; the caller lets
    // go of the bytes before it returns.
    unsafe {
        let size = unit.map_or(most, |unit| super::memory::terminated(pointer, unit, most));
        super::memory::bytes(pointer, size)
    }
}

/// How to look at an output parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputShape {
    /// Whose length the parameter's length variable holds.
    pub length: LengthOf,
    /// Whether the driver reads the parameter's value. If it does not, the length has no value before the execution,
    /// and there may be no memory behind it.
    pub sent: bool,
}

/// The buffer of an output parameter during a call.
pub struct WatchedBuffer {
    binding: Binding,
    c_type: CType,
    look: OutputShape,
    /// What the buffer held before; `None` if there is no memory.
    data: Option<Vec<u8>>,
    length: Option<isize>,
    indicator: Option<isize>,
}

impl WatchedBuffer {
    /// Looks at the buffer before the driver is called.
    pub fn of(binding: Binding, c_type: CType, look: OutputShape) -> WatchedBuffer {
        let (length, indicator) = (binding.length.len_at(0), binding.indicator.len_at(0));
        WatchedBuffer { binding, c_type, look, data: data(&binding, c_type, look), length, indicator }
    }

    /// Returns the length of what the driver wrote since then; `None` if the parameter did not change.
    pub fn written(self) -> Option<Length> {
        let WatchedBuffer { binding, c_type, look, .. } = self;
        let same_length = look.length == LengthOf::Others
            || (binding.length.len_at(0) == self.length && binding.indicator.len_at(0) == self.indicator);
        let same = same_length && data(&binding, c_type, look) == self.data;
        (!same).then(|| look.length.reported(&binding, c_type))
    }
}

/// Returns the bytes of a buffer that are compared. A length that several parameters share says nothing about the bytes
/// of one of them.
fn data(binding: &Binding, c_type: CType, look: OutputShape) -> Option<Vec<u8>> {
    let shared = look.length != LengthOf::This && super::read::unit(c_type.kind()).is_some();
    let length = if shared { Length::Unknown } else { Length::reported(binding) };
    if look.sent {
        return Some(held(binding, c_type, length).to_vec());
    }
    let (most, unit) = extent(binding, c_type, length);
    super::memory::copied(binding.target.address().cast(), most, unit)
}

/// The buffers of SQLGetData during a call: the length, and the last byte of a buffer for wide characters whose size is
/// odd. No character has room in that byte, but some drivers write half of a terminator there.
pub struct WatchedCell {
    length: WatchedNumber,
    odd_byte: Option<OddByte>,
}

struct OddByte {
    place: Place,
    before: u8,
    /// The size of the buffer in bytes without this byte.
    room: isize,
}

impl WatchedCell {
    /// Looks at the buffers before the driver is called. They need not be as long as the program says.
    #[inline]
    pub fn of(binding: &Binding) -> WatchedCell {
        let place = odd_byte(binding);
        let odd_byte = match place.is_null() {
            true => None,
            false => byte(place).map(|before| OddByte { place, before, room: binding.capacity - 1 }),
        };
        WatchedCell { length: binding.length.long().watch(), odd_byte }
    }

    /// Returns the length that the driver wrote, which returned `code`, and the odd byte, if the value fills the buffer
    /// and the byte changed.
    #[inline]
    pub fn written(self, code: i16) -> (Option<isize>, Option<u8>) {
        let length = self.length.written_length();
        (length, self.odd_byte.and_then(|odd_byte| odd_byte.written(code, length)))
    }
}

impl OddByte {
    fn written(self, code: i16, length: Option<isize>) -> Option<u8> {
        let fills = match length {
            Some(length) => rc::succeeded(code) && (length >= self.room || length == odbc_sys::NO_TOTAL),
            None => code == rc::SUCCESS_WITH_INFO,
        };
        fills.then(|| byte(self.place)).flatten().filter(|byte| *byte != self.before)
    }
}

/// Writes what a driver wrote to the odd byte.
pub fn write_odd_byte(binding: &Binding, byte: i64) {
    odd_byte(binding).set_bytes(&[byte as u8]);
}

#[inline]
fn odd_byte(binding: &Binding) -> Place {
    let capacity = binding.capacity;
    match CType(binding.c_type) == CType::WCHAR && capacity > 0 && capacity % 2 == 1 {
        true => binding.target.offset(capacity - 1),
        false => Place::NULL,
    }
}

/// Reads a byte of the application's, if there is memory.
#[cold]
fn byte(place: Place) -> Option<u8> {
    super::memory::copied(place.address().cast(), 1, None)?.first().copied()
}
