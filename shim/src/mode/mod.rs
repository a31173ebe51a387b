//! Record and replay: the two ways a call can go other than straight to the driver.
//!
//! A mode sees calls, driver calls and cassette entries; it never sees a handle. What a statement's application side looks
//! like (bound buffers, row array, attributes) is modelled once, in `application`, for both.

mod answers;
mod application;
mod asynchronous;
mod bindings;
mod calls;
mod cells;
mod columns;
mod connect;
mod connection;
mod connection_cassette;
mod cursor;
mod descriptors;
mod execute;
mod fetch;
mod get_data;
pub mod keys;
mod lengths;
mod metadata;
mod moving;
mod operation;
pub mod outcome;
mod outputs;
mod parameters;
mod polling;
mod positioned;
mod probe;
mod reading;
mod record;
mod replay;
mod rowset;
mod statement;
mod transactions;

pub use connect::Connect;
pub use connection::{ANSI_APP, Connection, ConnectionMode, DescriptorMode, StatementMode};
pub use probe::Probe;
pub use record::{Recorded, unwritable};
pub use replay::Replayed;
