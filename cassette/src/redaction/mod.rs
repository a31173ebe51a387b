//! Redaction by rules: what must not stand in a cassette is replaced before it is written. The same is done to what a
//! replayed program asks, so that matching stays strict.
//!
//! The replacement is a keyed digest (HMAC-SHA-256) of the value. In rows it has the value's type and length, because a
//! program reads it; elsewhere it is `<redacted 0123456789abcdef>`.

mod replacement;
mod rules;
pub mod secrets;
mod sent;

pub use rules::{Redaction, Rule};
use secrets::Hiding;
pub use secrets::{SHORTEST as SHORTEST_SECRET, Secrets};

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use crate::{ConnectionId, Detail, Entry, Fields, Key, Method, Row, Value, cell};

/// Applies the rules to one cassette. It must know which statement a value belongs to.
#[derive(Debug, Default)]
pub struct Redactor {
    rules: OnceLock<Arc<Redaction>>,
    secrets: OnceLock<Arc<Secrets>>,
    statements: Mutex<HashMap<(ConnectionId, Option<u32>), Statement>>,
}

/// What is known of a statement.
#[derive(Clone, Debug, Default)]
struct Statement {
    sql: String,
    /// The names of its result's columns.
    names: Vec<String>,
}

/// The rules as they apply to the rows of one result.
#[derive(Clone, Debug, Default)]
pub(crate) struct RowRules {
    rules: Option<Arc<Redaction>>,
    secrets: Option<Arc<Secrets>>,
    statement: Statement,
}

impl Redactor {
    /// Follows these rules from now on. Later calls change nothing.
    pub fn follow(&self, rules: Arc<Redaction>) {
        let _ = self.rules.set(rules);
    }

    /// Hides these secrets from now on. Later calls change nothing.
    pub fn hide(&self, secrets: Arc<Secrets>) {
        let _ = self.secrets.set(secrets);
    }

    /// Returns how many secrets are known.
    pub(crate) fn known_secrets(&self) -> usize {
        self.secrets.get().map_or(0, |secrets| secrets.count())
    }

    pub(crate) fn hiding(&self) -> Option<Hiding> {
        self.secrets.get()?.now()
    }

    /// Returns a value without secrets.
    fn hidden(&self, value: Value) -> Value {
        self.hiding().and_then(|hiding| hiding.value(&value)).unwrap_or(value)
    }

    /// Says whether the names of columns must be known.
    pub(crate) fn wants_names(&self) -> bool {
        self.rules.get().is_some_and(|rules| rules.columns.iter().any(|rule| rule.name.is_some()))
    }

    /// Notes the names of a result's columns.
    pub(crate) fn names(&self, connection: ConnectionId, statement: u32, names: Vec<String>) {
        self.statements.lock().entry((connection, Some(statement))).or_default().names = names;
    }

    /// Returns the rules for rows of a statement.
    pub(crate) fn rows(&self, connection: ConnectionId, statement: u32) -> RowRules {
        let secrets = self.secrets.get().cloned();
        match self.rules.get() {
            None => RowRules { secrets, ..RowRules::default() },
            rules => RowRules { rules: rules.cloned(), secrets, statement: self.known(connection, Some(statement)) },
        }
    }

    fn known(&self, connection: ConnectionId, statement: Option<u32>) -> Statement {
        self.statements.lock().get(&(connection, statement)).cloned().unwrap_or_default()
    }

    /// Returns the entry as it may stand in the cassette, and as a replayed one is compared. `None` if it may stay as it is.
    pub fn entry(&self, entry: &Entry) -> Option<Entry> {
        let ruled = self.by_rules(entry);
        let hidden = self.hiding().and_then(|hiding| hiding.entry(ruled.as_ref().unwrap_or(entry)));
        hidden.or(ruled)
    }

    fn by_rules(&self, entry: &Entry) -> Option<Entry> {
        let rules = self.rules.get()?;
        if entry.method == Method::Connect {
            return None;
        }
        let place = (entry.connection, entry.statement);
        if let Some(sql) = entry.get(Key::Sql).and_then(Value::as_text) {
            self.statements.lock().insert(place, Statement { sql: sql.to_owned(), names: Vec::new() });
        }
        if entry.method == Method::Drop {
            self.statements.lock().remove(&place);
        }
        let statement = self.known(entry.connection, entry.statement);
        let positioned = matches!(entry.method, Method::SetPos | Method::BulkOperations);
        let first = usize::from(entry.get(Key::Bookmarks).is_none());
        let rows = RowRules { rules: Some(Arc::clone(rules)), secrets: None, statement: statement.clone() };
        let c_type = |at: usize| {
            let types = entry.get(Key::CTypes).and_then(Value::as_list);
            types.and_then(|types| types.get(at)?.as_text()).unwrap_or_default()
        };
        let redacted = |key: Key, value: &Value| match key {
            Key::Params => rules.parameters(&statement.sql, value),
            Key::Result if entry.method == Method::GetData && entry.get(Key::Column).is_some() => {
                let column = entry.get(Key::Column).and_then(Value::as_int).unwrap_or_default();
                let c_type = entry.get(Key::CType).and_then(Value::as_text).unwrap_or_default();
                rows.inline(column, c_type, value)
            }
            Key::Values if positioned => {
                each(value, &|at, sent| rules.written(&statement.sql, at + first, rows.name(at + first), sent))
            }
            Key::Written | Key::Result | Key::Rows if positioned || key == Key::Written => {
                each(value, &|at, cell| rows.inline((at + first) as i64, c_type(at), cell))
            }
            Key::Result | Key::Output
                if matches!(entry.method, Method::Run | Method::Execute | Method::MoreResults) =>
            {
                each(value, &|at, cell| rules.output(&statement.sql, at + 1, c_type(at), cell))
            }
            key if key.is_name() => value.clone(),
            _ => rules.texts(value),
        };
        let fields = entry.fields.iter().map(|(key, value)| (*key, redacted(*key, value))).collect();
        Some(Entry { fields, ..entry.clone() })
    }

    /// Returns the redacted entry as it is compared with `recorded`, which may be the one that is asked for. A value
    /// that the program read in redacted form stands for the original one.
    pub fn comparable(&self, recorded: &Entry, asked: &Entry, redacted: Entry) -> Entry {
        let Some(rules) = self.rules.get() else { return redacted };
        let comparable = |(key, value): (Key, Value)| match (key, recorded.get(key), asked.get(key)) {
            (Key::Params | Key::Values, Some(recorded), Some(raw)) => {
                let value = rules.comparable(recorded, raw, &value);
                (key, value)
            }
            _ => (key, value),
        };
        Entry { fields: redacted.fields.into_iter().map(comparable).collect(), ..redacted }
    }

    /// Returns a document as it may stand in the cassette, because a driver may name a column after its expression.
    /// `None` if there are no rules and no secrets in it.
    pub(crate) fn document(&self, document: &Value) -> Option<Value> {
        let ruled = self.rules.get().map(|rules| rules.texts(document));
        let hidden = self.hiding().and_then(|hiding| hiding.value(ruled.as_ref().unwrap_or(document)));
        hidden.or(ruled)
    }

    /// Does the same for an answer.
    pub(crate) fn answer(&self, answer: Fields) -> Fields {
        let answer = match self.rules.get() {
            Some(_) => answer.into_iter().map(|(key, value)| (key, self.part(key, value))).collect(),
            None => answer,
        };
        self.hiding().and_then(|hiding| hiding.fields(&answer)).unwrap_or(answer)
    }

    /// Does the same for the key of a question.
    pub fn key(&self, key: &[(Key, Value)]) -> Vec<(Key, Value)> {
        key.iter().map(|(name, value)| (*name, self.hidden(self.part(*name, value.clone())))).collect()
    }

    fn part(&self, key: Key, value: Value) -> Value {
        match self.rules.get() {
            Some(rules) if !key.is_name() => rules.texts(&value),
            _ => value,
        }
    }
}

impl RowRules {
    /// Replaces the cells of a complete row. `c_type` returns the C type of a cell; `first` is the number of the first cell's column.
    pub(crate) fn row<'t>(&self, row: &mut Row, first: usize, c_type: impl Fn(usize) -> &'t str) {
        let Some(rules) = &self.rules else { return };
        for index in 0..row.width() {
            if !row.is_set(index) {
                continue;
            }
            let (column, name) = (index + first, self.name(index + first));
            let field = row.field(index).to_vec();
            let mut scratch = Vec::new();
            let Ok(cell) = cell::decode(&field, &mut scratch) else { continue };
            if let Some(replaced) = rules.cell(&self.statement.sql, column, name, c_type(index), &cell) {
                row.set(index, replaced.as_cell());
            }
        }
    }

    /// Hides secrets in a complete row. `c_type` returns the C type of a cell.
    pub(crate) fn hide_row<'t>(&self, row: &mut Row, c_type: impl Fn(usize) -> &'t str) {
        let Some(hiding) = self.hiding() else { return };
        for index in 0..row.width() {
            if let Some(hidden) = row.is_set(index).then(|| hiding.field(c_type(index), &row.field(index))).flatten() {
                row.set_field(index, hidden.as_bytes());
            }
        }
    }

    /// Returns the secrets that are known now, if one may stand in these encoded rows.
    pub(crate) fn hiding_in(&self, rows: &[u8]) -> Option<Hiding> {
        self.hiding().filter(|hiding| hiding.may_be_in(rows))
    }

    fn hiding(&self) -> Option<Hiding> {
        self.secrets.as_ref()?.now()
    }

    /// Redacts a cell in the form of the log.
    fn inline(&self, column: i64, c_type: &str, value: &Value) -> Value {
        let (Some(rules), Ok(column)) = (&self.rules, usize::try_from(column)) else { return value.clone() };
        rules.inline(&self.statement.sql, column, self.name(column), c_type, value)
    }

    /// Redacts the outcome of a scroll as a whole.
    pub(crate) fn scroll_outcome(&self, fields: Fields) -> Fields {
        let mut fields = self.hiding().and_then(|hiding| hiding.fields(&fields)).unwrap_or(fields);
        if let Some(rules) = &self.rules {
            for (_, value) in fields.iter_mut().filter(|(key, _)| *key == Key::Diagnostics) {
                *value = rules.texts(value);
            }
        }
        fields
    }

    /// Redacts values of SQLGetData that are kept beside a row.
    pub(crate) fn outcome(&self, outcome: Value) -> Value {
        let outcome = self.hiding().and_then(|hiding| hiding.value(&outcome)).unwrap_or(outcome);
        let Some(rules) = &self.rules else { return outcome };
        let Value::Map(pairs) = outcome else { return outcome };
        let call = |call: Value| {
            let column = call.detail(Detail::Column).and_then(Value::as_int).unwrap_or_default();
            let c_type = call.detail(Detail::CType).and_then(Value::as_text).unwrap_or_default().to_owned();
            match call {
                Value::Map(pairs) => Value::Map(
                    pairs
                        .into_iter()
                        .map(|(key, value)| match Detail::from_name(&key) {
                            Some(Detail::Value) => (key, self.inline(column, &c_type, &value)),
                            Some(Detail::Diagnostics) => (key, rules.texts(&value)),
                            _ => (key, value),
                        })
                        .collect(),
                ),
                other => other,
            }
        };
        let pairs = pairs.into_iter().map(|(key, value)| match (Detail::from_name(&key), value) {
            (Some(Detail::GetData), Value::List(calls)) => (key, Value::List(calls.into_iter().map(call).collect())),
            (Some(Detail::Diagnostics), value) => (key, rules.texts(&value)),
            (_, value) => (key, value),
        });
        Value::Map(pairs.collect())
    }

    fn name(&self, column: usize) -> Option<&str> {
        self.statement.names.get(column.checked_sub(1)?).map(String::as_str)
    }
}

/// Applies `replaced` to every value of a list, or of a list of lists, with its place. Anything else stays.
fn each(value: &Value, replaced: &dyn Fn(usize, &Value) -> Value) -> Value {
    let Value::List(items) = value else { return value.clone() };
    let one = |(at, item): (usize, &Value)| match item {
        Value::List(_) => each(item, replaced),
        item => replaced(at, item),
    };
    Value::List(items.iter().enumerate().map(one).collect())
}

#[cfg(test)]
mod tests;
