//! Descriptors: how their fields reach into the application's model of a statement, and calls on them. While recording,
//! questions become answers. At replay they are answered from the recording, or from what the application set.
//!
//! ODBC reference: SQLSetDescField ("Initialization of Descriptor Fields"), and SQLSetStmtAttr for the attributes that
//! are header fields.

use crate::args::{Binding, Parameter, Place};
use crate::call::{Call, DriverCall, Question};
use crate::descriptor::{ApplicationDescriptor, Content, DescriptorRole, SharedDescriptor};
use crate::diagnostics::{Outcome, rc};
use crate::mode::answers::ask;
use crate::mode::application::{Application, attribute};
use crate::mode::connection::{Connection, DescriptorMode, Interception};
use crate::mode::keys::{CallKey, keeps_buffer_key, local_call, local_key};
use crate::mode::outcome::{input_value, write_result};
use crate::mode::record::{Recorded, perform, unwritable};
use crate::mode::replay::{Replayed, not_recorded};
use crate::table::Function;
use std::sync::Arc;
use super8_cassette::{Fields, Key, Value};

/// Returns the concise type of a verbose one: SQL_DATETIME (9) and SQL_INTERVAL (10) with their subcode. Any other type
/// is its own concise type (SQLSetDescField, SQL_DESC_TYPE).
fn concise(kind: i16, subcode: i16) -> i16 {
    match kind {
        9 if (1..=3).contains(&subcode) => 90 + subcode,
        10 if (1..=13).contains(&subcode) => 100 + subcode,
        other => other,
    }
}

/// Descriptor fields by their ODBC names.
mod field {
    use odbc_sys::Desc as D;
    pub const COUNT: i16 = D::Count as i16;
    pub const ARRAY_SIZE: i16 = D::ArraySize as i16;
    pub const ARRAY_STATUS_PTR: i16 = D::ArrayStatusPtr as i16;
    pub const BIND_OFFSET_PTR: i16 = D::BindOffsetPtr as i16;
    pub const BIND_TYPE: i16 = D::BindType as i16;
    pub const ROWS_PROCESSED_PTR: i16 = D::RowsProcessedPtr as i16;
    pub const TYPE: i16 = D::Type as i16;
    pub const CONCISE_TYPE: i16 = D::ConciseType as i16;
    pub const SUBCODE: i16 = D::DatetimeIntervalCode as i16;
    pub const DATA_PTR: i16 = D::DataPtr as i16;
    pub const INDICATOR_PTR: i16 = D::IndicatorPtr as i16;
    pub const OCTET_LENGTH_PTR: i16 = D::OctetLengthPtr as i16;
    pub const OCTET_LENGTH: i16 = D::OctetLength as i16;
    pub const PARAMETER_TYPE: i16 = D::ParameterType as i16;
    pub const PRECISION: i16 = D::Precision as i16;
    pub const SCALE: i16 = D::Scale as i16;
}

/// Returns the statement attribute that is the same as a header field of an implementation descriptor.
fn header_attribute(role: DescriptorRole, field: i16) -> Option<i32> {
    match (role, field) {
        (DescriptorRole::ImplementationRow, field::ARRAY_STATUS_PTR) => Some(attribute::ROW_STATUS_PTR),
        (DescriptorRole::ImplementationRow, field::ROWS_PROCESSED_PTR) => Some(attribute::ROWS_FETCHED_PTR),
        (DescriptorRole::ImplementationParameter, field::ARRAY_STATUS_PTR) => Some(attribute::PARAM_STATUS_PTR),
        (DescriptorRole::ImplementationParameter, field::ROWS_PROCESSED_PTR) => Some(attribute::PARAMS_PROCESSED_PTR),
        _ => None,
    }
}

/// Returns whether a call, on the statement or on one of its descriptors, sets where the driver writes how many rows it
/// fetched.
pub fn sets_row_counter(role: Option<DescriptorRole>, call: &Call<'_>) -> bool {
    let attribute = match (role, call) {
        (None, Call::SetStmtAttr { attribute, .. }) => Some(*attribute),
        (Some(role), Call::SetDescField { field, .. }) => header_attribute(role, *field),
        _ => None,
    };
    attribute == Some(attribute::ROWS_FETCHED_PTR)
}

/// Returns whether a field is deferred. Setting any other field of a record unbinds its buffer.
pub fn is_deferred(field: i16) -> bool {
    matches!(field, field::DATA_PTR | field::INDICATOR_PTR | field::OCTET_LENGTH_PTR)
}

/// SQL_DESC_DATA_PTR.
pub const BUFFER: i16 = field::DATA_PTR;

/// A record whose type is not known yet.
const FRESH: Binding = Binding {
    c_type: odbc_sys::CDataType::Default as i16,
    target: Place::NULL,
    capacity: 0,
    length: Place::NULL,
    indicator: Place::NULL,
    numeric: None,
};

/// Applies a call to an application descriptor. `unbinds` says whether setting a field unbinds the record's buffer.
pub fn apply(descriptor: &mut ApplicationDescriptor, call: &Call<'_>, unbinds: bool) {
    match call {
        Call::SetDescField { field, value, .. } if is_header(*field) => set_header(descriptor, *field, value.place()),
        Call::SetDescField { record, field, value } => {
            let mut binding = descriptor.record(*record as u16).unwrap_or(FRESH);
            set_field(&mut binding, *field, value.place());
            if unbinds && !is_deferred(*field) {
                binding.target = Place::NULL;
            }
            descriptor.set_record(*record as u16, Some(binding));
        }
        Call::SetDescRec { record, kind, subtype, binding, precision, scale } => {
            let numeric = Some((*precision as u8, *scale as i8)).filter(|_| *kind == NUMERIC);
            let binding = Binding { c_type: concise(*kind, *subtype), numeric, ..*binding };
            descriptor.set_record(*record as u16, Some(binding));
        }
        Call::CopyDescriptor { content: Content::Application(content), .. } => *descriptor = content.clone(),
        _ => {}
    }
}

/// SQL_C_NUMERIC.
const NUMERIC: i16 = odbc_sys::CDataType::Numeric as i16;

/// Returns whether a field belongs to the descriptor itself. The record number means nothing then.
pub fn is_header(field: i16) -> bool {
    matches!(
        field,
        field::ARRAY_SIZE
            | field::ARRAY_STATUS_PTR
            | field::BIND_OFFSET_PTR
            | field::BIND_TYPE
            | field::COUNT
            | field::ROWS_PROCESSED_PTR
    )
}

fn set_header(descriptor: &mut ApplicationDescriptor, field: i16, value: Place) {
    let number = value.address() as usize;
    match field {
        field::ARRAY_SIZE => descriptor.array_size = Some(number),
        field::ARRAY_STATUS_PTR => descriptor.operation = Some(value),
        field::BIND_OFFSET_PTR => descriptor.bind_offset = Some(value),
        field::BIND_TYPE => descriptor.bind_type = Some(value.address() as u32 as usize),
        field::COUNT => descriptor.truncate(usize::from(number as u16)),
        _ => {}
    }
}

fn set_field(binding: &mut Binding, field: i16, value: Place) {
    let number = value.address() as isize;
    match field {
        field::TYPE | field::CONCISE_TYPE => (binding.c_type, binding.numeric) = (number as i16, None),
        field::SUBCODE => binding.c_type = concise(binding.c_type, number as i16),
        field::DATA_PTR => binding.target = value,
        field::INDICATOR_PTR => binding.indicator = value,
        field::OCTET_LENGTH_PTR => binding.length = value,
        field::OCTET_LENGTH => binding.capacity = number,
        field::PRECISION => binding.numeric = Some((number as u8, binding.numeric.map_or(0, |(_, scale)| scale))),
        field::SCALE => binding.numeric = Some((binding.numeric.map_or(0, |(precision, _)| precision), number as i8)),
        _ => {}
    }
}

/// Returns the address that a field of an application descriptor holds; null if it was never set.
pub fn address(descriptor: &ApplicationDescriptor, record: u16, field: i16) -> Place {
    let binding = descriptor.record(record).unwrap_or(FRESH);
    match (record, field) {
        (_, field::ARRAY_STATUS_PTR) => descriptor.operation.unwrap_or(Place::NULL),
        (_, field::BIND_OFFSET_PTR) => descriptor.bind_offset.unwrap_or(Place::NULL),
        (_, field::DATA_PTR) => binding.target,
        (_, field::INDICATOR_PTR) => binding.indicator,
        (_, field::OCTET_LENGTH_PTR) => binding.length,
        _ => Place::NULL,
    }
}

/// Returns the number that a field of an application descriptor holds, if the application set it.
pub fn number(descriptor: &ApplicationDescriptor, record: u16, field: i16) -> Option<i64> {
    let of_record = |number: fn(Binding) -> i64| descriptor.record(record).map(number);
    match (record, field) {
        (_, field::COUNT) => Some(i64::from(descriptor.count())),
        (_, field::ARRAY_SIZE) => Some(descriptor.size() as i64),
        (_, field::BIND_TYPE) => Some(descriptor.bind_type.unwrap_or(0) as i64),
        (_, field::CONCISE_TYPE) => of_record(|binding| i64::from(binding.c_type)),
        (_, field::OCTET_LENGTH) => of_record(|binding| binding.capacity as i64),
        (_, field::PRECISION) => descriptor.record(record)?.numeric.map(|(precision, _)| i64::from(precision)),
        (_, field::SCALE) => descriptor.record(record)?.numeric.map(|(_, scale)| i64::from(scale)),
        _ => None,
    }
}

impl Application {
    /// Applies SQLSetDescField, SQLSetDescRec and SQLCopyDesc to one of the statement's descriptors. `unbinds` says
    /// whether setting a field of a record unbinds its buffer.
    pub fn apply_to_descriptor(&mut self, role: DescriptorRole, call: &Call<'_>, unbinds: bool) {
        match role {
            DescriptorRole::ApplicationRow => self.columns.edit(|columns| apply(columns, call, unbinds)),
            DescriptorRole::ApplicationParameter => self.parameters.edit(|parameters| apply(parameters, call, unbinds)),
            DescriptorRole::ImplementationRow | DescriptorRole::ImplementationParameter => match call {
                Call::SetDescField { field, value, .. } if is_header(*field) => {
                    if let Some(attribute) = header_attribute(role, *field) {
                        self.set(attribute, value.place());
                    }
                }
                Call::SetDescField { record, field, value } if role == DescriptorRole::ImplementationParameter => {
                    self.edit_marker(*record as u16, *field, value.place().address() as isize);
                }
                Call::SetDescRec { record, kind, subtype, .. } if role == DescriptorRole::ImplementationParameter => {
                    let sql_type = concise(*kind, *subtype);
                    self.set_marker(*record as u16, Parameter { sql_type, ..self.marker(*record as u16) });
                }
                Call::CopyDescriptor { content: Content::Parameters(markers), .. } => self.markers = markers.clone(),
                _ => {}
            },
        }
    }

    fn edit_marker(&mut self, number: u16, field: i16, value: isize) {
        let mut marker = self.marker(number);
        match field {
            field::PARAMETER_TYPE => marker.io = value as i16,
            field::TYPE | field::CONCISE_TYPE => marker.sql_type = value as i16,
            field::SUBCODE => marker.sql_type = concise(marker.sql_type, value as i16),
            _ => {}
        }
        self.set_marker(number, marker);
    }

    /// Returns what SQLCopyDesc finds in one of the statement's descriptors.
    pub fn content(&self, role: DescriptorRole) -> Content {
        match role {
            DescriptorRole::ApplicationRow => Content::Application((*self.columns).clone()),
            DescriptorRole::ApplicationParameter => Content::Application((*self.parameters).clone()),
            DescriptorRole::ImplementationParameter => Content::Parameters(self.markers.clone()),
            DescriptorRole::ImplementationRow => Content::Columns,
        }
    }

    /// Returns the address that a descriptor field holds (SQLGetDescField); null if it was never set.
    pub fn descriptor_address(&self, role: DescriptorRole, record: u16, field: i16) -> Place {
        match role {
            DescriptorRole::ApplicationRow => address(&self.columns, record, field),
            DescriptorRole::ApplicationParameter => address(&self.parameters, record, field),
            _ => header_attribute(role, field).map_or(Place::NULL, |attribute| self.address(attribute)),
        }
    }

    /// Returns what the application set that a descriptor field depends on, for the key of an answer: the number
    /// itself, or everything it said of the parameter.
    pub fn descriptor_set(&self, role: DescriptorRole, record: u16, field: i16) -> Option<Value> {
        match role {
            DescriptorRole::ImplementationParameter if field == field::COUNT => {
                Some(Value::List(vec![Value::from(self.parameters.count())]))
            }
            DescriptorRole::ImplementationParameter if !is_header(field) => {
                self.parameters.record(record)?;
                let Parameter { io, sql_type, size, digits } = self.known_marker(record)?;
                Some(Value::List(vec![io.into(), sql_type.into(), (size as i64).into(), digits.into()]))
            }
            _ => self.descriptor_number(role, record, field).map(Value::from),
        }
    }

    /// Returns the number that a descriptor field holds, if the application set it.
    pub fn descriptor_number(&self, role: DescriptorRole, record: u16, field: i16) -> Option<i64> {
        match role {
            DescriptorRole::ApplicationRow => number(&self.columns, record, field),
            DescriptorRole::ApplicationParameter => number(&self.parameters, record, field),
            DescriptorRole::ImplementationParameter if field == field::PARAMETER_TYPE => {
                Some(i64::from(self.marker(record).io))
            }
            _ => None,
        }
    }
}

/// A descriptor that the application allocated.
pub struct Descriptor<I: Interception> {
    connection: Arc<Connection<I>>,
    shared: Arc<SharedDescriptor>,
}

impl<I: Interception> Descriptor<I> {
    /// Returns the connection's next descriptor.
    pub(super) fn new(connection: Arc<Connection<I>>) -> Self {
        let shared = SharedDescriptor::new(connection.next_descriptor());
        Descriptor { connection, shared }
    }
}

impl DescriptorMode for Descriptor<Recorded> {
    fn serve(&self, function: Function, call: &Call<'_>, driver_call: &dyn DriverCall) -> Outcome {
        if !self.connection.is_here() {
            // A child that only releases what it has from its parent records nothing.
            if let Call::FreeDescriptor = call {
                return perform(driver_call);
            }
            if let Err(failure) = self.connection.enter() {
                return failure;
            }
        }
        let before = self.shared.content();
        let name = i64::from(self.shared.number);
        let set = |record, field| number(&before, record, field).map(Value::from);
        let outcome =
            self.connection.on_descriptor(name, function, call, driver_call, (Some(&before), &set), |unbinds| {
                self.shared.edit(|content| apply(content, call, unbinds));
            });
        if let Call::Ask(question) = call
            && rc::succeeded(outcome.rc)
        {
            question.answer_address(|record, field| address(&before, record, field));
        }
        outcome
    }

    fn shared(&self) -> Arc<SharedDescriptor> {
        Arc::clone(&self.shared)
    }
}
impl Connection<Recorded> {
    /// Serves a call on the descriptor that the cassette calls `descriptor`: the number of one that the application
    /// allocated, or the attribute by which a statement's descriptor is known. `before` is what an application
    /// descriptor held, and `set` returns what the application itself put into a field. `apply` takes in a call that
    /// succeeded, and is told whether setting a field unbinds the buffer.
    pub(super) fn on_descriptor(
        &self,
        descriptor: i64,
        function: Function,
        call: &Call<'_>,
        driver_call: &dyn DriverCall,
        (before, set): (Option<&ApplicationDescriptor>, &dyn Fn(u16, i16) -> Option<Value>),
        apply: impl FnOnce(bool),
    ) -> Outcome {
        match call {
            Call::Ask(question) if question.is_address() => perform(driver_call),
            Call::Ask(question) => {
                let width = |function, question: &Question<'_>| self.width(descriptor, function, question, driver_call);
                let asked = ask(function, question, driver_call, false, width);
                if asked.outcome.rc == rc::STILL_EXECUTING {
                    return asked.outcome;
                }
                let mut key = Fields::from([
                    (Key::Function, Value::from(function.name())),
                    (Key::Descriptor, Value::from(descriptor)),
                ]);
                let inputs = question.inputs.iter();
                key.extend(inputs.map(|(name, input)| ((*name).to_owned(), input_value(input))));
                let number = |name| question.int(name).unwrap_or_default();
                let set = (function == Function::SQLGetDescField)
                    .then(|| set(number(Key::Record) as u16, number(Key::Field) as i16))
                    .flatten();
                self.keep_answers(key, question, asked, set)
            }
            _ => {
                let outcome = perform(driver_call);
                if rc::succeeded(outcome.rc) {
                    match self.unbinds(call, driver_call, before) {
                        Ok(unbinds) => apply(unbinds),
                        Err(error) => return unwritable(error),
                    }
                }
                let short = local_call(function, Some(descriptor), call);
                let outcome = self.note_local(short, || local_key(function, Some(descriptor), call), outcome);
                if matches!(call, Call::FreeDescriptor) && rc::succeeded(outcome.rc) {
                    self.forget_descriptor(descriptor);
                }
                outcome
            }
        }
    }

    /// Returns whether setting a field unbound the record's buffer, as ODBC says it does. Drivers differ, and super8
    /// may read a buffer only if it is bound, so it asks the driver if there was one.
    fn unbinds(
        &self,
        call: &Call<'_>,
        driver_call: &dyn DriverCall,
        before: Option<&ApplicationDescriptor>,
    ) -> Result<bool, super8_cassette::CassetteError> {
        let Call::SetDescField { record, field, .. } = call else { return Ok(true) };
        let bound = before.and_then(|before| before.record(*record as u16)).is_some_and(|was| !was.target.is_null());
        if !bound || is_deferred(*field) || is_header(*field) {
            return Ok(true);
        }
        let keeps = driver_call.field_address(*record, BUFFER).is_some_and(|address| !address.is_null());
        let said = keeps.then(|| Fields::from([(Key::Result, Value::Bool(true))]));
        let call = CallKey::of([Function::SQLSetDescField as u64, u64::MAX, *field as u64]);
        self.note_outcome(call, || keeps_buffer_key(*field), said)?;
        Ok(!keeps)
    }
}

impl DescriptorMode for Descriptor<Replayed> {
    fn serve(&self, function: Function, call: &Call<'_>, _: &dyn crate::call::DriverCall) -> Outcome {
        if !self.connection.is_here() {
            // A child that only releases what it has from its parent plays nothing.
            if let Call::FreeDescriptor = call {
                return Outcome::SUCCESS;
            }
            if let Err(failure) = self.connection.enter() {
                return failure;
            }
        }
        let content = self.shared.content();
        let outcome = self.connection.on_descriptor(
            i64::from(self.shared.number),
            function,
            call,
            |record, field| {
                let number = number(&content, record, field);
                KnownField { address: address(&content, record, field), number, set: number.map(Value::from) }
            },
            |unbinds| {
                self.shared.edit(|content| apply(content, call, unbinds));
            },
        );
        self.connection.secrecy.restored(outcome)
    }

    fn shared(&self) -> Arc<SharedDescriptor> {
        Arc::clone(&self.shared)
    }
}

/// What the application's own side knows of a field.
pub(super) struct KnownField {
    /// The address in the field.
    pub(super) address: crate::args::Place,
    /// The number in the field, if it was set.
    pub(super) number: Option<i64>,
    /// What the application set, as the key of an answer that depends on it has it.
    pub(super) set: Option<Value>,
}
impl Connection<Replayed> {
    /// Serves a call on a descriptor, by its name in the cassette. `known` returns what the application put into a
    /// field, and `apply` takes in a call that succeeded.
    pub(super) fn on_descriptor(
        &self,
        descriptor: i64,
        function: Function,
        call: &Call<'_>,
        known: impl FnOnce(u16, i16) -> KnownField,
        apply: impl FnOnce(bool),
    ) -> Outcome {
        let asked = |question: &Question<'_>| {
            let number = |name| question.int(name).unwrap_or_default();
            (number(Key::Record) as u16, number(Key::Field) as i16)
        };
        match call {
            Call::Ask(question) if question.is_address() => {
                question.answer_address(|record, field| known(record, field).address);
                Outcome::SUCCESS
            }
            Call::Ask(question) => {
                let mut key = Fields::from([
                    (Key::Function, Value::from(function.name())),
                    (Key::Descriptor, Value::from(descriptor)),
                ]);
                let inputs = question.inputs.iter();
                key.extend(inputs.map(|(name, input)| (*name, input_value(input))));
                let (record, field) = asked(question);
                let known = Some(known(record, field)).filter(|_| function == Function::SQLGetDescField);
                let set = known.as_ref().and_then(|known| known.set.clone());
                if let Some(answer) = set.and_then(|set| self.recorded_answer(&key, question, Some(&set))) {
                    return answer;
                }
                let number = known.as_ref().and_then(|known| known.number).map(Value::from);
                let is_set = number.is_some() && number == known.and_then(|known| known.set);
                let answer = if is_set { None } else { self.recorded_answer(&key, question, None) };
                if let (None, Some(number)) = (&answer, number) {
                    write_result(question, &number);
                    return Outcome::SUCCESS;
                }
                answer.unwrap_or_else(|| not_recorded(&format!("{}({record}, {field})", function.name())))
            }
            _ => {
                let outcome = self.local(function, || local_key(function, Some(descriptor), call));
                if rc::succeeded(outcome.rc) {
                    match self.unbinds(call) {
                        Ok(unbinds) => apply(unbinds),
                        Err(failure) => return failure,
                    }
                }
                outcome
            }
        }
    }

    /// Returns whether setting a field unbinds the record's buffer. It does, unless the recorded driver kept it.
    fn unbinds(&self, call: &Call<'_>) -> Result<bool, Outcome> {
        let Call::SetDescField { field, .. } = call else { return Ok(true) };
        if is_deferred(*field) {
            return Ok(true);
        }
        Ok(self.local_outcome(&keeps_buffer_key(*field))?.is_none_or(|kept| kept.get(Key::Result).is_none()))
    }
}
