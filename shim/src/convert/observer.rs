//! What a driver wrote to an application's buffers: they are looked at before a call and after it.
//!
//! **What is read**: a byte of an application's memory is read only where ODBC lets the driver read it at that call (a value that is
//! sent, as far as its length goes), or where the driver has just written it. What only may be there before the call, the buffer of an
//! output that is not sent and the odd byte of a buffer for wide characters, is read by the kernel, which finds out whether there is
//! memory.
//!
//! **What is marked**: nothing but numbers that the function has to write, see [`NumberOut::watch`](crate::args::NumberOut::watch). A
//! buffer is compared: there are drivers that read what they will only write to.
#![allow(unsafe_code)]

use super::{CType, Length};
use crate::args::{Binding, Place, WatchedNumber};
use crate::diagnostics::rc;

/// Whose length is in the length variable of an output parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LengthOf {
    /// Its own: no other parameter has the variable.
    This,
    /// Its own, since it is the last of those that share the variable.
    Last,
    /// That of a later parameter.
    Others,
}

impl LengthOf {
    /// What is known of the value's length.
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

/// The bytes of a parameter's buffer that hold a value, at most, and of how many bytes the terminator is that ends it before: no
/// more than its length says, whatever the capacity is said to be.
fn extent(binding: &Binding, c_type: CType, length: Length) -> (usize, Option<usize>) {
    let capacity = usize::try_from(binding.capacity).unwrap_or(0);
    match (length, c_type.fixed_size()) {
        (Length::Null, _) => (0, None),
        // What comes at execution has a number in its address's place.
        (Length::Bytes(length), _) if length < 0 && length != odbc_sys::NTS => (0, None),
        (_, Some(size)) => (size, None),
        (Length::Bytes(length), None) if length >= 0 => ((length as usize).min(capacity), None),
        (_, None) => (capacity, super::read::unit(c_type.kind())),
    }
}

/// The value of a parameter that is sent.
pub(super) fn held(binding: &Binding, c_type: CType, length: Length) -> &'static [u8] {
    let pointer = binding.target.address().cast();
    let (most, unit) = extent(binding, c_type, length);
    // SAFETY: the application promises the buffer of a parameter to be valid as far as its value goes; the caller lets go of the
    // bytes before it returns.
    unsafe {
        let size = unit.map_or(most, |unit| super::memory::terminated(pointer, unit, most));
        super::memory::bytes(pointer, size)
    }
}

/// How an output parameter is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Whose length is in its length variable.
    pub length: LengthOf,
    /// The driver reads its value. If it does not, what is there before the execution is nothing: a length of no value, behind
    /// which there may be no memory.
    pub sent: bool,
}

/// The buffer of an output parameter during a call.
pub struct WatchedBuffer {
    binding: Binding,
    c_type: CType,
    look: Look,
    /// What it held before; none where there is no memory.
    data: Option<Vec<u8>>,
    length: Option<isize>,
    indicator: Option<isize>,
}

impl WatchedBuffer {
    /// Looks at it before the driver is called.
    pub fn of(binding: Binding, c_type: CType, look: Look) -> WatchedBuffer {
        let (length, indicator) = (binding.length.len_at(0), binding.indicator.len_at(0));
        WatchedBuffer { binding, c_type, look, data: data(&binding, c_type, look), length, indicator }
    }

    /// The length of what the driver wrote since; `None` if the parameter is as it was.
    pub fn written(self) -> Option<Length> {
        let WatchedBuffer { binding, c_type, look, .. } = self;
        let same_length = look.length == LengthOf::Others
            || (binding.length.len_at(0) == self.length && binding.indicator.len_at(0) == self.indicator);
        let same = same_length && data(&binding, c_type, look) == self.data;
        (!same).then(|| look.length.reported(&binding, c_type))
    }
}

/// What is compared of a buffer. A length that several share says nothing of the bytes of one of them.
fn data(binding: &Binding, c_type: CType, look: Look) -> Option<Vec<u8>> {
    let shared = look.length != LengthOf::This && super::read::unit(c_type.kind()).is_some();
    let length = if shared { Length::Unknown } else { Length::reported(binding) };
    if look.sent {
        return Some(held(binding, c_type, length).to_vec());
    }
    let (most, unit) = extent(binding, c_type, length);
    super::memory::copied(binding.target.address().cast(), most, unit)
}

/// The buffers of SQLGetData during a call: the length, and the last byte of a buffer for wide characters whose size is odd. No
/// character has room there, but there are drivers that write half of a terminator.
pub struct WatchedCell {
    length: WatchedNumber,
    odd_byte: Option<OddByte>,
}

struct OddByte {
    place: Place,
    before: u8,
    /// Bytes of the buffer without this one.
    room: isize,
}

impl WatchedCell {
    /// Looks at them before the driver is called. The buffer need not be as long as the program says.
    #[inline]
    pub fn of(binding: &Binding) -> WatchedCell {
        let place = odd_byte(binding);
        let odd_byte = match place.is_null() {
            true => None,
            false => byte(place).map(|before| OddByte { place, before, room: binding.capacity - 1 }),
        };
        WatchedCell { length: binding.length.long().watch(), odd_byte }
    }

    /// The length that a driver wrote which returned `code`, and the odd byte, if the value fills the buffer and it is another one.
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

/// A byte of the application's, if there is memory.
#[cold]
fn byte(place: Place) -> Option<u8> {
    super::memory::copied(place.address().cast(), 1, None)?.first().copied()
}
