//! What this harness needs of a suite: programs to run, and how to read the outcome of each of their tests.

use crate::connection::Connection;
use crate::source::Trouble;
use std::path::{Path, PathBuf};
use std::process::Command;
use super8_tests::driver::Driver;
use super8_tests::outcome::Outcome;

/// A third-party test suite, over one driver.
pub trait Suite: Sync {
    /// Returns its name on the command line and in the tables.
    fn name(&self) -> &'static str;

    /// Returns a line that says whose tests these are.
    fn about(&self) -> &'static str;

    /// Returns the real driver.
    fn driver(&self) -> Driver;

    /// Gets the suite's source by its package's name and builds it. Does nothing the second time.
    fn prepare(&self) -> Result<(), Trouble>;

    /// Returns the directory into which [`Suite::prepare`] puts the source. The files that known.yml quotes are below
    /// it.
    fn source(&self) -> PathBuf;

    /// Returns the programs, in the suite's own order. Each gets a process, a fresh database and a cassette of its own.
    fn programs(&self) -> Result<Vec<String>, String>;

    /// Whether the test command runs this program as a sample of the suite.
    fn represents(&self, program: &str) -> bool;

    /// Whether any program is such a sample. If not, the test command does not even prepare the suite.
    fn is_represented(&self) -> bool {
        true
    }

    /// Returns the data source and the database that the programs expect.
    fn connection(&self, program: &str) -> Connection;

    /// Returns the directory of SQL files that fill a fresh database before a program runs.
    fn tables(&self) -> Option<PathBuf> {
        None
    }

    /// Puts the files that the programs need into the directory in which they run.
    fn furnish(&self, _work: &Path) -> Result<(), String> {
        Ok(())
    }

    /// Returns the command that starts a program. Its environment is added to that of every program, and it runs in
    /// `work`.
    fn command(&self, program: &str, work: &Path) -> Command;

    /// Returns the outcome of each test in a run.
    fn cases(&self, program: &str, ran: &Outcome, work: &Path) -> Vec<Case>;
}

/// One test in one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The test's name; unique in its suite.
    pub name: String,
    /// Its outcome in a word or two: `pass`, `fail`, `skip`.
    pub outcome: String,
    /// All of its output, which has to be the same each way.
    pub output: Vec<u8>,
}

impl Case {
    /// Makes the case of a program that is a single test.
    pub fn whole(name: &str, outcome: impl Into<String>, ran: &Outcome) -> Case {
        Case { name: name.into(), outcome: outcome.into(), output: ran.all() }
    }
}
