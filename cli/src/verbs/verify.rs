//! `super8 verify`: the recorded reads, done again on the live database.

use crate::exit::{Exit, Failure, Outcome};
use crate::verify::report::{Kind, Report};
use crate::verify::{live::Live, plan};
use crate::{cassette, output};
use clap::Args;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use super8_cassette::with_parts_or_alone;
use super8_client::Manager;

/// `super8 verify CASSETTE`
#[derive(Args)]
#[command(after_help = "\
Does the recorded reads again (SELECT, VALUES, SHOW ... and the catalog functions), in transactions that are rolled \
back, and reports three kinds of divergence: error (an execution fails, or no longer fails), shape (other columns, \
another type, length, scale or nullability) and data (other rows or values).

Examples:
  super8 verify cassettes/orders
  super8 verify --connection-string 'DSN=staging;UID=ada;PWD=...' cassettes/orders
  super8 verify --dsn staging --json cassettes/orders")]
pub struct Verify {
    /// The cassette
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
    /// Verifies it.
    pub fn run(self) -> Outcome {
        let string = self.connection_string.clone().or_else(|| self.dsn.as_ref().map(|dsn| format!("DSN={dsn}")));
        let mut report = Report { cassette: self.cassette.display().to_string(), ..Report::default() };
        for part in with_parts_or_alone(&self.cassette) {
            report.add(self.part(&part, string.as_deref()).map_err(|failure| failure.with(Exit::CannotStart))?);
        }
        if self.json {
            output::json(&report)?;
        } else {
            let mut out = output::text();
            report.write(&mut out)?;
            output::finish(out)?;
        }
        Ok(match (report.count(Kind::Error) + report.count(Kind::Shape), report.count(Kind::Data)) {
            (0, 0) => Exit::Done,
            (0, _) => Exit::Found,
            _ => Exit::Diverged,
        })
    }

    fn part(&self, part: &Path, connection_string: Option<&str>) -> Result<Report, Failure> {
        let opened = cassette::open(part)?;
        let steps = plan::steps(opened.storage.as_ref())?;
        // The functions the recorded program reached: an ANSI driver gets its text byte by byte.
        let wide = opened.metadata.driver.as_ref().is_some_and(|driver| driver.kind == "unicode");
        let manager = Manager::load(self.manager.as_deref(), wide).map_err(Failure::new)?;
        let redacted = opened.metadata.redaction.is_some();
        let live = Live { manager: &manager, wide, connection_string, all: self.all, redacted };
        let bar = output::bar("verifying", steps.len() as u64);
        let report = live.verify(opened.storage.as_ref(), &steps, || bar.inc(1))?;
        bar.finish_and_clear();
        Ok(report)
    }
}
