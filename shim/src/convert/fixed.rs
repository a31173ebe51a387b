//! The bytes of a value of fixed size, as they lie in the application's memory, and their text in a cassette.
//!
//! [`to_text`] and [`from_text`] are inverse to one another for every value that has a text; what has none (a month
//! 13, a NaN with a payload, a struct with fields that do not belong to it) is kept as bytes by the callers.

use odbc_sys::Guid;

use super::ctype::Kind;
use super::datetime;
use super::decimal::Numeric;
use super::interval::Interval;

/// Up to 28 bytes: the largest is SQL_INTERVAL_STRUCT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fixed {
    bytes: [u8; 28],
    length: usize,
}

impl Fixed {
    /// These bytes; what is beyond 28 is left out.
    pub(super) fn new(from: &[u8]) -> Fixed {
        let mut bytes = [0; 28];
        let length = from.len().min(bytes.len());
        bytes[..length].copy_from_slice(&from[..length]);
        Fixed { bytes, length }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// An integer of `size` bytes, if it fits.
    pub(super) fn integer(number: i128, size: usize, signed: bool) -> Option<Fixed> {
        let bits = 8 * size as u32;
        let range = if signed { -(1i128 << (bits - 1))..1 << (bits - 1) } else { 0..1 << bits };
        if !range.contains(&number) {
            return None;
        }
        // Two's complement: the low bytes are the number's, whichever end comes first.
        Some(match size {
            1 => Fixed::new(&(number as u8).to_ne_bytes()),
            2 => Fixed::new(&(number as u16).to_ne_bytes()),
            4 => Fixed::new(&(number as u32).to_ne_bytes()),
            _ => Fixed::new(&(number as u64).to_ne_bytes()),
        })
    }
}

/// The integer in these bytes: their number is its size.
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

/// Appends the text of a value of this kind; false, and nothing appended, if it has none.
pub(super) fn to_text(kind: Kind, bytes: &[u8], out: &mut Vec<u8>) -> bool {
    write_text(kind, bytes, out).is_some()
}

fn write_text(kind: Kind, bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
    match kind {
        Kind::Bit => write_integer(integer(bytes, false)?, out),
        Kind::Integer { signed, .. } => write_integer(integer(bytes, signed)?, out),
        Kind::Float => write_float(f32::from_ne_bytes(bytes.try_into().ok()?), out)?,
        Kind::Double => write_double(f64::from_ne_bytes(bytes.try_into().ok()?), out)?,
        Kind::Numeric => Numeric::from_bytes(bytes)?.write(out),
        Kind::Guid => write_guid(&guid(bytes)?, out),
        Kind::Date => {
            let date = datetime::date(bytes)?;
            datetime::has_text(&datetime::at_midnight(date)).then_some(())?;
            datetime::write_date(&date, out);
        }
        Kind::Time => {
            let time = datetime::time(bytes)?;
            datetime::has_text(&datetime::on_day(Default::default(), time, 0)).then_some(())?;
            datetime::write_time(&time, out);
        }
        Kind::Timestamp => {
            let timestamp = datetime::timestamp(bytes)?;
            datetime::has_text(&timestamp).then_some(())?;
            datetime::write_timestamp(&timestamp, out);
        }
        Kind::Interval(qualifier) => Interval::from_bytes(qualifier, bytes)?.write(out),
        Kind::Char | Kind::WChar | Kind::Binary | Kind::Other => return None,
    }
    Some(())
}

/// The bytes of the value of this kind that the text stands for.
pub(super) fn from_text(kind: Kind, text: &[u8]) -> Option<Fixed> {
    let words = || std::str::from_utf8(text).ok();
    Some(match kind {
        Kind::Bit => Fixed::integer(words()?.parse::<u8>().ok()?.into(), 1, false)?,
        Kind::Integer { size, signed: true } => Fixed::integer(words()?.parse::<i64>().ok()?.into(), size, true)?,
        Kind::Integer { size, signed: false } => Fixed::integer(words()?.parse::<u64>().ok()?.into(), size, false)?,
        Kind::Float => Fixed::new(&words()?.parse::<f32>().ok()?.to_ne_bytes()),
        Kind::Double => Fixed::new(&words()?.parse::<f64>().ok()?.to_ne_bytes()),
        Kind::Numeric => Numeric::parse(text)?.to_fixed(),
        Kind::Guid => guid_bytes(&parse_guid(text)?),
        Kind::Date => datetime::date_bytes(&datetime::parse(text).filter(|literal| !literal.timed)?.date?),
        Kind::Time => {
            let literal = datetime::parse(text).filter(|literal| literal.date.is_none() && literal.fraction == 0)?;
            datetime::time_bytes(&literal.time)
        }
        Kind::Timestamp => {
            let literal = datetime::parse(text).filter(|literal| literal.timed && !literal.finer)?;
            datetime::timestamp_bytes(&datetime::on_day(literal.date?, literal.time, literal.fraction))
        }
        Kind::Interval(qualifier) => Interval::parse_cell(qualifier, text)?.to_fixed(),
        Kind::Char | Kind::WChar | Kind::Binary | Kind::Other => return None,
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
        /// Appends the shortest text that reads back to the same bits; none for a NaN other than the usual one.
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

/// The GUID in these 16 bytes.
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

/// The bytes of a GUID.
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

/// A GUID in its text form, either case, with or without braces.
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

#[cfg(test)]
mod tests {
    use super::super::ctype::CType;
    use super::*;

    #[test]
    fn texts_come_back_as_the_same_bytes() {
        let double = |number: f64| number.to_ne_bytes().to_vec();
        let guid = [0xFF, 0xFE, 0xFD, 0xFC, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12].to_vec();
        let cases = [
            (CType::BIT, vec![1], "1"),
            (CType::BIT, vec![200], "200"),
            (CType::STINYINT, vec![0x80], "-128"),
            (CType::UBIGINT, vec![0xFF; 8], "18446744073709551615"),
            (CType::SBIGINT, i64::MIN.to_ne_bytes().to_vec(), "-9223372036854775808"),
            (CType::DOUBLE, double(0.1), "0.1"),
            (CType::DOUBLE, double(-0.0), "-0.0"),
            (CType::DOUBLE, double(1e300), "1e300"),
            (CType::DOUBLE, double(f64::NEG_INFINITY), "-Infinity"),
            (CType::DOUBLE, double(f64::NAN), "NaN"),
            (CType::FLOAT, 0.1f32.to_ne_bytes().to_vec(), "0.1"),
            (CType::GUID, guid, "fcfdfeff-0201-0403-0506-0708090a0b0c"),
        ];
        for (c_type, bytes, text) in cases {
            let mut written = Vec::new();
            assert!(to_text(c_type.kind(), &bytes, &mut written));
            assert_eq!(String::from_utf8(written).unwrap(), text);
            assert_eq!(from_text(c_type.kind(), text.as_bytes()).unwrap().as_bytes(), bytes, "{text}");
        }
    }

    #[test]
    fn a_nan_with_a_payload_has_no_text() {
        assert!(!to_text(Kind::Double, &(f64::NAN.to_bits() | 1).to_ne_bytes(), &mut Vec::new()));
        assert!(!to_text(Kind::Float, &(f32::NAN.to_bits() | 1 << 31).to_ne_bytes(), &mut Vec::new()));
    }

    #[test]
    fn what_does_not_fit_is_not_a_value() {
        assert_eq!(from_text(CType::STINYINT.kind(), b"128"), None);
        assert_eq!(from_text(CType::UTINYINT.kind(), b"-1"), None);
        assert_eq!(from_text(CType::SLONG.kind(), b"1.0"), None);
        assert_eq!(from_text(Kind::Guid, b"fcfdfeff-0201-0403-0506-0708090a0b0"), None);
        assert_eq!(from_text(Kind::Guid, b"fcfdfeff-0201-0403-0506-0708090a0b0c-"), None);
        assert_eq!(from_text(Kind::Guid, b"+cfdfeff-0201-0403-0506-0708090a0b0c"), None);
    }
}
