//! SQL_INTERVAL_STRUCT: its bytes, its text, and its size in months or billionths of a second.
//!
//! ODBC reference, Appendix D: "C Interval Structure" and "Interval Literal Syntax".
//!
//! The struct's fraction counts in units of the descriptor's seconds precision, which the struct does not contain. The
//! text takes it as millionths (precision 6, ODBC's default), so it has up to six digits. A number of a million or more
//! cannot be millionths; it is written with nine digits, and read as billionths where a conversion needs its size.

use super::ctype::Qualifier;
use super::datetime;
use super::decimal::Decimal;
use super::fixed::Fixed;

/// How many fields there are, in this order: year, month, day, hour, minute, second.
const FIELDS: usize = 6;
const SECOND: usize = 5;
/// The highest value of a field that is not the first.
const LIMITS: [u32; FIELDS] = [0, 11, 0, 23, 59, 59];
/// The separator before a field that is not the first.
const SEPARATORS: [u8; FIELDS] = *b" -  ::";
/// The months, or the billionths of a second, in each field.
const UNITS: [u128; FIELDS] = [12, 1, 86_400_000_000_000, 3_600_000_000_000, 60_000_000_000, 1_000_000_000];

impl Qualifier {
    /// Returns the places of the first and the last field.
    pub(super) const fn span(self) -> (usize, usize) {
        match self {
            Qualifier::Year => (0, 0),
            Qualifier::Month => (1, 1),
            Qualifier::Day => (2, 2),
            Qualifier::Hour => (3, 3),
            Qualifier::Minute => (4, 4),
            Qualifier::Second => (5, 5),
            Qualifier::YearToMonth => (0, 1),
            Qualifier::DayToHour => (2, 3),
            Qualifier::DayToMinute => (2, 4),
            Qualifier::DayToSecond => (2, 5),
            Qualifier::HourToMinute => (3, 4),
            Qualifier::HourToSecond => (3, 5),
            Qualifier::MinuteToSecond => (4, 5),
        }
    }

    /// Returns whether the interval counts months, not seconds.
    pub(super) const fn is_year_month(self) -> bool {
        self.span().1 < 2
    }

    /// Returns whether the interval has only one field.
    pub(super) const fn is_single(self) -> bool {
        self.span().0 == self.span().1
    }
}

/// An interval whose fields are all within their limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Interval {
    pub(super) qualifier: Qualifier,
    pub(super) negative: bool,
    fields: [u32; FIELDS],
    /// The fraction as in the struct.
    fraction: u32,
}

impl Interval {
    /// Returns `None` if the struct is of another type, has a sign other than 0 and 1, a field beyond its limit, or a
    /// field set that is not among the type's.
    pub(super) fn from_bytes(qualifier: Qualifier, bytes: &[u8]) -> Option<Interval> {
        let word = |at: usize| bytes.get(at..at + 4)?.try_into().ok().map(u32::from_ne_bytes);
        let sign = u16::from_ne_bytes(bytes.get(4..6)?.try_into().ok()?);
        let mut interval = Interval { qualifier, negative: sign == 1, fields: [0; FIELDS], fraction: 0 };
        if qualifier.is_year_month() {
            interval.fields[0] = word(8)?;
            interval.fields[1] = word(12)?;
        } else {
            for (place, field) in interval.fields[2..].iter_mut().enumerate() {
                *field = word(8 + 4 * place)?;
            }
            interval.fraction = word(24)?;
        }
        (word(0)? == qualifier as u32 && sign <= 1 && interval.is_regular()).then_some(interval)
    }

    /// Returns the struct that an application sends, without the parts that no driver reads: the interval type, which
    /// the C type says already, the padding, and the fields after the last one. The fields before the first stay,
    /// because psqlodbc sends them.
    pub(super) fn sent(qualifier: Qualifier, bytes: &[u8]) -> Option<[u8; 28]> {
        let mut bytes: [u8; 28] = bytes.try_into().ok()?;
        let last = qualifier.span().1;
        let end = match (qualifier.is_year_month(), last) {
            (true, last) => 12 + 4 * last,
            (false, SECOND) => bytes.len(),
            (false, last) => 12 + 4 * (last - 2),
        };
        bytes[..4].copy_from_slice(&(qualifier as u32).to_ne_bytes());
        bytes[6..8].fill(0);
        bytes[end..].fill(0);
        Some(bytes)
    }

    /// The same without the fields before the first, for a driver that does not read those.
    pub(super) fn sent_from_first(qualifier: Qualifier, bytes: &[u8]) -> Option<[u8; 28]> {
        let mut bytes = Interval::sent(qualifier, bytes)?;
        let first = qualifier.span().0;
        let begin = if qualifier.is_year_month() { 8 + 4 * first } else { 8 + 4 * (first - 2) };
        bytes[8..begin].fill(0);
        Some(bytes)
    }

    fn is_regular(&self) -> bool {
        let (first, last) = self.qualifier.span();
        let fraction_limit = if last == SECOND { 999_999_999 } else { 0 };
        self.fraction <= fraction_limit
            && self.fields.iter().enumerate().all(|(place, &field)| {
                field == 0 || place == first || (first < place && place <= last && field <= LIMITS[place])
            })
    }

    pub(super) fn to_fixed(self) -> Fixed {
        let mut bytes = [0; 28];
        bytes[..4].copy_from_slice(&(self.qualifier as u32).to_ne_bytes());
        bytes[4..6].copy_from_slice(&u16::from(self.negative).to_ne_bytes());
        let fields = if self.qualifier.is_year_month() { &self.fields[..2] } else { &self.fields[2..] };
        for (place, field) in fields.iter().chain([&self.fraction]).take(5).enumerate() {
            bytes[8 + 4 * place..12 + 4 * place].copy_from_slice(&field.to_ne_bytes());
        }
        Fixed::new(&bytes)
    }

    /// Appends `[-]`, the first field, the others in two digits, and the fraction: `-1 02:03:04.5`, `3-02`, `90`.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let (first, last) = self.qualifier.span();
        if self.negative {
            out.push(b'-');
        }
        out.extend_from_slice(self.fields[first].to_string().as_bytes());
        for (separator, field) in SEPARATORS.iter().zip(self.fields).take(last + 1).skip(first + 1) {
            out.push(*separator);
            out.extend_from_slice(format!("{field:02}").as_bytes());
        }
        if self.fraction < 1_000_000 {
            datetime::write_fraction(self.fraction, 6, out);
        } else {
            out.extend_from_slice(format!(".{:09}", self.fraction).as_bytes());
        }
    }

    /// Parses what [`Interval::write`] writes.
    pub(super) fn parse_cell(qualifier: Qualifier, text: &[u8]) -> Option<Interval> {
        let (mut interval, digits) = Interval::parse_fields(qualifier, text)?;
        interval.fraction = match digits.len() {
            0..=6 => datetime::nanoseconds(digits)?.0 / 1000,
            9 => datetime::nanoseconds(digits)?.0,
            _ => return None,
        };
        interval.is_regular().then_some(interval)
    }

    /// Returns the sign and size (months or billionths of a second) of a text in the form of [`Interval::write`] with
    /// any number of fraction digits, and whether it has more than nine of them.
    pub(super) fn parse_size(qualifier: Qualifier, text: &[u8]) -> Option<(bool, u128, bool)> {
        let (interval, digits) = Interval::parse_fields(qualifier, text)?;
        let (nanoseconds, finer) = datetime::nanoseconds(digits)?;
        let fits = interval.is_regular() && (digits.is_empty() || qualifier.span().1 == SECOND);
        fits.then(|| (interval.negative, interval.size() + u128::from(nanoseconds), finer))
    }

    /// Returns the fields without the fraction, and the digits of the fraction.
    fn parse_fields(qualifier: Qualifier, text: &[u8]) -> Option<(Interval, &[u8])> {
        let (first, last) = qualifier.span();
        let (negative, text) = text.strip_prefix(b"-").map_or((false, text), |rest| (true, rest));
        let (mut rest, digits) = match text.iter().position(|byte| *byte == b'.') {
            Some(point) => (&text[..point], &text[point + 1..]),
            None => (text, &[][..]),
        };
        let mut interval = Interval { qualifier, negative, fields: [0; FIELDS], fraction: 0 };
        for place in first..=last {
            let end = match place {
                _ if place == last => rest.len(),
                _ => rest.iter().position(|byte| *byte == SEPARATORS[place + 1])?,
            };
            interval.fields[place] = number(&rest[..end])?;
            rest = rest.get(end + 1..).unwrap_or(&[]);
        }
        Some((interval, digits))
    }

    /// Returns the size in months, or in billionths of a second.
    pub(super) fn size(&self) -> u128 {
        let fraction = if self.fraction < 1_000_000 { self.fraction * 1000 } else { self.fraction };
        let fields = self.fields.iter().zip(UNITS).map(|(field, unit)| u128::from(*field) * unit);
        fields.sum::<u128>() + u128::from(fraction)
    }

    /// Returns the number that an interval of one field is.
    pub(super) fn single(&self) -> Decimal {
        let place = self.qualifier.span().0;
        let mut number = Decimal { negative: self.negative, mantissa: self.size(), exponent: 0, more: false };
        if place == SECOND {
            number.exponent = -9;
            while number.exponent < 0 && number.mantissa.is_multiple_of(10) {
                number.mantissa /= 10;
                number.exponent += 1;
            }
        } else {
            number.mantissa /= UNITS[place];
        }
        number
    }

    /// Returns the sign and size of an interval of one field that counts this number, and whether the number is finer
    /// than the field; `None` if no interval is as large.
    pub(super) fn size_of_number(qualifier: Qualifier, number: &Decimal) -> Option<(bool, u128, bool)> {
        let ((count, lost), unit) = match qualifier.span().0 {
            SECOND => (number.scaled(9)?, 1),
            place => (number.whole()?, UNITS[place]),
        };
        Some((number.negative, count.checked_mul(unit)?, lost))
    }

    /// Returns the interval of this size (months or billionths of a second), and whether something was left out; `None`
    /// if the first field cannot hold it.
    pub(super) fn of_size(qualifier: Qualifier, negative: bool, size: u128) -> Option<(Interval, bool)> {
        let mut interval = Interval { qualifier, negative, fields: [0; FIELDS], fraction: 0 };
        let (first, last) = qualifier.span();
        let mut rest = size;
        for (field, unit) in interval.fields.iter_mut().zip(UNITS).take(last + 1).skip(first) {
            *field = u32::try_from(rest / unit).ok()?;
            rest %= unit;
        }
        if last == SECOND {
            interval.fraction = (rest / 1000) as u32;
            rest %= 1000;
        }
        Some((interval, rest != 0))
    }
}

fn number(digits: &[u8]) -> Option<u32> {
    let plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    plain.then(|| std::str::from_utf8(digits).ok()?.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::super::ctype::{CType, Kind};
    use super::*;

    fn qualifiers() -> impl Iterator<Item = Qualifier> {
        CType::ALL.iter().filter_map(|c_type| match c_type.kind() {
            Kind::Interval(qualifier) => Some(qualifier),
            _ => None,
        })
    }

    #[test]
    fn the_layout_is_that_of_c() {
        use odbc_sys::{DaySecond, IntervalStruct};
        use std::mem::offset_of;
        assert_eq!((offset_of!(IntervalStruct, interval_sign), offset_of!(IntervalStruct, interval_value)), (4, 8));
        assert_eq!((offset_of!(DaySecond, second), offset_of!(DaySecond, fraction)), (12, 16));
    }

    #[test]
    fn texts_of_all_thirteen() {
        let texts = [
            "3",
            "-14",
            "90",
            "0",
            "4294967295",
            "-5.25",
            "3-02",
            "1 02",
            "-1 02:03",
            "1 02:03:04.000005",
            "26:03",
            "26:03:04.001234567",
            "62:04.5",
        ];
        assert_eq!(qualifiers().count(), texts.len());
        for (qualifier, text) in qualifiers().zip(texts) {
            let interval = Interval::parse_cell(qualifier, text.as_bytes()).unwrap();
            let mut written = Vec::new();
            interval.write(&mut written);
            assert_eq!(String::from_utf8(written).unwrap(), text);
            assert_eq!(Interval::from_bytes(qualifier, interval.to_fixed().as_bytes()), Some(interval));
            if !text.contains("001234567") {
                assert_eq!(Interval::of_size(qualifier, interval.negative, interval.size()), Some((interval, false)));
            }
        }
    }

    #[test]
    fn irregular_structs_have_no_text() {
        let good = Interval::parse_cell(Qualifier::DayToHour, b"1 02").unwrap().to_fixed();
        for (at, byte) in [(0, 9), (4, 2), (12, 24), (16, 1), (24, 1)] {
            let mut bytes = good.as_bytes().to_vec();
            bytes[at] = byte;
            assert_eq!(Interval::from_bytes(Qualifier::DayToHour, &bytes), None, "byte {at}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "-", "1", "1 24", "1 2 3", "1-02", "1 02.5", "+1 02", "1 ", " 02", "4294967296 00"] {
            assert_eq!(Interval::parse_cell(Qualifier::DayToHour, text.as_bytes()), None, "{text}");
        }
    }
}
