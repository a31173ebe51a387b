//! Which replies about a connection (to SQLGetInfo and the like) have to be written: thousands of connections of a test suite get
//! the same replies, and need them once.
//!
//! Replay relies on this rule: if the info file of a connection lacks a question, the connection got the reply that stands first
//! in the file of the *first* connection with the same connect identity. So nothing that is written later changes what a
//! connection inherited. A reply that changes goes to the log, which alone can say when it changed.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::entry::{ConnectIdentity, connect_identity};
use crate::{ConnectionId, Entry, Fields, Key, Value, yaml};

/// What was asked, as it is written.
type Question = Box<[u8]>;

/// What was asked and replied so far.
#[derive(Debug, Default)]
pub(super) struct ConnectionInfo {
    /// The first connection with an identity that succeeded.
    first: HashMap<ConnectIdentity, ConnectionId>,
    /// The identities of the connections that are open.
    identities: HashMap<ConnectionId, ConnectIdentity>,
    /// The first reply that first connection got.
    inherited: HashMap<ConnectIdentity, HashMap<Question, First>>,
    /// How many connections with an identity there were.
    members: HashMap<ConnectIdentity, u32>,
    /// The last reply of an open connection.
    last: HashMap<ConnectionId, HashMap<Question, Last>>,
    /// How many commands an open connection had.
    commands: BTreeMap<ConnectionId, u64>,
}

/// What has to be written because of a reply.
#[derive(Debug, Default, PartialEq)]
pub(super) struct ToWrite {
    /// For the connection's file: the reply that holds from the beginning.
    pub(super) first: Option<Fields>,
    /// For the log: the reply that holds from here on.
    pub(super) changed: Option<Fields>,
}

#[derive(Clone, Debug, PartialEq)]
enum Reply {
    /// The default outcome of such a call. It is written only to override an inherited one.
    Default,
    /// Any other reply.
    Other(Arc<Fields>),
}

/// The first reply that the first connection of an identity got.
#[derive(Debug)]
struct First {
    reply: Reply,
    /// As it is written.
    answer: Arc<Fields>,
}

#[derive(Debug)]
struct Last {
    reply: Reply,
    /// It is not in the connection's own file.
    inherited: bool,
    /// How many commands the connection had when the reply was given, and how often it was given since the last one.
    commands: u64,
    given: u32,
}

impl ConnectionInfo {
    /// A connect was recorded.
    pub(super) fn connected(&mut self, entry: &Entry) {
        if entry.succeeded() {
            let identity = connect_identity(entry);
            self.first.entry(identity).or_insert(entry.connection);
            *self.members.entry(identity).or_default() += 1;
            self.identities.insert(entry.connection, identity);
        }
    }

    /// The connect arguments of an open connection.
    pub(super) fn identity(&self, connection: ConnectionId) -> Option<ConnectIdentity> {
        self.identities.get(&connection).copied()
    }

    /// The same, if no other connection was made with them before.
    pub(super) fn first_of_its_identity(&self, connection: ConnectionId) -> Option<ConnectIdentity> {
        self.identity(connection).filter(|identity| self.first.get(identity) == Some(&connection))
    }

    /// A connection was closed; its id is not given again.
    pub(super) fn forget(&mut self, connection: ConnectionId) {
        self.identities.remove(&connection);
        self.last.remove(&connection);
        self.commands.remove(&connection);
    }

    /// Questions with this value under a key come no more on an open connection.
    pub(super) fn forget_questions(&mut self, connection: ConnectionId, key: Key, value: &Value) {
        let told = question([(key, value)]);
        if let Some(last) = self.last.get_mut(&connection) {
            last.retain(|question, _| memchr::memmem::find(question, &told).is_none());
        }
    }

    /// A command of the connection was recorded.
    pub(super) fn commanded(&mut self, connection: ConnectionId) {
        *self.commands.entry(connection).or_default() += 1;
    }

    /// What is to be written because of this answer.
    pub(super) fn replied(&mut self, connection: ConnectionId, answer: Fields) -> ToWrite {
        self.replied_often(connection, answer, 1)
    }

    /// The same for an answer that was given so often; not at all, if the connection is to have it without having asked.
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

    /// The same for a call with this key, which has the default outcome or another one. It had the default outcome `before` so
    /// often since the last command, if it ever did. `answer` is what would be written of it.
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
            let silent = Last { reply: Reply::Default, inherited: false, commands, given };
            self.last.entry(connection).or_default().entry(question.clone()).or_insert(silent);
        }
        // What happened on this very connection is nobody else's.
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
        let inherited = identity.and_then(|identity| self.inherited.get(&identity)?.get(question));
        let commands = self.commands.get(&connection).copied().unwrap_or_default();
        let last = self.last.entry(connection).or_default();
        if let Some(last) = last.get_mut(question) {
            let given = if last.commands == commands { last.given } else { 0 };
            if last.reply == reply {
                (last.commands, last.given) = (commands, given + 1);
                return ToWrite::default();
            }
            let before = inherited.filter(|_| last.inherited).map(|first| (*first.answer).clone());
            *last = Last { reply, inherited: false, commands, given: given + 1 };
            return ToWrite { first: before, changed: Some(after((*answer()).clone(), given)) };
        }
        let first = inherited.map_or(&Reply::Default, |first| &first.reply);
        let inherits = *first == reply;
        // the first connection's reply is shared, not kept again
        let reply = if inherits { first.clone() } else { reply };
        last.insert(question.clone(), Last { reply: reply.clone(), inherited: inherits, commands, given: 1 });
        let family = identity.filter(|identity| self.first.get(identity) == Some(&connection));
        if inherits {
            return ToWrite::default();
        }
        let answer = answer();
        let written = Some((*answer).clone());
        if let Some(identity) = family {
            if local && self.members.get(&identity) != Some(&1) {
                // Others may have made the call, and wrote nothing: this must not become theirs.
                return ToWrite { first: None, changed: written };
            }
            self.inherited.entry(identity).or_default().insert(question.clone(), First { reply, answer });
        }
        ToWrite { first: written, changed: None }
    }
}

/// A reply that changed without a command: `after` says how often the question was asked since the last command before.
fn after(mut answer: Fields, given: u32) -> Fields {
    if given > 0 {
        answer.add(Key::After, given);
    }
    answer
}

/// What was asked, as it is written: each key on a line, and its value behind it.
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
        [connect(A, "one"), connect(B, "one"), connect(C, "two")].iter().for_each(|entry| facts.connected(entry));
        let first = |answer| ToWrite { first: Some(answer), changed: None };
        let changed = |answer| ToWrite { first: None, changed: Some(answer) };
        assert_eq!(facts.replied(A, fact(1, "x")), first(fact(1, "x")));
        assert_eq!(facts.replied(A, fact(1, "x")), ToWrite::default());
        assert_eq!(facts.replied(B, fact(1, "x")), ToWrite::default(), "inherited");
        assert_eq!(facts.replied(C, fact(1, "x")), first(fact(1, "x")), "another identity");
        facts.commanded(A);
        assert_eq!(facts.replied(A, fact(1, "y")), changed(fact(1, "y")));
        let both = ToWrite { first: Some(fact(1, "x")), changed: Some(after(fact(1, "y"), 1)) };
        assert_eq!(facts.replied(B, fact(1, "y")), both, "what was inherited, then the change");
        assert_eq!(facts.replied(B, fact(1, "y")), ToWrite::default());
        assert_eq!(facts.replied(B, fact(1, "z")), changed(after(fact(1, "z"), 3)));
    }

    #[test]
    fn a_default_outcome_is_written_where_another_would_be_inherited() {
        let told = |facts: &mut ConnectionInfo, connection, result: &str, before| {
            let key = [(Key::Function, Value::from("SQLBindCol")), (Key::Column, Value::from(1))];
            facts.outcome(connection, &key, (result == "usual", before), || fact(1, result))
        };
        let changed = |answer| ToWrite { first: None, changed: Some(answer) };
        let mut facts = ConnectionInfo::default();
        facts.connected(&connect(A, "one"));
        assert_eq!(told(&mut facts, A, "bad", None), ToWrite { first: Some(fact(1, "bad")), changed: None });
        facts.connected(&connect(B, "one"));
        assert_eq!(told(&mut facts, B, "usual", None), ToWrite { first: Some(fact(1, "usual")), changed: None });
        facts.commanded(B);
        assert_eq!(told(&mut facts, B, "bad", None), changed(fact(1, "bad")));
        let mut facts = ConnectionInfo::default();
        [A, B, C].iter().for_each(|connection| facts.connected(&connect(*connection, "one")));
        assert_eq!(told(&mut facts, A, "bad", None), changed(fact(1, "bad")), "C must not inherit it");
        assert_eq!(told(&mut facts, A, "usual", None), changed(after(fact(1, "usual"), 1)));
        assert_eq!(told(&mut facts, B, "bad", None), ToWrite { first: Some(fact(1, "bad")), changed: None });
        assert_eq!(told(&mut facts, C, "bad", Some(2)), changed(after(fact(1, "bad"), 2)), "it went well before");
        assert_eq!(told(&mut facts, C, "usual", Some(2)), changed(after(fact(1, "usual"), 3)));
        let own = [(Key::Function, Value::from("SQLDisconnect")), (Key::ConnectionId, Value::from("a"))];
        let to_write = facts.outcome(A, &own, (false, None), || fact(2, "bad"));
        assert_eq!(to_write, ToWrite { first: Some(fact(2, "bad")), changed: None }, "nobody could inherit it");
    }

    #[test]
    fn only_the_first_connection_is_inherited_from() {
        let mut facts = ConnectionInfo::default();
        facts.connected(&connect(A, "one").with(Key::Return, "SQL_ERROR"));
        [connect(B, "one"), connect(C, "one")].iter().for_each(|entry| facts.connected(entry));
        let first = ToWrite { first: Some(fact(1, "x")), changed: None };
        assert_eq!(facts.replied(C, fact(1, "x")), first);
        assert_eq!(facts.replied(B, fact(1, "x")), first, "nothing to inherit: C is not the first");
        facts.forget(C);
        assert_eq!(facts.first.get(&connect_identity(&connect(C, "one"))), Some(&B));
    }
}
