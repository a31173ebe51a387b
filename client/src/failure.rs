//! The error of a call that failed.

use std::fmt;

/// The first diagnostic record of a failed call, or an error of this crate itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Five characters; empty if the error is not from a driver or the driver manager.
    pub sqlstate: String,
    /// The message.
    pub message: String,
}

impl Failure {
    /// Makes a failure without an SQLSTATE.
    pub fn new(message: impl fmt::Display) -> Failure {
        Failure { sqlstate: String::new(), message: message.to_string() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.sqlstate.is_empty() {
            true => out.write_str(&self.message),
            false => write!(out, "{} {}", self.sqlstate, self.message),
        }
    }
}

impl std::error::Error for Failure {}
