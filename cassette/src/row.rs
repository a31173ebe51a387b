//! One row under assembly, and its line in a rows file.

use std::borrow::Cow;

use memchr::memchr;

use crate::cell::{self, Cell};
use crate::scan;

/// A row whose cells may be set in any order. A reused row allocates nothing once it is warm.
///
/// Fields are kept as they stand in a rows file, so a row whose columns were set in order is already its line.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// The fields in the order in which they were set, each followed by a comma.
    line: Vec<u8>,
    /// Where each column's field stands in `line`.
    slots: Vec<Slot>,
    /// Whether `line` also has other fields, or has them in another order.
    scattered: bool,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    start: usize,
    end: usize,
    set: bool,
    /// Whether the field is in CSV quotes.
    quoted: bool,
}

impl Row {
    /// Makes a row without cells.
    pub fn new() -> Self {
        Row::default()
    }

    /// Forgets all cells and keeps the memory.
    pub fn clear(&mut self) {
        self.line.clear();
        self.slots.clear();
        self.scattered = false;
    }

    /// Returns the row without cells. Keeps its memory unless that is large.
    pub(crate) fn emptied(mut self) -> Row {
        const KEPT: usize = 64 * 1024;
        self.clear();
        if self.line.capacity() > KEPT { Row::new() } else { self }
    }

    /// Returns one more than the highest column that was set or made room for.
    pub fn width(&self) -> usize {
        self.slots.len()
    }

    /// Makes the row at least `width` cells wide. Cells that nobody sets are [`Cell::Unread`].
    ///
    /// Nothing else pads a row, so a run that wants rows of equal width calls this.
    pub fn widen(&mut self, width: usize) {
        while self.slots.len() < width {
            let start = self.line.len();
            self.line.extend_from_slice(cell::UNREAD);
            self.slots.push(Slot { start, end: self.line.len(), set: false, quoted: false });
            self.line.push(b',');
        }
    }

    /// Sets the cell of a column (from 0), or replaces it.
    #[inline]
    pub fn set(&mut self, column: usize, cell: Cell<'_>) {
        if column != self.slots.len() {
            self.make_place(column);
        }
        self.put(column, |line| cell::encode_field(cell, line));
    }

    /// Replaces the field of a column (from 0) by one that is encoded already.
    pub(crate) fn set_field(&mut self, column: usize, field: &[u8]) {
        if column < self.slots.len() {
            self.make_place(column);
            self.put(column, |line| push_field(field, line));
        }
    }

    /// Adds a cell whose field is encoded already and is UTF-8.
    pub(crate) fn push_field(&mut self, field: &[u8]) {
        self.put(self.slots.len(), |line| push_field(field, line));
    }

    /// Makes the end of the line the place of a column that is not the next one.
    #[cold]
    fn make_place(&mut self, column: usize) {
        self.widen(column);
        let Some(slot) = self.slots.get(column) else { return };
        if slot.end + 1 == self.line.len() {
            // replace in place, so that a value read in growing pieces does not pile up
            self.line.truncate(slot.start);
        } else {
            self.scattered = true;
        }
    }

    /// Puts a field at the end of the line. `push` returns whether it is in quotes.
    #[inline]
    fn put(&mut self, column: usize, push: impl FnOnce(&mut Vec<u8>) -> bool) {
        let start = self.line.len();
        let quoted = push(&mut self.line);
        let slot = Slot { start, end: self.line.len(), set: true, quoted };
        self.line.push(b',');
        match self.slots.get_mut(column) {
            Some(known) => *known = slot,
            None => self.slots.push(slot),
        }
    }

    /// Returns the field of a column (from 0) without CSV quotes; the field of an unread cell if nothing was set.
    pub fn field(&self, column: usize) -> Cow<'_, [u8]> {
        self.slots.get(column).map_or(Cow::Borrowed(cell::UNREAD), |slot| {
            let field = &self.line[slot.start..slot.end];
            if slot.quoted { Cow::Owned(unquoted(field)) } else { Cow::Borrowed(field) }
        })
    }

    /// Says whether the cell of a column (from 0) was set.
    pub fn is_set(&self, column: usize) -> bool {
        self.slots.get(column).is_some_and(|slot| slot.set)
    }

    /// Iterates over all fields in column order.
    pub fn fields(&self) -> impl Iterator<Item = Cow<'_, [u8]>> {
        (0..self.width()).map(|column| self.field(column))
    }

    /// Iterates over the fields as they stand in a rows file, each with whether it is in quotes. There is at least one,
    /// because an empty line would be no row to a CSV reader, nor would one with an empty field.
    pub(crate) fn fields_in_file(&self) -> impl Iterator<Item = (&[u8], bool)> {
        let alone = match &self.slots[..] {
            [] => Some((cell::UNREAD, false)),
            [only] if only.start == only.end => Some((&b"\"\""[..], true)),
            _ => None,
        };
        let slots = if alone.is_some() { &[] } else { &self.slots[..] };
        alone.into_iter().chain(slots.iter().map(|slot| (&self.line[slot.start..slot.end], slot.quoted)))
    }
}

/// Appends the row as one line with LF. Writes what the `csv` crate's writer writes, except that it also quotes a field
/// that begins or ends with a blank or begins like a merge conflict marker.
///
/// A row without any cell becomes one unread cell, because an empty line would be no row to a CSV reader.
pub fn write_row(row: &Row, out: &mut Vec<u8>) {
    if row.scattered || row.slots.len() < 2 {
        for (field, _) in row.fields_in_file() {
            out.extend_from_slice(field);
            out.push(b',');
        }
    } else {
        out.extend_from_slice(&row.line);
    }
    // drop the comma behind the last field
    out.pop();
    out.push(b'\n');
}

/// Appends fields that are encoded already as one line, quoted where CSV requires it.
pub(crate) fn write_fields<'f>(fields: impl Iterator<Item = &'f [u8]>, out: &mut Vec<u8>) {
    let start = out.len();
    for field in fields {
        push_field(field, out);
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

/// Appends a field that is encoded already. Returns true if it is in quotes, because CSV requires them.
fn push_field(field: &[u8], out: &mut Vec<u8>) -> bool {
    let special = |byte: &u8| matches!(byte, b',' | b'"' | b'\n' | b'\r');
    let quotes = scan::is_fragile(field) || field.iter().any(special);
    if quotes {
        cell::push_quoted(field, out);
    } else {
        out.extend_from_slice(field);
    }
    quotes
}

/// Undoes the CSV quotes of a field.
fn unquoted(field: &[u8]) -> Vec<u8> {
    let mut rest = field.get(1..field.len().saturating_sub(1)).unwrap_or_default();
    let mut text = Vec::with_capacity(rest.len());
    while let Some(at) = memchr(b'"', rest) {
        text.extend_from_slice(&rest[..=at]);
        // two quotes stand for one
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    text.extend_from_slice(rest);
    text
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
        assert_eq!(*row.field(3), *b"say \"hi\"");
        assert_eq!((&*row.field(2), &*row.field(9)), (&br"\-"[..], &br"\-"[..]));
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
        assert!(row.line.len() <= value.len() + 1);
    }
}
