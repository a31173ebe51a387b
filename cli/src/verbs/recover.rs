//! `super8 recover`: a cassette out of a recording that did not end cleanly.

use crate::exit::{Exit, Failure, Outcome};
use crate::output;
use clap::Args;
use serde::Serialize;
use std::io::Write;
use std::path::PathBuf;

/// `super8 recover CASSETTE`
#[derive(Args)]
#[command(after_help = "\
A recording grows beside its cassette and takes its place when it is done. When the recording process is killed, or the \
command fails that `super8 record` runs, the cassette stays as it was; this puts what was recorded in its place.

Example:
  super8 recover cassettes/orders")]
pub struct Recover {
    /// The cassette that was being recorded
    cassette: PathBuf,
    /// Write JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    cassette: PathBuf,
    /// Whether a recording was unfinished.
    recovered: bool,
    entries: usize,
    /// Rows of fetches that the process was ended in.
    unfinished_rows: u64,
    torn_bytes: u64,
    dropped_files: Vec<String>,
}

impl Recover {
    /// Recovers what there is. Nothing to recover is a failure.
    pub fn run(self) -> Outcome {
        let Some(recovered) = super8_cassette::recover(&self.cassette)? else {
            if self.json {
                let (recovered, dropped_files) = (false, Vec::new());
                let cassette = self.cassette.clone();
                output::json(&Report {
                    cassette,
                    recovered,
                    entries: 0,
                    unfinished_rows: 0,
                    torn_bytes: 0,
                    dropped_files,
                })?;
            }
            let shown = self.cassette.display();
            return Err(Failure::new(format_args!(
                "{shown}: no recording is unfinished here; there is nothing to recover"
            )));
        };
        let report = Report {
            cassette: recovered.cassette,
            recovered: true,
            entries: recovered.entries,
            unfinished_rows: recovered.rows,
            torn_bytes: recovered.torn,
            dropped_files: recovered.dropped,
        };
        if self.json {
            output::json(&report)?;
            return Ok(Exit::Done);
        }
        let mut out = output::text();
        let what = if recovered.whole { "entries, complete as recorded" } else { "entries are kept" };
        writeln!(out, "{}: {} {what}", report.cassette.display(), report.entries)?;
        if report.unfinished_rows > 0 {
            writeln!(out, "  {} rows are among them whose fetching had not ended", report.unfinished_rows)?;
        }
        if report.torn_bytes > 0 {
            writeln!(out, "  {} bytes were removed that break off in the middle", report.torn_bytes)?;
        }
        for file in &report.dropped_files {
            writeln!(out, "  {file} was removed: the entry it belongs to was never written")?;
        }
        output::finish(out).map(|()| Exit::Done)
    }
}
