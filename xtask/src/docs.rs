//! `cargo xtask docs`: the pages that are written by the table of functions, not by hand.

use crate::process::{Done, cargo};
use std::path::PathBuf;

/// Every generated page: its path in the repository, and the example of the shim's package that prints it.
const PAGES: [(&str, &str); 1] = [("docs/functions.md", "functions")];

/// Writes the generated pages; with `--check` only says whether they are as they would be written.
pub fn docs(words: &[String]) -> Done {
    let check = words.iter().any(|word| word == "--check");
    for (page, example) in PAGES {
        let text = generated(example)?;
        let path = super8_tests::products::repository().join(page);
        if check {
            let there = std::fs::read_to_string(&path).unwrap_or_default();
            if there != text {
                return Err(format!("{page} is not what the table of functions says; write it: cargo xtask docs"));
            }
        } else {
            write(&path, &text)?;
            println!("wrote {page}");
        }
    }
    Ok(())
}

/// What an example of the shim's package prints.
fn generated(example: &str) -> Result<String, String> {
    let mut program = cargo(&["run", "--quiet", "-p", "super8-shim", "--example", example]);
    let output = program.output().map_err(|error| format!("cannot run cargo: {error}"))?;
    if !output.status.success() {
        return Err(format!("the example `{example}` failed:\n{}", String::from_utf8_lossy(&output.stderr)));
    }
    String::from_utf8(output.stdout).map_err(|error| format!("the example `{example}` printed no text: {error}"))
}

fn write(path: &PathBuf, text: &str) -> Done {
    std::fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
}
