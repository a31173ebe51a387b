//! Fetches rows. While recording, what the driver wrote into bound columns becomes cells of the current run. At replay,
//! cells of the recorded run are written to the bound columns, in whatever block size the application asks for.

use crate::args::{Binding, Place};
use crate::call::DriverCall;
use crate::convert::{self, CType, Length, Progress, Written, bound};
use crate::diagnostics::{Diagnostic, Outcome, rc};
use crate::mode::application::Application;
use crate::mode::cells::{BoundCell, BoundCells, KnownTypes, NullCell, Truncations};
use crate::mode::connection::Connection;
use crate::mode::keys::{CallKey, row_counter_key};
use crate::mode::lengths::{LentVariables, Rebound};
use crate::mode::operation::replay_cells;
use crate::mode::outcome::{push_outcome_pairs, recorded_outcome};
use crate::mode::reading::Reading;
use crate::mode::record::{Recorded, RecordedState, unwritable};
use crate::mode::replay::{Replayed, mismatch};
use crate::mode::rowset::{
    AT_END, Arrays, Fetching, RowCounter, RowCounters, WITH_ROWS, WrittenCounters, bookmark_served_as, bookmark_size,
    bookmark_type, row_state,
};
use crate::mode::statement::{State, Statement};
use crate::table::Function;
use std::sync::atomic::Ordering;
use super8_cassette::check::Wrong;
use super8_cassette::{CassetteError, Cell, Detail, Fields, Key, Method, RunGuard, Value};
use super8_matching::{Fetched, PlayedRun};

/// What a call that fills the bound columns did.
pub(super) struct Filled {
    pub(super) fetching: Fetching,
    /// Whether the application has a counter of rows of its own.
    pub(super) counted: bool,
    pub(super) written: WrittenCounters,
}

impl Statement<Recorded> {
    /// Lends the driver a row counter if a fetch of several rows has none. A driver that cannot count rows fetches one
    /// at a time.
    pub(super) fn count_rows(&self, function: Function, fetching: &mut Fetching, driver_call: &dyn DriverCall) {
        if fetching.size > 1 && fetching.rows.is_null() {
            match self.lend_counter(function, driver_call) {
                Some(counter) => fetching.rows = counter,
                None => fetching.size = 1,
            }
        }
    }

    pub(super) fn fetch(
        &self,
        function: Function,
        fetching: Fetching,
        rebound: Option<Vec<Rebound>>,
        driver_call: &dyn DriverCall,
    ) -> Outcome {
        self.fill(function, fetching, rebound, driver_call, move |statement, filled, outcome, driver_call| {
            let Filled { fetching, counted, written } = filled;
            let code = outcome.rc;
            let outcome = statement.fetched(fetching, &written, outcome, driver_call);
            statement
                .note_row_counters(function, code, &fetching, counted, &written)
                .map_or_else(unwritable, |()| outcome)
        })
    }

    /// Makes a call that fills the bound columns, and then runs `after`. Lends the driver a counter of rows and variables
    /// for lengths where the application has none of its own.
    pub(super) fn fill(
        &self,
        function: Function,
        mut fetching: Fetching,
        rebound: Option<Vec<Rebound>>,
        driver_call: &dyn DriverCall,
        after: impl FnOnce(&Statement<Recorded>, Filled, Outcome, &dyn DriverCall) -> Outcome + Send + 'static,
    ) -> Outcome {
        let counted = !fetching.rows.is_null();
        self.count_rows(function, &mut fetching, driver_call);
        let lends = rebound.is_some();
        if let Err(refused) = self.lend_lengths(rebound.as_deref(), driver_call) {
            return refused;
        }
        let watched = fetching.watch();
        self.then(driver_call, watched, move |statement, watched, outcome, driver_call| {
            let written = watched.written();
            if lends {
                statement.take_lengths();
            }
            after(statement, Filled { fetching, counted, written }, outcome, driver_call)
        })
    }

    fn fetched(
        &self,
        fetching: Fetching,
        written: &WrittenCounters,
        outcome: Outcome,
        driver_call: &dyn DriverCall,
    ) -> Outcome {
        let mut state = match self.resolved(driver_call) {
            Ok(state) => state,
            Err(error) => return unwritable(error),
        };
        let Some(id) = state.id else { return outcome };
        if std::mem::take(&mut state.own.scrolled)
            && let Err(error) = self.finish_result(&mut state, false)
        {
            return unwritable(error);
        }
        let taken = match outcome.rc {
            rc::SUCCESS | rc::SUCCESS_WITH_INFO => self.take_rows(&mut state, id, fetching, written, &outcome),
            rc::NO_DATA => self.take_end(&mut state, id),
            _ => {
                if let Err(error) = self.finish_result(&mut state, false) {
                    return unwritable(error);
                }
                let mut fields = Fields::new();
                if fetching.size > 1 {
                    fields.push((Key::Rowset, Value::from(fetching.size)));
                }
                fields.push((Key::Result, Value::Null));
                fields.extend(written.counted(&fetching).map(|rows| (Key::RowsFetched, Value::from(rows))));
                fields.extend(written.states(&fetching).map(|states| (Key::RowStatus, states)));
                drop(state);
                return self.command(id, Method::Fetch, fields, outcome);
            }
        };
        let nulls = match state.own.nulls.is_empty() {
            true => Vec::new(),
            false => state.take_nulls(self.zeroes_nulls(driver_call)),
        };
        drop(state);
        let noted = taken.and_then(|()| match &nulls[..] {
            [] => Ok(()),
            nulls => self.note_nulls(nulls, driver_call),
        });
        noted.map_or_else(unwritable, |()| outcome)
    }

    /// Notes what the driver wrote to the application's row counter and first row state, where that differs from the
    /// usual.
    fn note_row_counters(
        &self,
        function: Function,
        code: i16,
        fetching: &Fetching,
        counted: bool,
        written: &WrittenCounters,
    ) -> Result<(), CassetteError> {
        if !counted && fetching.status.is_null() {
            return Ok(());
        }
        let usual = match code {
            rc::NO_DATA => AT_END.map(|(name, usual)| (name, Some(usual))),
            // The row state itself is recorded with the row.
            rc::SUCCESS | rc::SUCCESS_WITH_INFO => {
                [(WITH_ROWS[0], Some(self.state.lock().fetched as i64)), (WITH_ROWS[1], None)]
            }
            _ => return Ok(()),
        };
        let places =
            [(counted, written.counted(fetching)), (!fetching.status.is_null(), written.state(0).map(i64::from))];
        for ((name, usual), (_, written)) in usual.into_iter().zip(places).filter(|(_, (there, _))| *there) {
            let odd = usual.map_or(written.is_none(), |usual| written != Some(usual));
            // A usual outcome is noted only if something odd was noted before, to take that back.
            if odd || self.connection.own.odd_counters.load(Ordering::Relaxed) {
                self.connection.own.odd_counters.store(true, Ordering::Relaxed);
                let said = odd.then(|| {
                    let mut said = Fields::from([(Key::Result, written.into())]);
                    // A count above one at the end of data holds for a rowset of this size only.
                    let counts = name == AT_END[0].0 && written.is_some_and(|written| written > 1);
                    said.extend(counts.then(|| (Key::Rowset, Value::from(fetching.size))));
                    said
                });
                let call = CallKey::of([function as u64]).and_text(name.as_bytes());
                self.connection.note_outcome(call, || row_counter_key(function, name), said)?;
            }
        }
        Ok(())
    }

    fn take_rows(
        &self,
        state: &mut State<Recorded>,
        id: u32,
        fetching: Fetching,
        written: &WrittenCounters,
        outcome: &Outcome,
    ) -> Result<(), CassetteError> {
        self.finish_row(state)?;
        self.write_columns()?;
        let count = written.count(&fetching);
        (state.rowset, state.fetched) = (fetching.size, count);
        let truncations = Truncations::of(outcome);
        // A command of another thread may end the run before it is locked; then another run takes the rows.
        while !self.take_into_run(state, id, written, outcome, count, &truncations)? {}
        state.own.first = false;
        if fetching.size > 1 && count < fetching.size {
            // A rowset that is not full is the last one.
            self.take_end(state, id)?;
        }
        Ok(())
    }

    /// Puts the rows of a rowset into the current run. Returns false if another thread ended the run meanwhile.
    fn take_into_run(
        &self,
        state: &mut State<Recorded>,
        id: u32,
        written: &WrittenCounters,
        outcome: &Outcome,
        count: usize,
        truncations: &Truncations,
    ) -> Result<bool, CassetteError> {
        if state.run.is_none() {
            self.open_run(state, id);
        }
        let State { run: Some(run), application, scratch, own, .. } = state else {
            return Ok(true);
        };
        let connection = &*self.connection;
        let RecordedState { known_types, bound, lent, nulls, .. } = own;
        let mut cells = Cells { known_types, application, bound, lent, truncations, nulls, connection, scratch };
        let mut locked = run.lock();
        if !locked.is_open() {
            drop(locked);
            state.run = None;
            return Ok(false);
        }
        let run = &mut locked;
        for row in 0..count {
            let status = written.state(row).unwrap_or(row_state::SUCCESS);
            if status == row_state::NOROW {
                continue;
            }
            run.begin_row()?;
            if row_state::has_cells(status) {
                cells.take(run, row);
            }
            if status != row_state::SUCCESS {
                run.outcome(Value::Map(vec![Detail::Status.with(status)]));
            }
            if row == 0 && outcome.rc != rc::SUCCESS {
                let mut fields = Vec::new();
                push_outcome_pairs(&mut fields, outcome, &self.connection.secrecy);
                run.outcome(Value::Map(fields));
            }
        }
        Ok(true)
    }

    /// Opens the run that takes the next rows: the result's first, or another one after an interruption.
    fn open_run(&self, state: &mut State<Recorded>, id: u32) {
        let run = self.connection.recorder().run(self.connection.id(), id, state.own.first);
        if state.application.first_column() == 0 {
            run.lock().with_bookmarks();
        }
        state.run = Some(run);
        state.own.known_types.forget();
    }

    fn take_end(&self, state: &mut State<Recorded>, id: u32) -> Result<(), CassetteError> {
        if std::mem::replace(&mut state.own.ended, true) {
            return Ok(());
        }
        if state.run.is_none() {
            self.write_columns()?;
            self.open_run(state, id);
        }
        state.own.first = false;
        self.finish_result(state, true)
    }
}

/// What is needed to read the cells of a fetched row.
pub(super) struct Cells<'a> {
    pub(super) known_types: &'a mut KnownTypes,
    pub(super) application: &'a mut Application,
    pub(super) bound: &'a BoundCells,
    pub(super) lent: &'a LentVariables,
    pub(super) truncations: &'a Truncations,
    /// NULLs in buffers for which it is not known yet what the driver does to them.
    pub(super) nulls: &'a mut Vec<NullCell>,
    pub(super) connection: &'a Connection<Recorded>,
    pub(super) scratch: &'a mut Vec<u8>,
}

impl Cells<'_> {
    /// Reads the cells that the application has bound, for one row of the rowset, counted from 0.
    pub(super) fn take(&mut self, run: &mut RunGuard<'_>, row: usize) {
        let (mut size, mut lengths, mut unterminated) = (None, Vec::new(), Vec::new());
        let place_of_row = self.application.columns.row(row);
        for &BoundCell { column, index, binding, mut c_type, element } in self.bound.cells() {
            let lent = self.lent.said(row, column);
            if binding.target.is_null() {
                // A column without a buffer has only a length, where the driver wrote one.
                lengths.extend(lent.and_then(|(length, _)| Some((column.to_string(), length.number()?.into()))));
                continue;
            }
            let mut place = place_of_row.of(binding, element);
            if column == 0 {
                let length = lent.map_or(place.length, |(_, length)| length);
                c_type = bookmark_type(&Binding { length, ..place }, self.application.use_bookmarks());
                place = place_of_row.of(binding, c_type.fixed_size());
            }
            self.known_types.tell(run, index, c_type);
            let length = lent.map_or_else(|| Length::reported(&place), |(length, _)| length);
            if length == Length::Null && self.connection.own.nulls.lacks(c_type) {
                self.nulls.push(NullCell { column, c_type });
            }
            let cut = || self.truncations.concern(row, column);
            if bound::read(&place, c_type, length, cut, run.row(), index, self.scratch) {
                unterminated.push(Value::from(column));
            }
            if column == 0 {
                size = bookmark_size(&run.row().field(index), c_type);
            }
        }
        if !lengths.is_empty() {
            run.outcome(Value::Map(vec![Detail::Lengths.with(Value::Map(lengths))]));
        }
        if !unterminated.is_empty() {
            run.outcome(Value::Map(vec![Detail::Unterminated.with(Value::List(unterminated))]));
        }
        self.application.gave_bookmark(size);
    }
}

/// What the step to the next row found.
enum Step {
    Row,
    End,
}

impl Statement<Replayed> {
    pub(super) fn fetch(&self, function: Function, fetching: Fetching) -> Outcome {
        let mut state = self.state.lock();
        let Some(id) = state.id else { return Outcome::error("24000", "there is no result to fetch from") };
        state.own.on_row = false;
        state.reading.forget();
        let [counter, states] = match self.with_rows(&mut state, function, &fetching) {
            Ok(habits) => habits,
            Err(failure) => return failure,
        };
        if let Err(lost) = self.connection.player().check_connection(self.connection.id(), id) {
            return mismatch(lost);
        }
        let left_alone = |habit| habit == Some(None);
        let status = if left_alone(states) { Place::NULL } else { fetching.status };
        let arrays = Arrays::of(fetching.size);
        let mut outcome = Outcome::SUCCESS;
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
            match write_row(&self.connection, &mut state, arrays, count, fetching.size > 1, None, &mut outcome) {
                Ok(reached) => arrays.set_state(status, count, reached),
                Err(error) => return self.damaged(error),
            }
            count += 1;
        }
        state.own.on_row = count > 0;
        if count == 0 {
            drop(state);
            return self.end_of_data(function, fetching);
        }
        (state.rowset, state.fetched) = (fetching.size, count);
        if !left_alone(counter) {
            let counted = counter.flatten().map_or(count, |counted| counted as usize);
            if counted > fetching.size {
                // The count was checked against the result's first rowset, which was larger; this lookup refuses it.
                return match self.habit(function, WITH_ROWS[0], fetching.rows, fetching.size) {
                    Ok(_) => Outcome::error("HY000", "replay: the recorded row counter is larger than the rowset"),
                    Err(failure) => failure,
                };
            }
            arrays.set_count(fetching.rows, counted);
        }
        (count..fetching.size).for_each(|row| arrays.set_state(status, row, row_state::NOROW));
        if state.run.as_ref().is_none_or(PlayedRun::exhausted) {
            self.connection.rows_are_read();
        }
        outcome
    }

    /// Moves to the next recorded row, in the current run or the one after it.
    fn step(&self, state: &mut State<Replayed>, id: u32, fetching: Fetching, count: usize) -> Result<Step, Outcome> {
        if std::mem::take(&mut state.own.run_is_parents) {
            // The parent process reads this run's file.
            state.run = None;
        }
        loop {
            if let Some(run) = &mut state.run {
                if run.is_to_fail()
                    && let Err(fault) = self.connection.player().strike_row(self.connection.id(), id, run)
                {
                    let outcome = mismatch(fault);
                    if outcome.rc == rc::NO_DATA {
                        state.run = None;
                        return Ok(Step::End);
                    }
                    return Err(outcome);
                }
                match run.next().map(|row| row.is_some()) {
                    Ok(true) => return Ok(Step::Row),
                    Ok(false) if run.ended() => return Ok(Step::End),
                    Ok(false) => state.run = None,
                    Err(error) => return Err(self.damaged(error)),
                }
            }
            match self.connection.player().fetch(self.connection.id(), id) {
                Ok(Fetched::Rows(run)) => {
                    state.own.types = run_types(&run);
                    state.run = Some(run);
                }
                Ok(Fetched::End) => return Ok(Step::End),
                Ok(Fetched::Failed(entry)) => {
                    self.within(id, fetching.size, &entry)?;
                    self.connection.may_be_finished();
                    let outcome = recorded_outcome(|key| entry.get(key));
                    fetching.replay(outcome.rc, 0, entry.get(Key::RowsFetched), entry.get(Key::RowStatus));
                    let rows: Vec<usize> = (count..fetching.size).collect();
                    replay_cells(
                        &state.application,
                        Arrays::of(fetching.size),
                        &rows,
                        entry.get(Key::Written),
                        entry.get(Key::CTypes),
                    );
                    return Err(outcome);
                }
                Err(error) => {
                    let outcome = mismatch(error);
                    // An injected fault may say that there are no more rows.
                    return if outcome.rc == rc::NO_DATA { Ok(Step::End) } else { Err(outcome) };
                }
            }
        }
    }

    /// Returns what the recorded driver did with a counter or state where it did not do the usual. A count has to fit
    /// the rowset.
    pub(super) fn habit(
        &self,
        function: Function,
        name: &'static str,
        place: Place,
        room: usize,
    ) -> Result<RowCounter, Outcome> {
        if place.is_null() {
            return Ok(None);
        }
        let Some(said) = self.connection.local_outcome(&row_counter_key(function, name))? else { return Ok(None) };
        let habit = said.get(Key::Result).map(Value::as_int);
        let counts = name == WITH_ROWS[0] || name == AT_END[0].0;
        match habit.flatten().filter(|count| counts && !usize::try_from(*count).is_ok_and(|count| count <= room)) {
            Some(count) => {
                let wrong = Wrong::too_many("result", count, room);
                Err(self.connection.refuse_answer(None, &said, wrong))
            }
            None => Ok(habit),
        }
    }

    /// Returns what the recorded driver did with the counter and states of a fetch that found rows. Looked up once for
    /// each result.
    pub(super) fn with_rows(
        &self,
        state: &mut State<Replayed>,
        function: Function,
        fetching: &Fetching,
    ) -> Result<RowCounters, Outcome> {
        if fetching.rows.is_null() && fetching.status.is_null() {
            return Ok([None; 2]);
        }
        if let Some(known) = state.own.counters {
            return Ok(known);
        }
        let [counter, states] = WITH_ROWS;
        let size = fetching.size;
        let found =
            [self.habit(function, counter, fetching.rows, size)?, self.habit(function, states, fetching.status, size)?];
        Ok(*state.own.counters.insert(found))
    }

    /// Returns SQL_NO_DATA and writes the row counter and states as the recorded driver left them.
    pub(super) fn end_of_data(&self, function: Function, fetching: Fetching) -> Outcome {
        let written =
            |(name, usual), place| Ok(self.habit(function, name, place, fetching.size)?.unwrap_or(Some(usual)));
        let [counter, states] = AT_END;
        let (rows, status) = match (written(counter, fetching.rows), written(states, fetching.status)) {
            (Ok(rows), Ok(status)) => (rows, status),
            (Err(failure), _) | (_, Err(failure)) => return failure,
        };
        let arrays = Arrays::of(fetching.size);
        if let Some(rows) = rows {
            arrays.set_count(fetching.rows, rows as usize);
        }
        if let Some(status) = status {
            (0..fetching.size).for_each(|row| arrays.set_state(fetching.status, row, status as u16));
        }
        Outcome::of(rc::NO_DATA)
    }
}

/// Returns the C types of a run, by their places in a row.
pub(super) fn run_types(run: &PlayedRun) -> Vec<CType> {
    run.c_types().iter().map(|name| CType::from_name(name).unwrap_or(CType::CHAR)).collect()
}

/// Returns the recorded C type of a column in the current row.
pub(super) fn recorded_type(state: &State<Replayed>, index: usize) -> CType {
    let outcome = state.run.as_ref().and_then(|run| run.outcome());
    let first = state.run.as_ref().map_or(1, |run| usize::from(!run.bookmarks()));
    type_in(outcome, &state.own.types, index, first)
}

/// Returns the C type of a column: the one noted with the row, else the one of the column. `first` is the number of the
/// column that rows begin with.
#[inline(always)]
pub(super) fn type_in(outcome: Option<&Value>, types: &[CType], index: usize, first: usize) -> CType {
    let usual = || types.get(index).copied().unwrap_or(CType::CHAR);
    let Some(outcome) = outcome else { return usual() };
    let odd = outcome.detail(Detail::CTypes).and_then(|types| types.get(&(index + first).to_string())?.as_text());
    odd.and_then(CType::from_name).unwrap_or_else(usual)
}

/// Writes the current row to the bound columns and adds its diagnostics to the fetch's `outcome`. Returns the row's
/// state; `known` is that state where the caller has it already.
///
/// # Errors
/// A cell is malformed, or is not a value of its C type.
pub(super) fn write_row(
    connection: &Connection<Replayed>,
    state: &mut State<Replayed>,
    arrays: Arrays,
    row: usize,
    block: bool,
    known: Option<u16>,
    outcome: &mut Outcome,
) -> Result<u16, CassetteError> {
    let mut scratch = std::mem::take(&mut state.scratch);
    let mut derived = Vec::new();
    let nulls = &mut state.own.nulls;
    let Some(run) = &state.run else { return Ok(row_state::SUCCESS) };
    let said_of_row = run.outcome();
    let said = || said_of_row?.detail(Detail::Status).and_then(Value::as_int).map(|said| said as u16);
    let mut status = known.or_else(said).unwrap_or(row_state::SUCCESS);
    let first = usize::from(!run.bookmarks());
    let mut place = None;
    for (column, binding) in state.application.bound_columns() {
        let Some(index) = usize::from(column).checked_sub(first) else { continue };
        let recorded = type_in(said_of_row, &state.own.types, index, first);
        let to = match CType(binding.c_type) {
            CType::DEFAULT => recorded,
            to if column == 0 => bookmark_served_as(to, recorded),
            to => to,
        };
        // Find it once, and only if a column is bound: this reads the offset that the application may have bound.
        if place.is_none() {
            place = arrays.place(&state.application, row);
        }
        let Some(place) = place else { break };
        let placed;
        let binding = match place.is_as_bound() {
            true => binding,
            false => {
                placed = place.of(*binding, to.fixed_size());
                &placed
            }
        };
        if binding.target.is_null() {
            let length = said_of_row.and_then(|said| said.detail(Detail::Lengths)?.get(&column.to_string())?.as_int());
            length.into_iter().for_each(|length| bound::write_length(binding, length as isize));
            continue;
        }
        // nearly every cell is like that
        let whole = |text| bound::write_text(text, to, binding, &mut Progress::new());
        if recorded == to && run.plain(index).is_some_and(whole) {
            continue;
        }
        let cell = run.cell(index, &mut scratch).map_err(|error| run.refuse(index, &error))?;
        let written = match cell {
            // The value was cut off when it was recorded, and the driver's warning about it is recorded as well.
            cell @ Cell::Cut { .. } => match write_cut(said_of_row, column, &cell, (recorded, to), binding) {
                Written::Truncated => Written::Success,
                other => other,
            },
            Cell::Unread if !row_state::has_cells(status) => continue,
            Cell::Null => {
                if nulls.are_zero(&connection.player(), connection.id(), to)? {
                    bound::write_zeros(binding, to);
                }
                bound::write(&cell, recorded, to, binding, None)
            }
            cell => bound::write(&cell, recorded, to, binding, None),
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
        let size = bookmark_size(run.field(0).unwrap_or_default(), type_in(said_of_row, &state.own.types, 0, first));
        state.application.gave_bookmark(size);
    }
    if let Some(recorded) = said_of_row.filter(|recorded| !failed && recorded.detail(Detail::Return).is_some()) {
        let said = recorded_outcome(|key| recorded.get(key.name()));
        outcome.rc = said.rc;
        outcome.diagnostics.extend(said.diagnostics);
        return Ok(status);
    }
    if !derived.is_empty() {
        status = if failed { row_state::ERROR } else { row_state::SUCCESS_WITH_INFO };
        outcome.rc = if failed && !block { rc::ERROR } else { rc::SUCCESS_WITH_INFO };
        outcome.diagnostics.extend(derived.into_iter().map(|(_, record)| record));
    }
    Ok(status)
}

/// Writes a value that was cut off, with a terminator only if the recorded driver wrote one.
fn write_cut(
    said: Option<&Value>,
    column: u16,
    cell: &Cell<'_>,
    (recorded, to): (CType, CType),
    binding: &Binding,
) -> Written {
    let unterminated = said.and_then(|said| said.detail(Detail::Unterminated)?.as_list()).unwrap_or_default();
    match unterminated.contains(&Value::from(column)) && recorded == to {
        true => bound::write_unterminated(cell, recorded, to, binding, None),
        false => bound::write(cell, recorded, to, binding, None),
    }
}
