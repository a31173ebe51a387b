//! `super8 sweep`: programs with a known fault in their error handling, in several languages.

use std::process::Command;
use super8_tests::c_compiler::compiled;
use super8_tests::desk::Desk;
use super8_tests::driver::Driver;
use super8_tests::format::Format;
use super8_tests::outcome::Outcome;
use super8_tests::products::{repository, super8};
use super8_tests::{node, python};

/// A desk with a recording of a program in its mode `passes`, whose database is gone. The mode is the program's last argument.
fn recorded(subject: &str, driver: Driver, program: &[&str]) -> (Desk, Vec<String>) {
    recorded_in(Format::Yaml, &[], subject, driver, program)
}

/// The same in a format, with more options.
fn recorded_in(
    format: Format,
    options: &[&str],
    subject: &str,
    driver: Driver,
    program: &[&str],
) -> (Desk, Vec<String>) {
    let (desk, _database, connection_string) = Desk::on(subject, driver, "shelves");
    let desk = desk.in_format(format);
    let script = "create table shelf (name varchar(20) primary key, amount integer)\n\
                  insert into shelf values ('upper', 7)\ninsert into shelf values ('lower', 1)\n";
    let made = Outcome::of(&desk.super8(&["run", "--", "isql", "-b", "-k", &connection_string]), script.as_bytes());
    assert!(made.succeeded(), "{}", made.errors());
    let mut words: Vec<String> = program.iter().map(ToString::to_string).collect();
    words.push(connection_string);
    let record = [&["record", "--allow-leaks"], options, &["tape", "--"]].concat();
    let run = desk.run(&[&record, &strs(&words)[..], &["passes"]].concat());
    assert!(run.succeeded() && run.text().contains("done"), "{}{}", run.text(), run.errors());
    desk.clear();
    (desk, words)
}

fn strs(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

/// What a sweep in a mode found: verdicts and commands, and all of its verdicts.
fn swept(desk: &Desk, options: &[&str], words: &[String], mode: &str) -> (Outcome, Vec<(String, String)>) {
    swept_within("20", desk, options, words, mode)
}

/// The same with so many seconds for a run.
fn swept_within(
    seconds: &str,
    desk: &Desk,
    options: &[&str],
    words: &[String],
    mode: &str,
) -> (Outcome, Vec<(String, String)>) {
    let common = ["sweep", "--report", "json", "--timeout", seconds];
    let outcome = desk.run(&[&common, options, &["tape", "--"], &strs(words)[..], &[mode]].concat());
    let report: serde_json::Value = serde_json::from_str(&outcome.text())
        .unwrap_or_else(|error| panic!("{error}: {}{}", outcome.text(), outcome.errors()));
    let text = |case: &serde_json::Value, key: &str| case[key].as_str().unwrap_or_default().to_owned();
    let cases = report["cases"].as_array().unwrap_or_else(|| panic!("{report}"));
    let cases: Vec<(String, String)> = cases.iter().map(|case| (text(case, "verdict"), text(case, "text"))).collect();
    assert!(!cases.is_empty(), "{report}");
    (outcome, cases)
}

const WELL: [&str; 4] = ["handled", "retried", "nowhere_recorded", "not_reached"];

/// Each mode of a program has its own fault at the statement that names the lower shelf, and no other.
fn finds_exactly(subject: &str, driver: Driver, program: &[&str], faults: &str) {
    let (desk, words) = recorded(subject, driver, program);
    let modes: [(&str, &[&str]); 5] = [
        ("passes", &[]),
        ("retries", &[]),
        ("swallows", &["swallowed"]),
        ("commits", &["partial_commit", "used_dead_connection"]),
        ("crashes", &["crashed"]),
    ];
    for (mode, expected) in modes {
        let (outcome, cases) = swept(&desk, &["--faults", faults], &words, mode);
        let found: Vec<&(String, String)> =
            cases.iter().filter(|(verdict, _)| !WELL.contains(&verdict.as_str())).collect();
        let wrong = |(verdict, text): &&&(String, String)| {
            !expected.contains(&verdict.as_str()) || !text.contains("name = 'lower'")
        };
        assert!(found.iter().find(wrong).is_none(), "{mode}: {found:?}");
        assert_eq!(found.is_empty(), expected.is_empty(), "{mode}: {cases:?}");
        assert_eq!(outcome.status, format!("exit status: {}", u8::from(!found.is_empty())), "{mode}");
        let retried = cases.iter().filter(|(verdict, _)| verdict == "retried").count();
        assert_eq!(retried > 0, mode == "retries", "{mode}: {cases:?}");
    }
}

fn script(name: &str) -> String {
    repository().join("tests/programs").join(name).display().to_string()
}

#[test]
fn a_sweep_finds_what_is_wrong_in_a_python_program_and_nothing_else() {
    let python = python::interpreter().display().to_string();
    let program = [python.as_str(), &script("python/failing.py")];
    finds_exactly("sweep_python", Driver::Sqlite, &program, "deadlock,lost-connection");
    finds_exactly("sweep_python", Driver::PostgresUnicode, &program, "deadlock,lost-connection");
    // what may be committed is not played again, so that the retry fails, and says why
    let (desk, words) = recorded("sweep_python", Driver::Sqlite, &program);
    let (_, cases) = swept(&desk, &["--faults", "commit-unknown"], &words, "retries");
    assert_eq!(cases, [("handled".to_owned(), "commit".to_owned())]);
}

#[test]
fn a_sweep_finds_what_is_wrong_in_a_ruby_program_and_nothing_else() {
    // Debian's is not linked with the driver manager that it calls
    let program = ["env", "LD_PRELOAD=libodbc.so.2", "ruby", &script("ruby/failing.rb")];
    for driver in [Driver::Sqlite, Driver::PostgresUnicode] {
        finds_exactly("sweep_ruby", driver, &program, "deadlock,lost-connection,lock-timeout");
    }
}

#[test]
fn a_sweep_finds_what_is_wrong_in_a_node_program_and_nothing_else() {
    let packages = format!("ODBC_PACKAGE={}", node::packages_directory().display());
    let program = ["env", &packages, "node", &script("node/failing.mjs")];
    for driver in [Driver::Sqlite, Driver::PostgresUnicode] {
        finds_exactly("sweep_node", driver, &program, "deadlock,lost-connection,lock-timeout");
    }
}

#[test]
fn a_sweep_comes_to_every_kind_of_command_of_a_c_program() {
    let program = compiled("failing.c").display().to_string();
    for driver in [Driver::Sqlite, Driver::PostgresUnicode] {
        let (desk, words) = recorded("sweep_c", driver, &[&program]);
        let (outcome, cases) = swept(&desk, &["--faults", "timeout"], &words, "again");
        // twelve commands, and the last row
        assert_eq!(cases.len(), 13, "{cases:?}");
        assert!(cases.iter().all(|(verdict, _)| verdict == "retried"), "{cases:?}");
        assert!(outcome.succeeded(), "{}", outcome.errors());
        let (outcome, cases) = swept(&desk, &["--faults", "deadlock"], &words, "careless");
        assert_eq!(outcome.status, "exit status: 1");
        let of = |text: &str| cases.iter().find(|case| case.1.starts_with(text)).map(|case| case.0.as_str());
        assert_eq!(of("run \"insert"), Some("partial_commit"), "{cases:?}");
        assert_eq!(of("run \"delete"), Some("swallowed"), "{cases:?}");
        assert_eq!(of("prepare"), Some("swallowed"), "{cases:?}");
    }
}

#[test]
fn a_sweep_finds_a_null_pointer_a_program_that_hangs_and_one_that_tries_for_ever() {
    let program = compiled("after_error.c").display().to_string();
    for driver in [Driver::Sqlite, Driver::PostgresUnicode] {
        let (desk, words) = recorded("sweep_after_error", driver, &[&program]);
        for (mode, fault, expected) in [
            ("passes", "timeout", "handled"),
            ("crashes", "timeout", "crashed"),
            ("hangs", "timeout", "hung"),
            ("for_ever", "timeout", "retried"),
            ("for_ever", "lost-connection", "retried_for_ever"),
        ] {
            // only these never end by themselves
            let seconds = if ["hung", "retried_for_ever"].contains(&expected) { "3" } else { "20" };
            let (outcome, cases) = swept_within(seconds, &desk, &["--faults", fault], &words, mode);
            let found: Vec<&str> =
                cases.iter().filter(|case| case.1.starts_with("run")).map(|case| case.0.as_str()).collect();
            assert_eq!(found, [expected], "{mode} {fault}: {cases:?}");
            let is_found = !WELL.contains(&expected);
            assert_eq!(outcome.status, format!("exit status: {}", u8::from(is_found)), "{mode} {fault}");
        }
    }
}

#[test]
fn transactions_by_the_text_of_statements_are_transactions() {
    let python = python::interpreter().display().to_string();
    let program = [python.as_str(), &script("python/text_transactions.py"), "autocommit"];
    // only MariaDB's SQL has SET autocommit
    for (driver, count) in [(Driver::Sqlite, 2), (Driver::PostgresUnicode, 2), (Driver::MariaDb, 3)] {
        let (desk, words) = recorded("sweep_by_text", driver, &program[..count]);
        for (mode, expected) in [("passes", "handled"), ("retries", "retried"), ("commits", "partial_commit")] {
            let (_, cases) = swept(&desk, &["--faults", "deadlock,lock-timeout"], &words, mode);
            let lower = cases.iter().filter(|(_, text)| text.contains("name = 'lower'"));
            let verdicts: Vec<&str> = lower.map(|(verdict, _)| verdict.as_str()).collect();
            assert_eq!(verdicts, [expected, expected], "{mode}: {cases:?}");
            let others = cases.iter().filter(|(_, text)| !text.contains("name = 'lower'"));
            assert!(others.into_iter().all(|(verdict, _)| WELL.contains(&verdict.as_str())), "{mode}: {cases:?}");
        }
    }
}

#[test]
fn what_is_allowed_has_a_reason_and_is_used_and_findings_can_be_repeated() {
    let program = compiled("failing.c").display().to_string();
    let (desk, words) = recorded("sweep_allowed", Driver::Sqlite, &[&program]);
    let options = ["--faults", "timeout", "--sample", "5", "--allow", "allowed.yml"];
    desk.scratch
        .write("work/allowed.yml", "- command: .\n  reason: nobody minds\n- command: truncate\n  reason: gone\n");
    let run = |form: &str| {
        let words = strs(&words);
        desk.run(&[&["sweep", "--report", form], &options[..], &["tape", "--"], &words, &["careless"]].concat())
    };
    let outcome = run("text");
    let said = outcome.text();
    assert!(said.contains("5 runs: ") && said.contains("allowed: nobody minds"), "{said}");
    assert!(said.contains("allowed, and nothing that was found is like it: truncate, gone"), "{said}");
    assert_eq!(outcome.status, "exit status: 1", "an entry is not used");
    desk.scratch.write("work/allowed.yml", "- command: .\n  reason: nobody minds\n");
    assert_eq!(run("text").status, "exit status: 0");
    desk.scratch.write("work/allowed.yml", "- command: connect\n  fault: deadlock\n  reason: never\n");
    let outcome = run("text");
    let repeat = outcome.text().lines().find_map(|line| line.strip_prefix("  super8 ").map(str::to_owned));
    let repeat = repeat.unwrap_or_else(|| panic!("{}", outcome.text()));
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{} {repeat}", super8().display())]);
    desk.at(&mut shell);
    let repeated = Outcome::of(&shell, b"");
    assert!(repeated.errors().contains("failed as it was told"), "{}", repeated.errors());
    let page = desk.scratch.join("work/sweep.html");
    let words_of = strs(&words);
    desk.run(&[&["sweep", "--html", "sweep.html"], &options[..], &["tape", "--"], &words_of, &["careless"]].concat());
    let page = std::fs::read_to_string(page).unwrap();
    for part in
        ["<summary>sweep: 5 runs, ", "<strong class=\"bad\">swallowed</strong> <a href=\"#l", "super8 replay --fault "]
    {
        assert!(page.contains(part), "{part} is not in\n{page}");
    }
    let xml = run("junit").text();
    assert!(xml.contains("<testsuite name=\"super8 sweep tape\" tests=\"5\""), "{xml}");
    assert!(xml.contains("super8 replay --fault ") && !xml.contains("time=\"0.000\""), "{xml}");
}

#[test]
fn only_commits_of_the_failed_connection_count() {
    let python = python::interpreter().display().to_string();
    let program = [python.as_str(), &script("python/two_connections.py")];
    let (desk, words) = recorded("sweep_two", Driver::PostgresUnicode, &program);
    let replay = |faults: &[&str], mode: &str| {
        let faults: Vec<&str> = faults.iter().flat_map(|fault| ["--fault", fault]).collect();
        let outcome = desk.run(&[&["replay"], &faults[..], &["tape", "--"], &strs(&words)[..], &[mode]].concat());
        let part = |line: &&str| line.contains("committed a part");
        outcome.errors().lines().filter(part).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(replay(&["sql:one=deadlock"], "passes"), [""; 0], "the other connection committed");
    assert_eq!(replay(&["sql:two=deadlock"], "passes"), [""; 0], "the other connection committed");
    // a second fault does not hide what the first one undid
    let parts =
        [replay(&["sql:two=deadlock"], "careless"), replay(&["sql:one=deadlock", "sql:two=timeout"], "careless")];
    for part in &parts {
        let left = part.first().and_then(|line| line.split_once("before this commit: command ")).map(|(_, left)| left);
        let numbers = left.unwrap_or_default().split(", ").filter(|number| number.parse::<u32>().is_ok()).count();
        assert_eq!((part.len(), numbers), (1, 2), "{part:?}");
    }
    // pyodbc asks for types first
    let outcome =
        desk.run(&[&["replay", "--fault", "3=deadlock", "tape", "--"], &strs(&words)[..], &["passes"]].concat());
    assert_eq!((outcome.status.as_str(), outcome.text()), ("exit status: 2", String::new()));
    assert!(outcome.errors().contains("3 is an answer, which cannot fail"), "{}", outcome.errors());
    let outcome = desk.run(&["trim", "tape", "--drop", "3"]);
    assert!(outcome.errors().contains("3 is an answer"), "{}", outcome.errors());
}

/// Eight threads that connect at once with equal arguments: which of them is which recorded connection is open when a fault strikes at
/// what they have in common. Before places were keyed so, at least a quarter of these runs had a wrong verdict.
#[test]
fn threads_that_connect_at_once_are_told_apart() {
    let python = python::interpreter().display().to_string();
    let program = [python.as_str(), &script("python/threads_failing.py")];
    for (format, faults) in [(Format::Yaml, "timeout,lost-connection"), (Format::Ndjson, "deadlock")] {
        let order = ["--order", "connection"];
        let (desk, words) = recorded_in(format, &order, "sweep_threads", Driver::Sqlite, &program);
        let (outcome, cases) = swept(&desk, &["--faults", faults], &words, "retries");
        let right = |text: &str| if text == "rollback" { "handled" } else { "retried" };
        let wrong: Vec<&(String, String)> = cases.iter().filter(|(verdict, text)| verdict != right(text)).collect();
        assert!(wrong.is_empty(), "{faults}: {} of {}: {wrong:?}", wrong.len(), cases.len());
        assert!(cases.len() >= 80 && outcome.succeeded(), "{}", outcome.errors());
        // the fourth thread alone says nothing, of its own shelf; preparing is common to all, so that any thread may be struck there
        let (_, cases) = swept(&desk, &["--faults", "timeout"], &words, "swallows");
        let found =
            cases.iter().filter(|(verdict, text)| !WELL.contains(&verdict.as_str()) && !text.contains("prepare"));
        let found: Vec<(&str, &str)> = found.map(|(verdict, text)| (verdict.as_str(), &text[..11])).collect();
        assert_eq!(found, [("swallowed", "execute [3]")]);
    }
}

/// How often a sweep is made that has to find the same each time.
const AGAIN: usize = 2;

/// Four threads that write in autocommit, what all write and what only one does: a thread that lost its connection leaves out what is
/// done for good, and the others do that, each once. The cassette's order is that of all connections, which threads do not keep.
#[test]
fn threads_that_write_in_autocommit_are_judged_the_same_in_every_sweep() {
    let program = compiled("threads_autocommit.c").display().to_string();
    let options = ["--faults", "timeout,lost-connection", "--sample", "14"];
    for (driver, format) in [(Driver::Sqlite, Format::Yaml), (Driver::PostgresUnicode, Format::Ndjson)] {
        let (desk, words) = recorded_in(format, &[], "sweep_autocommit", driver, &[&program]);
        for _ in 0..AGAIN {
            let (outcome, cases) = swept(&desk, &options, &words, "retries");
            let wrong: Vec<&(String, String)> = cases.iter().filter(|(verdict, _)| verdict != "retried").collect();
            assert!(
                wrong.is_empty() && outcome.succeeded(),
                "{driver:?}: {} of {}: {wrong:?}",
                wrong.len(),
                cases.len()
            );
        }
        // the third thread alone says nothing, of its own statement
        let (_, cases) = swept(&desk, &["--faults", "timeout"], &words, "swallows");
        let own = cases.iter().filter(|(_, text)| text.starts_with("execute"));
        let found: Vec<(&str, &str)> = own.map(|(verdict, text)| (verdict.as_str(), &text[..11])).collect();
        let swallowed: Vec<&(&str, &str)> = found.iter().filter(|(verdict, _)| *verdict != "retried").collect();
        assert_eq!((found.len(), swallowed), (4, vec![&("swallowed", "execute [2]")]), "{driver:?}: {cases:?}");
    }
    // one that begins anew does again what is done, and a real database would do it twice: nothing is recorded for that
    let (desk, words) = recorded_in(Format::Ndjson, &[], "sweep_anew", Driver::Sqlite, &[&program]);
    let judged = |_| {
        let (_, cases) = swept(&desk, &["--faults", "lost-connection", "--sample", "9"], &words, "careless");
        cases.into_iter().filter(|(verdict, _)| verdict == "nowhere_recorded").count()
    };
    let judged: Vec<usize> = (0..AGAIN).map(judged).collect();
    assert!(judged.iter().all(|count| *count > 3 && *count == judged[0]), "{judged:?}");
    let python = python::interpreter().display().to_string();
    let program = [python.as_str(), &script("python/threads_autocommit.py")];
    let (desk, words) = recorded("sweep_autocommit_python", Driver::Sqlite, &program);
    let (_, cases) = swept(&desk, &["--faults", "lost-connection", "--sample", "5"], &words, "retries");
    assert!(cases.iter().all(|(verdict, _)| verdict == "retried"), "{cases:?}");
}

/// The same threads handle a failure in different ways. Which of them fails at a command that they all have is open, and so is the
/// verdict; but each sends only what was recorded, so that none goes where nothing is recorded. Its own command fails in one thread alone.
#[test]
fn threads_that_handle_failures_differently_are_judged_by_the_one_that_fails() {
    let program = compiled("threads_autocommit.c").display().to_string();
    for (driver, format) in [
        (Driver::Sqlite, Format::Yaml),
        (Driver::PostgresUnicode, Format::Ndjson),
        (Driver::Sqlite, Format::Ndjson),
        (Driver::PostgresUnicode, Format::Yaml),
    ] {
        let (desk, words) = recorded_in(format, &[], "sweep_differently", driver, &[&program]);
        for _ in 0..AGAIN {
            let (_, cases) = swept(&desk, &["--faults", "timeout,lost-connection"], &words, "differently");
            let one_of = ["retried", "swallowed", "handled"];
            let wrong: Vec<_> = cases.iter().filter(|(verdict, _)| !one_of.contains(&verdict.as_str())).collect();
            assert!(wrong.is_empty(), "{driver:?} {format:?}: {} of {}: {wrong:?}", wrong.len(), cases.len());
            let own = |number: usize| {
                let text = format!("execute [{number}]");
                cases.iter().filter(move |case| case.1.starts_with(&text)).map(|(verdict, _)| verdict.as_str())
            };
            for (number, expected) in ["retried", "swallowed", "handled", "retried"].into_iter().enumerate() {
                assert_eq!(
                    own(number).collect::<Vec<_>>(),
                    [expected; 2],
                    "{driver:?} {format:?}: {number}: {cases:?}"
                );
            }
        }
    }
}

#[test]
fn a_program_that_does_not_pass_without_a_fault_is_not_swept() {
    let program = compiled("failing.c").display().to_string();
    let (desk, words) = recorded("sweep_baseline", Driver::Sqlite, &[&program]);
    let outcome = desk.run(&[&["sweep", "tape", "--", "sh", "-c", "exit 3"][..], &strs(&words)].concat());
    assert_eq!(outcome.status, "exit status: 2");
    assert!(outcome.errors().contains("a replay without a fault has to pass"), "{}", outcome.errors());
}

#[test]
fn a_sweep_that_tests_nothing_is_an_error() {
    let program = compiled("failing.c").display().to_string();
    let (desk, words) = recorded("sweep_nothing", Driver::Sqlite, &[&program]);
    let sweep = |options: &[&str], script: &str| {
        let command = ["tape", "--", "sh", "-c", script, "sh"];
        let outcome = desk.run(&[&["sweep"], options, &command, &strs(&words)[..], &["again"]].concat());
        assert_eq!(outcome.status, "exit status: 2", "{}", outcome.errors());
        outcome.errors()
    };
    for options in [["--sample", "0"], ["--timeout", "0"], ["--output", "no/such/directory"]] {
        let said = sweep(&options, "exec \"$@\"");
        assert!(said.contains(options[0]) || said.contains("no/such/directory: cannot be written"), "{said}");
    }
    let said = sweep(&["--faults", "timeout"], "[ -n \"$SUPER8_FAULT\" ] || exec \"$@\"");
    assert!(said.contains("nothing was tested"), "{said}");
    let metadata = desk.scratch.join("work/tape/metadata.yml");
    let text = std::fs::read_to_string(&metadata).unwrap();
    std::fs::write(&metadata, text.replace("order: global", "order: any")).unwrap();
    let said = sweep(&[], "exec \"$@\"");
    assert!(said.contains("cannot strike in the order any") && said.contains("SUPER8_ORDER"), "{said}");
    let options = ["sweep", "--faults", "timeout", "--sample", "1", "tape", "--"];
    let mut in_order = desk.super8(&[&options[..], &strs(&words), &["again"]].concat());
    let outcome = Outcome::of(in_order.env("SUPER8_ORDER", "connection"), b"");
    assert!(outcome.succeeded() && outcome.text().contains("1 runs: 1 retried"), "{}", outcome.errors());
    std::fs::write(&metadata, text).unwrap();
    desk.scratch.directory("work/tape.parts");
    let [from, to] = ["work/tape", "work/tape.parts/tape-2"].map(|name| desk.scratch.join(name));
    let copied = Command::new("cp").arg("-r").args([from, to]).status().unwrap();
    assert!(copied.success());
    let said = sweep(&[], "exec \"$@\"");
    assert!(said.contains("several processes") && !said.contains("--order"), "{said}");
}

#[test]
fn a_sweep_that_is_stopped_leaves_nothing_behind() {
    let program = compiled("failing.c").display().to_string();
    let (desk, words) = recorded("sweep_stopped", Driver::Sqlite, &[&program]);
    let (scratch, file) = (desk.scratch.directory("work/temporary"), desk.scratch.join("work/pid"));
    let script = "[ -z \"$SUPER8_FAULT\" ] || { echo $$ > pid.new; mv pid.new pid; exec sleep 600; }; exec \"$@\"";
    for signal in ["TERM", "INT"] {
        let options = ["sweep", "--jobs", "1", "--timeout", "500", "tape", "--", "sh", "-c", script, "sh"];
        let mut sweep = desk.super8(&[&options[..], &strs(&words), &["again"]].concat());
        let mut sweep = sweep.env("TMPDIR", &scratch).spawn().unwrap();
        let begun = std::time::Instant::now();
        while !file.exists() {
            assert!(begun.elapsed().as_secs() < 60, "no run was begun");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let pid = std::fs::read_to_string(&file).unwrap().trim().to_owned();
        std::fs::remove_file(&file).unwrap();
        let sent = Command::new("kill").args([&format!("-{signal}"), &sweep.id().to_string()]).status().unwrap();
        assert!(sent.success());
        assert_eq!(sweep.wait().unwrap().code(), Some(if signal == "TERM" { 143 } else { 130 }));
        assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists(), "{signal}: the run is still there");
        let left: Vec<_> = std::fs::read_dir(&scratch).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(left.is_empty(), "{signal}: {left:?}");
    }
}
