//! Decides which replies about a connection (to SQLGetInfo and the like) have to be written. The thousands of
//! connections of a test suite get the same replies, and need them only once.
//!
//! Connections with the same connect identity share one file, which the entry of each connect names. The file has the
//! first reply to each question, on whatever connection it came. A different reply, later on this connection or on
//! another one, goes to the log, because only the log can say whose it is and from when on it holds.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::entry::{ConnectIdentity, connect_identity};
use crate::{ConnectionId, Entry, Fields, Key, Value, yaml};

/// What was asked, in the form in which it is written.
type Question = Box<[u8]>;

/// What was asked and replied so far.
#[derive(Debug, Default)]
pub(super) struct ConnectionInfo {
    /// The first successful connection with an identity. The info file is named after it.
    first: HashMap<ConnectIdentity, ConnectionId>,
    /// For all other connections, the first one with the same identity.
    owners: HashMap<ConnectionId, ConnectionId>,
    /// The identities of the open connections.
    identities: HashMap<ConnectionId, ConnectIdentity>,
    /// What the file of an identity says.
    written: HashMap<ConnectIdentity, HashMap<Question, Reply>>,
    /// How many connections with an identity there were.
    members: HashMap<ConnectIdentity, u32>,
    /// The last replies on an open connection.
    last: HashMap<ConnectionId, HashMap<Question, Last>>,
    /// How many commands an open connection had.
    commands: BTreeMap<ConnectionId, u64>,
}

/// What must be written because of a reply.
#[derive(Debug, Default, PartialEq)]
pub(super) struct ToWrite {
    /// The reply that holds from the beginning, for the file.
    pub(super) first: Option<Fields>,
    /// The reply that holds from here on, for the log.
    pub(super) changed: Option<Fields>,
}

#[derive(Clone, Debug, PartialEq)]
enum Reply {
    /// The default outcome of such a call. It is written only where another outcome is.
    Default,
    /// Any other reply.
    Other(Arc<Fields>),
}

#[derive(Debug)]
struct Last {
    reply: Reply,
    /// How many commands the connection had when the reply was given; `given` is how often it was given since the last one.
    commands: u64,
    given: u32,
}

impl ConnectionInfo {
    /// Notes that a connect is recorded. If it succeeded, returns the connection after which the file with its answers is named.
    pub(super) fn connected(&mut self, entry: &Entry) -> Option<ConnectionId> {
        if !entry.succeeded() {
            return None;
        }
        let identity = connect_identity(entry);
        let first = *self.first.entry(identity).or_insert(entry.connection);
        if first != entry.connection {
            self.owners.insert(entry.connection, first);
        }
        *self.members.entry(identity).or_default() += 1;
        self.identities.insert(entry.connection, identity);
        Some(first)
    }

    /// Returns the connection after which the file with a connection's answers is named.
    pub(super) fn owner(&self, connection: ConnectionId) -> ConnectionId {
        self.owners.get(&connection).copied().unwrap_or(connection)
    }

    /// Returns the connect arguments of an open connection.
    pub(super) fn identity(&self, connection: ConnectionId) -> Option<ConnectIdentity> {
        self.identities.get(&connection).copied()
    }

    /// Returns the connect arguments of an open connection if no other connection was made with them before.
    pub(super) fn first_of_its_identity(&self, connection: ConnectionId) -> Option<ConnectIdentity> {
        self.identity(connection).filter(|identity| self.first.get(identity) == Some(&connection))
    }

    /// Forgets a connection that was closed. Its id is not used again.
    pub(super) fn forget(&mut self, connection: ConnectionId) {
        self.identities.remove(&connection);
        self.last.remove(&connection);
        self.commands.remove(&connection);
    }

    /// Forgets the questions with this value under a key, because they are not asked on this connection any more.
    pub(super) fn forget_questions(&mut self, connection: ConnectionId, key: Key, value: &Value) {
        let asked = question([(key, value)]);
        if let Some(last) = self.last.get_mut(&connection) {
            last.retain(|question, _| memchr::memmem::find(question, &asked).is_none());
        }
    }

    /// Notes that a command of the connection was recorded.
    pub(super) fn commanded(&mut self, connection: ConnectionId) {
        *self.commands.entry(connection).or_default() += 1;
    }

    /// Returns what must be written because of this answer.
    pub(super) fn replied(&mut self, connection: ConnectionId, answer: Fields) -> ToWrite {
        self.replied_often(connection, answer, 1)
    }

    /// Returns what must be written because of an answer that came `times` times. 0 means that the connection has not asked.
    pub(super) fn replied_often(&mut self, connection: ConnectionId, answer: Fields, times: u32) -> ToWrite {
        let asked = answer.iter().filter(|(key, _)| !key.is_reply());
        let question = question(asked.map(|(key, value)| (*key, value)));
        let answer = Arc::new(answer);
        let to_write = self.written(connection, (&question, false), Reply::Other(Arc::clone(&answer)), || answer);
        if let Some(last) = self.last.get_mut(&connection).and_then(|last| last.get_mut(&question)) {
            last.given = last.given.saturating_add(times).saturating_sub(1);
        }
        to_write
    }

    /// Returns what must be written because of an answer that only repeats what the application set: nothing, unless the
    /// question had another answer before.
    pub(super) fn repeated(&mut self, connection: ConnectionId, answer: Fields) -> ToWrite {
        let asked = answer.iter().filter(|(key, _)| !key.is_reply());
        let question = question(asked.map(|(key, value)| (*key, value)));
        self.written(connection, (&question, false), Reply::Default, || Arc::new(answer))
    }

    /// Returns what must be written because of a call with this key, whose outcome is the default one or another. `before` says how often the
    /// call has had the default outcome since the last command, if it ever had. `answer` makes what would be written.
    pub(super) fn outcome(
        &mut self,
        connection: ConnectionId,
        key: &[(Key, Value)],
        (is_default, before): (bool, Option<u32>),
        answer: impl FnOnce() -> Fields,
    ) -> ToWrite {
        let question = question(key.iter().map(|(key, value)| (*key, value)));
        if let Some(given) = before {
            let commands = self.commands.get(&connection).copied().unwrap_or_default();
            let silent = Last { reply: Reply::Default, commands, given };
            self.last.entry(connection).or_default().entry(question.clone()).or_insert(silent);
        }
        // An answer that names this connection holds for no other.
        let local = !key.iter().any(|(name, _)| *name == Key::ConnectionId);
        if is_default {
            return self.written(connection, (&question, local), Reply::Default, || Arc::new(answer()));
        }
        let answer = Arc::new(answer());
        self.written(connection, (&question, local), Reply::Other(Arc::clone(&answer)), || answer)
    }

    fn written(
        &mut self,
        connection: ConnectionId,
        (question, local): (&Question, bool),
        reply: Reply,
        answer: impl FnOnce() -> Arc<Fields>,
    ) -> ToWrite {
        let identity = self.identities.get(&connection).copied();
        let written = identity.and_then(|identity| self.written.get(&identity)?.get(question));
        let commands = self.commands.get(&connection).copied().unwrap_or_default();
        let last = self.last.entry(connection).or_default();
        if let Some(last) = last.get_mut(question) {
            let given = if last.commands == commands { last.given } else { 0 };
            let is_same = last.reply == reply;
            *last = Last { reply, commands, given: given + 1 };
            return match is_same {
                true => ToWrite::default(),
                false => ToWrite { first: None, changed: Some(after((*answer()).clone(), given)) },
            };
        }
        let is_written = *written.unwrap_or(&Reply::Default) == reply;
        // keep shared data only once
        let reply = written.filter(|_| is_written).cloned().unwrap_or(reply);
        last.insert(question.clone(), Last { reply: reply.clone(), commands, given: 1 });
        if is_written {
            return ToWrite::default();
        }
        let (answer, is_new) = (answer(), written.is_none());
        // Other connections may have made the call and written nothing, because it had the default outcome. They must
        // not get this one.
        let is_nobody_elses = !local || identity.is_none_or(|identity| self.members.get(&identity) == Some(&1));
        if !is_new || !is_nobody_elses {
            return ToWrite { first: None, changed: Some((*answer).clone()) };
        }
        if let Some(identity) = identity {
            self.written.entry(identity).or_default().insert(question.clone(), reply);
        }
        ToWrite { first: Some((*answer).clone()), changed: None }
    }
}

/// Adds `after` to a reply that changed without a command: how often the question was asked since the last command before.
fn after(mut answer: Fields, given: u32) -> Fields {
    if given > 0 {
        answer.add(Key::After, given);
    }
    answer
}

/// Writes what was asked: each key on a line, followed by its value.
fn question<'a>(asked: impl IntoIterator<Item = (Key, &'a Value)>) -> Question {
    let mut text = Vec::with_capacity(64);
    for (key, value) in asked {
        text.extend_from_slice(key.name().as_bytes());
        text.push(b'\n');
        yaml::emit_item(value, &mut text);
    }
    text.into_boxed_slice()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Method;

    const A: ConnectionId = ConnectionId(0);
    const B: ConnectionId = ConnectionId(1);
    const C: ConnectionId = ConnectionId(2);

    fn connect(connection: ConnectionId, dsn: &str) -> Entry {
        Entry::new(Method::Connect, connection, None).with(Key::Dsn, dsn)
    }

    fn fact(id: i32, result: &str) -> Fields {
        Fields::from([(Key::Info, Value::from(id)), (Key::Result, Value::from(result))])
    }

    #[test]
    fn only_what_is_new_is_written() {
        let mut facts = ConnectionInfo::default();
        let owners = [connect(A, "one"), connect(B, "one"), connect(C, "two")].map(|entry| facts.connected(&entry));
        assert_eq!(owners, [Some(A), Some(A), Some(C)]);
        let first = |answer| ToWrite { first: Some(answer), changed: None };
        let changed = |answer| ToWrite { first: None, changed: Some(answer) };
        assert_eq!(facts.replied(A, fact(1, "x")), first(fact(1, "x")));
        assert_eq!(facts.replied(A, fact(1, "x")), ToWrite::default());
        assert_eq!(facts.replied(B, fact(1, "x")), ToWrite::default(), "it is in the file");
        assert_eq!(facts.replied(C, fact(1, "x")), first(fact(1, "x")), "another identity");
        facts.commanded(A);
        assert_eq!(facts.replied(A, fact(1, "y")), changed(fact(1, "y")));
        assert_eq!(facts.replied(B, fact(1, "y")), changed(after(fact(1, "y"), 1)));
        assert_eq!(facts.replied(B, fact(1, "y")), ToWrite::default());
        assert_eq!(facts.replied(B, fact(1, "z")), changed(after(fact(1, "z"), 3)));
    }

    #[test]
    fn an_answer_that_repeats_what_was_set_is_written_where_another_one_came_before() {
        let changed = |answer| ToWrite { first: None, changed: Some(answer) };
        let mut facts = ConnectionInfo::default();
        facts.connected(&connect(A, "one"));
        assert_eq!(facts.repeated(A, fact(1, "set")), ToWrite::default());
        facts.commanded(A);
        assert_eq!(
            facts.replied(A, fact(1, "other")),
            changed(fact(1, "other")),
            "the file would say it of the first one"
        );
        facts.commanded(A);
        assert_eq!(facts.repeated(A, fact(1, "set")), changed(fact(1, "set")));
        assert_eq!(facts.repeated(A, fact(1, "set")), ToWrite::default());
        // another answer came first: the file has it
        facts.connected(&connect(B, "two"));
        assert_eq!(facts.replied(B, fact(1, "other")), ToWrite { first: Some(fact(1, "other")), changed: None });
        facts.connected(&connect(C, "two"));
        assert_eq!(facts.repeated(C, fact(1, "set")), changed(fact(1, "set")));
    }

    #[test]
    fn a_default_outcome_is_written_where_the_file_has_another() {
        let asked = |facts: &mut ConnectionInfo, connection, result: &str, before| {
            let key = [(Key::Function, Value::from("SQLBindCol")), (Key::Column, Value::from(1))];
            facts.outcome(connection, &key, (result == "usual", before), || fact(1, result))
        };
        let changed = |answer| ToWrite { first: None, changed: Some(answer) };
        let mut facts = ConnectionInfo::default();
        facts.connected(&connect(A, "one"));
        assert_eq!(asked(&mut facts, A, "bad", None), ToWrite { first: Some(fact(1, "bad")), changed: None });
        facts.connected(&connect(B, "one"));
        assert_eq!(asked(&mut facts, B, "usual", None), changed(fact(1, "usual")));
        facts.commanded(B);
        assert_eq!(asked(&mut facts, B, "bad", None), changed(fact(1, "bad")));
        let mut facts = ConnectionInfo::default();
        [A, B, C].iter().for_each(|connection| _ = facts.connected(&connect(*connection, "one")));
        assert_eq!(asked(&mut facts, A, "bad", None), changed(fact(1, "bad")), "C may have made the call");
        assert_eq!(asked(&mut facts, A, "usual", None), changed(after(fact(1, "usual"), 1)));
        assert_eq!(asked(&mut facts, B, "bad", None), changed(fact(1, "bad")));
        assert_eq!(asked(&mut facts, C, "bad", Some(2)), changed(after(fact(1, "bad"), 2)), "it went well before");
        assert_eq!(asked(&mut facts, C, "usual", Some(2)), changed(after(fact(1, "usual"), 3)));
        let own = [(Key::Function, Value::from("SQLDisconnect")), (Key::ConnectionId, Value::from("a"))];
        let to_write = facts.outcome(A, &own, (false, None), || fact(2, "bad"));
        assert_eq!(to_write, ToWrite { first: Some(fact(2, "bad")), changed: None }, "no other connection has it");
    }

    #[test]
    fn whoever_asks_first_writes_it_for_all() {
        let mut facts = ConnectionInfo::default();
        assert_eq!(facts.connected(&connect(A, "one").with(Key::Return, "SQL_ERROR")), None);
        assert_eq!([B, C].map(|connection| facts.connected(&connect(connection, "one"))), [Some(B), Some(B)]);
        let first = ToWrite { first: Some(fact(1, "x")), changed: None };
        assert_eq!(facts.replied(C, fact(1, "x")), first);
        assert_eq!(facts.replied(B, fact(1, "x")), ToWrite::default());
        assert_eq!(facts.replied(B, fact(2, "x")), ToWrite { first: Some(fact(2, "x")), changed: None });
        assert_eq!(facts.replied(C, fact(2, "y")), ToWrite { first: None, changed: Some(fact(2, "y")) });
        facts.forget(C);
        assert_eq!([A, B, C].map(|connection| facts.owner(connection)), [A, B, B]);
    }
}
