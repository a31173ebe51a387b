//! The tests of Perl's DBD::ODBC: programs that print TAP (`ok 3 - fetched a row`), run on Debian's build of the
//! module.

use crate::connection::{Connection, PASSWORD, USER};
use crate::source::{self, Trouble};
use crate::suite::{Case, Suite};
use std::path::{Path, PathBuf};
use std::process::Command;
use super8_tests::driver::Driver;
use super8_tests::outcome::Outcome;

const PACKAGE: &str = "libdbd-odbc-perl";
/// The programs that stand for the suite in the test command.
const REPRESENTATIVE: [&str; 3] = ["02simple.t", "07bind.t", "10handler.t"];

/// The tests over one driver.
pub struct DbdOdbc {
    /// SQLite or psqlodbcw.
    pub driver: Driver,
}

impl Suite for DbdOdbc {
    fn name(&self) -> &'static str {
        if self.driver == Driver::Sqlite { "dbd-odbc-sqlite" } else { "dbd-odbc-postgres" }
    }

    fn about(&self) -> &'static str {
        if self.driver == Driver::Sqlite { "DBD::ODBC's tests on SQLite" } else { "DBD::ODBC's tests on PostgreSQL" }
    }

    fn driver(&self) -> Driver {
        self.driver
    }

    fn prepare(&self) -> Result<(), Trouble> {
        source::debian(PACKAGE, "t/02simple.t")
    }

    fn source(&self) -> PathBuf {
        source::place(PACKAGE)
    }

    fn programs(&self) -> Result<Vec<String>, String> {
        let directory = self.source().join("t");
        let entries = std::fs::read_dir(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
        let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
        let mut programs: Vec<String> = names.filter(|name| name.ends_with(".t")).collect();
        programs.sort();
        Ok(programs)
    }

    fn represents(&self, program: &str) -> bool {
        self.driver == Driver::Sqlite && REPRESENTATIVE.contains(&program)
    }

    fn connection(&self, _program: &str) -> Connection {
        let database = if self.driver == Driver::Sqlite { "test.db" } else { "test" };
        Connection { source: "dbdodbc", driver: None, database, keys: Vec::new() }
    }

    fn furnish(&self, work: &Path) -> Result<(), String> {
        // The programs load helpers from `t`, and some write files beside it.
        std::os::unix::fs::symlink(self.source().join("t"), work.join("t")).map_err(|error| format!("t: {error}"))
    }

    fn command(&self, program: &str, _work: &Path) -> Command {
        let mut command = Command::new("perl");
        command.args(["-I.", "-w"]).arg(format!("t/{program}"));
        command.env("DBI_DSN", "dbi:ODBC:dbdodbc").env("PERL_HASH_SEED", "0");
        if self.driver != Driver::Sqlite {
            command.env("DBI_USER", USER).env("DBI_PASS", PASSWORD);
        }
        command
    }

    fn cases(&self, program: &str, ran: &Outcome, _work: &Path) -> Vec<Case> {
        vec![Case::whole(program, verdict(ran), ran)]
    }
}

/// Returns what the TAP says: `pass 12`, `fail 2/12`, `skip`, or how the program ended.
fn verdict(ran: &Outcome) -> String {
    let text = ran.text();
    if text.lines().any(|line| line.starts_with("1..0")) {
        return "skip".into();
    }
    let failed = text.lines().filter(|line| line.starts_with("not ok") && !line.contains("# TODO")).count();
    let all = text.lines().filter(|line| line.starts_with("ok ") || line.starts_with("not ok ")).count();
    if failed > 0 {
        format!("fail {failed}/{all}")
    } else if ran.succeeded() {
        format!("pass {all}")
    } else {
        format!("{} after {all}", ran.status.replace("exit status: ", "exit "))
    }
}
