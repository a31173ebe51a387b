//! One row under assembly, and its line in a rows file.

use memchr::memchr;

use crate::cell::{self, Cell};
use crate::scan;

/// A row whose cells may be set in any order. Reused from row to row, it allocates nothing once it is warm.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// The encoded cells, in the order they were set.
    text: Vec<u8>,
    /// Where each column's field stands in `text`.
    slots: Vec<Slot>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    start: usize,
    end: usize,
    set: bool,
    /// CSV must put the field in quotes.
    quotes: bool,
}

impl Row {
    /// A row without cells.
    pub fn new() -> Self {
        Row::default()
    }

    /// Forgets all cells and keeps the memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.slots.clear();
    }

    /// One more than the highest column that was set or made room for.
    pub fn width(&self) -> usize {
        self.slots.len()
    }

    /// Makes the row at least `width` cells wide; cells nobody sets are [`Cell::Unread`].
    ///
    /// Nothing else pads a row: a run that wants its rows equally wide says so here.
    pub fn widen(&mut self, width: usize) {
        if width > self.slots.len() {
            self.slots.resize(width, Slot::default());
        }
    }

    /// Sets the cell of a column (from 0), or replaces it.
    pub fn set(&mut self, column: usize, cell: Cell<'_>) {
        if column == self.slots.len() {
            self.slots.push(Slot::default());
        } else {
            self.widen(column + 1);
        }
        let slot = &mut self.slots[column];
        if slot.set && slot.end == self.text.len() {
            self.text.truncate(slot.start); // a value read in growing pieces does not pile up
        }
        let start = self.text.len();
        let quotes = cell::encode(cell, &mut self.text);
        *slot = Slot { start, end: self.text.len(), set: true, quotes };
    }

    /// Replaces the field of a column (from 0) by one that is encoded already and needs no quotes it did not have.
    pub(crate) fn set_field(&mut self, column: usize, field: &[u8]) {
        let start = self.text.len();
        self.text.extend_from_slice(field);
        let Some(slot) = self.slots.get_mut(column) else { return };
        *slot = Slot { start, end: start + field.len(), set: true, quotes: slot.quotes };
    }

    /// Adds a cell whose field is encoded already and is UTF-8.
    pub(crate) fn push_field(&mut self, field: &[u8]) {
        let start = self.text.len();
        self.text.extend_from_slice(field);
        self.slots.push(Slot { start, end: self.text.len(), set: true, quotes: needs_quotes(field) });
    }

    /// The field of a column (from 0) before CSV quoting; the field of an unread cell where nothing was set.
    pub fn field(&self, column: usize) -> &[u8] {
        match self.slots.get(column) {
            Some(slot) if slot.set => &self.text[slot.start..slot.end],
            _ => cell::UNREAD,
        }
    }

    /// Whether the cell of a column (from 0) was set.
    pub fn is_set(&self, column: usize) -> bool {
        self.slots.get(column).is_some_and(|slot| slot.set)
    }

    /// The fields as they are written, and whether each stands in quotes in a rows file. There is one at least: an empty line
    /// would be no row to a CSV reader, nor would one with an empty field.
    pub(crate) fn fields_in_quotes(&self) -> impl Iterator<Item = (&[u8], bool)> {
        let alone = self.slots.len() == 1;
        let unread = self.slots.is_empty().then_some((cell::UNREAD, false));
        unread.into_iter().chain(self.slots.iter().map(move |slot| match slot.set {
            true => (&self.text[slot.start..slot.end], slot.quotes || (alone && slot.start == slot.end)),
            false => (cell::UNREAD, false),
        }))
    }

    /// All fields in column order.
    pub fn fields(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.width()).map(|column| self.field(column))
    }
}

/// Appends the row as one line with LF, as the `csv` crate's writer does, but that a field which begins or ends with a blank, or
/// begins like a merge conflict marker, is quoted as well.
///
/// A row without any cell becomes one unread cell: an empty line would be no row to a CSV reader.
pub fn write_row(row: &Row, out: &mut Vec<u8>) {
    out.reserve(row.text.len() + 3 * row.slots.len() + 3);
    match &row.slots[..] {
        [] => out.extend_from_slice(cell::UNREAD),
        [only] if only.set && only.start == only.end => out.extend_from_slice(b"\"\""),
        slots => {
            for slot in slots {
                match (slot.set, slot.quotes) {
                    (false, _) => out.extend_from_slice(cell::UNREAD),
                    (true, false) => out.extend_from_slice(&row.text[slot.start..slot.end]),
                    (true, true) => write_quoted(&row.text[slot.start..slot.end], out),
                }
                out.push(b',');
            }
            out.pop();
        }
    }
    out.push(b'\n');
}

/// Appends fields that are encoded already as one line, quoted where CSV must.
pub(crate) fn write_fields<'f>(fields: impl Iterator<Item = &'f [u8]>, out: &mut Vec<u8>) {
    let start = out.len();
    for field in fields {
        if needs_quotes(field) {
            write_quoted(field, out);
        } else {
            out.extend_from_slice(field);
        }
        out.push(b',');
    }
    match out.len() - start {
        0 => out.extend_from_slice(cell::UNREAD),
        1 => {
            out.pop();
            out.extend_from_slice(b"\"\"");
        }
        _ => _ = out.pop(),
    }
    out.push(b'\n');
}

/// Whether CSV must put a field in quotes.
fn needs_quotes(field: &[u8]) -> bool {
    let special = |byte: &u8| matches!(byte, b',' | b'"' | b'\n' | b'\r');
    scan::is_fragile(field) || field.iter().any(special)
}

fn write_quoted(mut field: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    while let Some(at) = memchr(b'"', field) {
        out.extend_from_slice(&field[..=at]);
        out.push(b'"');
        field = &field[at + 1..];
    }
    out.extend_from_slice(field);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(row: &Row) -> String {
        let mut out = Vec::new();
        write_row(row, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn cells_in_any_order_with_gaps_and_replacements() {
        let mut row = Row::new();
        row.set(3, Cell::Text(b"a,b"));
        row.set(0, Cell::Plain(b"1"));
        row.set(3, Cell::Text(b"say \"hi\""));
        row.set(1, Cell::Null);
        assert_eq!((row.width(), row.is_set(2), row.is_set(3), row.is_set(9)), (4, false, true, false));
        assert_eq!(row.field(3), b"say \"hi\"");
        assert_eq!((row.field(2), row.field(9)), (&br"\-"[..], &br"\-"[..]));
        assert_eq!(line(&row), "1,\\N,\\-,\"say \"\"hi\"\"\"\n");
        row.widen(6);
        assert_eq!(line(&row), "1,\\N,\\-,\"say \"\"hi\"\"\",\\-,\\-\n");
        row.clear();
        assert_eq!((row.width(), row.is_set(0)), (0, false));
        row.set(0, Cell::Text(b"x"));
        assert_eq!(line(&row), "x\n");
    }

    #[test]
    fn no_row_becomes_a_blank_line() {
        let mut row = Row::new();
        assert_eq!(line(&row), "\\-\n");
        row.set(0, Cell::Text(b""));
        assert_eq!(line(&row), "\"\"\n");
        row.set(1, Cell::Text(b""));
        assert_eq!(line(&row), ",\n");
    }

    #[test]
    fn a_value_read_in_pieces_does_not_pile_up() {
        let mut row = Row::new();
        let value = vec![b'x'; 100_000];
        for length in (0..value.len()).step_by(1000) {
            row.set(0, Cell::Text(&value[..length]));
        }
        assert!(row.text.len() <= value.len());
    }
}
