//! The cassettes of the repository: replayed by programs of today, loaded and saved again without a changed byte.
//!
//! `SUPER8_BLESS=1 cargo test -p super8-tests golden` records them anew; look at the difference before committing it.

use std::path::{Path, PathBuf};
use super8_cassette::{Row, RowsReader, cell, row, yaml};
use super8_tests::cassette_files::files;
use super8_tests::compare::difference;
use super8_tests::conversion::{assert_there_and_back, converted};
use super8_tests::driver::Driver;
use super8_tests::format::Format;
use super8_tests::products::repository;
use super8_tests::program::Program;
use super8_tests::scratch::Scratch;
use super8_tests::ways::{Stage, Way};

/// The cassettes: name, program, driver.
fn goldens() -> Vec<(&'static str, Program, Driver)> {
    vec![
        ("isql-sqlite", Program::isql("session.sql", &[], "Łukasz"), Driver::Sqlite),
        ("pyodbc-sqlite", Program::python("batches.py"), Driver::Sqlite),
        ("pyodbc-postgres", Program::python("transactions.py"), Driver::PostgresUnicode),
        ("c-postgres", Program::c("results.c"), Driver::PostgresUnicode),
        ("c-mariadb", Program::c("params.c"), Driver::MariaDb),
        ("odbc-api-sqlite", Program::odbc_api(), Driver::Sqlite),
    ]
}

/// The traces, recorded in the other format.
fn golden_traces() -> Vec<(&'static str, Program, Driver)> {
    goldens().into_iter().filter(|(name, ..)| ["pyodbc-sqlite", "c-postgres", "c-mariadb"].contains(name)).collect()
}

fn trace(name: &str) -> PathBuf {
    repository().join("cassettes/traces").join(format!("{name}.ndjson"))
}

fn cassette(name: &str) -> PathBuf {
    repository().join("cassettes").join(name)
}

fn output(name: &str) -> PathBuf {
    repository().join("tests/tests/golden").join(format!("{name}.txt"))
}

#[test]
fn golden_cassettes_replay() {
    for (name, program, driver) in goldens() {
        if std::env::var_os("SUPER8_BLESS").is_some() {
            bless(name, &program, driver);
        }
        let stage = Stage::new(&format!("golden_{}", program.name()), driver).with_cassette(cassette(name));
        let before = files(&cassette(name));
        let replayed = stage.run(Way::Replay, &program);
        let expected =
            std::fs::read(output(name)).unwrap_or_else(|error| panic!("{}: {error}", output(name).display()));
        assert!(
            replayed.all() == expected,
            "{name}: what was replayed is not what was recorded\n{}",
            difference(("recorded", &expected), ("replayed", &replayed.all()))
        );
        assert!(files(&cassette(name)) == before, "{name}: a replay wrote into its cassette");
    }
}

#[test]
fn golden_traces_replay() {
    for (name, program, driver) in golden_traces() {
        let mut stage = Stage::new(&format!("golden_{}", program.name()), driver).with_cassette(cassette(name));
        stage.environment.push(("SUPER8_TRACE_ID", name.to_owned()));
        stage.format.set(Format::Ndjson);
        if std::env::var_os("SUPER8_BLESS").is_some() {
            program.check(name, &stage.run(Way::Record, &program));
        }
        let before = sound_bytes(&trace(name));
        let replayed = stage.run(Way::Replay, &program);
        let expected = sound_bytes(&output(name));
        let shown = || difference(("recorded", &expected), ("replayed", &replayed.all()));
        assert!(replayed.all() == expected, "{name}: what was replayed is not what was recorded\n{}", shown());
        assert!(sound_bytes(&trace(name)) == before, "{name}: a replay wrote into its trace");
    }
}

fn sound_bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every golden cassette comes back from the other format: a directory byte by byte, a trace with the same meaning. A golden
/// trace replays as a directory, and as the trace that is made of the directory.
#[test]
fn golden_cassettes_convert_there_and_back() {
    let scratch = Scratch::new("golden_converted");
    goldens().iter().for_each(|(name, ..)| assert_there_and_back(name, &cassette(name)));
    assert_there_and_back("traces", &repository().join("cassettes/traces"));
    for (name, program, driver) in golden_traces() {
        let directory = scratch.join(format!("{name}-of-trace"));
        converted(&trace(name), &directory);
        converted(&directory, &scratch.join(format!("traces/{name}.ndjson")));
        let stage = |format| {
            let stage = Stage::new(&format!("golden_{}", program.name()), driver).in_format(format);
            stage.with_cassette(directory.clone())
        };
        let (as_directory, mut as_trace) = (stage(Format::Yaml), stage(Format::Ndjson));
        as_trace.environment.push(("SUPER8_TRACE_ID", name.to_owned()));
        for (what, stage) in [("a directory", as_directory), ("a trace again", as_trace)] {
            let replayed = stage.run(Way::Replay, &program);
            let expected = sound_bytes(&output(name));
            assert!(replayed.all() == expected, "{name}, made into {what}, replays something else");
        }
    }
}

#[test]
fn golden_cassettes_are_saved_as_they_were_loaded() {
    for (name, _, _) in goldens() {
        let all = files(&cassette(name));
        assert!(!all.is_empty(), "{name} is empty");
        for (path, bytes) in all {
            let saved = saved_again(&path, &bytes);
            let shown = || difference(("loaded", &bytes), ("saved", &saved));
            assert!(saved == bytes, "{} is saved with other bytes\n{}", path.display(), shown());
        }
    }
}

/// The file as super8 writes what it read from it.
fn saved_again(path: &Path, bytes: &[u8]) -> Vec<u8> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut out = Vec::new();
    if name.ends_with(".csv") {
        let (mut reader, mut record) = (RowsReader::new(bytes, path), csv::ByteRecord::new());
        while sound(reader.next(&mut record)) {
            let mut row = Row::new();
            for (column, field) in record.iter().enumerate() {
                let mut scratch = Vec::new();
                let cell = cell::decode(field, &mut scratch).unwrap_or_else(|error| panic!("{name}: {error:?}"));
                row.set(column, cell);
            }
            row::write_row(&row, &mut out);
        }
    } else if name == "commands.yml" || name.ends_with("_info.yml") {
        let (mut items, mut item) = (yaml::Items::new(bytes, path), Vec::new());
        while let Some(found) = sound(items.next(&mut item)) {
            if name == "commands.yml" {
                yaml::emit_entry(&sound(yaml::parse_entry(&item, path, found.line)), &mut out);
            } else {
                yaml::emit_answer(&sound(yaml::parse_answer(&item, path, found.line)), &mut out);
            }
        }
    } else {
        yaml::emit_document(&sound(yaml::read_document(bytes, path)), &mut out);
    }
    out
}

fn sound<T>(read: Result<T, super8_cassette::CassetteError>) -> T {
    read.unwrap_or_else(|error| panic!("{error}"))
}

/// What the cassettes say for the port of a test server, which is another one each time.
const PORT: u16 = 5432;

/// Has another port wherever the driver repeated it.
fn change_port(cassette: &Path, from: u16, to: u16) {
    for (path, bytes) in files(cassette) {
        let Ok(text) = String::from_utf8(bytes) else { continue };
        let changed = text.replace(&format!("PORT={from};"), &format!("PORT={to};"));
        if changed != text {
            std::fs::write(&path, changed).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
    }
}

fn bless(name: &str, program: &Program, driver: Driver) {
    let stage = Stage::new(&format!("golden_{}", program.name()), driver).with_cassette(cassette(name));
    let port = stage.port().unwrap_or(PORT);
    if cassette(name).exists() {
        change_port(&cassette(name), PORT, port);
    }
    let recorded = stage.run(Way::Record, program);
    program.check(name, &recorded);
    change_port(&cassette(name), port, PORT);
    let path = output(name);
    let write =
        || std::fs::create_dir_all(path.parent().unwrap_or(&path)).and_then(|()| std::fs::write(&path, recorded.all()));
    write().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
