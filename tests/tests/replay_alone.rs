//! Replay opens neither the real driver nor the database, even when both are there to be opened.

use super8_tests::c_compiler;
use super8_tests::compare::assert_same;
use super8_tests::driver::Driver;
use super8_tests::format::in_both_formats;
use super8_tests::program::Program;
use super8_tests::trap::Trap;
use super8_tests::ways::{Stage, Way};

#[test]
fn a_driver_that_exists_is_not_loaded() {
    in_both_formats(|format| {
        let alarm = c_compiler::compiled_library("alarm.c", "libalarm.so");
        for driver in [Driver::Sqlite, Driver::PostgresUnicode] {
            let mut stage = Stage::new("alarm", driver).in_format(format);
            let program = Program::c("results.c");
            let recorded = stage.run(Way::Record, &program);
            program.check("record", &recorded);
            let rung = stage.scratch.join("alarm-rung");
            stage.environment =
                vec![("SUPER8_DRIVER", alarm.display().to_string()), ("ALARM_FILE", rung.display().to_string())];
            let replayed = stage.run(Way::Replay, &program);
            assert_same("replay beside a driver", ("recorded", &recorded), ("replayed", &replayed));
            assert!(!rung.exists(), "the replay loaded the driver it was given");

            // The alarm does work: the same library rings when super8 is told to use it for real.
            let command = stage.command(Way::Off, &program, &Trap::new());
            super8_tests::outcome::Outcome::of(&command, b"");
            assert!(rung.exists(), "the alarm did not ring for SUPER8_MODE=off: this test shows nothing");
        }
    });
}

#[test]
fn a_database_file_that_exists_is_left_alone() {
    in_both_formats(|format| {
        let stage = Stage::new("untouched", Driver::Sqlite).in_format(format);
        let program = Program::c("results.c");
        let recorded = stage.run(Way::Record, &program);
        stage.database.remove();
        let file = stage.scratch.write(&format!("work/{}", stage.database.name()), "no database at all");
        let command = stage.command(Way::Replay, &program, &Trap::new());
        let replayed = super8_tests::outcome::Outcome::of(&command, b"");
        assert_same("replay beside a database", ("recorded", &recorded), ("replayed", &replayed));
        assert_eq!(std::fs::read(file).unwrap_or_default(), b"no database at all");
    });
}
