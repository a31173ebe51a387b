//! The YAML side of a cassette: our own writer, our own fast reader for that form, and `serde_yaml` for anything else.
//!
//! [`emit`] and [`scalar`] write. [`items`] cuts a log into items. [`read`] reads an item or a small file: first with
//! [`canonical`], which knows exactly the form that [`emit`] writes and declines anything else, then with [`fallback`],
//! which takes any YAML that a person may have written.

mod canonical;
mod emit;
mod fallback;
mod items;
mod read;
mod scalar;
#[cfg(test)]
mod tests;

pub use emit::{emit_answer, emit_document, emit_entry, emit_item};
pub(crate) use items::blocks;
pub use items::{Item, Items};
pub(crate) use read::{ByHand, Written, line_of, line_of_element, parse_by_hand, parse_reply, parse_row, read_by_hand};
pub use read::{has_key, parse_answer, parse_entry, parse_head, parse_tagged, read_document, read_rules};
