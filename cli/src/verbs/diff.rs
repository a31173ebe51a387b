//! `super8 diff`: compares two cassettes, or two folders of them, by what they mean.

use crate::cassette_diff::{Change, diff_with_parts};
use crate::exit::{Exit, Failure, Outcome};
use crate::folder::{Cassettes, Member};
use crate::output;
use clap::Args;
use serde::Serialize;
use serde::ser::{SerializeSeq, Serializer};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// `super8 diff A B`
#[derive(Args)]
#[command(after_help = "\
Compares commands with their inputs, what came of them, rows and columns. Not compared: how the YAML is written, when and with \
what it was recorded, ids of connections and statements, names of files, closing and freeing.

Two folders are compared cassette by cassette, by their names in the folders.

Exit code 1: they differ.

Examples:
  super8 diff cassettes/orders /tmp/orders-of-today
  super8 diff tapes /tmp/tapes-of-today")]
pub struct Diff {
    /// The cassette that was, or a folder of cassettes
    old: PathBuf,
    /// The cassette that is, or a folder of cassettes
    new: PathBuf,
    /// Write JSON
    #[arg(long)]
    json: bool,
}

impl Diff {
    /// Compares the cassettes or folders.
    pub fn run(self) -> Outcome {
        let (old, new) = (Cassettes::find(&self.old)?, Cassettes::find(&self.new)?);
        match (old.folder, new.folder) {
            (true, true) => return self.folders(&old.members, &new.members),
            (false, false) => {}
            (of_old, _) => {
                let (folder, cassette) = if of_old { (&self.old, &self.new) } else { (&self.new, &self.old) };
                let (folder, cassette) = (folder.display(), cassette.display());
                return Err(Failure::new(format_args!(
                    "{folder} is a folder of cassettes and {cassette} is not: compare two folders, or two cassettes"
                )));
            }
        }
        if self.json { self.write_json() } else { self.write_text() }
    }

    /// Writes each difference as soon as it is found, because two cassettes with nothing in common may be long.
    fn write_text(&self) -> Outcome {
        let (mut out, mut part, mut count) = (output::text(), None, 0_usize);
        diff_with_parts(&self.old, &self.new, &mut |change| {
            count += 1;
            Ok(write(&mut out, &change, &mut part)?)
        })?;
        match count {
            0 => writeln!(out, "the same commands, rows and columns")?,
            count => writeln!(out, "{count} differ (lines of the first and the second commands.yml)")?,
        }
        output::finish(out)?;
        Ok(if count == 0 { Exit::Done } else { Exit::Found })
    }

    fn write_json(&self) -> Outcome {
        let (mut out, mut count) = (output::bytes(), 0_usize);
        let mut serializer = serde_json::Serializer::pretty(&mut out);
        let mut list = serializer.serialize_seq(None).map_err(io::Error::from)?;
        let outcome = diff_with_parts(&self.old, &self.new, &mut |change| {
            count += 1;
            Ok(list.serialize_element(&change).map_err(io::Error::from)?)
        });
        // closes the list even after an error, so that the output is a whole document
        list.end().map_err(io::Error::from)?;
        writeln!(out)?;
        output::finish(out)?;
        outcome?;
        Ok(if count == 0 { Exit::Done } else { Exit::Found })
    }

    /// Compares the cassettes of two folders that have the same name in them. A cassette that cannot be read does not
    /// stop the others.
    fn folders(&self, old: &[Member], new: &[Member]) -> Outcome {
        let by_name = |members: &[Member]| -> BTreeMap<PathBuf, PathBuf> {
            members.iter().map(|member| (member.name.clone(), member.path.clone())).collect()
        };
        let (old, new) = (by_name(old), by_name(new));
        let names: BTreeSet<&PathBuf> = old.keys().chain(new.keys()).collect();
        let found = |name: &PathBuf| match (old.get(name), new.get(name)) {
            (Some(old), Some(new)) => match all(old, new) {
                Ok(changes) => Found::Changes { changes },
                Err(failure) => Found::Error { error: failure.to_string() },
            },
            (old, _) => Found::OnlyIn { only_in: if old.is_some() { "old" } else { "new" } },
        };
        let all: Vec<OfCassette> =
            names.iter().map(|name| OfCassette { cassette: name.display().to_string(), found: found(name) }).collect();
        let differing: Vec<&OfCassette> = all.iter().filter(|one| !one.found.is_same()).collect();
        let errors: Vec<&String> = all.iter().filter_map(|one| one.found.error()).collect();
        if self.json {
            output::json(&differing)?;
        } else {
            let mut out = output::text();
            for OfCassette { cassette, found } in &all {
                match found {
                    Found::OnlyIn { only_in: "old" } => writeln!(out, "- {cassette}: only in {}", self.old.display())?,
                    Found::OnlyIn { .. } => writeln!(out, "+ {cassette}: only in {}", self.new.display())?,
                    Found::Error { .. } => writeln!(out, "{cassette}: not compared")?,
                    Found::Changes { changes } if changes.is_empty() => writeln!(out, "{cassette}: the same")?,
                    Found::Changes { changes } => {
                        writeln!(out, "{cassette}: {} differ", changes.len())?;
                        let mut part = None;
                        changes.iter().try_for_each(|change| write(&mut out, change, &mut part))?;
                    }
                }
            }
            writeln!(out, "{} cassettes compared, {} differ", all.len(), differing.len() - errors.len())?;
            output::finish(out)?;
            errors.iter().for_each(|error| Failure::new(error).say());
        }
        Ok(match (errors.is_empty(), differing.is_empty()) {
            (false, _) => Exit::Failed,
            (true, false) => Exit::Found,
            (true, true) => Exit::Done,
        })
    }
}

/// Returns all differences of two cassettes.
fn all(old: &Path, new: &Path) -> Result<Vec<Change>, Failure> {
    let mut changes = Vec::new();
    diff_with_parts(old, new, &mut |change| {
        changes.push(change);
        Ok(())
    })?;
    Ok(changes)
}

/// Writes a difference. If it is in another part than the last one, writes the part's name before it.
fn write(out: &mut impl Write, change: &Change, last: &mut Option<String>) -> io::Result<()> {
    let Change { part, sign, old_line, new_line, command, details } = change;
    if let (Some(name), true) = (part, part != last) {
        writeln!(out, "{name}:")?;
    }
    last.clone_from(part);
    let line = |line: &Option<u32>| line.map_or_else(|| "-".to_owned(), |line| line.to_string());
    writeln!(out, "{sign} {:>6} {:>6}  {command}", line(old_line), line(new_line))?;
    details.iter().try_for_each(|detail| writeln!(out, "                   {detail}"))
}

/// The result for one cassette of two folders.
#[derive(Serialize)]
struct OfCassette {
    cassette: String,
    #[serde(flatten)]
    found: Found,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Found {
    /// The differences; empty if there are none.
    Changes { changes: Vec<Change> },
    /// It is only in one of the folders, `old` or `new`.
    OnlyIn { only_in: &'static str },
    /// It cannot be read.
    Error { error: String },
}

impl Found {
    fn is_same(&self) -> bool {
        matches!(self, Found::Changes { changes } if changes.is_empty())
    }

    fn error(&self) -> Option<&String> {
        if let Found::Error { error } = self { Some(error) } else { None }
    }
}
