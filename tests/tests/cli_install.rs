//! `super8 install`, `uninstall` and `doctor` on configurations of the test's own.

use serde_json::Value;
use std::process::Command;
use super8_tests::compare::assert_same;
use super8_tests::desk::Desk;
use super8_tests::driver::Driver;
use super8_tests::format::in_both_formats;
use super8_tests::outcome::Outcome;
use super8_tests::products::Library;

const ONE: &str = "select price from fruit where name = 'pear'\n";

fn ini(desk: &Desk) -> String {
    std::fs::read_to_string(desk.scratch.join("odbc/odbcinst.ini")).unwrap_or_default()
}

#[track_caller]
fn ended(outcome: &Outcome, code: u8) {
    let expected = format!("exit status: {code}");
    assert_eq!(outcome.status, expected, "{}", String::from_utf8_lossy(&outcome.all()));
}

#[test]
fn installed_it_records_under_the_drivers_name_and_uninstalled_all_is_as_before() {
    let desk = Desk::new("cli_install");
    let before = ini(&desk);
    let dry = desk.run(&["install", "SQLite3"]);
    ended(&dry, 0);
    assert_eq!(ini(&desk), before, "a dry run changed the file");
    let shim = Library::Ansi.path().display().to_string();
    assert!(dry.text().contains(&format!("+ Driver={shim}")) && dry.text().contains("--apply"), "{}", dry.text());

    ended(&desk.run(&["install", "--apply", "sqlite3"]), 0);
    let installed = ini(&desk);
    assert!(installed.contains(&format!("RealDriver={}", Driver::Sqlite.library())), "{installed}");
    assert!(installed.contains("Description=as Debian has it"), "{installed}");
    let again = desk.run(&["install", "--apply", "SQLite3"]);
    assert!(again.text().contains("nothing to change"), "{}", again.text());

    in_both_formats(|format| {
        let mut isql = Command::new("isql");
        isql.args(["shop", "-b"]);
        desk.at(&mut isql);
        isql.env("SUPER8_MODE", "record").env("SUPER8_FORMAT", format.name()).env("SUPER8_CASSETTE", format.name());
        let recorded = Outcome::of(&isql, ONE.as_bytes());
        ended(&recorded, 0);
        let log = desk.scratch.join("work").join(format.name()).join(format.log(format.name()));
        assert!(log.is_file(), "isql was not recorded");
        let replayed = Outcome::of(isql.env("SUPER8_MODE", "replay"), ONE.as_bytes());
        assert_same("isql", ("recorded", &recorded), ("replayed", &replayed));
    });

    ended(&desk.run(&["uninstall", "--apply", "--all"]), 0);
    assert_eq!(ini(&desk), before);
    let copy = std::fs::read_to_string(desk.scratch.join("odbc/odbcinst.ini.before-super8")).unwrap_or_default();
    assert_eq!(copy, before, "the file as it was is kept");
}

#[test]
fn what_cannot_be_installed_is_refused() {
    let desk = Desk::new("cli_refused");
    desk.configuration()
        .driver("gone", &[("Driver", "/nonexistent/libgone.so")])
        .driver("text", &[("Driver", "/etc/passwd")])
        .driver("by hand", &[("Driver", Library::Ansi.path().display().to_string().as_str()), ("RealDriver", "gone")])
        .write();
    let before = ini(&desk);
    for (verb, name, why) in [
        ("install", "gone", "there is no library /nonexistent/libgone.so"),
        ("install", "text", "not a library"),
        ("install", "unknown", "it has: gone, text, by hand"),
        ("uninstall", "by hand", "was not made by `super8 install`"),
    ] {
        let refused = desk.run(&[verb, "--apply", name]);
        ended(&refused, 2);
        assert!(refused.errors().contains(why), "{name}: {}", refused.errors());
    }
    assert_eq!(ini(&desk), before);
}

/// What the doctor says about a desk: the text, and all the advice.
fn doctor(desk: &Desk, words: &[&str], code: u8) -> (String, Vec<String>) {
    let outcome = desk.run(&[&["doctor"], words].concat());
    ended(&outcome, code);
    let json = desk.run(&[&["doctor", "--json"], words].concat());
    let chapters: Value = serde_json::from_str(&json.text()).unwrap_or_else(|error| panic!("{error}: {}", json.text()));
    let chapters = chapters.as_array().cloned().unwrap_or_default();
    let findings = chapters.iter().flat_map(|chapter| chapter["findings"].as_array().cloned().unwrap_or_default());
    (outcome.text(), findings.filter_map(|finding| finding["advice"].as_str().map(str::to_owned)).collect())
}

#[test]
fn the_doctor_finds_nothing_wrong_where_nothing_is() {
    let desk = Desk::new("cli_doctor_well");
    let (text, advice) = doctor(&desk, &["--dsn", "shop"], 0);
    assert!(advice.is_empty(), "{advice:?}");
    for part in
        ["libsuper8.so", "unixODBC", "odbcinst.ini", "libsqlite3odbc.so", "is loaded without super8", "Nothing to do."]
    {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
    ended(&desk.run(&["install", "--apply", "SQLite3"]), 0);
    let (text, _) = doctor(&desk, &["--dsn", "shop"], 0);
    assert!(text.contains("super8 (ansi) for") && text.contains("named by RealDriver in [SQLite3]"), "{text}");
}

#[test]
fn the_doctor_finds_what_will_not_work() {
    let desk = Desk::new("cli_doctor_ill");
    let (ansi, unicode) = (Library::Ansi.path().display().to_string(), Library::Unicode.path().display().to_string());
    let half = desk.scratch.directory("half").join("libsuper8a.so");
    std::fs::copy(Library::Ansi.path(), &half).unwrap_or_else(|error| panic!("{error}"));
    let half = half.display().to_string();
    desk.configuration()
        .driver("gone", &[("Driver", "libnosuchdriver.so")])
        .driver("empty", &[("Description", "nothing")])
        .driver("wrong build", &[("Driver", unicode.as_str()), ("RealDriver", Driver::Sqlite.library())])
        .driver("nothing behind", &[("Driver", ansi.as_str()), ("RealDriver", "no such section")])
        .driver("half", &[("Driver", half.as_str()), ("RealDriver", Driver::Sqlite.library())])
        .driver("itself", &[("Driver", ansi.as_str()), ("RealDriver", ansi.as_str())])
        .driver("manager", &[("Driver", "libodbc.so.2")])
        .source("shop", &[("Driver", "wrong build")])
        .source("half a shop", &[("Driver", "half")])
        .write();
    let (text, advice) = doctor(&desk, &["--dsn", "shop"], 1);
    for part in [
        "[gone]: there is no library libnosuchdriver.so",
        "[empty]",
        "super8's unicode build stands in for",
        "no such section",
        "is super8 itself",
        "is a driver manager",
        &format!("[half]: {half} needs libsuper8.so beside it: every connect fails"),
        "the connect fails with IM003",
    ] {
        assert!(text.contains(part), "no `{part}` in\n{text}");
    }
    assert!(advice.len() >= 7 && advice.iter().any(|advice| advice.contains(&ansi)), "{advice:#?}");
    let (text, _) = doctor(&desk, &["--dsn", "half a shop"], 1);
    assert!(text.contains(&format!("{half} needs libsuper8.so beside it: the connect fails with IM003")), "{text}");
    let (text, _) = doctor(&desk, &["--dsn", "unknown"], 1);
    assert!(text.contains("no file has a section [unknown]"), "{text}");

    let mut command = desk.super8(&["doctor"]);
    let misspelt = Outcome::of(command.env("SUPER8_MODE", "recrod"), b"");
    ended(&misspelt, 1);
    assert!(misspelt.text().contains("SUPER8_MODE is \"recrod\""), "{}", misspelt.text());
}

/// What the doctor finds with these variables of super8's.
fn with_environment(desk: &Desk, variables: &[(&str, &str)], code: u8) -> String {
    let mut command = desk.super8(&["doctor"]);
    let outcome = Outcome::of(command.envs(variables.iter().copied()), b"");
    ended(&outcome, code);
    outcome.text()
}

#[test]
fn the_doctor_looks_at_what_the_environment_says() {
    let desk = Desk::new("cli_doctor_environment");
    let said = |variables: &[(&str, &str)], code: u8, parts: &[&str]| {
        let text = with_environment(&desk, variables, code);
        for part in parts {
            assert!(text.contains(part), "no `{part}` in\n{text}");
        }
        text
    };
    // no cassette is named, and one is named that is not there
    said(&[("SUPER8_MODE", "replay")], 1, &["SUPER8_CASSETTE", "correct the environment"]);
    let gone = [("SUPER8_MODE", "replay"), ("SUPER8_CASSETTE", "tapes/gone")];
    said(&gone, 1, &["tapes/gone is not there", "record it: super8 record", "tapes/gone -- COMMAND"]);
    // every misspelt variable, with the nearest right one
    let misspelt = [("SUPER8_CASETTE", "x"), ("SUPER8_MODUS", "replay"), ("SUPER8_ODER", "any")];
    let means = ["did you mean SUPER8_CASSETTE?", "did you mean SUPER8_MODE?", "did you mean SUPER8_ORDER?"];
    let text = said(&misspelt, 1, &means);
    assert_eq!(text.matches("correct the environment").count(), 1, "advice for all of them is given once:\n{text}");
    // one file for two purposes, however it is written
    let record = ("SUPER8_MODE", "record");
    let link = desk.scratch.join("work/link");
    std::os::unix::fs::symlink(desk.scratch.join("work"), link).unwrap_or_else(|error| panic!("{error}"));
    let twice = [record, ("SUPER8_CASSETTE", "tape"), ("SUPER8_LOG", "link/./tape")];
    said(&twice, 1, &["SUPER8_CASSETTE and SUPER8_LOG both name ", "name another file in SUPER8_LOG"]);
    let inside = [record, ("SUPER8_CASSETTE", "tape"), ("SUPER8_LOG", "tape/super8.log")];
    said(&inside, 1, &["work/tape/super8.log, which is inside the cassette"]);
    let verdict = [("SUPER8_LOG", "said"), ("SUPER8_VERDICT", "said")];
    said(&verdict, 1, &["SUPER8_LOG and SUPER8_VERDICT both name "]);
    let apart = [record, ("SUPER8_CASSETTE", "tape"), ("SUPER8_LOG", "tape.log"), ("SUPER8_VERDICT", "said")];
    assert!(!said(&apart, 0, &["tape is not there yet"]).contains("both name"));
    // and the driver manager's
    let system = desk.scratch.join("odbc/odbc.ini").display().to_string();
    said(&[("ODBCINI", &system)], 0, &["it is named twice, for the user and for the system"]);
}

#[test]
fn without_its_libraries_it_says_where_it_looked() {
    let desk = Desk::new("cli_no_libraries");
    let mut command = desk.super8(&["record", "tape", "--", "true"]);
    let lost = Outcome::of(command.env("SUPER8_LIBRARY_DIR", "/nonexistent/libraries"), b"");
    ended(&lost, 125);
    assert!(lost.errors().contains("/nonexistent/libraries"), "{}", lost.errors());
}
