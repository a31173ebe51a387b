//! Colours the report of a mismatch: its headings, what was recorded and what was asked. The driver writes it plain,
//! because it does not know who reads it.

use anstyle::{AnsiColor, Color, Style};

const HEADLINE: Style = Style::new().bold().fg_color(Some(Color::Ansi(AnsiColor::Red)));
const HEADING: Style = Style::new().bold();
const RECORDED: Style = Style::new().fg_color(Some(Color::Ansi(AnsiColor::Red)));
const ASKED: Style = Style::new().fg_color(Some(Color::Ansi(AnsiColor::Green)));

/// What kind of lines stand under a heading.
#[derive(PartialEq)]
enum Part {
    Other,
    /// Lines that begin with `-` and `+`.
    ByLine,
    /// Words in `[-...-]` and `{+...+}`.
    ByWord,
}

/// Returns the report with escape sequences for colours.
pub fn coloured(report: &str) -> String {
    let mut out = String::with_capacity(report.len() * 2);
    let mut part = Part::Other;
    for line in report.lines() {
        let is_heading = line.ends_with(':') && !line.starts_with([' ', '-', '+', '>']);
        if line.starts_with("[super8] ") {
            paint(&mut out, HEADLINE, line);
        } else if line.contains(", by line (- recorded, + asked)") {
            part = Part::ByLine;
            paint(&mut out, HEADING, line);
        } else if line.contains(", by word ([-recorded-] {+asked+})") {
            part = Part::ByWord;
            paint(&mut out, HEADING, line);
        } else if is_heading || line.starts_with("> ") {
            part = Part::Other;
            paint(&mut out, HEADING, line);
        } else {
            match part {
                Part::ByLine if line.starts_with('-') => paint(&mut out, RECORDED, line),
                Part::ByLine if line.starts_with('+') => paint(&mut out, ASKED, line),
                Part::ByWord => words(&mut out, line),
                _ => out.push_str(line),
            }
        }
        if line.is_empty() && part == Part::ByLine {
            part = Part::Other;
        }
        out.push('\n');
    }
    out
}

fn paint(out: &mut String, style: Style, text: &str) {
    out.push_str(&format!("{style}{text}{style:#}"));
}

fn words(out: &mut String, mut line: &str) {
    let next = |line: &str| {
        let recorded = line.find("[-").map(|at| (at, "-]", RECORDED));
        let asked = line.find("{+").map(|at| (at, "+}", ASKED));
        let (at, end, style) = [recorded, asked].into_iter().flatten().min_by_key(|(at, ..)| *at)?;
        let length = line[at..].find(end)? + end.len();
        Some((at, at + length, style))
    };
    while let Some((begin, end, style)) = next(line) {
        out.push_str(&line[..begin]);
        paint(out, style, &line[begin..end]);
        line = &line[end..];
    }
    out.push_str(line);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every recorded report is the same after its colours are removed.
    #[test]
    fn without_its_colours_it_is_the_report() {
        let reports = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../cassette/tests/reports");
        let mut seen = 0;
        for file in std::fs::read_dir(reports).unwrap() {
            let report = std::fs::read_to_string(file.unwrap().path()).unwrap();
            let shown = coloured(&report);
            assert_ne!(shown, report);
            assert_eq!(anstream::adapter::strip_str(&shown).to_string(), report);
            seen += 1;
        }
        assert!(seen > 5);
    }

    #[test]
    fn what_was_recorded_is_red_and_what_was_asked_is_green() {
        let report = "[super8] replay mismatch: differs\nsql, by word ([-recorded-] {+asked+}):\nprice < [-5-]{+50+} [-and\n\nwhat to do:\n- {+x+}\n";
        let (red, green) = (format!("{RECORDED}[-5-]{RECORDED:#}"), format!("{ASKED}{{+50+}}{ASKED:#}"));
        let shown = coloured(report);
        assert!(shown.contains(&format!("price < {red}{green} [-and\n")), "{shown}");
        assert!(shown.contains(&format!("{HEADING}what to do:{HEADING:#}\n- {{+x+}}\n")), "{shown}");
    }
}
