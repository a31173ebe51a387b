//! `super8 trim`: what is left of a recording replays for a program that does no more than that.

use std::path::Path;
use std::process::{Command, Output};
use super8_tests::compare::assert_same;
use super8_tests::driver::Driver;
use super8_tests::format::{Format, in_both_formats};
use super8_tests::products;
use super8_tests::program::Program;
use super8_tests::ways::{Stage, Way};

const DRIVERS: [Driver; 3] = [Driver::Sqlite, Driver::PostgresUnicode, Driver::MariaDb];

const PROGRAMS: [fn(&str) -> Program; 2] =
    [|words| Program::c("picked.c").with_argument(words), |words| Program::python("picked.py").with_argument(words)];

/// What is recorded, as the programs are told it.
const ALL: &str = "a1 a2 b1 a3 b2 c3";

fn trim(cassette: &Path, words: &str) -> Output {
    Command::new(products::super8()).arg("trim").arg(cassette).args(words.split(' ')).output().unwrap()
}

/// The options with the ids of statements in the place of what they ask: a client library has statements of its own.
fn with_ids(options: &str, log: &str) -> String {
    let id = |word: &str| {
        let (connection, number) = word.split_once('/')?;
        let entries = log.split("statement_id").collect::<Vec<_>>();
        let asks = |pair: &&[&str]| {
            let own = [format!("connection_id: {connection}\n"), format!("\"connection_id\":\"{connection}\"")];
            own.iter().any(|own| pair[0].contains(own)) && pair[1].contains(&format!("answer {number}"))
        };
        let found = entries.windows(2).find(asks)?;
        let digits: String =
            found[1].chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
        Some(format!("{connection}/{digits}"))
    };
    options.split(' ').map(|word| id(word).unwrap_or_else(|| word.to_owned())).collect::<Vec<_>>().join(" ")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn check(cassette: &Path) {
    let checked = Command::new(products::super8()).arg("check").arg(cassette).output().unwrap();
    assert!(checked.status.success(), "{}", text(&checked));
}

#[test]
fn what_is_left_replays() {
    // what is taken out, and what a program does then
    let cases = [
        ("--drop a/2", "a1 b1 a3 b2 c3"),
        ("--drop a/1 --drop b/2", "a2 b1 a3 c3"),
        ("--drop a", "b1 b2 c3"),
        ("--drop b", "a1 a2 a3 c3"),
        ("--keep b --keep c", "b1 b2 c3"),
        ("--keep a/2 --keep c", "a2 c3"),
        ("--keep a --drop a/3", "a1 a2"),
    ];
    in_both_formats(|format| {
        for driver in DRIVERS {
            for program in PROGRAMS {
                for (number, (options, rest)) in cases.into_iter().enumerate() {
                    // on every driver the first connection's answers go to the second one
                    if driver != Driver::Sqlite && options != "--drop a" {
                        continue;
                    }
                    let stage = Stage::new(&format!("trimmed_{number}"), driver).in_format(format);
                    program(ALL).check("record", &stage.run(Way::Record, &program(ALL)));
                    let rest = program(rest);
                    let bare = stage.run(Way::Bare, &rest);
                    let options = &with_ids(options, &std::fs::read_to_string(stage.log()).unwrap());
                    let trimmed = trim(&stage.cassette(), options);
                    assert!(trimmed.status.success(), "{options}: {}", text(&trimmed));
                    check(&stage.cassette());
                    assert_same(options, ("bare", &bare), ("replay", &stage.run(Way::Replay, &rest)));
                }
            }
        }
    });
}

#[test]
fn comments_and_layout_stay() {
    let program = Program::c("picked.c").with_argument("a1 a2");
    let stage = Stage::new("trimmed_comments", Driver::Sqlite);
    program.check("record", &stage.run(Way::Record, &program));
    let log = std::fs::read_to_string(stage.log()).unwrap();
    let edited = log.replacen("- method: connect", "# the shop\n- method: connect # mine", 1);
    let edited = edited.replacen("- method: prepare\n  connection_id: a\n  statement_id: 2\n", "\n# a section\n\n# the second\n- {method: prepare, connection_id: a, statement_id: 2, sql: \"select 'answer 2' where 0 < ? union all select 'another'\"}\n", 1);
    let at = edited.find("  statement_id: 2, sql").or(edited.find("statement_id: 2, sql")).unwrap();
    let behind = edited[at..].find('\n').unwrap() + at + 1;
    let rest = edited[behind..].split_once("\n- ").map(|(_, rest)| format!("- {rest}")).unwrap();
    let edited = format!("{}{rest}", &edited[..behind]);
    std::fs::write(stage.log(), &edited).unwrap();
    let trimmed = trim(&stage.cassette(), "--drop a/1");
    assert!(trimmed.status.success(), "{}", text(&trimmed));
    let left = std::fs::read_to_string(stage.log()).unwrap();
    assert!(
        left.starts_with("# the shop\n- method: connect # mine\n")
            && left.contains("\n# a section\n\n# the second\n- {method: prepare"),
        "{left}"
    );
    assert!(!left.contains("statement_id: 1\n"), "{left}");
    let only = Program::c("picked.c").with_argument("a2");
    only.check("replay", &stage.run(Way::Replay, &only));
    let again = trim(&stage.cassette(), "--drop a/2 --dry-run");
    assert!(text(&again).contains("would be taken out"), "{}", text(&again));
    assert_eq!(std::fs::read_to_string(stage.log()).unwrap(), left, "nothing is changed");
}

#[test]
fn an_execution_goes_with_its_rows() {
    in_both_formats(|format| {
        let program = |words: &str| Program::c("picked.c").with_argument(words);
        let stage = Stage::new("trimmed_command", Driver::Sqlite).in_format(format);
        program("a1").check("record", &stage.run(Way::Record, &program("a1")));
        let shown = Command::new(products::super8()).args(["show", "--json"]).arg(stage.cassette()).output().unwrap();
        assert!(shown.status.success(), "{}", text(&shown));
        // connect, prepare, execute, fetch_all, execute, fetch_all
        let trimmed = trim(&stage.cassette(), "--drop 3");
        assert!(trimmed.status.success(), "{}", text(&trimmed));
        check(&stage.cassette());
        let log = std::fs::read_to_string(stage.log()).unwrap();
        assert_eq!(log.matches("execute").count(), if format == Format::Yaml { 1 } else { 2 }, "{log}");
    });
}

#[test]
fn what_would_break_it_is_refused() {
    let program = Program::c("picked.c").with_argument("a1 b1");
    let stage = Stage::new("trimmed_refused", Driver::Sqlite);
    program.check("record", &stage.run(Way::Record, &program));
    let before = std::fs::read_to_string(stage.log()).unwrap();
    let cases = [
        ("--drop c", "there is no connection c in it"),
        ("--drop a/9", "there is no statement a/9 in it"),
        ("--drop 999", "there is no command 999 in it"),
        ("--drop 1", "take the connection out: --drop a"),
        ("--keep 2", "name its connection or its statement"),
        ("--drop a --drop b", "nothing would be left"),
        ("--drop A", "is not a connection (`a`)"),
        ("--dry-run", "--drop <WHAT>"),
    ];
    for (options, expected) in cases {
        let trimmed = trim(&stage.cassette(), options);
        assert!(trimmed.status.code() == Some(2) && text(&trimmed).contains(expected), "{options}: {}", text(&trimmed));
    }
    assert_eq!(std::fs::read_to_string(stage.log()).unwrap(), before, "nothing is changed");
    let by_hand = stage.scratch.directory("by_hand");
    std::fs::write(by_hand.join("commands.yml"), "- method: connect\n").unwrap();
    let trimmed = text(&trim(&by_hand, "--drop a"));
    assert!(trimmed.contains("is written by hand"), "{trimmed}");
}
