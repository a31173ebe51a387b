//! super8 opened and called by a program itself: no driver manager catches mistakes or converts text.

use super8_tests::driver::Driver;
use super8_tests::format::in_both_formats;
use super8_tests::program::Program;
use super8_tests::ways::{Stage, Way, four_ways};

#[test]
fn ansi_library() {
    four_ways(&Program::c("direct.c"), Driver::Sqlite);
    four_ways(&Program::c("direct.c"), Driver::PostgresAnsi);
}

#[test]
fn unicode_library() {
    four_ways(&Program::c("direct.c"), Driver::PostgresUnicode);
    four_ways(&Program::c("direct.c"), Driver::MariaDb);
}

/// Real drivers crash at these; super8 says SQL_INVALID_HANDLE.
#[test]
fn handles_that_are_none_are_refused() {
    in_both_formats(|format| {
        let program = Program::c("misuse.c");
        for driver in [Driver::Sqlite, Driver::MariaDb] {
            let stage = Stage::new("misuse", driver).in_format(format);
            for way in [Way::Off, Way::Record, Way::Replay] {
                let outcome = stage.run(way, &program);
                program.check(&format!("{way:?} over {}", driver.library()), &outcome);
            }
        }
    });
}

#[test]
fn calls_without_a_connection_keep_no_memory() {
    let program = Program::c("many_calls.c");
    let stage = Stage::new("many_calls", Driver::Sqlite);
    let off = stage.run(Way::Off, &program);
    program.check("off", &off);
    assert!(off.text().contains("nothing is kept"), "{}", off.text());
}
