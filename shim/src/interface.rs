//! The C interface for test frameworks, besides ODBC's functions: `super8_insert`, `super8_set_aside`, `super8_eject`,
//! `super8_discard`, `super8_unplayed`, `super8_last_error`, `super8_version`. shim/include/super8.h declares it, and
//! docs/c-interface.md explains it.
//!
//! Every function may be called on any thread. Texts are UTF-8.
#![allow(unsafe_code)]

use crate::cassettes::{self, Ejected};
use crate::inserted;
use parking_lot::Mutex;
use std::cell::Cell;
use std::collections::HashMap;
use std::ffi::{CStr, c_char, c_int, c_longlong};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// The call succeeded.
const OK: c_int = 0;
/// Recorded commands were not played.
const UNPLAYED: c_int = 1;
/// The program asked for something else than was recorded.
const MISMATCH: c_int = 2;
/// Nothing connected while the cassette was inserted.
const UNUSED: c_int = 3;
/// Nothing connected while the cassette was inserted, and the cassette has commands to replay.
const NOT_REPLAYED: c_int = 4;
/// The call failed.
const ERROR: c_int = -1;

/// The version, with its terminator.
static VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");

thread_local! {
    /// The number of this thread. It has no destructor, so it can be read in an exit handler, when thread-local values
    /// that have one are gone.
    static THREAD: Cell<u64> = const { Cell::new(0) };
}

/// The text of the last call on each thread that did not return 0, by the thread's number.
static LAST: Mutex<Option<HashMap<u64, LastError>>> = Mutex::new(None);

struct LastError {
    /// The kernel's id of the thread.
    task: i32,
    text: String,
}

/// Returns this thread's number, which no other thread of the process ever has.
fn thread() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    THREAD.with(|thread| {
        if thread.get() == 0 {
            thread.set(NEXT.fetch_add(1, Ordering::Relaxed));
        }
        thread.get()
    })
}

fn say<T>(code: T, text: impl Into<String>) -> T {
    /// With at least this many texts, those of threads that have ended are removed.
    const MANY: usize = 64;
    let said = LastError { task: crate::platform::task(), text: text.into() };
    let mut last = LAST.lock();
    let last = last.get_or_insert_default();
    if last.len() >= MANY && last.len().is_power_of_two() {
        last.retain(|_, said| super8_cassette::platform::is_thread(said.task));
    }
    last.insert(thread(), said);
    code
}

/// Runs `body` and turns a panic into an error, so that nothing unwinds into C.
fn guard<T: Copy>(failed: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| {
        let _ = catch_unwind(|| say((), "internal error: please report it"));
        failed
    })
}

/// Returns the text at a pointer of the caller's; an empty one for null.
///
/// # Safety
/// Null, or a C string that stays as it is during the call.
unsafe fn text<'a>(pointer: *const c_char, name: &str) -> Result<&'a str, String> {
    if pointer.is_null() {
        return Ok("");
    }
    // SAFETY: not null, hence the caller's C string.
    unsafe { CStr::from_ptr(pointer) }.to_str().map_err(|_| format!("{name} is not UTF-8"))
}

/// Returns the cassette that a caller names; `None` stands for the one inserted last.
///
/// # Safety
/// Null, or a C string that stays as it is during the call.
unsafe fn named<'a>(cassette: *const c_char) -> Result<Option<&'a Path>, String> {
    // SAFETY: as this function's.
    let name = unsafe { text(cassette, "cassette") }?;
    Ok((!name.is_empty()).then(|| Path::new(name)))
}

/// Inserts a cassette: see super8.h.
///
/// # Safety
/// Each argument is null or a C string.
pub unsafe fn insert(cassette: *const c_char, mode: *const c_char, options: *const c_char) -> c_int {
    guard(ERROR, || {
        // SAFETY: the caller's C strings.
        let texts = unsafe { (text(cassette, "cassette"), text(mode, "mode"), text(options, "options")) };
        let (Ok(cassette), Ok(mode), Ok(options)) = texts else {
            let wrong = [texts.0, texts.1, texts.2].into_iter().find_map(Result::err);
            return say(ERROR, wrong.unwrap_or_default());
        };
        let settings = match inserted::insert(cassette, mode, options) {
            Ok(settings) => settings,
            Err(error) => return say(ERROR, format!("[super8] {error}")),
        };
        // Trouble with a cassette is reported now, and not in the middle of a test.
        match cassettes::examine(&settings) {
            Ok(()) => OK,
            Err(error) => {
                inserted::take(settings.cassette.as_ref().map(|name| name.path.as_path()));
                say(ERROR, format!("[super8] {error}"))
            }
        }
    })
}

/// Takes a cassette off the stack without ending it: see super8.h.
///
/// # Safety
/// Null or a C string.
pub unsafe fn set_aside(cassette: *const c_char) -> c_int {
    guard(ERROR, || {
        // SAFETY: the caller's C string.
        let cassette = match unsafe { named(cassette) } {
            Ok(cassette) => cassette,
            Err(error) => return say(ERROR, error),
        };
        match inserted::set_aside(cassette) {
            true => OK,
            false => say(ERROR, "[super8] no cassette is inserted that could be set aside"),
        }
    })
}

/// Ejects a cassette, or the one inserted last: see super8.h.
///
/// # Safety
/// Null or a C string.
pub unsafe fn eject(cassette: *const c_char) -> c_int {
    guard(ERROR, || {
        // SAFETY: the caller's C string.
        let cassette = match unsafe { named(cassette) } {
            Ok(cassette) => cassette,
            Err(error) => return say(ERROR, error),
        };
        let Some(taken) = inserted::take(cassette) else {
            return say(ERROR, "[super8] no cassette is inserted");
        };
        match cassettes::eject(&taken.directory) {
            Ejected::Passed if taken.unused => say(UNUSED, unused(&taken.directory)),
            Ejected::Passed => OK,
            Ejected::Unplayed(_, list) if taken.unused => {
                say(NOT_REPLAYED, format!("{}\n{list}", unused(&taken.directory)))
            }
            Ejected::Unplayed(_, list) => say(UNPLAYED, list),
            Ejected::Mismatch(report) => say(MISMATCH, report),
            Ejected::Failed(error) => say(ERROR, format!("[super8] {error}")),
        }
    })
}

/// Returns what to say of a cassette that nothing used: the program may have connected through another copy of super8.
fn unused(cassette: &Path) -> String {
    let own = crate::driver::process::facts().own_library.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
    let others = crate::driver::process::other_copies();
    let (cassette, own) = (cassette.display(), own.display());
    match others.first() {
        Some(other) => format!(
            "[super8] nothing connected through super8 in {own} while {cassette} was inserted, and the driver manager has loaded {}: \
             call the functions of that library",
            other.display()
        ),
        None => format!(
            "[super8] nothing connected through super8 in {own} while {cassette} was inserted: the test uses no database, or its \
             driver is not super8; odbcinst.ini has to name it"
        ),
    }
}

/// Ejects a cassette, or the one inserted last, after a test that failed: see super8.h.
///
/// # Safety
/// Null or a C string.
pub unsafe fn discard(cassette: *const c_char) -> c_int {
    guard(ERROR, || {
        // SAFETY: the caller's C string.
        let cassette = match unsafe { named(cassette) } {
            Ok(cassette) => cassette,
            Err(error) => return say(ERROR, error),
        };
        let Some(taken) = inserted::take(cassette) else {
            return say(ERROR, "[super8] no cassette is inserted");
        };
        match cassettes::discard(&taken.directory) {
            Ok(_) => OK,
            Err(error) => say(ERROR, format!("[super8] {error}")),
        }
    })
}

/// Returns how many recorded commands were not played so far: see super8.h.
///
/// # Safety
/// Null or a C string.
pub unsafe fn unplayed(cassette: *const c_char) -> c_longlong {
    guard(-1, || {
        // SAFETY: the caller's C string.
        let cassette = match unsafe { named(cassette) } {
            Ok(cassette) => cassette,
            Err(error) => return say(-1, error),
        };
        let directory = inserted::directory_of(cassette);
        match directory.as_deref().and_then(cassettes::unplayed) {
            Some(Ok(count)) => count as c_longlong,
            Some(Err(error)) => say(-1, format!("[super8] {error}")),
            None => say(-1, "[super8] no cassette is replayed there"),
        }
    })
}

/// Copies the text of the last call on this thread: see super8.h.
///
/// # Safety
/// Null, or a buffer of `capacity` bytes.
pub unsafe fn last_error(buffer: *mut c_char, capacity: usize) -> usize {
    guard(0, || {
        let last = LAST.lock();
        let said = last.as_ref().and_then(|last| last.get(&thread()));
        let text = said.map_or("", |said| said.text.as_str());
        if !buffer.is_null() && capacity > 0 {
            let mut end = text.len().min(capacity - 1);
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            // SAFETY: the caller's buffer has room for `capacity` bytes, and `end` is less than that.
            unsafe {
                std::ptr::copy_nonoverlapping(text.as_ptr(), buffer.cast::<u8>(), end);
                buffer.add(end).write(0);
            }
        }
        text.len()
    })
}

/// Returns the version as a C string that stays valid.
pub fn version() -> *const c_char {
    VERSION.as_ptr().cast()
}

/// Declares the C functions in a library.
#[macro_export]
macro_rules! export_interface {
    () => {
        #[allow(clippy::missing_safety_doc, missing_docs)]
        mod exported_interface {
            use ::std::ffi::{c_char, c_int, c_longlong};
            $crate::export_interface!(super8_insert(cassette: *const c_char, mode: *const c_char, options: *const c_char) -> c_int => insert);
            $crate::export_interface!(super8_set_aside(cassette: *const c_char) -> c_int => set_aside);
            $crate::export_interface!(super8_eject(cassette: *const c_char) -> c_int => eject);
            $crate::export_interface!(super8_discard(cassette: *const c_char) -> c_int => discard);
            $crate::export_interface!(super8_unplayed(cassette: *const c_char) -> c_longlong => unplayed);
            $crate::export_interface!(super8_last_error(buffer: *mut c_char, capacity: usize) -> usize => last_error);

            #[unsafe(no_mangle)]
            pub extern "C" fn super8_version() -> *const c_char {
                $crate::interface::version()
            }
        }
    };
    ($symbol:ident($($arg:ident: $ty:ty),*) -> $result:ty => $function:ident) => {
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $symbol($($arg: $ty),*) -> $result {
            // SAFETY: the C caller's arguments, unchanged.
            unsafe { $crate::interface::$function($($arg),*) }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_does_not_fit_is_cut_between_characters() {
        say(OK, "aä€");
        let mut buffer = [1 as c_char; 8];
        let read = |buffer: &mut [c_char], capacity| {
            // SAFETY: a buffer of eight bytes.
            let length = unsafe { last_error(buffer.as_mut_ptr(), capacity) };
            // SAFETY: it was ended.
            (length, unsafe { CStr::from_ptr(buffer.as_ptr()) }.to_str().unwrap().to_owned())
        };
        assert_eq!(read(&mut buffer, 8), (6, "aä€".to_owned()));
        assert_eq!(read(&mut buffer, 6), (6, "aä".to_owned()));
        assert_eq!(read(&mut buffer, 3), (6, "a".to_owned()));
        assert_eq!(read(&mut buffer, 1), (6, String::new()));
        // SAFETY: null is allowed.
        assert_eq!(unsafe { last_error(std::ptr::null_mut(), 8) }, 6);
    }

    #[test]
    fn wrong_arguments_are_errors_with_a_text() {
        let insert = |cassette: &[u8], mode: &CStr| {
            // SAFETY: C strings.
            let code = unsafe { insert(cassette.as_ptr().cast(), mode.as_ptr(), std::ptr::null()) };
            let last = LAST.lock();
            (code, last.as_ref().and_then(|last| last.get(&thread())).map(|said| said.text.clone()).unwrap_or_default())
        };
        assert_eq!(insert(b"\xff\0", c"record"), (ERROR, "cassette is not UTF-8".to_owned()));
        let (code, text) = insert(b"/etc\0", c"replay");
        assert!(code == ERROR && text.contains("/etc: not a cassette"), "{text}");
        // SAFETY: null is allowed.
        assert_eq!(unsafe { eject(c"/nonexistent/other".as_ptr()) }, OK);
        // SAFETY: as above.
        assert_eq!(unsafe { unplayed(c"/nonexistent/other".as_ptr()) }, -1);
    }
}
