//! The bytes of a value of fixed size, as they are in the application's memory: integers, real numbers, GUIDs.

use odbc_sys::Guid;

/// A value of up to 28 bytes, the size of SQL_INTERVAL_STRUCT, which is the largest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fixed {
    bytes: [u8; 28],
    length: usize,
}

impl Fixed {
    /// Returns a value of these bytes. What is beyond 28 is left out.
    pub(super) fn new(from: &[u8]) -> Fixed {
        let mut bytes = [0; 28];
        let length = from.len().min(bytes.len());
        bytes[..length].copy_from_slice(&from[..length]);
        Fixed { bytes, length }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// Returns an integer of `size` bytes, if the number fits.
    pub(super) fn integer(number: i128, size: usize, signed: bool) -> Option<Fixed> {
        let bits = 8 * size as u32;
        let range = if signed { -(1i128 << (bits - 1))..1 << (bits - 1) } else { 0..1 << bits };
        if !range.contains(&number) {
            return None;
        }
        // In two's complement the low bytes are the number's, in either byte order.
        Some(match size {
            1 => Fixed::new(&(number as u8).to_ne_bytes()),
            2 => Fixed::new(&(number as u16).to_ne_bytes()),
            4 => Fixed::new(&(number as u32).to_ne_bytes()),
            _ => Fixed::new(&(number as u64).to_ne_bytes()),
        })
    }
}

/// Reads the integer in these bytes, as many as its size.
pub(super) fn integer(bytes: &[u8], signed: bool) -> Option<i128> {
    Some(match (bytes.len(), signed) {
        (1, true) => i8::from_ne_bytes(bytes.try_into().ok()?).into(),
        (1, false) => u8::from_ne_bytes(bytes.try_into().ok()?).into(),
        (2, true) => i16::from_ne_bytes(bytes.try_into().ok()?).into(),
        (2, false) => u16::from_ne_bytes(bytes.try_into().ok()?).into(),
        (4, true) => i32::from_ne_bytes(bytes.try_into().ok()?).into(),
        (4, false) => u32::from_ne_bytes(bytes.try_into().ok()?).into(),
        (8, true) => i64::from_ne_bytes(bytes.try_into().ok()?).into(),
        (8, false) => u64::from_ne_bytes(bytes.try_into().ok()?).into(),
        _ => return None,
    })
}

/// Appends an integer in decimal.
pub(super) fn write_integer(number: i128, out: &mut Vec<u8>) {
    let mut buffer = itoa::Buffer::new();
    let text = match i64::try_from(number) {
        Ok(number) => buffer.format(number),
        Err(_) => buffer.format(number),
    };
    out.extend_from_slice(text.as_bytes());
}

macro_rules! write_real {
    ($name:ident $real:ident) => {
        /// Appends the shortest text that reads back to the same bits. Returns `None` for a NaN other than the usual
        /// one.
        pub(super) fn $name(number: $real, out: &mut Vec<u8>) -> Option<()> {
            let mut buffer = ryu::Buffer::new();
            out.extend_from_slice(match number {
                _ if number.is_finite() => buffer.format_finite(number).as_bytes(),
                $real::INFINITY => b"Infinity",
                $real::NEG_INFINITY => b"-Infinity",
                _ if number.to_bits() == $real::NAN.to_bits() => b"NaN",
                _ => return None,
            });
            Some(())
        }
    };
}
write_real!(write_float f32);
write_real!(write_double f64);

/// Reads the GUID in these 16 bytes.
pub(super) fn guid(bytes: &[u8]) -> Option<Guid> {
    let (d1, rest) = bytes.split_first_chunk()?;
    let (d2, rest) = rest.split_first_chunk()?;
    let (d3, d4) = rest.split_first_chunk()?;
    Some(Guid {
        d1: u32::from_ne_bytes(*d1),
        d2: u16::from_ne_bytes(*d2),
        d3: u16::from_ne_bytes(*d3),
        d4: d4.try_into().ok()?,
    })
}

/// Returns the bytes of a GUID.
pub(super) fn guid_bytes(guid: &Guid) -> Fixed {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&guid.d1.to_ne_bytes());
    bytes[4..6].copy_from_slice(&guid.d2.to_ne_bytes());
    bytes[6..8].copy_from_slice(&guid.d3.to_ne_bytes());
    bytes[8..].copy_from_slice(&guid.d4);
    Fixed::new(&bytes)
}

/// Appends `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` in lower case.
pub(super) fn write_guid(guid: &Guid, out: &mut Vec<u8>) {
    let [a, b, rest @ ..] = guid.d4;
    let tail = rest.iter().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
    let text = format!("{:08x}-{:04x}-{:04x}-{a:02x}{b:02x}-{tail:012x}", guid.d1, guid.d2, guid.d3);
    out.extend_from_slice(text.as_bytes());
}

/// Parses a GUID's text form, in either case, with or without braces.
pub(super) fn parse_guid(text: &[u8]) -> Option<Guid> {
    let text = std::str::from_utf8(text).ok()?;
    let text = text.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')).unwrap_or(text);
    let mut groups = text.split('-');
    let mut group = |digits: usize| {
        let text = groups.next().filter(|text| text.len() == digits)?;
        text.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u64::from_str_radix(text, 16).ok())?
    };
    let (d1, d2, d3, d4, node) = (group(8)?, group(4)?, group(4)?, group(4)?, group(12)?);
    let d4 = (d4 << 48 | node).to_be_bytes();
    groups.next().is_none().then_some(Guid { d1: d1 as u32, d2: d2 as u16, d3: d3 as u16, d4 })
}
