//! `super8 diff`: two cassettes compared by what they mean, not by how they are written.

use crate::diff::{Change, diff};
use crate::exit::{Exit, Outcome};
use crate::output;
use clap::Args;
use std::io::Write;
use std::path::PathBuf;

/// `super8 diff A B`
#[derive(Args)]
#[command(after_help = "\
Compares commands with their inputs, what came of them, rows and columns. Not compared: how the YAML is written, when and with \
what it was recorded, ids of connections and statements, names of files, closing and freeing.

Exit code 1: they differ.

Example:
  super8 diff cassettes/orders /tmp/orders-of-today")]
pub struct Diff {
    /// The cassette that was
    old: PathBuf,
    /// The cassette that is
    new: PathBuf,
    /// Write JSON
    #[arg(long)]
    json: bool,
}

impl Diff {
    /// Compares them.
    pub fn run(self) -> Outcome {
        let changes = diff(&self.old, &self.new)?;
        let exit = if changes.is_empty() { Exit::Done } else { Exit::Found };
        if self.json {
            output::json(&changes)?;
            return Ok(exit);
        }
        let mut out = output::text();
        for Change { sign, old_line, new_line, command, details } in &changes {
            let line = |line: &Option<u32>| line.map_or_else(|| "-".to_owned(), |line| line.to_string());
            writeln!(out, "{sign} {:>6} {:>6}  {command}", line(old_line), line(new_line))?;
            for detail in details {
                writeln!(out, "                   {detail}")?;
            }
        }
        match changes.len() {
            0 => writeln!(out, "the same commands, rows and columns")?,
            count => writeln!(out, "{count} differ (lines of the first and the second commands.yml)")?,
        }
        output::finish(out)?;
        Ok(exit)
    }
}
