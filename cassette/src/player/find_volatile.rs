//! Finds values that change from run to run: what two recordings of the same command ask, side by side, and the rules with which
//! the first one would let the second one pass.

use std::collections::HashSet;
use std::sync::Arc;

use csv::ByteRecord;
use regex::escape;

use super::bindings::Bindings;
use super::compare::Comparison;
use super::headline::in_words;
use super::index::Index;
use super::mismatch::Difference;
use super::rows::PlayedRun;
use super::summary::summary;
use crate::schema::Class;
use crate::store::Store;
use crate::volatile_rules::{Kind, VolatileRules};
use crate::{AnswerRules, CassetteError, ConnectionId, Entry, Key, Method, Value, sets};

/// What two recordings of the same command tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The rules that are wanted beside those that the recording has.
    pub rules: Vec<Value>,
    /// What changed, a line each: where it stands, and both values.
    pub changed: Vec<String>,
    /// What changed because a result handed it out before: a replay hands out the recorded value, so it needs no rule.
    pub made: Vec<String>,
    /// Cells that have what the program sent before, and what it sent changed: read-backs.
    pub read_back: Vec<String>,
    /// Read-backs that are too short to be told from other values, so that a replay gives what was recorded.
    pub too_short: Vec<String>,
    /// Cells that changed and that no program sent: only the database makes them, and a replay gives what was recorded.
    pub by_database: Vec<String>,
    /// What changed and no rule covers.
    pub open: Vec<String>,
}

/// Compares two recordings of the same command: command by command in the order of all, or in that of each connection.
///
/// # Errors
/// An unreadable cassette, or two runs that do not do the same commands.
pub fn find_volatile(first: &dyn Store, second: &dyn Store, by_connection: bool) -> Result<Found, CassetteError> {
    let metadata = first.metadata()?;
    let answers = AnswerRules::new(metadata.answers.iter().map(String::as_str)).unwrap_or_default();
    let (index, _) = Index::build(first, &answers)?;
    let (other, _) = Index::build(second, &answers)?;
    let rules = VolatileRules::new(&metadata.volatile).unwrap_or_default();
    let bindings = Arc::new(Bindings::new(rules, &metadata.recorded_on));
    let (one, two) = (Run { index: &index, storage: first }, Run { index: &other, storage: second });
    let pairs = pairs(one, two, by_connection)?;
    let mut search = Search {
        comparison: Comparison { comments: true, bindings },
        first: one,
        second: two,
        made: HashSet::new(),
        sent: HashSet::new(),
        told: HashSet::new(),
        found: Found::default(),
    };
    for (was, is) in pairs {
        search.command(was, is)?;
    }
    Ok(search.found)
}

/// A recording that is compared.
#[derive(Clone, Copy)]
struct Run<'s> {
    index: &'s Index,
    storage: &'s dyn Store,
}

impl Run<'_> {
    fn entry(&self, position: u32) -> Result<Entry, CassetteError> {
        sets::entry(self.storage, self.index.slot(position).place())
    }

    /// The positions of what is compared, a list for each connection; one list if the order of all counts.
    fn commands(&self, by_connection: bool) -> Vec<Vec<u32>> {
        let is_one = |position: &u32| {
            let method = self.index.slot(*position).method;
            method.class() == Class::Command && !method.is_rows() && method != Method::Connect
        };
        let all = (0..self.index.len()).filter(is_one);
        if !by_connection {
            return vec![all.collect()];
        }
        let mut lists: Vec<(ConnectionId, Vec<u32>)> = Vec::new();
        for position in all {
            let connection = self.index.slot(position).connection();
            match lists.iter_mut().find(|(known, _)| *known == connection) {
                Some((_, list)) => list.push(position),
                None => lists.push((connection, vec![position])),
            }
        }
        lists.into_iter().map(|(_, list)| list).collect()
    }

    /// The methods of these commands, and their texts.
    fn shape(&self, commands: &[u32]) -> Result<Vec<(Method, Option<Value>)>, CassetteError> {
        let of = |position: &u32| {
            let entry = self.entry(*position)?;
            Ok((entry.method, entry.get(Key::Sql).cloned()))
        };
        commands.iter().map(of).collect()
    }

    /// The results of a command and of what reads its rows, up to the statement's next command.
    fn results(&self, position: u32) -> Result<Vec<Entry>, CassetteError> {
        let slot = self.index.slot(position);
        let mut results = vec![self.entry(position)?];
        if slot.statement().is_some() {
            let own = self.index.statement(slot.connection(), slot.statement()).iter();
            for at in own.copied().filter(|at| *at > position) {
                let method = self.index.slot(at).method;
                if method.class() == Class::Command && !method.is_rows() {
                    break;
                }
                results.push(self.entry(at)?);
            }
        }
        Ok(results)
    }

    /// The rows that a command gave, as far as they were read.
    fn rows(&self, position: u32) -> Result<Vec<ByteRecord>, CassetteError> {
        let slot = self.index.slot(position);
        let (mut rows, own) = (Vec::new(), self.index.statement(slot.connection(), slot.statement()));
        for at in own.iter().copied().filter(|at| *at >= position && slot.statement().is_some()) {
            let slot = self.index.slot(at);
            if at > position && slot.method.class() == Class::Command && !slot.method.is_rows() {
                break;
            }
            let entry = self.storage.checked_entry(slot.place())?;
            let has_rows = entry.get(Key::Rows).is_some() || entry.get(Key::RowsFile).is_some();
            if has_rows || matches!(entry.get(Key::Result), Some(Value::List(_))) {
                let mut played = PlayedRun::of(self.storage, slot.place(), entry)?;
                while let Some(row) = played.next()? {
                    rows.push(row.clone());
                }
            }
        }
        Ok(rows)
    }
}

/// The commands of both recordings side by side, in the order of the first one.
fn pairs(first: Run<'_>, second: Run<'_>, by_connection: bool) -> Result<Vec<(u32, u32)>, CassetteError> {
    let (lists, mut others) = (first.commands(by_connection), second.commands(by_connection));
    let mut shapes = others.iter().map(|list| second.shape(list)).collect::<Result<Vec<_>, _>>()?;
    let mut pairs = Vec::new();
    for list in &lists {
        let shape = first.shape(list)?;
        let methods = |shape: &[(Method, _)]| shape.iter().map(|(method, _)| *method).collect::<Vec<_>>();
        let at = shapes.iter().position(|other| *other == shape);
        let at = at.or_else(|| shapes.iter().position(|other| methods(other) == methods(&shape))).unwrap_or(0);
        let other = if at < others.len() { others.remove(at) } else { Vec::new() };
        let theirs = if at < shapes.len() { shapes.remove(at) } else { Vec::new() };
        for (number, position) in list.iter().enumerate() {
            let same = theirs.get(number).is_some_and(|(method, _)| *method == shape[number].0);
            let (true, Some(is)) = (same, other.get(number)) else {
                let does = match other.get(number) {
                    Some(is) => format!("does something else here: {}", summary(&second.entry(*is)?, 90)),
                    None => "ends before this".to_owned(),
                };
                let place = first.index.slot(*position).place();
                return Err(first.storage.refuse(place, "method", &format!("the second run {does}")));
            };
            pairs.push((*position, *is));
        }
        if let Some(more) = other.get(list.len()) {
            return Err(more_than(first, second, *more)?);
        }
    }
    if let Some(more) = others.first().and_then(|list| list.first()) {
        return Err(more_than(first, second, *more)?);
    }
    pairs.sort_unstable();
    Ok(pairs)
}

fn more_than(first: Run<'_>, second: Run<'_>, position: u32) -> Result<CassetteError, CassetteError> {
    let what = summary(&second.entry(position)?, 90);
    Ok(CassetteError::new(first.storage.name(), format!("the second run does more than the first one: {what}")))
}

struct Search<'s> {
    comparison: Comparison,
    first: Run<'s>,
    second: Run<'s>,
    /// Values that a result handed out, in both runs.
    made: HashSet<(String, String)>,
    /// Values that the program sent before any result had them, in both runs.
    sent: HashSet<(String, String)>,
    /// The pairs of values that a line tells of already.
    told: HashSet<(String, String)>,
    found: Found,
}

impl Search<'_> {
    /// Looks for the rules with which a command of the first run passes for that of the second one.
    fn command(&mut self, position: u32, is: u32) -> Result<(), CassetteError> {
        let (entry, asked) = (self.first.entry(position)?, self.second.entry(is)?);
        self.inputs(position, &entry, asked)?;
        self.replies(position, is)
    }

    fn inputs(&mut self, position: u32, entry: &Entry, mut asked: Entry) -> Result<(), CassetteError> {
        let (file, line) = self.first.storage.locate(self.first.index.slot(position).place());
        let place = format!("{}:{line}", file.display());
        let own = replaced(entry, &mut asked, &self.made);
        self.found.made.extend(own.into_iter().map(|(was, is)| format!("{place}: {was} was recorded, {is} then")));
        let mut sent = Vec::new();
        inputs_apart(entry, &asked, &mut sent);
        self.sent.extend(sent);
        let mut last: Option<Difference> = None;
        loop {
            let (index, storage) = (self.first.index, self.first.storage);
            let recorded = self.comparison.marked(index, storage, position, entry.clone())?;
            let Some(difference) = self.comparison.difference(&recorded, &asked) else {
                self.comparison.bind(&recorded, &asked, || place.clone());
                return Ok(());
            };
            let what = format!("{place}: {}", in_words(&difference, 120));
            let rule = match last.as_ref() == Some(&difference) {
                true => None,
                false => self.rule(position, entry, &asked, &difference)?,
            };
            let Some((rule, bindings)) = rule else {
                self.found.open.push(what);
                return Ok(());
            };
            self.found.changed.push(what);
            self.found.rules.push(rule);
            self.comparison.bindings = Arc::new(bindings);
            last = Some(difference);
        }
    }

    /// Notes what the results of a command have in the two runs: what the program sent before, or what the database made.
    fn replies(&mut self, position: u32, is: u32) -> Result<(), CassetteError> {
        let mut apart = Vec::new();
        for (was, is) in self.first.results(position)?.into_iter().zip(self.second.results(is)?) {
            for (key, now) in is.fields.iter().filter(|(key, _)| key.is_reply()) {
                if let Some(was) = was.get(*key) {
                    values_apart(was, now, &mut apart);
                }
            }
        }
        let text = |field: &[u8]| String::from_utf8_lossy(field).into_owned();
        let (file, line) = self.first.storage.locate(self.first.index.slot(position).place());
        let place = format!("{}:{line}", file.display());
        for (mut was, is) in self.first.rows(position)?.into_iter().zip(self.second.rows(is)?) {
            let recorded = was.clone();
            if self.comparison.bindings.are_any() {
                self.comparison.bindings.row(&mut was, |_, _, _| {});
            }
            let cells = recorded.iter().zip(&was).zip(&is).enumerate();
            for (column, ((recorded, live), now)) in cells.filter(|(_, ((recorded, _), now))| recorded != now) {
                let pair = (text(recorded), text(now));
                // what it sent in one run and in the other comes back in both: chance does not do that twice
                let (is_bound, is_sent) = (live == now, self.sent.contains(&pair));
                if self.told.insert(pair.clone()) {
                    let column = column + 1;
                    let told = format!("{place}: column {column}: {} was recorded, {} then", pair.0, pair.1);
                    match (is_bound, is_sent) {
                        (true, _) => self.found.read_back.push(told),
                        (false, true) => self.found.too_short.push(told),
                        (false, false) => self.found.by_database.push(told),
                    }
                }
                if !is_bound {
                    apart.push(pair);
                }
            }
        }
        self.made.extend(apart.into_iter().filter(|pair| !self.sent.contains(pair)));
        Ok(())
    }

    /// A rule under which this difference is none, and the bindings with it.
    fn rule(
        &self,
        position: u32,
        entry: &Entry,
        asked: &Entry,
        difference: &Difference,
    ) -> Result<Option<(Value, Bindings)>, CassetteError> {
        let (index, storage) = (self.first.index, self.first.storage);
        let text = Comparison::text(index, storage, position, entry)?;
        let mut rules: Vec<Value> = text.iter().flat_map(|text| lists(text)).collect();
        rules.extend(Kind::ALL.map(|kind| Value::Map(vec![("type".to_owned(), kind.name().into())])));
        let sql = |entry: &Entry| entry.get(Key::Sql).and_then(Value::as_text).map(str::to_owned);
        if let (Some(was), Some(is)) = (sql(entry), sql(asked)) {
            rules.extend(words(&was).into_iter().zip(words(&is)).filter_map(|(was, is)| name_pattern(was, is)));
        }
        let number = difference.place.strip_prefix("parameter ").and_then(|place| place.split([' ', '.']).next());
        if let (Some(number), Some(text)) = (number.and_then(|number| number.parse::<i64>().ok()), &text) {
            rules.push(at_position(number, text));
        }
        for rule in rules {
            let Some(bindings) = self.comparison.bindings.with_rule(rule.clone()) else { continue };
            let comparison = Comparison { bindings: Arc::new(bindings), ..self.comparison.clone() };
            let recorded = comparison.marked(index, storage, position, entry.clone())?;
            let rest = comparison.difference(&recorded, asked);
            if rest.is_none_or(|rest| is_smaller(&rest, difference)) {
                return Ok(self.comparison.bindings.with_rule(rule.clone()).map(|bindings| (rule, bindings)));
            }
        }
        Ok(None)
    }
}

/// A value as results have it.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Int(number) => Some(number.to_string()),
        Value::Float(number) => Some(format!("{number:?}")),
        _ => None,
    }
}

/// The single values in which two values of the same form differ.
fn values_apart(was: &Value, is: &Value, out: &mut Vec<(String, String)>) {
    match (was, is) {
        (Value::List(was), Value::List(is)) => was.iter().zip(is).for_each(|(was, is)| values_apart(was, is, out)),
        (Value::Map(was), Value::Map(is)) => was.iter().zip(is).for_each(|((_, was), (_, is))| {
            values_apart(was, is, out);
        }),
        (was, is) => out.extend(text_of(was).zip(text_of(is)).filter(|(was, is)| was != is)),
    }
}

/// The single values in which the inputs of two entries differ.
fn inputs_apart(entry: &Entry, asked: &Entry, out: &mut Vec<(String, String)>) {
    for (key, is) in asked.fields.iter().filter(|(key, _)| key.is_input()) {
        match (key, entry.get(*key), is) {
            (Key::Sql, Some(Value::Text(was)), Value::Text(is)) => {
                let pairs = words(was).into_iter().zip(words(is)).filter(|(was, is)| was != is);
                out.extend(pairs.map(|(was, is)| (was.to_owned(), is.to_owned())));
            }
            (_, Some(was), is) => values_apart(was, is, out),
            (_, None, _) => {}
        }
    }
}

/// Puts recorded values that the database made into what is asked, and gives them.
fn replaced(entry: &Entry, asked: &mut Entry, made: &HashSet<(String, String)>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    if made.is_empty() {
        return found;
    }
    for (key, is) in asked.fields.iter_mut().filter(|(key, _)| key.is_input()) {
        match (*key, entry.get(*key), is) {
            (Key::Sql, Some(Value::Text(was)), Value::Text(is)) => {
                let (old, new) = (words(was), words(is));
                if old.len() == new.len() {
                    let put = |(was, is): (&str, &str)| {
                        let pair = (was.to_owned(), is.to_owned());
                        let own = made.contains(&pair);
                        let word = if own { pair.0.clone() } else { pair.1.clone() };
                        found.extend(own.then_some(pair));
                        word
                    };
                    *is = old.into_iter().zip(new).map(put).collect();
                }
            }
            (_, Some(was), is) => put_back(was, is, made, &mut found),
            (_, None, _) => {}
        }
    }
    found
}

fn put_back(was: &Value, is: &mut Value, made: &HashSet<(String, String)>, found: &mut Vec<(String, String)>) {
    match (was, is) {
        (Value::List(was), Value::List(is)) => {
            was.iter().zip(is).for_each(|(was, is)| put_back(was, is, made, found));
        }
        (Value::Map(was), Value::Map(is)) => {
            was.iter().zip(is).for_each(|((_, was), (_, is))| put_back(was, is, made, found));
        }
        (was, is) => {
            if let Some(pair) = text_of(was).zip(text_of(is)).filter(|pair| made.contains(pair)) {
                *is = was.clone();
                found.push(pair);
            }
        }
    }
}

/// The words of a text, and what stands between them.
fn words(text: &str) -> Vec<&str> {
    let is_word = |character: char| character.is_alphanumeric() || matches!(character, '_' | '-');
    let (mut words, mut begin) = (Vec::new(), 0);
    let mut before: Option<bool> = None;
    for (at, character) in text.char_indices() {
        let now = is_word(character);
        if before.is_some_and(|before| before != now) {
            words.push(&text[begin..at]);
            begin = at;
        }
        before = Some(now);
    }
    words.push(&text[begin..]);
    words
}

/// The rule for names that begin alike and end in digits: `tmp_[0-9a-f]{8}`.
fn name_pattern(was: &str, is: &str) -> Option<Value> {
    let alike = was.char_indices().zip(is.chars()).find(|((_, was), is)| was != is).map(|((at, _), _)| at)?;
    ["0123456789", "0123456789abcdef"].into_iter().find_map(|digits| {
        let class = if digits.len() == 10 { "[0-9]" } else { "[0-9a-f]" };
        let head = was[..alike].trim_end_matches(|character| digits.contains(character));
        let (old, new) = (&was[head.len()..], is.get(head.len()..)?);
        let fits = |end: &str| !end.is_empty() && end.chars().all(|character| digits.contains(character));
        if !fits(old) || !fits(new) || head.chars().filter(|character| character.is_alphabetic()).count() < 2 {
            return None;
        }
        let count = if old.len() == new.len() { format!("{{{}}}", old.len()) } else { "+".to_owned() };
        Some(Value::Map(vec![("pattern".to_owned(), format!(r"\b{}{class}{count}\b", escape(head)).into())]))
    })
}

/// The rules for each list of a text, `in (...)`, whose order may not count.
fn lists(sql: &str) -> Vec<Value> {
    let words = words(sql);
    let named = words.windows(4).filter(|part| {
        part[2].eq_ignore_ascii_case("in") && part[1].trim().is_empty() && part[3].trim_start().starts_with('(')
    });
    let mut rules: Vec<Value> = Vec::new();
    for part in named {
        let sql = format!(r"\b{}\s+{}\s*\(", escape(part[0]), part[2]);
        let rule = Value::Map(vec![(Key::Sql.name().to_owned(), sql.into()), ("unordered".to_owned(), true.into())]);
        if !rules.contains(&rule) {
            rules.push(rule);
        }
    }
    rules
}

/// Whether a rule has taken something away from a difference: the next one is at another place, or says another text.
fn is_smaller(rest: &Difference, before: &Difference) -> bool {
    rest.place != before.place || rest.recorded != before.recorded
}

/// The rule for a parameter of the statements with this text.
pub(super) fn at_position(number: i64, sql: &str) -> Value {
    let words: Vec<String> = sql.split_whitespace().map(escape).collect();
    let sql = format!(r"^\s*{}\s*$", words.join(r"\s+"));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_for_names_and_lists_and_positions() {
        let name = |was: &str, is: &str| name_pattern(was, is).map(|rule| rule_text(&rule));
        assert_eq!(name("tmp_0123abcd", "tmp_0193abcd").as_deref(), Some(r"- pattern: '\btmp_[0-9a-f]{8}\b'"));
        assert_eq!(name("work99", "work100").as_deref(), Some(r"- pattern: '\bwork[0-9]+\b'"));
        for (was, is) in [("17", "18"), ("t1", "t2"), ("monday", "friday"), ("work9", "work9")] {
            assert_eq!(name(was, is), None, "{was}");
        }
        let found = |sql: &str| lists(sql).iter().map(rule_text).collect::<Vec<_>>();
        let rule = |name: &str| format!(r"- {{sql: '\b{name}\s+in\s*\(', unordered: true}}");
        assert_eq!(found("select min(a) from t where t.id in (1, 2) and n not in ('x')"), [rule("id"), rule("not")]);
        let position = rule_text(&at_position(2, "select name\n from la"));
        assert_eq!(position, r"- {position: 2, sql: '^\s*select\s+name\s+from\s+la\s*$'}");
    }
}
