//! The checksum into which a client folds every received byte and length. Equal checksums prove that two ways returned
//! the same data.

/// A 64-bit running checksum. It is cheap (one multiplication for eight bytes) and sensitive to order and lengths. It
/// is not cryptographic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checksum(u64);

const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

impl Checksum {
    /// Returns the checksum of nothing.
    pub fn new() -> Self {
        Checksum(0x5175_7065_7238_0001)
    }

    /// Folds in one number: a length, an indicator, a return code.
    #[inline]
    pub fn number(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(23) ^ number).wrapping_mul(MULTIPLIER);
    }

    /// Folds in bytes. The caller must fold in their number (as it does with a cell's length).
    #[inline]
    pub fn bytes(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.number(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            let mut last = [0; 8];
            last[..rest.len()].copy_from_slice(rest);
            self.number(u64::from_le_bytes(last));
        }
    }

    /// Returns the value so far.
    pub fn value(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::Checksum;

    fn of(parts: &[&[u8]]) -> u64 {
        let mut sum = Checksum::new();
        for part in parts {
            sum.number(part.len() as u64);
            sum.bytes(part);
        }
        sum.value()
    }

    #[test]
    fn order_length_and_every_byte_count() {
        let base = of(&[b"abcdefghij", b"x"]);
        assert_eq!(base, of(&[b"abcdefghij", b"x"]));
        assert_ne!(base, of(&[b"x", b"abcdefghij"]));
        assert_ne!(base, of(&[b"abcdefghi", b"jx"]));
        assert_ne!(base, of(&[b"abcdefghiJ", b"x"]));
        assert_ne!(of(&[b"a\0"]), of(&[b"a"]));
    }
}
