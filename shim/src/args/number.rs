//! A number a function writes, perhaps with its size, watched or filled in.
#![allow(unsafe_code)]

use std::ffi::c_void;

/// What an output holds that the driver has not written: no driver writes this.
const UNWRITTEN: u64 = 0xA5C3_5A96_B1D2_6E87;

/// Where a length goes.
#[derive(Clone, Copy, Debug)]
pub enum LengthOut {
    /// The application did not ask.
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

/// A number the function writes.
#[derive(Clone, Copy, Debug)]
pub struct NumberOut {
    pub(super) pointer: *mut c_void,
    pub(super) size: u8,
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
number_out!(i16 u16 i32 u32 isize usize);

impl NumberOut {
    pub(super) fn read(self) -> i64 {
        // SAFETY: made from a pointer to an integer of this size (docs/safety.md, "application memory").
        unsafe {
            match self.size {
                2 => i64::from(self.pointer.cast::<i16>().read_unaligned()),
                4 => i64::from(self.pointer.cast::<i32>().read_unaligned()),
                _ => self.pointer.cast::<i64>().read_unaligned(),
            }
        }
    }

    /// Writes the low bytes of `value`; a null pointer takes nothing.
    pub fn write(self, value: i64) {
        if self.pointer.is_null() {
            return;
        }
        // SAFETY: as in `read`.
        unsafe {
            match self.size {
                2 => self.pointer.cast::<i16>().write_unaligned(value as i16),
                4 => self.pointer.cast::<i32>().write_unaligned(value as i32),
                _ => self.pointer.cast::<i64>().write_unaligned(value),
            }
        }
    }

    pub(super) fn mark(self) -> i64 {
        match self.size {
            2 => i64::from(UNWRITTEN as i16),
            4 => i64::from(UNWRITTEN as i32),
            _ => UNWRITTEN as i64,
        }
    }
}

impl NumberOut {
    /// Writes the low half of a number of 64 bits, as some drivers do: the upper half is the application's.
    pub fn write_half(self, value: i64) {
        let upper = if self.size == 8 && !self.pointer.is_null() { self.read() >> 32 << 32 } else { 0 };
        self.write(upper | value & 0xFFFF_FFFF);
    }

    /// The value if it was written, and whether only its low half was; otherwise the old value is put back.
    pub(super) fn settle(self, old: i64) -> Option<(i64, bool)> {
        let (value, mark) = (self.read(), self.mark());
        if value == mark {
            self.write(old);
            return None;
        }
        if self.size == 8 && value >> 32 == mark >> 32 {
            // A driver that writes 32 bits where ODBC asks for 64: the upper half is the application's.
            self.write(old >> 32 << 32 | value & 0xFFFF_FFFF);
            return Some((value & 0xFFFF_FFFF, true));
        }
        Some((value, false))
    }
}

/// A number with a place for its size in bytes.
#[derive(Clone, Copy, Debug)]
pub struct SizedOut {
    /// The number.
    pub number: NumberOut,
    pub(super) length: NumberOut,
    /// Whether drivers usually write the size: for SQLGetInfo they do, for attributes they do not.
    pub(super) usual: bool,
}

impl SizedOut {
    pub(super) fn usual_length(&self) -> Option<i64> {
        self.usual.then_some(i64::from(self.number.size))
    }

    /// Writes the number, and its size if that is usual.
    pub fn write(&self, value: i64) {
        self.write_with(Some(value), false, self.usual_length());
    }

    /// Writes what the driver wrote of the number and of its size.
    pub fn write_with(&self, value: Option<i64>, half: bool, length: Option<i64>) {
        match value {
            Some(value) if half => self.number.write_half(value),
            Some(value) => self.number.write(value),
            None => {}
        }
        if let Some(length) = length {
            self.length.write(length);
        }
    }
}
