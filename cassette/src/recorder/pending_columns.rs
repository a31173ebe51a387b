//! The columns of results: gathered by their statements question by question, written in one go, equal ones once.

use std::sync::{Arc, Weak};

use sha2::{Digest, Sha256};

use super::parts::Kind;
use super::{Log, Recorder};
use crate::{CassetteError, ConnectionId, Entry, Key, Method, Value, yaml};

/// A place where a statement's columns are gathered.
pub trait PendingColumns: Send + Sync {
    /// The statement's connection.
    fn connection(&self) -> ConnectionId;

    /// The statement, and its columns if something is to be written of them; it counts as written then.
    fn take(&self) -> Option<(u32, Value)>;
}

/// The places of a recording. They go away with their statements.
#[derive(Default)]
pub(super) struct Gathering {
    places: Vec<Weak<dyn PendingColumns>>,
    /// How many there may be before the dead ones are looked for.
    enough: usize,
}

impl Gathering {
    pub(super) fn push(&mut self, place: Weak<dyn PendingColumns>) {
        if self.places.len() >= self.enough {
            self.places.retain(|place| place.strong_count() > 0);
            self.enough = 16.max(2 * self.places.len());
        }
        self.places.push(place);
    }

    /// Those that are still there.
    pub(super) fn live(&self) -> Vec<Arc<dyn PendingColumns>> {
        self.places.iter().filter_map(Weak::upgrade).collect()
    }
}

impl Recorder {
    /// Appends what is known of a result's columns: a list of maps. Equal lists share one file.
    ///
    /// # Errors
    /// The first failure of this recording.
    pub fn columns(&self, connection: ConnectionId, statement: u32, columns: &Value) -> Result<(), CassetteError> {
        self.ready()?;
        let mut log = self.log.lock();
        self.ready()?;
        self.columns_locked(&mut log, connection, statement, columns)
    }

    fn columns_locked(
        &self,
        log: &mut Log,
        connection: ConnectionId,
        statement: u32,
        columns: &Value,
    ) -> Result<(), CassetteError> {
        self.follow_columns(connection, statement, columns);
        let redacted = self.redactor.document(columns);
        let columns = redacted.as_ref().unwrap_or(columns);
        let mut text = Vec::with_capacity(1024);
        yaml::emit_document(columns, &mut text);
        let digest: [u8; 32] = Sha256::digest(&text).into();
        let part = match log.columns.get(&digest) {
            Some(part) => part.clone(),
            None => {
                let part = log.parts.next(connection, statement, Kind::Columns);
                self.sticky(self.storage.put(&part, columns))?;
                log.parts.used(connection, statement, Kind::Columns);
                log.columns.insert(digest, part.clone());
                part
            }
        };
        let entry = Entry::new(Method::Columns, connection, Some(statement)).with(Key::ColumnsFile, part);
        log.encoded.clear();
        self.storage.encode(&entry, &mut log.encoded);
        self.append_encoded(&log.encoded)
    }

    /// Notes a place where columns are gathered. What it has then is written before the next command of its connection
    /// that is no statement's, when the connection is closed and when the cassette is published: a program may end without
    /// another word about a statement.
    pub fn gathering(&self, pending_columns: Weak<dyn PendingColumns>) {
        if self.same_process().is_ok() {
            self.log.lock().gathering.push(pending_columns);
        }
    }

    /// Writes what was gathered on a connection, or on all.
    pub(super) fn write_gathered(&self, log: &mut Log, connection: Option<ConnectionId>) -> Result<(), CassetteError> {
        let places = log.gathering.live();
        let of = |place: &Arc<dyn PendingColumns>| connection.is_none_or(|connection| place.connection() == connection);
        let mut pending_columns =
            places.iter().filter(|place| of(place)).filter_map(|place| Some((place, place.take()?)));
        pending_columns.try_for_each(|(place, (statement, columns))| {
            self.columns_locked(log, place.connection(), statement, &columns)
        })
    }
}
