//! A user's desk for tests of `super8`, the command: drivers and data sources as a distribution has them, no super8 in
//! them, and the command.

use crate::configuration::Configuration;
use crate::database::Database;
use crate::driver::Driver;
use crate::format::Format;
use crate::outcome::Outcome;
use crate::products;
use crate::scratch::Scratch;
use std::path::PathBuf;
use std::process::Command;

/// The directory of one test, with a configuration and room to work.
#[derive(Debug)]
pub struct Desk {
    /// The directory.
    pub scratch: Scratch,
    format: Format,
}

impl Desk {
    /// A desk with SQLite's driver under the name `SQLite3`, a data source `shop` on it, `bypath` that names the
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
        // A file data source belongs to the program, like its connection strings.
        desk.scratch.directory("odbc/ODBCDataSources");
        desk.scratch.write("odbc/ODBCDataSources/fruit.dsn", "[ODBC]\nDRIVER=SQLite3\nDatabase=shop.db\n");
        desk.stock();
        desk
    }

    /// A desk with a data source on an empty database of a driver, and the connection string with the user.
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

    /// The same desk, recording in this format.
    pub fn in_format(self, format: Format) -> Desk {
        Desk { format, ..self }
    }

    /// The format that is recorded.
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

    /// Does this in the database, past every driver.
    pub fn sql(&self, sql: &str) {
        let mut sqlite = Command::new(crate::packages::program("sqlite3", "sqlite3"));
        let status = sqlite.arg(self.database()).arg(sql).status();
        assert!(status.is_ok_and(|status| status.success()), "{}: {sql}", self.database().display());
    }

    /// The database's file.
    pub fn database(&self) -> PathBuf {
        self.scratch.join("work/shop.db")
    }

    /// Takes everything away that a replay must not need: database, drivers, data sources.
    pub fn clear(&self) {
        let _ = std::fs::remove_file(self.database());
        self.configuration().write();
    }

    /// Where the drivers and data sources are declared.
    pub fn configuration(&self) -> Configuration {
        Configuration::new(self.scratch.directory("odbc"))
    }

    /// `super8` with these words, in the directory to work in.
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

    /// The same with something on standard input.
    pub fn run_with(&self, words: &[&str], input: &str) -> Outcome {
        Outcome::of(&self.super8(words), input.as_bytes())
    }
}
