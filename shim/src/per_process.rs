//! Values that each process has for itself: a forked child begins with none and makes its own.
//!
//! So a child never waits for a lock that a thread of its parent held at the fork, and never goes on with what belongs
//! to its parent: an open cassette, a list of what to publish at exit. What the parent had stays where it is, so that
//! nothing of it is closed in the child.

use once_cell::sync::OnceCell;
use std::convert::Infallible;
use super8_cassette::process;

/// A value for each process.
#[derive(Debug)]
pub struct PerProcess<T>(OnceCell<Box<Generation<T>>>);

/// The value of a process, and that of a child that was forked from it.
#[derive(Debug)]
struct Generation<T> {
    process: u32,
    value: T,
    next: PerProcess<T>,
}

impl<T> PerProcess<T> {
    /// Returns a value that no process has yet.
    pub const fn new() -> Self {
        PerProcess(OnceCell::new())
    }

    /// Returns this process's value. It is made from its parent's, if that had one.
    ///
    /// # Errors
    /// `make` fails.
    pub fn get_or_try_init<E>(&self, make: impl FnOnce(Option<&T>) -> Result<T, E>) -> Result<&T, E> {
        let (process, mut cell, mut before) = (process::id(), &self.0, None);
        loop {
            match cell.get() {
                Some(generation) if generation.process == process => return Ok(&generation.value),
                Some(generation) => (before, cell) = (Some(&generation.value), &generation.next.0),
                None => {
                    let made = || make(before).map(|value| Box::new(Generation::of(value)));
                    return cell.get_or_try_init(made).map(|generation| &generation.value);
                }
            }
        }
    }

    /// Returns this process's value as [`PerProcess::get_or_try_init`] does, where making one cannot fail.
    pub fn get_or_init(&self, make: impl FnOnce(Option<&T>) -> T) -> &T {
        match self.get_or_try_init(|before| Ok::<T, Infallible>(make(before))) {
            Ok(value) => value,
            Err(never) => match never {},
        }
    }

    /// Returns this process's value, or the last one that a process before it had.
    #[inline]
    pub fn latest(&self) -> Option<&T> {
        let mut generation = self.0.get()?;
        while let Some(next) = generation.next.0.get() {
            generation = next;
        }
        Some(&generation.value)
    }
}

impl<T: Default> PerProcess<T> {
    /// Returns this process's value.
    pub fn get(&self) -> &T {
        self.get_or_init(|_| T::default())
    }
}

impl<T> Default for PerProcess<T> {
    fn default() -> Self {
        PerProcess::new()
    }
}

impl<T> Generation<T> {
    fn of(value: T) -> Self {
        Generation { process: process::id(), value, next: PerProcess::new() }
    }
}
