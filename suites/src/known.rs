//! Reads known.yml: tests that by themselves differ from run to run, each with the place in the suite's source that
//! proves it.

use crate::suite::{Case, Suite};
use serde::Deserialize;
use std::path::Path;

/// One entry of the list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// The suite's name.
    suite: String,
    /// The test's name; `select.*` is `select` under every setting.
    test: String,
    /// Lines of output that contain this text are not compared; all other lines and the outcome are. Without this key,
    /// the test sends something else each time, and its replay is not compared at all.
    lines: Option<String>,
    /// Why they differ.
    reason: String,
    /// The file of the suite's source that makes them differ.
    file: String,
    /// A line of that file: the proof of the reason.
    says: String,
}

/// The whole list.
#[derive(Debug, Default)]
pub struct List(Vec<Known>);

impl List {
    /// Reads the list. Fails if an entry has no reason.
    pub fn read(path: &Path) -> Result<List, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let list: Option<Vec<Known>> =
            serde_yaml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        let list = list.unwrap_or_default();
        let lines = |entry: &Known| entry.lines.as_ref().is_some_and(|lines| lines.trim().is_empty());
        let empty = |entry: &&Known| {
            lines(entry) || [&entry.reason, &entry.file, &entry.says].iter().any(|text| text.trim().is_empty())
        };
        match list.iter().find(empty) {
            Some(entry) => Err(format!(
                "{}: the entry for {} {} must have a reason and a line of the test's own source that shows it",
                path.display(),
                entry.suite,
                entry.test
            )),
            None => Ok(List(list)),
        }
    }

    /// Checks that the suite's source has the lines that the entries quote.
    pub fn check(&self, suite: &dyn Suite) -> Result<(), String> {
        for entry in self.0.iter().filter(|entry| entry.suite == suite.name()) {
            let file = suite.source().join(&entry.file);
            let source = std::fs::read(&file).map_err(|error| {
                format!("known.yml, {} {}: cannot read {}: {error}", entry.suite, entry.test, file.display())
            })?;
            if !String::from_utf8_lossy(&source).lines().any(|line| line.contains(&entry.says)) {
                let Known { suite, test, says, .. } = entry;
                return Err(format!("known.yml, {suite} {test}: {} does not say `{says}`", file.display()));
            }
        }
        Ok(())
    }

    /// Returns the entries about a test.
    pub fn about<'a>(&'a self, suite: &str, test: &str) -> Vec<&'a Known> {
        let matches = |entry: &&Known| match entry.test.strip_suffix(".*") {
            Some(name) => test.rsplit_once('.').is_some_and(|(stem, _)| stem == name),
            None => entry.test == test,
        };
        self.0.iter().filter(|entry| entry.suite == suite).filter(matches).collect()
    }
}

impl Known {
    /// Returns why something is not compared.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Whether the entry is about the whole test, and not only about lines of its output.
    pub fn sends_something_else(&self) -> bool {
        self.lines.is_none()
    }

    fn leaves_out(&self, line: &str) -> bool {
        self.lines.as_ref().is_some_and(|lines| line.contains(lines))
    }
}

/// Returns the part of a test's output that is compared.
pub fn compared(case: &Case, known: &[&Known]) -> Vec<u8> {
    if known.is_empty() {
        return case.output.clone();
    }
    let text = String::from_utf8_lossy(&case.output);
    let kept = text.lines().filter(|line| !known.iter().any(|entry| entry.leaves_out(line)));
    kept.flat_map(|line| format!("{line}\n").into_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<List, String> {
        let directory = super8_tests::scratch::Scratch::new("known");
        List::read(&directory.write("known.yml", text))
    }

    #[test]
    fn an_entry_without_a_reason_is_refused() {
        let entry =
            |reason: &str| format!("- suite: s\n  test: t\n  reason: {reason}\n  file: f.c\n  says: time(NULL)\n");
        assert!(read(&entry("the time")).is_ok());
        assert!(read(&entry("' '")).unwrap_err().contains("must have a reason"));
        assert!(read("- {suite: s, test: t, file: f.c, says: x}").unwrap_err().contains("reason"));
        assert!(read("- {suite: s, test: t, reason: r, file: f.c}").unwrap_err().contains("says"));
    }

    #[test]
    fn only_the_lines_of_an_entry_are_left_out() {
        let list = read("- {suite: s, test: t.*, lines: 0x, reason: r, file: f.c, says: x}").unwrap();
        let case = |output: &[u8]| Case { name: "t.d0p1".into(), outcome: "pass".into(), output: output.to_vec() };
        let known = list.about("s", "t.d0p1");
        assert_eq!(compared(&case(b"one\nat 0x1\ntwo\n"), &known), b"one\ntwo\n");
        assert!(list.about("s", "tt.d0p1").is_empty() && list.about("other", "t.d0p1").is_empty());
    }
}
