//! `order: any`: a service whose workers take jobs from one queue, each with a connection of its own, replays whatever the scheduler
//! does; and what it does otherwise is told.

use super8_tests::compare::assert_same;
use super8_tests::driver::Driver;
use super8_tests::format::{Format, in_both_formats};
use super8_tests::program::Program;
use super8_tests::ways::{Stage, Way};

fn workers(driver: Driver, format: Format, times: usize) {
    in_any_order(&Program::python("worker_pool.py"), driver, format, times);
}

/// Records once; replays with several numbers of workers, as often as this; and is told what it does otherwise.
fn in_any_order(program: &Program, driver: Driver, format: Format, times: usize) {
    let mut stage = Stage::new("any_order", driver).in_format(format);
    // what a pool asks of a connection before it gives it away, and of a new one not
    std::fs::write(stage.scratch.join("work").join("super8.yml"), "answers: [{sql: '^SELECT 1$'}]\n").unwrap();
    stage.environment.push(("SUPER8_ORDER", "any".into()));
    let recorded = stage.run(Way::Record, program);
    program.check("record", &recorded);
    // the cassette keeps the order
    stage.environment.clear();
    for time in 0..times {
        for count in ["1", "3", "5"].iter().take(if time == 0 { 3 } else { 2 }).rev() {
            stage.environment = vec![("WORKERS", (*count).into())];
            let replayed = stage.run(Way::Replay, program);
            assert_same(&format!("{count} workers, time {time}"), ("recorded", &recorded), ("replayed", &replayed));
            assert_eq!(replayed.errors(), "", "{count} workers, time {time}");
        }
    }
    for change in ["CHANGED", "LEFT_OUT", "EXTRA"] {
        stage.environment = vec![(change, "yes".into())];
        let refused = stage.run(Way::Replay, program);
        assert!(refused.errors().contains("super8"), "{change}: {}", refused.errors());
        // what is left out is known when the program is through
        assert!(!refused.succeeded() || change == "LEFT_OUT", "{change}: {}", refused.errors());
    }
}

#[test]
fn workers_on_sqlite() {
    in_both_formats(|format| workers(Driver::Sqlite, format, 10));
}

#[test]
fn workers_on_postgres() {
    workers(Driver::PostgresUnicode, Format::Yaml, 5);
    workers(Driver::PostgresAnsi, Format::Ndjson, 1);
}

#[test]
fn workers_on_mariadb() {
    workers(Driver::MariaDb, Format::Yaml, 5);
}

#[test]
fn the_pool_of_sqlalchemy() {
    let program = Program::python("pools.py").with_argument("sqlalchemy");
    in_any_order(&program, Driver::MariaDb, Format::Yaml, 10);
}

#[test]
fn the_pool_of_aioodbc() {
    let program = Program::python("pools.py").with_argument("aioodbc");
    in_any_order(&program, Driver::Sqlite, Format::Yaml, 10);
    in_any_order(&program, Driver::PostgresUnicode, Format::Ndjson, 5);
}

#[test]
fn the_pool_of_node() {
    let program = Program::node("pool.mjs");
    in_any_order(&program, Driver::PostgresUnicode, Format::Yaml, 10);
    in_any_order(&program, Driver::MariaDb, Format::Ndjson, 5);
}

/// Whatever passes under a stricter order passes under this one.
#[test]
fn stricter_recordings_pass() {
    in_both_formats(|format| {
        for (source, argument) in [("sessions.c", "0"), ("sessions.c", "7"), ("threads.c", "same")] {
            let mut stage = Stage::new("any_order_of_c", Driver::Sqlite).in_format(format);
            let program = Program::c(source).with_argument("0");
            let recorded = stage.run(Way::Record, &program);
            program.check(source, &recorded);
            stage.environment.push(("SUPER8_ORDER", "any".into()));
            let replayed = stage.run(Way::Replay, &Program::c(source).with_argument(argument));
            assert_same(source, ("recorded", &recorded), ("replayed", &replayed));
            assert_eq!(replayed.errors(), "", "{source}");
        }
    });
}
