//! A small ODBC application for `super8 verify`: it connects, executes and reads cells in the form of a recording. It
//! loads the driver manager at run time, so that `super8` also starts where there is none.
//!
//! This crate has the command's `unsafe` code: [`manager`] looks up the functions, and the handles call them
//! (docs/safety.md).

mod connection;
mod manager;
mod parameter;
mod statement;

pub use connection::Connection;
pub use manager::{Failure, Manager};
pub use parameter::Parameter;
pub use statement::{Argument, Column, Statement};
