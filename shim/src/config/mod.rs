//! What the user said in the environment, ini files and connection strings. Reads and edits text; loads nothing.

mod attempts;
pub mod command;
pub mod completed;
pub mod connection_string;
pub mod given;
pub mod ini;
pub mod keywords;
pub mod locations;
pub mod redact;
pub mod running_test;
pub mod secrets;
pub mod settings;
pub mod sources;
pub mod variables;

/// A function that returns a variable of the environment by name: `std::env::var_os` in the driver, a table in tests.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<std::ffi::OsString>;
