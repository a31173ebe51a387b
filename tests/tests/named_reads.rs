//! Reads that super8.yml names under `answers`: served with their parameters as often as they are asked, on any connection and in any
//! order; and refused while recording if one gives two results.

use super8_tests::compare::assert_same;
use super8_tests::desk::Desk;
use super8_tests::driver::Driver;
use super8_tests::format::in_both_formats;
use super8_tests::outcome::Outcome;
use super8_tests::program::Program;
use super8_tests::ways::{Stage, Way};

const DRIVERS: [Driver; 3] = [Driver::Sqlite, Driver::PostgresUnicode, Driver::PostgresAnsi];
const RULES: &str = "answers:\n  - sql: '^select 10 '\n  - sql: '^select rate from rates$'\n";

fn stage(subject: &str, driver: Driver) -> Stage {
    let stage = Stage::new(subject, driver);
    std::fs::write(stage.scratch.join("work").join("super8.yml"), RULES).unwrap();
    stage
}

#[test]
fn prepared_ones_and_those_in_transactions_come_in_any_order() {
    let reads = |mode: &str| Program::python("named_reads.py").with_argument(mode);
    for driver in DRIVERS {
        for order in ["global", "connection", "any"] {
            let mut stage = stage("named", driver);
            stage.environment.push(("SUPER8_ORDER", order.into()));
            stage.in_both_formats(|stage| {
                let recorded = stage.run(Way::Record, &reads("recorded"));
                reads("recorded").check(order, &recorded);
                for mode in ["recorded", "shuffled"] {
                    let replayed = stage.run(Way::Replay, &reads(mode));
                    assert_same(
                        &format!("{driver:?}, {order}, {mode}"),
                        ("recorded", &recorded),
                        ("replayed", &replayed),
                    );
                    assert_eq!(replayed.errors(), "", "{driver:?}, {order}, {mode}");
                }
            });
        }
    }
}

#[test]
fn another_result_is_an_error_while_recording() {
    const OTHER: &str = "gives other rows than before, but `answers` names it as a read whose result does not change";
    for driver in DRIVERS {
        stage("named_changing", driver).in_both_formats(|stage| {
            for (program, count) in
                [(Program::python("named_reads.py").with_argument("changing"), 2), (Program::c("named_read.c"), 1)]
            {
                let outcome = stage.run(Way::Record, &program);
                let told = outcome.text() + &outcome.errors();
                let named = format!("`select rate from rates` {OTHER}; take it out of `answers` in super8.yml");
                assert!(told.matches(&named).count() >= count, "{driver:?}: {told}");
                assert!(!stage.log().exists(), "{driver:?}: published\n{told}");
            }
            let fails = Program::c("named_read.c").with_argument("fails");
            let outcome = stage.run(Way::Record, &fails);
            let told = outcome.text() + &outcome.errors();
            assert!(told.contains("`select rate from rates` gives another outcome than before"), "{driver:?}: {told}");
            assert!(!stage.log().exists(), "{driver:?}: published\n{told}");
        });
    }
}

/// Of a cassette of several processes, each part has its own, and any process may ask for those of another one.
#[test]
fn processes_have_their_own_and_those_of_the_others() {
    in_both_formats(|format| {
        let desk = Desk::new("named_parts").in_format(format);
        std::fs::write(desk.scratch.join("work/super8.yml"), "answers: [{sql: '^select max'}, {sql: '^select 1$'}]\n")
            .unwrap();
        let isql = |sql: &[&str]| format!("printf '{}\\n' | isql -b shop", sql.join("\\n"));
        let (ping, top) = ("select 1", "select max(price) from fruit");
        let both = |one: &[&str], other: &[&str]| format!("{}; {}", isql(one), isql(other));
        let run = |verb: &str, script: &str| {
            let outcome = desk.run(&[verb, "tape", "--", "sh", "-c", script]);
            assert_eq!(
                outcome.status,
                "exit status: 0",
                "{verb} {script}: {}",
                String::from_utf8_lossy(&outcome.all())
            );
            outcome
        };
        run(
            "record",
            &both(
                &[ping, top, "select name from fruit where price = 3"],
                &[ping, "select price from fruit where price = 4"],
            ),
        );
        desk.clear();
        run(
            "replay",
            &both(
                &[top, ping, ping, "select name from fruit where price = 3"],
                &["select price from fruit where price = 4", ping],
            ),
        );
        let replayed: Outcome = run(
            "replay",
            &both(
                &[top, "select name from fruit where price = 3"],
                &[top, "select price from fruit where price = 4", top],
            ),
        );
        assert_eq!(replayed.text().matches('4').count(), 4, "{}", replayed.text());
    });
}
