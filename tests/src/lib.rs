//! What the end-to-end tests (and `cargo xtask demo`) are made of: databases that live in a scratch directory, ODBC
//! configurations that touch nobody's `/etc`, real programs, and the four ways each of them is run.
//!
//! A test reads: *this program, over this driver, prints the same bare, with super8 off, recorded and replayed*. See
//! [`ways::four_ways`]; what does not fit that goes through [`format::in_both_formats`]. Nothing here speaks ODBC; programs
//! do, in processes of their own.

pub mod browser;
pub mod c_compiler;
pub mod cassette_files;
pub mod compare;
pub mod configuration;
pub mod conversion;
pub mod database;
pub mod desk;
pub mod driver;
pub mod format;
pub mod mariadb;
pub mod mutation;
pub mod node;
pub mod outcome;
pub mod packages;
pub mod page;
pub mod postgres;
pub mod products;
pub mod program;
pub mod python;
pub mod scratch;
pub mod server;
pub mod tds;
pub mod trap;
pub mod valgrind;
pub mod ways;
