//! `cargo xtask test`: everything a change must pass. Words after `test` go to `cargo test` (a name narrows it).

use crate::process::{Done, cargo, run};
use crate::setup::setup;

/// Sets up, then checks format, lints and generated pages, builds, and runs every test.
pub fn test(words: &[String]) -> Done {
    setup()?;
    run(cargo(&["fmt", "--all", "--check"]))?;
    run(cargo(&["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]))?;
    run(cargo(&["build", "--workspace", "--quiet"]))?;
    crate::docs::docs(&["--check".to_owned()])?;
    // One binary after the other, each with cargo's own summary; the end-to-end tests come last.
    let mut all = cargo(&["test", "--workspace", "--exclude", "super8-tests"]);
    let mut end_to_end = cargo(&["test", "-p", "super8-tests"]);
    all.args(words);
    end_to_end.args(words);
    run(all)?;
    run(end_to_end)?;
    // A name that narrows the tests is no name of a suite.
    if words.is_empty() { crate::suites::representative() } else { Ok(()) }
}
