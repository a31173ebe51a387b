//! A recorded connection: its connect command, its transactions and attributes, its answers.

use super::asked::{Asked, ask};
use super::descriptor::Descriptor;
use super::local_outcomes::LocalOutcomes;
use super::nulls::Nulls;
use super::statement::Statement;
use super::{perform, unwritable};
use crate::args::TextIn;
use crate::call::{AttributeIn, Call, DriverCall, Question};
use crate::cassettes::Origin;
use crate::diagnostics::{Diagnostic, Outcome, rc};
use crate::mode::connection_cassette::{CONTINUED, ConnectionCassette, Held};
use crate::mode::keys::{
    CallKey, address_call, address_key, allocate_key, attribute_call, attribute_key, attribute_value, disconnect_key,
    function_key, reaches_database,
};
use crate::mode::moving::{Moves, Use};
use crate::mode::outcome::{Secrecy, key, push_outcome, result_value};
use crate::mode::polling::{ASYNC_ENABLE, ASYNC_FUNCTIONS, Polls, polls_key};
use crate::mode::probe::{CONNECTION_DEAD, Probe};
use crate::mode::{ConnectionMode, DescriptorMode, StatementMode, functions, not_yet};
use crate::table::Function;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use super8_cassette::{CassetteError, ConnectionId, Entry, Fields, Key, Method, Recorder, Value, process};

/// A connection being recorded.
pub struct Connection {
    home: ConnectionCassette<Recorder>,
    /// The process in which it is recorded.
    process: AtomicU32,
    pub(super) secrecy: Secrecy,
    statements: AtomicU32,
    /// Which of them ask for answers with rows: those have no number at replay.
    result_answers: Mutex<Vec<u32>>,
    /// The same of the process that this one was forked from.
    parents_result_answers: Mutex<Vec<u32>>,
    descriptors: AtomicU32,
    pub(super) probe: Probe,
    open: AtomicBool,
    /// How often the application tried to disconnect.
    attempts: AtomicU32,
    /// Attributes as the application set them.
    attributes: Mutex<HashMap<i32, i64>>,
    /// Whether SQL_ATTR_ASYNC_ENABLE was ever switched on for all statements.
    asynchronous: AtomicBool,
    /// Whether SQL_ATTR_ASYNC_DBC_FUNCTIONS_ENABLE ever was: calls on the connection itself are counted from then on.
    polled: AtomicBool,
    /// How often calls on the connection itself were polled.
    polls: Mutex<Polls>,
    /// Calls that usually go as nobody writes down.
    pub(super) usual: LocalOutcomes,
    /// Whether the driver ever had its own way with a row counter or row states.
    pub(super) odd_places: AtomicBool,
    /// How many bytes the driver writes of numbers that are answers.
    pub(super) widths: Mutex<HashMap<(Function, i64, i64), Option<u8>>>,
    /// What the driver leaves in the buffers of NULLs.
    pub(super) nulls: Nulls,
    /// It was found out what the driver does when a column is bound.
    pub(super) binds: AtomicBool,
    /// The driver's own warning for SQLGetData's pieces, once it was seen.
    pub(super) truncation: Mutex<Option<Vec<Diagnostic>>>,
    /// What is needed to go on in another cassette.
    pub(super) moves: Moves,
}

/// What a connect command says, as the cassette has it.
pub struct Connect {
    /// `dsn` or `driver`, `connection_string`, `attributes`.
    pub asked: Fields,
    /// `server`, `database`, `user_hash`, `schema`: those that are known.
    pub facts: Vec<(String, Value)>,
    /// The completed connection string as a template, where the application asked for it.
    pub completed: Option<Value>,
    /// Questions about the environment and their replies, and how often each was asked.
    pub environment: Vec<(Fields, u32)>,
}

impl Connection {
    /// Records a connect that was done (or failed).
    ///
    /// # Errors
    /// The cassette cannot be written.
    pub fn begin(
        recorder: &Arc<Recorder>,
        origin: Origin,
        connect: Connect,
        outcome: &Outcome,
        secrecy: Secrecy,
        probe: Probe,
    ) -> Result<Arc<Connection>, CassetteError> {
        let id = recorder.connection();
        let mut fields = connect.asked;
        if rc::succeeded(outcome.rc) || !connect.facts.is_empty() {
            fields.add(Key::Result, Value::Map(connect.facts));
        }
        fields.extend(connect.completed.map(|completed| (Key::Completed, completed)));
        push_outcome(&mut fields, outcome, &secrecy);
        let entry = Entry { method: Method::Connect, connection: id, statement: None, fields };
        let connection = Connection {
            home: ConnectionCassette::new(Arc::clone(recorder), id, origin, entry.clone()),
            process: AtomicU32::new(process::id()),
            secrecy,
            statements: AtomicU32::new(0),
            result_answers: Mutex::default(),
            parents_result_answers: Mutex::default(),
            descriptors: AtomicU32::new(0),
            probe,
            open: AtomicBool::new(true),
            attempts: AtomicU32::new(0),
            attributes: Mutex::default(),
            asynchronous: AtomicBool::new(false),
            polled: AtomicBool::new(false),
            polls: Mutex::default(),
            usual: LocalOutcomes::default(),
            odd_places: AtomicBool::new(false),
            widths: Mutex::default(),
            nulls: Nulls::default(),
            binds: AtomicBool::new(false),
            truncation: Mutex::new(None),
            moves: Moves::default(),
        };
        let connection = Arc::new(connection);
        let written = recorder.command(&entry);
        let environment =
            connect.environment.into_iter().try_for_each(|(answer, times)| recorder.before(id, answer, times));
        let adopted =
            if rc::succeeded(outcome.rc) { recorder.adopt(id, || connection.next_result_answer()) } else { Ok(()) };
        if let Err(error) = written.and(environment).and(adopted) {
            connection.disconnected();
            return Err(error);
        }
        if !rc::succeeded(outcome.rc) {
            connection.close();
        }
        Ok(connection)
    }

    /// Whether it is recorded in this process: a forked child has its parent's connections.
    pub(super) fn is_here(&self) -> bool {
        self.process.load(Ordering::Relaxed) == process::id()
    }

    /// In a forked child, goes on in a part of the child's own.
    ///
    /// # Errors
    /// The part cannot be written.
    pub(super) fn enter(&self) -> Result<(), Outcome> {
        if self.is_here() {
            return Ok(());
        }
        self.home.go_on(|origin, trace, connect, parents| {
            let recorder = origin.recorder(trace).map_err(|error| Outcome::error("HY000", error))?;
            let id = recorder.connection();
            let entry = Entry { connection: id, ..connect.clone() }.with(Key::Parent, parents.to_string());
            recorder.command(&entry).map_err(unwritable)?;
            Ok((recorder, id))
        })?;
        // the part has none of the parent's answers with rows: the numbers go on without them
        let answers =
            self.result_answers.try_lock().map(|mut answers| std::mem::take(&mut *answers)).unwrap_or_default();
        self.statements.fetch_sub(answers.len() as u32, Ordering::Relaxed);
        if let Some(mut parents) = self.parents_result_answers.try_lock() {
            *parents = answers;
        }
        self.stands_alone();
        self.open.store(true, Ordering::Release);
        self.process.store(process::id(), Ordering::Relaxed);
        Ok(())
    }

    /// The number that a statement of the parent's has in a forked child.
    pub(super) fn inherited(&self, statement: u32) -> u32 {
        let before = |answers: &[u32]| answers.iter().filter(|answer| **answer < statement).count() as u32;
        statement - self.parents_result_answers.try_lock().map_or(0, |answers| before(&answers))
    }

    /// Takes note of a statement whose command asks for an answer with rows.
    pub(super) fn asks(&self, entry: &Entry) {
        if let Some(statement) = entry.statement
            && self.recorder().is_result_answer(entry)
        {
            self.result_answers.lock().push(statement);
        }
    }

    /// The number of a statement for an answer with rows that the process knows.
    fn next_result_answer(&self) -> u32 {
        let statement = self.next_statement();
        self.result_answers.lock().push(statement);
        statement
    }

    /// It goes on in a cassette in which nothing is known of it yet.
    fn stands_alone(&self) {
        self.usual.forget();
        self.odd_places.store(false, Ordering::Relaxed);
        if let Some(mut truncation) = self.truncation.try_lock() {
            *truncation = None;
        }
    }

    /// Before a command, of this statement if it is one's: goes on in the cassette that the name leads to now. `settle` writes what
    /// the statement has still to say in the cassette it leaves.
    ///
    /// # Errors
    /// The cassette cannot be written.
    pub(super) fn follow(
        &self,
        statement: Option<&Use>,
        settle: impl FnOnce() -> Result<(), CassetteError>,
    ) -> Result<(), Outcome> {
        let Some(origin) = self.moves.next(&self.home, statement) else { return Ok(()) };
        settle().map_err(unwritable)?;
        let recorder = origin.recorder(None).map_err(|error| Outcome::error("HY000", error))?;
        let id = recorder.connection();
        let connect = self.home.connect().clone().with(CONTINUED, true);
        let again = |entry: Entry| Entry { connection: id, ..entry };
        let prelude: Vec<Entry> =
            std::iter::once(connect).chain(self.moves.set(self.home.connect())).map(again).collect();
        recorder.prepare_connect(0).map_err(unwritable)?;
        prelude.iter().try_for_each(|entry| recorder.command(entry)).map_err(unwritable)?;
        self.leave();
        self.home.goes_on((recorder, id), origin, prelude);
        self.statements.store(0, Ordering::Relaxed);
        self.result_answers.lock().clear();
        self.stands_alone();
        self.moves.moved();
        self.recorder().adopt(id, || self.next_result_answer()).map_err(unwritable)
    }

    /// The recorder of the cassette the connection is in.
    pub(super) fn recorder(&self) -> Held<'_, Recorder> {
        self.home.cassette()
    }

    /// The connection's id there.
    pub(super) fn id(&self) -> ConnectionId {
        self.home.id()
    }

    /// Before a text is executed or prepared: the connection's first may name the trace it belongs to. `settle` writes what
    /// the statement has still to say in the cassette it leaves.
    ///
    /// # Errors
    /// The trace cannot be written.
    pub(super) fn first_text(
        &self,
        text: &TextIn<'_>,
        settle: impl FnOnce() -> Result<(), CassetteError>,
    ) -> Result<(), Outcome> {
        self.home.first_text(text, |origin, parent, prelude| {
            settle().map_err(unwritable)?;
            let recorder = origin.recorder(Some(parent)).map_err(|error| Outcome::error("HY000", error))?;
            let id = recorder.connection();
            let again = |entry: &Entry| recorder.command(&Entry { connection: id, ..entry.clone() });
            prelude.iter().try_for_each(again).map_err(unwritable)?;
            recorder.adopt(id, || self.next_result_answer()).map_err(unwritable)?;
            Ok((recorder, id))
        })
    }

    /// The id of the connection's next statement.
    pub(super) fn next_statement(&self) -> u32 {
        self.statements.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The number of the next descriptor that the application allocates on the connection.
    pub(super) fn next_descriptor(&self) -> u32 {
        self.descriptors.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Notes what came of a call on the application's side: written is what the driver did not simply agree with.
    pub(super) fn note_local(&self, call: CallKey, key: impl FnOnce() -> Fields, outcome: Outcome) -> Outcome {
        let said = (outcome.rc != rc::SUCCESS).then(|| {
            let mut said = Fields::new();
            push_outcome(&mut said, &outcome, &self.secrecy);
            said
        });
        self.note_outcome(call, key, said).map_or_else(unwritable, |()| outcome)
    }

    /// Asks for an address, and notes a refusal. Also whether the driver wrote one: it is noted if it says so and did not.
    pub(super) fn note_address(
        &self,
        function: Function,
        question: &Question<'_>,
        driver_call: &dyn DriverCall,
    ) -> (Outcome, bool) {
        let address = question.address().long();
        let old = address.arm();
        let outcome = perform(driver_call);
        let written = address.settle(old).is_some();
        let (call, key) = (address_call(function, question), || address_key(function, question));
        let told = match outcome.rc {
            rc::SUCCESS if written || question.address().is_null() => outcome,
            rc::SUCCESS => {
                let noted = self.note_outcome(call, key, Some(Fields::from([(Key::Result, Value::Null)])));
                noted.map_or_else(unwritable, |()| outcome)
            }
            _ => self.note_local(call, key, outcome),
        };
        (told, written)
    }

    /// How many bytes the driver writes of the number that is the answer to this question, asked of `what` on the connection.
    pub(super) fn width(
        &self,
        what: i64,
        function: Function,
        question: &Question<'_>,
        driver_call: &dyn DriverCall,
    ) -> Option<u8> {
        let about = question.int(Key::Field).or(question.int(Key::Attribute)).or(question.int(Key::Info))?;
        let asked = (function, what, about);
        if let Some(known) = self.widths.lock().get(&asked) {
            return *known;
        }
        let width = driver_call.number_width(function, question);
        self.widths.lock().insert(asked, width);
        width
    }

    /// A command on the connection itself: nothing of it is left out.
    fn command(&self, method: Method, mut fields: Fields, outcome: Outcome) -> Outcome {
        push_outcome(&mut fields, &outcome, &self.secrecy);
        let entry = Entry { method, connection: self.id(), statement: None, fields };
        self.home.keep(&entry);
        if rc::succeeded(outcome.rc) {
            match method {
                Method::SetConnectAttr => self.moves.sets(&entry),
                _ => self.moves.transaction_ends(),
            }
        }
        self.usual.commanded();
        let written = self.recorder().command(&entry);
        written.map_or_else(unwritable, |()| outcome)
    }

    /// Stores an answer that belongs to the connection: key, result, outcome.
    pub(super) fn inform(&self, mut fields: Fields, result: Option<Value>, outcome: Outcome) -> Outcome {
        fields.extend(result.map(|result| (Key::Result, result)));
        push_outcome(&mut fields, &outcome, &self.secrecy);
        self.recorder().info(self.id(), fields).map_or_else(unwritable, |()| outcome)
    }

    fn ask(&self, function: Function, question: &Question<'_>, driver_call: &dyn DriverCall) -> Outcome {
        if question.is_address() {
            return self.note_address(function, question, driver_call).0;
        }
        // The key first: a driver may write to what it is given.
        let mut fields = key(function, question);
        if function == Function::SQLNativeSql {
            fields.insert(0, (Key::Function, function.name().into()));
        }
        let polled = self.polled.load(Ordering::Relaxed);
        let width = |function, question: &Question<'_>| self.width(0, function, question, driver_call);
        let asked = ask(function, question, driver_call, polled, width);
        let attribute = question.int(Key::Attribute);
        if attribute == Some(CONNECTION_DEAD) {
            self.probe.asked(&asked.outcome);
        }
        let set = attribute.and_then(|attribute| self.attributes.lock().get(&(attribute as i32)).copied());
        self.inform_all(fields, question, asked, set.map(Value::from))
    }

    /// Stores the answers to a question that belong to the connection. `set` is the value the application itself put there: an
    /// answer that says just that is not written.
    pub(super) fn inform_all(
        &self,
        mut fields: Fields,
        question: &Question<'_>,
        asked: Asked,
        set: Option<Value>,
    ) -> Outcome {
        fields.extend(set.clone().map(|set| (Key::Set, set)));
        for answer in asked.answers(question) {
            let result = result_value(question, answer.replies, &self.secrecy);
            let is_set = set.as_ref() == Some(&result) && *answer.outcome == Outcome::SUCCESS;
            if answer.follows || is_set {
                continue;
            }
            let mut fields = fields.clone();
            fields.extend(answer.room);
            let written = self.inform(fields, Some(result), answer.outcome.clone());
            if written != *answer.outcome {
                return written;
            }
        }
        asked.outcome
    }

    /// Does the driver call. While the driver is still executing, and where that cannot be written, this is what to say.
    fn polled(&self, function: Function, driver_call: &dyn DriverCall) -> Result<Outcome, Outcome> {
        let polled = self.polled.load(Ordering::Relaxed);
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

    /// Takes note of an attribute, set before or after the connection was made.
    pub fn set_before(&self, attribute: i32, value: usize) {
        self.attributes.lock().insert(attribute, value as i64);
        self.moves.sets_number(attribute, value);
        match attribute {
            ASYNC_ENABLE if value != 0 => self.asynchronous.store(true, Ordering::Relaxed),
            ASYNC_FUNCTIONS if value != 0 => self.polled.store(true, Ordering::Relaxed),
            _ => {}
        }
    }

    /// Whether the calls of its statements may say SQL_STILL_EXECUTING.
    pub(super) fn is_asynchronous(&self) -> bool {
        self.asynchronous.load(Ordering::Relaxed)
    }

    fn close(&self) {
        if self.open.swap(false, Ordering::AcqRel) {
            self.leave();
        }
    }

    /// Ends it in the cassettes it is in.
    fn leave(&self) {
        for (recorder, id) in self.home.all() {
            match recorder.disconnect(id) {
                Ok(()) if recorder.rests() => crate::cassettes::published(recorder.name(), &recorder),
                Ok(()) => {}
                Err(error) => crate::cassettes::unwritable(&error, true),
            }
        }
    }
}

impl ConnectionMode for Connection {
    fn serve(&self, function: Function, call: &Call<'_>, driver_call: &dyn DriverCall) -> Outcome {
        if !self.is_here() {
            // A child that only lets go of what it has from its parent records nothing.
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
            // What takes back or ends something is done, and not recorded.
            return match call {
                Call::EndTran { commit: false } | Call::Disconnect | Call::Cancel => perform(driver_call),
                _ => unwritable(error),
            };
        }
        match call {
            Call::EndTran { commit } => {
                let outcome = match self.polled(function, driver_call) {
                    Ok(outcome) => outcome,
                    Err(told) => return told,
                };
                self.command(if *commit { Method::Commit } else { Method::Rollback }, Fields::new(), outcome)
            }
            Call::SetConnectAttr { attribute, value } => {
                let outcome = match self.polled(function, driver_call) {
                    Ok(outcome) => outcome,
                    Err(told) => return told,
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
                let result = rc::succeeded(outcome.rc).then(|| functions::to_value(*asked, *supported));
                self.inform(key, result, outcome)
            }
            Call::Disconnect => {
                let outcome = perform(driver_call);
                let attempt = self.attempts.fetch_add(1, Ordering::Relaxed);
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
        if self.open.load(Ordering::Acquire) {
            for (recorder, id) in self.home.all() {
                let entry = Entry::new(Method::Disconnect, id, None).with(Key::Result, Value::Null);
                if let Err(error) = recorder.note(&entry) {
                    crate::cassettes::unwritable(&error, true);
                }
            }
        }
        self.close();
    }
}
