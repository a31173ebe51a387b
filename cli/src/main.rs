//! `super8`: reads the arguments, runs the verb, and ends with its exit code.
#![forbid(unsafe_code)]

use clap::Parser;
use std::process::ExitCode;
use super8_cli::Arguments;

fn main() -> ExitCode {
    let exit = match Arguments::parse().verb.run() {
        Ok(exit) => exit,
        Err(failure) => {
            failure.say();
            failure.exit
        }
    };
    ExitCode::from(exit.code())
}
