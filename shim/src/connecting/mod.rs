//! What a connect leads to: the settings, the real driver or the cassette, and the cassette's connect command.

mod environment;
mod noting;
mod plan;
mod request;

pub use environment::{RecordedEnvironment, early_driver, replayed_environment};
pub use noting::{record, replay};
pub use plan::{Plan, plan};
pub use request::Request;
