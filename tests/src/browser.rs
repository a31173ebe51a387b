//! Runs a real browser without a window: [`document`] returns what a page has become after its script ran.

use crate::outcome::Outcome;
use crate::packages;
use crate::scratch::Scratch;
use std::path::Path;
use std::process::Command;

/// Options that keep out what a test does not need: windows, updates, other machines.
const OPTIONS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--window-size=1400,1000",
];

/// Returns the document of a page, as HTML, after its script ran; `fragment` is what follows `#` in its address.
pub fn document(page: &Path, fragment: &str) -> String {
    dumped(page, fragment, &["--virtual-time-budget=5000"])
}

/// Returns the document as soon as the page is loaded, by the real clock instead of virtual time.
pub fn document_at_once(page: &Path, fragment: &str) -> String {
    dumped(page, fragment, &[])
}

fn dumped(page: &Path, fragment: &str, options: &[&str]) -> String {
    let profile = Scratch::new("browser");
    let mut command = Command::new(packages::program("chromium", "chromium"));
    command.args(OPTIONS).args(options).arg(format!("--user-data-dir={}", profile.path().display())).arg("--dump-dom");
    command.arg(format!("file://{}#{fragment}", page.display()));
    command.env("HOME", profile.path()).env("PATH", "/usr/bin:/bin");
    let outcome = Outcome::of(&command, b"");
    assert!(outcome.succeeded(), "chromium failed:\n{}", String::from_utf8_lossy(&outcome.all()));
    outcome.text()
}
