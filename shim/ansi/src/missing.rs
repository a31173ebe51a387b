//! What the functions do if there is no `libsuper8.so`: enough for a driver manager to get as far as the connect, which
//! fails and says why.
#![allow(unsafe_code)]
#![allow(non_snake_case)]

use std::ffi::{c_char, c_void};
use std::ptr::null_mut;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

type Handle = *mut c_void;

const SUCCESS: i16 = 0;
const SUCCESS_WITH_INFO: i16 = 1;
const ERROR: i16 = -1;
const NO_DATA: i16 = 100;
/// SQL_HANDLE_ENV, SQL_HANDLE_DBC.
const ENV: i16 = 1;
const DBC: i16 = 2;

/// What the handles point to.
static ENVIRONMENT: u8 = 0;
static CONNECTION: u8 = 0;

static MESSAGE: OnceLock<String> = OnceLock::new();
/// Whether a call has failed whose record SQLError has not returned yet.
static FAILED: AtomicBool = AtomicBool::new(false);

/// Keeps the reason why there is no `libsuper8.so`.
pub fn because(reason: &str) {
    let needs = "libsuper8a.so needs libsuper8.so of the same version: put both files into one directory";
    let _ = MESSAGE.set(format!("[super8] {needs} ({reason})"));
}

/// Fails a call that needs `libsuper8.so`.
pub fn fail() -> i16 {
    FAILED.store(true, Ordering::Relaxed);
    ERROR
}

/// Returns the function for an ODBC function that does something other than fail; null for one that fails.
pub fn function(name: &str) -> *mut c_void {
    match name {
        "SQLAllocEnv" => SQLAllocEnv as *mut c_void,
        "SQLAllocConnect" => SQLAllocConnect as *mut c_void,
        "SQLAllocHandle" | "SQLAllocHandleStd" => SQLAllocHandle as *mut c_void,
        "SQLSetEnvAttr" => SQLSetEnvAttr as *mut c_void,
        "SQLFreeEnv" | "SQLFreeConnect" => SQLFreeEnv as *mut c_void,
        "SQLFreeHandle" => SQLFreeHandle as *mut c_void,
        "SQLError" => SQLError as *mut c_void,
        "SQLGetDiagRec" => SQLGetDiagRec as *mut c_void,
        "SQLGetDiagField" => SQLGetDiagField as *mut c_void,
        _ => null_mut(),
    }
}

// Each function has its prototype in the ODBC reference, and uses pointers only as the reference allows.

unsafe extern "system" fn SQLAllocEnv(out: *mut Handle) -> i16 {
    // SAFETY: the driver manager's out-pointer.
    unsafe { SQLAllocHandle(ENV, null_mut(), out) }
}

unsafe extern "system" fn SQLAllocConnect(env: Handle, out: *mut Handle) -> i16 {
    // SAFETY: the driver manager's out-pointer.
    unsafe { SQLAllocHandle(DBC, env, out) }
}

unsafe extern "system" fn SQLAllocHandle(kind: i16, _input: Handle, out: *mut Handle) -> i16 {
    let handle = match kind {
        ENV => &raw const ENVIRONMENT,
        DBC => &raw const CONNECTION,
        _ => return fail(),
    };
    if out.is_null() {
        return fail();
    }
    // SAFETY: not null; the driver manager's out-pointer.
    unsafe { out.write_unaligned(handle.cast_mut().cast()) };
    SUCCESS
}

extern "system" fn SQLSetEnvAttr(_env: Handle, _attribute: i32, _value: Handle, _length: i32) -> i16 {
    SUCCESS
}

extern "system" fn SQLFreeEnv(_handle: Handle) -> i16 {
    SUCCESS
}

extern "system" fn SQLFreeHandle(_kind: i16, _handle: Handle) -> i16 {
    SUCCESS
}

unsafe extern "system" fn SQLError(
    _env: Handle,
    _dbc: Handle,
    _stmt: Handle,
    state: *mut u8,
    native: *mut i32,
    text: *mut u8,
    capacity: i16,
    length: *mut i16,
) -> i16 {
    if !FAILED.swap(false, Ordering::Relaxed) {
        return NO_DATA;
    }
    // SAFETY: the same arguments.
    unsafe { SQLGetDiagRec(0, null_mut(), 1, state, native, text, capacity, length) }
}

unsafe extern "system" fn SQLGetDiagRec(
    _kind: i16,
    _handle: Handle,
    number: i16,
    state: *mut u8,
    native: *mut i32,
    text: *mut u8,
    capacity: i16,
    length: *mut i16,
) -> i16 {
    if number != 1 {
        return NO_DATA;
    }
    let room = usize::try_from(capacity).unwrap_or(0);
    // SAFETY: each is null or the caller's: six bytes, a number, a number, and a buffer of `capacity` bytes.
    let whole = unsafe {
        if !state.is_null() {
            std::ptr::copy_nonoverlapping(c"IM003".as_ptr().cast::<u8>(), state, 6);
        }
        if !native.is_null() {
            native.write_unaligned(0);
        }
        let whole = copy_message(text, room);
        if !length.is_null() {
            length.write_unaligned(i16::try_from(whole).unwrap_or(i16::MAX));
        }
        whole
    };
    if whole < room || text.is_null() { SUCCESS } else { SUCCESS_WITH_INFO }
}

extern "system" fn SQLGetDiagField(
    _kind: i16,
    _handle: Handle,
    _record: i16,
    _field: i16,
    _value: Handle,
    _capacity: i16,
    _length: *mut i16,
) -> i16 {
    NO_DATA
}

/// Serves super8_last_error.
///
/// # Safety
/// Null, or a buffer of this many bytes.
pub unsafe fn last_error(buffer: *mut c_char, capacity: usize) -> usize {
    // SAFETY: the caller's buffer.
    unsafe { copy_message(buffer.cast(), capacity) }
}

/// Copies as much of the message as there is room for. Returns the length of the whole message.
///
/// # Safety
/// Null, or a buffer of this many bytes.
unsafe fn copy_message(buffer: *mut u8, capacity: usize) -> usize {
    let message = MESSAGE.get().map_or("", String::as_str);
    if !buffer.is_null() && capacity > 0 {
        let mut count = message.len().min(capacity - 1);
        while !message.is_char_boundary(count) {
            count -= 1;
        }
        // SAFETY: not null, hence a buffer of `capacity` bytes, and at most `capacity - 1` are copied.
        unsafe {
            std::ptr::copy_nonoverlapping(message.as_ptr(), buffer, count);
            buffer.add(count).write(0);
        }
    }
    message.len()
}
