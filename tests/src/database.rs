//! A database of one test: made afresh before each run, gone before a replay.

use crate::driver::Driver;
use crate::{mariadb, packages, postgres, products, tds};
use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// A port that nothing listens at.
const CLOSED: u16 = 1;

/// Where a test keeps its tables.
#[derive(Debug)]
pub struct Database {
    driver: Driver,
    name: String,
    /// The directory programs run in; SQLite's file is named relative to it, so that no cassette holds a path.
    directory: PathBuf,
    unreachable: bool,
}

impl Database {
    /// A database reached through `driver`; `directory` is where programs will run.
    pub fn new(driver: Driver, subject: &str, directory: PathBuf) -> Database {
        let subject: String = subject.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        Database {
            driver,
            name: unused(format!("{}_{}", subject.to_lowercase(), driver.label())),
            directory,
            unreachable: driver == Driver::Db2,
        }
    }

    /// Has connections go to a port that nothing listens at.
    pub fn make_unreachable(&mut self) {
        self.unreachable = true;
    }

    /// The database's name: for SQLite and Access the file, relative to the directory programs run in.
    pub fn name(&self) -> String {
        match self.driver {
            Driver::Sqlite => format!("{}.db", self.name),
            Driver::Access | Driver::AccessAnsi => format!("{}.mdb", self.name),
            _ => self.name.clone(),
        }
    }

    /// The user that owns it; empty where there are none.
    pub fn user(&self) -> &'static str {
        match self.driver {
            Driver::PostgresUnicode | Driver::PostgresAnsi => postgres::USER,
            Driver::MariaDb => mariadb::USER,
            Driver::SqlServer | Driver::Db2 | Driver::FreeTds => tds::USER,
            _ => "",
        }
    }

    /// The user's password; empty where there are no users.
    pub fn password(&self) -> &'static str {
        match self.driver {
            Driver::PostgresUnicode | Driver::PostgresAnsi => postgres::PASSWORD,
            Driver::MariaDb => mariadb::PASSWORD,
            Driver::SqlServer | Driver::Db2 | Driver::FreeTds => tds::PASSWORD,
            _ => "",
        }
    }

    /// Makes it exist and be empty; Access's is what it is.
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

    /// Makes it not exist.
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

    /// Nothing in Debian writes an Access file.
    fn unpack(&self) {
        let packed = products::repository().join("tests/programs/access/test.mdb.gz");
        let output = Command::new(packages::program("gzip", "gzip")).arg("-dc").arg(&packed).output();
        let output = output.unwrap_or_else(|error| panic!("cannot run gzip: {error}"));
        assert!(output.status.success(), "{}: {}", packed.display(), String::from_utf8_lossy(&output.stderr));
        let file = self.directory.join(self.name());
        std::fs::write(&file, output.stdout).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }

    /// The port of its server, where it has one.
    pub fn port(&self) -> Option<u16> {
        match self.driver {
            _ if self.unreachable => Some(CLOSED),
            Driver::SqlServer | Driver::FreeTds => Some(tds::server().port),
            Driver::PostgresUnicode | Driver::PostgresAnsi => Some(postgres::server().port),
            Driver::MariaDb => Some(mariadb::server().port),
            _ => None,
        }
    }

    /// The keywords of a connection to it, without user and password; `port` replaces the server's own.
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

    /// `UID=...;PWD=...;`, or nothing where there are no users.
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

/// The name, or the name with a number if this process has given it away: tests run side by side on one server.
fn unused(name: String) -> String {
    static GIVEN: Mutex<Option<HashMap<String, u32>>> = Mutex::new(None);
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    let times = given.get_or_insert_with(HashMap::new).entry(name.clone()).or_insert(0);
    *times += 1;
    if *times == 1 { name } else { format!("{name}_{times}") }
}
