//! SQLGetData at replay: by the recorded calls where they were unusual, else by ODBC's rules from the recorded cell.

use super::rows::{recorded_type, without_lengths};
use super::statement::{State, Statement};
use super::unreadable;
use crate::args::Binding;
use crate::convert::{CType, Progress, Written, bound};
use crate::diagnostics::{Outcome, rc};
use crate::mode::words::outcome;
use super8_cassette::cell::{self, CellError, Kept};
use super8_cassette::{Cell, Method, Row, Value, inline};

/// How far the application has read the row at hand.
#[derive(Default)]
pub(super) struct Reading {
    columns: Vec<(u16, CType, Progress)>,
    /// The column read last, from 1, and its cell; 0 for none.
    column: u16,
    cell: Kept,
    /// How many of the recorded unusual calls of each column were served.
    served: Vec<(u16, usize)>,
}

impl Reading {
    /// Another row, or none.
    pub(super) fn forget(&mut self) {
        self.columns.clear();
        self.served.clear();
        self.column = 0;
        self.cell.forget();
    }

    /// The cell of a column in its field, and how far it was read as this type.
    fn cell<'a>(
        &'a mut self,
        column: u16,
        field: &'a [u8],
        c_type: CType,
    ) -> Result<(Cell<'a>, &'a mut Progress), CellError> {
        if self.column != column {
            self.column = column;
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

    fn next_call(&mut self, column: u16) -> &mut usize {
        let place = match self.served.iter().position(|(known, _)| *known == column) {
            Some(place) => place,
            None => {
                self.served.push((column, 0));
                self.served.len() - 1
            }
        };
        &mut self.served[place].1
    }
}

impl Statement {
    pub(super) fn get_data(&self, column: u16, binding: &Binding) -> Outcome {
        let mut state = self.state.lock();
        if !state.on_row {
            return Outcome::error("24000", "there is no row to read from");
        }
        let Some(index) = usize::from(column).checked_sub(1) else {
            return Outcome::error("07009", "bookmarks cannot be replayed yet");
        };
        let recorded = recorded_type(&state, index);
        let asked = match CType(binding.c_type) {
            CType(ard) if ard == odbc_sys::CDataType::Ard as i16 => {
                state.application.column(column).map_or(recorded, |bound| CType(bound.c_type))
            }
            other => other,
        };
        let to = if asked == CType::DEFAULT { recorded } else { asked };
        if let Some(call) = recorded_call(&mut state, column, to, binding.capacity) {
            return self.repeat(&mut state, index, recorded, to, binding, &call);
        }
        self.by_the_rules(&mut state, column, index, recorded, to, binding)
    }

    #[allow(clippy::too_many_arguments)] // one call's facts
    fn by_the_rules(
        &self,
        state: &mut State,
        column: u16,
        index: usize,
        recorded: CType,
        to: CType,
        binding: &Binding,
    ) -> Outcome {
        let State { run, reading, id, .. } = state;
        let field = run.as_ref().and_then(|run| run.current().get(index)).unwrap_or(b"\\-");
        let (cell, progress) = match reading.cell(column, field, to) {
            Ok(found) => found,
            Err(error) => return Outcome::error("HY000", format!("replay: column {column}: {error}")),
        };
        if !matches!(cell, Cell::Unread) {
            return self.told(bound::write(&cell, recorded, to, binding, Some(progress)));
        }
        // Read after a command of another statement had come between: recorded beside the rows.
        let key = [("column", Value::from(column))];
        let late = id.map(|id| self.connection.player.answer(self.connection.id, Some(id), Method::GetData, &key));
        let late = match late {
            Some(Ok(late)) => late,
            Some(Err(error)) => return unreadable(error),
            None => None,
        };
        let Some(late) = late else { return self.told(bound::write(&cell, recorded, to, binding, Some(progress))) };
        let kind = late.get("c_type").and_then(Value::as_text).and_then(CType::from_name).unwrap_or(CType::CHAR);
        let asked_as_recorded = if CType(binding.c_type) == CType::DEFAULT { kind } else { to };
        self.inline_cell(late.get("result"), kind, asked_as_recorded, binding, Some(progress))
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
    fn repeat(
        &self,
        state: &mut State,
        index: usize,
        recorded: CType,
        to: CType,
        binding: &Binding,
        call: &Value,
    ) -> Outcome {
        let told = outcome(|key| call.get(key));
        let silent = without_lengths(binding);
        if rc::succeeded(told.rc) {
            if let Some(value) = call.get("value") {
                let _ = self.inline_cell(Some(value), to, to, &silent, None);
            } else {
                let State { run, reading, .. } = state;
                let field = run.as_ref().and_then(|run| run.current().get(index)).unwrap_or(b"\\-");
                if let Ok((cell, progress)) = reading.cell(index as u16 + 1, field, to) {
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
        }
        if let Some(length) = call.get("length").and_then(Value::as_int) {
            binding.length.set_len(length as isize);
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

/// The recorded call that is next for the column, if its calls were kept and this is the one.
fn recorded_call(state: &mut State, column: u16, to: CType, capacity: isize) -> Option<Value> {
    let calls = state.run.as_ref()?.outcome()?.get("get_data")?.as_list()?;
    let of_column = calls.iter().filter(|call| call.get("column").and_then(Value::as_int) == Some(i64::from(column)));
    let next = state.reading.served.iter().find(|(known, _)| *known == column).map_or(0, |(_, count)| *count);
    let call = of_column.clone().nth(next)?;
    let same = call.get("c_type").and_then(Value::as_text) == Some(&*to.name())
        && call.get("buffer").and_then(Value::as_int) == Some(capacity as i64);
    let call = same.then(|| call.clone())?;
    *state.reading.next_call(column) += 1;
    Some(call)
}
