//! Many connections of one process in one cassette, whatever the driver manager does in between: unload super8, pool
//! connections, connect from several threads.

use super8_tests::cassette_files::commands;
use super8_tests::compare::assert_same;
use super8_tests::driver::Driver;
use super8_tests::format::in_both_formats;
use super8_tests::program::Program;
use super8_tests::ways::{Stage, Way};

/// Connection ids of the `connect` commands, in order.
fn connects(stage: &Stage) -> Vec<String> {
    let log = commands(&stage.cassette());
    let lines: Vec<&str> = log.lines().collect();
    let connects = lines.windows(2).filter(|pair| pair[0] == "- method: connect");
    connects.map(|pair| pair[1].trim().trim_start_matches("connection_id: ").to_owned()).collect()
}

/// The environment is freed each time, so the driver manager lets go of the driver (`DontDLClose=0`: it unloads it).
#[test]
fn cassette_goes_on_after_super8_was_unloaded() {
    for keep in ["0", "1"] {
        let mut stage = Stage::new("reconnect", Driver::Sqlite);
        stage.section.push(("DontDLClose", keep.into()));
        stage.four_ways(&Program::c("reconnect.c"));
        assert_eq!(connects(&stage), ["a", "b", "c", "d"], "DontDLClose={keep}");
    }
}

#[test]
fn cassette_goes_on_after_super8_was_unloaded_on_servers() {
    for driver in [Driver::PostgresUnicode, Driver::MariaDb] {
        let mut stage = Stage::new("reconnect", driver);
        stage.section.push(("DontDLClose", "0".into()));
        stage.four_ways(&Program::c("reconnect.c"));
        assert_eq!(connects(&stage), ["a", "b", "c", "d"]);
    }
}

/// A pool keeps connections: how often the driver is connected to is the driver manager's affair, the same at replay.
#[test]
fn pooled_connections() {
    for driver in [Driver::Sqlite, Driver::PostgresUnicode, Driver::MariaDb] {
        let mut stage = Stage::new("pooling", driver);
        stage.manager = vec![("Pooling", "Yes".into())];
        stage.section = vec![("CPTimeout", "60".into())];
        stage.four_ways(&Program::python("connections.py"));
    }
}

/// What was recorded with a pool is replayed without one, and the reverse.
#[test]
fn a_pool_makes_no_difference() {
    in_both_formats(|format| {
        for driver in [Driver::Sqlite, Driver::PostgresUnicode] {
            for (recorded, replayed) in [("Yes", "No"), ("No", "Yes")] {
                let mut stage = Stage::new("pool_or_not", driver).in_format(format);
                stage.section = vec![("CPTimeout", "60".into())];
                stage.manager = vec![("Pooling", recorded.into())];
                let program = Program::python("connections.py");
                let recording = stage.run(Way::Record, &program);
                program.check("record", &recording);
                stage.manager = vec![("Pooling", replayed.into())];
                let replay = stage.run(Way::Replay, &program);
                assert_same(
                    &format!("recorded with Pooling={recorded}"),
                    ("recorded", &recording),
                    ("replayed", &replay),
                );
                assert_eq!(replay.errors(), "", "Pooling={recorded}, then {replayed}");
            }
        }
    });
}

/// Eight connections at once; `order: connection` lets each thread go its own way at replay.
#[test]
fn threads_replay_under_order_connection() {
    for driver in [Driver::Sqlite, Driver::PostgresUnicode, Driver::MariaDb] {
        let mut stage = Stage::new("threads", driver);
        stage.numbered_sources = 8;
        stage.environment.push(("SUPER8_ORDER", "connection".into()));
        stage.four_ways(&Program::c("threads.c"));
    }
}
