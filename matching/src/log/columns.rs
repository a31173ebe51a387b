//! Finds what was recorded about a result's columns.
//!
//! A statement's entries fall into stretches, one for each result, and each begins with the command that gives the
//! result. What is known about a result's columns is in its stretch. For the result of an execute it may also come
//! after the prepare, or after another execute of the same text.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::log::index::Index;
use super8_cassette::store::{EntryRef, Store};
use super8_cassette::{CassetteError, Entry, Key, Method, Value, check};

/// The key that names the column file.
const FILE: Key = Key::ColumnsFile;

/// How many column files are kept in memory.
const KEPT: usize = 64;

/// The column files that were read last, the latest at the end.
#[derive(Debug, Default)]
pub(crate) struct Columns(Mutex<Vec<(String, Arc<Value>)>>);

impl Columns {
    /// Returns the columns of the result that is current before `bound`. `positions` are those of the statement.
    pub(crate) fn find(
        &self,
        index: &Index,
        store: &dyn Store,
        positions: &[u32],
        bound: u32,
    ) -> Result<Option<Arc<Value>>, CassetteError> {
        let method = |at: usize| index.slot(positions[at]).method;
        let begins = |at: &usize| gives_result(index, store, positions[*at]);
        let before = positions.partition_point(|position| *position < bound);
        let next = |from: usize| (from..positions.len()).find(begins);
        let Some(current) = (0..before).rev().find(begins) else {
            return self.read(index, store, positions, next(0).unwrap_or(0));
        };
        if let Some(columns) = self.read(index, store, positions, current)? {
            return Ok(Some(columns));
        }
        if method(current) == Method::Execute {
            for earlier in (0..current).rev().filter(begins) {
                let columns = match method(earlier) {
                    Method::MoreResults => None,
                    _ => self.read(index, store, positions, earlier)?,
                };
                if columns.is_some() {
                    return Ok(columns);
                }
                if !matches!(method(earlier), Method::Execute | Method::MoreResults) {
                    break;
                }
            }
        }
        if matches!(method(current), Method::Execute | Method::Prepare) {
            let later = (current + 1..positions.len()).filter(begins);
            for later in later.take_while(|at| matches!(method(*at), Method::Execute | Method::MoreResults)) {
                let columns = match method(later) {
                    Method::Execute => self.read(index, store, positions, later)?,
                    _ => None,
                };
                if columns.is_some() {
                    return Ok(columns);
                }
            }
        }
        Ok(None)
    }

    /// Returns the columns recorded in the stretch that begins at `begin`.
    fn read(
        &self,
        index: &Index,
        store: &dyn Store,
        positions: &[u32],
        begin: usize,
    ) -> Result<Option<Arc<Value>>, CassetteError> {
        let mut found: Option<Arc<Value>> = None;
        for (at, position) in positions.iter().enumerate().skip(begin) {
            let slot = index.slot(*position);
            if at > begin && gives_result(index, store, *position) {
                break;
            }
            if slot.method != Method::Columns {
                continue;
            }
            let columns = self.document(store, slot.place())?;
            found = Some(match found {
                None => columns,
                Some(known) if known == columns => known,
                Some(known) => Arc::new(merge(&known, &columns)),
            });
        }
        Ok(found)
    }

    /// Forgets the column files when another part is played, because its files have the same names.
    pub(crate) fn forget(&self) {
        self.0.lock().clear();
    }

    fn document(&self, store: &dyn Store, place: EntryRef) -> Result<Arc<Value>, CassetteError> {
        let entry = store.checked_entry(place)?;
        let member = name(store, place, &entry)?;
        if let Some(known) = self.kept(member) {
            return Ok(known);
        }
        // read the file without holding the lock
        let document = Arc::new(read(store, place, &entry)?);
        let kept = &mut *self.0.lock();
        if kept.len() == KEPT {
            kept.remove(0);
        }
        kept.push((member.to_owned(), Arc::clone(&document)));
        Ok(document)
    }

    fn kept(&self, member: &str) -> Option<Arc<Value>> {
        let kept = &mut *self.0.lock();
        let at = kept.iter().position(|(name, _)| name == member)?;
        kept[at..].rotate_left(1);
        kept.last().map(|(_, document)| Arc::clone(document))
    }
}

/// Reads the columns that a `columns` entry names.
///
/// # Errors
/// The column file does not exist or cannot be read.
pub fn read(store: &dyn Store, place: EntryRef, entry: &Entry) -> Result<Value, CassetteError> {
    let member = name(store, place, entry)?;
    let columns = store.document(member).map_err(|error| store.refuse_member(place, FILE.name(), member, &error))?;
    match check::check_columns(&columns) {
        Ok(()) => Ok(columns),
        Err(wrong) => {
            let (file, line) = store.locate_item(member, wrong.key.parse().unwrap_or(0), wrong.rest.trim_matches('.'));
            Err(wrong.error(&file, line))
        }
    }
}

fn name<'e>(store: &dyn Store, place: EntryRef, entry: &'e Entry) -> Result<&'e str, CassetteError> {
    let name = entry.get(FILE).and_then(Value::as_text);
    name.ok_or_else(|| store.refuse(place, FILE.name(), "is not a file's name"))
}

/// Returns whether a stretch begins there. A `more_results` that found no further result begins none: the driver may go
/// on describing the last result, whose columns are recorded already.
fn gives_result(index: &Index, store: &dyn Store, position: u32) -> bool {
    let slot = index.slot(position);
    match slot.method {
        Method::Run | Method::Prepare | Method::Execute | Method::Catalog => true,
        // an entry that cannot be read is reported where it is played
        Method::MoreResults => {
            !store.checked_entry(slot.place()).is_ok_and(|entry| matches!(entry.get(Key::Result), Some(Value::Null)))
        }
        _ => false,
    }
}

/// Merges two descriptions, column by column and key by key. Where both say something, the later one counts.
pub(crate) fn merge(known: &Value, more: &Value) -> Value {
    match (known, more) {
        (Value::List(known), Value::List(more)) => {
            let both = known.iter().zip(more).map(|(known, more)| merge(known, more));
            let rest = if known.len() > more.len() { &known[more.len()..] } else { &more[known.len()..] };
            Value::List(both.chain(rest.iter().cloned()).collect())
        }
        (Value::Map(known), Value::Map(more)) => {
            let mut pairs = known.clone();
            for (key, value) in more {
                match pairs.iter_mut().find(|(name, _)| name == key) {
                    Some((_, known)) => *known = value.clone(),
                    None => pairs.push((key.clone(), value.clone())),
                }
            }
            Value::Map(pairs)
        }
        _ => more.clone(),
    }
}
