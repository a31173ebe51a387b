//! Rows being fetched: what the driver wrote into bound columns becomes cells of the run at hand.

use super::connection::Connection;
use super::known_types::KnownTypes;
use super::lent::{Lent, Rebound};
use super::nulls::NullCell;
use super::statement::{State, Statement};
use super::truncations::Truncations;
use super::unwritable;
use crate::args::{Binding, Place};
use crate::call::DriverCall;
use crate::convert::{CType, Length, bound};
use crate::diagnostics::{Outcome, rc};
use crate::mode::application::Application;
use crate::mode::keys::{CallKey, columns_key, place_key};
use crate::mode::outcome::push_outcome_pairs;
use crate::mode::rowset::{AT_END, Fetching, WITH_ROWS, Written, bookmark_size, bookmark_type, row_state};
use crate::table::Function;
use parking_lot::MutexGuard;
use std::sync::atomic::Ordering;
use super8_cassette::{CassetteError, Entry, Fields, Key, Method, RunGuard, Value};

impl Statement {
    pub(super) fn fetch(
        &self,
        function: Function,
        mut fetching: Fetching,
        rebound: Option<Vec<Rebound>>,
        driver_call: &dyn DriverCall,
    ) -> Outcome {
        let counted = !fetching.rows.is_null();
        if fetching.size > 1 && !counted {
            match self.lend_counter(function, driver_call) {
                Some(counter) => fetching.rows = counter,
                // A driver that cannot count rows fetches one at a time.
                None => fetching.size = 1,
            }
        }
        let lends = rebound.is_some();
        if let Err(refused) = self.lend_lengths(rebound.as_deref(), driver_call) {
            return refused;
        }
        let marked = fetching.mark();
        self.then(driver_call, move |statement, outcome, driver_call| {
            let written = fetching.harvest(marked);
            if lends {
                statement.take_lengths();
            }
            let code = outcome.rc;
            let outcome = statement.fetched(fetching, &written, outcome, driver_call);
            statement.note_places(function, code, &fetching, counted, &written).map_or_else(unwritable, |()| outcome)
        })
    }

    fn fetched(
        &self,
        fetching: Fetching,
        written: &Written,
        outcome: Outcome,
        driver_call: &dyn DriverCall,
    ) -> Outcome {
        let mut state = match self.resolved(driver_call) {
            Ok(state) => state,
            Err(error) => return unwritable(error),
        };
        let Some(id) = state.id else { return outcome };
        if std::mem::take(&mut state.scrolled)
            && let Err(error) = self.settle(&mut state, false)
        {
            return unwritable(error);
        }
        let taken = match outcome.rc {
            rc::SUCCESS | rc::SUCCESS_WITH_INFO => self.take_rows(&mut state, id, fetching, written, &outcome),
            rc::NO_DATA => self.take_end(&mut state, id),
            _ => {
                if let Err(error) = self.settle(&mut state, false) {
                    return unwritable(error);
                }
                let mut fields = Fields::new();
                if fetching.size > 1 {
                    fields.push((Key::Rowset, Value::from(fetching.size)));
                }
                fields.push((Key::Result, Value::Null));
                fields.extend(written.rows.map(|rows| (Key::RowsFetched, Value::from(rows))));
                fields.extend(written.states(&fetching).map(|states| (Key::RowStatus, states)));
                drop(state);
                return self.command(id, Method::Fetch, fields, outcome);
            }
        };
        let nulls = if state.nulls.is_empty() { Vec::new() } else { state.take_nulls() };
        drop(state);
        let noted = taken.and_then(|()| self.note_nulls(&nulls, driver_call));
        noted.map_or_else(unwritable, |()| outcome)
    }

    /// Notes what the driver did with the application's row counter and the first row state, where that is not the usual.
    fn note_places(
        &self,
        function: Function,
        code: i16,
        fetching: &Fetching,
        counted: bool,
        written: &Written,
    ) -> Result<(), CassetteError> {
        if !counted && fetching.status.is_null() {
            return Ok(());
        }
        let usual = match code {
            rc::NO_DATA => AT_END.map(|(name, usual)| (name, Some(usual))),
            // What the state is stands with the row.
            rc::SUCCESS | rc::SUCCESS_WITH_INFO => {
                [(WITH_ROWS[0], Some(self.state.lock().fetched as i64)), (WITH_ROWS[1], None)]
            }
            _ => return Ok(()),
        };
        let places = [(counted, written.rows), (!fetching.status.is_null(), written.state(0).map(i64::from))];
        for ((name, usual), (_, written)) in usual.into_iter().zip(places).filter(|(_, (there, _))| *there) {
            let odd = usual.map_or(written.is_none(), |usual| written != Some(usual));
            // As long as nothing was odd there is nothing to take back.
            if odd || self.connection.odd_places.load(Ordering::Relaxed) {
                self.connection.odd_places.store(true, Ordering::Relaxed);
                let said = odd.then(|| Fields::from([(Key::Result, written.into())]));
                let call = CallKey::of([function as u64]).and_text(name.as_bytes());
                self.connection.note_outcome(call, || place_key(function, name), said)?;
            }
        }
        Ok(())
    }

    /// A counter of fetched rows for an application that has none: without it nobody knows how much of a rowset is filled.
    /// SQLExtendedFetch is given one in any case.
    pub(super) fn lend_counter(&self, function: Function, driver_call: &dyn DriverCall) -> Option<Place> {
        let lent = function == Function::SQLExtendedFetch || self.state.lock().counter_is_lent;
        let counter = driver_call.lend_row_counter(!lent)?;
        self.state.lock().counter_is_lent |= function != Function::SQLExtendedFetch;
        Some(counter)
    }

    /// The state, once it is known which C types stand behind the columns bound as SQL_C_DEFAULT: the driver is asked for
    /// them before the lock is taken, once for each result.
    pub(super) fn resolved(&self, driver_call: &dyn DriverCall) -> Result<MutexGuard<'_, State>, CassetteError> {
        self.name_columns(driver_call);
        let state = self.with_columns(driver_call)?;
        let open = |(column, binding): (u16, Binding)| {
            let known = || state.defaults.iter().any(|(of, _)| *of == column);
            (CType(binding.c_type) == CType::DEFAULT && column != 0 && !known()).then_some(column)
        };
        let open: Vec<u16> = state.application.bound_columns().filter_map(open).collect();
        if open.is_empty() {
            return Ok(state);
        }
        drop(state);
        let found: Vec<_> =
            open.into_iter().map(|column| (column, resolve(CType::DEFAULT.code(), column, driver_call))).collect();
        let mut state = self.state.lock();
        state.defaults.extend(found);
        Ok(state)
    }

    /// The state, once it is known how many columns the result has where some are bound: columns may be bound that it
    /// does not have, whose buffers the driver does not touch. Replay is told so: it does not know the result's columns.
    fn with_columns(&self, driver_call: &dyn DriverCall) -> Result<MutexGuard<'_, State>, CassetteError> {
        let mut state = self.state.lock();
        if state.application.highest_column() == 0 {
            return Ok(state);
        }
        if state.columns.is_none() {
            drop(state);
            let count = driver_call.column_count();
            state = self.state.lock();
            state.columns = count;
            state.application.limit_columns(count);
        }
        if let (Some(id), Some(count)) = (state.id, state.columns)
            && state.application.highest_column() > usize::from(count.max(1))
            && state.beyond != Some(count)
        {
            state.beyond = Some(count);
            let entry =
                Entry { fields: columns_key().clone(), ..Entry::new(Method::Answer, self.connection.id(), Some(id)) };
            self.connection.recorder().note(&entry.with(Key::Result, count))?;
        }
        Ok(state)
    }

    /// Tells the recorder the names of a result's columns at its first row, where redaction goes by them.
    fn name_columns(&self, driver_call: &dyn DriverCall) {
        let recorder = self.connection.recorder();
        if !recorder.wants_names() {
            return;
        }
        let result = {
            let state = self.state.lock();
            state.id.filter(|_| state.first)
        };
        if let Some(id) = result {
            recorder.names(self.connection.id(), id, driver_call.column_names());
        }
    }

    fn take_rows(
        &self,
        state: &mut State,
        id: u32,
        fetching: Fetching,
        written: &Written,
        outcome: &Outcome,
    ) -> Result<(), CassetteError> {
        self.finish_row(state)?;
        self.write_columns()?;
        let count = written.count(&fetching);
        (state.rowset, state.fetched) = (fetching.size, count);
        let cuts = Truncations::of(outcome);
        // a command of another thread may end the run before it is locked: then another one takes the rows
        while !self.take_into_run(state, id, written, outcome, count, &cuts)? {}
        state.first = false;
        if fetching.size > 1 && count < fetching.size {
            // A rowset that is not full is the last one.
            self.take_end(state, id)?;
        }
        Ok(())
    }

    /// Takes the rows of a rowset into the run at hand; false if that was ended meanwhile.
    fn take_into_run(
        &self,
        state: &mut State,
        id: u32,
        written: &Written,
        outcome: &Outcome,
        count: usize,
        cuts: &Truncations,
    ) -> Result<bool, CassetteError> {
        if state.run.is_none() {
            self.open_run(state, id);
        }
        let State { run: Some(run), told, application, defaults, lent, nulls, scratch, .. } = state else {
            return Ok(true);
        };
        let connection = &*self.connection;
        let mut cells = Cells { told, application, defaults, lent, cuts, nulls, connection, scratch };
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
                run.outcome(Value::Map(vec![("status".into(), Value::from(status))]));
            }
            if row == 0 && outcome.rc != rc::SUCCESS {
                let mut fields = Vec::new();
                push_outcome_pairs(&mut fields, outcome, &self.connection.secrecy);
                run.outcome(Value::Map(fields));
            }
        }
        Ok(true)
    }

    /// Opens the run that takes the next rows: the first of the result, or another after an interruption.
    fn open_run(&self, state: &mut State, id: u32) {
        let run = self.connection.recorder().run(self.connection.id(), id, state.first);
        if state.application.first_column() == 0 {
            run.lock().with_bookmarks();
        }
        state.run = Some(run);
        state.told.forget();
    }

    fn take_end(&self, state: &mut State, id: u32) -> Result<(), CassetteError> {
        if std::mem::replace(&mut state.ended, true) {
            return Ok(());
        }
        if state.run.is_none() {
            self.write_columns()?;
            self.open_run(state, id);
        }
        state.first = false;
        self.settle(state, true)
    }
}

/// What the cells of a fetched row are taken with.
pub(super) struct Cells<'a> {
    pub(super) told: &'a mut KnownTypes,
    pub(super) application: &'a mut Application,
    pub(super) defaults: &'a [(u16, CType)],
    pub(super) lent: &'a Lent,
    pub(super) cuts: &'a Truncations,
    /// Of whose buffers it is not known yet what the driver does to them.
    pub(super) nulls: &'a mut Vec<NullCell>,
    pub(super) connection: &'a Connection,
    pub(super) scratch: &'a mut Vec<u8>,
}

impl Cells<'_> {
    /// Takes the cells of a row, from 0, that the application has bound.
    pub(super) fn take(&mut self, run: &mut RunGuard<'_>, row: usize) {
        if self.application.columns.records().is_empty() {
            return;
        }
        let first = self.application.first_column();
        let (mut size, mut lengths, mut unterminated) = (None, Vec::new(), Vec::new());
        for (column, binding) in self.application.bound_columns() {
            let Some(index) = usize::from(column).checked_sub(first) else { continue };
            let lent = self.lent.said(row, column);
            if binding.target.is_null() {
                // Nothing is read of such a column but what the driver said of its length, if it did.
                lengths.extend(lent.and_then(|(length, _)| Some((column.to_string(), length.number()?.into()))));
                continue;
            }
            let c_type = match CType(binding.c_type) {
                _ if column == 0 => {
                    let length = lent.map(|(_, length)| length);
                    let place = self.application.at_row(binding, row, None);
                    let place = Binding { length: length.unwrap_or(place.length), ..place };
                    bookmark_type(&place, self.application.use_bookmarks())
                }
                CType::DEFAULT => {
                    self.defaults.iter().find(|(of, _)| *of == column).map_or(CType::CHAR, |(_, c_type)| *c_type)
                }
                c_type => c_type,
            };
            self.told.tell(run, index, c_type);
            let place = self.application.at_row(binding, row, c_type.fixed_size());
            let length = lent.map_or_else(|| bound::reported(&place), |(length, _)| length);
            if length == Length::Null && self.connection.nulls.wants(c_type) {
                self.nulls.push(NullCell { column, c_type });
            }
            bound::read(&place, c_type, (length, self.cuts.concern(row, column)), run.row(), index, self.scratch);
            if bound::is_unterminated(&place, c_type, length) {
                unterminated.push(Value::from(column));
            }
            if column == 0 {
                size = bookmark_size(run.row().field(index), c_type);
            }
        }
        if !lengths.is_empty() {
            run.outcome(Value::Map(vec![("lengths".to_owned(), Value::Map(lengths))]));
        }
        if !unterminated.is_empty() {
            run.outcome(Value::Map(vec![("unterminated".to_owned(), Value::List(unterminated))]));
        }
        self.application.gave_bookmark(size);
    }
}

/// The C type of a buffer: SQL_C_DEFAULT is what the column's SQL type makes it, which the driver is asked for. No lock
/// may be held.
pub(super) fn resolve(c_type: i16, column: u16, driver_call: &dyn DriverCall) -> CType {
    match CType(c_type) {
        CType::DEFAULT => driver_call.column_type(column).map_or(CType::CHAR, CType::default_for),
        c_type => c_type,
    }
}
