//! super8: an ODBC driver that records a program's session with the real driver and replays it without one.
//!
//! A call goes one way: [`entry`] (the C functions, derived from the one [`table`]) → the panic guard → [`handles`] →
//! [`mode`] (off, record, replay) → the real driver ([`driver`], [`real`]) or the cassette (`super8-cassette`). The
//! code before the cassette uses only ODBC's terms, and the code of the cassette only its own; `mode` translates.
//! docs/safety.md lists the places with `unsafe` code and their invariants.

pub mod append;
pub mod args;
pub mod call;
pub mod cassettes;
pub mod config;
pub mod connecting;
pub mod convert;
pub mod descriptor;
pub mod diagnostics;
pub mod driver;
pub mod entry;
pub mod exit;
mod facts;
pub mod handles;
pub mod inserted;
pub mod interface;
pub mod mode;
mod per_process;
pub mod platform;
pub mod pooling;
pub mod real;
pub mod report;
pub mod run;
pub mod support;
pub mod table;
pub mod verdict;
