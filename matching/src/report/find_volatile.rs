//! Finds values that change from run to run. [`find_volatile`] compares two recordings of the same command side by
//! side, and returns the rules under which the first one would let the second one pass.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use csv::ByteRecord;
use regex::escape;

use crate::compare::comparison::Comparison;
use crate::compare::mismatch::Difference;
use crate::log::index::Index;
use crate::log::rows::PlayedRun;
use crate::report::headline::in_words;
use crate::values::bindings::Bindings;
use crate::values::spellings::kind_of;
use super8_cassette::schema::Class;
use super8_cassette::store::Store;
use super8_cassette::summary::summary;
use super8_cassette::volatile_rules::{Kind, VolatileRules};
use super8_cassette::{AnswerRules, CassetteError, ConnectionId, Entry, Key, Method, Value, sets};

/// What two recordings of the same command tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VolatileValues {
    /// The rules that are needed in addition to those that the recording has.
    pub rules: Vec<Value>,
    /// What changed, one line each: where it stands, and both values.
    pub changed: Vec<String>,
    /// What changed because a result handed it out before. A replay hands out the recorded value, so it needs no rule.
    pub made: Vec<String>,
    /// Read-backs: cells with a value that the program sent before, where what it sent changed.
    pub read_back: Vec<String>,
    /// Read-backs that are too short to be told from other values, so a replay gives what was recorded.
    pub too_short: Vec<String>,
    /// Cells that changed and that the program never sent. Only the database makes them, and a replay gives what was recorded.
    pub by_database: Vec<String>,
    /// What changed and no rule covers.
    pub open: Vec<String>,
}

/// Compares two recordings of the same command, command by command: in the order of the whole log, or in that of each connection.
///
/// # Errors
/// A cassette is unreadable, or the two runs do not do the same commands.
pub fn find_volatile(
    first: &dyn Store,
    second: &dyn Store,
    by_connection: bool,
) -> Result<VolatileValues, CassetteError> {
    let metadata = first.metadata()?;
    let answers = AnswerRules::new(metadata.answers.iter().map(String::as_str)).unwrap_or_default();
    let (index, _) = Index::build(first, &answers)?;
    let (other, _) = Index::build(second, &answers)?;
    let (one, two) = (Run { index: &index, store: first }, Run { index: &other, store: second });
    let pairs = pairs(one, two, by_connection)?;
    // The places of short values that are read back, one list for each rule. Rules for these places can uncover more
    // such values, so repeat until there are no more.
    let mut same: Vec<Vec<Value>> = Vec::new();
    loop {
        let own: Vec<Value> = same.iter().map(|places| same_rule(places.clone())).collect();
        let rules = VolatileRules::new(&[&metadata.volatile[..], &own].concat()).unwrap_or_default();
        let bindings = Arc::new(Bindings::new(rules, &metadata.recorded_on));
        let mut search = Search {
            comparison: Comparison { comments: true, bindings },
            first: one,
            second: two,
            made: HashSet::new(),
            sent: HashMap::new(),
            reported: HashSet::new(),
            short: Vec::new(),
            found: VolatileValues::default(),
        };
        for (was, is) in &pairs {
            search.command(*was, *is)?;
        }
        let more = joined([&same[..], &search.short_places()].concat());
        let size = |lists: &[Vec<Value>]| (lists.len(), lists.iter().map(Vec::len).sum::<usize>());
        if size(&more) == size(&same) {
            search.found.rules.splice(0..0, own);
            return Ok(search.found);
        }
        same = more;
    }
}

/// Merges the lists that have a place in common, until no two do.
fn joined(lists: Vec<Vec<Value>>) -> Vec<Vec<Value>> {
    let mut all: Vec<Vec<Value>> = Vec::new();
    for mut list in lists {
        all.retain_mut(|known| {
            let apart = !known.iter().any(|place| list.contains(place));
            if !apart {
                known.extend(list.drain(..).filter(|place| !known.contains(place)).collect::<Vec<_>>());
                list = std::mem::take(known);
            }
            apart
        });
        all.push(list);
    }
    all
}

/// One of the recordings that are compared.
#[derive(Clone, Copy)]
struct Run<'s> {
    index: &'s Index,
    store: &'s dyn Store,
}

impl Run<'_> {
    fn entry(&self, position: u32) -> Result<Entry, CassetteError> {
        sets::entry(self.store, self.index.slot(position).place())
    }

    /// Returns the positions of what is compared: one list for each connection, or a single list if the order of the
    /// whole log counts.
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

    /// Returns the methods and texts of these commands.
    fn shape(&self, commands: &[u32]) -> Result<Vec<(Method, Option<Value>)>, CassetteError> {
        let of = |position: &u32| {
            let entry = self.entry(*position)?;
            Ok((entry.method, entry.get(Key::Sql).cloned()))
        };
        commands.iter().map(of).collect()
    }

    /// Returns a command and the entries after it that belong to its result, up to the statement's next command.
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

    /// Returns the rows of a command's result, as far as they were read.
    fn rows(&self, position: u32) -> Result<Vec<ByteRecord>, CassetteError> {
        let slot = self.index.slot(position);
        let (mut rows, own) = (Vec::new(), self.index.statement(slot.connection(), slot.statement()));
        for at in own.iter().copied().filter(|at| *at >= position && slot.statement().is_some()) {
            let slot = self.index.slot(at);
            if at > position && slot.method.class() == Class::Command && !slot.method.is_rows() {
                break;
            }
            let entry = self.store.checked_entry(slot.place())?;
            let has_rows = entry.get(Key::Rows).is_some() || entry.get(Key::RowsFile).is_some();
            if has_rows || matches!(entry.get(Key::Result), Some(Value::List(_))) {
                let mut played = PlayedRun::of(self.store, slot.place(), entry)?;
                while let Some(row) = played.next()? {
                    rows.push(row.clone());
                }
            }
        }
        Ok(rows)
    }
}

/// Pairs the commands of both recordings, in the order of the first one.
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
                return Err(first.store.refuse(place, "method", &format!("the second run {does}")));
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
    Ok(CassetteError::new(first.store.name(), format!("the second run does more than the first one: {what}")))
}

struct Search<'s> {
    comparison: Comparison,
    first: Run<'s>,
    second: Run<'s>,
    /// Pairs of values in both runs that a result handed out.
    made: HashSet<(String, String)>,
    /// Pairs of values that the program sent before any result had them, with the places that a rule can name.
    sent: HashMap<(String, String), Vec<Value>>,
    /// The pairs of values that a line reports already.
    reported: HashSet<(String, String)>,
    /// Pairs of values that the program sent and reads back and that are too short to be found by themselves, each with
    /// the column where it comes back.
    short: Vec<((String, String), Value)>,
    found: VolatileValues,
}

impl Search<'_> {
    /// Looks for rules under which a command of the first run passes for that of the second one.
    fn command(&mut self, position: u32, is: u32) -> Result<(), CassetteError> {
        let (entry, asked) = (self.first.entry(position)?, self.second.entry(is)?);
        let text = |run: Run<'_>, position, entry| Comparison::text(run.index, run.store, position, entry);
        let texts = text(self.first, position, &entry)?.zip(text(self.second, is, &asked)?);
        let pattern = texts.map(|(was, is)| statement_pattern(&was, &is));
        self.inputs(position, &entry, asked, pattern.as_deref())?;
        self.replies(position, is, pattern.as_deref())
    }

    /// Compares the inputs of two entries and adds the rules they need. `pattern` is that of the statement's text.
    fn inputs(
        &mut self,
        position: u32,
        entry: &Entry,
        mut asked: Entry,
        pattern: Option<&str>,
    ) -> Result<(), CassetteError> {
        let (file, line) = self.first.store.locate(self.first.index.slot(position).place());
        let place = format!("{}:{line}", file.display());
        let own = replaced(entry, &mut asked, &self.made);
        self.found.made.extend(own.into_iter().map(|(was, is)| format!("{place}: {was} was recorded, {is} then")));
        let mut sent = Vec::new();
        inputs_apart(entry, &asked, pattern, &mut sent);
        for (pair, place) in sent {
            let places = self.sent.entry(pair).or_default();
            places.extend(place.filter(|place| !places.contains(place)));
        }
        let before = (self.found.rules.len(), self.found.changed.len(), Arc::clone(&self.comparison.bindings));
        let (mut last, mut first): (Option<Difference>, Option<String>) = (None, None);
        loop {
            let (index, store) = (self.first.index, self.first.store);
            let recorded = self.comparison.marked(index, store, position, entry.clone())?;
            let Some(difference) = self.comparison.difference(&recorded, &asked) else {
                self.comparison.bind(&recorded, &asked, || place.clone());
                return Ok(());
            };
            let what = format!("{place}: {}", in_words(&difference, 120));
            first.get_or_insert_with(|| what.clone());
            let rule = match last.as_ref() == Some(&difference) {
                true => None,
                false => self.rule(position, entry, &asked, &difference, pattern)?,
            };
            let Some((rule, bindings)) = rule else {
                // Rules that cover only a part are of no use: the command may be another one, in another order.
                let (rules, changed, bindings) = before;
                self.found.rules.truncate(rules);
                self.found.changed.truncate(changed);
                self.comparison.bindings = bindings;
                self.found.open.extend(first);
                return Ok(());
            };
            self.found.changed.push(what);
            self.found.rules.push(rule);
            self.comparison.bindings = Arc::new(bindings);
            last = Some(difference);
        }
    }

    /// Notes how the results of a command differ in the two runs: in what the program sent before, or in what the database made.
    fn replies(&mut self, position: u32, is: u32, pattern: Option<&str>) -> Result<(), CassetteError> {
        let mut apart = Vec::new();
        for (was, is) in self.first.results(position)?.into_iter().zip(self.second.results(is)?) {
            for (key, now) in is.fields.iter().filter(|(key, _)| key.is_reply()) {
                if let Some(was) = was.get(*key) {
                    values_apart(was, now, &mut apart);
                }
            }
        }
        let text = |field: &[u8]| String::from_utf8_lossy(field).into_owned();
        let (file, line) = self.first.store.locate(self.first.index.slot(position).place());
        let place = format!("{}:{line}", file.display());
        let (index, store) = (self.first.index, self.first.store);
        let entry = store.checked_entry(index.slot(position).place())?;
        let same = self.comparison.same_columns(index, store, position, &entry)?;
        for (mut was, is) in self.first.rows(position)?.into_iter().zip(self.second.rows(is)?) {
            let recorded = was.clone();
            if self.comparison.bindings.are_any() {
                self.comparison.bindings.row(&mut was, &same, None, |_, _, _| {});
            }
            for (column, ((recorded, live), now)) in recorded.iter().zip(&was).zip(&is).enumerate() {
                let pair = (text(recorded), text(now));
                if recorded == now {
                    if live != now && same.iter().any(|named| named.column == column) {
                        let (column, live) = (column + 1, text(live));
                        let line =
                            format!("{place}: column {column}: {} in both runs, and the rules give {live}", pair.0);
                        self.found.open.push(line);
                    }
                    continue;
                }
                // what it sent in each run comes back in that run: that is no chance
                let (is_bound, is_sent) = (live == now, self.sent.contains_key(&plain_pair(&pair)));
                let column = column + 1;
                // a value with a type needs no rule of its own, because a rule for its type covers it
                let kind = kind_of(&pair.0).filter(|kind| Kind::ALL.contains(kind));
                if !is_bound
                    && is_sent
                    && kind.is_none_or(|kind| kind_of(&pair.1) != Some(kind))
                    && let Some(pattern) = pattern
                    && let Ok(number) = i64::try_from(column)
                {
                    let place = named_place("column", number, pattern);
                    let short = (plain_pair(&pair), place);
                    if !self.short.contains(&short) {
                        self.short.push(short);
                    }
                }
                if self.reported.insert(pair.clone()) {
                    let line = format!("{place}: column {column}: {} was recorded, {} then", pair.0, pair.1);
                    match (is_bound, is_sent) {
                        (true, _) => self.found.read_back.push(line),
                        (false, true) => self.found.too_short.push(line),
                        (false, false) => self.found.by_database.push(line),
                    }
                }
                if !is_bound {
                    apart.push(pair);
                }
            }
        }
        self.made.extend(apart.into_iter().filter(|pair| !self.sent.contains_key(&plain_pair(pair))));
        Ok(())
    }

    /// Returns where short values that are read back are sent and come back, one list for each value.
    fn short_places(&self) -> Vec<Vec<Value>> {
        let of = |(pair, column): &((String, String), Value)| {
            let sent = self.sent.get(pair).filter(|places| !places.is_empty())?;
            Some([&sent[..], std::slice::from_ref(column)].concat())
        };
        self.short.iter().filter_map(of).collect()
    }

    /// Finds a rule that removes or reduces this difference, and returns it with the bindings that include it.
    fn rule(
        &self,
        position: u32,
        entry: &Entry,
        asked: &Entry,
        difference: &Difference,
        pattern: Option<&str>,
    ) -> Result<Option<(Value, Bindings)>, CassetteError> {
        let of = (self.first.index, self.first.store, position);
        rule_for(&self.comparison, of, entry, asked, difference, pattern)
    }
}

/// Returns the rules that together let what is asked pass for the entry at a position. Empty if no rules do.
///
/// # Errors
/// The statement's text cannot be read.
pub(crate) fn covering_rules(
    comparison: &Comparison,
    (index, store, position): (&Index, &dyn Store, u32),
    entry: &Entry,
    asked: &Entry,
) -> Result<Vec<Value>, CassetteError> {
    let text = Comparison::text(index, store, position, entry)?;
    let asked_text = asked.get(Key::Sql).and_then(Value::as_text).map(str::to_owned);
    let pattern = text.map(|was| statement_pattern(&was, asked_text.as_deref().unwrap_or(&was)));
    let (mut rules, mut comparison, mut last) = (Vec::new(), comparison.clone(), None);
    loop {
        let recorded = comparison.marked(index, store, position, entry.clone())?;
        let Some(difference) = comparison.difference(&recorded, asked) else { return Ok(rules) };
        let found = match last.as_ref() == Some(&difference) {
            true => None,
            false => rule_for(&comparison, (index, store, position), entry, asked, &difference, pattern.as_deref())?,
        };
        let Some((rule, bindings)) = found else { return Ok(Vec::new()) };
        rules.push(rule);
        comparison.bindings = Arc::new(bindings);
        last = Some(difference);
    }
}

/// Finds a rule that removes or reduces a difference from the entry at a position, and returns it with the bindings that include it.
/// `pattern` is that of the statement's text.
fn rule_for(
    comparison: &Comparison,
    (index, store, position): (&Index, &dyn Store, u32),
    entry: &Entry,
    asked: &Entry,
    difference: &Difference,
    pattern: Option<&str>,
) -> Result<Option<(Value, Bindings)>, CassetteError> {
    let text = Comparison::text(index, store, position, entry)?;
    let mut rules: Vec<Value> = text.iter().flat_map(|text| lists(text)).collect();
    rules.extend(Kind::ALL.map(|kind| Value::Map(vec![("type".to_owned(), kind.name().into())])));
    let sql = |entry: &Entry| entry.get(Key::Sql).and_then(Value::as_text).map(str::to_owned);
    if let (Some(was), Some(is)) = (sql(entry), sql(asked)) {
        rules.extend(words(&was).into_iter().zip(words(&is)).filter_map(|(was, is)| name_pattern(was, is)));
        rules.extend(word_places(&was, &is).into_iter().filter_map(|(_, place)| Some(same_rule(vec![place?]))));
    }
    let number = difference.place.strip_prefix("parameter ").and_then(|place| place.split([' ', '.']).next());
    if let (Some(number), Some(pattern)) = (number.and_then(|number| number.parse::<i64>().ok()), pattern) {
        rules.push(named_place("position", number, pattern));
    }
    for rule in rules {
        let Some(bindings) = comparison.bindings.with_rule(rule.clone()) else { continue };
        let trial = Comparison { bindings: Arc::new(bindings), ..comparison.clone() };
        let recorded = trial.marked(index, store, position, entry.clone())?;
        let rest = trial.difference(&recorded, asked);
        if rest.is_none_or(|rest| is_smaller(&rest, difference)) {
            return Ok(comparison.bindings.with_rule(rule.clone()).map(|bindings| (rule, bindings)));
        }
    }
    Ok(None)
}

/// Returns a value as results have it.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Int(number) => Some(number.to_string()),
        Value::Float(number) => Some(format!("{number:?}")),
        _ => None,
    }
}

/// Collects the single values in which two values of the same form differ.
fn values_apart(was: &Value, is: &Value, out: &mut Vec<(String, String)>) {
    match (was, is) {
        (Value::List(was), Value::List(is)) => was.iter().zip(is).for_each(|(was, is)| values_apart(was, is, out)),
        (Value::Map(was), Value::Map(is)) => was.iter().zip(is).for_each(|((_, was), (_, is))| {
            values_apart(was, is, out);
        }),
        (was, is) => out.extend(text_of(was).zip(text_of(is)).filter(|(was, is)| was != is)),
    }
}

/// Collects the single values in which the inputs of two entries differ, each with the place that a rule can name.
/// `pattern` is that of the statement's text.
fn inputs_apart(entry: &Entry, asked: &Entry, pattern: Option<&str>, out: &mut Vec<((String, String), Option<Value>)>) {
    let mut add = |was: &Value, is: &Value, place: Option<Value>| {
        let mut pairs = Vec::new();
        values_apart(was, is, &mut pairs);
        out.extend(pairs.iter().map(|pair| (plain_pair(pair), place.clone())));
    };
    for (key, is) in asked.fields.iter().filter(|(key, _)| key.is_input()) {
        match (key, entry.get(*key), is) {
            (Key::Sql, Some(Value::Text(was)), Value::Text(is)) => {
                for ((was, is), place) in word_places(was, is) {
                    add(&Value::Text(was), &Value::Text(is), place);
                }
            }
            (Key::Params, Some(Value::List(was)), Value::List(is)) => parameters_apart(was, is, pattern, &mut add),
            (_, Some(was), is) => add(was, is, None),
            (_, None, _) => {}
        }
    }
}

/// Compares the parameters of a set, or of each of several sets, and calls `add` with the place of each.
fn parameters_apart(
    was: &[Value],
    is: &[Value],
    pattern: Option<&str>,
    add: &mut impl FnMut(&Value, &Value, Option<Value>),
) {
    for (number, (was, is)) in (1..).zip(was.iter().zip(is)) {
        match (was, is) {
            (Value::List(was), Value::List(is)) => parameters_apart(was, is, pattern, add),
            (was, is) => add(was, is, pattern.map(|pattern| named_place("position", number, pattern))),
        }
    }
}

/// Returns the words in which two texts of the same form differ. A number also gets a place, which says where it stands in the text.
fn word_places(was: &str, is: &str) -> Vec<((String, String), Option<Value>)> {
    let (old, new) = (words(was), words(is));
    if old.len() != new.len() {
        return Vec::new();
    }
    let place = |at: usize| {
        let are_numbers = [old[at], new[at]].iter().all(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
        let pattern = || Value::from(words_pattern(&old, &new, Some(at)));
        are_numbers.then(|| Value::Map(vec![("pattern".to_owned(), pattern())]))
    };
    let differ = (0..old.len()).filter(|at| old[*at] != new[*at]);
    differ.map(|at| ((old[at].to_owned(), new[at].to_owned()), place(at))).collect()
}

/// Returns the regular expression that matches a statement's text in both runs.
fn statement_pattern(was: &str, is: &str) -> String {
    let (old, new) = (words(was), words(is));
    match old.len() == new.len() {
        true => words_pattern(&old, &new, None),
        false => words_pattern(&old, &old, None),
    }
}

/// Returns a regular expression for these words, with any white space between them. It matches any text where the words
/// differ, and a number for the `named` word.
fn words_pattern(old: &[&str], new: &[&str], named: Option<usize>) -> String {
    let mut out = String::new();
    for (at, (word, other)) in old.iter().zip(new).enumerate() {
        match named {
            Some(own) if own == at => out.push_str("([0-9]+)"),
            _ if word != other => out.push_str(".+?"),
            _ => {
                for character in word.chars() {
                    match character.is_whitespace() {
                        true if out.is_empty() || out.ends_with(r"\s+") => {}
                        true => out.push_str(r"\s+"),
                        false => out.push_str(&escape(character.encode_utf8(&mut [0; 4]))),
                    }
                }
            }
        }
    }
    format!(r"^\s*{}\s*$", out.strip_suffix(r"\s+").unwrap_or(&out))
}

/// Returns two values as they are compared: whole numbers by their digits, texts without trailing blanks.
fn plain_pair((was, is): &(String, String)) -> (String, String) {
    let plain = |text: &str| {
        let number = text.strip_suffix(".0").filter(|digits| digits.parse::<i64>().is_ok());
        number.unwrap_or(text).trim_end_matches(' ').to_owned()
    };
    (plain(was), plain(is))
}

/// Replaces values in what is asked by the recorded ones, where a result handed out the values in both runs. Returns
/// the replaced pairs.
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

/// Splits a text into its words and what stands between them.
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

/// Returns the rule for names that begin alike and end in digits, like `tmp_[0-9a-f]{8}`.
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

/// Returns a rule for each list `in (...)` of a text that lets its items come in any order.
fn lists(sql: &str) -> Vec<Value> {
    let words = words(sql);
    let mut rules: Vec<Value> = Vec::new();
    for (at, word) in words.iter().enumerate() {
        if !word.eq_ignore_ascii_case("in") || !words.get(at + 1).is_some_and(|next| next.trim_start().starts_with('('))
        {
            continue;
        }
        // the column before it, and perhaps `not`
        let before = |back: usize| {
            let blank = words.get(at.checked_sub(back - 1)?)?.trim().is_empty();
            words.get(at.checked_sub(back)?).filter(|_| blank)
        };
        let name = match before(2) {
            Some(not) if not.eq_ignore_ascii_case("not") => {
                before(4).map(|column| format!(r"{}\s+{not}", escape(column)))
            }
            column => column.map(|column| escape(column)),
        };
        let Some(name) = name else { continue };
        let sql = format!(r"\b{name}\s+{word}\s*\(");
        let rule = Value::Map(vec![(Key::Sql.name().to_owned(), sql.into()), ("unordered".to_owned(), true.into())]);
        if !rules.contains(&rule) {
            rules.push(rule);
        }
    }
    rules
}

/// Says whether a rule has reduced a difference: the next one is at another place, or has another recorded value.
fn is_smaller(rest: &Difference, before: &Difference) -> bool {
    rest.place != before.place || rest.recorded != before.recorded
}

/// Returns the place of a parameter, or of a result column, in the statements whose text matches the pattern.
fn named_place(key: &str, number: i64, pattern: &str) -> Value {
    Value::Map(vec![(key.to_owned(), Value::from(number)), (Key::Sql.name().to_owned(), pattern.into())])
}

fn same_rule(places: Vec<Value>) -> Value {
    Value::Map(vec![("same".to_owned(), Value::List(places))])
}

/// Writes a rule as a line of `super8.yml`.
pub fn rule_text(rule: &Value) -> String {
    match rule {
        Value::Map(pairs) if pairs.len() == 1 => format!("- {}", pair_text(&pairs[0])),
        rule => format!("- {}", flow_text(rule)),
    }
}

fn pair_text((key, value): &(String, Value)) -> String {
    format!("{key}: {}", flow_text(value))
}

/// Writes a part of a rule on one line.
fn flow_text(value: &Value) -> String {
    match value {
        Value::Text(text) if text.chars().all(|character| character.is_ascii_alphabetic()) => text.clone(),
        Value::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Value::Int(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::List(items) => format!("[{}]", items.iter().map(flow_text).collect::<Vec<_>>().join(", ")),
        Value::Map(pairs) => format!("{{{}}}", pairs.iter().map(pair_text).collect::<Vec<_>>().join(", ")),
        Value::Float(_) | Value::Null => String::new(),
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
        let sql = "select min(a) from t where t.id in (1, 2) and n not in ('x') and lower(n) not in ('y') and in (1)";
        assert_eq!(found(sql), [rule("id"), rule(r"n\s+not"), rule("and")]);
        let position = rule_text(&named_place(
            "position",
            2,
            &statement_pattern("select name\n from la", "select name\n from la"),
        ));
        assert_eq!(position, r"- {position: 2, sql: '^\s*select\s+name\s+from\s+la\s*$'}");
        let (was, is) = ("insert into t values (7, 'a', 1)", "insert into t values (12, 'b', 1)");
        assert_eq!(statement_pattern("select 7", "select 12"), r"^\s*select\s+.+?\s*$");
        let places: Vec<Value> = word_places(was, is).into_iter().filter_map(|(_, place)| place).collect();
        let same = r"- same: [{pattern: '^\s*insert\s+into\s+t\s+values\s+\(([0-9]+),\s+''.+?'',\s+1\)\s*$'}]";
        assert_eq!(rule_text(&same_rule(places)), same);
    }

    #[test]
    fn places_with_a_value_in_common_are_of_one_rule() {
        let list = |names: &[&str]| names.iter().map(|name| Value::from(*name)).collect::<Vec<_>>();
        let lists =
            ["ab", "cd", "ef", "bc"].map(|names| names.split("").filter(|name| !name.is_empty()).collect::<Vec<_>>());
        let found = joined(lists.iter().map(|names| list(names)).collect());
        assert_eq!(found, [list(&["e", "f"]), list(&["c", "d", "a", "b"])]);
    }
}
