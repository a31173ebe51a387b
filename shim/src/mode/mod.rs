//! Record and replay: the two ways a call can go other than straight to the driver.
//!
//! A mode sees calls, driver calls and cassette entries; it never sees a handle. What a statement's application side looks
//! like (bound buffers, row array, attributes) is modelled once, in `application`, for both.

mod application;
mod columns;
mod connection_cassette;
mod descriptors;
mod functions;
pub mod keys;
mod moving;
mod operation;
pub mod outcome;
mod outputs;
mod parameters;
mod polling;
mod probe;
mod reading;
pub mod record;
pub mod replay;
mod rowset;

pub use crate::descriptor::DescriptorRole;
pub use application::Application;
pub use probe::Probe;

use crate::args::Binding;
use crate::call::{Call, DriverCall};
use crate::descriptor::{Content, SharedDescriptor};
use crate::diagnostics::Outcome;
use crate::table::Function;
use std::sync::Arc;

/// A connection that is recorded or replayed.
pub trait ConnectionMode: Send + Sync {
    /// Serves a call on the connection.
    fn serve(&self, function: Function, call: &Call<'_>, driver_call: &dyn DriverCall) -> Outcome;

    /// A new statement on the connection.
    fn statement(self: Arc<Self>) -> Arc<dyn StatementMode>;

    /// A new descriptor that the application allocated on the connection.
    fn descriptor(self: Arc<Self>) -> Arc<dyn DescriptorMode>;

    /// The connection ended (SQLDisconnect succeeded, or the handle is gone).
    fn disconnected(&self);
}

/// A statement that is recorded or replayed.
pub trait StatementMode: Send + Sync {
    /// Serves a call on the statement.
    fn serve(&self, function: Function, call: &Call<'_>, driver_call: &dyn DriverCall) -> Outcome;

    /// Serves SQLGetData, which is called for every cell.
    fn get_data(&self, column: u16, binding: &Binding, driver_call: &dyn DriverCall) -> Outcome;

    /// Serves a call on one of the statement's four descriptors.
    fn serve_descriptor(
        &self,
        role: DescriptorRole,
        function: Function,
        call: &Call<'_>,
        driver_call: &dyn DriverCall,
    ) -> Outcome;

    /// Somebody asked for one of the statement's descriptors, as a driver manager does for every statement that a program
    /// allocates: it is none of the driver manager's own.
    fn is_applications(&self);

    /// What one of the statement's four descriptors holds now.
    fn content(&self, role: DescriptorRole) -> Content;

    /// The statement was freed.
    fn dropped(&self);
}

/// A descriptor of the application's that is recorded or replayed.
pub trait DescriptorMode: Send + Sync {
    /// Serves a call on the descriptor.
    fn serve(&self, function: Function, call: &Call<'_>, driver_call: &dyn DriverCall) -> Outcome;

    /// What the statements it is attached to share.
    fn shared(&self) -> Arc<SharedDescriptor>;
}

/// What cannot be recorded yet fails while recording, before anything reaches the database.
fn not_yet(what: &str) -> Outcome {
    Outcome::error("HYC00", format!("{what} cannot be recorded or replayed yet; use SUPER8_MODE=off for this program"))
}
