//! Calls on a connection itself: transactions, attributes, allocations and the routing of its other calls.

use crate::call::{AttributeIn, Call, DriverCall};
use crate::diagnostics::{Outcome, rc};
use crate::mode::answers::functions_value;
use crate::mode::connection::{Connection, ConnectionMode, DescriptorMode, StatementMode, not_yet};
use crate::mode::descriptors::Descriptor;
use crate::mode::keys::{
    CallKey, allocate_key, attribute_call, attribute_key, attribute_value, disconnect_key, function_key,
    reaches_database,
};
use crate::mode::outcome::{push_outcome, recorded_outcome};
use crate::mode::polling::polls_key;
use crate::mode::record::{Recorded, perform, unwritable};
use crate::mode::replay::{Replayed, finished, mismatch};
use crate::mode::statement::Statement;
use crate::table::Function;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use super8_cassette::{Entry, Fields, Key, Method, Value};

/// SQL_ATTR_RESET_CONNECTION: a driver manager sets it when it puts a connection into its pool.
const RESET_CONNECTION: i32 = 116;

impl Connection<Recorded> {
    /// Records a command on the connection itself.
    fn command(&self, method: Method, mut fields: Fields, outcome: Outcome) -> Outcome {
        push_outcome(&mut fields, &outcome, &self.secrecy);
        let entry = Entry { method, connection: self.id(), statement: None, fields };
        self.cassettes.keep(&entry);
        if rc::succeeded(outcome.rc) {
            match method {
                Method::SetConnectAttr => self.moves.sets(&entry),
                _ => self.moves.transaction_ends(),
            }
        }
        self.own.local_outcomes.commanded();
        let written = self.recorder().command(&entry);
        written.map_or_else(unwritable, |()| outcome)
    }

    /// Makes the driver call. `Err` is what to return at once: the driver is still executing, or the polls cannot be
    /// written.
    fn polled(&self, function: Function, driver_call: &dyn DriverCall) -> Result<Outcome, Outcome> {
        let polled = self.is_polled();
        let outcome = perform(driver_call);
        if !polled && outcome.rc != rc::STILL_EXECUTING {
            return Ok(outcome);
        }
        let mut polls = self.polls.lock();
        if outcome.rc == rc::STILL_EXECUTING {
            polls.again(function);
            return Err(outcome);
        }
        let (call, times) = polls.done(function);
        drop(polls);
        if times > 0 {
            let mut fact = polls_key(self.id(), None, function, call);
            fact.push((Key::Result, times.into()));
            self.recorder().info(self.id(), fact).map_err(unwritable)?;
        }
        Ok(outcome)
    }

    fn set(&self, attribute: i32, value: &AttributeIn<'_>, outcome: &Outcome) {
        if let (true, AttributeIn::Number(value)) = (rc::succeeded(outcome.rc), value) {
            self.set_before(attribute, *value as usize);
        }
    }
}

impl ConnectionMode for Connection<Recorded> {
    fn serve(&self, function: Function, call: &Call<'_>, driver_call: &dyn DriverCall) -> Outcome {
        if !self.is_here() {
            // A child that only releases what it has from its parent records nothing.
            if let Call::Disconnect | Call::Cancel = call {
                return perform(driver_call);
            }
            if let Err(failure) = self.enter() {
                return failure;
            }
        }
        let reaches = match call {
            Call::EndTran { commit } => *commit,
            Call::SetConnectAttr { attribute, .. } => reaches_database(*attribute).is_some(),
            _ => false,
        };
        if (reaches || matches!(call, Call::EndTran { .. }))
            && let Err(failure) = self.follow(None, || Ok(()))
        {
            return failure;
        }
        let prepared = match reaches {
            true => self.recorder().prepare(self.id(), None, 0),
            false => self.recorder().check(),
        };
        if let Err(error) = prepared {
            // A call that takes back or ends something reaches the driver, and is not recorded.
            return match call {
                Call::EndTran { commit: false } | Call::Disconnect | Call::Cancel => perform(driver_call),
                _ => unwritable(error),
            };
        }
        match call {
            Call::EndTran { commit } => {
                let outcome = match self.polled(function, driver_call) {
                    Ok(outcome) => outcome,
                    Err(outcome) => return outcome,
                };
                self.command(if *commit { Method::Commit } else { Method::Rollback }, Fields::new(), outcome)
            }
            Call::SetConnectAttr { attribute, value } => {
                let outcome = match self.polled(function, driver_call) {
                    Ok(outcome) => outcome,
                    Err(outcome) => return outcome,
                };
                self.set(*attribute, value, &outcome);
                let recorded = attribute_value(value);
                match reaches_database(*attribute) {
                    Some(name) => {
                        let fields = Fields::from([(Key::Attribute, Value::from(name)), (Key::Value, recorded)]);
                        self.command(Method::SetConnectAttr, fields, outcome)
                    }
                    None => {
                        let call = attribute_call(*attribute, &recorded);
                        self.note_local(call, || attribute_key(*attribute, recorded), outcome)
                    }
                }
            }
            Call::Functions { function: asked, supported } => {
                let outcome = perform(driver_call);
                let key =
                    Fields::from([(Key::Function, Value::from("SQLGetFunctions")), (Key::Id, Value::from(*asked))]);
                let result = rc::succeeded(outcome.rc).then(|| functions_value(*asked, *supported));
                self.keep_info(key, result, outcome)
            }
            Call::Disconnect => {
                let outcome = perform(driver_call);
                let attempt = self.next_attempt();
                match outcome.rc {
                    rc::SUCCESS => outcome,
                    _ => {
                        let short = CallKey::of([Function::SQLDisconnect as u64, attempt.into()]);
                        self.note_local(short, || disconnect_key(self.id(), attempt), outcome)
                    }
                }
            }
            Call::Cancel => {
                let outcome = perform(driver_call);
                self.note_local(CallKey::of([function as u64]), || function_key(function), outcome)
            }
            Call::Allocate { kind } => {
                let outcome = perform(driver_call);
                self.note_local(CallKey::of([function as u64, *kind as u64]), || allocate_key(*kind), outcome)
            }
            Call::Ask(question) => self.ask(function, question, driver_call),
            _ => not_yet(function.name()),
        }
    }

    fn statement(self: Arc<Self>) -> Arc<dyn StatementMode> {
        Arc::new(Statement::new(self))
    }

    fn descriptor(self: Arc<Self>) -> Arc<dyn DescriptorMode> {
        Arc::new(Descriptor::new(self))
    }

    fn disconnected(&self) {
        if !self.is_here() {
            return;
        }
        if !self.own.closed.load(Ordering::Acquire) {
            for (recorder, id) in self.cassettes.all() {
                let entry = Entry::new(Method::Disconnect, id, None).with(Key::Result, Value::Null);
                if let Err(error) = recorder.note(&entry) {
                    crate::cassettes::unwritable(&error, true);
                }
            }
        }
        self.close();
    }
}

impl Connection<Replayed> {
    /// Plays a command on the connection.
    fn command(&self, method: Method, fields: Fields) -> Outcome {
        let asked = Entry { method, connection: self.id(), statement: None, fields };
        self.cassettes.keep(&asked);
        match self.player().command(&asked) {
            Ok(recorded) => {
                finished(&self.player());
                let outcome = recorded_outcome(|key| recorded.get(key));
                if rc::succeeded(outcome.rc) {
                    match method {
                        Method::SetConnectAttr => self.moves.sets(&asked),
                        _ => self.moves.transaction_ends(),
                    }
                }
                outcome
            }
            Err(error) => {
                if method.ends_transaction() {
                    // What the program wants to roll back does not keep the connection from going on in the next
                    // cassette.
                    self.moves.transaction_ends();
                }
                mismatch(error)
            }
        }
    }

    /// Marks the connection as idle, because the driver manager takes it from its pool or puts it there, if no
    /// statement handle is in use.
    pub(super) fn pooled(&self) {
        if self.own.handles.load(Ordering::Relaxed) == 0 {
            self.player().idle(self.id());
        }
    }

    /// Notes that a statement handle was freed.
    pub(super) fn statement_freed(&self) {
        self.own.handles.fetch_sub(1, Ordering::Relaxed);
        self.may_be_finished();
    }

    /// Returns SQL_STILL_EXECUTING, as often as it was recorded for a call on the connection itself.
    fn still_executing(&self, function: Function) -> Option<Outcome> {
        if !self.is_polled() {
            return None;
        }
        let mut polls = self.polls.lock();
        if polls.executing().is_none() {
            let call = polls.next(function);
            match self.recorded_polls(None, function, call) {
                Ok(times) => polls.begin(function, times),
                Err(failure) => return Some(failure),
            }
        }
        polls.poll().then(|| Outcome::of(rc::STILL_EXECUTING))
    }
}

impl ConnectionMode for Connection<Replayed> {
    fn serve(&self, function: Function, call: &Call<'_>, _: &dyn DriverCall) -> Outcome {
        if !self.is_here() {
            // A child that only releases what it has from its parent plays nothing.
            if let Call::Disconnect | Call::Cancel = call {
                return Outcome::SUCCESS;
            }
            if let Err(failure) = self.enter() {
                return failure;
            }
        }
        let reaches = match call {
            Call::EndTran { .. } => true,
            Call::SetConnectAttr { attribute, .. } => reaches_database(*attribute).is_some(),
            _ => false,
        };
        // An idle connection has no transaction to end; a client library may roll back just before it closes.
        let may_stay = matches!(call, Call::EndTran { .. });
        if reaches && let Err(failure) = self.follow(None, may_stay) {
            return failure;
        }
        if let Call::EndTran { .. } | Call::SetConnectAttr { .. } = call
            && let Some(polled) = self.still_executing(function)
        {
            return polled;
        }
        let outcome = match call {
            Call::EndTran { commit } => {
                self.command(if *commit { Method::Commit } else { Method::Rollback }, Fields::new())
            }
            Call::SetConnectAttr { attribute, value } => {
                if *attribute == RESET_CONNECTION {
                    self.pooled();
                }
                let recorded = attribute_value(value);
                let outcome = match reaches_database(*attribute) {
                    Some(name) => self.command(
                        Method::SetConnectAttr,
                        Fields::from([(Key::Attribute, Value::from(name)), (Key::Value, recorded)]),
                    ),
                    None => self.local(Function::SQLSetConnectAttr, || attribute_key(*attribute, recorded)),
                };
                if let (true, AttributeIn::Number(number)) = (rc::succeeded(outcome.rc), value) {
                    self.set_before(*attribute, *number as usize);
                }
                outcome
            }
            Call::Functions { function: asked, supported } => self.functions(*asked, *supported),
            Call::Disconnect => {
                let attempt = self.next_attempt();
                self.local(Function::SQLDisconnect, || disconnect_key(self.id(), attempt))
            }
            Call::Cancel => self.local(function, || function_key(function)),
            Call::Allocate { kind } => self.local(Function::SQLAllocHandle, || allocate_key(*kind)),
            Call::Ask(question) => self.ask(function, question),
            _ => Outcome::error("HYC00", format!("replay: {} cannot be replayed yet", function.name())),
        };
        finished(&self.player());
        self.secrecy.restored(outcome)
    }

    fn statement(self: Arc<Self>) -> Arc<dyn StatementMode> {
        self.own.handles.fetch_add(1, Ordering::Relaxed);
        Arc::new(Statement::new(self))
    }

    fn descriptor(self: Arc<Self>) -> Arc<dyn DescriptorMode> {
        Arc::new(Descriptor::new(self))
    }

    fn disconnected(&self) {
        if !self.is_here() {
            return;
        }
        self.leave();
    }
}
