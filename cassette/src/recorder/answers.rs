//! Shares answers between the recordings of a process. What a client library asks once in a process goes into every
//! cassette that the process records with the same connect arguments, so that each of them can be replayed alone. The
//! driver is not asked again.
//!
//! These are the replies to SQLGetInfo and SQLGetFunctions, and SQLGetTypeInfo with its rows.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use super::rows::KeptRows;
use crate::entry::ConnectIdentity;
use crate::{AnswerRules, CassetteError, ConnectionId, Entry, Fields, Key, Method, Row, Value};

/// A result with more rows than this is not kept.
const MOST_ROWS: usize = 10_000;
/// How many answers with rows are kept for each set of connect arguments.
const MOST_RESULTS: usize = 10_000;
/// A statement with more steps than this is not kept.
const MOST_STEPS: usize = 256;

/// What was asked in a process so far, by connect arguments. The recordings of the process share it.
#[derive(Default)]
pub struct KnownAnswers(Mutex<HashMap<ConnectIdentity, Known>>);

#[derive(Default)]
struct Known {
    replies: Vec<Fields>,
    results: Vec<Arc<Mutex<KnownResult>>>,
    /// The indexes into `results` of the results that may be served, by what was asked and executed.
    by_question: HashMap<String, usize>,
}

/// An answer with rows, as far as the program has read it. For a prepared text it is a single execution.
#[derive(Clone)]
pub(super) struct KnownResult {
    pub(super) method: Method,
    pub(super) asked: Fields,
    pub(super) steps: Vec<Step>,
    /// What was asked and executed.
    question: String,
    /// The reply of the command that gave the result.
    replies: Fields,
    /// The rows as far as any program has read them, for comparison.
    rows: Vec<KeptRows>,
}

/// What came after the question, in order.
#[derive(Clone)]
pub(super) enum Step {
    Command(Method, Fields),
    Note(Method, Fields),
    Columns(Value),
    Rows(KeptRows),
    /// A step that cannot be recorded again, so other cassettes do not get the result.
    Lost,
}

impl KnownAnswers {
    fn add_reply(&self, identity: ConnectIdentity, answer: &Fields) {
        let mut known = self.0.lock();
        let replies = &mut known.entry(identity).or_default().replies;
        if !replies.contains(answer) {
            replies.push(answer.clone());
        }
    }

    /// Adds a result, and returns it with the earlier result of the same question. Only the first is kept.
    fn add_result(&self, identity: ConnectIdentity, result: KnownResult) -> Reading {
        let known = &mut *self.0.lock();
        let Known { results, by_question, .. } = known.entry(identity).or_default();
        let before = by_question.get(&result.question).map(|at| Arc::clone(&results[*at]));
        let (question, result) = (result.question.clone(), Arc::new(Mutex::new(result)));
        if before.is_none() && results.len() < MOST_RESULTS {
            by_question.insert(question, results.len());
            results.push(Arc::clone(&result));
        }
        Reading { identity, result, before }
    }

    /// Adds an execution of a prepared statement.
    fn executed(&self, reading: &Reading, entry: &Entry) -> Reading {
        let prepared = reading.result.lock();
        let is_execute = |step: &Step| matches!(step, Step::Command(Method::Execute, _));
        let first = prepared.steps.iter().position(is_execute);
        // leave out the rows of earlier executions
        let mut steps = prepared.steps[..first.unwrap_or(prepared.steps.len())].to_vec();
        steps.push(Step::Command(entry.method, entry.fields.clone()));
        let prepare = question(prepared.method, &prepared.asked);
        let question = format!("{prepare}{}", question(entry.method, &entry.fields));
        let (method, asked, replies) = (prepared.method, prepared.asked.clone(), replies(&entry.fields));
        drop(prepared);
        let result = KnownResult { method, asked, steps, question, replies, rows: Vec::new() };
        if first.is_none() && reading.before.is_none() {
            // a prepare that an execution follows is not an answer by itself
            let known = &mut *self.0.lock();
            let Known { results, by_question, .. } = known.entry(reading.identity).or_default();
            if let Some(at) = by_question.get(&prepare).copied()
                && !by_question.contains_key(&result.question)
            {
                by_question.insert(result.question.clone(), at);
                *results[at].lock() = result;
                return Reading { identity: reading.identity, result: Arc::clone(&results[at]), before: None };
            }
        }
        self.add_result(reading.identity, result)
    }
}

/// The answers of one recording.
#[derive(Default)]
pub(super) struct Answers {
    /// What the process asks, shared with its other recordings.
    known: OnceLock<Arc<KnownAnswers>>,
    rules: OnceLock<AnswerRules>,
    results: Mutex<Results>,
}

/// The answers with rows of one recording.
#[derive(Default)]
struct Results {
    /// The questions whose results the recording has.
    asked: HashSet<(ConnectIdentity, String)>,
    /// The statements that are reading a result.
    reading: HashMap<(ConnectionId, u32), Reading>,
}

struct Reading {
    identity: ConnectIdentity,
    result: Arc<Mutex<KnownResult>>,
    /// The earlier result of the same question, for a read that the user named.
    before: Option<Arc<Mutex<KnownResult>>>,
}

impl Answers {
    /// Shares what the process asks with its other recordings.
    pub(super) fn share(&self, known: Arc<KnownAnswers>) {
        let _ = self.known.set(known);
    }

    /// Sets which reads are answers with rows.
    pub(super) fn follow_rules(&self, rules: AnswerRules) {
        let _ = self.rules.set(rules);
    }

    /// Says whether an entry asks for an answer with rows.
    pub(super) fn has_rows(&self, entry: &Entry) -> bool {
        match self.rules.get() {
            Some(rules) => rules.name(entry),
            None => AnswerRules::default().name(entry),
        }
    }

    /// Notes a reply that is written to an info file for the first time.
    pub(super) fn replied(&self, identity: Option<ConnectIdentity>, answer: &Fields) {
        if let (Some(known), Some(identity)) = (self.known.get(), identity)
            && is_asked_once(answer)
        {
            known.add_reply(identity, answer);
        }
    }

    /// Notes a command before anything in it is replaced. `cassette` is for the error.
    ///
    /// # Errors
    /// A read that the user named has another outcome than before.
    pub(super) fn command(
        &self,
        entry: &Entry,
        cassette: &Path,
        identity: impl FnOnce() -> Option<ConnectIdentity>,
    ) -> Result<(), CassetteError> {
        let (Some(known), Some(statement)) = (self.known.get(), entry.statement) else { return Ok(()) };
        let at = (entry.connection, statement);
        let reading = if self.has_rows(entry) {
            let Some(identity) = identity() else { return Ok(()) };
            let (method, asked) = (entry.method, entry.fields.clone());
            let (question, replies) = (question(method, &asked), replies(&asked));
            let result = KnownResult { method, asked, steps: Vec::new(), question, replies, rows: Vec::new() };
            known.add_result(identity, result)
        } else {
            let results = self.results.lock();
            match results.reading.get(&at) {
                Some(prepared) if entry.method == Method::Execute => known.executed(prepared, entry),
                Some(_) => {
                    drop(results);
                    self.step(entry.connection, entry.statement, || Step::Command(entry.method, entry.fields.clone()));
                    return Ok(());
                }
                None => return Ok(()),
            }
        };
        let differs = |before: &Arc<Mutex<KnownResult>>| before.lock().replies != replies(&entry.fields);
        let changed = entry.method != Method::Prepare && reading.before.as_ref().is_some_and(differs);
        let sql = changed.then(|| reading.result.lock().sql()).flatten();
        let mut results = self.results.lock();
        results.asked.insert((reading.identity, reading.result.lock().question.clone()));
        results.reading.insert(at, reading);
        sql.map_or(Ok(()), |sql| Err(other_result(&sql, "another outcome", cassette)))
    }

    /// Notes an answer or housekeeping. A statement that is closed or freed stops reading its result.
    pub(super) fn note(&self, entry: &Entry) {
        self.step(entry.connection, entry.statement, || Step::Note(entry.method, entry.fields.clone()));
        if let (Method::Close | Method::Drop, Some(statement)) = (entry.method, entry.statement) {
            let reading = &mut self.results.lock().reading;
            if !reading.is_empty() {
                reading.remove(&(entry.connection, statement));
            }
        }
    }

    /// Notes the columns of a statement's result.
    pub(super) fn columns(&self, connection: ConnectionId, statement: u32, columns: &Value) {
        self.step(connection, Some(statement), || Step::Columns(columns.clone()));
    }

    /// Notes the rows of a run that has ended. `cassette` is for the error.
    ///
    /// # Errors
    /// A read that the user named gives other rows than before.
    pub(super) fn rows(
        &self,
        connection: ConnectionId,
        statement: u32,
        rows: KeptRows,
        cassette: &Path,
    ) -> Result<(), CassetteError> {
        if let Some(sql) = self.changed(connection, statement, &rows) {
            return Err(other_result(&sql, "other rows", cassette));
        }
        self.step(connection, Some(statement), || match rows.odd || rows.rows.len() > MOST_ROWS {
            true => Step::Lost,
            false => Step::Rows(rows),
        });
        Ok(())
    }

    /// Returns the SQL text of a named read if its rows differ from earlier ones.
    fn changed(&self, connection: ConnectionId, statement: u32, rows: &KeptRows) -> Option<String> {
        let results = self.results.lock();
        let Reading { result, before, .. } = results.reading.get(&(connection, statement))?;
        let result = result.lock();
        let number = result.steps.iter().filter(|step| matches!(step, Step::Rows(_))).count();
        let sql = result.sql()?;
        drop(result);
        let mut known =
            before.as_ref().map_or(&results.reading.get(&(connection, statement))?.result, |before| before).lock();
        let Some(earlier) = known.rows.get(number) else {
            if known.rows.len() == number && rows.rows.len() <= MOST_ROWS {
                known.rows.push(rows.clone());
            }
            return None;
        };
        let cells = |row: &Row| row.fields().map(std::borrow::Cow::into_owned).collect::<Vec<_>>();
        let shared = earlier.rows.iter().zip(&rows.rows).all(|(one, other)| cells(one) == cells(other));
        let as_many = match (earlier.ended, rows.ended) {
            (true, true) => earlier.rows.len() == rows.rows.len(),
            (true, false) => rows.rows.len() <= earlier.rows.len(),
            (false, true) => earlier.rows.len() <= rows.rows.len(),
            (false, false) => true,
        };
        let reads_on = (rows.ended, rows.rows.len()) > (earlier.ended, earlier.rows.len());
        if shared && as_many && reads_on && rows.rows.len() <= MOST_ROWS {
            known.rows[number] = rows.clone();
        }
        (!shared || !as_many).then_some(sql)
    }

    fn step(&self, connection: ConnectionId, statement: Option<u32>, step: impl FnOnce() -> Step) {
        let (Some(_), Some(statement)) = (self.known.get(), statement) else { return };
        let results = self.results.lock();
        if let Some(reading) = results.reading.get(&(connection, statement)) {
            let steps = &mut reading.result.lock().steps;
            match steps.len() {
                0..MOST_STEPS => steps.push(step()),
                MOST_STEPS => steps.push(Step::Lost),
                _ => {}
            }
        }
    }

    /// Says whether the rows of a statement must be kept.
    pub(super) fn keeps_rows(&self, connection: ConnectionId, statement: u32) -> bool {
        self.known.get().is_some() && self.results.lock().reading.contains_key(&(connection, statement))
    }

    /// Forgets a connection that is closed.
    pub(super) fn forget(&self, connection: ConnectionId) {
        self.results.lock().reading.retain(|(of, _), _| *of != connection);
    }

    /// Returns what the process has asked before with these connect arguments.
    pub(super) fn earlier(&self, identity: ConnectIdentity) -> (Vec<Fields>, Vec<KnownResult>) {
        let known = self.known.get().map(|known| known.0.lock());
        match known.as_ref().and_then(|known| known.get(&identity)) {
            Some(known) => {
                let results = known.results.iter().map(|result| result.lock().clone());
                (known.replies.clone(), results.collect())
            }
            None => Default::default(),
        }
    }

    /// Says whether an earlier result goes into this recording, because it can be recorded again and the recording does
    /// not have it. If so, it counts as recorded from now on.
    pub(super) fn adopts(&self, identity: ConnectIdentity, result: &KnownResult) -> bool {
        let lost = result.steps.iter().any(|step| matches!(step, Step::Lost));
        !lost && self.results.lock().asked.insert((identity, result.question.clone()))
    }

    /// Says whether answers are not shared with other recordings.
    pub(super) fn are_alone(&self) -> bool {
        self.known.get().is_none()
    }
}

/// Says whether a reply is one that client libraries ask for once.
fn is_asked_once(answer: &Fields) -> bool {
    let own = [Key::ConnectionId, Key::StatementId, Key::About].into_iter().any(|key| answer.get(key).is_some());
    let function = answer.get(Key::Function).and_then(Value::as_text);
    !own && matches!(function, Some("SQLGetInfo" | "SQLGetFunctions"))
}

impl KnownResult {
    /// Returns the SQL text, for a read that the user named.
    fn sql(&self) -> Option<String> {
        self.asked.get(Key::Sql).and_then(Value::as_text).map(str::to_owned)
    }
}

fn other_result(sql: &str, what: &str, cassette: &Path) -> CassetteError {
    let problem =
        format!("`{sql}` gives {what} than before, but `answers` names it as a read whose result does not change");
    CassetteError::new(cassette, problem).advice("take it out of `answers` in super8.yml")
}

/// Returns what a command replied.
fn replies(fields: &Fields) -> Fields {
    fields.iter().filter(|(key, _)| key.is_reply()).cloned().collect()
}

/// Returns the fields that identify a question.
fn question(method: Method, fields: &Fields) -> String {
    let asked: Vec<_> = fields.iter().filter(|(key, _)| !key.is_reply()).collect();
    format!("{method:?}{asked:?}")
}
