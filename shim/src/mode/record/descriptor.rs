//! Calls on descriptors while recording: questions become answers, the rest is the application's own side.

use super::asked::ask;
use super::connection::Connection;
use super::{perform, unwritable};
use crate::call::{Call, DriverCall, Question};
use crate::descriptor::{ApplicationDescriptor, SharedDescriptor};
use crate::diagnostics::{Outcome, rc};
use crate::mode::DescriptorMode;
use crate::mode::descriptors::{self, BUFFER};
use crate::mode::keys::{CallKey, keeps_buffer_key, local_call, local_key};
use crate::mode::outcome::input_value;
use crate::table::Function;
use std::sync::Arc;
use super8_cassette::{Fields, Key, Value};

/// A descriptor that the application allocated.
pub struct Descriptor {
    connection: Arc<Connection>,
    shared: Arc<SharedDescriptor>,
}

impl Descriptor {
    /// The connection's next one.
    pub fn new(connection: Arc<Connection>) -> Self {
        let shared = SharedDescriptor::new(connection.next_descriptor());
        Descriptor { connection, shared }
    }
}

impl DescriptorMode for Descriptor {
    fn serve(&self, function: Function, call: &Call<'_>, driver_call: &dyn DriverCall) -> Outcome {
        if !self.connection.is_here() {
            // A child that only lets go of what it has from its parent records nothing.
            if let Call::FreeDescriptor = call {
                return perform(driver_call);
            }
            if let Err(failure) = self.connection.enter() {
                return failure;
            }
        }
        let before = self.shared.content();
        let number = i64::from(self.shared.number);
        let set = |record, field| descriptors::number(&before, record, field).map(Value::from);
        let told =
            self.connection.on_descriptor(number, function, call, driver_call, (Some(&before), &set), |unbinds| {
                self.shared.edit(|content| descriptors::apply(content, call, unbinds));
            });
        if let Call::Ask(question) = call
            && rc::succeeded(told.rc)
        {
            question.answer_address(|record, field| descriptors::address(&before, record, field));
        }
        told
    }

    fn shared(&self) -> Arc<SharedDescriptor> {
        Arc::clone(&self.shared)
    }
}

impl Connection {
    /// A call on a descriptor, which the cassette calls `descriptor`: a number of the application's own, or the attribute
    /// a statement's is known by. `before` is what an application descriptor held, and `set` what the application itself put into
    /// a field; `apply` takes a call in that succeeded, and is told whether setting a field unbinds the buffer.
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
                self.inform_all(key, question, asked, set)
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

    /// Whether setting a field unbound the record's buffer, as ODBC has it. Drivers differ, and a buffer must be known to
    /// be bound to be read; so the driver is asked where there was one.
    fn unbinds(
        &self,
        call: &Call<'_>,
        driver_call: &dyn DriverCall,
        before: Option<&ApplicationDescriptor>,
    ) -> Result<bool, super8_cassette::CassetteError> {
        let Call::SetDescField { record, field, .. } = call else { return Ok(true) };
        let bound = before.and_then(|before| before.record(*record as u16)).is_some_and(|was| !was.target.is_null());
        if !bound || descriptors::is_deferred(*field) || descriptors::is_header(*field) {
            return Ok(true);
        }
        let keeps = driver_call.field_address(*record, BUFFER).is_some_and(|address| !address.is_null());
        let said = keeps.then(|| Fields::from([(Key::Result, Value::Bool(true))]));
        let call = CallKey::of([Function::SQLSetDescField as u64, u64::MAX, *field as u64]);
        self.note_outcome(call, || keeps_buffer_key(*field), said)?;
        Ok(!keeps)
    }
}
