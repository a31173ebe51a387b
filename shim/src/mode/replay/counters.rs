//! The row counter and the row states at replay, where the recorded driver had its own way with them.

use super::statement::{State, Statement};
use crate::args::Place;
use crate::diagnostics::{Outcome, rc};
use crate::mode::keys::place_key;
use crate::mode::rowset::{AT_END, Arrays, Fetching, WITH_ROWS};
use crate::table::Function;
use super8_cassette::check::Wrong;
use super8_cassette::{Key, Value};

/// What a driver does with a counter or a state: the usual, leaving it alone, or another number.
type Habit = Option<Option<i64>>;

/// What a driver does with the counter and the states of a fetch that finds rows.
pub(super) type Habits = [Habit; 2];

impl Statement {
    /// What the recorded driver did with a place where it went its own way. A count has to fit the rowset.
    pub(super) fn habit(
        &self,
        function: Function,
        name: &'static str,
        place: Place,
        room: usize,
    ) -> Result<Habit, Outcome> {
        if place.is_null() {
            return Ok(None);
        }
        let Some(said) = self.connection.unusual(&place_key(function, name))? else { return Ok(None) };
        let habit = said.get(Key::Result).map(Value::as_int);
        let counts = name == WITH_ROWS[0] || name == AT_END[0].0;
        match habit.flatten().filter(|count| counts && !usize::try_from(*count).is_ok_and(|count| count <= room)) {
            Some(count) => {
                let wrong = Wrong::too_many("result", count, room);
                Err(self.connection.refuse_answer(None, &said, wrong))
            }
            None => Ok(habit),
        }
    }

    /// What the driver did with the places of a fetch that found rows; looked up once for a result.
    pub(super) fn with_rows(
        &self,
        state: &mut State,
        function: Function,
        fetching: &Fetching,
    ) -> Result<Habits, Outcome> {
        if fetching.rows.is_null() && fetching.status.is_null() {
            return Ok([None; 2]);
        }
        if let Some(known) = state.habits {
            return Ok(known);
        }
        let [counter, states] = WITH_ROWS;
        let size = fetching.size;
        let found =
            [self.habit(function, counter, fetching.rows, size)?, self.habit(function, states, fetching.status, size)?];
        Ok(*state.habits.insert(found))
    }

    /// SQL_NO_DATA, with the row counter and states as the recorded driver left them.
    pub(super) fn end_of_data(&self, function: Function, fetching: Fetching) -> Outcome {
        let written =
            |(name, usual), place| Ok(self.habit(function, name, place, fetching.size)?.unwrap_or(Some(usual)));
        let [counter, states] = AT_END;
        let (rows, status) = match (written(counter, fetching.rows), written(states, fetching.status)) {
            (Ok(rows), Ok(status)) => (rows, status),
            (Err(failure), _) | (_, Err(failure)) => return failure,
        };
        let arrays = Arrays::of(fetching.size);
        if let Some(rows) = rows {
            arrays.set_count(fetching.rows, rows as usize);
        }
        if let Some(status) = status {
            (0..fetching.size).for_each(|row| arrays.set_state(fetching.status, row, status as u16));
        }
        Outcome::of(rc::NO_DATA)
    }
}
