//! What a fetch said of values that it cut off: without a place for the length, nothing else tells.

use crate::diagnostics::{Diagnostic, Outcome};

/// The warnings 01004 of one fetch: row of the rowset (from 0) and column, as far as the driver named them.
pub(super) struct Truncations(Vec<(Option<usize>, Option<u16>)>);

impl Truncations {
    /// Those of this outcome.
    pub(super) fn of(outcome: &Outcome) -> Truncations {
        let place = |record: &Diagnostic| {
            let row = record.row.filter(|row| *row > 0).and_then(|row| usize::try_from(row - 1).ok());
            let column = record.column.filter(|column| *column > 0).and_then(|column| u16::try_from(column).ok());
            (row, column)
        };
        Truncations(outcome.diagnostics.iter().filter(|record| record.sqlstate == "01004").map(place).collect())
    }

    /// Whether the value in this row and column may be one of them.
    pub(super) fn concern(&self, row: usize, column: u16) -> bool {
        self.0.iter().any(|(of, its)| of.is_none_or(|of| of == row) && its.is_none_or(|its| its == column))
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
