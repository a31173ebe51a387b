//! Tells from a library's symbols, without loading it, what it is: a driver and of which kind, a driver manager, or
//! super8.

use object::{Object, ReadCache, ReadRef};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use super8_shim::driver::Kind;
use super8_shim::driver::process::is_driver_manager;
use super8_shim::platform::function_of;

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
