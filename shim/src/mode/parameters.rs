//! The parameters of an execution: what is sent is read at SQLExecute and SQLExecDirect, every set of an array.

use crate::args::{Binding, NumberOut, Parameter, Place};
use crate::convert::{CType, bound};
use crate::mode::application::{Application, BoundParameter, attribute};
use crate::mode::at_execution::Waiting;
use crate::mode::markers;
use crate::mode::outputs::{self, Outputs};
use crate::mode::rowset::Arrays;
use crate::mode::streams::Streamed;
use super8_cassette::{Fields, Key, Value};

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
    /// Parameters the driver may write to.
    pub outputs: Outputs,
    /// Parameters that are to be read with SQLGetData.
    pub streamed: Vec<Streamed>,
    /// Set, index and value of each SQL_NUMERIC_STRUCT, for a driver that goes by the parameter's precision and scale.
    numerics: Vec<(usize, usize, Value)>,
}

/// What the parameter status array, the counter and the output parameters held before the driver was called.
pub struct Watch {
    status: Vec<i64>,
    processed: i64,
    /// Whether they were marked, so that a value written again is seen too.
    marked: bool,
    outputs: outputs::Watch,
}

impl Parameters {
    /// About how many bytes of them may come to stand in the cassette.
    pub fn bytes(&self) -> usize {
        self.sets.iter().map(Value::bytes).sum::<usize>() + self.outputs.room() + 8 * self.size
    }

    /// No parameters.
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
            numerics: Vec::new(),
        }
    }

    /// Values of rows that SQLSetPos or SQLBulkOperations sends.
    pub fn of_rows(sets: Vec<Value>, waiting: Vec<Waiting>) -> Self {
        Parameters { sets, waiting, ..Parameters::none() }
    }

    /// The parameters SQLExecDirect sends with a text: as many as it has markers, of those that are bound.
    pub fn of_text(application: &Application, sql: impl FnOnce() -> String) -> Self {
        if application.parameter_count() == 0 {
            return Parameters::none();
        }
        Parameters::of(application, markers::count(&sql()))
    }

    /// The parameters SQLExecute sends for a text with so many markers.
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

    /// What is sent for a parameter; places to write to and values that come later are noted.
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
                if c_type == CType::NUMERIC && parameter.io == INPUT && matches!(value, Value::Map(_)) {
                    self.take_numeric(set, index, binding, parameter);
                }
                value
            }
            bound::Sent::AtExecution => {
                self.waiting.push(Waiting { set, index, c_type, token: binding.target, bound: bound_at });
                named("DATA_AT_EXEC")
            }
        }
    }

    /// Notes a SQL_NUMERIC_STRUCT. ODBC has the driver go by the precision and scale of the parameter and not by those in
    /// the structure; MariaDB's driver does, and writes them there. Others read the structure.
    fn take_numeric(&mut self, set: usize, index: usize, binding: Binding, parameter: Parameter) {
        let binding = Binding { length: Place::NULL, indicator: Place::NULL, numeric: None, ..binding };
        if let Some(value) = bound::numeric_of_parameter(&binding, parameter.size as u8, parameter.digits as i8) {
            self.outputs.add_numeric(set, index, binding);
            self.numerics.push((set, index, value));
        }
    }

    /// Whether [`Parameters::by_parameter`] changes anything.
    pub fn has_numerics(&self) -> bool {
        !self.numerics.is_empty()
    }

    /// What is sent if the driver goes by the precision and scale of the parameters.
    pub fn by_parameter(&mut self) {
        for (set, index, value) in std::mem::take(&mut self.numerics) {
            self.fill(set, index, value);
        }
    }

    /// Moves what is sent to a command, as `params` and `attributes`.
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

    /// Puts a value that came at execution in its place.
    pub fn fill(&mut self, set: usize, index: usize, value: Value) {
        if let Some(Value::List(values)) = self.sets.get_mut(set)
            && let Some(place) = values.get_mut(index)
        {
            *place = value;
        }
    }

    /// The counter of processed sets, and the states of the sets: none if no set is sent.
    fn counted(&self) -> (NumberOut, impl Iterator<Item = NumberOut>) {
        let sends = self.size > 0;
        let (processed, status) = (if sends { self.processed } else { Place::NULL }, self.status);
        let count = if sends && !status.is_null() { self.size } else { 0 };
        (processed.long(), (0..count).map(move |set| status.short_at(set)))
    }

    /// Marks the status array and the counter, to see what the driver writes.
    pub fn watch(&self) -> Watch {
        let (processed, status) = self.counted();
        Watch {
            status: status.map(NumberOut::arm).collect(),
            processed: processed.arm(),
            marked: true,
            outputs: self.outputs.watch(),
        }
    }

    /// The same in the middle of an execution that asks for data. A driver may count on in the counter it set before, so
    /// nothing is marked: what is another value after the call was written.
    pub fn watch_on(&self) -> Watch {
        let (processed, status) = self.counted();
        Watch {
            status: status.map(NumberOut::value).collect(),
            processed: processed.value(),
            marked: false,
            outputs: self.outputs.watch(),
        }
    }

    /// What the driver wrote: output parameters in `result`, `params_processed`, `param_status` (one number if all are
    /// alike). What it left alone holds again what it held.
    pub fn outcome(&mut self, watch: Watch) -> Fields {
        let mut fields = self.outputs.harvest(watch.outputs, Key::Result);
        if self.outputs.input_written {
            self.by_parameter();
        }
        let (processed, status) = self.counted();
        let written = |number: NumberOut, old: i64| match watch.marked {
            true => number.settle(old).map(|written| written.value),
            false => Some(number.value()).filter(|now| *now != old),
        };
        fields.extend(written(processed, watch.processed).map(|processed| (Key::ParamsProcessed, processed.into())));
        let written: Vec<Value> = status
            .zip(&watch.status)
            .map(|(number, old)| written(number, *old).map(|status| status as u16).into())
            .collect();
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

    /// The sets of parameters that the application has arrays for.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Writes recorded outcomes of an execution where the driver wrote them.
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
