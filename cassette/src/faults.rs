//! Faults: a command that succeeded when it was recorded fails once at replay, so that a program's error handling can be tested.
//!
//! A fault is written `PLACE=WHAT`: `7=40001`, `a#5=deadlock`, `sql:^insert=timeout`. The program is told what the
//! cassette's driver was measured to report (`player/fault_profiles.rs`).

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use regex::Regex;

use crate::{ConnectionId, Method, Value};

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The database ends the transaction to resolve a deadlock.
    Deadlock,
    /// The connection is gone.
    LostConnection,
    /// The database takes too long.
    Timeout,
    /// The database does not give a lock in time.
    LockTimeout,
    /// Somebody cancels the statement.
    Cancelled,
    /// The database cannot store more.
    DiskFull,
    /// The connection is gone while the database commits, and nobody knows whether it did.
    CommitUnknown,
    /// There are fewer rows than were recorded, and no error.
    RowsEndEarly,
    /// Any other error.
    Sqlstate(String),
}

impl FaultKind {
    /// The kinds that have a name.
    pub const NAMED: [FaultKind; 8] = [
        FaultKind::Deadlock,
        FaultKind::LostConnection,
        FaultKind::Timeout,
        FaultKind::LockTimeout,
        FaultKind::Cancelled,
        FaultKind::DiskFull,
        FaultKind::CommitUnknown,
        FaultKind::RowsEndEarly,
    ];

    /// Returns the name, or the SQLSTATE.
    pub fn name(&self) -> &str {
        match self {
            FaultKind::Deadlock => "deadlock",
            FaultKind::LostConnection => "lost-connection",
            FaultKind::Timeout => "timeout",
            FaultKind::LockTimeout => "lock-timeout",
            FaultKind::Cancelled => "cancelled",
            FaultKind::DiskFull => "disk-full",
            FaultKind::CommitUnknown => "commit-unknown",
            FaultKind::RowsEndEarly => "rows-end-early",
            FaultKind::Sqlstate(sqlstate) => sqlstate,
        }
    }

    /// Says whether nothing more can be done on the connection.
    pub fn loses_connection(&self) -> bool {
        match self {
            FaultKind::LostConnection | FaultKind::CommitUnknown => true,
            FaultKind::Sqlstate(sqlstate) => matches!(sqlstate.as_str(), "08S01" | "08007"),
            _ => false,
        }
    }

    /// Says whether everything done in the transaction before is undone.
    pub fn ends_transaction(&self) -> bool {
        let serialization = matches!(self, FaultKind::Sqlstate(sqlstate) if sqlstate.starts_with("40"));
        serialization || *self == FaultKind::Deadlock || self.loses_connection()
    }

    /// Returns why a command of this method cannot fail in this way; `None` if it can.
    pub fn unfit(&self, method: Method) -> Option<&'static str> {
        match self {
            FaultKind::CommitUnknown if method != Method::Commit => Some("commit-unknown is for a commit"),
            FaultKind::RowsEndEarly if !method.is_rows() || method == Method::FetchScroll => {
                Some("rows-end-early is for rows that are fetched one after the other")
            }
            _ => None,
        }
    }
}

impl FromStr for FaultKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(named) = FaultKind::NAMED.iter().find(|named| named.name() == text) {
            return Ok(named.clone());
        }
        let is_sqlstate =
            text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
        if is_sqlstate && !matches!(text.get(..2), Some("00" | "01" | "02")) {
            return Ok(FaultKind::Sqlstate(text.to_owned()));
        }
        let names: Vec<&str> = FaultKind::NAMED.iter().map(FaultKind::name).collect();
        Err(format!("`{text}` is not a fault: write {}, or the SQLSTATE of an error", names.join(", ")))
    }
}

/// Which command fails.
#[derive(Clone, Debug)]
pub enum Place {
    /// The command with this number, as `super8 show --numbers` counts.
    Number(usize),
    /// The n-th command of a connection, or of one of its statements.
    Of {
        /// The connection.
        connection: ConnectionId,
        /// The statement.
        statement: Option<u32>,
        /// Which command, from 1.
        count: usize,
    },
    /// The n-th connect.
    Connect(usize),
    /// The first execution of a text that matches.
    Sql(Regex),
}

/// Which row of a command that fetches rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultRow {
    /// This one, from 1.
    Number(u64),
    /// The last one.
    Last,
}

/// A fault: what goes wrong, and where.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The fault as it was written.
    pub text: String,
    /// Which command fails.
    pub place: Place,
    /// The row at which it fails.
    pub row: FaultRow,
    /// What goes wrong.
    pub kind: FaultKind,
}

impl PartialEq for Fault {
    fn eq(&self, other: &Fault) -> bool {
        self.text == other.text
    }
}

impl Eq for Fault {}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

const HOW: &str = "write PLACE=FAULT, where the place is the number of a command as `super8 show --numbers` counts them (7), a command of a \
                   connection (a#5) or of a statement (a/3, a/3#2), `connect`, or `sql:REGEX`; @2 or @last after it is a row";

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |problem: &str| format!("the fault `{text}`: {problem}; {HOW}");
        let (place, kind) = text.rsplit_once('=').ok_or_else(|| wrong("there is no `=`"))?;
        let kind = kind.parse::<FaultKind>().map_err(|problem| wrong(&problem))?;
        if let Some(pattern) = place.strip_prefix("sql:") {
            let pattern = Regex::new(pattern).map_err(|error| wrong(&error.to_string()))?;
            return Ok(Fault { text: text.to_owned(), place: Place::Sql(pattern), row: FaultRow::Number(1), kind });
        }
        let (place, row) = match place.split_once('@') {
            None => (place, FaultRow::Number(1)),
            Some((place, "last")) => (place, FaultRow::Last),
            Some((place, row)) => match row.parse() {
                Ok(row) if row > 0 => (place, FaultRow::Number(row)),
                _ => return Err(wrong("the row is neither a number from 1 nor `last`")),
            },
        };
        let place = place_of(place).ok_or_else(|| wrong(&format!("`{place}` is not a place")))?;
        Ok(Fault { text: text.to_owned(), place, row, kind })
    }
}

fn place_of(text: &str) -> Option<Place> {
    let number = |text: &str| text.parse::<usize>().ok().filter(|number| *number > 0);
    if let Some(number) = number(text) {
        return Some(Place::Number(number));
    }
    let (owner, count) = match text.split_once('#') {
        Some((owner, count)) => (owner, number(count)?),
        None => (text, 1),
    };
    if owner == "connect" {
        return Some(Place::Connect(count));
    }
    let (connection, statement) = match owner.split_once('/') {
        Some((connection, statement)) => (connection, Some(statement.parse().ok()?)),
        None => (owner, None),
    };
    Some(Place::Of { connection: connection.parse().ok()?, statement, count })
}

/// Parses the faults of a setting, one per line.
///
/// # Errors
/// One cannot be parsed.
pub fn parse_all(text: &str) -> Result<Vec<Fault>, String> {
    text.lines().filter(|line| !line.is_empty()).map(str::parse).collect()
}

/// Reads a fault from the value of a field `fault`. A SQLSTATE may be written there without quotes.
///
/// # Errors
/// The value is no fault.
pub fn written(value: &Value) -> Result<FaultKind, String> {
    match value {
        Value::Text(text) => text.parse(),
        Value::Int(number @ 0..=99_999) => format!("{number:05}").parse(),
        _ => Err("write one fault, a name or a SQLSTATE".to_owned()),
    }
}

/// Parses the text of a field `delay`.
///
/// # Errors
/// The text is no time, or more than an hour.
pub fn delay(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not a time: write a number and ms, s or m, such as 200ms, an hour at most");
    let digits = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let seconds = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        _ => return Err(wrong()),
    };
    let seconds = number.parse::<f64>().map_err(|_| wrong())? * seconds;
    if seconds <= 3600.0 { Duration::try_from_secs_f64(seconds).map_err(|_| wrong()) } else { Err(wrong()) }
}

/// Returns what stands in the messages of a fault, so that it can be found in a program's output.
pub fn token(fault: &str) -> String {
    format!("super8-fault:{fault}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read_and_what_is_none_says_how() {
        let place = |text: &str| format!("{:?}", text.parse::<Fault>().unwrap().place);
        assert_eq!(place("7=40001"), "Number(7)");
        assert_eq!(place("a/3=deadlock"), "Of { connection: ConnectionId(0), statement: Some(3), count: 1 }");
        assert_eq!(place("b#5@last=timeout"), "Of { connection: ConnectionId(1), statement: None, count: 5 }");
        assert_eq!(place("connect=08001"), "Connect(1)");
        assert!(place("sql:a=b@2=timeout").contains("a=b@2"));
        for wrong in ["7", "0=timeout", "7=01000", "7=slow", "a/x=timeout", "7@0=timeout", "sql:(=timeout", "=timeout"]
        {
            assert!(wrong.parse::<Fault>().unwrap_err().contains("PLACE=FAULT"), "{wrong}");
        }
    }
}
