//! `super8 convert`: a cassette in the other format, or one made of Softprobe's records.

use crate::exit::{Exit, Failure, Outcome};
use crate::output;
use clap::Args;
use serde::Serialize;
use std::io::Write;
use std::path::{Path, PathBuf};
use super8_cassette::ndjson::{Source, import, is_softprobe};
use super8_cassette::{Conversion, Metadata, convert, create, open};

/// `super8 convert FROM TO`
#[derive(Args)]
#[command(after_help = "\
Example:
  super8 convert cassettes/orders traces/orders.ndjson
  super8 convert traces/orders.ndjson cassettes/orders
  super8 convert --dsn shop softprobe/4bf92f3577b34da6a3ce929d0e0e4736.ndjson cassettes/shop

A name that ends with .ndjson is a trace's file, any other a directory of YAML and CSV files. Both ways lose nothing; what
the other format has no place for is listed.")]
pub struct Convert {
    /// The cassette, or a file of Softprobe's records of PostgreSQL
    from: PathBuf,
    /// Where the new one is to be
    to: PathBuf,
    /// The data source that programs connect to, which Softprobe's records do not name
    #[arg(long, value_name = "NAME", default_value = "postgres")]
    dsn: String,
    /// The user that programs connect as, if they name one
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Replace what stands under the new name, if it is a cassette
    #[arg(long)]
    replace: bool,
    /// Print what was done as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report<'r> {
    from: &'r Path,
    to: &'r Path,
    entries: u64,
    answers: u64,
    parts: u64,
    notes: &'r [String],
}

impl Convert {
    /// Writes the new cassette and says what came of it.
    pub fn run(self) -> Outcome {
        if self.to.exists() && !self.replace {
            let to = self.to.display();
            return Err(Failure::new(format_args!("{to} is there already: give another name, or --replace")));
        }
        let done = self.convert()?;
        let Conversion { entries, answers, parts, notes } = &done;
        if self.json {
            let (from, to) = (self.from.as_path(), self.to.as_path());
            output::json(&Report { from, to, entries: *entries, answers: *answers, parts: *parts, notes })?;
            return Ok(Exit::Done);
        }
        let mut out = output::text();
        let to = self.to.display();
        writeln!(out, "{to}: {entries} entries, {answers} answers about connections, {parts} parts")?;
        for note in notes {
            writeln!(out, "  {note}")?;
        }
        output::finish(out)?;
        Ok(Exit::Done)
    }

    fn convert(&self) -> Result<Conversion, Failure> {
        if self.from.is_file() && is_softprobe(&self.from)? {
            let to = create(&self.to, Metadata::now(None, None))?;
            let source = Source { dsn: self.dsn.clone(), user: self.user.clone() };
            return Ok(import(&self.from, &source, &*to)?);
        }
        let from = open(&self.from)?;
        let to = create(&self.to, from.metadata()?)?;
        Ok(convert(&*from, &*to)?)
    }
}
