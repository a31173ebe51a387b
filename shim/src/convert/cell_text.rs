//! The text of a value of fixed size in a cassette.
//!
//! [`to_text`] and [`from_text`] are each other's inverse for every value that has a text. A value without one (a month
//! 13, a NaN with a payload, a struct with fields that do not belong to it) is kept as bytes by the callers.

use super::ctype::Kind;
use super::datetime;
use super::decimal::Numeric;
use super::fixed::{self, Fixed};
use super::interval::Interval;

/// Appends the text of a value of this kind. Returns false and appends nothing if the value has no text.
pub(super) fn to_text(kind: Kind, bytes: &[u8], out: &mut Vec<u8>) -> bool {
    write_text(kind, bytes, out).is_some()
}

/// Returns whether the text of a value of this kind is always plain. That of a SQL_NUMERIC_STRUCT may have parentheses
/// and a comma.
pub(super) fn is_plain(kind: Kind) -> bool {
    kind != Kind::Numeric
}

fn write_text(kind: Kind, bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
    match kind {
        Kind::Bit => fixed::write_integer(fixed::integer(bytes, false)?, out),
        Kind::Integer { signed, .. } => fixed::write_integer(fixed::integer(bytes, signed)?, out),
        Kind::Float => fixed::write_float(f32::from_ne_bytes(bytes.try_into().ok()?), out)?,
        Kind::Double => fixed::write_double(f64::from_ne_bytes(bytes.try_into().ok()?), out)?,
        Kind::Numeric => Numeric::from_bytes(bytes)?.write(out),
        Kind::Guid => fixed::write_guid(&fixed::guid(bytes)?, out),
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

/// Returns the bytes of the value of this kind that the text stands for.
pub(super) fn from_text(kind: Kind, text: &[u8]) -> Option<Fixed> {
    let words = || std::str::from_utf8(text).ok();
    Some(match kind {
        Kind::Bit => Fixed::integer(words()?.parse::<u8>().ok()?.into(), 1, false)?,
        Kind::Integer { size, signed: true } => Fixed::integer(words()?.parse::<i64>().ok()?.into(), size, true)?,
        Kind::Integer { size, signed: false } => Fixed::integer(words()?.parse::<u64>().ok()?.into(), size, false)?,
        Kind::Float => Fixed::new(&words()?.parse::<f32>().ok()?.to_ne_bytes()),
        Kind::Double => Fixed::new(&words()?.parse::<f64>().ok()?.to_ne_bytes()),
        Kind::Numeric => Numeric::parse(text)?.to_fixed(),
        Kind::Guid => fixed::guid_bytes(&fixed::parse_guid(text)?),
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

#[cfg(test)]
mod tests {
    use super::super::ctype::CType;
    use super::*;

    /// What [`Cell::Plain`](super8_cassette::Cell::Plain) promises, whatever is in a buffer.
    #[test]
    fn texts_are_plain_but_those_of_numeric() {
        let buffers = [0u8, 1, 9, 23, 59, 100, 0x7F, 0x80, 0xFF].map(|byte| {
            let mixed: Vec<u8> = (0..64).map(|at| if at % 4 == 0 { byte } else { 0 }).collect();
            [vec![byte; 64], mixed]
        });
        for (c_type, bytes) in CType::ALL.iter().flat_map(|c_type| buffers.iter().flatten().map(move |b| (c_type, b))) {
            let Some(size) = c_type.fixed_size().filter(|_| is_plain(c_type.kind())) else { continue };
            let mut written = Vec::new();
            if to_text(c_type.kind(), &bytes[..size], &mut written) {
                let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.: ".contains(&byte);
                let text = String::from_utf8(written).unwrap();
                assert!(text.bytes().all(plain) && text.trim() == text && !text.is_empty(), "{c_type:?} {text:?}");
            }
        }
    }

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
