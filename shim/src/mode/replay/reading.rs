//! SQLGetData at replay: by the recorded calls where they were unusual, else by ODBC's rules from the recorded cell.

use super::rows::{recorded_type, type_in, without_lengths};
use super::statement::{State, Statement};
use crate::args::Binding;
use crate::convert::{self, CType, Progress, Written, bound};
use crate::diagnostics::{Outcome, rc};
use crate::mode::application::Application;
use crate::mode::outcome::outcome;
use crate::mode::outputs::parameter_decides;
use crate::mode::reading::write_odd_byte;
use crate::mode::rowset::bookmark_served_as;
use super8_cassette::cell::{self, CellError, Kept};
use super8_cassette::{CassetteError, Cell, Entry, Key, Row, Value, inline};

/// The field of a cell the application did not read.
const UNREAD: &[u8] = b"\\-";

/// How far the application has read the row at hand.
#[derive(Default)]
pub(super) struct Reading {
    /// The number of the row.
    row: u64,
    /// How far each column was read, in the C type it was first read in.
    columns: Vec<Read>,
    /// The same for the other C types of columns that were read in several.
    others: Vec<(u16, CType, Progress)>,
    /// The column of the cell that is kept.
    column: Option<u16>,
    /// A cell that is not its field's own text.
    cell: Kept,
    /// How many of the recorded unusual calls of each column were served.
    served: Vec<(u16, usize)>,
    /// What was recorded of columns apart from their row, as far as it was looked for.
    apart: Vec<Apart>,
    /// The C type of a NULL that was just written.
    null: Option<CType>,
}

/// How far a column was read in this row: with another row it is read no further.
#[derive(Clone, Copy)]
struct Read {
    row: Option<u64>,
    c_type: CType,
    progress: Progress,
}

/// A column that was recorded apart from its row; nothing, if it was not.
struct Apart {
    column: u16,
    c_type: CType,
    row: Row,
    calls: Vec<Value>,
}

/// A cell as it is asked for.
struct Asked<'a> {
    column: u16,
    field: &'a [u8],
    /// The field is its own text.
    plain: bool,
    recorded: CType,
    to: CType,
    binding: &'a Binding,
}

impl Reading {
    /// Another row, or none.
    pub(super) fn forget(&mut self) {
        self.row += 1;
        self.others.clear();
        self.served.clear();
        self.apart.clear();
        self.column = None;
        self.cell.forget();
    }

    /// The cell, and how far it was read as the C type that is asked for.
    #[inline(always)]
    fn cell<'a>(&'a mut self, asked: &Asked<'a>) -> Result<(Cell<'a>, &'a mut Progress), CellError> {
        let Asked { column, field, plain, to, .. } = *asked;
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
        Ok((self.cell.decode(field)?, progress))
    }

    /// Writes the cell, or its next piece.
    #[inline(always)]
    fn write(&mut self, asked: &Asked<'_>) -> Result<Written, CellError> {
        let (cell, progress) = self.cell(asked)?;
        let null = (cell == Cell::Null).then_some(asked.to);
        let written = bound::write(&cell, asked.recorded, asked.to, asked.binding, Some(progress));
        self.null = null;
        Ok(written)
    }

    /// The recorded call that is next for the column, if its calls were kept and this is the one.
    fn recorded_call(&mut self, calls: &[Value], column: u16, to: CType, capacity: isize) -> Option<Value> {
        let mut of_column =
            calls.iter().filter(|call| call.get("column").and_then(Value::as_int) == Some(column.into()));
        let place = self.served.iter().position(|(known, _)| *known == column);
        let call = of_column.nth(place.map_or(0, |place| self.served[place].1))?;
        let same = call.get("c_type").and_then(Value::as_text) == Some(&*to.name())
            && call.get("buffer").and_then(Value::as_int) == Some(capacity as i64);
        let call = same.then(|| call.clone())?;
        match place {
            Some(place) => self.served[place].1 += 1,
            None => self.served.push((column, 1)),
        }
        Some(call)
    }
}

/// How far a column was read in another C type than its first.
#[cold]
fn as_another(others: &mut Vec<(u16, CType, Progress)>, column: u16, c_type: CType) -> &mut Progress {
    let known = others.iter().position(|(of, kind, _)| (*of, *kind) == (column, c_type));
    let place = known.unwrap_or(others.len());
    if known.is_none() {
        others.push((column, c_type, Progress::new()));
    }
    &mut others[place].2
}

/// The usual cell: the row at hand has it, and no calls are recorded beside the row.
#[inline(always)]
fn usual(state: &mut State, column: u16, binding: &Binding) -> Option<Result<Written, CellError>> {
    if !state.reads_row() || state.streams.reading() {
        return None;
    }
    let State { run: Some(run), reading, types, application, .. } = state else { return None };
    let said = run.outcome();
    if said.is_some_and(|said| said.get("get_data").is_some()) {
        return None;
    }
    let first = usize::from(!run.bookmarks());
    let index = usize::from(column).checked_sub(first)?;
    let plain = run.plain(index);
    let field = plain.or_else(|| run.current().get(index).filter(|field| *field != UNREAD))?;
    let recorded = type_in(said, types, index, first);
    let to = asked_type(application, column, recorded, binding);
    Some(reading.write(&Asked { column, field, plain: plain.is_some(), recorded, to, binding }))
}

impl Statement {
    /// Serves SQLGetData.
    pub(super) fn read_cell(&self, column: u16, binding: &Binding) -> Outcome {
        let state = &mut *self.state.lock();
        match usual(state, column, binding) {
            Some(Ok(Written::Success)) if state.reading.null.is_none() => Outcome::SUCCESS,
            Some(Ok(Written::Success)) => self.null(state, binding, Outcome::SUCCESS),
            Some(written) => self.told(state, column, written),
            None => self.get_apart(state, column, binding),
        }
    }

    /// The cell is NULL: its buffer holds what the recorded driver left there.
    #[cold]
    fn null(&self, state: &mut State, binding: &Binding, told: Outcome) -> Outcome {
        let null = state.reading.null.take().filter(|_| rc::succeeded(told.rc) && !binding.target.is_null());
        let Some(c_type) = null else { return told };
        match state.nulls.are_zero(&self.connection, c_type) {
            Ok(true) => bound::write_zeros(binding, c_type),
            Ok(false) => {}
            Err(error) => return self.damaged(error),
        }
        told
    }

    /// A cell of which there is more to say than the row has: unusual calls, or all of it.
    #[cold]
    fn get_apart(&self, state: &mut State, column: u16, binding: &Binding) -> Outcome {
        let of_parameter = state.streams.resolved(binding).filter(|_| parameter_decides(binding.c_type));
        let binding = of_parameter.as_ref().unwrap_or(binding);
        let own = own_cell(state, column);
        // What was recorded apart from the rows belongs to the last one of them.
        let last = !state.reads_row() || state.run_is_parents || state.run.as_ref().is_none_or(|run| run.exhausted());
        if last && !state.reading.apart.iter().any(|known| known.column == column) {
            match self.apart(state, column) {
                Ok(apart) => state.reading.apart.push(apart),
                Err(failure) => return failure,
            }
        }
        let types = own.map(|index| recorded_type(state, index));
        let mut reading = std::mem::take(&mut state.reading);
        let all = std::mem::take(&mut reading.apart);
        let apart = all.iter().find(|apart| apart.column == column);
        let recorded = types.or(apart.map(|apart| apart.c_type)).unwrap_or(CType::CHAR);
        let to = asked_type(&state.application, column, recorded, binding);
        let run = state.run.as_ref().filter(|_| state.reads_row());
        let field = match (own, apart) {
            (Some(index), _) => run.and_then(|run| run.current().get(index)).unwrap_or(UNREAD),
            (None, apart) => apart.map_or(UNREAD, |apart| apart.row.field(0)),
        };
        let beside = run.and_then(|run| run.outcome()?.get("get_data")?.as_list());
        let call = beside.and_then(|calls| reading.recorded_call(calls, column, to, binding.capacity));
        let call = call.or_else(|| reading.recorded_call(&apart?.calls, column, to, binding.capacity));
        let asked = Asked { column, field, plain: false, recorded, to, binding };
        let outcome = match call {
            Some(call) => self.repeat(state, &mut reading, &asked, &call),
            None if field == UNREAD && !state.on_row && !state.streams.reading() => {
                Outcome::error("24000", "there is no row to read from")
            }
            None => self.told(state, column, reading.write(&asked)),
        };
        reading.apart = all;
        state.reading = reading;
        self.null(state, binding, outcome)
    }

    /// What was recorded of a column apart from its row.
    fn apart(&self, state: &State, column: u16) -> Result<Apart, Outcome> {
        let mut apart = Apart { column, c_type: CType::CHAR, row: Row::new(), calls: Vec::new() };
        let Some(id) = state.id else { return Ok(apart) };
        let rowset = if state.rowset > 1 { Value::from(state.rowset) } else { Value::Null };
        let key = [(state.streams.reads(), Value::from(column)), (Key::Rowset, rowset)];
        let found = self.connection.player().read_apart(self.connection.id(), id, &key, state.on_row);
        let Some(found) = found.map_err(|error| self.damaged(error))? else { return Ok(apart) };
        let get = |entry: &Entry, key: Key| entry.get(key).cloned();
        apart.c_type = found.get(Key::CType).and_then(Value::as_text).and_then(CType::from_name).unwrap_or(CType::CHAR);
        apart.calls = found.get(Key::Calls).and_then(Value::as_list).unwrap_or_default().to_vec();
        let value = Value::List(get(&found, Key::Result).into_iter().collect());
        let row = inline::from_inline(&value, &mut apart.row);
        row.map_err(|error| Outcome::error("HY000", format!("replay: {error}")))?;
        Ok(apart)
    }

    /// Writes a cell that stands inline in an entry.
    fn inline_cell(&self, state: &State, column: u16, value: &Value, c_type: CType, binding: &Binding) -> Outcome {
        let mut row = Row::new();
        if let Err(error) = inline::from_inline(&Value::List(vec![value.clone()]), &mut row) {
            return Outcome::error("HY000", format!("replay: {error}"));
        }
        let mut scratch = Vec::new();
        let cell = cell::decode(row.field(0), &mut scratch);
        self.told(state, column, cell.map(|cell| bound::write(&cell, c_type, c_type, binding, None)))
    }

    /// Does again what the driver did: return code, length and diagnostics as recorded, data from the cell.
    fn repeat(&self, state: &State, reading: &mut Reading, asked: &Asked<'_>, call: &Value) -> Outcome {
        let Asked { column, recorded, to, binding, .. } = *asked;
        let told = outcome(|key| call.get(key.name()));
        let silent = without_lengths(binding);
        if rc::succeeded(told.rc) {
            if let Some(value) = call.get("value") {
                let _ = self.inline_cell(state, column, value, to, &silent);
            } else if let Ok((cell, progress)) = reading.cell(asked) {
                let written = match cell {
                    // The indicator that says NULL is among what is written below.
                    Cell::Null => {
                        reading.null = Some(to);
                        Written::Success
                    }
                    cell if call.get("terminated") == Some(&Value::Bool(false)) => {
                        bound::write_unterminated(&cell, recorded, to, &silent, Some(progress))
                    }
                    cell => bound::write(&cell, recorded, to, &silent, Some(progress)),
                };
                if let Written::Failed { .. } = written {
                    return self.told(state, column, Ok(written));
                }
            }
        }
        if let Some(length) = call.get("length").and_then(Value::as_int) {
            binding.length.set_len(length as isize);
        }
        if let Some(byte) = call.get("half").and_then(Value::as_int) {
            write_odd_byte(binding, byte);
        }
        told
    }

    fn told(&self, state: &State, column: u16, written: Result<Written, CellError>) -> Outcome {
        if let Ok(Written::Failed { .. }) | Err(_) = written
            && let Some(error) = damage(state, column)
        {
            return self.damaged(error);
        }
        match written {
            Ok(Written::Success) => Outcome::SUCCESS,
            Ok(Written::Truncated) => self.truncated(),
            Ok(Written::FractionTruncated) => Outcome::info("01S07", "a fraction was cut off"),
            Ok(Written::NoData) => Outcome::of(rc::NO_DATA),
            Ok(Written::Failed { sqlstate, message }) => Outcome::error(sqlstate, message),
            Err(error) => Outcome::error("HY000", format!("replay: column {column}: {error}")),
        }
    }

    /// A value that did not fit, in the recorded driver's words if it ever said so.
    fn truncated(&self) -> Outcome {
        let key = [(Key::Function, Value::from("SQLGetData")), (Key::Sqlstate, Value::from("01004"))];
        match self.connection.informed(&key) {
            Ok(Some(answer)) => outcome(|key| answer.get(key)),
            _ => Outcome::info("01004", "the value was cut off: the buffer is too small"),
        }
    }
}

/// What is wrong with a column's cell in the row at hand, if the application asked for something that could be had of it.
#[cold]
fn damage(state: &State, column: u16) -> Option<CassetteError> {
    let (index, run) = (own_cell(state, column)?, state.run.as_ref()?);
    let mut scratch = Vec::new();
    match run.cell(index, &mut scratch) {
        Err(error) => Some(run.refuse(index, &error)),
        Ok(cell) => convert::fits(&cell, recorded_type(state, index)).err().map(|problem| run.refuse(index, &problem)),
    }
}

/// The place of a column's cell in the row at hand, if the row has it.
fn own_cell(state: &State, column: u16) -> Option<usize> {
    let run = state.run.as_ref().filter(|_| state.reads_row())?;
    let index = usize::from(column).checked_sub(usize::from(!run.bookmarks()))?;
    run.current().get(index).is_some_and(|field| field != UNREAD).then_some(index)
}

/// The C type a cell is wanted in.
#[inline]
fn asked_type(application: &Application, column: u16, recorded: CType, binding: &Binding) -> CType {
    const ARD: CType = CType(odbc_sys::CDataType::Ard as i16);
    match CType(binding.c_type) {
        CType::DEFAULT => recorded,
        asked if column == 0 => bookmark_served_as(asked, recorded),
        ARD => match application.column(column).map_or(recorded, |bound| CType(bound.c_type)) {
            CType::DEFAULT => recorded,
            bound => bound,
        },
        asked => asked,
    }
}
