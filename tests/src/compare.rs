//! Asserts that two outcomes are equal byte by byte. A failure shows the lines that differ.

use crate::outcome::Outcome;
use crate::scratch::Scratch;
use std::path::Path;
use std::process::Command;

/// How many lines of a difference are shown.
const SHOWN: usize = 120;

/// Panics, showing a unified diff, unless `actual` is `expected` byte by byte.
pub fn assert_same(what: &str, expected: (&str, &Outcome), actual: (&str, &Outcome)) {
    if expected.1 == actual.1 {
        return;
    }
    let shown = difference((expected.0, &expected.1.all()), (actual.0, &actual.1.all()));
    panic!("{what}: {} and {} differ\n{shown}", expected.0, actual.0);
}

/// Returns a unified diff of two texts, cut to a readable length.
pub fn difference(left: (&str, &[u8]), right: (&str, &[u8])) -> String {
    let scratch = Scratch::new("diff");
    // `cat -v` makes control characters visible and keeps the diff text.
    let files = [(left, "left"), (right, "right")].map(|((_, bytes), name)| scratch.write(name, visible(bytes)));
    let output = Command::new("diff").args(["-u", "--label", left.0, "--label", right.0]).args(&files).output();
    let text = output.map_or_else(|error| format!("(cannot run diff: {error})"), |output| lossy(&output.stdout));
    let lines: Vec<&str> = text.lines().collect();
    let mut shown = lines[..lines.len().min(SHOWN)].join("\n");
    if lines.len() > SHOWN {
        shown.push_str(&format!("\n({} more lines)", lines.len() - SHOWN));
    }
    shown
}

/// Panics unless two directories hold the same files with the same bytes.
pub fn assert_same_files(what: &str, left: &Path, right: &Path) {
    let output = Command::new("diff").args(["-r", "-u"]).args([left, right]).output();
    let output = output.unwrap_or_else(|error| panic!("cannot run diff: {error}"));
    let text = lossy(&output.stdout);
    let shown: Vec<&str> = text.lines().take(SHOWN).collect();
    assert!(output.status.success(), "{what}: files differ\n{}{}", shown.join("\n"), lossy(&output.stderr));
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn visible(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b'\n' | b'\t' | b' '..=b'~' | 0x80.. => text.push(byte),
            control => text.extend(format!("\\x{control:02x}").bytes()),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_shows_the_lines_and_the_control_characters() {
        let shown = difference(("old", b"same\none\n"), ("new", b"same\n\x01two\n"));
        assert!(shown.contains("-one") && shown.contains("+\\x01two") && shown.contains(" same"), "{shown}");
    }
}
