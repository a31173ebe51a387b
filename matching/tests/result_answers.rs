//! Answers with rows: SQLGetTypeInfo's result depends on the driver alone, and replay serves it out of order.

use crate::support::*;
use super8_cassette::{AnswerRules, ConnectionId, Entry, Fields, Key, KnownAnswers, Method, Order, Recorder, Value};
use super8_matching::FIRST_RESULT_ANSWER;
use super8_matching::{Fetched, Player};

fn type_info(connection: ConnectionId, statement: u32, kind: i32) -> Entry {
    let arguments = Value::Map(vec![("type".to_owned(), kind.into())]);
    let asked = Entry::new(Method::Catalog, connection, Some(statement)).with(Key::Function, "SQLGetTypeInfo");
    asked.with(Key::Arguments, arguments)
}

fn record_type_info(recorder: &std::sync::Arc<Recorder>, connection: ConnectionId, statement: u32, name: &str) {
    recorder.command(&type_info(connection, statement, 12)).unwrap();
    recorder.note(&Entry::new(Method::RowCount, connection, Some(statement)).with(Key::Result, -1)).unwrap();
    result(recorder, connection, statement, &[&[name, "12"], &["text", "-1"]]);
    recorder.note(&drop_of(connection, statement)).unwrap();
}

/// Asks for the n-th time on a connection, and reads the result.
fn served(player: &Player, connection: ConnectionId, number: u32) -> Vec<Vec<String>> {
    let statement = FIRST_RESULT_ANSWER + number;
    let asked = type_info(connection, statement, 12);
    assert!(player.has_result_answer(&asked));
    player.command(&asked).unwrap();
    let counted = player.answer(connection, Some(statement), Method::RowCount, &[Default::default()], &[]).unwrap();
    assert_eq!(counted.unwrap().get(Key::Result), Some(&Value::Int(-1)));
    let rows = fetch_all(player, connection, statement);
    player.housekeeping(&drop_of(connection, statement));
    rows
}

#[test]
fn they_are_served_on_any_connection_as_often_as_asked_and_never_left_unplayed() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("tape");
    let recorder = recorder(&directory);
    let a = connected(&recorder, "shop");
    recorder.command(&run(a, 1, "SELECT 1")).unwrap();
    // a client library asks once in a process, in the middle of what the first connection does
    record_type_info(&recorder, a, 2, "varchar");
    recorder.command(&run(a, 3, "SELECT 2")).unwrap();
    let b = connected(&recorder, "shop");
    recorder.command(&run(b, 1, "SELECT 3")).unwrap();
    recorder.disconnect(a).unwrap();
    recorder.disconnect(b).unwrap();
    let expected = [["varchar", "12"], ["text", "-1"]];

    for order in [Order::Global, Order::Connection] {
        // as it was recorded
        let player = play(&directory, Some(order)).unwrap();
        let a = player.connect(&connect(A, "shop")).unwrap().connection;
        player.command(&run(a, 1, "SELECT 1")).unwrap();
        assert_eq!(served(&player, a, 0), expected);
        player.command(&run(a, 2, "SELECT 2")).unwrap();
        let b = player.connect(&connect(B, "shop")).unwrap().connection;
        player.command(&run(b, 1, "SELECT 3")).unwrap();
        assert_eq!(player.unplayed().unwrap(), []);

        // never asked, and asked elsewhere, again and again
        let player = play(&directory, Some(order)).unwrap();
        let a = player.connect(&connect(A, "shop")).unwrap().connection;
        player.command(&run(a, 1, "SELECT 1")).unwrap();
        player.command(&run(a, 2, "SELECT 2")).unwrap();
        let b = player.connect(&connect(B, "shop")).unwrap().connection;
        for number in 0..3 {
            assert_eq!(served(&player, b, number), expected);
        }
        player.command(&run(b, 1, "SELECT 3")).unwrap();
        assert_eq!(player.unplayed().unwrap(), []);
    }

    // the second connection's session alone: what was asked on the first is there
    let player = play(&directory, Some(Order::Connection)).unwrap();
    let only = player.connect(&connect(A, "shop")).unwrap().connection;
    assert_eq!(served(&player, only, 0), expected);
    player.command(&run(only, 1, "SELECT 3")).unwrap();
    let left = player.unplayed().unwrap();
    assert_eq!(left.len(), 3, "the first connection's connect and two statements: {left:?}");
    assert_eq!(left.iter().map(|left| left.number).collect::<Vec<_>>(), [1, 2, 5], "counted as people see them");
}

#[test]
fn two_statements_read_the_same_answer_at_the_same_time() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("tape");
    let recorder = recorder(&directory);
    let a = connected(&recorder, "shop");
    record_type_info(&recorder, a, 1, "varchar");
    recorder.disconnect(a).unwrap();
    let player = player(&directory);
    let a = player.connect(&connect(A, "shop")).unwrap().connection;
    let (one, other) = (FIRST_RESULT_ANSWER, FIRST_RESULT_ANSWER + 1);
    player.command(&type_info(a, one, 12)).unwrap();
    player.command(&type_info(a, other, 12)).unwrap();
    let Fetched::Rows(mut first) = player.fetch(a, one).unwrap() else { panic!("no rows") };
    let Fetched::Rows(mut second) = player.fetch(a, other).unwrap() else { panic!("no rows") };
    assert_eq!(rows(&mut first), rows(&mut second));
}

#[test]
fn a_mismatch_after_one_names_statements_as_the_cassette_does() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("tape");
    let recorder = recorder(&directory);
    let a = connected(&recorder, "shop");
    record_type_info(&recorder, a, 1, "varchar");
    recorder.command(&run(a, 2, "SELECT 1")).unwrap();
    recorder.disconnect(a).unwrap();
    let player = player(&directory);
    let a = player.connect(&connect(A, "shop")).unwrap().connection;
    let mismatch = player.command(&run(a, 1, "SELECT 2")).unwrap_err();
    assert!(mismatch.headline.contains("(a/2)"), "{}", mismatch.headline);
    assert!(!mismatch.report.contains("recorded on"), "it is the same statement:\n{}", mismatch.report);
    assert_eq!(mismatch.command, Some(4), "connect, type information, its rows, the statement");
}

#[test]
fn another_question_or_another_driver_has_no_answer() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("tape");
    let recorder = recorder(&directory);
    let a = connected(&recorder, "shop");
    record_type_info(&recorder, a, 1, "varchar");
    let b = recorder.connection();
    recorder.command(&connect(b, "stock").with(Key::Library, "libother.so")).unwrap();
    recorder.command(&run(b, 1, "SELECT 1")).unwrap();
    recorder.disconnect(a).unwrap();
    recorder.disconnect(b).unwrap();
    let player = play(&directory, Some(Order::Connection)).unwrap();
    let a = player.connect(&connect(A, "shop")).unwrap().connection;
    let b = player.connect(&connect(B, "stock")).unwrap().connection;
    assert!(player.has_result_answer(&type_info(a, 1, 12)));
    assert!(!player.has_result_answer(&type_info(a, 1, 4)), "another type");
    assert!(!player.has_result_answer(&type_info(b, 1, 12)), "another driver");
    let mismatch = player.command(&type_info(b, 1, 12)).unwrap_err();
    assert!(mismatch.headline.contains("got catalog SQLGetTypeInfo"), "{}", mismatch.headline);
}

/// pyodbc reads the first row for itself; the program asks the same and reads them all.
#[test]
fn the_one_that_was_read_furthest_is_served() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("tape");
    let recorder = recorder(&directory);
    let a = connected(&recorder, "shop");
    recorder.command(&type_info(a, 1, 12)).unwrap();
    let first = recorder.run(a, 1, true);
    row(&first, &["varchar", "12"]);
    first.lock().end(false).unwrap();
    recorder.note(&drop_of(a, 1)).unwrap();
    record_type_info(&recorder, a, 2, "varchar");
    recorder.disconnect(a).unwrap();
    let player = player(&directory);
    let a = player.connect(&connect(A, "shop")).unwrap().connection;
    for number in 0..2 {
        assert_eq!(served(&player, a, number), [["varchar", "12"], ["text", "-1"]]);
    }
}

fn info(number: i32, result: &str) -> Fields {
    [(Key::Function, "SQLGetInfo".into()), (Key::Info, number.into()), (Key::Result, result.into())].into()
}

/// What was asked in one cassette goes into the next one of the process, and stands alone there.
#[test]
fn a_further_cassette_of_the_process_has_what_was_asked_before() {
    let parent = tempfile::tempdir().unwrap();
    let known = std::sync::Arc::new(KnownAnswers::default());
    let shared = |name: &str| {
        let recorder = recorder(&parent.path().join(name));
        recorder.share(std::sync::Arc::clone(&known));
        recorder
    };
    let connect_to = |recorder: &std::sync::Arc<Recorder>, dsn: &str| {
        let connection = connected(recorder, dsn);
        let mut used = 0;
        let statement = || {
            used += 1;
            used
        };
        recorder.adopt(connection, statement).unwrap();
        (connection, used)
    };

    let first = shared("first");
    let (a, used) = connect_to(&first, "shop");
    assert_eq!(used, 0, "nothing is known");
    first.info(a, info(17, "SQLite")).unwrap();
    first.info(a, info(18, "3.40")).unwrap();
    record_type_info(&first, a, 1, "varchar");
    first.command(&run(a, 2, "SELECT 1")).unwrap();
    first.disconnect(a).unwrap();

    let second = shared("second");
    let (a, used) = connect_to(&second, "shop");
    assert_eq!(used, 1);
    // a reply that is another one now counts from here on
    second.info(a, info(18, "3.41")).unwrap();
    second.command(&run(a, 2, "SELECT 2")).unwrap();
    let (b, used) = connect_to(&second, "shop");
    assert_eq!(used, 0, "the first connection has it for both");
    second.disconnect(a).unwrap();
    second.disconnect(b).unwrap();
    let (other, used) = connect_to(&shared("third"), "stock");
    assert_eq!((other, used), (A, 0), "other connect arguments, other answers");

    let (one, two) = (files(&parent.path().join("first")), files(&parent.path().join("second")));
    assert_eq!(one["a_info.yml"], two["a_info.yml"]);
    assert_eq!(one["a_1_fetch_all.csv"], two["a_1_fetch_all.csv"]);
    let player = player(&parent.path().join("second"));
    let a = player.connect(&connect(A, "shop")).unwrap().connection;
    let told = |number: i32| {
        let answer = player.info(a, &[(Key::Info, number.into())]).unwrap().unwrap();
        answer.get(Key::Result).and_then(Value::as_text).map(str::to_owned)
    };
    assert_eq!(told(17).as_deref(), Some("SQLite"));
    assert_eq!(told(18).as_deref(), Some("3.41"));
    assert_eq!(served(&player, a, 0), [["varchar", "12"], ["text", "-1"]]);
    player.command(&run(a, 1, "SELECT 2")).unwrap();
}

/// A recorder for which a pool's ping is an answer, and the player of what it records.
fn with_pings(directory: &std::path::Path) -> std::sync::Arc<Recorder> {
    let rules = AnswerRules::new(["^select 1$", "(?i)version"]).unwrap();
    let mut options = options(directory);
    options.metadata.answers = rules.patterns().map(str::to_owned).collect();
    let recorder = Recorder::open(options).unwrap();
    recorder.share(Default::default());
    recorder.answers(rules);
    recorder
}

#[test]
fn a_read_that_is_named_is_served_as_often_as_asked() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("tape");
    let recorder = with_pings(&directory);
    let a = connected(&recorder, "shop");
    for statement in [1, 2] {
        recorder.command(&run(a, statement, "select 1")).unwrap();
        result(&recorder, a, statement, &[&["1"]]);
        recorder.note(&drop_of(a, statement)).unwrap();
    }
    recorder.command(&run(a, 3, "select name from fruit")).unwrap();
    recorder.command(&Entry::new(Method::Prepare, a, Some(4)).with(Key::Sql, "SELECT VERSION()")).unwrap();
    recorder.command(&Entry::new(Method::Execute, a, Some(4))).unwrap();
    result(&recorder, a, 4, &[&["15.3"]]);
    recorder.disconnect(a).unwrap();

    let player = player(&directory);
    let a = player.connect(&connect(A, "shop")).unwrap().connection;
    let prepare = Entry::new(Method::Prepare, a, Some(FIRST_RESULT_ANSWER)).with(Key::Sql, "SELECT VERSION()");
    assert!(player.has_result_answer(&prepare) && !player.has_result_answer(&run(a, 1, "SELECT VERSION()")));
    player.command(&prepare).unwrap();
    for _ in 0..3 {
        player.command(&Entry::new(Method::Execute, a, Some(FIRST_RESULT_ANSWER))).unwrap();
        assert_eq!(fetch_all(&player, a, FIRST_RESULT_ANSWER), [["15.3"]]);
    }
    for number in 1..5 {
        player.command(&run(a, FIRST_RESULT_ANSWER + number, "select 1")).unwrap();
        assert_eq!(fetch_all(&player, a, FIRST_RESULT_ANSWER + number), [["1"]]);
    }
    player.command(&run(a, 1, "select name from fruit")).unwrap();
    assert_eq!(player.unplayed().unwrap(), []);
}

#[test]
fn a_named_read_that_gives_another_result_fails_the_recording() {
    let parent = tempfile::tempdir().unwrap();
    for (rows, fails) in [(["1", "2"], true), (["1", "1"], false)] {
        let recorder = with_pings(&parent.path().join(rows.concat()));
        let a = connected(&recorder, "shop");
        let mut outcomes = Vec::new();
        for (statement, row_text) in (1..).zip(rows) {
            recorder.command(&run(a, statement, "select 1")).unwrap();
            let reading = recorder.run(a, statement, true);
            row(&reading, &[row_text]);
            outcomes.push(reading.lock().end(true));
        }
        assert_eq!(outcomes[0], Ok(()));
        assert_eq!(outcomes[1].is_err(), fails, "{rows:?}");
        if let Err(error) = &outcomes[1] {
            let told = error.to_string();
            assert!(told.contains("`select 1` gives other rows than before") && told.contains("super8.yml"), "{told}");
        }
    }
}
