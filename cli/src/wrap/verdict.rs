//! The verdict on a wrapped command. [`Verdict::of`] makes it from the events that the command's processes wrote to the
//! verdict file.

use super::child::{End, Ended, Remaining};
use crate::events::{Event, Selected};
use crate::exit::Exit;
use crate::runs;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use super8_cassette::faults::Fault;
use super8_cassette::{CassetteError, ErrorKind, Recovered};

/// A run and its verdict: the input of a report.
pub struct Run<'a> {
    /// `record`, `replay` or `once`.
    pub verb: &'a str,
    /// The cassette's name as it was given.
    pub cassette: &'a str,
    /// The command and its arguments.
    pub command: &'a [String],
    /// How long it took, in seconds.
    pub seconds: f64,
    /// The verdict.
    pub verdict: &'a Verdict,
    /// Remarks about the configuration, shown if nothing connected through super8.
    pub notes: &'a [String],
}

/// What all processes of a run together did with one cassette.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Played {
    /// The cassette.
    pub cassette: String,
    /// `record` or `replay`.
    pub mode: String,
    /// The number of the attempt at its test (runners repeat failed tests). A later attempt replaces what is known of
    /// an earlier one.
    #[serde(skip)]
    attempt: u32,
    /// The processes that opened it.
    pub processes: BTreeSet<u32>,
    /// The first mismatch.
    pub mismatch: Option<Mismatch>,
    /// Recorded commands that no process played.
    pub unplayed: Vec<String>,
    /// Processes that ended without saying `closed`, before it was known what they would leave unplayed.
    pub killed: BTreeSet<u32>,
    /// Processes that ended, or still run, without having said `closed`.
    #[serde(skip)]
    unclosed: BTreeSet<u32>,
    /// Whether it was to be replayed and no process opened it.
    pub unopened: bool,
    /// Why it could not be written.
    pub unwritable: Option<String>,
    /// Whether the recording is published.
    pub published: bool,
    /// Whether it was published only up to its last whole command, because the process died.
    pub recovered: bool,
    /// Where the recording is if it was not published, for example because the command failed.
    pub kept: Option<PathBuf>,
}

/// A call that was not as recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mismatch {
    /// The process.
    pub pid: u32,
    /// The error message that the application got.
    pub headline: String,
    /// The whole report.
    pub report: String,
    /// The number of the command in the cassette, if there is one.
    pub command: Option<u64>,
}

/// Handles a process left open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Leak {
    /// The process.
    pub pid: u32,
    /// Connections.
    pub connections: u64,
    /// Statements.
    pub statements: u64,
    /// Descriptors.
    pub descriptors: u64,
}

/// An event of a fault: a command that is made to fail once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultNote {
    /// `struck`, `repeated`, `partial_commit`, `used_lost`, `astray`, or `not_reached`.
    pub what: String,
    /// The number of the recorded command that it happened to, if it is a recorded one.
    pub command: Option<u64>,
    /// The fault.
    pub fault: String,
    /// The command as the report shows it.
    pub text: String,
}

/// The verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// How the command ended.
    pub end: End,
    /// Whether the wrapper sent a signal to it. A process that a signal ended then does not count as killed: the
    /// commands that it did not play count as left out.
    pub was_signalled: bool,
    /// Each cassette, in the order in which they were opened.
    pub cassettes: Vec<Played>,
    /// The events of faults.
    pub faults: Vec<FaultNote>,
    /// The handles that processes left open.
    pub leaks: Vec<Leak>,
    /// Whether leaks do not fail the run.
    pub allow_leaks: bool,
    /// Whether the command may end with an exit code other than 0, so that what super8 finds comes before it.
    pub may_fail: bool,
    /// The processes that the command left running and that were not waited for any longer.
    pub remaining: Vec<Remaining>,
    /// Which tests pytest ran.
    pub selected: Selected,
    /// Cassettes that share a connection with the cassettes that were recorded again.
    pub shared: BTreeSet<PathBuf>,
}

impl Verdict {
    /// Makes the verdict of how the command ended and what its processes wrote.
    pub fn of(ended: Ended, events: &[Event], allow_leaks: bool) -> Verdict {
        let Ended { end, was_signalled, remaining } = ended;
        let (cassettes, faults, leaks) = (Vec::new(), Vec::new(), Vec::new());
        let selected = Selected::of(events);
        let (shared, may_fail) = (BTreeSet::new(), false);
        let mut verdict = Verdict {
            end,
            was_signalled,
            cassettes,
            faults,
            leaks,
            allow_leaks,
            may_fail,
            remaining,
            selected,
            shared,
        };
        let mut failed: BTreeSet<(&String, u32)> = BTreeSet::new();
        // A process may play a cassette several times, for one test after the other, and each time leave other commands
        // unplayed: `last` has those of the last time, `before` those of earlier ones.
        let (mut last, mut before) = (BTreeMap::new(), Vec::new());
        let mut finished: BTreeMap<(&String, u32), &Vec<String>> = BTreeMap::new();
        // Pairs of a cassette and a process that has ejected it: what it left unplayed is known however it ends.
        let mut ejected: BTreeSet<(&String, u32)> = BTreeSet::new();
        let mut closed = BTreeSet::new();
        let mut parts: BTreeMap<&String, BTreeMap<&String, BTreeSet<u32>>> = BTreeMap::new();
        let mut took: Vec<(u32, &String, &String)> = Vec::new();
        for event in events {
            match event {
                Event::Opened { pid, mode, cassette, attempt } => {
                    // it was opened again after an eject, so it begins anew
                    finished.remove(&(cassette, *pid));
                    ejected.remove(&(cassette, *pid));
                    before.extend(last.remove(&(cassette, *pid)).map(|commands| (cassette, *pid, commands)));
                    let played = verdict.cassette(cassette);
                    if played.attempt < *attempt {
                        *played = Played { cassette: cassette.clone(), attempt: *attempt, ..Played::default() };
                    }
                    played.mode.clone_from(mode);
                    played.processes.insert(*pid);
                }
                Event::Mismatch { pid, cassette, headline, report, command } => {
                    let (headline, report) = (headline.clone(), report.clone());
                    let mismatch = Mismatch { pid: *pid, headline, report, command: *command };
                    verdict.cassette(cassette).mismatch.get_or_insert(mismatch);
                }
                Event::Fault { pid, cassette, what, command, fault, text } => {
                    failed.insert((cassette, *pid));
                    let (what, fault, text) = (what.clone(), fault.clone(), text.clone());
                    verdict.faults.push(FaultNote { what, command: *command, fault, text });
                }
                Event::Unplayed { pid, cassette, commands } => {
                    let earlier = last.insert((cassette, *pid), commands);
                    before.extend(earlier.map(|commands| (cassette, *pid, commands)));
                    ejected.insert((cassette, *pid));
                }
                Event::Finished { pid, cassette, parts } => {
                    // what was left when exit handlers ran was played after that, in the destructor of a library
                    parts.iter().for_each(|part| _ = last.remove(&(part, *pid)));
                    match parts.is_empty() {
                        true => finished.remove(&(cassette, *pid)),
                        false => finished.insert((cassette, *pid), parts),
                    };
                }
                Event::Parts { cassette, parts: all } => {
                    let known = parts.entry(cassette).or_default();
                    all.iter().for_each(|part| _ = known.entry(part).or_default());
                }
                Event::Took { pid, cassette, part } => {
                    took.push((*pid, cassette, part));
                    parts.entry(cassette).or_default().entry(part).or_default().insert(*pid);
                    verdict.cassette(part).mode = "replay".to_owned();
                    verdict.cassette(part).processes.insert(*pid);
                }
                Event::Shares { cassette } => _ = verdict.shared.insert(PathBuf::from(cassette)),
                Event::Unwritable { cassette, error, .. } => {
                    verdict.cassette(cassette).unwritable.get_or_insert_with(|| error.clone());
                }
                Event::Published { cassette, .. } => verdict.cassette(cassette).published = true,
                Event::Leaked { pid, connections, statements, descriptors } => verdict.leaks.push(Leak {
                    pid: *pid,
                    connections: *connections,
                    statements: *statements,
                    descriptors: *descriptors,
                }),
                Event::Closed { pid } => _ = closed.insert(*pid),
                Event::Selected { .. } | Event::Unknown => {}
            }
        }
        let mut left: BTreeMap<&String, BTreeMap<u32, Vec<String>>> = BTreeMap::new();
        let last = last.into_iter().map(|((cassette, pid), commands)| (cassette, pid, commands));
        for (cassette, pid, commands) in before.into_iter().chain(last) {
            add(left.entry(cassette).or_default().entry(pid).or_default(), commands);
        }
        // A process that ended without saying `closed` has played one of the parts of which it left nothing.
        for (cassette, all) in &mut parts {
            let of_this = finished.iter().filter(|((of, pid), _)| of == cassette && !closed.contains(pid));
            let could: Vec<(u32, &Vec<String>)> = of_this.map(|((_, pid), parts)| (*pid, *parts)).collect();
            give_parts(all, &could);
        }
        for played in &mut verdict.cassettes {
            let taken = parts.get(&played.cassette).and_then(|parts| parts.get(&played.cassette));
            let ended_early = played.processes.difference(&closed).copied().collect::<BTreeSet<u32>>();
            let left = left.remove(&played.cassette).unwrap_or_default();
            let unknown = |pid: &&u32| {
                // what is known about a part is known about its cassette, and the reverse
                let names = took.iter().filter(|(taker, ..)| taker == *pid).flat_map(|(_, cassette, part)| {
                    let is_it = *cassette == &played.cassette || *part == &played.cassette;
                    [*cassette, *part].into_iter().filter(move |_| is_it)
                });
                !names.chain([&played.cassette]).any(|name| {
                    let process = (name, **pid);
                    finished.contains_key(&process) || ejected.contains(&process) || failed.contains(&process)
                })
            };
            played.killed = ended_early.iter().filter(unknown).copied().collect();
            // processes that took another part of the cassette say nothing about this one
            played.unplayed = left_by_all(taken.unwrap_or(&played.processes), &left);
            played.unclosed = ended_early;
        }
        for (part, takers) in parts.values().flatten() {
            if takers.is_empty() {
                let played = verdict.cassette(part);
                played.mode = "replay".to_owned();
                played.unplayed = vec![format!("{part}: no process played this part")];
            }
        }
        verdict
    }

    /// Notes that a cassette was to be replayed, and marks it as unopened if no process opened it. Does nothing if no
    /// cassette was opened at all.
    pub fn expect(&mut self, cassette: &Path) {
        let opened =
            |played: &Played| Path::new(&played.cassette).starts_with(cassette) && !played.processes.is_empty();
        if !self.cassettes.is_empty() && !self.cassettes.iter().any(opened) {
            self.cassette(&cassette.display().to_string()).unopened = true;
        }
    }

    /// Notes which faults were given, and adds a note for each that the program never came to.
    pub fn expect_faults(&mut self, faults: &[Fault]) {
        for fault in faults {
            if !self.faults.iter().any(|note| note.fault == fault.text) {
                let (what, text) = ("not_reached".to_owned(), "the program did not come to its command".to_owned());
                self.faults.push(FaultNote { what, command: None, fault: fault.text.clone(), text });
            }
        }
    }

    /// Whether a fault made a command fail.
    fn has_failed(&self) -> bool {
        self.faults.iter().any(|note| note.what == "struck")
    }

    fn cassette(&mut self, name: &str) -> &mut Played {
        let known = self.cassettes.iter().position(|played| played.cassette == name);
        let index = known.unwrap_or_else(|| {
            self.cassettes.push(Played { cassette: name.to_owned(), ..Played::default() });
            self.cassettes.len() - 1
        });
        &mut self.cassettes[index]
    }

    /// Publishes the recordings if the command succeeded or `keep` is set. Marks a cassette as unwritable if its
    /// recording is not complete and cannot be recovered. Leaves alone what a process still records.
    pub fn publish(&mut self, keep: bool) {
        let take = keep || !self.command_failed();
        let remaining: BTreeSet<u32> = self.remaining.iter().map(|process| process.pid).collect();
        let done = |played: &&mut Played| played.mode == "record" && played.unclosed.is_disjoint(&remaining);
        for played in self.cassettes.iter_mut().filter(done) {
            let cassette = Path::new(&played.cassette);
            if take && played.unwritable.is_none() {
                match recover(cassette) {
                    Ok(None) => {}
                    Ok(Some(recovered)) => (played.published, played.recovered) = (true, !recovered.whole),
                    Err(error) => played.unwritable = Some(error.to_string()),
                }
            }
            played.kept = super8_cassette::unpublished(cassette);
        }
    }

    /// Removes parts of an earlier recording that no process recorded again.
    pub fn remove_stale_parts(&mut self) {
        let attempts = self.cassettes.iter().map(|played| (played.cassette.clone(), played.attempt));
        let recorded: BTreeMap<String, u32> = attempts.collect();
        for played in self.cassettes.iter_mut().filter(|played| played.mode == "record" && played.published) {
            let cassette = super8_cassette::directory_of(Path::new(&played.cassette));
            let is_recorded = |part: &Path| {
                let is_part = |cassette: &String| super8_cassette::directory_of(Path::new(cassette)) == part;
                // parts that an earlier attempt at the same test recorded are stale
                recorded.iter().any(|(cassette, attempt)| is_part(cassette) && *attempt >= played.attempt)
            };
            if let Err(error) = super8_cassette::remove_parts(cassette, &is_recorded) {
                played.unwritable.get_or_insert_with(|| error.to_string());
            }
        }
    }

    /// Returns the cassettes that were not replayed as they were recorded. For a part, this is the cassette that it
    /// belongs to.
    pub fn failed_replays(&self) -> Vec<PathBuf> {
        let failed = |played: &&Played| {
            played.mode != "record" && (played.mismatch.is_some() || !played.unplayed.is_empty() || played.is_unknown())
        };
        let whole = |played: &Played| {
            let directory = super8_cassette::directory_of(Path::new(&played.cassette));
            super8_cassette::cassette_of_part(directory).unwrap_or_else(|| directory.to_owned())
        };
        let cassettes: BTreeSet<PathBuf> = self.cassettes.iter().filter(failed).map(whole).collect();
        cassettes.into_iter().collect()
    }

    /// Returns what became of each cassette, in the form that is kept for `super8 unused`.
    pub fn opened(&self) -> Vec<runs::Opened> {
        let of = |played: &Played| runs::Opened {
            cassette: PathBuf::from(&played.cassette),
            processes: played.processes.clone(),
            verdict: played.word().to_owned(),
            why: played.why(),
        };
        self.cassettes.iter().map(of).collect()
    }

    /// Whether a process opened a cassette.
    pub fn has_connected(&self) -> bool {
        self.cassettes.iter().any(|played| !played.processes.is_empty())
    }

    /// Whether the command itself failed. Commands that it left unplayed are then not worth reporting.
    pub fn command_failed(&self) -> bool {
        let accepted = self.may_fail && matches!(self.end, End::Code(_));
        !self.end.is_success() && !accepted
    }

    /// Returns how the wrapper ends: with the command's own failure if it failed, otherwise with the worst finding, and without
    /// one with the command's exit code.
    pub fn exit(&self) -> Exit {
        if self.command_failed() {
            return Exit::Command(self.end.code());
        }
        match self.finding() {
            Exit::Done if !self.end.is_success() => Exit::Command(self.end.code()),
            finding => finding,
        }
    }

    /// Returns the worst finding, whatever the command's exit code is; [`Exit::Done`] if there is none.
    fn finding(&self) -> Exit {
        let any = |what: fn(&Played) -> bool| self.cassettes.iter().any(what);
        if any(|played| played.mismatch.is_some()) {
            Exit::Mismatch
        } else if any(|played| played.unwritable.is_some() || played.is_overwritten()) {
            Exit::Unwritable
        } else if !self.remaining.is_empty() {
            Exit::StillRunning
        } else if self.cassettes.is_empty() {
            Exit::NeverConnected
        } else if any(Played::is_unknown) {
            if self.was_signalled { Exit::Unplayed } else { Exit::Killed }
        } else if any(|played| played.unopened || !played.unplayed.is_empty()) {
            Exit::Unplayed
        } else if !self.leaks.is_empty() && !self.allow_leaks && !self.has_failed() {
            Exit::Leaked
        } else {
            Exit::Done
        }
    }
}

impl Played {
    /// Whether several processes recorded it, one after the other. Then it has only what the last one did.
    pub fn is_overwritten(&self) -> bool {
        self.mode == "record" && self.processes.len() > 1
    }

    /// Returns what became of it as one word: a run's verdict, or `recorded` or `not_published`.
    pub fn word(&self) -> &'static str {
        match self.mode.as_str() {
            _ if self.unwritable.is_some() => "unwritable",
            _ if self.mismatch.is_some() => "mismatch",
            _ if self.unopened => "never_connected",
            _ if self.is_unknown() => "killed",
            _ if !self.unplayed.is_empty() => "unplayed",
            "record" if self.published => "recorded",
            "record" => "not_published",
            _ => "passed",
        }
    }

    /// Returns the reason for that word as one line, or an empty text.
    pub fn why(&self) -> String {
        let kept = || self.kept.as_ref().map(|kept| format!("the recording is kept in {}", kept.display()));
        match (self.word(), self.unplayed.len()) {
            ("unwritable", _) => self.unwritable.clone(),
            ("mismatch", _) => self.mismatch.as_ref().map(|mismatch| mismatch.headline.clone()),
            ("unplayed", 1) => Some("1 command was never played".to_owned()),
            ("unplayed", count) => Some(format!("{count} commands were never played")),
            ("not_published", _) => kept(),
            _ => None,
        }
        .unwrap_or_default()
    }

    /// Whether a process was killed before it could say what it left unplayed.
    pub fn is_unknown(&self) -> bool {
        self.mode == "replay" && self.mismatch.is_none() && !self.killed.is_empty()
    }
}

/// Recovers a recording. Waits up to 5 s for its lock, because a process that was just killed, or another process of
/// the same daemon, may still be ending.
fn recover(cassette: &Path) -> Result<Option<Recovered>, CassetteError> {
    let until = Instant::now() + Duration::from_secs(5);
    loop {
        match super8_cassette::recover(cassette) {
            Err(error) if error.kind() == ErrorKind::Busy && Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(50));
            }
            recovered => return recovered,
        }
    }
}

/// Assigns each process one of the parts that it may have played, so that as many parts as possible have a process (a
/// maximum bipartite matching).
fn give_parts<'a>(parts: &mut BTreeMap<&'a String, BTreeSet<u32>>, could: &[(u32, &'a Vec<String>)]) {
    let mut holders: BTreeMap<&String, usize> = BTreeMap::new();
    let free: BTreeSet<String> =
        parts.iter().filter(|(_, takers)| takers.is_empty()).map(|(part, _)| (*part).clone()).collect();
    for process in 0..could.len() {
        find_part(process, could, &free, &mut holders, &mut BTreeSet::new());
    }
    for (part, process) in holders {
        parts.entry(part).or_default().insert(could[process].0);
    }
}

/// Finds a part for a process. If another process holds the part, that one is given another part if possible.
fn find_part<'a>(
    process: usize,
    could: &[(u32, &'a Vec<String>)],
    free: &BTreeSet<String>,
    holders: &mut BTreeMap<&'a String, usize>,
    tried: &mut BTreeSet<&'a String>,
) -> bool {
    for part in could[process].1.iter().filter(|part| free.contains(*part)) {
        if !tried.insert(part) {
            continue;
        }
        let holder = holders.get(part).copied();
        if holder.is_none_or(|holder| find_part(holder, could, free, holders, tried)) {
            holders.insert(part, process);
            return true;
        }
    }
    false
}

/// Appends those commands that are not in `all` yet.
fn add(all: &mut Vec<String>, commands: &[String]) {
    let new: Vec<String> = commands.iter().filter(|command| !all.contains(command)).cloned().collect();
    all.extend(new);
}

/// Returns the commands that every process left unplayed: workers share a cassette, so a command that one of them
/// played is played. A process without an entry in `left` left nothing unplayed.
fn left_by_all(processes: &BTreeSet<u32>, left: &BTreeMap<u32, Vec<String>>) -> Vec<String> {
    let Some(first) = left.values().next() else { return Vec::new() };
    if processes.iter().any(|pid| !left.contains_key(pid)) {
        return Vec::new();
    }
    first.iter().filter(|command| left.values().all(|other| other.contains(command))).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(pid: u32, mode: &str) -> Event {
        Event::Opened { pid, mode: mode.to_owned(), cassette: "/c".to_owned(), attempt: 1 }
    }

    fn unplayed(pid: u32, commands: &[&str]) -> Event {
        let commands = commands.iter().map(ToString::to_string).collect();
        Event::Unplayed { pid, cassette: "/c".to_owned(), commands }
    }

    fn mismatch(pid: u32) -> Event {
        let (headline, report) = (format!("headline {pid}"), "report".to_owned());
        Event::Mismatch { pid, cassette: "/c".to_owned(), headline, report, command: Some(3) }
    }

    const LEAKED: Event = Event::Leaked { pid: 1, connections: 1, statements: 0, descriptors: 0 };
    const CLOSED: Event = Event::Closed { pid: 1 };
    const ZERO: End = End::Code(0);

    fn verdict(end: End, events: &[Event], allow_leaks: bool) -> Verdict {
        Verdict::of(Ended { end, was_signalled: false, remaining: Vec::new() }, events, allow_leaks)
    }

    fn exit(end: End, events: &[Event]) -> Exit {
        verdict(end, events, false).exit()
    }

    #[test]
    fn the_commands_own_failure_goes_first_and_the_worst_of_the_rest_next() {
        let all = [opened(1, "replay"), LEAKED, unplayed(1, &["x"]), mismatch(1), mismatch(2), CLOSED];
        assert_eq!(exit(End::Code(7), &all), Exit::Command(7));
        assert_eq!(exit(End::Signal(9), &all).code(), 137);
        assert_eq!(exit(ZERO, &all), Exit::Mismatch);
        assert_eq!(exit(ZERO, &[opened(1, "replay"), LEAKED, unplayed(1, &["x"]), CLOSED]), Exit::Unplayed);
        assert_eq!(exit(ZERO, &[opened(1, "replay"), LEAKED, CLOSED]), Exit::Leaked);
        assert_eq!(verdict(ZERO, &[opened(1, "replay"), LEAKED, CLOSED], true).exit(), Exit::Done);
        assert_eq!(exit(ZERO, &[opened(1, "replay"), CLOSED]), Exit::Done);
        assert_eq!(exit(ZERO, &[]), Exit::NeverConnected);
        let may_fail = |end, events: &[Event]| Verdict { may_fail: true, ..verdict(end, events, false) }.exit();
        assert_eq!(may_fail(End::Code(7), &all), Exit::Mismatch);
        assert_eq!(may_fail(End::Code(7), &[opened(1, "replay"), CLOSED]), Exit::Command(7));
        assert_eq!(may_fail(End::Signal(9), &all).code(), 137);
        let first = verdict(ZERO, &all, false).cassettes[0].mismatch.clone();
        assert_eq!(first.map(|mismatch| mismatch.headline).as_deref(), Some("headline 1"));
    }

    #[test]
    fn a_killed_replay_is_no_success_and_a_killed_recording_is() {
        assert_eq!(exit(ZERO, &[opened(1, "replay")]), Exit::Killed);
        assert_eq!(exit(ZERO, &[opened(1, "record")]), Exit::Done);
    }

    #[test]
    fn a_process_that_played_everything_needs_no_last_word() {
        let finished = |pid| Event::Finished { pid, cassette: "/c".to_owned(), parts: vec!["/c".to_owned()] };
        assert_eq!(exit(ZERO, &[opened(1, "replay"), finished(1)]), Exit::Done);
        assert_eq!(exit(ZERO, &[opened(1, "replay"), finished(1), mismatch(1)]), Exit::Mismatch);
        assert_eq!(exit(ZERO, &[opened(1, "replay"), opened(2, "replay"), finished(1)]), Exit::Killed);
    }

    #[test]
    fn a_process_may_be_killed_between_its_last_words() {
        let part = || "/c.parts/1".to_owned();
        let took = Event::Took { pid: 1, cassette: "/c".to_owned(), part: part() };
        let finished = Event::Finished { pid: 1, cassette: "/c".to_owned(), parts: vec![part()] };
        let left = Event::Unplayed { pid: 1, cassette: part(), commands: vec!["x".to_owned()] };
        assert_eq!(exit(ZERO, &[opened(1, "replay"), took.clone()]), Exit::Killed);
        assert_eq!(exit(ZERO, &[opened(1, "replay"), finished, took.clone()]), Exit::Done);
        assert_eq!(exit(ZERO, &[opened(1, "replay"), took, left]), Exit::Unplayed);
    }

    #[test]
    fn a_cassette_that_nobody_opened_is_not_replayed() {
        let other = Event::Opened { pid: 1, mode: "replay".to_owned(), cassette: "/other".to_owned(), attempt: 1 };
        let expecting = |events: &[Event]| {
            let mut verdict = verdict(ZERO, events, false);
            verdict.expect(Path::new("/c"));
            verdict.exit()
        };
        assert_eq!(expecting(&[other.clone(), CLOSED]), Exit::Unplayed);
        assert_eq!(expecting(&[other, opened(1, "replay"), CLOSED]), Exit::Done);
        assert_eq!(expecting(&[]), Exit::NeverConnected);
        let trace = Event::Opened { pid: 1, mode: "replay".to_owned(), cassette: "/c/c.ndjson".to_owned(), attempt: 1 };
        assert_eq!(expecting(&[trace, CLOSED]), Exit::Done);
    }

    #[test]
    fn a_process_that_ejected_its_cassette_needs_no_last_word() {
        let finished = Event::Finished { pid: 1, cassette: "/c".to_owned(), parts: vec!["/c".to_owned()] };
        let opened = || opened(1, "replay");
        assert_eq!(exit(ZERO, &[opened(), unplayed(1, &["x"])]), Exit::Unplayed);
        let again = [opened(), unplayed(1, &["x"]), opened(), finished.clone(), CLOSED];
        assert_eq!(exit(ZERO, &again), Exit::Unplayed, "the first of two tests left it");
        assert_eq!(exit(ZERO, &[opened(), unplayed(1, &["x"]), CLOSED, finished.clone()]), Exit::Done);
        assert_eq!(exit(ZERO, &[opened(), finished.clone(), opened()]), Exit::Killed, "it was inserted once more");
        assert_eq!(exit(ZERO, &[opened(), finished.clone(), opened(), finished]), Exit::Done);
    }

    #[test]
    fn what_is_still_running_is_no_success_and_an_orderly_stop_is() {
        let remaining = vec![Remaining { pid: 9, name: "daemon".to_owned() }];
        let still = Verdict::of(Ended { end: ZERO, was_signalled: false, remaining }, &[opened(9, "record")], false);
        assert_eq!(still.exit(), Exit::StillRunning);
        assert_eq!(exit(End::Stopped(15), &[opened(1, "replay"), CLOSED]), Exit::Done);
        assert_eq!(exit(End::Stopped(15), &[opened(1, "replay"), mismatch(1), CLOSED]), Exit::Mismatch);
        assert_eq!(exit(End::Signal(15), &[opened(1, "replay"), CLOSED]), Exit::Command(143));
    }

    #[test]
    fn what_a_process_left_unplayed_that_was_told_to_stop_was_left_out() {
        let ended = Ended { end: End::Stopped(15), was_signalled: true, remaining: Vec::new() };
        assert_eq!(Verdict::of(ended, &[opened(1, "replay")], false).exit(), Exit::Unplayed);
    }

    /// Three processes ended without saying `closed`. The last `finished` of each counts, and each gets one part.
    #[test]
    fn killed_processes_have_a_part_each() {
        let parts = |names: &[&str]| names.iter().map(|name| format!("/c.parts/{name}")).collect::<Vec<_>>();
        let finished = |pid, names: &[&str]| Event::Finished { pid, cassette: "/c".to_owned(), parts: parts(names) };
        let all = Event::Parts { cassette: "/c".to_owned(), parts: parts(&["1", "2", "3"]) };
        let opened = [opened(1, "replay"), opened(2, "replay"), opened(3, "replay"), all];
        let exit_of = |more: &[Event]| exit(ZERO, &[&opened[..], more].concat());
        let alike = [finished(1, &["1", "2"]), finished(2, &["1", "2", "3"]), finished(3, &["1"])];
        assert_eq!(exit_of(&alike), Exit::Done);
        assert_eq!(exit_of(&[&alike[..2], &[finished(3, &["1", "2"])]].concat()), Exit::Done);
        let one_left = [finished(1, &["1"]), finished(2, &["1", "2"]), finished(3, &["1", "2"])];
        assert_eq!(exit_of(&one_left), Exit::Unplayed);
        assert_eq!(exit_of(&[&alike[..], &[finished(2, &[])]].concat()), Exit::Killed, "it went on");
    }

    #[test]
    fn what_one_worker_played_is_played() {
        let workers = [opened(1, "replay"), opened(2, "replay"), CLOSED, Event::Closed { pid: 2 }];
        let with = |more: &[Event]| verdict(ZERO, &[&workers[..], more].concat(), false).cassettes[0].unplayed.clone();
        assert_eq!(with(&[unplayed(1, &["x", "y"]), unplayed(2, &["y", "z"])]), ["y"]);
        assert!(with(&[unplayed(1, &["x"])]).is_empty(), "the other one played all");
        let tests = [unplayed(1, &["x"]), unplayed(1, &["x", "y"]), unplayed(2, &["y"]), unplayed(2, &["x"])];
        assert_eq!(with(&tests), ["x", "y"], "each was left in some test of each process");
    }

    /// The last process of a daemon may still be ending when the first one has ended.
    #[test]
    fn a_recording_that_is_still_locked_is_waited_for() {
        let parent = tempfile::tempdir().unwrap();
        let cassette = parent.path().join("tape");
        let recorder = super8_cassette::Recorder::open(super8_cassette::RecordOptions {
            directory: cassette.clone(),
            order: super8_cassette::Order::Global,
            inline_rows: 1,
            metadata: super8_cassette::Metadata::now(None, None),
            append: None,
        });
        let recorder = recorder.unwrap();
        let connect = super8_cassette::Entry::new(super8_cassette::Method::Connect, recorder.connection(), None);
        recorder.command(&connect).unwrap();
        assert_eq!(super8_cassette::recover(&cassette).unwrap_err().kind(), ErrorKind::Busy);
        let dying = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(700));
            drop(recorder);
        });
        let (begun, mut verdict) =
            (Instant::now(), Verdict::of(Ended { end: ZERO, was_signalled: false, remaining: Vec::new() }, &[], false));
        let played = verdict.cassette(&cassette.display().to_string());
        played.mode = "record".to_owned();
        verdict.publish(false);
        dying.join().unwrap();
        assert!(begun.elapsed() >= Duration::from_millis(650));
        let played = &verdict.cassettes[0];
        assert!(played.published && played.recovered && played.unwritable.is_none(), "{played:?}");
        assert_eq!(super8_cassette::state(&cassette), Ok(super8_cassette::State::Complete));
    }

    #[test]
    fn a_cassette_that_a_second_process_recorded_again_fails() {
        let closed = |pid| Event::Closed { pid };
        assert_eq!(exit(ZERO, &[opened(1, "record"), closed(1), opened(2, "record"), closed(2)]), Exit::Unwritable);
        assert_eq!(exit(ZERO, &[opened(1, "replay"), closed(1), opened(2, "replay"), closed(2)]), Exit::Done);
    }

    #[test]
    fn the_last_attempt_at_a_test_counts() {
        let again = Event::Opened { pid: 2, mode: "record".to_owned(), cassette: "/c".to_owned(), attempt: 2 };
        let unwritable = Event::Unwritable { pid: 1, cassette: "/c".to_owned(), error: "full".to_owned() };
        let first = [opened(1, "record"), unwritable.clone(), Event::Closed { pid: 1 }];
        let both = [&first[..], &[again, Event::Closed { pid: 2 }]].concat();
        assert_eq!((exit(ZERO, &first), exit(ZERO, &both)), (Exit::Unwritable, Exit::Done));
        assert_eq!(exit(ZERO, &[&both[..], &[unwritable]].concat()), Exit::Unwritable);
    }

    #[test]
    fn an_unwritable_cassette_fails() {
        let unwritable = Event::Unwritable { pid: 1, cassette: "/c".to_owned(), error: "full".to_owned() };
        assert_eq!(exit(ZERO, &[opened(1, "record"), unwritable, CLOSED]), Exit::Unwritable);
    }
}
