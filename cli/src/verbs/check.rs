//! `super8 check`: says what is wrong with cassettes, before somebody reviews or replays them.

use crate::check::{Finding, check, fix, unfinished};
use crate::exit::{Exit, Outcome};
use crate::folder::Cassettes;
use crate::output;
use clap::Args;
use std::io::Write;
use std::path::PathBuf;
use super8_cassette::{staging_directory, with_parts};

/// `super8 check CASSETTE...`
#[derive(Args)]
#[command(after_help = "\
Reads everything, in either format: the schema, each entry, each row and what it is written with. Finds parts that are missing, \
files and records that no entry names, rows that are there twice, `volatile` items that mean nothing, secrets, and a size over \
1 MiB. A folder is checked cassette by cassette, a directory of traces trace by trace, a cassette of several processes part by \
part.

Exit code 1: something was found; 2: there is no such cassette.

Example:
  super8 check cassettes/orders
  super8 check tapes
  super8 check --json cassettes/* traces/orders.ndjson")]
pub struct Check {
    /// The cassettes, or folders of cassettes
    #[arg(required = true)]
    cassettes: Vec<PathBuf>,
    /// Write JSON
    #[arg(long)]
    json: bool,
    /// Correct `n` where somebody has added rows to a rows file, or taken some out, and say so
    #[arg(long)]
    fix: bool,
}

/// The findings in a cassette.
struct Checked {
    /// Its name, if it was found in a folder.
    heading: Option<String>,
    /// What was corrected.
    fixed: Vec<Finding>,
    /// What is wrong.
    found: Vec<Finding>,
}

impl Checked {
    fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.fixed.iter().chain(&self.found)
    }
}

impl Check {
    /// Checks all cassettes and writes the findings.
    pub fn run(self) -> Outcome {
        // cassettes of a folder have a heading; a cassette that is named has none
        let mut checked: Vec<Checked> = Vec::new();
        let mut count = 0;
        for path in &self.cassettes {
            let found = Cassettes::find(path)?;
            for member in found.members {
                count += member.pieces.len();
                let fixable = member.pieces.iter().filter(|_| self.fix);
                // `check` reports what cannot be read
                let fixed = fixable.flat_map(|piece| fix(piece).unwrap_or_default()).collect();
                let found_in = member.pieces.iter().flat_map(|piece| check(piece)).collect();
                let heading = found.folder.then(|| member.path.display().to_string());
                checked.push(Checked { heading, fixed, found: found_in });
            }
            for cassette in found.unfinished {
                let heading = Some(cassette.display().to_string());
                checked.push(Checked { heading, fixed: Vec::new(), found: unfinished(&cassette) });
            }
        }
        let all: usize = checked.iter().map(|checked| checked.found.len()).sum();
        let is_nothing =
            |path: &PathBuf| !path.exists() && with_parts(path).is_empty() && !staging_directory(path).exists();
        let exit = match all {
            0 => Exit::Done,
            _ if self.cassettes.iter().any(is_nothing) => Exit::Failed,
            _ => Exit::Found,
        };
        if self.json {
            let findings: Vec<&Finding> = checked.iter().flat_map(Checked::findings).collect();
            output::json(&findings)?;
            return Ok(exit);
        }
        let mut out = output::text();
        let found = |count: usize| if count == 0 { "nothing found".to_owned() } else { format!("{count} found") };
        for checked in &checked {
            if let Some(heading) = &checked.heading {
                writeln!(out, "{heading}: {}", found(checked.found.len()))?;
            }
            for Finding { file, line, kind, message } in checked.findings() {
                let line = line.map_or_else(String::new, |line| format!(":{line}"));
                writeln!(out, "{}{line}: {}: {message}", file.display(), kind.name())?;
            }
        }
        writeln!(out, "{count} checked, {}", found(all))?;
        output::finish(out)?;
        Ok(exit)
    }
}
