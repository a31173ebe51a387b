//! The arguments of one call, decoded once, so that the rest of the code need not distinguish ANSI from Unicode.
//!
//! This is one of the places with `unsafe` code (docs/safety.md). The entry points make its types from pointers that
//! the application promises to be valid for the call (or, for bound buffers, until they are unbound). After that they
//! are used through safe methods only.

mod number;
mod out;
mod place;
pub mod shape;
mod text;

pub use number::{LengthOut, NumberOut, SizedOut, Watched, WatchedNumber, WrittenNumber};
pub use out::{Buffer, Out, Reply, TextOut, Unit, WatchedOut};
pub use place::{OwnMemory, Place};
pub use text::{Character, TextIn, decode_bytes, decode_wide, encode_bytes, encode_wide, has_stray_bytes};

/// A named input of a question or of a catalog function.
#[derive(Clone, Copy)]
pub enum In<'a> {
    /// A number.
    Int(i64),
    /// A text; reading a null pointer gives `None`.
    Text(TextIn<'a>),
}

/// A data buffer of the application, as SQLBindCol, SQLBindParameter, SQLGetData and the descriptor functions describe
/// it. Also a record of an application descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The C type (`SQL_C_...`).
    pub c_type: i16,
    /// The data.
    pub target: Place,
    /// The buffer's length in bytes, as the application gave it.
    pub capacity: isize,
    /// Where the octet length goes or comes from (SQLLEN).
    pub length: Place,
    /// Where the NULL indicator goes or comes from (SQLLEN); usually the same place as `length`.
    pub indicator: Place,
    /// SQL_DESC_PRECISION and SQL_DESC_SCALE, if the application set them on the descriptor.
    pub numeric: Option<(u8, i8)>,
}

impl Binding {
    /// Returns a buffer whose length and NULL indicator are the same variable, as in every function except the
    /// descriptors'.
    pub fn new(c_type: i16, target: Place, capacity: isize, length: Place) -> Self {
        Binding { c_type, target, capacity, length, indicator: length, numeric: None }
    }

    /// Returns whether there is neither a buffer nor a place for a length or indicator.
    pub fn is_empty(&self) -> bool {
        self.target.is_null() && self.length.is_null() && self.indicator.is_null()
    }
}

/// The implementation side of SQLBindParameter.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// `SQL_PARAM_INPUT` and so on.
    pub io: i16,
    /// The SQL type.
    pub sql_type: i16,
    /// The column size.
    pub size: usize,
    /// The decimal digits.
    pub digits: i16,
}
