//! The current date. Appendix D gives a timestamp that is made from a time the current date.
#![allow(unsafe_code)]

use odbc_sys::Date;

/// Returns the current local date; `None` if the system's clock cannot tell it.
pub(super) fn today() -> Option<Date> {
    // SAFETY: a null argument only means that the result is returned.
    let now = unsafe { libc::time(std::ptr::null_mut()) };
    let mut local = std::mem::MaybeUninit::<libc::tm>::uninit();
    // SAFETY: both point to values of their types; the function keeps neither.
    let result = unsafe { libc::localtime_r(&now, local.as_mut_ptr()) };
    if result.is_null() {
        return None;
    }
    // SAFETY: not null: the function has filled it in.
    let local = unsafe { local.assume_init() };
    Some(Date {
        year: i16::try_from(local.tm_year + 1900).ok()?,
        month: u16::try_from(local.tm_mon + 1).ok()?,
        day: u16::try_from(local.tm_mday).ok()?,
    })
}
