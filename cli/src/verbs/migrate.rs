//! `super8 migrate`: turns cassettes of the super8 gem into cassettes of today. The old cassette is never lost.

use crate::edit::{self, free_name, is_copy};
use crate::exit::{Exit, Failure, Outcome};
use crate::import::ruby_gem::{GemCassette, Migrated};
use crate::output;
use clap::Args;
use serde::Serialize;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use super8_cassette::{create, open};

/// `super8 migrate CASSETTE...`
#[derive(Args)]
#[command(after_help = "\
Reads cassettes that the super8 gem recorded of ruby-odbc (schema 1 to 3). The same Ruby code replays them without the gem. \
Lists what the gem did not record, and what is answered in its place.

Examples:
  super8 migrate spec/super8_cassettes/orders            shows what would come of it
  super8 migrate --to cassettes/orders spec/super8_cassettes/orders
  super8 migrate --apply spec/super8_cassettes/*         keeps the old ones as orders.before-super8 ...
  super8 replay spec/super8_cassettes/orders -- rspec spec/orders_spec.rb")]
pub struct Migrate {
    /// The cassettes' directories
    #[arg(required = true)]
    cassettes: Vec<PathBuf>,
    /// Put the new cassette in the place of the old one, and keep the old one beside it
    #[arg(long, conflicts_with = "to")]
    apply: bool,
    /// Write the new cassette here: a directory, or a file whose name ends with .ndjson
    #[arg(long, value_name = "PATH")]
    to: Option<PathBuf>,
    /// Write JSON
    #[arg(long)]
    json: bool,
}

/// The result for one cassette.
#[derive(Serialize)]
struct Report {
    cassette: PathBuf,
    /// `None` if it is up to date, or an old cassette that `--apply` kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    migrated: Option<Made>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Serialize)]
struct Made {
    schema: i64,
    commands: usize,
    entries: u64,
    parts: usize,
    notes: Vec<String>,
    /// The path of the new cassette.
    written: Option<PathBuf>,
    /// The path of the old cassette, if it was kept.
    kept: Option<PathBuf>,
}

impl Migrate {
    /// Migrates each cassette as the options say, and reports the result. Fails if one cannot be migrated.
    pub fn run(self) -> Outcome {
        if let (Some(to), [_, _, ..]) = (&self.to, &self.cassettes[..]) {
            let to = to.display();
            return Err(Failure::new(format_args!("{to} is one place, and there are several cassettes: name one")));
        }
        let reports: Vec<Report> = self.cassettes.iter().map(|cassette| self.report(cassette)).collect();
        if self.json {
            output::json(&reports)?;
        } else {
            let mut out = output::text();
            reports.iter().try_for_each(|report| report.write(&mut out))?;
            if let Some(report) = reports.iter().find(|report| report.migrated.is_some())
                && !self.apply
                && self.to.is_none()
            {
                let cassette = report.cassette.display();
                writeln!(out, "\nNothing was written. To put it in place: super8 migrate --apply {cassette}")?;
            }
            output::finish(out)?;
        }
        let errors: Vec<&String> = reports.iter().filter_map(|report| report.error.as_ref()).collect();
        if !self.json {
            errors.iter().for_each(|error| Failure::new(error).say());
        }
        Ok(if errors.is_empty() { Exit::Done } else { Exit::Failed })
    }

    fn report(&self, cassette: &Path) -> Report {
        let left = (self.apply && is_copy(cassette)) || is_current(cassette);
        let made = if left { Ok(None) } else { self.migrate(cassette).map(Some) };
        let (migrated, error) = match made {
            Ok(made) => (made, None),
            Err(failure) => (None, Some(failure.to_string())),
        };
        Report { cassette: cassette.to_owned(), migrated, error }
    }

    fn migrate(&self, cassette: &Path) -> Result<Made, Failure> {
        let gem = GemCassette::read(cassette)?;
        match &self.to {
            Some(to) if to.exists() => {
                Err(Failure::new(format_args!("{} is there already: give another name", to.display())))
            }
            Some(to) => Ok(Made { written: Some(to.clone()), ..make(&gem, to)? }),
            None if self.apply => apply(&gem, cassette),
            None => {
                let nowhere = edit::scratch()?;
                make(&gem, &nowhere.path().join("cassette"))
            }
        }
    }
}

/// Whether a cassette is up to date.
fn is_current(cassette: &Path) -> bool {
    open(cassette).and_then(|cassette| cassette.metadata()).is_ok()
}

/// Writes the new cassette.
fn make(gem: &GemCassette, to: &Path) -> Result<Made, Failure> {
    let Migrated { commands, notes } = gem.write(create(to, gem.metadata.clone())?)?;
    let (written, mut entries) = (open(to)?, 0);
    written.scan(&mut |_, _| {
        entries += 1;
        Ok(())
    })?;
    let contents = written.contents()?;
    let parts = contents.documents.len() + contents.rows.len();
    Ok(Made { schema: gem.schema, commands, entries, parts, notes, written: None, kept: None })
}

/// Writes the new cassette beside the old one and exchanges their names.
fn apply(gem: &GemCassette, cassette: &Path) -> Result<Made, Failure> {
    let cannot = |doing: &str, path: &Path| {
        let path = path.display().to_string();
        let doing = doing.to_owned();
        move |error: std::io::Error| Failure::new(format_args!("cannot {doing} {path}: {error}"))
    };
    let old = cassette.canonicalize().map_err(cannot("find", cassette))?;
    let directory = old.parent().unwrap_or(Path::new("/"));
    let beside = tempfile::Builder::new().prefix(".super8-").tempdir_in(directory);
    let beside = beside.map_err(cannot("write to", directory))?;
    let new = beside.path().join("cassette");
    let made = make(gem, &new)?;
    let kept = free_name(&old);
    fs::rename(&old, &kept).map_err(cannot("rename", &old))?;
    if let Err(error) = fs::rename(&new, &old) {
        let _ = fs::rename(&kept, &old);
        return Err(cannot("write", &old)(error));
    }
    Ok(Made { written: Some(old), kept: Some(kept), ..made })
}

impl Report {
    fn write(&self, out: &mut impl Write) -> std::io::Result<()> {
        let cassette = self.cassette.display();
        let Some(made) = &self.migrated else {
            let left = if is_copy(&self.cassette) { "is the backup of an old one" } else { "is up to date" };
            return if self.error.is_some() { Ok(()) } else { writeln!(out, "{cassette}: {left}") };
        };
        let Made { schema, commands, entries, parts, notes, written, kept } = made;
        writeln!(out, "{cassette}: schema {schema}, {commands} commands; {entries} entries and {parts} parts of them")?;
        if let Some(written) = written {
            writeln!(out, "  written to {}", written.display())?;
        }
        if let Some(kept) = kept {
            writeln!(out, "  the old one is kept as {}", kept.display())?;
        }
        notes.iter().try_for_each(|note| writeln!(out, "  {note}"))
    }
}
