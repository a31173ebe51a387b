//! [`align`] compares two sequences and says which items are in both and which only in one of them. It holds only a
//! window of each, so the sequences may be of any length.
//!
//! Within a window the alignment is a patience diff. An item that moved further than a window is reported as removed
//! and added.

use similar::{Algorithm, DiffOp, capture_diff_slices};
use std::collections::{HashSet, VecDeque};

/// The size of a window, in items.
const ITEMS: usize = 4_000;
/// The size of a window, in bytes.
const BYTES: usize = 4 << 20;

/// An item of a sequence.
pub trait Item {
    /// Returns the key. Items with the same key are the same.
    fn key(&self) -> &str;
    /// Returns the bytes of memory that it takes.
    fn bytes(&self) -> usize;
}

/// Where an item is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Side<T> {
    /// In both.
    Both(T, T),
    /// Only in the first.
    Old(T),
    /// Only in the second.
    New(T),
}

/// Gives the next item of a sequence, or `None` at its end.
pub type Source<'s, T, E> = &'s mut dyn FnMut() -> Result<Option<T>, E>;

/// Aligns two sequences and hands each item to `found`, in order. Where items are in one sequence only, those of the
/// first come before those of the second.
///
/// # Errors
/// Any error that a source or `found` returns.
pub fn align<T: Item, E>(
    old: Source<'_, T, E>,
    new: Source<'_, T, E>,
    found: &mut dyn FnMut(Side<T>) -> Result<(), E>,
) -> Result<(), E> {
    let (mut old, mut new) = (Window::of(old), Window::of(new));
    loop {
        old.fill(1)?;
        new.fill(1)?;
        match (old.held.front(), new.held.front()) {
            (None, None) => return Ok(()),
            (Some(was), Some(is)) if was.key() == is.key() => both(&mut old, &mut new, found)?,
            _ => {
                old.fill(ITEMS)?;
                new.fill(ITEMS)?;
                resynchronize(&mut old, &mut new, found)?;
            }
        }
    }
}

fn both<T: Item, E>(
    old: &mut Window<'_, T, E>,
    new: &mut Window<'_, T, E>,
    found: &mut dyn FnMut(Side<T>) -> Result<(), E>,
) -> Result<(), E> {
    match (old.take(), new.take()) {
        (Some(was), Some(is)) => found(Side::Both(was, is)),
        _ => Ok(()),
    }
}

/// Hands out what the windows hold. If the sequences go on, it hands out only the first half, because the partner of a
/// later item may not have been read yet.
fn resynchronize<T: Item, E>(
    old: &mut Window<'_, T, E>,
    new: &mut Window<'_, T, E>,
    found: &mut dyn FnMut(Side<T>) -> Result<(), E>,
) -> Result<(), E> {
    let (olds, news) = (old.held.len(), new.held.len());
    let whole = old.ended && new.ended;
    let (mut from_old, mut from_new) = (0, 0);
    for (nth, (at_old, at_new)) in pairs(&old.held, &new.held).into_iter().enumerate() {
        if !whole && nth > 0 && (at_old > olds / 2 || at_new > news / 2) {
            return Ok(());
        }
        alone(old, at_old - from_old, &mut |item| found(Side::Old(item)))?;
        alone(new, at_new - from_new, &mut |item| found(Side::New(item)))?;
        both(old, new, found)?;
        (from_old, from_new) = (at_old + 1, at_new + 1);
    }
    if whole || from_old + from_new == 0 {
        alone(old, olds - from_old, &mut |item| found(Side::Old(item)))?;
        alone(new, news - from_new, &mut |item| found(Side::New(item)))?;
    }
    Ok(())
}

/// Returns the positions of items that are in both windows, in order. It drops items without a partner before it
/// compares, because a diff of two sequences with nothing in common takes quadratic time.
fn pairs<T: Item>(old: &VecDeque<T>, new: &VecDeque<T>) -> Vec<(usize, usize)> {
    let of = |items: &VecDeque<T>, others: &VecDeque<T>| -> Vec<usize> {
        let keys: HashSet<&str> = others.iter().map(Item::key).collect();
        (0..items.len()).filter(|at| keys.contains(items[*at].key())).collect()
    };
    let (olds, news) = (of(old, new), of(new, old));
    let old_keys: Vec<&str> = olds.iter().map(|at| old[*at].key()).collect();
    let new_keys: Vec<&str> = news.iter().map(|at| new[*at].key()).collect();
    let operations = capture_diff_slices(Algorithm::Patience, &old_keys, &new_keys);
    let equal = operations.into_iter().filter_map(|operation| match operation {
        DiffOp::Equal { old_index, new_index, len } => Some((old_index, new_index, len)),
        _ => None,
    });
    equal
        .flat_map(|(old, new, len)| (0..len).map(move |at| (old + at, new + at)))
        .map(|(old, new)| (olds[old], news[new]))
        .collect()
}

fn alone<T: Item, E>(
    window: &mut Window<'_, T, E>,
    count: usize,
    found: &mut dyn FnMut(T) -> Result<(), E>,
) -> Result<(), E> {
    for _ in 0..count {
        window.take().map_or(Ok(()), &mut *found)?;
    }
    Ok(())
}

struct Window<'s, T, E> {
    source: Source<'s, T, E>,
    held: VecDeque<T>,
    bytes: usize,
    ended: bool,
}

impl<'s, T: Item, E> Window<'s, T, E> {
    fn of(source: Source<'s, T, E>) -> Self {
        Window { source, held: VecDeque::new(), bytes: 0, ended: false }
    }

    fn fill(&mut self, most: usize) -> Result<(), E> {
        while !self.ended && self.held.len() < most && (self.bytes < BYTES || self.held.is_empty()) {
            match (self.source)()? {
                Some(item) => {
                    self.bytes += item.bytes();
                    self.held.push_back(item);
                }
                None => self.ended = true,
            }
        }
        Ok(())
    }

    fn take(&mut self) -> Option<T> {
        let item = self.held.pop_front()?;
        self.bytes -= item.bytes();
        Some(item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    impl Item for String {
        fn key(&self) -> &str {
            self
        }

        fn bytes(&self) -> usize {
            self.len()
        }
    }

    /// Returns the items of one side alone and the numbers of items in both, in order, such as `-a 3 +b`.
    fn aligned(old: &[String], new: &[String]) -> String {
        let (mut old, mut new) = (old.iter().cloned(), new.iter().cloned());
        let (mut shown, mut same) = (Vec::new(), 0);
        let Ok(()) = align::<String, Infallible>(&mut || Ok(old.next()), &mut || Ok(new.next()), &mut |side| {
            let word = match side {
                Side::Both(was, is) => {
                    assert_eq!(was, is);
                    same += 1;
                    return Ok(());
                }
                Side::Old(item) => format!("-{item}"),
                Side::New(item) => format!("+{item}"),
            };
            if same > 0 {
                shown.push(std::mem::take(&mut same).to_string());
            }
            shown.push(word);
            Ok(())
        });
        if same > 0 {
            shown.push(same.to_string());
        }
        shown.join(" ")
    }

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn what_is_in_both_and_in_one() {
        for (old, new, shown) in [
            ("a b c", "a b c", "3"),
            ("a b c", "a x c", "1 -b +x 1"),
            ("a b c", "a b", "2 -c"),
            ("", "a b", "+a +b"),
            ("a b", "c d", "-a -b +c +d"),
            ("x a b", "a b y", "-x 2 +y"),
        ] {
            assert_eq!(aligned(&words(old), &words(new)), shown);
        }
    }

    #[test]
    fn a_sequence_is_longer_than_the_window() {
        let long: Vec<String> = (0..5 * ITEMS).map(|number| number.to_string()).collect();
        let mut changed = long.clone();
        changed.remove(4 * ITEMS);
        changed.insert(3, "new".to_owned());
        changed[2 * ITEMS] = "other".to_owned();
        let shown =
            format!("3 +new {} -{} +other {} -{} {}", 2 * ITEMS - 4, 2 * ITEMS - 1, 2 * ITEMS, 4 * ITEMS, ITEMS - 1);
        assert_eq!(aligned(&long, &changed), shown);
        // moved further than the window reaches: nothing is lost, and the sequences are aligned again after it
        let behind: Vec<String> = (0..2 * ITEMS).map(|number| format!("x{number}")).chain(long.clone()).collect();
        let shown = aligned(&long, &behind);
        assert_eq!(shown.matches('+').count() - shown.matches('-').count(), 2 * ITEMS);
        let others: Vec<String> = long.iter().map(|word| format!("{word}!")).collect();
        assert_eq!(aligned(&long, &others).matches(['+', '-']).count(), 10 * ITEMS, "nothing in common, and soon done");
    }
}
