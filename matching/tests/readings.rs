//! A value that a connection sent before it was certain which recorded one it is, and that others have used since.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::parts::{Together, process_of};
use crate::support::*;
use super8_cassette::{ConnectionId, Order, open_directory};
use super8_matching::{Fetched, Mismatch, PlayOptions, Player};

const RECORDED: [&str; 2] = ["11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"];
const LIVE: [&str; 2] = ["aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa", "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"];

fn insert(id: &str) -> String {
    format!("insert into orders values ('{id}')")
}

fn find(id: &str) -> String {
    format!("select id from orders where id = '{id}'")
}

const LIST: &str = "select id from orders";
/// What tells each of two connections from the other one.
const OWN: [&str; 2] = ["select 'first'", "select 'second'"];
const LAST: [&str; 2] = ["select 'third'", "select 'fourth'"];

/// What a connection runs: texts and their rows.
type Session = (&'static str, Vec<(String, Vec<String>)>);

/// Two connections that write alike, and are told apart by what they ask then.
fn writers() -> [Session; 2] {
    [0, 1].map(|at| ("shop", vec![(insert(RECORDED[at]), vec![]), (OWN[at].to_owned(), vec![])]))
}

/// A connection that reads the values of both.
fn reader(order: [usize; 2]) -> Session {
    let all = || (LIST.to_owned(), order.map(|at| RECORDED[at].to_owned()).to_vec());
    ("stock", vec![all(), all()])
}

/// Two connections each of which reads the value of one.
fn readers() -> [Session; 2] {
    let found = |at: usize| (find(RECORDED[at]), vec![RECORDED[at].to_owned()]);
    [0, 1].map(|at| ("stock", vec![found(at), (LAST[at].to_owned(), vec![])]))
}

fn record(directory: &Path, sessions: &[Session]) {
    let recorder = recorder(directory);
    for (dsn, texts) in sessions {
        let connection = connected(&recorder, dsn);
        for (statement, (sql, rows)) in (1..).zip(texts) {
            recorder.command(&run(connection, statement, sql)).unwrap();
            let rows: Vec<[&str; 1]> = rows.iter().map(|row| [row.as_str()]).collect();
            let rows: Vec<&[&str]> = rows.iter().map(|row| &row[..]).collect();
            if !rows.is_empty() {
                result(&recorder, connection, statement, &rows);
            }
        }
        recorder.disconnect(connection).unwrap();
    }
    recorder.publish().unwrap();
    let metadata = directory.join("metadata.yml");
    let text = std::fs::read_to_string(&metadata).unwrap();
    std::fs::write(&metadata, text + "volatile:\n  - type: uuid\n").unwrap();
}

/// A live connection and the number of its last statement.
struct Live<'p>(&'p Player, ConnectionId, u32);

impl<'p> Live<'p> {
    fn open(player: &'p Player, dsn: &str) -> Live<'p> {
        Live(player, player.connect(&connect(A, dsn)).unwrap().connection, 0)
    }

    fn ask(&mut self, sql: &str) -> Result<(), Mismatch> {
        self.2 += 1;
        self.0.command(&run(self.1, self.2, sql)).map(|_| ())
    }

    /// Runs a text and returns the first cell of each row.
    fn read(&mut self, sql: &str) -> Vec<String> {
        self.ask(sql).unwrap_or_else(|told| panic!("{}", told.report));
        fetch_all(self.0, self.1, self.2).into_iter().flatten().collect()
    }

    fn asks(&mut self, sql: &str) {
        self.ask(sql).unwrap_or_else(|told| panic!("{}", told.report));
    }
}

fn open(sessions: &[Session]) -> (tempfile::TempDir, Arc<Player>) {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("tape");
    record(&directory, sessions);
    let options = PlayOptions { order: Some(Order::Connection), ..PlayOptions::default() };
    let player = Player::open(open_directory(&directory).unwrap(), options).unwrap();
    (parent, player)
}

fn is_told(wrong: Result<(), Mismatch>, who: &str) {
    let Err(told) = wrong else { panic!("it goes on silently") };
    let expected = [RECORDED[0], LIVE[0], who];
    assert!(expected.iter().all(|part| told.headline.contains(part)), "{}", told.headline);
    assert!(told.report.contains("what to do:"), "{}", told.report);
}

#[test]
fn a_value_that_nobody_has_used_follows_its_connection() {
    let (_parent, player) = open(&[&writers()[..], &[reader([0, 1])]].concat());
    let (mut one, mut other, mut reader) =
        (Live::open(&player, "shop"), Live::open(&player, "shop"), Live::open(&player, "stock"));
    one.asks(&insert(LIVE[0]));
    one.asks(OWN[1]);
    // it is the second one
    assert_eq!(reader.read(LIST), [RECORDED[0], LIVE[0]]);
    other.asks(&insert(LIVE[1]));
    other.asks(OWN[0]);
    assert_eq!(reader.read(LIST), [LIVE[1], LIVE[0]]);
}

#[test]
fn a_value_that_another_connection_has_read_keeps_its_meaning() {
    for ends in [false, true] {
        let (_parent, player) = open(&[&writers()[..], &[reader([0, 1])]].concat());
        let (mut one, mut reader) = (Live::open(&player, "shop"), Live::open(&player, "stock"));
        one.asks(&insert(LIVE[0]));
        assert_eq!(reader.read(LIST), [LIVE[0], RECORDED[1]]);
        if ends {
            assert_eq!(reader.read(LIST), [LIVE[0], RECORDED[1]]);
            player.disconnect(reader.1);
        }
        let wrong = one.ask(OWN[1]);
        is_told(wrong, "another connection has used it");
        // the guess was right
        let (_parent, player) = open(&[&writers()[..], &[self::reader([0, 1])]].concat());
        let (mut one, mut reader) = (Live::open(&player, "shop"), Live::open(&player, "stock"));
        one.asks(&insert(LIVE[0]));
        assert_eq!(reader.read(LIST), [LIVE[0], RECORDED[1]]);
        one.asks(OWN[0]);
    }
}

#[test]
fn a_connection_that_has_used_a_value_goes_along() {
    let (_parent, player) = open(&[writers(), readers()].concat());
    let [mut one, mut other] = [0, 1].map(|_| Live::open(&player, "shop"));
    let [mut reads, mut reads_other] = [0, 1].map(|_| Live::open(&player, "stock"));
    one.asks(&insert(LIVE[0]));
    assert_eq!(reads.read(&find(LIVE[0])), [LIVE[0]]);
    one.asks(OWN[1]);
    other.asks(&insert(LIVE[1]));
    assert_eq!(reads_other.read(&find(LIVE[1])), [LIVE[1]]);
    // the first reader turned out to be the second one, too
    assert!(player.command(&run(reads_other.1, 2, LAST[1])).is_err());
    let (_parent, player) = open(&[writers(), readers()].concat());
    let [mut one, mut other] = [0, 1].map(|_| Live::open(&player, "shop"));
    let [mut reads, mut reads_other] = [0, 1].map(|_| Live::open(&player, "stock"));
    one.asks(&insert(LIVE[0]));
    assert_eq!(reads.read(&find(LIVE[0])), [LIVE[0]]);
    one.asks(OWN[1]);
    other.asks(&insert(LIVE[1]));
    assert_eq!(reads_other.read(&find(LIVE[1])), [LIVE[1]]);
    reads.asks(LAST[1]);
    reads_other.asks(LAST[0]);
    other.asks(OWN[0]);
}

/// The parts of a program that writes and of one that reads.
fn parts(parent: &Path, order: [usize; 2]) -> [PathBuf; 2] {
    let parts = ["writes", "reads"].map(|name| parent.join(name));
    record(&parts[0], &writers());
    record(&parts[1], &[reader(order)]);
    parts
}

#[test]
fn another_process_reads_what_turned_out() {
    let parent = tempfile::tempdir().unwrap();
    let (parts, processes) = (parts(parent.path(), [0, 1]), Arc::new(Together::default()));
    let [writes, reads] = [0, 1].map(|_| process_of(&parts, &processes, Order::Connection));
    let [mut one, mut other] = [0, 1].map(|_| Live::open(&writes, "shop"));
    let mut reader = Live::open(&reads, "stock");
    one.asks(&insert(LIVE[0]));
    one.asks(OWN[1]);
    assert_eq!(reader.read(LIST), [RECORDED[0], LIVE[0]]);
    other.asks(&insert(LIVE[1]));
    other.asks(OWN[0]);
    assert_eq!(reader.read(LIST), [LIVE[1], LIVE[0]]);
}

#[test]
fn a_value_that_another_process_has_used_keeps_its_meaning() {
    let parent = tempfile::tempdir().unwrap();
    let (parts, processes) = (parts(parent.path(), [0, 1]), Arc::new(Together::default()));
    let [writes, reads] = [0, 1].map(|_| process_of(&parts, &processes, Order::Connection));
    let (mut one, mut reader) = (Live::open(&writes, "shop"), Live::open(&reads, "stock"));
    one.asks(&insert(LIVE[0]));
    assert_eq!(reader.read(LIST), [LIVE[0], RECORDED[1]]);
    is_told(one.ask(OWN[1]), "another process has used it");
}

#[test]
fn processes_that_do_not_hear_each_other_in_time_say_so() {
    for ends in [false, true] {
        let parent = tempfile::tempdir().unwrap();
        let (parts, processes) = (parts(parent.path(), [1, 0]), Arc::new(Together::default()));
        let [writes, reads] = [0, 1].map(|_| process_of(&parts, &processes, Order::Connection));
        let [mut one, mut other] = [0, 1].map(|_| Live::open(&writes, "shop"));
        let mut reader = Live::open(&reads, "stock");
        one.asks(&insert(LIVE[0]));
        reader.asks(LIST);
        // it reads the second row while the other process goes on
        let Ok(Fetched::Rows(mut run)) = reads.fetch(reader.1, reader.2) else { panic!("there are rows") };
        one.asks(OWN[1]);
        assert_eq!(rows(&mut run), [[RECORDED[1]], [LIVE[0]]]);
        // at the next command, or when the connection ends
        let goes_on = |live: &mut Live<'_>, sql: &str| match ends {
            false => live.ask(sql),
            true => live.0.contradicted(live.1).map_or(Ok(()), Err),
        };
        is_told(goes_on(&mut reader, LIST), "this process has used it");
        is_told(goes_on(&mut other, &insert(LIVE[1])), "another process has used it");
        assert!(reads.failed() && writes.failed());
    }
}
