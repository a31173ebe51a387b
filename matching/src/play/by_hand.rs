//! Plays a cassette written by hand.
//!
//! Its commands are played in order, except those of a group, which may come in any order. The result of a command is
//! played like a cassette of its own, as for answers with rows, so it makes no difference how much of it a program
//! reads. A prepared statement is compared when it is executed, unless the cassette has a `prepare` of its own.

use std::sync::Arc;

use crate::compare::as_written;
use crate::compare::mismatch::{Mismatch, Scene};
use crate::log::cursor::{Candidate, Cursor};
use crate::log::index::ResultAnswer;
use crate::log::script::Statement;
use crate::play::log_player::LogPlayer;
use crate::play::result_answers::{OWN, Served, Serving, find, player_of};
use crate::sessions::state::State;
use super8_cassette::{CassetteError, ConnectionId, Entry, Key, Method, Value, sets};

/// What was found for a command.
enum Found {
    /// This entry comes next.
    Step(Entry),
    /// This statement is served, or will be executed later.
    Statement(Arc<ResultAnswer>),
}

impl LogPlayer {
    /// Says whether a person wrote the cassette. Statements of such a cassette have ids from
    /// [`FIRST_RESULT_ANSWER`](crate::FIRST_RESULT_ANSWER) on.
    pub(crate) fn is_by_hand(&self) -> bool {
        self.index.groups().is_some()
    }

    /// Offers the command at a place, or another one of its group, if that is what is asked.
    pub(crate) fn offer_step(
        &self,
        cursor: &mut Cursor,
        asked: &Entry,
        (connection, statement): (ConnectionId, Option<u32>),
        first: (u32, usize),
    ) -> Result<Candidate, Scene> {
        let (position, place) = first;
        let group = self.index.groups().and_then(|groups| groups.iter().find(|group| group.contains(&position)));
        let others = group.map_or(0..0, |group| position + 1..group.end);
        for position in std::iter::once(position).chain(others) {
            let slot = self.index.slot(position);
            let same_place = asked.method == Method::Connect
                || slot.connection() == connection
                    && (asked.method != Method::Execute || slot.statement() == statement);
            if slot.method != asked.method || !same_place || cursor.passed(&self.index, position) {
                continue;
            }
            let entry = sets::entry(&*self.store, slot.place())?;
            if self.comparison.difference(&entry, asked).is_none() {
                self.check_cells(position, &entry)?;
                let place = cursor.place_of(&self.index, position).unwrap_or(place);
                return Ok(Candidate::Command { entry: Entry { statement: slot.statement(), ..entry }, place });
            }
        }
        Err(Scene::Command { position: first.0 })
    }

    /// Plays what is asked if it comes next, and otherwise serves `answer` if there is one. `shown` is what a report shows as asked.
    fn step_by_hand(&self, asked: &Entry, shown: &Entry, answer: Option<Arc<ResultAnswer>>) -> Result<Found, Mismatch> {
        self.play(shown, |state| match self.step(state, asked) {
            Ok((candidate, _)) => candidate.into_entry().map(Found::Step).ok_or(Scene::Exhausted),
            Err(Scene::Unreadable(error)) => Err(Scene::Unreadable(error)),
            Err(scene) => answer.clone().map(Found::Statement).ok_or(scene),
        })
    }

    /// Finds the next statement on a connection that executes this text.
    fn upcoming(
        &self,
        state: &mut State,
        connection: ConnectionId,
        sql: &str,
    ) -> Result<Option<Arc<ResultAnswer>>, CassetteError> {
        let (connection, _) = state.recorded(connection, None);
        let cursor = state.cursor(self.order, &self.index, connection);
        for position in cursor.rest(&self.index) {
            let slot = self.index.slot(position);
            if slot.method == Method::Run && slot.connection() == connection && !cursor.passed(&self.index, position) {
                let entry = self.store.checked_entry(slot.place())?;
                if has_text(&entry, sql) {
                    return Ok(self.statement_of(&entry));
                }
            }
        }
        Ok(None)
    }

    fn statement_of(&self, entry: &Entry) -> Option<Arc<ResultAnswer>> {
        self.store.0.current().statements.get(&(entry.connection, entry.statement?)).cloned()
    }

    /// Returns the file and line of a statement's command, for people.
    fn place_of(&self, answer: &ResultAnswer) -> String {
        let (file, line) = self.store.locate(answer.index.slot(0).place());
        format!("{}:{line}", file.display())
    }

    /// Returns the reply to the command of this player's only statement. The command was compared when its turn came,
    /// and is not compared again.
    fn skip_its_command(&self, answer: &ResultAnswer) -> Result<Entry, Mismatch> {
        let state = &mut *self.state.write();
        state.lane_mut(&self.index, answer.connection).cursor = Cursor::advanced(&self.index, answer.connection, 1);
        match self.check_cells(0, &answer.asked) {
            Ok(()) => Ok(self.comparison.bindings.replied(answer.asked.clone(), None)),
            Err(error) => Err(self.stuck(state, &own(&answer.asked), error.into())),
        }
    }

    /// Returns the next result of this player's only statement, however much of the last one was read.
    fn skip_to_next_result(&self) -> Entry {
        let state = &mut *self.state.write();
        let (connection, _) = state.recorded(OWN.0, None);
        let cursor = state.cursor(self.order, &self.index, connection);
        while let Some((position, place)) = cursor.next_place(&self.index) {
            cursor.played(&self.index, place);
            let slot = self.index.slot(position);
            if slot.method == Method::MoreResults
                && let Ok(entry) = self.store.checked_entry(slot.place())
            {
                return entry;
            }
        }
        let end = Entry::new(Method::MoreResults, OWN.0, Some(OWN.1));
        end.with(Key::Result, Value::Null).with(Key::Return, "SQL_NO_DATA")
    }
}

impl Serving {
    /// Plays a command of a cassette written by hand.
    pub(crate) fn command_by_hand(&self, log: &LogPlayer, asked: &Entry) -> Result<Entry, Mismatch> {
        let redacted = log.redacted(asked);
        let asked = redacted.as_ref().unwrap_or(asked);
        let Some(statement) = asked.statement else {
            // a cassette without such entries does not care about transactions or attributes
            if !log.index.has(asked.method) {
                return Ok(Entry::new(asked.method, asked.connection, None));
            }
            return log.step_by_hand(asked, asked, None).map(|found| match found {
                Found::Step(entry) => entry,
                Found::Statement(answer) => answer.asked.clone(),
            });
        };
        let at = (asked.connection, statement);
        let served = self.at(at);
        match (asked.method, served) {
            (Method::Run | Method::Catalog, _) => self.run_by_hand(log, at, asked),
            (Method::Prepare, _) => self.prepare_by_hand(log, at, asked),
            (Method::Execute, Some(Served { prepared: Some(sql), .. })) => {
                let played = self.run_by_hand(log, at, &executing(asked, &sql));
                self.prepared(at, sql);
                played
            }
            (Method::Execute, Some(served)) => {
                let wanted = Entry { statement: Some(served.answer.statement), ..asked.clone() };
                match log.step_by_hand(&wanted, &wanted, None)? {
                    Found::Step(_) => log.adopt(served.player.command(&own(asked))),
                    Found::Statement(answer) => Ok(answer.asked.clone()),
                }
            }
            (Method::MoreResults, Some(served)) => Ok(served.player.skip_to_next_result()),
            (_, Some(served)) => log.adopt(served.player.command(&own(asked))),
            (_, None) => log.step_by_hand(asked, asked, None).map(|_| asked.clone()),
        }
    }

    /// Says whether a command is the next one of a cassette written by hand. Plays nothing.
    pub(crate) fn expects_by_hand(&self, log: &LogPlayer, asked: &Entry) -> bool {
        let redacted = log.redacted(asked);
        let asked = redacted.as_ref().unwrap_or(asked);
        let served = asked.statement.and_then(|statement| self.at((asked.connection, statement)));
        let wanted = match (asked.method, served) {
            (Method::Execute, Some(Served { prepared: Some(sql), .. })) => executing(asked, &sql),
            (Method::Execute, Some(served)) => Entry { statement: Some(served.answer.statement), ..asked.clone() },
            _ => Entry { statement: None, ..asked.clone() },
        };
        if find(log, &wanted, None, &[]).is_some() {
            return true;
        }
        let state = &mut *log.state.write();
        let recorded = state.recorded(wanted.connection, wanted.statement);
        let cursor = state.cursor(log.order, &log.index, recorded.0);
        log.candidate(cursor, &wanted, recorded).is_ok()
    }

    /// Executes a text and serves its result to the statement.
    fn run_by_hand(&self, log: &LogPlayer, at: Statement, asked: &Entry) -> Result<Entry, Mismatch> {
        let answer = find(log, asked, None, &[]).map(|(_, answer)| answer);
        let wanted = Entry { statement: None, ..asked.clone() };
        let answer = match log.step_by_hand(&wanted, &wanted, answer)? {
            Found::Statement(answer) => {
                log.comparison.bind(&answer.asked, &wanted, || log.place_of(&answer));
                answer
            }
            Found::Step(entry) => match log.statement_of(&entry) {
                Some(answer) => answer,
                None => return Ok(entry),
            },
        };
        self.serve_result(log, at, &answer, None)
    }

    /// Prepares a text: with the cassette's own prepare entry, or for an entry that will be executed.
    fn prepare_by_hand(&self, log: &LogPlayer, at: Statement, asked: &Entry) -> Result<Entry, Mismatch> {
        let sql = asked.get(Key::Sql).cloned().unwrap_or(Value::Null);
        let text = sql.as_text().unwrap_or_default().to_owned();
        let is_its_text = |answer: &&Arc<ResultAnswer>| has_text(&answer.asked, &text);
        let answer = log.store.0.current().result_answers.iter().find(is_its_text).cloned();
        let wanted = Entry { statement: None, ..asked.clone() };
        let as_run = Entry { method: Method::Run, ..wanted.clone() };
        let found = log.play(&as_run, |state| match log.step(state, &wanted) {
            Ok((candidate, _)) => Ok(candidate.into_entry().map(Found::Step)),
            Err(Scene::Unreadable(error)) => Err(Scene::Unreadable(error)),
            Err(scene) => match log.upcoming(state, asked.connection, &text)?.or(answer.clone()) {
                Some(answer) => Ok(Some(Found::Statement(answer))),
                None => Err(scene),
            },
        })?;
        match found {
            Some(Found::Step(entry)) => match log.statement_of(&entry) {
                Some(answer) => self.serve_result(log, at, &answer, None),
                None => Ok(entry),
            },
            Some(Found::Statement(answer)) => {
                // its columns and parameters are known before it is executed, but not its outcome
                self.serve_result(log, at, &answer, Some(sql))?;
                Ok(Entry::new(Method::Prepare, asked.connection, asked.statement))
            }
            None => Ok(asked.clone()),
        }
    }

    /// Serves a statement's result from its beginning.
    fn serve_result(
        &self,
        log: &LogPlayer,
        at: Statement,
        answer: &Arc<ResultAnswer>,
        prepared: Option<Value>,
    ) -> Result<Entry, Mismatch> {
        let player = Arc::new(player_of(log, log.store.0.current(), answer));
        let played = player.skip_its_command(answer);
        self.serve(at, Served { answer: Arc::clone(answer), player, prepared });
        log.adopt(played)
    }
}

fn has_text(entry: &Entry, sql: &str) -> bool {
    let own = entry.get(Key::Sql).and_then(Value::as_text);
    own.is_some_and(|own| as_written::fits(entry, own, sql))
}

/// Makes an execute of a prepared text look as if the text were executed directly.
fn executing(asked: &Entry, sql: &Value) -> Entry {
    let mut run = Entry { method: Method::Run, statement: None, ..asked.clone() };
    run.fields.insert(0, (Key::Sql, sql.clone()));
    run
}

/// Returns an entry with the ids that the statement's own player uses.
fn own(entry: &Entry) -> Entry {
    Entry { connection: OWN.0, statement: Some(OWN.1), ..entry.clone() }
}
