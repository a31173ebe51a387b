//! Finds what was recorded about connections apart from commands: the answers in the info file that the entry of a connect
//! names, and the outcomes of calls whose usual outcome is not recorded.
//!
//! Recordings of earlier versions name no file. There each connection has its own file, and what the file lacks comes
//! from the connections with the same connect identity.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::index::Index;
use super::log_player::LogPlayer;
use super::state::State;
use crate::entry::{ConnectIdentity as Identity, connect_identity};
use crate::store::{Store, info_file};
use crate::{CassetteError, ConnectionId, Entry, Fields, Key, Method, Value};

/// Whose answers hold for a connection whose own file lacks them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peers {
    /// Only those of the first connection with the same identity. Used for outcomes of calls whose usual outcome is not recorded.
    First,
    /// Those of all connections with the same identity: where threads open them, it is chance which one is asked first.
    All,
}

/// SQL_ATTR_CONNECTION_DEAD.
const CONNECTION_DEAD: i32 = 1209;

/// What was read of the info files.
#[derive(Debug, Default)]
pub(super) struct ConnectionInfo {
    loaded: HashMap<ConnectionId, Arc<Vec<Fields>>>,
    /// How often a connection asked for the answer whose first occurrence is at this place of its file.
    asked: HashMap<(ConnectionId, usize), usize>,
    /// The distinct answers of all connections with the same identity, in recorded order.
    shared: HashMap<Identity, Arc<Vec<Fields>>>,
}

/// Which info files have the answers about the connections that succeeded. A file is named after a connection.
#[derive(Debug, Default)]
pub(super) struct InfoFiles {
    named: HashMap<ConnectionId, ConnectionId>,
    /// The identities of the connections whose connect names no file.
    identities: HashMap<ConnectionId, Identity>,
    /// In recorded order.
    members: HashMap<Identity, Vec<ConnectionId>>,
}

impl InfoFiles {
    /// Reads the connects of a log.
    ///
    /// # Errors
    /// An entry is unreadable, or a file that is named does not exist.
    pub(super) fn read(index: &Index, store: &dyn Store) -> Result<InfoFiles, CassetteError> {
        let mut info_files = InfoFiles::default();
        for position in index.connects() {
            let place = index.slot(*position).place();
            let entry = store.checked_entry(place)?;
            if let Some(name) = entry.get(Key::InfoFile).and_then(Value::as_text) {
                info_files.named.insert(entry.connection, info_file(store, place, name)?);
            } else if entry.succeeded() {
                let identity = connect_identity(&entry);
                info_files.identities.insert(entry.connection, identity);
                info_files.members.entry(identity).or_default().push(entry.connection);
            }
        }
        Ok(info_files)
    }

    /// Returns the connection after which a connection's file is named.
    pub(super) fn of(&self, connection: ConnectionId) -> ConnectionId {
        self.named.get(&connection).copied().unwrap_or(connection)
    }

    /// Returns the functions for which anything is recorded about connections. Reads every answer about a connection.
    pub(super) fn functions(&self, index: &Index, store: &dyn Store) -> Result<HashSet<String>, CassetteError> {
        let mut functions = HashSet::new();
        let mut add = |function: Option<&Value>| {
            if let Some(Value::Text(function)) = function
                && !functions.contains(function)
            {
                functions.insert(function.clone());
            }
        };
        let files: HashSet<ConnectionId> = index.connections().map(|connection| self.of(connection)).collect();
        for file in files {
            store.info(file)?.iter().for_each(|answer| add(answer.get(Key::Function)));
        }
        for position in index.connection_answers() {
            add(store.checked_entry(index.slot(position).place())?.get(Key::Function));
        }
        Ok(functions)
    }
}

impl ConnectionInfo {
    /// Finds the fact with this key: the connection's own, else that of its relatives.
    pub(super) fn find(
        &mut self,
        info_files: &InfoFiles,
        store: &dyn Store,
        connection: ConnectionId,
        key: &[(Key, Value)],
        relatives: Peers,
    ) -> Result<Option<Fields>, CassetteError> {
        // a null in the key also asks for an answer without that field
        let matches =
            |answer: &Fields| key.iter().all(|(name, value)| answer.get(*name).unwrap_or(&Value::Null) == value);
        // what happened on this very connection is unknown to others
        let relatives = (!key.iter().any(|(name, _)| *name == Key::ConnectionId)).then_some(relatives);
        self.find_like((info_files, store), connection, &matches, relatives)
    }

    /// Finds the fact that `matches`: the connection's own, else that of its relatives.
    pub(super) fn find_like(
        &mut self,
        (info_files, store): (&InfoFiles, &dyn Store),
        connection: ConnectionId,
        matches: &dyn Fn(&Fields) -> bool,
        relatives: Option<Peers>,
    ) -> Result<Option<Fields>, CassetteError> {
        let own = self.load(store, info_files.of(connection))?;
        let replies: Vec<usize> = (0..own.len()).filter(|at| matches(&own[*at])).collect();
        if let (Some(first), Some(last)) = (replies.first(), replies.last()) {
            let asked = self.asked.entry((connection, *first)).or_default();
            let reply = replies.get(*asked).unwrap_or(last);
            *asked += 1;
            return Ok(Some(own[*reply].clone()));
        }
        let Some(relatives) = relatives else { return Ok(None) };
        let Some(identity) = info_files.identities.get(&connection) else { return Ok(None) };
        let members = info_files.members.get(identity).map_or(&[][..], Vec::as_slice);
        let answers = match (relatives, members.first()) {
            (Peers::First, Some(first)) => self.load(store, *first)?,
            (Peers::All, Some(_)) => self.shared(store, *identity, members)?,
            (_, None) => return Ok(None),
        };
        Ok(answers.iter().find(|answer| matches(answer)).cloned())
    }

    /// Returns the distinct answers of these connections. Files that are not in use are not kept, only their answers.
    fn shared(
        &mut self,
        store: &dyn Store,
        identity: Identity,
        members: &[ConnectionId],
    ) -> Result<Arc<Vec<Fields>>, CassetteError> {
        if let Some(shared) = self.shared.get(&identity) {
            return Ok(Arc::clone(shared));
        }
        let (mut shared, mut seen) = (Vec::new(), HashSet::new());
        for member in members {
            let answers = match self.loaded.get(member) {
                Some(loaded) => Arc::clone(loaded),
                None => Arc::new(store.info(*member)?),
            };
            shared.extend(answers.iter().filter(|answer| seen.insert(format!("{answer:?}"))).cloned());
        }
        let shared = Arc::new(shared);
        self.shared.insert(identity, Arc::clone(&shared));
        Ok(shared)
    }

    /// Says whether a driver manager checked after this connection, or after a connection with the same identity,
    /// whether it can be used again. A driver manager that pools connections does this.
    pub(super) fn pooled(
        &mut self,
        info_files: &InfoFiles,
        store: &dyn Store,
        connection: ConnectionId,
    ) -> Result<bool, CassetteError> {
        let probe = [(Key::Attribute, Value::from(CONNECTION_DEAD))];
        Ok(self.find(info_files, store, connection, &probe, Peers::All)?.is_some())
    }

    /// Forgets a connection that is closed.
    pub(super) fn forget(&mut self, info_files: &InfoFiles, connection: ConnectionId) {
        self.asked.retain(|(of, _), _| *of != connection);
        let identity = info_files.identities.get(&connection);
        let first = identity.and_then(|identity| info_files.members.get(identity)?.first());
        // keep a shared file, which other connections still read
        if identity.is_some() && first != Some(&connection) {
            self.loaded.remove(&connection);
        }
    }

    fn load(&mut self, store: &dyn Store, connection: ConnectionId) -> Result<Arc<Vec<Fields>>, CassetteError> {
        if let Some(loaded) = self.loaded.get(&connection) {
            return Ok(Arc::clone(loaded));
        }
        let answers = Arc::new(store.info(connection)?);
        self.loaded.insert(connection, Arc::clone(&answers));
        Ok(answers)
    }
}

impl LogPlayer {
    /// Returns which info files have the answers about the connections of the current part.
    pub(super) fn info_files(&self) -> &InfoFiles {
        &self.store.0.current().info_files
    }

    /// Says whether anything is recorded about connections for this function.
    pub(super) fn has_answers_of(&self, function: &str) -> bool {
        self.answered_functions.contains(function)
    }

    /// Finds a recorded answer about a connection whose fields include `key`. If another player has the statement in
    /// the key, `elsewhere` returns its connection and statement as the cassette numbers them.
    pub(super) fn connection_answer(
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
                    pairs.retain(|(name, _)| name != "length");
                    pairs.iter_mut().filter(|(name, _)| name == "text").for_each(|(_, text)| live(text));
                }
                text => live(text),
            }
        }
        Ok(Some(answer))
    }

    /// Finds a fact about the environment.
    pub(super) fn environment(&self, key: &[(Key, Value)]) -> Result<Option<Fields>, CassetteError> {
        self.state.write().connection_info.find(self.info_files(), &*self.store, ConnectionId(0), key, Peers::All)
    }
}
