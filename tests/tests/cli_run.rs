//! `super8 run`: super8 stands before every driver, and the program says what is recorded and replayed.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use super8_tests::cassette_files::names;
use super8_tests::desk::Desk;
use super8_tests::format::in_both_formats;
use super8_tests::outcome::Outcome;
use super8_tests::packages;

const ONE: &str = "select price from fruit where name = 'pear'\n";

#[track_caller]
fn ended(outcome: &Outcome, code: u8) {
    let expected = format!("exit status: {code}");
    assert_eq!(outcome.status, expected, "{}", String::from_utf8_lossy(&outcome.all()));
}

/// Asks for the price of pears, on this connection string.
fn isql(desk: &Desk, words: &[&str], keywords: &str, variables: &[(&str, &str)]) -> Outcome {
    let connect = format!("DSN=shop;{keywords}");
    let mut command = desk.super8(&[&["run"], words, &["--", "isql", "-b", "-v", "-k", &connect]].concat());
    Outcome::of(command.envs(variables.iter().copied()), ONE.as_bytes())
}

#[test]
fn the_program_chooses_its_cassette_or_none() {
    in_both_formats(|format| {
        let desk = Desk::new("cli_run").in_format(format);
        let forwarded = isql(&desk, &[], "", &[]);
        ended(&forwarded, 0);
        assert!(forwarded.text().contains("| 4 "), "{}", forwarded.text());
        let work = desk.scratch.join("work");
        assert_eq!(names(&work), ["shop.db"]);

        ended(&isql(&desk, &[], "Super8Mode=record;Super8Cassette=tapes/by-string", &[]), 0);
        let variables = [("SUPER8_MODE", "record"), ("SUPER8_CASSETTE", "tapes/by-variable")];
        ended(&isql(&desk, &[], "", &variables), 0);
        for tape in ["by-string", "by-variable"] {
            assert!(names(&work.join("tapes").join(tape)).contains(&format.log(tape)), "{tape}");
        }

        // Without the driver, the data source and the database, as far as the cassettes know them.
        desk.clear();
        let replay = "Super8Mode=replay;Super8Cassette=tapes/by-variable";
        let unknown = isql(&desk, &[], replay, &[]);
        ended(&unknown, 1);
        assert!(unknown.text().contains("Data source name not found"), "{}", unknown.text());
        for place in ["tapes", "tapes/by-string"] {
            let replayed = isql(&desk, &["--cassettes", "nowhere", "--cassettes", place], replay, &[]);
            ended(&replayed, 0);
            assert_eq!(replayed.text(), forwarded.text(), "{place}");
        }
    });
}

/// A run inside another one leaves what the outer one has put before each driver.
#[test]
fn runs_may_be_nested() {
    let desk = Desk::new("cli_run_nested");
    let super8 = super8_tests::products::super8().display().to_string();
    let isql = ["isql", "-b", "-v", "shop"];
    let nested = |outer: &[&str], inner: &[&str]| {
        let outcome = desk.run_with(&[outer, &["--", &super8], inner, &["--"], &isql].concat(), ONE);
        ended(&outcome, 0);
        assert!(outcome.text().contains("| 4 "), "{}", outcome.text());
    };
    nested(&["run"], &["run"]);
    nested(&["run"], &["record", "tape"]);
    nested(&["record", "outer"], &["run"]);
    // By the driver's name, which the cassette names as well.
    let words = ["record", "by driver", "--", &super8, "run", "--cassettes", "by driver", "--", "isql", "-b", "-k"];
    for _ in 0..2 {
        ended(&desk.run_with(&[&words[..], &["DRIVER=SQLite3;Database=shop.db"]].concat(), ONE), 0);
    }
    desk.clear();
    nested(&["replay", "outer"], &["run"]);
    nested(&["replay", "outer"], &["run", "--cassettes", "tape"]);
    nested(&["run"], &["replay", "tape"]);
}

#[test]
fn the_exit_code_is_the_commands() {
    let desk = Desk::new("cli_run_exit");
    for (script, code) in [("exit 0", 0), ("exit 7", 7), ("kill -KILL $$", 137)] {
        ended(&desk.run(&["run", "--", "sh", "-c", script]), code);
    }
    let missing = desk.run(&["run", "--", "./no-such-program"]);
    ended(&missing, 127);
    assert!(missing.errors().contains("there is no such command"), "{}", missing.errors());
    ended(&desk.run(&["run"]), 2);
    let mut lost = desk.super8(&["run", "--", "true"]);
    let lost = Outcome::of(lost.env("SUPER8_LIBRARY_DIR", "/nonexistent"), b"");
    ended(&lost, 125);
}

fn waits_for(what: &str, until: impl Fn() -> bool) {
    let begun = Instant::now();
    while !until() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The files are nobody else's, and are there as long as a process that has them in its environment.
#[test]
fn the_configuration_lives_as_long_as_the_processes() {
    let desk = Desk::new("cli_run_directory");
    let temporary = desk.scratch.directory("tmp");
    let run = |script: &str| {
        let mut command = desk.super8(&["run", "--", "sh", "-c", script]);
        let outcome = Outcome::of(command.env("TMPDIR", &temporary), b"");
        ended(&outcome, 0);
        outcome.text()
    };
    run("stat -c '%a' \"$ODBCSYSINI\" \"$ODBCSYSINI\"/*.ini > modes; echo \"$ODBCSYSINI\" > where");
    let read = |name: &str| std::fs::read_to_string(desk.scratch.join("work").join(name)).unwrap_or_default();
    let modes = read("modes");
    let shared = if super8_tests::server::is_root() { ["711", "644"] } else { ["700", "600"] };
    assert!(
        modes.starts_with(shared[0]) && modes.lines().skip(1).all(|mode| mode == shared[1] || mode == "600"),
        "{modes}"
    );
    assert!(read("where").starts_with(&temporary.display().to_string()) && !Path::new(read("where").trim()).exists());

    run("echo \"$ODBCSYSINI\" > where; (exec >/dev/null 2>&1; while [ ! -e stop ]; do sleep 0.05; done; \
         isql -b -k DSN=shop < /dev/null; echo $? > late) &");
    let left = PathBuf::from(read("where").trim());
    // Another run does not remove it.
    run("true");
    assert!(left.join("odbcinst.ini").exists());
    desk.scratch.write("work/stop", "");
    waits_for("the process that was left running did not end", || read("late") == "0\n");
    waits_for("nobody removes the directory", || {
        run("true");
        !left.exists()
    });
}

/// `super8 run --print-environment`, which lives until its standard input ends.
struct Printed {
    child: Child,
    environment: serde_json::Value,
}

impl Printed {
    fn of(desk: &Desk, words: &[&str]) -> Printed {
        let mut command = desk.super8(&[&["run", "--print-environment"], words].concat());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("super8 starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
        Printed { child, environment: serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}")) }
    }

    fn variables(&self) -> Vec<(String, String)> {
        let variables = self.environment["environment"].as_object().expect("variables");
        variables.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())).collect()
    }
}

#[test]
fn a_framework_that_prepares_itself_keeps_the_configuration_open() {
    let desk = Desk::new("cli_run_print");
    ended(&isql(&desk, &[], "Super8Mode=record;Super8Cassette=tape", &[]), 0);
    desk.clear();
    let mut printed = Printed::of(&desk, &["--cassettes", "."]);
    let names: Vec<String> = printed.variables().into_iter().map(|(name, _)| name).collect();
    let known = "ODBCINI ODBCINSTINI ODBCSYSINI SUPER8_LIBRARY_DIR SUPER8_SESSION SYSODBCINI SYSODBCINSTINI";
    let known: Vec<&str> = known.split(' ').collect();
    assert_eq!(names, known);
    let library = printed.environment["library"].as_str().unwrap_or_default();
    assert!(library.ends_with("/libsuper8.so") && Path::new(library).exists(), "{library}");
    // Ctrl-C reaches every process of the terminal.
    let pid = printed.child.id().to_string();
    for signal in ["-INT", "-TERM", "-HUP"] {
        let sent = std::process::Command::new(packages::program("kill", "procps")).args([signal, &pid]).status();
        assert!(sent.is_ok_and(|sent| sent.success()));
    }
    let mut isql = std::process::Command::new(packages::program("isql", "unixodbc"));
    isql.args(["-b", "-v", "-k", "DSN=shop;Super8Mode=replay;Super8Cassette=tape"]);
    desk.at(&mut isql);
    let replayed = Outcome::of(isql.envs(printed.variables()), ONE.as_bytes());
    ended(&replayed, 0);
    assert!(replayed.text().contains("| 4 "), "{}", replayed.text());

    let directory = printed.variables().into_iter().find(|(name, _)| name == "ODBCSYSINI").expect("ODBCSYSINI").1;
    let metadata = std::fs::metadata(&directory).unwrap_or_else(|error| panic!("{directory}: {error}"));
    assert_eq!(metadata.mode() & 0o066, 0, "others may read {directory}");
    drop(printed.child.stdin.take());
    assert!(printed.child.wait().is_ok_and(|status| status.success()) && !Path::new(&directory).exists());
}
