//! The report for scripts: one JSON object.

use crate::events::Selected;
use crate::exit::Exit;
use crate::wrap::child::End;
use crate::wrap::verdict::Run;
use serde::Serialize;

#[derive(Serialize)]
struct Report<'a> {
    verb: &'a str,
    cassette: &'a str,
    command: &'a [String],
    /// `passed`, or the worst finding.
    verdict: &'static str,
    exit_code: u8,
    command_exit_code: Option<u8>,
    command_signal: Option<u8>,
    seconds: f64,
    cassettes: &'a [crate::wrap::verdict::Played],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    faults: &'a [crate::wrap::verdict::FaultNote],
    leaks: &'a [crate::wrap::verdict::Leak],
    /// Which tests were run, if not all.
    #[serde(skip_serializing_if = "Selected::is_all")]
    selected: &'a Selected,
    /// Processes that were still running.
    remaining: &'a [crate::wrap::child::Remaining],
    notes: &'a [String],
}

/// Returns the report.
pub fn report(run: &Run<'_>) -> String {
    let exit = run.verdict.exit();
    let (code, signal) = match run.verdict.end {
        End::Code(code) => (Some(code), None),
        End::Signal(signal) | End::Stopped(signal) => (None, Some(signal)),
    };
    let report = Report {
        verb: run.verb,
        cassette: run.cassette,
        command: run.command,
        verdict: word(exit),
        exit_code: exit.code(),
        command_exit_code: code,
        command_signal: signal,
        seconds: run.seconds,
        cassettes: &run.verdict.cassettes,
        faults: &run.verdict.faults,
        leaks: &run.verdict.leaks,
        selected: &run.verdict.selected,
        remaining: &run.verdict.remaining,
        notes: run.notes,
    };
    // Serializing fails only for maps whose keys are not text, and there is none.
    serde_json::to_string_pretty(&report).unwrap_or_default() + "\n"
}

/// Returns the name of a verdict in the report.
pub fn word(exit: Exit) -> &'static str {
    match exit {
        Exit::Done => "passed",
        Exit::Mismatch => "mismatch",
        Exit::Unplayed => "unplayed",
        Exit::Unwritable => "unwritable",
        Exit::Leaked => "leaked",
        Exit::NeverConnected => "never_connected",
        Exit::Killed => "killed",
        Exit::StillRunning => "still_running",
        _ => "command_failed",
    }
}
