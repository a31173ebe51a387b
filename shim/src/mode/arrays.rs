//! The arrays that an application bound for the rows of a rowset, or for the sets of parameters, as replay writes to them.
//!
//! Whatever a cassette says, no row is written for which the application gave no room: every write to a row goes through here.

use super::application::Application;
use crate::args::{Binding, Place};

/// Arrays of so many rows.
#[derive(Clone, Copy)]
pub struct Arrays {
    rows: usize,
}

impl Arrays {
    /// Arrays for this many rows.
    pub fn of(rows: usize) -> Arrays {
        Arrays { rows }
    }

    /// Whether the application has room for a row, counted from 0.
    pub fn has(self, row: usize) -> bool {
        row < self.rows
    }

    /// A column's buffers for a row; `None` outside the rowset.
    #[inline]
    pub fn buffers(
        self,
        application: &Application,
        binding: Binding,
        row: usize,
        element: Option<usize>,
    ) -> Option<Binding> {
        self.has(row).then(|| application.at_row(binding, row, element))
    }

    /// Writes the state of a row.
    #[inline]
    pub fn set_state(self, states: Place, row: usize, state: u16) {
        if self.has(row) {
            states.set_u16_at(row, state);
        }
    }

    /// Writes how many rows there are: programs go through their arrays by this number.
    #[inline]
    pub fn set_count(self, counter: Place, count: usize) {
        counter.set_ulen(count.min(self.rows));
    }
}
