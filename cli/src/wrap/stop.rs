//! When and how the wrapper stops a command that does not end by itself: `--stop-with`, `--stop-after`, `--stop-on-output`.

use clap::{ArgGroup, Args};
use regex::bytes::Regex;
use signal_hook::consts::{SIGHUP, SIGINT, SIGKILL, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
use std::io::{self, Read, Write};
use std::thread::JoinHandle;
use std::time::Duration;

/// The options.
#[derive(Args)]
#[command(group = ArgGroup::new("when").multiple(true).args(["stop_after", "stop_on_output"]))]
pub struct StopOptions {
    /// Stop the command after this time, and give the verdict: 5s, 500ms, 2m
    #[arg(long, value_name = "TIME", value_parser = duration)]
    stop_after: Option<Duration>,
    /// Stop the command when a line of its output matches this
    #[arg(long, value_name = "REGEX", value_parser = Regex::new)]
    stop_on_output: Option<Regex>,
    /// The signal that stops it
    #[arg(long, value_name = "SIGNAL", default_value = "TERM", value_parser = signal, requires = "when")]
    stop_with: i32,
    /// How long to wait for processes that the command leaves running and that have no cassette open
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub wait: Duration,
}

/// When and how a command is stopped.
#[derive(Clone, Debug)]
pub struct Stop {
    /// The signal.
    pub signal: i32,
    /// After this time.
    pub after: Option<Duration>,
    /// At this line of output.
    on_output: Option<Regex>,
}

impl StopOptions {
    /// Returns when and how to stop the command; `None` if no option asks for it.
    pub fn stop(&self) -> Option<Stop> {
        let stop = Stop { signal: self.stop_with, after: self.stop_after, on_output: self.stop_on_output.clone() };
        (stop.after.is_some() || stop.on_output.is_some()).then_some(stop)
    }
}

impl Stop {
    /// Whether the command's output has to be read.
    pub fn reads_output(&self) -> bool {
        self.on_output.is_some()
    }
}

/// Copies a command's output as it comes, on a thread of its own. Calls `found` once, at the first line that matches. A
/// line matches as soon as the part of it that has arrived does, so a prompt without a line end counts. Returns `None`
/// if the output need not be watched.
pub fn watch_output(
    stop: &Stop,
    mut from: impl Read + Send + 'static,
    mut to: impl Write + Send + 'static,
    found: impl FnOnce() + Send + 'static,
) -> Option<JoinHandle<()>> {
    let pattern = stop.on_output.clone()?;
    let mut found = Some(found);
    Some(std::thread::spawn(move || {
        let (mut buffer, mut line) = ([0; 8192], Vec::new());
        loop {
            let count = match from.read(&mut buffer) {
                Ok(0) => return,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => return,
            };
            // If the reader of our output is gone, keep reading: otherwise the command would block on a full pipe.
            let _ = to.write_all(&buffer[..count]).and_then(|()| to.flush());
            for part in buffer[..count].split_inclusive(|byte| *byte == b'\n') {
                if found.is_none() {
                    break;
                }
                line.extend(part.strip_suffix(b"\n").unwrap_or(part));
                if pattern.is_match(&line)
                    && let Some(found) = found.take()
                {
                    found();
                }
                if part.ends_with(b"\n") {
                    line.clear();
                }
            }
        }
    }))
}

fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let seconds = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err("write a number and ms, s, m or h, such as 5s".to_owned()),
    };
    let number: f64 = number.parse().map_err(|_| "write a number and ms, s, m or h, such as 5s".to_owned())?;
    Duration::try_from_secs_f64(number * seconds).map_err(|error| error.to_string())
}

fn signal(text: &str) -> Result<i32, String> {
    let names = [
        ("TERM", SIGTERM),
        ("INT", SIGINT),
        ("QUIT", SIGQUIT),
        ("HUP", SIGHUP),
        ("USR1", SIGUSR1),
        ("USR2", SIGUSR2),
        ("KILL", SIGKILL),
    ];
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let named = |(known, number): &&(&str, i32)| *known == name || number.to_string() == name;
    let found = names.iter().find(named).map(|(_, number)| *number);
    let known: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
    found.ok_or_else(|| format!("write one of {}", known.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[test]
    fn times_and_signals_are_read() {
        for (text, milliseconds) in [("5s", 5000), ("0.5", 500), ("250ms", 250), ("2m", 120_000)] {
            assert_eq!(duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for wrong in ["", "s", "5 days", "-1s", "."] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
        for (text, number) in [("TERM", SIGTERM), ("sigint", SIGINT), ("9", SIGKILL)] {
            assert_eq!(signal(text), Ok(number), "{text}");
        }
        assert!(signal("SIGWINCH").is_err_and(|advice| advice.contains("TERM, INT")));
    }

    #[test]
    fn a_line_counts_before_its_end_and_once() {
        let stop = Stop { signal: SIGTERM, after: None, on_output: Some(Regex::new("^ready").unwrap()) };
        let (sender, receiver) = channel();
        let text = b"not ready\nready to serve".as_slice();
        let copy = watch_output(&stop, text, io::sink(), move || sender.send(()).unwrap());
        copy.unwrap().join().unwrap();
        assert_eq!(receiver.iter().count(), 1);
    }
}
