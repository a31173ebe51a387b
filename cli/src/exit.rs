//! How the command ends: the one list of exit codes, and failures with what to do about them.

use std::fmt;
use std::io;

/// What `super8 --help` and docs/cli.md say about exit codes. A test compares it with [`Exit`].
pub const TABLE: &str = "\
Exit codes:
  0      done; nothing to complain about
  1      done, and the answer is no: cassettes differ, a check found something
  2      not done: wrong usage, a cassette that cannot be read, a file that cannot be written";

/// How a verb ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done; nothing to complain about.
    Done,
    /// Done, and the answer is no.
    Found,
    /// Could not be done.
    Failed,
}

impl Exit {
    /// The exit code of the process.
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Found => 1,
            Exit::Failed => 2,
        }
    }
}

/// Why a verb could not be done: what is wrong and what to do next, for standard error.
#[derive(Debug)]
pub struct Failure {
    /// How the process ends.
    pub exit: Exit,
    message: String,
    closed_pipe: bool,
}

/// What a verb gives.
pub type Outcome = Result<Exit, Failure>;

impl Failure {
    /// A failure with its message.
    pub fn new(message: impl fmt::Display) -> Failure {
        Failure { exit: Exit::Failed, message: message.to_string(), closed_pipe: false }
    }

    /// Writes the message to standard error.
    pub fn say(&self) {
        let style = anstyle::Style::new().bold().fg_color(Some(anstyle::AnsiColor::Red.into()));
        anstream::eprintln!("{style}super8:{style:#} {}", self.message);
    }

    /// Whether the reader of standard output went away, as `head` does: no failure at all.
    pub fn is_closed_pipe(&self) -> bool {
        self.closed_pipe
    }
}

impl From<super8_cassette::CassetteError> for Failure {
    fn from(error: super8_cassette::CassetteError) -> Failure {
        Failure::new(error)
    }
}

impl From<io::Error> for Failure {
    /// Only for writing to standard output: errors with files name the file.
    fn from(error: io::Error) -> Failure {
        let closed_pipe = error.kind() == io::ErrorKind::BrokenPipe;
        Failure { closed_pipe, ..Failure::new(format_args!("cannot write to standard output: {error}")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_code() {
        for exit in [Exit::Done, Exit::Found, Exit::Failed] {
            let line = format!("\n  {:<6} ", exit.code());
            assert!(TABLE.contains(&line), "no line for {exit:?}");
        }
    }
}
