//! `super8 unused`: lists the cassettes that no test opened in the last run. It removes none.

use crate::exit::{Exit, Failure, Outcome};
use crate::folder::Cassettes;
use crate::output;
use crate::runs::Run;
use clap::Args;
use serde::Serialize;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// `super8 unused CASSETTES`
#[derive(Args)]
#[command(after_help = "\
Compares the cassettes of a folder with those that were opened by the last run of `super8 record`, `replay` or `once` with a cassette's \
name in that folder, and by the last run of each program whose cassettes the package for Python, Ruby, Node.js or Rust, or `super8 run`, \
had there. Says so if the run failed, or if pytest ran some of the tests only (-k, one file). Which tests another runner left \
out is not known to super8: the command is shown.

Exit code 1: some were not opened.

Examples:
  super8 replay 'tapes/%t' -- pytest && super8 unused tapes
  super8 unused --run unit.json --run service.json tapes")]
pub struct Unused {
    /// The folder of cassettes
    cassettes: PathBuf,
    /// The run to look at: its report (--report json -o FILE) or its verdict file (SUPER8_VERDICT); several count as one
    #[arg(long = "run", value_name = "FILE")]
    runs: Vec<PathBuf>,
    /// Write JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    cassettes: usize,
    unused: Vec<PathBuf>,
    runs: Vec<ExaminedRun>,
}

/// A run that was looked at.
#[derive(Serialize)]
struct ExaminedRun {
    verb: String,
    cassette: String,
    command: Vec<String>,
    seconds_ago: u64,
    /// The reason why the run may not have run every test to its end, if there is one.
    not_whole: Option<String>,
}

impl Unused {
    /// Lists the cassettes that were not opened.
    pub fn run(self) -> Outcome {
        let found = Cassettes::find(&self.cassettes)?;
        let runs = self.looked_at()?;
        let is_unused = |pieces: &[PathBuf]| !runs.iter().any(|run| run.opened(pieces));
        let unused = found.members.iter().filter(|member| is_unused(&member.pieces));
        let unused: Vec<PathBuf> = unused.map(|member| member.path.clone()).collect();
        let report =
            Report { cassettes: found.members.len(), unused, runs: runs.iter().map(ExaminedRun::of).collect() };
        let exit = if report.unused.is_empty() { Exit::Done } else { Exit::Found };
        if self.json {
            output::json(&report)?;
            return Ok(exit);
        }
        let mut out = output::text();
        report.write(&mut out)?;
        output::finish(out)?;
        Ok(exit)
    }

    fn looked_at(&self) -> Result<Vec<Run>, Failure> {
        if !self.runs.is_empty() {
            return self.runs.iter().map(|file| Run::read(file)).collect();
        }
        let known: Vec<Run> = Run::kept().into_iter().filter(|run| run.concerns(&self.cassettes)).collect();
        match known.is_empty() {
            false => Ok(known),
            true => Err(Failure::new(format_args!(
                "{}: no run is known in which these cassettes were used; run `super8 replay` first, or name the report of a run (--run)",
                self.cassettes.display()
            ))),
        }
    }
}

impl ExaminedRun {
    fn of(run: &Run) -> ExaminedRun {
        let age = run.ended.and_then(|ended| SystemTime::now().duration_since(ended).ok());
        ExaminedRun {
            verb: run.verb.clone(),
            cassette: run.cassette.clone(),
            command: run.command.clone(),
            seconds_ago: age.unwrap_or_default().as_secs(),
            not_whole: run.not_whole(),
        }
    }

    fn name(&self) -> String {
        if self.verb.is_empty() {
            return "a run without the wrapper".to_owned();
        }
        let words: Vec<String> = self.command.iter().map(|word| super8_cassette::shell(word)).collect();
        let words = words.join(" ");
        if self.verb == "run" {
            return words;
        }
        let here = std::env::current_dir().unwrap_or_default();
        let cassette = Path::new(&self.cassette);
        let cassette = cassette.strip_prefix(&here).unwrap_or(cassette).display().to_string();
        format!("super8 {} {} -- {words}", self.verb, super8_cassette::shell(&cassette))
    }

    fn age(&self) -> String {
        let (count, unit) = match self.seconds_ago {
            seconds @ 0..120 => (seconds, "second"),
            seconds @ 120..7200 => (seconds / 60, "minute"),
            seconds @ 7200..172_800 => (seconds / 3600, "hour"),
            seconds => (seconds / 86_400, "day"),
        };
        format!("{} ago", output::many(count, unit))
    }
}

impl Report {
    fn write(&self, out: &mut impl Write) -> std::io::Result<()> {
        for cassette in &self.unused {
            writeln!(out, "{}", cassette.display())?;
        }
        writeln!(out, "{} of {} cassettes were not opened by", self.unused.len(), self.cassettes)?;
        for run in &self.runs {
            writeln!(out, "  {} ({})", run.name(), run.age())?;
            if let Some(why) = &run.not_whole {
                writeln!(out, "  this run may not have been a whole one: {why}")?;
            }
        }
        if !self.unused.is_empty() {
            writeln!(out, "a test that was not selected in a run looks like one that is gone")?;
        }
        Ok(())
    }
}
