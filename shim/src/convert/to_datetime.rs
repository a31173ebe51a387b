//! Conversions to dates, times and timestamps.
//!
//! What the target has no place for is left out: silently if it is zero, else with 01S07. The date of a timestamp that
//! becomes a time does not count as left out. A text that is none of these is 22018. One that looks like one but is no
//! day or time (a month 13) is 22007, and so is such a recorded struct.

use odbc_sys::{Time, Timestamp};

use super::conversion::{Converted, Failure, Wish};
use super::datetime::{self, Literal};
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

fn moment(source: &Source<'_>, wish: &Wish) -> Result<Moment, Failure> {
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

fn lacks(source: &Source<'_>, wish: &Wish) -> Failure {
    match source {
        Source::Text { bytes, .. } => Failure::not_a(&wish.to.name(), bytes),
        _ => Failure::restricted(wish.to),
    }
}

/// Reports 01S07, 22007, 22018.
pub(super) fn date<'a>(source: &Source<'a>, wish: &Wish) -> Result<Converted<'a>, Failure> {
    let Moment { timestamp, dated, finer, .. } = moment(source, wish)?;
    if !dated {
        return Err(lacks(source, wish));
    }
    let lost = finer || timestamp.fraction != 0 || datetime::time_of(&timestamp) != Time::default();
    Ok(Converted::Fixed { value: datetime::date_bytes(&datetime::date_of(&timestamp)), lost })
}

/// Reports 01S07, 22007, 22018.
pub(super) fn time<'a>(source: &Source<'a>, wish: &Wish) -> Result<Converted<'a>, Failure> {
    let Moment { timestamp, timed, finer, .. } = moment(source, wish)?;
    if !timed {
        return Err(lacks(source, wish));
    }
    let lost = finer || timestamp.fraction != 0;
    Ok(Converted::Fixed { value: datetime::time_bytes(&datetime::time_of(&timestamp)), lost })
}

/// Reports 01S07, 22007, 22018. A date alone gets midnight, and a time alone the current date.
pub(super) fn timestamp<'a>(source: &Source<'a>, wish: &Wish) -> Result<Converted<'a>, Failure> {
    let Moment { mut timestamp, dated, finer, .. } = moment(source, wish)?;
    if !dated {
        let today = today().ok_or_else(Failure::invalid_datetime)?;
        timestamp = datetime::on_day(today, datetime::time_of(&timestamp), timestamp.fraction);
    }
    Ok(Converted::Fixed { value: datetime::timestamp_bytes(&timestamp), lost: finer })
}
