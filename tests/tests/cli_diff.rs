//! `super8 diff`: two recordings of a program that changed, of a database that changed, in two formats.

use super8_tests::desk::Desk;
use super8_tests::driver::Driver;
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
    for part in [
        "row 1, column 2 (price): was 3, is 3.5",
        "row 2 - cherry | \\N",
        "row 2 + fig | 9",
        "column 2 (price): type: was 4, is 8",
    ] {
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

/// The sets of an array are in a file of their own, which the log names the same in both.
#[test]
fn a_changed_array_names_the_set_and_the_value() {
    const PROGRAM: &str = "
import pyodbc, sys
shop = pyodbc.connect(sys.argv[1], autocommit=True).cursor()
shop.execute('drop table if exists basket')
shop.execute('create table basket (name varchar(20), price integer)')
shop.fast_executemany = True
sets = [('fruit %02d' % n, n) for n in range(20)]
sets[11] = ('fruit', int(sys.argv[2]))
shop.executemany('insert into basket values (?, ?)', sets)
print(shop.execute('select name, price from basket order by name').fetchall())
";
    let (mut desk, _database, connection_string) = Desk::on("cli_diff_array", Driver::PostgresUnicode, "shop");
    let python = python::interpreter().display().to_string();
    for format in [Format::Yaml, Format::Ndjson] {
        desk = desk.in_format(format);
        let [old, new] = ["old", "new"].map(|tape| format!("{tape}-{}", format.name()));
        for (tape, price) in [(&old, "7"), (&new, "8")] {
            let outcome = desk.run(&["record", tape, "--", &python, "-c", PROGRAM, &connection_string, price]);
            assert_eq!(outcome.status, "exit status: 0", "{}", outcome.errors());
        }
        let said = differ(&desk, &[&old, &new], 1);
        assert!(said.contains(" set 12, parameter 2: was 7, is 8"), "{said}");
        assert!(said.contains(" row 1, column 2 (price): was 7, is 8"), "{said}");
    }
}
