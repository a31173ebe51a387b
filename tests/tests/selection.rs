//! Which mode and which cassette a connection gets: every place a setting may be given in, and the mode `once`.

use std::path::Path;
use super8_tests::cassette_files::{as_directory, commands, files, leaks};
use super8_tests::compare::assert_same;
use super8_tests::driver::Driver;
use super8_tests::format::{Format, in_both_formats};
use super8_tests::outcome::Outcome;
use super8_tests::program::Program;
use super8_tests::ways::{SOURCE, Stage, Way};

/// A stage on which the environment says nothing, so that other places have their say.
fn silent(format: Format, subject: &str, driver: Driver) -> Stage {
    let mut stage = Stage::new(subject, driver).in_format(format);
    stage.environment = vec![("SUPER8_MODE", String::new()), ("SUPER8_CASSETTE", String::new())];
    stage
}

fn who(stage: &Stage, keywords: &str) -> Program {
    let credentials = stage.database.credentials();
    Program::c("who.c").with_argument(format!("DSN={SOURCE};{credentials}{keywords}"))
}

/// Runs `program` where the driver is (`Way::Off`) or is not (`Way::Replay`); the mode comes from elsewhere.
fn done(stage: &Stage, way: Way, program: &Program, what: &str) -> Outcome {
    let outcome = stage.run(way, program);
    program.check(what, &outcome);
    outcome
}

#[test]
fn keywords_of_the_connection_string() {
    in_both_formats(|format| {
        for driver in [Driver::Sqlite, Driver::PostgresUnicode, Driver::MariaDb] {
            let stage = silent(format, "keywords", driver);
            let cassette = stage.scratch.join("by keyword");
            let place = format!("super8cassette={{{}}};Super8Order=connection;Super8TraceId=mine", cassette.display());
            let bare = done(&stage, Way::Bare, &who(&stage, ""), "bare");
            let recorded = done(
                &stage,
                Way::Off,
                &who(&stage, &format!("Super8Mode=record;Super8Format={};{place}", format.name())),
                "record",
            );
            assert_same("Super8Mode=record", ("bare", &bare), ("recorded", &recorded));
            let replayed = done(&stage, Way::Replay, &who(&stage, &format!("{place};SUPER8MODE = Replay")), "replay");
            assert_same("Super8Mode=replay", ("bare", &bare), ("replayed", &replayed));
            let metadata = as_directory(&cassette, |directory| std::fs::read_to_string(directory.join("metadata.yml")));
            let metadata = metadata.unwrap_or_default();
            assert!(metadata.contains("order: connection"), "{metadata}");
            for word in ["super8mode", "super8cassette", "by keyword"] {
                let found = leaks(&files(&cassette), word);
                assert!(found.is_empty(), "{word} reached the cassette: {found:?}");
            }
        }
    });
}

/// `named.py`, on an inserted cassette unless that is empty, with further keywords of the connection string.
fn named(stage: &Stage, inserted: &str, options: &str, keywords: &str) -> Program {
    let library = stage.driver.shim().path().display().to_string();
    let program = Program::python("named.py").with_argument(library);
    program.with_argument(inserted).with_argument(options).with_argument(keywords)
}

/// A test framework, the environment and two files name four cassettes; the connection string a fifth.
#[test]
fn the_place_nearest_to_the_connection_wins() {
    in_both_formats(|format| {
        let mut stage = Stage::new("precedence", Driver::Sqlite).in_format(format);
        let cassette = |name: &str| stage.scratch.join(name).display().to_string();
        let [string, inserted, environment, source, section] =
            ["1-string", "2-inserted", "3-environment", "4-source", "5-section"].map(cassette);
        // pyodbc's own question about types is asked once in a process: every run is a process of its own
        stage.environment = vec![("SUPER8_MODE", String::new()), ("SUPER8_CASSETTE", environment)];
        stage.source = vec![("Super8Cassette", source)];
        stage.section = vec![("Super8Cassette", section), ("Super8Mode", "record".into())];
        let wins = |stage: &Stage, inserted: &str, keywords: &str, recorded: usize| {
            done(stage, Way::Off, &named(stage, inserted, "", keywords), &format!("place {recorded}"));
            let all = ["1-string", "2-inserted", "3-environment", "4-source", "5-section"];
            assert_eq!(recorded_in(stage), all[..recorded]);
        };
        wins(&stage, &inserted, &format!("Super8Cassette={string}"), 1);
        wins(&stage, &inserted, "", 2);
        wins(&stage, "", "", 3);
        stage.environment[1].1.clear();
        wins(&stage, "", "", 4);
        stage.source.clear();
        wins(&stage, "", "", 5);
    });
}

/// Mode, cassette, order, format and trace can be given in every place, and each setting is looked up on its own.
#[test]
fn every_setting_can_be_given_in_every_place() {
    for place in ["string", "inserted", "environment", "source", "section"] {
        let mut stage = silent(Format::Yaml, &format!("settings_{place}"), Driver::Sqlite);
        let cassette = stage.scratch.join("by setting").display().to_string();
        let settings = |mode: &'static str| {
            let rest =
                [("Cassette", cassette.as_str()), ("Order", "connection"), ("Format", "ndjson"), ("TraceId", "mine")];
            std::iter::once(("Mode", mode)).chain(rest)
        };
        // what is said there, and what says otherwise in the places behind it
        let mut run = |way: Way, mode: &'static str| {
            let text = |skip: &[&str]| -> String {
                let said = settings(mode).filter(|(name, _)| !skip.contains(name));
                said.map(|(name, value)| format!("Super8{name}={value};")).collect()
            };
            let keys = || -> Vec<(&'static str, String)> {
                let names = ["Super8Mode", "Super8Cassette", "Super8Order", "Super8Format", "Super8TraceId"];
                names.into_iter().zip(settings(mode).map(|(_, value)| value.to_owned())).collect()
            };
            let (mut inserted, mut options, mut keywords) = (String::new(), String::new(), String::new());
            match place {
                "string" => keywords = text(&[]),
                "inserted" => (inserted, options) = (cassette.clone(), text(&["Cassette"])),
                "environment" => {
                    let names = ["SUPER8_MODE", "SUPER8_CASSETTE", "SUPER8_ORDER", "SUPER8_FORMAT", "SUPER8_TRACE_ID"];
                    stage.environment = names.into_iter().zip(keys().into_iter().map(|(_, value)| value)).collect();
                }
                "source" => stage.source = keys(),
                _ => stage.section = keys(),
            }
            if place != "section" {
                stage.section = vec![("Super8Format", "yaml".into()), ("Super8Order", "global".into())];
            }
            done(&stage, way, &named(&stage, &inserted, &options, &keywords), place);
        };
        run(Way::Off, "record");
        let trace = std::path::Path::new(&cassette).join("mine.ndjson");
        let text = std::fs::read_to_string(&trace).unwrap_or_else(|error| panic!("{place}: {error}"));
        assert!(text.contains("\"order\":\"connection\""), "{place}: {text}");
        run(Way::Replay, "replay");
        assert_eq!(std::fs::read_to_string(&trace).unwrap_or_default(), text, "{place}: replaying changes nothing");
    }
}

/// A process may change its own environment between two connections, and have several cassettes open at once.
#[test]
fn the_environment_is_read_at_every_connect() {
    in_both_formats(|format| {
        for driver in [Driver::Sqlite, Driver::PostgresUnicode] {
            let mut stage = Stage::new("environment", driver).in_format(format);
            stage.environment = vec![("SUPER8_MODE", "record".into()), ("SUPER8_FORMAT", format.name().into())];
            let base = stage.scratch.path().display().to_string();
            let program = Program::python("environment.py").with_argument(base);
            let recorded = done(&stage, Way::Off, &program.with_argument("off"), "record");
            assert_eq!(recorded_in(&stage), ["four", "one", "three", "two"], "and nothing where the mode was off");
            for name in ["four", "one", "three", "two"] {
                let log = commands(&stage.scratch.join(name));
                let others = ["four", "one", "three", "two"].into_iter().filter(|other| *other != name);
                assert!(log.contains(&format!("select '{name}'")), "{name}: {log}");
                others
                    .for_each(|other| assert!(!log.contains(&format!("select '{other}'")), "{other} in {name}: {log}"));
            }
            stage.environment[0].1 = "replay".into();
            let base = stage.scratch.path().display().to_string();
            let program = Program::python("environment.py").with_argument(base);
            let replayed = done(&stage, Way::Replay, &program, "replay");
            let five = recorded.text().replace("five 'five'\n", "");
            assert_eq!(replayed.text(), five, "{}", replayed.errors());
        }
    });
}

/// The names of the cassettes in the stage's directory.
fn recorded_in(stage: &Stage) -> Vec<String> {
    let entries = std::fs::read_dir(stage.scratch.path()).expect("the stage's directory").flatten();
    let cassettes = entries.filter(|entry| super8_cassette::Format::of(&entry.path()).is_some());
    let mut names: Vec<String> = cassettes.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_misspelt_keyword_fails_the_connect() {
    let stage = silent(Format::Yaml, "misspelt", Driver::Sqlite);
    for (keyword, message) in [
        ("Super8Casette=x", "Super8Casette in the connection string is not a setting: there are Super8Mode, "),
        ("Super8Mode=play;Super8Cassette=x", "Super8Mode in the connection string is \"play\": set it to off or "),
        ("Super8Mode=replay", "Super8Mode in the connection string is replay but no cassette is named"),
    ] {
        let refused = stage.run(Way::Off, &who(&stage, keyword));
        assert!(!refused.succeeded() && refused.text().contains(message), "{keyword}: {}", refused.text());
    }
}

#[test]
fn once_records_what_is_not_there_and_replays_what_is() {
    in_both_formats(|format| {
        for driver in [Driver::Sqlite, Driver::PostgresUnicode] {
            let mut stage = Stage::new("once", driver).in_format(format);
            stage.environment =
                vec![("SUPER8_MODE", "once".into()), ("SUPER8_CASSETTE", stage.cassette().display().to_string())];
            // Four connections of one process: the cassette is complete after each of them, and goes on.
            let program = Program::c("reconnect.c");
            let bare = stage.run(Way::Bare, &program);
            let recorded = done(&stage, Way::Off, &program, "once, recording");
            let before = files(&stage.cassette());
            let replayed = done(&stage, Way::Replay, &program, "once, replaying");
            assert_same("once", ("bare", &bare), ("recorded", &recorded));
            assert_same("once", ("bare", &bare), ("replayed", &replayed));
            assert!(before == files(&stage.cassette()), "a replay changed the cassette");
        }
    });
}

#[test]
fn once_records_nothing_in_ci() {
    in_both_formats(|format| {
        let mut stage = Stage::new("once_ci", Driver::Sqlite).in_format(format);
        let mode = [("SUPER8_MODE", "once".to_owned()), ("SUPER8_CASSETTE", stage.cassette().display().to_string())];
        stage.environment = [mode.as_slice(), &[("CI", "true".to_owned())]].concat();
        let refused = stage.run(Way::Off, &who(&stage, ""));
        assert!(
            !refused.succeeded() && refused.text().contains("nothing is recorded where CI is set"),
            "{}",
            refused.text()
        );
        assert!(recorded_in(&stage).is_empty());
        stage.environment = mode.to_vec();
        done(&stage, Way::Off, &who(&stage, ""), "at the desk");
        stage.environment.push(("CI", "true".into()));
        done(&stage, Way::Replay, &who(&stage, ""), "in CI");
    });
}

#[test]
fn once_refuses_what_is_incomplete() {
    in_both_formats(|format| {
        let mut stage = Stage::new("once_incomplete", Driver::Sqlite).in_format(format);
        stage.environment =
            vec![("SUPER8_MODE", "once".into()), ("SUPER8_CASSETTE", stage.cassette().display().to_string())];
        done(&stage, Way::Off, &Program::c("reconnect.c"), "record");
        let (log, metadata) = (stage.log(), stage.cassette().join("metadata.yml"));
        let read = |file: &Path| std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{error}"));
        let (file, fetch, incomplete) = match format {
            Format::Yaml => {
                (&metadata, "- method: fetch", read(&metadata).replace("complete: true", "complete: false"))
            }
            Format::Ndjson => {
                let text = read(&log);
                let (whole, mark) = text.trim_end().rsplit_once('\n').unwrap_or_default();
                assert!(mark.contains("\"identifier\":\"complete\""), "{mark}");
                (&log, "\"method\":\"fetch", format!("{whole}\n"))
            }
        };
        std::fs::write(file, incomplete).unwrap_or_else(|error| panic!("{error}"));
        let last = format!("{}:{} d/2", log.file_name().unwrap_or_default().to_string_lossy(), last_line(&log, fetch));
        let refused = stage.run(Way::Off, &who(&stage, ""));
        let text = refused.text();
        assert!(!refused.succeeded() && text.contains("the recording is incomplete"), "{text}");
        for part in [last, "super8 record ".into(), "super8 recover ".into()] {
            assert!(text.contains(&part), "{part}: {text}");
        }
    });
}

/// The last line of a file that has a part, from 1.
fn last_line(file: &Path, part: &str) -> usize {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{error}"));
    text.lines().enumerate().filter(|(_, line)| line.contains(part)).map(|(at, _)| at + 1).last().unwrap_or(0)
}
