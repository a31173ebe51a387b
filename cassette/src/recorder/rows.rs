//! Writes the rows of a run: collects them in a block, writes the block to disk, and makes the entries that name them.
//!
//! A run is the rows of one statement that are fetched without interruption.

use std::borrow::Cow;

use parking_lot::Mutex;

use super::numbering::{Kind, RowsNames};
use crate::files;
use crate::inline::inline;
use crate::redaction::RowRules;
use crate::store::{OpenRun, RowBlock, RowsWriter, Store};
use crate::{CassetteError, ConnectionId, Detail, Entry, Fields, Key, Method, Row, Value};

/// Encodes an entry that is about to be appended.
pub(super) type Encode<'e> = &'e dyn Fn(&Entry, &mut Vec<u8>);

/// The length, in bytes, that most entries of a run do not exceed.
const MOST_ENTRIES: usize = 256;

/// What a finished run adds to the log.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// Encoded entries. Empty for a run without rows that did not reach the end.
    pub(super) entries: Vec<u8>,
    /// The kind of the member that was written.
    pub(super) member: Option<Kind>,
    /// The rows, if they are kept.
    pub(super) kept: Option<KeptRows>,
    /// Memory for the rows of another run.
    pub(super) row: Row,
}

/// The rows of one run.
pub(super) struct Rows {
    connection: ConnectionId,
    statement: u32,
    /// Whether the run began at the result's first row.
    first: bool,
    names: RowsNames,
    member: Option<Box<dyn RowsWriter>>,
    /// Whether a block is on disk.
    started: bool,
    /// Whether the journal of rows must be written again, because it lacks something about these rows.
    journal_due: bool,
    /// How many outcomes are in the journal.
    journaled: usize,
    /// How many rows are complete.
    complete: u64,
    assembling: bool,
    /// The row that is being read.
    pub(super) row: Row,
    block: RowBlock,
    /// The first rows in the form of the log, as long as the run may end up there.
    inline: Vec<Value>,
    /// One for each column; empty where no row had a cell yet.
    c_types: Vec<Cow<'static, str>>,
    /// C types of the row that is being read which differ from the column's.
    odd_types: Vec<(usize, String)>,
    outcome: Vec<(String, Value)>,
    outcomes: Vec<Value>,
    /// Whether the first cell of every row is the bookmark, column 0.
    bookmarks: bool,
    /// What was asked for, if the rows come from a scroll.
    scroll: Option<Fields>,
    /// The outcome of a scroll as a whole.
    scroll_outcome: Fields,
    /// What is replaced in complete rows.
    rules: RowRules,
    /// The complete rows, if they are kept.
    kept: Option<Vec<Row>>,
    /// Whether anything was recorded about single rows.
    odd: bool,
}

impl Rows {
    pub(super) fn new(connection: ConnectionId, statement: u32, first: bool, names: RowsNames) -> Self {
        Rows {
            connection,
            statement,
            first,
            names,
            member: None,
            started: false,
            journal_due: true,
            journaled: 0,
            complete: 0,
            assembling: false,
            row: Row::new(),
            block: RowBlock::default(),
            inline: Vec::new(),
            c_types: Vec::new(),
            odd_types: Vec::new(),
            outcome: Vec::new(),
            outcomes: Vec::new(),
            bookmarks: false,
            scroll: None,
            scroll_outcome: Fields::new(),
            rules: RowRules::default(),
            kept: None,
            odd: false,
        }
    }

    /// Marks the rows as those of one scroll that asked for this, rather than the next rows.
    pub(super) fn scrolled(mut self, asked: Fields) -> Self {
        self.scroll = Some(asked);
        self
    }

    /// Collects the cells of rows in this memory, which another run no longer needs.
    pub(super) fn assembled_in(mut self, row: Row) -> Self {
        self.row = row;
        self
    }

    /// Redacts rows by these rules.
    pub(super) fn redacted(mut self, rules: RowRules) -> Self {
        self.rules = rules;
        self
    }

    /// Sets whether complete rows are kept.
    pub(super) fn kept(mut self, keeps: bool) -> Self {
        self.kept = keeps.then(Vec::new);
        self
    }

    fn redact_row(&mut self) {
        let (types, odd, first) = (&self.c_types, &self.odd_types, usize::from(!self.bookmarks));
        let odd_type = |at| odd.iter().find(|(of, _)| *of == at).map(|(_, name)| name.as_str());
        let c_type = |at| odd_type(at).or_else(|| types.get(at).map(Cow::as_ref)).unwrap_or_default();
        self.rules.row(&mut self.row, first, c_type);
        if let Some(kept) = &mut self.kept {
            kept.push(self.row.clone());
        }
    }

    /// Returns the row in the form of the log, without secrets. Rows that go to a member are searched block by block instead.
    fn inline_row(&mut self) -> Value {
        let (types, odd) = (&self.c_types, &self.odd_types);
        let odd_type = |at| odd.iter().find(|(of, _)| *of == at).map(|(_, name)| name.as_str());
        let c_type = |at| odd_type(at).or_else(|| types.get(at).map(Cow::as_ref)).unwrap_or_default();
        self.rules.hide_row(&mut self.row, c_type);
        inline(&self.row, &self.c_types)
    }

    /// Makes every row begin with the bookmark.
    pub(super) fn with_bookmarks(&mut self) {
        self.bookmarks = true;
    }

    /// Sets the outcome of a scroll as a whole: its return code, row states.
    pub(super) fn set_scroll_outcome(&mut self, fields: Fields) {
        self.scroll_outcome = self.rules.scroll_outcome(fields);
    }

    /// Says whether rows are on disk already.
    pub(super) fn is_started(&self) -> bool {
        self.started
    }

    /// Returns how many rows were begun so far.
    pub(super) fn count(&self) -> u64 {
        self.complete + u64::from(self.assembling)
    }

    /// Begins a row. Returns true if a block must be flushed.
    pub(super) fn begin(&mut self, store: &dyn Store, inline_rows: usize) -> bool {
        self.complete_row(store, inline_rows);
        self.assembling = true;
        self.block.is_full()
    }

    fn complete_row(&mut self, store: &dyn Store, inline_rows: usize) {
        if !self.assembling {
            return;
        }
        self.row.widen(self.c_types.len());
        self.redact_row();
        if inline_rows > 1 && self.complete < inline_rows as u64 {
            let row = self.inline_row();
            self.inline.push(row);
        }
        store.encode_row(&self.row, &mut self.block);
        self.complete_outcome();
        self.complete += 1;
        self.assembling = false;
        self.row.clear();
    }

    fn complete_outcome(&mut self) {
        if self.outcome.is_empty() && self.odd_types.is_empty() {
            return;
        }
        let mut pairs = vec![Detail::Row.with(self.complete + 1)];
        if !self.odd_types.is_empty() {
            let first = usize::from(!self.bookmarks);
            let types = self.odd_types.drain(..).map(|(at, name)| ((at + first).to_string(), Value::from(name)));
            pairs.push(Detail::CTypes.with(Value::Map(types.collect())));
        }
        pairs.append(&mut self.outcome);
        self.outcomes.push(self.rules.outcome(Value::Map(pairs)));
        self.odd = true;
        self.journal_due = true;
    }

    /// Writes the pending block to disk. The first block creates the member.
    pub(super) fn flush(&mut self, store: &dyn Store) -> Result<(), CassetteError> {
        self.journal(store)?;
        self.flush_as(store, self.kind())
    }

    /// Returns what the member holds while the run goes on.
    fn kind(&self) -> Kind {
        match (&self.scroll, self.first) {
            (Some(_), _) => Kind::FetchScroll,
            // a run from the first row counts as the whole result until it turns out not to be
            (None, true) => Kind::FetchAll,
            (None, false) => Kind::FetchMany,
        }
    }

    /// Notes in the journal what must be said of the rows and is not there yet, so that it is not lost if the process
    /// is killed. A scroll ends within its call, and half of one is not worth keeping.
    fn journal(&mut self, store: &dyn Store) -> Result<(), CassetteError> {
        if !self.journal_due || self.scroll.is_some() {
            return Ok(());
        }
        let entry = self.entry(Method::FetchMany).with(Key::RowsFile, self.names.name(Kind::FetchMany));
        let entry = self.describe(entry, self.outcomes[self.journaled..].to_vec());
        let member = self.names.name(self.kind());
        store.note_rows(&OpenRun { run: self.names.run(), member: &member, entry })?;
        (self.journal_due, self.journaled) = (false, self.outcomes.len());
        Ok(())
    }

    /// Writes the pending block to disk. `kind` is what the member will hold, if it does not exist yet.
    fn flush_as(&mut self, store: &dyn Store, kind: Kind) -> Result<(), CassetteError> {
        // a block goes to disk as soon as it is full, so a larger one has a row that is as large
        files::check_size(store.name(), "a row", self.block.bytes().len())?;
        let member = match &mut self.member {
            Some(member) => member,
            none => none.insert(store.rows_writer(&self.names.name(kind))?),
        };
        if let Some(hiding) = self.rules.hiding_in(self.block.bytes()) {
            let c_type = |column| self.c_types.get(column).map(Cow::as_ref).unwrap_or_default();
            store.replace_fields(&mut self.block, &|column, field| hiding.field(c_type(column), field));
        }
        member.append(&self.block)?;
        self.started = true;
        self.inline = Vec::new();
        self.block.clear();
        Ok(())
    }

    /// Sets the type of a column for the row under assembly. Returns true if it is the column's type, false if only this row has it.
    pub(super) fn c_type(&mut self, column: usize, name: Cow<'static, str>) -> bool {
        match self.c_types.get_mut(column) {
            Some(known) if *known == name => {
                if !self.odd_types.is_empty() {
                    self.odd_types.retain(|(of, _)| *of != column);
                }
            }
            // nothing is known yet, or this is the only row
            Some(known) if known.is_empty() || self.complete == 0 => {
                *known = name;
                self.journal_due = true;
            }
            Some(_) => {
                self.odd_types.retain(|(of, _)| *of != column);
                self.odd_types.push((column, name.into_owned()));
                self.odd_types.sort_unstable_by_key(|(of, _)| *of);
                return false;
            }
            None => {
                self.c_types.resize(column, Cow::Borrowed(""));
                self.c_types.push(name);
                self.journal_due = true;
            }
        }
        true
    }

    pub(super) fn outcome(&mut self, outcome: Value) {
        let Value::Map(pairs) = outcome else { return };
        for (key, value) in pairs {
            match self.outcome.iter_mut().find(|(known, _)| *known == key) {
                Some((_, known)) => *known = value,
                None => self.outcome.push((key, value)),
            }
        }
    }

    /// Writes what is left of the rows and returns the entries of the run.
    pub(super) fn finish(
        &mut self,
        store: &dyn Store,
        inline_rows: usize,
        ended: bool,
        encode: Encode<'_>,
    ) -> Result<Written, CassetteError> {
        let (mut written, count) = (Written::default(), self.count());
        if self.scroll.is_some() {
            return self.finish_scroll(store, inline_rows, encode);
        }
        written.entries.reserve(MOST_ENTRIES);
        if count == 1 {
            self.row.widen(self.c_types.len());
            self.redact_row();
            let row = self.inline_row();
            self.complete_outcome();
            let entry = self.entry(Method::Fetch).with(Key::Result, row);
            encode(&self.described(entry), &mut written.entries);
        } else if count > 1 {
            let kind = if self.first && ended { Kind::FetchAll } else { Kind::FetchMany };
            let method = if kind == Kind::FetchAll { Method::FetchAll } else { Method::FetchMany };
            let mut entry = self.entry(method).with(Key::N, count);
            self.complete_row(store, inline_rows);
            if !self.started && count <= inline_rows as u64 && !self.block.is_full() {
                entry = entry.with(Key::Rows, Value::List(std::mem::take(&mut self.inline)));
            } else {
                let begun = self.started;
                if begun {
                    self.journal(store)?;
                }
                self.flush_as(store, kind)?;
                entry = entry.with(Key::RowsFile, self.name(kind, begun)?);
                written.member = Some(kind);
            }
            encode(&self.described(entry), &mut written.entries);
            if kind == Kind::FetchAll {
                return Ok(self.release(written, true));
            }
        }
        if ended {
            encode(&self.entry(Method::Fetch).with(Key::Result, Value::Null), &mut written.entries);
        }
        Ok(self.release(written, ended))
    }

    /// Writes what is left of a scroll's rows and returns its entry.
    fn finish_scroll(
        &mut self,
        store: &dyn Store,
        inline_rows: usize,
        encode: Encode<'_>,
    ) -> Result<Written, CassetteError> {
        let (mut written, count) = (Written::default(), self.count());
        let asked = self.scroll.as_mut().map(std::mem::take).unwrap_or_default();
        let entry = Entry { fields: asked, ..self.entry(Method::FetchScroll) };
        let entry = match count {
            0 => entry.with(Key::Result, Value::Null),
            1 => {
                self.row.widen(self.c_types.len());
                self.redact_row();
                let row = self.inline_row();
                self.complete_outcome();
                entry.with(Key::Result, row)
            }
            _ => {
                self.complete_row(store, inline_rows);
                if !self.started && count <= inline_rows as u64 && !self.block.is_full() {
                    entry.with(Key::Rows, Value::List(std::mem::take(&mut self.inline)))
                } else {
                    self.flush(store)?;
                    written.member = Some(Kind::FetchScroll);
                    entry.with(Key::N, count).with(Key::RowsFile, self.names.name(Kind::FetchScroll))
                }
            }
        };
        let mut entry = self.described(entry);
        entry.fields.append(&mut self.scroll_outcome);
        encode(&entry, &mut written.entries);
        Ok(self.release(written, false))
    }

    fn entry(&self, method: Method) -> Entry {
        Entry::new(method, self.connection, Some(self.statement))
    }

    /// Adds what concerns the cells, for the last time.
    fn described(&mut self, entry: Entry) -> Entry {
        let outcomes = std::mem::take(&mut self.outcomes);
        self.describe(entry, outcomes)
    }

    /// Adds what concerns the cells.
    fn describe(&self, mut entry: Entry, outcomes: Vec<Value>) -> Entry {
        if !self.c_types.is_empty() {
            let name = |name: &Cow<'static, str>| if name.is_empty() { Value::Null } else { Value::from(&**name) };
            entry = entry.with(Key::CTypes, Value::List(self.c_types.iter().map(name).collect()));
        }
        if self.bookmarks {
            entry = entry.with(Key::Bookmarks, true);
        }
        if outcomes.is_empty() { entry } else { entry.with(Key::Outcomes, Value::List(outcomes)) }
    }

    /// Gives the member its final name. Only at its end is it known whether a run is the whole result.
    fn name(&mut self, kind: Kind, begun: bool) -> Result<String, CassetteError> {
        let name = self.names.name(kind);
        if begun
            && self.first
            && kind == Kind::FetchMany
            && let Some(member) = &mut self.member
        {
            member.rename(&name)?;
        }
        Ok(name)
    }

    /// Closes the member and frees the memory, because the statement may keep the run.
    fn release(&mut self, mut written: Written, ended: bool) -> Written {
        let (c_types, odd) = (&self.c_types, self.odd);
        written.kept = self.kept.take().map(|rows| KeptRows { rows, c_types: c_types.clone(), ended, odd });
        written.row = std::mem::take(&mut self.row);
        self.member = None;
        self.block = RowBlock::default();
        self.inline = Vec::new();
        written
    }
}

/// The rows of a run, as they were recorded.
#[derive(Clone, Debug)]
pub(super) struct KeptRows {
    pub(super) rows: Vec<Row>,
    pub(super) c_types: Vec<Cow<'static, str>>,
    /// Whether the end of the data was reached.
    pub(super) ended: bool,
    /// Whether anything was recorded about single rows.
    pub(super) odd: bool,
}

/// A run as its recorder knows it.
pub(super) struct RunCell {
    pub(super) connection: ConnectionId,
    pub(super) statement: u32,
    pub(super) state: Mutex<State>,
}

pub(super) struct State {
    pub(super) rows: Rows,
    /// Whether the run takes rows.
    pub(super) open: bool,
    /// The encoded entries of an ended run. Whichever thread comes first appends them.
    pub(super) prepared: Option<Result<Written, CassetteError>>,
}

impl RunCell {
    pub(super) fn new(
        connection: ConnectionId,
        statement: u32,
        first: bool,
        names: RowsNames,
        rules: RowRules,
        keeps: bool,
        row: Row,
    ) -> Self {
        let rows = Rows::new(connection, statement, first, names).redacted(rules).kept(keeps).assembled_in(row);
        RunCell::of(connection, statement, rows)
    }

    pub(super) fn of(connection: ConnectionId, statement: u32, rows: Rows) -> Self {
        RunCell { connection, statement, state: Mutex::new(State { rows, open: true, prepared: None }) }
    }

    pub(super) fn is_of(&self, connection: ConnectionId, statement: u32) -> bool {
        self.connection == connection && self.statement == statement
    }

    /// Ends the run and returns what belongs into the log; nothing if somebody else has ended it. The caller holds the log's lock.
    pub(super) fn close(
        &self,
        store: &dyn Store,
        inline_rows: usize,
        encode: Encode<'_>,
    ) -> Result<Written, CassetteError> {
        let mut state = self.state.lock();
        if let Some(prepared) = state.prepared.take() {
            return prepared;
        }
        if !state.open {
            return Ok(Written::default());
        }
        state.open = false;
        state.rows.finish(store, inline_rows, false, encode)
    }
}
