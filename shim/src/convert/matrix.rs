//! Which recorded value can become which C type, and how.
//!
//! ODBC reference, Appendix D: "Converting Data from SQL to C Data Types". A recorded cell belongs to the row of the
//! SQL types that have its C type: character data for CHAR and WCHAR, exact numbers for the integers and NUMERIC, and
//! so on. Each function's comment says which SQLSTATEs it may report; docs/conversions.md shows them all in one table.

use super::conversion::{Converted, Failure, Requested};
use super::ctype::{CType, Kind};
use super::source::Source;
use super::to_datetime::interval;
use super::to_datetime::{date, time, timestamp};
use super::to_number_or_text::{binary, guid, text};
use super::to_number_or_text::{bit, exact, integer, real};

/// A function that converts a recorded value to the C type of the wish.
type Conversion = for<'a> fn(&Source<'a>, &Requested) -> Result<Converted<'a>, Failure>;

fn none<'a>(_: &Source<'a>, wish: &Requested) -> Result<Converted<'a>, Failure> {
    Err(Failure::restricted(wish.to))
}

#[rustfmt::skip]
const MATRIX: [(&str, [Conversion; 12]); 11] = [
    //                CHAR,  BINARY  integer  FLOAT, NUMERIC BIT   DATE  TIME  TIME-      year..  day..    GUID
    //                WCHAR                   DOUBLE                           STAMP      month   second
    ("character",   [ text,  binary, integer, real,  exact,  bit,  date, time, timestamp, interval, interval, guid ]),
    ("exact",       [ text,  binary, integer, real,  exact,  bit,  none, none, none,      interval, interval, none ]),
    ("approximate", [ text,  binary, integer, real,  exact,  bit,  none, none, none,      none,     none,     none ]),
    ("bit",         [ text,  binary, integer, real,  exact,  bit,  none, none, none,      none,     none,     none ]),
    ("binary",      [ text,  binary, none,    none,  none,   none, none, none, none,      none,     none,     none ]),
    ("date",        [ text,  binary, none,    none,  none,   none, date, none, timestamp, none,     none,     none ]),
    ("time",        [ text,  binary, none,    none,  none,   none, none, time, timestamp, none,     none,     none ]),
    ("timestamp",   [ text,  binary, none,    none,  none,   none, date, time, timestamp, none,     none,     none ]),
    ("year-month",  [ text,  binary, integer, none,  exact,  none, none, none, none,      interval, none,     none ]),
    ("day-time",    [ text,  binary, integer, none,  exact,  none, none, none, none,      none,     interval, none ]),
    ("guid",        [ text,  binary, none,    none,  none,   none, none, none, none,      none,     none,     guid ]),
];

/// Returns the matrix row of a recorded C type.
fn row(recorded: CType) -> Option<usize> {
    Some(match recorded.kind() {
        Kind::Char | Kind::WChar => 0,
        Kind::Integer { .. } | Kind::Numeric => 1,
        Kind::Float | Kind::Double => 2,
        Kind::Bit => 3,
        Kind::Binary => 4,
        Kind::Date => 5,
        Kind::Time => 6,
        Kind::Timestamp => 7,
        Kind::Interval(qualifier) if qualifier.is_year_month() => 8,
        Kind::Interval(_) => 9,
        Kind::Guid => 10,
        Kind::Other => return None,
    })
}

/// Returns the matrix column of a target.
fn column(to: CType) -> Option<usize> {
    Some(match to.kind() {
        Kind::Char | Kind::WChar => 0,
        Kind::Binary => 1,
        Kind::Integer { .. } => 2,
        Kind::Float | Kind::Double => 3,
        Kind::Numeric => 4,
        Kind::Bit => 5,
        Kind::Date => 6,
        Kind::Time => 7,
        Kind::Timestamp => 8,
        Kind::Interval(qualifier) if qualifier.is_year_month() => 9,
        Kind::Interval(_) => 10,
        Kind::Guid => 11,
        Kind::Other => return None,
    })
}

/// Returns the conversion from a recorded C type to another. A driver's own type has none.
pub(super) fn conversion(recorded: CType, to: CType) -> Conversion {
    match (row(recorded), column(to)) {
        (Some(row), Some(column)) => MATRIX[row].1[column],
        _ => none,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table in docs/conversions.md says the same as the one above.
    #[test]
    fn the_documentation_shows_the_matrix() {
        let page = include_str!("../../../docs/conversions.md");
        for (family, conversions) in MATRIX {
            let line = page.lines().find(|line| line.starts_with(&format!("| {family} |")));
            let cells: Vec<&str> = line.unwrap_or_else(|| panic!("no row {family}")).split('|').skip(2).collect();
            for (column, conversion) in conversions.into_iter().enumerate() {
                let restricted = std::ptr::fn_addr_eq(conversion, none as Conversion);
                assert_eq!(cells[column].trim() == "07006", restricted, "{family}, column {column}");
            }
        }
    }
}
