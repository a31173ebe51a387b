//! Rows fetched and changed elsewhere than one after the other: what a replayed program that goes elsewhere is told, and what
//! the cassette says.

use super8_tests::cassette_files::commands;
use super8_tests::compare::assert_same;
use super8_tests::driver::Driver;
use super8_tests::format::{Format, in_both_formats};
use super8_tests::outcome::Outcome;
use super8_tests::program::Program;
use super8_tests::ways::{Stage, Way};

/// Records a program with the argument `same`, and replays it with others on the same cassette.
fn refused(format: Format, source: &'static str, driver: Driver, changes: &[(&'static str, &[&str])]) -> Stage {
    let stage = Stage::new("elsewhere", driver).in_format(format);
    let same = Program::c(source).with_argument("same");
    let recorded = stage.run(Way::Record, &same);
    same.check("record", &recorded);
    let replayed = stage.run(Way::Replay, &same);
    assert_eq!(recorded.text(), replayed.text(), "replayed without a change");
    for (argument, words) in changes {
        let replayed = stage.run(Way::Replay, &Program::c(source).with_argument(*argument));
        told(argument, &replayed, words);
    }
    stage
}

/// Panics unless the program was told what differs.
fn told(argument: &str, replayed: &Outcome, words: &[&str]) {
    let text = replayed.text();
    let line = text.lines().find(|line| line.contains("[super8] replay"));
    let line = line.unwrap_or_else(|| panic!("another {argument} went through:\n{text}"));
    assert!(line.contains("[HY000]"), "{line}");
    for word in words {
        assert!(line.contains(word), "{argument}: `{word}` is not in: {line}");
    }
}

#[test]
fn another_scroll_is_refused() {
    in_both_formats(|format| {
        let changes: &[(&str, &[&str])] = &[
            ("offset", &["offset differs: recorded 4, asked 5"]),
            ("orientation", &["orientation differs", "first", "last"]),
            ("rowset", &["rowset differs: recorded 2, asked 3"]),
            ("scroll", &["relative"]),
            ("bookmark", &["bookmark differs"]),
        ];
        let stage = refused(format, "scroll.c", Driver::Sqlite, changes);
        let log = commands(&stage.cassette());
        assert!(log.contains("orientation: absolute\n  offset: 4\n  rowset: 2\n"), "{log}");
        assert!(log.contains("bookmark: \"\\\\x"), "{log}");
    });
}

#[test]
fn another_positioned_change_is_refused() {
    in_both_formats(|format| {
        let changes: &[(&str, &[&str])] = &[
            ("value", &["values", "changed", "other"]),
            ("row", &["row differs: recorded 2, asked 1"]),
            ("operation", &["operation differs", "update", "delete"]),
            ("piece", &["in pieces", "in peaces"]),
        ];
        let stage = refused(format, "positioned.c", Driver::PostgresUnicode, changes);
        let log = commands(&stage.cassette());
        assert!(log.contains("- method: set_pos\n") && log.contains("operation: update\n  row: 2\n"), "{log}");
    });
}

/// Rows read in other blocks, pieces and C types than they were recorded in are what the driver would have given.
#[test]
fn rows_read_otherwise_than_recorded() {
    in_both_formats(|format| {
        for driver in [Driver::Sqlite, Driver::PostgresUnicode, Driver::MariaDb] {
            let stage = Stage::new("read_otherwise", driver).in_format(format);
            let program = |way: &'static str| Program::c("read_otherwise.c").with_argument(way);
            let recorded = stage.run(Way::Record, &program("one by one"));
            program("one by one").check("record", &recorded);
            for way in ["blocks", "whole", "small", "types"] {
                let bare = stage.run(Way::Bare, &program(way));
                let replayed = stage.run(Way::Replay, &program(way));
                assert_same(&format!("{way} over {}", driver.library()), ("bare", &bare), ("replay", &replayed));
            }
        }
    });
}

/// A row with an error is an error, whatever is to be said of its other columns.
#[test]
fn the_worst_outcome_of_a_row_counts() {
    in_both_formats(|format| {
        let stage = Stage::new("read_wrong", Driver::PostgresUnicode).in_format(format);
        let program = |way: &'static str| Program::c("read_otherwise.c").with_argument(way);
        program("one by one").check("record", &stage.run(Way::Record, &program("one by one")));
        let replayed = stage.run(Way::Replay, &program("wrong")).text();
        // -3 has NULLs, and the others a text that is no number and a date that is cut off
        let outcomes: Vec<&str> = replayed.lines().filter_map(|line| line.strip_prefix("fetch -> ")).collect();
        let one_by_one = ["SUCCESS", "ERROR", "ERROR", "ERROR", "ERROR", "NO_DATA"];
        assert_eq!(outcomes, [&one_by_one[..], &["SUCCESS_WITH_INFO", "NO_DATA"]].concat(), "{replayed}");
        assert!(replayed.contains("states 5 77 77 77 77") && replayed.contains("states 0 5 5 5 5"), "{replayed}");
        for state in ["[22018]", "[01004]"] {
            assert_eq!(replayed.matches(state).count(), 8, "{state}: {replayed}");
        }
    });
}
