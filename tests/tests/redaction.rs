//! Redaction by rules: the values never reach the cassette, replay passes, and a changed value still fails.

use super8_tests::cassette_files::{commands, files, leaks};
use super8_tests::desk::Desk;
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

/// Without a variable the rules are those of `super8.yml` where the program runs.
#[test]
fn rules_are_found_where_the_program_runs() {
    in_both_formats(|format| {
        let stage = Stage::new("redaction_usual", Driver::Sqlite).in_format(format);
        stage.scratch.write("work/super8.yml", "patterns: ['first|second']\nkey: k\n");
        let program = Program::c("steps.c").with_argument("same");
        program.check("record", &stage.run(Way::Record, &program));
        let found = leaks(&files(&stage.cassette()), "second");
        assert!(found.is_empty() && commands(&stage.cassette()).contains("<redacted "), "{found:?}");
        program.check("replay", &stage.run(Way::Replay, &program));
    });
}

/// positioned.c writes through bound columns: by SQLSetPos, SQLBulkOperations, with data at execution. The names of the
/// columns say what is redacted; only the SQL that fills the table needs a pattern.
#[test]
fn rows_that_are_written_are_redacted_by_name() {
    let rules = "columns:\n  - name: NAME\npatterns:\n  - 'thing \\d'\nkey: k\n";
    in_both_formats(|format| {
        let stage = stage(format, "redacted_rows", Driver::PostgresUnicode, rules);
        let program = Program::c("positioned.c");
        program.check("record", &stage.run(Way::Record, &program));
        for value in ["thing 1", "added", "all 0", "in pieces", "bulk 0", "by mark 1"] {
            let found = leaks(&files(&stage.cassette()), value);
            assert!(found.is_empty(), "{value}: {found:?}");
        }
        let replayed = stage.run(Way::Replay, &program);
        assert!(!replayed.text().contains("[super8]"), "{}", replayed.text());
        program.check("replay", &replayed);

        let same = Program::c("positioned.c").with_argument("same");
        same.check("record", &stage.run(Way::Record, &same));
        assert!(!stage.run(Way::Replay, &same).text().contains("[super8]"));
        for other in ["value", "piece"] {
            let changed = stage.run(Way::Replay, &Program::c("positioned.c").with_argument(other));
            assert!(changed.text().contains("[super8] replay"), "{other} passed:\n{}", changed.text());
        }
    });
}

/// outputs.c: what procedures write to parameters is redacted by the parameter's position.
#[test]
fn output_parameters_are_redacted_by_position() {
    let rules = "parameters:\n  - {position: 1, sql: 'twice'}\nkey: k\n";
    in_both_formats(|format| {
        let stage = stage(format, "redacted_outputs", Driver::MariaDb, rules);
        let program = Program::c("outputs.c");
        let recorded = stage.run(Way::Record, &program);
        program.check("record", &recorded);
        let log = commands(&stage.cassette());
        let calls: Vec<&str> = log.split("- method: ").filter(|entry| entry.contains("<redacted ")).collect();
        assert!(!calls.is_empty() && calls.iter().all(|call| !call.contains("result: [8]")), "{calls:#?}");
        let replayed = stage.run(Way::Replay, &program);
        assert!(!replayed.text().contains("[super8]"), "{}", replayed.text());
        let changed = stage.run(Way::Replay, &Program::c("outputs.c").with_argument("changed"));
        assert!(changed.text().contains("[super8] replay"), "another value passed:\n{}", changed.text());
    });
}

/// A program that sends what it has read sends the stand-in at replay, in whatever order.
#[test]
fn what_was_read_redacted_may_be_sent_in_any_order() {
    const SCRIPT: &str = "import pyodbc, sys\n\
        connection = pyodbc.connect('DSN=shop', autocommit=True)\n\
        cursor = connection.cursor()\n\
        names = [row.name for row in cursor.execute('select name from fruit order by name')]\n\
        if sys.argv[1] == 'backwards': names.reverse()\n\
        if sys.argv[1] == 'changed': names[0] = 'quince'\n\
        for name in names:\n\
        \x20   cursor.execute('select price from fruit where name = ?', name).fetchall()\n";
    let python = super8_tests::python::interpreter().display().to_string();
    in_both_formats(|format| {
        for order in ["connection", "any"] {
            let desk = Desk::new(&format!("redacted_{order}")).in_format(format);
            desk.scratch.write("work/super8.yml", "columns: [{name: name}]\nparameters: [{position: 1}]\nkey: k\n");
            let run = |verb: &str, how: &str, code: u8| {
                let words = [verb, "--order", order, "tape", "--", &python, "-c", SCRIPT, how];
                let outcome = desk.run(&words);
                let what = format!("{verb} {order} {how}: {}", String::from_utf8_lossy(&outcome.all()));
                assert_eq!(outcome.status, format!("exit status: {code}"), "{what}");
            };
            run("record", "same", 0);
            assert_eq!(leaks(&files(&desk.scratch.join("work/tape")), "apple"), Vec::<String>::new());
            desk.clear();
            run("replay", "same", 0);
            run("replay", "backwards", if order == "any" { 0 } else { 1 });
            run("replay", "changed", 1);
        }
    });
}
