//! The cassettes that are recorded while others are replayed. `super8 replay --record-failed` runs a command again to
//! record those whose replay failed.

use crate::config::variables::RECORDED_ANEW;
use crate::per_process::PerProcess;
use crate::verdict;
use once_cell::sync::Lazy;
use parking_lot::Mutex;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

static NAMED: Lazy<Vec<PathBuf>> = Lazy::new(|| {
    let file = std::env::var_os(RECORDED_ANEW).filter(|file| !file.is_empty());
    let names = file.and_then(|file| std::fs::read(file).ok()).unwrap_or_default();
    let named = names.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    named.map(|name| PathBuf::from(OsStr::from_bytes(name))).collect()
});

/// The cassettes that were already reported because they share a connection.
static ADVISED: PerProcess<Mutex<Vec<PathBuf>>> = PerProcess::new();

/// Reports that a connection cannot go on from a recorded cassette in a replayed one, or the other way round: the
/// replayed one of the two has to be recorded as well.
pub(super) fn share_a_connection(replayed: &Path) {
    if NAMED.is_empty() {
        return;
    }
    let mut advised = ADVISED.get().lock();
    if !advised.iter().any(|known| known == replayed) {
        advised.push(replayed.to_owned());
        verdict::shares(replayed);
    }
}

/// Returns whether the cassette in this directory is to be recorded although the mode is replay.
pub(super) fn is_recorded(directory: &Path) -> bool {
    NAMED.iter().any(|named| named == directory)
}
