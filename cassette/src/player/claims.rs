//! Which recorded connection a live one is, under `order: connection`.
//!
//! A live connection gets the first recorded connect that agrees with it and is not claimed yet. This is the place to let
//! it stay undecided among several that agree until its commands tell them apart.

use std::collections::HashSet;

use super::compare::difference;
use super::index::Index;
use crate::storage::Cassette;
use crate::{CassetteError, Entry};

/// The recorded connects that are taken.
#[derive(Debug, Default)]
pub(super) struct Claims {
    /// All connects before this one, of those in the index, are taken.
    first_free: usize,
    taken: HashSet<u32>,
}

impl Claims {
    /// Takes the first free connect that agrees; its position and entry.
    pub(super) fn claim(
        &mut self,
        index: &Index,
        storage: &dyn Cassette,
        asked: &Entry,
    ) -> Result<Option<(u32, Entry)>, CassetteError> {
        for position in &index.connects()[self.first_free..] {
            if self.taken.contains(position) {
                continue;
            }
            let entry = storage.entry(index.slot(*position).place())?;
            if difference(&entry, asked).is_none() {
                self.taken.insert(*position);
                self.advance(index);
                return Ok(Some((*position, entry)));
            }
        }
        Ok(None)
    }

    /// The first free connect.
    pub(super) fn next(&self, index: &Index) -> Option<u32> {
        index.connects().get(self.first_free).copied()
    }

    fn advance(&mut self, index: &Index) {
        while index.connects().get(self.first_free).is_some_and(|position| self.taken.remove(position)) {
            self.first_free += 1;
        }
    }
}
