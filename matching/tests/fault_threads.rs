//! Faults in programs with threads: what is said of the program is the same however its threads take turns.
//!
//! The threads are taken one call at a time, in an order that a seed decides, so that a failure can be repeated.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;

use crate::support::*;
use super8_cassette::{ConnectionId, Entry, Key, Method, Value, open_directory};
use super8_matching::{FaultEvent, FaultNews, Fetched, Mismatch, MismatchKind, PlayOptions, Player};

const THREADS: i64 = 4;
/// How many orders of turns are tried with each fault.
const SEEDS: u64 = 6;

/// What a thread asks for, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ask {
    Manual,
    Run(&'static str),
    Query(&'static str),
    /// Prepares a text and executes it with the thread's number.
    Own(&'static str),
    /// Runs a text that ends with the thread's number.
    Named(&'static str),
    Commit,
}

/// How the threads of a program work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    /// In autocommit. What failed is asked again, on a new connection if the old one is lost.
    Statements,
    /// In a transaction. After a failure the thread begins with a new connection.
    Transactions,
    /// In autocommit, and begins with a new connection all the same, which does again what is done already.
    Careless,
    /// In autocommit, with texts of its own.
    Texts,
}

impl Style {
    fn handling(self) -> Handling {
        if matches!(self, Style::Statements | Style::Texts) { Handling::AsksAgain } else { Handling::BeginsAnew }
    }

    fn asks(self) -> Vec<Ask> {
        let all = [
            Ask::Manual,
            Ask::Run("update shelf set amount = amount + 1"),
            Ask::Run("update shelf set amount = amount + 2"),
            Ask::Query("select count(*) from shelf"),
            Ask::Own("update shelf set amount = amount + ?"),
            Ask::Named("update shelf set amount = "),
            Ask::Run("delete from shelf"),
            Ask::Commit,
        ];
        let in_transaction = [Ask::Manual, Ask::Commit];
        let fits = |ask: &Ask| match ask {
            Ask::Own(_) => self != Style::Texts,
            Ask::Named(_) => self == Style::Texts,
            _ => self == Style::Transactions || !in_transaction.contains(ask),
        };
        all.into_iter().filter(fits).collect()
    }
}

/// What a thread does when a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Handling {
    /// It asks the same again, on a new connection if the old one is lost.
    AsksAgain,
    /// It begins anew, with a new connection.
    BeginsAnew,
    /// It begins anew, with a new connection if the old one is lost.
    BeginsAnewThere,
    /// It says nothing and goes on with what it asks next, on a new connection if the old one is lost.
    GoesOn,
    /// It closes its connection and ends.
    Ends,
}

/// The calls of an ask, which a thread makes one by one.
fn calls(ask: Ask, number: i64, connection: ConnectionId, statement: u32) -> Vec<Entry> {
    let entry = |method| Entry::new(method, connection, Some(statement));
    match ask {
        Ask::Manual => {
            let set = Entry::new(Method::SetConnectAttr, connection, None).with(Key::Attribute, "autocommit");
            vec![set.with(Key::Value, 0i64)]
        }
        Ask::Run(sql) => vec![run(connection, statement, sql)],
        Ask::Query(sql) => vec![run(connection, statement, sql), entry(Method::Fetch)],
        Ask::Own(sql) => {
            let values = Value::List(vec![Value::from(number)]);
            vec![entry(Method::Prepare).with(Key::Sql, sql), entry(Method::Execute).with(Key::Params, values)]
        }
        Ask::Named(sql) => vec![run(connection, statement, &format!("{sql}{number}"))],
        Ask::Commit => vec![Entry::new(Method::Commit, connection, None)],
    }
}

/// Records the threads one after the other.
fn record(directory: &Path, style: Style, threads: i64) {
    let recorder = recorder(directory);
    for number in 0..threads {
        let connection = connected(&recorder, "shop");
        for (statement, ask) in (1..).zip(style.asks()) {
            for call in calls(ask, number, connection, statement) {
                match call.method {
                    Method::Fetch => result(&recorder, connection, statement, &[&["1"], &["2"]]),
                    _ => recorder.command(&call).unwrap(),
                }
            }
            recorder.note(&drop_of(connection, statement)).unwrap();
        }
        recorder.disconnect(connection).unwrap();
    }
}

/// A thread of the program, between two calls.
struct Thread {
    number: i64,
    handling: Handling,
    connection: Option<ConnectionId>,
    statements: u32,
    /// The ask that comes next, and how many of its calls are made.
    at: (usize, usize),
    tries: u32,
    ended: bool,
    /// Whether the fault struck at one of its calls.
    is_struck: bool,
}

impl Thread {
    fn new(number: i64, handling: Handling) -> Thread {
        Thread {
            number,
            handling,
            connection: None,
            statements: 0,
            at: (0, 0),
            tries: 3,
            ended: false,
            is_struck: false,
        }
    }

    /// Makes the next call.
    fn go_on(&mut self, player: &Player, style: Style, loses: bool) {
        let Err(told) = self.call(player, style) else { return };
        let is_fault = told.kind == MismatchKind::Fault;
        self.is_struck |= is_fault;
        self.tries -= 1;
        if self.handling == Handling::Ends {
            self.tries = 0;
        }
        self.ended = self.tries == 0;
        let is_connected = self.connection.is_some();
        if is_fault && loses || matches!(self.handling, Handling::BeginsAnew | Handling::Ends) {
            self.close(player);
        }
        self.at = match self.handling {
            Handling::BeginsAnew | Handling::BeginsAnewThere => (0, 0),
            Handling::GoesOn if is_connected => (self.at.0 + 1, 0),
            _ => (self.at.0, 0),
        };
    }

    fn close(&mut self, player: &Player) {
        if let Some(connection) = self.connection.take() {
            player.disconnect(connection);
        }
    }

    fn call(&mut self, player: &Player, style: Style) -> Result<(), Mismatch> {
        let Some(connection) = self.connection else {
            self.connection = Some(player.connect(&connect(A, "shop"))?.connection);
            self.statements = 0;
            return Ok(());
        };
        let asks = style.asks();
        let Some(ask) = asks.get(self.at.0) else {
            self.close(player);
            self.ended = true;
            return Ok(());
        };
        if self.at.1 == 0 {
            player.forget_statement(connection, self.statements);
            self.statements += 1;
        }
        let calls = calls(*ask, self.number, connection, self.statements);
        let call = &calls[self.at.1];
        match call.method {
            Method::Fetch => read(player, connection, self.statements)?,
            _ => _ = player.command(call)?,
        }
        self.at = if self.at.1 + 1 == calls.len() { (self.at.0 + 1, 0) } else { (self.at.0, self.at.1 + 1) };
        Ok(())
    }
}

fn read(player: &Player, connection: ConnectionId, statement: u32) -> Result<(), Mismatch> {
    while let Fetched::Rows(mut run) = player.fetch(connection, statement)? {
        loop {
            player.strike_row(connection, statement, &mut run)?;
            if run.next().unwrap().is_none() {
                break;
            }
        }
        if run.ended() {
            break;
        }
    }
    Ok(())
}

thread_local!(static NEWS: RefCell<BTreeSet<&'static str>> = const { RefCell::new(BTreeSet::new()) });

fn tell(_: &Path, news: &FaultNews) {
    NEWS.with_borrow_mut(|all| all.insert(news.what.name()));
}

/// A generator of numbers that a seed decides.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}

/// What a sweep judges: what happened, and whether the program succeeded.
type Judged = (BTreeSet<&'static str>, bool);

/// Plays a program with a fault, whose threads handle failures like this. Returns what a sweep judges, and the number of the thread at
/// which the fault struck.
fn play_with(directory: &Path, style: Style, handling: &[Handling], fault: &str, seed: u64) -> (Judged, Option<usize>) {
    NEWS.with_borrow_mut(BTreeSet::clear);
    let faults = vec![fault.parse().unwrap()];
    let player = Player::open(
        open_directory(directory).unwrap(),
        PlayOptions { faults, tell_fault: Some(tell), ..PlayOptions::default() },
    );
    let player = player.unwrap();
    let loses = fault.ends_with("lost-connection");
    let mut dice = Dice(seed);
    let mut threads: Vec<Thread> =
        (0..).zip(handling).map(|(number, handling)| Thread::new(number, *handling)).collect();
    while let Some(open) = threads.iter().filter(|thread| !thread.ended).count().checked_sub(1) {
        // one thread goes on for a while, as a scheduler has it
        let chosen = dice.below(open + 1);
        let thread = threads.iter_mut().filter(|thread| !thread.ended).nth(chosen).unwrap();
        for _ in 0..=dice.below(12) {
            if !thread.ended {
                thread.go_on(&player, style, loses);
            }
        }
    }
    let mut news = NEWS.with_borrow(BTreeSet::clone);
    if news.contains(FaultEvent::Astray.name()) {
        // which of the threads finds nothing more is open, and a sweep judges by that alone
        news.remove(FaultEvent::Repeated.name());
    }
    let succeeds = threads.iter().all(|thread| thread.tries > 0);
    ((news, succeeds), threads.iter().position(|thread| thread.is_struck))
}

/// Runs a test while there is another thread: connections are told apart by more than their order only if there are threads.
fn beside_a_thread(test: impl FnOnce()) {
    let (ends, wait) = std::sync::mpsc::channel::<()>();
    let beside = std::thread::spawn(move || _ = wait.recv());
    test();
    drop(ends);
    beside.join().unwrap();
}

const KINDS: [&str; 3] = ["deadlock", "timeout", "lost-connection"];

/// What happens, and whether the program succeeds, has to be as expected of a fault at the n-th command of a connection, in every run.
fn is_the_same_in_every_run(style: Style, expected: impl Fn(usize) -> (FaultEvent, bool)) {
    beside_a_thread(|| {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("tape");
        record(&directory, style, THREADS);
        let handling = [style.handling(); THREADS as usize];
        let places = player(&directory).places_to_fail().unwrap();
        let mut wrong = Vec::new();
        for place in &places {
            for kind in KINDS {
                let fault = format!("{}={kind}", place.key);
                let count = place.key.split_once('#').unwrap().1.parse().unwrap();
                let (event, succeeds) = expected(count);
                let expected = (BTreeSet::from([FaultEvent::Struck.name(), event.name()]), succeeds);
                for seed in 0..SEEDS {
                    let (found, _) = play_with(&directory, style, &handling, &fault, seed);
                    if found != expected {
                        wrong.push(format!("{fault}: {}: seed {seed}: {found:?}", place.text));
                    }
                }
            }
        }
        assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), places.len() * 3 * SEEDS as usize, wrong.join("\n"));
    });
}

/// Threads that handle a failure in different ways: the verdict is the one of the thread at which the fault strikes, as if it ran alone.
fn is_that_of_the_thread(style: Style, handling: &[Handling]) {
    let parent = tempfile::tempdir().unwrap();
    let (one, all) = (parent.path().join("one"), parent.path().join("all"));
    record(&one, style, 1);
    record(&all, style, handling.len() as i64);
    let (mut wrong, mut count) = (Vec::new(), 0);
    for place in player(&all).places_to_fail().unwrap() {
        for kind in KINDS {
            let (_, number) = place.key.split_once('#').unwrap();
            let alone: Vec<Judged> = handling
                .iter()
                .map(|handling| play_with(&one, style, &[*handling], &format!("a#{number}={kind}"), 0).0)
                .collect();
            beside_a_thread(|| {
                for seed in 0..SEEDS {
                    let fault = format!("{}={kind}", place.key);
                    let (found, struck) = play_with(&all, style, handling, &fault, seed);
                    let struck = struck.unwrap_or_else(|| panic!("{fault}: seed {seed}: the fault did not strike"));
                    count += 1;
                    if found != alone[struck] {
                        let text = &place.text;
                        let (how, right) = (handling[struck], &alone[struck]);
                        wrong.push(format!(
                            "{fault}: {text}: seed {seed}: {how:?} {struck}: {found:?}, alone {right:?}"
                        ));
                    }
                }
            });
        }
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn threads_that_ask_again_in_autocommit_are_judged_the_same_in_every_run() {
    is_the_same_in_every_run(Style::Statements, |_| (FaultEvent::Repeated, true));
}

#[test]
fn threads_that_begin_their_transaction_anew_are_judged_the_same_in_every_run() {
    is_the_same_in_every_run(Style::Transactions, |_| (FaultEvent::Repeated, true));
}

#[test]
fn threads_that_do_again_what_is_done_are_judged_the_same_in_every_run() {
    // the connect and the first update
    is_the_same_in_every_run(Style::Careless, |count| match count {
        ..=2 => (FaultEvent::Repeated, true),
        _ => (FaultEvent::Astray, false),
    });
}

#[test]
fn threads_that_handle_failures_differently_in_autocommit_are_judged_by_the_one_that_fails() {
    use Handling::{AsksAgain, Ends, GoesOn};
    for style in [Style::Statements, Style::Texts] {
        is_that_of_the_thread(style, &[AsksAgain, GoesOn, Ends, AsksAgain]);
        is_that_of_the_thread(style, &[GoesOn, GoesOn, AsksAgain, Ends, AsksAgain]);
    }
}

#[test]
fn threads_that_handle_failures_differently_in_transactions_are_judged_by_the_one_that_fails() {
    use Handling::{AsksAgain, BeginsAnew, BeginsAnewThere, Ends, GoesOn};
    is_that_of_the_thread(Style::Transactions, &[BeginsAnew, GoesOn, Ends, BeginsAnewThere]);
    is_that_of_the_thread(Style::Transactions, &[BeginsAnewThere, AsksAgain, GoesOn, BeginsAnewThere, Ends]);
}
