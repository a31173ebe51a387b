//! An ODBC application in Rust, as `super8 verify` needs one: it connects, executes and reads cells as a recording has
//! them. The driver manager is looked for when the program runs, so that `super8` starts where there is none.
//!
//! The unsafe room of the command: [`manager`] looks the functions up, the handles call them (docs/safety.md).

mod bound;
mod connection;
mod failure;
mod manager;
mod parameter;
mod statement;

pub use connection::Connection;
pub use failure::Failure;
pub use manager::Manager;
pub use parameter::Parameter;
pub use statement::{Argument, Column, Statement};
