//! Calls on descriptors at replay: questions are answered from the recording, or from what the application set.

use super::connection::Connection;
use super::not_recorded;
use crate::call::{Call, Question};
use crate::descriptor::SharedDescriptor;
use crate::diagnostics::{Outcome, rc};
use crate::mode::keys::{keeps_buffer_key, local_key};
use crate::mode::outcome::{input_value, write_result};
use crate::mode::{DescriptorMode, descriptors};
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
    fn serve(&self, function: Function, call: &Call<'_>, _: &dyn crate::call::DriverCall) -> Outcome {
        if !self.connection.is_here() {
            // A child that only lets go of what it has from its parent plays nothing.
            if let Call::FreeDescriptor = call {
                return Outcome::SUCCESS;
            }
            if let Err(failure) = self.connection.enter() {
                return failure;
            }
        }
        let content = self.shared.content();
        let told = self.connection.on_descriptor(
            i64::from(self.shared.number),
            function,
            call,
            |record, field| {
                let number = descriptors::number(&content, record, field);
                Known { address: descriptors::address(&content, record, field), number, set: number.map(Value::from) }
            },
            |unbinds| {
                self.shared.edit(|content| descriptors::apply(content, call, unbinds));
            },
        );
        self.connection.secrecy.restored(told)
    }

    fn shared(&self) -> Arc<SharedDescriptor> {
        Arc::clone(&self.shared)
    }
}

/// What the application's own side says of a field.
pub(super) struct Known {
    /// The address in it.
    pub(super) address: crate::args::Place,
    /// The number in it, if it was set.
    pub(super) number: Option<i64>,
    /// What the application set, as it stands in the key of an answer that depends on it.
    pub(super) set: Option<Value>,
}

impl Connection {
    /// A call on a descriptor, by its name in the cassette. `known` says what the application put into a field, `apply`
    /// takes in a call that succeeded.
    pub(super) fn on_descriptor(
        &self,
        descriptor: i64,
        function: Function,
        call: &Call<'_>,
        known: impl FnOnce(u16, i16) -> Known,
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
                let told = self.local(function, || local_key(function, Some(descriptor), call));
                if rc::succeeded(told.rc) {
                    match self.unbinds(call) {
                        Ok(unbinds) => apply(unbinds),
                        Err(failure) => return failure,
                    }
                }
                told
            }
        }
    }

    /// Whether setting a field unbinds the record's buffer: it does, unless the recorded driver kept it.
    fn unbinds(&self, call: &Call<'_>) -> Result<bool, Outcome> {
        let Call::SetDescField { field, .. } = call else { return Ok(true) };
        if descriptors::is_deferred(*field) {
            return Ok(true);
        }
        Ok(self.unusual(&keeps_buffer_key(*field))?.is_none_or(|kept| kept.get(Key::Result).is_none()))
    }
}
