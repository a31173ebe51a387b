//! A replayed program that does something else: SQL_ERROR, HY000, at most 500 bytes, and from then on always.

use super8_tests::driver::Driver;
use super8_tests::format::{Format, in_both_formats};
use super8_tests::outcome::Outcome;
use super8_tests::program::Program;
use super8_tests::trap::Trap;
use super8_tests::ways::{Stage, Way};

/// A diagnostic as `report.h` prints it.
struct Diagnostic {
    state: String,
    length: usize,
    text: String,
}

fn diagnostics(outcome: &Outcome) -> Vec<Diagnostic> {
    let text = outcome.text();
    let lines = text.lines().filter(|line| line.contains("[super8]"));
    let parse = |line: &str| -> Option<Diagnostic> {
        let (_, rest) = line.split_once('[')?;
        let (state, rest) = rest.split_once(']')?;
        let (_, rest) = rest.split_once('(')?;
        let (length, text) = rest.split_once(") ")?;
        Some(Diagnostic { state: state.into(), length: length.parse().ok()?, text: text.into() })
    };
    lines.filter_map(parse).collect()
}

/// Records `steps.c` as it is and replays it with one more argument, in both formats; what it printed then, is judged by
/// `look`.
fn replay(driver: Driver, argument: &'static str, look: impl Fn(&mut Stage, &Outcome, &Outcome)) {
    in_both_formats(|format| {
        let mut stage = Stage::new(&format!("mismatch_{argument}"), driver).in_format(format);
        let program = Program::c("steps.c").with_argument("same");
        let recorded = stage.run(Way::Record, &program);
        program.check("record", &recorded);
        let replayed = stage.run(Way::Replay, &Program::c("steps.c").with_argument(argument));
        look(&mut stage, &recorded, &replayed);
    });
}

/// Changes one place of a cassette's log, where each format has a text of its own; the line it is on, from 1.
fn edit(stage: &Stage, yaml: (&str, &str), ndjson: (&str, &str)) -> usize {
    let (from, to) = if stage.format.get() == Format::Yaml { yaml } else { ndjson };
    let log = stage.log();
    let text = std::fs::read_to_string(&log).unwrap_or_else(|error| panic!("{error}"));
    let (before, _) = text.split_once(from).unwrap_or_else(|| panic!("no `{from}` in:\n{text}"));
    std::fs::write(&log, text.replacen(from, to, 1)).unwrap_or_else(|error| panic!("{error}"));
    before.lines().count() + usize::from(before.ends_with('\n') || before.is_empty())
}

fn log_name(stage: &Stage) -> String {
    stage.log().file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// What every refusal must be: see the module's first line.
fn refused(replayed: &Outcome, words: &[&str]) {
    let shown = String::from_utf8_lossy(&replayed.all()).into_owned();
    let refusals = diagnostics(replayed);
    assert!(!refusals.is_empty(), "nothing was refused:\n{shown}");
    for refusal in &refusals {
        assert_eq!(refusal.state, "HY000", "{shown}");
        assert!(refusal.length <= 500, "{} bytes: {shown}", refusal.length);
        assert!(refusal.text.contains("[super8] replay"), "{shown}");
    }
    for word in words {
        assert!(refusals[0].text.contains(word), "`{word}` is not in the message:\n{shown}");
    }
    assert!(["cassette", ".ndjson"].iter().any(|name| refusals[0].text.contains(name)), "which cassette?\n{shown}");
}

#[test]
fn changed_sql() {
    for driver in [Driver::Sqlite, Driver::PostgresUnicode] {
        replay(driver, "sql", |stage, _, replayed| {
            refused(replayed, &["a/", &stage.cassette().display().to_string()]);
            // The report shows both texts.
            let report = replayed.errors();
            assert!(report.contains("n > ?") && report.contains("n >= ?"), "no diff in the report:\n{report}");
        });
    }
}

#[test]
fn the_first_mismatch_is_sticky() {
    replay(Driver::Sqlite, "sql", |_, _, replayed| {
        let refusals = diagnostics(replayed);
        // Three queries follow the changed one's; two of them are as they were recorded.
        assert!(refusals.len() >= 3, "later commands went through:\n{}", replayed.text());
        assert!(refusals.iter().all(|refusal| refusal.text == refusals[0].text), "{}", replayed.text());
    });
}

#[test]
fn changed_parameter() {
    for driver in [Driver::Sqlite, Driver::MariaDb] {
        replay(driver, "param", |_, _, replayed| refused(replayed, &["a/"]));
    }
}

#[test]
fn a_command_that_was_not_recorded() {
    replay(Driver::Sqlite, "extra", |_, _, replayed| refused(replayed, &[]));
}

#[test]
fn a_commit_that_was_not_recorded() {
    replay(Driver::Sqlite, "commit", |_, _, replayed| refused(replayed, &["commit"]));
}

#[test]
fn a_command_left_out() {
    replay(Driver::Sqlite, "missing", |_, _, replayed| refused(replayed, &[]));
}

/// The last commands left out: nothing to refuse, but not silent.
#[test]
fn commands_never_played_are_reported_at_the_end() {
    replay(Driver::Sqlite, "leave", |_, recorded, early| {
        assert!(recorded.text().starts_with(&early.text()), "the commands that were asked are answered as recorded");
        let report = early.errors();
        assert!(report.contains("never") || report.contains("not played") || report.contains("unplayed"), "{report:?}");
        assert!(report.contains("select t from step"), "which command?\n{report}");
    });
}

#[test]
fn no_cassette_and_no_cassette_at_all_are_told_apart() {
    Stage::new("none", Driver::Sqlite).in_both_formats(|stage| {
        let program = Program::c("steps.c");
        let none = stage.run(Way::Replay, &program);
        assert!(none.text().contains("[super8]") && !none.succeeded(), "{}", none.text());
        let name = if stage.format.get() == Format::Yaml { "shopping.txt" } else { "shopping.ndjson" };
        std::fs::create_dir(stage.cassette()).unwrap_or_else(|error| panic!("{error}"));
        std::fs::write(stage.cassette().join(name), "milk").unwrap_or_else(|error| panic!("{error}"));
        let other = stage.run(Way::Replay, &program);
        assert!(other.text().contains("[super8]") && !other.succeeded(), "{}", other.text());
        assert_ne!(none.text(), other.text(), "a missing cassette and a directory that is none have one message");
    });
}

#[test]
fn an_edited_cassette_with_a_mistake_names_file_and_line() {
    replay(Driver::Sqlite, "same", |stage, _, _| {
        let line = edit(stage, ("- method: run", "- method: rum"), (r#""method":"run""#, r#""method":"rum""#));
        let refused = stage.run(Way::Replay, &Program::c("steps.c").with_argument("same"));
        let shown = refused.text() + &refused.errors();
        let place = format!("{}:{line}", log_name(stage));
        assert!(shown.contains(&place), "{place} is not in: {shown}");
    });
}

#[test]
fn the_report_goes_to_the_log_when_there_is_one() {
    in_both_formats(|format| {
        let mut stage = Stage::new("logged", Driver::Sqlite).in_format(format);
        let log = stage.scratch.join("super8.log");
        stage.environment.push(("SUPER8_LOG", log.display().to_string()));
        let program = Program::c("steps.c").with_argument("same");
        program.check("record", &stage.run(Way::Record, &program));
        let command = stage.command(Way::Replay, &Program::c("steps.c").with_argument("sql"), &Trap::new());
        let replayed = Outcome::of(&command, b"");
        refused(&replayed, &[]);
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        assert!(text.contains("n >= ?"), "no report in SUPER8_LOG: {text}");
        assert!(!replayed.errors().contains("n >= ?"), "the report is on standard error too:\n{}", replayed.errors());
    });
}

/// A value that is named volatile in the cassette may change, and only that one.
#[test]
fn a_volatile_parameter_may_change() {
    replay(Driver::Sqlite, "param", |stage, recorded, refused| {
        let is_yaml = stage.format.get() == Format::Yaml;
        let advice = if is_yaml { "\n  volatile: [\"params 1\"]\n" } else { "\n  \"volatile\": [\"params 1\"]\n" };
        assert!(refused.errors().contains(advice), "no advice:\n{}", refused.errors());
        // The command line to record with is the program's own.
        let report = refused.errors();
        let line = report.lines().find(|line| line.contains("SUPER8_MODE=record ")).unwrap_or_default();
        let cassette = format!("SUPER8_CASSETTE={}", stage.cassette().display());
        assert!(line.contains("steps") && line.ends_with(" param") && line.contains(&cassette), "{report}");
        let yaml = ("  params: [0]\n", "  params: [0]\n  volatile: [\"params 1\"]\n");
        edit(stage, yaml, (r#""params":[0]"#, r#""params":[0],"volatile":["params 1"]"#));
        let replayed = |argument| stage.run(Way::Replay, &Program::c("steps.c").with_argument(argument));
        assert_eq!(replayed("param").text(), recorded.text());
        assert!(!replayed("sql").errors().is_empty(), "the statement is still compared");
    });
}

/// A tracer's comment does not count if comments are ignored.
#[test]
fn comments_may_be_ignored() {
    replay(Driver::Sqlite, "comment", |stage, recorded, refusal| {
        refused(refusal, &["sql differs"]);
        stage.environment.push(("SUPER8_COMMENTS", "ignore".into()));
        let replayed = |argument| stage.run(Way::Replay, &Program::c("steps.c").with_argument(argument)).text();
        let lines =
            |text: String| text.lines().filter(|line| !line.contains("count(*)")).collect::<Vec<_>>().join("\n");
        assert_eq!(lines(replayed("comment")), lines(recorded.text()));
        assert!(replayed("sql").contains("[super8] replay"), "the rest of the statement is still compared");
    });
}
