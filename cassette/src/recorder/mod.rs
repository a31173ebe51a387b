//! Recording: what happens on connections becomes a cassette.
//!
//! [`core`] has the recorder, [`run`] the rows of a statement on their way from the application, [`rows`] on their way to disk.

mod answers;
mod connection_info;
mod core;
mod kept_texts;
mod late_secrets;
mod numbering;
mod rows;
mod run;
mod volatile_marks;

pub use answers::KnownAnswers;
pub use core::{PendingColumns, RecordOptions, Recorder};
pub use run::{Run, RunGuard};

#[cfg(test)]
mod tests;
