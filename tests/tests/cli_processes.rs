//! `super8 record` and `replay` over processes that change their user, run in the background, or are stopped by a signal.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use super8_tests::c_compiler::compiled;
use super8_tests::desk::Desk;
use super8_tests::format::in_both_formats;
use super8_tests::outcome::Outcome;
use super8_tests::server::is_root;

const OTHER_USER: &str = "setpriv --reuid=65534 --regid=65534 --clear-groups";

#[track_caller]
fn ended(outcome: &Outcome, code: u8) {
    assert_eq!(outcome.status, format!("exit status: {code}"), "{}", String::from_utf8_lossy(&outcome.all()));
}

/// A desk with the program `paused` in its directory, where every user may run it.
fn desk(subject: &str) -> Desk {
    let desk = Desk::new(subject);
    let program = desk.scratch.join("work/paused");
    std::fs::copy(compiled("paused.c"), &program).unwrap_or_else(|error| panic!("{error}"));
    open_to_all(&desk.scratch.join("work"));
    open_to_all(&program);
    desk
}

fn open_to_all(path: &Path) {
    let all = std::fs::Permissions::from_mode(0o777);
    std::fs::set_permissions(path, all).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// The verdict file is handed down open and by path: another user has the one or the other.
#[test]
fn a_process_that_changed_its_user_has_its_say() {
    assert!(is_root(), "only root can start a process as another user: run the tests as root");
    in_both_formats(|format| {
        let desk = desk("cli_other_user").in_format(format);
        ended(&desk.run(&["record", "tape", "--", "sh", "-c", &format!("{OTHER_USER} ./paused")]), 0);
        desk.clear();
        ended(&desk.run(&["replay", "tape", "--", "sh", "-c", &format!("{OTHER_USER} ./paused")]), 0);
        // The first process does what was recorded, and the second one, whose errors nobody sees, does not.
        let changed = format!("./paused; {OTHER_USER} ./paused 0 'select 3'; true");
        // With the descriptor, without it, and with only the descriptor.
        let closed =
            format!("for fd in $(ls /proc/self/fd); do [ $fd -gt 2 ] && eval \"exec $fd>&-\"; done; {changed}");
        let nowhere = format!("export SUPER8_VERDICT=/nonexistent/verdict; {changed}");
        for script in [&changed, &closed, &nowhere] {
            let outcome = desk.run(&["replay", "tape", "--", "bash", "-c", script]);
            ended(&outcome, 120);
            assert!(outcome.errors().contains("select 3"), "{}", outcome.errors());
        }
        // Neither the one nor the other: nothing is played, and standard error says why.
        let nowhere = format!(
            "SUPER8_VERDICT=/nonexistent/verdict SUPER8_VERDICT_FD=; export SUPER8_VERDICT SUPER8_VERDICT_FD; {OTHER_USER} ./paused; true"
        );
        let outcome = desk.run(&["replay", "tape", "--", "bash", "-c", &nowhere]);
        ended(&outcome, 119);
        assert!(outcome.errors().contains("cannot write to /nonexistent/verdict"), "{}", outcome.errors());
    });
}

#[test]
fn a_cassette_that_no_process_opened_fails_a_replay() {
    in_both_formats(|format| {
        let desk = desk("cli_unopened").in_format(format);
        for tape in ["tape", "other"] {
            ended(&desk.run(&["record", tape, "--", "./paused"]), 0);
        }
        desk.clear();
        let other = "SUPER8_CASSETTE=$PWD/other ./paused";
        let outcome = desk.run(&["replay", "tape", "--", "sh", "-c", other]);
        ended(&outcome, 121);
        assert!(outcome.errors().contains("no process opened it"), "{}", outcome.errors());
    });
}

#[test]
fn what_runs_in_the_background_is_waited_for() {
    in_both_formats(|format| {
        let desk = desk("cli_background").in_format(format);
        let script = "./paused 1200 & sleep 0.3";
        let recorded = desk.run(&["record", "tape", "--", "sh", "-c", script]);
        ended(&recorded, 0);
        assert!(recorded.text().contains("row: 2"), "{}", recorded.text());
        desk.clear();
        ended(&desk.run(&["replay", "tape", "--", "sh", "-c", script]), 0);
        let gave_up = desk.run(&["replay", "--wait", "0.2s", "tape", "--", "sh", "-c", "./paused; sleep 2 & true"]);
        ended(&gave_up, 117);
        assert!(gave_up.errors().contains("still running: sleep"), "{}", gave_up.errors());
    });
}

#[test]
fn a_command_that_was_stopped_as_told_has_not_failed() {
    in_both_formats(|format| {
        let desk = desk("cli_stopped").in_format(format);
        let script = "./paused; echo ready; exec sleep 60";
        let stop = ["--stop-with", "TERM", "--stop-on-output", "^ready"];
        let run =
            |verb: &str, script: &str| desk.run(&[&[verb], &stop[..], &["tape", "--", "sh", "-c", script]].concat());
        ended(&run("record", script), 0);
        desk.clear();
        ended(&run("replay", script), 0);
        ended(&run("replay", "./paused 0 'select 3'; echo ready; exec sleep 60"), 120);
        ended(&desk.run(&["replay", "--stop-after", "300ms", "tape", "--", "sh", "-c", "./paused; exec sleep 60"]), 0);
        // the same signal from elsewhere is a failure
        ended(&desk.run(&["replay", "tape", "--", "sh", "-c", "./paused; kill -TERM $$"]), 143);
    });
}

/// Passwords of odbc.ini are nobody else's, and at replay nobody's.
#[test]
fn copies_of_ini_files_are_private_and_have_no_password_at_replay() {
    let desk = desk("cli_private");
    let source = [("Driver", "SQLite3"), ("Database", "shop.db"), ("PWD", "opensesame")];
    let library = super8_tests::driver::Driver::Sqlite.library();
    desk.configuration().driver("SQLite3", &[("Driver", library)]).source("shop", &source).write();
    let file = desk.configuration().directory().join("odbc.ini");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap_or_else(|error| panic!("{error}"));
    let script = "./paused; stat -c 'mode %a' $ODBCSYSINI/odbc.ini; cat $ODBCSYSINI/odbc.ini; dirname $ODBCSYSINI";
    let recorded = desk.run(&["record", "tape", "--", "sh", "-c", script]);
    ended(&recorded, 0);
    assert!(recorded.text().contains("mode 600") && recorded.text().contains("opensesame"), "{}", recorded.text());
    let directory = recorded.text().lines().last().unwrap_or_default().to_owned();
    assert!(directory.contains("super8-run-") && !Path::new(&directory).exists(), "{directory}");
    let replayed = desk.run(&["replay", "tape", "--", "sh", "-c", script]);
    ended(&replayed, 0);
    assert!(!replayed.text().contains("opensesame"), "{}", replayed.text());
}

/// A forked child of Python's ends with `_exit`: that it played everything is known all the same.
#[test]
fn a_process_that_played_everything_may_end_without_exit_handlers() {
    in_both_formats(|format| {
        let desk = desk("cli_no_exit").in_format(format);
        let script = "import os, pyodbc\n\
            connection = pyodbc.connect('DSN=shop', autocommit=True)\n\
            print(connection.execute('select 1').fetchall(), flush=True)\n\
            connection.close()\n\
            os._exit(0)\n";
        let python = super8_tests::python::interpreter().display().to_string();
        ended(&desk.run(&["record", "tape", "--", &python, "-c", script]), 0);
        desk.clear();
        ended(&desk.run(&["replay", "tape", "--", &python, "-c", script]), 0);
        let early = script.replace("print", "os._exit(0); print");
        ended(&desk.run(&["replay", "tape", "--", &python, "-c", &early]), 118);
    });
}

/// unixODBC looks up the name that a Unicode program gives in ISO-8859-1.
#[test]
fn a_data_source_whose_name_is_not_ascii_is_declared_for_a_replay() {
    in_both_formats(|format| {
        let desk = desk("cli_latin").in_format(format);
        let library = super8_tests::driver::Driver::Sqlite.library();
        desk.configuration().driver("SQLite3", &[("Driver", library)]).write();
        let file = desk.configuration().directory().join("odbc.ini");
        std::fs::write(&file, b"[Gr\xf6sse]\nDriver=SQLite3\nDatabase=shop.db\n")
            .unwrap_or_else(|error| panic!("{error}"));
        let script = "import pyodbc\n\
            connection = pyodbc.connect('DSN=Gr\\u00f6sse', autocommit=True)\n\
            print(connection.execute('select 41 + 1').fetchval())\nconnection.close()\n";
        let python = super8_tests::python::interpreter().display().to_string();
        ended(&desk.run(&["record", "tape", "--", &python, "-c", script]), 0);
        desk.clear();
        let replayed = desk.run(&["replay", "tape", "--", &python, "-c", script]);
        ended(&replayed, 0);
        assert_eq!(replayed.text(), "42\n");
    });
}

/// Each function that takes a name, with the name as unixODBC looks it up for it, and with either library.
#[test]
fn data_sources_whose_names_are_not_ascii_are_declared_for_every_function() {
    use super8_tests::driver::Driver;
    let program = super8_tests::c_compiler::compiled("source_names.c").display().to_string();
    for driver in [Driver::Sqlite, Driver::TestWide, Driver::Test] {
        for functions in [&[][..], &["SQLConnect"], &["SQLConnectW"], &["SQLDriverConnect"], &["SQLDriverConnectW"]] {
            let desk = desk("cli_names");
            desk.configuration().driver("tested", &[("Driver", &driver.registered())]).write();
            let file = desk.configuration().directory().join("odbc.ini");
            let section = |name: &[u8]| [b"[", name, b"]\nDriver=tested\nDatabase=shop.db\n"].concat();
            let sections = [section("Gr\u{f6}\u{df}e".as_bytes()), section(b"Gr\xf6\xdfe")].concat();
            std::fs::write(&file, sections).unwrap_or_else(|error| panic!("{error}"));
            let record = [&["record", "tape", "--", program.as_str()][..], functions].concat();
            let recorded = desk.run(&record);
            ended(&recorded, 0);
            desk.clear();
            let replayed = desk.run(&[&["replay", "tape", "--", program.as_str()][..], functions].concat());
            ended(&replayed, 0);
            assert_eq!(replayed.text(), recorded.text(), "{driver:?} {functions:?}");
        }
    }
}
