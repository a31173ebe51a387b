//! A throw-away driver manager configuration in which super8 stands before every driver, so that a program is recorded
//! and replayed without a change to anybody's odbcinst.ini.

mod drivers;
mod recorded;
mod sections;
mod sources;

pub use drivers::locate;
pub use recorded::Recorded;

use crate::exit::{Exit, Failure};
use crate::libraries::Libraries;
use drivers::Drivers;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use super8_shim::driver::Site;

/// Things worth saying about the configuration, should nothing come of it.
#[derive(Debug, Default)]
pub struct Notes(Vec<String>);

impl Notes {
    fn add(&mut self, note: String) {
        self.0.push(note);
    }
}

/// The configuration, in a directory that goes away with this value.
pub struct StandIn {
    directory: tempfile::TempDir,
    notes: Notes,
}

impl StandIn {
    /// Makes the configuration from the one this process has. `real` says whether real drivers are to be called;
    /// `recorded` is what the cassette to be replayed names.
    ///
    /// # Errors
    /// The directory cannot be written: [`Exit::CannotStart`].
    pub fn new(libraries: &Libraries, real: bool, recorded: &Recorded) -> Result<StandIn, Failure> {
        let site = Site::of(&|name| std::env::var_os(name));
        let files = |files: &[(PathBuf, bool)]| files.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>();
        let sections = sections::read(&files(&site.ini.driver_files));
        let source_files = files(&site.ini.source_files);
        let system = source_files.last().cloned().unwrap_or_default();
        let user = source_files.into_iter().next().filter(|user| *user != system);

        let mut notes = Notes::default();
        let drivers = Drivers { libraries, search: &site.search, real, recorded };
        let driver_text = drivers.text(&sections, &mut notes);
        let mut source_text =
            |files: &[PathBuf]| sources::text(&sections::read(files), &drivers, &sections, &mut notes);
        let user_text = source_text(user.as_slice());
        let mut system_text = source_text(std::slice::from_ref(&system));
        sources::declare(&mut system_text, &user_text, &drivers, &mut notes);

        let write = || -> io::Result<tempfile::TempDir> {
            let directory = tempfile::Builder::new().prefix("super8-").tempdir()?;
            std::fs::write(directory.path().join(DRIVERS), driver_text.bytes())?;
            std::fs::write(directory.path().join(SOURCES), system_text.bytes())?;
            std::fs::write(directory.path().join(USER_SOURCES), user_text.bytes())?;
            // Where file data sources are looked for: beside the system's files.
            let file_sources = system.parent().map(|parent| parent.join(FILE_SOURCES)).filter(|path| path.is_dir());
            if let Some(file_sources) = file_sources {
                std::os::unix::fs::symlink(file_sources, directory.path().join(FILE_SOURCES))?;
            }
            Ok(directory)
        };
        let directory = write().map_err(|error| {
            let place = std::env::temp_dir();
            Failure::new(format_args!("cannot write to {}: {error}; set TMPDIR to another directory", place.display()))
                .with(Exit::CannotStart)
        })?;
        Ok(StandIn { directory, notes })
    }

    /// Makes a command see this configuration, and none other.
    pub fn apply(&self, command: &mut Command) {
        let path = self.path();
        command.env("ODBCSYSINI", path).env("ODBCINSTINI", DRIVERS).env("ODBCINI", path.join(USER_SOURCES));
        // iODBC's names for the system's files.
        command.env("SYSODBCINSTINI", path.join(DRIVERS)).env("SYSODBCINI", path.join(SOURCES));
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// What did not fit.
    pub fn notes(&self) -> &[String] {
        &self.notes.0
    }
}

/// The names of the files in the directory.
const DRIVERS: &str = "odbcinst.ini";
const SOURCES: &str = "odbc.ini";
const USER_SOURCES: &str = "user-odbc.ini";
const FILE_SOURCES: &str = "ODBCDataSources";
