//! The C types the run at hand knows its columns by: what is so in every row is said once.

use crate::convert::CType;
use super8_cassette::RunGuard;

/// By column, from 0; none for a column that was never read, or in this row in another type than its own.
#[derive(Default)]
pub(super) struct KnownTypes(Vec<Option<CType>>);

impl KnownTypes {
    /// Another run: it knows nothing yet.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }

    /// Tells the run in which type the application takes a column of the row under assembly.
    #[inline]
    pub(super) fn tell(&mut self, run: &mut RunGuard<'_>, column: usize, c_type: CType) {
        if self.0.get(column) != Some(&Some(c_type)) {
            self.news(run, column, c_type);
        }
    }

    #[cold]
    fn news(&mut self, run: &mut RunGuard<'_>, column: usize, c_type: CType) {
        let usual = run.c_type(column, &c_type.name());
        if self.0.len() <= column {
            self.0.resize(column + 1, None);
        }
        self.0[column] = usual.then_some(c_type);
    }
}
