//! What differs between operating systems: what the dynamic linker and the kernel tell of this process, and what
//! libraries are called and where they are. On Linux with glibc all of it is known. For other systems there is a second
//! function, which says what is done without it.
//!
//! What differs between systems is here and in `cassette/src/platform.rs` (what the kernel tells in files), and nowhere
//! else. Everything else is POSIX.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, OsStr, OsString, c_char, c_void};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use libloading::os::unix;

/// The libraries of driver managers, in the order in which they are tried.
pub const MANAGERS: &[(&str, &str)] = if cfg!(target_os = "macos") {
    &[
        ("unixODBC", "libodbc.2.dylib"),
        ("unixODBC", "/opt/homebrew/lib/libodbc.2.dylib"),
        ("unixODBC", "/usr/local/lib/libodbc.2.dylib"),
        ("iODBC", "libiodbc.2.dylib"),
    ]
} else {
    &[("unixODBC", "libodbc.so.2"), ("unixODBC", "libodbc.so.1"), ("iODBC", "libiodbc.so.2")]
};

/// Returns where drivers are put, besides the directories of the dynamic linker.
pub fn driver_directories() -> Vec<PathBuf> {
    let usual = ["/usr/lib64", "/usr/lib/odbc", "/usr/local/lib/odbc", "/usr/local/lib", "/opt/homebrew/lib"];
    [format!("/usr/lib/{}/odbc", multiarch())].into_iter().map(PathBuf::from).chain(usual.map(PathBuf::from)).collect()
}

/// Returns the directories of the dynamic linker.
pub fn linker_directories() -> Vec<PathBuf> {
    let of_this = [format!("/lib/{}", multiarch()), format!("/usr/lib/{}", multiarch())].map(PathBuf::from);
    of_this.into_iter().chain(["/lib", "/usr/lib", "/lib64", "/usr/lib64"].map(PathBuf::from)).collect()
}

/// Returns what Debian calls this processor and system in the names of directories.
pub fn multiarch() -> String {
    format!("{}-linux-gnu", std::env::consts::ARCH)
}

/// Returns whether a name is that of a library, not of a section: `libx.so`, `libx.so.2`, `libx.dylib`.
pub fn is_library_name(name: &OsStr) -> bool {
    let name: OsString = name.to_ascii_lowercase();
    let name = name.to_string_lossy();
    [".so", ".dylib", ".sl"].iter().any(|ending| name.ends_with(ending)) || name.contains(".so.")
}

/// Returns the texts of the environment, `NAME=VALUE`, in its order.
pub fn environment() -> Vec<CString> {
    // SAFETY: a C string of the environment.
    texts().map(|text| unsafe { CStr::from_ptr(text) }.to_owned()).collect()
}

/// Returns whether the environment still has these texts, in this order. This is cheaper than to look up a few variables.
pub fn is_environment(known: &[CString]) -> bool {
    let mut texts = texts();
    // SAFETY: two C strings.
    let same = |known: &CString| texts.next().is_some_and(|text| unsafe { libc::strcmp(text, known.as_ptr()) } == 0);
    known.iter().all(same) && texts.next().is_none()
}

/// Iterates over the environment. As with getenv, no other thread may change the environment meanwhile: no function of
/// C can prevent it.
fn texts() -> impl Iterator<Item = *const c_char> {
    #[cfg(target_vendor = "apple")]
    // SAFETY: returns where the list is.
    let mut place = unsafe { *libc::_NSGetEnviron() }.cast_const();
    #[cfg(not(target_vendor = "apple"))]
    let mut place = {
        unsafe extern "C" {
            static mut environ: *const *mut c_char;
        }
        // SAFETY: where the C library has its list, as POSIX defines it.
        unsafe { (&raw const environ).read() }
    };
    std::iter::from_fn(move || {
        if place.is_null() {
            return None;
        }
        // SAFETY: the list ends with a null pointer, and this does not go beyond it.
        let text = unsafe { *place };
        if text.is_null() {
            return None;
        }
        // SAFETY: what follows a text is another one or the end.
        place = unsafe { place.add(1) };
        Some(text.cast_const())
    })
}

/// Returns the name of a function in C for that of its symbol. Mach-O puts a `_` before it.
pub fn function_of(symbol: &[u8]) -> &[u8] {
    if cfg!(target_os = "macos") { symbol.strip_prefix(b"_").unwrap_or(symbol) } else { symbol }
}

/// Returns whether the dynamic linker's complaint may be about this library itself, and not about one that it needs.
pub fn is_complaint_about(complaint: &str, library: &Path) -> bool {
    // Where the complaint is worded differently, it may be.
    !cfg!(target_os = "linux")
        || complaint.contains(&format!(": {}: cannot open shared object file", library.display()))
}

/// Returns the library that an address belongs to, and where that is mapped.
pub fn object_of(address: usize) -> Option<(PathBuf, usize)> {
    let mut info = libc::Dl_info {
        dli_fname: std::ptr::null(),
        dli_fbase: std::ptr::null_mut(),
        dli_sname: std::ptr::null(),
        dli_saddr: std::ptr::null_mut(),
    };
    // SAFETY: dladdr only compares the address with the mapped objects and fills the structure it is given.
    let found = unsafe { libc::dladdr(address as *const c_void, &mut info) };
    if found == 0 || info.dli_fname.is_null() {
        return None;
    }
    // SAFETY: after success dli_fname is a C string owned by the dynamic linker, valid while the object is mapped.
    let name = unsafe { CStr::from_ptr(info.dli_fname) };
    Some((path(name), info.dli_fbase as usize))
}

/// Returns a path that a C library gave.
pub fn path(name: &CStr) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(name.to_bytes()))
}

/// Returns the paths of all libraries in the process.
#[cfg(target_os = "linux")]
pub fn loaded_libraries() -> Vec<PathBuf> {
    use std::ffi::c_int;

    unsafe extern "C" fn collect(info: *mut libc::dl_phdr_info, _: libc::size_t, data: *mut c_void) -> c_int {
        // SAFETY: dl_iterate_phdr passes a valid structure, and `data` is the vector below, which nobody else uses.
        let (info, paths) = unsafe { (&*info, &mut *data.cast::<Vec<PathBuf>>()) };
        if !info.dlpi_name.is_null() {
            // SAFETY: dlpi_name is a C string of the dynamic linker, valid during the callback.
            paths.push(path(unsafe { CStr::from_ptr(info.dlpi_name) }));
        }
        0
    }
    let mut paths: Vec<PathBuf> = Vec::new();
    // SAFETY: `collect` has the signature asked for and `paths` outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(collect), std::ptr::from_mut(&mut paths).cast()) };
    paths
}

/// Not known on this system: the usual directories serve.
#[cfg(not(target_os = "linux"))]
pub fn loaded_libraries() -> Vec<PathBuf> {
    Vec::new()
}

/// Returns the file that a handle was loaded from, and where it is mapped.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn link_map(handle: unix::Library) -> (unix::Library, Option<(PathBuf, usize)>) {
    /// The public beginning of glibc's `struct link_map` (link.h).
    #[repr(C)]
    struct LinkMap {
        base: usize,
        name: *const std::ffi::c_char,
        dynamic: *const c_void,
    }
    let raw = handle.into_raw();
    let mut map: *const LinkMap = std::ptr::null();
    // SAFETY: `raw` is an open handle and RTLD_DI_LINKMAP writes one pointer.
    let failed = unsafe { libc::dlinfo(raw, libc::RTLD_DI_LINKMAP, std::ptr::from_mut(&mut map).cast()) };
    // SAFETY: the handle comes from `into_raw` above and is given back once.
    let handle = unsafe { unix::Library::from_raw(raw) };
    if failed != 0 || map.is_null() {
        return (handle, None);
    }
    // SAFETY: the map belongs to the dynamic linker and lives as long as the library, which is open. `dynamic` points
    // into the library, whichever base address the two sides call its own.
    let (name, base) = unsafe {
        let base = object_of((*map).dynamic as usize).map_or((*map).base, |(_, base)| base);
        (CStr::from_ptr((*map).name), base)
    };
    (handle, Some((path(name), base)))
}

/// Not available on this system: symbols are then judged by the name of the library that they come from.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn link_map(handle: unix::Library) -> (unix::Library, Option<(PathBuf, usize)>) {
    (handle, None)
}

/// Returns the kernel's id of this thread; 0 if it has none.
#[cfg(target_os = "linux")]
pub fn task() -> i32 {
    // SAFETY: a plain query.
    unsafe { libc::gettid() }
}

/// Returns the kernel's id of this thread; 0 if it has none.
#[cfg(not(target_os = "linux"))]
pub fn task() -> i32 {
    0
}

/// Makes the kernel copy memory of this process that may not exist. Returns how many bytes it copied.
///
/// # Errors
/// EFAULT: there is no memory. Any other: the system does not let a process ask.
#[cfg(target_os = "linux")]
pub fn copy(from: *const u8, to: &mut [u8]) -> io::Result<usize> {
    let own = libc::iovec { iov_base: to.as_mut_ptr().cast(), iov_len: to.len() };
    let other = libc::iovec { iov_base: from.cast_mut().cast(), iov_len: to.len() };
    // SAFETY: `to` takes what is copied; the other address is only looked at by the kernel, which checks it.
    let read = unsafe { libc::process_vm_readv(libc::getpid(), &raw const own, 1, &raw const other, 1, 0) };
    usize::try_from(read).map_err(|_| io::Error::last_os_error())
}

/// Not available on this system.
///
/// # Errors
/// Always.
#[cfg(not(target_os = "linux"))]
pub fn copy(_: *const u8, _: &mut [u8]) -> io::Result<usize> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_the_environment_is_seen() {
        // another test may set a variable between the two calls
        assert!((0..100).any(|_| is_environment(&environment())));
        let texts = environment();
        let with_last = |last: &CStr| [&texts[..texts.len() - 1], &[last.to_owned()]].concat();
        assert!(!is_environment(&texts[1..]) && !is_environment(&[&texts[..], &[c"SUPER8_X=1".into()]].concat()));
        assert!(!is_environment(&with_last(c"SUPER8_X=1")) && !is_environment(&[]));
    }

    #[test]
    fn the_system_tells_of_this_process() {
        assert!(loaded_libraries().iter().any(|path| path.to_string_lossy().contains("libc.so")));
        let (own, base) = object_of(task as *const () as usize).unwrap();
        assert!(own.to_string_lossy().contains("super8") && base > 0, "{}", own.display());
        assert!(task() > 0);
        let mut text = [0; 4];
        assert_eq!(copy(b"text".as_ptr(), &mut text).unwrap(), 4);
        assert_eq!(&text, b"text");
        let nowhere = copy(std::ptr::without_provenance(8), &mut text).unwrap_err();
        assert_eq!(nowhere.raw_os_error(), Some(libc::EFAULT));
    }

    #[test]
    fn names_of_libraries() {
        for name in ["libx.so", "libx.so.2", "LIBX.SO", "libx.dylib"] {
            assert!(is_library_name(name.as_ref()), "{name}");
        }
        assert!(!is_library_name("PostgreSQL Unicode".as_ref()));
        assert_eq!(function_of(b"SQLConnect"), b"SQLConnect");
        assert!(is_complaint_about("x: /a.so: cannot open shared object file: No such", "/a.so".as_ref()));
        assert!(!is_complaint_about("x: /b.so: cannot open shared object file: No such", "/a.so".as_ref()));
    }
}
