//! `super8 verify`: repeats the recorded reads of cassettes on the live database.

use crate::exit::{Exit, Failure, Outcome};
use crate::folder::{Cassettes, Member};
use crate::verify::report::{Kind, Report, total};
use crate::verify::{live::Verification, plan};
use crate::{cassette, output};
use clap::Args;
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use super8_client::Manager;

/// `super8 verify CASSETTE`
#[derive(Args)]
#[command(after_help = "\
Does the recorded reads again (SELECT, VALUES, SHOW ... and the catalog functions), in transactions that are rolled \
back, and reports three kinds of divergence: error (an execution fails, or no longer fails), shape (other columns, \
another type, length, scale or nullability) and data (other rows or values).

Examples:
  super8 verify cassettes/orders
  super8 verify tapes
  super8 verify --connection-string 'DSN=staging;UID=ada;PWD=...' cassettes/orders
  super8 verify --dsn staging --json cassettes/orders")]
pub struct Verify {
    /// The cassette, or a folder of cassettes
    cassette: PathBuf,
    /// Connect with this string instead of what the cassette names
    #[arg(short, long, value_name = "STRING")]
    connection_string: Option<String>,
    /// Connect to this data source instead
    #[arg(short, long, value_name = "NAME", conflicts_with = "connection_string")]
    dsn: Option<String>,
    /// Do writes again as well; use a database made for that
    #[arg(long)]
    all: bool,
    /// The driver manager's library [default: unixODBC's or iODBC's]
    #[arg(long, value_name = "FILE")]
    manager: Option<OsString>,
    /// Write JSON
    #[arg(long)]
    json: bool,
}

impl Verify {
    /// Verifies each cassette. In a folder, one that cannot be verified does not stop the others.
    pub fn run(self) -> Outcome {
        let found = Cassettes::find(&self.cassette).map_err(|failure| failure.with(Exit::CannotStart))?;
        let mut reports = Vec::new();
        for member in &found.members {
            match self.report(member) {
                Ok(report) => reports.push(report),
                Err(failure) if found.folder => {
                    let cassette = member.path.display().to_string();
                    reports.push(Report { cassette, error: Some(failure.to_string()), ..Report::default() });
                }
                Err(failure) => return Err(failure.with(Exit::CannotStart)),
            }
        }
        match (self.json, found.folder, &reports[..]) {
            (true, false, [report]) => output::json(report)?,
            (true, ..) => output::json(&reports)?,
            (false, ..) => {
                let mut out = output::text();
                for report in &reports {
                    if found.folder {
                        writeln!(out, "{}:", report.cassette)?;
                    }
                    report.write(&mut out)?;
                }
                if found.folder {
                    let folder = format!("{} ({} cassettes)", self.cassette.display(), reports.len());
                    total(&mut out, &folder, &reports.iter().collect::<Vec<_>>())?;
                }
                output::finish(out)?;
                let errors = reports.iter().filter_map(|report| report.error.as_ref());
                errors.for_each(|error| Failure::new(error).say());
            }
        }
        let count = |kind| reports.iter().map(|report| report.count(kind)).sum::<usize>();
        Ok(match (count(Kind::Error) + count(Kind::Shape), count(Kind::Data)) {
            _ if reports.iter().any(|report| report.error.is_some()) => Exit::CannotStart,
            (0, 0) => Exit::Done,
            (0, _) => Exit::Found,
            _ => Exit::Diverged,
        })
    }

    fn report(&self, member: &Member) -> Result<Report, Failure> {
        let string = self.connection_string.clone().or_else(|| self.dsn.as_ref().map(|dsn| format!("DSN={dsn}")));
        let mut report = Report { cassette: member.path.display().to_string(), ..Report::default() };
        for piece in &member.pieces {
            report.add(self.part(piece, string.as_deref())?);
        }
        Ok(report)
    }

    fn part(&self, part: &Path, connection_string: Option<&str>) -> Result<Report, Failure> {
        let opened = cassette::open(part)?;
        let steps = plan::steps(opened.store.as_ref())?;
        // Calls the same functions as the recorded program: those of an ANSI driver get text byte by byte.
        let wide = opened.metadata.driver.as_ref().is_some_and(|driver| driver.kind == "unicode");
        let manager = Manager::load(self.manager.as_deref(), wide).map_err(Failure::new)?;
        let redacted = opened.metadata.redaction.is_some();
        let live = Verification { manager: &manager, wide, connection_string, all: self.all, redacted };
        let bar = output::bar("verifying", steps.len() as u64);
        let report = live.verify(opened.store.as_ref(), &steps, || bar.inc(1))?;
        bar.finish_and_clear();
        Ok(report)
    }
}
