//! Finding recorded facts about a connection: in its own info file, else in that of the first connection with the same
//! connect identity. The recorder's rule for leaving facts out is the counterpart.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::index::Index;
use crate::connect::{self, Identity};
use crate::storage::Cassette;
use crate::{CassetteError, ConnectionId, Value};

/// Relatives whose info files are read for a question that neither the connection nor the first of its identity was asked.
pub(super) const LAST_RESORT: usize = 64;

/// Only the first connection with an identity leaves others what it was told.
pub(super) const FIRST: usize = 1;

/// SQL_ATTR_CONNECTION_DEAD.
const CONNECTION_DEAD: i32 = 1209;

/// What was read of the info files.
#[derive(Debug, Default)]
pub(super) struct Facts {
    families: Option<Arc<Families>>,
    loaded: HashMap<ConnectionId, Arc<Vec<Value>>>,
    /// How often a connection was asked for what its file first has at this place.
    asked: HashMap<(ConnectionId, usize), usize>,
    /// Questions to which no connection of an identity has a reply that others may share.
    absent: HashSet<(Identity, u64)>,
}

/// The connections that succeeded, by their identities.
#[derive(Debug, Default)]
struct Families {
    of: HashMap<ConnectionId, Identity>,
    /// In recorded order.
    members: HashMap<Identity, Vec<ConnectionId>>,
}

impl Facts {
    /// The fact with this key: the connection's own, else what the first so many connections with its identity were told.
    pub(super) fn find(
        &mut self,
        index: &Index,
        storage: &dyn Cassette,
        connection: ConnectionId,
        key: &[(&str, Value)],
        relatives: usize,
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
        if key.iter().any(|(name, _)| *name == "connection_id") {
            // What happened on this very connection, others do not know.
            return Ok(None);
        }
        let families = self.families(index, storage)?;
        let Some(identity) = families.of.get(&connection) else { return Ok(None) };
        let question = (*identity, connect::sum_of_key(key));
        if self.absent.contains(&question) {
            return Ok(None);
        }
        let members = families.members.get(identity).map_or(&[][..], Vec::as_slice);
        for relative in members.iter().take(relatives).filter(|of| **of != connection) {
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
        self.absent.insert(question);
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
        Ok(self.find(index, storage, connection, &probe, LAST_RESORT)?.is_some())
    }

    /// The connection is closed.
    pub(super) fn forget(&mut self, connection: ConnectionId) {
        self.asked.retain(|(of, _), _| *of != connection);
        let first = self.families.as_ref().is_some_and(|families| {
            let family = families.of.get(&connection).and_then(|identity| families.members.get(identity));
            family.and_then(|members| members.first()) == Some(&connection)
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

    fn families(&mut self, index: &Index, storage: &dyn Cassette) -> Result<Arc<Families>, CassetteError> {
        if let Some(families) = &self.families {
            return Ok(Arc::clone(families));
        }
        let mut families = Families::default();
        for position in index.connects() {
            let entry = storage.checked_entry(index.slot(*position).place())?;
            if connect::succeeded(&entry) {
                let identity = connect::identity(&entry);
                families.of.insert(entry.connection, identity);
                families.members.entry(identity).or_default().push(entry.connection);
            }
        }
        let families = Arc::new(families);
        self.families = Some(Arc::clone(&families));
        Ok(families)
    }
}
