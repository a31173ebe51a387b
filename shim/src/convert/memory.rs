//! Reads the application's memory.
#![allow(unsafe_code)]

use crate::platform;

/// Returns the bytes at an address of the application.
///
/// # Safety
/// `pointer` is null, or `length` bytes from it are readable and nobody writes them while the slice lives. ODBC demands
/// that of an application for the buffers of a call that is under way.
pub(super) unsafe fn bytes<'a>(pointer: *const u8, length: usize) -> &'a [u8] {
    if pointer.is_null() || length == 0 {
        return &[];
    }
    // SAFETY: not null, and readable by the caller's promise; u8 has no alignment and every value is valid.
    unsafe { std::slice::from_raw_parts(pointer, length) }
}

/// Returns the number of bytes before the terminating NUL of `unit` bytes (1 or 2), at most `limit` (whole units).
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

/// Returns a copy of this many bytes, or of those before the terminator of `unit` bytes. The kernel reads them page by
/// page, so missing memory causes no fault and gives `None`.
pub(super) fn copied(pointer: *const u8, length: usize, unit: Option<usize>) -> Option<Vec<u8>> {
    const PAGE: usize = 4096;
    let (mut bytes, mut at) = (Vec::new(), 0);
    while at < length {
        let from = pointer.wrapping_add(at);
        let size = (PAGE - from.addr() % PAGE).min(length - at);
        let mut page = [0; PAGE];
        match platform::copy(from, &mut page[..size]) {
            Ok(read) if read == size => bytes.extend_from_slice(&page[..size]),
            Err(error) if error.raw_os_error() != Some(libc::EFAULT) => {
                // The system does not let a process ask, so read the buffer as a driver would.
                // SAFETY: the application promises the buffer to be as long as it says.
                bytes.extend_from_slice(unsafe { super::memory::bytes(from, size) });
            }
            _ => return None,
        }
        at += size;
        if let Some(unit) = unit
            && let Some(end) = bytes.chunks_exact(unit).position(|unit| unit.iter().all(|byte| *byte == 0))
        {
            bytes.truncate(end * unit);
            break;
        }
    }
    Some(bytes)
}
