//! A user's machine for tests of the command `super8`: drivers and data sources as a distribution has them, without
//! super8, and the command.

use crate::configuration::Configuration;
use crate::database::Database;
use crate::driver::Driver;
use crate::format::Format;
use crate::outcome::Outcome;
use crate::products;
use crate::scratch::Scratch;
use std::path::PathBuf;
use std::process::Command;

/// The directory of one test, with a configuration and a working directory.
#[derive(Debug)]
pub struct Desk {
    /// The directory.
    pub scratch: Scratch,
    format: Format,
}

impl Desk {
    /// Makes a desk with SQLite's driver under the name `SQLite3`, a data source `shop` on it, `bypath` that names the
    /// library, and the file data source `fruit`. The database has a table `fruit`.
    pub fn new(subject: &str) -> Desk {
        let desk = Desk { scratch: Scratch::new(subject), format: Format::Yaml };
        desk.scratch.directory("work");
        let library = Driver::Sqlite.path().display().to_string();
        desk.configuration()
            .driver("SQLite3", &[("Description", "as Debian has it"), ("Driver", Driver::Sqlite.library())])
            .source("shop", &[("Driver", "SQLite3"), ("Database", "shop.db")])
            .source("bypath", &[("Driver", library.as_str()), ("Database", "shop.db")])
            .write();
        // File data sources belong to the program, as its connection strings do.
        desk.scratch.directory("odbc/ODBCDataSources");
        desk.scratch.write("odbc/ODBCDataSources/fruit.dsn", "[ODBC]\nDRIVER=SQLite3\nDatabase=shop.db\n");
        desk.stock();
        desk
    }

    /// Makes a desk with a data source on an empty database of a driver. Returns it with the database and a connection
    /// string that has user and password.
    pub fn on(subject: &str, driver: Driver, source: &str) -> (Desk, Database, String) {
        let desk = Desk::new(subject);
        let database = Database::new(driver, subject, desk.scratch.join("work"));
        database.fresh();
        let keywords = database.keywords(database.port());
        let mut section = vec![("Driver", "tested")];
        section.extend(keywords.iter().map(|(key, value)| (*key, value.as_str())));
        desk.configuration().driver("tested", &[("Driver", driver.library())]).source(source, &section).write();
        let connection_string = format!("DSN={source};{}", database.credentials());
        (desk, database, connection_string)
    }

    /// Sets the format that is recorded.
    pub fn in_format(self, format: Format) -> Desk {
        Desk { format, ..self }
    }

    /// Returns the format that is recorded.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Makes the database afresh.
    pub fn stock(&self) {
        let _ = std::fs::remove_file(self.database());
        self.sql(
            "create table fruit (name varchar(20), price integer);\n\
             insert into fruit values ('apple', 3), ('pear', 4), ('cherry', null);",
        );
    }

    /// Runs SQL in the database directly, without any driver.
    pub fn sql(&self, sql: &str) {
        let mut sqlite = Command::new(crate::packages::program("sqlite3", "sqlite3"));
        let status = sqlite.arg(self.database()).arg(sql).status();
        assert!(status.is_ok_and(|status| status.success()), "{}: {sql}", self.database().display());
    }

    /// Returns the database's file.
    pub fn database(&self) -> PathBuf {
        self.scratch.join("work/shop.db")
    }

    /// Removes everything that a replay must not need: database, drivers, data sources.
    pub fn clear(&self) {
        let _ = std::fs::remove_file(self.database());
        self.configuration().write();
    }

    /// Returns an empty configuration in this desk's directory of ini files.
    pub fn configuration(&self) -> Configuration {
        Configuration::new(self.scratch.directory("odbc"))
    }

    /// Returns the command `super8` with these words, to run in the working directory.
    pub fn super8(&self, words: &[&str]) -> Command {
        let mut command = Command::new(products::super8());
        command.args(words);
        self.at(&mut command);
        command
    }

    /// Gives a command this desk's directory and environment.
    pub fn at(&self, command: &mut Command) {
        self.configuration().apply(command);
        command.current_dir(self.scratch.join("work"));
        if self.format == Format::Ndjson {
            command.env("SUPER8_FORMAT", self.format.name());
        }
    }

    /// Runs `super8` with these words to its end.
    pub fn run(&self, words: &[&str]) -> Outcome {
        self.run_with(words, "")
    }

    /// Runs `super8` with `input` on standard input.
    pub fn run_with(&self, words: &[&str], input: &str) -> Outcome {
        Outcome::of(&self.super8(words), input.as_bytes())
    }
}
