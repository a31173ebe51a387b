//! Facts about this process and its account: where the shim's and the driver manager's libraries are, the driver
//! manager's search path, and the account's home directory.
#![allow(unsafe_code)]

use once_cell::sync::Lazy;
use std::ffi::{CStr, OsStr, c_char};
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::platform::{loaded_libraries, object_of, path};

use libloading::os::unix::Library;

/// Which of ODBC's two sets of functions a driver exports: the ANSI set only, or the functions in W as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// The driver has no function in W, so the driver manager converts for it. libsuper8a.so stands in for such a
    /// driver.
    Ansi,
    /// The driver has `SQLConnectW` or `SQLDriverConnectW`. libsuper8.so stands in for such a driver.
    #[default]
    Unicode,
}

impl Kind {
    /// Returns the build of super8 for this kind of driver.
    pub fn shim_library(self) -> &'static str {
        match self {
            Kind::Ansi => "libsuper8a.so",
            Kind::Unicode => "libsuper8.so",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Kind::Ansi => "ansi",
            Kind::Unicode => "unicode",
        })
    }
}

/// The facts that do not change while the process runs.
#[derive(Debug, Default)]
pub struct Facts {
    /// The file that this code was loaded from: libsuper8.so (in tests, the test program).
    pub own_library: Option<PathBuf>,
    /// Where this code's library is mapped.
    pub own_base: usize,
    /// The driver manager's library, if one is loaded.
    pub manager: Option<PathBuf>,
    /// Whether that is iODBC. If both are loaded, unixODBC is in charge, because iODBC then comes with a program that
    /// links it without using it.
    pub iodbc: bool,
    /// The directories in which libltdl looks for drivers, if the driver manager uses the shared libltdl.
    pub libltdl_path: Vec<PathBuf>,
    /// The home directory in the account database. unixODBC uses it, and ignores `$HOME` for `.odbc.ini`.
    pub account_home: Option<PathBuf>,
}

/// Returns the facts, which the first call gathers.
///
/// The first call should come from the allocation of an environment handle. unixODBC holds its library lock around
/// that, the same one that it holds while it sets libltdl's search path, so the path can be read without a race.
pub fn facts() -> &'static Facts {
    static FACTS: Lazy<Facts> = Lazy::new(|| {
        let (own, own_base) = match object_of(facts as *const () as usize) {
            Some((path, base)) => (Some(path), base),
            None => (None, 0),
        };
        let loaded = loaded_libraries();
        let is = |manager: &str| loaded.iter().any(|path| is_library(path, manager));
        Facts {
            own_library: own.map(|path| std::fs::canonicalize(&path).unwrap_or(path)),
            own_base,
            iodbc: is("libiodbc") && !is("libodbc"),
            manager: loaded.into_iter().find(|path| is_driver_manager(path)),
            libltdl_path: libltdl_path(),
            account_home: account_home(),
        }
    });
    &FACTS
}

/// The file of the libsuper8a.so that calls this library, if one does.
static ANSI_LIBRARY: OnceLock<PathBuf> = OnceLock::new();

/// Remembers the libsuper8a.so that has a function at this address.
pub fn remember_ansi_library(function: usize) {
    if let Some((path, _)) = object_of(function) {
        ANSI_LIBRARY.get_or_init(|| std::fs::canonicalize(&path).unwrap_or(path));
    }
}

/// Returns super8's library that stands in for drivers of this kind.
pub fn own_library(kind: Kind) -> Option<&'static Path> {
    match kind {
        Kind::Ansi => ANSI_LIBRARY.get().map(PathBuf::as_path),
        Kind::Unicode => facts().own_library.as_deref(),
    }
}

/// Returns whether a library is a driver manager or its installer library, by its file name: `libodbc.so.2`,
/// `libodbcinst.so.2`, `libiodbc.so.2`, and also `libodbc-1a2b3c4d.so.2.0.0`, as Python wheels bundle it.
pub fn is_driver_manager(library: &Path) -> bool {
    ["libodbc", "libodbcinst", "libodbccr", "libiodbc", "libiodbcinst"].iter().any(|name| is_library(library, name))
}

fn is_library(file: &Path, library: &str) -> bool {
    let name = file.file_name().map(|name| name.as_bytes()).unwrap_or_default();
    name.strip_prefix(library.as_bytes()).is_some_and(|rest| matches!(rest.first(), Some(b'.' | b'-')))
}

/// Returns the libraries of other copies of super8 in the process.
pub fn other_copies() -> Vec<PathBuf> {
    let is_build = |path: &Path| {
        let name = path.file_name().map(|name| name.as_bytes().to_vec()).unwrap_or_default();
        name.starts_with(b"libsuper8.") || name.starts_with(b"libsuper8a.")
    };
    let real = |path: &Path| path.canonicalize().ok();
    let ours = [Kind::Unicode, Kind::Ansi].map(|kind| own_library(kind).and_then(real));
    loaded_libraries().into_iter().filter(|path| is_build(path) && !ours.contains(&real(path))).collect()
}

/// Returns libltdl's user search path: what the driver manager set, if it uses the shared libltdl (Debian's and
/// Fedora's do).
fn libltdl_path() -> Vec<PathBuf> {
    let flags = libc::RTLD_LAZY | libc::RTLD_NOLOAD;
    // SAFETY: RTLD_NOLOAD opens only what is in the process already, so that no initializer runs.
    let Ok(library) = (unsafe { Library::open(Some("libltdl.so.7"), flags) }) else { return Vec::new() };
    // SAFETY: this is the prototype of lt_dlgetsearchpath in libltdl's ltdl.h.
    let function = unsafe { library.get::<unsafe extern "C" fn() -> *const c_char>(b"lt_dlgetsearchpath\0") };
    // SAFETY: it returns a pointer to libltdl's own string. See `facts` for why nobody changes it meanwhile.
    let found = function.map_or(std::ptr::null(), |function| unsafe { function() });
    if found.is_null() {
        return Vec::new();
    }
    // SAFETY: not null, hence a C string.
    super::search::split(OsStr::from_bytes(unsafe { CStr::from_ptr(found) }.to_bytes()))
}

/// Returns the home directory of the account that this process runs as.
fn account_home() -> Option<PathBuf> {
    let mut buffer = vec![0; 4096];
    // SAFETY: passwd is a plain C structure for which all zeros is a value.
    let mut entry: libc::passwd = unsafe { std::mem::zeroed() };
    let mut result = std::ptr::null_mut();
    // SAFETY: all pointers are valid and the buffer's length is its own.
    let failed = unsafe {
        libc::getpwuid_r(libc::getuid(), &mut entry, buffer.as_mut_ptr(), buffer.len(), std::ptr::from_mut(&mut result))
    };
    if failed != 0 || result.is_null() || entry.pw_dir.is_null() {
        return None;
    }
    // SAFETY: after success pw_dir is a C string inside `buffer`, which is alive.
    Some(path(unsafe { CStr::from_ptr(entry.pw_dir) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn driver_managers_are_known_by_name() {
        for name in ["libodbc.so.2", "/usr/lib/libodbcinst.so.2.0.0", "libiodbc.so.2", "x/libodbc-1a2b.so.2.0.0"] {
            assert!(is_driver_manager(Path::new(name)), "{name}");
        }
        for name in ["libsqlite3odbc.so", "libodbcpsql.so", "psqlodbcw.so", "libsuper8.so", "", "/"] {
            assert!(!is_driver_manager(Path::new(name)), "{name}");
        }
    }

    #[test]
    fn the_process_knows_its_own_file_and_home() {
        let facts = facts();
        let own = facts.own_library.clone().unwrap();
        assert_eq!(own, std::fs::canonicalize(std::env::current_exe().unwrap()).unwrap());
        assert_ne!(facts.own_base, 0);
        assert!(facts.account_home.is_some());
        assert!(object_of(0).is_none());
    }
}
