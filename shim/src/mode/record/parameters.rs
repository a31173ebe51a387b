//! Input parameters, read when they are sent: at SQLExecute and SQLExecDirect, every set of an array.

use super::not_yet;
use crate::args::{Binding, Place};
use crate::convert::{CType, bound};
use crate::diagnostics::Outcome;
use crate::mode::application::{Application, BoundParameter, attribute};
use crate::mode::at_execution::Waiting;
use crate::mode::markers;
use super8_cassette::Value;

/// SQL_PARAM_IGNORE in the parameter operation array.
const IGNORE: u16 = 1;
/// SQL_PARAM_INPUT.
const INPUT: i16 = odbc_sys::ParamType::Input as i16;

/// SQL_PARAM_INPUT_OUTPUT.
const INPUT_OUTPUT: i16 = odbc_sys::ParamType::InputOutput as i16;

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
    in_out: Vec<InOut>,
}

/// A parameter that is input and may be output.
struct InOut {
    set: usize,
    index: usize,
    binding: Binding,
    c_type: CType,
}

/// What the parameter status array and counter held before the driver was called.
pub struct Watch {
    status: Vec<u16>,
    processed: Option<usize>,
}

/// A status no driver writes.
const UNWRITTEN: u16 = 0xA5C3;
const UNWRITTEN_COUNT: usize = 0xA5C3_5A96_B1D2_6E87;

impl Parameters {
    /// No parameters.
    pub fn none() -> Self {
        Parameters {
            sets: Vec::new(),
            array: false,
            size: 1,
            status: Place::NULL,
            processed: Place::NULL,
            waiting: Vec::new(),
            in_out: Vec::new(),
        }
    }

    /// Values of rows that SQLSetPos or SQLBulkOperations sends.
    pub fn of_rows(sets: Vec<Value>, waiting: Vec<Waiting>) -> Self {
        Parameters { sets, waiting, ..Parameters::none() }
    }

    /// The parameters SQLExecDirect sends with a text: as many as it has markers, of those that are bound.
    ///
    /// # Errors
    /// A parameter that cannot be recorded or replayed yet.
    pub fn of_text(application: &Application, sql: &str) -> Result<Self, Outcome> {
        if application.parameter_count() == 0 {
            return Ok(Parameters::none());
        }
        Parameters::of(application, markers::count(sql))
    }

    /// The parameters SQLExecute sends for a text with so many markers.
    ///
    /// # Errors
    /// As [`Parameters::of_text`].
    pub fn of(application: &Application, markers: usize) -> Result<Self, Outcome> {
        let count = application.parameter_count().min(u16::try_from(markers).unwrap_or(u16::MAX));
        if count == 0 {
            return Ok(Parameters::none());
        }
        let size = application.paramset_size();
        let operation = application.address(attribute::PARAM_OPERATION_PTR);
        let mut sets = Vec::with_capacity(size);
        let (mut waiting, mut in_out) = (Vec::new(), Vec::new());
        for set in 0..size {
            if size > 1 && operation.u16_at(set) == Some(IGNORE) {
                sets.push(Value::Map(vec![("PARAM_IGNORE".to_owned(), Value::Null)]));
                continue;
            }
            let values: Result<Vec<Value>, Outcome> =
                (1..=count).map(|number| value(application, number, set, &mut waiting, &mut in_out)).collect();
            sets.push(Value::List(values?));
        }
        Ok(Parameters {
            sets,
            array: size > 1,
            size,
            status: application.address(attribute::PARAM_STATUS_PTR),
            processed: application.address(attribute::PARAMS_PROCESSED_PTR),
            waiting,
            in_out,
        })
    }

    /// Adds `params` and `attributes` to a command.
    pub fn describe(&self, fields: &mut Vec<(String, Value)>, application: &Application) {
        match (&self.sets[..], self.array) {
            ([], _) => {}
            ([one], false) => fields.push(("params".into(), one.clone())),
            (sets, _) => fields.push(("params".into(), Value::List(sets.to_vec()))),
        }
        let attributes = application.result_attributes();
        if !attributes.is_empty() {
            let pairs = attributes.into_iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect();
            fields.push(("attributes".into(), Value::Map(pairs)));
        }
    }

    /// Whether the driver may write to a parameter.
    pub fn may_come_back(&self) -> bool {
        !self.in_out.is_empty()
    }

    /// Whether the driver wrote to a parameter. That cannot be recorded yet, so it must not go unnoticed; SQLSetParam binds
    /// everything as input and output, and nearly always nothing comes back.
    pub fn came_back(&self) -> bool {
        self.in_out.iter().any(|place| {
            let sent = self.sets.get(place.set).and_then(Value::as_list).and_then(|values| values.get(place.index));
            match bound::parameter(&place.binding, place.c_type) {
                bound::Sent::Value(value) => Some(&value) != sent,
                _ => true,
            }
        })
    }

    /// Puts a value that came at execution in its place.
    pub fn fill(&mut self, set: usize, index: usize, value: Value) {
        if let Some(Value::List(values)) = self.sets.get_mut(set)
            && let Some(place) = values.get_mut(index)
        {
            *place = value;
        }
    }

    /// Marks the status array and the counter, to see what the driver writes.
    pub fn watch(&self) -> Watch {
        let count = if self.sets.is_empty() { 0 } else { self.size };
        let status = (0..count).map_while(|set| self.status.u16_at(set)).collect::<Vec<_>>();
        (0..status.len()).for_each(|set| self.status.set_u16_at(set, UNWRITTEN));
        let processed = if count > 0 { self.processed.ulen_at(0) } else { None };
        if processed.is_some() {
            self.processed.set_ulen(UNWRITTEN_COUNT);
        }
        Watch { status, processed }
    }

    /// What the driver wrote: `params_processed` and `param_status` (one number if all are alike).
    pub fn outcome(&self, watch: Watch) -> Vec<(String, Value)> {
        let mut fields = Vec::new();
        if let Some(old) = watch.processed {
            match self.processed.ulen_at(0) {
                Some(UNWRITTEN_COUNT) => self.processed.set_ulen(old),
                written => fields.push(("params_processed".to_owned(), written.into())),
            }
        }
        let mut written = Vec::with_capacity(watch.status.len());
        for (set, old) in watch.status.iter().enumerate() {
            match self.status.u16_at(set) {
                Some(UNWRITTEN) => {
                    self.status.set_u16_at(set, *old);
                    written.push(Value::Null);
                }
                status => written.push(status.into()),
            }
        }
        match &written[..] {
            [] => {}
            [first, rest @ ..] if rest.iter().all(|status| status == first) => {
                if *first != Value::Null {
                    fields.push(("param_status".to_owned(), first.clone()));
                }
            }
            _ => fields.push(("param_status".to_owned(), Value::List(written))),
        }
        fields
    }

    /// Writes recorded outcomes of an execution where the driver wrote them.
    pub fn replay_outcome(&self, processed: Option<&Value>, status: Option<&Value>) {
        if let Some(processed) = processed.and_then(Value::as_int) {
            self.processed.set_ulen(processed as usize);
        }
        let at = |set: usize| match status {
            Some(Value::List(statuses)) => statuses.get(set).and_then(Value::as_int),
            Some(all) => all.as_int(),
            None => None,
        };
        for set in 0..self.size {
            if let Some(status) = at(set) {
                self.status.set_u16_at(set, status as u16);
            }
        }
    }
}

fn value(
    application: &Application,
    number: u16,
    set: usize,
    waiting: &mut Vec<Waiting>,
    in_out: &mut Vec<InOut>,
) -> Result<Value, Outcome> {
    let Some(BoundParameter { binding, parameter }) = application.parameter(number) else {
        return Ok(Value::Map(vec![("UNBOUND".to_owned(), Value::Null)]));
    };
    if ![0, INPUT, INPUT_OUTPUT].contains(&parameter.io) {
        return Err(not_yet("an output parameter"));
    }
    let mut c_type = CType(binding.c_type);
    if c_type == CType::DEFAULT {
        c_type = CType::default_for(parameter.sql_type);
    }
    let binding = application.at_set(binding, set, c_type.fixed_size());
    match bound::parameter(&binding, c_type) {
        bound::Sent::Value(value) => {
            if parameter.io == INPUT_OUTPUT {
                in_out.push(InOut { set, index: usize::from(number) - 1, binding, c_type });
            }
            Ok(value)
        }
        bound::Sent::AtExecution => {
            waiting.push(Waiting { set, index: usize::from(number) - 1, c_type, token: binding.target });
            Ok(Value::Map(vec![("DATA_AT_EXEC".to_owned(), Value::Null)]))
        }
        bound::Sent::Wrong(sqlstate, problem) => Err(Outcome::error(sqlstate, problem)),
    }
}
