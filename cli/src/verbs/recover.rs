//! `super8 recover`: turns a recording that did not end cleanly into a cassette.

use crate::exit::{Exit, Failure, Outcome};
use crate::output;
use clap::Args;
use serde::Serialize;
use std::io::Write;
use std::path::PathBuf;
use super8_cassette::{Recovered, parts_with_recordings};

/// `super8 recover CASSETTE`
#[derive(Args)]
#[command(after_help = "\
A recording grows beside its cassette and takes its place when it is done. If the recording process is killed, or the \
command that `super8 record` runs fails, the cassette stays as it was. This verb puts the recording in its place.

Example:
  super8 recover cassettes/orders")]
pub struct Recover {
    /// The cassette that was being recorded
    cassette: PathBuf,
    /// Write JSON
    #[arg(long)]
    json: bool,
}

#[derive(Default, Serialize)]
struct Report {
    cassette: PathBuf,
    /// Whether a recording was unfinished.
    recovered: bool,
    entries: usize,
    /// The rows of fetches that were under way when the process ended.
    unfinished_rows: u64,
    torn_bytes: u64,
    dropped_files: Vec<String>,
    /// The reports on the parts that were recovered.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts: Vec<Report>,
}

impl Recover {
    /// Recovers the cassette and its parts. Fails if there is nothing to recover.
    pub fn run(self) -> Outcome {
        let own = super8_cassette::recover(&self.cassette)?;
        let mut parts = Vec::new();
        for part in parts_with_recordings(&self.cassette) {
            parts.extend(super8_cassette::recover(&part)?);
        }
        let nothing = own.is_none() && parts.is_empty();
        if self.json {
            let mut report = match &own {
                Some(recovered) => Report::of(recovered),
                None => Report { cassette: self.cassette.clone(), ..Report::default() },
            };
            report.parts = parts.iter().map(Report::of).collect();
            output::json(&report)?;
        }
        if nothing {
            let shown = self.cassette.display();
            return Err(Failure::new(format_args!(
                "{shown}: no recording is unfinished here; there is nothing to recover"
            )));
        }
        if self.json {
            return Ok(Exit::Done);
        }
        let mut out = output::text();
        for recovered in own.iter().chain(&parts) {
            write(&mut out, recovered)?;
        }
        output::finish(out).map(|()| Exit::Done)
    }
}

impl Report {
    fn of(recovered: &Recovered) -> Report {
        Report {
            cassette: recovered.cassette.clone(),
            recovered: true,
            entries: recovered.entries,
            unfinished_rows: recovered.rows,
            torn_bytes: recovered.torn,
            dropped_files: recovered.dropped.clone(),
            parts: Vec::new(),
        }
    }
}

fn write(out: &mut impl Write, recovered: &Recovered) -> std::io::Result<()> {
    let what = if recovered.whole { "entries, complete as recorded" } else { "entries are kept" };
    writeln!(out, "{}: {} {what}", recovered.cassette.display(), recovered.entries)?;
    if recovered.rows > 0 {
        writeln!(out, "  {} rows of a fetch that had not ended are among them", recovered.rows)?;
    }
    if recovered.torn > 0 {
        writeln!(out, "  {} bytes of an entry that breaks off were removed", recovered.torn)?;
    }
    for file in &recovered.dropped {
        writeln!(out, "  {file} was removed: the entry it belongs to was never written")?;
    }
    Ok(())
}
