//! `super8 run`: runs a command with super8 in front of every driver, and chooses no cassette.

use crate::exit::{Exit, Failure, Outcome};
use crate::libraries::Libraries;
use crate::output;
use crate::run_directory::RunDirectory;
use crate::runs::{self, Session};
use crate::temporary_odbcinst::{Recorded, TemporaryOdbcinst};
use crate::wrap::child::{self, Patience};
use crate::wrap::noted;
use clap::Args;
use serde::Serialize;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use super8_cassette::platform;
use super8_shim::config::command::{self, RECORD_AGAIN, SEPARATOR};
use super8_shim::config::variables::{RUN, SESSION};
use super8_shim::driver::Kind;

/// `super8 run -- COMMAND`
#[derive(Args)]
#[command(after_help = "\
Nothing is recorded or replayed until something names a cassette: a test framework through the C interface, a connection string, or
SUPER8_MODE and SUPER8_CASSETTE. The exit code is the command's own.

Examples:
  super8 run -- python -m pytest
  super8 run --cassettes cassettes -- ./run_tests
  super8 run --print-environment")]
pub struct Run {
    /// Declare the data sources and drivers of the cassettes below this directory, as far as none is configured, so that they can
    /// be replayed on a machine that has neither (may be given several times)
    #[arg(long, value_name = "DIRECTORY")]
    cassettes: Vec<PathBuf>,
    /// Run nothing. Print the variables that a command would get as JSON, and keep the files they name until standard input ends
    #[arg(long, conflicts_with = "command")]
    print_environment: bool,
    /// The process whose run this one has a part in, if it is not the one that started `super8 run`
    #[arg(long, value_name = "PROCESS", hide = true)]
    of: Option<u32>,
    /// The command and its arguments
    #[arg(required_unless_present = "print_environment", last = true, value_name = "COMMAND", value_hint = clap::ValueHint::CommandWithArguments)]
    command: Vec<OsString>,
}

/// What a test framework needs to set itself up. Printed by `--print-environment`.
#[derive(Serialize)]
struct Environment {
    /// The variables to set before the driver manager is first used.
    environment: BTreeMap<&'static str, String>,
    /// super8's library, which has the C interface.
    library: String,
    /// Notes on drivers that super8 could not be put in front of.
    notes: Vec<String>,
    /// What the cassettes connect to, for the message to a program whose data source is not found.
    #[serde(skip_serializing_if = "Option::is_none")]
    recorded: Option<String>,
}

impl Run {
    /// Runs the command, or prints its environment.
    pub fn run(self) -> Outcome {
        let libraries = Libraries::find()?;
        let cassettes: Vec<PathBuf> =
            self.cassettes.iter().flat_map(|directory| crate::cassette::below(directory)).collect();
        let recorded = Recorded::of_readable(&cassettes);
        let configuration = TemporaryOdbcinst::new(&libraries, true, &recorded);
        let directory = configuration.in_directory(|_| Ok(()))?;
        let mut variables = Vec::from(TemporaryOdbcinst::environment(directory.path(), &libraries));
        let kept = self.session();
        if kept.is_some() {
            variables.push((SESSION, directory.path().into()));
        }
        let Some((program, arguments)) = self.command.split_first() else {
            let text = |path: OsString| path.to_string_lossy().into_owned();
            let printed = Environment {
                environment: variables.into_iter().map(|(name, value)| (name, text(value))).collect(),
                library: text(libraries.of(Kind::Unicode).into()),
                notes: configuration.notes().to_vec(),
                recorded: recorded.connectable("the cassettes have"),
            };
            let code = print(&printed)?;
            self.keep(kept, &directory, code);
            directory.end();
            return Ok(Exit::Done);
        };
        let mut command = Command::new(program);
        command.args(arguments).envs(variables).envs(cargo_again(Path::new(program)));
        // Processes that the command leaves running keep their configuration, so there is no need to wait for them.
        let patience = Patience { limit: Duration::ZERO, has_cassette: &|_| false, waiting: &|_| () };
        let ended = child::run(&mut command, None, &patience)?;
        self.keep(kept, &directory, Some(ended.end.code()));
        if !ended.remaining.is_empty() {
            directory.leave();
        }
        Ok(Exit::Command(ended.end.code()))
    }

    /// Returns the process whose run is kept for `super8 unused` and the page of a folder. `None` if this run is part
    /// of another `super8 run`, or of a wrapper's run, which is kept by the wrapper.
    fn session(&self) -> Option<Session> {
        let is_part = [SESSION, RUN].iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
        // cargo starts a process for each file of tests, and nextest for each test, so cargo's run is the whole one
        let is_cargos = || cargo_again(Path::new(self.command.first()?)).map(|_| parent());
        let own = || if self.print_environment { parent() } else { std::process::id() };
        let process = self.of.or_else(is_cargos).unwrap_or_else(own);
        let (name, words) = command::of_process(process);
        // the name is the program's alone, without the script or command that it was told to run
        let program =
            || words.first().map(|word| Path::new(word).file_name().unwrap_or(word).to_string_lossy().into_owned());
        let name = if self.of.is_some() { program().unwrap_or(name) } else { name };
        (!is_part).then(|| Session { process, started: platform::started(process), name })
    }

    /// Keeps which cassettes the processes opened.
    fn keep(&self, session: Option<Session>, directory: &RunDirectory, code: Option<u8>) {
        let Some(session) = session else { return };
        let (cassettes, selected) = noted(&directory.noted(), directory.path());
        let named = self.cassettes.first().and_then(|named| std::path::absolute(named).ok());
        if cassettes.is_empty() && !named.as_ref().is_some_and(|named| named.is_dir()) {
            return;
        }
        let text = |word: &OsString| word.to_string_lossy().into_owned();
        let command = match session.process == std::process::id() {
            true => self.command.iter().map(text).collect(),
            false => command::of_process(session.process).1.iter().map(text).collect(),
        };
        let verdict = match code {
            Some(0) => "passed",
            Some(_) => "command_failed",
            None => "",
        };
        let run = runs::Run {
            verb: "run".to_owned(),
            cassette: named.as_ref().map(|named| named.display().to_string()).unwrap_or_default(),
            command,
            verdict: verdict.to_owned(),
            exit_code: code,
            directory: named,
            selected,
            cassettes,
            session: Some(session),
            ended: None,
        };
        run.keep();
    }
}

/// Returns the process that started this one.
fn parent() -> u32 {
    std::os::unix::process::parent_id()
}

/// Returns the variable with the command line that records again, if `super8 run` is cargo's test runner: then it is
/// cargo's command line.
fn cargo_again(program: &Path) -> Option<(&'static str, String)> {
    let package = std::env::var("CARGO_PKG_NAME").ok()?;
    let is_test = program.parent().and_then(Path::file_name).is_some_and(|directory| directory == "deps");
    let runner: &[&str] = if std::env::var_os("NEXTEST").is_some() { &["nextest", "run"] } else { &["test"] };
    let words = [&["SUPER8_MODE=record", "cargo"], runner, &["-p", &package]].concat().join(&SEPARATOR.to_string());
    (is_test && std::env::var_os(RECORD_AGAIN).is_none()).then_some((RECORD_AGAIN, words))
}

/// Prints the environment and waits until standard input ends, because the reader closed it or is gone. Returns the
/// reader's exit code, if it sent one in a line.
fn print(printed: &Environment) -> Result<Option<u8>, Failure> {
    // Ctrl-C is meant for the program that reads this. That program still needs its configuration to end in order.
    for signal in [SIGHUP, SIGINT, SIGQUIT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false))).map_err(|error| {
            Failure::new(format_args!("cannot listen for signals: {error}")).with(Exit::CannotStart)
        })?;
    }
    // On one line, so that the reader knows when it is complete.
    let mut out = output::text();
    let line = serde_json::to_string(printed).map_err(|error| Failure::new(error).with(Exit::CannotStart))?;
    writeln!(out, "{line}")?;
    output::finish(out)?;
    let mut input = std::io::stdin().lock();
    let (mut received, mut buffer) = (Vec::new(), [0; 64]);
    loop {
        match input.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => received.extend(buffer.iter().take(length.min(64 - received.len().min(64)))),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    let received = String::from_utf8_lossy(&received).into_owned();
    Ok(received.trim().strip_prefix("ended ").and_then(|code| code.parse().ok()))
}
