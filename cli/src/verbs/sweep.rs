//! `super8 sweep`: replays a command once for each recorded command and fault, and judges what the program does with the failure.
//!
//! Each run is the very `super8 replay --fault` that is printed with a finding, in a process of its own, so that
//! repeating it by hand gives the same result.

use crate::exit::{Exit, Failure, Outcome};
use crate::show::html::Swept;
use crate::verbs::show;
use crate::wrap::{Form, junit_suite, order_of_environment};
use crate::{edit, output};
use clap::Args;
use clap::builder::RangedU64ValueParser;
use regex::Regex;
use rustix::process::{Pid, Signal, kill_process_group};
use serde::{Deserialize, Serialize};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use super8_cassette::faults::{Fault, FaultKind, token, written};
use super8_cassette::{Method, Value, shell, with_parts, yaml};
use super8_matching::{FaultPlace, PlayOptions, Player, takes_faults};

/// `super8 sweep CASSETTE -- COMMAND`
#[derive(Args)]
#[command(after_help = "\
Two replays without a fault come first and have to pass. Exit code 1 says that something was found.

Examples:
  super8 sweep cassettes/orders -- ./run_tests
  super8 sweep --faults deadlock,lost-connection --jobs 4 cassettes/orders -- pytest tests/test_orders.py
  super8 sweep --allow allowed.yml --report junit -o sweep.xml cassettes/orders -- ./run_tests")]
pub struct Sweep {
    /// The cassette
    cassette: PathBuf,
    /// The faults: names or SQLSTATEs
    #[arg(
        long,
        value_name = "FAULTS",
        value_delimiter = ',',
        default_value = FAULTS
    )]
    faults: Vec<FaultKind>,
    /// How many runs at once [default: as many as there are processors]
    #[arg(short, long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    jobs: Option<usize>,
    /// Make N of the runs only, spread evenly
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    sample: Option<usize>,
    /// How many seconds a run may take before it counts as hung
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    timeout: u64,
    /// What is not to count as found, with reasons: a YAML file (docs/cli.md)
    #[arg(long, value_name = "FILE")]
    allow: Option<PathBuf>,
    /// The form of the report
    #[arg(long, value_enum, value_name = "FORM", default_value_t)]
    report: Form,
    /// Write the report to a file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write the cassette as a page, as `show --html` does, with what was found beside its commands
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// The command and its arguments
    #[arg(required = true, last = true, value_name = "COMMAND", value_hint = clap::ValueHint::CommandWithArguments)]
    command: Vec<OsString>,
}

/// What a program did about a fault, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    PartialCommit,
    Crashed,
    Hung,
    RetriedForEver,
    UsedDeadConnection,
    Swallowed,
    NowhereRecorded,
    NotReached,
    Retried,
    Handled,
}

impl Verdict {
    const ALL: [Verdict; 10] = [
        Verdict::PartialCommit,
        Verdict::Crashed,
        Verdict::Hung,
        Verdict::RetriedForEver,
        Verdict::UsedDeadConnection,
        Verdict::Swallowed,
        Verdict::NowhereRecorded,
        Verdict::NotReached,
        Verdict::Retried,
        Verdict::Handled,
    ];

    fn words(self) -> &'static str {
        match self {
            Verdict::PartialCommit => "partial commit",
            Verdict::Crashed => "crashed",
            Verdict::Hung => "hung",
            Verdict::RetriedForEver => "retried for ever",
            Verdict::UsedDeadConnection => "used a dead connection",
            Verdict::Swallowed => "swallowed",
            Verdict::NowhereRecorded => "went where nothing is recorded",
            Verdict::NotReached => "not reached",
            Verdict::Retried => "retried and succeeded",
            Verdict::Handled => "handled",
        }
    }

    /// Whether the program did wrong.
    fn is_found(self) -> bool {
        self <= Verdict::Swallowed
    }
}

/// One run with a fault, and its verdict.
#[derive(Serialize)]
struct Case {
    fault: String,
    command: usize,
    line: u32,
    text: String,
    verdict: Verdict,
    /// The reason for the verdict, for people.
    why: String,
    /// Whether the fault's message was in the program's output.
    shown: bool,
    /// The reason why it is allowed, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed: Option<String>,
    repeat: String,
    seconds: f64,
}

/// The keys of a report of `super8 replay --report json` that matter here.
#[derive(Deserialize)]
struct Report {
    verdict: String,
    command_exit_code: Option<u8>,
    command_signal: Option<u8>,
    #[serde(default)]
    faults: Vec<Note>,
}

#[derive(Deserialize)]
struct Note {
    what: String,
    text: String,
}

/// A replay that has ended.
struct Ran {
    report: Option<Report>,
    output: Vec<u8>,
    timed_out: bool,
    seconds: f64,
}

/// An entry of the file of allowed findings (`--allow`).
struct Allowed {
    place: Option<Regex>,
    fault: Option<String>,
    verdict: Option<String>,
    reason: String,
    shown: String,
    used: bool,
}

/// The default faults.
const FAULTS: &str = "deadlock,lost-connection,timeout,commit-unknown";

/// The number of failures from which a program counts as retrying for ever: one that gives up sees fewer.
const FOR_EVER: usize = 10;

impl Sweep {
    /// Makes all runs and reports what was found.
    pub fn run(self) -> Outcome {
        let stopped = Stopped::new()?;
        let player = Player::open(super8_cassette::open(&self.cassette)?, PlayOptions::default())?;
        let order = order_of_environment().unwrap_or(player.order());
        takes_faults(&self.cassette, order, with_parts(&self.cassette).len() > 1)?;
        let places = player.places_to_fail()?;
        drop(player);
        let mut allowed = self.allow.as_deref().map(read_allowed).transpose()?.unwrap_or_default();
        self.output.iter().chain(&self.html).try_for_each(|file| can_be_written(file))?;
        let directory = edit::scratch()?;
        let mut outputs = Vec::new();
        for number in 0..2 {
            let ran = self.replay(None, &directory.path().join(format!("baseline-{number}")), &stopped)?;
            let passed = ran.report.as_ref().is_some_and(|report| report.verdict == "passed");
            if !passed {
                let said = String::from_utf8_lossy(&ran.output).into_owned();
                let word = ran.report.map_or("no report".to_owned(), |report| report.verdict);
                let shown = self.cassette.display();
                _ = anstream::stderr().write_all(said.as_bytes());
                return Err(Failure::new(format_args!(
                    "{shown}: a replay without a fault has to pass, and it did not ({word})"
                )));
            }
            outputs.push(ran.output);
        }
        let baseline = Some(&outputs[0]).filter(|first| **first == outputs[1]);
        let todo = self.sampled(self.faults_of(&places));
        let mut cases = self.all(&todo, directory.path(), baseline.map(Vec::as_slice), &stopped)?;
        for case in &mut cases {
            let fits = |allowed: &&mut Allowed| allowed.fits(case);
            if let Some(found) = allowed.iter_mut().find(fits).filter(|_| case.verdict.is_found()) {
                found.used = true;
                case.allowed = Some(found.reason.clone());
            }
        }
        cases.sort_by(|one, other| {
            (one.verdict, one.command, &one.fault).cmp(&(other.verdict, other.command, &other.fault))
        });
        // if the sweep is not whole, only entries that it could have used count as unused
        let is_whole = self.sample.is_none() && self.faults.iter().map(FaultKind::name).eq(FAULTS.split(','));
        let is_unused = |entry: &&Allowed| {
            let was_run = cases.iter().any(|case| entry.is_for(&case.text, &case.fault));
            !entry.used && (is_whole || was_run || !places.iter().any(|place| entry.is_at(&place.text)))
        };
        let unused: Vec<String> = allowed.iter().filter(is_unused).map(|entry| entry.shown.clone()).collect();
        self.write(&cases, &unused)?;
        if let Some(page) = &self.html {
            show::write_page(page, &self.cassette, 50, Some(cases.iter().map(Case::swept).collect()))?;
        }
        if cases.iter().all(|case| case.verdict == Verdict::NotReached) {
            let why =
                if cases.is_empty() { "there is no command for these faults" } else { "no run reached its command" };
            return Err(Failure::new(format_args!("{}: {why}: nothing was tested", self.cassette.display())));
        }
        let found = cases.iter().any(|case| case.verdict.is_found() && case.allowed.is_none());
        Ok(if found || !unused.is_empty() { Exit::Found } else { Exit::Done })
    }

    /// Returns every fault at every place where it makes sense. Leaves out commands that failed when they were
    /// recorded.
    fn faults_of<'p>(&self, places: &'p [FaultPlace]) -> Vec<(String, &'p FaultPlace, FaultKind)> {
        let mut all = Vec::new();
        for place in places.iter().filter(|place| !place.failed) {
            for kind in self.faults.iter().filter(|kind| kind.unfit(place.method).is_none()) {
                let rows = place.rows.filter(|rows| *rows > 1);
                let middle = rows.filter(|rows| *rows > 2).map(|rows| format!("@{}", rows / 2 + 1));
                let at = [Some(String::new()), middle, rows.map(|_| "@last".to_owned())];
                for row in at.into_iter().flatten() {
                    all.push((format!("{}{row}={}", place.key, kind.name()), place, kind.clone()));
                }
            }
        }
        all
    }

    fn sampled<T>(&self, all: Vec<T>) -> Vec<T> {
        let Some(sample) = self.sample.filter(|sample| *sample < all.len()) else { return all };
        let count = all.len();
        let chosen = |at: usize| (at * sample) / count != ((at + 1) * sample) / count;
        all.into_iter().enumerate().filter(|(at, _)| chosen(*at)).map(|(_, one)| one).collect()
    }

    fn all(
        &self,
        todo: &[(String, &FaultPlace, FaultKind)],
        directory: &Path,
        baseline: Option<&[u8]>,
        stopped: &Stopped,
    ) -> Result<Vec<Case>, Failure> {
        let jobs = self.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)).max(1);
        let (next, done) = (Mutex::new(todo.iter().enumerate()), Mutex::new(Vec::new()));
        let work = || {
            loop {
                let Some((number, (fault, place, kind))) = next.lock().ok().and_then(|mut next| next.next()) else {
                    return;
                };
                let ran = self.replay(Some(fault), &directory.join(number.to_string()), stopped);
                let ends = ran.is_err();
                let case = ran.map(|ran| self.judged(fault, place, kind, &ran, baseline));
                if let Ok(mut done) = done.lock() {
                    done.push(case);
                }
                if ends {
                    // the other threads need not go on either
                    if let Ok(mut next) = next.lock() {
                        next.by_ref().for_each(drop);
                    }
                    return;
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..jobs.min(todo.len().max(1)) {
                scope.spawn(work);
            }
        });
        done.into_inner().unwrap_or_default().into_iter().collect()
    }

    /// Replays once, with the output in a file.
    fn replay(&self, fault: Option<&str>, stem: &Path, stopped: &Stopped) -> Result<Ran, Failure> {
        stopped.check()?;
        let cannot = |error: std::io::Error| Failure::new(format_args!("cannot replay: {error}"));
        let (report, output) = (stem.with_extension("json"), stem.with_extension("output"));
        let file = std::fs::File::create(&output).map_err(cannot)?;
        let mut command = Command::new(std::env::current_exe().map_err(cannot)?);
        command.args(["replay", "--allow-leaks", "--report", "json", "-o"]).arg(&report);
        command.args(["--wait", "1s", "--stop-with", "KILL", "--stop-after", &format!("{}s", self.timeout)]);
        // the order that a replay with a fault has
        command.args(if fault.is_none() { &["--order", "connection"][..] } else { &[] });
        command
            .args(fault.iter().flat_map(|fault| ["--fault", *fault]))
            .arg(&self.cassette)
            .arg("--")
            .args(&self.command);
        command.stdin(Stdio::null()).stdout(file.try_clone().map_err(cannot)?).stderr(file).process_group(0);
        let begun = Instant::now();
        let mut child = command.spawn().map_err(cannot)?;
        let limit = Duration::from_secs(self.timeout);
        let mut latest = begun + limit + Duration::from_secs(10);
        let mut told = false;
        while child.try_wait().map_err(cannot)?.is_none() && Instant::now() < latest {
            if !told && stopped.check().is_err() {
                // first SIGTERM, so that the run removes its own directory
                told = true;
                signal(&child, Signal::TERM);
                latest = Instant::now() + Duration::from_secs(2);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        // end processes that the command left running
        signal(&child, Signal::KILL);
        child.wait().map_err(cannot)?;
        stopped.check()?;
        let seconds = begun.elapsed();
        let report = std::fs::read(&report).ok().and_then(|text| serde_json::from_slice(&text).ok());
        let output = std::fs::read(&output).map_err(cannot)?;
        Ok(Ran { report, output, timed_out: seconds >= limit, seconds: seconds.as_secs_f64() })
    }

    fn judged(&self, fault: &str, place: &FaultPlace, kind: &FaultKind, ran: &Ran, baseline: Option<&[u8]>) -> Case {
        let needle = token(fault);
        let shown = ran.output.windows(needle.len()).any(|window| window == needle.as_bytes());
        let (mut verdict, mut why) = judge(ran, shown);
        if verdict == Verdict::Swallowed && place.method == Method::Rollback {
            verdict = Verdict::Handled;
            why = "what the rollback was to undo was not committed".to_owned();
        }
        if verdict == Verdict::Swallowed && *kind == FaultKind::RowsEndEarly {
            why = "it took the rows that it got for all".to_owned();
        }
        if verdict.is_found() && baseline == Some(ran.output.as_slice()) {
            why.push_str("; its output is that of a run without the fault");
        }
        let words = ["super8", "replay", "--fault", fault].map(str::to_owned).into_iter();
        let cassette = std::iter::once(self.cassette.display().to_string());
        let command = self.command.iter().map(|word| word.to_string_lossy().into_owned());
        let line: Vec<String> = words
            .chain(cassette)
            .chain(std::iter::once("--".to_owned()))
            .chain(command)
            .map(|word| shell(&word))
            .collect();
        Case {
            fault: fault.to_owned(),
            command: place.number,
            line: place.line,
            text: place.text.clone(),
            verdict,
            why,
            shown,
            allowed: None,
            repeat: line.join(" "),
            seconds: ran.seconds,
        }
    }

    fn write(&self, cases: &[Case], unused: &[String]) -> Result<(), Failure> {
        let report = match self.report {
            Form::Text => text(cases, unused),
            Form::Json => json(&self.cassette, cases, unused),
            Form::Junit => {
                let suite = format!("super8 sweep {}", self.cassette.display());
                let mut all: Vec<_> = cases.iter().map(|case| (case.name(), case.failure())).collect();
                all.extend(unused.iter().map(|entry| {
                    let line = "nothing that was found is like this".to_owned();
                    (format!("allowed: {entry}"), Some((line.clone(), line)))
                }));
                junit_suite(&suite, &all, &|number| cases.get(number).map_or(0.0, |case| case.seconds))
            }
        };
        match &self.output {
            Some(file) => std::fs::write(file, report)
                .map_err(|error| Failure::new(format_args!("{}: cannot be written: {error}", file.display()))),
            None => {
                let mut out = output::text();
                write!(out, "{report}")?;
                output::finish(out)
            }
        }
    }
}

/// The signal that ended the sweep, if one has come.
struct Stopped(Arc<AtomicUsize>);

impl Stopped {
    fn new() -> Result<Stopped, Failure> {
        let stopped = Arc::new(AtomicUsize::new(0));
        for number in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::flag::register_usize(number, Arc::clone(&stopped), number as usize)
                .map_err(|error| Failure::new(format_args!("cannot listen for signals: {error}")))?;
        }
        Ok(Stopped(stopped))
    }

    fn check(&self) -> Result<(), Failure> {
        match self.0.load(Ordering::Relaxed) {
            0 => Ok(()),
            number => {
                let failure = Failure::new(format_args!("the sweep was stopped by signal {number}"));
                Err(failure.with(Exit::Command(128 + number as u8)))
            }
        }
    }
}

/// Sends a signal to a run and its processes, which are a process group.
fn signal(child: &Child, signal: Signal) {
    if let Some(group) = Pid::from_raw(child.id() as i32) {
        _ = kill_process_group(group, signal);
    }
}

/// Checks that the report can be written, before the sweep begins.
fn can_be_written(file: &Path) -> Result<(), Failure> {
    let is_new = !file.exists();
    std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(file)
        .map_err(|error| Failure::new(format_args!("{}: cannot be written: {error}", file.display())))?;
    if is_new {
        _ = std::fs::remove_file(file);
    }
    Ok(())
}

/// Judges what the program did about the fault. Returns the verdict and its reason.
fn judge(ran: &Ran, shown: bool) -> (Verdict, String) {
    const FATAL: [u8; 5] = [132, 134, 135, 136, 139];
    let notes = ran.report.as_ref().map_or(&[][..], |report| report.faults.as_slice());
    let count = |what: &str| notes.iter().filter(|note| note.what == what).count();
    let first =
        |what: &str| notes.iter().find(|note| note.what == what).map(|note| note.text.clone()).unwrap_or_default();
    let (code, signal) =
        ran.report.as_ref().map_or((None, None), |report| (report.command_exit_code, report.command_signal));
    let said = if shown { "the message is in its output" } else { "the message is not in its output" };
    let ended = match (code, signal) {
        (Some(code), _) => format!("exit code {code}"),
        (_, Some(signal)) => format!("signal {signal}"),
        _ => "no end that is known".to_owned(),
    };
    if count("partial_commit") > 0 {
        return (Verdict::PartialCommit, first("partial_commit"));
    }
    if ran.timed_out {
        let tries = count("repeated") + count("used_lost") + count("astray");
        return match tries >= FOR_EVER {
            true => (Verdict::RetriedForEver, format!("it still tried when it was stopped; {said}")),
            false => (Verdict::Hung, format!("it had not ended after {:.0} s; {said}", ran.seconds)),
        };
    }
    if signal.is_some() || code.is_some_and(|code| FATAL.contains(&code)) || ran.report.is_none() {
        return (Verdict::Crashed, format!("it ended with {ended}"));
    }
    if count("struck") == 0 {
        return (Verdict::NotReached, "the program did not come to the command".to_owned());
    }
    if count("used_lost") > 0 {
        return (Verdict::UsedDeadConnection, first("used_lost"));
    }
    let failed = code != Some(0);
    match (failed, count("astray") > 0, count("repeated") > 0) {
        (true, true, _) if !shown => (Verdict::NowhereRecorded, first("astray")),
        (true, ..) => (Verdict::Handled, format!("{ended}; {said}")),
        (false, true, _) => (Verdict::NowhereRecorded, first("astray")),
        (false, false, true) => (Verdict::Retried, said.to_owned()),
        (false, false, false) => (Verdict::Swallowed, format!("exit code 0, and it was not tried again; {said}")),
    }
}

impl Case {
    /// Returns the case as a page shows it.
    fn swept(&self) -> Swept {
        let is_found = self.verdict.is_found() && self.allowed.is_none();
        let more = match (&self.allowed, self.verdict.is_found()) {
            (Some(reason), _) => format!("; allowed: {reason}"),
            (None, true) => format!("; {}", self.repeat),
            (None, false) => String::new(),
        };
        let why = format!("{}{more}", self.why);
        Swept { line: self.line, fault: self.fault.clone(), verdict: self.verdict.words(), why, is_found }
    }

    fn name(&self) -> String {
        format!("{}: {}", self.fault, self.text)
    }

    fn failure(&self) -> Option<(String, String)> {
        let found = self.verdict.is_found() && self.allowed.is_none();
        found.then(|| (self.verdict.words().to_owned(), format!("{}\n{}\n{}", self.name(), self.why, self.repeat)))
    }
}

fn text(cases: &[Case], unused: &[String]) -> String {
    let mut text = String::new();
    let mut line = |words: String| {
        text.push_str(words.trim_end());
        text.push('\n');
    };
    let widest = cases.iter().map(|case| case.fault.len()).max().unwrap_or(0);
    line(format!("{:<30} {:<widest$} {:>7}  COMMAND", "VERDICT", "FAULT", "NUMBER"));
    for case in cases {
        line(format!("{:<30} {:<widest$} {:>7}  {}", case.verdict.words(), case.fault, case.command, case.text));
    }
    for case in cases.iter().filter(|case| case.verdict.is_found()) {
        line(String::new());
        line(format!("{}: {} (line {})", case.verdict.words(), case.name(), case.line));
        line(format!("  {}", case.why));
        match &case.allowed {
            Some(reason) => line(format!("  allowed: {reason}")),
            None => line(format!("  {}", case.repeat)),
        }
    }
    line(String::new());
    for entry in unused {
        line(format!("allowed, and nothing that was found is like it: {entry}"));
    }
    let counts: Vec<String> = Verdict::ALL
        .iter()
        .map(|verdict| (verdict, cases.iter().filter(|case| case.verdict == *verdict).count()))
        .filter(|(_, count)| *count > 0)
        .map(|(verdict, count)| format!("{count} {}", verdict.words()))
        .collect();
    line(format!("{} runs: {}", cases.len(), counts.join(", ")));
    text
}

fn json(cassette: &Path, cases: &[Case], unused: &[String]) -> String {
    let counts: BTreeMap<String, usize> = cases.iter().fold(BTreeMap::new(), |mut counts, case| {
        *counts.entry(case.verdict.words().replace(' ', "_")).or_default() += 1;
        counts
    });
    let report = serde_json::json!({
        "verb": "sweep", "cassette": cassette.display().to_string(), "counts": counts, "cases": cases, "unused_allowances": unused,
    });
    serde_json::to_string_pretty(&report).unwrap_or_default() + "\n"
}

impl Allowed {
    fn is_at(&self, command: &str) -> bool {
        self.place.as_ref().is_none_or(|pattern| pattern.is_match(command))
    }

    fn is_for(&self, command: &str, fault: &str) -> bool {
        let kind = fault.rsplit_once('=').map_or("", |(_, kind)| kind);
        self.is_at(command) && self.fault.as_deref().is_none_or(|allowed| allowed == kind || allowed == fault)
    }

    fn fits(&self, case: &Case) -> bool {
        self.is_for(&case.text, &case.fault)
            && self.verdict.as_deref().is_none_or(|verdict| verdict == case.verdict.words())
    }
}

/// Reads the file of allowed findings.
fn read_allowed(file: &Path) -> Result<Vec<Allowed>, Failure> {
    let shown = file.display();
    let wrong = |problem: String| Failure::new(format_args!("{shown}: {problem}"));
    let bytes = std::fs::read(file).map_err(|error| wrong(error.to_string()))?;
    let is_empty = String::from_utf8_lossy(&bytes).lines().all(|line| line.trim_start().split('#').next() == Some(""));
    if is_empty {
        return Ok(Vec::new());
    }
    let document = yaml::read_document(&bytes, file)?;
    let entries =
        document.as_list().ok_or_else(|| wrong("is not a list; write `- {command: REGEX, reason: why}`".to_owned()))?;
    let read = |(number, entry): (usize, &Value)| {
        let Value::Map(pairs) = entry else { return Err(wrong(format!("entry {} is not a map", number + 1))) };
        let known = ["command", "fault", "verdict", "reason"];
        if let Some((key, _)) = pairs.iter().find(|(key, _)| !known.contains(&key.as_str())) {
            return Err(wrong(format!("entry {}: `{key}` is unknown; there are {}", number + 1, known.join(", "))));
        }
        let is_text = |key: &&str| entry.get(key).is_none_or(|value| value.as_text().is_some());
        if let Some(key) = ["command", "verdict", "reason"].iter().find(|key| !is_text(key)) {
            return Err(wrong(format!("entry {}: `{key}` is not text", number + 1)));
        }
        let fault = match entry.get("fault") {
            None => Ok(None),
            Some(Value::Text(text)) if text.contains('=') => text.parse::<Fault>().map(|fault| Some(fault.text)),
            Some(fault) => written(fault).map(|kind| Some(kind.name().to_owned())),
        };
        let fault = fault.map_err(|problem| wrong(format!("entry {}: {problem}", number + 1)))?;
        let text = |key: &str| entry.get(key).and_then(Value::as_text).map(str::to_owned);
        let Some(reason) = text("reason").filter(|reason| !reason.trim().is_empty()) else {
            return Err(wrong(format!("entry {} has no `reason`", number + 1)));
        };
        let verdict = text("verdict");
        if let Some(unknown) =
            verdict.as_ref().filter(|word| !Verdict::ALL.iter().any(|verdict| verdict.words() == **word))
        {
            return Err(wrong(format!("entry {}: there is no verdict `{unknown}`", number + 1)));
        }
        let place = text("command").map(|pattern| Regex::new(&pattern)).transpose();
        let place = place.map_err(|error| wrong(format!("entry {}: {error}", number + 1)))?;
        let said = [text("command"), fault.clone(), verdict.clone(), Some(reason.clone())];
        let shown = said.into_iter().flatten().collect::<Vec<_>>().join(", ");
        Ok(Allowed { place, fault, verdict, reason, shown, used: false })
    };
    entries.iter().enumerate().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ran(code: Option<u8>, signal: Option<u8>, notes: &[(&str, usize)], timed_out: bool) -> Ran {
        let note = |what: &str| Note { what: what.to_owned(), text: "text".to_owned() };
        let faults =
            notes.iter().flat_map(|(what, times)| std::iter::repeat_with(|| note(what)).take(*times)).collect();
        let report = Report { verdict: String::new(), command_exit_code: code, command_signal: signal, faults };
        Ran { report: Some(report), output: Vec::new(), timed_out, seconds: 1.0 }
    }

    #[test]
    fn what_a_program_did_is_judged_by_the_worst() {
        let struck = ("struck", 1);
        let judged = |code, signal, notes: &[(&str, usize)], late| judge(&ran(code, signal, notes, late), false).0;
        assert_eq!(judged(Some(0), None, &[], false), Verdict::NotReached);
        assert_eq!(judged(Some(1), None, &[struck], false), Verdict::Handled);
        assert_eq!(judged(Some(0), None, &[struck], false), Verdict::Swallowed);
        assert_eq!(judged(Some(0), None, &[struck, ("repeated", 1)], false), Verdict::Retried);
        assert_eq!(
            judged(Some(0), None, &[struck, ("repeated", 1), ("partial_commit", 1)], false),
            Verdict::PartialCommit
        );
        assert_eq!(judged(Some(0), None, &[struck, ("astray", 1)], false), Verdict::NowhereRecorded);
        assert_eq!(judge(&ran(Some(1), None, &[struck, ("astray", 1)], false), true).0, Verdict::Handled);
        assert_eq!(
            judged(Some(0), None, &[struck, ("used_lost", 1), ("repeated", 1)], false),
            Verdict::UsedDeadConnection
        );
        assert_eq!(judged(None, Some(11), &[struck], false), Verdict::Crashed);
        assert_eq!(judged(Some(139), None, &[struck], false), Verdict::Crashed);
        assert_eq!(judged(None, Some(9), &[struck], true), Verdict::Hung);
        assert_eq!(judged(None, Some(9), &[struck, ("used_lost", 20)], true), Verdict::RetriedForEver);
    }

    #[test]
    fn a_list_of_what_is_allowed_needs_reasons() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("allowed.yml");
        let read = |text: &str| {
            std::fs::write(&file, text).unwrap();
            read_allowed(&file).map_err(|failure| failure.to_string())
        };
        let all =
            read("- command: drop table\n  fault: timeout\n  verdict: swallowed\n  reason: it may not be there\n")
                .unwrap();
        assert_eq!(all.len(), 1);
        assert_eq!(read("# nothing yet\n\n").map(|all| all.len()), Ok(0));
        for (wrong, why) in [
            ("- command: x\n", "no `reason`"),
            ("- reason: x\n  verdict: fine\n", "no verdict `fine`"),
            ("- sql: x\n  reason: y\n", "`sql` is unknown"),
            ("command: x\n", "is not a list"),
            ("- fault: dedlock\n  reason: y\n", "`dedlock` is not a fault: write deadlock, "),
            ("- verdict: [swallowed]\n  reason: y\n", "`verdict` is not text"),
        ] {
            assert!(read(wrong).err().is_some_and(|said| said.contains(why)), "{wrong}");
        }
    }
}
