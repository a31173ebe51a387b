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

use crate::{Entry, Key, Value};

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
pub(super) fn items(entry: &Entry) -> impl Iterator<Item = Volatile<'_>> {
    let list = entry.get(KEY).map(|list| list.as_list().unwrap_or(std::slice::from_ref(list)));
    list.unwrap_or_default().iter().filter_map(Value::as_text).filter_map(Volatile::parse)
}

/// Returns the volatile parts of an entry's SQL text.
pub(crate) fn parts(entry: &Entry) -> Vec<&str> {
    items(entry).filter_map(|item| if let Volatile::Sql(part) = item { Some(part) } else { None }).collect()
}

/// Says whether a keyword of a connect, given in upper case, is volatile.
pub(super) fn has_keyword(recorded: &Entry, name: &str) -> bool {
    items(recorded).any(|item| matches!(item, Volatile::Keyword(named) if named.eq_ignore_ascii_case(name)))
}

/// Returns what is asked with recorded values in place of the volatile ones, where those have the same type.
pub(super) fn accepted<'e>(recorded: &Entry, asked: &'e Entry) -> Cow<'e, Entry> {
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
        (Value::Map(was), Value::Text(_)) => was.iter().all(|(key, _)| key == "sha256" || key == "bytes"),
        _ => std::mem::discriminant(was) == std::mem::discriminant(is),
    };
    if same { was.clone() } else { is.clone() }
}

/// Compares two texts that may differ in these parts. If they match, returns each part that occurs with what stands in its place.
pub(crate) fn replaced<'p, 'i>(was: &str, is: &'i str, parts: &[&'p str]) -> Option<Vec<(&'p str, &'i str)>> {
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

#[cfg(test)]
mod tests {
    use super::super::compare::difference;
    use super::*;
    use crate::{ConnectionId, Method};

    fn list(items: &[&str]) -> Value {
        Value::List(items.iter().map(|item| Value::from(*item)).collect())
    }

    fn run(sql: &str, params: Vec<Value>) -> Entry {
        Entry::new(Method::Run, ConnectionId(0), Some(1)).with(Key::Sql, sql).with(Key::Params, Value::List(params))
    }

    #[test]
    fn a_parameter_of_its_type_and_nothing_else() {
        let recorded = run("s", vec![1.into(), "monday".into()]).with(KEY, list(&["params 2"]));
        assert_eq!(difference(&recorded, &run("s", vec![1.into(), "friday".into()])), None);
        let place = |asked: &Entry| difference(&recorded, asked).map(|difference| difference.place);
        assert_eq!(place(&run("s", vec![2.into(), "friday".into()])).as_deref(), Some("parameter 1"));
        assert_eq!(place(&run("s", vec![1.into(), 5.into()])).as_deref(), Some("parameter 2"));
        assert_eq!(place(&run("s", vec![1.into()])).as_deref(), Some("parameter 2"));
        let day = |text: &str| Value::Map(vec![("TYPE_DATE".to_owned(), text.into())]);
        let sets = |last: &str| Value::List(vec![1.into(), day(last)]);
        let recorded = run("s", vec![sets("2026-01-01"), sets("2026-01-02")]).with(KEY, list(&["params 2"]));
        assert_eq!(difference(&recorded, &run("s", vec![sets("2027-01-01"), sets("2027-01-02")])), None);
        assert!(difference(&recorded, &run("s", vec![sets("2027-01-01")])).is_some(), "another number of sets");
    }

    #[test]
    fn a_null_stands_for_any_value() {
        let recorded = run("s", vec![Value::Null, Value::Null]).with(KEY, list(&["params 1"]));
        for value in [1.into(), "friday".into(), Value::Null] {
            assert_eq!(difference(&recorded, &run("s", vec![value, Value::Null])), None);
        }
        assert!(difference(&recorded, &run("s", vec![Value::Null, 1.into()])).is_some(), "the other is not named");
        assert!(difference(&recorded, &run("s", vec![Value::Null])).is_some(), "another number of values");
    }

    #[test]
    fn a_part_of_a_statement() {
        let recorded = run("select * from tmp_81 where day > '2026-11-21' and n = 5", vec![]);
        let recorded = recorded.with(KEY, list(&["sql tmp_81", "sql 2026-11-21"]));
        let same = |sql: &str| difference(&recorded, &run(sql, vec![])).is_none();
        assert!(same("select * from tmp_20177 where day > '2027-01-02' and n = 5"));
        assert!(same("select * from tmp_81 where day > '2026-11-21' and n = 5"));
        assert!(!same("select * from tmp_81 where day > '2026-11-21' and n = 6"));
        assert!(!same("select * from a, b where day > '2026-11-21' and n = 5"), "blanks are no part of it");
        assert!(!same("select * from tmp_81 where day > 'today' and n = 5"), "letters are not digits");
        assert!(!same("select * from  where day > '2026-11-21' and n = 5"), "nothing is no value");
    }

    #[test]
    fn what_stands_in_the_place_of_each_part() {
        let found = |is| replaced("from tmp_81 join tmp_81 on day = '2026-11-21'", is, &["2026-11-21", "tmp_81"]);
        let parts = [("tmp_81", "tmp_7"), ("tmp_81", "tmp_9"), ("2026-11-21", "2027-01-02")];
        assert_eq!(found("from tmp_7 join tmp_9 on day = '2027-01-02'"), Some(parts.to_vec()));
        assert_eq!(found("from tmp_7 join tmp_9"), None);
        assert_eq!(replaced("select 1", "select 1", &["tmp_81"]), Some(Vec::new()));
    }

    #[test]
    fn a_single_item_needs_no_list() {
        let recorded = run("s", vec![1.into()]).with(KEY, "params 1");
        assert_eq!(difference(&recorded, &run("s", vec![2.into()])), None);
    }

    #[test]
    fn other_inputs() {
        let catalog = |table: &str, schema: &str| {
            let arguments = [("schema", schema), ("table", table)].map(|(key, text)| (key.to_owned(), text.into()));
            Entry::new(Method::Catalog, ConnectionId(0), Some(1)).with(Key::Arguments, Value::Map(arguments.to_vec()))
        };
        let recorded = catalog("tmp1", "s").with(KEY, list(&["arguments table"]));
        assert_eq!(difference(&recorded, &catalog("tmp2", "s")), None);
        assert!(difference(&recorded, &catalog("tmp2", "t")).is_some());
        let connect = |file: &str| {
            let string = format!("DSN=d;Database={file};Timeout=1");
            Entry::new(Method::Connect, ConnectionId(0), None).with(Key::Dsn, "d").with(Key::ConnectionString, string)
        };
        let recorded = connect("/tmp/x1").with(KEY, list(&["keyword Database"]));
        assert_eq!(difference(&recorded, &connect("/tmp/x2")), None);
        assert!(difference(&connect("/tmp/x1"), &connect("/tmp/x2")).is_some());
    }

    #[test]
    fn items_are_understood_or_not() {
        assert_eq!(Volatile::parse("params 3"), Some(Volatile::Parameter(3)));
        for wrong in ["params", "params 0", "params x", "param 1", "sql ", "", "rows 1"] {
            assert_eq!(Volatile::parse(wrong), None, "{wrong}");
        }
    }
}
