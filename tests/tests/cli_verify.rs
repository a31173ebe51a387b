//! `super8 verify`: recorded reads, held against a database that changed since.

use std::process::Command;
use super8_tests::desk::Desk;
use super8_tests::driver::Driver;
use super8_tests::format::{Format, in_both_formats};
use super8_tests::outcome::Outcome;
use super8_tests::program::Program;
use super8_tests::trap::Trap;
use super8_tests::ways::{Stage, Way};
use super8_tests::{products, python};

const ALL: &str = "select name, price from fruit order by name";
const ONE: &str = "select price from fruit where name = 'pear'";
const MORE: &str = "insert into fruit values ('quince', 9)";
const WRONG: &str = "select nothing from nowhere";

/// A desk with a recording of these statements, and the database as it was before.
fn recorded(format: Format, subject: &str, statements: &[&str]) -> Desk {
    let desk = Desk::new(subject).in_format(format);
    let script = products::repository().join("tests/programs/python/swallow.py").display().to_string();
    let interpreter = python::interpreter().display().to_string();
    let mut words = vec!["record", "tape", "--", &interpreter, &script, "DSN=shop"];
    words.extend(statements);
    let outcome = desk.run(&words);
    assert_eq!(outcome.status, "exit status: 0", "{}", outcome.errors());
    desk.stock();
    desk
}

#[track_caller]
fn verified(desk: &Desk, words: &[&str], code: u8) -> Outcome {
    let outcome = desk.run(&[&["verify", "tape"], words].concat());
    assert_eq!(outcome.status, format!("exit status: {code}"), "{}{}", outcome.text(), outcome.errors());
    outcome
}

#[test]
fn an_unchanged_database_does_not_diverge_and_is_not_changed() {
    in_both_formats(|format| {
        let desk = recorded(format, "verify_same", &[ALL, ONE, WRONG, MORE]);
        let before = std::fs::read(desk.database()).unwrap();
        let said = verified(&desk, &[], 0).text();
        assert!(said.contains("left out: 1, they may write"), "{said}");
        // pyodbc asks for type information on its own account.
        assert!(said.ends_with(" verified; divergences: 0 error, 0 shape, 0 data\n"), "{said}");
        assert!(std::fs::read(desk.database()).unwrap() == before, "the database was written to");
    });
}

/// PHP's functions are a program of ODBC 2, to which drivers tell other SQLSTATEs, and dates under other numbers.
#[test]
fn what_a_program_of_odbc_2_was_told_is_no_divergence() {
    const PROGRAM: &str = r#"$shop = odbc_connect("shop", "", "");
        odbc_exec($shop, "create table if not exists day (name varchar(20), due date)");
        odbc_exec($shop, "insert into day values ('monday', '2026-11-30')");
        $rows = odbc_exec($shop, "select name, due from day");
        while (odbc_fetch_row($rows)) echo odbc_result($rows, 1), odbc_result($rows, 2), odbc_field_type($rows, 2), "\n";
        if (@odbc_exec($shop, "select nothing from nowhere") !== false) exit(1);
        odbc_close($shop);"#;
    super8_tests::packages::program("php", "php-odbc");
    in_both_formats(|format| {
        let desk = Desk::new("verify_odbc2").in_format(format);
        let outcome = desk.run(&["record", "tape", "--", "php", "-r", PROGRAM]);
        assert_eq!(outcome.status, "exit status: 0", "{}{}", outcome.text(), outcome.errors());
        let log = super8_tests::cassette_files::commands(&desk.scratch.join("work/tape"));
        assert!(log.contains("S1000"), "it is no program of ODBC 2: {log}");
        let said = verified(&desk, &[], 0).text();
        assert!(said.contains("divergences: 0 error, 0 shape, 0 data"), "{said}");
    });
}

#[test]
fn a_widened_column_is_one_line_and_exit_code_2() {
    in_both_formats(|format| {
        let desk = recorded(format, "verify_shape", &[ALL, ONE]);
        desk.sql(
            "alter table fruit rename to old; create table fruit (name varchar(40), price integer); \
         insert into fruit select * from old; drop table old;",
        );
        let said = verified(&desk, &[], 2).text();
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines.len(), 2, "{said}");
        assert!(lines[0].starts_with(&format!("shape  tape/{}:", format.log("tape"))), "{said}");
        assert!(lines[0].ends_with(&format!(") {ALL}: column 1 (name): length: recorded 20, now 40")), "{said}");
    });
}

#[test]
fn other_data_are_exit_code_1_and_a_lost_table_is_2() {
    in_both_formats(|format| {
        let desk = recorded(format, "verify_data", &[ALL, ONE]);
        desk.sql("update fruit set price = 5 where name = 'pear'");
        let said = verified(&desk, &[], 1).text();
        assert!(said.contains(": row 3, column 2: recorded 4, now 5\n"), "{said}");
        assert!(said.contains("divergences: 0 error, 0 shape, 2 data"), "{said}");
        let json = verified(&desk, &["--json"], 1).text();
        assert!(json.contains("\"kind\": \"data\"") && json.contains("\"now\": \"5\""), "{json}");
        desk.sql("delete from fruit where name = 'pear'");
        let said = verified(&desk, &[], 1).text();
        assert!(said.contains("number of rows: recorded at least 3, now 2"), "{said}");
        desk.sql("drop table fruit");
        let said = verified(&desk, &[], 2).text();
        assert!(
            said.starts_with(&format!("error  tape/{}:", format.log("tape")))
                && said.contains("recorded success, now "),
            "{said}"
        );
    });
}

#[test]
fn everything_is_done_again_where_that_is_asked_for() {
    in_both_formats(|format| {
        let desk = recorded(format, "verify_all", &[MORE, ALL]);
        let said = verified(&desk, &[], 1).text();
        assert!(said.contains("number of rows"), "without the row that was inserted: {said}");
        let said = verified(&desk, &["--all"], 0).text();
        assert!(!said.contains("left out"), "{said}");
    });
}

#[test]
fn another_database_can_be_named_and_no_verdict_is_none() {
    in_both_formats(|format| {
        let desk = recorded(format, "verify_named", &[ONE]);
        std::fs::rename(desk.database(), desk.scratch.join("work/other.db")).unwrap();
        verified(&desk, &["--connection-string", "DRIVER={SQLite3};Database=other.db"], 0);
        verified(&desk, &["--dsn", "shop"], 2);
        verified(&desk, &["--dsn", "nowhere"], 125);
        let said = verified(&desk, &["--manager", "/nonexistent/libodbc.so"], 125).errors();
        assert!(said.contains("no driver manager"), "{said}");
    });
}

/// What cannot be read is no divergence.
#[test]
fn a_damaged_cassette_is_no_verdict() {
    let desk = recorded(Format::Yaml, "verify_damaged", &[ALL]);
    let tape = desk.scratch.join("work/tape");
    let files = std::fs::read_dir(&tape).unwrap().map(|file| file.unwrap().path());
    let columns: Vec<_> = files.filter(|file| file.to_string_lossy().ends_with("_columns.yml")).collect();
    columns.iter().for_each(|file| std::fs::write(file, "- name: [").unwrap());
    assert!(!columns.is_empty());
    let said = verified(&desk, &[], 125).errors();
    assert!(said.contains("_columns.yml"), "{said}");
}

/// A server's own types, typed parameters and arrays of them, text as UTF-16.
#[test]
fn a_server_is_verified_with_all_kinds_of_parameters() {
    a_server_is_verified(Driver::PostgresUnicode, Program::python("values.py"), Program::python("batches.py"));
    // MariaDB's driver sends an array in one piece or row by row, as it is bound; pyodbc binds by row, verify by column
    a_server_is_verified(Driver::MariaDb, Program::python("values.py"), Program::c("transactions.c"));
    // pyodbc wants Unicode functions
    a_server_is_verified(Driver::PostgresAnsi, Program::c("bound.c"), Program::c("transactions.c"));
}

/// Records and verifies a program's reads, and all that another one does.
fn a_server_is_verified(driver: Driver, reads: Program, writes: Program) {
    let stage = Stage::new("verify_server", driver);
    let recorded = |program: &Program| program.check("record", &stage.run(Way::Record, program));
    let verified = |words: &[&str]| {
        let target = stage.configure(Way::Off, &Trap::new());
        let mut command = Command::new(products::super8());
        command.args(["verify", "--connection-string", &target.connection_string]).args(words).arg(stage.cassette());
        stage.apply(Way::Off, &mut command);
        let outcome = Outcome::of(&command, b"");
        (outcome.status.clone(), outcome.text() + &outcome.errors())
    };
    // what the program wrote is there: its reads give what they gave
    recorded(&reads);
    let (status, said) = verified(&[]);
    assert_eq!(status, "exit status: 0", "{driver:?}: {said}");
    assert!(said.contains("left out: ") && said.contains("they may write"), "{driver:?}: {said}");
    // all of it once more, on a database made for that
    recorded(&writes);
    stage.database.fresh();
    let (status, said) = verified(&["--all"]);
    assert_eq!(status, "exit status: 0", "{driver:?}: {said}");
    assert!(!said.contains("left out"), "{driver:?}: {said}");
    // and on what it left behind: tables and keys that are there already
    let (status, said) = verified(&["--all"]);
    assert_eq!(status, "exit status: 2", "{driver:?}: {said}");
    assert!(said.starts_with("error  ") && said.contains("recorded success, now "), "{driver:?}: {said}");
}
