//! Which recorded connection a live one is: open until commands tell equal ones apart, and one driver connection for
//! several recorded ones, or the reverse, where a pool decides how often the driver is connected to.

use crate::support::*;
use super8_cassette::{ConnectionId, Entry, Key, Method, Order, Value};
use super8_matching::{Mismatch, Player};

/// Records sessions, one after another: each is the SQL texts of its statements.
fn sessions(directory: &std::path::Path, sessions: &[&[&str]]) {
    let recorder = recorder(directory);
    for texts in sessions {
        let connection = connected(&recorder, "shop");
        for (number, sql) in texts.iter().enumerate() {
            let statement = number as u32 + 1;
            recorder.command(&run(connection, statement, sql)).unwrap();
            result(&recorder, connection, statement, &[&[sql]]);
            recorder.note(&drop_of(connection, statement)).unwrap();
        }
        recorder.disconnect(connection).unwrap();
    }
}

/// A connection of the program, which numbers its statements itself.
struct Live<'p> {
    player: &'p Player,
    id: ConnectionId,
    statements: u32,
}

fn open(player: &Player) -> Live<'_> {
    let id = player.connect(&connect(A, "shop")).unwrap_or_else(|told| panic!("{}", told.report)).connection;
    Live { player, id, statements: 0 }
}

impl Live<'_> {
    fn try_ask(&mut self, sql: &str) -> Result<(), Mismatch> {
        self.statements += 1;
        self.player.command(&run(self.id, self.statements, sql))?;
        assert_eq!(fetch_all(self.player, self.id, self.statements), [[sql]]);
        self.player.housekeeping(&drop_of(self.id, self.statements));
        Ok(())
    }

    fn ask(&mut self, sql: &str) {
        self.try_ask(sql).unwrap_or_else(|told| panic!("{}", told.report));
    }

    fn is(&self) -> String {
        self.player.recorded(self.id).to_string()
    }

    fn close(self) {
        self.player.disconnect(self.id);
    }
}

fn played(player: &Player) {
    assert_eq!(player.unplayed().unwrap(), []);
    assert!(!player.failed());
}

#[test]
fn commands_tell_equal_connections_apart() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    sessions(&directory, &[&["s", "a"], &["s", "b"], &["s", "c"], &["s", "b", "d"]]);
    let player = play(&directory, Some(Order::Connection)).unwrap();
    let (mut one, mut two, mut three, mut four) = (open(&player), open(&player), open(&player), open(&player));
    for live in [&mut one, &mut two, &mut three, &mut four] {
        live.ask("s");
    }
    one.ask("c");
    assert_eq!(one.is(), "c");
    two.ask("b");
    four.ask("b");
    two.ask("d");
    assert_eq!(two.is(), "d", "the other one that began so");
    three.ask("a");
    assert_eq!([three.is(), four.is()], ["a", "b"]);
    [one, two, three, four].into_iter().for_each(Live::close);
    played(&player);
}

#[test]
fn ties_go_in_recorded_order_and_the_shorter_one_is_found_at_the_end() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    sessions(&directory, &[&["s", "t"], &["s"], &["s", "t"]]);
    let player = play(&directory, Some(Order::Connection)).unwrap();
    let mut one = open(&player);
    one.ask("s");
    assert_eq!(one.is(), "a");
    one.close();
    for expected in ["a", "c"] {
        let mut other = open(&player);
        other.ask("s");
        other.ask("t");
        assert_eq!(other.is(), expected);
        other.close();
    }
    played(&player);
}

#[test]
fn a_connection_that_was_closed_early_may_have_been_another() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    sessions(&directory, &[&["s", "t", "u"], &["s", "t", "v"]]);
    let player = play(&directory, Some(Order::Connection)).unwrap();
    let mut one = open(&player);
    one.ask("s");
    one.close();
    let mut two = open(&player);
    ["s", "t", "u"].iter().for_each(|sql| two.ask(sql));
    assert_eq!(two.is(), "a");
    two.close();
    let left = player.unplayed().unwrap();
    assert_eq!(left.len(), 4, "t and v of the one closed early, and their rows: {left:?}");
    assert!(left.iter().all(|left| left.connection.to_string() == "b"), "{left:?}");
}

#[test]
fn nothing_is_loosened_inside_a_connection() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    sessions(&directory, &[&["a", "b"], &["b", "c"], &["c", "a"]]);
    let fails = |texts: &[&str]| {
        let player = play(&directory, Some(Order::Connection)).unwrap();
        let mut live = open(&player);
        let (last, before) = texts.split_last().unwrap();
        before.iter().for_each(|sql| live.ask(sql));
        live.try_ask(last).unwrap_err()
    };
    fails(&["a", "c"]);
    fails(&["b", "a"]);
    assert!(fails(&["a", "b", "c"]).headline.contains("got run \"c\""));
    // two live ones cannot both be the same
    let player = play(&directory, Some(Order::Connection)).unwrap();
    let (mut one, mut two) = (open(&player), open(&player));
    one.ask("b");
    two.try_ask("b").unwrap_err();
}

/// Replies that differ: whoever asks first gets what was recorded first, and goes on with it.
#[test]
fn equal_questions_with_other_replies() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    let recorder = recorder(&directory);
    for (number, then) in [("1", "p"), ("2", "q")] {
        let connection = connected(&recorder, "shop");
        recorder.command(&run(connection, 1, "next")).unwrap();
        result(&recorder, connection, 1, &[&[number]]);
        recorder.command(&run(connection, 2, then)).unwrap();
        recorder.disconnect(connection).unwrap();
    }
    let player = play(&directory, Some(Order::Connection)).unwrap();
    let (one, two) = (open(&player), open(&player));
    player.command(&run(two.id, 1, "next")).unwrap();
    assert_eq!(fetch_all(&player, two.id, 1), [["2"]], "the connection that was opened second");
    player.command(&run(one.id, 1, "next")).unwrap();
    assert_eq!(fetch_all(&player, one.id, 1), [["1"]]);
    // it cannot become the other one any more
    player.command(&run(one.id, 2, "q")).unwrap_err();
}

/// Recorded without a pool, played with one: a connection that is used again.
#[test]
fn a_pool_uses_a_connection_again() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    sessions(&directory, &[&["a", "b"], &["c"], &["d"]]);
    for order in [Order::Global, Order::Connection] {
        let player = play(&directory, Some(order)).unwrap();
        let mut live = open(&player);
        live.ask("a");
        player.idle(live.id);
        live.ask("b");
        player.idle(live.id);
        live.ask("c");
        assert_eq!(live.is(), "b", "statement 3 is statement 1 of the second recorded one");
        player.idle(live.id);
        live.ask("d");
        live.close();
        played(&player);
        // without a pool's questions it is another connection that is missing
        let player = play(&directory, Some(order)).unwrap();
        let mut live = open(&player);
        live.ask("a");
        live.ask("b");
        let told = live.try_ask("c").unwrap_err();
        assert!(told.headline.contains("got run \"c\""), "{}", told.headline);
    }
}

/// Recorded with a pool, played without.
#[test]
fn a_connection_from_a_pool_is_opened_anew() {
    let parent = tempfile::tempdir().unwrap();
    for pooled in [true, false] {
        let directory = parent.path().join(pooled.to_string());
        let recorder = recorder(&directory);
        let connection = connected(&recorder, "shop");
        if pooled {
            let probe = [(Key::Function, Value::from("SQLGetConnectAttr")), (Key::Attribute, 1209.into())];
            recorder.info(connection, probe.into()).unwrap();
        }
        for (statement, sql) in (1..).zip(["a", "b", "c"]) {
            recorder.command(&run(connection, statement, sql)).unwrap();
            result(&recorder, connection, statement, &[&[sql]]);
        }
        recorder.disconnect(connection).unwrap();
        for order in [Order::Global, Order::Connection] {
            let player = play(&directory, Some(order)).unwrap();
            let mut live = open(&player);
            live.ask("a");
            live.close();
            if !pooled {
                // one more is no mismatch before it is asked something
                assert!(open(&player).try_ask("b").is_err());
                continue;
            }
            for sql in ["b", "c"] {
                let mut live = open(&player);
                live.ask(sql);
                live.close();
            }
            played(&player);
        }
    }
}

#[test]
fn a_failed_connect_is_one_of_its_own() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    let recorder = recorder(&directory);
    let refused = recorder.connection();
    recorder.command(&connect(refused, "shop").with(Key::Return, "SQL_ERROR")).unwrap();
    recorder.disconnect(refused).unwrap();
    let connection = connected(&recorder, "shop");
    recorder.command(&Entry::new(Method::Commit, connection, None)).unwrap();
    recorder.disconnect(connection).unwrap();
    for order in [Order::Global, Order::Connection] {
        let player = play(&directory, Some(order)).unwrap();
        assert!(player.connect(&connect(A, "shop")).unwrap().get(Key::Return).is_some());
        let second = player.connect(&connect(A, "shop")).unwrap();
        assert!(second.get(Key::Return).is_none());
        player.command(&Entry::new(Method::Commit, second.connection, None)).unwrap();
        played(&player);
    }
}
