//! Helpers for the end-to-end tests (and `cargo xtask demo`): databases in a scratch directory, ODBC configurations
//! that leave `/etc` alone, real programs, and the four ways to run them.
//!
//! A test reads: *this program, over this driver, prints the same bare, with super8 off, recorded and replayed*. See
//! [`ways::four_ways`]; tests that do not fit this pattern use [`format::in_both_formats`]. Nothing here calls ODBC;
//! only the programs do, in processes of their own.

pub mod browser;
pub mod c_compiler;
pub mod cassette_files;
pub mod compare;
pub mod configuration;
pub mod container;
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
