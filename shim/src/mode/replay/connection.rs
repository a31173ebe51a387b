//! A replayed connection: its connect, its transactions and attributes, its recorded answers.

use super::descriptor::Descriptor;
use super::statement::Statement;
use super::{defaults, mismatch, not_recorded};
use crate::args::{Out, Place, TextIn};
use crate::call::{AttributeIn, Call, DriverCall, Question};
use crate::cassettes::Origin;
use crate::diagnostics::{Outcome, rc};
use crate::mode::connection_cassette::{ConnectionCassette, Held};
use crate::mode::keys::{
    address_key, allocate_key, attribute_key, attribute_value, disconnect_key, function_key, reaches_database,
};
use crate::mode::moving::{Moves, Use};
use crate::mode::outcome::{Secrecy, fits, key, outcome, room, write_result};
use crate::mode::polling::{ASYNC_ENABLE, ASYNC_FUNCTIONS, Polls, polls_key};
use crate::mode::probe::{CONNECTION_DEAD, Probe};
use crate::mode::{ConnectionMode, DescriptorMode, StatementMode, functions};
use crate::table::Function;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use super8_cassette::check::Wrong;
use super8_cassette::player::FIRST_RESULT_ANSWER;
use super8_cassette::{CassetteError, ConnectionId, Entry, Fields, Key, Method, Player, Value, process};

/// SQL_ATTR_RESET_CONNECTION: set by a driver manager that puts a connection into its pool.
const RESET_CONNECTION: i32 = 116;

/// A connection being replayed.
pub struct Connection {
    /// The player, and its number for the connection: which recorded one it is, is the player's affair.
    home: ConnectionCassette<Player>,
    /// The process in which it is replayed.
    process: AtomicU32,
    pub(super) secrecy: Secrecy,
    pub(super) probe: Probe,
    statements: AtomicU32,
    /// How many answers with rows were asked for.
    result_answers: AtomicU32,
    descriptors: AtomicU32,
    /// Statement handles that are not freed.
    handles: AtomicU32,
    /// How often the application tried to disconnect.
    attempts: AtomicU32,
    /// Attributes as the application set them.
    attributes: Mutex<HashMap<i32, i64>>,
    /// Whether SQL_ATTR_ASYNC_ENABLE was ever switched on for all statements.
    asynchronous: AtomicBool,
    /// Whether SQL_ATTR_ASYNC_DBC_FUNCTIONS_ENABLE ever was: calls on the connection itself are counted from then on.
    polled: AtomicBool,
    polls: Mutex<Polls>,
    /// What is needed to go on in another cassette.
    pub(super) moves: Moves,
}

impl Connection {
    /// Replays a connect with these fields. Gives the connection, the recorded entry and what to post.
    ///
    /// # Errors
    /// The outcome to post where nothing fitting was recorded.
    pub fn begin(
        player: &Arc<Player>,
        origin: Origin,
        fields: Fields,
        secrecy: Secrecy,
        probe: Probe,
    ) -> Result<(Arc<Connection>, Entry, Outcome), Outcome> {
        let asked = Entry { method: Method::Connect, connection: ConnectionId(0), statement: None, fields };
        let recorded = player.connect(&asked).map_err(mismatch)?;
        finished(player);
        let told = secrecy.restored(outcome(|key| recorded.get(key)));
        let connection = Connection {
            home: ConnectionCassette::new(Arc::clone(player), recorded.connection, origin, asked),
            process: AtomicU32::new(process::id()),
            secrecy,
            probe,
            statements: AtomicU32::new(0),
            result_answers: AtomicU32::new(0),
            descriptors: AtomicU32::new(0),
            handles: AtomicU32::new(0),
            attempts: AtomicU32::new(0),
            attributes: Mutex::default(),
            asynchronous: AtomicBool::new(false),
            polled: AtomicBool::new(false),
            polls: Mutex::default(),
            moves: Moves::default(),
        };
        finished(player);
        Ok((Arc::new(connection), recorded, told))
    }

    /// Whether it is replayed in this process: a forked child has its parent's connections.
    pub(super) fn is_here(&self) -> bool {
        self.process.load(Ordering::Relaxed) == process::id()
    }

    /// In a forked child, goes on with the child's own part.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn enter(&self) -> Result<(), Outcome> {
        if self.is_here() {
            return Ok(());
        }
        self.home.go_on(|origin, trace, connect, _| {
            let player = origin.player(trace).map_err(|error| Outcome::error("HY000", error))?;
            let recorded = player.connect(connect).map_err(mismatch)?;
            finished(&player);
            Ok((player, recorded.connection))
        })?;
        self.process.store(process::id(), Ordering::Relaxed);
        Ok(())
    }

    /// Before a command, of this statement if it is one's: goes on in the cassette that the name leads to now.
    ///
    /// # Errors
    /// There is none, or it begins otherwise.
    pub(super) fn follow(&self, statement: Option<&Use>) -> Result<(), Outcome> {
        let Some(origin) = self.moves.next(&self.home, statement) else { return Ok(()) };
        let player = origin.player(None).map_err(|error| Outcome::error("HY000", error))?;
        let connect = self.home.connect().clone();
        let id = player.connect(&connect).map_err(mismatch)?.connection;
        let set = self.moves.set(self.home.connect()).into_iter().map(|asked| Entry { connection: id, ..asked });
        let prelude: Vec<Entry> = std::iter::once(connect).chain(set).collect();
        for asked in &prelude[1..] {
            player.command(asked).map_err(mismatch)?;
        }
        self.leave();
        self.home.goes_on((player, id), origin, prelude);
        self.statements.store(0, Ordering::Relaxed);
        self.moves.moved();
        finished(&self.player());
        Ok(())
    }

    /// Ends it in the cassettes it is in.
    fn leave(&self) {
        for (player, id) in self.home.all() {
            player.housekeeping(&Entry::new(Method::Disconnect, id, None));
            player.disconnect(id);
            finished(&player);
        }
    }

    /// The player of the cassette the connection is in.
    pub(super) fn player(&self) -> Held<'_, Player> {
        self.home.cassette()
    }

    /// The connection's id there.
    pub(super) fn id(&self) -> ConnectionId {
        self.home.id()
    }

    /// Before a text is executed or prepared: the connection's first may name the trace it belongs to.
    ///
    /// # Errors
    /// There is no such trace, or it begins otherwise.
    pub(super) fn first_text(&self, text: &TextIn<'_>) -> Result<(), Outcome> {
        self.home.first_text(text, |origin, parent, prelude| {
            let player = origin.player(Some(parent)).map_err(|error| Outcome::error("HY000", error))?;
            let mut id = ConnectionId(0);
            for asked in prelude {
                let asked = Entry { connection: id, ..asked.clone() };
                match asked.method {
                    Method::Connect => id = player.connect(&asked).map_err(mismatch)?.connection,
                    _ => drop(player.command(&asked).map_err(mismatch)?),
                }
            }
            Ok((player, id))
        })
    }

    /// The id of the connection's next statement.
    pub(super) fn next_statement(&self) -> u32 {
        self.statements.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The id of the next statement that is served an answer with rows.
    pub(super) fn next_result_answer(&self) -> u32 {
        self.result_answers.fetch_add(1, Ordering::Relaxed) | FIRST_RESULT_ANSWER
    }

    /// The number of the next descriptor that the application allocates on the connection.
    pub(super) fn next_descriptor(&self) -> u32 {
        self.descriptors.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// A statement handle was freed.
    pub(super) fn statement_freed(&self) {
        self.handles.fetch_sub(1, Ordering::Relaxed);
        self.may_be_finished();
    }

    /// After what may be the last that is played of the cassette.
    pub(super) fn may_be_finished(&self) {
        finished(&self.player());
    }

    /// The driver manager takes the connection from its pool, or puts it there, if nothing of it is in use.
    fn pooled(&self) {
        if self.handles.load(Ordering::Relaxed) == 0 {
            self.player().idle(self.id());
        }
    }

    /// Plays a command on the connection.
    fn command(&self, method: Method, fields: Fields) -> Outcome {
        let asked = Entry { method, connection: self.id(), statement: None, fields };
        self.home.keep(&asked);
        match self.player().command(&asked) {
            Ok(recorded) => {
                finished(&self.player());
                let told = outcome(|key| recorded.get(key));
                if rc::succeeded(told.rc) {
                    match method {
                        Method::SetConnectAttr => self.moves.sets(&asked),
                        _ => self.moves.transaction_ends(),
                    }
                }
                told
            }
            Err(error) => mismatch(error),
        }
    }

    /// A part of the cassette that is damaged: it is the mismatch from now on, and the report names its file and line.
    pub(super) fn damaged(&self, statement: Option<u32>, error: CassetteError) -> Outcome {
        mismatch(self.player().damaged(self.id(), statement, error))
    }

    /// What was recorded of a call that usually goes as ODBC says; `None` for the usual outcome.
    ///
    /// # Errors
    /// A damaged cassette.
    pub(super) fn unusual(&self, key: &[(Key, Value)]) -> Result<Option<Fields>, Outcome> {
        self.player().outcome(self.id(), key).map_err(|error| self.damaged(None, error))
    }

    /// The recorded answer with this key that belongs to the connection.
    pub(super) fn informed(&self, key: &[(Key, Value)]) -> Result<Option<Fields>, Outcome> {
        self.told(key)
    }

    fn told(&self, key: &[(Key, Value)]) -> Result<Option<Fields>, Outcome> {
        let found = self.player().info(self.id(), key).map_err(|error| self.damaged(None, error))?;
        Ok(found.map(|answer| self.secrecy.restored_fields(answer)))
    }

    /// The outcome of a call on the application's side: success, unless the driver disagreed when it was recorded.
    pub(super) fn local(&self, function: Function, key: impl FnOnce() -> Fields) -> Outcome {
        if !self.player().tells_of(function.name()) {
            return Outcome::SUCCESS;
        }
        match self.unusual(&key()) {
            Ok(Some(answer)) => outcome(|key| answer.get(key)),
            Ok(None) => Outcome::SUCCESS,
            Err(failure) => failure,
        }
    }

    /// Answers a question from the connection's recorded answers, else with the value that the application set; `None` if there is
    /// neither.
    pub(super) fn answer(&self, fields: Fields, question: &Question<'_>, set: Option<Value>) -> Option<Outcome> {
        if let Some(answer) = self.recorded_answer(&fields, question, set.as_ref()) {
            return Some(answer);
        }
        set.map(|set| match write_result(question, &set) {
            true => Outcome::info("01004", "the answer was cut off: the buffer is too small for it"),
            false => Outcome::SUCCESS,
        })
    }

    /// The same, if it was recorded.
    pub(super) fn recorded_answer(
        &self,
        fields: &Fields,
        question: &Question<'_>,
        set: Option<&Value>,
    ) -> Option<Outcome> {
        let (keys, older) = answer_keys(fields, question, set);
        for key in keys.into_iter().chain(older) {
            match self.told(&key) {
                Ok(Some(answer)) => {
                    let served = serve(question, |key| answer.get(key));
                    return Some(served.unwrap_or_else(|wrong| self.refuse_answer(None, &answer, wrong)));
                }
                Ok(None) => {}
                Err(failure) => return Some(failure),
            }
        }
        None
    }

    /// An answer that was recorded, about a statement or the connection, is not one to the question.
    pub(super) fn refuse_answer(&self, statement: Option<u32>, answer: &Fields, wrong: Wrong) -> Outcome {
        mismatch(self.player().refuse_answer(self.id(), statement, answer, wrong))
    }

    fn ask(&self, function: Function, question: &Question<'_>) -> Outcome {
        if question.int(Key::Attribute) != Some(CONNECTION_DEAD) {
            return self.reply(function, question);
        }
        self.pooled();
        let told = self.reply(function, question);
        self.probe.asked(&told);
        told
    }

    fn reply(&self, function: Function, question: &Question<'_>) -> Outcome {
        let mut fields = key(function, question);
        if function == Function::SQLNativeSql {
            fields.insert(0, (Key::Function, function.name().into()));
        }
        let attribute = question.int(Key::Attribute);
        if let ([(_, Out::Address(place))], Some(_)) = (&question.outputs[..], attribute) {
            // What the address is good for is the driver's affair; whether there is one is the recording's.
            let told = self.local(function, || address_key(function, question));
            if rc::succeeded(told.rc) {
                place.set_pointer(Place::NULL);
            }
            return told;
        }
        let set = attribute.and_then(|attribute| self.attributes.lock().get(&(attribute as i32)).copied());
        if let Some(answer) = self.answer(fields, question, set.map(Value::from)) {
            return answer;
        }
        let asked = attribute.or(question.int(Key::Info)).unwrap_or_default();
        match defaults::connection(function, asked) {
            Some(value) => {
                write_result(question, &value);
                Outcome::SUCCESS
            }
            None => not_recorded(&format!("{}({asked})", function.name())),
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

    /// SQL_STILL_EXECUTING, as often as it was recorded for a call on the connection itself.
    fn still_executing(&self, function: Function) -> Option<Outcome> {
        if !self.polled.load(Ordering::Relaxed) {
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

    /// How often the function's n-th call was polled.
    pub(super) fn recorded_polls(&self, statement: Option<u32>, function: Function, call: u32) -> Result<u32, Outcome> {
        let fact = self.informed(&polls_key(self.id(), statement, function, call))?;
        let times = fact.as_ref().and_then(|fact| fact.get(Key::Result)).and_then(Value::as_int);
        Ok(times.and_then(|times| u32::try_from(times).ok()).unwrap_or(0))
    }

    fn functions(&self, asked: u16, supported: crate::args::Place) -> Outcome {
        let key = |id: u16| [(Key::Function, Value::from("SQLGetFunctions")), (Key::Id, Value::from(id))];
        match self.informed(&key(asked)) {
            Ok(Some(answer)) => {
                let result = answer.get(Key::Result).cloned().unwrap_or(Value::Null);
                match result {
                    Value::List(_) => functions::write(asked, &functions::ids(&result), supported),
                    single => supported.set_u16_at(0, single.as_int().unwrap_or(0) as u16),
                }
                return outcome(|key| answer.get(key));
            }
            Ok(None) => {}
            Err(failure) => return failure,
        }
        // Another driver manager asks in another form: what one form said answers the other.
        for form in [999, 0] {
            match self.informed(&key(form)) {
                Ok(Some(answer)) => {
                    functions::write(
                        asked,
                        &functions::ids(answer.get(Key::Result).unwrap_or(&Value::Null)),
                        supported,
                    );
                    return Outcome::SUCCESS;
                }
                Ok(None) => {}
                Err(failure) => return failure,
            }
        }
        let all: Vec<u16> = Function::ROWS.iter().map(|row| row.api).collect();
        functions::write(asked, &all, supported);
        Outcome::SUCCESS
    }
}

/// The keys under which an answer may stand, in the order in which they count: for just this room, then the whole one. `set` is
/// the value that the application itself set. The last key is for older recordings, which know only the size of a buffer.
pub(super) fn answer_keys(
    fields: &Fields,
    question: &Question<'_>,
    set: Option<&Value>,
) -> (Vec<Fields>, Option<Fields>) {
    let with = |buffer: Value, length: Value, wide: Value| {
        let set = set.cloned().unwrap_or(Value::Null);
        let room = [(Key::Set, set), (Key::Buffer, buffer), (Key::Length, length), (Key::Wide, wide)];
        fields.iter().cloned().chain(room).collect()
    };
    let given = room(question);
    let named = |key: Key| given.get(key).cloned().unwrap_or(Value::Null);
    let (buffer, length, wide) = (named(Key::Buffer), named(Key::Length), named(Key::Wide));
    let in_any_room = with(Value::Null, Value::Null, Value::Null);
    if buffer == Value::Null {
        return (vec![in_any_room], None);
    }
    let size = if buffer.as_int().is_none() { Value::Int(0) } else { buffer.clone() };
    let differs = buffer != size || length != Value::Null || wide != Value::Null;
    let older = differs.then(|| with(size, Value::Null, Value::Null));
    (vec![with(buffer, length, wide), in_any_room], older)
}

/// Writes a recorded answer and gives its outcome; a text that no longer fits is cut as drivers do.
///
/// # Errors
/// An answer of another kind than is asked for.
pub(super) fn serve<'a>(question: &Question<'_>, get: impl Fn(Key) -> Option<&'a Value>) -> Result<Outcome, Wrong> {
    let told = outcome(&get);
    let Some(result) = get(Key::Result) else { return Ok(told) };
    fits(question, result)?;
    let cut = write_result(question, result);
    if cut && told.rc == rc::SUCCESS && get(Key::Buffer).is_none() {
        return Ok(Outcome::info("01004", "the answer was cut off: the buffer is smaller than when it was recorded"));
    }
    Ok(told)
}

impl ConnectionMode for Connection {
    fn serve(&self, function: Function, call: &Call<'_>, _: &dyn DriverCall) -> Outcome {
        if !self.is_here() {
            // A child that only lets go of what it has from its parent plays nothing.
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
        if reaches && let Err(failure) = self.follow(None) {
            return failure;
        }
        if let Call::EndTran { .. } | Call::SetConnectAttr { .. } = call
            && let Some(polled) = self.still_executing(function)
        {
            return polled;
        }
        let told = match call {
            Call::EndTran { commit } => {
                self.command(if *commit { Method::Commit } else { Method::Rollback }, Fields::new())
            }
            Call::SetConnectAttr { attribute, value } => {
                if *attribute == RESET_CONNECTION {
                    self.pooled();
                }
                let recorded = attribute_value(value);
                let told = match reaches_database(*attribute) {
                    Some(name) => self.command(
                        Method::SetConnectAttr,
                        Fields::from([(Key::Attribute, Value::from(name)), (Key::Value, recorded)]),
                    ),
                    None => self.local(Function::SQLSetConnectAttr, || attribute_key(*attribute, recorded)),
                };
                if let (true, AttributeIn::Number(number)) = (rc::succeeded(told.rc), value) {
                    self.set_before(*attribute, *number as usize);
                }
                told
            }
            Call::Functions { function: asked, supported } => self.functions(*asked, *supported),
            Call::Disconnect => {
                let attempt = self.attempts.fetch_add(1, Ordering::Relaxed);
                self.local(Function::SQLDisconnect, || disconnect_key(self.id(), attempt))
            }
            Call::Cancel => self.local(function, || function_key(function)),
            Call::Allocate { kind } => self.local(Function::SQLAllocHandle, || allocate_key(*kind)),
            Call::Ask(question) => self.ask(function, question),
            _ => Outcome::error("HYC00", format!("replay: {} cannot be replayed yet", function.name())),
        };
        finished(&self.player());
        self.secrecy.restored(told)
    }

    fn statement(self: Arc<Self>) -> Arc<dyn StatementMode> {
        self.handles.fetch_add(1, Ordering::Relaxed);
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

/// Puts into the verdict that everything is played, once it is: the process may be killed, run another program in its place, or
/// end without its exit handlers.
fn finished(player: &Arc<Player>) {
    if let Some(parts) = player.finished() {
        crate::cassettes::finished(player, &parts);
    }
}
