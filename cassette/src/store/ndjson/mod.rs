//! A cassette as one append-only file with one JSON object per line.

mod catalogue;
mod id;
mod json;
mod line;
mod lines;
mod record;
mod recover;
mod rows;
mod trace;
mod writing;

pub use id::{TraceId, TraceIdError, Traceparent};
pub use record::Spans;
pub(super) use recover::{recover, trace_at, unpublished};
pub use trace::{Trace, traces};
