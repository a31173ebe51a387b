//! Where reports go: the file SUPER8_LOG names, else standard error.

use std::fmt::Arguments;
use std::io::Write;

/// Says a line (or a whole report). A report that cannot be written is lost: there is no better place to say so.
pub fn say(text: Arguments<'_>) {
    let log = std::env::var_os("SUPER8_LOG").filter(|path| !path.is_empty());
    let file = log.and_then(|path| std::fs::OpenOptions::new().create(true).append(true).open(path).ok());
    let text = format!("{text}\n");
    match file {
        Some(mut file) => drop(file.write_all(text.as_bytes())),
        None => drop(std::io::stderr().write_all(text.as_bytes())),
    }
}
