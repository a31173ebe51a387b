//! Rows being replayed: cells of the recorded run go to the bound columns, in whatever blocks the application asks.

use super::connection::Connection;
use super::mismatch;
use super::statement::{State, Statement};
use crate::args::{Binding, Place};
use crate::convert::{self, CType, Written, bound};
use crate::diagnostics::{Diagnostic, Outcome, rc};
use crate::mode::keys::{columns_key, null_key};
use crate::mode::operation::replay_cells;
use crate::mode::outcome::outcome;
use crate::mode::rowset::{Arrays, Fetching, WITH_ROWS, bookmark_served_as, bookmark_size, row_state};
use crate::table::Function;
use super8_cassette::{CassetteError, Cell, Fetched, Key, PlayedRun, Value};

/// What a step to the next row found.
enum Step {
    Row,
    End,
}

impl Statement {
    pub(super) fn fetch(&self, function: Function, fetching: Fetching) -> Outcome {
        let mut state = self.state.lock();
        let Some(id) = state.id else { return Outcome::error("24000", "there is no result to fetch from") };
        state.on_row = false;
        state.reading.forget();
        let [counter, states] = match self.with_rows(&mut state, function, &fetching) {
            Ok(habits) => habits,
            Err(failure) => return failure,
        };
        let left_alone = |habit| habit == Some(None);
        let status = if left_alone(states) { Place::NULL } else { fetching.status };
        let arrays = Arrays::of(fetching.size);
        let mut told = Outcome::SUCCESS;
        let mut count = 0;
        while count < fetching.size {
            match self.step(&mut state, id, fetching, count) {
                Ok(Step::End) => break,
                Ok(Step::Row) => {}
                Err(failure) => return failure,
            }
            if count == 0
                && let Err(failure) = self.limit_columns(&mut state, id)
            {
                return failure;
            }
            match row(&self.connection, &mut state, arrays, count, fetching.size > 1, None, &mut told) {
                Ok(reached) => arrays.set_state(status, count, reached),
                Err(error) => return self.damaged(error),
            }
            count += 1;
        }
        state.on_row = count > 0;
        if count == 0 {
            drop(state);
            return self.end_of_data(function, fetching);
        }
        (state.rowset, state.fetched) = (fetching.size, count);
        if !left_alone(counter) {
            let counted = counter.flatten().map_or(count, |counted| counted as usize);
            if counted > fetching.size {
                // the result's first rowset was larger
                return match self.habit(function, WITH_ROWS[0], fetching.rows, fetching.size) {
                    Ok(_) => Outcome::error("HY000", "replay: the recorded row counter is larger than the rowset"),
                    Err(failure) => failure,
                };
            }
            arrays.set_count(fetching.rows, counted);
        }
        (count..fetching.size).for_each(|row| arrays.set_state(status, row, row_state::NOROW));
        if state.run.as_ref().is_none_or(PlayedRun::exhausted) {
            self.connection.may_be_finished();
        }
        told
    }

    /// Where buffers are bound beyond the columns that were read, the recording may say that the result has no more.
    pub(super) fn limit_columns(&self, state: &mut State, id: u32) -> Result<(), Outcome> {
        let read = (state.types.len() + state.application.first_column()).saturating_sub(1);
        let beyond = state.application.highest_column() > read;
        let count = match state.columns {
            _ if !beyond => None,
            Some(count) => count,
            None => {
                let known = self.noted(id, &columns_key())?;
                let count = known.and_then(|known| u16::try_from(known.get(Key::Result)?.as_int()?).ok());
                *state.columns.insert(count)
            }
        };
        state.application.limit_columns(count);
        Ok(())
    }

    /// The next recorded row, from the run at hand or the one after it.
    fn step(&self, state: &mut State, id: u32, fetching: Fetching, count: usize) -> Result<Step, Outcome> {
        if std::mem::take(&mut state.run_is_parents) {
            // its file is read by the parent
            state.run = None;
        }
        loop {
            if let Some(run) = &mut state.run {
                match run.next().map(|row| row.is_some()) {
                    Ok(true) => return Ok(Step::Row),
                    Ok(false) if run.ended() => return Ok(Step::End),
                    Ok(false) => state.run = None,
                    Err(error) => return Err(self.damaged(error)),
                }
            }
            match self.connection.player().fetch(self.connection.id(), id) {
                Ok(Fetched::Rows(run)) => {
                    state.types = types(&run);
                    state.run = Some(run);
                }
                Ok(Fetched::End) => return Ok(Step::End),
                Ok(Fetched::Failed(entry)) => {
                    self.within(id, fetching.size, &entry)?;
                    self.connection.may_be_finished();
                    let told = outcome(|key| entry.get(key));
                    fetching.replay(told.rc, 0, entry.get(Key::RowsFetched), entry.get(Key::RowStatus));
                    let rows: Vec<usize> = (count..fetching.size).collect();
                    replay_cells(
                        &state.application,
                        Arrays::of(fetching.size),
                        &rows,
                        entry.get(Key::Written),
                        entry.get(Key::CTypes),
                    );
                    return Err(told);
                }
                Err(error) => return Err(mismatch(error)),
            }
        }
    }
}

/// For which C types the recorded driver writes zeros to the buffer of a NULL, as far as that was looked up for the result at hand.
#[derive(Default)]
pub(super) struct Nulls(Vec<(CType, bool)>);

impl Nulls {
    /// Another result.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }

    /// Whether it does for this one.
    ///
    /// # Errors
    /// A damaged cassette.
    pub(super) fn are_zero(&mut self, connection: &Connection, c_type: CType) -> Result<bool, CassetteError> {
        if let Some((_, zero)) = self.0.iter().find(|(known, _)| *known == c_type) {
            return Ok(*zero);
        }
        let said = connection.player().outcome(connection.id(), &null_key(c_type))?;
        let zero = said.is_some_and(|said| said.get(Key::Result).is_some());
        self.0.push((c_type, zero));
        Ok(zero)
    }
}

/// The C types of a run by their places in a row.
pub(super) fn types(run: &PlayedRun) -> Vec<CType> {
    run.c_types().iter().map(|name| CType::from_name(name).unwrap_or(CType::CHAR)).collect()
}

/// The recorded C type of a column of the row at hand.
pub(super) fn recorded_type(state: &State, index: usize) -> CType {
    let outcome = state.run.as_ref().and_then(|run| run.outcome());
    let first = state.run.as_ref().map_or(1, |run| usize::from(!run.bookmarks()));
    type_in(outcome, &state.types, index, first)
}

/// The C type of a column, from what is said of the row and of the column; `first` is the column that rows begin with.
#[inline(always)]
pub(super) fn type_in(outcome: Option<&Value>, types: &[CType], index: usize, first: usize) -> CType {
    let odd = outcome.and_then(|outcome| outcome.get("c_types")?.get(&(index + first).to_string())?.as_text());
    let odd = odd.and_then(CType::from_name);
    odd.or_else(|| types.get(index).copied()).unwrap_or(CType::CHAR)
}

/// Writes the row at hand to the bound columns; its status, which may be known, and what it adds to the outcome of the fetch.
///
/// # Errors
/// A cell that is none, or no value of its C type.
pub(super) fn row(
    connection: &Connection,
    state: &mut State,
    arrays: Arrays,
    row: usize,
    block: bool,
    known: Option<u16>,
    told: &mut Outcome,
) -> Result<u16, CassetteError> {
    let mut scratch = std::mem::take(&mut state.scratch);
    let mut derived = Vec::new();
    let nulls = &mut state.nulls;
    let Some(run) = &state.run else { return Ok(row_state::SUCCESS) };
    let (current, said_of_row) = (run.current(), run.outcome());
    let said = || said_of_row?.get("status").and_then(Value::as_int).map(|said| said as u16);
    let mut status = known.or_else(said).unwrap_or(row_state::SUCCESS);
    let first = usize::from(!run.bookmarks());
    for (column, binding) in state.application.bound_columns() {
        let Some(index) = usize::from(column).checked_sub(first) else { continue };
        let recorded = type_in(said_of_row, &state.types, index, first);
        let to = match CType(binding.c_type) {
            CType::DEFAULT => recorded,
            to if column == 0 => bookmark_served_as(to, recorded),
            to => to,
        };
        let Some(binding) = arrays.buffers(&state.application, binding, row, to.fixed_size()) else { break };
        if binding.target.is_null() {
            let length = said_of_row.and_then(|said| said.get("lengths")?.get(&column.to_string())?.as_int());
            length.into_iter().for_each(|length| bound::write_length(&binding, length as isize));
            continue;
        }
        let cell = run.cell(index, &mut scratch).map_err(|error| run.refuse(index, &error))?;
        let written = match cell {
            // A value that was cut off when it was recorded: what the driver said of it is recorded as well.
            cell @ Cell::Cut { .. } => match write_cut(said_of_row, column, &cell, (recorded, to), &binding) {
                Written::Truncated => Written::Success,
                other => other,
            },
            Cell::Unread if !row_state::has_cells(status) => continue,
            Cell::Null => {
                if nulls.are_zero(connection, to)? {
                    bound::write_zeros(&binding, to);
                }
                bound::write(&cell, recorded, to, &binding, None)
            }
            cell => bound::write(&cell, recorded, to, &binding, None),
        };
        if let Written::Failed { .. } = written {
            convert::fits(&cell, recorded).map_err(|problem| run.refuse(index, &problem))?;
        }
        let record = |sqlstate: &str, message: &str| Diagnostic {
            row: block.then_some(row as i64 + 1),
            column: Some(i32::from(column)),
            ..Diagnostic::new(sqlstate, message)
        };
        match written {
            Written::Success | Written::NoData => {}
            Written::Truncated => derived.push((
                row_state::SUCCESS_WITH_INFO,
                record("01004", "the value was cut off: the buffer is too small"),
            )),
            Written::FractionTruncated => {
                derived.push((row_state::SUCCESS_WITH_INFO, record("01S07", "a fraction was cut off")))
            }
            Written::Failed { sqlstate, message } => derived.push((row_state::ERROR, record(sqlstate, &message))),
        }
    }
    state.scratch = scratch;
    let failed = derived.iter().any(|(status, _)| *status == row_state::ERROR);
    if first == 0 {
        let size = bookmark_size(current.get(0).unwrap_or_default(), type_in(said_of_row, &state.types, 0, first));
        state.application.gave_bookmark(size);
    }
    if let Some(recorded) = said_of_row.filter(|recorded| !failed && recorded.get("return").is_some()) {
        let said = outcome(|key| recorded.get(key.name()));
        told.rc = said.rc;
        told.diagnostics.extend(said.diagnostics);
        return Ok(status);
    }
    for (said, record) in derived {
        status = said;
        told.rc = if said == row_state::ERROR && !block { rc::ERROR } else { rc::SUCCESS_WITH_INFO };
        told.diagnostics.push(record);
    }
    Ok(status)
}

/// Writes a value that was cut off, with a terminator if the recorded driver wrote one.
fn write_cut(
    said: Option<&Value>,
    column: u16,
    cell: &Cell<'_>,
    (recorded, to): (CType, CType),
    binding: &Binding,
) -> Written {
    let unterminated = said.and_then(|said| said.get("unterminated")?.as_list()).unwrap_or_default();
    match unterminated.contains(&Value::from(column)) && recorded == to {
        true => bound::write_unterminated(cell, recorded, to, binding, None),
        false => bound::write(cell, recorded, to, binding, None),
    }
}

/// The buffer alone: its length is written otherwise.
pub(super) fn without_lengths(binding: &Binding) -> Binding {
    Binding { length: Place::NULL, indicator: Place::NULL, ..*binding }
}
