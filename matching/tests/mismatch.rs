//! A program that asks for something else than was recorded: what it is told.

use std::path::Path;

use crate::support::*;
use super8_cassette::{Entry, Key, Method, Order, Value, open_directory};
use super8_matching::{Fetched, Mismatch, MismatchKind, Player};

/// Two connections, taking turns.
fn record(directory: &Path) {
    let recorder = recorder(directory);
    let a = connected(&recorder, "shop");
    let b = connected(&recorder, "store");
    recorder.command(&run(a, 1, "SELECT 1").with(Key::Params, vec![1, 2, 3])).unwrap();
    result(&recorder, a, 1, &[&["1"], &["2"], &["3"]]);
    recorder.command(&run(b, 1, "SELECT id\nFROM t\nWHERE id = 5\nORDER BY id")).unwrap();
    recorder.command(&Entry::new(Method::Prepare, a, Some(2)).with(Key::Sql, "SELECT ?")).unwrap();
    recorder.command(&Entry::new(Method::Execute, a, Some(2)).with(Key::Params, vec![1])).unwrap();
    recorder.command(&Entry::new(Method::Commit, b, None)).unwrap();
    recorder.disconnect(a).unwrap();
    recorder.disconnect(b).unwrap();
}

fn opened(directory: &Path, order: Order) -> std::sync::Arc<Player> {
    let player = play(directory, Some(order)).unwrap();
    player.connect(&connect(A, "shop")).unwrap();
    player.connect(&connect(A, "store")).unwrap();
    player
}

fn refused<T>(result: Result<T, Mismatch>) -> Mismatch {
    let mismatch = result.map(|_| ()).unwrap_err();
    assert!(mismatch.headline.len() <= 500, "{}", mismatch.headline);
    assert!(mismatch.headline.starts_with("[super8] replay: "), "{}", mismatch.headline);
    assert!(mismatch.headline.ends_with("; see stderr"), "{}", mismatch.headline);
    assert!(!mismatch.headline.contains('\n'));
    mismatch
}

fn first(player: &Player) {
    player.command(&run(A, 1, "SELECT 1").with(Key::Params, vec![1, 2, 3])).unwrap();
}

#[test]
fn a_parameter_differs() {
    let parent = tempfile::tempdir().unwrap();
    record(&parent.path().join("x"));
    let player = opened(&parent.path().join("x"), Order::Global);
    let told = refused(player.command(&run(A, 1, "SELECT 1").with(Key::Params, vec![1, 2, 4])));
    assert_eq!(told.kind, MismatchKind::Differs);
    let expected =
        r#"x (a/1): expected run "SELECT 1", got run "SELECT 1"; parameter 3 differs: recorded 3, asked 4; see stderr"#;
    assert!(told.headline.contains("command 3 of ") && told.headline.ends_with(expected), "{}", told.headline);
    let report = &told.report;
    for part in [
        "[super8] replay mismatch: differs\n",
        "commands.yml:9\n",
        "order: global\n",
        "\nexpected:\n- method: run\n  connection_id: a\n  statement_id: 1\n  sql: \"SELECT 1\"\n  params: [1, 2, 3]\n",
        "\nasked:\n- method: run\n",
        "difference: parameter 3 differs: recorded 3, asked 4\n",
        "\n- - 3\n+ - 4\n",
        "[-3-]{+4+}",
        "\n>     3  line 9      a/1    run \"SELECT 1\"\n",
        "\n      2  line 5      b      connect to store\n",
        "\n      4  line ",
        "nearest that would match: none",
        "order: connection would not have passed",
        "SUPER8_MODE=record SUPER8_CASSETTE=",
    ] {
        assert!(report.contains(part), "{part:?} is not in\n{report}");
    }
    // the first mismatch sticks, whatever comes
    let again = refused(player.command(&run(A, 1, "SELECT 1").with(Key::Params, vec![1, 2, 3])));
    assert!(again.repeated && !told.repeated);
    assert_eq!(again.headline, told.headline);
    assert_eq!(refused(player.fetch(A, 1)).headline, told.headline);
    assert_eq!(refused(player.connect(&connect(A, "shop"))).headline, told.headline);
}

#[test]
fn sql_differs_by_a_word() {
    let parent = tempfile::tempdir().unwrap();
    record(&parent.path().join("x"));
    let player = opened(&parent.path().join("x"), Order::Global);
    first(&player);
    assert_eq!(fetch_all(&player, A, 1).len(), 3);
    let told = refused(player.command(&run(B, 1, "SELECT id\nFROM t\nWHERE id = 6\nORDER BY id")));
    assert_eq!(told.kind, MismatchKind::Differs);
    assert!(told.headline.contains("sql differs at character 29: recorded "), "{}", told.headline);
    assert!(told.report.contains("\n- WHERE id = 5\n+ WHERE id = 6\n"), "{}", told.report);
    assert!(told.report.contains("WHERE id = [-5-]{+6+}\nORDER BY id"), "{}", told.report);
}

#[test]
fn a_long_statement_shows_the_place_that_differs() {
    let parent = tempfile::tempdir().unwrap();
    // a name that fills half of the line, and text of two and three bytes a character
    let directory = parent.path().join("d".repeat(200)).join("e".repeat(100));
    let sql = |name: &str| format!("SELECT {} {name} {}", "\u{e4}, \n ".repeat(2_000), "\u{65e5}".repeat(9_000));
    let recorder = recorder(&directory);
    let a = connected(&recorder, "shop");
    recorder.command(&run(a, 1, &sql("left"))).unwrap();
    recorder.disconnect(a).unwrap();
    let player = player(&directory);
    player.connect(&connect(A, "shop")).unwrap();
    let told = refused(player.command(&run(a, 1, &sql("right"))));
    assert!(told.headline.contains("sql differs at character 10009"), "{}", told.headline);
    assert!(told.headline.contains("left") && told.headline.contains("right"), "{}", told.headline);
    assert!(told.headline.contains("eee (a/1): "), "the end of the path: {}", told.headline);
}

#[test]
fn out_of_order_says_where_it_is() {
    let parent = tempfile::tempdir().unwrap();
    record(&parent.path().join("x"));
    let player = opened(&parent.path().join("x"), Order::Global);
    let told = refused(player.command(&run(B, 1, "SELECT id\nFROM t\nWHERE id = 5\nORDER BY id")));
    assert_eq!(told.kind, MismatchKind::OutOfOrder);
    assert!(
        told.headline.contains(" on b/1; that is command 5 (b/1); order: connection would have passed"),
        "{}",
        told.headline
    );
    assert!(told.report.contains("nearest that would match: command 5 (b/1), "), "{}", told.report);
    assert!(told.report.contains("SUPER8_ORDER=connection"), "{}", told.report);
    // and it does pass
    let player = opened(&parent.path().join("x"), Order::Connection);
    player.command(&run(B, 1, "SELECT id\nFROM t\nWHERE id = 5\nORDER BY id")).unwrap();
    first(&player);
    // but not what is out of order inside a connection
    let told = refused(player.command(&Entry::new(Method::Prepare, A, Some(2)).with(Key::Sql, "SELECT ?")));
    assert_eq!(told.kind, MismatchKind::FewerRows);
    assert!(
        told.headline.contains("expected 3 rows of a/1 to be read, got prepare \"SELECT ?\" on a/2"),
        "{}",
        told.headline
    );
}

#[test]
fn rows_have_to_be_read() {
    let parent = tempfile::tempdir().unwrap();
    record(&parent.path().join("x"));
    let player = opened(&parent.path().join("x"), Order::Global);
    first(&player);
    let Fetched::Rows(mut rows) = player.fetch(A, 1).unwrap() else { panic!("no rows") };
    rows.next().unwrap();
    let left: Vec<_> = player.unplayed().unwrap().into_iter().map(|left| (left.number, left.summary)).collect();
    assert_eq!(left[0], (4, "fetch_all: only 1 rows were read".to_owned()));
    assert_eq!(left.len(), 5);
    let told = refused(player.command(&run(B, 1, "SELECT id\nFROM t\nWHERE id = 5\nORDER BY id")));
    assert!(
        told.headline.contains("(a/1): reads fewer rows: expected 2 more rows of a/1 to be read, got run "),
        "{}",
        told.headline
    );
    assert!(told.report.contains("expected: 3 rows of a/1 to be read first; 1 were\n"), "{}", told.report);
}

#[test]
fn no_more_rows_than_recorded() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    let recorder = recorder(&directory);
    let a = connected(&recorder, "shop");
    recorder.command(&run(a, 1, "SELECT 1")).unwrap();
    let open = recorder.run(a, 1, true);
    row(&open, &["1"]);
    row(&open, &["2"]);
    // read no further
    recorder.command(&Entry::new(Method::Commit, a, None)).unwrap();
    recorder.disconnect(a).unwrap();
    let player = player(&directory);
    player.connect(&connect(A, "shop")).unwrap();
    player.command(&run(a, 1, "SELECT 1")).unwrap();
    let Fetched::Rows(mut open) = player.fetch(a, 1).unwrap() else { panic!("no rows") };
    assert_eq!(rows(&mut open), [["1"], ["2"]]);
    assert!(!open.ended());
    let told = refused(player.fetch(a, 1));
    assert_eq!(told.kind, MismatchKind::MoreRows);
    let expected =
        "(a): reads more rows: expected commit, got fetch on a/1; no more rows of a/1 are recorded here; see stderr";
    assert!(told.headline.ends_with(expected), "{}", told.headline);
}

/// What is asked of a connection of which none was recorded.
fn asked_in_addition(player: &Player) -> Mismatch {
    let more = player.connect(&connect(A, "shop")).unwrap().connection;
    refused(player.command(&run(more, 1, "SELECT 99")))
}

#[test]
fn exhausted_and_not_recorded() {
    let parent = tempfile::tempdir().unwrap();
    record(&parent.path().join("x"));
    let player = opened(&parent.path().join("x"), Order::Connection);
    // one connection more is no mismatch, as long as it is asked nothing
    let told = asked_in_addition(&player);
    assert_eq!(told.kind, MismatchKind::Exhausted);
    assert!(told.headline.contains("has no further connection that was asked anything: got run"), "{}", told.headline);
    let player = opened(&parent.path().join("x"), Order::Global);
    let told = refused(player.command(&Entry::new(Method::Catalog, A, Some(1)).with(Key::Function, "SQLTables")));
    assert_eq!(told.kind, MismatchKind::NotRecorded);
    assert!(told.headline.contains("got catalog SQLTables; nothing like it is recorded nearby"), "{}", told.headline);
    let told = refused(play(&parent.path().join("x"), None).unwrap().connect(&connect(A, "warehouse")));
    assert_eq!(told.kind, MismatchKind::Differs);
    assert!(
        told.headline.contains("dsn differs at character 1: recorded \"shop\", asked \"warehouse\""),
        "{}",
        told.headline
    );
}

#[test]
fn the_report_may_go_to_a_file() {
    let parent = tempfile::tempdir().unwrap();
    record(&parent.path().join("x"));
    let options = super8_matching::PlayOptions {
        report: Some("/var/log/super8.log".to_owned()),
        ..super8_matching::PlayOptions::default()
    };
    let told = Player::open(open_directory(&parent.path().join("x")).unwrap(), options)
        .unwrap()
        .command(&run(A, 1, "SELECT 1"))
        .unwrap_err();
    assert!(told.headline.ends_with("; see /var/log/super8.log"), "{}", told.headline);
}

#[test]
fn an_unreadable_entry_is_told_with_its_line() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    record(&directory);
    let log = directory.join("commands.yml");
    let text = std::fs::read_to_string(&log).unwrap();
    std::fs::write(&log, text.replace("  params: [1, 2, 3]\n", "  params: [1, 2\n")).unwrap();
    let player = opened(&directory, Order::Global);
    let told = refused(player.command(&run(A, 1, "SELECT 1")));
    assert_eq!(told.kind, MismatchKind::Unreadable);
    assert!(told.headline.contains("commands.yml:"), "{}", told.headline);
    std::fs::write(&log, text.replace("- method: commit\n", "- method: comit\n")).unwrap();
    let why = play(&directory, None).map(|_| ()).unwrap_err();
    assert!(why.line() > Some(7) && why.to_string().contains("comit"), "{why}");
}

#[test]
fn interleaved_connections_with_the_same_identity_are_taken_in_order() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    let recorder = recorder(&directory);
    for user in [Some("u"), None, Some("v"), Some("u")] {
        let connection = recorder.connection();
        let user = user.map(|user| ("user_hash".to_owned(), Value::from(user)));
        let result = Value::Map(user.into_iter().collect());
        recorder.command(&connect(connection, "shop").with(Key::Result, result)).unwrap();
    }
    recorder.publish().unwrap();
    let player = play(&directory, Some(Order::Connection)).unwrap();
    let claim = |user: Option<&str>| {
        let asked = connect(A, "shop");
        let asked = if let Some(user) = user { asked.with(Key::UserHash, user) } else { asked };
        player.recorded(player.connect(&asked).unwrap().connection).to_string()
    };
    assert_eq!([claim(Some("v")), claim(Some("u")), claim(Some("u")), claim(None)], ["c", "a", "d", "b"]);
}

/// Each kind of report as a file in `reports/`, for people to read. `SUPER8_BLESS=1` writes them anew.
#[test]
fn reports_are_as_they_were_blessed() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("shop");
    record(&directory);
    let reports = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reports");
    let check = |name: &str, order: Order, ask: &dyn Fn(&Player) -> Mismatch| {
        let player = opened(&directory, order);
        let told = ask(&player);
        let text = format!("{}\n\n{}", told.headline, told.report);
        let text = text.replace(&directory.display().to_string(), "cassettes/shop");
        let file = reports.join(format!("{name}.txt"));
        if std::env::var_os("SUPER8_BLESS").is_some() {
            std::fs::create_dir_all(&reports).unwrap();
            std::fs::write(&file, &text).unwrap();
        }
        let blessed = std::fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(text, blessed, "{name}: SUPER8_BLESS=1 accepts it");
    };
    let sql = |id: u32| format!("SELECT id\nFROM t\nWHERE id = {id}\nORDER BY id");
    check("differs_in_a_parameter", Order::Global, &|player| {
        refused(player.command(&run(A, 1, "SELECT 1").with(Key::Params, vec![1, 2, 4])))
    });
    check("differs_in_a_word", Order::Global, &|player| {
        first(player);
        fetch_all(player, A, 1);
        refused(player.command(&run(B, 1, &sql(6))))
    });
    check("out_of_order", Order::Global, &|player| refused(player.command(&run(B, 1, &sql(5)))));
    check("reads_fewer_rows", Order::Global, &|player| {
        first(player);
        let Fetched::Rows(mut rows) = player.fetch(A, 1).unwrap() else { panic!("no rows") };
        rows.next().unwrap();
        refused(player.command(&run(B, 1, &sql(5))))
    });
    check("reads_more_rows", Order::Connection, &|player| refused(player.fetch(B, 1).map(|_| ())));
    check("not_recorded", Order::Global, &|player| {
        refused(player.command(&Entry::new(Method::Catalog, A, Some(1)).with(Key::Function, "SQLTables")))
    });
    check("exhausted", Order::Connection, &|player| asked_in_addition(player));
}

#[test]
fn the_most_alike_command_is_shown_with_its_place_and_words() {
    let parent = tempfile::tempdir().unwrap();
    let recorder = recorder(&parent.path().join("x"));
    let a = connected(&recorder, "shop");
    let set = Entry::new(Method::SetConnectAttr, a, None).with(Key::Attribute, "autocommit").with(Key::Value, 0);
    recorder.command(&set).unwrap();
    recorder.command(&run(a, 1, "DELETE FROM basket")).unwrap();
    let sql = "SELECT name, price FROM fruit WHERE colour = ? AND price < ? ORDER BY name";
    recorder.command(&run(a, 2, sql).with(Key::Params, vec![Value::from("red"), 5.into()])).unwrap();
    recorder.command(&run(a, 3, "SELECT name FROM vegetables WHERE colour = ?")).unwrap();
    recorder.disconnect(a).unwrap();
    let opened = || {
        let player = player(&parent.path().join("x"));
        player.connect(&connect(A, "shop")).unwrap();
        player
    };
    let asked = "SELECT name, cost FROM fruit WHERE colour = ? AND cost < ? ORDER BY name";
    let asked = run(A, 1, asked).with(Key::Params, vec![Value::from("red"), 5.into()]);
    let told = refused(opened().command(&asked));
    assert_eq!(told.kind, MismatchKind::NotRecorded);
    assert!(told.headline.contains("; the most like it is command 4 (a/2); see "), "{}", told.headline);
    for part in [
        "nearest that would match: none",
        " %: command 4 (a/2), ",
        "x/commands.yml:13: run \"SELECT name, price",
        "\n  the same: method, params; another: sql\n",
        "SELECT name, [-price-]{+cost+} FROM fruit WHERE colour = ? AND [-price-]{+cost+} < ?",
    ] {
        assert!(told.report.contains(part), "{part:?} is not in\n{}", told.report);
    }
    // the expected one is the most alike: it is compared already
    let player = opened();
    player.command(&set).unwrap();
    let told = refused(player.command(&run(A, 1, "DELETE FROM basket WHERE id = 1")));
    assert!(!told.report.contains("the most like it"), "{}", told.report);
    // nothing is like it
    let told = refused(opened().command(&run(A, 1, "CREATE INDEX i ON t (x)")));
    assert!(told.headline.contains("nothing like it is recorded nearby"), "{}", told.headline);
    assert!(!told.report.contains("the most like it"), "{}", told.report);
}
