//! The database of one test. It is made afresh before each run and removed before a replay.

use crate::driver::Driver;
use crate::{mariadb, packages, postgres, products, tds};
use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// A port on which nothing listens.
const CLOSED: u16 = 1;

/// A test's database.
#[derive(Debug)]
pub struct Database {
    driver: Driver,
    name: String,
    /// The directory that programs run in. SQLite's file is named relative to it, so that no cassette has a path in it.
    directory: PathBuf,
    unreachable: bool,
}

impl Database {
    /// Makes a database that is reached through `driver`; `directory` is where programs will run.
    pub fn new(driver: Driver, subject: &str, directory: PathBuf) -> Database {
        let subject: String = subject.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        Database {
            driver,
            name: unused(format!("{}_{}", subject.to_lowercase(), driver.label())),
            directory,
            unreachable: driver == Driver::Db2,
        }
    }

    /// Makes connections go to a port on which nothing listens.
    pub fn make_unreachable(&mut self) {
        self.unreachable = true;
    }

    /// Returns the database's name: for SQLite and Access the file, relative to the directory programs run in.
    pub fn name(&self) -> String {
        match self.driver {
            Driver::Sqlite => format!("{}.db", self.name),
            Driver::Access | Driver::AccessAnsi => format!("{}.mdb", self.name),
            _ => self.name.clone(),
        }
    }

    /// Returns the user that owns it; empty where there are none.
    pub fn user(&self) -> &'static str {
        match self.driver {
            Driver::PostgresUnicode | Driver::PostgresAnsi => postgres::USER,
            Driver::MariaDb => mariadb::USER,
            Driver::SqlServer | Driver::Db2 | Driver::FreeTds => tds::USER,
            _ => "",
        }
    }

    /// Returns the user's password; empty where there are no users.
    pub fn password(&self) -> &'static str {
        match self.driver {
            Driver::PostgresUnicode | Driver::PostgresAnsi => postgres::PASSWORD,
            Driver::MariaDb => mariadb::PASSWORD,
            Driver::SqlServer | Driver::Db2 | Driver::FreeTds => tds::PASSWORD,
            _ => "",
        }
    }

    /// Makes the database exist and be empty. Access's comes from a file and is not empty.
    pub fn fresh(&self) {
        match self.driver {
            Driver::Sqlite => self.remove(),
            Driver::Access | Driver::AccessAnsi => self.unpack(),
            Driver::PostgresUnicode | Driver::PostgresAnsi => {
                let _turn = postgres::one_at_a_time();
                postgres::server().fresh(&self.name);
            }
            Driver::MariaDb => mariadb::server().fresh(&self.name),
            Driver::SqlServer | Driver::FreeTds => self.remove(),
            _ => {}
        }
    }

    /// Removes the database.
    pub fn remove(&self) {
        match self.driver {
            Driver::Sqlite | Driver::Access | Driver::AccessAnsi => {
                let _ = std::fs::remove_file(self.directory.join(self.name()));
            }
            Driver::PostgresUnicode | Driver::PostgresAnsi => postgres::server().remove(&self.name),
            Driver::MariaDb => mariadb::server().remove(&self.name),
            Driver::SqlServer | Driver::FreeTds if !self.unreachable => tds::server().remove(&self.name),
            _ => {}
        }
    }

    /// Unpacks a ready-made Access file, because nothing in Debian writes one.
    fn unpack(&self) {
        let packed = products::repository().join("tests/programs/access/test.mdb.gz");
        let output = Command::new(packages::program("gzip", "gzip")).arg("-dc").arg(&packed).output();
        let output = output.unwrap_or_else(|error| panic!("cannot run gzip: {error}"));
        assert!(output.status.success(), "{}: {}", packed.display(), String::from_utf8_lossy(&output.stderr));
        let file = self.directory.join(self.name());
        std::fs::write(&file, output.stdout).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }

    /// Returns the port of its server, if it has one.
    pub fn port(&self) -> Option<u16> {
        match self.driver {
            _ if self.unreachable => Some(CLOSED),
            Driver::SqlServer | Driver::FreeTds => Some(tds::server().port),
            Driver::PostgresUnicode | Driver::PostgresAnsi => Some(postgres::server().port),
            Driver::MariaDb => Some(mariadb::server().port),
            _ => None,
        }
    }

    /// Returns the keywords of a connection to it, without user and password; `port` replaces the server's own.
    pub fn keywords(&self, port: Option<u16>) -> Vec<(&'static str, String)> {
        if self.driver.is_ours() {
            return Vec::new();
        }
        let mut keywords = vec![("Database", self.name())];
        if let Some(port) = port {
            let (host, port) = ("127.0.0.1".to_owned(), port.to_string());
            keywords.extend(match self.driver {
                Driver::SqlServer => vec![("Server", format!("{host},{port}")), ("Encrypt", "no".into())],
                Driver::FreeTds => vec![("Server", host), ("Port", port), ("TDS_Version", "7.4".into())],
                Driver::Db2 => vec![("Hostname", host), ("Port", port), ("Protocol", "TCPIP".into())],
                Driver::MariaDb => vec![("Server", host), ("Port", port)],
                _ => vec![("Servername", host), ("Port", port)],
            });
        }
        if matches!(self.driver, Driver::PostgresUnicode | Driver::PostgresAnsi) {
            keywords.push(("SSLmode", "disable".into()));
        }
        keywords
    }

    /// Returns `UID=...;PWD=...;`, or nothing if the database has no users.
    pub fn credentials(&self) -> String {
        if self.user().is_empty() {
            return String::new();
        }
        format!("UID={};PWD={{{}}};", self.user(), self.password().replace('}', "}}"))
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.remove();
        }
    }
}

/// Returns the name, with a number if this process used the name before, because tests run side by side on one server.
fn unused(name: String) -> String {
    static GIVEN: Mutex<Option<HashMap<String, u32>>> = Mutex::new(None);
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    let times = given.get_or_insert_with(HashMap::new).entry(name.clone()).or_insert(0);
    *times += 1;
    if *times == 1 { name } else { format!("{name}_{times}") }
}
