//! Finds values that change from run to run: what two recordings of the same command ask, side by side, and the rules with which
//! the first one would let the second one pass.

use std::sync::Arc;

use super::bindings::Bindings;
use super::compare::Comparison;
use super::headline::in_words;
use super::index::Index;
use super::mismatch::Difference;
use crate::schema::Class;
use crate::store::Store;
use crate::volatile_rules::{Kind, VolatileRules};
use crate::{AnswerRules, CassetteError, Entry, Key, Method, Value, sets};

/// What two recordings of the same command tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The rules that are wanted beside those that the recording has.
    pub rules: Vec<Value>,
    /// What changed, a line each: where it stands, and both values.
    pub changed: Vec<String>,
    /// What changed and no rule covers.
    pub open: Vec<String>,
}

/// Compares two recordings of the same command.
///
/// # Errors
/// An unreadable cassette, or two runs that do not do the same commands.
pub fn find_volatile(first: &dyn Store, second: &dyn Store) -> Result<Found, CassetteError> {
    let metadata = first.metadata()?;
    let answers = AnswerRules::new(metadata.answers.iter().map(String::as_str)).unwrap_or_default();
    let (index, _) = Index::build(first, &answers)?;
    let (other, _) = Index::build(second, &answers)?;
    let rules = VolatileRules::new(&metadata.volatile).unwrap_or_default();
    let bindings = Arc::new(Bindings::new(rules, &metadata.recorded_on));
    let mut search = Search {
        comparison: Comparison { comments: true, bindings },
        index: &index,
        storage: first,
        found: Found::default(),
    };
    let commands = |index: &Index| -> Vec<u32> {
        let is_one = |position: &u32| {
            let method = index.slot(*position).method;
            method.class() == Class::Command && !method.is_rows() && method != Method::Connect
        };
        (0..index.len()).filter(is_one).collect()
    };
    let (was, is) = (commands(&index), commands(&other));
    for (at, position) in was.iter().enumerate() {
        let slot = index.slot(*position);
        let same = is.get(at).map(|other_position| other.slot(*other_position));
        let Some(same) = same.filter(|same| same.method == slot.method) else {
            return Err(first.refuse(slot.place(), "method", "the second run does something else here"));
        };
        let asked = sets::entry(second, same.place())?;
        search.command(*position, sets::entry(first, slot.place())?, &asked)?;
    }
    match is.get(was.len()) {
        Some(more) => {
            Err(second.refuse(other.slot(*more).place(), "method", "the second run does more than the first one"))
        }
        None => Ok(search.found),
    }
}

struct Search<'s> {
    comparison: Comparison,
    index: &'s Index,
    storage: &'s dyn Store,
    found: Found,
}

impl Search<'_> {
    /// Looks for the rules with which the entry at a position passes for what the second run asked.
    fn command(&mut self, position: u32, entry: Entry, asked: &Entry) -> Result<(), CassetteError> {
        let (file, line) = self.storage.locate(self.index.slot(position).place());
        let place = format!("{}:{line}", file.display());
        let mut last: Option<Difference> = None;
        loop {
            let recorded = self.comparison.marked(self.index, self.storage, position, entry.clone())?;
            let Some(difference) = self.comparison.difference(&recorded, asked) else {
                self.comparison.bind(&recorded, asked, || place.clone());
                return Ok(());
            };
            let what = format!("{place}: {}", in_words(&difference, 120));
            if last.as_ref() == Some(&difference) {
                self.found.open.push(what);
                return Ok(());
            }
            match self.rule(position, &entry, asked, &difference)? {
                Some((rule, bindings)) => {
                    self.found.changed.push(what);
                    self.found.rules.push(rule);
                    self.comparison.bindings = Arc::new(bindings);
                }
                None => {
                    self.found.open.push(what);
                    return Ok(());
                }
            }
            last = Some(difference);
        }
    }

    /// A rule under which this difference is none, and the bindings with it.
    fn rule(
        &self,
        position: u32,
        entry: &Entry,
        asked: &Entry,
        difference: &Difference,
    ) -> Result<Option<(Value, Bindings)>, CassetteError> {
        let mut rules: Vec<Value> =
            Kind::ALL.into_iter().map(|kind| Value::Map(vec![("type".to_owned(), kind.name().into())])).collect();
        let number = difference.place.strip_prefix("parameter ").and_then(|place| place.split([' ', '.']).next());
        if let Some(number) = number.and_then(|number| number.parse::<i64>().ok())
            && let Some(text) = Comparison::text(self.index, self.storage, position, entry)?
        {
            rules.push(at_position(number, &text));
        }
        for rule in rules {
            let Some(bindings) = self.comparison.bindings.with_rule(rule.clone()) else { continue };
            let comparison = Comparison { bindings: Arc::new(bindings), ..self.comparison.clone() };
            let recorded = comparison.marked(self.index, self.storage, position, entry.clone())?;
            let rest = comparison.difference(&recorded, asked);
            if rest.is_none_or(|rest| is_smaller(&rest, difference)) {
                return Ok(self.comparison.bindings.with_rule(rule.clone()).map(|bindings| (rule, bindings)));
            }
        }
        Ok(None)
    }
}

/// Whether a rule has taken something away from a difference: the next one is at another place, or says another text.
fn is_smaller(rest: &Difference, before: &Difference) -> bool {
    rest.place != before.place || rest.recorded != before.recorded
}

/// The rule for a parameter of the statements that begin as this one.
pub(super) fn at_position(number: i64, sql: &str) -> Value {
    let words: Vec<String> = sql.split_whitespace().take(3).map(regex::escape).collect();
    let sql = format!("^\\s*{}", words.join(r"\s+"));
    Value::Map(vec![("position".to_owned(), Value::from(number)), (Key::Sql.name().to_owned(), sql.into())])
}

/// A rule as a line of `super8.yml`.
pub fn rule_text(rule: &Value) -> String {
    let Value::Map(pairs) = rule else { return String::new() };
    let item = |(key, value): &(String, Value)| match value {
        Value::Text(text) if text.chars().all(|character| character.is_ascii_alphanumeric()) => {
            format!("{key}: {text}")
        }
        Value::Text(text) => format!("{key}: '{}'", text.replace('\'', "''")),
        Value::Int(number) => format!("{key}: {number}"),
        Value::Bool(flag) => format!("{key}: {flag}"),
        _ => key.clone(),
    };
    match &pairs[..] {
        [only] => format!("- {}", item(only)),
        pairs => format!("- {{{}}}", pairs.iter().map(item).collect::<Vec<_>>().join(", ")),
    }
}
