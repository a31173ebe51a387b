//! `super8 check`: what is wrong with cassettes, before somebody reviews or replays them.

use crate::check::{Finding, check, unfinished};
use crate::exit::{Exit, Outcome};
use crate::folder::Cassettes;
use crate::output;
use clap::Args;
use std::io::Write;
use std::path::PathBuf;

/// `super8 check CASSETTE...`
#[derive(Args)]
#[command(after_help = "\
Reads everything, in either format: the schema, each entry, each row and what it is written with. Finds parts that are missing, \
files and records that no entry names, rows that are there twice, `volatile` items that mean nothing, secrets, and a size over \
1 MiB. A folder is checked cassette by cassette, a directory of traces trace by trace, a cassette of several processes part by \
part.

Exit code 1: something was found.

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
}

impl Check {
    /// Checks them all.
    pub fn run(self) -> Outcome {
        // each folder's cassettes have a heading; a cassette that is named has none
        let mut checked: Vec<(Option<String>, Vec<Finding>)> = Vec::new();
        let mut count = 0;
        for path in &self.cassettes {
            let found = Cassettes::find(path)?;
            for member in found.members {
                count += member.pieces.len();
                let heading = found.folder.then(|| member.path.display().to_string());
                checked.push((heading, member.pieces.iter().flat_map(|piece| check(piece)).collect()));
            }
            for cassette in found.unfinished {
                checked.push((Some(cassette.display().to_string()), unfinished(&cassette)));
            }
        }
        let all: Vec<&Finding> = checked.iter().flat_map(|(_, findings)| findings).collect();
        let exit = if all.is_empty() { Exit::Done } else { Exit::Found };
        if self.json {
            output::json(&all)?;
            return Ok(exit);
        }
        let mut out = output::text();
        let found = |count: usize| if count == 0 { "nothing found".to_owned() } else { format!("{count} found") };
        for (heading, findings) in &checked {
            if let Some(heading) = heading {
                writeln!(out, "{heading}: {}", found(findings.len()))?;
            }
            for Finding { file, line, kind, message } in findings {
                let line = line.map_or_else(String::new, |line| format!(":{line}"));
                writeln!(out, "{}{line}: {}: {message}", file.display(), kind.name())?;
            }
        }
        writeln!(out, "{count} checked, {}", found(all.len()))?;
        output::finish(out)?;
        Ok(exit)
    }
}
