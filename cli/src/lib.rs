//! `super8`, the command. Each verb is a file in [`verbs`]. Modules that several verbs need are beside it, such as exit
//! codes ([`exit`]), and standard output and progress bars ([`output`]).
#![forbid(unsafe_code)]

pub mod alignment;
pub mod cassette;
pub mod cassette_diff;
pub mod check;
pub mod doctor;
pub mod edit;
pub mod events;
pub mod exit;
pub mod folder;
pub mod import;
pub mod libraries;
pub mod lru_map;
pub mod output;
pub(crate) mod rows_diff;
pub mod run_directory;
pub mod runs;
pub mod show;
pub mod temporary_odbcinst;
pub mod verbs;
pub mod verify;
pub mod wrap;

use clap::Parser;

/// Records a program's ODBC session to a cassette and replays it without the database.
#[derive(Parser)]
#[command(name = "super8", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = exit::TABLE)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub verb: verbs::Verb,
}
