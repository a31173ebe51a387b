//! Column 0, the bookmark: what C type it really has, and how long bookmarks are.
//!
//! ODBC reference: "Bookmark Types" and SQLBindCol. SQL_C_BOOKMARK is a 64-bit number in the header; the drivers there are
//! write 32 bits, and step through an array of them by 32 bits, unless they report a length of 8.

use crate::args::Binding;
use crate::convert::CType;

/// SQL_UB_VARIABLE.
const VARIABLE: usize = 2;

/// The C type of a bookmark in this buffer, once the driver has written its length.
pub fn c_type(binding: &Binding, use_bookmarks: usize) -> CType {
    match CType(binding.c_type) {
        CType::DEFAULT if use_bookmarks == VARIABLE => CType::BINARY,
        CType::DEFAULT | CType::UBIGINT => match binding.length.len_at(0) {
            Some(8) => CType::UBIGINT,
            _ => CType::ULONG,
        },
        other => other,
    }
}

/// Bytes of a bookmark, from its field in a row.
pub fn size(field: &[u8], c_type: CType) -> Option<usize> {
    c_type.fixed_size().or_else(|| Some(field.strip_prefix(b"\\x")?.len() / 2))
}

/// The C type a recorded bookmark is served as: a number is the number it was, whatever the header calls it.
pub fn served_as(asked: CType, recorded: CType) -> CType {
    match asked {
        CType::DEFAULT => recorded,
        asked if asked.is_integer() && recorded.is_integer() => recorded,
        asked => asked,
    }
}
