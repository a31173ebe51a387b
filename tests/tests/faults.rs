//! Commands that fail once at replay: `super8 replay --fault`, and the field `fault` of a cassette written by hand.

use std::process::Command;
use super8_tests::c_compiler::compiled;
use super8_tests::database::Database;
use super8_tests::desk::Desk;
use super8_tests::driver::Driver;
use super8_tests::format::{Format, in_both_formats};
use super8_tests::outcome::Outcome;
use super8_tests::products::repository;

/// The commands of `failing.c`, and the words that it says of each when it fails.
const COMMANDS: [&str; 12] = [
    "connect",
    "SQLSetConnectAttr",
    "SQLExecDirect",
    "SQLEndTran",
    "SQLExecDirect",
    "SQLEndTran",
    "SQLPrepare",
    "SQLExecute",
    "SQLFetch",
    "SQLMoreResults",
    "SQLTables",
    "SQLEndTran",
];

const ROWS: &str = "middle\nupper\n";
const DONE: &str = "done: everything was asked\n";

/// A desk with a recording of `failing.c`, whose database is gone.
struct Recorded {
    desk: Desk,
    program: String,
    connection_string: String,
}

impl Recorded {
    fn new(subject: &str, driver: Driver, format: Format) -> Recorded {
        let desk = Desk::new(subject).in_format(format);
        let database = Database::new(driver, subject, desk.scratch.join("work"));
        database.fresh();
        let keywords = database.keywords(database.port());
        let mut section = vec![("Driver", "tested")];
        section.extend(keywords.iter().map(|(key, value)| (*key, value.as_str())));
        let configuration = desk.configuration();
        configuration.driver("tested", &[("Driver", driver.library())]).source("shelves", &section).write();
        let connection_string = format!("DSN=shelves;{}", database.credentials());
        let script = "create table shelf (name varchar(20) primary key, amount integer)\n\
                      insert into shelf values ('upper', 7)\ninsert into shelf values ('lower', 1)\n";
        let made = Outcome::of(&desk.super8(&["run", "--", "isql", "-b", "-k", &connection_string]), script.as_bytes());
        assert!(made.succeeded(), "{}", made.errors());
        let program = compiled("failing.c").display().to_string();
        let recorded = desk.run(&["record", "tape", "--", &program, &connection_string, "again"]);
        assert_eq!(recorded.text(), format!("{ROWS}{DONE}"), "{}", recorded.errors());
        desk.clear();
        Recorded { desk, program, connection_string }
    }

    fn replay(&self, fault: &str, mode: &str) -> Outcome {
        self.desk.run(&["replay", "--fault", fault, "tape", "--", &self.program, &self.connection_string, mode])
    }
}

/// `SUPER8_BLESS=1 cargo test -p super8-tests measured` writes the tables anew; look at the difference before committing it.
#[test]
fn drivers_say_of_failures_what_was_measured() {
    for (driver, dialect) in [
        (Driver::PostgresUnicode, "postgres"),
        (Driver::PostgresAnsi, "postgres"),
        (Driver::MariaDb, "mariadb"),
        (Driver::Sqlite, "sqlite"),
    ] {
        let desk = Desk::new("faults_measured");
        let database = Database::new(driver, "faults_measured", desk.scratch.join("work"));
        database.fresh();
        let configuration = desk.configuration();
        configuration.driver("tested", &[("Driver", driver.library())]).write();
        let connection = |port: Option<u16>, more: &str| {
            let keywords = database.keywords(port).into_iter().map(|(key, value)| format!("{key}={value};"));
            format!("DRIVER=tested;{}{}{more}", keywords.collect::<String>(), database.credentials())
        };
        // nobody listens on port 1; how long SQLite waits for a lock is a keyword
        let own = connection(database.port(), if driver == Driver::Sqlite { "Timeout=200;" } else { "" });
        let mut command = Command::new(compiled("measured_faults.c"));
        command.args([own.as_str(), dialect, &connection(Some(1), "")]);
        desk.at(&mut command);
        let outcome = Outcome::of(&command, b"");
        assert!(outcome.succeeded(), "{driver:?}: {}", outcome.errors());
        let stem = driver.library().trim_end_matches(".so");
        let file = repository().join(format!("matching/src/play/driver_faults/{stem}.yml"));
        if std::env::var_os("SUPER8_BLESS").is_some() {
            std::fs::write(&file, outcome.text()).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        }
        let known = std::fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(outcome.text(), known, "{}: this driver says something else now", file.display());
    }
}

/// The lines of standard error that the program wrote.
fn told(outcome: &Outcome) -> Vec<String> {
    outcome.errors().lines().filter(|line| !line.starts_with("super8")).map(str::to_owned).collect()
}

fn every_command_fails_once(driver: Driver) {
    in_both_formats(|format| {
        let recorded = Recorded::new("faults_once", driver, format);
        for (number, what) in (1..).zip(COMMANDS) {
            for fault in ["40001", "timeout"] {
                let fault = format!("{number}={fault}");
                let outcome = recorded.replay(&fault, "again");
                assert!(outcome.succeeded(), "{fault}: {}", outcome.errors());
                assert_eq!(outcome.text(), format!("{ROWS}{DONE}"), "{fault}");
                let told = told(&outcome);
                assert_eq!(told.len(), 1, "{fault}: {told:?}");
                assert!(told[0].starts_with(what), "{fault}: {told:?}");
                assert!(told[0].ends_with(&format!("[super8-fault:{fault}]")), "{fault}: {told:?}");
                let said = outcome.errors();
                assert!(said.contains(&format!("super8: fault {fault}, command {number}: the program tried it again")));
            }
        }
    });
}

#[test]
fn every_command_fails_once_and_can_be_tried_again() {
    every_command_fails_once(Driver::Sqlite);
    every_command_fails_once(Driver::PostgresUnicode);
    every_command_fails_once(Driver::MariaDb);
}

#[test]
fn a_fault_may_strike_at_any_row_and_rows_may_end_early() {
    in_both_formats(|format| {
        let recorded = Recorded::new("faults_rows", Driver::Sqlite, format);
        for row in ["1", "2", "last"] {
            let outcome = recorded.replay(&format!("9@{row}=57014"), "again");
            assert_eq!(outcome.text(), format!("{ROWS}{DONE}"), "{row}: {}", outcome.errors());
            assert!(told(&outcome)[0].starts_with("SQLFetch(stmt): 57014 "), "{row}: {}", outcome.errors());
        }
        for (row, rows) in [("1", ""), ("2", "middle\n")] {
            let outcome = recorded.replay(&format!("9@{row}=rows-end-early"), "again");
            assert!(outcome.succeeded(), "{row}: {}", outcome.errors());
            assert_eq!((outcome.text(), told(&outcome).len()), (format!("{rows}{DONE}"), 0), "{row}");
        }
    });
}

#[test]
fn places_are_numbers_connections_statements_connects_and_texts() {
    let recorded = Recorded::new("faults_places", Driver::Sqlite, Format::Yaml);
    for (place, number) in
        [("a#4", 4), ("a/1", 3), ("a/3#2", 8), ("a/3", 7), ("connect", 1), ("sql:^delete", 5), ("sql:amount >=", 8)]
    {
        let outcome = recorded.replay(&format!("{place}=timeout"), "again");
        let said = outcome.errors();
        assert!(said.contains(&format!("{place}=timeout, command {number}: failed as it was told")), "{place}: {said}");
        assert!(outcome.succeeded(), "{place}: {said}");
    }
    for (wrong, why) in [
        ("13=timeout", "the cassette has no such command"),
        ("9@3=timeout", "the command has 2 rows"),
        ("2@2=deadlock", "the command has no rows"),
        ("3=rows-end-early", "rows-end-early is for rows"),
        ("3=commit-unknown", "commit-unknown is for a commit"),
    ] {
        let outcome = recorded.replay(wrong, "again");
        let said = outcome.errors();
        assert_eq!((outcome.status.as_str(), outcome.text()), ("exit status: 2", String::new()), "{wrong}: {said}");
        assert!(said.contains(why) && !said.contains("did not strike"), "{wrong}: {said}");
    }
    let outcome = recorded.replay("Three=timeout", "again");
    assert_eq!(outcome.status, "exit status: 2");
    assert!(outcome.errors().contains("`super8 show --numbers`"), "{}", outcome.errors());
}

#[test]
fn a_lost_connection_stays_lost_until_the_program_connects_again() {
    for driver in [Driver::Sqlite, Driver::PostgresUnicode] {
        let recorded = Recorded::new("faults_lost", driver, Format::Yaml);
        // the program does not prepare again what it had prepared, so it can go on behind these only
        for number in [2, 3, 4, 5, 6, 7, 10, 11, 12] {
            let fault = format!("{number}=lost-connection");
            let outcome = recorded.replay(&fault, "reconnects");
            assert!(outcome.succeeded(), "{fault}: {}", outcome.errors());
            assert_eq!(outcome.text(), format!("{ROWS}{DONE}"), "{fault}");
            assert_eq!(told(&outcome).len(), 1, "{fault}: {}", outcome.errors());
            // what was measured: psqlodbc says 08S01 only from the second call on
            let state = if driver == Driver::Sqlite { "08S01" } else { "57P01" };
            assert!(told(&outcome)[0].contains(&format!(": {state} dead ")), "{fault}: {}", outcome.errors());
        }
        let outcome = recorded.replay("9@2=lost-connection", "careless");
        let (lines, said) = (told(&outcome), outcome.errors());
        assert_eq!(outcome.text(), format!("middle\n{DONE}"), "{said}");
        assert!(lines[1..].iter().all(|line| line.contains(": 08S01 dead ")) && lines.len() == 4, "{lines:?}");
        assert_eq!(said.matches("the program used the lost connection").count(), 3, "{said}");
    }
}

#[test]
fn what_is_not_recorded_after_a_fault_is_told_and_is_no_mismatch() {
    let recorded = Recorded::new("faults_astray", Driver::Sqlite, Format::Yaml);
    let outcome = recorded.replay("9@2=lost-connection", "reconnects");
    assert_eq!(outcome.status, "exit status: 4", "{}", outcome.errors());
    // isql asks for something else after its first statement failed
    let desk = &recorded.desk;
    desk.scratch.directory("work/by-hand");
    desk.scratch.write(
        "work/by-hand/commands.yml",
        "- method: connect\n  dsn: shelves\n- method: run\n  sql: select 1\n  fault: deadlock\n  rows: [[1]]\n",
    );
    let connect = ["isql", "-b", "-v", "-k", "DSN=shelves"];
    let mut words = vec!["replay", "by-hand", "--"];
    words.extend(connect);
    let outcome = desk.run_with(&words, "select 1\nselect 2\nselect 1\n");
    let said = String::from_utf8_lossy(&outcome.all()).into_owned();
    assert!(said.contains("[40001]"), "{said}");
    assert!(
        said.contains("after the fault deadlock the program went where nothing is recorded: run \"select 2\""),
        "{said}"
    );
    assert!(!said.contains("mismatch"), "{said}");
}

#[test]
fn an_entry_may_take_time_and_fail_once() {
    let desk = Desk::new("faults_by_hand");
    desk.clear();
    desk.scratch.directory("work/tape");
    let log = "- method: connect\n  dsn: shop\n- method: run\n  sql: select 1\n  fault: 40001\n  delay: 300ms\n  rows: [[one]]\n";
    desk.scratch.write("work/tape/commands.yml", log);
    let begun = std::time::Instant::now();
    let words = ["replay", "tape", "--", "isql", "-b", "-v", "-k", "DSN=shop"];
    let outcome = desk.run_with(&words, "select 1\nselect 1\n");
    let said = String::from_utf8_lossy(&outcome.all()).into_owned();
    assert!(said.contains("[40001]") && said.contains("one"), "{said}");
    assert!(begun.elapsed() >= std::time::Duration::from_millis(300), "{said}");
    for (wrong, why) in [
        ("fault: slow", "is not a fault"),
        ("fault: commit-unknown", "is for a commit"),
        ("fault: rows-end-early", "is for rows"),
        ("fault: [deadlock, timeout]", "write one fault"),
        ("delay: soon", "is not a time"),
        ("delay: 300", "`300` is not a time"),
        ("fault: timeout\n  times: 2", "times"),
    ] {
        desk.scratch.write("work/tape/commands.yml", log.replace("fault: 40001\n  delay: 300ms", wrong));
        let outcome = desk.run_with(&words, "select 1\n");
        let said = String::from_utf8_lossy(&outcome.all()).into_owned();
        assert!(said.contains(why) && said.contains("commands.yml:"), "{wrong}: {said}");
        let checked = desk.run(&["check", "tape"]).text();
        assert!(checked.contains(why) && !checked.contains("record again"), "{wrong}: {checked}");
    }
}
