//! Commands run in the repository, shown before they run.

use std::process::{Command, Stdio};

/// Why a chore could not be done, for the person who asked for it.
pub type Done = Result<(), String>;

/// Cargo, in the repository's top directory.
pub fn cargo(words: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(words).current_dir(super8_tests::products::repository());
    // `cargo run` sets these for this program alone; a cargo below it must not rebuild because of them.
    for variable in ["CARGO_MANIFEST_DIR", "CARGO_PKG_NAME", "CARGO_PKG_VERSION"] {
        command.env_remove(variable);
    }
    command
}

/// Shows a command, runs it and lets it print.
pub fn run(mut command: Command) -> Done {
    println!("+ {}", shown(&command));
    let status = command.stdin(Stdio::null()).status().map_err(|error| format!("{}: {error}", shown(&command)))?;
    if status.success() { Ok(()) } else { Err(format!("{} failed ({status})", shown(&command))) }
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let name = |word: &std::ffi::OsStr| word.to_string_lossy().into_owned();
    let mut words: Vec<String> = words.map(name).collect();
    if words[0].ends_with("/cargo") {
        words[0] = "cargo".into();
    }
    words.join(" ")
}
