//! Finds, for the report of a mismatch, where else the log has what was asked, and the recorded command that is most like
//! it if none is equal.

use std::collections::HashMap;

use similar::{Algorithm, capture_diff_slices, get_diff_ratio};

use crate::compare::comparison::Comparison;
use crate::log::index::Index;
use super8_cassette::store::Store;
use super8_cassette::{CassetteError, Entry, Method, Value, sets};

/// How many words of a command are compared.
const WORDS: usize = 2_000;
/// The least ratio; what is less alike is another command.
const ENOUGH: f32 = 0.5;

/// A recorded command that is like what was asked.
#[derive(Debug)]
pub(crate) struct Alike {
    pub(crate) position: u32,
    pub(crate) entry: Entry,
    /// How much alike, from 0 to 1: twice the number of words they share in order, divided by the number of words of both.
    pub(crate) ratio: f32,
}

/// Finds the most similar command of the same kind around a position; the nearest if several are equally similar. Run
/// and prepare are of the same kind, because both bring a text.
pub(crate) fn alike(
    index: &Index,
    store: &dyn Store,
    asked: &Entry,
    from: u32,
) -> Result<Option<Alike>, CassetteError> {
    let text = words(asked);
    let mut counts: HashMap<&str, usize> = HashMap::new();
    text.iter().for_each(|word| *counts.entry(word).or_default() += 1);
    let (mut best, mut read): (Option<Alike>, usize) = (None, 0);
    for step in 0..WINDOW {
        let places = [from.checked_add(step), from.checked_sub(step + 1)];
        for position in places.into_iter().flatten().filter(|position| *position < index.len()) {
            let slot = index.slot(position);
            if kind(slot.method) != kind(asked.method) || slot.method.is_rows() {
                continue;
            }
            read += 1;
            if read > READ {
                return Ok(best);
            }
            let entry = sets::entry(store, slot.place())?;
            let other = words(&entry);
            let least = best.as_ref().map_or(ENOUGH, |best| best.ratio);
            if at_most(&counts, text.len(), &other) <= least {
                continue;
            }
            let difference = capture_diff_slices(Algorithm::Myers, &text, &other);
            let ratio = get_diff_ratio(&difference, text.len(), other.len());
            if ratio > least {
                best = Some(Alike { position, entry, ratio });
            }
        }
    }
    Ok(best)
}

fn kind(method: Method) -> Method {
    if method == Method::Prepare { Method::Run } else { method }
}

/// Returns an upper bound of the ratio: that of the words in any order.
fn at_most(counts: &HashMap<&str, usize>, length: usize, other: &[String]) -> f32 {
    let mut left = counts.clone();
    let shared = other.iter().filter(|word| match left.get_mut(word.as_str()) {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        _ => false,
    });
    2.0 * shared.count() as f32 / (length + other.len()).max(1) as f32
}

/// Returns the words of a command's inputs. Any character that is not a letter, digit or blank is a word by itself.
fn words(entry: &Entry) -> Vec<String> {
    let mut words = Vec::new();
    entry.fields.iter().filter(|(key, _)| !key.is_reply()).for_each(|(_, value)| add(value, &mut words));
    words
}

fn add(value: &Value, words: &mut Vec<String>) {
    match value {
        Value::Text(text) => {
            let mut word = String::new();
            for character in text.chars() {
                if words.len() >= WORDS {
                    return;
                }
                if character.is_alphanumeric() || character == '_' {
                    word.push(character);
                    continue;
                }
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                if !character.is_whitespace() {
                    words.push(character.to_string());
                }
            }
            words.extend((!word.is_empty()).then_some(word));
        }
        Value::List(items) => items.iter().for_each(|item| add(item, words)),
        Value::Map(pairs) => pairs.iter().for_each(|(key, value)| {
            if words.len() < WORDS {
                words.push(key.clone());
                add(value, words);
            }
        }),
        other => words.push(format!("{other:?}")),
    }
}

/// How many positions to look at before and after the place of a mismatch.
pub(crate) const WINDOW: u32 = 2_000;
/// How many entries to read for it.
pub(crate) const READ: usize = 1_000;

/// A recorded entry that is what was asked, except perhaps for the statement or connection.
#[derive(Debug)]
pub(crate) struct Nearest {
    pub(crate) position: u32,
    pub(crate) entry: Entry,
}

/// Finds the nearest such entry: first after the place of the mismatch, and first on the same statement.
pub(crate) fn nearest(
    index: &Index,
    store: &dyn Store,
    asked: &Entry,
    from: u32,
    comparison: &Comparison,
) -> Result<Option<Nearest>, CassetteError> {
    let after = from..from.saturating_add(WINDOW).min(index.len());
    let before = (from.saturating_sub(WINDOW)..from.min(index.len())).rev();
    let (mut found, mut read): (Option<Nearest>, usize) = (None, 0);
    for position in after.chain(before) {
        let slot = index.slot(position);
        let same_place = index.ids(slot.connection(), slot.statement()) == (asked.connection, asked.statement);
        if asked.method.is_rows() && asked.method != Method::FetchScroll {
            // only the statement says which rows are asked for, and earlier rows were read
            if slot.method.is_rows() && same_place && position >= from {
                return Ok(Some(Nearest { position, entry: super8_cassette::sets::entry(store, slot.place())? }));
            }
            continue;
        }
        if slot.method != asked.method || (found.is_some() && !same_place) {
            continue;
        }
        read += 1;
        if read > READ {
            break;
        }
        let entry = super8_cassette::sets::entry(store, slot.place())?;
        let marked = comparison.marked(index, store, position, entry.clone())?;
        if comparison.difference(&marked, asked).is_none() {
            found = Some(Nearest { position, entry });
            if same_place || asked.method == Method::Connect {
                break;
            }
        }
    }
    Ok(found)
}
