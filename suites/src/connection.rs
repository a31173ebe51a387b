//! How a suite's programs reach their database: the data source that they name, and whether it is on a server.

use std::path::Path;
use std::process::Command;
use super8_tests::configuration::Configuration;
use super8_tests::driver::Driver;
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
