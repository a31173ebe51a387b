//! What a conversion gets, what it returns, and why it fails.

use std::borrow::Cow;

use super::ctype::CType;
use super::fixed::Fixed;

/// A value in the form of its target.
#[derive(Clone, Copy, Debug)]
pub(super) enum Content<'a> {
    /// These bytes, for any target.
    Raw(&'a [u8]),
    /// This UTF-8 text, to be written as UTF-16.
    Widen(&'a [u8]),
    /// Two hexadecimal digits for each byte, as CHAR or WCHAR.
    Hex(&'a [u8]),
}

/// What the application asks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Requested {
    pub(super) to: CType,
    /// The precision and scale of the application's descriptor, for a NUMERIC target.
    pub(super) numeric: Option<(u8, i8)>,
    /// The recorded value's own bytes, if its type has a fixed size.
    pub(super) value: Option<Fixed>,
    /// The recorded length in bytes, if only the beginning of the value was recorded.
    pub(super) cut: Option<i64>,
}

/// A value in its new form.
#[derive(Clone, Debug)]
pub(super) enum Converted<'a> {
    /// A value of fixed size. `lost` says that digits or fields at the end were left out (01S07).
    Fixed { value: Fixed, lost: bool },
    /// Part of what was recorded, as it is or in another encoding. `cut` is the length in that form, if the value was
    /// recorded in part.
    Recorded { content: Content<'a>, cut: Option<i64> },
    /// A text or bytes made by the conversion; `least` of them must fit.
    Made { bytes: Vec<u8>, least: usize },
}

/// The outcome of writing a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Written {
    /// The whole value is in the buffer.
    Success,
    /// The buffer holds the value's beginning or its next piece: SQL_SUCCESS_WITH_INFO, 01004.
    Truncated,
    /// A fraction, or fields at the end, have no place in the target's type: SQL_SUCCESS_WITH_INFO, 01S07.
    FractionTruncated,
    /// SQLGetData has handed out the whole value before: SQL_NO_DATA. Nothing was written.
    NoData,
    /// SQL_ERROR. The buffer may have been touched, as ODBC allows.
    Failed {
        /// SQLSTATE.
        sqlstate: &'static str,
        /// What is wrong, and what to do if the recording lacks something.
        message: Cow<'static, str>,
    },
}

/// Why a cell cannot be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    sqlstate: &'static str,
    message: Cow<'static, str>,
}

impl From<Failure> for Written {
    fn from(Failure { sqlstate, message }: Failure) -> Written {
        Written::Failed { sqlstate, message }
    }
}

impl Failure {
    pub(super) fn new(sqlstate: &'static str, message: impl Into<Cow<'static, str>>) -> Failure {
        Failure { sqlstate, message: message.into() }
    }

    pub(super) fn restricted(to: CType) -> Failure {
        Failure::new("07006", format!("Restricted data type attribute violation: not to C type {}", to.name()))
    }

    pub(super) fn out_of_range(what: &str) -> Failure {
        Failure::new("22003", format!("Numeric value out of range: {what}"))
    }

    pub(super) fn invalid_datetime() -> Failure {
        Failure::new("22007", "Invalid datetime format: the value is not a day of the calendar or a time of day")
    }

    pub(super) fn interval_overflow(what: &str) -> Failure {
        Failure::new("22015", format!("Interval field overflow: {what}"))
    }

    pub(super) fn not_a(what: &str, text: &[u8]) -> Failure {
        let shown = text[..text.len().min(40)].escape_ascii();
        Failure::new(
            "22018",
            format!("Invalid character value for cast specification: `{shown}` is not a valid {what}"),
        )
    }

    pub(super) fn encoding(to: CType) -> Failure {
        let to = to.name();
        Failure::new(
            "22018",
            format!(
                "Invalid character value for cast specification: the recorded bytes are not valid text, so no {to} can be made of them"
            ),
        )
    }

    /// The recorded struct's fields contradict each other.
    pub(super) fn malformed() -> Failure {
        Failure::new("22018", "Invalid character value for cast specification: the recorded struct is malformed")
    }

    /// The cell is not a value of its C type, so somebody edited the cassette.
    pub(super) fn bad_cell(what: &str) -> Failure {
        Failure::new("HY000", what.to_owned())
    }

    /// Returns the failure in words.
    pub(super) fn what(self) -> String {
        self.message.into_owned()
    }

    /// The application wants more of a value than it read when it was recorded.
    pub(super) fn not_recorded(have: usize, total: Option<i64>) -> Failure {
        let of = match total {
            Some(total @ 0..) => format!(" of {total}"),
            _ => String::new(),
        };
        Failure::new(
            "HY000",
            format!(
                "replay: only the first {have}{of} bytes of this value were recorded; record again with the larger buffer"
            ),
        )
    }
}
