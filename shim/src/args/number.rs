//! A number that a function writes, possibly with its size: watched during a call, or filled in.
//!
//! To tell what a driver wrote from what it left alone, a number that the function only writes is marked, before the
//! call, with a value that no driver writes. If the number still holds that value after the call, it was not written
//! and gets its old value back. A number that a driver may read as well is compared instead. Only this file marks
//! memory, and only this file knows of drivers that write 32 bits where ODBC asks for 64.
#![allow(unsafe_code)]

use std::ffi::c_void;

/// The mark that an output holds until the driver writes it. No driver writes this value. Its second byte occurs in no
/// text.
const UNWRITTEN: u64 = 0xA5C3_5A96_B1D2_1A87;

/// Where a length goes.
#[derive(Clone, Copy, Debug)]
pub enum LengthOut {
    /// The application did not ask for the length.
    None,
    /// SQLSMALLINT.
    Short(*mut i16),
    /// SQLINTEGER.
    Long(*mut i32),
}

impl From<*mut i16> for LengthOut {
    fn from(pointer: *mut i16) -> Self {
        if pointer.is_null() { LengthOut::None } else { LengthOut::Short(pointer) }
    }
}

impl From<*mut i32> for LengthOut {
    fn from(pointer: *mut i32) -> Self {
        if pointer.is_null() { LengthOut::None } else { LengthOut::Long(pointer) }
    }
}

impl LengthOut {
    pub(super) fn number(self) -> Option<NumberOut> {
        match self {
            LengthOut::None => None,
            LengthOut::Short(pointer) => Some(NumberOut { pointer: pointer.cast(), size: 2 }),
            LengthOut::Long(pointer) => Some(NumberOut { pointer: pointer.cast(), size: 4 }),
        }
    }
}

/// A number that the function writes.
#[derive(Clone, Copy, Debug)]
pub struct NumberOut {
    pub(super) pointer: *mut c_void,
    pub(super) size: u8,
}

// SAFETY: like a `Place`, an address that ODBC lets any thread use that calls the function.
unsafe impl Send for NumberOut {}

/// What the driver wrote to a number that was watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrittenNumber {
    /// The number, or its low half.
    pub value: i64,
    /// Whether the driver wrote only the low half of the bytes.
    pub half: bool,
}

macro_rules! number_out {
    ($($integer:ty)*) => {$(
        impl From<*mut $integer> for NumberOut {
            fn from(pointer: *mut $integer) -> Self {
                NumberOut { pointer: pointer.cast(), size: size_of::<$integer>() as u8 }
            }
        }
    )*};
}
number_out!(u8 i16 u16 i32 u32 isize usize);

impl NumberOut {
    #[inline]
    pub(super) fn read(self) -> i64 {
        // SAFETY: made from a pointer to an integer of this size (docs/safety.md, "application memory").
        unsafe {
            match self.size {
                1 => i64::from(self.pointer.cast::<i8>().read()),
                2 => i64::from(self.pointer.cast::<i16>().read_unaligned()),
                4 => i64::from(self.pointer.cast::<i32>().read_unaligned()),
                _ => self.pointer.cast::<i64>().read_unaligned(),
            }
        }
    }

    /// Writes the low bytes of `value`. A null pointer takes nothing.
    #[inline]
    pub fn write(self, value: i64) {
        if self.pointer.is_null() {
            return;
        }
        // SAFETY: as in `read`.
        unsafe {
            match self.size {
                1 => self.pointer.cast::<i8>().write(value as i8),
                2 => self.pointer.cast::<i16>().write_unaligned(value as i16),
                4 => self.pointer.cast::<i32>().write_unaligned(value as i32),
                _ => self.pointer.cast::<i64>().write_unaligned(value),
            }
        }
    }

    pub(super) fn mark(self) -> i64 {
        match self.size {
            1 => i64::from(UNWRITTEN as i8),
            2 => i64::from(UNWRITTEN as i16),
            4 => i64::from(UNWRITTEN as i32),
            _ => UNWRITTEN as i64,
        }
    }
}

impl NumberOut {
    /// Writes this many bytes of the number, as some drivers do. With fewer bytes than the number has, the rest stays
    /// the application's; there may also be more.
    pub fn write_bytes(self, value: i64, bytes: u8) {
        NumberOut { size: bytes, ..self }.write(value);
    }

    /// Writes the low half of the number's bytes.
    pub fn write_half(self, value: i64) {
        self.write_bytes(value, self.half_size());
    }

    /// Returns the number, if the driver has written this many bytes.
    pub fn value_of(self, bytes: u8) -> i64 {
        NumberOut { size: bytes, ..self }.value()
    }

    /// Returns how many bytes a driver writes that writes only half of them: 4 of 8, 2 of 4.
    pub fn half_size(self) -> u8 {
        if self.size >= 4 { self.size / 2 } else { self.size }
    }

    /// Returns the number as it is; 0 for a null pointer.
    pub fn value(self) -> i64 {
        if self.pointer.is_null() { 0 } else { self.read() }
    }

    /// Watches a number that the function has to write and does not read: marks it as unwritten.
    #[inline]
    pub fn watch(self) -> WatchedNumber {
        let before = self.value();
        self.write(self.mark());
        WatchedNumber { number: self, before, marked: true }
    }

    /// Watches a number that a driver may read or count on from. It counts as written if it differs after the call.
    pub fn compare(self) -> WatchedNumber {
        WatchedNumber { number: self, before: self.value(), marked: false }
    }
}

/// A number that is watched during a call.
#[derive(Clone, Copy, Debug)]
pub struct WatchedNumber {
    pub(super) number: NumberOut,
    /// What the number held before the call; 0 for a null pointer.
    pub(super) before: i64,
    marked: bool,
}

impl WatchedNumber {
    /// Returns what the driver wrote, if it wrote anything. Restores what it did not write, and the upper half of a
    /// number of which it wrote only the low half, because that is what the application would find without super8.
    #[inline]
    pub fn written(self) -> Option<WrittenNumber> {
        let WatchedNumber { number, before, marked } = self;
        if number.pointer.is_null() {
            return None;
        }
        let value = number.read();
        if !marked {
            return (value != before).then_some(WrittenNumber { value, half: false });
        }
        let mark = number.mark();
        if value == mark {
            number.write(before);
            return None;
        }
        let bits = 8 * u32::from(number.half_size());
        if number.size < 4 || value >> bits != mark >> bits {
            return Some(WrittenNumber { value, half: false });
        }
        let low = value & ((1 << bits) - 1);
        number.write(before >> bits << bits | low);
        Some(WrittenNumber { value: low, half: true })
    }

    /// Returns the length that the driver wrote. If it wrote only 32 bits, the application gets the whole number,
    /// because half of SQL_NULL_DATA would be a length.
    #[inline]
    pub fn written_length(self) -> Option<isize> {
        let written = self.written()?;
        if written.half {
            let length = written.value as i32;
            self.number.write(length.into());
            return Some(length as isize);
        }
        Some(written.value as isize)
    }
}

/// What a driver may write to during a call, as it was before the call.
pub trait Watched {
    /// Gives up the call: restores what the driver has not written.
    fn give_up(self);
}

impl Watched for () {
    fn give_up(self) {}
}

impl Watched for WatchedNumber {
    fn give_up(self) {
        self.written();
    }
}

impl<W: Watched> Watched for Option<W> {
    fn give_up(self) {
        self.into_iter().for_each(W::give_up);
    }
}

impl<W: Watched> Watched for Vec<W> {
    fn give_up(self) {
        self.into_iter().for_each(W::give_up);
    }
}

/// A number with a place for its size in bytes.
#[derive(Clone, Copy, Debug)]
pub struct SizedOut {
    /// The number.
    pub number: NumberOut,
    pub(super) length: NumberOut,
    /// Whether drivers usually write the size. They do for SQLGetInfo, but not for attributes.
    pub(super) usual: bool,
}

impl SizedOut {
    pub(super) fn usual_length(&self) -> Option<i64> {
        self.usual.then_some(i64::from(self.number.size))
    }

    /// Writes the number, and its size if that is usual.
    pub fn write(&self, value: i64) {
        self.write_with(Some(value), None, self.usual_length());
    }

    /// Writes what the driver wrote of the number and of its size.
    pub fn write_with(&self, value: Option<i64>, bytes: Option<u8>, length: Option<i64>) {
        if let Some(value) = value {
            self.number.write_bytes(value, bytes.unwrap_or(self.number.size));
        }
        if let Some(length) = length {
            self.length.write(length);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_written_is_as_it_was_and_half_of_a_number_keeps_the_other_half() {
        let mut number = 0x1234_5678_9ABC_DEF0_u64 as usize;
        let out = NumberOut::from(&raw mut number);
        assert_eq!(out.watch().written(), None);
        assert_eq!(out.value(), 0x1234_5678_9ABC_DEF0);
        let watched = out.watch();
        NumberOut::from((&raw mut number).cast::<u32>()).write(2);
        assert_eq!(watched.written(), Some(WrittenNumber { value: 2, half: true }));
        assert_eq!(out.value(), 0x1234_5678_0000_0002);
        let watched = out.watch();
        out.write(-1);
        assert_eq!(watched.written(), Some(WrittenNumber { value: -1, half: false }));
        let compared = out.compare();
        assert_eq!(compared.written(), None);
        out.write(7);
        assert_eq!(compared.written(), Some(WrittenNumber { value: 7, half: false }));
        let length = out.watch();
        NumberOut::from((&raw mut number).cast::<u32>()).write(-1);
        assert_eq!((length.written_length(), out.value()), (Some(-1), -1));
        for null in [NumberOut::from(std::ptr::null_mut::<usize>()), NumberOut::from(std::ptr::null_mut::<u8>())] {
            assert_eq!(null.watch().written(), None);
        }
    }
}
