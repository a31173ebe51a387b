//! Children forked by a process that is connected: they go on with its connection, or open their own, as they do bare.

use super8_tests::compare::assert_same;
use super8_tests::desk::Desk;
use super8_tests::driver::Driver;
use super8_tests::format::in_both_formats;
use super8_tests::outcome::Outcome;
use super8_tests::program::Program;
use super8_tests::ways::{Stage, Way};

/// Runs the program bare, and recorded and replayed by `super8`, in both formats.
fn wrapped(program: &Program, driver: Driver) {
    let stage = Stage::new(&format!("forks {}", program.name()), driver);
    let bare = stage.run(Way::Bare, program);
    let what = format!("{} over {}", program.name(), driver.library());
    program.check(&what, &bare);
    stage.in_both_formats(|stage| {
        for verb in ["record", "replay"] {
            let outcome = stage.wrapped(verb, program);
            // super8 says on standard error what it has recovered: children end with _exit
            let told = Outcome { stderr: bare.stderr.clone(), ..outcome.clone() };
            assert_same(&format!("{what}\n{}", outcome.errors()), ("bare", &bare), (verb, &told));
        }
    });
}

#[test]
fn children_of_c_programs() {
    for driver in [Driver::Sqlite, Driver::PostgresUnicode, Driver::PostgresAnsi, Driver::MariaDb] {
        wrapped(&Program::c("forked.c"), driver);
    }
}

#[test]
fn children_of_python_programs() {
    for driver in [Driver::Sqlite, Driver::PostgresUnicode, Driver::MariaDb] {
        wrapped(&Program::python("forked.py"), driver);
    }
}

/// The verdict is about what children did, too; the leaks are only those of the process that allocated.
#[test]
fn a_child_that_does_something_else_is_found_out() {
    const SCRIPT: &str = "import os, pyodbc\n\
        connection = pyodbc.connect('DSN=shop', autocommit=True)\n\
        for name in NAMES:\n\
        \x20   child = os.fork()\n\
        \x20   if child == 0:\n\
        \x20       try: print(connection.execute('select price from fruit where name = ?', name).fetchall(), flush=True)\n\
        \x20       except pyodbc.Error as error: print(error)\n\
        \x20       if os.fork() == 0:\n\
        \x20           print(connection.execute('select 1').fetchall(), flush=True)\n\
        \x20           os._exit(0)\n\
        \x20       os.wait()\n\
        \x20       exit()\n\
        \x20   os.waitpid(child, 0)\n\
        connection.close()\n";
    let python = super8_tests::python::interpreter().display().to_string();
    in_both_formats(|format| {
        let desk = Desk::new("forks_verdict").in_format(format);
        let run =
            |verb: &str, names: &str| desk.run(&[verb, "tape", "--", &python, "-c", &SCRIPT.replace("NAMES", names)]);
        let ended = |outcome: &Outcome, code: u8| {
            let all = String::from_utf8_lossy(&outcome.all()).into_owned();
            assert_eq!(outcome.status, format!("exit status: {code}"), "{all}");
        };
        let recorded = run("record", "('apple', 'pear')");
        ended(&recorded, 0);
        assert_eq!(recorded.text(), "[(3,)]\n[(1,)]\n[(4,)]\n[(1,)]\n");
        assert_eq!(super8_cassette::parts_of(&desk.scratch.join("work/tape")).len(), 4);
        desk.clear();
        let replayed = run("replay", "('apple', 'pear')");
        ended(&replayed, 0);
        assert_eq!(replayed.text(), recorded.text());
        let changed = run("replay", "('apple', 'plum')");
        ended(&changed, 120);
        assert!(changed.errors().contains("plum"), "{}", changed.errors());
        ended(&run("replay", "('apple',)"), 121);
    });
}
