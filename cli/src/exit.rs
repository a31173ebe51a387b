//! How the command ends: the one list of exit codes, and failures with what to do about them.

use std::fmt;
use std::io::{self, Write};

/// What `super8 --help` and docs/cli.md say about exit codes. A test compares it with [`Exit`].
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
    /// Verified, and what a program relies on has changed: statements fail, or give other columns.
    Diverged,
    /// The wrapped command ended, and what it started was still running.
    StillRunning,
    /// A wrapped process was killed: what it left unplayed is not known.
    Killed,
    /// The wrapped command opened no connection through super8.
    NeverConnected,
    /// A call that was not recorded so.
    Mismatch,
    /// Recorded commands were left over.
    Unplayed,
    /// A cassette could not be written.
    Unwritable,
    /// Handles were left open.
    Leaked,
    /// The wrapper could not begin.
    CannotStart,
    /// The wrapped command cannot be run.
    CannotRun,
    /// There is no such command.
    NotFound,
    /// The wrapped command's own code, or 128 and the number of the signal that ended it.
    Command(u8),
}

impl Exit {
    /// The exit code of the process.
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

/// Why a verb could not be done: what is wrong and what to do next, for standard error.
#[derive(Debug)]
pub struct Failure {
    /// How the process ends.
    pub exit: Exit,
    message: String,
}

/// What a verb gives.
pub type Outcome = Result<Exit, Failure>;

impl Failure {
    /// A failure with its message.
    pub fn new(message: impl fmt::Display) -> Failure {
        Failure { exit: Exit::Failed, message: message.to_string() }
    }

    /// The same failure with another exit code.
    pub fn with(self, exit: Exit) -> Failure {
        Failure { exit, ..self }
    }

    /// Writes the message to standard error.
    pub fn say(&self) {
        let style = anstyle::Style::new().bold().fg_color(Some(anstyle::AnsiColor::Red.into()));
        // Nobody may be there to read it: the exit code says it all the same.
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
    /// Only for writing to standard output: errors with files name the file.
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
