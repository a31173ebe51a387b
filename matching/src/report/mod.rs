//! Explains a mismatch: what differs, what is near, and what to do.

pub(crate) mod advice;
pub(crate) mod explain;
pub(crate) mod find_volatile;
pub(crate) mod headline;
pub(crate) mod text;
