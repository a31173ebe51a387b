//! Conversions to CHAR and WCHAR, to BINARY, and from a text to a GUID.
//!
//! Character data goes as it is, and a byte of BINARY makes two hexadecimal digits. Everything else has its standard
//! text; the part that matters must fit the buffer (else 22003), while the rest may be cut off (01004).

use super::conversion::{Content, Converted, Failure, Wish};
use super::ctype::Kind;
use super::datetime;
use super::fixed::{self, Fixed};
use super::read::NO_TOTAL;
use super::source::Source;

/// Reports 01004; 22003 if the whole part does not fit; 22018 if the recorded bytes are in an unknown encoding.
pub(super) fn text<'a>(source: &Source<'a>, wish: &Wish) -> Result<Converted<'a>, Failure> {
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
pub(super) fn binary<'a>(source: &Source<'a>, wish: &Wish) -> Result<Converted<'a>, Failure> {
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
pub(super) fn guid<'a>(source: &Source<'a>, wish: &Wish) -> Result<Converted<'a>, Failure> {
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
