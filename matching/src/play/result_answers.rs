//! Answers with rows: questions whose result depends on the driver alone, such as SQLGetTypeInfo. A client library asks
//! them once in a process, on whatever connection comes first, so they have no place in the order of commands.
//!
//! Each is a recorded statement that is kept out of the log's order. It is served as often as the program asks, to any
//! connection of the same driver. A player of its own plays it like a cassette that has only this statement's entries.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::log::index::ResultAnswer;
use crate::log::rows::OtherReading;
use crate::play::log_player::{Fetched, LogPlayer};
use crate::sessions::sources::Source;
use super8_cassette::{ConnectionId, Entry, Key, Method, Value};

/// Live statements that are served a result answer have ids from here on, so that they do not count among the other statements.
pub const FIRST_RESULT_ANSWER: u32 = 1 << 31;

/// The connection and statement that a result answer has in its own player.
pub(crate) const OWN: (ConnectionId, u32) = (ConnectionId(0), 1);

/// What a live statement is served.
#[derive(Clone)]
pub(crate) struct Served {
    pub(crate) answer: Arc<ResultAnswer>,
    pub(crate) player: Arc<LogPlayer>,
    /// The prepared text, which is compared when it is executed, in a cassette written by hand.
    pub(crate) prepared: Option<Value>,
}

/// The live statements that are being served.
#[derive(Default)]
pub(crate) struct Serving(Mutex<HashMap<(ConnectionId, u32), Served>>);

/// Returns an entry without some of its fields.
fn without(entry: &Entry, left_out: &[Key]) -> Entry {
    let fields = entry.fields.iter().filter(|(key, _)| !left_out.contains(key)).cloned().collect();
    Entry { fields, ..entry.clone() }
}

impl Serving {
    /// Returns the player that serves a live statement, if it is served a result answer.
    pub(crate) fn player(&self, connection: ConnectionId, statement: Option<u32>) -> Option<Arc<LogPlayer>> {
        let statement = statement.filter(|statement| *statement >= FIRST_RESULT_ANSWER)?;
        self.0.lock().get(&(connection, statement)).map(|served| Arc::clone(&served.player))
    }

    /// Does the same for a command, which may be the statement's first. Also returns the command with the ids that the
    /// serving player uses.
    pub(crate) fn command(&self, log: &LogPlayer, asked: &Entry) -> Option<(Arc<LogPlayer>, Entry)> {
        let statement = asked.statement.filter(|statement| *statement >= FIRST_RESULT_ANSWER)?;
        let redacted = log.redacted(asked);
        let asked = redacted.as_ref().unwrap_or(asked);
        let at = (asked.connection, statement);
        if asked.method.gives_new_text() {
            let (source, answer) = find(log, asked, None, &[Key::Attributes])?;
            let player = Arc::new(player_of(log, source, &answer));
            self.0.lock().insert(at, Served { answer, player, prepared: None });
        }
        let Served { answer, player, .. } = self.0.lock().get(&at).cloned()?;
        let asked = Entry { connection: OWN.0, statement: Some(OWN.1), ..asked.clone() };
        let is_played = || player.left_unplayed(&mut player.state.write()).is_ok_and(|left| left.is_empty());
        let is_other = || {
            answer.executed.as_ref().is_some_and(|executed| player.comparison.difference(executed, &asked).is_some())
        };
        if asked.method == Method::Execute && (is_played() || is_other()) {
            // serve another execution: the one with these parameters, if there is one
            let (source, answer) =
                find(log, &Entry { connection: at.0, ..answer.asked.clone() }, Some(&asked), &[Key::Attributes])
                    .unwrap_or_else(|| (player.store.0.current(), Arc::clone(&answer)));
            let player = Arc::new(player_of(log, source, &answer));
            let prepared = Entry { connection: OWN.0, statement: Some(OWN.1), ..answer.asked.clone() };
            if player.command(&prepared).is_ok() {
                self.0.lock().insert(at, Served { answer, player: Arc::clone(&player), prepared: None });
                return Some((player, asked));
            }
        }
        Some((player, asked))
    }

    /// Makes players of the other recordings of the question that a live statement is served. The program may have asked about
    /// one of them what it did not ask about this one: all of them are the same result.
    pub(crate) fn others(&self, log: &LogPlayer, connection: ConnectionId, statement: u32) -> Vec<OtherAnswer> {
        let Some(Served { answer, .. }) = self.at((connection, statement)) else { return Vec::new() };
        let is_same = |own: Option<&Entry>, other: Option<&Entry>| match (own, other) {
            (Some(own), Some(other)) => log.comparison.difference(other, own).is_none(),
            (own, other) => own.is_none() && other.is_none(),
        };
        let others_in = |source: &Source| {
            let driver = source.driver(answer.connection);
            let is_other = |other: &&Arc<ResultAnswer>| {
                !Arc::ptr_eq(&answer, other)
                    && source.driver(other.connection) == driver
                    && is_same(Some(&answer.asked), Some(&other.asked))
                    && is_same(answer.executed.as_ref(), other.executed.as_ref())
            };
            let others = source.result_answers.iter().filter(is_other);
            others.map(|other| (player_of(log, source, other), Arc::clone(other))).collect::<Vec<OtherAnswer>>()
        };
        let holds = |source: &&Source| source.result_answers.iter().any(|own| Arc::ptr_eq(own, &answer));
        log.store.0.current_first().find(holds).map(others_in).unwrap_or_default()
    }

    /// Returns what a live statement is served.
    pub(crate) fn at(&self, at: (ConnectionId, u32)) -> Option<Served> {
        self.0.lock().get(&at).cloned()
    }

    /// Serves this to a live statement from now on.
    pub(crate) fn serve(&self, at: (ConnectionId, u32), served: Served) {
        self.0.lock().insert(at, served);
    }

    /// Keeps the text of a served live statement, so that it can be executed again.
    pub(crate) fn prepared(&self, at: (ConnectionId, u32), sql: Value) {
        if let Some(served) = self.0.lock().get_mut(&at) {
            served.prepared = Some(sql);
        }
    }

    /// Forgets a live statement, which goes on with another text or is freed.
    pub(crate) fn forget(&self, connection: ConnectionId, statement: u32) {
        self.0.lock().remove(&(connection, statement));
    }

    /// Forgets the statements of a live connection that is closed.
    pub(crate) fn disconnect(&self, connection: ConnectionId) {
        self.0.lock().retain(|(of, _), _| *of != connection);
    }
}

/// Another recording of a question, and a player of it.
pub(crate) type OtherAnswer = (LogPlayer, Arc<ResultAnswer>);

/// Says whether a cassette has any result answers that begin with this method.
pub(crate) fn begins_with(log: &LogPlayer, method: Method) -> bool {
    let mut answers = log.store.0.current_first().flat_map(|source| &source.result_answers);
    answers.any(|answer| answer.asked.method == method)
}

/// Finds the recorded answer to what a live connection asks, on any connection of the same driver. Prefers the current part,
/// then the answer that was read furthest, then the connection's own. Fields in `left_out` need not be equal, but an answer
/// where they are comes first. For a prepared text and a given execution, the execution's parameters must be equal too.
pub(crate) fn find<'l>(
    log: &'l LogPlayer,
    asked: &Entry,
    executed: Option<&Entry>,
    left_out: &[Key],
) -> Option<(&'l Source, Arc<ResultAnswer>)> {
    let connection = log.state.read().recorded(asked.connection, None).0;
    let driver = log.store.0.current().driver(connection);
    // a driver may answer ANSI and Unicode programs differently; a cassette written by hand has both answers
    let program = asked.get(Key::Kind);
    let asked = &without(asked, &[Key::Kind]);
    let plain = without(asked, left_out);
    let rank = |source: &Source, answer: &ResultAnswer| {
        let same_kind = answer.asked.method == asked.method && source.driver(answer.connection) == driver;
        let programs = answer.asked.get(Key::Kind);
        if !same_kind || programs.is_some() && programs != program {
            return None;
        }
        let own = &without(&answer.asked, &[Key::Kind]);
        if log.comparison.difference(&without(own, left_out), &plain).is_some() {
            return None;
        }
        if let Some(executed) = executed
            && answer.executed.as_ref().is_none_or(|own| log.comparison.difference(own, executed).is_some())
        {
            return None;
        }
        let exact = log.comparison.difference(own, asked).is_none();
        Some((!exact, Reverse(answer.read), answer.connection != connection))
    };
    log.store.0.current_first().find_map(|source| {
        let known = source.result_answers.iter().filter_map(|answer| Some((rank(source, answer)?, answer)));
        let best = known.min_by_key(|(rank, _)| *rank).map(|(_, answer)| Arc::clone(answer));
        best.map(|answer| (source, answer))
    })
}

/// Reads all rows of a result answer, as far as they were read when it was recorded.
pub(crate) fn reading(other: &OtherAnswer) -> Option<OtherReading> {
    let (player, answer) = other;
    for asked in [Some(&answer.asked), answer.executed.as_ref()].into_iter().flatten() {
        let asked = Entry { connection: OWN.0, statement: Some(OWN.1), ..asked.clone() };
        player.command(&asked).ok()?;
    }
    let mut reading = OtherReading::new();
    while let Ok(Fetched::Rows(mut run)) = player.fetch(OWN.0, OWN.1) {
        reading.add(&mut run).ok()?;
    }
    Some(reading)
}

/// Makes the player of one result answer.
pub(crate) fn player_of(log: &LogPlayer, source: &Source, answer: &ResultAnswer) -> LogPlayer {
    let player = log.of_source(Source::of_statement(source, Arc::clone(&answer.index)));
    player.state.write().sessions.open_at(OWN.0, answer.connection, answer.statement - OWN.1);
    player
}
