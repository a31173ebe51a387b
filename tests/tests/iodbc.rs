//! Under iODBC: ANSI drivers work, and the library for Unicode drivers refuses, because their characters have another width.

use super8_tests::driver::Driver;
use super8_tests::packages;
use super8_tests::program::Program;
use super8_tests::ways::{Stage, Way};

/// A stage whose odbcinst.ini iODBC finds, too.
fn stage(subject: &str, driver: Driver) -> Stage {
    let mut stage = Stage::new(subject, driver);
    let file = stage.scratch.join("odbc/odbcinst.ini");
    stage.environment = vec![("ODBCINSTINI", file.display().to_string())];
    stage
}

fn program() -> Program {
    let manager = format!("/usr/lib/{}-linux-gnu/libiodbc.so.2", std::env::consts::ARCH);
    if !std::path::Path::new(&manager).is_file() {
        packages::missing(&manager, "libiodbc2");
    }
    Program::c("direct.c").with_argument(manager)
}

#[test]
fn ansi_drivers_are_recorded_and_replayed() {
    for driver in [Driver::Sqlite, Driver::PostgresAnsi] {
        stage("iodbc", driver).four_ways(&program());
    }
}

#[test]
fn the_library_for_unicode_drivers_refuses() {
    let stage = stage("iodbc_unicode", Driver::PostgresUnicode);
    for way in [Way::Off, Way::Record] {
        let outcome = stage.run(way, &program());
        let text = String::from_utf8_lossy(&outcome.all()).into_owned();
        assert!(text.contains("libsuper8.so does not work under iODBC"), "{way:?}: {text}");
        assert!(text.contains("connect ERROR"), "{way:?}: {text}");
    }
}
