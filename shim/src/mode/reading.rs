//! How far the application has read a row with SQLGetData: what recording expects by ODBC's rules, and what replay serves by them.
//!
//! ODBC reference, SQLGetData, "Retrieving Variable-Length Data in Parts": every piece but the last returns
//! SQL_SUCCESS_WITH_INFO with 01004 and the length still there before the call, the last SQL_SUCCESS, and another
//! call SQL_NO_DATA. Data of fixed length comes in one piece.

use crate::args::{Binding, Place};
use crate::convert::{CType, bound};
use crate::diagnostics::rc;

/// One call as the application makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The C type, resolved.
    pub c_type: CType,
    /// The buffer's length in bytes.
    pub capacity: isize,
    /// Whether there is a buffer.
    pub has_buffer: bool,
    /// Whether there is a place for the length.
    pub has_length: bool,
}

impl Piece {
    /// Whether a first call that gave SQL_SUCCESS with this length read the whole value, by the rules.
    #[inline(always)]
    pub fn reads_whole(&self, length: Option<isize>) -> bool {
        if length == Some(odbc_sys::NULL_DATA) {
            return true;
        }
        self.has_buffer
            && match self.c_type.fixed_size() {
                Some(size) => length.is_none_or(|length| length == size as isize),
                None => match length {
                    Some(length) => length >= 0 && length <= room(self),
                    None => !self.has_length,
                },
            }
    }
}

/// How far a value has been read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Model {
    c_type: Option<CType>,
    /// What is left after the calls so far, where a call told the whole length.
    left: Option<isize>,
    done: bool,
}

impl Model {
    /// Whether the value was read to its end.
    pub fn complete(&self) -> bool {
        self.done
    }

    /// Whether any call was made.
    pub fn begun(&self) -> bool {
        self.c_type.is_some()
    }

    /// Takes in a call's outcome; whether it went by the rules.
    #[inline]
    pub fn expects(&mut self, asked: &Piece, code: i16, length: Option<isize>) -> bool {
        let first = self.c_type.is_none();
        if self.c_type.is_some_and(|known| known != asked.c_type) {
            return false;
        }
        if !rc::succeeded(code) {
            return code == rc::NO_DATA && self.done && length.is_none();
        }
        if self.done {
            return false;
        }
        self.c_type = Some(asked.c_type);
        if length == Some(odbc_sys::NULL_DATA) {
            self.done = code == rc::SUCCESS;
            return first && self.done;
        }
        if let Some(size) = asked.c_type.fixed_size() {
            self.done = true;
            return first
                && code == rc::SUCCESS
                && asked.has_buffer
                && length.is_none_or(|length| length == size as isize);
        }
        self.done = code == rc::SUCCESS && asked.has_buffer;
        if asked.has_length != length.is_some() {
            return false;
        }
        let room = room(asked);
        match (code, length) {
            (_, None) => true,
            (_, Some(length)) if length < 0 || self.left.is_some_and(|left| left != length) => {
                self.left = None;
                false
            }
            (rc::SUCCESS, Some(length)) => length <= room,
            (_, Some(length)) => {
                self.left = Some(length - room);
                length > room
            }
        }
    }
}

/// Bytes of data that fit into the buffer, in whole units and with a terminator where the type has one.
#[inline]
pub fn room(asked: &Piece) -> isize {
    let capacity = if asked.has_buffer { asked.capacity.max(0) } else { 0 };
    match asked.c_type {
        CType::CHAR => (capacity - 1).max(0),
        CType::WCHAR => ((capacity / 2 - 1) * 2).max(0),
        _ => capacity,
    }
}

/// The byte before a call to the driver.
pub struct OddByte(Option<Byte>);

struct Byte {
    place: Place,
    before: u8,
    /// Bytes of the buffer without this one.
    room: isize,
}

impl OddByte {
    /// Looks at the byte, if the buffer has one: it need not be as long as the program says.
    #[inline]
    pub fn before(binding: &Binding) -> OddByte {
        let place = place(binding);
        if place.is_null() {
            return OddByte(None);
        }
        OddByte(bound::byte(place).map(|before| Byte { place, before, room: binding.capacity - 1 }))
    }

    /// The byte, if the value fills the buffer and the byte is another one since.
    #[inline]
    pub fn written(self, code: i16, length: Option<isize>) -> Option<u8> {
        let Byte { place, before, room } = self.0?;
        let fills = match length {
            Some(length) => rc::succeeded(code) && (length >= room || length == odbc_sys::NO_TOTAL),
            None => code == rc::SUCCESS_WITH_INFO,
        };
        fills.then(|| bound::byte(place)).flatten().filter(|byte| *byte != before)
    }
}

/// Writes what a driver wrote there.
pub fn write_odd_byte(binding: &Binding, byte: i64) {
    place(binding).set_bytes(&[byte as u8]);
}

#[inline]
fn place(binding: &Binding) -> Place {
    let capacity = binding.capacity;
    match CType(binding.c_type) == CType::WCHAR && capacity > 0 && capacity % 2 == 1 {
        true => binding.target.offset(capacity - 1),
        false => Place::NULL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(c_type: CType, capacity: isize) -> Piece {
        Piece { c_type, capacity, has_buffer: true, has_length: true }
    }

    #[test]
    fn pieces_by_the_rules() {
        let mut model = Model::default();
        let call = asked(CType::CHAR, 6);
        assert!(model.expects(&call, rc::SUCCESS_WITH_INFO, Some(12)));
        assert!(model.expects(&call, rc::SUCCESS_WITH_INFO, Some(7)));
        assert!(model.expects(&call, rc::SUCCESS, Some(2)));
        assert!(model.complete());
        assert!(model.expects(&call, rc::NO_DATA, None));
    }

    #[test]
    fn whole_values_are_those_of_which_the_model_expects_no_more() {
        for c_type in [CType::CHAR, CType::WCHAR, CType::BINARY, CType::SLONG] {
            for length in (-5..12).map(Some).chain([None]) {
                for (capacity, flags) in (0..10).flat_map(|capacity| (0..4).map(move |flags| (capacity, flags))) {
                    let asked = Piece { c_type, capacity, has_buffer: flags & 1 == 1, has_length: flags & 2 == 2 };
                    if length.is_some() && !asked.has_length {
                        continue;
                    }
                    let mut model = Model::default();
                    let expected = model.expects(&asked, rc::SUCCESS, length) && model.complete();
                    assert_eq!(asked.reads_whole(length), expected, "{asked:?} {length:?}");
                }
            }
        }
    }

    #[test]
    fn what_drivers_do_otherwise() {
        let probe = Piece { has_buffer: true, ..asked(CType::CHAR, 0) };
        assert!(!Model::default().expects(&probe, rc::SUCCESS, Some(15)), "a zero-length probe that claims success");
        assert!(!Model::default().expects(&asked(CType::CHAR, 4), rc::SUCCESS_WITH_INFO, Some(-4)), "SQL_NO_TOTAL");
        let mut model = Model::default();
        assert!(model.expects(&asked(CType::SLONG, 4), rc::SUCCESS, Some(4)));
        assert!(!model.expects(&asked(CType::SLONG, 4), rc::SUCCESS, Some(4)), "a number read twice");
        let mut model = Model::default();
        assert!(model.expects(&asked(CType::CHAR, 9), rc::SUCCESS, Some(3)));
        assert!(!model.expects(&asked(CType::CHAR, 9), rc::NO_DATA, Some(0)), "a length written after the end");
    }
}
