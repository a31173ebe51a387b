//! The errors of finding and loading the real driver.

use std::fmt;

/// SQLSTATE IM003, "Specified driver could not be connected to", for all errors of finding and loading the real driver.
pub const SQLSTATE: &str = "IM003";

/// What went wrong, for tests and logs; the message tells people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DriverErrorKind {
    /// Nothing names a real driver.
    NotNamed,
    /// Several sections of odbcinst.ini name the shim and they disagree about the real driver.
    Ambiguous,
    /// A section exists but names no library.
    NoLibrary,
    /// There is no file of that name.
    NotFound,
    /// The file exists but the loader refuses it.
    CannotLoad,
    /// The real driver would be super8 itself.
    Itself,
    /// The real driver would be the driver manager.
    DriverManager,
    /// The driver is an ANSI driver where a Unicode driver is needed, or the other way round.
    WrongKind,
}

/// The reason why there is no real driver to call. The message names what was looked for, where, and what to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DriverError {
    /// What went wrong.
    pub trouble: DriverErrorKind,
    message: String,
}

impl DriverError {
    /// Returns an error with this message.
    pub fn new(trouble: DriverErrorKind, message: impl Into<String>) -> DriverError {
        DriverError { trouble, message: message.into() }
    }

    /// Adds where the driver was named to the message.
    pub(super) fn named_by(self, source: &str) -> DriverError {
        DriverError { message: format!("{} (named by {source})", self.message), ..self }
    }

    /// Returns the SQLSTATE to post: IM003.
    pub fn sqlstate(&self) -> &'static str {
        SQLSTATE
    }

    /// Returns the message cut to `limit` bytes, because driver managers cut longer ones anywhere.
    pub fn within(&self, limit: usize) -> &str {
        let mut end = limit.min(self.message.len());
        while !self.message.is_char_boundary(end) {
            end -= 1;
        }
        &self.message[..end]
    }
}

impl fmt::Display for DriverError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl std::error::Error for DriverError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_cut_between_characters() {
        let error = DriverError::new(DriverErrorKind::NotFound, "a\u{e9}\u{e9}");
        assert_eq!((error.within(2), error.within(3), error.within(99)), ("a", "a\u{e9}", "a\u{e9}\u{e9}"));
    }
}
