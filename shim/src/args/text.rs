//! Text arguments: ANSI bytes or UTF-16, counted or terminated, read into one kind of string.
//!
//! ANSI text is kept byte for byte. Valid UTF-8 is taken as that, and any other byte becomes U+10FF00 plus the byte, a
//! code point that no text uses. A lone UTF-16 surrogate is kept the same way, as U+F0000 plus its offset from U+D800.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::marker::PhantomData;

/// SQL_NTS: the text ends at its first zero.
const NTS: isize = odbc_sys::NTS;
const STRAY_BYTE: u32 = 0x10_FF00;
const STRAY_SURROGATE: u32 = 0xF_0000;

/// A character of an entry point: one byte in the ANSI functions, one UTF-16 unit in the Unicode functions.
pub trait Character: Copy + 'static {
    /// Whether this is the Unicode side.
    const WIDE: bool;
    /// The terminator.
    const ZERO: Self;
    /// Returns the text's characters, without a terminator.
    fn units(text: &str) -> Vec<Self>;
    /// Returns the text up to the first terminator.
    fn text(units: &[Self]) -> String;
}

impl Character for u8 {
    const WIDE: bool = false;
    const ZERO: u8 = 0;

    fn units(text: &str) -> Vec<u8> {
        encode_bytes(text)
    }

    fn text(units: &[u8]) -> String {
        decode_bytes(units.split(|unit| *unit == 0).next().unwrap_or_default())
    }
}

impl Character for u16 {
    const WIDE: bool = true;
    const ZERO: u16 = 0;

    fn units(text: &str) -> Vec<u16> {
        encode_wide(text)
    }

    fn text(units: &[u16]) -> String {
        decode_wide(units.split(|unit| *unit == 0).next().unwrap_or_default())
    }
}

/// A text argument: a pointer and a length in characters, or SQL_NTS.
#[derive(Clone, Copy)]
pub struct TextIn<'a> {
    pointer: *const c_void,
    length: isize,
    wide: bool,
    call: PhantomData<&'a ()>,
}

impl TextIn<'_> {
    /// Returns the text at `pointer`.
    ///
    /// # Safety
    /// `pointer` is null, or points to `length` characters, or to a terminated text if `length` is SQL_NTS.
    pub unsafe fn new<C: Character>(pointer: *const C, length: isize) -> Self {
        TextIn { pointer: pointer.cast(), length, wide: C::WIDE, call: PhantomData }
    }

    /// Reads the text. Returns `None` for a null pointer, and an empty text for a negative length other than SQL_NTS.
    pub fn read(&self) -> Option<String> {
        if self.pointer.is_null() {
            return None;
        }
        // SAFETY: the promise made to `new`.
        Some(unsafe {
            if self.wide {
                decode_wide(&wide_units(self.pointer.cast(), self.length))
            } else {
                decode_bytes(bytes(self.pointer.cast(), self.length))
            }
        })
    }
}

unsafe fn bytes<'a>(pointer: *const u8, length: isize) -> &'a [u8] {
    let count = match length {
        // SAFETY: SQL_NTS promises a terminator.
        NTS => unsafe { std::ffi::CStr::from_ptr(pointer.cast()) }.count_bytes(),
        _ => usize::try_from(length).unwrap_or(0),
    };
    // SAFETY: the caller promises that many bytes.
    unsafe { std::slice::from_raw_parts(pointer, count) }
}

/// Copies the units out, because applications need not align their text.
unsafe fn wide_units(pointer: *const u16, length: isize) -> Vec<u16> {
    let mut units = Vec::new();
    let count = if length == NTS { usize::MAX } else { usize::try_from(length).unwrap_or(0) };
    for index in 0..count {
        // SAFETY: within the count, or before the terminator.
        let unit = unsafe { pointer.add(index).read_unaligned() };
        if length == NTS && unit == 0 {
            break;
        }
        units.push(unit);
    }
    units
}

/// Returns the text of ANSI bytes, in which stray bytes are kept.
pub fn decode_bytes(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().filter_map(|byte| char::from_u32(STRAY_BYTE + u32::from(*byte))));
    }
    text
}

/// Returns the text of UTF-16 units, in which lone surrogates are kept.
pub fn decode_wide(units: &[u16]) -> String {
    char::decode_utf16(units.iter().copied())
        .filter_map(|unit| match unit {
            Ok(character) => Some(character),
            Err(lone) => char::from_u32(STRAY_SURROGATE + u32::from(lone.unpaired_surrogate() - 0xD800)),
        })
        .collect()
}

/// Returns whether a text has bytes that are not UTF-8.
pub fn has_stray_bytes(text: &str) -> bool {
    text.as_bytes().contains(&0xF4) && text.chars().any(|character| u32::from(character) >= STRAY_BYTE)
}

/// Returns the ANSI bytes from which `decode_bytes` made the text.
pub fn encode_bytes(text: &str) -> Vec<u8> {
    // A stray byte's character begins with this byte, and hardly any text has one.
    if !text.as_bytes().contains(&0xF4) {
        return text.as_bytes().to_vec();
    }
    let mut bytes = Vec::with_capacity(text.len());
    for character in text.chars() {
        match u32::from(character) {
            code @ STRAY_BYTE..=0x10_FFFF => bytes.push((code - STRAY_BYTE) as u8),
            _ => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}

/// Returns the UTF-16 units from which `decode_wide` made the text.
pub fn encode_wide(text: &str) -> Vec<u16> {
    let mut units = Vec::with_capacity(text.len());
    for character in text.chars() {
        match u32::from(character) {
            code @ STRAY_SURROGATE..=0xF_07FF => units.push((code - STRAY_SURROGATE) as u16 + 0xD800),
            _ => units.extend_from_slice(character.encode_utf16(&mut [0; 2])),
        }
    }
    units
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ansi_text_comes_back_byte_for_byte() {
        for bytes in [&b"plain"[..], "h\u{e9}llo \u{1F600}".as_bytes(), b"latin1 \xe9\xff end", b""] {
            assert_eq!(encode_bytes(&decode_bytes(bytes)), bytes);
        }
        assert_eq!(decode_bytes("caf\u{e9}".as_bytes()), "caf\u{e9}");
    }

    #[test]
    fn wide_text_comes_back_unit_for_unit() {
        for units in [vec![0x41, 0xD83D, 0xDE00, 0x42], vec![0xD800], vec![0xDC00, 0xD800, 0x41], vec![]] {
            assert_eq!(encode_wide(&decode_wide(&units)), units);
        }
    }

    #[test]
    fn lengths_and_null_pointers() {
        let text = b"select 1\0rest";
        // SAFETY: `text` outlives the reads.
        unsafe {
            assert_eq!(TextIn::new(text.as_ptr(), NTS).read().as_deref(), Some("select 1"));
            assert_eq!(TextIn::new(text.as_ptr(), 6).read().as_deref(), Some("select"));
            assert_eq!(TextIn::new(text.as_ptr(), -7).read().as_deref(), Some(""));
            assert_eq!(TextIn::new(std::ptr::null::<u16>(), 3).read(), None);
        }
    }
}
