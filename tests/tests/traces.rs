//! NDJSON cassettes: which trace a connection belongs to, several traces in one process.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use super8_tests::cassette_files::{files, names};
use super8_tests::compare::assert_same;
use super8_tests::driver::Driver;
use super8_tests::format::Format;
use super8_tests::outcome::Outcome;
use super8_tests::products::repository;
use super8_tests::program::Program;
use super8_tests::ways::{Stage, Way};

const ONE: &str = "00-11111111111111111111111111111111-00f067aa0ba902b7-01";
const TWO: &str = "00-22222222222222222222222222222222-00f067aa0ba902b7-01";

/// `traces.c` with these connections: keywords to add to the stage's own connection string, and SQL to add.
fn traces(stage: &Stage, connections: &[(&str, &str)]) -> Program {
    let target = stage.configure(Way::Off, &super8_tests::trap::Trap::new());
    let line = |(keywords, sql): &(&str, &str)| format!("{}{keywords}\t{sql}", target.connection_string);
    let lines: Vec<String> = connections.iter().map(line).collect();
    Program::c("traces.c").with_argument(lines.join("\n"))
}

fn done(stage: &Stage, way: Way, program: &Program) -> Outcome {
    let outcome = stage.run(way, program);
    program.check(&format!("{way:?}"), &outcome);
    outcome
}

fn stage(subject: &str, driver: Driver) -> Stage {
    let stage = Stage::new(subject, driver);
    stage.format.set(Format::Ndjson);
    stage
}

/// The files of a cassette, without the directory.
fn contents(cassette: &Path) -> Vec<(String, String)> {
    let name = |path: PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let found = files(cassette).into_iter();
    found.map(|(path, bytes)| (name(path), String::from_utf8_lossy(&bytes).into_owned())).collect()
}

#[test]
fn several_traces_at_once_are_as_each_alone() {
    for driver in [Driver::Sqlite, Driver::PostgresUnicode] {
        let together = stage("traces", driver);
        let all =
            traces(&together, &[("Super8TraceId=one", ""), ("Super8TraceId=two", ""), ("super8traceid={three}", "")]);
        let recorded = done(&together, Way::Record, &all);
        assert_eq!(names(&together.cassette()), ["one.ndjson", "three.ndjson", "two.ndjson"]);
        assert_same("three traces", ("recorded", &recorded), ("replayed", &done(&together, Way::Replay, &all)));
        for (name, text) in contents(&together.cassette()) {
            let id = name.trim_end_matches(".ndjson");
            let (keyword, alone) = (format!("Super8TraceId={id}"), together.scratch.join("alone").join(id));
            let elsewhere = format!("{keyword};Super8Cassette={}", alone.display());
            let recorded = done(&together, Way::Record, &traces(&together, &[(&elsewhere, "")]));
            assert!(contents(&alone) == [(name, text)], "{keyword}: a trace alone is not what it is beside others");
            // what was recorded together is replayed alone
            let replayed = done(&together, Way::Replay, &traces(&together, &[(&keyword, "")]));
            assert_same(&keyword, ("recorded", &recorded), ("replayed", &replayed));
        }
    }
}

/// The deck says each time that it makes a cassette: once for a trace, however many connections it has, and whether they are
/// open together or one after the other.
#[test]
fn a_trace_has_one_instance_that_later_connections_use_again() {
    let mut stage = stage("instances", Driver::Sqlite);
    let connections = [("Super8TraceId=one", ""), ("Super8TraceId=two", ""), ("Super8TraceId=one", "")];
    let together = traces(&stage, &[&connections[..], &connections[..]].concat());
    let verdict = stage.scratch.join("verdict");
    stage.environment.push(("SUPER8_VERDICT", verdict.display().to_string()));
    let made = |way, program: &Program| {
        let _ = std::fs::remove_file(&verdict);
        done(&stage, way, program);
        let events = std::fs::read_to_string(&verdict).unwrap_or_default();
        let made = events.lines().filter(|event| event.contains(r#""event":"opened""#));
        let mut made: Vec<String> =
            made.filter_map(|event| Some(event.split("/traces/").nth(1)?.split('"').next()?.to_owned())).collect();
        made.sort();
        made
    };
    for way in [Way::Record, Way::Replay] {
        assert_eq!(made(way, &together), ["one.ndjson", "two.ndjson"], "{way:?}");
    }
    // one after the other, in the trace of the directory
    let again = Program::c("reconnect.c");
    for way in [Way::Record, Way::Replay] {
        assert_eq!(made(way, &again), ["traces.ndjson"], "{way:?}");
    }
    let text = std::fs::read_to_string(stage.cassette().join("traces.ndjson")).unwrap_or_default();
    assert!(text.matches(r#""identifier":"connect "#).count() > 1, "there is one connection:\n{text}");
}

/// The driver names the storages in one place only, where the registry opens cassettes.
#[test]
fn only_the_registry_makes_cassettes() {
    let sources = repository().join("shim/src");
    let makes = ["Trace::record", "Trace::read", "Directory::record", "Directory::read", "super8_cassette::create"];
    let rooms: BTreeSet<PathBuf> = files(&sources)
        .into_iter()
        .filter(|(_, text)| makes.iter().any(|make| String::from_utf8_lossy(text).contains(make)))
        .map(|(path, _)| path.strip_prefix(&sources).unwrap_or(&path).to_owned())
        .collect();
    assert_eq!(rooms, BTreeSet::from([PathBuf::from("cassettes/location.rs")]));
}

#[test]
fn the_first_place_that_names_a_trace_wins() {
    let mut stage = stage("named", Driver::Sqlite);
    let program =
        |keywords: &str| Program::c("who.c").with_argument(format!("DSN={};{keywords}", super8_tests::ways::SOURCE));
    let mut expected = vec!["traces.ndjson".to_owned()];
    done(&stage, Way::Record, &program(""));
    assert_eq!(names(&stage.cassette()), expected, "the directory's name");
    stage.environment.push(("TRACEPARENT", ONE.into()));
    done(&stage, Way::Record, &program(""));
    expected.insert(0, "11111111111111111111111111111111.ndjson".to_owned());
    assert_eq!(names(&stage.cassette()), expected, "TRACEPARENT");
    stage.environment.push(("SUPER8_TRACE_ID", "variable".into()));
    done(&stage, Way::Record, &program(""));
    expected.push("variable.ndjson".to_owned());
    assert_eq!(names(&stage.cassette()), expected, "SUPER8_TRACE_ID");
    done(&stage, Way::Record, &program("Super8TraceId=keyword"));
    expected.insert(1, "keyword.ndjson".to_owned());
    assert_eq!(names(&stage.cassette()), expected, "the connection string");
    done(&stage, Way::Replay, &program("Super8TraceId=keyword"));
    let missing = stage.run(Way::Replay, &program("Super8TraceId=other"));
    assert!(missing.text().contains("there is no cassette here"), "{}", missing.text());
}

#[test]
fn no_path_is_smuggled_in() {
    for (variable, value) in
        [("SUPER8_TRACE_ID", "../escaped"), ("TRACEPARENT", "00-../../../../../../../tmp/escaped00-1-01")]
    {
        let mut stage = stage("smuggled", Driver::Sqlite);
        stage.environment.push((variable, value.into()));
        let refused = stage.run(Way::Record, &Program::c("who.c"));
        assert!(refused.text().contains(variable) && !refused.succeeded(), "{}", refused.text());
        assert!(!stage.cassette().exists(), "something was created");
    }
}

/// The configuration names a directory; a trace's file is refused before anything is created.
#[test]
fn a_file_is_no_configuration() {
    let mut stage = stage("file", Driver::Sqlite);
    let file = stage.scratch.join("traces").join("orders.ndjson");
    stage.environment.push(("SUPER8_CASSETTE", file.display().to_string()));
    for way in [Way::Record, Way::Replay] {
        let refused = stage.run(way, &Program::c("who.c"));
        assert!(
            refused.text().contains("is a trace's file, and a cassette's name is that of a directory")
                && !refused.succeeded(),
            "{}",
            refused.text()
        );
        assert!(!file.parent().is_some_and(Path::exists), "something was created");
    }
}

#[test]
fn real_spans_are_recorded_on_request_and_replay() {
    let mut stage = stage("spans", Driver::Sqlite);
    stage.environment = vec![("SUPER8_SPANS", "real".into()), ("TRACEPARENT", TWO.into())];
    let program = Program::c("results.c");
    let recorded = done(&stage, Way::Record, &program);
    let text = &contents(&stage.cassette())[0].1;
    for key in ["\"spanId\":\"", "\"parentSpanId\":\"00f067aa0ba902b7\"", "\"timestamp\":\"2"] {
        assert!(text.lines().all(|line| line.contains(key)), "{key} is missing in {text}");
    }
    assert!(text.lines().all(|line| line.contains("\"traceId\":\"22222222222222222222222222222222\"")));
    assert_same("spans", ("recorded", &recorded), ("replayed", &done(&stage, Way::Replay, &program)));
}

/// sqlcommenter puts a traceparent into the SQL. Where nobody else names a trace, a connection's first text does: what came
/// before it is in the trace of the directory, and the connection itself in both.
#[test]
fn the_first_statement_may_name_the_trace() {
    for driver in [Driver::Sqlite, Driver::PostgresUnicode] {
        let mut stage = stage("commented", driver);
        let [one, two] = [ONE, TWO].map(|parent| format!(" /*action='x',traceparent='{parent}'*/"));
        let all = traces(&stage, &[("", &one), ("", ""), ("", &two)]);
        let recorded = done(&stage, Way::Record, &all);
        let files =
            ["11111111111111111111111111111111.ndjson", "22222222222222222222222222222222.ndjson", "traces.ndjson"];
        assert_eq!(names(&stage.cassette()), files);
        assert_same("by comment", ("recorded", &recorded), ("replayed", &done(&stage, Way::Replay, &all)));
        let together = contents(&stage.cassette());
        for (text, expected) in together.iter().zip(["traceparent", "traceparent", "'two'\""]) {
            assert!(text.1.contains(expected) && text.1.contains("\"autocommit\""), "{}", text.1);
        }
        // each is what it is alone
        let elsewhere = stage.scratch.join("alone").join("traces");
        stage.environment = vec![("SUPER8_CASSETTE", elsewhere.display().to_string())];
        let alone = done(&stage, Way::Record, &traces(&stage, &[("", &one)]));
        assert!(contents(&elsewhere)[0] == together[0], "the first trace alone is not what it is beside others");
        let replayed = done(&stage, Way::Replay, &traces(&stage, &[("", &one)]));
        assert_same("alone", ("recorded", &alone), ("replayed", &replayed));
        // another trace is another cassette, and there is none
        let other = one.replace("1111", "3333");
        let missing = stage.run(Way::Replay, &traces(&stage, &[("", &other)]));
        assert!(missing.text().contains("there is no cassette here"), "{}", missing.text());
        // somebody named the trace: the comment is only a comment
        let named = stage.scratch.join("named");
        let keyword = format!("Super8Cassette={};Super8TraceId=mine", named.display());
        done(&stage, Way::Record, &traces(&stage, &[(&keyword, &two)]));
        assert_eq!(names(&named), ["mine.ndjson"]);
    }
}
