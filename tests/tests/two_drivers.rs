//! Two different real drivers behind one super8, in one process and one environment.

use std::path::PathBuf;
use std::process::Command;
use super8_tests::c_compiler;
use super8_tests::compare::assert_same;
use super8_tests::configuration::Configuration;
use super8_tests::database::Database;
use super8_tests::driver::Driver;
use super8_tests::outcome::Outcome;
use super8_tests::scratch::Scratch;
use super8_tests::trap::Trap;

struct Pair {
    scratch: Scratch,
    drivers: [Driver; 2],
    databases: [Database; 2],
}

impl Pair {
    fn new(drivers: [Driver; 2]) -> Pair {
        let scratch = Scratch::new("two-drivers");
        let work = scratch.directory("work");
        let databases = drivers.map(|driver| Database::new(driver, "two_drivers", work.clone()));
        Pair { scratch, drivers, databases }
    }

    /// `mode` is none for a run without super8.
    fn run(&self, mode: Option<&str>, ndjson: bool) -> Outcome {
        let (trap, replay) = (Trap::new(), mode == Some("replay"));
        let mut configuration = Configuration::new(self.scratch.directory("odbc"));
        for (index, (driver, database)) in self.drivers.iter().zip(&self.databases).enumerate() {
            if replay {
                database.remove()
            } else {
                database.fresh()
            }
            let port = database.port().map(|port| if replay { trap.port() } else { port });
            let real = if replay { "/nonexistent/no-such-driver.so" } else { driver.library() };
            let library = if mode.is_some() { driver.shim().path() } else { PathBuf::from(driver.library()) };
            let mut source = vec![("Driver", "tested".to_owned()), ("RealDriver", real.into())];
            if mode.is_none() {
                source[0].1 = format!("tested {index}");
                configuration = configuration.driver(&source[0].1, &[("Driver", library.display().to_string())]);
            } else if index == 0 {
                configuration = configuration.driver("tested", &[("Driver", library.display().to_string())]);
            }
            source.extend(database.keywords(port));
            configuration = configuration.source(driver.label(), &source);
        }
        configuration.write();

        let mut command = Command::new(c_compiler::compiled("two_drivers.c"));
        let owner = &self.databases[1];
        let [first, second] = self.drivers.map(Driver::label);
        command.args([first, "both", second, "", owner.user(), owner.password(), ""]);
        configuration.apply(&mut command);
        command.current_dir(self.scratch.join("work"));
        command.envs(mode.map(|mode| ("SUPER8_MODE", mode)));
        if mode.is_some_and(|mode| mode != "off") {
            let (name, format) = if ndjson { ("traces", "ndjson") } else { ("cassette", "yaml") };
            command.env("SUPER8_CASSETTE", self.scratch.join(name)).env("SUPER8_FORMAT", format);
        }
        let outcome = Outcome::of(&command, b"");
        assert!(!trap.sprung(), "a replay called the database server");
        outcome
    }

    fn four_ways(&self) {
        let bare = self.run(None, false);
        assert!(bare.succeeded(), "{}", String::from_utf8_lossy(&bare.all()));
        let ways = [("off", false), ("record", false), ("replay", false), ("record", true), ("replay", true)];
        for (mode, ndjson) in ways {
            let what = format!("{:?}, ndjson: {ndjson}", self.drivers);
            assert_same(&what, ("bare", &bare), (mode, &self.run(Some(mode), ndjson)));
        }
    }
}

#[test]
fn behind_the_ansi_library() {
    Pair::new([Driver::Sqlite, Driver::PostgresAnsi]).four_ways();
}

#[test]
fn behind_the_unicode_library() {
    Pair::new([Driver::PostgresUnicode, Driver::MariaDb]).four_ways();
}
