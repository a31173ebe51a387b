//! PostgreSQL queries that Softprobe recorded in Node.js programs, asked by C, by pyodbc and by isql.

use std::path::{Path, PathBuf};
use std::process::Command;
use super8_tests::compare::assert_same;
use super8_tests::driver::Driver;
use super8_tests::format::{Format, in_both_formats};
use super8_tests::outcome::Outcome;
use super8_tests::products::{self, repository};
use super8_tests::program::Program;
use super8_tests::ways::{Stage, Way};

/// Where the stage's cassette is to be made.
fn place(stage: &Stage) -> PathBuf {
    match stage.format.get() {
        Format::Yaml => stage.cassette(),
        Format::Ndjson => stage.log(),
    }
}

/// Makes the stage's cassette of records with these options, and gives the notes.
fn imported(stage: &Stage, records: &Path, options: &[&str]) -> String {
    let mut convert = Command::new(products::super8());
    convert.arg("convert").args(options).args([records, &place(stage)]);
    let done = Outcome::of(&convert, b"");
    assert!(done.succeeded(), "{}{}", done.text(), done.errors());
    done.text()
}

fn records(name: &str) -> std::path::PathBuf {
    repository().join("tests/tests/softprobe").join(name)
}

#[test]
fn by_a_c_program() {
    in_both_formats(|format| {
        let stage = Stage::new("imported", Driver::PostgresUnicode).in_format(format);
        let options = ["--dsn", super8_tests::ways::SOURCE, "--user", stage.database.user()];
        let notes = imported(&stage, &records("product.ndjson"), &options);
        for expected in [
            "line 2: column name: text: it becomes varchar",
            "line 6: the SQLSTATE of the error is not recorded",
            "2 records are left out",
        ] {
            assert!(notes.contains(expected), "{expected} is not said:\n{notes}");
        }
        let program = Program::c("imported.c");
        let replayed = stage.run(Way::Replay, &program);
        program.check("replay", &replayed);
        let golden = repository().join("tests/tests/golden/imported.txt");
        if std::env::var_os("SUPER8_BLESS").is_some() {
            std::fs::write(&golden, &replayed.stdout).unwrap_or_else(|error| panic!("{error}"));
        }
        assert_eq!(replayed.text(), std::fs::read_to_string(&golden).unwrap_or_default());
        assert_eq!(replayed.errors(), "");
    });
}

/// What a client asks when it connects, is in a recording of it that does no more: the cassette is made like that one, and
/// the client prints what it prints when it asks PostgreSQL. `records` are of Softprobe's own example and test; `calls` is
/// what the command line is told of the client.
fn by_a_client(records: &Path, calls: &str, connects: &Program, asks: &Program) {
    in_both_formats(|format| {
        let mut stage = Stage::new("imported_like", Driver::PostgresUnicode).in_format(format);
        let bare = stage.run(Way::Bare, asks);
        asks.check("bare", &bare);
        connects.check("record", &stage.run(Way::Record, connects));
        let like = stage.cassette();
        stage = stage.in_directory("imported");
        let notes = imported(&stage, records, &["--calls", calls, "--like", &like.display().to_string()]);
        assert!(notes.contains("come from "), "{notes}");
        assert_same("imported", ("bare", &bare), ("replayed", &stage.run(Way::Replay, asks)));
    });
}

#[test]
fn by_pyodbc() {
    let program = |what: &str| Program::python("imported.py").with_argument(what);
    by_a_client(&records("softprobe-js.ndjson"), "prepare-parameters", &program("connect"), &program("ask"));
}

#[test]
fn by_isql() {
    let isql = |script| Program::isql(script, &["-v"], "");
    by_a_client(&records("isql.ndjson"), "prepare,more-results", &isql("nothing.sql"), &isql("types.sql"));
}
