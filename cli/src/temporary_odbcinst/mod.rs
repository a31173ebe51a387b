//! A throw-away configuration for the driver manager in which super8 is in front of every driver, so that a program can
//! be recorded and replayed without a change to any odbcinst.ini. Its files are never more readable than the ones that
//! it was made from.

mod drivers;
mod recorded;
mod sections;
mod sources;

pub use drivers::locate;
pub use recorded::Recorded;

use crate::exit::{Exit, Failure};
use crate::libraries::{self, Libraries};
use crate::run_directory::{Readers, RunDirectory};
use drivers::Drivers;
use sections::{Notes, Text};
use std::ffi::OsString;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use super8_shim::driver::Site;

/// The configuration: the files for the directory of a run.
pub struct TemporaryOdbcinst {
    files: Vec<ConfigurationFile>,
    /// The system's directory of file data sources.
    file_sources: Option<PathBuf>,
    notes: Notes,
}

struct ConfigurationFile {
    name: &'static str,
    text: Text,
    readers: Readers,
}

impl TemporaryOdbcinst {
    /// Makes the configuration from that of this process. `real` says whether real drivers will be called; if not, the
    /// configuration has no secrets. `recorded` is what the cassette to be replayed names.
    pub fn new(libraries: &Libraries, real: bool, recorded: &Recorded) -> TemporaryOdbcinst {
        let site = Site::of(&|name| std::env::var_os(name));
        let files = |files: &[(PathBuf, bool)]| files.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>();
        let driver_files = files(&site.ini.driver_files);
        let read = |files: &[PathBuf]| sections::read(files, real);
        let sections = read(&driver_files);
        let source_files = files(&site.ini.source_files);
        let system = source_files.last().cloned().unwrap_or_default();
        let user = source_files.into_iter().next().filter(|user| *user != system);

        let mut notes = Notes::default();
        let drivers = Drivers { libraries, search: &site.search, real, recorded };
        let driver_text = drivers.text(&sections, &mut notes);
        let mut source_text = |files: &[PathBuf]| sources::text(&read(files), &drivers, &sections, &mut notes);
        let user_text = source_text(user.as_slice());
        let mut system_text = source_text(std::slice::from_ref(&system));
        sources::declare(&mut system_text, &user_text, &drivers, &mut notes);

        // without secrets, every process of the run may read the file
        let readers = |files: &[PathBuf]| match !real || files.iter().all(|file| is_public(file)) {
            true => Readers::TheRun,
            false => Readers::Nobody,
        };
        let files = vec![
            ConfigurationFile { name: DRIVERS, text: driver_text, readers: readers(&driver_files) },
            ConfigurationFile { name: SOURCES, text: system_text, readers: readers(std::slice::from_ref(&system)) },
            ConfigurationFile { name: USER_SOURCES, text: user_text, readers: readers(user.as_slice()) },
        ];
        // The driver manager looks for file data sources beside the system's files.
        let file_sources = system.parent().map(|parent| parent.join(FILE_SOURCES)).filter(|path| path.is_dir());
        TemporaryOdbcinst { files, file_sources, notes }
    }

    /// Makes the directory of a run with these files, and with what `more` adds.
    ///
    /// # Errors
    /// The directory for temporary files cannot be written.
    pub fn in_directory(&self, more: impl FnOnce(&RunDirectory) -> io::Result<()>) -> Result<RunDirectory, Failure> {
        let made = RunDirectory::make().and_then(|made| {
            self.write(&made)?;
            more(&made)?;
            Ok(made)
        });
        made.map_err(|error| {
            let place = std::env::temp_dir();
            Failure::new(format_args!("cannot write to {}: {error}; set TMPDIR to another directory", place.display()))
                .with(Exit::CannotStart)
        })
    }

    fn write(&self, directory: &RunDirectory) -> io::Result<()> {
        for ConfigurationFile { name, text, readers } in &self.files {
            directory.write(name, text.bytes(), *readers)?;
        }
        match &self.file_sources {
            Some(place) => std::os::unix::fs::symlink(place, directory.path().join(FILE_SOURCES)),
            None => Ok(()),
        }
    }

    /// Returns the variables that make a process use the configuration in this directory and no other. A `super8` that
    /// the process starts uses the same libraries.
    pub fn environment(directory: &Path, libraries: &Libraries) -> [(&'static str, OsString); 6] {
        [
            (libraries::VARIABLE, libraries.directory().into()),
            ("ODBCSYSINI", directory.into()),
            ("ODBCINSTINI", DRIVERS.into()),
            ("ODBCINI", directory.join(USER_SOURCES).into()),
            // iODBC's names for the system's files
            ("SYSODBCINSTINI", directory.join(DRIVERS).into()),
            ("SYSODBCINI", directory.join(SOURCES).into()),
        ]
    }

    /// Returns notes on drivers and data sources that could not be handled.
    pub fn notes(&self) -> &[String] {
        &self.notes.0
    }
}

/// Whether everybody may read a file: the file itself and each directory above it. A missing file counts as public.
fn is_public(file: &Path) -> bool {
    let mode = |path: &Path| std::fs::metadata(path).map(|metadata| metadata.permissions().mode());
    let Ok(own) = mode(file) else { return true };
    let above = file.ancestors().skip(1).filter(|directory| !directory.as_os_str().is_empty());
    own & 0o004 != 0 && above.into_iter().all(|directory| mode(directory).is_ok_and(|mode| mode & 0o001 != 0))
}

/// The names of the files in the directory.
const DRIVERS: &str = "odbcinst.ini";
const SOURCES: &str = "odbc.ini";
const USER_SOURCES: &str = "user-odbc.ini";
const FILE_SOURCES: &str = "ODBCDataSources";
