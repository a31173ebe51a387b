//! What was recorded about connections apart from commands: facts, and the outcomes of calls that usually have none.

use super::facts::Relatives;
use super::log_player::LogPlayer;
use crate::{CassetteError, ConnectionId, Fields, Key, Method, Value};

impl LogPlayer {
    /// Whether anything is recorded of this function about connections.
    pub(super) fn tells_of(&self, function: &str) -> bool {
        self.told.contains(function)
    }

    /// A recorded answer about a connection whose fields include these. If another player has the statement in the key, its
    /// connection and statement are `elsewhere`, as the cassette numbers them.
    pub(super) fn told(
        &self,
        connection: ConnectionId,
        key: &[(Key, Value)],
        relatives: Relatives,
        elsewhere: impl FnOnce(Option<u32>) -> Option<(ConnectionId, Option<u32>)>,
    ) -> Result<Option<Fields>, CassetteError> {
        let mut key = self.redactor.key(key);
        let asked = key.iter().find(|(name, _)| *name == Key::StatementId).and_then(|(_, id)| id.as_int());
        let statement = asked.and_then(|id| u32::try_from(id).ok());
        let elsewhere = elsewhere(statement);
        let state = &mut *self.state.lock();
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
        let (index, storage) = (&self.index, &*self.storage);
        let changed = match index.tells_of(connection) {
            true => {
                let owner = (connection, None);
                let standing = self.standing(state, owner, index.connection(connection));
                state.answers.current((index, storage), owner, standing, Method::Answer, &key)?
            }
            false => None,
        };
        match changed {
            Some(entry) => Ok(Some(entry.fields)),
            None => state.facts.find(index, storage, connection, &key, relatives),
        }
    }

    /// A fact about the environment.
    pub(super) fn environment(&self, key: &[(Key, Value)]) -> Result<Option<Fields>, CassetteError> {
        self.state.lock().facts.find(&self.index, &*self.storage, ConnectionId(0), key, Relatives::All)
    }
}
