//! `libsuper8a.so`: ANSI functions only, for real drivers that export no function in W. Each function calls the one of
//! the same name in `libsuper8.so`, which is beside this library and has all of super8's code. So a process with
//! drivers of both kinds has one recorder.
//!
//! `libsuper8.so` is opened when this library is loaded. It is not a dependency, because a driver manager that looks
//! for SQLConnectW here would find a dependency's (docs/adr/0021-one-recorder.md).
#![allow(unsafe_code)]

mod missing;

use std::ffi::{CStr, CString, OsStr, c_char, c_int, c_longlong, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::ptr::{NonNull, null, null_mut};
use std::sync::atomic::{AtomicPtr, Ordering};

/// The library that has the code.
const LIBRARY: &str = "libsuper8.so";

/// The function of `libsuper8.so` that one of this library calls; null until it is found.
struct Target(AtomicPtr<c_void>);

impl Target {
    const fn new() -> Target {
        Target(AtomicPtr::new(null_mut()))
    }

    /// Returns the function. The loader sets it before anybody can call this library's functions.
    fn get(&self) -> *mut c_void {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self, function: *mut c_void) {
        self.0.store(function, Ordering::Relaxed);
    }
}

macro_rules! functions {
    ($($api:literal $name:ident [$($wide:ident)?] $class:ident $(on $handle:ident)? ($($arg:ident: $ty:ty),*) $(by $hand:ident)? $(=> $meaning:expr)?;)*) => {
        /// ODBC's functions.
        #[allow(non_upper_case_globals)]
        mod odbc {
            use super::Target;
            $(pub static $name: Target = Target::new();)*
            pub static ALL: &[(&str, &Target)] = &[$((stringify!($name), &$name)),*];
        }

        #[allow(non_snake_case, clippy::too_many_arguments, clippy::missing_safety_doc, missing_docs)]
        mod exported {
            use super::{c_void, missing, odbc};
            type Handle = *mut c_void;
            type Pointer = *mut c_void;
            type Ch = u8;
            $(function!($name [$($handle)?] ($($arg: $ty),*));)*
        }
    };
}

macro_rules! function {
    ($name:ident [] ($($arg:ident: $ty:ty),*)) => {
        #[unsafe(no_mangle)]
        pub unsafe extern "system" fn $name($($arg: $ty),*) -> i16 {
            let target = odbc::$name.get();
            if target.is_null() {
                return missing::fail();
            }
            // SAFETY: libsuper8.so's function of this name has this prototype: both are from one table, of one version.
            let target = unsafe { std::mem::transmute::<*mut c_void, unsafe extern "system" fn($($ty),*) -> i16>(target) };
            // SAFETY: the C caller's arguments, unchanged.
            unsafe { target($($arg),*) }
        }
        super8_shim::export_for_libltdl!("libsuper8a" $name ($($arg: $ty),*));
    };
    ($name:ident [$handle:ident] ($($arg:ident: $ty:ty),*)) => {
        function!($name [] (handle: Handle $(, $arg: $ty)*));
    };
}

super8_shim::odbc_table!(functions);

/// The functions of super8.h, and what they return without `libsuper8.so`.
macro_rules! interface {
    ($($name:ident($($arg:ident: $ty:ty),*) -> $result:ty, or $failed:expr;)*) => {
        /// The functions of super8.h.
        #[allow(non_upper_case_globals)]
        mod interface {
            use super::Target;
            $(pub static $name: Target = Target::new();)*
            pub static ALL: &[(&str, &Target)] = &[$((stringify!($name), &$name)),*];
        }

        $(
            /// See super8.h.
            ///
            /// # Safety
            /// As there.
            #[unsafe(no_mangle)]
            pub unsafe extern "C" fn $name($($arg: $ty),*) -> $result {
                let target = interface::$name.get();
                if target.is_null() {
                    return $failed;
                }
                // SAFETY: super8.h gives the prototype, of one version.
                let target = unsafe { std::mem::transmute::<*mut c_void, unsafe extern "C" fn($($ty),*) -> $result>(target) };
                // SAFETY: the C caller's arguments, unchanged.
                unsafe { target($($arg),*) }
            }
        )*
    };
}

interface! {
    super8_insert(cassette: *const c_char, mode: *const c_char, options: *const c_char) -> c_int, or ERROR;
    super8_eject(cassette: *const c_char) -> c_int, or ERROR;
    super8_discard(cassette: *const c_char) -> c_int, or ERROR;
    super8_set_aside(cassette: *const c_char) -> c_int, or ERROR;
    super8_unplayed(cassette: *const c_char) -> c_longlong, or -1;
    // SAFETY: the caller's buffer.
    super8_last_error(buffer: *mut c_char, capacity: usize) -> usize, or unsafe { missing::last_error(buffer, capacity) };
    super8_version() -> *const c_char, or VERSION.as_ptr();
}

/// SUPER8_ERROR of super8.h.
const ERROR: c_int = -1;

/// This version, which `libsuper8.so` has to have too.
const VERSION: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
    Ok(version) => version,
    Err(_) => c"",
};

/// Called by the dynamic linker when it has loaded this library.
#[used]
#[unsafe(link_section = ".init_array")]
static ON_LOAD: extern "C" fn() = {
    extern "C" fn on_load() {
        if let Err(reason) = open() {
            missing::because(&reason);
            odbc::ALL.iter().for_each(|(name, target)| target.set(missing::function(name)));
        }
    }
    on_load
};

/// Opens the `libsuper8.so` beside this library: beside the file itself, or beside the link by which it was loaded.
fn open() -> Result<(), String> {
    let loaded = own_path().ok_or("the dynamic linker does not say where libsuper8a.so is")?;
    let beside = |own: &Path| find(&own.with_file_name(LIBRARY));
    let file = loaded.canonicalize().unwrap_or_else(|_| loaded.clone());
    beside(&file).or_else(|reason| beside(&loaded).map_err(|_| reason))
}

/// Opens the library and finds this library's functions in it.
fn find(path: &Path) -> Result<(), String> {
    let shown = path.display();
    let file = CString::new(path.as_os_str().as_bytes()).map_err(|error| format!("{shown}: {error}"))?;
    // SAFETY: super8's own library, whose initializers do nothing. RTLD_LOCAL: nobody finds its functions by name.
    let library = unsafe { libc::dlopen(file.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
    let library = NonNull::new(library).ok_or_else(linker_error)?;
    let symbol = |name: &str| {
        let name = CString::new(name).unwrap_or_default();
        // SAFETY: an open library, which stays open, and a C string.
        NonNull::new(unsafe { libc::dlsym(library.as_ptr(), name.as_ptr()) })
    };
    let needed = |name: &str| symbol(name).ok_or_else(|| format!("{shown} has no {name}"));
    // SAFETY: the prototype in super8.h.
    let version =
        unsafe { std::mem::transmute::<NonNull<c_void>, extern "C" fn() -> *const c_char>(needed("super8_version")?) };
    // SAFETY: a C string that stays.
    let version = unsafe { CStr::from_ptr(version()) };
    if version != VERSION {
        return Err(format!("{shown} is version {}", version.to_string_lossy()));
    }
    let mut found = Vec::new();
    for (name, target) in odbc::ALL.iter().chain(interface::ALL) {
        let function = needed(match *name {
            // An environment of this library is for ANSI drivers.
            "SQLAllocEnv" => "super8_ansi_alloc_env",
            "SQLAllocHandle" | "SQLAllocHandleStd" => "super8_ansi_alloc_handle",
            name => name,
        })?;
        found.push((target, function));
    }
    // SAFETY: the prototype in every version that has the function.
    let loaded =
        unsafe { std::mem::transmute::<NonNull<c_void>, extern "C" fn(*const c_void)>(needed("super8_ansi_library")?) };
    loaded(open as *const c_void);
    found.into_iter().for_each(|(target, function)| target.set(function.as_ptr()));
    Ok(())
}

/// Returns what the dynamic linker says about the last failure.
fn linker_error() -> String {
    // SAFETY: a query of this thread's last error.
    let error = unsafe { libc::dlerror() };
    if error.is_null() {
        return format!("{LIBRARY} cannot be opened");
    }
    // SAFETY: not null, hence a C string that stays until the next call.
    unsafe { CStr::from_ptr(error) }.to_string_lossy().into_owned()
}

/// Returns the path by which this library was loaded.
fn own_path() -> Option<PathBuf> {
    let mut info = libc::Dl_info { dli_fname: null(), dli_fbase: null_mut(), dli_sname: null(), dli_saddr: null_mut() };
    // SAFETY: dladdr compares the address with the mapped objects and fills the structure it is given.
    let found = unsafe { libc::dladdr(open as *const c_void, &mut info) };
    if found == 0 || info.dli_fname.is_null() {
        return None;
    }
    // SAFETY: after success a C string of the dynamic linker's.
    Some(PathBuf::from(OsStr::from_bytes(unsafe { CStr::from_ptr(info.dli_fname) }.to_bytes())))
}
