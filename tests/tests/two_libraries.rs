//! libsuper8a.so calls libsuper8.so: where it finds it, and what it says if it does not.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use super8_shim::table::Function;
use super8_tests::c_compiler::compiled_library;
use super8_tests::configuration::Configuration;
use super8_tests::driver::Driver;
use super8_tests::outcome::Outcome;
use super8_tests::products::{self, Library};
use super8_tests::scratch::Scratch;
use super8_tests::{packages, python};

/// Runs a program where the data source `shop` is SQLite behind this file of super8's.
fn run(scratch: &Scratch, library: &Path, mut command: Command, variables: &[(&str, &str)]) -> Outcome {
    let driver =
        [("Driver", library.display().to_string()), ("RealDriver", Driver::Sqlite.path().display().to_string())];
    let configuration = Configuration::new(scratch.directory("odbc")).driver("super8", &driver);
    let configuration = configuration.source("shop", &[("Driver", "super8"), ("Database", "shop.db")]);
    configuration.write();
    configuration.apply(&mut command);
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command.current_dir(scratch.directory("work")).envs(variables.iter().copied());
    Outcome::of(&command, b"select 1 + 1\n")
}

fn isql() -> Command {
    let mut isql = Command::new(packages::program("isql", "unixodbc"));
    isql.args(["-v", "-b", "shop"]);
    isql
}

fn pyodbc() -> Command {
    let mut command = Command::new(python::interpreter());
    command.args(["-c", "import pyodbc; pyodbc.connect('DSN=shop', timeout=5, readonly=True)"]);
    command
}

/// A program of `programs/python`, with arguments.
fn script(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(python::interpreter());
    command.arg(products::repository().join("tests/programs/python").join(name)).args(arguments);
    command
}

fn copy(from: &Path, to: &Path) -> PathBuf {
    fs::copy(from, to).unwrap_or_else(|error| panic!("{}: {error}", to.display()));
    to.to_owned()
}

/// What may be in the place of libsuper8.so, and what is said of it.
fn wrong_libraries() -> [(Option<PathBuf>, &'static str); 4] {
    [
        (None, "cannot open shared object file"),
        (Some(products::repository().join("README.md")), "invalid ELF header"),
        (Some(Driver::Sqlite.path()), "libsuper8.so has no super8_version"),
        (Some(compiled_library("not_super8.c", "not_super8.so")), "libsuper8.so is version 0.0.1"),
    ]
}

#[test]
fn without_libsuper8_a_connect_says_what_to_do() {
    for (other, reason) in wrong_libraries() {
        let scratch = Scratch::new("half-a-library");
        let library = copy(&Library::Ansi.path(), &scratch.directory("alone").join("libsuper8a.so"));
        if let Some(other) = other {
            copy(&other, &library.with_file_name("libsuper8.so"));
        }
        for command in [isql(), pyodbc()] {
            let outcome = run(&scratch, &library, command, &[]);
            let told = String::from_utf8_lossy(&outcome.all()).into_owned();
            assert_eq!(outcome.status, "exit status: 1", "{told}");
            let beside = library.with_file_name("libsuper8.so").display().to_string();
            for part in ["IM003", "[super8] libsuper8a.so needs libsuper8.so", "into one directory", &beside, reason] {
                assert!(told.contains(part), "no {part}:\n{told}");
            }
        }
    }
}

/// No call crashes, and the C interface gives the same reason.
#[test]
fn without_libsuper8_every_function_returns() {
    let scratch = Scratch::new("half-a-library");
    let library = copy(&Library::Ansi.path(), &scratch.directory("alone").join("libsuper8a.so"));
    let path = library.display().to_string();
    let names = Function::ROWS.iter().map(|row| row.name);
    let arguments: Vec<&str> = [path.as_str()].into_iter().chain(names.clone()).collect();
    let outcome = run(&scratch, &library, script("without_super8.py", &arguments), &[]);
    let told = outcome.text();
    assert!(outcome.succeeded(), "{told}\n{}", outcome.errors());
    let (calls, rest) = told.split_at(told.find("[super8]").unwrap_or_else(|| panic!("{told}")));
    let expected: String = names
        .map(|name| match name {
            "SQLSetEnvAttr" | "SQLFreeEnv" | "SQLFreeConnect" | "SQLFreeHandle" => format!("{name} 0\n"),
            "SQLGetDiagRec" | "SQLGetDiagField" => format!("{name} 100\n"),
            // the record of a call that failed before
            "SQLError" => format!("{name} 0\n"),
            _ => format!("{name} -1\n"),
        })
        .collect();
    assert_eq!(calls, expected);
    let lines: Vec<&str> = rest.lines().collect();
    assert!(lines[0].starts_with("[super8] libsuper8a.so needs libsuper8.so"), "{rest}");
    assert_eq!(lines[1..], [format!("{} -1 -1 -1", env!("CARGO_PKG_VERSION")).as_str(), "True [super8] "]);
}

/// A link to libsuper8a.so leads to the directory of both; or each has a link in a directory of links.
#[test]
fn libsuper8_is_found_behind_links() {
    let scratch = Scratch::new("linked-library");
    let one = scratch.directory("one").join("libsuper8a.so");
    symlink(Library::Ansi.path(), &one).unwrap_or_else(|error| panic!("{error}"));
    let store = copy(&Library::Ansi.path(), &scratch.directory("store").join("libsuper8a.so"));
    let both = scratch.directory("both").join("libsuper8a.so");
    symlink(&store, &both).unwrap_or_else(|error| panic!("{error}"));
    symlink(Library::Unicode.path(), both.with_file_name("libsuper8.so")).unwrap_or_else(|error| panic!("{error}"));
    for library in [one, both] {
        for mode in ["record", "replay"] {
            let outcome = run(&scratch, &library, isql(), &[("SUPER8_MODE", mode), ("SUPER8_CASSETTE", "tape")]);
            let told = String::from_utf8_lossy(&outcome.all()).into_owned();
            assert!(outcome.succeeded() && told.contains("| 2 "), "{mode}, {}: {told}", library.display());
        }
        assert!(scratch.join("work/tape/commands.yml").is_file());
        fs::remove_dir_all(scratch.join("work/tape")).unwrap_or_else(|error| panic!("{error}"));
    }
}

/// A program that calls the C interface of another copy of super8 is told which one the driver manager has loaded.
#[test]
fn another_copy_is_named() {
    let scratch = Scratch::new("another-copy");
    let directory = scratch.directory("copy");
    for library in [Library::Ansi, Library::Unicode] {
        copy(&library.path(), &directory.join(library.file_name()));
    }
    let copied = directory.join("libsuper8a.so").display().to_string();
    let outcome = run(&scratch, &Library::Ansi.path(), script("other_copy.py", &[&copied]), &[]);
    let told = outcome.text();
    let start = format!("3 [super8] nothing connected through super8 in {} while ", directory.display());
    assert!(told.starts_with(&start), "{told}\n{}", outcome.errors());
    let loaded = [Library::Ansi, Library::Unicode].map(|library| library.path().display().to_string());
    let named = |path: &String| told.contains(&format!("has loaded {path}: call the functions of that library"));
    assert!(loaded.iter().any(named), "{told}");
}
