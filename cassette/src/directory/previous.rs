//! What stood under the cassette's name before this recording, and whether the recording came out the same.

use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

use super::lock::DirectoryLock;
use super::own::Own;
use super::staging::{is_cassette, refuse};
use super::{names, publish};
use crate::metadata::Metadata;
use crate::{CassetteError, files, yaml};

/// Number and size of a cassette's files, `metadata.yml` not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
}

/// The same, counted by the writers of a recording.
#[derive(Debug, Default)]
pub(crate) struct Counter {
    files: AtomicU64,
    bytes: AtomicU64,
}

impl Counter {
    pub(crate) fn add(&self, files: u64, bytes: u64) {
        self.files.fetch_add(files, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn totals(&self) -> Totals {
        Totals { files: self.files.load(Ordering::Relaxed), bytes: self.bytes.load(Ordering::Relaxed) }
    }
}

/// The directory under the cassette's name when the recording began.
#[derive(Debug, Default)]
pub(crate) struct Previous {
    /// Nobody else may replace it while we prepare to.
    pub(crate) lock: Option<DirectoryLock>,
    memory: Option<Memory>,
}

/// What is remembered of a complete cassette, to tell whether the next one is equal.
#[derive(Debug)]
struct Memory {
    text: Vec<u8>,
    metadata: Metadata,
    totals: Totals,
    digest: Option<[u8; 32]>,
}

/// Refuses a target that is neither free nor a cassette: it would be replaced.
pub(crate) fn check_target(target: &Path) -> Result<(), CassetteError> {
    let list = |error: io::Error| CassetteError::io(target, "list", &error);
    match fs::read_dir(target) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            Err(CassetteError::new(target, "is a file, and a cassette is a directory")
                .advice("name another place in SUPER8_CASSETTE"))
        }
        Err(error) => Err(list(error)),
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(Err(error)) => Err(list(error)),
            Some(Ok(_)) if is_cassette(target) && !is_foreign(target) => Ok(()),
            Some(Ok(_)) => Err(CassetteError::new(target, "is a directory with other things in it, not a cassette")
                .advice("name a directory of its own in SUPER8_CASSETTE; nothing was touched")),
        },
    }
}

/// Whether its `metadata.yml` is plainly another tool's. One that is empty or damaged may be the rest of ours.
fn is_foreign(target: &Path) -> bool {
    let path = target.join(names::METADATA);
    let read = files::read(&path).ok().and_then(|text| yaml::read_document(&text, &path).ok());
    read.is_some_and(|document| document.get("schema_version").is_none())
}

impl Previous {
    /// Looks at the target and locks it if it is a cassette.
    pub(crate) fn look(target: &Path) -> Result<Previous, CassetteError> {
        publish::restore(target)?;
        check_target(target)?;
        if !is_cassette(target) {
            return Ok(Previous::default());
        }
        let lock = match DirectoryLock::take(target) {
            Ok(Ok(lock)) => lock,
            Ok(Err(busy)) => return Err(refuse(target, busy)),
            Err(error) => return Err(CassetteError::io(target, "lock", &error)),
        };
        Ok(Previous { lock: Some(lock), memory: remember(target) })
    }

    /// The previous `metadata.yml` if the recording in `root` is equal to that cassette in everything but the clock.
    pub(crate) fn same(&mut self, root: &Path, totals: Totals, metadata: &Metadata) -> Option<Vec<u8>> {
        let memory = self.memory.as_ref()?;
        if memory.totals.files < totals.files || memory.totals.bytes < totals.bytes {
            // a recording only grows: it cannot become equal any more
            self.memory = None;
            return None;
        }
        let timeless = |metadata: &Metadata| Metadata { recorded_on: String::new(), ..metadata.clone() };
        if memory.totals != totals || timeless(&memory.metadata) != timeless(metadata) {
            return None;
        }
        (digest(root).ok()? == memory.digest?).then(|| memory.text.clone())
    }

    /// Reads the previous cassette's content once, before it goes, if the recording may still become equal to it.
    pub(crate) fn read(&mut self, target: &Path, totals: Totals) {
        if let Some(memory) = &mut self.memory
            && memory.digest.is_none()
            && memory.totals.files >= totals.files
            && memory.totals.bytes >= totals.bytes
        {
            // unreadable counts as different
            memory.digest = digest(target).ok();
        }
    }
}

fn remember(target: &Path) -> Option<Memory> {
    let path = target.join(names::METADATA);
    let text = files::read(&path).ok()?;
    let metadata = Metadata::from_value(&yaml::read_document(&text, &path).ok()?, &path).ok()?;
    let (mut totals, own) = (Totals::default(), Own::of(target).ok()?);
    for entry in fs::read_dir(target).ok()? {
        let entry = entry.ok()?;
        if own.has(&entry.file_name()) && entry.file_name() != names::METADATA {
            totals.files += 1;
            totals.bytes += entry.metadata().ok()?.len();
        }
    }
    metadata.complete.then_some(Memory { text, metadata, totals, digest: None })
}

/// A digest of the names and contents of a cassette's files, `metadata.yml` and the user's own left out.
fn digest(root: &Path) -> io::Result<[u8; 32]> {
    let (mut files, own) = (Vec::new(), Own::of(root)?);
    for entry in fs::read_dir(root)? {
        let name = entry?.file_name();
        if own.has(&name) && name != names::METADATA {
            files.push(name);
        }
    }
    files.sort();
    let (mut sum, mut block) = (Sha256::new(), vec![0; 64 * 1024]);
    for name in files {
        let mut file = files::open(&root.join(&name))?;
        sum.update(name.as_encoded_bytes());
        sum.update([0]);
        sum.update(file.metadata()?.len().to_le_bytes());
        loop {
            match file.read(&mut block) {
                Ok(0) => break,
                Ok(count) => sum.update(&block[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(sum.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_tools_metadata_makes_no_cassette() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join(names::METADATA);
        for (text, foreign) in
            [("name: shop\nversion: 1\n", true), ("- 1\n", true), ("", false), ("schema_version: 3\n", false)]
        {
            fs::write(&path, text).unwrap();
            assert_eq!(check_target(parent.path()).is_err(), foreign, "{text:?}");
        }
    }
}
