//! `super8 trim`: takes connections, statements and commands out of a recording.

use crate::check::{self, Kind};
use crate::exit::{Exit, Failure, Outcome};
use crate::{edit, output};
use clap::Args;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use super8_cassette::trim::{Selector, Trimmed, trim};
use super8_cassette::with_parts_or_alone;

/// `super8 trim CASSETTE --keep a --drop b/3`
#[derive(Args)]
#[command(after_help = "\
Takes entries out of a recording, in either format, with the files and records that nothing else needs. Ids, comments and layout \
of what is left stay as they are. Of a cassette with the parts of several processes, name the part.

  a      a connection with all that was done on it
  a/3    a statement
  7      a command by its number in reports, with what depends on it: an execution with its rows, a text with its executions

Examples:
  super8 trim cassettes/orders --drop b
  super8 trim cassettes/orders --keep a --drop a/3 --drop 41
  super8 trim cassettes/orders --keep a/1 --dry-run")]
pub struct Trim {
    /// The cassette
    cassette: PathBuf,
    /// Keep this connection or statement, and nothing that is not named
    #[arg(long, value_name = "WHAT")]
    keep: Vec<Selector>,
    /// Take this connection, statement or command out
    #[arg(long, value_name = "WHAT", required_unless_present = "keep")]
    drop: Vec<Selector>,
    /// Say what would be done, and change nothing
    #[arg(long)]
    dry_run: bool,
}

impl Trim {
    /// Trims the cassette, unless that would break it.
    pub fn run(self) -> Outcome {
        let pieces = with_parts_or_alone(&self.cassette);
        let [piece] = &pieces[..] else {
            let names: Vec<String> = pieces.iter().map(|piece| piece.display().to_string()).collect();
            return Err(Failure::new(format_args!(
                "{} has the parts of several processes; name the one to be trimmed: {}",
                self.cassette.display(),
                names.join(", ")
            )));
        };
        let trimmed = trim(piece, &self.keep, &self.drop)?;
        try_out(&trimmed)?;
        if !self.dry_run {
            apply(&trimmed, &trimmed.name, &trimmed.name)?;
        }
        self.say(&trimmed)?;
        Ok(Exit::Done)
    }

    fn say(&self, trimmed: &Trimmed) -> Result<(), Failure> {
        let mut out = output::text();
        let did = if self.dry_run { "would be taken" } else { "taken" };
        let Trimmed { name, taken, left, .. } = trimmed;
        writeln!(out, "{}: {taken} entries {did} out, {left} left", name.display())?;
        for member in &trimmed.members {
            writeln!(out, "  without {member}")?;
        }
        for (from, to) in &trimmed.moved {
            writeln!(out, "  what the driver said of {from} is said of {to}")?;
        }
        output::finish(out)
    }
}

fn cannot(doing: &str, file: &Path, error: &io::Error) -> Failure {
    Failure::new(format_args!("cannot {doing} {}: {error}", file.display()))
}

/// Checks a trimmed copy of the cassette. It fails if something is wrong with the copy that is not wrong now.
fn try_out(trimmed: &Trimmed) -> Result<(), Failure> {
    let name = &trimmed.name;
    let scratch = edit::scratch()?;
    let copy = scratch.path().join(name.file_name().unwrap_or_default());
    if name.is_dir() {
        fs::create_dir(&copy)?;
        let entries = fs::read_dir(name).map_err(|error| cannot("read", name, &error))?;
        for entry in entries.flatten().filter(|entry| entry.path().is_file()) {
            fs::copy(entry.path(), copy.join(entry.file_name()))
                .map_err(|error| cannot("read", &entry.path(), &error))?;
        }
    }
    apply(trimmed, name, &copy)?;
    let known: Vec<(Kind, String)> =
        check::check(name).into_iter().map(|finding| (finding.kind, finding.message)).collect();
    let new = check::check(&copy).into_iter().find(|finding| {
        matches!(finding.kind, Kind::Unreadable | Kind::Missing | Kind::Orphan)
            && !known.iter().any(|(kind, message)| (*kind, message) == (finding.kind, &finding.message))
    });
    match new {
        None => Ok(()),
        Some(finding) => Err(Failure::new(format_args!(
            "{}: without that the cassette would be broken, so nothing is changed: {}: {}",
            name.display(),
            finding.file.file_name().unwrap_or_default().to_string_lossy(),
            finding.message
        ))),
    }
}

/// Applies the changes to a cassette at `from` to the one at `to`. Writes the log first, so that a file that is yet to
/// be removed is only one that no entry names.
fn apply(trimmed: &Trimmed, from: &Path, to: &Path) -> Result<(), Failure> {
    for (file, content) in &trimmed.files {
        let file = match file.strip_prefix(from) {
            Ok(rest) if !rest.as_os_str().is_empty() => to.join(rest),
            _ => to.to_owned(),
        };
        match content {
            None => fs::remove_file(&file).map_err(|error| cannot("remove", &file, &error))?,
            Some(content) => {
                let directory = file.parent().unwrap_or(Path::new("."));
                let mut new = tempfile::Builder::new().prefix(".super8-").tempfile_in(directory)?;
                new.write_all(content).map_err(|error| cannot("write", &file, &error))?;
                if let Ok(before) = fs::metadata(&file) {
                    new.as_file().set_permissions(before.permissions())?;
                } else {
                    use std::os::unix::fs::PermissionsExt;
                    new.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
                }
                new.persist(&file).map_err(|error| cannot("replace", &file, &error.error))?;
            }
        }
    }
    Ok(())
}
