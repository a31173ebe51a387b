//! `super8 once`: replays the cassette if there is one, and records it otherwise (never under CI).

use crate::exit::Outcome;
use crate::wrap::{Mode, Wrapped};
use clap::Args;

/// `super8 once CASSETTE -- COMMAND`
#[derive(Args)]
#[command(after_help = "\
Examples:
  super8 once cassettes/orders -- pytest tests/test_orders.py
  super8 once --rerecord cassettes/orders -- pytest tests/test_orders.py

docs/cli.md has the exit codes and says how the command finds super8.")]
pub struct Once {
    /// Record again, whatever is there
    #[arg(long)]
    rerecord: bool,
    #[command(flatten)]
    wrapped: Wrapped,
}

impl Once {
    /// Runs the command.
    pub fn run(self) -> Outcome {
        self.wrapped.run(if self.rerecord { Mode::Record } else { Mode::Once }, false)
    }
}
