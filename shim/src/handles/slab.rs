//! Handles as tokens, which consist of a generation, an index and a kind instead of an address.
//!
//! A token that is stale, foreign, of the wrong kind or freed twice is refused without touching memory. Slots live in
//! chunks that never move and are never freed, so a look-up takes no lock, and a handle that is freed during a call
//! stays readable.

use crate::per_process::PerProcess;
use parking_lot::Mutex;
use std::ffi::c_void;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use super8_cassette::process;

const CHUNK: usize = 256;
const CHUNKS: usize = 1 << 14;
const KIND_BITS: u32 = 2;
const INDEX_BITS: u32 = 22;

/// What a slot holds.
pub trait Entity: Default + Send + Sync + 'static {
    /// Two bits that tell the kinds of handles apart.
    const KIND: usize;

    /// Returns the value to the state of a fresh handle, before its slot is used again.
    fn reset(&self);
}

/// All handles of one kind.
pub struct Slab<T> {
    chunks: [OnceLock<Box<[Slot<T>]>>; CHUNKS],
    free: PerProcess<Mutex<Free>>,
}

#[derive(Default)]
struct Slot<T> {
    /// Odd while the handle lives.
    generation: AtomicU32,
    /// The process in which it was allocated.
    process: AtomicU32,
    value: T,
}

struct Free {
    indices: Vec<u32>,
    next: u32,
}

/// A handle as the application holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Token(pub usize);

impl Token {
    /// The null handle.
    pub const NULL: Token = Token(0);

    /// Returns the token in a C handle.
    pub fn from_handle(handle: *mut c_void) -> Self {
        Token(handle as usize)
    }

    /// Returns the token as a C handle.
    pub fn handle(self) -> *mut c_void {
        self.0 as *mut c_void
    }
}

impl<T> Slot<T> {
    fn is_alive(&self) -> bool {
        self.generation.load(Ordering::Acquire) & 1 == 1
    }
}

impl<T: Entity> Default for Slab<T> {
    fn default() -> Self {
        Slab::new()
    }
}

impl<T: Entity> Slab<T> {
    /// Returns a slab without handles.
    pub const fn new() -> Self {
        Slab { chunks: [const { OnceLock::new() }; CHUNKS], free: PerProcess::new() }
    }

    /// Allocates a fresh handle; `None` if four million of this kind are alive.
    pub fn allocate(&'static self) -> Option<(Token, &'static T)> {
        let index = {
            let mut free = self.free().lock();
            match free.indices.pop() {
                Some(index) => index,
                None if (free.next as usize) < CHUNK * CHUNKS => {
                    free.next += 1;
                    free.next - 1
                }
                None => return None,
            }
        };
        let chunk = self.chunks[index as usize / CHUNK].get_or_init(|| (0..CHUNK).map(|_| Slot::default()).collect());
        let slot = &chunk[index as usize % CHUNK];
        slot.value.reset();
        slot.process.store(process::id(), Ordering::Relaxed);
        let generation = slot.generation.fetch_add(1, Ordering::AcqRel).wrapping_add(1);
        let token = (generation as usize) << (INDEX_BITS + KIND_BITS) | (index as usize) << KIND_BITS | T::KIND;
        Some((Token(token), &slot.value))
    }

    /// Returns what `token` stands for, if it is alive and of this kind.
    #[inline]
    pub fn get(&'static self, token: Token) -> Option<&'static T> {
        self.slot(token).map(|slot| &slot.value)
    }

    /// Ends the life of `token`. Returns `false` if it was not alive.
    pub fn release(&'static self, token: Token) -> bool {
        let Some(slot) = self.slot(token) else { return false };
        let generation = (token.0 >> (INDEX_BITS + KIND_BITS)) as u32;
        if slot
            .generation
            .compare_exchange(generation, generation.wrapping_add(1), Ordering::AcqRel, Ordering::Relaxed)
            .is_err()
        {
            return false;
        }
        self.free().lock().indices.push((token.0 >> KIND_BITS & ((1 << INDEX_BITS) - 1)) as u32);
        true
    }

    /// Returns the values that are alive at this moment and were allocated by this process.
    pub fn alive(&'static self) -> impl Iterator<Item = &'static T> {
        let process = process::id();
        let own = move |slot: &&Slot<T>| slot.is_alive() && slot.process.load(Ordering::Relaxed) == process;
        self.slots().filter(own).map(|slot| &slot.value)
    }

    fn slots(&'static self) -> impl Iterator<Item = &'static Slot<T>> {
        self.chunks.iter().filter_map(OnceLock::get).flat_map(|chunk| chunk.iter())
    }

    /// Returns the list of free slots. A forked child builds its own, because a thread of its parent may have held the
    /// lock of the parent's.
    fn free(&'static self) -> &'static Mutex<Free> {
        self.free.get_or_init(|_| {
            let made = self.chunks.iter().rposition(|chunk| chunk.get().is_some()).map_or(0, |last| last + 1);
            let is_free = |index: &u32| {
                let chunk = self.chunks[*index as usize / CHUNK].get();
                chunk.is_none_or(|chunk| !chunk[*index as usize % CHUNK].is_alive())
            };
            let next = (made * CHUNK) as u32;
            Mutex::new(Free { indices: (0..next).rev().filter(is_free).collect(), next })
        })
    }

    #[inline]
    fn slot(&'static self, token: Token) -> Option<&'static Slot<T>> {
        if token.0 & ((1 << KIND_BITS) - 1) != T::KIND {
            return None;
        }
        let index = token.0 >> KIND_BITS & ((1 << INDEX_BITS) - 1);
        let slot = &self.chunks[index / CHUNK].get()?[index % CHUNK];
        let generation = (token.0 >> (INDEX_BITS + KIND_BITS)) as u32;
        (generation & 1 == 1 && slot.generation.load(Ordering::Acquire) == generation).then_some(slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Thing(AtomicU32);

    impl Entity for Thing {
        const KIND: usize = 2;
        fn reset(&self) {
            self.0.store(0, Ordering::Relaxed);
        }
    }

    static THINGS: Slab<Thing> = Slab::new();

    #[test]
    fn tokens_are_refused_once_freed() {
        let (token, thing) = THINGS.allocate().unwrap();
        thing.0.store(7, Ordering::Relaxed);
        assert_eq!(THINGS.get(token).unwrap().0.load(Ordering::Relaxed), 7);
        assert_eq!(THINGS.alive().count(), 1);
        assert!(THINGS.release(token));
        assert_eq!(THINGS.alive().count(), 0);
        assert!(THINGS.get(token).is_none());
        assert!(!THINGS.release(token), "a second free is refused");
        let (again, thing) = THINGS.allocate().unwrap();
        assert_ne!(again, token, "the slot is used again under another token");
        assert_eq!(thing.0.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn foreign_tokens_are_refused() {
        for token in [0, 1, 2, 3, usize::MAX, &THINGS as *const _ as usize, 0x1234_5678] {
            assert!(THINGS.get(Token(token)).is_none(), "{token:#x}");
        }
    }
}
