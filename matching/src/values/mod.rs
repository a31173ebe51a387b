//! What recorded values stand for in the program that is replayed: bound values, and how a value may be written.

pub(crate) mod bindings;
pub(crate) mod spellings;
