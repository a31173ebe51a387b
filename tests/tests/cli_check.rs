//! `super8 check` and `super8 recover` at the command line, on what was recorded; and `show` in a terminal.

use std::process::Command;
use super8_tests::desk::Desk;
use super8_tests::format::{Format, in_both_formats};
use super8_tests::outcome::Outcome;
use super8_tests::{packages, python};

/// Records two statements and ends as `end` says.
fn record(desk: &Desk, end: &str) -> Outcome {
    let script = format!(
        "import os, pyodbc\n\
         cursor = pyodbc.connect('DSN=shop', autocommit=True).cursor()\n\
         print(cursor.execute('select name, price from fruit order by name').fetchall(), flush=True)\n\
         print(cursor.execute('select max(price) from fruit').fetchall(), flush=True)\n\
         {end}\n"
    );
    desk.run(&["record", "--allow-leaks", "tape", "--", &python::interpreter().display().to_string(), "-c", &script])
}

#[track_caller]
fn said(desk: &Desk, words: &[&str], code: u8) -> String {
    let outcome = desk.run(words);
    assert_eq!(outcome.status, format!("exit status: {code}"), "{}{}", outcome.text(), outcome.errors());
    outcome.text()
}

#[test]
fn what_is_recorded_is_sound_and_damage_is_found() {
    in_both_formats(|format| {
        let desk = Desk::new("cli_check").in_format(format);
        assert_eq!(record(&desk, "").status, "exit status: 0");
        assert_eq!(said(&desk, &["check", "tape"], 0), "1 checked, nothing found\n");
        assert_eq!(said(&desk, &["check", "--json", "tape"], 0), "[]\n");

        let log = format!("work/tape/{}", format.log("tape"));
        let text = std::fs::read_to_string(desk.scratch.join(&log)).unwrap();
        let (yaml, ndjson) = ("method: fetch_all", r#""method":"fetch_all""#);
        let word = if format == Format::Yaml { yaml } else { ndjson };
        let line = text.lines().position(|line| line.contains(word)).unwrap() + 1;
        desk.scratch.write(&log, text.replacen(word, &word.replace("fetch_all", "fetch_none"), 1));
        let told = said(&desk, &["check", "tape"], 1);
        let place = format!("tape/{}:{line}", format.log("tape"));
        assert!(
            told.starts_with(&format!("{place}: unreadable: "))
                && told.contains("method: `fetch_none` is not a method; "),
            "{told}"
        );
        assert!(!told.contains("missing"), "{told}");
        assert_eq!(told.matches(&place).count(), 1, "the place is told once: {told}");
        let json: serde_json::Value = serde_json::from_str(&said(&desk, &["check", "--json", "tape"], 1)).unwrap();
        assert_eq!((&json[0]["kind"], &json[0]["line"]), (&"unreadable".into(), &line.into()), "{json}");
        assert!(said(&desk, &["check", "nowhere"], 2).starts_with("nowhere: unreadable: there is no cassette here; "));
    });
}

#[test]
fn what_a_killed_recording_left_is_recovered_once() {
    in_both_formats(|format| {
        let desk = Desk::new("cli_recover").in_format(format);
        let nothing = |words: &[&str]| -> serde_json::Value {
            let outcome = desk.run(words);
            assert_eq!(outcome.status, "exit status: 2");
            assert!(outcome.errors().contains("there is nothing to recover"), "{}", outcome.errors());
            serde_json::from_str(&outcome.text()).unwrap_or_default()
        };
        assert_eq!(nothing(&["recover", "--json", "tape"])["recovered"], false);
        assert_eq!(nothing(&["recover", "tape"]), serde_json::Value::Null);

        // The wrapper is killed along with its program, so that nobody recovers by itself.
        let killed = record(&desk, "os.kill(os.getppid(), 9); os.kill(os.getpid(), 9)");
        assert!(killed.status.contains("137") || killed.status.contains("signal"), "{}", killed.status);
        assert!(said(&desk, &["check", "tape"], 1).contains("super8 recover"));
        let json: serde_json::Value = serde_json::from_str(&said(&desk, &["recover", "--json", "tape"], 0)).unwrap();
        assert_eq!(json["recovered"], true, "{json}");
        assert!(json["entries"].as_u64().is_some_and(|entries| entries > 5), "{json}");
        assert_eq!(said(&desk, &["check", "tape"], 0), "1 checked, nothing found\n");
        assert!(said(&desk, &["show", "tape"], 0).contains("select max(price) from fruit"));
        assert_eq!(nothing(&["recover", "--json", "tape"])["recovered"], false);
    });
}

/// `script` gives a terminal, where there are colours and progress; a pipe has neither.
#[test]
fn a_terminal_has_colours_and_progress() {
    let desk = Desk::new("cli_terminal");
    assert_eq!(record(&desk, "").status, "exit status: 0");
    desk.stock();
    let super8 = super8_tests::products::super8().display().to_string();
    let terminal = |words: &str, colours: bool| {
        let mut script = Command::new(packages::program("script", "bsdutils"));
        script.args(["-qec", &format!("{super8} {words}"), "/dev/null"]);
        desk.at(&mut script);
        script.env("TERM", "xterm-256color");
        if !colours {
            script.env("NO_COLOR", "1");
        }
        let outcome = Outcome::of(&script, b"");
        assert_eq!(outcome.status, "exit status: 0", "{}", String::from_utf8_lossy(&outcome.all()));
        outcome.text()
    };
    let (coloured, plain) = (terminal("show tape", true), terminal("show tape", false));
    assert!(coloured.contains("\u{1b}[1mconnect"), "{coloured:?}");
    assert!(!plain.contains('\u{1b}'), "{plain:?}");
    assert_eq!(plain.replace('\r', ""), said(&desk, &["show", "tape"], 0), "the same words in a pipe");
    assert!(terminal("verify tape", true).contains("verifying [="));
    assert!(terminal("show --html page.html tape", true).contains("writing [="));
    let piped = desk.run(&["verify", "tape"]);
    assert_eq!((piped.status.as_str(), piped.errors()), ("exit status: 0", String::new()));
}
