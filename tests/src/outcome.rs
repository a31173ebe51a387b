//! The outcome of a program: everything that it printed, and how it ended.

use std::process::{Command, Stdio};

/// The seconds after which a program is killed, so that a hang becomes a failure.
const LIMIT: &str = "120";

/// Output and end of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What it wrote to standard output.
    pub stdout: Vec<u8>,
    /// What it wrote to standard error.
    pub stderr: Vec<u8>,
    /// `exit 0`, or the signal that ended it.
    pub status: String,
}

impl Outcome {
    /// Runs `command` to its end, with `input` as its standard input.
    pub fn of(command: &Command, input: &[u8]) -> Outcome {
        let mut limited = Command::new("timeout");
        limited.args(["--signal=KILL", LIMIT]).arg(command.get_program()).args(command.get_args());
        limited.env_clear();
        for (key, value) in command.get_envs() {
            if let Some(value) = value {
                limited.env(key, value);
            }
        }
        if let Some(directory) = command.get_current_dir() {
            limited.current_dir(directory);
        }
        limited.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = limited.spawn().unwrap_or_else(|error| panic!("cannot run {name}: {error}"));
        let mut stdin = child.stdin.take();
        let output = std::thread::scope(|scope| {
            scope.spawn(move || {
                // A program may end before it has read everything; that is no failure.
                let _ = stdin.take().map(|mut pipe| std::io::Write::write_all(&mut pipe, input));
            });
            child.wait_with_output()
        });
        let output = output.unwrap_or_else(|error| panic!("cannot wait for {name}: {error}"));
        Outcome { stdout: output.stdout, stderr: output.stderr, status: output.status.to_string() }
    }

    /// True when it ended with exit code 0.
    pub fn succeeded(&self) -> bool {
        self.status == "exit status: 0"
    }

    /// Returns standard output as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Returns standard error as text.
    pub fn errors(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// Returns all of it as a text for people.
    pub fn all(&self) -> Vec<u8> {
        let mut all = b"--- standard output\n".to_vec();
        all.extend(&self.stdout);
        all.extend(b"\n--- standard error\n");
        all.extend(&self.stderr);
        all.extend(format!("\n--- {}\n", self.status).bytes());
        all
    }
}
