//! How the command ends: [`Exit`] lists all exit codes, and [`Failure`] is an error with advice.

use std::fmt;
use std::io::{self, Write};

/// What `super8 --help` says about exit codes. A test compares it, and docs/cli.md, with [`Exit`].
pub const TABLE: &str = "\
Exit codes:
  0      done; nothing to complain about
  1      done, and the answer is no: cassettes differ, a check found something
  2      not done: wrong usage, a cassette that cannot be read, a file that cannot be written

Exit codes of verify:
  0      nothing diverges
  1      data diverge, and nothing else
  2      errors or shapes diverge
  125    no driver manager, no connection, or no cassette that can be read

Exit codes of record, replay and once, unless the command itself failed:
  117    the command left something running for longer than --wait
  118    a process was killed before every command was played
  119    the command never connected through super8
  120    a mismatch
  121    recorded commands were never played
  122    a cassette or the report could not be written, or a cassette was overwritten by another process
  123    the command left handles open
  125    nothing was run: no libraries, no such cassette, a misspelt setting
  126    the command cannot be run
  127    the command is not found
  128+N  signal N ended the command";

/// How a verb ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done; nothing to complain about.
    Done,
    /// Done, and the answer is no.
    Found,
    /// Could not be done.
    Failed,
    /// Verified, and something that a program relies on has changed: statements fail, or give other columns.
    Diverged,
    /// The wrapped command ended, and a process that it started was still running.
    StillRunning,
    /// A wrapped process was killed: what it left unplayed is not known.
    Killed,
    /// The wrapped command opened no connection through super8.
    NeverConnected,
    /// A call was not as recorded.
    Mismatch,
    /// Recorded commands were left unplayed.
    Unplayed,
    /// A cassette could not be written.
    Unwritable,
    /// Handles were left open.
    Leaked,
    /// The wrapper could not start.
    CannotStart,
    /// The wrapped command cannot be run.
    CannotRun,
    /// There is no such command.
    NotFound,
    /// The wrapped command's own code, or 128 and the number of the signal that ended it.
    Command(u8),
}

impl Exit {
    /// Returns the exit code of the process.
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Found => 1,
            Exit::Failed | Exit::Diverged => 2,
            Exit::StillRunning => 117,
            Exit::Killed => 118,
            Exit::NeverConnected => 119,
            Exit::Mismatch => 120,
            Exit::Unplayed => 121,
            Exit::Unwritable => 122,
            Exit::Leaked => 123,
            Exit::CannotStart => 125,
            Exit::CannotRun => 126,
            Exit::NotFound => 127,
            Exit::Command(code) => code,
        }
    }
}

/// Why a verb failed: a message for standard error that says what is wrong and what to do next.
#[derive(Debug)]
pub struct Failure {
    /// How the process ends.
    pub exit: Exit,
    message: String,
}

/// The result of a verb.
pub type Outcome = Result<Exit, Failure>;

impl Failure {
    /// Makes a failure with this message.
    pub fn new(message: impl fmt::Display) -> Failure {
        Failure { exit: Exit::Failed, message: message.to_string() }
    }

    /// Sets the exit code.
    pub fn with(self, exit: Exit) -> Failure {
        Failure { exit, ..self }
    }

    /// Writes the message to standard error.
    pub fn say(&self) {
        let style = anstyle::Style::new().bold().fg_color(Some(anstyle::AnsiColor::Red.into()));
        // Standard error may be closed. That is ignored, because the exit code says it, too.
        _ = writeln!(anstream::stderr(), "{style}super8:{style:#} {}", self.message);
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl From<super8_cassette::CassetteError> for Failure {
    fn from(error: super8_cassette::CassetteError) -> Failure {
        Failure::new(error)
    }
}

impl From<io::Error> for Failure {
    /// Only for errors of writing to standard output: those of files have to name the file.
    fn from(error: io::Error) -> Failure {
        Failure::new(format_args!("cannot write to standard output: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_code() {
        use Exit::*;
        let wrapped = [
            StillRunning,
            Killed,
            NeverConnected,
            Mismatch,
            Unplayed,
            Unwritable,
            Leaked,
            CannotStart,
            CannotRun,
            NotFound,
        ];
        for exit in [Done, Found, Failed].into_iter().chain(wrapped) {
            let line = format!("\n  {:<6} ", exit.code());
            assert!(TABLE.contains(&line), "no line for {exit:?}");
            let page = include_str!("../../docs/cli.md");
            let code = exit.code();
            let cells = [format!("| {code} |"), format!("| {code}, "), format!(", {code} |")];
            assert!(cells.iter().any(|cell| page.contains(cell)), "nothing about {exit:?} in docs/cli.md");
        }
    }
}
