//! `super8 diff`: two recordings of a program that changed, of a database that changed, in two formats.

use super8_tests::desk::Desk;
use super8_tests::format::Format;
use super8_tests::outcome::Outcome;
use super8_tests::{products, python};

const ALL: &str = "select name, price from fruit order by name";
const ONE: &str = "select price from fruit where name = 'pear'";
const COUNT: &str = "select count(*) from fruit";

/// Records a program with these statements.
fn record(desk: &Desk, tape: &str, statements: &[&str]) {
    let script = products::repository().join("tests/programs/python/swallow.py").display().to_string();
    let python = python::interpreter().display().to_string();
    let outcome = desk.run(&[&["record", tape, "--", &python, &script, "DSN=shop"], statements].concat());
    assert_eq!(outcome.status, "exit status: 0", "{}", outcome.errors());
}

#[track_caller]
fn differ(desk: &Desk, words: &[&str], code: u8) -> String {
    let outcome: Outcome = desk.run(&[&["diff"], words].concat());
    assert_eq!(outcome.status, format!("exit status: {code}"), "{}{}", outcome.text(), outcome.errors());
    outcome.text()
}

#[test]
fn what_changed_is_told_and_nothing_else() {
    let desk = Desk::new("cli_diff");
    record(&desk, "old", &[ALL, ONE]);
    record(&desk, "same", &[ALL, ONE]);
    assert_eq!(differ(&desk, &["old", "same"], 0), "the same commands, rows and columns\n");
    let desk = desk.in_format(Format::Ndjson);
    record(&desk, "traces", &[ALL, ONE]);
    assert_eq!(differ(&desk, &["old", "traces"], 0), "the same commands, rows and columns\n");

    // The program asks for something else first, the table has another type and another row.
    let change = "drop table fruit; create table fruit (name varchar(20), price double);\n\
                  insert into fruit values ('apple', 3.5), ('fig', 9), ('pear', 4);";
    desk.sql(change);
    let desk = desk.in_format(Format::Yaml);
    record(&desk, "new", &[COUNT, ALL, ONE]);
    let said = differ(&desk, &["old", "new"], 1);
    let lines: Vec<&str> = said.lines().map(str::trim_start).collect();
    let line =
        |part: &str| lines.iter().position(|line| line.contains(part)).unwrap_or_else(|| panic!("no {part}:\n{said}"));
    assert!(lines[line(COUNT)].starts_with("+ "), "{said}");
    for part in ["row 2 - cherry | \\N", "row 2 + fig | 9", "column 2 (price): type: was 4, is 8"] {
        line(part);
    }
    // What stayed the same is not told, although its statement has another number now.
    assert!(!said.contains(" run \"select") || said.matches("run \"").count() == 1, "{said}");
    assert!(!said.contains("connect"), "{said}");

    let json: serde_json::Value =
        serde_json::from_str(&differ(&desk, &["--json", "old", "new"], 1)).unwrap_or_default();
    let signs: String = json.as_array().into_iter().flatten().filter_map(|change| change["sign"].as_str()).collect();
    assert!(signs.contains('+') && signs.contains('~') && !signs.contains('-'), "{json}");
    let none = desk.run(&["diff", "old", "nowhere"]);
    assert!(
        none.status == "exit status: 2" && none.errors().contains("there is no cassette here"),
        "{}",
        none.errors()
    );
}
