//! Finds the recorded answers about a connection, in the info file that the entry of its connect names.
//!
//! Recordings of earlier versions name no file. There each connection has its own file, and what the file lacks comes
//! from the connections with the same connect identity.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::log::index::Index;
use super8_cassette::entry::{ConnectIdentity as Identity, connect_identity};
use super8_cassette::store::{Store, info_file};
use super8_cassette::{CassetteError, ConnectionId, Fields, Key, Value};

/// Whose answers hold for a connection whose own file lacks them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peers {
    /// Only those of the first connection with the same identity. Used for outcomes of calls whose usual outcome is not recorded.
    First,
    /// Those of all connections with the same identity: where threads open them, it is chance which one is asked first.
    All,
}

/// SQL_ATTR_CONNECTION_DEAD.
const CONNECTION_DEAD: i32 = 1209;

/// What was read of the info files.
#[derive(Debug, Default)]
pub(crate) struct ConnectionInfo {
    loaded: HashMap<ConnectionId, Arc<Vec<Fields>>>,
    /// How often a connection asked for the answer whose first occurrence is at this place of its file.
    asked: HashMap<(ConnectionId, usize), usize>,
    /// The distinct answers of all connections with the same identity, in recorded order.
    shared: HashMap<Identity, Arc<Vec<Fields>>>,
}

/// Which info files have the answers about the connections that succeeded. A file is named after a connection.
#[derive(Debug, Default)]
pub(crate) struct InfoFiles {
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
    pub(crate) fn read(index: &Index, store: &dyn Store) -> Result<InfoFiles, CassetteError> {
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
    pub(crate) fn of(&self, connection: ConnectionId) -> ConnectionId {
        self.named.get(&connection).copied().unwrap_or(connection)
    }

    /// Returns the functions for which anything is recorded about connections. Reads every answer about a connection.
    pub(crate) fn functions(&self, index: &Index, store: &dyn Store) -> Result<HashSet<String>, CassetteError> {
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
    pub(crate) fn find(
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
    pub(crate) fn find_like(
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
    pub(crate) fn pooled(
        &mut self,
        info_files: &InfoFiles,
        store: &dyn Store,
        connection: ConnectionId,
    ) -> Result<bool, CassetteError> {
        let probe = [(Key::Attribute, Value::from(CONNECTION_DEAD))];
        Ok(self.find(info_files, store, connection, &probe, Peers::All)?.is_some())
    }

    /// Forgets a connection that is closed.
    pub(crate) fn forget(&mut self, info_files: &InfoFiles, connection: ConnectionId) {
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
