//! Where transactions begin and end: by SQLEndTran, by the connection attribute autocommit, or by the text of a statement.

use super8_cassette::comments;
use super8_cassette::{ConnectionId, Entry, Key, Method, Value};

/// The connection attribute, as entries name it.
pub(crate) const AUTOCOMMIT: &str = "autocommit";
/// The length in bytes from which a statement is taken for something else than one about transactions.
const LONG: usize = 400;
/// The words with which a statement about transactions begins.
const FIRST_WORDS: [&str; 7] = ["BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SET"];

/// How a command begins or ends a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Boundary {
    Begin,
    Commit,
    Rollback,
}

impl Boundary {
    /// Returns how a command begins or ends a transaction. `sql` is the text that it executes.
    pub(crate) fn of(command: &Entry, sql: Option<&str>) -> Option<Boundary> {
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

    /// Returns how a statement with this text begins or ends a transaction, as PostgreSQL, MariaDB, SQLite, SQL Server, Db2 and Oracle
    /// read it.
    fn of_text(sql: &str) -> Option<Boundary> {
        let words = words_of(sql)?;
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words[..] {
            // a database that commits each statement by itself begins no transaction yet, and one that no longer does has none
            ["SET", ..] => set_by_text(sql).map(|value| if value == 0 { Boundary::Begin } else { Boundary::Commit }),
            ["BEGIN", ref rest @ ..] => begins(rest).then_some(Boundary::Begin),
            ["START", "TRANSACTION", ref rest @ ..] => are_modes(rest).then_some(Boundary::Begin),
            // a prepared transaction is another one
            ["COMMIT" | "ROLLBACK", "PREPARED", ..] => None,
            // going back to a savepoint ends no transaction
            ["ROLLBACK", ref rest @ ..] if rest.contains(&"TO") => None,
            ["COMMIT", ..] => Some(Boundary::Commit),
            ["ROLLBACK", ..] => Some(Boundary::Rollback),
            // what follows otherwise ends a block of statements
            ["END"] | ["END", "TRAN" | "TRANSACTION" | "WORK" | "AND", ..] => Some(Boundary::Commit),
            ["ABORT"] | ["ABORT", "TRANSACTION" | "WORK" | "AND", ..] => Some(Boundary::Rollback),
            _ => None,
        }
    }
}

/// Returns the words of a statement that may be about transactions, in upper case.
fn words_of(sql: &str) -> Option<Vec<String>> {
    let plain = comments::without(sql);
    let plain = plain.trim().trim_end_matches(|letter: char| letter == ';' || letter.is_whitespace());
    let first = plain.split_whitespace().next()?;
    if !FIRST_WORDS.iter().any(|word| word.eq_ignore_ascii_case(first)) || plain.len() >= LONG || plain.contains(';') {
        return None;
    }
    let blank = |letter: char| letter.is_whitespace() || letter == ',';
    Some(plain.split(blank).filter(|word| !word.is_empty()).map(str::to_uppercase).collect())
}

/// Says whether a statement that ends a transaction begins the next one at once.
pub(crate) fn chains(sql: &str) -> bool {
    words_of(sql).is_some_and(|words| {
        matches!(words.first().map(String::as_str), Some("COMMIT" | "END" | "ROLLBACK" | "ABORT"))
            && words.windows(2).any(|pair| pair[0] == "AND" && pair[1] == "CHAIN")
    })
}

/// Returns what a statement sets autocommit to, as MariaDB reads it: `SET autocommit = 0`, also among other variables.
pub(crate) fn set_by_text(sql: &str) -> Option<i64> {
    if words_of(sql)?.first().map(String::as_str) != Some("SET") {
        return None;
    }
    let plain = comments::without(sql).trim().trim_end_matches([';', ' ', '\t', '\r', '\n']).to_uppercase();
    let all = plain.strip_prefix("SET")?;
    let mut values = all.split(',').filter_map(|one| {
        let (name, value) = one.split_once('=')?;
        let words: Vec<&str> = name.trim_end_matches(':').split_whitespace().collect();
        let is_autocommit = matches!(
            words[..],
            ["AUTOCOMMIT" | "@@AUTOCOMMIT" | "@@SESSION.AUTOCOMMIT" | "@@LOCAL.AUTOCOMMIT"]
                | ["SESSION" | "LOCAL", "AUTOCOMMIT"]
        );
        match value.trim().trim_matches('\'') {
            "0" | "OFF" | "FALSE" if is_autocommit => Some(0),
            "1" | "ON" | "TRUE" | "DEFAULT" if is_autocommit => Some(1),
            _ => None,
        }
    });
    values.next_back()
}

/// Returns the command by which a statement with this text could have set autocommit, too.
pub(crate) fn as_attribute(connection: ConnectionId, sql: &str) -> Option<Entry> {
    let set = Entry::new(Method::SetConnectAttr, connection, None).with(Key::Attribute, AUTOCOMMIT);
    Some(set.with(Key::Value, set_by_text(sql)?))
}

/// Says whether a statement of `BEGIN` and these words begins a transaction. If not, it is a block of statements.
fn begins(rest: &[&str]) -> bool {
    match rest {
        // SQL Server gives a transaction a name, and a mark with a description
        ["TRAN" | "TRANSACTION", _, "WITH", "MARK", ..] => true,
        // SQLite takes a name, too, and does nothing with it
        ["DISTRIBUTED" | "DEFERRED" | "IMMEDIATE" | "EXCLUSIVE" | "CONCURRENT", "TRAN" | "TRANSACTION", name @ ..]
        | ["TRAN" | "TRANSACTION", name @ ..]
            if name.len() <= 1 =>
        {
            true
        }
        ["DEFERRED" | "IMMEDIATE" | "EXCLUSIVE" | "CONCURRENT"] => true,
        ["TRANSACTION" | "WORK", modes @ ..] => are_modes(modes),
        modes => are_modes(modes),
    }
}

/// Says whether words are the modes of a transaction, any number of them.
fn are_modes(words: &[&str]) -> bool {
    match words {
        [] => true,
        ["ISOLATION", "LEVEL", "REPEATABLE", "READ", rest @ ..]
        | ["ISOLATION", "LEVEL", "READ", "COMMITTED" | "UNCOMMITTED", rest @ ..]
        | ["ISOLATION", "LEVEL", "SERIALIZABLE" | "SNAPSHOT", rest @ ..]
        | ["READ", "ONLY" | "WRITE", rest @ ..]
        | ["NOT", "DEFERRABLE", rest @ ..]
        | ["DEFERRABLE", rest @ ..]
        | ["WITH", "CONSISTENT", "SNAPSHOT", rest @ ..] => are_modes(rest),
        _ => false,
    }
}

/// Returns what autocommit is set to, if a command sets that.
fn set_to(command: &Entry) -> Option<i64> {
    let is_autocommit = command.get(Key::Attribute).and_then(Value::as_text) == Some(AUTOCOMMIT);
    command.get(Key::Value).filter(|_| is_autocommit).and_then(Value::as_int)
}

/// Whether the commands of a connection are in a transaction, and where transactions begin and end.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Transactions {
    /// Whether autocommit is off, so that every command belongs to a transaction.
    manual: bool,
}

impl Transactions {
    /// Reads from the connect whether autocommit is off.
    pub(crate) fn of_connect(connect: &Entry) -> Transactions {
        let autocommit = connect.get(Key::Attributes).and_then(|attributes| attributes.get(AUTOCOMMIT));
        Transactions { manual: autocommit.and_then(Value::as_int) == Some(0) }
    }

    /// Says whether autocommit is off.
    pub(crate) fn are_manual(self) -> bool {
        self.manual
    }

    /// Notes that an attribute of the connection is set.
    pub(crate) fn set(&mut self, entry: &Entry) {
        if entry.get(Key::Attribute).and_then(Value::as_text) == Some(AUTOCOMMIT) {
            self.manual = set_to(entry) == Some(0);
        }
    }

    /// Says whether an execution with this SQL text begins a transaction, provided that none is open.
    pub(crate) fn begin_with(self, sql: &str) -> bool {
        let begins = || Boundary::of_text(sql) == Some(Boundary::Begin) && set_by_text(sql).is_none();
        self.manual || begins() || chains(sql)
    }

    /// Says whether a command ends the transaction and begins no other one, provided that it succeeds. `sql` is its text, or empty.
    pub(crate) fn end_with(entry: &Entry, sql: &str) -> bool {
        matches!(Boundary::of(entry, Some(sql)), Some(Boundary::Commit | Boundary::Rollback)) && !chains(sql)
    }
}

/// Says whether a statement may change something, because it is not one of those that only read.
pub(crate) fn writes(sql: &str) -> bool {
    let plain = comments::without(sql);
    let text = plain.trim_start_matches(|letter: char| letter.is_whitespace() || letter == '(').to_ascii_lowercase();
    let word: String = text.chars().take_while(char::is_ascii_alphabetic).collect();
    match word.as_str() {
        "select" | "values" | "show" | "explain" | "describe" | "pragma" | "table" | "set" | "start" => false,
        // otherwise it is a block of statements
        "begin" => Boundary::of_text(sql) != Some(Boundary::Begin),
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

    #[test]
    fn texts_begin_and_end_transactions() {
        let begins = "begin; BEGIN TRANSACTION; begin work; Begin Transaction Isolation Level Repeatable Read; begin read only; \
            BEGIN WORK READ WRITE; BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE; BEGIN NOT DEFERRABLE; \
            begin transaction deferrable; begin isolation level read uncommitted not deferrable; \
            start transaction; start transaction read write; START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY; \
            start transaction isolation level read committed; begin deferred; begin immediate; BEGIN EXCLUSIVE TRANSACTION; \
            begin concurrent; begin concurrent transaction; begin transaction t; begin immediate transaction t; \
            begin tran; BEGIN TRAN t; begin tran @t; begin transaction t with mark; \
            BEGIN TRANSACTION t WITH MARK N'one, two and three'; BEGIN DISTRIBUTED TRANSACTION; begin distributed tran t; \
            /* one */ begin /* two */ work; -- why\n BEGIN\n\tTRANSACTION\n; /*x*/begin/*y*/transaction; begin -- why";
        let begins = format!(
            "{begins}; set autocommit = 0; SET AUTOCOMMIT=0; set session autocommit=off; SET @@autocommit := 0; set @@session.autocommit=false; \
             set local autocommit = 'OFF'; set names utf8, autocommit=0; /* x */ SET autocommit = 0"
        );
        let commits = "set autocommit=1; SET SESSION AUTOCOMMIT = ON; set @@local.autocommit = true; set autocommit=default; \
            commit; COMMIT WORK; commit transaction; commit tran t; commit transaction t with (delayed_durability = on); \
            commit and chain; commit and no chain no release; commit hold; commit comment 'x'; /* x */ Commit; \
            -- y\n COMMIT WORK; end; end transaction; END TRAN; end transaction t; end work; end and no chain";
        let rollbacks = "rollback; rollback work; rollback transaction; ROLLBACK TRAN t; rollback and chain; abort; \
            abort transaction; ABORT WORK AND NO CHAIN; /* x */ rollback -- y";
        let none = "rollback to s; rollback transaction to savepoint s; rollback work to savepoint s; rollback prepared 'x'; \
            commit prepared 'x'; select 1; savepoint s; release s; start slave; start replica; start transactions; beginning; \
            begin not atomic select 1 end; begin atomic insert into t values (1) end; begin declare x int end; begin try; \
            begin try select 1 end try begin catch end catch; begin catch; begin select 1 end; begin insert into t values (1) end; \
            begin null end; begin tran insert into t values (1) commit; begin transaction insert into t values (1) commit; \
            begin conversation timer (@h) timeout = 60; begin dialog @h from service a to service 'b'; begin read t; \
            begin isolation level none; begin atomic; end if; end loop; end try; end conversation @h; abort mission; set transaction read only; \
            set global autocommit = 0; set @@global.autocommit=0; set autocommit = @old; set x = autocommit; set autocommit; set names utf8";
        for (all, expected) in [
            (&begins[..], Some(Boundary::Begin)),
            (commits, Some(Boundary::Commit)),
            (rollbacks, Some(Boundary::Rollback)),
            (none, None),
        ] {
            for sql in all.split("; ") {
                for sql in [sql.to_owned(), format!("{sql};"), format!("  {sql} ; ")] {
                    // a comment that begins behind the text includes what is added
                    assert_eq!(Boundary::of_text(&sql), expected, "{sql}");
                }
            }
        }
        assert_eq!(Boundary::of_text(""), None);
        assert_eq!(Boundary::of_text("BEGIN x := 1; END"), None, "a block of Oracle's");
        assert_eq!(Boundary::of_text("begin; insert into t values (1); commit"), None, "several statements");
    }

    #[test]
    fn a_chain_of_transactions_goes_on() {
        for sql in
            ["commit and chain", "COMMIT WORK AND CHAIN NO RELEASE", "rollback and chain;", "abort work and chain"]
        {
            let run = Entry::new(Method::Run, ConnectionId(0), Some(1));
            assert!(Boundary::of_text(sql).is_some() && chains(sql) && !Transactions::end_with(&run, sql), "{sql}");
            assert!(Transactions::default().begin_with(sql), "{sql}");
        }
        for sql in ["commit", "commit and no chain", "rollback work and no chain release", "select 'and chain'"] {
            assert!(!chains(sql), "{sql}");
        }
    }

    #[test]
    fn a_text_sets_autocommit_as_the_attribute_does() {
        let mut transactions = Transactions::default();
        for (sql, is_manual) in [("set autocommit=0", true), ("select 1", true), ("set autocommit=1", false)] {
            let begins = transactions.begin_with(sql);
            assert_eq!(begins, transactions.are_manual(), "{sql}: only what follows belongs to a transaction");
            as_attribute(ConnectionId(0), sql).inspect(|set| transactions.set(set));
            assert_eq!(transactions.are_manual(), is_manual, "{sql}");
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
        for writing in [
            "insert into t values (1)",
            " -- why\nUPDATE t set a = 1",
            "with x as (select 1) delete from t",
            "begin insert into t values (1) end",
        ] {
            assert!(writes(writing), "{writing}");
        }
        for reading in ["select 1", "(select 1)", "WITH x as (select 1) select * from x", "begin", "/* */ show all"] {
            assert!(!writes(reading), "{reading}");
        }
    }
}
