//! The only error type of the cassette: which file, which line, where in the item, what is wrong, and what to do.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// The kind of an error, for callers that treat some kinds differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The operating system refused (open, read, write, rename ...).
    Io(io::ErrorKind),
    /// The content of the file is not what it should be.
    Invalid,
    /// The file ends in the middle of an item or a row, because it was cut short.
    Torn,
    /// Another process has the file.
    Busy,
}

/// An error of a cassette. Displays as `FILE:LINE:COLUMN: PATH: what is wrong; what to do`.
///
/// Lines and columns count from 1. Cloning is cheap enough for a sticky error that is returned again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CassetteError(Box<Inner>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Inner {
    kind: ErrorKind,
    file: PathBuf,
    line: Option<u64>,
    column: Option<u64>,
    path: String,
    problem: String,
    advice: String,
}

impl CassetteError {
    /// Makes the error that the content of `file` is wrong.
    pub fn new(file: &Path, problem: impl Into<String>) -> Self {
        CassetteError(Box::new(Inner {
            kind: ErrorKind::Invalid,
            file: file.to_owned(),
            line: None,
            column: None,
            path: String::new(),
            problem: problem.into(),
            advice: String::new(),
        }))
    }

    /// Makes the error that the operating system failed to do something (`"open"`, `"write"`) with `file`.
    pub fn io(file: &Path, doing: &str, error: &io::Error) -> Self {
        let mut new = CassetteError::new(file, format!("cannot {doing}: {error}"));
        new.0.kind = ErrorKind::Io(error.kind());
        new
    }

    /// Makes the error that `file`, or something in it, does not exist.
    pub fn missing(file: &Path, problem: impl Into<String>) -> Self {
        let mut new = CassetteError::new(file, problem);
        new.0.kind = ErrorKind::Io(io::ErrorKind::NotFound);
        new
    }

    /// Makes the error that `file` ends in the middle of something.
    pub fn torn(file: &Path, problem: impl Into<String>) -> Self {
        let mut new = CassetteError::new(file, problem);
        new.0.kind = ErrorKind::Torn;
        new
    }

    /// Makes the error that another process has `file`.
    pub fn busy(file: &Path, problem: impl Into<String>) -> Self {
        let mut new = CassetteError::new(file, problem);
        new.0.kind = ErrorKind::Busy;
        new
    }

    /// Adds a line (from 1) of the file.
    #[must_use]
    pub fn at_line(mut self, line: u64) -> Self {
        self.0.line = Some(line);
        self
    }

    /// Adds a column (from 1): a character of the line, or a field of a CSV row.
    #[must_use]
    pub fn at_column(mut self, column: u64) -> Self {
        self.0.column = Some(column);
        self
    }

    /// Adds a place in the item, such as `diagnostics[0].native`.
    #[must_use]
    pub fn at_path(mut self, path: impl Into<String>) -> Self {
        self.0.path = path.into();
        self
    }

    /// Adds what to do about the error.
    #[must_use]
    pub fn advice(mut self, advice: impl Into<String>) -> Self {
        self.0.advice = advice.into();
        self
    }

    /// Returns the kind of the error.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the file concerned.
    pub fn file(&self) -> &Path {
        &self.0.file
    }

    /// Returns the line, from 1, if it is known.
    pub fn line(&self) -> Option<u64> {
        self.0.line
    }

    /// Returns the column, from 1, if it is known.
    pub fn column(&self) -> Option<u64> {
        self.0.column
    }

    /// Returns the place in the item; empty for the item or the file as a whole.
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// Returns what is wrong, without place and advice.
    pub fn problem(&self) -> &str {
        &self.0.problem
    }

    /// Returns what is wrong and what to do, for callers that name file and line themselves.
    pub fn message(&self) -> String {
        let Inner { path, problem, advice, .. } = &*self.0;
        let path = if path.is_empty() { String::new() } else { format!("{path}: ") };
        let advice = if advice.is_empty() { String::new() } else { format!("; {advice}") };
        format!("{path}{problem}{advice}")
    }
}

impl fmt::Display for CassetteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { file, line, column, .. } = &*self.0;
        write!(f, "{}", file.display())?;
        if let Some(line) = line {
            write!(f, ":{line}")?;
            if let Some(column) = column {
                write!(f, ":{column}")?;
            }
        }
        write!(f, ": {}", self.message())
    }
}

impl std::error::Error for CassetteError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_where_what_and_what_to_do() {
        let error = CassetteError::new(Path::new("x/commands.yml"), "`runn` is not a method")
            .at_line(12)
            .at_column(3)
            .at_path("method")
            .advice("correct the name");
        assert_eq!(error.to_string(), "x/commands.yml:12:3: method: `runn` is not a method; correct the name");
        let refused = io::Error::from(io::ErrorKind::PermissionDenied);
        let error = CassetteError::io(Path::new("x/metadata.yml"), "open", &refused);
        assert_eq!(error.to_string(), "x/metadata.yml: cannot open: permission denied");
        assert_eq!(error.kind(), ErrorKind::Io(io::ErrorKind::PermissionDenied));
        assert_eq!(CassetteError::torn(Path::new("x"), "cut").kind(), ErrorKind::Torn);
    }
}
