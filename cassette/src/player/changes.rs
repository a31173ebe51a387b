//! Replies about a connection that changed: each holds from its place in the log on. Where a reply changed without a
//! command, because the application set something of its own, it says how many questions after the last command that was.

use std::collections::HashMap;

use super::answers::Answers;
use super::index::Index;
use crate::entry::Class;
use crate::storage::Cassette;
use crate::{CassetteError, ConnectionId, Entry, Value};

/// How often a question was asked since the last command, by the first reply that changed since then.
#[derive(Debug, Default)]
pub(super) struct Changes(HashMap<(ConnectionId, u32), i64>);

impl Changes {
    /// The reply in force before the connection's next command at `bound`. `None`: the first reply is.
    pub(super) fn find(
        &mut self,
        answers: &mut Answers,
        (index, storage): (&Index, &dyn Cassette),
        connection: ConnectionId,
        bound: u32,
        key: &[(&str, Value)],
    ) -> Result<Option<Entry>, CassetteError> {
        if !index.tells_of(connection) {
            return Ok(None);
        }
        let mut told = answers.told(index, storage, connection, bound, key)?;
        let commands = |position: &&u32| {
            let method = index.slot(**position).method;
            **position < bound && method.class() == Class::Command && !method.is_rows()
        };
        let last = index.connection(connection).iter().rev().find(commands).copied().unwrap_or_default();
        let since = told.partition_point(|(position, _)| *position < last);
        let Some((first, _)) = told.get(since) else { return Ok(told.pop().map(|(_, entry)| entry)) };
        let asked = self.0.entry((connection, *first)).or_default();
        let after = |entry: &Entry| entry.get("after").and_then(Value::as_int).unwrap_or_default();
        let reached = told[since..].partition_point(|(_, entry)| after(entry) <= *asked);
        *asked += 1;
        told.truncate(since + reached);
        Ok(told.pop().map(|(_, entry)| entry))
    }

    /// The connection is closed.
    pub(super) fn forget(&mut self, connection: ConnectionId) {
        self.0.retain(|(of, _), _| *of != connection);
    }
}
