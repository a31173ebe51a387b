//! `super8 doctor`: says what is installed, what would happen, and what to do about it.

use crate::doctor::{Finding, FindingGroup, Severity, examine};
use crate::exit::{Exit, Outcome};
use crate::output;
use anstyle::{AnsiColor, Style};
use clap::Args;
use std::io::Write;

/// `super8 doctor`
#[derive(Args)]
#[command(after_help = "\
Ends with exit code 1 if something will not work.

Examples:
  super8 doctor
  super8 doctor --dsn shop")]
pub struct Doctor {
    /// Say what would happen if a program connected to this data source
    #[arg(long, value_name = "NAME")]
    dsn: Option<String>,
    /// Write JSON
    #[arg(long)]
    json: bool,
}

impl Doctor {
    /// Examines the machine, and writes the findings with advice.
    pub fn run(self) -> Outcome {
        let chapters = examine(self.dsn.as_deref());
        let bad = |finding: &&Finding| finding.tone == Severity::Bad;
        let troubles: Vec<&Finding> = chapters.iter().flat_map(|chapter| &chapter.findings).filter(bad).collect();
        if self.json {
            output::json(&chapters)?;
        } else {
            print(&chapters, &troubles)?;
        }
        Ok(if troubles.is_empty() { Exit::Done } else { Exit::Found })
    }
}

fn print(chapters: &[FindingGroup], troubles: &[&Finding]) -> Result<(), crate::exit::Failure> {
    let bold = Style::new().bold();
    let mut out = output::text();
    for chapter in chapters {
        writeln!(out, "{bold}{}{bold:#}", chapter.title)?;
        for Finding { tone, text, .. } in &chapter.findings {
            let (sign, style) = match tone {
                Severity::Good => ("ok", AnsiColor::Green.on_default()),
                Severity::Note => ("--", Style::new().dimmed()),
                Severity::Bad => ("!!", AnsiColor::Red.on_default().bold()),
            };
            writeln!(out, "  {style}{sign}{style:#} {text}")?;
        }
        writeln!(out)?;
    }
    writeln!(out, "{bold}Advice{bold:#}")?;
    if troubles.is_empty() {
        writeln!(out, "  Nothing to do.")?;
    }
    // What several findings ask for is done once.
    let mut advice: Vec<&str> = Vec::new();
    for wanted in troubles.iter().filter_map(|finding| finding.advice.as_deref()) {
        if !advice.contains(&wanted) {
            advice.push(wanted);
        }
    }
    for (number, advice) in advice.into_iter().enumerate() {
        writeln!(out, "  {}. {advice}", number + 1)?;
    }
    output::finish(out)
}
