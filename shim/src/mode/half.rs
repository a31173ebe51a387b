//! The last byte of a buffer for wide characters whose length is odd. No character has room there, but there are drivers
//! that write half of a terminator.

use crate::args::{Binding, NumberOut, Place};
use crate::convert::CType;

/// The byte, marked before a call to the driver.
pub struct Half(Option<(NumberOut, i64)>);

impl Half {
    /// Marks the byte, if the buffer has one.
    #[inline]
    pub fn arm(binding: &Binding) -> Half {
        let place = place(binding);
        Half((!place.is_null()).then(|| (place.byte(), place.byte().arm())))
    }

    /// The byte the driver wrote since; an unwritten one is as it was.
    #[inline]
    pub fn harvest(self) -> Option<u8> {
        let (byte, old) = self.0?;
        byte.settle(old).map(|written| written.value as u8)
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
