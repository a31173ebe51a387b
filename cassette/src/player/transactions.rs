//! Where transactions begin and end: by SQLEndTran, by the connection attribute autocommit, or by the text of a statement.

use super::comments;
use crate::{Entry, Key, Method, Value};

/// The connection attribute, as entries name it.
pub(super) const AUTOCOMMIT: &str = "autocommit";
/// The length in bytes from which a statement is taken for something else than one about transactions.
const LONG: usize = 100;

/// How a command begins or ends a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Boundary {
    Begin,
    Commit,
    Rollback,
}

impl Boundary {
    /// Returns how a command begins or ends a transaction. `sql` is the text that it executes.
    pub(super) fn of(command: &Entry, sql: Option<&str>) -> Option<Boundary> {
        match command.method {
            Method::Commit => Some(Boundary::Commit),
            Method::Rollback => Some(Boundary::Rollback),
            Method::SetConnectAttr => match set_to(command)? {
                0 => Some(Boundary::Begin),
                // the driver commits what is open
                _ => Some(Boundary::Commit),
            },
            Method::Run | Method::Execute => Boundary::of_text(sql?),
            _ => None,
        }
    }

    /// Returns how a statement with this text begins or ends a transaction.
    fn of_text(sql: &str) -> Option<Boundary> {
        let plain = comments::without(sql);
        let plain = plain.trim().trim_end_matches(';');
        if plain.len() >= LONG || plain.contains(';') {
            return None;
        }
        let words: Vec<String> = plain.split_whitespace().map(str::to_uppercase).collect();
        let word = |at: usize| words.get(at).map(String::as_str);
        // what is not followed by one of these is a block of statements, or another statement
        let is_one_of = |words: &[&str]| word(1).is_none_or(|word| words.contains(&word));
        match word(0)? {
            "BEGIN" => {
                let kinds = ["TRAN", "TRANSACTION", "WORK", "DEFERRED", "IMMEDIATE", "EXCLUSIVE", "ISOLATION", "READ"];
                is_one_of(&kinds).then_some(Boundary::Begin)
            }
            "START" => (word(1) == Some("TRANSACTION")).then_some(Boundary::Begin),
            // a prepared transaction is another one
            "COMMIT" => (word(1) != Some("PREPARED")).then_some(Boundary::Commit),
            "END" => is_one_of(&["TRAN", "TRANSACTION", "WORK", "AND"]).then_some(Boundary::Commit),
            "ABORT" => Some(Boundary::Rollback),
            // going back to a savepoint ends no transaction
            "ROLLBACK" if word(1) == Some("PREPARED") || words.iter().any(|word| word == "TO") => None,
            "ROLLBACK" => Some(Boundary::Rollback),
            _ => None,
        }
    }
}

/// Returns what autocommit is set to, if a command sets that.
fn set_to(command: &Entry) -> Option<i64> {
    let is_autocommit = command.get(Key::Attribute).and_then(Value::as_text) == Some(AUTOCOMMIT);
    command.get(Key::Value).filter(|_| is_autocommit).and_then(Value::as_int)
}

/// Whether the commands of a connection are in a transaction, and where transactions begin and end.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Transactions {
    /// Whether autocommit is off, so that every command belongs to a transaction.
    manual: bool,
}

impl Transactions {
    /// Reads from the connect whether autocommit is off.
    pub(super) fn of_connect(connect: &Entry) -> Transactions {
        let autocommit = connect.get(Key::Attributes).and_then(|attributes| attributes.get(AUTOCOMMIT));
        Transactions { manual: autocommit.and_then(Value::as_int) == Some(0) }
    }

    /// Says whether autocommit is off.
    pub(super) fn are_manual(self) -> bool {
        self.manual
    }

    /// Notes that an attribute of the connection is set.
    pub(super) fn set(&mut self, entry: &Entry) {
        if entry.get(Key::Attribute).and_then(Value::as_text) == Some(AUTOCOMMIT) {
            self.manual = set_to(entry) == Some(0);
        }
    }

    /// Says whether an execution with this SQL text begins a transaction, provided that none is open.
    pub(super) fn begin_with(self, sql: &str) -> bool {
        self.manual || Boundary::of_text(sql) == Some(Boundary::Begin)
    }

    /// Says whether a command ends the transaction, provided that it succeeds. `sql` is its text, or empty.
    pub(super) fn end_with(entry: &Entry, sql: &str) -> bool {
        matches!(Boundary::of(entry, Some(sql)), Some(Boundary::Commit | Boundary::Rollback))
    }
}

/// Says whether a statement may change something, because it is not one of those that only read.
pub(super) fn writes(sql: &str) -> bool {
    let plain = comments::without(sql);
    let text = plain.trim_start_matches(|letter: char| letter.is_whitespace() || letter == '(').to_ascii_lowercase();
    let word: String = text.chars().take_while(char::is_ascii_alphabetic).collect();
    match word.as_str() {
        "select" | "values" | "show" | "explain" | "describe" | "pragma" | "table" | "set" | "begin" | "start" => false,
        "commit" | "end" | "rollback" | "abort" | "savepoint" | "release" | "declare" | "fetch" | "close" | "use" => {
            false
        }
        "with" => ["insert", "update", "delete", "merge"].iter().any(|word| text.contains(word)),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ConnectionId;

    #[test]
    fn texts_begin_and_end_transactions() {
        let of = |sql: &str| Boundary::of_text(sql);
        for sql in
            ["begin", "BEGIN TRANSACTION;", "start transaction read only", "/* x */ begin work", " Begin Immediate "]
        {
            assert_eq!(of(sql), Some(Boundary::Begin), "{sql}");
        }
        for sql in ["commit", "/* x */ Commit;", "-- y\n COMMIT WORK", "end", "end transaction", "END TRAN"] {
            assert_eq!(of(sql), Some(Boundary::Commit), "{sql}");
        }
        for sql in ["rollback", " ROLLBACK TRANSACTION;", "abort"] {
            assert_eq!(of(sql), Some(Boundary::Rollback), "{sql}");
        }
        let others = ["rollback to s", "rollback transaction to savepoint s", "commit prepared 'x'", "select 1", ""];
        let blocks = ["BEGIN x := 1; END", "begin declare x int end", "start slave", "begin try select 1", "END IF"];
        for sql in others.into_iter().chain(blocks) {
            assert_eq!(of(sql), None, "{sql}");
        }
    }

    #[test]
    fn only_autocommit_begins_and_ends_transactions_by_attribute() {
        let set = |attribute: &str, value: i64| {
            let entry = Entry::new(Method::SetConnectAttr, ConnectionId(0), None);
            Boundary::of(&entry.with(Key::Attribute, attribute).with(Key::Value, value), None)
        };
        assert_eq!(set(AUTOCOMMIT, 0), Some(Boundary::Begin));
        assert_eq!(set(AUTOCOMMIT, 1), Some(Boundary::Commit));
        assert_eq!(set("login_timeout", 0), None);
    }

    #[test]
    fn statements_that_write_are_told_from_those_that_read() {
        for writing in ["insert into t values (1)", " -- why\nUPDATE t set a = 1", "with x as (select 1) delete from t"]
        {
            assert!(writes(writing), "{writing}");
        }
        for reading in ["select 1", "(select 1)", "WITH x as (select 1) select * from x", "begin", "/* */ show all"] {
            assert!(!writes(reading), "{reading}");
        }
    }
}
