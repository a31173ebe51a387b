//! Compares what is asked with what was recorded, and says what differs.

pub(crate) mod alike;
pub(crate) mod as_written;
pub(crate) mod comparison;
pub(crate) mod mismatch;
pub(crate) mod scope;
pub(crate) mod transactions;
