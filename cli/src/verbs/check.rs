//! `super8 check`: what is wrong with a cassette, before somebody reviews or replays it.

use crate::check::{Finding, check};
use crate::exit::{Exit, Outcome};
use crate::output;
use clap::Args;
use std::io::Write;
use std::path::PathBuf;
use super8_cassette::with_parts_or_alone;

/// `super8 check CASSETTE...`
#[derive(Args)]
#[command(after_help = "\
Reads everything, in either format: the schema, each entry, each row and what it is written with. Finds parts that are missing, \
files and records that no entry names, rows that are there twice, `volatile` items that mean nothing, secrets, and a size over \
1 MiB. A directory of traces is checked trace by trace, a cassette of several processes part by part.

Exit code 1: something was found.

Example:
  super8 check cassettes/orders
  super8 check --json cassettes/* traces/orders.ndjson")]
pub struct Check {
    /// The cassettes
    #[arg(required = true)]
    cassettes: Vec<PathBuf>,
    /// Write JSON
    #[arg(long)]
    json: bool,
}

impl Check {
    /// Checks them all.
    pub fn run(self) -> Outcome {
        // what a command's further processes recorded belongs to the cassette
        let cassettes: Vec<PathBuf> = self.cassettes.iter().flat_map(|path| with_parts_or_alone(path)).collect();
        let findings: Vec<Finding> = cassettes.iter().flat_map(|cassette| check(cassette)).collect();
        let exit = if findings.is_empty() { Exit::Done } else { Exit::Found };
        if self.json {
            output::json(&findings)?;
            return Ok(exit);
        }
        let mut out = output::text();
        for Finding { file, line, kind, message } in &findings {
            let line = line.map_or_else(String::new, |line| format!(":{line}"));
            writeln!(out, "{}{line}: {}: {message}", file.display(), kind.name())?;
        }
        let (count, cassettes) = (findings.len(), cassettes.len());
        match count {
            0 => writeln!(out, "{cassettes} checked, nothing found")?,
            _ => writeln!(out, "{cassettes} checked, {count} found")?,
        }
        output::finish(out)?;
        Ok(exit)
    }
}
