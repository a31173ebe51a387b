//! Writes reports and warnings to a log file, else to standard error, unless the verdict has them for somebody to
//! print.

use crate::verdict::Delivery;
use std::fmt::Arguments;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use super8_cassette::within_limit;

/// Writes a line (or a whole report) that no verdict has.
pub fn say(log: Option<&Path>, text: Arguments<'_>) {
    write(log, text, true);
}

/// Writes what the verdict has as well. It does not go to standard error if the verdict reached somebody who reads
/// that.
pub fn say_verdict(log: Option<&Path>, text: Arguments<'_>, delivery: Delivery) {
    write(log, text, delivery != Delivery::Written);
}

/// Writes to the log. A report that cannot be written is lost, because there is no better place for it.
fn write(log: Option<&Path>, text: Arguments<'_>, aloud: bool) {
    let variable = || std::env::var_os("SUPER8_LOG").filter(|path| !path.is_empty()).map(PathBuf::from);
    let log = log.map(Path::to_owned).or_else(variable);
    let file = log.and_then(|path| std::fs::OpenOptions::new().create(true).append(true).open(path).ok());
    let text = format!("{text}\n");
    let has_room =
        |file: &File| file.metadata().is_ok_and(|metadata| within_limit(metadata.len() + text.len() as u64).is_ok());
    let file = file.filter(has_room);
    match file {
        Some(mut file) => drop(file.write_all(text.as_bytes())),
        None if aloud => drop(std::io::stderr().write_all(text.as_bytes())),
        None => {}
    }
}
