//! `super8 record`: runs a command with its real drivers and writes the cassette.

use crate::exit::Outcome;
use crate::wrap::{Mode, Wrapped};
use clap::Args;

/// `super8 record CASSETTE -- COMMAND`
#[derive(Args)]
#[command(after_help = "\
Examples:
  super8 record cassettes/orders -- pytest tests/test_orders.py
  super8 record cassettes/orders -- isql -v shop

docs/cli.md has the exit codes and says how the command finds super8.")]
pub struct Record {
    #[command(flatten)]
    wrapped: Wrapped,
}

impl Record {
    /// Runs the command.
    pub fn run(self) -> Outcome {
        self.wrapped.run(Mode::Record, false)
    }
}
