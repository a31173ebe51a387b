//! `super8 record`, `replay` and `once`: no configuration, and the exit code is the verdict.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use super8_tests::cassette_files::{commands, files, names};
use super8_tests::desk::Desk;
use super8_tests::driver::Driver;
use super8_tests::format::{Format, in_both_formats};
use super8_tests::outcome::Outcome;
use super8_tests::program::Program;
use super8_tests::ways::{SOURCE, Target};
use super8_tests::{products, python};

const ALL: &str = "select name, price from fruit order by name";
const ONE: &str = "select price from fruit where name = 'pear'";

/// The words for a program that swallows every error of the driver.
fn swallow<'a>(words: &[&'a str], statements: &[&'a str]) -> Vec<String> {
    let script = products::repository().join("tests/programs/python/swallow.py");
    let program = [python::interpreter().display().to_string(), script.display().to_string(), "DSN=shop".into()];
    let own = words.iter().map(ToString::to_string).chain(["--".to_owned()]);
    own.chain(program).chain(statements.iter().map(ToString::to_string)).collect()
}

fn run(desk: &Desk, words: &[String]) -> Outcome {
    desk.run(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

#[track_caller]
fn ended(outcome: &Outcome, code: u8) {
    let expected = format!("exit status: {code}");
    assert_eq!(outcome.status, expected, "{}", String::from_utf8_lossy(&outcome.all()));
}

/// A desk with a recording of both statements.
fn recorded(format: Format, subject: &str) -> (Desk, Outcome) {
    let desk = Desk::new(subject).in_format(format);
    let outcome = run(&desk, &swallow(&["record", "tape"], &[ALL, ONE]));
    ended(&outcome, 0);
    assert!(outcome.text().contains("('pear', 4)"), "{}", outcome.text());
    desk.clear();
    (desk, outcome)
}

#[test]
fn a_program_is_recorded_and_replayed_without_configuration() {
    in_both_formats(|format| {
        // By the driver's name, by its library in odbc.ini, by its library in the connection string, by a file data source.
        let library = format!("DRIVER={{{}}};Database=shop.db;", Driver::Sqlite.path().display());
        let by_string = ["-k".to_owned(), library];
        let by_file = ["-k".to_owned(), "FILEDSN=fruit".to_owned()];
        let ways: [&[String]; 4] = [&["shop".to_owned()], &["bypath".to_owned()], &by_string, &by_file];
        for words in ways {
            let desk = Desk::new("cli_simple").in_format(format);
            let isql = |verb: &[&str]| {
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                desk.run_with(&[verb, &["--", "isql", "-b"], &words].concat(), &format!("{ALL}\n{ONE}\n"))
            };
            let first = isql(&["record", "tape"]);
            ended(&first, 0);
            assert!(first.text().contains("cherry") && first.errors().is_empty(), "{}", first.errors());
            assert!(names(&desk.scratch.join("work/tape")).contains(&format.log("tape")));
            desk.clear();
            let second = isql(&["replay", "tape"]);
            ended(&second, 0);
            assert_eq!(second.text(), first.text());
            assert!(!desk.database().exists(), "the replay touched the database");
            let once = isql(&["once", "tape"]);
            assert_eq!((once.text(), once.status.as_str()), (first.text(), "exit status: 0"));
        }
    });
}

#[test]
fn the_right_library_stands_before_each_driver_even_if_no_driver_is_there() {
    in_both_formats(|format| {
        let desk = Desk::new("cli_kinds").in_format(format);
        // Nobody listens on port 1: that the connect fails is what is recorded, through a Unicode driver.
        desk.configuration()
            .driver("SQLite3", &[("Driver", Driver::Sqlite.library())])
            .driver("PostgreSQL", &[("Driver", Driver::PostgresUnicode.library())])
            .source("shop", &[("Driver", "SQLite3"), ("Database", "shop.db")])
            .source("far", &[("Driver", "PostgreSQL"), ("Servername", "127.0.0.1"), ("Port", "1"), ("Database", "x")])
            .write();
        let near = format!("echo \"{ONE}\" | isql -b shop");
        let far = "! isql -b far someone secret </dev/null";
        ended(&desk.run(&["record", "near", "--", "sh", "-c", &near]), 0);
        ended(&desk.run(&["record", "far", "--", "sh", "-c", far]), 0);
        desk.clear();
        for (tape, program, source, library) in
            [("near", near.as_str(), "shop", "libsuper8a.so"), ("far", far, "far", "libsuper8.so")]
        {
            let replayed =
                desk.run(&["replay", tape, "--", "sh", "-c", &format!("{program}; cat $ODBCSYSINI/odbc.ini")]);
            ended(&replayed, 0);
            let declared = replayed.text();
            let (_, section) = declared.split_once(&format!("[{source}]\n")).unwrap_or_else(|| panic!("{declared}"));
            let driver = section.lines().next().unwrap_or_default();
            assert!(
                driver.starts_with("Driver = ") && driver.ends_with(&format!("/{library}")),
                "{source}: {declared}"
            );
            // What the section said is said again, so that a strict replay passes as well.
            let mut strict = desk.super8(&["replay", tape, "--", "sh", "-c", program]);
            ended(&Outcome::of(strict.env("SUPER8_CONNECT", "strict"), b""), 0);
        }
    });
}

/// One cassette, or two where a connection names its own.
#[test]
fn a_process_with_drivers_of_both_kinds_has_one_recorder() {
    in_both_formats(|format| {
        let desk = Desk::new("cli_both_kinds").in_format(format);
        // Nobody listens on port 1.
        let port = [("Driver", "PostgreSQL"), ("Servername", "127.0.0.1"), ("Port", "1"), ("Database", "x")];
        desk.configuration()
            .driver("SQLite3", &[("Driver", Driver::Sqlite.library())])
            .driver("PostgreSQL", &[("Driver", Driver::PostgresUnicode.library())])
            .source("shop", &[("Driver", "SQLite3"), ("Database", "shop.db")])
            .source("far", &port)
            .write();
        let python = python::interpreter().display().to_string();
        let run = |verb: &str, keywords: &str| {
            let script = format!(
                "import pyodbc\n\
                 shop = pyodbc.connect('DSN=shop', autocommit=True)\n\
                 try:\n    pyodbc.connect('DSN=far;{keywords}', timeout=5)\n\
                 except pyodbc.Error as error:\n    print(error.args[0], 'super8' in str(error))\n\
                 print(shop.execute(\"{ONE}\").fetchall())\nshop.close()\n"
            );
            desk.run(&[verb, "tape", "--", &python, "-c", &script])
        };
        for keywords in ["", "Super8Cassette=tape-of-far"] {
            let recorded = run("record", keywords);
            ended(&recorded, 0);
            assert!(recorded.text().contains("08001 False\n[(4,)]"), "{}", recorded.text());
            let log = commands(&desk.scratch.join("work/tape"));
            let connects = log.matches("- method: connect\n").count();
            assert_eq!(connects, if keywords.is_empty() { 2 } else { 1 }, "{log}");
            assert!(!desk.scratch.join("work/tape.parts").exists());
            let replayed = run("replay", keywords);
            ended(&replayed, 0);
            assert_eq!((replayed.text(), replayed.errors()), (recorded.text(), String::new()));
        }
    });
}

#[test]
fn a_swallowed_mismatch_fails_with_its_report() {
    in_both_formats(|format| {
        let (desk, _) = recorded(format, "cli_mismatch");
        let outcome = run(&desk, &swallow(&["replay", "tape"], &[ALL, "select price from fruit where name = 'fig'"]));
        ended(&outcome, 120);
        assert!(outcome.text().contains("never mind"), "the program saw an error: {}", outcome.text());
        let report = outcome.errors();
        for part in ["'pear'", "'fig'", &format!("{}:", format.log("tape")), "what to do", "exit code 120"] {
            assert!(report.contains(part), "no {part} in:\n{report}");
        }
        assert_eq!(report.matches("what to do").count(), 1, "said once:\n{report}");
        // To record again is the same command line with another verb.
        let line = report.lines().find(|line| line.contains(" record tape -- ")).unwrap_or_default();
        let says = line.contains("super8 record tape -- ") && line.contains("swallow.py DSN=shop 'select name, price");
        assert!(says && !report.contains("SUPER8_MODE="), "{report}");
    });
}

#[test]
fn commands_left_out_fail_and_all_of_them_pass() {
    in_both_formats(|format| {
        let (desk, first) = recorded(format, "cli_unplayed");
        let all = run(&desk, &swallow(&["replay", "tape"], &[ALL, ONE]));
        ended(&all, 0);
        assert_eq!((all.text(), all.errors()), (first.text(), String::new()));
        let less = run(&desk, &swallow(&["replay", "tape"], &[ALL]));
        ended(&less, 121);
        assert!(less.errors().contains("where name = 'pear'"), "{}", less.errors());
        // A command that failed by itself has said why.
        let program = swallow(&[], &[ALL]);
        let words = program[1..].iter().map(|word| format!("'{}'", word.replace('\'', r"'\''")));
        let failing = format!("{}; exit 3", words.collect::<Vec<_>>().join(" "));
        let failed = desk.run(&["replay", "tape", "--", "sh", "-c", &failing]);
        ended(&failed, 3);
        assert!(!failed.errors().contains("never played"), "{}", failed.errors());
        let nothing = desk.run(&["replay", "tape", "--", "true"]);
        ended(&nothing, 119);
        let only = "super8: the cassette has connects only to the data source shop\n";
        assert!(nothing.errors().contains(only), "{}", nothing.errors());
        let misspelt = desk.run(&["replay", "tape", "--", "isql", "-b", "-v", "chop"]);
        ended(&misspelt, 1);
        assert!(misspelt.errors().contains(only) && misspelt.text().contains("IM002"), "{}", misspelt.errors());
        assert!(nothing.errors().contains("never connected through super8"), "{}", nothing.errors());
    });
}

#[test]
fn the_commands_own_failure_is_kept() {
    in_both_formats(|format| {
        let (desk, _) = recorded(format, "cli_own");
        ended(&desk.run(&["replay", "tape", "--", "sh", "-c", "exit 7"]), 7);
        ended(&desk.run(&["replay", "tape", "--", "no-such-command-at-all"]), 127);
        ended(&desk.run(&["replay", "tape", "--", "/etc/passwd"]), 126);
        let none = desk.run(&["replay", "other-tape", "--", "true"]);
        ended(&none, 125);
        assert!(none.errors().contains("there is no cassette here"), "{}", none.errors());
        assert!(none.errors().trim_end().ends_with("super8 record other-tape -- true"), "{}", none.errors());
        let mut once = desk.super8(&["once", "other-tape", "--", "true"]);
        once.env("CI", "true");
        let once = Outcome::of(&once, b"");
        ended(&once, 125);
        assert!(once.errors().contains("CI is set"), "{}", once.errors());
    });
}

#[test]
fn handles_left_open_fail_unless_they_are_allowed() {
    in_both_formats(|format| {
        let desk = Desk::new("cli_leak").in_format(format);
        let target = Target {
            connection_string: "DSN=shop".into(),
            dialect: "sqlite",
            driver_string: String::new(),
            user: String::new(),
            password: String::new(),
            library: Driver::Sqlite.path(),
        };
        assert_ne!(SOURCE, "shop");
        let program = Program::c("steps.c").with_argument("leave").command(&target);
        let words = |verb: &[&str]| -> Vec<String> {
            let program = std::iter::once(program.get_program()).chain(program.get_args());
            let program = program.map(|word| word.to_string_lossy().into_owned());
            verb.iter().map(ToString::to_string).chain(program).collect()
        };
        let record = run(&desk, &words(&["record", "tape", "--"]));
        ended(&record, 123);
        assert!(record.errors().contains("left open: 1 connection"), "{}", record.errors());
        desk.clear();
        ended(&run(&desk, &words(&["replay", "tape", "--"])), 123);
        ended(&run(&desk, &words(&["replay", "--allow-leaks", "tape", "--"])), 0);
    });
}

/// A program that asks for the dearest fruit and then does `end`.
fn then(end: &str) -> Vec<String> {
    let script = format!(
        "import os, sys, signal, pyodbc\n\
         try: cursor = pyodbc.connect(sys.argv[1], autocommit=True).cursor()\n\
         except pyodbc.Error: sys.exit(9)\n\
         print(cursor.execute('select max(price) from fruit').fetchall(), flush=True)\n{end}\n"
    );
    [python::interpreter().display().to_string(), "-c".to_owned(), script, "DSN=shop".to_owned()].to_vec()
}

fn wrapped(desk: &Desk, words: &[&str], command: &[String]) -> Outcome {
    let command = command.iter().map(String::as_str);
    desk.run(&words.iter().copied().chain(["--"]).chain(command).collect::<Vec<_>>())
}

#[test]
fn a_failed_command_does_not_replace_the_cassette() {
    in_both_formats(|format| {
        let desk = Desk::new("cli_failed").in_format(format);
        let good = then("cursor.execute('select 1').fetchall()");
        ended(&wrapped(&desk, &["record", "tape"], &good), 0);
        let before = files(&desk.scratch.join("work/tape"));
        let mut down = then("");
        down.pop();
        down.push("DRIVER=SQLite3;Database=/nonexistent/shop.db".to_owned());
        for (command, code) in [
            (then("sys.exit(3)"), 3),
            (then("os.kill(os.getpid(), signal.SIGKILL)"), 137),
            (then("signal.signal(signal.SIGINT, signal.SIG_DFL); os.kill(os.getpid(), signal.SIGINT)"), 130),
            (then("os.kill(os.getpid(), signal.SIGTERM)"), 143),
            (down, 9),
        ] {
            let outcome = wrapped(&desk, &["record", "tape"], &command);
            ended(&outcome, code);
            let told = outcome.errors();
            for part in
                ["tape", "not replaced, because the command failed", "super8-recording: `super8 recover ", "--keep"]
            {
                assert!(told.contains(part), "{part} is missing after {code}:\n{told}");
            }
            let whole = |(path, _): &(PathBuf, Vec<u8>)| !path.display().to_string().contains("super8-recording");
            let after: Vec<_> = files(&desk.scratch.join("work/tape")).into_iter().filter(whole).collect();
            assert!(after == before, "the cassette changed after {code}");
        }
        // What the last but one did is gone with the last; this one is taken.
        ended(&wrapped(&desk, &["record", "tape"], &then("sys.exit(3)")), 3);
        ended(&desk.run(&["recover", "tape"]), 0);
        desk.clear();
        ended(&wrapped(&desk, &["replay", "tape"], &then("sys.exit(3)")), 3);
        // It has nothing more than that.
        assert!(wrapped(&desk, &["replay", "tape"], &good).errors().contains("commands of"));
    });
}

#[test]
fn a_failed_first_recording_is_kept_aside_or_taken_on_request() {
    in_both_formats(|format| {
        let desk = Desk::new("cli_aside").in_format(format);
        let program = then("sys.exit(3)");
        ended(&wrapped(&desk, &["record", "tape"], &program), 3);
        assert!(desk.run(&["check", "tape"]).text().contains("super8 recover"));
        let replay = wrapped(&desk, &["replay", "tape"], &program);
        ended(&replay, 125);
        assert!(replay.errors().contains("super8 recover "), "{}", replay.errors());
        ended(&wrapped(&desk, &["record", "--keep", "tape"], &program), 3);
        assert_eq!(desk.run(&["check", "tape"]).text(), "1 checked, nothing found\n");
        desk.clear();
        // with --keep the exit code is the command's own only if it did what was recorded
        let changed = |from: &str, to: &str| program.iter().map(|word| word.replace(from, to)).collect::<Vec<_>>();
        let (other, less) = (changed("max(price)", "min(price)"), changed("print(", "None and print("));
        for (command, with, without) in [(&program[..], 3, 3), (&other, 120, 1), (&less, 121, 3)] {
            ended(&wrapped(&desk, &["replay", "--keep", "tape"], command), with);
            ended(&wrapped(&desk, &["replay", "tape"], command), without);
        }
        let desk = Desk::new("cli_aside_again").in_format(format);
        ended(&wrapped(&desk, &["record", "--keep", "tape"], &program), 3);
        let again = wrapped(&desk, &["replay", "--record-failed", "--keep", "tape"], &other);
        ended(&again, 3);
        assert_eq!(again.text().matches("[(").count(), 2, "recorded and replayed: {}", again.text());
    });
}

/// The program that a wrapped command ends with is one thing, a process that was killed under it another.
#[test]
fn a_killed_process_is_recovered_if_the_command_succeeds() {
    in_both_formats(|format| {
        let desk = Desk::new("cli_killed").in_format(format);
        let killed = then("os.kill(os.getpid(), 9)");
        let guarded: Vec<String> =
            ["sh", "-c", "\"$@\" || true", "sh"].into_iter().map(str::to_owned).chain(killed.clone()).collect();
        let record = wrapped(&desk, &["record", "tape"], &guarded);
        ended(&record, 0);
        assert!(record.errors().contains("recovered"), "{}", record.errors());
        desk.clear();
        let replay = wrapped(&desk, &["replay", "tape"], &killed);
        ended(&replay, 137);
        assert!(replay.text().contains("[(4,)]"), "{}", replay.text());
        // Where the command swallows that: it had played everything, or what it left is not known.
        ended(&wrapped(&desk, &["replay", "tape"], &guarded), 0);
        let early: Vec<String> =
            guarded.iter().map(|word| word.replace("print(", "os.kill(os.getpid(), 9); print(")).collect();
        ended(&wrapped(&desk, &["replay", "tape"], &early), 118);
        desk.stock();
        let desk = Desk::new("cli_killed_kept").in_format(format);
        let kept = wrapped(&desk, &["record", "--keep", "tape"], &killed);
        ended(&kept, 137);
        assert!(kept.errors().contains("recovered"), "{}", kept.errors());
    });
}

/// What a program chooses itself, in its connection string, it publishes itself: it may want to replay it at once.
#[test]
fn a_cassette_that_the_program_names_is_the_programs() {
    in_both_formats(|format| {
        let desk = Desk::new("cli_own").in_format(format);
        let mut program = then("sys.exit(3)");
        program.pop();
        program.push("DSN=shop;Super8Cassette=own;Super8Mode=record".to_owned());
        ended(&wrapped(&desk, &["record", "tape"], &program), 3);
        assert_eq!(desk.run(&["check", "own"]).text(), "1 checked, nothing found\n");
    });
}

#[test]
fn a_cassette_that_cannot_be_written_fails() {
    in_both_formats(|format| {
        let desk = Desk::new("cli_unwritable").in_format(format);
        desk.scratch.write("work/file", "no directory");
        let outcome = run(&desk, &swallow(&["record", "file/tape"], &[ALL]));
        ended(&outcome, 122);
        assert!(outcome.errors().contains("file/tape"), "{}", outcome.errors());
    });
}

/// `once` records again on request, in CI as well.
#[test]
fn once_records_again_on_request() {
    in_both_formats(|format| {
        let (desk, _) = recorded(format, "cli_rerecord");
        let log =
            || std::fs::read_to_string(desk.scratch.join("work/tape").join(format.log("tape"))).unwrap_or_default();
        assert!(!log().contains("price > 3"));
        desk.stock();
        desk.configuration()
            .driver("SQLite3", &[("Driver", Driver::Sqlite.library())])
            .source("shop", &[("Driver", "SQLite3"), ("Database", "shop.db")])
            .write();
        let other = swallow(&["once", "--rerecord", "tape"], &["select name from fruit where price > 3"]);
        let mut command = desk.super8(&other.iter().map(String::as_str).collect::<Vec<_>>());
        ended(&Outcome::of(command.env("CI", "true"), b""), 0);
        assert!(log().contains("price > 3"));
        desk.clear();
        ended(&run(&desk, &swallow(&["once", "tape"], &["select name from fruit where price > 3"])), 0);
    });
}

/// A misspelt variable would silently not hold. Nothing is recorded here, so one format will do.
#[test]
fn a_misspelt_variable_is_an_error() {
    let desk = Desk::new("cli_misspelt");
    let outcome = |words: &[&str]| Outcome::of(desk.super8(words).env("SUPER8_CASETTE", "x"), b"");
    let refused = outcome(&["record", "tape", "--", "true"]);
    ended(&refused, 125);
    assert!(refused.errors().contains("SUPER8_CASETTE") && refused.errors().contains("mean SUPER8_CASSETTE?"));
    let examined = outcome(&["doctor"]);
    assert!(examined.text().contains("did you mean SUPER8_CASSETTE?"), "{}", examined.text());
    ended(&examined, 1);
    // one that a name mentions may have any name
    let mentioned = swallow(&["record", "tapes/%{SUPER8_CASETTE}"], &["select name from fruit"]);
    let mut command = desk.super8(&mentioned.iter().map(String::as_str).collect::<Vec<_>>());
    ended(&Outcome::of(command.env("SUPER8_CASETTE", "x"), b""), 0);
    assert!(desk.scratch.join("work/tapes/x").is_dir());
}

/// Nothing is played here, so one format will do.
#[test]
fn a_signal_to_the_wrapper_reaches_the_command() {
    let (desk, _) = recorded(Format::Yaml, "cli_signal");
    let script = "trap 'echo told; exit 3' TERM; echo ready; while :; do sleep 0.05; done";
    let mut command = desk.super8(&["replay", "tape", "--", "sh", "-c", script]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap_or_else(|error| panic!("{error}"));
    let mut lines = BufReader::new(child.stdout.take().unwrap_or_else(|| panic!("no pipe"))).lines();
    let mut line = || lines.next().and_then(Result::ok).unwrap_or_default();
    assert_eq!(line(), "ready");
    let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(killed.is_ok_and(|status| status.success()));
    assert_eq!(line(), "told");
    assert_eq!(child.wait().ok().and_then(|status| status.code()), Some(3));
}

/// A trace is named by its file as well: `check`, `show` and the others take that name too.
#[test]
fn a_trace_is_recorded_and_replayed_by_its_file() {
    let desk = Desk::new("cli_trace");
    let file = desk.scratch.join("work/traces/shop.ndjson");
    for verb in ["record", "replay", "once", "record"] {
        let outcome = run(&desk, &swallow(&[verb, "traces/shop.ndjson"], &[ALL, ONE]));
        ended(&outcome, 0);
        assert!(outcome.text().contains("('pear', 4)"), "{verb}: {}", outcome.text());
        assert!(file.is_file(), "{verb}");
    }
    ended(&run(&desk, &["check".to_owned(), "traces/shop.ndjson".to_owned()]), 0);
    // what differs, is missing, or fails counts as with any cassette
    ended(&run(&desk, &swallow(&["replay", "traces/shop.ndjson"], &[ALL, "select 1"])), 120);
    ended(&run(&desk, &swallow(&["replay", "traces/shop.ndjson"], &[ALL])), 121);
    ended(&run(&desk, &swallow(&["replay", "traces/other.ndjson"], &[ALL])), 125);
    let before = std::fs::read(&file).unwrap();
    ended(&run(&desk, &["record", "traces/shop.ndjson", "--", "false"].map(str::to_owned)), 1);
    assert_eq!(std::fs::read(&file).unwrap(), before);
}
