//! SQL_DATE_STRUCT, SQL_TIME_STRUCT and SQL_TIMESTAMP_STRUCT: their bytes, their text, and which values are valid.
//!
//! ODBC reference, Appendix D: "C Data Types" and "SQL to C: Timestamp".

use odbc_sys::{Date, Time, Timestamp};

use super::fixed::Fixed;

fn short(bytes: &[u8], at: usize) -> Option<[u8; 2]> {
    bytes.get(at..at + 2)?.try_into().ok()
}

/// Reads the date in these 6 bytes.
pub(super) fn date(bytes: &[u8]) -> Option<Date> {
    let field = |at| short(bytes, at).map(u16::from_ne_bytes);
    Some(Date { year: i16::from_ne_bytes(short(bytes, 0)?), month: field(2)?, day: field(4)? })
}

/// Reads the time in these 6 bytes.
pub(super) fn time(bytes: &[u8]) -> Option<Time> {
    let field = |at| short(bytes, at).map(u16::from_ne_bytes);
    Some(Time { hour: field(0)?, minute: field(2)?, second: field(4)? })
}

/// Reads the timestamp in these 16 bytes.
pub(super) fn timestamp(bytes: &[u8]) -> Option<Timestamp> {
    let fraction = u32::from_ne_bytes(bytes.get(12..16)?.try_into().ok()?);
    Some(on_day(date(bytes)?, time(bytes.get(6..)?)?, fraction))
}

pub(super) fn date_bytes(date: &Date) -> Fixed {
    let mut bytes = [0; 6];
    bytes[..2].copy_from_slice(&date.year.to_ne_bytes());
    bytes[2..4].copy_from_slice(&date.month.to_ne_bytes());
    bytes[4..].copy_from_slice(&date.day.to_ne_bytes());
    Fixed::new(&bytes)
}

pub(super) fn time_bytes(time: &Time) -> Fixed {
    let mut bytes = [0; 6];
    bytes[..2].copy_from_slice(&time.hour.to_ne_bytes());
    bytes[2..4].copy_from_slice(&time.minute.to_ne_bytes());
    bytes[4..].copy_from_slice(&time.second.to_ne_bytes());
    Fixed::new(&bytes)
}

pub(super) fn timestamp_bytes(timestamp: &Timestamp) -> Fixed {
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(date_bytes(&date_of(timestamp)).as_bytes());
    bytes[6..12].copy_from_slice(time_bytes(&time_of(timestamp)).as_bytes());
    bytes[12..].copy_from_slice(&timestamp.fraction.to_ne_bytes());
    Fixed::new(&bytes)
}

pub(super) fn date_of(timestamp: &Timestamp) -> Date {
    Date { year: timestamp.year, month: timestamp.month, day: timestamp.day }
}

pub(super) fn time_of(timestamp: &Timestamp) -> Time {
    Time { hour: timestamp.hour, minute: timestamp.minute, second: timestamp.second }
}

pub(super) fn at_midnight(date: Date) -> Timestamp {
    on_day(date, Time::default(), 0)
}

pub(super) fn on_day(date: Date, time: Time, fraction: u32) -> Timestamp {
    let Date { year, month, day } = date;
    let Time { hour, minute, second } = time;
    Timestamp { year, month, day, hour, minute, second, fraction }
}

/// Returns whether the standard text can show these fields. It can show zeros: some servers have a day 0000-00-00.
pub(super) fn has_text(timestamp: &Timestamp) -> bool {
    (0..=9999).contains(&timestamp.year) && timestamp.month <= 12 && timestamp.day <= 31 && is_time(timestamp)
}

fn is_time(timestamp: &Timestamp) -> bool {
    // A minute may have 61 or 62 seconds: Appendix D allows leap seconds.
    timestamp.hour <= 23 && timestamp.minute <= 59 && timestamp.second <= 61 && timestamp.fraction <= 999_999_999
}

/// Returns whether this is a day of the calendar and a time of day.
pub(super) fn is_valid(timestamp: &Timestamp) -> bool {
    let leap = timestamp.year % 4 == 0 && (timestamp.year % 100 != 0 || timestamp.year % 400 == 0);
    let days = match timestamp.month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (0..=9999).contains(&timestamp.year) && (1..=days).contains(&timestamp.day) && is_time(timestamp)
}

fn write_digits(mut number: u32, digits: usize, out: &mut Vec<u8>) {
    let begin = out.len();
    out.resize(begin + digits, b'0');
    for place in out[begin..].iter_mut().rev() {
        *place += (number % 10) as u8;
        number /= 10;
    }
}

/// Appends `.` and the digits of a fraction of `digits` digits, without trailing zeros. Appends nothing for zero.
pub(super) fn write_fraction(fraction: u32, digits: usize, out: &mut Vec<u8>) {
    if fraction != 0 {
        out.push(b'.');
        write_digits(fraction, digits, out);
        while out.last() == Some(&b'0') {
            out.pop();
        }
    }
}

/// Appends `2001-01-31`.
pub(super) fn write_date(date: &Date, out: &mut Vec<u8>) {
    write_digits(u32::from(date.year.unsigned_abs()), 4, out);
    out.push(b'-');
    write_digits(u32::from(date.month), 2, out);
    out.push(b'-');
    write_digits(u32::from(date.day), 2, out);
}

/// Appends `12:30:45`.
pub(super) fn write_time(time: &Time, out: &mut Vec<u8>) {
    write_digits(u32::from(time.hour), 2, out);
    out.push(b':');
    write_digits(u32::from(time.minute), 2, out);
    out.push(b':');
    write_digits(u32::from(time.second), 2, out);
}

/// Appends `2001-01-31 12:30:45.123456789` without trailing zeros.
pub(super) fn write_timestamp(timestamp: &Timestamp, out: &mut Vec<u8>) {
    write_date(&date_of(timestamp), out);
    out.push(b' ');
    write_time(&time_of(timestamp), out);
    write_fraction(timestamp.fraction, 9, out);
}

/// A date, a time or both, as a text gives them. The fields are in their places but not checked yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Literal {
    pub(super) date: Option<Date>,
    pub(super) time: Time,
    /// The fraction in billionths of a second.
    pub(super) fraction: u32,
    /// Whether the text gives a time.
    pub(super) timed: bool,
    /// Whether the text gives a fraction finer than billionths.
    pub(super) finer: bool,
}

/// Parses `yyyy-mm-dd`, `hh:mm:ss[.f...]`, or both with a space or a `T` between them.
pub(super) fn parse(text: &[u8]) -> Option<Literal> {
    let mut rest = text;
    let mut literal = Literal { date: None, time: Time::default(), fraction: 0, timed: false, finer: false };
    if text.get(4) == Some(&b'-') {
        let year = digits(&mut rest, 4)?;
        let month = after(b'-', &mut rest)?;
        let day = after(b'-', &mut rest)?;
        literal.date = Some(Date { year: year as i16, month: month as u16, day: day as u16 });
        match rest {
            [] => return Some(literal),
            [b' ' | b'T', time @ ..] => rest = time,
            _ => return None,
        }
    }
    let hour = digits(&mut rest, 2)?;
    let minute = after(b':', &mut rest)?;
    let second = after(b':', &mut rest)?;
    literal.time = Time { hour: hour as u16, minute: minute as u16, second: second as u16 };
    literal.timed = true;
    if let [b'.', fraction @ ..] = rest {
        (literal.fraction, literal.finer) = nanoseconds(fraction)?;
        rest = &[];
    }
    rest.is_empty().then_some(literal)
}

/// Returns a fraction's digits in billionths, and whether further digits other than zero were left out.
pub(super) fn nanoseconds(text: &[u8]) -> Option<(u32, bool)> {
    if !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let fraction = (0..9).fold(0, |sum, place| sum * 10 + text.get(place).map_or(0, |digit| u32::from(digit - b'0')));
    Some((fraction, text.iter().skip(9).any(|digit| *digit != b'0')))
}

fn after(separator: u8, rest: &mut &[u8]) -> Option<u32> {
    *rest = rest.strip_prefix(&[separator])?;
    digits(rest, 2)
}

/// Takes the number of exactly this many digits from the beginning of `rest`.
fn digits(rest: &mut &[u8], count: usize) -> Option<u32> {
    let (digits, after) = rest.split_at_checked(count)?;
    *rest = after;
    digits.iter().try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + u32::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::super::cell_text::{from_text, to_text};
    use super::super::ctype::Kind;
    use super::*;

    #[test]
    fn the_layout_is_that_of_c() {
        use std::mem::offset_of;
        assert_eq!((offset_of!(Date, month), offset_of!(Date, day)), (2, 4));
        assert_eq!((offset_of!(Time, minute), offset_of!(Time, second)), (2, 4));
        assert_eq!((offset_of!(Timestamp, hour), offset_of!(Timestamp, fraction)), (6, 12));
    }

    #[test]
    fn texts_come_back() {
        let date = Date { year: 2001, month: 2, day: 3 };
        let time = Time { hour: 12, minute: 30, second: 45 };
        let cases = [
            (Kind::Date, date_bytes(&date), "2001-02-03"),
            (Kind::Date, date_bytes(&Date { year: 0, month: 0, day: 0 }), "0000-00-00"),
            (Kind::Time, time_bytes(&time), "12:30:45"),
            (Kind::Timestamp, timestamp_bytes(&on_day(date, time, 0)), "2001-02-03 12:30:45"),
            (Kind::Timestamp, timestamp_bytes(&on_day(date, time, 1)), "2001-02-03 12:30:45.000000001"),
            (Kind::Timestamp, timestamp_bytes(&on_day(date, time, 120_000_000)), "2001-02-03 12:30:45.12"),
        ];
        for (kind, bytes, text) in cases {
            let mut written = Vec::new();
            assert!(to_text(kind, bytes.as_bytes(), &mut written));
            assert_eq!(String::from_utf8(written).unwrap(), text);
            assert_eq!(from_text(kind, text.as_bytes()), Some(bytes), "{text}");
        }
    }

    #[test]
    fn what_the_text_cannot_show_has_none() {
        let good = on_day(Date { year: 2001, month: 2, day: 3 }, Time::default(), 0);
        let bad = [
            Timestamp { year: -1, ..good },
            Timestamp { year: 10_000, ..good },
            Timestamp { month: 13, ..good },
            Timestamp { day: 32, ..good },
            Timestamp { hour: 24, ..good },
            Timestamp { fraction: 1_000_000_000, ..good },
        ];
        for timestamp in bad {
            assert!(!has_text(&timestamp), "{timestamp:?}");
            assert!(!is_valid(&timestamp), "{timestamp:?}");
        }
        assert!(has_text(&Timestamp { day: 31, ..good }) && !is_valid(&Timestamp { day: 31, ..good }));
        assert!(
            is_valid(&Timestamp { year: 2000, day: 29, ..good })
                && !is_valid(&Timestamp { year: 1900, day: 29, ..good })
        );
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "2001-1-1",
            "2001-01-01 ",
            "2001-01-01 12:30",
            "12:30",
            "12:30:45.x",
            "01-01-2001",
            "2001-01-01+12:30:45",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
        assert!(parse(b"2001-01-01T12:30:45.1234567891").unwrap().finer);
        assert_eq!(from_text(Kind::Date, b"2001-01-01 00:00:00"), None);
        assert_eq!(from_text(Kind::Time, b"12:30:45.5"), None);
        assert_eq!(from_text(Kind::Timestamp, b"2001-01-01"), None);
    }
}
