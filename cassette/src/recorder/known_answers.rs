//! What a client library asks once in a process goes into every cassette that the process records for the same connect
//! arguments, so that each of them can be replayed alone. The driver is not asked again.
//!
//! That is what SQLGetInfo and SQLGetFunctions reply, and SQLGetTypeInfo with its rows.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use parking_lot::Mutex;

use super::Recorder;
use crate::connect::Identity;
use crate::{AnswerRules, CassetteError, ConnectionId, Entry, Fields, Key, Method, Row, Value};

/// A result of more rows than this is not kept.
const MOST_ROWS: usize = 10_000;
/// Nor is a statement that was used so often.
const MOST_STEPS: usize = 256;

/// What was asked in a process so far, by connect arguments. Shared by its recordings.
#[derive(Default)]
pub struct KnownAnswers(Mutex<HashMap<Identity, Known>>);

#[derive(Default)]
struct Known {
    replies: Vec<Fields>,
    results: Vec<Arc<Mutex<KnownResult>>>,
}

/// An answer with rows, as far as the program has read it.
struct KnownResult {
    method: Method,
    asked: Fields,
    steps: Vec<Step>,
}

/// What came after the question, in order.
#[derive(Clone)]
enum Step {
    Command(Method, Fields),
    Note(Method, Fields),
    Columns(Value),
    Rows(KeptRows),
    /// Something that cannot be told again: the result is not given to another cassette.
    Lost,
}

/// The rows of a run, as they were recorded.
#[derive(Clone, Debug)]
pub(super) struct KeptRows {
    pub(super) rows: Vec<Row>,
    pub(super) c_types: Vec<String>,
    /// The end of the data was reached.
    pub(super) ended: bool,
    /// There is something to be said of single rows.
    pub(super) odd: bool,
}

/// The answers with rows of one recording.
#[derive(Default)]
pub(super) struct ResultAnswers {
    /// What the recording has.
    asked: HashSet<(Identity, String)>,
    /// The statements that read one.
    reading: HashMap<(ConnectionId, u32), Reading>,
}

struct Reading {
    result: Arc<Mutex<KnownResult>>,
    /// What the same question gave before, for a read that a user named.
    before: Option<Arc<Mutex<KnownResult>>>,
}

/// Whether a reply is one that client libraries ask for once.
fn is_asked_once(answer: &Fields) -> bool {
    let own = [Key::ConnectionId, Key::StatementId, Key::About].into_iter().any(|key| answer.get(key).is_some());
    let function = answer.get(Key::Function).and_then(Value::as_text);
    !own && matches!(function, Some("SQLGetInfo" | "SQLGetFunctions"))
}

impl KnownAnswers {
    fn add_reply(&self, identity: Identity, answer: &Fields) {
        let mut known = self.0.lock();
        let replies = &mut known.entry(identity).or_default().replies;
        if !replies.contains(answer) {
            replies.push(answer.clone());
        }
    }

    /// A result that is asked for, and what the same question gave before.
    fn add_result(&self, identity: Identity, entry: &Entry) -> Reading {
        let mut known = self.0.lock();
        let results = &mut known.entry(identity).or_default().results;
        let (method, asked) = (entry.method, entry.fields.clone());
        let before = results.iter().find(|result| {
            let result = result.lock();
            (result.method, &result.asked) == (method, &asked)
        });
        let before = before.cloned();
        let result = Arc::new(Mutex::new(KnownResult { method, asked, steps: Vec::new() }));
        if before.is_none() {
            results.push(Arc::clone(&result));
        }
        Reading { result, before }
    }
}

impl Recorder {
    /// Shares what the process asks with its other recordings; to be said before anything is recorded.
    pub fn share(&self, known: Arc<KnownAnswers>) {
        let _ = self.known.set(known);
    }

    /// A reply that is written to an info file for the first time.
    pub(super) fn replied(&self, identity: Option<Identity>, answer: &Fields) {
        if let (Some(known), Some(identity)) = (self.known.get(), identity)
            && is_asked_once(answer)
        {
            known.add_reply(identity, answer);
        }
    }

    /// Says which reads are answers with rows; to be said before anything is recorded.
    pub fn answers(&self, rules: AnswerRules) {
        let _ = self.answer_rules.set(rules);
    }

    /// Whether an entry asks for an answer with rows.
    pub fn is_result_answer(&self, entry: &Entry) -> bool {
        match self.answer_rules.get() {
            Some(rules) => rules.name(entry),
            None => AnswerRules::default().name(entry),
        }
    }

    /// A command, before anything in it is replaced.
    pub(super) fn follow_command(&self, entry: &Entry) {
        let Some(known) = self.known.get() else { return };
        if let (true, Some(statement)) = (self.is_result_answer(entry), entry.statement) {
            let Some(identity) = self.log.lock().facts.identity(entry.connection) else { return };
            let mut answers = self.result_answers.lock();
            answers.asked.insert((identity, question(entry.method, &entry.fields)));
            answers.reading.insert((entry.connection, statement), known.add_result(identity, entry));
            return;
        }
        self.follow(entry.connection, entry.statement, || Step::Command(entry.method, entry.fields.clone()));
    }

    /// An answer or housekeeping. A statement that is freed goes on with nothing.
    pub(super) fn follow_note(&self, entry: &Entry) {
        self.follow(entry.connection, entry.statement, || Step::Note(entry.method, entry.fields.clone()));
        if let (Method::Close | Method::Drop, Some(statement)) = (entry.method, entry.statement) {
            self.result_answers.lock().reading.remove(&(entry.connection, statement));
        }
    }

    /// The columns of a statement's result.
    pub(super) fn follow_columns(&self, connection: ConnectionId, statement: u32, columns: &Value) {
        self.follow(connection, Some(statement), || Step::Columns(columns.clone()));
    }

    /// The rows of a run that has ended.
    ///
    /// # Errors
    /// A read that a user named gives other rows than it gave before.
    pub(super) fn follow_rows(
        &self,
        connection: ConnectionId,
        statement: u32,
        rows: KeptRows,
    ) -> Result<(), CassetteError> {
        if let Some(sql) = self.changed(connection, statement, &rows) {
            let problem =
                format!("`{sql}` gives other rows than before, and `answers` names it as a read that does not");
            return Err(
                CassetteError::new(self.storage.name(), problem).advice("take it out of `answers` in super8.yml")
            );
        }
        self.follow(connection, Some(statement), || match rows.odd || rows.rows.len() > MOST_ROWS {
            true => Step::Lost,
            false => Step::Rows(rows),
        });
        Ok(())
    }

    /// The SQL text of a named read whose rows are others than before.
    fn changed(&self, connection: ConnectionId, statement: u32, rows: &KeptRows) -> Option<String> {
        let answers = self.result_answers.lock();
        let Reading { result, before } = answers.reading.get(&(connection, statement))?;
        let (result, before) = (result.lock(), before.as_ref()?.lock());
        let sql = result.asked.get(Key::Sql).and_then(Value::as_text)?;
        let runs = |result: &KnownResult| result.steps.iter().filter(|step| matches!(step, Step::Rows(_))).count();
        let mut earlier =
            before.steps.iter().filter_map(|step| if let Step::Rows(rows) = step { Some(rows) } else { None });
        let earlier = earlier.nth(runs(&result))?;
        let cells = |row: &Row| row.fields().map(<[u8]>::to_vec).collect::<Vec<_>>();
        let shared = earlier.rows.iter().zip(&rows.rows).all(|(one, other)| cells(one) == cells(other));
        let as_many = match (earlier.ended, rows.ended) {
            (true, true) => earlier.rows.len() == rows.rows.len(),
            (true, false) => rows.rows.len() <= earlier.rows.len(),
            (false, true) => earlier.rows.len() <= rows.rows.len(),
            (false, false) => true,
        };
        (!shared || !as_many).then(|| sql.to_owned())
    }

    /// The connection is closed.
    pub(super) fn forget_results(&self, connection: ConnectionId) {
        self.result_answers.lock().reading.retain(|(of, _), _| *of != connection);
    }

    /// Whether the rows of a statement are to be kept.
    pub(super) fn keeps_rows(&self, connection: ConnectionId, statement: u32) -> bool {
        self.known.get().is_some() && self.result_answers.lock().reading.contains_key(&(connection, statement))
    }

    fn follow(&self, connection: ConnectionId, statement: Option<u32>, step: impl FnOnce() -> Step) {
        let (Some(_), Some(statement)) = (self.known.get(), statement) else { return };
        let answers = self.result_answers.lock();
        if let Some(reading) = answers.reading.get(&(connection, statement)) {
            let steps = &mut reading.result.lock().steps;
            match steps.len() {
                0..MOST_STEPS => steps.push(step()),
                MOST_STEPS => steps.push(Step::Lost),
                _ => {}
            }
        }
    }

    /// After a connect: writes what the process has asked before with the same connect arguments, where this recording does not
    /// have it. `statement` gives the number of another statement of the connection.
    ///
    /// # Errors
    /// The first failure of this recording.
    pub fn adopt(
        self: &Arc<Self>,
        connection: ConnectionId,
        mut statement: impl FnMut() -> u32,
    ) -> Result<(), CassetteError> {
        let Some(known) = self.known.get() else { return Ok(()) };
        // the first connection with these arguments has it for those that follow
        let Some(identity) = self.log.lock().facts.first_of_its_identity(connection) else { return Ok(()) };
        let (replies, results) = match known.0.lock().get(&identity) {
            Some(known) => (known.replies.clone(), known.results.clone()),
            None => return Ok(()),
        };
        for reply in replies {
            self.before(connection, reply, 0)?;
        }
        for result in results {
            let (method, asked, steps) = {
                let result = result.lock();
                (result.method, result.asked.clone(), result.steps.clone())
            };
            let lost = steps.iter().any(|step| matches!(step, Step::Lost));
            if !lost && self.result_answers.lock().asked.insert((identity, question(method, &asked))) {
                self.tell_again(connection, statement(), (method, asked), steps)?;
            }
        }
        Ok(())
    }

    fn tell_again(
        self: &Arc<Self>,
        connection: ConnectionId,
        statement: u32,
        (method, asked): (Method, Fields),
        steps: Vec<Step>,
    ) -> Result<(), CassetteError> {
        let entry = |method, fields| Entry { method, connection, statement: Some(statement), fields };
        self.write_command(&entry(method, asked))?;
        let mut first = true;
        for step in steps {
            match step {
                Step::Command(method, fields) => self.write_command(&entry(method, fields))?,
                Step::Note(method, fields) => self.note(&entry(method, fields))?,
                Step::Columns(columns) => self.columns(connection, statement, &columns)?,
                Step::Rows(KeptRows { rows, c_types, ended, .. }) => {
                    let run = self.run(connection, statement, first);
                    let mut run = run.lock();
                    for row in rows {
                        run.begin_row()?;
                        *run.row() = row;
                        for (column, name) in c_types.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
                            run.c_type(column, name);
                        }
                    }
                    run.end(ended)?;
                    first = false;
                }
                Step::Lost => {}
            }
        }
        Ok(())
    }
}

/// What tells one question from another.
fn question(method: Method, fields: &Fields) -> String {
    let asked: Vec<_> = fields.iter().filter(|(key, _)| !key.is_reply()).collect();
    format!("{method:?}{asked:?}")
}
