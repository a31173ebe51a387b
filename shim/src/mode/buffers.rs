//! The buffers of bound columns for some rows of a rowset: what a driver changed there is found by comparing them with what
//! they held before, and written again at replay.

use super::application::Application;
use super::bookmark;
use crate::args::Binding;
use crate::convert::{CType, bound};
use super8_cassette::{Cell, Row, Value, cell, inline};

/// The C type of a bound column.
pub type Types<'a> = &'a dyn Fn(u16, &Binding) -> CType;

/// The buffers of these rows, from 0.
#[derive(Clone, Copy)]
pub struct Buffers<'a> {
    /// Where they are.
    pub application: &'a Application,
    /// Their C types.
    pub types: Types<'a>,
    /// The rows.
    pub rows: &'a [usize],
}

/// What buffers held, one after the other.
#[derive(Default)]
pub struct Held {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// The size of the buffer that was too much.
    beyond: usize,
    places: Option<Places>,
}

/// Where the buffers were: they are there again as long as nothing that says so has changed.
struct Places {
    records: Vec<Option<Binding>>,
    layout: (isize, usize, Option<u16>),
    rows: Vec<usize>,
    limit: usize,
    buffers: Vec<(Binding, CType)>,
}

impl Held {
    /// Bytes of all of them.
    pub fn size(&self) -> usize {
        self.bytes.len().saturating_add(self.beyond)
    }

    fn of(&self, buffer: usize) -> Option<&[u8]> {
        let begin = buffer.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        self.bytes.get(begin..*self.ends.get(buffer)?)
    }
}

/// The buffer of one cell.
pub struct Buffer {
    /// Which of the rows it belongs to.
    pub row: usize,
    /// The place of its column in a row.
    pub index: usize,
    /// Its C type.
    pub c_type: CType,
    /// Where it is.
    pub binding: Binding,
}

impl<'a> Buffers<'a> {
    /// Every buffer, row by row.
    pub fn iter(self) -> impl Iterator<Item = Buffer> + 'a {
        let Buffers { application, types, rows } = self;
        let first = application.first_column();
        rows.iter().enumerate().flat_map(move |(at, row)| {
            let columns = application.bound_columns().filter(move |(column, _)| usize::from(*column) >= first);
            columns.map(move |(column, binding)| {
                let c_type = match column {
                    0 => bookmark::c_type(&application.at_row(binding, *row, None), application.use_bookmarks()),
                    _ => types(column, &binding),
                };
                let binding = application.at_row(binding, *row, c_type.fixed_size());
                Buffer { row: at, index: usize::from(column) - first, c_type, binding }
            })
        })
    }

    /// What they hold now, as far as the first buffer that goes beyond `limit` bytes, of which nothing but its size is told.
    pub fn look(self, held: &mut Held, limit: usize) {
        held.bytes.clear();
        // Before each fetch: a program that only fetches has its buffers where they were.
        if let Some(places) = held.places.as_ref().filter(|places| self.are_at(places, limit)) {
            for (binding, c_type) in &places.buffers {
                bound::seen(binding, *c_type, &mut held.bytes);
            }
            return;
        }
        held.ends.clear();
        (held.beyond, held.places) = (0, None);
        let mut buffers = Vec::new();
        for buffer in self.iter() {
            let size = bound::size(&buffer.binding, buffer.c_type);
            if held.bytes.len().saturating_add(size) > limit {
                held.beyond = size;
                break;
            }
            bound::seen(&buffer.binding, buffer.c_type, &mut held.bytes);
            held.ends.push(held.bytes.len());
            buffers.push((buffer.binding, buffer.c_type));
        }
        let records = self.application.columns.records();
        let by_result = |binding: &Option<Binding>| binding.is_some_and(|it| CType(it.c_type) == CType::DEFAULT);
        // What a bookmark or SQL_C_DEFAULT is depends on more than what is bound.
        if self.application.first_column() > 0 && !records.iter().any(by_result) {
            let (records, rows) = (records.to_vec(), self.rows.to_vec());
            held.places = Some(Places { records, layout: self.application.layout(), rows, limit, buffers });
        }
    }

    fn are_at(self, places: &Places, limit: usize) -> bool {
        places.limit == limit
            && places.rows == self.rows
            && places.layout == self.application.layout()
            && places.records == self.application.columns.records()
            && self.application.first_column() > 0
    }

    /// The buffers that hold something else than before; `all` of them if need be.
    pub fn changed(self, before: &Held, all: bool) -> impl Iterator<Item = Buffer> {
        let mut now = Vec::new();
        self.iter().enumerate().filter_map(move |(at, buffer)| {
            now.clear();
            bound::seen(&buffer.binding, buffer.c_type, &mut now);
            (all || before.of(at) != Some(&now)).then_some(buffer)
        })
    }

    /// The same as cells: a list for each row under `key`, and their `c_types`. Nothing if nothing was changed.
    pub fn changes(self, key: &str, before: &Held, all: bool) -> Vec<(String, Value)> {
        let (mut rows, mut names, mut scratch) = (vec![Row::new(); self.rows.len()], Vec::<String>::new(), Vec::new());
        for Buffer { row, index, c_type, binding } in self.changed(before, all) {
            bound::read(&binding, c_type, false, &mut rows[row], index, &mut scratch);
            if names.len() <= index {
                names.resize(index + 1, String::new());
            }
            names[index] = c_type.name().into_owned();
        }
        if names.is_empty() {
            return Vec::new();
        }
        rows.iter_mut().for_each(|row| row.widen(names.len()));
        let name = |name: &String| if name.is_empty() { Value::Null } else { Value::from(name.as_str()) };
        vec![
            (key.to_owned(), Value::List(rows.iter().map(|row| inline::inline(row, &names)).collect())),
            ("c_types".to_owned(), Value::List(names.iter().map(name).collect())),
        ]
    }
}

/// Writes recorded changes, a list of cells for each row, to the buffers.
pub fn replay(application: &Application, rows: &[usize], changes: Option<&Value>, c_types: Option<&Value>) {
    let names = c_types.and_then(Value::as_list).unwrap_or_default();
    let recorded = |index: usize| names.get(index)?.as_text().and_then(CType::from_name);
    let first = application.first_column();
    let types = |column: u16, binding: &Binding| match CType(binding.c_type) {
        CType::DEFAULT => recorded(usize::from(column) - first).unwrap_or(CType::CHAR),
        other => other,
    };
    let (mut row, mut scratch) = (Row::new(), Vec::new());
    let changes = changes.and_then(Value::as_list).unwrap_or_default();
    for (at, value) in changes.iter().enumerate().take(rows.len()) {
        if inline::from_inline(value, &mut row).is_err() {
            continue;
        }
        for Buffer { index, c_type, binding, .. } in (Buffers { application, types: &types, rows: &rows[at..=at] })
            .iter()
            .filter(|buffer| row.is_set(buffer.index))
        {
            let from = recorded(index).unwrap_or(c_type);
            let to = if index + first == 0 { bookmark::served_as(c_type, from) } else { c_type };
            if let Ok(cell) = cell::decode(row.field(index), &mut scratch)
                && cell != Cell::Unread
            {
                // What the driver said of the row is recorded; of another buffer than the recorded one it says nothing.
                let _ = bound::write(&cell, from, to, &binding, None);
            }
        }
    }
}
