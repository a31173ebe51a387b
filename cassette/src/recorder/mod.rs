//! Writes a cassette while a program runs.
//!
//! [`core`] has the recorder, and [`info`] the part of it that is asked about connections. [`run`] takes the rows of a statement from
//! the application, and [`rows`] brings them to disk.

mod answers;
mod carried_over;
mod connection_info;
mod core;
mod info;
mod late_secrets;
mod numbering;
mod rows;
mod run;

pub use answers::KnownAnswers;
pub use core::{PendingColumns, RecordOptions, Recorder};
pub use run::{Run, RunGuard};

#[cfg(test)]
mod tests;
