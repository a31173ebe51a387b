//! What bound buffers and row states hold before rows are fetched: of rows that cannot be fetched, what the driver changed
//! is recorded.

use super::positioned::types;
use super::statement::{State, Statement};
use super::told::Told;
use crate::call::Deed;
use crate::convert::{CType, bound};
use crate::mode::application::Application;
use crate::mode::buffers::{Buffer, Buffers, Held};
use crate::mode::fetching::Fetching;
use super8_cassette::{CassetteError, RunGuard, Value};

/// Bytes of buffers that are looked at before each fetch. What rows behind them hold is not seen.
const LIMIT: usize = 64 * 1024;

/// What was there before.
#[derive(Default)]
pub(super) struct Before {
    rows: Vec<usize>,
    held: Held,
    states: Vec<u16>,
}

impl Statement {
    /// Looks at what a fetch may change. Buffers are looked at if the statement has a result, whose columns are known.
    pub(super) fn before(&self, fetching: &Fetching, deed: &dyn Deed) -> Result<Before, CassetteError> {
        let mut state = self.state.lock();
        if state.columns.is_none() {
            // Once for each result: what it has is asked for.
            if state.application.highest_column() == 0 {
                return Ok(Before::default());
            }
            drop(state);
            state = self.resolved(deed)?;
        }
        let mut before = std::mem::take(&mut state.before);
        before.states.clear();
        before.states.extend((0..fetching.size).map_while(|row| fetching.status.u16_at(row)));
        before.rows.clear();
        before.rows.extend(state.columns.filter(|count| *count > 0).map(|_| 0));
        let types = types(&state.defaults);
        let look = |rows: &[usize], held: &mut Held| {
            Buffers { application: &state.application, types: &types, rows }.look(held, LIMIT);
        };
        look(&before.rows, &mut before.held);
        let most = LIMIT / before.held.size().max(1);
        if most == 0 || fetching.size > 1 && !before.rows.is_empty() {
            before.rows.clear();
            before.rows.extend(0..fetching.size.min(most));
            look(&before.rows, &mut before.held);
        }
        Ok(before)
    }
}

impl Before {
    /// What the driver changed since: `row_status` as far as it is not said already, `written` with `c_types`.
    pub(super) fn changes(&self, state: &State, fetching: &Fetching, first_state: Option<i64>) -> Vec<(String, Value)> {
        let now = |row: usize| fetching.status.u16_at(row);
        let later = self.states.iter().enumerate().skip(1);
        let later = later.map(|(row, old)| now(row).filter(|now| now != old).map(i64::from));
        let states: Vec<Option<i64>> = std::iter::once(first_state).chain(later).collect();
        let mut fields = Vec::new();
        if states.iter().any(Option::is_some) {
            fields.push(("row_status".to_owned(), Value::List(states.into_iter().map(Value::from).collect())));
        }
        fields.extend(self.buffers(state));
        fields
    }

    /// What the driver changed in the buffers.
    pub(super) fn buffers(&self, state: &State) -> Vec<(String, Value)> {
        let types = types(&state.defaults);
        let buffers = Buffers { application: &state.application, types: &types, rows: &self.rows };
        let mut fields = buffers.changes("written", &self.held, false);
        if !fields.is_empty() && state.application.first_column() == 0 {
            fields.push(("bookmarks".to_owned(), true.into()));
        }
        fields
    }

    /// Takes into a row of a rowset what the driver wrote of it although it could not be fetched.
    pub(super) fn take_changes(
        &self,
        run: &mut RunGuard<'_>,
        told: &mut Told,
        application: &Application,
        defaults: &[(u16, CType)],
        row: usize,
        scratch: &mut Vec<u8>,
    ) {
        let types = types(defaults);
        let buffers = Buffers { application, types: &types, rows: &self.rows };
        for Buffer { index, c_type, binding, .. } in buffers.changed(&self.held, false).filter(|one| one.row == row) {
            told.tell(run, index, c_type);
            bound::read(&binding, c_type, false, run.row(), index, scratch);
        }
    }
}
