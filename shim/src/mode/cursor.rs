//! The cursor: scrolling fetches, further results, closing and cancelling.

use crate::args::Watched;
use crate::call::DriverCall;
use crate::diagnostics::{Outcome, rc};
use crate::mode::cells::Truncations;
use crate::mode::fetch::{Cells, Filled, run_types, write_row};
use crate::mode::keys::{CallKey, ending_key, function_key};
use crate::mode::lengths::Rebound;
use crate::mode::operation::replay_cells;
use crate::mode::outcome::{push_outcome, recorded_outcome};
use crate::mode::outputs::{WatchedOutputs, joined};
use crate::mode::reading::Reading;
use crate::mode::record::{Recorded, RecordedState, perform, unwritable};
use crate::mode::replay::{Replayed, mismatch};
use crate::mode::rowset::{Arrays, Scrolling, WrittenCounters, row_state};
use crate::mode::statement::{State, Statement};
use crate::table::Function;
use std::sync::atomic::Ordering;
use super8_cassette::{CassetteError, Entry, Fields, Key, Method, Value};

impl Statement<Recorded> {
    pub(super) fn scroll(
        &self,
        function: Function,
        scrolling: Scrolling,
        rebound: Option<Vec<Rebound>>,
        driver_call: &dyn DriverCall,
    ) -> Outcome {
        let Scrolling { asked, fetching } = scrolling;
        let finished = self.finish_result(&mut self.state.lock(), false);
        if let Err(error) = finished {
            return unwritable(error);
        }
        self.fill(function, fetching, rebound, driver_call, move |statement, filled, outcome, driver_call| {
            let Filled { fetching, counted, written } = filled;
            statement.scrolled(Scrolling { asked, fetching }, &written, counted, outcome, driver_call)
        })
    }

    fn scrolled(
        &self,
        scrolling: Scrolling,
        written: &WrittenCounters,
        applications: bool,
        outcome: Outcome,
        driver_call: &dyn DriverCall,
    ) -> Outcome {
        let Scrolling { asked, fetching } = scrolling;
        let (id, count) = {
            let mut state = self.state.lock();
            // Wherever the cursor is now, the next row need not be the result's first, and there may be more rows after
            // an end.
            (state.own.first, state.own.ended, state.rowset) = (false, false, fetching.size);
            let Some(id) = state.id else { return outcome };
            (id, if rc::succeeded(outcome.rc) { written.count(&fetching) } else { 0 })
        };
        let mut reply = written.unusual(&fetching, outcome.rc, count, applications);
        // A null result says SQL_NO_DATA already.
        let rc = if outcome.rc == rc::NO_DATA { rc::SUCCESS } else { outcome.rc };
        push_outcome(&mut reply, &Outcome { rc, diagnostics: outcome.diagnostics.clone() }, &self.connection.secrecy);
        if !rc::succeeded(outcome.rc) {
            let fields = asked.into_iter().chain([(Key::Result, Value::Null)]).chain(reply);
            return self.written_already(id, Method::FetchScroll, fields.collect(), outcome);
        }
        let truncations = Truncations::of(&outcome);
        self.take_rowset(id, asked, reply, count, written, &truncations, driver_call)
            .map_or_else(unwritable, |()| outcome)
    }

    /// Records the rows of the rowset as a run, of which further cells may still be read.
    #[allow(clippy::too_many_arguments)] // one call's facts
    fn take_rowset(
        &self,
        id: u32,
        asked: Fields,
        said: Fields,
        count: usize,
        written: &WrittenCounters,
        truncations: &Truncations,
        driver_call: &dyn DriverCall,
    ) -> Result<(), CassetteError> {
        let mut state = self.resolved(driver_call)?;
        self.write_columns()?;
        let State { application, scratch, own, .. } = &mut *state;
        let RecordedState { known_types, bound, lent, nulls, .. } = own;
        known_types.forget();
        let connection = &*self.connection;
        let mut cells = Cells { known_types, application, bound, lent, truncations, nulls, connection, scratch };
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
        state.own.scrolled = true;
        state.fetched = count;
        let nulls = state.take_nulls(self.zeroes_nulls(driver_call));
        drop(state);
        listed?;
        self.note_nulls(&nulls, driver_call)
    }

    pub(super) fn more_results(&self, driver_call: &dyn DriverCall) -> Outcome {
        let (id, watched) = {
            let mut state = self.state.lock();
            let prepared = self.finish_result(&mut state, false).and_then(|()| match state.id {
                Some(id) => self.connection.recorder().prepare(self.connection.id(), Some(id), 0),
                None => Ok(()),
            });
            if let Err(error) = prepared {
                return unwritable(error);
            }
            (state.id, state.sent.watch())
        };
        self.then(driver_call, watched, move |statement, watched, outcome, _| {
            statement.another_result(id, watched, outcome)
        })
    }

    fn another_result(&self, id: Option<u32>, watched: WatchedOutputs, outcome: Outcome) -> Outcome {
        let Some(id) = id else { return outcome };
        let another = rc::succeeded(outcome.rc);
        let result = if another { Value::Bool(true) } else { Value::Null };
        let mut fields = Fields::from([(Key::Result, result)]);
        {
            let mut state = self.state.lock();
            if another {
                self.own.metadata.clear();
                self.reset_result(&mut state);
                state.open = true;
            }
            state.streams.set_available(outcome.rc == rc::PARAM_DATA_AVAILABLE);
            fields.extend(state.sent.written(watched, Key::Output));
        }
        // A null result says SQL_NO_DATA already.
        let noted = Outcome {
            rc: if outcome.rc == rc::NO_DATA { rc::SUCCESS } else { outcome.rc },
            diagnostics: outcome.diagnostics.clone(),
        };
        push_outcome(&mut fields, &noted, &self.connection.secrecy);
        self.written_already(id, Method::MoreResults, fields, outcome)
    }

    pub(super) fn close(&self, function: Function, driver_call: &dyn DriverCall) -> Outcome {
        self.closed(function, perform(driver_call))
    }

    /// Records a close.
    pub(super) fn closed(&self, function: Function, outcome: Outcome) -> Outcome {
        let mut state = self.state.lock();
        let finished = self.finish_result(&mut state, false);
        let noted = match (state.id, state.open) {
            (Some(id), true) if rc::succeeded(outcome.rc) => {
                state.open = false;
                self.note(id, Method::Close)
            }
            _ => Ok(()),
        };
        state.streams.end();
        state.reading.forget();
        let id = state.id;
        drop(state);
        match finished.and(noted) {
            Ok(()) => self.ended(id, function, outcome),
            Err(error) => unwritable(error),
        }
    }

    /// Serves SQLCancel, which may come from another thread while a call on the statement is under way. So it only
    /// tries the lock.
    pub(super) fn cancel(&self, function: Function, driver_call: &dyn DriverCall) -> Outcome {
        let id = self.state.try_lock().and_then(|mut state| {
            state.waiting = None;
            if let Some(pending) = state.positioned.take() {
                pending.watched.give_up();
            }
            state.streams.end();
            state.id
        });
        let outcome = perform(driver_call);
        match id.map_or(Ok(()), |id| self.note(id, Method::Cancel)) {
            Ok(()) => self.ended(id, function, outcome),
            Err(error) => unwritable(error),
        }
    }

    /// Records a close or cancel that did not simply succeed.
    fn ended(&self, id: Option<u32>, function: Function, outcome: Outcome) -> Outcome {
        let call = self.endings.fetch_add(1, Ordering::Relaxed) + 1;
        match id {
            Some(id) if outcome.rc != rc::SUCCESS => {
                let mut fields = ending_key(function, call);
                push_outcome(&mut fields, &outcome, &self.connection.secrecy);
                let entry =
                    Entry { method: Method::Answer, connection: self.connection.id(), statement: Some(id), fields };
                self.connection.recorder().note(&entry).map_or_else(unwritable, |()| outcome)
            }
            Some(_) => outcome,
            None => self.connection.note_local(CallKey::of([function as u64]), || function_key(function), outcome),
        }
    }
}

impl Statement<Replayed> {
    pub(super) fn scroll(&self, scrolling: Scrolling) -> Outcome {
        let Scrolling { asked, fetching } = scrolling;
        let mut state = self.state.lock();
        let state = &mut *state;
        let Some(id) = state.id else { return Outcome::error("24000", "there is no result to fetch from") };
        (state.run, state.own.run_is_parents) = (None, false);
        state.own.on_row = false;
        state.reading.forget();
        let asked = Entry { fields: asked, ..Entry::new(Method::FetchScroll, self.connection.id(), Some(id)) };
        let scrolled = match self.connection.player().scroll(&asked) {
            Ok(scrolled) => scrolled,
            Err(error) => return mismatch(error),
        };
        let get = |key: Key| scrolled.entry.get(key);
        let recorded = recorded_outcome(get);
        let arrays = Arrays::of(fetching.size);
        state.rowset = fetching.size;
        let Some(rows) = scrolled.rows else {
            let code = if rc::succeeded(recorded.rc) { rc::NO_DATA } else { recorded.rc };
            fetching.replay(code, 0, get(Key::RowsFetched), get(Key::RowStatus));
            let rows: Vec<usize> = (0..fetching.size).collect();
            replay_cells(&state.application, arrays, &rows, get(Key::Written), get(Key::CTypes));
            return Outcome { rc: code, ..recorded };
        };
        state.own.types = run_types(&rows);
        state.run = Some(rows);
        if let Err(failure) = self.limit_columns(state, id) {
            return failure;
        }
        let known =
            |at: usize| get(Key::RowStatus)?.as_list()?.get(at).and_then(Value::as_int).map(|known| known as u16);
        let (mut outcome, mut count, mut states) = (Outcome::SUCCESS, 0, Vec::new());
        loop {
            match state.run.as_mut().map(|run| run.next().map(|row| row.is_some())) {
                Some(Ok(true)) => {
                    match write_row(
                        &self.connection,
                        state,
                        arrays,
                        count,
                        fetching.size > 1,
                        known(count),
                        &mut outcome,
                    ) {
                        Ok(reached) => states.push(reached),
                        Err(error) => return self.damaged(error),
                    }
                }
                Some(Ok(false)) | None => break,
                Some(Err(error)) => return self.damaged(error),
            }
            count += 1;
        }
        (state.own.on_row, state.fetched) = (count > 0, count);
        fetching.replay(recorded.rc, count, get(Key::RowsFetched), get(Key::RowStatus));
        if outcome == Outcome::SUCCESS {
            return recorded;
        }
        // The states that replay derived for buffers other than the recorded ones take precedence.
        states.iter().enumerate().for_each(|(row, status)| arrays.set_state(fetching.status, row, *status));
        outcome
    }

    pub(super) fn more_results(&self) -> Outcome {
        let mut state = self.state.lock();
        let Some(id) = state.id else { return Outcome::of(rc::NO_DATA) };
        match self.command(&mut state, id, Method::MoreResults, Fields::new()) {
            Ok(recorded) => {
                let outcome = recorded_outcome(|key| recorded.get(key));
                let another = recorded.get(Key::Result) == Some(&Value::Bool(true));
                let available = outcome.rc == rc::PARAM_DATA_AVAILABLE;
                if another {
                    state.begin_result();
                    state.open = true;
                }
                state.streams.set_available(available);
                let added = state.sent.write(recorded.get(Key::Output), recorded.get(Key::CTypes));
                let outcome = joined(outcome, added);
                match outcome.rc {
                    rc::SUCCESS if !another => Outcome { rc: rc::NO_DATA, ..outcome },
                    _ => outcome,
                }
            }
            Err(failure) => failure,
        }
    }

    pub(super) fn close(&self, function: Function) -> Outcome {
        let id = self.state.lock().id;
        let outcome = self.ended(id, function);
        if !rc::succeeded(outcome.rc) {
            return outcome;
        }
        let mut state = self.state.lock();
        state.streams.set_available(false);
        state.run = None;
        state.own.on_row = false;
        state.reading.forget();
        if let (Some(id), true) = (state.id, std::mem::take(&mut state.open)) {
            self.connection.player().housekeeping(&Entry::new(Method::Close, self.connection.id(), Some(id)));
        }
        outcome
    }

    /// Serves SQLCancel: gives up what waits for data, unless another thread holds the lock.
    pub(super) fn cancel(&self, function: Function) -> Outcome {
        let id = self.state.try_lock().and_then(|mut state| {
            (state.waiting, state.positioned) = (None, None);
            state.streams.set_available(false);
            state.id
        });
        self.ended(id, function)
    }

    /// Returns the outcome of a close or cancel: success, unless something else was recorded.
    fn ended(&self, id: Option<u32>, function: Function) -> Outcome {
        let call = self.endings.fetch_add(1, Ordering::Relaxed) + 1;
        let Some(id) = id else { return self.connection.local(function, || function_key(function)) };
        if !self.connection.player().has(Method::Answer) {
            return Outcome::SUCCESS;
        }
        match self.noted(id, &ending_key(function, call)) {
            Ok(Some(entry)) => recorded_outcome(|key| entry.get(key)),
            Ok(None) => Outcome::SUCCESS,
            Err(failure) => failure,
        }
    }
}
