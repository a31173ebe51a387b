//! Answers, columns and facts: served as often as asked, in any order, within their scope.

use crate::support::*;
use super8_cassette::{ConnectionId, Entry, Fields, Key, Method, PendingColumns, Value};
use super8_matching::Fetched;

fn columns(names: &[(&str, Option<i32>)]) -> Value {
    let column = |(name, length): &(&str, Option<i32>)| {
        let length = length.map(|length| ("length".to_owned(), Value::from(length)));
        Value::Map([("name".to_owned(), Value::from(*name))].into_iter().chain(length).collect())
    };
    Value::List(names.iter().map(column).collect())
}

#[test]
fn the_answer_in_force() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    let recorder = recorder(&directory);
    let a = connected(&recorder, "shop");
    let count = |number: i32| Entry::new(Method::RowCount, a, Some(1)).with(Key::Result, number);
    let attribute = |name: &str, value: i32| {
        Entry::new(Method::Answer, a, Some(1))
            .with(Key::Function, "SQLGetStmtAttr")
            .with(Key::Attribute, name)
            .with(Key::Result, value)
    };
    let execute = || Entry::new(Method::Execute, a, Some(1));
    recorder.command(&Entry::new(Method::Prepare, a, Some(1)).with(Key::Sql, "SELECT 1")).unwrap();
    recorder.command(&execute()).unwrap();
    recorder.note(&count(-1)).unwrap();
    let open = recorder.run(a, 1, true);
    row(&open, &["1"]);
    recorder.note(&attribute("SQL_ATTR_ROW_NUMBER", 1)).unwrap();
    row(&open, &["2"]);
    open.lock().end(true).unwrap();
    recorder.note(&count(2)).unwrap();
    recorder.note(&attribute("SQL_ATTR_ROW_NUMBER", 0)).unwrap();
    recorder.command(&execute()).unwrap();
    recorder.note(&attribute("SQL_ATTR_MAX_ROWS", 7)).unwrap();
    recorder.disconnect(a).unwrap();

    let player = player(&directory);
    player.connect(&connect(A, "shop")).unwrap();
    let counted = || {
        player
            .answer(a, Some(1), Method::RowCount, &[Fields::new()], &[Fields::new()])
            .unwrap()
            .and_then(|entry| entry.get(Key::Result)?.as_int())
    };
    let told = |name: &str| {
        let key = [Fields::from([(Key::Attribute, Value::from(name))])];
        player
            .answer(a, Some(1), Method::Answer, &key, &key)
            .unwrap()
            .and_then(|entry| entry.get(Key::Result)?.as_int())
    };
    assert_eq!((counted(), told("SQL_ATTR_MAX_ROWS")), (Some(-1), Some(7)), "else the next one");
    player.command(&Entry::new(Method::Prepare, a, Some(1)).with(Key::Sql, "SELECT 1")).unwrap();
    player.command(&execute()).unwrap();
    assert_eq!((counted(), counted()), (Some(-1), Some(-1)));
    let Fetched::Rows(mut open) = player.fetch(a, 1).unwrap() else { panic!("no rows") };
    open.next().unwrap();
    assert_eq!((counted(), told("SQL_ATTR_ROW_NUMBER")), (Some(-1), Some(1)), "rows are left");
    open.next().unwrap();
    assert!(open.ended());
    assert_eq!((counted(), told("SQL_ATTR_ROW_NUMBER")), (Some(2), Some(0)), "all rows are read");
    player.command(&execute()).unwrap();
    assert_eq!((counted(), told("SQL_ATTR_MAX_ROWS")), (Some(2), Some(7)), "it did not change");
    assert_eq!(told("SQL_ATTR_QUERY_TIMEOUT"), None);
    player.housekeeping(&drop_of(a, 1));
    assert_eq!(counted(), Some(2), "what is kept for a statement can be read again");
}

#[test]
fn what_changed_about_a_connection_holds_from_there_on() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    let recorder = recorder(&directory);
    let a = connected(&recorder, "shop");
    let set = |value: i32| {
        Entry::new(Method::SetConnectAttr, a, None).with(Key::Attribute, "autocommit").with(Key::Value, value)
    };
    let question = (Key::Attribute, Value::from(102));
    let told = |value: i32| Fields::from([question.clone(), (Key::Result, Value::from(value))]);
    for value in [1, 1] {
        recorder.info(a, told(value)).unwrap();
    }
    for value in [0, 1] {
        recorder.command(&set(value)).unwrap();
        recorder.info(a, told(value)).unwrap();
    }
    recorder.disconnect(a).unwrap();

    let player = player(&directory);
    player.connect(&connect(A, "shop")).unwrap();
    let ask = || player.info(a, &[(Key::Attribute, Value::from(102))]).unwrap()?.get(Key::Result)?.as_int();
    assert_eq!((ask(), ask(), ask()), (Some(1), Some(1), Some(1)), "as often as it is asked");
    player.command(&set(0)).unwrap();
    assert_eq!((ask(), ask()), (Some(0), Some(0)));
    player.command(&set(1)).unwrap();
    assert_eq!((ask(), ask()), (Some(1), Some(1)));
}

#[test]
fn the_columns_of_the_current_result() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    let recorder = recorder(&directory);
    let a = connected(&recorder, "shop");
    let execute = || Entry::new(Method::Execute, a, Some(1));
    let more = || Entry::new(Method::MoreResults, a, Some(1)).with(Key::Result, true);
    recorder.command(&Entry::new(Method::Prepare, a, Some(1)).with(Key::Sql, "SELECT 1")).unwrap();
    recorder.command(&execute()).unwrap();
    recorder.columns(a, 1, &columns(&[("x", None), ("y", None)])).unwrap();
    recorder.columns(a, 1, &columns(&[("x", Some(4))])).unwrap();
    recorder.command(&more()).unwrap();
    recorder.columns(a, 1, &columns(&[("z", None)])).unwrap();
    recorder.command(&execute()).unwrap();
    recorder.command(&more()).unwrap();
    recorder.disconnect(a).unwrap();
    assert_eq!(names(&directory)[..3], ["a_1_columns.yml", "a_1_columns_2.yml", "a_1_columns_3.yml"]);

    let player = player(&directory);
    player.connect(&connect(A, "shop")).unwrap();
    let now = || player.columns(a, 1).unwrap().map(|columns| (*columns).clone());
    let both = Some(columns(&[("x", Some(4)), ("y", None)]));
    player.command(&Entry::new(Method::Prepare, a, Some(1)).with(Key::Sql, "SELECT 1")).unwrap();
    assert_eq!(now(), both, "asked earlier than recorded");
    player.command(&execute()).unwrap();
    assert_eq!(now(), both);
    player.command(&Entry::new(Method::MoreResults, a, Some(1))).unwrap();
    assert_eq!(now(), Some(columns(&[("z", None)])));
    player.command(&execute()).unwrap();
    assert_eq!(now(), both, "the first result of the same text");
    player.command(&Entry::new(Method::MoreResults, a, Some(1))).unwrap();
    assert_eq!(now(), None, "never asked");
    assert_eq!(player.columns(a, 2).unwrap(), None);
}

#[test]
fn facts_that_change() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    let recorder = recorder(&directory);
    let fact = |result: &str| Fields::from([(Key::Info, Value::from(16)), (Key::Result, Value::from(result))]);
    let a = connected(&recorder, "shop");
    let b = connected(&recorder, "shop");
    let c = connected(&recorder, "store");
    let d = connected(&recorder, "shop");
    for (connection, result) in
        [(a, "one"), (a, "two"), (a, "two"), (b, "one"), (b, "three"), (a, "one"), (c, "other"), (d, "four")]
    {
        recorder.info(connection, fact(result)).unwrap();
    }
    recorder.publish().unwrap();
    assert_eq!(names(&directory)[..3], ["a_info.yml", "c_info.yml", "commands.yml"]);
    let player = player(&directory);
    let told = |connection| {
        let answer = player.info(connection, &[(Key::Info, 16.into())]).unwrap()?;
        answer.get(Key::Result)?.as_text().map(str::to_owned)
    };
    for (id, dsn) in [(A, "shop"), (ConnectionId(1), "shop"), (ConnectionId(2), "store"), (ConnectionId(3), "shop")] {
        player.connect(&connect(id, dsn)).unwrap();
    }
    let four =
        |connection| [told(connection), told(connection), told(connection), told(connection)].map(Option::unwrap);
    assert_eq!(four(a), ["one", "two", "two", "one"]);
    assert_eq!(four(b), ["one", "three", "three", "three"]);
    assert_eq!(four(c), ["other"; 4]);
    assert_eq!(four(d), ["four"; 4], "what it was told first is not what the file says");
}

#[test]
fn columns_that_were_gathered_and_never_written() {
    use std::sync::{Arc, Mutex, Weak};

    struct Statement(ConnectionId, u32, Mutex<Option<Value>>);
    impl PendingColumns for Statement {
        fn connection(&self) -> ConnectionId {
            self.0
        }
        fn take(&self) -> Option<(u32, Value)> {
            Some((self.1, self.2.lock().unwrap().take()?))
        }
    }

    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    let recorder = recorder(&directory);
    let (a, b) = (connected(&recorder, "shop"), connected(&recorder, "shop"));
    let of = |connection, name| {
        let place = Arc::new(Statement(connection, 1, Mutex::new(Some(columns(&[(name, None)])))));
        recorder.command(&Entry::new(Method::Run, connection, Some(1)).with(Key::Sql, "SELECT 1")).unwrap();
        let weak: Weak<Statement> = Arc::downgrade(&place);
        recorder.gathering(weak);
        place
    };
    let kept = (of(a, "one"), of(b, "two"));
    recorder.command(&Entry::new(Method::Commit, a, None)).unwrap();
    recorder.publish().unwrap();
    assert!(kept.0.2.lock().unwrap().is_none() && kept.1.2.lock().unwrap().is_none(), "both are written");
    let log = std::fs::read_to_string(directory.join("commands.yml")).unwrap();
    let place = |text: &str| log.find(text).unwrap_or_else(|| panic!("{text} is not in\n{log}"));
    assert!(place("a_1_columns.yml") < place("method: commit") && place("method: commit") < place("b_1_columns.yml"));
}

/// Of a function of which nothing was recorded nobody has to look anything up; one in an info file, or in the log, is known.
#[test]
fn outcomes_are_looked_up_where_one_of_the_function_is_recorded() {
    let key = |function: &'static str| [(Key::Function, Value::from(function)), (Key::Column, Value::from(1))];
    let said = |text: &str| Some(Fields::from([(Key::Result, Value::from(text))]));
    let parent = tempfile::tempdir().unwrap();
    for trace in [false, true] {
        let recorder = if trace { tracer(parent.path()) } else { recorder(&parent.path().join("d")) };
        let connection = connected(&recorder, "shop");
        recorder.outcome(connection, &key("SQLBindCol"), said("first"), None).unwrap();
        recorder.outcome(connection, &key("SQLAllocHandle"), None, None).unwrap();
        recorder.command(&run(connection, 1, "SELECT 1")).unwrap();
        recorder.outcome(connection, &key("SQLAllocHandle"), said("changed"), None).unwrap();
        recorder.outcome(connection, &key("SQLCancel"), None, None).unwrap();
        recorder.disconnect(connection).unwrap();
        let player = if trace { play_trace(parent.path()).unwrap() } else { player(&parent.path().join("d")) };
        assert!(
            player.has_answers_of("SQLBindCol")
                && player.has_answers_of("SQLAllocHandle")
                && !player.has_answers_of("SQLCancel")
        );
        player.connect(&connect(A, "shop")).unwrap();
        let told = |function| {
            let told = player.outcome(A, &key(function)).unwrap();
            told.and_then(|told| told.get(Key::Result).and_then(Value::as_text).map(str::to_owned))
        };
        assert_eq!(
            (told("SQLBindCol").as_deref(), told("SQLAllocHandle"), told("SQLCancel")),
            (Some("first"), None, None)
        );
        player.command(&run(A, 1, "SELECT 1")).unwrap();
        assert_eq!(told("SQLAllocHandle").as_deref(), Some("changed"));
        assert!(player.has(Method::Run) && !player.has(Method::RowCount));
        assert_eq!(player.answer(A, Some(1), Method::RowCount, &[Fields::new()], &[Fields::new()]).unwrap(), None);
    }
}
