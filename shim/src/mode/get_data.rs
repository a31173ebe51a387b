//! SQLGetData. While recording, the pieces of a value become one cell, and a call that departs from ODBC's rules is
//! also kept as it was, beside the row. At replay such calls are repeated, and all others are served from the recorded
//! cell by the rules.

use crate::args::{Binding, Place};
use crate::call::DriverCall;
use crate::convert::observer::{WatchedCell, write_odd_byte};
use crate::convert::{self, CType, Length, Written, bound};
use crate::diagnostics::{Outcome, rc};
use crate::mode::application::Application;
use crate::mode::bindings::resolve;
use crate::mode::fetch::{recorded_type, type_in};
use crate::mode::outcome::{push_outcome, recorded_outcome};
use crate::mode::outputs::parameter_decides;
use crate::mode::reading::{
    AskedCell, CallDetails, CellApart, KeptCall, LateCell, Piece, Reading, ReplayedReading, UNREAD,
};
use crate::mode::record::{Recorded, performed, unwritable};
use crate::mode::replay::Replayed;
use crate::mode::rowset::{bookmark_served_as, bookmark_size, bookmark_type};
use crate::mode::statement::{State, Statement};
use super8_cassette::cell::{self, CellError};
use super8_cassette::{CassetteError, Cell, Detail, Entry, Fields, Key, Method, Row, Value, inline};

/// SQL_ARD_TYPE.
const ARD_TYPE: i16 = odbc_sys::CDataType::Ard as i16;

impl Statement<Recorded> {
    /// Serves SQLGetData.
    #[inline]
    pub(super) fn read_cell(&self, column: u16, binding: &Binding, driver_call: &dyn DriverCall) -> Outcome {
        match binding.c_type == ARD_TYPE || parameter_decides(binding.c_type) {
            true => self.read_resolved(column, binding, driver_call),
            false => self.read(column, binding, driver_call),
        }
    }

    /// Reads a value whose C type the application's descriptor gives, or maybe that of a streamed parameter.
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
        let watched = WatchedCell::of(binding);
        let code = driver_call.invoke();
        let (length, half) = watched.written(code.unwrap_or(rc::ERROR));
        let whole = code == Some(rc::SUCCESS) && half.is_none();
        if !(whole && take_whole(&mut self.state.lock(), column, binding, length)) {
            let outcome = self.take_any(column, binding, performed(code, driver_call), (length, half), driver_call);
            if outcome.rc != rc::SUCCESS {
                return outcome;
            }
        }
        if length == Some(odbc_sys::NULL_DATA) && self.connection.own.nulls.lacks(CType(binding.c_type)) {
            return self.note_null_read(column, binding, driver_call);
        }
        Outcome::SUCCESS
    }

    /// Records any call other than the usual one.
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
        state: &mut State<Recorded>,
        column: u16,
        c_type: CType,
        binding: &Binding,
        (length, half): (Option<isize>, Option<u8>),
        outcome: &Outcome,
    ) -> Result<(), CassetteError> {
        if state.rowset > 1
            && let Some(run) = state.run.take()
        {
            // With several rows, the cursor's row need not be the last one of the rowset, so the run cannot take the
            // cell.
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
                // The column is read again, so this value is kept with the call.
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
        let details = (!plain).then_some(reading.details.len());
        if !plain {
            reading.details.push(CallDetails { outcome: outcome.clone(), value, half, unterminated });
        }
        reading.calls.push(KeptCall { column, c_type, capacity: binding.capacity, length, details });
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

    /// Records the driver's own warning for a value that did not fit, once for each connection, so that replay can
    /// repeat it. Returns false for a different warning, which is kept with its call.
    fn usual_warning(&self, outcome: &Outcome) -> Result<bool, CassetteError> {
        if outcome.rc != rc::SUCCESS_WITH_INFO {
            return Ok(true);
        }
        let mut usual = self.connection.own.truncation.lock();
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

    /// Puts the value read so far into the row. If the row is written already, the value becomes an entry of its own
    /// later.
    fn set_cell(&self, state: &mut State<Recorded>) -> Result<(), CassetteError> {
        let State { reading, run, scratch, application, own, .. } = state;
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
                application.gave_bookmark(bookmark_size(&row.field(index), c_type));
            }
        };
        if let (Some(run), Some(index)) = (run, index) {
            let mut run = run.lock();
            if run.is_open() {
                own.known_types.tell(&mut run, index, c_type);
                put(run.row(), index);
                return Ok(());
            }
        }
        let (mut late, name) = (Row::new(), c_type.name());
        put(&mut late, 0);
        reading.late.push(LateCell { column, c_type: name.to_string(), value: one_cell(&late, &name) });
        Ok(())
    }

    /// Ends the cell that is being read, complete or not.
    fn finish_cell(&self, state: &mut State<Recorded>) -> Result<(), CassetteError> {
        let Some(column) = state.reading.column else { return Ok(()) };
        if state.id.is_some() && !state.reading.done.contains(column) {
            self.set_cell(state)?;
            if state.reading.model.begun() {
                state.reading.done.insert(column);
            }
        }
        Ok(())
    }

    /// Ends the current row: nothing more is read from it.
    pub(super) fn finish_row(&self, state: &mut State<Recorded>) -> Result<(), CassetteError> {
        self.finish_cell(state)?;
        self.write_late(state)?;
        state.reading.forget();
        state.streams.leave();
        Ok(())
    }

    /// Writes the late cells, which no row can take any more, and the unusual calls that have no row to stand beside.
    pub(super) fn write_late(&self, state: &mut State<Recorded>) -> Result<(), CassetteError> {
        let State { reading, run, id, rowset, streams, .. } = state;
        let open = || run.as_ref().is_some_and(|run| run.lock().is_open());
        if (reading.late.is_empty() && (reading.odd.is_empty() || open())) || id.is_none() {
            return Ok(());
        }
        let bare = reading.odd.iter().filter(|column| !reading.late.iter().any(|late| late.column == **column));
        let calls = |column| reading.calls.iter().filter(move |call| call.column == column);
        let bare = bare.filter_map(|column| {
            let c_type = calls(*column).next()?.c_type.name().to_string();
            Some(LateCell { column: *column, c_type, value: Value::from("\\-") })
        });
        let mut all: Vec<LateCell> = bare.collect();
        all.append(&mut reading.late);
        all.sort_by_key(|late| late.column);
        for LateCell { column, c_type, value } in all {
            let mut entry = Entry::new(Method::GetData, self.connection.id(), *id).with(streams.reads(), column);
            if *rowset > 1 {
                entry = entry.with(Key::Rowset, *rowset);
            }
            entry = entry.with(Key::CType, c_type).with(Key::Result, value);
            if reading.odd.contains(&column) {
                let calls =
                    calls(column).map(|call| call.to_value(&reading.details, &self.connection.secrecy)).collect();
                entry = entry.with(Key::Calls, Value::List(calls));
            }
            self.connection.recorder().note(&entry)?;
        }
        Ok(())
    }

    /// Writes the calls of columns that were read in an unusual way beside the row.
    pub(super) fn keep_calls(&self, state: &mut State<Recorded>) {
        let State { reading, run: Some(run), .. } = state else { return };
        let mut run = run.lock();
        if run.is_open() {
            let kept = reading.calls.iter().filter(|call| reading.odd.contains(&call.column));
            let calls = kept.map(|call| call.to_value(&reading.details, &self.connection.secrecy)).collect();
            run.outcome(Value::Map(vec![Detail::GetData.with(Value::List(calls))]));
        }
    }
}

/// Records the usual call, fast: SQL_SUCCESS with the whole value of a column that was not read before in this row.
/// Returns false for any other call and records nothing of it.
#[inline]
fn take_whole(state: &mut State<Recorded>, column: u16, binding: &Binding, length: Option<isize>) -> bool {
    let c_type = CType(binding.c_type);
    let State { reading, id: Some(_), run: Some(run), scratch, application, streams, own, rowset: ..=1, .. } = state
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
    own.known_types.tell(&mut run, index, c_type);
    bound::read_as(binding, c_type, Length::of(length, false), run.row(), index, scratch);
    reading.calls.push(KeptCall { column, c_type, capacity: binding.capacity, length, details: None });
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

/// Returns whether the diagnostics are plain: none at all, or the single warning for a value that did not fit.
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

/// Returns the only cell of a row as a value.
fn one_cell(row: &Row, c_type: &str) -> Value {
    match super8_cassette::inline::inline(row, &[c_type]) {
        Value::List(mut cells) if !cells.is_empty() => cells.remove(0),
        _ => Value::Null,
    }
}

/// Writes the usual cell: the current row has it, and no calls are recorded beside the row. `None` for any other.
#[inline(always)]
fn usual(state: &mut State<Replayed>, column: u16, binding: &Binding) -> Option<Result<Written, CellError>> {
    if !state.reads_row() || state.streams.reading() {
        return None;
    }
    let State { run: Some(run), reading, application, own, .. } = state else { return None };
    let said = run.outcome();
    if said.is_some_and(|said| said.detail(Detail::GetData).is_some()) {
        return None;
    }
    let first = usize::from(!run.bookmarks());
    let index = usize::from(column).checked_sub(first)?;
    let plain = run.plain(index);
    let field = plain.or_else(|| run.field(index).filter(|field| *field != UNREAD))?;
    let recorded = type_in(said, &own.types, index, first);
    let to = asked_type(application, column, recorded, binding);
    Some(reading.write(&AskedCell {
        column,
        field,
        plain: plain.is_some(),
        utf8: run.is_utf8(),
        recorded,
        to,
        binding,
    }))
}

impl Statement<Replayed> {
    /// Serves SQLGetData.
    pub(super) fn read_cell(&self, column: u16, binding: &Binding) -> Outcome {
        let state = &mut *self.state.lock();
        match usual(state, column, binding) {
            Some(Ok(Written::Success)) if state.reading.null.is_none() => Outcome::SUCCESS,
            Some(Ok(Written::Success)) => self.null(state, binding, Outcome::SUCCESS),
            Some(written) => self.outcome_of(state, column, written),
            None => self.get_apart(state, column, binding),
        }
    }

    /// For a NULL, leaves the buffer as the recorded driver did.
    #[cold]
    fn null(&self, state: &mut State<Replayed>, binding: &Binding, outcome: Outcome) -> Outcome {
        let null = state.reading.null.take().filter(|_| rc::succeeded(outcome.rc) && !binding.target.is_null());
        let Some(c_type) = null else { return outcome };
        match state.own.nulls.are_zero(&self.connection.player(), self.connection.id(), c_type) {
            Ok(true) => bound::write_zeros(binding, c_type),
            Ok(false) => {}
            Err(error) => return self.damaged(error),
        }
        outcome
    }

    /// Serves a cell that the row does not fully describe: unusual calls are recorded with it, or it is recorded apart.
    #[cold]
    fn get_apart(&self, state: &mut State<Replayed>, column: u16, binding: &Binding) -> Outcome {
        let of_parameter = state.streams.resolved(binding).filter(|_| parameter_decides(binding.c_type));
        let binding = of_parameter.as_ref().unwrap_or(binding);
        let own = own_cell(state, column);
        // What was recorded apart from the rows belongs to the last of them.
        let last =
            !state.reads_row() || state.own.run_is_parents || state.run.as_ref().is_none_or(|run| run.exhausted());
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
        let apart_field = apart.map(|apart| apart.row.field(0));
        let field = match own {
            Some(index) => run.and_then(|run| run.field(index)).unwrap_or(UNREAD),
            None => apart_field.as_deref().unwrap_or(UNREAD),
        };
        let beside = run.and_then(|run| run.outcome()?.detail(Detail::GetData)?.as_list());
        let call = beside.and_then(|calls| reading.recorded_call(calls, column, to, binding.capacity));
        let call = call.or_else(|| reading.recorded_call(&apart?.calls, column, to, binding.capacity));
        let asked = AskedCell { column, field, plain: false, utf8: false, recorded, to, binding };
        let outcome = match call {
            Some(call) => self.repeat(state, &mut reading, &asked, &call),
            None if field == UNREAD && !state.own.on_row && !state.streams.reading() => {
                Outcome::error("24000", "there is no row to read from")
            }
            None => self.outcome_of(state, column, reading.write(&asked)),
        };
        reading.apart = all;
        state.reading = reading;
        self.null(state, binding, outcome)
    }

    /// Reads what was recorded of a column apart from its row.
    fn apart(&self, state: &State<Replayed>, column: u16) -> Result<CellApart, Outcome> {
        let mut apart = CellApart { column, c_type: CType::CHAR, row: Row::new(), calls: Vec::new() };
        let Some(id) = state.id else { return Ok(apart) };
        let rowset = if state.rowset > 1 { Value::from(state.rowset) } else { Value::Null };
        let key = [(state.streams.reads(), Value::from(column)), (Key::Rowset, rowset)];
        let found = self.connection.player().read_apart(self.connection.id(), id, &key, state.own.on_row);
        let Some(found) = found.map_err(|error| self.damaged(error))? else { return Ok(apart) };
        let get = |entry: &Entry, key: Key| entry.get(key).cloned();
        apart.c_type = found.get(Key::CType).and_then(Value::as_text).and_then(CType::from_name).unwrap_or(CType::CHAR);
        apart.calls = found.get(Key::Calls).and_then(Value::as_list).unwrap_or_default().to_vec();
        let value = Value::List(get(&found, Key::Result).into_iter().collect());
        let row = inline::from_inline(&value, &mut apart.row);
        row.map_err(|error| Outcome::error("HY000", format!("replay: {error}")))?;
        Ok(apart)
    }

    /// Writes a cell that is inline in an entry.
    fn inline_cell(
        &self,
        state: &State<Replayed>,
        column: u16,
        value: &Value,
        c_type: CType,
        binding: &Binding,
    ) -> Outcome {
        let mut row = Row::new();
        if let Err(error) = inline::from_inline(&Value::List(vec![value.clone()]), &mut row) {
            return Outcome::error("HY000", format!("replay: {error}"));
        }
        let mut scratch = Vec::new();
        let field = row.field(0);
        let cell = cell::decode(&field, &mut scratch);
        self.outcome_of(state, column, cell.map(|cell| bound::write(&cell, c_type, c_type, binding, None)))
    }

    /// Repeats what the driver did: return code, length and diagnostics as recorded, data from the cell.
    fn repeat(
        &self,
        state: &State<Replayed>,
        reading: &mut ReplayedReading,
        asked: &AskedCell<'_>,
        call: &Value,
    ) -> Outcome {
        let AskedCell { column, recorded, to, binding, .. } = *asked;
        let outcome = recorded_outcome(|key| call.get(key.name()));
        let silent = without_lengths(binding);
        if rc::succeeded(outcome.rc) {
            if let Some(value) = call.detail(Detail::Value) {
                let _ = self.inline_cell(state, column, value, to, &silent);
            } else if let Ok((cell, progress)) = reading.cell(asked) {
                let written = match cell {
                    // The length below includes the indicator that says NULL.
                    Cell::Null => {
                        reading.null = Some(to);
                        Written::Success
                    }
                    cell if call.detail(Detail::Terminated) == Some(&Value::Bool(false)) => {
                        bound::write_unterminated(&cell, recorded, to, &silent, Some(progress))
                    }
                    cell => bound::write(&cell, recorded, to, &silent, Some(progress)),
                };
                if let Written::Failed { .. } = written {
                    return self.outcome_of(state, column, Ok(written));
                }
            }
        }
        if let Some(length) = call.detail(Detail::Length).and_then(Value::as_int) {
            binding.length.set_len(length as isize);
        }
        if let Some(byte) = call.detail(Detail::Half).and_then(Value::as_int) {
            write_odd_byte(binding, byte);
        }
        outcome
    }

    fn outcome_of(&self, state: &State<Replayed>, column: u16, written: Result<Written, CellError>) -> Outcome {
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

    /// Returns the warning for a value that did not fit, in the recorded driver's words if they are known.
    fn truncated(&self) -> Outcome {
        let key = [(Key::Function, Value::from("SQLGetData")), (Key::Sqlstate, Value::from("01004"))];
        match self.connection.recorded_info(&key) {
            Ok(Some(answer)) => recorded_outcome(|key| answer.get(key)),
            _ => Outcome::info("01004", "the value was cut off: the buffer is too small"),
        }
    }
}

/// Returns what is damaged about a column's cell in the current row. `None` if the cell is sound and the application
/// asked for something that it cannot be converted to.
#[cold]
fn damage(state: &State<Replayed>, column: u16) -> Option<CassetteError> {
    let (index, run) = (own_cell(state, column)?, state.run.as_ref()?);
    let mut scratch = Vec::new();
    match run.cell(index, &mut scratch) {
        Err(error) => Some(run.refuse(index, &error)),
        Ok(cell) => convert::fits(&cell, recorded_type(state, index)).err().map(|problem| run.refuse(index, &problem)),
    }
}

/// Returns the place of a column's cell in the current row, if the row has it.
fn own_cell(state: &State<Replayed>, column: u16) -> Option<usize> {
    let run = state.run.as_ref().filter(|_| state.reads_row())?;
    let index = usize::from(column).checked_sub(usize::from(!run.bookmarks()))?;
    run.field(index).is_some_and(|field| field != UNREAD).then_some(index)
}

/// Returns the C type in which the application wants a cell.
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

/// Returns the binding without its length variables, because the length is written separately.
pub(super) fn without_lengths(binding: &Binding) -> Binding {
    Binding { length: Place::NULL, indicator: Place::NULL, ..*binding }
}
