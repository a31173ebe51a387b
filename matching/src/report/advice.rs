//! What the report of a mismatch advises.
//!
//! People follow advice, so it must work. Values to mark as volatile are tried out before they are proposed. None are
//! proposed if another recorded command is equal to what was asked, because then the order differs and not a value.

use std::fmt::Write;

use crate::compare::comparison::{Comparison, field};
use crate::compare::mismatch::{Difference, MismatchKind};
use crate::report::explain::Case;
use crate::report::find_volatile::{covering_rules, rule_text};
use crate::report::headline::ids;
use super8_cassette::metadata::Order;
use super8_cassette::redaction::secrets;
use super8_cassette::store::directory::COMMANDS;
use super8_cassette::text::shell;
use super8_cassette::{Entry, Key, Value, comments, volatile};

impl Case<'_> {
    /// Writes the last part of the report.
    pub(crate) fn advice(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "\nwhat to do:")?;
        if let Some(order) = self.other_order() {
            let condition = match order {
                Order::Any => "transactions and results come in any order, as from a pool",
                _ => "the connections do not depend on each other",
            };
            let name = order.name();
            let usual = || format!("set SUPER8_ORDER={name}");
            let set = self.player.started.map_or_else(usual, |started| (started.set_order)(order));
            writeln!(out, "- if {condition}, {set} (or `order: {name}` in metadata.yml)")?;
        }
        let equal = self.nearest.as_ref().filter(|_| self.rows.is_none() && !self.asked.method.is_rows());
        if let Some(equal) = equal {
            let (number, ids) = (self.player.index.ordinal(equal.position), ids(&equal.entry));
            writeln!(out, "- command {number} ({ids}) is equal to what was asked: the order differs, not a value")?;
        }
        if self.lacks_last_rows() {
            writeln!(
                out,
                "- the recording broke off, and lacks the last rows of results that were still read: let the program close its \
                 statements or read to the end, and record again"
            )?;
        }
        let change = match self.kind {
            MismatchKind::Exhausted => "the program now does more",
            MismatchKind::OutOfOrder => "the program now works in another order",
            MismatchKind::Differs if equal.is_some() => "the program now works in another order",
            MismatchKind::FewerRows => "the program now stops reading earlier",
            MismatchKind::MoreRows => "the program now reads on",
            _ => "the change is intended",
        };
        if self.player.is_by_hand() {
            let log = self.player.store.name().join(COMMANDS);
            writeln!(out, "- if {change}, add what was asked, as shown above, and its result to {}", log.display())?;
        } else {
            writeln!(out, "- if {change}, record again\n  {}", self.record_again())?;
        }
        if let Some((position, items)) = self.volatile() {
            let values = if items.len() == 1 { "this value changes" } else { "these values change" };
            let list: Vec<String> = items.iter().map(|item| quoted(item)).collect();
            let list = list.join(", ");
            let is_json = self.player.store.name().extension().is_some_and(|name| name == "ndjson");
            let line = if is_json { format!("\"volatile\": [{list}]") } else { format!("volatile: [{list}]") };
            let verb = if self.has_a_list() { "replace the list of" } else { "add to" };
            writeln!(out, "- if {values} from run to run, {verb} the recorded entry, {}\n  {line}", self.at(position))?;
            let rules = self.rules();
            if !rules.is_empty() {
                writeln!(out, "  or add to super8.yml, for all entries, and record again\n  volatile:")?;
                rules.iter().try_for_each(|rule| writeln!(out, "    {rule}"))?;
            }
        }
        let did = if self.player.is_by_hand() { "the cassette says" } else { "it did" };
        writeln!(out, "- otherwise the program does not do what {did}: the difference above says where")
    }

    /// Returns the command line that records again.
    fn record_again(&self) -> String {
        let variables = self.player.store.variables();
        let named: String = variables.iter().map(|(key, value)| format!("{key}={} ", shell(value))).collect();
        let variables = format!("SUPER8_MODE=record {named}");
        match self.player.started {
            Some(started) => (started.record_again)(variables.trim_end()),
            None => format!("{variables}YOUR COMMAND"),
        }
    }

    /// Says whether a row is asked for that may be missing because the recorded process ended in the middle of a result.
    fn lacks_last_rows(&self) -> bool {
        let is_recovered = || self.player.store.metadata().is_ok_and(|metadata| metadata.recovered);
        self.kind == MismatchKind::Exhausted && self.asked.method.is_rows() && is_recovered()
    }

    fn has_a_list(&self) -> bool {
        self.expected.as_ref().is_some_and(|(position, _)| self.has_a_list_at(*position))
    }

    /// Says whether the cassette itself has a list there. Marks may also come from rules.
    fn has_a_list_at(&self, position: u32) -> bool {
        let place = self.player.index.slot(position).place();
        self.player.store.checked_entry(place).is_ok_and(|entry| entry.get(Key::Volatile).is_some())
    }

    /// Returns the rules that together let what is asked pass, if there are any.
    fn rules(&self) -> Vec<String> {
        let Some((position, expected)) = &self.expected else { return Vec::new() };
        let player = self.player;
        let of = (&*player.index, &*player.store, *position);
        // a report without advice is better than none
        let rules = covering_rules(&player.comparison, of, expected, self.asked).unwrap_or_default();
        rules.iter().map(rule_text).collect()
    }

    /// Returns the position of the expected entry, and the list `volatile` with which it would have let what was asked pass.
    fn volatile(&self) -> Option<(u32, Vec<String>)> {
        let (position, expected) = self.expected.as_ref()?;
        if self.kind != MismatchKind::Differs || self.nearest.is_some() {
            return None;
        }
        let mut items = proposed(expected, self.asked, &self.player.comparison)?;
        // what rules mark need not be marked by hand
        let place = self.player.index.slot(*position).place();
        let own = self.player.store.checked_entry(place).ok()?;
        items.retain(|item| {
            let item = Value::from(item.as_str());
            own_has_not(expected, &item) || !own_has_not(&own, &item)
        });
        (!items.is_empty()).then_some((*position, items))
    }
}

/// Returns the list `volatile` that lets what is asked pass for what is recorded, including the marks that are there
/// already. `None` if no list does: a value has another type, there are more values, or what differs cannot be named.
fn proposed(recorded: &Entry, asked: &Entry, comparison: &Comparison) -> Option<Vec<String>> {
    let named = recorded.get(Key::Volatile);
    let named = named.map_or(&[][..], |list| list.as_list().unwrap_or(std::slice::from_ref(list)));
    let mut items: Vec<String> = named.iter().filter_map(Value::as_text).map(str::to_owned).collect();
    let mut trial = recorded.clone();
    while let Some(difference) = comparison.difference(&trial, asked) {
        let before = items.len();
        for item in differing(&difference, &trial, asked, comparison) {
            if !items.contains(&item) {
                items.push(item);
            }
        }
        if items.len() == before {
            return None;
        }
        trial.fields.retain(|(key, _)| *key != Key::Volatile);
        trial = trial.with(Key::Volatile, items.clone());
    }
    (!items.is_empty()).then_some(items)
}

/// Returns the parameters that differ besides the first difference.
pub(crate) fn others(recorded: &Entry, asked: &Entry, comparison: &Comparison, first: &Difference) -> Vec<Difference> {
    let expected = in_this_run(recorded, asked, comparison);
    let params = |entry: &Entry| entry.get(Key::Params).and_then(Value::as_list).map(<[Value]>::to_vec);
    let (Some(was), Some(is)) = (params(&expected), params(asked)) else { return Vec::new() };
    let differing = parameters(&expected, asked).into_iter().filter_map(|number| {
        let (was, is) = (was.get(number - 1)?, is.get(number - 1)?);
        let difference = field("", Some(was), Some(is))?;
        Some(Difference { place: format!("parameter {number}{}", difference.place), ..difference })
    });
    differing.filter(|difference| difference.place != first.place).collect()
}

/// Returns a recorded entry as it is in this run.
fn in_this_run(recorded: &Entry, asked: &Entry, comparison: &Comparison) -> Entry {
    comparison.bindings.expected(recorded, asked).map_or_else(|_| recorded.clone(), |expected| expected.into_owned())
}

fn own_has_not(entry: &Entry, item: &Value) -> bool {
    let list = entry.get(Key::Volatile).map(|list| list.as_list().unwrap_or(std::slice::from_ref(list)));
    !list.unwrap_or_default().contains(item)
}

/// Returns the items for everything that differs under the key of the first difference.
fn differing(difference: &Difference, recorded: &Entry, asked: &Entry, comparison: &Comparison) -> Vec<String> {
    let place = difference.place.as_str();
    if place.starts_with("parameter ") {
        return parameters(&in_this_run(recorded, asked, comparison), asked)
            .into_iter()
            .map(|number| format!("params {number}"))
            .collect();
    }
    if let Some((_, name)) = place.split_once(": ") {
        return vec![format!("keyword {name}")];
    }
    let Some(key) = Key::from_name(place.split(['.', '[']).next().unwrap_or_default()) else { return Vec::new() };
    match key {
        Key::Sql => {
            let text = |entry: &Entry| {
                let sql = entry.get(key).and_then(Value::as_text).unwrap_or_default();
                if comparison.comments { sql.to_owned() } else { comments::without(sql) }
            };
            parts(&text(recorded), &text(asked)).into_iter().map(|part| format!("sql {part}")).collect()
        }
        Key::Value => vec![key.to_string()],
        Key::Arguments | Key::Attributes => {
            let Some(Value::Map(pairs)) = recorded.get(key) else { return Vec::new() };
            let other = |name: &str| asked.get(key).and_then(|map| map.get(name));
            let differing = pairs.iter().filter(|(name, value)| other(name) != Some(value));
            differing.map(|(name, _)| format!("{key} {name}")).collect()
        }
        _ => Vec::new(),
    }
}

/// Returns the numbers of the parameters that differ; in an array those that differ in any set.
fn parameters(recorded: &Entry, asked: &Entry) -> Vec<usize> {
    let asked = secrets::accepted(recorded, asked);
    let asked = volatile::accepted(recorded, &asked);
    let list =
        |entry: &Entry| entry.get(Key::Params).and_then(Value::as_list).map(<[Value]>::to_vec).unwrap_or_default();
    let (was, is) = (list(recorded), list(&asked));
    let sets = |list: &[Value]| -> Vec<Vec<Value>> {
        if list.iter().any(|set| set.as_list().is_some()) {
            list.iter().map(|set| set.as_list().unwrap_or_default().to_vec()).collect()
        } else {
            vec![list.to_vec()]
        }
    };
    let mut numbers = std::collections::BTreeSet::new();
    for (was, is) in sets(&was).iter().zip(&sets(&is)) {
        let pairs = was.iter().zip(is).enumerate();
        numbers.extend(pairs.filter_map(|(at, (was, is))| field("value", Some(was), Some(is)).map(|_| at + 1)));
    }
    numbers.into_iter().collect()
}

/// Returns the parts of a statement that are values and differ: what stands in quotes, and words with digits. Returns
/// nothing if anything else differs, because then it is another statement.
fn parts<'t>(recorded: &'t str, asked: &str) -> Vec<&'t str> {
    let (was, is) = (tokens(recorded), tokens(asked));
    if was.len() != is.len() {
        return Vec::new();
    }
    let mut parts = Vec::new();
    for (was, is) in was.into_iter().zip(is).filter(|(was, is)| was != is) {
        let has_digit = |token: &str| token.contains(|letter: char| letter.is_ascii_digit());
        match (inside_quotes(was), inside_quotes(is)) {
            (Some(""), _) => return Vec::new(),
            (Some(inside), Some(_)) => parts.push(inside),
            (None, None) if has_digit(was) && has_digit(is) => parts.push(was),
            _ => return Vec::new(),
        }
    }
    parts
}

fn inside_quotes(token: &str) -> Option<&str> {
    token.strip_prefix('\'')?.strip_suffix('\'')
}

/// Splits SQL into tokens: what stands in quotes, words (`tmp_8431`, but also `12:30:01.5` or `2026-11-21`, because
/// values may be written like this), and every other character by itself.
fn tokens(sql: &str) -> Vec<&str> {
    let (mut tokens, mut rest) = (Vec::new(), sql);
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    while let Some(first) = rest.chars().next() {
        let end = if first == '\'' {
            rest[1..].find('\'').map_or(rest.len(), |at| at + 2)
        } else if is_word(first) {
            let mut end = 0;
            while let Some(letter) = rest[end..].chars().next() {
                let next = rest[end + letter.len_utf8()..].chars().next();
                let joins = "-:.".contains(letter) && next.is_some_and(is_word);
                if !is_word(letter) && !joins {
                    break;
                }
                end += letter.len_utf8();
            }
            end
        } else {
            first.len_utf8()
        };
        let (token, after) = rest.split_at(end);
        tokens.push(token);
        rest = after;
    }
    tokens
}

/// Quotes a text so that JSON and YAML read it alike.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
