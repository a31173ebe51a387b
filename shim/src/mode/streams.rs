//! Streamed output parameters: SQL_PARAM_DATA_AVAILABLE, SQLParamData that hands out a parameter's token, and SQLGetData
//! that reads its value in pieces. ODBC reference: "Retrieving Output Parameters Using SQLGetData".

use crate::args::{Binding, Place};
use crate::convert::CType;
use super8_cassette::Key;

/// SQL_APD_TYPE: the C type the parameter is bound with.
const APD_TYPE: i16 = -100;

/// Whether SQLGetData leaves it to the parameter which C type a value is read as.
pub fn decides(c_type: i16) -> bool {
    c_type == APD_TYPE || CType(c_type) == CType::DEFAULT
}

/// A parameter that is read in pieces.
#[derive(Clone, Copy)]
pub struct Streamed {
    /// The set of a parameter array, from 0.
    pub set: usize,
    /// The parameter, from 1.
    pub number: u16,
    /// The C type it is bound with, resolved.
    pub c_type: CType,
    /// What SQLParamData hands out: the address or number the application bound.
    pub token: Place,
}

/// The streamed parameters of the last execution.
#[derive(Default)]
pub struct Streams {
    all: Vec<Streamed>,
    /// The driver said that there are values to be read.
    available: bool,
    /// The parameter whose value is being read; `Some(None)` for one that nobody bound.
    at: Option<Option<Streamed>>,
}

impl Streams {
    /// Those of an execution that begins.
    pub fn new(all: Vec<Streamed>) -> Streams {
        Streams { all, ..Streams::default() }
    }

    /// There are values to be read, or no more.
    pub fn set_available(&mut self, available: bool) {
        (self.available, self.at) = (available, None);
    }

    /// The application gave up: there are no more, but what was read of the one at hand.
    pub fn end(&mut self) {
        self.available = false;
    }

    /// Whether there are values to be read.
    pub fn available(&self) -> bool {
        self.available
    }

    /// The driver handed out this token: the set and number of its parameter, if somebody bound it.
    pub fn begin_by_token(&mut self, token: Place) -> Option<(usize, u16)> {
        self.available = true;
        let found = self.all.iter().find(|streamed| streamed.token == token).copied();
        self.at = Some(found);
        found.map(|streamed| (streamed.set, streamed.number))
    }

    /// The recorded driver handed out this parameter: its token now.
    pub fn begin(&mut self, set: usize, number: u16) -> Option<Place> {
        self.available = true;
        let found = self.all.iter().find(|streamed| (streamed.set, streamed.number) == (set, number)).copied();
        self.at = Some(found);
        Some(found?.token)
    }

    /// Whether a value is being read.
    pub fn reading(&self) -> bool {
        self.at.is_some()
    }

    /// What SQLGetData reads of, as a cassette has it.
    pub fn reads(&self) -> Key {
        if self.reading() { Key::Parameter } else { Key::Column }
    }

    /// The value is read, as far as it will be.
    pub fn leave(&mut self) {
        self.at = None;
    }

    /// What SQLGetData is given, with the C type of the parameter that is being read for one that it decides.
    pub fn resolved(&self, binding: &Binding) -> Option<Binding> {
        let c_type = self.at??.c_type.code();
        Some(Binding { c_type, ..*binding })
    }
}
