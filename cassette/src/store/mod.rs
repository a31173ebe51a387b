//! Where a cassette is kept: one interface, two formats, and what the formats have in common.
//!
//! The rest of the crate knows a store by [`interface`]. A [`recording`] is staged ([`staging`]) and grows at the end
//! of its [`log`], with a journal of rows whose entry is still to come. It is then published or, if its process dies,
//! recovered ([`mod@recover`]). [`directory`] and [`ndjson`] have what is different about their files.
//! [`mod@open`] finds out which of them a name stands for.

pub mod by_hand;
pub mod directory;
mod interface;
mod log;
pub mod ndjson;
mod open;
mod recording;
mod recover;
mod staging;

pub use interface::info_file;
pub use interface::info_member;
pub use interface::{Contents, EntryRef, Growing, Member, OpenRun, RowBlock, RowsSource, RowsWriter, Store};
pub(crate) use log::ENTRY_ROOM;
pub use log::{Append, MakeAppend, Room, WriteAppend, allocate, allocate_ahead, within_limit};
pub use open::{
    Format, State, cassette_of_part, create, directory_of, failed_directory, open, open_directory, parts_directory,
    parts_of, parts_with_recordings, recover, remove_failed, remove_parts, same_part, state, unpublished, with_parts,
    with_parts_or_alone,
};
pub use recover::Recovered;
pub use staging::staging as staging_directory;
