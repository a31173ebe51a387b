//! The recorder: gives connections their ids, puts what happens into the log in order, and publishes at the last disconnect.
//!
//! Locks are taken in one order: the log's, then a run's. Fetching takes only the run's lock, so it never waits for the
//! log. Whatever ends a run releases the run's lock before it takes the log's.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use parking_lot::Mutex;
use sha2::{Digest, Sha256};

use super::answers::{Answers, KnownAnswers};
use super::carried_over::KeptTexts;
use super::carried_over::VolatileMarks;
use super::connection_info::ConnectionInfo;
use super::late_secrets;
use super::numbering::{FileNames, Kind, Threads};
use super::rows::RunCell;
use crate::files;
use crate::metadata::{Metadata, Order};
use crate::redaction::{Redaction, Redactor, Secrets};
use crate::schema::Class;
use crate::sets::Sets;
use crate::store::directory::Directory;
use crate::store::info_member;
use crate::store::{Append, ENTRY_ROOM, MakeAppend, Store, WriteAppend};
use crate::{AnswerRules, CassetteError, ConnectionId, Entry, Key, Method, Row, Value, yaml};

/// How to record.
#[derive(Clone)]
pub struct RecordOptions {
    /// The directory of the cassette.
    pub directory: PathBuf,
    /// The order that replay uses by default. It also decides which commands end a run of rows.
    pub order: Order,
    /// The most rows of a run that the log itself holds, if they take less than 64 KiB. It always holds a single row.
    pub inline_rows: usize,
    /// The metadata. `complete` and `order` are filled in.
    pub metadata: Metadata,
    /// How to append to the log. `None`: one `write` for each entry.
    pub append: Option<MakeAppend>,
}

/// A cassette being recorded: one per cassette and process, shared by all connections and threads.
///
/// The first write that fails makes its call and every later one return the error, and the recording is not published.
/// Only the process that opened the recording can use it: in a forked child every call fails.
pub struct Recorder {
    pub(super) store: Box<dyn Store>,
    pub(super) process: u32,
    order: Order,
    pub(super) inline_rows: usize,
    pub(super) failed: OnceLock<CassetteError>,
    pub(super) redactor: Redactor,
    /// What a person marked as volatile in the cassette that is recorded again.
    marks: OnceLock<Mutex<VolatileMarks>>,
    /// Comments, layout and kept results that a person wrote into that cassette.
    kept: OnceLock<Mutex<KeptTexts>>,
    /// Whether any outcome other than the default was stored.
    pub(super) outcomes: AtomicBool,
    /// Whether a complete recording stays in its staging place, because somebody else publishes it.
    held: AtomicBool,
    /// Whether the recording was discarded.
    discarded: AtomicBool,
    /// Whether the process is ending. Each append then publishes, because nothing else will.
    ending: AtomicBool,
    /// Whether no further connect is expected, so that each publication gives back the room that was set aside.
    gives_back: AtomicBool,
    pub(super) answers: Answers,
    threads: Threads,
    pub(super) log: Mutex<Log>,
}

/// A statement whose columns are known and not written yet.
pub trait PendingColumns: Send + Sync {
    /// Returns the statement's connection.
    fn connection(&self) -> ConnectionId;

    /// Returns the statement and its columns if any must be written. They count as written from then on.
    fn take(&self) -> Option<(u32, Value)>;
}

/// The statements of a recording that may have pending columns. They disappear together with their statements.
#[derive(Default)]
pub(super) struct PendingPlaces {
    places: Vec<Weak<dyn PendingColumns>>,
    /// How many there may be before dead ones are removed.
    enough: usize,
}

impl PendingPlaces {
    pub(super) fn push(&mut self, place: Weak<dyn PendingColumns>) {
        if self.places.len() >= self.enough {
            self.places.retain(|place| place.strong_count() > 0);
            self.enough = 16.max(2 * self.places.len());
        }
        self.places.push(place);
    }

    /// Returns those that still exist.
    pub(super) fn live(&self) -> Vec<Arc<dyn PendingColumns>> {
        self.places.iter().filter_map(Weak::upgrade).collect()
    }
}

/// What all connections share, under one lock.
#[derive(Default)]
pub(super) struct Log {
    /// Whether the log has an entry.
    begun: bool,
    /// How many secrets were known when the first entry was written or when all of the recording was last searched for secrets.
    known_secrets: usize,
    /// How many were known at the last search, which did not look at rows that were being read; and how many such searches were made.
    searched_secrets: usize,
    searches: u32,
    next_connection: u32,
    open_connections: Vec<ConnectionId>,
    pub(super) runs: Vec<Arc<RunCell>>,
    pub(super) file_names: FileNames,
    /// The column file for each content, by its digest.
    columns: HashMap<[u8; 32], String>,
    pub(super) info: ConnectionInfo,
    pending: PendingPlaces,
    pub(super) encoded: Vec<u8>,
    /// Memory for the rows of the next run, because a point query has just one row.
    pub(super) spare: Row,
}

/// The most bytes that one byte of the application can become: `\u0000`.
const LONGEST: usize = 6;

/// Says whether these bytes are so few that an entry of them cannot be too large, however they are written.
fn is_always_short(inputs: usize) -> bool {
    ENTRY_ROOM + LONGEST * inputs <= files::LONGEST_PIECE
}

impl Recorder {
    /// Opens a recording into a directory. Creates nothing before the first entry.
    ///
    /// # Errors
    /// The target is neither free nor a cassette.
    pub fn open(options: RecordOptions) -> Result<Arc<Recorder>, CassetteError> {
        let RecordOptions { directory, order, inline_rows, metadata, append } = options;
        let metadata = Metadata { complete: false, order, ..metadata };
        let plain: MakeAppend = Arc::new(|file| Ok(Box::new(WriteAppend::new(file)) as Box<dyn Append>));
        let store = Directory::record(&directory, metadata, append.unwrap_or(plain))?;
        Ok(Recorder::with_store(Box::new(store), order, inline_rows))
    }

    /// Opens a recording into any store.
    pub fn with_store(store: Box<dyn Store>, order: Order, inline_rows: usize) -> Arc<Recorder> {
        let process = crate::process::id();
        let (failed, redactor, marks, kept, outcomes, held, discarded, ending, gives_back, answers, threads, log) =
            Default::default();
        Arc::new(Recorder {
            store,
            process,
            order,
            inline_rows,
            failed,
            redactor,
            marks,
            kept,
            outcomes,
            held,
            discarded,
            ending,
            gives_back,
            answers,
            threads,
            log,
        })
    }

    /// Makes the recorder replace values by rules before they are written. Call this before anything is recorded.
    pub fn redact(&self, rules: Arc<Redaction>) {
        self.redactor.follow(rules);
    }

    /// Leaves the complete recording in its staging place, for somebody else to publish: see [`crate::recover`].
    pub fn hold(&self) {
        self.held.store(true, Ordering::Relaxed);
    }

    /// Says whether somebody else publishes the recording.
    pub fn is_held(&self) -> bool {
        self.held.load(Ordering::Relaxed)
    }

    /// Publishes what was [held](Recorder::hold), and from now on whatever is complete.
    ///
    /// # Errors
    /// The first failure of this recording.
    pub fn release(&self) -> Result<(), CassetteError> {
        self.held.store(false, Ordering::Relaxed);
        self.publish()
    }

    /// Discards the recording. What is published already stays. The rest is moved to the directory `keep`, or removed.
    /// Later entries are dropped.
    ///
    /// # Errors
    /// The first failure of this recording, or a directory that cannot be written. The recording is discarded all the same.
    pub fn discard(&self, keep: Option<&Path>) -> Result<(), CassetteError> {
        self.same_process()?;
        self.discarded.store(true, Ordering::Relaxed);
        let mut log = self.log.lock();
        let whole = self.end_runs(&mut log, |_| true).and_then(|()| self.write_pending(&mut log, None));
        let keep = keep.filter(|_| log.begun && whole.is_ok());
        let given_up = self.store.discard(keep);
        self.failed.get().cloned().map_or(given_up, Err)
    }

    /// Says whether the recording was discarded.
    pub fn is_discarded(&self) -> bool {
        self.discarded.load(Ordering::Relaxed)
    }

    /// Makes the recorder hide these secrets in everything that is written. Call this before anything is recorded.
    pub fn hide(&self, secrets: Arc<Secrets>) {
        self.redactor.hide(secrets);
    }

    /// Says whether the names of a result's columns must be [given](Recorder::names) before its rows.
    pub fn wants_names(&self) -> bool {
        self.redactor.wants_names()
    }

    /// Sets the names of the columns of the statement's result.
    pub fn names(&self, connection: ConnectionId, statement: u32, names: Vec<String>) {
        self.redactor.names(connection, statement, names);
    }

    /// Carries over what a person wrote into the previous cassette: the volatile marks of commands that are recorded
    /// again, and the text of entries that come out the same. Call this before anything is recorded.
    ///
    /// # Errors
    /// Something in that cassette cannot be read. Nothing of it is kept then.
    pub fn keep(&self, previous: &dyn Store) -> Result<(), CassetteError> {
        let (marks, kept) = (VolatileMarks::of(previous)?, KeptTexts::of(previous)?);
        let _ = (self.marks.set(Mutex::new(marks)), self.kept.set(Mutex::new(kept)));
        Ok(())
    }

    /// Lists the volatile marks of commands that have not been recorded again so far, one line each.
    pub fn lost(&self) -> Vec<String> {
        // At exit another thread may hold the lock forever.
        self.marks.get().and_then(|marks| Some(marks.try_lock()?.lost())).unwrap_or_default()
    }

    /// Lists what a person wrote into entries that have not been recorded again so far, one line each.
    pub fn lost_texts(&self) -> Vec<String> {
        self.kept.get().and_then(|kept| Some(kept.try_lock()?.lost())).unwrap_or_default()
    }

    /// Encodes an entry that is about to be appended. If it is the same as in the previous cassette, it gets the text it has there.
    pub(super) fn encode(&self, entry: &Entry, out: &mut Vec<u8>) {
        let begin = out.len();
        self.store.encode(entry, out);
        if let Some(kept) = self.kept.get() {
            kept.lock().put_back(entry, begin, out);
        }
    }

    /// Returns the command with the volatile marks that a person gave it, if there are any.
    fn marked(&self, entry: &Entry) -> Result<Option<Entry>, CassetteError> {
        let Some(marks) = self.marks.get() else { return Ok(None) };
        // check before locking: in a forked child the lock may be held by a thread that does not exist there
        self.ready()?;
        Ok(marks.lock().marked(entry))
    }

    /// Shares what the process asks with its other recordings. Call this before anything is recorded.
    pub fn share(&self, known: Arc<KnownAnswers>) {
        self.answers.share(known);
    }

    /// Sets which reads are answers with rows. Call this before anything is recorded.
    pub fn answers(&self, rules: AnswerRules) {
        self.answers.follow_rules(rules);
    }

    /// Says whether an entry asks for an answer with rows.
    pub fn is_result_answer(&self, entry: &Entry) -> bool {
        self.answers.has_rows(entry)
    }

    /// Reserves the next connection id and counts that connection as open.
    pub fn connection(&self) -> ConnectionId {
        if self.same_process().is_err() {
            // the lock may be held by a thread that this child does not have; its calls fail anyway
            return ConnectionId(0);
        }
        let mut log = self.log.lock();
        let connection = ConnectionId(log.next_connection);
        log.next_connection += 1;
        log.open_connections.push(connection);
        connection
    }

    /// Makes sure, before the driver connects, that the cassette exists and has room for the entry. `inputs` is the
    /// number of bytes that the application sends.
    ///
    /// # Errors
    /// The first failure of this recording.
    pub fn prepare_connect(&self, inputs: usize) -> Result<(), CassetteError> {
        self.ready()?;
        let mut log = self.log.lock();
        self.ready()?;
        self.sticky(self.store.begin())?;
        self.end_runs(&mut log, |_| self.order == Order::Global)?;
        self.reserve(inputs)
    }

    /// Prepares for a command before the driver executes it, so that nothing happens in the database that cannot be
    /// written: ends the runs of rows that the command will interrupt, and sets room aside for its entry. `inputs` is
    /// the number of bytes that the application sends.
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
            self.write_pending(&mut log, Some(connection))?;
        }
        self.reserve(inputs)
    }

    fn reserve(&self, inputs: usize) -> Result<(), CassetteError> {
        self.sticky(self.store.reserve(ENTRY_ROOM + LONGEST * inputs))
    }

    /// Checks, before the driver executes a command, that what the program sends fits into the cassette. `inputs` is its number of bytes,
    /// and `asked` makes its entry, which is needed only if there is much. What the driver returns may still be too much.
    ///
    /// # Errors
    /// It does not fit, or the first failure of this recording, if there is much.
    #[inline]
    pub fn fits(&self, inputs: usize, asked: impl FnOnce() -> Entry) -> Result<(), CassetteError> {
        if is_always_short(inputs) {
            return Ok(());
        }
        self.ready()?;
        let check = |bytes| self.sticky(files::check_size(self.store.name(), "an entry", bytes));
        check(inputs)?;
        let mut encoded = Vec::new();
        self.store.encode(&asked(), &mut encoded);
        check(encoded.len())
    }

    /// Checks that the recording can go on: nothing of it has failed, and this is the process that records.
    ///
    /// # Errors
    /// The first failure of this recording.
    pub fn check(&self) -> Result<(), CassetteError> {
        self.ready()
    }

    /// Appends a command. First ends and appends the runs of rows that it interrupts: all of the cassette's, or under
    /// `order: connection` those of the same connection.
    ///
    /// # Errors
    /// The first failure of this recording.
    pub fn command(&self, entry: &Entry) -> Result<(), CassetteError> {
        let identity = || self.log.lock().info.identity(entry.connection);
        self.sticky(self.answers.command(entry, self.store.name(), identity))?;
        let threaded = self.by_thread(entry);
        self.write_command(threaded.as_ref().unwrap_or(entry))
    }

    pub(super) fn write_command(&self, entry: &Entry) -> Result<(), CassetteError> {
        let redacted = self.redactor.entry(entry);
        let entry = redacted.as_ref().unwrap_or(entry);
        let marked = self.marked(entry)?;
        let entry = marked.as_ref().unwrap_or(entry);
        let long = self.long_array(entry);
        let in_file = long.as_ref().ok().and_then(Option::as_ref).unwrap_or(entry);
        self.append(in_file, |cell| self.order == Order::Global || cell.connection == entry.connection)?;
        // If a member could not be written, its content is in the entry instead, and this is the last entry.
        if let Err(error) = long {
            let _ = self.failed.set(error);
        }
        Ok(())
    }

    /// Returns the entry with the number of its thread, if another thread used the connection before. A statement
    /// belongs to the thread that gives it its text.
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

    /// Writes a long parameter array to a member of its own, and returns the entry that names the member.
    fn long_array(&self, entry: &Entry) -> Result<Option<Entry>, CassetteError> {
        let (Some(sets), Some(statement)) =
            (Sets::of(entry, |row, block| self.store.encode_row(row, block)), entry.statement)
        else {
            return Ok(None);
        };
        self.ready()?;
        let member = {
            let mut log = self.log.lock();
            let member = log.file_names.next(entry.connection, statement, Kind::Execute);
            log.file_names.used(entry.connection, statement, Kind::Execute);
            member
        };
        self.store.rows_writer(&member).and_then(|mut rows| rows.append(&sets.rows))?;
        Ok(Some(sets.named(entry, &member)))
    }

    /// Appends an answer or housekeeping. Ends runs only if it is the end of a statement or connection, and then only
    /// the runs of that one.
    ///
    /// # Errors
    /// The first failure of this recording.
    pub fn note(&self, entry: &Entry) -> Result<(), CassetteError> {
        self.answers.note(entry);
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

    /// Returns the name with which the cassette was opened.
    pub fn name(&self) -> &Path {
        self.store.name()
    }

    /// Says whether no connection is open. The cassette is published then.
    pub fn is_idle(&self) -> bool {
        self.log.lock().open_connections.is_empty()
    }

    /// Counts a connection as closed. When no connection is open any more, publishes the cassette.
    ///
    /// # Errors
    /// The first failure of this recording.
    pub fn disconnect(&self, connection: ConnectionId) -> Result<(), CassetteError> {
        self.same_process()?;
        let mut log = self.log.lock();
        log.open_connections.retain(|open| *open != connection);
        self.ready()?;
        self.end_runs(&mut log, |cell| cell.connection == connection)?;
        self.write_pending(&mut log, Some(connection))?;
        log.file_names.forget(connection, None);
        log.info.forget(connection);
        self.threads.forget(connection);
        self.answers.forget(connection);
        if log.open_connections.is_empty() { self.publish_locked(&mut log) } else { Ok(()) }
    }

    /// Ends all runs and publishes what is recorded so far, whatever is still open: at process exit, or when the
    /// cassette is ejected. What is recorded later is appended in place.
    ///
    /// # Errors
    /// The first failure of this recording.
    pub fn publish(&self) -> Result<(), CassetteError> {
        self.ready()?;
        let mut log = self.log.lock();
        self.ready()?;
        self.gives_back.store(true, Ordering::Relaxed);
        self.publish_locked(&mut log)
    }

    /// Publishes now, and again after whatever is still appended, because the process is ending.
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
        self.write_pending(log, None)?;
        // a connect that was prepared but never made leaves nothing to publish
        if !log.begun {
            return Ok(());
        }
        self.refuse_late_secrets(log)?;
        self.published()
    }

    /// Looks for secrets that have become known since something was written. Call this when a connection has made some known, and
    /// before it is made: a process that is killed must not leave a password in what it has recorded so far.
    ///
    /// # Errors
    /// A secret stands in the clear. What was recorded is removed.
    pub fn look_for_secrets(&self) -> Result<(), CassetteError> {
        /// A search reads all that was recorded. A process with more passwords than this is searched when it completes the recording.
        const MOST_SEARCHES: u32 = 16;
        self.ready()?;
        let mut log = self.log.lock();
        self.ready()?;
        let known = self.redactor.known_secrets();
        if known > log.known_secrets.max(log.searched_secrets) && log.searches < MOST_SEARCHES {
            (log.searched_secrets, log.searches) = (known, log.searches + 1);
            self.refuse_late_secrets(&mut log)?;
        }
        Ok(())
    }

    fn refuse_late_secrets(&self, log: &mut Log) -> Result<(), CassetteError> {
        let known = self.redactor.known_secrets();
        if !log.begun || known <= log.known_secrets {
            return Ok(());
        }
        self.sticky(late_secrets::refuse(&*self.store, self.redactor.hiding().as_ref()))?;
        // no entry names the rows of open runs yet
        if log.runs.is_empty() {
            log.known_secrets = known;
        }
        Ok(())
    }

    fn published(&self) -> Result<(), CassetteError> {
        self.sticky(if self.is_held() { self.store.complete() } else { self.store.publish() })?;
        if self.gives_back.load(Ordering::Relaxed) { self.sticky(self.store.give_back()) } else { Ok(()) }
    }

    /// Appends encoded entries to the log.
    pub(super) fn append_encoded(&self, encoded: &[u8]) -> Result<(), CassetteError> {
        self.sticky(files::check_size(self.store.name(), "an entry", encoded.len()))?;
        self.sticky(self.store.append(encoded))?;
        self.appended()
    }

    /// Publishes after an append while the process ends. Appending makes a published cassette incomplete, and nothing
    /// else would publish it again.
    pub(super) fn appended(&self) -> Result<(), CassetteError> {
        if self.ending.load(Ordering::Relaxed) { self.published() } else { Ok(()) }
    }

    fn append(&self, entry: &Entry, ends: impl Fn(&RunCell) -> bool) -> Result<(), CassetteError> {
        self.ready()?;
        let mut encoded = Vec::with_capacity(256);
        if entry.method != Method::Connect {
            self.encode(entry, &mut encoded);
        }
        let mut log = self.log.lock();
        self.ready()?;
        if entry.method == Method::Connect {
            self.encode(&self.with_info_file(&mut log, entry)?, &mut encoded);
        }
        self.end_runs(&mut log, ends)?;
        if entry.statement.is_none() {
            self.write_pending(&mut log, Some(entry.connection))?;
        }
        self.append_encoded(&encoded)?;
        if !log.begun {
            log.begun = true;
            log.known_secrets = self.redactor.known_secrets();
        }
        match (entry.method, entry.statement) {
            (Method::Drop, Some(statement)) => log.file_names.forget(entry.connection, Some(statement)),
            (method, _) if method.class() == Class::Command => log.info.commanded(entry.connection),
            _ => {}
        }
        Ok(())
    }

    /// Returns the entry of a connect with the name of its info file. The file exists even if nothing is ever asked.
    fn with_info_file(&self, log: &mut Log, entry: &Entry) -> Result<Entry, CassetteError> {
        let mut entry = entry.clone();
        if let Some(owner) = log.info.connected(&entry) {
            if owner == entry.connection {
                self.sticky(self.store.begin_info(owner))?;
            }
            let is_behind = |key: Key| matches!(key, Key::Continued | Key::Parent | Key::Return | Key::Diagnostics);
            let at = entry.fields.iter().position(|(key, _)| is_behind(*key)).unwrap_or(entry.fields.len());
            entry.fields.insert(at, (Key::InfoFile, info_member(owner).into()));
        }
        Ok(entry)
    }

    /// Ends the runs that `which` selects and appends their entries.
    pub(super) fn end_runs(&self, log: &mut Log, which: impl Fn(&RunCell) -> bool) -> Result<(), CassetteError> {
        let mut at = 0;
        while at < log.runs.len() {
            if which(&log.runs[at]) {
                // keep the others in the order in which they were opened
                let cell = log.runs.remove(at);
                self.end_run(log, &cell)?;
            } else {
                at += 1;
            }
        }
        Ok(())
    }

    /// Appends the entries of a run that was taken off the list.
    pub(super) fn end_run(&self, log: &mut Log, cell: &RunCell) -> Result<(), CassetteError> {
        let written = self.sticky(cell.close(&*self.store, self.inline_rows, &|entry, out| self.encode(entry, out)))?;
        if let Some(kind) = written.member {
            log.file_names.used(cell.connection, cell.statement, kind);
        }
        if let Some(rows) = written.kept {
            let followed = self.answers.rows(cell.connection, cell.statement, rows, self.store.name());
            self.sticky(followed)?;
        }
        log.spare = written.row.emptied();
        if written.entries.is_empty() { Ok(()) } else { self.append_encoded(&written.entries) }
    }

    /// Fails in a forked child, and after a failure.
    #[inline]
    pub(super) fn ready(&self) -> Result<(), CassetteError> {
        self.same_process()?;
        self.failed.get().map_or(Ok(()), |error| Err(error.clone()))
    }

    #[inline]
    pub(super) fn same_process(&self) -> Result<(), CassetteError> {
        match crate::process::id() {
            process if process == self.process => Ok(()),
            process => self.other_process(process),
        }
    }

    #[cold]
    fn other_process(&self, process: u32) -> Result<(), CassetteError> {
        let problem = format!("process {process} was forked from {}, which records this cassette", self.process);
        Err(CassetteError::new(self.store.name(), problem).advice("connect after the fork"))
    }

    /// Keeps the first failure.
    pub(super) fn sticky<T>(&self, result: Result<T, CassetteError>) -> Result<T, CassetteError> {
        result.map_err(|error| self.failed.get_or_init(|| error).clone())
    }

    /// Appends what is known of a result's columns, as a list of maps. Equal lists share one file.
    ///
    /// # Errors
    /// The first failure of this recording.
    pub fn columns(&self, connection: ConnectionId, statement: u32, columns: &Value) -> Result<(), CassetteError> {
        self.ready()?;
        let mut log = self.log.lock();
        self.ready()?;
        self.columns_locked(&mut log, connection, statement, columns)
    }

    fn columns_locked(
        &self,
        log: &mut Log,
        connection: ConnectionId,
        statement: u32,
        columns: &Value,
    ) -> Result<(), CassetteError> {
        self.answers.columns(connection, statement, columns);
        let redacted = self.redactor.document(columns);
        let columns = redacted.as_ref().unwrap_or(columns);
        let mut text = Vec::with_capacity(1024);
        yaml::emit_document(columns, &mut text);
        let digest: [u8; 32] = Sha256::digest(&text).into();
        let member = match log.columns.get(&digest) {
            Some(member) => member.clone(),
            None => {
                let member = log.file_names.next(connection, statement, Kind::Columns);
                self.sticky(self.store.put(&member, columns))?;
                log.file_names.used(connection, statement, Kind::Columns);
                log.columns.insert(digest, member.clone());
                member
            }
        };
        let entry = Entry::new(Method::Columns, connection, Some(statement)).with(Key::ColumnsFile, member);
        log.encoded.clear();
        self.encode(&entry, &mut log.encoded);
        self.append_encoded(&log.encoded)
    }

    /// Registers a statement with pending columns. They are written before the connection's next command that belongs
    /// to no statement, when the connection is closed, and when the cassette is published, because a program may end
    /// without another call for the statement.
    pub fn gathering(&self, pending_columns: Weak<dyn PendingColumns>) {
        if self.same_process().is_ok() {
            self.log.lock().pending.push(pending_columns);
        }
    }

    /// Writes the pending columns of a connection, or of all connections.
    fn write_pending(&self, log: &mut Log, connection: Option<ConnectionId>) -> Result<(), CassetteError> {
        let places = log.pending.live();
        let of = |place: &Arc<dyn PendingColumns>| connection.is_none_or(|connection| place.connection() == connection);
        let mut pending_columns =
            places.iter().filter(|place| of(place)).filter_map(|place| Some((place, place.take()?)));
        pending_columns.try_for_each(|(place, (statement, columns))| {
            self.columns_locked(log, place.connection(), statement, &columns)
        })
    }
}
