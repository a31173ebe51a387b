//! What a suite is to this harness: programs to run, and how to tell what came of each of their tests.

use crate::connection::Connection;
use crate::source::Trouble;
use std::path::{Path, PathBuf};
use std::process::Command;
use super8_tests::driver::Driver;
use super8_tests::outcome::Outcome;

/// Test programs that somebody else wrote, over one driver.
pub trait Suite: Sync {
    /// The word the command line and the tables call it by.
    fn name(&self) -> &'static str;

    /// One line about whose tests these are.
    fn about(&self) -> &'static str;

    /// The real driver.
    fn driver(&self) -> Driver;

    /// Gets the suite's source by its package's name and builds what has to be built. Twice is no harm.
    fn prepare(&self) -> Result<(), Trouble>;

    /// Where [`Suite::prepare`] puts the source: the files that known.yml quotes are below it.
    fn source(&self) -> PathBuf;

    /// The programs, in the suite's own order. Each gets a process, a fresh database and a cassette of its own.
    fn programs(&self) -> Result<Vec<String>, String>;

    /// True for the programs that stand for the suite in the test command.
    fn represents(&self, program: &str) -> bool;

    /// False if no program does: the suite is not even prepared then.
    fn is_represented(&self) -> bool {
        true
    }

    /// The data source and the database the programs expect.
    fn connection(&self, program: &str) -> Connection;

    /// SQL files that fill a fresh database before a program runs.
    fn tables(&self) -> Option<PathBuf> {
        None
    }

    /// Files the programs want in the directory they run in.
    fn furnish(&self, _work: &Path) -> Result<(), String> {
        Ok(())
    }

    /// How to start a program. Its environment is added to the one every program gets, its directory is `work`.
    fn command(&self, program: &str, work: &Path) -> Command;

    /// What a run says of each test in it.
    fn cases(&self, program: &str, ran: &Outcome, work: &Path) -> Vec<Case>;
}

/// One test in one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The test's name; unique in its suite.
    pub name: String,
    /// Its outcome in a word or two: `pass`, `fail`, `skip`.
    pub outcome: String,
    /// Everything it said, which has to be the same each way.
    pub output: Vec<u8>,
}

impl Case {
    /// The one test of a program that is a test as a whole.
    pub fn whole(name: &str, outcome: impl Into<String>, ran: &Outcome) -> Case {
        Case { name: name.into(), outcome: outcome.into(), output: ran.all() }
    }
}
