//! Recording: gives connections their ids, puts what happens into the log in order, publishes at the last disconnect.
//!
//! Locks are taken in one order: the log's, then a run's. Fetching takes the run's only, so it never waits for the log;
//! what ends a run lets go of the run's lock before it takes the log's.

mod facts;
mod informed;
mod kept;
mod known_answers;
mod parts;
mod pending_columns;
mod run;
mod threads;
mod written;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use crate::append::{Append, MakeAppend, WriteAppend};
use crate::directory::Directory;
use crate::metadata::{Metadata, Order};
use crate::redaction::{Redaction, Redactor, RowRules, Secrets};
use crate::schema::Class;
use crate::sets::Sets;
use crate::storage::Cassette;
use crate::{AnswerRules, CassetteError, ConnectionId, Entry, Fields, Key, Method, Value};
use facts::Facts;
use kept::Kept;
pub use known_answers::KnownAnswers;
use known_answers::ResultAnswers;
use parts::{Kind, Parts};
use pending_columns::Gathering;
pub use pending_columns::PendingColumns;
use run::RunCell;
pub use run::{Run, RunGuard};
use threads::Threads;

/// What a recording is to be.
#[derive(Clone)]
pub struct RecordOptions {
    /// The cassette's directory.
    pub directory: PathBuf,
    /// The order in which replay will want the commands. It also says which commands end a run of rows.
    pub order: Order,
    /// A run of up to this many rows stands in the log itself, if it has less than 64 KiB. A run of one always does.
    pub inline_rows: usize,
    /// The metadata; `complete` and `order` are filled in.
    pub metadata: Metadata,
    /// How the command log is appended to; `None`: one `write` per entry.
    pub append: Option<MakeAppend>,
}

/// So much room is set aside for an entry whose size is not known before the driver has answered: output parameters and
/// diagnostics are in it. What the application sends is counted beside it.
pub(crate) const ROOM: usize = 64 * 1024;

/// A cassette being recorded: one per cassette and process, shared by all connections and threads.
///
/// The first write that fails is returned for the call at hand and for every later one; such a recording is not published.
/// A process that forked keeps the recording to itself: in the child every call fails.
pub struct Recorder {
    storage: Box<dyn Cassette>,
    process: u32,
    order: Order,
    inline_rows: usize,
    failed: OnceLock<CassetteError>,
    redactor: Redactor,
    /// What was set by hand in the cassette that is recorded again.
    kept: OnceLock<Mutex<Kept>>,
    /// Whether an outcome was stored that is not the usual one.
    outcomes: AtomicBool,
    /// What is complete stays where it grew, for somebody else to publish.
    held: AtomicBool,
    /// It was given up.
    discarded: AtomicBool,
    /// The process is ending: nobody will publish what is still appended.
    ending: AtomicBool,
    /// What the process asks, shared with its other recordings.
    known: OnceLock<Arc<KnownAnswers>>,
    result_answers: Mutex<ResultAnswers>,
    answer_rules: OnceLock<AnswerRules>,
    threads: Threads,
    log: Mutex<Log>,
}

/// What is shared by all connections, under one lock.
#[derive(Default)]
struct Log {
    /// It has an entry.
    begun: bool,
    next_connection: u32,
    open_connections: Vec<ConnectionId>,
    runs: Vec<Arc<RunCell>>,
    parts: Parts,
    /// The columns file with this content.
    columns: HashMap<[u8; 32], String>,
    facts: Facts,
    gathering: Gathering,
    encoded: Vec<u8>,
}

impl Recorder {
    /// A recording into a directory. Nothing is created before the first entry.
    ///
    /// # Errors
    /// A target that is neither free nor a cassette.
    pub fn open(options: RecordOptions) -> Result<Arc<Recorder>, CassetteError> {
        let RecordOptions { directory, order, inline_rows, metadata, append } = options;
        let metadata = Metadata { complete: false, order, ..metadata };
        let plain: MakeAppend = Arc::new(|file| Ok(Box::new(WriteAppend::new(file)) as Box<dyn Append>));
        let storage = Directory::record(&directory, metadata, append.unwrap_or(plain))?;
        Ok(Recorder::with_storage(Box::new(storage), order, inline_rows))
    }

    /// A recording into any storage.
    pub fn with_storage(storage: Box<dyn Cassette>, order: Order, inline_rows: usize) -> Arc<Recorder> {
        let process = crate::process::id();
        let (failed, redactor, kept, outcomes, held, discarded, ending, threads, log) = Default::default();
        let (known, result_answers, answer_rules) = Default::default();
        Arc::new(Recorder {
            storage,
            process,
            order,
            inline_rows,
            failed,
            redactor,
            kept,
            outcomes,
            held,
            discarded,
            ending,
            known,
            result_answers,
            answer_rules,
            threads,
            log,
        })
    }

    /// Has values replaced by rules before they are written; to be said before anything is recorded.
    pub fn redact(&self, rules: Arc<Redaction>) {
        self.redactor.follow(rules);
    }

    /// Leaves the recording where it grows, once it is complete, for somebody else to publish: see [`crate::recover`].
    pub fn hold(&self) {
        self.held.store(true, Ordering::Relaxed);
    }

    /// Whether somebody else publishes it.
    pub fn is_held(&self) -> bool {
        self.held.load(Ordering::Relaxed)
    }

    /// Publishes what was [held](Recorder::hold), and from now on what is complete.
    ///
    /// # Errors
    /// The first failure of this recording.
    pub fn release(&self) -> Result<(), CassetteError> {
        self.held.store(false, Ordering::Relaxed);
        self.publish()
    }

    /// Gives the recording up. What was published stays; what was not goes to the directory `keep`, or away. What is recorded later
    /// goes nowhere.
    ///
    /// # Errors
    /// The first failure of this recording; a directory that cannot be written. It is given up all the same.
    pub fn discard(&self, keep: Option<&Path>) -> Result<(), CassetteError> {
        self.same_process()?;
        self.discarded.store(true, Ordering::Relaxed);
        let mut log = self.log.lock();
        let whole = self.end_runs(&mut log, |_| true).and_then(|()| self.write_gathered(&mut log, None));
        let keep = keep.filter(|_| log.begun && whole.is_ok());
        let given_up = self.storage.discard(keep);
        self.failed.get().cloned().map_or(given_up, Err)
    }

    /// Whether it was given up.
    pub fn is_discarded(&self) -> bool {
        self.discarded.load(Ordering::Relaxed)
    }

    /// Has these secrets hidden in everything that is written; to be said before anything is recorded.
    pub fn hide(&self, secrets: Arc<Secrets>) {
        self.redactor.hide(secrets);
    }

    /// Whether the names of a result's columns have to be [said](Recorder::names) before its rows.
    pub fn wants_names(&self) -> bool {
        self.redactor.wants_names()
    }

    /// Says the names of the columns of the statement's result.
    pub fn names(&self, connection: ConnectionId, statement: u32, names: Vec<String>) {
        self.redactor.names(connection, statement, names);
    }

    /// Reserves the next connection id and counts that connection as open.
    pub fn connection(&self) -> ConnectionId {
        if self.same_process().is_err() {
            // the lock may be held by a thread that this child does not have; its calls fail anyhow
            return ConnectionId(0);
        }
        let mut log = self.log.lock();
        let connection = ConnectionId(log.next_connection);
        log.next_connection += 1;
        log.open_connections.push(connection);
        connection
    }

    /// Before the driver connects: the cassette is there, and has room for the entry. `inputs` are the bytes that the application
    /// sends.
    ///
    /// # Errors
    /// The first failure of this recording.
    pub fn prepare_connect(&self, inputs: usize) -> Result<(), CassetteError> {
        self.ready()?;
        let mut log = self.log.lock();
        self.ready()?;
        self.sticky(self.storage.begin())?;
        self.end_runs(&mut log, |_| self.order == Order::Global)?;
        self.reserve(inputs)
    }

    /// Before the driver does what a command asks for, so that nothing happens in the database that cannot be written: ends the
    /// runs of rows that the command will interrupt, and sets room aside for its entry. `inputs` are the bytes that the
    /// application sends.
    ///
    /// # Errors
    /// The first failure of this recording.
    pub fn prepare(
        &self,
        connection: ConnectionId,
        statement: Option<u32>,
        inputs: usize,
    ) -> Result<(), CassetteError> {
        self.ready()?;
        let mut log = self.log.lock();
        self.ready()?;
        self.end_runs(&mut log, |cell| self.order == Order::Global || cell.connection == connection)?;
        if statement.is_none() {
            self.write_gathered(&mut log, Some(connection))?;
        }
        self.reserve(inputs)
    }

    fn reserve(&self, inputs: usize) -> Result<(), CassetteError> {
        /// So many bytes a byte of the application's may become: `\u0000`.
        const LONGEST: usize = 6;
        self.sticky(self.storage.reserve(ROOM + LONGEST * inputs))
    }

    /// Whether the recording goes on: that nothing of it failed, and that this is the process that records.
    ///
    /// # Errors
    /// The first failure of this recording.
    pub fn check(&self) -> Result<(), CassetteError> {
        self.ready()
    }

    /// Appends a command. Runs of rows it interrupts are ended and appended first: all of the cassette's, or under
    /// `order: connection` those of the same connection.
    ///
    /// # Errors
    /// The first failure of this recording.
    pub fn command(&self, entry: &Entry) -> Result<(), CassetteError> {
        self.follow_command(entry);
        let threaded = self.by_thread(entry);
        self.write_command(threaded.as_ref().unwrap_or(entry))
    }

    fn write_command(&self, entry: &Entry) -> Result<(), CassetteError> {
        let redacted = self.redactor.entry(entry);
        let entry = redacted.as_ref().unwrap_or(entry);
        let named = self.named(entry)?;
        let entry = named.as_ref().unwrap_or(entry);
        let long = self.long_array(entry);
        let in_file = long.as_ref().ok().and_then(Option::as_ref).unwrap_or(entry);
        self.append(in_file, |cell| self.order == Order::Global || cell.connection == entry.connection)?;
        // A part that could not be written stands in the entry instead, and it is the last one.
        if let Err(error) = long {
            let _ = self.failed.set(error);
        }
        Ok(())
    }

    /// The entry with the number of its thread, if another thread used the connection before. A statement is of the thread that
    /// gives it its text.
    fn by_thread(&self, entry: &Entry) -> Option<Entry> {
        use Method::{Catalog, Commit, Prepare, Rollback, Run, SetConnectAttr};
        if !matches!(entry.method, Run | Prepare | Catalog | SetConnectAttr | Commit | Rollback) {
            return None;
        }
        let number = self.threads.number(entry.connection)?;
        let mut entry = entry.clone();
        entry.fields.insert(0, (Key::Thread, Value::from(number)));
        Some(entry)
    }

    /// Writes a long parameter array to a part of its own; gives the entry that names the part.
    fn long_array(&self, entry: &Entry) -> Result<Option<Entry>, CassetteError> {
        let (Some(sets), Some(statement)) = (Sets::of(entry), entry.statement) else { return Ok(None) };
        self.ready()?;
        let part = {
            let mut log = self.log.lock();
            let part = log.parts.next(entry.connection, statement, Kind::Execute);
            log.parts.used(entry.connection, statement, Kind::Execute);
            part
        };
        self.storage.rows_part(&part).and_then(|mut rows| rows.append(&sets.rows))?;
        Ok(Some(sets.named(entry, &part)))
    }

    /// Appends an answer or housekeeping. Only the end of a statement or of a connection ends runs: its own.
    ///
    /// # Errors
    /// The first failure of this recording.
    pub fn note(&self, entry: &Entry) -> Result<(), CassetteError> {
        self.follow_note(entry);
        let redacted = self.redactor.entry(entry);
        let entry = redacted.as_ref().unwrap_or(entry);
        let ends = match entry.method {
            Method::Cancel => false,
            method => method.class() == Class::Housekeeping,
        };
        self.append(entry, |cell| {
            let same = entry.statement.is_none() || entry.statement == Some(cell.statement);
            ends && cell.connection == entry.connection && same
        })
    }

    /// Opens a run: rows of one statement that are fetched without interruption. `first` says that it begins at the
    /// result's first row. A run of the same statement that is still open is ended.
    pub fn run(self: &Arc<Self>, connection: ConnectionId, statement: u32, first: bool) -> Run {
        if self.same_process().is_err() {
            let names = Parts::default().rows(connection, statement);
            return Run::new(
                Arc::clone(self),
                Arc::new(RunCell::new(connection, statement, first, names, RowRules::default(), false)),
            );
        }
        let mut guard = self.log.lock();
        let log = &mut *guard;
        let ended = self
            .ready()
            .and_then(|()| self.end_runs(log, |cell| cell.connection == connection && cell.statement == statement));
        let names = log.parts.rows(connection, statement);
        // a recording that failed says so at the run's first row
        let _ = ended;
        let rules = self.redactor.rows(connection, statement);
        let keeps = self.keeps_rows(connection, statement);
        let cell = Arc::new(RunCell::new(connection, statement, first, names, rules, keeps));
        log.runs.push(Arc::clone(&cell));
        drop(guard);
        Run::new(Arc::clone(self), cell)
    }

    /// The cassette, by the name it was opened with.
    pub fn name(&self) -> &Path {
        self.storage.name()
    }

    /// Whether no connection is open: the cassette is published then.
    pub fn rests(&self) -> bool {
        self.log.lock().open_connections.is_empty()
    }

    /// Counts a connection as closed. When none is open any more, the cassette is published.
    ///
    /// # Errors
    /// The first failure of this recording.
    pub fn disconnect(&self, connection: ConnectionId) -> Result<(), CassetteError> {
        self.same_process()?;
        let mut log = self.log.lock();
        log.open_connections.retain(|open| *open != connection);
        self.ready()?;
        self.end_runs(&mut log, |cell| cell.connection == connection)?;
        self.write_gathered(&mut log, Some(connection))?;
        log.parts.forget(connection, None);
        log.facts.forget(connection);
        self.threads.forget(connection);
        self.forget_results(connection);
        if log.open_connections.is_empty() { self.publish_locked(&mut log) } else { Ok(()) }
    }

    /// Ends all runs and publishes what is recorded so far, whatever is still open: at process exit, or when the cassette
    /// is ejected. What is recorded later is appended in place.
    ///
    /// # Errors
    /// The first failure of this recording.
    pub fn publish(&self) -> Result<(), CassetteError> {
        self.ready()?;
        let mut log = self.log.lock();
        self.ready()?;
        self.publish_locked(&mut log)
    }

    /// Publishes now, and again after whatever is still appended: the process is ending.
    ///
    /// # Errors
    /// The first failure of this recording.
    pub fn publish_at_end(&self) -> Result<(), CassetteError> {
        self.same_process()?;
        self.ending.store(true, Ordering::Relaxed);
        self.publish()
    }

    fn publish_locked(&self, log: &mut Log) -> Result<(), CassetteError> {
        self.end_runs(log, |_| true)?;
        self.write_gathered(log, None)?;
        // a connect that was prepared and never made is no recording
        if log.begun { self.published() } else { Ok(()) }
    }

    fn published(&self) -> Result<(), CassetteError> {
        self.sticky(if self.is_held() { self.storage.complete() } else { self.storage.publish() })
    }

    /// Appends encoded entries to the log.
    fn append_encoded(&self, encoded: &[u8]) -> Result<(), CassetteError> {
        self.sticky(self.storage.append(encoded))?;
        self.appended()
    }

    /// Appends an answer to those of a connection.
    fn append_info(&self, connection: ConnectionId, answer: &Fields) -> Result<(), CassetteError> {
        self.sticky(self.storage.append_info(connection, answer))?;
        self.appended()
    }

    /// A published cassette that something was appended to is incomplete. While the process ends, nothing comes that would
    /// publish it.
    fn appended(&self) -> Result<(), CassetteError> {
        if self.ending.load(Ordering::Relaxed) { self.published() } else { Ok(()) }
    }

    fn append(&self, entry: &Entry, ends: impl Fn(&RunCell) -> bool) -> Result<(), CassetteError> {
        self.ready()?;
        let mut encoded = Vec::with_capacity(256);
        self.storage.encode(entry, &mut encoded);
        let mut log = self.log.lock();
        self.ready()?;
        self.end_runs(&mut log, ends)?;
        if entry.statement.is_none() {
            self.write_gathered(&mut log, Some(entry.connection))?;
        }
        self.append_encoded(&encoded)?;
        log.begun = true;
        match (entry.method, entry.statement) {
            (Method::Connect, _) => log.facts.connected(entry),
            (Method::Drop, Some(statement)) => log.parts.forget(entry.connection, Some(statement)),
            (method, _) if method.class() == Class::Command => log.facts.commanded(entry.connection),
            _ => {}
        }
        Ok(())
    }

    /// Ends the runs that `which` names and appends their entries.
    fn end_runs(&self, log: &mut Log, which: impl Fn(&RunCell) -> bool) -> Result<(), CassetteError> {
        let mut at = 0;
        while at < log.runs.len() {
            if which(&log.runs[at]) {
                // the order of those that remain is the order of their opening
                let cell = log.runs.remove(at);
                self.end_run(log, &cell)?;
            } else {
                at += 1;
            }
        }
        Ok(())
    }

    /// Appends the entries of a run that was taken off the list.
    fn end_run(&self, log: &mut Log, cell: &RunCell) -> Result<(), CassetteError> {
        let written = self.sticky(cell.close(&*self.storage, self.inline_rows))?;
        if let Some(kind) = written.part {
            log.parts.used(cell.connection, cell.statement, kind);
        }
        if let Some(rows) = written.kept {
            self.sticky(self.follow_rows(cell.connection, cell.statement, rows))?;
        }
        if written.entries.is_empty() { Ok(()) } else { self.append_encoded(&written.entries) }
    }

    /// Fails in a forked child, and after a failure.
    #[inline]
    fn ready(&self) -> Result<(), CassetteError> {
        self.same_process()?;
        self.failed.get().map_or(Ok(()), |error| Err(error.clone()))
    }

    #[inline]
    fn same_process(&self) -> Result<(), CassetteError> {
        match crate::process::id() {
            process if process == self.process => Ok(()),
            process => self.other_process(process),
        }
    }

    #[cold]
    fn other_process(&self, process: u32) -> Result<(), CassetteError> {
        let problem = format!("process {process} was forked from {}, which records this cassette", self.process);
        Err(CassetteError::new(self.storage.name(), problem).advice("connect after the fork"))
    }

    /// Keeps the first failure.
    fn sticky<T>(&self, result: Result<T, CassetteError>) -> Result<T, CassetteError> {
        result.map_err(|error| self.failed.get_or_init(|| error).clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forked_child_writes_nothing() {
        let parent = tempfile::tempdir().unwrap();
        let options = RecordOptions {
            directory: parent.path().join("x"),
            order: Order::Global,
            inline_rows: 1,
            metadata: Metadata::now(None, None),
            append: None,
        };
        let recorder = Recorder::open(options).unwrap();
        let connection = recorder.connection();
        let entry = Entry::new(Method::Connect, connection, None).with(Key::Dsn, "shop");
        recorder.command(&entry).unwrap();
        let run = recorder.run(connection, 1, true);
        run.lock().begin_row().unwrap();
        // what the child has of it: the same memory under another process id
        let mut recorder = Arc::into_inner({
            drop(run);
            recorder
        })
        .unwrap();
        recorder.process = crate::process::id() + 1;
        let child = Arc::new(recorder);
        let log = crate::staging_directory(&parent.path().join("x")).join("commands.yml");
        let before = std::fs::read(&log).unwrap();
        // even if another thread of the parent held the lock when it forked
        let held = child.log.lock();
        let refused = child.command(&entry).unwrap_err().to_string();
        assert!(refused.contains("was forked from"), "{refused}");
        assert!(child.note(&entry).is_err() && child.publish().is_err() && child.disconnect(connection).is_err());
        assert!(child.info(connection, Fields::new()).is_err());
        assert!(child.columns(connection, 1, &Value::List(Vec::new())).is_err());
        child.connection();
        assert!(child.run(connection, 1, true).lock().begin_row().is_err());
        drop(held);
        assert_eq!(std::fs::read(&log).unwrap(), before);
        assert!(!parent.path().join("x").exists());
    }
}
