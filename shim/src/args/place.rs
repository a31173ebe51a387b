//! A place in the application's memory that a call may read or write.
#![allow(unsafe_code)]

use super::NumberOut;
use std::cell::UnsafeCell;
use std::ffi::c_void;

/// An address that the application gave, possibly null. Reads and writes through a null place do nothing.
///
/// Invariant (docs/safety.md, "application memory"): an entry point makes a place from an argument that ODBC requires
/// to be valid for the accesses of that function, for as long as ODBC requires it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place(*mut c_void);

// SAFETY: a place is only a number until it is used; ODBC lets any thread use a statement and its bindings.
unsafe impl Send for Place {}

impl Default for Place {
    fn default() -> Self {
        Place::NULL
    }
}

impl Place {
    /// The null place.
    pub const NULL: Place = Place(std::ptr::null_mut());

    /// Returns the place at `pointer`.
    ///
    /// # Safety
    /// `pointer` is null or valid as the ODBC reference requires of the argument it came from.
    pub const unsafe fn new(pointer: *mut c_void) -> Self {
        Place(pointer)
    }

    /// Returns a number in place of an address, as SQLSetStmtAttr passes numbers. It is never read or written through.
    pub fn of_word(word: usize) -> Self {
        Place(word as *mut c_void)
    }

    /// Returns whether the application passed a null pointer.
    pub fn is_null(self) -> bool {
        self.0.is_null()
    }

    /// Returns the address, for the conversions and for handing it back to the application.
    pub fn address(self) -> *mut c_void {
        self.0
    }

    /// Returns the place `bytes` further on. Null stays null.
    pub fn offset(self, bytes: isize) -> Place {
        if self.0.is_null() { self } else { Place(self.0.wrapping_byte_offset(bytes)) }
    }

    /// Reads the SQLLEN at index `index`.
    pub fn len_at(self, index: usize) -> Option<isize> {
        self.read(index)
    }

    /// Reads the SQLUSMALLINT at index `index`.
    pub fn u16_at(self, index: usize) -> Option<u16> {
        self.read(index)
    }

    /// Reads the pointer at this place.
    pub fn pointer_at(self) -> Place {
        Place(self.read(0).unwrap_or(std::ptr::null_mut()))
    }

    /// Writes an SQLLEN.
    pub fn set_len(self, value: isize) {
        self.write(0, value);
    }

    /// Writes an SQLULEN.
    pub fn set_ulen(self, value: usize) {
        self.write(0, value);
    }

    /// Writes the SQLUSMALLINT at index `index`.
    pub fn set_u16_at(self, index: usize, value: u16) {
        self.write(index, value);
    }

    /// Writes a pointer.
    pub fn set_pointer(self, value: Place) {
        self.write(0, value.0);
    }

    /// Returns the SQLLEN or SQLULEN at this place, as a number to watch.
    #[inline]
    pub fn long(self) -> NumberOut {
        NumberOut::from(self.0.cast::<isize>())
    }

    /// Returns the SQLUSMALLINT at index `index`, as a number to watch.
    pub fn short_at(self, index: usize) -> NumberOut {
        NumberOut::from(self.offset((index * size_of::<u16>()) as isize).0.cast::<u16>())
    }

    /// Returns the SQLINTEGER at this place, as a number to watch.
    pub fn int(self) -> NumberOut {
        NumberOut::from(self.0.cast::<i32>())
    }

    /// Returns the byte at this place, as a number to watch.
    pub fn byte(self) -> NumberOut {
        NumberOut::from(self.0.cast::<u8>())
    }

    /// Copies `bytes` to this place.
    pub fn set_bytes(self, bytes: &[u8]) {
        if !self.0.is_null() {
            // SAFETY: the caller writes no more than the capacity the application gave with this place.
            unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.0.cast(), bytes.len()) }
        }
    }

    fn read<T: Copy>(self, index: usize) -> Option<T> {
        // SAFETY: the invariant of `Place`; applications need not align.
        (!self.0.is_null()).then(|| unsafe { self.0.cast::<T>().add(index).read_unaligned() })
    }

    fn write<T>(self, index: usize, value: T) {
        if !self.0.is_null() {
            // SAFETY: the invariant of `Place`; applications need not align.
            unsafe { self.0.cast::<T>().add(index).write_unaligned(value) }
        }
    }
}

/// super8's own memory that a driver is lent to write to. Whoever lends it keeps it until the driver has another
/// address.
pub struct OwnMemory(Box<[UnsafeCell<u64>]>);

impl OwnMemory {
    /// Returns this many bytes, all zero.
    pub fn new(bytes: usize) -> OwnMemory {
        OwnMemory((0..bytes.div_ceil(size_of::<u64>())).map(|_| UnsafeCell::new(0)).collect())
    }

    /// Returns where the memory begins.
    pub fn place(&self) -> Place {
        Place(self.0.as_ptr().cast::<c_void>().cast_mut())
    }
}
