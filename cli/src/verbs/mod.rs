//! The verbs, one file each. A verb is a `clap::Args` structure whose fields are its options, with an example in
//! `after_help`, and `run(self) -> Outcome`. To add one: its file, a `mod` line, a variant with a line of help, an arm.

mod check;
mod completions;
mod convert;
mod diff;
mod doctor;
mod import;
mod install;
mod migrate;
mod new;
mod once;
mod record;
mod recover;
mod replay;
mod run;
mod show;
mod sweep;
mod trim;
mod unused;
mod verify;

use crate::exit::Outcome;
use clap::Subcommand;

/// What to do.
#[derive(Subcommand)]
pub enum Verb {
    /// Run a command with its real drivers and write a cassette
    Record(record::Record),
    /// Run a command without drivers and database; fail unless it does what was recorded
    Replay(replay::Replay),
    /// Replay the cassette if there is one, record it otherwise
    Once(once::Once),
    /// Let each recorded command fail once, and say what the program does then
    Sweep(sweep::Sweep),
    /// Run a command with super8 before every driver, and no cassette
    Run(run::Run),
    /// Show a cassette as a timeline, in the terminal or as a page
    Show(show::Show),
    /// Do the recorded reads again on the live database, and say where it diverges
    Verify(verify::Verify),
    /// Say what is wrong with cassettes
    Check(check::Check),
    /// Compare two cassettes by what they mean
    Diff(diff::Diff),
    /// Say which cassettes no test opened in the last run
    Unused(unused::Unused),
    /// Make a cassette of a recording that did not end cleanly
    Recover(recover::Recover),
    /// Begin a cassette that is written by hand, as a mock
    New(new::New),
    /// Add the rows of a CSV file to a cassette that is written by hand
    Import(import::Import),
    /// Take connections, statements and commands out of a recording
    Trim(trim::Trim),
    /// Put super8 in the place of a driver, for every program (with --apply)
    Install(install::Install),
    /// Put the driver back (with --apply)
    Uninstall(install::Uninstall),
    /// Say what is installed, what would happen, and what to do about it
    Doctor(doctor::Doctor),
    /// Copy a cassette to the other format, or make one of Softprobe's records
    Convert(convert::Convert),
    /// Bring a cassette of the super8 gem up to date (with --apply)
    Migrate(migrate::Migrate),
    /// Print the completions of a shell
    Completions(completions::Completions),
}

impl Verb {
    /// Runs the verb.
    pub fn run(self) -> Outcome {
        match self {
            Verb::Record(verb) => verb.run(),
            Verb::Replay(verb) => verb.run(),
            Verb::Once(verb) => verb.run(),
            Verb::Sweep(verb) => verb.run(),
            Verb::Run(verb) => verb.run(),
            Verb::Show(verb) => verb.run(),
            Verb::Verify(verb) => verb.run(),
            Verb::Check(verb) => verb.run(),
            Verb::Diff(verb) => verb.run(),
            Verb::Unused(verb) => verb.run(),
            Verb::Recover(verb) => verb.run(),
            Verb::New(verb) => verb.run(),
            Verb::Import(verb) => verb.run(),
            Verb::Trim(verb) => verb.run(),
            Verb::Install(verb) => verb.run(),
            Verb::Uninstall(verb) => verb.run(),
            Verb::Doctor(verb) => verb.run(),
            Verb::Convert(verb) => verb.run(),
            Verb::Migrate(verb) => verb.run(),
            Verb::Completions(verb) => verb.run(),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn every_verb_has_an_example_in_its_help() {
        let command = crate::Arguments::command();
        command.clone().debug_assert();
        for verb in command.get_subcommands() {
            let help = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
            let name = verb.get_name();
            assert!(help.contains("Example") && help.contains(&format!("super8 {name}")), "{name}: {help:?}");
        }
    }
}
