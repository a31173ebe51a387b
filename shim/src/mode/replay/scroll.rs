//! A scroll at replay: where it goes is compared, and the rowset comes as it was recorded.

use super::mismatch;
use super::rows::{row, types};
use super::statement::Statement;
use crate::diagnostics::{Outcome, rc};
use crate::mode::operation::replay_cells;
use crate::mode::outcome::outcome;
use crate::mode::rowset::{Arrays, Scrolling};
use super8_cassette::{Entry, Key, Method, Value};

impl Statement {
    pub(super) fn scroll(&self, scrolling: Scrolling) -> Outcome {
        let Scrolling { asked, fetching } = scrolling;
        let mut state = self.state.lock();
        let state = &mut *state;
        let Some(id) = state.id else { return Outcome::error("24000", "there is no result to fetch from") };
        (state.run, state.run_is_parents) = (None, false);
        state.on_row = false;
        state.reading.forget();
        let asked = Entry { fields: asked, ..Entry::new(Method::FetchScroll, self.connection.id(), Some(id)) };
        let scrolled = match self.connection.player().scroll(&asked) {
            Ok(scrolled) => scrolled,
            Err(error) => return mismatch(error),
        };
        let get = |key: Key| scrolled.entry.get(key);
        let recorded = outcome(get);
        let arrays = Arrays::of(fetching.size);
        state.rowset = fetching.size;
        let Some(rows) = scrolled.rows else {
            let code = if rc::succeeded(recorded.rc) { rc::NO_DATA } else { recorded.rc };
            fetching.replay(code, 0, get(Key::RowsFetched), get(Key::RowStatus));
            let rows: Vec<usize> = (0..fetching.size).collect();
            replay_cells(&state.application, arrays, &rows, get(Key::Written), get(Key::CTypes));
            return Outcome { rc: code, ..recorded };
        };
        state.types = types(&rows);
        state.run = Some(rows);
        if let Err(failure) = self.limit_columns(state, id) {
            return failure;
        }
        let known =
            |at: usize| get(Key::RowStatus)?.as_list()?.get(at).and_then(Value::as_int).map(|known| known as u16);
        let (mut told, mut count, mut states) = (Outcome::SUCCESS, 0, Vec::new());
        loop {
            match state.run.as_mut().map(|run| run.next().map(|row| row.is_some())) {
                Some(Ok(true)) => {
                    match row(&self.connection, state, arrays, count, fetching.size > 1, known(count), &mut told) {
                        Ok(reached) => states.push(reached),
                        Err(error) => return self.damaged(error),
                    }
                }
                Some(Ok(false)) | None => break,
                Some(Err(error)) => return self.damaged(error),
            }
            count += 1;
        }
        (state.on_row, state.fetched) = (count > 0, count);
        fetching.replay(recorded.rc, count, get(Key::RowsFetched), get(Key::RowStatus));
        if told == Outcome::SUCCESS {
            return recorded;
        }
        // What was derived for other buffers than the recorded ones has the last word.
        states.iter().enumerate().for_each(|(row, status)| arrays.set_state(fetching.status, row, *status));
        told
    }
}
