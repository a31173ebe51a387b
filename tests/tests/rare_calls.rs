//! Calls that no packaged driver answers, over the test driver (`programs/test_driver`): connecting in steps, asynchronous
//! execution, output parameters that are read in pieces.

use super8_tests::cassette_files::{commands, files, leaks};
use super8_tests::driver::Driver;
use super8_tests::format::Format;
use super8_tests::outcome::Outcome;
use super8_tests::program::Program;
use super8_tests::ways::{Stage, Way, four_ways};

const BOTH: [Driver; 2] = [Driver::Test, Driver::TestAnsi];

/// A driver may write to the text that it is asked about, and super8 asks it with a copy and more room.
#[test]
fn a_text_that_the_driver_writes_to() {
    let drivers = [Driver::Sqlite, Driver::PostgresUnicode, Driver::PostgresAnsi, Driver::MariaDb];
    for driver in drivers.into_iter().chain(BOTH) {
        four_ways(&Program::c("native_sql.c"), driver);
    }
}

#[test]
fn the_test_driver_itself() {
    for driver in BOTH {
        four_ways(&Program::c("test_driver.c"), driver);
    }
}

/// Recorded are the rows that were counted, not what the upper half of the counter happens to hold.
#[test]
fn a_driver_that_writes_half_of_its_row_counter() {
    for driver in BOTH {
        four_ways(&Program::c("half_counter.c"), driver);
    }
}

/// A count that is larger than the rowset would send the program behind its arrays, and a cassette that says so is refused: recorded
/// is the rowset.
#[test]
fn a_driver_that_counts_more_rows_than_the_rowset_has() {
    let stage = Stage::new("miscounts", Driver::Test);
    stage.in_both_formats(|stage| {
        let program = Program::c("half_counter.c").with_argument("5");
        let recorded = stage.run(Way::Record, &program);
        program.check("record", &recorded);
        let replayed = stage.run(Way::Replay, &program);
        program.check("replay", &replayed);
        assert_eq!(recorded.text().replace("at the end 0x5", "at the end 0x1"), replayed.text());
    });
}

/// Without a buffer some drivers write a column's length, others leave it alone.
#[test]
fn a_driver_that_writes_lengths_without_buffers() {
    for driver in BOTH {
        four_ways(&Program::c("lengths_alone.c"), driver);
    }
}

/// A replay of a program that does one thing otherwise.
fn changed(stage: &Stage, source: &'static str) -> Outcome {
    stage.run(Way::Replay, &Program::c(source).with_argument("changed"))
}

/// super8's own words to the application.
fn refusal(outcome: &Outcome) -> String {
    let text = outcome.text();
    let line = text.lines().find(|line| line.contains("[super8]"));
    line.unwrap_or_else(|| panic!("super8 refused nothing:\n{text}")).to_owned()
}

#[test]
fn connecting_in_steps() {
    for driver in BOTH {
        let stage = four_ways(&Program::c("browse.c"), driver);
        let log = commands(&stage.cassette());
        for words in ["return: SQL_NEED_DATA", "Server:Server={alpha,beta};UID:Login=?", "PWD=<given PWD"] {
            assert!(log.contains(words), "`{words}` is not in:\n{log}");
        }
        assert_eq!(leaks(&files(&stage.cassette()), "gehe}im"), Vec::<String>::new());
        let refused = refusal(&changed(&stage, "browse.c"));
        assert!(refused.contains("[HY000]") && refused.contains("user_hash"), "{refused}");
    }
}

#[test]
fn asynchronous_execution() {
    for driver in BOTH {
        let stage = four_ways(&Program::c("asynchronous.c"), driver);
        let log = commands(&stage.cassette());
        assert!(!log.contains("SQL_STILL_EXECUTING"), "a poll is no result:\n{log}");
        let refused = refusal(&changed(&stage, "asynchronous.c"));
        assert!(refused.contains("[HY000]") && refused.contains("parameter 1"), "{refused}");
    }
}

/// What was sent stands in the cassette, although the execution was cancelled under the thread that sent it.
#[test]
fn an_execution_with_data_that_another_thread_cancels() {
    for driver in BOTH {
        let stage = four_ways(&Program::c("cancel_data.c"), driver);
        let log = commands(&stage.cassette());
        assert!(log.contains("  params: [\"words\"]\n") || log.contains("  params: [words]\n"), "{log}");
    }
}

/// What SQLParamData says of the sets that are processed fits those of the program.
fn more_sets_are_refused(stage: &Stage) {
    let file = stage.log();
    let whole = std::fs::read_to_string(&file).unwrap();
    let (yaml, ndjson) = ("- method: param_data\n", r#""method":"param_data","#);
    let damaged = match stage.format.get() {
        Format::Yaml => whole.replacen("\n  parameter:", "\n  params_processed: 4000\n  parameter:", 1),
        Format::Ndjson => whole.replacen(ndjson, &format!(r#"{ndjson}"params_processed":4000,"#), 1),
    };
    assert!(damaged != whole, "no {yaml} in {whole}");
    std::fs::write(&file, damaged).unwrap();
    let replayed = stage.run(Way::Replay, &Program::c("streams.c"));
    let refused = refusal(&replayed);
    let name = file.file_name().unwrap().to_string_lossy().into_owned();
    assert!(refused.contains("says 4000 sets, and the program asked for") && refused.contains(&name), "{refused}");
    std::fs::write(&file, whole).unwrap();
}

#[test]
fn output_parameters_in_pieces() {
    for driver in BOTH {
        let stage = four_ways(&Program::c("streams.c"), driver);
        let log = commands(&stage.cassette());
        assert!(log.contains("- method: param_data\n"), "{log}");
        more_sets_are_refused(&stage);
        let refused = refusal(&changed(&stage, "streams.c"));
        assert!(refused.contains("[HY000]") && refused.contains("parameter 1"), "{refused}");
    }
}
