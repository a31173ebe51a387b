//! SQLGetData at replay: by the recorded calls where they were unusual, else by ODBC's rules from the recorded cell.

use super::rows::{recorded_type, without_lengths};
use super::statement::{State, Statement};
use super::unreadable;
use crate::args::Binding;
use crate::convert::{CType, Progress, Written, bound};
use crate::diagnostics::{Outcome, rc};
use crate::mode::bookmark;
use crate::mode::half;
use crate::mode::streams;
use crate::mode::words::outcome;
use super8_cassette::cell::{self, CellError, Kept};
use super8_cassette::{Cell, Entry, Row, Value, inline};

/// The field of a cell the application did not read.
const UNREAD: &[u8] = b"\\-";

/// How far the application has read the row at hand.
#[derive(Default)]
pub(super) struct Reading {
    columns: Vec<(u16, CType, Progress)>,
    /// The column read last, and its cell.
    column: Option<u16>,
    cell: Kept,
    /// How many of the recorded unusual calls of each column were served.
    served: Vec<(u16, usize)>,
    /// What was recorded of columns apart from their row, as far as it was looked for.
    apart: Vec<Apart>,
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
    recorded: CType,
    to: CType,
    binding: &'a Binding,
}

impl Reading {
    /// Another row, or none.
    pub(super) fn forget(&mut self) {
        self.columns.clear();
        self.served.clear();
        self.apart.clear();
        self.column = None;
        self.cell.forget();
    }

    /// The cell of a column in its field, and how far it was read as this type.
    fn cell<'a>(
        &'a mut self,
        column: u16,
        field: &'a [u8],
        c_type: CType,
    ) -> Result<(Cell<'a>, &'a mut Progress), CellError> {
        if self.column != Some(column) {
            self.column = Some(column);
            self.cell.forget();
        }
        let columns = &mut self.columns;
        let place = match columns.iter().rposition(|(known, kind, _)| (*known, *kind) == (column, c_type)) {
            Some(place) => place,
            None => {
                columns.push((column, c_type, Progress::new()));
                columns.len() - 1
            }
        };
        Ok((self.cell.decode(field)?, &mut columns[place].2))
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

impl Statement {
    pub(super) fn get_data(&self, column: u16, binding: &Binding) -> Outcome {
        let mut state = self.state.lock();
        let state = &mut *state;
        let of_parameter = match streams::decides(binding.c_type) {
            true => state.streams.resolved(binding),
            false => None,
        };
        let binding = of_parameter.as_ref().unwrap_or(binding);
        let own = own_cell(state, column);
        let calls = state.run.as_ref().filter(|_| state.reads_row()).and_then(|run| run.outcome()?.get("get_data"));
        let (Some(index), None) = (own, calls) else { return self.get_apart(state, own, column, binding) };
        let recorded = recorded_type(state, index);
        let to = asked_type(state, column, recorded, binding);
        let State { run, reading, .. } = state;
        let field = run.as_ref().and_then(|run| run.current().get(index)).unwrap_or(UNREAD);
        self.by_the_rules(reading, &Asked { column, field, recorded, to, binding })
    }

    /// A cell of which there is more to say than the row has: unusual calls, or all of it.
    fn get_apart(&self, state: &mut State, own: Option<usize>, column: u16, binding: &Binding) -> Outcome {
        // What was recorded apart from the rows belongs to the last one of them.
        let last = !state.reads_row() || state.run.as_ref().is_none_or(|run| run.exhausted());
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
        let to = asked_type(state, column, recorded, binding);
        let run = state.run.as_ref().filter(|_| state.reads_row());
        let field = match (own, apart) {
            (Some(index), _) => run.and_then(|run| run.current().get(index)).unwrap_or(UNREAD),
            (None, apart) => apart.map_or(UNREAD, |apart| apart.row.field(0)),
        };
        let beside = run.and_then(|run| run.outcome()?.get("get_data")?.as_list());
        let call = beside.and_then(|calls| reading.recorded_call(calls, column, to, binding.capacity));
        let call = call.or_else(|| reading.recorded_call(&apart?.calls, column, to, binding.capacity));
        let asked = Asked { column, field, recorded, to, binding };
        let outcome = match call {
            Some(call) => self.repeat(&mut reading, &asked, &call),
            None if field == UNREAD && !state.on_row && !state.streams.reading() => {
                Outcome::error("24000", "there is no row to read from")
            }
            None => self.by_the_rules(&mut reading, &asked),
        };
        reading.apart = all;
        state.reading = reading;
        outcome
    }

    /// What was recorded of a column apart from its row.
    fn apart(&self, state: &State, column: u16) -> Result<Apart, Outcome> {
        let mut apart = Apart { column, c_type: CType::CHAR, row: Row::new(), calls: Vec::new() };
        let Some(id) = state.id else { return Ok(apart) };
        let rowset = if state.rowset > 1 { Value::from(state.rowset) } else { Value::Null };
        let key = [(state.streams.reads(), Value::from(column)), ("rowset", rowset)];
        let found = self.connection.player().read_apart(self.connection.id(), id, &key, state.on_row);
        let Some(found) = found.map_err(unreadable)? else { return Ok(apart) };
        let get = |entry: &Entry, key: &str| entry.get(key).cloned();
        apart.c_type = found.get("c_type").and_then(Value::as_text).and_then(CType::from_name).unwrap_or(CType::CHAR);
        apart.calls = found.get("calls").and_then(Value::as_list).unwrap_or_default().to_vec();
        let value = Value::List(get(&found, "result").into_iter().collect());
        let row = inline::from_inline(&value, &mut apart.row);
        row.map_err(|error| Outcome::error("HY000", format!("replay: {error}")))?;
        Ok(apart)
    }

    fn by_the_rules(&self, reading: &mut Reading, asked: &Asked<'_>) -> Outcome {
        let Asked { column, field, recorded, to, binding } = *asked;
        match reading.cell(column, field, to) {
            Ok((cell, progress)) => self.told(bound::write(&cell, recorded, to, binding, Some(progress))),
            Err(error) => Outcome::error("HY000", format!("replay: column {column}: {error}")),
        }
    }

    /// Writes a cell that stands inline in an entry.
    fn inline_cell(
        &self,
        value: Option<&Value>,
        recorded: CType,
        to: CType,
        binding: &Binding,
        progress: Option<&mut Progress>,
    ) -> Outcome {
        let mut row = Row::new();
        let value = Value::List(vec![value.cloned().unwrap_or(Value::Null)]);
        if let Err(error) = inline::from_inline(&value, &mut row) {
            return Outcome::error("HY000", format!("replay: {error}"));
        }
        let mut scratch = Vec::new();
        match cell::decode(row.field(0), &mut scratch) {
            Ok(cell) => self.told(bound::write(&cell, recorded, to, binding, progress)),
            Err(error) => Outcome::error("HY000", format!("replay: {error}")),
        }
    }

    /// Does again what the driver did: return code, length and diagnostics as recorded, data from the cell.
    fn repeat(&self, reading: &mut Reading, asked: &Asked<'_>, call: &Value) -> Outcome {
        let Asked { column, field, recorded, to, binding } = *asked;
        let told = outcome(|key| call.get(key));
        let silent = without_lengths(binding);
        if rc::succeeded(told.rc) {
            if let Some(value) = call.get("value") {
                let _ = self.inline_cell(Some(value), to, to, &silent, None);
            } else if let Ok((cell, progress)) = reading.cell(column, field, to) {
                let written = match cell {
                    // The indicator that says NULL is among what is written below.
                    Cell::Null => Written::Success,
                    cell => bound::write(&cell, recorded, to, &silent, Some(progress)),
                };
                if let Written::Failed { sqlstate, message } = written {
                    return Outcome::error(sqlstate, message);
                }
            }
        }
        if let Some(length) = call.get("length").and_then(Value::as_int) {
            binding.length.set_len(length as isize);
        }
        if let Some(byte) = call.get("half").and_then(Value::as_int) {
            half::write(binding, byte);
        }
        told
    }

    fn told(&self, written: Written) -> Outcome {
        match written {
            Written::Success => Outcome::SUCCESS,
            Written::Truncated => self.truncated(),
            Written::FractionTruncated => Outcome::info("01S07", "a fraction was cut off"),
            Written::NoData => Outcome::of(rc::NO_DATA),
            Written::Failed { sqlstate, message } => Outcome::error(sqlstate, message),
        }
    }

    /// A value that did not fit, in the recorded driver's words if it ever said so.
    fn truncated(&self) -> Outcome {
        let key = [("function".to_owned(), Value::from("SQLGetData")), ("sqlstate".to_owned(), Value::from("01004"))];
        match self.connection.informed(&key) {
            Ok(Some(answer)) => outcome(|key| answer.get(key)),
            _ => Outcome::info("01004", "the value was cut off: the buffer is too small"),
        }
    }
}

/// The place of a column's cell in the row at hand, if the row has it.
fn own_cell(state: &State, column: u16) -> Option<usize> {
    let run = state.run.as_ref().filter(|_| state.reads_row())?;
    let index = usize::from(column).checked_sub(usize::from(!run.bookmarks()))?;
    run.current().get(index).is_some_and(|field| field != UNREAD).then_some(index)
}

/// The C type a cell is wanted in.
fn asked_type(state: &State, column: u16, recorded: CType, binding: &Binding) -> CType {
    const ARD: CType = CType(odbc_sys::CDataType::Ard as i16);
    match CType(binding.c_type) {
        CType::DEFAULT => recorded,
        asked if column == 0 => bookmark::served_as(asked, recorded),
        ARD => match state.application.column(column).map_or(recorded, |bound| CType(bound.c_type)) {
            CType::DEFAULT => recorded,
            bound => bound,
        },
        asked => asked,
    }
}
