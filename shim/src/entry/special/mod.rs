//! The functions for handles, connecting and diagnostics, which need more than a forwarded call.
#![allow(non_snake_case, clippy::missing_safety_doc, clippy::too_many_arguments, missing_docs)]

mod attributes;
mod columns;
mod connect;
mod descriptors;
mod diagnose;
mod handles;
mod transact;

pub use attributes::*;
pub use columns::*;
pub use connect::*;
pub use descriptors::*;
pub use diagnose::*;
pub use handles::*;
pub use transact::*;
