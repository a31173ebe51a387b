//! What the driver leaves in the buffer of a NULL: ODBC does not say. Most drivers leave it alone, some write zeros.
//!
//! To find out, the NULL is read once more, into a buffer of super8's: once for each C type. In a rowset of several rows that
//! cannot be done, nor where the program may read columns with SQLGetData, which drivers allow in their order alone; there a buffer
//! that holds zeros is taken for one that the driver has written to, until one does not.

use super::statement::{State, Statement};
use super::unwritable;
use crate::args::Binding;
use crate::call::DriverCall;
use crate::convert::{CType, bound};
use crate::diagnostics::Outcome;
use crate::mode::keys::{CallKey, null_key};
use std::sync::atomic::{AtomicU64, Ordering};
use super8_cassette::{CassetteError, Fields, Key, Value};

/// A set of C types.
#[derive(Default)]
struct CTypes([AtomicU64; 3]);

impl CTypes {
    fn place(&self, c_type: CType) -> Option<(&AtomicU64, u64)> {
        let at = c_type.0.checked_sub(CType::UTINYINT.0)? as usize;
        Some((self.0.get(at / 64)?, 1 << (at % 64)))
    }

    fn has(&self, c_type: CType) -> bool {
        self.place(c_type).is_none_or(|(word, bit)| word.load(Ordering::Relaxed) & bit != 0)
    }

    fn set(&self, c_type: CType, has: bool) {
        let Some((word, bit)) = self.place(c_type) else { return };
        _ = if has { word.fetch_or(bit, Ordering::Relaxed) } else { word.fetch_and(!bit, Ordering::Relaxed) };
    }
}

/// What is known of a connection's driver.
#[derive(Default)]
pub(super) struct Nulls {
    /// Nothing more is to be found out about these.
    settled: CTypes,
    /// It writes zeros for these, as far as is known.
    zero: CTypes,
}

impl Nulls {
    /// Whether a NULL of this C type tells something new.
    #[inline]
    pub(super) fn wants(&self, c_type: CType) -> bool {
        !self.settled.has(c_type)
    }
}

impl State {
    /// Takes the NULLs of the last fetch; whether they can be read once more: they are of one row, all of whose columns are bound.
    pub(super) fn take_nulls(&mut self) -> (Vec<NullCell>, bool) {
        let nulls = std::mem::take(&mut self.nulls);
        let bound = |column| self.application.column(column).is_some_and(|bound| !bound.target.is_null());
        let again = || self.rowset <= 1 && self.columns.is_some_and(|count| (1..=count).all(bound));
        let again = !nulls.is_empty() && again();
        (nulls, again)
    }
}

/// A NULL in the buffer of a bound column.
pub(super) struct NullCell {
    pub(super) column: u16,
    pub(super) c_type: CType,
    pub(super) binding: Binding,
}

impl Statement {
    /// Finds out what the driver left in the buffers of these NULLs, which a fetch has brought. `again` says that they can be read
    /// once more.
    pub(super) fn note_nulls(
        &self,
        cells: &[NullCell],
        again: bool,
        driver_call: &dyn DriverCall,
    ) -> Result<(), CassetteError> {
        for NullCell { column, c_type, binding } in cells.iter().filter(|cell| self.connection.nulls.wants(cell.c_type))
        {
            let size = c_type.null_size();
            let zero = match size {
                None => Some(false),
                Some(size) if !again => bound::is_zero(binding, size),
                Some(size) => driver_call.zeroes_null(*column, c_type.code(), size),
            };
            self.note_null(*c_type, zero == Some(true), again || zero == Some(false))?;
        }
        Ok(())
    }

    /// SQLGetData gave a NULL.
    #[cold]
    pub(super) fn note_null_read(&self, column: u16, c_type: CType, driver_call: &dyn DriverCall) -> Outcome {
        let size = c_type.null_size().filter(|_| column != 0 && self.connection.nulls.wants(c_type));
        let Some(size) = size.filter(|_| !self.is_asynchronous() && !self.state.lock().streams.reading()) else {
            return Outcome::SUCCESS;
        };
        let zero = driver_call.zeroes_null(column, c_type.code(), size) == Some(true);
        self.note_null(c_type, zero, true).map_or_else(unwritable, |()| Outcome::SUCCESS)
    }

    fn note_null(&self, c_type: CType, zero: bool, settled: bool) -> Result<(), CassetteError> {
        let nulls = &self.connection.nulls;
        if settled {
            nulls.settled.set(c_type, true);
        }
        if nulls.zero.has(c_type) == zero {
            return Ok(());
        }
        nulls.zero.set(c_type, zero);
        let said = zero.then(|| Fields::from([(Key::Result, Value::Bool(true))]));
        let call = CallKey::of([u64::MAX - 1, c_type.code() as u64]);
        self.connection.note_outcome(call, || null_key(c_type), said)
    }
}
