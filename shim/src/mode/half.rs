//! The last byte of a buffer for wide characters whose length is odd. No character has room there, but there are drivers
//! that write half of a terminator.

use crate::args::{Binding, Place};
use crate::convert::{CType, bound};
use crate::diagnostics::rc;

/// The byte before a call to the driver.
pub struct Half(Option<Byte>);

struct Byte {
    place: Place,
    before: u8,
    /// Bytes of the buffer without this one.
    room: isize,
}

impl Half {
    /// Looks at the byte, if the buffer has one: it need not be as long as the program says.
    #[inline]
    pub fn before(binding: &Binding) -> Half {
        let place = place(binding);
        if place.is_null() {
            return Half(None);
        }
        Half(bound::byte(place).map(|before| Byte { place, before, room: binding.capacity - 1 }))
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
pub fn write(binding: &Binding, byte: i64) {
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
