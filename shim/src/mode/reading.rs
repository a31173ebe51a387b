//! How far the application has read a row with SQLGetData: what recording expects by ODBC's rules, and what replay
//! serves by them.
//!
//! ODBC reference, SQLGetData, "Retrieving Variable-Length Data in Parts": every piece but the last returns
//! SQL_SUCCESS_WITH_INFO with 01004 and the length that was left before the call, the last one returns SQL_SUCCESS, and
//! another call returns SQL_NO_DATA. Data of fixed length comes in one piece.

use crate::args::Binding;
use crate::convert::{CType, Length, Pieces, Progress, Written, bound};
use crate::diagnostics::{Outcome, rc};
use crate::mode::outcome::{Secrecy, push_outcome_pairs};
use super8_cassette::cell::{CellError, DecodedCell};
use super8_cassette::{Cell, Detail, Row, Value};

/// One SQLGetData call as the application makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The C type, resolved.
    pub c_type: CType,
    /// The buffer's length in bytes.
    pub capacity: isize,
    /// Whether there is a buffer.
    pub has_buffer: bool,
    /// Whether there is a place for the length.
    pub has_length: bool,
}

impl Piece {
    /// Returns whether, by the rules, a first call that returned SQL_SUCCESS with this length read the whole value.
    #[inline(always)]
    pub fn reads_whole(&self, length: Option<isize>) -> bool {
        if length == Some(odbc_sys::NULL_DATA) {
            return true;
        }
        self.has_buffer
            && match self.c_type.fixed_size() {
                Some(size) => length.is_none_or(|length| length == size as isize),
                None => match length {
                    Some(length) => length >= 0 && length <= room(self),
                    None => !self.has_length,
                },
            }
    }
}

/// How far a value has been read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Model {
    c_type: Option<CType>,
    /// What is left after the calls so far, if a call reported the whole length.
    left: Option<isize>,
    done: bool,
}

impl Model {
    /// Returns whether the value was read to its end.
    pub fn complete(&self) -> bool {
        self.done
    }

    /// Returns whether any call was made.
    pub fn begun(&self) -> bool {
        self.c_type.is_some()
    }

    /// Takes in a call's outcome. Returns whether it followed the rules.
    #[inline]
    pub fn expects(&mut self, asked: &Piece, code: i16, length: Option<isize>) -> bool {
        let first = self.c_type.is_none();
        if self.c_type.is_some_and(|known| known != asked.c_type) {
            return false;
        }
        if !rc::succeeded(code) {
            return code == rc::NO_DATA && self.done && length.is_none();
        }
        if self.done {
            return false;
        }
        self.c_type = Some(asked.c_type);
        if length == Some(odbc_sys::NULL_DATA) {
            self.done = code == rc::SUCCESS;
            return first && self.done;
        }
        if let Some(size) = asked.c_type.fixed_size() {
            self.done = true;
            return first
                && code == rc::SUCCESS
                && asked.has_buffer
                && length.is_none_or(|length| length == size as isize);
        }
        self.done = code == rc::SUCCESS && asked.has_buffer;
        if asked.has_length != length.is_some() {
            return false;
        }
        let room = room(asked);
        match (code, length) {
            (_, None) => true,
            (_, Some(length)) if length < 0 || self.left.is_some_and(|left| left != length) => {
                self.left = None;
                false
            }
            (rc::SUCCESS, Some(length)) => length <= room,
            (_, Some(length)) => {
                self.left = Some(length - room);
                length > room
            }
        }
    }
}

/// Returns how many bytes of data fit into the buffer, in whole units and with a terminator if the type has one.
#[inline]
pub fn room(asked: &Piece) -> isize {
    let capacity = if asked.has_buffer { asked.capacity.max(0) } else { 0 };
    match asked.c_type {
        CType::CHAR => (capacity - 1).max(0),
        CType::WCHAR => ((capacity / 2 - 1) * 2).max(0),
        _ => capacity,
    }
}

/// A set of columns.
#[derive(Default)]
pub(super) struct ColumnSet {
    /// The columns below 64, a bit each.
    low: u64,
    /// All other columns.
    high: Vec<u16>,
}

impl ColumnSet {
    #[inline]
    pub(super) fn contains(&self, column: u16) -> bool {
        if column < 64 { self.low >> column & 1 == 1 } else { self.high.contains(&column) }
    }

    #[inline]
    pub(super) fn insert(&mut self, column: u16) {
        if column < 64 {
            self.low |= 1 << column;
        } else {
            self.high.push(column);
        }
    }

    pub(super) fn clear(&mut self) {
        self.low = 0;
        self.high.clear();
    }
}

/// What the application has read of the current row with SQLGetData, while recording.
#[derive(Default)]
pub struct RecordedReading {
    /// The column being read.
    pub(super) column: Option<u16>,
    pub(super) pieces: Pieces,
    /// A value that was just read in one piece.
    pub(super) whole: Option<(Binding, CType, Length)>,
    pub(super) model: Model,
    /// All calls on the current row. Those of the columns in `odd` are recorded.
    pub(super) calls: Vec<KeptCall>,
    /// What else there is to record of some of them.
    pub(super) details: Vec<CallDetails>,
    /// The columns whose calls have to be recorded, because one of them was unusual.
    pub(super) odd: Vec<u16>,
    /// The columns that were read to their end in this row.
    pub(super) done: ColumnSet,
    /// Cells that no row can take any more.
    pub(super) late: Vec<LateCell>,
}

/// A cell of a row that is written already, because the run was interrupted or the cursor moved inside the rowset.
pub(super) struct LateCell {
    pub(super) column: u16,
    pub(super) c_type: String,
    pub(super) value: Value,
}

/// One call as it went. There is one for every cell of a row, so it is small and need not be dropped.
#[derive(Clone, Copy)]
pub(super) struct KeptCall {
    pub(super) column: u16,
    pub(super) c_type: CType,
    pub(super) capacity: isize,
    pub(super) length: Option<isize>,
    /// Where the details are; `None` for SQL_SUCCESS and a value that is part of the cell.
    pub(super) details: Option<usize>,
}

/// What else there is to record of a call.
pub(super) struct CallDetails {
    pub(super) outcome: Outcome,
    /// The value, if it is not part of the cell.
    pub(super) value: Option<Value>,
    /// The byte that the driver wrote behind the whole characters.
    pub(super) half: Option<u8>,
    /// Whether the driver filled the buffer and wrote no terminator.
    pub(super) unterminated: bool,
}

impl KeptCall {
    pub(super) fn to_value(self, details: &[CallDetails], secrecy: &Secrecy) -> Value {
        let mut fields = vec![
            Detail::Column.with(self.column),
            Detail::CType.with(&*self.c_type.name()),
            Detail::Buffer.with(self.capacity),
        ];
        fields.extend(self.length.map(|length| Detail::Length.with(length)));
        let details = self.details.and_then(|at| details.get(at));
        if let Some(CallDetails { outcome, value, half, unterminated }) = details {
            push_outcome_pairs(&mut fields, outcome, secrecy);
            fields.extend(value.clone().map(|value| Detail::Value.with(value)));
            fields.extend(half.map(|half| Detail::Half.with(u16::from(half))));
            fields.extend(unterminated.then(|| Detail::Terminated.with(false)));
        }
        Value::Map(fields)
    }
}

/// How far the application has read the current row with SQLGetData.
pub trait Reading: Default + Send {
    /// Forgets the row, because there is another one or none.
    fn forget(&mut self);
}

impl Reading for RecordedReading {
    fn forget(&mut self) {
        self.column = None;
        self.pieces.clear();
        self.calls.clear();
        self.details.clear();
        self.odd.clear();
        self.done.clear();
        self.late.clear();
    }
}

impl RecordedReading {
    /// Returns whether the value that was read last is complete and every call on this row followed the rules.
    pub(super) fn between_values(&self) -> bool {
        self.odd.is_empty() && self.column.is_none_or(|column| self.done.contains(column))
    }

    pub(super) fn begin(&mut self, column: u16) {
        self.column = Some(column);
        self.model = Model::default();
        self.pieces.clear();
    }
}

/// The field of a cell that the application did not read.
pub(super) const UNREAD: &[u8] = b"\\-";

/// How far the application has read the current row, at replay.
#[derive(Default)]
pub struct ReplayedReading {
    /// The number of the row, which tells old entries of `columns` from new ones.
    row: u64,
    /// How far each column was read, in the C type that it was first read in.
    columns: Vec<Read>,
    /// The same in further C types, for columns that were read in several.
    others: Vec<(u16, CType, Progress)>,
    /// The column of the decoded `cell`.
    column: Option<u16>,
    /// The decoded cell, where that is not the field's text itself.
    cell: DecodedCell,
    /// How many of each column's recorded unusual calls were served.
    served: Vec<(u16, usize)>,
    /// What was recorded of columns apart from their row, as far as it was looked up.
    pub(super) apart: Vec<CellApart>,
    /// The C type of a NULL that was just written.
    pub(super) null: Option<CType>,
}

/// How far a column was read. Holds for `row` only; in another row the column is not read yet.
#[derive(Clone, Copy)]
struct Read {
    row: Option<u64>,
    c_type: CType,
    progress: Progress,
}

/// A column that was recorded apart from its row. Empty if it was not.
pub(super) struct CellApart {
    pub(super) column: u16,
    pub(super) c_type: CType,
    pub(super) row: Row,
    pub(super) calls: Vec<Value>,
}

/// A cell as the application asks for it.
pub(super) struct AskedCell<'a> {
    pub(super) column: u16,
    pub(super) field: &'a [u8],
    /// Whether the field's bytes are the value's text as they stand.
    pub(super) plain: bool,
    /// Whether the field is known to be UTF-8.
    pub(super) utf8: bool,
    pub(super) recorded: CType,
    pub(super) to: CType,
    pub(super) binding: &'a Binding,
}

impl Reading for ReplayedReading {
    fn forget(&mut self) {
        self.row += 1;
        self.others.clear();
        self.served.clear();
        self.apart.clear();
        self.column = None;
        self.cell.forget();
    }
}

impl ReplayedReading {
    /// Returns the cell, and how far it was read as the C type that is asked for.
    #[inline(always)]
    pub(super) fn cell<'a>(&'a mut self, asked: &AskedCell<'a>) -> Result<(Cell<'a>, &'a mut Progress), CellError> {
        let AskedCell { column, field, plain, utf8, to, .. } = *asked;
        let at = usize::from(column);
        if self.columns.len() <= at {
            self.columns.resize(at + 1, Read { row: None, c_type: to, progress: Progress::new() });
        }
        let read = &mut self.columns[at];
        if read.row != Some(self.row) {
            *read = Read { row: Some(self.row), c_type: to, progress: Progress::new() };
        }
        let progress = match read.c_type == to {
            true => &mut read.progress,
            false => as_another(&mut self.others, column, to),
        };
        if plain {
            return Ok((Cell::Text(field), progress));
        }
        if self.column != Some(column) {
            self.column = Some(column);
            self.cell.forget();
        }
        Ok((self.cell.decode(field, utf8)?, progress))
    }

    /// Writes the cell or its next piece.
    #[inline(always)]
    pub(super) fn write(&mut self, asked: &AskedCell<'_>) -> Result<Written, CellError> {
        let (cell, progress) = self.cell(asked)?;
        if asked.plain
            && asked.recorded == asked.to
            && bound::write_text(asked.field, asked.to, asked.binding, progress)
        {
            self.null = None;
            return Ok(Written::Success);
        }
        let null = matches!(cell, Cell::Null).then_some(asked.to);
        let written = bound::write(&cell, asked.recorded, asked.to, asked.binding, Some(progress));
        self.null = null;
        Ok(written)
    }

    /// Returns the column's next recorded call if this is that call, in C type and buffer size.
    pub(super) fn recorded_call(&mut self, calls: &[Value], column: u16, to: CType, capacity: isize) -> Option<Value> {
        let mut of_column =
            calls.iter().filter(|call| call.detail(Detail::Column).and_then(Value::as_int) == Some(column.into()));
        let place = self.served.iter().position(|(known, _)| *known == column);
        let call = of_column.nth(place.map_or(0, |place| self.served[place].1))?;
        let same = call.detail(Detail::CType).and_then(Value::as_text) == Some(&*to.name())
            && call.detail(Detail::Buffer).and_then(Value::as_int) == Some(capacity as i64);
        let call = same.then(|| call.clone())?;
        match place {
            Some(place) => self.served[place].1 += 1,
            None => self.served.push((column, 1)),
        }
        Some(call)
    }
}

/// Returns how far a column was read in another C type than its first.
#[cold]
fn as_another(others: &mut Vec<(u16, CType, Progress)>, column: u16, c_type: CType) -> &mut Progress {
    let known = others.iter().position(|(of, kind, _)| (*of, *kind) == (column, c_type));
    let place = known.unwrap_or(others.len());
    if known.is_none() {
        others.push((column, c_type, Progress::new()));
    }
    &mut others[place].2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(c_type: CType, capacity: isize) -> Piece {
        Piece { c_type, capacity, has_buffer: true, has_length: true }
    }

    #[test]
    fn pieces_by_the_rules() {
        let mut model = Model::default();
        let call = asked(CType::CHAR, 6);
        assert!(model.expects(&call, rc::SUCCESS_WITH_INFO, Some(12)));
        assert!(model.expects(&call, rc::SUCCESS_WITH_INFO, Some(7)));
        assert!(model.expects(&call, rc::SUCCESS, Some(2)));
        assert!(model.complete());
        assert!(model.expects(&call, rc::NO_DATA, None));
    }

    #[test]
    fn whole_values_are_those_of_which_the_model_expects_no_more() {
        for c_type in [CType::CHAR, CType::WCHAR, CType::BINARY, CType::SLONG] {
            for length in (-5..12).map(Some).chain([None]) {
                for (capacity, flags) in (0..10).flat_map(|capacity| (0..4).map(move |flags| (capacity, flags))) {
                    let asked = Piece { c_type, capacity, has_buffer: flags & 1 == 1, has_length: flags & 2 == 2 };
                    if length.is_some() && !asked.has_length {
                        continue;
                    }
                    let mut model = Model::default();
                    let expected = model.expects(&asked, rc::SUCCESS, length) && model.complete();
                    assert_eq!(asked.reads_whole(length), expected, "{asked:?} {length:?}");
                }
            }
        }
    }

    #[test]
    fn what_drivers_do_otherwise() {
        let probe = Piece { has_buffer: true, ..asked(CType::CHAR, 0) };
        assert!(!Model::default().expects(&probe, rc::SUCCESS, Some(15)), "a zero-length probe that claims success");
        assert!(!Model::default().expects(&asked(CType::CHAR, 4), rc::SUCCESS_WITH_INFO, Some(-4)), "SQL_NO_TOTAL");
        let mut model = Model::default();
        assert!(model.expects(&asked(CType::SLONG, 4), rc::SUCCESS, Some(4)));
        assert!(!model.expects(&asked(CType::SLONG, 4), rc::SUCCESS, Some(4)), "a number read twice");
        let mut model = Model::default();
        assert!(model.expects(&asked(CType::CHAR, 9), rc::SUCCESS, Some(3)));
        assert!(!model.expects(&asked(CType::CHAR, 9), rc::NO_DATA, Some(0)), "a length written after the end");
    }
}
