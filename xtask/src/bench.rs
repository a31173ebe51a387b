//! `cargo xtask bench`: the bench package in a release build.

use crate::process::{Done, cargo, run};

/// Builds both libraries and the bench as they are shipped, and measures.
pub fn bench(words: &[String]) -> Done {
    run(cargo(&["build", "--release", "--quiet", "-p", "super8", "-p", "super8a"]))?;
    let mut bench = cargo(&["run", "--release", "--quiet", "-p", "super8-bench", "--"]);
    bench.args(words);
    run(bench)
}
