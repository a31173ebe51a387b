//! Record and replay: the two modes that intercept a call instead of forwarding it to the driver.
//!
//! A mode sees calls, driver calls and cassette entries, never a handle. The application's side of a statement (bound
//! buffers, row array, attributes) is modelled once for both modes, in `application`.

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
