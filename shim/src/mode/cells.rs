//! What is known of a result's cells besides their values: which columns are bound, their C types, which values were
//! cut off, and what a driver leaves in the buffers of NULLs.

use crate::args::Binding;
use crate::convert::CType;
use crate::diagnostics::{Diagnostic, Outcome};
use crate::mode::application::Application;
use crate::mode::keys::null_key;
use std::sync::atomic::{AtomicU64, Ordering};
use super8_cassette::{CassetteError, ConnectionId, Key, RunGuard};
use super8_matching::Player;

/// The C type of each column, from 0, as the run was told; `None` for a column that was never read, or that this row
/// reads in another type than its usual one.
#[derive(Default)]
pub(super) struct KnownTypes(Vec<Option<CType>>);

impl KnownTypes {
    /// Forgets everything, because another run begins.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }

    /// Tells the run as which C type the application takes a column of the row that is being assembled.
    #[inline]
    pub(super) fn tell(&mut self, run: &mut RunGuard<'_>, column: usize, c_type: CType) {
        if self.0.get(column) != Some(&Some(c_type)) {
            self.news(run, column, c_type);
        }
    }

    #[cold]
    fn news(&mut self, run: &mut RunGuard<'_>, column: usize, c_type: CType) {
        let usual = run.c_type(column, c_type.name());
        if self.0.len() <= column {
            self.0.resize(column + 1, None);
        }
        self.0[column] = usual.then_some(c_type);
    }
}

/// The 01004 warnings of one fetch: the row of the rowset (from 0) and the column, as far as the driver named them.
pub(super) struct Truncations(Vec<(Option<usize>, Option<u16>)>);

impl Truncations {
    /// Returns the warnings of this outcome.
    pub(super) fn of(outcome: &Outcome) -> Truncations {
        let place = |record: &Diagnostic| {
            let row = record.row.filter(|row| *row > 0).and_then(|row| usize::try_from(row - 1).ok());
            let column = record.column.filter(|column| *column > 0).and_then(|column| u16::try_from(column).ok());
            (row, column)
        };
        Truncations(outcome.diagnostics.iter().filter(|record| record.sqlstate == "01004").map(place).collect())
    }

    /// Returns whether a warning may be about the value in this row and column.
    pub(super) fn concern(&self, row: usize, column: u16) -> bool {
        self.0.iter().any(|(of, its)| of.is_none_or(|of| of == row) && its.is_none_or(|its| its == column))
    }
}

/// The C types for which it is known what a connection's driver does to the buffer of a NULL, a bit each.
#[derive(Default)]
pub(super) struct KnownNulls([AtomicU64; 3]);

impl KnownNulls {
    fn place(&self, c_type: CType) -> Option<(&AtomicU64, u64)> {
        let at = c_type.0.checked_sub(CType::UTINYINT.0)? as usize;
        Some((self.0.get(at / 64)?, 1 << (at % 64)))
    }

    /// Returns whether a NULL of this C type tells something new.
    #[inline]
    pub(super) fn lacks(&self, c_type: CType) -> bool {
        self.place(c_type).is_some_and(|(word, bit)| word.load(Ordering::Relaxed) & bit == 0)
    }

    pub(super) fn add(&self, c_type: CType) {
        if let Some((word, bit)) = self.place(c_type) {
            word.fetch_or(bit, Ordering::Relaxed);
        }
    }
}

/// Whether a driver writes zeros to the buffer of every NULL, in whatever row and behind whatever column: SQLite's does, whose
/// function `getrowdata` fills all buffers (sqlite3odbc.c). In a rowset of several rows a NULL cannot be read once more to see it.
pub(super) fn zeroes_nulls(library: &str) -> bool {
    library.starts_with("libsqlite3odbc")
}

/// A NULL in the buffer of a bound column.
pub(super) struct NullCell {
    pub(super) column: u16,
    pub(super) c_type: CType,
}

/// The columns that a fetch fills, kept as long as neither the result nor the bindings change.
#[derive(Default)]
pub(super) struct BoundCells {
    /// The revision of the bound columns, and SQL_ATTR_USE_BOOKMARKS; `None` once the result is another one.
    of: Option<(u64, usize)>,
    cells: Vec<BoundCell>,
}

/// A bound column, as the rows of a result have it.
pub(super) struct BoundCell {
    pub(super) column: u16,
    /// The position in a row.
    pub(super) index: usize,
    pub(super) binding: Binding,
    /// Resolved, so never SQL_C_DEFAULT, except for the bookmark.
    pub(super) c_type: CType,
    /// The size of a value in bytes, if the C type has a fixed size.
    pub(super) element: Option<usize>,
}

impl BoundCells {
    /// Returns the cells of the application's current bindings; `c_type_of` gives the C type of one.
    pub(super) fn of(application: &Application, c_type_of: impl Fn(u16, &Binding) -> CType) -> BoundCells {
        let first = application.first_column();
        let cell = |(column, binding): (u16, &Binding)| {
            let index = usize::from(column).checked_sub(first)?;
            let c_type = c_type_of(column, binding);
            Some(BoundCell { column, index, binding: *binding, c_type, element: c_type.fixed_size() })
        };
        BoundCells {
            of: Some((application.columns.changes(), application.use_bookmarks())),
            cells: application.bound_columns().filter_map(cell).collect(),
        }
    }

    /// Returns whether these are still the cells of the application's current bindings.
    pub(super) fn are_of(&self, application: &Application) -> bool {
        self.of == Some((application.columns.changes(), application.use_bookmarks()))
    }

    pub(super) fn cells(&self) -> &[BoundCell] {
        &self.cells
    }

    /// Drops the cells, because another result begins and they have to be found again.
    pub(super) fn forget(&mut self) {
        self.of = None;
    }
}

/// Whether the recorded driver writes zeros to the buffer of a NULL, for each C type that was looked up for the current
/// result.
#[derive(Default)]
pub(super) struct ZeroNulls(Vec<(CType, bool)>);

impl ZeroNulls {
    /// Forgets everything, because another result begins.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }

    /// Returns whether the driver writes zeros for a NULL of this C type.
    ///
    /// # Errors
    /// The cassette is damaged.
    pub(super) fn are_zero(
        &mut self,
        player: &Player,
        connection: ConnectionId,
        c_type: CType,
    ) -> Result<bool, CassetteError> {
        if let Some((_, zero)) = self.0.iter().find(|(known, _)| *known == c_type) {
            return Ok(*zero);
        }
        let said = player.outcome(connection, &null_key(c_type))?;
        let zero = said.is_some_and(|said| said.get(Key::Result).is_some());
        self.0.push((c_type, zero));
        Ok(zero)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_concerns_what_it_names_or_else_everything() {
        let warning = |sqlstate: &str, row, column| Diagnostic { row, column, ..Diagnostic::new(sqlstate, "") };
        let cuts = |records: Vec<Diagnostic>| Truncations::of(&Outcome { rc: 1, diagnostics: records });
        assert!(cuts(vec![warning("01004", None, None)]).concern(7, 3));
        assert!(cuts(vec![warning("01004", Some(-2), Some(-2))]).concern(7, 3), "SQL_ROW_NUMBER_UNKNOWN");
        let named = cuts(vec![warning("01S02", None, None), warning("01004", Some(2), Some(3))]);
        assert!(named.concern(1, 3) && !named.concern(1, 2) && !named.concern(2, 3));
    }
}
