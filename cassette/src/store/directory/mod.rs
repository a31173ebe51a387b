//! A cassette as one flat directory of readable files.

mod names;
mod publish;
mod reading;
mod recover;
mod store;
mod writing;

pub use names::{COMMANDS, GEM_CONNECTION, METADATA};
pub use publish::is_by_hand;
pub(crate) use publish::is_cassette;
pub(super) use publish::remove_recording;
pub use reading::member_path;
pub(super) use recover::{recover, unpublished};
pub use store::Directory;
