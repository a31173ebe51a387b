//! The verdict file: what a program that watches over another one learns, whatever that one swallows.

use super8_tests::driver::Driver;
use super8_tests::format::in_both_formats;
use super8_tests::outcome::Outcome;
use super8_tests::program::Program;
use super8_tests::ways::{Stage, Way};

/// Runs `steps.c` with `argument` and gives the events it left.
fn events(stage: &mut Stage, way: Way, argument: &str) -> (Vec<String>, Outcome) {
    let file = stage.scratch.join(format!("verdict-{argument}-{way:?}"));
    let _ = std::fs::remove_file(&file);
    stage.environment.retain(|(name, _)| *name != "SUPER8_VERDICT");
    stage.environment.push(("SUPER8_VERDICT", file.display().to_string()));
    let outcome = stage.run(way, &Program::c("steps.c").with_argument(argument));
    let text = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(text.is_empty() || text.ends_with('\n'), "a line is cut:\n{text}");
    (text.lines().map(str::to_owned).collect(), outcome)
}

/// The names of the events, in order.
fn names(events: &[String]) -> Vec<&str> {
    let name = |event| str::split_once(event, "\"event\":\"")?.1.split('"').next();
    events.iter().map(|event| name(event).unwrap_or_else(|| panic!("no event: {event}"))).collect()
}

fn find<'a>(events: &'a [String], name: &str) -> &'a str {
    let wanted = format!("\"event\":\"{name}\"");
    events.iter().find(|event| event.contains(&wanted)).unwrap_or_else(|| panic!("no {name} in {events:#?}"))
}

#[test]
fn a_run_that_goes_well() {
    in_both_formats(|format| {
        let mut stage = Stage::new("verdict", Driver::Sqlite).in_format(format);
        let (recorded, _) = events(&mut stage, Way::Record, "same");
        assert_eq!(names(&recorded), ["opened", "published", "published", "closed"]);
        let cassette = stage.cassette().display().to_string();
        for part in [
            "\"mode\":\"record\"",
            &format!("\"format\":\"{}\"", format.name()),
            &format!("\"cassette\":\"{cassette}"),
            "\"pid\":",
        ] {
            assert!(recorded[0].contains(part), "{part}: {}", recorded[0]);
        }
        let (replayed, _) = events(&mut stage, Way::Replay, "same");
        assert_eq!(names(&replayed), ["opened", "finished", "closed"]);
        let (off, _) = events(&mut stage, Way::Off, "same");
        assert!(off.is_empty(), "{off:?}");
    });
}

#[test]
fn a_mismatch_is_said_once_with_its_report() {
    in_both_formats(|format| {
        let mut stage = Stage::new("verdict_mismatch", Driver::Sqlite).in_format(format);
        events(&mut stage, Way::Record, "same");
        let (replayed, outcome) = events(&mut stage, Way::Replay, "sql");
        assert_eq!(names(&replayed), ["opened", "mismatch", "closed"]);
        let mismatch = find(&replayed, "mismatch");
        for part in ["\"command\":", "\"headline\":\"", "n >= ?", "what to do:"] {
            assert!(mismatch.contains(part), "{part}: {mismatch}");
        }
        assert!(!outcome.errors().contains("what to do:"), "the report is on standard error too: {}", outcome.errors());
    });
}

#[test]
fn commands_never_played_and_handles_never_freed() {
    in_both_formats(|format| {
        let mut stage = Stage::new("verdict_unplayed", Driver::Sqlite).in_format(format);
        events(&mut stage, Way::Record, "same");
        let (replayed, outcome) = events(&mut stage, Way::Replay, "leave");
        assert_eq!(names(&replayed), ["opened", "unplayed", "leaked", "closed"]);
        let unplayed = find(&replayed, "unplayed");
        assert!(
            unplayed.contains(&format!("\"commands\":[\"{}:", format.log("traces")))
                && unplayed.contains("select t from step"),
            "{unplayed}"
        );
        assert!(find(&replayed, "leaked").contains("\"connections\":1"), "{replayed:?}");
        assert_eq!(outcome.errors(), "", "who watches prints the list");
    });
}

/// `_exit` and signals leave no time: what was written before stays, and `closed` is missing.
#[test]
fn a_process_that_ends_at_once_leaves_what_it_wrote() {
    in_both_formats(|format| {
        let mut stage = Stage::new("verdict_exit", Driver::Sqlite).in_format(format);
        let (recorded, _) = events(&mut stage, Way::Record, "exit");
        assert_eq!(names(&recorded), ["opened"]);
        let recovered = super8_cassette::recover(&stage.cassette()).expect("recover").expect("a recording to recover");
        assert!(recovered.entries > 5, "{recovered:?}");
        let (replayed, _) = events(&mut stage, Way::Replay, "exit");
        assert_eq!(names(&replayed), ["opened", "finished"], "what was recovered is replayed to the same end");
    });
}

#[test]
fn nothing_to_replay_and_nowhere_to_write() {
    in_both_formats(|format| {
        let mut stage = Stage::new("verdict_none", Driver::Sqlite).in_format(format);
        let (replayed, _) = events(&mut stage, Way::Replay, "same");
        let told = find(&replayed, "mismatch");
        assert!(told.contains("there is no cassette here"), "{told}");
        assert!(told.contains("to record it: SUPER8_MODE=record SUPER8_CASSETTE="), "{told}");
        // a file where the cassette's directory has to be made
        let file = stage.scratch.write("file", "");
        let mut stage = stage.with_cassette(file.join("cassette"));
        let (recorded, outcome) = events(&mut stage, Way::Record, "same");
        let unwritable = recorded.iter().filter(|event| event.contains("\"event\":\"unwritable\"")).count();
        assert_eq!(unwritable, 1, "{recorded:?}\n{}", outcome.text());
    });
}
