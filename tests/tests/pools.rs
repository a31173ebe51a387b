//! Connections that a driver manager keeps in its pool: what it asks of them, what it probes them with, and cassettes that
//! change while they lie there.

use super8_tests::cassette_files::commands;
use super8_tests::compare::assert_same;
use super8_tests::desk::Desk;
use super8_tests::driver::Driver;
use super8_tests::format::{Format, in_both_formats};
use super8_tests::outcome::Outcome;
use super8_tests::program::Program;
use super8_tests::ways::{Stage, Way};
use super8_tests::{products, python};

const PROGRAM: &str = "pooled.c";

/// Keys of odbcinst.ini for a pool, or for none.
fn pool(stage: &mut Stage, on: bool, probe: &'static str) {
    stage.manager = vec![("Pooling", if on { "Yes" } else { "No" }.into())];
    stage.section = vec![("CPTimeout", "60".into()), ("CPProbe", probe.into())];
}

fn connects(log: &str) -> usize {
    log.matches("- method: connect\n").count()
}

/// In which format, and whether there is a pool when recorded and when replayed.
fn pooled() -> impl Iterator<Item = (Format, bool, bool)> {
    let pools = [(true, true), (true, false), (false, true)];
    Format::BOTH.into_iter().flat_map(move |format| pools.map(|(recorded, replayed)| (format, recorded, replayed)))
}

/// A driver that cannot say whether it is alive is probed with a query: with a pool, and not without one.
#[test]
fn a_probe_is_no_command() {
    for (driver, probe, kept) in [
        (Driver::Test, "rows 7", true),
        (Driver::TestAnsi, "rows 7", true),
        (Driver::Test, "count 1", true),
        // the manager lets go of the connection and opens another one
        (Driver::Test, "fails 08S01 gone", false),
    ] {
        for (format, recorded, replayed) in pooled() {
            let mut stage = Stage::new("probe", driver).in_format(format);
            stage.environment.push(("TEST_DRIVER_CANNOT_TELL", "1".into()));
            let program = Program::c(PROGRAM).with_argument("same");
            pool(&mut stage, recorded, probe);
            let what = format!("{probe}, {format:?}: pooled when recorded {recorded}, when replayed {replayed}");
            let bare = stage.run(Way::Bare, &program);
            let outcome = stage.run(Way::Record, &program);
            program.check(&what, &outcome);
            assert_same(&what, ("bare", &bare), ("recorded", &outcome));
            let log = commands(&stage.cassette());
            assert_eq!(connects(&log), if recorded && kept { 1 } else { 3 }, "{what}: {log}");
            assert!(!log.contains(probe), "{what}: {log}");
            pool(&mut stage, replayed, probe);
            let replay = stage.run(Way::Replay, &program);
            assert_same(&what, ("recorded", &outcome), ("replayed", &replay));
            assert_eq!(replay.errors(), "", "{what}");
        }
    }
}

/// A program that runs the probe's text itself is recorded as ever, even with its first statement on a connection.
#[test]
fn a_program_may_run_the_probe_itself() {
    for driver in [Driver::Test, Driver::TestAnsi] {
        for probe in ["rows 2", "rows 20"] {
            for handles in ["", "same"] {
                let mut stage = Stage::new("own_probe", driver);
                stage.environment.push(("TEST_DRIVER_CANNOT_TELL", "1".into()));
                pool(&mut stage, true, probe);
                stage.four_ways(&Program::c(PROGRAM).with_argument(handles));
                let log = commands(&stage.cassette());
                assert_eq!(log.matches(&format!("sql: \"{probe}\"\n")).count(), 1, "{driver:?}, {probe}: {log}");
            }
        }
    }
}

/// A connection that comes from the pool is dead to another cassette: a connect of its own goes there.
#[test]
fn another_cassette_gets_a_connection_of_its_own() {
    for driver in [Driver::Sqlite, Driver::PostgresUnicode, Driver::Test] {
        for (format, recorded, replayed) in pooled() {
            let mut stage = Stage::new("other_cassette", driver).in_format(format);
            let cassettes = stage.scratch.join("cassettes");
            let program = Program::c(PROGRAM).with_argument(cassettes.display().to_string());
            let what = format!("{driver:?}, {format:?}: pooled when recorded {recorded}, when replayed {replayed}");
            pool(&mut stage, recorded, "");
            let outcome = stage.run(Way::Record, &program);
            program.check(&what, &outcome);
            let (one, two) = (commands(&cassettes.join("one")), commands(&cassettes.join("two")));
            assert_eq!((connects(&one), connects(&two)), (2, 1), "{what}\n{one}{two}");
            for (log, numbers) in [(&one, ["1", "10", "3", "30"].as_slice()), (&two, &["2", "20"])] {
                let sql: Vec<&str> = log.lines().filter_map(|line| line.trim().strip_prefix("sql: ")).collect();
                let asked: Vec<&str> = sql.iter().filter_map(|sql| sql.trim_matches('"').rsplit(' ').next()).collect();
                assert_eq!(asked, numbers, "{what}");
            }
            pool(&mut stage, replayed, "");
            let replay = stage.run(Way::Replay, &program);
            assert_same(&what, ("recorded", &outcome), ("replayed", &replay));
            assert_eq!(replay.errors(), "", "{what}");
        }
    }
}

/// A pool of the program's own may open more connections than it uses, or fewer: one that is asked nothing is no mismatch, played or not.
#[test]
fn a_spare_connection_is_no_mismatch() {
    in_both_formats(|format| {
        let desk = Desk::new("pools_spares").in_format(format);
        let script = products::repository().join("tests/programs/python/shop/spares.py").display().to_string();
        let interpreter = python::interpreter().display().to_string();
        for order in ["global", "connection"] {
            desk.stock();
            desk.configuration()
                .driver("SQLite3", &[("Driver", Driver::Sqlite.library())])
                .source("shop", &[("Driver", "SQLite3"), ("Database", "shop.db")])
                .write();
            let run = |verb: &str, tape: &str, arguments: &str, sql: &str, code: u8| {
                let words = [verb, "--order", order, tape, "--", &interpreter, &script];
                let mut command = desk.super8(&words.into_iter().chain(arguments.split(' ')).collect::<Vec<_>>());
                let database = format!("DSN=shop;Database={}", desk.database().display());
                command.envs([("SHOP", database.as_str()), ("PYTHONDONTWRITEBYTECODE", "1"), ("SQL", sql)]);
                let outcome = Outcome::of(&command, b"");
                let what = format!("{verb} {order} {arguments}: {}", String::from_utf8_lossy(&outcome.all()));
                assert_eq!(outcome.status, format!("exit status: {code}"), "{what}");
            };
            const SAME: &str = "select max(price) from fruit";
            run("record", "spares", "3 0", SAME, 0);
            run("record", "two", "3 1 2", SAME, 0);
            run("record", "none", "2", SAME, 0);
            desk.clear();
            for arguments in ["3 0", "3 1", "3 2", "1 0", "2 1", "5 0", "5 4"] {
                run("replay", "spares", arguments, SAME, 0);
                run("replay", "spares", arguments, "select min(price) from fruit", 1);
            }
            // one that is asked something was not recorded
            run("replay", "spares", "4 0 3", SAME, 1);
            run("replay", "spares", "3", SAME, 121);
            for arguments in ["3 1 2", "2 0 1", "4 2 3", "6 5 0"] {
                run("replay", "two", arguments, SAME, 0);
            }
            run("replay", "two", "4 3", SAME, 121);
            for arguments in ["1", "2", "4"] {
                run("replay", "none", arguments, SAME, 0);
            }
        }
    });
}
