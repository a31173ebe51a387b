//! The report of a wrapped run, in a form for people, for scripts, or for the test page of a CI server.

mod machine;
mod text;

pub use machine::{suite as junit_suite, word};

use super::verdict::Run;
use crate::exit::Failure;
use clap::ValueEnum;
use std::io::Write;
use std::path::Path;

/// The form of the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// For people; nothing if there is nothing to say
    #[default]
    Text,
    /// One object
    Json,
    /// The XML that CI servers read
    Junit,
}

/// Writes the report to a file, or to standard error (standard output is the command's).
///
/// # Errors
/// The file cannot be written.
pub fn write(run: &Run<'_>, form: Form, file: Option<&Path>) -> Result<(), Failure> {
    let report = match form {
        Form::Text => text::report(run),
        Form::Json => machine::json(run),
        Form::Junit => machine::junit(run),
    };
    let Some(file) = file else {
        // Standard error may be closed. That is ignored, because the exit code gives the verdict.
        _ = anstream::stderr().write_all(report.as_bytes());
        return Ok(());
    };
    let plain = anstream::adapter::strip_str(&report).to_string();
    let directory = file.parent().filter(|directory| !directory.as_os_str().is_empty());
    directory
        .map_or(Ok(()), std::fs::create_dir_all)
        .and_then(|()| std::fs::write(file, plain))
        .map_err(|error| Failure::new(format_args!("cannot write the report to {}: {error}", file.display())))?;
    // Also prints the one-line summary for whoever looks at the terminal.
    if form != Form::Text {
        _ = anstream::stderr().write_all(text::summary(run).as_bytes());
    }
    Ok(())
}
