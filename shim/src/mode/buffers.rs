//! The buffers of bound columns for some rows of a rowset: what a driver wrote to them as cells, which are written again at
//! replay.

use super::application::Application;
use super::bookmark;
use super::rowset::Arrays;
use crate::args::Binding;
use crate::convert::{CType, Length, bound};
use super8_cassette::{Cell, Fields, Key, Row, Value, cell, inline};

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

/// The buffer of one cell.
pub struct Buffer {
    /// Which of the rows it belongs to.
    pub row: usize,
    /// Its column.
    pub column: u16,
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
                Buffer { row: at, column, index: usize::from(column) - first, c_type, binding }
            })
        })
    }

    /// What the driver wrote to those that `wrote` names, as cells: a list for each row under `rows`, and their `c_types`.
    /// Nothing if it wrote none. `length` knows what the driver said of one.
    pub fn cells(self, wrote: impl Fn(&Buffer) -> bool, length: impl Fn(&Buffer) -> Length) -> Fields {
        let (mut rows, mut names, mut scratch) = (vec![Row::new(); self.rows.len()], Vec::<String>::new(), Vec::new());
        for buffer in self.iter().filter(wrote) {
            let said = (length(&buffer), false);
            let Buffer { row, index, c_type, binding, .. } = buffer;
            bound::read(&binding, c_type, said, &mut rows[row], index, &mut scratch);
            if names.len() <= index {
                names.resize(index + 1, String::new());
            }
            names[index] = c_type.name().into_owned();
        }
        if names.is_empty() {
            return Fields::new();
        }
        rows.iter_mut().for_each(|row| row.widen(names.len()));
        let name = |name: &String| if name.is_empty() { Value::Null } else { Value::from(name.as_str()) };
        Fields::from([
            (Key::Rows, Value::List(rows.iter().map(|row| inline::inline(row, &names)).collect())),
            (Key::CTypes, Value::List(names.iter().map(name).collect())),
        ])
    }
}

/// Writes recorded changes, a list of cells for each of these rows, to the buffers.
pub fn replay(
    application: &Application,
    arrays: Arrays,
    rows: &[usize],
    changes: Option<&Value>,
    c_types: Option<&Value>,
) {
    let names = c_types.and_then(Value::as_list).unwrap_or_default();
    let recorded = |index: usize| names.get(index)?.as_text().and_then(CType::from_name);
    let first = application.first_column();
    let types = |column: u16, binding: &Binding| match CType(binding.c_type) {
        CType::DEFAULT => recorded(usize::from(column) - first).unwrap_or(CType::CHAR),
        other => other,
    };
    let (mut row, mut scratch) = (Row::new(), Vec::new());
    let changes = changes.and_then(Value::as_list).unwrap_or_default();
    for (at, value) in changes.iter().enumerate().take(rows.len()).filter(|(at, _)| arrays.has(rows[*at])) {
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
