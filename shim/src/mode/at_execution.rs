//! Data at execution: parameters whose values come with SQLPutData after the execution was asked for.
//!
//! The command is complete, and compared or recorded, once SQLParamData has taken the last value.

use crate::args::Place;
use crate::convert::bound::{self, Chunk};
use crate::convert::{CType, param};
use crate::mode::parameters::{Parameters, Watch};
use std::collections::VecDeque;
use super8_cassette::Value;

/// A parameter that waits for its value.
#[derive(Clone, Copy)]
pub struct Waiting {
    /// The set of a parameter array, from 0.
    pub set: usize,
    /// The parameter, from 0.
    pub index: usize,
    /// The C type of the data.
    pub c_type: CType,
    /// What SQLParamData hands out: the address or number the application bound, that of the set.
    pub token: Place,
    /// The same as it was bound: drivers hand that out for every set.
    pub bound: Place,
}

/// An execution that waits for data.
pub struct AtExecution {
    parameters: Parameters,
    waiting: VecDeque<Waiting>,
    /// The parameter being sent: NULL or the default if that was said, and the bytes so far.
    current: Option<(Waiting, Option<Value>, Vec<u8>)>,
}

impl AtExecution {
    /// The execution these parameters wait for.
    pub fn new(mut parameters: Parameters) -> Self {
        let waiting = std::mem::take(&mut parameters.waiting).into();
        AtExecution { parameters, waiting, current: None }
    }

    /// Ends the value at hand: SQLParamData was called.
    pub fn finish_value(&mut self) {
        if let Some((waiting, special, bytes)) = self.current.take() {
            let special = special.filter(|_| bytes.is_empty());
            let value = special.unwrap_or_else(|| param::of_bytes(waiting.c_type, &bytes));
            self.parameters.fill(waiting.set, waiting.index, value);
        }
    }

    /// The driver asks for the value with this token; one that nobody waits for is taken for the next in order. Whether the
    /// token is the one that was bound; `None` where the set has no other.
    pub fn asked_for(&mut self, token: Place) -> Option<bool> {
        let found = self.waiting.iter().position(|waiting| waiting.token == token).unwrap_or(0);
        let waiting = self.waiting.remove(found)?;
        self.current = Some((waiting, None, Vec::new()));
        (waiting.bound != waiting.token).then_some(token == waiting.bound)
    }

    /// Whether there are values that nobody asked for yet.
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// The next value to ask for, at replay; `None` when all are there.
    pub fn ask_next(&mut self) -> Option<Waiting> {
        let next = self.waiting.pop_front()?;
        self.current = Some((next, None, Vec::new()));
        Some(next)
    }

    /// Takes a piece of the value at hand. Returns false for one that nobody asked for or whose length makes no sense.
    pub fn put(&mut self, data: Place, length: isize) -> bool {
        let Some((waiting, special, bytes)) = &mut self.current else { return false };
        match bound::chunk(waiting.c_type, data, length) {
            Chunk::Bytes(piece) => bytes.extend_from_slice(piece),
            Chunk::Special(value) => *special = Some(value),
            Chunk::Wrong(_) => return false,
        }
        true
    }

    /// The parameters as far as their values have come.
    pub fn parameters(&mut self) -> &mut Parameters {
        &mut self.parameters
    }

    /// What the driver may write to in the middle of the execution, before a call.
    pub fn watch_on(&self) -> Watch {
        self.parameters.watch_on()
    }

    /// The parameters with every value that has come.
    pub fn into_parameters(self) -> Parameters {
        self.parameters
    }
}
