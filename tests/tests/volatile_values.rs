//! Values that change from run to run: the first live value is bound to the recorded one, and the program reads what it wrote.

use super8_tests::compare::assert_same;
use super8_tests::desk::Desk;
use super8_tests::driver::Driver;
use super8_tests::format::{Format, in_both_formats};
use super8_tests::outcome::Outcome;
use super8_tests::program::Program;
use super8_tests::ways::{Stage, Way};

const DRIVERS: [Driver; 3] = [Driver::Sqlite, Driver::PostgresUnicode, Driver::MariaDb];
const RULES: &str = "volatile:\n  - type: uuid\n  - type: timestamp\n";

/// A stage on which recordings have these rules; a replay needs no file for them.
fn stage(subject: &str, driver: Driver, rules: &str) -> Stage {
    let mut stage = Stage::new(subject, driver);
    let file = stage.scratch.write("rules.yml", rules);
    stage.environment = vec![("SUPER8_CONFIG", file.display().to_string())];
    stage
}

fn programs() -> [Program; 2] {
    [Program::c("volatile_values.c"), Program::python("volatile_values.py")]
}

#[test]
fn a_program_reads_back_what_it_wrote() {
    for driver in DRIVERS {
        for program in programs() {
            let outcome = stage(program.name(), driver, RULES).four_ways(&program);
            let text = outcome.text();
            assert!(!text.contains("instead of") && !text.contains("NOT WHAT IT WROTE"), "{text}");
        }
    }
}

#[test]
fn a_second_value_is_a_mismatch() {
    in_both_formats(|format| {
        for driver in DRIVERS {
            for (program, changed) in programs().into_iter().zip(programs()) {
                let mut stage = stage(program.name(), driver, RULES).in_format(format);
                program.check("record", &stage.run(Way::Record, &program));
                // the rules stand in the cassette
                stage.environment.clear();
                program.check("replay", &stage.run(Way::Replay, &program));
                let other = stage.run(Way::Replay, &changed.with_argument("second"));
                let report = other.errors();
                assert!(report.contains("[super8] replay mismatch: differs"), "{}{report}", other.text());
                assert!(
                    report.contains("volatile: \"") && report.contains("in this run, since parameter "),
                    "the report says what it stood for:\n{report}"
                );
            }
        }
    });
}

/// A program and a process that it starts play different parts of a cassette. A value that one of them makes means the same to the
/// other.
#[test]
fn a_value_goes_from_process_to_process() {
    for driver in DRIVERS {
        let stage = stage("volatile_handed", driver, RULES);
        let program = Program::python("handed_over.py");
        stage.in_both_formats(|stage| {
            let what = format!("handed over, {}", driver.library());
            let recorded = stage.wrapped("record", &program);
            program.check(&what, &recorded);
            assert_eq!(recorded.text().matches("what was handed over").count(), 2, "{}", recorded.text());
            assert_eq!(super8_cassette::parts_of(&stage.cassette()).len(), 1, "{what}");
            let replayed = stage.wrapped("replay", &program);
            program.check(&what, &replayed);
            assert_same(&what, ("recorded", &recorded), ("replayed", &replayed));
            let other = stage.wrapped("replay", &Program::python("handed_over.py").with_argument("other"));
            let report = other.errors() + &other.text();
            assert!(
                report.contains("replay mismatch: differs") && report.contains(" of process "),
                "the report says which process has bound it:\n{report}"
            );
        });
    }
}

/// What a connection sent was taken for the value of another recorded one. If another process has used it since, that is a mismatch; if
/// not, that process reads what turned out.
#[test]
fn a_value_that_another_process_has_used_keeps_its_meaning() {
    for driver in DRIVERS {
        let mut stage = stage("volatile_apart", driver, RULES);
        stage.environment.push(("SUPER8_ORDER", "connection".to_owned()));
        let program = |how: &[&str]| {
            how.iter().fold(Program::python("told_apart_late.py"), |program, how| program.with_argument(*how))
        };
        stage.in_both_formats(|stage| {
            let what = format!("told apart late, {}", driver.library());
            program(&[]).check(&what, &stage.wrapped("record", &program(&[])));
            assert_eq!(super8_cassette::parts_of(&stage.cassette()).len(), 1, "{what}");
            for how in [&[][..], &["early"], &["early", "turned"]] {
                let replayed = stage.wrapped("replay", &program(how));
                program(how).check(&format!("{what} {how:?}"), &replayed);
                assert!(
                    replayed.text().contains("what was written"),
                    "{how:?}: {}{}",
                    replayed.text(),
                    replayed.errors()
                );
            }
            let turned = stage.wrapped("replay", &program(&["turned"]));
            assert!(turned.errors().contains("another process has used it"), "{}{}", turned.text(), turned.errors());
        });
    }
}

#[test]
fn two_recorded_values_stay_two() {
    in_both_formats(|format| {
        let program = Program::python("volatile_values.py");
        let stage = stage("volatile_merged", Driver::Sqlite, RULES).in_format(format);
        program.check("record", &stage.run(Way::Record, &program));
        let merged = stage.run(Way::Replay, &Program::python("volatile_values.py").with_argument("merged"));
        let report = merged.errors();
        assert!(report.contains("[super8] replay mismatch: differs"), "{}{report}", merged.text());
        assert!(report.contains("two recorded values that differ stay different"), "{report}");
    });
}

#[test]
fn marks_of_entries_bind_too() {
    for driver in DRIVERS {
        let program = Program::python("volatile_values.py");
        let stage = Stage::new("volatile_marks", driver);
        program.check("record", &stage.run(Way::Record, &program));
        let log = std::fs::read_to_string(stage.log()).unwrap();
        let marked: Vec<String> = log
            .lines()
            .map(|line| match line.starts_with("  params: [1, ") || line.starts_with("  params: [2, ") {
                true => format!("{line}\n  volatile: [\"params 2\", \"params 3\", \"params 4\"]\n"),
                false => format!("{line}\n"),
            })
            .collect();
        std::fs::write(stage.log(), marked.concat()).unwrap();
        let replayed = stage.run(Way::Replay, &program);
        program.check("replay", &replayed);
        assert!(!replayed.text().contains("instead of"), "{}", replayed.text());
        let other = stage.run(Way::Replay, &Program::python("volatile_values.py").with_argument("second"));
        assert!(other.errors().contains("in this run, since parameter 2 of "), "{}", other.errors());
    }
}

const ORDER: &str = "volatile:\n  - {sql: 'code in \\(', unordered: true}\n";

#[test]
fn rules_by_clock_position_and_order() {
    let rules = format!(
        "{ORDER}  - type: uuid\n  - {{type: timestamp, within: 1d}}\n  - {{position: 2, sql: '^insert into r '}}\n"
    );
    for driver in DRIVERS {
        let outcome = stage("volatile_rules", driver, &rules).four_ways(&Program::python("volatile_rules.py"));
        assert!(!outcome.text().contains("instead of"), "{}", outcome.text());
    }
}

#[test]
fn a_report_names_all_values_and_the_rules() {
    in_both_formats(|format| {
        let program = Program::python("volatile_values.py");
        let stage = stage("volatile_report", Driver::Sqlite, "volatile:\n  - type: timestamp\n").in_format(format);
        program.check("record", &stage.run(Way::Record, &program));
        let report = stage.run(Way::Replay, &program).errors();
        assert!(
            report.contains("difference: parameter 2 differs") && report.contains("difference: parameter 3 differs"),
            "{report}"
        );
        assert!(
            report.contains("add to super8.yml, for all entries, and record again\n  volatile:\n    - type: uuid\n"),
            "{report}"
        );
        let without_rules = Stage::new("volatile_reported", Driver::Sqlite).in_format(format);
        program.check("record", &without_rules.run(Way::Record, &program));
        let report = without_rules.run(Way::Replay, &program).errors();
        assert!(report.contains("  volatile:\n    - type: uuid\n    - type: timestamp\n"), "{report}");
    });
}

#[test]
fn rules_are_found_and_proved() {
    in_both_formats(|format| {
        let program = Program::python("volatile_rules.py");
        for driver in DRIVERS {
            let stage = stage("volatile_found", driver, ORDER).in_format(format);
            let recorded = stage.wrapped("record --find-volatile --write", &program);
            let rules = std::fs::read_to_string(&stage.environment[0].1).unwrap();
            assert!(recorded.succeeded(), "{}{}", recorded.text(), recorded.errors());
            for rule in ["  - type: uuid\n", "  - type: timestamp\n", "  - {position: 2, sql: '", "unordered: true"] {
                assert!(rules.contains(rule), "{rule} is not in\n{rules}{}", recorded.text());
            }
            assert!(recorded.text().contains("\nis read back: "), "{}", recorded.text());
            assert!(!recorded.text().contains("only the database"), "{}", recorded.text());
            let replayed = stage.wrapped("replay", &program);
            program.check("replay", &replayed);
            assert!(!replayed.text().contains("instead of"), "{}", replayed.text());
        }
    });
}

/// Rules are found for programs in other languages too, and a second value is a mismatch there.
#[test]
fn rules_are_found_for_ruby_and_node() {
    let programs = [|| Program::ruby_odbc("volatile_rules.rb"), || Program::node("volatile_rules.mjs")];
    for (program, driver) in
        programs.iter().flat_map(|program| DRIVERS[..2].iter().map(move |driver| (program, *driver)))
    {
        let stage = stage(&format!("found_{}", program().name()), driver, ORDER);
        let recorded = stage.wrapped("record --find-volatile --write", &program());
        let rules = std::fs::read_to_string(&stage.environment[0].1).unwrap();
        assert!(recorded.succeeded(), "{}{}", recorded.text(), recorded.errors());
        assert!(rules.contains("  - type: uuid\n") && rules.contains("  - type: timestamp\n"), "{rules}");
        let replayed = stage.wrapped("replay", &program());
        program().check("replay", &replayed);
        assert!(!replayed.text().contains("instead of"), "{}", replayed.text());
        let other = stage.wrapped("replay", &program().with_argument("other"));
        let report = other.errors() + &other.text();
        assert!(
            report.contains("replay mismatch: differs") && report.contains("in this run, since parameter 1"),
            "{report}"
        );
    }
}

#[test]
fn read_backs_are_told_from_what_the_database_makes() {
    for driver in DRIVERS {
        let program = Program::python("volatile_found.py").with_argument("readback");
        let stage = stage("volatile_readback", driver, "");
        let recorded = stage.wrapped("record --find-volatile --write", &program);
        let text = recorded.text() + &recorded.errors();
        assert!(recorded.succeeded(), "{text}");
        let columns = |what: &str| {
            let lines = text.lines().filter(|line| line.starts_with(what));
            lines.filter_map(|line| line.split(": column ").nth(1)?.split(':').next()).collect::<Vec<_>>()
        };
        assert_eq!(columns("is read back: "), ["1", "2"], "{text}");
        assert_eq!(columns("only the database makes it"), ["3"], "{text}");
        assert!(text.contains("same: [{position: 2, sql: '") && text.contains("{column: 2, sql: '"), "{text}");
        assert!(!text.contains("{column: 1, sql: '"), "a long number needs no column: {text}");
    }
}

#[test]
fn what_the_database_makes_needs_no_rule() {
    in_both_formats(|format| {
        let program = |wrong: &str| Program::python("volatile_found.py").with_argument("database").with_argument(wrong);
        for driver in DRIVERS {
            let stage = stage("volatile_made", driver, "# mine\n").in_format(format);
            let recorded = stage.wrapped("record --find-volatile --write", &program(""));
            let text = recorded.text() + &recorded.errors();
            assert!(recorded.succeeded() && text.contains("made by the database"), "{text}");
            let only = "only the database makes it: a replay gives what was recorded: ";
            assert!(text.contains(only) && text.contains(": column 1: 1 was recorded, 2 then"), "{text}");
            assert!(!text.contains("is read back"), "{text}");
            assert!(text.contains("a replay passes without new rules"), "{text}");
            assert_eq!(std::fs::read_to_string(&stage.environment[0].1).unwrap(), "# mine\n");
            let replayed = stage.wrapped("replay", &program("wrong"));
            assert!(!replayed.succeeded(), "a wrong id passes: {}", replayed.text());
        }
    });
}

#[test]
fn names_and_lists_are_found() {
    let cases = [
        ("names", r"volatile:\n  - pattern: '\btmp_[0-9a-f]{8}\b'\n".replace(r"\n", "\n")),
        ("lists", r"volatile:\n  - {sql: '\bid\s+in\s*\(', unordered: true}\n".replace(r"\n", "\n")),
    ];
    for driver in DRIVERS {
        for (mode, rules) in &cases {
            let program = Program::python("volatile_found.py").with_argument(*mode);
            let stage = stage("volatile_names", driver, "");
            let recorded = stage.wrapped("record --find-volatile --write", &program);
            assert!(recorded.succeeded(), "{}{}", recorded.text(), recorded.errors());
            assert_eq!(std::fs::read_to_string(&stage.environment[0].1).unwrap(), *rules);
            program.check("replay", &stage.wrapped("replay", &program));
        }
    }
}

/// The directory that a message names, with the recording of the second run.
fn kept(errors: &str) -> &str {
    errors.split("is below ").nth(1).and_then(|rest| rest.split(". The first run").next()).unwrap()
}

#[test]
fn a_second_run_that_differs_is_named() {
    let program = Program::python("volatile_found.py").with_argument("more");
    let stage = stage("volatile_more", Driver::Sqlite, "");
    let recorded = stage.wrapped("record --find-volatile --write", &program);
    let errors = recorded.errors();
    assert_eq!(recorded.status, "exit status: 2", "{errors}");
    assert!(errors.contains("the second run did not succeed") && errors.contains("the second run does"), "{errors}");
    let below = kept(&errors);
    assert!(std::path::Path::new(below).join("second/again").exists(), "{errors}");
    std::fs::remove_dir_all(below).unwrap();
    assert_eq!(std::fs::read_to_string(&stage.environment[0].1).unwrap(), "");
}

#[test]
fn a_failed_first_run_is_not_searched() {
    let program = Program::python("volatile_found.py");
    let stage = stage("volatile_failed", Driver::Sqlite, "");
    let recorded = stage.wrapped("record --find-volatile --write", &program);
    assert!(!recorded.succeeded() && recorded.errors().contains("no volatile values were looked for"));
}

#[test]
fn a_command_with_an_exit_code_of_its_own_is_searched_on_request() {
    let desk = Desk::new("volatile_kept");
    let values =
        "'$(date +%s.%N | md5sum | sed -E \"s/(.{8})(.{4})(.{4})(.{4})(.{12}).*/\\\\1-\\\\2-\\\\3-\\\\4-\\\\5/\")'";
    let script = format!("echo \"select name from fruit where name <> {values}\" | isql shop -b; exit 3");
    let find = |words: &[&str]| {
        desk.run(&[&["record", "--find-volatile"], words, &["tape", "--", "sh", "-c", &script]].concat())
    };
    let refused = find(&[]);
    assert_eq!(refused.status, "exit status: 3", "{}", refused.errors());
    assert!(refused.errors().contains("no volatile values were looked for (--keep takes"), "{}", refused.errors());
    let found = find(&["--keep", "--write"]);
    let text = found.text() + &found.errors();
    assert_eq!(found.status, "exit status: 0", "{text}");
    assert!(text.contains("- type: uuid"), "{text}");
    let replay = |script: &str| desk.run(&["replay", "--keep", "tape", "--", "sh", "-c", script]);
    assert_eq!(replay(&script).status, "exit status: 3", "{}", replay(&script).errors());
    assert_eq!(replay(&script.replace("name <>", "name <")).status, "exit status: 120");
}

/// Two commands that merely come in another order are alike enough for a rule that covers a part of them.
#[test]
fn a_rule_that_covers_only_a_part_of_a_command_is_not_proposed() {
    let desk = Desk::new("volatile_order");
    let script = r#"
        a="create index users_all on users (id, test2, test1)"; b="create unique index users_two on users (test1, test2)"
        if test -e turned; then set -- "$b" "$a"; else set -- "$a" "$b"; touch turned; fi
        make="create table users (id int, test1 int, test2 int)"
        printf '%s\n' "drop table if exists users" "$make" "$1" "$2" | isql shop -b"#;
    let found = desk.run(&["record", "--find-volatile", "--write", "tape", "--", "sh", "-c", script]);
    let text = found.text();
    assert_eq!(found.status, "exit status: 1", "{text}{}", found.errors());
    assert_eq!(text.matches("changes, and no rule covers it: ").count(), 2, "{text}");
    assert!(!text.contains("volatile:") && !text.contains("pattern:"), "{text}");
}

#[test]
fn runs_are_compared_connection_by_connection() {
    for driver in DRIVERS {
        in_both_formats(|format| {
            let program = Program::python("volatile_sessions.py").with_argument("by turns");
            let mut stage = stage("volatile_turns", driver, "").in_format(format);
            let recorded = stage.wrapped("record --find-volatile --write", &program);
            let text = recorded.text();
            assert!(text.contains("changes, and no rule covers it: "), "{text}");
            assert_eq!(recorded.status, "exit status: 1", "{text}");
            assert_eq!(std::fs::read_to_string(&stage.environment[0].1).unwrap(), "");
            stage.environment.push(("SUPER8_ORDER", "connection".to_owned()));
            let recorded = stage.wrapped("record --find-volatile --write", &program);
            let rules = std::fs::read_to_string(&stage.environment[0].1).unwrap();
            assert!(recorded.succeeded(), "{}{}", recorded.text(), recorded.errors());
            assert!(rules.contains("- type: uuid"), "{rules}");
            let replayed = stage.wrapped("replay", &program);
            program.check("replay", &replayed);
            assert!(!replayed.text().contains("instead of"), "{}", replayed.text());
        });
    }
}

#[test]
fn names_that_differ_by_process_are_not_searched_and_others_are() {
    let desk = Desk::new("volatile_placeholders");
    for name in ["tape-%t", "tape-%c", "tape-%p"] {
        let outcome = desk.run(&["record", "--find-volatile", name, "--", "touch", "was-run"]);
        assert!(outcome.errors().contains("without placeholders; nothing was run"), "{name}: {}", outcome.errors());
        assert_eq!(outcome.status, "exit status: 125", "{name}");
        assert!(!desk.scratch.join("work/was-run").exists(), "{name}");
    }
    // a variable of the environment is the same in all runs
    let script = "echo \"select name from fruit where name <> '$(date +%F) $(date +%T.%N)'\" | isql shop -b";
    let mut command = desk.super8(&["record", "--find-volatile", "tape-%{TEST}", "--", "sh", "-c", script]);
    let outcome = Outcome::of(command.env("TEST", "one"), b"");
    assert!(desk.scratch.join("work/tape-one/commands.yml").exists(), "{}", outcome.errors());
    assert!(outcome.succeeded() && outcome.text().contains("- type: timestamp"), "{}", outcome.text());
}

const PLACES: &str = "volatile:\n  - {position: 2, sql: '^insert into w'}\n  - {position: 3, sql: '^insert into w'}\n";

#[test]
fn lengths_are_those_of_the_live_value() {
    let texts = ["eleven text", "a text that is longer than it was"];
    in_both_formats(|format| {
        for driver in DRIVERS {
            for (recorded, live) in [(texts[0], texts[1]), (texts[1], texts[0])] {
                let program = |text: &str| Program::c("volatile_lengths.c").with_argument(text);
                let stage = stage("volatile_lengths", driver, PLACES).in_format(format);
                program(recorded).check("record", &stage.run(Way::Record, &program(recorded)));
                let bare = stage.run(Way::Bare, &program(live));
                assert_same("another text", ("bare", &bare), ("replay", &stage.run(Way::Replay, &program(live))));
            }
        }
    });
}

#[test]
fn connections_that_are_told_apart_later_have_their_own_values() {
    for driver in DRIVERS {
        in_both_formats(|format| {
            let program = |how: &str| Program::python("volatile_sessions.py").with_argument(how);
            let mut stage = stage("volatile_sessions", driver, RULES).in_format(format);
            stage.environment.push(("SUPER8_ORDER", "connection".to_owned()));
            program("as recorded").check("record", &stage.run(Way::Record, &program("as recorded")));
            for how in ["as recorded", "turned", "swapped", "turned and swapped"] {
                let replayed = stage.run(Way::Replay, &program(how));
                program(how).check(how, &replayed);
                assert!(!replayed.text().contains("instead of"), "{how}: {}{}", replayed.text(), replayed.errors());
            }
        });
    }
}

/// Short values, each with the places where it is sent and comes back.
const SAME: &str = r"volatile:
  - same: [{position: 1, sql: '^insert into orders'}, {position: 1, sql: 'where id = '}, {column: 1, sql: '^select id'}]
  - same:
      - {position: 3, sql: '^insert into orders'}
      - {column: 3, sql: '^select id, qty, code'}
  - same: [{pattern: '^insert into notes values \(([0-9]+)'}, {pattern: 'where n = ([0-9]+)'}, {column: 1, sql: '^select n '}]
";

fn short_programs() -> [Program; 2] {
    [Program::c("short_values.c"), Program::python("short_values.py")]
}

#[test]
fn short_values_are_the_same_in_the_places_of_a_rule() {
    for driver in DRIVERS {
        for program in short_programs() {
            let outcome = stage(program.name(), driver, SAME).four_ways(&program);
            let text = outcome.text();
            assert!(!text.contains("instead of") && !text.contains("NOT WHAT IT WROTE"), "{text}");
        }
    }
}

#[test]
fn another_short_value_in_a_place_is_a_mismatch() {
    in_both_formats(|format| {
        let program = Program::python("short_values.py");
        let stage = stage("short_other", Driver::Sqlite, SAME).in_format(format);
        program.check("record", &stage.run(Way::Record, &program));
        let other = stage.run(Way::Replay, &Program::python("short_values.py").with_argument("other"));
        let report = other.errors();
        assert!(report.contains("[super8] replay mismatch: differs"), "{}{report}", other.text());
        assert!(report.contains("in this run, since parameter 1 of "), "{report}");
    });
}

#[test]
fn rules_for_short_values_are_found_and_proved() {
    let [c, python] = short_programs().map(|program| program.with_argument("wide"));
    let runs = [(Driver::Sqlite, python, Format::Ndjson), (Driver::PostgresAnsi, c, Format::Yaml)];
    for (driver, program, format) in runs {
        let stage = stage("short_found", driver, "").in_format(format);
        let recorded = stage.wrapped("record --find-volatile --write", &program);
        let text = recorded.text() + &recorded.errors();
        assert!(recorded.succeeded(), "{text}");
        let rules = std::fs::read_to_string(&stage.environment[0].1).unwrap();
        let (sent, read) = ("  - same: [{position: 1, sql: '", "{column: 1, sql: '");
        assert!(rules.contains(sent) && rules.contains(read), "{rules}");
        assert!(!rules.contains("{column: 2"), "the quantities are the same in each run: {rules}");
        assert!(!text.contains("too short"), "{text}");
        // the rules hold for another recording too
        for way in ["replay", "record", "replay"] {
            let outcome = stage.wrapped(way, &program);
            program.check(way, &outcome);
            let text = outcome.text();
            assert!(!text.contains("instead of") && !text.contains("NOT WHAT IT WROTE"), "{way}: {text}");
        }
    }
}
