//! Converts values between the application's memory and the cassette.
//!
//! Recording reads what the driver wrote ([`read()`], [`Pieces`] for SQLGetData, [`param`] for input parameters), and
//! replay writes it back ([`write()`]). The same C type gives the same bytes; another one is converted as Appendix D of
//! the ODBC reference says (`matrix`). docs/conversions.md says what is exact and what is derived.
//!
//! Only `memory`, `target` and the functions that call them touch application memory. Everything else here is safe code
//! over byte arrays.

pub mod bound;
mod cell_text;
mod conversion;
pub mod ctype;
mod datetime;
mod decimal;
mod fixed;
mod interval;
mod matrix;
mod memory;
pub mod observer;
pub mod param;
mod pieces;
mod read;
mod source;
mod target;
mod to_datetime;
mod to_number_or_text;
mod today;
mod utf16;
mod write;

#[cfg(test)]
mod tests;

pub use conversion::Written;
pub use ctype::CType;
pub use pieces::Pieces;
pub use read::{Length, read};
pub use source::{fits, fits_named};
pub use target::{Progress, Target};
pub use write::{write, write_text};
