//! Commands with several processes, and cassettes whose names are filled in by each of them.

use super8_tests::desk::Desk;
use super8_tests::driver::Driver;
use super8_tests::format::{Format, in_both_formats};
use super8_tests::outcome::Outcome;
use super8_tests::program::Program;
use super8_tests::ways::Stage;

const CHEAP: &str = "select name from fruit where price = 3";
const ALL: &str = "select name, price from fruit order by name";

#[track_caller]
fn ended(outcome: &Outcome, code: u8) {
    let expected = format!("exit status: {code}");
    assert_eq!(outcome.status, expected, "{}", String::from_utf8_lossy(&outcome.all()));
}

/// A shell's words that run a statement in a process of its own, by a program called `isql`.
fn isql(sql: &str) -> String {
    format!("echo \"{sql}\" | isql -b shop")
}

/// `%c`: each command has a cassette, whose name the next run finds again, with driver and database gone.
#[test]
fn each_command_has_a_cassette_of_its_own_and_finds_it_again() {
    in_both_formats(|format| {
        let desk = Desk::new("processes_command").in_format(format);
        let _ = std::os::unix::fs::symlink(
            super8_tests::packages::program("isql", "unixodbc"),
            desk.scratch.directory("work/bin").join("other"),
        );
        let both = format!("{}; echo \"{ALL}\" | ./bin/other -b shop", isql(CHEAP));
        let first = desk.run(&["record", "tapes/%c", "--", "sh", "-c", &both]);
        ended(&first, 0);
        for tape in ["tapes/isql", "tapes/other"] {
            assert!(desk.scratch.join("work").join(tape).join(format.log(&tape[6..])).exists(), "{tape}");
        }
        desk.clear();
        let second = desk.run(&["replay", "tapes/%c", "--", "sh", "-c", &both]);
        ended(&second, 0);
        assert_eq!(second.text(), first.text());
        let changed = format!("{}; echo \"{CHEAP}\" | ./bin/other -b shop; true", isql(CHEAP));
        ended(&desk.run(&["replay", "tapes/%c", "--", "sh", "-c", &changed]), 120);
    });
}

/// `%{NAME}` in every place where a name may be given; a variable that is not set is named.
#[test]
fn a_variable_is_filled_in_and_a_missing_one_is_named() {
    in_both_formats(|format| {
        let desk = Desk::new("processes_variable").in_format(format);
        let with = |mut command: std::process::Command| Outcome::of(command.env("TAPE_OF", "monday"), b"");
        let words = ["record", "tapes/%{TAPE_OF}", "--", "sh", "-c"];
        let first = with(desk.super8(&[&words[..], &[isql(ALL).as_str()]].concat()));
        ended(&first, 0);
        assert!(desk.scratch.join("work/tapes/monday").join(format.log("monday")).exists());
        let in_string = format!("echo \"{ALL}\" | isql -b -k 'DSN=shop;Super8Cassette=tapes/%{{TAPE_OF}}x'");
        ended(&with(desk.super8(&["record", "unused", "--", "sh", "-c", &in_string])), 0);
        assert!(desk.scratch.join("work/tapes/mondayx").is_dir());
        desk.clear();
        let second = with(desk.super8(&["replay", "tapes/%{TAPE_OF}", "--", "sh", "-c", &isql(ALL)]));
        ended(&second, 0);
        assert_eq!(second.text(), first.text());
        // the process says which variable it misses; it may have been meant to set it itself
        let missing = desk.run(&["replay", "tapes/%{TAPE_OF}", "--", "sh", "-c", "echo | isql -v -b shop; true"]);
        assert!(
            String::from_utf8_lossy(&missing.all()).contains("the variable TAPE_OF is not set"),
            "{}",
            String::from_utf8_lossy(&missing.all())
        );
        assert_ne!(missing.status, "exit status: 0");
    });
}

/// A shell's words that run these programs at the same time, and wait for all.
fn together(programs: &[String]) -> String {
    programs.iter().map(|program| format!("({program}) & ")).collect::<String>() + "wait"
}

/// A plain name: each further process has its part, whatever the order in which they come, and each part is played once.
#[test]
fn each_process_has_its_part_of_one_cassette() {
    in_both_formats(|format| {
        let desk = Desk::new("processes_parts").in_format(format);
        let price = |name: &str| isql(&format!("select price from fruit where name = '{name}'"));
        let fruit: Vec<String> = ["apple", "pear", "cherry"].map(price).into();
        let first = desk.run(&["record", "tape", "--", "sh", "-c", &fruit.join("; ")]);
        ended(&first, 0);
        for part in ["tape", "tape.parts/isql-2", "tape.parts/isql-3"] {
            let name = part.rsplit('/').next().unwrap_or_default();
            assert!(desk.scratch.join("work").join(part).join(format.log(name)).exists(), "{part}");
        }
        desk.clear();
        let second = desk.run(&["replay", "tape", "--", "sh", "-c", &fruit.join("; ")]);
        ended(&second, 0);
        assert_eq!(second.text(), first.text());
        let shuffled = [&fruit[2], &fruit[0], &fruit[1]].map(Clone::clone);
        ended(&desk.run(&["replay", "tape", "--", "sh", "-c", &shuffled.join("; ")]), 0);
        for _ in 0..5 {
            ended(&desk.run(&["replay", "tape", "--", "sh", "-c", &together(&shuffled)]), 0);
        }
        // a changed statement in one, one that is left out, one too many
        let changed = format!("{}; {}; {}", fruit[0], price("plum"), fruit[2]);
        let replayed = desk.run(&["replay", "tape", "--", "sh", "-c", &changed]);
        ended(&replayed, 120);
        assert!(replayed.errors().contains("plum"), "{}", replayed.errors());
        let left_out = desk.run(&["replay", "tape", "--", "sh", "-c", &fruit[..2].join("; ")]);
        ended(&left_out, 121);
        assert!(
            left_out.errors().contains("tape.parts/isql-3")
                && left_out.errors().contains("no process played this part"),
            "{}",
            left_out.errors()
        );
        let again = format!("{}; {}; true", fruit.join("; "), fruit[0]);
        let extra = desk.run(&["replay", "tape", "--", "sh", "-c", &again]);
        ended(&extra, 120);
        assert!(extra.errors().contains("one too many"), "{}", extra.errors());
        // recorded again with fewer: what is left has no process any more
        desk.stock();
        let desk = restored(desk);
        ended(&desk.run(&["record", "tape", "--", "sh", "-c", &fruit[0]]), 0);
        assert!(!desk.scratch.join("work/tape.parts").exists());
        ended(&desk.run(&["replay", "tape", "--", "sh", "-c", &fruit[0]]), 0);
    });
}

/// A script asks the same before and after a change, in processes of the same command: the first answer comes first.
#[test]
fn equal_questions_of_a_script_get_their_answers_in_order() {
    in_both_formats(|format| {
        let desk = Desk::new("processes_in_order").in_format(format);
        let count = isql("select count(*) from fruit");
        let insert = |name: &str| isql(&format!("insert into fruit values ('{name}', 1)"));
        let script = [&count, &insert("plum"), &count, &insert("fig"), &count].map(String::as_str).join("; ");
        let recorded = desk.run(&["record", "tape", "--", "sh", "-c", &script]);
        ended(&recorded, 0);
        let counts = ["| 3", "| 4", "| 5"].map(|count| recorded.text().find(count));
        assert!(counts.is_sorted() && counts[0].is_some(), "{}", recorded.text());
        desk.clear();
        let replayed = desk.run(&["replay", "tape", "--", "sh", "-c", &script]);
        ended(&replayed, 0);
        assert_eq!(replayed.text(), recorded.text());
    });
}

/// The desk with its drivers as they were.
fn restored(desk: Desk) -> Desk {
    desk.configuration()
        .driver("SQLite3", &[("Driver", super8_tests::driver::Driver::Sqlite.library())])
        .source("shop", &[("Driver", "SQLite3"), ("Database", "shop.db")])
        .write();
    desk
}

/// Test runners and workers that start processes, each with a connection of its own.
#[test]
fn programs_with_several_processes_have_a_part_for_each() {
    let programs =
        [(Program::prove(&["pears.t", "plums.t"]), 1), (Program::python("spawned.py"), 2), (Program::xdist(), 1)];
    for (program, parts) in &programs {
        for driver in [Driver::PostgresUnicode, Driver::MariaDb] {
            let stage = Stage::new(&format!("processes {}", program.name()), driver);
            stage.in_both_formats(|stage| {
                let recorded = stage.wrapped("record", program);
                let what = format!("{} over {}", program.name(), driver.library());
                program.check(&what, &recorded);
                assert_eq!(super8_cassette::parts_of(&stage.cassette()).len(), *parts, "{what}");
                let replayed = stage.wrapped("replay", program);
                program.check(&format!("{what}, replayed"), &replayed);
            });
        }
    }
}

/// Every verb goes through the parts of a cassette.
#[test]
fn every_verb_goes_through_the_parts() {
    in_both_formats(|format| {
        let desk = Desk::new("processes_verbs").in_format(format);
        let price = |name: &str| isql(&format!("select price from fruit where name = '{name}'"));
        let both = [price("apple"), price("pear")].join("; ");
        for tape in ["tape", "again"] {
            ended(&desk.run(&["record", tape, "--", "sh", "-c", &both]), 0);
        }
        ended(&desk.run(&["diff", "tape", "again"]), 0);
        let verified = desk.run(&["verify", "tape"]);
        ended(&verified, 0);
        assert!(verified.text().contains("2 verified"), "{}", verified.text());
        assert!(desk.run(&["check", "tape"]).text().starts_with("2 checked"));
        // the price of what the second process asked for
        desk.sql("update fruit set price = 5 where name = 'pear'");
        ended(&desk.run(&["verify", "tape"]), 1);
        ended(&desk.run(&["record", "again", "--", "sh", "-c", &both]), 0);
        let differs = desk.run(&["diff", "tape", "again"]);
        ended(&differs, 1);
        assert!(differs.text().contains("isql-2:") && differs.text().contains("1 differ"), "{}", differs.text());
        let shown = desk.run(&["show", "--json", "tape"]);
        let shown: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap_or_default();
        assert_eq!(shown.as_array().map(Vec::len), Some(2), "{shown}");
        ended(&desk.run(&["show", "--html", "page.html", "tape"]), 0);
        for page in ["page.html", "page-isql-2.html"] {
            let text = std::fs::read_to_string(desk.scratch.join("work").join(page)).unwrap_or_default();
            assert!(text.contains("</html>"), "{page}");
        }
        let (there, back) = match format {
            Format::Yaml => ("other/other.ndjson", "back"),
            Format::Ndjson => ("other", "back/back.ndjson"),
        };
        ended(&desk.run(&["convert", "tape", there]), 0);
        ended(&desk.run(&["convert", "other", back]), 0);
        ended(&desk.run(&["diff", "tape", "back"]), 0);
        desk.clear();
        for tape in ["other", "back"] {
            ended(&desk.run(&["replay", tape, "--", "sh", "-c", &both]), 0);
        }
    });
}

/// A command that failed leaves what its processes recorded to `recover`, which puts every part in its place.
#[test]
fn recover_takes_the_parts() {
    in_both_formats(|format| {
        let desk = Desk::new("processes_recover").in_format(format);
        let both = [isql(CHEAP), isql(ALL)].join("; ");
        ended(&desk.run(&["record", "tape", "--", "sh", "-c", &format!("{both}; false")]), 1);
        let recovered = desk.run(&["recover", "--json", "tape"]);
        ended(&recovered, 0);
        let report: serde_json::Value = serde_json::from_slice(&recovered.stdout).unwrap_or_default();
        assert_eq!(report["parts"].as_array().map(Vec::len), Some(1), "{report}");
        ended(&desk.run(&["recover", "tape"]), 2);
        desk.clear();
        ended(&desk.run(&["replay", "tape", "--", "sh", "-c", &both]), 0);
    });
}
