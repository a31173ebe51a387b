//! A recorded run of rows that its statement holds. The statement reads it without taking the player's lock, so a slow
//! reader does not block others.

use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use csv::ByteRecord;

use crate::values::bindings::{Bindings, SameColumn};
use super8_cassette::cell::{Cell, CellError};
use super8_cassette::inline::InlineRow;
use super8_cassette::store::{EntryRef, RowsSource, Store};
use super8_cassette::words::NO_DATA;
use super8_cassette::{CassetteError, ConnectionId, Detail, Entry, Key, Method, Value, cell, inline};

/// How far a run is read. The player shares it, because it has to know whether rows are left.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    returned: AtomicU64,
    done: AtomicBool,
}

impl Progress {
    /// Returns the progress of a run that has no rows to read.
    pub(crate) fn over() -> Arc<Progress> {
        Arc::new(Progress { returned: AtomicU64::new(0), done: AtomicBool::new(true) })
    }

    /// Says whether no row is left.
    pub(crate) fn done(&self) -> bool {
        self.done.load(Ordering::Acquire)
    }

    /// Returns how many rows were read so far.
    pub(crate) fn returned(&self) -> u64 {
        self.returned.load(Ordering::Relaxed)
    }
}

/// Says whether an entry only records that the data has ended.
pub(crate) fn is_end(entry: &Entry) -> bool {
    entry.method == Method::Fetch && no_row(entry) && (entry.return_code() == NO_DATA || entry.succeeded())
}

/// Says whether an entry is a fetch that failed.
pub(crate) fn is_failure(entry: &Entry) -> bool {
    no_row(entry) && !entry.succeeded() && !is_end(entry)
}

fn no_row(entry: &Entry) -> bool {
    let result = matches!(entry.get(Key::Result), None | Some(Value::Null));
    result && entry.get(Key::Rows).is_none() && entry.get(Key::RowsFile).is_none()
}

/// Returns the number of rows of a rows entry, if the entry itself says it.
pub(crate) fn count(entry: &Entry) -> Option<u64> {
    match entry.method {
        Method::Fetch => Some(u64::from(!no_row(entry))),
        Method::FetchScroll if entry.get(Key::Rows).is_none() && entry.get(Key::RowsFile).is_none() => {
            Some(u64::from(!no_row(entry)))
        }
        _ => match entry.get(Key::Rows).and_then(Value::as_list) {
            Some(rows) => Some(rows.len() as u64),
            None => entry.get(Key::N).and_then(Value::as_int).and_then(|count| u64::try_from(count).ok()),
        },
    }
}

/// What the values of recorded rows stand for.
pub(crate) struct LiveValues {
    pub(crate) bindings: Arc<Bindings>,
    /// The live connection that gets them.
    pub(crate) user: ConnectionId,
    /// The columns that rules `same` name.
    pub(crate) same: Vec<SameColumn>,
}

/// The rows of a result as another statement read it, from the first one on.
pub(crate) struct OtherReading {
    c_types: Arc<[String]>,
    /// `None` for a row beside which more than its cells was recorded.
    rows: Vec<Option<ByteRecord>>,
}

impl OtherReading {
    /// Reads what is left of a run, after those before it.
    ///
    /// # Errors
    /// A row that cannot be read.
    pub(crate) fn add(&mut self, run: &mut PlayedRun) -> Result<(), CassetteError> {
        while run.next()?.is_some() {
            let is_plain =
                run.outcome().is_none() && !run.bookmarks && (self.rows.is_empty() || run.c_types == self.c_types);
            if self.rows.is_empty() {
                self.c_types = Arc::clone(&run.c_types);
            }
            self.rows.push(run.current().filter(|_| is_plain).cloned());
        }
        Ok(())
    }

    pub(crate) fn new() -> OtherReading {
        OtherReading { c_types: Arc::default(), rows: Vec::new() }
    }
}

/// What other statements read of the rows of a run.
struct Others {
    readings: Vec<OtherReading>,
    /// How many rows of the result come before the run.
    before: u64,
}

impl Others {
    /// Puts the cells that others read in the place of those that are unread in a row. The row is the n-th of the run, from 1.
    fn fill(&self, n: u64, row: &mut ByteRecord, c_types: &[String]) {
        let at = usize::try_from(self.before + n).unwrap_or(usize::MAX).saturating_sub(1);
        let is_read = |field: &&[u8]| *field != cell::UNREAD;
        let of_others = |column: usize| {
            let same_type = |reading: &&OtherReading| reading.c_types.get(column) == c_types.get(column);
            let readings = self.readings.iter().filter(same_type);
            readings.filter_map(|reading| reading.rows.get(at)?.as_ref()?.get(column)).find(is_read)
        };
        let own = |column: usize| row.get(column).filter(is_read);
        if (0..c_types.len()).all(|column| own(column).is_some() || of_others(column).is_none()) {
            return;
        }
        let fields = (0..c_types.len().max(row.len()))
            .map(|column| own(column).or_else(|| of_others(column)).unwrap_or(cell::UNREAD));
        *row = fields.collect();
    }
}

/// A run of rows being played.
pub struct PlayedRun {
    source: Source,
    file: Arc<Path>,
    line: u32,
    /// The row that was handed out last; `None` before the first.
    current: Option<Fields>,
    /// The row after it. It is read ahead, because the player has to know when the last row is out.
    ahead: Result<Option<Fields>, CassetteError>,
    has_ahead: bool,
    expected: Expected,
    /// The number of rows that the program has room for.
    room: u64,
    c_types: Arc<[String]>,
    bookmarks: bool,
    outcomes: Vec<(u64, Value)>,
    next_outcome: usize,
    progress: Arc<Progress>,
    returned: u64,
    ended: bool,
    live: Option<LiveValues>,
    others: Option<Others>,
    /// The entry's position, and the row at which a fault strikes.
    fails_at: Option<(u32, u64)>,
}

/// How many rows a run must have.
#[derive(Clone, Copy)]
enum Expected {
    /// As many as `n` says.
    Exactly(u64),
    /// At least one: the entry has a rows file and no `n`.
    Some,
    /// As many as stand in the entry.
    Any,
}

/// The fields of a row.
#[derive(Default)]
struct Fields {
    record: ByteRecord,
    /// Whether every field is UTF-8. This is checked once for the row rather than for each cell.
    utf8: bool,
    /// The line that the row stands on; for an inline row the line of its entry.
    line: u64,
}

enum Source {
    Member(Box<dyn RowsSource>),
    /// Rows that stand in the entry: the next one, and those after it.
    Inline {
        next: Option<Value>,
        rest: std::vec::IntoIter<Value>,
    },
}

impl PlayedRun {
    /// Opens the rows of a fetch's entry as replay reads them, without playing it.
    ///
    /// # Errors
    /// The entry's rows are not there or cannot be read.
    pub fn of(store: &dyn Store, place: EntryRef, entry: Entry) -> Result<PlayedRun, CassetteError> {
        PlayedRun::open(store, place, entry, false, Progress::over())
    }

    /// Returns how far the run is read.
    pub(crate) fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }

    /// Opens the rows of an entry. `ended` says that the end of data was recorded right after them.
    pub(crate) fn open(
        store: &dyn Store,
        place: EntryRef,
        entry: Entry,
        ended: bool,
        progress: Arc<Progress>,
    ) -> Result<PlayedRun, CassetteError> {
        PlayedRun::open_live(store, place, entry, ended, progress, None)
    }

    /// Does the same, with live values in place of the recorded values that they are bound to.
    pub(crate) fn open_live(
        store: &dyn Store,
        place: EntryRef,
        entry: Entry,
        ended: bool,
        progress: Arc<Progress>,
        live: Option<LiveValues>,
    ) -> Result<PlayedRun, CassetteError> {
        let (file, line) = store.locate(place);
        let wrong = |key: &str, problem: &str| store.refuse(place, key, problem).advice("correct it, or record again");
        let list = |key: Key| entry.get(key).and_then(Value::as_list).unwrap_or_default();
        let row = |item: &Value| Some((u64::try_from(item.detail(Detail::Row)?.as_int()?).ok()?, item.clone()));
        let mut outcomes: Vec<(u64, Value)> = list(Key::Outcomes).iter().filter_map(row).collect();
        outcomes.sort_by_key(|(row, _)| *row);
        let number = |key: Key| entry.get(key).and_then(Value::as_int).and_then(|count| u64::try_from(count).ok());
        let expected = match number(Key::N) {
            None if entry.get(Key::RowsFile).is_some() => Expected::Some,
            None => Expected::Any,
            Some(n) => Expected::Exactly(n),
        };
        let room = match entry.method {
            Method::FetchScroll => number(Key::Rowset).unwrap_or(1),
            _ => u64::MAX,
        };
        let bookmarks = entry.get(Key::Bookmarks) == Some(&Value::Bool(true));
        let (mut found, mut c_types) = (None, Arc::default());
        for (key, value) in entry.fields {
            match (key, value) {
                (Key::Result | Key::Rows | Key::RowsFile, value) if found.is_none() => found = Some((key, value)),
                (Key::CTypes, Value::List(names)) => c_types = names.into_iter().map(c_type_name).collect(),
                _ => {}
            }
        }
        let source = match found {
            Some((key, Value::Text(member))) => Source::Member(
                store.rows(&member).map_err(|error| store.refuse_member(place, key.name(), &member, &error))?,
            ),
            Some((Key::Result, row @ Value::List(_))) => {
                Source::Inline { next: Some(row), rest: Vec::new().into_iter() }
            }
            Some((Key::Rows, Value::List(rows))) => {
                let mut rest = rows.into_iter();
                Source::Inline { next: rest.next(), rest }
            }
            _ => return Err(wrong("rows_file", "there are no rows: neither `result`, `rows` nor `rows_file` has any")),
        };
        let ended = ended || entry.method == Method::FetchAll;
        let mut run = PlayedRun {
            source,
            file,
            line,
            current: None,
            ahead: Ok(None),
            has_ahead: false,
            expected,
            room,
            c_types,
            bookmarks,
            outcomes,
            next_outcome: 0,
            progress,
            returned: 0,
            ended,
            live,
            others: None,
            fails_at: None,
        };
        run.read_ahead();
        Ok(run)
    }

    /// Makes the run of one row, which stands in the entry at this place.
    pub(crate) fn of_row(
        (file, line): (Arc<Path>, u32),
        row: InlineRow,
        ended: bool,
        progress: Arc<Progress>,
    ) -> PlayedRun {
        let ahead = Fields { record: row.fields, utf8: true, line: line.into() };
        PlayedRun {
            source: Source::Inline { next: None, rest: Vec::new().into_iter() },
            file,
            line,
            current: None,
            ahead: Ok(Some(ahead)),
            has_ahead: true,
            expected: Expected::Any,
            room: u64::MAX,
            c_types: row.c_types,
            bookmarks: false,
            outcomes: Vec::new(),
            next_outcome: 0,
            progress,
            returned: 0,
            ended,
            live: None,
            others: None,
            fails_at: None,
        }
    }

    /// Makes a fault strike at a row of this run.
    pub(crate) fn failing_at(self, position: u32, row: u64) -> PlayedRun {
        PlayedRun { fails_at: Some((position, row)), ..self }
    }

    /// Has cells that are unread here filled with what others read of the same result. `before` is how many rows of the result
    /// come before this run.
    pub(crate) fn filled_by(mut self, before: u64, readings: Vec<OtherReading>) -> PlayedRun {
        let widest = readings.iter().map(|reading| reading.c_types.len()).max().unwrap_or(0);
        let mut c_types = self.c_types.to_vec();
        c_types.resize(c_types.len().max(widest), String::new());
        for (column, c_type) in c_types.iter_mut().enumerate().filter(|(_, c_type)| c_type.is_empty()) {
            let mut known = readings.iter().filter_map(|reading| reading.c_types.get(column));
            *c_type = known.find(|known| !known.is_empty()).cloned().unwrap_or_default();
        }
        self.c_types = c_types.into();
        let others = Others { readings, before };
        if let Ok(Some(ahead)) = &mut self.ahead
            && self.has_ahead
        {
            others.fill(self.returned + 1, &mut ahead.record, &self.c_types);
            ahead.utf8 = is_utf8(&ahead.record);
        }
        PlayedRun { others: Some(others), ..self }
    }

    /// Says whether a fault will strike in this run.
    #[inline]
    pub fn is_to_fail(&self) -> bool {
        self.fails_at.is_some()
    }

    /// Takes the fault that strikes before the next row, if there is one. Returns the entry's position and the row.
    #[inline]
    pub(crate) fn fails_now(&mut self) -> Option<(u32, u64)> {
        let next = self.returned + 1;
        self.fails_at.take_if(|(_, row)| *row == next)
    }

    /// Returns the next row as encoded cells, each for [`decode`](super8_cassette::cell::decode); `None` after the last row. A
    /// row may be narrower than others: the application did not read the cells that are missing at its end.
    ///
    /// # Errors
    /// A row is unreadable (with file and line), or there are fewer or more rows than the log says.
    #[allow(clippy::should_implement_trait)] // it lends the row, which an iterator cannot
    pub fn next(&mut self) -> Result<Option<&ByteRecord>, CassetteError> {
        match &mut self.ahead {
            Err(error) => return Err(error.clone()),
            Ok(_) if !self.has_ahead => return Ok(None),
            Ok(ahead) => std::mem::swap(&mut self.current, ahead),
        }
        self.returned += 1;
        while self.outcomes.get(self.next_outcome).is_some_and(|(row, _)| *row < self.returned) {
            self.next_outcome += 1;
        }
        self.progress.returned.store(self.returned, Ordering::Relaxed);
        self.read_ahead();
        Ok(self.current())
    }

    /// Returns the row that [`next`](Self::next) handed out last; `None` before the first.
    #[inline]
    pub fn current(&self) -> Option<&ByteRecord> {
        self.current.as_ref().map(|current| &current.record)
    }

    /// Returns the encoded field of a column (from 0) of the current row; `None` if the row is narrower.
    #[inline]
    pub fn field(&self, column: usize) -> Option<&[u8]> {
        self.current()?.get(column)
    }

    /// Says whether every field of the current row is UTF-8.
    #[inline]
    pub fn is_utf8(&self) -> bool {
        self.current.as_ref().is_some_and(|current| current.utf8)
    }

    /// Returns the field of a column (from 0) of the current row if it is plain text: UTF-8 without a tag. Any other
    /// field needs [`decode`](super8_cassette::cell::decode).
    #[inline]
    pub fn plain(&self, column: usize) -> Option<&[u8]> {
        let current = self.current.as_ref().filter(|current| current.utf8)?;
        let field = current.record.get(column)?;
        (field.first() != Some(&b'\\')).then_some(field)
    }

    /// Decodes the cell of a column (from 0) of the current row with [`decode`](super8_cassette::cell::decode). If the row is
    /// narrower, the cell was not read.
    ///
    /// # Errors
    /// As for [`decode`](super8_cassette::cell::decode).
    #[inline]
    pub fn cell<'a>(&'a self, column: usize, scratch: &'a mut Vec<u8>) -> Result<Cell<'a>, CellError> {
        match self.plain(column) {
            Some(text) => Ok(Cell::Text(text)),
            None if self.is_utf8() => cell::decode_utf8(self.field(column).unwrap_or(cell::UNREAD), scratch),
            None => cell::decode(self.field(column).unwrap_or(cell::UNREAD), scratch),
        }
    }

    /// Makes the error for a cell (column from 0) of the current row that cannot be decoded or does not fit its C type.
    pub fn refuse(&self, column: usize, problem: &dyn Display) -> CassetteError {
        let (file, path) = match &self.source {
            Source::Member(member) => (member.file(), format!("field {}", column + 1)),
            Source::Inline { .. } => (&*self.file, format!("row {}, cell {}", self.returned, column + 1)),
        };
        let error = CassetteError::new(file, problem.to_string()).at_path(path);
        let error = match &self.current {
            Some(current) => error.at_line(current.line),
            None => error,
        };
        error.advice("correct it, or record again")
    }

    /// Returns the C types in which the application took the columns during recording; empty where no cell was read.
    pub fn c_types(&self) -> &[String] {
        &self.c_types
    }

    /// Says whether the first cell of every row is the bookmark, column 0.
    #[inline]
    pub fn bookmarks(&self) -> bool {
        self.bookmarks
    }

    /// Returns the C type of a column (from 0) of the current row, which may differ from that of its column.
    pub fn c_type(&self, column: usize) -> Option<&str> {
        let odd = self.outcome().and_then(|outcome| outcome.detail(Detail::CTypes));
        let number = column + usize::from(!self.bookmarks);
        let odd = odd.and_then(|types| types.get(&number.to_string())).and_then(Value::as_text);
        odd.or_else(|| self.c_types.get(column).map(String::as_str)).filter(|name| !name.is_empty())
    }

    /// Returns what else was recorded of the current row: a map with `row` and, if there were any, `return`,
    /// `diagnostics` and the like.
    #[inline]
    pub fn outcome(&self) -> Option<&Value> {
        self.outcomes.get(self.next_outcome).filter(|(row, _)| *row == self.returned).map(|(_, outcome)| outcome)
    }

    /// Says whether all rows are returned and the end of data was recorded after them, so that a further fetch finds no data.
    pub fn ended(&self) -> bool {
        self.ended && !self.has_ahead && self.ahead.is_ok()
    }

    /// Says whether all rows are returned. Unless the run has also [`ended`](Self::ended), the player may have another
    /// run for the statement.
    pub fn exhausted(&self) -> bool {
        !self.has_ahead && self.ahead.is_ok()
    }

    fn read_ahead(&mut self) {
        let Ok(ahead) = &mut self.ahead else { return };
        let wrong = |problem: String| CassetteError::new(&self.file, problem).at_line(self.line.into());
        let read = match &mut self.source {
            Source::Member(member) => member.next(&mut ahead.get_or_insert_default().record),
            Source::Inline { next, rest } => match std::mem::replace(next, rest.next()) {
                None => Ok(false),
                Some(value) => {
                    let record = &mut ahead.get_or_insert_default().record;
                    record.clear();
                    let read = inline::fields(&value, &mut |field| record.push_field(field));
                    read.map(|()| true).map_err(|error| wrong(error.to_string()))
                }
            },
        };
        let rows = self.returned + u64::from(matches!(read, Ok(true)));
        let read = match (read, self.expected) {
            (Ok(false), Expected::Exactly(n)) if rows < n => {
                Err(wrong(format!("n says {n} rows, and there {}", are_only(rows))).advice(RESTORE))
            }
            (Ok(false), Expected::Some) if rows == 0 => {
                Err(wrong("the rows file has no row, and is written for two or more".to_owned()).advice(RESTORE))
            }
            (Ok(true), Expected::Exactly(n)) if rows > n => {
                Err(wrong(format!("n says {n} rows, and there are more")).advice(RESTORE))
            }
            (Ok(true), _) if rows > self.room => {
                let room = self.room;
                Err(wrong(format!("there are more rows than the {room} that the program asked for")).advice(RESTORE))
            }
            (read, _) => read,
        };
        self.has_ahead = matches!(read, Ok(true));
        match (read, ahead) {
            (Ok(true), Some(ahead)) => {
                if let Some(LiveValues { bindings, same, user }) = &self.live {
                    let outcomes = &mut self.outcomes[self.next_outcome..];
                    let first = usize::from(!self.bookmarks);
                    bindings.row(&mut ahead.record, same, Some(*user), |column, was, is| {
                        if let Some((_, outcome)) = outcomes.iter_mut().find(|(row, _)| *row == rows) {
                            follow(outcome, column + first, (was, is), bindings);
                        }
                    });
                }
                if let Some(others) = &self.others {
                    others.fill(rows, &mut ahead.record, &self.c_types);
                }
                ahead.utf8 = match &self.source {
                    Source::Member(member) if self.live.is_none() && self.others.is_none() => member.is_utf8(),
                    _ => is_utf8(&ahead.record),
                };
                ahead.line = match &self.source {
                    Source::Member(member) => member.line(),
                    Source::Inline { .. } => self.line.into(),
                };
            }
            (Ok(_), _) => self.progress.done.store(true, Ordering::Release),
            (Err(error), _) => self.ahead = Err(error),
        }
    }
}

/// Adjusts what was recorded beside a row about one of its cells, when the cell gets a live value. If the live value has another
/// length, the program reads it in other pieces: then the recorded pieces and truncations are dropped, so that they are computed.
fn follow(outcome: &mut Value, column: usize, (was, is): (&[u8], &[u8]), bindings: &Bindings) {
    let Value::Map(pairs) = outcome else { return };
    let is_cut = |field: &[u8]| field.starts_with(b"\\>");
    let same_length = is_cut(was) == is_cut(is) && was.len() == is.len();
    if is_cut(was) && !is_cut(is) {
        let of_cell = |said: &Value| {
            let of = said.detail(Detail::Column).and_then(Value::as_int);
            said.detail(Detail::Sqlstate).and_then(Value::as_text) == Some("01004")
                && of.is_none_or(|of| of < 0 || i64::try_from(column) == Ok(of))
        };
        let records = pairs.iter_mut().find(|(key, _)| key == Detail::Diagnostics.name());
        if let Some((_, Value::List(records))) = records {
            if let Some(at) = records.iter().position(of_cell) {
                records.remove(at);
            }
            if records.is_empty() {
                let of_it = [Detail::Diagnostics, Detail::Return, Detail::Status];
                pairs.retain(|(key, _)| !of_it.iter().any(|detail| key == detail.name()));
            }
        }
    }
    for (key, said) in pairs {
        match (Detail::from_name(key), said) {
            (Some(Detail::GetData), Value::List(calls)) => calls.retain_mut(|call| {
                if call.detail(Detail::Column).and_then(Value::as_int) != i64::try_from(column).ok() {
                    return true;
                }
                let Value::Map(pairs) = call else { return true };
                let again = pairs.iter_mut().find(|(key, _)| key == Detail::Value.name());
                let is_again = again.is_some();
                if let Some((_, value)) = again {
                    let cell = |field| std::str::from_utf8(field).map(Value::from);
                    match (bindings.document(value, None), cell(was), cell(is)) {
                        (Some(live), _, _) => *value = live,
                        (None, Ok(was), Ok(is)) if *value == was => *value = is,
                        _ => {}
                    }
                }
                same_length || is_again
            }),
            (Some(Detail::Lengths), Value::Map(lengths)) => {
                lengths.retain(|(key, _)| same_length || *key != column.to_string());
            }
            _ => {}
        }
    }
}

/// Returns the name of a C type in the log, or the number of a driver-specific one.
fn c_type_name(item: Value) -> String {
    match item {
        Value::Text(name) => name,
        Value::Int(number) => number.to_string(),
        _ => String::new(),
    }
}

const RESTORE: &str = "restore the rows, correct the number, or record again";

fn are_only(rows: u64) -> String {
    match rows {
        0 => "are none".to_owned(),
        1 => "is only 1".to_owned(),
        rows => format!("are only {rows}"),
    }
}

/// Says whether each field is UTF-8: the whole record must be, and no field may begin inside a character.
fn is_utf8(record: &ByteRecord) -> bool {
    let all = record.as_slice();
    let begins = |column| record.range(column).map_or(0, |range| range.start);
    let apart = |text: &str| (0..record.len()).all(|column| text.is_char_boundary(begins(column)));
    all.is_ascii() || simdutf8::basic::from_utf8(all).is_ok_and(apart)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_utf8_if_every_field_is() {
        let of = |fields: &[&[u8]]| is_utf8(&ByteRecord::from(fields.to_vec()));
        assert!(of(&[]) && of(&[b"", b"a", b""]) && of(&["\u{e9}".as_bytes(), b"", "\u{1f600}".as_bytes()]));
        assert!(!of(&[b"a", b"\xe9"]));
        assert!(!of(&[b"a\xc3", b"\xa9"]), "two halves are no character");
    }
}
