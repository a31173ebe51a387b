//! Reads a cassette as a timeline: its entries in order, each with its lanes, its place, its rows and its outcome in
//! words.

use crate::cassette::{Opened, with_entries};
use crate::exit::Failure;
use crate::lru_map::LruMap;
use std::collections::{BTreeMap, HashMap, VecDeque};
use super8_cassette::entry::Head;
use super8_cassette::schema::Class;
use super8_cassette::summary::show;
use super8_cassette::text::{cut, hex, one_line};
use super8_cassette::{
    Cell, CellError, ConnectionId, CutCell, Detail, Entry, EntryRef, Key, Method, Store, Value, cell,
};

/// The most bytes of one value.
pub const VALUE: usize = 400;

/// A timeline. [`Timeline::new`] walks over the log once to count; [`Timeline::steps`] walks over it again.
pub struct Timeline<'a> {
    store: &'a dyn Store,
    /// The number of entries of each connection.
    entries: HashMap<ConnectionId, u64>,
    counts: Counts,
    width: usize,
    rows_kept: usize,
}

/// A walk over the entries, with the state that later entries need.
struct Walk<'a> {
    store: &'a dyn Store,
    /// Entries that were read and not handed out yet, because a program may ask for columns after it read the rows.
    ahead: VecDeque<(EntryRef, Entry)>,
    /// Their bytes in the log.
    bytes: usize,
    /// The columns file of each statement.
    columns: LruMap<(u32, u32), String>,
    /// The names of the columns in each columns file.
    names: LruMap<String, Vec<String>>,
    lanes: Lanes,
    commands: usize,
    rows_kept: usize,
}

/// How many entries, and bytes of them, are read ahead.
const AHEAD: (usize, usize) = (64, 32 * 1024);
/// How many statements and columns files are remembered (up to twice as many).
const REMEMBERED: usize = 10_000;

/// The numbers of everything in a cassette.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Entries of the log.
    pub entries: usize,
    /// Entries that reach the database.
    pub commands: usize,
    /// Connections.
    pub connections: usize,
    /// Statement texts.
    pub statements: usize,
}

/// One entry of the timeline.
pub struct Step {
    /// Its number among the commands, from 1, as mismatch reports count; `None` for answers and housekeeping.
    pub number: Option<usize>,
    /// Its line in the log.
    pub line: u32,
    /// The log's name.
    pub log: String,
    /// The entry.
    pub entry: Entry,
    /// The lanes beside it.
    pub marks: Vec<Mark>,
    /// The rows that it got, if any.
    pub rows: Option<Rows>,
    /// The sets of parameters, if they are in a file.
    pub sets: Option<Rows>,
}

/// The rows of one entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// The names of the columns; there may be fewer than cells.
    pub columns: Vec<String>,
    /// The first rows.
    pub first: Vec<Vec<Shown>>,
    /// The number of all rows.
    pub count: u64,
    /// The file they are in.
    pub file: Option<String>,
}

/// A cell for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// NULL.
    Null,
    /// The application did not read it.
    Unread,
    /// A value.
    Value(String),
    /// A value that did not fit the application's buffer, with the length that the driver reported.
    Cut(String, i64),
}

impl<'a> Timeline<'a> {
    /// Walks over the log. Each step will have at most `rows_kept` rows.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn new(opened: &'a Opened, rows_kept: usize) -> Result<Timeline<'a>, Failure> {
        let store = opened.store.as_ref();
        let mut connections: HashMap<ConnectionId, Span> = HashMap::new();
        let (mut position, mut counts) = (0, Counts::default());
        store.scan(&mut |_, head| {
            let span = connections.entry(head.connection).or_insert(Span { first: position, ..Span::default() });
            (span.last, span.entries) = (position, span.entries + 1);
            counts.statements += usize::from(head.statement.is_some_and(|statement| span.statements.insert(statement)));
            counts.commands += usize::from(head.method.class() == Class::Command);
            position += 1;
            Ok(())
        })?;
        counts.entries = position;
        counts.connections = connections.len();
        let width = Span::at_once(connections.values());
        let entries = connections.into_iter().map(|(connection, span)| (connection, span.entries)).collect();
        Ok(Timeline { store, entries, counts, width, rows_kept })
    }

    /// Returns the numbers of entries, commands, connections and statements.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Returns the largest number of lanes side by side.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Hands the lines and the leading keys of all entries to `visit`, in order.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn heads(&self, visit: &mut dyn FnMut(u32, Head)) -> Result<(), Failure> {
        self.store.scan(&mut |place, head| {
            visit(place.line, head);
            Ok(())
        })?;
        Ok(())
    }

    /// Hands each entry to `visit`, in order.
    ///
    /// # Errors
    /// An entry or its rows cannot be read; or any error that `visit` returns.
    pub fn steps(&self, visit: &mut dyn FnMut(&Step) -> Result<(), Failure>) -> Result<(), Failure> {
        let mut walk = Walk {
            store: self.store,
            ahead: VecDeque::new(),
            bytes: 0,
            columns: LruMap::with_limit(REMEMBERED),
            names: LruMap::with_limit(REMEMBERED),
            lanes: Lanes::new(self.entries.clone()),
            commands: 0,
            rows_kept: self.rows_kept,
        };
        with_entries(self.store, |entries| {
            for next in entries {
                let (place, _) = next?;
                walk.bytes += place.len as usize;
                walk.ahead.push_back((place, self.store.entry(place)?));
                while walk.ahead.len() > AHEAD.0 || walk.bytes > AHEAD.1 && walk.ahead.len() > 1 {
                    walk.step()?.map_or(Ok(()), |step| visit(&step))?;
                }
            }
            while let Some(step) = walk.step()? {
                visit(&step)?;
            }
            Ok(())
        })
    }
}

/// The entries of one connection.
#[derive(Default)]
struct Span {
    /// The positions of its first and its last entry.
    first: usize,
    last: usize,
    entries: u64,
    statements: Numbers,
}

impl Span {
    /// Returns the largest number of connections that are open at once.
    fn at_once<'s>(spans: impl Iterator<Item = &'s Span>) -> usize {
        // a connection's lane is free after its last entry
        let mut edges: Vec<(usize, bool)> = spans.flat_map(|span| [(span.first, false), (span.last, true)]).collect();
        edges.sort_unstable();
        let (mut open, mut most) = (0_usize, 0);
        for (_, ends) in edges {
            open = if ends { open - 1 } else { open + 1 };
            most = most.max(open);
        }
        most
    }
}

/// A set of mostly consecutive numbers, kept as ranges: the first number of each with its last.
#[derive(Default)]
struct Numbers(BTreeMap<u32, u32>);

impl Numbers {
    /// Adds a number. Returns whether it is new.
    fn insert(&mut self, number: u32) -> bool {
        let before = self.0.range(..=number).next_back().map(|(first, last)| (*first, *last));
        if before.is_some_and(|(_, last)| number <= last) {
            return false;
        }
        let joined = before.filter(|(_, last)| last + 1 == number).map_or(number, |(first, _)| first);
        let behind = number.checked_add(1).and_then(|next| self.0.remove(&next));
        self.0.insert(joined, behind.unwrap_or(number));
        true
    }
}

impl Walk<'_> {
    /// Returns the next of the entries that were read ahead.
    fn step(&mut self) -> Result<Option<Step>, Failure> {
        let Some((place, entry)) = self.ahead.pop_front() else { return Ok(None) };
        self.bytes -= place.len as usize;
        let command = entry.method.class() == Class::Command;
        self.commands += usize::from(command);
        let (rows, sets) = (self.rows(&entry)?, self.sets(&entry)?);
        if let Some((statement, file)) = columns_of(&entry) {
            self.columns.insert(statement, file.to_owned());
        }
        let marks = self.lanes.next(entry.connection);
        let (file, line) = self.store.locate(place);
        let log = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Some(Step { number: command.then_some(self.commands), line, log, entry, marks, rows, sets }))
    }

    fn rows(&mut self, entry: &Entry) -> Result<Option<Rows>, Failure> {
        let mut rows = Rows::default();
        // The row of a fetch is shown as its outcome.
        let kept = self.rows_kept.max(usize::from(entry.method == Method::Fetch));
        if let Some(file) = entry.get(Key::RowsFile).and_then(Value::as_text) {
            rows = self.in_file(file, kept)?;
        } else if entry.method.is_rows() || entry.method == Method::FetchScroll || entry.get(Key::Rows).is_some() {
            let single = entry.get(Key::Result).and_then(Value::as_list).map(|_| entry.get(Key::Result).cloned());
            let several = entry.get(Key::Rows).and_then(Value::as_list).unwrap_or_default().iter().cloned();
            for row in single.flatten().into_iter().chain(several) {
                rows.count += 1;
                if rows.first.len() < kept {
                    rows.first.push(row.as_list().unwrap_or_default().iter().map(value).collect());
                }
            }
        }
        if rows.count == 0 {
            return Ok(None);
        }
        rows.columns = self.names(entry);
        if entry.get(Key::Bookmarks).is_some() && !rows.columns.is_empty() {
            rows.columns.insert(0, "bookmark".to_owned());
        }
        Ok(Some(rows))
    }

    /// Returns the sets of parameters in a file.
    fn sets(&self, entry: &Entry) -> Result<Option<Rows>, Failure> {
        let Some(file) = entry.get(Key::ParamsFile).and_then(Value::as_text) else { return Ok(None) };
        let mut sets = self.in_file(file, self.rows_kept)?;
        let width = entry.get(Key::Types).and_then(Value::as_list).map_or(0, <[Value]>::len);
        sets.columns = (1..=width).map(|number| format!("parameter {number}")).collect();
        Ok(Some(sets))
    }

    /// Reads the rows of a part, and keeps the first `kept` to show them.
    fn in_file(&self, file: &str, kept: usize) -> Result<Rows, Failure> {
        let mut rows = Rows { file: Some(file.to_owned()), ..Rows::default() };
        let mut source = self.store.rows(file)?;
        let (mut record, mut scratch) = (csv::ByteRecord::new(), Vec::new());
        while source.next(&mut record)? {
            if rows.first.len() < kept {
                let cells = record.iter().map(|field| cell(field, &mut scratch));
                let row: Result<Vec<Shown>, CellError> = cells.collect();
                let refused = |error| Failure::new(format_args!("{file}:{}: {error}", rows.count + 1));
                rows.first.push(row.map_err(refused)?);
            }
            rows.count += 1;
        }
        Ok(rows)
    }

    /// Returns the names of the columns of an entry's rows: from the statement's last `columns` entry, or from the next
    /// one within the entries read ahead.
    fn names(&mut self, entry: &Entry) -> Vec<String> {
        let Some(statement) = entry.statement.map(|statement| (entry.connection.0, statement)) else {
            return Vec::new();
        };
        let soon = || self.ahead.iter().filter_map(|(_, entry)| columns_of(entry)).find(|(of, _)| *of == statement);
        let file = match self.columns.get(&statement) {
            Some(file) => file.clone(),
            None => match soon() {
                Some((_, file)) => file.to_owned(),
                None => return Vec::new(),
            },
        };
        if let Some(names) = self.names.get(&file) {
            return names.clone();
        }
        // An unreadable file only costs the names; `super8 check` says what is wrong with it.
        let document = self.store.document(&file).unwrap_or(Value::Null);
        // a program may have asked only for the label
        let named =
            |column: &Value| ["name", "label"].into_iter().find_map(|key| Some(column.get(key)?.as_text()?.to_owned()));
        let name = |column: &Value| named(column).unwrap_or_default();
        let names: Vec<String> = document.as_list().unwrap_or_default().iter().map(name).collect();
        self.names.insert(file, names.clone());
        names
    }
}

/// Returns the statement and the columns file of a `columns` entry.
fn columns_of(entry: &Entry) -> Option<((u32, u32), &str)> {
    let file = entry.get(Key::ColumnsFile).filter(|_| entry.method == Method::Columns)?.as_text()?;
    Some(((entry.connection.0, entry.statement?), file))
}

fn cell(field: &[u8], scratch: &mut Vec<u8>) -> Result<Shown, CellError> {
    Ok(match cell::decode(field, scratch)? {
        Cell::Unread => Shown::Unread,
        Cell::Null => Shown::Null,
        Cell::Text(text) | Cell::Plain(text) => Shown::Value(String::from_utf8_lossy(text).into_owned()),
        Cell::Bytes(bytes) => Shown::Value(format!("0x{}", hex(bytes))),
        Cell::Cut { total, cell: CutCell::Text(text) } => Shown::Cut(String::from_utf8_lossy(text).into_owned(), total),
        Cell::Cut { total, cell: CutCell::Bytes(bytes) } => Shown::Cut(format!("0x{}", hex(bytes)), total),
    })
}

/// Returns a cell of the log as it is shown.
fn value(value: &Value) -> Shown {
    match value {
        Value::Null => Shown::Null,
        Value::Text(text) => cell(text.as_bytes(), &mut Vec::new()).unwrap_or_else(|_| Shown::Value(text.clone())),
        other => Shown::Value(show(other, 4096)),
    }
}

/// Returns the outcome in a few words; empty if there is nothing to say.
pub fn outcome(step: &Step) -> String {
    let Step { entry, rows, .. } = step;
    if let Some(trouble) = trouble(entry) {
        return trouble;
    }
    match (entry.method, rows) {
        (Method::Fetch, Some(rows)) => rows.first.first().map(|row| row_words(row)).unwrap_or_default(),
        (Method::Fetch | Method::FetchScroll, None) => "no more rows".to_owned(),
        (Method::FetchAll, Some(rows)) => format!("all {}", counted(rows)),
        (_, Some(rows)) => counted(rows),
        (Method::MoreResults, None) => match entry.get(Key::Result) {
            Some(Value::Bool(true)) => "another result".to_owned(),
            _ => "no more results".to_owned(),
        },
        (Method::Connect, None) => match entry.get(Key::Result).and_then(|result| result.get("database")) {
            Some(database) => format!("database {}", one_line(database.as_text().unwrap_or_default())),
            None => String::new(),
        },
        (Method::Columns, None) => one_line(entry.get(Key::ColumnsFile).and_then(Value::as_text).unwrap_or_default()),
        (method, None) if method.class() != Class::Housekeeping => match entry.get(Key::Result) {
            None | Some(Value::Null) => String::new(),
            Some(result) => show(result, VALUE),
        },
        _ => String::new(),
    }
}

fn counted(rows: &Rows) -> String {
    if rows.count == 1 { "1 row".to_owned() } else { format!("{} rows", rows.count) }
}

/// Returns the return code and the first diagnostic, if it was not a success.
pub fn trouble(entry: &Entry) -> Option<String> {
    let code = entry.get(Key::Return).and_then(Value::as_text)?;
    let first = entry.get(Key::Diagnostics).and_then(Value::as_list).and_then(<[Value]>::first);
    let text = |detail| first.and_then(|first| first.detail(detail)).and_then(Value::as_text).unwrap_or_default();
    Some(one_line(&format!("{code} {} {}", text(Detail::Sqlstate), text(Detail::Message))))
}

/// Returns a row on one line.
pub fn row_words(row: &[Shown]) -> String {
    let word = |cell: &Shown| match cell {
        Shown::Null => "NULL".to_owned(),
        Shown::Unread => "-".to_owned(),
        Shown::Value(text) => cut(&one_line(text), VALUE),
        Shown::Cut(text, total) => format!("{}...(of {total})", cut(&one_line(text), VALUE)),
    };
    row.iter().map(word).collect::<Vec<_>>().join(" | ")
}

/// What one lane shows beside an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// No connection.
    Empty,
    /// A connection that the entry does not belong to.
    Through(ConnectionId),
    /// The entry's connection.
    Here {
        /// The connection.
        connection: ConnectionId,
        /// Whether this is its first entry.
        first: bool,
        /// Whether this is its last entry.
        last: bool,
    },
}

/// Assigns lanes to connections.
#[derive(Debug)]
pub struct Lanes {
    /// The number of entries still to come of each connection.
    left: HashMap<ConnectionId, u64>,
    places: Vec<Option<ConnectionId>>,
}

impl Lanes {
    /// Makes lanes for connections with these numbers of entries.
    pub fn new(entries: HashMap<ConnectionId, u64>) -> Lanes {
        Lanes { left: entries, places: Vec::new() }
    }

    /// Returns the marks beside the next entry, which belongs to this connection.
    pub fn next(&mut self, connection: ConnectionId) -> Vec<Mark> {
        let left = self.left.entry(connection).or_insert(1);
        *left = left.saturating_sub(1);
        let last = *left == 0;
        let known = self.places.iter().position(|place| *place == Some(connection));
        let at = known.or_else(|| self.places.iter().position(Option::is_none)).unwrap_or_else(|| {
            self.places.push(None);
            self.places.len() - 1
        });
        self.places[at] = Some(connection);
        let mark = |(place, there): (usize, &Option<ConnectionId>)| match there {
            None => Mark::Empty,
            Some(connection) if place == at => Mark::Here { connection: *connection, first: known.is_none(), last },
            Some(other) => Mark::Through(*other),
        };
        let marks = self.places.iter().enumerate().map(mark).collect();
        if last {
            self.places[at] = None;
        }
        marks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_is_used_again_when_its_connection_is_gone() {
        let [a, b, c] = [0, 1, 2].map(ConnectionId);
        let counts: HashMap<_, _> = [(a, 2), (b, 2), (c, 1)].into();
        let span = |first, last| Span { first, last, ..Span::default() };
        assert_eq!(Span::at_once([span(0, 2), span(1, 4), span(3, 3)].iter()), 2);
        let mut lanes = Lanes::new(counts);
        let here = |connection, first, last| Mark::Here { connection, first, last };
        assert_eq!(lanes.next(a), [here(a, true, false)]);
        assert_eq!(lanes.next(b), [Mark::Through(a), here(b, true, false)]);
        assert_eq!(lanes.next(a), [here(a, false, true), Mark::Through(b)]);
        assert_eq!(lanes.next(c), [here(c, true, true), Mark::Through(b)]);
        assert_eq!(lanes.next(b), [Mark::Empty, here(b, false, true)]);
    }

    #[test]
    fn each_number_counts_once() {
        let mut numbers = Numbers::default();
        let new = [5, 1, 2, 5, 4, 3, 1, u32::MAX, 0, 9].map(|number| numbers.insert(number));
        assert_eq!(new, [true, true, true, false, true, true, false, true, true, true]);
        assert_eq!(numbers.0.into_iter().collect::<Vec<_>>(), [(0, 5), (9, 9), (u32::MAX, u32::MAX)]);
    }
}
