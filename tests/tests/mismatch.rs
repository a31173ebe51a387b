//! A replayed program that does something else: SQL_ERROR, HY000, at most 500 bytes, and from then on always.

use super8_tests::compare::assert_same;
use super8_tests::driver::Driver;
use super8_tests::outcome::Outcome;
use super8_tests::program::Program;
use super8_tests::trap::Trap;
use super8_tests::ways::{Format, Stage, Way};

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

/// Records `steps.c` as it is and replays it with one more argument.
fn replay(driver: Driver, argument: &'static str) -> (Stage, Outcome, Outcome) {
    let stage = Stage::new(&format!("mismatch_{argument}"), driver);
    let program = Program::c("steps.c").with_argument("same");
    let recorded = stage.run(Way::Record, &program);
    program.check("record", &recorded);
    let changed = Program::c("steps.c").with_argument(argument);
    let replayed = stage.run(Way::Replay, &changed);
    // The other format refuses the same things; its cassette has another name, and nothing else differs.
    stage.format.set(Format::Ndjson);
    assert_same("record", ("yaml", &recorded), ("ndjson", &stage.run(Way::Record, &program)));
    let other = stage.run(Way::Replay, &changed);
    let states = |outcome: &Outcome| diagnostics(outcome).into_iter().map(|refusal| refusal.state).collect::<Vec<_>>();
    assert_eq!(states(&other), states(&replayed), "{}", other.text());
    assert_eq!(other.status, replayed.status);
    if !states(&other).is_empty() {
        refused(&other, &["ndjson"]);
    }
    stage.format.set(Format::Yaml);
    (stage, recorded, replayed)
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
        let (_, _, replayed) = replay(driver, "sql");
        refused(&replayed, &["a/"]);
        // The report shows both texts.
        let report = replayed.errors();
        assert!(report.contains("n > ?") && report.contains("n >= ?"), "no diff in the report:\n{report}");
    }
}

#[test]
fn the_first_mismatch_is_sticky() {
    let (_, _, replayed) = replay(Driver::Sqlite, "sql");
    let refusals = diagnostics(&replayed);
    // Three queries follow the changed one's; two of them are as they were recorded.
    assert!(refusals.len() >= 3, "later commands went through:\n{}", replayed.text());
    assert!(refusals.iter().all(|refusal| refusal.text == refusals[0].text), "{}", replayed.text());
}

#[test]
fn changed_parameter() {
    for driver in [Driver::Sqlite, Driver::MariaDb] {
        let (_, _, replayed) = replay(driver, "param");
        refused(&replayed, &["a/"]);
    }
}

#[test]
fn a_command_that_was_not_recorded() {
    let (_, _, replayed) = replay(Driver::Sqlite, "extra");
    refused(&replayed, &[]);
}

#[test]
fn a_commit_that_was_not_recorded() {
    let (_, _, replayed) = replay(Driver::Sqlite, "commit");
    refused(&replayed, &["commit"]);
}

#[test]
fn a_command_left_out() {
    let (_, _, replayed) = replay(Driver::Sqlite, "missing");
    refused(&replayed, &[]);
}

/// The last commands left out: nothing to refuse, but not silent.
#[test]
fn commands_never_played_are_reported_at_the_end() {
    let (stage, recorded, _) = replay(Driver::Sqlite, "same");
    let early = stage.run(Way::Replay, &Program::c("steps.c").with_argument("leave"));
    assert!(recorded.text().starts_with(&early.text()), "the commands that were asked are answered as recorded");
    let report = early.errors();
    assert!(report.contains("never") || report.contains("not played") || report.contains("unplayed"), "{report:?}");
    assert!(report.contains("select t from step"), "which command?\n{report}");
}

#[test]
fn no_cassette_and_no_cassette_at_all_are_told_apart() {
    let stage = Stage::new("none", Driver::Sqlite);
    let program = Program::c("steps.c");
    let none = stage.run(Way::Replay, &program);
    assert!(none.text().contains("[super8]") && !none.succeeded(), "{}", none.text());
    let cassette = stage.scratch.directory("cassette");
    std::fs::write(cassette.join("shopping.txt"), "milk").unwrap_or_else(|error| panic!("{error}"));
    let other = stage.run(Way::Replay, &program);
    assert!(other.text().contains("[super8]") && !other.succeeded(), "{}", other.text());
    assert_ne!(none.text(), other.text(), "a missing cassette and a directory that is none have one message");
}

#[test]
fn an_edited_cassette_with_a_mistake_names_file_and_line() {
    let (stage, _, _) = replay(Driver::Sqlite, "same");
    let log = stage.cassette().join("commands.yml");
    let text = super8_tests::cassette_files::commands(&stage.cassette());
    let line = text.lines().position(|line| line == "- method: run").unwrap_or_else(|| panic!("no run in:\n{text}"));
    let broken = text.replacen("- method: run", "- method: rum", 1);
    std::fs::write(&log, broken).unwrap_or_else(|error| panic!("{error}"));
    let refused = stage.run(Way::Replay, &Program::c("steps.c").with_argument("same"));
    let shown = refused.text() + &refused.errors();
    assert!(shown.contains("commands.yml") && shown.contains(&(line + 1).to_string()), "{shown}");
}

#[test]
fn the_report_goes_to_the_log_when_there_is_one() {
    let mut stage = Stage::new("logged", Driver::Sqlite);
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
}

/// A value that is named volatile in the cassette may change, and only that one.
#[test]
fn a_volatile_parameter_may_change() {
    let (stage, recorded, refused) = replay(Driver::Sqlite, "param");
    assert!(refused.errors().contains("volatile: [\"params 1\"]"), "no advice:\n{}", refused.errors());
    let log = stage.cassette().join("commands.yml");
    let text = super8_tests::cassette_files::commands(&stage.cassette());
    let edited = text.replacen("  params: [0]\n", "  params: [0]\n  volatile: [\"params 1\"]\n", 1);
    assert_ne!(text, edited, "no parameter in:\n{text}");
    std::fs::write(&log, edited).unwrap_or_else(|error| panic!("{error}"));
    let replayed = |argument| stage.run(Way::Replay, &Program::c("steps.c").with_argument(argument));
    assert_eq!(replayed("param").text(), recorded.text());
    assert!(!replayed("sql").errors().is_empty(), "the statement is still compared");
}

/// A tracer's comment does not count if comments are ignored.
#[test]
fn comments_may_be_ignored() {
    let (mut stage, recorded, refusal) = replay(Driver::Sqlite, "comment");
    refused(&refusal, &["sql differs"]);
    stage.environment.push(("SUPER8_COMMENTS", "ignore".into()));
    let replayed = |argument| stage.run(Way::Replay, &Program::c("steps.c").with_argument(argument)).text();
    let lines = |text: String| text.lines().filter(|line| !line.contains("count(*)")).collect::<Vec<_>>().join("\n");
    assert_eq!(lines(replayed("comment")), lines(recorded.text()));
    assert!(replayed("sql").contains("[super8] replay"), "the rest of the statement is still compared");
}
