//! The row counter and the row states at replay, where the recorded driver had its own way with them.

use super::statement::{State, Statement};
use crate::args::Place;
use crate::diagnostics::{Outcome, rc};
use crate::mode::fetching::{AT_END, Fetching, WITH_ROWS};
use crate::mode::record::place_key;
use crate::table::Function;
use super8_cassette::Value;

/// What a driver does with a counter or a state: the usual, leaving it alone, or another number.
type Habit = Option<Option<i64>>;

/// What a driver does with the counter and the states of a fetch that finds rows.
pub(super) type Habits = [Habit; 2];

impl Statement {
    /// What the recorded driver did with a place where it went its own way.
    fn habit(&self, function: Function, name: &'static str, place: Place) -> Habit {
        if place.is_null() {
            return None;
        }
        let player = self.connection.player();
        let fact = player.outcome(self.connection.id(), &place_key(function, name)).ok().flatten();
        fact.and_then(|fact| fact.get("result").map(Value::as_int))
    }

    /// What the driver did with the places of a fetch that found rows; looked up once for a result.
    pub(super) fn with_rows(&self, state: &mut State, function: Function, fetching: &Fetching) -> Habits {
        if fetching.rows.is_null() && fetching.status.is_null() {
            return [None; 2];
        }
        let look =
            || [(0, fetching.rows), (1, fetching.status)].map(|(at, place)| self.habit(function, WITH_ROWS[at], place));
        *state.habits.get_or_insert_with(look)
    }

    /// SQL_NO_DATA, with the row counter and states as the recorded driver left them.
    pub(super) fn end_of_data(&self, function: Function, fetching: Fetching) -> Outcome {
        let written = |(name, usual), place| self.habit(function, name, place).unwrap_or(Some(usual));
        if let Some(rows) = written(AT_END[0], fetching.rows) {
            fetching.rows.set_ulen(rows as usize);
        }
        if let Some(status) = written(AT_END[1], fetching.status) {
            (0..fetching.size).for_each(|row| fetching.status.set_u16_at(row, status as u16));
        }
        Outcome::of(rc::NO_DATA)
    }
}
