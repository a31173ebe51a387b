//! A scroll while recording: the rowset it filled is one entry, with where it was asked to go.

use super::lent::Rebound;
use super::rows::Cells;
use super::statement::{State, Statement};
use super::truncations::Truncations;
use super::unwritable;
use crate::call::DriverCall;
use crate::diagnostics::{Outcome, rc};
use crate::mode::outcome::push_outcome;
use crate::mode::rowset::{Scrolling, Written, row_state};
use crate::table::Function;
use super8_cassette::{CassetteError, Fields, Key, Method, Value};

impl Statement {
    pub(super) fn scroll(
        &self,
        function: Function,
        scrolling: Scrolling,
        rebound: Option<Vec<Rebound>>,
        driver_call: &dyn DriverCall,
    ) -> Outcome {
        let Scrolling { asked, mut fetching } = scrolling;
        let settled = self.settle(&mut self.state.lock(), false);
        if let Err(error) = settled {
            return unwritable(error);
        }
        let applications = !fetching.rows.is_null();
        if fetching.size > 1 && !applications {
            match self.lend_counter(function, driver_call) {
                Some(counter) => fetching.rows = counter,
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
            statement.scrolled(Scrolling { asked, fetching }, &written, applications, outcome, driver_call)
        })
    }

    fn scrolled(
        &self,
        scrolling: Scrolling,
        written: &Written,
        applications: bool,
        outcome: Outcome,
        driver_call: &dyn DriverCall,
    ) -> Outcome {
        let Scrolling { asked, fetching } = scrolling;
        let (id, count) = {
            let mut state = self.state.lock();
            // Wherever the cursor is now, what is fetched next is not the result's first row, and may be no end.
            (state.first, state.ended, state.rowset) = (false, false, fetching.size);
            let Some(id) = state.id else { return outcome };
            (id, if rc::succeeded(outcome.rc) { written.count(&fetching) } else { 0 })
        };
        let mut told = written.unusual(&fetching, outcome.rc, count, applications);
        // SQL_NO_DATA is what null says already.
        let rc = if outcome.rc == rc::NO_DATA { rc::SUCCESS } else { outcome.rc };
        push_outcome(&mut told, &Outcome { rc, diagnostics: outcome.diagnostics.clone() }, &self.connection.secrecy);
        if !rc::succeeded(outcome.rc) {
            let fields = asked.into_iter().chain([(Key::Result, Value::Null)]).chain(told);
            return self.written_already(id, Method::FetchScroll, fields.collect(), outcome);
        }
        let cuts = Truncations::of(&outcome);
        self.take_rowset(id, asked, told, count, written, &cuts, driver_call).map_or_else(unwritable, |()| outcome)
    }

    /// The rows of the rowset as a run that further cells may still be read of.
    #[allow(clippy::too_many_arguments)] // one call's facts
    fn take_rowset(
        &self,
        id: u32,
        asked: Fields,
        said: Fields,
        count: usize,
        written: &Written,
        cuts: &Truncations,
        driver_call: &dyn DriverCall,
    ) -> Result<(), CassetteError> {
        let mut state = self.resolved(driver_call)?;
        self.write_columns()?;
        let State { told, application, defaults, lent, nulls, scratch, .. } = &mut *state;
        told.forget();
        let connection = &*self.connection;
        let mut cells = Cells { told, application, defaults, lent, cuts, nulls, connection, scratch };
        let run = self.connection.recorder().scroll(self.connection.id(), id, asked);
        {
            let mut run = run.lock();
            if cells.application.first_column() == 0 {
                run.with_bookmarks();
            }
            for at in 0..count {
                run.begin_row()?;
                if row_state::has_cells(written.state(at).unwrap_or(row_state::SUCCESS)) {
                    cells.take(&mut run, at);
                }
            }
            run.tell(said);
        }
        let listed = run.list();
        state.run = Some(run);
        state.scrolled = true;
        state.fetched = count;
        let nulls = state.take_nulls();
        drop(state);
        listed?;
        self.note_nulls(&nulls, driver_call)
    }
}
