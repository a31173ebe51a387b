//! The numbers and intervals that a program sends as structures. Drivers differ in which parts of them they read, so a part
//! that the recorded driver did not read is neither recorded nor compared.
//!
//! Executions and operations on rows both have lists of values, one for each set or row, and change single values of them here.

use crate::args::Binding;
use crate::convert::CType;
use crate::convert::bound;
use crate::convert::param::{self, LeftOut};
use super8_cassette::Value;

/// The place of a value: its set or row, and its position there, both counted from 0.
pub type At = (usize, usize);

/// The structures among the values of one execution or operation.
#[derive(Default)]
pub struct Structures {
    /// The parts that some structure, sent now or later, has and that not every driver reads.
    has: Vec<LeftOut>,
    /// Those of them that this driver does not read.
    left_out: Vec<LeftOut>,
    /// Each structure without such a part.
    without: Vec<(LeftOut, At, Value)>,
    /// Each SQL_NUMERIC_STRUCT as a driver sends it that goes by the precision and scale of the parameter or column.
    numerics: Vec<(At, Value)>,
}

impl Structures {
    /// Takes a value that is sent from this buffer. Returns false if it is not the value of a structure: NULL, a default, or a column
    /// that is ignored, whose buffer may not be read.
    pub fn take(&mut self, at: At, c_type: CType, binding: &Binding, value: &Value) -> bool {
        let Some(part) = LeftOut::of(c_type) else { return false };
        let is_structure =
            matches!(value, Value::Map(pairs) if pairs.first().is_some_and(|(name, _)| *name == c_type.name()));
        if is_structure {
            self.comes_later(c_type);
            self.without.extend(bound::without(part, binding, c_type).map(|value| (part, at, value)));
        }
        is_structure
    }

    /// Notes that a value of this C type is sent, or comes with SQLPutData.
    pub fn comes_later(&mut self, c_type: CType) {
        if let Some(part) = LeftOut::of(c_type).filter(|part| !self.has.contains(part)) {
            self.has.push(part);
        }
    }

    /// Takes a SQL_NUMERIC_STRUCT. ODBC has the driver use the precision and scale of the parameter or column (`said`, and of which of
    /// the two they are), not those in the structure. MariaDB's driver does, and writes them into the structure; others read the
    /// structure. Returns whether there is a number.
    pub fn take_numeric(&mut self, at: At, binding: &Binding, said: (u8, i8, &str)) -> bool {
        let value = bound::numeric_of(binding, said);
        let is_number = value.is_some();
        self.numerics.extend(value.map(|value| (at, value)));
        is_number
    }

    /// Returns whether [`Structures::by_descriptor`] changes anything.
    pub fn has_numerics(&self) -> bool {
        !self.numerics.is_empty()
    }

    /// Replaces the numerics by what a driver sends that goes by the precision and scale of the parameters or columns.
    pub fn by_descriptor(&mut self, sets: &mut [Value]) {
        for (at, value) in std::mem::take(&mut self.numerics) {
            fill(sets, at, value);
        }
    }

    /// Leaves out the parts of structures that `left_out` says the driver does not read.
    ///
    /// # Errors
    /// As `left_out`.
    pub fn leave_out<E>(&mut self, sets: &mut [Value], left_out: impl Fn(LeftOut) -> Result<bool, E>) -> Result<(), E> {
        for part in std::mem::take(&mut self.has) {
            if left_out(part)? {
                self.left_out.push(part);
            }
        }
        for (part, at, value) in std::mem::take(&mut self.without) {
            if self.left_out.contains(&part) {
                fill(sets, at, value);
            }
        }
        Ok(())
    }

    /// Returns the value of bytes that came with SQLPutData, without the parts that this driver does not read.
    pub fn value(&self, c_type: CType, bytes: &[u8]) -> Value {
        let part = LeftOut::of(c_type).filter(|part| self.left_out.contains(part));
        let without = part.and_then(|part| part.value(c_type, bytes));
        without.unwrap_or_else(|| param::of_bytes(c_type, bytes))
    }
}

/// Puts a value in its place.
pub fn fill(sets: &mut [Value], (set, index): At, value: Value) {
    if let Some(Value::List(values)) = sets.get_mut(set)
        && let Some(place) = values.get_mut(index)
    {
        *place = value;
    }
}
