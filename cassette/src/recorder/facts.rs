//! Which facts about a connection (SQLGetInfo and the like) are news: thousands of connections of a test suite get the
//! same replies, and need them once.
//!
//! The rule replay relies on: a connection whose info file does not have a question got the reply that stands first in
//! the file of the *first* connection with the same connect identity. So nothing that is written later can change what
//! a connection inherited.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use crate::connect::{self, Identity};
use crate::{ConnectionId, Entry, Value, yaml};

type Sum = [u8; 16];

/// What was asked and replied so far.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// The first connection with an identity that succeeded.
    first: HashMap<Identity, ConnectionId>,
    /// The identities of the connections that are open.
    identities: HashMap<ConnectionId, Identity>,
    /// The first reply that first connection got.
    inherited: HashMap<(Identity, Sum), Reply>,
    /// The last reply of an open connection.
    last: HashMap<ConnectionId, HashMap<Sum, Last>>,
}

#[derive(Debug)]
struct Reply {
    sum: Sum,
    answer: Value,
}

#[derive(Debug)]
struct Last {
    reply: Sum,
    /// It is not in the connection's own file.
    inherited: bool,
}

impl Facts {
    /// A connect was recorded.
    pub(super) fn connected(&mut self, entry: &Entry) {
        if connect::succeeded(entry) {
            let identity = connect::identity(entry);
            self.first.entry(identity).or_insert(entry.connection);
            self.identities.insert(entry.connection, identity);
        }
    }

    /// A connection was closed; its id is not given again.
    pub(super) fn forget(&mut self, connection: ConnectionId) {
        self.identities.remove(&connection);
        self.last.remove(&connection);
    }

    /// The answers to append to the connection's file because of this one.
    pub(super) fn news(&mut self, connection: ConnectionId, answer: Value) -> Vec<Value> {
        let (question, reply) = (sum(&connect::question(&answer)), sum(&answer));
        let identity = self.identities.get(&connection).copied();
        let inherited = identity.and_then(|identity| self.inherited.get(&(identity, question)));
        let last = self.last.entry(connection).or_default();
        if let Some(last) = last.get_mut(&question) {
            if last.reply == reply {
                return Vec::new();
            }
            let before = inherited.filter(|_| last.inherited).map(|first| first.answer.clone());
            *last = Last { reply, inherited: false };
            return before.into_iter().chain([answer]).collect();
        }
        let inherits = inherited.is_some_and(|first| first.sum == reply);
        last.insert(question, Last { reply, inherited: inherits });
        if inherits {
            return Vec::new();
        }
        if let Some(identity) = identity
            && self.first.get(&identity) == Some(&connection)
        {
            self.inherited.insert((identity, question), Reply { sum: reply, answer: answer.clone() });
        }
        vec![answer]
    }
}

fn sum(value: &Value) -> Sum {
    let mut text = Vec::with_capacity(256);
    yaml::emit_item(value, &mut text);
    let digest: [u8; 32] = Sha256::digest(&text).into();
    std::array::from_fn(|at| digest[at])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Method;

    const A: ConnectionId = ConnectionId(0);
    const B: ConnectionId = ConnectionId(1);
    const C: ConnectionId = ConnectionId(2);

    fn connect(connection: ConnectionId, dsn: &str) -> Entry {
        Entry::new(Method::Connect, connection, None).with("dsn", dsn)
    }

    fn fact(id: i32, result: &str) -> Value {
        Value::Map(vec![("info".to_owned(), Value::from(id)), ("result".to_owned(), Value::from(result))])
    }

    #[test]
    fn only_news_is_written() {
        let mut facts = Facts::default();
        [connect(A, "one"), connect(B, "one"), connect(C, "two")].iter().for_each(|entry| facts.connected(entry));
        assert_eq!(facts.news(A, fact(1, "x")), [fact(1, "x")]);
        assert_eq!(facts.news(A, fact(1, "x")), []);
        assert_eq!(facts.news(B, fact(1, "x")), [], "inherited");
        assert_eq!(facts.news(C, fact(1, "x")), [fact(1, "x")], "another identity");
        assert_eq!(facts.news(A, fact(1, "y")), [fact(1, "y")], "changed");
        assert_eq!(facts.news(B, fact(1, "y")), [fact(1, "x"), fact(1, "y")], "what was inherited, then the change");
        assert_eq!(facts.news(B, fact(1, "z")), [fact(1, "z")]);
    }

    #[test]
    fn only_the_first_connection_is_inherited_from() {
        let mut facts = Facts::default();
        facts.connected(&connect(A, "one").with("return", "SQL_ERROR"));
        [connect(B, "one"), connect(C, "one")].iter().for_each(|entry| facts.connected(entry));
        assert_eq!(facts.news(C, fact(1, "x")), [fact(1, "x")]);
        assert_eq!(facts.news(B, fact(1, "x")), [fact(1, "x")], "nothing to inherit: C is not the first");
        facts.forget(C);
        assert_eq!(facts.first.get(&connect::identity(&connect(C, "one"))), Some(&B));
    }
}
