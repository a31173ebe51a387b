//! psqlodbc's regression programs: C programs, and files with their expected output.
//!
//! Upstream's `make installcheck-all` runs each of them under several settings of the data source; here a program's name
//! ends in the setting: `select.d0p1` is `select` with `UseDeclareFetch=0` and `UseServerSidePrepare=1`.

use crate::connection::Connection;
use crate::source::{self, Trouble};
use crate::suite::{Case, Suite};
use std::path::{Path, PathBuf};
use std::process::Command;
use super8_tests::driver::Driver;
use super8_tests::outcome::Outcome;

const PACKAGE: &str = "psqlodbc";
/// The results of `configure` on Debian that the programs need.
const CONFIG: &str = "#define WITH_UNIXODBC 1\n#define HAVE_SSIZE_T 1\n";
/// `UseDeclareFetch` and `UseServerSidePrepare`.
const SETTINGS: [(u8, u8); 4] = [(0, 1), (0, 0), (1, 1), (1, 0)];
/// The programs that stand for the suite in the test command.
const REPRESENTATIVE: [&str; 25] = [
    "connect",
    "stmthandles",
    "select",
    "update",
    "commands",
    "multistmt",
    "getresult",
    "colattribute",
    "result-conversions",
    "prepare",
    "premature",
    "params",
    "param-conversions",
    "parse",
    "identity",
    "notice",
    "insertreturning",
    "boolsaschar",
    "cvtnulldate",
    "alter",
    "quotes",
    "catalogfunctions",
    "cte",
    "errors",
    "numeric",
];

/// The programs over one of psqlodbc's two drivers.
pub struct Psqlodbc {
    /// psqlodbcw or psqlodbca.
    pub driver: Driver,
}

impl Psqlodbc {
    fn tests() -> PathBuf {
        source::place(PACKAGE).join("test")
    }

    fn built() -> PathBuf {
        source::cache().join("psqlodbc-programs")
    }
}

impl Suite for Psqlodbc {
    fn name(&self) -> &'static str {
        if self.driver == Driver::PostgresAnsi { "psqlodbca" } else { "psqlodbcw" }
    }

    fn about(&self) -> &'static str {
        if self.driver == Driver::PostgresAnsi {
            "psqlodbc's regression programs on PostgreSQL, with psqlodbca"
        } else {
            "psqlodbc's regression programs on PostgreSQL, with psqlodbcw"
        }
    }

    fn driver(&self) -> Driver {
        self.driver
    }

    fn prepare(&self) -> Result<(), Trouble> {
        source::debian(PACKAGE, "test/tests")?;
        let (tests, built) = (Psqlodbc::tests(), Psqlodbc::built());
        std::fs::create_dir_all(&built).map_err(|error| format!("cannot create {}: {error}", built.display()))?;
        std::fs::write(built.join("config.h"), CONFIG).map_err(|error| format!("{}: {error}", built.display()))?;
        for name in listed(&tests)? {
            let program = built.join(&name);
            if program.is_file() {
                continue;
            }
            let unfinished = built.join(format!("{name}.unfinished"));
            let mut compiler = Command::new("gcc");
            compiler.args(["-w", "-I"]).arg(&built).arg("-o").arg(&unfinished);
            compiler.arg(tests.join(format!("src/{name}-test.c"))).arg(tests.join("src/common.c")).arg("-lodbc");
            source::run(&mut compiler)?;
            std::fs::rename(&unfinished, &program).map_err(|error| format!("{}: {error}", program.display()))?;
        }
        Ok(())
    }

    fn source(&self) -> PathBuf {
        source::place(PACKAGE)
    }

    fn programs(&self) -> Result<Vec<String>, String> {
        let names = listed(&Psqlodbc::tests())?;
        let each = |(declare, prepare)| names.iter().map(move |name| format!("{name}.d{declare}p{prepare}"));
        Ok(SETTINGS.into_iter().flat_map(each).collect())
    }

    fn represents(&self, program: &str) -> bool {
        let (name, setting) = split(program);
        self.driver == Driver::PostgresUnicode && setting == SETTINGS[0] && REPRESENTATIVE.contains(&name)
    }

    fn connection(&self, program: &str) -> Connection {
        let (_, (declare, prepare)) = split(program);
        let ansi = self.driver == Driver::PostgresAnsi;
        let source = if ansi { "psqlodbc_test_dsn_ansi" } else { "psqlodbc_test_dsn" };
        let mut keys: Vec<(&'static str, String)> =
            ["ReadOnly", "RowVersioning", "ShowSystemTables", "ShowOidColumn", "FakeOidIndex"]
                .map(|key| (key, "No".to_owned()))
                .to_vec();
        keys.push(("ConnSettings", "set lc_messages='C'".into()));
        keys.extend([("UseDeclareFetch", declare.to_string()), ("UseServerSidePrepare", prepare.to_string())]);
        keys.push(("Protocol", "7.4-2".into()));
        Connection { source, driver: None, database: "contrib_regression", keys }
    }

    fn tables(&self) -> Option<PathBuf> {
        Some(Psqlodbc::tests().join("sampletables.sql"))
    }

    fn command(&self, program: &str, _work: &Path) -> Command {
        let mut command = Command::new(Psqlodbc::built().join(split(program).0));
        command.env("PSQLODBC_TEST_DSN", self.connection(program).source);
        Connection::libpq(&mut command);
        command
    }

    fn cases(&self, program: &str, ran: &Outcome, _work: &Path) -> Vec<Case> {
        let outcome = if !ran.succeeded() {
            ran.status.replace("exit status: ", "exit ")
        } else if expected(split(program).0).contains(&ran.stdout) {
            "pass".into()
        } else {
            "output".into()
        };
        vec![Case::whole(program, outcome, ran)]
    }
}

/// Returns a program's name without its setting, and the setting.
fn split(program: &str) -> (&str, (u8, u8)) {
    let (name, setting) = program.rsplit_once('.').unwrap_or((program, ""));
    let wanted = |(declare, prepare): &(u8, u8)| format!("d{declare}p{prepare}") == setting;
    (name, SETTINGS.iter().copied().find(wanted).unwrap_or(SETTINGS[0]))
}

/// Returns the programs of upstream's list, which names each as `exe/select-test`.
fn listed(tests: &Path) -> Result<Vec<String>, String> {
    let list = tests.join("tests");
    let text = std::fs::read_to_string(&list).map_err(|error| format!("cannot read {}: {error}", list.display()))?;
    let name = |word: &str| word.strip_prefix("exe/")?.strip_suffix("-test").map(String::from);
    Ok(text.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace).filter_map(name).collect())
}

/// Returns the outputs that a program may print: `expected/select.out`, `expected/select_1.out`, and so on.
fn expected(name: &str) -> Vec<Vec<u8>> {
    let directory = Psqlodbc::tests().join("expected");
    let file = |number: u32| if number == 0 { format!("{name}.out") } else { format!("{name}_{number}.out") };
    (0..).map_while(|number| std::fs::read(directory.join(file(number))).ok()).collect()
}
