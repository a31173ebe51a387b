//! `super8 replay`: runs a command without drivers and database, and says whether it did what was recorded.

use crate::exit::Outcome;
use crate::wrap::{Mode, Wrapped};
use clap::Args;
use super8_cassette::faults::Fault;

/// `super8 replay CASSETTE -- COMMAND`
#[derive(Args)]
#[command(after_help = "\
Examples:
  super8 replay cassettes/orders -- pytest tests/test_orders.py
  super8 replay --report junit -o report.xml cassettes/orders -- ./run_tests
  super8 replay --record-failed 'tapes/%t' -- pytest
  super8 replay --fault 7=deadlock cassettes/orders -- ./run_tests

docs/cli.md has the exit codes and says how the command finds super8.")]
pub struct Replay {
    /// Record those cassettes again whose replay failed (with their drivers and the database), and replay them then
    #[arg(long)]
    record_failed: bool,
    /// A command that fails once: PLACE=FAULT, such as 7=40001, a#5=lost-connection or 'sql:^insert=deadlock' (may be given several
    /// times; docs/cli.md lists places and faults)
    #[arg(long, value_name = "PLACE=FAULT", conflicts_with = "record_failed")]
    fault: Vec<Fault>,
    #[command(flatten)]
    wrapped: Wrapped,
}

impl Replay {
    /// Runs the command.
    pub fn run(self) -> Outcome {
        self.wrapped.with_faults(self.fault).run(Mode::Replay, self.record_failed)
    }
}
