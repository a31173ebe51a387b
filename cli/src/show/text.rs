//! Writes the timeline for a terminal or a pipe, a line for each entry.

use super::timeline::{self, Mark, Step, Timeline};
use crate::exit::Failure;
use anstyle::{AnsiColor, Color, Style};
use std::io::Write;
use super8_cassette::schema::Class;
use super8_cassette::summary::{asked, parameters};
use super8_cassette::text::one_line;
use super8_cassette::{ConnectionId, Metadata, Method};

/// The most bytes of a line in a pipe. There is no width to fit there, but a statement may be megabytes long.
const LONGEST: usize = 4000;

/// How the timeline is printed.
#[derive(Clone, Copy, Debug)]
pub struct TextStyle {
    /// Print answers and housekeeping as well.
    pub all: bool,
    /// Print the numbers of commands instead of lines.
    pub numbers: bool,
    /// The terminal's width in columns, if it is one.
    pub columns: Option<usize>,
}

const DIM: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();
const BAD: Style = Style::new().fg_color(Some(Color::Ansi(AnsiColor::Red)));
const LANES: [AnsiColor; 6] =
    [AnsiColor::Cyan, AnsiColor::Magenta, AnsiColor::Yellow, AnsiColor::Green, AnsiColor::Blue, AnsiColor::BrightRed];

fn of(connection: ConnectionId) -> Style {
    Style::new().fg_color(Some(Color::Ansi(LANES[connection.0 as usize % LANES.len()])))
}

/// Writes the lines above the timeline.
///
/// # Errors
/// Standard output cannot be written.
pub fn head(out: &mut impl Write, name: &str, metadata: &Metadata, timeline: &Timeline<'_>) -> Result<(), Failure> {
    let counts = timeline.counts();
    let many = |count: usize, what: &str| if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") };
    writeln!(
        out,
        "{BOLD}{}{BOLD:#}  {}, {}, {}; order: {}{}",
        one_line(name),
        many(counts.commands, "command"),
        many(counts.connections, "connection"),
        many(counts.statements, "statement"),
        metadata.order.name(),
        if metadata.complete { "" } else { "; not complete" },
    )?;
    let driver = metadata.driver.as_ref().map(|driver| format!(", {} ({})", driver.library, driver.kind));
    let recorded =
        || format!("recorded {} with {}{}", metadata.recorded_on, metadata.recorded_with, driver.unwrap_or_default());
    let about = if metadata.made_by_hand { "written by hand".to_owned() } else { recorded() };
    writeln!(out, "{DIM}{}{DIM:#}\n", one_line(&about))?;
    Ok(())
}

/// Writes one entry, and its first rows if some were kept.
///
/// # Errors
/// Standard output cannot be written.
pub fn step(out: &mut impl Write, step: &Step, style: TextStyle, width: usize) -> Result<(), Failure> {
    let entry = &step.entry;
    let class = entry.method.class();
    if !style.all && class != Class::Command && entry.method != Method::Disconnect {
        return Ok(());
    }
    match (style.numbers, step.number) {
        (false, _) => write!(out, "{DIM}{:>6}{DIM:#} ", step.line)?,
        (true, Some(number)) => write!(out, "{DIM}{number:>6}{DIM:#} ")?,
        (true, None) => write!(out, "{:>6} ", "")?,
    }
    lanes(out, &step.marks, class, width)?;
    let lane = of(entry.connection);
    let id =
        entry.statement.map_or_else(|| entry.connection.to_string(), |number| format!("{}/{number}", entry.connection));
    let method = entry.method.name();
    let weight = if class == Class::Command { BOLD } else { DIM };
    write!(out, "{lane}{id:<6}{lane:#} {weight}{method:<16}{weight:#} ")?;
    let room = style.columns.map_or(LONGEST, |columns| columns.saturating_sub(31 + 2 * width).max(20));
    let parameters = parameters(entry, timeline::VALUE);
    let asked: Vec<String> =
        [asked(entry, LONGEST)].into_iter().chain(parameters).filter(|part| !part.is_empty()).collect();
    let (asked, outcome) = (asked.join("  "), timeline::outcome(step));
    // The outcome is usually the shorter part, so it is cut last.
    let kept = chars(&outcome).min(room * 2 / 3);
    let arrow = if asked.is_empty() || outcome.is_empty() { 0 } else { 4 };
    let asked = fit(&asked, room.saturating_sub(kept + arrow));
    let outcome = fit(&outcome, room.saturating_sub(chars(&asked) + arrow));
    let tone = if entry.failed() { BAD } else { DIM };
    let arrow = if arrow == 0 { "" } else { "  → " };
    writeln!(out, "{asked}{DIM}{arrow}{DIM:#}{tone}{outcome}{tone:#}")?;
    if let Some(rows) = step.rows.as_ref().filter(|_| entry.method != Method::Fetch) {
        for row in &rows.first {
            write!(out, "       ")?;
            below(out, &step.marks, width)?;
            writeln!(out, "{:23} {DIM}{}{DIM:#}", "", fit(&timeline::row_words(row), room))?;
        }
    }
    Ok(())
}

fn lanes(out: &mut impl Write, marks: &[Mark], class: Class, width: usize) -> Result<(), Failure> {
    for mark in marks {
        match mark {
            Mark::Empty => write!(out, "  ")?,
            Mark::Through(connection) => write!(out, "{0}│{0:#} ", of(*connection))?,
            Mark::Here { connection, first, last } => {
                let sign = match (first, last, class) {
                    (true, true, _) => "◆",
                    (true, false, _) => "┬",
                    (false, true, _) => "┴",
                    (false, false, Class::Command) => "●",
                    (false, false, _) => "┊",
                };
                write!(out, "{0}{sign}{0:#} ", of(*connection))?;
            }
        }
    }
    Ok(write!(out, "{:1$}", "", 2 * (width - marks.len()))?)
}

/// Writes the lanes under an entry.
fn below(out: &mut impl Write, marks: &[Mark], width: usize) -> Result<(), Failure> {
    for mark in marks {
        match mark {
            Mark::Through(connection) | Mark::Here { connection, last: false, .. } => {
                write!(out, "{0}│{0:#} ", of(*connection))?;
            }
            Mark::Empty | Mark::Here { last: true, .. } => write!(out, "  ")?,
        }
    }
    Ok(write!(out, "{:1$}", "", 2 * (width - marks.len()))?)
}

fn chars(text: &str) -> usize {
    text.chars().count()
}

/// Cuts a line to at most `max` characters.
fn fit(text: &str, max: usize) -> String {
    if chars(text) <= max {
        return text.to_owned();
    }
    let end = text.char_indices().nth(max.saturating_sub(1)).map_or(text.len(), |(at, _)| at);
    format!("{}…", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::fit;

    #[test]
    fn lines_fit_the_terminal() {
        assert_eq!((fit("äöü", 3).as_str(), fit("äöüß", 3).as_str(), fit("x", 0).as_str()), ("äöü", "äö…", "…"));
    }
}
