//! What replay verifies of a connect: the keywords of the connection string and of the data source's section.

use super8_tests::cassette_files::{commands, files, leaks};
use super8_tests::driver::Driver;
use super8_tests::format::{Format, in_both_formats};
use super8_tests::outcome::Outcome;
use super8_tests::program::Program;
use super8_tests::ways::{SOURCE, Stage, Way};

/// Records `who.c` on a data source with these keys of its own, and further `keywords` in the connection string.
fn recorded(format: Format, subject: &str, source: &[(&'static str, &str)], keywords: &str) -> Stage {
    let mut stage = Stage::new(subject, Driver::Sqlite).in_format(format);
    stage.source = keys(source);
    let program = who(keywords);
    program.check("record", &stage.run(Way::Record, &program));
    stage
}

fn keys(source: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    source.iter().map(|(key, value)| (*key, (*value).to_owned())).collect()
}

fn who(keywords: &str) -> Program {
    Program::c("who.c").with_argument(format!("DSN={SOURCE};{keywords}"))
}

fn replayed(stage: &mut Stage, source: &[(&'static str, &str)], keywords: &str) -> Outcome {
    stage.source = keys(source);
    stage.run(Way::Replay, &who(keywords))
}

fn refused(outcome: &Outcome, keyword: &str) {
    let text = outcome.text();
    assert!(!outcome.succeeded() && text.contains("[super8] replay") && text.contains(keyword), "{text}");
    let report = outcome.errors();
    assert!(report.contains("expected:") && report.contains(&format!("difference: {keyword}")), "no report:\n{report}");
}

#[test]
fn only_harmless_keys_of_the_section_are_recorded() {
    in_both_formats(|format| {
        let source =
            [("Timeout", "1000"), ("Pwd", "Geheim-1"), ("FooKey", "Geheim-2"), ("Server", "tcp://u:Geheim-3@h")];
        let stage = recorded(format, "section_keys", &source, "");
        let log = commands(&stage.cassette());
        let section: Vec<&str> = log.lines().skip_while(|line| *line != "  dsn_section:").take(3).collect();
        assert_eq!(section[..2], ["  dsn_section:", &format!("    Database: {}", stage.database.name())], "{log}");
        assert!(section[2].starts_with("    Timeout: "), "{log}");
        for word in ["Geheim", "FooKey", "Driver=", "RealDriver"] {
            let found = leaks(&files(&stage.cassette()), word);
            assert!(found.is_empty(), "{word}: {found:?}");
        }
    });
}

#[test]
fn another_default_library_is_another_database() {
    in_both_formats(|format| {
        let mut stage = recorded(format, "library", &[("System", "as400"), ("DefaultLibraries", "SALES,QGPL")], "");
        refused(&replayed(&mut stage, &[("DefaultLibraries", "TEST,QGPL")], ""), "dsn_section: DEFAULTLIBRARIES");
        refused(&replayed(&mut stage, &[], "DefaultLibraries=TEST"), "dsn_section: DEFAULTLIBRARIES");
        let other_host = [("System", "test400"), ("DefaultLibraries", "SALES,QGPL")];
        who("").check("another host", &replayed(&mut stage, &other_host, ""));
        who("").check("no library named", &replayed(&mut stage, &[], ""));
    });
}

#[test]
fn strict_compares_keyword_by_keyword() {
    in_both_formats(|format| {
        let mut stage = recorded(format, "strict", &[("Timeout", "1000")], "LongNames=1;StepAPI=0;PWD=one");
        stage.environment.push(("SUPER8_CONNECT", "strict".into()));
        let same = [("timeout", "1000")];
        who("").check("in another order", &replayed(&mut stage, &same, "STEPAPI={0};PWD=two;LongNames=1"));
        refused(&replayed(&mut stage, &same, "LongNames=0;StepAPI=0;PWD=one"), "connection_string: LONGNAMES");
        refused(&replayed(&mut stage, &same, "LongNames=1;PWD=one"), "connection_string: STEPAPI");
        refused(&replayed(&mut stage, &[("Timeout", "9")], "LongNames=1;StepAPI=0;PWD=one"), "dsn_section: TIMEOUT");
    });
}

/// A key of the data source's section that changes from run to run is named in the cassette; the others stay.
#[test]
fn a_key_of_the_section_can_be_volatile() {
    in_both_formats(|format| {
        let source = [("DefaultLibraries", "RUN8431,QGPL"), ("Schema", "sales")];
        let mut stage = recorded(format, "section_volatile", &source, "");
        let other = [("DefaultLibraries", "RUN8432"), ("Schema", "sales")];
        refused(&replayed(&mut stage, &other, ""), "dsn_section: DEFAULTLIBRARIES");
        let log = std::fs::read_to_string(stage.log()).unwrap();
        let named = match format {
            Format::Yaml => ("  dsn_section:", "  volatile: [\"keyword DefaultLibraries\"]\n  dsn_section:"),
            Format::Ndjson => ("\"dsn_section\":", "\"volatile\":[\"keyword DefaultLibraries\"],\"dsn_section\":"),
        };
        std::fs::write(stage.log(), log.replace(named.0, named.1)).unwrap();
        who("").check("another library", &replayed(&mut stage, &other, ""));
        who("").check("in the string", &replayed(&mut stage, &[("Schema", "sales")], "DefaultLibraries=RUN8433"));
        refused(&replayed(&mut stage, &[("Schema", "stock")], ""), "dsn_section: SCHEMA");
        let advice = replayed(&mut stage, &[("Schema", "stock")], "").errors();
        assert!(advice.contains("[\"keyword DefaultLibraries\", \"keyword SCHEMA\"]"), "{advice}");
    });
}
