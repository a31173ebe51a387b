//! Looking at the application's memory.
#![allow(unsafe_code)]

/// The bytes at an address of the application.
///
/// # Safety
/// `pointer` is null, or `length` bytes from it are readable and nobody writes them while the slice lives. That is
/// what ODBC demands of an application for the buffers of a call under way.
pub(super) unsafe fn bytes<'a>(pointer: *const u8, length: usize) -> &'a [u8] {
    if pointer.is_null() || length == 0 {
        return &[];
    }
    // SAFETY: not null, and readable by the caller's promise; u8 has no alignment and every value is valid.
    unsafe { std::slice::from_raw_parts(pointer, length) }
}

/// The number of bytes before the terminating NUL of `unit` bytes (1 or 2), at most `limit` (whole units).
///
/// # Safety
/// As [`bytes`], for everything up to and including the terminator or up to `limit`, whichever comes first.
pub(super) unsafe fn terminated(pointer: *const u8, unit: usize, limit: usize) -> usize {
    if pointer.is_null() {
        return 0;
    }
    if unit == 1 {
        // SAFETY: by the caller's promise there is a NUL, or the limit, at the end of what is readable.
        return unsafe { libc::strnlen(pointer.cast(), limit) };
    }
    let mut length = 0;
    while length + unit <= limit {
        // SAFETY: below the limit and no terminator so far, so still readable; a byte at a time needs no alignment.
        let all_zero = (0..unit).all(|byte| unsafe { *pointer.add(length + byte) } == 0);
        if all_zero {
            break;
        }
        length += unit;
    }
    length
}
