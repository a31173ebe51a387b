//! The report for people: what is wrong, the whole mismatch report in colour, and what was left unplayed. The driver writes
//! the mismatch report plain, because it does not know who reads it.

use crate::exit::Exit;
use crate::output::many;
use crate::wrap::verdict::{FaultNote, Played, Run};
use anstyle::{AnsiColor, Color, Style};
use std::fmt::Write;
use std::path::Path;

const BAD: Style = Style::new().bold().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red)));
const GOOD: Style = Style::new().bold().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Green)));

/// Returns the whole report; empty if all is well.
pub fn report(run: &Run<'_>) -> String {
    /// How many recordings that were not published are named: with a cassette for each test there may be many.
    const NAMED: u64 = 3;
    let mut text = String::new();
    let mut kept_aside = 0;
    for played in &run.verdict.cassettes {
        if let Some(mismatch) = &played.mismatch {
            text.push_str(&coloured(mismatch.report.trim_end()));
        }
        if let Some(error) = &played.unwritable {
            let error = error.strip_prefix(&format!("{}: ", played.cassette)).unwrap_or(error);
            let _ = writeln!(text, "{BAD}super8:{BAD:#} {}: cannot be written: {error}", played.cassette);
        }
        if played.is_overwritten() {
            let _ = writeln!(text, "{BAD}super8:{BAD:#} {}", overwritten(played));
        }
        if played.unopened && !run.verdict.command_failed() {
            let _ = writeln!(
                text,
                "{BAD}super8:{BAD:#} {}: no process opened it, so nothing in it was played",
                played.cassette
            );
        }
        if !run.verdict.command_failed() {
            left_over(&mut text, played);
        }
        if played.is_unknown() {
            let what = match run.verdict.was_signalled {
                true => "a process was stopped before it had played everything",
                false => {
                    "a process ended by a signal or without its exit handlers (_exit, exec): what it left unplayed is not known"
                }
            };
            let _ = writeln!(text, "{BAD}super8:{BAD:#} {}: {what}", played.cassette);
        }
        if let Some(kept) = &played.kept {
            kept_aside += 1;
            if kept_aside <= NAMED {
                let _ = writeln!(text, "{BAD}super8:{BAD:#} {}", not_taken(played, kept));
            }
        }
        if played.recovered {
            let what = "recovered what was recorded; of a result that was still read, the last rows may be missing (up to 64 KiB)";
            let _ = writeln!(text, "{GOOD}super8:{GOOD:#} {}: {what}", played.cassette);
        }
    }
    if kept_aside > NAMED {
        let more = many(kept_aside - NAMED, "more cassette");
        let _ = writeln!(text, "{BAD}super8:{BAD:#} and {more}: not replaced, for the same reason");
    }
    for FaultNote { what, command, fault, text: said } in &run.verdict.faults {
        let happened = match what.as_str() {
            "struck" => "failed as it was told",
            "repeated" => "the program tried it again",
            "partial_commit" => "the program committed a part of its transaction",
            "used_lost" => "the program used the lost connection",
            "astray" => "the program went where nothing is recorded",
            _ => "did not strike",
        };
        let at = command.map(|command| format!(", command {command}")).unwrap_or_default();
        let _ = writeln!(text, "super8: fault {fault}{at}: {happened}: {said}");
    }
    for process in &run.verdict.remaining {
        let _ = writeln!(text, "{BAD}super8:{BAD:#} still running: {process}");
    }
    for leak in &run.verdict.leaks {
        let counts =
            [(leak.connections, "connection"), (leak.statements, "statement"), (leak.descriptors, "descriptor")];
        let counts: Vec<String> =
            counts.iter().filter(|(count, _)| *count > 0).map(|(n, what)| many(*n, what)).collect();
        let style = if run.verdict.allow_leaks { Style::new() } else { BAD };
        let _ = writeln!(text, "{style}super8:{style:#} process {} left open: {}", leak.pid, counts.join(", "));
    }
    if !run.verdict.has_connected() {
        for note in run.notes {
            let _ = writeln!(text, "super8: {note}");
        }
    }
    text + &summary(run)
}

/// Returns one line that says what the exit code means; empty if all is well.
pub fn summary(run: &Run<'_>) -> String {
    let exit = run.verdict.exit();
    let word = match exit {
        Exit::Done => return String::new(),
        Exit::Command(_) => return command_failed(run),
        Exit::Mismatch => "the command did not do what was recorded",
        Exit::Unwritable => "the cassette does not have what the command did",
        Exit::StillRunning => {
            "the command left something running; the verdict is about what was done so far (--wait waits longer)"
        }
        Exit::NeverConnected => {
            "the command never connected through super8: does it connect at all, or open a driver's library by its path?"
        }
        Exit::Killed => "a process was killed",
        Exit::Unplayed => "the command left out recorded commands",
        Exit::Leaked => "the command left handles open (--allow-leaks forgives it)",
        _ => "failed",
    };
    format!("{BAD}super8 {} {}:{BAD:#} {word} [exit code {}]\n", run.verb, run.cassette, exit.code())
}

fn command_failed(run: &Run<'_>) -> String {
    let verdict = run.verdict;
    let first = verdict.cassettes.iter().any(|played| played.mismatch.is_some());
    let why = if first { ", and it did not do what was recorded" } else { "" };
    format!("{BAD}super8 {} {}:{BAD:#} the command ended with {}{why}\n", run.verb, run.cassette, verdict.end)
}

fn left_over(text: &mut String, played: &Played) {
    const SHOWN: usize = 20;
    let count = played.unplayed.len();
    if count == 0 || played.mismatch.is_some() {
        return;
    }
    let were = if count == 1 { "was" } else { "were" };
    let commands = many(count as u64, "recorded command");
    let _ = writeln!(text, "{BAD}super8:{BAD:#} {}: {commands} {were} never played:", played.cassette);
    for command in played.unplayed.iter().take(SHOWN) {
        let _ = writeln!(text, "  {command}");
    }
    if count > SHOWN {
        let _ = writeln!(text, "  and {} more", count - SHOWN);
    }
}

/// Explains why a cassette that several processes recorded one after the other is wrong.
pub fn overwritten(played: &Played) -> String {
    let (cassette, count) = (&played.cassette, played.processes.len());
    format!(
        "{cassette}: {count} processes recorded it one after the other, so it has only what the last one did; they could not \
         reach the file that SUPER8_RUN names, which gives each a part of its own"
    )
}

/// Says where a recording is that was not published, and how to publish it.
fn not_taken(played: &Played, kept: &Path) -> String {
    let (cassette, kept) = (&played.cassette, kept.display());
    let how = format!("`super8 recover {cassette}` puts it in its place");
    if played.unwritable.is_some() {
        return format!("{cassette}: not replaced; what was recorded before that is in {kept}: {how}");
    }
    format!(
        "{cassette}: not replaced, because the command failed; the recording is in {kept}: {how}, and `super8 record --keep` \
         takes one whatever the exit code is"
    )
}

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
        let reports = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../matching/tests/reports");
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
