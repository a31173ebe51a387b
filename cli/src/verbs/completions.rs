//! `super8 completions`: prints the script with which a shell completes the command's words.

use crate::exit::{Exit, Outcome};
use crate::output;
use clap::{Args, CommandFactory};
use clap_complete::Shell;
use std::io::Write;

/// `super8 completions SHELL`
#[derive(Args)]
#[command(after_help = "\
Example:
  super8 completions bash > ~/.local/share/bash-completion/completions/super8")]
pub struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    /// Prints the script.
    pub fn run(self) -> Outcome {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut crate::Arguments::command(), "super8", &mut script);
        let mut out = output::bytes();
        out.write_all(&script)?;
        output::finish(out)?;
        Ok(Exit::Done)
    }
}
