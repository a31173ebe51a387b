//! `order: any`: a service whose workers take jobs from one queue, each with a connection of its own, replays whatever the scheduler
//! does; and what it does otherwise is told.

use super8_tests::compare::assert_same;
use super8_tests::desk::Desk;
use super8_tests::driver::Driver;
use super8_tests::format::{Format, in_both_formats};
use super8_tests::program::Program;
use super8_tests::ways::{Stage, Way};

fn workers(driver: Driver, format: Format, times: usize) {
    in_any_order(&Program::python("worker_pool.py"), driver, format, times);
}

/// Records once; replays with several numbers of workers, as often as this; and is told what it does otherwise.
fn in_any_order(program: &Program, driver: Driver, format: Format, times: usize) {
    let mut stage = replays_in_any_order(program, driver, format, times);
    for change in ["CHANGED", "LEFT_OUT", "EXTRA"] {
        stage.environment = vec![(change, "yes".into())];
        let refused = stage.run(Way::Replay, program);
        assert!(refused.errors().contains("super8"), "{change}: {}", refused.errors());
        // what is left out is known when the program is through
        assert!(!refused.succeeded() || change == "LEFT_OUT", "{change}: {}", refused.errors());
    }
}

/// The same, where other drivers and formats have shown that what is done otherwise is told.
fn replays_in_any_order(program: &Program, driver: Driver, format: Format, times: usize) -> Stage {
    let mut stage = Stage::new("any_order", driver).in_format(format);
    // what a pool asks of a connection before it gives it away, and of a new one not
    std::fs::write(stage.scratch.join("work").join("super8.yml"), "answers: [{sql: '^SELECT 1$'}]\n").unwrap();
    let bare_and_off = (format == Format::Yaml).then(|| [Way::Bare, Way::Off].map(|way| stage.run(way, program)));
    stage.environment.push(("SUPER8_ORDER", "any".into()));
    let recorded = stage.run(Way::Record, program);
    program.check("record", &recorded);
    for outcome in bare_and_off.iter().flatten() {
        assert_same(&format!("{driver:?}"), ("bare or off", outcome), ("recorded", &recorded));
    }
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
    stage
}

/// Every driver in both formats, without these that are tested at length.
fn elsewhere(program: &Program, but: &[(Driver, Format)]) {
    for driver in [Driver::Sqlite, Driver::PostgresUnicode, Driver::PostgresAnsi, Driver::MariaDb] {
        for format in Format::BOTH.into_iter().filter(|format| !but.contains(&(driver, *format))) {
            replays_in_any_order(program, driver, format, 1);
        }
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
    replays_in_any_order(&program, Driver::MariaDb, Format::Ndjson, 1);
}

#[test]
fn the_pool_of_sqlalchemy_without_an_engine() {
    let program = Program::python("pools.py").with_argument("sqlalchemys_pool");
    in_any_order(&program, Driver::PostgresUnicode, Format::Yaml, 3);
    elsewhere(&program, &[(Driver::PostgresUnicode, Format::Yaml), (Driver::MariaDb, Format::Yaml)]);
}

#[test]
fn the_pool_of_aioodbc() {
    let program = Program::python("pools.py").with_argument("aioodbc");
    in_any_order(&program, Driver::Sqlite, Format::Yaml, 10);
    in_any_order(&program, Driver::PostgresUnicode, Format::Ndjson, 5);
    elsewhere(&program, &[(Driver::Sqlite, Format::Yaml), (Driver::PostgresUnicode, Format::Ndjson)]);
}

#[test]
fn the_pool_of_node() {
    let program = Program::node("pool.mjs");
    in_any_order(&program, Driver::PostgresUnicode, Format::Yaml, 10);
    in_any_order(&program, Driver::MariaDb, Format::Ndjson, 5);
    for (driver, format) in [
        (Driver::PostgresUnicode, Format::Ndjson),
        (Driver::MariaDb, Format::Yaml),
        (Driver::Sqlite, Format::Yaml),
        (Driver::Sqlite, Format::Ndjson),
    ] {
        replays_in_any_order(&program, driver, format, 1);
    }
}

/// Worker processes, each with a pool: each has its part of the cassette, and plays that in any order.
#[test]
fn parts_of_worker_processes() {
    for (driver, times) in [(Driver::PostgresUnicode, 10), (Driver::MariaDb, 3)] {
        let mut stage = Stage::new("any_order_of_parts", driver);
        for format in Format::BOTH {
            stage.format.set(format);
            let program = Program::python("prefork.py");
            stage.environment = vec![("SUPER8_ORDER", "any".into())];
            let recorded = stage.wrapped("record", &program);
            program.check("record", &recorded);
            assert_eq!(super8_cassette::parts_of(&stage.cassette()).len(), 3);
            stage.environment.clear();
            for time in 0..times {
                let replayed = stage.wrapped("replay", &program);
                let what = format!("{driver:?} {format:?}, time {time}: {}", replayed.errors());
                program.check(&what, &replayed);
                assert_eq!(replayed.text(), recorded.text(), "{what}");
            }
            for change in ["CHANGED", "LEFT_OUT", "EXTRA"] {
                stage.environment = vec![(change, "yes".into())];
                let refused = stage.wrapped("replay", &program);
                assert!(!refused.succeeded(), "{change}: {}", refused.errors());
            }
        }
    }
}

/// What only this order lets pass is told by the others; what none lets pass is not.
#[test]
fn other_orders_say_where_this_one_would_pass() {
    const SCRIPT: &str = "import pyodbc, sys\n\
        pool = [pyodbc.connect('DSN=shop', autocommit=True) for _ in range(2)]\n\
        for name, connection in zip(('apple', 'pear'), pool):\n\
        \x20   connection.execute(f\"select price from fruit where name = '{name}'\").fetchall()\n\
        if sys.argv[2] == 'swapped': pool.reverse()\n\
        prices = (7, 4) if sys.argv[2] == 'changed' else (3, 4)\n\
        for price, connection in zip(prices, pool):\n\
        \x20   if sys.argv[1] == 'run': connection.execute(f'select name from fruit where price = {price}').fetchall()\n\
        \x20   else: connection.execute(f'select name from fruit where price = ? + {price}', 0).fetchall()\n";
    let python = super8_tests::python::interpreter().display().to_string();
    in_both_formats(|format| {
        let desk = Desk::new("any_order_hint").in_format(format);
        let run = |verb: &str, order: &str, how: &str, what: &str, code: u8| {
            let words = [verb, "--order", order, how, "--", &python, "-c", SCRIPT, how, what];
            let outcome = desk.run(&words);
            let all = String::from_utf8_lossy(&outcome.all()).into_owned();
            assert_eq!(outcome.status, format!("exit status: {code}"), "{verb} {order} {how} {what}: {all}");
            all
        };
        for how in ["run", "prepare"] {
            run("record", "global", how, "same", 0);
        }
        desk.clear();
        for how in ["run", "prepare"] {
            for order in ["global", "connection"] {
                let told = run("replay", order, how, "swapped", 1);
                assert!(told.contains("order: any would have passed: it begins"), "{told}");
                assert!(
                    told.contains("give `super8 replay` the option --order any (or `order: any` in metadata.yml)"),
                    "{told}"
                );
                let told = run("replay", order, how, "changed", 1);
                assert!(!told.contains("--order any"), "{told}");
            }
            run("replay", "any", how, "swapped", 0);
            // of what is left, the report names the unit that is the most like it
            let told = run("replay", "any", how, "changed", 1);
            assert!(told.contains("order: any") && told.contains("-]{+7+}"), "{told}");
        }
    });
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
