//! Two different real drivers in one process and one environment: of one kind, or a Unicode driver and an ANSI driver. super8 has one
//! recorder for both.

use std::path::{Path, PathBuf};
use std::process::Command;
use super8_tests::c_compiler::compiled;
use super8_tests::cassette_files::commands;
use super8_tests::compare::assert_same;
use super8_tests::configuration::Configuration;
use super8_tests::database::Database;
use super8_tests::driver::Driver;
use super8_tests::format::{Format, in_both_formats};
use super8_tests::outcome::Outcome;
use super8_tests::products::{self, Library};
use super8_tests::python;
use super8_tests::scratch::Scratch;
use super8_tests::trap::Trap;

struct Pair {
    scratch: Scratch,
    program: Command,
    drivers: [Driver; 2],
    databases: [Database; 2],
}

impl Pair {
    fn new(program: Command, drivers: [Driver; 2]) -> Pair {
        let scratch = Scratch::new("two-drivers");
        let work = scratch.directory("work");
        let databases = drivers.map(|driver| Database::new(driver, "two_drivers", work.clone()));
        Pair { scratch, program, drivers, databases }
    }

    /// Two data sources, each with its driver, or in a mode with super8 before it; at replay there is neither driver nor database.
    fn configuration(&self, mode: Option<&str>, trap: &Trap) -> Configuration {
        let replay = mode == Some("replay");
        let mut configuration = Configuration::new(self.scratch.directory("odbc"));
        let mut declared = Vec::new();
        for (driver, database) in self.drivers.iter().zip(&self.databases) {
            if replay {
                database.remove()
            } else {
                database.fresh()
            }
            let library = if mode.is_some() { driver.shim().path() } else { PathBuf::from(driver.library()) };
            let section = format!("tested {}", library.file_name().unwrap_or_default().display());
            if !declared.contains(&section) {
                configuration = configuration
                    .driver(&section, &[("Driver", library.display().to_string()), ("DontDLClose", "0".into())]);
                declared.push(section.clone());
            }
            let mut source = vec![("Driver", section)];
            if mode.is_some() {
                let real = if replay { "/nonexistent/no-such-driver.so" } else { driver.library() };
                source.push(("RealDriver", real.to_owned()));
            }
            source.extend(database.keywords(database.port().map(|port| if replay { trap.port() } else { port })));
            configuration = configuration.source(driver.label(), &source);
        }
        configuration
    }

    fn run(&self, mut command: Command, configuration: &Configuration, variables: &[(&str, PathBuf)]) -> Outcome {
        // the program is told one user, whom each database knows that has users
        let owner = self.databases.iter().find(|database| !database.user().is_empty());
        let (user, password) = owner.map_or(("", ""), |owner| (owner.user(), owner.password()));
        let [first, second] = self.drivers.map(Driver::label);
        command.args([first, "both", second, "", user, password, ""]);
        configuration.write();
        configuration.apply(&mut command);
        command.current_dir(self.scratch.join("work")).envs(variables.iter().map(|(name, value)| (name, value)));
        Outcome::of(&command, b"")
    }

    fn program(&self) -> Command {
        let mut command = Command::new(self.program.get_program());
        command.args(self.program.get_args());
        command
    }

    fn bare(&self) -> Outcome {
        let bare = self.run(self.program(), &self.configuration(None, &Trap::new()), &[]);
        assert!(bare.succeeded(), "{}", String::from_utf8_lossy(&bare.all()));
        bare
    }

    fn cassette(&self, format: Format) -> PathBuf {
        self.scratch.join(format.name())
    }

    fn in_mode(&self, mode: &str, format: Format) -> Outcome {
        let trap = Trap::new();
        let mut variables = vec![("SUPER8_MODE", mode.into())];
        if mode != "off" {
            variables.extend([("SUPER8_CASSETTE", self.cassette(format)), ("SUPER8_FORMAT", format.name().into())]);
        }
        let outcome = self.run(self.program(), &self.configuration(Some(mode), &trap), &variables);
        assert!(!trap.sprung(), "a replay called the database server");
        outcome
    }

    /// Runs the program bare, off, recorded and replayed.
    fn four_ways(&self) {
        let bare = self.bare();
        let same = |mode, format| {
            let what = format!("{:?}", self.drivers);
            assert_same(&what, ("bare", &bare), (mode, &self.in_mode(mode, format)));
        };
        same("off", Format::Yaml);
        in_both_formats(|format| ["record", "replay"].iter().for_each(|mode| same(mode, format)));
    }

    /// Runs the program under the wrapper: recorded with the drivers' own sections, replayed without any section.
    fn wrapped(&self) {
        self.under_the_wrapper(false, |cassette| self.is_one_log(cassette));
    }

    /// What `super8` says on standard error does not count where children end with _exit: it says what it has recovered.
    fn under_the_wrapper(&self, recovers: bool, look: impl Fn(&Path)) {
        let bare = self.bare();
        in_both_formats(|format| {
            for verb in ["record", "replay"] {
                let cassette = self.scratch.join(format!("wrapped-{}", format.name()));
                let mut command = Command::new(products::super8());
                command.arg(verb).arg(&cassette).arg("--");
                command.arg(self.program.get_program()).args(self.program.get_args());
                let variables = [("SUPER8_FORMAT", format.name().into())];
                let mut configuration = self.configuration((verb == "replay").then_some("replay"), &Trap::new());
                if verb == "replay" {
                    configuration = Configuration::new(configuration.directory().to_owned());
                }
                let outcome = self.run(command, &configuration, &variables);
                let what = format!("wrapped\n{}", outcome.errors());
                let told = if recovers { Outcome { stderr: bare.stderr.clone(), ..outcome } } else { outcome };
                assert_same(&what, ("bare", &bare), (verb, &told));
                look(&cassette);
            }
        });
    }

    /// A cassette has both connections, in the order in which they were used.
    fn is_one_log(&self, cassette: &Path) {
        let log = commands(cassette);
        let entries = || log.split("- method: ").skip(1);
        let used = entries().filter(|entry| entry.starts_with("connect\n") || entry.starts_with("run\n"));
        let used: Vec<_> = used.filter_map(|entry| entry.lines().nth(1)).take(4).collect();
        assert_eq!(used, ["  connection_id: a", "  connection_id: b"].repeat(2), "{log}");
        let connects = entries().filter(|entry| entry.starts_with("connect\n")).count();
        // the second driver is of another kind than the one in the cassette's head
        let [first, second] = self.drivers.map(|driver| driver.shim() == Library::Unicode);
        let kinds = log.matches(if second { "\n  kind: unicode\n" } else { "\n  kind: ansi\n" }).count();
        assert_eq!(kinds, if first == second { 0 } else { connects / 2 }, "{log}");
        assert_eq!(entries().filter(|entry| entry.starts_with("disconnect\n")).count(), connects, "{log}");
        assert!(!super8_cassette::parts_directory(cassette).exists(), "{} has parts", cassette.display());
    }
}

/// Connects both, works with one and the other in turn, closes one before the other; and again, after the driver manager has unloaded
/// both.
fn of_c() -> Command {
    Command::new(compiled("two_drivers.c"))
}

fn of_pyodbc() -> Command {
    let mut command = Command::new(python::interpreter());
    command.arg(products::repository().join("tests/programs/python/two_sources.py"));
    command
}

#[test]
fn behind_the_ansi_library() {
    Pair::new(of_c(), [Driver::Sqlite, Driver::PostgresAnsi]).four_ways();
}

#[test]
fn behind_the_unicode_library() {
    Pair::new(of_c(), [Driver::PostgresUnicode, Driver::MariaDb]).four_ways();
}

#[test]
fn drivers_of_both_kinds_share_a_cassette() {
    for drivers in [
        [Driver::Sqlite, Driver::PostgresUnicode],
        [Driver::PostgresUnicode, Driver::Sqlite],
        [Driver::MariaDb, Driver::PostgresAnsi],
        [Driver::PostgresAnsi, Driver::MariaDb],
    ] {
        let pair = Pair::new(of_c(), drivers);
        pair.four_ways();
        Format::BOTH.iter().for_each(|format| pair.is_one_log(&pair.cassette(*format)));
    }
}

#[test]
fn drivers_of_both_kinds_share_a_cassette_under_the_wrapper() {
    for drivers in [[Driver::Sqlite, Driver::PostgresUnicode], [Driver::MariaDb, Driver::PostgresAnsi]] {
        Pair::new(of_c(), drivers).wrapped();
    }
}

/// Children go on with the connections of both libraries, each in a part of its own, which has what it did with both.
#[test]
fn children_of_a_process_with_drivers_of_both_kinds() {
    for drivers in [[Driver::Sqlite, Driver::PostgresUnicode], [Driver::MariaDb, Driver::PostgresAnsi]] {
        let mut program = Command::new(python::interpreter());
        program.arg(products::repository().join("tests/programs/python/forked_two_sources.py"));
        let pair = Pair::new(program, drivers);
        pair.under_the_wrapper(true, |cassette| {
            let parts = super8_cassette::parts_of(cassette);
            assert_eq!(parts.len(), 2, "{parts:?}");
            for part in parts {
                let log = commands(&part);
                let of_both = ["  connection_id: a\n", "  connection_id: b\n"].iter().all(|words| log.contains(words));
                assert!(of_both && log.matches("- method: connect\n").count() == 4, "{}: {log}", part.display());
            }
        });
    }
}

#[test]
fn pyodbc_on_drivers_of_both_kinds() {
    for drivers in [[Driver::Sqlite, Driver::MariaDb], [Driver::PostgresUnicode, Driver::Sqlite]] {
        let pair = Pair::new(of_pyodbc(), drivers);
        pair.four_ways();
        Format::BOTH.iter().for_each(|format| pair.is_one_log(&pair.cassette(*format)));
        pair.wrapped();
    }
}
