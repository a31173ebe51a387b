//! Makes the tables: a line for each test, with a word for each way and the first difference.

use crate::known::{List, compared};
use crate::run::{Program, Ran, Results};
use crate::suite::Case;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The result of a test one way, compared with the bare driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Beside {
    /// The same outcome and the same output.
    Same,
    /// Something else.
    Differs,
    /// Something else, because super8 refused a call (SQLSTATE HYC00).
    Refused,
    /// Not compared: known.yml says why.
    Listed,
}

/// Counts of a way: same, differs, refused, listed.
type Score = BTreeMap<&'static str, [usize; 4]>;

/// The report of all suites.
pub struct Report {
    /// The tables.
    pub text: String,
    /// Whether every test had the same result every way.
    pub same: bool,
}

/// Compares all ways of all programs.
pub fn report(programs: &[Program<'_>], results: &Results, known: &List, ways: &[&'static str]) -> Report {
    let mut report = Report { text: String::new(), same: true };
    let mut suites: Vec<&str> = programs.iter().map(|program| program.suite.name()).collect();
    suites.dedup();
    for suite in suites {
        let of_suite: Vec<&Program<'_>> = programs.iter().filter(|program| program.suite.name() == suite).collect();
        table(&mut report, suite, &of_suite, results, known, ways);
    }
    report
}

/// Returns a table of how long each suite took each way: medians in seconds, and ratios to the bare driver.
pub fn times(programs: &[Program<'_>], results: &Results) -> String {
    let mut text = "Seconds for a whole suite, and over bare\n\n| suite | bare | off | record | replay |\n| --- | ---: | ---: | ---: | ---: |".to_owned();
    let mut suites: Vec<&str> = programs.iter().map(|program| program.suite.name()).collect();
    suites.dedup();
    for suite in suites {
        let of_suite = || results.iter().filter(|((name, _), _)| name == suite).map(|(_, ways)| ways);
        let seconds =
            |way: &str| -> f64 { of_suite().filter_map(|ways| ways.get(way)).map(|ran| median(&ran.seconds)).sum() };
        let bare = seconds("bare");
        let _ = write!(text, "\n| {suite} | {bare:.2} |");
        for way in ["off", "record", "replay"] {
            let own = seconds(way);
            let cell = if own > 0.0 { format!("{own:.2} ({:.2})", own / bare) } else { String::new() };
            let _ = write!(text, " {cell} |");
        }
    }
    text
}

fn median(seconds: &[f64]) -> f64 {
    let mut sorted = seconds.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// Writes the table of times into its place in docs/performance.md.
pub fn write_times(table: &str) -> Result<(), String> {
    let page = super8_tests::products::repository().join("docs/performance.md");
    let failed = |error: std::io::Error| format!("{}: {error}", page.display());
    let text = std::fs::read_to_string(&page).map_err(failed)?;
    let (begin, end) = ("<!-- suites: time -->", "<!-- end -->");
    let parts = text.split_once(begin).and_then(|(before, rest)| Some((before, rest.split_once(end)?.1)));
    let (before, after) = parts.ok_or_else(|| format!("{}: there is no place `{begin}`", page.display()))?;
    std::fs::write(&page, format!("{before}{begin}\n\n{table}\n\n{end}{after}")).map_err(failed)
}

fn table(
    report: &mut Report,
    suite: &str,
    programs: &[&Program<'_>],
    results: &Results,
    known: &List,
    ways: &[&'static str],
) {
    let about = programs.first().map_or("", |program| program.suite.about());
    let _ = write!(report.text, "\n{suite}: {about}\n\n{:<44} {:<14}", "test", "bare");
    for way in ways {
        let _ = write!(report.text, " {way:<8}");
    }
    report.text.push_str(" note\n");
    let (mut score, mut tests): (Score, usize) = (Score::new(), 0);
    for program in programs {
        let Some(ran) = results.get(&(suite.to_owned(), program.name.to_owned())) else { continue };
        let Some(bare) = ran.get("bare") else { continue };
        for case in &bare.cases {
            tests += 1;
            let mut row = Row::new(case, known, suite);
            for way in ways {
                let beside = row.beside(way, ran.get(way));
                score.entry(way).or_default()[beside as usize] += 1;
                report.same &= matches!(beside, Beside::Same | Beside::Listed);
            }
            report.text.push_str(&row.line());
        }
        // Also lists tests that only another way ran.
        for (way, other) in ran.iter().filter(|(way, _)| ways.contains(way)) {
            for case in other.cases.iter().filter(|case| !bare.cases.iter().any(|there| there.name == case.name)) {
                let _ = writeln!(report.text, "{:<44} only {way}", case.name);
                report.same = false;
            }
        }
        let told = ran.iter().filter_map(|(way, ran)| Some((way, unplayed(&ran.log)?)));
        for (way, line) in told {
            let _ = writeln!(report.text, "  {} {way}: {line}", program.name);
        }
    }
    let _ = writeln!(report.text, "\n{suite}: {tests} tests");
    for (way, [same, differs, refused, listed]) in score {
        let _ = write!(report.text, "  {way:<8} {same} same, {differs} different, {refused} refused (HYC00)");
        let listed = if listed == 0 { String::new() } else { format!(", {listed} not compared (known.yml)") };
        let _ = writeln!(report.text, "{listed}");
    }
}

/// A line of a table that is being made.
struct Row<'a> {
    case: &'a Case,
    known: Vec<&'a crate::known::Known>,
    expected: Vec<u8>,
    cells: Vec<String>,
    note: String,
}

impl<'a> Row<'a> {
    fn new(case: &'a Case, known: &'a List, suite: &str) -> Row<'a> {
        let known = known.about(suite, &case.name);
        let expected = compared(case, &known);
        let note = known.iter().map(|entry| format!("(not compared: {}) ", entry.reason())).collect();
        Row { case, known, expected, cells: Vec::new(), note }
    }

    fn beside(&mut self, way: &str, ran: Option<&Ran>) -> Beside {
        let case = ran.and_then(|ran| ran.cases.iter().find(|case| case.name == self.case.name));
        let (beside, difference) = match case {
            Some(_) if way == "replay" && self.known.iter().any(|entry| entry.sends_something_else()) => {
                (Beside::Listed, String::new())
            }
            None => (Beside::Differs, "did not run".to_owned()),
            Some(case) => {
                let output = compared(case, &self.known);
                if case.outcome == self.case.outcome && output == self.expected {
                    (Beside::Same, String::new())
                } else {
                    let refused = contains(&output, "HYC00") && !contains(&self.expected, "HYC00");
                    let kind = if refused { Beside::Refused } else { Beside::Differs };
                    (kind, format!("{}: {}", case.outcome, first_difference(&self.expected, &output)))
                }
            }
        };
        let word = match beside {
            Beside::Same => "same",
            Beside::Differs => "DIFFERS",
            Beside::Refused => "REFUSED",
            Beside::Listed => "listed",
        };
        self.cells.push(word.into());
        // Only the first way that differs gives the difference, because the others mostly repeat it.
        if !matches!(beside, Beside::Same | Beside::Listed) && !self.note.contains(": -") {
            let _ = write!(self.note, "{way} {difference}");
        }
        beside
    }

    fn line(&self) -> String {
        let mut line = format!("{:<44} {:<14}", self.case.name, self.case.outcome);
        for cell in &self.cells {
            let _ = write!(line, " {cell:<8}");
        }
        let _ = write!(line, " {}", self.note);
        line.truncate(line.trim_end().len());
        line.push('\n');
        line
    }
}

fn contains(output: &[u8], word: &str) -> bool {
    output.windows(word.len()).any(|window| window == word.as_bytes())
}

/// Returns the first line that differs, of each output.
fn first_difference(expected: &[u8], output: &[u8]) -> String {
    let (expected, output) = (String::from_utf8_lossy(expected), String::from_utf8_lossy(output));
    let (mut left, mut right) = (expected.lines(), output.lines());
    loop {
        match (left.next(), right.next()) {
            (None, None) => return "- the same lines".into(),
            (left, right) if left != right => {
                let cut = |line: Option<&str>| line.map_or("(end)".to_owned(), |line| line.chars().take(160).collect());
                return format!("- {} | + {}", cut(left), cut(right));
            }
            _ => {}
        }
    }
}

/// Returns the line of a log that reports commands that were never played.
fn unplayed(log: &str) -> Option<&str> {
    log.lines().find(|line| line.contains("never played"))
}
