//! Answers what a program asks about a connection apart from commands, and with which outcome a call ends that has its
//! default outcome unless another one is recorded.

use crate::log::connection_info::{InfoFiles, Peers};
use crate::play::log_player::LogPlayer;
use crate::sessions::state::State;
use super8_cassette::{CassetteError, ConnectionId, Detail, Entry, Fields, Key, Method, Value};

impl LogPlayer {
    /// Returns which info files have the answers about the connections of the current part.
    pub(crate) fn info_files(&self) -> &InfoFiles {
        &self.store.0.current().info_files
    }

    /// Says whether anything is recorded about connections for this function.
    pub(crate) fn has_answers_of(&self, function: &str) -> bool {
        self.answered_functions.contains(function)
    }

    /// Finds a recorded answer about a connection whose fields include `key`. If another player has the statement in
    /// the key, `elsewhere` returns its connection and statement as the cassette numbers them.
    pub(crate) fn connection_answer(
        &self,
        connection: ConnectionId,
        key: &[(Key, Value)],
        relatives: Peers,
        elsewhere: impl FnOnce(Option<u32>) -> Option<(ConnectionId, Option<u32>)>,
    ) -> Result<Option<Fields>, CassetteError> {
        let mut key = self.redactor.key(key);
        let asked = key.iter().find(|(name, _)| *name == Key::StatementId).and_then(|(_, id)| id.as_int());
        let statement = asked.and_then(|id| u32::try_from(id).ok());
        let elsewhere = elsewhere(statement);
        let state = &mut *self.state.write();
        let (connection, statement) = elsewhere.unwrap_or_else(|| {
            let (connection, statement) = state.recorded(connection, statement);
            self.index.ids(connection, statement)
        });
        let connection = state.sessions.like(connection);
        for (name, value) in &mut key {
            match (*name, statement) {
                (Key::ConnectionId, _) => *value = Value::Text(connection.to_string()),
                (Key::StatementId, Some(statement)) => *value = statement.into(),
                _ => {}
            }
        }
        let (index, store) = (&self.index, &*self.store);
        let changed = match index.has_answers_about(connection) {
            true => {
                let (owner, mut lane) = ((connection, None), state.take_lane(index, connection));
                let standing = self.standing(state, &lane, owner, index.connection(connection));
                let changed = lane.answers.current((index, store), owner, standing, Method::Answer, &key);
                state.put_lane(connection, lane);
                changed?
            }
            false => None,
        };
        match changed {
            Some(entry) => Ok(Some(entry.fields)),
            None => match state.connection_info.find(self.info_files(), store, connection, &key, relatives)? {
                Some(answer) => Ok(Some(answer)),
                None => self.translated(state, connection, &key, relatives),
            },
        }
    }

    /// Finds the recorded answer of SQLNativeSql to a text whose values differ in this run, and puts in the values of this run.
    fn translated(
        &self,
        state: &mut State,
        connection: ConnectionId,
        key: &[(Key, Value)],
        relatives: Peers,
    ) -> Result<Option<Fields>, CassetteError> {
        let as_sql = |text: &Value| Entry::new(Method::Run, connection, Some(1)).with(Key::Sql, text.clone());
        let Some(asked) = key.iter().find(|(name, _)| *name == Key::Sql).map(|(_, text)| as_sql(text)) else {
            return Ok(None);
        };
        let matches = |answer: &Fields| {
            let others = key.iter().filter(|(name, _)| *name != Key::Sql);
            let same = others.into_iter().all(|(name, value)| answer.get(*name).unwrap_or(&Value::Null) == value);
            let text = answer.get(Key::Sql).filter(|_| same);
            text.is_some_and(|text| self.comparison.difference(&as_sql(text), &asked).is_none())
        };
        let found = state.connection_info.find_like(
            (self.info_files(), &*self.store),
            connection,
            &matches,
            Some(relatives),
        )?;
        let Some(mut answer) = found else { return Ok(None) };
        if let Some(recorded) = answer.get(Key::Sql) {
            self.comparison.bind(&as_sql(recorded), &asked, || "SQLNativeSql".to_owned());
        }
        let live = |text: &mut Value| {
            let recorded = as_sql(text);
            if let Ok(expected) = self.comparison.bindings.expected(&recorded, &asked)
                && let Some(expected) = expected.get(Key::Sql)
            {
                *text = expected.clone();
            }
        };
        for (_, result) in answer.iter_mut().filter(|(key, _)| *key == Key::Result) {
            match result {
                Value::Map(pairs) => {
                    pairs.retain(|(name, _)| name != Detail::Length.name());
                    pairs.iter_mut().filter(|(name, _)| name == Detail::Text.name()).for_each(|(_, text)| live(text));
                }
                text => live(text),
            }
        }
        Ok(Some(answer))
    }

    /// Finds a fact about the environment.
    pub(crate) fn environment(&self, key: &[(Key, Value)]) -> Result<Option<Fields>, CassetteError> {
        self.state.write().connection_info.find(self.info_files(), &*self.store, ConnectionId(0), key, Peers::All)
    }
}
