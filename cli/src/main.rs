//! `super8`: reads the arguments, does what they say, gives the exit code.
#![forbid(unsafe_code)]

use clap::Parser;
use std::process::ExitCode;
use super8_cli::{Arguments, exit::Exit};

fn main() -> ExitCode {
    let exit = match Arguments::parse().verb.run() {
        Ok(exit) => exit,
        Err(failure) if failure.is_closed_pipe() => Exit::Done,
        Err(failure) => {
            failure.say();
            failure.exit
        }
    };
    ExitCode::from(exit.code())
}
