//! The super8 cassette: what a recorded ODBC session looks like on disk, and in which order it is played back.
//!
//! Nothing here knows ODBC or C. The driver translates calls into [`Entry`] values and rows into [`Row`] values. A
//! [`Recorder`] gives them ids and appends them to a [`Store`]. Another crate, super8-matching, plays them.
#![forbid(unsafe_code)]

pub mod cell;
pub mod check;
pub mod comments;
pub mod convert;
pub mod details;
pub mod entry;
pub mod error;
pub mod faults;
mod files;
pub mod inline;
pub mod metadata;
pub mod platform;
pub mod process;
pub mod recorder;
pub mod redaction;
pub mod row;
pub mod rows_reader;
mod scan;
pub mod schema;
pub mod sets;
pub mod store;
pub mod summary;
pub mod text;
pub mod trim;
pub mod value;
pub mod volatile;
pub mod volatile_rules;
pub mod words;
pub mod yaml;

pub use cell::{Cell, CellError, CutCell};
pub use convert::{Conversion, convert, convert_watched};
pub use details::Detail;
pub use entry::{ConnectionId, Entry, Fields, Head};
pub use error::{CassetteError, ErrorKind};
pub use metadata::{AnswerRules, DriverFacts, Metadata, Order, utc};
pub use process::Processes;
pub use recorder::{KnownAnswers, PendingColumns, RecordOptions, Recorder, Run, RunGuard};
pub use redaction::{Redaction, SHORTEST_SECRET, Secrets};
pub use row::Row;
pub use rows_reader::RowsReader;
pub use schema::{Key, Method};
pub use sets::{INLINE_SETS, entry as whole_entry};
pub use store::directory::Directory;
pub use store::ndjson::{Spans, Trace, TraceId, TraceIdError, Traceparent};
pub use store::{
    Append, Contents, EntryRef, Format, MakeAppend, Member, OpenRun, Recovered, Room, RowBlock, RowsSource, RowsWriter,
    State, Store, WriteAppend, allocate, allocate_ahead, by_hand, cassette_of_part, create, directory, directory_of,
    failed_directory, ndjson, open, open_directory, parts_directory, parts_of, parts_with_recordings, recover,
    remove_failed, remove_parts, same_part, staging_directory, state, unpublished, with_parts, with_parts_or_alone,
    within_limit,
};
pub use text::shell;
pub use value::{Value, float_text};
pub use volatile::Volatile;
pub use volatile_rules::VolatileRules;
