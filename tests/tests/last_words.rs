//! Programs that end without a word: super8 knows by the last command whether everything was played.

use super8_tests::desk::Desk;
use super8_tests::driver::Driver;
use super8_tests::format::{Format, in_both_formats};
use super8_tests::outcome::Outcome;
use super8_tests::{c_compiler, packages, products, python};

/// The exit code of what is killed is forgiven: the verdict is about what it played.
const FORGIVING: [&str; 5] = ["--", "sh", "-c", "\"$@\" || true", "sh"];

#[track_caller]
fn ended(what: &str, outcome: &Outcome, code: u8) {
    assert_eq!(outcome.status, format!("exit status: {code}"), "{what}\n{}{}", outcome.text(), outcome.errors());
}

/// Records and replays `last_words.c`.
fn recorded_and_replayed(format: Format, how: &str, recorded: &str, replayed: &str) -> (Outcome, Outcome) {
    let desk = Desk::new("last_words").in_format(format);
    let program = c_compiler::compiled("last_words.c").display().to_string();
    let run = |verb: &str, last: &str| {
        let program = [program.as_str(), "DSN=shop", "sqlite", "", "shop", "", "", "", how, last];
        desk.run(&[&[verb, "tape"], &FORGIVING[..], &program].concat())
    };
    let first = run("record", recorded);
    desk.clear();
    (first, run("replay", replayed))
}

#[test]
fn whatever_ends_a_program_after_its_last_command() {
    in_both_formats(|format| {
        for how in ["exec", "exit", "kill"] {
            for last in ["connect", "rows", "statement", "commit"] {
                let what = format!("{how} after {last}");
                let (recorded, replayed) = recorded_and_replayed(format, how, last, last);
                ended(&what, &recorded, 0);
                ended(&what, &replayed, 0);
                assert_eq!(replayed.text(), recorded.text(), "{what}");
            }
        }
    });
}

#[test]
fn what_a_killed_program_left_out_is_not_known() {
    in_both_formats(|format| {
        for (recorded, replayed) in [("commit", "statement"), ("statement", "rows"), ("rows", "connect")] {
            let (_, outcome) = recorded_and_replayed(format, "kill", recorded, replayed);
            ended(&format!("{recorded} left out"), &outcome, 118);
        }
    });
}

#[test]
fn a_cassette_that_was_ejected_is_known() {
    in_both_formats(|format| {
        for how in ["end", "left open", "exit", "exec", "kill"] {
            let desk = Desk::new("ejected").in_format(format);
            let script = products::repository().join("tests/programs/python/ejected.py").display().to_string();
            let (python, library) =
                (python::interpreter().display().to_string(), Driver::Sqlite.shim().path().display().to_string());
            let run = |verb: &str| {
                let program = [python.as_str(), "-B", &script, "DSN=shop", &library, how];
                desk.run(&[&[verb, "--allow-leaks", "tape"], &FORGIVING[..], &program].concat())
            };
            let recorded = run("record");
            ended(how, &recorded, 0);
            desk.clear();
            let replayed = run("replay");
            ended(how, &replayed, 0);
            assert_eq!((recorded.text().as_str(), replayed.text()), ("1\n2\n", recorded.text()), "{how}");
        }
    });
}

#[test]
fn erlangs_process_that_is_ended_when_the_emulator_halts() {
    if !std::fs::read_dir("/usr/lib/erlang/lib").is_ok_and(|mut all| {
        all.any(|library| library.is_ok_and(|library| library.file_name().to_string_lossy().starts_with("odbc-")))
    }) {
        packages::missing("Erlang's odbc", "erlang-odbc");
    }
    let escript = packages::program("escript", "erlang-base").display().to_string();
    let script = products::repository().join("tests/programs/erlang/halt.escript").display().to_string();
    in_both_formats(|format| {
        for last in ["query", "rows", "parameters", "commit", "disconnect"] {
            let desk = Desk::new("erlang").in_format(format);
            // what the emulator reports of the disconnect comes only if it has not halted by then
            let said = |outcome: &Outcome| {
                outcome.text().split("\n=ERROR REPORT").next().unwrap_or_default().trim_end().to_owned()
            };
            // one of its threads may end the process while the other is closing the connection
            let run = |verb: &str| desk.run(&[verb, "--allow-leaks", "tape", "--", &escript, &script, last]);
            let recorded = run("record");
            ended(last, &recorded, 0);
            assert!(said(&recorded).contains("{\"apple\",3}"), "{}", recorded.text());
            desk.clear();
            let replayed = run("replay");
            ended(last, &replayed, 0);
            assert_eq!(said(&replayed), said(&recorded), "{last}");
        }
    });
}
