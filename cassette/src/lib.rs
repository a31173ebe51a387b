//! The super8 cassette: what a recorded ODBC session looks like on disk, and in which order it is played back.
//!
//! Nothing here knows ODBC or C. The driver translates calls into [`Entry`] values and rows into [`Row`] values;
//! a [`Recorder`] gives them ids and appends them, a [`Player`] hands them out again in the recorded order.
#![forbid(unsafe_code)]

pub mod append;
pub mod cell;
pub mod check;
pub mod convert;
pub mod directory;
pub mod entry;
pub mod error;
mod files;
pub mod inline;
pub mod metadata;
pub mod ndjson;
pub mod open;
pub mod player;
pub mod process;
pub mod processes;
pub mod recorder;
pub mod redaction;
pub mod row;
mod rows_journal;
pub mod rows_reader;
mod scan;
pub mod schema;
mod sets;
pub mod state;
pub mod storage;
pub mod text;
pub mod value;
mod window;
pub mod words;
pub mod yaml;

pub use append::{Append, MakeAppend, WriteAppend, allocate, allocate_ahead, within_limit};
pub use cell::{Cell, CellError, CutCell};
pub use convert::{Conversion, convert};
pub use directory::{Directory, Recovered, recover, staging_directory, unpublished};
pub use entry::{ConnectionId, Entry, Fields, Head};
pub use error::{CassetteError, ErrorKind};
pub use metadata::{AnswerRules, DriverFacts, Metadata, Order};
pub use ndjson::{Spans, Trace, TraceId, TraceIdError, Traceparent};
pub use open::{Format, create, open};
pub use player::{
    Fetched, Mismatch, MismatchKind, PlayOptions, PlayedRun, Player, Scrolled, Tickets, Unplayed, Volatile,
};
pub use player::{columns, summary};
pub use processes::{
    cassette_of_part, directory_of, parts_directory, parts_of, parts_with_recordings, remove_parts, same_part,
    with_parts, with_parts_or_alone,
};
pub use recorder::{KnownAnswers, PendingColumns, RecordOptions, Recorder, Run, RunGuard};
pub use redaction::{Redaction, SHORTEST_SECRET, Secrets};
pub use row::Row;
pub use rows_reader::RowsReader;
pub use schema::{Key, Method};
pub use sets::entry as whole_entry;
pub use state::{State, state};
pub use storage::{Cassette, Contents, OpenRun, Part, Place, RowsPart, RowsSource};
pub use text::shell;
pub use value::{Value, float_text};
