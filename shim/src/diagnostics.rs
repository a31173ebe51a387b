//! Diagnostic records of a handle: the shim's own queue, served alike through SQLError, SQLGetDiagRec and
//! SQLGetDiagField.

use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

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

    /// Whether outputs are valid: SQL_SUCCESS or SQL_SUCCESS_WITH_INFO.
    pub fn succeeded(rc: i16) -> bool {
        rc == SUCCESS || rc == SUCCESS_WITH_INFO
    }
}

/// One diagnostic record.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    /// Five characters.
    pub sqlstate: String,
    /// The driver's own code.
    pub native: i32,
    /// The message, with whatever prefix the driver gave it.
    pub message: String,
    /// SQL_DIAG_ROW_NUMBER, where the driver named a row.
    pub row: Option<i64>,
    /// SQL_DIAG_COLUMN_NUMBER, where the driver named a column or parameter.
    pub column: Option<i32>,
    /// Where the record comes from, as far as that is not what ODBC lets one expect.
    pub origin: Origin,
}

/// SQL_DIAG_CLASS_ORIGIN, SUBCLASS_ORIGIN, CONNECTION_NAME and SERVER_NAME of a record: what the driver answers where
/// that is unusual, a text or a return code.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Origin {
    /// In that order; `None` for the usual answer.
    pub fields: [Option<Result<String, i16>>; 4],
}

impl Origin {
    /// The names of the fields in a cassette.
    pub const NAMES: [&str; 4] = ["class_origin", "subclass_origin", "connection_name", "server_name"];

    /// Only what is unusual for this record.
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
    /// The usual answer for the field of this index in [`Origin`] (the reference page of SQLGetDiagField).
    pub fn usual_origin(&self, index: usize) -> &'static str {
        match (index, self.sqlstate.starts_with("IM"), self.has_odbc_subclass()) {
            (0, true, _) | (1, _, true) => "ODBC 3.0",
            (0 | 1, _, _) => "ISO 9075",
            _ => "",
        }
    }

    /// A record of super8's own.
    pub fn new(sqlstate: &str, message: impl std::fmt::Display) -> Self {
        Diagnostic {
            sqlstate: sqlstate.to_owned(),
            native: 0,
            message: format!("[super8] {message}"),
            row: None,
            column: None,
            origin: Origin::default(),
        }
    }
}

impl Diagnostic {
    /// Whether the SQLSTATE's subclass is one ODBC defined beyond ISO 9075 (the reference page of SQLGetDiagField,
    /// SQL_DIAG_SUBCLASS_ORIGIN).
    pub fn has_odbc_subclass(&self) -> bool {
        const ODBC: &[&str] = &[
            "01S00", "01S01", "01S02", "01S06", "01S07", "07S01", "08S01", "21S01", "21S02", "25S01", "25S02", "25S03",
            "42S01", "42S02", "42S11", "42S12", "42S21", "42S22", "HY095", "HY097", "HY098", "HY099", "HY100", "HY101",
            "HY105", "HY107", "HY109", "HY110", "HY111", "HYT00", "HYT01",
        ];
        self.sqlstate.starts_with("IM") || ODBC.contains(&self.sqlstate.as_str())
    }
}

/// The outcome of a call: its return code and what it has to say.
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

    /// A bare return code.
    pub fn of(rc: i16) -> Self {
        Outcome { rc, diagnostics: Vec::new() }
    }

    /// SQL_ERROR with one record of super8's own.
    pub fn error(sqlstate: &str, message: impl std::fmt::Display) -> Self {
        Outcome { rc: rc::ERROR, diagnostics: vec![Diagnostic::new(sqlstate, message)] }
    }

    /// SQL_SUCCESS_WITH_INFO with one record of super8's own.
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
    /// How many SQLError has already handed out.
    popped: usize,
}

impl Diagnostics {
    /// Replaces the area with a call's outcome. Free where there is nothing to say and nothing to forget.
    pub fn post(&self, outcome: Outcome) -> i16 {
        let rc = outcome.rc;
        if !outcome.diagnostics.is_empty() || self.posted.load(Ordering::Relaxed) {
            let mut area = self.area.lock();
            self.posted.store(!outcome.diagnostics.is_empty(), Ordering::Relaxed);
            *area = Area { rc, records: outcome.diagnostics, popped: 0 };
        }
        rc
    }

    /// Forgets everything, as every call on the handle does first.
    pub fn clear(&self) {
        self.post(Outcome::SUCCESS);
    }

    /// Whether the shim has records of its own for this handle.
    pub fn posted(&self) -> bool {
        self.posted.load(Ordering::Relaxed)
    }

    /// Record `number`, from 1.
    pub fn record(&self, number: usize) -> Option<Diagnostic> {
        number.checked_sub(1).and_then(|index| self.area.lock().records.get(index).cloned())
    }

    /// The next record SQLError has not handed out yet.
    pub fn pop(&self) -> Option<Diagnostic> {
        let mut area = self.area.lock();
        let record = area.records.get(area.popped).cloned()?;
        area.popped += 1;
        Some(record)
    }

    /// How many records there are.
    pub fn count(&self) -> usize {
        self.area.lock().records.len()
    }

    /// The return code of the call that left the records.
    pub fn return_code(&self) -> i16 {
        self.area.lock().rc
    }
}
