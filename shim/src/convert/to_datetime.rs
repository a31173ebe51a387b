//! Conversions to dates, times, timestamps and intervals. What the target has no place for is left out: silently if it is
//! zero, else with 01S07.
//!
//! The date of a timestamp that becomes a time does not count as left out. A text that is no date or time is 22018. One that
//! looks like one but is no day or time (a month 13) is 22007, and so is such a recorded struct.
//!
//! An interval comes from others of the same class, from exact numbers, and from texts. A value that the first field cannot
//! hold is 22015. A text is an interval literal, or the part of one between the quotes (else 22018). The descriptor's
//! leading precision (2 unless the application set it) is ignored: the struct's 32 bits are the limit.

use odbc_sys::{Time, Timestamp};

use super::conversion::{Converted, Failure, Requested};
use super::ctype::{Kind, Qualifier};
use super::datetime;
use super::datetime::Literal;
use super::fixed::Fixed;
use super::interval::Interval;
use super::source::Source;
use super::today::today;

/// A day and time, of which one may not be given.
struct Moment {
    timestamp: Timestamp,
    dated: bool,
    timed: bool,
    /// Whether the text has a fraction finer than a timestamp's.
    finer: bool,
}

fn moment(source: &Source<'_>, wish: &Requested) -> Result<Moment, Failure> {
    let moment = match source {
        Source::Text { bytes, .. } => {
            let literal = datetime::parse(bytes.trim_ascii());
            let literal = literal.ok_or_else(|| Failure::not_a("date, time or timestamp", bytes))?;
            let Literal { date, time, fraction, timed, finer } = literal;
            let timestamp = datetime::on_day(date.unwrap_or_default(), time, fraction);
            Moment { timestamp, dated: date.is_some(), timed, finer }
        }
        Source::Date(date) => {
            Moment { timestamp: datetime::at_midnight(*date), dated: true, timed: false, finer: false }
        }
        Source::Time(time) => {
            let timestamp = datetime::on_day(Default::default(), *time, 0);
            Moment { timestamp, dated: false, timed: true, finer: false }
        }
        Source::Timestamp(timestamp) => Moment { timestamp: *timestamp, dated: true, timed: true, finer: false },
        _ => return Err(Failure::restricted(wish.to)),
    };
    let checked = match moment.dated {
        true => moment.timestamp,
        // Any day will do.
        false => Timestamp { year: 2000, month: 1, day: 1, ..moment.timestamp },
    };
    if datetime::is_valid(&checked) { Ok(moment) } else { Err(Failure::invalid_datetime()) }
}

fn lacks(source: &Source<'_>, wish: &Requested) -> Failure {
    match source {
        Source::Text { bytes, .. } => Failure::not_a(&wish.to.name(), bytes),
        _ => Failure::restricted(wish.to),
    }
}

/// Reports 01S07, 22007, 22018.
pub(super) fn date<'a>(source: &Source<'a>, wish: &Requested) -> Result<Converted<'a>, Failure> {
    let Moment { timestamp, dated, finer, .. } = moment(source, wish)?;
    if !dated {
        return Err(lacks(source, wish));
    }
    let lost = finer || timestamp.fraction != 0 || datetime::time_of(&timestamp) != Time::default();
    Ok(Converted::Fixed { value: datetime::date_bytes(&datetime::date_of(&timestamp)), lost })
}

/// Reports 01S07, 22007, 22018.
pub(super) fn time<'a>(source: &Source<'a>, wish: &Requested) -> Result<Converted<'a>, Failure> {
    let Moment { timestamp, timed, finer, .. } = moment(source, wish)?;
    if !timed {
        return Err(lacks(source, wish));
    }
    let lost = finer || timestamp.fraction != 0;
    Ok(Converted::Fixed { value: datetime::time_bytes(&datetime::time_of(&timestamp)), lost })
}

/// Reports 01S07, 22007, 22018. A date alone gets midnight, and a time alone the current date.
pub(super) fn timestamp<'a>(source: &Source<'a>, wish: &Requested) -> Result<Converted<'a>, Failure> {
    let Moment { mut timestamp, dated, finer, .. } = moment(source, wish)?;
    if !dated {
        let today = today().ok_or_else(Failure::invalid_datetime)?;
        timestamp = datetime::on_day(today, datetime::time_of(&timestamp), timestamp.fraction);
    }
    Ok(Converted::Fixed { value: datetime::timestamp_bytes(&timestamp), lost: finer })
}

/// Reports 01S07, 22015, 22018, and 07006 for a number that is to become an interval of several fields.
pub(super) fn interval<'a>(source: &Source<'a>, wish: &Requested) -> Result<Converted<'a>, Failure> {
    let Kind::Interval(to) = wish.to.kind() else { return Err(Failure::restricted(wish.to)) };
    let (negative, size, finer) = match source {
        Source::Text { bytes, .. } => parse(bytes.trim_ascii(), to).ok_or_else(|| Failure::not_a("interval", bytes))?,
        Source::Interval(interval) => (interval.negative, interval.size(), false),
        Source::Opaque => return Err(Failure::malformed()),
        _ if !to.is_single() => return Err(Failure::restricted(wish.to)),
        Source::Integer(number) => {
            Interval::size_of_number(to, &super::decimal::Decimal::of(*number)).ok_or_else(full)?
        }
        Source::Numeric(numeric) => Interval::size_of_number(to, &numeric.decimal()).ok_or_else(full)?,
        _ => return Err(Failure::restricted(wish.to)),
    };
    let (interval, lost) = Interval::of_size(to, negative, size).ok_or_else(full)?;
    let value: Fixed = interval.to_fixed();
    Ok(Converted::Fixed { value, lost: lost || finer })
}

fn full() -> Failure {
    Failure::interval_overflow("the first field of the interval cannot hold the value")
}

/// Returns the sign, the size, and whether the text is finer than billionths of a second; `None` if it is no interval
/// of the target's class.
fn parse(text: &[u8], to: Qualifier) -> Option<(bool, u128, bool)> {
    let text = std::str::from_utf8(text).ok()?;
    let (from, value, negative) = match strip_word(text, "INTERVAL") {
        Some(literal) => {
            let (sign, quoted) = literal.split_once('\'')?;
            let (value, qualifier) = quoted.split_once('\'')?;
            let negative = match sign.trim() {
                "" | "+" => false,
                "-" => true,
                _ => return None,
            };
            (parse_qualifier(qualifier)?, value.trim(), negative)
        }
        None => (guess(text, to)?, text, false),
    };
    if from.is_year_month() != to.is_year_month() {
        return None;
    }
    let value = value.strip_prefix('+').filter(|value| !value.starts_with('-')).unwrap_or(value);
    let (inner, size, finer) = Interval::parse_size(from, value.as_bytes())?;
    Some((inner != negative, size, finer))
}

/// Returns the qualifier of a text without one, by its separators; if they leave a choice, by the target.
fn guess(text: &str, to: Qualifier) -> Option<Qualifier> {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let colons = text.bytes().filter(|byte| *byte == b':').count();
    Some(match (text.contains('-'), text.contains(' '), colons) {
        (true, false, 0) => Qualifier::YearToMonth,
        (false, true, 0) => Qualifier::DayToHour,
        (false, true, 1) => Qualifier::DayToMinute,
        (false, true, 2) => Qualifier::DayToSecond,
        (false, false, 2) => Qualifier::HourToSecond,
        (false, false, 1) if text.contains('.') || matches!(to, Qualifier::MinuteToSecond | Qualifier::Minute) => {
            Qualifier::MinuteToSecond
        }
        (false, false, 1) => Qualifier::HourToMinute,
        (false, false, 0) if to.is_single() => to,
        _ => return None,
    })
}

/// Parses `YEAR`, `DAY(3) TO SECOND(6)` and the like.
fn parse_qualifier(text: &str) -> Option<Qualifier> {
    const NAMES: [&str; 6] = ["YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"];
    fn field(text: &str) -> Option<(usize, &str)> {
        let text = text.trim_start();
        let (place, rest) =
            NAMES.iter().enumerate().find_map(|(place, name)| Some((place, strip_word(text, name)?.trim_start())))?;
        match rest.strip_prefix('(') {
            Some(precision) => {
                let (digits, rest) = precision.split_once(')')?;
                let plain = |byte: u8| byte.is_ascii_digit() || matches!(byte, b',' | b' ');
                digits.bytes().all(plain).then_some((place, rest.trim_start()))
            }
            None => Some((place, rest)),
        }
    }
    let (first, rest) = field(text)?;
    let last = match rest {
        "" => first,
        _ => match field(strip_word(rest, "TO")?)? {
            (last, "") => last,
            _ => return None,
        },
    };
    use Qualifier::*;
    [
        Year,
        Month,
        Day,
        Hour,
        Minute,
        Second,
        YearToMonth,
        DayToHour,
        DayToMinute,
        DayToSecond,
        HourToMinute,
        HourToSecond,
        MinuteToSecond,
    ]
    .into_iter()
    .find(|qualifier| qualifier.span() == (first, last))
}

/// Returns what follows a word at the beginning of the text, in either case.
fn strip_word<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let (head, rest) = text.split_at_checked(word.len())?;
    let ends = !rest.starts_with(|next: char| next.is_ascii_alphanumeric());
    (ends && head.eq_ignore_ascii_case(word)).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u128 = 86_400_000_000_000;

    #[test]
    fn literals_and_what_stands_between_their_quotes() {
        let cases = [
            ("INTERVAL '1-2' YEAR TO MONTH", Qualifier::Month, Some((false, 14, false))),
            ("interval -'3' day(4)", Qualifier::Hour, Some((true, 3 * DAY, false))),
            ("INTERVAL -'-3' DAY", Qualifier::Hour, Some((false, 3 * DAY, false))),
            ("INTERVAL '0 00:00:01.5' DAY TO SECOND(6)", Qualifier::Second, Some((false, 1_500_000_000, false))),
            ("+1-02", Qualifier::Year, Some((false, 14, false))),
            ("-1 00:00", Qualifier::Day, Some((true, DAY, false))),
            ("01:30", Qualifier::Minute, Some((false, 90_000_000_000, false))),
            ("01:30", Qualifier::Hour, Some((false, 5_400_000_000_000, false))),
            ("1.0000000001", Qualifier::Second, Some((false, 1_000_000_000, true))),
            ("5", Qualifier::DayToHour, None),
            ("1-02", Qualifier::Day, None),
            ("INTERVAL '1' DAYS", Qualifier::Day, None),
            ("INTERVAL '1' YEAR TO DAY", Qualifier::Day, None),
            ("INTERVAL '1 2' DAY TO HOUR x", Qualifier::Day, None),
            ("1 24", Qualifier::Day, None),
            ("1.5", Qualifier::Day, None),
            ("+-5", Qualifier::Day, None),
            ("five", Qualifier::Day, None),
        ];
        for (text, to, expected) in cases {
            assert_eq!(parse(text.as_bytes(), to), expected, "{text}");
        }
    }
}
