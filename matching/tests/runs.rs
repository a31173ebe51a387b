//! What a run says of its rows: C types, outcomes, widths; and what it does when it is edited by hand.

use std::fs;

use crate::support::*;
use super8_cassette::{Cell, Value};
use super8_matching::{Fetched, PlayedRun, Player};

fn opened(player: &Player) -> PlayedRun {
    player.connect(&connect(A, "shop")).unwrap();
    player.command(&run(A, 1, "SELECT 1")).unwrap();
    match player.fetch(A, 1).unwrap() {
        Fetched::Rows(rows) => rows,
        _ => panic!("no rows"),
    }
}

#[test]
fn a_row_may_be_taken_in_other_types_than_its_column() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    let recorder = recorder(&directory);
    let a = connected(&recorder, "shop");
    recorder.command(&run(a, 1, "SELECT 1")).unwrap();
    let open = recorder.run(a, 1, true);
    let types: [&[(usize, &str)]; 4] = [
        &[(0, "CHAR"), (0, "SLONG")],
        &[(0, "SLONG"), (2, "CHAR")],
        &[(0, "WCHAR"), (2, "CHAR")],
        &[(2, "WCHAR"), (2, "CHAR")],
    ];
    for (number, types) in types.iter().enumerate() {
        let mut guard = open.lock();
        guard.begin_row().unwrap();
        for (column, name) in *types {
            guard.row().set(*column, Cell::Plain(b"1"));
            guard.c_type(*column, *name);
        }
        if number == 2 {
            guard.outcome(Value::Map(vec![("return".to_owned(), "SQL_ERROR".into())]));
            guard.outcome(Value::Map(vec![("return".to_owned(), "SQL_SUCCESS_WITH_INFO".into())]));
        }
    }
    assert_eq!(open.lock().count(), 4);
    open.lock().end(true).unwrap();
    recorder.disconnect(a).unwrap();
    let files = files(&directory);
    // a row is as wide as what was read so far
    assert_eq!(files["a_1_fetch_all.csv"], "1\n1,\\-,1\n1,\\-,1\n\\-,\\-,1\n");
    let types = "  c_types: [SLONG, null, CHAR]\n";
    let odd = "  outcomes:\n    - row: 3\n      c_types:\n        \"1\": WCHAR\n      return: SQL_SUCCESS_WITH_INFO\n";
    assert!(files["commands.yml"].ends_with(&format!("{types}{odd}")), "{}", files["commands.yml"]);

    let player = player(&directory);
    let mut rows = opened(&player);
    let mut seen = Vec::new();
    while let Some(width) = rows.next().unwrap().map(csv::ByteRecord::len) {
        seen.push((
            width,
            rows.c_type(0).map(str::to_owned),
            rows.c_type(1).map(str::to_owned),
            rows.outcome().is_some(),
        ));
    }
    let long = Some("SLONG".to_owned());
    let expected = [
        (1, long.clone(), None, false),
        (3, long.clone(), None, false),
        (3, Some("WCHAR".to_owned()), None, true),
        (3, long, None, false),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn large_results_go_to_disk_in_blocks() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    let recorder = recorder(&directory);
    let a = connected(&recorder, "shop");
    let staged = super8_cassette::staging_directory(&directory);
    for (statement, ended) in [(1, false), (2, true)] {
        recorder.command(&run(a, statement, "SELECT 1")).unwrap();
        let open = recorder.run(a, statement, true);
        for _ in 0..3_000 {
            row(&open, &["x".repeat(99).as_str()]);
        }
        let so_far = fs::metadata(staged.join(format!("a_{statement}_fetch_all.csv"))).unwrap().len();
        assert!((200_000..300_000).contains(&so_far), "{so_far}");
        open.lock().end(ended).unwrap();
    }
    recorder.disconnect(a).unwrap();
    assert_eq!(
        names(&directory),
        ["a_1_fetch_many.csv", "a_2_fetch_all.csv", "a_info.yml", "commands.yml", "metadata.yml"]
    );
    let player = player(&directory);
    assert_eq!(rows(&mut opened(&player)).len(), 3_000);
    player.command(&run(a, 2, "SELECT 1")).unwrap();
    assert_eq!(fetch_all(&player, a, 2).len(), 3_000);
}

#[test]
fn rows_that_do_not_fit_what_the_log_says_are_refused() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    let recorder = recorder(&directory);
    let a = connected(&recorder, "shop");
    recorder.command(&run(a, 1, "SELECT 1")).unwrap();
    let open = recorder.run(a, 1, true);
    ["1", "2", "3"].iter().for_each(|text| row(&open, &[text]));
    open.lock().end(false).unwrap();
    recorder.disconnect(a).unwrap();
    let log = directory.join("commands.yml");
    let text = fs::read_to_string(&log).unwrap();
    let told = |n: &str| {
        fs::write(&log, text.replace("  \"n\": 3\n", n)).unwrap();
        let player = player(&directory);
        let mut rows = opened(&player);
        loop {
            match rows.next() {
                Ok(Some(_)) => {}
                Ok(None) => return String::new(),
                Err(error) => return error.to_string(),
            }
        }
    };
    assert_eq!(told("  \"n\": 3\n"), "");
    assert_eq!(told("  n: 3\n"), "", "YAML 1.2 reads it as text");
    assert_eq!(told(""), "", "it may be left out");
    assert!(
        told("  \"n\": 4\n").contains("commands.yml:9: n says 4 rows, and there are only 3"),
        "{}",
        told("  \"n\": 4\n")
    );
    assert!(told("  \"n\": 2\n").contains("n says 2 rows, and there are more"), "{}", told("  \"n\": 2\n"));
    fs::remove_file(directory.join("a_1_fetch_many.csv")).unwrap();
    fs::write(&log, &text).unwrap();
    let player = player(&directory);
    player.connect(&connect(A, "shop")).unwrap();
    player.command(&run(A, 1, "SELECT 1")).unwrap();
    let why = player.fetch(A, 1).map(|_| ()).unwrap_err().headline;
    assert!(why.contains("commands.yml:13: rows_file: a_1_fetch_many.csv is not there; restore it"), "{why}");
}

/// What could not be read again is refused while it is recorded, and nothing is published.
#[test]
fn a_row_or_an_entry_of_64_mib_is_refused() {
    let long = "x".repeat(64 << 20);
    let parent = tempfile::tempdir().unwrap();
    for (rows, said) in [(0, "an entry of 6710"), (1, "an entry of 6710"), (2, "a row of 6710")] {
        let directory = parent.path().join(format!("x{rows}"));
        let recorder = recorder(&directory);
        let a = connected(&recorder, "shop");
        let asked = if rows == 0 { &long } else { "SELECT 1" };
        let refused = recorder.command(&run(a, 1, asked)).and_then(|()| {
            let open = recorder.run(a, 1, true);
            for number in 0..rows {
                let mut guard = open.lock();
                guard.begin_row()?;
                guard.row().set(0, Cell::Plain(if number == 0 { long.as_bytes() } else { b"1" }));
                guard.c_type(0, "CHAR");
            }
            open.lock().end(true)?;
            recorder.command(&run(a, 2, "SELECT 2"))
        });
        let refused = refused.unwrap_err();
        assert!(refused.to_string().contains(said), "{rows}: {refused}");
        assert!(recorder.command(&run(a, 3, "SELECT 3")).is_err(), "nothing goes on after it");
        recorder.disconnect(a).unwrap_err();
        assert!(!directory.exists());
    }
}
