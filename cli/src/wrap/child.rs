//! The wrapped command: started, waited for, and told of the signals that only the wrapper got.

use crate::exit::{Exit, Failure};
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::WithOrigin;
use signal_hook::low_level::siginfo::Cause;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};

/// How the command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By itself, with this exit code.
    Code(u8),
    /// By this signal.
    Signal(u8),
}

impl End {
    fn of(status: ExitStatus) -> End {
        match (status.code(), status.signal()) {
            (Some(code), _) => End::Code(code as u8),
            (None, Some(signal)) => End::Signal(signal as u8),
            (None, None) => End::Code(Exit::Failed.code()),
        }
    }

    /// The exit code a shell gives for it.
    pub fn code(self) -> u8 {
        match self {
            End::Code(code) => code,
            End::Signal(signal) => 128 + (signal & 0x7f),
        }
    }
}

impl std::fmt::Display for End {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            End::Code(code) => write!(out, "exit code {code}"),
            End::Signal(signal) => write!(out, "signal {signal}"),
        }
    }
}

/// Runs the command to its end.
///
/// Ctrl-C and its kind reach the command from the terminal, because it belongs to the same process group; the wrapper
/// outlives them to give its verdict. A signal that somebody sent to the wrapper is passed on.
///
/// # Errors
/// The command is not found ([`Exit::NotFound`]) or cannot be run ([`Exit::CannotRun`]).
pub fn run(command: &mut Command) -> Result<End, Failure> {
    let shown = command.get_program().to_string_lossy().into_owned();
    let cannot = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Failure::new(format_args!("{shown}: there is no such command")).with(Exit::NotFound),
        _ => Failure::new(format_args!("{shown}: cannot run it: {error}")).with(Exit::CannotRun),
    };
    // Before the command is there, so that no signal falls between.
    let mut signals = SignalsInfo::<WithOrigin>::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2])
        .map_err(|error| Failure::new(format_args!("cannot listen for signals: {error}")).with(Exit::CannotStart))?;
    let handle = signals.handle();
    let mut child = command.spawn().map_err(cannot)?;
    let pid = Pid::from_child(&child);
    let listener = std::thread::spawn(move || {
        for origin in signals.forever() {
            if let (true, Some(signal)) = (sent(origin.cause), Signal::from_named_raw(origin.signal)) {
                // The command may just have ended.
                let _ = kill_process(pid, signal);
            }
        }
    });
    let status = child.wait();
    handle.close();
    let _ = listener.join();
    status.map(End::of).map_err(cannot)
}

/// Whether a process sent the signal: what the terminal sends, the command gets as well.
fn sent(cause: Cause) -> bool {
    matches!(cause, Cause::Sent(_) | Cause::Unknown)
}
