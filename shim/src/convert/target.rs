//! The application's side of one value at replay: its buffer, length and indicator, how far the application has read, and
//! the next chunk of a value of any length: as much as the buffer holds now, and the rest with the next calls.
//!
//! ODBC reference: SQLGetData, "Retrieving Variable-Length Data in Parts".
#![allow(unsafe_code)]

use super::conversion::{Content, Failure, Written};
use super::ctype::Kind;
use super::read::SHORT_OF_CHARACTER;
use super::{read, utf16};

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
}

/// What is to be handed out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whole<'a> {
    pub(super) content: Content<'a>,
    /// The value's length in bytes in the target's form, if only its beginning was recorded; negative if the driver did
    /// not tell it.
    pub(super) cut: Option<i64>,
    /// How many characters (bytes for BINARY) must fit, or else the conversion fails: the whole digits of a number, the
    /// date of a timestamp. A buffer of length zero only asks how long the value is.
    pub(super) least: usize,
}

/// Writes the next piece for a target of this kind: CHAR, WCHAR, BINARY or one of the driver's own.
///
/// # Safety
/// The target's pointers are null or writable, the buffer over its whole capacity.
pub(super) unsafe fn deliver(kind: Kind, whole: Whole<'_>, target: &mut Target, progress: &mut Progress) -> Written {
    let unit = read::unit(kind);
    let width = unit.unwrap_or(1);
    let have = match whole.content {
        Content::Raw(bytes) => bytes.len(),
        Content::Hex(bytes) => 2 * width * bytes.len(),
        Content::Widen(text) => *progress.whole.get_or_insert_with(|| 2 * utf16::units(text)),
    };
    let left = have.saturating_sub(progress.served);
    // A length that is not in whole units (an odd one for WCHAR) belongs to a value that was recorded completely.
    let cut = whole.cut.filter(|total| !(have as i64..(have + width) as i64).contains(total));
    let length = match whole.cut {
        Some(total @ 0..) => total.saturating_sub(progress.served as i64),
        Some(unknown) => unknown,
        None => left as i64,
    } as isize;
    if target.pointer.is_null() {
        // SAFETY: as this function's.
        unsafe { target.put_length(length) };
        return Written::Success;
    }
    let room = match target.terminates {
        true => read::room(kind, target.capacity),
        false => usize::try_from(target.capacity).unwrap_or(0) / width * width,
    };
    let terminated = unit.is_none_or(|unit| target.capacity >= unit as isize);
    if progress.served == 0 && target.capacity > 0 && left > room && room < whole.least * width {
        return Failure::out_of_range("the buffer is too small for the whole part of the value").into();
    }
    let give = room.min(left);
    let fits = match cut {
        None => left <= room && terminated,
        Some(_) => {
            let short = unit.map_or(0, |unit| if unit == 1 { SHORT_OF_CHARACTER } else { unit });
            let to_the_end = length >= 0 && length as usize <= room;
            if to_the_end || room - give > short || (room > 0 && left == 0 && progress.served > 0) {
                return Failure::not_recorded(have, whole.cut).into();
            }
            false
        }
    };
    if give > 0 {
        // SAFETY: no more than the buffer's capacity.
        let place = unsafe { target.room(give) };
        match whole.content {
            Content::Raw(bytes) => place.copy_from_slice(&bytes[progress.served..progress.served + give]),
            Content::Hex(bytes) => write_hex(bytes, progress.served, width, place),
            Content::Widen(text) => {
                if utf16::encode(text, &mut progress.wide, place) != Some(give) {
                    return Failure::bad_cell("it is not UTF-8").into();
                }
            }
        }
    }
    if let Some(unit) = unit.filter(|_| terminated && (target.terminates || give < room)) {
        // SAFETY: `room` left this place of the buffer for the terminator.
        unsafe { target.put(give, &[0; 2][..unit]) };
    }
    // SAFETY: as this function's.
    unsafe { target.put_length(length) };
    progress.served += give;
    progress.finished = fits;
    if fits { Written::Success } else { Written::Truncated }
}

fn write_hex(bytes: &[u8], served: usize, width: usize, place: &mut [u8]) {
    for (index, character) in place.chunks_exact_mut(width).enumerate() {
        let digit = served / width + index;
        let nibble = if digit.is_multiple_of(2) { bytes[digit / 2] >> 4 } else { bytes[digit / 2] & 15 };
        let ascii = b"0123456789ABCDEF"[usize::from(nibble)];
        match character {
            [byte] => *byte = ascii,
            [..] => character.copy_from_slice(&u16::from(ascii).to_ne_bytes()),
        }
    }
}
