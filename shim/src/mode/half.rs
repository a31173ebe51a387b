//! The last byte of a buffer for wide characters whose length is odd. No character has room there, but there are drivers
//! that write half of a terminator.

use crate::args::{Binding, Place};
use crate::convert::CType;

/// No half of a terminator.
const MARK: u8 = 0xA5;

/// The byte, marked before a call to the driver.
pub struct Half(Option<(Place, u8)>);

impl Half {
    /// Marks the byte, if the buffer has one.
    #[inline]
    pub fn arm(binding: &Binding) -> Half {
        let place = place(binding);
        let old = place.u8_at(0);
        place.set_bytes(&[MARK]);
        Half(old.map(|old| (place, old)))
    }

    /// The byte the driver wrote since; an unwritten one is as it was.
    #[inline]
    pub fn harvest(self) -> Option<u8> {
        let (place, old) = self.0?;
        let written = place.u8_at(0).filter(|byte| *byte != MARK);
        if written.is_none() {
            place.set_bytes(&[old]);
        }
        written
    }
}

/// Writes what a driver wrote there.
pub fn write(binding: &Binding, byte: i64) {
    place(binding).set_bytes(&[byte as u8]);
}

#[inline]
fn place(binding: &Binding) -> Place {
    match binding.capacity {
        odd if odd > 0 && odd % 2 == 1 && CType(binding.c_type) == CType::WCHAR => binding.target.offset(odd - 1),
        _ => Place::NULL,
    }
}
