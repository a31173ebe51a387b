//! Redaction by rules: the values never reach the cassette, replay passes, and a changed value still fails.

use super8_tests::cassette_files::{commands, files, leaks};
use super8_tests::driver::Driver;
use super8_tests::format::{Format, in_both_formats};
use super8_tests::program::Program;
use super8_tests::ways::{Stage, Way};

/// steps.c writes 'first' and 'second' in its SQL, looks for n greater than a parameter, and reads both columns.
const RULES: &str = "columns:\n  - name: T\n  - {position: 1, sql: 'count'}\nparameters:\n  - position: 1\npatterns:\n  - 'first|second'\nkey_variable: REDACTION_KEY\n";

fn stage(format: Format, subject: &str, driver: Driver, rules: &str) -> Stage {
    let mut stage = Stage::new(subject, driver).in_format(format);
    let file = stage.scratch.write("rules.yml", rules);
    stage.environment =
        vec![("SUPER8_CONFIG", file.display().to_string()), ("REDACTION_KEY", "a key of the tests".into())];
    stage
}

#[test]
fn redacted_values_are_nowhere_and_still_verified() {
    in_both_formats(|format| {
        for driver in [Driver::Sqlite, Driver::PostgresUnicode, Driver::MariaDb] {
            let stage = stage(format, "redacted", driver, RULES);
            let program = Program::c("steps.c").with_argument("same");
            let recorded = stage.run(Way::Record, &program);
            program.check("record", &recorded);
            assert!(recorded.text().contains("| second("), "recording changes nothing for the program");
            for value in ["first", "second"] {
                let found = leaks(&files(&stage.cassette()), value);
                assert!(found.is_empty(), "{value}: {found:?}");
            }
            let log = commands(&stage.cassette());
            assert!(log.contains("values (1, '<redacted ") && log.contains("params: [\"<redacted "), "{log}");

            let replayed = stage.run(Way::Replay, &program);
            program.check("replay", &replayed);
            assert!(!replayed.text().contains("| second("), "{}", replayed.text());
            let changed = stage.run(Way::Replay, &Program::c("steps.c").with_argument("param"));
            assert!(changed.text().contains("[super8] replay"), "another parameter passed:\n{}", changed.text());
        }
    });
}

#[test]
fn other_rules_and_wrong_rules_are_told() {
    in_both_formats(|format| {
        let mut stage = stage(format, "redaction_rules", Driver::Sqlite, RULES);
        let program = Program::c("steps.c").with_argument("same");
        program.check("record", &stage.run(Way::Record, &program));
        stage.environment[1].1 = "another key".into();
        let other = stage.run(Way::Replay, &program);
        assert!(
            !other.succeeded() && other.text().contains("was redacted by rules and a key that are not these"),
            "{}",
            other.text()
        );
        stage.environment.clear();
        let none = stage.run(Way::Replay, &program);
        assert!(none.text().contains("that are not here"), "{}", none.text());
        let file = stage.scratch.write("wrong.yml", "colums: []\n");
        stage.environment = vec![("SUPER8_CONFIG", file.display().to_string())];
        let wrong = stage.run(Way::Record, &program);
        assert!(wrong.text().contains("wrong.yml: colums: is not known"), "{}", wrong.text());
    });
}
