//! Compares what a cassette says of a database with the database as it is now.
//!
//! [`plan`] reads the recorded executions with their results and says which of them only read, [`live`] repeats those,
//! [`compare`] compares the two results, and [`report`] says where they diverge.

pub mod compare;
pub mod live;
pub mod plan;
pub mod report;
