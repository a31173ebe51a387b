//! `super8 convert`: copies a cassette to the other format, or makes one from Softprobe's records.

use crate::exit::{Exit, Failure, Outcome};
use crate::import::softprobe::{Calls, Imported, Prepares, Source, import, is_softprobe};
use crate::output::many;
use crate::{cassette, output};
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::io::Write;
use std::path::{Path, PathBuf};
use super8_cassette::{
    Conversion, Metadata, convert_watched, create, directory_of, open, remove_parts, same_part, with_parts_or_alone,
};

/// `super8 convert FROM TO`
#[derive(Args)]
#[command(after_help = "\
Example:
  super8 convert cassettes/orders traces/orders.ndjson
  super8 convert traces/orders.ndjson cassettes/orders
  super8 convert --dsn shop softprobe/4bf92f3577b34da6a3ce929d0e0e4736.ndjson cassettes/shop
  super8 convert --like connect --calls prepare-parameters softprobe/orders.ndjson cassettes/orders

A name that ends with .ndjson is a trace's file, any other a directory of YAML and CSV files. The copy means the same; \
what cannot be kept is listed.")]
pub struct Convert {
    /// The cassette, or a file of Softprobe's records of PostgreSQL
    from: PathBuf,
    /// Where to write the copy
    to: PathBuf,
    /// The data source that programs connect to, which Softprobe's records do not name
    #[arg(long, value_name = "NAME", default_value = "postgres")]
    dsn: String,
    /// The user that programs connect as, if they name one
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// A recording of the program in which it only connects: the data source, the user, and what it asks and is answered then
    /// are taken from it
    #[arg(long, value_name = "CASSETTE", conflicts_with_all = ["dsn", "user"])]
    like: Option<PathBuf>,
    /// What the program calls besides SQLExecDirect and SQLFetch, separated by commas
    #[arg(long, value_name = "CALLS", value_delimiter = ',')]
    calls: Vec<ClientCall>,
    /// Replace an existing cassette of that name
    #[arg(long)]
    replace: bool,
    /// Print what was done as JSON
    #[arg(long)]
    json: bool,
}

/// What a program calls that Softprobe's records do not show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ClientCall {
    /// It prepares every statement, as isql does
    Prepare,
    /// It prepares those with parameters, as pyodbc does
    PrepareParameters,
    /// It asks for more results after each, as isql does
    MoreResults,
}

#[derive(Serialize)]
struct Report<'r> {
    from: &'r Path,
    to: &'r Path,
    #[serde(flatten)]
    what: What,
    notes: &'r [String],
}

/// What was written, from a cassette or from Softprobe's records.
#[derive(Serialize)]
#[serde(untagged)]
enum What {
    Copied { entries: u64, answers: u64, files: u64 },
    Imported { queries: u64 },
}

impl Convert {
    /// Writes the new cassette and reports what it did.
    pub fn run(self) -> Outcome {
        if self.to.exists() && !self.replace {
            let to = self.to.display();
            return Err(Failure::new(format_args!("{to} is there already: give another name, or --replace")));
        }
        let (what, notes) = self.convert()?;
        if self.json {
            output::json(&Report { from: &self.from, to: &self.to, what, notes: &notes })?;
            return Ok(Exit::Done);
        }
        let mut out = output::text();
        let to = self.to.display();
        match what {
            What::Copied { entries, answers, files } => {
                let (answers, files) = (many(answers, "answer"), many(files, "other file"));
                writeln!(out, "{to}: {entries} entries, {answers} about connections, {files}")?
            }
            What::Imported { queries } => writeln!(out, "{to}: {queries} queries")?,
        }
        for note in notes {
            writeln!(out, "  {note}")?;
        }
        output::finish(out)?;
        Ok(Exit::Done)
    }

    fn convert(&self) -> Result<(What, Vec<String>), Failure> {
        if self.from.is_file() && is_softprobe(&self.from)? {
            let like = self.like.as_deref().map(open).transpose()?;
            let said = like.as_ref().map(|like| like.metadata()).transpose()?;
            let (driver, manager) = said.map(|said| (said.driver, said.manager)).unwrap_or_default();
            let metadata = Metadata::now(driver, manager);
            let source = Source { dsn: self.dsn.clone(), user: self.user.clone(), like, calls: self.calls() };
            let Imported { queries, notes } = import(&self.from, &source, create(&self.to, metadata)?)?;
            return Ok((What::Imported { queries }, notes));
        }
        let (mut all, mut notes, mut copies) = (Conversion::default(), Vec::new(), Vec::new());
        for path in with_parts_or_alone(&self.from) {
            let is_part = path != self.from;
            let to = if is_part { same_part(&path, &self.to) } else { self.to.clone() };
            let from = open(&path)?;
            if from.metadata()?.made_by_hand {
                return Err(Failure::new(format_args!(
                    "{} is written by hand in YAML: there is nothing to convert",
                    path.display()
                )));
            }
            if let Some(directory) = to.parent().filter(|_| is_part) {
                std::fs::create_dir_all(directory)
                    .map_err(|error| Failure::new(format_args!("cannot create {}: {error}", directory.display())))?;
            }
            let bar = output::bar_of_bytes("converting", cassette::bytes(&path));
            let copied = convert_watched(&*from, &*create(&to, from.metadata()?)?, &|bytes| bar.inc(bytes))?;
            bar.finish_and_clear();
            all.entries += copied.entries;
            all.answers += copied.answers;
            all.members += copied.members;
            let named = |note: String| if is_part { format!("{}: {note}", path.display()) } else { note };
            notes.extend(copied.notes.into_iter().map(named));
            copies.push(directory_of(&to).to_owned());
        }
        if self.replace {
            remove_parts(directory_of(&self.to), &|part| copies.iter().any(|copy| copy == part))?;
        }
        Ok((What::Copied { entries: all.entries, answers: all.answers, files: all.members }, notes))
    }

    fn calls(&self) -> Calls {
        let has = |call| self.calls.contains(&call);
        let prepares = if has(ClientCall::Prepare) {
            Prepares::Everything
        } else if has(ClientCall::PrepareParameters) {
            Prepares::Parameters
        } else {
            Prepares::Nothing
        };
        Calls { prepares, more_results: has(ClientCall::MoreResults) }
    }
}
