//! `super8 replay`: runs a command without drivers and database, and says whether it did what was recorded.

use crate::exit::Outcome;
use crate::wrap::{Mode, Wrapped};
use clap::Args;

/// `super8 replay CASSETTE -- COMMAND`
#[derive(Args)]
#[command(after_help = "\
Examples:
  super8 replay cassettes/orders -- pytest tests/test_orders.py
  super8 replay --report junit -o report.xml cassettes/orders -- ./run_tests
  super8 replay --record-failed 'tapes/%t' -- pytest

docs/cli.md has the exit codes and says how the command finds super8.")]
pub struct Replay {
    /// Record those cassettes again whose replay failed (with their drivers and the database), and replay them then
    #[arg(long)]
    record_failed: bool,
    #[command(flatten)]
    wrapped: Wrapped,
}

impl Replay {
    /// Runs the command.
    pub fn run(self) -> Outcome {
        self.wrapped.run(Mode::Replay, self.record_failed)
    }
}
