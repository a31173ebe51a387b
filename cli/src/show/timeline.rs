//! A cassette as a timeline: its entries in order, each with its lanes, its place, its rows and what came of it in words.

use crate::cassette::Opened;
use crate::exit::Failure;
use std::collections::HashMap;
use super8_cassette::entry::Head;
use super8_cassette::schema::Class;
use super8_cassette::summary::show;
use super8_cassette::text::{cut, one_line};
use super8_cassette::{Cell, CellError, ConnectionId, CutCell, Entry, EntryRef, Key, Method, Store, Value, cell};

/// Bytes of one value.
pub const VALUE: usize = 400;

/// A cassette that was walked over once.
pub struct Timeline<'a> {
    storage: &'a dyn Store,
    heads: Vec<(EntryRef, Head)>,
    /// The columns file of a statement from a position on.
    columns: HashMap<(u32, u32), Vec<(usize, String)>>,
    names: HashMap<String, Vec<String>>,
    lanes: Lanes,
    next: usize,
    commands: usize,
    counts: Counts,
    width: usize,
    rows_kept: usize,
}

/// How much there is of everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Entries of the log.
    pub entries: usize,
    /// Those that reach the database.
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
    /// What the lanes show.
    pub marks: Vec<Mark>,
    /// The rows that came, if some did.
    pub rows: Option<Rows>,
}

/// The rows of one entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// The names of the columns; may be fewer than there are cells.
    pub columns: Vec<String>,
    /// The first rows.
    pub first: Vec<Vec<Shown>>,
    /// How many there are in all.
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
    /// A value that did not fit the application's buffer; the length the driver gave.
    Cut(String, i64),
}

impl<'a> Timeline<'a> {
    /// Walks over the log. Each step will have at most `rows_kept` rows.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn new(opened: &'a Opened, rows_kept: usize) -> Result<Timeline<'a>, Failure> {
        let storage = opened.storage.as_ref();
        let (mut heads, mut columns, mut entries) = (Vec::new(), HashMap::new(), HashMap::new());
        storage.scan(&mut |place, head| {
            *entries.entry(head.connection).or_insert(0) += 1;
            heads.push((place, head));
            Ok(())
        })?;
        for (position, (place, head)) in
            heads.iter().enumerate().filter(|(_, (_, head))| head.method == Method::Columns)
        {
            let entry = storage.entry(*place)?;
            if let (Some(statement), Some(file)) =
                (head.statement, entry.get(Key::ColumnsFile).and_then(Value::as_text))
            {
                let of: &mut Vec<(usize, String)> = columns.entry((head.connection.0, statement)).or_default();
                of.push((position, file.to_owned()));
            }
        }
        let mut statements: Vec<_> =
            heads.iter().filter_map(|(_, head)| Some((head.connection.0, head.statement?))).collect();
        statements.sort_unstable();
        statements.dedup();
        let counts = Counts {
            entries: heads.len(),
            commands: heads.iter().filter(|(_, head)| head.method.class() == Class::Command).count(),
            connections: entries.len(),
            statements: statements.len(),
        };
        let width = Lanes::width(heads.iter().map(|(_, head)| head.connection), entries.clone());
        let lanes = Lanes::new(entries);
        let names = HashMap::new();
        Ok(Timeline { storage, heads, columns, names, lanes, next: 0, commands: 0, counts, width, rows_kept })
    }

    /// How much there is.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// How many lanes there are side by side.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The leading keys of all entries, in order.
    pub fn heads(&self) -> impl ExactSizeIterator<Item = (u32, Head)> {
        self.heads.iter().map(|(place, head)| (place.line, *head))
    }

    /// The next entry.
    ///
    /// # Errors
    /// It, or its rows, cannot be read.
    pub fn step(&mut self) -> Result<Option<Step>, Failure> {
        let Some((place, head)) = self.heads.get(self.next).copied() else { return Ok(None) };
        let entry = self.storage.entry(place)?;
        let command = head.method.class() == Class::Command;
        self.commands += usize::from(command);
        let rows = self.rows(&entry, self.next)?;
        self.next += 1;
        let marks = self.lanes.next(head.connection);
        let (file, line) = self.storage.locate(place);
        let log = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Some(Step { number: command.then_some(self.commands), line, log, entry, marks, rows }))
    }

    fn rows(&mut self, entry: &Entry, position: usize) -> Result<Option<Rows>, Failure> {
        let mut rows = Rows::default();
        // A fetched row is told in words.
        let kept = self.rows_kept.max(usize::from(entry.method == Method::Fetch));
        if let Some(file) = entry.get(Key::RowsFile).and_then(Value::as_text) {
            let mut source = self.storage.rows(file)?;
            let (mut record, mut scratch) = (csv::ByteRecord::new(), Vec::new());
            while source.next(&mut record)? {
                if rows.first.len() < kept {
                    let cells = record.iter().map(|field| cell(field, &mut scratch));
                    let row: Result<Vec<Shown>, CellError> = cells.collect();
                    rows.first
                        .push(row.map_err(|error| Failure::new(format_args!("{file}:{}: {error}", rows.count + 1)))?);
                }
                rows.count += 1;
            }
            rows.file = Some(file.to_owned());
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
        rows.columns = self.names(entry, position);
        if entry.get(Key::Bookmarks).is_some() && !rows.columns.is_empty() {
            rows.columns.insert(0, "bookmark".to_owned());
        }
        Ok(Some(rows))
    }

    /// The names of the columns the rows of an entry have.
    fn names(&mut self, entry: &Entry, position: usize) -> Vec<String> {
        let of = entry.statement.and_then(|statement| self.columns.get(&(entry.connection.0, statement)));
        let before = |of: &&Vec<(usize, String)>| of.iter().rev().find(|(from, _)| *from < position).cloned();
        let Some((_, file)) = of.and_then(|of| before(&of).or_else(|| of.first().cloned())) else { return Vec::new() };
        if let Some(names) = self.names.get(&file) {
            return names.clone();
        }
        // Without names the rows are still worth a look; `super8 check` says what is wrong with the file.
        let document = self.storage.document(&file).unwrap_or(Value::Null);
        // a program may have asked for no more than the label
        let named =
            |column: &Value| ["name", "label"].into_iter().find_map(|key| Some(column.get(key)?.as_text()?.to_owned()));
        let name = |column: &Value| named(column).unwrap_or_default();
        let names: Vec<String> = document.as_list().unwrap_or_default().iter().map(name).collect();
        self.names.insert(file, names.clone());
        names
    }
}

fn cell(field: &[u8], scratch: &mut Vec<u8>) -> Result<Shown, CellError> {
    Ok(match cell::decode(field, scratch)? {
        Cell::Unread => Shown::Unread,
        Cell::Null => Shown::Null,
        Cell::Text(text) | Cell::Plain(text) => Shown::Value(String::from_utf8_lossy(text).into_owned()),
        Cell::Bytes(bytes) => Shown::Value(hex(bytes)),
        Cell::Cut { total, cell: CutCell::Text(text) } => Shown::Cut(String::from_utf8_lossy(text).into_owned(), total),
        Cell::Cut { total, cell: CutCell::Bytes(bytes) } => Shown::Cut(hex(bytes), total),
    })
}

/// A cell that stands in the log.
fn value(value: &Value) -> Shown {
    match value {
        Value::Null => Shown::Null,
        Value::Text(text) => cell(text.as_bytes(), &mut Vec::new()).unwrap_or_else(|_| Shown::Value(text.clone())),
        other => Shown::Value(show(other, 4096)),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold("0x".to_owned(), |mut text, byte| {
        let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or('0');
        text.extend([digit(byte >> 4), digit(byte & 15)]);
        text
    })
}

/// What came of it, in a few words: nothing where there is nothing to say.
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

/// The return code and the first diagnostic, if it was not a success.
pub fn trouble(entry: &Entry) -> Option<String> {
    let code = entry.get(Key::Return).and_then(Value::as_text)?;
    let first = entry.get(Key::Diagnostics).and_then(Value::as_list).and_then(<[Value]>::first);
    let text = |key: &str| first.and_then(|first| first.get(key)).and_then(Value::as_text).unwrap_or_default();
    Some(one_line(&format!("{code} {} {}", text("sqlstate"), text("message"))))
}

/// A row on one line.
pub fn row_words(row: &[Shown]) -> String {
    let word = |cell: &Shown| match cell {
        Shown::Null => "NULL".to_owned(),
        Shown::Unread => "-".to_owned(),
        Shown::Value(text) => cut(&one_line(text), VALUE),
        Shown::Cut(text, total) => format!("{}...(of {total})", cut(&one_line(text), VALUE)),
    };
    row.iter().map(word).collect::<Vec<_>>().join(" | ")
}

/// What a lane shows beside one entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// No connection.
    Empty,
    /// A connection that has nothing to do with the entry.
    Through(ConnectionId),
    /// The entry's connection.
    Here {
        /// The connection.
        connection: ConnectionId,
        /// This is its first entry.
        first: bool,
        /// This is its last entry.
        last: bool,
    },
}

/// Hands out the places.
#[derive(Debug)]
pub struct Lanes {
    /// Entries of each connection that are still to come.
    left: HashMap<ConnectionId, u64>,
    places: Vec<Option<ConnectionId>>,
}

impl Lanes {
    /// For connections with so many entries each.
    pub fn new(entries: HashMap<ConnectionId, u64>) -> Lanes {
        Lanes { left: entries, places: Vec::new() }
    }

    /// The marks beside the next entry, which belongs to this connection.
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

    /// How many lanes there are side by side, at most, for these connections in this order.
    pub fn width(order: impl Iterator<Item = ConnectionId>, entries: HashMap<ConnectionId, u64>) -> usize {
        let mut lanes = Lanes::new(entries);
        order.for_each(|connection| _ = lanes.next(connection));
        lanes.places.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_is_used_again_when_its_connection_is_gone() {
        let [a, b, c] = [0, 1, 2].map(ConnectionId);
        let order = [a, b, a, c, b];
        let counts: HashMap<_, _> = [(a, 2), (b, 2), (c, 1)].into();
        assert_eq!(Lanes::width(order.into_iter(), counts.clone()), 2);
        let mut lanes = Lanes::new(counts);
        let here = |connection, first, last| Mark::Here { connection, first, last };
        assert_eq!(lanes.next(a), [here(a, true, false)]);
        assert_eq!(lanes.next(b), [Mark::Through(a), here(b, true, false)]);
        assert_eq!(lanes.next(a), [here(a, false, true), Mark::Through(b)]);
        assert_eq!(lanes.next(c), [here(c, true, true), Mark::Through(b)]);
        assert_eq!(lanes.next(b), [Mark::Empty, here(b, false, true)]);
    }
}
