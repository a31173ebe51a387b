//! Opening cassettes to be looked at.

use crate::exit::Failure;
use std::path::Path;
use super8_cassette::{Cassette, Metadata};

/// A cassette that is only read, and its metadata.
pub struct Opened {
    /// The storage.
    pub storage: Box<dyn Cassette>,
    /// Its metadata.
    pub metadata: Metadata,
}

/// Opens the cassette at `path`.
///
/// # Errors
/// There is none, it is no cassette, or one of another version.
pub fn open(path: &Path) -> Result<Opened, Failure> {
    let storage = super8_cassette::open(path)?;
    let metadata = storage.metadata()?;
    Ok(Opened { storage, metadata })
}
