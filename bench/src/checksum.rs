//! The checksum a client folds every received byte and length into: what proves that two ways returned the same.

/// A 64-bit running checksum: cheap (one multiplication for eight bytes), sensitive to order and to lengths.
/// It finds differences, it does not withstand an attacker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checksum(u64);

const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

impl Checksum {
    /// The checksum of nothing.
    pub fn new() -> Self {
        Checksum(0x5175_7065_7238_0001)
    }

    /// Folds in one number: a length, an indicator, a return code.
    #[inline]
    pub fn number(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(23) ^ number).wrapping_mul(MULTIPLIER);
    }

    /// Folds in bytes; their count must be folded in by the caller (as the cell's length is).
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

    /// The value so far.
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
