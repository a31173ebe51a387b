//! Diagnostic records of a handle: the shim's own queue, which serves SQLError, SQLGetDiagRec and SQLGetDiagField
//! alike.

use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use super8_cassette::Detail;

/// Return codes by their ODBC names.
#[allow(missing_docs)]
pub mod rc {
    use odbc_sys::SqlReturn;
    pub const SUCCESS: i16 = SqlReturn::SUCCESS.0;
    pub const SUCCESS_WITH_INFO: i16 = SqlReturn::SUCCESS_WITH_INFO.0;
    pub const STILL_EXECUTING: i16 = SqlReturn::STILL_EXECUTING.0;
    pub const NEED_DATA: i16 = SqlReturn::NEED_DATA.0;
    pub const NO_DATA: i16 = SqlReturn::NO_DATA.0;
    pub const PARAM_DATA_AVAILABLE: i16 = SqlReturn::PARAM_DATA_AVAILABLE.0;
    pub const ERROR: i16 = SqlReturn::ERROR.0;
    pub const INVALID_HANDLE: i16 = SqlReturn::INVALID_HANDLE.0;

    /// Returns whether outputs are valid: SQL_SUCCESS or SQL_SUCCESS_WITH_INFO.
    pub fn succeeded(rc: i16) -> bool {
        rc == SUCCESS || rc == SUCCESS_WITH_INFO
    }
}

/// One diagnostic record.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    /// The SQLSTATE, five characters.
    pub sqlstate: String,
    /// The driver's own code.
    pub native: i32,
    /// The message, with whatever prefix the driver gave it.
    pub message: String,
    /// SQL_DIAG_ROW_NUMBER, if the driver named a row.
    pub row: Option<i64>,
    /// SQL_DIAG_COLUMN_NUMBER, if the driver named a column or parameter.
    pub column: Option<i32>,
    /// Where the record comes from, as far as that is not what ODBC leads one to expect.
    pub origin: Origin,
    /// Whether the driver splits the message into as many records as its reader's first buffer calls for.
    pub in_pieces: bool,
    /// Whether the driver says SQL_SUCCESS if the message's buffer has no room at all.
    pub silent_without_room: bool,
}

/// SQL_DIAG_CLASS_ORIGIN, SUBCLASS_ORIGIN, CONNECTION_NAME and SERVER_NAME of a record: the driver's answer, a text or
/// a return code, where that is unusual.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Origin {
    /// The fields in that order; `None` for the usual answer.
    pub fields: [Option<Result<String, i16>>; 4],
}

impl Origin {
    /// The fields as a cassette has them.
    pub const DETAILS: [Detail; 4] =
        [Detail::ClassOrigin, Detail::SubclassOrigin, Detail::ConnectionName, Detail::ServerName];

    /// Returns only what is unusual for this record.
    pub fn differing_from(mut self, record: &Diagnostic) -> Origin {
        for (index, field) in self.fields.iter_mut().enumerate() {
            if field.as_ref().is_some_and(|said| said.as_deref() == Ok(record.usual_origin(index))) {
                *field = None;
            }
        }
        self
    }
}

impl Diagnostic {
    /// Returns the usual answer for the field of this index in [`Origin`] (the reference page of SQLGetDiagField).
    pub fn usual_origin(&self, index: usize) -> &'static str {
        match (index, self.sqlstate.starts_with("IM"), self.has_odbc_subclass()) {
            (0, true, _) | (1, _, true) => "ODBC 3.0",
            (0 | 1, _, _) => "ISO 9075",
            _ => "",
        }
    }

    /// Returns a record of super8's own.
    pub fn new(sqlstate: &str, message: impl std::fmt::Display) -> Self {
        Diagnostic {
            sqlstate: sqlstate.to_owned(),
            native: 0,
            message: format!("[super8] {message}"),
            row: None,
            column: None,
            origin: Origin::default(),
            in_pieces: false,
            silent_without_room: false,
        }
    }

    /// Returns what record `number` holds of a message in pieces of this many bytes; `None` behind the end.
    fn piece(mut self, number: usize, bytes: usize) -> Option<Diagnostic> {
        let whole = crate::args::encode_bytes(&self.message);
        let rest = whole.get((number - 1).saturating_mul(bytes)..)?;
        self.message = crate::args::decode_bytes(&rest[..bytes.min(rest.len())]);
        Some(self)
    }
}

impl Diagnostic {
    /// Returns whether the SQLSTATE's subclass is one that ODBC defined beyond ISO 9075 (the reference page of
    /// SQLGetDiagField, SQL_DIAG_SUBCLASS_ORIGIN).
    pub fn has_odbc_subclass(&self) -> bool {
        const ODBC: &[&str] = &[
            "01S00", "01S01", "01S02", "01S06", "01S07", "07S01", "08S01", "21S01", "21S02", "25S01", "25S02", "25S03",
            "42S01", "42S02", "42S11", "42S12", "42S21", "42S22", "HY095", "HY097", "HY098", "HY099", "HY100", "HY101",
            "HY105", "HY107", "HY109", "HY110", "HY111", "HYT00", "HYT01",
        ];
        self.sqlstate.starts_with("IM") || ODBC.contains(&self.sqlstate.as_str())
    }
}

/// The outcome of a call: its return code and its diagnostic records.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The return code.
    pub rc: i16,
    /// The diagnostic records.
    pub diagnostics: Vec<Diagnostic>,
}

impl Outcome {
    /// SQL_SUCCESS.
    pub const SUCCESS: Outcome = Outcome { rc: rc::SUCCESS, diagnostics: Vec::new() };

    /// Returns an outcome that is only a return code.
    pub fn of(rc: i16) -> Self {
        Outcome { rc, diagnostics: Vec::new() }
    }

    /// Returns SQL_ERROR with one record of super8's own.
    pub fn error(sqlstate: &str, message: impl std::fmt::Display) -> Self {
        Outcome { rc: rc::ERROR, diagnostics: vec![Diagnostic::new(sqlstate, message)] }
    }

    /// Returns SQL_SUCCESS_WITH_INFO with one record of super8's own.
    pub fn info(sqlstate: &str, message: impl std::fmt::Display) -> Self {
        Outcome { rc: rc::SUCCESS_WITH_INFO, diagnostics: vec![Diagnostic::new(sqlstate, message)] }
    }
}

/// The diagnostic area of one handle.
#[derive(Default)]
pub struct Diagnostics {
    posted: AtomicBool,
    area: Mutex<Area>,
}

#[derive(Default)]
struct Area {
    rc: i16,
    records: Vec<Diagnostic>,
    /// How many records SQLError has already handed out.
    popped: usize,
    /// How many bytes of a message in pieces go into one record: the first buffer's room.
    piece: Option<usize>,
}

/// The room of a buffer for a message's text, if a reader of pieces never gave another.
const PIECE: usize = 511;

impl Area {
    /// Returns record `number`, from 1, read into a buffer for this many characters; 0 leaves the size of pieces as it
    /// is.
    fn record(&mut self, number: usize, capacity: usize) -> Option<Diagnostic> {
        match &self.records[..] {
            [only] if only.in_pieces => {
                if capacity > 0 && (number == 1 || self.piece.is_none()) {
                    self.piece = Some(capacity - 1);
                }
                only.clone().piece(number, *self.piece.get_or_insert(PIECE))
            }
            records => records.get(number.checked_sub(1)?).cloned(),
        }
    }
}

impl Diagnostics {
    /// Replaces the area with a call's outcome. Costs nothing if there is nothing to say and nothing to forget.
    #[inline]
    pub fn post(&self, outcome: Outcome) -> i16 {
        let rc = outcome.rc;
        if !outcome.diagnostics.is_empty() || self.posted.load(Ordering::Relaxed) {
            self.replace(outcome);
        }
        rc
    }

    #[cold]
    fn replace(&self, outcome: Outcome) {
        let mut area = self.area.lock();
        self.posted.store(!outcome.diagnostics.is_empty(), Ordering::Relaxed);
        *area = Area { rc: outcome.rc, records: outcome.diagnostics, popped: 0, piece: None };
    }

    /// Forgets everything, as every call on the handle does first.
    pub fn clear(&self) {
        self.post(Outcome::SUCCESS);
    }

    /// Returns whether the shim has records of its own for this handle.
    pub fn posted(&self) -> bool {
        self.posted.load(Ordering::Relaxed)
    }

    /// Returns record `number`, from 1, for a buffer of this many characters (0 for none, or for a field of the
    /// record).
    pub fn record(&self, number: usize, capacity: usize) -> Option<Diagnostic> {
        if number == 0 { None } else { self.area.lock().record(number, capacity) }
    }

    /// Returns the next record that SQLError has not handed out yet, for a buffer of this many characters.
    pub fn pop(&self, capacity: usize) -> Option<Diagnostic> {
        let mut area = self.area.lock();
        let next = area.popped + 1;
        let record = area.record(next, capacity)?;
        area.popped = next;
        Some(record)
    }

    /// Returns how many records there are.
    pub fn count(&self) -> usize {
        self.area.lock().records.len()
    }

    /// Returns the return code of the call that left the records.
    pub fn return_code(&self) -> i16 {
        self.area.lock().rc
    }
}

/// Stands for an ODBC 2 function of the driver's that has no such option. No driver returns this code.
pub const NO_SUCH_OPTION: i16 = i16::MIN;

/// Returns the driver's return code, or what the driver manager says in its place.
#[inline]
pub fn answered(code: Option<i16>) -> Result<i16, Outcome> {
    match code {
        None => Err(missing()),
        Some(NO_SUCH_OPTION) => Err(by_manager("HY092", "Invalid attribute/option identifier")),
        Some(code) => Ok(code),
    }
}

/// Returns the error that the real driver has no such function.
#[cold]
pub fn missing() -> Outcome {
    by_manager("IM001", "Driver does not support this function")
}

/// Returns an error in unixODBC's own words, which it would use if it saw the driver's functions in place of super8's.
#[cold]
fn by_manager(state: &str, message: &str) -> Outcome {
    let record = Diagnostic { message: format!("[unixODBC][Driver Manager]{message}"), ..Diagnostic::new(state, "") };
    Outcome { rc: rc::ERROR, diagnostics: vec![record] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_buffer_says_how_long_the_pieces_of_a_message_are() {
        let area = Diagnostics::default();
        let message = "0123456789".to_owned();
        area.post(Outcome {
            rc: rc::ERROR,
            diagnostics: vec![Diagnostic { message, in_pieces: true, ..Diagnostic::new("42601", "") }],
        });
        let text = |number, capacity| area.record(number, capacity).map(|record| record.message);
        assert_eq!(text(1, 5).as_deref(), Some("0123"));
        assert_eq!(text(3, 100).as_deref(), Some("89"), "only the first record's buffer counts");
        assert_eq!(text(4, 5), None);
        assert_eq!(text(1, 6).as_deref(), Some("01234"), "read again, with another buffer");
        assert_eq!(text(3, 6).as_deref(), Some(""), "a driver of this kind ends a message that fills its records so");
        assert_eq!(text(1, 100).as_deref(), Some("0123456789"));
        assert_eq!(text(0, 100), None);
        let popped: Vec<_> = std::iter::from_fn(|| area.pop(8)).map(|record| record.message).collect();
        assert_eq!(popped, ["0123456", "789"]);
        assert_eq!(area.count(), 1);
    }
}
