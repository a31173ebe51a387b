//! The columns of a row that were read to their end, asked about for every cell.

/// A set of columns.
#[derive(Default)]
pub(super) struct ColumnSet {
    /// Those below 64, a bit each.
    low: u64,
    /// All others.
    high: Vec<u16>,
}

impl ColumnSet {
    #[inline]
    pub(super) fn contains(&self, column: u16) -> bool {
        if column < 64 { self.low >> column & 1 == 1 } else { self.high.contains(&column) }
    }

    #[inline]
    pub(super) fn insert(&mut self, column: u16) {
        if column < 64 {
            self.low |= 1 << column;
        } else {
            self.high.push(column);
        }
    }

    pub(super) fn clear(&mut self) {
        self.low = 0;
        self.high.clear();
    }
}
