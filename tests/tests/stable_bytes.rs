//! Recording again against an unchanged database changes no byte: `git diff` stays empty. Nor does a recording keep room of the
//! disk that it does not use.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use super8_tests::driver::Driver;
use super8_tests::format::Format;
use super8_tests::packages;
use super8_tests::program::Program;
use super8_tests::server::must;
use super8_tests::ways::{Stage, Way};

fn git(directory: &Path, words: &[&str]) -> String {
    let mut git = Command::new(packages::program("git", "git"));
    git.current_dir(directory).args(["-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "core.autocrlf=false"]);
    git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null").args(words);
    must(&mut git)
}

fn recorded_twice(program: &Program, driver: Driver) {
    Stage::new(&format!("twice_{}", program.name()), driver).in_both_formats(|stage| recorded_twice_on(stage, program));
}

fn recorded_twice_on(stage: &Stage, program: &Program) {
    program.check("first recording", &stage.run(Way::Record, program));
    let cassette = stage.cassette();
    git(&cassette, &["init", "-q"]);
    git(&cassette, &["add", "-A"]);
    git(&cassette, &["commit", "-q", "-m", "recorded"]);
    let files = git(&cassette, &["ls-files"]);
    let expected: &[&str] = match stage.format.get() {
        Format::Yaml => &["commands.yml", "metadata.yml"],
        Format::Ndjson => &["traces.ndjson"],
    };
    for file in expected {
        assert!(files.lines().any(|line| line == *file), "no {file} in the cassette:\n{files}");
    }
    // The repository must survive a publication by rename: it is moved out of the way and back.
    let repository = stage.scratch.join("git");
    std::fs::rename(cassette.join(".git"), &repository).unwrap_or_else(|error| panic!("{error}"));
    program.check("second recording", &stage.run(Way::Record, program));
    std::fs::rename(&repository, cassette.join(".git")).unwrap_or_else(|error| panic!("{error}"));
    let changes = git(&cassette, &["status", "--porcelain"]) + &git(&cassette, &["diff"]);
    assert!(changes.is_empty(), "recorded twice, {} over {}:\n{changes}", program.name(), stage.driver.library());
    for file in files.lines() {
        let metadata = std::fs::metadata(cassette.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        let (taken, length) = (metadata.blocks() * 512, metadata.len());
        assert!(taken <= length + 16 * 1024, "{file} has {length} bytes and takes {taken}");
    }
}

#[test]
fn on_sqlite() {
    for program in [Program::python("values.py"), Program::c("connect.c"), Program::c("bound.c"), Program::odbc_api()] {
        recorded_twice(&program, Driver::Sqlite);
    }
}

#[test]
fn on_postgres() {
    for program in [Program::python("batches.py"), Program::c("params.c"), Program::c("results.c"), Program::odbc_api()]
    {
        recorded_twice(&program, Driver::PostgresUnicode);
    }
}

#[test]
fn on_mariadb() {
    for program in [Program::python("catalog.py"), Program::c("get_data.c"), Program::c("catalog.c")] {
        recorded_twice(&program, Driver::MariaDb);
    }
}
