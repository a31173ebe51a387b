//! The YAML side of a cassette: our own writer, our own fast reader of that form, and `serde_yaml` for anything else.
//!
//! [`emit`] and [`scalar`] write, [`scan`] cuts a log into items, [`read`] reads an item or a small file: first with
//! [`canonical`], which knows exactly the form that [`emit`] writes and declines anything else, then with
//! [`fallback`], which takes whatever YAML a person made of it. [`limits`] refuses what would only waste time.

mod canonical;
pub mod emit;
mod fallback;
mod limits;
#[cfg(test)]
mod properties;
pub mod read;
pub mod scalar;
pub mod scan;

pub use emit::{emit_answer, emit_document, emit_entry, emit_item};
pub(crate) use read::line_of;
pub use read::{Head, has_key, parse_answer, parse_entry, parse_head, parse_tagged, read_document};
pub use scan::{Item, Items};

/// How deeply lists and maps may be nested; ours are five deep at most.
const MAX_DEPTH: usize = 64;
