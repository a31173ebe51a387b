//! Facts about connections while recording: what is news of them goes to an info file, or to the log where it changed.

use std::sync::atomic::Ordering;

use super::facts::News;
use super::{Log, Recorder};
use crate::connect::Identity;
use crate::{CassetteError, ConnectionId, Entry, Fields, Key, Method, Value};

impl Recorder {
    /// Stores what held before a connection was made: its facts stand in the info file alone, a changed one after the first. `times`
    /// says how often the question was asked and got this reply.
    ///
    /// # Errors
    /// The first failure of this recording.
    pub fn before(&self, connection: ConnectionId, answer: Fields, times: u32) -> Result<(), CassetteError> {
        self.ready()?;
        let news = {
            let facts = &mut self.log.lock().facts;
            let news = facts.news_of(connection, answer, times);
            self.replied_first(facts.identity(connection), &news);
            news
        };
        let mut answers = news.first.into_iter().chain(news.changed);
        answers.try_for_each(|answer| self.append_info(connection, &answer))
    }

    /// Stores a fact about a connection: a map of what was asked, then `result` (and `return`, `diagnostics`).
    ///
    /// It is not written again while the reply stays the same, nor if the first connection with the same connect identity
    /// got the same reply when it first asked. A reply that changes becomes an `answer` in the log: it holds from there on.
    ///
    /// # Errors
    /// The first failure of this recording.
    pub fn info(&self, connection: ConnectionId, answer: Fields) -> Result<(), CassetteError> {
        self.ready()?;
        let mut log = self.log.lock();
        self.ready()?;
        let news = log.facts.news(connection, self.redactor.answer(answer));
        self.write_news(&mut log, connection, news)
    }

    /// Stores the outcome of a call that usually goes as nobody has to write down. `key` is what was asked, and `said` tells of
    /// another outcome than the usual one, which is `None`. An outcome is written as a fact is that did not stand there. `before`
    /// is how often the call went as usual since the connection's last command, if it ever did, without this recording having
    /// been told: as long as it [has no outcomes](Recorder::has_outcomes) it need not be.
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
        let usual = said.is_none();
        let news = log.facts.outcome(connection, key, (usual, before), || {
            self.redactor.answer(key.iter().cloned().chain(said.into_iter().flatten()).collect())
        });
        self.write_news(&mut log, connection, news)
    }

    /// Calls with this value under a key come no more on the connection: what is kept of their outcomes goes.
    pub fn forget_outcomes(&self, connection: ConnectionId, key: Key, value: &Value) {
        if self.has_outcomes() {
            self.log.lock().facts.forget_questions(connection, key, value);
        }
    }

    /// Whether any outcome was stored.
    pub fn has_outcomes(&self) -> bool {
        self.outcomes.load(Ordering::Relaxed)
    }

    fn write_news(&self, log: &mut Log, connection: ConnectionId, news: News) -> Result<(), CassetteError> {
        self.replied_first(log.facts.identity(connection), &news);
        if let Some(first) = news.first {
            self.append_info(connection, &first)?;
        }
        if let Some(fields) = news.changed {
            let entry = Entry { method: Method::Answer, connection, statement: None, fields };
            log.encoded.clear();
            self.storage.encode(&entry, &mut log.encoded);
            self.append_encoded(&log.encoded)?;
        }
        Ok(())
    }

    fn replied_first(&self, identity: Option<Identity>, news: &News) {
        if let Some(first) = &news.first {
            self.replied(identity, first);
        }
    }
}
