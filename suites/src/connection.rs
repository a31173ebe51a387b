//! How a suite's programs reach their database: the data source that they name, and the PostgreSQL server of one worker, which
//! runs while programs are recorded, and is then stopped for good.

use crate::suite::Suite;
use std::collections::HashSet;
use std::path::Path;
use std::process::Command;
use super8_tests::configuration::Configuration;
use super8_tests::driver::Driver;
use super8_tests::postgres::Postgres;
use super8_tests::trap::Trap;
use super8_tests::ways::{REAL_SECTION, SECTION, Way};

/// The database user of every suite, a superuser, as the suites expect. Some suites put the password into a connection
/// string without quotes, so it is a plain word.
pub const USER: &str = "suite";
/// The user's password.
pub const PASSWORD: &str = "suite";

/// A data source, without the keys that differ between the ways.
pub struct Connection {
    /// Its name.
    pub source: &'static str,
    /// The name of the driver, if the programs give one instead of a data source.
    pub driver: Option<&'static str>,
    /// The database: a name on the server, or a file in the directory that the program runs in.
    pub database: &'static str,
    /// Further keys of the data source.
    pub keys: Vec<(&'static str, String)>,
}

impl Connection {
    /// Writes `odbc.ini` and `odbcinst.ini` for one way. At replay the real driver's path leads nowhere, and nothing
    /// serves at `port` any more, which stays the same.
    pub fn configure(&self, driver: Driver, way: Way, port: Option<u16>, directory: &Path) -> Configuration {
        let library = if way == Way::Bare { driver.path() } else { driver.shim().path() };
        // When run bare, the real driver takes super8's place under the same name.
        let mut section = vec![("Driver", library.display().to_string())];
        match way {
            Way::Bare => {}
            Way::Off | Way::Record => section.push(("RealDriver", REAL_SECTION.into())),
            Way::Replay => section.push(("RealDriver", "/nonexistent/no-such-driver.so".into())),
        }
        let mut source = vec![("Driver", SECTION.to_owned()), ("Database", self.database.to_owned())];
        if let Some(port) = port {
            source.extend([("Servername", "127.0.0.1".into()), ("Port", port.to_string())]);
            source.push(("SSLmode", "disable".into()));
        }
        source.extend(self.keys.iter().cloned());
        let mut configuration = Configuration::new(directory.to_path_buf()).driver(SECTION, &section);
        configuration = configuration.source(self.source, &source);
        if let Some(name) = self.driver {
            configuration = configuration.driver(name, &section);
        }
        if way != Way::Replay {
            configuration = configuration.driver(REAL_SECTION, &[("Driver", driver.library())]);
        }
        configuration.write();
        configuration
    }

    /// Sets the variables from which libpq takes the user if neither data source nor connection string name one.
    pub fn libpq(command: &mut Command) {
        command.envs([("PGUSER", USER), ("PGPASSWORD", PASSWORD)]);
    }
}

/// One worker's server. Each worker has its own, so that their databases can have the same name.
#[derive(Default)]
pub struct Server {
    running: Option<Postgres>,
    templates: HashSet<&'static str>,
}

impl Server {
    /// Returns the port of the server, which is started when first asked for.
    pub fn port(&mut self) -> u16 {
        self.running().port
    }

    /// Makes the suite's database anew, with the suite's tables and nothing of an earlier program.
    pub fn fresh(&mut self, suite: &dyn Suite, database: &str) {
        let template = format!("{database}_template");
        if self.templates.insert(suite.name()) {
            let server = self.running();
            server.fresh(&template);
            if let Some(tables) = suite.tables() {
                server.sql(&template, &statements(&tables));
            }
        }
        let server = self.running();
        server.remove(database);
        server.sql("postgres", &format!("create database {database} template {template}"));
    }

    /// Stops the server, and opens its port as a trap that notices connections.
    pub fn stop(self) -> Option<Trap> {
        let port = self.running.as_ref().map(|server| server.port);
        drop(self.running);
        port.map(Trap::at)
    }

    fn running(&mut self) -> &Postgres {
        self.running.get_or_insert_with(|| {
            let server = Postgres::start();
            server.sql("postgres", &format!("create role {USER} superuser login password '{PASSWORD}'"));
            server
        })
    }
}

fn statements(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|error| panic!("cannot read {}: {error}", file.display()))
}
