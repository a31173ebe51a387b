//! `check`, `show`, `verify` and `diff` on a folder of cassettes; and `unused`, which says which of them no test opened.

use serde_json::Value;
use std::path::Path;
use super8_tests::desk::Desk;
use super8_tests::driver::Driver;
use super8_tests::format::{Format, in_both_formats};
use super8_tests::outcome::Outcome;
use super8_tests::products;
use super8_tests::program::Program;
use super8_tests::ways::{Stage, Way};

const ALL: &str = "select name, price from fruit order by name";
const ONE: &str = "select price from fruit where name = 'pear'";

/// A desk with three cassettes in the folder `tapes`, one of them with a part.
fn desk(subject: &str, format: Format) -> Desk {
    let desk = Desk::new(subject).in_format(format);
    for (name, sql) in [("tests/all", vec![ALL]), ("tests/deep/one", vec![ONE]), ("two", vec![ALL, ONE])] {
        record(&desk, &format!("tapes/{name}"), &sql);
    }
    desk
}

fn command(sql: &[&str]) -> String {
    sql.iter().map(|sql| format!("echo \"{sql}\" | isql -b shop >/dev/null")).collect::<Vec<_>>().join("; ")
}

fn record(desk: &Desk, cassette: &str, sql: &[&str]) {
    ended(&desk.run(&["record", cassette, "--", "sh", "-c", &command(sql)]), 0);
}

#[track_caller]
fn ended(outcome: &Outcome, code: u8) -> String {
    let told = String::from_utf8_lossy(&outcome.all()).into_owned();
    assert_eq!(outcome.status, format!("exit status: {code}"), "{told}");
    outcome.text()
}

#[track_caller]
fn said(desk: &Desk, words: &[&str], code: u8) -> String {
    ended(&desk.run(words), code)
}

#[track_caller]
fn json(desk: &Desk, words: &[&str], code: u8) -> Value {
    let told = said(desk, words, code);
    serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error}: {told}"))
}

/// Spoils the log of a cassette.
fn spoil(desk: &Desk, cassette: &str) {
    let name = Path::new(cassette).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let log = format!("work/{cassette}/{}", desk.format().log(&name));
    let text = std::fs::read_to_string(desk.scratch.join(&log)).unwrap_or_default();
    let (yaml, ndjson) = ("method: more_results", r#""method":"more_results""#);
    let word = if desk.format() == Format::Yaml { yaml } else { ndjson };
    assert!(text.contains(word), "{log}");
    desk.scratch.write(&log, text.replacen(word, &word.replace("results", "nonsense"), 1));
}

#[test]
fn check_goes_through_a_folder() {
    in_both_formats(|format| {
        let desk = desk("folder_check", format);
        let sound = "tapes/tests/all: nothing found\ntapes/tests/deep/one: nothing found\ntapes/two: nothing found\n\
                     4 checked, nothing found\n";
        assert_eq!(said(&desk, &["check", "tapes"], 0), sound);
        assert_eq!(json(&desk, &["check", "--json", "tapes"], 0), Value::Array(Vec::new()));
        spoil(&desk, "tapes/tests/deep/one");
        let told = said(&desk, &["check", "tapes"], 1);
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines[1], "tapes/tests/deep/one: 1 found", "{told}");
        assert!(lines[2].starts_with("tapes/tests/deep/one/") && lines[4] == "4 checked, 1 found", "{told}");
        let found = json(&desk, &["check", "--json", "tapes"], 1);
        assert_eq!(found.as_array().map(Vec::len), Some(1), "{found}");
        // a cassette by its own name is told as ever
        assert!(said(&desk, &["check", "tapes/two"], 0).starts_with("2 checked"), "no heading");
        // a recording that did not end, of which there is no cassette
        let killed = format!("{}; kill -9 $PPID", command(&[ALL]));
        desk.run(&["record", "tapes/tests/new", "--", "sh", "-c", &format!("{killed}; exit 1")]);
        let told = said(&desk, &["check", "tapes"], 1);
        assert!(
            told.contains("tapes/tests/new") && told.contains(": 1 found\n") && told.contains("super8 recover"),
            "{told}"
        );
    });
}

#[test]
fn show_goes_through_a_folder() {
    in_both_formats(|format| {
        let desk = desk("folder_show", format);
        let told = said(&desk, &["show", "tapes"], 0);
        let headings: Vec<&str> = told.lines().filter(|line| line.contains("order: ")).collect();
        assert_eq!(headings.len(), 4, "{told}");
        assert!(headings[0].starts_with("tapes/tests/all ") && headings[3].starts_with("tapes/two.parts/"), "{told}");
        let last = told.lines().last().unwrap_or_default();
        assert!(last.starts_with("tapes: 3 cassettes, ") && last.ends_with(" commands"), "{told}");
        let all = json(&desk, &["show", "--json", "tapes"], 0);
        assert_eq!(all.as_array().map(Vec::len), Some(4));
        assert_eq!(all[1]["cassette"], "tapes/tests/deep/one");

        said(&desk, &["show", "--html", "out.html", "tapes"], 0);
        let index = std::fs::read_to_string(desk.scratch.join("work/out.html")).unwrap_or_default();
        assert_eq!(index.matches("<tr><td><a href=").count(), 4, "{index}");
        for page in ["tests/all.html", "tests/deep/one.html", "two.html"] {
            assert!(index.contains(&format!("<a href=\"out.pages/{page}\"")), "{index}");
            let page = std::fs::read_to_string(desk.scratch.join("work/out.pages").join(page)).unwrap_or_default();
            assert!(page.contains("select "), "{page}");
        }

        // one that cannot be read does not keep the others from being shown
        spoil(&desk, "tapes/tests/all");
        let outcome = desk.run(&["show", "tapes"]);
        assert!(ended(&outcome, 2).contains(ONE) && outcome.errors().contains("more_nonsense"), "{}", outcome.errors());
        let all = json(&desk, &["show", "--json", "tapes"], 2);
        assert!(all[0]["error"].as_str().is_some_and(|error| error.contains("more_nonsense")), "{all}");
        assert_eq!(all[3]["metadata"]["complete"], true);
    });
}

#[test]
fn verify_goes_through_a_folder() {
    in_both_formats(|format| {
        let desk = desk("folder_verify", format);
        let told = said(&desk, &["verify", "tapes"], 0);
        let last = "tapes (3 cassettes): 4 verified; divergences: 0 error, 0 shape, 0 data";
        assert!(told.starts_with("tapes/tests/all:\n") && told.trim_end().ends_with(last), "{told}");
        desk.sql("update fruit set price = 9 where name = 'cherry'");
        assert!(said(&desk, &["verify", "tapes"], 1).trim_end().ends_with("0 error, 0 shape, 2 data"));
        let reports = json(&desk, &["verify", "--json", "tapes"], 1);
        let counts = [0, 1, 2].map(|at| reports[at]["divergences"].as_array().map(Vec::len));
        assert_eq!(counts, [Some(1), Some(0), Some(1)], "{reports}");
        desk.sql("drop table fruit");
        said(&desk, &["verify", "tapes"], 2);
        desk.stock();
        spoil(&desk, "tapes/tests/all");
        let reports = json(&desk, &["verify", "--json", "tapes"], 125);
        assert!(reports[0]["error"].is_string() && reports[2]["verified"] == 2, "{reports}");
        let outcome = desk.run(&["verify", "tapes"]);
        assert!(ended(&outcome, 125).contains("tapes/tests/all: not verified\n"), "{}", outcome.text());
        assert!(outcome.errors().contains("more_nonsense"), "{}", outcome.errors());
    });
}

#[test]
fn diff_pairs_the_cassettes_of_two_folders() {
    in_both_formats(|format| {
        let desk = desk("folder_diff", format);
        // the other folder may be of another format
        let other = if format == Format::Yaml { Format::Ndjson } else { Format::Yaml };
        let desk = desk.in_format(other);
        for (name, sql) in [("tests/all", vec![ALL]), ("tests/deep/one", vec![ALL]), ("new", vec![ONE])] {
            record(&desk, &format!("today/{name}"), &sql);
        }
        let told = said(&desk, &["diff", "tapes", "today"], 1);
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!((lines[0], lines[1]), ("+ new: only in today", "tests/all: the same"), "{told}");
        assert!(lines[2].starts_with("tests/deep/one: ") && lines[2].ends_with(" differ"), "{told}");
        assert!(told.ends_with("- two: only in tapes\n4 cassettes compared, 3 differ\n"), "{told}");
        let all = json(&desk, &["diff", "--json", "tapes", "today"], 1);
        assert_eq!(all[0], serde_json::json!({ "cassette": "new", "only_in": "new" }));
        assert_eq!((&all[1]["cassette"], &all[2]["only_in"]), (&"tests/deep/one".into(), &"old".into()), "{all}");
        assert!(all[1]["changes"].as_array().is_some_and(|changes| !changes.is_empty()), "{all}");
        assert!(said(&desk, &["diff", "tapes", "tapes"], 0).ends_with("3 cassettes compared, 0 differ\n"));
        assert_eq!(json(&desk, &["diff", "--json", "tapes", "tapes"], 0), Value::Array(Vec::new()));
        let outcome = desk.run(&["diff", "tapes", "tapes/two"]);
        ended(&outcome, 2);
        assert!(
            outcome.errors().contains("tapes is a folder of cassettes and tapes/two is not"),
            "{}",
            outcome.errors()
        );
    });
}

#[test]
fn a_folder_without_cassettes_is_an_error() {
    let desk = Desk::new("folder_empty");
    desk.scratch.directory("work/nothing/deep");
    for (words, code) in [("check", 2), ("show", 2), ("verify", 125), ("unused", 2)] {
        let outcome = desk.run(&[words, "nothing"]);
        ended(&outcome, code);
        assert!(outcome.errors().contains("nothing: there is no cassette in this folder"), "{}", outcome.errors());
    }
}

#[test]
fn unused_names_what_no_test_opened() {
    in_both_formats(|format| {
        let desk = Desk::new("unused").in_format(format);
        let test = |name: &str, sql: &str| format!("echo \"{sql}\" | NAME={name} isql -b shop");
        let (first, second) = (test("first", ALL), test("second", ONE));
        let run = |verb: &[&str], tests: &[&str], code: u8| {
            ended(&desk.run(&[verb, &["tapes/%{NAME}", "--", "sh", "-c", &tests.join("; ")]].concat()), code)
        };
        run(&["record"], &[&first, &second], 0);
        assert!(said(&desk, &["unused", "tapes"], 0).starts_with("0 of 2 cassettes"), "none is unused");
        desk.clear();

        run(&["replay"], &[&second], 0);
        let told = said(&desk, &["unused", "tapes"], 1);
        assert!(told.starts_with("tapes/first\n1 of 2 cassettes were not opened by\n  super8 replay "), "{told}");
        assert!(told.contains("a test that was not selected") && !told.contains("whole"), "{told}");
        assert_eq!(said(&desk, &["unused", "tapes/second"], 0).lines().count(), 2);
        let found = json(&desk, &["unused", "--json", "tapes"], 1);
        assert_eq!(
            (&found["cassettes"], &found["unused"]),
            (&2.into(), &serde_json::json!(["tapes/first"])),
            "{found}"
        );
        assert_eq!(found["runs"][0]["not_whole"], Value::Null, "{found}");

        // a run that failed says less
        run(&["replay"], &[&second, "exit 3"], 3);
        let told = said(&desk, &["unused", "tapes"], 1);
        assert!(told.contains("may not have been a whole one: the command ended with exit code 3"), "{told}");

        // runs by their reports, which count as one; nothing was removed
        run(&["replay", "--report", "json", "-o", "first.json"], &[&first], 0);
        run(&["replay", "--report", "json", "-o", "second.json"], &[&second], 0);
        said(&desk, &["unused", "--run", "first.json", "tapes"], 1);
        said(&desk, &["unused", "--run", "first.json", "--run", "second.json", "tapes"], 0);
        let outcome = desk.run(&["unused", "--run", "shop.db", "tapes"]);
        ended(&outcome, 2);
        desk.scratch.write("work/nothing.txt", "nothing");
        let outcome = desk.run(&["unused", "--run", "nothing.txt", "tapes"]);
        ended(&outcome, 2);
        assert!(outcome.errors().contains("neither a report of super8"), "{}", outcome.errors());

        // of another folder no run is known
        std::fs::rename(desk.scratch.join("work/tapes"), desk.scratch.join("work/moved")).unwrap_or_default();
        let outcome = desk.run(&["unused", "moved"]);
        ended(&outcome, 2);
        assert!(outcome.errors().contains("moved: no run is known"), "{}", outcome.errors());
    });
}

#[test]
fn the_page_of_a_folder_tells_how_cassettes_were_last_used() {
    in_both_formats(|format| {
        let desk = Desk::new("folder_last_use").in_format(format);
        let test = |name: &str, sql: &str| format!("echo \"{sql}\" | NAME={name} isql -b shop");
        let run = |verb: &str, tests: &[&str], code: u8| {
            ended(&desk.run(&[verb, "tapes/%{NAME}", "--", "sh", "-c", &tests.join("; ")]), code)
        };
        let (first, second, third) = (test("first", ALL), test("second", ONE), test("third", ONE));
        let row = |name: &str| {
            said(&desk, &["show", "--html", "out.html", "tapes"], 0);
            let index = std::fs::read_to_string(desk.scratch.join("work/out.html")).unwrap_or_default();
            let row = index
                .lines()
                .find(|line| line.contains(&format!("tapes/{name}")) && line.starts_with("<tr><td><a href="));
            row.unwrap_or_else(|| panic!("no row of {name}: {index}")).to_owned()
        };
        run("record", &[&first, &second, &third], 0);
        assert!(row("first").contains("<strong>recorded</strong>"), "{}", row("first"));
        assert!(row("first").contains("record: sh -c"), "{}", row("first"));
        desk.clear();
        run("replay", &[&first, &test("second", ALL)], 120);
        assert!(row("first").contains("<strong>passed</strong>"), "{}", row("first"));
        let told = row("second");
        assert!(told.contains("<strong class=\"bad\">mismatch</strong> ") && told.contains("order by name"), "{told}");
        assert!(row("third").contains(">not known<"), "only the last run of a name is kept: {}", row("third"));
        run("replay", &[&second, "exit 3"], 3);
        assert!(
            row("second").contains("<strong>passed</strong> the command ended with exit code 3"),
            "{}",
            row("second")
        );
        // one that cannot be shown has its row as well
        desk.scratch.write(&format!("work/tapes/third/{}", format.log("third")), "- method: nonsense\n");
        ended(&desk.run(&["show", "--html", "out.html", "tapes"]), 2);
        let index = std::fs::read_to_string(desk.scratch.join("work/out.html")).unwrap_or_default();
        assert!(
            index.contains("<strong class=\"bad\">not shown</strong> ") && index.contains("tapes/third/"),
            "{index}"
        );
        let drawn = super8_tests::browser::document(&desk.scratch.join("work/out.html"), "");
        assert_eq!(drawn.matches("<tr>").count(), 4, "{drawn}");
    });
}

/// Without the wrapper, a verdict file says what was opened.
#[test]
fn unused_reads_a_verdict_file() {
    let mut stage = Stage::new("unused_verdict", Driver::Sqlite);
    let tapes = stage.scratch.join("tapes/%{NAME}");
    stage = stage.with_cassette(tapes);
    let verdict = stage.scratch.join("verdict");
    let run = |stage: &mut Stage, way: Way, name: &str| {
        stage.environment = vec![("NAME", name.to_owned()), ("SUPER8_VERDICT", verdict.display().to_string())];
        let program = Program::python("pings.py").with_argument("1");
        program.check(name, &stage.run(way, &program));
    };
    run(&mut stage, Way::Record, "first");
    run(&mut stage, Way::Record, "second");
    let unused = |stage: &Stage| {
        let mut command = std::process::Command::new(products::super8());
        command.args(["unused", "--run"]).args([&verdict, &stage.scratch.join("tapes")]);
        Outcome::of(&command, b"")
    };
    ended(&unused(&stage), 0);
    std::fs::remove_file(&verdict).unwrap_or_default();
    run(&mut stage, Way::Replay, "second");
    let told = ended(&unused(&stage), 1);
    assert!(
        told.contains("tapes/first\n1 of 2 cassettes") && told.contains("how its command ended is not known"),
        "{told}"
    );
}
