//! Commands that a chore runs.

use std::process::{Command, Stdio};

/// The result of a chore; the error is a message for the user.
pub type Done = Result<(), String>;

/// Returns a cargo command that runs in the repository's top directory.
pub fn cargo(words: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(words).current_dir(super8_tests::products::repository());
    // `cargo run` sets these variables for this program only. A cargo that it starts must not rebuild because of them.
    for variable in ["CARGO_MANIFEST_DIR", "CARGO_PKG_NAME", "CARGO_PKG_VERSION"] {
        command.env_remove(variable);
    }
    command
}

/// Prints a command and runs it with its output shown.
pub fn run(mut command: Command) -> Done {
    println!("+ {}", shown(&command));
    let status = command.stdin(Stdio::null()).status().map_err(|error| format!("{}: {error}", shown(&command)))?;
    if status.success() { Ok(()) } else { Err(format!("{} failed ({status})", shown(&command))) }
}

/// Returns a command as one would type it.
pub fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let name = |word: &std::ffi::OsStr| word.to_string_lossy().into_owned();
    let mut words: Vec<String> = words.map(name).collect();
    if words[0].ends_with("/cargo") {
        words[0] = "cargo".into();
    }
    words.join(" ")
}
