//! The four ways to run a program: bare (the driver manager loads the real driver), with super8 off, recorded, and
//! replayed without driver, database and server. All four must look the same to the program.

use crate::compare::assert_same;
use crate::configuration::Configuration;
use crate::conversion::assert_there_and_back;
use crate::database::Database;
use crate::driver::Driver;
use crate::format::{Format, in_both_formats};
use crate::outcome::Outcome;
use crate::program::Program;
use crate::scratch::Scratch;
use crate::trap::Trap;
use std::cell::Cell;
use std::path::PathBuf;
use std::process::Command;

/// How a program's calls reach the database, if at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Without super8.
    Bare,
    /// Through super8 with `SUPER8_MODE=off`.
    Off,
    /// Through super8, recording.
    Record,
    /// Through super8, replaying: driver library, database and server do not exist.
    Replay,
}

/// The data source that every program connects to.
pub const SOURCE: &str = "tested source";
/// The section of odbcinst.ini that every program uses. It is super8's, except when run bare.
pub const SECTION: &str = "tested driver";
/// The section of odbcinst.ini with the real driver, which super8's section names.
pub const REAL_SECTION: &str = "real driver";

/// One program, one driver, one database, one cassette.
#[derive(Debug)]
pub struct Stage {
    /// The test's directory.
    pub scratch: Scratch,
    /// The real driver.
    pub driver: Driver,
    /// The database.
    pub database: Database,
    /// Further keys of the section of odbcinst.ini that programs use, whichever library it names.
    pub section: Vec<(&'static str, String)>,
    /// Further keys of every data source.
    pub source: Vec<(&'static str, String)>,
    /// Keys of the driver manager's own section `[ODBC]` of odbcinst.ini.
    pub manager: Vec<(&'static str, String)>,
    /// Further data sources to the same database, named [`SOURCE`] and a number from 0.
    pub numbered_sources: usize,
    /// Further variables of the program's environment.
    pub environment: Vec<(&'static str, String)>,
    /// The format of recordings from now on; a replay detects the format.
    pub format: Cell<Format>,
    cassette: PathBuf,
}

/// What a program needs to know to connect.
#[derive(Clone, Debug)]
pub struct Target {
    /// `DSN=...;UID=...;PWD=...;`
    pub connection_string: String,
    /// The same connection by `DRIVER={...}` with everything in the string.
    pub driver_string: String,
    /// User name; empty where there are no users.
    pub user: String,
    /// Password; empty where there are none.
    pub password: String,
    /// `sqlite`, `postgres`, `mariadb` or `test`.
    pub dialect: &'static str,
    /// The library for a program that uses no driver manager: super8's, except when run bare.
    pub library: PathBuf,
}

impl Stage {
    /// Makes a stage whose directory and database are named after `subject`.
    pub fn new(subject: &str, driver: Driver) -> Stage {
        let scratch = Scratch::new(&format!("{subject}-{}", driver.label()));
        let database = Database::new(driver, subject, scratch.directory("work"));
        let cassette = scratch.join("cassette");
        let (section, source, manager, environment) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (format, numbered_sources) = (Cell::new(Format::Yaml), 0);
        Stage { scratch, driver, database, section, source, manager, numbered_sources, environment, format, cassette }
    }

    /// Moves the cassette, of either format, to another directory in the stage's directory.
    pub fn in_directory(mut self, name: &str) -> Stage {
        self.cassette = self.scratch.join(name).join("cassette");
        self
    }

    /// Moves the cassette to another path.
    pub fn with_cassette(mut self, cassette: PathBuf) -> Stage {
        self.cassette = cassette;
        self
    }

    /// Moves the cassettes of both formats to another path.
    pub fn put_cassette(&mut self, cassette: PathBuf) {
        self.cassette = cassette;
    }

    /// Sets the format of recordings.
    pub fn in_format(self, format: Format) -> Stage {
        self.format.set(format);
        self
    }

    /// Returns the path at which this stage records: a directory in either format.
    pub fn cassette(&self) -> PathBuf {
        let is_filled_in = self.cassette.file_name().is_some_and(|name| name.to_string_lossy().contains('%'));
        match self.format.get() {
            Format::Yaml => self.cassette.clone(),
            // each process or test has its own directory
            Format::Ndjson if is_filled_in => self.cassette.clone(),
            Format::Ndjson => self.cassette.with_file_name("traces"),
        }
    }

    /// Returns the cassette's file with the commands.
    pub fn log(&self) -> PathBuf {
        let cassette = self.cassette();
        let name = cassette.file_name().unwrap_or_default().to_string_lossy().into_owned();
        cassette.join(self.format.get().log(&name))
    }

    /// Returns the port of the database server, if there is one.
    pub fn port(&self) -> Option<u16> {
        self.database.port()
    }

    /// Runs `program` one way, on a database that is fresh (or, at replay, gone).
    pub fn run(&self, way: Way, program: &Program) -> Outcome {
        if way == Way::Replay {
            self.database.remove();
        } else {
            self.database.fresh();
        }
        let trap = Trap::new();
        let command = self.command(way, program, &trap);
        let outcome = Outcome::of(&command, program.input());
        assert!(!trap.sprung(), "{}: a replay called the database server", program.name());
        outcome
    }

    /// Runs `program` under `super8 record`, `replay` or `once`; `verb` may have options. The configuration has only
    /// real drivers, and at replay none at all.
    pub fn wrapped(&self, verb: &str, program: &Program) -> Outcome {
        self.wrapped_by(&[], verb, program)
    }

    /// Does the same as [`Stage::wrapped`], started by these words of another command.
    pub fn wrapped_by(&self, starter: &[&str], verb: &str, program: &Program) -> Outcome {
        let replays = !verb.starts_with("record");
        if replays {
            self.database.remove();
        } else {
            self.database.fresh();
        }
        let trap = Trap::new();
        let own = program.command(&self.configure(if replays { Way::Replay } else { Way::Bare }, &trap));
        if replays {
            self.configuration().write();
        }
        let super8 = crate::products::super8().display().to_string();
        let words = [starter, &[&super8]].concat();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).args(verb.split(' ')).arg(self.cassette()).arg("--");
        command.arg(own.get_program()).args(own.get_args());
        command.envs(own.get_envs().filter_map(|(key, value)| Some((key, value?))));
        self.apply(Way::Bare, &mut command);
        if self.format.get() == Format::Ndjson {
            command.env("SUPER8_FORMAT", "ndjson");
        }
        let outcome = Outcome::of(&command, program.input());
        assert!(!trap.sprung(), "{}: a replay called the database server", program.name());
        outcome
    }

    /// Returns the program's command with this stage's configuration. At replay, `trap` takes the place of the server.
    pub fn command(&self, way: Way, program: &Program, trap: &Trap) -> Command {
        let target = self.configure(way, trap);
        let mut command = program.command(&target);
        self.apply(way, &mut command);
        command
    }

    /// Writes the configuration of `way`, and returns what a program needs to know.
    pub fn configure(&self, way: Way, trap: &Trap) -> Target {
        let port = self.database.port().map(|port| if way == Way::Replay { trap.port() } else { port });
        let keywords = self.database.keywords(port);
        let library = if way == Way::Bare { self.driver.path() } else { self.driver.shim().path() };

        // When run bare, the real driver takes super8's place under the same name.
        let mut section = vec![("Driver", library.display().to_string())];
        match way {
            Way::Bare => {}
            Way::Off | Way::Record => section.push(("RealDriver", REAL_SECTION.into())),
            Way::Replay => section.push(("RealDriver", "/nonexistent/no-such-driver.so".into())),
        }
        section.extend(self.section.iter().cloned());
        let mut source = vec![("Driver", SECTION.to_string())];
        source.extend(keywords.iter().cloned());
        source.extend(self.source.iter().cloned());
        let mut configuration = self.configuration().driver(SECTION, &section).source(SOURCE, &source);
        for number in 0..self.numbered_sources {
            configuration = configuration.source(&format!("{SOURCE} {number}"), &source);
        }
        if !self.manager.is_empty() {
            configuration = configuration.driver("ODBC", &self.manager);
        }
        if way != Way::Replay {
            configuration = configuration.driver(REAL_SECTION, &[("Driver", self.driver.registered())]);
        }
        configuration.write();

        let listed: String = keywords.iter().map(|(key, value)| format!("{key}={value};")).collect();
        let credentials = self.database.credentials();
        Target {
            connection_string: format!("DSN={SOURCE};{credentials}"),
            driver_string: format!("DRIVER={{{SECTION}}};{listed}{credentials}"),
            user: self.database.user().into(),
            password: self.database.password().into(),
            dialect: self.driver.dialect(),
            library,
        }
    }

    /// Gives a command this stage's directory and environment.
    pub fn apply(&self, way: Way, command: &mut Command) {
        // Keeps the variables that the program's command sets, but not the developer's environment.
        let own: Vec<_> =
            command.get_envs().map(|(key, value)| (key.to_owned(), value.map(ToOwned::to_owned))).collect();
        self.configuration().apply(command);
        command.envs(own.into_iter().filter_map(|(key, value)| Some((key, value?))));
        command.current_dir(self.scratch.join("work"));
        match way {
            Way::Bare => {}
            Way::Off => _ = command.env("SUPER8_MODE", "off"),
            Way::Record => _ = command.env("SUPER8_MODE", "record").env("SUPER8_CASSETTE", self.cassette()),
            Way::Replay => _ = command.env("SUPER8_MODE", "replay").env("SUPER8_CASSETTE", self.cassette()),
        }
        // Set with Off as well, because another place than the environment may name the mode. A replay detects the
        // format.
        if matches!(way, Way::Off | Way::Record) && self.format.get() == Format::Ndjson {
            command.env("SUPER8_FORMAT", "ndjson");
        }
        command.envs(self.environment.iter().map(|(key, value)| (key, value)));
    }

    fn configuration(&self) -> Configuration {
        Configuration::new(self.scratch.directory("odbc"))
    }

    /// Runs `program` bare and with super8 off, and panics unless it printed the same bytes and ended the same way.
    pub fn bare_and_off(&self, program: &Program) {
        let bare = self.run(Way::Bare, program);
        let what = format!("{} over {}", program.name(), self.driver.library());
        program.check(&what, &bare);
        assert_same(&what, ("bare", &bare), ("off", &self.run(Way::Off, program)));
    }

    /// Runs `program` all four ways, recorded and replayed in both formats, and panics unless it printed the same bytes
    /// and ended the same way each time. Also checks that the recordings survive conversion to the other format and
    /// back.
    pub fn four_ways(&self, program: &Program) -> Outcome {
        let bare = self.run(Way::Bare, program);
        let what = format!("{} over {}", program.name(), self.driver.library());
        program.check(&what, &bare);
        for (way, format, name) in ways() {
            self.format.set(format);
            let outcome = self.run(way, program);
            assert_same(&what, ("bare", &bare), (name, &outcome));
            if way == Way::Record {
                assert_there_and_back(&what, &self.cassette());
            }
        }
        self.format.set(Format::Yaml);
        bare
    }

    /// Calls `deed` with this stage once in each format.
    pub fn in_both_formats(&self, mut deed: impl FnMut(&Stage)) {
        in_both_formats(|format| {
            self.format.set(format);
            deed(self);
        });
        self.format.set(Format::Yaml);
    }
}

/// Returns the ways through super8. `SUPER8_TEST_WAYS`, a list such as `off,record`, narrows them during development.
fn ways() -> Vec<(Way, Format, &'static str)> {
    let mut ways = vec![
        (Way::Off, Format::Yaml, "off"),
        (Way::Record, Format::Yaml, "record"),
        (Way::Replay, Format::Yaml, "replay"),
        (Way::Record, Format::Ndjson, "record-ndjson"),
        (Way::Replay, Format::Ndjson, "replay-ndjson"),
    ];
    if let Ok(wanted) = std::env::var("SUPER8_TEST_WAYS") {
        ways.retain(|(_, _, name)| wanted.split(',').any(|word| word == *name));
    }
    ways
}

/// Runs `program` over `driver` all four ways, and returns the stage for further checks of its cassette.
pub fn four_ways(program: &Program, driver: Driver) -> Stage {
    let stage = Stage::new(program.name(), driver);
    stage.four_ways(program);
    stage
}
