//! A recording. It grows in its staging place. Once it is complete it is published under its name, and grows there if the
//! program goes on.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::interface::{Growing, OpenRun};
use super::log::Append;
use super::recover::RowsJournal;
use super::staging::{Lock, claim};
use crate::{CassetteError, Metadata};

/// What is different about a recording in each format.
pub(super) trait Layout: Send {
    /// Returns the log of a recording at `root`.
    fn log(&self, root: &Path) -> PathBuf;

    /// Returns the journal of its rows.
    fn journal(&self, root: &Path, target: &Path) -> PathBuf;

    /// Refuses a target that is neither free nor only a cassette of this format, because publishing would replace it.
    fn check_target(&self, target: &Path) -> Result<(), CassetteError>;

    /// Creates the place in which a recording is staged.
    fn make(&self, staging: &Path) -> io::Result<()>;

    /// Removes what a process that died left there.
    fn empty(&self, staging: &Path, target: &Path) -> Result<(), CassetteError>;

    /// Looks at the cassette that will be replaced, and locks it.
    fn previous(&mut self, target: &Path) -> Result<Option<Lock>, CassetteError>;

    /// Creates the empty log.
    fn create_log(&mut self, root: &Path) -> io::Result<Box<dyn Append>>;

    /// Counts bytes that were appended to the log.
    fn appended(&self, _bytes: usize) {}

    /// Writes the metadata.
    fn begin(&mut self, root: &Path, log: &mut dyn Append, metadata: &Metadata) -> Result<(), CassetteError>;

    /// Writes into the metadata that the recording is complete. `replaces` is the cassette in whose place it will be published.
    fn complete(
        &mut self,
        root: &Path,
        replaces: Option<&Path>,
        log: &mut dyn Append,
        metadata: &Metadata,
    ) -> Result<(), CassetteError>;

    /// Writes into the metadata that the recording is not complete any more.
    fn resume(&mut self, root: &Path, metadata: &Metadata) -> Result<(), CassetteError>;

    /// Moves the staged recording to `target`, and replaces what is there.
    fn publish(&self, staging: &Path, target: &Path) -> Result<(), CassetteError>;

    /// Returns where a discarded recording of `target` is kept.
    fn kept(&self, target: &Path, keep: &Path) -> PathBuf;

    /// Removes the staging place.
    fn remove(&self, staging: &Path) -> io::Result<()>;

    /// Closes all open files.
    fn close(&mut self);
}

/// How far a recording has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing is on disk.
    Idle,
    /// It grows in its staging place.
    Staged,
    /// It is published under its name.
    Published,
    /// It was discarded, so what is appended is dropped.
    Discarded,
}

/// A recording in one of the formats.
pub(super) struct Recording<L> {
    pub(super) layout: L,
    target: PathBuf,
    metadata: Metadata,
    phase: Phase,
    /// Whether it is marked as complete. Appending makes it incomplete until the next time.
    complete: bool,
    /// Where it is now.
    root: Arc<PathBuf>,
    log: Option<Box<dyn Append>>,
    /// What is known of rows whose entry is not written yet.
    journal: Option<RowsJournal>,
    lock: Option<Lock>,
    /// The lock on the previous cassette, so that nobody else replaces it before we do.
    previous: Option<Lock>,
}

impl<L: Layout> Recording<L> {
    /// Makes a recording that will be published at `target`. Creates nothing before something is appended.
    pub(super) fn new(layout: L, target: PathBuf, metadata: Metadata) -> Self {
        let (log, journal, lock, previous) = (None, None, None, None);
        let (root, phase, complete) = (Arc::new(super::staging::staging(&target)), Phase::Idle, false);
        Recording { layout, target, metadata, phase, complete, root, log, journal, lock, previous }
    }

    /// Returns where it is now.
    pub(super) fn root(&self) -> &Arc<PathBuf> {
        &self.root
    }

    /// Prepares the recording for appending. Returns false if it was discarded.
    pub(super) fn ready(&mut self) -> Result<bool, CassetteError> {
        match self.phase {
            Phase::Idle => self.start()?,
            Phase::Discarded => return Ok(false),
            _ if self.complete => {
                if !self.is_there() {
                    return Err(self.lost());
                }
                self.layout.resume(&self.root, &self.metadata)?;
                self.complete = false;
            }
            _ => {}
        }
        Ok(true)
    }

    fn start(&mut self) -> Result<(), CassetteError> {
        self.layout.check_target(&self.target)?;
        let (root, lock) = claim(&self.target, |path| self.layout.make(path))?;
        self.layout.empty(&root, &self.target)?;
        let previous = self.layout.previous(&self.target);
        self.previous = previous.inspect_err(|_| _ = self.layout.remove(&root))?;
        let path = self.layout.log(&root);
        let log = self.layout.create_log(&root).map_err(|error| CassetteError::io(&path, "create", &error))?;
        (self.root, self.lock, self.phase) = (Arc::new(root), Some(lock), Phase::Staged);
        let log = self.log.insert(log);
        self.layout.begin(&self.root, &mut **log, &self.metadata)
    }

    /// Says whether the recording is still under its name.
    fn is_there(&self) -> bool {
        self.lock.as_ref().is_some_and(|lock| lock.is_at(&self.root).unwrap_or(false))
    }

    /// Makes the error for a recording that was removed or replaced while it grew.
    pub(super) fn lost(&self) -> CassetteError {
        let root = self.root.display();
        let problem =
            format!("{root} was removed or replaced while this process recorded there; the recording is lost");
        CassetteError::new(&self.target, problem).advice("leave it alone until the process has ended, and record again")
    }

    fn log_error(&self) -> impl Fn(io::Error) -> CassetteError {
        let path = self.layout.log(&self.root);
        move |error| write_error(&path, &error)
    }
}

impl<L: Layout> Growing for Recording<L> {
    fn begin(&mut self) -> Result<(), CassetteError> {
        match self.phase {
            Phase::Idle => self.start(),
            Phase::Discarded => Ok(()),
            _ if !self.is_there() => Err(self.lost()),
            _ => Ok(()),
        }
    }

    /// Whenever it asks the disk for room, it also checks that the recording is still under its name.
    fn reserve(&mut self, bytes: usize) -> Result<(), CassetteError> {
        let Some(log) = &mut self.log else { return Ok(()) };
        let asked = log.reserve(bytes);
        match asked.map_err(|error| self.log_error()(error))? {
            true if !self.is_there() => Err(self.lost()),
            _ => Ok(()),
        }
    }

    fn append(&mut self, encoded: &[u8]) -> Result<(), CassetteError> {
        if !self.ready()? {
            return Ok(());
        }
        let Some(log) = &mut self.log else { return Err(self.lost()) };
        let appended = log.append(encoded);
        appended.map_err(|error| self.log_error()(error))?;
        self.layout.appended(encoded.len());
        Ok(())
    }

    fn note_rows(&mut self, open: &OpenRun<'_>) -> Result<(), CassetteError> {
        if !self.ready()? {
            return Ok(());
        }
        let path = || self.layout.journal(&self.root, &self.target);
        let journal = self.journal.get_or_insert_with(|| RowsJournal::at(path()));
        journal.append(open).map_err(|error| write_error(journal.path(), &error))
    }

    fn give_back(&mut self) -> Result<(), CassetteError> {
        let given = self.log.as_mut().map_or(Ok(()), |log| log.give_back());
        given.map_err(|error| self.log_error()(error))
    }

    fn complete(&mut self) -> Result<(), CassetteError> {
        if matches!(self.phase, Phase::Idle | Phase::Discarded) || self.complete {
            return Ok(());
        }
        if let Some(mut journal) = self.journal.take() {
            journal.remove().map_err(|error| CassetteError::io(journal.path(), "remove", &error))?;
        }
        let Some(log) = &mut self.log else { return Err(self.lost()) };
        let replaces = Some(&*self.target).filter(|_| self.phase == Phase::Staged);
        self.layout.complete(&self.root, replaces, &mut **log, &self.metadata)?;
        self.complete = true;
        Ok(())
    }

    fn publish(&mut self) -> Result<(), CassetteError> {
        self.complete()?;
        if self.phase != Phase::Staged {
            return Ok(());
        }
        if !self.is_there() {
            return Err(self.lost());
        }
        if let Err(error) = self.layout.publish(&self.root, &self.target) {
            // a recording that stays in the staging place must not count as complete
            let _ = self.layout.resume(&self.root, &self.metadata);
            self.complete = false;
            return Err(error);
        }
        (self.root, self.phase, self.previous) = (Arc::new(self.target.clone()), Phase::Published, None);
        Ok(())
    }

    fn withdraw(&mut self) -> Result<bool, CassetteError> {
        let in_place = self.phase == Phase::Published;
        self.discard(None).map(|()| !in_place)
    }

    fn discard(&mut self, keep: Option<&Path>) -> Result<(), CassetteError> {
        let without_journal = match (keep, self.journal.take()) {
            (None, Some(mut journal)) => {
                journal.remove().map_err(|error| CassetteError::io(journal.path(), "remove", &error))
            }
            (_, journal) => {
                self.journal = journal;
                Ok(())
            }
        };
        let given_up = match (self.phase, keep) {
            (Phase::Staged, Some(keep)) => {
                let kept = self.layout.kept(&self.target, keep);
                self.complete().and_then(|()| self.layout.publish(&self.root, &kept))
            }
            (Phase::Staged, None) => {
                self.layout.remove(&self.root).map_err(|error| CassetteError::io(&self.root, "remove", &error))
            }
            (Phase::Published, Some(_)) => self.complete().and(Err(in_place(&self.target))),
            _ => Ok(()),
        };
        self.layout.close();
        // somebody else may record the cassette from now on
        (self.log, self.journal, self.lock, self.previous) = (None, None, None, None);
        self.phase = Phase::Discarded;
        given_up.and(without_journal)
    }
}

/// Makes the error for a recording that cannot be discarded any more.
fn in_place(target: &Path) -> CassetteError {
    CassetteError::new(target, "the recording is in its place already, and the cassette before it is gone")
        .advice("insert the cassette with super8_insert, or record under `super8 record`")
}

/// The advice for a recording that cannot grow.
pub(super) const NOT_COMPLETE: &str =
    "the recording is not complete: make room or correct the permissions, then record again";

/// Makes the error for a recording that cannot grow.
pub(super) fn write_error(path: &Path, error: &io::Error) -> CassetteError {
    CassetteError::io(path, "write", error).advice(NOT_COMPLETE)
}

/// Makes the error for a recording that could not be published.
pub(super) fn publish_error(staging: &Path, target: &Path, error: &io::Error) -> CassetteError {
    CassetteError::io(target, "put the recording in place", error)
        .advice(format!("the recording is kept in {}", staging.display()))
}
