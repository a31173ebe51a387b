//! Questions about a connection. Recording asks the driver so that the whole answer is known, whatever room the
//! application gave. Replay gives the recorded answer, or what is known anyway.

use crate::args::{Out, Place, Reply, WatchedOut};
use crate::call::{DriverCall, Question};
use crate::diagnostics::{Outcome, rc};
use crate::mode::connection::Connection;
use crate::mode::keys::{address_call, address_key};
use crate::mode::outcome::{
    fits, follows, input_value, is_whole, key, recorded_outcome, result_value, room, write_result,
};
use crate::mode::probe::CONNECTION_DEAD;
use crate::mode::record::{Recorded, perform, performed, unwritable};
use crate::mode::replay::{Replayed, not_recorded};
use crate::table::Function;
use std::collections::HashMap;
use std::sync::LazyLock;
use super8_cassette::check::Wrong;
use super8_cassette::{Fields, Key, Value};

/// What the driver said.
pub(super) struct DriverAnswer {
    /// The outcome of the application's call.
    pub(super) outcome: Outcome,
    replies: Vec<Reply>,
    /// The driver's answer to the same question with room for everything, if the application gave less.
    whole: Option<(Outcome, Vec<Reply>)>,
    /// Whether replay cannot make the application's own reply from the whole one.
    special: bool,
}

/// One answer to be recorded.
pub(super) struct Answer<'a> {
    pub(super) outcome: &'a Outcome,
    pub(super) replies: &'a [Reply],
    /// The room that this is the answer for; empty for the whole answer.
    pub(super) room: Fields,
    /// Whether replay can make it from the whole answer. Then it is recorded only if another answer was there before.
    pub(super) follows: bool,
}

impl DriverAnswer {
    /// Returns the answers, the whole one first.
    pub(super) fn answers(&self, question: &Question<'_>) -> impl Iterator<Item = Answer<'_>> {
        let whole = self.whole.as_ref().map(|(outcome, replies)| Answer {
            outcome,
            replies,
            room: Fields::new(),
            follows: false,
        });
        let depends = self.special || self.whole.is_some();
        let own = Answer {
            outcome: &self.outcome,
            replies: &self.replies,
            room: if depends { room(question) } else { Fields::new() },
            follows: !self.special && self.whole.is_some(),
        };
        whole.into_iter().chain([own])
    }
}

/// Asks the driver and watches what it writes. If the application gave too little room, the driver is asked once more
/// with super8's own buffers, unless it executes asynchronously. The diagnostics for the application are read before
/// that.
///
/// `width` returns how many bytes the driver writes of an answer that is a number.
pub(super) fn ask(
    function: Function,
    question: &Question<'_>,
    driver_call: &dyn DriverCall,
    asynchronous: bool,
    width: impl FnOnce(Function, &Question<'_>) -> Option<u8>,
) -> DriverAnswer {
    let text = question.text();
    let watched: Vec<_> = question.outputs.iter().map(|(_, out)| out.watch()).collect();
    let outcome = perform(driver_call);
    let mut replies: Vec<_> = watched.into_iter().map(WatchedOut::reply).collect();
    if let ([(_, out)], [Reply::Number(_) | Reply::Sized { number: Some(_), .. }]) =
        (&question.outputs[..], &replies[..])
        && outcome.rc != rc::STILL_EXECUTING
        && let Some(width) = out.size().filter(|size| *size < 8).and_then(|_| width(function, question))
        && let Some(wide) = out.widen(&replies[0], width)
    {
        replies[0] = wide;
    }
    let special = !is_whole(function, question, &replies);
    let mut asked = DriverAnswer { outcome, replies, whole: None, special };
    if !special || asynchronous || asked.outcome.rc == rc::STILL_EXECUTING {
        return asked;
    }
    let again = driver_call.ask_again(function, question, text.as_deref());
    if let Some((code, replies)) = again {
        let outcome = performed(Some(code), driver_call);
        if outcome == asked.outcome && !rc::succeeded(outcome.rc) {
            // The question fails whatever the room.
            asked.special = false;
        } else if rc::succeeded(code) || !rc::succeeded(asked.outcome.rc) {
            asked.special = asked.outcome != outcome || !follows(question, &asked.replies, &replies);
            asked.whole = Some((outcome, replies));
        }
    } else if !rc::succeeded(asked.outcome.rc) {
        asked.special = false;
    }
    asked
}

impl Connection<Recorded> {
    /// Asks for an address. Notes a refusal, and a success for which the driver wrote no address. Also returns whether
    /// it wrote one.
    pub(super) fn note_address(
        &self,
        function: Function,
        question: &Question<'_>,
        driver_call: &dyn DriverCall,
    ) -> (Outcome, bool) {
        let address = question.address().long().watch();
        let outcome = perform(driver_call);
        let written = address.written().is_some();
        let (call, key) = (address_call(function, question), || address_key(function, question));
        let noted = match outcome.rc {
            rc::SUCCESS if written || question.address().is_null() => outcome,
            rc::SUCCESS => {
                let noted = self.note_outcome(call, key, Some(Fields::from([(Key::Result, Value::Null)])));
                noted.map_or_else(unwritable, |()| outcome)
            }
            _ => self.note_local(call, key, outcome),
        };
        (noted, written)
    }

    /// Returns how many bytes the driver writes of the number that answers this question. `what` is the object on the
    /// connection that is asked: 0, or a descriptor.
    pub(super) fn width(
        &self,
        what: i64,
        function: Function,
        question: &Question<'_>,
        driver_call: &dyn DriverCall,
    ) -> Option<u8> {
        let about = question.int(Key::Field).or(question.int(Key::Attribute)).or(question.int(Key::Info))?;
        let asked = (function, what, about);
        if let Some(known) = self.own.widths.lock().get(&asked) {
            return *known;
        }
        let width = driver_call.number_width(function, question);
        self.own.widths.lock().insert(asked, width);
        width
    }

    pub(super) fn ask(&self, function: Function, question: &Question<'_>, driver_call: &dyn DriverCall) -> Outcome {
        if question.is_address() {
            return self.note_address(function, question, driver_call).0;
        }
        // Make the key first, because a driver may write to what it is given.
        let mut fields = key(function, question);
        if function == Function::SQLNativeSql {
            fields.insert(0, (Key::Function, function.name().into()));
        }
        let polled = self.is_polled();
        let width = |function, question: &Question<'_>| self.width(0, function, question, driver_call);
        let asked = ask(function, question, driver_call, polled, width);
        let attribute = question.int(Key::Attribute);
        if attribute == Some(CONNECTION_DEAD) {
            self.probe.asked(&asked.outcome);
        }
        let set = attribute.and_then(|attribute| self.attribute(attribute));
        self.keep_answers(fields, question, asked, set.map(Value::from))
    }

    /// Stores the answers to a question that belongs to the connection. `set` is the value that the application itself
    /// set; an answer that only repeats it is written only if another one came before.
    pub(super) fn keep_answers(
        &self,
        mut fields: Fields,
        question: &Question<'_>,
        asked: DriverAnswer,
        set: Option<Value>,
    ) -> Outcome {
        fields.extend(set.clone().map(|set| (Key::Set, set)));
        for answer in asked.answers(question) {
            let result = result_value(question, answer.replies, &self.secrecy);
            let is_set = set.as_ref() == Some(&result) && *answer.outcome == Outcome::SUCCESS;
            if answer.follows {
                continue;
            }
            let mut fields = fields.clone();
            fields.extend(answer.room);
            if is_set {
                fields.add(Key::Result, result);
                if let Err(error) = self.recorder().repeated_info(self.id(), fields) {
                    return unwritable(error);
                }
                continue;
            }
            let written = self.keep_info(fields, Some(result), answer.outcome.clone());
            if written != *answer.outcome {
                return written;
            }
        }
        asked.outcome
    }
}

impl Connection<Replayed> {
    /// Answers a question from the connection's recorded answers, else with the value that the application set. Returns
    /// `None` if there is neither.
    pub(super) fn answer(&self, fields: Fields, question: &Question<'_>, set: Option<Value>) -> Option<Outcome> {
        if let Some(answer) = self.recorded_answer(&fields, question, set.as_ref()) {
            return Some(answer);
        }
        set.map(|set| match write_result(question, &set) {
            true => Outcome::info("01004", "the answer was cut off: the buffer is too small for it"),
            false => Outcome::SUCCESS,
        })
    }

    /// Answers a question from the connection's recorded answers; `None` if there is none.
    pub(super) fn recorded_answer(
        &self,
        fields: &Fields,
        question: &Question<'_>,
        set: Option<&Value>,
    ) -> Option<Outcome> {
        let (keys, older) = answer_keys(fields, question, set);
        let mut found = None;
        for key in keys {
            // Ask for the whole answer as well: recording counted it too, to tell when it changed.
            match self.recorded_info(&key) {
                Ok(answer) => found = found.or(answer),
                Err(failure) => return Some(failure),
            }
        }
        if let (None, Some(older)) = (&found, older) {
            match self.recorded_info(&older) {
                Ok(answer) => found = answer,
                Err(failure) => return Some(failure),
            }
        }
        let answer = found?;
        let served = serve(question, |key| answer.get(key));
        Some(served.unwrap_or_else(|wrong| self.refuse_answer(None, &answer, wrong)))
    }

    pub(super) fn ask(&self, function: Function, question: &Question<'_>) -> Outcome {
        if question.int(Key::Attribute) != Some(CONNECTION_DEAD) {
            return self.reply(function, question);
        }
        if self.player().reports_dead(self.id()) {
            let dead = Value::Int(1);
            let served = serve(question, |key| (key == Key::Result).then_some(&dead));
            return served.unwrap_or_else(|_| Outcome::of(rc::ERROR));
        }
        self.pooled();
        let outcome = self.reply(function, question);
        self.probe.asked(&outcome);
        outcome
    }

    fn reply(&self, function: Function, question: &Question<'_>) -> Outcome {
        let mut fields = key(function, question);
        if function == Function::SQLNativeSql {
            fields.insert(0, (Key::Function, function.name().into()));
        }
        let attribute = question.int(Key::Attribute);
        if let ([(_, Out::Address(place))], Some(_)) = (&question.outputs[..], attribute) {
            // What the address points to is the driver's affair. The recording only says whether there is one.
            let outcome = self.local(function, || address_key(function, question));
            if rc::succeeded(outcome.rc) {
                place.set_pointer(Place::NULL);
            }
            return outcome;
        }
        let set = attribute.and_then(|attribute| self.attribute(attribute));
        if let Some(answer) = self.answer(fields, question, set.map(Value::from)) {
            return answer;
        }
        let asked = attribute.or(question.int(Key::Info)).unwrap_or_default();
        match default_answer(function, asked) {
            Some(value) => {
                write_result(question, &value);
                Outcome::SUCCESS
            }
            None if self.player().is_by_hand() => plain_answer(function, question),
            None => not_recorded(&format!("{}({asked})", function.name())),
        }
    }

    pub(super) fn functions(&self, asked: u16, supported: crate::args::Place) -> Outcome {
        let key = |id: u16| [(Key::Function, Value::from("SQLGetFunctions")), (Key::Id, Value::from(id))];
        match self.recorded_info(&key(asked)) {
            Ok(Some(answer)) => {
                match answer.get(Key::Result).unwrap_or(&Value::Null) {
                    list @ Value::List(_) => write_functions(asked, &function_ids(list), supported),
                    single => supported.set_u16_at(0, single.as_int().unwrap_or(0) as u16),
                }
                return recorded_outcome(|key| answer.get(key));
            }
            Ok(None) => {}
            Err(failure) => return failure,
        }
        // Another driver manager asks in another form, so an answer to one form answers the other.
        for form in [999, 0] {
            match self.recorded_info(&key(form)) {
                Ok(Some(answer)) => {
                    write_functions(asked, &function_ids(answer.get(Key::Result).unwrap_or(&Value::Null)), supported);
                    return Outcome::SUCCESS;
                }
                Ok(None) => {}
                Err(failure) => return failure,
            }
        }
        let all: Vec<u16> = Function::ROWS.iter().map(|row| row.api).collect();
        write_functions(asked, &all, supported);
        Outcome::SUCCESS
    }
}

/// Returns the keys under which an answer may be recorded, in order of precedence: for just this room, then for the
/// whole answer. `set` is the value that the application itself set. The last key is for older recordings, which know
/// only the size of a buffer.
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

/// Writes a recorded answer and returns its outcome. A text that no longer fits is cut, as drivers do.
///
/// # Errors
/// The answer is of another kind than the question asks for.
pub(super) fn serve<'a>(question: &Question<'_>, get: impl Fn(Key) -> Option<&'a Value>) -> Result<Outcome, Wrong> {
    let outcome = recorded_outcome(&get);
    let Some(result) = get(Key::Result) else { return Ok(outcome) };
    fits(question, result)?;
    let cut = write_result(question, result);
    if cut && outcome.rc == rc::SUCCESS && get(Key::Buffer).is_none() {
        return Ok(Outcome::info("01004", "the answer was cut off: the buffer is smaller than when it was recorded"));
    }
    Ok(outcome)
}

/// Returns a harmless general answer for some information types and connection attributes.
fn default_answer(function: Function, asked: i64) -> Option<Value> {
    match (function, asked) {
        // SQL_CURSOR_COMMIT_BEHAVIOR and SQL_CURSOR_ROLLBACK_BEHAVIOR: with SQL_CB_PRESERVE the driver manager forbids
        // nothing.
        (Function::SQLGetInfo, 23 | 24) => Some(Value::Int(2)),
        // SQL_DRIVER_ODBC_VER
        (Function::SQLGetInfo, 77) => Some(Value::from("03.80")),
        // SQL_GETDATA_EXTENSIONS: any column, any order, block, bound
        (Function::SQLGetInfo, 81) => Some(Value::Int(0xF)),
        // SQL_XOPEN_CLI_YEAR
        (Function::SQLGetInfo, 10000) => Some(Value::from("1995")),
        (Function::SQLGetConnectAttr | Function::SQLGetConnectOption, attribute) => match attribute {
            // SQL_ATTR_AUTOCOMMIT is on by default.
            102 => Some(Value::Int(1)),
            // SQL_ATTR_ACCESS_MODE, LOGIN_TIMEOUT, TRACE, ASYNC_ENABLE, CONNECTION_TIMEOUT, METADATA_ID
            101 | 103 | 104 | 4 | 113 | 10014 => Some(Value::Int(0)),
            // SQL_ATTR_CONNECTION_DEAD: SQL_CD_FALSE
            1209 => Some(Value::Int(0)),
            _ => None,
        },
        _ => None,
    }
}

/// Returns what a plain driver says, where neither a cassette written by hand nor the plain answers have the question.
fn plain_answer(function: Function, question: &Question<'_>) -> Outcome {
    match function {
        Function::SQLNativeSql => {
            let text = question.inputs.iter().find(|(name, _)| *name == Key::Sql).map(|(_, text)| input_value(text));
            match write_result(question, &text.unwrap_or(Value::Null)) {
                true => Outcome::info("01004", "the statement was cut off: the buffer is too small for it"),
                false => Outcome::SUCCESS,
            }
        }
        Function::SQLGetInfo => Outcome::error("HY096", "this driver has no such information type"),
        _ => Outcome::error("HY092", "this driver has no such attribute"),
    }
}

/// SQL_API_ALL_FUNCTIONS: an array of 100 flags.
const ALL_FUNCTIONS: u16 = 0;
/// SQL_API_ODBC3_ALL_FUNCTIONS: a bitmap of 4,000 bits.
const ODBC3_ALL_FUNCTIONS: u16 = 999;

/// Returns the driver's answer as the cassette has it: a list of functions, or a flag for a single one.
pub(super) fn functions_value(asked: u16, supported: Place) -> Value {
    match asked {
        ALL_FUNCTIONS => names((0..100).filter(|api| supported.u16_at(usize::from(*api)) == Some(1))),
        ODBC3_ALL_FUNCTIONS => {
            let words = (0..250).map(|at| (at, supported.u16_at(usize::from(at)).unwrap_or(0)));
            names(
                words.filter(|(_, word)| *word != 0).flat_map(|(at, word)| {
                    (0..16).filter(move |bit| word >> bit & 1 == 1).map(move |bit| 16 * at + bit)
                }),
            )
        }
        _ => Value::Int(i128::from(supported.u16_at(0).unwrap_or(0))),
    }
}

fn names(ids: impl Iterator<Item = u16>) -> Value {
    Value::List(ids.map(|api| function_name(api).map_or(Value::from(api), Value::from)).collect())
}

fn function_name(api: u16) -> Option<&'static str> {
    static BY_ID: LazyLock<Vec<(u16, &str)>> = LazyLock::new(|| {
        let mut all: Vec<_> = Function::ROWS.iter().map(|row| (row.api, row.name)).collect();
        all.sort_by_key(|(api, _)| *api);
        all
    });
    let first = BY_ID.partition_point(|(known, _)| *known < api);
    BY_ID.get(first).filter(|(known, _)| *known == api).map(|(_, name)| *name)
}

fn function_id(value: &Value) -> Option<u16> {
    static BY_NAME: LazyLock<HashMap<&str, u16>> =
        LazyLock::new(|| Function::ROWS.iter().map(|row| (row.name, row.api)).collect());
    match value {
        Value::Text(name) => BY_NAME.get(name.as_str()).copied(),
        number => number.as_int().and_then(|id| u16::try_from(id).ok()),
    }
}

/// Returns the ids that a recorded list names.
fn function_ids(value: &Value) -> Vec<u16> {
    value.as_list().unwrap_or_default().iter().filter_map(function_id).collect()
}

/// Writes a list of functions in the form that was asked for.
fn write_functions(asked: u16, ids: &[u16], supported: Place) {
    match asked {
        ALL_FUNCTIONS => (0..100).for_each(|api| supported.set_u16_at(usize::from(api), u16::from(ids.contains(&api)))),
        ODBC3_ALL_FUNCTIONS => {
            let mut words = [0u16; 250];
            for id in ids {
                if let Some(word) = words.get_mut(usize::from(id >> 4)) {
                    *word |= 1 << (id & 15);
                }
            }
            words.iter().enumerate().for_each(|(at, word)| supported.set_u16_at(at, *word));
        }
        api => supported.set_u16_at(0, u16::from(ids.contains(&api))),
    }
}
