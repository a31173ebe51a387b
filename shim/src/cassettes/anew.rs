//! The cassettes that are recorded while others are replayed: `super8 replay --record-failed` runs a command again for those whose
//! replay failed.

use crate::config::variables::RECORDED_ANEW;
use once_cell::sync::Lazy;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

static NAMED: Lazy<Vec<PathBuf>> = Lazy::new(|| {
    let file = std::env::var_os(RECORDED_ANEW).filter(|file| !file.is_empty());
    let names = file.and_then(|file| std::fs::read(file).ok()).unwrap_or_default();
    let named = names.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    named.map(|name| PathBuf::from(OsStr::from_bytes(name))).collect()
});

/// Whether the cassette in this directory is to be recorded although the mode says replay.
pub(super) fn is_recorded(directory: &Path) -> bool {
    NAMED.iter().any(|named| named == directory)
}
