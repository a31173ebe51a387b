//! What is asked about a connection, and what calls did of their own accord: recorded once, and again when it changes.

use std::sync::atomic::Ordering;

use super::connection_info::ToWrite;
use super::core::{Log, Recorder};
use crate::entry::ConnectIdentity;
use crate::{CassetteError, ConnectionId, Entry, Fields, Key, Method, Value};

impl Recorder {
    /// Stores the answer to a question that came before the connect. `times` says how often it got this reply.
    ///
    /// # Errors
    /// The first failure of this recording.
    pub fn before(&self, connection: ConnectionId, answer: Fields, times: u32) -> Result<(), CassetteError> {
        self.ready()?;
        let mut log = self.log.lock();
        self.ready()?;
        let to_write = log.info.replied_often(connection, answer, times);
        let ToWrite { first, changed } = match log.info.owner(connection) == connection {
            // an answer that changes before the connect cannot go to the log, so the file has each reply in turn
            true => to_write,
            false => return self.write_info(&mut log, connection, to_write),
        };
        let mut answers = first.into_iter().map(|first| (true, first)).chain(changed.map(|changed| (false, changed)));
        answers.try_for_each(|(is_first, answer)| {
            self.append_info(connection, &answer)?;
            let first = is_first.then_some(answer);
            self.replied_first(log.info.identity(connection), &ToWrite { first, changed: None });
            Ok(())
        })
    }

    /// Stores an answer about a connection: a map of what was asked, then `result` (and `return`, `diagnostics`).
    ///
    /// It is not written again while the reply stays the same, nor if the file of its answers has it. A different reply
    /// becomes an `answer` in the log, which holds from there on.
    ///
    /// # Errors
    /// The first failure of this recording.
    pub fn info(&self, connection: ConnectionId, answer: Fields) -> Result<(), CassetteError> {
        self.ready()?;
        let mut log = self.log.lock();
        self.ready()?;
        let to_write = log.info.replied(connection, self.redactor.answer(answer));
        self.write_info(&mut log, connection, to_write)
    }

    /// Stores an answer that only repeats what the application set. Replay gives it without a recording.
    ///
    /// # Errors
    /// The first failure of this recording.
    pub fn repeated_info(&self, connection: ConnectionId, answer: Fields) -> Result<(), CassetteError> {
        self.ready()?;
        let mut log = self.log.lock();
        self.ready()?;
        let to_write = log.info.repeated(connection, self.redactor.answer(answer));
        self.write_info(&mut log, connection, to_write)
    }

    /// Stores the outcome of a call whose default outcome is not written, by the same rules as replies about a
    /// connection. `key` is what was asked. `said` is the outcome, or `None` for the default. `before` says how often
    /// since the connection's last command the call had the default outcome without this recording being told, if it
    /// ever did. Default outcomes need not be reported as long as the recording [has no
    /// outcomes](Recorder::has_outcomes).
    ///
    /// # Errors
    /// The first failure of this recording.
    pub fn outcome(
        &self,
        connection: ConnectionId,
        key: &[(Key, Value)],
        said: Option<Fields>,
        before: Option<u32>,
    ) -> Result<(), CassetteError> {
        self.ready()?;
        let mut log = self.log.lock();
        self.ready()?;
        self.outcomes.store(true, Ordering::Relaxed);
        let is_default = said.is_none();
        let to_write = log.info.outcome(connection, key, (is_default, before), || {
            self.redactor.answer(key.iter().cloned().chain(said.into_iter().flatten()).collect())
        });
        self.write_info(&mut log, connection, to_write)
    }

    /// Forgets the outcomes of calls with this value under a key, because the connection makes no more of them.
    pub fn forget_outcomes(&self, connection: ConnectionId, key: Key, value: &Value) {
        if self.has_outcomes() {
            self.log.lock().info.forget_questions(connection, key, value);
        }
    }

    /// Says whether any outcome was stored.
    pub fn has_outcomes(&self) -> bool {
        self.outcomes.load(Ordering::Relaxed)
    }

    fn write_info(&self, log: &mut Log, connection: ConnectionId, to_write: ToWrite) -> Result<(), CassetteError> {
        self.replied_first(log.info.identity(connection), &to_write);
        if let Some(first) = to_write.first {
            self.append_info(log.info.owner(connection), &first)?;
        }
        if let Some(fields) = to_write.changed {
            let entry = Entry { method: Method::Answer, connection, statement: None, fields };
            log.encoded.clear();
            self.encode(&entry, &mut log.encoded);
            self.append_encoded(&log.encoded)?;
        }
        Ok(())
    }

    fn replied_first(&self, identity: Option<ConnectIdentity>, to_write: &ToWrite) {
        if let Some(first) = &to_write.first {
            self.answers.replied(identity, first);
        }
    }

    /// Appends an answer to those of a connection.
    fn append_info(&self, connection: ConnectionId, answer: &Fields) -> Result<(), CassetteError> {
        self.sticky(self.store.append_info(connection, answer))?;
        self.appended()
    }
}
