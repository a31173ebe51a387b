//! `order: any`: executions and transactions in any order, on any connection with the same connect arguments.

use std::path::Path;

use crate::support::*;
use proptest::prelude::*;
use super8_cassette::{ConnectionId, Entry, Key, Method, Order, Value};
use super8_matching::{Mismatch, MismatchKind, Player};

/// What a program does that has a place of its own in the order.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Unit {
    /// A query by itself, whose result is its text.
    Query(String),
    /// A prepared query with its parameters, one execution each.
    Prepared(String, Vec<i64>),
    /// Queries between BEGIN and COMMIT.
    Texts(Vec<String>),
    /// Queries in two transactions, the second of which begins with the end of the first.
    Chained(Vec<String>, Vec<String>),
    /// Queries in two transactions while a text has set autocommit off.
    ByText(Vec<String>, Vec<String>),
    /// Queries between autocommit off and a commit, or a rollback.
    Manual(Vec<String>, bool),
}

/// One call of a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Autocommit(bool),
    Run(String),
    Prepare(String),
    /// Of the statement that was prepared last; the result is the number.
    Execute(i64),
    End(bool),
}

impl Unit {
    fn steps(&self) -> Vec<Step> {
        let runs = |texts: &[String]| texts.iter().cloned().map(Step::Run).collect::<Vec<_>>();
        match self {
            Unit::Query(sql) => vec![Step::Run(sql.clone())],
            Unit::Prepared(sql, values) => {
                let prepare = [Step::Prepare(sql.clone())].into_iter();
                prepare.chain(values.iter().copied().map(Step::Execute)).collect()
            }
            Unit::Texts(texts) => {
                let ends = (Step::Run("BEGIN".to_owned()), Step::Run("COMMIT".to_owned()));
                [vec![ends.0], runs(texts), vec![ends.1]].concat()
            }
            Unit::Chained(texts, more) => {
                let run = |sql: &str| vec![Step::Run(sql.to_owned())];
                [run("BEGIN"), runs(texts), run("COMMIT AND CHAIN"), runs(more), run("COMMIT")].concat()
            }
            Unit::ByText(texts, more) => {
                let run = |sql: &str| vec![Step::Run(sql.to_owned())];
                let off = [run("SET autocommit=0"), runs(texts), run("COMMIT")].concat();
                [off, runs(more), run("COMMIT"), run("SET autocommit=1")].concat()
            }
            Unit::Manual(texts, commits) => {
                let ends = vec![Step::End(*commits), Step::Autocommit(true)];
                [vec![Step::Autocommit(false)], runs(texts), ends].concat()
            }
        }
    }
}

fn autocommit(connection: ConnectionId, on: bool) -> Entry {
    let entry = Entry::new(Method::SetConnectAttr, connection, None).with(Key::Attribute, "autocommit");
    entry.with(Key::Value, i64::from(on))
}

fn prepare(connection: ConnectionId, statement: u32, sql: &str) -> Entry {
    Entry::new(Method::Prepare, connection, Some(statement)).with(Key::Sql, sql)
}

fn execute(connection: ConnectionId, statement: u32, value: i64) -> Entry {
    let parameters = Value::List(vec![Value::from(value)]);
    Entry::new(Method::Execute, connection, Some(statement)).with(Key::Params, parameters)
}

fn end(connection: ConnectionId, commits: bool) -> Entry {
    Entry::new(if commits { Method::Commit } else { Method::Rollback }, connection, None)
}

/// The queries are single letters, unlike the texts about transactions.
fn has_rows(sql: &str) -> bool {
    sql.len() == 1
}

/// Records the units of each connection, one after another.
fn record(directory: &Path, connections: &[Vec<Unit>]) {
    let recorder = recorder(directory);
    for units in connections {
        let connection = connected(&recorder, "shop");
        let mut statement = 0;
        for step in units.iter().flat_map(Unit::steps) {
            match step {
                Step::Autocommit(on) => recorder.command(&autocommit(connection, on)).unwrap(),
                Step::End(commits) => recorder.command(&end(connection, commits)).unwrap(),
                Step::Run(sql) => {
                    statement += 1;
                    recorder.command(&run(connection, statement, &sql)).unwrap();
                    if has_rows(&sql) {
                        result(&recorder, connection, statement, &[&[&sql]]);
                    }
                }
                Step::Prepare(sql) => {
                    statement += 1;
                    recorder.command(&prepare(connection, statement, &sql)).unwrap();
                }
                Step::Execute(value) => {
                    recorder.command(&execute(connection, statement, value)).unwrap();
                    result(&recorder, connection, statement, &[&[&value.to_string()]]);
                }
            }
        }
        recorder.disconnect(connection).unwrap();
    }
}

/// A connection of the program.
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
    fn step(&mut self, step: &Step) -> Result<(), Mismatch> {
        let Live { player, id, .. } = *self;
        match step {
            Step::Autocommit(on) => _ = player.command(&autocommit(id, *on))?,
            Step::End(commits) => _ = player.command(&end(id, *commits))?,
            Step::Run(sql) => {
                player.forget_statement(id, self.statements);
                self.statements += 1;
                player.command(&run(id, self.statements, sql))?;
                if has_rows(sql) {
                    assert_eq!(fetch_all(player, id, self.statements), [[sql.as_str()]]);
                }
            }
            Step::Prepare(sql) => {
                player.forget_statement(id, self.statements);
                self.statements += 1;
                player.command(&prepare(id, self.statements, sql))?;
            }
            Step::Execute(value) => {
                player.command(&execute(id, self.statements, *value))?;
                assert_eq!(fetch_all(player, id, self.statements), [[value.to_string()]]);
            }
        }
        Ok(())
    }

    fn unit(&mut self, unit: &Unit) -> Result<(), Mismatch> {
        unit.steps().iter().try_for_each(|step| self.step(step))
    }

    fn close(self) {
        self.player.disconnect(self.id);
    }
}

fn texts(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn query(sql: &str) -> Unit {
    Unit::Query(sql.to_owned())
}

fn unit() -> impl Strategy<Value = Unit> {
    let text = || proptest::sample::select(vec!["a", "b", "c", "d"]).prop_map(str::to_owned);
    let some = || proptest::collection::vec(text(), 1..4);
    prop_oneof![
        text().prop_map(Unit::Query),
        (text(), proptest::collection::vec(0i64..3, 1..4)).prop_map(|(sql, values)| Unit::Prepared(sql, values)),
        some().prop_map(Unit::Texts),
        (some(), some()).prop_map(|(texts, more)| Unit::Chained(texts, more)),
        (some(), some()).prop_map(|(texts, more)| Unit::ByText(texts, more)),
        (some(), any::<bool>()).prop_map(|(texts, commits)| Unit::Manual(texts, commits)),
    ]
}

/// Plays units on several connections at once: `turns` says whose call is next.
fn played(player: &Player, units: &[Unit], count: usize, turns: &[usize]) -> Result<(), Mismatch> {
    let mut connections: Vec<(Live<'_>, Vec<Step>)> = (0..count).map(|_| (open(player), Vec::new())).collect();
    for (number, unit) in units.iter().enumerate() {
        connections[number % count].1.extend(unit.steps());
    }
    connections.iter_mut().for_each(|(_, steps)| steps.reverse());
    let mut turns = turns.iter().cycle();
    while connections.iter().any(|(_, steps)| !steps.is_empty()) {
        let turn = turns.next().copied().unwrap_or_default();
        let waiting = connections.iter_mut().filter(|(_, steps)| !steps.is_empty());
        let mut waiting: Vec<_> = waiting.collect();
        let at = turn % waiting.len();
        let (live, steps) = &mut *waiting[at];
        if let Some(step) = steps.pop() {
            live.step(&step)?;
        }
    }
    connections.into_iter().for_each(|(live, _)| live.close());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever the order of the units, the number of connections and whose turn it is, all is played; and a unit that is left out,
    /// or one more, is told.
    #[test]
    fn units_come_in_any_order(
        (recorded, shuffled) in proptest::collection::vec(unit(), 1..12)
            .prop_flat_map(|units| (Just(units.clone()), Just(units).prop_shuffle())),
        (of, count) in (1usize..4, 1usize..4),
        turns in proptest::collection::vec(0usize..7, 1..20),
    ) {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("x");
        let mut connections = vec![Vec::new(); of];
        for (number, unit) in recorded.iter().enumerate() {
            connections[number % of].push(unit.clone());
        }
        record(&directory, &connections);
        let player = play(&directory, Some(Order::Any)).unwrap();
        if let Err(told) = played(&player, &shuffled, count, &turns) {
            return Err(TestCaseError::fail(told.report));
        }
        prop_assert_eq!(player.unplayed().unwrap(), []);

        let player = play(&directory, Some(Order::Any)).unwrap();
        if let Err(told) = played(&player, &shuffled[1..], count, &turns) {
            return Err(TestCaseError::fail(told.report));
        }
        prop_assert!(!player.unplayed().unwrap().is_empty(), "one was left out");

        let player = play(&directory, Some(Order::Any)).unwrap();
        let more = [shuffled.clone(), vec![shuffled[0].clone()]].concat();
        prop_assert!(played(&player, &more, count, &turns).is_err(), "one is too many");
    }
}

#[test]
fn equal_units_come_in_recorded_order() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    let recorder = recorder(&directory);
    for answer in ["1", "2", "3"] {
        let connection = connected(&recorder, "shop");
        recorder.command(&run(connection, 1, "count")).unwrap();
        result(&recorder, connection, 1, &[&[answer]]);
    }
    recorder.publish().unwrap();
    let player = play(&directory, Some(Order::Any)).unwrap();
    let live = open(&player);
    for statement in 1..=3 {
        player.command(&run(live.id, statement, "count")).unwrap();
        assert_eq!(fetch_all(&player, live.id, statement), [[statement.to_string()]]);
    }
    assert_eq!(player.unplayed().unwrap(), []);
}

#[test]
fn transactions_that_begin_alike_are_told_apart_by_what_follows() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    let transaction = |names: &[&str]| Unit::Texts(texts(names));
    record(&directory, &[vec![transaction(&["a", "b"]), transaction(&["a", "c"])], vec![transaction(&["a"])]]);
    let player = play(&directory, Some(Order::Any)).unwrap();
    let (mut one, mut two, mut three) = (open(&player), open(&player), open(&player));
    let all = [transaction(&["a"]), transaction(&["a", "c"]), transaction(&["a", "b"])].map(|unit| unit.steps());
    for number in 0..4 {
        for (live, steps) in [&mut one, &mut two, &mut three].into_iter().zip(&all) {
            if let Some(step) = steps.get(number) {
                live.step(step).unwrap_or_else(|told| panic!("{}", told.report));
            }
        }
    }
    assert_eq!(player.unplayed().unwrap(), []);
}

#[test]
fn inside_a_transaction_the_order_counts() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    record(&directory, &[vec![Unit::Manual(texts(&["a", "b"]), true)]]);
    let player = play(&directory, Some(Order::Any)).unwrap();
    let told = open(&player).unit(&Unit::Manual(texts(&["b", "a"]), true)).unwrap_err();
    assert_eq!(told.kind, MismatchKind::OutOfOrder, "{}", told.report);
    let player = play(&directory, Some(Order::Any)).unwrap();
    let told = open(&player).unit(&Unit::Manual(texts(&["a", "b"]), false)).unwrap_err();
    assert!(told.headline.contains("expected commit, got rollback"), "{}", told.headline);
    // by themselves they are something else
    let player = play(&directory, Some(Order::Any)).unwrap();
    assert!(open(&player).unit(&query("a")).is_err());
}

#[test]
fn a_report_names_what_is_most_like_it() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    record(&directory, &[vec![query("a"), Unit::Prepared("p".to_owned(), vec![1])], vec![query("b")]]);
    let player = play(&directory, Some(Order::Any)).unwrap();
    let told = open(&player).unit(&Unit::Prepared("p".to_owned(), vec![2])).unwrap_err();
    assert!(told.headline.contains("command 6 of"), "{}", told.headline);
    assert!(told.headline.contains("(a/2)") && told.headline.contains("recorded 1, asked 2"), "{}", told.headline);
    let player = play(&directory, Some(Order::Any)).unwrap();
    let mut live = open(&player);
    live.unit(&query("b")).unwrap();
    let told = live.unit(&query("b")).unwrap_err();
    assert_eq!(told.kind, MismatchKind::Exhausted, "{}", told.report);
    assert!(told.headline.contains("that was command 10 (b/1)"), "{}", told.headline);
}

#[test]
fn connections_may_be_more_or_fewer_but_not_others() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    record(&directory, &[vec![query("a")], vec![query("b")]]);
    let player = play(&directory, Some(Order::Any)).unwrap();
    let mut lives: Vec<Live<'_>> = (0..5).map(|_| open(&player)).collect();
    lives[4].unit(&query("b")).unwrap();
    lives[2].unit(&query("a")).unwrap();
    lives.into_iter().for_each(Live::close);
    assert_eq!(player.unplayed().unwrap(), []);
    assert!(player.connect(&connect(A, "another")).is_err());
}

#[test]
fn a_connection_that_ends_leaves_no_other_without_its_connect() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    // the connection that came last found nothing left to be done
    record(&directory, &[vec![query("a")], vec![query("b")], vec![]]);
    let player = play(&directory, Some(Order::Any)).unwrap();
    for name in ["a", "b"] {
        let mut live = open(&player);
        live.unit(&query(name)).unwrap();
        live.close();
    }
    open(&player).close();
    let idle = open(&player);
    open(&player).close();
    idle.close();
    assert_eq!(player.unplayed().unwrap(), []);
}
