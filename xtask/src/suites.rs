//! `cargo xtask suites`: test suites that others wrote, run four ways (docs/suites.md). Words after it go to the harness.

use crate::process::{Done, cargo, run};
use crate::setup::setup;

/// Sets up and runs the harness.
pub fn suites(words: &[String]) -> Done {
    setup()?;
    harness(words)
}

/// Runs the part that belongs to the test command, on a machine that is set up.
pub fn representative() -> Done {
    harness(&["--representative".to_owned()])
}

fn harness(words: &[String]) -> Done {
    let mut harness = cargo(&["run", "--quiet", "-p", "super8-suites", "--"]);
    harness.args(words);
    run(harness)
}
