//! The wrapper and a database server: recorded with it, replayed when it has stopped.

use super8_tests::configuration::Configuration;
use super8_tests::desk::Desk;
use super8_tests::driver::Driver;
use super8_tests::format::in_both_formats;
use super8_tests::outcome::Outcome;
use super8_tests::postgres::{PASSWORD, Postgres, USER};
use super8_tests::trap::Trap;
use super8_tests::{products, python};

const ALL: &str = "select name, price from fruit order by name";
const WRONG: &str = "select nothing from nowhere";

#[test]
fn a_program_on_postgres_is_replayed_when_the_server_has_stopped() {
    let server = Postgres::start();
    server.sql(
        "postgres",
        "create table fruit (name varchar(20), price integer); insert into fruit values ('pear', 4), ('fig', null)",
    );
    let port = server.port.to_string();
    let source =
        [("Servername", "127.0.0.1"), ("Port", port.as_str()), ("Database", "postgres"), ("SSLmode", "disable")];
    let script = products::repository().join("tests/programs/python/swallow.py").display().to_string();
    let python = python::interpreter().display().to_string();
    let drivers = [Driver::PostgresUnicode, Driver::PostgresAnsi];
    let name = |driver: Driver| format!("orders of {}", driver.label());
    let declare = |configuration: Configuration| {
        drivers.into_iter().fold(configuration, |configuration, driver| {
            let named = [[("Driver", driver.label())].as_slice(), &source].concat();
            configuration.driver(driver.label(), &[("Driver", driver.library())]).source(&name(driver), &named)
        })
    };
    // pyodbc wants Unicode functions, isql does without.
    let run = |desk: &Desk, verb: &str, driver: Driver, statement: &str| -> Outcome {
        let (name, input) = (name(driver), format!("{ALL}\n{statement}\n"));
        let connection = format!("DSN={name};UID={USER};PWD={{{}}}", PASSWORD.replace('}', "}}"));
        let program: &[&str] = match driver {
            Driver::PostgresUnicode => &[&python, &script, &connection, ALL, statement],
            _ => &["isql", "-b", &name, USER, PASSWORD],
        };
        desk.run_with(&[&[verb, driver.label(), "--"], program].concat(), &input)
    };
    let mut recordings = Vec::new();
    in_both_formats(|format| {
        let desk = Desk::new("cli_server").in_format(format);
        declare(desk.configuration()).write();
        let outcomes = drivers.map(|driver| {
            let recorded = run(&desk, "record", driver, WRONG);
            assert_eq!(recorded.status, "exit status: 0", "{}", recorded.errors());
            assert!(recorded.text().contains("pear"), "{}", recorded.text());
            recorded
        });
        // Neither drivers nor data sources, and then no server.
        desk.clear();
        recordings.push((desk, outcomes));
    });
    drop(server);
    let trap = Trap::at(port.parse().unwrap_or_default());
    for (desk, outcomes) in &recordings {
        for (driver, recorded) in drivers.into_iter().zip(outcomes) {
            assert_eq!(run(desk, "replay", driver, WRONG), *recorded, "{}", driver.library());
            let other = run(desk, "replay", driver, "select 1");
            assert_eq!(other.status, "exit status: 120", "{}", other.errors());
            assert!(other.errors().contains("+ select 1") && other.text().contains("pear"), "{other:?}");
        }
    }
    assert!(!trap.sprung(), "a replay called the server's port");
}
