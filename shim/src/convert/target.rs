//! The application's side of one value at replay: its buffer, length and indicator, and how far the application has
//! read.
#![allow(unsafe_code)]

use super::utf16;

/// SQL_NULL_DATA.
const NULL_DATA: isize = -1;

/// Where a value goes. Every pointer may be null, and none has to be aligned.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The buffer.
    pub pointer: *mut u8,
    /// The buffer's length in bytes; ignored for C types of a fixed size.
    pub capacity: isize,
    /// Where the length goes (SQL_DESC_OCTET_LENGTH_PTR).
    pub length: *mut isize,
    /// Where SQL_NULL_DATA goes (SQL_DESC_INDICATOR_PTR); nearly always the same address as `length`.
    pub indicator: *mut isize,
    /// SQL_DESC_PRECISION and SQL_DESC_SCALE of the application's descriptor, if it set them, for a NUMERIC target that
    /// was recorded as another type. Without them the number keeps its own digits.
    pub numeric: Option<(u8, i8)>,
    /// Whether a text that fills the buffer is cut off to make room for its terminator.
    pub terminates: bool,
}

impl Target {
    /// Returns a target whose length and indicator are the same, as in SQLGetData and SQLBindCol.
    pub fn new(pointer: *mut u8, capacity: isize, length_or_indicator: *mut isize) -> Target {
        let (length, indicator) = (length_or_indicator, length_or_indicator);
        Target { pointer, capacity, length, indicator, numeric: None, terminates: true }
    }

    /// Writes bytes to the buffer, `at` bytes from its beginning. Does nothing if there is no buffer.
    ///
    /// # Safety
    /// The buffer has this many bytes, and the application does not touch them now.
    #[inline]
    pub(super) unsafe fn put(&self, at: usize, bytes: &[u8]) {
        if !self.pointer.is_null() && !bytes.is_empty() {
            // SAFETY: inside the application's buffer by the caller's promise; our bytes are elsewhere.
            unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.pointer.add(at), bytes.len()) };
        }
    }

    /// Returns the first `length` bytes of the buffer (not null), to be written.
    ///
    /// # Safety
    /// As [`Target::put`].
    pub(super) unsafe fn room(&mut self, length: usize) -> &mut [u8] {
        // SAFETY: inside the application's buffer by the caller's promise; only written, as u8, without alignment.
        unsafe { std::slice::from_raw_parts_mut(self.pointer, length) }
    }

    /// Writes a value's length. A separate indicator becomes 0, which means not NULL.
    ///
    /// # Safety
    /// Both pointers are null or writable.
    #[inline]
    pub(super) unsafe fn put_length(&self, length: isize) {
        if !self.length.is_null() {
            // SAFETY: writable by the caller's promise; not taken to be aligned.
            unsafe { self.length.write_unaligned(length) };
        }
        if !self.indicator.is_null() && self.indicator != self.length {
            // SAFETY: as above.
            unsafe { self.indicator.write_unaligned(0) };
        }
    }

    /// Marks the value as NULL. Returns false if there is no indicator for that (SQLSTATE 22002).
    ///
    /// # Safety
    /// As [`Target::put_length`].
    pub(super) unsafe fn put_null(&self) -> bool {
        if !self.indicator.is_null() {
            // SAFETY: writable by the caller's promise; not taken to be aligned.
            unsafe { self.indicator.write_unaligned(NULL_DATA) };
        }
        !self.indicator.is_null()
    }
}

/// How far the application has read a value with SQLGetData. Each cell, and each C type that is asked for, needs a new
/// one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// How many bytes of the converted value were handed out.
    pub(super) served: usize,
    /// The length of the converted value in bytes, once it was counted.
    pub(super) whole: Option<usize>,
    /// How far the conversion to UTF-16 has come.
    pub(super) wide: utf16::Position,
    /// Whether the application has the whole value, so that the next call gets SQL_NO_DATA.
    pub(super) finished: bool,
}

impl Progress {
    /// Returns the progress of a value that was not read yet.
    pub fn new() -> Progress {
        Progress::default()
    }

    /// Returns whether any of the value was handed out.
    #[inline]
    pub(super) fn begun(&self) -> bool {
        self.finished || self.served > 0
    }

    /// Returns whether all of the value was handed out.
    pub fn is_finished(&self) -> bool {
        self.finished
    }
}
