//! Sessions that do not depend on each other, in any order, and strict inside each: `order: connection`. And under
//! `order: global`, threads that wait for their turns.

use super8_tests::cassette_files::commands;
use super8_tests::compare::assert_same;
use super8_tests::driver::Driver;
use super8_tests::format::{Format, in_both_formats};
use super8_tests::outcome::Outcome;
use super8_tests::program::Program;
use super8_tests::ways::{Stage, Way};

/// Five sessions in a recorded order.
fn recorded(format: Format, order: &str) -> (Stage, Outcome) {
    let mut stage = Stage::new("sessions", Driver::Sqlite).in_format(format);
    stage.environment.push(("SUPER8_ORDER", order.into()));
    let program = Program::c("sessions.c").with_argument("0");
    let outcome = stage.run(Way::Record, &program);
    program.check("record", &outcome);
    (stage, outcome)
}

fn replayed(stage: &Stage, argument: &'static str) -> Outcome {
    stage.run(Way::Replay, &Program::c("sessions.c").with_argument(argument))
}

#[test]
fn five_sessions_in_any_order() {
    in_both_formats(|format| {
        const SEEDS: [&str; 20] = [
            "1",
            "2",
            "3",
            "4",
            "5",
            "6",
            "7",
            "8",
            "9",
            "10",
            "11 together",
            "12 together",
            "13 together",
            "14 together",
            "15 together",
            "16 together",
            "17 together",
            "18 together",
            "19 together",
            "20 together",
        ];
        let (stage, recorded) = recorded(format, "connection");
        assert!(commands(&stage.cassette()).contains("connection_id: f"), "a setup and five sessions");
        for seed in SEEDS {
            let outcome = replayed(&stage, seed);
            assert_same(seed, ("recorded", &recorded), ("replayed", &outcome));
            assert_eq!(outcome.errors(), "", "seed {seed}");
        }
    });
}

/// pyodbc asks more on the first connection of a process, whichever session that is.
#[test]
fn five_sessions_of_pyodbc_in_any_order() {
    let program = |seed: u32| Program::python("sessions.py").with_argument(seed.to_string());
    for (driver, seeds) in [(Driver::Sqlite, 20), (Driver::PostgresUnicode, 3), (Driver::MariaDb, 3)] {
        in_both_formats(|format| {
            let mut stage = Stage::new("pyodbc_sessions", driver).in_format(format);
            stage.environment.push(("SUPER8_ORDER", "connection".into()));
            let recorded = stage.run(Way::Record, &program(0));
            program(0).check("record", &recorded);
            for seed in 1..=seeds {
                let replayed = stage.run(Way::Replay, &program(seed));
                assert_same(&format!("{driver:?}, seed {seed}"), ("recorded", &recorded), ("replayed", &replayed));
                assert_eq!(replayed.errors(), "", "{driver:?}, seed {seed}");
            }
        });
    }
}

#[test]
fn sessions_in_another_order_are_out_of_order_under_global() {
    in_both_formats(|format| {
        let (stage, _) = recorded(format, "global");
        let refused = replayed(&stage, "3");
        assert!(refused.text().contains("order: connection would have passed"), "{}", refused.text());
        assert!(refused.errors().contains("set SUPER8_ORDER=connection (or"), "{}", refused.errors());
    });
}

#[test]
fn swapped_statements_fail_under_both_orders() {
    in_both_formats(|format| {
        for order in ["connection", "global"] {
            let (stage, _) = recorded(format, order);
            let refused = replayed(&stage, "0 swapped");
            assert!(refused.text().contains("[HY000] [super8] replay: "), "{order}: {}", refused.text());
            assert!(refused.errors().contains("what to do:"), "{order}: {}", refused.errors());
        }
    });
}

#[test]
fn the_order_of_a_cassette_survives_recording_again() {
    in_both_formats(|format| {
        let unset = |stage: &mut Stage| stage.environment.retain(|(name, _)| *name != "SUPER8_ORDER");
        let (mut stage, _) = recorded(format, "connection");
        unset(&mut stage);
        let program = Program::c("sessions.c").with_argument("0");
        let again = stage.run(Way::Record, &program);
        program.check("record again", &again);
        let outcome = replayed(&stage, "3");
        assert_same("another order", ("recorded", &again), ("replayed", &outcome));
        stage.environment.push(("SUPER8_ORDER", "global".into()));
        program.check("record under global", &stage.run(Way::Record, &program));
        unset(&mut stage);
        assert!(replayed(&stage, "3").text().contains("order: connection would have passed"), "a setting goes first");
    });
}

/// Eight threads with equal connect arguments: whichever comes first, each gets what was recorded for it.
#[test]
fn eight_threads_with_equal_arguments() {
    in_both_formats(|format| {
        for order in ["connection", "global"] {
            let mut stage = Stage::new("equal_threads", Driver::Sqlite).in_format(format);
            stage.environment.push(("SUPER8_ORDER", order.into()));
            stage.environment.push(("SUPER8_WAIT", "60".into()));
            let program = Program::c("threads.c").with_argument("same");
            let recorded = stage.run(Way::Record, &program);
            program.check("record", &recorded);
            for round in 0..5 {
                let replayed = stage.run(Way::Replay, &program);
                assert_same(&format!("{order}, round {round}"), ("recorded", &recorded), ("replayed", &replayed));
            }
        }
    });
}

/// Two threads send the same text on connections of their own. Each waits for what was recorded on its own connection, however fast it
/// is, even if the other's command could pass for its own.
#[test]
fn threads_that_send_the_same_text() {
    for driver in [Driver::Sqlite, Driver::PostgresUnicode, Driver::PostgresAnsi, Driver::MariaDb] {
        in_both_formats(|format| {
            let mut stage = Stage::new("threads_alike", driver).in_format(format);
            let timed = |times: &str| Program::c("threads_alike.c").with_argument(times);
            let program = timed("0,40,120,40");
            let bare = stage.run(Way::Bare, &program);
            program.check("bare", &bare);
            let recorded = stage.run(Way::Record, &program);
            assert_same("threads_alike", ("bare", &bare), ("recorded", &recorded));
            for order in ["connection", "global"] {
                stage.environment.push(("SUPER8_ORDER", order.into()));
                for times in ["0,40,120,40", "0,100,0,0", "0,0,0,0", "100,0,0,0", "0,0,0,100"] {
                    let replayed = stage.run(Way::Replay, &timed(times));
                    assert_same(&format!("{order}, {times}"), ("recorded", &recorded), ("replayed", &replayed));
                }
                stage.environment.pop();
            }
        });
    }
}

/// The drivers that let threads share a connection.
const SHARED: [Driver; 3] = [Driver::Sqlite, Driver::PostgresUnicode, Driver::MariaDb];

/// Records once and replays ten times, five under each order.
fn replays_in_any_interleaving(subject: &str, driver: Driver, program: &Program) -> Stage {
    let mut stage = Stage::new(subject, driver);
    stage.environment.push(("SUPER8_WAIT", "60".into()));
    if driver == Driver::MariaDb {
        // Its SQLFreeStmt does not lock the connection, see docs/drivers.md.
        stage.section.push(("Threading", "2".into()));
    }
    let bare = stage.run(Way::Bare, program);
    program.check("bare", &bare);
    let recorded = stage.run(Way::Record, program);
    assert_same(subject, ("bare", &bare), ("recorded", &recorded));
    stage.section.clear();
    for order in ["connection", "global"] {
        stage.environment.push(("SUPER8_ORDER", order.into()));
        for round in 0..5 {
            let replayed = stage.run(Way::Replay, program);
            assert_same(
                &format!("{subject}, {order}, round {round}"),
                ("recorded", &recorded),
                ("replayed", &replayed),
            );
        }
        stage.environment.pop();
    }
    stage
}

/// Threads that share a connection interleave otherwise every time: each has its own order.
#[test]
fn threads_that_share_a_connection() {
    for driver in SHARED {
        for count in ["2", "8"] {
            let program = Program::c("shared_connection.c").with_argument(count);
            replays_in_any_interleaving(&format!("shared{count}"), driver, &program);
        }
    }
}

/// The order of one thread counts, whatever the others do.
#[test]
fn a_thread_of_a_shared_connection_that_changes_its_order() {
    in_both_formats(|format| {
        for order in ["connection", "global"] {
            let mut stage = Stage::new("shared_swapped", Driver::Sqlite).in_format(format);
            stage.environment.push(("SUPER8_ORDER", order.into()));
            let recorded = stage.run(Way::Record, &Program::c("shared_connection.c").with_argument("3"));
            assert!(recorded.text().contains("thread 2: sum") && !recorded.text().contains("[super8]"));
            assert!(commands(&stage.cassette()).contains("thread"), "{}", commands(&stage.cassette()));
            let same = stage.run(Way::Replay, &Program::c("shared_connection.c").with_argument("3"));
            assert_same(order, ("recorded", &recorded), ("replayed", &same));
            let changed = stage.run(Way::Replay, &Program::c("shared_connection.c").with_argument("3,swapped"));
            assert!(changed.text().contains("[super8] replay: "), "{order}: {}", changed.text());
        }
    });
}

#[test]
fn python_threads_with_a_connection_each_and_with_one() {
    for driver in SHARED {
        for argument in ["2,own", "8,own", "2,shared", "8,shared"] {
            let program = Program::python("threads.py").with_argument(argument);
            replays_in_any_interleaving(&format!("py{}", argument.replace(',', "")), driver, &program);
        }
    }
}

/// Replays sessions with equal connect arguments in other orders than they were recorded in.
fn shuffled(subject: &str, driver: Driver, tasks: &str) {
    in_both_formats(|format| {
        let mut stage = Stage::new(subject, driver).in_format(format);
        stage.environment.push(("SUPER8_ORDER", "connection".into()));
        let program = |seed: u32| Program::c("many_connections.c").with_argument(format!("{tasks},{seed}"));
        let recorded = stage.run(Way::Record, &program(0));
        program(0).check("record", &recorded);
        for seed in [0, 1, 2, 3] {
            let replayed = stage.run(Way::Replay, &program(seed));
            assert_same(&format!("{tasks}, seed {seed}"), ("recorded", &recorded), ("replayed", &replayed));
        }
    });
}

/// However many there are: the last ones ask for what nobody before them asked for.
#[test]
fn many_connections_with_equal_arguments() {
    for tasks in ["61q3i", "62q3i", "10t250q30i10t", "64i1q"] {
        shuffled("many", Driver::Sqlite, tasks);
    }
    shuffled("many", Driver::PostgresUnicode, "40q20i10t");
}

/// A completed connection string that was cut for one is not given to another with more room.
#[test]
fn connections_with_buffers_of_different_sizes() {
    for driver in [Driver::Sqlite, Driver::PostgresUnicode, Driver::PostgresAnsi, Driver::MariaDb] {
        for tasks in ["slnqslnq", "2l2sn2q3l"] {
            shuffled("buffers", driver, tasks);
        }
    }
}
