//! What the driver leaves in the buffer of a NULL: ODBC does not say. Most drivers leave it alone, some write zeros.
//!
//! To find out, the NULL is read once more, into a buffer of super8's: once for each C type. The application's own buffer is not
//! looked at, since the driver need not have written it. A NULL cannot be read once more in a rowset of several rows, nor where
//! the program may still read a column before it with SQLGetData, since drivers may demand the order of columns.

use super::statement::{State, Statement};
use super::unwritable;
use crate::args::Binding;
use crate::call::DriverCall;
use crate::convert::CType;
use crate::diagnostics::Outcome;
use crate::mode::keys::{CallKey, null_key};
use std::sync::atomic::{AtomicU64, Ordering};
use super8_cassette::{CassetteError, Fields, Key, Value};

/// The C types for which it is known what a connection's driver does, a bit each.
#[derive(Default)]
pub(super) struct Nulls([AtomicU64; 3]);

impl Nulls {
    fn place(&self, c_type: CType) -> Option<(&AtomicU64, u64)> {
        let at = c_type.0.checked_sub(CType::UTINYINT.0)? as usize;
        Some((self.0.get(at / 64)?, 1 << (at % 64)))
    }

    /// Whether a NULL of this C type tells something new.
    #[inline]
    pub(super) fn wants(&self, c_type: CType) -> bool {
        self.place(c_type).is_some_and(|(word, bit)| word.load(Ordering::Relaxed) & bit == 0)
    }

    fn settle(&self, c_type: CType) {
        if let Some((word, bit)) = self.place(c_type) {
            word.fetch_or(bit, Ordering::Relaxed);
        }
    }
}

impl State {
    /// Takes those NULLs of the last fetch that can be read once more.
    pub(super) fn take_nulls(&mut self) -> Vec<NullCell> {
        let mut nulls = std::mem::take(&mut self.nulls);
        let bound = |column| self.application.column(column).is_some_and(|bound| !bound.target.is_null());
        nulls.retain(|cell| self.rowset <= 1 && (1..=cell.column).all(bound));
        nulls
    }
}

/// A NULL in the buffer of a bound column.
pub(super) struct NullCell {
    pub(super) column: u16,
    pub(super) c_type: CType,
}

impl Statement {
    /// Finds out what the driver leaves in the buffers of these NULLs, which a fetch has brought.
    pub(super) fn note_nulls(&self, cells: &[NullCell], driver_call: &dyn DriverCall) -> Result<(), CassetteError> {
        for NullCell { column, c_type } in cells.iter().filter(|cell| self.connection.nulls.wants(cell.c_type)) {
            let size = c_type.null_size();
            let zero = size.and_then(|size| driver_call.zeroes_null(*column, c_type.code(), size));
            self.note_null(*c_type, zero == Some(true))?;
        }
        Ok(())
    }

    /// SQLGetData gave a NULL of a C type that tells something new.
    #[cold]
    pub(super) fn note_null_read(&self, column: u16, binding: &Binding, driver_call: &dyn DriverCall) -> Outcome {
        let c_type = CType(binding.c_type);
        let size = c_type.null_size().filter(|_| column != 0 && !binding.target.is_null());
        let Some(size) = size.filter(|_| !self.is_asynchronous() && !self.state.lock().streams.reading()) else {
            return Outcome::SUCCESS;
        };
        let zero = driver_call.zeroes_null(column, c_type.code(), size) == Some(true);
        self.note_null(c_type, zero).map_or_else(unwritable, |()| Outcome::SUCCESS)
    }

    fn note_null(&self, c_type: CType, zero: bool) -> Result<(), CassetteError> {
        self.connection.nulls.settle(c_type);
        if !zero {
            return Ok(());
        }
        let said = Fields::from([(Key::Result, Value::Bool(true))]);
        let call = CallKey::of([u64::MAX - 1, c_type.code() as u64]);
        self.connection.note_outcome(call, || null_key(c_type), Some(said))
    }
}
