//! Loads super8's library and calls its C interface.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char, c_int};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The variable in which `super8 run` names the directory of its libraries.
const DIRECTORY: &str = "SUPER8_LIBRARY_DIR";
const FILE: &str = "libsuper8.so";

type Text = *const c_char;

/// super8's library. It stays loaded, and is the same instance that the driver manager uses.
pub struct Library {
    insert: unsafe extern "C" fn(Text, Text, Text) -> c_int,
    eject: unsafe extern "C" fn(Text) -> c_int,
    discard: unsafe extern "C" fn(Text) -> c_int,
    last_error: unsafe extern "C" fn(*mut c_char, usize) -> usize,
}

/// The results of the functions, as in shim/include/super8.h.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Return {
    Done,
    Unplayed,
    Mismatch,
    Unused,
    NotReplayed,
    Error,
}

/// Why a test cannot have its cassette, or super8's report on it.
#[derive(Clone, Debug)]
pub struct Failure(pub String);

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Return {
    fn of(code: c_int) -> Return {
        use Return::{Done, Error, Mismatch, NotReplayed, Unplayed, Unused};
        let codes = [Done, Unplayed, Mismatch, Unused, NotReplayed];
        usize::try_from(code).ok().and_then(|code| codes.get(code).copied()).unwrap_or(Error)
    }
}

/// Returns the library of the `super8 run` under which this process runs.
pub fn loaded() -> Result<&'static Library, Failure> {
    static LOADED: OnceLock<Result<Library, Failure>> = OnceLock::new();
    let load = || {
        let directory = std::env::var_os(DIRECTORY).map(PathBuf::from).ok_or_else(|| {
            Failure(
                "super8 is not in this process: run the tests under `super8 run`. In .cargo/config.toml:\n\
                 [target.'cfg(unix)']\nrunner = \"super8 run --cassettes cassettes --\""
                    .to_owned(),
            )
        })?;
        Library::open(&directory.join(FILE))
    };
    LOADED.get_or_init(load).as_ref().map_err(Clone::clone)
}

impl Library {
    fn open(path: &Path) -> Result<Library, Failure> {
        let failure = |error: libloading::Error| Failure(format!("{}: {error}", path.display()));
        // SAFETY: super8's library may be loaded at any time. Its symbols stay its own: libloading opens with RTLD_LOCAL.
        let library: &'static libloading::Library =
            Box::leak(Box::new(unsafe { libloading::Library::new(path) }.map_err(failure)?));
        // SAFETY: the functions have these types in super8.h.
        unsafe {
            Ok(Library {
                insert: *library.get(b"super8_insert\0").map_err(failure)?,
                eject: *library.get(b"super8_eject\0").map_err(failure)?,
                discard: *library.get(b"super8_discard\0").map_err(failure)?,
                last_error: *library.get(b"super8_last_error\0").map_err(failure)?,
            })
        }
    }

    pub fn insert(&self, name: &str, mode: &str, options: &str) -> Result<(), Failure> {
        let (name, mode, options) = (text(name)?, text(mode)?, text(options)?);
        // SAFETY: three texts that end with a NUL and live as long as the call.
        self.done(unsafe { (self.insert)(name.as_ptr(), mode.as_ptr(), options.as_ptr()) })
    }

    /// Ejects a cassette. Returns the result, and super8's text on it unless all is well.
    pub fn eject(&self, name: &str) -> (Return, String) {
        let name = match text(name) {
            Ok(name) => name,
            Err(failure) => return (Return::Error, failure.0),
        };
        // SAFETY: a text that ends with a NUL and lives as long as the call.
        match Return::of(unsafe { (self.eject)(name.as_ptr()) }) {
            Return::Done => (Return::Done, String::new()),
            other => (other, self.last_error()),
        }
    }

    pub fn discard(&self, name: &str) -> Result<(), Failure> {
        let name = text(name)?;
        // SAFETY: a text that ends with a NUL and lives as long as the call.
        self.done(unsafe { (self.discard)(name.as_ptr()) })
    }

    fn done(&self, code: c_int) -> Result<(), Failure> {
        if Return::of(code) == Return::Done { Ok(()) } else { Err(Failure(self.last_error())) }
    }

    fn last_error(&self) -> String {
        // SAFETY: without a buffer it tells the length.
        let length = unsafe { (self.last_error)(std::ptr::null_mut(), 0) };
        let mut buffer = vec![0_u8; length + 1];
        // SAFETY: it writes no more than the buffer has, and a NUL.
        unsafe { (self.last_error)(buffer.as_mut_ptr().cast(), buffer.len()) };
        CStr::from_bytes_until_nul(&buffer).unwrap_or_default().to_string_lossy().into_owned()
    }
}

fn text(text: &str) -> Result<CString, Failure> {
    CString::new(text).map_err(|_| Failure(format!("{text:?} has a NUL in it")))
}
