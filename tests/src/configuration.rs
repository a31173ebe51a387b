//! The ODBC configuration of one test. `ODBCSYSINI` and `ODBCINI` point at it, so `/etc` is neither read nor written.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Sections of odbcinst.ini and odbc.ini, and the directory that they are written to.
#[derive(Debug)]
pub struct Configuration {
    directory: PathBuf,
    drivers: String,
    sources: String,
}

impl Configuration {
    /// Makes an empty configuration that will be written to `directory`.
    pub fn new(directory: PathBuf) -> Configuration {
        Configuration { directory, drivers: String::new(), sources: String::new() }
    }

    /// Adds a section to odbcinst.ini.
    pub fn driver<K: AsRef<str>, V: AsRef<str>>(mut self, name: &str, keys: &[(K, V)]) -> Configuration {
        section(&mut self.drivers, name, keys);
        self
    }

    /// Adds a section to odbc.ini.
    pub fn source<K: AsRef<str>, V: AsRef<str>>(mut self, name: &str, keys: &[(K, V)]) -> Configuration {
        section(&mut self.sources, name, keys);
        self
    }

    /// Writes the two files, replacing what the directory had.
    pub fn write(&self) {
        let files = [("odbcinst.ini", &self.drivers), ("odbc.ini", &self.sources)];
        for (name, text) in files {
            let path = self.directory.join(name);
            std::fs::create_dir_all(&self.directory)
                .and_then(|()| std::fs::write(&path, text))
                .unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
        }
    }

    /// Returns the directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Makes `command` see this configuration, and nothing of the developer's environment.
    pub fn apply(&self, command: &mut Command) {
        command.env_clear();
        command.envs([("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"), ("LANG", "C.UTF-8"), ("TZ", "UTC")]);
        command.env("HOME", &self.directory).env("ODBCSYSINI", &self.directory);
        // The file of user data sources does not exist, so that only system data sources are found.
        command.env("ODBCINI", self.directory.join("no-user-odbc.ini"));
    }
}

fn section<K: AsRef<str>, V: AsRef<str>>(text: &mut String, name: &str, keys: &[(K, V)]) {
    let _ = writeln!(text, "[{name}]");
    for (key, value) in keys {
        let _ = writeln!(text, "{}={}", key.as_ref(), value.as_ref());
    }
    text.push('\n');
}
