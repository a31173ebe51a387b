//! Runs the wrapped command: [`run`] starts it, passes signals on, and waits for it and for the processes that it
//! leaves running.
//!
//! A command may end before its work is done: a daemon puts itself into the background, or a script ends with `&`. The
//! wrapper makes itself the reaper of these processes (PR_SET_CHILD_SUBREAPER), so that it sees them even if they close
//! every descriptor, and stays until they end.

use super::stop::{Stop, watch_output};
use crate::exit::{Exit, Failure};
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, kill_process, set_child_subreaper, wait};
use serde::Serialize;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::WithOrigin;
use signal_hook::low_level::siginfo::Cause;
use std::io;
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use super8_cassette::platform::Running;

/// How the command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By itself, with this exit code.
    Code(u8),
    /// By this signal.
    Signal(u8),
    /// By this signal, which the wrapper had sent. Daemons are stopped like this, so it is no failure.
    Stopped(u8),
}

impl End {
    fn of(status: WaitStatus) -> End {
        match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => End::Code(code as u8),
            (None, Some(signal)) => End::Signal(signal as u8),
            (None, None) => End::Code(Exit::Failed.code()),
        }
    }

    /// Turns an end by one of the signals that the wrapper sent into [`End::Stopped`]. A program that catches a signal
    /// may report it as a shell would, with the exit code 128 + N.
    fn after(self, sent: &[i32]) -> End {
        let number = match self {
            End::Signal(signal) => signal,
            End::Code(code) if code > 128 => code - 128,
            other => return other,
        };
        if sent.contains(&i32::from(number)) { End::Stopped(number) } else { self }
    }

    /// Returns the exit code that a shell gives for it.
    pub fn code(self) -> u8 {
        match self {
            End::Code(code) => code,
            End::Signal(signal) | End::Stopped(signal) => 128 + (signal & 0x7f),
        }
    }

    /// Whether the command succeeded.
    pub fn is_success(self) -> bool {
        matches!(self, End::Code(0) | End::Stopped(_))
    }
}

impl std::fmt::Display for End {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            End::Code(code) => write!(out, "exit code {code}"),
            End::Signal(signal) | End::Stopped(signal) => write!(out, "signal {signal}"),
        }
    }
}

/// A process that the command left running.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Remaining {
    /// Its id.
    pub pid: u32,
    /// The name of its program.
    pub name: String,
}

impl std::fmt::Display for Remaining {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} (process {})", self.name, self.pid)
    }
}

/// How the command and its processes ended.
pub struct Ended {
    /// How the command itself ended.
    pub end: End,
    /// Whether the wrapper sent a signal to it, or to what it left running.
    pub was_signalled: bool,
    /// The processes that it started and that were still running when the wrapper stopped waiting.
    pub remaining: Vec<Remaining>,
}

/// How long the wrapper waits after the command has ended.
pub struct Patience<'a> {
    /// The time for processes that have no cassette open.
    pub limit: Duration,
    /// Whether a process has a cassette open. As long as it has, the wrapper waits for it.
    pub has_cassette: &'a dyn Fn(u32) -> bool,
    /// Called once if the wrapper has to wait, with what it waits for.
    pub waiting: &'a dyn Fn(&[Remaining]),
}

/// An event that the wrapper waits for.
enum WaitEvent {
    /// A process ended.
    Ended(Pid, WaitStatus),
    /// No process is left.
    NoneLeft,
    /// A signal came; true if a process sent it, false if the terminal did.
    Signal(i32, bool),
    /// It is time to stop the command.
    Stop,
}

/// After this time the wrapper tells the user what it waits for.
const QUIET: Duration = Duration::from_secs(2);
/// A time-out that never comes.
const FOREVER: Duration = Duration::from_secs(365 * 24 * 3600);
/// How often the wrapper looks whether a remaining process has a cassette open.
const LOOK: Duration = Duration::from_millis(200);

/// Runs the command and waits for it and for the processes that it started.
///
/// Signals from the terminal, such as Ctrl-C, reach the command directly, because it belongs to the same process group;
/// the wrapper survives them to give its verdict. It passes on signals that a process sends to it.
///
/// # Errors
/// The command is not found ([`Exit::NotFound`]) or cannot be run ([`Exit::CannotRun`]).
pub fn run(command: &mut Command, stop: Option<&Stop>, patience: &Patience<'_>) -> Result<Ended, Failure> {
    let shown = command.get_program().to_string_lossy().into_owned();
    let cannot = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Failure::new(format_args!("{shown}: there is no such command")).with(Exit::NotFound),
        _ => Failure::new(format_args!("{shown}: cannot run it: {error}")).with(Exit::CannotRun),
    };
    // Registered before the command starts, so that no signal is missed.
    let mut signals = SignalsInfo::<WithOrigin>::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2])
        .map_err(|error| Failure::new(format_args!("cannot listen for signals: {error}")).with(Exit::CannotStart))?;
    // If the kernel refuses this, the wrapper waits only for the command itself.
    let _ = set_child_subreaper(Some(rustix::process::getpid()));
    let (sender, news) = channel();
    let mut child = {
        if stop.is_some_and(Stop::reads_output) {
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        }
        command.spawn().map_err(cannot)?
    };
    let copies = stop.map(|stop| copy_output(&mut child, stop, &sender)).unwrap_or_default();
    let to_main = sender.clone();
    std::thread::spawn(move || {
        for origin in signals.forever() {
            if to_main.send(WaitEvent::Signal(origin.signal, sent(origin.cause))).is_err() {
                return;
            }
        }
    });
    std::thread::spawn(move || reap(&sender));
    let mut watch = Watch { main: Pid::from_child(&child), end: None, news, stop, sent: Vec::new(), stopped: false };
    let end = watch.until_the_command_ends();
    let remaining = watch.until_nothing_is_left(patience);
    if remaining.is_empty() {
        for copy in copies {
            let _ = copy.join();
        }
    }
    Ok(Ended { end, was_signalled: !watch.sent.is_empty(), remaining })
}

/// Copies the command's output to ours and looks for the line that stops the command.
fn copy_output(child: &mut Child, stop: &Stop, news: &Sender<WaitEvent>) -> Vec<JoinHandle<()>> {
    let found = |news: &Sender<WaitEvent>| {
        let news = news.clone();
        move || drop(news.send(WaitEvent::Stop))
    };
    let out = child.stdout.take().and_then(|pipe| watch_output(stop, pipe, io::stdout(), found(news)));
    let error = child.stderr.take().and_then(|pipe| watch_output(stop, pipe, io::stderr(), found(news)));
    out.into_iter().chain(error).collect()
}

/// Waits for every child, including orphaned descendants, and reports the end of each.
fn reap(news: &Sender<WaitEvent>) {
    loop {
        let status = match wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) => news.send(WaitEvent::Ended(pid, status)),
            Ok(None) | Err(rustix::io::Errno::INTR) => continue,
            Err(_) => {
                let _ = news.send(WaitEvent::NoneLeft);
                return;
            }
        };
        if status.is_err() {
            return;
        }
    }
}

/// The state of watching a command.
struct Watch<'a> {
    main: Pid,
    end: Option<End>,
    news: Receiver<WaitEvent>,
    stop: Option<&'a Stop>,
    /// The signals that were passed on to the command.
    sent: Vec<i32>,
    /// Whether it was stopped as the options say.
    stopped: bool,
}

impl Watch<'_> {
    fn until_the_command_ends(&mut self) -> End {
        let mut stops = self.stop.and_then(|stop| stop.after).map(|after| Instant::now() + after);
        loop {
            let left = stops.map_or(FOREVER, |at| at.saturating_duration_since(Instant::now()));
            match self.news.recv_timeout(left) {
                Ok(WaitEvent::Ended(pid, status)) if pid == self.main => {
                    let end = End::of(status).after(&self.sent);
                    self.end = Some(end);
                    return end;
                }
                Ok(WaitEvent::Signal(signal, true)) => self.pass_on(signal),
                Err(RecvTimeoutError::Timeout) if stops.is_none() => {}
                Ok(WaitEvent::Stop) | Err(RecvTimeoutError::Timeout) => {
                    stops = None;
                    self.stop_it();
                }
                Ok(WaitEvent::NoneLeft) | Err(RecvTimeoutError::Disconnected) => {
                    return *self.end.get_or_insert(End::Code(Exit::Failed.code()));
                }
                Ok(WaitEvent::Ended(..) | WaitEvent::Signal(_, false)) => {}
            }
        }
    }

    /// Waits for the processes that the command left. Returns those that still run when the time is over.
    fn until_nothing_is_left(&mut self, patience: &Patience<'_>) -> Vec<Remaining> {
        let begun = Instant::now();
        let mut limit = begun + patience.limit;
        let mut stops = self.stop.and_then(|stop| stop.after).map(|after| begun + after);
        let mut has_said = false;
        loop {
            match self.news.recv_timeout(LOOK) {
                Ok(WaitEvent::NoneLeft) => return Vec::new(),
                Ok(WaitEvent::Ended(..)) => continue,
                Ok(WaitEvent::Signal(signal, true)) => self.pass_on(signal),
                // Ctrl-C: the command has ended, so the user means the wrapper
                Ok(WaitEvent::Signal(_, false)) | Err(RecvTimeoutError::Disconnected) => return remaining(),
                Ok(WaitEvent::Stop) => self.stop_it(),
                Err(RecvTimeoutError::Timeout) => {}
            }
            let (now, left) = (Instant::now(), remaining());
            if stops.is_some_and(|at| now >= at) {
                stops = None;
                self.stop_it();
            }
            if left.iter().any(|process| (patience.has_cassette)(process.pid)) {
                limit = limit.max(now + patience.limit.min(LOOK * 5));
            }
            if now >= limit {
                return left;
            }
            if !has_said && now - begun > QUIET && !left.is_empty() {
                has_said = true;
                (patience.waiting)(&left);
            }
        }
    }

    /// Sends the signal that the options name, once.
    fn stop_it(&mut self) {
        if let Some(stop) = self.stop.filter(|_| !self.stopped) {
            self.stopped = true;
            self.pass_on(stop.signal);
        }
    }

    /// Sends a signal to the command, or, if that has ended, to the processes that it left running.
    fn pass_on(&mut self, number: i32) {
        let Some(signal) = Signal::from_named_raw(number) else { return };
        self.sent.push(number);
        // The process may just have ended, so an error is ignored.
        if self.end.is_none() {
            let _ = kill_process(self.main, signal);
            return;
        }
        for pid in children().into_iter().filter_map(|child| Pid::from_raw(child.pid as i32)) {
            let _ = kill_process(pid, signal);
        }
    }
}

/// Returns all descendants of this process that are running.
fn remaining() -> Vec<Remaining> {
    let all = processes();
    let mut found = vec![std::process::id()];
    let mut next = 0;
    while next < found.len() {
        let of = found[next];
        found.extend(all.iter().filter(|(parent, _)| *parent == of).map(|(_, process)| process.pid));
        next += 1;
    }
    let of_ours = |process: &Remaining| found[1..].contains(&process.pid);
    all.into_iter().map(|(_, process)| process).filter(of_ours).collect()
}

/// Returns the children of this process.
fn children() -> Vec<Remaining> {
    let own = std::process::id();
    processes().into_iter().filter(|(parent, _)| *parent == own).map(|(_, process)| process).collect()
}

/// Returns every running process with its parent's id.
fn processes() -> Vec<(u32, Remaining)> {
    let running = super8_cassette::platform::running();
    running.map(|Running { pid, parent, name }| (parent, Remaining { pid, name })).collect()
}

/// Whether a process sent the signal. Signals from the terminal need not be passed on, because the command gets them as
/// well.
fn sent(cause: Cause) -> bool {
    matches!(cause, Cause::Sent(_) | Cause::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_by_a_signal_that_was_sent_is_orderly() {
        assert_eq!(End::Signal(15).after(&[15]), End::Stopped(15));
        assert_eq!(End::Code(143).after(&[1, 15]), End::Stopped(15));
        for (end, sent) in [(End::Signal(9), vec![15]), (End::Signal(15), vec![]), (End::Code(3), vec![3])] {
            assert_eq!(end.after(&sent), end);
            assert!(!end.is_success());
        }
        assert!(End::Stopped(15).is_success() && End::Code(0).after(&[15]).is_success());
    }
}
