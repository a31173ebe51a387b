//! Answers with rows: questions whose result depends on the driver alone, as SQLGetTypeInfo's does. A client library asks them
//! once in a process, on whatever connection comes first, so they have no place in the order of commands.
//!
//! Each is a recorded statement that is kept out of the log's order and served as often as the program asks, to any connection
//! of the same driver. It is played as a cassette of its own: by a player that has the entries of this statement and no others.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::compare::difference_but_comments;
use super::index::Index;
use super::parts::Source;
use super::{Mismatch, Player, rows};
use crate::{ConnectionId, Entry, Key, Method};

/// Live statements that are served a result answer have ids from here on: they take no part in the numbering of the others.
pub const FIRST_RESULT_ANSWER: u32 = 1 << 31;

/// The connection and the statement of a result answer in its own player.
pub(super) const OWN: (ConnectionId, u32) = (ConnectionId(0), 1);

/// A recorded statement with such a result.
pub(crate) struct ResultAnswer {
    pub(crate) connection: ConnectionId,
    /// As the cassette numbers it.
    pub(crate) statement: u32,
    /// What was asked.
    pub(crate) asked: Entry,
    /// How much of it was read: the one that was read to its end serves those that read less as well.
    pub(crate) read: Read,
    /// The statement's entries and no others.
    pub(crate) index: Arc<Index>,
}

/// How far a recorded result was read. One that was read further is greater.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Read {
    to_its_end: bool,
    rows: u64,
}

impl Read {
    /// Adds what a fetch read.
    pub(crate) fn add(&mut self, entry: &Entry) {
        self.to_its_end |= entry.method == Method::FetchAll || rows::is_end(entry);
        self.rows += rows::count(entry).unwrap_or(u64::from(entry.method != Method::Fetch));
    }
}

/// What a live statement is served.
#[derive(Clone)]
pub(super) struct Served {
    answer: Arc<ResultAnswer>,
    player: Arc<Player>,
}

/// The live statements that are served at present.
pub(super) type Serving = Mutex<HashMap<(ConnectionId, u32), Served>>;

/// What tells one question from another, beside what is left out.
fn without(entry: &Entry, left_out: &[Key]) -> Entry {
    let fields = entry.fields.iter().filter(|(key, _)| !left_out.contains(key)).cloned().collect();
    Entry { fields, ..entry.clone() }
}

/// Whether a command gives its statement another text.
fn is_new_text(method: Method) -> bool {
    matches!(method, Method::Catalog | Method::Run | Method::Prepare)
}

impl Player {
    /// Whether the cassette has any that begin with this method.
    pub fn has_result_answers(&self, method: Method) -> bool {
        let mut answers = self.storage.0.current_first().flat_map(|source| &source.result_answers);
        answers.any(|answer| answer.asked.method == method)
    }

    /// Whether the cassette has a result for what a live connection asks that is served out of order, whatever the parameters
    /// are. Its statement gets an id from [`FIRST_RESULT_ANSWER`] on.
    pub fn has_result_answer(&self, asked: &Entry) -> bool {
        self.result_answer(asked, &[Key::Attributes, Key::Params]).is_some()
    }

    /// The player that serves a live statement, if it is one that is served a result answer.
    pub(super) fn serving(&self, connection: ConnectionId, statement: Option<u32>) -> Option<Arc<Player>> {
        let statement = statement.filter(|statement| *statement >= FIRST_RESULT_ANSWER)?;
        self.serving.lock().get(&(connection, statement)).map(|served| Arc::clone(&served.player))
    }

    /// The same for a command, which may be the statement's first: what is asked, as the serving player has it.
    pub(super) fn served(&self, asked: &Entry) -> Option<(Arc<Player>, Entry)> {
        let statement = asked.statement.filter(|statement| *statement >= FIRST_RESULT_ANSWER)?;
        let at = (asked.connection, statement);
        if is_new_text(asked.method) {
            let (source, answer) = self.result_answer(asked, &[Key::Attributes])?;
            let player = Arc::new(self.player_of(source, &answer));
            self.serving.lock().insert(at, Served { answer, player });
        }
        let Served { answer, player } = self.serving.lock().get(&at).cloned()?;
        let asked = Entry { connection: OWN.0, statement: Some(OWN.1), ..asked.clone() };
        if asked.method == Method::Execute && player.unplayed().is_ok_and(|left| left.is_empty()) {
            // executed more often than it was recorded: from the beginning
            let player = Arc::new(player.player_of(player.storage.0.current(), &answer));
            let prepared = Entry { connection: OWN.0, statement: Some(OWN.1), ..answer.asked.clone() };
            if player.command(&prepared).is_ok() {
                self.serving.lock().insert(at, Served { answer, player: Arc::clone(&player) });
                return Some((player, asked));
            }
        }
        Some((player, asked))
    }

    /// What a serving player says; a mismatch there is one of this cassette.
    pub(super) fn of_serving<T>(&self, played: Result<T, Mismatch>) -> Result<T, Mismatch> {
        played.map_err(|mismatch| self.state.lock().sticky.get_or_insert(mismatch).clone())
    }

    /// A live statement goes on with another text, or is freed.
    pub fn forget_statement(&self, connection: ConnectionId, statement: u32) {
        if statement >= FIRST_RESULT_ANSWER {
            self.serving.lock().remove(&(connection, statement));
        } else if let Some(any) = &self.any {
            any.forget(connection, statement);
        }
    }

    /// The recorded answer to what a live connection asks, of any connection of the same driver: one of the part that is played,
    /// the one that was read furthest, its own. What is left out counts only where one was recorded with the same.
    fn result_answer(&self, asked: &Entry, left_out: &[Key]) -> Option<(&Source, Arc<ResultAnswer>)> {
        let connection = self.recorded(asked.connection);
        let driver = self.storage.0.current().driver(connection);
        let plain = without(asked, left_out);
        let rank = |source: &Source, answer: &ResultAnswer| {
            let same_kind = answer.asked.method == asked.method && source.driver(answer.connection) == driver;
            if !same_kind || difference_but_comments(&without(&answer.asked, left_out), &plain, self.comments).is_some()
            {
                return None;
            }
            let exact = difference_but_comments(&answer.asked, asked, self.comments).is_none();
            Some((!exact, Reverse(answer.read), answer.connection != connection))
        };
        self.storage.0.current_first().find_map(|source| {
            let known = source.result_answers.iter().filter_map(|answer| Some((rank(source, answer)?, answer)));
            let best = known.min_by_key(|(rank, _)| *rank).map(|(_, answer)| Arc::clone(answer));
            best.map(|answer| (source, answer))
        })
    }

    /// A player of one result answer.
    fn player_of(&self, source: &Source, answer: &ResultAnswer) -> Player {
        let player = self.of_source(Source::of_statement(source, Arc::clone(&answer.index)));
        player.state.lock().sessions.open_at(OWN.0, answer.connection, answer.statement - OWN.1);
        player
    }
}
