//! A value that the application fetches in pieces, by calling SQLGetData repeatedly.
#![allow(unsafe_code)]

use super8_cassette::{Cell, Row};

use super::ctype::CType;
use super::read::{self, Length, NO_TOTAL, SHORT_OF_CHARACTER};

/// How much memory is kept for the next value. A larger value gives its memory back.
const KEPT: usize = 64 * 1024;

/// The pieces of one cell so far. [`Pieces::finish`] empties it, so that it can be used for the next cell.
#[derive(Debug, Default)]
pub struct Pieces {
    c_type: Option<CType>,
    bytes: Vec<u8>,
    /// The last piece, if the value goes on after it.
    last: Option<Last>,
    null: bool,
    /// Set if the application gave no buffer so far, so that there are only lengths.
    unreceived: Option<Length>,
}

/// A piece whose end is not known, because the driver may have stopped short of a character that had no room.
#[derive(Clone, Copy, Debug)]
struct Last {
    /// Where the piece begins.
    begin: usize,
    /// Where the piece ends, as far as its bytes tell.
    end: usize,
    /// The length that the driver reported with the piece, counted from its beginning.
    reported: isize,
}

impl Pieces {
    /// Returns an empty set of pieces.
    pub fn new() -> Pieces {
        Pieces::default()
    }

    /// Returns the C type of the pieces so far; `None` if there are none.
    pub fn c_type(&self) -> Option<CType> {
        self.c_type
    }

    /// Returns whether the driver said that there is more to come.
    pub fn is_cut(&self) -> bool {
        self.last.is_some()
    }

    /// Adds what one successful SQLGetData call left in the buffer. The C type is CHAR, WCHAR, BINARY or one of the
    /// driver's own; types of fixed size come in one piece, for [`read`](super::read()). A type other than that of the
    /// pieces so far begins anew. A call that returned SQL_NO_DATA is no piece.
    ///
    /// # Safety
    /// As [`read`](super::read()).
    pub unsafe fn push(&mut self, c_type: CType, target: *const u8, capacity: isize, length: Length) {
        if self.c_type != Some(c_type) {
            self.clear();
            self.c_type = Some(c_type);
        }
        if length == Length::Null {
            self.null = true;
            return;
        }
        self.end_piece(length);
        let begin = self.bytes.len();
        if target.is_null() {
            self.unreceived = Some(length);
            let reported = match length {
                Length::Bytes(reported) if reported != 0 => reported,
                Length::NoTotal => NO_TOTAL,
                _ => return,
            };
            self.last = Some(Last { begin, end: begin, reported });
            return;
        }
        self.unreceived = None;
        // SAFETY: as this function's.
        let piece = unsafe { read::received(c_type.kind(), target, capacity, length) };
        match piece.cut {
            Some(reported) => {
                self.bytes.extend_from_slice(piece.bytes);
                self.last = Some(Last { begin, end: begin + piece.length, reported });
            }
            None => self.bytes.extend_from_slice(&piece.bytes[..piece.length]),
        }
    }

    /// Ends the last piece, because the next one's length tells how much of it there was.
    fn end_piece(&mut self, next: Length) {
        let Some(Last { begin, end, reported }) = self.last.take() else { return };
        let filled = self.bytes.len() - begin;
        let reported = match next {
            Length::Bytes(left) if reported >= 0 && left >= 0 => usize::try_from(reported - left).ok(),
            _ => None,
        };
        // A driver that reports the whole length each time tells nothing.
        let reported =
            reported.filter(|reported| *reported > 0 && *reported <= filled && filled - reported <= SHORT_OF_CHARACTER);
        self.bytes.truncate(reported.map_or(end, |reported| begin + reported));
    }

    /// Sets the cell if there were pieces, and forgets them. A value that the application did not read to its end
    /// becomes a cut cell with the whole length, as far as the driver told it.
    pub fn finish(&mut self, row: &mut Row, column: usize, scratch: &mut Vec<u8>) {
        let Some(c_type) = self.c_type else { return };
        let total = self.last.map(|last| match last.reported {
            reported @ 0.. => last.begin as i64 + reported as i64,
            reported => reported as i64,
        });
        self.end_piece(Length::Unknown);
        match self.unreceived {
            _ if self.null => row.set(column, Cell::Null),
            Some(length) if self.bytes.is_empty() => row.set(column, read::not_received(c_type, length)),
            _ => read::set_variable(c_type.kind(), &self.bytes, total, row, column, scratch),
        }
        self.clear();
    }

    /// Forgets the pieces without setting a cell.
    pub fn clear(&mut self) {
        if self.c_type.is_none() {
            return; // nothing was pushed
        }
        self.bytes.clear();
        self.bytes.shrink_to(KEPT);
        *self = Pieces { bytes: std::mem::take(&mut self.bytes), ..Pieces::default() };
    }
}
