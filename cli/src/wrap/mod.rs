//! Runs a command under super8 for `super8 record`, `replay` and `once`: [`Wrapped`] has the options, and
//! [`Wrapped::run`] runs the command, reports, and gives the exit code.

pub mod child;
mod report;
mod stop;
mod verdict;

use crate::cassette::Named;
use crate::events::{self, Event, Selected};
use crate::exit::{Exit, Failure, Outcome};
use crate::libraries::Libraries;
use crate::run_directory::{Readers, RunDirectory};
use crate::runs;
use crate::temporary_odbcinst::{Recorded, TemporaryOdbcinst};
use child::{Patience, Remaining};
use clap::{Args, ValueEnum};
pub use report::Form;
pub use report::junit_suite;
use std::ffi::OsString;
use std::io::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;
use stop::StopOptions;
use super8_cassette::faults::Fault;
use super8_cassette::{Format, open_directory, parts_of, with_parts};
use super8_matching::{PlayOptions, Player, takes_faults};
use super8_shim::cassettes::{self, Action};
use super8_shim::config::command::{RECORD_AGAIN, SEPARATOR};
use super8_shim::config::redact::redact_assignments;
use super8_shim::config::settings::{Setting, Settings};
use super8_shim::config::variables;
use verdict::{Run, Verdict};

/// What is wrapped, and how the verdict is given.
#[derive(Args)]
pub struct Wrapped {
    /// The cassette, a directory; `%t` becomes the running test (pytest, cargo nextest, bats), `%c` the command of each process,
    /// `%{NAME}` a variable of the environment, `%p` the process id (which the next run does not have: such a cassette cannot be replayed)
    cassette: PathBuf,
    /// The form of the report
    #[arg(long, value_enum, value_name = "FORM", default_value_t)]
    report: Form,
    /// Write the report to a file instead of standard error
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Whether the order of commands counts over all connections, or inside each one [default: the cassette's own]
    #[arg(long, value_enum)]
    order: Option<Order>,
    /// Do not fail if handles are left open
    #[arg(long)]
    allow_leaks: bool,
    /// The command may end with any exit code: publish its recording, and report what its replay finds before that code
    #[arg(long)]
    keep: bool,
    #[command(flatten)]
    stopping: StopOptions,
    /// Commands that fail once
    #[arg(skip)]
    faults: Vec<Fault>,
    /// The command and its arguments
    #[arg(required = true, last = true, value_name = "COMMAND", value_hint = clap::ValueHint::CommandWithArguments)]
    command: Vec<OsString>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Order {
    /// As recorded, over all connections
    Global,
    /// As recorded inside each connection
    Connection,
    /// Executions and transactions in any order, for pools
    Any,
}

impl From<Order> for super8_cassette::Order {
    fn from(order: Order) -> Self {
        match order {
            Order::Global => super8_cassette::Order::Global,
            Order::Connection => super8_cassette::Order::Connection,
            Order::Any => super8_cassette::Order::Any,
        }
    }
}

/// Which of the three verbs it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Write a cassette.
    Record,
    /// Answer from the cassette.
    Replay,
    /// Replay the cassette if there is one, else record it.
    Once,
}

impl Mode {
    /// Returns the value of `SUPER8_MODE`, and the verb.
    fn name(self) -> &'static str {
        match self {
            Mode::Record => "record",
            Mode::Replay => "replay",
            Mode::Once => "once",
        }
    }
}

impl Wrapped {
    /// Sets the commands that fail once.
    pub fn with_faults(self, faults: Vec<Fault>) -> Wrapped {
        Wrapped { faults, ..self }
    }

    /// Runs the command and gives the verdict. With `record_failed`, a second run records the cassettes whose replay
    /// failed and a third run replays all; the verdict is then that of the third run.
    ///
    /// # Errors
    /// Nothing was run, because super8's libraries, the cassette or the command are missing.
    pub fn run(&self, mode: Mode, record_failed: bool) -> Outcome {
        self.run_with(&self.cassette, mode, record_failed)
    }

    /// Whether the command did what it had to: it ended with 0 or, under `--keep`, with an exit code of its own.
    pub fn accepts(&self, exit: Exit) -> bool {
        exit == Exit::Done || self.keep && matches!(exit, Exit::Command(code) if code < 128)
    }

    /// Returns the cassette's name as it was given.
    pub fn cassette(&self) -> &Path {
        &self.cassette
    }

    /// Returns the cassette's name with placeholders filled in; `None` if a placeholder has another value in each
    /// process.
    pub fn one_name(&self) -> Option<PathBuf> {
        let path = absolute(&self.cassette);
        match Named::parse(path.as_os_str()) {
            Ok(named) => {
                named.known().map(|known| if known == path { self.cassette.clone() } else { known.to_owned() })
            }
            Err(_) => Some(self.cassette.clone()),
        }
    }

    /// Whether replay of a cassette with the order `own` compares the order inside each connection only.
    pub fn counts_by_connection(&self, own: super8_cassette::Order) -> bool {
        self.order().unwrap_or(own) != super8_cassette::Order::Global
    }

    /// Returns the order for a replay if an option or the environment overrides the cassette's own.
    fn order(&self) -> Option<super8_cassette::Order> {
        self.order.map(super8_cassette::Order::from).or_else(order_of_environment)
    }

    /// Runs the command as [`Wrapped::run`] does, with another cassette.
    ///
    /// # Errors
    /// As [`Wrapped::run`].
    pub fn run_with(&self, cassette: &Path, mode: Mode, record_failed: bool) -> Outcome {
        let mentioned = cassette.as_os_str().to_string_lossy();
        variables::check(&|name| mentioned.contains(&format!("%{{{name}}}")))
            .map_err(|error| Failure::new(error).with(Exit::CannotStart))?;
        let libraries = Libraries::find()?;
        let cassette = absolute(cassette);
        let named = Named::parse(cassette.as_os_str()).map_err(|failure| failure.with(Exit::CannotStart))?;
        let recorded = recorded(mode, &cassette, &named)?;
        // `once` is decided here for all processes: a second process must not find, and replay, what the first one
        // recorded.
        let decided = match (mode, &recorded) {
            (Mode::Once, _) if named.known().is_none() => Mode::Once,
            (Mode::Once, Some(_)) => Mode::Replay,
            (Mode::Once, None) => Mode::Record,
            (mode, _) => mode,
        };
        if let Some(path) = named.known().filter(|_| !self.faults.is_empty()) {
            self.find_places(path)?;
        }
        let run = Attempt { libraries: &libraries, cassette: &cassette, named: &named, mode, decided };
        let recorded = recorded.unwrap_or_default();
        let ended = self.attempt(&run, &recorded, &[])?;
        let failed = if record_failed { ended.verdict.failed_replays() } else { Vec::new() };
        if failed.is_empty() {
            return self.report(&run, &ended);
        }
        for cassette in &failed {
            say(&format!("super8 replay: {}: its replay failed; it is recorded again", cassette.display()));
        }
        let again = self.record_again(&run, &recorded, failed)?;
        if !self.accepts(again.verdict.exit()) {
            return self.report(&run, &again);
        }
        let replayed = self.attempt(&run, &recorded, &[])?;
        self.report(&run, &replayed)
    }

    /// Records the cassettes in `failed` again, and those that share a connection with them, because a connection
    /// cannot be live in one cassette and replayed in another. Runs the command again until no further such cassette is
    /// found.
    fn record_again(
        &self,
        run: &Attempt<'_>,
        recorded: &Recorded,
        mut failed: Vec<PathBuf>,
    ) -> Result<RunOutcome, Failure> {
        loop {
            let attempted = self.attempt(run, recorded, &failed)?;
            let shared: Vec<PathBuf> =
                attempted.verdict.shared.iter().filter(|cassette| !failed.contains(cassette)).cloned().collect();
            if shared.is_empty() {
                return Ok(attempted);
            }
            for cassette in &shared {
                say(&format!(
                    "super8 replay: {}: it shares a connection with those; it is recorded again",
                    cassette.display()
                ));
            }
            failed.extend(shared);
        }
    }

    /// Checks that the places of the faults are in the cassette, before anything is run.
    fn find_places(&self, cassette: &Path) -> Result<(), Failure> {
        let pieces = with_parts(cassette);
        if pieces.len() > 1 {
            takes_faults(cassette, super8_cassette::Order::Global, true)?;
        }
        // with several traces, a statement may name the trace, so only the program knows which one it is
        if Format::of(cassette) == Some(Format::Ndjson) && cassette.is_dir() {
            return Ok(());
        }
        let options = PlayOptions { order: self.order(), faults: self.faults.clone(), ..PlayOptions::default() };
        Player::open(open_directory(pieces.first().map_or(cassette, PathBuf::as_path))?, options)?;
        Ok(())
    }

    /// Runs the command once. At replay, records the cassettes in `again` instead of replaying them.
    fn attempt(&self, run: &Attempt<'_>, recorded: &Recorded, again: &[PathBuf]) -> Result<RunOutcome, Failure> {
        let Attempt { libraries, cassette, named, mode, decided } = *run;
        // At replay the named cassette has to be opened. If the name has placeholders, only the program knows which one
        // it opens.
        let replays_all = decided == Mode::Replay && again.is_empty();
        let expected = named.known().filter(|path| replays_all && !with_parts(path).is_empty());
        let stand_in = TemporaryOdbcinst::new(libraries, !replays_all, recorded);
        let directory = stand_in.in_directory(|made| {
            let names: Vec<&[u8]> = again.iter().map(|path| path.as_os_str().as_bytes()).collect();
            made.write(RECORDED_ANEW, &names.join(&b'\0'), Readers::TheRun)?;
            if named.has_test() { add_pytest_plugin(made) } else { Ok(()) }
        })?;

        let Some((program, arguments)) = self.command.split_first() else {
            return Err(Failure::new("no command is given: super8 replay CASSETTE -- COMMAND"));
        };
        let mut command = Command::new(program);
        command.args(arguments).envs(TemporaryOdbcinst::environment(directory.path(), libraries));
        command.env_remove(variables::SESSION);
        directory.hand_down(&mut command);
        if named.has_test() {
            command.env("PYTHONPATH", with_pytest_plugin(directory.path()));
        }
        command.env("SUPER8_MODE", decided.name()).envs(cassette_variables(cassette));
        command.env(RECORD_AGAIN, record_again(mode, std::env::args_os()));
        if !again.is_empty() {
            command.env(variables::RECORDED_ANEW, directory.path().join(RECORDED_ANEW));
        }
        if decided == Mode::Record || !again.is_empty() {
            // An earlier cassette is replaced only if the command succeeds.
            command.env("SUPER8_HOLD", "yes");
        }
        if let Some(order) = self.order {
            command.env(Setting::Order.row().variable, super8_cassette::Order::from(order).name());
        }

        if !self.faults.is_empty() {
            let lines: Vec<&str> = self.faults.iter().map(|fault| fault.text.as_str()).collect();
            command.env(Setting::Fault.row().variable, lines.join("\n"));
        }

        let begun = Instant::now();
        let shown = cassette.display();
        let patience = Patience {
            limit: self.stopping.wait,
            has_cassette: &|pid| has_cassette(&events::read(&directory.said()), pid),
            waiting: &|remaining| say_waiting(&format!("super8 {} {shown}", mode.name()), remaining),
        };
        let ended = child::run(&mut command, self.stopping.stop().as_ref(), &patience)?;
        let seconds = begun.elapsed().as_secs_f64();
        // a further worker records its own copy of a fixture's set-up into the run's directory, and that copy is thrown
        // away
        let is_spare =
            |event: &Event| event.cassette().is_some_and(|path| Path::new(path).starts_with(directory.path()));
        let events: Vec<Event> = events::read(&directory.said()).into_iter().filter(|event| !is_spare(event)).collect();
        let mut verdict = Verdict { may_fail: self.keep, ..Verdict::of(ended, &events, self.allow_leaks) };
        if let Some(cassette) = expected {
            verdict.expect(cassette);
        }
        if verdict.shared.iter().any(|cassette| !again.contains(cassette)) {
            // the recordings have commands that belong into those cassettes, so nothing is published
            return Ok(RunOutcome { verdict, seconds, notes: Vec::new() });
        }
        verdict.publish(self.keep);
        if self.keep || !verdict.command_failed() {
            verdict.remove_stale_parts();
        }
        if !verdict.remaining.is_empty() {
            directory.leave();
        }
        verdict.expect_faults(&self.faults);
        let mut notes = stand_in.notes().to_vec();
        if replays_all && !verdict.has_connected() {
            notes.extend(recorded.connectable("the cassette has"));
        }
        Ok(RunOutcome { verdict, seconds, notes })
    }

    /// Writes the report, keeps the run's outcome for `super8 unused`, and returns the exit code.
    fn report(&self, how: &Attempt<'_>, attempted: &RunOutcome) -> Outcome {
        let shown: Vec<String> = self.command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        let exit = attempted.verdict.exit();
        let kept = runs::Run {
            verb: how.mode.name().to_owned(),
            cassette: how.cassette.display().to_string(),
            command: shown.clone(),
            verdict: report::word(exit).to_owned(),
            exit_code: Some(exit.code()),
            directory: Some(how.named.directory()),
            selected: attempted.verdict.selected.clone(),
            cassettes: attempted.verdict.opened(),
            session: None,
            ended: None,
        };
        kept.keep();
        let run = Run {
            verb: how.mode.name(),
            cassette: &self.cassette.display().to_string(),
            command: &shown,
            seconds: attempted.seconds,
            verdict: &attempted.verdict,
            notes: &attempted.notes,
        };
        let written = report::write(&run, self.report, self.output.as_deref());
        match exit {
            Exit::Done => written.map_err(|failure| failure.with(Exit::Unwritable)).map(|()| Exit::Done),
            exit => {
                written.unwrap_or_else(|failure| failure.say());
                Ok(exit)
            }
        }
    }
}

/// Returns the variables that name a cassette to the program. A trace's file is named by its directory and its trace.
fn cassette_variables(cassette: &Path) -> Vec<(&'static str, OsString)> {
    let name = match (cassette.parent(), cassette.file_stem()) {
        (Some(directory), Some(trace))
            if cassette.extension().is_some_and(|end| end == "ndjson") && !cassette.is_dir() =>
        {
            Some((directory, trace))
        }
        _ => None,
    };
    match name {
        Some((directory, trace)) => vec![
            ("SUPER8_CASSETTE", directory.into()),
            (Setting::TraceId.row().variable, trace.to_owned()),
            (Setting::Format.row().variable, "ndjson".into()),
        ],
        None => vec![("SUPER8_CASSETTE", cassette.into())],
    }
}

/// Returns what became of the cassettes, and which tests were run, by the text of a verdict file whose processes nobody
/// waited for. Leaves out cassettes below `directory`, the run's own. A cassette that a process may still have open
/// gets an empty verdict.
pub fn noted(text: &[u8], directory: &Path) -> (Vec<runs::Opened>, Selected) {
    let is_spare = |event: &Event| event.cassette().is_some_and(|path| Path::new(path).starts_with(directory));
    let events: Vec<Event> = events::read(text).into_iter().filter(|event| !is_spare(event)).collect();
    let ended = child::Ended { end: child::End::Code(0), was_signalled: false, remaining: Vec::new() };
    let verdict = Verdict::of(ended, &events, true);
    let mut opened = verdict.opened();
    opened.iter_mut().filter(|opened| opened.verdict == "killed").for_each(|opened| opened.verdict.clear());
    (opened, verdict.selected)
}

/// What is the same for every run of the command.
#[derive(Clone, Copy)]
struct Attempt<'a> {
    libraries: &'a Libraries,
    cassette: &'a Path,
    named: &'a Named,
    mode: Mode,
    decided: Mode,
}

/// The outcome of one run of the command.
struct RunOutcome {
    verdict: Verdict,
    seconds: f64,
    notes: Vec<String>,
}

/// Returns the order that the environment sets for a replay.
pub fn order_of_environment() -> Option<super8_cassette::Order> {
    let name = std::env::var(Setting::Order.row().variable).ok()?;
    super8_cassette::Order::from_name(&name.trim().to_ascii_lowercase())
}

/// Writes the plugin for pytest into the directory of the run as an installed package, so that pytest loads it like any
/// other plugin. If pytest does not look for plugins (`python -I`, `PYTEST_DISABLE_PLUGIN_AUTOLOAD`), it runs without
/// it.
fn add_pytest_plugin(made: &RunDirectory) -> std::io::Result<()> {
    const NAME: &str = "super8-command";
    const VERSION: &str = env!("CARGO_PKG_VERSION");
    let package = format!("{PYTHON}/{}-{VERSION}.dist-info", NAME.replace('-', "_"));
    made.add_directory(PYTHON)?;
    made.add_directory(&package)?;
    let metadata = format!("Metadata-Version: 2.1\nName: {NAME}\nVersion: {VERSION}\n");
    made.write(&format!("{package}/METADATA"), metadata.as_bytes(), Readers::TheRun)?;
    let entry_points = b"[pytest11]\nsuper8-command = super8_command_pytest_plugin\n";
    made.write(&format!("{package}/entry_points.txt"), entry_points, Readers::TheRun)?;
    made.write(
        &format!("{PYTHON}/super8_command_pytest_plugin.py"),
        include_bytes!("pytest_plugin.py"),
        Readers::TheRun,
    )
}

/// Returns the PYTHONPATH for the command: the one that it would have, then the plugin's directory.
fn with_pytest_plugin(run: &Path) -> OsString {
    let mut path = std::env::var_os("PYTHONPATH").filter(|path| !path.is_empty()).unwrap_or_default();
    if !path.is_empty() {
        path.push(":");
    }
    path.push(run.join(PYTHON));
    path
}

/// The directory of a run that is appended to PYTHONPATH.
const PYTHON: &str = "python";
/// The file of a run with the names of cassettes that are recorded while others are replayed.
const RECORDED_ANEW: &str = "recorded-anew";

/// Returns the words of this command line with `record` for the verb and without faults, joined by [`SEPARATOR`].
fn record_again(mode: Mode, words: impl Iterator<Item = OsString>) -> String {
    let mut words: Vec<String> = words.map(|word| word.to_string_lossy().into_owned()).collect();
    if let Some(verb) = words.iter_mut().skip(1).find(|word| *word == mode.name()) {
        *verb = Mode::Record.name().to_owned();
    }
    // only a replay takes faults
    let end = words.iter().position(|word| word == "--").unwrap_or(words.len());
    let command = words.split_off(end);
    let mut follows = false;
    words.retain(|word| {
        let is_value = std::mem::replace(&mut follows, word == "--fault");
        !(is_value || follows || word.starts_with("--fault="))
    });
    words.extend(command);
    words.join(&SEPARATOR.to_string())
}

/// Returns the command line that records again, to be shown. Hides what follows a password's keyword.
fn to_record(mode: Mode) -> String {
    let words = record_again(mode, std::env::args_os());
    let shown = |word| super8_cassette::shell(&redact_assignments(word, &[]));
    words.split(SEPARATOR).map(shown).collect::<Vec<_>>().join(" ")
}

/// Makes the name absolute and keeps its placeholders. Percent signs of the working directory are escaped.
fn absolute(cassette: &Path) -> PathBuf {
    if cassette.is_absolute() {
        return cassette.to_owned();
    }
    let here = std::env::current_dir().unwrap_or_default().into_os_string().into_vec();
    let escaped: Vec<u8> =
        here.into_iter().flat_map(|byte| if byte == b'%' { vec![byte; 2] } else { vec![byte] }).collect();
    let path = PathBuf::from(OsString::from_vec(escaped)).join(cassette);
    std::path::absolute(&path).unwrap_or(path)
}

/// Whether a process has a cassette open.
fn has_cassette(events: &[Event], process: u32) -> bool {
    events.iter().fold(false, |open, event| match event {
        Event::Opened { pid, .. } if *pid == process => true,
        Event::Closed { pid } if *pid == process => false,
        _ => open,
    })
}

/// Prints that the command has ended, and what the wrapper still waits for.
fn say_waiting(who: &str, remaining: &[Remaining]) {
    let names: Vec<String> = remaining.iter().map(ToString::to_string).collect();
    let text = format!("{who}: the command has ended; waiting for what it left running: {}\n", names.join(", "));
    say(text.trim_end());
}

fn say(line: &str) {
    _ = anstream::stderr().write_all(format!("{line}\n").as_bytes());
}

/// Returns the data sources and drivers of the cassettes to be replayed; `None` if the run records.
fn recorded(mode: Mode, cassette: &Path, named: &Named) -> Result<Option<Recorded>, Failure> {
    let cannot = |failure: Failure| failure.with(Exit::CannotStart);
    // If each process fills in the name, any cassette that is there may be meant.
    let Some(path) = named.known() else {
        let there = named.there();
        if mode == Mode::Replay && there.is_empty() {
            let (shown, directory) = (cassette.display(), named.directory());
            let message =
                format!("{shown}: there is no cassette in {}; record first: {}", directory.display(), to_record(mode),);
            return Err(cannot(Failure::new(message)));
        }
        return Ok((mode != Mode::Record).then(|| Recorded::of_readable(&there)));
    };
    // The library's own code decides here, so that the command's processes come to the same result.
    let variables = cassette_variables(cassette);
    let settings = Settings::from_environment(&|name| match variables.iter().find(|(known, _)| *known == name) {
        Some((_, value)) => Some(value.clone()),
        None if name == "SUPER8_MODE" => Some(mode.name().into()),
        None => std::env::var_os(name),
    });
    let settings = settings.map_err(|error| cannot(Failure::new(error)))?;
    let action = cassettes::action(&settings).map_err(|error| cannot(Failure::new(error)))?;
    if action != Action::Replay {
        return Ok(None);
    }
    let own = cassettes::path(&settings, action).unwrap_or_else(|| path.to_owned());
    // With several traces, a statement may name the trace, so only the program knows which one it is.
    if !own.exists() && Format::of(path) == Some(Format::Ndjson) {
        return Ok(Some(Recorded::default()));
    }
    // The cassette itself may be missing beside its parts: the process that was to record it may have ended before it
    // did anything.
    let parts = parts_of(path);
    let own = Some(own).filter(|own| parts.is_empty() || own.exists());
    let cassettes: Vec<PathBuf> = own.into_iter().chain(parts).collect();
    for cassette in &cassettes {
        let opened = crate::cassette::open(cassette).map_err(|failure| match cassette.exists() {
            true => failure,
            false => Failure::new(format_args!("{failure}; to record it: {}", to_record(mode))),
        });
        if !opened.map_err(cannot)?.metadata.complete {
            let shown = cassette.display();
            let message = format!(
                "{shown}: the recording is incomplete: it did not end cleanly; record it again, or keep what there is \
                 (super8 recover {shown})"
            );
            return Err(cannot(Failure::new(message)));
        }
    }
    Recorded::of_all(&cassettes).map(Some).map_err(cannot)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recording_again_takes_no_faults() {
        let words = "super8 replay --fault 1=timeout --fault=2=timeout tape -- app --fault x".split(' ');
        let again = record_again(Mode::Replay, words.map(OsString::from));
        assert_eq!(again.replace(SEPARATOR, " "), "super8 record tape -- app --fault x");
    }
}
