//! The rules file, and how its rules apply to one value.

use std::path::Path;

use hmac::{Hmac, Mac};
use regex::Regex;
use sha2::{Digest, Sha256};

use super::replacement::{self, Replaced, replacement};
use crate::text::hex;
use crate::value::float_text;
use crate::{AnswerRules, CassetteError, Cell, CutCell, Value, VolatileRules, yaml};

/// The rules of one file.
#[derive(Debug)]
pub struct Redaction {
    pub(super) columns: Vec<Rule>,
    pub(super) parameters: Vec<Rule>,
    patterns: Vec<Regex>,
    answers: AnswerRules,
    volatile: VolatileRules,
    key: Vec<u8>,
    fingerprint: String,
}

/// One rule for columns or parameters. Everything that it gives must match.
#[derive(Debug, Default)]
pub struct Rule {
    /// The name of the column, in any case.
    pub(super) name: Option<String>,
    /// The place of the column or parameter, from 1.
    position: Option<usize>,
    /// What the statement's text must contain.
    sql: Option<Regex>,
    /// The part of the value that is replaced; without it, the whole value.
    pattern: Option<Regex>,
}

impl Redaction {
    /// Reads a rules file. `variable` returns a variable of the environment.
    ///
    /// # Errors
    /// The file cannot be read; a key is unknown, misplaced or of the wrong kind; a pattern is invalid; a key variable is not set.
    pub fn read(file: &Path, variable: &dyn Fn(&str) -> Option<String>) -> Result<Redaction, CassetteError> {
        let bytes = std::fs::read(file).map_err(|error| {
            CassetteError::io(file, "read", &error).advice("correct SUPER8_CONFIG, or leave it out")
        })?;
        let document = yaml::read_rules(&bytes, file)?;
        let wrong = |path: &str, problem: String| {
            CassetteError::new(file, problem).at_path(path).advice("docs/configuration.md has an example")
        };
        let Value::Map(pairs) = &document else { return Err(wrong("", "is not a map".to_owned())) };
        let (mut columns, mut parameters, mut patterns, mut key) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (mut answers, mut volatile) = (AnswerRules::default(), VolatileRules::default());
        for (name, value) in pairs {
            match (name.as_str(), value) {
                ("columns", Value::List(items)) => columns = rules(items, "columns", true, &wrong)?,
                ("parameters", Value::List(items)) => parameters = rules(items, "parameters", false, &wrong)?,
                ("patterns", Value::List(items)) => {
                    for (at, item) in items.iter().enumerate() {
                        patterns.push(pattern(item, &format!("patterns[{at}]"), &wrong)?);
                    }
                }
                ("answers", Value::List(items)) => answers = reads(items, &wrong)?,
                ("volatile", Value::List(items)) => {
                    volatile = VolatileRules::new(items)
                        .map_err(|(path, problem)| wrong(&format!("volatile{path}"), problem))?;
                }
                ("key", Value::Text(text)) => key = text.clone().into_bytes(),
                ("key_variable", Value::Text(name)) => match variable(name).filter(|value| !value.is_empty()) {
                    Some(value) => key = value.into_bytes(),
                    None => {
                        return Err(wrong("key_variable", format!("the environment has no {name}, which is the key")));
                    }
                },
                // All rules are commented out, so there are none. A redaction that hides nothing is an error instead.
                ("answers" | "volatile", Value::Null) => {}
                ("columns" | "parameters" | "patterns" | "answers" | "volatile", _) => {
                    return Err(wrong(name, "is not a list".to_owned()));
                }
                ("key" | "key_variable", _) => return Err(wrong(name, "is not text".to_owned())),
                _ => {
                    let known = "columns, parameters, patterns, answers, volatile, key, key_variable";
                    return Err(wrong(name, format!("is not known; there are {known}")));
                }
            }
        }
        let mut all = Sha256::new();
        all.update(format!("{columns:?}{parameters:?}{patterns:?}"));
        all.update(&key);
        let fingerprint = hex(&all.finalize()[..8]);
        Ok(Redaction { columns, parameters, patterns, answers, volatile, key, fingerprint })
    }

    /// Returns the rules that name the reads that are answers with rows.
    pub fn answers(&self) -> &AnswerRules {
        &self.answers
    }

    /// Returns the rules for values that change from run to run.
    pub fn volatile(&self) -> &VolatileRules {
        &self.volatile
    }

    /// Says whether any value is replaced.
    pub fn redacts(&self) -> bool {
        !(self.columns.is_empty() && self.parameters.is_empty() && self.patterns.is_empty())
    }

    /// Returns a text that distinguishes these rules and their key from others.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Returns the keyed digest of a value.
    pub(super) fn digest(&self, value: &[u8]) -> [u8; 32] {
        // a key of any length is valid
        match Hmac::<Sha256>::new_from_slice(&self.key) {
            Ok(mut mac) => {
                mac.update(value);
                mac.finalize().into_bytes().into()
            }
            Err(_) => Sha256::digest(value).into(),
        }
    }

    /// Replaces the patterns' matches in a text.
    fn text(&self, text: &str) -> String {
        self.patterns.iter().fold(text.to_owned(), |text, pattern| self.replaced(&text, pattern))
    }

    fn replaced(&self, text: &str, pattern: &Regex) -> String {
        pattern.replace_all(text, |found: &regex::Captures<'_>| self.mark(found[0].as_bytes())).into_owned()
    }

    /// Does the same in every text inside a value.
    pub(super) fn texts(&self, value: &Value) -> Value {
        match value {
            Value::Text(text) => Value::Text(self.text(text)),
            Value::List(items) => Value::List(items.iter().map(|item| self.texts(item)).collect()),
            Value::Map(pairs) => {
                Value::Map(pairs.iter().map(|(key, value)| (key.clone(), self.texts(value))).collect())
            }
            other => other.clone(),
        }
    }

    /// Redacts the `params` of a statement: a list of values, or of such lists.
    pub(super) fn parameters(&self, sql: &str, params: &Value) -> Value {
        let Value::List(items) = params else { return self.texts(params) };
        let of_set = |items: &[Value]| {
            Value::List(items.iter().enumerate().map(|(at, value)| self.parameter(sql, at + 1, value)).collect())
        };
        match items.iter().any(|item| matches!(item, Value::List(_))) {
            true => Value::List(
                items
                    .iter()
                    .map(|item| match item {
                        Value::List(items) => of_set(items),
                        other => other.clone(),
                    })
                    .collect(),
            ),
            false => of_set(items),
        }
    }

    fn parameter(&self, sql: &str, position: usize, value: &Value) -> Value {
        self.sent(self.parameters.iter().filter(|rule| rule.fits(sql, position, None)), value)
    }

    /// Redacts a value that is sent to a column by SQLSetPos or SQLBulkOperations.
    pub(super) fn written(&self, sql: &str, column: usize, name: Option<&str>, value: &Value) -> Value {
        self.sent(self.columns.iter().filter(|rule| rule.fits(sql, column, name)), value)
    }

    fn sent<'r>(&self, rules: impl Iterator<Item = &'r Rule>, value: &Value) -> Value {
        let mut value = value.clone();
        for rule in rules {
            value = match &rule.pattern {
                None => self.whole(&value),
                Some(pattern) => self.by_pattern(pattern, value),
            };
        }
        self.patterns.iter().fold(value, |value, pattern| self.by_pattern(pattern, value))
    }

    /// Replaces what a pattern finds in a value: parts of a text, but the whole of a number, a date and the like.
    fn by_pattern(&self, pattern: &Regex, value: Value) -> Value {
        let typed = match &value {
            Value::Text(text) => return Value::Text(self.replaced(text, pattern)),
            Value::Int(number) => number.to_string(),
            Value::Float(number) => float_text(*number),
            Value::Map(pairs) => match &pairs[..] {
                [(_, Value::Text(text))] => text.clone(),
                [(_, Value::Int(number))] => number.to_string(),
                _ => return value,
            },
            _ => return value,
        };
        if pattern.is_match(&typed) { self.whole(&value) } else { value }
    }

    /// Returns the replacement of a cell; `None` if it may stay.
    pub(super) fn cell(
        &self,
        sql: &str,
        column: usize,
        name: Option<&str>,
        c_type: &str,
        cell: &Cell<'_>,
    ) -> Option<Replaced> {
        self.replacing(self.columns.iter().filter(|rule| rule.fits(sql, column, name)), c_type, cell)
    }

    /// Does the same with these rules and the patterns.
    fn replacing<'r>(&self, rules: impl Iterator<Item = &'r Rule>, c_type: &str, cell: &Cell<'_>) -> Option<Replaced> {
        if matches!(cell, Cell::Null | Cell::Unread) {
            return None;
        }
        let mut patterns: Vec<&Regex> = self.patterns.iter().collect();
        for rule in rules {
            match &rule.pattern {
                None => return Some(replacement(|content| self.digest(content), c_type, cell)),
                Some(pattern) => patterns.push(pattern),
            }
        }
        let (Cell::Text(text) | Cell::Plain(text) | Cell::Cut { cell: CutCell::Text(text), .. }) = cell else {
            return None;
        };
        let text = std::str::from_utf8(text).ok()?;
        if !patterns.iter().any(|pattern| pattern.is_match(text)) {
            return None;
        }
        if !matches!(c_type, "CHAR" | "WCHAR" | "") {
            return Some(replacement(|content| self.digest(content), c_type, cell));
        }
        let same_length = |found: &regex::Captures<'_>| replacement::text(&self.digest(found[0].as_bytes()), &found[0]);
        let text =
            patterns.iter().fold(text.to_owned(), |text, pattern| pattern.replace_all(&text, same_length).into_owned());
        Some(Replaced::like(cell, text.into_bytes()))
    }

    /// Does the same for a cell in the form of the log.
    pub(super) fn inline(&self, sql: &str, column: usize, name: Option<&str>, c_type: &str, value: &Value) -> Value {
        inline(value, |cell| self.cell(sql, column, name, c_type, cell))
    }

    /// Redacts an output parameter, which the program reads like a cell.
    pub(super) fn output(&self, sql: &str, position: usize, c_type: &str, value: &Value) -> Value {
        let rules = || self.parameters.iter().filter(|rule| rule.fits(sql, position, None));
        inline(value, |cell| self.replacing(rules(), c_type, cell))
    }
}

/// Replaces a cell in the form of the log.
fn inline(value: &Value, replaced: impl Fn(&Cell<'_>) -> Option<Replaced>) -> Value {
    let text = match value {
        Value::Text(text) => text.clone(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        other => return other.clone(),
    };
    let mut scratch = Vec::new();
    let Ok(cell) = crate::cell::decode(text.as_bytes(), &mut scratch) else { return value.clone() };
    let Some(replaced) = replaced(&cell) else { return value.clone() };
    let mut row = crate::Row::new();
    row.set(0, replaced.as_cell());
    let field = String::from_utf8_lossy(&row.field(0)).into_owned();
    match value {
        Value::Int(_) => field.parse().map_or(Value::Text(field), Value::Int),
        Value::Float(_) => field.parse().map_or(Value::Text(field), Value::Float),
        _ => Value::Text(field),
    }
}

impl Rule {
    fn fits(&self, sql: &str, position: usize, name: Option<&str>) -> bool {
        self.position.is_none_or(|wanted| wanted == position)
            && self.sql.as_ref().is_none_or(|wanted| wanted.is_match(sql))
            && self.name.as_ref().is_none_or(|wanted| name.is_some_and(|name| name.eq_ignore_ascii_case(wanted)))
    }
}

type Wrong<'a> = &'a dyn Fn(&str, String) -> CassetteError;

fn rules(items: &[Value], list: &str, columns: bool, wrong: Wrong<'_>) -> Result<Vec<Rule>, CassetteError> {
    let mut rules = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let path = |key: &str| format!("{list}[{at}].{key}");
        let Value::Map(pairs) = item else {
            return Err(wrong(&format!("{list}[{at}]"), "is not a map such as `position: 2`".to_owned()));
        };
        let mut rule = Rule::default();
        for (key, value) in pairs {
            match (key.as_str(), value) {
                ("name", Value::Text(name)) if columns => rule.name = Some(name.clone()),
                ("name", _) if !columns => {
                    return Err(wrong(
                        &path(key),
                        "parameters have no names in ODBC: give their `position`".to_owned(),
                    ));
                }
                ("position", Value::Int(position)) if *position > 0 => rule.position = usize::try_from(*position).ok(),
                ("sql", value) => rule.sql = Some(pattern(value, &path(key), wrong)?),
                ("pattern", value) => rule.pattern = Some(pattern(value, &path(key), wrong)?),
                ("name", _) => return Err(wrong(&path(key), "is not text".to_owned())),
                ("position", _) => return Err(wrong(&path(key), "is not a number from 1".to_owned())),
                _ => {
                    let known = if columns { "name, position, sql, pattern" } else { "position, sql, pattern" };
                    return Err(wrong(&path(key), format!("is not known; there are {known}")));
                }
            }
        }
        if rule.name.is_none() && rule.position.is_none() && rule.pattern.is_none() {
            return Err(wrong(&format!("{list}[{at}]"), "says neither name nor position nor pattern".to_owned()));
        }
        rules.push(rule);
    }
    Ok(rules)
}

/// Reads the reads that `answers` names. Each item is a map with the key `sql`.
fn reads(items: &[Value], wrong: Wrong<'_>) -> Result<AnswerRules, CassetteError> {
    let mut texts = Vec::new();
    for (at, item) in items.iter().enumerate() {
        match item {
            Value::Map(pairs) => match &pairs[..] {
                [(key, Value::Text(text))] if key == "sql" => texts.push(text.as_str()),
                _ => {
                    return Err(wrong(&format!("answers[{at}]"), "is not `sql:` with a regular expression".to_owned()));
                }
            },
            _ => return Err(wrong(&format!("answers[{at}]"), "is not `sql:` with a regular expression".to_owned())),
        }
    }
    AnswerRules::new(texts).map_err(|(at, problem)| wrong(&format!("answers[{at}].sql"), problem))
}

fn pattern(value: &Value, path: &str, wrong: Wrong<'_>) -> Result<Regex, CassetteError> {
    let Value::Text(text) = value else { return Err(wrong(path, "is not text".to_owned())) };
    if text.is_empty() {
        return Err(wrong(path, "is empty".to_owned()));
    }
    Regex::new(text).map_err(|error| wrong(path, format!("is not a regular expression: {error}")))
}
