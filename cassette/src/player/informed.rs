//! What was recorded about connections apart from commands: facts, and the outcomes of calls that usually have none.

use std::collections::HashSet;

use super::Player;
use super::facts::Relatives;
use super::index::Index;
use crate::store::Store;
use crate::{CassetteError, ConnectionId, Fields, Key, Method, Value};

/// The functions of which anything is recorded about connections. Reads every answer about a connection.
pub(super) fn functions(index: &Index, storage: &dyn Store) -> Result<HashSet<String>, CassetteError> {
    let mut functions = HashSet::new();
    let mut add = |function: Option<&Value>| {
        if let Some(Value::Text(function)) = function
            && !functions.contains(function)
        {
            functions.insert(function.clone());
        }
    };
    for connection in index.connections() {
        storage.info(connection)?.iter().for_each(|answer| add(answer.get(Key::Function)));
    }
    for position in index.told() {
        add(storage.checked_entry(index.slot(position).place())?.get(Key::Function));
    }
    Ok(functions)
}

impl Player {
    /// A fact about a connection: the recorded answer whose fields include these. The one that the log has last before
    /// the connection's next command holds, else the one of the info file. If that has several, each time the next, and
    /// the last one from then on. What the connection's own file does not have it shares with the first connection of the
    /// same connect identity. A `connection_id` and `statement_id` in the key are live ones.
    ///
    /// # Errors
    /// An unreadable entry or info file.
    pub fn info(&self, connection: ConnectionId, key: &[(Key, Value)]) -> Result<Option<Fields>, CassetteError> {
        self.told(connection, key, Relatives::All)
    }

    /// Whether anything is recorded of this function about connections. Of most calls on the application's side nothing is, and
    /// then nobody has to wait for the player.
    pub fn tells_of(&self, function: &str) -> bool {
        self.told.contains(function)
    }

    /// What was recorded of a call that usually goes as nobody writes down; `None` for the usual outcome.
    ///
    /// # Errors
    /// As [`Player::info`].
    pub fn outcome(&self, connection: ConnectionId, key: &[(Key, Value)]) -> Result<Option<Fields>, CassetteError> {
        let function = key.iter().find(|(name, _)| *name == Key::Function).and_then(|(_, function)| function.as_text());
        if function.is_some_and(|function| !self.tells_of(function)) {
            return Ok(None);
        }
        self.told(connection, key, Relatives::First)
    }

    fn told(
        &self,
        connection: ConnectionId,
        key: &[(Key, Value)],
        relatives: Relatives,
    ) -> Result<Option<Fields>, CassetteError> {
        let mut key = self.redactor.key(key);
        let asked = key.iter().find(|(name, _)| *name == Key::StatementId).and_then(|(_, id)| id.as_int());
        let statement = asked.and_then(|id| u32::try_from(id).ok());
        let elsewhere = self.elsewhere(connection, statement).map(|(player, connection, statement)| {
            let (connection, statement) = player.state.lock().recorded(connection, Some(statement));
            player.index.ids(connection, statement)
        });
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

    /// A fact that was recorded of the environment, before any connection: the first connection's file has it.
    ///
    /// # Errors
    /// An unreadable info file.
    pub fn environment(&self, key: &[(Key, Value)]) -> Result<Option<Fields>, CassetteError> {
        self.state.lock().facts.find(&self.index, &*self.storage, ConnectionId(0), key, Relatives::All)
    }
}
