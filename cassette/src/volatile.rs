//! Values that change from run to run and are marked by hand in the cassette: `volatile`, a list in the entry they belong to.
//!
//! ```yaml
//! volatile: ["params 2", "sql 2026-11-21", "arguments table", "attributes max_rows", "value", "keyword Database"]
//! ```
//!
//! A marked value matches any value of its type, and a recorded NULL matches anything; nothing else is loosened. A part
//! of an SQL text matches a text of any length made of the kinds of characters it has itself: digits if it has digits,
//! letters (and `_`) if it has letters, and of all other characters those that it has.

use std::borrow::Cow;

use crate::{Detail, Entry, Key, Value};

/// The key of the list.
pub(crate) const KEY: Key = Key::Volatile;

/// One item of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Volatile<'t> {
    /// `params N`: the N-th parameter, from 1, of every set.
    Parameter(usize),
    /// `sql TEXT`: this part of the statement, wherever it stands in it.
    Sql(&'t str),
    /// `arguments NAME`: an argument of a catalog function.
    Argument(&'t str),
    /// `attributes NAME`: an attribute of the statement, or one set before connecting.
    Attribute(&'t str),
    /// `value`: the value that a connection attribute is set to.
    Value,
    /// `unordered FIRST LAST`: parameters, from 1, whose order does not count. Only rules produce it, for a list in the statement.
    Unordered(usize, usize),
    /// `same RULE NUMBER`: a parameter, from 1, that a rule `same` names; rules are counted from 0. Only rules produce it.
    Same(usize, usize),
    /// `keyword NAME`: a keyword of the connection string or of the data source's section.
    Keyword(&'t str),
}

impl<'t> Volatile<'t> {
    /// Parses an item; `None` if it is not one.
    pub fn parse(item: &'t str) -> Option<Volatile<'t>> {
        if item.trim() == "value" {
            return Some(Volatile::Value);
        }
        let (kind, name) = item.split_once(' ').filter(|(_, name)| !name.trim().is_empty())?;
        match kind {
            "params" => name.trim().parse().ok().filter(|number| *number > 0).map(Volatile::Parameter),
            "sql" => Some(Volatile::Sql(name)),
            "arguments" => Some(Volatile::Argument(name.trim())),
            "attributes" => Some(Volatile::Attribute(name.trim())),
            "unordered" => {
                let (first, last) = name.split_once(' ')?;
                let (first, last) = (first.parse().ok()?, last.parse().ok()?);
                (0 < first && first <= last).then_some(Volatile::Unordered(first, last))
            }
            "same" => {
                let (rule, number) = name.split_once(' ')?;
                let (rule, number) = (rule.parse().ok()?, number.parse().ok()?);
                (0 < number).then_some(Volatile::Same(rule, number))
            }
            "keyword" => Some(Volatile::Keyword(name.trim())),
            _ => None,
        }
    }
}

/// Iterates over the items of an entry, skipping those that cannot be parsed.
pub fn items(entry: &Entry) -> impl Iterator<Item = Volatile<'_>> {
    let list = entry.get(KEY).map(|list| list.as_list().unwrap_or(std::slice::from_ref(list)));
    list.unwrap_or_default().iter().filter_map(Value::as_text).filter_map(Volatile::parse)
}

/// Returns the volatile parts of an entry's SQL text.
pub fn parts(entry: &Entry) -> Vec<&str> {
    items(entry).filter_map(|item| if let Volatile::Sql(part) = item { Some(part) } else { None }).collect()
}

/// Says whether a keyword of a connect, given in upper case, is volatile.
pub fn has_keyword(recorded: &Entry, name: &str) -> bool {
    items(recorded).any(|item| matches!(item, Volatile::Keyword(named) if named.eq_ignore_ascii_case(name)))
}

/// Returns what is asked with recorded values in place of the volatile ones, where those have the same type.
pub fn accepted<'e>(recorded: &Entry, asked: &'e Entry) -> Cow<'e, Entry> {
    let mut asked = Cow::Borrowed(asked);
    for (key, was) in &recorded.fields {
        let Some(at) = asked.fields.iter().position(|(name, _)| name == key) else { continue };
        let found = match (key, was, &asked.fields[at].1) {
            (Key::Sql, Value::Text(was), Value::Text(is)) => {
                let parts = parts(recorded);
                (!parts.is_empty() && replaced(was, is, &parts).is_some()).then(|| Value::from(was.as_str()))
            }
            (Key::Params, was, is) => {
                let numbers = items(recorded).filter_map(|item| match item {
                    Volatile::Parameter(number) => Some(number - 1),
                    _ => None,
                });
                let is = numbers.fold(is.clone(), |is, number| with_parameter(was, is, number));
                Some(is)
            }
            (Key::Arguments | Key::Attributes, Value::Map(was), Value::Map(is)) => {
                let named = |name: &str| {
                    items(recorded).any(|item| match item {
                        Volatile::Argument(named) => *key == Key::Arguments && named == name,
                        Volatile::Attribute(named) => *key == Key::Attributes && named == name,
                        _ => false,
                    })
                };
                let pairs = is.iter().map(|(name, value)| {
                    let old = was.iter().find(|(known, _)| known == name && named(name));
                    (name.clone(), old.map_or_else(|| value.clone(), |(_, old)| of_type(old, value)))
                });
                Some(Value::Map(pairs.collect()))
            }
            (Key::Value, was, is) if items(recorded).any(|item| item == Volatile::Value) => Some(of_type(was, is)),
            _ => None,
        };
        if let Some(found) = found {
            asked.to_mut().fields[at].1 = found;
        }
    }
    asked
}

fn with_parameter(was: &Value, is: Value, number: usize) -> Value {
    let (Value::List(old), Value::List(mut new)) = (was, is.clone()) else { return is };
    // In an array a set may be left out, which is recorded as a map.
    if old.iter().chain(&new).any(|set| matches!(set, Value::List(_))) {
        let sets = old.iter().zip(new.iter_mut());
        sets.for_each(|(was, is)| *is = with_parameter(was, is.clone(), number));
    } else if let (Some(was), Some(is)) = (old.get(number), new.get_mut(number)) {
        *is = of_type(was, is);
    }
    Value::List(new)
}

/// Returns the recorded value if the other one has its type, and otherwise the other one.
fn of_type(was: &Value, is: &Value) -> Value {
    let same = match (was, is) {
        // NULL has no type
        (Value::Null, _) => true,
        (Value::Map(was), Value::Map(is)) => was.iter().map(|(key, _)| key).eq(is.iter().map(|(key, _)| key)),
        // the recorded value is the digest of a long text or long bytes
        (Value::Map(was), Value::Text(_)) => {
            was.iter().all(|(key, _)| matches!(Detail::from_name(key), Some(Detail::Sha256 | Detail::Bytes)))
        }
        _ => std::mem::discriminant(was) == std::mem::discriminant(is),
    };
    if same { was.clone() } else { is.clone() }
}

/// Compares two texts that may differ in these parts. If they match, returns each part that occurs with what stands in its place.
pub fn replaced<'p, 'i>(was: &str, is: &'i str, parts: &[&'p str]) -> Option<Vec<(&'p str, &'i str)>> {
    let first = parts.iter().filter_map(|part| was.find(part).map(|at| (at, *part)));
    let Some((at, part)) = first.min_by_key(|(at, part)| (*at, usize::MAX - part.len())) else {
        return (was == is).then(Vec::new);
    };
    let (head, rest) = (&was[..at], &was[at + part.len()..]);
    let tail = is.strip_prefix(head)?;
    let fits = |character: char| {
        part.contains(character)
            || (character.is_ascii_digit() && part.contains(|own: char| own.is_ascii_digit()))
            || ((character.is_alphabetic() || character == '_') && part.contains(char::is_alphabetic))
    };
    let mut ends = tail.char_indices().take_while(|(_, character)| fits(*character));
    ends.find_map(|(end, character)| {
        let (new, behind) = tail.split_at(end + character.len_utf8());
        let mut others = replaced(rest, behind, parts)?;
        others.insert(0, (part, new));
        Some(others)
    })
}
