//! The parameters of an execution: what SQLExecute and SQLExecDirect send, for every set of an array, and what
//! SQLPutData sends at execution.
//!
//! A command with data at execution is complete, and is compared or recorded, once SQLParamData has taken the last
//! value.

use crate::args::{Binding, NumberOut, Parameter, Place, Watched, WatchedNumber};
use crate::convert::bound::Chunk;
use crate::convert::param::LeftOut;
use crate::convert::{CType, bound, param};
use crate::mode::application::{Application, BoundParameter, attribute};
use crate::mode::outputs::{Outputs, Streamed, WatchedOutputs};
use crate::mode::rowset::Arrays;
use crate::mode::{outputs, rowset};
use std::collections::VecDeque;
use super8_cassette::{Fields, INLINE_SETS, Key, Method, Value};

/// SQL_PARAM_IGNORE in the parameter operation array.
const IGNORE: u16 = 1;
const INPUT: i16 = odbc_sys::ParamType::Input as i16;

/// The parameters of one execution.
pub struct Parameters {
    /// One list of values per set.
    pub sets: Vec<Value>,
    array: bool,
    size: usize,
    status: Place,
    processed: Place,
    /// Parameters whose values come at execution.
    pub waiting: Vec<Waiting>,
    /// Parameters that the driver may write to.
    pub outputs: Outputs,
    /// Parameters that are to be read with SQLGetData.
    pub streamed: Vec<Streamed>,
    /// The numbers and intervals among the values.
    structures: Structures,
}

/// The parameter status array, the counter and the output parameters during an execution.
pub struct WatchedParameters {
    status: Vec<WatchedNumber>,
    processed: WatchedNumber,
    outputs: WatchedOutputs,
}

impl Watched for WatchedParameters {
    fn give_up(self) {
        self.status.give_up();
        self.processed.give_up();
    }
}

impl Parameters {
    /// Returns about how many bytes of the parameters may get into the cassette.
    pub fn bytes(&self) -> usize {
        self.sets.iter().map(Value::bytes).sum::<usize>() + self.outputs.room() + 8 * self.size
    }

    /// Returns the sets if they stand in the entry; a long array has a file for itself.
    pub fn in_entry(&self) -> &[Value] {
        if self.sets.len() > INLINE_SETS { &[] } else { &self.sets }
    }

    /// Returns no parameters.
    pub fn none() -> Self {
        Parameters {
            sets: Vec::new(),
            array: false,
            size: 1,
            status: Place::NULL,
            processed: Place::NULL,
            waiting: Vec::new(),
            outputs: Outputs::default(),
            streamed: Vec::new(),
            structures: Structures::default(),
        }
    }

    /// Returns the values of rows that SQLSetPos or SQLBulkOperations sends.
    pub fn of_rows(sets: Vec<Value>, waiting: Vec<Waiting>, structures: Structures) -> Self {
        Parameters { sets, waiting, structures, ..Parameters::none() }
    }

    /// Returns the values of such rows, with the numbers and intervals among them.
    pub fn into_rows(self) -> (Vec<Value>, Structures) {
        (self.sets, self.structures)
    }

    /// Returns the parameters that SQLExecDirect sends with a text: as many of the bound ones as the text has markers.
    pub fn of_text(application: &Application, sql: &str) -> Self {
        if application.parameter_count() == 0 {
            return Parameters::none();
        }
        Parameters::of(application, count_markers(sql))
    }

    /// Returns the parameters that SQLExecute sends for a text with this many markers.
    pub fn of(application: &Application, markers: usize) -> Self {
        let count = application.parameter_count().min(u16::try_from(markers).unwrap_or(u16::MAX));
        if count == 0 {
            return Parameters::none();
        }
        let size = application.paramset_size();
        let operation = application.address(attribute::PARAM_OPERATION_PTR);
        let mut parameters = Parameters {
            sets: Vec::with_capacity(size),
            array: size > 1,
            size,
            status: application.address(attribute::PARAM_STATUS_PTR),
            processed: application.address(attribute::PARAMS_PROCESSED_PTR),
            ..Parameters::none()
        };
        for set in 0..size {
            if size > 1 && operation.u16_at(set) == Some(IGNORE) {
                parameters.sets.push(Value::Map(vec![("PARAM_IGNORE".to_owned(), Value::Null)]));
                continue;
            }
            let values = (1..=count).map(|number| parameters.take(application, number, set)).collect();
            parameters.sets.push(Value::List(values));
        }
        parameters
    }

    /// Reads what is sent for a parameter, and notes the places to write to and the values that come later.
    fn take(&mut self, application: &Application, number: u16, set: usize) -> Value {
        let named = |name: &str| Value::Map(vec![(name.to_owned(), Value::Null)]);
        let Some(BoundParameter { binding, parameter }) = application.parameter(number) else {
            return named("UNBOUND");
        };
        let mut c_type = CType(binding.c_type);
        if c_type == CType::DEFAULT {
            c_type = CType::default_for(parameter.sql_type);
        }
        let (bound_at, index) = (binding.target, usize::from(number) - 1);
        let binding = application.at_set(binding, set, c_type.fixed_size());
        self.outputs.add(parameter.io, set, index, binding, c_type);
        if outputs::is_streamed(parameter.io) {
            self.streamed.push(Streamed { set, number, c_type, token: binding.target });
        }
        if let Some(name) = outputs::not_sent(parameter.io) {
            return named(name);
        }
        match bound::parameter(&binding, c_type) {
            bound::Sent::Value(value) => {
                if self.structures.take((set, index), c_type, &binding, &value)
                    && c_type == CType::NUMERIC
                    && parameter.io == INPUT
                {
                    self.take_numeric(set, index, binding, parameter);
                }
                value
            }
            bound::Sent::AtExecution => {
                self.structures.comes_later(c_type);
                self.waiting.push(Waiting { set, index, c_type, token: binding.target, bound: bound_at });
                named("DATA_AT_EXEC")
            }
        }
    }

    /// Notes a SQL_NUMERIC_STRUCT. ODBC has the driver use the parameter's precision and scale, not those in the
    /// structure. MariaDB's driver does, and writes them into the structure; others read the structure.
    fn take_numeric(&mut self, set: usize, index: usize, binding: Binding, parameter: Parameter) {
        let said = (parameter.size as u8, parameter.digits as i8, "parameter");
        if self.structures.take_numeric((set, index), &binding, said) {
            self.outputs.add_numeric(set, index, binding);
        }
    }

    /// Returns whether [`Parameters::by_parameter`] changes anything.
    pub fn has_numerics(&self) -> bool {
        self.structures.has_numerics()
    }

    /// Replaces the numerics by what a driver sends that goes by the parameters' precision and scale.
    pub fn by_parameter(&mut self) {
        self.structures.by_descriptor(&mut self.sets);
    }

    /// Leaves out the parts of structures that `left_out` says the driver does not read.
    ///
    /// # Errors
    /// As `left_out`.
    pub fn leave_out<E>(&mut self, left_out: impl Fn(LeftOut) -> Result<bool, E>) -> Result<(), E> {
        self.structures.leave_out(&mut self.sets, left_out)
    }

    /// Moves the values that are sent into a command, as `params` and `attributes`.
    pub fn describe(&mut self, fields: &mut Fields, application: &Application) {
        let mut sets = std::mem::take(&mut self.sets);
        match (sets.len(), self.array) {
            (0, _) => {}
            (1, false) => fields.extend(sets.pop().map(|one| (Key::Params, one))),
            _ => fields.add(Key::Params, Value::List(sets)),
        }
        let attributes = application.result_attributes();
        if !attributes.is_empty() {
            let pairs = attributes.into_iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect();
            fields.add(Key::Attributes, Value::Map(pairs));
        }
    }

    /// Returns the counter of processed sets, and the states of the sets; neither if no set is sent.
    fn counted(&self) -> (NumberOut, impl Iterator<Item = NumberOut>) {
        let sends = self.size > 0;
        let (processed, status) = (if sends { self.processed } else { Place::NULL }, self.status);
        let count = if sends && !status.is_null() { self.size } else { 0 };
        (processed.long(), (0..count).map(move |set| status.short_at(set)))
    }

    /// Watches what the driver writes.
    pub fn watch(&self) -> WatchedParameters {
        self.watch_with(NumberOut::watch)
    }

    /// Watches in the middle of an execution that asks for data. The counter is not marked then, because a driver may
    /// count on from what it wrote before.
    pub fn watch_on(&self) -> WatchedParameters {
        self.watch_with(NumberOut::compare)
    }

    fn watch_with(&self, watch: impl Fn(NumberOut) -> WatchedNumber) -> WatchedParameters {
        let (processed, status) = self.counted();
        let (status, processed) = (status.map(&watch).collect(), watch(processed));
        WatchedParameters { status, processed, outputs: self.outputs.watch() }
    }

    /// Returns what the driver wrote: output parameters in `result`, `params_processed`, and `param_status` (a single
    /// number if all are alike).
    pub fn written(&mut self, watched: WatchedParameters) -> Fields {
        let mut fields = self.outputs.written(watched.outputs, Key::Result);
        if self.outputs.input_written {
            self.by_parameter();
        }
        let processed = watched.processed.written();
        fields.extend(
            processed.map(|processed| (Key::ParamsProcessed, rowset::within(processed.value, self.size).into())),
        );
        let status = |watched: WatchedNumber| watched.written().map(|status| status.value as u16).into();
        let written: Vec<Value> = watched.status.into_iter().map(status).collect();
        match &written[..] {
            [] => {}
            [first, rest @ ..] if rest.iter().all(|status| status == first) => {
                if *first != Value::Null {
                    fields.push((Key::ParamStatus, first.clone()));
                }
            }
            _ => fields.push((Key::ParamStatus, Value::List(written))),
        }
        fields
    }

    /// Returns how many sets of parameters the application has arrays for.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Writes the recorded counter and states of an execution to where the application has them.
    pub fn replay_outcome(&self, processed: Option<&Value>, status: Option<&Value>) {
        let arrays = Arrays::of(self.size);
        if let Some(processed) = processed.and_then(Value::as_int) {
            arrays.set_count(self.processed, processed as usize);
        }
        let at = |set: usize| match status {
            Some(Value::List(statuses)) => statuses.get(set).and_then(Value::as_int),
            Some(all) => all.as_int(),
            None => None,
        };
        for set in 0..self.size {
            if let Some(status) = at(set) {
                arrays.set_state(self.status, set, status as u16);
            }
        }
    }
}

/// A parameter that waits for its value.
#[derive(Clone, Copy)]
pub struct Waiting {
    /// The set of a parameter array, from 0.
    pub set: usize,
    /// The parameter, from 0.
    pub index: usize,
    /// The C type of the data.
    pub c_type: CType,
    /// The token that SQLParamData hands out: the address or number that the application bound, moved to the set.
    pub token: Place,
    /// The token as it was bound, which some drivers hand out for every set.
    pub bound: Place,
}

/// An execution that waits for data.
pub struct AtExecution {
    parameters: Parameters,
    waiting: VecDeque<Waiting>,
    /// The parameter that is being sent, with NULL or the default if that was sent, and the bytes so far.
    current: Option<(Waiting, Option<Value>, Vec<u8>)>,
}

/// An execution whose command is complete once its data has come.
pub struct WaitingExecution {
    /// `run`, `execute` or another command that executes.
    pub method: Method,
    /// The statement's id.
    pub id: u32,
    /// What is known of the command so far.
    pub fields: Fields,
    /// The parameters that have come so far.
    pub data: AtExecution,
    /// How often SQLParamData asked for more.
    pub steps: u32,
}

impl AtExecution {
    /// Returns the execution that waits for these parameters.
    pub fn new(mut parameters: Parameters) -> Self {
        let waiting = std::mem::take(&mut parameters.waiting).into();
        AtExecution { parameters, waiting, current: None }
    }

    /// Ends the current value, because SQLParamData was called.
    pub fn finish_value(&mut self) {
        if let Some((waiting, special, bytes)) = self.current.take() {
            let special = special.filter(|_| bytes.is_empty());
            let parameters = &mut self.parameters;
            let value = special.unwrap_or_else(|| parameters.structures.value(waiting.c_type, &bytes));
            fill(&mut parameters.sets, (waiting.set, waiting.index), value);
        }
    }

    /// Notes that the driver asks for the value with this token. An unknown token counts as the next value in order.
    /// Returns whether the token is the one that was bound; `None` if the set has no other.
    pub fn asked_for(&mut self, token: Place) -> Option<bool> {
        let found = self.waiting.iter().position(|waiting| waiting.token == token).unwrap_or(0);
        let waiting = self.waiting.remove(found)?;
        self.current = Some((waiting, None, Vec::new()));
        (waiting.bound != waiting.token).then_some(token == waiting.bound)
    }

    /// Returns whether there are values that nobody has asked for yet.
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Returns the next value to ask for, at replay; `None` once all have come.
    pub fn ask_next(&mut self) -> Option<Waiting> {
        let next = self.waiting.pop_front()?;
        self.current = Some((next, None, Vec::new()));
        Some(next)
    }

    /// Takes a piece of the current value. Returns false if nobody asked for it or its length makes no sense.
    pub fn put(&mut self, data: Place, length: isize) -> bool {
        let Some((waiting, special, bytes)) = &mut self.current else { return false };
        match bound::chunk(waiting.c_type, data, length) {
            Chunk::Bytes(piece) => bytes.extend_from_slice(piece),
            Chunk::Special(value) => *special = Some(value),
            Chunk::Wrong(_) => return false,
        }
        true
    }

    /// Returns the parameters with the values that have come so far.
    pub fn parameters(&mut self) -> &mut Parameters {
        &mut self.parameters
    }

    /// Watches what the driver may write to in the middle of the execution, before a call.
    pub fn watch_on(&self) -> WatchedParameters {
        self.parameters.watch_on()
    }

    /// Returns the parameters with every value that has come.
    pub fn into_parameters(self) -> Parameters {
        self.parameters
    }
}

/// Returns how many parameter markers `sql` has, outside quotes and comments.
pub fn count_markers(sql: &str) -> usize {
    let mut bytes = sql.bytes().peekable();
    let mut markers = 0;
    while let Some(byte) = bytes.next() {
        match byte {
            b'?' => markers += 1,
            b'\'' | b'"' | b'`' => {
                bytes.by_ref().find(|next| *next == byte);
            }
            b'-' if bytes.peek() == Some(&b'-') => {
                bytes.by_ref().find(|next| *next == b'\n');
            }
            b'/' if bytes.peek() == Some(&b'*') => {
                bytes.next();
                let mut last = 0;
                bytes.by_ref().find(|next| std::mem::replace(&mut last, *next) == b'*' && *next == b'/');
            }
            _ => {}
        }
    }
    markers
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_outside_quotes_and_comments() {
        for (sql, markers) in [
            ("", 0),
            ("select ?", 1),
            ("insert into t values (?, '?', \"?\", ?)", 2),
            ("select 'it''s ?', ? -- ?\n, ?", 2),
            ("/* ? **/ select ? /* ? */", 1),
            ("{?=call f(?, ?)}", 3),
            ("select '?", 0),
        ] {
            assert_eq!(count_markers(sql), markers, "{sql}");
        }
    }
}
