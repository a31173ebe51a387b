//! Cassettes that a person wrote, under real programs: by the command, and with super8 as the driver in odbcinst.ini.

use std::process::Command;
use super8_tests::c_compiler::compiled;
use super8_tests::configuration::Configuration;
use super8_tests::desk::Desk;
use super8_tests::node;
use super8_tests::outcome::Outcome;
use super8_tests::products::{Library, odbc_api_program, repository};
use super8_tests::program::DONE;
use super8_tests::python;

/// What isql types in: it sends no parameters.
const FRUIT: &str = "\
- method: connect
  dsn: shop
- method: run
  sql: select name, price from fruit
  columns: {name: VARCHAR(20), price: DOUBLE}
  rows: [[fig, 0.4], [Łukasz, null]]
- method: run
  sql: delete from fruit
  row_count: 2
- method: run
  sql: select nothing
  diagnostics: [{sqlstate: 42S22, message: no such column}]
";

/// A desk without a database, with the cassette `empty-shop` and one of another log.
fn desk(subject: &str, log: &str) -> Desk {
    let desk = Desk::new(subject);
    desk.clear();
    let example = repository().join("tests/cassettes/empty-shop/commands.yml");
    let example = std::fs::read_to_string(&example).unwrap_or_else(|error| panic!("{}: {error}", example.display()));
    desk.scratch.directory("work/empty-shop");
    desk.scratch.write("work/empty-shop/commands.yml", &example);
    desk.scratch.directory("work/written");
    desk.scratch.write("work/written/commands.yml", log);
    desk
}

/// The outcome of a program by the command, which has to be the same as with super8 as the driver of a data source, in both builds.
fn both_ways(desk: &Desk, cassette: &str, program: &[&str], input: &str) -> Outcome {
    let replayed = desk.run_with(&[&["replay", cassette, "--"], program].concat(), input);
    for library in [Library::Unicode, Library::Ansi] {
        let driver = library.path().display().to_string();
        let configuration = Configuration::new(desk.scratch.directory("by-driver"));
        let path = desk.scratch.join("work").join(cassette).display().to_string();
        configuration
            .driver(
                "super8",
                &[("Driver", driver.as_str()), ("Super8Mode", "replay"), ("Super8Cassette", path.as_str())],
            )
            .source("shop", &[("Driver", "super8")])
            .write();
        let mut command = Command::new(program[0]);
        command.args(&program[1..]);
        Configuration::new(desk.scratch.directory("by-driver")).apply(&mut command);
        command.current_dir(desk.scratch.join("work"));
        let by_driver = Outcome::of(&command, input.as_bytes());
        assert_eq!(by_driver.text(), replayed.text(), "{library:?}: {}", by_driver.errors());
    }
    replayed
}

#[track_caller]
fn is_played(outcome: &Outcome, expected: &[&str]) {
    assert!(outcome.succeeded(), "{}", String::from_utf8_lossy(&outcome.all()));
    for line in expected {
        assert!(outcome.text().contains(line), "{line} is not in\n{}", outcome.text());
    }
}

#[test]
fn a_c_program_gets_rows_counts_errors_and_the_answers_of_a_plain_driver() {
    let desk = desk("by_hand_c", FRUIT);
    let program = compiled("by_hand.c").display().to_string();
    let outcome = both_ways(&desk, "empty-shop", &[&program, "DSN=shop"], "");
    is_played(
        &outcome,
        &[
            " 0 failed; super8, ODBC 03.80",
            "no information type -> -1 HY096",
            "SQLFetch: 1 1",
            "types of 12: VARCHAR 12 (19 columns, 1 rows)",
            "types of 101: (19 columns, 0 rows)",
            "2 columns, 2 in the descriptor",
            "1 parameters; -> 0 type -5 size 19",
            "fig (3): 0.4\napple (5): 1.25\nkiwi (4): NULL\nend -> 100\nmore -> 100",
            "row count 3, 0 columns",
            "nothing -> -1 42S22 no such column",
            DONE,
        ],
    );
    assert!(!outcome.text().contains("failed\n"), "{}", outcome.text());
}

#[test]
fn pyodbc() {
    let desk = desk("by_hand_pyodbc", FRUIT);
    let script = repository().join("tests/programs/python/by_hand.py").display().to_string();
    let interpreter = python::interpreter().display().to_string();
    let outcome = both_ways(&desk, "empty-shop", &[&interpreter, &script, "DSN=shop"], "");
    is_played(
        &outcome,
        &[
            "[('fig', 0.4), ('apple', 1.25), ('kiwi', None)]",
            "[('name', 'str', 20, True), ('price', 'float', 15, True)]\n3\n42S22 ",
            "super8 03.80\n['DOUBLE']",
            DONE,
        ],
    );
}

/// Runs a program on the example; every program prints its rows, the count and the error.
fn played_by(subject: &str, program: &[&str], expected: &[&str]) {
    let desk = desk(subject, FRUIT);
    let outcome = both_ways(&desk, "empty-shop", program, "");
    is_played(&outcome, expected);
    is_played(&outcome, &["no such column", DONE]);
}

fn script(name: &str) -> String {
    repository().join("tests/programs").join(name).display().to_string()
}

#[test]
fn ruby_odbc() {
    let rows = "row: [\"fig\", 0.4]\nrow: [\"apple\", 1.25]\nrow: [\"kiwi\", nil]\ngone: 3\n";
    let columns = "columns: [[\"name\", 12, true], [\"price\", 8, true]]";
    // Debian's is not linked with the driver manager that it calls
    let program = ["env", "LD_PRELOAD=libodbc.so.2", "ruby", &script("ruby/by_hand.rb"), "DSN=shop"];
    played_by("by_hand_ruby", &program, &[columns, rows, "driver: super8 03.80"]);
}

#[test]
fn php() {
    let rows = "row: [\"fig\",\"0.4\"]\nrow: [\"apple\",\"1.25\"]\nrow: [\"kiwi\",null]\ngone: 3\n";
    for (how, columns) in [("pdo", "columns: name price"), ("functions", "columns: name VARCHAR 20")] {
        let program = ["php", &script("php/by_hand.php"), "DSN=shop", how];
        played_by(&format!("by_hand_php_{how}"), &program, &[columns, rows]);
    }
}

#[test]
fn perl_with_dbi() {
    let program = ["perl", &script("perl/by_hand.pl"), "DSN=shop"];
    let rows = "columns: name|price 12|8\nrow: fig|0.4\nrow: apple|1.25\nrow: kiwi|undef\ngone: 3\n";
    played_by("by_hand_perl", &program, &[rows, "driver: super8 23 types"]);
}

#[test]
fn node_with_the_package_odbc() {
    let packages = format!("ODBC_PACKAGE={}", node::packages_directory().display());
    let rows = "{\"name\":\"fig\",\"price\":0.4}\nrow: {\"name\":\"apple\",\"price\":1.25}\nrow: {\"name\":\"kiwi\",\"price\":null}\ngone: 3\n";
    for how in ["run", "prepare"] {
        let program = ["env", &packages, "node", &script("node/by_hand.mjs"), "DSN=shop", how];
        let columns = "columns: [[\"name\",12,20],[\"price\",8,15]]";
        played_by(&format!("by_hand_node_{how}"), &program, &[columns, rows]);
    }
}

#[test]
fn odbc_api() {
    let program = odbc_api_program().display().to_string();
    let rows =
        "row Some(\"fig\") Some(\"0.4\")\nrow Some(\"apple\") Some(\"1.25\")\nrow Some(\"kiwi\") None\ngone Some(3)\n";
    let expected = ["dbms \"super8\"", "columns [\"name\", \"price\"]", rows];
    played_by("by_hand_odbc_api", &[&program, "DSN=shop", "by hand"], &expected);
}

#[test]
fn isql() {
    let desk = desk("by_hand_isql", FRUIT);
    let typed = "select name, price from fruit\ndelete from fruit\nselect nothing\n";
    let outcome = both_ways(&desk, "written", &["isql", "shop", "-b", "-v"], typed);
    for line in
        ["| fig                 | 0.4 ", "| Łukasz", "2 rows fetched", "SQLRowCount returns 2", "no such column"]
    {
        assert!(outcome.text().contains(line), "{line} is not in\n{}", String::from_utf8_lossy(&outcome.all()));
    }
    assert!(!outcome.errors().contains("super8"), "{}", outcome.errors());
}

#[test]
fn what_is_left_or_not_written_fails_the_run() {
    let desk = desk("by_hand_verdict", FRUIT);
    let typed = |statements: &str| desk.run_with(&["replay", "written", "--", "isql", "shop", "-b"], statements);
    let left = typed("select name, price from fruit\n");
    assert_eq!(left.status, "exit status: 121", "{}", left.errors());
    assert!(left.errors().contains("commands.yml:7 run \"delete from fruit\""), "{}", left.errors());
    let other = typed("select name from fruit\n");
    assert_eq!(other.status, "exit status: 120", "{}", other.errors());
    for part in
        ["written/commands.yml:3", "add what was asked, as shown above, and its result to ", "[-name, price-]{+name+}"]
    {
        assert!(other.errors().contains(part), "{part} is not in\n{}", other.errors());
    }
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let desk = desk("by_hand_wrong", &FRUIT.replace("[fig, 0.4]", "[fig, cheap]"));
    let expected = "written/commands.yml:6: rows[0]: cell 2 (price): \"cheap\" is not a value of DOUBLE";
    let replayed = desk.run_with(&["replay", "written", "--", "isql", "shop", "-b"], "");
    assert!(!replayed.succeeded() && replayed.errors().contains(expected), "{}", replayed.errors());
    let checked = desk.run(&["check", "written"]);
    let found = expected.replacen(": rows", ": unreadable: rows", 1);
    assert!(!checked.succeeded() && checked.text().contains(&found), "{}", String::from_utf8_lossy(&checked.all()));
    let sound = desk.run(&["check", "empty-shop"]);
    assert!(sound.succeeded(), "{}", String::from_utf8_lossy(&sound.all()));
}

#[test]
fn it_is_shown_and_compared_like_a_recording() {
    let desk = desk("by_hand_shown", FRUIT);
    let shown = desk.run(&["show", "written"]);
    is_played(&shown, &["select name, price from fruit", "all 2 rows", "42S22 no such column"]);
    assert!(!shown.text().contains("SQLGetTypeInfo"), "{}", shown.text());
    assert!(desk.run(&["diff", "written", "written"]).succeeded());
    assert!(!desk.run(&["diff", "written", "empty-shop"]).succeeded());
    let converted = desk.run(&["convert", "written", "trace.ndjson"]);
    assert!(!converted.succeeded() && converted.errors().contains("written by hand"), "{}", converted.errors());
}

#[test]
fn nothing_is_recorded_over_it() {
    let desk = Desk::new("by_hand_kept");
    desk.scratch.directory("work/written");
    desk.scratch.write("work/written/commands.yml", FRUIT);
    let once = desk.run_with(&["once", "written", "--", "isql", "shop", "-b"], "select name, price from fruit\n");
    assert!(once.text().contains("fig"), "it is replayed: {}", String::from_utf8_lossy(&once.all()));
    let recorded = desk.run_with(&["record", "written", "--", "isql", "shop", "-b"], "select name, price from fruit\n");
    let said = String::from_utf8_lossy(&recorded.all()).into_owned();
    assert!(!recorded.succeeded() && said.contains("is written by hand, and is not recorded over"), "{said}");
    let log = std::fs::read_to_string(desk.scratch.join("work/written/commands.yml")).unwrap_or_default();
    assert_eq!(log, FRUIT);
}

#[test]
fn a_cassette_is_begun_and_the_rows_of_a_file_are_added() {
    let desk = Desk::new("by_hand_new");
    desk.clear();
    is_played(&desk.run(&["new", "--dsn", "shop", "begun"]), &[]);
    assert!(desk.run(&["check", "begun"]).succeeded());
    let again = desk.run(&["new", "begun"]);
    assert!(!again.succeeded() && again.errors().contains("is there already"), "{}", again.errors());
    is_played(&desk.run(&["new", "--dsn", "shop", "--driver", "postgresql", "like-postgresql"]), &[]);
    let begun = std::fs::read_to_string(desk.scratch.join("work/like-postgresql/commands.yml")).unwrap_or_default();
    assert!(begun.contains("\n  dsn: shop\n  driver: postgresql\n"), "{begun}");
    assert!(desk.run(&["check", "like-postgresql"]).succeeded());
    let wrong = desk.run(&["new", "--driver", "postgres", "like-nothing"]);
    assert!(!wrong.succeeded() && wrong.errors().contains("did you mean postgresql?"), "{}", wrong.errors());
    assert!(!desk.scratch.join("work/like-nothing").exists());
    desk.scratch.write("work/fruit.csv", "name,price,since\nfig,0.4,2026-01-31\n\"a, b\",,\n\"\",2.0,\n");
    let sql = "select name, price, since from fruit";
    for cassette in ["begun", "made"] {
        is_played(&desk.run(&["import", "--dsn", "shop", "--sql", sql, cassette, "fruit.csv"]), &[]);
        let log = desk.scratch.join("work").join(cassette).join("commands.yml");
        let log = std::fs::read_to_string(log).unwrap_or_default();
        for line in [
            "type: \"VARCHAR(4)\"",
            "type: \"DECIMAL(18,1)\"",
            "type: DATE",
            "[\"a, b\", null, null]",
            "[\"\", \"2.0\", null]",
        ] {
            assert!(log.contains(line), "{line} is not in\n{log}");
        }
        let replayed = desk.run_with(&["replay", cassette, "--", "isql", "shop", "-b", "-d|"], &format!("{sql}\n"));
        is_played(&replayed, &["fig|0.4|2026-01-31\na, b||\n|2.0|"]);
    }
    // the examples in comments are entries
    let log = desk.scratch.join("work/begun/commands.yml");
    let all: String = std::fs::read_to_string(&log)
        .unwrap_or_default()
        .lines()
        .skip(2)
        .map(|line| line.strip_prefix("# ").unwrap_or(line).to_owned() + "\n")
        .collect();
    desk.scratch.write("work/begun/commands.yml", &all);
    let checked = desk.run(&["check", "begun"]);
    assert!(checked.succeeded(), "{}", String::from_utf8_lossy(&checked.all()));
}

#[test]
fn every_mistake_is_told() {
    let log = FRUIT.replace("[fig, 0.4]", "[fig]").replace("row_count: 2", "row_count: two");
    let desk = desk("by_hand_mistakes", &log);
    let checked = desk.run(&["check", "written"]);
    for line in ["written/commands.yml:6: ", "written/commands.yml:9: ", "1 checked, 2 found"] {
        assert!(checked.text().contains(line), "{line} is not in\n{}", checked.text());
    }
}

#[test]
fn the_number_of_rows_is_mended_and_told() {
    let desk = Desk::new("by_hand_rows");
    let sql = "select name, price from fruit order by name";
    let isql = ["tape", "--", "isql", "shop", "-b", "-d|"];
    is_played(&desk.run_with(&[&["record"], &isql[..]].concat(), &format!("{sql}\n")), &["apple|3"]);
    let rows = desk.scratch.join("work/tape/a_1_fetch_all.csv");
    let text = std::fs::read_to_string(&rows).unwrap_or_default();
    desk.scratch.write("work/tape/a_1_fetch_all.csv", format!("{text}fig,7\n"));
    let checked = desk.run(&["check", "tape"]);
    assert!(checked.text().contains("n says 3 rows, and there are more"), "{}", checked.text());
    let fixed = desk.run(&["check", "--fix", "tape"]);
    is_played(&fixed, &["fixed: n was 3, and a_1_fetch_all.csv has 4 rows: it is 4 now", "1 checked, nothing found"]);
    assert!(desk.run(&["check", "--fix", "tape"]).text().starts_with("1 checked"), "there is nothing more to mend");
    let replayed = desk.run_with(&[&["replay"], &isql[..]].concat(), &format!("{sql}\n"));
    is_played(&replayed, &["pear|4\nfig|7"]);
}

const ROWS: &str = "rows: [[fig, 0.4], [apple, 1.25], [kiwi, null]]";

#[test]
fn rows_stand_in_a_file() {
    let example = std::fs::read_to_string(repository().join("tests/cassettes/empty-shop/commands.yml")).unwrap();
    assert!(example.contains(ROWS), "{example}");
    let log = example.replace(ROWS, "rows_file: fruit.csv");
    let desk = desk("by_hand_rows_file", &log);
    let file = |rows: &str| desk.scratch.write("work/written/fruit.csv", rows);
    file("fig,0.4\n\"apple\",1.25\nkiwi,\\N\n");
    is_played(&desk.run_with(&["check", "written"], ""), &["nothing found"]);
    let (interpreter, program) =
        (python::interpreter().display().to_string(), compiled("by_hand.c").display().to_string());
    let outcome = both_ways(&desk, "written", &[&interpreter, &script("python/by_hand.py"), "DSN=shop"], "");
    is_played(&outcome, &["[('fig', 0.4), ('apple', 1.25), ('kiwi', None)]", DONE]);
    let outcome = both_ways(&desk, "written", &[&program, "DSN=shop"], "");
    is_played(&outcome, &["fig (3): 0.4\napple (5): 1.25\nkiwi (4): NULL\nend -> 100", DONE]);

    let refused = |expected: &str| {
        let checked = desk.run_with(&["check", "written"], "");
        assert!(checked.text().contains(expected) && !checked.succeeded(), "{expected}: {}", checked.text());
    };
    file("fig,0.4\napple,cheap\n");
    refused(
        "written/commands.yml:8: unreadable: rows_file: fruit.csv:2: cell 2 (price): \"cheap\" is not a value of DOUBLE",
    );
    file("fig\n");
    refused("fruit.csv:1: the row has 1 cell, and there are 2 columns");
    file("fig,\\q\n");
    refused("fruit.csv:1 cannot be read: field 2: `\\q` begins with an unknown tag");
    let write = |log: &str| desk.scratch.write("work/written/commands.yml", log);
    write(&log.replace("fruit.csv", "none.csv"));
    refused("none.csv cannot be read");
    write(&log.replace("fruit.csv", "../fruit.csv"));
    refused("is not the name of a file in this cassette");
    write(&log.replace("rows_file: fruit.csv", &format!("rows_file: fruit.csv\n  {ROWS}")));
    refused("rows_file: cannot be combined with `rows`");
    let columns = "  columns: [{name: name, type: VARCHAR, length: 20}, {name: price, type: DOUBLE}]\n";
    assert!(log.contains(columns), "{log}");
    write(&log.replace(columns, ""));
    refused("needs `columns`: a file does not say what its cells are");
}
