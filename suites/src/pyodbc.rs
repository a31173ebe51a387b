//! pyodbc's own tests, from its source distribution, run with pytest.
//!
//! A file of tests is a program. Each test in it has a cassette of its own: a plugin for pytest sets `SUPER8_CASSETTE`,
//! which is read at every connect, before each test, and writes down the test's outcome.

use crate::connection::{Connection, PASSWORD, USER};
use crate::source::{self, Trouble};
use crate::suite::{Case, Suite};
use std::path::{Path, PathBuf};
use std::process::Command;
use super8_tests::driver::Driver;
use super8_tests::outcome::Outcome;
use super8_tests::{products, python};

/// The file that the plugin writes, in the directory in which pytest runs: a line for each test.
const OUTCOMES: &str = "outcomes.tsv";

/// The tests over one driver.
pub struct Pyodbc {
    /// SQLite or psqlodbcw.
    pub driver: Driver,
}

impl Suite for Pyodbc {
    fn name(&self) -> &'static str {
        if self.driver == Driver::Sqlite { "pyodbc-sqlite" } else { "pyodbc-postgres" }
    }

    fn about(&self) -> &'static str {
        if self.driver == Driver::Sqlite { "pyodbc's own tests on SQLite" } else { "pyodbc's own tests on PostgreSQL" }
    }

    fn driver(&self) -> Driver {
        self.driver
    }

    fn prepare(&self) -> Result<(), Trouble> {
        python::install()?;
        source::pypi(python::PYODBC, "tests/sqlite_test.py")
    }

    fn source(&self) -> PathBuf {
        source::place(python::PYODBC)
    }

    fn programs(&self) -> Result<Vec<String>, String> {
        let file = if self.driver == Driver::Sqlite { "sqlite_test.py" } else { "postgresql_test.py" };
        Ok(vec![file.into()])
    }

    fn represents(&self, _program: &str) -> bool {
        self.driver == Driver::Sqlite
    }

    fn connection(&self, _program: &str) -> Connection {
        let database = if self.driver == Driver::Sqlite { "test.db" } else { "test" };
        Connection { source: "pyodbc", driver: None, database, keys: Vec::new() }
    }

    fn command(&self, program: &str, work: &Path) -> Command {
        let mut command = Command::new(python::interpreter());
        command.args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "super8_outcomes", "--rootdir"]);
        command.arg(work).arg("--basetemp").arg(work.join("temporary"));
        command.arg(self.source().join("tests").join(program));
        command.env("PYTHONPATH", products::repository().join("suites/pytest"));
        command.env("PYTHONDONTWRITEBYTECODE", "1").env("OUTCOMES", work.join(OUTCOMES));
        command.env("PYODBC_SQLITE", "DSN=pyodbc");
        command.env("PYODBC_POSTGRESQL", format!("DSN=pyodbc;UID={USER};PWD={PASSWORD}"));
        command
    }

    fn cases(&self, program: &str, ran: &Outcome, work: &Path) -> Vec<Case> {
        let written = std::fs::read_to_string(work.join(OUTCOMES)).unwrap_or_default();
        let case = |line: &str| {
            let mut fields = line.splitn(3, '\t');
            let mut field = || fields.next().unwrap_or_default().to_owned();
            let (name, outcome, output) = (field(), field(), field());
            Case { name, outcome, output: output.replace("\\n", "\n").into_bytes() }
        };
        let mut cases: Vec<Case> = written.lines().map(case).collect();
        // pytest's exit code: 0 and 1 mean that all tests ran. Anything else means that the interpreter died, or that
        // there was no test.
        let ended =
            if matches!(ran.status.as_str(), "exit status: 0" | "exit status: 1") { "pass" } else { &ran.status };
        cases.push(Case { name: format!("{program} ran to its end"), outcome: ended.into(), output: Vec::new() });
        cases
    }
}
