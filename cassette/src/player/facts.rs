//! Finding recorded facts about a connection: in its own info file, else in that of the first connection with the same
//! connect identity. The recorder's rule for leaving facts out is the counterpart.

use std::collections::HashMap;
use std::sync::Arc;

use super::index::Index;
use crate::connect::{self, Identity};
use crate::storage::Cassette;
use crate::{CassetteError, ConnectionId, Value};

/// Info files read for a question that neither the connection nor the first of its identity was asked.
const LAST_RESORT: usize = 64;

/// SQL_ATTR_CONNECTION_DEAD.
const CONNECTION_DEAD: i32 = 1209;

/// What was read of the info files.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// The connections that succeeded, with their identities, in recorded order.
    identities: Option<Arc<Vec<(ConnectionId, Identity)>>>,
    loaded: HashMap<ConnectionId, Arc<Vec<Value>>>,
    /// How often a connection was asked for what its file first has at this place.
    asked: HashMap<(ConnectionId, usize), usize>,
}

impl Facts {
    pub(super) fn find(
        &mut self,
        index: &Index,
        storage: &dyn Cassette,
        connection: ConnectionId,
        key: &[(&str, Value)],
    ) -> Result<Option<Value>, CassetteError> {
        // a null asks for an answer without that field as well
        let matches =
            |answer: &Value| key.iter().all(|(name, value)| answer.get(name).unwrap_or(&Value::Null) == value);
        let own = self.load(storage, connection)?;
        let replies: Vec<usize> = (0..own.len()).filter(|at| matches(&own[*at])).collect();
        if let (Some(first), Some(last)) = (replies.first(), replies.last()) {
            let asked = self.asked.entry((connection, *first)).or_default();
            let reply = replies.get(*asked).unwrap_or(last);
            *asked += 1;
            return Ok(Some(own[*reply].clone()));
        }
        let identities = self.identities(index, storage)?;
        let Some((_, identity)) = identities.iter().find(|(of, _)| *of == connection) else { return Ok(None) };
        let relatives = identities.iter().filter(|(of, its)| its == identity && *of != connection).take(LAST_RESORT);
        for (relative, _) in relatives {
            let known = self.loaded.contains_key(relative);
            let answers = self.load(storage, *relative)?;
            let found = answers.iter().find(|answer| matches(answer)).cloned();
            if found.is_some() {
                return Ok(found);
            }
            if !known {
                self.loaded.remove(relative);
            }
        }
        Ok(None)
    }

    /// Whether a driver manager looked after a connection, or the first of its identity, whether it can be used again: so
    /// does one that pools connections.
    pub(super) fn pooled(
        &mut self,
        index: &Index,
        storage: &dyn Cassette,
        connection: ConnectionId,
    ) -> Result<bool, CassetteError> {
        let probe = [("attribute", Value::from(CONNECTION_DEAD))];
        Ok(self.find(index, storage, connection, &probe)?.is_some())
    }

    /// The connection is closed.
    pub(super) fn forget(&mut self, connection: ConnectionId) {
        self.asked.retain(|(of, _), _| *of != connection);
        let first = self.identities.as_ref().is_some_and(|all| {
            let identity = all.iter().find(|(of, _)| *of == connection).map(|(_, identity)| identity);
            all.iter().find(|(_, its)| Some(its) == identity).is_some_and(|(of, _)| *of == connection)
        });
        if !first {
            self.loaded.remove(&connection);
        }
    }

    fn load(&mut self, storage: &dyn Cassette, connection: ConnectionId) -> Result<Arc<Vec<Value>>, CassetteError> {
        if let Some(loaded) = self.loaded.get(&connection) {
            return Ok(Arc::clone(loaded));
        }
        let answers = Arc::new(storage.info(connection)?);
        self.loaded.insert(connection, Arc::clone(&answers));
        Ok(answers)
    }

    fn identities(
        &mut self,
        index: &Index,
        storage: &dyn Cassette,
    ) -> Result<Arc<Vec<(ConnectionId, Identity)>>, CassetteError> {
        if let Some(identities) = &self.identities {
            return Ok(Arc::clone(identities));
        }
        let mut identities = Vec::with_capacity(index.connects().len());
        for position in index.connects() {
            let entry = storage.entry(index.slot(*position).place())?;
            if connect::succeeded(&entry) {
                identities.push((entry.connection, connect::identity(&entry)));
            }
        }
        let identities = Arc::new(identities);
        self.identities = Some(Arc::clone(&identities));
        Ok(identities)
    }
}
