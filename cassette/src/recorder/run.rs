//! A run that its statement holds: rows fetched without interruption, from the first `begin_row` to whatever ends it.

use std::borrow::Cow;
use std::sync::Arc;

use parking_lot::MutexGuard;

use super::answers::{KnownResult, Step};
use super::core::Recorder;
use super::numbering::FileNames;
use super::rows::{KeptRows, Rows, RunCell, State};
use crate::redaction::RowRules;
use crate::{CassetteError, ConnectionId, Entry, Fields, Key, Method, Row, Value};

/// A run of rows being recorded, held by its statement. Dropping it does not end the run.
pub struct Run {
    recorder: Arc<Recorder>,
    cell: Arc<RunCell>,
}

impl Run {
    fn new(recorder: Arc<Recorder>, cell: Arc<RunCell>) -> Self {
        Run { recorder, cell }
    }

    /// Lets other commands end the rows of a scroll, which are complete except for cells that the application may still
    /// read. Until then only the statement knows of them. If a block of rows is on disk already, the run gets its entry
    /// now, so that nothing of it is lost if the process is killed.
    ///
    /// # Errors
    /// The first failure of this recording.
    pub fn list(&self) -> Result<(), CassetteError> {
        self.recorder.same_process()?;
        self.recorder.log.lock().runs.push(Arc::clone(&self.cell));
        let mut run = self.lock();
        if run.state.rows.is_started() { run.end(false) } else { Ok(()) }
    }

    /// Locks the run. No other connection or statement ever waits for this lock, except to end this run. Hold it while
    /// you take rows from the application's buffers, not during a call to the driver, and never while you call the
    /// recorder: a command would wait for this very lock.
    pub fn lock(&self) -> RunGuard<'_> {
        RunGuard { run: self, state: self.cell.state.lock() }
    }
}

/// A locked run.
pub struct RunGuard<'r> {
    run: &'r Run,
    state: MutexGuard<'r, State>,
}

impl RunGuard<'_> {
    /// Says whether the run still takes rows. After it has ended or a command has interrupted it, another run is needed.
    pub fn is_open(&self) -> bool {
        self.state.open
    }

    /// Returns how many rows were begun so far.
    pub fn count(&self) -> u64 {
        self.state.rows.count()
    }

    /// Completes the row under assembly and begins the next one. Rows go to disk in blocks of 64 KiB.
    ///
    /// # Errors
    /// The first failure of this recording, or the run is not open.
    pub fn begin_row(&mut self) -> Result<(), CassetteError> {
        let recorder = &self.run.recorder;
        if !self.state.open {
            return Err(CassetteError::new(recorder.store.name(), "the run of rows has ended").advice("open another"));
        }
        if self.state.rows.count() == 0 {
            // check the process once for each run and block, not for each row
            recorder.same_process()?;
        }
        if let Some(error) = recorder.failed.get() {
            return Err(error.clone());
        }
        if self.state.rows.begin(&*recorder.store, recorder.inline_rows) {
            recorder.same_process()?;
            recorder.sticky(self.state.rows.flush(&*recorder.store))?;
        }
        Ok(())
    }

    /// Returns the row under assembly. It takes cells until the next row begins or the run ends.
    pub fn row(&mut self) -> &mut Row {
        &mut self.state.rows.row
    }

    /// Sets the C type in which the application takes a column (from 0) of the row under assembly. Returns true if it
    /// is the column's type, which then need not be set again for the rows that follow.
    pub fn c_type(&mut self, column: usize, name: impl Into<Cow<'static, str>>) -> bool {
        self.state.rows.c_type(column, name.into())
    }

    /// Makes the first cell of every row the bookmark, column 0. Call this before the first row.
    pub fn with_bookmarks(&mut self) {
        self.state.rows.with_bookmarks();
    }

    /// Sets fields of a scroll as a whole: `rows_fetched`, `row_status`, `return`, `diagnostics`.
    pub fn tell(&mut self, fields: Fields) {
        self.state.rows.set_scroll_outcome(fields);
    }

    /// Adds what else must be said of the row under assembly, as a map: its return code, diagnostics. A key that is
    /// given again replaces the earlier one.
    pub fn outcome(&mut self, outcome: Value) {
        self.state.rows.outcome(outcome);
    }

    /// Ends the run and appends its entries. `ended` says that the end of data was reached. If a command interrupted
    /// the run before, the end of data is recorded as a run of its own.
    ///
    /// # Errors
    /// The first failure of this recording.
    pub fn end(&mut self, ended: bool) -> Result<(), CassetteError> {
        let (recorder, cell) = (&*self.run.recorder, &self.run.cell);
        recorder.ready()?;
        if self.state.open {
            // do all the work here; if a command of another thread comes first, it finds it done and only appends it
            self.state.open = false;
            let written = self.state.rows.finish(&*recorder.store, recorder.inline_rows, ended, &|entry, out| {
                recorder.encode(entry, out);
            });
            self.state.prepared = Some(written);
            // take the log's lock before the run's
            MutexGuard::unlocked(&mut self.state, || recorder.end_prepared(cell))
        } else if ended {
            let entry = Entry::new(Method::Fetch, cell.connection, Some(cell.statement));
            MutexGuard::unlocked(&mut self.state, || recorder.note(&entry.with(Key::Result, Value::Null)))
        } else {
            Ok(())
        }
    }
}

impl Recorder {
    /// Opens a run: rows of one statement that are fetched without interruption. `first` says that it begins at the
    /// result's first row. Ends a run of the same statement that is still open.
    pub fn run(self: &Arc<Self>, connection: ConnectionId, statement: u32, first: bool) -> Run {
        if self.same_process().is_err() {
            let names = FileNames::default().rows(connection, statement);
            return Run::new(
                Arc::clone(self),
                Arc::new(RunCell::new(connection, statement, first, names, RowRules::default(), false, Row::new())),
            );
        }
        let mut guard = self.log.lock();
        let log = &mut *guard;
        let ended = self
            .ready()
            .and_then(|()| self.end_runs(log, |cell| cell.connection == connection && cell.statement == statement));
        let names = log.file_names.rows(connection, statement);
        // a failed recording reports it at the run's first row
        let _ = ended;
        let rules = self.redactor.rows(connection, statement);
        let keeps = self.answers.keeps_rows(connection, statement);
        let cell =
            Arc::new(RunCell::new(connection, statement, first, names, rules, keeps, std::mem::take(&mut log.spare)));
        log.runs.push(Arc::clone(&cell));
        drop(guard);
        Run::new(Arc::clone(self), cell)
    }

    /// Opens a run for the rows of one scroll, a fetch that goes elsewhere than to the next rows. `asked` says where. Ends
    /// a run of the same statement that is still open. The scroll is in the log once it is [listed](Run::list) and ended.
    pub fn scroll(self: &Arc<Self>, connection: ConnectionId, statement: u32, asked: Fields) -> Run {
        let names = match self.same_process() {
            Err(_) => FileNames::default().rows(connection, statement),
            Ok(()) => {
                let log = &mut *self.log.lock();
                // a failed recording reports it at the first row
                let _ = self.ready().and_then(|()| self.end_runs(log, |cell| cell.is_of(connection, statement)));
                log.file_names.rows(connection, statement)
            }
        };
        let rows = Rows::new(connection, statement, false, names)
            .scrolled(asked)
            .redacted(self.redactor.rows(connection, statement));
        Run::new(Arc::clone(self), Arc::new(RunCell::of(connection, statement, rows)))
    }

    /// Appends the entries that a run has prepared, unless another thread has done it.
    fn end_prepared(&self, cell: &Arc<RunCell>) -> Result<(), CassetteError> {
        let mut log = self.log.lock();
        let Some(at) = log.runs.iter().position(|run| Arc::ptr_eq(run, cell)) else { return self.ready() };
        let cell = log.runs.remove(at);
        self.end_run(&mut log, &cell)
    }

    /// Records, after a connect, what the process has asked before with the same connect arguments and this recording
    /// does not have. `statement` returns a new statement id of the connection.
    ///
    /// # Errors
    /// The first failure of this recording.
    pub fn adopt(
        self: &Arc<Self>,
        connection: ConnectionId,
        mut statement: impl FnMut() -> u32,
    ) -> Result<(), CassetteError> {
        if self.answers.are_alone() {
            return Ok(());
        }
        // the first connection with these arguments records it for those that follow
        let Some(identity) = self.log.lock().info.first_of_its_identity(connection) else { return Ok(()) };
        let (replies, results) = self.answers.earlier(identity);
        for reply in replies {
            self.before(connection, reply, 0)?;
        }
        for result in results {
            if self.answers.adopts(identity, &result) {
                self.record_again(connection, statement(), result)?;
            }
        }
        Ok(())
    }

    fn record_again(
        self: &Arc<Self>,
        connection: ConnectionId,
        statement: u32,
        KnownResult { method, asked, steps, .. }: KnownResult,
    ) -> Result<(), CassetteError> {
        let entry = |method, fields| Entry { method, connection, statement: Some(statement), fields };
        self.write_command(&entry(method, asked))?;
        let mut first = true;
        for step in steps {
            match step {
                Step::Command(method, fields) => self.write_command(&entry(method, fields))?,
                Step::Note(method, fields) => self.note(&entry(method, fields))?,
                Step::Columns(columns) => self.columns(connection, statement, &columns)?,
                Step::Rows(KeptRows { rows, c_types, ended, .. }) => {
                    let run = self.run(connection, statement, first);
                    let mut run = run.lock();
                    for row in rows {
                        run.begin_row()?;
                        *run.row() = row;
                        for (column, name) in c_types.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
                            run.c_type(column, name.clone());
                        }
                    }
                    run.end(ended)?;
                    first = false;
                }
                Step::Lost => {}
            }
        }
        Ok(())
    }
}
