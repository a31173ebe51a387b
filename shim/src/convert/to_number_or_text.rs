//! Conversions to numbers (integers, NUMERIC, FLOAT, DOUBLE and BIT), to texts (CHAR and WCHAR), to BINARY, and from a text to
//! a GUID.
//!
//! A number may leave out fraction digits (01S07), but never whole digits (22003). A text must be a number as SQL writes it,
//! with at most blanks around it (else 22018).
//!
//! Character data goes as it is, and a byte of BINARY makes two hexadecimal digits. Everything else has its standard text;
//! the part that matters must fit the buffer (else 22003), while the rest may be cut off (01004).

use super::conversion::{Content, Converted, Failure, Requested};
use super::ctype::Kind;
use super::decimal::{Decimal, Numeric};
use super::fixed::Fixed;
use super::read::NO_TOTAL;
use super::source::Source;
use super::{datetime, fixed};

/// Returns the value as an exact number.
fn number(source: &Source<'_>, wish: &Requested) -> Result<Decimal, Failure> {
    match source {
        Source::Text { bytes, .. } => {
            Decimal::parse(bytes.trim_ascii()).ok_or_else(|| Failure::not_a("numeric literal", bytes))
        }
        Source::Integer(number) => Ok(Decimal::of(*number)),
        Source::Bit(bit) => Ok(Decimal::of((*bit).into())),
        Source::Numeric(numeric) => Ok(numeric.decimal()),
        Source::Float(_) | Source::Double(_) => {
            // Take the digits that a person would read, not those of the binary fraction.
            let mut text = Vec::new();
            match source {
                Source::Float(number) => fixed::write_float(*number, &mut text),
                Source::Double(number) => fixed::write_double(*number, &mut text),
                _ => None,
            };
            Decimal::parse(&text).ok_or_else(|| Failure::out_of_range("the value is not a finite number"))
        }
        Source::Interval(interval) if interval.qualifier.is_single() => Ok(interval.single()),
        Source::Interval(interval) if interval.qualifier.is_year_month() => {
            Err(Failure::interval_overflow("an interval of several fields is not a number"))
        }
        Source::Opaque => Err(Failure::malformed()),
        _ => Err(Failure::restricted(wish.to)),
    }
}

/// Returns a `float` or `double` as a `double`; `None` for other values.
fn approximate(source: &Source<'_>) -> Option<f64> {
    match source {
        Source::Float(number) => Some(f64::from(*number)),
        Source::Double(number) => Some(*number),
        _ => None,
    }
}

fn beyond(wish: &Requested) -> Failure {
    Failure::out_of_range(&format!("the value does not fit {}", wish.to.name()))
}

/// Reports 01S07, 22003, 22018.
pub(super) fn integer<'a>(source: &Source<'a>, wish: &Requested) -> Result<Converted<'a>, Failure> {
    let Kind::Integer { size, signed } = wish.to.kind() else { return Err(Failure::restricted(wish.to)) };
    let (number, lost) = match approximate(source) {
        // Well inside the range of an i128, and not a NaN. What is outside is outside every target, too.
        Some(number) if number.abs() < 1e30 => (number.trunc() as i128, number.fract() != 0.0),
        Some(_) => return Err(beyond(wish)),
        None => {
            let number = number(source, wish)?;
            let (size, lost) = number.whole().ok_or_else(|| beyond(wish))?;
            let size = i128::try_from(size).map_err(|_| beyond(wish))?;
            (if number.negative { -size } else { size }, lost)
        }
    };
    let value = Fixed::integer(number, size, signed).ok_or_else(|| beyond(wish))?;
    Ok(Converted::Fixed { value, lost })
}

/// Reports 22003, 22018. Digits beyond the type's precision are rounded, as always with these types.
pub(super) fn real<'a>(source: &Source<'a>, wish: &Requested) -> Result<Converted<'a>, Failure> {
    let double = wish.to.kind() == Kind::Double;
    let value = match approximate(source) {
        Some(number) if double => Fixed::new(&number.to_ne_bytes()),
        Some(number) if number.is_finite() && (number as f32).is_infinite() => return Err(beyond(wish)),
        Some(number) => Fixed::new(&(number as f32).to_ne_bytes()),
        None => {
            let number = number(source, wish)?;
            let text = match source {
                // Rounded only once, from all digits there are.
                Source::Text { bytes, .. } => String::from_utf8_lossy(bytes.trim_ascii()).into_owned(),
                _ => format!("{}{}e{}", if number.negative { "-" } else { "" }, number.mantissa, number.exponent),
            };
            let (narrow, wide) = (text.parse::<f32>(), text.parse::<f64>());
            match (narrow, wide) {
                (_, Ok(number)) if double && number.is_finite() => Fixed::new(&number.to_ne_bytes()),
                (Ok(number), _) if !double && number.is_finite() => Fixed::new(&number.to_ne_bytes()),
                _ => return Err(beyond(wish)),
            }
        }
    };
    Ok(Converted::Fixed { value, lost: false })
}

/// Converts to NUMERIC: reports 01S07, 22003, 22018. Uses the descriptor's precision and scale, else the number's own
/// digits, at most 38 of them.
pub(super) fn exact<'a>(source: &Source<'a>, wish: &Requested) -> Result<Converted<'a>, Failure> {
    const MOST: u8 = 38;
    let number = number(source, wish)?;
    let (precision, scale) = match wish.numeric {
        Some((precision, scale)) => (Some(precision).filter(|precision| *precision > 0), scale),
        None => (None, number.exponent.saturating_neg().clamp(0, MOST.into()) as i8),
    };
    let (value, lost) = number.scaled(scale.into()).ok_or_else(|| beyond(wish))?;
    let digits = value.checked_ilog10().map_or(1, |log| log as u8 + 1);
    if digits > precision.unwrap_or(MOST) {
        return Err(beyond(wish));
    }
    let precision = precision.unwrap_or(digits.max(scale.unsigned_abs()));
    let value = Numeric { precision, scale, negative: number.negative, value }.to_fixed();
    Ok(Converted::Fixed { value, lost })
}

/// Accepts 0 and 1. Other numbers between 0 and 2 lose their fraction (01S07), and the rest is 22003, or 22018 for a
/// text.
pub(super) fn bit<'a>(source: &Source<'a>, wish: &Requested) -> Result<Converted<'a>, Failure> {
    let (negative, whole, lost) = match approximate(source) {
        Some(number) if (0.0..2.0).contains(&number) => (false, number as u128, number.fract() != 0.0),
        Some(_) => return Err(beyond(wish)),
        None => {
            let number = number(source, wish)?;
            let (whole, lost) = number.whole().ok_or_else(|| beyond(wish))?;
            (number.negative && (whole != 0 || lost), whole, lost)
        }
    };
    match whole {
        0 | 1 if !negative => Ok(Converted::Fixed { value: Fixed::new(&[whole as u8]), lost }),
        _ => Err(beyond(wish)),
    }
}

/// Reports 01004; 22003 if the whole part does not fit; 22018 if the recorded bytes are in an unknown encoding.
pub(super) fn text<'a>(source: &Source<'a>, wish: &Requested) -> Result<Converted<'a>, Failure> {
    let wide = wish.to.kind() == Kind::WChar;
    let mut bytes = Vec::with_capacity(40);
    let least = match source {
        Source::Text { bytes, valid: true, .. } => {
            let content = if wide { Content::Widen(bytes) } else { Content::Raw(bytes) };
            // Nobody knows how many units the missing part of a text makes.
            return Ok(Converted::Recorded { content, cut: wish.cut.map(|_| NO_TOTAL as i64) });
        }
        Source::Text { .. } => return Err(Failure::encoding(wish.to)),
        Source::Binary(bytes) => {
            let digits = if wide { 4 } else { 2 };
            let cut = wish.cut.map(|total| if total < 0 { total } else { total.saturating_mul(digits) });
            return Ok(Converted::Recorded { content: Content::Hex(bytes), cut });
        }
        Source::Integer(number) => {
            fixed::write_integer(*number, &mut bytes);
            bytes.len()
        }
        Source::Bit(bit) => {
            fixed::write_integer((*bit).into(), &mut bytes);
            bytes.len()
        }
        Source::Numeric(numeric) => {
            numeric.decimal().write(&mut bytes);
            before_point(&bytes)
        }
        Source::Float(number) => {
            fixed::write_float(*number, &mut bytes).unwrap_or_else(|| bytes.extend_from_slice(b"NaN"));
            before_point(&bytes)
        }
        Source::Double(number) => {
            fixed::write_double(*number, &mut bytes).unwrap_or_else(|| bytes.extend_from_slice(b"NaN"));
            before_point(&bytes)
        }
        Source::Date(date) => {
            valid(datetime::has_text(&datetime::at_midnight(*date)))?;
            datetime::write_date(date, &mut bytes);
            bytes.len()
        }
        Source::Time(time) => {
            valid(datetime::has_text(&datetime::on_day(Default::default(), *time, 0)))?;
            datetime::write_time(time, &mut bytes);
            bytes.len()
        }
        Source::Timestamp(timestamp) => {
            valid(datetime::has_text(timestamp))?;
            datetime::write_timestamp(timestamp, &mut bytes);
            before_point(&bytes)
        }
        Source::Interval(interval) => {
            interval.write(&mut bytes);
            before_point(&bytes)
        }
        Source::Guid(guid) => {
            fixed::write_guid(guid, &mut bytes);
            bytes.len()
        }
        Source::Opaque => return Err(Failure::malformed()),
    };
    Ok(Converted::Made { bytes, least })
}

fn valid(holds: bool) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(Failure::invalid_datetime()) }
}

/// Returns how many characters may not be cut off: all before the decimal point, or all of a number with an exponent.
fn before_point(text: &[u8]) -> usize {
    match text.iter().position(|byte| *byte == b'.') {
        Some(point) if !text.contains(&b'e') => point,
        _ => text.len(),
    }
}

/// Gives character data in its own bytes (01004), and everything else as it is in memory, if it fits (22003).
pub(super) fn binary<'a>(source: &Source<'a>, wish: &Requested) -> Result<Converted<'a>, Failure> {
    let value = match source {
        Source::Text { bytes, valid: true, wide: true } => {
            let units: Vec<u8> = String::from_utf8_lossy(bytes).encode_utf16().flat_map(u16::to_ne_bytes).collect();
            if wish.cut.is_some() {
                return Err(Failure::not_recorded(units.len(), wish.cut));
            }
            return Ok(Converted::Made { bytes: units, least: 0 });
        }
        Source::Text { bytes, .. } | Source::Binary(bytes) => {
            return Ok(Converted::Recorded { content: Content::Raw(bytes), cut: wish.cut });
        }
        // The value itself, in as many bytes as were recorded.
        _ => wish.value.ok_or_else(Failure::malformed)?,
    };
    Ok(Converted::Made { bytes: value.as_bytes().to_vec(), least: value.as_bytes().len() })
}

/// Reports 22018 if the text is no GUID.
pub(super) fn guid<'a>(source: &Source<'a>, wish: &Requested) -> Result<Converted<'a>, Failure> {
    let value: Fixed = match source {
        Source::Text { bytes, .. } => {
            let guid = fixed::parse_guid(bytes.trim_ascii());
            fixed::guid_bytes(&guid.ok_or_else(|| Failure::not_a("GUID", bytes))?)
        }
        Source::Guid(guid) => fixed::guid_bytes(guid),
        _ => return Err(Failure::restricted(wish.to)),
    };
    Ok(Converted::Fixed { value, lost: false })
}
