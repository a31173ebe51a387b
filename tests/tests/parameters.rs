//! Parameters in a cassette: long arrays stand in a file of their own, values sent at execution are compared to the last
//! byte.

use super8_tests::cassette_files::{as_directory, commands, names};
use super8_tests::driver::Driver;
use super8_tests::format::{Format, in_both_formats};
use super8_tests::outcome::Outcome;
use super8_tests::program::Program;
use super8_tests::ways::{Stage, Way};

/// Records a program and replays it with the argument `changed`. (That it does the same bare, off, recorded and replayed is
/// tested among the C programs.)
fn changed(format: Format, source: &'static str, driver: Driver) -> (Stage, Outcome) {
    with_argument(format, source, driver, "changed")
}

/// The same with another argument.
fn with_argument(format: Format, source: &'static str, driver: Driver, argument: &'static str) -> (Stage, Outcome) {
    let stage = Stage::new(&format!("changed_{source}"), driver).in_format(format);
    let program = Program::c(source);
    program.check("record", &stage.run(Way::Record, &program));
    let replayed = stage.run(Way::Replay, &Program::c(source).with_argument(argument));
    (stage, replayed)
}

/// The first diagnostic of super8's.
fn refusal(outcome: &Outcome) -> String {
    let text = outcome.text();
    let line = text.lines().find(|line| line.contains("[super8]"));
    line.unwrap_or_else(|| panic!("super8 refused nothing:\n{text}")).to_owned()
}

#[test]
fn a_long_array_stands_in_a_file_and_is_compared_row_by_row() {
    in_both_formats(|format| {
        for driver in [Driver::Sqlite, Driver::PostgresUnicode, Driver::MariaDb] {
            let (stage, replayed) = changed(format, "long_array.c", driver);
            let (csv, rows) = as_directory(&stage.cassette(), |directory| {
                let files = names(directory);
                let csv = files.iter().find(|name| name.ends_with("_execute.csv"));
                let csv = csv.unwrap_or_else(|| panic!("no file of parameters in {files:?}"));
                (csv.clone(), std::fs::read_to_string(directory.join(csv)).unwrap_or_else(|error| panic!("{error}")))
            });
            assert!(csv.starts_with("a_"), "{csv}");
            let rows: Vec<&str> = rows.lines().collect();
            assert_eq!(rows.len(), 40, "{rows:#?}");
            assert_eq!((rows[0], rows[4], rows[6]), ("1,name 1", r"5,\N", r#"7,"a, ""b""""#));
            let log = commands(&stage.cassette());
            assert!(log.contains(csv.as_str()), "{log}");
            assert!(!log.contains("name 20"), "the values stand in the log as well:\n{log}");

            let refused = refusal(&replayed);
            for words in ["[HY000]", "parameter 2", "row 20"] {
                assert!(refused.contains(words), "`{words}` is not in: {refused}");
            }
            let report = replayed.errors();
            assert!(report.contains("name 20") && report.contains("another"), "which values?\n{report}");
        }
    });
}

#[test]
fn one_byte_in_ten_million_sent_at_execution() {
    in_both_formats(|format| {
        let (_, replayed) = changed(format, "at_execution.c", Driver::Sqlite);
        let refused = refusal(&replayed);
        assert!(refused.contains("[HY000]") && refused.contains("parameter 2"), "{refused}");
        assert!(replayed.errors().len() < 20_000, "a report of {} bytes", replayed.errors().len());
    });
}

/// What an execution sends may come from a descriptor that the application allocated and attached.
#[test]
fn one_value_behind_an_attached_descriptor() {
    in_both_formats(|format| {
        let (_, replayed) = changed(format, "descriptors.c", Driver::MariaDb);
        let refused = refusal(&replayed);
        assert!(refused.contains("[HY000]") && refused.contains("expected run"), "{refused}");
        assert!(replayed.errors().contains("parameter 1 differs: recorded 6, asked 4"), "{}", replayed.errors());
    });
}

/// The same structure under another scale of its descriptor is another number for drivers that go by the descriptor.
#[test]
fn the_scale_of_a_number_behind_its_descriptor() {
    in_both_formats(|format| {
        let (stage, replayed) = with_argument(format, "descriptors.c", Driver::MariaDb, "scale");
        let log = commands(&stage.cassette());
        assert!(log.contains("  params: [{NUMERIC: \"123.45 (10,2) by (10,1)\"}]\n"), "{log}");
        let refused = refusal(&replayed);
        assert!(refused.contains("[HY000]") && refused.contains("parameter 1"), "{refused}");
    });
}

/// A value that is sent and comes back is compared as it was sent.
#[test]
fn what_is_sent_in_both_directions_is_compared() {
    in_both_formats(|format| {
        let (stage, replayed) = changed(format, "outputs.c", Driver::MariaDb);
        let log = commands(&stage.cassette());
        assert!(log.contains("  params: [21]\n  result: [42]\n  c_types: [SLONG]\n"), "{log}");
        let refused = refusal(&replayed);
        assert!(refused.contains("[HY000]") && replayed.errors().contains("recorded 5, asked 50"), "{refused}");
    });
}
