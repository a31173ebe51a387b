//! Finds super8's two libraries: in `SUPER8_LIBRARY_DIR`, beside the command, or in `lib` of the same prefix. Tells what a
//! library is from its symbols, without loading it: a driver and of which kind, a driver manager, or super8.

use crate::exit::{Exit, Failure};
use object::{Object, ReadCache, ReadRef};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use super8_shim::driver::Kind;
use super8_shim::driver::process::is_driver_manager;
use super8_shim::platform::{function_of, multiarch};

/// The variable that names the directory of the libraries.
pub const VARIABLE: &str = super8_shim::config::variables::LIBRARY_DIR;

/// The directory that has libsuper8.so and libsuper8a.so.
#[derive(Clone, Debug)]
pub struct Libraries {
    directory: PathBuf,
}

impl Libraries {
    /// Finds the libraries.
    ///
    /// # Errors
    /// They are in none of the places that the message lists ([`Exit::CannotStart`]).
    pub fn find() -> Result<Libraries, Failure> {
        let chosen = std::env::var_os(VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from);
        let places = match chosen {
            Some(directory) => vec![directory],
            None => std::env::current_exe().ok().as_deref().map(places_around).unwrap_or_default(),
        };
        let complete = |directory: &&PathBuf| {
            [Kind::Ansi, Kind::Unicode].iter().all(|kind| directory.join(kind.shim_library()).is_file())
        };
        if let Some(directory) = places.iter().find(complete) {
            let directory = std::path::absolute(directory).unwrap_or_else(|_| directory.clone());
            return Ok(Libraries { directory });
        }
        Err(nowhere(&places))
    }

    /// Returns the library that stands in for drivers of this kind.
    pub fn of(&self, kind: Kind) -> PathBuf {
        self.directory.join(kind.shim_library())
    }

    /// Returns their directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

/// Makes the failure that the libraries are in none of these places. There are no places if the system does not say
/// where the executable is.
fn nowhere(places: &[PathBuf]) -> Failure {
    let places: Vec<String> = places.iter().map(|place| place.display().to_string()).collect();
    let places = match places.is_empty() {
        true => "any place: this program cannot tell where it is (is /proc mounted?)".to_owned(),
        false => places.join(", "),
    };
    Failure::new(format_args!("libsuper8.so and libsuper8a.so are not in {places}: set {VARIABLE} to their directory"))
        .with(Exit::CannotStart)
}

/// Returns the places to look in: beside the executable, where cargo puts the libraries, and where packages put them.
fn places_around(executable: &Path) -> Vec<PathBuf> {
    let real = executable.canonicalize().unwrap_or_else(|_| executable.to_owned());
    let Some(beside) = real.parent() else { return Vec::new() };
    let prefix = beside.parent().unwrap_or(beside);
    // Debian's directory of ODBC drivers
    let drivers = format!("lib/{}/odbc", multiarch());
    vec![beside.to_owned(), prefix.join("lib"), prefix.join("lib/super8"), prefix.join(drivers)]
}

/// What a library is, by its symbols.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// An ODBC driver.
    Driver(Kind),
    /// One of super8's own libraries.
    Super8(Kind),
    /// libodbc, libiodbc or another library of a driver manager.
    DriverManager,
    /// A library without a driver's functions: perhaps a driver's set-up library.
    Other,
    /// A library for another processor.
    Foreign,
}

/// Reads the exported symbols of a library and says what it is.
///
/// # Errors
/// The text says what is wrong with the file.
pub fn read(path: &Path) -> Result<Binary, String> {
    let file = File::open(path).map_err(|error| format!("cannot open: {error}"))?;
    let cache = ReadCache::new(BufReader::new(file));
    let binary = parse(&cache)?;
    Ok(match binary {
        Binary::Driver(kind) if is_super8(path) => Binary::Super8(kind),
        Binary::Driver(_) if is_driver_manager(path) => Binary::DriverManager,
        other => other,
    })
}

fn parse<'data>(data: impl ReadRef<'data>) -> Result<Binary, String> {
    let file = object::File::parse(data).map_err(|error| format!("not a library: {error}"))?;
    let fits = match file.architecture() {
        object::Architecture::X86_64 => cfg!(target_arch = "x86_64"),
        object::Architecture::Aarch64 => cfg!(target_arch = "aarch64"),
        _ => !cfg!(any(target_arch = "x86_64", target_arch = "aarch64")),
    };
    if !fits {
        return Ok(Binary::Foreign);
    }
    let exports = file.exports().map_err(|error| format!("its symbols cannot be read: {error}"))?;
    let has = |wanted: &[&str]| {
        exports.iter().any(|export| {
            let name = function_of(export.name());
            wanted.iter().any(|wanted| wanted.as_bytes() == name)
        })
    };
    Ok(if has(&["SQLConnectW", "SQLDriverConnectW"]) {
        Binary::Driver(Kind::Unicode)
    } else if has(&["SQLConnect", "SQLDriverConnect"]) {
        Binary::Driver(Kind::Ansi)
    } else {
        Binary::Other
    })
}

/// Whether a path leads to one of super8's libraries. Goes by the file's name, in any directory.
pub fn is_super8(path: &Path) -> bool {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name = real.file_name().unwrap_or_default().to_string_lossy().into_owned();
    [Kind::Ansi, Kind::Unicode].iter().any(|kind| name.starts_with(kind.shim_library()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_place_the_message_says_why() {
        let expected = "libsuper8.so and libsuper8a.so are not in any place: this program cannot tell where it is (is /proc \
                        mounted?): set SUPER8_LIBRARY_DIR to their directory";
        assert_eq!(nowhere(&[]).to_string(), expected);
        assert!(nowhere(&["/a".into(), "/b".into()]).to_string().contains(" are not in /a, /b: set "));
    }

    #[test]
    fn beside_the_command_or_in_its_prefix() {
        let places = places_around(Path::new("/nonexistent/opt/bin/super8"));
        let debian = format!("/nonexistent/opt/lib/{}/odbc", multiarch());
        let expected = ["/nonexistent/opt/bin", "/nonexistent/opt/lib", "/nonexistent/opt/lib/super8", &debian];
        assert_eq!(places, expected.map(PathBuf::from));
    }

    #[test]
    fn what_is_no_library_is_said_to_be_none() {
        let directory = tempfile::tempdir().unwrap();
        let text = directory.path().join("libx.so");
        std::fs::write(&text, "INPUT(libreal.so)").unwrap();
        assert!(read(&text).unwrap_err().contains("not a library"));
        assert!(read(&directory.path().join("none.so")).unwrap_err().contains("cannot open"));
    }

    #[test]
    fn a_program_is_no_driver() {
        assert_eq!(read(&std::env::current_exe().unwrap()), Ok(Binary::Other));
    }

    #[test]
    fn super8_is_known_by_its_name() {
        assert!(is_super8(Path::new("/x/libsuper8a.so")) && is_super8(Path::new("libsuper8.so")));
        assert!(!is_super8(Path::new("/x/libsqlite3odbc.so")));
    }
}
