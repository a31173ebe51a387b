//! Compares what is asked with what was recorded, key by key, and finds the first place where they differ.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::compare::mismatch::Difference;
use crate::compare::{as_written, scope};
use crate::log::index::Index;
use crate::log::rows::LiveValues;
use crate::values::bindings::{Bindings, Refused, SameColumn};
use super8_cassette::redaction::secrets;
use super8_cassette::schema::Role;
use super8_cassette::store::Store;
use super8_cassette::text::from_hex;
use super8_cassette::{CassetteError, ConnectionId, Detail, Entry, Key, Method, Value, comments, volatile};

/// Returns the first input in which the entries differ. Does not compare methods and ids.
pub(crate) fn difference(recorded: &Entry, asked: &Entry) -> Option<Difference> {
    let asked = &*secrets::accepted(recorded, asked);
    if recorded.get(Key::Match).is_some() {
        let asked = as_written::accepted(recorded, asked);
        return of_inputs(recorded, &volatile::accepted(recorded, &asked));
    }
    match recorded.get(Key::Volatile) {
        None => of_inputs(recorded, asked),
        Some(_) => of_inputs(recorded, &volatile::accepted(recorded, asked)),
    }
}

/// How entries are compared while a cassette is played.
#[derive(Clone, Debug)]
pub(crate) struct Comparison {
    /// Whether comments in SQL are compared.
    pub(crate) comments: bool,
    /// What recorded values stand for.
    pub(crate) bindings: Arc<Bindings>,
}

impl Comparison {
    /// Returns the difference in this run: bound values mean their live values, and comments are ignored if so configured.
    pub(crate) fn difference(&self, recorded: &Entry, asked: &Entry) -> Option<Difference> {
        let in_this_run = |recorded: &Entry, asked: &Entry| {
            if self.bindings.are_idle() && recorded.get(Key::Volatile).is_none() {
                return difference(recorded, asked);
            }
            match self.bindings.expected(recorded, asked) {
                Ok(expected) => difference(&expected, &self.in_order(&expected, asked)),
                Err(Refused { place, recorded, asked }) => {
                    Some(Difference { place, recorded: Some(recorded.into()), asked: Some(asked.into()) })
                }
            }
        };
        match in_this_run(recorded, asked) {
            Some(_) if !self.comments && asked.get(Key::Sql).is_some() => in_this_run(&plain(recorded), &plain(asked)),
            found => found,
        }
    }

    /// Returns what is asked with its unordered lists in the recorded order, where they have the same items.
    fn in_order<'a>(&self, recorded: &Entry, asked: &'a Entry) -> Cow<'a, Entry> {
        let rules = self.bindings.rules();
        let mut asked = Cow::Borrowed(asked);
        if !rules.ask_for_texts() {
            return asked;
        }
        let text = |entry: &Entry| entry.get(Key::Sql).and_then(Value::as_text).map(str::to_owned);
        if let (Some(was), Some(is)) = (text(recorded), text(&asked))
            && let Some(found) = rules.in_order(&was, &is)
        {
            put(asked.to_mut(), Key::Sql, Value::Text(found));
        }
        let list = |entry: &Entry| entry.get(Key::Params).and_then(Value::as_list).map(<[Value]>::to_vec);
        let (Some(was), Some(mut is)) = (list(recorded), list(&asked)) else { return asked };
        for item in volatile::items(recorded) {
            if let volatile::Volatile::Unordered(first, last) = item {
                set_in_order(&was, &mut is, first - 1..last);
            }
        }
        put(asked.to_mut(), Key::Params, Value::List(is));
        asked
    }

    /// Returns the SQL text of the statement that the entry at a position belongs to.
    pub(crate) fn text(
        index: &Index,
        store: &dyn Store,
        position: u32,
        entry: &Entry,
    ) -> Result<Option<String>, CassetteError> {
        let text = |entry: &Entry| entry.get(Key::Sql).and_then(Value::as_text).map(str::to_owned);
        if let Some(own) = text(entry) {
            return Ok(Some(own));
        }
        let slot = index.slot(position);
        let before = index.statement(slot.connection(), slot.statement()).iter().rev();
        let mut before = before.filter(|before| **before < position).map(|before| index.slot(*before));
        match before.find(|slot| matches!(slot.method, Method::Prepare | Method::Run)) {
            Some(given) => Ok(text(&store.checked_entry(given.place())?)),
            None => Ok(None),
        }
    }

    /// Returns the entry at a position with the marks that rules give it because of its statement's text.
    pub(crate) fn marked(
        &self,
        index: &Index,
        store: &dyn Store,
        position: u32,
        mut entry: Entry,
    ) -> Result<Entry, CassetteError> {
        let rules = self.bindings.rules();
        if rules.ask_for_texts()
            && entry.get(Key::Params).is_some()
            && let Some(text) = Comparison::text(index, store, position, &entry)?
        {
            let more = rules.marks(&text).into_iter().map(Value::Text);
            let own = entry.get(Key::Volatile).map(|list| list.as_list().unwrap_or(std::slice::from_ref(list)));
            let all: Vec<Value> = own.unwrap_or_default().iter().cloned().chain(more).collect();
            if !all.is_empty() {
                entry.fields.retain(|(key, _)| *key != Key::Volatile);
                entry = entry.with(Key::Volatile, Value::List(all));
            }
        }
        Ok(entry)
    }

    /// Returns what the rows of the entry at a position stand for, for the live connection that reads them; `None` if nothing is bound.
    pub(crate) fn live_rows(
        &self,
        index: &Index,
        store: &dyn Store,
        position: u32,
        (entry, user): (&Entry, ConnectionId),
    ) -> Result<Option<LiveValues>, CassetteError> {
        if !self.bindings.are_any() {
            return Ok(None);
        }
        let same = self.same_columns(index, store, position, entry)?;
        Ok(Some(LiveValues { bindings: Arc::clone(&self.bindings), user, same }))
    }

    /// Returns the columns of the entry at a position that rules `same` name.
    pub(crate) fn same_columns(
        &self,
        index: &Index,
        store: &dyn Store,
        position: u32,
        entry: &Entry,
    ) -> Result<Vec<SameColumn>, CassetteError> {
        let rules = self.bindings.rules();
        if !rules.name_columns() {
            return Ok(Vec::new());
        }
        let Some(text) = Comparison::text(index, store, position, entry)? else { return Ok(Vec::new()) };
        // the first cell is column 1, or column 0 if it is the bookmark
        let first = usize::from(entry.get(Key::Bookmarks) != Some(&Value::Bool(true)));
        let columns = rules.columns(&text).into_iter();
        Ok(columns.map(|(number, rule)| SameColumn { column: number - first, rule }).collect())
    }

    /// Binds the volatile values of a played entry to what is asked. `place` says where the entry stands.
    pub(crate) fn bind(&self, recorded: &Entry, asked: &Entry, place: impl FnOnce() -> String) {
        if self.bindings.are_idle() && recorded.get(Key::Volatile).is_none() {
            return;
        }
        match self.comments {
            true => self.bindings.bind(recorded, asked, place),
            false => self.bindings.bind(&plain(recorded), &plain(asked), place),
        }
    }
}

/// Puts the parameters in this range into the recorded order if they have the same values, in each set of an array.
fn set_in_order(was: &[Value], is: &mut [Value], range: Range<usize>) {
    if was.iter().any(|set| set.as_list().is_some()) {
        for (was, is) in was.iter().zip(is) {
            if let (Value::List(was), Value::List(is)) = (was, is) {
                set_in_order(was, is, range.clone());
            }
        }
        return;
    }
    let (Some(was), Some(part)) = (was.get(range.clone()), is.get_mut(range)) else { return };
    let mut left: Vec<&Value> = part.iter().collect();
    let same = was.iter().all(|value| {
        let found = left.iter().position(|other| *other == value);
        found.map(|at| left.swap_remove(at)).is_some()
    });
    if same {
        part.clone_from_slice(was);
    }
}

fn put(entry: &mut Entry, key: Key, value: Value) {
    if let Some((_, own)) = entry.fields.iter_mut().find(|(known, _)| *known == key) {
        *own = value;
    }
}

/// Returns an entry without the comments in its SQL.
fn plain(entry: &Entry) -> Entry {
    let mut entry = entry.clone();
    for (key, value) in entry.fields.iter_mut() {
        if let (Key::Sql, Value::Text(sql)) = (*key, value) {
            *sql = comments::without(sql);
        }
    }
    entry
}

fn of_inputs(recorded: &Entry, asked: &Entry) -> Option<Difference> {
    let connect = recorded.method == Method::Connect;
    let compared = |key: &Key| match key.role() {
        Role::Input | Role::Question => !(connect && scope::is_beside(*key)),
        Role::Reply | Role::Mark => false,
    };
    let own = asked.fields.iter().map(|(key, _)| *key).filter(compared);
    let left_out = recorded.fields.iter().map(|(key, _)| *key);
    // A connection that came from another cassette may also be a new one, but not one that came from the parent process.
    let is_same = |key: Key| key == Key::Continued && recorded.get(Key::Parent).is_none();
    let left_out = left_out.filter(|key| key.is_input() && !is_same(*key) && asked.get(*key).is_none());
    let fields = own.chain(left_out).find_map(|key| field(key.name(), recorded.get(key), asked.get(key)));
    fields.or_else(|| if connect { scope::difference(recorded, asked) } else { None })
}

/// Returns the first difference of two values that stand under a key. An empty list or map counts as none.
pub fn field(key: &str, recorded: Option<&Value>, asked: Option<&Value>) -> Option<Difference> {
    const NOTHING: Value = Value::List(Vec::new());
    let empty = |value: &&Value| match value {
        Value::List(items) => items.is_empty(),
        Value::Map(pairs) => pairs.is_empty(),
        _ => false,
    };
    match (recorded.filter(|value| !empty(value)), asked.filter(|value| !empty(value))) {
        (None, None) => None,
        (Some(recorded), Some(asked)) => value(key, &mut Vec::new(), recorded, asked),
        (recorded, asked) => {
            // compare a missing list as an empty one, so that the difference names the element
            match (recorded.unwrap_or(&NOTHING), asked.unwrap_or(&NOTHING)) {
                (recorded @ Value::List(_), asked @ Value::List(_)) => value(key, &mut Vec::new(), recorded, asked),
                _ => Some(Difference { place: key.to_owned(), recorded: recorded.cloned(), asked: asked.cloned() }),
            }
        }
    }
}

/// One step into a value.
#[derive(Clone, Debug)]
enum Step {
    Index(usize),
    Key(String),
}

fn value(key: &str, path: &mut Vec<Step>, recorded: &Value, asked: &Value) -> Option<Difference> {
    if recorded == asked || by_digest(recorded, asked) {
        return None;
    }
    let differs = |path: &[Step], recorded: Option<&Value>, asked: Option<&Value>| {
        Some(Difference { place: place(key, path), recorded: recorded.cloned(), asked: asked.cloned() })
    };
    match (recorded, asked) {
        (Value::List(recorded), Value::List(asked)) => (0..recorded.len().max(asked.len())).find_map(|index| {
            path.push(Step::Index(index));
            let found = match (recorded.get(index), asked.get(index)) {
                (Some(recorded), Some(asked)) => value(key, path, recorded, asked),
                (recorded, asked) => differs(path, recorded, asked),
            };
            path.pop();
            found
        }),
        (Value::Map(recorded), Value::Map(asked)) if !is_digest(recorded) => {
            // the order of keys in a map does not count
            let find = |pairs: &[(String, Value)], name: &str| pairs.iter().position(|(key, _)| key == name);
            let only_asked = asked.iter().filter(|(name, _)| find(recorded, name).is_none());
            recorded.iter().chain(only_asked).find_map(|(name, _)| {
                path.push(Step::Key(name.clone()));
                let at = |pairs: &[(String, Value)]| find(pairs, name).map(|at| pairs[at].1.clone());
                let found = match (at(recorded), at(asked)) {
                    (Some(recorded), Some(asked)) => value(key, path, &recorded, &asked),
                    (recorded, asked) => differs(path, recorded.as_ref(), asked.as_ref()),
                };
                path.pop();
                found
            })
        }
        _ => differs(path, Some(recorded), Some(asked)),
    }
}

/// Writes the place of a difference. Parameters and rows count from 1, as people count.
fn place(key: &str, path: &[Step]) -> String {
    match (key, path) {
        ("params", [Step::Index(set), Step::Index(parameter), rest @ ..]) => {
            place(&format!("parameter {} of row {}", parameter + 1, set + 1), rest)
        }
        ("params", [Step::Index(parameter), rest @ ..]) => place(&format!("parameter {}", parameter + 1), rest),
        _ => path.iter().fold(key.to_owned(), |place, step| match step {
            Step::Index(index) => format!("{place}[{index}]"),
            Step::Key(name) => format!("{place}.{name}"),
        }),
    }
}

fn is_digest(pairs: &[(String, Value)]) -> bool {
    [Detail::Sha256, Detail::Bytes].iter().all(|detail| pairs.iter().any(|(name, _)| name == detail.name()))
}

/// Says whether a recorded `{sha256, bytes}` stands for the value that is asked: a text, or bytes in hex inside a map.
fn by_digest(recorded: &Value, asked: &Value) -> bool {
    let Value::Map(pairs) = recorded else { return false };
    if !is_digest(pairs) {
        return false;
    }
    let stands_for = |bytes: &[u8]| {
        recorded.detail(Detail::Bytes).and_then(Value::as_int) == i64::try_from(bytes.len()).ok()
            && recorded.detail(Detail::Sha256).and_then(Value::as_text).is_some_and(|digest| {
                from_hex(digest.as_bytes()).is_some_and(|digest| digest[..] == Sha256::digest(bytes)[..])
            })
    };
    match asked {
        Value::Text(text) => stands_for(text.as_bytes()),
        Value::Map(given) => {
            // whatever else is recorded (the C type) must be there too
            let others = pairs.iter().filter(|(key, _)| key != Detail::Sha256.name() && key != Detail::Bytes.name());
            others.into_iter().all(|(key, value)| asked.get(key) == Some(value))
                && given.iter().filter_map(|(_, value)| value.as_text()).any(|text| {
                    let digits = text.strip_prefix("\\x").unwrap_or(text).as_bytes();
                    stands_for(text.as_bytes()) || from_hex(digits).is_some_and(|bytes| stands_for(&bytes))
                })
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
