//! The SQLite tests of the crate odbc-api: one program of libtest, whose tests run one after the other in one process
//! and with one cassette. The crate's source is in cargo's registry, because a program of the end-to-end tests depends
//! on it.

use crate::connection::Connection;
use crate::source::{self, Trouble};
use crate::suite::{Case, Suite};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::process::Command;
use super8_tests::driver::Driver;
use super8_tests::outcome::Outcome;
use super8_tests::products;

/// The name of the tests' only program.
const PROGRAM: &str = "integration";

/// The tests on SQLite.
pub struct OdbcApi;

impl Suite for OdbcApi {
    fn name(&self) -> &'static str {
        "odbc-api-sqlite"
    }

    fn about(&self) -> &'static str {
        "odbc-api's tests on SQLite"
    }

    fn driver(&self) -> Driver {
        Driver::Sqlite
    }

    fn prepare(&self) -> Result<(), Trouble> {
        if !self.source().join("Cargo.toml").is_file() {
            source::copy(&registered()?, &self.source())?;
        }
        let mut cargo = cargo(self.source());
        cargo.args(["test", "--quiet", "--no-run", "--test", PROGRAM, "--target-dir"]).arg(self.target());
        source::run(&mut cargo)
            .map_err(|reason| Trouble::NotObtained(format!("cannot build odbc-api's tests: {reason}")))
    }

    fn source(&self) -> PathBuf {
        source::place("odbc-api")
    }

    fn programs(&self) -> Result<Vec<String>, String> {
        Ok(vec![PROGRAM.into()])
    }

    fn represents(&self, _program: &str) -> bool {
        false
    }

    fn is_represented(&self) -> bool {
        false
    }

    fn connection(&self, _program: &str) -> Connection {
        Connection { source: "odbcapi", driver: Some("SQLite3"), database: "sqlite-test.db", keys: Vec::new() }
    }

    fn command(&self, _program: &str, _work: &Path) -> Command {
        let files = std::fs::read_dir(self.target().join("debug/deps")).into_iter().flatten().flatten();
        let is_program = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("integration-") && !name.contains('.')
        };
        let programs = files.map(|file| file.path()).filter(is_program);
        // there may also be an older build
        let newest = programs.max_by_key(|path| path.metadata().and_then(|metadata| metadata.modified()).ok());
        let mut command = Command::new(newest.unwrap_or_else(|| PROGRAM.into()));
        command.args(["sqlite", "--test-threads=1"]);
        command
    }

    fn cases(&self, program: &str, ran: &Outcome, _work: &Path) -> Vec<Case> {
        let text = ran.text();
        let case = |line: &str| {
            let (name, outcome) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
            let outcome = if outcome == "ok" { "pass" } else { "fail" };
            Some(Case { name: name.to_owned(), outcome: outcome.to_owned(), output: Vec::new() })
        };
        let mut cases: Vec<Case> = text.lines().filter_map(case).collect();
        let ended = if ran.succeeded() { "pass" } else { ran.status.as_str() };
        cases.push(Case { name: format!("{program} ran to its end"), outcome: ended.into(), output: Vec::new() });
        cases
    }
}

impl OdbcApi {
    fn target(&self) -> PathBuf {
        source::cache().join("odbc-api-target")
    }
}

fn cargo(directory: impl AsRef<Path>) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(directory);
    cargo
}

/// Returns cargo's directory with the source of the version that the end-to-end tests use.
fn registered() -> Result<PathBuf, String> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    #[derive(Deserialize)]
    struct Package {
        name: String,
        manifest_path: PathBuf,
    }
    let output = cargo(products::repository()).args(["metadata", "--format-version", "1"]).output();
    let output = output.map_err(|error| format!("cannot run cargo: {error}"))?;
    let metadata: Metadata =
        serde_yaml::from_slice(&output.stdout).map_err(|error| format!("cargo metadata: {error}"))?;
    let found = metadata.packages.into_iter().find(|package| package.name == "odbc-api");
    let found = found.and_then(|package| Some(package.manifest_path.parent()?.to_owned()));
    found.ok_or_else(|| "odbc-api is not a dependency of this workspace".to_owned())
}
