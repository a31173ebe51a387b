//! Bound columns: what a fetch has to know of them, and what binding them does. While recording, the driver is asked
//! for C types and the number of columns, and is lent length variables.

use crate::args::{Binding, OwnMemory, Place};
use crate::call::{Call, DriverCall};
use crate::convert::CType;
use crate::diagnostics::{Outcome, rc};
use crate::mode::application::attribute;
use crate::mode::cells::{BoundCells, NullCell, zeroes_nulls};
use crate::mode::descriptors::sets_row_counter;
use crate::mode::keys::{
    CallKey, columns_key, length_at_binding_key, local_call, local_key, null_key, rowset_size_key,
};
use crate::mode::lengths::{Rebound, SIZE};
use crate::mode::record::{Recorded, perform, unwritable};
use crate::mode::replay::Replayed;
use crate::mode::statement::{State, Statement};
use crate::table::Function;
use parking_lot::MutexGuard;
use std::sync::atomic::Ordering;
use super8_cassette::{CassetteError, Entry, Fields, Key, Method, Value};

impl Statement<Recorded> {
    /// Serves a call on the application's own side. It is recorded only if the driver disagrees.
    pub(super) fn local(&self, function: Function, call: &Call<'_>, driver_call: &dyn DriverCall) -> Outcome {
        let outcome = perform(driver_call);
        if rc::succeeded(outcome.rc) {
            self.take_in_recorded(call);
            if let Call::BindColumn { column, binding } = call
                && let Err(error) = self.note_binding(*column, binding, driver_call)
            {
                return unwritable(error);
            }
            if sets_rowset_size(call)
                && let Err(error) = self.note_rowset_size(driver_call)
            {
                return unwritable(error);
            }
        }
        self.connection.note_local(local_call(function, None, call), || local_key(function, None, call), outcome)
    }

    /// Finds out whether the driver has one setting for the two sizes of a rowset, where the program gave it two. ODBC has
    /// SQL_ROWSET_SIZE for SQLExtendedFetch and SQL_ATTR_ROW_ARRAY_SIZE for the others.
    fn note_rowset_size(&self, driver_call: &dyn DriverCall) -> Result<(), CassetteError> {
        if !self.state.lock().application.sizes_differ() {
            return Ok(());
        }
        let sizes = [attribute::ROWSET_SIZE, attribute::ROW_ARRAY_SIZE].map(|asked| driver_call.number(asked));
        if sizes[0].is_none() || sizes[0] != sizes[1] {
            return Ok(());
        }
        self.state.lock().application.share_size();
        let said = Fields::from([(Key::Result, true.into())]);
        self.connection.note_outcome(CallKey::of([u64::MAX - 4]), rowset_size_key, Some(said))
    }

    /// Applies a call on the application's side that succeeded.
    pub(super) fn take_in_recorded(&self, call: &Call<'_>) {
        let mut state = self.state.lock();
        state.own.counter_is_lent &= !sets_row_counter(None, call);
        self.take_in(&mut state, call);
    }

    /// Returns the state once it is known which columns a fetch fills and which C types SQL_C_DEFAULT stands for. The
    /// driver is asked for that before the lock is taken, once for each result.
    pub(super) fn resolved(
        &self,
        driver_call: &dyn DriverCall,
    ) -> Result<MutexGuard<'_, State<Recorded>>, CassetteError> {
        let state = self.state.lock();
        if !state.own.first && state.own.bound.are_of(&state.application) {
            return Ok(state);
        }
        drop(state);
        self.resolve_bound(driver_call)
    }

    fn resolve_bound(&self, driver_call: &dyn DriverCall) -> Result<MutexGuard<'_, State<Recorded>>, CassetteError> {
        self.name_columns(driver_call);
        let mut state = self.with_columns(driver_call)?;
        let open = |(column, binding): (u16, &Binding)| {
            let known = || state.own.defaults.iter().any(|(of, _)| *of == column);
            (CType(binding.c_type) == CType::DEFAULT && column != 0 && !known()).then_some(column)
        };
        let open: Vec<u16> = state.application.bound_columns().filter_map(open).collect();
        if !open.is_empty() {
            drop(state);
            let found: Vec<_> =
                open.into_iter().map(|column| (column, resolve(CType::DEFAULT.code(), column, driver_call))).collect();
            state = self.state.lock();
            state.own.defaults.extend(found);
        }
        state.own.bound = BoundCells::of(&state.application, bound_types(&state.own.defaults));
        Ok(state)
    }

    /// Returns the state once it is known how many columns the result has, if any are bound. An application may bind
    /// columns that the result does not have, and the driver does not touch their buffers. The number is recorded then,
    /// because replay does not know the result's columns.
    fn with_columns(&self, driver_call: &dyn DriverCall) -> Result<MutexGuard<'_, State<Recorded>>, CassetteError> {
        let mut state = self.state.lock();
        if state.application.highest_column() == 0 {
            return Ok(state);
        }
        if state.columns.is_none() {
            drop(state);
            let count = driver_call.column_count();
            state = self.state.lock();
            state.columns = count.map(Some);
            state.application.limit_columns(count);
        }
        if let (Some(id), Some(count)) = (state.id, state.columns.flatten())
            && state.application.highest_column() > usize::from(count.max(1))
            && state.own.beyond != Some(count)
        {
            state.own.beyond = Some(count);
            let entry =
                Entry { fields: columns_key().clone(), ..Entry::new(Method::Answer, self.connection.id(), Some(id)) };
            self.connection.recorder().note(&entry.with(Key::Result, count))?;
        }
        Ok(state)
    }

    /// Tells the recorder the names of a result's columns at its first row, if redaction needs them.
    fn name_columns(&self, driver_call: &dyn DriverCall) {
        let recorder = self.connection.recorder();
        if !recorder.wants_names() {
            return;
        }
        let result = {
            let state = self.state.lock();
            state.id.filter(|_| state.own.first)
        };
        if let Some(id) = result {
            recorder.names(self.connection.id(), id, driver_call.column_names());
        }
    }

    /// Lends a counter of fetched rows to an application that has none, because without one nobody knows how much of a
    /// rowset is filled. SQLExtendedFetch always gets one.
    pub(super) fn lend_counter(&self, function: Function, driver_call: &dyn DriverCall) -> Option<Place> {
        let lent = function == Function::SQLExtendedFetch || self.state.lock().own.counter_is_lent;
        let counter = driver_call.lend_row_counter(!lent)?;
        self.state.lock().own.counter_is_lent |= function != Function::SQLExtendedFetch;
        Some(counter)
    }

    /// Finds out, once for each connection, whether the driver writes a column's length variable when it is bound.
    pub(super) fn note_binding(
        &self,
        column: u16,
        binding: &Binding,
        driver_call: &dyn DriverCall,
    ) -> Result<(), CassetteError> {
        if binding.target.is_null()
            || binding.length.is_null()
            || self.connection.own.binds.swap(true, Ordering::Relaxed)
        {
            return Ok(());
        }
        let memory = OwnMemory::new(SIZE);
        let number = memory.place().long().watch();
        let lent = Binding { length: memory.place(), indicator: memory.place(), ..*binding };
        let bound = driver_call.bind_column(column, &lent) && driver_call.bind_column(column, binding);
        let written = number.written().filter(|_| bound);
        if !bound {
            // The driver may keep the address for good.
            std::mem::forget(memory);
        }
        match written {
            Some(written) => {
                let said = Fields::from([(Key::Result, Value::from(written.value))]);
                self.connection.note_outcome(CallKey::of([u64::MAX - 2]), length_at_binding_key, Some(said))
            }
            None => Ok(()),
        }
    }

    /// Makes the driver use the variables that it is lent.
    ///
    /// # Errors
    /// The driver refuses a column that it accepted from the application.
    #[inline]
    pub(super) fn lend_lengths(
        &self,
        rebound: Option<&[Rebound]>,
        driver_call: &dyn DriverCall,
    ) -> Result<(), Outcome> {
        match rebound {
            None | Some([]) => Ok(()),
            Some(rebound) => self.bind_lent(rebound, driver_call),
        }
    }

    #[cold]
    fn bind_lent(&self, rebound: &[Rebound], driver_call: &dyn DriverCall) -> Result<(), Outcome> {
        let refused = rebound.iter().find(|(column, binding)| !driver_call.bind_column(*column, binding));
        let mut state = self.state.lock();
        let state = &mut *state;
        let Some((column, _)) = refused else {
            // Some drivers clear a length when it is bound, so watch the variables again.
            state.own.lent.watch(&state.application);
            return Ok(());
        };
        state.own.lent.leave_to_driver();
        let text = format!("record: the driver refuses to bind column {column} again as the application bound it");
        Err(Outcome::error("HY000", format!("{text}; use SUPER8_MODE=off for this program")))
    }

    /// Copies what the driver wrote to its lent variables to the application's.
    #[cold]
    pub(super) fn take_lengths(&self) {
        let mut state = self.state.lock();
        let state = &mut *state;
        state.own.lent.hand_on(&state.application);
    }

    /// Finds out what the driver leaves in the buffers of these NULLs, which a fetch has brought.
    pub(super) fn note_nulls(&self, cells: &[NullCell], driver_call: &dyn DriverCall) -> Result<(), CassetteError> {
        for NullCell { column, c_type } in cells.iter().filter(|cell| self.connection.own.nulls.lacks(cell.c_type)) {
            let Some(size) = c_type.null_size() else { continue };
            let zero =
                self.zeroes_nulls(driver_call) || driver_call.zeroes_null(*column, c_type.code(), size) == Some(true);
            self.note_null(*c_type, zero)?;
        }
        Ok(())
    }

    /// Finds out what the driver leaves in the buffer of a NULL that SQLGetData returned, in a C type for which that is
    /// not known yet.
    #[cold]
    pub(super) fn note_null_read(&self, column: u16, binding: &Binding, driver_call: &dyn DriverCall) -> Outcome {
        let c_type = CType(binding.c_type);
        let size = c_type.null_size().filter(|_| column != 0 && !binding.target.is_null());
        let Some(size) = size.filter(|_| !self.state.lock().streams.reading()) else { return Outcome::SUCCESS };
        let zeroes = self.zeroes_nulls(driver_call);
        if self.is_asynchronous() && !zeroes {
            return Outcome::SUCCESS;
        }
        let zero = zeroes || driver_call.zeroes_null(column, c_type.code(), size) == Some(true);
        self.note_null(c_type, zero).map_or_else(unwritable, |()| Outcome::SUCCESS)
    }

    /// Whether the driver is known to write zeros to the buffer of every NULL, so that it need not be asked.
    pub(super) fn zeroes_nulls(&self, driver_call: &dyn DriverCall) -> bool {
        *self.connection.own.zeroes_nulls.get_or_init(|| zeroes_nulls(&driver_call.library()))
    }

    fn note_null(&self, c_type: CType, zero: bool) -> Result<(), CassetteError> {
        self.connection.own.nulls.add(c_type);
        if !zero {
            return Ok(());
        }
        let said = Fields::from([(Key::Result, Value::Bool(true))]);
        let call = CallKey::of([u64::MAX - 1, c_type.code() as u64]);
        self.connection.note_outcome(call, || null_key(c_type), Some(said))
    }
}

impl State<Recorded> {
    /// Takes those NULLs of the last fetch of which it can be said what the driver did to their buffers: `known` says that it is known
    /// of the driver, else they have to be such that can be read once more.
    pub(super) fn take_nulls(&mut self, known: bool) -> Vec<NullCell> {
        let mut nulls = std::mem::take(&mut self.own.nulls);
        let bound = |column| self.application.column(column).is_some_and(|bound| !bound.target.is_null());
        nulls.retain(|cell| known || self.rowset <= 1 && (1..=cell.column).all(bound));
        nulls
    }
}

/// Returns the C type of a buffer. For SQL_C_DEFAULT the driver is asked for the column's SQL type, so no lock may be
/// held.
pub(super) fn resolve(c_type: i16, column: u16, driver_call: &dyn DriverCall) -> CType {
    match CType(c_type) {
        CType::DEFAULT => driver_call.column_type(column).map_or(CType::CHAR, CType::default_for),
        c_type => c_type,
    }
}

/// Returns the C types of bound columns, with those of `defaults` for SQL_C_DEFAULT.
pub(super) fn bound_types(defaults: &[(u16, CType)]) -> impl Fn(u16, &Binding) -> CType + '_ {
    |column, binding| match CType(binding.c_type) {
        CType::DEFAULT => defaults.iter().find(|(of, _)| *of == column).map_or(CType::CHAR, |(_, c_type)| *c_type),
        other => other,
    }
}

impl Statement<Replayed> {
    pub(super) fn local(&self, function: Function, call: &Call<'_>) -> Outcome {
        let outcome = self.connection.local(function, || local_key(function, None, call));
        if rc::succeeded(outcome.rc) {
            if let Call::BindColumn { binding, .. } = call
                && !binding.target.is_null()
                && self.connection.player().has_answers_of(function.name())
            {
                match self.connection.local_outcome(&length_at_binding_key()) {
                    Ok(Some(said)) => {
                        let length = said.get(Key::Result).and_then(Value::as_int);
                        length.into_iter().for_each(|length| binding.length.set_len(length as isize));
                    }
                    Ok(None) => {}
                    Err(failure) => return failure,
                }
            }
            let mut state = self.state.lock();
            self.take_in(&mut state, call);
            if sets_rowset_size(call) && state.application.sizes_differ() {
                match self.connection.local_outcome(&rowset_size_key()) {
                    Ok(Some(_)) => state.application.share_size(),
                    Ok(None) => {}
                    Err(failure) => return failure,
                }
            }
        }
        outcome
    }

    /// Limits the bound columns to those that the result has. The recording says how many these are where buffers are
    /// bound beyond the columns that were read.
    pub(super) fn limit_columns(&self, state: &mut State<Replayed>, id: u32) -> Result<(), Outcome> {
        let read = (state.own.types.len() + state.application.first_column()).saturating_sub(1);
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
}

/// Says whether a call sets how many rows a fetch fills.
fn sets_rowset_size(call: &Call<'_>) -> bool {
    matches!(
        call,
        Call::SetStmtAttr { attribute: attribute::ROWSET_SIZE | attribute::ROW_ARRAY_SIZE, .. }
            | Call::SetScrollOptions { .. }
    )
}
