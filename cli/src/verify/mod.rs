//! What a cassette says of a database, held against the database as it is now.
//!
//! [`plan`] reads the recorded executions and what came of them and says which of them only read, [`live`] does those again, [`compare`] holds the two results against each other, and [`report`] tells where they diverge.

pub mod compare;
pub mod live;
pub mod plan;
pub mod report;
