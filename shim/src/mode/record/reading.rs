//! SQLGetData while recording: pieces become one cell; a call that went otherwise than the model expects is kept
//! beside the row as it was.

use super::column_set::ColumnSet;
use super::rows::resolve;
use super::statement::{State, Statement};
use super::{performed, unwritable};
use crate::args::Binding;
use crate::call::DriverCall;
use crate::convert::{CType, Length, Pieces, bound};
use crate::diagnostics::{Outcome, rc};
use crate::mode::outcome::{Secrecy, push_outcome, push_outcome_pairs};
use crate::mode::outputs::parameter_decides;
use crate::mode::reading::{Model, OddByte, Piece};
use crate::mode::rowset::{bookmark_size, bookmark_type};
use super8_cassette::{CassetteError, Fields, Key, Row, Value};

mod beside;

/// SQL_ARD_TYPE.
const ARD_TYPE: i16 = odbc_sys::CDataType::Ard as i16;

/// What the application has read of the row at hand through SQLGetData.
#[derive(Default)]
pub(super) struct Reading {
    /// The column being read.
    column: Option<u16>,
    pieces: Pieces,
    /// A value that was just read in one piece.
    whole: Option<(Binding, CType, Length)>,
    model: Model,
    /// Every call on the row at hand, for those columns whose calls have to be kept.
    calls: Vec<Kept>,
    /// The columns whose calls have to be kept.
    odd: Vec<u16>,
    /// Columns already read to their end in this row.
    done: ColumnSet,
    /// Cells that no row takes any more.
    late: Vec<Late>,
}

/// A cell of a row that is written already: the run was interrupted, the cursor was moved inside the rowset.
struct Late {
    column: u16,
    c_type: String,
    value: Value,
}

/// One call as it went. Costs no allocation where there is nothing to say.
struct Kept {
    column: u16,
    c_type: CType,
    capacity: isize,
    length: Option<isize>,
    /// None for SQL_SUCCESS and a value that is part of the cell.
    more: Option<Box<More>>,
}

/// What else there is to say of a call.
struct More {
    outcome: Outcome,
    /// What it gave, where that is not part of the cell.
    value: Option<Value>,
    /// What it wrote behind the whole characters.
    half: Option<u8>,
    /// It filled the buffer and wrote no terminator.
    unterminated: bool,
}

impl Kept {
    fn to_value(&self, secrecy: &Secrecy) -> Value {
        let mut fields = vec![
            ("column".to_owned(), Value::from(self.column)),
            ("c_type".to_owned(), Value::from(&*self.c_type.name())),
            ("buffer".to_owned(), Value::from(self.capacity)),
        ];
        fields.extend(self.length.map(|length| ("length".to_owned(), Value::from(length))));
        if let Some(More { outcome, value, half, unterminated }) = self.more.as_deref() {
            push_outcome_pairs(&mut fields, outcome, secrecy);
            fields.extend(value.clone().map(|value| ("value".to_owned(), value)));
            fields.extend(half.map(|half| ("half".to_owned(), Value::from(u16::from(half)))));
            fields.extend(unterminated.then(|| ("terminated".to_owned(), Value::Bool(false))));
        }
        Value::Map(fields)
    }
}

impl Reading {
    /// Another row, or none.
    pub(super) fn forget(&mut self) {
        self.column = None;
        self.pieces.clear();
        self.calls.clear();
        self.odd.clear();
        self.done.clear();
        self.late.clear();
    }

    /// Whether the value that was read last is complete, and every call on this row so far was as the model has it.
    fn between_values(&self) -> bool {
        self.odd.is_empty() && self.column.is_none_or(|column| self.done.contains(column))
    }

    fn begin(&mut self, column: u16) {
        self.column = Some(column);
        self.model = Model::default();
        self.pieces.clear();
    }
}

impl Statement {
    /// Serves SQLGetData.
    #[inline]
    pub(super) fn read_cell(&self, column: u16, binding: &Binding, driver_call: &dyn DriverCall) -> Outcome {
        match binding.c_type == ARD_TYPE || parameter_decides(binding.c_type) {
            true => self.read_resolved(column, binding, driver_call),
            false => self.read(column, binding, driver_call),
        }
    }

    /// The C type is that of the application's descriptor, or may be that of a parameter that is read in pieces.
    #[cold]
    fn read_resolved(&self, column: u16, binding: &Binding, driver_call: &dyn DriverCall) -> Outcome {
        if binding.c_type != ARD_TYPE {
            let of_stream = self.of_stream(binding);
            return self.read(column, of_stream.as_ref().unwrap_or(binding), driver_call);
        }
        let bound = {
            let mut state = self.state.lock();
            state.application.refresh();
            state.application.column(column)
        };
        let resolved = bound.map(|bound| Binding { c_type: bound.c_type, numeric: bound.numeric, ..*binding });
        match resolved {
            Some(resolved) => self.read(column, &resolved, driver_call),
            None => performed(driver_call.invoke(), driver_call),
        }
    }

    #[inline]
    fn read(&self, column: u16, binding: &Binding, driver_call: &dyn DriverCall) -> Outcome {
        let (old, half) = (bound::arm(binding), OddByte::before(binding));
        let code = driver_call.invoke();
        let length = bound::harvest(binding, old);
        let half = half.written(code.unwrap_or(rc::ERROR), length);
        let whole = code == Some(rc::SUCCESS) && half.is_none();
        if !(whole && take_whole(&mut self.state.lock(), column, binding, length)) {
            let told = self.take_any(column, binding, performed(code, driver_call), (length, half), driver_call);
            if told.rc != rc::SUCCESS {
                return told;
            }
        }
        if length == Some(odbc_sys::NULL_DATA) && self.connection.nulls.wants(CType(binding.c_type)) {
            return self.note_null_read(column, binding, driver_call);
        }
        Outcome::SUCCESS
    }

    /// Any call that is not the usual one.
    #[cold]
    fn take_any(
        &self,
        column: u16,
        binding: &Binding,
        outcome: Outcome,
        given: (Option<isize>, Option<u8>),
        driver_call: &dyn DriverCall,
    ) -> Outcome {
        if outcome.rc == rc::STILL_EXECUTING {
            return outcome;
        }
        let c_type = if column == 0 { CType(binding.c_type) } else { resolve(binding.c_type, column, driver_call) };
        let mut state = self.state.lock();
        if state.id.is_none() {
            return outcome;
        }
        let c_type = if column == 0 { bookmark_type(binding, state.application.use_bookmarks()) } else { c_type };
        let taken = self.take(&mut state, column, c_type, binding, given, &outcome);
        taken.map_or_else(unwritable, |()| outcome)
    }

    #[allow(clippy::too_many_arguments)] // one call's facts
    fn take(
        &self,
        state: &mut State,
        column: u16,
        c_type: CType,
        binding: &Binding,
        (length, half): (Option<isize>, Option<u8>),
        outcome: &Outcome,
    ) -> Result<(), CassetteError> {
        if state.rowset > 1
            && let Some(run) = state.run.take()
        {
            // The row the cursor is on is not the last one of the rowset.
            run.lock().end(false)?;
        }
        if state.reading.column != Some(column) {
            self.finish_cell(state)?;
            state.reading.begin(column);
        }
        let State { reading, .. } = state;
        let asked = asked(c_type, binding);
        let seen = reading.done.contains(column);
        let given = Length::of(length, outcome.rc == rc::SUCCESS_WITH_INFO);
        let unterminated = rc::succeeded(outcome.rc) && bound::is_unterminated(binding, c_type, given);
        let expected = !seen
            && !unterminated
            && half.is_none()
            && reading.model.expects(&asked, outcome.rc, length)
            && plain(outcome)
            && self.usual_warning(outcome)?;
        let mut value = None;
        if rc::succeeded(outcome.rc) {
            if seen {
                // Read again: what it gave this time stands with the call.
                let mut again = Row::new();
                bound::read_as(binding, c_type, given, &mut again, 0, &mut state.scratch);
                value = Some(one_cell(&again, &c_type.name()));
            } else if c_type.fixed_size().is_some()
                || (expected && reading.model.complete() && reading.pieces.c_type().is_none())
            {
                reading.whole = Some((*binding, c_type, given));
            } else {
                bound::push(&mut reading.pieces, binding, c_type, given);
            }
        }
        let plain = *outcome == Outcome::SUCCESS && value.is_none() && half.is_none() && !unterminated;
        let more = (!plain).then(|| Box::new(More { outcome: outcome.clone(), value, half, unterminated }));
        reading.calls.push(Kept { column, c_type, capacity: binding.capacity, length, more });
        if !expected && !reading.odd.contains(&column) {
            reading.odd.push(column);
        }
        if rc::succeeded(outcome.rc) && !seen && reading.model.complete() {
            self.set_cell(state)?;
            state.reading.done.insert(column);
        }
        if !state.reading.odd.is_empty() {
            self.keep_calls(state);
        }
        Ok(())
    }

    /// The driver's own words for a value that did not fit, once per connection: replay says them again. Other words
    /// than those are kept with their call.
    fn usual_warning(&self, outcome: &Outcome) -> Result<bool, CassetteError> {
        if outcome.rc != rc::SUCCESS_WITH_INFO {
            return Ok(true);
        }
        let mut usual = self.connection.truncation.lock();
        if let Some(usual) = &*usual {
            return Ok(*usual == outcome.diagnostics);
        }
        let mut fields =
            Fields::from([(Key::Function, Value::from("SQLGetData")), (Key::Sqlstate, Value::from("01004"))]);
        push_outcome(&mut fields, outcome, &self.connection.secrecy);
        *usual = Some(outcome.diagnostics.clone());
        self.connection.recorder().info(self.connection.id(), fields)?;
        Ok(true)
    }

    /// Puts the value read so far into the row; if that is written already, it becomes an entry of its own later.
    fn set_cell(&self, state: &mut State) -> Result<(), CassetteError> {
        let State { reading, run, told, scratch, application, .. } = state;
        let whole = reading.whole.take();
        let Some(c_type) = whole.map(|(_, c_type, _)| c_type).or(reading.pieces.c_type()) else { return Ok(()) };
        let Some(column) = reading.column else { return Ok(()) };
        let index = usize::from(column).checked_sub(application.first_column());
        let mut put = |row: &mut Row, index| {
            match whole {
                Some((binding, c_type, length)) => bound::read_as(&binding, c_type, length, row, index, scratch),
                None => reading.pieces.finish(row, index, scratch),
            }
            if column == 0 {
                application.gave_bookmark(bookmark_size(row.field(index), c_type));
            }
        };
        if let (Some(run), Some(index)) = (run, index) {
            let mut run = run.lock();
            if run.is_open() {
                told.tell(&mut run, index, c_type);
                put(run.row(), index);
                return Ok(());
            }
        }
        let (mut late, name) = (Row::new(), c_type.name());
        put(&mut late, 0);
        reading.late.push(Late { column, c_type: name.to_string(), value: one_cell(&late, &name) });
        Ok(())
    }

    /// Ends the cell being read, complete or not.
    fn finish_cell(&self, state: &mut State) -> Result<(), CassetteError> {
        let Some(column) = state.reading.column else { return Ok(()) };
        if state.id.is_some() && !state.reading.done.contains(column) {
            self.set_cell(state)?;
            if state.reading.model.begun() {
                state.reading.done.insert(column);
            }
        }
        Ok(())
    }

    /// The row at hand is complete.
    pub(super) fn finish_row(&self, state: &mut State) -> Result<(), CassetteError> {
        self.finish_cell(state)?;
        self.write_late(state)?;
        state.reading.forget();
        state.streams.leave();
        Ok(())
    }
}

/// The call that recording has to be quick at: SQL_SUCCESS with the whole value of a column that was not read before in
/// this row. False for any other, of which nothing is taken.
#[inline]
fn take_whole(state: &mut State, column: u16, binding: &Binding, length: Option<isize>) -> bool {
    let c_type = CType(binding.c_type);
    let State { reading, id: Some(_), run: Some(run), told, scratch, application, streams, rowset: ..=1, .. } = state
    else {
        return false;
    };
    let Some(index) = usize::from(column).checked_sub(application.first_column()) else { return false };
    let usual = column != 0
        && c_type != CType::DEFAULT
        && !streams.reading()
        && reading.between_values()
        && !reading.done.contains(column)
        && asked(c_type, binding).reads_whole(length);
    if !usual {
        return false;
    }
    let mut run = run.lock();
    if !run.is_open() {
        return false;
    }
    told.tell(&mut run, index, c_type);
    bound::read_as(binding, c_type, Length::of(length, false), run.row(), index, scratch);
    reading.calls.push(Kept { column, c_type, capacity: binding.capacity, length, more: None });
    reading.column = Some(column);
    reading.done.insert(column);
    true
}

#[inline]
fn asked(c_type: CType, binding: &Binding) -> Piece {
    Piece {
        c_type,
        capacity: binding.capacity,
        has_buffer: !binding.target.is_null(),
        has_length: !binding.length.is_null(),
    }
}

/// Whether the diagnostics are those of a plain outcome: none, or the one warning of a value that did not fit.
fn plain(outcome: &Outcome) -> bool {
    match &outcome.diagnostics[..] {
        [] => outcome.rc != rc::ERROR,
        [one] => {
            outcome.rc == rc::SUCCESS_WITH_INFO
                && one.sqlstate == "01004"
                && one.row.is_none_or(|row| row < 0)
                && one.column.is_none_or(|column| column < 0)
        }
        _ => false,
    }
}

/// The only cell of a row, as a value.
fn one_cell(row: &Row, c_type: &str) -> Value {
    match super8_cassette::inline::inline(row, &[c_type]) {
        Value::List(mut cells) if !cells.is_empty() => cells.remove(0),
        _ => Value::Null,
    }
}
