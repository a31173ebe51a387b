//! The recorded log: an index of its entries, a cursor over them, rows and answers.

pub(crate) mod answers;
pub(crate) mod columns;
pub(crate) mod connection_info;
pub(crate) mod cursor;
pub(crate) mod index;
pub(crate) mod rows;
pub(crate) mod script;
