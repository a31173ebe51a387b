//! Recording over a cassette that a person has edited: what was set by hand stays where it can, and what cannot is told.

use super8_tests::driver::Driver;
use super8_tests::format::{Format, in_both_formats};
use super8_tests::outcome::Outcome;
use super8_tests::program::Program;
use super8_tests::ways::{Stage, Way};

fn run(stage: &Stage, way: Way, argument: &str) -> Outcome {
    let program = Program::c("steps.c").with_argument(argument);
    let outcome = stage.run(way, &program);
    program.check(argument, &outcome);
    outcome
}

/// Puts a text behind another one that stands once in a file of the cassette.
fn insert(stage: &Stage, file: &str, after: &str, text: &str) {
    let path = stage.cassette().join(file);
    let old = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(old.matches(after).count(), 1, "{after} in {old}");
    let new = old.replace(after, &format!("{after}{text}"));
    std::fs::write(&path, new).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn what_was_set_by_hand_stays() {
    in_both_formats(|format| {
        let stage = Stage::new("again", Driver::Sqlite).in_format(format);
        run(&stage, Way::Record, "same");
        let log = stage.log().file_name().unwrap_or_default().to_string_lossy().into_owned();
        match format {
            Format::Yaml => {
                insert(&stage, &log, "  params: [0]\n", "  volatile: [\"params 1\"]\n");
                insert(&stage, "metadata.yml", "\norder: global\n", "owner: \"the shop's team\"\n");
            }
            Format::Ndjson => {
                insert(&stage, &log, "\"params\":[0]", ",\"volatile\":[\"params 1\"]");
                insert(&stage, &log, "\"order\":\"global\"", ",\"owner\":\"the shop's team\"");
            }
        }
        let read = || std::fs::read_to_string(stage.log()).unwrap_or_else(|error| panic!("{error}"));
        let owner = || {
            let cassette = super8_cassette::open(&stage.cassette()).and_then(|cassette| cassette.metadata());
            cassette.unwrap_or_else(|error| panic!("{error}")).more
        };
        // Another value is recorded now, and it is that one which may be any other.
        assert_eq!(run(&stage, Way::Record, "param").errors(), "");
        let kept = match format {
            Format::Yaml => "  params: [1]\n  volatile: [\"params 1\"]\n",
            Format::Ndjson => r#""params":[1],"volatile":["params 1"]"#,
        };
        assert!(read().contains(kept), "{}", read());
        assert_eq!(owner(), [("owner".to_owned(), "the shop's team".into())]);
        let edited = read();
        run(&stage, Way::Replay, "same");
        run(&stage, Way::Record, "param");
        assert_eq!(read(), edited, "the same recording again");

        // The statement is another one now: nobody knows what may change in it.
        let told = run(&stage, Way::Record, "sql").errors();
        assert!(told.contains("named volatile before, but not recorded again"), "{told}");
        assert!(told.contains(&format!("  {log}:")) && told.contains("n > ? order by n\": params 1\n"), "{told}");
        assert!(!read().contains("volatile"), "{}", read());
        assert_eq!(owner().len(), 1, "the rest stays");
    });
}

/// What a person added to metadata.yml would be gone with it, and nobody would know.
#[test]
fn a_mistake_in_the_metadata_loses_nothing() {
    let stage = Stage::new("again_mistaken", Driver::Sqlite);
    run(&stage, Way::Record, "same");
    let path = stage.cassette().join("metadata.yml");
    let written = std::fs::read_to_string(&path).unwrap();
    let program = Program::c("steps.c").with_argument("param");
    for mistake in ["owner: [the team\n", "complete: perhaps\n"] {
        let edited = match mistake.starts_with("complete") {
            true => written.replace("complete: true\n", mistake),
            false => format!("{written}{mistake}"),
        };
        std::fs::write(&path, &edited).unwrap();
        let told = stage.run(Way::Record, &program).text();
        assert!(told.contains("metadata.yml") && told.contains("correct it, or remove it"), "{told}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), edited);
    }
    std::fs::write(&path, format!("{written}owner: the team\n")).unwrap();
    run(&stage, Way::Record, "param");
    let kept = std::fs::read_to_string(&path).unwrap();
    assert!(kept.ends_with("owner: \"the team\"\n"), "{kept}");
    // One that a full disk left empty says nothing that could be lost.
    std::fs::write(&path, "").unwrap();
    run(&stage, Way::Record, "param");
}

fn rewritten(stage: &Stage, way: Way, second: &str) -> Outcome {
    let program = Program::python("rewritten.py").with_argument(second);
    let outcome = stage.run(way, &program);
    program.check(second, &outcome);
    outcome
}

/// A comment stays with the entry it stands in, as long as that is the same; a result that is to stay does, whatever the database says.
#[test]
fn comments_and_results_set_by_hand_stay() {
    for driver in [Driver::Sqlite, Driver::PostgresUnicode] {
        in_both_formats(|format| {
            let stage = Stage::new("again_commented", driver).in_format(format);
            rewritten(&stage, Way::Record, "two");
            let read = || std::fs::read_to_string(stage.log()).unwrap_or_else(|error| panic!("{error}"));
            let written = read();
            let edited = match format {
                Format::Yaml => {
                    let commented =
                        written.replacen("- method: run\n", "# made anew each time\n- method: run # at once\n", 1);
                    let commented = commented.replacen("  params: [2]\n", "  params: [2] # the second\n", 1);
                    let row = "  result: [one]\n  c_types:";
                    assert!(commented.contains("# at once") && commented.contains(row), "{commented}");
                    format!(
                        "# of the shop\n\n{}",
                        commented.replacen(row, "  result: [uno] # by hand\n  keep: true\n  c_types:", 1)
                    )
                }
                Format::Ndjson => {
                    let lines = written.split_inclusive('\n').map(|line| match line.contains("\"result\":[\"one\"]") {
                        true => line.replace("[\"one\"]", "[\"uno\"]").replacen(
                            "\"method\":",
                            "\"keep\":true,\"method\":",
                            1,
                        ),
                        false => line.to_owned(),
                    });
                    lines.collect()
                }
            };
            assert_ne!(edited, written);
            std::fs::write(stage.log(), &edited).unwrap();
            let replayed = rewritten(&stage, Way::Replay, "two").text();
            assert!(replayed.contains("row 1 'uno'"), "{replayed}");

            let again = rewritten(&stage, Way::Record, "two");
            assert_eq!((again.errors(), read()), (String::new(), edited.clone()), "the same again");
            assert!(again.text().contains("row 1 'one'"), "the program has the database's: {}", again.text());

            // the database has another row, and the comment stands in an entry that is the same
            assert_eq!(rewritten(&stage, Way::Record, "deux").errors(), "");
            let log = read();
            assert!(log.contains("uno") && log.contains("deux") && !log.contains("\"two\""), "{log}");
            if format == Format::Yaml {
                for comment in
                    ["# of the shop\n", "# made anew each time\n", "# at once\n", "# the second\n", "# by hand\n"]
                {
                    assert!(log.contains(comment), "{comment}: {log}");
                }
                // an entry that is another one now
                let other = log.replacen("  params: [deux]\n", "  params: [deux] # in French\n", 1);
                assert_ne!(other, log);
                std::fs::write(stage.log(), other).unwrap();
                let told = rewritten(&stage, Way::Record, "zwei").errors();
                assert!(told.contains("not recorded again as they were") && told.contains(": # in French\n"), "{told}");
                assert!(!read().contains("# in French") && read().contains("# the second"), "{}", read());
            }
        });
    }
}
